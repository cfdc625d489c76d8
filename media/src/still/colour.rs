//! From a video's sample values to those of image files: full range, and for JPEG the matrix of
//! BT.601 whatever the video's is (JFIF 1.02).

use crate::codec::{PictureSize, PictureView};
use crate::picture::Colour;

/// Fraction bits of the coefficients.
const FRACTION_BITS: u32 = 14;
/// Code points of H.273 Table 4: BT.709, and BT.2020 with its constant-luminance sibling.
const MATRIX_BT709: u8 = 1;
/// See [`MATRIX_BT709`]: BT.470 (PAL), BT.601, SMPTE 240M.
const MATRIX_BT601: [u8; 3] = [4, 5, 6];
/// See [`MATRIX_BT709`].
const MATRIX_BT2020: [u8; 2] = [9, 10];
/// Pictures of no told matrix and at least this many rows are taken for BT.709, as players do.
const HD_HEIGHT: u32 = 720;

/// A linear map of three sample values to three others.
#[derive(Debug)]
pub(super) struct Conversion {
    rows: [[i32; 3]; 3],
    offsets: [i32; 3],
}

/// Shares of red and blue in luma.
#[derive(Clone, Copy)]
struct Luma {
    red: f64,
    blue: f64,
}

const BT601: Luma = Luma { red: 0.299, blue: 0.114 };
const BT709: Luma = Luma { red: 0.2126, blue: 0.0722 };
const BT2020: Luma = Luma { red: 0.2627, blue: 0.0593 };

impl Conversion {
    /// To red, green and blue.
    pub(super) fn to_rgb(colour: Option<Colour>, size: PictureSize) -> Self {
        Self::new(colour, |rgb| rgb, luma(colour, size), [0.0; 3])
    }

    /// To Y, Cb and Cr of a JPEG.
    pub(super) fn to_jpeg(colour: Option<Colour>, size: PictureSize) -> Self {
        let ycbcr = |[red, green, blue]: [f64; 3]| {
            let y = BT601.red * red + BT601.blue * blue + (1.0 - BT601.red - BT601.blue) * green;
            let difference = |sample: f64, share: f64| (sample - y) / (2.0 * (1.0 - share));
            [y, difference(blue, BT601.blue), difference(red, BT601.red)]
        };
        Self::new(colour, ycbcr, luma(colour, size), [0.0, 128.0, 128.0])
    }

    /// `from_rgb` is linear; its results are stretched to 255 and moved by `offsets`.
    fn new(
        colour: Option<Colour>,
        from_rgb: impl Fn([f64; 3]) -> [f64; 3],
        luma: Luma,
        offsets: [f64; 3],
    ) -> Self {
        let full_range = colour.is_some_and(|colour| colour.full_range);
        // Black, and the steps from black to white and between the extremes of a difference.
        let (black, luma_steps, chroma_steps) =
            if full_range { (0.0, 255.0, 255.0) } else { (16.0, 219.0, 224.0) };
        let rgb = |y: f64, cb: f64, cr: f64| {
            let (red, blue) = (y + 2.0 * (1.0 - luma.red) * cr, y + 2.0 * (1.0 - luma.blue) * cb);
            let green = (y - luma.red * red - luma.blue * blue) / (1.0 - luma.red - luma.blue);
            from_rgb([red, green, blue])
        };
        let columns = [
            rgb(255.0 / luma_steps, 0.0, 0.0),
            rgb(0.0, 255.0 / chroma_steps, 0.0),
            rgb(0.0, 0.0, 255.0 / chroma_steps),
        ];
        let one = f64::from(1 << FRACTION_BITS);
        let fixed = |value: f64| (value * one).round() as i32;
        let rows = [0, 1, 2].map(|row| columns.map(|column| fixed(column[row])));
        let offsets = std::array::from_fn(|row| {
            let [y, cb, cr] = columns.map(|column| column[row]);
            fixed(offsets[row] + 0.5 - y * black - (cb + cr) * 128.0)
        });
        Self { rows, offsets }
    }

