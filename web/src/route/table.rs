//! Every route that this program has or will have. The router looks paths up here and
//! `/api/openapi.json` is written from here, so that neither can miss one.

use std::sync::LazyLock;

use super::answers;
use super::endpoint::{
    ANY, Access, AnswerShape, DELETE, Endpoint, GET_OR_POST, Operation, POST, POST_OR_DELETE,
    SETTER_BYTES_MAX, Sharing,
};
use crate::admin::{EMOJI_BYTES_MAX, FAVICON_BYTES_MAX, LOGIN_SHAPE, LOGO_BYTES_MAX};
use crate::metrics::{CMCD_BYTES_MAX, CMCD_SHAPE, REPORT_SHAPE};
use crate::settings::{self, PASSWORD_SHAPE, STREAM_KEYS_SHAPE};
use crate::shape::{Field, Shape, must};

use AnswerShape::{Empty, Json, Media, Simple};
use Operation as O;

const PLAYLIST: AnswerShape = Media("application/vnd.apple.mpegurl");
const PICTURE: AnswerShape = Media("image/*");
const TEXT: AnswerShape = Media("text/plain");
/// Longest name of an emoji, characters.
const EMOJI_NAME_MAX: usize = 128;
/// A data URL of so many bytes in base64, with what stands before them.
const fn data_url(bytes_max: usize) -> Shape {
    Shape::Text { max: bytes_max / 3 * 4 + 128 }
}
const EMOJI_NAME: Field = must("name", Shape::Line { max: EMOJI_NAME_MAX });
const EMOJI_UPLOAD: Shape = Shape::Object(&[EMOJI_NAME, must("data", data_url(EMOJI_BYTES_MAX))]);
const EMOJI_DELETE: Shape = Shape::Object(&[EMOJI_NAME]);

