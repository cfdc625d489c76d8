//! Replies in the order they leave: chunks of control and command messages.

use bytes::Bytes;

use crate::amf::Value;
use crate::rtmp::chunk::{ChunkStreamId, ChunkWriter};
use crate::rtmp::command::Command;
use crate::rtmp::control::Control;
use crate::rtmp::message::{MessageStreamId, MessageType};

const CONTROL: ChunkStreamId = ChunkStreamId(2);
const COMMANDS: ChunkStreamId = ChunkStreamId(3);
const CONNECTION: MessageStreamId = MessageStreamId(0);

/// Bytes for the socket.
#[derive(Debug)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    writer: ChunkWriter,
}

/// `level` of a status object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Status,
    Error,
}

impl Outbox {
    pub(super) const fn new() -> Self {
        Self { bytes: Vec::new(), writer: ChunkWriter::new() }
    }

    /// Everything not yet taken, in one piece: a handshake answer or a connect reply is one write.
    pub(super) fn take(&mut self) -> Option<Bytes> {
        (!self.bytes.is_empty()).then(|| Bytes::from(std::mem::take(&mut self.bytes)))
    }

    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Where the handshake writes: it comes before all chunks.
    pub(super) const fn raw(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    pub(super) fn control(&mut self, control: Control) {
        let (kind, payload) = control.write();
        self.writer.write(CONTROL, kind, CONNECTION, &payload, &mut self.bytes);
        if let Control::SetChunkSize(size) = control {
            self.writer.set_chunk_size(size);
        }
    }

    /// `_result` of a call (CMD-1).
    pub(super) fn result(&mut self, transaction: f64, values: [Value; 2]) {
        self.command(CONNECTION, "_result", transaction, &values);
    }

    /// `_error` of a call.
    pub(super) fn error(&mut self, transaction: f64, code: &str, description: &str) {
        let status = status_object(Level::Error, code, description);
        self.command(CONNECTION, "_error", transaction, &[Value::Null, status]);
    }

    /// `onStatus` on the message stream the client publishes on: GStreamer ignores any other
    /// (CMD-2).
    pub(super) fn status(
        &mut self,
        stream: MessageStreamId,
        level: Level,
        code: &str,
        description: &str,
    ) {
        let status = status_object(level, code, description);
        self.command(stream, "onStatus", 0.0, &[Value::Null, status]);
    }

    fn command(
        &mut self,
        stream: MessageStreamId,
        name: &str,
        transaction: f64,
        arguments: &[Value],
    ) {
        let payload = Command::write(name, transaction, arguments);
        self.writer.write(COMMANDS, MessageType::Command0, stream, &payload, &mut self.bytes);
    }
}

fn status_object(level: Level, code: &str, description: &str) -> Value {
    let level = match level {
        Level::Status => "status",
        Level::Error => "error",
    };
    Value::object([
        ("level", Value::string(level)),
        ("code", Value::string(code)),
        ("description", Value::string(description)),
    ])
}
