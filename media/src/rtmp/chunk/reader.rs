//! Socket bytes to messages (RTMP §5.3, CK-1 to CK-18).
//!
//! Memory follows the bytes that have arrived, never the length a header announces: every
//! unfinished message grows by what came, within one budget for the connection (1.10). A payload is
//! copied once when it lies whole in the input.

use super::header::{BasicHeader, HEADER_LEN_MAX, MessageHeader, TimeField};
use super::stream::{ChunkStream, Partial};
use super::{ChunkStreamId, DEFAULT_CHUNK_SIZE};
use crate::cursor::Cursor;
use crate::limits;
use crate::rtmp::counters::Quirks;
use crate::rtmp::error::Error;
use crate::rtmp::message::{Message, MessageType, Stage};

/// Puts messages together from the chunks of one peer.
#[derive(Debug)]
pub(crate) struct ChunkReader {
    /// The peer's chunk size, `1..=CHUNK_BYTES_MAX`.
    chunk_size: usize,
    stage: Stage,
    streams: Vec<ChunkStream>,
    /// Bytes that could not be read yet: the beginning of a header, at most HEADER_LEN_MAX. They
    /// come before the next input.
    carry: Vec<u8>,
    /// The chunk whose payload is arriving.
    open: Option<OpenChunk>,
    /// Sum of the capacities of all unfinished messages.
    partial_bytes: usize,
}

/// `left` payload bytes are to come for `streams[stream]`.
#[derive(Debug, Clone, Copy)]
struct OpenChunk {
    stream: usize,
    left: usize,
}

/// A whole chunk header.
struct Header {
    basic: BasicHeader,
    message: MessageHeader,
    /// Extended time of a format 3 chunk.
    extended: Option<u32>,
    /// Whether this chunk settled how the peer continues extended times (CK-7).
    repeats_extended: Option<bool>,
    len: usize,
}

impl ChunkReader {
    pub(crate) fn new() -> Self {
        Self {
            chunk_size: DEFAULT_CHUNK_SIZE,
            stage: Stage::BeforePublish,
            streams: Vec::new(),
            carry: Vec::with_capacity(HEADER_LEN_MAX),
            open: None,
            partial_bytes: 0,
        }
    }

    /// From the peer's next chunk on (CK-11). The caller refuses 0.
    pub(crate) fn set_chunk_size(&mut self, size: usize) {
        self.chunk_size = size.clamp(1, limits::CHUNK_BYTES_MAX);
    }

    /// Which caps hold for messages that begin from now on.
    pub(crate) const fn set_stage(&mut self, stage: Stage) {
        self.stage = stage;
    }

    /// Drops the unfinished message of a chunk stream; its header stays for later chunks (CK-12).
    pub(crate) fn abort(&mut self, id: ChunkStreamId) {
        if let Some(stream) = self.streams.iter_mut().find(|stream| stream.id == id) {
            self.partial_bytes -= stream.partial_capacity();
            stream.partial = None;
        }
    }

    /// A message or a header has begun and not ended.
    pub(crate) fn is_inside_message(&self) -> bool {
        !self.carry.is_empty() || self.streams.iter().any(|stream| stream.partial.is_some())
    }

    /// Bytes held.
    pub(crate) fn buffered_bytes(&self) -> usize {
        self.partial_bytes + self.carry.len()
    }

    /// Takes bytes from the front of `input` up to the end of the next message. `None` when the
    /// input is used up.
    pub(crate) fn read(
        &mut self,
        input: &mut &[u8],
        quirks: &mut Quirks,
    ) -> Result<Option<Message>, Error> {
        loop {
            if self.open.is_none() && !self.read_header(input, quirks)? {
                return Ok(None);
            }
            let Some(open) = self.open else { return Ok(None) };
            let left = open.left - self.append_up_to(&open, input)?;
            if left > 0 {
                self.open = Some(OpenChunk { left, ..open });
                if input.is_empty() {
                    return Ok(None);
                }
                continue;
            }
            self.open = None;
            let stream = &mut self.streams[open.stream];
            if stream.missing() == 0 {
                self.partial_bytes -= stream.partial_capacity();
                return Ok(Some(stream.finish()));
            }
        }
    }

