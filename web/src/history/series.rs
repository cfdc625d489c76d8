//! What is measured over time: one row for each series.

/// A series. A new one goes to the end: stored blocks tell them apart by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Series {
    /// Viewers; none while nothing is on.
    Viewers,
    /// All cores, busy, percent.
    Cpu,
    /// Memory of the machine, used, percent.
    Memory,
    /// File system of the data folder, used, percent.
    Disk,
    /// Sent by the machine to others, kbit/s.
    NetworkOut,
    /// The publisher's pictures, kbit/s.
    IngestVideo,
    /// The publisher's sound, kbit/s.
    IngestAudio,
    /// The publisher's pictures, per second.
    IngestPictures,
    /// Between two keyframes of the publisher, seconds of media.
    KeyframeGap,
    /// Longest wait for a picture of the publisher, seconds.
    ArrivalGap,
    /// From the arrival of a picture to its coded form in the slowest rendition, seconds.
    EncodeLag,
    /// Seconds of media that the slowest encoder makes in a second of its work.
    EncodeSpeed,
    /// Pictures that encoded renditions lack: skipped, dropped or late.
    PicturesLost,
    /// Errors that players told.
    PlayerErrors,
    /// Changes to another rendition that players told.
    QualityChanges,
    /// Least delay behind live that players told, seconds.
    LatencyLowest,
    /// Its median.
    LatencyMedian,
    /// Its most.
    LatencyHighest,
    /// Least time to load a segment that players told, seconds.
    DownloadLowest,
    /// Its median.
    DownloadMedian,
    /// Its most.
    DownloadHighest,
    /// Slowest line that players told, kbit/s.
    BandwidthLowest,
    /// Their median.
    BandwidthMedian,
    /// The fastest.
    BandwidthHighest,
}

/// How many series there are.
pub const SERIES: usize = ALL.len();

/// Every series in its place.
pub const ALL: [Series; 24] = [
    Series::Viewers,
    Series::Cpu,
    Series::Memory,
    Series::Disk,
    Series::NetworkOut,
    Series::IngestVideo,
    Series::IngestAudio,
    Series::IngestPictures,
    Series::KeyframeGap,
    Series::ArrivalGap,
    Series::EncodeLag,
    Series::EncodeSpeed,
    Series::PicturesLost,
    Series::PlayerErrors,
    Series::QualityChanges,
    Series::LatencyLowest,
    Series::LatencyMedian,
    Series::LatencyHighest,
    Series::DownloadLowest,
    Series::DownloadMedian,
    Series::DownloadHighest,
    Series::BandwidthLowest,
    Series::BandwidthMedian,
    Series::BandwidthHighest,
];

/// Names in the API, each in its place.
pub const NAMES: [&str; SERIES] = [
    "viewers",
    "cpu",
    "memory",
    "disk",
    "networkOut",
    "ingestVideo",
    "ingestAudio",
    "ingestPictures",
    "keyframeGap",
    "arrivalGap",
    "encodeLag",
    "encodeSpeed",
    "picturesLost",
    "playerErrors",
    "qualityChanges",
    "latencyLowest",
    "latencyMedian",
    "latencyHighest",
    "downloadLowest",
    "downloadMedian",
    "downloadHighest",
    "bandwidthLowest",
    "bandwidthMedian",
    "bandwidthHighest",
];

/// What becomes of the values of a longer time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Folding {
    Mean,
    Most,
    Least,
    Sum,
}

impl Series {
    /// Its name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        NAMES[self as usize]
    }

    /// The series of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        ALL.into_iter().find(|series| series.name() == name)
    }

    pub(super) const fn folding(self) -> Folding {
        match self {
            Self::Viewers
            | Self::KeyframeGap
            | Self::ArrivalGap
            | Self::EncodeLag
            | Self::LatencyHighest
            | Self::DownloadHighest
            | Self::BandwidthHighest => Folding::Most,
            Self::EncodeSpeed
            | Self::LatencyLowest
            | Self::DownloadLowest
            | Self::BandwidthLowest => Folding::Least,
            Self::PicturesLost | Self::PlayerErrors | Self::QualityChanges => Folding::Sum,
            Self::Cpu
            | Self::Memory
            | Self::Disk
            | Self::NetworkOut
            | Self::IngestVideo
            | Self::IngestAudio
            | Self::IngestPictures
            | Self::LatencyMedian
            | Self::DownloadMedian
            | Self::BandwidthMedian => Folding::Mean,
        }
    }

    /// Stored values are whole multiples of the unit over this.
    pub(super) const fn steps_per_unit(self) -> f32 {
        match self {
            Self::Cpu | Self::Memory | Self::Disk | Self::IngestPictures => 10.0,
            Self::EncodeSpeed => 100.0,
            Self::KeyframeGap
            | Self::ArrivalGap
            | Self::EncodeLag
            | Self::LatencyLowest
            | Self::LatencyMedian
            | Self::LatencyHighest
            | Self::DownloadLowest
            | Self::DownloadMedian
            | Self::DownloadHighest => 1_000.0,
            Self::Viewers
            | Self::NetworkOut
            | Self::IngestVideo
            | Self::IngestAudio
            | Self::PicturesLost
            | Self::PlayerErrors
            | Self::QualityChanges
            | Self::BandwidthLowest
            | Self::BandwidthMedian
            | Self::BandwidthHighest => 1.0,
        }
    }
}

/// Values of a longer time together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fold {
    folding: Folding,
    value: f64,
    count: u32,
}

impl Fold {
    pub(super) const fn new(series: Series) -> Self {
        Self { folding: series.folding(), value: 0.0, count: 0 }
    }

    /// Takes a value; NaN is none.
    pub(super) fn take(&mut self, value: f32) {
        if value.is_nan() {
            return;
        }
        let value = f64::from(value);
        self.value = match self.folding {
            _ if self.count == 0 => value,
            Folding::Mean | Folding::Sum => self.value + value,
            Folding::Most => self.value.max(value),
            Folding::Least => self.value.min(value),
        };
        self.count = self.count.saturating_add(1);
    }

    pub(super) fn value(&self) -> Option<f64> {
        let count = (self.count > 0).then_some(self.count)?;
        Some(if self.folding == Folding::Mean { self.value / f64::from(count) } else { self.value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_series_is_in_its_place_and_has_a_name_of_its_own() {
        for (place, series) in ALL.into_iter().enumerate() {
            assert_eq!(series as usize, place);
            assert_eq!(Series::find(series.name()), Some(series));
        }
        assert_eq!(Series::find("nosuch"), None);
    }

    #[test]
    fn values_are_folded_as_their_series_says() {
        for (series, want) in [
            (Series::Cpu, 3.0),
            (Series::Viewers, 5.0),
            (Series::EncodeSpeed, 1.0),
            (Series::PlayerErrors, 9.0),
        ] {
            let mut fold = Fold::new(series);
            assert_eq!(fold.value(), None);
            for value in [3.0, f32::NAN, 1.0, 5.0] {
                fold.take(value);
            }
            assert_eq!(fold.value(), Some(want), "{series:?}");
        }
    }
}
