//! Video message bodies: classic (FLV E.4.3, AV-1, AV-9) and Enhanced RTMP (E-RTMP, ER-1 to ER-6).
//!
//! ```text
//! classic:  u8 frame type(4) codec id(4) | codec 7, 12: u8 packet type, s24 composition time |
//! payload enhanced: see super::enhanced; bodies of H.264, HEVC and VVC frames begin with the
//! composition
//!           time unless the packet type is CodedFramesX
//! ```

use bytes::Bytes;

use super::codec_tag::{CodecTag, FourCc};
use super::enhanced::{self, Modifiers, TagError, TrackPacket};
use crate::cursor::Cursor;

/// One video message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VideoTag {
    /// What it carries for each of its tracks; nothing in a player command.
    pub packets: Vec<VideoPacket>,
    /// Nanoseconds to add to the presentation times, 0..=999999 (TS-7).
    pub nanos: u32,
}

/// One track's share of a video message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoPacket {
    /// 0 is the default track and that of messages without tracks (ER-3).
    pub track: u8,
    /// The codec its body is written in.
    pub codec: CodecTag,
    /// What it says.
    pub body: VideoBody,
}

/// What a video packet says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VideoBody {
    /// The codec's configuration record, perhaps empty (AV-4).
    SequenceHeader(Bytes),
    /// Coded data.
    Frame {
        /// The tag calls it a key frame. The bit stream decides, not this (AV-7).
        keyframe: bool,
        /// PTS minus DTS in ms, signed (TS-2); 0 for codecs without.
        composition_time_ms: i32,
        /// NAL units, OBUs or a frame.
        payload: Bytes,
    },
    /// No more pictures of this header.
    EndOfSequence,
    /// AMF name and value pairs about colour (HDR).
    Metadata(Bytes),
    /// A packet type that no encoder sends, or a classic codec whose body is not read.
    Unread,
}

const COMMAND_FRAME: u8 = 5;
const KEY_FRAME: u8 = 1;
const AVC: u8 = 7;
const HEVC: u8 = 12;

impl VideoTag {
    /// Splits a message body; payloads share its memory.
    pub fn parse(body: &Bytes) -> Result<Self, TagError> {
        let mut cursor = Cursor::new(body);
        let first = cursor.u8()?;
        let (frame_type, low) = (first >> 4 & 0x07, first & 0x0F);
        if first & 0x80 != 0 {
            return Self::parse_enhanced(body, cursor, frame_type, low);
        }
        if frame_type == COMMAND_FRAME {
            return Ok(Self::default());
        }
        let body = match low {
            AVC | HEVC => parse_classic(body, cursor, frame_type == KEY_FRAME)?,
            _ => VideoBody::Unread,
        };
        let packet = VideoPacket { track: 0, codec: CodecTag::Video(low), body };
        Ok(Self { packets: vec![packet], nanos: 0 })
    }

    fn parse_enhanced(
        message: &Bytes,
        mut cursor: Cursor<'_>,
        frame_type: u8,
        packet_type: u8,
    ) -> Result<Self, TagError> {
        const METADATA: u8 = 4;
        const MULTITRACK: u8 = 6;
        let Modifiers { packet_type, nanos } = Modifiers::parse(&mut cursor, packet_type)?;
        if frame_type == COMMAND_FRAME && packet_type != METADATA {
            return Ok(Self::default());
        }
        let tracks = enhanced::packets(message, &mut cursor, packet_type, MULTITRACK)?;
        let keyframe = frame_type == KEY_FRAME;
        let packets: Result<_, TagError> =
            tracks.into_iter().map(|track| VideoPacket::of(track, keyframe)).collect();
        Ok(Self { packets: packets?, nanos })
    }
}

impl VideoPacket {
    fn of(packet: TrackPacket, keyframe: bool) -> Result<Self, TagError> {
        let TrackPacket { track, four_cc, packet_type, body } = packet;
        let has_composition_time = matches!(four_cc, FourCc::AVC | FourCc::HEVC | FourCc::VVC);
        let body = match packet_type {
            0 => VideoBody::SequenceHeader(body),
            1 if has_composition_time => {
                let mut cursor = Cursor::new(&body);
                let composition_time_ms = cursor.s24()?;
                let payload = body.slice(body.len() - cursor.len()..);
                VideoBody::Frame { keyframe, composition_time_ms, payload }
            }
            1 | 3 => VideoBody::Frame { keyframe, composition_time_ms: 0, payload: body },
            2 => VideoBody::EndOfSequence,
            4 => VideoBody::Metadata(body),
            _ => VideoBody::Unread,
        };
        Ok(Self { track, codec: CodecTag::FourCc(four_cc), body })
    }
}

