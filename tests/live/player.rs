//! A player that misses nothing: follows one media playlist by blocking reload, fetches every part
//! the moment it is listed, every segment when it is complete, holds each playlist against the
//! rules, and keeps when each part came.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::boxes;
use crate::http::{Connection, Response};
use crate::lint;
use crate::playlist::{Media, resolve};
use crate::tool::wait_for;

/// Longest answer a player waits for: a blocked reload may take three target durations.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// One segment as it was received.
#[derive(Debug, Default, Clone)]
pub(crate) struct Received {
    pub(crate) uri: Option<String>,
    pub(crate) duration: f64,
    pub(crate) discontinuity: bool,
    pub(crate) map: Option<String>,
    pub(crate) date: Option<i64>,
    /// Bytes of each part, in order.
    pub(crate) parts: Vec<Vec<u8>>,
    /// The complete segment's own bytes.
    pub(crate) bytes: Option<Vec<u8>>,
}

/// When a part was at hand, and where it ends in the stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) at: Instant,
    /// Seconds of media before the end of this part since the first one seen.
    pub(crate) media_end: f64,
}

/// All that a player saw.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    pub(crate) inits: BTreeMap<String, Vec<u8>>,
    pub(crate) segments: BTreeMap<u64, Received>,
    /// Parts that came while the player waited for them.
    pub(crate) arrivals: Vec<Arrival>,
    /// Broken rules and missed parts; empty when all is well.
    pub(crate) offences: Vec<String>,
    /// Parts that came under another name than the hinted one (LL-10).
    pub(crate) wrong_hints: Vec<String>,
    /// 503 answers to a blocked reload.
    pub(crate) unavailable: usize,
    pub(crate) last: Option<Media>,
}

impl Recording {
    /// Whether ENDLIST was seen.
    pub(crate) fn ended(&self) -> bool {
        self.last.as_ref().is_some_and(|last| last.ended)
    }

    /// Panics with every broken rule.
    pub(crate) fn assert_clean(&self) {
        assert!(
            self.offences.is_empty(),
            "{} offences:\n{:#?}",
            self.offences.len(),
            self.offences
        );
    }

    /// Number of parts seen.
    pub(crate) fn parts(&self) -> usize {
        self.segments.values().map(|segment| segment.parts.len()).sum()
    }

    /// When each sample is shown, in seconds, in decode order, read from the fragments themselves.
    /// Panics where the decode timeline has a hole or an overlap.
    pub(crate) fn presentation_times(&self) -> Vec<f64> {
        let mut times = Vec::new();
        let mut next: Option<i64> = None;
        for (msn, segment) in &self.segments {
            let init = segment.map.as_ref().and_then(|map| self.inits.get(map)).expect("a map");
            let scale = boxes::timescale(init) as f64;
            if segment.discontinuity {
                next = None;
            }
            // A segment that left the edge before the player came is whole, but has no parts.
            let bytes = segment.bytes.clone().unwrap_or_else(|| segment.parts.concat());
            for sample in boxes::samples(&bytes) {
                let expected = next.unwrap_or(sample.dts);
                assert_eq!(sample.dts, expected, "a hole in decode time in {msn}");
                assert!(sample.duration > 0, "no duration in {msn}");
                next = Some(sample.dts + sample.duration);
                times.push(sample.pts as f64 / scale);
            }
        }
        times
    }

    /// Sequence numbers that carry a discontinuity.
    pub(crate) fn discontinuities(&self) -> Vec<u64> {
        let marked = self.segments.iter().filter(|(_, segment)| segment.discontinuity);
        marked.map(|(msn, _)| *msn).collect()
    }

    /// How much later than the promptest part the latest one came, by the stream's own clock: a
    /// viewer with that much in store sees no stall.
    pub(crate) fn worst_lateness(&self) -> Duration {
        let Some(first) = self.arrivals.first() else { return Duration::ZERO };
        let lags: Vec<f64> = self
            .arrivals
            .iter()
            .map(|arrival| (arrival.at - first.at).as_secs_f64() - arrival.media_end)
            .collect();
        let promptest = lags.iter().copied().fold(f64::INFINITY, f64::min);
        let latest = lags.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Duration::from_secs_f64((latest - promptest).max(0.0))
    }
}

