//! What players tell of how they fare, and the sentence made of it (API §5.6).
//!
//! ```text
//! POST of a player ─▶ Report ─▶ Reports of a shard ─▶ Playback: every player's newest figures
//!                                                        └▶ Measured, each ten seconds ─▶ history
//! ```
//!
//! Players are told apart by a hash of address and program, and by what they call their session.
//! Nothing else of a person is kept, and nothing at all of one who has been silent for a minute.

mod cmcd;
mod overview;
mod report;
mod video;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde::Serialize;

pub use self::cmcd::{
    CMCD_BYTES_MAX, CMCD_SHAPE, Cmcd, cmcd_of_query, parse_cmcd, parse_cmcd_text,
};
pub use self::overview::{Circumstances, Overview};
use self::overview::{Told, line_min};
pub use self::report::{PlayerKey, REPORT_SHAPE, Report, Reports, parse_report};
pub use self::video::{VIDEO_SERIES, VideoMetrics};
use crate::rfc3339;
use crate::viewers::ViewerKey;

/// Players heard at one time; more are not counted. Each takes about 200 bytes.
pub const PLAYERS_MAX: usize = 50_000;
/// Players of one viewer: tabs of one browser, or people with equal programs behind one address.
const PLAYERS_PER_VIEWER_MAX: usize = 32;
/// Figures older than this are of another time.
const FRESH_TIME: Duration = Duration::from_secs(30);
/// A player that told nothing for so long is gone.
const ABSENCE_MAX: Duration = Duration::from_secs(60);
/// An error counts against a player for so long.
const ERROR_MEMORY: Duration = Duration::from_secs(120);

/// Every player that tells of itself.
#[derive(Clone, Debug, Default)]
pub struct Playback {
    by_viewer: HashMap<ViewerKey, Vec<Player>>,
    players: usize,
    errors: f64,
    quality_changes: f64,
    errors_total: f64,
    quality_changes_total: f64,
}

#[derive(Clone, Copy, Debug)]
struct Player {
    session: u64,
    heard: Instant,
    heard_ms: i64,
    last_error: Option<Instant>,
    newest: Report,
    errors: f64,
    quality_changes: f64,
}

/// What players told since the last time this was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    /// Players whose figures are fresh.
    pub players: u32,
    /// Errors of all.
    pub errors: f64,
    /// Changes to another rendition of all.
    pub quality_changes: f64,
    /// Behind live, seconds: least, median, most.
    pub latency: Option<[f64; 3]>,
    /// To load a segment or part, seconds: the same.
    pub download: Option<[f64; 3]>,
    /// Measured lines, kbit/s: the same.
    pub bandwidth: Option<[f64; 3]>,
}

/// How a player fares, for the admin: `playback` of `/api/admin/viewers/playback`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlaybackView {
    /// Who measured: always `client`, the player itself.
    pub source: &'static str,
    /// When it told last, ms since 1970.
    #[serde(rename = "lastUpdate", serialize_with = "rfc3339::serialize_millis")]
    pub last_update_ms: i64,
    /// `p` plays, `a` is paused, `w` waits, `k` seeks, `e` has ended, and so on as in CMCD.
    pub player_state: Option<char>,
    /// `unmeasurable` where the figures are too old to mean anything.
    pub measurement_status: Option<&'static str>,
    /// Measured line.
    pub bandwidth_kbps: Option<f64>,
    /// Behind live.
    pub latency_seconds: Option<f64>,
    /// To load a segment or part.
    pub download_seconds: Option<f64>,
    /// Of the rendition that is played.
    pub bitrate_kbps: Option<f64>,
    /// Since it came.
    pub error_count: Option<f64>,
    /// Since it came.
    pub quality_variant_changes: Option<f64>,
}

