//! Messages to chunks (RTMP §5.3). Replies are few and small, so every message begins with a full
//! header (format 0) at time 0 and goes on with format 3.

use super::{ChunkStreamId, DEFAULT_CHUNK_SIZE};
use crate::rtmp::message::{MessageStreamId, MessageType};

const FORMAT_3: u8 = 3 << 6;

/// Writes the chunks of one direction.
#[derive(Debug)]
pub(crate) struct ChunkWriter {
    chunk_size: usize,
}

impl ChunkWriter {
    pub(crate) const fn new() -> Self {
        Self { chunk_size: DEFAULT_CHUNK_SIZE }
    }

    /// For the next message; the peer must be told first.
    pub(crate) fn set_chunk_size(&mut self, size: u32) {
        self.chunk_size = usize::try_from(size).unwrap_or(usize::MAX).max(1);
    }

    /// Appends one message. `id` is at most 63 and `payload` below 16 MiB: both are ours.
    pub(crate) fn write(
        &self,
        id: ChunkStreamId,
        kind: MessageType,
        stream: MessageStreamId,
        payload: &[u8],
        out: &mut Vec<u8>,
    ) {
        let basic = u8::try_from(id.0).unwrap_or(2) & 0x3F;
        let [_, length @ ..] = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
        out.extend_from_slice(&[basic, 0, 0, 0]);
        out.extend_from_slice(&length);
        out.push(kind.id());
        out.extend_from_slice(&stream.0.to_le_bytes());
        for (index, chunk) in payload.chunks(self.chunk_size).enumerate() {
            if index > 0 {
                out.push(FORMAT_3 | basic);
            }
            out.extend_from_slice(chunk);
        }
    }
}
