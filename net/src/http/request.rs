//! One whole request as a handler gets it: head parsed and checked, body complete.

use bytes::Bytes;
use http::{HeaderMap, Method, Uri, Version};

/// A request whose head was accepted and whose body has arrived in full.
///
/// `uri` is as sent: origin-form (`/hls/stream.m3u8?x=1`), absolute-form, or `*` for OPTIONS. In
/// the absolute form the `Host` field has been replaced by the URI's authority (RFC 9112 §3.2.2),
/// so `headers` tells one truth.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method, any token.
    pub method: Method,
    /// The target; its path starts with `/` unless it is `*`.
    pub uri: Uri,
    /// HTTP/1.0 or HTTP/1.1.
    pub version: Version,
    /// The header fields as sent.
    pub headers: HeaderMap,
    /// The body without the chunked coding; empty when there is none.
    pub body: Bytes,
}

impl Request {
    /// A header's value as text; `None` when it is absent or has other than visible ASCII bytes.
    #[must_use]
    pub fn header(&self, name: impl http::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}
