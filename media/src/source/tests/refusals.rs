//! What is turned away (AV-9, AA-8).

use super::*;

#[test]
fn what_cannot_be_packaged_is_refused_with_a_setting_to_change() {
    let hvcc = [&[0x17, 0, 0, 0, 0, 1, 1][..], &[0; 20], &[3, 0xA0, 0, 1, 0, 2, 0x40, 1]].concat();
    let video: [(&[u8], &str); 8] = [
        (&[0x1C, 0, 0, 0, 0, 9], "HEVC configuration record has version 9"),
        (&hvcc, "HEVC labelled as H.264"),
        (b"\x90hvc1\x01", "HEVC configuration record is cut short"),
        (b"\x90av01\x82\0\0\0", "AV1 configuration record begins with 0x82"),
        (b"\x91vp09\x82", "VP9 (vp09)"),
        (b"\x90vp08", "VP8 (vp08)"),
        (b"\x90vvc1", "VVC (vvc1)"),
        (&[0x22, 0], "Sorenson H.263"),
    ];
    for (body, text) in video {
        let refusal = Bench::new().try_video(0, body).unwrap_err().to_string();
        assert!(refusal.contains(text) && refusal.contains("encoder"), "{refusal}");
    }
    let audio: [(&[u8], &str); 8] = [
        (&[0xB2, 0], "Speex"),
        (&[0x72, 0], "G.711"),
        (&[0x3F, 0], "PCM"),
        (&[0x52, 0], "Nellymoser"),
        (b"\x90OpusOpus", "the Opus header is cut short"),
        (b"\x90fLaCflac\0\0\0\x22", "does not begin with \"fLaC\""),
        (b"\x91ec-3\x0B\x77\x40\x31\x3F\x80", "more than one substream"),
        (&[0xAF, 0, 0xF9, 0x46, 0x40], "AAC object type 42"),
    ];
    for (body, text) in audio {
        let refusal = Bench::new().try_audio(0, body).unwrap_err().to_string();
        assert!(refusal.contains(text) && refusal.contains("encoder"), "{refusal}");
    }
}

#[test]
fn further_enhanced_tracks_are_left_out() {
    let mut bench = Bench::with_headers("main");
    bench.idr(0);
    bench.try_audio(0, b"\x95\x01mp4a\x01\x21\x09").unwrap();
    bench.video(0, b"\x96\x01avc1\x01\x00\x00\x00");
    assert_eq!(bench.source.counters().extra_tracks, 2);
    assert_eq!(bench.notices(), [Notice::ExtraTracks]);
}
