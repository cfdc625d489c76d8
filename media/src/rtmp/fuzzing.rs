//! Fuzz targets of this folder: chunks in any pieces, and a whole session under every order of
//! input, time and decisions.

use std::time::{Duration, Instant};

use super::chunk::{ChunkReader, ChunkStreamId};
use super::command::Command;
use super::counters::Quirks;
use super::message::{Message, MessageType, Stage};
use super::{Error, Event, Refusal, Session, SessionConfig};
use crate::amf::Value;
use crate::fuzzing::Choices;
use crate::limits;

/// Bytes that a session may hold for its peer: unfinished messages, held input, replies.
const BUFFERED_BYTES_MAX: usize = limits::VIDEO_MESSAGE_BYTES_MAX
    * limits::PARTIAL_MESSAGES_PER_CONNECTION
    + limits::HELD_INPUT_BYTES_MAX
    + limits::REPLY_BACKLOG_BYTES_MAX
    + (1 << 20);

/// Chunks whole and in pieces: the same messages, the same error, memory in proportion to what
/// arrived.
pub fn rtmp_chunk(data: &[u8]) {
    let mut choices = Choices::new(data);
    let stage = choices.pick(&[Stage::BeforePublish, Stage::Publishing]);
    let piece = usize::from(choices.byte()).max(1);
    let input = choices.rest();
    let whole = read_chunks(stage, [input].into_iter());
    let pieces = read_chunks(stage, input.chunks(piece));
    assert_eq!(whole, pieces, "in pieces of {piece}");
}

fn read_chunks<'a>(
    stage: Stage,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> (Vec<Message>, Option<String>) {
    let mut reader = ChunkReader::new();
    reader.set_stage(stage);
    let mut quirks = Quirks::default();
    let mut messages = Vec::new();
    let mut arrived = 0;
    for mut piece in pieces {
        arrived += piece.len();
        loop {
            match reader.read(&mut piece, &mut quirks) {
                Ok(Some(message)) => {
                    obey(&mut reader, &message);
                    messages.push(message);
                }
                Ok(None) => break,
                Err(error) => return (messages, Some(error.to_string())),
            }
        }
        let held = reader.buffered_bytes();
        assert!(held <= 2 * arrived + 64 * limits::CHUNK_STREAMS_MAX, "{held} of {arrived}");
    }
    (messages, None)
}

/// Chunk size and abort, as a session obeys them.
fn obey(reader: &mut ChunkReader, message: &Message) {
    let Some(&[a, b, c, d]) = message.payload.first_chunk() else { return };
    let number = u32::from_be_bytes([a, b, c, d]);
    match message.kind {
        MessageType::SetChunkSize if number > 0 => reader.set_chunk_size(number as usize),
        MessageType::Abort => reader.abort(ChunkStreamId(number)),
        _ => {}
    }
}

