//! Enhanced RTMP through the machine (ER-1 to ER-7), and the codecs that come with it.

use super::*;
use crate::access_unit::{AudioCodec, VideoCodec};
use crate::amf::{Value, amf0};
use crate::picture::Colour;

/// Records of x265 and libaom; `testdata/PROVENANCE.md`.
fn start_of(name: &str) -> Vec<u8> {
    crate::testdata::record(include_str!("../../../testdata/enhanced.hex"), name)
}

fn with_prefix(prefix: &[u8], body: &[u8]) -> Vec<u8> {
    [prefix, body].concat()
}

/// One NAL unit of three bytes with its length, of a NAL unit type of HEVC.
fn hevc_nal(kind: u8) -> Vec<u8> {
    vec![0, 0, 0, 3, kind << 1, 1, 7]
}

const AV1_KEY: &[u8] = b"\x91av01\x12\0\x32\x02\x10\x07";
const AV1_INTER: &[u8] = b"\xA1av01\x12\0\x32\x02\x30\x07";
const OPUS_20_MS: &[u8] = b"\x91Opus\xFC\x01\x02";

fn hevc_bench() -> Bench {
    let mut bench = Bench::new();
    bench.video(0, &with_prefix(b"\x90hvc1", &start_of("hevc")));
    bench.audio_header(&STEREO_48K);
    bench
}

fn last_tracks(bench: &Bench) -> Tracks {
    let tracks = bench.events.iter().rev().find_map(|event| match event {
        SourceEvent::Tracks { tracks, .. } => Some(tracks.clone()),
        _ => None,
    });
    tracks.unwrap()
}

#[test]
fn hevc_of_every_header_starts_a_track() {
    let record = start_of("hevc");
    let cto = |prefix: &[u8], nal: &[u8]| [prefix, &[0, 0, 80], nal].concat();
    for (name, header, key) in [
        ("enhanced", with_prefix(b"\x90hvc1", &record), cto(b"\x91hvc1", &hevc_nal(19))),
        ("AV-9: id 12", with_prefix(b"\x1C\0\0\0\0", &record), cto(b"\x1C\x01", &hevc_nal(20))),
        (
            "one track",
            with_prefix(b"\x96\x00hvc1\0", &record),
            cto(b"\x96\x01hvc1\0", &hevc_nal(19)),
        ),
    ] {
        let mut bench = Bench::new();
        bench.audio_header(&STEREO_48K);
        bench.video(0, &header);
        bench.video(0, &key);
        assert_eq!(bench.tracks(), [(true, true, START)], "{name}");
        let video = last_tracks(&bench).video.unwrap();
        assert!(matches!(video.codec, VideoCodec::Hevc(_)), "{name}");
        assert_eq!((video.width, video.height, video.frame_rate_millis), (160, 96, Some(25_000)));
        assert_eq!(bench.units(TrackKind::Video)[0].payload, hevc_nal(key[key.len() - 3] >> 1));
        assert_eq!(bench.notices(), [Notice::VideoPlayers("HEVC")], "{name}");
        bench.check();
    }
}

#[test]
fn av7_leading_pictures_are_dropped_only_where_decoding_starts() {
    let mut bench = hevc_bench();
    let picture = |kind: u8, key: bool| {
        with_prefix(if key { b"\x93hvc1" } else { b"\xA3hvc1" }, &hevc_nal(kind))
    };
    // A clean random access picture, its two leading pictures, one trailing; twice.
    for (millis, kind) in (0..).step_by(40).zip([21_u8, 9, 8, 1, 21, 9, 8, 1]) {
        bench.video(millis, &picture(kind, kind == 21));
    }
    let sync: Vec<bool> = bench.units(TrackKind::Video).iter().map(|unit| unit.sync).collect();
    assert_eq!(sync, [true, false, true, false, false, false]);
    assert_eq!(bench.source.counters().pictures_before_sync, 2);
    assert!(bench.notices().contains(&Notice::OpenGop));
    // After a broken link they are lost in mid-stream too.
    for (millis, kind) in (320..).step_by(40).zip([16_u8, 9, 1]) {
        bench.video(millis, &picture(kind, false));
    }
    assert_eq!(bench.units(TrackKind::Video).len(), 8);
    assert_eq!(bench.source.counters().pictures_before_sync, 3);
    bench.check();
}

