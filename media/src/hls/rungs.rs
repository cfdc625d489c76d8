//! The encoded renditions of the leader's pictures: each follows the leader's segments at its own
//! pace (AL-3, AL-7).
//!
//! An encoder is always behind the leader, so where a segment begins is known before the picture
//! that begins it is there. A rung that is late delays its own playlist and nobody else's; one that
//! delivers nothing for a while has gaps (PL-19), until a sync picture comes.

use std::collections::VecDeque;

use super::alignment::{TrackWriter, in_timescale};
use super::follower::{Follower, Horizon};
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
    boundaries: VecDeque<MediaTime>,
    /// The first segment's start is known.
    began: bool,
}

#[derive(Debug)]
struct Rung {
    variant: u8,
    follower: Follower,
    awaits_sync: bool,
}

impl Rungs {
    /// Writers by the number of their variant; `start` as in [`Follower::new`].
    pub(super) fn new(writers: Vec<(u8, TrackWriter)>, start: MediaTime) -> Self {
        let rung = |(variant, writer)| Rung {
            variant,
            follower: Follower::new(writer, start),
            awaits_sync: true,
        };
        let rungs = writers.into_iter().map(rung).collect();
        Self { rungs, boundaries: VecDeque::new(), began: false }
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

    /// See [`Follower::add_boundary`].
    pub(super) fn add_boundary(&mut self, boundary: MediaTime) {
        self.rungs.iter_mut().for_each(|rung| rung.follower.add_boundary(boundary));
        if !self.rungs.is_empty() {
            self.boundaries.push_back(boundary);
        }
    }

    /// The leader has a picture; the timeline begins with the first of them. See
    /// [`RenditionWriter::begin_with`].
    pub(super) fn begin_with(&mut self, leader: MediaTime) {
        if !std::mem::replace(&mut self.began, true) {
            self.rungs.iter_mut().for_each(|rung| rung.follower.begin_with(leader));
            self.boundaries.extend((!self.rungs.is_empty()).then_some(leader));
        }
    }

    /// The next time at which the encoders start anew.
    pub(super) fn poll_boundary(&mut self) -> Option<MediaTime> {
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
        for Rung { follower, .. } in &mut self.rungs {
            follower.drain(limit, out);
            let writer = follower.writer_mut();
            if !writer.is_segment_empty() {
                writer.close_segment(writer.end(), out);
            }
        }
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
