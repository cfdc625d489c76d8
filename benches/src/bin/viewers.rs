//! `viewers`: simulated viewers against a running server. See `viewers --help`.
#![allow(clippy::print_stdout)] // The figures are the output.

use std::net::{SocketAddr, ToSocketAddrs};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use riverrun_bench::engine::{Counts, Plan, Script};
use riverrun_bench::get::Gets;
use riverrun_bench::http::Url;
use riverrun_bench::live::{Habits, Live};
use riverrun_bench::quiet::{Idle, Stopped};
use riverrun_bench::stats::Summary;
use riverrun_bench::stolen::Watch;
use riverrun_bench::{Outcome, cpu, engine, stamp};

/// Simulated viewers over keep-alive HTTP/1.1, one thread per core, non-blocking sockets.
///
/// Ends by itself. Exit code 1 when something failed that should not.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    mode: Mode,
}

#[derive(Subcommand)]
enum Mode {
    /// LL-HLS viewers: blocked reload, then the parts it lists
    ///
    /// Lateness is measured from the send time in the pictures that `publish --stamp` puts there.
    Live {
        /// Media playlist; several (picture and sound) are one connection per viewer each
        #[arg(required = true)]
        playlists: Vec<String>,
        #[command(flatten)]
        load: Load,
        /// What a viewer asks first, the multivariant playlist: refused, it comes again in a second
        #[arg(long)]
        join: Option<String>,
        /// Whole playlists instead of delta updates
        #[arg(long)]
        no_skip: bool,
        /// Only reload: do not fetch parts
        #[arg(long)]
        reload_only: bool,
        /// Seconds at the beginning that do not count
        #[arg(long, default_value_t = 3.0)]
        warm_up: f64,
    },
    /// Plain GETs, as many as the server answers
    Get {
        /// What to get; several are asked in turn
        #[arg(required = true)]
        urls: Vec<String>,
        #[command(flatten)]
        load: Load,
    },
    /// GETs at a fixed rate, whatever the server does; latency counts from the intended send time
    Storm {
        /// What to get, a playlist as a rule
        #[arg(required = true)]
        urls: Vec<String>,
        #[command(flatten)]
        load: Load,
        /// Requests per second
        #[arg(long)]
        rate: f64,
    },
    /// Connections that ask once and then do nothing
    Idle {
        /// What each asks first
        url: String,
        #[command(flatten)]
        load: Load,
        /// Ask nothing at all
        #[arg(long)]
        silent: bool,
    },
    /// Readers that ask for something large and never read it
    Stopped {
        /// Something larger than the socket buffers
        url: String,
        #[command(flatten)]
        load: Load,
    },
}

#[derive(Args, Clone)]
struct Load {
    /// Viewers (connections, times the playlists given)
    #[arg(long, short = 'n', default_value_t = 100)]
    viewers: usize,
    /// Seconds to run
    #[arg(long, short = 't', default_value_t = 10.0)]
    seconds: f64,
    /// Cores to run on, one thread each, as in 1,3; without, one thread anywhere
    #[arg(long, value_delimiter = ',')]
    cores: Vec<usize>,
    /// Viewers that join per second; 0 is all at once
    #[arg(long, default_value_t = 0.0)]
    ramp: f64,
}

