//! Two minutes of a live broadcast in front of two hundred viewers: in time to the last, no error,
//! no growth.
//!
//! Judges the server binary beside the load tools, of the same profile. `make test` builds both.

#![allow(clippy::print_stderr, reason = "the figures, shown with --nocapture and on failure")]

use std::path::{Path, PathBuf};
use std::slice;
use std::thread;
use std::time::{Duration, Instant};

use riverrun_bench::engine::{self, Plan};
use riverrun_bench::footage::{Footage, Recipe};
use riverrun_bench::http::Url;
use riverrun_bench::live::{Habits, Live};
use riverrun_bench::process::{KEY, Server};
use riverrun_bench::publisher::{Pace, play};
use riverrun_bench::rtmp::Target;
use riverrun_bench::stolen::Stolen;
use riverrun_bench::{Outcome, cpu, stamp};

const VIEWERS: usize = 200;
/// One for pictures, one for sound.
const CONNECTIONS_PER_VIEWER: usize = 2;
const SECONDS: u64 = 120;
/// Viewers that join per second.
const RAMP: f64 = 50.0;
/// They have joined, and seen some parts.
const WARM_UP_SECONDS: u64 = 8;
/// At the 99th of 100 parts, on a machine that also runs the viewers and the publisher.
const LATENESS_MS_MAX: f64 = 50.0;
/// Others may take this share of the machine before milliseconds tell more about them than about
/// the server.
const OTHERS_SHARE_MAX: f64 = 0.1;
/// Fewer say nothing about the 99th of 100.
const UNDISTURBED_PARTS_MIN: usize = 100;
/// What is asked on a machine that others use: the parts that a player has in store
/// (PART-HOLD-BACK).
const LATENESS_MS_MAX_BESIDE_OTHERS: f64 = 1_000.0;
/// The shortest rewind window. What leaves the playlists stays as long again and a bit (PL-12), so
/// memory is level well before [`LEVEL_AFTER`].
const REWIND_SECONDS: &str = "12";
const LEVEL_AFTER: Duration = Duration::from_secs(50);
const LEVEL_EVERY: Duration = Duration::from_secs(1);
/// What the level may move in the rest of the time: rounding of the allocator, not a leak of a part
/// (40 kB, six of them a second) or of a request (two thousand a second).
const GROWTH_BYTES_MAX: u64 = 4 << 20;

/// Our server of the profile that this test was built with.
fn binary() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_viewers")).with_file_name("riverrun");
    assert!(path.exists(), "build the server first: cargo build --bin riverrun");
    path
}

