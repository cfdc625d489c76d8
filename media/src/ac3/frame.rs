//! Sync frames: their header, how they make units, and the boxes that describe them.

use bytes::Bytes;
use thiserror::Error;

use crate::bits::{BitReader, BitsError};

/// What a decoder must know before the first frame, of either format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ac3Config {
    enhanced: bool,
    /// fscod; 3 means a halved rate told by `half_rate_code`.
    rate_code: u8,
    half_rate_code: u8,
    /// bsid.
    stream_id: u8,
    /// bsmod.
    mode: u8,
    /// acmod.
    channel_mode: u8,
    low_frequency: bool,
    /// AC-3: bit_rate_code; E-AC-3: data rate in kbit/s.
    bit_rate: u16,
}

/// Why a frame cannot be used. The peer's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    /// The frame is shorter than it says.
    #[error("the AC-3 frame is cut short")]
    Short,
    /// No sync word, or a header with reserved values.
    #[error("the bytes are no AC-3 frame")]
    NotAFrame,
    /// Substreams that make more than 5.1 channels, or several programmes.
    #[error("the E-AC-3 stream has more than one substream; 5.1 channels need one")]
    Substreams,
}

impl From<BitsError> for FrameError {
    fn from(_: BitsError) -> Self {
        Self::Short
    }
}

/// A frame's header, read.
struct Frame {
    config: Ac3Config,
    len: usize,
    samples: u32,
}

/// Samples of sound in a full unit.
const UNIT_SAMPLES: u32 = 1_536;
const BIT_RATES: [u16; 19] =
    [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640];

impl Ac3Config {
    /// E-AC-3 rather than AC-3.
    pub const fn is_enhanced(&self) -> bool {
        self.enhanced
    }

    /// Samples per second.
    pub const fn sample_rate(&self) -> u32 {
        match (self.rate_code, self.half_rate_code) {
            (0, _) => 48_000,
            (1, _) => 44_100,
            (2, _) => 32_000,
            (_, 0) => 24_000,
            (_, 1) => 22_050,
            _ => 16_000,
        }
    }

    /// Channels, low frequencies included: 1..=6.
    pub const fn channels(&self) -> u8 {
        let full = match self.channel_mode {
            1 => 1,
            0 | 2 => 2,
            3 | 4 => 3,
            5 | 6 => 4,
            _ => 5,
        };
        full + self.low_frequency as u8
    }

    /// Whether frames of the other configuration go on with this one: the data rate that E-AC-3
    /// tells is an average and may move.
    pub fn covers(&self, other: &Self) -> bool {
        let bit_rate = if self.enhanced { self.bit_rate } else { other.bit_rate };
        *self == Self { bit_rate, ..*other }
    }

    /// Samples of sound in a unit.
    pub const fn samples_per_unit(&self) -> u32 {
        UNIT_SAMPLES
    }

    /// The payload of the `dac3` or `dec3` box (Annex F.4, F.6).
    pub fn specific_box(&self) -> Vec<u8> {
        let low_frequency = u64::from(self.low_frequency);
        let (fields, bytes): (&[(u32, u64)], usize) = if self.enhanced {
            (
                &[
                    (13, u64::from(self.bit_rate)),
                    (3, 0), // one independent substream
                    (2, u64::from(self.rate_code)),
                    (5, u64::from(self.stream_id)),
                    (2, 0), // reserved, no associated service
                    (3, u64::from(self.mode)),
                    (3, u64::from(self.channel_mode)),
                    (1, low_frequency),
                    (3, 0),
                    (4, 0), // no dependent substream
                    (1, 0),
                ],
                5,
            )
        } else {
            (
                &[
                    (2, u64::from(self.rate_code)),
                    (5, u64::from(self.stream_id)),
                    (3, u64::from(self.mode)),
                    (3, u64::from(self.channel_mode)),
                    (1, low_frequency),
                    (5, u64::from(self.bit_rate)),
                    (5, 0),
                ],
                3,
            )
        };
        let packed = fields.iter().fold(0_u64, |all, &(bits, value)| all << bits | value);
        packed.to_be_bytes()[8 - bytes..].to_vec()
    }
}

impl Frame {
    fn parse(bytes: &[u8]) -> Result<Self, FrameError> {
        const SYNC: u32 = 0x0B77;
        /// bsid up to here is AC-3, from 11 on E-AC-3.
        const AC3_ID_MAX: u8 = 8;
        const ENHANCED_ID: std::ops::RangeInclusive<u8> = 11..=16;
        let mut reader = BitReader::new(bytes);
        if reader.bits(16)? != SYNC {
            return Err(FrameError::NotAFrame);
        }
        // In the same place in both formats.
        match bytes.get(5).ok_or(FrameError::Short)? >> 3 {
            id if id <= AC3_ID_MAX => Self::parse_ac3(reader, id),
            id if ENHANCED_ID.contains(&id) => Self::parse_enhanced(reader, id),
            _ => Err(FrameError::NotAFrame),
        }
    }

