//! The follower's units to their segments, also when the leader stays away (TS-8).

use std::collections::VecDeque;

use super::{Alignment, TimelineBreak};
use crate::hls::update::Update;
use crate::time::MediaTime;

impl Alignment {
    /// Writes the follower's units whose segment is known.
    pub(super) fn flow(&mut self, out: &mut VecDeque<Update>) -> Result<(), TimelineBreak> {
        loop {
            let now = self.leader_time().max(self.horizon.map(|horizon| horizon.decided));
            let Some(follower) = &mut self.follower else { return Ok(()) };
            follower.drop_before_start();
            follower.cross_boundaries(self.limit, out);
            let Some(front) = follower.front() else { return Ok(()) };
            let ahead = now.is_none_or(|now| front >= now);
            // The leader is past this time and has not ended the segment: it shows its pictures
            // long after it decodes them.
            let overdue = !ahead && follower.is_overdue(self.limit);
            if ahead && !follower.is_too_far_ahead() {
                return Ok(());
            }
            if ahead || overdue {
                if let Some(unit) = follower.take_front_after_jump(self.limit) {
                    return Err(TimelineBreak(unit));
                }
                if std::mem::take(&mut self.leader.owes_cut) {
                    let end = self.leader.writer.end();
                    self.cut(self.leader.shown_at(end), end, out);
                    continue;
                }
                if overdue || self.must_cut_without_leader() {
                    self.cut_without_leader(front, out);
                    continue;
                }
            }
            let Some(follower) = &mut self.follower else { return Ok(()) };
            if !follower.emit_front_if_known(self.limit, self.horizon, out) {
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
            let start = self.leader.writer.segment_start().unwrap_or(held.from);
            let usual = held.from.saturating_add(self.leader.last_duration());
            let until = at_ticks.max(usual).min(start + self.cutter.limit());
            if held.listed && !self.leader.writer.is_segment_empty() {
                let until = if held.stands { at_ticks } else { until };
                self.leader.writer.reach(until, out);
            }
            self.emit(held, until, out);
        }
        self.cut(at, at_ticks, out);
    }
}
