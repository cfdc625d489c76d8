//! AudioSpecificConfig (AAC §1.6.2.1, AA-2, AA-3).
//!
//! ```text
//! object type(5; 31: 32 + 6 bits) | rate index(4; 15: 24 bits) | channels(4; 0: program config)
//! object type 5 or 29: rate of the output, then the core's object type
//! LC core: 960 samples(1) | core coder(1; 14 bits follow) | extension(1) | program config
//! perhaps 0x2B7(11): object type 5, SBR present(1), rate; perhaps 0x548(11): PS present(1)
//! ```
//!
//! SBR told in the backward-compatible way is rewritten explicitly, as players of fragmented MP4
//! want it (AA-3). Everything else keeps the encoder's bits.

use bytes::Bytes;
use thiserror::Error;

use super::bit_writer::BitWriter;
use crate::bits::{BitReader, BitsError};
use crate::limits;

/// A parsed decoder configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AudioSpecificConfig {
    bytes: Bytes,
    core_sample_rate: u32,
    /// Rate after SBR; `None` without SBR.
    sbr_sample_rate: Option<u32>,
    parametric_stereo: bool,
    channel_configuration: u8,
    core_channels: u8,
    core_samples: u32,
}

/// Why a configuration is refused. The peer's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AscError {
    /// Too short.
    #[error("the AAC configuration is damaged: {0}")]
    Bits(#[from] BitsError),
    /// Longer than any encoder writes.
    #[error(
        "the AAC configuration has {len} bytes; at most {} are allowed",
        limits::AUDIO_SPECIFIC_CONFIG_BYTES_MAX
    )]
    TooLong {
        /// Its bytes.
        len: usize,
    },
    /// An audio object type that browsers do not play.
    #[error("AAC object type {0} is not supported; AAC-LC and HE-AAC are")]
    ObjectType(u32),
    /// A reserved rate index, or a rate out of range.
    #[error("the AAC sample rate {0} is not supported; 7350 to 96000 Hz are")]
    SampleRate(u32),
    /// SBR neither keeps nor doubles the rate.
    #[error("HE-AAC with a core of {core} Hz and an output of {output} Hz")]
    SbrRate {
        /// Rate of the core in hertz.
        core: u32,
        /// Rate after SBR in hertz.
        output: u32,
    },
    /// A reserved channel configuration, or a program config element without or with too many
    /// channels.
    #[error("the AAC channel configuration {0} is not supported")]
    Channels(u8),
}

const LC: u32 = 2;
const SBR: u32 = 5;
const PS: u32 = 29;
const RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];
const EXPLICIT_RATE: u32 = 15;
const SBR_SYNC: u32 = 0x2B7;
const PS_SYNC: u32 = 0x548;

impl AudioSpecificConfig {
    /// Reads the payload of an AAC sequence header.
    pub fn parse(bytes: &[u8]) -> Result<Self, AscError> {
        if bytes.len() > limits::AUDIO_SPECIFIC_CONFIG_BYTES_MAX {
            return Err(AscError::TooLong { len: bytes.len() });
        }
        let mut reader = BitReader::new(bytes);
        let r = &mut reader;
        let mut object_type = read_object_type(r)?;
        let core_sample_rate = read_rate(r)?;
        let channel_configuration = r.bits(4)? as u8;
        let mut sbr_sample_rate = None;
        let mut parametric_stereo = object_type == PS;
        if object_type == SBR || object_type == PS {
            sbr_sample_rate = Some(read_rate(r)?);
            object_type = read_object_type(r)?;
        }
        if object_type != LC {
            return Err(AscError::ObjectType(object_type));
        }
        let core_samples = if r.bit()? { 960 } else { 1_024 };
        if r.bit()? {
            r.skip(14)?; // coreCoderDelay
        }
        let extension = r.bit()?;
        let core_channels = match channel_configuration {
            0 => read_program_config(r)?,
            other => channels_of(other).ok_or(AscError::Channels(other))?,
        };
        if extension {
            r.bit()?; // extensionFlag3
        }
        let mut implicit = false;
        if sbr_sample_rate.is_none() {
            (sbr_sample_rate, parametric_stereo) = read_sync_extension(r)?;
            implicit = sbr_sample_rate.is_some();
        }
        if let Some(output) = sbr_sample_rate
            && output != core_sample_rate
            && output != core_sample_rate * 2
        {
            return Err(AscError::SbrRate { core: core_sample_rate, output });
        }
        let mut config = Self {
            bytes: Bytes::copy_from_slice(bytes),
            core_sample_rate,
            sbr_sample_rate,
            parametric_stereo: parametric_stereo && core_channels == 1,
            channel_configuration,
            core_channels,
            core_samples,
        };
        // A program config element is aligned to the start of the record and cannot be moved.
        if implicit && channel_configuration != 0 && !extension {
            config.bytes = config.write();
        }
        Ok(config)
    }

    /// AAC-LC with 1024 samples per unit; `None` for a rate outside 7350..=96000 Hz or channels
    /// that no channel configuration names (1..=6 and 8 exist).
    pub fn lc(sample_rate: u32, channels: u8) -> Option<Self> {
        let channel_configuration = if channels == 8 { 7 } else { channels };
        let core_channels = channels_of(channel_configuration)?;
        if core_channels != channels || !rate_allowed(sample_rate) {
            return None;
        }
        let mut config = Self {
            bytes: Bytes::new(),
            core_sample_rate: sample_rate,
            sbr_sample_rate: None,
            parametric_stereo: false,
            channel_configuration,
            core_channels,
            core_samples: 1_024,
        };
        config.bytes = config.write();
        Some(config)
    }

