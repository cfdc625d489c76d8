//! Commands, their answers, and metadata messages (RTMP §7.1.1, §7.2, AM-6, CMD-1).
//!
//! ```text
//! [format byte 00, types 15 and 17 only]  name string, transaction number, object or null,
//! arguments…
//! ```

use super::error::Error;
use super::message::{Message, MessageType};
use crate::amf::{Value, amf0};

/// A command from the peer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Command {
    pub(crate) name: String,
    /// Echoed exactly as received; 0 wants no answer (CMD-1). 0 as well when it is missing.
    pub(crate) transaction: f64,
    /// The command object and what follows it.
    pub(crate) arguments: Vec<Value>,
}

impl Command {
    /// Reads a message of type 17 or 20. Arguments that cannot be read count as missing.
    pub(crate) fn parse(message: &Message) -> Result<Self, Error> {
        let mut reader = amf0::Reader::new(amf_payload(message));
        let Some(Value::String(name)) = reader.read()? else { return Err(Error::CommandName) };
        let mut arguments = reader.read_rest();
        let has_transaction = matches!(arguments.first(), Some(Value::Number(_)));
        let transaction = if has_transaction { arguments.remove(0) } else { Value::Number(0.0) };
        Ok(Self { name, transaction: transaction.as_number().unwrap_or(0.0), arguments })
    }

    /// The argument at `index`, where 0 is the command object.
    pub(crate) fn argument(&self, index: usize) -> &Value {
        self.arguments.get(index).unwrap_or(&Value::Null)
    }

    /// Payload of an AMF0 command message.
    pub(crate) fn write(name: &str, transaction: f64, arguments: &[Value]) -> Vec<u8> {
        let mut payload = Vec::new();
        amf0::write(&Value::string(name), &mut payload);
        amf0::write(&Value::Number(transaction), &mut payload);
        for argument in arguments {
            amf0::write(argument, &mut payload);
        }
        payload
    }
}

/// What a data message says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum DataMessage {
    /// `onMetaData`, with or without `@setDataFrame` before it.
    Metadata(Value),
    /// Cue points, text data, access flags: not ours.
    Other,
    /// Not readable, or metadata that is no object.
    Malformed,
}

impl DataMessage {
    /// Reads a message of type 15 or 18.
    pub(crate) fn parse(message: &Message) -> Self {
        let values = amf0::Reader::new(amf_payload(message)).read_rest();
        let mut values = values.into_iter().peekable();
        let names = |value: &Value, name| value.as_str() == Some(name);
        values.next_if(|value| names(value, "@setDataFrame"));
        match values.next() {
            Some(value) if names(&value, "onMetaData") => match values.next() {
                Some(object @ (Value::Object(_) | Value::EcmaArray(_))) => Self::Metadata(object),
                _ => Self::Malformed,
            },
            Some(Value::String(_)) => Self::Other,
            _ => Self::Malformed,
        }
    }
}

/// Skips the format byte of the AMF3 message types. Some encoders leave it out: a string marker in
/// its place is the name itself (AM-6).
fn amf_payload(message: &Message) -> &[u8] {
    match (message.kind, &message.payload[..]) {
        (MessageType::Data3 | MessageType::Command3, [first, rest @ ..]) if *first != 2 => rest,
        (_, payload) => payload,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtmp::message::MessageStreamId;
    use crate::time::RtmpTimestamp;

    fn message(kind: u8, payload: &[u8]) -> Message {
        Message {
            timestamp: RtmpTimestamp(0),
            kind: MessageType::from_id(kind),
            stream: MessageStreamId(0),
            payload: payload.to_vec().into(),
        }
    }

    fn values(values: &[Value]) -> Vec<u8> {
        let mut bytes = Vec::new();
        values.iter().for_each(|value| amf0::write(value, &mut bytes));
        bytes
    }

    #[test]
    fn am_6_commands_of_both_types() {
        let body = Command::write("publish", 5.0, &[Value::Null, Value::string("k")]);
        let with_format = [&[0], &body[..]].concat();
        for (kind, payload) in [(20, &body), (17, &with_format), (17, &body)] {
            let command = Command::parse(&message(kind, payload)).unwrap();
            assert_eq!((command.name.as_str(), command.transaction), ("publish", 5.0));
            assert_eq!(command.argument(1), &Value::string("k"));
            assert_eq!(command.argument(9), &Value::Null);
        }
    }

    #[test]
    fn every_cut_of_a_command_gives_what_is_readable() {
        let body = Command::write("publish", 5.0, &[Value::Null, Value::string("k")]);
        for cut in 0..body.len() {
            match Command::parse(&message(20, &body[..cut])) {
                Ok(command) => {
                    assert!(cut >= 10);
                    assert_eq!(command.transaction, if cut < 19 { 0.0 } else { 5.0 });
                    assert!(command.arguments.len() <= 1);
                }
                Err(Error::CommandName) => assert_eq!(cut, 0),
                Err(error) => assert!(matches!(error, Error::Command(_)) && cut < 10),
            }
        }
        assert_eq!(Command::parse(&message(20, &[5])), Err(Error::CommandName));
    }

    #[test]
    fn cmd_9_metadata_in_every_wrapping() {
        let object = Value::object([("width", Value::Number(1_280.0))]);
        let array = Value::EcmaArray(vec![]);
        let set = Value::string("@setDataFrame");
        let on = Value::string("onMetaData");
        let amf3_object = [0x11, 0x0A, 0x0B, 1, 3, b'k', 4, 1, 1];
        let amf3 = [&[0][..], &values(std::slice::from_ref(&on)), &amf3_object].concat();
        for (name, kind, payload, expected) in [
            ("OBS", 18, values(&[set, on.clone(), array.clone()]), DataMessage::Metadata(array)),
            ("bare", 18, values(&[on.clone(), object.clone()]), DataMessage::Metadata(object)),
            ("AMF3", 15, amf3, DataMessage::Metadata(Value::object([("k", Value::Number(1.0))]))),
            ("no object", 18, values(std::slice::from_ref(&on)), DataMessage::Malformed),
            ("number", 18, values(&[on, Value::Number(1.0)]), DataMessage::Malformed),
            ("cue point", 18, values(&[Value::string("onCuePoint")]), DataMessage::Other),
            ("clear", 18, values(&[Value::string("@clearDataFrame")]), DataMessage::Other),
            ("empty", 18, vec![], DataMessage::Malformed),
        ] {
            assert_eq!(DataMessage::parse(&message(kind, &payload)), expected, "{name}");
        }
    }
}
