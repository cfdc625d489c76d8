//! Opus as it travels in RTMP and in CMAF: identification headers, packet durations, silence.
//!
//! [`OpusConfig`] turns the header of RFC 7845 §5.1 into the `dOps` box; [`packet_samples`] reads
//! how long a packet lasts from its first bytes (RFC 6716 §3.1). Nothing here decodes sound.

mod config;
mod packet;

pub use config::{OpusConfig, OpusHeadError};
pub use packet::{SILENT_SAMPLES, packet_samples, silent_packet};

/// Samples per second of every Opus stream: packets are timed at this rate whatever was encoded.
pub const SAMPLE_RATE: u32 = 48_000;
