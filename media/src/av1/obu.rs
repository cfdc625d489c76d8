//! Open bitstream units (AV1 §5.3, §6.2): what stands in a row inside a temporal unit.
//!
//! ```text
//! 0(1) type(4) extension(1) has_size(1) 0(1) | extension: layers(8) | has_size: leb128 size |
//! payload
//! ```

use std::ops::Range;

use thiserror::Error;

/// What an OBU holds (AV1 §6.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObuKind {
    /// Sequence header (1).
    SequenceHeader,
    /// Temporal delimiter (2).
    TemporalDelimiter,
    /// Frame header (3), or its repetition (7).
    FrameHeader,
    /// Frame header and tiles in one (6).
    Frame,
    /// Tile list (8): large scale tiles, not for streaming.
    TileList,
    /// Padding (15).
    Padding,
    /// Tile group, metadata, or reserved.
    Other(u8),
}

impl ObuKind {
    const fn of(header: u8) -> Self {
        match header >> 3 & 0x0F {
            1 => Self::SequenceHeader,
            2 => Self::TemporalDelimiter,
            3 | 7 => Self::FrameHeader,
            6 => Self::Frame,
            8 => Self::TileList,
            15 => Self::Padding,
            other => Self::Other(other),
        }
    }
}

/// One OBU as ranges of the bytes it was found in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obu {
    /// What it holds.
    pub kind: ObuKind,
    /// Header, extension and size field.
    pub head: Range<usize>,
    /// The payload.
    pub payload: Range<usize>,
    /// The header announced the size; otherwise the payload goes to the end.
    pub has_size: bool,
}

impl Obu {
    /// The whole OBU.
    pub const fn range(&self) -> Range<usize> {
        self.head.start..self.payload.end
    }
}

/// Why bytes are no row of OBUs. The peer's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ObuError {
    /// The forbidden bit of a header is set.
    #[error("an OBU header is {0:#04x}, with the forbidden bit set")]
    Header(u8),
    /// The bytes end inside a header or a size field, or the size is not a number of 32 bits.
    #[error("an OBU header is cut short or has no legal size")]
    Size,
    /// A size reaches past the end.
    #[error("an OBU of {len} bytes stands where {left} are left")]
    Length {
        /// Announced bytes.
        len: usize,
        /// Bytes left.
        left: usize,
    },
}

/// The OBUs of a byte string in the low-overhead format.
#[derive(Debug, Clone)]
pub struct Obus<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Starts at the first byte.
pub const fn walk(bytes: &[u8]) -> Obus<'_> {
    Obus { bytes, at: 0 }
}

impl Obus<'_> {
    fn read(&self, start: usize, header: u8) -> Result<Obu, ObuError> {
        const FORBIDDEN: u8 = 0x80;
        const EXTENSION: u8 = 0x04;
        const HAS_SIZE: u8 = 0x02;
        if header & FORBIDDEN != 0 {
            return Err(ObuError::Header(header));
        }
        let mut at = start + 1 + usize::from(header & EXTENSION != 0);
        let rest = self.bytes.get(at..).ok_or(ObuError::Size)?;
        let has_size = header & HAS_SIZE != 0;
        let len = if has_size {
            let (len, width) = read_leb128(rest).ok_or(ObuError::Size)?;
            at += width;
            len
        } else {
            rest.len()
        };
        let left = self.bytes.len() - at;
        if len > left {
            return Err(ObuError::Length { len, left });
        }
        Ok(Obu { kind: ObuKind::of(header), head: start..at, payload: at..at + len, has_size })
    }
}

impl Iterator for Obus<'_> {
    type Item = Result<Obu, ObuError>;

    fn next(&mut self) -> Option<Self::Item> {
        let header = *self.bytes.get(self.at)?;
        let obu = self.read(self.at, header);
        // After an error nothing that follows can be found.
        self.at = obu.as_ref().map_or(self.bytes.len(), |obu| obu.payload.end);
        Some(obu)
    }
}

/// A leb128 number below 2^32 and how many bytes it took (§4.10.5).
fn read_leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0_u64;
    for (index, &byte) in (0..8_u32).zip(bytes) {
        value |= u64::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            let value = u32::try_from(value).ok()?;
            return Some((value as usize, index as usize + 1));
        }
    }
    None
}

/// Appends a number in as few bytes as it needs.
pub(super) fn put_leb128(out: &mut Vec<u8>, mut value: usize) {
    while value > 0x7F {
        out.push((value & 0x7F) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn obus_with_and_without_sizes_and_extensions() {
        let bytes = [0x12, 0, 0x0A, 2, 7, 8, 0x36, 0x08, 1, 9, 0x30, 5, 6];
        let obus: Vec<Obu> = walk(&bytes).map(Result::unwrap).collect();
        let expected = [
            Obu { kind: ObuKind::TemporalDelimiter, head: 0..2, payload: 2..2, has_size: true },
            Obu { kind: ObuKind::SequenceHeader, head: 2..4, payload: 4..6, has_size: true },
            Obu { kind: ObuKind::Frame, head: 6..9, payload: 9..10, has_size: true },
            Obu { kind: ObuKind::Frame, head: 10..11, payload: 11..13, has_size: false },
        ];
        assert_eq!(obus, expected);
        for (bytes, error) in [
            (&[0x92, 0][..], ObuError::Header(0x92)),
            (&[0x0A], ObuError::Size),
            (&[0x0A, 0x80], ObuError::Size),
            (&[0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 1], ObuError::Size),
            (&[0x0E], ObuError::Size),
            (&[0x0A, 3, 1], ObuError::Length { len: 3, left: 1 }),
        ] {
            let all: Vec<_> = walk(bytes).collect();
            assert_eq!(all, [Err(error)], "{bytes:?}");
        }
    }

    #[test]
    fn sizes_survive_being_written() {
        for value in [0, 1, 127, 128, 300, 16_383, 16_384, 1 << 24, u32::MAX as usize] {
            let mut out = Vec::new();
            put_leb128(&mut out, value);
            assert_eq!(read_leb128(&out), Some((value, out.len())));
        }
    }
}
