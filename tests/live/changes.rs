//! A publisher that sends another configuration on the same connection while it is on air: each
//! change is one discontinuity, at the same segment of every rendition (AV-6, AA-5, AL-1), nothing
//! is lost on either side of it, and each segment can be decoded alone.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::boxes;
use crate::flv;
use crate::lint;
use crate::player::{Recording, follow_each};
use crate::playlist::Multivariant;
use crate::publish::Publisher;
use crate::server::Server;
use crate::tool::{run_well, scratch};

const LIMIT: Duration = Duration::from_secs(90);
const SOURCE: &str = "/hls/0/stream.m3u8";
const RUNG: &str = "/hls/1/stream.m3u8";
const SOUND: &str = "/hls/audio/stream.m3u8";
/// Sound and pictures begin together within one unit of sound: 1024 samples of 44.1 kHz.
const UNIT: f64 = 0.024;

/// What an unchanged piece of a clip is: nearly six seconds, so that the last group of pictures is
/// not a keyframe alone.
const AS_IT_IS: &[&str] = &["-t", "5.9", "-c", "copy"];

/// Publishes pieces one behind the other; gives what was received of the source, the rung and the
/// sound, in that order.
fn changed(arguments: &[&str], pieces: &[(&str, &[&str])]) -> [Recording; 3] {
    let file = flv::joined(pieces);
    let arguments = [&["--renditions", "source,180p@300"][..], arguments].concat();
    let server = Server::start_with(&arguments);
    let publisher = Publisher::of_file(&file, &server.publish_url());
    let followers = follow_each(&server, &[SOURCE, RUNG, SOUND]);
    publisher.finish(LIMIT);
    let recordings: Vec<_> = followers.into_iter().map(|f| f.wait_end(LIMIT)).collect();
    let recordings: [_; 3] = recordings.try_into().expect("three followers");
    let [source, rung, sound] = &recordings;
    let last = |of: &Recording| of.last.clone().expect("a playlist");
    let breaks = source.discontinuities();
    assert_eq!(breaks.len(), pieces.len() - 1, "{breaks:?}\n{}", server.log());
    for recording in &recordings {
        recording.assert_clean();
        assert_eq!(recording.discontinuities(), breaks, "AL-1");
        let offences = lint::renditions(&last(source), &last(recording));
        assert!(offences.is_empty(), "{offences:#?}");
        let segments = last(recording).segments;
        assert!(segments.iter().all(|segment| !segment.gap), "{segments:#?}");
    }
    assert!(!server.log().contains("is damaged"));
    let playlist = Multivariant::parse(server.get("/hls/stream.m3u8").text());
    let offences = lint::multivariant(&playlist);
    assert!(offences.is_empty(), "{offences:#?}");

    // AL-2: the same pictures at the same times, and sound from the first of them on.
    let sent = shown(source);
    let again = shown(rung);
    assert_eq!(sent.len(), again.len());
    assert!(sent.iter().zip(&again).all(|(a, b)| (a - b).abs() < 1e-4), "{sent:?} {again:?}");
    for msn in std::iter::once(first(source)).chain(breaks) {
        let [pictures, units] = [source, sound].map(|recording| begins(recording, msn));
        assert!((pictures - units).abs() < UNIT, "{msn}: {pictures} s and {units} s");
    }
    recordings
}

fn first(recording: &Recording) -> u64 {
    *recording.segments.keys().next().expect("segments")
}

/// When pictures are shown, in that order.
fn shown(recording: &Recording) -> Vec<f64> {
    let mut times = recording.presentation_times();
    times.sort_by(f64::total_cmp);
    times
}

/// When the first unit of a segment is shown or heard, in seconds.
fn begins(recording: &Recording, msn: u64) -> f64 {
    let segment = &recording.segments[&msn];
    let init = &recording.inits[segment.map.as_ref().expect("a map")];
    let samples = boxes::samples(segment.bytes.as_ref().expect("a whole segment"));
    samples[0].pts as f64 / boxes::timescale(init) as f64
}

