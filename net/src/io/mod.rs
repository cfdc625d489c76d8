//! Where engines meet sockets: the only module of this room that names glommio or reads a clock.
//!
//! | file | what |
//! |---|---|
//! | [`listener`] | a port shared by all shards; its probe at start-up |
//! | `readiness` | which sockets of a shard are worth a try: an epoll set on the ring |
//! | [`stream`] | one TCP connection: reads and vectored writes against absolute deadlines |
//! | [`conn`] | the drive loop of an HTTP/1.1 connection around its session |
//! | [`serve`] | the accept loop: caps, then one task per connection |
//! | [`admission`] | how many connections, in all and per address |
//! | [`shutdown`] | telling tasks to stop and waiting until they have |
//! | [`sockets`] | what is open, to be shut from outside when a shard is stuck |
//!
//! Everything here lives on one shard, [`Sockets`] excepted: plain cells and reference counts, no
//! borrow across an await.
//! The cores' hops are `async_channel`s owned by the caller; `wake_tests.rs` shows that their
//! wake-ups reach a sleeping executor from executors and from plain threads.

#![allow(
    clippy::disallowed_methods,
    reason = "this is the shell: it reads the clocks for the engines"
)]

pub mod admission;
pub mod conn;
mod deadline;
pub mod listener;
mod readiness;
pub mod serve;
pub mod shutdown;
pub mod sockets;
pub mod stream;

pub use admission::{Admission, ConnectionLimits, client_of};
pub use conn::{Handler, PlainAnswer, WaitedAnswer, Waiting, serve_http};
pub use listener::{AcceptError, BindError, Listener, probe};
pub use serve::serve_listener;
pub use shutdown::{Gate, StopToken, Stopped};
pub use sockets::Sockets;
pub use stream::{Read, Stream, WriteError};

#[cfg(test)]
mod tests;
#[cfg(test)]
mod wake_tests;
