//! The chunk layer: messages cut in pieces and interleaved (RTMP §5.3, CK-1 to CK-18).

mod header;
mod reader;
mod stream;
mod writer;

pub(crate) use reader::ChunkReader;
pub(crate) use writer::ChunkWriter;

/// Chunk size of both directions until Set Chunk Size changes it (CK-11).
const DEFAULT_CHUNK_SIZE: usize = 128;

/// 24-bit times with this value stand for a 32-bit field after the header (CK-3).
const EXTENDED: u32 = 0xFF_FFFF;

/// A chunk stream id, 2 to 65599.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChunkStreamId(pub(crate) u32);

#[cfg(test)]
mod tests;
