//! Nested ISO BMFF boxes into a byte vector (BMFF §4.2). Sizes are patched when a box closes.

/// Appends boxes and big-endian fields.
#[derive(Debug, Default)]
pub(super) struct BoxWriter {
    bytes: Vec<u8>,
}

impl BoxWriter {
    /// A writer that will not reallocate below `capacity` bytes.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity) }
    }

    /// A plain box: `body` writes its payload.
    pub(super) fn boxed(&mut self, kind: &[u8; 4], body: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.u32(0);
        self.raw(kind);
        body(self);
        let size = self.bytes.len() - start;
        self.patch_u32(
            start,
            u32::try_from(size).expect("parts are capped far below 4 GiB (CM-17)"),
        );
    }

    /// A FullBox: version and flags, then `body` (BMFF §4.2).
    pub(super) fn full(
        &mut self,
        kind: &[u8; 4],
        version: u8,
        flags: u32,
        body: impl FnOnce(&mut Self),
    ) {
        self.boxed(kind, |w| {
            w.u32(u32::from(version) << 24 | flags);
            body(w);
        });
    }

    /// An MPEG-4 descriptor with its length in four groups of seven bits (ISO 14496-1 §8.3.3).
    pub(super) fn descriptor(&mut self, tag: u8, body: impl FnOnce(&mut Self)) {
        self.u8(tag);
        let length_at = self.bytes.len();
        self.u32(0);
        body(self);
        let len = self.bytes.len() - length_at - 4;
        let group = |shift: u32| u32::try_from(len >> shift & 0x7F).expect("seven bits");
        let length = 0x8080_8000 | group(21) << 24 | group(14) << 16 | group(7) << 8 | group(0);
        self.patch_u32(length_at, length);
    }

    pub(super) fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.raw(&value.to_be_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.raw(&value.to_be_bytes());
    }

    pub(super) fn i32(&mut self, value: i32) {
        self.raw(&value.to_be_bytes());
    }

    pub(super) fn u64(&mut self, value: u64) {
        self.raw(&value.to_be_bytes());
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// `count` zero bytes.
    pub(super) fn zeros(&mut self, count: usize) {
        self.bytes.resize(self.bytes.len() + count, 0);
    }

    /// Bytes written so far; the position for a later [`Self::patch_u32`].
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Overwrites four bytes that were written before.
    pub(super) fn patch_u32(&mut self, at: usize, value: u32) {
        self.bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
    }

    /// Everything written.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_cover_nested_boxes() {
        let mut w = BoxWriter::default();
        w.boxed(b"outr", |w| {
            w.u8(7);
            w.full(b"innr", 1, 0x02_0304, |w| w.u16(5));
        });
        assert_eq!(w.into_bytes(), *b"\0\0\0\x17outr\x07\0\0\0\x0Einnr\x01\x02\x03\x04\0\x05");
    }

    #[test]
    fn descriptor_lengths_take_four_bytes() {
        let mut w = BoxWriter::default();
        w.descriptor(5, |w| w.zeros(300));
        assert_eq!(w.into_bytes()[..5], [5, 0x80, 0x80, 0x82, 0x2C]);
    }
}
