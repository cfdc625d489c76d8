//! The publisher's side of RTMP over a blocking socket: handshake, commands, media (RTMP §5, §7).

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use riverrun_media::amf::{Value, amf0};

use crate::Outcome;
use crate::footage::Kind;

const HANDSHAKE_BYTES: usize = 1_536;
const DEFAULT_CHUNK: usize = 128;
/// The largest message a reply may be; more is not a reply.
const REPLY_BYTES_MAX: usize = 1 << 20;
/// A server that says nothing for this long has failed.
const REPLY_TIME_MAX: Duration = Duration::from_secs(10);

/// How the error of a server that answered no begins.
pub const REFUSED: &str = "the server refused";

const SET_CHUNK_SIZE: u8 = 1;
const COMMAND: u8 = 20;

/// Where and as what to publish.
#[derive(Clone, Debug)]
pub struct Target {
    /// The server.
    pub address: SocketAddr,
    /// The application, `live` as a rule.
    pub app: String,
    /// The stream key.
    pub key: String,
    /// Chunk size of what we send.
    pub chunk: usize,
}

/// An accepted publish.
#[derive(Debug)]
pub struct Publisher {
    stream: TcpStream,
    chunk: usize,
    stream_id: u32,
    outgoing: Vec<u8>,
}

impl Publisher {
    /// Connects, shakes hands, publishes; returns when the server has said that publishing started.
    pub fn start(target: &Target) -> Outcome<Self> {
        let mut stream = TcpStream::connect(target.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(REPLY_TIME_MAX))?;
        shake_hands(&mut stream)?;
        let mut replies = Replies::default();
        let mut first = Vec::new();
        let size = u32::try_from(target.chunk)?.to_be_bytes();
        write_message(&mut first, DEFAULT_CHUNK, 2, SET_CHUNK_SIZE, 0, 0, &size);
        let url = format!("rtmp://{}/{}", target.address, target.app);
        let connect = Value::object([
            ("app", Value::string(target.app.clone())),
            ("type", Value::string("nonprivate")),
            ("flashVer", Value::string("FMLE/3.0 (compatible; riverrun-bench)")),
            ("tcUrl", Value::string(url)),
        ]);
        write_command(&mut first, target.chunk, 3, 0, "connect", 1.0, &[connect]);
        stream.write_all(&first)?;
        replies.until(&mut stream, "_result", None)?;
        let mut second = Vec::new();
        write_command(&mut second, target.chunk, 3, 0, "createStream", 2.0, &[Value::Null]);
        stream.write_all(&second)?;
        let created = replies.until(&mut stream, "_result", None)?;
        let stream_id =
            created.iter().rev().find_map(Value::as_u32).ok_or("createStream: no id")?;
        let mut third = Vec::new();
        let publish = [Value::Null, Value::string(target.key.clone()), Value::string("live")];
        write_command(&mut third, target.chunk, 4, stream_id, "publish", 3.0, &publish);
        stream.write_all(&third)?;
        replies.until(&mut stream, "onStatus", Some("NetStream.Publish.Start"))?;
        stream.set_nonblocking(false)?;
        Ok(Self { stream, chunk: target.chunk, stream_id, outgoing: Vec::new() })
    }

    /// Queues a message; [`Self::flush`] sends it.
    pub fn queue(&mut self, kind: Kind, millis: u32, payload: &[u8]) {
        let lane = match kind {
            Kind::Audio => 5,
            Kind::Video => 6,
            Kind::Script => 4,
        };
        let (chunk, stream_id) = (self.chunk, self.stream_id);
        write_message(&mut self.outgoing, chunk, lane, kind.id(), millis, stream_id, payload);
    }

    /// Bytes queued.
    pub fn queued_bytes(&self) -> usize {
        self.outgoing.len()
    }

