//! Whether this shard serves its viewers in time, and so whether it takes another one (P22, F17).
//!
//! A core with more viewers than it can serve serves all of them late, and none of them can watch.
//! So who comes while those who watch are served late is asked to come again in a second, before
//! any work is done for them. A viewer comes by the multivariant playlist, which players load once;
//! nobody who watches is refused anything.
//!
//! Late is judged by what is to be avoided: the time from a part's release to the answer for the
//! last of those who waited for it. A core that is busy with other things, downloads or a
//! benchmark, refuses nobody as long as parts go out in time.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// The last waiter's answer may take this long; P5 calls a part late from 50 ms on.
pub const LAG_MAX: Duration = Duration::from_millis(40);
/// So many parts in a row must be late: one is a hiccup of the machine.
const LATE_RELEASES: u32 = 2;
/// Without parts for this long nobody is late any more.
const FORGET_AFTER: Duration = Duration::from_secs(2);

/// How promptly the waiters of one rendition are served.
#[derive(Debug)]
pub struct Load {
    released_at: Cell<Option<Instant>>,
    /// The longest that one who waited for the latest release has waited since.
    lag: Cell<Duration>,
    late_releases: Cell<u32>,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            released_at: Cell::new(None),
            lag: Cell::new(Duration::ZERO),
            late_releases: Cell::new(0),
        }
    }
}

impl Load {
    /// A part was released; the one before it is judged.
    pub fn release(&self, now: Instant) {
        let late = self.lag.replace(Duration::ZERO) > LAG_MAX;
        self.late_releases.set(if late { self.late_releases.get() + 1 } else { 0 });
        self.released_at.set(Some(now));
    }

    /// One who waited is being answered.
    pub fn answer(&self, now: Instant) {
        if let Some(at) = self.released_at.get() {
            self.lag.set(self.lag.get().max(now.saturating_duration_since(at)));
        }
    }

    /// Those who watch are served late.
    pub fn is_late(&self, now: Instant) -> bool {
        let recent = |at: Instant| now.saturating_duration_since(at) < FORGET_AFTER;
        self.late_releases.get() >= LATE_RELEASES && self.released_at.get().is_some_and(recent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parts each 300 ms whose last waiter is answered after these many milliseconds; whether
    /// viewers are refused after each.
    fn refused(lags: &[u64]) -> Vec<bool> {
        let (start, load) = (Instant::now(), Load::default());
        let mut refused = Vec::new();
        for (part, lag) in (0..).zip(lags) {
            let at = start + Duration::from_millis(part * 300);
            load.release(at);
            refused.push(load.is_late(at));
            load.answer(at + Duration::from_millis(lag / 2));
            load.answer(at + Duration::from_millis(*lag));
        }
        refused
    }

    #[test]
    fn two_late_parts_in_a_row_close_the_door_and_one_in_time_opens_it() {
        assert_eq!(refused(&[1, 40, 90, 1, 90, 1]), [false; 6], "single hiccups");
        assert_eq!(
            refused(&[50, 50, 50, 50, 10, 10]),
            [false, false, true, true, true, false],
            "judged when the next part is released"
        );
    }

    #[test]
    fn lateness_is_forgotten_when_no_parts_come() {
        let (start, load) = (Instant::now(), Load::default());
        assert!(!load.is_late(start));
        load.answer(start);
        for part in 0..4_u32 {
            let at = start + part * Duration::from_millis(300);
            load.release(at);
            load.answer(at + Duration::from_millis(200));
        }
        assert!(load.is_late(start + Duration::from_secs(2)));
        assert!(!load.is_late(start + Duration::from_secs(3)));
    }
}
