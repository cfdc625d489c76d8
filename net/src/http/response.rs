//! An answer and its head on the wire.
//!
//! The session owns the fields that say where a message ends and how long the connection lives:
//! `Date`, `Content-Length`, `Transfer-Encoding` and `Connection` of a handler are not written.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};

use super::date::HttpDate;
use super::stored::Stored;

/// What a handler answers.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status. 101 and other 1xx are not answers and are sent as 500.
    pub status: StatusCode,
    /// Fields in the order written. Lengths, date and connection are added by the session.
    pub headers: HeaderMap,
    /// The body; for a HEAD request its length is told and its bytes are not sent.
    pub body: Body,
    /// Close the connection after this response.
    pub close: bool,
}

/// A body by reference: sending it copies nothing in this process.
#[derive(Clone, Debug, Default)]
pub enum Body {
    /// No bytes.
    #[default]
    Empty,
    /// One run of bytes.
    Bytes(Bytes),
    /// Several runs sent as one: a segment is the chain of its parts.
    Chain(Arc<[Bytes]>),
    /// What is read while it is sent. Not for [`Prepared`](super::Prepared) answers.
    Stored(Stored),
}

impl Response {
    /// A response without fields and body.
    #[must_use]
    pub fn new(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Body::Empty, close: false }
    }

    /// 200 with a body of the given media type.
    #[must_use]
    pub fn ok(content_type: &'static str, body: impl Into<Body>) -> Self {
        let mut response = Self::new(StatusCode::OK).header(header::CONTENT_TYPE, content_type);
        response.body = body.into();
        response
    }

    /// A sentence as plain text that no browser takes for something else.
    #[must_use]
    pub fn text(status: StatusCode, sentence: &str) -> Self {
        let mut text = String::with_capacity(sentence.len() + 1);
        text.push_str(sentence);
        text.push('\n');
        let mut response = Self::new(status)
            .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
            .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        response.body = Body::from(text);
        response
    }

    /// Sets a field whose value is known at compile time.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }

    /// Sets a field.
    #[must_use]
    pub fn header_value(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The same response, after which the connection is closed.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.close = true;
        self
    }
}

impl Body {
    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::Bytes(bytes) => bytes.len(),
            Self::Chain(chain) => chain.iter().map(Bytes::len).sum(),
            Self::Stored(stored) => usize::try_from(stored.len()).unwrap_or(usize::MAX),
        }
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The runs in order; empty ones may occur. What is stored has none before it is read.
    #[must_use]
    pub fn runs(&self) -> &[Bytes] {
        match self {
            Self::Empty | Self::Stored(_) => &[],
            Self::Bytes(bytes) => std::slice::from_ref(bytes),
            Self::Chain(chain) => chain,
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::Bytes(Bytes::from(text))
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::Bytes(Bytes::from_static(text.as_bytes()))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(Bytes::from(bytes))
    }
}

impl From<Arc<[Bytes]>> for Body {
    fn from(chain: Arc<[Bytes]>) -> Self {
        Self::Chain(chain)
    }
}

/// What the connection field of a head says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectionField {
    /// Nothing: HTTP/1.1 stays open by default.
    Absent,
    /// `keep-alive`, for an HTTP/1.0 peer that asked for it.
    KeepAlive,
    /// `close`.
    Close,
}

impl ConnectionField {
    /// The end of a head behind the value of its last other field.
    pub(super) const fn end(self) -> &'static [u8] {
        match self {
            Self::Absent => b"\r\n\r\n",
            Self::KeepAlive => b"\r\nconnection: keep-alive\r\n\r\n",
            Self::Close => b"\r\nconnection: close\r\n\r\n",
        }
    }
}

/// Writes the head of `response`, with the empty line.
pub(super) fn write_head(
    out: &mut BytesMut,
    response: &Response,
    date: &HttpDate,
    connection: ConnectionField,
) {
    out.reserve(HEAD_BYTES_USUAL);
    out.put_slice(b"HTTP/1.1 ");
    out.put_slice(response.status.as_str().as_bytes());
    out.put_u8(b' ');
    out.put_slice(response.status.canonical_reason().unwrap_or("Unknown").as_bytes());
    out.put_slice(b"\r\ndate: ");
    out.put_slice(date.as_bytes());
    if length_is_told(response.status) {
        out.put_slice(b"\r\ncontent-length: ");
        put_decimal(out, response.body.len());
    }
    for (name, value) in &response.headers {
        if is_ours(name) {
            continue;
        }
        out.put_slice(b"\r\n");
        out.put_slice(name.as_str().as_bytes());
        out.put_slice(b": ");
        out.put_slice(value.as_bytes());
    }
    out.put_slice(connection.end());
}

/// Room for the head of a usual answer (about 350 bytes), so that it is allocated once.
const HEAD_BYTES_USUAL: usize = 512;

/// RFC 9110 §8.6: no length in 204, and the length of a 304 is that of the 200 it stands for,
/// which is not known here.
fn length_is_told(status: StatusCode) -> bool {
    !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// RFC 9110 §6.4.1: answers that never have a body.
pub(super) fn has_body(status: StatusCode) -> bool {
    length_is_told(status)
}

fn is_ours(name: &HeaderName) -> bool {
    *name == header::CONTENT_LENGTH
        || *name == header::DATE
        || *name == header::CONNECTION
        || *name == header::TRANSFER_ENCODING
}

fn put_decimal(out: &mut BytesMut, mut value: usize) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.put_slice(&digits[at..]);
}
