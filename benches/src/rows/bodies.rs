//! P1, P3: the same bytes from our window and from nginx's files in memory, on the same core.

use crate::Outcome;
use crate::playlist;
use crate::process::Server;
use crate::publisher::{Pace, play};
use crate::table::{Goal, Row};

use super::{Setting, footage, target, wrk};

/// Something both servers have.
struct Body {
    name: &'static str,
    /// Its address at ours.
    ours: String,
    bytes: Vec<u8>,
}

/// CPU seconds per 10^9 bytes, and requests per second of the server's core.
pub fn rows(setting: &Setting) -> Outcome<Vec<Row>> {
    let ours = Server::riverrun(&setting.binary, 1)?;
    // A part of 128 kB, a segment of about 1 MB; sound at 240 kbit/s makes parts of 10 kB.
    play(
        &target(&ours),
        &footage(3_000_000, 240_000, 14),
        &Pace { speed: 0.0, seconds: 14.0, ..Pace::default() },
    )?;
    let bodies = bodies(&ours)?;
    let copy = Server::nginx(false, false)?;
    let sendfile = Server::nginx(true, false)?;
    for body in &bodies {
        copy.put(body.name, &body.bytes)?;
        sendfile.put(body.name, &body.bytes)?;
    }
    let mut rows = Vec::new();
    for body in &bodies {
        let large = body.bytes.len() > 50_000;
        let connections = if large { 32 } else { 200 };
        let address = format!("/{}", body.name);
        let contenders = [(&ours, body.ours.as_str()), (&copy, &address), (&sendfile, &address)];
        let mut costs = [Vec::new(), Vec::new(), Vec::new()];
        let mut slowest: f64 = 0.0;
        for repeat in 0..=setting.repeats {
            for (index, (server, target)) in contenders.iter().enumerate() {
                let before = server.cpu_seconds();
                let seconds = if repeat == 0 { 1.0 } else { setting.seconds };
                let load = wrk(&server.url(target), connections, seconds)?;
                let spent = server.cpu_seconds() - before;
                // The first round warms up.
                if repeat > 0 {
                    let payload = load.requests * body.bytes.len() as f64;
                    let cost = if large { spent / payload * 1e9 } else { load.requests / spent };
                    costs[index].push(cost);
                    eprintln!(
                        "  {} {}: {cost:.4}  {:.0} requests/s, p99 {:.2} ms, core {:.0} %",
                        body.name,
                        ["ours", "nginx copy", "nginx sendfile"][index],
                        load.per_second,
                        load.p99_ms,
                        spent / seconds * 100.0,
                    );
                    if index == 0 {
                        slowest = slowest.max(load.p99_ms);
                    }
                }
            }
        }
        let [mine, copying, sending] = costs;
        let (a, b) = (crate::stats::median(&copying), crate::stats::median(&sending));
        let copy_wins = if large { a <= b } else { a >= b };
        let (peer, how) = if copy_wins { (copying, "copy") } else { (sending, "sendfile") };
        let size = body.bytes.len();
        rows.push(if large {
            Row {
                what: format!("P1 {} of {size} B, CPU against nginx ({how})", body.name),
                unit: "CPU-s/GB",
                ours: mine,
                peer,
                must: Goal::RatioMost(0.9),
                stretch: Goal::RatioMost(0.65),
            }
        } else {
            Row {
                what: format!(
                    "P3 {} of {size} B against nginx ({how}); p99 {slowest:.1} ms",
                    body.name
                ),
                unit: "requests per CPU-s",
                ours: mine,
                peer,
                must: Goal::RatioLeast(1.2),
                stretch: Goal::RatioLeast(1.6),
            }
        });
    }
    Ok(rows)
}

fn bodies(ours: &Server) -> Outcome<Vec<Body>> {
    let text = |target: &str| -> Outcome<String> { Ok(String::from_utf8(ours.get(target)?.1)?) };
    let video = text("/hls/0/stream.m3u8")?;
    let audio = text("/hls/audio/stream.m3u8")?;
    let segments = playlist::segments(&video);
    // The first two are short: a broadcast opens with part of a segment.
    let segment = segments.get(2).ok_or("no segment was listed")?;
    let part = |text: &str| {
        let parts = playlist::read(text, (0, 0)).parts;
        // The first of a segment has the large picture, the second is like all others.
        parts.get(1).map(|(_, name)| name.clone()).ok_or("no part was listed")
    };
    let addresses = [
        ("part.m4s", format!("/hls/0/{}", part(&video)?)),
        ("segment.m4s", format!("/hls/0/{segment}")),
        ("sound.m4s", format!("/hls/audio/{}", part(&audio)?)),
        ("stream.m3u8", "/hls/0/stream.m3u8?ll=0".to_owned()),
    ];
    let mut bodies = Vec::new();
    for (name, address) in addresses {
        let (status, bytes) = ours.get(&address)?;
        if status != 200 {
            return Err(format!("{address}: {status}").into());
        }
        bodies.push(Body { name, ours: address, bytes });
    }
    Ok(bodies)
}