#[test]
fn two_minutes_of_two_hundred_viewers() -> Outcome<()> {
    cpu::raise_open_files();
    let server = Server::riverrun_with(&binary(), 2, &["--rewind-seconds", REWIND_SECONDS])?;
    let publishing = {
        let footage =
            Footage::make(Recipe { video_bits: 900_000, audio_bits: 96_000, seconds: 10, seed: 1 });
        let (address, app, key) = (server.rtmp, "live".to_owned(), KEY.to_owned());
        let target = Target { address, app, key, chunk: 4_096 };
        let pace = Pace { seconds: (SECONDS + 8) as f64, ..Pace::default() };
        thread::spawn(move || play(&target, &footage, &pace).map_err(|error| error.to_string()))
    };
    let listed = |name: &str| server.get(name).is_ok_and(|(status, _)| status == 200);
    let names = ["/hls/0/stream.m3u8", "/hls/audio/stream.m3u8"];
    let joining = Instant::now();
    while !names.iter().all(|name| listed(name)) {
        assert!(joining.elapsed() < Duration::from_secs(20), "nothing went on air");
        thread::sleep(Duration::from_millis(50));
    }

    let playlists =
        names.iter().map(|name| Url::parse(&server.url(name))).collect::<Result<Vec<_>, _>>()?;
    let begin = stamp::now();
    let plan = Plan {
        address: server.http,
        authority: server.http.to_string(),
        connections: VIEWERS * CONNECTIONS_PER_VIEWER,
        ramp: RAMP * CONNECTIONS_PER_VIEWER as f64,
        until: begin + SECONDS * 1_000_000_000,
        receive_buffer: None,
    };
    let count_from = begin + WARM_UP_SECONDS * 1_000_000_000;
    let habits = Habits { playlists, join: None, skip: true, reload_only: false, count_from };
    let watching = thread::spawn(move || {
        let mut viewers = Live::new(habits);
        let counts = engine::run(&plan, &mut viewers).map_err(|error| error.to_string());
        (viewers, counts)
    });

    let spent = || cpu::own_seconds() + server.cpu_seconds();
    let (busy_before, spent_before) = (cpu::machine_busy_seconds(), spent());
    let (started, mut levels, mut stolen) = (Instant::now(), Vec::new(), Stolen::default());
    while !watching.is_finished() {
        thread::sleep(Stolen::EVERY);
        stolen.note();
        if started.elapsed() >= LEVEL_EVERY * u32::try_from(levels.len())? {
            levels.push((started.elapsed(), server.resident_bytes()));
        }
    }
    let stolen_seconds = stolen.total().as_secs_f64();
    let others =
        cpu::machine_busy_seconds() - busy_before - (spent() - spent_before) - stolen_seconds;
    let cores = thread::available_parallelism()?.get() as f64;
    let core_seconds = cores * started.elapsed().as_secs_f64();
    let (others_share, stolen_share) = (others / core_seconds, stolen_seconds / core_seconds);
    let (viewers, counts) = watching.join().map_err(|_| "the viewers panicked")?;
    let counts = counts?;
    let all = Live::lateness(slice::from_ref(&viewers));
    // A part counts if the hypervisor left it alone: five ticks of its clock are the whole limit.
    let late = Live::lateness_where(slice::from_ref(&viewers), |from, until| {
        stolen.leaves_alone(from, until)
    });
    // Taken before the publisher leaves and the window empties.
    levels.retain(|(at, _)| *at >= LEVEL_AFTER && *at < Duration::from_secs(SECONDS));
    let (early, last) = levels.split_at(levels.len() / 2);
    let highest = |levels: &[(Duration, u64)]| levels.iter().map(|(_, level)| *level).max();
    let (before, after) = (highest(early).unwrap_or(0), highest(last).unwrap_or(0));
    eprintln!(
        "others took {:.0} % of the machine, the hypervisor {:.0} %; {} answers; all {} parts: \
         fetched ms {}; {} parts on an undisturbed machine: listed ms {}; fetched ms {}; resident \
         {} and {} KiB",
        others_share * 100.0,
        stolen_share * 100.0,
        counts.good,
        all.parts,
        all.fetched,
        late.parts,
        late.listed,
        late.fetched,
        before >> 10,
        after >> 10
    );

    assert_eq!((counts.client_errors, counts.server_errors, counts.failures), (0, 0, 0));
    assert!(all.parts > 250, "only {} parts were judged", all.parts);
    // Six parts a second, half of them sound; two requests for each, by everyone.
    let expected = VIEWERS as u64 * (SECONDS - WARM_UP_SECONDS) * 8;
    assert!(counts.good > expected, "{} answers instead of {expected}", counts.good);
    let in_time = |late: f64, max: f64| assert!(late < max, "p99 {late:.1} ms, allowed {max:.1}");
    in_time(all.fetched.p99, LATENESS_MS_MAX_BESIDE_OTHERS);
    if others_share < OTHERS_SHARE_MAX && late.parts >= UNDISTURBED_PARTS_MIN {
        in_time(late.fetched.p99, LATENESS_MS_MAX);
    }
    assert!(after < before + GROWTH_BYTES_MAX, "memory grew from {before} to {after} bytes");
    drop(server);
    // The end of the server ends it before its time.
    let _ = publishing.join();
    Ok(())
}
