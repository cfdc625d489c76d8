//! Two tracks, one sequence of segments (AL-4, AL-5, TS-8).
//!
//! The leader (video if there is any) decides where segments begin; the follower (audio beside
//! video) begins each at its first unit that is not presented before the leader's boundary. A unit
//! of the leader is held until the next one tells its duration (CM-8), and the next one also tells
//! whether the segment ends, so that the preload hint names the part that really comes (LL-10).
//!
//! Neither track may hold up the other (TS-8):
//!
//! | what happens | what follows |
//! |---|---|
//! | audio is ahead of video by less than a second | it waits, so that boundaries agree |
//! | ... by more | it is packaged; the next boundary falls where audio then is |
//! | video stays away until the audio segment reaches TARGETDURATION | its last picture is extended to there, both segments end, and video's next segments are gaps until it returns (PL-19) |
//! | audio stays away for a second after a boundary | its last unit is extended to the boundary; segments without any audio are gaps |
//! | both stay away for more than TARGETDURATION | a new timeline: [`TimelineBreak`] |

use std::collections::VecDeque;

use super::cutter::{Cutter, OpenSegment};
use super::limits::{QUEUED_UNITS_MAX, SKEW_MAX};
use super::rendition_writer::RenditionWriter;
use super::update::Update;
use crate::access_unit::{AccessUnit, TrackKind};
use crate::time::MediaTime;

/// The leader's times jumped by more than a segment may last; the unit begins a new timeline.
#[derive(Debug)]
pub(super) struct TimelineBreak(pub(super) AccessUnit);

/// The tracks of one timeline.
#[derive(Debug)]
pub(super) struct Alignment {
    leader: Leader,
    follower: Option<Follower>,
    cutter: Cutter,
    target: MediaTime,
    /// TARGETDURATION.
    limit: MediaTime,
    keyframes_too_rare: bool,
}

/// A writer and how long its units usually last.
#[derive(Debug)]
pub(super) struct TrackWriter {
    pub(super) kind: TrackKind,
    pub(super) writer: RenditionWriter,
    /// Track ticks.
    pub(super) unit_duration: i64,
}

#[derive(Debug)]
struct Leader {
    kind: TrackKind,
    writer: RenditionWriter,
    /// The newest unit: its duration is not known yet.
    held: Option<AccessUnit>,
    /// Duration of the unit before, in track ticks.
    last_duration: i64,
    /// Presentation minus decode time of the last sync unit, in track ticks: what remains of a
    /// reorder delay.
    sync_offset: i64,
    awaits_sync: bool,
}

#[derive(Debug)]
struct Follower {
    kind: TrackKind,
    writer: RenditionWriter,
    unit_duration: i64,
    queue: VecDeque<AccessUnit>,
    /// Starts of the leader's segments that this track has not reached.
    boundaries: VecDeque<MediaTime>,
    /// The leader's time when the last unit arrived.
    last_arrival: MediaTime,
}

impl Alignment {
    /// Lengths in any unit; `start` is the output time of the first unit.
    pub(super) fn new(
        target: MediaTime,
        limit: MediaTime,
        start: MediaTime,
        leader: TrackWriter,
        follower: Option<TrackWriter>,
    ) -> Self {
        let timescale = leader.writer.timescale();
        Self {
            cutter: Cutter::new(target, limit, |time| time.rescale(timescale).ticks()),
            leader: Leader {
                kind: leader.kind,
                writer: leader.writer,
                held: None,
                last_duration: leader.unit_duration,
                sync_offset: 0,
                awaits_sync: true,
            },
            follower: follower.map(|track| Follower {
                kind: track.kind,
                writer: track.writer,
                unit_duration: track.unit_duration,
                queue: VecDeque::new(),
                boundaries: VecDeque::new(),
                last_arrival: start,
            }),
            target,
            limit,
            keyframes_too_rare: false,
        }
    }

