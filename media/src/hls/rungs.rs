//! The encoded renditions of the leader's pictures: each follows the leader's segments at its own
//! pace (AL-3, AL-7).
//!
//! An encoder is always behind the leader, so where a segment begins is known before the picture
//! that begins it is there. A rung that is late delays its own playlist and nobody else's; one that
//! delivers nothing for a while has gaps (PL-19), until a sync picture comes.
//!
//! Rungs come and go at the leader's boundaries. One that goes still gets its pictures of the
//! segment before, and ends when that is whole.

use std::collections::VecDeque;

use super::alignment::{TrackWriter, in_timescale};
use super::follower::{Follower, Horizon};
use super::lineup::Boundary;
use super::rendition_writer::RenditionWriter;
use super::update::Update;
use crate::access_unit::AccessUnit;
use crate::time::MediaTime;

/// What became of an encoded picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Placed {
    /// It is in its segment, or will be.
    Taken,
    /// Its time is over, or a picture it needs is missing: the rung goes on with a sync picture.
    Dropped,
}

/// The rungs of one timeline.
#[derive(Debug)]
pub(super) struct Rungs {
    rungs: Vec<Rung>,
    /// Where segments begin, not told to the encoders yet.
    boundaries: VecDeque<Boundary>,
    /// The first segment's start is known.
    began: bool,
    /// Count of timelines before this one.
    timeline: u64,
    /// Count of lineups before the one in force.
    lineup: u64,
}

/// Other rungs from a boundary on.
#[derive(Debug)]
pub(super) struct RungChange {
    /// Variants that go on; what is neither here nor new ends.
    pub(super) kept: Vec<u8>,
    /// Those that begin, their writers at the number of the boundary's segment.
    pub(super) new: Vec<(u8, TrackWriter)>,
    /// See [`Boundary::lineup`].
    pub(super) lineup: u64,
}

#[derive(Debug)]
struct Rung {
    variant: u8,
    follower: Follower,
    awaits_sync: bool,
    /// It ends before the segment of this number.
    until: Option<u64>,
}

impl Rung {
    fn new(variant: u8, writer: TrackWriter, start: MediaTime) -> Self {
        let follower = Follower::new(writer, start);
        Self { variant, follower, awaits_sync: true, until: None }
    }

    /// Whether it was to end and has.
    fn has_ended(&self) -> bool {
        self.until.is_some_and(|until| self.follower.writer().msn() >= until)
    }
}

impl Rungs {
    /// Writers by the number of their variant; `start` as in [`Follower::new`], the counts as in
    /// [`Boundary`].
    pub(super) fn new(
        writers: Vec<(u8, TrackWriter)>,
        start: MediaTime,
        timeline: u64,
        lineup: u64,
    ) -> Self {
        let rungs = writers.into_iter().map(|(variant, w)| Rung::new(variant, w, start)).collect();
        Self { rungs, boundaries: VecDeque::new(), began: false, timeline, lineup }
    }

    /// Takes the next picture of a variant.
    pub(super) fn push(
        &mut self,
        variant: u8,
        unit: AccessUnit,
        leader_time: Option<MediaTime>,
    ) -> Placed {
        let Some(rung) = self.rungs.iter_mut().find(|rung| rung.variant == variant) else {
            return Placed::Dropped;
        };
        let usable = unit.sync || !rung.awaits_sync;
        let unit = in_timescale(unit, rung.follower.writer());
        rung.awaits_sync = !(usable && rung.follower.push(unit, leader_time));
        if rung.awaits_sync { Placed::Dropped } else { Placed::Taken }
    }

