//! The server side of RTMP for one publisher.
//!
//! ```text
//! bytes ─▶ handshake ─▶ chunk ─▶ message ─┬▶ control, command ─▶ Session ─▶ replies
//!                                         └▶ audio, video, metadata ─▶ Event
//! ```
//!
//! [`Session`] is the whole door: bytes, time and decisions go in; bytes, [`Event`]s and one
//! deadline come out. It implements RTMP 1.0 for publishing and the habits of real encoders (rules
//! HS, CK, AK, CMD and AU of the media reference). Payloads of audio and video pass through
//! untouched, so every codec and Enhanced RTMP reach the FLV layer as they were sent. Playing,
//! RTMPE, RTMPT and shared objects are refused or skipped.

mod chunk;
mod command;
mod config;
mod control;
mod counters;
mod error;
mod event;
mod handshake;
mod message;
mod name;
mod refusal;
mod session;

pub use config::SessionConfig;
pub use counters::{Counters, Quirks};
pub use error::{Awaited, Error, Fault, OtherProtocol};
pub use event::{Event, PublishKind, PublishRequest};
pub use name::{NameError, Query, StreamKey};
pub use refusal::Refusal;
pub use session::Session;

#[cfg(test)]
mod testing;