/// What the program does today.
const BUILT: &[Endpoint] = &[
    Endpoint::open("/", O::Page, Media("text/html"), "The page.").shared(),
    Endpoint::open("/index.html", O::Page, Media("text/html"), "The page.").shared(),
    Endpoint::open("/embed/video", O::VideoEmbed, Media("text/html"), "The video alone.").shared(),
    Endpoint::open("/embed/chat", O::ChatEmbed, Empty, "Leads to the chat alone."),
    Endpoint::open("/embed/chat/", O::ChatEmbed, Empty, "Leads to the chat alone."),
    Endpoint::open(
        "/manifest.json",
        O::Manifest,
        Media("application/manifest+json"),
        "The page as an app.",
    ),
    Endpoint::open(
        "/public/{path}",
        O::PublicFile,
        Media("*/*"),
        "A file of the operator's; the path may lead through folders.",
    )
    .shared(),
    Endpoint::open("/hls/stream.m3u8", O::MultivariantPlaylist, PLAYLIST, "The playlist of all.")
        .shared(),
    Endpoint::open("/hls/{rendition}/stream.m3u8", O::MediaPlaylist, PLAYLIST, "One playlist.")
        .shared(),
    Endpoint::open("/hls/{rendition}/{file}", O::MediaFile, Media("video/mp4"), "Media.").shared(),
    Endpoint::open("/healthz", O::Health, TEXT, "The process runs."),
    Endpoint::open("/readyz", O::Ready, TEXT, "It accepts viewers."),
    Endpoint::open("/robots.txt", O::Robots, TEXT, "What search engines are asked for."),
    Endpoint::open("/favicon.ico", O::Favicon, PICTURE, "The icon of the page."),
    Endpoint::open("/logo", O::Logo, PICTURE, "The logo."),
    Endpoint::open("/logo/external", O::ExternalLogo, PICTURE, "The logo as a bitmap."),
    Endpoint::open("/thumbnail.jpg", O::Thumbnail, PICTURE, "A picture of the broadcast."),
    Endpoint::open("/preview.gif", O::Preview, PICTURE, "A second of the broadcast."),
    Endpoint::open(
        "/customjavascript",
        O::CustomJavascript,
        Media("text/javascript"),
        "The operator's script.",
    ),
    Endpoint::open("/img/emoji/{file}", O::EmojiFile, PICTURE, "An emoji."),
    Endpoint::open(
        "/img/platformlogos/{file}",
        O::PlatformIcon,
        Media("image/svg+xml"),
        "The icon of a platform.",
    ),
    Endpoint::open("/api/openapi.json", O::OpenApi, Media("application/json"), "This description.")
        .shared(),
    Endpoint::open("/api/status", O::Status, Json(answers::STATUS), "What is on."),
    Endpoint::open("/api/config", O::Config, Json(answers::CONFIG), "What the page shows.")
        .shared(),
    Endpoint::open("/api/ping", O::Ping, Empty, "The caller is a viewer."),
    Endpoint::open("/api/video/variants", O::Variants, Json(answers::VARIANTS), "The variants."),
    Endpoint::open(
        "/api/socialplatforms",
        O::SocialPlatforms,
        Json(answers::PLATFORMS),
        "Platforms that links may name.",
    )
    .shared(),
    Endpoint::open("/api/yp", O::Directory, Json(answers::DIRECTORY), "What the directory lists."),
    Endpoint::open("/api/emoji", O::EmojiList, Json(answers::EMOJI), "The emoji."),
    Endpoint::open("/api/metrics/playback", O::PlaybackReport, Empty, "How a player fares.")
        .post(REPORT_SHAPE, 4 << 10),
    Endpoint::open("/api/metrics/cmcd", O::CmcdReport, Empty, "How a player fares, as CMCD.")
        .shared()
        .post(CMCD_SHAPE, CMCD_BYTES_MAX)
        .with(GET_OR_POST),
    Endpoint::admin("/metrics", O::Metrics, TEXT, "All figures, for Prometheus."),
    Endpoint::admin("/api/admin/prometheus", O::Prometheus, TEXT, "The same.").with(ANY),
    Endpoint::admin(
        "/api/admin/health",
        O::HealthReport,
        Json(answers::SERVER_HEALTH),
        "How every part does, and what to change.",
    ),
    Endpoint::admin(
        "/api/admin/history",
        O::History,
        Json(answers::HISTORY),
        "Everything that is measured, over time.",
    ),
    Endpoint::admin(
        "/api/admin/viewers/playback",
        O::PlaybackClients,
        Json(answers::PLAYBACK_CLIENTS),
        "Who watches, and how their players fare.",
    ),
    guarded("/api/admin/login", O::Login, "Begins a session.").post(LOGIN_SHAPE, 4 << 10),
    guarded("/api/admin/logout", O::Logout, "Ends the session.").with(POST),
    Endpoint::admin(
        "/api/admin/status",
        O::AdminStatus,
        Json(answers::ADMIN_STATUS),
        "What is on, for the admin.",
    ),
    Endpoint::admin(
        "/api/admin/serverconfig",
        O::ServerConfig,
        Json(answers::SERVER_CONFIG),
        "Every setting.",
    ),
    Endpoint::admin(
        "/api/admin/viewersOverTime",
        O::ViewersOverTime,
        Json(answers::SAMPLES),
        "How many watched when.",
    ),
    Endpoint::admin("/api/admin/viewers", O::Viewers, Json(answers::VIEWERS), "Who watches."),
    Endpoint::admin(
        "/api/admin/hardwarestats",
        O::HardwareStats,
        Json(answers::HARDWARE),
        "How busy the machine was.",
    ),
    Endpoint::admin(
        "/api/admin/metrics/video",
        O::VideoMetrics,
        Json(answers::VIDEO_METRICS),
        "How players fared.",
    ),
    Endpoint::admin("/api/admin/logs", O::Logs, Json(answers::LOGS), "The newest log lines."),
    Endpoint::admin(
        "/api/admin/logs/warnings",
        O::Warnings,
        Json(answers::LOGS),
        "Those that warn.",
    ),
    Endpoint::admin("/api/admin/disconnect", O::Disconnect, Simple, "Ends the broadcast.")
        .with(GET_OR_POST),
    Endpoint::admin(
        "/api/admin/yp/reset",
        O::ResetDirectory,
        Simple,
        "Forgets the directory's key.",
    )
    .with(GET_OR_POST),
    Endpoint::admin("/api/admin/emoji/upload", O::EmojiUpload, Simple, "Adds an emoji.")
        .post(EMOJI_UPLOAD, EMOJI_BYTES_MAX / 3 * 4 + (4 << 10)),
    Endpoint::admin("/api/admin/emoji/delete", O::EmojiDelete, Simple, "Removes an emoji.")
        .post(EMOJI_DELETE, 4 << 10),
    Endpoint::admin("/api/admin/config/logo", O::SetLogo, Simple, "Replaces the logo.")
        .post_value(data_url(LOGO_BYTES_MAX), LOGO_BYTES_MAX / 3 * 4 + (4 << 10)),
    Endpoint::admin(
        "/api/admin/config/favicon",
        O::SetFavicon,
        Simple,
        "Replaces the icon of the page; DELETE brings ours back.",
    )
    .post_value(data_url(FAVICON_BYTES_MAX), 300 << 10)
    .with(POST_OR_DELETE),
    Endpoint::admin("/api/admin/config/adminpass", O::SetPassword, Simple, "Sets the password.")
        .post_value(PASSWORD_SHAPE, SETTER_BYTES_MAX),
    Endpoint::admin("/api/admin/config/streamkeys", O::SetStreamKeys, Simple, "Sets the keys.")
        .post_value(STREAM_KEYS_SHAPE, SETTER_BYTES_MAX),
];

