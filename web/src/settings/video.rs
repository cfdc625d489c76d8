//! What viewers may choose from, and how much delay buys how much smoothness.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::setting::{Setting, setting};
use crate::shape::{Field, Shape, may};

/// Variants of one ladder. A player tries each of them when it measures its line.
const VARIANTS_MAX: usize = 8;
/// Highest bit rate, kbit/s.
const BITRATE_KBIT_MAX: i64 = 50_000;
/// Lowest bit rate of pictures, kbit/s: a slide of 160x90. 0 fits the size.
const BITRATE_KBIT_MIN: u32 = 50;
/// Longest side of a picture, pixels.
const SIDE_MAX: i64 = 4_096;
/// Most pictures a second.
const FRAME_RATE_MAX: i64 = 60;
/// Highest level that Owncast's clients send; the API takes more and means 4 (API §1.8).
pub const LATENCY_LEVEL_MAX: u8 = 4;
/// Encoders that this program has, by Owncast's names: `libx264` is what its clients call H.264
/// made by the processor.
pub const CODECS: &[&str] = &["libx264"];

/// See the module. `Default` is a new server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Video {
    /// Always one of [`CODECS`]; Owncast's clients send it back.
    pub codec: String,
    /// 0 for the least delay, 4 for the most; `None` as long as nobody chose.
    pub latency_level: Option<u8>,
    /// The variants in their order, which numbers them; `None` as long as nobody chose, and the
    /// server then offers what the machine can encode.
    pub variants: Option<Vec<Variant>>,
}

impl Default for Video {
    fn default() -> Self {
        Self { codec: "libx264".to_owned(), latency_level: None, variants: None }
    }
}

impl Video {
    /// The level that clients are told.
    #[must_use]
    pub fn level(&self) -> u8 {
        self.latency_level.unwrap_or(2).min(LATENCY_LEVEL_MAX)
    }
}

/// One variant under Owncast's names (API §4.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Variant {
    /// The operator's own name for it; empty for one that is derived.
    pub name: String,
    /// The publisher's own pictures: every other field of pictures is ignored.
    pub video_passthrough: bool,
    /// The publisher's own sound.
    pub audio_passthrough: bool,
    /// Of the pictures, kbit/s; 0 fits the size.
    pub video_bitrate: u32,
    /// Of the sound, kbit/s; 0 is the publisher's own.
    pub audio_bitrate: u32,
    /// Pixels; 0 follows from the height.
    pub scaled_width: u32,
    /// Pixels; 0 follows from the width.
    pub scaled_height: u32,
    /// Pictures a second; 0 as the publisher.
    pub framerate: u32,
    /// 0, the cheapest, to 4, the best.
    pub cpu_usage_level: u8,
}

impl Variant {
    /// The publisher's own pictures and sound.
    #[must_use]
    pub fn source() -> Self {
        Self { video_passthrough: true, audio_passthrough: true, ..Self::default() }
    }

    /// What players show in their menus (API §4.3).
    #[must_use]
    pub fn display_name(&self) -> String {
        let rate = bitrate_name(self.video_bitrate);
        match (self.scaled_width, self.scaled_height) {
            _ if !self.name.is_empty() => self.name.clone(),
            _ if self.video_passthrough => "Source".to_owned(),
            // Owncast's own spelling of the size (API §4.3).
            (1080, 720) => format!("720p @{rate}"),
            (1920, 1080) => format!("1080p @{rate}"),
            (0, 0) => format!("{rate}@{}fps", self.framerate),
            (width, 0) => format!("{width}w"),
            (_, height) => format!("{height}h"),
        }
    }
}

fn bitrate_name(kbit: u32) -> String {
    match kbit {
        0..1_000 => format!("{kbit}Kbps"),
        _ if kbit.is_multiple_of(1_000) => format!("{}Mbps", kbit / 1_000),
        _ => format!("{:.1}Mbps", f64::from(kbit) / 1_000.0),
    }
}

const fn up_to(max: i64) -> Shape {
    Shape::Integer { min: 0, max }
}

const VARIANT: Shape = Shape::Object(VARIANT_FIELDS);
const VARIANT_FIELDS: &[Field] = &[
    may("name", Shape::Line { max: 64 }),
    may("videoPassthrough", Shape::Bool),
    may("audioPassthrough", Shape::Bool),
    may("videoBitrate", up_to(BITRATE_KBIT_MAX)),
    may("audioBitrate", up_to(1_000)),
    may("scaledWidth", up_to(SIDE_MAX)),
    may("scaledHeight", up_to(SIDE_MAX)),
    may("framerate", up_to(FRAME_RATE_MAX)),
    may("cpuUsageLevel", up_to(4)),
];

/// At most one passes the publisher's pictures through; an empty list is the default (API §4.3).
fn variants(value: Value) -> Result<Value, String> {
    let Value::Array(items) = &value else { return Ok(value) };
    if items.is_empty() {
        return Ok(Value::Null);
    }
    let sources = items.iter().filter(|item| item["videoPassthrough"] == true).count();
    if sources > 1 {
        return Err("holds more than one variant with videoPassthrough".to_owned());
    }
    for (index, item) in items.iter().enumerate() {
        let kbit = item["videoBitrate"].as_i64().unwrap_or(0);
        if item["videoPassthrough"] != true && kbit != 0 && kbit < i64::from(BITRATE_KBIT_MIN) {
            let limits = format!("{BITRATE_KBIT_MIN} to {BITRATE_KBIT_MAX}, or 0 to fit the size");
            return Err(format!("[{index}].videoBitrate is {kbit}; allowed is {limits}"));
        }
    }
    Ok(value)
}

/// Owncast clamps at reading: whatever is above 4 means 4 (API §1.8).
fn level(value: Value) -> Result<Value, String> {
    Ok(value.as_i64().map_or(value, |level| level.min(LATENCY_LEVEL_MAX.into()).into()))
}

pub(super) const SETTINGS: &[Setting] = &[
    setting!("video/codec", "video_codec", Shape::Word(CODECS), NextBroadcast, video.codec),
    setting!(
        "video/streamlatencylevel",
        "video_latency_level",
        Shape::Nullable(&Shape::Integer { min: 0, max: 255 }),
        NextBroadcast,
        video.latency_level,
        level
    ),
    setting!(
        "video/streamoutputvariants",
        "video_stream_output_variants",
        Shape::Nullable(&Shape::List { of: &VARIANT, max: VARIANTS_MAX }),
        NextBroadcast,
        video.variants,
        variants
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_owncast() {
        let sized = |scaled_width, scaled_height, video_bitrate| Variant {
            scaled_width,
            scaled_height,
            video_bitrate,
            framerate: 24,
            ..Variant::default()
        };
        for (variant, name) in [
            (Variant::source(), "Source"),
            (Variant { name: "Big".to_owned(), ..Variant::source() }, "Big"),
            (sized(1080, 720, 2_000), "720p @2Mbps"),
            (sized(1920, 1080, 4_500), "1080p @4.5Mbps"),
            (sized(0, 480, 900), "480h"),
            (sized(640, 0, 900), "640w"),
            (sized(0, 0, 900), "900Kbps@24fps"),
        ] {
            assert_eq!(variant.display_name(), name);
        }
    }
}
