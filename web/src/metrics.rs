//! What players tell of how they fare, in windows, and the sentence made of it (API §5.6).
//!
//! Players are told apart by a hash of address and program; the newest figure of each counts, and a
//! window ends every two minutes. Reports carry no other trace of a person.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::admin::Sample;
use crate::json;
use crate::settings::SettingError;
use crate::shape::{Shape, may, must};

/// What a player tells: numbers since its last report, kbit/s and seconds.
pub const REPORT_SHAPE: Shape = Shape::Object(&[
    must("errors", Shape::Amount),
    must("qualityVariantChanges", Shape::Amount),
    may("bandwidth", Shape::Amount),
    may("latency", Shape::Amount),
    may("downloadDuration", Shape::Amount),
]);

/// Samples kept of each series: ten hours of two minutes.
pub const SAMPLES_MAX: usize = 300;
/// Players heard in one window; more are not counted.
const PLAYERS_MAX: usize = 50_000;

/// One report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Errors of playback.
    pub errors: f64,
    /// Changes to another variant.
    pub quality_variant_changes: f64,
    /// Measured speed of the line, kbit/s.
    pub bandwidth: Option<f64>,
    /// Behind live, seconds.
    pub latency: Option<f64>,
    /// Of one segment, seconds.
    pub download_duration: Option<f64>,
}

/// Reads the body of `POST /api/metrics/playback`.
pub fn parse_report(body: &[u8]) -> Result<Report, SettingError> {
    let value = REPORT_SHAPE.check(json::parse(body)?)?;
    serde_json::from_value(value).map_err(|error| SettingError::Rule(error.to_string()))
}

/// `health` of the admin's status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    /// What an operator could do about it; empty when all is well.
    pub message: String,
    /// Players without errors, of those that told, in percent.
    pub health_percentage: u32,
    /// Players that told, of all viewers, in percent.
    pub representation: u32,
    /// More than three quarters are without errors.
    pub healthy: bool,
}

/// What the overview is judged by beside the reports.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Circumstances {
    /// Viewers now.
    pub viewers: u32,
    /// Mean of the last two samples, percent.
    pub cpu_percent: f64,
    /// Lowest bit rate on offer, kbit/s; 0 when unknown.
    pub bitrate_min_kbit: u32,
    /// One of the variants is the publisher's own.
    pub has_source: bool,
    /// Wanted length of a segment, seconds.
    pub segment_seconds: u32,
}

/// The window that is open, and the series of those that are closed.
#[derive(Clone, Debug, Default)]
pub struct Playback {
    players: HashMap<u64, Report>,
    overview: Option<Overview>,
    series: Series,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Series {
    errors: Vec<Sample>,
    quality_variant_changes: Vec<Sample>,
    highest_latency: Vec<Sample>,
    median_latency: Vec<Sample>,
    lowest_latency: Vec<Sample>,
    median_segment_download_duration: Vec<Sample>,
    maximum_segment_download_duration: Vec<Sample>,
    minimum_segment_download_duration: Vec<Sample>,
    min_player_bitrate: Vec<Sample>,
    median_player_bitrate: Vec<Sample>,
    max_player_bitrate: Vec<Sample>,
}

impl Playback {
    /// Counts a report. `player` is the hash that tells viewers apart.
    pub fn note(&mut self, player: u64, report: Report) {
        if self.players.len() >= PLAYERS_MAX && !self.players.contains_key(&player) {
            return;
        }
        let earlier = self.players.entry(player).or_default();
        earlier.errors += report.errors;
        earlier.quality_variant_changes += report.quality_variant_changes;
        earlier.bandwidth = report.bandwidth.or(earlier.bandwidth);
        earlier.latency = report.latency.or(earlier.latency);
        earlier.download_duration = report.download_duration.or(earlier.download_duration);
    }

    /// Ends the window: one sample of each series that anybody told of.
    pub fn close_window(&mut self, at_ms: i64, circumstances: &Circumstances) {
        let reports: Vec<Report> = self.players.drain().map(|(_, report)| report).collect();
        self.overview = overview(&reports, circumstances);
        if reports.is_empty() {
            return;
        }
        let sum = |of: fn(&Report) -> f64| reports.iter().map(of).sum::<f64>();
        let put = |series: &mut Vec<Sample>, value: f64| push(series, Sample { at_ms, value });
        let series = &mut self.series;
        put(&mut series.errors, sum(|report| report.errors));
        put(&mut series.quality_variant_changes, sum(|report| report.quality_variant_changes));
        if let Some([lowest, median, highest]) = spread(&reports, |report| report.latency) {
            put(&mut series.lowest_latency, lowest);
            put(&mut series.median_latency, median);
            put(&mut series.highest_latency, highest);
        }
        if let Some([lowest, median, highest]) = spread(&reports, |report| report.download_duration)
        {
            put(&mut series.minimum_segment_download_duration, lowest);
            put(&mut series.median_segment_download_duration, median);
            put(&mut series.maximum_segment_download_duration, highest);
        }
        if let Some([lowest, median, highest]) = spread(&reports, |report| report.bandwidth) {
            put(&mut series.min_player_bitrate, lowest.round());
            put(&mut series.median_player_bitrate, median.round());
            put(&mut series.max_player_bitrate, highest.round());
        }
    }

    /// How players fared in the last whole window.
    #[must_use]
    pub const fn overview(&self) -> Option<&Overview> {
        self.overview.as_ref()
    }

