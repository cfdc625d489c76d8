//! FLAC stream headers and block sizes (RFC 9639 §8.2, §9.1).
//!
//! ```text
//! "fLaC" | last(1) type(7) = 0, u24 length = 34 | u16 min block, u16 max block, u24 min frame,
//! u24 max frame, rate(20) channels - 1(3) bits - 1(5) samples(36), MD5(128)
//! ```
//!
//! The STREAMINFO block goes into `dfLa` as it came; other metadata is left out. FFmpeg sends only
//! what the block holds, without the letters and the block's header.

use bytes::Bytes;
use thiserror::Error;

use crate::cursor::{Cursor, UnexpectedEnd};

/// A parsed stream header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FlacConfig {
    dfla: Bytes,
    sample_rate: u32,
    channels: u8,
    bits_per_sample: u8,
    block_samples_max: u16,
}

/// Why a header is refused. The peer's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FlacHeaderError {
    /// The header ended inside a field.
    #[error("the FLAC header is cut short: {0}")]
    Short(#[from] UnexpectedEnd),
    /// The first metadata block is not a STREAMINFO.
    #[error("the FLAC header does not begin with \"fLaC\" and a STREAMINFO block")]
    NotStreamInfo,
    /// A rate that no MP4 track of ours can have.
    #[error("the FLAC sample rate {0} is not supported; 7350 to 192000 Hz are")]
    SampleRate(u32),
    /// Blocks shorter than the format allows.
    #[error("FLAC blocks of {0} samples; at least 16 are needed")]
    BlockSize(u16),
}

const STREAM_INFO_BYTES: usize = 34;
const LAST_BLOCK: u8 = 0x80;
const MAGIC: &[u8] = b"fLaC";

impl FlacConfig {
    /// Reads the payload of a FLAC sequence start.
    pub fn parse(header: &[u8]) -> Result<Self, FlacHeaderError> {
        let bare = header.len() == STREAM_INFO_BYTES && !header.starts_with(MAGIC);
        let info = if bare { header } else { stream_info(header)? };
        let mut fields = Cursor::new(info);
        fields.u16()?;
        let block_samples_max = fields.u16()?;
        fields.take(6)?;
        let packed = fields.u32()?;
        let sample_rate = packed >> 12;
        if !(7_350..=192_000).contains(&sample_rate) {
            return Err(FlacHeaderError::SampleRate(sample_rate));
        }
        if block_samples_max < 16 {
            return Err(FlacHeaderError::BlockSize(block_samples_max));
        }
        let [_, _, third, fourth] = packed.to_be_bytes();
        let mut dfla = vec![LAST_BLOCK, 0, 0, STREAM_INFO_BYTES as u8];
        dfla.extend_from_slice(info);
        Ok(Self {
            dfla: dfla.into(),
            sample_rate,
            channels: (third >> 1 & 7) + 1,
            bits_per_sample: ((third & 1) << 4 | fourth >> 4) + 1,
            block_samples_max,
        })
    }

    /// What follows version and flags in the `dfLa` box: the STREAMINFO block as the last one.
    pub const fn dfla(&self) -> &Bytes {
        &self.dfla
    }

    /// Samples per second.
    pub const fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Channels, 1..=8.
    pub const fn channels(&self) -> u8 {
        self.channels
    }

    /// Bits of a sample, 4..=32.
    pub const fn bits_per_sample(&self) -> u8 {
        self.bits_per_sample
    }

    /// Samples per channel in the largest block, which is nearly always every block but the last.
    pub const fn block_samples_max(&self) -> u16 {
        self.block_samples_max
    }
}

/// What the STREAMINFO block of a whole header holds.
fn stream_info(header: &[u8]) -> Result<&[u8], FlacHeaderError> {
    let mut cursor = Cursor::new(header);
    if cursor.take(MAGIC.len())? != MAGIC {
        return Err(FlacHeaderError::NotStreamInfo);
    }
    let kind = cursor.u8()? & !LAST_BLOCK;
    let len = cursor.u24()?;
    if kind != 0 || len as usize != STREAM_INFO_BYTES {
        return Err(FlacHeaderError::NotStreamInfo);
    }
    Ok(cursor.take(STREAM_INFO_BYTES)?)
}

