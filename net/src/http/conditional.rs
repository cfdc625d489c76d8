//! Conditional requests (RFC 9110 §13): the validators of a ready answer against those that the
//! client holds.
//!
//! A page reload or a playlist poll whose content has not changed costs a head instead of a body.
//! Dates that do not parse are ignored, as the standard asks.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};

use super::{Body, Request, Response};

/// Turns a 200 into 304 or 412 when the request's conditions say so. The answer's own `ETag` and
/// `Last-Modified` are the validators. Call it before [`apply_range`](super::range::apply_range).
#[must_use]
pub fn apply_conditions(request: &Request, response: Response) -> Response {
    if response.status != StatusCode::OK {
        return response;
    }
    match evaluate(request, &response.headers) {
        Outcome::Proceed => response,
        Outcome::NotModified => not_modified(response),
        Outcome::Failed => Response::text(
            StatusCode::PRECONDITION_FAILED,
            "the content has changed since the version that the request names",
        ),
    }
}

enum Outcome {
    Proceed,
    NotModified,
    Failed,
}

/// The order of RFC 9110 §13.2.2.
fn evaluate(request: &Request, validators: &HeaderMap) -> Outcome {
    let is_read = matches!(request.method, Method::GET | Method::HEAD);
    let etag = validators.get(header::ETAG);
    let modified = date_of(validators, header::LAST_MODIFIED);
    let sent = &request.headers;
    if sent.contains_key(header::IF_MATCH) {
        if !any_tag_matches(sent, header::IF_MATCH, etag, Comparison::Strong) {
            return Outcome::Failed;
        }
    } else if let Some(limit) = date_of(sent, header::IF_UNMODIFIED_SINCE)
        && modified.is_some_and(|modified| modified > limit)
    {
        return Outcome::Failed;
    }
    if sent.contains_key(header::IF_NONE_MATCH) {
        if any_tag_matches(sent, header::IF_NONE_MATCH, etag, Comparison::Weak) {
            return if is_read { Outcome::NotModified } else { Outcome::Failed };
        }
    } else if is_read
        && let Some(since) = date_of(sent, header::IF_MODIFIED_SINCE)
        && modified.is_some_and(|modified| modified <= since)
    {
        return Outcome::NotModified;
    }
    Outcome::Proceed
}

/// RFC 9110 §8.8.3.2.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Strong,
    Weak,
}

fn any_tag_matches(
    sent: &HeaderMap,
    name: HeaderName,
    etag: Option<&HeaderValue>,
    comparison: Comparison,
) -> bool {
    let ours = etag.map(HeaderValue::as_bytes);
    sent.get_all(name).iter().any(|list| {
        list.as_bytes().trim_ascii() == b"*"
            || ours.is_some_and(|ours| {
                tags(list.as_bytes()).any(|theirs| tags_match(ours, theirs, comparison))
            })
    })
}

fn tags_match(ours: &[u8], theirs: &[u8], comparison: Comparison) -> bool {
    let (ours_weak, ours) = split_weak(ours);
    let (theirs_weak, theirs) = split_weak(theirs);
    ours == theirs && (comparison == Comparison::Weak || !(ours_weak || theirs_weak))
}

fn split_weak(tag: &[u8]) -> (bool, &[u8]) {
    tag.strip_prefix(b"W/").map_or((false, tag), |opaque| (true, opaque))
}

/// The tags of a list. Commas may stand inside the quotes, so the quotes lead.
fn tags(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let start = rest.iter().position(|byte| !b" \t,".contains(byte))?;
        let tag = &rest[start..];
        let opening = if tag.starts_with(b"W/") { 2 } else { 0 };
        if tag.get(opening) != Some(&b'"') {
            return None;
        }
        let closing = tag.get(opening + 1..)?.iter().position(|byte| *byte == b'"')?;
        let end = opening + closing + 2;
        rest = &tag[end..];
        Some(&tag[..end])
    })
}

fn date_of(headers: &HeaderMap, name: HeaderName) -> Option<std::time::SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}

/// RFC 9110 §15.4.5: the fields a 200 would have had, without those that describe the body. What
/// browsers and caches act on (CORS, Vary, Cache-Control, the validators) stays.
fn not_modified(mut response: Response) -> Response {
    response.status = StatusCode::NOT_MODIFIED;
    response.body = Body::Empty;
    for name in [header::CONTENT_TYPE, header::CONTENT_ENCODING, header::CONTENT_LANGUAGE] {
        response.headers.remove(name);
    }
    response
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{Uri, Version};

    use super::*;

    fn status(method: Method, fields: &[(&'static str, &str)]) -> u16 {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        let uri = Uri::from_static("/");
        let request =
            Request { method, uri, version: Version::HTTP_11, headers, body: Bytes::new() };
        let response = Response::ok("text/html", "page")
            .header(header::ETAG, "\"v1,x\"")
            .header(header::LAST_MODIFIED, "Sun, 06 Nov 1994 08:49:37 GMT")
            .header(header::VARY, "Accept-Encoding");
        let answer = apply_conditions(&request, response);
        if answer.status == StatusCode::NOT_MODIFIED {
            assert!(answer.body.is_empty());
            assert!(!answer.headers.contains_key(header::CONTENT_TYPE));
            assert_eq!(answer.headers[header::VARY], "Accept-Encoding");
            assert_eq!(answer.headers[header::ETAG], "\"v1,x\"");
        }
        answer.status.as_u16()
    }

    #[test]
    fn conditions_of_get() {
        let before = "Sun, 06 Nov 1994 08:49:36 GMT";
        let same = "Sun, 06 Nov 1994 08:49:37 GMT";
        let obsolete = "Sunday, 06-Nov-94 08:49:37 GMT";
        let cases: &[(&[(&'static str, &str)], u16)] = &[
            (&[], 200),
            (&[("if-none-match", "\"v1,x\"")], 304),
            (&[("if-none-match", "W/\"v1,x\"")], 304),
            (&[("if-none-match", "\"a\", W/\"b\" ,\"v1,x\"")], 304),
            (&[("if-none-match", "\"a\""), ("if-none-match", "\"v1,x\"")], 304),
            (&[("if-none-match", " * ")], 304),
            (&[("if-none-match", "\"v1\"")], 200),
            (&[("if-none-match", "v1,x")], 200),
            (&[("if-none-match", "\"v1,x")], 200),
            (&[("if-none-match", "")], 200),
            (&[("if-modified-since", same)], 304),
            (&[("if-modified-since", obsolete)], 304),
            (&[("if-modified-since", before)], 200),
            (&[("if-modified-since", "yesterday")], 200),
            (&[("if-none-match", "\"a\""), ("if-modified-since", same)], 200),
            (&[("if-match", "\"v1,x\"")], 200),
            (&[("if-match", "W/\"v1,x\"")], 412),
            (&[("if-match", "\"a\"")], 412),
            (&[("if-match", "*")], 200),
            (&[("if-unmodified-since", same)], 200),
            (&[("if-unmodified-since", before)], 412),
            (&[("if-match", "\"v1,x\""), ("if-unmodified-since", before)], 200),
        ];
        for (fields, expected) in cases {
            assert_eq!(status(Method::GET, fields), *expected, "{fields:?}");
            assert_eq!(status(Method::HEAD, fields), *expected, "{fields:?}");
        }
        assert_eq!(status(Method::POST, &[("if-none-match", "*")]), 412);
        assert_eq!(status(Method::POST, &[("if-modified-since", same)]), 200);
    }
}
