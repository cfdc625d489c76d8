//! Every path the server answers, parsed once into one enum.
//!
//! Paths are compared whole with names that we know; nothing is decoded or joined. All our names
//! are plain ASCII, so a path with a percent sign, a backslash, a NUL or dot-dot is simply not ours
//! (T6). A path that exists under another method is told apart from one that does not exist.

use http::Method;

use crate::assets::{self, Asset};

/// Longest path worth looking at, bytes. The longest of ours is an asset name of about 50.
const PATH_LEN_MAX: usize = 128;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route<'a> {
    /// `/` and `/index.html`: the page, or a redirect for media players
    /// ([`crate::api::wants_playlist`]).
    Page,
    /// `/assets/page-Id70_ZjF.js` and its like: a file of the page.
    Asset(&'static Asset),
    /// `/api/status`
    Status,
    /// `/api/config`
    Config,
    /// `/api/ping`: the caller is a viewer. The answer is empty.
    Ping,
    /// `/hls/stream.m3u8`
    MultivariantPlaylist,
    /// `/hls/0/stream.m3u8`, `/hls/audio/stream.m3u8`
    MediaPlaylist {
        /// The rendition's folder: letters, digits, `-` and `_`.
        rendition: &'a str,
    },
    /// `/hls/0/init-0.mp4`, `/hls/0/12.m4s`, `/hls/audio/12.0.m4s`
    MediaFile {
        /// As in `MediaPlaylist`.
        rendition: &'a str,
        /// An init section, segment or part by name: harmless characters, `.mp4` or `.m4s`.
        file: &'a str,
    },
    /// `/healthz`: the process runs.
    Health,
    /// `/readyz`: the process accepts work.
    Ready,
    /// `/robots.txt`
    Robots,
    /// `/favicon.ico`
    Favicon,
    /// `/logo`, whatever its kind.
    Logo,
    /// `/logo/external`: the logo as a bitmap, for link previews that cannot show SVG.
    ExternalLogo,
    /// `/thumbnail.jpg`: a picture of the broadcast, or the logo.
    Thumbnail,
    /// `/preview.gif`: a second of the broadcast, or the logo.
    Preview,
    /// OPTIONS on a path that exists: 204 with `Allow`.
    Options(Allow),
    /// The path exists, the method does not: 405 with `Allow` (RFC 9110 §15.5.6).
    WrongMethod(Allow),
    /// 404.
    NotFound,
}

/// Value of the `Allow` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allow(pub &'static str);

/// How long an answer may be kept, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    /// The truth of this moment, in the words that Owncast uses (API §1.1).
    Never,
    /// May be kept, must be asked about before use.
    Revalidate,
    /// Twenty seconds: the pace of stills (API §1.3, TP-4).
    Stills,
    /// One day: what changes with the program.
    Day,
    /// Thirty days: what the operator hardly ever changes.
    Month,
    /// The name never means other bytes (CH-4).
    Immutable,
}

impl Cache {
    /// Value of `Cache-Control`.
    #[must_use]
    pub fn header(self) -> &'static str {
        match self {
            Self::Never => "no-cache, no-store, must-revalidate",
            Self::Revalidate => "no-cache",
            Self::Stills => "public, max-age=20",
            Self::Day => "public, max-age=86400",
            Self::Month => "public, max-age=2592000",
            Self::Immutable => "public, max-age=31536000, immutable",
        }
    }
}

/// The body of `/robots.txt` (API §1.3).
pub const ROBOTS: &str = "User-agent: *\nDisallow: /admin\nDisallow: /api";

const READ: Allow = Allow("GET, HEAD, OPTIONS");

impl<'a> Route<'a> {
    /// `path` is the request target's path as received, without the query.
    #[must_use]
    pub fn parse(method: &Method, path: &'a str) -> Self {
        let route = Self::of_path(path);
        match *method {
            _ if route == Self::NotFound => Self::NotFound,
            Method::GET | Method::HEAD => route,
            Method::OPTIONS => Self::Options(READ),
            _ => Self::WrongMethod(READ),
        }
    }

