//! Wrong stream keys, counted per address: guessing is slowed down and then turned away (AU-3).

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use riverrun_net::io::client_of;

/// Wrong keys from one address (IPv6: one /64) within [`WINDOW`] before its connections are closed
/// unheard.
pub const FAILURES_MAX: u32 = 10;
/// How long a wrong key counts.
pub const WINDOW: Duration = Duration::from_secs(60);
/// How long the answer to a wrong key is held back.
pub const DELAY: Duration = Duration::from_millis(500);
/// Addresses remembered at once; the oldest is forgotten first.
pub const ADDRESSES_MAX: usize = 4_096;

/// The record of one shard.
#[derive(Debug, Default)]
pub struct Failures {
    by_address: HashMap<IpAddr, Record>,
}

#[derive(Debug)]
struct Record {
    since: Instant,
    count: u32,
}

impl Failures {
    /// Counts a wrong key.
    pub fn note(&mut self, now: Instant, address: IpAddr) {
        let address = client_of(address);
        if self.by_address.len() >= ADDRESSES_MAX && !self.by_address.contains_key(&address) {
            self.make_room(now);
        }
        let record = self.by_address.entry(address).or_insert(Record { since: now, count: 0 });
        if now.saturating_duration_since(record.since) >= WINDOW {
            *record = Record { since: now, count: 0 };
        }
        record.count += 1;
    }

    /// A right key forgives.
    pub fn forgive(&mut self, address: IpAddr) {
        self.by_address.remove(&client_of(address));
    }

    /// This address has guessed too often.
    pub fn refuses(&self, now: Instant, address: IpAddr) -> bool {
        self.by_address.get(&client_of(address)).is_some_and(|record| {
            record.count >= FAILURES_MAX && now.saturating_duration_since(record.since) < WINDOW
        })
    }

    fn make_room(&mut self, now: Instant) {
        self.by_address.retain(|_, r| now.saturating_duration_since(r.since) < WINDOW);
        if self.by_address.len() >= ADDRESSES_MAX {
            let oldest = self.by_address.iter().min_by_key(|(_, r)| r.since).map(|(a, _)| *a);
            if let Some(oldest) = oldest {
                self.by_address.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_is_refused_for_a_while() {
        let start = Instant::now();
        let (guesser, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let mut failures = Failures::default();
        for _ in 0..FAILURES_MAX {
            assert!(!failures.refuses(start, guesser));
            failures.note(start, guesser);
        }
        assert!(failures.refuses(start, guesser) && !failures.refuses(start, other));
        assert!(!failures.refuses(start + WINDOW, guesser));
        failures.forgive(guesser);
        assert!(!failures.refuses(start, guesser));
    }

    #[test]
    fn memory_is_bounded() {
        let start = Instant::now();
        let mut failures = Failures::default();
        for n in 0..20_000u32 {
            failures.note(start + Duration::from_millis(n.into()), IpAddr::from(n.to_be_bytes()));
        }
        assert!(failures.by_address.len() <= ADDRESSES_MAX);
    }
}
