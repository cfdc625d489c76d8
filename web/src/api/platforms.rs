//! Platforms that a link to the streamer may name (API §4.6).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::json;

/// A platform.
struct Known {
    id: &'static str,
    /// The name that people know.
    name: &'static str,
    /// What its icon says: no platform's own mark, whose use each of them has rules for.
    letters: &'static str,
    /// Ground of the icon, six hexadecimal digits; white letters are legible on it.
    colour: &'static str,
}

const fn known(
    id: &'static str,
    name: &'static str,
    letters: &'static str,
    colour: &'static str,
) -> Known {
    Known { id, name, letters, colour }
}

/// Sorted by id.
const PLATFORMS: [Known; 30] = [
    known("bandcamp", "Bandcamp", "Bc", "1da0c3"),
    known("bluesky", "Bluesky", "Bs", "1185fe"),
    known("discord", "Discord", "Di", "5865f2"),
    known("donate", "Donate", "♥", "c2185b"),
    known("facebook", "Facebook", "f", "1877f2"),
    known("fediverse", "Fediverse", "Fe", "7b46c9"),
    known("follow", "Follow", "+", "0b7668"),
    known("github", "GitHub", "Gh", "24292f"),
    known("gitlab", "GitLab", "Gl", "e24329"),
    known("instagram", "Instagram", "Ig", "c13584"),
    known("keyoxide", "Keyoxide", "Kx", "6855c3"),
    known("kofi", "Ko-Fi", "Kf", "29abe0"),
    known("lbry", "LBRY", "LB", "2f9176"),
    known("liberapay", "Liberapay", "Lp", "8a6d00"),
    known("linkedin", "LinkedIn", "in", "0a66c2"),
    known("mastodon", "Mastodon", "Ma", "563acc"),
    known("matrix", "Matrix", "[m]", "111111"),
    known("odysee", "Odysee", "Od", "d2335c"),
    known("patreon", "Patreon", "Pa", "c8402f"),
    known("paypal", "PayPal", "PP", "003087"),
    known("peertube", "PeerTube", "PT", "d14e0c"),
    known("snapchat", "Snapchat", "Sn", "8f8500"),
    known("soundcloud", "SoundCloud", "So", "d94a00"),
    known("spotify", "Spotify", "Sp", "178a42"),
    known("steam", "Steam", "St", "1b2838"),
    known("tiktok", "TikTok", "Tk", "111111"),
    known("twitch", "Twitch", "Tw", "7b2ff7"),
    known("twitter", "X", "X", "111111"),
    known("xmpp", "XMPP", "XM", "227ee1"),
    known("youtube", "YouTube", "YT", "d50000"),
];

#[derive(Serialize)]
struct Platform {
    platform: &'static str,
    icon: String,
}

/// The body of `GET /api/socialplatforms`.
#[must_use]
pub fn platforms_json() -> Vec<u8> {
    let platforms: BTreeMap<&str, Platform> = PLATFORMS
        .iter()
        .map(|known| (known.id, Platform { platform: known.name, icon: path(known.id) }))
        .collect();
    json::write(&platforms)
}

/// Path of a platform's icon; `None` for one that is not known.
pub(super) fn icon(id: &str) -> Option<String> {
    PLATFORMS.iter().any(|known| known.id == id).then(|| path(id))
}

/// The icon in this file of the folder of icons, as SVG, whatever the ending says (API §4.6).
#[must_use]
pub fn platform_icon(file: &str) -> Option<String> {
    let platform = PLATFORMS.iter().find(|known| file_name(known.id) == file)?;
    let Known { name, letters, colour, .. } = platform;
    let size = if letters.chars().count() > 2 { 22 } else { 27 };
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 64 64\" role=\"img\">\
         <title>{name}</title><rect width=\"64\" height=\"64\" rx=\"14\" fill=\"#{colour}\"/>\
         <text x=\"32\" y=\"33\" fill=\"#fff\" font-family=\"system-ui, sans-serif\" \
         font-size=\"{size}\" font-weight=\"700\" text-anchor=\"middle\" \
         dominant-baseline=\"central\">{letters}</text></svg>\n"
    ))
}

fn path(id: &str) -> String {
    format!("{ICON_FOLDER}{}", file_name(id))
}

/// Where the icons are.
const ICON_FOLDER: &str = "/img/platformlogos/";

fn file_name(id: &str) -> String {
    match id {
        "keyoxide" => "keyoxide.png".to_owned(),
        "kofi" => "ko-fi.svg".to_owned(),
        _ => format!("{id}.svg"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_platforms_with_their_odd_icons() {
        let value: serde_json::Value = serde_json::from_slice(&platforms_json()).unwrap();
        assert_eq!(value.as_object().unwrap().len(), 30);
        assert_eq!(value["twitter"]["platform"], "X");
        assert_eq!(value["kofi"]["icon"], "/img/platformlogos/ko-fi.svg");
        assert_eq!(icon("keyoxide").as_deref(), Some("/img/platformlogos/keyoxide.png"));
        assert_eq!(icon("nosuch"), None);
    }

    #[test]
    fn every_platform_that_is_listed_has_its_icon() {
        let value: serde_json::Value = serde_json::from_slice(&platforms_json()).unwrap();
        for platform in value.as_object().unwrap().values() {
            let file = platform["icon"].as_str().unwrap().strip_prefix(ICON_FOLDER).unwrap();
            let icon = platform_icon(file).unwrap();
            assert!(icon.starts_with("<svg ") && icon.contains("</title>"), "{file}");
        }
        for file in ["", "kofi.svg", "github", "github.png", "../logo.svg"] {
            assert_eq!(platform_icon(file), None, "{file}");
        }
        assert!(PLATFORMS.is_sorted_by(|a, b| a.id < b.id));
    }
}
