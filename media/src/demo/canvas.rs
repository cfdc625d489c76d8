//! Drawing on an I420 picture: masks with anti-aliased edges, and capsules (discs, lines) at
//! sub-pixel positions.
//!
//! Everything is blended at two resolutions, since chroma has half the samples in each direction.
//! Opacity has seven bits: the product with a difference of two samples then fits 16 bits, which is
//! what makes these loops cheap without any vector code. What lies outside the picture is cut off.

use crate::codec::{Picture, Plane};

/// Full opacity.
pub(super) const OPAQUE: i16 = 128;

/// A colour as BT.709 samples in video range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Ink {
    samples: [u8; 3],
}

impl Ink {
    /// From red, green and blue, 0 to 255 each (BT.709 §3.2 to §3.4).
    pub(super) fn rgb(red: u8, green: u8, blue: u8) -> Self {
        let [r, g, b] = [red, green, blue].map(|value| f32::from(value) / 255.0);
        let luma = 0.2126 * r + 0.7152 * g + 0.0722 * b;
        let sample = |value: f32| value.round().clamp(0.0, 255.0) as u8;
        Self {
            samples: [
                sample(16.0 + 219.0 * luma),
                sample(128.0 + 224.0 * (b - luma) / 1.8556),
                sample(128.0 + 224.0 * (r - luma) / 1.5748),
            ],
        }
    }

    /// Luma, Cb and Cr.
    pub(super) const fn samples(self) -> [u8; 3] {
        self.samples
    }
}

/// Coverage of a shape, at luma and at chroma resolution, 0 to [`OPAQUE`]. Width and height even.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Mask {
    width: usize,
    luma: Vec<u8>,
    chroma: Vec<u8>,
}

impl Mask {
    /// Samples `coverage` (below 0 outside, above 1 inside) at the middle of each pixel.
    pub(super) fn from_coverage(
        width: usize,
        height: usize,
        coverage: impl Fn(f32, f32) -> f32,
    ) -> Self {
        let mut luma = Vec::with_capacity(width * height);
        for y in 0..height {
            luma.extend((0..width).map(|x| {
                let covered = coverage(x as f32 + 0.5, y as f32 + 0.5).clamp(0.0, 1.0);
                (covered * f32::from(OPAQUE)) as u8
            }));
        }
        let at = |x: usize, y: usize| u16::from(luma.get(y * width + x).copied().unwrap_or(0));
        let mut chroma = Vec::with_capacity(luma.len() / 4);
        for y in (0..height).step_by(2) {
            chroma.extend((0..width).step_by(2).map(|x| {
                let sum = at(x, y) + at(x + 1, y) + at(x, y + 1) + at(x + 1, y + 1);
                (sum / 4) as u8
            }));
        }
        Self { width, luma, chroma }
    }

    /// Pixels in a row.
    pub(super) const fn width(&self) -> usize {
        self.width
    }
}

/// Where a shape is drawn, in pixels; rounded down to even numbers for masks.
pub(super) type Point = (f32, f32);

/// A line with round ends; a disc when both ends are the same point.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Capsule {
    /// One end of its axis.
    pub(super) from: Point,
    /// The other end.
    pub(super) to: Point,
    /// From the axis to the middle of the edge.
    pub(super) radius: f32,
    /// Width of the edge: 1 is crisp, more is a glow.
    pub(super) softness: f32,
}

impl Capsule {
    /// A crisp disc.
    pub(super) const fn disc(centre: Point, radius: f32) -> Self {
        Self { from: centre, to: centre, radius, softness: 1.0 }
    }

    fn coverage(&self, point: Point) -> f32 {
        let edge = segment_distance(point, self.from, self.to) - self.radius;
        let linear = (0.5 - edge / self.softness).clamp(0.0, 1.0);
        // A glow has no visible rim when its slope ends at zero on both sides.
        linear * linear * (3.0 - 2.0 * linear)
    }
}

/// Blends a mask in one colour; `opacity` 0 to [`OPAQUE`].
pub(super) fn stamp(picture: &mut Picture, mask: &Mask, at: Point, ink: Ink, opacity: i16) {
    let (left, top) = (at.0.max(0.0) as usize & !1, at.1.max(0.0) as usize & !1);
    let [luma, cb, cr] = picture.planes_mut();
    let [y, u, v] = ink.samples();
    stamp_plane(luma, &mask.luma, mask.width, (left, top), y, opacity);
    stamp_plane(cb, &mask.chroma, mask.width / 2, (left / 2, top / 2), u, opacity);
    stamp_plane(cr, &mask.chroma, mask.width / 2, (left / 2, top / 2), v, opacity);
}

