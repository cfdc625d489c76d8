//! Plain figures to judge by, in the API's names.

use serde::Serialize;

/// Figures to judge by, of the last ten seconds where they are of a time. `None` is unknown, or
/// does not exist now.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Readings {
    /// What the publisher sends; `None` while nobody is on air.
    pub ingest: Option<Ingest>,
    /// The ladder's decoder; `None` while nothing is decoded.
    pub decoder: Option<Decoder>,
    /// The encoded renditions.
    pub renditions: Vec<Rendition>,
    /// Shards.
    pub delivery: Option<Delivery>,
    /// The machine.
    pub machine: Machine,
    /// Why the store did not take what was to be kept, the last time it was asked.
    pub store_error: Option<String>,
    /// The date, ms since 1970.
    pub date_ms: Option<i64>,
}

/// What a publisher sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ingest {
    /// It is away; the broadcast waits for it.
    pub is_away: bool,
    /// Pictures per second.
    pub pictures: f64,
    /// kbit/s.
    pub video_kbit: f64,
    /// kbit/s.
    pub audio_kbit: f64,
    /// Between two keyframes, seconds of media.
    pub keyframe_gap: Option<f64>,
    /// How far arrivals are from their pace, seconds.
    pub jitter: f64,
    /// Longest wait for a picture, seconds.
    pub arrival_gap: f64,
}

/// The ladder's decoder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Decoder {
    /// Pictures decoded.
    pub pictures: u32,
    /// Pictures left out for want of time.
    pub skipped: u32,
}

/// What a rendition does without because the machine is slow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Nothing.
    #[default]
    Full,
    /// Every second picture.
    Half,
    /// The same, at the cheapest settings.
    Cheap,
    /// Everything, until it is tried again.
    Suspended,
}

impl Step {
    /// Words for [`Step`] in the API.
    pub const WORDS: &[&str] = &["full", "half", "cheap", "suspended"];
}

/// An encoded rendition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rendition {
    /// Number of its variant.
    pub variant: u32,
    /// Nobody asks for it, so nothing is encoded.
    pub is_paused: bool,
    /// What it does without.
    pub step: Step,
    /// Coded pictures.
    pub pictures: u32,
    /// Pictures that were due and are missing: dropped or late.
    pub lost: u32,
    /// kbit/s.
    pub kbit: f64,
    /// Seconds of media made in a second of work.
    pub speed: Option<f64>,
    /// From the arrival of the source's picture to the coded one, seconds: mean.
    pub lag: Option<f64>,
    /// The longest of it, seconds.
    pub lag_max: f64,
}

/// Shards and what they send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// Shards that tell of themselves.
    pub shards: u32,
    /// Those whose viewers are served late, so that they take no more.
    pub late: u32,
    /// Connections of viewers and publishers.
    pub connections: u64,
}

/// The machine and what this process takes of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    /// Of all cores, busy, percent; mean of a minute.
    pub cpu: Option<f64>,
    /// Of the memory, used, percent.
    pub memory: Option<f64>,
    /// Bytes free for us on the file system of the data folder.
    pub disk_free: Option<u64>,
    /// Open files of this process, and how many are allowed.
    pub open_files: Option<(u64, u64)>,
}
