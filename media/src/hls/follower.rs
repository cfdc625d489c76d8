//! The track that adjusts to the other one's segments: audio beside video (AL-5).
//!
//! Units wait in a queue until it is known which segment they belong to and how long they last.
//! [`super::alignment`] knows the first; the next unit tells the second, or the rhythm of those
//! before when the unit fills its part or ends its segment.

use std::collections::VecDeque;

use super::alignment::{TrackWriter, is_placeable};
use super::limits::{QUEUED_UNITS_MAX, SKEW_MAX};
use super::rendition_writer::RenditionWriter;
use super::rhythm::Rhythm;
use super::update::Update;
use crate::access_unit::{AccessUnit, TrackKind};
use crate::time::MediaTime;

/// Units of sound that must have lasted equally long before one is written without its successor.
const STEADY_UNITS: usize = 6;

/// What is known of the leader's next unit before it comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Horizon {
    /// No segment begins before this time but those that have been told.
    pub(super) decided: MediaTime,
    /// Where the unit should stand.
    pub(super) next: MediaTime,
    /// Whether it should begin a segment; `None` when that is open.
    pub(super) cuts: Option<bool>,
    /// Where the unit behind it should stand, of which nothing is known.
    pub(super) unknown: MediaTime,
}

/// Units in, parts out.
#[derive(Debug)]
pub(super) struct Follower {
    kind: TrackKind,
    writer: RenditionWriter,
    /// Usual duration of a unit in track ticks.
    unit_duration: i64,
    durations: Rhythm<STEADY_UNITS>,
    newest: Option<i64>,
    queue: VecDeque<AccessUnit>,
    /// Starts of the leader's segments that this track has not reached.
    boundaries: VecDeque<MediaTime>,
    /// The leader's time when the last unit arrived.
    last_arrival: MediaTime,
}

impl Follower {
    /// `start` is the output time at which the timeline begins.
    pub(super) fn new(track: TrackWriter, start: MediaTime) -> Self {
        Self {
            kind: track.kind,
            writer: track.writer,
            unit_duration: track.unit_duration,
            durations: Rhythm::new(),
            newest: None,
            queue: VecDeque::new(),
            boundaries: VecDeque::new(),
            last_arrival: start,
        }
    }

    /// Queues a unit; drops it and gives `false` when its time is already covered.
    pub(super) fn push(&mut self, unit: AccessUnit, leader_time: Option<MediaTime>) -> bool {
        let dts = unit.dts.ticks();
        let newest = self.queue.back().map_or(i64::MIN, |unit| unit.dts.ticks());
        if !is_placeable(&unit) || dts <= newest || dts < self.writer.end() {
            return false;
        }
        if let Some(newest) = self.newest.replace(dts) {
            self.durations.observe(dts.saturating_sub(newest));
        }
        self.last_arrival = leader_time.unwrap_or(self.last_arrival);
        self.queue.push_back(unit);
        true
    }

    /// The leader's next segment begins at this time.
    pub(super) fn add_boundary(&mut self, boundary: MediaTime) {
        self.boundaries.push_back(boundary);
    }

    /// See [`RenditionWriter::begin_with`].
    pub(super) fn begin_with(&mut self, other: MediaTime) {
        self.writer.begin_with(other);
    }

    /// A timeline begins with the leader's first unit; sound that waited for it, or comes behind
    /// it, and ends before is not worth a segment that begins earlier.
    pub(super) fn drop_before_start(&mut self) {
        if self.writer.segment_start().is_some() {
            return;
        }
        let Some(start) = self.writer.origin() else { return };
        let unit = self.time(self.unit_duration);
        while self.queue.front().is_some_and(|front| front.pts.plus(unit) <= start) {
            self.queue.pop_front();
        }
    }

    /// Ends the segments that the next unit lies behind, whether it has come or not. A boundary
    /// further away than TARGETDURATION is as good as there.
    pub(super) fn cross_boundaries(&mut self, limit: MediaTime, out: &mut VecDeque<Update>) {
        while let Some(boundary) = self.boundaries.front() {
            let (next, decodes) = match self.queue.front() {
                Some(front) => (front.pts, front.dts),
                None if !self.writer.is_segment_empty() => {
                    let end = self.time(self.writer.end());
                    (end, end)
                }
                None => return,
            };
            let lasts = self.segment_start().map(|start| decodes.minus(start));
            if next < *boundary && lasts.is_none_or(|lasts| lasts < limit) {
                return;
            }
            self.end_segment(limit, out);
        }
    }

