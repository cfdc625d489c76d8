//! Why a request could not be read: one variant per rule, each with what was seen and what is
//! allowed, and the status that tells the peer.

use http::StatusCode;

use super::Response;
use super::limits::SEEN_BYTES_MAX;
use crate::Fault;

/// A request that is refused before any handler sees it. The connection is closed after the reply,
/// because the start of the next request is in doubt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The request line is not `method SP target SP version` (RFC 9112 §3).
    #[error(
        "the request line is {seen:?}; it must be: method, one space, target, one space, HTTP/1.1"
    )]
    RequestLine {
        /// The line, shortened.
        seen: String,
    },
    /// A line ends with LF alone or a CR stands alone (RFC 9112 §2.2).
    #[error("a line ends without CR LF; every line of a head must end with both")]
    LineEnd,
    /// A version other than 1.0 and 1.1.
    #[error("the version is {seen:?}; this server speaks HTTP/1.0 and HTTP/1.1 here")]
    Version {
        /// The version as sent, shortened.
        seen: String,
    },
    /// The request target is no origin-form, absolute-form or `*` for OPTIONS (RFC 9112 §3.2).
    #[error("the request target is {seen:?}; it must be a path that starts with / or an http URI")]
    Target {
        /// The target, shortened.
        seen: String,
    },
    /// A header line is not `name: value` (RFC 9112 §5), or is folded.
    #[error(
        "a header field is malformed ({seen}); it must be: name, colon, value, without folding"
    )]
    HeaderField {
        /// What the parser objected to.
        seen: &'static str,
    },
    /// HTTP/1.1 without Host, or Host more than once, or one that is no host (RFC 9112 §3.2).
    #[error("there are {seen} Host fields with a valid value; exactly one is required")]
    Host {
        /// How many valid ones there were.
        seen: usize,
    },
    /// Content-Length that is repeated or not plain digits (RFC 9112 §6.3).
    #[error("Content-Length is {seen:?}; it must be one number of plain digits")]
    ContentLength {
        /// The values as sent, shortened.
        seen: String,
    },
    /// Content-Length beside Transfer-Encoding: two answers to where the body ends.
    #[error("both Content-Length and Transfer-Encoding are present; only one may be")]
    TwoLengths,
    /// Transfer-Encoding in HTTP/1.0, or chunked more than once.
    #[error("Transfer-Encoding is {seen:?}; only one chunked in HTTP/1.1 is allowed")]
    TransferEncoding {
        /// The values as sent, shortened.
        seen: String,
    },
    /// A transfer coding that is not implemented.
    #[error("the transfer coding {seen:?} is not implemented; chunked is")]
    UnknownTransferCoding {
        /// The values as sent, shortened.
        seen: String,
    },
    /// A chunk size, extension, line end or trailer that breaks RFC 9112 §7.1.
    #[error("the chunked body is malformed: {seen}")]
    Chunk {
        /// What was wrong.
        seen: &'static str,
    },
    /// An expectation other than 100-continue (RFC 9110 §10.1.1).
    #[error("the expectation {seen:?} cannot be met; 100-continue can")]
    Expectation {
        /// The value as sent, shortened.
        seen: String,
    },
    /// CONNECT: this is no proxy.
    #[error("CONNECT is not offered; this server is no proxy")]
    Connect,
    /// The request line is too long.
    #[error("the request line has {seen} bytes or more; at most {max} are allowed")]
    RequestLineTooLong {
        /// Bytes seen so far.
        seen: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// The head is too long.
    #[error("the request head has {seen} bytes or more; at most {max} are allowed")]
    HeadTooLong {
        /// Bytes seen so far.
        seen: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Too many header fields.
    #[error("the request has more than {max} header fields; at most {max} are allowed")]
    TooManyHeaderFields {
        /// Fields allowed.
        max: usize,
    },
    /// The body is too large for this target.
    #[error("the body has {seen} bytes or more; at most {max} are allowed here")]
    BodyTooLarge {
        /// Bytes announced or seen.
        seen: u64,
        /// Bytes allowed.
        max: usize,
    },
    /// The head did not arrive in time.
    #[error("the request head was not complete after {max_s} s")]
    HeadTimeout {
        /// Seconds allowed.
        max_s: u64,
    },
    /// The body did not arrive in time.
    #[error("the request body was not complete {max_s} s after its head")]
    BodyTimeout {
        /// Seconds allowed.
        max_s: u64,
    },
}

impl RequestError {
    /// The status of the reply.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::RequestLine { .. }
            | Self::LineEnd
            | Self::Target { .. }
            | Self::HeaderField { .. }
            | Self::Host { .. }
            | Self::ContentLength { .. }
            | Self::TwoLengths
            | Self::TransferEncoding { .. }
            | Self::Chunk { .. } => StatusCode::BAD_REQUEST,
            Self::Version { .. } => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::UnknownTransferCoding { .. } | Self::Connect => StatusCode::NOT_IMPLEMENTED,
            Self::Expectation { .. } => StatusCode::EXPECTATION_FAILED,
            Self::RequestLineTooLong { .. } => StatusCode::URI_TOO_LONG,
            Self::HeadTooLong { .. } | Self::TooManyHeaderFields { .. } => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::HeadTimeout { .. } | Self::BodyTimeout { .. } => StatusCode::REQUEST_TIMEOUT,
        }
    }

    /// Always the peer's: a request that breaks no rule raises none of these.
    #[must_use]
    pub fn fault(&self) -> Fault {
        Fault::Peer
    }

    /// The reply: the sentence as plain text, readable by scripts of every origin (CH-5).
    #[must_use]
    pub fn response(&self) -> Response {
        Response::text(self.status(), &self.to_string())
            .header(http::header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")
            .header(http::header::CACHE_CONTROL, "no-store")
            .closing()
    }
}

/// What the peer sent, shortened, for an error sentence. The sentence prints it with escapes.
pub(super) fn seen(bytes: &[u8]) -> String {
    let shown = bytes.get(..SEEN_BYTES_MAX).unwrap_or(bytes);
    String::from_utf8_lossy(shown).into_owned()
}
