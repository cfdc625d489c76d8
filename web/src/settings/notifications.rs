//! Who is told when a broadcast begins. Kept from now on; sent once there are senders.

use serde::{Deserialize, Serialize};

use super::refine;
use super::setting::{Setting, setting};
use crate::shape::{Field, Shape, may};

/// Longest announcement, characters: Discord's own limit is 2,000.
const GO_LIVE_MAX: usize = 1_000;
/// Longest address, characters.
const URL_MAX: usize = 2_048;

/// See the module. `Default` is a new server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notifications {
    /// By a chat room's webhook.
    pub discord: Discord,
    /// By web push.
    pub browser: Browser,
}

/// A webhook of Discord.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Discord {
    /// Its address, which is its secret too.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub webhook: String,
    /// What is said.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub go_live_message: String,
    /// It is used.
    pub enabled: bool,
}

impl std::fmt::Debug for Discord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Discord").field("enabled", &self.enabled).finish_non_exhaustive()
    }
}

/// Web push.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Browser {
    /// What is said.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub go_live_message: String,
    /// It is offered.
    pub enabled: bool,
}

impl Default for Browser {
    fn default() -> Self {
        Self { go_live_message: "I've gone live!".to_owned(), enabled: true }
    }
}

const GO_LIVE: Shape = Shape::Text { max: GO_LIVE_MAX };
const DISCORD: Shape = Shape::Object(DISCORD_FIELDS);
const DISCORD_FIELDS: &[Field] = &[
    may("webhook", Shape::Line { max: URL_MAX }),
    may("goLiveMessage", GO_LIVE),
    may("enabled", Shape::Bool),
];
const BROWSER: Shape = Shape::Object(BROWSER_FIELDS);
const BROWSER_FIELDS: &[Field] = &[may("goLiveMessage", GO_LIVE), may("enabled", Shape::Bool)];

pub(super) const SETTINGS: &[Setting] = &[
    setting!(
        "notifications/discord",
        "discord_configuration",
        DISCORD,
        Kept,
        notifications.discord,
        refine::discord
    ),
    setting!(
        "notifications/browser",
        "browser_push_configuration",
        BROWSER,
        Kept,
        notifications.browser
    ),
];
