//! A live broadcast under the linter: followers that miss nothing, and a second look every second
//! at what only several playlists or their delivery can show.
//!
//! `RIVERRUN_LINT_MINUTES` and `RIVERRUN_LINT_KIND` (steady, jittery, bursty, variable, dropping,
//! restarted, ladder) make it long and hard; `make lint-live` sets them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{delivery, multivariant, strict_multivariant, text, together};
use crate::frames::Tracks;
use crate::http::Connection;
use crate::player::{follow_each, media_playlists};
use crate::playlist::{Media, Multivariant, resolve};
use crate::publish::clip;
use crate::server::Server;
use crate::tool::{ffmpeg, scratch};

const MASTER: &str = "/hls/stream.m3u8";
const TRACKS: Tracks = Tracks { video: true, audio: true };
/// Length of the run in an ordinary test.
const USUAL: Duration = Duration::from_secs(20);

#[test]
fn a_live_broadcast_has_no_findings() {
    let minutes = std::env::var("RIVERRUN_LINT_MINUTES").ok().and_then(|m| m.parse::<u64>().ok());
    let length = minutes.map_or(USUAL, |minutes| Duration::from_secs(60 * minutes));
    let kind = std::env::var("RIVERRUN_LINT_KIND").unwrap_or_else(|_| "steady".to_owned());
    watch(Kind::named(&kind), length);
}

#[test]
fn a_broadcast_of_a_variable_rate_has_no_findings() {
    watch(Kind::Variable, USUAL);
}

/// The source, two encoded renditions and sound, all at once.
#[test]
fn a_ladder_has_no_findings() {
    watch(Kind::Ladder, USUAL);
}

fn watch(kind: Kind, length: Duration) {
    let server = match kind {
        Kind::Restarted => restarted(),
        Kind::Ladder => Server::start_with(&["--renditions", "source,360p@500,180p@150/15"]),
        _ => Server::start(),
    };
    let mut sender = Sender::start(kind, server.publish_url());
    let mut paths = media_playlists(TRACKS);
    if kind == Kind::Ladder {
        paths.extend(["/hls/1/stream.m3u8", "/hls/2/stream.m3u8"]);
    }
    let followers = follow_each(&server, &paths);
    let mut watch = Watch::new(&server, paths);
    let end = Instant::now() + length;
    while Instant::now() < end {
        let next = Instant::now() + Duration::from_secs(1);
        watch.look();
        while Instant::now() < next {
            sender.act();
        }
    }
    let mut findings = watch.findings;
    for follower in followers {
        let recording = follower.stop();
        let (parts, hints) = (recording.parts(), recording.wrong_hints.len());
        assert!(parts > 20, "only {parts} parts were seen");
        // A film that is sent over and over has a short interval of keyframes where it begins anew.
        assert!(kind.surprises() || hints * 20 <= parts, "LL-10: {:#?}", recording.wrong_hints);
        // Decode times without holes or overlaps (CM-7).
        recording.presentation_times();
        findings.extend(recording.offences);
    }
    assert!(findings.is_empty(), "{} findings:\n{findings:#?}", findings.len());
}

/// A server that had a broadcast, lost its power and began anew on the same data.
fn restarted() -> Server {
    let server = Server::start();
    let sender = Sender::start(Kind::Steady, server.publish_url());
    server.wait_live();
    let master = Media::parse(server.get(media_playlists(TRACKS)[0]).text());
    drop(sender);
    let data = server.kill_and_keep_data();
    let server = Server::start_in(&data, &[]);
    let sender = Sender::start(Kind::Steady, server.publish_url());
    server.wait_live();
    let again = Media::parse(server.get(media_playlists(TRACKS)[0]).text());
    assert!(again.media_sequence > master.media_sequence, "PL-6: numbers fell");
    drop(sender);
    server
}

/// How the publisher behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// As it should.
    Steady,
    /// Up to 150 ms late, all the time.
    Jittery,
    /// Silent for a second and a half, then all at once.
    Bursty,
    /// Pictures at changing distances.
    Variable,
    /// Gone every ten seconds, back after one.
    Dropping,
    /// As it should, to a server that was killed and began anew.
    Restarted,
    /// With encoded renditions.
    Ladder,
}