/// A session through input, time and decisions in any order. Two sessions get the same: one its
/// input whole, the other in pieces; what they tell must be equal.
pub fn rtmp_session(now: Instant, data: &[u8]) {
    let mut choices = Choices::new(data);
    let prologue = choices.pick(&[Prologue::None, Prologue::Handshake, Prologue::Publishing]);
    let piece = usize::from(choices.byte()).max(1);
    let mut whole = Peer::new(now, usize::MAX);
    let mut pieces = Peer::new(now, piece);
    let opening = prologue.bytes();
    let mut scripts = [&mut whole, &mut pieces];
    for peer in &mut scripts {
        peer.feed(&opening);
        if prologue == Prologue::Publishing {
            peer.session.accept_publish(peer.now);
            peer.drain();
        }
    }
    while !choices.is_empty() {
        let step = Step::read(&mut choices);
        for peer in &mut scripts {
            peer.take(&step);
        }
    }
    // The pace is measured from the end of a piece, so this one verdict may differ.
    if whole.is_too_slow() || pieces.is_too_slow() {
        let same = whole.told.starts_with(&pieces.told) || pieces.told.starts_with(&whole.told);
        assert!(same, "in pieces of {piece}");
        return;
    }
    assert_eq!(whole.told, pieces.told, "in pieces of {piece}");
    let texts = [whole, pieces].map(|peer| peer.error.map(|error| error.to_string()));
    assert_eq!(texts[0], texts[1], "in pieces of {piece}");
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Prologue {
    None,
    Handshake,
    Publishing,
}

impl Prologue {
    /// What a well-behaved publisher sends up to here.
    fn bytes(self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if self == Self::None {
            return bytes;
        }
        bytes.push(3);
        bytes.extend([0; 2 * 1_536]);
        if self == Self::Publishing {
            let app = Value::object([("app", Value::string("live"))]);
            let key = [Value::Null, Value::string("k"), Value::string("live")];
            for (stream, name, arguments) in [
                (0, "connect", &[app][..]),
                (0, "createStream", &[Value::Null]),
                (1, "publish", &key),
            ] {
                let payload = Command::write(name, 1.0, arguments);
                let [_, _, high, low] = (payload.len() as u32).to_be_bytes();
                // Format 0 on chunk stream 3, time 0, type 20.
                bytes.extend([3, 0, 0, 0, 0, high, low, 20, stream, 0, 0, 0]);
                bytes.extend(payload);
            }
        }
        bytes
    }
}

/// One thing that happens to a session.
enum Step<'a> {
    Input(&'a [u8]),
    /// Time passes; deadlines on the way are kept, unless the owner is late.
    Pass {
        millis: u64,
        late: bool,
    },
    Accept,
    Refuse,
    End,
}

impl<'a> Step<'a> {
    fn read(choices: &mut Choices<'a>) -> Self {
        match choices.byte() {
            0..=0xBF => {
                let len = usize::from(choices.u16());
                Self::Input(choices.bytes(len))
            }
            0xC0..=0xDF => Self::Pass { millis: u64::from(choices.u16()), late: choices.yes() },
            0xE0..=0xF3 => Self::Accept,
            0xF4..=0xFB => Self::Refuse,
            0xFC..=0xFF => Self::End,
        }
    }
}

/// A session and its owner.
struct Peer {
    session: Session,
    now: Instant,
    piece: usize,
    told: String,
    error: Option<Error>,
}

impl Peer {
    const fn is_too_slow(&self) -> bool {
        matches!(self.error, Some(Error::TooSlow { .. }))
    }

    fn new(now: Instant, piece: usize) -> Self {
        let session = Session::new(now, [7; 32], SessionConfig::default());
        Self { session, now, piece, told: String::new(), error: None }
    }

    fn take(&mut self, step: &Step<'_>) {
        match step {
            Step::Input(bytes) => self.feed(bytes),
            Step::Pass { millis, late } => self.pass(Duration::from_millis(*millis), *late),
            Step::Accept => self.session.accept_publish(self.now),
            Step::Refuse => self.session.refuse_publish(self.now, Refusal::WrongKey),
            Step::End => self.session.end(self.now, Refusal::TakenOver),
        }
        self.drain();
        // A failure while held input was read is told by the next call.
        if self.session.deadline().is_some_and(|due| due <= self.now) {
            let result = self.session.handle_timeout(self.now);
            self.note(result);
            self.drain();
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(self.piece) {
            let result = self.session.handle_input(self.now, piece);
            self.note(result);
            self.check();
            // Events wait, as they do when the input came whole.
        }
        self.drain();
    }

    fn pass(&mut self, span: Duration, late: bool) {
        let end = self.now + span;
        while let Some(due) = self.session.deadline().filter(|due| !late && *due <= end) {
            self.now = self.now.max(due);
            let result = self.session.handle_timeout(self.now);
            self.note(result);
            self.drain();
            let next = self.session.deadline();
            assert!(next.is_none_or(|next| next > self.now), "a deadline that does not move");
        }
        self.now = end;
        let result = self.session.handle_timeout(self.now);
        self.note(result);
    }

    fn note(&mut self, result: Result<(), Error>) {
        if let Err(error) = result {
            let _ = error.fault();
            assert!(self.session.is_finished(), "{error} did not finish the session");
            self.error.get_or_insert(error);
        }
    }

    fn drain(&mut self) {
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Video { timestamp, payload } => {
                    self.tell(&format!("video {timestamp:?} {payload:?}"));
                }
                other => self.tell(&format!("{other:?}")),
            }
        }
        while self.session.poll_transmit().is_some() {}
        self.check();
    }

    fn tell(&mut self, line: &str) {
        self.told.push_str(line);
        self.told.push('\n');
    }

    fn check(&self) {
        let held = self.session.buffered_bytes();
        assert!(held <= BUFFERED_BYTES_MAX, "{held} bytes held");
        let due = self.session.deadline();
        assert!(self.session.is_finished() || due.is_some(), "a session that waits forever");
    }
}
