//! Names of codecs as numbers: FLV ids and FourCCs.

use std::fmt;

/// Four characters that name a codec in Enhanced RTMP and in ISO files.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FourCc(pub [u8; 4]);

impl FourCc {
    /// HEVC.
    pub const HEVC: Self = Self(*b"hvc1");
    /// H.264.
    pub const AVC: Self = Self(*b"avc1");
    /// AV1.
    pub const AV1: Self = Self(*b"av01");
    /// AAC.
    pub const AAC: Self = Self(*b"mp4a");
    /// Opus.
    pub const OPUS: Self = Self(*b"Opus");
    /// FLAC.
    pub const FLAC: Self = Self(*b"fLaC");
    /// AC-3.
    pub const AC3: Self = Self(*b"ac-3");
    /// E-AC-3.
    pub const EAC3: Self = Self(*b"ec-3");
    /// MP3.
    pub const MP3: Self = Self(*b".mp3");
    /// VVC.
    pub const VVC: Self = Self(*b"vvc1");

    /// The name people know the codec by; `None` for characters that name none.
    pub(crate) fn common_name(self) -> Option<&'static str> {
        Some(match &self.0 {
            b"avc1" => "H.264",
            b"hvc1" | b"hev1" => "HEVC",
            b"vvc1" => "VVC",
            b"av01" => "AV1",
            b"vp08" => "VP8",
            b"vp09" => "VP9",
            b"mp4a" => "AAC",
            b"Opus" => "Opus",
            b"fLaC" => "FLAC",
            b"ac-3" => "AC-3",
            b"ec-3" => "E-AC-3",
            b".mp3" => "MP3",
            _ => return None,
        })
    }
}

/// The characters; bytes that are not printable ASCII become `?`.
impl fmt::Display for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            write!(f, "{}", if byte.is_ascii_graphic() { char::from(byte) } else { '?' })?;
        }
        Ok(())
    }
}

impl fmt::Debug for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A codec as a tag or metadata names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum CodecTag {
    /// CodecID of a video tag, 0..=15 (FLV E.4.3.1).
    Video(u8),
    /// SoundFormat of an audio tag, 0..=15 (FLV E.4.2.1).
    Audio(u8),
    /// FourCC of Enhanced RTMP.
    FourCc(FourCc),
}

/// For people: `HEVC (codec id 12)`, `AV1 (av01)`.
impl fmt::Display for CodecTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, id) = match *self {
            Self::FourCc(four) => {
                return match four.common_name() {
                    Some(name) => write!(f, "{name} ({four})"),
                    None => write!(f, "\"{four}\""),
                };
            }
            Self::Video(id) => (video_name(id), id),
            Self::Audio(id) => (audio_name(id), id),
        };
        match name {
            Some(name) => write!(f, "{name} (codec id {id})"),
            None => write!(f, "codec id {id}"),
        }
    }
}

const fn video_name(id: u8) -> Option<&'static str> {
    Some(match id {
        1 => "JPEG",
        2 => "Sorenson H.263",
        3 => "Screen Video",
        4 | 5 => "VP6",
        6 => "Screen Video 2",
        7 => "H.264",
        12 => "HEVC",
        13 => "AV1",
        _ => return None,
    })
}

const fn audio_name(id: u8) -> Option<&'static str> {
    Some(match id {
        0 | 3 => "PCM",
        1 => "ADPCM",
        2 | 14 => "MP3",
        4..=6 => "Nellymoser",
        7 | 8 => "G.711",
        10 => "AAC",
        11 => "Speex",
        13 => "Opus",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codecs_are_named_for_people() {
        for (tag, text) in [
            (CodecTag::Video(12), "HEVC (codec id 12)"),
            (CodecTag::Audio(2), "MP3 (codec id 2)"),
            (CodecTag::Audio(15), "codec id 15"),
            (CodecTag::FourCc(FourCc::AV1), "AV1 (av01)"),
            (CodecTag::FourCc(FourCc(*b"x\n\x80y")), "\"x??y\""),
        ] {
            assert_eq!(tag.to_string(), text);
        }
    }
}
