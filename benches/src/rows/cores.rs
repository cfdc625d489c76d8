//! P23: what a second core adds.
//!
//! Two server cores and a load generator do not fit on two cores, so the speed of two cannot be
//! timed here. What would keep two cores from being twice as fast is work that one alone does not
//! have, locks and cache lines that move between them: it shows as CPU time per request, and that
//! can be measured while the load generator takes its share.

use crate::Outcome;
use crate::playlist;
use crate::process::Server;
use crate::publisher::{Pace, play};
use crate::stats::median;
use crate::table::{Goal, Row};

use super::{Setting, footage, target, wrk};

/// Enough for the kernel to spread them evenly over the shards.
const CONNECTIONS: usize = 400;

/// Requests per CPU second of two shards against one, times two.
pub fn rows(setting: &Setting) -> Outcome<Vec<Row>> {
    let servers = [Server::riverrun(&setting.binary, 1)?, Server::riverrun(&setting.binary, 2)?];
    let mut addresses = Vec::new();
    for server in &servers {
        let pace = Pace { speed: 0.0, seconds: 14.0, ..Pace::default() };
        play(&target(server), &footage(3_000_000, 240_000, 14), &pace)?;
        let text = String::from_utf8(server.get("/hls/audio/stream.m3u8")?.1)?;
        let parts = playlist::read(&text, (0, 0)).parts;
        let (_, name) = parts.get(1).ok_or("no part was listed")?;
        addresses.push(format!("/hls/audio/{name}"));
    }
    let mut costs = [Vec::new(), Vec::new()];
    for repeat in 0..=setting.repeats {
        for (index, (server, address)) in servers.iter().zip(&addresses).enumerate() {
            let before = server.cpu_seconds();
            let load = wrk(&server.url(address), CONNECTIONS, setting.seconds)?;
            let spent = server.cpu_seconds() - before;
            // The first round warms up.
            if repeat > 0 {
                costs[index].push(load.requests / spent);
            }
        }
    }
    let [one, two] = costs;
    eprintln!("  P23 {:.0} and {:.0} requests per CPU-s", median(&one), median(&two));
    let scaling = one.iter().zip(&two).map(|(one, two)| 2.0 * two / one).collect();
    Ok(vec![Row::alone(
        "P23 parts of 10 kB: CPU time per request with two shards against one, as speed",
        "×",
        scaling,
        Goal::Least(1.8),
        Goal::Least(1.95),
    )])
}
