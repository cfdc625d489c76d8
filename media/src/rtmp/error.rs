//! Why a publisher's connection ends, and whose fault it was.

use std::time::Duration;

use thiserror::Error;

use crate::limits;
use crate::rtmp::NameError;

/// Whose fault an end was; decides the log level and the metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The peer broke the protocol or a rule it can keep.
    Peer,
    /// This server, or the person who runs it, chose or failed.
    Ours,
    /// A cap that protects the server was reached.
    Capacity,
}

/// What a connection on the RTMP port speaks instead (HS-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OtherProtocol {
    /// TLS: the encoder was given `rtmps://` and this is the plain port.
    Tls,
    /// HTTP or RTMP tunnelled in it: a browser, a probe or a wrong port number.
    Http,
    /// Neither.
    Unknown,
}

impl OtherProtocol {
    /// What to change, for the log.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Tls => "this looks like TLS: use rtmp:// here, or the RTMPS port",
            Self::Http => "this looks like HTTP: the web page has another port",
            Self::Unknown => "this is not RTMP",
        }
    }
}

/// What the session was waiting for when a deadline passed (1.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Awaited {
    /// The rest of the handshake (HS-14).
    Handshake,
    /// `publish`.
    Publish,
    /// Our own decision about a `publish` (AU-5).
    Decision,
    /// The first audio or video message.
    FirstMedia,
    /// The next audio or video message (RC-5).
    Media,
}

/// Why the session cannot go on. Flush what `poll_transmit` still gives, then close.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// The first byte is none of RTMP's.
    #[error("first byte {first:#04x} is not an RTMP version; {}", .protocol.hint())]
    NotRtmp {
        /// The byte.
        first: u8,
        /// What it probably is.
        protocol: OtherProtocol,
    },
    /// An encrypted handshake (versions 6, 8, 9), which no supported encoder needs (HS-2).
    #[error("RTMPE (version {version}) is not supported: use rtmp:// or rtmps://")]
    Rtmpe {
        /// The version byte.
        version: u8,
    },
    /// Nothing happened for too long.
    #[error("waited {waited:?} for {awaited:?}")]
    TimedOut {
        /// What did not come.
        awaited: Awaited,
        /// How long it was given.
        waited: Duration,
    },
    /// A message trickles in (1.10: slow loris).
    #[error("{bytes} bytes in {over:?} while a message is unfinished, at least {min} are needed")]
    TooSlow {
        /// Bytes that arrived.
        bytes: u64,
        /// In this time.
        over: Duration,
        /// Bytes that would have been enough.
        min: u64,
    },
    /// A chunk header without message length or time on a chunk stream that never had one (CK-14).
    #[error("chunk stream {chunk_stream} begins with chunk format {format}")]
    HeaderBeforeMessage {
        /// The chunk stream id.
        chunk_stream: u32,
        /// 2 or 3.
        format: u8,
    },
    /// A new message begins inside an unfinished one of another length (CK-15).
    #[error(
        "chunk stream {chunk_stream} begins {announced} bytes inside a message of {unfinished}"
    )]
    MessageInsideMessage {
        /// The chunk stream id.
        chunk_stream: u32,
        /// Length of the unfinished message.
        unfinished: usize,
        /// Length the new header announces.
        announced: usize,
    },
    /// An announced message length above the cap of its type (1.10).
    #[error("message of type {kind} with {announced} bytes, {max} are allowed")]
    MessageTooLarge {
        /// Message type id.
        kind: u8,
        /// Announced length.
        announced: usize,
        /// The cap now.
        max: usize,
    },
    /// Chunk streams beyond the cap (1.10).
    #[error("chunk stream {chunk_stream} would be number {}", limits::CHUNK_STREAMS_MAX + 1)]
    TooManyChunkStreams {
        /// The one too many.
        chunk_stream: u32,
    },
    /// Unfinished messages hold too much memory together (1.10).
    #[error("unfinished messages need {needed} bytes, {max} are allowed")]
    PartialMessagesTooLarge {
        /// Bytes that would be held.
        needed: usize,
        /// The cap now.
        max: usize,
    },
    /// Set Chunk Size with 0, the top bit or too few bytes (CK-11).
    #[error("illegal chunk size {0:?}")]
    ChunkSize(Option<u32>),
    /// Too many messages of unknown type in a row: not RTMP, or out of step (CK-18).
    #[error(
        "{} unknown messages in a row, the last of type {last}",
        limits::UNKNOWN_MESSAGES_IN_A_ROW_MAX
    )]
    UnknownMessages {
        /// Its type id.
        last: u8,
    },
    /// A command without name or transaction id.
    #[error("unreadable command: {0}")]
    Command(#[from] crate::amf::Error),
    /// The first value of a command is not a string.
    #[error("command without a name")]
    CommandName,
    /// A command came before `connect` (CMD-7).
    #[error("command {0:?} before connect")]
    CommandBeforeConnect(String),
    /// `connect` came twice (CMD-7).
    #[error("second connect")]
    SecondConnect,
    /// `connect` is longer than its cap (AM-5).
    #[error("connect of {len} bytes, {} are allowed", limits::CONNECT_BYTES_MAX)]
    ConnectTooLarge {
        /// Its length.
        len: usize,
    },
    /// The application name or stream key cannot be used (AU-2).
    #[error("{0}")]
    Name(#[from] NameError),
    /// More input than we hold while the decision about a publish is pending (AU-5).
    #[error(
        "{len} bytes arrived before the publish was answered, {} are held",
        limits::HELD_INPUT_BYTES_MAX
    )]
    HeldInputTooLarge {
        /// Bytes that would be held.
        len: usize,
    },
    /// The peer asks and never reads the answers.
    #[error("{len} bytes of replies unread, {} are kept", limits::REPLY_BACKLOG_BYTES_MAX)]
    ReplyBacklog {
        /// Bytes waiting.
        len: usize,
    },
}

impl Error {
    /// Whose fault it is.
    pub const fn fault(&self) -> Fault {
        match self {
            Self::TimedOut { awaited: Awaited::Decision, .. } => Fault::Ours,
            Self::TooManyChunkStreams { .. }
            | Self::PartialMessagesTooLarge { .. }
            | Self::HeldInputTooLarge { .. } => Fault::Capacity,
            Self::NotRtmp { .. }
            | Self::Rtmpe { .. }
            | Self::TimedOut { .. }
            | Self::TooSlow { .. }
            | Self::HeaderBeforeMessage { .. }
            | Self::MessageInsideMessage { .. }
            | Self::MessageTooLarge { .. }
            | Self::ChunkSize(_)
            | Self::UnknownMessages { .. }
            | Self::Command(_)
            | Self::CommandName
            | Self::CommandBeforeConnect(_)
            | Self::SecondConnect
            | Self::ConnectTooLarge { .. }
            | Self::Name(_)
            | Self::ReplyBacklog { .. } => Fault::Peer,
        }
    }
}
