//! Pictures as the API takes them: data URLs, believed only as far as their bytes say the same
//! (API §1.7, T30).

use thiserror::Error;

use super::base64;
use crate::json;
use crate::shape::{Misfit, Shape, check_value, must};

/// Largest logo, bytes.
pub const LOGO_BYTES_MAX: usize = 2 << 20;
/// Largest emoji, bytes. All of them are kept in memory.
pub const EMOJI_BYTES_MAX: usize = 256 << 10;
/// Longest file name of an emoji, bytes.
const NAME_BYTES_MAX: usize = 100;

/// A kind of picture that browsers show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureKind {
    /// Vectors. Scripts in it do not run where it is shown as a picture.
    Svg,
    /// Animations.
    Gif,
    /// Lossless.
    Png,
    /// Photographs.
    Jpeg,
}

impl PictureKind {
    /// Ending of a file's name.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Gif => "gif",
            Self::Png => "png",
            Self::Jpeg => "jpg",
        }
    }

    /// Media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Svg => "image/svg+xml",
            Self::Gif => "image/gif",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
        }
    }

    /// What the bytes are, whatever they are called.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x89, b'P', b'N', b'G', 13, 10, 26, 10, ..] => Some(Self::Png),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            _ => is_svg(bytes).then_some(Self::Svg),
        }
    }
}

/// A picture as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// What its bytes are.
    pub kind: PictureKind,
    /// The file.
    pub bytes: Vec<u8>,
}

/// An emoji as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmojiUpload {
    /// Name of its file: harmless, with the ending of its kind.
    pub file: String,
    /// The file.
    pub picture: Picture,
}

/// Why a picture was not taken.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum UploadError {
    /// The body is not JSON.
    #[error(transparent)]
    Json(#[from] json::JsonError),
    /// A wrong type, something missing or unknown.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// Not a data URL.
    #[error("the picture is no data URL like data:image/png;base64,…")]
    NoDataUrl,
    /// The bytes are no picture that we show.
    #[error("the bytes are no picture that can be taken; SVG, GIF, PNG and JPEG can")]
    NoPicture,
    /// It is said to be one thing and is another.
    #[error("it is said to be {said} and is {is}")]
    Disguised {
        /// Media type of the data URL.
        said: String,
        /// That of the bytes.
        is: &'static str,
    },
    /// Too large.
    #[error("the picture has {seen} bytes; allowed are {max}")]
    TooLarge {
        /// Its size.
        seen: usize,
        /// Largest.
        max: usize,
    },
    /// A name that is no name of a file.
    #[error("the name {0:?} is not taken; letters, digits, - and _ are")]
    Name(String),
}

const DATA_URL: Shape = Shape::Text { max: 8 << 20 };
const NAME: Shape = Shape::Line { max: 128 };

/// Reads the body of the logo's setter.
pub fn parse_logo(body: &[u8]) -> Result<Picture, UploadError> {
    let value = check_value(&DATA_URL, json::parse(body)?)?;
    picture(value.as_str().unwrap_or_default(), LOGO_BYTES_MAX)
}

/// Reads the body of an emoji's upload.
pub fn parse_emoji(body: &[u8]) -> Result<EmojiUpload, UploadError> {
    let shape = Shape::Object(const { &[must("name", NAME), must("data", DATA_URL)] });
    let body = shape.check(json::parse(body)?)?;
    let picture = picture(body["data"].as_str().unwrap_or_default(), EMOJI_BYTES_MAX)?;
    let name = body["name"].as_str().unwrap_or_default();
    // The base of the name, as Owncast takes it; what is not plain becomes a dash.
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = base.rsplit_once('.').map_or(base, |(stem, _)| stem);
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let stem: String = stem.chars().map(|c| if plain(c) { c } else { '-' }).collect();
    if stem.len() > NAME_BYTES_MAX || !stem.bytes().any(|byte| byte.is_ascii_alphanumeric()) {
        return Err(UploadError::Name(name.chars().take(40).collect()));
    }
    Ok(EmojiUpload { file: format!("{stem}.{}", picture.kind.extension()), picture })
}

