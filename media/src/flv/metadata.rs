//! What `onMetaData` announces, believed only within reason (FLV E.5, CMD-9).
//!
//! Names that matter are kept when their value is possible; all others, and NaN, infinities and
//! numbers out of range (AM-5), are passed over. Nothing here decides which tracks exist.

use super::codec_tag::{CodecTag, FourCc};
use crate::limits;

/// Announced properties. Each is absent when it was not told or is not credible.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Picture width in pixels.
    pub width: Option<u32>,
    /// Picture height in pixels.
    pub height: Option<u32>,
    /// Pictures per second times 1000, 1 000..=240 000.
    pub frame_rate_millis: Option<u32>,
    /// Video codec.
    pub video_codec: Option<CodecTag>,
    /// Audio codec.
    pub audio_codec: Option<CodecTag>,
    /// Video bit rate in bit/s.
    pub video_bitrate: Option<u32>,
    /// Audio bit rate in bit/s.
    pub audio_bitrate: Option<u32>,
    /// Audio samples per second.
    pub audio_sample_rate: Option<u32>,
    /// Two audio channels.
    pub stereo: Option<bool>,
    /// The encoder's name for itself, without control characters.
    pub encoder: Option<String>,
}

impl Metadata {
    /// Takes a number. Bit rates arrive in kbit/s.
    pub fn set_number(&mut self, name: &str, value: f64) {
        let side = f64::from(limits::PICTURE_SIDE_MAX);
        match name {
            "width" => self.width = within(value, 1.0, side),
            "height" => self.height = within(value, 1.0, side),
            "framerate" | "videoframerate" => {
                self.frame_rate_millis = within(value * 1_000.0, 1_000.0, 240_000.0);
            }
            "videocodecid" => self.video_codec = codec(value, CodecTag::Video),
            "audiocodecid" => self.audio_codec = codec(value, CodecTag::Audio),
            "videodatarate" => self.video_bitrate = bitrate(value),
            "audiodatarate" => self.audio_bitrate = bitrate(value),
            "audiosamplerate" => self.audio_sample_rate = within(value, 7_350.0, 192_000.0),
            _ => {}
        }
    }

    /// Takes a text. Codec ids may come as FourCC strings, numbers as digits.
    pub fn set_text(&mut self, name: &str, value: &str) {
        match name {
            "encoder" => {
                let kept = value.chars().filter(|c| !c.is_control());
                let mut text = String::new();
                for c in kept {
                    if text.len() + c.len_utf8() > limits::METADATA_TEXT_BYTES_MAX {
                        break;
                    }
                    text.push(c);
                }
                self.encoder = (!text.is_empty()).then_some(text);
            }
            "videocodecid" => self.video_codec = four_cc(value),
            "audiocodecid" => self.audio_codec = four_cc(value),
            _ => {
                if let Ok(number) = value.trim().parse() {
                    self.set_number(name, number);
                }
            }
        }
    }

    /// Takes a boolean.
    pub fn set_flag(&mut self, name: &str, value: bool) {
        if name == "stereo" {
            self.stereo = Some(value);
        }
    }
}

/// Rounded, when it lies in the range; NaN does not.
fn within(value: f64, min: f64, max: f64) -> Option<u32> {
    let rounded = value.round();
    // The range keeps the value inside 32 bits.
    (min..=max).contains(&rounded).then_some(rounded as u32)
}

/// kbit/s to bit/s, up to 1 Gbit/s; 0 means "unknown" in several encoders.
fn bitrate(kilobits: f64) -> Option<u32> {
    within(kilobits * 1_000.0, 1.0, 1e9)
}

/// A small number is an FLV id, a large one a FourCC read as big-endian bytes.
fn codec(value: f64, by_id: fn(u8) -> CodecTag) -> Option<CodecTag> {
    let number = within(value, 0.0, f64::from(u32::MAX))?;
    match u8::try_from(number) {
        Ok(id) if id < 16 => Some(by_id(id)),
        _ if number > 0xFFFF => Some(CodecTag::FourCc(FourCc(number.to_be_bytes()))),
        _ => None,
    }
}

fn four_cc(text: &str) -> Option<CodecTag> {
    text.as_bytes().try_into().ok().map(|bytes| CodecTag::FourCc(FourCc(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credible_values_are_kept() {
        let mut metadata = Metadata::default();
        for (name, value) in [
            ("width", 1920.0),
            ("height", 1080.0),
            ("framerate", 29.97),
            ("videocodecid", 7.0),
            ("audiocodecid", f64::from(u32::from_be_bytes(*b"mp4a"))),
            ("videodatarate", 6000.0),
            ("audiodatarate", 160.5),
            ("audiosamplerate", 48000.0),
            ("filesize", 0.0),
        ] {
            metadata.set_number(name, value);
        }
        metadata.set_flag("stereo", true);
        metadata.set_text("encoder", "obs-output module\r\n (libobs version 31.0.0)");
        let expected = Metadata {
            width: Some(1920),
            height: Some(1080),
            frame_rate_millis: Some(29_970),
            video_codec: Some(CodecTag::Video(7)),
            audio_codec: Some(CodecTag::FourCc(FourCc::AAC)),
            video_bitrate: Some(6_000_000),
            audio_bitrate: Some(160_500),
            audio_sample_rate: Some(48_000),
            stereo: Some(true),
            encoder: Some("obs-output module (libobs version 31.0.0)".to_owned()),
        };
        assert_eq!(metadata, expected);
        metadata.set_text("videocodecid", "avc1");
        assert_eq!(metadata.video_codec, Some(CodecTag::FourCc(FourCc::AVC)));
        metadata.set_text("framerate", "30.00");
        assert_eq!(metadata.frame_rate_millis, Some(30_000));
    }

    #[test]
    fn am5_impossible_numbers_are_passed_over() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, 1e300] {
            let mut metadata = Metadata::default();
            let names = [
                "width",
                "height",
                "framerate",
                "videodatarate",
                "audiodatarate",
                "audiosamplerate",
            ];
            for name in names {
                metadata.set_number(name, value);
            }
            assert_eq!(metadata, Metadata::default(), "{value}");
        }
        let mut metadata = Metadata::default();
        metadata.set_text("encoder", &"é".repeat(1_000));
        assert_eq!(metadata.encoder.map(|text| text.len()), Some(limits::METADATA_TEXT_BYTES_MAX));
        let mut metadata = Metadata::default();
        metadata.set_number("videocodecid", 300.0);
        metadata.set_text("audiocodecid", "");
        assert_eq!(metadata, Metadata::default());
    }
}
