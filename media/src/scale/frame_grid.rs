//! Which pictures of a source a rung of a lower frame rate takes, and when it shows them (EN-3).
//!
//! A rate that is a whole fraction of the source's takes every second, third … picture with the
//! time that it has; so does the source's own rate, which takes all of them. Any other rate lays a
//! grid of its own over the timeline: each of its places gets the picture nearest to it, with the
//! time of the place, so that they follow each other evenly. Either way a picture is shown within
//! half an interval of the source of where every other rendition shows it (AL-2), for hours on end.
//!
//! The picture that begins a segment is always taken, at its own time, and the grid starts anew
//! from it: all renditions cut at the same instant (AL-3). A place that no picture falls to stays
//! empty; the picture before it stands longer.

use crate::time::{MediaTime, Timescale};

/// Rates are told in pictures per 1000 seconds; ticks are those of 90 kHz.
const TICKS_PER_1000_SECONDS: i64 = 90_000_000;
/// How far, in thousandths, a rate may be from a whole fraction of the source's to mean it: NTSC's
/// rates are 0.1 % below the whole number that people write for them.
const SAME_RATE_MILLIS: u32 = 5;

/// Lowers the frame rate of one rung.
#[derive(Debug)]
pub struct FrameGrid {
    pace: Pace,
    /// The last picture seen.
    seen: Option<i64>,
    /// Time given to the last picture taken.
    given: Option<i64>,
}

#[derive(Clone, Copy, Debug)]
enum Pace {
    /// Every picture.
    All,
    /// Those that are at least this far behind the one before, in ticks.
    Fraction { apart: i64 },
    /// Those that fall to a place of their own on a grid.
    Grid { rate_millis: i64, begin: i64, last: i64 },
}

impl FrameGrid {
    /// `asked_millis` and `source_millis` are pictures per second times 1000. An asked rate of 0,
    /// or above the source's, means the source's. A source of no known rate has no fractions.
    pub fn new(asked_millis: u32, source_millis: Option<u32>) -> Self {
        let pace = match (asked_millis, source_millis.unwrap_or(0)) {
            (0, _) => Pace::All,
            (asked, 0) => Pace::grid(asked),
            (asked, source) => match whole_fraction(asked, source) {
                Some(1) => Pace::All,
                Some(every) => Pace::every(every, source),
                None => Pace::grid(asked),
            },
        };
        Self { pace, seen: None, given: None }
    }

    /// Whether the picture shown at `pts` is taken, and the time that it gets, at 90 kHz. Both only
    /// ever rise: a picture that is not later than the one before is left out. `boundary`: it
    /// begins a segment.
    pub fn take(&mut self, pts: MediaTime, boundary: bool) -> Option<MediaTime> {
        let pts = pts.rescale(Timescale::VIDEO).ticks();
        let before = self.seen;
        if before.is_some_and(|before| pts <= before) {
            return None;
        }
        self.seen = Some(pts);
        let time = match self.given {
            Some(given) if !boundary => self.pace.time(pts, before, given)?,
            _ => {
                self.pace.begin(pts);
                pts
            }
        };
        // Only a source that suddenly hurries can be earlier than the place of the picture before.
        let time = self.given.map_or(time, |given| time.max(given.saturating_add(1)));
        self.given = Some(time);
        Some(MediaTime::new(time, Timescale::VIDEO))
    }
}

impl Pace {
    const fn grid(asked_millis: u32) -> Self {
        Self::Grid { rate_millis: asked_millis as i64, begin: 0, last: 0 }
    }

    /// Half an interval of the source before its picture is due: where the one before is nearer.
    fn every(every: u32, source_millis: u32) -> Self {
        let halves = 2 * i64::from(every) - 1;
        Self::Fraction { apart: TICKS_PER_1000_SECONDS * halves / (2 * i64::from(source_millis)) }
    }

    const fn begin(&mut self, pts: i64) {
        if let Self::Grid { begin, last, .. } = self {
            (*begin, *last) = (pts, 0);
        }
    }

    fn time(&mut self, pts: i64, before: Option<i64>, given: i64) -> Option<i64> {
        match self {
            Self::All => Some(pts),
            Self::Fraction { apart } => (pts.saturating_sub(given) >= *apart).then_some(pts),
            Self::Grid { rate_millis, begin, last } => {
                let interval = TICKS_PER_1000_SECONDS / *rate_millis;
                // Up to here a place is nearer to this picture than to the next, as far as can be
                // told without waiting for that; halfway between two it is the next one's.
                let reach = before.map_or(0, |before| pts.saturating_sub(before).min(interval) / 2);
                let until = i128::from(pts) - i128::from(*begin) + i128::from(reach) - 1;
                let place = until * i128::from(*rate_millis) / i128::from(TICKS_PER_1000_SECONDS);
                let place = i64::try_from(place).ok().filter(|place| place > last)?;
                *last = place;
                let since = i128::from(place) * i128::from(TICKS_PER_1000_SECONDS);
                let rate = i128::from(*rate_millis);
                let since = i64::try_from((since + rate / 2) / rate).ok()?;
                Some(begin.saturating_add(since))
            }
        }
    }
}

