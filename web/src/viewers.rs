//! Who watches: told by requests for playlists and by pings, never by media (API §5.2).
//!
//! ```text
//! shard: Sightings ── new viewers, and who was seen again ──▶ Audience: everybody once, and peaks
//! ```
//!
//! Each shard notes who it saw. A player's connections may be spread over shards, so only the
//! [`Audience`], which hears of all of them, knows how many there are.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use md5::{Digest, Md5};
use serde::Serialize;

use crate::admin::{PlaybackClient, Viewer};
use crate::metrics::Playback;

/// Somebody who was not seen for so long is gone.
pub const ABSENCE_MAX: Duration = Duration::from_secs(15);
/// A shard tells anew of somebody whom it did not see for so long. Less than half of
/// [`ABSENCE_MAX`]: whoever the audience has let go must never be just "seen again" to a shard.
const SHARD_MEMORY: Duration = Duration::from_secs(7);
/// Viewers noted at one time, of one shard and of all. Each takes less than 1 KB.
pub const VIEWERS_MAX: usize = 200_000;
/// As much of a program's name is kept, bytes; browsers' are about 120.
const USER_AGENT_BYTES_MAX: usize = 256;

/// A viewer, within this process: a keyed hash of address and program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ViewerKey(pub u64);

/// Where an address is, as far as a database of places says (API §1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Geo {
    /// ISO 3166-1: two letters; `N/A` for the machine itself.
    pub country_code: String,
    /// In English; empty where it is not known.
    pub region_name: String,
    /// IANA's name; empty where it is not known.
    pub time_zone: String,
}

impl Geo {
    /// What Owncast says of the machine itself.
    #[must_use]
    pub fn of_loopback() -> Self {
        Self {
            country_code: "N/A".to_owned(),
            region_name: "Localhost".to_owned(),
            time_zone: String::new(),
        }
    }
}

/// Makes [`ViewerKey`]s; the same on all shards.
#[derive(Clone, Debug)]
pub struct ViewerKeys(u128);

impl ViewerKeys {
    /// `entropy` keeps anybody from making viewers who are taken for one another.
    #[must_use]
    pub const fn new(entropy: u128) -> Self {
        Self(entropy)
    }

    /// A number for what a player calls its session, not 0.
    #[must_use]
    pub fn of_session(&self, name: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.0, name).hash(&mut hasher);
        hasher.finish().max(1)
    }

    /// The key of a viewer.
    #[must_use]
    pub fn of(&self, address: IpAddr, user_agent: &[u8]) -> ViewerKey {
        let mut hasher = DefaultHasher::new();
        (self.0, address, user_agent).hash(&mut hasher);
        ViewerKey(hasher.finish())
    }
}

/// A viewer whom a shard saw for the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Who.
    pub key: ViewerKey,
    /// From where.
    pub address: IpAddr,
    /// The program; cut where it is long, and what is no text replaced.
    pub user_agent: Box<str>,
}

/// What a shard has to tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sighted {
    /// Seen for the first time, or again after an absence.
    pub arrived: Vec<Arrival>,
    /// Seen again.
    pub seen: Vec<ViewerKey>,
}

/// Who one shard saw.
#[derive(Debug, Default)]
pub struct Sightings {
    /// Number of the report in which each was told last, and whether it was seen since.
    known: HashMap<ViewerKey, Seen>,
    arrived: Vec<Arrival>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    at: Instant,
    since_report: bool,
}

impl Sightings {
    /// A request of this viewer. Costs one look into a table, and some bytes the first time.
    pub fn note(&mut self, now: Instant, key: ViewerKey, address: IpAddr, user_agent: &[u8]) {
        if let Some(seen) = self.known.get_mut(&key) {
            *seen = Seen { at: now, since_report: true };
            return;
        }
        if self.known.len() >= VIEWERS_MAX {
            return;
        }
        self.known.insert(key, Seen { at: now, since_report: false });
        let cut = user_agent.get(..USER_AGENT_BYTES_MAX).unwrap_or(user_agent);
        let user_agent = String::from_utf8_lossy(cut).into();
        self.arrived.push(Arrival { key, address, user_agent });
    }

    /// The broadcast is over, and with it everybody's watching: who comes to the next is new.
    pub fn forget(&mut self) {
        self.known.clear();
        self.arrived.clear();
    }

