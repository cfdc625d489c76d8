//! NAL unit types (H.264 §7.3.1, §7.4.1, table 7-1).

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

#[cfg(test)]
mod tests {
    use super::*;

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