fn stamp_plane(
    plane: &mut Plane,
    mask: &[u8],
    width: usize,
    (left, top): (usize, usize),
    value: u8,
    opacity: i16,
) {
    for (y, coverage) in mask.chunks_exact(width.max(1)).enumerate() {
        let row = plane.row_mut(top + y).get_mut(left..).unwrap_or_default();
        for (sample, &covered) in row.iter_mut().zip(coverage) {
            *sample = blend(*sample, value, (i16::from(covered) * opacity) >> 7);
        }
    }
}

/// Blends a capsule in one colour; `opacity` 0 to 1.
pub(super) fn draw(picture: &mut Picture, shape: &Capsule, ink: Ink, opacity: f32) {
    let [luma, cb, cr] = picture.planes_mut();
    let [y, u, v] = ink.samples();
    draw_plane(luma, 1.0, shape, y, opacity);
    draw_plane(cb, 2.0, shape, u, opacity);
    draw_plane(cr, 2.0, shape, v, opacity);
}

/// `scale` is the size of a sample of this plane in pixels.
fn draw_plane(plane: &mut Plane, scale: f32, shape: &Capsule, value: u8, opacity: f32) {
    let reach = shape.radius + shape.softness;
    let span = |a: f32, b: f32, limit: usize| {
        let first = ((a.min(b) - reach) / scale).floor().max(0.0) as usize;
        let end = ((a.max(b) + reach) / scale).ceil().max(0.0) as usize;
        first..end.min(limit)
    };
    let columns = span(shape.from.0, shape.to.0, plane.width());
    for y in span(shape.from.1, shape.to.1, plane.height()) {
        let row = plane.row_mut(y).get_mut(columns.clone()).unwrap_or_default();
        for (x, sample) in columns.clone().zip(row) {
            let centre = ((x as f32 + 0.5) * scale, (y as f32 + 0.5) * scale);
            let covered = shape.coverage(centre) * opacity;
            *sample = blend(*sample, value, (covered * f32::from(OPAQUE)) as i16);
        }
    }
}

/// `under` moved towards `over` by `opacity` 128ths.
pub(super) const fn blend(under: u8, over: u8, opacity: i16) -> u8 {
    let difference = over as i16 - under as i16;
    (under as i16 + ((difference * opacity + OPAQUE / 2) >> 7)) as u8
}

/// Distance from a point to a segment.
pub(super) fn segment_distance(point: Point, from: Point, to: Point) -> f32 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (px, py) = (point.0 - from.0, point.1 - from.1);
    let square = dx * dx + dy * dy;
    let along = if square > 0.0 { ((px * dx + py * dy) / square).clamp(0.0, 1.0) } else { 0.0 };
    let (ex, ey) = (px - along * dx, py - along * dy);
    (ex * ex + ey * ey).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::PictureSize;

    #[test]
    fn blending_reaches_both_ends() {
        for under in 0..=255 {
            for over in [0, 1, 127, 128, 254, 255] {
                assert_eq!(blend(under, over, 0), under);
                assert_eq!(blend(under, over, OPAQUE), over);
            }
        }
    }

    #[test]
    fn inks_are_bt709_video_range() {
        for (rgb, samples) in [
            ([0, 0, 0], [16, 128, 128]),
            ([255, 255, 255], [235, 128, 128]),
            ([255, 0, 0], [63, 102, 240]),
            ([0, 0, 255], [32, 240, 118]),
        ] {
            assert_eq!(Ink::rgb(rgb[0], rgb[1], rgb[2]).samples(), samples);
        }
    }

    #[test]
    fn shapes_are_cut_off_at_the_border() {
        let mut picture = Picture::black(PictureSize::new(64, 64).unwrap());
        let white = Ink::rgb(255, 255, 255);
        for centre in [(-3.0, -3.0), (70.0, 10.0), (1e9, 1e9), (-1e9, 5.0), (64.0, 64.0)] {
            draw(&mut picture, &Capsule::disc(centre, 9.0), white, 1.0);
            stamp(&mut picture, &Mask::from_coverage(20, 20, |_, _| 1.0), centre, white, OPAQUE);
        }
        assert_eq!(picture.luma().row(0)[0], 235);
        assert_eq!(picture.luma().row(63)[63], 235);
        assert_eq!(picture.luma().row(40)[30], 16);
    }
}
