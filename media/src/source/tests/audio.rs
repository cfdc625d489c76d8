//! Sound, its gaps and its changes (AA-4 to AA-7).

use super::*;
use crate::aac::{AudioSpecificConfig, silent_access_unit};

#[test]
fn aa5_a_new_audio_configuration_waits_for_idr_and_silence_bridges() {
    // OvenMediaEngine #1235.
    let mut bench = Bench::with_headers("main");
    bench.run(0, 1_000);
    bench.audio_header(&STEREO_44K);
    for millis in (1_000..3_000).step_by(20) {
        bench.inter(millis);
        bench.sound(millis);
    }
    assert_eq!(bench.tracks().len(), 1);
    assert!(bench.source.counters().silent_units > 60);
    bench.idr(3_000);
    for millis in (3_000..4_000).step_by(20) {
        bench.sound(millis);
        bench.inter(millis + 20);
    }
    assert_eq!(bench.tracks().len(), 2);
    assert_eq!(bench.units(TrackKind::Audio).last().unwrap().dts.timescale().hz(), 44_100);
    bench.check();
}

#[test]
fn aa5_audio_only_broadcasts_change_at_once() {
    let mut bench = Bench::new();
    bench.audio_header(&STEREO_48K);
    bench.sound(0);
    bench.wait(1_500);
    bench.audio_header(&STEREO_44K);
    bench.sound(21);
    assert_eq!(bench.tracks().len(), 2);
    bench.check();
}

#[test]
fn aa7_audio_that_stops_is_replaced_and_comes_back_in_sync() {
    let mut bench = Bench::with_headers("main");
    bench.run(0, 2_000);
    for millis in (2_000..40_000).step_by(40) {
        bench.inter(millis);
    }
    let filled = bench.units(TrackKind::Audio).last().unwrap().dts.millis();
    assert!((49_900..50_000).contains(&filled), "{filled}");
    assert!(bench.notices().contains(&Notice::AudioStopped));
    let silent = silent_access_unit(&AudioSpecificConfig::parse(&STEREO_48K).unwrap()).unwrap();
    assert_eq!(bench.units(TrackKind::Audio).last().unwrap().payload, silent);
    bench.run(40_000, 45_000);
    let video = bench.units(TrackKind::Video).last().unwrap().dts.millis();
    let audio = bench.units(TrackKind::Audio).last().unwrap().dts.millis();
    assert!((video - audio).abs() < 60, "{video} {audio}");
    assert_eq!(bench.tracks().len(), 1);
    bench.check();
}

#[test]
fn aa7_announced_audio_that_never_comes_is_silence_from_the_start() {
    let mut bench = Bench::with_headers("main");
    for millis in (0..2_000).step_by(40) {
        if millis == 0 { bench.idr(0) } else { bench.inter(millis) }
    }
    assert_eq!(bench.units(TrackKind::Audio)[0].dts.ticks(), 480_000);
    assert!(bench.units(TrackKind::Audio).len() > 85);
    bench.check();
}

#[test]
fn late_audio_joins_at_an_idr_picture() {
    let mut bench = Bench::new();
    bench.video_header("main");
    bench.idr(0);
    bench.wait(1_500);
    bench.audio_header(&STEREO_48K);
    bench.sound(1_500);
    bench.inter(1_540);
    assert_eq!(bench.tracks(), [(true, false, START)]);
    bench.idr(2_000);
    bench.sound(2_000);
    assert_eq!(bench.tracks()[1], (true, true, START + 2_000 * 90));
    assert_eq!(bench.units(TrackKind::Audio)[0].dts.ticks(), 480_000 + 96_000);
    bench.check();
}

#[test]
fn aa6_adts_is_stripped() {
    let mut bench = Bench::with_headers("main");
    bench.idr(0);
    bench.try_audio(0, &[0xAF, 1, 0xFF, 0xF1, 0x4C, 0x80, 0x01, 0x3F, 0xFC, 0x21, 0x10]).unwrap();
    assert_eq!(bench.units(TrackKind::Audio)[0].payload, &[0x21, 0x10][..]);
}

#[test]
fn aa4_empty_audio_is_skipped() {
    let mut bench = Bench::with_headers("main");
    bench.idr(0);
    for body in [&[][..], &[0xAF], &[0xAF, 0], &[0xAF, 0, 0x11], &[0xAF, 1], &[0xAF, 9, 1]] {
        bench.try_audio(0, body).unwrap();
    }
    assert_eq!(bench.source.counters().ignored, 6);
    assert!(bench.units(TrackKind::Audio).is_empty());
}
