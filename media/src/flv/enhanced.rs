//! Enhanced RTMP headers, read only as far as the codec and track they speak of (ER-1 to ER-3).
//!
//! ```text
//! video: 1 frameType(3) packetType(4) | audio: 1001 packetType(4)
//! while packetType = 7:  u8 n, n + 1 bytes (n = 255: u16 m, m + 1 bytes), u8 type(4) packetType(4)
//! packetType = 6 video, 5 audio:  u8 multitrackType(4) packetType(4), …
//! else  FourCC, body
//! ```

use super::codec_tag::FourCc;
use crate::cursor::{Cursor, UnexpectedEnd};
use crate::limits;

/// What an enhanced message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnhancedHeader {
    /// Its codec; of several tracks, that of the lowest.
    pub four_cc: FourCc,
    /// Lowest track id inside; 0 is the default track and that of messages without tracks (ER-3).
    pub track: u8,
}

const MODIFIER: u8 = 7;
/// Tracks without a size field, with one codec for all, and with a codec each.
const ONE_TRACK: u8 = 0;
const MANY_TRACKS_MANY_CODECS: u8 = 2;

impl EnhancedHeader {
    /// Reads from the second byte of the message on. `packet_type` is the low half of the first,
    /// `multitrack` the packet type that means several tracks.
    pub(super) fn parse(
        cursor: &mut Cursor<'_>,
        mut packet_type: u8,
        multitrack: u8,
    ) -> Result<Self, UnexpectedEnd> {
        for _ in 0..limits::MODIFIERS_MAX {
            if packet_type != MODIFIER {
                break;
            }
            let len = match cursor.u8()? {
                u8::MAX => usize::from(cursor.u16()?) + 1,
                short => usize::from(short) + 1,
            };
            cursor.take(len)?;
            packet_type = cursor.u8()? & 0x0F;
        }
        if packet_type == multitrack {
            return Self::parse_tracks(cursor);
        }
        Ok(Self { four_cc: FourCc(cursor.array()?), track: 0 })
    }

    fn parse_tracks(cursor: &mut Cursor<'_>) -> Result<Self, UnexpectedEnd> {
        let kind = cursor.u8()? >> 4;
        if kind == MANY_TRACKS_MANY_CODECS {
            let first = Self { four_cc: FourCc(cursor.array()?), track: cursor.u8()? };
            return Self::lowest(first, cursor, true);
        }
        let first = Self { four_cc: FourCc(cursor.array()?), track: cursor.u8()? };
        if kind == ONE_TRACK { Ok(first) } else { Self::lowest(first, cursor, false) }
    }

    /// Walks over the sized bodies of further tracks; a cut list ends the walk.
    fn lowest(
        first: Self,
        cursor: &mut Cursor<'_>,
        own_codec: bool,
    ) -> Result<Self, UnexpectedEnd> {
        let mut lowest = first;
        loop {
            let len = cursor.u24()?;
            if cursor.take(len as usize).is_err() || cursor.is_empty() {
                return Ok(lowest);
            }
            let four_cc = if own_codec { FourCc(cursor.array()?) } else { first.four_cc };
            let track = cursor.u8()?;
            if track < lowest.track {
                lowest = Self { four_cc, track };
            }
        }
    }
}
