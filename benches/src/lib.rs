//! Load tools for a running server, and what they share.
//!
//! ```text
//! footage ─▶ rtmp ─▶ server ─▶ http ─▶ engine ─▶ script (live, get, idle …) ─▶ stats
//!    └ stamp: when each picture was sent ────────────────┘ when it arrived
//! ```
//!
//! The binaries: `viewers` and `publish` load any server; `bench` starts ours and its peers in
//! turn, loads them with the two and prints one table. Every number is read from outside.

#![allow(clippy::print_stderr)] // Progress goes to standard error, beside the table.

pub mod bd_rate;
pub mod clips;
pub mod cpu;
pub mod engine;
pub mod ffmpeg;
pub mod footage;
pub mod get;
pub mod http;
pub mod live;
pub mod pipeline;
pub mod playlist;
pub mod process;
pub mod publisher;
pub mod quiet;
pub mod random;
pub mod rows;
pub mod rtmp;
pub mod stamp;
pub mod stats;
pub mod stolen;
pub mod table;

/// What tools end with: the first thing that went wrong, in words.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
