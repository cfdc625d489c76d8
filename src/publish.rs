//! Access units to parts to every shard: what a publisher holds while it is on air.
//!
//! [`Broadcast`] has a [`Packager`] and sends what it makes through [`Outlets`]: one send per shard
//! and update (hop 3 of the house).

use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use riverrun_media::access_unit::{AccessUnit, Tracks};
use riverrun_media::hls::{SegmenterConfig, Update};
use riverrun_media::rtmp::Event;
use riverrun_media::source::Refusal;
use riverrun_media::still::Stills;
use riverrun_media::time::{MediaTime, UnixTime};
use riverrun_storage::disk::{Store, StoreError};

use crate::clock;
use crate::config::Given;
use crate::handover::Stamp;
use crate::health::HealthBoard;
use crate::packager::Packager;
use crate::pipeline::Pipeline;
use crate::shard::{Facts, SHARD_QUEUE_MESSAGES, ShardMessage};
use crate::state::StateBoard;

/// Media sequence numbers taken out of the store at once: over two hours of 2 s segments.
const MSN_BLOCK: u64 = 4_096;
/// A new block is taken when this few are left: 17 minutes for the disk to answer.
const MSN_LOW: u64 = 512;
/// Discontinuity numbers per broadcast: one for each reconnect or change of settings.
const DISCONTINUITY_BLOCK: u64 = 4_096;

/// Senders to every shard's window.
///
/// The queues are bounded; when one is full the publisher waits, which reaches the encoder as TCP
/// back-pressure. An update is never dropped: a window with a hole cannot be mended. The queue of a
/// shard that is stuck is closed and exchanged, so that nobody waits for it any more.
#[derive(Clone)]
pub struct Outlets(Arc<[Mutex<Sender<ShardMessage>>]>);

impl Outlets {
    /// Queues for this many shards.
    pub fn new(shards: usize) -> (Self, Vec<Receiver<ShardMessage>>) {
        let queue = || {
            let (sender, inbox) = async_channel::bounded(SHARD_QUEUE_MESSAGES);
            (Mutex::new(sender), inbox)
        };
        let (senders, inboxes): (Vec<_>, Vec<_>) = (0..shards).map(|_| queue()).unzip();
        (Self(senders.into()), inboxes)
    }

    /// Closes the queue of a shard, which ends the shard if it still hears, and opens another for
    /// its successor. `None` if there is no such shard.
    pub fn replace(&self, shard: usize) -> Option<Receiver<ShardMessage>> {
        let (sender, inbox) = async_channel::bounded(SHARD_QUEUE_MESSAGES);
        let slot = self.0.get(shard)?;
        let old =
            std::mem::replace(&mut *slot.lock().unwrap_or_else(PoisonError::into_inner), sender);
        old.close();
        Some(inbox)
    }

    /// The queues of the other shards, for the one that wants to learn from them.
    pub fn neighbours(&self, shard: usize) -> impl Iterator<Item = Sender<ShardMessage>> {
        let count = self.0.len();
        (1..count).filter_map(move |distance| self.sender((shard + distance) % count))
    }

