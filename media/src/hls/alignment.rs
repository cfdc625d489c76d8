//! Two tracks, one sequence of segments (AL-4, AL-5, TS-8).
//!
//! The leader (video if there is any) decides where segments begin; the follower (audio beside
//! video) begins each at its first unit that is not presented before the leader's boundary. A unit
//! of the leader is held until the next one tells its duration (CM-8), and the next one also tells
//! whether the segment ends, so that the preload hint names the part that really comes (LL-10).
//!
//! Neither track may hold up the other (TS-8):
//!
//! - Audio that is ahead of video by less than a second waits, so that boundaries agree. When it is
//!   further ahead it is packaged, and the next boundary falls where audio then is.
//! - Video that stays away until the audio segment reaches TARGETDURATION: its last picture is
//!   extended to there, both segments end, and video's next segments are gaps until it returns
//!   (PL-19).
//! - Audio that stays away for a second after a boundary: its last unit is extended to the
//!   boundary. Segments without any audio are gaps.
//! - Both stay away for more than TARGETDURATION: a new timeline, [`TimelineBreak`].

use std::collections::VecDeque;

use super::cutter::{Cutter, OpenSegment};
use super::follower::Follower;
use super::limits::{DECODE_TICKS_MAX, OFFSET_TICKS_MAX};
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

impl Alignment {
    /// Lengths in any unit; `start` is the output time of the first unit, `opening` when it is the
    /// first of its broadcast.
    pub(super) fn new(
        target: MediaTime,
        limit: MediaTime,
        start: MediaTime,
        opening: bool,
        leader: TrackWriter,
        follower: Option<TrackWriter>,
    ) -> Self {
        let ticks = |time: MediaTime| time.rescale(leader.writer.timescale()).ticks();
        let cutter = Cutter::new(ticks(target), ticks(limit), leader.writer.part_target(), opening);
        Self {
            cutter,
            leader: Leader {
                kind: leader.kind,
                writer: leader.writer,
                held: None,
                last_duration: leader.unit_duration,
                sync_offset: 0,
                awaits_sync: true,
            },
            follower: follower.map(|track| Follower::new(track, start)),
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
            let Some(follower) = self.follower.as_mut().filter(|f| f.kind() == unit.track) else {
                return Ok(());
            };
            follower.push(in_timescale(unit, follower.writer()), now);
        }
        self.flow(out)?;
        if let (Some(now), Some(follower)) = (self.leader_time(), &mut self.follower) {
            follower.release_if_silent(now, self.limit, out);
        }
        Ok(())
    }

    /// Ends the timeline: writes every unit held and closes both segments at the same number.
    /// Returns the follower's units from `carry_from` on, which belong to the next timeline.
    pub(super) fn finish(
        &mut self,
        carry_from: Option<MediaTime>,
        out: &mut VecDeque<Update>,
    ) -> Vec<AccessUnit> {
        if let Some(held) = self.leader.held.take() {
            let duration = self.leader.guess_duration(&held);
            self.emit(held, duration, out);
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
        let (leader, other) = (&mut self.leader.writer, follower.writer_mut());
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
        std::iter::once(&self.leader.writer).chain(self.follower.iter().map(Follower::writer))
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
            follower.begin_with(unit.pts);
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
            self.leader.writer.close_long_part(out);
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
        self.cutter.close();
        if let Some(follower) = &mut self.follower {
            follower.add_boundary(boundary);
        }
    }

    /// The leader comes late, or returns after segments were ended without it: what is missing up
    /// to `unit` is a gap, unless it is less than a part, or little enough to begin the first
    /// segment later than the follower.
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
            full_parts: writer.full_parts(self.leader.last_duration),
        })
    }

    /// Boundaries before this time are decided.
    fn leader_time(&self) -> Option<MediaTime> {
        self.leader.held.as_ref().map(|unit| self.leader.boundary(unit))
    }

    /// Writes the follower's units whose segment is known.
    fn flow(&mut self, out: &mut VecDeque<Update>) -> Result<(), TimelineBreak> {
        loop {
            let now = self.leader_time();
            let leader_began = self.leader.writer.segment_start().is_some();
            let Some(follower) = &mut self.follower else { return Ok(()) };
            if let Some(now) = now.filter(|_| !leader_began) {
                follower.drop_before_start(now);
            }
            follower.cross_boundaries(out);
            let Some(front) = follower.front() else { return Ok(()) };
            if now.is_none_or(|now| front >= now) {
                if !follower.is_too_far_ahead() {
                    return Ok(());
                }
                if let Some(unit) = follower.take_front_after_jump(self.limit) {
                    return Err(TimelineBreak(unit));
                }
                if self.must_cut_without_leader() {
                    self.cut_without_leader(front, out);
                    continue;
                }
            }
            let Some(follower) = &mut self.follower else { return Ok(()) };
            if !follower.emit_front_if_known(self.limit, out) {
                return Ok(());
            }
        }
    }

    /// The follower's next unit, ahead of the leader, does not fit into the open segment.
    fn must_cut_without_leader(&self) -> bool {
        let Some(follower) = &self.follower else { return false };
        let leader_waits = self.leader.held.is_none() && self.leader.writer.is_segment_empty();
        if leader_waits {
            return follower.is_due(self.target);
        }
        follower.exceeds(self.limit, self.leader_start())
    }

    /// Start of the leader's open segment, or of the time it would cover.
    fn leader_start(&self) -> Option<MediaTime> {
        let start = self.leader.writer.segment_start()?;
        Some(MediaTime::new(start, self.leader.writer.timescale()))
    }

    /// Ends the open segments, at `next` at the latest, although the leader has not come so far.
    fn cut_without_leader(&mut self, next: MediaTime, out: &mut VecDeque<Update>) {
        let at = self.leader_start().map_or(next, |start| start.plus(self.limit).min(next));
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
        if too_late || !is_placeable(unit) {
            self.awaits_sync = true;
            return true;
        }
        self.awaits_sync &= !unit.sync;
        self.awaits_sync
    }

    /// Duration of a unit that has no successor: as long as the one before, unless rounding would
    /// cost a part of its own.
    fn guess_duration(&self, unit: &AccessUnit) -> i64 {
        let room = self.writer.room_in_part(unit.dts.ticks());
        if room * 4 >= self.last_duration * 3 {
            self.last_duration.min(room)
        } else {
            self.last_duration
        }
    }

    /// Presentation time at which a segment that begins with this unit begins.
    fn boundary(&self, unit: &AccessUnit) -> MediaTime {
        if unit.sync {
            return unit.pts;
        }
        MediaTime::new(unit.dts.ticks().saturating_add(self.sync_offset), unit.dts.timescale())
    }
}

/// The times of the unit are in the range that arithmetic and `tfdt` can hold (CM-10).
pub(super) fn is_placeable(unit: &AccessUnit) -> bool {
    let offset = unit.pts.minus(unit.dts).ticks();
    (0..=DECODE_TICKS_MAX).contains(&unit.dts.ticks()) && offset.unsigned_abs() <= OFFSET_TICKS_MAX
}

/// The unit with its times in the track's ticks.
fn in_timescale(unit: AccessUnit, writer: &RenditionWriter) -> AccessUnit {
    let timescale = writer.timescale();
    AccessUnit { dts: unit.dts.rescale(timescale), pts: unit.pts.rescale(timescale), ..unit }
}