    /// What happened since the last report. Forgets who is gone.
    pub fn report(&mut self, now: Instant) -> Sighted {
        let mut seen = Vec::new();
        self.known.retain(|key, viewer| {
            if std::mem::take(&mut viewer.since_report) {
                seen.push(*key);
            }
            now.saturating_duration_since(viewer.at) < SHARD_MEMORY
        });
        Sighted { arrived: std::mem::take(&mut self.arrived), seen }
    }
}

impl Sighted {
    /// There is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.arrived.is_empty() && self.seen.is_empty()
    }
}

/// Everybody who watches, and how many there were at most.
#[derive(Clone, Debug, Default)]
pub struct Audience {
    present: HashMap<ViewerKey, Present>,
    session_peak: u32,
    overall_peak: u32,
}

#[derive(Clone, Debug)]
struct Present {
    address: IpAddr,
    user_agent: Box<str>,
    geo: Option<Arc<Geo>>,
    first_seen_ms: i64,
    last_seen: Instant,
}

impl Audience {
    /// Nobody, after these peaks.
    #[must_use]
    pub fn after(session_peak: u32, overall_peak: u32) -> Self {
        Self { present: HashMap::new(), session_peak, overall_peak }
    }

    /// Takes a shard's report. Those whom nobody saw for a while have left. `locate` tells where a
    /// new viewer's address is.
    pub fn hear(
        &mut self,
        now: Instant,
        date_ms: i64,
        sighted: Sighted,
        mut locate: impl FnMut(IpAddr) -> Option<Arc<Geo>>,
    ) {
        for Arrival { key, address, user_agent } in sighted.arrived {
            if let Some(viewer) = self.present.get_mut(&key) {
                viewer.last_seen = now;
            } else if self.present.len() < VIEWERS_MAX {
                let (geo, first_seen_ms) = (locate(address), date_ms);
                let viewer = Present { address, user_agent, geo, first_seen_ms, last_seen: now };
                self.present.insert(key, viewer);
            }
        }
        for key in sighted.seen {
            if let Some(viewer) = self.present.get_mut(&key) {
                viewer.last_seen = now;
            }
        }
        self.let_go(now);
        self.session_peak = self.session_peak.max(self.count());
        self.overall_peak = self.overall_peak.max(self.session_peak);
    }

    /// Lets those go whom nobody saw for a while.
    pub fn let_go(&mut self, now: Instant) {
        let is_here =
            |viewer: &Present| now.saturating_duration_since(viewer.last_seen) < ABSENCE_MAX;
        self.present.retain(|_, viewer| is_here(viewer));
    }

    /// A broadcast begins: its peak counts from nothing.
    pub fn begin_session(&mut self) {
        self.session_peak = 0;
        self.present.clear();
    }

    /// A broadcast ends: nobody watches.
    pub fn end_session(&mut self) {
        self.present.clear();
    }

    /// How many watch.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.present.len()).unwrap_or(u32::MAX)
    }

    /// Most at one time: in this broadcast or the last, and ever.
    #[must_use]
    pub const fn peaks(&self) -> (u32, u32) {
        (self.session_peak, self.overall_peak)
    }

    /// Whether this one watches.
    #[must_use]
    pub fn contains(&self, key: ViewerKey) -> bool {
        self.present.contains_key(&key)
    }

    /// Viewers by the code of their country, as far as places are known.
    #[must_use]
    pub fn by_country(&self) -> BTreeMap<&str, u32> {
        let mut countries = BTreeMap::new();
        for geo in self.present.values().filter_map(|viewer| viewer.geo.as_deref()) {
            *countries.entry(geo.country_code.as_str()).or_insert(0) += 1;
        }
        countries
    }

    /// Who watches, the longest first, as the API shows them.
    #[must_use]
    pub fn viewers(&self) -> Vec<Viewer> {
        let mut viewers: Vec<_> = self.present.values().map(Present::view).collect();
        viewers.sort_by_key(|viewer| viewer.first_seen_ms);
        viewers
    }

    /// The same with what each one's players tell; who has several stands there as often.
    #[must_use]
    pub fn playback_clients(&self, now: Instant, playback: &Playback) -> Vec<PlaybackClient> {
        let mut clients = Vec::with_capacity(self.present.len());
        for (key, viewer) in &self.present {
            let viewer = viewer.view();
            let mut players = playback.of_viewer(now, *key).peekable();
            if players.peek().is_none() {
                clients.push(PlaybackClient::new(&viewer, 0, None));
            }
            let of_player = |(session, view)| PlaybackClient::new(&viewer, session, Some(view));
            clients.extend(players.map(of_player));
        }
        clients.sort_by_key(|client| client.first_seen_ms);
        clients
    }
}