/// Open to those who have no session yet, closed to pages of other sites.
const fn guarded(path: &'static str, operation: Operation, summary: &'static str) -> Endpoint {
    let mut endpoint = Endpoint::open(path, operation, Simple, summary);
    endpoint.sharing = Sharing::Guarded;
    endpoint
}

/// Part of the API, answered by a later version.
const fn coming(path: &'static str, access: Access, methods: &'static [http::Method]) -> Endpoint {
    let mut endpoint = Endpoint::open(path, O::Coming, Simple, "Not in this version yet.");
    endpoint.access = access;
    endpoint.methods = methods;
    if matches!(access, Access::Admin) {
        endpoint.sharing = Sharing::Guarded;
    }
    endpoint
}

const READ: &[http::Method] = super::endpoint::GET;

/// Routes of chat, federation, viewers' logins, notifications and the schedule (API §1.4-1.7).
const COMING: &[(Access, &[http::Method], &[&str])] = &[
    (
        Access::Open,
        READ,
        &[
            "/api/followers",
            "/api/federation/servers",
            "/api/schedule",
            "/api/schedule.ics",
            "/api/auth/indieauth/callback",
            "/api/auth/provider/indieauth",
            "/embed/chat/readonly",
            "/embed/chat/readwrite",
        ],
    ),
    (
        Access::Open,
        POST,
        &["/api/remotefollow", "/api/chat/register", "/api/auth/fediverse/verify"],
    ),
    (Access::User, READ, &["/api/chat"]),
    (
        Access::User,
        POST,
        &["/api/notifications/register", "/api/auth/indieauth", "/api/auth/fediverse"],
    ),
    (Access::Moderator, READ, &["/api/moderation/chat/user/{userId}"]),
    (Access::Moderator, POST, &["/api/chat/messagevisibility", "/api/chat/users/setenabled"]),
    (
        Access::Integration("CAN_SEND_SYSTEM_MESSAGES"),
        POST,
        &[
            "/api/integrations/chat/system",
            "/api/integrations/chat/system/client/{clientId}",
            "/api/integrations/chat/action",
        ],
    ),
    (
        Access::Integration("CAN_SEND_MESSAGES"),
        POST,
        &["/api/integrations/chat/user", "/api/integrations/chat/send"],
    ),
    (
        Access::Integration("HAS_ADMIN_ACCESS"),
        READ,
        &[
            "/api/integrations/status",
            "/api/integrations/chat",
            "/api/integrations/clients",
            "/api/integrations/moderation/chat/user/{userId}",
        ],
    ),
    (
        Access::Integration("HAS_ADMIN_ACCESS"),
        POST,
        &["/api/integrations/chat/messagevisibility", "/api/integrations/streamtitle"],
    ),
    (
        Access::Admin,
        READ,
        &[
            "/api/admin/chat/clients",
            "/api/admin/chat/messages",
            "/api/admin/chat/users/disabled",
            "/api/admin/chat/users/ipbans",
            "/api/admin/chat/users/moderators",
            "/api/admin/users",
            "/api/admin/followers",
            "/api/admin/followers/pending",
            "/api/admin/followers/blocked",
            "/api/admin/followers/directory",
            "/api/admin/federation/feature-requests",
            "/api/admin/federation/actions",
            "/api/admin/webhooks",
            "/api/admin/accesstokens",
            "/api/admin/schedule",
            "/api/admin/update/options",
            "/api/admin/update/start",
            "/api/admin/update/forcequit",
        ],
    ),
    (Access::Admin, GET_OR_POST, &["/api/admin/federation/servers"]),
    (Access::Admin, DELETE, &["/api/admin/federation/servers/{id}"]),
    (
        Access::Admin,
        POST,
        &[
            "/api/admin/chat/messagevisibility",
            "/api/admin/chat/users/setenabled",
            "/api/admin/chat/users/setmoderator",
            "/api/admin/chat/users/ipbans/create",
            "/api/admin/chat/users/ipbans/remove",
            "/api/admin/users/delete",
            "/api/admin/followers/approve",
            "/api/admin/followers/remove",
            "/api/admin/federation/send",
            "/api/admin/webhooks/create",
            "/api/admin/webhooks/delete",
            "/api/admin/accesstokens/create",
            "/api/admin/accesstokens/delete",
            "/api/admin/schedule/event",
            "/api/admin/schedule/event/delete",
            "/api/admin/schedule/preview",
        ],
    ),
];

