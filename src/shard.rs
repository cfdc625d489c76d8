//! One executor and what it alone owns: its window, its waiters, its connections.
//!
//! A shard hears of the world through one bounded queue of [`ShardMessage`]s. Nothing here is
//! shared with another shard except immutable bytes.

mod hearing;

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use futures_lite::{FutureExt as _, future};
use glommio::timer::Timer;
use glommio::{Latency, Shares, TaskQueueHandle};
use riverrun_media::hls::{RenditionId, Timeline, Update, Window, WindowConfig};
use riverrun_media::still::Stills;
use riverrun_media::time::{MediaTime, UnixTime};
use riverrun_net::http::Limits;
use riverrun_net::io::{
    Admission, BindError, ConnectionLimits, Gate, Listener, StopToken, serve_listener,
};
use riverrun_web::metrics::{PlayerKey, Report, Reports};
use riverrun_web::route;
use riverrun_web::viewers::{Sightings, ViewerKey};
use rustix::thread::CpuSet;

use crate::complaints::Complaints;
use crate::failures::Failures;
use crate::handover::{Handover, Progress, Stamp};
use crate::health::HealthBoard;
use crate::ingest;
use crate::ladder::{Demand, LadderControl};
use crate::load::Load;
use crate::publish::Outlets;
use crate::serve::{self, Viewers};
use crate::services::Services;
use crate::stage::StageMessage;
use crate::state::State;
use crate::statistics::{Counts, ShardReport, Told};
use crate::supervisor::{News, Post, ShardId};
use crate::wait::{Place, Wait, Waiters};

/// Updates a shard may lag behind before publishers wait for it: over half a minute of parts of
/// two renditions. A shard that is later than that is stalled.
pub const SHARD_QUEUE_MESSAGES: usize = 512;
/// Publishers' connections per shard, all addresses together (media reference 1.10).
const PUBLISHERS_MAX: usize = 256;
/// Publishers' connections per shard and address.
const PUBLISHERS_PER_ADDRESS_MAX: usize = 32;
/// Ingest may hold the core this long before serving gets its turn, and the other way round.
const QUEUE_LATENCY: Duration = Duration::from_millis(5);
/// Shares of a core: one publisher feeds all viewers, so its bytes come first when both wait.
const INGEST_SHARES: usize = 800;
/// See [`INGEST_SHARES`].
const SERVE_SHARES: usize = 600;
/// How often a shard tells who it saw: a third of what Owncast needs to notice (API §5.2).
const REPORT_INTERVAL: Duration = Duration::from_secs(2);
/// How long a shard that broke lets its connections end: an answer under way, a publisher's return.
const WIND_DOWN_TIME: Duration = Duration::from_secs(2);

/// What a shard is told.
#[derive(Clone)]
pub enum ShardMessage {
    /// A step of the broadcast for the window.
    Update(Stamp, Update),
    /// This broadcast is over, and whatever it may still send is void.
    GiveUp(u64),
    /// Who is on air since when.
    Facts(Facts),
    /// Pictures of this broadcast.
    Stills(u64, Arc<Stills>),
    /// What is remembered has changed. The sender says nothing: it is dropped with the message, and
    /// when all shards have done so, the change is what all of them show.
    State(Arc<State>, Sender<()>),
    /// How many watch.
    Audience(Counts),
    /// A new neighbour asks for a copy of all that is shown here.
    Copy(Sender<Handover>),
}

/// "Close the listeners, drain the viewers until then." Has a channel of its own, so that a full
/// queue of updates cannot keep it back.
pub type StopAt = Instant;

/// What the status page says beyond the window.
#[derive(Clone, Default, Debug)]
pub struct Facts {
    /// Since when a publisher is on air; the grace period counts as on air.
    pub connected_at: Option<UnixTime>,
    /// When the last broadcast ended.
    pub disconnected_at: Option<UnixTime>,
    /// From where it is sent; `None` for the demo and while nobody is on air.
    pub publisher: Option<SocketAddr>,
}

