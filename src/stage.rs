//! Who is on air: one thread that hands the [`Broadcast`] from publisher to publisher.
//!
//! The broadcast is a value that moves. Whoever holds it is the publisher, so a takeover is atomic
//! (RC-2): what the old connection still reads can go nowhere. A publisher that drops gives it back
//! and the stage keeps it for the grace period (RC-4); the next publisher with the key continues it
//! (F1, F2). Publishers on any shard send [`StageMessage`]s through one bounded queue; a full queue
//! means wait, since claims are rare and small.
//!
//! A thread of its own, asleep but for those messages, so that who is on air is known whichever
//! shard panics or hangs (F37). A publisher on a shard that panicked gives its broadcast back as if
//! its connection had dropped, and goes on with it by connecting again. One on a shard that hangs
//! cannot: its broadcast is given up, and what it sends should it come round is void. The next
//! claim begins another, with numbers that were never used (PL-6).

mod message;

use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use riverrun_media::time::UnixTime;

pub use self::message::{
    Answer, Claim, Denial, Grant, Leaving, Origin, PublisherId, Revocation, StageMessage,
    StreamKeyId,
};
use crate::clock;
use crate::publish::{Broadcast, Numbers, Outlets};
use crate::shard::Facts;
use crate::supervisor::ShardId;
use crate::thread_wait::{block_on, block_on_until};

/// Messages that may wait for the stage. Each is one publisher arriving or leaving.
pub const STAGE_QUEUE_MESSAGES: usize = 256;

enum State {
    Empty,
    OnAir { lead: Lead, revoke: Sender<Revocation>, next: Option<Claim> },
    Waiting { broadcast: Box<Broadcast>, origin: Origin, until: Instant },
    Stopped,
}

/// Who is on air with what.
#[derive(Clone, Copy)]
struct Lead {
    publisher: PublisherId,
    origin: Origin,
    shard: ShardId,
    /// Number of the broadcast.
    broadcast: u64,
    /// Some shard does not know it: it must not go on.
    forgotten: bool,
    /// The admin ended it: whoever comes next begins another.
    ended: bool,
}

/// The wish to stop, until it is carried out.
struct Stopping {
    done: Sender<bool>,
    was_on_air: bool,
}

/// The stage itself.
pub struct Stage {
    inbox: Receiver<StageMessage>,
    outlets: Outlets,
    numbers: Numbers,
    grace: Duration,
    state: State,
    /// The demo, waiting until nobody else is on air.
    understudy: Option<Claim>,
    facts: Facts,
    stopping: Option<Stopping>,
}

impl Stage {
    /// A stage with nobody on it.
    pub fn new(
        inbox: Receiver<StageMessage>,
        outlets: Outlets,
        numbers: Numbers,
        grace: Duration,
    ) -> Self {
        Self {
            inbox,
            outlets,
            numbers,
            grace,
            state: State::Empty,
            understudy: None,
            facts: Facts::default(),
            stopping: None,
        }
    }

    /// The same after a broadcast of a former process that ended then.
    #[must_use]
    pub fn after(mut self, disconnected_at: Option<UnixTime>) -> Self {
        self.facts.disconnected_at = disconnected_at;
        self
    }

    /// Runs on this thread until [`StageMessage::Stop`] has been carried out.
    pub fn run(mut self) {
        block_on(self.outlets.facts(&self.facts));
        while !matches!(self.state, State::Stopped) {
            let heard = match &self.state {
                State::Waiting { until, .. } => block_on_until(*until, self.inbox.recv()),
                State::Empty | State::OnAir { .. } | State::Stopped => {
                    Some(block_on(self.inbox.recv()))
                }
            };
            match heard {
                Some(Ok(message)) => block_on(self.handle(message)),
                Some(Err(_)) => return,
                None => block_on(self.give_up_waiting()),
            }
        }
        self.inbox.close();
        while let Ok(message) = self.inbox.try_recv() {
            if let StageMessage::Claim(claim) = message {
                claim.deny(Denial::Stopping);
            }
        }
    }

    async fn handle(&mut self, message: StageMessage) {
        match message {
            StageMessage::Claim(claim) => self.claim(claim).await,
            StageMessage::Return { publisher, grant, leaving } => {
                self.take_back(publisher, grant.broadcast, leaving).await;
            }
            StageMessage::Lost(shard) => self.lose(shard).await,
            StageMessage::Forgotten { shard, broadcast } => self.forget(shard, broadcast).await,
            StageMessage::Disconnect(done) => {
                // Whoever asked may have left.
                let _ = done.try_send(self.disconnect().await);
            }
            StageMessage::Stop(done) => self.stop(done).await,
        }
    }

