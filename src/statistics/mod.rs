//! Who watches, how players fare, how the broadcast and the machine do, now and over time: one
//! thread that hears of all shards and answers what the admin asks.
//!
//! ```text
//! shards ── each two seconds: viewers, players' reports, their own load ──▶ Observer
//!                                    each second: a point of the history, the health value
//! ```
//!
//! Its queue is bounded; when it is full a report is dropped, which costs at most one look at who
//! watches. Shards never wait for it.

mod asked;
mod exposition;
mod geo;
pub(crate) mod hardware;
mod observer;
mod pipeline;
mod process;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use async_channel::Sender;
use riverrun_storage::disk::{History, Store};
use riverrun_web::history::Series;
use riverrun_web::metrics::{Overview, PlayerKey, Report};
use riverrun_web::viewers::Sighted;

use self::observer::Observer;
use crate::config::Config;
use crate::health::HealthBoard;
use crate::publish::Outlets;
use crate::shard::Facts;
use crate::state::StateBoard;

/// Reports that may wait.
const QUEUE_REPORTS: usize = 1_024;

/// Questions that may wait, so that those who ask leave room for those who tell. Where `/metrics`
/// is open, everybody may ask.
const QUESTIONS_MAX: usize = 64;

/// How many watch, for every shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Now.
    pub viewers: u32,
    /// At most, in this broadcast or the last.
    pub session_peak: u32,
    /// At most, ever.
    pub overall_peak: u32,
}

/// What the thread hears.
pub enum Told {
    /// A shard tells of itself.
    Shard(ShardReport),
    /// Who is on air since when changed, or nobody is since when.
    OnAir(Facts),
    /// What the admin asks; the answer.
    Ask(Question, Sender<Answer>),
    /// The process ends: what was measured is to be kept now.
    Save(Sender<()>),
}

/// What a shard tells.
#[derive(Debug, Default)]
pub struct ShardReport {
    /// Its place.
    pub shard: usize,
    /// Who was seen.
    pub sighted: Sighted,
    /// What players told.
    pub reports: Vec<(PlayerKey, Report)>,
    /// Connections that are open.
    pub connections: usize,
    /// Viewers are served late, and new ones turned away.
    pub is_late: bool,
}

/// What the admin asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Who watches.
    Viewers,
    /// The same with what their players tell.
    PlaybackClients,
    /// How many watched since then, seconds since 1970.
    ViewersOverTime(u64),
    /// What was measured since then (`None`: a quarter of an hour ago).
    History(Option<u64>, Vec<Series>),
    /// How busy the machine was.
    Hardware,
    /// How players fared.
    Playback,
    /// The health value.
    Health,
    /// The sentence about viewers.
    Overview,
    /// All figures, for Prometheus.
    Metrics,
}

/// What the thread says.
#[derive(Debug)]
pub enum Answer {
    /// A body.
    Body(Vec<u8>),
    /// The sentence.
    Overview(Option<Overview>),
}

/// The way to the thread.
#[derive(Clone, Debug)]
pub struct Statistics {
    sender: Sender<Told>,
    /// As the health value says.
    is_ready: Arc<AtomicBool>,
    /// Questions that wait for their answers.
    questions: Arc<AtomicUsize>,
}

impl Statistics {
    /// Starts the thread. It ends when nobody can send to it any more.
    pub fn start(
        config: &Config,
        store: Arc<Store>,
        board: StateBoard,
        outlets: Outlets,
        (health, history): (HealthBoard, History),
    ) -> io::Result<Self> {
        let (sender, inbox) = async_channel::bounded(QUEUE_REPORTS);
        let is_ready = Arc::new(AtomicBool::new(true));
        let ready = Arc::clone(&is_ready);
        let observer = Observer::new(config, store, board, outlets, (health, history), ready);
        thread::Builder::new().name("statistics".to_owned()).spawn(move || observer.run(&inbox))?;
        Ok(Self { sender, is_ready, questions: Arc::default() })
    }

    /// Nobody hears: for tests.
    #[must_use]
    pub fn closed() -> Self {
        let is_ready = Arc::new(AtomicBool::new(true));
        Self { sender: async_channel::bounded(1).0, is_ready, questions: Arc::default() }
    }

    /// Whether new viewers are served, as the health value says. Costs a look, for anybody.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Relaxed)
    }

    /// Tells it something. Lost when too much waits.
    pub fn tell(&self, told: Told) {
        let _ = self.sender.try_send(told);
    }

    /// Keeps what was measured, and waits for it: when the process ends, on a thread that may wait.
    pub fn save_blocking(&self) {
        let (sender, saved) = async_channel::bounded(1);
        if self.sender.send_blocking(Told::Save(sender)).is_ok() {
            let _ = saved.recv_blocking();
        }
    }

    /// Asks it something. `None` when too much waits.
    pub async fn ask(&self, question: Question) -> Option<Answer> {
        let _turn = Turn::take(&self.questions)?;
        let (sender, answer) = async_channel::bounded(1);
        self.sender.try_send(Told::Ask(question, sender)).ok()?;
        answer.recv().await.ok()
    }
}

/// A question's place among [`QUESTIONS_MAX`].
struct Turn<'a>(&'a AtomicUsize);

impl<'a> Turn<'a> {
    fn take(questions: &'a AtomicUsize) -> Option<Self> {
        let turn = Self(questions);
        (questions.fetch_add(1, Ordering::Relaxed) < QUESTIONS_MAX).then_some(turn)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
