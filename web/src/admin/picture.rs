//! What a picture is by its bytes, whatever its name or sender says, and how large it would be on a
//! screen (T30).

/// Longest side of a picture that is taken, pixels. A file of some kB can claim gigabytes of
/// pixels, which every viewer's browser would have to hold.
pub const PICTURE_SIDE_MAX: u32 = 4_096;

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
    /// Icons: small pictures of several sizes.
    Ico,
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
            Self::Ico => "ico",
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
            Self::Ico => "image/x-icon",
        }
    }

    /// What the bytes are, whatever they are called.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x89, b'P', b'N', b'G', 13, 10, 26, 10, ..] => Some(Self::Png),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            // Reserved, type 1 and at least one picture.
            [0, 0, 1, 0, count, 0, ..] if *count > 0 => Some(Self::Ico),
            _ => is_svg(bytes).then_some(Self::Svg),
        }
    }

    /// Width and height in pixels that `bytes`, which are of this kind, claim. `None` for vectors,
    /// for icons, whose format allows no large ones, and for files that end before they say it.
    #[must_use]
    pub fn size(self, bytes: &[u8]) -> Option<(u32, u32)> {
        match self {
            Self::Svg | Self::Ico => None,
            // Signature, length and name of the first chunk, which is always the header.
            Self::Png => Some((big_endian(bytes, 16, 4)?, big_endian(bytes, 20, 4)?)),
            Self::Gif => match bytes.get(6..10)? {
                [a, b, c, d] => Some((u32::from(*a) | u32::from(*b) << 8, {
                    u32::from(*c) | u32::from(*d) << 8
                })),
                _ => None,
            },
            Self::Jpeg => jpeg_size(bytes),
        }
    }
}

fn big_endian(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    let field = bytes.get(at..at.checked_add(length)?)?;
    Some(field.iter().fold(0, |value, byte| value << 8 | u32::from(*byte)))
}

/// Walks the segments to the frame header (ITU-T T.81 B.2.2).
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at: usize = 2;
    loop {
        let marker = match bytes.get(at..at.checked_add(2)?)? {
            // Any number of fill bytes may stand before a marker.
            [0xff, 0xff] => {
                at += 1;
                continue;
            }
            [0xff, marker] => *marker,
            _ => return None,
        };
        match marker {
            // SOF0 to SOF15 without the three that only look like them.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                return Some((big_endian(bytes, at + 7, 2)?, big_endian(bytes, at + 5, 2)?));
            }
            // Markers without a segment; the picture's data, before which the header must come.
            0x01 | 0xd0..=0xd8 => at += 2,
            0xd9 | 0xda => return None,
            _ => {
                let length = usize::try_from(big_endian(bytes, at + 2, 2)?).ok()?;
                at = at.checked_add(2)?.checked_add(length)?;
            }
        }
    }
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

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0\0\x80\x08\x06";
    const GIF: &[u8] = b"GIF89a\x40\x01\xb4\0";
    /// An application segment, fill bytes, a table that looks like a frame, the frame.
    const JPEG: &[u8] =
        b"\xff\xd8\xff\xe0\0\x04JF\xff\xff\xc4\0\x03x\xff\xc2\0\x0b\x08\0\x48\0\x60";

    #[test]
    fn kinds_are_those_of_the_bytes() {
        for (bytes, kind) in [
            (PNG, Some(PictureKind::Png)),
            (GIF, Some(PictureKind::Gif)),
            (JPEG, Some(PictureKind::Jpeg)),
            (b"\0\0\x01\0\x01\0\x10\x10", Some(PictureKind::Ico)),
            (b"\0\0\x01\0\0\0", None),
            (b"\0\0\x02\0\x01\0", None),
            (b"<?xml version=\"1.0\"?><!-- x -->\n<svg>", Some(PictureKind::Svg)),
            (b"<svgx>", None),
            (b"<?xml", None),
            (b"", None),
        ] {
            assert_eq!(PictureKind::of(bytes), kind, "{bytes:?}");
        }
    }

    #[test]
    fn sizes_are_read_and_cut_files_have_none() {
        for (kind, bytes, size) in [
            (PictureKind::Png, PNG, (256, 128)),
            (PictureKind::Gif, GIF, (320, 180)),
            (PictureKind::Jpeg, JPEG, (96, 72)),
        ] {
            assert_eq!(kind.size(bytes), Some(size));
            for end in 0..bytes.len() {
                let found = kind.size(&bytes[..end]);
                assert!(found.is_none() || found == Some(size), "{kind:?} cut at {end}: {found:?}");
            }
        }
        assert_eq!(PictureKind::Jpeg.size(b"\xff\xd8\xff\xda\0\x02"), None);
        assert_eq!(PictureKind::Jpeg.size(b"\xff\xd8\xff\xe0\0\0\xff\xe0\0\0"), None);
    }
}
