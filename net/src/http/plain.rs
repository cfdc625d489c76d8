//! Plain reads, recognised in place: GET or HEAD of a path of ours, whole, with nothing in its head
//! that could change the answer beyond what [`PlainRequest`] shows.
//!
//! Nearly all requests of a live broadcast are such, and building a [`Request`](super::Request) is
//! half of what they would cost. This reader never refuses: whatever is not beyond doubt is left to
//! the full parser, so there is one place that says no (T20).

use super::Limits;
use super::encoding::{ContentCoding, choose_coding_of};
use super::head::{HeadScanner, is_host};

/// A plain read, borrowed from the bytes received. HTTP/1.1, origin form, one valid Host, no body,
/// no range, no condition, no expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainRequest<'a> {
    path: &'a str,
    query: &'a str,
    accept_encoding: &'a [u8],
    user_agent: &'a [u8],
    forwarded_for: Option<&'a [u8]>,
    is_head_method: bool,
    keep_alive: bool,
    length: usize,
}

/// Header fields looked at. Browsers send about fifteen.
const FIELDS_MAX: usize = 24;

impl<'a> PlainRequest<'a> {
    /// The plain read at the start of `bytes`, if all of its head is there.
    pub(super) fn parse(bytes: &'a [u8], limits: &Limits) -> Option<Self> {
        let (is_head_method, target_at) = match bytes {
            [b'G', b'E', b'T', b' ', ..] => (false, 4),
            [b'H', b'E', b'A', b'D', b' ', ..] => (true, 5),
            _ => return None,
        };
        let length = HeadScanner::default().scan(bytes, limits).ok()??;
        let head = &bytes[..length];
        let target_len = memchr::memchr(b' ', &head[target_at..])?;
        let (target, rest) = head[target_at..].split_at(target_len);
        let fields = rest.strip_prefix(b" HTTP/1.1\r\n")?;
        let (path, query) = split_target(target)?;
        let mut request = Self {
            path,
            query,
            accept_encoding: b"",
            user_agent: b"",
            forwarded_for: None,
            is_head_method,
            keep_alive: true,
            length,
        };
        request.read_fields(fields)?;
        Some(request)
    }

    fn read_fields(&mut self, fields: &'a [u8]) -> Option<()> {
        let mut parsed = [httparse::EMPTY_HEADER; FIELDS_MAX];
        let Ok(httparse::Status::Complete((_, parsed))) =
            httparse::parse_headers(fields, &mut parsed)
        else {
            return None;
        };
        let mut hosts = 0;
        let mut codings = 0;
        let mut chains = 0;
        for field in parsed.iter() {
            let name = field.name.as_bytes();
            let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
            match name.len() {
                4 if is("host") => {
                    hosts += usize::from(is_host(field.value));
                    // A second or malformed one is for the full parser to refuse.
                    if hosts != 1 || !is_host(field.value) {
                        return None;
                    }
                }
                10 if is("connection") => {
                    let mut tokens =
                        field.value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
                    self.keep_alive &= !tokens.any(|token| token.eq_ignore_ascii_case(b"close"));
                }
                10 if is("user-agent") => self.user_agent = field.value,
                // A chain over several fields is for the full parser to put together.
                15 if is("x-forwarded-for") => {
                    chains += 1;
                    self.forwarded_for = Some(field.value);
                }
                15 if is("accept-encoding") => {
                    codings += 1;
                    if codings > 1 {
                        return None;
                    }
                    self.accept_encoding = field.value;
                }
                5 if is("range") => return None,
                6 if is("expect") => return None,
                8 if is("if-match") || is("if-range") => return None,
                13 if is("if-none-match") => return None,
                14 if is("content-length") => return None,
                17 if is("if-modified-since") || is("transfer-encoding") => return None,
                19 if is("if-unmodified-since") => return None,
                _ => {}
            }
        }
        (hosts == 1 && chains <= 1).then_some(())
    }

    /// The path, from its first slash to the query: letters, digits and `/.-_~` alone.
    #[must_use]
    pub const fn path(&self) -> &'a str {
        self.path
    }

    /// What follows the question mark; empty when nothing does.
    #[must_use]
    pub const fn query(&self) -> &'a str {
        self.query
    }

    /// Which of the stored forms to send; see [`choose_coding`](super::encoding::choose_coding).
    #[must_use]
    pub fn choose_coding(&self, available: &[ContentCoding]) -> ContentCoding {
        choose_coding_of(|| std::iter::once(self.accept_encoding), available)
    }

    /// `User-Agent` as sent; empty when there is none.
    #[must_use]
    pub const fn user_agent(&self) -> &'a [u8] {
        self.user_agent
    }

    /// `X-Forwarded-For` as sent.
    #[must_use]
    pub const fn forwarded_for(&self) -> Option<&'a [u8]> {
        self.forwarded_for
    }

    /// Bytes of the head, which is all of the request.
    #[must_use]
    pub const fn byte_len(&self) -> usize {
        self.length
    }

    pub(super) const fn is_head_method(&self) -> bool {
        self.is_head_method
    }

    pub(super) const fn keep_alive(&self) -> bool {
        self.keep_alive
    }
}

