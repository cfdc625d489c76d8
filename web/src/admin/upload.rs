//! Pictures as the API takes them: data URLs, believed only as far as their bytes say the same
//! (API §1.7, T30).

use thiserror::Error;

use super::base64;
use super::picture::{PICTURE_SIDE_MAX, PictureKind};
use crate::json;
use crate::shape::{Misfit, Shape, check_value, must};

/// Largest logo, bytes.
pub const LOGO_BYTES_MAX: usize = 2 << 20;
/// Largest emoji, bytes. All of them are kept in memory.
pub const EMOJI_BYTES_MAX: usize = 256 << 10;
/// Largest icon of the page, bytes (API §1.8).
pub const FAVICON_BYTES_MAX: usize = 200_000;
/// Kinds that a logo and an emoji may be.
const PICTURES: &[PictureKind] =
    &[PictureKind::Svg, PictureKind::Gif, PictureKind::Png, PictureKind::Jpeg];
/// Kinds that every browser takes for the icon of a page.
const ICONS: &[PictureKind] = &[PictureKind::Png, PictureKind::Ico];
/// Longest file name of an emoji, bytes.
const NAME_BYTES_MAX: usize = 100;

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
    /// The bytes are no picture that we show here.
    #[error("the bytes are no picture that can be taken here; {allowed} can")]
    NoPicture {
        /// What is taken.
        allowed: String,
    },
    /// More pixels than a browser should be made to hold.
    #[error("the picture is {width}x{height}; allowed are {PICTURE_SIDE_MAX} pixels a side")]
    TooManyPixels {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// Vectors that define text to be repeated: a few lines become gigabytes.
    #[error("the picture defines entities; SVG without <!ENTITY is taken")]
    Entities,
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
    picture(value.as_str().unwrap_or_default(), LOGO_BYTES_MAX, PICTURES)
}

/// Reads the body of the setter of the page's icon.
pub fn parse_favicon(body: &[u8]) -> Result<Picture, UploadError> {
    let value = check_value(&DATA_URL, json::parse(body)?)?;
    picture(value.as_str().unwrap_or_default(), FAVICON_BYTES_MAX, ICONS)
}

/// Reads the body of an emoji's upload.
pub fn parse_emoji(body: &[u8]) -> Result<EmojiUpload, UploadError> {
    let shape = Shape::Object(const { &[must("name", NAME), must("data", DATA_URL)] });
    let body = shape.check(json::parse(body)?)?;
    let picture = picture(body["data"].as_str().unwrap_or_default(), EMOJI_BYTES_MAX, PICTURES)?;
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

fn picture(url: &str, bytes_max: usize, allowed: &[PictureKind]) -> Result<Picture, UploadError> {
    let rest = url.trim().strip_prefix("data:").ok_or(UploadError::NoDataUrl)?;
    let (said, encoded) = rest.split_once(";base64,").ok_or(UploadError::NoDataUrl)?;
    let bytes = base64::decode(encoded.as_bytes()).ok_or(UploadError::NoDataUrl)?;
    if bytes.len() > bytes_max {
        return Err(UploadError::TooLarge { seen: bytes.len(), max: bytes_max });
    }
    let kind = PictureKind::of(&bytes).filter(|kind| allowed.contains(kind));
    let kind = kind.ok_or_else(|| {
        let endings: Vec<_> = allowed.iter().map(|kind| kind.extension()).collect();
        UploadError::NoPicture { allowed: endings.join(", ") }
    })?;
    let said = match said {
        "image/jpg" => "image/jpeg",
        "image/vnd.microsoft.icon" => "image/x-icon",
        other => other,
    };
    if said != kind.media_type() {
        let said = said.chars().take(40).collect();
        return Err(UploadError::Disguised { said, is: kind.media_type() });
    }
    if let Some((width, height)) = kind.size(&bytes)
        && width.max(height) > PICTURE_SIDE_MAX
    {
        return Err(UploadError::TooManyPixels { width, height });
    }
    if kind == PictureKind::Svg && bytes.windows(8).any(|word| word == b"<!ENTITY") {
        return Err(UploadError::Entities);
    }
    Ok(Picture { kind, bytes })
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
    }

    #[test]
    fn large_pictures_are_refused() {
        let data = format!("data:image/gif;base64,{}", "AAAA".repeat(EMOJI_BYTES_MAX / 3 + 1));
        assert!(matches!(emoji("a", &data), Err(UploadError::TooLarge { .. })));
    }

    #[test]
    fn bombs_are_refused() {
        // 65,535 by 65,535.
        let huge = "data:image/gif;base64,R0lGODlh/////4AA";
        assert!(matches!(emoji("a", huge), Err(UploadError::TooManyPixels { .. })));
        // <!DOCTYPE svg ><!ENTITY a "a"><svg>
        let entities = "data:image/svg+xml;base64,PCFET0NUWVBFIHN2ZyA+PCFFTlRJVFkgYSAiYSI+PHN2Zz4=";
        assert!(matches!(emoji("a", entities), Err(UploadError::Entities)));
    }

    #[test]
    fn icons_of_the_page_are_icons() {
        let icon = |data: &str| {
            parse_favicon(format!(r#"{{"value":"{data}"}}"#).as_bytes()).map(|icon| icon.kind)
        };
        for said in ["image/x-icon", "image/vnd.microsoft.icon"] {
            assert_eq!(icon(&format!("data:{said};base64,AAABAAEAEBA=")), Ok(PictureKind::Ico));
        }
        let gif = icon(&format!("data:image/gif;base64,{GIF}")).unwrap_err().to_string();
        assert!(gif.contains("png, ico"), "{gif}");
        let large = format!("data:image/png;base64,{}", "AAAA".repeat(FAVICON_BYTES_MAX / 3 + 1));
        assert!(matches!(icon(&large), Err(UploadError::TooLarge { .. })));
        let icon = "data:image/x-icon;base64,AAABAAEAEBA=";
        assert!(matches!(emoji("a", icon), Err(UploadError::NoPicture { .. })));
    }
}
