//! Sound that every player takes: a broadcast's audio track as it is, or decoded, mixed, resampled
//! and coded anew.
//!
//! ```text
//! AccessUnit ─▶ Line ─▶ AacDecoder ─▶ Downmix ─▶ Resampler ─▶ AacEncoder ─▶ AccessUnit
//!               place                 stereo     44.1 or 48 kHz             same media time
//! ```
//!
//! [`Need::of`] decides, [`SoundTranscoder`] does it. The output keeps the input's media times:
//! what is heard at a time in the source is heard at that time in the output, whatever the codecs
//! hold back (AL-2, CM-11).

mod decision;
mod downmix;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod line;
mod resampler;
#[cfg(test)]
mod tests;
mod transcoder;
mod writer;

pub use decision::Need;
pub use transcoder::{Counters, SoundConfig, SoundError, SoundTranscoder};
