//! PART-TARGET of a broadcast (LL-1, LL-2).
//!
//! Every part but the last of a segment must last between 85 % of PART-TARGET and all of it. Whole
//! pictures fit into the configured aim at every common frame rate; at a low or odd rate the aim is
//! raised to the next multiple of the picture duration that all renditions can keep.

use crate::time::{MediaTime, Timescale};

/// Length of one unit of a track: `units` of them last `units * numerator / denominator` seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct UnitDuration {
    numerator: u64,
    denominator: u64,
}

impl UnitDuration {
    /// From pictures per second times 1000.
    pub(super) fn of_video(frame_rate_millis: u32) -> Self {
        Self { numerator: 1_000, denominator: frame_rate_millis.max(1).into() }
    }

    /// From output samples per unit and per second.
    pub(super) fn of_audio(samples_per_unit: u32, sample_rate: u32) -> Self {
        Self { numerator: samples_per_unit.max(1).into(), denominator: sample_rate.max(1).into() }
    }

    /// Whole units in `millis`.
    fn units_in(self, millis: u64) -> u64 {
        millis * self.denominator / (self.numerator * 1_000)
    }

    /// The smallest part target that holds `units` of them.
    fn millis(self, units: u64) -> u64 {
        (units * self.numerator * 1_000).div_ceil(self.denominator) + ROUNDING_MS
    }

    /// The largest number of units that surely fits into `millis` fills at least 85 % of it.
    fn fills(self, millis: u64) -> bool {
        let units = self.units_in(millis.saturating_sub(ROUNDING_MS));
        units * self.numerator * 1_000 * 100 >= 85 * millis * self.denominator
    }
}

/// The smallest PART-TARGET not below `aim` that all tracks can fill to 85 %, in whole
/// milliseconds; at most `limit`. `aim` itself when none can.
pub(super) fn part_target(aim: MediaTime, limit: MediaTime, tracks: &[UnitDuration]) -> MediaTime {
    let aim_ms = u64::try_from(aim.millis()).unwrap_or(0).max(1);
    let limit_ms = u64::try_from(limit.millis()).unwrap_or(0).max(aim_ms);
    let fits = |millis: u64| tracks.iter().all(|track| track.fills(millis));
    let raised = tracks.iter().flat_map(|track| {
        let first = track.units_in(aim_ms) + 1;
        (first..first + CANDIDATES_PER_TRACK).map(|units| track.millis(units))
    });
    let best = std::iter::once(aim_ms).chain(raised.filter(|ms| *ms <= limit_ms));
    let millis = best.filter(|ms| fits(*ms)).min().unwrap_or_else(|| {
        // Slower than any part: one picture per part, as long as a segment may be.
        let longest = tracks.iter().map(|track| track.millis(1)).max().unwrap_or(aim_ms);
        longest.clamp(aim_ms, limit_ms)
    });
    MediaTime::new(i64::try_from(millis).unwrap_or(i64::MAX), Timescale::MILLIS)
}

/// RTMP times are whole milliseconds: the same number of pictures lasts one more now and then.
const ROUNDING_MS: u64 = 1;
/// Multiples of each track's unit that are tried above the aim.
const CANDIDATES_PER_TRACK: u64 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_rates_keep_the_aim_and_odd_ones_raise_it() {
        let aac = UnitDuration::of_audio(1_024, 48_000);
        for (fps_millis, want) in [
            (60_000, 334),
            (59_940, 334),
            (50_000, 334),
            (30_000, 334),
            (29_970, 334),
            (25_000, 334),
            (24_000, 334),
            (23_976, 334),
            (20_000, 334),
            (15_000, 343),
            (12_000, 343),
            (10_000, 334),
            (8_000, 376),
            (5_000, 401),
            (1_000, 1_001),
            (200, 3_000),
        ] {
            let tracks = [UnitDuration::of_video(fps_millis), aac];
            let got =
                part_target(MediaTime::from_millis(334), MediaTime::from_millis(3_000), &tracks);
            assert_eq!(got.millis(), want, "{fps_millis}");
        }
    }

    #[test]
    fn sound_alone_keeps_the_aim() {
        for (samples, rate) in [(1_024, 48_000), (1_024, 44_100), (2_048, 48_000), (2_048, 44_100)]
        {
            let track = UnitDuration::of_audio(samples, rate);
            let aim = MediaTime::from_millis(334);
            assert_eq!(part_target(aim, MediaTime::from_millis(3_000), &[track]), aim);
        }
    }
}