    /// See [`Follower::add_boundary`]. `change`: other rungs from here on, and the number of the
    /// segment that begins here.
    pub(super) fn add_boundary(&mut self, boundary: MediaTime, change: Option<(RungChange, u64)>) {
        self.rungs.iter_mut().for_each(|rung| rung.follower.add_boundary(boundary));
        let mut concerned = !self.rungs.is_empty();
        if let Some((RungChange { kept, new, lineup }, msn)) = change {
            for rung in self.rungs.iter_mut().filter(|rung| !kept.contains(&rung.variant)) {
                rung.until.get_or_insert(msn);
            }
            for (variant, writer) in new {
                let mut rung = Rung::new(variant, writer, boundary);
                rung.follower.begin_with(boundary);
                self.rungs.push(rung);
            }
            self.lineup = lineup;
            concerned = true;
        }
        if concerned {
            self.push_boundary(boundary);
        }
    }

    fn push_boundary(&mut self, start: MediaTime) {
        let Self { timeline, lineup, .. } = *self;
        self.boundaries.push_back(Boundary { timeline, start, lineup });
    }

    /// The leader has a picture; the timeline begins with the first of them. See
    /// [`RenditionWriter::begin_with`].
    pub(super) fn begin_with(&mut self, leader: MediaTime) {
        if !std::mem::replace(&mut self.began, true) {
            self.rungs.iter_mut().for_each(|rung| rung.follower.begin_with(leader));
            if !self.rungs.is_empty() {
                self.push_boundary(leader);
            }
        }
    }

    /// The next time at which the encoders start anew.
    pub(super) fn poll_boundary(&mut self) -> Option<Boundary> {
        self.boundaries.pop_front()
    }

    /// Writes what can be written; ends the segments of those that have long been silent.
    pub(super) fn flow(
        &mut self,
        leader_time: Option<MediaTime>,
        horizon: Option<Horizon>,
        limit: MediaTime,
        out: &mut VecDeque<Update>,
    ) {
        for Rung { follower, .. } in &mut self.rungs {
            loop {
                follower.cross_boundaries(limit, out);
                let written =
                    follower.front().is_some() && follower.emit_front_if_known(limit, horizon, out);
                if !written {
                    break;
                }
            }
            if let Some(now) = leader_time {
                follower.release_if_silent(now, limit, out);
            }
        }
        self.remove_ended(out);
    }

    /// Whether a rung is about to end.
    pub(super) fn is_any_ending(&self) -> bool {
        self.rungs.iter().any(|rung| rung.until.is_some())
    }

    fn remove_ended(&mut self, out: &mut VecDeque<Update>) {
        self.rungs.retain(|rung| {
            let ended = rung.has_ended();
            if ended {
                out.extend(rung.follower.writer().id().map(Update::RenditionEnd));
            }
            !ended
        });
    }

    /// Ends the timeline: writes everything and closes the segments before number `until`, or
    /// before a higher one that a rung began already; gives that number. `end` is where the leader
    /// ends.
    pub(super) fn finish(
        &mut self,
        until: u64,
        end: MediaTime,
        limit: MediaTime,
        out: &mut VecDeque<Update>,
    ) -> u64 {
        for Rung { follower, until, .. } in &mut self.rungs {
            follower.drain(limit, out);
            let writer = follower.writer_mut();
            if !writer.is_segment_empty() {
                writer.close_segment(writer.end(), out);
            }
            if let Some(until) = *until {
                close_until(writer, until, end, out);
            }
        }
        self.remove_ended(out);
        let until = self.writers().map(RenditionWriter::msn).max().map_or(until, |n| n.max(until));
        for Rung { follower, .. } in &mut self.rungs {
            close_until(follower.writer_mut(), until, end, out);
        }
        until
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rungs.is_empty()
    }

    pub(super) fn writers(&self) -> impl Iterator<Item = &RenditionWriter> {
        self.rungs.iter().map(|rung| rung.follower.writer())
    }
}

/// Ends segments, with gaps if need be, until `msn` is the next.
pub(super) fn close_until(
    writer: &mut RenditionWriter,
    msn: u64,
    end: MediaTime,
    out: &mut VecDeque<Update>,
) {
    while writer.msn() < msn {
        writer.close_segment(end.rescale(writer.timescale()).ticks().max(writer.end()), out);
    }
}
