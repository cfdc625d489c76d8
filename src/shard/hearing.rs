//! What a shard hears, in its one order: updates for the window, pings, questions of a neighbour,
//! the word to stop.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_channel::Receiver;
use futures_lite::future;
use glommio::timer::Timer;
use riverrun_media::hls::{RenditionId, Timeline, Update};

use super::{Shard, ShardMessage, StopAt, WIND_DOWN_TIME};
use crate::handover::{Handover, Stamp, Verdict};
use crate::stage::StageMessage;
use crate::statistics::Told;
use crate::wait::Place;

/// How long a new shard waits for one neighbour's copy of the broadcast.
const HANDOVER_TIME_MAX: Duration = Duration::from_millis(500);
/// How often a new shard asks all its neighbours again: they may be behind its own queue.
const HANDOVER_TRIES: u32 = 5;
/// Pause between two such rounds.
const HANDOVER_PAUSE: Duration = Duration::from_millis(20);

impl Shard {
    /// Hears the world until it is told to stop; the deadline of the drain.
    pub(super) async fn listen(
        &self,
        inbox: &Receiver<ShardMessage>,
        pings: &Receiver<()>,
        stop: &Receiver<StopAt>,
    ) -> Instant {
        let mut stop = pin!(stop.recv());
        loop {
            let expiry = self.window.borrow().deadline();
            let message = async { Heard::Message(inbox.recv().await.ok()) };
            let expired = async {
                match expiry {
                    Some(at) => Timer::new(at.saturating_duration_since(Instant::now())).await,
                    None => future::pending().await,
                };
                Heard::Expiry
            };
            // A supervisor that is gone pings no more; the stop is what ends us then.
            let pinged = async {
                match pings.recv().await {
                    Ok(()) => Heard::Ping,
                    Err(_) => future::pending().await,
                }
            };
            // Messages before the stop: what was sent before it, the ENDLIST, is shown.
            let stopped = async { Heard::Stop((&mut stop).await.ok()) };
            let heard = future::or(message, future::or(expired, stopped));
            match future::or(pinged, heard).await {
                Heard::Ping => {}
                Heard::Message(Some(message)) => self.hear(message).await,
                Heard::Expiry => self.window.borrow_mut().handle_timeout(Instant::now()),
                Heard::Stop(Some(deadline)) => return deadline,
                // The queue was closed from outside: another shard has taken this one's place.
                Heard::Message(None) | Heard::Stop(None) => {
                    return Instant::now() + WIND_DOWN_TIME;
                }
            }
        }
    }

    async fn hear(&self, message: ShardMessage) {
        match message {
            ShardMessage::Update(stamp, update) => {
                let mut verdict = self.progress.get().judge(stamp);
                if verdict == Verdict::Gap {
                    verdict = self.close_gap(stamp).await;
                }
                if verdict == Verdict::Apply {
                    let mut progress = self.progress.get();
                    progress.note(stamp);
                    self.progress.set(progress);
                    self.apply(update);
                }
            }
            ShardMessage::GiveUp(broadcast) => {
                let mut progress = self.progress.get();
                if progress.give_up(broadcast) {
                    self.progress.set(progress);
                    self.apply(Update::End);
                }
            }
            ShardMessage::Facts(facts) => {
                self.plan.services.statistics.tell(Told::OnAir(facts.clone()));
                *self.facts.borrow_mut() = facts;
            }
            ShardMessage::State(state, _) => *self.state.borrow_mut() = state,
            ShardMessage::Audience(counts) => self.counts.set(counts),
            ShardMessage::Stills(broadcast, stills) => {
                *self.stills.borrow_mut() = Some((broadcast, stills));
            }
            ShardMessage::Copy(answer) => {
                // Nobody listens any more when it took too long.
                let _ = answer.try_send(self.handover());
            }
        }
    }

    fn handover(&self) -> Handover {
        Handover {
            progress: self.progress.get(),
            window: self.window.borrow().clone(),
            facts: self.facts.borrow().clone(),
            stills: self.stills.borrow().clone(),
            timeline: self.timeline.borrow().clone(),
            counts: self.counts.get(),
            presentation: self.presentation(),
            offered: self.offered.borrow().clone(),
        }
    }

