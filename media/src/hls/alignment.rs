//! Two tracks, one sequence of segments (AL-4, AL-5, TS-8).
//!
//! The leader (video if there is any) decides where segments begin; the follower (audio beside
//! video) begins each at its first unit that is not presented before the leader's boundary.
//!
//! A part is listed as soon as it is full, without waiting for the unit behind it, while units come
//! regularly ([`super::leader`]). Where that unit should begin a segment, the preload hint names
//! the next segment's first part (LL-10); a wrong guess costs a wrong hint and nothing else.
//!
//! Neither track may hold up the other (TS-8):
//!
//! - Audio that is ahead of video by less than a second waits, so that boundaries agree. When it is
//!   further ahead it is packaged, and the next boundary falls where audio then is.
//! - Video that stays away, while audio comes, stands: see [`stand`].
//! - Video that stays away until the audio segment reaches TARGETDURATION: its last picture is
//!   extended to there, both segments end, and video's next segments are gaps until it returns
//!   (PL-19).
//! - Audio that stays away for a second after a boundary: its last unit is extended to the
//!   boundary. Segments without any audio are gaps.
//! - Both stay away for more than TARGETDURATION: a new timeline, [`TimelineBreak`].
//!
//! Whatever the times, no segment of either track is longer than TARGETDURATION and a unit (PL-3).
//! Audio that ends before the first picture is dropped. A boundary that lies further away, because
//! pictures are shown long after they decode, counts from TARGETDURATION on as reached; where the
//! pictures are past audio's full segment and have not ended theirs, both end.

mod flow;
mod outlook;
mod stand;

use std::collections::VecDeque;
use std::sync::Arc;

use super::cutter::{Cutter, OpenSegment};
use super::follower::{Follower, Horizon};
use super::leader::{Expected, Held, Leader, NextSync};
use super::limits::{DECODE_TICKS_MAX, OFFSET_TICKS_MAX};
use super::lineup::Boundary;
use super::names::RenditionId;
use super::rendition_writer::RenditionWriter;
use super::rungs::{Placed, RungChange, Rungs, close_until};
use super::update::{Change, Update};
use crate::access_unit::{AccessUnit, TrackKind};
use crate::time::MediaTime;

/// The leader's times jumped by more than a segment may last; the unit begins a new timeline.
#[derive(Debug)]
pub(super) struct TimelineBreak(pub(super) AccessUnit);

/// Whether the unit expected next begins a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Cut {
    /// Not that anybody could tell.
    None,
    /// If the sync unit that should come does.
    Likely,
    /// Sync units have come regularly for long, or none is needed.
    Sure,
}

/// The tracks of one timeline.
#[derive(Debug)]
pub(super) struct Alignment {
    leader: Leader,
    follower: Option<Follower>,
    rungs: Rungs,
    cutter: Cutter,
    target: MediaTime,
    /// TARGETDURATION.
    limit: MediaTime,
    keyframes_too_rare: bool,
    /// What the follower may count on.
    horizon: Option<Horizon>,
    /// Other renditions of the leader's pictures from its next segment on.
    change: Option<LineupChange>,
}

/// Other renditions of the leader's pictures.
#[derive(Debug)]
pub(super) struct LineupChange {
    /// The leader's own.
    pub(super) leader: Option<RenditionId>,
    pub(super) rungs: RungChange,
    /// What the windows are told.
    pub(super) update: Arc<Change>,
}

/// The writers of a timeline.
#[derive(Debug)]
pub(super) struct TrackWriters {
    pub(super) leader: TrackWriter,
    pub(super) follower: Option<TrackWriter>,
    /// By the number of the variant.
    pub(super) rungs: Vec<(u8, TrackWriter)>,
}

/// A writer and how long its units usually last.
#[derive(Debug)]
pub(super) struct TrackWriter {
    pub(super) kind: TrackKind,
    pub(super) writer: RenditionWriter,
    /// Track ticks.
    pub(super) unit_duration: i64,
}

impl Alignment {
    /// Lengths in any unit; `opening` when it is the first of its broadcast.
    pub(super) fn new(
        target: MediaTime,
        limit: MediaTime,
        opening: bool,
        first: Boundary,
        tracks: TrackWriters,
    ) -> Self {
        let TrackWriters { leader, follower, rungs } = tracks;
        let Boundary { timeline, start, lineup } = first;
        let ticks = |time: MediaTime| time.rescale(leader.writer.timescale()).ticks();
        let cutter = Cutter::new(ticks(target), ticks(limit), leader.writer.part_target(), opening);
        Self {
            cutter,
            leader: Leader::new(leader),
            follower: follower.map(|track| Follower::new(track, start)),
            rungs: Rungs::new(rungs, start, timeline, lineup),
            target,
            limit,
            keyframes_too_rare: false,
            horizon: None,
            change: None,
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
            self.stand(out);
        }
        self.flow(out)?;
        let now = self.leader_time();
        if let (Some(now), Some(follower)) = (now, &mut self.follower) {
            follower.release_if_silent(now, self.limit, out);
        }
        self.rungs.flow(now, self.horizon, self.limit, out);
        Ok(())
    }

