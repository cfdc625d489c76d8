//! Encoded renditions of real footage: every picture at its time in each of them, segments that
//! begin together, and a rendition whose encoder misbehaves alone (F7).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::lint;
use crate::player::{Follower, Recording, follow_each};
use crate::playlist::{Media, Multivariant, Segment};
use crate::publish::{Pace, Program, Publisher, clip};
use crate::quality::vmaf;
use crate::server::Server;
use crate::tool::{scratch, wait_for};

const LIMIT: Duration = Duration::from_secs(120);
const SOURCE: &str = "/hls/0/stream.m3u8";
const UPPER: &str = "/hls/1/stream.m3u8";
const LOWER: &str = "/hls/2/stream.m3u8";
const SOUND: &str = "/hls/audio/stream.m3u8";

/// Publishes a clip under a ladder; gives the server, whose playlists have ended, and what was
/// received of the source and of both rungs.
fn published(name: &str, renditions: &str) -> (Server, [Recording; 3]) {
    let server = Server::start_with(&["--renditions", renditions]);
    let publisher = Publisher::start(Program::Ffmpeg, name, Pace::Live, &server.publish_url());
    let followers = follow_each(&server, &[SOURCE, UPPER, LOWER, SOUND]);
    let still = wait_for("a thumbnail", LIMIT, || {
        let still = server.get("/thumbnail.jpg");
        (still.header("content-type") == Some("image/jpeg")).then_some(still)
    });
    assert!(still.body.starts_with(&[0xFF, 0xD8, 0xFF]), "a JPEG of {} bytes", still.body.len());
    assert!(server.get("/preview.gif").body.starts_with(b"GIF89a"));
    publisher.finish(LIMIT);
    let mut recordings = followers.into_iter().map(|follower| follower.wait_end(LIMIT));
    let mut next = || recordings.next().expect("four followers");
    let videos = [next(), next(), next()];
    let sound = next();
    for recording in videos.iter().chain([&sound]) {
        recording.assert_clean();
        assert!(recording.discontinuities().is_empty(), "{:?}", recording.discontinuities());
        let pair = |of: &Recording| of.last.clone().expect("a playlist");
        let offences = lint::renditions(&pair(&videos[0]), &pair(recording));
        assert!(offences.is_empty(), "{offences:#?}");
    }
    assert!(!server.log().contains("is damaged"));
    (server, videos)
}

/// When pictures are shown, in that order.
fn shown(recording: &Recording) -> Vec<f64> {
    let mut times = recording.presentation_times();
    times.sort_by(f64::total_cmp);
    times
}

fn assert_equal_times(left: &[f64], right: &[f64]) {
    assert_eq!(left.len(), right.len());
    for (a, b) in left.iter().zip(right) {
        assert!((a - b).abs() < 1e-4, "{a} and {b}");
    }
}

/// Where segments begin, by number.
fn starts(recording: &Recording) -> Vec<(u64, i64)> {
    let segments = recording.segments.iter();
    segments.filter_map(|(msn, segment)| Some((*msn, segment.date?))).collect()
}

/// The least VMAF against the source of the upper and the lower rung.
fn shows_every_picture(name: &str, renditions: &str, floors: [f64; 2]) -> Multivariant {
    let (server, [source, upper, lower]) = published(name, renditions);
    let sent = shown(&source);
    assert!(sent.len() > 150, "only {} pictures", sent.len());
    for rung in [&upper, &lower] {
        // AL-2: the same picture at the same time.
        assert_equal_times(&sent, &shown(rung));
        // AL-3: the same boundaries.
        assert_eq!(starts(&source), starts(rung));
    }
    for (path, floor) in [UPPER, LOWER].into_iter().zip(floors) {
        let quality = vmaf(&server.url(path), &clip(name));
        eprintln!("{name} {path}: VMAF {quality:.1}");
        assert!(quality > floor, "VMAF of {path} is {quality:.1}, at least {floor} is expected");
    }
    let playlist = Multivariant::parse(server.get("/hls/stream.m3u8").text());
    let offences = lint::multivariant(&playlist);
    assert!(offences.is_empty(), "{offences:#?}");
    assert_eq!(playlist.variants.len(), 4, "three of pictures, one of sound alone");
    playlist
}

