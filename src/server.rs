//! Start and stop of the whole: probes, store, stage, shards, signal, drain.
//!
//! The main thread is the shards' [`Supervisor`] from the start to the stop.
//!
//! Stopping follows the flow of the media: publishers end, the last part and the ENDLIST are
//! published, listeners close, viewers drain to a deadline, the process ends (F36).

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use async_channel::Sender;
use riverrun_media::ladder::LadderSetting;
use riverrun_media::time::UnixTime;
use riverrun_net::io::{BindError, ConnectionLimits};
use riverrun_storage::disk::{OpenError, Store};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use thiserror::Error;

use crate::banner::Banner;
use crate::clock;
use crate::config::Config;
use crate::cores::Cores;
use crate::executors::Executors;
use crate::health::HealthBoard;
use crate::ladder::{Demand, LadderControl};
use crate::log::{self, LogRing};
use crate::pipeline::Pipeline;
use crate::probe::{self, ProbeError};
use crate::publish::{Numbers, Outlets};
use crate::secrets::{self, SecretError};
use crate::services::Services;
use crate::shard::ShardPlan;
use crate::stage::{STAGE_QUEUE_MESSAGES, Stage, StageMessage};
use crate::state::{Change, State, StateBoard, StateError, Writer};
use crate::statistics::Statistics;
use crate::supervisor::{News, Patience, ShardId, Supervisor, SupervisorError};

