//! Identification header to `dOps` (RFC 7845 §5.1, Encapsulation of Opus in ISO BMFF §4.3.2).
//!
//! ```text
//! OpusHead: "OpusHead" u8 version, u8 channels, u16 pre-skip, u32 rate, s16 gain, u8 family, …  
//! (LE) dOps:                u8 0,       u8 channels, u16 pre-skip, u32 rate, s16 gain, u8 family,
//! …   (BE) … unless family 0: u8 streams, u8 coupled, u8 mapping[channels]
//! ```

use bytes::{BufMut, Bytes, BytesMut};
use thiserror::Error;

use crate::cursor::{Cursor, UnexpectedEnd};

/// A parsed configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpusConfig {
    dops: Bytes,
    channels: u8,
    family: u8,
}

/// Why a header is refused. The peer's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OpusHeadError {
    /// The header ended inside a field.
    #[error("the Opus header is cut short: {0}")]
    Short(#[from] UnexpectedEnd),
    /// Not the eight letters every header begins with.
    #[error("the Opus header does not begin with \"OpusHead\"")]
    Magic,
    /// A major version this reader does not know; the high half counts.
    #[error("the Opus header has version {0}; 0 to 15 can be read")]
    Version(u8),
    /// No channel, or more than mapping family 0 can have.
    #[error("{channels} channels in Opus mapping family {family}")]
    Channels {
        /// As read.
        channels: u8,
        /// As read.
        family: u8,
    },
}

impl OpusConfig {
    /// Reads the payload of an Opus sequence start. An empty one is legal: see
    /// [`Self::without_header`].
    pub fn parse(header: &[u8]) -> Result<Self, OpusHeadError> {
        let mut cursor = Cursor::new(header);
        if cursor.take(8)? != b"OpusHead" {
            return Err(OpusHeadError::Magic);
        }
        let version = cursor.u8()?;
        if version > 15 {
            return Err(OpusHeadError::Version(version));
        }
        let channels = cursor.u8()?;
        let pre_skip = u16::from_le_bytes(cursor.array()?);
        let input_rate = u32::from_le_bytes(cursor.array()?);
        let gain = i16::from_le_bytes(cursor.array()?);
        let family = cursor.u8()?;
        if channels == 0 || (family == 0 && channels > 2) {
            return Err(OpusHeadError::Channels { channels, family });
        }
        let mapping = if family == 0 { &[][..] } else { cursor.take(2 + usize::from(channels))? };
        Ok(Self::new(channels, pre_skip, input_rate, gain, family, mapping))
    }

    /// What an encoder means that sends no header: stereo, or as many channels as it told
    /// otherwise, with libopus's pre-skip and its order of streams (mapping family 1, RFC 7845
    /// §5.1.1.2).
    pub fn without_header(channels: u8) -> Result<Self, OpusHeadError> {
        let (family, mapping): (u8, &[u8]) = match channels {
            1 | 2 => (0, &[]),
            3 => (1, &[2, 1, 0, 2, 1]),
            4 => (1, &[2, 2, 0, 1, 2, 3]),
            5 => (1, &[3, 2, 0, 4, 1, 2, 3]),
            6 => (1, &[4, 2, 0, 4, 1, 2, 3, 5]),
            7 => (1, &[4, 3, 0, 4, 1, 2, 3, 5, 6]),
            8 => (1, &[5, 3, 0, 6, 1, 2, 3, 4, 5, 7]),
            channels => return Err(OpusHeadError::Channels { channels, family: 1 }),
        };
        Ok(Self::of_libopus(channels, family, mapping))
    }

    /// Stereo without a header.
    pub fn stereo() -> Self {
        Self::of_libopus(2, 0, &[])
    }

    fn of_libopus(channels: u8, family: u8, mapping: &[u8]) -> Self {
        const PRE_SKIP: u16 = 312;
        Self::new(channels, PRE_SKIP, super::SAMPLE_RATE, 0, family, mapping)
    }

    fn new(
        channels: u8,
        pre_skip: u16,
        input_rate: u32,
        gain: i16,
        family: u8,
        mapping: &[u8],
    ) -> Self {
        const VERSION: u8 = 0;
        let mut dops = BytesMut::with_capacity(11 + mapping.len());
        dops.put_u8(VERSION);
        dops.put_u8(channels);
        dops.put_u16(pre_skip);
        dops.put_u32(input_rate);
        dops.put_i16(gain);
        dops.put_u8(family);
        dops.put_slice(mapping);
        Self { dops: dops.freeze(), channels, family }
    }

    /// The payload of the `dOps` box.
    pub const fn dops(&self) -> &Bytes {
        &self.dops
    }

    /// Output channels.
    pub const fn channels(&self) -> u8 {
        self.channels
    }

    /// One stream: a packet is a plain one, and silence is known.
    pub(super) const fn is_single_stream(&self) -> bool {
        self.family == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEREO: &[u8] = b"OpusHead\x01\x02\x38\x01\x80\xBB\x00\x00\x00\x00\x00";

    #[test]
    fn headers_change_their_byte_order() {
        let surround =
            b"OpusHead\x01\x06\x38\x01\x80\xBB\x00\x00\xFF\xFF\x01\x04\x02\x00\x04\x01\x02\x03\x05";
        let cases: &[(&[u8], &[u8], u8)] = &[
            (STEREO, &[0, 2, 1, 0x38, 0, 0, 0xBB, 0x80, 0, 0, 0], 2),
            (
                surround,
                &[0, 6, 1, 0x38, 0, 0, 0xBB, 0x80, 0xFF, 0xFF, 1, 4, 2, 0, 4, 1, 2, 3, 5],
                6,
            ),
        ];
        for (header, dops, channels) in cases {
            let config = OpusConfig::parse(header).unwrap();
            assert_eq!(config.dops(), *dops);
            assert_eq!(config.channels(), *channels);
            for cut in 0..header.len() {
                assert!(OpusConfig::parse(&header[..cut]).is_err(), "{cut}");
            }
        }
    }

    #[test]
    fn without_a_header_streams_are_ordered_as_libopus_does() {
        for channels in 1..=8 {
            let config = OpusConfig::without_header(channels).unwrap();
            assert_eq!((config.channels(), config.is_single_stream()), (channels, channels < 3));
            if let [.., streams, coupled] = config.dops()[..config.dops().len().min(13)]
                && channels > 2
            {
                assert_eq!(streams + coupled, channels);
                let mut mapping = config.dops()[13..].to_vec();
                mapping.sort_unstable();
                assert!(mapping.into_iter().eq(0..channels), "each once");
            }
        }
        assert_eq!(OpusConfig::without_header(2), Ok(OpusConfig::stereo()));
        for channels in [0, 9, 255] {
            let error = OpusHeadError::Channels { channels, family: 1 };
            assert_eq!(OpusConfig::without_header(channels), Err(error));
        }
    }

    #[test]
    fn headers_that_say_the_impossible_are_refused() {
        for (at, byte, error) in [
            (0, b'o', OpusHeadError::Magic),
            (8, 16, OpusHeadError::Version(16)),
            (9, 0, OpusHeadError::Channels { channels: 0, family: 0 }),
            (9, 3, OpusHeadError::Channels { channels: 3, family: 0 }),
            (18, 1, OpusHeadError::Short(UnexpectedEnd { needed: 4, left: 0 })),
        ] {
            let mut header = STEREO.to_vec();
            header[at] = byte;
            assert_eq!(OpusConfig::parse(&header), Err(error));
        }
    }
}