    /// Takes the next unit of either track; units of a track that is not there are dropped, as are
    /// units that come too late to be placed.
    pub(super) fn push(
        &mut self,
        unit: AccessUnit,
        out: &mut VecDeque<Update>,
    ) -> Result<(), TimelineBreak> {
        if unit.track == self.leader.kind {
            self.push_leader(in_timescale(unit, &self.leader.writer), out)?;
        } else {
            let now = self.leader_time();
            let Some(follower) = self.follower.as_mut().filter(|f| f.kind == unit.track) else {
                return Ok(());
            };
            follower.push(in_timescale(unit, &follower.writer), now);
        }
        self.flow(out);
        self.release_silent_follower(out);
        Ok(())
    }

    /// Ends the timeline: writes every unit held and closes both segments at the same number. Returns
    /// the follower's units from `carry_from` on, which belong to the next timeline.
    pub(super) fn finish(
        &mut self,
        carry_from: Option<MediaTime>,
        out: &mut VecDeque<Update>,
    ) -> Vec<AccessUnit> {
        if let Some(held) = self.leader.held.take() {
            self.emit(held, self.leader.last_duration, out);
        }
        let Some(mut follower) = self.follower.take() else {
            if !self.leader.writer.is_segment_empty() {
                self.leader.writer.close_segment(self.leader.writer.end(), out);
            }
            return Vec::new();
        };
        let carried = follower.split_off(carry_from);
        follower.drain(self.limit, out);
        if let Some(start) = follower.aligned_start() {
            self.leader.writer.begin_with(start);
        }
        let (leader, other) = (&mut self.leader.writer, &mut follower.writer);
        if !leader.is_segment_empty() || !other.is_segment_empty() {
            let longest = |writer: &RenditionWriter| {
                let start = writer.segment_start().map(|t| MediaTime::new(t, writer.timescale()));
                start.map(|start| start.plus(self.limit))
            };
            let until = |writer: &RenditionWriter, end: MediaTime| {
                let end = longest(writer).map_or(end, |longest| longest.min(end));
                end.rescale(writer.timescale()).ticks()
            };
            let leader_end = MediaTime::new(leader.end(), leader.timescale());
            let other_end = MediaTime::new(other.end(), other.timescale());
            leader.close_segment(until(leader, other_end), out);
            other.close_segment(until(other, leader_end), out);
        }
        self.follower = Some(follower);
        carried
    }

    /// The writers, for the numbers that go on in the next timeline.
    pub(super) fn writers(&self) -> impl Iterator<Item = &RenditionWriter> {
        std::iter::once(&self.leader.writer).chain(self.follower.iter().map(|f| &f.writer))
    }

    fn push_leader(
        &mut self,
        unit: AccessUnit,
        out: &mut VecDeque<Update>,
    ) -> Result<(), TimelineBreak> {
        if self.leader.drops(&unit) {
            return Ok(());
        }
        let dts = unit.dts.ticks();
        match self.leader.held.take() {
            Some(held) => {
                let duration = dts - held.dts.ticks();
                if duration > self.cutter.limit() {
                    self.leader.held = Some(held);
                    return Err(TimelineBreak(unit));
                }
                self.emit(held, duration, out);
                self.leader.last_duration = duration;
            }
            None => {
                if self.missing_before(dts) > self.cutter.limit() {
                    return Err(TimelineBreak(unit));
                }
                self.end_gap(&unit, out);
            }
        }
        self.decide_cut(&unit, out);
        if let Some(follower) = &mut self.follower {
            follower.writer.begin_with(unit.pts);
        }
        self.leader.held = Some(unit);
        Ok(())
    }

    /// Ends the segment or the part before `unit`, if it begins a new one.
    fn decide_cut(&mut self, unit: &AccessUnit, out: &mut VecDeque<Update>) {
        let dts = unit.dts.ticks();
        let interval = self.cutter.observe(dts, unit.sync);
        if let Some(interval) = interval.filter(|_| !self.keyframes_too_rare) {
            self.keyframes_too_rare = true;
            let interval = MediaTime::new(interval, self.leader.writer.timescale());
            out.push_back(Update::KeyframesTooRare { interval });
        }
        let usual = self.leader.last_duration;
        let cuts = self
            .open_segment()
            .is_some_and(|open| self.cutter.cuts_before(open, dts, unit.sync, usual));
        if cuts {
            self.cut(self.leader.boundary(unit), dts, out);
        } else if unit.sync && self.leader.kind == TrackKind::Video {
            self.leader.writer.close_part(out);
        } else {
            self.leader.writer.close_full_part(usual, out);
        }
    }