/// What every shard gets at its start; the same for all but for its name.
#[derive(Clone)]
pub struct ShardPlan {
    /// Who it is.
    pub id: ShardId,
    /// Page and API.
    pub http: SocketAddr,
    /// Ingest.
    pub rtmp: SocketAddr,
    /// Rewind window.
    pub rewind: Duration,
    /// What requests lean on beside the broadcast.
    pub services: Services,
    /// Way to the stage.
    pub stage: Sender<StageMessage>,
    /// Way to every shard.
    pub outlets: Outlets,
    /// Figures of the broadcast, for the admin.
    pub health: HealthBoard,
    /// Which renditions are made; the admin may change it.
    pub ladder: LadderControl,
    /// What viewers ask for.
    pub demand: Demand,
    /// Viewers' connections that this shard takes: its part of the open files.
    pub connections_max: usize,
    /// Cores of the process: the publisher's thread starts on a pinned shard and is not pinned.
    pub cores: CpuSet,
}

/// State of one executor. Single-threaded: cells, no locks, no borrow across an await.
pub struct Shard {
    /// What is on offer.
    pub window: RefCell<Window>,
    /// See [`Facts`].
    pub facts: RefCell<Facts>,
    /// See [`State`].
    state: RefCell<Arc<State>>,
    /// Who was seen here since the last report.
    sightings: RefCell<Sightings>,
    /// What players told here since the last report.
    reports: RefCell<Reports>,
    counts: Cell<Counts>,
    /// The tracks of what is on.
    timeline: RefCell<Option<Arc<Timeline>>>,
    /// The last pictures of a broadcast, and which one that was.
    stills: RefCell<Option<(u64, Arc<Stills>)>>,
    /// Wrong keys per address.
    pub failures: RefCell<Failures>,
    /// The plan it was started with.
    pub plan: ShardPlan,
    /// Tells connections to end.
    pub stop: StopToken,
    video_waiters: Waiters,
    audio_waiters: Waiters,
    /// Who waits for a broadcast to begin.
    beginning_waiters: Waiters,
    playable: Cell<bool>,
    presentation: Cell<u64>,
    progress: Cell<Progress>,
    /// A panic stopped one of its own tasks: what it would answer is not to be trusted.
    broken: Cell<bool>,
    /// Renditions of the timeline that began last.
    offered: RefCell<Vec<RenditionId>>,
    gate: Gate,
    video_load: Load,
    audio_load: Load,
    /// Log lines about peers' faults: a flood of them must not fill the disk.
    pub complaints: Complaints,
}

/// How a shard ended before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum ShardError {
    /// A port cannot be listened on.
    #[error(transparent)]
    Listen(#[from] BindError),
    /// A bug of ours.
    #[error("it panicked: {0}")]
    Panicked(String),
}

/// Runs a shard until it is told to stop and has drained, or until one of its own tasks panics.
pub async fn run(
    plan: ShardPlan,
    inbox: Receiver<ShardMessage>,
    post: Post,
) -> Result<(), ShardError> {
    let Post { id, news, pings, stop, sockets } = post;
    let shard = Shard::new(plan);
    if id.life > 0 && !shard.learn().await {
        // Nobody can show this broadcast any more; the next one will be complete.
        let forgotten = StageMessage::Forgotten { shard: id, broadcast: None };
        let _ = shard.plan.stage.send(forgotten).await;
    }
    let http = Listener::bind(shard.plan.http, &sockets)?;
    let rtmp = Listener::bind(shard.plan.rtmp, &sockets)?;
    let serving = queue("serve", SERVE_SHARES);
    let ingesting = queue("ingest", INGEST_SHARES);
    let (panicked, panics) = async_channel::bounded(1);
    let viewers = serve_viewers(Rc::clone(&shard), http);
    let publishers = serve_publishers(Rc::clone(&shard), rtmp, ingesting);
    spawn_into(serving, contained(viewers, panicked.clone()));
    spawn_into(serving, contained(report_viewers(Rc::clone(&shard)), panicked.clone()));
    spawn_into(ingesting, contained(publishers, panicked.clone()));
    // The main thread is gone only when the process is ending.
    let _ = news.send(News::Accepting(id));
    let told = Rc::new(Cell::new(None));
    let listening = {
        let (shard, told) = (Rc::clone(&shard), Rc::clone(&told));
        async move { told.set(Some(shard.listen(&inbox, &pings, &stop).await)) }
    };
    let listening = contained(listening, panicked);
    let panic = future::or(async { panics.recv().await.ok() }, async {
        listening.await;
        panics.try_recv().ok()
    });
    let panic = panic.await;
    if let Some(reason) = &panic {
        shard.broken.set(true);
        let _ = news.send(News::Broken(id, reason.clone()));
    }
    let deadline = told.get().unwrap_or_else(|| Instant::now() + WIND_DOWN_TIME);
    shard.stop.stop();
    shard.release_for_stop();
    let left = shard.gate.drained(deadline).await;
    if left > 0 {
        tracing::warn!(shard = %id, left, "connections were cut: they did not end in time");
        sockets.shut();
    }
    panic.map_or(Ok(()), |reason| Err(ShardError::Panicked(reason)))
}

