//! Who may use the admin's routes: what a request shows of itself, and which pages may ask at all
//! (API §1.2, `[dev]`; T5).
//!
//! A browser sends Basic credentials and cookies along with requests that other sites' pages make.
//! So a request with a foreign `Origin` is turned away whatever else it has, and one that changes
//! something without saying where it comes from needs a header that pages of other sites cannot
//! set.

use http::header::{self, AsHeaderName};
use http::{HeaderMap, Method};

use super::base64;

/// The cookie of a session.
pub const SESSION_COOKIE: &str = "owncast_admin_session";
/// The header of rule 5.
const CSRF_HEADER: &str = "x-owncast-csrf-protection";
/// Where the page is developed; allowed only towards a server on the same machine.
const DEVELOPMENT_ORIGIN: &str = "http://localhost:3000";

/// What a request shows of who it is.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Name and password.
    Basic {
        /// The only name is `admin`.
        user: String,
        /// As typed.
        password: String,
    },
    /// The value of the session's cookie.
    Session(String),
    /// Nothing, or nothing that can be read.
    Nothing,
}

/// A page of another site asked, or nobody knows which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forbidden;

/// What an answer to an admitted origin says to the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// `Access-Control-Allow-Origin` with credentials, when the page is being developed.
    pub allow_origin: Option<&'static str>,
    /// The request came over TLS: cookies are marked so.
    pub is_secure: bool,
}

/// Rules 1 and 5: whether this request may come from where it comes from.
pub fn check_origin(method: &Method, headers: &HeaderMap) -> Result<Admission, Forbidden> {
    let is_secure = scheme(headers) == "https";
    let host = text(headers, header::HOST).unwrap_or_default();
    let admitted = |allow_origin| Ok(Admission { allow_origin, is_secure });
    if headers.contains_key(header::ORIGIN) {
        let origin = text(headers, header::ORIGIN).unwrap_or_default();
        if origin == DEVELOPMENT_ORIGIN && is_loopback(host) {
            return admitted(Some(DEVELOPMENT_ORIGIN));
        }
        let own = format!("{}://{host}", scheme(headers));
        let is_own = !host.is_empty() && origin.eq_ignore_ascii_case(&own);
        return if is_own { admitted(None) } else { Err(Forbidden) };
    }
    let changes = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    let is_program =
        headers.contains_key(header::AUTHORIZATION) || text(headers, CSRF_HEADER) == Some("1");
    if changes && !is_program { Err(Forbidden) } else { admitted(None) }
}

/// What the request shows. Basic wins: it is what was typed last.
#[must_use]
pub fn credentials(headers: &HeaderMap) -> Credentials {
    if let Some(value) = text(headers, header::AUTHORIZATION) {
        return basic(value).unwrap_or(Credentials::Nothing);
    }
    let cookies = headers.get_all(header::COOKIE).iter();
    let cookies = cookies.filter_map(|value| value.to_str().ok()).flat_map(|line| line.split(';'));
    for (name, value) in cookies.filter_map(|cookie| cookie.split_once('=')) {
        if name.trim() == SESSION_COOKIE {
            return Credentials::Session(value.trim().to_owned());
        }
    }
    Credentials::Nothing
}

/// Value of `Set-Cookie` that begins a session of `seconds`; 0 ends it.
#[must_use]
pub fn session_cookie(token: &str, seconds: u64, is_secure: bool) -> String {
    let secure = if is_secure { "; Secure" } else { "" };
    format!("{SESSION_COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

fn basic(value: &str) -> Option<Credentials> {
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(base64::decode(encoded.trim().as_bytes())?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some(Credentials::Basic { user: user.to_owned(), password: password.to_owned() })
}

/// A proxy says how the browser came; one that lies can only lock its own users out.
fn scheme(headers: &HeaderMap) -> &'static str {
    match text(headers, "x-forwarded-proto") {
        Some(proto) if proto.eq_ignore_ascii_case("https") => "https",
        _ => "http",
    }
}

/// A field as text; `None` when it is absent or has other than visible ASCII.
fn text(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Basic { .. } => "Basic",
            Self::Session(_) => "Session",
            Self::Nothing => "Nothing",
        })
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    /// T5: origins by ways of showing who one is.
    #[test]
    fn the_matrix_of_origins() {
        let host = ("host", "live.example.org");
        let local = ("host", "127.0.0.1:8080");
        let https = ("x-forwarded-proto", "https");
        let basic = ("authorization", "Basic YWRtaW46cHc=");
        let cookie = ("cookie", "owncast_admin_session=x");
        let marked = ("x-owncast-csrf-protection", "1");
        let from = |origin| ("origin", origin);
        type Case<'a> = (&'a [(&'static str, &'static str)], bool, bool);
        let cases: &[Case<'_>] = &[
            // Fields, whether a read passes, whether a change passes.
            (&[host], true, false),
            (&[host, basic], true, true),
            (&[host, cookie], true, false),
            (&[host, cookie, marked], true, true),
            (&[host, from("http://live.example.org"), cookie], true, true),
            (&[host, https, from("https://live.example.org"), cookie], true, true),
            (&[host, https, from("http://live.example.org"), cookie], false, false),
            (&[host, from("https://evil.example"), basic], false, false),
            (&[host, from("https://evil.example"), cookie, marked], false, false),
            (&[host, from("http://live.example.org.evil.example"), basic], false, false),
            (&[host, from("null"), basic], false, false),
            (&[host, from(""), basic], false, false),
            (&[host, from("http://localhost:3000"), basic], false, false),
            (&[local, from("http://localhost:3000"), basic], true, true),
            (&[from("http://"), basic], false, false),
        ];
        for (fields, reads, changes) in cases {
            let read = check_origin(&Method::GET, &headers(fields)).is_ok();
            let change = check_origin(&Method::POST, &headers(fields)).is_ok();
            assert_eq!((read, change), (*reads, *changes), "{fields:?}");
        }
        let development = headers(&[local, from("http://localhost:3000")]);
        let development = check_origin(&Method::GET, &development).unwrap();
        assert_eq!(development.allow_origin, Some("http://localhost:3000"));
        let own = check_origin(&Method::GET, &headers(&[host, https])).unwrap();
        assert_eq!(own, Admission { allow_origin: None, is_secure: true });
    }

    #[test]
    fn what_a_request_shows() {
        let shown = |fields: &[(&'static str, &'static str)]| credentials(&headers(fields));
        let basic = Credentials::Basic { user: "admin".into(), password: "p:w".into() };
        assert_eq!(shown(&[("authorization", "basic YWRtaW46cDp3")]), basic);
        let session = Credentials::Session("abc".into());
        assert_eq!(shown(&[("cookie", "a=b; owncast_admin_session=abc")]), session);
        for fields in [
            [("authorization", "Basic %%%")],
            [("authorization", "Bearer YWRtaW46cDp3")],
            [("authorization", "Basic /////w==")],
            [("authorization", "Basic")],
            [("cookie", "owncast_admin_session")],
        ] {
            assert_eq!(shown(&fields), Credentials::Nothing, "{fields:?}");
        }
    }
}