/// Where the setters of settings are.
const CONFIG_PREFIX: &str = "/api/admin/config/";

/// The table, sorted by path.
static TABLE: LazyLock<Vec<Endpoint>> = LazyLock::new(|| {
    let settings = settings::all().map(|setting| {
        // Once per process: the rows live as long as it does.
        let path = format!("{CONFIG_PREFIX}{}", setting.path).leak();
        Endpoint::of_setting(path, setting)
    });
    let coming = COMING.iter().flat_map(|(access, methods, paths)| {
        paths.iter().map(|path| coming(path, *access, methods))
    });
    let mut table: Vec<Endpoint> = BUILT.iter().copied().chain(settings).chain(coming).collect();
    table.sort_unstable_by_key(|endpoint| endpoint.path);
    table
});

/// Rows whose path has a part in braces.
static PATTERNS: LazyLock<Vec<&'static Endpoint>> =
    LazyLock::new(|| TABLE.iter().filter(|endpoint| endpoint.path.contains('{')).collect());

/// Every route, sorted by path.
#[must_use]
pub fn endpoints() -> &'static [Endpoint] {
    &TABLE
}

/// The route of this path, and what stands where the first brace does.
pub(super) fn find(path: &str) -> Option<(&'static Endpoint, &str)> {
    if let Ok(at) = TABLE.binary_search_by(|endpoint| endpoint.path.cmp(path)) {
        return TABLE.get(at).map(|endpoint| (endpoint, ""));
    }
    PATTERNS.iter().find_map(|endpoint| Some((*endpoint, matched(endpoint.path, path)?)))
}

/// The row of the operator's own files.
pub(super) fn public_file() -> Option<&'static Endpoint> {
    PATTERNS.iter().copied().find(|endpoint| endpoint.operation == O::PublicFile)
}

/// What stands where `pattern` has its one brace, if the rest is the same. A name has no slash.
fn matched<'a>(pattern: &str, path: &'a str) -> Option<&'a str> {
    let (before, rest) = pattern.split_once('{')?;
    let (_, after) = rest.split_once('}')?;
    let name = path.strip_prefix(before)?.strip_suffix(after)?;
    (!name.is_empty() && !name.contains('/') && !after.contains('{')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_declared_once_and_found_by_its_path() {
        for pair in endpoints().windows(2) {
            assert_ne!(pair[0].path, pair[1].path);
        }
        for endpoint in endpoints() {
            // Those of media are matched by hand, for speed (`Route::parse`).
            if !endpoint.path.starts_with("/hls/{") {
                let path = endpoint.path.replace(['{', '}'], "");
                let (found, _) = find(&path).unwrap_or_else(|| panic!("{path} is not found"));
                assert_eq!(found.path, endpoint.path);
            }
        }
        assert!(endpoints().len() > 140, "{}", endpoints().len());
    }

    #[test]
    fn each_route_says_who_may_and_how_much() {
        for endpoint in endpoints() {
            let path = endpoint.path;
            let is_guarded = path.starts_with("/api/admin/") || path == "/metrics";
            let is_admin = is_guarded && !matches!(endpoint.operation, O::Login | O::Logout);
            assert_eq!(is_admin, endpoint.access == Access::Admin, "{path}");
            assert_eq!(is_guarded, endpoint.sharing == Sharing::Guarded, "{path}");
            let is_integration = path.starts_with("/api/integrations/");
            assert_eq!(is_integration, matches!(endpoint.access, Access::Integration(_)), "{path}");
            if let Some(body) = endpoint.body {
                assert!(body.bytes_max > 0 && body.bytes_max <= 4 << 20, "{path}");
            }
            assert!(!endpoint.methods.is_empty() && endpoint.summary.ends_with('.'), "{path}");
        }
    }

    #[test]
    fn names_in_paths_are_one_part() {
        let name = |path| find(path).map(|(endpoint, name)| (endpoint.operation, name));
        assert_eq!(name("/img/emoji/x.gif"), Some((O::EmojiFile, "x.gif")));
        assert_eq!(name("/img/emoji/"), None);
        assert_eq!(name("/img/emoji/a/b"), None);
        assert_eq!(name("/api/moderation/chat/user/7"), Some((O::Coming, "7")));
        assert_eq!(name("/api/admin/config/nosuch"), None);
    }
}