impl Kind {
    fn named(name: &str) -> Self {
        match name {
            "steady" => Self::Steady,
            "jittery" => Self::Jittery,
            "bursty" => Self::Bursty,
            "variable" => Self::Variable,
            "dropping" => Self::Dropping,
            "restarted" => Self::Restarted,
            "ladder" => Self::Ladder,
            other => panic!(
                "no publisher is {other}: steady, jittery, bursty, variable, dropping, restarted"
            ),
        }
    }

    /// Nobody can tell when its next keyframe comes.
    fn surprises(self) -> bool {
        matches!(self, Self::Variable | Self::Dropping)
    }
}

/// An ffmpeg that is stopped, resumed and replaced as its kind asks.
struct Sender {
    kind: Kind,
    url: String,
    log: PathBuf,
    child: Child,
    since: Instant,
    count: u64,
}

impl Sender {
    fn start(kind: Kind, url: String) -> Self {
        let log = scratch("lint").join("sender");
        let child = Self::spawn(kind, &url, &log);
        Self { kind, url, log, child, since: Instant::now(), count: 0 }
    }

    fn spawn(kind: Kind, url: &str, log: &Path) -> Child {
        let mut command = ffmpeg();
        command.args(["-stream_loop", "-1", "-re", "-i"]).arg(clip("fps25"));
        if kind == Kind::Variable {
            // Whole stretches without every second picture, and single ones gone.
            let keep = "select='if(lt(mod(t,6),3),mod(n,2),mod(n,7))'";
            command.args(["-vf", keep, "-fps_mode", "vfr", "-c:v", "libx264"]);
            command.args(["-preset", "ultrafast", "-g", "25", "-c:a", "copy"]);
        } else {
            command.args(["-c", "copy"]);
        }
        let said = std::fs::File::create(log).expect("tests/out is writable");
        command.args(["-f", "flv", url]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
        command.spawn().expect("run tests/tools/setup.sh")
    }

    /// Does what is due and takes a short rest.
    fn act(&mut self) {
        self.count += 1;
        match self.kind {
            Kind::Steady | Kind::Variable | Kind::Restarted | Kind::Ladder => {
                thread::sleep(Duration::from_millis(50));
            }
            Kind::Jittery => {
                // A fixed sequence of delays, so that a finding can be met again.
                let delay = self.count * 7_919 % 150;
                self.hold(Duration::from_millis(delay));
                thread::sleep(Duration::from_millis(30));
            }
            Kind::Bursty => {
                self.hold(Duration::from_millis(1_500));
                thread::sleep(Duration::from_millis(1_500));
            }
            Kind::Dropping if self.since.elapsed() > Duration::from_secs(10) => {
                let _ = self.child.kill();
                let _ = self.child.wait();
                thread::sleep(Duration::from_secs(1));
                self.child = Self::spawn(self.kind, &self.url, &self.log);
                self.since = Instant::now();
            }
            Kind::Dropping => thread::sleep(Duration::from_millis(50)),
        }
        if let Ok(Some(status)) = self.child.try_wait() {
            let said = std::fs::read_to_string(&self.log).unwrap_or_default();
            panic!("the publisher ended: {status}\n{said}");
        }
    }

    fn hold(&self, time: Duration) {
        self.signal(Signal::STOP);
        thread::sleep(time);
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a pid");
        kill_process(pid, signal).expect("the publisher runs");
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The second look.
struct Watch {
    connection: Connection,
    paths: Vec<&'static str>,
    /// The variants as first seen (MV-9, MV-11).
    offered: Option<Vec<String>>,
    /// Segments that were listed a moment ago.
    listed: BTreeSet<String>,
    findings: BTreeSet<String>,
}

impl Watch {
    fn new(server: &Server, paths: Vec<&'static str>) -> Self {
        let connection = Connection::open(server.http).expect("the server listens");
        let (listed, findings) = (BTreeSet::new(), BTreeSet::new());
        Self { connection, paths, offered: None, listed, findings }
    }

    fn look(&mut self) {
        self.look_at_master();
        let paths = self.paths.clone();
        let lists: Vec<(&str, Media)> =
            paths.into_iter().filter_map(|path| Some((path, self.look_at_media(path)?))).collect();
        let borrowed: Vec<(&str, &Media)> =
            lists.iter().map(|(path, list)| (*path, list)).collect();
        self.findings.extend(together(&borrowed));
        for (path, list) in &lists {
            self.look_at_delta(path, list);
            self.look_at_oldest(path, list);
        }
    }

    fn look_at_master(&mut self) {
        let answer = self.connection.get(MASTER);
        if answer.status != 200 {
            self.findings.insert(format!("PL-21: {MASTER} answers {}", answer.status));
            return;
        }
        self.findings.extend(delivery::playlist(MASTER, &answer));
        let playlist = Multivariant::parse(answer.text());
        self.findings.extend(multivariant(&playlist));
        self.findings.extend(strict_multivariant(&playlist));
        let offer: Vec<String> = playlist.variants.iter().map(|v| v.uri.clone()).collect();
        let first = self.offered.get_or_insert_with(|| offer.clone());
        if *first != offer {
            self.findings.insert(format!("MV-9: {first:?} became {offer:?}"));
        }
    }

    fn look_at_media(&mut self, path: &str) -> Option<Media> {
        let answer = self.connection.get(path);
        if answer.status != 200 {
            self.findings.insert(format!("PL-21: {path} answers {}", answer.status));
            return None;
        }
        self.findings.extend(delivery::playlist(path, &answer));
        let offences = text(answer.text());
        let readable = offences.is_empty();
        self.findings.extend(offences);
        readable.then(|| Media::parse(answer.text()))
    }

    /// A delta update is the full playlist with its head replaced (LL-17).
    fn look_at_delta(&mut self, path: &str, before: &Media) {
        let answer = self.connection.get(&format!("{path}?_HLS_skip=YES"));
        if answer.status != 200 {
            self.findings.insert(format!("LL-17: {path} with skip answers {}", answer.status));
            return;
        }
        let delta = Media::parse(answer.text());
        if delta.skipped == 0 {
            return;
        }
        let kept: f64 = delta.segments.iter().map(|segment| segment.duration).sum();
        if kept < 6.0 * delta.target_duration - 0.001 {
            self.findings.insert(format!("LL-17: {path} keeps only {kept:.1} s"));
        }
        for segment in &delta.segments {
            let same = before.segments.iter().find(|same| same.msn == segment.msn);
            let differs = same.is_some_and(|same| same.uri.is_some() && same.uri != segment.uri);
            if differs {
                self.findings.insert(format!("LL-17: segment {} has two names", segment.msn));
            }
        }
    }

    /// What was listed a moment ago can be fetched (PL-12), also when it has just left.
    fn look_at_oldest(&mut self, path: &str, list: &Media) {
        let complete = list.segments.iter().filter(|segment| !segment.gap);
        let uris: BTreeSet<String> =
            complete.filter_map(|s| Some(resolve(path, s.uri.as_ref()?))).collect();
        let folder = path.trim_end_matches("stream.m3u8");
        let left: Vec<String> = self
            .listed
            .iter()
            .filter(|uri| uri.starts_with(folder) && !uris.contains(*uri))
            .cloned()
            .collect();
        let oldest = uris.iter().next().cloned();
        for uri in left.iter().cloned().chain(oldest) {
            let answer = self.connection.get(&uri);
            if answer.status == 200 {
                self.findings.extend(delivery::media(&uri, &answer));
            } else {
                self.findings.insert(format!("PL-12: {uri} answers {}", answer.status));
            }
            self.listed.remove(&uri);
        }
        self.listed.extend(uris);
        let never = format!("{folder}999999999.m4s");
        let status = self.connection.get(&never).status;
        if status != 404 {
            self.findings.insert(format!("LL-11: {never} answers {status}"));
        }
    }
}