#[test]
fn animation_at_25() {
    shows_every_picture("fps25", "source,270p@900,180p@400", [80.0, 50.0]);
}

/// AV1 under the same rules: its pictures come later, but at their times, and behind all H.264.
#[test]
fn animation_at_25_in_av1_too() {
    let playlist = shows_every_picture("fps25", "source,180p@150:av1,180p@400", [30.0, 50.0]);
    let codecs = playlist.variants.iter().filter_map(|v| v.attributes.get("CODECS"));
    let families: Vec<_> = codecs.map(|codecs| codecs.split('.').next()).collect();
    assert_eq!(families, ["avc1", "avc1", "av01", "mp4a"].map(Some));
}

#[test]
fn footage_at_29_97() {
    shows_every_picture("fps2997", "source,272p@900,136p@300", [70.0, 25.0]);
}

/// Every second picture of 60, with the boundaries of all.
#[test]
fn half_the_frame_rate() {
    let (_server, [source, upper, lower]) = published("fps60", "source,180p@500,180p@300/30");
    let sent = shown(&source);
    assert_equal_times(&sent, &shown(&upper));
    let halved = shown(&lower);
    let wanted: Vec<_> = sent.iter().copied().step_by(2).collect();
    assert_equal_times(&wanted, &halved);
    assert_eq!(starts(&source), starts(&lower));
}

/// The source is not on offer, but still decides where segments begin.
#[test]
fn encoded_renditions_without_the_source() {
    let server = Server::start_with(&["--renditions", "270p@900,180p@400"]);
    let publisher = Publisher::start(Program::Ffmpeg, "fps25", Pace::Live, &server.publish_url());
    let followers = follow_each(&server, &[SOURCE, UPPER, SOUND]);
    publisher.finish(LIMIT);
    let recordings: Vec<_> =
        followers.into_iter().map(|follower| follower.wait_end(LIMIT)).collect();
    recordings.iter().for_each(Recording::assert_clean);
    assert!(shown(&recordings[0]).len() > 150);
    assert_equal_times(&shown(&recordings[0]), &shown(&recordings[1]));
    assert_eq!(starts(&recordings[0]), starts(&recordings[1]));
    let playlist = Multivariant::parse(server.get("/hls/stream.m3u8").text());
    let sizes: Vec<_> =
        playlist.variants.iter().filter_map(|v| v.attributes.get("RESOLUTION")).collect();
    assert_eq!(sizes, ["480x270", "320x180"]);
}

/// A server that runs 15 of every 100 ms, on two cores about 30 % of one.
struct Throttled(Arc<AtomicBool>, Option<JoinHandle<()>>);

impl Throttled {
    fn start(server: &Server) -> Self {
        const RUNS: Duration = Duration::from_millis(15);
        const STANDS: Duration = Duration::from_millis(85);
        let pid = i32::try_from(server.pid()).ok().and_then(Pid::from_raw).expect("a pid");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                kill_process(pid, Signal::STOP).expect("the server runs");
                thread::sleep(STANDS);
                kill_process(pid, Signal::CONT).expect("the server runs");
                thread::sleep(RUNS);
            }
        });
        Self(stop, Some(thread))
    }
}

impl Drop for Throttled {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        let _ = self.1.take().map(JoinHandle::join);
    }
}

/// A minute with a third of a core: those who watch the source see no stall, the rungs give way and
/// come back by themselves, and the log tells it (F6).
#[test]
fn f6_a_starved_ladder_costs_viewers_of_the_source_nothing() {
    const STARVED: Duration = Duration::from_secs(60);
    /// What players have in store at least (PART-HOLD-BACK).
    const STORE: Duration = Duration::from_millis(1_000);
    let server = Server::start_with(&["--renditions", "source,480p@1000:4,360p@600:4"]);
    let _publisher = Publisher::looped("long", &server.publish_url());
    let followers = follow_each(&server, &[SOURCE, SOUND]);
    wait_for("the rungs", LIMIT, || (server.get(LOWER).status == 200).then_some(()));
    {
        let _throttled = Throttled::start(&server);
        thread::sleep(STARVED);
    }
    wait_for("the rungs to catch up", LIMIT, || {
        let edge = |path| Media::parse(server.get(path).text()).edge();
        let (msn, _) = edge(SOURCE);
        let caught_up = [UPPER, LOWER].iter().all(|path| {
            let list = Media::parse(server.get(path).text());
            let whole = list.segments.iter().rev().skip(1).take(2).all(|segment| !segment.gap);
            whole && list.edge().0 + 1 >= msn
        });
        caught_up.then_some(())
    });
    let log = server.log();
    assert!(log.contains("is too slow") || log.contains("slower than real time"), "{log}");
    for recording in followers.into_iter().map(Follower::stop) {
        recording.assert_clean();
        let late = recording.worst_lateness();
        assert!(late < STORE, "a part came {late:?} late");
        let last = recording.last.expect("a playlist");
        assert!(last.segments.iter().all(|segment| !segment.gap), "gaps in the source");
    }
}

