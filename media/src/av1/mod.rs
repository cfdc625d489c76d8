//! AV1 as it travels in RTMP and in CMAF: OBUs, sequence headers, configuration records.
//!
//! [`Av1Config`] turns sequence starts or in-band sequence headers into one canonical `av1C`
//! record; [`normalise`] turns one temporal unit into a sample (CM-13). Nothing here decodes a
//! picture.

mod config;
pub mod obu;
mod sequence_header;
mod temporal_unit;

pub use config::{Av1Config, Av1cError};
pub use sequence_header::{SequenceHeader, SequenceHeaderError};
pub use temporal_unit::{TemporalUnit, TemporalUnitError, normalise};

#[cfg(test)]
mod tests;
