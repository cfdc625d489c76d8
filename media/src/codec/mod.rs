//! The codecs: pictures to H.264 access units and back and to AV1 temporal units, PCM blocks to AAC
//! access units and back.
//!
//! ```text
//! PictureView ─▶ H264Encoder ─▶ EncodedPicture (NAL units, parameter sets kept apart)
//! access unit ─▶ H264Decoder ─▶ PictureView with its presentation time, in display order
//! PictureView ─▶ Av1Encoder  ─▶ EncodedUnit (OBUs), some pictures later
//! [i16]       ─▶ AacEncoder  ─▶ raw AAC access unit
//! access unit ─▶ AacDecoder  ─▶ Pcm: interleaved samples and their speakers
//! ```
//!
//! The C libraries (openh264, fdk-aac) are called only in `codec/ffi`, the one place of the project
//! with
//! `unsafe`. Everything above it checks its arguments, so that the libraries never see a size, rate
//! or length they were not made for, and turns their error numbers into sentences.
//!
//! The shell decides on which threads codecs run. Only rav1e, which is Rust and needs no bindings,
//! has threads of its own; they belong to the thread that encodes.

mod aac;
mod aac_decoder;
mod av1;
mod cpu_usage;
mod ffi;
mod h264;
mod h264_decoder;
#[cfg(test)]
pub(crate) mod judge;
mod picture;
mod rate;
#[cfg(test)]
mod rate_tests;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod texture;
mod tuning;
mod view;

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use h264_decoder::fuzzing;

pub use aac::{AacEncoder, AacEncoderConfig, AacEncoderError};
pub use aac_decoder::{AacDecoder, AacDecoderError, Pcm, Speaker};
pub use av1::{Av1Encoder, Av1EncoderConfig, Av1EncoderError, EncodedUnit, PICTURES_INSIDE_MAX};
pub use cpu_usage::CpuUsage;
pub use h264::{EncodedPicture, H264Encoder, H264EncoderConfig, H264EncoderError};
pub use h264_decoder::{
    DecodedPicture, DecoderCounts, H264Decoder, H264DecoderError, UNIT_BYTES_MAX, Undecodable,
};
pub use picture::{Picture, PictureSize, PictureSizeError, Plane};
pub use tuning::{Complexity, RateControl, Tuning};
pub use view::{PictureView, PlaneView};
