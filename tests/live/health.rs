//! The figures of a broadcast in the log: what was sent and what a ladder of two rungs made of it.

use std::time::Duration;

use crate::publish::Publisher;
use crate::server::Server;
use crate::tool::wait_for;

const LIMIT: Duration = Duration::from_secs(90);

/// The number after `label`; times in milliseconds, without the unit of others.
fn figure(text: &str, label: &str) -> f64 {
    let found = text.split_once(&format!("{label} ")).map(|(_, rest)| rest.trim_start());
    let rest = found.unwrap_or_else(|| panic!("no {label} in {text}"));
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (number, unit) = rest.split_at(end);
    let number: f64 = number.parse().unwrap_or_else(|_| panic!("no number after {label}: {text}"));
    let scales = [("ms", 1.0), ("µs", 1e-3), ("ns", 1e-6), ("s", 1e3)];
    let scale = scales.iter().find(|(name, _)| unit.starts_with(name));
    number * scale.map_or(1.0, |(_, scale)| *scale)
}

#[test]
fn figures_of_a_ladder_of_two_rungs() {
    let server = Server::start_with(&["--renditions", "source,180p@300,90p@100", "--log", "debug"]);
    let _publisher = Publisher::looped("long", &server.publish_url());
    // The first ten seconds have the start in them.
    let line = wait_for("two lines of figures", LIMIT, || {
        let log = server.log();
        log.lines().filter(|line| line.contains("health: ")).nth(1).map(str::to_owned)
    });
    eprintln!("{line}");
    let is = |text: &str, label: &str, range: std::ops::RangeInclusive<f64>| {
        let found = figure(text, label);
        assert!(range.contains(&found), "{label} is {found}, not of {range:?}: {line}");
    };
    let parts: Vec<&str> = line.split("; ").collect();
    let [ingest, decoding, upper, lower] = parts[..] else { panic!("{line}") };
    // The clip has 25 pictures a second, a keyframe every two seconds and 1.8 Mbit/s.
    is(ingest, "rate", 24.0..=26.0);
    is(ingest, "video", 900.0..=2_700.0);
    is(ingest, "audio", 50.0..=200.0);
    is(ingest, "keyframe gap", 1_990.0..=2_010.0);
    is(ingest, "jitter", 0.0..=100.0);
    is(ingest, "longest wait", 35.0..=2_000.0);
    is(decoding, "rate", 22.0..=27.0);
    is(decoding, "decode", 0.1..=40.0);
    is(decoding, "scale", 0.01..=40.0);
    for (rung, variant, kbit) in [(upper, 1.0, 300.0), (lower, 2.0, 100.0)] {
        is(rung, "variant", variant..=variant);
        is(rung, "lag", 1.0..=1_000.0);
        is(rung, "longest lag", figure(rung, "lag")..=3_000.0);
        is(rung, "behind", 0.0..=300.0);
        is(rung, "waiting", 0.0..=8.0);
        // A machine that is busy with other tests may make a rung leave pictures out.
        if figure(rung, "dropped") < 1.0 && figure(decoding, "skipped") < 1.0 {
            assert!(rung.contains(" Full: "), "{line}");
            is(rung, "rate", 22.0..=27.0);
            is(rung, "media", 0.9..=1.1);
            is(rung, "speed", 1.5..=10_000.0);
            is(rung, "coded", 0.3 * kbit..=1.7 * kbit);
        }
    }
}
