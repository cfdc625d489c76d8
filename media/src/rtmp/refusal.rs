//! Reasons for which the server refuses or ends a publish, in the words encoders understand.

use super::error::Fault;

/// Why a publisher has to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The stream key is not one of ours.
    WrongKey,
    /// Somebody publishes with this key and keeps it (RC-1, policy `reject`).
    AlreadyPublishing,
    /// Another publisher with the same key took over (RC-1, policy `takeover`).
    TakenOver,
    /// A codec or format we cannot pass on. The sentence names the encoder setting to change.
    UnsupportedCodec(String),
    /// An operator ended the broadcast.
    EndedByOperator,
    /// The server is shutting down.
    ShuttingDown,
    /// The server has no room for another publisher.
    Overloaded,
    /// The key could not be checked in time.
    Undecided,
}

impl Refusal {
    /// `code` of the `onStatus`. OBS gives up at once on Denied, Rejected, BadName and Failed and
    /// only logs every other code (CMD-3); GStreamer reads Denied as a permission error and BadName
    /// as "exists" (CMD-2).
    pub const fn code(&self) -> &'static str {
        match self {
            Self::WrongKey => "NetStream.Publish.Denied",
            Self::AlreadyPublishing | Self::TakenOver => "NetStream.Publish.BadName",
            Self::UnsupportedCodec(_) | Self::EndedByOperator => "NetStream.Publish.Rejected",
            Self::ShuttingDown | Self::Overloaded | Self::Undecided => "NetStream.Failed",
        }
    }

    /// `description` of the `onStatus`: one sentence for the person at the encoder.
    pub fn description(&self) -> &str {
        match self {
            Self::WrongKey => "The stream key is wrong. Copy it from the server's admin page.",
            Self::AlreadyPublishing => "Another encoder is live with this stream key.",
            Self::TakenOver => "Another encoder went live with this stream key.",
            Self::UnsupportedCodec(sentence) => sentence,
            Self::EndedByOperator => "The broadcast was ended by an operator.",
            Self::ShuttingDown => "The server is shutting down.",
            Self::Overloaded => "The server cannot take another broadcast now.",
            Self::Undecided => "The server could not check the stream key in time.",
        }
    }

    /// Whose fault it is, for log level and metric.
    pub const fn fault(&self) -> Fault {
        match self {
            Self::WrongKey
            | Self::AlreadyPublishing
            | Self::TakenOver
            | Self::UnsupportedCodec(_) => Fault::Peer,
            Self::EndedByOperator | Self::ShuttingDown | Self::Undecided => Fault::Ours,
            Self::Overloaded => Fault::Capacity,
        }
    }
}
