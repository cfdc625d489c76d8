//! The river at the bottom of the picture: three translucent layers of slow waves.
//!
//! A layer is a height for every column, made of two sines that run against each other. It is
//! blended row by row with 16-bit arithmetic, the widest that plain vector units multiply in one
//! step.

use std::f64::consts::TAU;

use super::canvas::{Ink, OPAQUE, blend};
use crate::codec::{Picture, Plane};

/// Heights are kept in 16ths of a pixel, relative to the top of the water.
const STEPS: i16 = 16;

/// One layer, in units of the layout (720 for the height of the picture).
struct Layer {
    /// Rest height below the top of the water.
    depth: f64,
    /// Of the long and of the short wave.
    amplitude: [f64; 2],
    /// Crest to crest.
    length: [f64; 2],
    /// Units a second; the sign is the direction.
    speed: [f64; 2],
    rgb: [u8; 3],
    opacity: i16,
}

/// From back to front.
const LAYERS: [Layer; 3] = [
    Layer {
        depth: 34.0,
        amplitude: [15.0, 5.0],
        length: [620.0, 230.0],
        speed: [26.0, -18.0],
        rgb: [38, 110, 150],
        opacity: 52,
    },
    Layer {
        depth: 72.0,
        amplitude: [13.0, 6.0],
        length: [480.0, 190.0],
        speed: [-40.0, 22.0],
        rgb: [24, 92, 140],
        opacity: 70,
    },
    Layer {
        depth: 112.0,
        amplitude: [12.0, 5.0],
        length: [700.0, 260.0],
        speed: [58.0, -30.0],
        rgb: [10, 50, 92],
        opacity: 92,
    },
];

/// Index of the layer things float on.
const SURFACE: usize = 1;

/// The river of one picture.
pub(super) struct Water {
    /// First row of the picture that can be wet.
    top: usize,
    scale: f64,
    inks: [Ink; LAYERS.len()],
    /// Height of each layer for each column, in [`STEPS`] below `top`.
    heights: [Vec<i16>; LAYERS.len()],
    /// Every second height of the layer being drawn.
    chroma_heights: Vec<i16>,
}

impl Water {
    /// Water from row `top` to the bottom, for pictures `width` wide; `scale` is pixels for a unit.
    pub(super) fn new(width: usize, top: usize, scale: f64) -> Self {
        Self {
            top: top & !1,
            scale,
            inks: LAYERS.map(|layer| Ink::rgb(layer.rgb[0], layer.rgb[1], layer.rgb[2])),
            heights: [(); LAYERS.len()].map(|()| vec![0; width]),
            chroma_heights: Vec::with_capacity(width / 2),
        }
    }

    /// Moves the waves to `seconds` and blends them.
    pub(super) fn draw(&mut self, picture: &mut Picture, seconds: f64) {
        for (index, layer) in LAYERS.iter().enumerate() {
            let heights = &mut self.heights[index];
            for (x, height) in heights.iter_mut().enumerate() {
                let below_top = layer.height((x as f64 + 0.5) / self.scale, seconds) * self.scale;
                *height = (below_top * f64::from(STEPS)).round() as i16;
            }
            self.chroma_heights.clear();
            self.chroma_heights.extend(heights.iter().step_by(2));
            let [luma, cb, cr] = picture.planes_mut();
            let [y, u, v] = self.inks[index].samples();
            blend_below(luma, self.top, 1, &self.heights[index], y, layer.opacity);
            blend_below(cb, self.top, 2, &self.chroma_heights, u, layer.opacity);
            blend_below(cr, self.top, 2, &self.chroma_heights, v, layer.opacity);
        }
    }

    /// Row of the surface things float on, at column `x` and time `seconds`.
    pub(super) fn surface(&self, x: f64, seconds: f64) -> f64 {
        self.top as f64 + LAYERS[SURFACE].height(x / self.scale, seconds) * self.scale
    }
}

impl Layer {
    fn height(&self, x: f64, seconds: f64) -> f64 {
        let wave = |index: usize| {
            let turns = (x - self.speed[index] * seconds) / self.length[index];
            self.amplitude[index] * (TAU * turns.fract()).sin()
        };
        self.depth + wave(0) + wave(1)
    }
}

/// Blends `value` into every sample below the height of its column. `scale` is the size of a sample
/// of this plane in pixels; `heights` has one entry for each.
fn blend_below(
    plane: &mut Plane,
    top: usize,
    scale: i16,
    heights: &[i16],
    value: u8,
    opacity: i16,
) {
    let pixels = usize::from(scale.unsigned_abs());
    let highest = heights.iter().min().copied().unwrap_or(0);
    let lowest = heights.iter().max().copied().unwrap_or(0);
    // One sample; the edge is as wide as that.
    let unit = scale * STEPS;
    for row in top / pixels..plane.height() {
        // Very tall pictures leave 16 bits far below the lowest wave, where all is water anyway.
        let steps = (row * pixels - top) * usize::from(STEPS.unsigned_abs());
        let middle = i16::try_from(steps).unwrap_or(i16::MAX).saturating_add(unit / 2);
        if middle.saturating_add(unit) < highest {
            continue;
        }
        let samples = plane.row_mut(row);
        if middle > lowest.saturating_add(unit) {
            for sample in samples {
                *sample = blend(*sample, value, opacity);
            }
            continue;
        }
        for (sample, &height) in samples.iter_mut().zip(heights) {
            let covered = (middle - height + unit / 2).clamp(0, unit) * (OPAQUE / unit);
            *sample = blend(*sample, value, (covered * opacity) >> 7);
        }
    }
}
