//! Milliseconds since 1970 to RFC 3339 text in UTC, as the API's fields want it.

use serde::Serializer;

const MS_PER_DAY: i64 = 86_400_000;
/// 0000-01-01 and the last millisecond of 9999: RFC 3339 has four digits for the year.
const MS_MIN: i64 = -62_167_219_200_000;
const MS_MAX: i64 = 253_402_300_799_999;

/// `2026-11-22T08:10:23.040Z`. Times outside the years 0 to 9999 are moved to the nearest that
/// fits.
pub(crate) fn millis(unix_ms: i64) -> String {
    let ms = unix_ms.clamp(MS_MIN, MS_MAX);
    format!("{}.{:03}Z", date_and_time(ms), ms.rem_euclid(1000))
}

/// `2026-11-22T08:10:23Z`: the fields that API §1.9 gives in whole seconds.
pub(crate) fn seconds(unix_ms: i64) -> String {
    format!("{}Z", date_and_time(unix_ms.clamp(MS_MIN, MS_MAX)))
}

/// For serde: a time with milliseconds.
#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature.
pub(crate) fn serialize_millis<S: Serializer>(unix_ms: &i64, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&millis(*unix_ms))
}

/// For serde: a time in whole seconds, or null.
pub(crate) fn serialize_seconds<S: Serializer>(
    unix_ms: &Option<i64>,
    s: S,
) -> Result<S::Ok, S::Error> {
    match unix_ms {
        Some(ms) => s.serialize_str(&seconds(*ms)),
        None => s.serialize_none(),
    }
}

fn date_and_time(unix_ms: i64) -> String {
    let (year, month, day) = civil_from_days(unix_ms.div_euclid(MS_PER_DAY));
    let second = unix_ms.rem_euclid(MS_PER_DAY) / 1000;
    let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}")
}

/// Day number since 1970-01-01 to the Gregorian date. Years are counted from March, so that the
/// leap day is the last day of a year, and in eras of 400 years, which all have 146 097 days.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let from_march_0000 = days + 719_468;
    let era = from_march_0000.div_euclid(146_097);
    let day_of_era = from_march_0000.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_agree_with_the_calendar() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (1_709_251_200_000, "2024-03-01T00:00:00.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (i64::MAX, "9999-12-31T23:59:59.999Z"),
            (i64::MIN, "0000-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(millis(ms), text);
        }
    }

    #[test]
    fn seconds_drop_the_fraction() {
        assert_eq!(seconds(1_795_334_423_999), "2026-11-22T08:00:23Z");
    }
}
