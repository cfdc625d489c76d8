//! Video message bodies (FLV E.4.3, AV-1).
//!
//! ```text
//! u8 frame type(4) codec id(4) | codec 7: u8 packet type, s24 composition time in ms | payload
//! ```

use bytes::Bytes;

use super::codec_tag::CodecTag;
use super::enhanced::EnhancedHeader;
use crate::cursor::{Cursor, UnexpectedEnd};

/// One video message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VideoTag {
    /// H.264 sequence header: an AVCDecoderConfigurationRecord, perhaps empty (AV-4).
    SequenceHeader(Bytes),
    /// H.264 coded data.
    Nalus {
        /// The tag calls it a key frame. The NAL types decide, not this (AV-7).
        keyframe: bool,
        /// PTS minus DTS in ms, signed (TS-2).
        composition_time_ms: i32,
        /// NAL units.
        payload: Bytes,
    },
    /// H.264 end of sequence: no more pictures of this header.
    EndOfSequence,
    /// Frame type 5, a player command, or a packet type no encoder sends: nothing to package.
    Command,
    /// Another codec under a classic header.
    Other(CodecTag),
    /// An Enhanced RTMP header.
    Enhanced(EnhancedHeader),
}

const COMMAND_FRAME: u8 = 5;
const KEY_FRAME: u8 = 1;
const AVC: u8 = 7;
const ENHANCED_METADATA: u8 = 4;
const ENHANCED_MULTITRACK: u8 = 6;

impl VideoTag {
    /// Splits a message body; the payload shares its memory.
    pub fn parse(body: &Bytes) -> Result<Self, UnexpectedEnd> {
        let mut cursor = Cursor::new(body);
        let first = cursor.u8()?;
        let (frame_type, low) = (first >> 4 & 0x07, first & 0x0F);
        if first & 0x80 != 0 {
            if frame_type == COMMAND_FRAME && low != ENHANCED_METADATA {
                return Ok(Self::Command);
            }
            return EnhancedHeader::parse(&mut cursor, low, ENHANCED_MULTITRACK)
                .map(Self::Enhanced);
        }
        if frame_type == COMMAND_FRAME {
            return Ok(Self::Command);
        }
        if low != AVC {
            return Ok(Self::Other(CodecTag::Video(low)));
        }
        let packet_type = cursor.u8()?;
        if packet_type == 2 {
            return Ok(Self::EndOfSequence);
        }
        let composition_time_ms = cursor.s24()?;
        let payload = body.slice(body.len() - cursor.len()..);
        Ok(match packet_type {
            0 => Self::SequenceHeader(payload),
            1 => Self::Nalus { keyframe: frame_type == KEY_FRAME, composition_time_ms, payload },
            _ => Self::Command,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::codec_tag::FourCc;
    use super::*;

    fn parse(body: &[u8]) -> Result<VideoTag, UnexpectedEnd> {
        VideoTag::parse(&Bytes::copy_from_slice(body))
    }

    fn nalus(keyframe: bool, composition_time_ms: i32, payload: &'static [u8]) -> VideoTag {
        VideoTag::Nalus { keyframe, composition_time_ms, payload: Bytes::from_static(payload) }
    }

    #[test]
    fn av1_classic_headers() {
        let cases: &[(&str, &[u8], VideoTag)] = &[
            (
                "header",
                &[0x17, 0, 0, 0, 0, 1, 2],
                VideoTag::SequenceHeader(Bytes::from_static(&[1, 2])),
            ),
            ("AV-4: empty header", &[0x17, 0, 0, 0, 0], VideoTag::SequenceHeader(Bytes::new())),
            ("key picture", &[0x17, 1, 0, 0, 66, 9], nalus(true, 66, &[9])),
            ("TS-2: negative", &[0x27, 1, 0xFF, 0xFF, 0xD8, 9], nalus(false, -40, &[9])),
            ("disposable", &[0x37, 1, 0, 0, 0], nalus(false, 0, &[])),
            ("end", &[0x17, 2, 0, 0, 0], VideoTag::EndOfSequence),
            ("end without a time", &[0x17, 2], VideoTag::EndOfSequence),
            ("command", &[0x57, 0], VideoTag::Command),
            ("unknown packet type", &[0x17, 9, 0, 0, 0], VideoTag::Command),
            ("AV-9: HEVC", &[0x1C, 0, 0, 0, 0], VideoTag::Other(CodecTag::Video(12))),
            ("H.263", &[0x12], VideoTag::Other(CodecTag::Video(2))),
        ];
        for (name, body, expected) in cases {
            assert_eq!(parse(body).as_ref(), Ok(expected), "{name}");
        }
    }

    #[test]
    fn enhanced_headers_name_codec_and_track() {
        let cases: &[(&str, &[u8], &[u8; 4], u8)] = &[
            ("sequence start", b"\x90hvc1\x01", b"hvc1", 0),
            ("key picture", b"\x91av01\x12\x00", b"av01", 0),
            ("OBS HDR metadata", b"\x84hvc1\x02\x00\x09colorInfo", b"hvc1", 0),
            ("one track", b"\x96\x01avc1\x01\x00\x00\x00", b"avc1", 1),
            ("many tracks", b"\x96\x11avc1\x02\x00\x00\x01\xAA\x00\x00\x00\x01\xBB", b"avc1", 0),
            (
                "many codecs",
                b"\x96\x21avc1\x02\x00\x00\x01\xAAhvc1\x01\x00\x00\x01\xBB",
                b"hvc1",
                1,
            ),
            ("modifier", b"\x97\x02\x07\xA1\x20\x01hvc1\x00\x00\x00", b"hvc1", 0),
        ];
        for (name, body, four_cc, track) in cases {
            let expected = EnhancedHeader { four_cc: FourCc(**four_cc), track: *track };
            assert_eq!(parse(body), Ok(VideoTag::Enhanced(expected)), "{name}");
            for cut in 0..body.len() {
                let _ = parse(&body[..cut]);
            }
        }
        assert_eq!(parse(&[0xD1, 0]), Ok(VideoTag::Command));
        let long = [&[0x97, 0xFF, 0, 255][..], &[0; 256], &[1], b"av01"].concat();
        let av1 = EnhancedHeader { four_cc: FourCc::AV1, track: 0 };
        assert_eq!(parse(&long), Ok(VideoTag::Enhanced(av1)));
    }

    #[test]
    fn cut_headers_are_errors() {
        for cut in 0..5 {
            assert!(parse(&[0x17, 1, 0, 0, 66][..cut]).is_err(), "{cut}");
        }
    }
}