impl Playback {
    /// Counts a report. `now_ms` is the date, ms since 1970.
    pub fn note(&mut self, now: Instant, now_ms: i64, key: PlayerKey, report: &Report) {
        let is_full = self.players >= PLAYERS_MAX;
        if is_full && !self.by_viewer.contains_key(&key.viewer) {
            return;
        }
        // Most viewers have one.
        let players = self.by_viewer.entry(key.viewer).or_insert_with(|| Vec::with_capacity(1));
        let place = players.iter().position(|player| player.session == key.session);
        let place = match place {
            Some(place) => place,
            None if players.len() < PLAYERS_PER_VIEWER_MAX && !is_full => {
                players.push(Player::new(key.session, now, now_ms));
                self.players += 1;
                players.len() - 1
            }
            None => {
                // The one that was silent for longest has most likely gone.
                let silent = players.iter().enumerate().min_by_key(|(_, player)| player.heard);
                let Some(place) = silent.map(|(place, _)| place) else { return };
                place
            }
        };
        let Some(player) = players.get_mut(place) else { return };
        if player.session != key.session {
            *player = Player::new(key.session, now, now_ms);
        }
        (player.heard, player.heard_ms) = (now, now_ms);
        player.newest.absorb(report);
        player.errors += report.errors;
        player.quality_changes += report.quality_changes;
        if report.errors > 0.0 {
            player.last_error = Some(now);
        }
        self.errors += report.errors;
        self.quality_changes += report.quality_changes;
    }

    /// What was told since the last time, and forgets who has gone.
    pub fn measure(&mut self, now: Instant) -> Measured {
        let since = |at: Instant| now.saturating_duration_since(at);
        self.by_viewer.retain(|_, players| {
            players.retain(|player| since(player.heard) < ABSENCE_MAX);
            !players.is_empty()
        });
        self.players = self.by_viewer.values().map(Vec::len).sum();
        let (errors, changes) = (self.errors, self.quality_changes);
        (self.errors, self.quality_changes) = (0.0, 0.0);
        self.errors_total += errors;
        self.quality_changes_total += changes;
        let fresh = || self.all().filter(|player| since(player.heard) < FRESH_TIME);
        Measured {
            players: u32::try_from(fresh().count()).unwrap_or(u32::MAX),
            errors,
            quality_changes: changes,
            latency: spread(fresh().filter_map(|player| player.newest.latency)),
            download: spread(fresh().filter_map(|player| player.newest.download)),
            bandwidth: spread(fresh().filter_map(|player| player.newest.bandwidth)),
        }
    }

    /// How players fare now.
    #[must_use]
    pub fn overview(&self, now: Instant, circumstances: &Circumstances) -> Option<Overview> {
        let least = line_min(circumstances);
        let mut told = Told::default();
        for player in self.all() {
            let recent = |at: Instant| now.saturating_duration_since(at) < ERROR_MEMORY;
            told.players += 1;
            told.with_errors += usize::from(player.last_error.is_some_and(recent));
            told.with_line += usize::from(player.newest.bandwidth.is_some());
            let is_slow = |kbit: f64| kbit < least;
            told.with_slow_line += usize::from(player.newest.bandwidth.is_some_and(is_slow));
        }
        overview::overview(told, circumstances)
    }

    /// Errors and changes to another rendition since the process began.
    #[must_use]
    pub fn totals(&self) -> (f64, f64) {
        (self.errors_total + self.errors, self.quality_changes_total + self.quality_changes)
    }

    /// A broadcast ended: what players tell of it is over.
    pub fn clear(&mut self) {
        self.by_viewer.clear();
        self.players = 0;
    }

    /// The players of this viewer: each one's number, different from those of the others, and how
    /// it fares.
    pub fn of_viewer(
        &self,
        now: Instant,
        viewer: ViewerKey,
    ) -> impl Iterator<Item = (u64, PlaybackView)> {
        let players = self.by_viewer.get(&viewer).into_iter().flatten();
        players.map(move |player| (player.session, player.view(now)))
    }

    fn all(&self) -> impl Iterator<Item = &Player> {
        self.by_viewer.values().flatten()
    }
}

impl Player {
    fn new(session: u64, now: Instant, now_ms: i64) -> Self {
        Self {
            session,
            heard: now,
            heard_ms: now_ms,
            last_error: None,
            newest: Report::default(),
            errors: 0.0,
            quality_changes: 0.0,
        }
    }

