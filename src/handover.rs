//! How a shard that starts beside a running broadcast comes to show it (F37).
//!
//! Each update carries a [`Stamp`]. A new shard takes a copy of a neighbour's [`Handover`], then
//! goes on with its own queue: [`Progress`] tells which of the queued updates the copy holds
//! already, and whether any is missing. Stamps are also the fence against a publisher that was
//! given up: what it still sends when its stuck shard comes round is older than the word that ended
//! it.

use std::sync::Arc;

use riverrun_media::hls::{RenditionId, Timeline, Window};
use riverrun_media::still::Stills;

use crate::shard::Facts;
use crate::statistics::Counts;

/// The place of an update: in which broadcast, and after how many others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Stamp {
    /// Number of the broadcast: its first media sequence number. Rises with each (PL-6).
    pub broadcast: u64,
    /// Updates of the broadcast before this one.
    pub step: u64,
}

/// What a shard copies from its neighbour.
pub struct Handover {
    /// How far the neighbour has come.
    pub progress: Progress,
    /// What is on offer.
    pub window: Window,
    /// See [`Facts`].
    pub facts: Facts,
    /// Its last pictures, and the broadcast they are of.
    pub stills: Option<(u64, Arc<Stills>)>,
    /// Tracks of what is on.
    pub timeline: Option<Arc<Timeline>>,
    /// How many watch.
    pub counts: Counts,
    /// See `Shard::presentation`.
    pub presentation: u64,
    /// Renditions of the timeline that began last.
    pub offered: Vec<RenditionId>,
}

/// What to do with an update.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is the next.
    Apply,
    /// The window holds it already, or its broadcast is over.
    Old,
    /// Others before it have not been seen.
    Gap,
}

/// How far a shard has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Progress {
    broadcast: u64,
    /// The step that comes next; [`u64::MAX`] once the broadcast was given up.
    next: u64,
}

impl Progress {
    /// Number of the latest broadcast that is known.
    #[must_use]
    pub const fn broadcast(&self) -> u64 {
        self.broadcast
    }

    /// What to do with the update that bears `stamp`.
    #[must_use]
    pub const fn judge(&self, stamp: Stamp) -> Verdict {
        if stamp.broadcast < self.broadcast {
            return Verdict::Old;
        }
        let next = if stamp.broadcast == self.broadcast { self.next } else { 0 };
        if stamp.step == next {
            Verdict::Apply
        } else if stamp.step < next {
            Verdict::Old
        } else {
            Verdict::Gap
        }
    }

    /// The update that bears `stamp` has been applied.
    pub const fn note(&mut self, stamp: Stamp) {
        *self = Self { broadcast: stamp.broadcast, next: stamp.step + 1 };
    }

    /// Whatever this broadcast still sends is old; whether it was the latest that is known.
    pub const fn give_up(&mut self, broadcast: u64) -> bool {
        let is_latest = broadcast >= self.broadcast;
        if is_latest {
            *self = Self { broadcast, next: u64::MAX };
        }
        is_latest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(broadcast: u64, step: u64) -> Stamp {
        Stamp { broadcast, step }
    }

    #[test]
    fn updates_are_taken_once_in_order_and_a_gap_is_seen() {
        let mut progress = Progress::default();
        for (stamp, verdict) in [
            (at(7, 1), Verdict::Gap),
            (at(7, 0), Verdict::Apply),
            (at(7, 0), Verdict::Old),
            (at(7, 2), Verdict::Gap),
            (at(7, 1), Verdict::Apply),
            (at(4_103, 1), Verdict::Gap),
            (at(4_103, 0), Verdict::Apply),
            (at(7, 2), Verdict::Old),
        ] {
            assert_eq!(progress.judge(stamp), verdict, "{stamp:?} after {progress:?}");
            if verdict == Verdict::Apply {
                progress.note(stamp);
            }
        }
    }

    #[test]
    fn a_broadcast_that_was_given_up_stays_silent() {
        let mut progress = Progress::default();
        progress.note(at(7, 0));
        assert!(progress.give_up(7));
        assert_eq!(progress.judge(at(7, 1)), Verdict::Old, "a stuck publisher that came round");
        assert_eq!(progress.judge(at(8, 0)), Verdict::Apply);
        progress.note(at(8, 0));
        assert!(!progress.give_up(7), "the next one is on already");
        assert_eq!(progress.judge(at(8, 1)), Verdict::Apply);
    }

    #[test]
    fn a_handover_crosses_shards() {
        const fn crosses<T: Send + 'static>() {}
        crosses::<Handover>();
    }
}