/// Reads the body of an emoji's removal: the name of its file.
pub fn parse_emoji_name(body: &[u8]) -> Result<String, UploadError> {
    let shape = Shape::Object(const { &[must("name", NAME)] });
    let body = shape.check(json::parse(body)?)?;
    let name = body["name"].as_str().unwrap_or_default();
    // Owncast's admin sends the address that the list gave.
    Ok(name.rsplit('/').next().unwrap_or_default().to_owned())
}

fn picture(url: &str, bytes_max: usize) -> Result<Picture, UploadError> {
    let rest = url.trim().strip_prefix("data:").ok_or(UploadError::NoDataUrl)?;
    let (said, encoded) = rest.split_once(";base64,").ok_or(UploadError::NoDataUrl)?;
    let bytes = base64::decode(encoded.as_bytes()).ok_or(UploadError::NoDataUrl)?;
    if bytes.len() > bytes_max {
        return Err(UploadError::TooLarge { seen: bytes.len(), max: bytes_max });
    }
    let kind = PictureKind::of(&bytes).ok_or(UploadError::NoPicture)?;
    let said = if said == "image/jpg" { "image/jpeg" } else { said };
    if said != kind.media_type() {
        let said = said.chars().take(40).collect();
        return Err(UploadError::Disguised { said, is: kind.media_type() });
    }
    Ok(Picture { kind, bytes })
}

/// XML whose first element is `svg`.
fn is_svg(bytes: &[u8]) -> bool {
    let head = bytes.get(..bytes.len().min(1_024)).unwrap_or_default();
    let text = String::from_utf8_lossy(head);
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let end = match rest {
            _ if rest.starts_with("<?") => "?>",
            _ if rest.starts_with("<!--") => "-->",
            _ if rest.starts_with("<!") => ">",
            _ => break,
        };
        match rest.split_once(end) {
            Some((_, behind)) => rest = behind.trim_start(),
            None => return false,
        }
    }
    rest.strip_prefix("<svg").is_some_and(|behind| behind.starts_with([' ', '>', '\n', '\r', '\t']))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A GIF of one pixel.
    const GIF: &str = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

    fn emoji(name: &str, data: &str) -> Result<EmojiUpload, UploadError> {
        parse_emoji(format!(r#"{{"name":"{name}","data":"{data}"}}"#).as_bytes())
    }

    #[test]
    fn names_become_harmless_and_kinds_are_those_of_the_bytes() {
        let data = format!("data:image/gif;base64,{GIF}");
        for (name, file) in [
            ("party.gif", "party.gif"),
            ("party", "party.gif"),
            ("party.svg", "party.gif"),
            ("../../etc/pass wd", "pass-wd.gif"),
            ("a\\\\b\\\\c.gif", "c.gif"),
        ] {
            let upload = emoji(name, &data).map(|upload| upload.file);
            assert!(matches!(&upload, Ok(is) if is == file), "{name}: {upload:?}");
        }
        for name in ["", "..", "/", ".gif", &"a".repeat(101)] {
            assert!(matches!(emoji(name, &data), Err(UploadError::Name(_))), "{name}");
        }
    }

    #[test]
    fn pictures_are_believed_only_by_their_bytes() {
        for (data, good) in [
            (format!("data:image/gif;base64,{GIF}"), true),
            (format!("data:image/png;base64,{GIF}"), false),
            (format!("data:image/svg+xml;base64,{GIF}"), false),
            ("data:image/svg+xml;base64,PHN2ZyB4bWxucz0iIi8+".to_owned(), true),
            ("data:image/svg+xml;base64,PGh0bWw+".to_owned(), false),
            ("data:image/gif;base64,!!!!".to_owned(), false),
            ("data:image/gif,abc".to_owned(), false),
            ("https://example.org/x.gif".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(emoji("a", &data).is_ok(), good, "{data}");
        }
        assert_eq!(
            PictureKind::of(b"<?xml version=\"1.0\"?><!-- x -->\n<svg>"),
            Some(PictureKind::Svg)
        );
        assert_eq!(PictureKind::of(b"<svgx>"), None);
        assert_eq!(PictureKind::of(b"<?xml"), None);
    }

    #[test]
    fn large_pictures_are_refused() {
        let data = format!("data:image/gif;base64,{}", "AAAA".repeat(EMOJI_BYTES_MAX / 3 + 1));
        assert!(matches!(emoji("a", &data), Err(UploadError::TooLarge { .. })));
    }
}
