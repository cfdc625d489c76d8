//! H.264 as it travels in RTMP and in CMAF: NAL units, parameter sets, configuration records.
//!
//! [`AvcConfig`] turns sequence headers or in-band parameter sets into the one canonical `avcC`
//! record; [`normalise`] turns payloads of any framing into samples with four-byte lengths.
//! Nothing here decodes a picture.

mod access_unit;
mod avcc;
pub mod nal;
pub mod pps;
pub mod sps;
pub mod vui;

pub use access_unit::{CodedPicture, normalise};
pub use avcc::{AvcConfig, AvccError, ParameterSets, looks_like_hevc_record};
pub use sps::{Sps, SpsError};

pub use crate::picture::Colour;

#[cfg(test)]
mod tests;