/// Samples per channel in a frame, from its header (§9.1.1); `None` when there is none.
pub fn frame_samples(frame: &[u8]) -> Option<u32> {
    let &[0xFF, 0xF8 | 0xF9, sizes, _, number, ..] = frame else { return None };
    // The frame or sample number is coded like UTF-8: leading ones count its bytes.
    let number_bytes = match number.leading_ones() {
        0 => 1,
        ones @ 2..=7 => ones as usize,
        _ => return None,
    };
    let rest = frame.get(4 + number_bytes..)?;
    match sizes >> 4 {
        1 => Some(192),
        code @ 2..=5 => Some(144 << code),
        6 => rest.first().map(|&byte| u32::from(byte) + 1),
        7 => {
            let bytes = rest.first_chunk::<2>()?;
            Some(u32::from(u16::from_be_bytes(*bytes)) + 1)
        }
        code @ 8..=15 => Some(1 << code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 48 kHz, stereo, 16 bits, blocks of 4608.
    fn header() -> Vec<u8> {
        let info = [0x12, 0, 0x12, 0, 0, 0, 14, 0, 16, 0, 0x0B, 0xB8, 0x02, 0xF0, 0, 0, 0, 0];
        [b"fLaC\x00\x00\x00\x22", &info[..], &[7; 16]].concat()
    }

    #[test]
    fn stream_info_is_read_and_kept() {
        let config = FlacConfig::parse(&header()).unwrap();
        assert_eq!((config.sample_rate(), config.channels()), (48_000, 2));
        assert_eq!((config.bits_per_sample(), config.block_samples_max()), (16, 4_608));
        assert_eq!(config.dfla()[..4], [0x80, 0, 0, 34]);
        assert_eq!(config.dfla()[4..], header()[8..]);
        assert_eq!(FlacConfig::parse(&header()[8..]).unwrap(), config, "FFmpeg's bare block");
        for cut in 0..header().len() {
            assert!(FlacConfig::parse(&header()[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn headers_that_say_the_impossible_are_refused() {
        for (at, byte, error) in [
            (0, b'F', FlacHeaderError::NotStreamInfo),
            (4, 4, FlacHeaderError::NotStreamInfo),
            (7, 33, FlacHeaderError::NotStreamInfo),
            (18, 0xFF, FlacHeaderError::SampleRate(1_047_424)),
        ] {
            let mut bytes = header();
            bytes[at] = byte;
            assert_eq!(FlacConfig::parse(&bytes), Err(error));
        }
        let mut tiny = header();
        tiny[10..12].copy_from_slice(&[0, 15]);
        assert_eq!(FlacConfig::parse(&tiny), Err(FlacHeaderError::BlockSize(15)));
    }

    #[test]
    fn block_sizes_come_from_the_frame_header() {
        for (name, frame, samples) in [
            ("192", &[0xFF, 0xF8, 0x19, 0x18, 0, 0][..], Some(192)),
            ("576", &[0xFF, 0xF8, 0x29, 0x18, 0, 0], Some(576)),
            ("4608", &[0xFF, 0xF8, 0x5A, 0x18, 0x7F, 0], Some(4_608)),
            ("256", &[0xFF, 0xF8, 0x8A, 0x18, 0xC2, 0x80, 0], Some(256)),
            ("32768", &[0xFF, 0xF9, 0xFA, 0x18, 0, 0], Some(32_768)),
            ("eight bits", &[0xFF, 0xF8, 0x6A, 0x18, 0, 99], Some(100)),
            ("sixteen bits", &[0xFF, 0xF8, 0x7A, 0x18, 0xC2, 0x80, 3, 0xE7], Some(1_000)),
            ("sixteen bits cut", &[0xFF, 0xF8, 0x7A, 0x18, 0, 3], None),
            ("reserved size", &[0xFF, 0xF8, 0x0A, 0x18, 0, 3], None),
            ("broken number", &[0xFF, 0xF8, 0x1A, 0x18, 0x80, 3], None),
            ("no sync", &[0xFF, 0xFB, 0x1A, 0x18, 0, 3], None),
        ] {
            assert_eq!(frame_samples(frame), samples, "{name}");
        }
    }
}