    /// Takes the next encoded picture of a rung.
    pub(super) fn push_rung(
        &mut self,
        variant: u8,
        unit: AccessUnit,
        out: &mut VecDeque<Update>,
    ) -> Placed {
        let now = self.leader_time();
        let placed = self.rungs.push(variant, unit, now);
        self.rungs.flow(now, self.horizon, self.limit, out);
        placed
    }

    /// The next time at which the rungs' encoders start anew.
    pub(super) fn poll_boundary(&mut self) -> Option<Boundary> {
        self.rungs.poll_boundary()
    }

    /// Other renditions from the leader's next segment on.
    pub(super) fn change(&mut self, change: LineupChange) {
        self.change = Some(change);
    }

    /// A change waits for its segment, or for the last pictures of a rung that ends.
    pub(super) fn is_changing(&self) -> bool {
        self.change.is_some() || self.rungs.is_any_ending()
    }

    /// The leader's sync units are further apart than a segment may be long.
    pub(super) const fn keyframes_too_rare(&self) -> bool {
        self.keyframes_too_rare
    }

    /// Number of the leader's next segment.
    pub(super) const fn next_cut(&self) -> u64 {
        self.leader.writer.msn() + 1
    }

    /// Ends the timeline: writes every unit held and closes all segments at the same number.
    /// Returns the follower's units from `carry_from` on, which belong to the next timeline.
    pub(super) fn finish(
        &mut self,
        carry_from: Option<MediaTime>,
        out: &mut VecDeque<Update>,
    ) -> Vec<AccessUnit> {
        if let Some(held) = self.leader.held.take() {
            let until = held.from + self.leader.guess_duration(&held);
            self.emit(held, until, out);
        }
        let carried = self.finish_both(carry_from, out);
        let leader = &mut self.leader.writer;
        let end = MediaTime::new(leader.end().max(0), leader.timescale());
        let until = self.rungs.finish(leader.msn(), end, self.limit, out);
        close_until(leader, until, end, out);
        if let Some(follower) = &mut self.follower {
            close_until(follower.writer_mut(), until, end, out);
        }
        carried
    }

    fn finish_both(
        &mut self,
        carry_from: Option<MediaTime>,
        out: &mut VecDeque<Update>,
    ) -> Vec<AccessUnit> {
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
        let followers = self.follower.iter().map(Follower::writer);
        std::iter::once(&self.leader.writer).chain(followers).chain(self.rungs.writers())
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
        let mut duration = None;
        let mut after_listed = false;
        match self.leader.held.take() {
            Some(held) => {
                let lasts = dts - held.unit.dts.ticks();
                if lasts > self.cutter.limit() {
                    self.leader.held = Some(held);
                    return Err(TimelineBreak(unit));
                }
                duration = Some(lasts);
                after_listed = held.listed && !self.let_stand(held.stands, &unit, out);
                self.emit(held, dts, out);
            }
            None => {
                if self.missing_before(dts) > self.cutter.limit() {
                    return Err(TimelineBreak(unit));
                }
                self.end_gap(&unit, out);
            }
        }
        let heard = self.follower.as_ref().and_then(Follower::heard);
        self.leader.observe_sound(&unit, heard);
        let usual = duration.unwrap_or_else(|| self.leader.last_duration());
        self.decide_cut(&unit, usual, out);
        if let Some(follower) = &mut self.follower {
            follower.begin_with(unit.pts);
        }
        self.rungs.begin_with(unit.pts);
        self.leader.hold(unit, duration, after_listed);
        self.look_ahead(out);
        Ok(())
    }

    /// Ends the segment or the part before `unit`, if it begins a new one.
    fn decide_cut(&mut self, unit: &AccessUnit, usual: i64, out: &mut VecDeque<Update>) {
        let dts = unit.dts.ticks();
        let interval = self.cutter.observe(dts, unit.sync);
        if let Some(interval) = interval.filter(|_| !self.keyframes_too_rare) {
            self.keyframes_too_rare = true;
            let interval = MediaTime::new(interval, self.leader.writer.timescale());
            out.push_back(Update::KeyframesTooRare { interval });
        }
        let owed = std::mem::take(&mut self.leader.owes_cut);
        let cuts = self
            .open_segment()
            .is_some_and(|open| owed || self.cutter.cuts_before(open, dts, unit.sync, usual));
        if cuts {
            // The unit is late: the segment ends where the picture before was said to end.
            let late = dts - self.leader.writer.end();
            let much = owed || late * 2 > self.leader.last_duration();
            let late = if late > 0 && much { late } else { 0 };
            let late = MediaTime::new(late, self.leader.writer.timescale());
            self.cut(self.leader.boundary(unit).minus(late), dts, out);
        } else if unit.sync && self.leader.kind == TrackKind::Video {
            self.leader.writer.close_long_part(out);
        } else {
            self.leader.writer.close_full_part(usual, out);
        }
    }