    /// The DecoderSpecificInfo of an `esds` box.
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// `mp4a.40.N` with the object type a decoder needs first (RFC 6381).
    pub fn codec_string(&self) -> String {
        format!("mp4a.40.{}", self.object_type())
    }

    /// Samples per second after SBR.
    pub fn output_sample_rate(&self) -> u32 {
        self.sbr_sample_rate.unwrap_or(self.core_sample_rate)
    }

    /// Channels after parametric stereo, 1..=16.
    pub const fn channels(&self) -> u8 {
        if self.parametric_stereo { 2 } else { self.core_channels }
    }

    /// Output samples in one access unit: 1024 or 960, twice that when SBR doubles the rate.
    pub fn samples_per_unit(&self) -> u32 {
        self.core_samples * (self.output_sample_rate() / self.core_sample_rate)
    }

    /// The speakers are told by a program config element, which few decoders read.
    pub const fn has_program_config(&self) -> bool {
        self.channel_configuration == 0
    }

    /// channelConfiguration; 0 when a program config element tells the layout.
    pub(super) const fn channel_configuration(&self) -> u8 {
        self.channel_configuration
    }

    const fn object_type(&self) -> u32 {
        match (self.sbr_sample_rate, self.parametric_stereo) {
            (Some(_), true) => PS,
            (Some(_), false) => SBR,
            (None, _) => LC,
        }
    }

    /// Explicit signalling of the whole configuration (AAC §1.6.5.2).
    fn write(&self) -> Bytes {
        let mut out = BitWriter::default();
        out.put(5, self.object_type());
        put_rate(&mut out, self.core_sample_rate);
        out.put(4, u32::from(self.channel_configuration));
        if let Some(output) = self.sbr_sample_rate {
            put_rate(&mut out, output);
            out.put(5, LC);
        }
        out.put(1, u32::from(self.core_samples == 960));
        out.put(2, 0); // no core coder, no extension
        out.finish()
    }
}

fn read_object_type(r: &mut BitReader<'_>) -> Result<u32, BitsError> {
    const ESCAPE: u32 = 31;
    match r.bits(5)? {
        ESCAPE => Ok(32 + r.bits(6)?),
        short => Ok(short),
    }
}

fn read_rate(r: &mut BitReader<'_>) -> Result<u32, AscError> {
    let index = r.bits(4)?;
    let rate = match RATES.get(index as usize) {
        Some(&rate) => rate,
        None if index == EXPLICIT_RATE => r.bits(24)?,
        None => return Err(AscError::SampleRate(index)),
    };
    if rate_allowed(rate) { Ok(rate) } else { Err(AscError::SampleRate(rate)) }
}

fn put_rate(out: &mut BitWriter, rate: u32) {
    match RATES.iter().position(|&known| known == rate) {
        Some(index) => out.put(4, index as u32),
        None => {
            out.put(4, EXPLICIT_RATE);
            out.put(24, rate);
        }
    }
}

const fn rate_allowed(rate: u32) -> bool {
    rate >= 7_350 && rate <= 96_000
}

/// AAC table 1.19.
const fn channels_of(configuration: u8) -> Option<u8> {
    match configuration {
        1..=6 => Some(configuration),
        7 | 12 | 14 => Some(8),
        11 => Some(7),
        _ => None,
    }
}

/// program_config_element (AAC §4.4.1.1); only its channels matter here.
fn read_program_config(r: &mut BitReader<'_>) -> Result<u8, AscError> {
    const CHANNELS_MAX: u32 = 16;
    r.skip(4 + 2 + 4)?; // element_instance_tag, object_type, sampling_frequency_index
    let (front, side, back) = (r.bits(4)?, r.bits(4)?, r.bits(4)?);
    let (lfe, data, coupling) = (r.bits(2)?, r.bits(3)?, r.bits(4)?);
    for mixdown_bits in [4, 4, 3] {
        if r.bit()? {
            r.skip(mixdown_bits)?;
        }
    }
    let mut channels = lfe;
    for _ in 0..front + side + back {
        channels += if r.bit()? { 2 } else { 1 };
        r.skip(4)?; // element_tag_select
    }
    r.skip(4 * lfe as usize + 4 * data as usize + 5 * coupling as usize)?;
    r.align();
    let comment_bytes = r.bits(8)? as usize;
    r.skip(8 * comment_bytes)?;
    match u8::try_from(channels) {
        Ok(channels) if (1..=CHANNELS_MAX as u8).contains(&channels) => Ok(channels),
        _ => Err(AscError::Channels(0)),
    }
}

/// Backward-compatible SBR and PS (AAC §1.6.5.3). Other bits after the configuration are padding.
fn read_sync_extension(r: &mut BitReader<'_>) -> Result<(Option<u32>, bool), AscError> {
    if r.left() < 16 || r.bits(11)? != SBR_SYNC || read_object_type(r)? != SBR || !r.bit()? {
        return Ok((None, false));
    }
    let rate = read_rate(r)?;
    let stereo = r.left() >= 12 && r.bits(11)? == PS_SYNC && r.bit()?;
    Ok((Some(rate), stereo))
}
