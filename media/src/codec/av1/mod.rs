//! Pictures to AV1 temporal units: Main profile, 8 bits, no reordering, rav1e at its fastest (AV1
//! §5, Annex A; EN-2).
//!
//! ```text
//! picture ─▶ rav1e, which looks PICTURES_INSIDE_MAX ahead ─▶ temporal unit without delimiter
//! ```
//!
//! Every picture in gives exactly one unit out, in the same order, but later: what comes out of a
//! call is the picture of some calls before, and [`Av1Encoder::flush`] brings the rest. Key frames
//! come where they are forced, and after a flush; nowhere else. The sequence header is known when
//! the encoder is made and stays the same for its life (CM-13).
//!
//! rav1e has threads of its own, as many as [`Av1EncoderConfig::threads`]. They begin with the
//! first picture, on the thread that hands it in, whose cores and priority they inherit; that
//! thread sleeps while they work.

mod colour;
mod context;
mod frames;
mod level;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use rav1e::prelude::{EncoderStatus, InvalidConfig};
use thiserror::Error;

use self::context::Context;
use super::picture::{Picture, PictureSize};
use super::view::PictureView;
use crate::av1::{Av1Config, Av1cError, TemporalUnitError, normalise};
use crate::picture::Colour;

/// Slowest frame rate, in pictures per 1000 s.
const FRAME_RATE_MILLIS_MIN: u32 = 1_000;
/// Fastest frame rate, in pictures per 1000 s: that of the other encoder.
const FRAME_RATE_MILLIS_MAX: u32 = 60_000;
/// Least bit rate in bit/s.
const BITRATE_MIN: u32 = 10_000;
/// Greatest bit rate in bit/s: level 5.0 in the main tier (AV1 §A.3).
const BITRATE_MAX: u32 = 30_000_000;
/// Pictures that are inside before the first unit comes out, and from then on: rav1e 0.8 wants
/// three more than it places, and one more to look ahead.
pub const PICTURES_INSIDE_MAX: usize = 4;
/// A context is followed by a fresh one at the next forced key frame after so many pictures: rav1e
/// remembers every key frame and walks over all of them with each picture. An hour of 30 a second.
const CONTEXT_PICTURES_MAX: u64 = 108_000;

/// What to encode, and into how many bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Av1EncoderConfig {
    /// Size of every picture.
    pub size: PictureSize,
    /// Pictures per second times 1000, 1000 to 60000.
    pub frame_rate_millis: u32,
    /// Target in bit/s, 10 kbit/s to 30 Mbit/s.
    pub bitrate: u32,
    /// Threads and tiles, 1 to [`Self::THREADS_MAX`]; a power of two.
    pub threads: usize,
    /// What the sample values mean; written to the sequence header (AV1 §6.4.2).
    pub colour: Colour,
}

impl Av1EncoderConfig {
    /// Most threads: with more, tiles of the sizes that are encoded here get too small to predict
    /// from.
    pub const THREADS_MAX: usize = 4;
}

/// One coded picture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EncodedUnit {
    /// OBUs with sizes: a sample of an `av01` track (AV1-FF §2.4).
    pub payload: Bytes,
    /// Decoding can start here: a key frame, behind its sequence header.
    pub sync: bool,
}