#[test]
fn av5_hevc_parameter_sets_inside_the_stream_start_a_track() {
    let record = start_of("hevc");
    let mut body = b"\x93hvc1".to_vec();
    for nal in [&record[28..52], &record[57..98], &record[103..], &[0x26, 1, 7]] {
        body.extend((nal.len() as u32).to_be_bytes());
        body.extend(nal);
    }
    let mut bench = Bench::new();
    bench.audio_header(&STEREO_48K);
    bench.video(0, &body);
    assert_eq!(bench.tracks(), [(true, true, START)]);
    assert_eq!(bench.units(TrackKind::Video)[0].payload, hevc_nal(19));
}

#[test]
fn av1_and_opus_from_ffmpeg_start_with_empty_headers() {
    // FFmpeg sends an empty sequence start first and the record once libaom has made it.
    let mut bench = Bench::new();
    bench.video(0, b"\x90av01");
    bench.try_audio(0, b"\x90OpusOpusHead\x01\x02\x38\x01\x80\xBB\0\0\0\0\0").unwrap();
    bench.try_audio(0, b"\x94Opus\x01\x02\0\0\0\x03").unwrap();
    bench.try_audio(0, OPUS_20_MS).unwrap();
    bench.video(7, &with_prefix(b"\x90av01", &start_of("av1")));
    bench.video(7, AV1_KEY);
    bench.video(47, AV1_INTER);
    bench.try_audio(20, OPUS_20_MS).unwrap();
    assert_eq!(bench.tracks(), [(true, true, START)]);
    let tracks = last_tracks(&bench);
    let (video, audio) = (tracks.video.unwrap(), tracks.audio.unwrap());
    assert_eq!(video.codec.codec_string(), "av01.0.00M.08");
    assert_eq!(audio.codec.codec_string(), "Opus");
    assert_eq!((audio.sample_rate, audio.channels, audio.samples_per_unit), (48_000, 2, 960));
    let units = bench.units(TrackKind::Video);
    assert_eq!(units[0].payload, [&start_of("av1")[4..], &AV1_KEY[7..]].concat());
    assert_eq!(units[1].payload, AV1_INTER[7..]);
    bench.check();
}

#[test]
fn opus_packets_of_changing_length_leave_no_gap() {
    let mut bench = Bench::new();
    bench.try_audio(0, b"\x90Opus").unwrap();
    let mut samples = 0_u32;
    let mut expected = Vec::new();
    for (toc, length) in [(0xFC, 960), (0xF4, 480), (0x1C, 2_880), (0xE4, 120)].repeat(40) {
        bench.try_audio(samples / 48, &[0x91, b'O', b'p', b'u', b's', toc, 7]).unwrap();
        expected.push(480_000 + i64::from(samples));
        samples += length;
    }
    bench.wait(1_500);
    let times: Vec<i64> =
        bench.units(TrackKind::Audio).iter().map(|unit| unit.dts.ticks()).collect();
    assert_eq!(times, expected);
    assert_eq!(bench.source.counters().silent_units, 0);
}