/// A player at work in a thread of its own.
pub(crate) struct Follower {
    handle: JoinHandle<Recording>,
    stop: Arc<AtomicBool>,
}

impl Follower {
    /// Follows the media playlist at `path` until it ends or [`Follower::stop`] is called.
    pub(crate) fn start(address: SocketAddr, path: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let path = path.to_owned();
        let handle = thread::spawn(move || Player::new(address, path).follow(&told));
        Self { handle, stop }
    }

    /// Waits for the playlist to end.
    pub(crate) fn wait_end(self, limit: Duration) -> Recording {
        let deadline = Instant::now() + limit;
        while !self.handle.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(20));
        }
        let finished = self.handle.is_finished();
        let recording = self.stop();
        assert!(finished, "no ENDLIST after {limit:?}: {:?}", recording.last);
        recording
    }

    /// Stops following after the answer that is under way.
    pub(crate) fn stop(self) -> Recording {
        self.stop.store(true, Ordering::Relaxed);
        self.handle.join().expect("the follower says what went wrong in its own panic")
    }

    /// Whether the playlist ended or the follower gave up.
    pub(crate) fn finished(&self) -> bool {
        self.handle.is_finished()
    }
}

struct Player {
    address: SocketAddr,
    path: String,
    playlists: Option<Connection>,
    media: Option<Connection>,
    recording: Recording,
    media_time: f64,
}

impl Player {
    fn new(address: SocketAddr, path: String) -> Self {
        let recording = Recording::default();
        Self { address, path, playlists: None, media: None, recording, media_time: 0.0 }
    }

    fn follow(mut self, stop: &AtomicBool) -> Recording {
        let mut query = String::new();
        // The first listing holds parts made before the player came; they tell nothing of delay.
        let mut caught_up = false;
        while !stop.load(Ordering::Relaxed) {
            let path = format!("{}{query}", self.path);
            query.clear();
            let answer = match get(&mut self.playlists, self.address, &path) {
                Ok(answer) => answer,
                Err(error) => {
                    self.offend(format!("{path}: {error}"));
                    break;
                }
            };
            match answer.status {
                200 => {}
                503 => {
                    self.recording.unavailable += 1;
                    continue;
                }
                status => {
                    self.offend(format!("{path}: {status}"));
                    break;
                }
            }
            let playlist = Media::parse(answer.text());
            let (complete, parts) = playlist.edge();
            if !self.take(answer.text(), &playlist, caught_up) {
                break;
            }
            caught_up = true;
            let ended = playlist.ended;
            self.recording.last = Some(playlist);
            if ended {
                break;
            }
            query = format!("?_HLS_msn={}&_HLS_part={parts}", complete + 1);
        }
        self.recording
    }

    /// Checks a new version of the playlist and fetches what is new in it; `false` to give up.
    fn take(&mut self, text: &str, playlist: &Media, caught_up: bool) -> bool {
        let mut offences = lint::media(text, playlist);
        if let Some(last) = &self.recording.last {
            offences.extend(lint::succession(last, playlist));
            self.recording.wrong_hints.extend(lint::wrong_hint(last, playlist));
            if last.edge() == playlist.edge() && !playlist.ended {
                offences.push("LL-15: a blocked reload gave the same playlist again".to_owned());
            }
        }
        for offence in offences {
            self.offend(offence);
        }
        for segment in &playlist.segments {
            if let Some(map) = &segment.map
                && !self.recording.inits.contains_key(map)
            {
                let Some(bytes) = self.fetch(map) else { return false };
                self.recording.inits.insert(map.clone(), bytes);
            }
            let known = self.recording.segments.entry(segment.msn).or_default().clone();
            for (index, part) in segment.parts.iter().enumerate().skip(known.parts.len()) {
                let Some(bytes) = self.fetch(&part.uri) else { return false };
                if caught_up {
                    self.media_time += part.duration;
                    let arrival = Arrival { at: Instant::now(), media_end: self.media_time };
                    self.recording.arrivals.push(arrival);
                }
                let received = self.recording.segments.entry(segment.msn).or_default();
                debug_assert_eq!(received.parts.len(), index);
                received.parts.push(bytes);
            }
            if segment.uri.is_some() && known.bytes.is_none() && !segment.gap {
                self.complete(segment);
            }
            let received = self.recording.segments.entry(segment.msn).or_default();
            received.duration = segment.duration;
            received.discontinuity = segment.discontinuity;
            received.map.clone_from(&segment.map);
            received.date = segment.date;
            received.uri.clone_from(&segment.uri);
        }
        true
    }

