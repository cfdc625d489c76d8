//! Bits from the front of a byte string, most significant first, with Exp-Golomb codes.
//!
//! H.264 §7.2 and §9.1; AAC uses the fixed-length half. Reading past the end is an error, never a
//! zero. Emulation prevention must be removed before ([`crate::nal::rbsp`]).

use thiserror::Error;

/// Why bits could not be read. The peer's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BitsError {
    /// The bits ended inside a value.
    #[error("needed {needed} more bits, {left} were left")]
    End {
        /// Bits the value needs.
        needed: usize,
        /// Bits that were left.
        left: usize,
    },
    /// An Exp-Golomb code with more than 31 leading zeros: its value leaves 32 bits (§9.1).
    #[error("an Exp-Golomb code is longer than 32 bits")]
    Golomb,
}

/// A bounded bit cursor.
#[derive(Debug, Clone)]
pub struct BitReader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> BitReader<'a> {
    /// Starts at the most significant bit of the first byte.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// One bit, u(1).
    pub fn bit(&mut self) -> Result<bool, BitsError> {
        let byte =
            self.bytes.get(self.position / 8).ok_or(BitsError::End { needed: 1, left: 0 })?;
        let bit = byte >> (7 - self.position % 8) & 1;
        self.position += 1;
        Ok(bit == 1)
    }

    /// `count` bits as an unsigned number, u(n); `count` is at most 32.
    pub fn bits(&mut self, count: u32) -> Result<u32, BitsError> {
        debug_assert!(count <= 32);
        self.need(count as usize)?;
        let mut value = 0;
        for _ in 0..count {
            value = value << 1 | u32::from(self.bit()?);
        }
        Ok(value)
    }

    /// Eight bits, u(8).
    pub fn byte(&mut self) -> Result<u8, BitsError> {
        self.bits(8).map(|value| value as u8)
    }

    /// Moves past `count` bits.
    pub fn skip(&mut self, count: usize) -> Result<(), BitsError> {
        self.need(count)?;
        self.position += count;
        Ok(())
    }

    /// Moves to the next byte border.
    pub const fn align(&mut self) {
        self.position = self.position.next_multiple_of(8);
    }

    /// Unsigned Exp-Golomb, ue(v): 0 ..= 2^32 - 2.
    pub fn ue(&mut self) -> Result<u32, BitsError> {
        let mut zeros = 0;
        while !self.bit()? {
            zeros += 1;
            if zeros > 31 {
                return Err(BitsError::Golomb);
            }
        }
        let suffix = u64::from(self.bits(zeros)?);
        Ok(((1_u64 << zeros) - 1 + suffix) as u32)
    }

    /// Signed Exp-Golomb, se(v): 0, 1, -1, 2, -2, …
    pub fn se(&mut self) -> Result<i32, BitsError> {
        let code = i64::from(self.ue()?);
        let magnitude = (code + 1) / 2;
        Ok(if code % 2 == 1 { magnitude } else { -magnitude } as i32)
    }

    /// Bits not yet read.
    pub const fn left(&self) -> usize {
        (self.bytes.len() * 8).saturating_sub(self.position)
    }

    const fn need(&self, needed: usize) -> Result<(), BitsError> {
        let left = self.left();
        if needed > left { Err(BitsError::End { needed, left }) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_golomb_codes_follow_table_9_1() {
        // 1 | 010 | 011 | 00100 | 00101 | 00110 | 00111, padded.
        let bytes = [0b1010_0110, 0b0100_0010, 0b1001_1000, 0b1110_0000];
        let mut unsigned = BitReader::new(&bytes);
        for value in 0..7 {
            assert_eq!(unsigned.ue(), Ok(value));
        }
        let mut signed = BitReader::new(&bytes);
        for value in [0, 1, -1, 2, -2, 3, -3] {
            assert_eq!(signed.se(), Ok(value));
        }
    }

    #[test]
    fn the_largest_code_is_read_and_a_longer_one_refused() {
        let largest = [0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFE];
        assert_eq!(BitReader::new(&largest).ue(), Ok(u32::MAX - 1));
        assert_eq!(BitReader::new(&[0, 0, 0, 0, 0xFF, 0, 0, 0, 0]).ue(), Err(BitsError::Golomb));
        assert_eq!(BitReader::new(&[0, 0]).ue(), Err(BitsError::End { needed: 1, left: 0 }));
    }

    #[test]
    fn reading_past_the_end_moves_nothing() {
        let mut reader = BitReader::new(&[0xA5]);
        assert_eq!(reader.bits(4), Ok(0xA));
        assert_eq!(reader.bits(5), Err(BitsError::End { needed: 5, left: 4 }));
        assert_eq!(reader.bits(4), Ok(5));
        reader.align();
        assert_eq!(reader.left(), 0);
    }
}