/// What follows the first byte of H.264, and of HEVC sent in the same way (AV-9).
fn parse_classic(
    message: &Bytes,
    mut cursor: Cursor<'_>,
    keyframe: bool,
) -> Result<VideoBody, TagError> {
    const END: u8 = 2;
    let packet_type = cursor.u8()?;
    if packet_type == END {
        return Ok(VideoBody::EndOfSequence);
    }
    let composition_time_ms = cursor.s24()?;
    let payload = message.slice(message.len() - cursor.len()..);
    Ok(match packet_type {
        0 => VideoBody::SequenceHeader(payload),
        1 => VideoBody::Frame { keyframe, composition_time_ms, payload },
        _ => VideoBody::Unread,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;

    fn parse(body: &[u8]) -> Result<VideoTag, TagError> {
        VideoTag::parse(&Bytes::copy_from_slice(body))
    }

    fn packet(track: u8, codec: CodecTag, body: VideoBody) -> VideoPacket {
        VideoPacket { track, codec, body }
    }

    fn frame(keyframe: bool, composition_time_ms: i32, payload: &'static [u8]) -> VideoBody {
        VideoBody::Frame { keyframe, composition_time_ms, payload: Bytes::from_static(payload) }
    }

    fn header(record: &'static [u8]) -> VideoBody {
        VideoBody::SequenceHeader(Bytes::from_static(record))
    }

    #[test]
    fn av1_classic_headers() {
        let (avc, hevc) = (CodecTag::Video(7), CodecTag::Video(12));
        let cases: &[(&str, &[u8], CodecTag, VideoBody)] = &[
            ("header", &[0x17, 0, 0, 0, 0, 1, 2], avc, header(&[1, 2])),
            ("AV-4: empty header", &[0x17, 0, 0, 0, 0], avc, header(&[])),
            ("key picture", &[0x17, 1, 0, 0, 66, 9], avc, frame(true, 66, &[9])),
            ("TS-2: negative", &[0x27, 1, 0xFF, 0xFF, 0xD8, 9], avc, frame(false, -40, &[9])),
            ("disposable", &[0x37, 1, 0, 0, 0], avc, frame(false, 0, &[])),
            ("end", &[0x17, 2, 0, 0, 0], avc, VideoBody::EndOfSequence),
            ("end without a time", &[0x17, 2], avc, VideoBody::EndOfSequence),
            ("unknown packet type", &[0x17, 9, 0, 0, 0], avc, VideoBody::Unread),
            ("AV-9: HEVC", &[0x1C, 0, 0, 0, 0, 1], hevc, header(&[1])),
            ("AV-9: HEVC picture", &[0x2C, 1, 0, 0, 33, 7], hevc, frame(false, 33, &[7])),
            ("H.263", &[0x12], CodecTag::Video(2), VideoBody::Unread),
        ];
        for (name, body, codec, expected) in cases {
            let packets = vec![packet(0, *codec, expected.clone())];
            assert_eq!(parse(body), Ok(VideoTag { packets, nanos: 0 }), "{name}");
        }
        assert_eq!(parse(&[0x57, 0]), Ok(VideoTag::default()));
    }

    #[test]
    fn enhanced_packets_of_one_track() {
        let four_cc = |name: &[u8; 4]| CodecTag::FourCc(FourCc(*name));
        let info = VideoBody::Metadata(Bytes::from_static(b"\x02\x00\x09colorInfo"));
        let cases: &[(&str, &[u8], u8, CodecTag, VideoBody)] = &[
            ("sequence start", b"\x90hvc1\x01\x02", 0, four_cc(b"hvc1"), header(&[1, 2])),
            ("HEVC CTO", b"\x91hvc1\0\0\x21\x07", 0, four_cc(b"hvc1"), frame(true, 33, &[7])),
            ("HEVC X", b"\xA3hvc1\x07", 0, four_cc(b"hvc1"), frame(false, 0, &[7])),
            ("H.264 CTO", b"\xA1avc1\xFF\xFF\xFF", 0, four_cc(b"avc1"), frame(false, -1, &[])),
            (
                "AV1 never",
                b"\x91av01\x12\0\x0A",
                0,
                four_cc(b"av01"),
                frame(true, 0, b"\x12\0\x0A"),
            ),
            ("VP9 never", b"\x91vp09\x12", 0, four_cc(b"vp09"), frame(true, 0, b"\x12")),
            ("end", b"\x92av01", 0, four_cc(b"av01"), VideoBody::EndOfSequence),
            ("OBS HDR", b"\x84hvc1\x02\x00\x09colorInfo", 0, four_cc(b"hvc1"), info.clone()),
            ("command type", b"\xD4hvc1\x02\x00\x09colorInfo", 0, four_cc(b"hvc1"), info),
            ("MPEG-2 TS", b"\x95av01\x01", 0, four_cc(b"av01"), VideoBody::Unread),
            ("reserved", b"\x9Fav01\x01", 0, four_cc(b"av01"), VideoBody::Unread),
            ("unknown codec", b"\x91abcd\x01", 0, four_cc(b"abcd"), frame(true, 0, &[1])),
            ("one track", b"\x96\x01avc1\x01\0\0\0\x07", 1, four_cc(b"avc1"), frame(true, 0, &[7])),
        ];
        for (name, body, track, codec, expected) in cases {
            let packets = vec![packet(*track, *codec, expected.clone())];
            assert_eq!(parse(body), Ok(VideoTag { packets, nanos: 0 }), "{name}");
            for cut in 0..body.len() {
                let _ = parse(&body[..cut]);
            }
        }
        assert_eq!(parse(&[0xD1, 0]), Ok(VideoTag::default()), "a command has no FourCC");
    }

    #[test]
    fn er3_many_tracks_come_apart() {
        let (avc, hevc) = (CodecTag::FourCc(FourCc::AVC), CodecTag::FourCc(FourCc::HEVC));
        let one_codec = b"\x96\x13avc1\x02\0\0\x01\xAA\0\0\0\x02\xBB\xCC";
        let expected = vec![
            packet(2, avc, frame(true, 0, b"\xAA")),
            packet(0, avc, frame(true, 0, b"\xBB\xCC")),
        ];
        assert_eq!(parse(one_codec), Ok(VideoTag { packets: expected, nanos: 0 }));
        let codecs = b"\x96\x20avc1\x00\0\0\x01\xAAhvc1\x01\0\0\0";
        let expected = vec![packet(0, avc, header(b"\xAA")), packet(1, hevc, header(b""))];
        assert_eq!(parse(codecs), Ok(VideoTag { packets: expected, nanos: 0 }));
        for whole in [&one_codec[..], codecs] {
            for cut in 0..whole.len() {
                // A list may end after any track.
                assert!(parse(&whole[..cut]).is_err() || cut == 11, "{cut}");
            }
        }
    }

    #[test]
    fn er1_er2_layouts_that_break_a_rule_are_dropped_as_a_whole() {
        let modifier: &[u8] = &[0, 9, 0x17];
        let too_many = [&[0x97][..], &modifier.repeat(limits::MODIFIERS_MAX + 1)].concat();
        let tracks = [&b"\x96\x11avc1"[..], &[0, 0, 0, 0].repeat(257)].concat();
        for (name, body, error) in [
            (
                "reserved type",
                &b"\x96\x31avc1\0"[..],
                TagError::Multitrack { kind: 3, packet_type: 1 },
            ),
            ("nested", b"\x96\x06avc1\0", TagError::Multitrack { kind: 0, packet_type: 6 }),
            ("modifiers", &too_many, TagError::Modifiers),
            ("tracks", &tracks, TagError::Tracks),
        ] {
            assert_eq!(parse(body), Err(error), "{name}");
        }
    }

    #[test]
    fn ts7_er2_modifiers_of_every_length() {
        let av1 = |keyframe| packet(0, CodecTag::FourCc(FourCc::AV1), frame(keyframe, 0, &[5]));
        let long = [&[0x97, 0xFF, 0, 255][..], &[0; 256], &[0x11], b"av01\x05"].concat();
        let twice = b"\xA7\x00\x09\x17\x02\x07\xA1\x20\x01av01\x05";
        for (name, body, keyframe, nanos) in [
            ("nanoseconds", &b"\x97\x02\x07\xA1\x20\x01av01\x05"[..], true, 500_000),
            ("unknown type, then nanoseconds", twice, false, 500_000),
            ("u16 length", &long, true, 0),
            ("a millisecond and more", b"\x97\x02\x0F\x42\x40\x01av01\x05", true, 0),
            ("nanoseconds cut short", b"\x97\x01\x07\xA1\x01av01\x05", true, 0),
            ("length 255", &[&[0x97, 0xFE][..], &[0; 255], &[0x11], b"av01\x05"].concat(), true, 0),
        ] {
            let expected = VideoTag { packets: vec![av1(keyframe)], nanos };
            assert_eq!(parse(body), Ok(expected), "{name}");
            for cut in 0..body.len() - 1 {
                assert!(parse(&body[..cut]).is_err(), "{name} {cut}");
            }
        }
        assert_eq!(parse(b"\xD7\x00\x09\x11\x00"), Ok(VideoTag::default()), "command behind it");
    }

    #[test]
    fn cut_headers_are_errors() {
        for cut in 0..5 {
            assert!(parse(&[0x17, 1, 0, 0, 66][..cut]).is_err(), "{cut}");
        }
    }
}
