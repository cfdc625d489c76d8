//! MP3 frames: their header, and silence (ISO 11172-3 §2.4.1.3, ISO 13818-3).
//!
//! ```text
//! sync(11) version(2) layer(2) no CRC(1) | bit rate(4) rate(2) padding(1) private(1) | mode(2) …
//! ```
//!
//! Layer III of MPEG-1 and MPEG-2 only: MPEG-2.5, free format and the other layers have no place in
//! MP4.

use bytes::Bytes;

/// What a decoder must know before the first frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mp3Config {
    version_1: bool,
    rate_index: u8,
    channels: u8,
}

/// Bit rates in kbit/s by index from 1 on: MPEG-1, MPEG-2.
const BIT_RATES: [[u16; 14]; 2] = [
    [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

impl Mp3Config {
    /// Reads a frame header; the second value is the length of the frame in bytes. `None` when the
    /// bytes do not begin with a frame of Layer III.
    pub fn parse(frame: &[u8]) -> Option<(Self, usize)> {
        const LAYER_III: u8 = 1;
        const MONO: u8 = 3;
        let &[0xFF, second, third, fourth, ..] = frame else { return None };
        let version_1 = match second >> 3 {
            0b1_1111 => true,
            0b1_1110 => false,
            _ => return None,
        };
        let (bit_rate, rate_index) = (third >> 4, third >> 2 & 3);
        if second >> 1 & 3 != LAYER_III || rate_index == 3 {
            return None;
        }
        let channels = if fourth >> 6 == MONO { 1 } else { 2 };
        let config = Self { version_1, rate_index, channels };
        let len = config.frame_bytes(bit_rate)? + usize::from(third >> 1 & 1);
        Some((config, len))
    }

    /// Samples per second.
    pub const fn sample_rate(&self) -> u32 {
        let rate = match self.rate_index {
            0 => 44_100,
            1 => 48_000,
            _ => 32_000,
        };
        if self.version_1 { rate } else { rate / 2 }
    }

    /// 1 or 2.
    pub const fn channels(&self) -> u8 {
        self.channels
    }

    /// Samples in a frame.
    pub const fn samples_per_frame(&self) -> u32 {
        if self.version_1 { 1_152 } else { 576 }
    }

    /// ObjectTypeIndication of an `esds` box: MPEG-1 audio, MPEG-2 audio.
    pub const fn object_type(&self) -> u8 {
        if self.version_1 { 0x6B } else { 0x69 }
    }

    /// One frame that decodes to silence: its side information counts no bits for any granule.
    pub fn silent_frame(&self) -> Bytes {
        const BIT_RATE_INDEX: u8 = 5;
        let version = if self.version_1 { 0xFB } else { 0xF3 };
        let mode = if self.channels == 1 { 0xC0 } else { 0 };
        let len = self.frame_bytes(BIT_RATE_INDEX).unwrap_or(4).max(4);
        let mut frame = vec![0; len];
        frame[..4].copy_from_slice(&[
            0xFF,
            version,
            BIT_RATE_INDEX << 4 | self.rate_index << 2,
            mode,
        ]);
        frame.into()
    }

    /// Bytes of a frame without padding; `None` for the free format and the forbidden index.
    fn frame_bytes(&self, bit_rate_index: u8) -> Option<usize> {
        let table = BIT_RATES[usize::from(!self.version_1)];
        let kilobits = *table.get(usize::from(bit_rate_index.checked_sub(1)?))?;
        let bits = u32::from(kilobits) * 1_000 * self.samples_per_frame();
        Some((bits / 8 / self.sample_rate()) as usize)
    }
}

/// The frames of a message, each with its configuration. What follows the last whole frame is left
/// out; at most `max` are returned.
pub fn frames(message: &Bytes, max: usize) -> Vec<(Mp3Config, Bytes)> {
    let mut frames = Vec::new();
    let mut at = 0;
    while frames.len() < max
        && let Some((config, len)) = message.get(at..).and_then(Mp3Config::parse)
        && at + len <= message.len()
    {
        frames.push((config, message.slice(at..at + len)));
        at += len;
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_tell_rate_channels_and_length() {
        for (name, header, expected) in [
            ("48 kHz 128 kbit/s", [0xFF, 0xFB, 0x94, 0x00], Some((48_000, 2, 1_152, 384))),
            ("44.1 kHz padded", [0xFF, 0xFB, 0x92, 0x40], Some((44_100, 2, 1_152, 418))),
            ("mono", [0xFF, 0xFB, 0x50, 0xC0], Some((44_100, 1, 1_152, 208))),
            ("MPEG-2 24 kHz", [0xFF, 0xF3, 0x84, 0x00], Some((24_000, 2, 576, 192))),
            ("MPEG-2.5", [0xFF, 0xE3, 0x84, 0x00], None),
            ("layer II", [0xFF, 0xFD, 0x94, 0x00], None),
            ("free format", [0xFF, 0xFB, 0x04, 0x00], None),
            ("reserved rate", [0xFF, 0xFB, 0x9C, 0x00], None),
            ("ADTS", [0xFF, 0xF1, 0x4C, 0x80], None),
        ] {
            let parsed = Mp3Config::parse(&header).map(|(config, len)| {
                let samples = config.samples_per_frame();
                (config.sample_rate(), config.channels(), samples, len)
            });
            assert_eq!(parsed, expected, "{name}");
        }
    }

    #[test]
    fn silence_is_a_frame_of_the_same_kind() {
        for header in [[0xFF, 0xFB, 0x94, 0x00], [0xFF, 0xFB, 0x50, 0xC0], [0xFF, 0xF3, 0x84, 0]] {
            let (config, _) = Mp3Config::parse(&header).unwrap();
            let silence = config.silent_frame();
            assert_eq!(Mp3Config::parse(&silence), Some((config, silence.len())));
            let twice = Bytes::from([&silence[..], &silence[..], &[0xFF, 0xFB]].concat());
            assert_eq!(frames(&twice, 64).len(), 2);
            assert_eq!(frames(&twice, 1).len(), 1);
            assert_eq!(frames(&twice.slice(..silence.len() - 1), 64).len(), 0);
        }
    }
}
