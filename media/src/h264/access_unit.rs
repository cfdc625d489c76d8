//! One FLV video payload to one CMAF sample: four-byte lengths and nothing a sample must not hold.
//!
//! Length-prefixed payloads (any legal length size) and Annex B come in (AV-2, AV-3). Parameter
//! sets, delimiters, filler, end markers and empty NAL units are left out (CM-12, AV-4); parameter
//! sets are handed out beside the sample (AV-5). IDR is told by NAL type, never by the tag (AV-7).
//! When nothing has to change, the sample shares the payload's memory.

use std::ops::Range;

use bytes::Bytes;

use super::nal::NalKind;
use crate::nal::{Framing, FramingError, nal_ranges, with_four_byte_lengths};

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

/// Reads one payload; see the module's text for what is left out.
pub fn normalise(payload: &Bytes, framing: Framing) -> Result<CodedPicture, FramingError> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;
    use crate::nal::LengthSize;

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
        assert_eq!(normalise(&payload, FOUR), Err(FramingError::Length { len: 9, left: 2 }));
        let flood = vec![1_u8; 2 * (limits::NALS_PER_PICTURE_MAX + 1)];
        let one = Framing::Lengths(LengthSize::One);
        assert_eq!(normalise(&flood.into(), one), Err(FramingError::TooMany));
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
