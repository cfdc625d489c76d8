//! Players and parsers we did not write read every kind of stream while it is live: ffprobe,
//! GStreamer with both of its HLS demuxers, mpv, streamlink, and m3u8 parsers of three ecosystems.

use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::frames::{Frames, Tracks};
use crate::player::{media_playlists, wait_segments};
use crate::playlist::{Media, Multivariant};
use crate::publish::{Pace, Program, Publisher, clip};
use crate::server::Server;
use crate::tool::{node, python, run, run_well, scratch, wait_for};

/// Start-up of a player, a few segments at the speed they play, and a slow machine.
const LIMIT: Duration = Duration::from_secs(90);

fn is_read_by_all(name: &str) {
    let tracks = Tracks::of(name);
    let server = Server::start();
    let _publisher = Publisher::looped(name, &server.publish_url());
    server.wait_live();
    // Players that know no parts start three target durations back.
    wait_segments(&server, tracks, 4);
    let url = server.url("/hls/stream.m3u8");
    thread::scope(|scope| {
        // Where sync pictures are rare a player joins between them; decoders say so.
        scope.spawn(|| ffprobe(&url, tracks, name != "key8"));
        scope.spawn(|| gstreamer("playbin", &url, tracks));
        scope.spawn(|| gstreamer("playbin3", &url, tracks));
        scope.spawn(|| mpv(&url, tracks));
        scope.spawn(|| parsers(&server, tracks));
    });
}

fn ffprobe(url: &str, tracks: Tracks, clean: bool) {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-show_streams", "-of", "json", url]);
    let outcome = run_well(&mut command, LIMIT);
    assert!(!clean || outcome.stderr.trim().is_empty(), "ffprobe complains: {}", outcome.stderr);
    let found: Value = serde_json::from_str(&outcome.stdout).expect("ffprobe writes JSON");
    let streams = found["streams"].as_array().expect("streams");
    let codec = |name: &str| streams.iter().find(|stream| stream["codec_name"] == name);
    assert_eq!(codec("h264").is_some(), tracks.video, "{streams:#?}");
    assert_eq!(codec("aac").is_some(), tracks.audio, "{streams:#?}");
    if let Some(video) = codec("h264") {
        assert_eq!(video["profile"], "High");
        assert_eq!(video["has_b_frames"], 2);
        assert_eq!(video["width"], 640);
    }
    if let Some(audio) = codec("aac") {
        assert_eq!(audio["profile"], "LC");
        assert_eq!(audio["channels"], 2);
    }
}

/// `playbin` brings hlsdemux, `playbin3` hlsdemux2. Both must hand decoded pictures and sound to
/// their sinks, for as long as they are let: a live playlist has no end to wait for. hlsdemux takes
/// the media's own times for running time and would wait the ten seconds that every timeline starts
/// with (CM-10), so it is let run longer.
fn gstreamer(element: &str, url: &str, tracks: Tracks) {
    let seconds = if element == "playbin" { "24" } else { "12" };
    let sink = |name: &str| format!("fakesink name={name} silent=false sync=true");
    let mut command = Command::new("timeout");
    command.args(["-s", "INT", seconds, "gst-launch-1.0", "-v", element]);
    command.args([&format!("uri={url}"), "flags=video+audio"]);
    command.arg(format!("video-sink={}", sink("pictures")));
    command.arg(format!("audio-sink={}", sink("sounds")));
    let outcome = run(&mut command, LIMIT);
    let errors = outcome.stderr.contains("ERROR") || outcome.stdout.contains("ERROR");
    assert!(!errors, "{element}: {}\n{}", outcome.stderr, outcome.stdout);
    for (name, wanted) in [("pictures", tracks.video), ("sounds", tracks.audio)] {
        let mark = format!("{name}: last-message = chain");
        let count = outcome.stdout.matches(&mark).count();
        assert_eq!(count >= 60, wanted, "{element} handed {count} buffers to {name}");
    }
}

