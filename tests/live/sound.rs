//! Sound that some browsers cannot play is mixed and coded anew, and stays with the pictures. The
//! clip is 5.1; a white picture and a click begin together at every whole second.

use std::time::Duration;

use serde_json::Value;

use crate::browser::{Browser, number};
use crate::frames::Tracks;
use crate::lint;
use crate::player::{follow_all, wait_segments};
use crate::playlist::Multivariant;
use crate::publish::{Pace, Program, Publisher};
use crate::server::Server;
use crate::tool::{ffmpeg, run_well};

const CLIP: &str = "surround";
/// Far longer than the clip.
const LIMIT: Duration = Duration::from_secs(60);
/// Pictures a second in the clip, the first of each white.
const RATE: usize = 25;
/// How far a click may be heard from its white picture, in seconds.
const APART_MAX: f64 = 0.02;

#[test]
fn surround_comes_back_as_stereo_in_sync() {
    let tracks = Tracks::of(CLIP);
    let server = Server::start();
    let publisher = Publisher::start(Program::Ffmpeg, CLIP, Pace::Live, &server.publish_url());
    let followers = follow_all(&server, tracks);
    wait_segments(&server, tracks, 1);
    let clicks = clicks(&server.url("/hls/audio/stream.m3u8"));
    publisher.finish(LIMIT);
    let recordings: Vec<_> =
        followers.into_iter().map(|follower| follower.wait_end(LIMIT)).collect();
    for recording in &recordings {
        recording.assert_clean();
        assert!(recording.discontinuities().is_empty(), "{:?}", recording.discontinuities());
    }
    let mut pictures = recordings[0].presentation_times();
    pictures.sort_by(f64::total_cmp);
    // The first click is at the very start, where nothing is silent before it.
    let flashes: Vec<f64> = pictures.into_iter().step_by(RATE).skip(1).collect();
    assert!(flashes.len() >= 10, "{flashes:?}");
    for flash in flashes {
        let apart = clicks.iter().map(|click| (click - flash).abs()).fold(f64::MAX, f64::min);
        assert!(apart < APART_MAX, "no click near {flash:.3} s: {clicks:?}");
    }

    let playlist = Multivariant::parse(server.get("/hls/stream.m3u8").text());
    let offences = lint::multivariant(&playlist);
    assert!(offences.is_empty(), "{offences:#?}");
    let codecs = &playlist.variants[0].attributes["CODECS"];
    assert!(codecs.starts_with("avc1.") && codecs.ends_with(",mp4a.40.2"), "{codecs}");
    let mut command = std::process::Command::new("ffprobe");
    command.args(["-v", "error", "-select_streams", "a", "-show_streams", "-of", "json"]);
    let outcome = run_well(command.arg(server.url("/hls/stream.m3u8")), LIMIT);
    assert!(outcome.stderr.trim().is_empty(), "ffprobe complains: {}", outcome.stderr);
    let found: Value = serde_json::from_str(&outcome.stdout).expect("ffprobe writes JSON");
    let sound = &found["streams"][0];
    assert_eq!(
        (&sound["codec_name"], &sound["profile"], &sound["channels"], &sound["sample_rate"]),
        (&"aac".into(), &"LC".into(), &2.into(), &"48000".into()),
        "{sound}"
    );
    assert!(server.log().contains("it is mixed to stereo"), "the streamer is told");
}

/// When silence ends in what `url` plays from its first segment on, in seconds of its timeline.
fn clicks(url: &str) -> Vec<f64> {
    let mut command = ffmpeg();
    command.args(["-v", "info", "-nostats", "-copyts", "-live_start_index", "0", "-i", url]);
    command.args(["-af", "silencedetect=n=-26dB:d=0.1", "-f", "null", "-"]);
    let outcome = run_well(&mut command, LIMIT);
    outcome
        .stderr
        .lines()
        .filter_map(|line| line.split_once("silence_end: ")?.1.split(' ').next()?.parse().ok())
        .collect()
}

#[test]
fn surround_plays_in_a_browser() {
    let server = Server::start();
    let _publisher = Publisher::looped(CLIP, &server.publish_url());
    let mut browser = Browser::open(&server.url("/"), false);
    let first = browser.wait_playing();
    let from = number(&first, "time");
    browser.wait("eight seconds of it", LIMIT, |facts| number(facts, "time") > from + 8.0);
    browser.assert_no_problems();
}
