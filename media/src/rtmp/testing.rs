//! Test bench: a client that writes what encoders write, and a driver that plays its bytes to a
//! session in any pieces.

use std::time::{Duration, Instant};

use super::chunk::{ChunkReader, ChunkStreamId};
use super::command::Command;
use super::control::Control;
use super::counters::Quirks;
use super::error::Error;
use super::event::Event;
use super::message::{Message, MessageType, Stage};
use super::{Session, SessionConfig};
use crate::amf::{Value, amf0};

pub(crate) const COMMAND: u8 = 20;
pub(crate) const DATA: u8 = 18;
pub(crate) const AUDIO: u8 = 8;
pub(crate) const VIDEO: u8 = 9;

/// Handshake bytes of either side.
pub(crate) const HANDSHAKE_LEN: usize = 3_073;

/// How a chunk header begins a message; the number is the time or the delta.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Header {
    Full(u32),
    SameStream(u32),
    SameLength(u32),
    Same,
}

/// Writes a publisher's side of a conversation.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) bytes: Vec<u8>,
    chunk_size: usize,
}

impl Client {
    /// After a plain handshake.
    pub(crate) fn plain() -> Self {
        let mut c1 = [0; 1_536];
        c1.iter_mut().skip(8).enumerate().for_each(|(index, byte)| *byte = (index % 249) as u8);
        Self::with_c1(&c1)
    }

    /// After a handshake with this C1; C2 is whatever.
    pub(crate) fn with_c1(c1: &[u8; 1_536]) -> Self {
        let bytes = [&[3], &c1[..], &[0xC2; 1_536]].concat();
        Self { bytes, chunk_size: 128 }
    }

    /// Handshake, `connect`, `createStream` and `publish` of key `k` on message stream 1.
    pub(crate) fn publishing() -> Self {
        let mut client = Self::plain();
        client.connect("live").create_stream().publish(1, "k");
        client
    }

    pub(crate) fn connect(&mut self, app: &str) -> &mut Self {
        let object = Value::object([("app", Value::string(app))]);
        self.command(3, 0, "connect", 1.0, &[object])
    }

    pub(crate) fn create_stream(&mut self) -> &mut Self {
        self.command(3, 0, "createStream", 4.0, &[Value::Null])
    }

    pub(crate) fn publish(&mut self, stream: u32, key: &str) -> &mut Self {
        let arguments = [Value::Null, Value::string(key), Value::string("live")];
        self.command(4, stream, "publish", 5.0, &arguments)
    }

    pub(crate) fn command(
        &mut self,
        id: u8,
        stream: u32,
        name: &str,
        transaction: f64,
        arguments: &[Value],
    ) -> &mut Self {
        let payload = Command::write(name, transaction, arguments);
        self.message(id, Header::Full(0), COMMAND, stream, &payload)
    }

    pub(crate) fn data(&mut self, id: u8, stream: u32, values: &[Value]) -> &mut Self {
        let mut payload = Vec::new();
        values.iter().for_each(|value| amf0::write(value, &mut payload));
        self.message(id, Header::Full(0), DATA, stream, &payload)
    }

    pub(crate) fn set_chunk_size(&mut self, size: u32) -> &mut Self {
        self.control(Control::SetChunkSize(size));
        self.chunk_size = size as usize;
        self
    }

    pub(crate) fn control(&mut self, control: Control) -> &mut Self {
        let (kind, payload) = control.write();
        self.message(2, Header::Full(0), kind.id(), 0, &payload)
    }

    /// What `write` appends, `count` times.
    pub(crate) fn repeat(&mut self, count: usize, write: impl Fn(&mut Self)) -> &mut Self {
        (0..count).for_each(|_| write(self));
        self
    }

    pub(crate) fn message(
        &mut self,
        id: u8,
        header: Header,
        kind: u8,
        stream: u32,
        payload: &[u8],
    ) -> &mut Self {
        let length = &(payload.len() as u32).to_be_bytes()[1..];
        let (format, time) = match header {
            Header::Full(time) => (0, time),
            Header::SameStream(delta) => (1, delta),
            Header::SameLength(delta) => (2, delta),
            Header::Same => (3, 0),
        };
        self.bytes.push(format << 6 | id);
        if format < 3 {
            self.bytes.extend_from_slice(&time.min(0xFF_FFFF).to_be_bytes()[1..]);
        }
        if format < 2 {
            self.bytes.extend_from_slice(length);
            self.bytes.push(kind);
        }
        if format == 0 {
            self.bytes.extend_from_slice(&stream.to_le_bytes());
        }
        let extended = (time >= 0xFF_FFFF).then(|| time.to_be_bytes());
        self.bytes.extend(extended.into_iter().flatten());
        for (index, chunk) in payload.chunks(self.chunk_size).enumerate() {
            if index > 0 {
                self.bytes.push(3 << 6 | id);
                self.bytes.extend(extended.into_iter().flatten());
            }
            self.bytes.extend_from_slice(chunk);
        }
        self
    }
}

/// The moment every test begins.
#[allow(clippy::disallowed_methods, reason = "a test needs one instant to count from")]
pub(crate) fn start() -> Instant {
    Instant::now()
}

