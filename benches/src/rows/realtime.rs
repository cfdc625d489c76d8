//! P10 and P12: a ladder in real time beside viewers, and how much later than the source its
//! pictures can be had.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use crate::clips::{CLIPS, Quality, RATE};
use crate::ffmpeg::Ffmpeg;
use crate::footage::Footage;
use crate::process::{KEY, Server, get};
use crate::publisher::{Pace, play};
use crate::stats::Summary;
use crate::table::{Goal, Row};
use crate::{Outcome, playlist, stamp};

use super::{Setting, said, target, tool};

/// What is made of 1080p30 of 6 Mb/s.
const RENDITIONS: &str = "source,1280x720@2500,854x480@1200";
const VARIANTS: usize = 3;
/// Each watches one of the variants, in turn.
const VIEWERS: usize = 200;
/// Seconds before figures count: encoders begin, viewers join.
const WARM_UP: f64 = 10.0;
/// Seconds of a clip; it is repeated.
const CLIP_SECONDS: u32 = 20;
/// A picture of the source, in ms.
const PICTURE_MS: f64 = 1_000.0 / RATE as f64;

/// An ffmpeg that publishes until it is dropped.
struct Publishing(Child);

impl Drop for Publishing {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// P10: ffmpeg publishes in real time without encoding, 200 viewers watch, for `minutes`.
pub fn rows(setting: &Setting) -> Outcome<Vec<Row>> {
    let ffmpeg = Ffmpeg::find()?;
    let source = CLIPS[0].flv(&ffmpeg, Quality::InOrder, CLIP_SECONDS)?;
    let server = Server::ladder(&setting.binary, RENDITIONS)?;
    let mut command = ffmpeg.command();
    command.args(["-re", "-stream_loop", "-1", "-i"]).arg(&source);
    command.args(["-c", "copy", "-f", "flv", &format!("rtmp://{}/live/{KEY}", server.rtmp)]);
    let publishing = Publishing(command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn()?);
    wait_listed(&server)?;
    let seconds = (setting.minutes * 60.0 + WARM_UP).to_string();
    let each = VIEWERS.div_ceil(VARIANTS).to_string();
    let urls = (0..VARIANTS).map(|variant| server.url(&format!("/hls/{variant}/stream.m3u8")));
    let urls: Vec<String> = urls.collect();
    let warm_up = WARM_UP.to_string();
    let mut arguments = vec!["live", "-n", &each, "-t", &seconds, "--warm-up", &warm_up];
    arguments.extend(["--ramp", "100"]);
    arguments.extend(urls.iter().map(String::as_str));
    let before = server.cpu_seconds();
    let watched = tool(setting, "viewers", &arguments)?;
    let spent = server.cpu_seconds() - before;
    let log = server.log()?;
    drop(publishing);
    let errors = said(&watched, "responses", "4xx ")?
        + said(&watched, "responses", "5xx ")?
        + said(&watched, "responses", "failures ")?;
    let mut rows = Vec::new();
    for (variant, height) in [(1, 720), (2, 480)] {
        let seen = Seen::of(&log, variant)?;
        let what = format!("P10 {height}p of 1080p30, {VIEWERS} viewers, {} s", seen.seconds);
        rows.push(Row::alone(
            format!("{what}: pictures that lag by more than one (p99 ≤ one: ≤ 1 %)"),
            "%",
            vec![seen.behind / seen.pictures.max(1.0) * 100.0],
            Goal::Most(1.0),
            Goal::None,
        ));
        let none = Goal::Most(0.0);
        let lost = vec![seen.dropped];
        rows.push(Row::alone(format!("{what}: pictures left out"), "", lost, none, Goal::None));
        let note = |name: &str, value| {
            let what = format!("{what}: {name}");
            Row::alone(what, "ms", vec![value], Goal::None, Goal::None)
        };
        rows.push(note("mean lag", seen.lag));
        rows.push(note("longest lag", seen.longest));
    }
    let none = (Goal::Most(0.0), Goal::None);
    rows.push(Row::alone("P10 viewers' requests that failed", "", vec![errors], none.0, none.1));
    let share = spent / (setting.minutes * 60.0 + WARM_UP);
    rows.push(Row::alone("P10 CPU of the server", "cores", vec![share], Goal::None, Goal::None));
    Ok(rows)
}

/// What the log's lines of figures say of one variant, without the first.
struct Seen {
    seconds: f64,
    pictures: f64,
    behind: f64,
    dropped: f64,
    lag: f64,
    longest: f64,
}

impl Seen {
    fn of(log: &str, variant: usize) -> Outcome<Self> {
        /// Seconds of a line.
        const LINE_SECONDS: f64 = 10.0;
        let mut seen =
            Self { seconds: 0.0, pictures: 0.0, behind: 0.0, dropped: 0.0, lag: 0.0, longest: 0.0 };
        let lines = log.lines().filter_map(|line| line.split_once("health: "));
        for (_, line) in lines.skip(1) {
            let label = format!("variant {variant} ");
            let skipped = line.split("; ").find(|part| part.starts_with("decoding"));
            let part = line.split("; ").find(|part| part.starts_with(&label));
            let part = part.ok_or_else(|| format!("no variant {variant} in {line}"))?;
            let of = |part: &str, label: &str| {
                figure(part, label).ok_or_else(|| format!("no {label:?} in {part}"))
            };
            let pictures = of(part, "rate ")? * LINE_SECONDS;
            seen.lag += of(part, " lag ")? * pictures;
            seen.pictures += pictures;
            seen.seconds += LINE_SECONDS;
            seen.behind += of(part, "behind ")?;
            seen.dropped += of(part, "dropped ")? + of(skipped.unwrap_or(part), "skipped ")?;
            seen.longest = seen.longest.max(of(part, "longest lag ")?);
        }
        if seen.pictures == 0.0 {
            return Err("no figures in the log: too short".into());
        }
        seen.lag /= seen.pictures;
        Ok(seen)
    }
}

/// The number behind a label; times in milliseconds.
fn figure(text: &str, label: &str) -> Option<f64> {
    let word = text.split_once(label)?.1.split([',', ' ', '/']).next()?;
    let unit = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number: f64 = word.strip_suffix(unit)?.parse().ok()?;
    Some(match unit {
        "ns" => number / 1e6,
        "µs" => number / 1e3,
        "s" => number * 1e3,
        _ => number,
    })
}

fn wait_listed(server: &Server) -> Outcome<()> {
    for _ in 0..100 {
        let path = format!("/hls/{}/stream.m3u8", VARIANTS - 1);
        if server.get(&path).is_ok_and(|(status, _)| status == 200) {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(100));
    }
    Err("nothing went on air".into())
}

/// P12: when each part of each variant is listed, seen by one blocked reload each.
pub fn added(setting: &Setting) -> Outcome<Vec<Row>> {
    let ffmpeg = Ffmpeg::find()?;
    let source = CLIPS[0].flv(&ffmpeg, Quality::InOrder, CLIP_SECONDS)?;
    let footage = Footage::read_flv(&source)?.without_stamps();
    let server = Server::ladder(&setting.binary, RENDITIONS)?;
    let seconds = (setting.seconds * 10.0).clamp(20.0, 120.0);
    let (to, pace) = (target(&server), Pace { seconds, ..Pace::default() });
    let publishing = thread::spawn(move || play(&to, &footage, &pace));
    wait_listed(&server)?;
    let until = stamp::now() + ((seconds - 3.0) * 1e9) as u64;
    let followers: Vec<_> = (0..VARIANTS)
        .map(|variant| {
            let address = server.http;
            thread::spawn(move || follow(address, variant, until))
        })
        .collect();
    let mut listed = Vec::new();
    for follower in followers {
        listed.push(follower.join().map_err(|_| "a follower panicked")??);
    }
    drop(server);
    // The publisher notices that its server is gone.
    let _ = publishing.join();
    let mut rows = Vec::new();
    for (variant, height) in [(1, 720), (2, 480)] {
        let mut late: Vec<f64> = listed[variant]
            .iter()
            .filter_map(|(place, at)| {
                let source = *listed[0].get(place)?;
                Some((*at as f64 - source as f64) / 1e6)
            })
            .collect();
        let late = Summary::of(&mut late);
        let what = format!("P12 {height}p part listed after the source's, {} parts", late.count);
        let goals = (Goal::Most(2.0 * PICTURE_MS), Goal::Most(PICTURE_MS));
        rows.push(Row::alone(format!("{what}, p50"), "ms", vec![late.p50], Goal::None, Goal::None));
        rows.push(Row::alone(format!("{what}, p99"), "ms", vec![late.p99], goals.0, goals.1));
    }
    Ok(rows)
}

/// When each part was first listed. The parts that were there before do not count.
fn follow(
    address: SocketAddr,
    variant: usize,
    until: u64,
) -> Outcome<HashMap<playlist::Place, u64>> {
    let path = format!("/hls/{variant}/stream.m3u8");
    let mut listed = HashMap::new();
    let mut next = playlist::read(&String::from_utf8(get(address, &path)?.1)?, (0, 0)).next;
    while stamp::now() < until {
        let (msn, part) = next;
        let (status, body) = get(address, &format!("{path}?_HLS_msn={msn}&_HLS_part={part}"))?;
        let now = stamp::now();
        if status != 200 {
            return Err(format!("{path}: {status}").into());
        }
        let edge = playlist::read(&String::from_utf8(body)?, next);
        listed.extend(edge.parts.into_iter().map(|(place, _)| (place, now)));
        next = edge.next;
        if edge.ended {
            break;
        }
    }
    Ok(listed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
09:00 DEBUG health: ingest: rate 1.0/s; decoding: rate 1.0/s, skipped 9; variant 1 Full: dropped 7
09:10 DEBUG health: ingest: rate 30.0/s; decoding: rate 30.0/s, decode 9.1ms, skipped 1; \
variant 1 Full: rate 30.0/s, media 1.00 s/s, lag 20.0ms, longest lag 1.2s, behind 3, waiting 1, \
dropped 2, late 0; variant 2 Full: rate 30.0/s, lag 900.0µs, longest lag 3.0ms, behind 0, dropped 0
";

    #[test]
    fn figures_are_read_from_the_log() {
        let upper = Seen::of(LOG, 1).unwrap();
        assert_eq!((upper.seconds, upper.pictures, upper.behind), (10.0, 300.0, 3.0));
        assert_eq!((upper.dropped, upper.longest), (3.0, 1_200.0));
        assert!((upper.lag - 20.0).abs() < 1e-9);
        assert!((Seen::of(LOG, 2).unwrap().lag - 0.9).abs() < 1e-9);
        assert!(Seen::of(LOG, 3).is_err() && Seen::of("", 1).is_err());
    }
}
