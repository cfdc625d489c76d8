//! NAL unit types (HEVC §7.3.1.2, §7.4.2.2, table 7-1).

/// What a NAL unit holds, from its two header bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NalKind {
    /// Slice of a picture that others may need and that is no random access point (0..=7, 10..=15).
    Slice,
    /// Slice of a random access skipped leading picture (8, 9): it is shown before the random
    /// access picture that precedes it here, and needs pictures from before that one.
    SkippedLeading,
    /// Slice of an IDR picture (19, 20): decoding can start here and nothing after it looks back.
    Idr,
    /// Slice of a broken link picture (16..=18): as IDR, but skipped leading pictures may follow
    /// that can never be decoded.
    BrokenLink,
    /// Slice of a clean random access picture (21): decoding can start here if the skipped leading
    /// pictures after it are left out. What encoders with open GOPs send.
    CleanRandomAccess,
    /// Video parameter set (32).
    Vps,
    /// Sequence parameter set (33).
    Sps,
    /// Picture parameter set (34).
    Pps,
    /// Access unit delimiter (35).
    Delimiter,
    /// End of sequence (36) or of the bit stream (37).
    End,
    /// Filler data (38).
    Filler,
    /// Supplemental enhancement information before (39) or after (40) the slices.
    Sei,
    /// Reserved or unspecified.
    Other(u8),
}

/// Bytes of a NAL unit header.
pub const HEADER_BYTES: usize = 2;

impl NalKind {
    /// From the first bytes of a NAL unit; `None` when the header is cut or its forbidden bit is
    /// set.
    pub fn of(nal: &[u8]) -> Option<Self> {
        let &[first, _, ..] = nal else { return None };
        if first & 0x80 != 0 {
            return None;
        }
        Some(match first >> 1 {
            8 | 9 => Self::SkippedLeading,
            0..=15 => Self::Slice,
            16..=18 => Self::BrokenLink,
            19 | 20 => Self::Idr,
            21 => Self::CleanRandomAccess,
            32 => Self::Vps,
            33 => Self::Sps,
            34 => Self::Pps,
            35 => Self::Delimiter,
            36 | 37 => Self::End,
            38 => Self::Filler,
            39 | 40 => Self::Sei,
            other => Self::Other(other),
        })
    }

    /// nal_unit_type of the sets and messages a configuration record holds.
    pub(super) const fn array_type(self) -> Option<u8> {
        match self {
            Self::Vps => Some(32),
            Self::Sps => Some(33),
            Self::Pps => Some(34),
            Self::Sei => Some(39),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_come_from_six_bits_of_the_first_byte() {
        for (nal, kind) in [
            (&[0x02, 1][..], Some(NalKind::Slice)),
            (&[0x10, 1], Some(NalKind::SkippedLeading)),
            (&[0x0C, 1], Some(NalKind::Slice)),
            (&[0x20, 1], Some(NalKind::BrokenLink)),
            (&[0x26, 1], Some(NalKind::Idr)),
            (&[0x28, 1], Some(NalKind::Idr)),
            (&[0x2A, 1], Some(NalKind::CleanRandomAccess)),
            (&[0x2C, 1], Some(NalKind::Other(22))),
            (&[0x40, 1], Some(NalKind::Vps)),
            (&[0x42, 1], Some(NalKind::Sps)),
            (&[0x44, 1], Some(NalKind::Pps)),
            (&[0x4E, 1], Some(NalKind::Sei)),
            (&[0xA6, 1], None),
            (&[0x26], None),
        ] {
            assert_eq!(NalKind::of(nal), kind, "{nal:?}");
        }
    }
}
