//! Which renditions viewers ask for, from every shard to the broadcast.
//!
//! One word of bits. A request sets the bit of its rendition unless it is set already, which it is
//! but for once a second: the way of a request through here is one load from a line of memory that
//! all shards have in their caches.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use riverrun_media::hls::RenditionId;
use riverrun_media::ladder::RungSet;

/// See the module's text. What was asked for is of no order with anything else.
#[derive(Clone, Debug, Default)]
pub struct Demand(Arc<AtomicU32>);

impl Demand {
    /// A viewer asks for a playlist or for media of this rendition.
    pub fn note(&self, rendition: RenditionId) {
        let RenditionId::Video(variant) = rendition else { return };
        let RungSet(bit) = RungSet::of(variant);
        if self.0.load(Ordering::Relaxed) & bit != bit {
            self.0.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// What has been asked for since [`Self::take`].
    pub fn peek(&self) -> RungSet {
        RungSet(self.0.load(Ordering::Relaxed))
    }

    /// The same, and begins anew.
    pub fn take(&self) -> RungSet {
        RungSet(self.0.swap(0, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_is_told_once() {
        let demand = Demand::default();
        let shard = demand.clone();
        for rendition in [RenditionId::Video(1), RenditionId::Audio, RenditionId::Video(200)] {
            shard.note(rendition);
            shard.note(rendition);
        }
        assert_eq!(demand.peek(), RungSet::of(1));
        assert_eq!((demand.take(), demand.take()), (RungSet::of(1), RungSet::default()));
    }
}
