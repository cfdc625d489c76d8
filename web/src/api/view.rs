//! Settings as everybody may see them.

use serde::Serialize;

use super::{Authentication, Federation, Notifications, Schedule, SocialHandle, WebConfig};
use super::{markdown, platforms};
use crate::json;
use crate::settings::Settings;

impl WebConfig {
    /// What these settings show. A capability that this version does not have is off, whatever is
    /// kept for the day it comes.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let instance = &settings.instance;
        let handles = instance.social_handles.iter().map(|handle| SocialHandle {
            platform: handle.platform.clone(),
            url: handle.url.clone(),
            icon: platforms::icon(&handle.platform).unwrap_or_default(),
        });
        let schedule = &settings.schedule;
        Self {
            appearance_variables: instance.appearance.clone(),
            name: instance.name.clone(),
            summary: instance.summary.clone(),
            custom_styles: instance.custom_styles.clone(),
            stream_title: instance.stream_title.clone(),
            offline_message: markdown::to_html(&instance.offline_message),
            extra_page_content: markdown::to_html(&instance.page_content),
            socket_host_override: settings.network.socket_host_override.clone(),
            tags: instance.tags.clone(),
            social_handles: handles.collect(),
            external_actions: instance.external_actions.clone(),
            notifications: Notifications::default(),
            federation: Federation {
                hide_followers_tab: settings.federation.hide_followers,
                ..Federation::default()
            },
            schedule: Schedule {
                enabled: false,
                show_countdown: schedule.show_countdown,
                chat_open_minutes_before: schedule.chat_open_minutes,
            },
            hide_viewer_count: instance.hide_viewer_count,
            chat_disabled: true,
            chat_spam_protection_disabled: settings.chat.spam_protection,
            chat_require_authentication: settings.chat.require_authentication,
            autoplay: instance.autoplay.clone(),
            nsfw: instance.nsfw,
            authentication: Authentication { indie_auth_enabled: !instance.server_url.is_empty() },
            ..Self::default()
        }
    }
}

/// An emoji of `GET /api/emoji`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Emoji {
    /// Name of its file.
    pub name: String,
    /// `/img/emoji/x.gif`
    pub url: String,
}

/// The body of `GET /api/emoji`.
#[must_use]
pub fn emoji_json<'a>(files: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let emoji = |file: &str| Emoji { name: file.to_owned(), url: format!("/img/emoji/{file}") };
    json::write(&files.into_iter().map(emoji).collect::<Vec<_>>())
}

/// True for programs that ask for the page to make a preview of a link (API §1.3). They get the
/// same page as everybody: all it says about itself stands in its head.
#[must_use]
pub fn wants_preview(user_agent: &str) -> bool {
    const BOTS: [&str; 9] = [
        "mastodon",
        "pleroma",
        "applebot",
        "whatsapp",
        "matrix",
        "synapse",
        "element",
        "rocket.chat",
        "duckduckbot",
    ];
    let name = user_agent.to_ascii_lowercase();
    BOTS.iter().any(|bot| name.contains(bot))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings;

    #[test]
    fn settings_show_and_secrets_do_not() {
        let mut kept = Settings::default();
        for (path, body) in [
            ("name", r#"{"value":"North"}"#),
            ("offlinemessage", r#"{"value":"*later*"}"#),
            ("socialhandles", r#"{"value":[{"platform":"github","url":"https://g.example"}]}"#),
            ("serverurl", r#"{"value":"https://live.example.org"}"#),
            (
                "s3",
                r#"{"value":{"enabled":true,"endpoint":"https://s3.example","accessKey":"a",
                    "secret":"s3cret","region":"r","bucket":"b"}}"#,
            ),
            (
                "notifications/discord",
                r#"{"value":{"enabled":true,"webhook":"https://d.example/s3cret"}}"#,
            ),
        ] {
            settings::find(path).unwrap().change(&mut kept, body.as_bytes()).unwrap();
        }
        let config = WebConfig::of(&kept);
        assert_eq!(config.name, "North");
        assert_eq!(config.offline_message, "<p><em>later</em></p>");
        assert_eq!(config.social_handles[0].icon, "/img/platformlogos/github.svg");
        assert!(config.authentication.indie_auth_enabled && config.chat_disabled);
        let text = String::from_utf8(config.to_json()).unwrap();
        assert!(!text.contains("s3cret"), "{text}");
    }

    #[test]
    fn a_new_server_shows_its_defaults() {
        assert_eq!(WebConfig::of(&Settings::default()), WebConfig::default());
    }
}
