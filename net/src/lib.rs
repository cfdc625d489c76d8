//! Bytes on wires: the HTTP/1.1 engine and the loops that join engines to sockets.
//!
//! ```text
//! socket ─▶ io::Stream ─▶ http::Session ─▶ Request ─▶ Handler
//!           (glommio)     (pure)                      (src, web)
//! socket ◀─ one vectored send ◀─ http::Session ◀─ Response ◀┘
//! ```
//!
//! [`http`] is pure: it owns no socket, reads no clock and starts no task. [`io`] is the only place
//! where a protocol meets glommio; whatever is said about a runtime is said there.
//!
//! Short names of the documents cited in this room:
//!
//! | tag | document |
//! |---|---|
//! | RFC 9110 | HTTP Semantics |
//! | RFC 9111 | HTTP Caching |
//! | RFC 9112 | HTTP/1.1 |
//! | Fetch | WHATWG Fetch standard (CORS) |
//!
//! Ids such as CH-5, F22 or T20 name rules, faults and tests of the project's references.

#![forbid(unsafe_code)]

pub mod http;
pub mod io;

/// Whose fault an error is: it decides the reply, the log level and whether to count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The peer broke a rule or left; nothing here needs mending.
    Peer,
    /// A bug or a failing part of this server.
    Ourselves,
    /// The server is within its rights but full; trying later may work.
    Capacity,
}
