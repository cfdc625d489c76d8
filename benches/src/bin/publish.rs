//! `publish`: replays footage over RTMP. See `publish --help`.
#![allow(clippy::print_stdout)] // The figures are the output.

use std::net::ToSocketAddrs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use riverrun_bench::footage::{Footage, Recipe};
use riverrun_bench::publisher::{Pace, play};
use riverrun_bench::rtmp::{Publisher, REFUSED, Target};
use riverrun_bench::stats::Summary;
use riverrun_bench::{Outcome, cpu, stamp};

/// Publishers over RTMP: footage from an FLV file or made up, in time, faster, or with the faults
/// of real uplinks. Ends by itself. Exit code 1 when a publisher failed.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    mode: Mode,
}

#[derive(Subcommand)]
enum Mode {
    /// Play footage
    Play(Play),
    /// Connect, publish, leave, again: connection storms
    ///
    /// A server that has one stage refuses some of them; that is an answer, too.
    Storm {
        #[command(flatten)]
        target: Server,
        /// Publishes in all
        #[arg(long, default_value_t = 3_000)]
        count: u64,
        /// At the same time
        #[arg(long, default_value_t = 30)]
        concurrency: u64,
    },
}

#[derive(Args)]
struct Server {
    /// rtmp://HOST:PORT/APP/KEY; {n} in the key is the publisher's number
    url: String,
    /// Chunk size
    #[arg(long, default_value_t = 4_096)]
    chunk: usize,
    /// Core to run on
    #[arg(long)]
    core: Option<usize>,
}

#[derive(Args)]
struct Play {
    #[command(flatten)]
    target: Server,
    /// Footage; without, it is made up
    #[arg(long)]
    flv: Option<PathBuf>,
    /// Bit rate of made-up video, in kbit/s
    #[arg(long, default_value_t = 3_000)]
    video: u64,
    /// Bit rate of made-up audio, in kbit/s; 0 for none
    #[arg(long, default_value_t = 128)]
    audio: u64,
    /// Publishers at the same time
    #[arg(long, short = 'm', default_value_t = 1)]
    publishers: u64,
    /// Seconds of media to send
    #[arg(long, short = 't', default_value_t = 10.0)]
    seconds: f64,
    /// Times real time; 0 is as fast as the server takes it
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Write the send time into each picture, for `viewers live`
    #[arg(long)]
    stamp: bool,
    /// Each message is late by a random time up to this many ms
    #[arg(long, default_value_t = 0)]
    jitter: u64,
    /// Messages gather for this many ms and leave together
    #[arg(long, default_value_t = 0)]
    burst: u64,
    /// The connection breaks each time after this many ms of media
    #[arg(long, default_value_t = 0)]
    drop_every: u64,
    /// and comes back after this many ms
    #[arg(long, default_value_t = 2_000)]
    drop_for: u64,
    /// Leave without a goodbye
    #[arg(long)]
    vanish: bool,
    /// Equal seeds make equal runs
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().mode {
        Mode::Play(options) => play_all(&options),
        Mode::Storm { target, count, concurrency } => storm(&target, count, concurrency),
    };
    match outcome {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failed) => {
            println!("publish: {failed} failed");
            ExitCode::FAILURE
        }
        Err(error) => {
            println!("publish: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Server {
    fn target(&self, number: u64) -> Outcome<Target> {
        if let Some(core) = self.core {
            cpu::pin(core)?;
        }
        let rest = self.url.strip_prefix("rtmp://").ok_or("an address begins with rtmp://")?;
        let (host, path) = rest.split_once('/').ok_or("an address ends with /APP/KEY")?;
        let (app, key) = path.split_once('/').ok_or("an address ends with /APP/KEY")?;
        let address = host.to_socket_addrs()?.next().ok_or("the host has no address")?;
        let key = key.replace("{n}", &number.to_string());
        Ok(Target { address, app: app.to_owned(), key, chunk: self.chunk })
    }
}

fn play_all(options: &Play) -> Outcome<u64> {
    let footage = match &options.flv {
        Some(path) => Footage::read_flv(path)?,
        None => Footage::make(Recipe {
            video_bits: options.video * 1_000,
            audio_bits: options.audio * 1_000,
            seconds: (options.seconds as u64).clamp(2, 60),
            seed: options.seed,
        }),
    };
    let footage = Arc::new(if options.stamp { footage } else { footage.without_stamps() });
    let mut running = Vec::new();
    for number in 0..options.publishers {
        let pace = Pace {
            speed: options.speed,
            seconds: options.seconds,
            jitter: Duration::from_millis(options.jitter),
            burst: Duration::from_millis(options.burst),
            drop_every: Duration::from_millis(options.drop_every),
            drop_for: Duration::from_millis(options.drop_for),
            seed: options.seed + number,
            vanish: options.vanish,
        };
        let (target, footage) = (options.target.target(number)?, Arc::clone(&footage));
        running.push(thread::spawn(move || play(&target, &footage, &pace)));
    }
    let (mut failed, mut bytes, mut messages, mut seconds) = (0, 0, 0, 0.0_f64);
    for thread in running {
        match thread.join().map_err(|_| "a publisher panicked")? {
            Ok(sent) => {
                bytes += sent.bytes;
                messages += sent.messages;
                seconds = seconds.max(sent.seconds);
            }
            Err(error) => {
                println!("publisher: {error}");
                failed += 1;
            }
        }
    }
    let megabits = bytes as f64 * 8.0 / 1e6;
    println!(
        "messages {messages}  Mbit {megabits:.1}  seconds {seconds:.2}  Mbit/s {:.1}",
        megabits / seconds.max(1e-9)
    );
    Ok(failed)
}

fn storm(server: &Server, count: u64, concurrency: u64) -> Outcome<u64> {
    let next = Arc::new(AtomicU64::new(0));
    let start = stamp::now();
    let mut running = Vec::new();
    for number in 0..concurrency {
        let (target, next) = (server.target(number)?, Arc::clone(&next));
        running.push(thread::spawn(move || {
            let (mut times, mut refused, mut failed) = (Vec::new(), 0, Vec::new());
            while next.fetch_add(1, Ordering::Relaxed) < count {
                let begin = stamp::now();
                match Publisher::start(&target) {
                    Ok(_) => times.push((stamp::now() - begin) as f64 / 1e6),
                    Err(error) if error.to_string().starts_with(REFUSED) => {
                        refused += 1;
                        times.push((stamp::now() - begin) as f64 / 1e6);
                    }
                    Err(error) => failed.push(error.to_string()),
                }
            }
            (times, refused, failed)
        }));
    }
    let (mut times, mut refused, mut failed) = (Vec::new(), 0, Vec::new());
    for thread in running {
        let (good, said_no, bad) = thread.join().map_err(|_| "a publisher panicked")?;
        times.extend(good);
        refused += said_no;
        failed.extend(bad);
    }
    let seconds = (stamp::now() - start) as f64 / 1e9;
    println!(
        "answers {}  per second {:.0}  refused {refused}  failed {}",
        times.len(),
        times.len() as f64 / seconds,
        failed.len()
    );
    println!("to the answer ms {}", Summary::of(&mut times));
    if let Some(first) = failed.first() {
        println!("first failure: {first}");
    }
    Ok(failed.len() as u64)
}
