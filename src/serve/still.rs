//! `/thumbnail.jpg` and `/preview.gif`: pictures of what is on, the logo while nothing is.
//!
//! The logo is the bitmap whatever the operator's is: clients that ask for a JPEG or a GIF go by
//! the type of the answer, but not all of them show SVG.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use bytes::Bytes;
use http::header::{self, HeaderValue};
use riverrun_net::http::{Request, Response};

use super::{conditional, picture};
use crate::shard::Shard;

/// The logo as a bitmap.
const LOGO: &str = "logo.png";

/// `/thumbnail.jpg`
pub(super) fn thumbnail(shard: &Shard, request: &Request) -> Response {
    let file = shard.stills().map(|stills| stills.thumbnail.clone());
    still(file, "image/jpeg", request)
}

/// `/preview.gif`
pub(super) fn preview(shard: &Shard, request: &Request) -> Response {
    let file = shard.stills().map(|stills| stills.preview.clone());
    still(file, "image/gif", request)
}

fn still(file: Option<Bytes>, content_type: &'static str, request: &Request) -> Response {
    let Some(file) = file else { return picture(LOGO, request) };
    let mut hasher = DefaultHasher::new();
    file.hash(&mut hasher);
    let etag = format!("\"{:016x}\"", hasher.finish());
    let mut response =
        Response::ok(content_type, file).header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        response.headers.insert(header::ETAG, etag);
    }
    conditional(request, response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, Method, StatusCode, Version};

    fn request(etag: Option<&HeaderValue>) -> Request {
        let mut headers = HeaderMap::new();
        headers.extend(etag.map(|etag| (header::IF_NONE_MATCH, etag.clone())));
        Request {
            method: Method::GET,
            uri: "/thumbnail.jpg".parse().unwrap(),
            version: Version::HTTP_11,
            headers,
            body: Bytes::new(),
        }
    }

    #[test]
    fn a_still_is_told_apart_by_its_bytes() {
        let file = |bytes| Some(Bytes::from_static(bytes));
        let first = still(file(b"one"), "image/jpeg", &request(None));
        assert_eq!(
            (first.status, &first.headers[header::CONTENT_TYPE]),
            (StatusCode::OK, &HeaderValue::from_static("image/jpeg"))
        );
        let etag = &first.headers[header::ETAG];
        for (bytes, status) in [(b"one", StatusCode::NOT_MODIFIED), (b"two", StatusCode::OK)] {
            let again = still(file(bytes), "image/jpeg", &request(Some(etag)));
            assert_eq!(again.status, status);
        }
    }

    #[test]
    fn without_one_there_is_the_logo() {
        let logo = still(None, "image/gif", &request(None));
        assert_eq!(
            (logo.status, &logo.headers[header::CONTENT_TYPE]),
            (StatusCode::OK, &HeaderValue::from_static("image/png"))
        );
    }
}
