//! The objects that the admin reads (API §1.6, §1.9).

use serde::Serialize;

use crate::json;
use crate::metrics::PlaybackView;
use crate::rfc3339;
use crate::settings::Variant;
use crate::viewers::Geo;

/// A figure at a time: what Owncast calls a timestamped value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// When, ms since 1970.
    #[serde(rename = "time", serialize_with = "rfc3339::serialize_millis")]
    pub at_ms: i64,
    /// How much, in the unit of its series; finite.
    pub value: f64,
}

/// `GET /api/admin/hardwarestats`, in percent.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Hardware {
    /// Of the data folder's file system, used.
    pub disk: Vec<Sample>,
    /// Of the machine's memory, used.
    pub memory: Vec<Sample>,
    /// Of all cores, busy.
    pub cpu: Vec<Sample>,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// When, ms since 1970.
    #[serde(rename = "time", serialize_with = "rfc3339::serialize_millis")]
    pub at_ms: i64,
    /// What happened.
    pub message: String,
    /// `error`, `warning`, `info`, `debug` or `trace`.
    pub level: &'static str,
}

/// Somebody who watches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Viewer {
    /// Since when, ms since 1970.
    #[serde(rename = "firstSeen", serialize_with = "rfc3339::serialize_millis")]
    pub first_seen_ms: i64,
    /// Where; `None` without a database of places, or where that does not know.
    pub geo: Option<Geo>,
    /// The program.
    pub user_agent: String,
    /// From where.
    pub ip_address: String,
    /// Hash of the two.
    #[serde(rename = "clientID")]
    pub client_id: String,
}

/// A player of somebody who watches, or somebody whose players tell nothing.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlaybackClient {
    /// One for each player.
    #[serde(rename = "clientID")]
    pub client_id: String,
    /// As [`Viewer::client_id`].
    #[serde(rename = "viewerID")]
    pub viewer_id: String,
    /// As [`Viewer::first_seen_ms`].
    #[serde(rename = "firstSeen", serialize_with = "rfc3339::serialize_millis")]
    pub first_seen_ms: i64,
    /// As [`Viewer::geo`].
    pub geo: Option<Geo>,
    /// The program.
    pub user_agent: String,
    /// From where.
    pub ip_address: String,
    /// What the player tells.
    pub playback: Option<PlaybackView>,
}

impl PlaybackClient {
    /// A player of this viewer; `session` tells it from the viewer's others, and is 0 where there
    /// is no need.
    #[must_use]
    pub fn new(viewer: &Viewer, session: u64, playback: Option<PlaybackView>) -> Self {
        let viewer = viewer.clone();
        let client_id = match session {
            0 => viewer.client_id.clone(),
            session => format!("{}-{session:016x}", viewer.client_id),
        };
        Self {
            client_id,
            viewer_id: viewer.client_id,
            first_seen_ms: viewer.first_seen_ms,
            geo: viewer.geo,
            user_agent: viewer.user_agent,
            ip_address: viewer.ip_address,
            playback,
        }
    }
}

/// `GET /api/admin/status`
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AdminStatus {
    /// Who sends; `None` while nobody does.
    pub broadcaster: Option<Broadcaster>,
    /// What is made of it; `None` while nobody sends.
    pub current_broadcast: Option<CurrentBroadcast>,
    /// How viewers fare; `None` when nobody told.
    pub health: Option<crate::metrics::Overview>,
    /// What is on.
    pub stream_title: String,
    /// The bare version.
    pub version_number: String,
    /// Viewers now, hidden or not.
    pub viewer_count: u32,
    /// Most viewers ever.
    pub overall_peak_viewer_count: u32,
    /// Most viewers of this broadcast, or of the last.
    pub session_peak_viewer_count: u32,
    /// Viewers can play now.
    pub online: bool,
}

/// Who sends.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Broadcaster {
    /// Since when, ms since 1970.
    #[serde(rename = "time", serialize_with = "rfc3339::serialize_millis")]
    pub since_ms: i64,
    /// From where.
    pub remote_addr: String,
    /// What.
    pub stream_details: StreamDetails,
}

/// What a publisher sends.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamDetails {
    /// `H.264` and its like; `Unknown` when there is none.
    pub video_codec: String,
    /// `AAC` and its like; `No audio` when there is none.
    pub audio_codec: String,
    /// What the encoder calls itself.
    pub encoder: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// kbit/s, measured.
    pub video_bitrate: u32,
    /// kbit/s, measured.
    pub audio_bitrate: u32,
    /// Pictures a second.
    pub framerate: f64,
}

/// What is made of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CurrentBroadcast {
    output_settings: Vec<VariantView>,
    latency_level: Level,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Level {
    level: u8,
}