    /// Writes the first unit of the queue, which belongs to the open segment, if its duration is
    /// known or can be told. Closes the part before it even if not, when it cannot hold the unit.
    pub(super) fn emit_front_if_known(
        &mut self,
        limit: MediaTime,
        horizon: Option<Horizon>,
        out: &mut VecDeque<Update>,
    ) -> bool {
        self.writer.close_full_part(self.unit_duration, out);
        if self.queue.len() >= 2 {
            self.emit_front(limit, out);
            return true;
        }
        self.emit_early(horizon, out)
    }

    /// Writes the only unit of the queue if its part or its segment is full with it.
    fn emit_early(&mut self, horizon: Option<Horizon>, out: &mut VecDeque<Update>) -> bool {
        let (Some(unit), Some(duration)) = (self.queue.front(), self.durations.expected(0)) else {
            return false;
        };
        let (from, until) = (self.decoded_from(unit.dts.ticks()), unit.dts.ticks() + duration);
        let end = self.time(until);
        let behind = self.boundaries.front().is_some_and(|boundary| end >= *boundary);
        let at_next = horizon.filter(|horizon| end >= horizon.next);
        // A rung with fewer pictures than the source may end behind the leader's next unit.
        let unsure = at_next.is_some_and(|horizon| match horizon.cuts {
            None => true,
            Some(cuts) => !cuts && end >= horizon.unknown,
        });
        let full = self.writer.is_filled_by(from, until, duration);
        let regular = duration == self.unit_duration && from >= self.writer.end();
        if !regular || unsure || !(full || behind) {
            return false;
        }
        let Some(unit) = self.queue.pop_front() else { return false };
        self.writer.append(unit, from, until, out);
        if full && !behind {
            let cuts = at_next.and_then(|horizon| horizon.cuts).unwrap_or(false);
            self.writer.close_part_early(cuts, out);
        }
        true
    }

    /// A track that has delivered nothing for a while does not hold back its segments: the last
    /// unit stands until the boundary.
    pub(super) fn release_if_silent(
        &mut self,
        leader_time: MediaTime,
        limit: MediaTime,
        out: &mut VecDeque<Update>,
    ) {
        while let Some(boundary) = self.boundaries.front() {
            let since = self.last_arrival.max(*boundary);
            if leader_time.minus(since) < SKEW_MAX {
                return;
            }
            while !self.queue.is_empty() {
                self.emit_front(limit, out);
            }
            self.end_segment(limit, out);
        }
    }

    /// Takes the next unit away if it lies more than `limit` behind what was written: no segment
    /// can cover the pause.
    pub(super) fn take_front_after_jump(&mut self, limit: MediaTime) -> Option<AccessUnit> {
        self.writer.segment_start()?;
        let pause = self.queue.front()?.dts.minus(self.time(self.writer.end()));
        if pause > limit { self.queue.pop_front() } else { None }
    }

    /// Takes the units from `carry_from` on, which belong to the next timeline.
    pub(super) fn split_off(&mut self, carry_from: Option<MediaTime>) -> Vec<AccessUnit> {
        let first = carry_from.and_then(|from| self.queue.iter().position(|unit| unit.pts >= from));
        first.map_or_else(Vec::new, |first| self.queue.split_off(first).into())
    }

    /// Writes everything, without waiting for the leader. What would exceed TARGETDURATION ran
    /// ahead of a leader that never came and is dropped.
    pub(super) fn drain(&mut self, limit: MediaTime, out: &mut VecDeque<Update>) {
        loop {
            self.cross_boundaries(limit, out);
            let Some(front) = self.queue.front() else { break };
            let start = self.segment_start().unwrap_or(front.dts);
            if front.dts.minus(start) > limit {
                self.queue.clear();
                break;
            }
            self.emit_front(limit, out);
        }
        while !self.boundaries.is_empty() {
            self.end_segment(limit, out);
        }
    }

    pub(super) const fn kind(&self) -> TrackKind {
        self.kind
    }

    pub(super) const fn writer(&self) -> &RenditionWriter {
        &self.writer
    }

    pub(super) const fn writer_mut(&mut self) -> &mut RenditionWriter {
        &mut self.writer
    }

    /// Presentation time of the next unit.
    pub(super) fn front(&self) -> Option<MediaTime> {
        self.queue.front().map(|unit| unit.pts)
    }

    /// Decode time of the first unit that can complete a part, if units come regularly; such a one
    /// may come `early_units` early.
    pub(super) fn next_due(&self, early_units: i64) -> Option<MediaTime> {
        self.writer.segment_start().filter(|_| self.boundaries.is_empty())?;
        let unit = self.durations.expected(0)?;
        Some(self.time(self.writer.part_end(self.writer.end()) - early_units * unit))
    }

    /// Decode time of the newest unit that came.
    pub(super) fn heard(&self) -> Option<MediaTime> {
        self.newest.map(|newest| self.time(newest))
    }

