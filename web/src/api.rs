//! The objects of the public API, under Owncast 0.2.3's names and quirks (API §1.9).
//!
//! JSON is written as Owncast writes it: `<`, `>` and `&` inside
//! strings are escaped, which also makes it safe inside HTML, and a newline ends it.

mod directory;
mod markdown;
mod platforms;
mod view;

use std::collections::BTreeMap;

use serde::Serialize;

pub use self::directory::{Directory, variants_json};
pub use self::platforms::{platform_icon, platforms_json};
pub use self::view::{Emoji, emoji_json, wants_preview};

use crate::rfc3339;
pub use crate::settings::ExternalAction;

/// `GET /api/status`. The title and dates are the broadcast's; nothing here is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Now, ms since 1970. The page measures the viewer's clock against it.
    #[serde(rename = "serverTime", serialize_with = "rfc3339::serialize_millis")]
    pub server_time_ms: i64,
    /// When the broadcast began, ms since 1970; `None` while offline.
    #[serde(rename = "lastConnectTime", serialize_with = "rfc3339::serialize_seconds")]
    pub last_connect_ms: Option<i64>,
    /// When the last broadcast ended, ms since 1970; `None` while one is on.
    #[serde(rename = "lastDisconnectTime", serialize_with = "rfc3339::serialize_seconds")]
    pub last_disconnect_ms: Option<i64>,
    /// The bare version, `0.1.0`.
    pub version_number: String,
    /// What the broadcast is called; may be empty.
    pub stream_title: String,
    /// Left out of the JSON at 0, as Owncast does; pass 0 to hide it.
    #[serde(skip_serializing_if = "is_zero")]
    pub viewer_count: u32,
    /// Viewers can play now.
    pub online: bool,
    /// Not in Owncast. Changes with each broadcast, and within one when the tracks of the
    /// multivariant playlist change: a player then loads it anew.
    pub presentation: u64,
}

impl Status {
    /// The object as the response body.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        to_json(self)
    }
}

/// Whether the query of `GET /api/status` says `while=offline`, which Owncast does not know: the
/// answer is then held back until a broadcast is on or some seconds have passed, so that a page
/// that waits for one hears of it at once and need not ask all the time.
#[must_use]
pub fn waits_while_offline(query: Option<&str>) -> bool {
    query.unwrap_or("").split('&').any(|pair| pair == "while=offline")
}

/// `GET /api/config`: what the operator has set and everybody may know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WebConfig {
    /// Colours and measures of the page by variable name; `null` when untouched.
    pub appearance_variables: Option<BTreeMap<String, String>>,
    /// The server's name.
    pub name: String,
    /// One sentence about it.
    pub summary: String,
    /// Product and version for people, `Riverrun v0.1.0`.
    pub version: String,
    /// The operator's own CSS.
    pub custom_styles: String,
    /// As in [`Status`]; left out when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stream_title: String,
    /// Safe HTML: the page inserts it as it is.
    pub offline_message: String,
    /// Safe HTML: the page inserts it as it is.
    pub extra_page_content: String,
    /// Always `/logo`.
    pub logo: &'static str,
    /// Host of the chat socket when it is not this one; left out when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub socket_host_override: String,
    /// Words that describe the broadcasts.
    pub tags: Vec<String>,
    /// Where else to find the streamer.
    pub social_handles: Vec<SocialHandle>,
    /// The operator's own buttons.
    pub external_actions: Vec<ExternalAction>,
    /// Ways to hear about a broadcast.
    pub notifications: Notifications,
    /// The server as an actor of the fediverse.
    pub federation: Federation,
    /// Announced broadcasts.
    pub schedule: Schedule,
    /// Longest chat frame, bytes; 2048 in Owncast.
    pub max_socket_payload_size: u32,
    /// Viewers are not told how many they are.
    pub hide_viewer_count: bool,
    /// There is no chat.
    pub chat_disabled: bool,
    /// Owncast's misnomer: true means that the protection is **on** (API §1.9, QUIRK).
    pub chat_spam_protection_disabled: bool,
    /// Only users who proved who they are may write in the chat.
    pub chat_require_authentication: bool,
    /// Whether the page begins to play by itself: `off`, `always` or `sound-only`.
    pub autoplay: String,
    /// Not safe for work.
    pub nsfw: bool,
    /// Ways to prove who one is.
    pub authentication: Authentication,
}

impl WebConfig {
    /// The object as the response body.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        to_json(self)
    }
}

impl Default for WebConfig {
    fn default() -> Self {
        Self {
            appearance_variables: None,
            name: "Riverrun".to_owned(),
            summary: String::new(),
            version: concat!("Riverrun v", env!("CARGO_PKG_VERSION")).to_owned(),
            custom_styles: String::new(),
            stream_title: String::new(),
            offline_message: String::new(),
            extra_page_content: String::new(),
            logo: "/logo",
            socket_host_override: String::new(),
            tags: Vec::new(),
            social_handles: Vec::new(),
            external_actions: Vec::new(),
            notifications: Notifications::default(),
            federation: Federation::default(),
            schedule: Schedule::default(),
            max_socket_payload_size: 2048,
            hide_viewer_count: false,
            // Unlike Owncast: there is no chat to connect to, and clients should not try.
            chat_disabled: true,
            chat_spam_protection_disabled: true,
            chat_require_authentication: false,
            autoplay: "always".to_owned(),
            nsfw: false,
            authentication: Authentication::default(),
        }
    }
}

/// A link to the streamer elsewhere; each field is left out when empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SocialHandle {
    /// Platform id, `github`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub platform: String,
    /// Where it leads.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// Path of its icon on this server.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub icon: String,
}

/// Ways to hear about a broadcast.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Notifications {
    /// By web push.
    pub browser: BrowserNotifications,
}

/// Web push.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BrowserNotifications {
    /// VAPID key to subscribe with; left out when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// Offered to viewers.
    pub enabled: bool,
}

/// The server as an actor of the fediverse.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Federation {
    /// `user@host`; only when enabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Only when enabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follower_count: Option<u32>,
    /// The server federates.
    pub enabled: bool,
    /// The page does not list followers.
    pub hide_followers_tab: bool,
}

/// Announced broadcasts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// The page shows what is planned.
    pub enabled: bool,
    /// It counts down to the next.
    pub show_countdown: bool,
    /// The chat opens so many minutes before.
    pub chat_open_minutes_before: u16,
}

/// Ways to prove who one is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Authentication {
    /// True once the server knows its own address.
    pub indie_auth_enabled: bool,
}

/// The envelope of most answers that carry no object; status 200 on success, else 400 (API §1.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SimpleResponse<'a> {
    /// For people.
    pub message: &'a str,
    /// For programs.
    pub success: bool,
}

impl SimpleResponse<'_> {
    /// The object as the response body.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        to_json(self)
    }
}

/// `{"error": …}`, the other way in which Owncast says no (API §1.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorBody<'a> {
    /// What went wrong, for people; never more than the caller may know.
    pub error: &'a str,
}

impl ErrorBody<'_> {
    /// The object as the response body.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        to_json(self)
    }
}

/// True for a media player that was given the page's address: it is sent to the multivariant
/// playlist with 307 (API §1.3).
#[must_use]
pub fn wants_playlist(user_agent: &str) -> bool {
    const PLAYERS: [&str; 4] = ["mpv", "player", "vlc", "applecoremedia"];
    let name = user_agent.to_ascii_lowercase();
    PLAYERS.iter().any(|player| name.contains(player))
}

pub(crate) use crate::json::write as to_json;

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature.
fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests;
