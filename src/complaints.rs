//! How many log lines a second the faults of peers may cause.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// Lines a second on one shard; the rest is silent.
pub const COMPLAINTS_PER_SECOND_MAX: u32 = 10;

/// Counts the lines of the current second.
#[derive(Debug, Default)]
pub struct Complaints {
    second: Cell<Option<Instant>>,
    count: Cell<u32>,
}

impl Complaints {
    /// Whether one more line may be written.
    pub fn allows(&self, now: Instant) -> bool {
        let is_current = |since| now.saturating_duration_since(since) < Duration::from_secs(1);
        if !self.second.get().is_some_and(is_current) {
            self.second.set(Some(now));
            self.count.set(0);
        }
        self.count.set(self.count.get().saturating_add(1));
        self.count.get() <= COMPLAINTS_PER_SECOND_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_and_the_next_second_speaks_again() {
        let (complaints, start) = (Complaints::default(), Instant::now());
        let written = (0..1_000).filter(|_| complaints.allows(start)).count();
        assert_eq!(written, COMPLAINTS_PER_SECOND_MAX as usize);
        assert!(complaints.allows(start + Duration::from_secs(1)));
    }
}
