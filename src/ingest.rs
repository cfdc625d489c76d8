//! One publisher's connection: socket bytes through [`rtmp::Session`] to the [`Broadcast`] it
//! holds.
//!
//! The loop knows no protocol byte. It writes what the session wants written, waits for the first
//! of bytes, a deadline, the stage's word or the stop, and hands on what came. Reading stops while
//! a shard's queue is full, so a slow server is felt by the encoder as TCP back-pressure.

use std::future;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_channel::Receiver;
use futures_lite::future::or;
use glommio::timer::Timer;
use riverrun_media::rtmp::{self, Event, PublishRequest, Session, SessionConfig};
use riverrun_media::source;
use riverrun_net::io::{Read, Stream, WriteError};

use crate::failures;
use crate::publish::Broadcast;
use crate::shard::Shard;
use crate::stage::{Claim, Grant, Leaving, Origin, PublisherId, Revocation, StageMessage};

/// Bytes read at once: about 20 ms of 6 Mbit/s, small enough for many idle connections.
const READ_BYTES: usize = 16 << 10;
/// How long a peer may take to accept our few hundred bytes of answers.
const WRITE_TIME_MAX: Duration = Duration::from_secs(5);
/// A wait without a deadline of its own wakes up this often.
const NEVER: Duration = Duration::from_secs(3_600);
/// How long a publisher that said goodbye may change its mind (CMD-11). Most close at once, and
/// then the broadcast ends at once.
const FAREWELL: Duration = Duration::from_secs(1);

