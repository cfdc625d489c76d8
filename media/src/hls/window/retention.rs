//! Segments that left their playlist and can still be fetched (PL-12).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::segment::Segment;
use crate::hls::limits::RETAINED_SEGMENTS_MAX;
use crate::hls::names::RenditionId;
use crate::time::MediaTime;

/// Removed segments, each with the moment when nobody may ask for it any more.
#[derive(Clone, Debug, Default)]
pub(super) struct Retention {
    entries: VecDeque<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    until: Instant,
    rendition: RenditionId,
    segment: Segment,
}

impl Retention {
    /// Keeps a segment for its duration and that of the longest playlist that listed it.
    pub(super) fn keep(
        &mut self,
        now: Instant,
        rendition: RenditionId,
        segment: Segment,
        longest_playlist: MediaTime,
    ) {
        let span = segment.duration().plus(longest_playlist).millis();
        let until = now + Duration::from_millis(u64::try_from(span).unwrap_or(0));
        if self.entries.len() >= RETAINED_SEGMENTS_MAX {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { until, rendition, segment });
    }

    /// Forgets what has been kept long enough.
    pub(super) fn expire(&mut self, now: Instant) {
        self.entries.retain(|entry| entry.until > now);
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.entries.iter().map(|entry| entry.until).min()
    }

    pub(super) fn of(&self, rendition: RenditionId) -> impl Iterator<Item = &Segment> {
        self.entries.iter().filter(move |e| e.rendition == rendition).map(|e| &e.segment)
    }

    pub(super) fn byte_len(&self) -> u64 {
        self.entries.iter().map(|entry| entry.segment.byte_len()).sum()
    }
}