    /// How long the answer may be kept when it is a success. A blocking playlist request has its
    /// own rule, which depends on the query (CH-4): this is the one for plain requests.
    #[must_use]
    pub fn cache(&self) -> Cache {
        match self {
            Self::Asset(asset) if asset.immutable => Cache::Immutable,
            Self::MediaFile { .. } => Cache::Immutable,
            Self::Asset(_) | Self::Robots | Self::Favicon => Cache::Day,
            Self::Logo | Self::ExternalLogo => Cache::Month,
            Self::Thumbnail | Self::Preview => Cache::Stills,
            Self::Page | Self::MultivariantPlaylist | Self::MediaPlaylist { .. } => {
                Cache::Revalidate
            }
            Self::Status | Self::Config | Self::Ping | Self::Health | Self::Ready => Cache::Never,
            Self::Options(_) | Self::WrongMethod(_) | Self::NotFound => Cache::Never,
        }
    }

    /// True when pages of other origins may read the answer: `Access-Control-Allow-Origin: *`. As
    /// in Owncast, the status is not among them (API §1.4).
    #[must_use]
    pub fn cors(&self) -> bool {
        match self {
            Self::Page | Self::Config | Self::Options(_) => true,
            Self::MultivariantPlaylist | Self::MediaPlaylist { .. } | Self::MediaFile { .. } => {
                true
            }
            Self::Asset(_) | Self::Status | Self::Ping | Self::Health | Self::Ready => false,
            Self::Robots | Self::Favicon | Self::Logo | Self::ExternalLogo => false,
            Self::Thumbnail | Self::Preview => false,
            Self::WrongMethod(_) | Self::NotFound => false,
        }
    }

    fn of_path(path: &'a str) -> Self {
        if path.len() > PATH_LEN_MAX {
            return Self::NotFound;
        }
        match path {
            "/" | "/index.html" => Self::Page,
            "/api/status" => Self::Status,
            "/api/config" => Self::Config,
            "/api/ping" => Self::Ping,
            "/hls/stream.m3u8" => Self::MultivariantPlaylist,
            "/healthz" => Self::Health,
            "/readyz" => Self::Ready,
            "/robots.txt" => Self::Robots,
            "/favicon.ico" => Self::Favicon,
            "/logo" => Self::Logo,
            "/logo/external" => Self::ExternalLogo,
            "/thumbnail.jpg" => Self::Thumbnail,
            "/preview.gif" => Self::Preview,
            _ => Self::of_folder(path),
        }
    }

    fn of_folder(path: &'a str) -> Self {
        if let Some(below) = path.strip_prefix("/hls/") {
            return Self::of_hls(below).unwrap_or(Self::NotFound);
        }
        match path.strip_prefix('/').and_then(assets::find) {
            Some(asset) => Self::Asset(asset),
            None => Self::NotFound,
        }
    }

    fn of_hls(below: &'a str) -> Option<Self> {
        let (rendition, file) = below.split_once('/')?;
        if !is_word(rendition) {
            return None;
        }
        if file == "stream.m3u8" {
            return Some(Self::MediaPlaylist { rendition });
        }
        let stem = file.strip_suffix(".m4s").or_else(|| file.strip_suffix(".mp4"))?;
        stem.split('.').all(is_word).then_some(Self::MediaFile { rendition, file })
    }
}

