//! `GET /api/admin/metrics/video`: how players fared, in Owncast's series (API §1.9).

use serde::Serialize;

use crate::admin::Sample;
use crate::history::Series;
use crate::json;

/// The series that are told, in the order of [`VideoMetrics::new`].
pub const VIDEO_SERIES: [Series; 11] = [
    Series::PlayerErrors,
    Series::QualityChanges,
    Series::LatencyHighest,
    Series::LatencyMedian,
    Series::LatencyLowest,
    Series::DownloadMedian,
    Series::DownloadHighest,
    Series::DownloadLowest,
    Series::BandwidthLowest,
    Series::BandwidthMedian,
    Series::BandwidthHighest,
];

/// The object.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VideoMetrics {
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
    /// Of the variants on offer, kbit/s.
    pub available_bitrates: Vec<u32>,
    /// Wanted length of a segment, seconds.
    pub segment_length: u32,
    /// Players that told of their line, of all viewers, percent.
    pub representation: u32,
}

impl VideoMetrics {
    /// Of the samples of [`VIDEO_SERIES`], as they are read from the history.
    #[must_use]
    pub fn new(samples: Vec<Vec<Sample>>) -> Self {
        let mut metrics = Self::default();
        let series = [
            &mut metrics.errors,
            &mut metrics.quality_variant_changes,
            &mut metrics.highest_latency,
            &mut metrics.median_latency,
            &mut metrics.lowest_latency,
            &mut metrics.median_segment_download_duration,
            &mut metrics.maximum_segment_download_duration,
            &mut metrics.minimum_segment_download_duration,
            &mut metrics.min_player_bitrate,
            &mut metrics.median_player_bitrate,
            &mut metrics.max_player_bitrate,
        ];
        for (into, samples) in series.into_iter().zip(samples) {
            *into = samples;
        }
        metrics
    }

    /// The object as the response body.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        json::write(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_series_has_the_name_that_owncast_gives_it() {
        let one = |series: &Series| vec![Sample { at_ms: 0, value: f64::from(*series as u32) }];
        let metrics = VideoMetrics::new(VIDEO_SERIES.iter().map(one).collect());
        let value: serde_json::Value = serde_json::from_slice(&metrics.to_json()).unwrap();
        for (name, series) in [
            ("errors", Series::PlayerErrors),
            ("qualityVariantChanges", Series::QualityChanges),
            ("highestLatency", Series::LatencyHighest),
            ("lowestLatency", Series::LatencyLowest),
            ("maximumSegmentDownloadDuration", Series::DownloadHighest),
            ("medianSegmentDownloadDuration", Series::DownloadMedian),
            ("minPlayerBitrate", Series::BandwidthLowest),
            ("maxPlayerBitrate", Series::BandwidthHighest),
        ] {
            assert_eq!(value[name][0]["value"], f64::from(series as u32), "{name}");
        }
    }
}
