//! One rendition's part of the window: its listed segments, the open one and the rendered forms.

use std::collections::VecDeque;
use std::sync::Arc;

use super::bandwidth::Bandwidth;
use super::segment::Segment;
use crate::hls::limits::{LISTED_SEGMENTS_MAX, LISTED_SEGMENTS_MIN};
use crate::hls::names::MediaName;
use crate::hls::playlist::Snapshot;
use crate::hls::playlist::media::{Hint, RenditionReport, View};
use crate::hls::reload::Edge;
use crate::hls::update::{InitSection, Part, Rendition, SegmentEnd, SegmentStart};
use crate::time::MediaTime;

/// What one media playlist lists.
///
/// Segment numbers are consecutive: `segments[i].msn == segments[0].msn + i`, and the open segment
/// follows the last.
#[derive(Clone, Debug)]
pub(super) struct RenditionWindow {
    pub(super) rendition: Rendition,
    pub(super) segments: VecDeque<Segment>,
    pub(super) open: Option<Segment>,
    pub(super) discontinuity_sequence: u64,
    pub(super) ended: bool,
    /// It began while others were on already.
    pub(super) joins: bool,
    /// It is on offer no more.
    pub(super) leaves: bool,
    pub(super) bandwidth: Bandwidth,
    /// Number of the open segment, or of the next if none is open.
    pub(super) next_msn: u64,
    /// Duration of the longest playlist so far (PL-12).
    pub(super) longest: MediaTime,
    listed: MediaTime,
    /// The current state in each of its views, by [`View::index`].
    snapshots: [Option<Snapshot>; View::COUNT],
}

impl RenditionWindow {
    pub(super) fn new(rendition: Rendition, first_msn: u64, discontinuity_sequence: u64) -> Self {
        Self {
            leaves: !rendition.offered,
            rendition,
            segments: VecDeque::new(),
            open: None,
            discontinuity_sequence,
            ended: false,
            joins: false,
            bandwidth: Bandwidth::default(),
            next_msn: first_msn,
            longest: MediaTime::from_millis(0),
            listed: MediaTime::from_millis(0),
            snapshots: Default::default(),
        }
    }

    /// One that begins beside others: number of its first segment, and discontinuities before it.
    pub(super) fn joining(rendition: Rendition, (first_msn, before): (u64, u64)) -> Self {
        Self { joins: true, ..Self::new(rendition, first_msn, before) }
    }

    /// The next segments belong to another timeline.
    pub(super) fn replace_rendition(&mut self, rendition: Rendition) {
        (self.joins, self.leaves) = (false, !rendition.offered);
        self.rendition = rendition;
        self.forget();
    }

    pub(super) fn begin_segment(&mut self, begin: &SegmentStart) {
        if begin.msn == self.next_msn {
            self.open = Some(Segment::new(begin, self.rendition.init.clone()));
        }
    }

    pub(super) fn add_part(&mut self, part: Part) {
        let Some(open) = self.open.as_mut().filter(|open| open.msn == part.msn) else { return };
        open.push(part);
        self.forget();
    }

    pub(super) fn end_segment(&mut self, end: &SegmentEnd, target_duration: u32) {
        let Some(mut segment) = self.open.take_if(|open| open.msn == end.msn) else { return };
        segment.finish(end);
        self.bandwidth.measure(&segment, target_duration);
        self.listed = self.listed.plus(segment.duration());
        self.longest = self.longest.max(self.listed);
        self.next_msn = segment.msn + 1;
        self.segments.push_back(segment);
        self.forget();
    }

    pub(super) fn end(&mut self) {
        self.ended = true;
        self.forget();
    }

    /// Takes the oldest segment off the playlist, if the rest still covers `rewind` and what every
    /// player may count on (PL-11).
    pub(super) fn remove_oldest(
        &mut self,
        rewind: MediaTime,
        minimum: MediaTime,
    ) -> Option<Segment> {
        let oldest = self.segments.front()?.duration();
        let rest = self.listed.minus(oldest);
        let long_enough =
            rest >= rewind && rest >= minimum && self.segments.len() > LISTED_SEGMENTS_MIN;
        if !long_enough && self.segments.len() <= LISTED_SEGMENTS_MAX {
            return None;
        }
        let segment = self.segments.pop_front()?;
        self.discontinuity_sequence += u64::from(segment.discontinuity);
        self.listed = rest;
        self.forget();
        Some(segment)
    }

