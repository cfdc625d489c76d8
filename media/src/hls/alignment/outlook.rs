//! What can be told of the units to come: whoever reads the publisher need not hurry for those that
//! complete nothing.

use super::Alignment;
use crate::time::MediaTime;

/// A unit that is due may come this many of its kind early: RTMP's whole milliseconds, and a part
/// that ends with the unit before the one that would not fit.
const EARLY_UNITS: i64 = 2;

impl Alignment {
    /// Decode time of the first unit that can complete a part or a segment, as far as units come
    /// regularly. `None` when any may, and while encoders wait for each picture.
    pub(in crate::hls) fn next_due(&self) -> Option<MediaTime> {
        if self.leader.owes_cut || !self.rungs.is_empty() {
            return None;
        }
        let held = self.leader.held.as_ref()?;
        let margin = EARLY_UNITS * self.leader.expected()?.duration;
        let part = self.leader.writer.part_end(held.from);
        let pictures = self.ticks(part.min(self.leader.next_sync()?) - margin);
        match &self.follower {
            None => Some(pictures),
            Some(follower) => Some(pictures.min(follower.next_due(EARLY_UNITS)?)),
        }
    }
}
