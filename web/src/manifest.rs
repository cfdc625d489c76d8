//! `/manifest.json`: what a phone needs to know to keep the page among its apps (W3C Web
//! Application Manifest).

use serde_json::{Value, json};

use crate::admin::PictureKind;
use crate::api::WebConfig;
use crate::json;

/// Longest name below an icon, characters; phones cut it off near there.
const SHORT_NAME_CHARACTERS: usize = 12;

/// The logo as an icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogoIcon {
    /// What it is.
    pub kind: PictureKind,
    /// Width and height in pixels; `None` for vectors.
    pub size: Option<(u32, u32)>,
}

impl LogoIcon {
    /// The icon that these bytes are.
    #[must_use]
    pub fn of(kind: PictureKind, bytes: &[u8]) -> Self {
        Self { kind, size: kind.size(bytes) }
    }
}

/// The manifest of a server that shows this.
#[must_use]
pub fn manifest(config: &WebConfig, logo: LogoIcon) -> Vec<u8> {
    let short: String = config.name.chars().take(SHORT_NAME_CHARACTERS).collect();
    let mut manifest = json!({
        "id": "/",
        "name": config.name,
        "short_name": short.trim_end(),
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#0e1213",
        "theme_color": "#0e1213",
        "icons": [{"src": "/logo", "type": logo.kind.media_type(), "sizes": sizes(logo)}],
    });
    if !config.summary.is_empty() {
        manifest["description"] = Value::String(config.summary.clone());
    }
    json::write(&manifest)
}

fn sizes(logo: LogoIcon) -> String {
    logo.size.map_or_else(|| "any".to_owned(), |(width, height)| format!("{width}x{height}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_and_the_logo_are_the_servers() {
        let config =
            WebConfig { name: "Northern Light </script>".to_owned(), ..WebConfig::default() };
        let gif = LogoIcon::of(PictureKind::Gif, b"GIF89a\x40\x01\xb4\0");
        let text = manifest(&config, gif);
        assert!(!String::from_utf8_lossy(&text).contains('<'));
        let value: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(value["name"], config.name);
        assert_eq!(value["short_name"], "Northern Lig");
        let icon = json!({"src": "/logo", "type": "image/gif", "sizes": "320x180"});
        assert_eq!(value["icons"][0], icon);
        assert!(value.get("description").is_none());
        let svg = LogoIcon { kind: PictureKind::Svg, size: None };
        let value: Value = serde_json::from_slice(&manifest(&config, svg)).unwrap();
        assert_eq!(value["icons"][0]["sizes"], "any");
    }
}
