//! PCM to AAC-LC: constant bit rate, raw access units of 1024 samples (AAC §4).
//!
//! An encoder's output lags its input. Unit number `n` (from 0) holds what a decoder plays from
//! sample `n * 1024 - delay` of the input on; the caller gives that as its time and drops units
//! that lie wholly before the start (CM-11). No edit list is involved.

use bytes::Bytes;
use thiserror::Error;

use super::ffi::CallFailed;
use super::ffi::fdk_aac::{Description, Encoder};

/// Sample rates with an index of their own (AAC Table 1.18) that fdk-aac encodes, in hertz.
const SAMPLE_RATES: [u32; 12] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000];
/// Mono and stereo.
const CHANNELS_MAX: u8 = 2;
/// Least bit rate of a channel in bit/s; below it speech is no longer understood.
const BITRATE_PER_CHANNEL_MIN: u32 = 8_000;
/// Most bits of one channel in one access unit (AAC §4.5.3: the decoder's input buffer).
const UNIT_BITS_PER_CHANNEL_MAX: u64 = 6_144;
/// Samples per channel in one access unit.
const SAMPLES_PER_UNIT: u32 = 1_024;

/// What to encode, and into how many bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AacEncoderConfig {
    /// Samples per second and channel, one of the twelve of AAC Table 1.18 up to 96 kHz.
    pub sample_rate: u32,
    /// 1 or 2.
    pub channels: u8,
    /// Target in bit/s, all channels together: at least 8 kbit/s and at most six bits a sample for
    /// each channel.
    pub bitrate: u32,
}

impl AacEncoderConfig {
    /// Least and greatest bit rate in bit/s that an encoder takes for a rate and channels.
    pub fn bitrates(sample_rate: u32, channels: u8) -> (u32, u32) {
        let channels = u32::from(channels);
        let most = UNIT_BITS_PER_CHANNEL_MAX * u64::from(channels) * u64::from(sample_rate)
            / u64::from(SAMPLES_PER_UNIT);
        (BITRATE_PER_CHANNEL_MIN * channels, u32::try_from(most).unwrap_or(u32::MAX))
    }
}

/// Why an AAC encoder could not be made or gave up. All are faults of ours or of the configuration,
/// never of a publisher.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum AacEncoderError {
    /// A sample rate AAC has no index for.
    #[error("sample rate of {0} Hz is none of {SAMPLE_RATES:?}")]
    SampleRate(u32),
    /// Neither mono nor stereo.
    #[error("{0} channels; 1 and 2 are possible")]
    Channels(u8),
    /// Bit rate outside what the channels and the sample rate allow.
    #[error("bit rate of {seen} bit/s is outside {least} to {most}")]
    Bitrate {
        /// Bit rate asked for.
        seen: u32,
        /// Least for these channels.
        least: u32,
        /// Most for these channels at this sample rate.
        most: u32,
    },
    /// A block that is not one access unit long.
    #[error("{seen} interleaved samples in a block, expected {expected}")]
    BlockLength {
        /// Samples handed in, all channels counted.
        seen: usize,
        /// 1024 times the channels.
        expected: usize,
    },
    /// The library took only a part of a block although it had room.
    #[error("fdk-aac took {taken} of {offered} samples")]
    Partial {
        /// Samples taken.
        taken: usize,
        /// Samples offered.
        offered: usize,
    },
    /// The library configured itself for another unit length than 1024.
    #[error("fdk-aac chose {0} samples per access unit, expected {SAMPLES_PER_UNIT}")]
    UnitLength(u32),
    /// A block after [`AacEncoder::finish`].
    #[error("the encoder has been finished")]
    Finished,
    /// The library refused a call.
    #[error("fdk-aac {call} failed with 0x{code:02X}")]
    Library {
        /// Name of the call.
        call: &'static str,
        /// What it returned (AACENC_ERROR).
        code: i32,
    },
}

impl From<CallFailed> for AacEncoderError {
    fn from(failed: CallFailed) -> Self {
        Self::Library { call: failed.call, code: failed.code }
    }
}

/// An AAC-LC encoder.
pub struct AacEncoder {
    library: Encoder,
    description: Description,
    block_len: usize,
    unit: Vec<u8>,
    finished: bool,
}

impl AacEncoder {
    /// Checks the configuration and makes an encoder.
    pub fn new(config: AacEncoderConfig) -> Result<Self, AacEncoderError> {
        check(&config)?;
        let mut library = Encoder::new(&config)?;
        let description = library.describe()?;
        if description.samples_per_unit != SAMPLES_PER_UNIT {
            return Err(AacEncoderError::UnitLength(description.samples_per_unit));
        }
        Ok(Self {
            library,
            block_len: SAMPLES_PER_UNIT as usize * usize::from(config.channels),
            unit: vec![0; description.unit_bytes_max],
            description,
            finished: false,
        })
    }

    /// Encodes one block of 1024 samples per channel, interleaved. `None` while the library fills
    /// up.
    pub fn encode(&mut self, pcm: &[i16]) -> Result<Option<Bytes>, AacEncoderError> {
        if self.finished {
            return Err(AacEncoderError::Finished);
        }
        if pcm.len() != self.block_len {
            let (seen, expected) = (pcm.len(), self.block_len);
            return Err(AacEncoderError::BlockLength { seen, expected });
        }
        let (taken, written) = self.library.encode(pcm, &mut self.unit)?;
        if taken != pcm.len() {
            return Err(AacEncoderError::Partial { taken, offered: pcm.len() });
        }
        Ok(self.written(written))
    }

    /// The next access unit still inside after the last block; `None` when all are out (EN-5).
    pub fn finish(&mut self) -> Result<Option<Bytes>, AacEncoderError> {
        if self.finished {
            return Ok(None);
        }
        let written = self.library.flush(&mut self.unit)?;
        let unit = written.and_then(|written| self.written(written));
        self.finished = unit.is_none();
        Ok(unit)
    }

    /// The AudioSpecificConfig (AAC §1.6.2.1).
    pub fn config(&self) -> &[u8] {
        &self.description.config
    }

    /// Samples per channel by which the output lags the input, decoder included (CM-11).
    pub const fn delay(&self) -> u32 {
        self.description.delay
    }

    /// Samples per channel in one access unit.
    pub const fn samples_per_unit(&self) -> u32 {
        SAMPLES_PER_UNIT
    }

    fn written(&self, len: usize) -> Option<Bytes> {
        let unit = self.unit.get(..len).filter(|unit| !unit.is_empty());
        unit.map(Bytes::copy_from_slice)
    }
}

fn check(config: &AacEncoderConfig) -> Result<(), AacEncoderError> {
    if !SAMPLE_RATES.contains(&config.sample_rate) {
        return Err(AacEncoderError::SampleRate(config.sample_rate));
    }
    if !(1..=CHANNELS_MAX).contains(&config.channels) {
        return Err(AacEncoderError::Channels(config.channels));
    }
    let (least, most) = AacEncoderConfig::bitrates(config.sample_rate, config.channels);
    if !(least..=most).contains(&config.bitrate) {
        return Err(AacEncoderError::Bitrate { seen: config.bitrate, least, most });
    }
    Ok(())
}
