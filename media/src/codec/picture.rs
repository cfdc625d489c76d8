//! Raw pictures: planar 4:2:0 with 8 bits a sample (I420), what both H.264 libraries read and
//! write.
//!
//! A [`PictureSize`] is proof that a picture of that size can be coded: even, since chroma has half
//! the samples in each direction, and within level 5.2 of H.264 (Table A-1).

use thiserror::Error;

use crate::limits::PICTURE_SIDE_MAX;

/// Smallest width or height openh264 encodes, in pixels: one macroblock.
const SIDE_MIN: u32 = 16;
/// Macroblocks in the largest picture of level 5.2 (H.264 Table A-1, MaxFS).
const MACROBLOCKS_MAX: u32 = 36_864;
/// Rows start on multiples of this many bytes: one cache line, and whole vectors for SIMD.
const STRIDE_ALIGN: usize = 64;

/// Width and height of a picture that can be coded. Both even; 16 ≤ side ≤ 8192; at most 36864
/// macroblocks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PictureSize {
    width: u32,
    height: u32,
}

/// Why a size was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum PictureSizeError {
    /// 4:2:0 has one chroma sample for two pixels in each direction.
    #[error("{width}x{height} has an odd side; 4:2:0 pictures need even ones")]
    Odd {
        /// Pixels asked for.
        width: u32,
        /// Pixels asked for.
        height: u32,
    },
    /// Outside what the codecs take.
    #[error(
        "{width}x{height} is outside 16x16 to {MACROBLOCKS_MAX} macroblocks of 16x16 with sides \
         up to {PICTURE_SIDE_MAX}"
    )]
    Range {
        /// Pixels asked for.
        width: u32,
        /// Pixels asked for.
        height: u32,
    },
}

impl PictureSize {
    /// Checks a size in pixels.
    pub const fn new(width: u32, height: u32) -> Result<Self, PictureSizeError> {
        let sides_fit = SIDE_MIN <= width
            && width <= PICTURE_SIDE_MAX
            && SIDE_MIN <= height
            && height <= PICTURE_SIDE_MAX;
        if !sides_fit || width.div_ceil(16) * height.div_ceil(16) > MACROBLOCKS_MAX {
            return Err(PictureSizeError::Range { width, height });
        }
        if !width.is_multiple_of(2) || !height.is_multiple_of(2) {
            return Err(PictureSizeError::Odd { width, height });
        }
        Ok(Self { width, height })
    }

    /// Pixels in a row.
    pub const fn width(self) -> u32 {
        self.width
    }

    /// Rows.
    pub const fn height(self) -> u32 {
        self.height
    }
}

/// One I420 picture. Sample values are those of its colour description; video range unless said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Picture {
    size: PictureSize,
    luma: Plane,
    cb: Plane,
    cr: Plane,
}

impl Picture {
    /// A black picture in video range.
    pub fn black(size: PictureSize) -> Self {
        let (width, height) = (size.width as usize, size.height as usize);
        Self {
            size,
            luma: Plane::filled(width, height, 16),
            cb: Plane::filled(width / 2, height / 2, 128),
            cr: Plane::filled(width / 2, height / 2, 128),
        }
    }

    /// Size in pixels.
    pub const fn size(&self) -> PictureSize {
        self.size
    }

    /// Brightness, one sample for each pixel.
    pub const fn luma(&self) -> &Plane {
        &self.luma
    }

    /// Blue difference, one sample for 2x2 pixels.
    pub const fn cb(&self) -> &Plane {
        &self.cb
    }

    /// Red difference, one sample for 2x2 pixels.
    pub const fn cr(&self) -> &Plane {
        &self.cr
    }

    /// Luma, Cb and Cr for drawing.
    pub const fn planes_mut(&mut self) -> [&mut Plane; 3] {
        [&mut self.luma, &mut self.cb, &mut self.cr]
    }
}

/// One colour component. `samples.len() == stride * height` and `stride >= width`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plane {
    samples: Vec<u8>,
    width: usize,
    height: usize,
    stride: usize,
}

impl Plane {
    fn filled(width: usize, height: usize, value: u8) -> Self {
        let stride = width.next_multiple_of(STRIDE_ALIGN);
        Self { samples: vec![value; stride * height], width, height, stride }
    }

    /// Samples in a row.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub const fn height(&self) -> usize {
        self.height
    }

    /// Bytes from the start of a row to the start of the next.
    pub const fn stride(&self) -> usize {
        self.stride
    }

    /// All rows with their padding: `stride * height` bytes.
    pub fn samples(&self) -> &[u8] {
        &self.samples
    }

    /// The samples of one row without padding; empty below the last row.
    pub fn row(&self, y: usize) -> &[u8] {
        let start = y.saturating_mul(self.stride);
        self.samples.get(start..start.saturating_add(self.width)).unwrap_or_default()
    }

    /// The samples of one row without padding; empty below the last row.
    pub fn row_mut(&mut self, y: usize) -> &mut [u8] {
        let start = y.saturating_mul(self.stride);
        self.samples.get_mut(start..start.saturating_add(self.width)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_checked() {
        for (width, height, expected) in [
            (1280, 720, Ok(())),
            (16, 16, Ok(())),
            (4096, 2304, Ok(())),
            (1279, 720, Err(PictureSizeError::Odd { width: 1279, height: 720 })),
            (1280, 719, Err(PictureSizeError::Odd { width: 1280, height: 719 })),
            (0, 720, Err(PictureSizeError::Range { width: 0, height: 720 })),
            (1280, 14, Err(PictureSizeError::Range { width: 1280, height: 14 })),
            (4112, 2304, Err(PictureSizeError::Range { width: 4112, height: 2304 })),
            (u32::MAX, 2, Err(PictureSizeError::Range { width: u32::MAX, height: 2 })),
        ] {
            assert_eq!(PictureSize::new(width, height).map(drop), expected, "{width}x{height}");
        }
    }

    #[test]
    fn rows_end_at_the_width_and_the_height() {
        let mut picture = Picture::black(PictureSize::new(30, 18).unwrap());
        assert_eq!((picture.luma().stride(), picture.cb().width()), (64, 15));
        picture.planes_mut()[1].row_mut(8).fill(7);
        assert_eq!(picture.cb().row(8), [7; 15]);
        assert_eq!(picture.cb().row(7), [128; 15]);
        assert!(picture.cb().row(9).is_empty());
        assert!(picture.luma().row(usize::MAX).is_empty());
    }
}