    /// The next unit has waited long enough for the leader (TS-8).
    pub(super) fn is_too_far_ahead(&self) -> bool {
        let (Some(front), Some(back)) = (self.queue.front(), self.queue.back()) else {
            return false;
        };
        back.pts.minus(front.pts) >= SKEW_MAX || self.queue.len() > QUEUED_UNITS_MAX
    }

    /// The open segment has something, and lasts `target` when the next unit begins.
    pub(super) fn is_due(&self, target: MediaTime) -> bool {
        let (Some(front), Some(start)) = (self.queue.front(), self.segment_start()) else {
            return false;
        };
        !self.writer.is_segment_empty() && front.dts.minus(start) >= target
    }

    /// The open segment has lasted for `limit` when the next unit begins, and the leader has not
    /// ended it.
    pub(super) fn is_overdue(&self, limit: MediaTime) -> bool {
        let (Some(front), Some(start)) = (self.queue.front(), self.aligned_start()) else {
            return false;
        };
        front.dts.minus(start) >= limit
    }

    /// With the next unit the open segment would last longer than `limit`, counted from `other` if
    /// that is earlier.
    pub(super) fn exceeds(&self, limit: MediaTime, other: Option<MediaTime>) -> bool {
        let (Some(front), Some(start)) = (self.queue.front(), self.segment_start()) else {
            return false;
        };
        let start = other.map_or(start, |other| other.min(start));
        front.dts.plus(self.time(self.unit_duration)).minus(start) > limit
    }

    /// Start of the segment that is open in both tracks.
    pub(super) fn aligned_start(&self) -> Option<MediaTime> {
        self.segment_start().filter(|_| self.boundaries.is_empty())
    }

    fn segment_start(&self) -> Option<MediaTime> {
        self.writer.segment_start().map(|start| self.time(start))
    }

    /// Ends the open segment at the next boundary. If its last unit was written early and nothing
    /// came behind it, the clock runs on to there, but not past TARGETDURATION.
    fn end_segment(&mut self, limit: MediaTime, out: &mut VecDeque<Update>) {
        let Some(boundary) = self.boundaries.pop_front() else { return };
        let end = boundary.rescale(self.writer.timescale()).ticks();
        // Rounding must not let a gap reach into the unit that ends it.
        let front = self.queue.front().map_or(end, |front| front.dts.ticks());
        let end = end.min(front);
        if let Some(start) = self.writer.segment_start().filter(|_| !self.writer.is_segment_empty())
        {
            let longest = start.saturating_add(limit.rescale(self.writer.timescale()).ticks());
            let stands = end.min(longest);
            if stands.saturating_sub(self.writer.end()) > self.unit_duration {
                self.writer.reach(stands, out);
            }
        }
        self.writer.close_segment(end, out);
    }

    /// Writes the first unit of the queue. It lasts until the next one, but if that is a pause,
    /// neither past the boundary where its segment ends nor past TARGETDURATION.
    fn emit_front(&mut self, limit: MediaTime, out: &mut VecDeque<Update>) {
        let Some(unit) = self.queue.pop_front() else { return };
        let dts = unit.dts.ticks();
        let timescale = self.writer.timescale();
        let usual = self.unit_duration;
        let start = self.writer.segment_start().unwrap_or(dts);
        let room = start.saturating_add(limit.rescale(timescale).ticks()) - dts;
        let until_boundary = self.boundaries.front().map(|b| b.rescale(timescale).ticks() - dts);
        let until_next = self.queue.front().map(|next| next.dts.ticks() - dts);
        let duration = match (until_next, until_boundary) {
            (Some(next), Some(boundary)) if next > boundary + usual => boundary.max(usual),
            (Some(next), _) => next,
            (None, boundary) => boundary.map_or(usual, |boundary| boundary.max(usual)),
        };
        let duration = if duration > usual { duration.min(room).max(usual) } else { duration };
        let from = self.decoded_from(dts);
        self.writer.append(unit, from, dts.saturating_add(duration), out);
    }

    /// Where a picture of this decode time is decoded: a little earlier when the one before was
    /// said to end there, so that decode times have no hole; it is shown at its own time (CM-7, and
    /// the module's text of [`super::leader`]). Longer pauses are the writer's.
    fn decoded_from(&self, dts: i64) -> i64 {
        let decoded = self.writer.decoded();
        let is_small = decoded < dts && dts.saturating_sub(decoded) <= self.unit_duration;
        if self.kind == TrackKind::Video && is_small { decoded } else { dts }
    }

    const fn time(&self, ticks: i64) -> MediaTime {
        MediaTime::new(ticks, self.writer.timescale())
    }
}