/// Path and query of a target in the plainest alphabet, which every parser reads alike.
fn split_target(target: &[u8]) -> Option<(&str, &str)> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"/.-_~".contains(byte);
    let path_len = memchr::memchr(b'?', target).unwrap_or(target.len());
    let (path, query) = target.split_at(path_len);
    let is_plain = path.starts_with(b"/")
        && path.iter().all(is_word)
        && query.iter().all(|byte| is_word(byte) || b"?=&%+,".contains(byte));
    if !is_plain {
        return None;
    }
    let query = query.strip_prefix(b"?").unwrap_or(query);
    Some((std::str::from_utf8(path).ok()?, std::str::from_utf8(query).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(wire: &str) -> Option<PlainRequest<'_>> {
        PlainRequest::parse(wire.as_bytes(), &Limits::default())
    }

    #[test]
    fn what_is_plain_is_read_in_place() {
        let wire = "GET /hls/0/stream.m3u8?_HLS_msn=7&_HLS_part=1 HTTP/1.1\r\nHOST: a:80\r\n\
                    user-agent: x\r\nAccept-Encoding: gzip, br\r\nOrigin: https://b\r\n\r\nGET";
        let request = read(wire).unwrap();
        assert_eq!(request.path(), "/hls/0/stream.m3u8");
        assert_eq!(request.query(), "_HLS_msn=7&_HLS_part=1");
        assert_eq!(request.choose_coding(&[ContentCoding::Gzip]), ContentCoding::Gzip);
        assert_eq!((request.user_agent(), request.forwarded_for()), (&b"x"[..], None));
        assert_eq!(request.byte_len(), wire.len() - 3);
        assert!(request.keep_alive() && !request.is_head_method());
        for end in 0..request.byte_len() {
            assert_eq!(read(&wire[..end]), None, "cut at {end}");
        }
        let closing = read("HEAD /a? HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n").unwrap();
        assert!(closing.is_head_method() && !closing.keep_alive());
        assert_eq!((closing.path(), closing.query()), ("/a", ""));
        assert_eq!(closing.choose_coding(&[ContentCoding::Gzip]), ContentCoding::Identity);
    }

    #[test]
    fn whatever_could_change_the_answer_is_left_to_the_full_parser() {
        for fields in [
            "",
            "Host: a\r\nHost: a\r\n",
            "Host: a, b\r\n",
            "Host: a\r\nRange: bytes=0-1\r\n",
            "Host: a\r\nif-none-match: \"x\"\r\n",
            "Host: a\r\nIf-Match: \"x\"\r\n",
            "Host: a\r\nIf-Range: \"x\"\r\n",
            "Host: a\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
            "Host: a\r\nIf-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
            "Host: a\r\nExpect: 100-continue\r\n",
            "Host: a\r\nContent-Length: 0\r\n",
            "Host: a\r\nTransfer-Encoding: chunked\r\n",
            "Host: a\r\nAccept-Encoding: gzip\r\nAccept-Encoding: br\r\n",
            "Host: a\r\nX-Forwarded-For: b\r\nx-forwarded-for: c\r\n",
            "Host: a\r\n folded\r\n",
            "Host : a\r\n",
            "Host: a\r\nX\r\n",
        ] {
            assert_eq!(read(&format!("GET / HTTP/1.1\r\n{fields}\r\n")), None, "{fields:?}");
        }
        let many = "X: y\r\n".repeat(FIELDS_MAX);
        assert_eq!(read(&format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n")), None);
        for line in [
            "POST / HTTP/1.1",
            "GET / HTTP/1.0",
            "GET / HTTP/1.1 ",
            "GET  / HTTP/1.1",
            "GET a HTTP/1.1",
            "GET * HTTP/1.1",
            "GET http://a/ HTTP/1.1",
            "GET /a#b HTTP/1.1",
            "GET /a%20b HTTP/1.1",
            "GET /\"a\" HTTP/1.1",
            "GET /\u{e9} HTTP/1.1",
            "GET /?\"a\" HTTP/1.1",
            "get / HTTP/1.1",
            "\r\nGET / HTTP/1.1",
        ] {
            assert_eq!(read(&format!("{line}\r\nHost: a\r\n\r\n")), None, "{line:?}");
        }
    }
}