    fn sender(&self, shard: usize) -> Option<Sender<ShardMessage>> {
        // Nothing panics while it is locked.
        self.0.get(shard).map(|slot| slot.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// One message to every shard, in the order of the shards.
    pub async fn tell(&self, message: &ShardMessage) {
        for shard in 0..self.0.len() {
            if let Some(sender) = self.sender(shard) {
                // Closed means that the shard has ended; the others go on.
                let _ = sender.send(message.clone()).await;
            }
        }
    }

    /// Ends a broadcast for every viewer, whatever state its publisher left it in, and makes
    /// everything that it may still send void.
    pub async fn give_up(&self, broadcast: u64) {
        self.tell(&ShardMessage::GiveUp(broadcast)).await;
    }

    /// Gives every shard new pictures of the broadcast of this number ([`Broadcast::number`]).
    pub async fn stills(&self, broadcast: u64, stills: Stills) {
        self.tell(&ShardMessage::Stills(broadcast, Arc::new(stills))).await;
    }

    /// Tells every shard since when somebody is on air.
    pub async fn facts(&self, facts: &Facts) {
        self.tell(&ShardMessage::Facts(facts.clone())).await;
    }
}

/// Gives each broadcast numbers that no other ever had (PL-6, PL-7).
pub struct Numbers {
    store: Arc<Store>,
    segment_target: Duration,
    pipeline: Pipeline,
    /// Where the admin's own choices are, and what the configuration decides instead.
    board: Option<(StateBoard, Given)>,
    health: HealthBoard,
}

impl Numbers {
    /// Numbers from `store`, for broadcasts with segments of about `segment_target` that go through
    /// `pipeline`; how it goes is put down at `health`.
    pub const fn new(
        store: Arc<Store>,
        segment_target: Duration,
        pipeline: Pipeline,
        health: HealthBoard,
    ) -> Self {
        Self { store, segment_target, pipeline, board: None, health }
    }

    /// The same, where what the admin set last counts for the broadcast that begins next, unless
    /// it was `given`.
    #[must_use]
    pub fn set_by_admin(mut self, board: StateBoard, given: Given) -> Self {
        self.board = Some((board, given));
        self
    }

    fn segment_target(&self) -> Duration {
        let board = self.board.as_ref().filter(|(_, given)| !given.segment_target);
        let set = board.and_then(|(board, _)| board.state().segment_target());
        set.unwrap_or(self.segment_target)
    }

    /// A new broadcast. Waits for the disk: not to be called on a shard.
    pub fn broadcast(&self) -> Result<Broadcast, StoreError> {
        let floor = seconds_since_2026(clock::date());
        let reservation = self.store.reserve(MSN_BLOCK, DISCONTINUITY_BLOCK, floor)?;
        let target = i64::try_from(self.segment_target().as_millis()).unwrap_or(i64::MAX);
        let config = SegmenterConfig {
            segment_target: MediaTime::from_millis(target),
            first_msn: reservation.first_msn,
            first_discontinuity_sequence: reservation.first_discontinuity,
            ..SegmenterConfig::default()
        };
        let health = self.health.begin(reservation.first_msn);
        Ok(Broadcast {
            next: Stamp { broadcast: reservation.first_msn, step: 0 },
            packager: Packager::new(config, self.pipeline.clone(), health),
            reservation: Arc::new(Reserved {
                store: Arc::clone(&self.store),
                until: AtomicU64::new(reservation.first_msn + MSN_BLOCK),
                is_extending: AtomicBool::new(false),
            }),
        })
    }
}

/// A floor for sequence numbers that rises by one a second: segments last longer, so a data folder
/// that was deleted still never repeats a name that a browser's cache may hold.
fn seconds_since_2026(date: UnixTime) -> u64 {
    const START_OF_2026_SECONDS: i64 = 1_767_225_600;
    u64::try_from(date.millis() / 1_000 - START_OF_2026_SECONDS).unwrap_or(0)
}

/// One broadcast from its first publisher to its end.
pub struct Broadcast {
    /// Of the next update.
    next: Stamp,
    packager: Packager,
    reservation: Arc<Reserved>,
}

/// The media sequence numbers of a broadcast. Shared with the one thread that extends them: the
/// broadcast may have moved elsewhere when the disk answers.
struct Reserved {
    store: Arc<Store>,
    /// Numbers below this are ours.
    until: AtomicU64,
    is_extending: AtomicBool,
}

impl Broadcast {
    /// Its number: no other broadcast ever has it, and later ones have higher ones.
    pub const fn number(&self) -> u64 {
        self.next.broadcast
    }

    /// A new connection continues the broadcast (RC-3).
    pub fn reconnect(&mut self, now: Instant) {
        self.packager.reconnect(now);
    }

    /// Takes what the publisher sent; gives back what is not media. A refusal ends the publish.
    pub fn hear(&mut self, now: Instant, event: Event) -> Result<Option<Event>, Refusal> {
        self.packager.hear(now, event)
    }

    /// When [`Self::timeout`] wants to run.
    pub fn deadline(&self) -> Option<Instant> {
        self.packager.deadline()
    }

    /// Track discovery ends by the wall clock (CMD-10).
    pub fn timeout(&mut self, now: Instant) {
        self.packager.timeout(now);
    }

    /// Begins with tracks that are known already: the demo's way in.
    pub fn start(&mut self, tracks: Tracks, start: MediaTime, date: UnixTime) {
        self.packager.start(tracks, start, date);
    }

    /// A finished access unit: the demo's way in.
    pub fn unit(&mut self, unit: AccessUnit) {
        self.packager.unit(unit);
    }

    /// Until when nothing will come that a viewer waits for, if the publisher keeps its pace.
    pub fn quiet_until(&self) -> Option<Instant> {
        self.packager.quiet_until()
    }

    /// Becomes readable when there is more to [flush](Self::flush) without a message of the
    /// publisher; see [`Self::heard`].
    pub fn wake(&self) -> Option<BorrowedFd<'_>> {
        self.packager.wake()
    }

    /// The wake-up was heard.
    pub fn heard(&self) {
        self.packager.heard();
    }

    /// Sends everything that is ready to every shard.
    pub async fn flush(&mut self, outlets: &Outlets) {
        self.packager.segment().await;
        self.publish(outlets).await;
        if let Some(stills) = self.packager.take_stills() {
            outlets.stills(self.number(), stills).await;
        }
        self.keep_numbers_reserved();
    }

    /// The publisher has gone: whole pictures are published, the open segment is closed
    /// (F1).
    pub async fn interrupt(&mut self, outlets: &Outlets) {
        self.packager.interrupt().await;
        self.publish(outlets).await;
    }

    /// The broadcast is over: playlists get their ENDLIST.
    pub async fn end(&mut self, outlets: &Outlets) {
        self.packager.end().await;
        self.publish(outlets).await;
    }

    async fn publish(&mut self, outlets: &Outlets) {
        while let Some(update) = self.packager.poll_update() {
            if let Update::KeyframesTooRare { interval } = &update {
                tracing::warn!(
                    seconds = interval.seconds(),
                    "the keyframe interval is too long, viewers join slower: set 2 s in the encoder"
                );
            }
            outlets.tell(&ShardMessage::Update(self.next, update)).await;
            self.next.step += 1;
        }
    }

    /// Takes the next block of sequence numbers long before it is needed. A disk that fails is
    /// logged and tried again at the next part; the broadcast goes on.
    fn keep_numbers_reserved(&self) {
        let next = self.packager.next_msn();
        let reserved = &self.reservation;
        if next + MSN_LOW < reserved.until.load(Ordering::Relaxed)
            || reserved.is_extending.swap(true, Ordering::Relaxed)
        {
            return;
        }
        let reserved = Arc::clone(reserved);
        let until = next + MSN_BLOCK;
        // A thread, once in hours: whoever holds the broadcast may be a shard or none.
        let extend = move || {
            match reserved.store.extend_reservation(until) {
                Ok(()) => reserved.until.store(until, Ordering::Relaxed),
                Err(error) => tracing::error!(%error, "sequence numbers could not be reserved"),
            }
            reserved.is_extending.store(false, Ordering::Relaxed);
        };
        if let Err(error) = thread::Builder::new().name("reserve".to_owned()).spawn(extend) {
            tracing::error!(%error, "sequence numbers could not be reserved");
            self.reservation.is_extending.store(false, Ordering::Relaxed);
        }
    }
}
