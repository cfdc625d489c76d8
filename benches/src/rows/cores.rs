//! P23: what a second core adds.
//!
//! Two server cores and a load generator do not fit on two cores, so the speed of two cannot be
//! timed here. What would keep two cores from being twice as fast is what shards have in common:
//! locks and cache lines that move between them. Two servers of one shard each have nothing in
//! common, so the CPU time that a request costs them, on the same cores under the same load, is
//! what two shards of one server are held against.

use std::thread;

use crate::Outcome;
use crate::playlist;
use crate::process::{LOAD_CORE, SERVER_CORE, Server};
use crate::publisher::{Pace, play};
use crate::stats::median;
use crate::table::{Goal, Row};

use super::{Setting, footage, target, wrk};

/// Of each of the two load generators; enough for the kernel to spread them over the shards.
const CONNECTIONS: usize = 200;

/// Requests per CPU second of two shards against two servers, times two.
pub fn rows(setting: &Setting) -> Outcome<Vec<Row>> {
    let joint = Server::riverrun(&setting.binary, 2)?;
    let apart = [SERVER_CORE, LOAD_CORE].map(|core| Server::riverrun_on(&setting.binary, core));
    let [first, second] = apart;
    let (first, second) = (first?, second?);
    let addresses = [&joint, &first, &second].map(sound);
    let [in_joint, in_first, in_second] = addresses;
    let (in_joint, in_first, in_second) = (in_joint?, in_first?, in_second?);
    let (mut together, mut alone) = (Vec::new(), Vec::new());
    for repeat in 0..=setting.repeats {
        let pairs = [
            ([&joint, &joint], [&in_joint, &in_joint], &mut together),
            ([&first, &second], [&in_first, &in_second], &mut alone),
        ];
        for (servers, addresses, rates) in pairs {
            let spent = |servers: [&Server; 2]| {
                let both = servers.map(Server::cpu_seconds);
                if std::ptr::eq(servers[0], servers[1]) { both[0] } else { both[0] + both[1] }
            };
            let before = spent(servers);
            let urls = [servers[0].url(addresses[0]), servers[1].url(addresses[1])];
            let requests = loads(&urls, setting.seconds)?;
            let rate = requests / (spent(servers) - before);
            // The first round warms up.
            if repeat > 0 {
                rates.push(rate);
            }
        }
    }
    eprintln!("  P23 {:.0} and {:.0} requests per CPU-s", median(&together), median(&alone));
    let scaling = together.iter().zip(&alone).map(|(two, one)| 2.0 * two / one).collect();
    Ok(vec![Row::alone(
        "P23 parts of 10 kB: CPU time per request, two shards against two servers, as speed",
        "×",
        scaling,
        Goal::Least(1.8),
        Goal::Least(1.95),
    )])
}

/// Fills the window at once; the address of a part of sound.
fn sound(server: &Server) -> Outcome<String> {
    let pace = Pace { speed: 0.0, seconds: 14.0, ..Pace::default() };
    play(&target(server), &footage(3_000_000, 240_000, 14), &pace)?;
    let text = String::from_utf8(server.get("/hls/audio/stream.m3u8")?.1)?;
    let parts = playlist::read(&text, (0, 0)).parts;
    let (_, name) = parts.get(1).ok_or("no part was listed")?;
    Ok(format!("/hls/audio/{name}"))
}

/// Both loads at once; requests answered in all.
fn loads(urls: &[String; 2], seconds: f64) -> Outcome<f64> {
    let load = |url: &str| {
        wrk(url, CONNECTIONS, seconds).map(|load| load.requests).map_err(|error| error.to_string())
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| load(&urls[1]));
        let requests = load(&urls[0])?;
        Ok(requests + other.join().map_err(|_| "a load panicked")??)
    })
}
