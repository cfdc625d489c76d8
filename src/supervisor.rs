//! Keeps every shard running: replaces one that panicked or hangs, and gives up when that does not
//! help (F37).
//!
//! Each shard is a thread with an executor. One that panics says so; one that hangs does not take
//! the ping of its supervisor, which is sent every few seconds and costs an idle process one
//! wake-up. Either is replaced by a new thread under the same number: new listeners, and a window
//! copied from a neighbour. A thread that hangs cannot be ended. It loses its sockets, so that its
//! viewers come back to shards that live, and its queue, so that no publisher waits for it; should
//! it come round it winds down by itself. When replacing does not help, or too many threads hang,
//! the process ends and the service manager starts it anew.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use riverrun_net::io::Sockets;
use thiserror::Error;

use crate::shard::StopAt;

/// What is thought enough and too much.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Time between two looks at the shards.
    pub look_interval: Duration,
    /// A shard that took no ping in so many looks hangs. Looks and not time, because a process that
    /// was stopped for a while looks at shards that had no time either.
    pub silent_looks_max: u32,
    /// More replacements than this within `restart_window`: it does not help.
    pub restarts_max: usize,
    /// See `restarts_max`.
    pub restart_window: Duration,
    /// Threads that hang at one time. Each may keep a core busy.
    pub stuck_max: usize,
}

impl Default for Patience {
    /// A shard hangs after eight to ten seconds. It is far more than a busy machine makes a thread
    /// wait, and viewers have other shards; but a publisher waits for it once its queue is full.
    fn default() -> Self {
        Self {
            look_interval: Duration::from_secs(2),
            silent_looks_max: 4,
            restarts_max: 5,
            restart_window: Duration::from_secs(60),
            stuck_max: 2,
        }
    }
}

/// One life of a shard.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ShardId {
    /// Its number, from 0.
    pub index: usize,
    /// How often it was replaced before.
    pub life: u32,
}

impl ShardId {
    /// It was replaced, at once or in turn, by the other.
    #[must_use]
    pub const fn is_former_life_of(self, other: Self) -> bool {
        self.index == other.index && self.life < other.life
    }
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.index)?;
        if self.life > 0 { write!(f, " (life {})", self.life + 1) } else { Ok(()) }
    }
}

/// What the supervisor hears.
#[derive(Debug)]
pub enum News {
    /// A shard accepts connections.
    Accepting(ShardId),
    /// One of a shard's own tasks panicked: it accepts no more and lets its connections end.
    Broken(ShardId, String),
    /// A shard's thread is at its end; the reason, unless it was told to stop.
    Ended(ShardId, Result<(), String>),
    /// The stage ended by itself.
    StageEnded,
    /// SIGTERM or SIGINT.
    Stop,
}

/// Why the server cannot go on.
#[derive(Debug, Error)]
pub enum SupervisorError {
    /// Already at the start.
    #[error("shard {shard} could not start: {reason}")]
    Start {
        /// Which.
        shard: ShardId,
        /// What it said.
        reason: String,
    },
    /// Shards end as often as they are replaced.
    #[error(
        "shard {shard} ended ({reason}), and {restarts} replacements in {} s are enough",
        window.as_secs()
    )]
    TooOften {
        /// Which was the last.
        shard: ShardId,
        /// What it said.
        reason: String,
        /// Replacements within the window.
        restarts: usize,
        /// See [`Patience::restart_window`].
        window: Duration,
    },
    /// Threads that cannot be ended.
    #[error("{stuck} shards hang and cannot be ended")]
    TooManyStuck {
        /// How many.
        stuck: usize,
    },
    /// The stage is gone: nobody could go on air.
    #[error("the stage ended by itself")]
    Stage,
    /// A thread could not be made.
    #[error("a thread could not be started: {0}")]
    Thread(#[from] io::Error),
}

/// What a shard's thread gets beside its work.
pub struct Post {
    /// Who it is.
    pub id: ShardId,
    /// Where it tells how it goes. It must tell `Ended` last, whatever happens.
    pub news: mpsc::Sender<News>,
    /// Pings, to be taken promptly; that is all of the answer.
    pub pings: Receiver<()>,
    /// The word to stop.
    pub stop: Receiver<StopAt>,
    /// Where its sockets must stand.
    pub sockets: Sockets,
}

/// What shards are made of.
pub trait Shards {
    /// Starts the thread of a shard. With a life above 0 it replaces another, whose queue is to be
    /// closed.
    fn start(&mut self, post: Post) -> io::Result<JoinHandle<()>>;
    /// The shard will return nothing more that it holds.
    fn lost(&mut self, shard: ShardId);
}

/// A shard from outside.
struct Seat {
    id: ShardId,
    thread: JoinHandle<()>,
    stop: Sender<StopAt>,
    pings: Sender<()>,
    sockets: Sockets,
    silent_looks: u32,
}

/// Holds the shards.
pub struct Supervisor<S> {
    shards: S,
    patience: Patience,
    seats: Vec<Seat>,
    news: mpsc::Sender<News>,
    heard: mpsc::Receiver<News>,
    restarts: VecDeque<Instant>,
    /// Threads that hang, as far as is known.
    stuck: Vec<ShardId>,
}

impl<S: Shards> Supervisor<S> {
    /// Starts `count` shards and waits until all accept connections. Also returns early when told
    /// to stop; [`Self::watch`] then does so too.
    pub fn start(
        shards: S,
        count: usize,
        patience: Patience,
        (news, heard): (mpsc::Sender<News>, mpsc::Receiver<News>),
    ) -> Result<Self, SupervisorError> {
        let (seats, restarts, stuck) = (Vec::new(), VecDeque::new(), Vec::new());
        let mut supervisor = Self { shards, patience, seats, news, heard, restarts, stuck };
        for index in 0..count {
            let seat = supervisor.seat(ShardId { index, life: 0 })?;
            supervisor.seats.push(seat);
        }
        supervisor.wait_until_accepting()?;
        Ok(supervisor)
    }