    /// Writes a unit of the leader. If it turned out to last longer than expected, so long that the
    /// segment would exceed TARGETDURATION, it begins the next one.
    fn emit(&mut self, unit: AccessUnit, duration: i64, out: &mut VecDeque<Update>) {
        let dts = unit.dts.ticks();
        let overflows = self.open_segment().is_some_and(|open| {
            dts > open.start && dts + duration - open.earliest > self.cutter.limit()
        });
        if overflows {
            self.cut(self.leader.boundary(&unit), dts, out);
        }
        if unit.sync {
            self.leader.sync_offset = unit.pts.minus(unit.dts).ticks();
        }
        self.leader.writer.append(unit, duration, out);
    }

    /// Ends the leader's segment at `dts`; the follower's will end at `boundary`.
    fn cut(&mut self, boundary: MediaTime, dts: i64, out: &mut VecDeque<Update>) {
        self.leader.writer.close_segment(dts, out);
        if let Some(follower) = &mut self.follower {
            follower.boundaries.push_back(boundary);
        }
    }

    /// The leader comes late, or returns after segments were ended without it: what is missing up to
    /// `unit` is a gap, unless it is less than a part, or little enough to begin the first segment
    /// later than the follower.
    fn end_gap(&mut self, unit: &AccessUnit, out: &mut VecDeque<Update>) {
        let dts = unit.dts.ticks();
        let writer = &self.leader.writer;
        let began = writer.segment_start().is_some();
        let bearable = if began { writer.part_target() } else { self.cutter.target() };
        if self.missing_before(dts) > bearable {
            self.begin_leader_with_follower();
            self.cut(self.leader.boundary(unit), dts, out);
        }
    }

    /// Leader ticks between the end of what was written and `dts`.
    fn missing_before(&self, dts: i64) -> i64 {
        let writer = &self.leader.writer;
        if writer.segment_start().is_some() {
            return dts - writer.end();
        }
        let other = self.follower.as_ref().and_then(Follower::aligned_start);
        other.map_or(0, |start| dts - start.rescale(writer.timescale()).ticks())
    }

    /// A gap at the leader's beginning covers the time from the follower's first unit.
    fn begin_leader_with_follower(&mut self) {
        if let Some(start) = self.follower.as_ref().and_then(Follower::aligned_start) {
            self.leader.writer.begin_with(start);
        }
    }

    /// The leader's open segment, unless it has nothing.
    fn open_segment(&self) -> Option<OpenSegment> {
        let writer = &self.leader.writer;
        if writer.is_segment_empty() {
            return None;
        }
        let start = writer.segment_start()?;
        let follower = self.follower.as_ref().and_then(Follower::aligned_start);
        let other = follower.map(|start| start.rescale(writer.timescale()).ticks());
        Some(OpenSegment {
            start,
            earliest: other.map_or(start, |other| other.min(start)),
            independent: writer.is_segment_independent(),
        })
    }

    /// Boundaries before this time are decided.
    fn leader_time(&self) -> Option<MediaTime> {
        self.leader.held.as_ref().map(|unit| self.leader.boundary(unit))
    }

    /// Writes the follower's units whose segment is known.
    fn flow(&mut self, out: &mut VecDeque<Update>) {
        loop {
            let now = self.leader_time();
            let limit = self.limit;
            let Some(follower) = &mut self.follower else { return };
            if let (None, Some(now)) = (self.leader.writer.segment_start(), now) {
                follower.drop_before_start(now);
            }
            follower.cross_boundaries(out);
            let Some(front) = follower.queue.front() else { return };
            if now.is_none_or(|now| front.pts >= now) {
                if !follower.is_too_far_ahead() {
                    return;
                }
                let at = front.pts;
                if self.must_cut_without_leader() {
                    self.cut_without_leader(at, out);
                    continue;
                }
            }
            let Some(follower) = &mut self.follower else { return };
            follower.writer.close_full_part(follower.unit_duration, out);
            if follower.queue.len() < 2 {
                return;
            }
            follower.emit_front(limit, out);
        }
    }

