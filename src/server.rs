//! Start and stop of the whole: probes, store, shards, signal, drain.
//!
//! Stopping follows the flow of the media: publishers end, the last part and the ENDLIST are
//! published, listeners close, viewers drain to a deadline, the process ends (F36).

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use glommio::{LocalExecutorBuilder, Placement};
use riverrun_net::io::{BindError, ConnectionLimits};
use riverrun_storage::disk::{OpenError, Store};
use rustix::thread::{CpuSet, sched_getaffinity};
use signal_hook::consts::{SIGINT, SIGTERM};
use thiserror::Error;
use tracing_subscriber::filter::LevelFilter;

use crate::banner::Banner;
use crate::config::{Config, LogLevel, Secret};
use crate::probe::{self, ProbeError};
use crate::publish::{Numbers, Outlets};
use crate::secrets::{self, SecretError};
use crate::shard::{self, SHARD_QUEUE_MESSAGES, ShardMessage, ShardPlan, StopAt};
use crate::stage::{STAGE_QUEUE_MESSAGES, Stage, StageMessage};
use crate::{demo, ingest};

/// SIGTERM to the end of the process at the latest.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);
/// Part of it that is left for the shards after publishers have ended.
const DRAIN_TIME_SHARDS: Duration = Duration::from_secs(5);
/// How long viewers of a broadcast that the stop ended may fetch its last parts: they learn of them
/// with the ENDLIST, and an answer is due within a part.
const LAST_PARTS_TIME: Duration = Duration::from_secs(1);
/// How long a port may look taken after the end of a former run.
const PORT_RELEASE_TIME_MAX: Duration = Duration::from_secs(1);
/// Pause between two looks at a taken port.
const PORT_RETRY_INTERVAL: Duration = Duration::from_millis(5);
/// Open files kept for publishers, rings, the store and the log.
const OPEN_FILES_RESERVED: u64 = 768;
/// Viewers' connections of a shard however few files are allowed.
const CONNECTIONS_MIN: usize = 64;
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
    let open_files = probe::raise_limits()?;
    probe::executor()?;
    config.http = listen_address("http", config.http)?;
    config.rtmp = listen_address("rtmp", config.rtmp)?;
    let store = Arc::new(Store::open(&config.data)?);
    let (secrets, hashing) = secrets::prepare(&store, &config)?;

    let banner = Banner {
        http: config.http,
        rtmp: config.rtmp,
        data: &config.data,
        secrets: &secrets,
        demo: config.demo,
    };
    let running = Running::start(&config, &store, &secrets.stream_keys, open_files);
    if let Err(error) = hashing.finish() {
        if let Ok(running) = running {
            running.stop();
        }
        return Err(error.into());
    }
    if running.is_ok() || secrets.has_news() {
        // Secrets that were made are in the store already: this is the only time they are shown.
        banner.print();
    }
    drop(secrets);
    let running = running?;
    tracing::info!(http = %config.http, rtmp = %config.rtmp, shards = config.shards, "ready");
    running.until_stopped()
}

/// The started server, as the main thread holds it.
struct Running {
    heard: mpsc::Receiver<News>,
    stage: Sender<StageMessage>,
    shards: Vec<ShardHandle>,
}

/// A shard from outside.
struct ShardHandle {
    stop: Sender<StopAt>,
    thread: JoinHandle<()>,
}

impl Running {
    /// Starts the shards and waits until all of them accept connections.
    fn start(
        config: &Config,
        store: &Arc<Store>,
        stream_keys: &[Secret],
        open_files: u64,
    ) -> Result<Self, ServerError> {
        let (news, heard) = mpsc::channel();
        listen_for_signals(news.clone())?;
        let (stage, stage_inbox) = async_channel::bounded(STAGE_QUEUE_MESSAGES);
        let queues = || async_channel::bounded(SHARD_QUEUE_MESSAGES);
        let (outlets, inboxes): (Vec<_>, Vec<_>) = (0..config.shards).map(|_| queues()).unzip();
        let plan = ShardPlan {
            http: config.http,
            rtmp: config.rtmp,
            rewind: config.rewind,
            stream_keys: stream_keys.into(),
            stage: stage.clone(),
            outlets: Outlets::new(outlets),
            connections_max: connections_max(open_files, config.shards),
            cores: allowed_cores(),
        };
        let performance = Performance {
            inbox: stage_inbox,
            numbers: Numbers::new(Arc::clone(store), config.segment_target),
            grace: config.grace,
            demo: config.demo.then(allowed_cores),
        };
        let shards = spawn_shards(&plan, performance, inboxes, &news)?;
        let running = Self { heard, stage, shards };
        running.wait_until_accepting()?;
        Ok(running)
    }

    fn wait_until_accepting(&self) -> Result<(), ServerError> {
        for _ in &self.shards {
            match self.heard.recv() {
                Ok(News::Accepting) => {}
                Ok(News::Failed(error)) => return Err(error),
                Ok(News::Stop) | Err(_) => break,
            }
        }
        Ok(())
    }