/// SIGTERM to the end of the process at the latest.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);
/// Part of it that is left for the shards after publishers have ended.
const DRAIN_TIME_SHARDS: Duration = Duration::from_secs(5);
/// How long the last minute of the history may take to reach the disk.
const SAVE_TIME_MAX: Duration = Duration::from_secs(1);
/// How long viewers of a broadcast that the stop ended may fetch its last parts: they learn of them
/// with the ENDLIST, and an answer is due within a part.
const LAST_PARTS_TIME: Duration = Duration::from_secs(1);
/// How long a port may look taken after the end of a former run.
const PORT_RELEASE_TIME_MAX: Duration = Duration::from_secs(1);
/// Pause between two looks at a taken port.
const PORT_RETRY_INTERVAL: Duration = Duration::from_millis(5);
/// Open files kept for publishers, rings, the store, files on their way to viewers and the log.
const OPEN_FILES_RESERVED: u64 = 896;
/// Viewers' connections of a shard however few files are allowed.
const CONNECTIONS_MIN: usize = 64;

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
    /// What is remembered could not be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// Secrets could not be made or read.
    #[error(transparent)]
    Secrets(#[from] SecretError),
    /// The signal handler could not be installed.
    #[error("SIGTERM cannot be listened for: {0}")]
    Signal(std::io::Error),
    /// The shards could not be kept running.
    #[error(transparent)]
    Shards(#[from] SupervisorError),
    /// A thread could not be made.
    #[error("a thread could not be started: {0}")]
    Thread(std::io::Error),
}

/// Runs the server until a signal stops it.
pub fn run(mut config: Config) -> Result<(), ServerError> {
    let log = log::start(config.log);
    let limits = probe::raise_limits()?;
    if let Some(sentence) = limits.few_files() {
        tracing::warn!(allowed = limits.open_files, "{sentence}");
    }
    probe::executor()?;
    let store = Arc::new(Store::open(&config.data)?);
    let mut state = State::load(&store, &config)?;
    listen_where_set(&mut config, &state);
    config.http = listen_address("http", config.http)?;
    config.rtmp = listen_address("rtmp", config.rtmp)?;
    let (secrets, hashing) = secrets::prepare(&store, &config)?;
    state.read_secrets(&store)?;
    if hashing.is_under_way() {
        // The stored one does not count any more.
        state.password_hash = None;
    }

    let banner = Banner {
        http: config.http,
        rtmp: config.rtmp,
        data: &config.data,
        secrets: &secrets,
        demo: config.demo,
    };
    let running = Running::start(&config, &store, (state, log), limits.open_files);
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
    if let Err(error) = running.writer.change_blocking(Change::PasswordStored) {
        tracing::error!(%error, "the admin cannot log in");
    }
    tracing::info!(http = %config.http, rtmp = %config.rtmp, shards = config.shards, "ready");
    running.until_stopped()
}

/// Where the admin wants the server to listen, unless the configuration says.
fn listen_where_set(config: &mut Config, state: &State) {
    let network = &state.settings.network;
    let set = |address: &str, port| address.parse().map(|ip| SocketAddr::new(ip, port)).ok();
    if !config.given.http {
        config.http = set(&network.http_address, network.http_port).unwrap_or(config.http);
    }
    if !config.given.rtmp {
        config.rtmp = set(&network.rtmp_address, network.rtmp_port).unwrap_or(config.rtmp);
    }
}

/// The started server, as the main thread holds it.
struct Running {
    writer: Writer,
    statistics: Statistics,
    stage: Sender<StageMessage>,
    supervisor: Supervisor<Executors>,
}

impl Running {
    /// Starts the stage and the shards and waits until all of them accept connections.
    fn start(
        config: &Config,
        store: &Arc<Store>,
        (state, log): (State, LogRing),
        open_files: u64,
    ) -> Result<Self, ServerError> {
        let (news, heard) = mpsc::channel();
        let (stage, stage_inbox) = async_channel::bounded(STAGE_QUEUE_MESSAGES);
        let (outlets, inboxes) = Outlets::new(config.shards);
        let (health, cores) = (HealthBoard::default(), Cores::of_this_process());
        let pipeline = pipeline(config, &state, cores);
        let (ladder, demand) = (pipeline.ladder.clone(), pipeline.demand.clone());
        let now_ms = u64::try_from(clock::date().millis()).unwrap_or(0);
        let history = store.history().map_err(StateError::from)?.at_start(now_ms);
        let kept = (state, history);
        let services = Services::start(config, store, &outlets, &ladder, kept, &health, log)
            .map_err(ServerError::Thread)?;
        listen_for_signals(news.clone(), config.clone(), ladder.clone(), services.board.clone())?;
        let target = config.segment_target;
        let numbers = Numbers::new(Arc::clone(store), target, pipeline, health.clone())
            .set_by_admin(services.board.clone(), config.given);
        let ended_ms = history.last_disconnect_ms.and_then(|ms| i64::try_from(ms).ok());
        let performance = Stage::new(stage_inbox, outlets.clone(), numbers, config.grace)
            .after(ended_ms.map(UnixTime::from_millis));
        let ended = news.clone();
        thread::Builder::new()
            .name("stage".to_owned())
            .spawn(move || {
                // Its panic has been told by the runtime's hook; the process cannot go on without.
                let _ = catch_unwind(AssertUnwindSafe(|| performance.run()));
                let _ = ended.send(News::StageEnded);
            })
            .map_err(ServerError::Thread)?;
        let plan = ShardPlan {
            id: ShardId { index: 0, life: 0 },
            http: config.http,
            rtmp: config.rtmp,
            rewind: config.rewind,
            services: services.clone(),
            stage: stage.clone(),
            outlets,
            health,
            ladder,
            demand,
            connections_max: connections_max(open_files, config.shards),
            // None when the system does not say.
            cores: cores.set,
        };
        let shards = Executors::new(plan, inboxes, config.demo);
        let patience = Patience::default();
        let supervisor = Supervisor::start(shards, config.shards, patience, (news, heard))?;
        let (writer, statistics) = (services.writer, services.statistics);
        Ok(Self { writer, statistics, stage, supervisor })
    }

    fn until_stopped(mut self) -> Result<(), ServerError> {
        let result = self.supervisor.watch();
        if let Err(error) = &result {
            tracing::error!(%error, "the server ends");
        }
        self.stop();
        Ok(result?)
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
        let threads = self.supervisor.stop(deadline);
        let joined = within(deadline, move || {
            for thread in threads {
                if thread.join().is_err() {
                    tracing::error!("a shard did not end cleanly");
                }
            }
        });
        if joined.is_none() {
            tracing::warn!("a shard did not drain in time");
        }
        let statistics = self.statistics;
        let saving = Instant::now() + SAVE_TIME_MAX;
        if within(saving, move || statistics.save_blocking()).is_none() {
            tracing::warn!("the last minute of the history was not kept: the disk is slow");
        }
        tracing::info!("stopped");
    }
}

/// What the configuration, and below it the admin, says of media.
fn pipeline(config: &Config, state: &State, cores: Cores) -> Pipeline {
    Pipeline {
        ladder: LadderControl::new(renditions(config, state), cores.usable),
        sound: config.sound,
        idle: config.idle,
        demand: Demand::default(),
        cores,
    }
}

/// What viewers may choose from: as configured, else as the admin has set it.
fn renditions(config: &Config, state: &State) -> LadderSetting {
    let set = if config.given.renditions { None } else { state.ladder() };
    set.unwrap_or_else(|| config.renditions.clone())
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

fn listen_for_signals(
    news: mpsc::Sender<News>,
    config: Config,
    ladder: LadderControl,
    board: StateBoard,
) -> Result<(), ServerError> {
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGHUP])
        .map_err(ServerError::Signal)?;
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let mut stopping = false;
            for signal in signals.forever() {
                if signal == SIGHUP {
                    reload(&config, &ladder, &board);
                    continue;
                }
                if std::mem::replace(&mut stopping, true) {
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

/// Reads the configuration again. Its renditions come into force with the next segment; a
/// configuration that is wrong in any place, or whose renditions cannot be made of what is on air,
/// changes nothing.
fn reload(config: &Config, ladder: &LadderControl, board: &StateBoard) {
    let renditions = match config.read_again() {
        Ok(read) => renditions(&read, &board.state()),
        Err(error) => {
            tracing::error!(%error, "the configuration is wrong: nothing changes");
            return;
        }
    };
    match ladder.set(renditions.clone()) {
        Ok(()) => tracing::info!(
            %renditions,
            "the configuration was read again; what is not about renditions waits for a restart"
        ),
        Err(error) => tracing::error!(%error, "nothing changes"),
    }
}
