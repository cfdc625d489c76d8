//! P5, P6, P11, P13, P22: low-latency viewers in front of a live broadcast.

use std::time::Duration;

use crate::process::Server;
use crate::publisher::{Pace, play};
use crate::table::{Goal, Row};
use crate::{Outcome, playlist, stamp};

use super::{AUDIO_BITS, Setting, VIDEO_BITS, footage, on_air, said, target, tool};

/// Viewers that join per second: a slower start than the flood, so that the steady state is judged.
const RAMP: f64 = 1_000.0;
/// Seconds between the last to join and the first counted part.
const SETTLE: f64 = 2.0;
/// Fewer undisturbed parts say too little, and all are counted.
const UNDISTURBED_PARTS_MIN: f64 = 20.0;
/// P5's bound for the slowest hundredth of parts.
const LATE_MILLIS: f64 = 50.0;

/// What a crowd of viewers saw, and what it cost.
struct Crowd {
    /// What the tool said.
    text: String,
    /// CPU seconds of the server.
    spent: f64,
    /// Of the run.
    seconds: f64,
}

/// A fresh server, a publisher and so many viewers for some seconds.
fn crowd(setting: &Setting, viewers: u32, join: bool) -> Outcome<Crowd> {
    let warm_up = f64::from(viewers) / RAMP + SETTLE;
    let seconds = warm_up + 8.0;
    let server = Server::riverrun(&setting.binary, 1)?;
    let publishing = on_air(&server, footage(VIDEO_BITS, AUDIO_BITS, 10), seconds + 4.0)?;
    let before = server.cpu_seconds();
    let multivariant = server.url("/hls/stream.m3u8");
    let more: &[&str] = if join { &["--join", &multivariant] } else { &[] };
    let text = watch(setting, &server, viewers, seconds, warm_up, more)?;
    let spent = server.cpu_seconds() - before;
    drop(server);
    // The publisher notices that its server is gone.
    let _ = publishing.join();
    Ok(Crowd { text, spent, seconds })
}

/// P5: how many viewers one core serves in time, and what each costs. P22: what becomes of them
/// when twice as many come.
pub fn capacity(setting: &Setting) -> Outcome<Vec<Row>> {
    let (mut most, mut cost, mut peak) = (0_u32, Vec::new(), 0.0_f64);
    for viewers in [250_u32, 500, 1_000, 1_500, 2_000, 2_500, 3_000, 4_000] {
        let mut runs = vec![step(setting, viewers)?];
        if runs.iter().any(|run| !run.in_time) {
            // One pause of the machine makes a run late: the next two decide.
            runs = vec![step(setting, viewers)?, step(setting, viewers)?];
        }
        cost.extend(runs.iter().map(|run| run.cost));
        if !runs.iter().all(|run| run.in_time) {
            break;
        }
        most = viewers;
        peak = runs.iter().map(|run| run.goodput).fold(peak, f64::max);
    }
    let last = cost.last().copied().unwrap_or(0.0);
    let mut rows = vec![
        Row::alone(
            "P5 viewers of 3.1 Mb/s, picture and sound, on one core, p99 ≤ 50 ms",
            "viewers",
            vec![f64::from(most)],
            Goal::Least(1_500.0),
            Goal::Least(2_500.0),
        ),
        Row::alone(
            "P5 CPU per viewer-second at the highest load tried",
            "ms",
            vec![last],
            Goal::Most(1e3 / 1_500.0),
            Goal::Most(1e3 / 2_500.0),
        ),
    ];
    if most > 0 {
        rows.extend(overload(setting, most, peak)?);
    }
    Ok(rows)
}

/// One number of viewers, once.
struct Step {
    /// CPU milliseconds per viewer and second.
    cost: f64,
    /// Parts per second.
    goodput: f64,
    in_time: bool,
}

