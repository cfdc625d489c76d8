//! AAC as it travels in RTMP and in CMAF: configuration, ADTS, silence.
//!
//! Nothing here decodes sound. Audio object types other than LC, SBR and PS over LC are refused:
//! no browser plays them.

pub mod adts;
mod bit_writer;
mod config;
mod silence;

pub use config::{AscError, AudioSpecificConfig};
pub use silence::silent_access_unit;

#[cfg(test)]
mod tests;
