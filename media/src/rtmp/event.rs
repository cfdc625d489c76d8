//! What a session tells its owner.

use bytes::Bytes;

use super::name::{Query, StreamKey};
use crate::amf;
use crate::time::RtmpTimestamp;

/// Something the publisher did, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The publisher wants to go live. Answer with `accept_publish` or `refuse_publish`; until then
    /// the session holds back everything that follows.
    PublishRequested(PublishRequest),
    /// The object of `onMetaData`. Advisory: tracks are decided by what arrives (CMD-9).
    Metadata(amf::Value),
    /// An FLV video tag body. May be empty (CK-16).
    Video {
        /// Decode time on the publisher's clock (TS-2).
        timestamp: RtmpTimestamp,
        /// As sent, Enhanced RTMP included.
        payload: Bytes,
    },
    /// An FLV audio tag body. May be empty, which means silence (CK-16).
    Audio {
        /// Decode time on the publisher's clock.
        timestamp: RtmpTimestamp,
        /// As sent, Enhanced RTMP included.
        payload: Bytes,
    },
    /// The publisher ended its broadcast. It may publish again on the same connection (CMD-11).
    Unpublished,
}

/// Who wants to publish what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishRequest {
    /// Application name, slashes normalised; may be empty (AU-1).
    pub app: String,
    /// The key to check.
    pub stream_key: StreamKey,
    /// Query pairs of key, app and tcUrl, in this order of precedence (AU-1).
    pub query: Query,
    /// How the encoder calls itself (`flashVer`), at most 255 bytes; may be empty.
    pub client: String,
    /// What the encoder wants done with the broadcast.
    pub kind: PublishKind,
}

/// Third argument of `publish` (RTMP §7.2.2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PublishKind {
    /// Live only; also when the argument is missing or unknown.
    #[default]
    Live,
    /// Record anew.
    Record,
    /// Record at the end of an existing recording.
    Append,
}

impl PublishKind {
    pub(super) fn from_name(name: &str) -> Self {
        match name {
            "record" => Self::Record,
            "append" => Self::Append,
            _ => Self::Live,
        }
    }
}