impl Present {
    fn view(&self) -> Viewer {
        let ip_address = self.address.to_canonical().to_string();
        let digest = Md5::new().chain_update(&ip_address).chain_update(self.user_agent.as_bytes());
        let client_id = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Viewer {
            first_seen_ms: self.first_seen_ms,
            geo: self.geo.as_deref().cloned(),
            user_agent: self.user_agent.to_string(),
            ip_address,
            client_id,
        }
    }
}

/// Whose request it is when it came through a proxy (API §1.1): the last address of
/// `X-Forwarded-For` that is no trusted proxy's. Without a trusted proxy at the other end the field
/// is what anybody may write, and means nothing.
#[must_use]
pub fn client_address(
    peer: IpAddr,
    forwarded_for: Option<&str>,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> IpAddr {
    let mut client = peer.to_canonical();
    let Some(forwarded_for) = forwarded_for else { return client };
    for hop in forwarded_for.rsplit(',') {
        if !is_trusted(client) {
            break;
        }
        let Some(address) = parse_hop(hop.trim()) else { break };
        client = address.to_canonical();
    }
    client
}

/// With or without a port, IPv6 with or without brackets.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let with_port = || hop.parse::<std::net::SocketAddr>().ok().map(|socket| socket.ip());
    hop.trim_matches(['[', ']']).parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tests' zero of time.
    #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of a test")]
    fn now() -> Instant {
        Instant::now()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn nowhere(_: IpAddr) -> Option<Arc<Geo>> {
        None
    }

    #[test]
    fn viewers_are_shown_with_their_place_and_their_players() {
        let (now, keys, one) = (now(), ViewerKeys::new(7), address("203.0.113.9"));
        let (mut shard, mut audience) = (Sightings::default(), Audience::default());
        let key = keys.of(one, b"mpv");
        shard.note(now, key, one, b"mpv");
        shard.note(now, keys.of(one, b"vlc"), one, b"vlc");
        let place = Arc::new(Geo { country_code: "DE".to_owned(), ..Geo::default() });
        audience.hear(now, 5_000, shard.report(now), |_| Some(Arc::clone(&place)));
        assert_eq!(audience.by_country(), BTreeMap::from([("DE", 2)]));
        assert!(audience.contains(key) && !audience.contains(keys.of(one, b"x")));
        let mut playback = Playback::default();
        for session in [0, 5] {
            let player = crate::metrics::PlayerKey { viewer: key, session };
            let report = crate::metrics::Report { latency: Some(1.5), ..Default::default() };
            playback.note(now, 7_000, player, &report);
        }
        let shown = serde_json::to_value(audience.playback_clients(now, &playback)).unwrap();
        let shown = shown.as_array().unwrap();
        let with: Vec<_> = shown.iter().filter(|client| !client["playback"].is_null()).collect();
        assert_eq!((shown.len(), with.len()), (3, 2));
        assert_eq!(with[0]["playback"]["latencySeconds"], 1.5);
        assert_eq!(with[0]["geo"]["countryCode"], "DE");
        assert_eq!(with[0]["viewerID"], with[1]["viewerID"]);
        assert_ne!(with[0]["clientID"], with[1]["clientID"]);
    }

    #[test]
    fn a_player_on_two_shards_counts_once_and_leaves_after_a_while() {
        let (start, keys) = (now(), ViewerKeys::new(7));
        let at = |seconds| start + Duration::from_secs(seconds);
        let (one, two) = (address("192.0.2.1"), address("192.0.2.2"));
        let mut shards = [Sightings::default(), Sightings::default()];
        let mut audience = Audience::default();
        for shard in &mut shards {
            shard.note(at(0), keys.of(one, b"mpv"), one, b"mpv");
            shard.note(at(0), keys.of(one, b"mpv"), one, b"mpv");
            audience.hear(at(1), 5_000, shard.report(at(1)), nowhere);
        }
        assert_eq!(audience.count(), 1);
        // Another program at the same address is another viewer.
        shards[0].note(at(2), keys.of(one, b"vlc"), one, b"vlc");
        shards[0].note(at(2), keys.of(two, b"mpv"), two, b"mpv");
        audience.hear(at(3), 7_000, shards[0].report(at(3)), nowhere);
        assert_eq!(audience.count(), 3);
        for seconds in [8, 13, 18] {
            shards[1].note(at(seconds), keys.of(one, b"mpv"), one, b"mpv");
            audience.hear(at(seconds), 0, shards[1].report(at(seconds)), nowhere);
        }
        assert_eq!((audience.count(), audience.peaks()), (1, (3, 3)));
        let viewer = &audience.viewers()[0];
        assert_eq!((viewer.first_seen_ms, viewer.ip_address.as_str()), (5_000, "192.0.2.1"));
        // md5 of "192.0.2.1mpv".
        assert_eq!(viewer.client_id.len(), 32);
        audience.begin_session();
        assert_eq!((audience.count(), audience.peaks()), (0, (0, 3)));
    }

    #[test]
    fn who_returns_to_a_shard_is_told_anew() {
        let (start, keys) = (now(), ViewerKeys::new(7));
        let (one, mut shard) = (address("192.0.2.1"), Sightings::default());
        let key = keys.of(one, b"mpv");
        shard.note(start, key, one, b"mpv");
        assert_eq!(shard.report(start).arrived.len(), 1);
        assert!(shard.report(start + ABSENCE_MAX).is_empty());
        shard.note(start + ABSENCE_MAX, key, one, b"mpv");
        assert_eq!(shard.report(start + ABSENCE_MAX).arrived.len(), 1);
    }

    #[test]
    fn who_comes_seldom_or_to_the_next_broadcast_is_counted_again() {
        let (start, keys, one) = (now(), ViewerKeys::new(7), address("192.0.2.1"));
        let at = |millis| start + Duration::from_millis(millis);
        // However far apart requests and reports are, a request makes one viewer.
        for pause in (500..40_000).step_by(500) {
            let (mut shard, mut audience) = (Sightings::default(), Audience::default());
            let (mut asked, mut told) = (0, 100);
            for _ in 0..60 {
                while asked <= told {
                    shard.note(at(asked), keys.of(one, b"mpv"), one, b"mpv");
                    asked += pause;
                }
                audience.hear(at(told), 0, shard.report(at(told)), nowhere);
                let since = told - (asked - pause);
                assert!(since > 2_000 || audience.count() == 1, "{pause} ms, {since} ms ago");
                told += 2_000;
                audience.let_go(at(told));
            }
        }
        let (mut shard, mut audience) = (Sightings::default(), Audience::default());
        for broadcast in 0..3 {
            audience.begin_session();
            shard.note(at(broadcast), keys.of(one, b"mpv"), one, b"mpv");
            audience.hear(at(broadcast), 0, shard.report(at(broadcast)), nowhere);
            assert_eq!(audience.count(), 1, "broadcast {broadcast}");
            audience.end_session();
            shard.forget();
        }
    }

    #[test]
    fn names_of_programs_are_cut_and_memory_is_bounded() {
        let (start, keys, one) = (now(), ViewerKeys::new(7), address("2001:db8::1"));
        let mut shard = Sightings::default();
        let long = [0xff; 10_000];
        shard.note(start, keys.of(one, &long), one, &long);
        let sighted = shard.report(start);
        assert!(sighted.arrived[0].user_agent.len() <= 3 * USER_AGENT_BYTES_MAX);
        let bytes = size_of::<(ViewerKey, Present)>() + USER_AGENT_BYTES_MAX;
        assert!(bytes < 1_024, "{bytes} bytes a viewer");
    }

    #[test]
    fn forwarded_addresses_count_behind_trusted_proxies_only() {
        let proxy = address("10.0.0.1");
        let inner = address("10.0.0.2");
        let is_trusted = |candidate| candidate == proxy || candidate == inner;
        for (peer, field, want) in [
            (proxy, None, proxy),
            (proxy, Some("203.0.113.9"), address("203.0.113.9")),
            // What the client wrote itself stands before what the proxy saw.
            (proxy, Some("1.1.1.1, 203.0.113.9"), address("203.0.113.9")),
            (proxy, Some("203.0.113.9, 10.0.0.2"), address("203.0.113.9")),
            (proxy, Some("[2001:db8::7]:443"), address("2001:db8::7")),
            (proxy, Some("203.0.113.9:80"), address("203.0.113.9")),
            (proxy, Some("nonsense"), proxy),
            (proxy, Some(""), proxy),
            (address("198.51.100.7"), Some("203.0.113.9"), address("198.51.100.7")),
            (address("::ffff:10.0.0.1"), Some("203.0.113.9"), address("203.0.113.9")),
        ] {
            assert_eq!(client_address(peer, field, is_trusted), want, "{peer} {field:?}");
        }
    }
}
