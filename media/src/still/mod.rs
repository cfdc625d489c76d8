//! Stills of a broadcast: a thumbnail as JPEG, a moving preview as GIF.
//!
//! ```text
//! decoded pictures ─▶ StillCollector ─▶ StillJob ─▶ Stills
//!                     copies, small                 finished files
//! ```
//!
//! Every twenty seconds the collector takes one picture for the thumbnail and a second's worth for
//! the preview, each scaled at once. Encoding is a step of its own, which any thread may run. Only
//! whole decoded pictures go in and only finished files come out (TP-4).

mod collector;
mod colour;
mod gif;
mod jpeg;

use bytes::Bytes;
use thiserror::Error;

use crate::codec::Picture;
use crate::picture::Colour;
use colour::Conversion;

pub use collector::StillCollector;

/// The files of one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stills {
    /// A JPEG of one picture, at most 1280 pixels wide or high.
    pub thumbnail: Bytes,
    /// A GIF of one second at 8 pictures a second, for ever from its beginning, at most 480 pixels
    /// wide or high.
    pub preview: Bytes,
}

/// Pictures of which stills are to be made.
#[derive(Debug)]
pub struct StillJob {
    thumbnail: Picture,
    preview: Vec<PreviewPicture>,
    colour: Option<Colour>,
}

#[derive(Debug)]
struct PreviewPicture {
    /// When it is shown, in ticks of 90 kHz from the beginning of the preview.
    at: u32,
    picture: Picture,
}

/// A bug of ours or of an image crate: sizes and memory are what the formats allow.
#[derive(Debug, Error)]
pub enum StillError {
    /// The thumbnail.
    #[error("the thumbnail could not be written: {0}")]
    Jpeg(#[from] jpeg_encoder::EncodingError),
    /// The preview.
    #[error("the preview could not be written: {0}")]
    Gif(#[from] ::gif::EncodingError),
}

impl StillJob {
    /// Encodes both files: some tens of milliseconds.
    pub fn encode(self) -> Result<Stills, StillError> {
        let to_jpeg = Conversion::to_jpeg(self.colour, self.thumbnail.size());
        let to_rgb = Conversion::to_rgb(self.colour, self.thumbnail.size());
        Ok(Stills {
            thumbnail: jpeg::encode(&self.thumbnail, &to_jpeg)?.into(),
            preview: gif::encode(&self.preview, &to_rgb)?.into(),
        })
    }
}

#[cfg(test)]
mod tests;