    /// The follower's next unit, ahead of the leader, does not fit into the open segment.
    fn must_cut_without_leader(&self) -> bool {
        let Some(follower) = &self.follower else { return false };
        let Some(front) = follower.queue.front() else { return false };
        let Some(start) = follower.writer.segment_start() else { return false };
        let start = MediaTime::new(start, follower.writer.timescale());
        let leader_waits = self.leader.held.is_none() && self.leader.writer.is_segment_empty();
        if leader_waits {
            return !follower.writer.is_segment_empty() && front.dts.minus(start) >= self.target;
        }
        let leader_start = self.leader.writer.segment_start();
        let leader_start = leader_start.map(|t| MediaTime::new(t, self.leader.writer.timescale()));
        let start = leader_start.map_or(start, |leader_start| leader_start.min(start));
        let unit = MediaTime::new(follower.unit_duration, follower.writer.timescale());
        front.dts.plus(unit).minus(start) > self.limit
    }

    /// Ends the open segments at `at` although the leader has not come so far.
    fn cut_without_leader(&mut self, at: MediaTime, out: &mut VecDeque<Update>) {
        let at_ticks = at.rescale(self.leader.writer.timescale()).ticks();
        self.begin_leader_with_follower();
        if let Some(held) = self.leader.held.take() {
            let stands = at_ticks - held.dts.ticks();
            let duration = stands
                .clamp(self.leader.last_duration.min(self.cutter.limit()), self.cutter.limit());
            self.emit(held, duration, out);
        }
        self.cut(at, at_ticks, out);
    }

    /// A follower that has delivered nothing for a while does not hold back its segments.
    fn release_silent_follower(&mut self, out: &mut VecDeque<Update>) {
        let Some(now) = self.leader_time() else { return };
        let Some(follower) = &mut self.follower else { return };
        while let Some(boundary) = follower.boundaries.front().copied() {
            let waited = now.minus(boundary).min(now.minus(follower.last_arrival));
            if waited < SKEW_MAX {
                return;
            }
            while !follower.queue.is_empty() {
                follower.emit_front(self.limit, out);
            }
            follower.end_segment_at(boundary, out);
        }
    }
}

impl Leader {
    /// Whether the unit cannot be used: it came after its time was given up, or nothing before it
    /// can be decoded.
    fn drops(&mut self, unit: &AccessUnit) -> bool {
        let dts = unit.dts.ticks();
        let too_late = match &self.held {
            Some(held) => dts <= held.dts.ticks(),
            None => dts < self.writer.end(),
        };
        if dts < 0 || too_late {
            self.awaits_sync = true;
            return true;
        }
        self.awaits_sync &= !unit.sync;
        self.awaits_sync
    }

    /// Presentation time at which a segment that begins with this unit begins.
    fn boundary(&self, unit: &AccessUnit) -> MediaTime {
        if unit.sync {
            return unit.pts;
        }
        MediaTime::new(unit.dts.ticks().saturating_add(self.sync_offset), unit.dts.timescale())
    }
}

impl Follower {
    fn push(&mut self, unit: AccessUnit, leader_time: Option<MediaTime>) {
        let dts = unit.dts.ticks();
        let newest = self.queue.back().map_or(i64::MIN, |unit| unit.dts.ticks());
        if dts < 0 || dts <= newest || dts < self.writer.end() {
            return;
        }
        if let Some(now) = leader_time {
            self.last_arrival = now;
        }
        self.queue.push_back(unit);
    }

    /// Start of the segment that is open in both tracks.
    fn aligned_start(&self) -> Option<MediaTime> {
        let start = self.writer.segment_start().filter(|_| self.boundaries.is_empty())?;
        Some(MediaTime::new(start, self.writer.timescale()))
    }

