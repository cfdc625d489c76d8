//! One FLV video payload to one CMAF sample: four-byte lengths and nothing a sample must not hold.
//!
//! Parameter sets, delimiters, filler, end markers and empty NAL units are left out (CM-12, AV-4);
//! parameter sets are handed out beside the sample (AV-5). What kind of picture it is follows from
//! its first slice, never from the tag (AV-7).

use std::ops::Range;

use bytes::Bytes;

use super::nal::NalKind;
use crate::nal::{Framing, FramingError, nal_ranges, with_four_byte_lengths};

/// A payload made ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodedPicture {
    /// NAL units with four-byte lengths; empty when the payload held no picture.
    pub payload: Bytes,
    /// Kind of the first slice: one of the picture kinds of [`NalKind`]; `None` without a slice.
    pub kind: Option<NalKind>,
    /// VPS, SPS and PPS NAL units found inside, headers included, in order.
    pub parameter_sets: Vec<Bytes>,
}

/// Reads one payload; see the module's text for what is left out.
pub fn normalise(payload: &Bytes, framing: Framing) -> Result<CodedPicture, FramingError> {
    let ranges = nal_ranges(payload, framing)?;
    let mut kept: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    let mut parameter_sets = Vec::new();
    let mut first_slice = None;
    for range in ranges {
        let Some(kind) = NalKind::of(payload.get(range.clone()).unwrap_or_default()) else {
            continue;
        };
        match kind {
            NalKind::Vps | NalKind::Sps | NalKind::Pps => parameter_sets.push(payload.slice(range)),
            NalKind::Slice
            | NalKind::SkippedLeading
            | NalKind::Idr
            | NalKind::BrokenLink
            | NalKind::CleanRandomAccess => {
                first_slice.get_or_insert(kind);
                kept.push(range);
            }
            NalKind::Sei | NalKind::Other(_) => kept.push(range),
            NalKind::Delimiter | NalKind::End | NalKind::Filler => {}
        }
    }
    let payload = match first_slice {
        Some(_) => with_four_byte_lengths(payload, framing, &kept),
        None => Bytes::new(),
    };
    Ok(CodedPicture { payload, kind: first_slice, parameter_sets })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nal::LengthSize;

    #[test]
    fn cm12_sets_and_delimiters_leave_and_the_first_slice_names_the_picture() {
        /// Name, NAL units, sample, kind of the picture, parameter sets beside it.
        type Case = (&'static str, &'static [&'static [u8]], &'static [u8], Option<NalKind>, usize);
        let cases: &[Case] = &[
            (
                "CRA with everything",
                &[
                    &[0x46, 1, 0x10],
                    &[0x40, 1, 2],
                    &[0x42, 1, 2],
                    &[0x44, 1, 2],
                    &[0x4E, 1, 5],
                    &[0x2A, 1, 9],
                    &[0x2A, 1, 8],
                    &[0x4C, 1],
                    &[0x48, 1],
                ],
                &[0, 0, 0, 3, 0x4E, 1, 5, 0, 0, 0, 3, 0x2A, 1, 9, 0, 0, 0, 3, 0x2A, 1, 8],
                Some(NalKind::CleanRandomAccess),
                3,
            ),
            ("RASL", &[&[0x12, 1, 7]], &[0, 0, 0, 3, 0x12, 1, 7], Some(NalKind::SkippedLeading), 0),
            ("only sets", &[&[0x42, 1, 2]], &[], None, 1),
            ("only SEI", &[&[0x4E, 1, 5]], &[], None, 0),
            ("a header cut short", &[&[0x26]], &[], None, 0),
        ];
        for (name, nals, sample, kind, sets) in cases {
            let mut lengths = Vec::new();
            let mut start_codes = Vec::new();
            for nal in *nals {
                lengths.extend((nal.len() as u32).to_be_bytes());
                lengths.extend(*nal);
                start_codes.extend([0, 0, 0, 1]);
                start_codes.extend(*nal);
            }
            let four = Framing::Lengths(LengthSize::Four);
            for (bytes, framing) in [(lengths, four), (start_codes, Framing::AnnexB)] {
                let picture = normalise(&bytes.into(), framing).expect(name);
                assert_eq!(picture.payload, *sample, "{name}");
                assert_eq!(picture.kind, *kind, "{name}");
                assert_eq!(picture.parameter_sets.len(), *sets, "{name}");
            }
        }
    }
}
