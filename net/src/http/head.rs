//! Request heads (RFC 9112 §2 to §6): bytes up to the empty line in, a checked [`Head`] out.
//!
//! Two steps. [`HeadScanner`] finds the end of the head as bytes arrive, looking at each byte once
//! and refusing bare line feeds and oversize at once (T23's lesson: never start over). [`parse`]
//! then reads the whole head a single time. Refused is everything two parsers could read in two
//! ways: folded lines, space before a colon, two lengths, signs in lengths, a second Host.

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Uri, Version};

use super::Limits;
use super::error::{RequestError, seen};
use super::limits::HEADER_FIELDS_MAX;

/// A parsed head and what it says about the bytes after it.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) version: Version,
    pub(super) headers: HeaderMap,
    pub(super) framing: Framing,
    /// The peer wants the connection kept after the answer.
    pub(super) keep_alive: bool,
    /// The peer waits for `100 Continue` before it sends the body.
    pub(super) expects_continue: bool,
}

/// Where the body ends (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// `Content-Length`, or zero when there is neither field.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

/// Finds the end of one head. Feed it the same growing buffer; it remembers where it was.
#[derive(Debug, Default)]
pub(super) struct HeadScanner {
    /// Start of the line that is being looked at.
    line_start: usize,
    /// Bytes of that line already searched.
    searched: usize,
    lines: usize,
}

impl HeadScanner {
    /// The length of the head with its empty line, once all of it is in `buffer`.
    pub(super) fn scan(
        &mut self,
        buffer: &[u8],
        limits: &Limits,
    ) -> Result<Option<usize>, RequestError> {
        loop {
            let from = self.searched.max(self.line_start);
            let found = memchr::memchr(b'\n', buffer.get(from..).unwrap_or(&[]));
            let end = found.map_or(buffer.len(), |at| from + at + 1);
            self.check_size(end, limits)?;
            if found.is_none() {
                self.searched = end;
                return Ok(None);
            }
            let line = &buffer[self.line_start..end];
            if !line.ends_with(b"\r\n") {
                return Err(RequestError::LineEnd);
            }
            self.line_start = end;
            let is_empty = line.len() == 2;
            match (is_empty, self.lines) {
                (true, 0) => return Err(RequestError::RequestLine { seen: String::new() }),
                (true, _) => return Ok(Some(end)),
                (false, _) => self.lines += 1,
            }
        }
    }

    fn check_size(&self, end: usize, limits: &Limits) -> Result<(), RequestError> {
        if self.lines == 0 && end - self.line_start > limits.request_line_bytes_max {
            let max = limits.request_line_bytes_max;
            return Err(RequestError::RequestLineTooLong { seen: max + 1, max });
        }
        if end > limits.head_bytes_max {
            let max = limits.head_bytes_max;
            return Err(RequestError::HeadTooLong { seen: max + 1, max });
        }
        Ok(())
    }
}

/// Reads a whole head as found by [`HeadScanner`]. Values share `head`'s memory.
pub(super) fn parse(head: BytesMut) -> Result<Head, RequestError> {
    let head = head.freeze();
    let line_end = memchr::memchr(b'\n', &head).map_or(head.len(), |at| at + 1);
    let line = head.slice(..line_end.saturating_sub(2));
    let (method, target, version) = parse_request_line(&line)?;
    let mut headers = parse_fields(&head, line_end)?;
    let uri = parse_target(&method, target)?;
    check_host(&uri, version, &mut headers)?;
    let framing = parse_framing(version, &headers)?;
    let expects_continue = parse_expectation(version, &headers)?;
    let keep_alive = parse_connection(version, &headers);
    Ok(Head { method, uri, version, headers, framing, keep_alive, expects_continue })
}

fn parse_request_line(line: &Bytes) -> Result<(Method, Bytes, Version), RequestError> {
    let malformed = || RequestError::RequestLine { seen: seen(line) };
    let method_end = memchr::memchr(b' ', line).ok_or_else(malformed)?;
    let target_end = memchr::memrchr(b' ', line).ok_or_else(malformed)?;
    if target_end <= method_end + 1 {
        return Err(malformed());
    }
    let target = line.slice(method_end + 1..target_end);
    let method = Method::from_bytes(&line[..method_end]).map_err(|_| malformed())?;
    let version = match &line[target_end + 1..] {
        b"HTTP/1.1" => Version::HTTP_11,
        b"HTTP/1.0" => Version::HTTP_10,
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            return Err(RequestError::Version { seen: seen(&line[target_end + 1..]) });
        }
        _ => return Err(malformed()),
    };
    if !target.iter().all(u8::is_ascii_graphic) {
        return Err(RequestError::Target { seen: seen(&target) });
    }
    Ok((method, target, version))
}

fn parse_fields(head: &Bytes, from: usize) -> Result<HeaderMap, RequestError> {
    let malformed = |seen| RequestError::HeaderField { seen };
    let mut fields = [httparse::EMPTY_HEADER; HEADER_FIELDS_MAX];
    let parsed = match httparse::parse_headers(&head[from..], &mut fields) {
        Ok(httparse::Status::Complete((_, parsed))) => parsed,
        Ok(httparse::Status::Partial) => return Err(malformed("an empty line inside")),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(RequestError::TooManyHeaderFields { max: HEADER_FIELDS_MAX });
        }
        Err(httparse::Error::HeaderName) => return Err(malformed("a name")),
        Err(httparse::Error::HeaderValue) => return Err(malformed("a value")),
        Err(_) => return Err(malformed("a line")),
    };
    let mut headers = HeaderMap::with_capacity(parsed.len());
    for field in parsed.iter() {
        let name =
            HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| malformed("a name"))?;
        let value = HeaderValue::from_maybe_shared(head.slice_ref(field.value))
            .map_err(|_| malformed("a value"))?;
        headers.append(name, value);
    }
    Ok(headers)
}

