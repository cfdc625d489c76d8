//! `/public/…`: which file of the operator's public folder an address means, and what it is.
//!
//! The address is taken apart here, before any file system sees it (T6): each part is decoded once
//! and must then be a plain name. The shell opens the parts one below the other and follows no
//! links.

/// Longest address below `/public/`, bytes as sent.
pub const ADDRESS_BYTES_MAX: usize = 1_024;
/// Longest name of a file or folder, bytes: what file systems allow.
const NAME_BYTES_MAX: usize = 255;
/// Most folders that lie in each other.
const PARTS_MAX: usize = 16;
/// What a folder shows.
const INDEX: &str = "index.html";

/// A file below the public folder, by the names on the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicPath(Vec<String>);

impl PublicPath {
    /// The file that `address`, what follows `/public/`, means. A folder, with a slash at its end,
    /// means its `index.html`. `None` for what is no plain name: hidden files, dot-dot, separators
    /// and control characters however they are written, and text that is not UTF-8.
    #[must_use]
    pub fn parse(address: &str) -> Option<Self> {
        if address.len() > ADDRESS_BYTES_MAX {
            return None;
        }
        let (folders, file) = address.rsplit_once('/').unwrap_or(("", address));
        let folders = folders.split('/').filter(|_| !folders.is_empty()).map(name);
        let file = if file.is_empty() { Some(INDEX.to_owned()) } else { name(file) };
        let parts = folders.chain([file]).collect::<Option<Vec<_>>>()?;
        (parts.len() <= PARTS_MAX).then_some(Self(parts))
    }

    /// The names, the file's last; at least one.
    #[must_use]
    pub fn parts(&self) -> &[String] {
        &self.0
    }

    /// `Content-Type`, by the ending of the name.
    #[must_use]
    pub fn media_type(&self) -> &'static str {
        let file = self.0.last().map_or("", String::as_str);
        let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
        let known = MEDIA_TYPES.iter().find(|(known, _)| *known == ending);
        known.map_or("application/octet-stream", |(_, media_type)| media_type)
    }
}

/// A name as the file system has it, out of one part of an address.
fn name(part: &str) -> Option<String> {
    let name = decode(part)?;
    let plain = |character: char| !character.is_control() && !matches!(character, '/' | '\\');
    let fits = !name.is_empty() && name.len() <= NAME_BYTES_MAX;
    (fits && !name.starts_with('.') && name.chars().all(plain)).then_some(name)
}

/// Undoes percent-encoding, once (RFC 3986 §2.1).
fn decode(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            bytes.push(u8::try_from(digit()? << 4 | digit()?).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// What pages are made of, and what is handed out for download.
const MEDIA_TYPES: &[(&str, &str)] = &[
    ("aac", "audio/aac"),
    ("apng", "image/apng"),
    ("avif", "image/avif"),
    ("css", "text/css; charset=utf-8"),
    ("csv", "text/csv; charset=utf-8"),
    ("flac", "audio/flac"),
    ("gif", "image/gif"),
    ("htm", "text/html; charset=utf-8"),
    ("html", "text/html; charset=utf-8"),
    ("ico", "image/x-icon"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("m4a", "audio/mp4"),
    ("m4s", "video/iso.segment"),
    ("m4v", "video/mp4"),
    ("md", "text/markdown; charset=utf-8"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("mov", "video/quicktime"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("oga", "audio/ogg"),
    ("ogg", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("otf", "font/otf"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("ts", "video/mp2t"),
    ("ttf", "font/ttf"),
    ("txt", "text/plain; charset=utf-8"),
    ("vtt", "text/vtt; charset=utf-8"),
    ("wasm", "application/wasm"),
    ("wav", "audio/wav"),
    ("webm", "video/webm"),
    ("webmanifest", "application/manifest+json"),
    ("webp", "image/webp"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
    ("xml", "application/xml"),
    ("zip", "application/zip"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(address: &str) -> Option<String> {
        PublicPath::parse(address).map(|path| path.parts().join("|"))
    }

    #[test]
    fn addresses_become_names() {
        for (address, want) in [
            ("a.png", "a.png"),
            ("a/b/c.css", "a|b|c.css"),
            ("", "index.html"),
            ("clips/", "clips|index.html"),
            ("two%20words.png", "two words.png"),
            ("%C3%A4.png", "ä.png"),
            // Decoded once: the name has a percent sign.
            ("100%25.png", "100%.png"),
            ("%252e%252e", "%2e%2e"),
        ] {
            assert_eq!(parts(address).as_deref(), Some(want), "{address}");
        }
    }

    #[test]
    fn hostile_addresses_are_none() {
        let (long, deep) = ("a".repeat(NAME_BYTES_MAX + 1), "a/".repeat(PARTS_MAX + 1));
        for address in [
            "..",
            "../x",
            "a/../x",
            "a/..",
            "%2e%2e/x",
            "%2E%2E%2Fx",
            "a%2fb",
            "a%2f..%2fb",
            "a\\b",
            "a%5cb",
            ".hidden",
            "a/.git/config",
            "%2ehidden",
            "a%00.png",
            "a%0a",
            "//",
            "a//b",
            "/etc/passwd",
            "%",
            "%2",
            "%zz",
            "%ff",
            "%+1",
            "C:\\x",
            &long,
            &deep,
        ] {
            assert_eq!(parts(address), None, "{address}");
        }
    }

    /// Whatever is asked for, what comes out leads nowhere but down.
    #[test]
    fn no_spelling_leads_up() {
        let letters = ["a", ".", "/", "%2e", "%2f", "%5c", "\\", "%00", "%25", "%2"];
        let mut addresses = vec![String::new()];
        for _ in 0..4 {
            let longer = addresses
                .iter()
                .flat_map(|address| letters.iter().map(move |letter| format!("{address}{letter}")));
            addresses = longer.collect();
            for path in addresses.iter().filter_map(|address| PublicPath::parse(address)) {
                for name in path.parts() {
                    assert!(!name.is_empty() && !name.starts_with('.'), "{path:?}");
                    assert!(!name.contains(['/', '\\', '\0']), "{path:?}");
                }
            }
        }
    }

    #[test]
    fn types_are_those_of_the_ending() {
        for (address, want) in [
            ("a.PNG", "image/png"),
            ("a.tar.zip", "application/zip"),
            ("page/", "text/html; charset=utf-8"),
            ("README", "application/octet-stream"),
            ("a.exe", "application/octet-stream"),
        ] {
            assert_eq!(PublicPath::parse(address).unwrap().media_type(), want, "{address}");
        }
        assert!(MEDIA_TYPES.is_sorted_by(|a, b| a.0 < b.0));
    }
}
