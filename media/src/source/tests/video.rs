//! Pictures and their configuration (AV-2 to AV-10, CM-9).

use super::*;
use crate::access_unit::VideoCodec;
use crate::h264::AvcConfig;

#[test]
fn cm9_the_first_picture_of_a_segment_presents_when_it_decodes() {
    let mut bench = Bench::with_headers("main");
    // Decode order I P B B at 25 pictures/s, twice; the encoder's delay is 80 ms.
    for (decode, composition, idr) in [
        (0, 80, true),
        (40, 160, false),
        (80, 40, false),
        (120, 40, false),
        (160, 80, true),
        (200, 160, false),
        (240, 40, false),
        (280, 40, false),
    ] {
        let nal: &[u8] = if idr { &[0x65, 1] } else { &[0x41, 1] };
        bench.video(decode, &nalus(idr, composition, &[nal]));
    }
    let times: Vec<(i64, i64)> = bench
        .units(TrackKind::Video)
        .iter()
        .map(|unit| ((unit.dts.ticks() - START) / 90, (unit.pts.ticks() - START) / 90))
        .collect();
    let expected =
        [(0, 0), (40, 120), (80, 40), (120, 80), (160, 160), (200, 280), (240, 200), (280, 240)];
    assert_eq!(times, expected);
    assert_eq!(bench.tracks(), [(true, true, START)]);
}

#[test]
fn ts2_negative_composition_times_are_signed() {
    let mut bench = Bench::with_headers("main");
    bench.idr(0);
    bench.video(40, &nalus(false, -40, &[&[0x41, 1]]));
    let unit = bench.units(TrackKind::Video)[1].clone();
    assert_eq!(unit.dts.minus(unit.pts).millis(), 40);
    bench.video(80, &nalus(false, -8_000_000, &[&[0x41, 1]]));
    assert_eq!(bench.source.counters().broken, 1);
}

#[test]
fn av3_annexb_payloads_are_read_for_the_whole_connection() {
    let mut bench = Bench::with_headers("main");
    bench.video(
        0,
        &[&[0x17, 1, 0, 0, 0, 0, 0, 0, 1, 9, 0xF0, 0, 0, 0, 1, 0x65][..], &[7; 40]].concat(),
    );
    bench.video(40, &[&[0x27, 1, 0, 0, 0, 0, 0, 1, 0x41][..], &[8; 40]].concat());
    let units = bench.units(TrackKind::Video);
    assert_eq!(units.len(), 2);
    assert_eq!(units[1].payload[..6], [0, 0, 0, 41, 0x41, 8]);
}

#[test]
fn av4_noise_is_dropped_and_counted() {
    let mut bench = Bench::with_headers("main");
    bench.idr(0);
    for (name, body) in [
        ("empty message", &[][..]),
        ("only a codec id", &[0x17]),
        ("header without a record", &[0x17, 0, 0, 0, 0]),
        ("no NAL unit", &[0x27, 1, 0, 0, 0]),
        ("empty NAL unit", &[0x27, 1, 0, 0, 0, 0, 0, 0, 0]),
        ("length past the end", &[0x27, 1, 0, 0, 0, 0, 0, 0, 9, 0x41]),
        ("only SEI", &[0x27, 1, 0, 0, 0, 0, 0, 0, 2, 6, 5]),
        ("player command", &[0x57, 0]),
    ] {
        let before = *bench.source.counters();
        bench.video(40, body);
        let after = bench.source.counters();
        assert_eq!(before.broken + before.ignored + 1, after.broken + after.ignored, "{name}");
    }
    assert_eq!(bench.units(TrackKind::Video).len(), 1);
}

#[test]
fn av5_parameter_sets_inside_the_first_idr_picture_start_a_track() {
    let record = record("main");
    let (sps, pps) = (&record[8..33], &record[36..]);
    let mut bench = Bench::new();
    bench.audio_header(&STEREO_48K);
    bench.inter(0);
    bench.video(40, &nalus(true, 0, &[&[9, 0xF0], sps, pps, &[0x65, 7]]));
    assert_eq!(bench.tracks(), [(true, true, START)]);
    let SourceEvent::Tracks { tracks, .. } = &bench.events[0] else { panic!() };
    let video = tracks.video.as_ref().unwrap();
    assert_eq!((video.width, video.height, video.frame_rate_millis), (1280, 720, Some(30_000)));
    let VideoCodec::H264(config) = &video.codec else { panic!("{:?}", video.codec) };
    assert_eq!(config, &AvcConfig::parse(&record).unwrap().0);
    let unit = bench.units(TrackKind::Video)[0];
    assert_eq!(unit.payload, &[0, 0, 0, 2, 0x65, 7][..], "CM-12: sets and delimiters are gone");
    assert_eq!(bench.source.counters().pictures_without_config, 1);
}