/// Runs one of the shard's own tasks and tells when it panicked. Connections are contained by their
/// own: a panic there ends nobody else.
async fn contained(task: impl Future<Output = ()>, panicked: Sender<String>) {
    if let Err(panic) = AssertUnwindSafe(task).catch_unwind().await {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason");
        // Full: another one broke the shard already.
        let _ = panicked.try_send(text.to_owned());
    }
}

fn queue(name: &str, shares: usize) -> TaskQueueHandle {
    let latency = Latency::Matters(QUEUE_LATENCY);
    glommio::executor().create_task_queue(Shares::Static(shares), latency, name)
}

fn spawn_into(queue: TaskQueueHandle, task: impl Future<Output = ()> + 'static) {
    glommio::spawn_local_into(task, queue).expect("the queue was made on this executor").detach();
}

async fn serve_viewers(shard: Rc<Shard>, listener: Listener) {
    let handler = Rc::new(Viewers::new(Rc::clone(&shard)));
    let connections_max = shard.plan.connections_max;
    let admission =
        Admission::new(ConnectionLimits { connections_max, ..ConnectionLimits::default() });
    let (stop, gate) = (shard.stop.clone(), shard.gate.clone());
    let body_bytes_max =
        |method: &http::Method, uri: &http::Uri| route::body_bytes_max(method, uri.path());
    let limits = Rc::new(Limits { body_bytes_max, refusal: serve::refusal, ..Limits::default() });
    serve_listener(listener, handler, limits, admission, stop, gate, |error| {
        tracing::warn!(%error, "a viewer's connection could not be accepted");
    })
    .await;
}

/// Tells who was seen and how the shard does, until it stops.
async fn report_viewers(shard: Rc<Shard>) {
    let mut stopped = shard.stop.stopped();
    loop {
        let ended = future::or(
            async {
                (&mut stopped).await;
                true
            },
            async {
                Timer::new(REPORT_INTERVAL).await;
                false
            },
        );
        if ended.await {
            return;
        }
        let report = ShardReport {
            shard: shard.plan.id.index,
            sighted: shard.sightings.borrow_mut().report(Instant::now()),
            reports: shard.reports.borrow_mut().take(),
            connections: shard.gate.inside(),
            is_late: !shard.takes_viewers(),
        };
        shard.plan.services.statistics.tell(Told::Shard(report));
    }
}

async fn serve_publishers(shard: Rc<Shard>, listener: Listener, queue: TaskQueueHandle) {
    let admission = Admission::new(ConnectionLimits {
        connections_max: PUBLISHERS_MAX,
        connections_per_address_max: PUBLISHERS_PER_ADDRESS_MAX,
        loopback_is_exempt: false,
    });
    let mut stopped = shard.stop.stopped();
    loop {
        let accepted = future::or(
            async {
                (&mut stopped).await;
                None
            },
            async { Some(listener.accept().await) },
        )
        .await;
        match accepted {
            None => return,
            Some(Err(error)) => {
                tracing::warn!(%error, "a publisher's connection could not be accepted");
            }
            Some(Ok(stream)) => match admission.admit(stream.peer_addr().ip()) {
                Ok(admitted) => {
                    let (shard, pass) = (Rc::clone(&shard), shard.gate.enter());
                    spawn_into(queue, async move {
                        ingest::run(shard, stream).await;
                        drop((admitted, pass));
                    });
                }
                // Dropping the stream closes it: RTMP has no words before the handshake.
                Err(refusal) => {
                    if shard.complaints.allows(Instant::now()) {
                        let peer = stream.peer_addr();
                        tracing::warn!(%peer, %refusal, "a publisher was turned away");
                    }
                }
            },
        }
    }
}

