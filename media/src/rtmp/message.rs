//! Whole RTMP messages: their types, caps and aggregates (RTMP §5.1, §7.1, CK-17).

use bytes::Bytes;

use crate::cursor::Cursor;
use crate::limits;
use crate::time::RtmpTimestamp;

/// A message stream: 0 for the connection, otherwise what `createStream` gave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct MessageStreamId(pub(crate) u32);

/// One message, put together from its chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) timestamp: RtmpTimestamp,
    pub(crate) kind: MessageType,
    pub(crate) stream: MessageStreamId,
    /// Empty for types that are skipped.
    pub(crate) payload: Bytes,
}

/// Message type ids (RTMP §5.4, §7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MessageType {
    SetChunkSize,
    Abort,
    Acknowledgement,
    UserControl,
    WindowAckSize,
    SetPeerBandwidth,
    Audio,
    Video,
    Data3,
    SharedObject3,
    Command3,
    Data0,
    SharedObject0,
    Command0,
    Aggregate,
    Unknown(u8),
}

impl MessageType {
    pub(crate) const fn from_id(id: u8) -> Self {
        match id {
            1 => Self::SetChunkSize,
            2 => Self::Abort,
            3 => Self::Acknowledgement,
            4 => Self::UserControl,
            5 => Self::WindowAckSize,
            6 => Self::SetPeerBandwidth,
            8 => Self::Audio,
            9 => Self::Video,
            15 => Self::Data3,
            16 => Self::SharedObject3,
            17 => Self::Command3,
            18 => Self::Data0,
            19 => Self::SharedObject0,
            20 => Self::Command0,
            22 => Self::Aggregate,
            id => Self::Unknown(id),
        }
    }

    pub(crate) const fn id(self) -> u8 {
        match self {
            Self::SetChunkSize => 1,
            Self::Abort => 2,
            Self::Acknowledgement => 3,
            Self::UserControl => 4,
            Self::WindowAckSize => 5,
            Self::SetPeerBandwidth => 6,
            Self::Audio => 8,
            Self::Video => 9,
            Self::Data3 => 15,
            Self::SharedObject3 => 16,
            Self::Command3 => 17,
            Self::Data0 => 18,
            Self::SharedObject0 => 19,
            Self::Command0 => 20,
            Self::Aggregate => 22,
            Self::Unknown(id) => id,
        }
    }

    /// The payload is counted and thrown away as it arrives (AM-6, CK-18).
    pub(crate) const fn is_skipped(self) -> bool {
        matches!(self, Self::SharedObject0 | Self::SharedObject3 | Self::Unknown(_))
    }

    /// Largest payload in bytes (1.10).
    pub(crate) const fn len_max(self, stage: Stage) -> usize {
        match (stage, self) {
            (Stage::BeforePublish, _) => limits::MESSAGE_BEFORE_PUBLISH_BYTES_MAX,
            (Stage::Publishing, Self::Audio) => limits::AUDIO_MESSAGE_BYTES_MAX,
            (Stage::Publishing, Self::Data0 | Self::Data3) => limits::DATA_MESSAGE_BYTES_MAX,
            (
                Stage::Publishing,
                Self::Video
                | Self::Aggregate
                | Self::SharedObject0
                | Self::SharedObject3
                | Self::Unknown(_),
            ) => limits::VIDEO_MESSAGE_BYTES_MAX,
            (
                Stage::Publishing,
                Self::SetChunkSize
                | Self::Abort
                | Self::Acknowledgement
                | Self::UserControl
                | Self::WindowAckSize
                | Self::SetPeerBandwidth
                | Self::Command0
                | Self::Command3,
            ) => limits::COMMAND_MESSAGE_BYTES_MAX,
        }
    }
}

/// How far a peer is trusted with memory (1.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// No publish has been accepted: commands only, so little memory.
    BeforePublish,
    /// A publish has been accepted.
    Publishing,
}

impl Stage {
    /// Memory for all unfinished messages together, in bytes (1.10).
    pub(crate) const fn partial_bytes_max(self) -> usize {
        limits::PARTIAL_MESSAGES_PER_CONNECTION
            * match self {
                Self::BeforePublish => limits::MESSAGE_BEFORE_PUBLISH_BYTES_MAX,
                Self::Publishing => limits::VIDEO_MESSAGE_BYTES_MAX,
            }
    }
}

