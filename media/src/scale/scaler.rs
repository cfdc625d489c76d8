//! Pictures of one size to pictures of another.

use super::plane::PlaneScaler;
use super::weights::Siting;
use crate::codec::{Picture, PictureSize, PictureView};

/// Scales pictures from one size to another, up or down and each side by its own ratio: what it
/// makes has square pixels if the target size says so.
#[derive(Debug)]
pub struct Scaler {
    source: PictureSize,
    target: PictureSize,
    luma: PlaneScaler,
    chroma: PlaneScaler,
}

impl Scaler {
    /// A scaler from `source` to `target`.
    pub fn new(source: PictureSize, target: PictureSize) -> Self {
        let luma = |size: PictureSize| (size.width() as usize, size.height() as usize);
        let chroma = |size: PictureSize| (size.width() as usize / 2, size.height() as usize / 2);
        Self {
            source,
            target,
            luma: PlaneScaler::new(luma(source), luma(target), Siting::Centred),
            chroma: PlaneScaler::new(chroma(source), chroma(target), Siting::First),
        }
    }

    /// Fills `target` from `source`. When one of them changed its size, the tables are made anew.
    pub fn scale(&mut self, source: PictureView<'_>, target: &mut Picture) {
        if (source.size(), target.size()) != (self.source, self.target) {
            *self = Self::new(source.size(), target.size());
        }
        let [luma, cb, cr] = target.planes_mut();
        self.luma.scale(source.luma(), luma);
        self.chroma.scale(source.cb(), cb);
        self.chroma.scale(source.cr(), cr);
    }

    /// Size of what it reads.
    pub const fn source(&self) -> PictureSize {
        self.source
    }
}

#[cfg(test)]
mod tests;
