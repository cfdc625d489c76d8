//! CMAF: tracks and access units into init headers and fragments (CMAF §7, BMFF §8).
//!
//! ```text
//! Tracks ─────────────▶ init_header ─▶ ftyp moov
//! [Sample] of one part ─▶ fragment ──▶ [styp] moof mdat
//! ```
//!
//! One track per file, track id 1, no edit lists (CM-9), 64-bit decode times (CM-7), parameter sets
//! in the sample entry only (CM-12). The writers trust their input: units come normalised from
//! [`crate::source`], sizes are capped in [`crate::hls`].

mod fragment;
mod init;
mod sample_entry;
mod writer;

pub use fragment::{Sample, fragment};
pub use init::{audio_init, video_init};
pub use sample_entry::{VideoRange, audio_codec_string, video_codec_string, video_range};

/// The only track of each of our files.
const TRACK_ID: u32 = 1;