    /// Writes a unit of the leader, if that has not been done. If it turned out to last longer than
    /// expected, so long that the segment would exceed TARGETDURATION, it begins the next one.
    fn emit(&mut self, held: Held, until: i64, out: &mut VecDeque<Update>) {
        let Held { unit, from, listed, .. } = held;
        if listed {
            return;
        }
        let overflows = self
            .open_segment()
            .is_some_and(|open| from > open.start && until - open.earliest > self.cutter.limit());
        if overflows {
            self.cut(self.leader.boundary(&unit), from, out);
        }
        self.leader.observe_written(&unit);
        // Alone in its segment, which may begin before it: what is too long is a hole.
        let start = self.leader.writer.segment_start().unwrap_or(from);
        let until = until.min(start + self.cutter.limit());
        self.leader.writer.append(unit, from, until, out);
    }

    /// Lists the part that the unit held fills or that ends its segment, if that can be told, and
    /// how far the follower may go.
    fn look_ahead(&mut self, out: &mut VecDeque<Update>) {
        self.horizon = None;
        let (Some(expected), Some(held)) = (self.leader.expected(), self.leader.held.clone())
        else {
            return;
        };
        let Expected { dts: until, duration, .. } = expected;
        let writer = &self.leader.writer;
        let fits = until > held.from && writer.room_in_part(held.from) >= until - held.from;
        let full = fits && writer.is_filled_by(held.from, until, duration);
        let mut next = self.open_segment_with(&held);
        next.full_parts += u32::from(full);
        let cut = self.expects_cut(next, expected);
        let unsure = expected.sync == NextSync::Unknown
            && cut == Cut::None
            && self.cutter.cuts_before(next, until, true, duration);
        let now = self.leader.boundary(&held.unit);
        self.horizon = Some(Horizon {
            // Up to an eighth of a picture is no break of the rhythm; twice that is safe.
            decided: now.plus(self.ticks(duration * 3 / 4)),
            next: now.plus(self.ticks(duration)),
            cuts: if unsure { None } else { Some(cut != Cut::None) },
            // Up to an eighth early, as above.
            unknown: now.plus(self.ticks(duration * 2 - duration / 8)),
        });
        let last = fits && cut == Cut::Sure;
        let too_long = until - next.earliest > self.cutter.limit();
        if unsure || too_long || !(full || last) {
            return;
        }
        self.emit(held, until, out);
        // A cut that does not depend on a sync unit comes in any case, and behind a part that is
        // too short for the middle of a segment it must (LL-1).
        self.leader.owes_cut = last && (!full || expected.sync != NextSync::Sure);
        self.leader.writer.close_part_early(cut != Cut::None, out);
        if let Some(held) = &mut self.leader.held {
            held.listed = true;
        }
    }

    /// Whether the unit expected next should begin a segment.
    fn expects_cut(&self, open: OpenSegment, expected: Expected) -> Cut {
        let cuts = |sync| self.cutter.cuts_before(open, expected.dts, sync, expected.duration);
        match expected.sync {
            _ if cuts(false) => Cut::Sure,
            NextSync::Sure if cuts(true) => Cut::Sure,
            NextSync::Likely if cuts(true) => Cut::Likely,
            _ => Cut::None,
        }
    }

    /// Ends the leader's segment at `dts`; the follower's will end at `boundary`.
    fn cut(&mut self, boundary: MediaTime, dts: i64, out: &mut VecDeque<Update>) {
        self.leader.writer.close_segment(dts, out);
        self.cutter.close();
        if let Some(follower) = &mut self.follower {
            follower.add_boundary(boundary);
        }
        let change = self.change.take().map(|LineupChange { leader, rungs, update }| {
            let msn = update.first_msn;
            out.push_back(Update::Change(update));
            out.extend(self.leader.writer.rename(leader).map(Update::RenditionEnd));
            (rungs, msn)
        });
        self.rungs.add_boundary(boundary, change);
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

    /// The leader's open segment when it has the unit held.
    fn open_segment_with(&self, held: &Held) -> OpenSegment {
        self.open_segment().unwrap_or_else(|| {
            let start = self.leader.writer.segment_start().unwrap_or(held.from);
            OpenSegment { start, earliest: start, independent: held.unit.sync, full_parts: 0 }
        })
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
            full_parts: writer.full_parts(self.leader.last_duration()),
        })
    }

    /// Boundaries before this time are decided.
    fn leader_time(&self) -> Option<MediaTime> {
        self.leader.held.as_ref().map(|held| self.leader.boundary(&held.unit))
    }

    const fn ticks(&self, ticks: i64) -> MediaTime {
        MediaTime::new(ticks, self.leader.writer.timescale())
    }
}

/// The times of the unit are in the range that arithmetic and `tfdt` can hold (CM-10).
pub(super) fn is_placeable(unit: &AccessUnit) -> bool {
    let offset = unit.pts.minus(unit.dts).ticks();
    (0..=DECODE_TICKS_MAX).contains(&unit.dts.ticks()) && offset.unsigned_abs() <= OFFSET_TICKS_MAX
}

/// The unit with its times in the track's ticks.
pub(super) fn in_timescale(unit: AccessUnit, writer: &RenditionWriter) -> AccessUnit {
    let timescale = writer.timescale();
    AccessUnit { dts: unit.dts.rescale(timescale), pts: unit.pts.rescale(timescale), ..unit }
}
