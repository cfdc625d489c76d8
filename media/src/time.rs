//! Time as values with a unit: wire milliseconds, media ticks, dates.
//!
//! [`RtmpTimestamp`] knows only wrapping comparison (TS-1). [`MediaTime`] is a tick count with its
//! timescale and never loses precision until a playlist prints seconds. [`UnixTime`] is a date,
//! used for PROGRAM-DATE-TIME and logs alone.

use std::cmp::Ordering;
use std::fmt;
use std::num::NonZeroU32;

/// Ticks per second of a track or a message clock, in hertz.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timescale(NonZeroU32);

impl Timescale {
    /// 1 kHz: RTMP message times.
    pub const MILLIS: Self = Self::constant(1_000);
    /// 90 kHz: every video track (CM-4).
    pub const VIDEO: Self = Self::constant(90_000);

    const fn constant(hz: u32) -> Self {
        match NonZeroU32::new(hz) {
            Some(hz) => Self(hz),
            None => panic!("a timescale is never zero"),
        }
    }

    /// `None` when `hz` is 0.
    pub const fn new(hz: u32) -> Option<Self> {
        match NonZeroU32::new(hz) {
            Some(hz) => Some(Self(hz)),
            None => None,
        }
    }

    /// Ticks per second.
    pub const fn hz(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Debug for Timescale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} Hz", self.0)
    }
}

/// A point or span on a media timeline: signed ticks of a [`Timescale`].
///
/// Equality and order compare the instants, not the representation: 1 s at 1 kHz equals 1 s at
/// 90 kHz.
#[derive(Clone, Copy)]
pub struct MediaTime {
    ticks: i64,
    timescale: Timescale,
}

impl MediaTime {
    /// `ticks` of `timescale`.
    pub const fn new(ticks: i64, timescale: Timescale) -> Self {
        Self { ticks, timescale }
    }

    /// Whole milliseconds at 1 kHz.
    pub const fn from_millis(millis: i64) -> Self {
        Self::new(millis, Timescale::MILLIS)
    }

    /// Ticks of [`Self::timescale`].
    pub const fn ticks(self) -> i64 {
        self.ticks
    }

    /// The unit of [`Self::ticks`].
    pub const fn timescale(self) -> Timescale {
        self.timescale
    }

    /// The same instant in another unit, rounded to the nearest tick and clamped to `i64`.
    ///
    /// The product is formed in 128 bits: nanoseconds times 90000 leave 64 bits after 28 hours
    /// (CM-7).
    pub fn rescale(self, to: Timescale) -> Self {
        if self.timescale == to {
            return self;
        }
        let from = i128::from(self.timescale.hz());
        let scaled = i128::from(self.ticks) * i128::from(to.hz());
        let rounded = (scaled + from / 2).div_euclid(from);
        Self::new(clamp(rounded), to)
    }

    /// Sum in the unit of `self`; saturates at the ends of `i64`.
    pub fn plus(self, span: Self) -> Self {
        Self::new(self.ticks.saturating_add(span.rescale(self.timescale).ticks), self.timescale)
    }

    /// Difference in the unit of `self`; saturates at the ends of `i64`.
    pub fn minus(self, other: Self) -> Self {
        Self::new(self.ticks.saturating_sub(other.rescale(self.timescale).ticks), self.timescale)
    }

    /// Seconds, for playlists and people; not for arithmetic.
    pub fn seconds(self) -> f64 {
        self.ticks as f64 / f64::from(self.timescale.hz())
    }

    /// Milliseconds rounded to the nearest.
    pub fn millis(self) -> i64 {
        self.rescale(Timescale::MILLIS).ticks
    }
}

fn clamp(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

impl PartialEq for MediaTime {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for MediaTime {}

impl PartialOrd for MediaTime {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for MediaTime {
    fn cmp(&self, other: &Self) -> Ordering {
        let left = i128::from(self.ticks) * i128::from(other.timescale.hz());
        let right = i128::from(other.ticks) * i128::from(self.timescale.hz());
        left.cmp(&right)
    }
}

impl fmt::Debug for MediaTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ticks, self.timescale.hz())
    }
}

/// The wrapping 32-bit millisecond clock of RTMP messages (RTMP §5.3.1, TS-1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct RtmpTimestamp(pub u32);

impl RtmpTimestamp {
    /// Signed distance from `earlier` to `self` in ms by serial arithmetic (RFC 1982).
    pub const fn since(self, earlier: Self) -> i32 {
        self.0.wrapping_sub(earlier.0) as i32
    }

    /// `self` moved by a delta modulo 2^32; a delta of 2^31 or more steps back (CK-8).
    pub const fn wrapping_add(self, delta: u32) -> Self {
        Self(self.0.wrapping_add(delta))
    }
}

/// A date: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct UnixTime {
    millis: i64,
}

impl UnixTime {
    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self { millis }
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.millis
    }

    /// This date moved by a span of media time, rounded to the millisecond.
    pub fn plus(self, span: MediaTime) -> Self {
        Self { millis: self.millis.saturating_add(span.millis()) }
    }
}

/// ISO 8601 in UTC with milliseconds, as PROGRAM-DATE-TIME wants it (PL-16).
impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.millis.div_euclid(86_400_000);
        let in_day = self.millis.rem_euclid(86_400_000);
        let (year, month, day) = civil_from_days(days);
        let (hour, minute) = (in_day / 3_600_000, in_day / 60_000 % 60);
        let (second, milli) = (in_day / 1_000 % 60, in_day % 1_000);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
    }
}

/// Proleptic Gregorian date of a day count since 1970-01-01. Years are counted from March so that
/// the leap day is the last of its year.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    const DAYS_FROM_YEAR_0: i64 = 719_468;
    const DAYS_IN_400_YEARS: i64 = 146_097;
    let shifted = days + DAYS_FROM_YEAR_0;
    let era = shifted.div_euclid(DAYS_IN_400_YEARS);
    let day_of_era = shifted.rem_euclid(DAYS_IN_400_YEARS);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_print_as_iso_8601() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_790_000_000_123, "2026-09-21T14:13:20.123Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(UnixTime::from_millis(millis).to_string(), text);
        }
    }

    #[test]
    fn rescaling_survives_long_broadcasts() {
        let year = 366 * 86_400_000;
        let t = MediaTime::from_millis(year).rescale(Timescale::VIDEO);
        assert_eq!(t.ticks(), year * 90);
        assert_eq!(t.millis(), year);
        assert_eq!(MediaTime::from_millis(i64::MAX).rescale(Timescale::VIDEO).ticks(), i64::MAX);
    }

    #[test]
    fn rtmp_times_compare_across_the_wrap() {
        assert_eq!(RtmpTimestamp(5).since(RtmpTimestamp(u32::MAX)), 6);
        assert_eq!(RtmpTimestamp(u32::MAX).since(RtmpTimestamp(5)), -6);
        assert_eq!(RtmpTimestamp(10).wrapping_add(u32::MAX), RtmpTimestamp(9));
    }

    #[test]
    fn order_ignores_the_unit() {
        let a = MediaTime::from_millis(1_000);
        let b = MediaTime::new(90_000, Timescale::VIDEO);
        assert_eq!(a, b);
        assert!(MediaTime::new(90_001, Timescale::VIDEO) > a);
    }
}
