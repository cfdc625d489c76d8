//! Names of renditions and of the files below them.
//!
//! | what | name | example |
//! |---|---|---|
//! | init section | `init-{msn}.mp4`, the number of the first segment that uses it | `init-7.mp4` |
//! | segment | `{msn}.m4s` | `12.m4s` |
//! | part | `{msn}.{index}.m4s` | `12.0.m4s` |
//!
//! Media sequence numbers are never used twice, so a name never means other bytes (PL-6, PL-15).
//! Only the exact spelling that a playlist would print is recognised: no signs, no leading zeros.

use std::fmt;

/// One media playlist of the broadcast.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum RenditionId {
    /// A video variant, numbered as in the API.
    Video(u8),
    /// The audio rendition.
    Audio,
}

impl RenditionId {
    /// From the folder name in a request path.
    pub fn parse(name: &str) -> Option<Self> {
        if name == "audio" {
            return Some(Self::Audio);
        }
        let number = u8::try_from(canonical_number(name)?).ok()?;
        Some(Self::Video(number))
    }
}

impl fmt::Display for RenditionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Video(number) => write!(f, "{number}"),
            Self::Audio => f.write_str("audio"),
        }
    }
}

/// A file below a rendition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum MediaName {
    /// The init section that starts with this segment.
    Init { msn: u64 },
    /// A whole segment.
    Segment { msn: u64 },
    /// A part of a segment.
    Part { msn: u64, index: u32 },
}

impl MediaName {
    pub(super) fn parse(name: &str) -> Option<Self> {
        if let Some(number) = name.strip_prefix("init-").and_then(|n| n.strip_suffix(".mp4")) {
            return Some(Self::Init { msn: canonical_number(number)? });
        }
        let stem = name.strip_suffix(".m4s")?;
        match stem.split_once('.') {
            None => Some(Self::Segment { msn: canonical_number(stem)? }),
            Some((msn, index)) => Some(Self::Part {
                msn: canonical_number(msn)?,
                index: u32::try_from(canonical_number(index)?).ok()?,
            }),
        }
    }
}

impl fmt::Display for MediaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Init { msn } => write!(f, "init-{msn}.mp4"),
            Self::Segment { msn } => write!(f, "{msn}.m4s"),
            Self::Part { msn, index } => write!(f, "{msn}.{index}.m4s"),
        }
    }
}

fn canonical_number(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let canonical = digits && !text.is_empty() && (text == "0" || !text.starts_with('0'));
    if canonical { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_as_printed() {
        for (text, name) in [
            ("init-7.mp4", MediaName::Init { msn: 7 }),
            ("12.m4s", MediaName::Segment { msn: 12 }),
            ("18446744073709551615.m4s", MediaName::Segment { msn: u64::MAX }),
            ("12.0.m4s", MediaName::Part { msn: 12, index: 0 }),
        ] {
            assert_eq!(MediaName::parse(text), Some(name));
            assert_eq!(name.to_string(), text);
        }
    }

    #[test]
    fn other_spellings_are_no_names() {
        for text in [
            "",
            ".m4s",
            "012.m4s",
            "+1.m4s",
            "-1.m4s",
            "1.m4",
            "1.00.m4s",
            "1.2.3.m4s",
            "1..m4s",
            "init-.mp4",
            "init-01.mp4",
            "init-1.m4s",
            "18446744073709551616.m4s",
            "1.4294967296.m4s",
            "١.m4s",
            "../1.m4s",
        ] {
            assert_eq!(MediaName::parse(text), None, "{text}");
        }
    }

    #[test]
    fn renditions_read_back_as_printed() {
        for (text, id) in [("0", RenditionId::Video(0)), ("audio", RenditionId::Audio)] {
            assert_eq!(RenditionId::parse(text), Some(id));
            assert_eq!(id.to_string(), text);
        }
        for text in ["", "00", "256", "Audio", "0/"] {
            assert_eq!(RenditionId::parse(text), None, "{text}");
        }
    }
}
