//! Frame hashes (ffmpeg's `framemd5`) of what was sent and of what comes back, and their
//! comparison.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::tool::{ffmpeg, run_well, scratch};

/// Which tracks a clip has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tracks {
    pub(crate) video: bool,
    pub(crate) audio: bool,
}

impl Tracks {
    /// The tracks of a clip of `tests/tools/footage.sh`.
    pub(crate) fn of(name: &str) -> Self {
        Self { video: name != "audio-only", audio: name != "video-only" }
    }
}

/// One packet or picture.
#[derive(Debug, Clone, PartialEq)]
struct Frame {
    pts: f64,
    hash: String,
}

/// All hashes of one stream.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// Coded pictures in decode order.
    coded_video: Vec<Frame>,
    /// Decoded pictures in display order.
    pictures: Vec<Frame>,
    /// Coded units of sound.
    coded_audio: Vec<Frame>,
}

impl Frames {
    /// Reads `input` (a file or an address) to its end; a live playlist is read from its first
    /// segment.
    pub(crate) fn read(input: &str, tracks: Tracks, limit: Duration) -> Self {
        Self::read_with(ffmpeg(), input, tracks, limit)
    }

    /// The same with another ffmpeg.
    pub(crate) fn read_with(
        mut command: Command,
        input: &str,
        tracks: Tracks,
        limit: Duration,
    ) -> Self {
        let folder = scratch("frames");
        command.arg("-copyts");
        if input.contains(".m3u8") {
            command.args(["-live_start_index", "0"]);
        }
        command.args(["-i", input]);
        let file = |name: &str| folder.join(name);
        let hashes = ["-avoid_negative_ts", "disabled", "-f", "framemd5"];
        if tracks.video {
            command.args(["-map", "0:v:0", "-c", "copy"]).args(hashes).arg(file("coded_video"));
            command.args(["-map", "0:v:0", "-fps_mode", "passthrough"]);
            command.args(hashes).arg(file("pictures"));
        }
        if tracks.audio {
            command.args(["-map", "0:a:0", "-c", "copy"]).args(hashes).arg(file("coded_audio"));
        }
        let outcome = run_well(&mut command, limit);
        assert!(outcome.stderr.trim().is_empty(), "ffmpeg complains: {}", outcome.stderr);
        let mut frames = Self::default();
        if tracks.video {
            frames.coded_video = parse(&file("coded_video"));
            frames.pictures = parse(&file("pictures"));
        }
        if tracks.audio {
            frames.coded_audio = parse(&file("coded_audio"));
        }
        let _ = std::fs::remove_dir_all(folder);
        frames
    }

    /// Drops the units of sound that begin before the first picture: a broadcast with pictures
    /// begins with one, and sound nobody can see the picture to is not sent on.
    pub(crate) fn after_the_first_picture(mut self) -> Self {
        let shown = self.coded_video.iter().map(|picture| picture.pts);
        let first = shown.fold(f64::INFINITY, f64::min);
        if first.is_finite() {
            // Half a millisecond: RTMP's times are whole ones.
            self.coded_audio.retain(|frame| frame.pts > first - 0.0005);
        }
        self
    }

    /// Panics unless `received` holds exactly the same frames in the same order.
    pub(crate) fn assert_same(&self, received: &Self) {
        same_hashes("coded pictures", &self.coded_video, &received.coded_video);
        same_hashes("decoded pictures", &self.pictures, &received.pictures);
        same_hashes("units of sound", &self.coded_audio, &received.coded_audio);
    }

    /// Panics unless the times in seconds at which coded pictures and units of sound were received,
    /// in the order they were sent, are those of these frames, all moved by the same span.
    /// `audio_drift` is how far in seconds a unit of sound may stand from its message time (TS-5:
    /// audio counts samples, RTMP counts whole milliseconds).
    pub(crate) fn assert_times(&self, pictures: &[f64], sounds: &[f64], audio_drift: f64) {
        let zero = self.coded_video.first().or_else(|| self.coded_audio.first());
        let zero = zero.expect("a track").pts;
        let origin = *pictures.first().or_else(|| sounds.first()).expect("a track");
        for (what, sent, got, drift) in [
            ("coded picture", &self.coded_video, pictures, 0.002),
            ("unit of sound", &self.coded_audio, sounds, audio_drift),
        ] {
            assert_eq!(sent.len(), got.len(), "{what}s");
            for (index, (sent, got)) in sent.iter().zip(got).enumerate() {
                let off = (got - origin) - (sent.pts - zero);
                assert!(
                    off.abs() <= drift,
                    "{what} {index} stands {off:+.4} s off: sent at {:.4}, received at {:.4}, \
                     counted from the first",
                    sent.pts - zero,
                    got - origin,
                );
            }
        }
    }

    /// Hashes of the decoded pictures, in the order they are shown.
    pub(crate) fn pictures(&self) -> Vec<&str> {
        self.pictures.iter().map(|picture| picture.hash.as_str()).collect()
    }

    /// Coded pictures and units of sound.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.coded_video.len(), self.coded_audio.len())
    }

    /// Panics when a coded picture or unit of sound is there that was never sent, twice where it
    /// was sent once, or out of order: what may be said of a stream that lost its end.
    pub(crate) fn assert_ordered_subset(&self, received: &Self) {
        for (what, sent, got) in [
            ("coded pictures", &self.coded_video, &received.coded_video),
            ("units of sound", &self.coded_audio, &received.coded_audio),
        ] {
            let mut sent = sent.iter();
            for (index, frame) in got.iter().enumerate() {
                assert!(
                    sent.any(|candidate| candidate.hash == frame.hash),
                    "{what}: number {index} was not sent, or came twice or out of order"
                );
            }
        }
    }
}

fn same_hashes(what: &str, sent: &[Frame], got: &[Frame]) {
    if sent.iter().map(|frame| &frame.hash).eq(got.iter().map(|frame| &frame.hash)) {
        return;
    }
    let mut balance: HashMap<&str, i64> = HashMap::new();
    for frame in sent {
        *balance.entry(&frame.hash).or_default() += 1;
    }
    for frame in got {
        *balance.entry(&frame.hash).or_default() -= 1;
    }
    let lost: i64 = balance.values().filter(|count| **count > 0).sum();
    let extra: i64 = balance.values().filter(|count| **count < 0).sum::<i64>().abs();
    let first = sent.iter().zip(got).position(|(a, b)| a.hash != b.hash);
    panic!(
        "{what}: {} sent, {} received, {lost} lost or changed, {extra} repeated or unknown, \
         first difference at {first:?}",
        sent.len(),
        got.len(),
    );
}

/// `framemd5`: comment lines, one of them `#tb 0: 1/1000`, then
/// `stream, dts, pts, duration, size, hash`.
fn parse(file: &Path) -> Vec<Frame> {
    let text = String::from_utf8(crate::tool::read(file)).expect("framemd5 is text");
    let tick = text
        .lines()
        .find_map(|line| line.strip_prefix("#tb 0: "))
        .and_then(|ratio| ratio.split_once('/'))
        .and_then(|(num, den)| Some(num.parse::<f64>().ok()? / den.trim().parse::<f64>().ok()?))
        .expect("framemd5 states its time base");
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| {
            let fields: Vec<&str> = line.split(',').map(str::trim).collect();
            let pts: f64 = fields[2].parse().expect("a pts");
            Frame { pts: pts * tick, hash: format!("{} {}", fields[4], fields[5]) }
        })
        .collect()
}