#[test]
fn av6_a_repeated_header_is_ignored_and_a_new_one_waits_for_idr() {
    let mut bench = Bench::with_headers("main");
    bench.run(0, 1_000);
    bench.video_header("main");
    bench.inter(1_000);
    assert_eq!(bench.tracks().len(), 1);
    bench.video_header("cropped");
    bench.inter(1_040);
    bench.inter(1_080);
    assert_eq!(bench.tracks().len(), 1);
    bench.idr(1_120);
    assert_eq!(bench.tracks()[1], (true, true, START + 1_120 * 90));
    assert_eq!(bench.source.counters().pictures_before_sync, 2);
    assert_eq!(bench.source.counters().config_changes, 1);
    bench.check();
}

#[test]
fn av6_sets_inside_an_idr_picture_change_the_configuration_too() {
    // SRS #1641: the resolution switches without a new header.
    let record = record("cropped");
    let (sps, pps) = (&record[8..34], &record[37..record.len() - 4]);
    let mut bench = Bench::with_headers("main");
    bench.run(0, 1_000);
    bench.video(1_000, &nalus(true, 0, &[sps, pps, &[0x65, 7]]));
    assert_eq!(bench.tracks().len(), 2);
    bench.video_header("main");
    bench.inter(1_040);
    bench.video(1_080, &nalus(true, 0, &[sps, pps, &[0x65, 7]]));
    assert_eq!(bench.tracks().len(), 2, "the repeated old header changes nothing");
    assert_eq!(bench.units(TrackKind::Video).len(), 28);
}

/// Found by the fuzz target `source`: the announced start lay before the picture, or before the
/// output itself.
#[test]
fn av6_a_change_where_the_clock_steps_back_starts_with_its_picture() {
    for millis in [1_000, 960, 600] {
        let mut bench = Bench::with_headers("main");
        bench.idr(1_000);
        bench.video_header("baseline");
        bench.idr(millis);
        assert_eq!(bench.tracks(), [(true, true, START), (true, true, START + 1)], "{millis}");
        bench.check();
    }
}

#[test]
fn av7_the_nal_type_decides_what_is_a_sync_point() {
    let mut bench = Bench::with_headers("main");
    bench.video(0, &nalus(true, 0, &[&[0x41, 1]]));
    assert!(bench.tracks().is_empty());
    bench.video(40, &nalus(false, 0, &[&[0x65, 1]]));
    assert!(bench.units(TrackKind::Video)[0].sync);
    assert_eq!(bench.notices(), [Notice::OpenGop]);
}

#[test]
fn av8_unusual_pictures_pass_with_a_word() {
    for (name, notices) in [
        ("high422_interlaced", &[Notice::Interlaced, Notice::PixelFormat(2, 8)][..]),
        ("high10", &[Notice::PixelFormat(1, 10)]),
        ("gray", &[Notice::PixelFormat(0, 8)]),
        ("cropped", &[]),
    ] {
        let mut bench = Bench::with_headers(name);
        bench.idr(0);
        assert_eq!(bench.notices(), notices, "{name}");
        assert_eq!(bench.units(TrackKind::Video).len(), 1, "{name}");
    }
}

#[test]
fn av10_audio_is_kept_from_the_first_picture_on() {
    let mut bench = Bench::with_headers("main");
    for millis in (0..2_000).step_by(20) {
        bench.inter(millis);
        bench.sound(millis);
        bench.wait(20);
    }
    assert!(bench.events.is_empty());
    bench.idr(2_000);
    for millis in (2_000..3_000).step_by(20) {
        bench.sound(millis);
    }
    let first = bench.units(TrackKind::Audio)[0].dts.ticks();
    assert!((480_000..480_000 + 1_024).contains(&first), "{first}");
    assert_eq!(bench.source.counters().silent_units, 0);
    bench.check();
}

#[test]
fn long_keyframe_intervals_are_told_once() {
    let mut bench = Bench::with_headers("main");
    bench.idr(0);
    for millis in (40..20_000).step_by(40) {
        bench.inter(millis);
    }
    assert!(bench.notices().contains(&Notice::KeyframeInterval(4_040)));
    assert_eq!(
        bench.notices().iter().filter(|n| matches!(n, Notice::KeyframeInterval(_))).count(),
        1
    );
}