    /// A timeline begins with the leader's first unit; sound that waited for it and ends before is
    /// not worth a segment that begins earlier.
    fn drop_before_start(&mut self, start: MediaTime) {
        if self.writer.segment_start().is_some() {
            return;
        }
        let unit = MediaTime::new(self.unit_duration, self.writer.timescale());
        while self.queue.front().is_some_and(|front| front.pts.plus(unit) <= start) {
            self.queue.pop_front();
        }
    }

    /// Ends the segments that the next unit lies behind.
    fn cross_boundaries(&mut self, out: &mut VecDeque<Update>) {
        while let (Some(front), Some(boundary)) = (self.queue.front(), self.boundaries.front())
            && front.pts >= *boundary
        {
            let boundary = *boundary;
            self.end_segment_at(boundary, out);
        }
    }

    fn end_segment_at(&mut self, boundary: MediaTime, out: &mut VecDeque<Update>) {
        self.boundaries.pop_front();
        self.writer.close_segment(boundary.rescale(self.writer.timescale()).ticks(), out);
    }

    fn is_too_far_ahead(&self) -> bool {
        let (Some(front), Some(back)) = (self.queue.front(), self.queue.back()) else {
            return false;
        };
        back.pts.minus(front.pts) >= SKEW_MAX || self.queue.len() > QUEUED_UNITS_MAX
    }

    /// Writes the first unit of the queue. It lasts until the next one, but neither past the boundary
    /// where its segment ends nor past TARGETDURATION.
    fn emit_front(&mut self, limit: MediaTime, out: &mut VecDeque<Update>) {
        let Some(unit) = self.queue.pop_front() else { return };
        let dts = unit.dts.ticks();
        let timescale = self.writer.timescale();
        let boundary = self.boundaries.front().map(|b| b.rescale(timescale).ticks());
        let until_boundary = boundary.map(|b| b - dts);
        let until_next = self.queue.front().map(|next| next.dts.ticks() - dts);
        let start = self.writer.segment_start().unwrap_or(dts);
        let room = start.saturating_add(limit.rescale(timescale).ticks()) - dts;
        let wanted = match (until_next, until_boundary) {
            // A pause across the boundary belongs to both segments.
            (Some(next), Some(boundary)) if next > boundary + self.unit_duration => boundary,
            (Some(next), _) => next,
            (None, boundary) => boundary.unwrap_or(self.unit_duration).max(self.unit_duration),
        };
        let duration = if wanted > self.unit_duration {
            wanted.min(room).max(self.unit_duration)
        } else {
            wanted
        };
        self.writer.append(unit, duration, out);
    }

    fn split_off(&mut self, carry_from: Option<MediaTime>) -> Vec<AccessUnit> {
        let first = carry_from.and_then(|from| self.queue.iter().position(|unit| unit.pts >= from));
        first.map_or_else(Vec::new, |first| self.queue.split_off(first).into())
    }

    /// Writes everything, without waiting for the leader. What would exceed TARGETDURATION ran ahead
    /// of a leader that never came and is dropped.
    fn drain(&mut self, limit: MediaTime, out: &mut VecDeque<Update>) {
        loop {
            self.cross_boundaries(out);
            let Some(front) = self.queue.front() else { break };
            let dts = front.dts.ticks();
            let start = self.writer.segment_start().unwrap_or(dts);
            if MediaTime::new(dts - start, self.writer.timescale()) > limit {
                self.queue.clear();
                break;
            }
            self.emit_front(limit, out);
        }
        while let Some(boundary) = self.boundaries.front().copied() {
            self.end_segment_at(boundary, out);
        }
    }
}

/// The unit with its times in the track's ticks.
fn in_timescale(unit: AccessUnit, writer: &RenditionWriter) -> AccessUnit {
    let timescale = writer.timescale();
    AccessUnit { dts: unit.dts.rescale(timescale), pts: unit.pts.rescale(timescale), ..unit }
}
