//! Wrong stream keys and passwords, counted per address: guessing is slowed down and then turned
//! away, each time for longer (AU-3).

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use riverrun_net::io::client_of;

/// Wrong secrets from one address (IPv6: one /64) within [`WINDOW`] before it is not heard.
pub const FAILURES_MAX: u32 = 10;
/// How long a wrong secret counts, and how long the first lock lasts.
pub const WINDOW: Duration = Duration::from_secs(60);
/// Each lock lasts twice as long as the one before, up to this many doublings: about an hour.
const DOUBLINGS_MAX: u32 = 6;
/// An address that was quiet for so long begins anew.
const MEMORY: Duration = Duration::from_secs(2 * 3_600);
/// How long the answer to a wrong key is held back.
pub const DELAY: Duration = Duration::from_millis(500);
/// Addresses remembered at once; the oldest is forgotten first.
pub const ADDRESSES_MAX: usize = 4_096;

/// The record of one shard, or of all.
#[derive(Debug, Default)]
pub struct Failures {
    by_address: HashMap<IpAddr, Record>,
}

#[derive(Debug)]
struct Record {
    since: Instant,
    count: u32,
    /// Locks so far.
    locks: u32,
    locked_until: Option<Instant>,
    newest: Instant,
}

impl Failures {
    /// Counts a wrong secret.
    pub fn note(&mut self, now: Instant, address: IpAddr) {
        let address = client_of(address);
        if self.by_address.len() >= ADDRESSES_MAX && !self.by_address.contains_key(&address) {
            self.make_room(now);
        }
        let new = Record { since: now, count: 0, locks: 0, locked_until: None, newest: now };
        let record = self.by_address.entry(address).or_insert(new);
        if now.saturating_duration_since(record.since) >= WINDOW {
            record.since = now;
            record.count = 0;
        }
        record.count += 1;
        record.newest = now;
        if record.count >= FAILURES_MAX {
            record.locked_until = Some(now + WINDOW * 2_u32.pow(record.locks.min(DOUBLINGS_MAX)));
            record.locks += 1;
            record.count = 0;
        }
    }

    /// A right secret forgives.
    pub fn forgive(&mut self, address: IpAddr) {
        self.by_address.remove(&client_of(address));
    }

    /// This address has guessed too often.
    pub fn refuses(&self, now: Instant, address: IpAddr) -> bool {
        self.refuses_for(now, address).is_some()
    }

    /// For how long this address is not heard; `None` when it is.
    pub fn refuses_for(&self, now: Instant, address: IpAddr) -> Option<Duration> {
        let until = self.by_address.get(&client_of(address))?.locked_until?;
        Some(until.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }

    fn make_room(&mut self, now: Instant) {
        self.by_address.retain(|_, r| now.saturating_duration_since(r.newest) < MEMORY);
        if self.by_address.len() >= ADDRESSES_MAX {
            let oldest = self.by_address.iter().min_by_key(|(_, r)| r.newest).map(|(a, _)| *a);
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
    fn guessing_is_refused_for_longer_each_time() {
        let start = Instant::now();
        let (guesser, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let mut failures = Failures::default();
        let mut now = start;
        for lock in [WINDOW, WINDOW * 2, WINDOW * 4] {
            for _ in 0..FAILURES_MAX {
                assert!(!failures.refuses(now, guesser));
                failures.note(now, guesser);
            }
            assert_eq!(failures.refuses_for(now, guesser), Some(lock));
            assert!(failures.refuses(now, guesser) && !failures.refuses(now, other));
            now += lock;
        }
        assert!(!failures.refuses(now, guesser));
        failures.forgive(guesser);
        assert!(failures.by_address.is_empty());
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
