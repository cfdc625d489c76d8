//! Files of a real encoder, whole and damaged.

use super::*;
use crate::cursor::Cursor;

/// Messages of an FLV file.
fn messages(flv: &'static [u8]) -> Vec<(u8, u32, Bytes)> {
    let mut cursor = Cursor::new(flv);
    cursor.take(13).unwrap();
    let mut messages = Vec::new();
    while !cursor.is_empty() {
        let (kind, len) = (cursor.u8().unwrap(), cursor.u24().unwrap());
        let (low, high) = (cursor.u24().unwrap(), cursor.u8().unwrap());
        cursor.take(3).unwrap();
        let body = Bytes::from_static(cursor.take(len as usize).unwrap());
        cursor.take(4).unwrap();
        messages.push((kind, u32::from(high) << 24 | low, body));
    }
    messages
}

const FILES: [(&str, &[u8]); 2] = [
    ("25fps_48k_stereo", include_bytes!("../../../testdata/flv/25fps_48k_stereo.flv")),
    ("ntsc_44k_mono", include_bytes!("../../../testdata/flv/ntsc_44k_mono.flv")),
];

fn push(bench: &mut Bench, kind: u8, millis: u32, body: &[u8]) -> Result<(), Refusal> {
    match kind {
        8 => bench.try_audio(millis, body),
        9 => bench.try_video(millis, body),
        _ => Ok(()),
    }
}

#[test]
fn ffmpeg_files_come_through_whole() {
    for ((name, flv), (pictures, rate, timescale)) in
        FILES.into_iter().zip([(75, 25_000, 48_000), (90, 29_970, 44_100)])
    {
        let mut bench = Bench::new();
        for (kind, millis, body) in messages(flv) {
            push(&mut bench, kind, millis, &body).unwrap();
        }
        bench.check();
        assert_eq!(bench.tracks(), [(true, true, START)], "{name}");
        let video = bench.units(TrackKind::Video);
        assert_eq!(video.len(), pictures, "{name}");
        assert_eq!(video.iter().filter(|unit| unit.sync).count(), 3, "{name}");
        for unit in video.iter().filter(|unit| unit.sync) {
            assert_eq!(unit.dts, unit.pts, "{name}: CM-9");
        }
        let mut shown: Vec<i64> = video.iter().map(|unit| unit.pts.ticks()).collect();
        shown.sort_unstable();
        let apart: Vec<i64> = shown.windows(2).map(|two| (two[1] - two[0]) / 90).collect();
        assert!(apart.iter().all(|&ms| ms.abs_diff(1_000_000 / rate) <= 1), "{name}: {apart:?}");
        let counters = bench.source.counters();
        assert_eq!((counters.silent_units, counters.broken, counters.clamped), (0, 0, 0), "{name}");
        let SourceEvent::Tracks { tracks, .. } = &bench.events[0] else { panic!() };
        let (video, audio) = (tracks.video.as_ref().unwrap(), tracks.audio.as_ref().unwrap());
        assert_eq!((video.width, video.height), (96, 64), "{name}");
        assert_eq!(video.frame_rate_millis, Some(rate as u32), "{name}");
        assert_eq!((audio.sample_rate, audio.samples_per_unit), (timescale, 1_024), "{name}");
    }
}

#[test]
fn damaged_files_never_panic_and_keep_the_rules() {
    // A fixed linear congruence: the same damage in every run.
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    for (_, flv) in FILES {
        let messages = messages(flv);
        for _round in 0..60 {
            let mut bench = Bench::new();
            for (kind, millis, body) in &messages {
                let (mut body, mut millis) = (body.to_vec(), *millis);
                match next(24) {
                    0 if !body.is_empty() => {
                        let bit = next(body.len().min(64) * 8);
                        body[bit / 8] ^= 1 << (bit % 8);
                    }
                    1 => body.truncate(next(body.len() + 1)),
                    2 => millis = next(u32::MAX as usize) as u32,
                    3 => bench.wait(next(3_000) as u64),
                    4 if next(8) == 0 => bench.source.reconnect(bench.now),
                    _ => {}
                }
                let _ = push(&mut bench, *kind, millis, &body);
                bench.wait(5);
            }
            bench.check();
        }
    }
}
