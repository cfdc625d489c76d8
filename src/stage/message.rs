//! What publishers, shards and the admin say to the stage, and what it answers.

use std::net::SocketAddr;

use async_channel::{Receiver, Sender};

use crate::publish::Broadcast;
use crate::supervisor::ShardId;

/// One publisher's try to be on air. Equal ids never occur in one process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PublisherId(pub u64);

/// Tells stream keys apart within this process, without being one: the list may change while
/// somebody is on air.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamKeyId(pub u64);

/// Where a publisher's media comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// An RTMP connection that showed this stream key.
    Rtmp {
        /// Which key.
        stream_key: StreamKeyId,
    },
    /// The built-in demo: yields to everybody, returns when nobody is left.
    Demo,
}

/// What publishers say to the stage.
pub enum StageMessage {
    /// "I want to publish." The answer is a [`Grant`] or a [`Denial`].
    Claim(Claim),
    /// "I am done" or "I was cut off"; also the answer to a revocation.
    Return {
        /// Who.
        publisher: PublisherId,
        /// What was granted, whole: the stage alone closes the channel of the revocation, so a
        /// closed one means that the broadcast was lost, not that it is on its way.
        grant: Grant,
        /// How it ended.
        leaving: Leaving,
    },
    /// This shard ended or is stuck: what its publisher has not returned by now is lost.
    Lost(ShardId),
    /// A new shard found nobody to learn the running broadcast from.
    Forgotten {
        /// Which.
        shard: ShardId,
        /// The broadcast of which it missed the beginning; `None` if it only knows that it was born
        /// into the middle of things.
        broadcast: Option<u64>,
    },
    /// The admin ends the broadcast; the answer says whether there was one. The demo is none.
    Disconnect(Sender<bool>),
    /// The server stops: end what is on air and answer when its last update is sent; the answer
    /// says whether there was anything.
    Stop(Sender<bool>),
}

/// A wish to publish.
pub struct Claim {
    /// Who.
    pub publisher: PublisherId,
    /// From where.
    pub origin: Origin,
    /// On which shard it runs.
    pub shard: ShardId,
    /// The other end of its connection; the demo has none.
    pub peer: Option<SocketAddr>,
    /// Where the one answer goes; capacity 1, so giving it never waits.
    pub answer: Sender<Answer>,
}

/// What a claim comes to. A closed channel means [`Denial::Stopping`].
pub type Answer = Result<Grant, Denial>;

/// Why a publisher does not go on air.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Denial {
    /// Somebody with another key is on air.
    OtherKey,
    /// A newer connection showed the same key.
    Superseded,
    /// The store failed to give numbers for a new broadcast.
    NoNumbers,
    /// The server stops.
    Stopping,
}

/// The permission to publish.
pub struct Grant {
    /// The broadcast to continue or begin.
    pub broadcast: Box<Broadcast>,
    /// Closes or yields when the publisher must return it: somebody took over, or shutdown.
    pub revoked: Receiver<Revocation>,
}

/// Why a grant is taken back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Revocation {
    /// A newer connection showed the key.
    TakenOver,
    /// The admin ended the broadcast.
    EndedByOperator,
    /// The server stops.
    ShuttingDown,
}

/// How a publisher left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leaving {
    /// The connection vanished: the grace period begins.
    Dropped,
    /// The publisher said goodbye: the broadcast ends.
    Finished,
    /// It was revoked.
    Yielded,
    /// A bug of ours ended its task with a panic: what it held may be in any state.
    Broken,
}

impl Claim {
    /// Nobody may listen any more.
    pub(super) fn deny(self, denial: Denial) {
        let _ = self.answer.try_send(Err(denial));
    }
}