impl Shard {
    fn new(plan: ShardPlan) -> Rc<Self> {
        let rewind = i64::try_from(plan.rewind.as_millis()).unwrap_or(i64::MAX);
        let config = WindowConfig { rewind: MediaTime::from_millis(rewind) };
        Rc::new(Self {
            window: RefCell::new(Window::new(config)),
            facts: RefCell::default(),
            // Later changes come through the queue, which is older than this look.
            state: RefCell::new(plan.services.board.state()),
            sightings: RefCell::default(),
            reports: RefCell::default(),
            counts: Cell::default(),
            timeline: RefCell::default(),
            stills: RefCell::default(),
            failures: RefCell::default(),
            plan,
            stop: StopToken::new(),
            video_waiters: Waiters::default(),
            audio_waiters: Waiters::default(),
            beginning_waiters: Waiters::default(),
            playable: Cell::new(false),
            presentation: Cell::new(0),
            progress: Cell::default(),
            broken: Cell::new(false),
            offered: RefCell::default(),
            gate: Gate::new(),
            video_load: Load::default(),
            audio_load: Load::default(),
            complaints: Complaints::default(),
        })
    }

    /// What is remembered.
    pub fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.borrow())
    }

    /// How many watch; nobody does what cannot be played.
    pub const fn counts(&self) -> Counts {
        let counts = self.counts.get();
        let viewers = if self.playable.get() { counts.viewers } else { 0 };
        Counts { viewers, ..counts }
    }

    /// The tracks of what is on, if this shard saw it begin.
    pub fn timeline(&self) -> Option<Arc<Timeline>> {
        self.timeline.borrow().clone().filter(|_| self.is_playable())
    }

    /// A request that a viewer makes again and again (API §5.2). Counts only while something is on.
    pub fn note_viewer(&self, peer: SocketAddr, forwarded_for: Option<&[u8]>, user_agent: &[u8]) {
        if !self.is_playable() {
            return;
        }
        let forwarded_for = forwarded_for.and_then(|field| std::str::from_utf8(field).ok());
        let services = &self.plan.services;
        let client = services.client(peer, forwarded_for);
        let key = services.viewer_keys.of(client, user_agent);
        self.sightings.borrow_mut().note(Instant::now(), key, client, user_agent);
    }

    /// A player told how it fares, and calls its session so. Counts only while something is on.
    pub fn note_report(&self, viewer: ViewerKey, session: Option<&str>, report: &Report) {
        if self.is_playable() {
            let keys = &self.plan.services.viewer_keys;
            let session = session.map_or(0, |name| keys.of_session(name));
            self.reports.borrow_mut().note(PlayerKey { viewer, session }, report);
        }
    }

    /// Who waits for parts of this rendition.
    pub const fn waiters(&self, rendition: RenditionId) -> &Waiters {
        match rendition {
            RenditionId::Video(_) => &self.video_waiters,
            RenditionId::Audio => &self.audio_waiters,
        }
    }

    /// How promptly those are served who wait for parts of this rendition.
    pub const fn load(&self, rendition: RenditionId) -> &Load {
        match rendition {
            RenditionId::Video(_) => &self.video_load,
            RenditionId::Audio => &self.audio_load,
        }
    }

    /// Somebody asks for a playlist or for media of this rendition.
    pub fn note_demand(&self, rendition: &str) {
        if let Some(rendition) = RenditionId::parse(rendition) {
            self.plan.demand.note(rendition);
        }
    }

    /// Whether one viewer more can be served in time.
    pub fn takes_viewers(&self) -> bool {
        let now = Instant::now();
        !self.video_load.is_late(now) && !self.audio_load.is_late(now)
    }

    /// A broadcast is on and a player could begin now.
    pub const fn is_playable(&self) -> bool {
        self.playable.get()
    }

    /// Ready when [`Self::is_playable`] turns true or the server stops; `None` when too many wait.
    pub fn beginning(&self) -> Option<Wait> {
        self.beginning_waiters.wait(Place::BEGINNING)
    }

    /// Changes when a player must load the multivariant playlist anew: with each broadcast and
    /// with each change of the renditions on offer. Equal on all shards.
    pub const fn presentation(&self) -> u64 {
        self.presentation.get()
    }

    /// What this shard answers is not to be trusted: it is ending.
    pub const fn is_broken(&self) -> bool {
        self.broken.get()
    }

    /// Pictures of what is on now. None while nothing is, or before the first were made.
    pub fn stills(&self) -> Option<Arc<Stills>> {
        let broadcast = self.progress.get().broadcast();
        let stills = self.stills.borrow();
        let (of, stills) = stills.as_ref().filter(|_| self.is_playable())?;
        (*of == broadcast).then(|| Arc::clone(stills))
    }

    fn release_all(&self) {
        self.video_waiters.release_all();
        self.audio_waiters.release_all();
    }

    /// Nobody is left waiting.
    fn release_for_stop(&self) {
        self.release_all();
        self.beginning_waiters.release_all();
    }
}
