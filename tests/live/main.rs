//! The whole server, seen from outside only: publishers' bytes go in by RTMP, viewers' bytes come
//! out by HTTP, and programs we did not write judge them (ffmpeg, GStreamer, mpv, streamlink,
//! Chromium, three m3u8 parsers).
//!
//! `tests/tools/setup.sh` brings those programs and the footage; `make test` runs it. Every wait
//! here is a condition with a deadline; nothing sleeps and hopes.
//!
//! | module | what it shows |
//! |---|---|
//! | `roundtrip` | what was sent comes back, picture by picture |
//! | `enhanced` | the same for the codecs of Enhanced RTMP |
//! | `players` | foreign players and playlist parsers read it |
//! | `reload` | blocking reload, preload hints, delta updates, HTTP delivery |
//! | `life` | publishers that leave, return, take over; restart, drain, refusals |
//! | `page` | Chromium plays the page |
//! | `embed` | Shaka Player and video.js play it on another site's page |
//! | `recorded` | recorded publishers, cut at every position |
//! | `flood` | floods of messages and of claims |
//! | `hostile` | garbage, floods and slow peers beside a live broadcast |
//!
//! The rest is the harness: `server`, `publish`, `browser`, `http`, `playlist`, `lint`, `player`,
//! `frames`, `boxes`, `tool`.

#![expect(clippy::print_stderr, reason = "a failing test shows the server's log on stderr")]

mod boxes;
mod browser;
mod embed;
mod enhanced;
mod flood;
mod frames;
mod hostile;
mod http;
mod life;
mod lint;
mod page;
mod player;
mod players;
mod playlist;
mod publish;
mod recorded;
mod reload;
mod roundtrip;
mod server;
mod tool;
