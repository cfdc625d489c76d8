//! Bits to bytes, most significant first.

use bytes::Bytes;

/// A growing bit string.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    used: u32,
}

impl BitWriter {
    /// Appends the low `count` bits of `value`.
    pub(super) fn put(&mut self, count: u32, value: u32) {
        for bit in (0..count).rev() {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> bit & 1) as u8) << (7 - self.used % 8);
            }
            self.used += 1;
        }
    }

    /// The bytes; the last is filled with zeros.
    pub(super) fn finish(self) -> Bytes {
        self.bytes.into()
    }
}
