//! `GET /api/admin/serverconfig`: every setting as Owncast groups them (API §1.9).

use serde::Serialize;
use serde_json::{Value, json};

use super::reads::{VariantView, variant_views};
use crate::json;
use crate::settings::{CODECS, Settings, StreamKey};

/// What is told beside the settings.
#[derive(Clone, Copy, Debug)]
pub struct ServerFacts<'a> {
    /// Keys that may publish, or those that a key of the command line stands in for.
    pub stream_keys: &'a [StreamKey],
    /// A key of the command line, the environment or the file stands in for them.
    pub stream_key_overridden: bool,
    /// File name of the logo.
    pub logo: &'a str,
}

/// The object.
#[derive(Clone, Debug)]
pub struct ServerConfig(Value);

impl ServerConfig {
    /// Stream keys are in clear, as the admin has to copy them. The password's hash stays on the
    /// server: the field is there and empty (T18).
    #[must_use]
    pub fn of(settings: &Settings, facts: &ServerFacts<'_>) -> Self {
        let instance = &settings.instance;
        let federation = &settings.federation;
        let (chat, network, schedule) = (&settings.chat, &settings.network, &settings.schedule);
        let variants = settings.video.variants.as_deref().unwrap_or_default();
        let mut config = json!({
            "instanceDetails": {
                "appearanceVariables": instance.appearance,
                // Owncast's is always empty.
                "version": "",
                "welcomeMessage": instance.welcome_message,
                "offlineMessage": instance.offline_message,
                "logo": facts.logo,
                "name": instance.name,
                "extraPageContent": instance.page_content,
                "streamTitle": instance.stream_title,
                "customStyles": instance.custom_styles,
                "customJavascript": instance.custom_javascript,
                "summary": instance.summary,
                "tags": instance.tags,
                "socialHandles": plain(&instance.social_handles),
                "nsfw": instance.nsfw,
                "autoplay": instance.autoplay,
            },
            "notifications": {
                "browser": plain(&settings.notifications.browser),
                "discord": plain(&settings.notifications.discord),
            },
            "yp": {"instanceUrl": instance.server_url, "enabled": instance.directory_enabled},
            "ffmpegPath": network.ffmpeg_path,
            "adminPassword": "",
            "webServerIP": network.http_address,
            "webServerPort": network.http_port,
            "rtmpServerAddress": network.rtmp_address,
            "rtmpServerPort": network.rtmp_port,
            "videoCodec": settings.video.codec,
            "videoServingEndpoint": settings.storage.video_serving_endpoint,
            "s3": plain(&settings.storage.s3),
            "federation": {
                "username": federation.username,
                "goLiveMessage": federation.go_live_message,
                "blockedDomains": federation.blocked_domains,
                "enabled": federation.enabled,
                "isPrivate": federation.private,
                "showEngagement": federation.show_engagement,
                "enableQuotes": federation.enable_quotes,
                "hideFollowersTab": federation.hide_followers,
            },
            "schedule": {
                "enabled": schedule.enabled,
                "showCountdown": schedule.show_countdown,
                "chatOpenMinutesBefore": schedule.chat_open_minutes,
                "reminderMessage": schedule.reminder_message,
                "firstReminderMinutes": schedule.first_reminder_minutes,
                "secondReminderMinutes": schedule.second_reminder_minutes,
            },
            "supportedCodecs": CODECS,
            "externalActions": plain(&instance.external_actions),
            "forbiddenUsernames": chat.forbidden_usernames,
            "suggestedUsernames": chat.suggested_usernames,
            "streamKeys": plain(&facts.stream_keys),
            "streamKeyOverridden": facts.stream_key_overridden,
            "videoSettings": {
                "videoQualityVariants": plain::<Vec<VariantView>>(&variant_views(variants)),
                "latencyLevel": settings.video.level(),
            },
            "chatDisabled": chat.disabled,
            "chatJoinMessagesEnabled": chat.join_messages,
            "chatEstablishedUserMode": chat.established_users_only,
            "chatSpamProtectionEnabled": chat.spam_protection,
            "chatSlurFilterEnabled": chat.slur_filter,
            "chatRequireAuthentication": chat.require_authentication,
            "disableSearchIndexing": instance.disable_search_indexing,
            "hideViewerCount": instance.hide_viewer_count,
            // Not in Owncast: whether everybody may read the figures, and settings that the command
            // line, the environment or the file decide.
            "metricsPublic": network.metrics_public,
            "lockedSettings": settings.locks,
        });
        if !network.socket_host_override.is_empty() {
            config["socketHostOverride"] = json!(network.socket_host_override);
        }
        Self(config)
    }

    /// The object as the response body.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        json::write(&self.0)
    }
}

fn plain<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("settings have string keys and finite numbers")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_admin_sees_keys_and_no_hash() {
        let stream_keys = [StreamKey { key: "s3cret-key".into(), comment: "obs".into() }];
        let facts = ServerFacts {
            stream_keys: &stream_keys,
            stream_key_overridden: false,
            logo: "logo.svg",
        };
        let text = ServerConfig::of(&Settings::default(), &facts).to_json();
        let value: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(value["streamKeys"][0]["key"], "s3cret-key");
        assert_eq!(value["adminPassword"], "");
        assert_eq!(value["videoSettings"]["latencyLevel"], 2);
    }
}