    fn view(&self, now: Instant) -> PlaybackView {
        let is_fresh = now.saturating_duration_since(self.heard) < FRESH_TIME;
        let newest = self.newest;
        PlaybackView {
            source: "client",
            last_update_ms: self.heard_ms,
            player_state: newest.state.filter(|_| is_fresh),
            measurement_status: (!is_fresh).then_some("unmeasurable"),
            bandwidth_kbps: newest.bandwidth.filter(|_| is_fresh),
            latency_seconds: newest.latency.filter(|_| is_fresh),
            download_seconds: newest.download.filter(|_| is_fresh),
            bitrate_kbps: newest.bitrate.filter(|_| is_fresh),
            error_count: Some(self.errors),
            quality_variant_changes: Some(self.quality_changes),
        }
    }
}

/// Least, median and most.
fn spread(values: impl Iterator<Item = f64>) -> Option<[f64; 3]> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (first, last) = (values.first()?, values.last()?);
    Some([*first, *values.get(values.len() / 2)?, *last])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of a test")]
    fn start() -> Instant {
        Instant::now()
    }

    fn key(viewer: u64, session: u64) -> PlayerKey {
        PlayerKey { viewer: ViewerKey(viewer), session }
    }

    #[test]
    fn figures_of_all_players_are_spread() {
        let (mut playback, now) = (Playback::default(), start());
        for (viewer, latency) in [(1, 2.0), (2, 5.0), (3, 1.0), (1, 3.0)] {
            let report = Report { latency: Some(latency), errors: 1.0, ..Report::default() };
            playback.note(now, 0, key(viewer, 0), &report);
        }
        let measured = playback.measure(now);
        assert_eq!((measured.players, measured.latency), (3, Some([1.0, 3.0, 5.0])));
        assert_eq!((measured.errors, measured.bandwidth), (4.0, None));
        // Once told it is over, and what is old is no figure of now.
        assert_eq!(playback.measure(now).errors, 0.0);
        assert_eq!(playback.totals(), (4.0, 0.0));
        let later = playback.measure(now + FRESH_TIME);
        assert_eq!((later.players, later.latency), (0, None));
        let view = playback.of_viewer(now + FRESH_TIME, ViewerKey(1)).next().unwrap().1;
        assert_eq!((view.measurement_status, view.latency_seconds), (Some("unmeasurable"), None));
        assert_eq!(view.error_count, Some(2.0));
        playback.measure(now + ABSENCE_MAX);
        assert_eq!(playback.of_viewer(now, ViewerKey(1)).count(), 0);
    }

    #[test]
    fn errors_count_for_a_while() {
        let (mut playback, now) = (Playback::default(), start());
        let circumstances =
            Circumstances { viewers: 4, bitrate_min_kbit: 1_000, ..Circumstances::default() };
        let report = |errors| Report { errors, bandwidth: Some(5_000.0), ..Report::default() };
        for viewer in 0..4 {
            playback.note(now, 0, key(viewer, 0), &report(f64::from(u32::from(viewer == 0))));
        }
        let overview = playback.overview(now, &circumstances).unwrap();
        assert_eq!((overview.health_percentage, overview.representation), (75, 100));
        assert!(overview.message.contains("1 of 4 players"), "{overview:?}");
        let overview = playback.overview(now + ERROR_MEMORY, &circumstances).unwrap();
        assert_eq!((overview.health_percentage, overview.message.as_str()), (100, ""));
        playback.clear();
        assert_eq!(playback.overview(now, &circumstances), None);
    }

    #[test]
    fn players_are_bounded_for_each_viewer_and_in_all() {
        let (mut playback, now) = (Playback::default(), start());
        let report = Report { errors: 1.0, ..Report::default() };
        for session in 0..1_000 {
            playback.note(now + Duration::from_millis(session), 0, key(1, session), &report);
        }
        assert_eq!(playback.of_viewer(now, ViewerKey(1)).count(), PLAYERS_PER_VIEWER_MAX);
        assert!(playback.of_viewer(now, ViewerKey(1)).any(|(session, _)| session == 999));
        for viewer in 2..PLAYERS_MAX as u64 + 100 {
            playback.note(now, 0, key(viewer, 0), &report);
        }
        assert_eq!(playback.players, PLAYERS_MAX);
        assert_eq!(playback.measure(now).players as usize, PLAYERS_MAX);
        let bytes = size_of::<(ViewerKey, Vec<Player>)>() * 2 + size_of::<Player>() * 4;
        assert!(bytes < 1_024, "{bytes} bytes of a player alone with its viewer");
    }
}
