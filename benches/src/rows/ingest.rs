//! P14, P15: publishers, against Debian's nginx with the RTMP module and HLS on.

use crate::Outcome;
use crate::process::Server;
use crate::publisher::{Pace, play};
use crate::table::{Goal, Row};

use super::{Setting, footage, said, target, tool};

/// Of the measurement in real time.
const REAL_TIME_SECONDS_MIN: f64 = 20.0;

/// CPU per megabit of ingest with packaging on. One publisher, since one is what our stage holds;
/// at twenty times real time it brings the media of twenty.
pub fn rows(setting: &Setting) -> Outcome<Vec<Row>> {
    let film = footage(6_000_000, 128_000, 20);
    let mut rows = Vec::new();
    for speed in [1.0, 20.0] {
        // The first seconds in real time, without a known rhythm, are not what a broadcast costs.
        let least = if speed > 1.0 { 4.0 } else { REAL_TIME_SECONDS_MIN };
        let seconds = setting.seconds.max(least) * speed;
        let (mut ours, mut peer) = (Vec::new(), Vec::new());
        for _ in 0..setting.repeats.min(3) {
            let servers = [Server::riverrun(&setting.binary, 1)?, Server::nginx(true, true)?];
            for (server, costs) in servers.iter().zip([&mut ours, &mut peer]) {
                server.settle();
                let before = server.cpu_seconds();
                let pace = Pace { speed, seconds, ..Pace::default() };
                let sent = play(&target(server), &film, &pace)?;
                let spent = server.cpu_seconds() - before;
                costs.push(spent * 1e3 / (sent.bytes as f64 * 8.0 / 1e6));
            }
        }
        rows.push(Row {
            what: format!(
                "P14 ingest and packaging at {speed} × real time, 6 Mb/s, against nginx-rtmp"
            ),
            unit: "CPU-ms/Mb",
            ours,
            peer,
            must: Goal::RatioMost(0.5),
            stretch: Goal::RatioMost(0.3),
        });
    }
    rows.extend(handshakes(setting)?);
    Ok(rows)
}

/// Connect to the answer to publish, 30 at a time, a new connection each.
fn handshakes(setting: &Setting) -> Outcome<Vec<Row>> {
    let (mut ours, mut peer, mut late) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..setting.repeats {
        let servers = [Server::riverrun(&setting.binary, 1)?, Server::nginx(true, true)?];
        for (index, server) in servers.iter().enumerate() {
            server.settle();
            // nginx-rtmp takes one publisher per name; ours has one stage, which each takes over.
            let key = if index == 0 { super::KEY } else { "{n}" };
            let url = format!("rtmp://{}/live/{key}", server.rtmp);
            let text = tool(setting, "publish", &["storm", &url, "--count", "2000"])?;
            let rate = said(&text, "answers", "per second ")?;
            if said(&text, "answers", "failed ")? > 0.0 {
                return Err(format!("handshakes failed:\n{text}").into());
            }
            if index == 0 {
                ours.push(rate);
                late.push(said(&text, "to the answer", "p99 ")?);
            } else {
                peer.push(rate);
            }
        }
    }
    Ok(vec![
        Row {
            what: "P15 RTMP connect and publish answered, against nginx-rtmp".to_owned(),
            unit: "/s",
            ours,
            peer,
            must: Goal::Least(4_000.0),
            stretch: Goal::Least(8_000.0),
        },
        Row::alone("P15 p99 of that, 30 at a time", "ms", late, Goal::Most(10.0), Goal::Most(5.0)),
    ])
}
