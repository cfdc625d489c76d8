//! Multichannel configurations of Enhanced RTMP (E-RTMP, AudioPacketType.MultichannelConfig).
//!
//! ```text
//! u8 order, u8 channels, order 1: u32 mask of speakers | order 2: u8 speaker[channels]
//! ```

use crate::cursor::Cursor;

/// What an encoder says of its channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelOrder {
    /// How many there are, at least 1.
    pub channels: u8,
    /// They stand in an order of the encoder's own, which no codec's configuration can tell a
    /// player.
    pub custom: bool,
}

const NATIVE: u8 = 1;
const CUSTOM: u8 = 2;
/// Front left and right, or the one in the middle: the orders of stereo and mono in every codec.
const STEREO: [u8; 2] = [0, 1];
const MONO: [u8; 1] = [2];

impl ChannelOrder {
    /// Reads the body of a MultichannelConfig packet; `None` where it cannot be read.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(body);
        let (order, channels) = (cursor.u8().ok()?, cursor.u8().ok()?);
        let custom = match order {
            NATIVE => {
                cursor.take(4).ok()?;
                false
            }
            CUSTOM => {
                let speakers = cursor.take(usize::from(channels)).ok()?;
                speakers != STEREO && speakers != MONO
            }
            // Unspecified, and what later versions may add.
            _ => false,
        };
        (channels > 0).then_some(Self { channels, custom })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_or_left_out() {
        let found = |channels, custom| Some(ChannelOrder { channels, custom });
        let cases: [(&str, &[u8], _); 8] = [
            ("unspecified", &[0, 6], found(6, false)),
            ("native 5.1", &[1, 6, 0, 0, 0, 0x3F], found(6, false)),
            ("custom stereo in the usual order", &[2, 2, 0, 1], found(2, false)),
            ("custom mono", &[2, 1, 2], found(1, false)),
            ("custom stereo turned round", &[2, 2, 1, 0], found(2, true)),
            ("custom 5.1", &[2, 6, 0, 1, 2, 3, 4, 5], found(6, true)),
            ("no channel", &[0, 0], None),
            ("later order", &[9, 3], found(3, false)),
        ];
        for (case, body, want) in cases {
            assert_eq!(ChannelOrder::parse(body), want, "{case}");
            for cut in 0..body.len() {
                assert_eq!(ChannelOrder::parse(&body[..cut]), None, "{case} cut at {cut}");
            }
        }
    }
}
