//! How NAL units stand in a payload: lengths before them or start codes between them; and the one
//! form that leaves this server, lengths of four bytes (AV-2, AV-3, AV-4, CM-12).

use std::ops::Range;

use bytes::{BufMut, Bytes, BytesMut};
use thiserror::Error;

use super::annexb;
use crate::limits;

/// Bytes of each NAL length field (AVC-FF §5.3.3.1): 1, 2 or 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LengthSize {
    /// 8 bits.
    One,
    /// 16 bits.
    Two,
    /// 32 bits: what nearly every encoder sends and what leaves this server.
    Four,
}

impl LengthSize {
    /// From lengthSizeMinusOne; 2 is not legal.
    pub const fn from_minus_one(value: u8) -> Option<Self> {
        match value & 3 {
            0 => Some(Self::One),
            1 => Some(Self::Two),
            3 => Some(Self::Four),
            _ => None,
        }
    }

    const fn bytes(self) -> usize {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
        }
    }
}

/// How NAL units are told apart inside a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Each has its length before it.
    Lengths(LengthSize),
    /// Start codes.
    AnnexB,
}

impl Framing {
    /// Decides from the first payload of a connection (AV-3): Annex B when it begins with a start
    /// code and cannot be read as lengths. `None` when the payload holds no NAL unit at all.
    pub fn detect(payload: &[u8], announced: LengthSize) -> Option<Self> {
        let lengths = Self::Lengths(announced);
        match nal_ranges(payload, lengths) {
            Ok(ranges) if ranges.is_empty() => None,
            Ok(_) => Some(lengths),
            Err(_) if annexb::starts_with_start_code(payload) => Some(Self::AnnexB),
            Err(_) => Some(lengths),
        }
    }
}

/// Why a payload is dropped. The peer's fault; the broadcast goes on (AV-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FramingError {
    /// A NAL length reaches past the end of the tag.
    #[error("a NAL unit of {len} bytes stands where {left} are left")]
    Length {
        /// Announced bytes.
        len: usize,
        /// Bytes left in the payload.
        left: usize,
    },
    /// More NAL units than one picture may have.
    #[error("more than {} NAL units in one picture", limits::NALS_PER_PICTURE_MAX)]
    TooMany,
}

/// The NAL units that are not empty, in order.
pub fn nal_ranges(payload: &[u8], framing: Framing) -> Result<Vec<Range<usize>>, FramingError> {
    let mut ranges = Vec::new();
    match framing {
        Framing::AnnexB => {
            for range in annexb::split(payload) {
                push(&mut ranges, range)?;
            }
        }
        Framing::Lengths(size) => {
            let mut at = 0;
            // Fewer bytes than a length field at the end are padding (AV-4).
            while let Some(field) = payload.get(at..at + size.bytes()) {
                at += size.bytes();
                let len = field.iter().fold(0, |len, &byte| len << 8 | usize::from(byte));
                let left = payload.len() - at;
                if len > left {
                    return Err(FramingError::Length { len, left });
                }
                if len > 0 {
                    push(&mut ranges, at..at + len)?;
                }
                at += len;
            }
        }
    }
    Ok(ranges)
}

fn push(ranges: &mut Vec<Range<usize>>, range: Range<usize>) -> Result<(), FramingError> {
    if ranges.len() == limits::NALS_PER_PICTURE_MAX {
        return Err(FramingError::TooMany);
    }
    ranges.push(range);
    Ok(())
}

/// The NAL units at `kept` as one sample; shares the payload's memory when nothing has to change.
pub fn with_four_byte_lengths(payload: &Bytes, framing: Framing, kept: &[Range<usize>]) -> Bytes {
    let len = kept.iter().map(|range| 4 + range.len()).sum();
    if framing == Framing::Lengths(LengthSize::Four) && len == payload.len() {
        return payload.clone();
    }
    let mut out = BytesMut::with_capacity(len);
    for range in kept {
        let nal = payload.get(range.clone()).unwrap_or_default();
        // A payload is at most a 24-bit message, so its pieces fit 32 bits.
        out.put_u32(u32::try_from(nal.len()).unwrap_or(u32::MAX));
        out.put_slice(nal);
    }
    out.freeze()
}
