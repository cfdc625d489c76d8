//! The background: a dark gradient that stands still, in colours that wander.
//!
//! Brightness is computed once, so that an encoder has nothing to code there between sync pictures;
//! the eye takes slow changes of colour for movement of the whole.

use std::f64::consts::TAU;

use super::canvas::Ink;
use crate::codec::{Picture, PictureSize, Plane};

/// Luma at the top of the picture and at the horizon.
const LUMA: (f32, f32) = (24.0, 50.0);
/// Row of the horizon, of the picture's height.
const HORIZON: f32 = 0.78;
/// How much darker the corners are, in luma.
const VIGNETTE: f32 = 9.0;
/// Fixed-point one of the colour weights.
const ONE: i32 = 1 << 14;
/// The two colours between which every point wanders, as bright as the brightest sky.
const RGB: [[u8; 3]; 2] = [[12, 44, 74], [58, 30, 84]];

/// The unmoving luma, and room for the weights of a picture's colours.
pub(super) struct Sky {
    luma: Plane,
    columns: Vec<i32>,
}

impl Sky {
    /// A sky for pictures of one size.
    pub(super) fn new(size: PictureSize) -> Self {
        let mut picture = Picture::black(size);
        let (width, height) = (size.width() as f32, size.height() as f32);
        let [luma, _, _] = picture.planes_mut();
        for y in 0..luma.height() {
            let down = (y as f32 + 0.5) / height;
            let rise = (down / HORIZON).min(1.0);
            for (x, sample) in luma.row_mut(y).iter_mut().enumerate() {
                let (dx, dy) = ((x as f32 + 0.5) / width - 0.5, down - 0.5);
                let value = LUMA.0 + (LUMA.1 - LUMA.0) * rise * rise
                    - VIGNETTE * 2.0 * (dx * dx + dy * dy * 0.6);
                *sample = (value + dither(x, y)).clamp(16.0, 235.0) as u8;
            }
        }
        let luma = picture.luma().clone();
        Self { luma, columns: vec![0; size.width() as usize / 2] }
    }

    /// Covers the whole picture with the sky as it is at `seconds`.
    pub(super) fn draw(&mut self, picture: &mut Picture, seconds: f64) {
        let [luma, cb, cr] = picture.planes_mut();
        for y in 0..luma.height() {
            luma.row_mut(y).copy_from_slice(self.luma.row(y));
        }
        let wave = |along: f64, turns: f64, period: f64| {
            let angle = TAU * (along * turns + (seconds / period).fract());
            ((0.25 + 0.25 * angle.sin()) * f64::from(ONE)) as i32
        };
        let (width, height) = (self.columns.len() as f64, cb.height() as f64);
        for (x, weight) in self.columns.iter_mut().enumerate() {
            *weight = wave(x as f64 / width, 0.55, 41.0);
        }
        let [from, to] = RGB.map(|[r, g, b]| Ink::rgb(r, g, b).samples());
        for y in 0..cb.height() {
            let row = wave(y as f64 / height, 0.4, -29.0);
            for (plane, index) in [(&mut *cb, 1), (&mut *cr, 2)] {
                let start = i32::from(from[index]) * ONE + ONE / 2;
                let span = i32::from(to[index]) - i32::from(from[index]);
                for (sample, column) in plane.row_mut(y).iter_mut().zip(&self.columns) {
                    *sample = ((start + span * (row + column)) / ONE) as u8;
                }
            }
        }
    }
}

/// An ordered pattern of thresholds (Bayer, 4x4), which hides the steps of the gradient.
fn dither(x: usize, y: usize) -> f32 {
    const THRESHOLDS: [[u8; 4]; 4] = [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]];
    (f32::from(THRESHOLDS[y % 4][x % 4]) + 0.5) / 16.0
}
