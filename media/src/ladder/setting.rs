//! What an operator sets: the variants, in one line of text.
//!
//! ```text
//! auto                                the source, and what this machine can encode beside it
//! source                              the source alone
//! source,720p@2500,480p@1000/30       two rungs, kbit/s, the second at 30 pictures a second
//! 1280x720@2500:3                     encoded only; CPU level 3
//! source,360p@300:av1                 a rung in AV1
//! ```

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::limits::PICTURE_SIDE_MAX;

/// Variants of one ladder. A player tries each of them when it measures its line.
pub const VARIANTS_MAX: usize = 8;
/// Numbers that variants may have, from 0: while a ladder changes, those of the one before are in
/// use beside its own.
pub const VARIANT_NUMBERS: usize = 2 * VARIANTS_MAX;
/// Lowest bit rate in kbit/s: a slide of 160x90.
pub(super) const BITRATE_KBIT_MIN: u32 = 50;
/// Highest bit rate in kbit/s.
pub(super) const BITRATE_KBIT_MAX: u32 = 50_000;
/// openh264 controls the rate up to here.
const FRAME_RATE_MAX: u32 = 60;
/// The best CPU level; 0 is the cheapest (http-api.md §4.2, `cpuUsageLevel`).
const CPU_LEVEL_MAX: u8 = 4;
/// The level when none is given.
const CPU_LEVEL: u8 = 2;

/// How the ladder is made.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum LadderSetting {
    /// The source on top, and below it what the machine can hold.
    #[default]
    Automatic,
    /// These variants, numbered in this order.
    Variants(Vec<Variant>),
}

/// One variant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Variant {
    /// The publisher's own pictures.
    Source,
    /// Encoded pictures.
    Encode(EncodeSetting),
}

/// How a variant is encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EncodeSetting {
    /// Pixels; 0 follows from the height and the source's shape.
    pub width: u32,
    /// Pixels; 0 follows from the width. Both 0: the source's size.
    pub height: u32,
    /// Bits per second in thousands; 0 fits the size.
    pub bitrate_kbit: u32,
    /// Pictures per second; 0 as the source.
    pub frame_rate: u32,
    /// What with.
    pub codec: RungCodec,
}

/// What a rung is encoded with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RungCodec {
    /// H.264, which every player takes.
    H264 {
        /// 0, the cheapest, to 4, the best.
        cpu_level: u8,
    },
    /// AV1 at its cheapest: fewer bits for small pictures, many times the work, and not for every
    /// player.
    Av1,
}

/// Why a ladder was refused.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum LadderSettingError {
    /// Neither a word we know nor a size.
    #[error(
        "variant {0:?} is neither `source` nor a size like 720p or 1280x720, with @KBIT, /FPS and \
         :LEVEL or :av1 behind it"
    )]
    Unknown(String),
    /// A number outside its range.
    #[error("{what} of variant {variant:?} is {seen}; {min} to {max} are possible")]
    Range {
        /// The variant as written.
        variant: String,
        /// Which number.
        what: &'static str,
        /// The number.
        seen: u32,
        /// Least.
        min: u32,
        /// Most.
        max: u32,
    },
    /// Too many variants, or none.
    #[error("{0} variants; 1 to {VARIANTS_MAX} are possible")]
    Count(usize),
    /// Nothing but AV1.
    #[error(
        "every variant is AV1, which not every player takes; `source` or a size in H.264 belongs \
         beside it"
    )]
    OnlyAv1,
    /// The source twice.
    #[error("`source` stands in the list more than once")]
    SourceTwice,
}

impl FromStr for LadderSetting {
    type Err = LadderSettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim() == "auto" {
            return Ok(Self::Automatic);
        }
        let variants: Vec<_> =
            text.split(',').map(|variant| variant.trim().parse()).collect::<Result<_, _>>()?;
        Self::checked(variants)
    }
}

impl LadderSetting {
    /// A ladder of these variants.
    pub fn checked(variants: Vec<Variant>) -> Result<Self, LadderSettingError> {
        if variants.is_empty() || variants.len() > VARIANTS_MAX {
            return Err(LadderSettingError::Count(variants.len()));
        }
        if variants.iter().filter(|variant| **variant == Variant::Source).count() > 1 {
            return Err(LadderSettingError::SourceTwice);
        }
        if variants.iter().all(|variant| variant.is_av1()) {
            return Err(LadderSettingError::OnlyAv1);
        }
        Ok(Self::Variants(variants))
    }
}

impl fmt::Display for LadderSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Automatic => f.write_str("auto"),
            Self::Variants(variants) => {
                for (index, variant) in variants.iter().enumerate() {
                    let joint = if index == 0 { "" } else { "," };
                    write!(f, "{joint}{variant}")?;
                }
                Ok(())
            }
        }
    }
}