    async fn claim(&mut self, claim: Claim) {
        if self.stopping.is_some() {
            claim.deny(Denial::Stopping);
            return;
        }
        match std::mem::replace(&mut self.state, State::Empty) {
            State::Empty => self.begin(claim).await,
            State::Stopped => {
                self.state = State::Stopped;
                claim.deny(Denial::Stopping);
            }
            State::Waiting { broadcast, origin, until } if claim.origin == Origin::Demo => {
                self.understudy = Some(claim);
                self.state = State::Waiting { broadcast, origin, until };
            }
            State::Waiting { broadcast, origin, .. } if claim.origin == origin => {
                self.resume(claim, broadcast).await;
            }
            State::Waiting { broadcast, .. } => {
                self.end(broadcast).await;
                self.begin(claim).await;
            }
            State::OnAir { lead, revoke, next } if revoke.is_closed() => {
                tracing::error!("a publisher vanished with its broadcast: a new one begins");
                self.abandon(lead).await;
                if let Some(next) = next {
                    next.deny(Denial::Superseded);
                }
                self.begin(claim).await;
            }
            State::OnAir { lead, revoke, next } => {
                let next = self.queue(claim, lead.origin, &revoke, next);
                self.state = State::OnAir { lead, revoke, next };
            }
        }
    }

    /// Somebody is on air: who is next?
    fn queue(
        &mut self,
        claim: Claim,
        on_air: Origin,
        revoke: &Sender<Revocation>,
        next: Option<Claim>,
    ) -> Option<Claim> {
        match (on_air, claim.origin) {
            (_, Origin::Demo) => {
                self.understudy = Some(claim);
                next
            }
            (Origin::Rtmp { stream_key: old }, Origin::Rtmp { stream_key: new }) if old != new => {
                claim.deny(Denial::OtherKey);
                next
            }
            // RC-1: the newest connection with the same key wins.
            (Origin::Demo | Origin::Rtmp { .. }, Origin::Rtmp { .. }) => {
                // Full means that it was told already.
                let _ = revoke.try_send(Revocation::TakenOver);
                if let Some(next) = next {
                    next.deny(Denial::Superseded);
                }
                Some(claim)
            }
        }
    }

    async fn take_back(
        &mut self,
        from: PublisherId,
        mut broadcast: Box<Broadcast>,
        leaving: Leaving,
    ) {
        let (lead, next) = match std::mem::replace(&mut self.state, State::Empty) {
            State::OnAir { lead, next, .. } if lead.publisher == from => (lead, next),
            other => {
                tracing::error!(?from, "a broadcast came back that was not on air");
                self.state = other;
                return;
            }
        };
        if leaving == Leaving::Broken || lead.forgotten {
            self.lose_lead(lead, next).await;
            return;
        }
        let origin = lead.origin;
        broadcast.interrupt(&self.outlets).await;
        let continues = origin != Origin::Demo && leaving != Leaving::Finished && !lead.ended;
        match next {
            Some(claim) if continues => self.resume(claim, broadcast).await,
            Some(claim) => {
                self.end(broadcast).await;
                self.begin(claim).await;
            }
            None if continues && self.stopping.is_none() && !self.grace.is_zero() => {
                tracing::info!(grace = ?self.grace, "the publisher dropped: waiting for it");
                let until = Instant::now() + self.grace;
                self.state = State::Waiting { broadcast, origin, until };
            }
            None => {
                self.end(broadcast).await;
                self.next_act().await;
            }
        }
    }

    async fn lose(&mut self, shard: ShardId) {
        match std::mem::replace(&mut self.state, State::Empty) {
            State::OnAir { lead, next, .. } if lead.shard == shard => {
                tracing::error!(%shard, "the broadcast is lost with its shard");
                self.lose_lead(lead, next).await;
            }
            other => self.state = other,
        }
    }

    /// A shard that does not know the broadcast could never show it, so nobody may go on with it.
    async fn forget(&mut self, shard: ShardId, unknown: Option<u64>) {
        let is_unknown = |current| unknown.is_none_or(|unknown| unknown == current);
        match std::mem::replace(&mut self.state, State::Empty) {
            State::Waiting { broadcast, .. } if is_unknown(broadcast.number()) => {
                self.end(broadcast).await;
                self.next_act().await;
            }
            // Its publisher sat on the shard that this one replaces and is about to return it.
            State::OnAir { lead, revoke, next }
                if unknown.is_none() && lead.shard.is_former_life_of(shard) =>
            {
                let lead = Lead { forgotten: true, ..lead };
                self.state = State::OnAir { lead, revoke, next };
            }
            State::OnAir { lead, revoke, next } if unknown == Some(lead.broadcast) => {
                // Full means that it was told already.
                let _ = revoke.try_send(Revocation::ShuttingDown);
                let lead = Lead { forgotten: true, ..lead };
                self.state = State::OnAir { lead, revoke, next };
            }
            other => self.state = other,
        }
    }