/// A session with its owner: takes events and replies, and accepts each publish at once.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) session: Session,
    pub(crate) now: Instant,
    pub(crate) events: Vec<Event>,
    pub(crate) sent: Vec<u8>,
    pub(crate) accepts: bool,
}

impl Driver {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            session: Session::new(now, [7; 32], SessionConfig::default()),
            now,
            events: Vec::new(),
            sent: Vec::new(),
            accepts: true,
        }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let result = self.session.handle_input(self.now, bytes);
        self.drain();
        result?;
        // Held input may have failed once the publish was accepted.
        let overdue = self.session.deadline().is_some_and(|due| due <= self.now);
        if overdue { self.session.handle_timeout(self.now) } else { Ok(()) }
    }

    /// Lets `millis` pass, running every deadline on the way.
    pub(crate) fn pass(&mut self, millis: u64) -> Result<(), Error> {
        let end = self.now + Duration::from_millis(millis);
        while let Some(due) = self.session.deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            let result = self.session.handle_timeout(self.now);
            self.drain();
            result?;
        }
        self.now = end;
        Ok(())
    }

    pub(crate) fn drain(&mut self) {
        while let Some(event) = self.session.poll_event() {
            let asked = matches!(event, Event::PublishRequested(_));
            self.events.push(event);
            if asked && self.accepts {
                self.session.accept_publish(self.now);
            }
        }
        while let Some(bytes) = self.session.poll_transmit() {
            self.sent.extend_from_slice(&bytes);
        }
    }

    /// What was sent after the handshake.
    pub(crate) fn replies(&self) -> Vec<Reply> {
        replies(&self.sent[HANDSHAKE_LEN..])
    }

    /// Codes of the `onStatus` replies with their message streams.
    pub(crate) fn statuses(&self) -> Vec<(u32, String)> {
        let status = |reply| match reply {
            Reply::Command { stream, name, arguments, .. } if name == "onStatus" => {
                let code = arguments[1].property("code").and_then(Value::as_str);
                Some((stream, code.unwrap().to_owned()))
            }
            Reply::Command { .. } | Reply::Control(_) => None,
        };
        self.replies().into_iter().filter_map(status).collect()
    }
}

/// A message from the server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reply {
    Control(Control),
    Command { stream: u32, name: String, transaction: f64, arguments: Vec<Value> },
}

/// Reads the server's chunks as a client does. Every message must be readable and non-empty
/// (srs #3767).
pub(crate) fn replies(mut bytes: &[u8]) -> Vec<Reply> {
    let mut reader = ChunkReader::new();
    reader.set_stage(Stage::Publishing);
    let mut replies = Vec::new();
    while let Some(message) = reader.read(&mut bytes, &mut Quirks::default()).unwrap() {
        let reply = reply(&message);
        if let Reply::Control(Control::SetChunkSize(size)) = reply {
            reader.set_chunk_size(size as usize);
        }
        replies.push(reply);
    }
    assert!(!reader.is_inside_message(), "the server sent half a message");
    replies
}

fn reply(message: &Message) -> Reply {
    if message.kind == MessageType::Command0 {
        let Command { name, transaction, arguments } = Command::parse(message).unwrap();
        return Reply::Command { stream: message.stream.0, name, transaction, arguments };
    }
    Reply::Control(Control::parse(message.kind, &message.payload).unwrap().unwrap())
}

/// Plays `bytes` whole, byte by byte and in two pieces cut at every position. All give the same
/// events and the same replies. Left out, because a debug build is slow: most cuts of the
/// handshake, whose own test cuts it everywhere, and cuts deep inside a run of equal payload bytes.
pub(crate) fn play(bytes: &[u8]) -> Driver {
    let now = start();
    let mut whole = Driver::new(now);
    whole.feed(bytes).unwrap();
    let mut single = Driver::new(now);
    bytes.chunks(1).for_each(|byte| single.feed(byte).unwrap());
    assert_eq!(single.events, whole.events, "byte by byte");
    assert_eq!(single.sent, whole.sent, "byte by byte");
    let around = |cut: usize| &bytes[cut - 16..bytes.len().min(cut + 16)];
    let is_telling = |cut: &usize| around(*cut).windows(2).any(|pair| pair[0] != pair[1]);
    let in_handshake = (0..HANDSHAKE_LEN).step_by(61);
    for cut in in_handshake.chain((HANDSHAKE_LEN..=bytes.len()).filter(is_telling)) {
        let mut pieces = Driver::new(now);
        pieces.feed(&bytes[..cut]).unwrap();
        pieces.feed(&bytes[cut..]).unwrap();
        assert_eq!(pieces.events, whole.events, "cut at {cut}");
        assert_eq!(pieces.sent, whole.sent, "cut at {cut}");
        assert_eq!(pieces.session.buffered_bytes(), 0, "cut at {cut}");
    }
    whole
}

/// Chunk stream ids as control messages name them.
pub(crate) const fn chunk_stream(id: u32) -> ChunkStreamId {
    ChunkStreamId(id)
}
