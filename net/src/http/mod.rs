//! The HTTP/1.1 server engine: bytes of one connection in, requests out; responses in, bytes out.
//!
//! [`Session`] is the machine; the rest are the pieces a route composes its answer from:
//! [`range`], [`conditional`], [`encoding`], [`cors`], [`date`]. Nothing here touches a socket, a
//! clock or a task, so every rule is tested by feeding bytes.
//!
//! Most requests of a broadcast are plain reads of something that is the same for everybody. They
//! take a short way: [`PlainRequest`] is read in place, [`Prepared`] is sent as it is. Everything
//! else takes the full one, through [`Request`] and [`Response`].
//!
//! The engine is strict where HTTP/1.1 parsers have disagreed with each other (T20): a request
//! whose end is in doubt is answered with 400 and the connection is closed.

mod chunked;
pub mod conditional;
pub mod cors;
pub mod date;
pub mod encoding;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod head;
mod limits;
mod output;
mod plain;
mod prepared;
pub mod range;
mod request;
mod response;
mod session;
mod stored;

pub use date::HttpDate;
pub use error::RequestError;
pub use limits::Limits;
pub use plain::PlainRequest;
pub use prepared::Prepared;
pub use request::Request;
pub use response::{Body, Response};
pub use session::{Now, Session};
pub use stored::{ReadAt, Reading, Stored};
