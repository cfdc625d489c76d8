//! One FLV video payload to one CMAF sample: four-byte lengths and nothing a sample must not hold.
//!
//! Length-prefixed payloads (any legal length size) and Annex B come in (AV-2, AV-3). Parameter
//! sets, delimiters, filler, end markers and empty NAL units are left out (CM-12, AV-4); parameter
//! sets are handed out beside the sample (AV-5). IDR is told by NAL type, never by the tag (AV-7).
//! When nothing has to change, the sample shares the payload's memory.

use std::ops::Range;

use bytes::{BufMut, Bytes, BytesMut};
use thiserror::Error;

use super::annexb;
use super::nal::NalKind;
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

/// A payload made ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodedPicture {
    /// NAL units with four-byte lengths; empty when the payload held no picture.
    pub payload: Bytes,
    /// The picture is IDR: every slice can be decoded without an earlier picture.
    pub idr: bool,
    /// SPS NAL units found inside, headers included.
    pub sps: Vec<Bytes>,
    /// PPS NAL units found inside, headers included.
    pub pps: Vec<Bytes>,
}

/// Why a payload is dropped. The peer's fault; the broadcast goes on (AV-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AccessUnitError {
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

/// Reads one payload; see the module's text for what is left out.
pub fn normalise(payload: &Bytes, framing: Framing) -> Result<CodedPicture, AccessUnitError> {
    let ranges = nal_ranges(payload, framing)?;
    let mut picture =
        CodedPicture { payload: Bytes::new(), idr: false, sps: Vec::new(), pps: Vec::new() };
    let mut kept: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    let mut first_slice = None;
    for range in ranges {
        let Some(kind) = payload.get(range.start).and_then(|&header| NalKind::of(header)) else {
            continue;
        };
        match kind {
            NalKind::Sps => picture.sps.push(payload.slice(range)),
            NalKind::Pps => picture.pps.push(payload.slice(range)),
            NalKind::Slice | NalKind::Idr => {
                first_slice.get_or_insert(kind);
                kept.push(range);
            }
            NalKind::Sei | NalKind::Other(_) => kept.push(range),
            NalKind::Delimiter
            | NalKind::EndOfSequence
            | NalKind::EndOfStream
            | NalKind::Filler
            | NalKind::SpsExtension => {}
        }
    }
    if let Some(kind) = first_slice {
        picture.idr = kind == NalKind::Idr;
        picture.payload = with_four_byte_lengths(payload, framing, &kept);
    }
    Ok(picture)
}

