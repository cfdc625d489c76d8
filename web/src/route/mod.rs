//! Every path the server answers, parsed once into one enum.
//!
//! Paths are compared whole with names that we know; nothing is decoded or joined. All our names
//! are plain ASCII, so a path with a percent sign, a backslash, a NUL or dot-dot is simply not ours
//! (T6). Only the operator's own files may be called otherwise: see `public_file`. A path that
//! exists under another method is told apart from one that does not exist.
//!
//! `table` declares every route but the page's own files; media, which players ask for several
//! times a second, is recognised before the table is searched.

use http::Method;

mod answers;
mod endpoint;
mod openapi;
mod table;

pub use self::endpoint::{Access, AnswerShape, BodyShape, Endpoint, Operation, Sharing};
pub use self::openapi::document;
pub use self::table::endpoints;
use crate::assets::{self, Asset};
use crate::public_file::ADDRESS_BYTES_MAX;

/// Longest path worth looking at, bytes. The longest of ours is an asset name of about 50; those of
/// the operator's own files have their own limit.
const PATH_LEN_MAX: usize = 128;

/// What a request asks for.
#[derive(Clone, Copy, Debug)]
pub enum Route<'a> {
    /// A row of the table.
    Endpoint {
        /// The row.
        endpoint: &'static Endpoint,
        /// What stands where its path has a brace; empty when it has none.
        name: &'a str,
    },
    /// `/assets/page-Id70_ZjF.js` and its like: a file of the page.
    Asset(&'static Asset),
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
    /// OPTIONS on a path that exists: 204 with `Allow`.
    Options(Allow, Sharing),
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
/// The same when the operator wants no search engine at all.
pub const ROBOTS_NONE: &str = "User-agent: *\nDisallow: /admin\nDisallow: /api\nDisallow: /";

const READ: Allow = Allow("GET, HEAD, OPTIONS");

impl<'a> Route<'a> {
    /// `path` is the request target's path as received, without the query.
    #[must_use]
    pub fn parse(method: &Method, path: &'a str) -> Self {
        let route = Self::of_path(path);
        match (&route, method) {
            (Self::NotFound, _) => route,
            (Self::Endpoint { endpoint, .. }, _) if endpoint.takes(method) => route,
            (Self::Endpoint { endpoint, .. }, &Method::OPTIONS) => {
                Self::Options(Allow(endpoint.allow()), endpoint.sharing)
            }
            (Self::Endpoint { endpoint, .. }, _) => Self::WrongMethod(Allow(endpoint.allow())),
            (_, &Method::GET | &Method::HEAD) => route,
            (_, &Method::OPTIONS) => Self::Options(READ, route.sharing()),
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
            Self::Asset(_) => Cache::Day,
            Self::MediaPlaylist { .. } => Cache::Revalidate,
            Self::Endpoint { endpoint, .. } => match endpoint.operation {
                Operation::Favicon | Operation::PlatformIcon => Cache::Day,
                Operation::Logo | Operation::ExternalLogo | Operation::EmojiFile => Cache::Month,
                Operation::Thumbnail | Operation::Preview => Cache::Stills,
                Operation::Page
                | Operation::VideoEmbed
                | Operation::Manifest
                // The operator may put another file there at any time.
                | Operation::PublicFile
                | Operation::MultivariantPlaylist
                | Operation::Robots
                | Operation::CustomJavascript
                | Operation::OpenApi => Cache::Revalidate,
                _ => Cache::Never,
            },
            Self::Options(..) | Self::WrongMethod(_) | Self::NotFound => Cache::Never,
        }
    }

    /// Whose pages may read the answer. As in Owncast, the status is not for other sites (API
    /// §1.4).
    #[must_use]
    pub const fn sharing(&self) -> Sharing {
        match self {
            Self::Endpoint { endpoint, .. } => endpoint.sharing,
            Self::Options(_, sharing) => *sharing,
            Self::MediaPlaylist { .. } | Self::MediaFile { .. } => Sharing::Any,
            Self::Asset(_) | Self::WrongMethod(_) | Self::NotFound => Sharing::Own,
        }
    }

    fn of_path(path: &'a str) -> Self {
        if let Some(name) = path.strip_prefix(PUBLIC_PREFIX) {
            return match table::public_file() {
                Some(endpoint) if name.len() <= ADDRESS_BYTES_MAX => {
                    Self::Endpoint { endpoint, name }
                }
                _ => Self::NotFound,
            };
        }
        if path.len() > PATH_LEN_MAX {
            return Self::NotFound;
        }
        // Players ask for these several times a second.
        if let Some(below) = path.strip_prefix("/hls/")
            && let Some(route) = Self::of_hls(below)
        {
            return route;
        }
        match table::find(path) {
            // Media has a stricter alphabet than a table can say.
            Some((endpoint, name)) if endpoint.path != MEDIA_PATTERN && is_plain(name) => {
                Self::Endpoint { endpoint, name }
            }
            _ => match path.strip_prefix('/').and_then(assets::find) {
                Some(asset) => Self::Asset(asset),
                None => Self::NotFound,
            },
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

/// Where the operator's own files are. What follows is taken apart by
/// [`PublicPath`](crate::public_file::PublicPath).
const PUBLIC_PREFIX: &str = "/public/";
/// The row that stands for media.
const MEDIA_PATTERN: &str = "/hls/{rendition}/{file}";

/// A name that means the same to every program: no sign that stands for another (T6).
fn is_plain(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
        && !name.starts_with('.')
}

/// Longest body that a request of this method and path may have, bytes.
#[must_use]
pub fn body_bytes_max(method: &Method, path: &str) -> usize {
    match Route::parse(method, path) {
        Route::Endpoint { endpoint: Endpoint { body: Some(body), .. }, .. } => body.bytes_max,
        _ => endpoint::BODY_BYTES_MAX,
    }
}

/// Letters, digits, `-` and `_`, at least one.
fn is_word(name: &str) -> bool {
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !name.is_empty() && name.bytes().all(harmless)
}

#[cfg(test)]
mod tests;
