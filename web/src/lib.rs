//! What a visitor meets: which path means what, the shapes of the API, and the page.
//!
//! ```text
//! method + path ─▶ Route ─┬▶ Page ◀── page::render ◀── Status, WebConfig
//!                         ├▶ Asset ◀─ assets (embedded, already compressed)
//!                         ├▶ a row of the table ─▶ JSON of `api`, `admin`; changes of `settings`
//!                         └▶ MediaPlaylist, MediaFile ─▶ names for src to look up in a window
//! ```
//!
//! The room is pure: it takes values and gives bytes. Sockets, clocks and the state of the
//! broadcast belong to the server, which passes in what each answer needs.
//!
//! Short names of what is cited in this room:
//!
//! | tag | document |
//! |---|---|
//! | API §n | the project's reference of Owncast's HTTP API, version 0.2.3 |
//! | RFC 9110 | HTTP Semantics |
//! | RFC 3339 | Date and Time on the Internet: Timestamps |
//! | CSP | Content Security Policy Level 3 |
//!
//! Ids such as T2 or CH-4 name tests and rules of the project's references.

#![forbid(unsafe_code)]

pub mod admin;
pub mod api;
pub mod assets;
pub mod health;
pub mod history;
pub mod json;
pub mod manifest;
pub mod metrics;
pub mod page;
pub mod prometheus;
pub mod public_file;
mod rfc3339;
pub mod route;
pub mod settings;
pub mod shape;
pub mod viewers;

pub use route::Route;
