//! Protocol and user control messages, types 1 to 6 (RTMP §5.4, §6.2). Accepted on any chunk stream
//! and message stream (CK-13).

use super::chunk::ChunkStreamId;
use super::message::MessageType;
use crate::cursor::{Cursor, UnexpectedEnd};

const STREAM_BEGIN: u16 = 0;
const PING_REQUEST: u16 = 6;
const PING_RESPONSE: u16 = 7;

/// A control message that asks something of the receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Control {
    /// The sender's chunk size, unchecked (CK-11).
    SetChunkSize(u32),
    /// Drop the unfinished message of a chunk stream (CK-12).
    Abort(ChunkStreamId),
    /// Total bytes received, modulo 2^32 (AK-1).
    Acknowledgement(u32),
    /// Acknowledge every so many bytes (AK-1).
    WindowAckSize(u32),
    /// A window the sender wants from us, and how strictly: 2 is dynamic (AK-3).
    SetPeerBandwidth { window: u32, limit: u8 },
    /// A message stream is usable.
    StreamBegin(u32),
    /// Answer with the same word (AK-4).
    PingRequest(u32),
    /// The answer.
    PingResponse(u32),
}

impl Control {
    /// `None` for user control events that ask nothing of us, known or not (AK-4).
    pub(crate) fn parse(kind: MessageType, payload: &[u8]) -> Result<Option<Self>, UnexpectedEnd> {
        let mut input = Cursor::new(payload);
        Ok(Some(match kind {
            MessageType::SetChunkSize => Self::SetChunkSize(input.u32()?),
            MessageType::Abort => Self::Abort(ChunkStreamId(input.u32()?)),
            MessageType::Acknowledgement => Self::Acknowledgement(input.u32()?),
            MessageType::WindowAckSize => Self::WindowAckSize(input.u32()?),
            MessageType::SetPeerBandwidth => {
                let window = input.u32()?;
                // Early encoders leave the limit type out; dynamic is what it means then.
                Self::SetPeerBandwidth { window, limit: input.u8().unwrap_or(2) }
            }
            MessageType::UserControl => match input.u16()? {
                STREAM_BEGIN => Self::StreamBegin(input.u32()?),
                PING_REQUEST => Self::PingRequest(input.u32()?),
                PING_RESPONSE => Self::PingResponse(input.u32()?),
                _ => return Ok(None),
            },
            MessageType::Audio
            | MessageType::Video
            | MessageType::Data0
            | MessageType::Data3
            | MessageType::SharedObject0
            | MessageType::SharedObject3
            | MessageType::Command0
            | MessageType::Command3
            | MessageType::Aggregate
            | MessageType::Unknown(_) => return Ok(None),
        }))
    }

    /// Message type and payload.
    pub(crate) fn write(self) -> (MessageType, Vec<u8>) {
        let user = |event: u16, word: u32| {
            let payload = [&event.to_be_bytes()[..], &word.to_be_bytes()].concat();
            (MessageType::UserControl, payload)
        };
        let word = |kind, word: u32| (kind, word.to_be_bytes().to_vec());
        match self {
            Self::SetChunkSize(size) => word(MessageType::SetChunkSize, size),
            Self::Abort(id) => word(MessageType::Abort, id.0),
            Self::Acknowledgement(total) => word(MessageType::Acknowledgement, total),
            Self::WindowAckSize(window) => word(MessageType::WindowAckSize, window),
            Self::SetPeerBandwidth { window, limit } => {
                let mut payload = window.to_be_bytes().to_vec();
                payload.push(limit);
                (MessageType::SetPeerBandwidth, payload)
            }
            Self::StreamBegin(stream) => user(STREAM_BEGIN, stream),
            Self::PingRequest(stamp) => user(PING_REQUEST, stamp),
            Self::PingResponse(stamp) => user(PING_RESPONSE, stamp),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_control_message_round_trips_and_every_cut_is_noticed() {
        for control in [
            Control::SetChunkSize(4_096),
            Control::Abort(ChunkStreamId(6)),
            Control::Acknowledgement(u32::MAX),
            Control::WindowAckSize(2_500_000),
            Control::SetPeerBandwidth { window: 2_500_000, limit: 1 },
            Control::StreamBegin(1),
            Control::PingRequest(7),
            Control::PingResponse(7),
        ] {
            let (kind, payload) = control.write();
            assert_eq!(Control::parse(kind, &payload), Ok(Some(control)));
            for cut in 0..payload.len() {
                let got = Control::parse(kind, &payload[..cut]);
                let without_limit = cut == 4 && kind == MessageType::SetPeerBandwidth;
                assert_eq!(got.is_err(), !without_limit, "{control:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn ak_4_unknown_user_control_events_are_nothing() {
        for event in [1_u16, 2, 3, 4, 26, 31, 32, 255] {
            let payload = [&event.to_be_bytes()[..], &[0; 8]].concat();
            assert_eq!(Control::parse(MessageType::UserControl, &payload), Ok(None));
        }
    }
}