    fn until_stopped(self) -> Result<(), ServerError> {
        let result = match self.heard.recv() {
            Ok(News::Failed(error)) => Err(error),
            Ok(News::Stop | News::Accepting) | Err(_) => Ok(()),
        };
        self.stop();
        result
    }

    /// No step waits without a bound: a shard that hangs must not keep the process.
    fn stop(self) {
        let deadline = Instant::now() + DRAIN_TIME_MAX;
        tracing::info!("stopping: publishers end, viewers drain");
        let (done, ended) = async_channel::bounded(1);
        let stage = self.stage;
        let ending = move || {
            let _ = stage.send_blocking(StageMessage::Stop(done));
            ended.recv_blocking().unwrap_or(false)
        };
        match within(deadline - DRAIN_TIME_SHARDS, ending) {
            Some(true) => thread::sleep(LAST_PARTS_TIME),
            Some(false) => {}
            None => tracing::warn!("the broadcast could not be ended in time"),
        }
        for shard in &self.shards {
            // Full only when it was told already.
            let _ = shard.stop.try_send(deadline);
        }
        let shards = self.shards;
        let joined = within(deadline, move || {
            for shard in shards {
                if shard.thread.join().is_err() {
                    tracing::error!("a shard did not end cleanly");
                }
            }
        });
        if joined.is_none() {
            tracing::warn!("a shard did not drain in time");
        }
        tracing::info!("stopped");
    }
}

/// Runs what may wait for ever on a thread of its own; its answer if that came in time.
fn within<T: Send + 'static>(
    deadline: Instant,
    task: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || {
        let _ = sender.send(task());
    });
    ended.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()
}

/// Viewers' connections of one shard: what the limit of open files leaves when publishers, rings
/// and the store have theirs. New viewers are refused before anything else suffers.
fn connections_max(open_files: u64, shards: usize) -> usize {
    let left = open_files.saturating_sub(OPEN_FILES_RESERVED) / shards.max(1) as u64;
    let most = ConnectionLimits::default().connections_max;
    usize::try_from(left).unwrap_or(most).clamp(CONNECTIONS_MIN, most)
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
    // Colours are for people: not for files and journals, and not where they are unwanted
    // (no-color.org).
    let coloured = std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|unwanted| unwanted.is_empty());
    let log = tracing_subscriber::fmt().with_max_level(level).with_ansi(coloured);
    // Fails only when a test in this process has set one already.
    let _ = log.with_writer(std::io::stderr).try_init();
}

fn listen_for_signals(news: mpsc::Sender<News>) -> Result<(), ServerError> {
    let mut signals =
        signal_hook::iterator::Signals::new([SIGTERM, SIGINT]).map_err(ServerError::Signal)?;
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for (earlier, _) in signals.forever().enumerate() {
                if earlier > 0 {
                    // Asked twice: whoever asks does not want to wait for viewers.
                    std::process::exit(1);
                }
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
    /// The cores that the demo's codec may use, when it was asked for.
    demo: Option<CpuSet>,
}

fn spawn_shards(
    plan: &ShardPlan,
    performance: Performance,
    inboxes: Vec<Receiver<ShardMessage>>,
    news: &mpsc::Sender<News>,
) -> Result<Vec<ShardHandle>, ServerError> {
    let cores = allowed_cores();
    let cores: Vec<_> = (0..CpuSet::MAX_CPU).filter(|core| cores.is_set(*core)).collect();
    let mut performance = Some(performance);
    let pinned = inboxes.len() <= cores.len();
    let spawn = |(index, inbox)| {
        let placement = match cores.get(index) {
            Some(core) if pinned => Placement::Fixed(*core),
            _ => Placement::Unbound,
        };
        let (plan, performance, news) = (plan.clone(), performance.take(), news.clone());
        let (stop, stopped) = async_channel::bounded(1);
        let thread = thread::Builder::new()
            .name(format!("shard-{index}"))
            .spawn(move || {
                let hops = (inbox, stopped);
                if let Err(error) = execute(index, placement, plan, performance, hops, &news) {
                    // The main thread is gone only when the process is ending.
                    let _ = news.send(News::Failed(error));
                }
            })
            .map_err(ServerError::Thread)?;
        Ok(ShardHandle { stop, thread })
    };
    inboxes.into_iter().enumerate().map(spawn).collect()
}

/// One shard's thread from its ring to its end.
fn execute(
    index: usize,
    placement: Placement,
    plan: ShardPlan,
    performance: Option<Performance>,
    (inbox, stop): (Receiver<ShardMessage>, Receiver<StopAt>),
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
        shard::run(plan, inbox, stop, accepting).await
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
    if let Some(cores) = demo {
        let (stage, outlets) = (plan.stage.clone(), plan.outlets.clone());
        glommio::spawn_local(demo::run(stage, outlets, ingest::next_publisher(), cores)).detach();
    }
}

/// Cores this process may run on, in a container too; none when the system does not say.
fn allowed_cores() -> CpuSet {
    sched_getaffinity(None).unwrap_or_default()
}