/// An encoder that hangs for five seconds, fails, or panics: its own rendition blinks, the others
/// feel nothing, and it is back with the next segments (F7).
#[test]
fn f7_an_encoder_that_misbehaves_harms_no_other() {
    for fault in ["panic", "fail", "hang"] {
        let trigger = scratch("fault").join("order");
        let path = trigger.to_string_lossy().into_owned();
        let server = Server::start_with_environment(
            &["--renditions", "source,180p@300,90p@100"],
            &[("RIVER_FAULT", &path)],
        );
        let _publisher = Publisher::looped("long", &server.publish_url());
        let followers = follow_each(&server, &[SOURCE, LOWER, SOUND]);
        wait_for("the upper rung", LIMIT, || (server.get(UPPER).status == 200).then_some(()));
        let before = Media::parse(server.get(UPPER).text()).edge().0;
        std::fs::write(&trigger, format!("1:{fault}")).expect("the folder is ours");
        wait_for("the encoder to be made anew", LIMIT, || {
            server.log().contains("the encoder was made anew").then_some(())
        });
        let made_at = Media::parse(server.get(SOURCE).text()).edge().0;
        wait_for("pictures of the new encoder", LIMIT, || {
            let list = Media::parse(server.get(UPPER).text());
            let complete = |segment: &Segment| !segment.gap && segment.duration > 0.0;
            list.segments.iter().any(|s| s.msn > made_at && complete(s)).then_some(())
        });
        let list = Media::parse(server.get(UPPER).text());
        let gaps = list.segments.iter().filter(|segment| segment.gap && segment.msn >= before);
        assert!(gaps.count() <= 5, "{fault}: {}", server.get(UPPER).text());
        for recording in followers.into_iter().map(Follower::stop) {
            recording.assert_clean();
            let last = recording.last.clone().expect("a playlist");
            assert!(last.segments.iter().all(|segment| !segment.gap), "{fault} was felt elsewhere");
        }
    }
}

/// The decoder of all rungs: they have a gap until it is made anew, the source has none (F7).
#[test]
fn f7_a_decoder_that_panics_or_hangs_is_made_anew() {
    for fault in ["decode:panic", "decode:hang"] {
        let trigger = scratch("fault").join("order");
        let path = trigger.to_string_lossy().into_owned();
        let server = Server::start_with_environment(
            &["--renditions", "source,180p@300"],
            &[("RIVER_FAULT", &path)],
        );
        let _publisher = Publisher::looped("long", &server.publish_url());
        let followers = follow_each(&server, &[SOURCE, SOUND]);
        wait_for("the rung", LIMIT, || (server.get(UPPER).status == 200).then_some(()));
        std::fs::write(&trigger, fault).expect("the folder is ours");
        wait_for("the fault", LIMIT, || (!trigger.exists()).then_some(()));
        let struck_at = Media::parse(server.get(SOURCE).text()).edge().0;
        wait_for("pictures after the fault", LIMIT, || {
            let list = Media::parse(server.get(UPPER).text());
            let whole = |s: &Segment| s.msn > struck_at + 1 && !s.gap && s.duration > 0.0;
            list.segments.iter().any(whole).then_some(())
        });
        for recording in followers.into_iter().map(Follower::stop) {
            recording.assert_clean();
            let last = recording.last.clone().expect("a playlist");
            assert!(last.segments.iter().all(|segment| !segment.gap), "{fault} was felt elsewhere");
        }
    }
}
