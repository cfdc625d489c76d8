//! The page's files, embedded already compressed (`build.rs`), and the choice between their codings
//! (RFC 9110 §12.5.3).
//!
//! A name is looked up in a table and never joined to a path (T6).

use std::fmt;

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// One file of the page.
pub struct Asset {
    /// Path without the leading slash, `assets/page-Id70_ZjF.js`.
    pub name: &'static str,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// Hash of the content, without quotes; each coding adds its own suffix.
    pub etag: &'static str,
    /// The file as it is.
    pub identity: &'static [u8],
    /// The file under gzip, when that is smaller by nature (text).
    pub gzip: Option<&'static [u8]>,
    /// The file under brotli.
    pub brotli: Option<&'static [u8]>,
    /// The name holds a hash of the content: it may be cached for ever.
    pub immutable: bool,
}

/// What goes on the wire for one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Representation {
    /// The body.
    pub bytes: &'static [u8],
    /// `Content-Encoding`; `None` for the file as it is.
    pub encoding: Option<&'static str>,
    /// Strong validator of these bytes, with quotes (RFC 9110 §8.8.3).
    pub etag: String,
}

/// The file of this name, if the page has it.
#[must_use]
pub fn find(name: &str) -> Option<&'static Asset> {
    FILES.iter().find(|asset| asset.name == name)
}

impl Asset {
    /// The smallest coding that the client accepts. An answer needs `Vary: Accept-Encoding`
    /// wherever [`Asset::has_codings`] is true.
    #[must_use]
    pub fn choose(&self, accept_encoding: Option<&str>) -> Representation {
        let accepts = |coding: &str| accept_encoding.is_some_and(|value| accepts(value, coding));
        let (bytes, encoding, suffix) = match (self.brotli, self.gzip) {
            (Some(bytes), _) if accepts("br") => (bytes, Some("br"), "-br"),
            (_, Some(bytes)) if accepts("gzip") => (bytes, Some("gzip"), "-gz"),
            _ => (self.identity, None, ""),
        };
        Representation { bytes, encoding, etag: format!("\"{}{suffix}\"", self.etag) }
    }

    /// True when the body depends on `Accept-Encoding`.
    #[must_use]
    pub fn has_codings(&self) -> bool {
        self.gzip.is_some() || self.brotli.is_some()
    }
}

impl fmt::Debug for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asset")
            .field("name", &self.name)
            .field("etag", &self.etag)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Asset {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Asset {}

/// True when `coding` is listed, itself or by `*`, with a weight above 0.
fn accepts(accept_encoding: &str, coding: &str) -> bool {
    let mut by_star = false;
    for item in accept_encoding.split(',') {
        let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
        let weight = parameters.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        let allowed = weight.is_ok_and(|q| q > 0.0);
        match name.trim() {
            name if name.eq_ignore_ascii_case(coding) => return allowed,
            "*" => by_star = allowed,
            _ => {}
        }
    }
    by_star
}

#[cfg(test)]
mod tests {
    use super::*;

    static SAMPLE: Asset = Asset {
        name: "assets/a.js",
        content_type: "text/javascript",
        etag: "00ff",
        identity: b"identity",
        gzip: Some(b"gzip"),
        brotli: Some(b"brotli"),
        immutable: true,
    };

    #[test]
    fn the_smallest_accepted_coding_wins() {
        for (accept, encoding, etag) in [
            (None, None, "\"00ff\""),
            (Some(""), None, "\"00ff\""),
            (Some("gzip, deflate, br, zstd"), Some("br"), "\"00ff-br\""),
            (Some("gzip;q=1.0, BR;q=0"), Some("gzip"), "\"00ff-gz\""),
            (Some("gzip;q=0"), None, "\"00ff\""),
            (Some("*"), Some("br"), "\"00ff-br\""),
            (Some("br;q=0, *;q=0.5"), Some("gzip"), "\"00ff-gz\""),
            (Some("br;q=nonsense"), None, "\"00ff\""),
            (Some("brotli"), None, "\"00ff\""),
        ] {
            let chosen = SAMPLE.choose(accept);
            assert_eq!((chosen.encoding, chosen.etag.as_str()), (encoding, etag), "{accept:?}");
        }
    }

    #[test]
    fn the_page_is_embedded_and_its_codings_differ_from_the_file() {
        let scripts: Vec<_> = FILES.iter().filter(|asset| asset.name.ends_with(".js")).collect();
        assert!(!scripts.is_empty());
        for script in scripts {
            assert!(script.immutable, "{script:?}");
            assert_eq!(script.content_type, "text/javascript; charset=utf-8");
            let packed = script.brotli.unwrap().len();
            assert!(packed < script.identity.len(), "{script:?}");
        }
    }

    #[test]
    fn names_are_looked_up_whole() {
        for name in
            ["", "/", "index.html", "../Cargo.toml", "assets/", "assets/../logo.svg", "LOGO.svg"]
        {
            assert_eq!(find(name), None, "{name}");
        }
        assert!(find("logo.svg").is_some());
    }
}
