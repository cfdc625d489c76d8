//! One publisher's connection: socket bytes through [`rtmp::Session`] to the [`Broadcast`] it
//! holds.
//!
//! The loop knows no protocol byte. It writes what the session wants written, waits for the first
//! of bytes, a deadline, the stage's word or the stop, and hands on what came. From the first media
//! on a thread reads the bytes ([`crate::on_air`]) and the loop waits for it or for the stage.
//! Reading stops while a shard's queue is full, so a slow server is felt by the encoder as TCP
//! back-pressure.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_channel::Receiver;
use futures_lite::FutureExt;
use futures_lite::future::or;
use glommio::timer::Timer;
use riverrun_media::rtmp::{self, Event, PublishRequest, Session, SessionConfig};
use riverrun_media::source;
use riverrun_net::io::{Read, Stopped, Stream, WriteError};

use crate::ending::Ending;
use crate::failures;
use crate::on_air::{Feed, Left, OnAir};
use crate::publish::Broadcast;
use crate::shard::Shard;
use crate::stage::{
    Answer, Claim, Denial, Grant, Leaving, Origin, PublisherId, Revocation, StageMessage,
    StreamKeyId,
};

/// Bytes read at once: about 20 ms of 6 Mbit/s, small enough for many idle connections.
const READ_BYTES: usize = 16 << 10;
/// How long a peer may take to accept our few hundred bytes of answers.
const WRITE_TIME_MAX: Duration = Duration::from_secs(5);
/// A wait without a deadline of its own wakes up this often.
const NEVER: Duration = Duration::from_secs(3_600);
/// How long a publisher that said goodbye may change its mind (CMD-11). Most close at once, and
/// then the broadcast ends at once.
const FAREWELL: Duration = Duration::from_secs(1);

/// What this connection is to the stage.
enum Role {
    /// Has not asked, or was refused.
    Visitor,
    /// Asked; media that comes meanwhile is kept by the session.
    Claiming { publisher: PublisherId, stream_key: StreamKeyId, answer: Receiver<Answer> },
    /// On air.
    Publisher {
        publisher: PublisherId,
        /// Which key it showed.
        stream_key: StreamKeyId,
        broadcast: Box<Broadcast>,
        revoked: Receiver<Revocation>,
        /// Media has come: the next bytes are read on a thread.
        streams: bool,
    },
}

/// What ended a wait.
enum Step {
    Read(Read),
    Answered(Answer),
    Revoked(Revocation),
    /// The thread gave the feed back for an event that is not media.
    Heard(Event, Result<(), rtmp::Error>),
    /// It gave it back for media that cannot be packaged.
    Unfit(source::Refusal),
    Stopping,
}

/// Serves a connection to its end.
pub async fn run(shard: Rc<Shard>, stream: Stream) {
    let peer = stream.peer_addr();
    if shard.failures.borrow().refuses(Instant::now(), peer.ip()) {
        tracing::debug!(%peer, "closed unheard: too many wrong keys from this address");
        return;
    }
    let mut entropy = [0; 32];
    if let Err(error) = getrandom::fill(&mut entropy) {
        tracing::error!(%peer, %error, "closed: the system's random source failed");
        return;
    }
    let mut connection = Connection::new(shard, stream, entropy);
    // A panic is a bug in the parsing of this publisher's bytes; it must end nobody else (F37).
    let ending = AssertUnwindSafe(connection.run()).catch_unwind().await;
    connection.leave(&ending.unwrap_or(Ending::Panicked)).await;
}

struct Connection {
    shard: Rc<Shard>,
    stream: Stream,
    peer: SocketAddr,
    session: Session,
    role: Role,
    buffer: Vec<u8>,
    /// The publisher said goodbye; until then it may publish again on this connection.
    farewell: Option<Instant>,
    /// The peer has sent its last byte. What it sent before may still wait for the stage's answer.
    closed: bool,
    /// There was no thread for it.
    stays: bool,
    stopped: Stopped,
}

