//! Media as it is sent: bytes by reference, and room for the head that goes before them.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::hls::names::RenditionId;

/// Media to send. Clones share everything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MediaBody {
    /// Content-Type (CH-7).
    pub content_type: &'static str,
    /// The body in order; shared, not copied.
    pub chunks: Arc<[Bytes]>,
    head: Arc<OnceLock<Bytes>>,
}

impl MediaBody {
    pub(super) fn new(rendition: RenditionId, chunks: Arc<[Bytes]>) -> Self {
        let content_type = match rendition {
            RenditionId::Video(_) => "video/mp4",
            RenditionId::Audio => "audio/mp4",
        };
        Self { content_type, chunks, head: Arc::default() }
    }

    /// All chunks of `bodies`, which are of one rendition.
    pub(super) fn chain(bodies: &[Self]) -> Self {
        let content_type = bodies.first().map_or("video/mp4", |body| body.content_type);
        let chunks = bodies.iter().flat_map(|body| body.chunks.iter().cloned()).collect();
        Self { content_type, chunks, head: Arc::default() }
    }

    /// Content-Length.
    pub fn byte_len(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.len() as u64).sum()
    }

    /// What the server writes before these bytes, made by `make` at the first call and shared
    /// after: the name never means other bytes (PL-6), so their head does not change either.
    pub fn head(&self, make: impl FnOnce() -> Bytes) -> Bytes {
        self.head.get_or_init(make).clone()
    }
}