    /// The current state, if it was rendered in this view.
    pub(super) fn rendered(&self, view: View) -> Option<&Snapshot> {
        self.snapshots[view.index()].as_ref()
    }

    pub(super) fn keep(&mut self, view: View, snapshot: &Snapshot) {
        self.snapshots[view.index()] = Some(snapshot.clone());
    }

    /// The state changed: no view of it is current.
    fn forget(&mut self) {
        self.snapshots = Default::default();
    }

    pub(super) fn edge(&self, view: View) -> Edge {
        let open_parts = self.open.as_ref().map_or(0, Segment::part_count);
        Edge {
            open_msn: self.next_msn,
            open_parts,
            last_parts: self.segments.back().map_or(0, Segment::part_count),
            listed: !self.segments.is_empty() || (open_parts > 0 && !view.plain),
            playable: !self.segments.is_empty(),
            ended: self.ended,
        }
    }

    /// The open segment, if it has a part to list.
    pub(super) fn listed_open(&self) -> Option<&Segment> {
        self.open.as_ref().filter(|open| open.part_count() > 0)
    }

    /// The part that will come next: the first of the next segment, if the open one is expected to
    /// have its last. Where that was wrong, the next part corrects the hint.
    pub(super) fn hint(&self) -> Hint {
        let going_on = self.open.as_ref().filter(|open| !open.has_last_part());
        let part = going_on.map_or(0, Segment::part_count);
        let msn = self.next_msn + u64::from(self.open.is_some() && going_on.is_none());
        let newest = self.listed_open().or_else(|| self.segments.back());
        let init = self.rendition.init.msn;
        let new_init = newest.is_none_or(|segment| segment.init.msn != init).then_some(init);
        Hint { msn, part, new_init }
    }

    pub(super) fn report(&self, view: View) -> Option<RenditionReport> {
        let open = self.listed_open().filter(|_| !view.plain);
        // LAST-PART must be told, and a gap has no part.
        let has_part = |segment: &&Segment| view.plain || segment.part_count() > 0;
        let whole = || self.segments.iter().rev().find(has_part);
        let newest = open.or_else(whole).or_else(|| self.segments.back())?;
        Some(RenditionReport {
            rendition: self.rendition.id,
            last_msn: newest.msn,
            last_part: newest.part_count().checked_sub(1).filter(|_| !view.plain),
        })
    }

    /// Every listed segment starts with a sync sample (PL-17).
    pub(super) fn is_independent(&self) -> bool {
        self.segments.iter().chain(self.listed_open()).all(Segment::is_independent)
    }

    /// Discontinuities up to the newest segment.
    pub(super) fn discontinuities(&self) -> u64 {
        let listed = self.segments.iter().chain(&self.open).filter(|s| s.discontinuity).count();
        self.discontinuity_sequence + listed as u64
    }

    /// A listed or open segment.
    pub(super) fn segment(&self, msn: u64) -> Option<&Segment> {
        if let Some(open) = self.open.as_ref().filter(|open| open.msn == msn) {
            return Some(open);
        }
        let first = self.segments.front()?.msn;
        self.segments.get(usize::try_from(msn.checked_sub(first)?).ok()?)
    }

    /// An init section that a listed segment or the next part uses.
    pub(super) fn init(&self, msn: u64) -> Option<&Arc<InitSection>> {
        let segments = self.segments.iter().chain(&self.open).map(|segment| &segment.init);
        std::iter::once(&self.rendition.init).chain(segments).find(|init| init.msn == msn)
    }

    /// The part is the one that the playlist hints at (LL-11).
    pub(super) fn is_hinted(&self, name: MediaName) -> bool {
        let hint = self.hint();
        !self.ended && name == MediaName::Part { msn: hint.msn, index: hint.part }
    }

    /// Media listed, in bytes.
    pub(super) fn byte_len(&self) -> u64 {
        self.segments.iter().chain(&self.open).map(Segment::byte_len).sum()
    }

    /// Media listed, without the open segment.
    pub(super) const fn duration(&self) -> MediaTime {
        self.listed
    }
}