#[test]
fn headerless_codecs_configure_themselves() {
    let mp3 = [&[0x2F, 0xFF, 0xFB, 0x94, 0][..], &[0; 380]].concat();
    let mp3_four_cc = [b"\x91.mp3", &mp3[1..]].concat();
    let mut ac3 = b"\x91ac-3\x0B\x77\0\0\x14\x40\x43\xE1".to_vec();
    ac3.resize(5 + 768, 0);
    let mut ec3 = b"\x91ec-3\x0B\x77\0\x31\x3F\x80".to_vec();
    ec3.resize(5 + 100, 0);
    for (name, body, codec, samples, player) in [
        ("MP3", &mp3, "mp4a.6B", 1_152, "MP3"),
        ("MP3 by FourCC", &mp3_four_cc, "mp4a.6B", 1_152, "MP3"),
        ("AC-3", &ac3, "ac-3", 1_536, "AC-3"),
        ("E-AC-3", &ec3, "ec-3", 1_536, "E-AC-3"),
    ] {
        let mut bench = Bench::new();
        bench.video_header("main");
        bench.idr(0);
        for unit in 0..20 {
            bench.try_audio(unit * samples / 48, body).unwrap();
        }
        assert_eq!(bench.tracks(), [(true, true, START)], "{name}");
        let audio = last_tracks(&bench).audio.unwrap();
        assert_eq!(audio.codec.codec_string(), codec, "{name}");
        assert_eq!(audio.samples_per_unit, samples, "{name}");
        assert_eq!(bench.units(TrackKind::Audio).len(), 20, "{name}");
        assert!(bench.notices().contains(&Notice::AudioPlayers(player)), "{name}");
        bench.check();
    }
}

#[test]
fn flac_has_a_header_and_frames_with_their_own_length() {
    let mut header = b"\x90fLaCfLaC\0\0\0\x22\x12\0\x12\0".to_vec();
    header.extend([0, 0, 14, 0, 16, 0, 0x0B, 0xB8, 0x02, 0xF0]);
    header.resize(5 + 42, 0);
    let mut bench = Bench::new();
    bench.video_header("main");
    bench.idr(0);
    bench.try_audio(0, &header).unwrap();
    bench.try_audio(0, b"\x91fLaC\xFF\xF8\x5A\x18\0\x01\x02").unwrap();
    bench.try_audio(96, b"\x91fLaC\xFF\xF8\x8A\x18\x01\x01\x02").unwrap();
    bench.try_audio(101, b"\x91fLaC\xFF\xF8\x5A\x18\x02\x01\x02").unwrap();
    bench.try_audio(197, b"\x91fLaCnonsense").unwrap();
    let times: Vec<i64> =
        bench.units(TrackKind::Audio).iter().map(|unit| unit.dts.ticks() - 480_000).collect();
    assert_eq!(times, [0, 4_608, 4_608 + 256]);
    assert!(matches!(last_tracks(&bench).audio.unwrap().codec, AudioCodec::Flac(_)));
    assert_eq!(bench.source.counters().broken, 1);
}

#[test]
fn er1_nonsense_is_counted_and_the_session_lives() {
    let mut bench = Bench::with_headers("main");
    bench.idr(0);
    for (name, body) in [
        ("unknown codec", &b"\x91abcd\x01"[..]),
        ("reserved packet type", b"\x9Eavc1\x01"),
        ("reserved multitrack type", b"\x96\x51avc1\0"),
        ("too many modifiers", &[&[0x97][..], &[0, 0, 7].repeat(9), b"avc1"].concat()),
        ("cut", b"\x91av"),
    ] {
        let before = *bench.source.counters();
        bench.video(40, body);
        let after = bench.source.counters();
        let sum = |counters: &Counters| counters.broken + counters.ignored + counters.unknown_codec;
        assert_eq!(sum(&before) + 1, sum(after), "{name}");
    }
    bench.inter(40);
    assert_eq!(bench.units(TrackKind::Video).len(), 2);
    let notices = bench.notices();
    assert!(matches!(notices[..], [Notice::UnknownCodec(_)]), "{notices:?}");
}

#[test]
fn er3_of_many_tracks_the_first_is_used() {
    let record = record("main");
    let (len, zero) = ((record.len() as u32).to_be_bytes(), [0, 0, 0, 0]);
    let tracks = |packet: u8, bodies: [&[u8]; 2]| {
        let mut message = vec![0x96, 0x10 | packet];
        message.extend(b"avc1");
        for (track, body) in [(1, bodies[0]), (0, bodies[1])] {
            message.push(track);
            message.extend(&(body.len() as u32).to_be_bytes()[1..]);
            message.extend(body);
        }
        message
    };
    assert!(len[0] == 0 && zero[0] == 0);
    let mut bench = Bench::new();
    bench.audio_header(&STEREO_48K);
    bench.video(0, &tracks(0, [b"not read", &record]));
    bench.video(0, &tracks(3, [&[0, 0, 0, 2, 0x65, 9], &[0, 0, 0, 2, 0x65, 8]]));
    assert_eq!(bench.tracks(), [(true, true, START)]);
    assert_eq!(bench.units(TrackKind::Video)[0].payload, &[0, 0, 0, 2, 0x65, 8][..]);
    assert_eq!(bench.source.counters().extra_tracks, 2);
    assert_eq!(bench.notices(), [Notice::ExtraTracks]);
}

