//! Platforms that a link to the streamer may name (API §4.6).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::json;

/// Id and the name that people know.
const PLATFORMS: [(&str, &str); 30] = [
    ("bandcamp", "Bandcamp"),
    ("bluesky", "Bluesky"),
    ("discord", "Discord"),
    ("donate", "Donate"),
    ("facebook", "Facebook"),
    ("fediverse", "Fediverse"),
    ("follow", "Follow"),
    ("github", "GitHub"),
    ("gitlab", "GitLab"),
    ("instagram", "Instagram"),
    ("keyoxide", "Keyoxide"),
    ("kofi", "Ko-Fi"),
    ("lbry", "LBRY"),
    ("liberapay", "Liberapay"),
    ("linkedin", "LinkedIn"),
    ("mastodon", "Mastodon"),
    ("matrix", "Matrix"),
    ("odysee", "Odysee"),
    ("patreon", "Patreon"),
    ("paypal", "PayPal"),
    ("peertube", "PeerTube"),
    ("snapchat", "Snapchat"),
    ("soundcloud", "SoundCloud"),
    ("spotify", "Spotify"),
    ("steam", "Steam"),
    ("tiktok", "TikTok"),
    ("twitch", "Twitch"),
    ("twitter", "X"),
    ("xmpp", "XMPP"),
    ("youtube", "YouTube"),
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
        .map(|(id, name)| (*id, Platform { platform: name, icon: path(id) }))
        .collect();
    json::write(&platforms)
}

/// Path of a platform's icon; `None` for one that is not known.
pub(super) fn icon(id: &str) -> Option<String> {
    PLATFORMS.iter().any(|(known, _)| *known == id).then(|| path(id))
}

fn path(id: &str) -> String {
    let file = match id {
        "keyoxide" => "keyoxide.png",
        "kofi" => "ko-fi.svg",
        _ => return format!("/img/platformlogos/{id}.svg"),
    };
    format!("/img/platformlogos/{file}")
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
}
