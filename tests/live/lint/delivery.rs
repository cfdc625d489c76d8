//! How playlists and media come: headers of the answers (CH), and names that must not exist.

use super::Offences;
use crate::http::Response;

/// Offences of a 200 answer with a playlist.
pub(crate) fn playlist(path: &str, answer: &Response) -> Vec<String> {
    let mut bad = Offences::default();
    let get = |name: &str| answer.header(name).unwrap_or_default();
    let kind = get("content-type");
    let right = kind.starts_with("application/vnd.apple.mpegurl");
    bad.when(!right, &format!("PL-1: {path} is {kind:?}"));
    common(path, answer, &mut bad);
    let varies = get("vary").to_ascii_lowercase().contains("accept-encoding");
    bad.when(!varies, &format!("CH-3: {path} does not vary by encoding"));
    bad.0
}

/// Offences of a 200 answer with media.
pub(crate) fn media(path: &str, answer: &Response) -> Vec<String> {
    let mut bad = Offences::default();
    let get = |name: &str| answer.header(name).unwrap_or_default();
    let kind = get("content-type");
    bad.when(kind != "video/mp4" && kind != "audio/mp4", &format!("CH-7: {path} is {kind:?}"));
    common(path, answer, &mut bad);
    bad.when(answer.header("content-encoding").is_some(), &format!("CH-3: {path} is compressed"));
    bad.when(answer.header("content-length").is_none(), &format!("CH-9: {path} has no length"));
    bad.0
}

fn common(path: &str, answer: &Response, bad: &mut Offences) {
    let get = |name: &str| answer.header(name).unwrap_or_default();
    let age = get("cache-control");
    let told = age.contains("max-age=") || age.contains("no-cache") || age.contains("no-store");
    bad.when(!told, &format!("CH-4: {path} has Cache-Control {age:?}"));
    bad.when(get("access-control-allow-origin").is_empty(), &format!("CH-5: {path} has no origin"));
    let sniffed = get("x-content-type-options") != "nosniff";
    bad.when(sniffed, &format!("CH-7: {path} may be sniffed"));
    bad.when(answer.header("date").is_none(), &format!("CH-11: {path} has no Date"));
}
