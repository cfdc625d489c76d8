//! A bounded reader that only moves forward, for every wire and container format of this room.

use thiserror::Error;

/// The bytes ended before the value did. Inside a whole message this is the peer's fault; at the
/// end of a growing buffer it means "need more".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("needed {needed} more bytes, {left} were left")]
pub struct UnexpectedEnd {
    /// Bytes the value needs.
    pub needed: usize,
    /// Bytes that were left.
    pub left: usize,
}

/// Reads big-endian values from the front of a slice.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// Starts at the first byte.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// What has not been read.
    pub const fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// Bytes not yet read.
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Nothing is left.
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The next `len` bytes.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], UnexpectedEnd> {
        match self.bytes.split_at_checked(len) {
            Some((head, rest)) => {
                self.bytes = rest;
                Ok(head)
            }
            None => Err(UnexpectedEnd { needed: len, left: self.bytes.len() }),
        }
    }

    /// The next `N` bytes by value.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], UnexpectedEnd> {
        let Some((head, rest)) = self.bytes.split_first_chunk::<N>() else {
            return Err(UnexpectedEnd { needed: N, left: self.bytes.len() });
        };
        self.bytes = rest;
        Ok(*head)
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, UnexpectedEnd> {
        self.array().map(|[byte]| byte)
    }

    /// 16 bits, big-endian.
    pub fn u16(&mut self) -> Result<u16, UnexpectedEnd> {
        self.array().map(u16::from_be_bytes)
    }

    /// 24 bits, big-endian.
    pub fn u24(&mut self) -> Result<u32, UnexpectedEnd> {
        self.array().map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]))
    }

    /// 24 bits, big-endian, two's complement: composition times are signed (TS-2).
    pub fn s24(&mut self) -> Result<i32, UnexpectedEnd> {
        self.array().map(|[a, b, c]| i32::from_be_bytes([a, b, c, 0]) >> 8)
    }

    /// 32 bits, big-endian.
    pub fn u32(&mut self) -> Result<u32, UnexpectedEnd> {
        self.array().map(u32::from_be_bytes)
    }

    /// 64 bits, big-endian.
    pub fn u64(&mut self) -> Result<u64, UnexpectedEnd> {
        self.array().map(u64::from_be_bytes)
    }

    /// IEEE 754 double, big-endian. Any value, NaN and infinities included (AM-5).
    pub fn f64(&mut self) -> Result<f64, UnexpectedEnd> {
        self.array().map(f64::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_big_endian_and_signed_where_said() {
        let mut c = Cursor::new(&[1, 0, 2, 0, 0, 3, 0xFF, 0xFF, 0xFE, 9]);
        assert_eq!(c.u8(), Ok(1));
        assert_eq!(c.u16(), Ok(2));
        assert_eq!(c.u24(), Ok(3));
        assert_eq!(c.s24(), Ok(-2));
        assert_eq!(c.u32(), Err(UnexpectedEnd { needed: 4, left: 1 }));
        assert_eq!(c.rest(), [9]);
    }
}
