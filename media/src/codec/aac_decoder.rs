//! AAC to PCM: raw access units of AAC-LC and HE-AAC to interleaved 16-bit samples (AAC §4).
//!
//! Every unit that goes in is answered by a block of the same length in time, in step: the limiter
//! is off, and lost units are concealed without looking ahead. A damaged unit becomes a guess of
//! the library (noise of the same shape that fades out when more are lost), never an error: a
//! broadcast goes on.
//!
//! SBR plays 962 output samples late, in this decoder as in those of browsers and ffmpeg. Encoders
//! count that in when they stamp their units, so it is left as it is.

use thiserror::Error;

use super::ffi::CallFailed;
use super::ffi::fdk_aac_decoder::{Block, CHANNELS_MAX, Decoder};
use crate::aac::AudioSpecificConfig;

/// Largest access unit in bytes: 6144 bits for each of eight channels (AAC §4.5.3). A longer one is
/// damaged, and the library does not see it.
const UNIT_BYTES_MAX: usize = 6_144 / 8 * CHANNELS_MAX;

/// Where a channel plays, as far as a mix to stereo needs to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Speaker {
    /// Front left, and nothing else: the main pair.
    Left,
    /// Front right.
    Right,
    /// Front centre, and the only channel of mono.
    Centre,
    /// Any further channel on the left: side, back, or a second front pair.
    LeftSurround,
    /// Any further channel on the right.
    RightSurround,
    /// One channel behind the listener.
    CentreSurround,
    /// Low frequency effects.
    LowFrequency,
}

/// One decoded unit.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Pcm<'a> {
    /// Samples per second. Twice that of the configuration when SBR comes without being announced.
    pub sample_rate: u32,
    /// The speakers of the channels in the order of a WAVE file, 1 to 8.
    pub speakers: &'a [Speaker],
    /// Interleaved samples, as many as [`Self::frames`] times the channels.
    pub samples: &'a [i16],
    /// The unit was damaged and the samples are a guess.
    pub concealed: bool,
}

impl Pcm<'_> {
    /// Samples per channel.
    pub const fn frames(&self) -> usize {
        match self.speakers.len() {
            0 => 0,
            channels => self.samples.len() / channels,
        }
    }
}

/// Why there is no decoder for a configuration.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum AacDecoderError {
    /// More channels than the library has room for.
    #[error("{0} channels; at most {CHANNELS_MAX} can be decoded")]
    Channels(u8),
    /// The library refused the configuration.
    #[error("fdk-aac {call} failed with 0x{code:04X}")]
    Library {
        /// Name of the call.
        call: &'static str,
        /// What it returned (AAC_DECODER_ERROR).
        code: i32,
    },
}

impl From<CallFailed> for AacDecoderError {
    fn from(failed: CallFailed) -> Self {
        Self::Library { call: failed.call, code: failed.code }
    }
}

/// A decoder of AAC-LC and HE-AAC v1 and v2, up to 7.1 channels.
pub struct AacDecoder {
    library: Decoder,
    speakers: Vec<Speaker>,
}

impl AacDecoder {
    /// A decoder for units of this configuration. Another configuration needs another decoder.
    pub fn new(config: &AudioSpecificConfig) -> Result<Self, AacDecoderError> {
        if usize::from(config.channels()) > CHANNELS_MAX {
            return Err(AacDecoderError::Channels(config.channels()));
        }
        let library = Decoder::new(config.bytes())?;
        Ok(Self { library, speakers: Vec::with_capacity(CHANNELS_MAX) })
    }

    /// Decodes a unit, or makes up for one that is damaged. `None` when there is nothing to go by,
    /// as for damage before the first whole unit: silence belongs there.
    pub fn decode(&mut self, unit: &[u8]) -> Option<Pcm<'_>> {
        let whole = (1..=UNIT_BYTES_MAX).contains(&unit.len());
        let decoded = if whole { self.library.decode(unit) } else { None };
        let block = decoded.or_else(|| self.library.conceal())?;
        self.speakers.clear();
        self.speakers.extend(speakers(&block));
        Some(Pcm {
            sample_rate: block.sample_rate,
            speakers: &self.speakers,
            samples: self.library.samples(&block),
            concealed: block.concealed,
        })
    }
}

/// The speakers of a block's channels, from the library's kinds (AAC table 1.19, §4.5.1.2.1).
///
/// The first front pair in the bit stream is the main one. That is not what channel configuration 7
/// says (it puts a pair between centre and left first), but what encoders mean by it: they code
/// ordinary 7.1 that way.
fn speakers(block: &Block) -> impl Iterator<Item = Speaker> {
    const FRONT: u32 = 1;
    const LOW_FREQUENCY: u32 = 4;
    /// Bits for kinds at the height of the ears; others lie above or below.
    const KIND: u32 = 0x0F;
    let places = &block.places[..block.channels];
    let count = |kind| places.iter().filter(|place| place.0 == kind).count();
    places.iter().map(move |&(kind, number)| {
        let number = usize::from(number);
        let odd = count(kind) % 2 == 1;
        match kind & KIND {
            LOW_FREQUENCY => Speaker::LowFrequency,
            FRONT if kind == FRONT => match (odd, number) {
                (true, 0) => Speaker::Centre,
                (true, 1) | (false, 0) => Speaker::Left,
                (true, 2) | (false, 1) => Speaker::Right,
                (true, number) if number % 2 == 1 => Speaker::LeftSurround,
                (false, number) if number.is_multiple_of(2) => Speaker::LeftSurround,
                _ => Speaker::RightSurround,
            },
            // A single channel behind comes last of its kind.
            _ if odd && number + 1 == count(kind) => Speaker::CentreSurround,
            _ if number.is_multiple_of(2) => Speaker::LeftSurround,
            _ => Speaker::RightSurround,
        }
    })
}
