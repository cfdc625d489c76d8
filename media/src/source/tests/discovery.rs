//! Which tracks there are and when they start (CMD-10, AV-10).

use super::*;

#[test]
fn cmd10_discovery_ends_at_once_with_both_configurations() {
    let mut bench = Bench::with_headers("main");
    assert!(bench.events.is_empty());
    bench.idr(0);
    assert_eq!(bench.tracks(), [(true, true, START)]);
    assert_eq!(bench.source.deadline(), None);
    assert_eq!(bench.video_ms(), [0]);
}

#[test]
fn cmd10_one_track_alone_waits_for_the_wall_clock_even_when_media_time_stands_still() {
    let mut bench = Bench::new();
    let opened = bench.now;
    assert_eq!(bench.source.deadline(), None);
    bench.video_header("main");
    assert_eq!(bench.source.deadline(), Some(opened + limits::DISCOVERY));
    for picture in 0..30 {
        if picture == 0 {
            bench.idr(7);
        } else {
            bench.inter(7);
        }
        bench.wait(49);
    }
    assert!(bench.events.is_empty());
    bench.wait(100);
    assert_eq!(bench.tracks(), [(true, false, START)]);
    assert_eq!(bench.units(TrackKind::Video).len(), 30, "gortmplib #26: nothing is lost");
    assert_eq!(bench.notices(), [Notice::NoAudio]);
    let SourceEvent::Tracks { arrived, .. } = &bench.events[0] else { panic!() };
    assert_eq!(*arrived, opened, "TS-9: the arrival of the first unit, not of the decision");
    bench.check();
}

#[test]
fn a_clip_that_ended_during_discovery_is_not_lost() {
    for (name, pictures, sounds) in [("video", 3, 0), ("audio", 0, 3), ("nothing", 0, 0)] {
        let mut bench = Bench::new();
        if pictures > 0 {
            bench.video_header("main");
            bench.idr(0);
            (1..pictures).for_each(|picture| bench.inter(picture * 40));
        }
        if sounds > 0 {
            bench.audio_header(&STEREO_48K);
            (0..sounds).for_each(|unit| bench.sound(unit * 21));
        }
        assert!(bench.events.is_empty(), "{name}: still looking for tracks");
        bench.source.end_of_input();
        bench.drain();
        assert_eq!(bench.units(TrackKind::Video).len(), pictures as usize, "{name}");
        assert_eq!(bench.units(TrackKind::Audio).len(), sounds as usize, "{name}");
    }
}

#[test]
fn video_that_ended_without_a_sync_picture_shows_nothing() {
    let mut bench = Bench::with_headers("main");
    bench.inter(0);
    bench.sound(0);
    bench.source.end_of_input();
    bench.drain();
    assert!(bench.tracks().is_empty(), "AV-10");
}

#[test]
fn audio_alone_starts_after_discovery() {
    let mut bench = Bench::new();
    bench.audio_header(&STEREO_44K);
    for unit in 0..100_u32 {
        bench.sound(5_000 + unit * 1_024_000 / 44_100);
        bench.wait(23);
    }
    assert_eq!(bench.tracks(), [(false, true, START)]);
    assert_eq!(bench.units(TrackKind::Audio).len(), 100);
    assert_eq!(bench.units(TrackKind::Audio)[0].dts.ticks(), 441_000);
    assert_eq!(bench.notices(), [Notice::NoVideo]);
    bench.check();
}

#[test]
fn aa4_raw_audio_before_its_configuration_is_kept_during_discovery() {
    let mut bench = Bench::new();
    bench.video_header("main");
    bench.idr(0);
    bench.sound(0);
    bench.sound(21);
    bench.audio_header(&STEREO_48K);
    assert_eq!(bench.units(TrackKind::Audio).len(), 2);
    let mut never = Bench::new();
    never.video_header("main");
    never.idr(0);
    never.sound(0);
    never.wait(1_500);
    never.sound(1_500);
    assert_eq!(never.tracks(), [(true, false, START)]);
    assert_eq!(never.source.counters().audio_without_config, 2);
}

#[test]
fn waiting_is_bounded_in_units_and_bytes() {
    let mut bench = Bench::new();
    bench.video_header("main");
    bench.idr(0);
    for picture in 1..=limits::DISCOVERY_UNITS_MAX as u32 {
        bench.inter(picture);
    }
    assert_eq!(bench.tracks().len(), 1, "a burst ends discovery and loses nothing");
    assert_eq!(bench.video_ms().len(), limits::DISCOVERY_UNITS_MAX + 1);

    let mut silent = Bench::new();
    for unit in 0..2 * limits::DISCOVERY_UNITS_MAX as u32 {
        silent.sound(unit);
    }
    assert_eq!(silent.source.counters().discovery_overflow, limits::DISCOVERY_UNITS_MAX as u64);

    let mut heavy = Bench::new();
    heavy.video_header("main");
    let slice = vec![0x65; 12 << 20];
    for millis in 0..3 {
        heavy.video(millis, &nalus(true, 0, &[&slice]));
    }
    assert_eq!(heavy.tracks().len(), 1);
}

#[test]
fn a_video_track_without_idr_holds_audio_back_for_a_bounded_time() {
    let mut bench = Bench::with_headers("main");
    let mut millis = 0;
    while bench.tracks().is_empty() {
        bench.inter(millis);
        bench.sound(millis);
        bench.wait(40);
        millis += 40;
    }
    assert_eq!(millis, 10_000);
    assert_eq!(bench.tracks(), [(false, true, START)]);
    assert!(bench.notices().contains(&Notice::NoVideo));
    bench.idr(millis);
    assert_eq!(bench.tracks().len(), 2, "and joins with its first IDR picture");
    assert_eq!(bench.units(TrackKind::Video).len(), 1);
}
