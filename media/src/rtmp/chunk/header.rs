//! Chunk headers (RTMP §5.3.1, CK-1 to CK-3).
//!
//! ```text
//! basic    format(2) id(6)            id 0: + 1 byte, 64 + b      id 1: + 2 bytes, 64 + b + 256·c
//! message  format 0   time 3, length 3, type 1, message stream 4 (little-endian)
//!          format 1   delta 3, length 3, type 1
//!          format 2   delta 3
//!          format 3   nothing
//! extended 4 bytes when the 24-bit time is FFFFFF; for format 3 the chunk stream's history decides
//! ```

use super::{ChunkStreamId, EXTENDED};
use crate::cursor::{Cursor, UnexpectedEnd};
use crate::rtmp::message::{MessageStreamId, MessageType};

/// Longest chunk header: 3 + 11 + 4.
pub(super) const HEADER_LEN_MAX: usize = 18;

/// Format and chunk stream of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BasicHeader {
    pub(super) format: u8,
    pub(super) id: ChunkStreamId,
}

impl BasicHeader {
    /// Long forms of small ids are fine (CK-1).
    pub(super) fn parse(input: &mut Cursor<'_>) -> Result<Self, UnexpectedEnd> {
        let first = input.u8()?;
        let id = match first & 0x3F {
            0 => 64 + u32::from(input.u8()?),
            1 => 64 + input.array().map(u16::from_le_bytes).map(u32::from)?,
            id => u32::from(id),
        };
        Ok(Self { format: first >> 6, id: ChunkStreamId(id) })
    }
}

/// The time field of a header and whether it stood in the extended field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct TimeField {
    pub(super) value: u32,
    pub(super) extended: bool,
}

/// What follows the basic header, by format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MessageHeader {
    /// Format 0.
    Full { time: TimeField, length: usize, kind: MessageType, stream: MessageStreamId },
    /// Format 1: the message stream stays.
    SameStream { delta: TimeField, length: usize, kind: MessageType },
    /// Format 2: length and type stay too.
    SameLength { delta: TimeField },
    /// Format 3: everything stays.
    Same,
}

impl MessageHeader {
    /// Extended time included, except for format 3.
    pub(super) fn parse(format: u8, input: &mut Cursor<'_>) -> Result<Self, UnexpectedEnd> {
        if format == 3 {
            return Ok(Self::Same);
        }
        let short_time = input.u24()?;
        if format == 2 {
            return Ok(Self::SameLength { delta: time_field(short_time, input)? });
        }
        let length = length(input.u24()?);
        let kind = MessageType::from_id(input.u8()?);
        if format == 1 {
            return Ok(Self::SameStream { delta: time_field(short_time, input)?, length, kind });
        }
        let stream = MessageStreamId(input.array().map(u32::from_le_bytes)?);
        Ok(Self::Full { time: time_field(short_time, input)?, length, kind, stream })
    }
}

fn time_field(short: u32, input: &mut Cursor<'_>) -> Result<TimeField, UnexpectedEnd> {
    if short == EXTENDED {
        Ok(TimeField { value: input.u32()?, extended: true })
    } else {
        Ok(TimeField { value: short, extended: false })
    }
}

/// 24 bits fit every usize this server runs on.
fn length(field: u32) -> usize {
    usize::try_from(field).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ck_1_ids_in_all_three_forms() {
        for (bytes, format, id) in [
            (&[0x02][..], 0, 2),
            (&[0xFF], 3, 63),
            (&[0x40, 0], 1, 64),
            (&[0x00, 255], 0, 319),
            (&[0x81, 0, 1], 2, 320),
            (&[0x01, 255, 255], 0, 65_599),
            (&[0x01, 0, 0], 0, 64),
        ] {
            let mut input = Cursor::new(bytes);
            let header = BasicHeader::parse(&mut input).unwrap();
            assert_eq!((header.format, header.id.0), (format, id));
            assert!(input.is_empty());
            assert!(BasicHeader::parse(&mut Cursor::new(&bytes[..bytes.len() - 1])).is_err());
        }
    }

    #[test]
    fn ck_2_ck_3_fields_by_format() {
        let kind = MessageType::Video;
        let stream = MessageStreamId(1);
        let short = TimeField { value: 0x010203, extended: false };
        let long = TimeField { value: 0x0100_0000, extended: true };
        let cases: [(u8, &[u8], MessageHeader); 5] = [
            (
                0,
                &[1, 2, 3, 0, 1, 0, 9, 1, 0, 0, 0],
                MessageHeader::Full { time: short, length: 256, kind, stream },
            ),
            (
                0,
                &[255, 255, 255, 0, 0, 7, 9, 1, 0, 0, 0, 1, 0, 0, 0],
                MessageHeader::Full { time: long, length: 7, kind, stream },
            ),
            (
                1,
                &[1, 2, 3, 0, 0, 7, 9],
                MessageHeader::SameStream { delta: short, length: 7, kind },
            ),
            (2, &[255, 255, 255, 1, 0, 0, 0], MessageHeader::SameLength { delta: long }),
            (3, &[], MessageHeader::Same),
        ];
        for (format, bytes, header) in cases {
            assert_eq!(MessageHeader::parse(format, &mut Cursor::new(bytes)), Ok(header));
            for cut in 0..bytes.len() {
                assert!(MessageHeader::parse(format, &mut Cursor::new(&bytes[..cut])).is_err());
            }
        }
    }
}
