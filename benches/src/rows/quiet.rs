//! P7, P21, P24: start, size, memory and CPU of a server that has nothing to do.

use std::fs;
use std::thread;
use std::time::Duration;

use crate::Outcome;
use crate::process::{LOAD_CORE, Server, on_core};
use crate::table::{Goal, Row};

use super::Setting;

const STARTS: usize = 20;
/// Seconds over which idleness is measured.
const IDLE_SECONDS: f64 = 8.0;
const IDLE_CONNECTIONS: u32 = 5_000;

/// P21: start, idle memory, size of the binary.
pub fn start(setting: &Setting) -> Outcome<Vec<Row>> {
    let (mut ours, mut peer, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let server = Server::riverrun(&setting.binary, 1)?;
        ours.push(server.started_in.as_secs_f64() * 1e3);
        server.settle();
        memory.push(server.resident_bytes() as f64 / 1e6);
        drop(server);
        peer.push(Server::nginx(true, false)?.started_in.as_secs_f64() * 1e3);
    }
    let size = fs::metadata(&setting.binary)?.len() as f64 / 1e6;
    Ok(vec![
        Row {
            what: "P21 exec to the first 200, clean store (peer: nginx)".to_owned(),
            unit: "ms",
            ours,
            peer,
            must: Goal::Most(100.0),
            stretch: Goal::Most(30.0),
        },
        Row::alone("P21 idle resident memory", "MB", memory, Goal::Most(30.0), Goal::Most(15.0)),
        Row::alone("P21 binary", "MB", vec![size], Goal::Most(30.0), Goal::Most(18.0)),
    ])
}

/// P24 and P7: CPU with nobody there and with idle connections, and what each of those holds.
pub fn idle(setting: &Setting) -> Outcome<Vec<Row>> {
    let server = Server::riverrun(&setting.binary, 1)?;
    thread::sleep(Duration::from_secs(1));
    let alone = share_of_core(&server);
    let empty = server.resident_bytes();
    let connections = IDLE_CONNECTIONS.to_string();
    let seconds = (IDLE_SECONDS + 4.0).to_string();
    let mut idlers = on_core(&LOAD_CORE.to_string(), &setting.tools.join("viewers"))
        .args(["idle", "-n", &connections, "-t", &seconds, "--ramp", "5000"])
        .arg(server.url("/healthz"))
        .spawn()?;
    thread::sleep(Duration::from_secs(3));
    let held = server.resident_bytes().saturating_sub(empty);
    let crowded = share_of_core(&server);
    idlers.wait()?;
    Ok(vec![
        Row::alone(
            "P24 idle CPU, nobody there",
            "% of a core",
            vec![alone],
            Goal::Most(0.2),
            Goal::Most(0.02),
        ),
        Row::alone(
            format!("P24 idle CPU with {connections} idle connections"),
            "% of a core",
            vec![crowded],
            Goal::Most(1.0),
            Goal::Most(0.2),
        ),
        Row::alone(
            "P7 resident memory per idle HTTP connection",
            "KiB",
            vec![held as f64 / 1024.0 / f64::from(IDLE_CONNECTIONS)],
            Goal::Most(4.0),
            Goal::Most(2.0),
        ),
    ])
}

fn share_of_core(server: &Server) -> f64 {
    let before = server.cpu_seconds();
    thread::sleep(Duration::from_secs_f64(IDLE_SECONDS));
    (server.cpu_seconds() - before) / IDLE_SECONDS * 100.0
}
