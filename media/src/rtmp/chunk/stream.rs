//! State of one chunk stream: the last header, the unfinished message, and how the peer writes
//! extended times.

use bytes::Bytes;

use super::ChunkStreamId;
use super::header::TimeField;
use crate::rtmp::counters::Quirks;
use crate::rtmp::message::{Message, MessageStreamId, MessageType};
use crate::time::RtmpTimestamp;

/// A delta that lands this near to the time it is added to was an absolute time (CK-9), in ms.
const ABSOLUTE_TIME_NEARNESS_MS: u32 = 10_000;
/// Only steps beyond this are suspected, in ms.
const PLAUSIBLE_STEP_MS: u32 = 3_600_000;

/// One interleaving lane of a peer.
#[derive(Debug)]
pub(super) struct ChunkStream {
    pub(super) id: ChunkStreamId,
    pub(super) timestamp: RtmpTimestamp,
    /// Added to `timestamp` by a format 3 that begins a message; after format 0 it is the time
    /// field itself (CK-5).
    delta: u32,
    /// The last time field of format 0 to 2, or of a format 3 that began a message (CK-4).
    pub(super) time_field: TimeField,
    pub(super) length: usize,
    pub(super) kind: MessageType,
    pub(super) stream: MessageStreamId,
    /// `Some` from a message's header to its last byte.
    pub(super) partial: Option<Partial>,
    /// Whether continuation chunks repeat the extended time; `None` until one had to (CK-7).
    pub(super) repeats_extended: Option<bool>,
}

/// The part of a message that has arrived.
#[derive(Debug, Default)]
pub(super) struct Partial {
    /// Empty throughout for types that are skipped.
    pub(super) payload: Vec<u8>,
    /// Payload bytes that have arrived, kept or not; less than the message length.
    pub(super) received: usize,
}

impl ChunkStream {
    pub(super) const fn new(id: ChunkStreamId) -> Self {
        Self {
            id,
            timestamp: RtmpTimestamp(0),
            delta: 0,
            time_field: TimeField { value: 0, extended: false },
            length: 0,
            kind: MessageType::Unknown(0),
            stream: MessageStreamId(0),
            partial: None,
            repeats_extended: None,
        }
    }

    /// Format 0 begins a message.
    pub(super) const fn set_time(&mut self, time: TimeField) {
        self.timestamp = RtmpTimestamp(time.value);
        self.delta = time.value;
        self.time_field = time;
    }

    /// Format 1 or 2, or 3 with an extended time, begins a message.
    pub(super) fn advance(&mut self, delta: TimeField, quirks: &mut Quirks) {
        self.time_field = delta;
        self.delta = delta.value;
        if delta.extended && self.is_absolute(delta.value) {
            self.delta = delta.value.wrapping_sub(self.timestamp.0);
            quirks.absolute_extended_times = quirks.absolute_extended_times.saturating_add(1);
        }
        self.advance_again();
    }

    /// Format 3 begins a message.
    pub(super) const fn advance_again(&mut self) {
        self.timestamp = self.timestamp.wrapping_add(self.delta);
    }

    fn is_absolute(&self, value: u32) -> bool {
        let step = RtmpTimestamp(value).since(RtmpTimestamp(0)).unsigned_abs();
        let distance = RtmpTimestamp(value).since(self.timestamp).unsigned_abs();
        step > PLAUSIBLE_STEP_MS && distance <= ABSOLUTE_TIME_NEARNESS_MS
    }

    /// The values a continuation chunk may repeat: the field as sent, or the time it came to
    /// (CK-7).
    pub(super) const fn repeated_times(&self) -> [[u8; 4]; 2] {
        [self.time_field.value.to_be_bytes(), self.timestamp.0.to_be_bytes()]
    }

    /// Payload bytes the message still lacks.
    pub(super) fn missing(&self) -> usize {
        self.length - self.partial.as_ref().map_or(0, |partial| partial.received)
    }

    /// Memory of the unfinished message, in bytes.
    pub(super) fn partial_capacity(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| partial.payload.capacity())
    }

    /// The finished message; the lane is free for the next one.
    pub(super) fn finish(&mut self) -> Message {
        let payload = self.partial.take().map(|partial| Bytes::from(partial.payload));
        Message {
            timestamp: self.timestamp,
            kind: self.kind,
            stream: self.stream,
            payload: payload.unwrap_or_default(),
        }
    }
}
