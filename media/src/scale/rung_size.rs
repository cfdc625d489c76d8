//! The size of a rung: what the settings ask for, made possible for this source.

use thiserror::Error;

use crate::codec::{PictureSize, PictureSizeError};

/// The size a rung gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RungSize {
    /// In square pixels.
    pub size: PictureSize,
    /// More was asked for than the source has: enlarging costs bits and shows nothing new, so the
    /// rung is kept within the source. Worth a notice.
    pub clamped: bool,
}

/// Why a source cannot have this rung.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error(
    "a rung of {width}x{height} (0: by the aspect ratio) out of {source_width}x{source_height}: \
     {reason}"
)]
pub struct RungSizeError {
    /// Asked for, in pixels.
    pub width: u32,
    /// Asked for, in pixels.
    pub height: u32,
    /// Of the source on a screen, in pixels.
    pub source_width: u32,
    /// Of the source on a screen, in pixels.
    pub source_height: u32,
    /// What is wrong with the outcome.
    pub reason: PictureSizeError,
}

/// The size of a rung for which the settings say `width` and `height` in pixels.
///
/// - 0 means "as the aspect ratio has it"; both 0 is the source's own size.
/// - `source` is the size on a screen, in square pixels (MV-2): others are squared by scaling.
/// - Sides are rounded to the nearest even number.
/// - Nothing is enlarged: what is larger than the source shrinks into it, in its own aspect ratio.
pub fn rung_size(source: (u32, u32), width: u32, height: u32) -> Result<RungSize, RungSizeError> {
    let (source_width, source_height) = source;
    let (asked, clamped) = match (width, height) {
        (0, 0) => (Exact::new(source), false),
        (_, 0) => (Exact::new(source).times(width, source_width), width > source_width),
        (0, _) => (Exact::new(source).times(height, source_height), height > source_height),
        (..) => (Exact::new((width, height)), width > source_width || height > source_height),
    };
    let (fit_width, fit_height) = if clamped { asked.within(source) } else { asked }.even(source);
    match PictureSize::new(fit_width, fit_height) {
        Ok(size) => Ok(RungSize { size, clamped }),
        Err(reason) => Err(RungSizeError { width, height, source_width, source_height, reason }),
    }
}

/// A size in fractions of a pixel: both sides are to be divided by `over`.
#[derive(Clone, Copy)]
struct Exact {
    width: u128,
    height: u128,
    over: u128,
}

impl Exact {
    fn new((width, height): (u32, u32)) -> Self {
        Self { width: width.into(), height: height.into(), over: 1 }
    }

    fn times(self, factor: u32, divisor: u32) -> Self {
        let (factor, divisor) = (u128::from(factor), u128::from(divisor));
        Self { width: self.width * factor, height: self.height * factor, over: self.over * divisor }
    }

    /// The largest of this aspect ratio inside `source`.
    fn within(self, source: (u32, u32)) -> Self {
        let (width, height) = (u128::from(source.0), u128::from(source.1));
        if self.width * height > self.height * width {
            Self { width: width * self.width, height: width * self.height, over: self.width }
        } else {
            Self { width: height * self.width, height: height * self.height, over: self.height }
        }
    }

    /// Whole even pixels, no more than `source` has.
    fn even(self, source: (u32, u32)) -> (u32, u32) {
        let even = |side: u128, most: u32| {
            let nearest = (side + self.over).checked_div(self.over * 2).unwrap_or(0) * 2;
            u32::try_from(nearest).unwrap_or(u32::MAX).min(most & !1)
        };
        (even(self.width, source.0), even(self.height, source.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (source, asked, expected) in [
            // What a full HD source usually gets.
            ((1920, 1080), (0, 0), Some((1920, 1080, false))),
            ((1920, 1080), (1280, 720), Some((1280, 720, false))),
            ((1920, 1080), (0, 720), Some((1280, 720, false))),
            ((1920, 1080), (1280, 0), Some((1280, 720, false))),
            ((1920, 1080), (0, 480), Some((854, 480, false))),
            ((1920, 1080), (0, 360), Some((640, 360, false))),
            ((1920, 1080), (853, 480), Some((854, 480, false))),
            ((1920, 1080), (640, 481), Some((640, 482, false))),
            // Larger than the source.
            ((1280, 720), (0, 1080), Some((1280, 720, true))),
            ((1280, 720), (1920, 0), Some((1280, 720, true))),
            ((1280, 720), (1920, 1080), Some((1280, 720, true))),
            ((1280, 720), (1280, 1080), Some((854, 720, true))),
            ((1280, 720), (4000, 100), Some((1280, 32, true))),
            ((1280, 720), (u32::MAX, 0), Some((1280, 720, true))),
            ((1280, 720), (u32::MAX, u32::MAX), Some((720, 720, true))),
            // Odd sources.
            ((1279, 719), (0, 0), Some((1278, 718, false))),
            ((1279, 719), (1279, 719), Some((1278, 718, false))),
            ((1367, 769), (0, 768), Some((1366, 768, false))),
            // Upright, other aspect ratios, squared pixels.
            ((1080, 1920), (0, 720), Some((406, 720, false))),
            ((1080, 1920), (720, 0), Some((720, 1280, false))),
            ((2560, 1080), (0, 480), Some((1138, 480, false))),
            ((1024, 576), (0, 288), Some((512, 288, false))),
            ((788, 576), (0, 576), Some((788, 576, false))),
            // What cannot be coded.
            ((1920, 1080), (0, 8), None),
            ((1920, 1080), (2, 0), None),
            ((4000, 40), (0, 10), None),
            ((0, 1080), (0, 720), None),
            ((1920, 0), (640, 0), None),
            ((0, 0), (0, 0), None),
            ((0, 0), (640, 360), None),
            ((32_768, 8_192), (0, 0), None),
        ] {
            let found = rung_size(source, asked.0, asked.1).ok();
            let found =
                found.map(|RungSize { size, clamped }| (size.width(), size.height(), clamped));
            assert_eq!(found, expected, "{asked:?} of {source:?}");
        }
    }

    #[test]
    fn the_sentence_says_what_was_asked() {
        let error = rung_size((1920, 1080), 0, 8).unwrap_err().to_string();
        assert!(error.starts_with("a rung of 0x8 "), "{error}");
        assert!(error.contains("1920x1080") && error.contains("14x8 is outside"), "{error}");
    }
}
