//! HEVC as it travels in RTMP and in CMAF: NAL units, parameter sets, configuration records.
//!
//! [`HevcConfig`] turns sequence headers or in-band parameter sets into the one canonical `hvcC`
//! record; [`normalise`] turns payloads of any framing into samples with four-byte lengths. What
//! HEVC shares with H.264 (length fields, start codes, Exp-Golomb codes) comes from
//! [`crate::h264`]. Nothing here decodes a picture.

mod access_unit;
mod hvcc;
pub mod nal;
mod profile;
pub mod sps;
pub mod vui;

pub use access_unit::{CodedPicture, normalise};
pub use hvcc::{HevcConfig, HvccError, ParameterSets};
pub use profile::ProfileTierLevel;
pub use sps::{Sps, SpsError};

#[cfg(test)]
mod tests;
