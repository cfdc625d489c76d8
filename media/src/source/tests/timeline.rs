//! Message times to output times (TS-1 to TS-6).

use super::*;

#[test]
fn ts3_tracks_keep_their_difference_up_to_ten_seconds() {
    let mut bench = Bench::with_headers("main");
    bench.idr(3_600_000);
    bench.sound(3_600_050);
    let audio = bench.units(TrackKind::Audio);
    let real = audio.last().unwrap();
    assert_eq!(real.dts.ticks(), 480_000 + 2_400);
    assert_eq!(audio.len(), 3, "50 ms hold two silent units");
    bench.check();
}

#[test]
fn ts3_tracks_on_different_clocks_start_together() {
    // SRS #4586: audio at 10 s, video at 21 days.
    for (video, audio) in
        [(1_814_400_000_u32, 10_000_u32), (10_000, 1_814_400_000), (3_000_000_000, 0)]
    {
        let mut bench = Bench::with_headers("main");
        for unit in 0..100 {
            if unit % 50 == 0 {
                bench.idr(video + unit * 20);
            } else {
                bench.inter(video + unit * 20);
            }
            bench.sound(audio + unit * 64 / 3);
            bench.wait(20);
        }
        assert_eq!(bench.tracks(), [(true, true, START)], "{video} {audio}");
        assert_eq!(bench.units(TrackKind::Audio)[0].dts.ticks(), 480_000, "{video} {audio}");
        assert_eq!(bench.source.counters().silent_units, 0, "{video} {audio}");
        assert_eq!(bench.units(TrackKind::Video).len(), 100, "{video} {audio}");
        bench.check();
    }
}

#[test]
fn ts4_small_steps_back_are_clamped_by_one_tick() {
    let mut bench = Bench::with_headers("main");
    bench.idr(1_000);
    for millis in [1_040, 1_040, 1_000, 900, 1_080] {
        bench.inter(millis);
    }
    let dts: Vec<i64> =
        bench.units(TrackKind::Video).iter().map(|unit| unit.dts.ticks() - START).collect();
    assert_eq!(dts, [0, 3_600, 3_601, 3_602, 3_603, 7_200]);
    assert_eq!(bench.source.counters().clamped, 3);
    assert_eq!(bench.tracks().len(), 1);
}

#[test]
fn ts4_jumps_break_the_timeline_and_the_output_goes_on() {
    for (name, jump) in [
        ("back 501 ms", 59_960 - 501),
        ("back to 0", 0),
        ("ahead 11 s", 71_000),
        ("ahead 21 days", 1_814_400_000),
        ("ahead half the range", 60_000_u32.wrapping_add(1 << 31)),
    ] {
        let mut bench = Bench::with_headers("main");
        bench.run(50_000, 60_000);
        bench.run(jump, jump.wrapping_add(5_000));
        let tracks = bench.tracks();
        assert_eq!(tracks.len(), 2, "{name}");
        let (_, _, start) = tracks[1];
        let seconds = (start - START) as f64 / 90_000.0;
        assert!((9.95..10.06).contains(&seconds), "{name}: {seconds}");
        assert_eq!(bench.source.counters().timeline_breaks, 1, "{name}");
        assert_eq!(bench.units(TrackKind::Video).len(), 375, "{name}");
        assert_eq!(bench.source.counters().silent_units, 0, "{name}");
        bench.check();
    }
}

#[test]
fn ts4_a_gap_of_ten_seconds_is_a_pause() {
    let mut bench = Bench::new();
    bench.video_header("main");
    bench.idr(0);
    bench.wait(1_500);
    bench.inter(10_000);
    assert_eq!(bench.video_ms(), [0, 10_000]);
    bench.inter(20_001);
    assert_eq!(bench.source.counters().timeline_breaks, 1);
    bench.idr(20_041);
    assert_eq!(bench.tracks().len(), 2);
    bench.check();
}

#[test]
fn f5_a_track_that_pauses_while_the_other_goes_on_is_no_jump() {
    let mut bench = Bench::with_headers("main");
    bench.run(0, 2_000);
    for millis in (2_000..62_000).step_by(20) {
        bench.sound(millis);
    }
    bench.inter(61_990);
    assert_eq!(bench.tracks().len(), 1);
    assert_eq!(bench.video_ms().last(), Some(&61_990));
    bench.check();
}

