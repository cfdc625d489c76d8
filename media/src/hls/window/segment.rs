//! A segment as a window holds it: the chain of its parts (LL-3).

use std::sync::Arc;

use bytes::Bytes;

use crate::hls::update::{InitSection, Part, SegmentStart};
use crate::time::{MediaTime, UnixTime};

/// An open, listed or removed segment.
#[derive(Clone, Debug)]
pub(in crate::hls) struct Segment {
    pub(in crate::hls) msn: u64,
    pub(in crate::hls) start: MediaTime,
    /// End of the last part so far.
    pub(in crate::hls) end: MediaTime,
    pub(in crate::hls) date: UnixTime,
    pub(in crate::hls) discontinuity: bool,
    /// Nothing was delivered for this time (PL-19).
    pub(in crate::hls) gap: bool,
    pub(in crate::hls) init: Arc<InitSection>,
    pub(in crate::hls) parts: Vec<Part>,
}

impl Segment {
    pub(super) const fn new(begin: &SegmentStart, init: Arc<InitSection>) -> Self {
        Self {
            msn: begin.msn,
            start: begin.start,
            end: begin.start,
            date: begin.date,
            discontinuity: begin.discontinuity,
            gap: false,
            init,
            parts: Vec::new(),
        }
    }

    /// Of the parts so far.
    pub(in crate::hls) fn duration(&self) -> MediaTime {
        self.end.minus(self.start)
    }

    /// A player can begin here; nothing can be said against a gap.
    pub(super) fn is_independent(&self) -> bool {
        self.gap || self.parts.first().is_some_and(|part| part.independent)
    }

    pub(super) fn part_count(&self) -> u32 {
        u32::try_from(self.parts.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn byte_len(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes.len() as u64).sum()
    }

    /// The body: parts in order, not copied.
    pub(super) fn chunks(&self) -> Vec<Bytes> {
        self.parts.iter().map(|part| part.bytes.clone()).collect()
    }

    pub(super) fn part(&self, index: u32) -> Option<&Part> {
        self.parts.get(usize::try_from(index).ok()?)
    }
}