    /// Watches the shards until the server is told to stop or cannot go on.
    pub fn watch(&mut self) -> Result<(), SupervisorError> {
        let mut look_at = Instant::now() + self.patience.look_interval;
        loop {
            match self.heard.recv_timeout(look_at.saturating_duration_since(Instant::now())) {
                Ok(News::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Ok(news) => self.hear(news)?,
                Err(RecvTimeoutError::Timeout) => {
                    self.look()?;
                    look_at = Instant::now() + self.patience.look_interval;
                }
            }
        }
    }

    /// Tells every shard to drain until `deadline`; their threads, which then end.
    pub fn stop(self, deadline: StopAt) -> Vec<JoinHandle<()>> {
        for seat in &self.seats {
            // Full only when it was told already.
            let _ = seat.stop.try_send(deadline);
        }
        self.seats.into_iter().map(|seat| seat.thread).collect()
    }

    fn wait_until_accepting(&self) -> Result<(), SupervisorError> {
        let (mut accepting, mut later) = (Vec::new(), Vec::new());
        while accepting.len() < self.seats.len() {
            match self.heard.recv() {
                Ok(News::Accepting(shard)) => accepting.push(shard),
                Ok(News::Broken(shard, reason) | News::Ended(shard, Err(reason)))
                    if !accepting.contains(&shard) =>
                {
                    return Err(SupervisorError::Start { shard, reason });
                }
                Ok(News::StageEnded) => return Err(SupervisorError::Stage),
                Ok(News::Stop) => {
                    later.push(News::Stop);
                    break;
                }
                // One that served for a moment is replaced like any other.
                Ok(news) => later.push(news),
                Err(_) => break,
            }
        }
        for news in later {
            // We hold the other end.
            let _ = self.news.send(news);
        }
        Ok(())
    }

    fn seat(&mut self, id: ShardId) -> io::Result<Seat> {
        let (stop, stopped) = async_channel::bounded(1);
        let (pings, pinged) = async_channel::bounded(1);
        let (news, sockets) = (self.news.clone(), Sockets::new());
        let post = Post { id, news, pings: pinged, stop: stopped, sockets: sockets.clone() };
        let thread = self.shards.start(post)?;
        Ok(Seat { id, thread, stop, pings, sockets, silent_looks: 0 })
    }

    fn hear(&mut self, news: News) -> Result<(), SupervisorError> {
        match news {
            News::Accepting(shard) => tracing::info!(%shard, "accepts connections again"),
            News::Broken(shard, reason) => {
                if self.has_seat(shard) {
                    tracing::error!(%shard, %reason, "a shard panicked: it is replaced");
                    self.replace(shard, reason)?;
                }
            }
            News::Ended(shard, result) => {
                self.shards.lost(shard);
                self.stuck.retain(|stuck| *stuck != shard);
                if self.has_seat(shard) {
                    let reason = result.err().unwrap_or_else(|| "nobody told it to".to_owned());
                    tracing::error!(%shard, %reason, "a shard ended: it is replaced");
                    self.shut(shard);
                    self.replace(shard, reason)?;
                } else {
                    tracing::info!(%shard, "the thread of a replaced shard has ended");
                }
            }
            News::StageEnded => return Err(SupervisorError::Stage),
            // Heard by the caller.
            News::Stop => {}
        }
        Ok(())
    }

    /// Pings every shard, and replaces the first that has been silent for too long.
    fn look(&mut self) -> Result<(), SupervisorError> {
        for seat in &mut self.seats {
            // Full: the last ping still lies there. Closed: it ended, and that will be heard.
            let silent = seat.pings.try_send(()).is_err_and(|error| error.is_full());
            seat.silent_looks = if silent { seat.silent_looks + 1 } else { 0 };
        }
        let silent = self.seats.iter().find(|s| s.silent_looks >= self.patience.silent_looks_max);
        let Some(shard) = silent.map(|seat| seat.id) else { return Ok(()) };
        let connections = self.shut(shard);
        tracing::error!(%shard, connections, "a shard hangs: its sockets are shut, it is replaced");
        self.stuck.push(shard);
        self.shards.lost(shard);
        if self.stuck.len() > self.patience.stuck_max {
            return Err(SupervisorError::TooManyStuck { stuck: self.stuck.len() });
        }
        self.replace(shard, "it hung".to_owned())
    }

    fn replace(&mut self, shard: ShardId, reason: String) -> Result<(), SupervisorError> {
        let (now, Patience { restarts_max, restart_window, .. }) = (Instant::now(), self.patience);
        self.restarts.retain(|at| now.saturating_duration_since(*at) < restart_window);
        if self.restarts.len() >= restarts_max {
            let (restarts, window) = (self.restarts.len(), restart_window);
            return Err(SupervisorError::TooOften { shard, reason, restarts, window });
        }
        self.restarts.push_back(now);
        let successor = self.seat(ShardId { life: shard.life + 1, ..shard })?;
        if let Some(seat) = self.seats.get_mut(shard.index) {
            // The old thread ends by itself, or never.
            *seat = successor;
        }
        Ok(())
    }

    /// Shuts a shard's sockets from here; how many there were.
    fn shut(&self, shard: ShardId) -> usize {
        self.seats.get(shard.index).map_or(0, |seat| seat.sockets.shut())
    }

    /// It has not been replaced yet.
    fn has_seat(&self, shard: ShardId) -> bool {
        self.seats.get(shard.index).is_some_and(|seat| seat.id == shard)
    }
}

#[cfg(test)]
mod tests;