fn mpv(url: &str, tracks: Tracks) {
    let mut command = Command::new("mpv");
    command.args(["--no-config", "--vo=null", "--ao=null", "--length=4", "--msg-level=all=warn"]);
    command.arg(url);
    let outcome = run_well(&mut command, LIMIT);
    let said = format!("{}{}", outcome.stdout, outcome.stderr).to_lowercase();
    assert!(!said.contains("error"), "mpv ({tracks:?}): {said}");
    assert!(outcome.took > Duration::from_secs(3), "mpv played only {:?}: {said}", outcome.took);
}

/// The three parsers, and our own reader, understand the same of every playlist.
fn parsers(server: &Server, tracks: Tracks) {
    for path in std::iter::once("/hls/stream.m3u8").chain(media_playlists(tracks)) {
        let text = server.get(path).text().to_owned();
        let ours = if path == "/hls/stream.m3u8" {
            multivariant_as_json(&Multivariant::parse(&text))
        } else {
            media_as_json(&Media::parse(&text))
        };
        let by_python = parse_with(python().arg("tests/tools/parse_m3u8.py"), &text);
        let by_node = parse_with(&mut node("parse_m3u8.mjs"), &text);
        assert_eq!(by_python, ours, "Python's m3u8 on {path}:\n{text}");
        assert_eq!(by_node, ours, "m3u8-parser on {path}:\n{text}");
        by_rust(&text, &ours);
    }
}

fn parse_with(command: &mut Command, text: &str) -> Value {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("run tests/tools/setup.sh");
    child.stdin.take().expect("piped").write_all(text.as_bytes()).expect("the parser reads");
    let out = child.wait_with_output().expect("a child of ours");
    assert!(out.status.success(), "{command:?} failed on\n{text}");
    round(serde_json::from_slice(&out.stdout).expect("the parser writes JSON"))
}

/// m3u8-rs knows no parts; all else must agree.
fn by_rust(text: &str, ours: &Value) {
    match m3u8_rs::parse_playlist_res(text.as_bytes()).expect("m3u8-rs reads it") {
        m3u8_rs::Playlist::MasterPlaylist(playlist) => {
            let variants: Vec<Value> = playlist
                .variants
                .iter()
                .map(|variant| json!([variant.uri, variant.bandwidth, variant.codecs]))
                .collect();
            let audio: Vec<Value> =
                playlist.alternatives.iter().map(|media| json!(media.uri)).collect();
            assert_eq!(round(json!(variants)), ours["variants"], "m3u8-rs:\n{text}");
            assert_eq!(json!(audio), ours["audio"], "m3u8-rs:\n{text}");
        }
        m3u8_rs::Playlist::MediaPlaylist(playlist) => {
            let segments: Vec<Value> = playlist
                .segments
                .iter()
                .map(|segment| json!([segment.uri, f64::from(segment.duration)]))
                .collect();
            assert_eq!(round(json!(segments)), ours["segments"], "m3u8-rs:\n{text}");
            assert_eq!(round(json!(playlist.media_sequence)), ours["msn"]);
            assert_eq!(round(json!(playlist.target_duration)), ours["target"]);
            assert_eq!(json!(playlist.end_list), ours["ended"]);
            let dated = playlist.segments.iter().all(|one| one.program_date_time.is_some());
            assert!(dated, "m3u8-rs reads every date:\n{text}");
        }
    }
}

fn media_as_json(playlist: &Media) -> Value {
    let complete = playlist.segments.iter().filter(|segment| segment.uri.is_some());
    let parts = playlist.segments.iter().flat_map(|segment| &segment.parts);
    round(json!({
        "target": playlist.target_duration,
        "msn": playlist.media_sequence,
        "ended": playlist.ended,
        "segments": complete.map(|one| json!([one.uri, one.duration])).collect::<Vec<_>>(),
        "parts": parts.map(|one| json!([one.uri, one.duration])).collect::<Vec<_>>(),
        "variants": [],
        "audio": [],
    }))
}

