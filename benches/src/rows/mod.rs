//! The rows of the table: each file measures what its title says, from outside, both servers in
//! turn.

pub mod bodies;
pub mod cores;
pub mod ingest;
pub mod memory;
pub mod pictures;
pub mod quality;
pub mod quiet;
pub mod realtime;
pub mod rooms;
pub mod transcode;
pub mod viewers;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::Outcome;
use crate::footage::{Footage, Recipe};
use crate::process::{KEY, LOAD_CORE, Server, on_core};
use crate::publisher::{Pace, Sent, play};
use crate::rtmp::Target;

/// What all rows need.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Our release binary.
    pub binary: PathBuf,
    /// Folder of the load tools.
    pub tools: PathBuf,
    /// Pairs per comparison.
    pub repeats: usize,
    /// Seconds of load per measurement.
    pub seconds: f64,
    /// Minutes of P10.
    pub minutes: f64,
}

/// Bits of the made-up broadcast that viewers watch (P5).
const VIDEO_BITS: u64 = 3_000_000;
const AUDIO_BITS: u64 = 128_000;

fn footage(video_bits: u64, audio_bits: u64, seconds: u64) -> Footage {
    Footage::make(Recipe { video_bits, audio_bits, seconds, seed: 1 })
}

fn target(server: &Server) -> Target {
    Target { address: server.rtmp, app: "live".to_owned(), key: KEY.to_owned(), chunk: 65_536 }
}

/// Publishes in real time on a thread of its own, and waits until the playlists list something.
fn on_air(server: &Server, footage: Footage, seconds: f64) -> Outcome<JoinHandle<Outcome<Sent>>> {
    let (target, pace) = (target(server), Pace { seconds, ..Pace::default() });
    let publishing = thread::spawn(move || play(&target, &footage, &pace));
    for _ in 0..50 {
        let listed = |name: &str| server.get(name).is_ok_and(|(status, _)| status == 200);
        if listed("/hls/0/stream.m3u8") && listed("/hls/audio/stream.m3u8") {
            return Ok(publishing);
        }
        thread::sleep(Duration::from_millis(100));
    }
    Err("nothing went on air".into())
}

/// Runs a load tool of ours on the load's core; what it says. Its exit code is not asked: the
/// counts of errors are in what it says.
fn tool(setting: &Setting, name: &str, arguments: &[&str]) -> Outcome<String> {
    let mut command = on_core(&LOAD_CORE.to_string(), &setting.tools.join(name));
    let output = command.args(arguments).stderr(Stdio::inherit()).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The number after `name` in what a tool said, from the line that begins with `line`.
fn said(text: &str, line: &str, name: &str) -> Outcome<f64> {
    let found = text.lines().find(|candidate| candidate.starts_with(line)).and_then(|line| {
        let after = line.split_once(name)?.1;
        after.split_whitespace().next()?.parse().ok()
    });
    found.ok_or_else(|| format!("no {name:?} in {line:?} of:\n{text}").into())
}

/// What wrk measured.
#[derive(Clone, Copy, Debug)]
struct Wrk {
    requests: f64,
    per_second: f64,
    p99_ms: f64,
}

/// Runs wrk on the load's core.
fn wrk(url: &str, connections: usize, seconds: f64) -> Outcome<Wrk> {
    let seconds = format!("{}s", seconds.max(1.0) as u64);
    let mut command = on_core(&LOAD_CORE.to_string(), "wrk".as_ref());
    command.args(["-t1", "-d", &seconds, "--latency", "-c", &connections.to_string(), url]);
    let output = Command::output(&mut command)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let words = |name: &str| {
        let mut lines = text.lines().map(str::trim);
        lines
            .find(|line| line.starts_with(name) || line.contains(&format!(" {name}")))
            .map(str::to_owned)
    };
    if let Some(bad) = words("Non-2xx").or_else(|| words("Socket errors")) {
        return Err(format!("wrk {url}: {bad}").into());
    }
    let first = |line: Option<String>| {
        line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok())
    };
    let last =
        |name: &str| words(name).and_then(|l| l.split_whitespace().last().map(str::to_owned));
    let missing = || format!("wrk said:\n{text}");
    Ok(Wrk {
        requests: first(words("requests in ")).ok_or_else(missing)?,
        per_second: last("Requests/sec").and_then(|n| n.parse().ok()).ok_or_else(missing)?,
        p99_ms: last("99%").and_then(|time| milliseconds(&time)).ok_or_else(missing)?,
    })
}

/// `12.3us`, `1.2ms`, `3.4s` in milliseconds.
fn milliseconds(text: &str) -> Option<f64> {
    let digits = text.trim_end_matches(char::is_alphabetic);
    let factor = match &text[digits.len()..] {
        "us" => 1e-3,
        "ms" => 1.0,
        "s" => 1e3,
        _ => return None,
    };
    digits.parse::<f64>().ok().map(|number| number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_say_is_read() {
        let text = "responses 10\nlisted  ms p50 35.1  p99 46.4  max 50\n";
        assert_eq!(said(text, "listed", "p99 ").unwrap(), 46.4);
        assert!(said(text, "fetched", "p99").is_err());
        assert_eq!(milliseconds("120.00us"), Some(0.12));
        assert_eq!(milliseconds("1.50s"), Some(1500.0));
        assert_eq!(milliseconds("7"), None);
    }
}
