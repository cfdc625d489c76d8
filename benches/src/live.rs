//! Low-latency viewers: blocked reload, then the parts it lists, for ever (LL-9 to LL-12).
//!
//! A player fetches sound and picture from a playlist each, so a viewer is one connection per
//! playlist. The first connection of each playlist keeps the parts' bodies and reads the send times
//! in them (see [`crate::stamp`]); the arrivals of all are judged by those at the end.

use std::collections::{HashMap, VecDeque};

use crate::engine::{Script, Step, Turn};
use crate::http::{Response, Url};
use crate::playlist::{self, Place};
use crate::stamp;
use crate::stats::Summary;

/// What the viewers do.
#[derive(Clone, Debug)]
pub struct Habits {
    /// One media playlist per rendition; connections take them in turn.
    pub playlists: Vec<Url>,
    /// What a viewer asks first, the multivariant playlist; refused (503), it comes again after
    /// [`COME_AGAIN_NS`].
    pub join: Option<Url>,
    /// Delta updates (`_HLS_skip=YES`).
    pub skip: bool,
    /// Reload only: parts are not fetched.
    pub reload_only: bool,
    /// Arrivals before this time are not counted: the viewers are still joining.
    pub count_from: u64,
}

/// Viewers on one thread.
#[derive(Debug)]
pub struct Live {
    habits: Habits,
    viewers: Vec<Viewer>,
    /// By playlist and place.
    parts: HashMap<(usize, Place), Arrivals>,
    /// Playlists whose parts are being kept, by the connection that does.
    keepers: Vec<Option<usize>>,
    /// Viewers that reached the end of the broadcast.
    pub ended: u64,
    /// Times that a viewer was refused.
    pub refused: u64,
    /// Refused viewers by the time they come again.
    outside: VecDeque<(u64, usize)>,
}

/// Retry-After of the refusal.
pub const COME_AGAIN_NS: u64 = 1_000_000_000;

#[derive(Clone, Debug, Default)]
struct Viewer {
    joined: bool,
    /// The first place that has not been fetched.
    next: Place,
    fetching: Option<Place>,
    queue: Vec<(Place, String)>,
}

#[derive(Clone, Debug, Default)]
struct Arrivals {
    /// Send time of the last picture.
    sent: Option<u64>,
    /// First byte of each playlist that listed it first.
    listed: Vec<u64>,
    /// Last byte of each copy.
    fetched: Vec<u64>,
}

/// What a run came to; times in milliseconds after the part's last picture was sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lateness {
    /// First byte of the playlist that lists the part.
    pub listed: Summary,
    /// Last byte of the part.
    pub fetched: Summary,
    /// Parts that were judged.
    pub parts: usize,
    /// Copies of parts that came within [`LATE_MS`].
    pub on_time: usize,
}

/// A part is late from this time after its last picture was sent on, ms (P5).
pub const LATE_MS: f64 = 50.0;

impl Live {
    /// Viewers with these habits.
    pub fn new(habits: Habits) -> Self {
        let keepers = vec![None; habits.playlists.len()];
        Self {
            habits,
            viewers: Vec::new(),
            parts: HashMap::new(),
            keepers,
            ended: 0,
            refused: 0,
            outside: VecDeque::new(),
        }
    }

    /// All times of all parts whose send time is known.
    pub fn lateness(runs: &[Self]) -> Lateness {
        Self::lateness_where(runs, |_, _| true)
    }

    /// The times of those parts that `counts` says yes to, asked with the time at which their last
    /// picture was sent and that at which the last viewer had them.
    pub fn lateness_where(runs: &[Self], counts: impl Fn(u64, u64) -> bool) -> Lateness {
        let (mut listed, mut fetched, mut parts) = (Vec::new(), Vec::new(), 0);
        let mut sent = HashMap::new();
        for (key, arrivals) in runs.iter().flat_map(|run| &run.parts) {
            sent.extend(arrivals.sent.map(|time| (*key, time)));
        }
        for (key, arrivals) in runs.iter().flat_map(|run| &run.parts) {
            let Some(sent) = sent.get(key) else { continue };
            if !counts(*sent, arrivals.fetched.iter().copied().max().unwrap_or(*sent)) {
                continue;
            }
            let late = |at: &u64| (*at as f64 - *sent as f64) / 1e6;
            listed.extend(arrivals.listed.iter().map(late));
            fetched.extend(arrivals.fetched.iter().map(late));
            parts += 1;
        }
        let on_time = fetched.iter().filter(|late| **late <= LATE_MS).count();
        Lateness {
            listed: Summary::of(&mut listed),
            fetched: Summary::of(&mut fetched),
            parts,
            on_time,
        }
    }

