//! The codecs: pictures to H.264 access units and back, PCM blocks to AAC access units and back.
//!
//! ```text
//! Picture ─▶ H264Encoder ─▶ EncodedPicture (NAL units, parameter sets kept apart)
//! [i16]   ─▶ AacEncoder  ─▶ raw AAC access unit
//! raw AAC access unit ─▶ AacDecoder ─▶ Pcm
//! ```
//!
//! The C libraries (openh264, fdk-aac) are called only in `codec/ffi`, the one place of the project
//! with
//! `unsafe`. Everything above it checks its arguments, so that the libraries never see a size, rate
//! or length they were not made for, and turns their error numbers into sentences.
//!
//! Nothing here starts a thread: the shell runs each codec on a thread of its own.

mod aac;
mod aac_decoder;
mod ffi;
mod h264;
#[cfg(test)]
pub(crate) mod judge;
mod picture;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use aac::{AacEncoder, AacEncoderConfig, AacEncoderError};
pub use aac_decoder::{AacDecoder, AacDecoderError, Pcm, Speaker};
pub use h264::{EncodedPicture, H264Encoder, H264EncoderConfig, H264EncoderError};
pub use picture::{Picture, PictureSize, PictureSizeError, Plane};
