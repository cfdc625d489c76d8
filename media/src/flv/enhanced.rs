//! Enhanced RTMP messages to packets of single tracks (E-RTMP, ER-1 to ER-3; media reference
//! §1.11).
//!
//! ```text
//! video: 1 frameType(3) packetType(4) | audio: 1001 packetType(4)
//! while packetType = 7:  u8 n, n + 1 bytes (n = 255: u16 m, m + 1 bytes), u8 type(4) packetType(4)
//! packetType = 6 video, 5 audio:  u8 multitrackType(4) packetType(4), then tracks
//! else  FourCC, body
//! ```
//!
//! The walk is the same for both kinds of message; what packet types and bodies mean is told by
//! [`super::video`] and [`super::audio`]. A message that is cut short or breaks a rule of the
//! layout is refused as a whole.

use bytes::Bytes;
use thiserror::Error;

use super::codec_tag::FourCc;
use crate::cursor::{Cursor, UnexpectedEnd};
use crate::limits;

/// Why a message body cannot be read. The peer's fault; the session goes on without the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TagError {
    /// The body ended inside a field.
    #[error("the tag is cut short: {0}")]
    Short(#[from] UnexpectedEnd),
    /// More modifiers than any sender has use for (ER-2).
    #[error("more than {} modifiers before the packet", limits::MODIFIERS_MAX)]
    Modifiers,
    /// A reserved multitrackType, or several tracks inside several tracks (ER-1).
    #[error("multitrack type {kind} with packet type {packet_type}")]
    Multitrack {
        /// multitrackType as read.
        kind: u8,
        /// Inner packetType as read.
        packet_type: u8,
    },
    /// More tracks than there are ids.
    #[error("more than {} tracks in one message", limits::TRACKS_PER_MESSAGE_MAX)]
    Tracks,
}

/// One track's share of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TrackPacket {
    /// 0 is the default track and that of messages without tracks (ER-3).
    pub(super) track: u8,
    pub(super) four_cc: FourCc,
    pub(super) packet_type: u8,
    pub(super) body: Bytes,
}

/// What the modifiers before a packet said.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Modifiers {
    /// The packet type behind them.
    pub(super) packet_type: u8,
    /// TimestampOffsetNano: added to the presentation time (TS-7), 0..=999999.
    pub(super) nanos: u32,
}

impl Modifiers {
    /// Reads from the second byte of the message on; `packet_type` is the low half of the first.
    pub(super) fn parse(cursor: &mut Cursor<'_>, packet_type: u8) -> Result<Self, TagError> {
        const MODIFIER: u8 = 7;
        const TIMESTAMP_OFFSET_NANO: u8 = 0;
        const NANOS_MAX: u32 = 999_999;
        let mut modifiers = Self { packet_type, nanos: 0 };
        let mut count = 0;
        while modifiers.packet_type == MODIFIER {
            count += 1;
            if count > limits::MODIFIERS_MAX {
                return Err(TagError::Modifiers);
            }
            let len = match cursor.u8()? {
                u8::MAX => usize::from(cursor.u16()?) + 1,
                short => usize::from(short) + 1,
            };
            let data = cursor.take(len)?;
            let next = cursor.u8()?;
            modifiers.packet_type = next & 0x0F;
            // Other kinds are passed over, and so is an offset of a millisecond and more (ER-1).
            if next >> 4 == TIMESTAMP_OFFSET_NANO
                && let Ok(nanos @ 0..=NANOS_MAX) = Cursor::new(data).u24()
            {
                modifiers.nanos = nanos;
            }
        }
        Ok(modifiers)
    }
}

/// Reads what follows the modifiers: one packet, or one for each track. `multitrack` is the packet
/// type that means several tracks.
pub(super) fn packets(
    message: &Bytes,
    cursor: &mut Cursor<'_>,
    packet_type: u8,
    multitrack: u8,
) -> Result<Vec<TrackPacket>, TagError> {
    if packet_type != multitrack {
        let four_cc = FourCc(cursor.array()?);
        let body = take_bytes(message, cursor, cursor.len())?;
        return Ok(vec![TrackPacket { track: 0, four_cc, packet_type, body }]);
    }
    /// Tracks without a size field, with one codec for all, and with a codec each.
    const ONE_TRACK: u8 = 0;
    const MANY_TRACKS: u8 = 1;
    const MANY_TRACKS_MANY_CODECS: u8 = 2;
    let second = cursor.u8()?;
    let (kind, packet_type) = (second >> 4, second & 0x0F);
    if kind > MANY_TRACKS_MANY_CODECS || packet_type == multitrack {
        return Err(TagError::Multitrack { kind, packet_type });
    }
    let common = if kind <= MANY_TRACKS { Some(FourCc(cursor.array()?)) } else { None };
    let mut packets = Vec::new();
    loop {
        let four_cc = match common {
            Some(four_cc) => four_cc,
            None => FourCc(cursor.array()?),
        };
        let track = cursor.u8()?;
        let len = if kind == ONE_TRACK { cursor.len() } else { cursor.u24()? as usize };
        let body = take_bytes(message, cursor, len)?;
        packets.push(TrackPacket { track, four_cc, packet_type, body });
        if cursor.is_empty() {
            return Ok(packets);
        }
        if packets.len() == limits::TRACKS_PER_MESSAGE_MAX {
            return Err(TagError::Tracks);
        }
    }
}

/// The next bytes, sharing the message's memory.
fn take_bytes(
    message: &Bytes,
    cursor: &mut Cursor<'_>,
    len: usize,
) -> Result<Bytes, UnexpectedEnd> {
    let start = message.len() - cursor.len();
    cursor.take(len)?;
    Ok(message.slice(start..start + len))
}
