//! Where the leading track's segments are cut (PL-3, PL-4, LL-20).
//!
//! Cuts fall on sync units near the target. A source whose keyframes are further apart than
//! TARGETDURATION is cut between them, into pieces as equal as the last interval allows; the
//! segment after such a cut ends at the next sync unit, so that independence comes back as soon as
//! it can.
//!
//! The first segment of a broadcast is short where keyframes allow: most players begin only when
//! one segment is complete, and those who wait for the broadcast should not wait for more than they
//! need. Where keyframes are rare it ends at the target, not at the limit.

/// The cut rule. Times are ticks of the leading track.
#[derive(Debug)]
pub(super) struct Cutter {
    target: i64,
    /// TARGETDURATION: no segment is longer.
    limit: i64,
    /// PART-TARGET: no sync unit ends a segment that is shorter.
    minimum: i64,
    last_sync: Option<i64>,
    /// Distance of the last two sync units.
    sync_interval: Option<i64>,
    /// The open segment is the first of its broadcast.
    opening: bool,
}

/// The first segment ends at the first sync unit after this many parts: as many as PART-HOLD-BACK
/// asks for (LL-3), so that a player of it can begin at once.
const OPENING_PARTS: u32 = 3;
/// A keyframe that is due at the target may be so much of it late before it counts as rare, 1/n.
const OPENING_TOLERANCE: i64 = 20;

/// What the rule needs to know about the open segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenSegment {
    /// Decode time of its first unit.
    pub(super) start: i64,
    /// The same, or earlier if the other track's segment of this number began earlier.
    pub(super) earliest: i64,
    /// It began with a sync unit.
    pub(super) independent: bool,
    /// Its parts so far, with the one in the making if nothing more fits.
    pub(super) full_parts: u32,
}

impl Cutter {
    /// All in ticks of the leading track; `opening` when a broadcast begins here.
    pub(super) const fn new(target: i64, limit: i64, part_target: i64, opening: bool) -> Self {
        Self { target, limit, minimum: part_target, last_sync: None, sync_interval: None, opening }
    }

    /// The open segment was ended.
    pub(super) const fn close(&mut self) {
        self.opening = false;
    }

    /// No segment may be longer than this many ticks.
    pub(super) const fn limit(&self) -> i64 {
        self.limit
    }

    /// The aim for a segment, in ticks.
    pub(super) const fn target(&self) -> i64 {
        self.target
    }

    /// Takes note of a unit. Tells the interval when it is longer than a segment may be.
    pub(super) fn observe(&mut self, dts: i64, sync: bool) -> Option<i64> {
        if !sync {
            let since = dts - self.last_sync?;
            let already_known = self.sync_interval.is_some_and(|interval| interval >= since);
            return (since > self.limit && !already_known).then_some(since);
        }
        self.sync_interval = self.last_sync.map(|last| dts - last);
        self.last_sync = Some(dts);
        self.sync_interval.filter(|interval| *interval > self.limit)
    }

    /// Whether a unit that decodes at `dts` and probably lasts `duration` begins a new segment.
    /// Call [`Self::observe`] with it first.
    pub(super) fn cuts_before(
        &self,
        segment: OpenSegment,
        dts: i64,
        sync: bool,
        duration: i64,
    ) -> bool {
        let elapsed = dts - segment.start;
        if elapsed <= 0 {
            return false;
        }
        if dts + duration - segment.earliest > self.limit {
            return true;
        }
        if self.opening && self.ends_opening(segment, sync, elapsed) {
            return true;
        }
        if sync { self.cuts_before_sync(segment, elapsed) } else { self.ends_piece(dts, elapsed) }
    }

    fn ends_opening(&self, segment: OpenSegment, sync: bool, elapsed: i64) -> bool {
        if sync {
            return segment.full_parts >= OPENING_PARTS;
        }
        elapsed >= self.target + self.target / OPENING_TOLERANCE
    }

    fn cuts_before_sync(&self, segment: OpenSegment, elapsed: i64) -> bool {
        if !segment.independent {
            // The other track needs at least one unit in it, too.
            return elapsed >= self.minimum;
        }
        match self.sync_interval {
            Some(interval) => {
                let at_next = elapsed + interval;
                at_next > self.limit
                    || (elapsed - self.target).abs() <= (at_next - self.target).abs()
            }
            None => elapsed * 4 >= self.target * 3,
        }
    }

