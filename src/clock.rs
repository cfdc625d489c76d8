//! The two clocks of the process and the one place where they are read for media.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use riverrun_media::time::UnixTime;

/// The date now.
pub fn date() -> UnixTime {
    date_of(SystemTime::now())
}

/// The date of `at`, an instant of the last seconds: the anchor of PROGRAM-DATE-TIME is taken so
/// once per timeline and a step of the system clock moves no date until the next (TS-9).
pub fn date_at(at: Instant) -> UnixTime {
    let ago = Instant::now().saturating_duration_since(at);
    date_of(SystemTime::now().checked_sub(ago).unwrap_or(UNIX_EPOCH))
}

fn date_of(time: SystemTime) -> UnixTime {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