/// The messages inside an aggregate, without copying their payloads (RTMP §7.1.6, CK-17).
///
/// ```text
/// type 1, size 3, time 3, time-high 1, stream 3, payload, back-pointer 4     repeated
/// ```
///
/// The aggregate's stream wins. Sub-times keep their distances and begin at the aggregate's time.
/// The list ends at the first size that does not fit; a missing last back-pointer is tolerated. The
/// flag tells whether everything was read.
pub(crate) fn split_aggregate(aggregate: &Message) -> (Vec<Message>, bool) {
    let mut messages = Vec::new();
    let mut input = Cursor::new(&aggregate.payload);
    let mut shift = None;
    while !input.is_empty() {
        let Some((kind, time, range)) = sub_message(&mut input, aggregate.payload.len()) else {
            return (messages, false);
        };
        let shift = *shift.get_or_insert_with(|| aggregate.timestamp.0.wrapping_sub(time));
        // An aggregate inside an aggregate has no use and no sender.
        if kind != MessageType::Aggregate {
            messages.push(Message {
                timestamp: RtmpTimestamp(time).wrapping_add(shift),
                kind,
                stream: aggregate.stream,
                payload: aggregate.payload.slice(range),
            });
        }
    }
    (messages, true)
}

fn sub_message(
    input: &mut Cursor<'_>,
    total: usize,
) -> Option<(MessageType, u32, std::ops::Range<usize>)> {
    let kind = MessageType::from_id(input.u8().ok()?);
    let size = usize::try_from(input.u24().ok()?).ok()?;
    let low = input.u24().ok()?;
    let high = u32::from(input.u8().ok()?);
    input.u24().ok()?;
    let start = total - input.len();
    input.take(size).ok()?;
    let _back_pointer = input.take(input.len().min(4)).ok()?;
    Some((kind, high << 24 | low, start..start + size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sub(kind: u8, time: u32, payload: &[u8]) -> Vec<u8> {
        let [high, t2, t1, t0] = time.to_be_bytes();
        let [_, s2, s1, s0] = (payload.len() as u32).to_be_bytes();
        let mut bytes = vec![kind, s2, s1, s0, t2, t1, t0, high, 0, 0, 9];
        bytes.extend_from_slice(payload);
        bytes.extend_from_slice(&(payload.len() as u32 + 11).to_be_bytes());
        bytes
    }

    fn aggregate(payload: Vec<u8>) -> Message {
        Message {
            timestamp: RtmpTimestamp(1_000),
            kind: MessageType::Aggregate,
            stream: MessageStreamId(1),
            payload: payload.into(),
        }
    }

    #[test]
    fn ck_17_times_shift_and_the_stream_wins() {
        let body = [sub(9, 0x0100_0000, b"key"), sub(8, 0x0100_0015, b""), sub(9, 0xFFFFFF, b"x")];
        let (messages, whole) = split_aggregate(&aggregate(body.concat()));
        assert!(whole);
        let seen: Vec<_> = messages
            .iter()
            .map(|m| (m.kind.id(), m.timestamp.0, m.stream.0, &m.payload[..]))
            .collect();
        assert_eq!(seen, [(9, 1_000, 1, &b"key"[..]), (8, 1_021, 1, b""), (9, 999, 1, b"x")]);
    }

    #[test]
    fn ck_17_every_cut_keeps_the_messages_before_it() {
        let body = [sub(9, 5, b"first"), sub(8, 7, b"second")].concat();
        for cut in 0..=body.len() {
            let (messages, whole) = split_aggregate(&aggregate(body[..cut].to_vec()));
            let expected = match cut {
                0..16 => 0,
                16..37 => 1,
                _ => 2,
            };
            assert_eq!(messages.len(), expected, "cut at {cut}");
            assert_eq!(whole, matches!(cut, 0 | 16..=20 | 37..), "cut at {cut}");
        }
    }

    #[test]
    fn type_ids_round_trip() {
        for id in 0..=255 {
            assert_eq!(MessageType::from_id(id).id(), id);
        }
    }
}