/// How a connection ended, for its one log line.
#[derive(Debug, thiserror::Error)]
enum Ending {
    #[error("the publisher closed the connection")]
    Closed,
    #[error("the protocol was broken: {0}")]
    Protocol(#[from] rtmp::Error),
    #[error("{0}")]
    Refused(String),
    #[error("reading failed: {0}")]
    Read(std::io::Error),
    #[error("writing failed: {0}")]
    Write(#[from] WriteError),
    #[error("the system's random source failed: {0}")]
    Random(getrandom::Error),
}

/// What this connection is to the stage.
enum Role {
    /// Has not asked, or was refused.
    Visitor,
    /// Asked; media that comes meanwhile is kept by the session.
    Claiming { publisher: PublisherId, granted: Receiver<Grant> },
    /// On air.
    Publisher { publisher: PublisherId, broadcast: Box<Broadcast>, revoked: Receiver<Revocation> },
}

/// What ended a wait.
enum Step {
    Read(Read),
    Granted(Option<Grant>),
    Revoked(Revocation),
}

/// Serves a connection to its end.
pub async fn run(shard: Rc<Shard>, stream: Stream) {
    let peer = stream.peer_addr();
    if shard.failures.borrow().refuses(Instant::now(), peer.ip()) {
        tracing::debug!(%peer, "closed unheard: too many wrong keys from this address");
        return;
    }
    let mut connection = match Connection::new(shard, stream, peer) {
        Ok(connection) => connection,
        Err(ending) => {
            tracing::error!(%peer, %ending, "a publisher's connection could not be served");
            return;
        }
    };
    let ending = connection.run().await;
    connection.leave(&ending).await;
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
}

impl Connection {
    fn new(shard: Rc<Shard>, stream: Stream, peer: SocketAddr) -> Result<Self, Ending> {
        let mut entropy = [0; 32];
        getrandom::fill(&mut entropy).map_err(Ending::Random)?;
        let session = Session::new(Instant::now(), entropy, SessionConfig::default());
        let (role, buffer) = (Role::Visitor, vec![0; READ_BYTES]);
        Ok(Self { shard, stream, peer, session, role, buffer, farewell: None })
    }

    async fn run(&mut self) -> Ending {
        loop {
            if let Err(ending) = self.turn().await {
                return ending;
            }
        }
    }

    /// Writes, waits once, handles what came.
    async fn turn(&mut self) -> Result<(), Ending> {
        self.write().await?;
        if self.session.is_finished() {
            return Err(Ending::Closed);
        }
        match self.wait().await? {
            Step::Read(Read::Bytes(len)) => {
                let bytes = self.buffer.get(..len).unwrap_or_default();
                self.session.handle_input(Instant::now(), bytes)?;
            }
            Step::Read(Read::Closed) => return Err(Ending::Closed),
            Step::Read(Read::DeadlinePassed) => {
                self.session.handle_timeout(Instant::now())?;
            }
            Step::Granted(Some(grant)) => self.go_on_air(grant),
            Step::Granted(None) => {
                self.role = Role::Visitor;
                let refusal = rtmp::Refusal::AlreadyPublishing;
                let peer = self.peer;
                tracing::warn!(%peer, "refused: somebody else is on air with another key");
                self.session.refuse_publish(Instant::now(), refusal);
            }
            Step::Revoked(revocation) => self.yield_stage(revocation).await,
        }
        self.handle_events().await?;
        if self.farewell.is_some_and(|until| Instant::now() >= until) {
            self.give_back(Leaving::Finished).await;
        }
        if let Role::Publisher { broadcast, .. } = &mut self.role {
            broadcast.timeout(Instant::now());
            broadcast.flush(&self.shard.plan.outlets).await;
        }
        Ok(())
    }

    async fn write(&mut self) -> Result<(), Ending> {
        while let Some(bytes) = self.session.poll_transmit() {
            self.stream.write_all(&[bytes], Instant::now() + WRITE_TIME_MAX).await?;
        }
        Ok(())
    }

    /// The first of: bytes, a deadline, the stage.
    async fn wait(&mut self) -> Result<Step, Ending> {
        let broadcast_deadline = match &self.role {
            Role::Publisher { broadcast, .. } => broadcast.deadline(),
            Role::Visitor | Role::Claiming { .. } => None,
        };
        let deadlines = [self.session.deadline(), broadcast_deadline, self.farewell];
        let deadline =
            deadlines.into_iter().flatten().min().unwrap_or_else(|| Instant::now() + NEVER);
        let role = &self.role;
        let signal = async {
            match role {
                Role::Visitor => future::pending().await,
                Role::Claiming { granted, .. } => Step::Granted(granted.recv().await.ok()),
                Role::Publisher { revoked, .. } => {
                    Step::Revoked(revoked.recv().await.unwrap_or(Revocation::ShuttingDown))
                }
            }
        };
        // While a publish is undecided the session takes a limited amount (AU-5): the rest waits in
        // the socket.
        let room = if self.session.wants_input() { self.buffer.len() } else { 0 };
        let stream = &mut self.stream;
        let buffer = self.buffer.get_mut(..room).unwrap_or_default();
        let read = async {
            if buffer.is_empty() {
                Timer::new(deadline.saturating_duration_since(Instant::now())).await;
                return Ok(Step::Read(Read::DeadlinePassed));
            }
            stream.read(buffer, deadline).await.map(Step::Read)
        };
        or(async { Ok(signal.await) }, read).await.map_err(Ending::Read)
    }

    async fn handle_events(&mut self) -> Result<(), Ending> {
        while let Some(event) = self.session.poll_event() {
            let now = Instant::now();
            match event {
                Event::PublishRequested(request) => self.ask_for_the_stage(&request).await,
                Event::Unpublished => self.farewell = Some(now + FAREWELL),
                Event::Metadata(value) => {
                    if let Role::Publisher { broadcast, .. } = &mut self.role {
                        broadcast.metadata(now, &value);
                    }
                }
                Event::Video { timestamp, payload } => {
                    self.media(|broadcast| broadcast.video(now, timestamp, &payload))?;
                }
                Event::Audio { timestamp, payload } => {
                    self.media(|broadcast| broadcast.audio(now, timestamp, &payload))?;
                }
            }
        }
        Ok(())
    }

    /// Media that the source refuses ends the publish with its sentence.
    fn media(
        &mut self,
        hand_over: impl FnOnce(&mut Broadcast) -> Result<(), source::Refusal>,
    ) -> Result<(), Ending> {
        if let Role::Publisher { broadcast, .. } = &mut self.role
            && let Err(refusal) = hand_over(broadcast)
        {
            let sentence = refusal.to_string();
            self.session.end(Instant::now(), rtmp::Refusal::UnsupportedCodec(sentence.clone()));
            return Err(Ending::Refused(sentence));
        }
        Ok(())
    }

    async fn ask_for_the_stage(&mut self, request: &PublishRequest) {
        let now = Instant::now();
        let keys = &self.shard.plan.stream_keys;
        // Every key is compared, found or not: the time taken tells nothing (AU-3).
        let found = keys.iter().enumerate().fold(None, |found, (index, known)| {
            if request.stream_key.matches(known.expose()) { Some(index) } else { found }
        });
        let Some(stream_key) = found else {
            self.shard.failures.borrow_mut().note(now, self.peer.ip());
            tracing::warn!(
                peer = %self.peer, app = %request.app, client = %request.client,
                "refused: wrong stream key. The publisher must copy the one that the admin shows"
            );
            Timer::new(failures::DELAY).await;
            self.session.refuse_publish(Instant::now(), rtmp::Refusal::WrongKey);
            return;
        };
        self.shard.failures.borrow_mut().forgive(self.peer.ip());
        if let Role::Publisher { broadcast, .. } = &mut self.role {
            // The session lets a second publish through only after the first said goodbye.
            self.farewell = None;
            broadcast.reconnect(now);
            self.session.accept_publish(now);
            return;
        }
        let (peer, client) = (self.peer, &request.client);
        tracing::info!(%peer, %client, "a publisher asks to go on air");
        let publisher = next_publisher();
        let (grant, granted) = async_channel::bounded(1);
        let claim = Claim { publisher, origin: Origin::Rtmp { stream_key }, grant };
        // A stage that is gone closes the grant's channel, which reads as a refusal.
        let _ = self.shard.plan.stage.send(StageMessage::Claim(claim)).await;
        self.role = Role::Claiming { publisher, granted };
    }

    fn go_on_air(&mut self, grant: Grant) {
        let Role::Claiming { publisher, .. } = self.role else { return };
        tracing::info!(peer = %self.peer, ?publisher, "on air");
        let Grant { broadcast, revoked } = grant;
        self.role = Role::Publisher { publisher, broadcast, revoked };
        self.session.accept_publish(Instant::now());
    }

    /// Somebody took over or the server stops: the broadcast goes back before anything else.
    async fn yield_stage(&mut self, revocation: Revocation) {
        let refusal = match revocation {
            Revocation::TakenOver => rtmp::Refusal::TakenOver,
            Revocation::ShuttingDown => rtmp::Refusal::ShuttingDown,
        };
        tracing::info!(peer = %self.peer, ?revocation, "off air");
        self.session.end(Instant::now(), refusal);
        self.give_back(Leaving::Yielded).await;
    }

    async fn give_back(&mut self, leaving: Leaving) {
        self.farewell = None;
        if let Role::Publisher { publisher, broadcast, .. } =
            std::mem::replace(&mut self.role, Role::Visitor)
        {
            let back = StageMessage::Return { publisher, broadcast, leaving };
            let _ = self.shard.plan.stage.send(back).await;
        }
    }

    async fn leave(&mut self, ending: &Ending) {
        let on_air = matches!(self.role, Role::Publisher { .. });
        let finished = self.farewell.is_some() || matches!(ending, Ending::Refused(_));
        self.give_back(if finished { Leaving::Finished } else { Leaving::Dropped }).await;
        // The last words, a refusal's code among them, are worth a try; the peer may be gone.
        let _ = self.write().await;
        let counters = self.session.counters();
        match ending {
            Ending::Closed if on_air => {
                tracing::info!(peer = %self.peer, ?counters, "the publisher left");
            }
            Ending::Closed => tracing::debug!(peer = %self.peer, "an RTMP connection closed"),
            Ending::Protocol(error) => {
                tracing::warn!(
                    peer = %self.peer, fault = ?error.fault(), ?counters, "closed: {error}"
                );
            }
            other => tracing::warn!(peer = %self.peer, ?counters, "closed: {other}"),
        }
    }
}

/// Ids are unique in the process, whichever shard gives them.
pub fn next_publisher() -> PublisherId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    PublisherId(NEXT.fetch_add(1, Ordering::Relaxed))
}
