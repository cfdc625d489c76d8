//! Foreign judges: real H.264 with B pictures and AAC from FFmpeg go through the packager, and
//! FFmpeg's own demuxer and decoders must find every picture and every block of sound in the
//! result. Skipped, with a plain word, where the tools are missing.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;

use super::publisher::{DATE, Server};
use crate::aac::AudioSpecificConfig;
use crate::access_unit::{
    AccessUnit, AudioCodec, AudioTrack, TrackKind, Tracks, VideoCodec, VideoTrack,
};
use crate::cursor::Cursor;
use crate::h264::AvcConfig;
use crate::hls::checker::m3u8;
use crate::hls::{Answer, Directives, MediaAnswer};
use crate::picture::Light;
use crate::time::{MediaTime, Timescale};

const START_MS: i64 = 10_000;

/// Runs a tool over `input`; `None` when it is not installed.
fn run(tool: &str, arguments: &str, input: &[u8]) -> Option<(Vec<u8>, String)> {
    let child = Command::new(tool)
        .args(arguments.split_whitespace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else { return None };
    // A tool that has seen enough closes its end.
    let _ = child.stdin.take().expect("piped").write_all(input);
    let output = child.wait_with_output().expect("it ran");
    Some((output.stdout, String::from_utf8_lossy(&output.stderr).into_owned()))
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn skip(why: &str) {
    eprintln!("skipped: {why}");
}

/// Six seconds of FLV as a publisher would send it, taken apart into tracks and units.
fn publish(frame_rate: &str) -> Option<(Tracks, Vec<AccessUnit>)> {
    let arguments = format!(
        "-v error -f lavfi -i testsrc2=s=320x180:r={frame_rate}:d=6 -f lavfi \
         -i sine=f=440:r=44100:d=6 -c:v libx264 -preset veryfast -g 50 -bf 2 -pix_fmt yuv420p \
         -c:a aac -ac 2 -f flv pipe:1"
    );
    let Some((flv, errors)) = run("ffmpeg", &arguments, &[]) else {
        skip("ffmpeg is not installed");
        return None;
    };
    if flv.is_empty() {
        skip(&format!("this ffmpeg lacks an encoder: {errors}"));
        return None;
    }
    Some(take_apart(&flv))
}

fn take_apart(flv: &[u8]) -> (Tracks, Vec<AccessUnit>) {
    let mut cursor = Cursor::new(flv);
    cursor.take(9 + 4).unwrap();
    let mut tracks = Tracks::default();
    let mut units = Vec::new();
    let (mut sounds, mut reorder_ms) = (0, None);
    while !cursor.is_empty() {
        let kind = cursor.u8().unwrap();
        let len = cursor.u24().unwrap() as usize;
        let low = cursor.u24().unwrap();
        let time_ms = i64::from(low | u32::from(cursor.u8().unwrap()) << 24);
        cursor.take(3).unwrap();
        let mut body = Cursor::new(cursor.take(len).unwrap());
        cursor.take(4).unwrap();
        match (kind, body.rest()) {
            (8, [_, 0, config @ ..]) => tracks.audio = Some(Arc::new(audio(config))),
            (8, [_, 1, payload @ ..]) => {
                units.push(sound(sounds, payload));
                sounds += 1;
            }
            (9, [_, 0, _, _, _, config @ ..]) => tracks.video = Some(Arc::new(video(config))),
            (9, [first, 1, ..]) => {
                let sync = first >> 4 == 1;
                body.take(2).unwrap();
                let offset = i64::from(body.s24().unwrap());
                let delay = *reorder_ms.get_or_insert(offset);
                let at = |ms| MediaTime::from_millis(START_MS + ms).rescale(Timescale::VIDEO);
                units.push(AccessUnit {
                    track: TrackKind::Video,
                    dts: at(time_ms),
                    pts: at(time_ms + offset - delay),
                    sync,
                    payload: Bytes::copy_from_slice(body.rest()),
                });
            }
            _ => {}
        }
    }
    (tracks, units)
}

fn video(config: &[u8]) -> VideoTrack {
    let (config, _) = AvcConfig::parse(config).unwrap();
    let (width, height) = config.coded_size();
    let codec = VideoCodec::H264(config);
    let colour = codec.colour();
    let light = Light::default();
    VideoTrack { codec, width, height, frame_rate_millis: None, colour, bitrate: None, light }
}

fn audio(config: &[u8]) -> AudioTrack {
    let codec = AudioCodec::Aac(AudioSpecificConfig::parse(config).unwrap());
    AudioTrack { codec, sample_rate: 44_100, channels: 2, samples_per_unit: 1_024, bitrate: None }
}

fn sound(index: i64, payload: &[u8]) -> AccessUnit {
    let rate = Timescale::new(44_100).unwrap();
    let time = MediaTime::new(START_MS * 441 / 10 + index * 1_024, rate);
    let payload = Bytes::copy_from_slice(payload);
    AccessUnit { track: TrackKind::Audio, dts: time, pts: time, sync: true, payload }
}

/// Init section and all segments of a rendition, as a player would join them.
fn joined(server: &mut Server, rendition: &str) -> Vec<u8> {
    let Answer::Ready(snapshot) = server.window.playlist(rendition, &Directives::default()) else {
        panic!("nothing listed");
    };
    let playlist = m3u8::parse(std::str::from_utf8(snapshot.text()).unwrap());
    let map = playlist.segments[0].map.clone().unwrap();
    let names = std::iter::once(map).chain(playlist.segments.into_iter().map(|s| s.uri));
    names
        .flat_map(|name| match server.window.media(rendition, &name) {
            MediaAnswer::Ready(body) => body.chunks.concat(),
            other => panic!("{name}: {other:?}"),
        })
        .collect()
}

fn package(tracks: Tracks, units: Vec<AccessUnit>) -> Server {
    let mut server = Server::new(60_000);
    server.segmenter.start(tracks, MediaTime::from_millis(START_MS), DATE);
    server.push_all(units);
    server.segmenter.end();
    server.settle();
    server
}

/// What ffprobe says about the only stream of a file.
fn probe(file: &[u8], entries: &str) -> String {
    let arguments =
        format!("-v error -count_packets -show_entries stream={entries} -of csv=p=0 -i pipe:0");
    let (stdout, stderr) = run("ffprobe", &arguments, file).expect("it comes with ffmpeg");
    assert_eq!(stderr, "", "ffprobe complains");
    String::from_utf8(stdout).unwrap().trim().to_owned()
}

fn assert_decodes(file: &[u8]) {
    let arguments = "-v warning -xerror -err_detect explode -i pipe:0 -f null -";
    let (_, stderr) = run("ffmpeg", arguments, file).expect("checked before");
    assert_eq!(stderr, "", "ffmpeg complains");
}

#[test]
fn ffmpeg_finds_every_unit() {
    for frame_rate in ["25", "30000/1001", "60"] {
        let Some((tracks, units)) = publish(frame_rate) else { return };
        let count = |kind| units.iter().filter(|unit| unit.track == kind).count();
        let (pictures, sounds) = (count(TrackKind::Video), count(TrackKind::Audio));
        assert!(units.iter().any(|unit| unit.pts < unit.dts), "B pictures make early ones");
        let mut server = package(tracks, units);

        let file = joined(&mut server, "0");
        let video = probe(&file, "codec_tag_string,width,height,nb_read_packets");
        assert_eq!(video, format!("avc1,320,180,{pictures}"), "{frame_rate}");
        // FFmpeg delays presentation by the largest negative offset, so its start time tells
        // nothing.
        assert_decodes(&file);

        let file = joined(&mut server, "audio");
        let audio = probe(&file, "codec_name,sample_rate,channels,start_time,nb_read_packets");
        assert_eq!(audio, format!("aac,44100,2,10.000000,{sounds}"), "{frame_rate}");
        assert_decodes(&file);
    }
}

#[test]
fn ffmpeg_accepts_the_empty_fragments_of_a_pause() {
    let Some((tracks, units)) = publish("25") else { return };
    let in_pause = |unit: &AccessUnit| {
        let seconds = unit.dts.seconds() - 10.0;
        unit.track == TrackKind::Video && seconds > 0.5 && !unit.sync && seconds < 1.99
    };
    let units: Vec<_> = units.into_iter().filter(|unit| !in_pause(unit)).collect();
    let pictures = units.iter().filter(|unit| unit.track == TrackKind::Video).count();
    let mut server = package(tracks, units);
    let file = joined(&mut server, "0");
    assert!(file.windows(16).any(|w| w[..8] == *b"\0\0\0\x14trun" && w[12..] == [0; 4]));
    assert_eq!(probe(&file, "nb_read_packets"), pictures.to_string());
    assert_decodes(&file);
}
