//! P23: what a second core adds.
//!
//! Two server cores and a load generator do not fit on two cores, so the speed of two cannot be
//! timed here. What would keep two cores from being twice as fast is work that one alone does not
//! have: it shows as CPU time per request, and that can be measured while the load generators take
//! their share. They also disturb the shard that they share a core with, whatever it is; how much,
//! is shown by two servers of one shard each, which have nothing in common.

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

/// Requests per CPU second of two shards against one, times two; and of two servers.
pub fn rows(setting: &Setting) -> Outcome<Vec<Row>> {
    let joint = Server::riverrun(&setting.binary, 2)?;
    let first = Server::riverrun_on(&setting.binary, SERVER_CORE)?;
    let second = Server::riverrun_on(&setting.binary, LOAD_CORE)?;
    let (in_joint, in_first, in_second) = (sound(&joint)?, sound(&first)?, sound(&second)?);
    let cases = [
        [(&first, &in_first), (&first, &in_first)],
        [(&joint, &in_joint), (&joint, &in_joint)],
        [(&first, &in_first), (&second, &in_second)],
    ];
    let mut rates = [Vec::new(), Vec::new(), Vec::new()];
    for repeat in 0..=setting.repeats {
        for (targets, rates) in cases.iter().zip(&mut rates) {
            let servers = [&joint, &first, &second];
            let spent = || servers.iter().map(|server| server.cpu_seconds()).sum::<f64>();
            let before = spent();
            let urls = targets.map(|(server, address)| server.url(address));
            let rate = loads(&urls, setting.seconds)? / (spent() - before);
            // The first round warms up.
            if repeat > 0 {
                rates.push(rate);
            }
        }
    }
    let [one, two, apart] = rates;
    let medians = [&one, &two, &apart].map(|rates| median(rates));
    eprintln!("  P23 one, two, apart: {medians:.0?} requests per CPU-s");
    let against_one = |rates: &[f64]| {
        one.iter().zip(rates).map(|(one, rate)| 2.0 * rate / one).collect::<Vec<_>>()
    };
    let what = "P23 parts of 10 kB: CPU time per request,";
    Ok(vec![
        Row::alone(
            format!("{what} two shards against one, as speed"),
            "×",
            against_one(&two),
            Goal::Least(1.8),
            Goal::Least(1.95),
        ),
        Row::alone(
            format!("{what} two servers that share nothing against one, as speed"),
            "×",
            against_one(&apart),
            Goal::None,
            Goal::None,
        ),
    ])
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