    /// Nobody is on air any more, and what was on cannot go on.
    async fn lose_lead(&mut self, lead: Lead, next: Option<Claim>) {
        self.abandon(lead).await;
        match next {
            Some(claim) => self.begin(claim).await,
            None => self.next_act().await,
        }
    }

    async fn give_up_waiting(&mut self) {
        if let State::Waiting { broadcast, .. } = std::mem::replace(&mut self.state, State::Empty) {
            tracing::info!("the publisher did not come back: the broadcast ends");
            self.end(broadcast).await;
            self.next_act().await;
        }
    }

    /// Nobody is on air: stop if asked, else let the demo play.
    async fn next_act(&mut self) {
        if let Some(Stopping { done, was_on_air }) = self.stopping.take() {
            self.state = State::Stopped;
            let _ = done.send(was_on_air).await;
        } else if let Some(claim) = self.understudy.take().filter(|claim| !claim.answer.is_closed())
        {
            self.begin(claim).await;
        }
    }

    async fn begin(&mut self, claim: Claim) {
        let broadcast = match self.numbers.broadcast() {
            Ok(broadcast) => Box::new(broadcast),
            Err(error) => {
                tracing::error!(%error, "no broadcast can begin: its numbers cannot be stored");
                claim.deny(Denial::NoNumbers);
                self.state = State::Empty;
                return;
            }
        };
        self.facts.connected(clock::date());
        self.grant(claim, broadcast).await;
    }

    async fn resume(&mut self, claim: Claim, mut broadcast: Box<Broadcast>) {
        broadcast.reconnect(Instant::now());
        self.grant(claim, broadcast).await;
    }

    async fn grant(&mut self, claim: Claim, broadcast: Box<Broadcast>) {
        let (revoke, revoked) = async_channel::bounded(1);
        let Claim { publisher, origin, shard, peer, answer } = claim;
        let number = broadcast.number();
        let lead =
            Lead { publisher, origin, shard, broadcast: number, forgotten: false, ended: false };
        self.facts.publisher = peer;
        self.outlets.facts(&self.facts).await;
        match answer.send(Ok(Grant { broadcast, revoked })).await {
            Ok(()) => self.state = State::OnAir { lead, revoke, next: None },
            // The claimant hung up while it waited: as if it had dropped right after.
            Err(async_channel::SendError(unheard)) => {
                if let Ok(Grant { broadcast, .. }) = unheard {
                    let until = Instant::now() + self.grace;
                    self.state = State::Waiting { broadcast, origin, until };
                }
            }
        }
    }

    async fn end(&mut self, mut broadcast: Box<Broadcast>) {
        broadcast.end(&self.outlets).await;
        self.facts.disconnected(clock::date());
        self.outlets.facts(&self.facts).await;
    }

    /// Ends a broadcast whose own state cannot be trusted.
    async fn abandon(&mut self, lead: Lead) {
        self.outlets.give_up(lead.broadcast).await;
        self.facts.disconnected(clock::date());
        self.outlets.facts(&self.facts).await;
    }

    /// Its publisher gives the broadcast back and hears why; without one it ends here.
    async fn disconnect(&mut self) -> bool {
        match std::mem::replace(&mut self.state, State::Empty) {
            State::OnAir { lead, revoke, next } if lead.origin != Origin::Demo => {
                // Full means that it is on its way already.
                let _ = revoke.try_send(Revocation::EndedByOperator);
                self.state = State::OnAir { lead: Lead { ended: true, ..lead }, revoke, next };
                true
            }
            State::Waiting { broadcast, .. } => {
                self.end(broadcast).await;
                self.next_act().await;
                true
            }
            other => {
                self.state = other;
                false
            }
        }
    }

    async fn stop(&mut self, done: Sender<bool>) {
        let was_on_air = !matches!(self.state, State::Empty | State::Stopped);
        self.stopping = Some(Stopping { done, was_on_air });
        if let Some(claim) = self.understudy.take() {
            claim.deny(Denial::Stopping);
        }
        match std::mem::replace(&mut self.state, State::Empty) {
            State::Empty => self.next_act().await,
            State::Waiting { broadcast, .. } => {
                self.end(broadcast).await;
                self.next_act().await;
            }
            State::OnAir { lead, revoke, next } => {
                if let Some(next) = next {
                    next.deny(Denial::Stopping);
                }
                let _ = revoke.try_send(Revocation::ShuttingDown);
                self.state = State::OnAir { lead, revoke, next: None };
            }
            State::Stopped => self.state = State::Stopped,
        }
    }
}

impl Facts {
    fn connected(&mut self, date: UnixTime) {
        self.connected_at = Some(date);
        self.disconnected_at = None;
    }

    fn disconnected(&mut self, date: UnixTime) {
        self.connected_at = None;
        self.publisher = None;
        self.disconnected_at = Some(date);
    }
}
