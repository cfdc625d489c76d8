//! When media of a given time will be there, told from when that before it came.
//!
//! Networks delay and hold back, but nothing comes before it was sent: what arrived earliest in
//! relation to its media time shows the publisher's pace, and what is to come will not be earlier.

use std::time::{Duration, Instant};

use crate::time::MediaTime;

/// The earliest of one to two of these counts: clocks that drift, and a publisher that was early
/// once, are forgotten.
const WINDOW: Duration = Duration::from_secs(1);

/// Arrivals of the last seconds. A timeline that begins anew needs a new one.
#[derive(Clone, Copy, Debug, Default)]
pub struct ArrivalPace(Option<Seen>);

#[derive(Clone, Copy, Debug)]
struct Seen {
    /// The first arrival, and what arrived: all others are counted from it.
    origin: (Instant, MediaTime),
    since: Instant,
    /// The earliest of the running window and of the one before: µs later than the origin's pace.
    earliest: i64,
    before: i64,
}

impl ArrivalPace {
    /// Media of this time arrived.
    pub fn observe(&mut self, now: Instant, time: MediaTime) {
        let fresh = Seen { origin: (now, time), since: now, earliest: 0, before: i64::MAX };
        let seen = self.0.get_or_insert(fresh);
        let (origin, first) = seen.origin;
        let waited = now.saturating_duration_since(origin).as_micros();
        let late =
            i64::try_from(waited).unwrap_or(i64::MAX).saturating_sub(micros(time.minus(first)));
        if now.saturating_duration_since(seen.since) >= WINDOW {
            (seen.since, seen.before) = (now, seen.earliest);
            seen.earliest = late;
        }
        seen.earliest = seen.earliest.min(late);
    }

    /// The earliest that media of this time will arrive. `None` while nothing has.
    pub fn expected(&self, time: MediaTime) -> Option<Instant> {
        let Seen { origin: (origin, first), earliest, before, .. } = self.0?;
        let after = micros(time.minus(first)).saturating_add(earliest.min(before));
        let distance = Duration::from_micros(after.unsigned_abs());
        if after < 0 { origin.checked_sub(distance) } else { origin.checked_add(distance) }
    }
}

/// Whole milliseconds, as RTMP's times are, in µs.
fn micros(span: MediaTime) -> i64 {
    span.millis().saturating_mul(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of the test")]
    fn start() -> Instant {
        Instant::now() + Duration::from_secs(1_000)
    }

    /// When the media of 10 s is expected after arrivals (at ms, of ms).
    fn expected(arrivals: impl IntoIterator<Item = (u64, i64)>) -> Option<i64> {
        let (start, mut pace) = (start(), ArrivalPace::default());
        for (at, time) in arrivals {
            pace.observe(start + Duration::from_millis(at), MediaTime::from_millis(time));
        }
        let expected = pace.expected(MediaTime::from_millis(10_000))?;
        let ahead = expected.saturating_duration_since(start).as_millis() as i64;
        Some(ahead - start.saturating_duration_since(expected).as_millis() as i64)
    }

    #[test]
    fn the_earliest_arrival_of_lately_tells_the_pace() {
        let steady =
            |late: fn(u64) -> u64| (0..200).map(move |n| (n * 40 + late(n), n as i64 * 40));
        for (name, want, told) in [
            ("nothing came", None, expected([])),
            ("one", Some(10_500), expected([(500, 0)])),
            ("in time", Some(10_000), expected(steady(|_| 0))),
            ("read in batches", Some(10_000), expected(steady(|n| (4 - n % 5) * 40))),
            ("jitter", Some(10_003), expected(steady(|n| 3 + n * 7 % 20))),
            ("a hiccup at the end", Some(10_000), expected(steady(|n| n / 195 * 300))),
            ("a burst at the start is forgotten", Some(10_000), {
                expected((0..200).map(|n| (if n < 20 { 0 } else { n * 40 }, n as i64 * 40)))
            }),
            (
                "twenty times as fast",
                Some(2_438),
                expected((0..200).map(|n| (2 * n, n as i64 * 40))),
            ),
            ("a clock that goes back", Some(10_000), expected([(1_000, 0), (0, 1_000)])),
        ] {
            assert_eq!(told, want, "{name}");
        }
    }

    #[test]
    fn absurd_times_are_no_overflow() {
        let (start, mut pace) = (start(), ArrivalPace::default());
        pace.observe(start, MediaTime::from_millis(0));
        for time in [i64::MAX / 1_000, i64::MIN / 1_000] {
            pace.observe(start, MediaTime::from_millis(time));
            let _ = pace.expected(MediaTime::from_millis(-time));
        }
    }
}
