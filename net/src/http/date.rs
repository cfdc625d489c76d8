//! The `Date` field (RFC 9110 §5.6.7): formatted once a second, shared by all answers of a shard.
//!
//! Players set their clock by this field (CH-11), so it is exact to its second and never stale.

use std::time::{SystemTime, UNIX_EPOCH};

/// A wall-clock second in the fixed form `Sun, 06 Nov 1994 08:49:37 GMT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpDate {
    text: [u8; 29],
}

impl HttpDate {
    /// The second that contains `time`. Times outside the years 1970 to 9999 become the nearest
    /// second inside them: the form has no others.
    #[must_use]
    pub fn from_system_time(time: SystemTime) -> Self {
        use std::io::Write as _;

        let second = unix_second(time).min(LAST_SECOND);
        let time = UNIX_EPOCH + std::time::Duration::from_secs(second);
        let mut text = *b"Thu, 01 Jan 1970 00:00:00 GMT";
        // The form is exactly 29 bytes long; if a write ever fell short the epoch's tail would
        // remain, still a valid length.
        let _ = write!(text.as_mut_slice(), "{}", httpdate::HttpDate::from(time));
        Self { text }
    }

    /// The 29 bytes of the field's value.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }
}

/// Formats at most once per second.
#[derive(Debug)]
pub struct DateCache {
    second: u64,
    date: HttpDate,
}

impl DateCache {
    /// A cache filled for `time`.
    #[must_use]
    pub fn new(time: SystemTime) -> Self {
        Self { second: unix_second(time), date: HttpDate::from_system_time(time) }
    }

    /// The date asked for last.
    #[must_use]
    pub const fn current(&self) -> HttpDate {
        self.date
    }

    /// The date of `time`. A clock that was set back is followed.
    pub fn at(&mut self, time: SystemTime) -> HttpDate {
        let second = unix_second(time);
        if second != self.second {
            *self = Self::new(time);
        }
        self.date
    }
}

/// 9999-12-31T23:59:59Z.
const LAST_SECOND: u64 = 253_402_300_799;

fn unix_second(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn formats_the_example_of_the_standard_and_the_edges() {
        let cases = [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
            (LAST_SECOND, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (LAST_SECOND + 5, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ];
        for (second, text) in cases {
            let date = HttpDate::from_system_time(UNIX_EPOCH + Duration::from_secs(second));
            assert_eq!(std::str::from_utf8(date.as_bytes()).unwrap(), text);
        }
        let before = HttpDate::from_system_time(UNIX_EPOCH - Duration::from_secs(5));
        assert_eq!(before.as_bytes(), b"Thu, 01 Jan 1970 00:00:00 GMT");
    }

    #[test]
    fn the_cache_follows_the_clock_both_ways() {
        let at = |ms| UNIX_EPOCH + Duration::from_millis(ms);
        let mut cache = DateCache::new(at(1_000));
        let first = cache.at(at(1_999));
        assert_eq!(cache.current(), first);
        assert_eq!(first, HttpDate::from_system_time(at(1_000)));
        let second = cache.at(at(2_000));
        assert_ne!(first, second);
        assert_eq!(cache.at(at(1_500)), first);
    }
}
