//! `/public/…`: the operator's own files, read while they are sent.

use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::StatusCode;
use http::header::{self, HeaderValue};
use riverrun_net::http::conditional::apply_conditions;
use riverrun_net::http::range::apply_range;
use riverrun_net::http::{Body, HttpDate, Request, Response};
use riverrun_web::public_file::PublicPath;

use super::{PICTURE_CSP, retry_after, set};
use crate::public_files::{PublicFile, PublicFileError};
use crate::shard::Shard;

/// When to ask again for a file that could not be opened.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The file at `address`, what follows `/public/`.
pub(super) async fn answer(shard: &Rc<Shard>, address: &str, request: &Request) -> Response {
    let Some(path) = PublicPath::parse(address) else { return missing() };
    let media_type = path.media_type();
    match shard.plan.services.public_files.open(path).await {
        Ok(file) => apply_range(request, apply_conditions(request, whole(media_type, file))),
        Err(PublicFileError::Missing) => missing(),
        Err(error) => {
            if shard.complaints.allows(Instant::now()) {
                tracing::warn!(%error, "a file of the public folder was not sent");
            }
            let sentence = "the file cannot be read now; try again";
            retry_after(Response::text(StatusCode::SERVICE_UNAVAILABLE, sentence), RETRY_AFTER)
        }
    }
}

fn missing() -> Response {
    Response::text(StatusCode::NOT_FOUND, "there is no such file")
}

fn whole(media_type: &'static str, file: PublicFile) -> Response {
    let length = file.body.len();
    let mut response = Response::ok(media_type, Body::Stored(file.body))
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    if media_type == "image/svg+xml" {
        set(&mut response, header::CONTENT_SECURITY_POLICY, PICTURE_CSP);
    }
    let modified = file.modified.unwrap_or(UNIX_EPOCH);
    if let Ok(etag) = HeaderValue::from_str(&etag(length, modified)) {
        response.headers.insert(header::ETAG, etag);
    }
    let date = HttpDate::from_system_time(modified);
    if let Ok(date) = HeaderValue::from_bytes(date.as_bytes()) {
        response.headers.insert(header::LAST_MODIFIED, date);
    }
    response
}

/// A file that is written anew has another length or another time.
fn etag(length: u64, modified: SystemTime) -> String {
    let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("\"{length:x}-{:x}\"", since.as_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changed_has_another_tag() {
        let at = |nanos| UNIX_EPOCH + Duration::from_nanos(nanos);
        assert_eq!(etag(10, at(255)), "\"a-ff\"");
        assert_ne!(etag(10, at(255)), etag(11, at(255)));
        assert_ne!(etag(10, at(255)), etag(10, at(256)));
    }
}
