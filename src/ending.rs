//! How a publisher's connection ended: what the stage hears of it, and its one log line.

use std::net::SocketAddr;
use std::time::Instant;

use riverrun_media::rtmp::{self, Counters};
use riverrun_net::io::WriteError;

use crate::complaints::Complaints;
use crate::stage::Leaving;

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
pub enum Ending {
    /// It left, with or without a goodbye.
    #[error("the publisher closed the connection")]
    Closed,
    /// It broke a rule or let a deadline pass.
    #[error("the protocol was broken: {0}")]
    Protocol(#[from] rtmp::Error),
    /// Its media cannot be packaged; the sentence it was told.
    #[error("{0}")]
    Refused(String),
    /// The network to it failed.
    #[error("reading failed: {0}")]
    Read(std::io::Error),
    /// It did not take our answers.
    #[error("writing failed: {0}")]
    Write(#[from] WriteError),
    /// The shard was told to stop.
    #[error("the server stops")]
    Stopping,
    /// Somewhere in our code.
    #[error("a bug of ours: the task panicked")]
    Panicked,
}

impl Ending {
    /// What it means for the broadcast of a publisher that had, or had not, said goodbye.
    pub const fn leaving(&self, said_goodbye: bool) -> Leaving {
        match self {
            Self::Panicked => Leaving::Broken,
            Self::Refused(_) => Leaving::Finished,
            _ if said_goodbye => Leaving::Finished,
            Self::Closed | Self::Protocol(_) | Self::Read(_) | Self::Write(_) | Self::Stopping => {
                Leaving::Dropped
            }
        }
    }

    /// One line, unless a flood of them would fill the disk.
    pub fn log(
        &self,
        complaints: &Complaints,
        peer: SocketAddr,
        counters: &Counters,
        on_air: bool,
    ) {
        match self {
            Self::Closed | Self::Stopping if on_air => {
                tracing::info!(%peer, ?counters, "the publisher left");
            }
            Self::Closed | Self::Stopping => {
                tracing::debug!(%peer, "an RTMP connection ended: {self}");
            }
            Self::Panicked => tracing::error!(%peer, ?counters, "closed: {self}"),
            Self::Protocol(_) | Self::Refused(_) | Self::Read(_) | Self::Write(_) => {
                let fault = match self {
                    Self::Protocol(error) => error.fault(),
                    _ => rtmp::Fault::Peer,
                };
                if on_air || complaints.allows(Instant::now()) {
                    tracing::warn!(%peer, ?fault, ?counters, "closed: {self}");
                }
            }
        }
    }
}
