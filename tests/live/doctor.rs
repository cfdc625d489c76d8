//! `riverrun doctor`: what it prints of this machine, and what when the server could not start.

use std::process::Command;
use std::time::Duration;

use crate::tool::{run, run_well};

/// Twelve seconds of CPU time, of which a loaded machine makes several times as much.
const LIMIT: Duration = Duration::from_secs(120);
const BINARY: &str = env!("CARGO_BIN_EXE_riverrun");

#[test]
fn a_doctor_tells_what_each_size_costs_and_which_ladders_run() {
    let told = run_well(Command::new(BINARY).args(["doctor", "--cpu-level", "1"]), LIMIT);
    for word in ["io_uring", "locked memory", "open files", "cores", "disk", "store", "clock"] {
        assert!(told.stdout.contains(word), "{word} in {}", told.stdout);
    }
    let rows = |start: &str| -> Vec<Vec<String>> {
        let lines = told.stdout.lines().skip_while(|line| !line.trim_start().starts_with(start));
        let rows = lines.skip(1).take_while(|line| !line.is_empty());
        rows.map(|row| row.split_whitespace().map(str::to_owned).collect()).collect()
    };
    let number = |cell: &str| cell.parse::<f64>().unwrap_or_else(|_| panic!("{cell:?}"));

    let costs = rows("decode");
    let names: Vec<&str> = costs.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(names, ["1080p", "720p", "480p", "360p", "240p"], "{}", told.stdout);
    for pair in costs[..4].windows(2) {
        assert!(number(&pair[0][3]) > number(&pair[1][3]), "{costs:?}");
    }
    let av1: Vec<_> = costs.iter().map(|row| row[4].as_str()).collect();
    assert_eq!(av1[..3], ["-"; 3]);
    assert!(number(av1[3]) > number(av1[4]) && number(av1[4]) > 0.0, "{costs:?}");
    assert_eq!(costs[2][1], "-", "publishers seldom send 480p");

    let ladders = rows("source");
    let sources: Vec<&str> = ladders.iter().map(|row| row[0].as_str()).collect();
    let four = |source| [source; 4];
    assert_eq!(sources, [four("1080p60"), four("1080p30"), four("720p30")].concat());
    for row in &ladders {
        let verdict = row[6..].join(" ");
        assert!(["comfortable", "tight", "too much"].contains(&verdict.as_str()), "{row:?}");
        let (all, share, busiest) = (number(&row[2]), number(&row[3]), number(&row[5]));
        assert!(busiest <= all, "{row:?}");
        let expected = match (share / 100.0).max(busiest) {
            ..0.59 => "comfortable",
            0.61..0.99 => "tight",
            1.01.. => "too much",
            // Rounded where it is printed.
            _ => verdict.as_str(),
        };
        assert_eq!(verdict, expected, "{row:?}");
    }
    let everything = ["1080p:1,720p:1,480p:1", "720p:1,480p:1,360p:1"];
    assert_eq!([&ladders[1][1], &ladders[9][1]], everything);
    assert!(number(&ladders[1][2]) > number(&ladders[5][2]), "60 pictures cost more than 30");
    assert!(number(&ladders[5][2]) > number(&ladders[9][2]), "1080p costs more than 720p");
    assert_eq!([&ladders[2][1], &ladders[3][1]], ["source,360p/30:av1", "source,240p/30:av1"]);
    assert!(number(&ladders[2][2]) > number(&ladders[3][2]), "360p costs more than 240p");
}

#[test]
fn a_doctor_says_why_a_server_cannot_start() {
    let limited = format!("ulimit -l 64; exec {BINARY} doctor");
    let told = run(Command::new("sh").args(["-c", &limited]), LIMIT);
    assert_eq!(told.status.code(), Some(1), "{}{}", told.stdout, told.stderr);
    assert!(
        told.stderr.contains("locked memory") && told.stderr.contains("ulimit"),
        "{}",
        told.stderr
    );
    let told = run(Command::new(BINARY).args(["doctor", "--cpu-level", "5"]), LIMIT);
    assert_eq!(told.status.code(), Some(2), "{}", told.stderr);
}
