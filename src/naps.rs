//! How long the publisher's thread may leave bytes in the socket.
//!
//! Dozens of messages come each second, and each that is read on its own costs a switch into the
//! thread and out of it, with caches that are cold: more than all work on its bytes. Most of them
//! complete nothing that a viewer waits for. The thread sleeps until the next that does, and reads
//! what has gathered in one call.

use std::time::{Duration, Instant};

/// The longest nap: what gathers at 10 Mbit/s fits into one read, and an operator's figures of
/// jitter stay meaningful.
const NAP_MAX: Duration = Duration::from_millis(50);
/// A shorter one costs as much as it saves.
const NAP_MIN: Duration = Duration::from_millis(2);

/// Adapts naps to the bit rate.
#[derive(Debug)]
pub struct Naps {
    longest: Duration,
    napped: bool,
}

impl Default for Naps {
    fn default() -> Self {
        Self { longest: NAP_MAX, napped: false }
    }
}

impl Naps {
    /// How long to sleep at `now`, if it is worth it and nothing is wanted before `quiet_until`.
    pub fn next(&mut self, now: Instant, quiet_until: Option<Instant>) -> Option<Duration> {
        let left = quiet_until?.saturating_duration_since(now).min(self.longest);
        self.napped = left >= NAP_MIN;
        self.napped.then_some(left)
    }

    /// A read took `bytes` of the `room` there was. More than one read after a nap means that the
    /// socket may have been full and the publisher held back: naps get shorter.
    pub fn observe(&mut self, bytes: usize, room: usize) {
        if !std::mem::take(&mut self.napped) {
            return;
        }
        if bytes >= room {
            self.longest = (self.longest / 2).max(NAP_MIN);
        } else if bytes < room / 2 {
            self.longest = (self.longest * 2).min(NAP_MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_due_is_slept_over() {
        let now = Instant::now();
        let mut naps = Naps::default();
        for (quiet_ms, want) in [
            (None, None),
            (Some(0), None),
            (Some(1), None),
            (Some(30), Some(30)),
            (Some(900), Some(50)),
        ] {
            let quiet_until = quiet_ms.map(|quiet| now + Duration::from_millis(quiet));
            assert_eq!(
                naps.next(now, quiet_until),
                want.map(Duration::from_millis),
                "{quiet_ms:?}"
            );
        }
        assert_eq!(naps.next(now, now.checked_sub(Duration::from_secs(1))), None);
    }

    #[test]
    fn a_fast_publisher_is_not_held_back() {
        let now = Instant::now();
        let quiet = Some(now + Duration::from_secs(1));
        let mut naps = Naps::default();
        // Bytes in a millisecond, and the nap that comes of it in steady state.
        for (rate, longest) in [(750, 50..=50), (3_000, 12..=25), (15_000, 2..=7), (750, 50..=50)] {
            let mut nap = Duration::ZERO;
            for _ in 0..20 {
                nap = naps.next(now, quiet).unwrap();
                let gathered = nap.as_millis() as usize * rate;
                naps.observe(gathered.min(65_536), 65_536);
                naps.observe(65_536, 65_536);
            }
            assert!(longest.contains(&nap.as_millis()), "{rate}: {nap:?}");
        }
    }
}
