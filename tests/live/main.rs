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
//! | `sound` | 5.1 comes back as stereo, in sync, and plays in a browser |
//! | `players` | foreign players and playlist parsers read it |
//! | `renditions` | other renditions while on air, and renditions that nobody asks for |
//! | `changes` | another configuration of pictures or sound on the same connection |
//! | `sources` | sources that change, stop at once, or have few keyframes, under a ladder |
//! | `reconnect` | a publisher that moves when the server asks it to |
//! | `reload` | blocking reload, preload hints, delta updates, HTTP delivery |
//! | `life` | publishers that leave, return, take over; restart, drain, refusals |
//! | `page` | Chromium plays the page |
//! | `embed` | Shaka Player, video.js and our own embed play it on another site's page |
//! | `recorded` | recorded publishers, cut at every position |
//! | `flood` | floods of messages and of claims |
//! | `doctor` | what `riverrun doctor` tells of a machine |
//! | `api` | every route as `/api/openapi.json` describes it; logins, viewers |
//! | `observed` | what the operator sees: figures, health, players' reports, history, online |
//! | `described` | Schemathesis tries what `/api/openapi.json` describes, and what it does not |
//! | `public_side` | the operator's files, icons, embeds, previews of links, names of variants |
//! | `secrets` | nothing that the public reads holds a secret |
//! | `settings` | every setting at its edges, on air and at the start |
//! | `hostile` | garbage, huge claims, slow and idle peers beside a live broadcast |
//! | `storms` | forged directives, takeovers, stopped readers |
//! | `wire` | request smuggling and every limit on heads and bodies, through sockets |
//! | `shards` | a shard that hangs is replaced while the others serve |
//!
//! The rest is the harness: `server`, `publish`, `flv`, `browser`, `http`, `client`, `playlist`,
//! `lint`, `player`, `frames`, `boxes`, `schema`, `tool`, `watched`; `refused` is the table of the
//! HTTP engine's own tests.

#![expect(clippy::print_stderr, reason = "a failing test shows the server's log on stderr")]

mod api;
mod boxes;
mod browser;
mod changes;
mod client;
mod described;
mod doctor;
mod embed;
mod enhanced;
mod flood;
mod flv;
mod frames;
mod health;
mod hostile;
mod http;
mod ladder;
mod life;
mod line;
mod lint;
mod observed;
mod page;
mod player;
mod players;
mod playlist;
mod public_side;
mod publish;
mod quality;
mod reconnect;
mod recorded;
#[path = "../../net/src/http/session/tests/refused.rs"]
mod refused;
mod reload;
mod renditions;
mod roundtrip;
mod schema;
mod secrets;
mod server;
mod settings;
mod shards;
mod sound;
mod sources;
mod storms;
mod switching;
mod tool;
mod watched;
mod wire;
