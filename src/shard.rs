//! One executor and what it alone owns: its window, its waiters, its connections.
//!
//! A shard hears of the world through one bounded queue of [`ShardMessage`]s. Nothing here is
//! shared with another shard except immutable bytes.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use futures_lite::future;
use glommio::timer::Timer;
use riverrun_media::hls::{RenditionName, Update, Window, WindowConfig};
use riverrun_media::rtmp::StreamKey;
use riverrun_media::time::{MediaTime, UnixTime};
use riverrun_net::io::{Gate, Listener, Stop};

use crate::ingest::Failures;
use crate::publish::Outlets;
use crate::stage::StageMessage;
use crate::wait::{Place, Waiters};

/// Updates a shard may lag behind before publishers wait for it: half a minute of parts of two
/// renditions. A shard that is later than that is stalled.
pub const SHARD_QUEUE_MESSAGES: usize = 512;

/// What a shard is told.
#[derive(Clone)]
pub enum ShardMessage {
    /// A step of the broadcast for the window.
    Update(Update),
    /// Who is on air since when.
    Facts(Facts),
    /// Stop: close the listeners, drain the viewers until then.
    Stop {
        /// When connections that are left are cut.
        deadline: Instant,
    },
}

/// What the status page says beyond the window.
#[derive(Clone, Default, Debug)]
pub struct Facts {
    /// Since when a publisher is on air; the grace period counts as on air.
    pub connected_at: Option<UnixTime>,
    /// When the last broadcast ended.
    pub disconnected_at: Option<UnixTime>,
}

/// What every shard gets at its start; the same for all.
#[derive(Clone)]
pub struct ShardPlan {
    /// Page and API.
    pub http: SocketAddr,
    /// Ingest.
    pub rtmp: SocketAddr,
    /// Rewind window.
    pub rewind: Duration,
    /// Keys that may publish.
    pub stream_keys: Arc<[StreamKey]>,
    /// Way to the stage.
    pub stage: Sender<StageMessage>,
    /// Way to every shard.
    pub outlets: Outlets,
}

/// State of one executor. Single-threaded: cells, no locks, no borrow across an await.
pub struct Shard {
    /// Its number; 0 holds the stage.
    pub index: usize,
    /// What is on offer.
    pub window: RefCell<Window>,
    /// Who waits for video parts.
    pub video_waiters: Waiters,
    /// Who waits for audio parts.
    pub audio_waiters: Waiters,
    /// See [`Facts`].
    pub facts: RefCell<Facts>,
    /// Wrong keys per address.
    pub failures: RefCell<Failures>,
    /// Requests since the start, for the log at the end.
    pub requests: Cell<u64>,
    /// The plan it was started with.
    pub plan: ShardPlan,
    /// Tells connections to end.
    pub stop: Stop,
    /// Counts connections for the drain.
    pub gate: Gate,
}

impl Shard {
    /// A shard with an empty window.
    pub fn new(index: usize, plan: ShardPlan) -> Rc<Self> {
        let rewind = i64::try_from(plan.rewind.as_millis()).unwrap_or(i64::MAX);
        let config = WindowConfig { rewind: MediaTime::from_millis(rewind) };
        Rc::new(Self {
            index,
            window: RefCell::new(Window::new(config)),
            video_waiters: Waiters::default(),
            audio_waiters: Waiters::default(),
            facts: RefCell::default(),
            failures: RefCell::default(),
            requests: Cell::new(0),
            plan,
            stop: Stop::new(),
            gate: Gate::new(),
        })
    }
}