/// Letters, digits, `-` and `_`, at least one.
fn is_word(name: &str) -> bool {
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !name.is_empty() && name.bytes().all(harmless)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str) -> Route<'_> {
        Route::parse(&Method::GET, path)
    }

    #[test]
    fn every_path_we_know() {
        let file = |rendition, file| Route::MediaFile { rendition, file };
        for (path, route) in [
            ("/", Route::Page),
            ("/index.html", Route::Page),
            ("/api/status", Route::Status),
            ("/api/config", Route::Config),
            ("/api/ping", Route::Ping),
            ("/hls/stream.m3u8", Route::MultivariantPlaylist),
            ("/hls/0/stream.m3u8", Route::MediaPlaylist { rendition: "0" }),
            ("/hls/audio/stream.m3u8", Route::MediaPlaylist { rendition: "audio" }),
            ("/hls/0/init-0.mp4", file("0", "init-0.mp4")),
            ("/hls/0/12.m4s", file("0", "12.m4s")),
            ("/hls/audio/12.0.m4s", file("audio", "12.0.m4s")),
            ("/healthz", Route::Health),
            ("/readyz", Route::Ready),
            ("/robots.txt", Route::Robots),
            ("/favicon.ico", Route::Favicon),
            ("/logo", Route::Logo),
            ("/logo/external", Route::ExternalLogo),
            ("/thumbnail.jpg", Route::Thumbnail),
            ("/preview.gif", Route::Preview),
        ] {
            assert_eq!(get(path), route, "{path}");
        }
    }

    #[test]
    fn assets_of_the_page_are_found() {
        for asset in assets::FILES {
            let path = format!("/{}", asset.name);
            let known_path = matches!(get(&path), Route::Favicon) && asset.name == "favicon.ico";
            assert!(known_path || get(&path) == Route::Asset(asset), "{path}");
        }
    }

    #[test]
    fn hostile_paths_are_not_found() {
        let long = format!("/hls/0/{}.m4s", "1".repeat(PATH_LEN_MAX));
        for path in [
            "",
            "status",
            "//",
            "/api/status/",
            "/API/status",
            "/api",
            "/index.html/",
            "/../etc/passwd",
            "/hls/../stream.m3u8",
            "/hls/..",
            "/hls/0/../../stream.m3u8",
            "/hls/0/..m4s",
            "/hls/0/...m4s",
            "/hls/0/.m4s",
            "/hls/0/1..2.m4s",
            "/hls/0/%2e%2e/stream.m3u8",
            "/hls/%2e%2e%2fstream.m3u8",
            "/hls/%252e%252e/stream.m3u8",
            "/hls/0/12%2em4s",
            "/hls/0/12.m4s%00",
            "/hls/0/12.m4s\0",
            "/hls/0\\12.m4s",
            "/hls/0/a/b.m4s",
            "/hls//stream.m3u8",
            "/hls/0/",
            "/hls/0",
            "/hls/0/stream.m3u8/",
            "/hls/0/STREAM.M3U8",
            "/hls/0/12.ts",
            "/hls/0/\u{661}.m4s",
            "/hls/0/12.m4s?x",
            "/assets/../logo.svg",
            "/assets/",
            "/thumbnail.jpeg",
            "/hls/thumbnail.jpg",
            "/C:/x",
            long.as_str(),
        ] {
            assert_eq!(get(path), Route::NotFound, "{path:?}");
        }
    }

    #[test]
    fn methods() {
        for (method, path, route) in [
            (Method::HEAD, "/api/status", Route::Status),
            (Method::OPTIONS, "/hls/stream.m3u8", Route::Options(READ)),
            (Method::POST, "/api/status", Route::WrongMethod(READ)),
            (Method::DELETE, "/", Route::WrongMethod(READ)),
            (Method::POST, "/nothing", Route::NotFound),
            (Method::OPTIONS, "/nothing", Route::NotFound),
        ] {
            assert_eq!(Route::parse(&method, path), route, "{method} {path}");
        }
    }

    #[test]
    fn cache_and_cors() {
        let kept = |path| get(path).cache().header();
        assert_eq!(kept("/api/status"), "no-cache, no-store, must-revalidate");
        assert_eq!(kept("/hls/0/stream.m3u8"), "no-cache");
        assert_eq!(kept("/hls/0/12.0.m4s"), "public, max-age=31536000, immutable");
        assert_eq!(kept("/thumbnail.jpg"), "public, max-age=20");
        assert_eq!(kept("/preview.gif"), "public, max-age=20");
        assert_eq!(kept("/nothing"), "no-cache, no-store, must-revalidate");
        for (path, open) in [
            ("/api/config", true),
            ("/hls/0/12.m4s", true),
            ("/hls/stream.m3u8", true),
            ("/api/status", false),
            ("/healthz", false),
        ] {
            assert_eq!(get(path).cors(), open, "{path}");
        }
    }
}
