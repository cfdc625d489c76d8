//! A picture that stands still while sound goes on: slides, a frozen camera, a source that sends
//! far fewer pictures than it announces.
//!
//! The next picture may be seconds away, and nobody can tell how long the one held will last. But
//! when sound has come for the time of a whole part, that part is known: the picture, or nothing
//! new. It is listed then, and so is the sound beside it, so parts go out one at a time instead of
//! several at once when the next picture comes, which a player near the live edge would wait for
//! with an empty buffer.
//!
//! Without sound there is no clock: parts come with the next picture.

use std::collections::VecDeque;

use super::Alignment;
use crate::access_unit::{AccessUnit, TrackKind};
use crate::hls::cutter::OpenSegment;
use crate::hls::follower::{Follower, Horizon};
use crate::hls::leader::Held;
use crate::hls::update::Update;
use crate::time::MediaTime;

/// Sound must be so much further than the part, beyond how far it was ahead of pictures lately:
/// tracks interleave loosely.
const STAND_MARGIN: MediaTime = MediaTime::from_millis(100);

impl Alignment {
    /// The unit comes more than a part later than the one listed early was said to end, or that
    /// one `stands`: it goes on in parts without samples. If the segment must not last so long, the
    /// time is a gap instead, and `true` is returned.
    pub(super) fn let_stand(
        &mut self,
        stands: bool,
        unit: &AccessUnit,
        out: &mut VecDeque<Update>,
    ) -> bool {
        let dts = unit.dts.ticks();
        let end = self.leader.writer.end();
        if !stands && dts - end <= self.leader.writer.part_target() {
            return false;
        }
        let too_long = |open: OpenSegment| dts - open.earliest > self.cutter.limit();
        match self.open_segment() {
            Some(open) if !self.leader.owes_cut && !too_long(open) => {
                if stands {
                    self.leader.writer.stand_until(dts, out);
                } else {
                    self.leader.writer.reach(dts, out);
                }
                return false;
            }
            Some(_) => self.cut(self.leader.shown_at(end), end, out),
            None => {}
        }
        self.leader.owes_cut = false;
        self.cut(self.leader.boundary(unit), dts, out);
        true
    }

    /// Lists the parts that the picture held fills by standing still.
    pub(super) fn stand(&mut self, out: &mut VecDeque<Update>) {
        let Some(heard) = self.follower.as_ref().and_then(Follower::heard) else { return };
        while let Some(end) = self.standing_part_end(heard) {
            let Some(mut held) = self.leader.held.clone() else { return };
            if !held.listed && self.may_outlast_segment(&held) {
                self.cut(self.leader.boundary(&held.unit), held.from, out);
                continue;
            }
            if !held.listed {
                let start = self.open_segment_with(&held).earliest;
                let usual = held.unit.dts.ticks() + self.leader.last_duration();
                let until = usual.max(end).min(start + self.cutter.limit());
                self.emit(held.clone(), until, out);
                (held.listed, held.stands) = (true, true);
                self.leader.held = Some(held);
                // It may have closed the part before it; then its own is not over yet.
                continue;
            }
            held.stands = true;
            self.leader.held = Some(held);
            self.leader.writer.list_standing_part(out);
        }
        self.let_sound_go_on(heard);
    }

    /// The open segment would have to end while the picture held stands, if that lasts as long as
    /// others lately and a little longer: it should begin the next one instead.
    fn may_outlast_segment(&self, held: &Held) -> bool {
        let longest = self.leader.longest_duration();
        let until = held.unit.dts.ticks() + longest + longest / 4;
        let outlasts = |open: OpenSegment| {
            held.from > open.start && until - open.earliest > self.cutter.limit()
        };
        self.open_segment().is_some_and(outlasts)
    }

    /// While a picture stands no segment begins before the time for which it has been awaited in
    /// vain: sound may go so far, but not past TARGETDURATION.
    fn let_sound_go_on(&mut self, heard: MediaTime) {
        let Some(held) = self.leader.held.as_ref().filter(|held| held.stands) else { return };
        let Some(patience) = self.leader.patience() else { return };
        let longest = self.open_segment_with(held).earliest + self.cutter.limit();
        let awaited = heard.minus(STAND_MARGIN).minus(self.ticks(patience));
        let decided = awaited.min(self.leader.shown_at(longest));
        let horizon = Horizon { decided, next: decided, cuts: None, unknown: decided };
        let horizon = self.horizon.get_or_insert(horizon);
        horizon.decided = horizon.decided.max(decided);
        if decided >= horizon.next {
            (horizon.next, horizon.cuts) = (decided, None);
        }
    }

    /// Where the open part ends at the latest, in leader ticks, if nothing else can be in it by
    /// now.
    fn standing_part_end(&self, heard: MediaTime) -> Option<i64> {
        let held = self.leader.held.as_ref()?;
        let writer = &self.leader.writer;
        let elsewhere = held.listed && writer.is_segment_empty();
        if self.leader.kind != TrackKind::Video || self.leader.owes_cut || elsewhere {
            return None;
        }
        let end = writer.part_end(held.from);
        let due = self.leader.shown_at(end + self.leader.patience()?).plus(STAND_MARGIN);
        let segment = self.open_segment_with(held).earliest;
        (heard >= due && end - segment <= self.cutter.limit()).then_some(end)
    }
}