    /// Updates between the copy and the own queue are missing: the neighbours have them by now, or
    /// will in a moment.
    async fn close_gap(&self, stamp: Stamp) -> Verdict {
        for _ in 0..HANDOVER_TRIES {
            self.learn().await;
            let verdict = self.progress.get().judge(stamp);
            if verdict != Verdict::Gap {
                return verdict;
            }
            Timer::new(HANDOVER_PAUSE).await;
        }
        tracing::error!(shard = %self.plan.id, "nobody has its past: the broadcast ends");
        // Until it does, its updates mean nothing here.
        let mut progress = self.progress.get();
        progress.give_up(stamp.broadcast);
        self.progress.set(progress);
        let forgotten =
            StageMessage::Forgotten { shard: self.plan.id, broadcast: Some(stamp.broadcast) };
        let _ = self.plan.stage.send(forgotten).await;
        Verdict::Old
    }

    /// Copies a neighbour's broadcast; whether there was one to copy from.
    pub(super) async fn learn(&self) -> bool {
        for neighbour in self.plan.outlets.neighbours(self.plan.id.index) {
            let (answer, copy) = async_channel::bounded(1);
            let asked = async {
                neighbour.send(ShardMessage::Copy(answer)).await.ok()?;
                copy.recv().await.ok()
            };
            let copy = future::or(asked, async {
                Timer::new(HANDOVER_TIME_MAX).await;
                None
            });
            if let Some(copy) = copy.await {
                let Handover { progress, window, facts, stills, presentation, offered, .. } = copy;
                *self.timeline.borrow_mut() = copy.timeline;
                self.counts.set(copy.counts);
                self.progress.set(progress);
                *self.window.borrow_mut() = window;
                *self.facts.borrow_mut() = facts;
                *self.stills.borrow_mut() = stills;
                self.presentation.set(presentation);
                *self.offered.borrow_mut() = offered;
                self.note_playable();
                self.release_all();
                return true;
            }
        }
        false
    }

    /// First the bytes, then the waiters (LL-13).
    fn apply(&self, update: Update) {
        let release = Release::of(&update);
        match &update {
            Update::Start(presentation) => self.presentation.set(presentation.first_msn),
            Update::Timeline(timeline) => {
                self.note_renditions(timeline);
                *self.timeline.borrow_mut() = Some(Arc::clone(timeline));
            }
            Update::SegmentStart(_)
            | Update::Part(_)
            | Update::SegmentEnd(_)
            // A player of what goes on must not begin anew: see `note_renditions`.
            | Update::Change(_)
            | Update::RenditionEnd(_)
            | Update::KeyframesTooRare { .. }
            | Update::Interrupted
            | Update::End => {}
        }
        self.window.borrow_mut().apply(Instant::now(), update);
        self.note_playable();
        match release {
            Release::Nobody => {}
            Release::UpTo(rendition, place) => {
                let now = Instant::now();
                if self.waiters(rendition).release(place) > 0 {
                    self.load(rendition).release(now);
                }
            }
            Release::Everybody => self.release_all(),
        }
    }

    /// Whoever waits for a broadcast to begin may go on; who watched one that is over has gone.
    fn note_playable(&self) {
        let playable = self.window.borrow().is_playable();
        match (self.playable.replace(playable), playable) {
            (false, true) => self.beginning_waiters.release_all(),
            (true, false) => {
                self.sightings.borrow_mut().forget();
                let _ = self.reports.borrow_mut().take();
            }
            (false, false) | (true, true) => {}
        }
    }

    fn note_renditions(&self, timeline: &Timeline) {
        let offered: Vec<_> = timeline.renditions.iter().map(|rendition| rendition.id).collect();
        if *self.offered.borrow() != offered {
            self.presentation.set(timeline.first_msn.max(self.presentation.get()));
            *self.offered.borrow_mut() = offered;
        }
    }
}

/// What ended a wait of [`Shard::listen`].
enum Heard {
    Ping,
    Message(Option<ShardMessage>),
    Expiry,
    Stop(Option<StopAt>),
}

/// Whom an update concerns.
enum Release {
    Nobody,
    UpTo(RenditionId, Place),
    Everybody,
}

impl Release {
    const fn of(update: &Update) -> Self {
        match update {
            Update::Part(part) => {
                Self::UpTo(part.rendition, Place { msn: part.msn, part: part.index })
            }
            Update::SegmentEnd(end) => {
                Self::UpTo(end.rendition, Place { msn: end.msn, part: u32::MAX })
            }
            Update::Start(_)
            | Update::Timeline(_)
            | Update::RenditionEnd(_)
            | Update::Interrupted
            | Update::End => Self::Everybody,
            Update::SegmentStart(_) | Update::Change(_) | Update::KeyframesTooRare { .. } => {
                Self::Nobody
            }
        }
    }
}
