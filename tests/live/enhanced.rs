//! What only Enhanced RTMP carries, sent by a recent ffmpeg: each codec comes back bit by bit, with
//! the codec string that a player asks its decoder about, and Debian's ffprobe, which is four years
//! older, finds the same in it.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::playlist::Multivariant;
use crate::publish::{Pace, Program};
use crate::roundtrip::comes_back;
use crate::tool::run_well;

/// Start-up of a program on a slow machine, and reading a dozen seconds.
const LIMIT: Duration = Duration::from_secs(60);

/// Publishes `clip`; `codecs` is the CODECS of the first variant, `names` what ffprobe calls them.
fn is_passed_through(clip: &str, pace: Pace, codecs: &str, names: [&str; 2]) {
    let server = comes_back(Program::RecentFfmpeg, clip, pace);
    let text = server.get("/hls/stream.m3u8").text().to_owned();
    let playlist = Multivariant::parse(&text);
    let top = &playlist.variants[0].attributes;
    assert_eq!(top["CODECS"], codecs, "{text}");
    assert_eq!(top["FRAME-RATE"], "25.000");
    assert_eq!(top["RESOLUTION"], "640x360");
    let sound = codecs.rsplit(',').next().expect("one at least");
    let alone = playlist.variants.iter().any(|variant| variant.attributes["CODECS"] == sound);
    assert!(alone, "MV-6: an audio-only variant\n{text}");

    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-show_streams", "-of", "json"]);
    let outcome = run_well(command.arg(server.url("/hls/stream.m3u8")), LIMIT);
    assert!(outcome.stderr.trim().is_empty(), "ffprobe complains: {}", outcome.stderr);
    let found: Value = serde_json::from_str(&outcome.stdout).expect("ffprobe writes JSON");
    let streams = found["streams"].as_array().expect("streams");
    for name in names {
        assert!(streams.iter().any(|stream| stream["codec_name"] == name), "{name}: {streams:#?}");
    }
}

macro_rules! codecs {
    ($($test:ident: $clip:literal $pace:ident $codecs:literal $names:expr;)*) => {
        $(#[test]
        fn $test() {
            is_passed_through($clip, Pace::$pace, $codecs, $names);
        })*
    };
}

codecs! {
    hevc_aac: "hevc-aac" Live "hvc1.1.6.L63.90,mp4a.40.2" ["hevc", "aac"];
    av1_opus: "av1-opus" Live "av01.0.01M.08,Opus" ["av1", "opus"];
    h264_opus: "h264-opus" Fast "avc1.64001E,Opus" ["h264", "opus"];
    // At leisure: 2.8 MB are acknowledged once (AK-1), and an ffmpeg that closes before it has read
    // that throws away what it has not sent yet.
    h264_flac: "h264-flac" Live "avc1.64001E,fLaC" ["h264", "flac"];
    h264_ac3: "h264-ac3" Fast "avc1.64001E,ac-3" ["h264", "ac3"];
    h264_eac3: "h264-eac3" Fast "avc1.64001E,ec-3" ["h264", "eac3"];
    h264_mp3: "h264-mp3" Fast "avc1.64001E,mp4a.6B" ["h264", "mp3"];
}