    fn parse_ac3(mut r: BitReader<'_>, stream_id: u8) -> Result<Self, FrameError> {
        r.skip(16)?; // CRC
        let (rate_code, size_code) = (r.bits(2)? as u8, r.bits(6)? as u8);
        r.skip(5)?;
        let (mode, channel_mode) = (r.bits(3)? as u8, r.bits(3)? as u8);
        let centre = channel_mode & 1 != 0 && channel_mode != 1;
        let surround = channel_mode & 4 != 0;
        let stereo = channel_mode == 2;
        r.skip(2 * (usize::from(centre) + usize::from(surround) + usize::from(stereo)))?;
        let low_frequency = r.bit()?;
        let kilobits = BIT_RATES.get(usize::from(size_code >> 1)).ok_or(FrameError::NotAFrame)?;
        let kilobits = usize::from(*kilobits);
        let words = match rate_code {
            0 => kilobits * 2,
            1 => kilobits * 1_536_000 / 44_100 / 16 + usize::from(size_code & 1),
            2 => kilobits * 3,
            _ => return Err(FrameError::NotAFrame),
        };
        let config = Ac3Config {
            enhanced: false,
            rate_code,
            half_rate_code: 0,
            stream_id,
            mode,
            channel_mode,
            low_frequency,
            bit_rate: u16::from(size_code >> 1),
        };
        Ok(Self { config, len: words * 2, samples: UNIT_SAMPLES })
    }

    fn parse_enhanced(mut r: BitReader<'_>, stream_id: u8) -> Result<Self, FrameError> {
        const DEPENDENT: u32 = 1;
        let (kind, substream, size) = (r.bits(2)?, r.bits(3)?, r.bits(11)?);
        if kind == DEPENDENT || substream != 0 {
            return Err(FrameError::Substreams);
        }
        let rate_code = r.bits(2)? as u8;
        let second = r.bits(2)? as u8;
        // With a halved rate the code of the block count is that of the rate, and there are six.
        let (half_rate_code, blocks) = match rate_code {
            3 => (second, 6),
            _ => (0, [1, 2, 3, 6][usize::from(second & 3)]),
        };
        if half_rate_code == 3 {
            return Err(FrameError::NotAFrame);
        }
        let channel_mode = r.bits(3)? as u8;
        let low_frequency = r.bit()?;
        let len = (size as usize + 1) * 2;
        let samples = 256 * blocks;
        let mut config = Ac3Config {
            enhanced: true,
            rate_code,
            half_rate_code,
            stream_id,
            mode: 0, // complete main: told only far inside the frame
            channel_mode,
            low_frequency,
            bit_rate: 0,
        };
        let bits = len as u64 * 8 * u64::from(config.sample_rate());
        let kilobits = bits / u64::from(samples) / 1_000;
        config.bit_rate = u16::try_from(kilobits.min(0x1FFF)).unwrap_or(0x1FFF);
        Ok(Self { config, len, samples })
    }
}

/// The units of a message, each with its configuration and its samples of sound. A frame that is
/// cut short ends the list; at most `max` units are returned.
pub fn units(message: &Bytes, max: usize) -> Result<Vec<(Ac3Config, u32, Bytes)>, FrameError> {
    let mut units: Vec<(Ac3Config, u32, Bytes)> = Vec::new();
    let mut start = 0;
    let mut at = 0;
    let mut collected = 0;
    let mut config = None;
    while at < message.len() && units.len() < max {
        let frame = match Frame::parse(message.get(at..).unwrap_or_default()) {
            Ok(frame) if at + frame.len <= message.len() => frame,
            Ok(_) if at > 0 => break,
            Ok(_) => return Err(FrameError::Short),
            Err(error) if at == 0 || error == FrameError::Substreams => return Err(error),
            // Padding after the last frame.
            Err(_) => break,
        };
        at += frame.len;
        collected += frame.samples;
        let config = *config.get_or_insert(frame.config);
        if collected >= UNIT_SAMPLES {
            units.push((config, collected, message.slice(start..at)));
            (start, collected) = (at, 0);
        }
    }
    if let (Some(config), true) = (config, collected > 0 && units.len() < max) {
        units.push((config, collected, message.slice(start..at)));
    }
    Ok(units)
}
