//! One publisher's connection: a machine without clock or socket.
//!
//! ```text
//! AwaitingHandshake ─▶ AwaitingConnect ─▶ AwaitingPublish ─▶ AwaitingDecision ─▶ AwaitingMedia
//!                                               ▲                                     │
//!                                               └──────────── unpublish ──────────────┘
//! ```
//!
//! Every state is named for what it waits for and has one deadline. While the decision about a
//! publish is pending, input is held as it came, so nothing that follows is lost or answered early
//! (AU-5, CMD-4).

mod acknowledgement;
mod commands;
mod debug;
mod ending;
mod outbox;
mod pace;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use self::acknowledgement::Acknowledgement;
use self::outbox::Outbox;
use self::pace::Pace;
use super::capabilities::Capabilities;
use super::chunk::ChunkReader;
use super::command::DataMessage;
use super::config::SessionConfig;
use super::control::Control;
use super::counters::Counters;
use super::error::{Awaited, Error};
use super::event::Event;
use super::handshake::Handshake;
use super::message::{Message, MessageStreamId, MessageType, Stage, split_aggregate};
use super::name::{App, StreamKey};
use super::refusal::Refusal;
use crate::limits;

/// The server side of one RTMP connection that may publish.
///
/// After every call drain [`Self::poll_event`] and [`Self::poll_transmit`], then sleep until bytes
/// arrive or [`Self::deadline`] passes. An error ends the session: flush what `poll_transmit` still
/// gives, then close.
pub struct Session {
    config: SessionConfig,
    state: State,
    wait: Wait,
    started: Instant,
    reader: ChunkReader,
    outbox: Outbox,
    events: VecDeque<Event>,
    acknowledgement: Acknowledgement,
    pace: Pace,
    /// Last byte received or ping sent, whichever is later (AK-5).
    quiet_since: Instant,
    app: App,
    client: String,
    capabilities: Capabilities,
    /// It was asked to connect again (RC-6).
    asked_to_reconnect: bool,
    /// What the next `createStream` gives out (CMD-6).
    next_stream: u32,
    /// The window the peer was last told (AK-3).
    window_sent: u32,
    unknown_in_a_row: u32,
    counters: Counters,
    /// An error met while held input was read, reported by the next call that can.
    failure: Option<(Instant, Error)>,
}

/// What the session waits for.
enum State {
    AwaitingHandshake(Handshake),
    AwaitingConnect,
    AwaitingPublish,
    AwaitingDecision {
        publish: Publish,
        held: Vec<u8>,
    },
    /// Publishing.
    AwaitingMedia(Publish),
    Finished,
}

/// A publish that was asked for or accepted.
#[derive(Debug, Clone)]
struct Publish {
    stream: MessageStreamId,
    stream_key: StreamKey,
}

/// The deadline of a state.
#[derive(Debug, Clone, Copy)]
struct Wait {
    awaited: Awaited,
    since: Instant,
    limit: Duration,
}

impl Wait {
    fn deadline(&self) -> Instant {
        self.since + self.limit
    }
}

impl Session {
    /// A connection accepted at `now`. `entropy` is expanded to the filler of the handshake and
    /// should differ per connection.
    pub fn new(now: Instant, entropy: [u8; 32], config: SessionConfig) -> Self {
        Self {
            config,
            state: State::AwaitingHandshake(Handshake::new(entropy)),
            wait: Wait { awaited: Awaited::Handshake, since: now, limit: config.handshake_timeout },
            started: now,
            reader: ChunkReader::new(),
            outbox: Outbox::new(),
            events: VecDeque::new(),
            acknowledgement: Acknowledgement::new(config.window_ack_size),
            pace: Pace::new(config.rate_min, config.rate_window),
            quiet_since: now,
            app: App::default(),
            client: String::new(),
            capabilities: Capabilities::default(),
            asked_to_reconnect: false,
            next_stream: 1,
            window_sent: config.window_ack_size,
            unknown_in_a_row: 0,
            counters: Counters::default(),
            failure: None,
        }
    }

