//! What a player tells, however it tells it, and a shard's collection of it.

use std::collections::HashMap;

use serde::Deserialize;

use crate::json;
use crate::settings::SettingError;
use crate::shape::{Shape, may, must};
use crate::viewers::ViewerKey;

/// `POST /api/metrics/playback`: numbers since the last report, kbit/s and seconds.
pub const REPORT_SHAPE: Shape = Shape::Object(&[
    must("errors", Shape::Amount),
    must("qualityVariantChanges", Shape::Amount),
    may("bandwidth", Shape::Amount),
    may("latency", Shape::Amount),
    may("downloadDuration", Shape::Amount),
]);

/// Errors or changes that one report may tell of: a hundred in some seconds is a player that does
/// nothing else.
const COUNT_MAX: f64 = 100.0;
/// Fastest line and rendition that are believed, kbit/s: 10 Gbit/s.
const KBIT_MAX: f64 = 1e7;
/// Longest time that is believed, seconds: a day.
const SECONDS_MAX: f64 = 86_400.0;
/// Players whose reports a shard collects from one telling to the next: their number in the whole
/// server (`PLAYERS_MAX`) every two seconds.
const COLLECTED_MAX: usize = 10_000;
/// Reports of one player from one telling to the next; what it sends beyond them is passed over.
const COLLECTED_OF_ONE_MAX: u8 = 4;

/// A player: who watches, and which of their windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PlayerKey {
    /// By address and program, as viewers are told apart.
    pub viewer: ViewerKey,
    /// A hash of what the player calls its session; 0 where it has no name.
    pub session: u64,
}

/// One report, or several of one player together. All numbers are within limits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Report {
    /// Errors of playback, and stops to fill the buffer.
    pub errors: f64,
    /// Changes to another rendition.
    pub quality_changes: f64,
    /// Measured speed of the line, kbit/s.
    pub bandwidth: Option<f64>,
    /// Behind live, seconds.
    pub latency: Option<f64>,
    /// To load one segment or part, seconds.
    pub download: Option<f64>,
    /// Of the rendition that is played, kbit/s.
    pub bitrate: Option<f64>,
    /// What the player does: a letter of CMCD.
    pub state: Option<char>,
}

/// The body of `POST /api/metrics/playback`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    errors: f64,
    quality_variant_changes: f64,
    bandwidth: Option<f64>,
    latency: Option<f64>,
    download_duration: Option<f64>,
}

/// Reads the body of `POST /api/metrics/playback`.
pub fn parse_report(body: &[u8]) -> Result<Report, SettingError> {
    let value = REPORT_SHAPE.check(json::parse(body)?)?;
    let body: Body =
        serde_json::from_value(value).map_err(|error| SettingError::Rule(error.to_string()))?;
    let report = Report {
        errors: body.errors,
        quality_changes: body.quality_variant_changes,
        bandwidth: body.bandwidth,
        latency: body.latency,
        download: body.download_duration,
        bitrate: None,
        state: None,
    };
    Ok(report.within_limits())
}

impl Report {
    /// The same with every number cut to what is believed.
    pub(super) fn within_limits(self) -> Self {
        let cut = |value: Option<f64>, max| value.map(|value: f64| value.clamp(0.0, max));
        Self {
            errors: self.errors.clamp(0.0, COUNT_MAX),
            quality_changes: self.quality_changes.clamp(0.0, COUNT_MAX),
            bandwidth: cut(self.bandwidth, KBIT_MAX),
            latency: cut(self.latency, SECONDS_MAX),
            download: cut(self.download, SECONDS_MAX),
            bitrate: cut(self.bitrate, KBIT_MAX),
            state: self.state,
        }
    }

    /// Adds what the player told later.
    pub(super) fn absorb(&mut self, later: &Self) {
        self.errors = (self.errors + later.errors).min(COUNT_MAX);
        self.quality_changes = (self.quality_changes + later.quality_changes).min(COUNT_MAX);
        self.bandwidth = later.bandwidth.or(self.bandwidth);
        self.latency = later.latency.or(self.latency);
        self.download = later.download.or(self.download);
        self.bitrate = later.bitrate.or(self.bitrate);
        self.state = later.state.or(self.state);
    }
}

/// What players told one shard since it told the rest of the server. A flood costs the reading of
/// it and nothing more (F25).
#[derive(Debug, Default)]
pub struct Reports {
    by_player: HashMap<PlayerKey, (Report, u8)>,
}

impl Reports {
    /// Takes a report.
    pub fn note(&mut self, player: PlayerKey, report: &Report) {
        if let Some((told, count)) = self.by_player.get_mut(&player) {
            if *count < COLLECTED_OF_ONE_MAX {
                *count += 1;
                told.absorb(report);
            }
        } else if self.by_player.len() < COLLECTED_MAX {
            self.by_player.insert(player, (*report, 1));
        }
    }

    /// All of it, once.
    pub fn take(&mut self) -> Vec<(PlayerKey, Report)> {
        self.by_player.drain().map(|(player, (report, _))| (player, report)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_need_two_numbers_and_are_within_limits() {
        let told = br#"{"errors":1e300,"qualityVariantChanges":1,"latency":2.5,"bandwidth":1e99}"#;
        let report = parse_report(told).unwrap();
        assert_eq!((report.errors, report.quality_changes), (COUNT_MAX, 1.0));
        assert_eq!((report.latency, report.bandwidth), (Some(2.5), Some(KBIT_MAX)));
        for body in [
            &br#"{"errors":0}"#[..],
            br#"{"errors":-1,"qualityVariantChanges":1}"#,
            br#"{"errors":"0","qualityVariantChanges":1}"#,
            br#"{"errors":0,"qualityVariantChanges":1,"x":1}"#,
            b"",
        ] {
            assert!(parse_report(body).is_err());
        }
        for end in 0..told.len() {
            assert!(parse_report(&told[..end]).is_err());
        }
    }

    #[test]
    fn a_flood_is_cut_for_each_player_and_for_all() {
        let mut reports = Reports::default();
        let player = |viewer| PlayerKey { viewer: ViewerKey(viewer), session: 0 };
        let report = Report { errors: 1.0, latency: Some(2.0), ..Report::default() };
        for _ in 0..100 {
            reports.note(player(1), &report);
        }
        let later = Report { latency: None, bitrate: Some(900.0), ..report };
        reports.note(player(2), &report);
        reports.note(player(2), &later);
        let mut told = reports.take();
        told.sort_by_key(|(player, _)| player.viewer.0);
        assert!((told[0].1.errors - f64::from(COLLECTED_OF_ONE_MAX)).abs() < 1e-9);
        assert_eq!((told[1].1.latency, told[1].1.bitrate), (Some(2.0), Some(900.0)));
        assert!(reports.take().is_empty());
        for viewer in 0..COLLECTED_MAX as u64 + 100 {
            reports.note(player(viewer), &report);
        }
        assert_eq!(reports.take().len(), COLLECTED_MAX);
    }
}
