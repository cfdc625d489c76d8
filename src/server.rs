//! Start and stop of the whole: probes, store, shards, signal, drain.
//!
//! Stopping follows the flow of the media: publishers end, the last part and the ENDLIST are
//! published, listeners close, viewers drain to a deadline, the process ends (F36).

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use glommio::{LocalExecutorBuilder, Placement};
use riverrun_net::io::BindError;
use riverrun_storage::disk::{OpenError, Store};
use rustix::thread::sched_getaffinity;
use signal_hook::consts::{SIGINT, SIGTERM};
use thiserror::Error;
use tracing_subscriber::filter::LevelFilter;

use crate::banner::Banner;
use crate::config::{Config, LogLevel};
use crate::probe::{self, ProbeError};
use crate::publish::{Numbers, Outlets};
use crate::secrets::{self, SecretError};
use crate::shard::{self, SHARD_QUEUE_MESSAGES, ShardMessage, ShardPlan};
use crate::stage::{STAGE_QUEUE_MESSAGES, Stage, StageMessage};
use crate::{demo, ingest};

/// SIGTERM to the end of the process at the latest.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);
/// Part of it that is left for the shards after publishers have ended.
const DRAIN_TIME_SHARDS: Duration = Duration::from_secs(5);
/// How long a port may look taken after the end of a former run.
const PORT_RELEASE_TIME_MAX: Duration = Duration::from_secs(1);
/// Pause between two looks at a taken port.
const PORT_RETRY_INTERVAL: Duration = Duration::from_millis(5);
/// Memory that each executor registers with its ring, in bytes. glommio's default of 10 MiB is for
/// direct disk I/O, of which the shards do none.
const RING_MEMORY_BYTES: usize = 64 << 10;

/// Why the server ended with an error.
#[derive(Debug, Error)]
pub enum ServerError {
    /// The machine does not allow it.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// A port cannot be listened on.
    #[error("--{option}: {source}")]
    Listen {
        /// The option that changes it.
        option: &'static str,
        /// Why.
        source: BindError,
    },
    /// The store does not open.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// Secrets could not be made or read.
    #[error(transparent)]
    Secrets(#[from] SecretError),
    /// The signal handler could not be installed.
    #[error("SIGTERM cannot be listened for: {0}")]
    Signal(std::io::Error),
    /// A shard ended by itself.
    #[error("shard {index} ended by itself: {reason}")]
    Shard {
        /// Its number.
        index: usize,
        /// What it said.
        reason: String,
    },
    /// A thread could not be made.
    #[error("a thread could not be started: {0}")]
    Thread(std::io::Error),
}

/// What the main thread hears.
enum News {
    /// A shard accepts connections.
    Accepting,
    /// A shard could not start or failed later.
    Failed(ServerError),
    /// SIGTERM or SIGINT.
    Stop,
}

/// Runs the server until a signal stops it.
pub fn run(mut config: Config) -> Result<(), ServerError> {
    log_to_stderr(config.log);
    probe::raise_limits()?;
    config.http = listen_address("http", config.http)?;
    config.rtmp = listen_address("rtmp", config.rtmp)?;
    let store = Arc::new(Store::open(&config.data)?);
    let secrets = secrets::prepare(&store, &config)?;

    let (news, heard) = mpsc::channel();
    listen_for_signals(news.clone())?;
    let (stage, stage_inbox) = async_channel::bounded(STAGE_QUEUE_MESSAGES);
    let (outlets, inboxes) = (0..config.shards)
        .map(|_| async_channel::bounded(SHARD_QUEUE_MESSAGES))
        .unzip::<_, _, Vec<_>, Vec<_>>();
    let plan = ShardPlan {
        http: config.http,
        rtmp: config.rtmp,
        rewind: config.rewind,
        stream_keys: secrets.stream_keys.clone().into(),
        stage: stage.clone(),
        outlets: Outlets::new(outlets.clone()),
    };
    let performance = Performance {
        inbox: stage_inbox,
        numbers: Numbers::new(Arc::clone(&store), config.segment_target),
        grace: config.grace,
        demo: config.demo,
    };
    let shards = spawn_shards(&plan, performance, inboxes, &news)?;
    wait_until_accepting(&heard, config.shards)?;
    Banner {
        http: config.http,
        rtmp: config.rtmp,
        data: &config.data,
        secrets: &secrets,
        demo: config.demo,
    }
    .print();
    drop(secrets);
    tracing::info!(http = %config.http, rtmp = %config.rtmp, shards = config.shards, "ready");

    let result = match heard.recv() {
        Ok(News::Failed(error)) => Err(error),
        Ok(News::Stop | News::Accepting) | Err(_) => Ok(()),
    };
    stop(&stage, &outlets, shards);
    result
}

/// Refuses an address that somebody listens on. The shards share their ports (SO_REUSEPORT), so a
/// second server of the same user would silently take half of the connections.
///
/// A taken port is tried again for a moment: the kernel closes the listeners of a process that used
/// io_uring some milliseconds after its end, and a restart is quicker than that.
fn listen_address(option: &'static str, addr: SocketAddr) -> Result<SocketAddr, ServerError> {
    let deadline = Instant::now() + PORT_RELEASE_TIME_MAX;
    loop {
        match riverrun_net::io::probe(addr) {
            Err(BindError::Taken { .. }) if Instant::now() < deadline => {
                thread::sleep(PORT_RETRY_INTERVAL);
            }
            found => return found.map_err(|source| ServerError::Listen { option, source }),
        }
    }
}

fn log_to_stderr(level: LogLevel) {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    // Fails only when a test in this process has set one already.
    let _ = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).try_init();
}