    /// Takes bytes from the socket, all of them, in pieces of any size. Ignored once finished.
    pub fn handle_input(&mut self, now: Instant, bytes: &[u8]) -> Result<(), Error> {
        self.report_failure()?;
        if self.is_finished() {
            return Ok(());
        }
        let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.counters.bytes_received = self.counters.bytes_received.saturating_add(len);
        self.quiet_since = now;
        let result = self.read(now, bytes);
        self.finish_on_error(result)
    }

    /// Judges deadlines and sends pings. Call it when [`Self::deadline`] has passed; earlier calls
    /// do nothing.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        self.report_failure()?;
        if self.is_finished() {
            return Ok(());
        }
        let result = self.check_deadlines(now);
        self.finish_on_error(result)
    }

    /// When [`Self::handle_timeout`] must run next; `None` once finished.
    pub fn deadline(&self) -> Option<Instant> {
        if let Some((since, _)) = self.failure {
            return Some(since);
        }
        if self.is_finished() {
            return None;
        }
        let wait = self.wait.deadline();
        [Some(wait), self.pace.deadline(), self.ping_due()].into_iter().flatten().min()
    }

    /// Bytes for the socket, in order; `None` when there are none.
    pub fn poll_transmit(&mut self) -> Option<Bytes> {
        self.outbox.take()
    }

    /// The next thing the publisher did.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Lets the publisher of [`Event::PublishRequested`] go live and reads what was held meanwhile.
    /// Does nothing when no decision is pending.
    pub fn accept_publish(&mut self, now: Instant) {
        let State::AwaitingDecision { publish, held } = &mut self.state else { return };
        let (publish, held) = (publish.clone(), std::mem::take(held));
        self.outbox.control(Control::StreamBegin(publish.stream.0));
        self.report_start(publish.stream);
        self.reader.set_stage(Stage::Publishing);
        self.state = State::AwaitingMedia(publish);
        self.wait_for(now, Awaited::FirstMedia, self.config.first_media_timeout);
        let result = self.read(now, &held);
        if let Err(error) = self.finish_on_error(result) {
            self.failure = Some((now, error));
        }
    }

    /// Nothing more will be read: flush [`Self::poll_transmit`] and close.
    pub const fn is_finished(&self) -> bool {
        matches!(self.state, State::Finished)
    }

    /// Whether the socket should be read. False while so much input is held for a pending decision
    /// that the next read could pass the cap; the kernel then holds the publisher back.
    pub const fn wants_input(&self) -> bool {
        match &self.state {
            State::AwaitingDecision { held, .. } => held.len() < limits::HELD_INPUT_BYTES_MAX / 2,
            State::AwaitingHandshake(_)
            | State::AwaitingConnect
            | State::AwaitingPublish
            | State::AwaitingMedia(_) => true,
            State::Finished => false,
        }
    }

    /// What this connection did so far.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Memory this session holds for bytes of the peer: unfinished messages, held input, events not
    /// taken and replies not sent.
    pub fn buffered_bytes(&self) -> usize {
        let state = match &self.state {
            State::AwaitingHandshake(handshake) => handshake.buffered_bytes(),
            State::AwaitingDecision { held, .. } => held.capacity(),
            State::AwaitingConnect
            | State::AwaitingPublish
            | State::AwaitingMedia(_)
            | State::Finished => 0,
        };
        let events: usize = self
            .events
            .iter()
            .map(|event| match event {
                Event::Video { payload, .. } | Event::Audio { payload, .. } => payload.len(),
                Event::PublishRequested(_) | Event::Metadata(_) | Event::Unpublished => 0,
            })
            .sum();
        state + events + self.reader.buffered_bytes() + self.outbox.len()
    }

    /// Reads bytes through handshake, chunks and messages.
    fn read(&mut self, now: Instant, mut input: &[u8]) -> Result<(), Error> {
        let len = u64::try_from(input.len()).unwrap_or(u64::MAX);
        if let State::AwaitingHandshake(handshake) = &mut self.state {
            let uptime = millis_between(self.started, now);
            if !handshake.read(&mut input, uptime, self.outbox.raw())? {
                return Ok(());
            }
            self.state = State::AwaitingConnect;
            self.wait_for(now, Awaited::Publish, self.config.publish_timeout);
        }
        let mut finished_message = false;
        while self.reads_messages() {
            let quirks = &mut self.counters.quirks;
            let Some(message) = self.reader.read(&mut input, quirks)? else { break };
            finished_message = true;
            self.on_message(now, message)?;
        }
        self.hold(input)?;
        if let Some(total) = self.acknowledgement.due(self.counters.bytes_received) {
            self.outbox.control(Control::Acknowledgement(total));
        }
        if self.reads_messages() {
            self.pace.on_input(now, len, finished_message, self.reader.is_inside_message());
        } else {
            self.pace.pause();
        }
        if self.outbox.len() > limits::REPLY_BACKLOG_BYTES_MAX {
            return Err(Error::ReplyBacklog { len: self.outbox.len() });
        }
        Ok(())
    }

    const fn reads_messages(&self) -> bool {
        !matches!(self.state, State::AwaitingDecision { .. } | State::Finished)
    }

    /// Keeps what follows a `publish` until it is decided (AU-5).
    fn hold(&mut self, input: &[u8]) -> Result<(), Error> {
        let State::AwaitingDecision { held, .. } = &mut self.state else { return Ok(()) };
        let len = held.len() + input.len();
        if len > limits::HELD_INPUT_BYTES_MAX {
            return Err(Error::HeldInputTooLarge { len });
        }
        held.extend_from_slice(input);
        Ok(())
    }

    fn on_message(&mut self, now: Instant, message: Message) -> Result<(), Error> {
        self.counters.messages = self.counters.messages.saturating_add(1);
        if let MessageType::Unknown(last) = message.kind {
            return self.on_unknown(last);
        }
        self.unknown_in_a_row = 0;
        match message.kind {
            MessageType::SetChunkSize
            | MessageType::Abort
            | MessageType::Acknowledgement
            | MessageType::UserControl
            | MessageType::WindowAckSize
            | MessageType::SetPeerBandwidth => self.on_control(&message),
            MessageType::Command0 | MessageType::Command3 => self.on_command(now, &message),
            MessageType::Audio | MessageType::Video => {
                self.on_media(now, message);
                Ok(())
            }
            MessageType::Data0 | MessageType::Data3 => {
                self.on_data(&message);
                Ok(())
            }
            MessageType::Aggregate => {
                self.on_aggregate(now, &message);
                Ok(())
            }
            MessageType::SharedObject0 | MessageType::SharedObject3 | MessageType::Unknown(_) => {
                count(&mut self.counters.skipped_messages);
                Ok(())
            }
        }
    }

    fn on_unknown(&mut self, last: u8) -> Result<(), Error> {
        count(&mut self.counters.skipped_messages);
        self.unknown_in_a_row += 1;
        if self.unknown_in_a_row >= limits::UNKNOWN_MESSAGES_IN_A_ROW_MAX {
            return Err(Error::UnknownMessages { last });
        }
        Ok(())
    }

    fn on_control(&mut self, message: &Message) -> Result<(), Error> {
        let control = match Control::parse(message.kind, &message.payload) {
            Ok(Some(control)) => control,
            Ok(None) => return Ok(()),
            Err(_) if message.kind == MessageType::SetChunkSize => {
                return Err(Error::ChunkSize(None));
            }
            Err(_) => {
                count(&mut self.counters.malformed_messages);
                return Ok(());
            }
        };
        match control {
            Control::SetChunkSize(size) => match usize::try_from(size) {
                Ok(usable) if (1..1 << 31).contains(&size) => self.reader.set_chunk_size(usable),
                _ => return Err(Error::ChunkSize(Some(size))),
            },
            Control::Abort(id) => self.reader.abort(id),
            Control::WindowAckSize(window) => self.acknowledgement.set_window(window),
            Control::SetPeerBandwidth { window, .. } if window != self.window_sent => {
                self.window_sent = window;
                self.outbox.control(Control::WindowAckSize(window));
            }
            Control::PingRequest(stamp) => self.outbox.control(Control::PingResponse(stamp)),
            // AK-2: our replies are too small to wait for the peer's acknowledgements.
            Control::Acknowledgement(_)
            | Control::SetPeerBandwidth { .. }
            | Control::StreamBegin(_)
            | Control::PingResponse(_) => {}
        }
        Ok(())
    }

    fn on_aggregate(&mut self, now: Instant, message: &Message) {
        let (messages, whole) = split_aggregate(message);
        if !whole {
            count(&mut self.counters.malformed_messages);
        }
        for message in messages {
            count(&mut self.counters.messages);
            match message.kind {
                MessageType::Audio | MessageType::Video => self.on_media(now, message),
                MessageType::Data0 | MessageType::Data3 => self.on_data(&message),
                // Aggregates carry media; commands in them would bypass the decision's order.
                _ => count(&mut self.counters.skipped_messages),
            }
        }
    }

    fn on_media(&mut self, now: Instant, message: Message) {
        if !self.is_published(message.stream) {
            count(&mut self.counters.stray_media);
            return;
        }
        if !message.payload.is_empty() {
            self.wait_for(now, Awaited::Media, self.config.media_timeout);
        }
        let Message { timestamp, payload, kind, .. } = message;
        self.events.push_back(if kind == MessageType::Audio {
            Event::Audio { timestamp, payload }
        } else {
            Event::Video { timestamp, payload }
        });
    }

    fn on_data(&mut self, message: &Message) {
        if !self.is_published(message.stream) {
            count(&mut self.counters.stray_media);
            return;
        }
        match DataMessage::parse(message) {
            DataMessage::Metadata(object) => self.events.push_back(Event::Metadata(object)),
            DataMessage::Other => {}
            DataMessage::Malformed => count(&mut self.counters.malformed_messages),
        }
    }

    /// Media of the accepted publish. Encoders that label it with a message stream that was never
    /// created mean this one too; another created stream is one whose publish was refused (CMD-6).
    fn is_published(&self, stream: MessageStreamId) -> bool {
        match &self.state {
            State::AwaitingMedia(publish) => {
                stream == publish.stream || !(1..self.next_stream).contains(&stream.0)
            }
            State::AwaitingHandshake(_)
            | State::AwaitingConnect
            | State::AwaitingPublish
            | State::AwaitingDecision { .. }
            | State::Finished => false,
        }
    }

    fn check_deadlines(&mut self, now: Instant) -> Result<(), Error> {
        let Wait { awaited, limit, .. } = self.wait;
        if now >= self.wait.deadline() {
            if awaited == Awaited::Decision {
                self.end(now, Refusal::Undecided);
            }
            return Err(Error::TimedOut { awaited, waited: limit });
        }
        self.pace.check(now)?;
        if self.ping_due().is_some_and(|due| now >= due) {
            self.quiet_since = now;
            let stamp = millis_between(self.started, now);
            self.outbox.control(Control::PingRequest(stamp));
        }
        Ok(())
    }

    /// Only a publisher is pinged; the other states are shorter than the interval.
    fn ping_due(&self) -> Option<Instant> {
        let publishing = matches!(self.state, State::AwaitingMedia(_));
        publishing.then(|| self.quiet_since + self.config.ping_interval)
    }

    const fn wait_for(&mut self, now: Instant, awaited: Awaited, limit: Duration) {
        self.wait = Wait { awaited, since: now, limit };
    }

    fn report_failure(&mut self) -> Result<(), Error> {
        self.failure.take().map_or(Ok(()), |(_, error)| Err(error))
    }

    fn finish_on_error(&mut self, result: Result<(), Error>) -> Result<(), Error> {
        if result.is_err() {
            self.state = State::Finished;
        }
        result
    }

    /// As if the connection had received `total` bytes and acknowledged them.
    #[cfg(test)]
    fn preset_received(&mut self, total: u64) {
        self.counters.bytes_received = total;
        self.acknowledgement.preset(total);
    }
}

const fn count(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}

/// The wire counts milliseconds modulo 2^32.
fn millis_between(from: Instant, to: Instant) -> u32 {
    (to.saturating_duration_since(from).as_millis() & u128::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests;