fn multivariant_as_json(playlist: &Multivariant) -> Value {
    let variants: Vec<Value> = playlist
        .variants
        .iter()
        .map(|variant| {
            let bandwidth: u64 = variant.attributes["BANDWIDTH"].parse().expect("a number");
            json!([variant.uri, bandwidth, variant.attributes["CODECS"]])
        })
        .collect();
    let audio: Vec<Value> =
        playlist.renditions.iter().map(|rendition| json!(rendition.get("URI"))).collect();
    round(json!({
        "target": null, "msn": null, "ended": false, "segments": [], "parts": [],
        "variants": variants, "audio": audio,
    }))
}

/// Numbers to the microsecond, so that 2 is 2.0 and a 32-bit float is what it was written as.
fn round(value: Value) -> Value {
    match value {
        Value::Number(number) => {
            let micros = number.as_f64().map(|number| (number * 1e6).round() as i64);
            json!(micros)
        }
        Value::Array(items) => items.into_iter().map(round).collect(),
        Value::Object(items) => items.into_iter().map(|(key, item)| (key, round(item))).collect(),
        other => other,
    }
}

/// streamlink records a broadcast whose publisher vanishes for some seconds and comes back with the
/// same clip from its beginning. Pictures carry their numbers, so their hashes tell which they are.
#[test]
fn streamlink_follows_a_discontinuity() {
    let server = Server::start();
    let (url, tracks) = (server.publish_url(), Tracks::of("fps25"));
    let publisher = Publisher::start(Program::Ffmpeg, "fps25", Pace::Live, &url);
    wait_segments(&server, tracks, 2);
    let folder = scratch("streamlink");
    let file = folder.join("recorded.ts");
    let mut streamlink = python();
    streamlink.args(["-m", "streamlink", "--no-config", "--loglevel", "warning"]);
    streamlink.args(["--hls-live-edge", "99", "--force", "--output"]).arg(&file);
    streamlink.args([&format!("hls://{}", server.url("/hls/stream.m3u8")), "best"]);
    thread::scope(|scope| {
        let recorder = scope.spawn(|| run_well(&mut streamlink, LIMIT));
        wait_for("streamlink records", LIMIT, || {
            std::fs::metadata(&file).is_ok_and(|file| file.len() > 0).then_some(())
        });
        publisher.kill();
        let gone = Instant::now();
        while gone.elapsed() < Duration::from_secs(3) {
            assert!(!server.get("/hls/0/stream.m3u8").text().contains("#EXT-X-ENDLIST"));
            thread::sleep(Duration::from_millis(200));
        }
        Publisher::start(Program::Ffmpeg, "fps25", Pace::Live, &url).finish(LIMIT);
        recorder.join().expect("streamlink ends with the broadcast");
    });
    let sent = Frames::read(&clip("fps25").to_string_lossy(), tracks, LIMIT);
    let recorded = Frames::read(&file.to_string_lossy(), tracks, LIMIT);
    let _ = std::fs::remove_dir_all(folder);
    let sent = sent.pictures();
    let number = |hash: &&str| sent.iter().position(|sent| sent == hash);
    let numbers: Option<Vec<usize>> = recorded.pictures().iter().map(number).collect();
    let numbers = numbers.expect("every picture was sent");
    let again = numbers.iter().rposition(|number| *number == 0).expect("a first picture");
    let (before, after) = numbers.split_at(again);
    assert!(before.len() > 75, "only {} pictures from before", before.len());
    assert!(before.is_sorted_by(|a, b| a < b) && before[0] == 0, "{before:?}");
    assert!(after.iter().copied().eq(0..sent.len()), "all pictures after: {after:?}");
    let (pictures, sounds) = recorded.counts();
    let expected = pictures * 48_000 / 1_024 / 25;
    assert!(sounds.abs_diff(expected) < 20, "{sounds} units of sound for {pictures} pictures");
}

macro_rules! streams {
    ($($test:ident: $clip:literal;)*) => {
        $(#[test]
        fn $test() {
            is_read_by_all($clip);
        })*
    };
}

streams! {
    h264_25: "fps25";
    h264_2997: "fps2997";
    h264_60: "fps60";
    sync_every_half_second: "key0.5";
    sync_every_eight_seconds: "key8";
    audio_only: "audio-only";
    video_only: "video-only";
}