fn step(setting: &Setting, viewers: u32) -> Outcome<Step> {
    let count = f64::from(viewers);
    let Crowd { text, spent, seconds } = crowd(setting, viewers, false)?;
    let late = lateness(&text, "fetched", "p99 ")?;
    let errors = said(&text, "responses", "4xx ")?
        + said(&text, "responses", "5xx ")?
        + said(&text, "responses", "failures ")?;
    let busy = said(&text, "responses", "own CPU s ")? / seconds;
    eprintln!(
        "  P5 {viewers}: p99 {late:.1} ms{}, errors {errors}, cores {:.0} % and {:.0} %",
        of_parts(&text, "fetched", "p99 ")?,
        spent / seconds * 100.0,
        busy * 100.0
    );
    Ok(Step {
        // Joining costs as much per second as watching, on half the viewers on average.
        cost: spent / (count * (seconds - count / RAMP / 2.0)) * 1e3,
        goodput: said(&text, "goodput", "second ")?,
        in_time: late <= LATE_MILLIS && errors == 0.0,
    })
}

/// P22: twice as many viewers as one core can serve.
fn overload(setting: &Setting, most: u32, peak: f64) -> Outcome<Vec<Row>> {
    let calm = lateness(&crowd(setting, most * 4 / 5, true)?.text, "fetched", "p99 ")?;
    let text = crowd(setting, most * 2, true)?.text;
    eprint!("  P22 {} viewers\n{text}", most * 2);
    let goodput = said(&text, "goodput", "second ")?;
    Ok(vec![
        Row::alone(
            format!("P22 parts in time, {} viewers offered, against {most}", most * 2),
            "% of the peak",
            vec![goodput / peak.max(1e-9) * 100.0],
            Goal::Least(80.0),
            Goal::Least(95.0),
        ),
        Row::alone(
            "P22 p99 lateness of those admitted, against 80 % load",
            "×",
            vec![lateness(&text, "fetched", "p99 ")? / calm.max(1e-9)],
            Goal::Most(3.0),
            Goal::Most(1.5),
        ),
    ])
}

/// P6 and P11: one viewer alone, then crowds that only reload.
pub fn delay(setting: &Setting) -> Outcome<Vec<Row>> {
    let mut rows = Vec::new();
    let server = Server::riverrun(&setting.binary, 1)?;
    let publishing = on_air(&server, footage(VIDEO_BITS, AUDIO_BITS, 10), 34.0)?;
    let alone = watch(setting, &server, 1, 30.0, 0.0, &[])?;
    let row = |what: &str, line: &str, name: &str, must, stretch| -> Outcome<Row> {
        let what = format!("{what}{}", of_parts(&alone, line, name)?);
        Ok(Row::alone(what, "ms", vec![lateness(&alone, line, name)?], must, stretch))
    };
    let sent = "P11 last picture of a part sent → part";
    rows.push(row(
        &format!("{sent} listed, p50"),
        "listed",
        "p50 ",
        Goal::Most(2.0),
        Goal::Most(0.5),
    )?);
    rows.push(row(
        &format!("{sent} listed, p99"),
        "listed",
        "p99 ",
        Goal::Most(8.0),
        Goal::Most(3.0),
    )?);
    rows.push(row(&format!("{sent} fetched, p50"), "fetched", "p50 ", Goal::None, Goal::None)?);
    drop(server);
    let _ = publishing.join();
    for (viewers, must) in [(1_000_u32, 20.0), (10_000, 120.0)] {
        let server = Server::riverrun(&setting.binary, 1)?;
        let publishing = on_air(&server, footage(300_000, 64_000, 10), 24.0)?;
        let warm_up = f64::from(viewers) / RAMP / 2.0 + SETTLE;
        let one = [server.url("/hls/0/stream.m3u8")];
        let text = watch_these(setting, &one, viewers, 18.0, warm_up, &["--reload-only"])?;
        eprint!("  P6 {viewers} waiters\n{text}");
        drop(server);
        let _ = publishing.join();
        rows.push(Row::alone(
            format!(
                "P6 picture sent → first byte of the reload, {viewers} waiters, p99{}",
                of_parts(&text, "listed", "p99 ")?
            ),
            "ms",
            vec![lateness(&text, "listed", "p99 ")?],
            Goal::Most(must),
            Goal::Most(must / 2.0),
        ));
    }
    Ok(rows)
}

