//! Audio message bodies (FLV E.4.2, AA-1).
//!
//! ```text
//! u8 format(4) rate(2) size(1) type(1) | format 10: u8 packet type | payload
//! ```
//!
//! Rate, size and type say nothing about AAC and are not read (SRS #1636).

use bytes::Bytes;

use super::codec_tag::CodecTag;
use super::enhanced::EnhancedHeader;
use crate::cursor::{Cursor, UnexpectedEnd};

/// One audio message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AudioTag {
    /// AAC sequence header: an AudioSpecificConfig, perhaps empty (AA-4).
    SequenceHeader(Bytes),
    /// One AAC access unit, perhaps empty (AA-4), perhaps in ADTS (AA-6).
    Raw(Bytes),
    /// An AAC packet type no encoder sends, or an enhanced message about silence.
    Ignored,
    /// Another codec under a classic header.
    Other(CodecTag),
    /// An Enhanced RTMP header.
    Enhanced(EnhancedHeader),
}

const ENHANCED: u8 = 9;
const AAC: u8 = 10;
const ENHANCED_MULTITRACK: u8 = 5;

impl AudioTag {
    /// Splits a message body; the payload shares its memory.
    pub fn parse(body: &Bytes) -> Result<Self, UnexpectedEnd> {
        let mut cursor = Cursor::new(body);
        let first = cursor.u8()?;
        match first >> 4 {
            ENHANCED => EnhancedHeader::parse(&mut cursor, first & 0x0F, ENHANCED_MULTITRACK)
                .map(Self::Enhanced),
            AAC => {
                let packet_type = cursor.u8()?;
                let payload = body.slice(body.len() - cursor.len()..);
                Ok(match packet_type {
                    0 => Self::SequenceHeader(payload),
                    1 => Self::Raw(payload),
                    _ => Self::Ignored,
                })
            }
            format => Ok(Self::Other(CodecTag::Audio(format))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::codec_tag::FourCc;
    use super::*;

    #[test]
    fn aa1_headers_split_without_reading_the_rate() {
        let cases: &[(&str, &[u8], AudioTag)] = &[
            ("header", &[0xAF, 0, 0x12, 0x10], AudioTag::SequenceHeader(vec![0x12, 0x10].into())),
            ("mono bits", &[0xA0, 1, 5], AudioTag::Raw(vec![5].into())),
            ("AA-4: empty header", &[0xAF, 0], AudioTag::SequenceHeader(Bytes::new())),
            ("AA-4: empty unit", &[0xAF, 1], AudioTag::Raw(Bytes::new())),
            ("unknown packet type", &[0xAF, 7, 1], AudioTag::Ignored),
            ("AA-8: MP3", &[0x2F, 1], AudioTag::Other(CodecTag::Audio(2))),
            ("AA-8: Speex", &[0xB6], AudioTag::Other(CodecTag::Audio(11))),
            (
                "enhanced",
                b"\x90Opus",
                AudioTag::Enhanced(EnhancedHeader { four_cc: FourCc(*b"Opus"), track: 0 }),
            ),
            (
                "OBS extra track",
                b"\x95\x01mp4a\x01\x21",
                AudioTag::Enhanced(EnhancedHeader { four_cc: FourCc::AAC, track: 1 }),
            ),
        ];
        for (name, body, expected) in cases {
            let parsed = AudioTag::parse(&Bytes::copy_from_slice(body));
            assert_eq!(parsed.as_ref(), Ok(expected), "{name}");
        }
        for short in [&[][..], &[0xAF], &[0x90, b'O']] {
            assert!(AudioTag::parse(&Bytes::copy_from_slice(short)).is_err(), "{short:?}");
        }
    }
}