    /// Sends what is queued, in one call.
    pub fn flush(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.outgoing)?;
        self.outgoing.clear();
        self.discard_replies()
    }

    /// Says goodbye as encoders do: without it the server waits for a reconnect.
    pub fn unpublish(mut self) -> io::Result<()> {
        let (chunk, id) = (self.chunk, f64::from(self.stream_id));
        let name = [Value::Null, Value::string("")];
        write_command(&mut self.outgoing, chunk, 3, 0, "FCUnpublish", 4.0, &name);
        let delete = [Value::Null, Value::Number(id)];
        write_command(&mut self.outgoing, chunk, 3, 0, "deleteStream", 5.0, &delete);
        self.stream.write_all(&self.outgoing)?;
        self.stream.shutdown(std::net::Shutdown::Write)?;
        // The server closes when it has taken everything in.
        let mut sink = [0; 4_096];
        while self.stream.read(&mut sink).is_ok_and(|read| read > 0) {}
        Ok(())
    }

    /// Acknowledgements must be read away, or the server's socket buffer fills up.
    fn discard_replies(&self) -> io::Result<()> {
        let mut sink = [0; 4_096];
        self.stream.set_nonblocking(true)?;
        let end = loop {
            match (&self.stream).read(&mut sink) {
                Ok(0) => break Err(ErrorKind::ConnectionReset.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.stream.set_nonblocking(false)?;
        end
    }
}

fn shake_hands(stream: &mut TcpStream) -> io::Result<()> {
    let mut c0_c1 = [0; 1 + HANDSHAKE_BYTES];
    c0_c1[0] = 3;
    stream.write_all(&c0_c1)?;
    let mut s0_s1_s2 = [0; 1 + 2 * HANDSHAKE_BYTES];
    stream.read_exact(&mut s0_s1_s2)?;
    stream.write_all(&s0_s1_s2[1..=HANDSHAKE_BYTES])
}

/// Appends one command message.
pub fn write_command(
    out: &mut Vec<u8>,
    chunk: usize,
    lane: u8,
    stream_id: u32,
    name: &str,
    transaction: f64,
    arguments: &[Value],
) {
    let mut payload = Vec::new();
    amf0::write(&Value::string(name), &mut payload);
    amf0::write(&Value::Number(transaction), &mut payload);
    arguments.iter().for_each(|argument| amf0::write(argument, &mut payload));
    write_message(out, chunk, lane, COMMAND, 0, stream_id, &payload);
}

/// Appends one message: a full chunk header, then continuations (RTMP §5.3.1).
pub fn write_message(
    out: &mut Vec<u8>,
    chunk: usize,
    lane: u8,
    kind: u8,
    millis: u32,
    stream_id: u32,
    payload: &[u8],
) {
    const EXTENDED: u32 = 0xFF_FFFF;
    let [_, short @ ..] = millis.min(EXTENDED).to_be_bytes();
    let [_, length @ ..] = u32::try_from(payload.len()).unwrap_or(EXTENDED).to_be_bytes();
    out.push(lane);
    out.extend_from_slice(&short);
    out.extend_from_slice(&length);
    out.push(kind);
    out.extend_from_slice(&stream_id.to_le_bytes());
    for (index, piece) in payload.chunks(chunk.max(1)).enumerate() {
        if index > 0 {
            out.push(0xC0 | lane);
        }
        if millis >= EXTENDED {
            out.extend_from_slice(&millis.to_be_bytes());
        }
        out.extend_from_slice(piece);
    }
}

/// Reads the server's messages. Servers interleave nothing in their replies, so one message at a
/// time is enough; headers come in all four formats.
#[derive(Default)]
struct Replies {
    input: Vec<u8>,
    chunk: Option<usize>,
    length: usize,
    kind: u8,
    message: Vec<u8>,
}

impl Replies {
    /// Reads until the command `name` arrives (with a status of this code); its values.
    fn until(
        &mut self,
        stream: &mut TcpStream,
        name: &str,
        code: Option<&str>,
    ) -> Outcome<Vec<Value>> {
        loop {
            while let Some((kind, message)) = self.next_message()? {
                match kind {
                    SET_CHUNK_SIZE => {
                        let size = message.first_chunk::<4>().map(|size| u32::from_be_bytes(*size));
                        self.chunk = size.and_then(|size| usize::try_from(size).ok());
                    }
                    COMMAND => {
                        let values = amf0::Reader::new(&message).read_rest();
                        let said = values.first().and_then(Value::as_str).unwrap_or_default();
                        let status = values.iter().find_map(|value| value.property("code"));
                        let status = status.and_then(Value::as_str).unwrap_or_default();
                        if said == "_error" || status.contains("Bad") || status.contains("Reject") {
                            return Err(format!("{REFUSED}: {values:?}").into());
                        }
                        if said == name && code.is_none_or(|code| code == status) {
                            return Ok(values);
                        }
                    }
                    _ => {}
                }
            }
            let mut buffer = [0; 8_192];
            let read = stream.read(&mut buffer)?;
            if read == 0 {
                return Err(format!("the server closed instead of answering {name}").into());
            }
            self.input.extend_from_slice(&buffer[..read]);
        }
    }

    fn next_message(&mut self) -> Outcome<Option<(u8, Vec<u8>)>> {
        loop {
            let Some(&basic) = self.input.first() else { return Ok(None) };
            let header = 1 + match basic >> 6 {
                0 => 11,
                1 => 7,
                2 => 3,
                _ => 0,
            };
            let Some(fields) = self.input.get(1..header) else { return Ok(None) };
            let (length, kind) = match *fields {
                [_, _, _, a, b, c, kind, ..] => {
                    (usize::try_from(u32::from_be_bytes([0, a, b, c]))?, kind)
                }
                _ => (self.length, self.kind),
            };
            if length > REPLY_BYTES_MAX {
                return Err(format!("a reply of {length} bytes").into());
            }
            let piece =
                (length - self.message.len().min(length)).min(self.chunk.unwrap_or(DEFAULT_CHUNK));
            let Some(bytes) = self.input.get(header..header + piece) else { return Ok(None) };
            self.message.extend_from_slice(bytes);
            (self.length, self.kind) = (length, kind);
            self.input.drain(..header + piece);
            if self.message.len() >= length {
                return Ok(Some((kind, std::mem::take(&mut self.message))));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let mut replies = Replies::default();
        let long = Value::string("x".repeat(300));
        write_command(
            &mut replies.input,
            DEFAULT_CHUNK,
            3,
            0,
            "_result",
            1.0,
            std::slice::from_ref(&long),
        );
        let whole = replies.input.clone();
        let (kind, message) = replies.next_message().unwrap().unwrap();
        assert_eq!(kind, COMMAND);
        assert_eq!(amf0::Reader::new(&message).read_rest().last(), Some(&long));
        for cut in 0..whole.len() {
            let mut replies = Replies { input: whole[..cut].to_vec(), ..Replies::default() };
            assert!(replies.next_message().unwrap().is_none(), "cut at {cut}");
        }
    }
}
