//! What the server calls itself and what its page shows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::refine;
use super::setting::{Setting, setting};
use crate::shape::{Field, Shape, may};

/// Longest name, title or other single line, characters: a headline, not an essay.
const LINE_MAX: usize = 255;
/// Longest short text (summary, messages), characters.
const MESSAGE_MAX: usize = 4_000;
/// Longest page content, style sheet or script, characters. Every answer of `/api/config` carries
/// the first two.
const CONTENT_MAX: usize = 100_000;
/// Longest address, characters: what browsers take everywhere.
const URL_MAX: usize = 2_048;
/// Most tags, links, buttons and colours: what a page can show.
const LIST_MAX: usize = 64;

/// See the module. `Default` is a new server.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// The server's name.
    pub name: String,
    /// One sentence about it.
    pub summary: String,
    /// What the chat says to those who enter it; empty for nothing.
    pub welcome_message: String,
    /// What the page says while nothing is on: Markdown; HTML in it is kept.
    pub offline_message: String,
    /// What stands below the video: Markdown; HTML in it is kept.
    pub page_content: String,
    /// What is on; empty when nobody said.
    pub stream_title: String,
    /// The address under which others reach this server, without a slash at the end; empty as long
    /// as nobody said.
    pub server_url: String,
    /// Words that describe the broadcasts, without `#`.
    pub tags: Vec<String>,
    /// Where else to find the streamer.
    pub social_handles: Vec<SocialHandle>,
    /// The operator's own buttons.
    pub external_actions: Vec<ExternalAction>,
    /// CSS for the page.
    pub custom_styles: String,
    /// Script for the page.
    pub custom_javascript: String,
    /// Colours and measures of the page by variable name; `None` when untouched.
    pub appearance: Option<BTreeMap<String, String>>,
    /// Not safe for work.
    pub nsfw: bool,
    /// Whether the page begins to play by itself: `off`, `always` or `sound-only`.
    pub autoplay: String,
    /// Viewers are not told how many they are.
    pub hide_viewer_count: bool,
    /// Search engines are asked to stay away.
    pub disable_search_indexing: bool,
    /// Listed in the public directory.
    pub directory_enabled: bool,
}

impl Default for Instance {
    fn default() -> Self {
        Self {
            // Owncast's defaults name Owncast and link to it; ours say nothing of anybody.
            name: "Riverrun".to_owned(),
            summary: String::new(),
            welcome_message: String::new(),
            offline_message: String::new(),
            page_content: String::new(),
            stream_title: String::new(),
            server_url: String::new(),
            tags: Vec::new(),
            social_handles: Vec::new(),
            external_actions: Vec::new(),
            custom_styles: String::new(),
            custom_javascript: String::new(),
            appearance: None,
            nsfw: false,
            autoplay: "always".to_owned(),
            hide_viewer_count: false,
            disable_search_indexing: false,
            directory_enabled: false,
        }
    }
}

/// A link to the streamer elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SocialHandle {
    /// Platform id, `github`; any other text is taken too (API §1.8).
    pub platform: String,
    /// Where it leads.
    pub url: String,
}

/// A button of the operator's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ExternalAction {
    /// Where it leads; empty when `html` is set.
    pub url: String,
    /// What it shows; empty when `url` is set.
    pub html: String,
    /// The button's text.
    pub title: String,
    /// The button's hint.
    pub description: String,
    /// Address of an icon.
    pub icon: String,
    /// CSS colour.
    pub color: String,
    /// In a tab of its own rather than over the page.
    pub open_externally: bool,
}

const LINE: Shape = Shape::Line { max: LINE_MAX };
const MESSAGE: Shape = Shape::Text { max: MESSAGE_MAX };
const CONTENT: Shape = Shape::Text { max: CONTENT_MAX };
const URL: Shape = Shape::Line { max: URL_MAX };
const HANDLE: Shape = Shape::Object(HANDLE_FIELDS);
/// `icon` is what `/api/config` adds; clients that send it back mean nothing by it.
const HANDLE_FIELDS: &[Field] = &[may("platform", LINE), may("url", URL), may("icon", URL)];
const ACTION: Shape = Shape::Object(ACTION_FIELDS);
const ACTION_FIELDS: &[Field] = &[
    may("url", URL),
    may("html", MESSAGE),
    may("title", LINE),
    may("description", MESSAGE),
    may("icon", URL),
    may("color", LINE),
    may("openExternally", Shape::Bool),
];

pub(super) const SETTINGS: &[Setting] = &[
    setting!("name", "server_name", LINE, Now, instance.name, refine::trimmed),
    setting!("serversummary", "server_summary", MESSAGE, Now, instance.summary),
    setting!(
        "welcomemessage",
        "server_welcome_message",
        MESSAGE,
        Kept,
        instance.welcome_message,
        refine::trimmed
    ),
    setting!(
        "offlinemessage",
        "custom_offline_message",
        MESSAGE,
        Now,
        instance.offline_message,
        refine::trimmed
    ),
    setting!("pagecontent", "extra_page_content", CONTENT, Now, instance.page_content),
    setting!("streamtitle", "stream_title", LINE, Now, instance.stream_title, refine::trimmed),
    setting!("serverurl", "server_url", URL, Now, instance.server_url, refine::public_url),
    setting!(
        "tags",
        "server_metadata_tags",
        Shape::List { of: &LINE, max: LIST_MAX },
        Now,
        instance.tags,
        refine::tags
    ),
    setting!(
        "socialhandles",
        "social_handles",
        Shape::List { of: &HANDLE, max: LIST_MAX },
        Now,
        instance.social_handles
    ),
    setting!(
        "externalactions",
        "external_actions",
        Shape::List { of: &ACTION, max: LIST_MAX },
        Now,
        instance.external_actions
    ),
    setting!("customstyles", "custom_styles", CONTENT, Now, instance.custom_styles),
    setting!("customjavascript", "custom_javascript", CONTENT, Now, instance.custom_javascript),
    setting!(
        "appearance",
        "custom_color_variable_values",
        Shape::Nullable(&Shape::Map { of: &LINE, max: LIST_MAX }),
        Now,
        instance.appearance
    ),
    setting!("nsfw", "nsfw", Shape::Bool, Now, instance.nsfw),
    setting!(
        "autoplay",
        "autoplay",
        Shape::Word(&["off", "always", "sound-only"]),
        Now,
        instance.autoplay
    ),
    setting!("hideviewercount", "hide_viewer_count", Shape::Bool, Now, instance.hide_viewer_count),
    setting!(
        "disablesearchindexing",
        "disable_search_indexing",
        Shape::Bool,
        Now,
        instance.disable_search_indexing
    ),
    setting!("directoryenabled", "directory_enabled", Shape::Bool, Now, instance.directory_enabled),
];