impl FromStr for Variant {
    type Err = LadderSettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "source" {
            return Ok(Self::Source);
        }
        let unknown = || LadderSettingError::Unknown(text.to_owned());
        let number = |digits: &str| digits.parse::<u32>().map_err(|_| unknown());
        let (rest, level) = split(text, ':');
        let (rest, rate) = split(rest, '/');
        let (size, bitrate) = split(rest, '@');
        let (width, height) = match (size.strip_suffix('p'), size.split_once('x')) {
            (Some(height), _) => (0, number(height)?),
            (None, Some((width, height))) => (number(width)?, number(height)?),
            (None, None) => return Err(unknown()),
        };
        let or = |digits: Option<&str>, otherwise| digits.map_or(Ok(otherwise), number);
        let codec = match level {
            Some("av1") => RungCodec::Av1,
            level => {
                let level = or(level, CPU_LEVEL.into())?;
                RungCodec::H264 { cpu_level: u8::try_from(level).unwrap_or(u8::MAX) }
            }
        };
        let setting = EncodeSetting {
            width,
            height,
            bitrate_kbit: or(bitrate.map(|kbit| kbit.strip_suffix('k').unwrap_or(kbit)), 0)?,
            frame_rate: or(rate, 0)?,
            codec,
        };
        setting.check(text)?;
        Ok(Self::Encode(setting))
    }
}

impl Variant {
    fn is_av1(&self) -> bool {
        matches!(self, Self::Encode(setting) if setting.codec == RungCodec::Av1)
    }
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, behind)| (before, Some(behind)))
}

impl EncodeSetting {
    fn check(&self, text: &str) -> Result<(), LadderSettingError> {
        let level = match self.codec {
            RungCodec::H264 { cpu_level } => cpu_level,
            RungCodec::Av1 => 0,
        };
        let level = (level.into(), 0, CPU_LEVEL_MAX.into());
        let kbit_min = if self.bitrate_kbit == 0 { 0 } else { BITRATE_KBIT_MIN };
        for (what, (seen, min, max)) in [
            ("the width", (self.width, 0, PICTURE_SIDE_MAX)),
            ("the height", (self.height, 0, PICTURE_SIDE_MAX)),
            ("the bit rate in kbit/s", (self.bitrate_kbit, kbit_min, BITRATE_KBIT_MAX)),
            ("the frame rate", (self.frame_rate, 0, FRAME_RATE_MAX)),
            ("the CPU level", level),
        ] {
            if !(min..=max).contains(&seen) {
                let variant = text.to_owned();
                return Err(LadderSettingError::Range { variant, what, seen, min, max });
            }
        }
        Ok(())
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Encode(setting) = self else { return f.write_str("source") };
        match (setting.width, setting.height) {
            (0, height) => write!(f, "{height}p")?,
            (width, height) => write!(f, "{width}x{height}")?,
        }
        if setting.bitrate_kbit > 0 {
            write!(f, "@{}", setting.bitrate_kbit)?;
        }
        if setting.frame_rate > 0 {
            write!(f, "/{}", setting.frame_rate)?;
        }
        match setting.codec {
            RungCodec::H264 { cpu_level: CPU_LEVEL } => Ok(()),
            RungCodec::H264 { cpu_level } => write!(f, ":{cpu_level}"),
            RungCodec::Av1 => f.write_str(":av1"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: EncodeSetting = EncodeSetting {
        width: 0,
        height: 720,
        bitrate_kbit: 0,
        frame_rate: 0,
        codec: RungCodec::H264 { cpu_level: 2 },
    };

    #[test]
    fn ladders_read_and_write_themselves() {
        let encode = Variant::Encode;
        for (text, want) in [
            ("auto", LadderSetting::Automatic),
            ("source", LadderSetting::Variants(vec![Variant::Source])),
            (
                "source,720p@2500,480p@1000/30",
                LadderSetting::Variants(vec![
                    Variant::Source,
                    encode(EncodeSetting { bitrate_kbit: 2_500, ..SIZE }),
                    encode(EncodeSetting {
                        height: 480,
                        bitrate_kbit: 1_000,
                        frame_rate: 30,
                        ..SIZE
                    }),
                ]),
            ),
            (
                "1280x720:4",
                LadderSetting::Variants(vec![encode(EncodeSetting {
                    width: 1_280,
                    codec: RungCodec::H264 { cpu_level: 4 },
                    ..SIZE
                })]),
            ),
            (
                "source,720p/30:av1",
                LadderSetting::Variants(vec![
                    Variant::Source,
                    encode(EncodeSetting { frame_rate: 30, codec: RungCodec::Av1, ..SIZE }),
                ]),
            ),
            (
                "640x0@600",
                LadderSetting::Variants(vec![encode(EncodeSetting {
                    width: 640,
                    height: 0,
                    bitrate_kbit: 600,
                    ..SIZE
                })]),
            ),
        ] {
            assert_eq!(text.parse(), Ok(want.clone()), "{text}");
            assert_eq!(want.to_string(), text);
        }
        assert_eq!(" source , 720p@2500k ".parse(), "source,720p@2500".parse::<LadderSetting>());
    }

    #[test]
    fn wrong_ladders_say_what_is_wrong() {
        for (text, part) in [
            ("", "neither"),
            ("720", "neither"),
            ("source,fast", "\"fast\""),
            ("720p@fast", "neither"),
            ("source,source", "more than once"),
            ("720p@10", "50 to 50000"),
            ("720p/90", "frame rate"),
            ("720p:5", "CPU level"),
            ("720p:av2", "neither"),
            ("720p:av1", "in H.264 belongs beside it"),
            ("720p:av1,360p@300:av1", "every variant is AV1"),
            ("source,720p@10:av1", "50 to 50000"),
            ("9000p", "height"),
            ("720p,720p,720p,720p,720p,720p,720p,720p,720p", "1 to 8"),
        ] {
            let error = text.parse::<LadderSetting>().expect_err(text).to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