impl Connection {
    fn new(shard: Rc<Shard>, stream: Stream, entropy: [u8; 32]) -> Self {
        let session = Session::new(Instant::now(), entropy, SessionConfig::default());
        let (role, buffer) = (Role::Visitor, vec![0; READ_BYTES]);
        let (peer, stopped) = (stream.peer_addr(), shard.stop.stopped());
        Self {
            shard,
            stream,
            peer,
            session,
            role,
            buffer,
            farewell: None,
            closed: false,
            stays: false,
            stopped,
        }
    }

    async fn run(&mut self) -> Ending {
        loop {
            if let Err(ending) = self.turn().await {
                return ending;
            }
            // A peer that always has bytes ready must not keep the core.
            glommio::executor().yield_if_needed().await;
        }
    }

    /// Writes, waits once, handles what came.
    async fn turn(&mut self) -> Result<(), Ending> {
        self.write().await?;
        if self.session.is_finished() {
            // Input that was held during the decision may have ended it with an error.
            self.session.handle_timeout(Instant::now())?;
            return Err(Ending::Closed);
        }
        let step = if self.streams() { self.wait_on_air().await? } else { self.wait().await? };
        let now = Instant::now();
        let fed = match step {
            Step::Read(Read::Bytes(len)) => {
                let bytes = self.buffer.get(..len).unwrap_or_default();
                self.session.handle_input(now, bytes)
            }
            Step::Read(Read::Closed) if matches!(self.role, Role::Claiming { .. }) => {
                self.closed = true;
                Ok(())
            }
            Step::Read(Read::Closed) => return Err(Ending::Closed),
            Step::Read(Read::DeadlinePassed) => Ok(()),
            Step::Heard(event, fault) => {
                self.handle_event(now, event).await?;
                fault
            }
            Step::Unfit(refusal) => return Err(self.refuse_media(&refusal)),
            Step::Answered(Ok(grant)) => {
                self.go_on_air(grant);
                Ok(())
            }
            Step::Answered(Err(denial)) => {
                self.hear_denial(denial);
                Ok(())
            }
            Step::Revoked(revocation) => {
                self.yield_stage(revocation).await;
                Ok(())
            }
            Step::Stopping => return Err(Ending::Stopping),
        };
        // Bytes may outrun a deadline, and what was said before a fault still counts.
        let timed = fed.and_then(|()| match self.session.deadline() {
            Some(due) if due <= now => self.session.handle_timeout(now),
            Some(_) | None => Ok(()),
        });
        self.handle_events().await?;
        timed?;
        if self.farewell.is_some_and(|until| now >= until) {
            self.give_back(Leaving::Finished).await;
        }
        if let Role::Publisher { broadcast, .. } = &mut self.role {
            broadcast.timeout(now);
            broadcast.flush(&self.shard.plan.outlets).await;
        }
        if self.closed && !matches!(self.role, Role::Claiming { .. }) {
            return Err(Ending::Closed);
        }
        Ok(())
    }

