//! A playlist as it is sent: rendered once per state, shared by every request (PL-9, LL-13).

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

/// One consistent playlist. Clones share the text, its compressed form and the heads.
#[derive(Clone, Debug)]
pub struct Snapshot {
    text: Bytes,
    etag: u64,
    blocking: bool,
    forms: Arc<Forms>,
}

/// What the server makes of a text, each at its first use.
#[derive(Debug, Default)]
struct Forms {
    gzip: OnceLock<Bytes>,
    /// By blocking and compressed.
    heads: [[OnceLock<Bytes>; 2]; 2],
}

impl Snapshot {
    pub(in crate::hls) fn new(text: String) -> Self {
        let etag = hash(text.as_bytes());
        Self { text: Bytes::from(text), etag, blocking: false, forms: Arc::default() }
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
        self.forms.gzip.get_or_init(|| compress(&self.text)).clone()
    }

    /// What the server writes before the text or its compressed form, made by `make` at the first
    /// call and shared after.
    pub fn head(&self, is_compressed: bool, make: impl FnOnce() -> Bytes) -> Bytes {
        let [text, compressed] = &self.forms.heads[usize::from(self.blocking)];
        let head = if is_compressed { compressed } else { text };
        head.get_or_init(make).clone()
    }
}

/// Bytes taken at one step of [`hash`].
const STEP_BYTES: usize = 32;
/// Odd, with bits all over: the golden ratio in 64 bits.
const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

/// Multiply and fold in four lanes of words, which do not wait for each other: a playlist of 10 kB
/// takes below a microsecond. It tells apart texts that we wrote ourselves, no attacker's.
fn hash(bytes: &[u8]) -> u64 {
    let mut lanes = [1_u64, 2, 3, 4];
    let (steps, rest) = bytes.as_chunks::<STEP_BYTES>();
    let mut last = [0; STEP_BYTES];
    last[..rest.len()].copy_from_slice(rest);
    for step in steps.iter().chain([&last]) {
        for (lane, word) in lanes.iter_mut().zip(step.as_chunks::<8>().0) {
            *lane = mix(*lane ^ u64::from_le_bytes(*word));
        }
    }
    lanes.into_iter().fold(bytes.len() as u64, |hash, lane| mix(hash ^ lane))
}

const fn mix(value: u64) -> u64 {
    let product = value.wrapping_mul(MULTIPLIER);
    product ^ product >> 29
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn clones_share_the_compressed_form_and_the_heads() {
        let snapshot = Snapshot::new("#EXTM3U\n".to_owned());
        let clone = snapshot.clone().answering(true);
        assert_eq!(clone.gzip(|text| Bytes::copy_from_slice(&text[..3])), "#EX");
        assert_eq!(snapshot.gzip(|_| Bytes::new()), "#EX");
        assert_eq!(snapshot.etag(), clone.etag());
        for (form, is_compressed, head) in
            [(&snapshot, false, "a"), (&snapshot, true, "b"), (&clone, false, "c")]
        {
            assert_eq!(form.head(is_compressed, || Bytes::from_static(head.as_bytes())), head);
            assert_eq!(form.head(is_compressed, Bytes::new), head);
        }
    }

    #[test]
    fn every_byte_and_the_length_count() {
        let text: Vec<u8> = (0..=200).collect();
        let mut seen: HashSet<u64> = (0..text.len()).map(|end| hash(&text[..end])).collect();
        for at in 0..text.len() {
            let mut other = text.clone();
            other[at] ^= 1;
            seen.insert(hash(&other));
        }
        // A text padded with zeros is another text.
        seen.insert(hash(&[0; 5]));
        seen.insert(hash(&[0; 40]));
        assert_eq!(seen.len(), 2 * text.len() + 2);
    }
}