    /// The body of `GET /api/admin/metrics/video`.
    #[must_use]
    pub fn to_json(&self, bitrates_kbit: &[u32], segment_seconds: u32) -> Vec<u8> {
        let mut value = serde_json::to_value(&self.series).expect("samples are finite");
        let representation = self.overview.as_ref().map_or(0, |view| view.representation);
        if let Value::Object(object) = &mut value {
            object.insert("availableBitrates".to_owned(), bitrates_kbit.into());
            object.insert("segmentLength".to_owned(), segment_seconds.into());
            object.insert("representation".to_owned(), representation.into());
        }
        json::write(&value)
    }
}

/// Appends to a series of at most [`SAMPLES_MAX`]; the oldest goes.
pub fn push(series: &mut Vec<Sample>, sample: Sample) {
    if series.len() >= SAMPLES_MAX {
        series.remove(0);
    }
    series.push(sample);
}

/// Lowest, median and highest of those that told.
fn spread(reports: &[Report], of: fn(&Report) -> Option<f64>) -> Option<[f64; 3]> {
    let mut values: Vec<f64> = reports.iter().filter_map(of).collect();
    values.sort_by(f64::total_cmp);
    let (first, last) = (values.first()?, values.last()?);
    Some([*first, *values.get(values.len() / 2)?, *last])
}

/// API §5.6, in our words.
fn overview(reports: &[Report], circumstances: &Circumstances) -> Option<Overview> {
    let viewers = circumstances.viewers;
    if viewers == 0 || reports.is_empty() {
        return None;
    }
    let share = |count: usize, of: usize| {
        u32::try_from(count.saturating_mul(100) / of.max(1)).unwrap_or(100).min(100)
    };
    let with_errors = reports.iter().filter(|report| report.errors > 0.0).count();
    let health_percentage = 100 - share(with_errors, reports.len());
    if health_percentage < 1 {
        return None;
    }
    let told: Vec<f64> = reports.iter().filter_map(|report| report.bandwidth).collect();
    let least = f64::from(circumstances.bitrate_min_kbit) * 1.1;
    let slow = told.iter().filter(|kbit| **kbit < least).count();
    let message = if circumstances.cpu_percent >= 90.0 {
        "The machine is busier than it should be: offer fewer or smaller variants.".to_owned()
    } else if slow > 0 {
        let percent = share(slow, told.len());
        format!(
            "{slow} of {} players ({percent} %) have lines too slow for the smallest variant: \
             offer a smaller one.",
            told.len()
        )
    } else if with_errors > 0 && reports.len() >= 3 {
        let cause = if circumstances.has_source {
            "one variant is the publisher's own pictures; an encoded one is steadier."
        } else if circumstances.segment_seconds < 3 {
            "more delay would give players more to go on with."
        } else {
            "a smaller variant might help."
        };
        format!("{with_errors} of {} players had errors: {cause}", reports.len())
    } else {
        String::new()
    };
    let representation = share(told.len(), usize::try_from(viewers).unwrap_or(usize::MAX));
    let healthy = health_percentage > 75;
    Some(Overview { message, health_percentage, representation, healthy })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_becomes_one_sample_of_each_series() {
        let mut playback = Playback::default();
        for (player, latency) in [(1, 2.0), (2, 5.0), (3, 1.0), (1, 3.0)] {
            let report = Report { latency: Some(latency), errors: 1.0, ..Report::default() };
            playback.note(player, report);
        }
        let circumstances = Circumstances { viewers: 4, ..Circumstances::default() };
        playback.close_window(1_000, &circumstances);
        let value: Value = serde_json::from_slice(&playback.to_json(&[900], 2)).unwrap();
        let last = |name: &str| value[name][0]["value"].as_f64();
        assert_eq!(last("errors"), Some(4.0));
        assert_eq!(last("lowestLatency"), Some(1.0));
        assert_eq!(last("medianLatency"), Some(3.0));
        assert_eq!(last("highestLatency"), Some(5.0));
        assert_eq!(value["minPlayerBitrate"], serde_json::json!([]));
        assert_eq!(value["availableBitrates"], serde_json::json!([900]));
        // All of them had errors: nothing can be said of health.
        assert_eq!(playback.overview(), None);
    }

    #[test]
    fn the_first_reason_is_told() {
        let report =
            |errors: f64, kbit: f64| Report { errors, bandwidth: Some(kbit), ..Report::default() };
        let calm = Circumstances { viewers: 10, bitrate_min_kbit: 1_000, ..Default::default() };
        let busy = Circumstances { cpu_percent: 95.0, ..calm };
        let source = Circumstances { has_source: true, ..calm };
        let good = [report(0.0, 5_000.0); 4];
        let slow = [report(0.0, 5_000.0), report(0.0, 900.0)];
        let faulty = [good[0], good[1], good[2], report(1.0, 5_000.0)];
        for (reports, circumstances, words, healthy) in [
            (&good[..], &calm, "", true),
            (&good, &busy, "busier", true),
            (&slow, &calm, "1 of 2 players (50 %)", true),
            (&faulty, &source, "publisher's own", false),
            (&faulty, &calm, "more delay", false),
        ] {
            let overview = overview(reports, circumstances).unwrap();
            assert!(overview.message.contains(words), "{overview:?}");
            assert_eq!(overview.healthy, healthy, "{overview:?}");
        }
        assert_eq!(overview(&[], &calm), None);
        assert_eq!(overview(&good, &Circumstances::default()), None);
    }

    #[test]
    fn reports_need_two_numbers() {
        assert!(parse_report(br#"{"errors":0,"qualityVariantChanges":1,"latency":2.5}"#).is_ok());
        for body in [
            &br#"{"errors":0}"#[..],
            br#"{"errors":-1,"qualityVariantChanges":1}"#,
            br#"{"errors":"0","qualityVariantChanges":1}"#,
            br#"{"errors":0,"qualityVariantChanges":1,"x":1}"#,
            b"",
        ] {
            assert!(parse_report(body).is_err());
        }
    }
}
