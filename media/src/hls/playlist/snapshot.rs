//! A playlist as it is sent: rendered once per state, shared by every request (PL-9, LL-13).

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

/// One consistent playlist. Clones share the text and its compressed form.
#[derive(Clone, Debug)]
pub struct Snapshot {
    text: Bytes,
    etag: u64,
    blocking: bool,
    gzip: Arc<OnceLock<Bytes>>,
}

impl Snapshot {
    pub(in crate::hls) fn new(text: String) -> Self {
        let etag = fnv1a(text.as_bytes());
        Self { text: Bytes::from(text), etag, blocking: false, gzip: Arc::new(OnceLock::new()) }
    }

    pub(in crate::hls) fn answering(self, blocking: bool) -> Self {
        Self { blocking, ..self }
    }

    /// The playlist, UTF-8.
    pub const fn text(&self) -> &Bytes {
        &self.text
    }

    /// Validator of the text: equal on every shard, because it is made from the text alone. The
    /// compressed form needs another one (CH-3).
    pub const fn etag(&self) -> u64 {
        self.etag
    }

    /// It answers a request that named a segment: the same address will always lead to at least
    /// this state, so caches may keep it (CH-4).
    pub const fn is_blocking(&self) -> bool {
        self.blocking
    }

    /// The compressed form, made by `compress` at the first call for this state and shared after.
    pub fn gzip(&self, compress: impl FnOnce(&[u8]) -> Bytes) -> Bytes {
        self.gzip.get_or_init(|| compress(&self.text)).clone()
    }
}

/// FNV-1a, 64 bits.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_the_compressed_form() {
        let snapshot = Snapshot::new("#EXTM3U\n".to_owned());
        let clone = snapshot.clone().answering(true);
        assert_eq!(clone.gzip(|text| Bytes::copy_from_slice(&text[..3])), "#EX");
        assert_eq!(snapshot.gzip(|_| Bytes::new()), "#EX");
        assert_eq!(snapshot.etag(), clone.etag());
        assert_eq!(fnv1a(b"a"), 0xAF63_DC4C_8601_EC8C);
    }
}