#[test]
fn two_interleaved_clocks_do_not_make_a_discontinuity_per_picture() {
    // SRS #1163.
    let mut bench = Bench::with_headers("main");
    bench.idr(0);
    for picture in 0..1_500_u32 {
        bench.idr(picture * 40 + (picture % 2) * 500_000);
        bench.sound(picture * 40);
        bench.wait(40);
    }
    assert!(bench.tracks().len() <= 32, "{} in a minute", bench.tracks().len());
    bench.check();
}

#[test]
fn audio_of_the_old_clock_after_a_break_does_no_harm() {
    let mut bench = Bench::with_headers("main");
    bench.run(50_000, 52_000);
    bench.idr(0);
    bench.sound(52_000);
    bench.sound(52_021);
    for millis in (0..10_000).step_by(20) {
        bench.inter(millis + 20);
        bench.sound(millis);
        bench.wait(20);
    }
    assert_eq!(bench.tracks().len(), 2);
    assert_eq!(bench.source.counters().timeline_breaks, 1);
    assert_eq!(bench.source.counters().audio_clock_changes, 1);
    let (video, audio) = (bench.units(TrackKind::Video), bench.units(TrackKind::Audio));
    let apart = video.last().unwrap().dts.millis() - audio.last().unwrap().dts.millis();
    assert!(apart.abs() < 150, "{apart} ms");
    bench.check();
}

#[test]
fn ts1_broadcasts_cross_every_wrap_and_every_width() {
    let day = 86_400_000_u64;
    for (name, start, modulus) in [
        ("49.7 days", (1_u64 << 32) - 5_000, 1_u64 << 32),
        ("24.8 days, a signed counter", (1 << 31) - 5_000, 1 << 31),
        ("24.8 days, through", (1 << 31) - 5_000, 1 << 32),
        ("4.66 h, three bytes", (1 << 24) - 5_000, 1 << 24),
        ("26.5 h: 33 bits at 90 kHz", 95_443_717 - 5_000, 1 << 32),
        ("13.25 h: 32 bits at 90 kHz", 47_721_858 - 5_000, 1 << 32),
        ("28.4 h: i64 nanoseconds × 90000", day + 16_080_000, 1 << 32),
    ] {
        let mut bench = Bench::with_headers("main");
        for step in 0..500_u64 {
            let millis = ((start + step * 20) % modulus) as u32;
            if step % 50 == 0 {
                bench.idr(millis);
            } else {
                bench.inter(millis);
            }
            let sound = ((start + step * 64 / 3) % modulus) as u32;
            bench.sound(sound);
            bench.wait(20);
        }
        assert_eq!(bench.tracks().len(), 1, "{name}");
        let expected: Vec<i64> = (0..500).map(|step| step * 20).collect();
        assert_eq!(bench.video_ms(), expected, "{name}");
        assert_eq!(bench.source.counters().silent_units, 0, "{name}");
        bench.check();
    }
}

#[test]
fn output_times_stay_exact_past_26_hours() {
    let mut bench = Bench::new();
    bench.video_header("main");
    bench.idr(0);
    bench.wait(1_500);
    let mut millis = 0_u32;
    while millis < 27 * 3_600_000 {
        millis += 9_999;
        bench.inter(millis);
        bench.events.drain(..bench.events.len() - 1);
    }
    assert_eq!(bench.units(TrackKind::Video)[0].dts.ticks(), START + i64::from(millis) * 90);
}

#[test]
fn ts6_headers_and_metadata_with_time_0_do_not_touch_the_timeline() {
    let mut bench = Bench::with_headers("main");
    bench.run(3_600_000, 3_602_000);
    bench.video_header("main");
    bench.audio_header(&STEREO_48K);
    bench.source.handle_metadata(bench.now, Metadata::default());
    bench.run(3_602_000, 3_604_000);
    assert_eq!(bench.tracks().len(), 1);
    assert_eq!(bench.source.counters().clamped, 0);
    bench.check();
}
