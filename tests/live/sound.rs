//! Sound that some browsers cannot play is mixed and coded anew, and so is all other where the
//! operator sets it; it stays with the pictures. In the clips a white picture and a click begin
//! together at every whole second; one is 5.1, the other stereo with a little noise.

use std::time::Duration;

use serde_json::Value;

use crate::boxes;
use crate::browser::{Browser, number};
use crate::flv;
use crate::frames::Tracks;
use crate::lint;
use crate::player::{Recording, follow_all, wait_segments};
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
/// How far the bit rate of sound may stand from the one set.
const RATE_OFF_MAX: f64 = 0.05;

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
    assert_in_sync(&recordings[0], &clicks);
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

/// Each white picture has its click.
fn assert_in_sync(pictures: &Recording, clicks: &[f64]) {
    let mut pictures = pictures.presentation_times();
    pictures.sort_by(f64::total_cmp);
    // The first click is at the very start, where nothing is silent before it.
    let flashes: Vec<f64> = pictures.into_iter().step_by(RATE).skip(1).collect();
    assert!(flashes.len() >= 10, "{flashes:?}");
    for flash in flashes {
        let apart = clicks.iter().map(|click| (click - flash).abs()).fold(f64::MAX, f64::min);
        assert!(apart < APART_MAX, "no click near {flash:.3} s: {clicks:?}");
    }
}

/// Bits per second of the units in the segments between the first and the last.
fn bitrate(recording: &Recording) -> f64 {
    let (first, last) = (recording.segments.keys().next(), recording.segments.keys().last());
    let inner = recording.segments.iter().filter(|(msn, _)| ![first, last].contains(&Some(*msn)));
    let (mut bytes, mut seconds) = (0, 0.0);
    for (_, segment) in inner {
        let scale = boxes::timescale(&recording.inits[segment.map.as_ref().expect("a map")]);
        for sample in boxes::samples(segment.bytes.as_ref().expect("a whole segment")) {
            bytes += sample.size;
            seconds += sample.duration as f64 / scale as f64;
        }
    }
    assert!(seconds > 5.0, "{seconds} s");
    f64::from(bytes) * 8.0 / seconds
}

/// Stereo that every player would take is coded anew where the operator says so: at the rate that
/// was set, mono at half of it, as the playlist announces, and with its pictures.
#[test]
fn sound_without_passthrough_has_the_bit_rate_that_was_set() {
    for (clip, options, set, wanted) in
        [("clicks", ["-ac", "2"], "64", 64_000.0), ("clicks", ["-ac", "1"], "96", 48_000.0)]
    {
        let options = [&["-c:v", "copy", "-c:a", "aac"][..], &options[..]].concat();
        let file = flv::joined(&[(clip, &options[..])]);
        let server = Server::start_with(&["--audio-passthrough", "off", "--audio-bitrate", set]);
        let publisher = Publisher::of_file(&file, &server.publish_url());
        let tracks = Tracks { video: true, audio: true };
        let followers = follow_all(&server, tracks);
        wait_segments(&server, tracks, 1);
        let clicks = clicks(&server.url("/hls/audio/stream.m3u8"));
        publisher.finish(LIMIT);
        let recordings: Vec<_> =
            followers.into_iter().map(|follower| follower.wait_end(LIMIT)).collect();
        recordings.iter().for_each(Recording::assert_clean);
        assert_in_sync(&recordings[0], &clicks);
        let coded = bitrate(&recordings[1]);
        assert!((coded / wanted - 1.0).abs() < RATE_OFF_MAX, "{coded} bit/s, {wanted} were set");
        let playlist = Multivariant::parse(server.get("/hls/stream.m3u8").text());
        let alone = &playlist.variants.last().expect("sound alone").attributes;
        assert_eq!(alone["CODECS"], "mp4a.40.2");
        let told: f64 = alone["AVERAGE-BANDWIDTH"].parse().expect("bits per second");
        // Boxes around the parts come on top (MV-1).
        assert!((wanted..wanted * 1.35).contains(&told), "{told} is told of {wanted}");
        assert!(server.log().contains("the sound is coded anew"));
    }
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
