//! Pictures for the tests of encoders: something to predict, something that cannot be predicted.

use super::{Picture, PictureSize};

/// How a texture looks.
#[derive(Clone, Copy)]
pub(super) struct Texture {
    /// Darkest sample.
    pub(super) base: u64,
    /// Of the pattern, in percent.
    pub(super) contrast: usize,
    /// Height of the noise on it.
    pub(super) noise: u64,
}

/// A texture that moves under noise; the same picture for the same step.
pub(super) fn moving_texture(size: PictureSize, step: usize, texture: Texture) -> Picture {
    let Texture { base, contrast, noise } = texture;
    let mut picture = Picture::black(size);
    let mut state = step as u64 + 1;
    for plane in picture.planes_mut() {
        for y in 0..plane.height() {
            for (x, sample) in plane.row_mut(y).iter_mut().enumerate() {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let (x, y) = (x + 2 * step, y + step);
                let pattern = (((x * 7) ^ (y * 5)) % 90 + x / 2 % 60) * contrast / 100;
                *sample = (base + pattern as u64 + state % (noise + 1)) as u8;
            }
        }
    }
    picture
}