/// `Some(n)` when every `n`-th picture of the source is what was asked for.
fn whole_fraction(asked_millis: u32, source_millis: u32) -> Option<u32> {
    let (asked, source) = (u64::from(asked_millis), u64::from(source_millis));
    let every = ((source + asked / 2) / asked).max(1);
    let off = source.abs_diff(every * asked) * 1_000;
    let close = asked >= source || off <= source * u64::from(SAME_RATE_MILLIS);
    close.then_some(u32::try_from(every).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A source of `rate_millis` for some seconds, its times rounded to `unit` ticks.
    fn source(rate_millis: i64, seconds: i64, unit: i64) -> impl Iterator<Item = i64> {
        let count = seconds * rate_millis / 1_000;
        (0..count).map(move |n| {
            let exact = n * TICKS_PER_1000_SECONDS / rate_millis;
            (exact + unit / 2) / unit * unit
        })
    }

    fn taken(grid: &mut FrameGrid, source: impl IntoIterator<Item = i64>) -> Vec<(i64, i64)> {
        let mut taken = Vec::new();
        for pts in source {
            let time = grid.take(MediaTime::new(pts, Timescale::VIDEO), false);
            taken.extend(time.map(|time| (pts, time.ticks())));
        }
        taken
    }

    fn assert_rising(taken: &[(i64, i64)]) {
        assert!(taken.windows(2).all(|pair| pair[0].1 < pair[1].1));
    }

    #[test]
    fn whole_fractions_take_every_nth_picture_at_its_own_time() {
        // Exact times, and those of RTMP in whole milliseconds.
        for unit in [1, 90] {
            for (source_millis, asked_millis, every) in [
                (60_000, 30_000, 2),
                (60_000, 20_000, 3),
                (50_000, 25_000, 2),
                (59_940, 29_970, 2),
                (59_940, 30_000, 2),
                (60_000, 29_970, 2),
                (30_000, 30_000, 1),
                (29_970, 30_000, 1),
                (30_000, 60_000, 1),
                (24_000, 30_000, 1),
                (25_000, 0, 1),
                (30_000, u32::MAX, 1),
            ] {
                let mut grid = FrameGrid::new(asked_millis, Some(source_millis));
                let pictures: Vec<i64> = source(source_millis.into(), 600, unit).collect();
                let found = taken(&mut grid, pictures.iter().copied());
                let expected: Vec<_> =
                    pictures.iter().step_by(every).map(|&pts| (pts, pts)).collect();
                assert!(found == expected, "{source_millis} to {asked_millis} in {unit}");
            }
        }
    }

    #[test]
    fn other_rates_get_an_even_grid_of_the_nearest_pictures() {
        for unit in [1, 90] {
            for (source_millis, asked_millis) in [
                (60_000, 24_000),
                (60_000, 25_000),
                (60_000, 50_000),
                (50_000, 30_000),
                (30_000, 24_000),
                (25_000, 24_000),
                (30_000, 7_000),
                (29_970, 12_345),
            ] {
                let name = format!("{source_millis} to {asked_millis} in {unit}");
                let mut grid = FrameGrid::new(asked_millis, Some(source_millis));
                let found = taken(&mut grid, source(source_millis.into(), 600, unit));
                let count = 600 * i64::from(asked_millis) / 1_000;
                assert!((found.len() as i64 - count).abs() <= 1, "{name}: {}", found.len());
                let half = TICKS_PER_1000_SECONDS / i64::from(source_millis) / 2 + unit + 2;
                for (place, (pts, time)) in found.into_iter().enumerate() {
                    let exact = place as f64 * 9e7 / f64::from(asked_millis);
                    assert!((time as f64 - exact).abs() <= 0.51, "{name}: {place} at {time}");
                    assert!((pts - time).abs() <= half, "{name}: {pts} shown at {time}");
                }
            }
        }
    }

    #[test]
    fn jitter_takes_no_place_twice_and_leaves_none_empty() {
        // By a fixed pattern, up to five of `parts` of an interval early or late: a third where the
        // pictures to take are plain, a tenth where two are about as near.
        let jitter = [0, 5, -4, 3, -5, 1, -2, 4, -1, 2];
        let uneven = |rate: i64, seconds, parts| {
            source(rate, seconds, 1)
                .zip(jitter.into_iter().cycle())
                .map(move |(pts, off)| pts + off * TICKS_PER_1000_SECONDS / rate / parts)
        };
        for (source_millis, asked_millis, parts, count) in [
            (60_000, 30_000, 15, 1_800),
            (60_000, 24_000, 50, 1_440),
            (50_000, 25_000, 15, 1_500),
            (30_000, 30_000, 15, 1_800),
            (30_000, 20_000, 50, 1_200),
        ] {
            let mut grid = FrameGrid::new(asked_millis, Some(source_millis));
            let found = taken(&mut grid, uneven(source_millis.into(), 60, parts));
            let name = format!("{source_millis} to {asked_millis}");
            assert!((found.len() as i64 - count).abs() <= 1, "{name}: {}", found.len());
            assert_rising(&found);
            let widest = found.windows(2).map(|pair| pair[1].1 - pair[0].1).max().unwrap();
            let interval = TICKS_PER_1000_SECONDS / i64::from(asked_millis);
            let uneven = TICKS_PER_1000_SECONDS / i64::from(source_millis) * 2 / 3;
            assert!(widest <= interval + uneven, "{name}: {widest} ticks apart");
        }
    }

    #[test]
    fn a_source_of_changing_pace_is_held_to_the_rate_and_never_filled_up() {
        // Ten a second, then 120, then nothing for ten seconds, then 30.
        let mut pictures: Vec<i64> = (0..100).map(|n| n * 9_000).collect();
        pictures.extend((0..1_200).map(|n| 900_000 + n * 750));
        pictures.extend((0..300).map(|n| 2_700_000 + n * 3_000));
        for source_millis in [None, Some(120_000)] {
            let mut grid = FrameGrid::new(25_000, source_millis);
            let found = taken(&mut grid, pictures.iter().copied());
            assert_rising(&found);
            let within =
                |from: i64, to| found.iter().filter(|(pts, _)| (from..to).contains(pts)).count();
            assert_eq!(within(0, 900_000), 100, "{source_millis:?}");
            assert!((249..=251).contains(&within(900_000, 1_800_000)), "{source_millis:?}");
            assert!((249..=251).contains(&within(2_700_000, 3_600_000)), "{source_millis:?}");
            let furthest = found.iter().map(|(pts, time)| (pts - time).abs()).max().unwrap();
            assert!(furthest <= 1_800, "{source_millis:?}: {furthest} ticks");
        }
    }

    #[test]
    fn two_hours_of_a_clock_that_drifts_stay_within_a_picture() {
        // The source says 60 but counts 60.03: it gains thirteen pictures.
        for (asked_millis, most) in [(30_000, 1_500), (24_000, 1_500), (25_000, 1_500)] {
            let mut grid = FrameGrid::new(asked_millis, Some(60_000));
            let found = taken(&mut grid, source(60_030, 7_200, 90));
            assert_rising(&found);
            let furthest = found.iter().map(|(pts, time)| (pts - time).abs()).max().unwrap();
            assert!(furthest <= most, "{asked_millis}: {furthest} ticks");
            let expected = 7_200 * i64::from(asked_millis) / 1_000;
            assert!((found.len() as i64 - expected).abs() <= 120, "{}", found.len());
        }
    }

    #[test]
    fn a_boundary_is_taken_at_its_own_time_and_the_grid_begins_there() {
        let mut grid = FrameGrid::new(24_000, Some(59_940));
        let mut boundaries = 0;
        let mut previous = -1;
        for (n, pts) in source(59_940, 120, 1).enumerate() {
            let boundary = n % 120 == 0;
            let time = grid.take(MediaTime::new(pts, Timescale::VIDEO), boundary);
            if boundary {
                assert_eq!(time.map(MediaTime::ticks), Some(pts));
                boundaries += 1;
            }
            if let Some(time) = time {
                assert!(previous < time.ticks(), "{n}");
                previous = time.ticks();
            }
        }
        assert_eq!(boundaries, 60);
    }

    #[test]
    fn times_that_do_not_rise_are_left_out() {
        for asked_millis in [0, 30_000, 24_000] {
            let mut grid = FrameGrid::new(asked_millis, Some(60_000));
            let pictures = [100_000, 100_000, 99_000, i64::MIN, i64::MAX - 1, i64::MAX];
            let found = taken(&mut grid, pictures);
            assert_eq!(found[0], (100_000, 100_000), "{asked_millis}");
            assert_rising(&found);
        }
        let boundary = |grid: &mut FrameGrid, pts| {
            grid.take(MediaTime::new(pts, Timescale::VIDEO), true).map(MediaTime::ticks)
        };
        let mut grid = FrameGrid::new(24_000, Some(60_000));
        assert_eq!(boundary(&mut grid, 0), Some(0));
        assert_eq!(boundary(&mut grid, 0), None);
        assert_eq!(boundary(&mut grid, 1), Some(1));
    }
}