    /// Moves payload bytes of the open chunk out of the carry or, when that is empty, the input.
    fn append_up_to(&mut self, open: &OpenChunk, input: &mut &[u8]) -> Result<usize, Error> {
        if self.carry.is_empty() {
            let (arrived, rest) = input.split_at(open.left.min(input.len()));
            *input = rest;
            self.append(open.stream, arrived, rest.len())?;
            return Ok(arrived.len());
        }
        let len = open.left.min(self.carry.len());
        let arrived: Vec<u8> = self.carry.drain(..len).collect();
        self.append(open.stream, &arrived, input.len())?;
        Ok(len)
    }

    /// Reads a header across input boundaries and opens its chunk. False when more is needed.
    fn read_header(&mut self, input: &mut &[u8], quirks: &mut Quirks) -> Result<bool, Error> {
        if self.carry.is_empty() {
            let Some(header) = self.parse_header(input)? else {
                // No header is longer than HEADER_LEN_MAX, so this is a short rest.
                self.carry.extend_from_slice(input);
                *input = &[];
                return Ok(false);
            };
            *input = &input[header.len..];
            self.begin_chunk(&header, quirks)?;
            return Ok(true);
        }
        let held = self.carry.len();
        let topped_up = input.len().min(HEADER_LEN_MAX.saturating_sub(held));
        self.carry.extend_from_slice(&input[..topped_up]);
        let Some(header) = self.parse_header(&self.carry)? else {
            *input = &input[topped_up..];
            return Ok(false);
        };
        // Bytes held for a peek may turn out to be payload (CK-7): those stay in the carry.
        *input = &input[header.len.saturating_sub(held)..];
        self.carry.truncate(held);
        self.carry.drain(..header.len.min(held));
        self.begin_chunk(&header, quirks)?;
        Ok(true)
    }

    /// `None` when `bytes` end inside the header.
    fn parse_header(&self, bytes: &[u8]) -> Result<Option<Header>, Error> {
        let mut input = Cursor::new(bytes);
        let Ok(basic) = BasicHeader::parse(&mut input) else { return Ok(None) };
        let Ok(message) = MessageHeader::parse(basic.format, &mut input) else { return Ok(None) };
        let mut header = Header { basic, message, extended: None, repeats_extended: None, len: 0 };
        if message == MessageHeader::Same {
            let stream = self.streams.iter().find(|stream| stream.id == basic.id);
            let Some(stream) = stream else {
                return Err(header_before_message(&basic));
            };
            if stream.time_field.extended
                && !self.read_repeated_time(stream, &mut input, &mut header)
            {
                return Ok(None);
            }
        }
        header.len = bytes.len() - input.len();
        Ok(Some(header))
    }

    /// The extended time of a format 3 chunk, if it is there. False when more bytes are needed to
    /// tell (CK-4, CK-6, CK-7).
    fn read_repeated_time(
        &self,
        stream: &ChunkStream,
        input: &mut Cursor<'_>,
        header: &mut Header,
    ) -> bool {
        let begins_message = stream.partial.is_none();
        match (begins_message, stream.repeats_extended) {
            (false, Some(false)) => return true,
            (true, _) | (false, Some(true)) => {}
            (false, None) => {
                let seen = &input.rest()[..input.len().min(4)];
                let repeated = stream.repeated_times().iter().any(|time| time.starts_with(seen));
                if repeated && seen.len() < 4 {
                    return false;
                }
                header.repeats_extended = Some(repeated);
                if !repeated {
                    return true;
                }
            }
        }
        match input.u32() {
            Ok(value) => {
                header.extended = Some(value);
                true
            }
            Err(_) => false,
        }
    }

    /// Applies a header to its chunk stream and opens the chunk.
    fn begin_chunk(&mut self, header: &Header, quirks: &mut Quirks) -> Result<(), Error> {
        let index = self.stream_index(&header.basic, quirks)?;
        let stream = &mut self.streams[index];
        if let Some(repeats) = header.repeats_extended {
            stream.repeats_extended = Some(repeats);
            quirks.omitted_extended_times += u32::from(!repeats);
        }
        match (header.message, &stream.partial) {
            (MessageHeader::Full { .. }, Some(_)) => {
                self.partial_bytes -= stream.partial_capacity();
                stream.partial = None;
                quirks.replaced_messages = quirks.replaced_messages.saturating_add(1);
                self.begin_message(index, header, quirks)?;
            }
            (_, None) => self.begin_message(index, header, quirks)?,
            (MessageHeader::SameStream { length, .. }, Some(_)) if length != stream.length => {
                return Err(Error::MessageInsideMessage {
                    chunk_stream: stream.id.0,
                    unfinished: stream.length,
                    announced: length,
                });
            }
            (MessageHeader::SameStream { .. } | MessageHeader::SameLength { .. }, Some(_)) => {
                quirks.repeated_headers = quirks.repeated_headers.saturating_add(1);
            }
            (MessageHeader::Same, Some(_)) => {}
        }
        let left = self.streams[index].missing().min(self.chunk_size);
        self.open = Some(OpenChunk { stream: index, left });
        Ok(())
    }