    async fn write(&mut self) -> Result<(), Ending> {
        while let Some(bytes) = self.session.poll_transmit() {
            match self.stream.write_all(&[bytes], Instant::now() + WRITE_TIME_MAX).await {
                Ok(()) => {}
                // What it sent before it went is still to be read; the read tells the end.
                Err(WriteError::Io(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Nothing but media is expected.
    const fn streams(&self) -> bool {
        let streams = matches!(self.role, Role::Publisher { streams: true, .. });
        streams && self.farewell.is_none() && !self.stays
    }

    /// Lets a thread read until anything but media happens.
    async fn wait_on_air(&mut self) -> Result<Step, Ending> {
        let role = std::mem::replace(&mut self.role, Role::Visitor);
        let Role::Publisher { publisher, stream_key, broadcast, revoked, streams } = role else {
            self.role = role;
            return self.wait().await;
        };
        // Stands in until the thread gives the session back.
        let idle = Session::new(Instant::now(), [0; 32], SessionConfig::default());
        let session = std::mem::replace(&mut self.session, idle);
        let feed = Box::new(Feed { session, broadcast });
        let plan = &self.shard.plan;
        let started = match self.stream.lend() {
            Ok(socket) => OnAir::start(socket, feed, plan.outlets.clone(), plan.cores),
            Err(error) => Err((feed, error)),
        };
        let (feed, step) = match started {
            Ok(on_air) => watch(&on_air, &revoked).await.ok_or(Ending::Panicked)?,
            Err((feed, error)) => {
                tracing::warn!(%error, "no thread for this publisher: its shard reads it");
                self.stays = true;
                (feed, Ok(Step::Read(Read::DeadlinePassed)))
            }
        };
        let Feed { session, broadcast } = *feed;
        self.session = session;
        self.role = Role::Publisher { publisher, stream_key, broadcast, revoked, streams };
        self.stream.take_back().map_err(Ending::Read)?;
        step
    }

    /// The first of: the stage, the stop, bytes, a deadline.
    async fn wait(&mut self) -> Result<Step, Ending> {
        let broadcast_deadline = match &self.role {
            Role::Publisher { broadcast, .. } => broadcast.deadline(),
            Role::Visitor | Role::Claiming { .. } => None,
        };
        let deadlines = [self.session.deadline(), broadcast_deadline, self.farewell];
        let deadline =
            deadlines.into_iter().flatten().min().unwrap_or_else(|| Instant::now() + NEVER);
        let (role, stopped) = (&self.role, &mut self.stopped);
        let signal = async {
            match role {
                Role::Visitor => {
                    stopped.await;
                    Step::Stopping
                }
                Role::Claiming { answer, .. } => {
                    Step::Answered(answer.recv().await.unwrap_or(Err(Denial::Stopping)))
                }
                // The stage revokes before the server stops; a shard that breaks stops alone, and
                // the publisher comes back to another one.
                Role::Publisher { revoked, .. } => {
                    let revoked = async {
                        Step::Revoked(revoked.recv().await.unwrap_or(Revocation::ShuttingDown))
                    };
                    let stopping = async {
                        stopped.await;
                        Step::Stopping
                    };
                    or(revoked, stopping).await
                }
            }
        };
        // While a publish is undecided the session takes a limited amount (AU-5): the rest waits in
        // the socket.
        let reads = self.session.wants_input() && !self.closed;
        let room = if reads { self.buffer.len() } else { 0 };
        let stream = &mut self.stream;
        let buffer = self.buffer.get_mut(..room).unwrap_or_default();
        let read = async {
            if buffer.is_empty() {
                Timer::new(deadline.saturating_duration_since(Instant::now())).await;
                return Ok(Step::Read(Read::DeadlinePassed));
            }
            stream.read(buffer, deadline).await.map(Step::Read)
        };
        match or(async { Ok(signal.await) }, read).await {
            // It closed without reading our answers: what it had sent still counts.
            Err(_) if matches!(self.role, Role::Claiming { .. }) => Ok(Step::Read(Read::Closed)),
            step => step.map_err(Ending::Read),
        }
    }

    async fn handle_events(&mut self) -> Result<(), Ending> {
        while let Some(event) = self.session.poll_event() {
            self.handle_event(Instant::now(), event).await?;
        }
        Ok(())
    }

    async fn handle_event(&mut self, now: Instant, event: Event) -> Result<(), Ending> {
        match event {
            Event::PublishRequested(request) => self.ask_for_the_stage(&request).await,
            Event::Unpublished => self.farewell = Some(now + FAREWELL),
            Event::Metadata(_) | Event::Video { .. } | Event::Audio { .. } => {
                let Role::Publisher { broadcast, streams, .. } = &mut self.role else {
                    return Ok(());
                };
                *streams |= !matches!(event, Event::Metadata(_));
                if let Err(refusal) = broadcast.hear(now, event) {
                    return Err(self.refuse_media(&refusal));
                }
            }
        }
        Ok(())
    }

    /// Media that the source refuses ends the publish with its sentence.
    fn refuse_media(&mut self, refusal: &source::Refusal) -> Ending {
        let sentence = refusal.to_string();
        self.session.end(Instant::now(), rtmp::Refusal::UnsupportedCodec(sentence.clone()));
        Ending::Refused(sentence)
    }

    async fn ask_for_the_stage(&mut self, request: &PublishRequest) {
        let Some(stream_key) = self.known_key(request) else {
            // Tells nothing of the key: it may be somebody's right one for another server.
            self.shard.failures.borrow_mut().note(Instant::now(), self.peer.ip());
            if self.shard.complaints.allows(Instant::now()) {
                tracing::warn!(
                    peer = %self.peer, client = ?request.client,
                    key = request.stream_key.fingerprint(),
                    "refused: wrong stream key. The publisher must copy the one that was shown"
                );
            }
            Timer::new(failures::DELAY).await;
            self.session.refuse_publish(Instant::now(), rtmp::Refusal::WrongKey);
            return;
        };
        self.shard.failures.borrow_mut().forgive(self.peer.ip());
        if self.continues_after_farewell(stream_key).await {
            return;
        }
        let (peer, client) = (self.peer, &request.client);
        tracing::info!(%peer, ?client, "a publisher asks to go on air");
        let publisher = next_publisher();
        let (sender, answer) = async_channel::bounded(1);
        let origin = Origin::Rtmp { stream_key };
        let (shard, peer) = (self.shard.plan.id, Some(self.peer));
        let claim = Claim { publisher, origin, shard, peer, answer: sender };
        // A stage that is gone closes the answer's channel.
        let _ = self.shard.plan.stage.send(StageMessage::Claim(claim)).await;
        self.role = Role::Claiming { publisher, stream_key, answer };
    }

    /// Every key is compared, found or not: the time taken tells nothing (AU-3).
    fn known_key(&self, request: &PublishRequest) -> Option<StreamKeyId> {
        let state = self.shard.state();
        state.publishing_keys().fold(None, |found, known| {
            let id = || {
                let mut hasher = DefaultHasher::new();
                known.hash(&mut hasher);
                StreamKeyId(hasher.finish())
            };
            if request.stream_key.matches(known) { Some(id()) } else { found }
        })
    }

    /// The session lets a second publish through only after the first said goodbye (CMD-11). With
    /// the same key it goes on; another key is another broadcast.
    async fn continues_after_farewell(&mut self, shown: StreamKeyId) -> bool {
        self.farewell = None;
        match &mut self.role {
            Role::Publisher { stream_key, broadcast, .. } if *stream_key == shown => {
                broadcast.interrupt(&self.shard.plan.outlets).await;
                broadcast.reconnect(Instant::now());
                self.session.accept_publish(Instant::now());
                true
            }
            Role::Publisher { .. } => {
                self.give_back(Leaving::Finished).await;
                false
            }
            Role::Visitor | Role::Claiming { .. } => false,
        }
    }

    fn go_on_air(&mut self, grant: Grant) {
        let Role::Claiming { publisher, stream_key, .. } = self.role else { return };
        let shard = self.shard.plan.id;
        tracing::info!(peer = %self.peer, ?publisher, %shard, "on air");
        let Grant { broadcast, revoked } = grant;
        self.role = Role::Publisher { publisher, stream_key, broadcast, revoked, streams: false };
        self.session.accept_publish(Instant::now());
    }

    fn hear_denial(&mut self, denial: Denial) {
        self.role = Role::Visitor;
        let refusal = match denial {
            Denial::OtherKey => rtmp::Refusal::AlreadyPublishing,
            Denial::Superseded => rtmp::Refusal::TakenOver,
            Denial::NoNumbers => rtmp::Refusal::Overloaded,
            Denial::Stopping => rtmp::Refusal::ShuttingDown,
        };
        let (peer, fault) = (self.peer, refusal.fault());
        tracing::warn!(%peer, ?fault, "refused: {}", refusal.description());
        self.session.refuse_publish(Instant::now(), refusal);
    }

    /// Somebody took over or the server stops: the broadcast goes back before anything else.
    async fn yield_stage(&mut self, revocation: Revocation) {
        let refusal = match revocation {
            Revocation::TakenOver => rtmp::Refusal::TakenOver,
            Revocation::EndedByOperator => rtmp::Refusal::EndedByOperator,
            Revocation::ShuttingDown => rtmp::Refusal::ShuttingDown,
        };
        tracing::info!(peer = %self.peer, ?revocation, "off air");
        self.session.end(Instant::now(), refusal);
        self.give_back(Leaving::Yielded).await;
    }

    /// What the stage gave, or was about to give, returns to it: a broadcast is never lost.
    async fn give_back(&mut self, leaving: Leaving) {
        self.farewell = None;
        let held = match std::mem::replace(&mut self.role, Role::Visitor) {
            Role::Visitor => None,
            Role::Publisher { publisher, broadcast, revoked, .. } => {
                Some((publisher, Grant { broadcast, revoked }))
            }
            Role::Claiming { publisher, answer, .. } => {
                // Closed first: a grant is either here already or goes back to the stage itself.
                answer.close();
                let granted = answer.try_recv().ok().and_then(Result::ok);
                granted.map(|grant| (publisher, grant))
            }
        };
        if let Some((publisher, grant)) = held {
            let back = StageMessage::Return { publisher, grant, leaving };
            let _ = self.shard.plan.stage.send(back).await;
        }
    }

    async fn leave(&mut self, ending: &Ending) {
        let on_air = matches!(self.role, Role::Publisher { .. });
        let leaving = ending.leaving(self.farewell.is_some());
        self.give_back(leaving).await;
        if !matches!(ending, Ending::Panicked | Ending::Write(_)) {
            // The last words, a refusal's code among them, are worth a try; the peer may be gone.
            let _ = self.write().await;
        }
        ending.log(&self.shard.complaints, self.peer, self.session.counters(), on_air);
    }
}

/// Waits until the thread gives the feed back or has to; `None` when it was lost with its thread.
async fn watch(
    on_air: &OnAir,
    revoked: &Receiver<Revocation>,
) -> Option<(Box<Feed>, Result<Step, Ending>)> {
    let returned = async { Ok(on_air.returned().await) };
    let revocation = async { Err(revoked.recv().await.unwrap_or(Revocation::ShuttingDown)) };
    let (feed, left, revocation) = match or(revocation, returned).await {
        Ok(returned) => returned.map(|(feed, left)| (feed, left, None))?,
        Err(revocation) => {
            match revocation {
                Revocation::TakenOver | Revocation::EndedByOperator => on_air.call_back(),
                Revocation::ShuttingDown => on_air.ask_to_leave(),
            }
            on_air.returned().await.map(|(feed, left)| (feed, left, Some(revocation)))?
        }
    };
    let step = match (revocation, left) {
        (_, Left::Panicked) => Err(Ending::Panicked),
        (Some(revocation), _) => Ok(Step::Revoked(revocation)),
        (None, Left::Event(event, fault)) => Ok(Step::Heard(event, fault)),
        (None, Left::Refused(refusal)) => Ok(Step::Unfit(refusal)),
        (None, Left::Closed | Left::CalledBack) => Ok(Step::Read(Read::Closed)),
        (None, Left::Protocol(error)) => Err(Ending::Protocol(error)),
        (None, Left::Read(error)) => Err(Ending::Read(error)),
        (None, Left::Write(error)) => Err(Ending::Write(error)),
    };
    Some((feed, step))
}

/// Ids are unique in the process, whichever shard gives them.
pub fn next_publisher() -> PublisherId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    PublisherId(NEXT.fetch_add(1, Ordering::Relaxed))
}