#[test]
fn er4_classic_to_enhanced_headers_of_one_codec_change_nothing() {
    let mut bench = Bench::with_headers("main");
    bench.run(0, 1_000);
    bench.video(0, &with_prefix(b"\x90avc1", &record("main")));
    bench.video(1_000, b"\x91avc1\0\0\0\0\0\0\x02\x65\x07");
    bench.try_audio(0, b"\x90mp4a\x11\x90").unwrap();
    bench.try_audio(1_003, b"\x91mp4a\x21\x09").unwrap();
    assert_eq!(bench.tracks().len(), 1);
    assert_eq!(bench.units(TrackKind::Video).len(), 26);
    bench.check();
}

#[test]
fn er4_er7_another_codec_needs_its_header_and_a_sync_picture() {
    let mut bench = Bench::with_headers("main");
    bench.run(0, 1_000);
    bench.video(1_000, AV1_KEY);
    assert_eq!(bench.source.counters().pictures_without_config, 1, "ER-7");
    bench.idr(1_040);
    bench.video(0, &with_prefix(b"\x90av01", &start_of("av1")));
    bench.video(1_080, AV1_INTER);
    bench.inter(1_080);
    assert_eq!(bench.tracks().len(), 1);
    bench.video(1_120, AV1_KEY);
    assert_eq!(bench.tracks()[1], (true, true, START + 1_120 * 90));
    assert!(matches!(last_tracks(&bench).video.unwrap().codec, VideoCodec::Av1(_)));
    // Sound changes its codec in the same way.
    bench.try_audio(1_040, OPUS_20_MS).unwrap();
    assert_eq!(bench.source.counters().audio_without_config, 1, "ER-7");
    bench.try_audio(0, b"\x90Opus").unwrap();
    bench.video(1_160, AV1_KEY);
    bench.try_audio(1_160, OPUS_20_MS).unwrap();
    assert!(matches!(last_tracks(&bench).audio.unwrap().codec, AudioCodec::Opus(_)));
    bench.check();
}

/// Opus without a header has the channels that are told beside it; all other codecs tell their own.
#[test]
fn channels_are_taken_from_the_multichannel_configuration_where_nothing_else_tells_them() {
    const NATIVE_5_1: &[u8] = b"\x94Opus\x01\x06\0\0\0\x3f";
    const CUSTOM: &[u8] = b"\x94Opus\x02\x02\x01\x00";
    let channels = |messages: &[&[u8]]| {
        let mut bench = Bench::new();
        bench.video(0, &with_prefix(b"\x90av01", &start_of("av1")));
        for message in messages {
            bench.try_audio(0, message).unwrap();
        }
        bench.video(0, AV1_KEY);
        (last_tracks(&bench).audio.unwrap().channels, bench)
    };
    let head = b"\x90OpusOpusHead\x01\x02\x38\x01\x80\xBB\0\0\0\0\0";
    for (messages, want) in [
        (&[&b"\x90Opus"[..]][..], 2),
        (&[&b"\x90Opus"[..], NATIVE_5_1], 6),
        (&[NATIVE_5_1, &b"\x90Opus"[..]], 6),
        (&[&head[..], NATIVE_5_1], 2),
        (&[&b"\x90Opus"[..], &b"\x94Opus\x01"[..]], 2),
        (&[&b"\x90mp4a\x11\x90"[..], &b"\x94mp4a\x00\x06"[..]], 2),
    ] {
        let (found, bench) = channels(messages);
        assert_eq!(found, want, "{messages:?}");
        assert!(!bench.notices().contains(&Notice::ChannelOrder));
    }
    // An order of its own cannot be told to players: the streamer is.
    let (found, bench) = channels(&[&head[..], CUSTOM]);
    assert_eq!(found, 2);
    assert!(bench.notices().contains(&Notice::ChannelOrder));
    let mut bench = Bench::new();
    bench.try_audio(0, b"\x90Opus").unwrap();
    let refused = bench.try_audio(0, b"\x94Opus\x00\x09").unwrap_err();
    assert!(refused.to_string().contains("9 channels"), "{refused}");
}

