//! `GET /api/yp`, which the public directory reads, and `GET /api/video/variants`.

use serde::Serialize;

use crate::json;
use crate::rfc3339;
use crate::settings::{Settings, SocialHandle, Variant};

/// What the directory lists (API §1.9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Directory<'a> {
    #[serde(rename = "lastConnectTime", serialize_with = "rfc3339::serialize_seconds")]
    last_connect_ms: Option<i64>,
    name: &'a str,
    description: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    stream_title: &'a str,
    logo: &'static str,
    tags: &'a [String],
    social: &'a [SocialHandle],
    viewer_count: u32,
    overall_max_viewer_count: u32,
    session_max_viewer_count: u32,
    nsfw: bool,
    online: bool,
}

impl<'a> Directory<'a> {
    /// `None` when the operator does not want to be listed: 404. Where viewers are not told how
    /// many they are, the directory is not told either; Owncast tells it.
    #[must_use]
    pub fn of(
        settings: &'a Settings,
        online: bool,
        last_connect_ms: Option<i64>,
        [viewers, overall, session]: [u32; 3],
    ) -> Option<Self> {
        let instance = &settings.instance;
        let shown = |count| if instance.hide_viewer_count { 0 } else { count };
        instance.directory_enabled.then(|| Self {
            last_connect_ms,
            name: &instance.name,
            description: &instance.summary,
            stream_title: &instance.stream_title,
            logo: "/logo",
            tags: &instance.tags,
            social: &instance.social_handles,
            viewer_count: shown(viewers),
            overall_max_viewer_count: shown(overall),
            session_max_viewer_count: shown(session),
            nsfw: instance.nsfw,
            online,
        })
    }

    /// The object as the response body.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        json::write(self)
    }
}

/// The body of `GET /api/video/variants`: the publisher's own first, then by bit rate; `index` is
/// the number that stands with the variant, the name of its folder below `/hls/`.
#[must_use]
pub fn variants_json(variants: &[(u8, Variant)]) -> Vec<u8> {
    #[derive(Serialize)]
    struct Named {
        name: String,
        index: u8,
    }
    let mut ordered: Vec<_> = variants.iter().collect();
    ordered.sort_by_key(|(_, variant)| {
        (!variant.video_passthrough, std::cmp::Reverse(variant.video_bitrate))
    });
    let named =
        |(index, variant): &(u8, Variant)| Named { name: variant.display_name(), index: *index };
    json::write(&ordered.into_iter().map(named).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unlisted_means_not_there() {
        let mut settings = Settings::default();
        assert_eq!(Directory::of(&settings, true, None, [1, 2, 3]), None);
        settings.instance.directory_enabled = true;
        let seen = |settings: &Settings| {
            let directory = Directory::of(settings, true, Some(0), [1, 3, 2]).unwrap();
            serde_json::from_slice::<serde_json::Value>(&directory.to_json()).unwrap()
        };
        let value = seen(&settings);
        assert_eq!(
            (value["viewerCount"].as_u64(), value["logo"].as_str()),
            (Some(1), Some("/logo"))
        );
        assert_eq!(value["lastConnectTime"], "1970-01-01T00:00:00Z");
        assert!(value.get("streamTitle").is_none());
        settings.instance.hide_viewer_count = true;
        assert_eq!(seen(&settings)["overallMaxViewerCount"], 0);
    }

    #[test]
    fn the_source_comes_first_and_indices_stay() {
        let sized = |video_bitrate, scaled_height| Variant {
            video_bitrate,
            scaled_height,
            ..Variant::default()
        };
        let variants = [(0, sized(900, 360)), (1, sized(2_000, 720)), (2, Variant::source())];
        let value: serde_json::Value = serde_json::from_slice(&variants_json(&variants)).unwrap();
        let want = serde_json::json!([{"name": "Source", "index": 2}, {"name": "720h", "index": 1},
            {"name": "360h", "index": 0}]);
        assert_eq!(value, want);
    }
}