/// Why an AV1 encoder could not be made or gave up. All are faults of ours or of the configuration,
/// never of a publisher.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Av1EncoderError {
    /// Frame rate outside the encoder's range.
    #[error(
        "frame rate of {0}/1000 per second is outside {FRAME_RATE_MILLIS_MIN} to \
         {FRAME_RATE_MILLIS_MAX}"
    )]
    FrameRate(u32),
    /// Bit rate outside the encoder's range.
    #[error("bit rate of {0} bit/s is outside {BITRATE_MIN} to {BITRATE_MAX}")]
    Bitrate(u32),
    /// Threads that tiles cannot be made for.
    #[error("{0} threads; 1, 2 and {max} are possible", max = Av1EncoderConfig::THREADS_MAX)]
    Threads(usize),
    /// A picture of another size than configured.
    #[error("picture is {seen:?}, the encoder was made for {expected:?}")]
    Size {
        /// Size of the picture handed in.
        seen: PictureSize,
        /// Size of the configuration.
        expected: PictureSize,
    },
    /// The library does not take the configuration.
    #[error("rav1e refuses its configuration: {0}")]
    Configuration(#[from] InvalidConfig),
    /// The library refused a call. The encoder is of no further use.
    #[error("rav1e failed: {0}")]
    Library(#[from] EncoderStatus),
    /// What the library wrote is not understood.
    #[error("rav1e wrote a temporal unit that is damaged: {0}")]
    TemporalUnit(#[from] TemporalUnitError),
    /// The sequence header is not understood.
    #[error("rav1e wrote a sequence header that is damaged: {0}")]
    SequenceHeader(#[from] Av1cError),
    /// The first unit has no sequence header.
    #[error("rav1e began without a sequence header")]
    NoSequenceHeader,
    /// A sequence header differs from the one announced.
    #[error("rav1e changed its sequence header")]
    SequenceHeaderChanged,
    /// A call after an error.
    #[error("the encoder failed before and has to be made anew")]
    Failed,
}

/// An AV1 encoder for pictures of one size.
pub struct Av1Encoder {
    config: Av1EncoderConfig,
    sequence: Av1Config,
    /// Made with the first picture, see the module's text.
    context: Option<Context>,
    /// The bit rate is another one since the context was made.
    rate_changed: bool,
    failed: bool,
}

impl Av1Encoder {
    /// Checks the configuration and learns the sequence header.
    pub fn new(config: Av1EncoderConfig) -> Result<Self, Av1EncoderError> {
        if !(FRAME_RATE_MILLIS_MIN..=FRAME_RATE_MILLIS_MAX).contains(&config.frame_rate_millis) {
            return Err(Av1EncoderError::FrameRate(config.frame_rate_millis));
        }
        check_bitrate(config.bitrate)?;
        let threads = config.threads;
        if !threads.is_power_of_two() || threads > Av1EncoderConfig::THREADS_MAX {
            return Err(Av1EncoderError::Threads(threads));
        }
        let sequence = learn_sequence(&config)?;
        Ok(Self { config, sequence, context: None, rate_changed: false, failed: false })
    }

    /// Changes the target in bit/s, from the next forced key frame on.
    pub fn set_bitrate(&mut self, bitrate: u32) -> Result<(), Av1EncoderError> {
        check_bitrate(bitrate)?;
        self.rate_changed |= bitrate != self.config.bitrate;
        self.config.bitrate = bitrate;
        Ok(())
    }

    /// Encodes the next picture of the frame grid; a key frame if `force_sync`. `out` gets the
    /// units that are done, oldest first.
    pub fn encode<'a>(
        &mut self,
        picture: impl Into<PictureView<'a>>,
        force_sync: bool,
        out: &mut dyn FnMut(EncodedUnit),
    ) -> Result<(), Av1EncoderError> {
        let picture = picture.into();
        if self.failed {
            return Err(Av1EncoderError::Failed);
        }
        if picture.size() != self.config.size {
            let (seen, expected) = (picture.size(), self.config.size);
            return Err(Av1EncoderError::Size { seen, expected });
        }
        let encoded = self.encode_checked(picture, force_sync, out);
        self.failed = encoded.is_err();
        encoded
    }

    /// Brings out what is inside. The next picture is a key frame.
    pub fn flush(&mut self, out: &mut dyn FnMut(EncodedUnit)) -> Result<(), Av1EncoderError> {
        if self.failed {
            return Err(Av1EncoderError::Failed);
        }
        let flushed = self.finish_context(out);
        self.failed = flushed.is_err();
        flushed
    }

    fn encode_checked(
        &mut self,
        picture: PictureView<'_>,
        force_sync: bool,
        out: &mut dyn FnMut(EncodedUnit),
    ) -> Result<(), Av1EncoderError> {
        let old = |context: &Context| context.pictures() >= CONTEXT_PICTURES_MAX;
        if force_sync && (self.rate_changed || self.context.as_ref().is_some_and(old)) {
            self.finish_context(out)?;
        }
        let context = match &mut self.context {
            Some(context) => context,
            none => {
                self.rate_changed = false;
                none.insert(Context::new(&self.config, self.config.threads)?)
            }
        };
        context.send(picture, force_sync)?;
        while let Some(packet) = context.receive()? {
            out(unit_of(packet, &self.sequence)?);
        }
        Ok(())
    }

    fn finish_context(&mut self, out: &mut dyn FnMut(EncodedUnit)) -> Result<(), Av1EncoderError> {
        let Some(mut context) = self.context.take() else { return Ok(()) };
        context.end();
        while let Some(packet) = context.receive()? {
            out(unit_of(packet, &self.sequence)?);
        }
        Ok(())
    }

    /// The sequence header, as the decoder configuration of its track.
    pub const fn sequence(&self) -> &Av1Config {
        &self.sequence
    }

    /// The configuration it works with; its bit rate is the one set last.
    pub const fn config(&self) -> &Av1EncoderConfig {
        &self.config
    }
}

const fn check_bitrate(bitrate: u32) -> Result<(), Av1EncoderError> {
    if bitrate < BITRATE_MIN || bitrate > BITRATE_MAX {
        return Err(Av1EncoderError::Bitrate(bitrate));
    }
    Ok(())
}

/// rav1e tells its sequence header with the first key frame only: one black picture, on one thread.
fn learn_sequence(config: &Av1EncoderConfig) -> Result<Av1Config, Av1EncoderError> {
    let mut context = Context::new(config, 1)?;
    context.send(Picture::black(config.size).view(), true)?;
    context.end();
    let packet = context.receive()?.ok_or(Av1EncoderError::NoSequenceHeader)?;
    Av1Config::from_obus(&packet)?.ok_or(Av1EncoderError::NoSequenceHeader)
}

fn unit_of(packet: Bytes, sequence: &Av1Config) -> Result<EncodedUnit, Av1EncoderError> {
    let unit = normalise(&packet, Some(sequence))?;
    if unit.sequence_header.is_some_and(|header| header != sequence.config_obus()) {
        return Err(Av1EncoderError::SequenceHeaderChanged);
    }
    Ok(EncodedUnit { payload: unit.payload, sync: unit.sync })
}