/// Decodes each segment by itself behind its init section, and gives what ffprobe finds in each
/// stretch without a discontinuity: `fields` of the stream.
fn decoded(recording: &Recording, fields: &[&str]) -> Vec<Vec<Value>> {
    let file = scratch("segment").join("segment.mp4");
    let mut stretches: Vec<Vec<Value>> = Vec::new();
    for (msn, segment) in &recording.segments {
        let init = &recording.inits[segment.map.as_ref().expect("a map")];
        let bytes = segment.bytes.as_ref().expect("a whole segment");
        std::fs::write(&file, [&init[..], bytes].concat()).expect("the folder is ours");
        let mut command = Command::new("ffprobe");
        command.args(["-v", "error", "-count_frames", "-show_streams", "-of", "json"]);
        let outcome = run_well(command.arg(&file), LIMIT);
        assert!(outcome.stderr.trim().is_empty(), "segment {msn}: {}", outcome.stderr);
        let found: Value = serde_json::from_str(&outcome.stdout).expect("ffprobe writes JSON");
        let stream = &found["streams"][0];
        let samples = boxes::samples(bytes).len().to_string();
        assert_eq!(stream["nb_read_frames"], samples, "segment {msn}");
        let found: Vec<_> = fields.iter().map(|field| stream[*field].clone()).collect();
        match stretches.last() {
            Some(last) if !segment.discontinuity => assert_eq!(*last, found, "segment {msn}"),
            Some(_) | None => stretches.push(found),
        }
    }
    stretches
}

fn values<const N: usize, T: Into<Value>>(rows: Vec<[T; N]>) -> Vec<Vec<Value>> {
    rows.into_iter().map(|row| row.into_iter().map(Into::into).collect()).collect()
}

/// Another profile, then another size and frame rate: rungs of the new pictures begin where the
/// source does, and one that stays as large goes on under the same init section.
#[test]
fn another_profile_and_another_size_on_the_same_connection() {
    let baseline = [
        &["-t", "5.9", "-c:a", "copy", "-c:v", "libx264", "-profile:v", "baseline"][..],
        &["-preset", "ultrafast", "-b:v", "600k", "-g", "50", "-sc_threshold", "0"],
    ]
    .concat();
    let pieces = [("fps25", AS_IT_IS), ("fps25", &baseline[..]), ("key0.5", AS_IT_IS)];
    let [source, rung, sound] = changed(&[], &pieces);
    // Two stretches of 25 pictures a second, one of 30.
    let pictures = shown(&source).len();
    assert!((470..=480).contains(&pictures), "{pictures} pictures");
    let size = ["width", "height"];
    let sizes = |rows: [[u32; 2]; 3]| values(rows.to_vec());
    assert_eq!(decoded(&source, &size), sizes([[640, 360], [640, 360], [640, 272]]));
    assert_eq!(decoded(&rung, &size), sizes([[320, 180], [320, 180], [424, 180]]));
    assert_eq!(decoded(&sound, &["sample_rate"]), values(vec![["48000"]; 3]));
    assert_eq!([&source, &rung, &sound].map(|recording| recording.inits.len()), [3, 2, 1]);
}

const AT_44100: &[&str] = &["-t", "5.9", "-c:v", "copy", "-c:a", "aac", "-ar", "44100"];
const MONO: &[&str] = &["-t", "5.9", "-c:v", "copy", "-c:a", "aac", "-ar", "44100", "-ac", "1"];

/// Another rate, then another count of channels: the sound has another init section, the pictures
/// go on under theirs.
#[test]
fn another_rate_and_other_channels_on_the_same_connection() {
    let pieces = [("fps25", AS_IT_IS), ("fps25", AT_44100), ("fps25", MONO)];
    let [source, rung, sound] = changed(&[], &pieces);
    let mut heard = decoded(&sound, &["sample_rate", "channels"]);
    let channels: Vec<_> = heard.iter_mut().filter_map(Vec::pop).collect();
    assert_eq!(channels, [2, 2, 1]);
    assert_eq!(heard, values(vec![["48000"], ["44100"], ["44100"]]));
    decoded(&rung, &[]);
    assert_eq!([&source, &rung, &sound].map(|recording| recording.inits.len()), [1, 1, 3]);
}

/// Sound that is coded anew follows its source from the discontinuity on.
#[test]
fn sound_that_is_coded_anew_goes_on_over_a_change() {
    let pieces = [("fps25", AS_IT_IS), ("fps25", AT_44100)];
    let [.., sound] = changed(&["--audio-passthrough", "off"], &pieces);
    assert_eq!(decoded(&sound, &["sample_rate"]), values(vec![["48000"], ["44100"]]));
    let times = sound.presentation_times();
    // New sound waits for the next keyframe. Silence stands in for it from half a second on (AA-7),
    // so up to that much is missing in front of the discontinuity.
    let hole = times.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max);
    assert!(hole < 0.5, "a hole of {hole} s");
}