    /// The three values for samples of Y, Cb and Cr.
    #[inline]
    pub(super) fn apply(&self, y: u8, cb: u8, cr: u8) -> [u8; 3] {
        let samples = [y, cb, cr].map(i32::from);
        std::array::from_fn(|row| {
            let [a, b, c] = self.rows[row];
            let sum = a * samples[0] + b * samples[1] + c * samples[2] + self.offsets[row];
            (sum >> FRACTION_BITS).clamp(0, 255) as u8
        })
    }

    /// The pixels of a row, from the left. Colour is that of the pair, as 4:2:0 has it.
    pub(super) fn row<'a>(
        &'a self,
        picture: PictureView<'a>,
        y: usize,
    ) -> impl Iterator<Item = [u8; 3]> + 'a {
        let colours = picture.cb().row(y / 2).iter().zip(picture.cr().row(y / 2));
        let pairs = picture.luma().row(y).chunks(2).zip(colours);
        pairs.flat_map(move |(pair, (&cb, &cr))| pair.iter().map(move |&y| self.apply(y, cb, cr)))
    }
}

fn luma(colour: Option<Colour>, size: PictureSize) -> Luma {
    match colour.map(|colour| colour.matrix) {
        Some(MATRIX_BT709) => BT709,
        Some(matrix) if MATRIX_BT601.contains(&matrix) => BT601,
        Some(matrix) if MATRIX_BT2020.contains(&matrix) => BT2020,
        _ if size.height() >= HD_HEIGHT => BT709,
        _ => BT601,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Result<PictureSize, crate::codec::PictureSizeError> = PictureSize::new(64, 32);

    fn told(matrix: u8, full_range: bool) -> Option<Colour> {
        Some(Colour { primaries: 2, transfer: 2, matrix, full_range })
    }

    #[test]
    fn known_colours() {
        // Bars at 100 %, of each matrix and range.
        for (colour, [y, cb, cr], rgb) in [
            (None, [16, 128, 128], [0, 0, 0]),
            (None, [235, 128, 128], [255, 255, 255]),
            (None, [126, 128, 128], [128, 128, 128]),
            (told(6, false), [81, 90, 240], [255, 0, 0]),
            (told(6, false), [145, 54, 34], [0, 255, 0]),
            (told(6, false), [41, 240, 110], [0, 0, 255]),
            (told(1, false), [63, 102, 240], [255, 0, 0]),
            (told(1, false), [173, 42, 26], [0, 255, 0]),
            (told(1, false), [32, 240, 118], [0, 0, 255]),
            (told(9, false), [74, 97, 240], [255, 0, 0]),
            (told(6, true), [76, 85, 255], [254, 0, 0]),
            (told(1, true), [0, 128, 128], [0, 0, 0]),
            (told(1, true), [255, 128, 128], [255, 255, 255]),
            (None, [0, 0, 0], [0, 135, 0]),
            (None, [255, 255, 255], [255, 125, 255]),
        ] {
            let found = Conversion::to_rgb(colour, SIZE.unwrap()).apply(y, cb, cr);
            let off = found.iter().zip(rgb).map(|(a, b): (&u8, u8)| a.abs_diff(b)).max().unwrap();
            assert!(off <= 3, "{colour:?} {y} {cb} {cr}: {found:?}");
        }
    }

    #[test]
    fn jpeg_has_the_full_range_of_bt601() {
        for (colour, samples, expected) in [
            (told(6, true), [10, 200, 30], [10, 200, 30]),
            (told(6, false), [16, 128, 128], [0, 128, 128]),
            (told(6, false), [235, 128, 128], [255, 128, 128]),
            (told(1, false), [63, 102, 240], [76, 85, 255]),
            (told(1, false), [173, 42, 26], [150, 44, 21]),
        ] {
            let [y, cb, cr] = samples;
            let found = Conversion::to_jpeg(colour, SIZE.unwrap()).apply(y, cb, cr);
            let off = found.iter().zip(expected).map(|(a, b): (&u8, u8)| a.abs_diff(b)).max();
            assert!(off.unwrap() <= 1, "{colour:?} {samples:?}: {found:?}");
        }
    }

    #[test]
    fn a_picture_that_tells_nothing_is_judged_by_its_height() {
        let of = |height| luma(None, PictureSize::new(1280, height).unwrap()).red;
        assert_eq!((of(720), of(576)), (BT709.red, BT601.red));
    }
}