/// P13: from nothing to something playable.
pub fn first_picture(setting: &Setting) -> Outcome<Vec<Row>> {
    let (mut parts, mut segments, mut joins) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..setting.repeats {
        let server = Server::riverrun(&setting.binary, 1)?;
        let (to, film) = (target(&server), footage(VIDEO_BITS, AUDIO_BITS, 10));
        let publishing =
            std::thread::spawn(move || play(&to, &film, &Pace { seconds: 5.0, ..Pace::default() }));
        // A number that is long past: the first part of anything answers it.
        let part = first_with(&server, "/hls/0/stream.m3u8?_HLS_msn=0&_HLS_part=0", "#EXT-X-PART:");
        let segment = first_with(&server, "/hls/0/stream.m3u8", "#EXTINF:");
        std::thread::sleep(Duration::from_millis(2_500));
        let begin = stamp::now();
        server.get("/hls/stream.m3u8")?;
        let text = String::from_utf8(server.get("/hls/0/stream.m3u8")?.1)?;
        let map = text.split_once("#EXT-X-MAP:URI=\"").and_then(|(_, rest)| rest.split('"').next());
        server.get(&format!("/hls/0/{}", map.ok_or("no init section")?))?;
        let listed = playlist::read(&text, (0, 0)).parts;
        server.get(&format!("/hls/0/{}", listed.last().ok_or("no part")?.1))?;
        joins.push((stamp::now() - begin) as f64 / 1e6);
        let sent = publishing.join().map_err(|_| "the publisher panicked")??.first_picture;
        parts.push((part - sent) as f64 / 1e6);
        segments.push((segment - sent) as f64 / 1e6);
    }
    let row = |what: &str, times, must, stretch| {
        Row::alone(what, "ms", times, Goal::Most(must), Goal::Most(stretch))
    };
    Ok(vec![
        row("P13 first keyframe sent → first playlist for who asks for parts", parts, 434.0, 354.0),
        row("P13 first keyframe sent → first playlist for everybody", segments, 434.0, 354.0),
        row("P13 a joiner's 4 requests, each on a new connection", joins, 20.0, 5.0),
    ])
}

/// When the playlist first had `tag`.
fn first_with(server: &Server, playlist: &str, tag: &str) -> u64 {
    loop {
        // A request that comes too early waits for the broadcast, or is told that there is none.
        if let Ok((200, body)) = server.get(playlist)
            && String::from_utf8_lossy(&body).contains(tag)
        {
            return stamp::now();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// How late parts were that the hypervisor left alone; all parts, where those are too few.
fn lateness(text: &str, line: &str, name: &str) -> Outcome<f64> {
    if said(text, "undisturbed parts", "parts ")? < UNDISTURBED_PARTS_MIN {
        return said(text, line, name);
    }
    said(text, &format!("undisturbed, {line}"), name)
}

/// Of how many parts [`lateness`] tells, and the figure of all of them, for the row's name.
fn of_parts(text: &str, line: &str, name: &str) -> Outcome<String> {
    let (alone, all) = (said(text, "undisturbed parts", "parts ")?, said(text, "parts", "parts ")?);
    let of_all = said(text, line, name)?;
    Ok(if alone < UNDISTURBED_PARTS_MIN {
        format!(" (all {all} parts: too few undisturbed)")
    } else {
        format!(" ({alone} of {all} parts; of all {of_all:.1} ms)")
    })
}

fn watch(
    setting: &Setting,
    server: &Server,
    viewers: u32,
    seconds: f64,
    warm_up: f64,
    more: &[&str],
) -> Outcome<String> {
    let urls = [server.url("/hls/0/stream.m3u8"), server.url("/hls/audio/stream.m3u8")];
    watch_these(setting, &urls, viewers, seconds, warm_up, more)
}

fn watch_these(
    setting: &Setting,
    urls: &[String],
    viewers: u32,
    seconds: f64,
    warm_up: f64,
    more: &[&str],
) -> Outcome<String> {
    let (viewers, seconds, warm_up, ramp) =
        (viewers.to_string(), seconds.to_string(), warm_up.to_string(), (RAMP * 2.0).to_string());
    let mut arguments = vec!["live", "-n", &viewers, "-t", &seconds, "--warm-up", &warm_up];
    arguments.extend(["--ramp", &ramp]);
    arguments.extend(urls.iter().map(String::as_str));
    arguments.extend(more);
    tool(setting, "viewers", &arguments)
}
