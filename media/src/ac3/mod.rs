//! AC-3 and E-AC-3 sync frames to `dac3` and `dec3` (AC3 §4.3, §E.1.2, Annex F).
//!
//! ```text
//! AC-3:   0B77 | crc(16) | rate(2) size(6) | id(5) mode(3) | channels(3) mix levels(0, 2 or 4)
//! LFE(1) E-AC-3: 0B77 | type(2) substream(3) size(11) | rate(2) blocks(2) channels(3) LFE(1) |
//! id(5) …
//! ```
//!
//! A sample holds 1536 samples of sound: one frame of AC-3, one to six of E-AC-3. Dependent and
//! further independent substreams of E-AC-3 (7.1 channels, several programmes) are refused.

mod frame;

pub use frame::{Ac3Config, FrameError, units};

#[cfg(test)]
mod tests;
