//! Where decoded units stand on the line of input samples (TS-5, EN-6).
//!
//! Units are counted, not timed: each begins where the one before ended. Their times only steer.
//!
//! | a unit's time beside the count | what happens |
//! |---|---|
//! | within 40 ms, on average by less than 0.75 ms | nothing: rounding and jitter |
//! | within 40 ms, on average by more | one sample a unit is put in or left out until they agree |
//! | later by up to 2 s | silence fills the gap |
//! | later by more | the line starts over at the unit's time; the gap stays |
//! | earlier by more than 40 ms | what is already there is left out of the unit |

/// Units this far from the count, in ms, are jitter (EN-6).
const JITTER_MS_MAX: i64 = 40;
/// Longest silence put in, in ms: a hundred units to encode at once. A longer pause is told by the
/// source as a new start, or has been filled by it.
const SILENCE_MS_MAX: i64 = 2_000;
/// Average distance that is corrected, in microseconds: more than message times rounded down to
/// milliseconds cause, less than anyone sees.
const LEAN_US_MAX: i64 = 750;
/// Units over which the distance is averaged: two thirds of a second.
const LEAN_UNITS: i64 = 32;
/// Parts of a tick in which the average is kept.
const FINE: i64 = 256;

/// The count of input samples.
#[derive(Debug)]
pub(super) struct Line {
    /// Ticks per second.
    rate: i64,
    /// Where the next unit is due.
    next: i64,
    /// Average distance of times from the count, in ticks times [`FINE`].
    lean: i64,
}

/// What to do with a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It follows the one before.
    Next(Nudge),
    /// So many ticks of silence come first.
    After(i64),
    /// So many ticks at its front are left out; all of them if there are so many.
    Without(i64),
    /// Everything starts over at its time.
    Anew,
}

/// A correction by one sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nudge {
    /// None.
    Keep,
    /// One sample is put in before the unit.
    Insert,
    /// The unit's first sample is left out.
    Remove,
}

impl Line {
    /// A line whose first unit stands at `start`, in ticks of `rate` per second.
    pub(super) const fn new(rate: u32, start: i64) -> Self {
        Self { rate: rate as i64, next: start, lean: 0 }
    }

    /// Ticks per second.
    pub(super) const fn rate(&self) -> i64 {
        self.rate
    }

    /// Where everything placed so far ends.
    #[cfg(test)]
    pub(super) const fn end(&self) -> i64 {
        self.next
    }

    /// Places a unit that is told to stand at `at` and lasts `length` ticks.
    pub(super) fn place(&mut self, at: i64, length: i64) -> Place {
        let distance = at.saturating_sub(self.next);
        let jitter = self.ticks(JITTER_MS_MAX);
        if distance > self.ticks(SILENCE_MS_MAX) {
            return Place::Anew;
        }
        if distance > jitter {
            self.next += distance + length;
            self.lean = 0;
            return Place::After(distance);
        }
        if distance < -jitter {
            let without = length.min(distance.saturating_neg());
            self.next += length - without;
            self.lean = 0;
            return Place::Without(without);
        }
        self.lean += (distance * FINE - self.lean) / LEAN_UNITS;
        let nudge = if self.lean.abs() * 1_000_000 <= LEAN_US_MAX * self.rate * FINE {
            Nudge::Keep
        } else if self.lean > 0 {
            Nudge::Insert
        } else {
            Nudge::Remove
        };
        let by = match nudge {
            Nudge::Keep => 0,
            Nudge::Insert => 1,
            Nudge::Remove => -1,
        };
        self.next += length + by;
        self.lean -= by * FINE;
        Place::Next(nudge)
    }

    const fn ticks(&self, millis: i64) -> i64 {
        self.rate * millis / 1_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 48_000;
    const UNIT: i64 = 1_024;

    #[test]
    fn gaps_overlaps_and_jumps() {
        for (distance_ms, expected) in [
            (0, Place::Next(Nudge::Keep)),
            (20, Place::Next(Nudge::Keep)),
            (-20, Place::Next(Nudge::Keep)),
            (40, Place::Next(Nudge::Insert)),
            (-40, Place::Next(Nudge::Remove)),
            (41, Place::After(41 * 48)),
            (2_000, Place::After(96_000)),
            (2_001, Place::Anew),
            (i64::from(i32::MAX), Place::Anew),
            (-41, Place::Without(UNIT)),
            (-60_000, Place::Without(UNIT)),
        ] {
            let mut line = Line::new(RATE, 1_000_000);
            line.place(1_000_000, UNIT);
            let at = 1_000_000 + UNIT + distance_ms * 48;
            assert_eq!(line.place(at, UNIT), expected, "{distance_ms} ms");
        }
        assert_eq!(Line::new(RATE, 0).place(i64::MAX, UNIT), Place::Anew);
        assert_eq!(Line::new(RATE, 0).place(i64::MIN, UNIT), Place::Without(UNIT));
    }

    #[test]
    fn a_long_unit_is_left_out_in_part() {
        let mut line = Line::new(RATE, 10_000);
        assert_eq!(line.place(7_000, 4_096), Place::Without(3_000));
        assert_eq!(line.end(), 11_096);
    }

    #[test]
    fn two_hours_of_rounded_times_are_left_alone() {
        for rate in [44_100_u32, 48_000, 96_000] {
            let hz = i64::from(rate);
            let mut line = Line::new(rate, 0);
            for unit in 0..2 * 3_600 * hz / UNIT {
                // Rounded down to milliseconds, as on the wire.
                let millis = unit * UNIT * 1_000 / hz;
                assert_eq!(line.place(millis * hz / 1_000, UNIT), Place::Next(Nudge::Keep));
            }
        }
    }

    /// A sound card that is off by 200 ppm, for two hours.
    #[test]
    fn a_clock_that_drifts_is_followed_by_whole_samples() {
        for ppm in [-200_i64, -30, 30, 200] {
            let mut line = Line::new(RATE, 0);
            let mut nudges = 0;
            for unit in 0..2 * 3_600 * 48_000 / UNIT {
                let at = unit * UNIT + unit * UNIT * ppm / 1_000_000;
                let off = at - line.end();
                assert!(off.abs() < 48, "{ppm} ppm: off by {off} samples at unit {unit}");
                match line.place(at, UNIT) {
                    Place::Next(Nudge::Keep) => {}
                    Place::Next(Nudge::Insert) => nudges += 1,
                    Place::Next(Nudge::Remove) => nudges -= 1,
                    other => panic!("{other:?}"),
                }
            }
            let expected = 2 * 3_600 * 48_000 * ppm / 1_000_000;
            assert!((nudges - expected).abs() < 48, "{nudges} of {expected}");
        }
    }
}
