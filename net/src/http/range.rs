//! Byte ranges (RFC 9110 §14, CH-6): a finished 200 and the request's `Range` in, 200, 206 or 416
//! out.
//!
//! One range is served, over chains without a copy. Several ranges are answered with the whole
//! body, which the standard allows and which takes the multiplication attack away. Units other
//! than bytes and malformed ranges are ignored, as the standard asks.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, StatusCode};

use super::{Body, Request, Response};

/// Applies the request's `Range` and `If-Range` to a whole 200 answer, and says that ranges are
/// accepted. Other statuses and methods pass unchanged; HEAD is answered as GET (CH-6).
#[must_use]
pub fn apply_range(request: &Request, mut response: Response) -> Response {
    let is_read = matches!(request.method, Method::GET | Method::HEAD);
    if !is_read || response.status != StatusCode::OK {
        return response;
    }
    response.headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let mut fields = request.headers.get_all(header::RANGE).iter();
    let (Some(range), None) = (fields.next(), fields.next()) else { return response };
    if !if_range_holds(request, &response) {
        return response;
    }
    let length = response.body.len() as u64;
    match parse_range(range.as_bytes(), length) {
        RangeRequest::Ignored => response,
        RangeRequest::Satisfiable { first, last } => {
            content_range(&mut response, &format!("bytes {first}-{last}/{length}"));
            response.status = StatusCode::PARTIAL_CONTENT;
            response.body = slice(&response.body, first, last);
            response
        }
        RangeRequest::Unsatisfiable => {
            let sentence = format!("the range starts at or past the end; the length is {length}");
            let mut refusal = Response::text(StatusCode::RANGE_NOT_SATISFIABLE, &sentence);
            content_range(&mut refusal, &format!("bytes */{length}"));
            refusal.headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
            refusal
        }
    }
}

/// What one `Range` field asks of a body of known length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RangeRequest {
    /// Malformed, another unit, or several ranges: answer as if it were absent.
    Ignored,
    /// Both ends inclusive, inside the body.
    Satisfiable { first: u64, last: u64 },
    /// Well formed, with no byte inside the body.
    Unsatisfiable,
}

fn parse_range(value: &[u8], length: u64) -> RangeRequest {
    let Some(ranges) =
        value.split_at_checked(6).filter(|(unit, _)| unit.eq_ignore_ascii_case(b"bytes="))
    else {
        return RangeRequest::Ignored;
    };
    let Some(dash) = ranges.1.iter().position(|byte| *byte == b'-') else {
        return RangeRequest::Ignored;
    };
    let (first, last) = (&ranges.1[..dash], &ranges.1[dash + 1..]);
    match (parse_position(first), parse_position(last)) {
        (Position::Absent, Position::At(0)) => RangeRequest::Unsatisfiable,
        (Position::Absent, Position::At(_)) if length == 0 => RangeRequest::Unsatisfiable,
        (Position::Absent, Position::At(suffix)) => {
            RangeRequest::Satisfiable { first: length.saturating_sub(suffix), last: length - 1 }
        }
        (Position::At(first), Position::At(last)) if last < first => RangeRequest::Ignored,
        (Position::At(first), Position::Absent | Position::At(_)) if first >= length => {
            RangeRequest::Unsatisfiable
        }
        (Position::At(first), Position::Absent) => {
            RangeRequest::Satisfiable { first, last: length - 1 }
        }
        (Position::At(first), Position::At(last)) => {
            RangeRequest::Satisfiable { first, last: last.min(length - 1) }
        }
        (Position::Absent, Position::Absent)
        | (Position::Malformed, _)
        | (_, Position::Malformed) => RangeRequest::Ignored,
    }
}

enum Position {
    Absent,
    At(u64),
    Malformed,
}

/// Digits; a number past `u64` is past every body, so it saturates.
fn parse_position(digits: &[u8]) -> Position {
    if digits.is_empty() {
        return Position::Absent;
    }
    if !digits.iter().all(u8::is_ascii_digit) {
        return Position::Malformed;
    }
    let value = digits.iter().fold(0u64, |value, digit| {
        value.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
    });
    Position::At(value)
}

/// RFC 9110 §13.1.5: a strong entity tag or the exact date; when it differs the whole is sent.
fn if_range_holds(request: &Request, response: &Response) -> bool {
    let Some(wanted) = request.headers.get(header::IF_RANGE) else { return true };
    let field =
        if wanted.as_bytes().ends_with(b"\"") { header::ETAG } else { header::LAST_MODIFIED };
    let is_weak = wanted.as_bytes().starts_with(b"W/");
    !is_weak && response.headers.get(field) == Some(wanted)
}

/// The bytes `first..=last` by reference. Both lie inside the body.
fn slice(body: &Body, first: u64, last: u64) -> Body {
    if let Body::Stored(stored) = body {
        return Body::Stored(stored.slice(first, last));
    }
    let mut skip = usize::try_from(first).unwrap_or(usize::MAX);
    let mut left = usize::try_from(last - first).unwrap_or(usize::MAX).saturating_add(1);
    let mut runs = Vec::new();
    for run in body.runs() {
        let start = skip.min(run.len());
        let end = start.saturating_add(left).min(run.len());
        skip -= start;
        left -= end - start;
        if start < end {
            runs.push(run.slice(start..end));
        }
        if left == 0 {
            break;
        }
    }
    match <[Bytes; 1]>::try_from(runs) {
        Ok([only]) => Body::Bytes(only),
        Err(runs) => Body::Chain(Arc::from(runs)),
    }
}