fn main() -> ExitCode {
    match run(Arguments::parse().mode) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("viewers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(mode: Mode) -> Outcome<bool> {
    let start = stamp::now();
    match mode {
        Mode::Live { playlists, load, join, no_skip, reload_only, warm_up } => {
            let playlists = parse_all(&playlists)?;
            let per_viewer = playlists.len();
            let first = playlists[0].clone();
            let count_from = start + (warm_up * 1e9) as u64;
            let join = join.as_deref().map(Url::parse).transpose()?;
            let habits = Habits { playlists, join, skip: !no_skip, reload_only, count_from };
            let watch = Watch::start();
            let (runs, counts) =
                threads(&load, &first, per_viewer, None, || Live::new(habits.clone()))?;
            let stolen = watch.stop();
            let late = Live::lateness(&runs);
            let alone = Live::lateness_where(&runs, |from, until| stolen.leaves_alone(from, until));
            report(&counts, start);
            println!("listed  ms {}", late.listed);
            println!("fetched ms {}", late.fetched);
            let counted = (stamp::now().saturating_sub(count_from)) as f64 / 1e9;
            println!("goodput per second {:.1}", late.on_time as f64 / counted.max(1e-9));
            println!(
                "undisturbed parts {}  stolen s {:.2}",
                alone.parts,
                stolen.total().as_secs_f64()
            );
            println!("undisturbed, listed  ms {}", alone.listed);
            println!("undisturbed, fetched ms {}", alone.fetched);
            println!("parts {}  ended {}", late.parts, runs.iter().map(|r| r.ended).sum::<u64>());
            println!("refused {}", runs.iter().map(|r| r.refused).sum::<u64>());
            Ok(counts.errors() == 0)
        }
        Mode::Get { urls, load } => gets(&urls, &load, None),
        Mode::Storm { urls, load, rate } => gets(&urls, &load, Some(rate)),
        Mode::Idle { url, load, silent } => {
            let url = Url::parse(&url)?;
            let target = (!silent).then(|| url.target.clone());
            let make = || Idle { target: target.clone(), lost: 0 };
            let (runs, counts) = threads(&load, &url, 1, None, make)?;
            report(&counts, start);
            println!("lost {}", runs.iter().map(|run| run.lost).sum::<u64>());
            Ok(counts.errors() == 0)
        }
        Mode::Stopped { url, load } => {
            let url = Url::parse(&url)?;
            let make = || Stopped::new(url.target.clone());
            let (runs, counts) = threads(&load, &url, 1, Some(4_096), make)?;
            let mut cut: Vec<f64> = runs.into_iter().flat_map(|run| run.cut_after).collect();
            report(&counts, start);
            println!("cut {} of {}, after s {}", cut.len(), load.viewers, Summary::of(&mut cut));
            Ok(true)
        }
    }
}

fn gets(urls: &[String], load: &Load, rate: Option<f64>) -> Outcome<bool> {
    let urls = parse_all(urls)?;
    let targets: Vec<String> = urls.iter().map(|url| url.target.clone()).collect();
    let share = rate.map(|rate| rate / load.cores.len().max(1) as f64);
    let start = stamp::now();
    let (runs, counts) = threads(load, &urls[0], 1, None, || Gets::new(targets.clone(), share))?;
    let unsent: u64 = runs.iter().map(|run| run.unsent).sum();
    let mut late: Vec<f64> = runs.into_iter().flat_map(|run| run.latencies).collect();
    report(&counts, start);
    println!("latency ms {}", Summary::of(&mut late));
    println!("unsent {unsent}");
    Ok(counts.errors() == 0 && unsent == 0)
}

fn parse_all(urls: &[String]) -> Outcome<Vec<Url>> {
    urls.iter().map(|url| Url::parse(url)).collect()
}

fn report(counts: &Counts, start: u64) {
    let seconds = (stamp::now() - start) as f64 / 1e9;
    println!(
        "responses {}  per second {:.0}  MB {:.1}  4xx {}  5xx {}  failures {}  own CPU s {:.2}",
        counts.good,
        counts.good as f64 / seconds,
        counts.bytes as f64 / 1e6,
        counts.client_errors,
        counts.server_errors,
        counts.failures,
        cpu::own_seconds(),
    );
}

/// One engine per core with its share of the viewers.
fn threads<S: Script + Send + 'static>(
    load: &Load,
    url: &Url,
    per_viewer: usize,
    receive_buffer: Option<usize>,
    make: impl Fn() -> S,
) -> Outcome<(Vec<S>, Counts)> {
    cpu::raise_open_files();
    let address: SocketAddr =
        url.authority.to_socket_addrs()?.next().ok_or("the host has no address")?;
    let cores: Vec<Option<usize>> = match load.cores[..] {
        [] => vec![None],
        _ => load.cores.iter().copied().map(Some).collect(),
    };
    let until = stamp::now() + u64::try_from(Duration::from_secs_f64(load.seconds).as_nanos())?;
    let count = cores.len();
    let mut running = Vec::new();
    for (index, core) in cores.into_iter().enumerate() {
        let viewers = load.viewers / count + usize::from(index < load.viewers % count);
        let plan = Plan {
            address,
            authority: url.authority.clone(),
            connections: viewers * per_viewer,
            ramp: load.ramp * per_viewer as f64 / count as f64,
            until,
            receive_buffer,
        };
        let mut script = make();
        running.push(thread::spawn(move || -> Outcome<(S, Counts)> {
            if let Some(core) = core {
                cpu::pin(core)?;
            }
            let counts = engine::run(&plan, &mut script)?;
            Ok((script, counts))
        }));
    }
    let (mut scripts, mut total) = (Vec::new(), Counts::default());
    for thread in running {
        let (script, counts) = thread.join().map_err(|_| "a thread of viewers panicked")??;
        scripts.push(script);
        total.add(&counts);
    }
    Ok((scripts, total))
}
