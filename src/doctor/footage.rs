//! Pictures to measure codecs with: a cloudy texture that drifts, a frame in the middle that drifts
//! against it, and film grain. Smooth areas, detail, motion in two directions and noise: about the
//! work of camera pictures, where the demo's scene would flatter the encoder.

use riverrun_media::codec::{Picture, PictureSize, Plane};

/// Pixels that the texture is larger than the picture, in each direction; it drifts back and forth
/// within them.
const MARGIN: usize = 128;
/// Edge of a cell in luma pixels and height of the bumps: from clouds to detail.
const OCTAVES: [(usize, f32); 4] = [(160, 60.0), (40, 30.0), (12, 16.0), (4, 7.0)];
/// Luma pixels that the background moves with each picture, to the side and down; even, so that
/// chroma moves by whole samples.
const DRIFT: (usize, usize) = (4, 2);
/// Values of the grain.
const GRAIN: [i8; 8] = [-2, -1, -1, 0, 0, 1, 1, 2];
/// Seed of everything: each run draws the same.
const SEED: u32 = 0x2545_f491;

/// An endless moving picture of one size.
pub(super) struct Footage {
    picture: Picture,
    /// Luma, Cb, Cr.
    textures: [Texture; 3],
    /// Longer than a row by what a row may begin at.
    grain: Vec<i8>,
    random: Random,
    shown: usize,
}

impl Footage {
    /// Prepares the texture.
    pub(super) fn new(size: PictureSize) -> Self {
        let mut random = Random(SEED);
        let (width, height) = (size.width() as usize, size.height() as usize);
        let mut chroma = || Texture::new((width, height), 2, 0.4, &mut random);
        let [cb, cr] = [chroma(), chroma()];
        let luma = Texture::new((width, height), 1, 1.0, &mut random);
        let grain = (0..2 * width).map(|_| GRAIN[random.below(GRAIN.len())]).collect();
        let (textures, picture) = ([luma, cb, cr], Picture::black(size));
        Self { picture, textures, grain, random, shown: 0 }
    }

    /// The next picture.
    pub(super) fn next(&mut self) -> &Picture {
        let at = (swing(self.shown * DRIFT.0), swing(self.shown * DRIFT.1));
        let against = (MARGIN - at.0, MARGIN - at.1);
        for (plane, texture) in self.picture.planes_mut().into_iter().zip(&self.textures) {
            texture.draw(plane, at, against);
        }
        let [luma, ..] = self.picture.planes_mut();
        for y in 0..luma.height() {
            let row = luma.row_mut(y);
            let begin = self.random.below(row.len());
            for (sample, grain) in row.iter_mut().zip(self.grain.iter().skip(begin)) {
                *sample = sample.saturating_add_signed(*grain);
            }
        }
        self.shown += 1;
        &self.picture
    }
}

/// Back and forth within the margin.
const fn swing(way: usize) -> usize {
    let place = way % (2 * MARGIN);
    if place < MARGIN { place } else { 2 * MARGIN - place }
}

/// One plane's samples, larger than the plane by the margin.
struct Texture {
    samples: Vec<u8>,
    stride: usize,
    /// Luma pixels for each sample.
    step: usize,
}

impl Texture {
    fn new(picture: (usize, usize), step: usize, contrast: f32, random: &mut Random) -> Self {
        let (width, height) = ((picture.0 + MARGIN) / step, (picture.1 + MARGIN) / step);
        let mut heights = vec![128.0_f32; width * height];
        for (cell, bump) in OCTAVES {
            let cell = cell / step;
            let columns = width / cell + 2;
            let lattice: Vec<f32> = (0..columns * (height / cell + 2))
                .map(|_| (random.unit() - 0.5) * bump * contrast)
                .collect();
            for (y, row) in heights.chunks_mut(width).enumerate() {
                let upper = lattice.get(y / cell * columns..).unwrap_or_default();
                let lower = upper.get(columns..).unwrap_or_default();
                let down = (y % cell) as f32 / cell as f32;
                let ends = upper.iter().zip(lower).take(columns);
                let edges: Vec<f32> = ends.map(|(a, b)| a + (b - a) * down).collect();
                for (samples, ends) in row.chunks_mut(cell).zip(edges.windows(2)) {
                    let rise = (ends[1] - ends[0]) / cell as f32;
                    for (x, sample) in samples.iter_mut().enumerate() {
                        *sample += ends[0] + rise * x as f32;
                    }
                }
            }
        }
        let samples = heights.iter().map(|height| height.clamp(20.0, 230.0) as u8).collect();
        Self { samples, stride: width, step }
    }

    /// Fills a plane from the luma position `at`, and its middle from `against`.
    fn draw(&self, plane: &mut Plane, at: (usize, usize), against: (usize, usize)) {
        let (width, height) = (plane.width(), plane.height());
        let middle = (width / 4, width - width / 4);
        for y in 0..height {
            let row = plane.row_mut(y);
            row.copy_from_slice(self.row(y, at, 0..width));
            if (height / 4..height - height / 4).contains(&y) {
                row[middle.0..middle.1].copy_from_slice(self.row(y, against, middle.0..middle.1));
            }
        }
    }

    fn row(&self, y: usize, at: (usize, usize), columns: std::ops::Range<usize>) -> &[u8] {
        let start = (y + at.1 / self.step) * self.stride + at.0 / self.step;
        &self.samples[start + columns.start..start + columns.end]
    }
}

/// Xorshift (Marsaglia 2003), which is random enough for clouds.
struct Random(u32);

impl Random {
    const fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    const fn below(&mut self, end: usize) -> usize {
        self.next() as usize % end
    }

    /// 0 to 1.
    fn unit(&mut self) -> f32 {
        self.next() as f32 / u32::MAX as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_have_detail_everywhere_and_move() {
        for (width, height) in [(16, 16), (98, 54), (320, 180)] {
            let mut footage = Footage::new(PictureSize::new(width, height).unwrap());
            let first = footage.next().clone();
            let rows = first.luma();
            for y in 0..rows.height() {
                let (least, most) = (rows.row(y).iter().min(), rows.row(y).iter().max());
                assert_ne!(least, most, "row {y} of {width}x{height} is plain");
            }
            // Past a whole swing, and each picture is another.
            for n in 1..2 * MARGIN {
                let next = footage.next();
                assert_ne!(next.luma(), first.luma(), "picture {n} of {width}x{height}");
            }
        }
    }

    #[test]
    fn each_run_draws_the_same() {
        let size = PictureSize::new(64, 48).unwrap();
        let (mut left, mut right) = (Footage::new(size), Footage::new(size));
        for _ in 0..3 {
            assert_eq!(left.next(), right.next());
        }
    }
}