    fn begin_message(
        &mut self,
        index: usize,
        header: &Header,
        quirks: &mut Quirks,
    ) -> Result<(), Error> {
        let stream = &mut self.streams[index];
        match header.message {
            MessageHeader::Full { time, length, kind, stream: message_stream } => {
                stream.set_time(time);
                (stream.length, stream.kind, stream.stream) = (length, kind, message_stream);
            }
            MessageHeader::SameStream { delta, length, kind } => {
                stream.advance(delta, quirks);
                (stream.length, stream.kind) = (length, kind);
            }
            MessageHeader::SameLength { delta } => stream.advance(delta, quirks),
            MessageHeader::Same => match header.extended {
                Some(value) => stream.advance(TimeField { value, extended: true }, quirks),
                None => stream.advance_again(),
            },
        }
        check_length(stream.kind, stream.length, self.stage)?;
        if self.partial_bytes > 0 {
            self.take_back_room();
        }
        self.streams[index].partial = Some(Partial::default());
        Ok(())
    }

    /// Another message begins before those that have begun are whole: the bytes at hand are not
    /// all theirs, and what was made ready for them goes back. Rare, since most peers send one
    /// message at a time.
    fn take_back_room(&mut self) {
        self.partial_bytes = 0;
        for partial in self.streams.iter_mut().filter_map(|stream| stream.partial.as_mut()) {
            partial.payload.shrink_to(2 * partial.payload.len());
            self.partial_bytes += partial.payload.capacity();
        }
    }

    fn stream_index(&mut self, basic: &BasicHeader, quirks: &mut Quirks) -> Result<usize, Error> {
        if let Some(index) = self.streams.iter().position(|stream| stream.id == basic.id) {
            return Ok(index);
        }
        if basic.format >= 2 {
            return Err(header_before_message(basic));
        }
        if self.streams.len() >= limits::CHUNK_STREAMS_MAX {
            return Err(Error::TooManyChunkStreams { chunk_stream: basic.id.0 });
        }
        quirks.short_first_headers += u32::from(basic.format == 1);
        self.streams.push(ChunkStream::new(basic.id));
        Ok(self.streams.len() - 1)
    }

    /// Adds payload bytes. `following` more bytes of input are at hand and are likely to belong to
    /// the same message if it is the only one that has begun, so room is made for them at once;
    /// else, and past that, the buffer doubles.
    fn append(&mut self, index: usize, bytes: &[u8], following: usize) -> Result<(), Error> {
        let stream = &mut self.streams[index];
        let Some(partial) = &mut stream.partial else { return Ok(()) };
        partial.received += bytes.len();
        if stream.kind.is_skipped() || bytes.is_empty() {
            return Ok(());
        }
        let payload = &mut partial.payload;
        let (held, needed) = (payload.capacity(), payload.len() + bytes.len());
        if needed > held {
            let ready = if self.partial_bytes == held { following } else { 0 };
            let wanted = (needed + ready).max(2 * held).min(stream.length);
            let max = self.stage.partial_bytes_max();
            if self.partial_bytes - held + wanted > max {
                let needed = self.partial_bytes - held + wanted;
                return Err(Error::PartialMessagesTooLarge { needed, max });
            }
            payload.reserve_exact(wanted - payload.len());
            self.partial_bytes += payload.capacity() - held;
        }
        payload.extend_from_slice(bytes);
        Ok(())
    }
}

const fn header_before_message(basic: &BasicHeader) -> Error {
    Error::HeaderBeforeMessage { chunk_stream: basic.id.0, format: basic.format }
}

fn check_length(kind: MessageType, announced: usize, stage: Stage) -> Result<(), Error> {
    let max = kind.len_max(stage);
    if announced > max {
        return Err(Error::MessageTooLarge { kind: kind.id(), announced, max });
    }
    Ok(())
}