fn content_range(response: &mut Response, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers.insert(header::CONTENT_RANGE, value);
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Uri, Version};

    use super::*;

    fn request(method: Method, fields: &[(&'static str, &str)]) -> Request {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        let uri = Uri::from_static("/hls/0/s1.m4s");
        Request { method, uri, version: Version::HTTP_11, headers, body: Bytes::new() }
    }

    fn bodies() -> [Body; 2] {
        let runs: Vec<Bytes> = ["01", "", "234", "56789"]
            .iter()
            .map(|run| Bytes::from_static(run.as_bytes()))
            .collect();
        [Body::from("0123456789"), Body::Chain(Arc::from(runs))]
    }

    fn text(body: &Body) -> String {
        body.runs().iter().map(|run| String::from_utf8(run.to_vec()).unwrap()).collect()
    }

    #[test]
    fn single_ranges_over_plain_and_chained_bodies() {
        let cases = [
            ("bytes=0-0", 206, "bytes 0-0/10", "0"),
            ("bytes=2-5", 206, "bytes 2-5/10", "2345"),
            ("bytes=1-1", 206, "bytes 1-1/10", "1"),
            ("bytes=5-", 206, "bytes 5-9/10", "56789"),
            ("bytes=-3", 206, "bytes 7-9/10", "789"),
            ("bytes=-99", 206, "bytes 0-9/10", "0123456789"),
            ("bytes=9-99999999999999999999999", 206, "bytes 9-9/10", "9"),
            ("BYTES=0-1", 206, "bytes 0-1/10", "01"),
            ("bytes= 0 - 1", 200, "", "0123456789"),
            ("bytes=10-", 416, "bytes */10", ""),
            ("bytes=99999999999999999999999-", 416, "bytes */10", ""),
            ("bytes=-0", 416, "bytes */10", ""),
            ("bytes=5-4", 200, "", "0123456789"),
            ("bytes=-", 200, "", "0123456789"),
            ("bytes=", 200, "", "0123456789"),
            ("bytes=a-b", 200, "", "0123456789"),
            ("bytes=+1-2", 200, "", "0123456789"),
            ("bytes=--3", 200, "", "0123456789"),
            ("bytes=0-1,3-4", 200, "", "0123456789"),
            ("items=0-1", 200, "", "0123456789"),
            ("byte", 200, "", "0123456789"),
        ];
        for (range, status, content_range, expected) in cases {
            for body in bodies() {
                let request = request(Method::GET, &[("range", range)]);
                let got = apply_range(&request, Response::ok("video/mp4", body));
                assert_eq!(got.status.as_u16(), status, "{range}");
                let seen =
                    got.headers.get(header::CONTENT_RANGE).map(|value| value.to_str().unwrap());
                assert_eq!(seen.unwrap_or(""), content_range, "{range}");
                assert_eq!(got.headers[header::ACCEPT_RANGES], "bytes");
                if status != 416 {
                    assert_eq!(text(&got.body), expected, "{range}");
                }
            }
        }
    }

    #[test]
    fn an_empty_body_has_no_range() {
        for range in ["bytes=0-", "bytes=-1", "bytes=0-0"] {
            let request = request(Method::GET, &[("range", range)]);
            let got = apply_range(&request, Response::ok("text/plain", Body::Empty));
            assert_eq!(got.status, StatusCode::RANGE_NOT_SATISFIABLE, "{range}");
        }
    }

    #[test]
    fn methods_statuses_and_repeats() {
        let get = |fields: &[(&'static str, &str)], method| {
            apply_range(&request(method, fields), Response::ok("video/mp4", "0123456789")).status
        };
        let one = [("range", "bytes=0-1")];
        assert_eq!(get(&one, Method::HEAD), StatusCode::PARTIAL_CONTENT);
        assert_eq!(get(&one, Method::POST), StatusCode::OK);
        assert_eq!(get(&[one[0], one[0]], Method::GET), StatusCode::OK);
        let missing = Response::text(StatusCode::NOT_FOUND, "no such segment");
        assert_eq!(apply_range(&request(Method::GET, &one), missing).status, StatusCode::NOT_FOUND);
    }

    #[test]
    fn if_range_needs_the_same_strong_validator() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let cases = [
            ("\"a\"", StatusCode::PARTIAL_CONTENT),
            ("\"b\"", StatusCode::OK),
            ("W/\"a\"", StatusCode::OK),
            (date, StatusCode::PARTIAL_CONTENT),
            ("Sun, 06 Nov 1994 08:49:38 GMT", StatusCode::OK),
        ];
        for (if_range, status) in cases {
            let whole = Response::ok("video/mp4", "0123456789")
                .header(header::ETAG, "\"a\"")
                .header(header::LAST_MODIFIED, "Sun, 06 Nov 1994 08:49:37 GMT");
            let request = request(Method::GET, &[("range", "bytes=0-1"), ("if-range", if_range)]);
            assert_eq!(apply_range(&request, whole).status, status, "{if_range}");
        }
    }
}
