//! The two ids of a picture parameter set (H.264 §7.3.2.2); the rest is the decoder's business.

use thiserror::Error;

use crate::bits::{BitReader, BitsError};
use crate::nal::rbsp;

/// Which set this is and which sequence parameter set it builds on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pps {
    /// pic_parameter_set_id, 0..=255.
    pub id: u8,
    /// seq_parameter_set_id, 0..=31.
    pub sps_id: u8,
}

/// Why a PPS is refused. The peer's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PpsError {
    /// Too short, or not a number.
    #[error("the picture parameter set is damaged: {0}")]
    Bits(#[from] BitsError),
    /// An id out of range.
    #[error("the picture parameter set has id {id} for sequence {sps_id}; allowed are 255 and 31")]
    Id {
        /// pic_parameter_set_id as read.
        id: u32,
        /// seq_parameter_set_id as read.
        sps_id: u32,
    },
}

impl Pps {
    /// Reads a whole NAL unit, header byte included.
    pub fn parse(nal: &[u8]) -> Result<Self, PpsError> {
        // Two Exp-Golomb codes of at most 8 useful bits lie within the first bytes.
        let head = nal.get(1..nal.len().min(16)).unwrap_or_default();
        let clean = rbsp(head);
        let mut reader = BitReader::new(&clean);
        let (id, sps_id) = (reader.ue()?, reader.ue()?);
        match (u8::try_from(id), u8::try_from(sps_id)) {
            (Ok(id), Ok(sps_id @ 0..=31)) => Ok(Self { id, sps_id }),
            _ => Err(PpsError::Id { id, sps_id }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_and_bounded() {
        assert_eq!(Pps::parse(&[0x68, 0xEB, 0xE3]), Ok(Pps { id: 0, sps_id: 0 }));
        // ue 5 = 00110, ue 31 = 00000100000.
        assert_eq!(Pps::parse(&[0x68, 0b0011_0000, 0b0010_0000]), Ok(Pps { id: 5, sps_id: 31 }));
        // ue 32 = 00000100001.
        assert_eq!(
            Pps::parse(&[0x68, 0b0011_0000, 0b0010_0001]),
            Err(PpsError::Id { id: 5, sps_id: 32 })
        );
        assert!(matches!(Pps::parse(&[0x68]), Err(PpsError::Bits(_))));
        assert!(matches!(Pps::parse(&[]), Err(PpsError::Bits(_))));
    }
}