    /// Splits an interval that is known to be too long into equal pieces, instead of full-length
    /// ones with a short rest.
    fn ends_piece(&self, dts: i64, elapsed: i64) -> bool {
        let (Some(last_sync), Some(interval)) = (self.last_sync, self.sync_interval) else {
            return false;
        };
        if interval <= self.limit || dts - last_sync >= interval {
            return false;
        }
        let pieces = (interval + self.limit - 1) / self.limit;
        elapsed * pieces >= interval
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cutter() -> Cutter {
        Cutter::new(2_000, 3_000, 334, false)
    }

    fn opened(start: i64, independent: bool) -> OpenSegment {
        OpenSegment { start, earliest: start, independent, full_parts: 0 }
    }

    /// Runs a source with one unit each 100 ms and sync units at the given times; returns the cuts.
    fn cuts(end: i64, sync_at: impl Fn(i64) -> bool) -> Vec<i64> {
        let mut cutter = cutter();
        let mut cuts = Vec::new();
        let mut segment = opened(0, sync_at(0));
        for dts in (0..end).step_by(100) {
            let sync = sync_at(dts);
            let _ = cutter.observe(dts, sync);
            if cutter.cuts_before(segment, dts, sync, 100) {
                cuts.push(dts);
                segment = opened(dts, sync);
            }
        }
        cuts
    }

    #[test]
    fn segments_follow_the_sync_interval_near_the_target() {
        for (interval, want) in [
            (100, vec![2_000, 4_000, 6_000]),
            (500, vec![2_000, 4_000, 6_000]),
            (1_000, vec![2_000, 4_000, 6_000]),
            (1_300, vec![2_600, 5_200]),
            (1_500, vec![1_500, 3_000, 4_500, 6_000]),
            (2_000, vec![2_000, 4_000, 6_000]),
            (3_000, vec![3_000, 6_000]),
        ] {
            assert_eq!(cuts(7_000, |dts| dts % interval == 0), want, "interval {interval}");
        }
    }

    #[test]
    fn long_intervals_are_cut_at_the_limit_first_and_evenly_when_known() {
        let cuts = cuts(16_500, |dts| dts % 8_000 == 0);
        assert_eq!(cuts, [3_000, 6_000, 8_000, 10_700, 13_400, 16_000]);
    }

    #[test]
    fn a_segment_that_began_between_syncs_ends_at_the_next_sync() {
        let cuts = cuts(5_000, |dts| [0, 3_200, 3_500, 3_800].contains(&dts));
        assert_eq!(cuts, [3_000, 3_500], "3.2 s is too soon");
    }

    #[test]
    fn a_broadcast_opens_with_a_short_segment_where_keyframes_allow() {
        let cut_at = |sync_interval: i64| {
            let mut cutter = Cutter::new(2_000, 3_000, 334, true);
            let ends = |cutter: &mut Cutter, dts: i64| {
                let sync = dts % sync_interval == 0;
                let _ = cutter.observe(dts, sync);
                let full_parts = u32::try_from(dts / 300).unwrap();
                let open = OpenSegment { full_parts, ..opened(0, true) };
                cutter.cuts_before(open, dts, sync, 100)
            };
            (0..3_000).step_by(100).find(|dts| ends(&mut cutter, *dts)).unwrap()
        };
        for (interval, want) in
            [(100, 900), (500, 1_000), (1_000, 1_000), (2_000, 2_000), (8_000, 2_100)]
        {
            assert_eq!(cut_at(interval), want, "interval {interval}");
        }
        let mut later = Cutter::new(2_000, 3_000, 334, true);
        later.close();
        let open = OpenSegment { full_parts: 5, ..opened(0, true) };
        assert!(!later.cuts_before(open, 1_000, true, 100));
        assert!(!later.cuts_before(open, 2_200, false, 100));
    }

    #[test]
    fn the_interval_is_reported_when_it_exceeds_the_limit() {
        let mut cutter = cutter();
        assert_eq!(cutter.observe(0, true), None);
        assert_eq!(cutter.observe(3_000, false), None);
        assert_eq!(cutter.observe(3_100, false), Some(3_100));
        assert_eq!(cutter.observe(4_000, true), Some(4_000));
        assert_eq!(cutter.observe(6_000, true), None);
    }
}