/// The NAL units that are not empty, in order.
pub(crate) fn nal_ranges(
    payload: &[u8],
    framing: Framing,
) -> Result<Vec<Range<usize>>, AccessUnitError> {
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
                    return Err(AccessUnitError::Length { len, left });
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

fn push(ranges: &mut Vec<Range<usize>>, range: Range<usize>) -> Result<(), AccessUnitError> {
    if ranges.len() == limits::NALS_PER_PICTURE_MAX {
        return Err(AccessUnitError::TooMany);
    }
    ranges.push(range);
    Ok(())
}

/// The NAL units at `kept` as one sample; shares the payload's memory when nothing has to change.
pub(crate) fn with_four_byte_lengths(
    payload: &Bytes,
    framing: Framing,
    kept: &[Range<usize>],
) -> Bytes {
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

#[cfg(test)]
mod tests {
    use super::*;

    const FOUR: Framing = Framing::Lengths(LengthSize::Four);

    #[test]
    fn payloads_of_every_framing_become_the_same_sample() {
        let sample: &[u8] = &[0, 0, 0, 2, 0x65, 7, 0, 0, 0, 3, 0x06, 5, 4];
        let cases: &[(&str, Framing, &[u8])] = &[
            ("four bytes", FOUR, sample),
            ("two", Framing::Lengths(LengthSize::Two), &[0, 2, 0x65, 7, 0, 3, 6, 5, 4]),
            ("one", Framing::Lengths(LengthSize::One), &[2, 0x65, 7, 3, 6, 5, 4]),
            ("Annex B", Framing::AnnexB, &[0, 0, 0, 1, 0x65, 7, 0, 0, 1, 6, 5, 4]),
            (
                "AV-4: zero-length units at start, middle and end",
                FOUR,
                &[0, 0, 0, 0, 0, 0, 0, 2, 0x65, 7, 0, 0, 0, 0, 0, 0, 0, 3, 6, 5, 4, 0, 0, 0, 0],
            ),
            ("AV-4: trailing bytes", FOUR, &[0, 0, 0, 2, 0x65, 7, 0, 0, 0, 3, 6, 5, 4, 0, 0, 0]),
            (
                "CM-12: delimiter, filler and end of stream",
                FOUR,
                &[
                    0, 0, 0, 2, 9, 0xF0, 0, 0, 0, 2, 0x65, 7, 0, 0, 0, 2, 12, 0xFF, 0, 0, 0, 3, 6,
                    5, 4, 0, 0, 0, 1, 11,
                ],
            ),
        ];
        for (name, framing, payload) in cases {
            let picture = normalise(&Bytes::copy_from_slice(payload), *framing).expect(name);
            assert_eq!(picture.payload, sample, "{name}");
            assert!(picture.idr, "{name}");
        }
    }

    #[test]
    fn an_untouched_payload_is_shared() {
        let payload = Bytes::from_static(&[0, 0, 0, 2, 0x41, 7]);
        let picture = normalise(&payload, FOUR).unwrap();
        assert_eq!(picture.payload.as_ptr(), payload.as_ptr());
        assert!(!picture.idr);
    }

    #[test]
    fn parameter_sets_leave_by_the_side_door() {
        let payload =
            Bytes::from_static(&[0, 0, 0, 2, 0x67, 1, 0, 0, 0, 2, 0x68, 2, 0, 0, 0, 2, 0x65, 3]);
        let picture = normalise(&payload, FOUR).unwrap();
        assert_eq!(picture.sps, [&[0x67, 1][..]]);
        assert_eq!(picture.pps, [&[0x68, 2][..]]);
        assert_eq!(picture.payload, &[0, 0, 0, 2, 0x65, 3][..]);
        let no_picture = normalise(&payload.slice(..12), FOUR).unwrap();
        assert!(no_picture.payload.is_empty() && no_picture.sps.len() == 1);
    }

    #[test]
    fn a_length_past_the_end_drops_the_picture() {
        let payload = Bytes::from_static(&[0, 0, 0, 9, 0x65, 3]);
        assert_eq!(normalise(&payload, FOUR), Err(AccessUnitError::Length { len: 9, left: 2 }));
        let flood = vec![1_u8; 2 * (limits::NALS_PER_PICTURE_MAX + 1)];
        let one = Framing::Lengths(LengthSize::One);
        assert_eq!(normalise(&flood.into(), one), Err(AccessUnitError::TooMany));
    }

    #[test]
    fn framing_is_detected_only_when_lengths_are_impossible() {
        let cases: &[(&str, &[u8], Option<Framing>)] = &[
            ("lengths", &[0, 0, 0, 2, 0x65, 7], Some(FOUR)),
            ("a one-byte unit looks like a start code", &[0, 0, 0, 1, 9], Some(FOUR)),
            ("start code", &[0, 0, 0, 1, 0x65, 7, 8, 9, 10], Some(Framing::AnnexB)),
            ("short start code", &[0, 0, 1, 0x65, 7, 8], Some(Framing::AnnexB)),
            ("broken lengths", &[0, 9, 0, 2, 0x65, 7], Some(FOUR)),
            ("empty", &[], None),
            ("only empty units", &[0, 0, 0, 0], None),
        ];
        for (name, payload, expected) in cases {
            assert_eq!(Framing::detect(payload, LengthSize::Four), *expected, "{name}");
        }
    }
}
