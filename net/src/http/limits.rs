//! Every cap of one HTTP/1.1 connection: name, unit, default, and what a larger value costs.

use std::time::Duration;

use http::{Method, Uri};

use super::{RequestError, Response};

/// Caps and deadlines of one connection. The defaults suit a public live server.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Longest request line up to its line end, in bytes; longer is 414.
    pub request_line_bytes_max: usize,
    /// Longest head (request line and header fields with the empty line), in bytes; longer is 431.
    /// Held per connection while a head is incomplete.
    pub head_bytes_max: usize,
    /// Largest body for a method and target, in bytes after the chunked coding is undone; larger is
    /// 413. Asked once per request that has a body; the buffer grows only as bytes arrive.
    pub body_bytes_max: fn(&Method, &Uri) -> usize,
    /// What is answered to a request that no handler sees. A plain sentence, unless the server has
    /// a form of its own for what its clients can get wrong.
    pub refusal: fn(&RequestError) -> Response,
    /// Input kept while a request is being answered, in bytes: pipelined requests wait here. At
    /// the cap reading stops until the answer is out.
    pub pipelined_bytes_max: usize,
    /// From the first byte of a head (or from accepting the connection) to its last (F24).
    pub head_timeout: Duration,
    /// From the end of the head to the last byte of the body (F24).
    pub body_timeout: Duration,
    /// Silence between two requests. Above the gap of live viewers (a segment, 2 to 6 s), so that
    /// none of them reconnects.
    pub idle_timeout: Duration,
    /// Grace for writing a response, on top of the time its length takes at `write_rate_min`.
    pub write_grace: Duration,
    /// Slowest reader that is served, in bytes per second (F22). 8 KiB/s is below the lowest
    /// audio-only rendition.
    pub write_rate_min: u32,
    /// Requests answered on one connection before it is closed; bounds what a leak can cost.
    pub requests_max: u64,
}

/// Header fields in one head; more is 431. A constant because the parser's table is on the stack.
pub(super) const HEADER_FIELDS_MAX: usize = 64;
/// Digits of a chunk size: 2^32 is far above every body cap, and eight digits cannot overflow.
pub(super) const CHUNK_SIZE_DIGITS_MAX: usize = 8;
/// Bytes of the extensions after one chunk size. They carry nothing for us.
pub(super) const CHUNK_EXTENSION_BYTES_MAX: usize = 128;
/// Bytes of all trailer fields of one body. They are checked and dropped.
pub(super) const TRAILER_BYTES_MAX: usize = 4 << 10;
/// Bytes of chunk sizes and line ends allowed beyond the data: one-byte chunks cost five bytes of
/// framing per byte of body, and more than that is an attack on our time.
pub(super) const CHUNK_FRAMING_PER_BYTE_MAX: usize = 16;
/// Longest piece of what the peer sent that is shown back in an error sentence, in bytes.
pub(super) const SEEN_BYTES_MAX: usize = 64;

const _: () = assert!(CHUNK_SIZE_DIGITS_MAX == 8, "as many hex digits as fit into u32");
const _: () = assert!(
    CHUNK_EXTENSION_BYTES_MAX == 128 && TRAILER_BYTES_MAX == 4096,
    "the sentences of chunked.rs name these numbers"
);

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_line_bytes_max: 8 << 10,
            head_bytes_max: 16 << 10,
            body_bytes_max: |_, _| 64 << 10,
            refusal: RequestError::response,
            pipelined_bytes_max: 16 << 10,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            write_grace: Duration::from_secs(10),
            write_rate_min: 8 << 10,
            requests_max: 1_000_000,
        }
    }
}

impl Limits {
    /// The longest time that writing `bytes` may take before the reader counts as too slow.
    #[must_use]
    pub fn write_timeout(&self, bytes: usize) -> Duration {
        let seconds = bytes as u64 / u64::from(self.write_rate_min.max(1));
        self.write_grace + Duration::from_secs(seconds)
    }
}
