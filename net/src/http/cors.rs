//! Cross-origin sharing (Fetch §3.3, CH-5): media, playlists and the public API are readable by
//! players on other sites; nothing with a cookie is.
//!
//! Origins are compared whole and byte by byte (a suffix match lets `evil-example.org` in). `*` is
//! never sent together with credentials.

use http::header::{self, HeaderName, HeaderValue};
use http::{Method, StatusCode};

use super::{Request, Response};

/// Which sites may read the answers of a group of routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cors {
    /// Every site; for content that is public anyway.
    AnyOrigin,
    /// Exactly these, each as browsers send it: `https://example.org`, no slash at the end.
    Origins(Vec<String>),
    /// None: no field is added and a preflight is answered without permission.
    Closed,
}

impl Cors {
    /// Adds the fields of an answer to `request`, errors included (hls.js needs them to report).
    pub fn apply(&self, request: &Request, response: &mut Response) {
        if let Some(allowed) = self.allowed_origin(request, response) {
            allow(response, allowed);
        }
    }

    /// Adds the fields of [`AnyOrigin`](Self::AnyOrigin), which are the same for every request.
    pub fn apply_any(response: &mut Response) {
        allow(response, ANY);
    }

    /// The answer to OPTIONS: 204 with what is allowed. `methods` is the route's list, such as
    /// `GET, HEAD, OPTIONS`. Without an `Origin` it is the plain answer that names the methods.
    #[must_use]
    pub fn preflight(&self, request: &Request, methods: &'static str) -> Response {
        let mut response = Response::new(StatusCode::NO_CONTENT).header(header::ALLOW, methods);
        self.apply(request, &mut response);
        if response.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
            response.headers.remove(header::ACCESS_CONTROL_EXPOSE_HEADERS);
            for (name, value) in [
                (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
                (header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS),
                (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAX_AGE_S),
            ] {
                response.headers.insert(name, HeaderValue::from_static(value));
            }
        }
        response
    }

    /// Whether the request asks for permission rather than for the route's options.
    #[must_use]
    pub fn is_preflight(request: &Request) -> bool {
        request.method == Method::OPTIONS
            && request.headers.contains_key(header::ORIGIN)
            && request.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    }

    fn allowed_origin(&self, request: &Request, response: &mut Response) -> Option<HeaderValue> {
        match self {
            Self::AnyOrigin => Some(ANY),
            Self::Closed => None,
            Self::Origins(origins) => {
                // The answer differs by origin even when this one gets nothing.
                add_vary(response, header::ORIGIN);
                let origin = request.headers.get(header::ORIGIN)?;
                let is_listed = origins.iter().any(|listed| listed.as_bytes() == origin.as_bytes());
                is_listed.then(|| origin.clone())
            }
        }
    }
}

fn allow(response: &mut Response, allowed: HeaderValue) {
    let headers = &mut response.headers;
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}

/// Every site.
const ANY: HeaderValue = HeaderValue::from_static("*");
/// What a page's script may read beyond the safe list: clock and ranges of players (CH-5).
const EXPOSED: HeaderValue =
    HeaderValue::from_static("Age, Content-Length, Content-Range, Date, ETag");
/// Request fields that players and API clients set: ranges, CMCD, tokens.
const ALLOWED_HEADERS: &str = "Authorization, Content-Type, If-Modified-Since, If-None-Match, \
     Range, \
     CMCD-Object, CMCD-Request, CMCD-Session, CMCD-Status";
/// One day; browsers cap it themselves.
const PREFLIGHT_MAX_AGE_S: &str = "86400";

/// Adds `name` to `Vary` unless it is there (RFC 9110 §12.5.5).
pub fn add_vary(response: &mut Response, name: HeaderName) {
    let is_there = response
        .headers
        .get_all(header::VARY)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .any(|token| token.trim_ascii().eq_ignore_ascii_case(name.as_str().as_bytes()));
    if !is_there {
        response.headers.append(header::VARY, HeaderValue::from(name));
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, Uri, Version};

    use super::*;

    fn request(method: Method, fields: &[(&'static str, &'static str)]) -> Request {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let uri = Uri::from_static("/hls/stream.m3u8");
        Request { method, uri, version: Version::HTTP_11, headers, body: Bytes::new() }
    }

    #[test]
    fn origins_match_whole_or_not_at_all() {
        let listed = || Cors::Origins(vec!["https://example.org".into()]);
        let cases: [(Cors, &'static str, Option<&str>); 7] = [
            (Cors::AnyOrigin, "https://a.example", Some("*")),
            (Cors::Closed, "https://a.example", None),
            (listed(), "https://example.org", Some("https://example.org")),
            (listed(), "https://evil-example.org", None),
            (listed(), "https://example.org.evil.net", None),
            (listed(), "http://example.org", None),
            (listed(), "null", None),
        ];
        for (cors, origin, allowed) in cases {
            let mut response = Response::new(StatusCode::NOT_FOUND);
            cors.apply(&request(Method::GET, &[("origin", origin)]), &mut response);
            let got = response.headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN);
            assert_eq!(got.map(|value| value.to_str().unwrap()), allowed, "{cors:?} {origin}");
            let varies = matches!(cors, Cors::Origins(_));
            assert_eq!(response.headers.contains_key(header::VARY), varies, "{cors:?}");
            assert!(!response.headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
        }
    }

    #[test]
    fn preflight_says_what_is_allowed_and_nothing_when_closed() {
        let fields = [("origin", "https://a.example"), ("access-control-request-method", "GET")];
        let request = request(Method::OPTIONS, &fields);
        assert!(Cors::is_preflight(&request));
        let open = Cors::AnyOrigin.preflight(&request, "GET, HEAD, OPTIONS");
        assert_eq!(open.status, StatusCode::NO_CONTENT);
        assert_eq!(open.headers[header::ACCESS_CONTROL_ALLOW_METHODS], "GET, HEAD, OPTIONS");
        assert!(
            open.headers[header::ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap().contains("Range")
        );
        let closed = Cors::Closed.preflight(&request, "GET");
        assert_eq!(closed.status, StatusCode::NO_CONTENT);
        assert_eq!(closed.headers[header::ALLOW], "GET");
        assert!(!closed.headers.contains_key(header::ACCESS_CONTROL_ALLOW_METHODS));
    }

    #[test]
    fn vary_is_added_once() {
        let mut response =
            Response::new(StatusCode::OK).header(header::VARY, "Accept-Encoding, ORIGIN");
        add_vary(&mut response, header::ORIGIN);
        assert_eq!(response.headers.get_all(header::VARY).iter().count(), 1);
        add_vary(&mut response, header::RANGE);
        assert_eq!(response.headers.get_all(header::VARY).iter().count(), 2);
    }
}
