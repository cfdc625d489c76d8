//! What every video codec tells about its pictures: colour (CM-15, MV-3), light, and size on a
//! screen (MV-2).

use crate::limits;

/// How sample values become light, as H.273 code points.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Colour {
    /// Colour primaries; 2 is unspecified.
    pub primaries: u8,
    /// Transfer characteristics; 2 is unspecified.
    pub transfer: u8,
    /// Matrix coefficients; 2 is unspecified.
    pub matrix: u8,
    /// Sample values use the whole range.
    pub full_range: bool,
}

impl Colour {
    /// The code point that says nothing.
    pub const UNSPECIFIED: u8 = 2;

    /// From the optional fields of a bit stream; `None` when they say nothing.
    pub(crate) fn from_signal(
        full_range: Option<bool>,
        description: Option<(u8, u8, u8)>,
    ) -> Option<Self> {
        let full_range = full_range?;
        let (primaries, transfer, matrix) = match description {
            Some(description) => description,
            None if full_range => (Self::UNSPECIFIED, Self::UNSPECIFIED, Self::UNSPECIFIED),
            None => return None,
        };
        Some(Self { primaries, transfer, matrix, full_range })
    }

    /// Primaries or transfer characteristics are told.
    pub const fn is_specified(self) -> bool {
        self.primaries != Self::UNSPECIFIED || self.transfer != Self::UNSPECIFIED
    }
}

/// How bright pictures are, and on what display they were made (HDR). Screens that show less map
/// them by it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Light {
    /// How bright they get.
    pub content: Option<ContentLight>,
    /// What they were judged on.
    pub mastering: Option<MasteringDisplay>,
}

/// Light levels of the content (CTA-861.3), in cd/m²; 0 is unknown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContentLight {
    /// Of the brightest sample (MaxCLL).
    pub max: u16,
    /// Greatest mean of a picture (MaxFALL).
    pub max_mean: u16,
}

/// The mastering display (SMPTE ST 2086).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MasteringDisplay {
    /// Chromaticity of green, blue and red, x and y, in units of 0.00002.
    pub primaries: [(u16, u16); 3],
    /// Chromaticity of white.
    pub white: (u16, u16),
    /// Greatest luminance in units of 0.0001 cd/m²; more than the least.
    pub luminance_max: u32,
    /// Least luminance in the same units.
    pub luminance_min: u32,
}

/// Size on a screen with square pixels: the width is stretched by the sample aspect ratio, width to
/// height.
pub(crate) fn display_size(coded: (u32, u32), sample_aspect_ratio: (u32, u32)) -> (u32, u32) {
    let (width, height) = coded;
    let (across, down) =
        (u64::from(sample_aspect_ratio.0), u64::from(sample_aspect_ratio.1.max(1)));
    let stretched = (u64::from(width) * across + down / 2) / down;
    let limit = u64::from(limits::PICTURE_SIDE_MAX) * 4;
    match u32::try_from(stretched) {
        Ok(width) if width > 0 && stretched <= limit => (width, height),
        // An absurd ratio says nothing about the picture.
        _ => coded,
    }
}