    /// Fetches a complete segment; it must be its parts, end to end (LL-3).
    fn complete(&mut self, segment: &crate::playlist::Segment) {
        let Some(bytes) = segment.uri.as_ref().and_then(|uri| self.fetch(uri)) else { return };
        let received = self.recording.segments.entry(segment.msn).or_default();
        let all = !segment.parts.is_empty() && received.parts.len() == segment.parts.len();
        let differs = all && received.parts.concat() != bytes;
        received.bytes = Some(bytes);
        if differs {
            self.offend(format!("LL-3: segment {} is not its parts", segment.msn));
        }
    }

    fn fetch(&mut self, uri: &str) -> Option<Vec<u8>> {
        let path = resolve(&self.path, uri);
        match get(&mut self.media, self.address, &path) {
            Ok(answer) if answer.status == 200 && !answer.body.is_empty() => Some(answer.body),
            Ok(answer) => {
                self.offend(format!(
                    "missed {path}: {}, {} bytes",
                    answer.status,
                    answer.body.len()
                ));
                None
            }
            Err(error) => {
                self.offend(format!("missed {path}: {error}"));
                None
            }
        }
    }

    fn offend(&mut self, offence: String) {
        if !self.recording.offences.contains(&offence) {
            self.recording.offences.push(offence);
        }
    }
}

/// GET over a kept connection; opens a new one when there is none or the server closed it.
fn get(
    kept: &mut Option<Connection>,
    address: SocketAddr,
    path: &str,
) -> std::io::Result<Response> {
    let reused = kept.is_some();
    let mut connection = match kept.take() {
        Some(connection) => connection,
        None => Connection::open(address)?,
    };
    match connection.exchange("GET", path, &[], ANSWER_LIMIT) {
        Ok(answer) => {
            if answer.header("connection") != Some("close") {
                *kept = Some(connection);
            }
            Ok(answer)
        }
        Err(_) if reused => get(kept, address, path),
        Err(error) => Err(error),
    }
}

/// The media playlists of a live stream: paths of the first video variant and of the audio.
pub(crate) fn media_playlists(tracks: crate::frames::Tracks) -> Vec<&'static str> {
    let mut paths = Vec::new();
    if tracks.video {
        paths.push("/hls/0/stream.m3u8");
    }
    if tracks.audio {
        paths.push("/hls/audio/stream.m3u8");
    }
    paths
}

/// Waits until every media playlist lists a whole segment: players that know no parts see nothing
/// before.
pub(crate) fn wait_segments(
    server: &crate::server::Server,
    tracks: crate::frames::Tracks,
    count: usize,
) {
    for path in media_playlists(tracks) {
        wait_for(&format!("{count} segments in {path}"), Duration::from_secs(60), || {
            let answer = server.get(path);
            let playlist = (answer.status == 200).then(|| Media::parse(answer.text()))?;
            let complete = playlist.segments.iter().filter(|segment| segment.uri.is_some());
            (complete.count() >= count).then_some(())
        });
    }
}

/// Follows every media playlist of a stream from the moment it answers.
pub(crate) fn follow_all(
    server: &crate::server::Server,
    tracks: crate::frames::Tracks,
) -> Vec<Follower> {
    follow_each(server, &media_playlists(tracks))
}

/// The same of these playlists.
pub(crate) fn follow_each(server: &crate::server::Server, paths: &[&'static str]) -> Vec<Follower> {
    server.wait_live();
    let follow = |path: &&'static str| {
        wait_for(&format!("{path} answers"), Duration::from_secs(20), || {
            (server.get(path).status == 200).then_some(())
        });
        Follower::start(server.http, path)
    };
    paths.iter().map(follow).collect()
}
