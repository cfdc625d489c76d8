//! NAL unit types and emulation prevention (H.264 §7.3.1, §7.4.1, table 7-1).

use std::borrow::Cow;

/// What a NAL unit holds, from its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NalKind {
    /// Slice of a picture that is not IDR, or a data partition of one (1..=4).
    Slice,
    /// Slice of an IDR picture (5): decoding can start here.
    Idr,
    /// Supplemental enhancement information (6): captions, recovery points.
    Sei,
    /// Sequence parameter set (7).
    Sps,
    /// Picture parameter set (8).
    Pps,
    /// Access unit delimiter (9).
    Delimiter,
    /// End of sequence (10).
    EndOfSequence,
    /// End of stream (11).
    EndOfStream,
    /// Filler data (12): padding of constant bit rate encoders.
    Filler,
    /// SPS extension (13).
    SpsExtension,
    /// Reserved, unspecified, or an extension this room does not look into.
    Other(u8),
}

impl NalKind {
    /// From the NAL unit header byte; `None` when the forbidden bit is set.
    pub const fn of(header: u8) -> Option<Self> {
        if header & 0x80 != 0 {
            return None;
        }
        Some(match header & 0x1F {
            1..=4 => Self::Slice,
            5 => Self::Idr,
            6 => Self::Sei,
            7 => Self::Sps,
            8 => Self::Pps,
            9 => Self::Delimiter,
            10 => Self::EndOfSequence,
            11 => Self::EndOfStream,
            12 => Self::Filler,
            13 => Self::SpsExtension,
            other => Self::Other(other),
        })
    }

    /// Holds coded picture bits (VCL).
    pub const fn is_picture(self) -> bool {
        matches!(self, Self::Slice | Self::Idr)
    }
}

/// The payload of a NAL unit (header byte excluded) without emulation prevention bytes (§7.4.1).
pub fn rbsp(payload: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = payload.windows(3).position(|three| three == [0, 0, 3]) else {
        return Cow::Borrowed(payload);
    };
    let mut clean = Vec::with_capacity(payload.len());
    let (head, rest) = payload.split_at(first);
    clean.extend_from_slice(head);
    let mut zeros = 0;
    for &byte in rest {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        clean.push(byte);
    }
    Cow::Owned(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emulation_prevention_is_removed_wherever_it_stands() {
        for (name, coded, clean) in [
            ("none", &[1, 2, 3][..], &[1, 2, 3][..]),
            ("inside", &[1, 0, 0, 3, 1], &[1, 0, 0, 1]),
            ("at the start", &[0, 0, 3, 0, 0, 3, 2], &[0, 0, 0, 0, 2]),
            ("at the end", &[5, 0, 0, 3], &[5, 0, 0]),
            ("a real three", &[0, 3, 0, 3], &[0, 3, 0, 3]),
            ("twice in a run", &[0, 0, 3, 3], &[0, 0, 3]),
            ("empty", &[], &[]),
        ] {
            assert_eq!(rbsp(coded).as_ref(), clean, "{name}");
        }
    }

    #[test]
    fn kinds_come_from_the_low_five_bits() {
        assert_eq!(NalKind::of(0x65), Some(NalKind::Idr));
        assert_eq!(NalKind::of(0x01), Some(NalKind::Slice));
        assert_eq!(NalKind::of(0x67), Some(NalKind::Sps));
        assert_eq!(NalKind::of(0x0C), Some(NalKind::Filler));
        assert_eq!(NalKind::of(0x74), Some(NalKind::Other(20)));
        assert_eq!(NalKind::of(0xE5), None);
    }
}
