//! Pieces that tags share: durations in decimal seconds.

use std::fmt;

use crate::time::MediaTime;

/// Places behind the dot of EXTINF and PART durations.
const DECIMALS_PER_SECOND: i128 = 100_000;

/// A span printed as the difference of its rounded ends, with five decimals.
///
/// Sums over neighbours are therefore exact, parts add up to their segment, and years of AAC units
/// do not drift (PL-5). A span no longer than a whole number of milliseconds never prints as longer
/// (LL-1).
#[derive(Clone, Copy, Debug)]
pub(in crate::hls) struct Span {
    pub(in crate::hls) start: MediaTime,
    pub(in crate::hls) end: MediaTime,
}

impl Span {
    /// In units of 10 µs; at least one, because a duration is never zero (PL-5).
    pub(in crate::hls) fn decimals(self) -> i128 {
        (rounded(self.end) - rounded(self.start)).max(1)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = self.decimals();
        write!(f, "{}.{:05}", decimals / DECIMALS_PER_SECOND, decimals % DECIMALS_PER_SECOND)
    }
}

fn rounded(time: MediaTime) -> i128 {
    let hz = i128::from(time.timescale().hz());
    (i128::from(time.ticks()) * DECIMALS_PER_SECOND + hz / 2).div_euclid(hz)
}

/// Appends a number; the formatting machinery would cost more than the rest of its line.
pub(in crate::hls) fn push_number(text: &mut String, value: u64) {
    if value >= 10 {
        push_number(text, value / 10);
    }
    text.push(char::from(b'0' + u8::try_from(value % 10).unwrap_or(0)));
}

/// Whole milliseconds printed as seconds with three decimals.
#[derive(Clone, Copy, Debug)]
pub(in crate::hls) struct Millis(pub(in crate::hls) i64);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1_000, self.0 % 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timescale;

    #[test]
    fn numbers_are_written_as_formatted() {
        for value in [0, 9, 10, 100, 65_535, u64::MAX] {
            let mut text = String::new();
            push_number(&mut text, value);
            assert_eq!(text, value.to_string());
        }
    }

    #[test]
    fn sums_of_printed_durations_do_not_drift() {
        let rate = Timescale::new(44_100).unwrap();
        let at = |unit: i64| MediaTime::new(unit * 1_024, rate);
        let printed: i128 =
            (0..100_000).map(|i| Span { start: at(i), end: at(i + 1) }.decimals()).sum();
        assert_eq!(printed, rounded(at(100_000)));
        assert_eq!(Span { start: at(0), end: at(1) }.to_string(), "0.02322");
    }

    #[test]
    fn a_span_within_whole_milliseconds_prints_within_them() {
        let longest = 334 * 90;
        for start in 0..1_000 {
            for duration in [longest, longest - 1] {
                let end = MediaTime::new(start + duration, Timescale::VIDEO);
                let span = Span { start: MediaTime::new(start, Timescale::VIDEO), end };
                assert!(span.decimals() <= 33_400, "{span}");
            }
        }
    }
}