#[test]
fn mv3_hdr_metadata_fills_in_for_a_silent_bit_stream() {
    let metadata = |name: &[u8; 4], transfer: f64| {
        let config = Value::object([
            ("colorPrimaries", Value::Number(9.0)),
            ("transferCharacteristics", Value::Number(transfer)),
            ("matrixCoefficients", Value::Number(9.0)),
        ]);
        let mut body = [&[0x84], &name[..]].concat();
        amf0::write(&Value::string("colorInfo"), &mut body);
        amf0::write(&Value::object([("colorConfig", config)]), &mut body);
        body
    };
    let told = |transfer| Colour { primaries: 9, transfer, matrix: 9, full_range: false };
    let mut bench = hevc_bench();
    bench.video(0, &metadata(b"hvc1", 18.0));
    bench.video(0, &with_prefix(b"\x93hvc1", &hevc_nal(19)));
    assert_eq!(last_tracks(&bench).video.unwrap().colour, Some(told(18)));
    // A change waits for a sync picture.
    bench.video(40, &metadata(b"hvc1", 16.0));
    bench.video(40, &with_prefix(b"\xA3hvc1", &hevc_nal(1)));
    assert_eq!(bench.tracks().len(), 1);
    bench.video(80, &with_prefix(b"\x93hvc1", &hevc_nal(19)));
    assert_eq!(last_tracks(&bench).video.unwrap().colour, Some(told(16)));
    // Light goes the same way, and a part that is missing stays as it was told.
    let mut body = b"\x84hvc1".to_vec();
    amf0::write(&Value::string("colorInfo"), &mut body);
    let levels = Value::object([("maxCLL", Value::Number(1_000.0))]);
    amf0::write(&Value::object([("hdrCll", levels)]), &mut body);
    bench.video(120, &body);
    bench.video(120, &with_prefix(b"\x93hvc1", &hevc_nal(19)));
    let lit = last_tracks(&bench).video.unwrap();
    assert_eq!(lit.light.content.map(|content| content.max), Some(1_000));
    assert_eq!(lit.colour, Some(told(16)));
    bench.video(160, &body);
    bench.video(160, &with_prefix(b"\x93hvc1", &hevc_nal(19)));
    assert_eq!(bench.tracks().len(), 3, "the same again changes nothing");
    // What the bit stream says itself stands.
    let mut own = Bench::new();
    own.audio_header(&STEREO_48K);
    own.video(0, &with_prefix(b"\x90hvc1", &start_of("hevc_pq")));
    own.video(0, &metadata(b"hvc1", 18.0));
    own.video(0, &with_prefix(b"\x93hvc1", &hevc_nal(19)));
    assert_eq!(last_tracks(&own).video.unwrap().colour, Some(told(16)));
}

#[test]
fn ts7_nanoseconds_move_the_presentation_only() {
    let mut bench = Bench::new();
    bench.audio_header(&STEREO_48K);
    bench.video(0, &with_prefix(b"\x90av01", &start_of("av1")));
    bench.video(0, AV1_KEY);
    bench.video(33, b"\xA7\x02\x05\x16\x15\x01av01\x32\x02\x30\x07");
    let unit = bench.units(TrackKind::Video)[1];
    assert_eq!(unit.dts.ticks(), START + 33 * 90);
    assert_eq!(unit.pts.ticks(), START + 33 * 90 + 29, "333333 ns are 29 ticks");
}
