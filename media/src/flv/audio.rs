//! Audio message bodies: classic (FLV E.4.2, AA-1) and Enhanced RTMP (E-RTMP, ER-1 to ER-4).
//!
//! ```text
//! classic:  u8 format(4) rate(2) size(1) type(1) | format 10: u8 packet type | payload
//! enhanced: see super::enhanced
//! ```
//!
//! Rate, size and type say nothing about AAC and MP3 and are not read (SRS #1636). The nanoseconds
//! of a modifier are passed over: sound is placed by counting samples (TS-5).

use bytes::Bytes;

use super::codec_tag::CodecTag;
use super::enhanced::{self, Modifiers, TagError, TrackPacket};
use crate::cursor::Cursor;

/// One audio message: what it carries for each of its tracks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AudioTag {
    /// In the order of the message.
    pub packets: Vec<AudioPacket>,
}

/// One track's share of an audio message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioPacket {
    /// 0 is the default track and that of messages without tracks (ER-3).
    pub track: u8,
    /// The codec its body is written in.
    pub codec: CodecTag,
    /// What it says.
    pub body: AudioBody,
}

/// What an audio packet says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AudioBody {
    /// The codec's configuration, perhaps empty (AA-4).
    SequenceHeader(Bytes),
    /// Coded sound, perhaps empty (AA-4), perhaps in ADTS (AA-6).
    Frames(Bytes),
    /// What the encoder says of its channels; for [`ChannelOrder::parse`](super::ChannelOrder).
    ChannelOrder(Bytes),
    /// Silence from here on, or a packet type that no encoder sends: nothing to package.
    Ignored,
}

const ENHANCED: u8 = 9;
const AAC: u8 = 10;
const MP3: u8 = 2;
const MP3_8_KHZ: u8 = 14;

impl AudioTag {
    /// Splits a message body; payloads share its memory.
    pub fn parse(body: &Bytes) -> Result<Self, TagError> {
        let mut cursor = Cursor::new(body);
        let first = cursor.u8()?;
        let format = first >> 4;
        let rest = |cursor: &Cursor<'_>| body.slice(body.len() - cursor.len()..);
        let body = match format {
            ENHANCED => return Self::parse_enhanced(body, cursor, first & 0x0F),
            AAC => match cursor.u8()? {
                0 => AudioBody::SequenceHeader(rest(&cursor)),
                1 => AudioBody::Frames(rest(&cursor)),
                _ => AudioBody::Ignored,
            },
            MP3 | MP3_8_KHZ => AudioBody::Frames(rest(&cursor)),
            _ => AudioBody::Ignored,
        };
        let packet = AudioPacket { track: 0, codec: CodecTag::Audio(format), body };
        Ok(Self { packets: vec![packet] })
    }

    fn parse_enhanced(
        message: &Bytes,
        mut cursor: Cursor<'_>,
        packet_type: u8,
    ) -> Result<Self, TagError> {
        const MULTITRACK: u8 = 5;
        let Modifiers { packet_type, .. } = Modifiers::parse(&mut cursor, packet_type)?;
        let tracks = enhanced::packets(message, &mut cursor, packet_type, MULTITRACK)?;
        Ok(Self { packets: tracks.into_iter().map(AudioPacket::from).collect() })
    }
}

impl From<TrackPacket> for AudioPacket {
    fn from(packet: TrackPacket) -> Self {
        let TrackPacket { track, four_cc, packet_type, body } = packet;
        let body = match packet_type {
            0 => AudioBody::SequenceHeader(body),
            1 => AudioBody::Frames(body),
            4 => AudioBody::ChannelOrder(body),
            _ => AudioBody::Ignored,
        };
        Self { track, codec: CodecTag::FourCc(four_cc), body }
    }
}

#[cfg(test)]
mod tests {
    use super::super::codec_tag::FourCc;
    use super::*;

    fn tag(track: u8, codec: CodecTag, body: AudioBody) -> AudioTag {
        AudioTag { packets: vec![AudioPacket { track, codec, body }] }
    }

    #[test]
    fn aa1_er4_headers_split_without_reading_the_rate() {
        let header = |bytes: &'static [u8]| AudioBody::SequenceHeader(Bytes::from_static(bytes));
        let frames = |bytes: &'static [u8]| AudioBody::Frames(Bytes::from_static(bytes));
        let classic = CodecTag::Audio;
        let (opus, aac) = (CodecTag::FourCc(FourCc::OPUS), CodecTag::FourCc(FourCc::AAC));
        let order = AudioBody::ChannelOrder(Bytes::from_static(b"\x01\x02\0\0\0\x03"));
        let cases: &[(&str, &[u8], AudioTag)] = &[
            ("header", &[0xAF, 0, 0x12, 0x10], tag(0, classic(10), header(&[0x12, 0x10]))),
            ("mono bits", &[0xA0, 1, 5], tag(0, classic(10), frames(&[5]))),
            ("AA-4: empty header", &[0xAF, 0], tag(0, classic(10), header(&[]))),
            ("AA-4: empty unit", &[0xAF, 1], tag(0, classic(10), frames(&[]))),
            ("unknown packet type", &[0xAF, 7, 1], tag(0, classic(10), AudioBody::Ignored)),
            ("MP3", &[0x2F, 0xFF, 0xFB], tag(0, classic(2), frames(&[0xFF, 0xFB]))),
            ("AA-8: Speex", &[0xB6], tag(0, classic(11), AudioBody::Ignored)),
            ("Opus header", b"\x90OpusOpusHead", tag(0, opus, header(b"OpusHead"))),
            ("Opus packet", b"\x91Opus\xFC\x01", tag(0, opus, frames(b"\xFC\x01"))),
            ("end", b"\x92Opus", tag(0, opus, AudioBody::Ignored)),
            ("order of channels", b"\x94Opus\x01\x02\0\0\0\x03", tag(0, opus, order)),
            ("reserved", b"\x9FOpus\x01", tag(0, opus, AudioBody::Ignored)),
            ("OBS extra track", b"\x95\x01mp4a\x01\x21", tag(1, aac, frames(b"\x21"))),
            ("TS-7", b"\x97\x02\x07\xA1\x20\x01Opus\x05", tag(0, opus, frames(b"\x05"))),
        ];
        for (name, body, expected) in cases {
            let parsed = AudioTag::parse(&Bytes::copy_from_slice(body));
            assert_eq!(parsed.as_ref(), Ok(expected), "{name}");
            for cut in 0..body.len() {
                let _ = AudioTag::parse(&Bytes::copy_from_slice(&body[..cut]));
            }
        }
        for short in [&[][..], &[0xAF], &[0x90, b'O'], b"\x95\x11mp4a\x01\0\0\x09\x21"] {
            assert!(AudioTag::parse(&Bytes::copy_from_slice(short)).is_err(), "{short:?}");
        }
        let many = Bytes::from_static(b"\x95\x21mp4a\x00\0\0\x01\xAAOpus\x01\0\0\x01\xBB");
        let tracks = AudioTag::parse(&many).unwrap();
        let ids: Vec<_> =
            tracks.packets.iter().map(|packet| (packet.track, packet.codec)).collect();
        assert_eq!(ids, [(0, aac), (1, opus)]);
    }
}