    fn answered_join(&mut self, connection: usize, response: &Response<'_>) -> Step {
        if response.status < 400 {
            self.viewers[connection].joined = true;
            return self.reload(connection);
        }
        self.refused += 1;
        self.outside.push_back((response.last_byte + COME_AGAIN_NS, connection));
        Step::Rest
    }

    fn playlist_of(&self, connection: usize) -> usize {
        connection % self.habits.playlists.len().max(1)
    }

    fn reload(&self, connection: usize) -> Step {
        let url = &self.habits.playlists[self.playlist_of(connection)];
        let target = match self.viewers.get(connection).map(|viewer| viewer.next) {
            None | Some((0, 0)) => url.target.clone(),
            Some((msn, part)) => {
                let joint = if url.target.contains('?') { '&' } else { '?' };
                let skip = if self.habits.skip { "&_HLS_skip=YES" } else { "" };
                format!("{}{joint}_HLS_msn={msn}&_HLS_part={part}{skip}", url.target)
            }
        };
        Step::Get { target, keep: true }
    }

    fn fetch_next(&mut self, connection: usize) -> Step {
        let playlist = self.playlist_of(connection);
        let viewer = &mut self.viewers[connection];
        if viewer.queue.is_empty() {
            return self.reload(connection);
        }
        let (place, name) = viewer.queue.remove(0);
        viewer.fetching = Some(place);
        let keep = *self.keepers[playlist].get_or_insert(connection) == connection;
        Step::Get { target: self.habits.playlists[playlist].sibling(&name), keep }
    }

    fn listed(&mut self, connection: usize, response: &Response<'_>) -> Step {
        let playlist = self.playlist_of(connection);
        let joining = self.viewers[connection].next == (0, 0);
        let text = std::str::from_utf8(response.body).unwrap_or_default();
        let edge = playlist::read(text, self.viewers[connection].next);
        if edge.ended {
            self.ended += 1;
            return Step::Close;
        }
        let viewer = &mut self.viewers[connection];
        viewer.next = edge.next;
        // Who joins begins at the edge; what is older was not waited for.
        if joining {
            return self.reload(connection);
        }
        if response.first_byte >= self.habits.count_from {
            for (place, _) in &edge.parts {
                let arrivals = self.parts.entry((playlist, *place)).or_default();
                arrivals.listed.push(response.first_byte);
            }
        }
        let keeps = *self.keepers[playlist].get_or_insert(connection) == connection;
        if !self.habits.reload_only || keeps {
            self.viewers[connection].queue.extend(edge.parts);
        }
        self.fetch_next(connection)
    }
}

impl Script for Live {
    fn connected(&mut self, connection: usize, _now: u64) -> Step {
        if self.viewers.len() <= connection {
            self.viewers.resize(connection + 1, Viewer::default());
        }
        match &self.habits.join {
            Some(join) => Step::Get { target: join.target.clone(), keep: false },
            None => {
                self.viewers[connection].joined = true;
                self.reload(connection)
            }
        }
    }

    fn due(&mut self, now: u64) -> Turn {
        let (Some((at, connection)), Some(join)) =
            (self.outside.front().copied(), &self.habits.join)
        else {
            return Turn::Never;
        };
        if at > now {
            return Turn::At(at);
        }
        self.outside.pop_front();
        Turn::Now(connection, join.target.clone())
    }

    fn response(&mut self, connection: usize, response: Response<'_>) -> Step {
        if !self.viewers[connection].joined {
            return self.answered_join(connection, &response);
        }
        let playlist = self.playlist_of(connection);
        match self.viewers[connection].fetching.take() {
            None if response.status < 400 => self.listed(connection, &response),
            // A wait that ran out or a place that is gone: begin at the edge again.
            None => {
                self.viewers[connection] = Viewer { joined: true, ..Viewer::default() };
                self.reload(connection)
            }
            Some(place) => {
                if response.status < 400 {
                    let arrivals = self.parts.entry((playlist, place)).or_default();
                    if response.last_byte >= self.habits.count_from {
                        arrivals.fetched.push(response.last_byte);
                    }
                    if !response.body.is_empty() {
                        arrivals.sent = stamp::find(response.body).last().copied();
                    }
                }
                self.fetch_next(connection)
            }
        }
    }

    fn lost(&mut self, connection: usize, _now: u64) {
        for keeper in &mut self.keepers {
            if *keeper == Some(connection) {
                *keeper = None;
            }
        }
    }
}
