//! Reactions to commands (RTMP §7.2, CMD-1 to CMD-11): the replies that satisfied every encoder.

use std::time::Instant;

use super::outbox::Level;
use super::{Publish, Session, State, count};
use crate::amf::Value;
use crate::limits;
use crate::rtmp::capabilities::Capabilities;
use crate::rtmp::command::Command;
use crate::rtmp::control::Control;
use crate::rtmp::error::{Awaited, Error};
use crate::rtmp::event::{Event, PublishKind, PublishRequest};
use crate::rtmp::message::{Message, MessageStreamId};
use crate::rtmp::name::{App, StreamAddress};
use crate::rtmp::refusal::Refusal;

/// Set Peer Bandwidth, limit type dynamic (RTMP §5.4.5).
const DYNAMIC: u8 = 2;
/// The server version clients expect to see; some decide by it whether calls return values.
const SERVER_VERSION: &str = "FMS/3,0,1,123";
const SERVER_CAPABILITIES: f64 = 31.0;
/// Longest part of a peer's text that errors and events repeat, in bytes.
const QUOTED_BYTES_MAX: usize = 255;

impl Session {
    pub(super) fn on_command(&mut self, now: Instant, message: &Message) -> Result<(), Error> {
        let command = Command::parse(message)?;
        if matches!(self.state, State::AwaitingConnect) {
            if command.name != "connect" {
                return Err(Error::CommandBeforeConnect(quoted(&command.name)));
            }
            return self.on_connect(message.payload.len(), &command);
        }
        match command.name.as_str() {
            "connect" => return Err(Error::SecondConnect),
            "createStream" => self.on_create_stream(&command),
            "publish" => return self.on_publish(now, message.stream, &command),
            "deleteStream" => self.on_delete_stream(now, &command),
            "closeStream" => self.on_close_stream(now, message.stream),
            "FCUnpublish" => {
                self.unpublish(now);
                self.return_nothing(&command);
            }
            "releaseStream" | "FCPublish" | "FCSubscribe" | "getStreamLength" | "_checkbw" => {
                self.return_nothing(&command);
            }
            "play" | "play2" => self.outbox.status(
                message.stream,
                Level::Error,
                "NetStream.Play.StreamNotFound",
                "This server plays over HTTP, not over RTMP.",
            ),
            // Answers to our own messages; we ask for none.
            "_result" | "_error" | "onStatus" => {}
            _ => {
                count(&mut self.counters.unknown_commands);
                self.return_nothing(&command);
            }
        }
        Ok(())
    }

    fn on_connect(&mut self, len: usize, command: &Command) -> Result<(), Error> {
        if len > limits::CONNECT_BYTES_MAX {
            return Err(Error::ConnectTooLarge { len });
        }
        let object = command.argument(0);
        let text = |name| object.property(name).and_then(Value::as_str);
        self.client = quoted(text("flashVer").unwrap_or_default());
        self.app = App::parse(text("app"), text("tcUrl")).inspect_err(|error| {
            let code = "NetConnection.Connect.InvalidApp";
            self.outbox.error(command.transaction, code, &error.to_string());
        })?;
        let window = self.config.window_ack_size;
        self.outbox.control(Control::WindowAckSize(window));
        self.outbox.control(Control::SetPeerBandwidth { window, limit: DYNAMIC });
        // Before the result: FFmpeg adopts our chunk size for everything it sends after.
        self.outbox.control(Control::SetChunkSize(self.config.chunk_size));
        self.capabilities = Capabilities::of(object);
        self.outbox.result(command.transaction, connect_result(self.capabilities));
        self.state = State::AwaitingPublish;
        Ok(())
    }

    /// Ids start at 1: GStreamer takes 0 for a failure (CMD-2).
    fn on_create_stream(&mut self, command: &Command) {
        let stream = self.next_stream;
        self.next_stream = self.next_stream.saturating_add(1);
        let values = [Value::Null, Value::Number(f64::from(stream))];
        self.outbox.result(command.transaction, values);
    }

    fn on_publish(
        &mut self,
        now: Instant,
        stream: MessageStreamId,
        command: &Command,
    ) -> Result<(), Error> {
        let name = command.argument(1).as_str().unwrap_or_default();
        let address = StreamAddress::parse(&self.app, name);
        if let State::AwaitingMedia(live) = &self.state {
            // CMD-5: the same publish again is a repetition; CMD-6: another one is one too many.
            let repeated = live.stream == stream
                && address.is_ok_and(|address| address.stream_key == live.stream_key);
            if repeated {
                self.report_start(stream);
            } else {
                let refusal = Refusal::AlreadyPublishing;
                self.outbox.status(stream, Level::Error, refusal.code(), refusal.description());
            }
            return Ok(());
        }
        let StreamAddress { app, stream_key, query } = address.inspect_err(|error| {
            let code = Refusal::WrongKey.code();
            self.outbox.status(stream, Level::Error, code, &error.to_string());
        })?;
        let kind = command.argument(2).as_str().map(PublishKind::from_name).unwrap_or_default();
        let publish = Publish { stream, stream_key: stream_key.clone() };
        let client = self.client.clone();
        let request = PublishRequest { app, stream_key, query, client, kind };
        self.events.push_back(Event::PublishRequested(request));
        self.state = State::AwaitingDecision { publish, held: Vec::new() };
        self.wait_for(now, Awaited::Decision, self.config.decision_timeout);
        Ok(())
    }

    pub(super) fn report_start(&mut self, stream: MessageStreamId) {
        let code = "NetStream.Publish.Start";
        self.outbox.status(stream, Level::Status, code, "The broadcast is live.");
    }

    /// The stream id is the argument; encoders that leave it out mean the one they publish.
    fn on_delete_stream(&mut self, now: Instant, command: &Command) {
        let State::AwaitingMedia(live) = &self.state else { return };
        let deleted = command.argument(1).as_u32().unwrap_or(live.stream.0);
        if deleted == live.stream.0 {
            self.unpublish(now);
        }
    }

    fn on_close_stream(&mut self, now: Instant, stream: MessageStreamId) {
        if self.is_published(stream) {
            self.unpublish(now);
        }
    }

    /// Encoders say goodbye with up to three commands; the first one ends the broadcast.
    fn unpublish(&mut self, now: Instant) {
        let State::AwaitingMedia(live) = &self.state else { return };
        let (stream, code) = (live.stream, "NetStream.Unpublish.Success");
        self.outbox.status(stream, Level::Status, code, "The broadcast has ended.");
        self.events.push_back(Event::Unpublished);
        self.state = State::AwaitingPublish;
        self.wait_for(now, Awaited::Publish, self.config.publish_timeout);
    }

    /// A call with transaction 0 wants no answer (CMD-1, CMD-2).
    fn return_nothing(&mut self, command: &Command) {
        if command.transaction != 0.0 {
            self.outbox.result(command.transaction, [Value::Null, Value::Undefined]);
        }
    }
}

fn connect_result(capabilities: Capabilities) -> [Value; 2] {
    let mut properties = vec![
        ("fmsVer".to_owned(), Value::string(SERVER_VERSION)),
        ("capabilities".to_owned(), Value::Number(SERVER_CAPABILITIES)),
    ];
    properties.extend(capabilities.answer());
    let status = Value::object([
        ("level", Value::string("status")),
        ("code", Value::string("NetConnection.Connect.Success")),
        ("description", Value::string("Connected.")),
        // AMF0, whatever the client offered (AM-7).
        ("objectEncoding", Value::Number(0.0)),
    ]);
    [Value::Object(properties), status]
}

fn quoted(text: &str) -> String {
    let mut end = text.len().min(QUOTED_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