impl CurrentBroadcast {
    /// These variants at this level.
    #[must_use]
    pub fn new(variants: &[Variant], level: u8) -> Self {
        Self { output_settings: variant_views(variants), latency_level: Level { level } }
    }
}

/// A variant as Owncast shows it: by its derived name, with effective values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VariantView {
    name: String,
    video_passthrough: bool,
    audio_passthrough: bool,
    video_bitrate: u32,
    audio_bitrate: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    scaled_width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scaled_height: Option<u32>,
    framerate: u32,
    cpu_usage_level: u8,
}

/// Variants as the API shows them.
#[must_use]
pub fn variant_views(variants: &[Variant]) -> Vec<VariantView> {
    let view = |variant: &Variant| VariantView {
        name: variant.display_name(),
        video_passthrough: variant.video_passthrough,
        audio_passthrough: variant.audio_passthrough || variant.audio_bitrate == 0,
        video_bitrate: variant.video_bitrate,
        audio_bitrate: variant.audio_bitrate,
        scaled_width: Some(variant.scaled_width).filter(|width| *width > 0),
        scaled_height: Some(variant.scaled_height).filter(|height| *height > 0),
        framerate: if variant.video_passthrough { 0 } else { variant.framerate },
        cpu_usage_level: variant.cpu_usage_level,
    };
    variants.iter().map(view).collect()
}

impl AdminStatus {
    /// The object as the response body.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        json::write(self)
    }
}

/// The name that Owncast gives a codec, by its entry in CODECS (RFC 6381).
#[must_use]
pub fn codec_name(codecs: &str) -> &str {
    const NAMES: [(&str, &str); 12] = [
        ("avc1", "H.264"),
        ("avc3", "H.264"),
        ("hvc1", "H.265"),
        ("hev1", "H.265"),
        ("av01", "AV1"),
        ("mp4a.40.34", "MP3"),
        ("mp4a.6b", "MP3"),
        ("mp4a", "AAC"),
        ("opus", "Opus"),
        ("flac", "FLAC"),
        ("ac-3", "AC-3"),
        ("ec-3", "E-AC-3"),
    ];
    let entry = codecs.to_ascii_lowercase();
    NAMES.iter().find(|(start, _)| entry.starts_with(start)).map_or(codecs, |(_, name)| name)
}

/// Whether a body of this `Content-Type` is read as JSON. Scripts that send JSON under the default
/// of curl or under none have always been heard; what is plainly something else is not.
#[must_use]
pub fn takes_body(content_type: Option<&str>) -> bool {
    let Some(content_type) = content_type else { return true };
    let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let known =
        ["application/json", "text/json", "text/plain", "application/x-www-form-urlencoded"];
    media.is_empty() || media.ends_with("+json") || known.contains(&media.as_str())
}

/// Latest moment that may be asked for, seconds since 1970: the end of the year 9999.
pub const WINDOW_START_MAX: u64 = 253_402_300_799;

/// `windowStart` of `viewersOverTime` and `history`: seconds since 1970.
#[must_use]
pub fn window_start(query: Option<&str>) -> Option<u64> {
    let value = query?.split('&').find_map(|pair| pair.strip_prefix("windowStart="))?;
    value.parse().ok().filter(|seconds| *seconds <= WINDOW_START_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codecs_by_their_names() {
        for (codecs, name) in [
            ("avc1.64001f", "H.264"),
            ("hvc1.1.6.L93.B0", "H.265"),
            ("mp4a.40.2", "AAC"),
            ("mp4a.40.34", "MP3"),
            ("Opus", "Opus"),
            ("vp09.x", "vp09.x"),
        ] {
            assert_eq!(codec_name(codecs), name);
        }
    }

    #[test]
    fn bodies_are_json_unless_they_say_otherwise() {
        for (content_type, taken) in [
            (None, true),
            (Some("application/json; charset=utf-8"), true),
            (Some("application/x-www-form-urlencoded"), true),
            (Some("text/plain"), true),
            (Some("multipart/form-data; boundary=x"), false),
            (Some("application/xml"), false),
        ] {
            assert_eq!(takes_body(content_type), taken, "{content_type:?}");
        }
    }

    #[test]
    fn the_window_is_a_whole_number() {
        for (query, want) in [
            (Some("windowStart=5"), Some(5)),
            (Some("x=1&windowStart=5"), Some(5)),
            (Some("windowStart="), None),
            (Some("windowStart=-1"), None),
            (Some("windowStart=253402300799"), Some(253_402_300_799)),
            (Some("windowStart=253402300800"), None),
            (Some("windowStart=1.5"), None),
            (Some("windowStart=18446744073709551616"), None),
            (Some("window=5"), None),
            (None, None),
        ] {
            assert_eq!(window_start(query), want, "{query:?}");
        }
    }
}