fn parse_target(method: &Method, target: Bytes) -> Result<Uri, RequestError> {
    let malformed = || RequestError::Target { seen: seen(&target) };
    if *method == Method::CONNECT {
        return Err(RequestError::Connect);
    }
    if target.as_ref() == b"*" {
        return if *method == Method::OPTIONS {
            Ok(Uri::from_static("*"))
        } else {
            Err(malformed())
        };
    }
    // A fragment never travels; parsers that drop it and parsers that keep it see two paths.
    if target.contains(&b'#') {
        return Err(malformed());
    }
    let uri = Uri::from_maybe_shared(target.clone()).map_err(|_| malformed())?;
    let is_origin_form = target.starts_with(b"/");
    let is_absolute_form = matches!(uri.scheme_str(), Some("http" | "https"))
        && uri.authority().is_some_and(|authority| is_host(authority.as_str().as_bytes()));
    if is_origin_form || is_absolute_form { Ok(uri) } else { Err(malformed()) }
}

/// RFC 9112 §3.2: exactly one valid Host in HTTP/1.1, at most one in 1.0. In the absolute form the
/// URI's authority takes its place.
fn check_host(uri: &Uri, version: Version, headers: &mut HeaderMap) -> Result<(), RequestError> {
    let sent = headers.get_all(header::HOST).iter().count();
    let valid =
        headers.get_all(header::HOST).iter().filter(|value| is_host(value.as_bytes())).count();
    if valid != sent || sent > 1 || (sent == 0 && version == Version::HTTP_11) {
        return Err(RequestError::Host { seen: valid });
    }
    if let Some(authority) = uri.authority() {
        let value = HeaderValue::from_str(authority.as_str())
            .map_err(|_| RequestError::Target { seen: seen(authority.as_str().as_bytes()) })?;
        headers.insert(header::HOST, value);
    }
    Ok(())
}

/// `host [":" port]` by the alphabet of real hosts: what a log, a redirect or a cache key may
/// contain. The standard's other delimiters (a comma joins two fields) are refused; an empty value
/// is allowed for targets without authority.
pub(super) fn is_host(value: &[u8]) -> bool {
    value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%:[]".contains(byte))
}

fn parse_framing(version: Version, headers: &HeaderMap) -> Result<Framing, RequestError> {
    let codings = joined(headers, header::TRANSFER_ENCODING);
    let lengths = joined(headers, header::CONTENT_LENGTH);
    match (codings, lengths) {
        (None, None) => Ok(Framing::Length(0)),
        (Some(_), Some(_)) => Err(RequestError::TwoLengths),
        (Some(codings), None) => {
            if version == Version::HTTP_10 {
                return Err(RequestError::TransferEncoding { seen: seen(&codings) });
            }
            parse_codings(&codings)
        }
        (None, Some(value)) => parse_length(&value)
            .map(Framing::Length)
            .ok_or_else(|| RequestError::ContentLength { seen: seen(&value) }),
    }
}

fn parse_codings(codings: &[u8]) -> Result<Framing, RequestError> {
    if codings.eq_ignore_ascii_case(b"chunked") {
        return Ok(Framing::Chunked);
    }
    let mut names = codings.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    let only_chunked = names.all(|name| name.is_empty() || name.eq_ignore_ascii_case(b"chunked"));
    if only_chunked {
        Err(RequestError::TransferEncoding { seen: seen(codings) })
    } else {
        Err(RequestError::UnknownTransferCoding { seen: seen(codings) })
    }
}

/// One number of plain digits. Repeats are refused even when equal: the field may have been
/// joined by an intermediary that trusted the other one.
fn parse_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn parse_expectation(version: Version, headers: &HeaderMap) -> Result<bool, RequestError> {
    match joined(headers, header::EXPECT) {
        // RFC 9110 §10.1.1: ignored in HTTP/1.0.
        None => Ok(false),
        Some(_) if version == Version::HTTP_10 => Ok(false),
        Some(value) if value.eq_ignore_ascii_case(b"100-continue") => Ok(true),
        Some(value) => Err(RequestError::Expectation { seen: seen(&value) }),
    }
}

/// RFC 9112 §9.3.
fn parse_connection(version: Version, headers: &HeaderMap) -> bool {
    let has = |wanted: &str| {
        headers
            .get_all(header::CONNECTION)
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .any(|token| token.trim_ascii().eq_ignore_ascii_case(wanted.as_bytes()))
    };
    match version {
        Version::HTTP_10 => has("keep-alive") && !has("close"),
        _ => !has("close"),
    }
}

/// All values of a field as one list (RFC 9110 §5.3); `None` when it is absent.
fn joined(headers: &HeaderMap, name: HeaderName) -> Option<Vec<u8>> {
    let mut values = headers.get_all(name).iter();
    let mut joined = values.next()?.as_bytes().to_vec();
    for value in values {
        joined.extend_from_slice(b", ");
        joined.extend_from_slice(value.as_bytes());
    }
    Some(joined)
}