fn listen_for_signals(news: mpsc::Sender<News>) -> Result<(), ServerError> {
    let mut signals =
        signal_hook::iterator::Signals::new([SIGTERM, SIGINT]).map_err(ServerError::Signal)?;
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for _ in &mut signals {
                if news.send(News::Stop).is_err() {
                    return;
                }
            }
        })
        .map_err(ServerError::Signal)?;
    Ok(())
}

/// What shard 0 runs beside its own work.
struct Performance {
    inbox: Receiver<StageMessage>,
    numbers: Numbers,
    grace: Duration,
    demo: bool,
}

fn spawn_shards(
    plan: &ShardPlan,
    performance: Performance,
    inboxes: Vec<Receiver<ShardMessage>>,
    news: &mpsc::Sender<News>,
) -> Result<Vec<JoinHandle<()>>, ServerError> {
    let cores = allowed_cores();
    let mut performance = Some(performance);
    let pinned = inboxes.len() <= cores.len();
    let spawn = |(index, inbox)| {
        let placement = match cores.get(index) {
            Some(core) if pinned => Placement::Fixed(*core),
            _ => Placement::Unbound,
        };
        let (plan, performance, news) = (plan.clone(), performance.take(), news.clone());
        thread::Builder::new()
            .name(format!("shard-{index}"))
            .spawn(move || {
                if let Err(error) = execute(index, placement, plan, performance, inbox, &news) {
                    // The main thread is gone only when the process is ending.
                    let _ = news.send(News::Failed(error));
                }
            })
            .map_err(ServerError::Thread)
    };
    inboxes.into_iter().enumerate().map(spawn).collect()
}

/// One shard's thread from its ring to its end.
fn execute(
    index: usize,
    placement: Placement,
    plan: ShardPlan,
    performance: Option<Performance>,
    inbox: Receiver<ShardMessage>,
    news: &mpsc::Sender<News>,
) -> Result<(), ServerError> {
    let executor = LocalExecutorBuilder::new(placement)
        .io_memory(RING_MEMORY_BYTES)
        .make()
        .map_err(probe::explain)?;
    let work = async {
        if let Some(performance) = performance {
            perform(&plan, performance);
        }
        let accepting = || {
            let _ = news.send(News::Accepting);
        };
        shard::run(plan, inbox, accepting).await
    };
    // A panic is a bug of ours in one task; it ends this shard's loop, so the main thread must
    // hear.
    match catch_unwind(AssertUnwindSafe(|| executor.run(work))) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(ServerError::Shard { index, reason: error.to_string() }),
        Err(_) => Err(ServerError::Shard { index, reason: "it panicked".to_owned() }),
    }
}

/// Starts the stage, and the demo when asked for, on this executor.
fn perform(plan: &ShardPlan, performance: Performance) {
    let Performance { inbox, numbers, grace, demo } = performance;
    let stage = Stage::new(inbox, plan.outlets.clone(), numbers, grace);
    glommio::spawn_local(stage.run()).detach();
    if demo {
        let (stage, outlets) = (plan.stage.clone(), plan.outlets.clone());
        glommio::spawn_local(demo::run(stage, outlets, ingest::next_publisher())).detach();
    }
}

/// Cores this process may run on, in a container too.
fn allowed_cores() -> Vec<usize> {
    sched_getaffinity(None).map_or_else(
        |_| Vec::new(),
        |set| (0..rustix::thread::CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect(),
    )
}

fn wait_until_accepting(heard: &mpsc::Receiver<News>, shards: usize) -> Result<(), ServerError> {
    for _ in 0..shards {
        match heard.recv() {
            Ok(News::Accepting) => {}
            Ok(News::Failed(error)) => return Err(error),
            Ok(News::Stop) | Err(_) => break,
        }
    }
    Ok(())
}

fn stop(
    stage: &Sender<StageMessage>,
    outlets: &[Sender<ShardMessage>],
    shards: Vec<JoinHandle<()>>,
) {
    let deadline = Instant::now() + DRAIN_TIME_MAX;
    tracing::info!("stopping: publishers end, viewers drain");
    let (done, ended) = async_channel::bounded(1);
    if stage.send_blocking(StageMessage::Stop(done)).is_ok() {
        wait_for(&ended, deadline - DRAIN_TIME_SHARDS);
    }
    for outlet in outlets {
        let _ = outlet.send_blocking(ShardMessage::Stop { deadline });
    }
    let (joined, all_joined) = mpsc::channel();
    thread::spawn(move || {
        for shard in shards {
            if shard.join().is_err() {
                tracing::error!("a shard did not end cleanly");
            }
        }
        let _ = joined.send(());
    });
    let left = deadline.saturating_duration_since(Instant::now());
    if all_joined.recv_timeout(left).is_err() {
        tracing::warn!("a shard did not drain in time");
    }
    tracing::info!("stopped");
}

/// Waits for an answer of the stage, which a stalled shard may never give.
fn wait_for(answer: &Receiver<()>, deadline: Instant) {
    let (sender, received) = mpsc::channel();
    let answer = answer.clone();
    thread::spawn(move || {
        let _ = sender.send(answer.recv_blocking());
    });
    let left = deadline.saturating_duration_since(Instant::now());
    if received.recv_timeout(left).is_err() {
        tracing::warn!("the broadcast could not be ended in time");
    }
}
