//! The shapes of our own JSON answers (API §1.9), for the API's description and its tests.

use crate::health::{Level, Part, Step};
use crate::settings::{CODECS, LATENCY_LEVEL_MAX};
use crate::shape::{Field, Shape, may, must};

const TEXT: Shape = Shape::Text { max: 1_000_000 };
const COUNT: Shape = Shape::Integer { min: 0, max: i64::MAX };
const BOOL: Shape = Shape::Bool;
const TIME_OR_NULL: Shape = Shape::Nullable(&Shape::Time);
const TEXTS: Shape = Shape::List { of: &TEXT, max: 10_000 };

const fn list(of: &'static Shape) -> Shape {
    Shape::List { of, max: 1_000_000 }
}

pub(super) const SIMPLE: Shape = Shape::Object(&[must("message", TEXT), must("success", BOOL)]);

pub(super) const STATUS: Shape = Shape::Object(&[
    must("serverTime", Shape::Time),
    must("lastConnectTime", TIME_OR_NULL),
    must("lastDisconnectTime", TIME_OR_NULL),
    must("versionNumber", TEXT),
    must("streamTitle", TEXT),
    may("viewerCount", COUNT),
    must("online", BOOL),
    must("presentation", COUNT),
]);

const HANDLE_FIELDS: &[Field] = &[may("platform", TEXT), may("url", TEXT), may("icon", TEXT)];
const HANDLES: Shape = list(&Shape::Object(HANDLE_FIELDS));
const ACTIONS: Shape = list(&Shape::Object(&[
    must("url", TEXT),
    must("html", TEXT),
    must("title", TEXT),
    must("description", TEXT),
    must("icon", TEXT),
    must("color", TEXT),
    must("openExternally", BOOL),
]));
const APPEARANCE: Shape = Shape::Nullable(&Shape::Map { of: &TEXT, max: 1_000 });

pub(super) const CONFIG: Shape = Shape::Object(&[
    must("appearanceVariables", APPEARANCE),
    must("name", TEXT),
    must("summary", TEXT),
    must("version", TEXT),
    must("customStyles", TEXT),
    may("streamTitle", TEXT),
    must("offlineMessage", TEXT),
    must("extraPageContent", TEXT),
    must("logo", TEXT),
    may("socketHostOverride", TEXT),
    must("tags", TEXTS),
    must("socialHandles", HANDLES),
    must("externalActions", ACTIONS),
    must(
        "notifications",
        Shape::Object(&[must(
            "browser",
            Shape::Object(&[may("publicKey", TEXT), must("enabled", BOOL)]),
        )]),
    ),
    must(
        "federation",
        Shape::Object(&[
            may("account", TEXT),
            may("followerCount", COUNT),
            must("enabled", BOOL),
            must("hideFollowersTab", BOOL),
        ]),
    ),
    must(
        "schedule",
        Shape::Object(&[
            must("enabled", BOOL),
            must("showCountdown", BOOL),
            must("chatOpenMinutesBefore", COUNT),
        ]),
    ),
    must("maxSocketPayloadSize", COUNT),
    must("hideViewerCount", BOOL),
    must("chatDisabled", BOOL),
    must("chatSpamProtectionDisabled", BOOL),
    must("chatRequireAuthentication", BOOL),
    must("autoplay", TEXT),
    must("nsfw", BOOL),
    must("authentication", Shape::Object(&[must("indieAuthEnabled", BOOL)])),
]);

pub(super) const DIRECTORY: Shape = Shape::Object(&[
    must("lastConnectTime", TIME_OR_NULL),
    must("name", TEXT),
    must("description", TEXT),
    may("streamTitle", TEXT),
    must("logo", TEXT),
    must("tags", TEXTS),
    must("social", HANDLES),
    must("viewerCount", COUNT),
    must("overallMaxViewerCount", COUNT),
    must("sessionMaxViewerCount", COUNT),
    must("nsfw", BOOL),
    must("online", BOOL),
]);

pub(super) const VARIANTS: Shape =
    list(&Shape::Object(&[must("name", TEXT), must("index", COUNT)]));
pub(super) const PLATFORMS: Shape =
    Shape::Map { of: &Shape::Object(&[must("platform", TEXT), must("icon", TEXT)]), max: 100 };
pub(super) const EMOJI: Shape = list(&Shape::Object(&[must("name", TEXT), must("url", TEXT)]));

const SAMPLE: Shape = Shape::Object(&[must("time", Shape::Time), must("value", Shape::Amount)]);
pub(super) const SAMPLES: Shape = list(&SAMPLE);
pub(super) const HARDWARE: Shape =
    Shape::Object(&[must("disk", SAMPLES), must("memory", SAMPLES), must("cpu", SAMPLES)]);
pub(super) const LOGS: Shape = list(&Shape::Object(&[
    must("time", Shape::Time),
    must("message", TEXT),
    must("level", Shape::Word(&["error", "warning", "info", "debug", "trace"])),
]));
pub(super) const VIEWERS: Shape = list(&Shape::Object(&[
    must("firstSeen", Shape::Time),
    must("geo", Shape::Nullable(&GEO)),
    must("userAgent", TEXT),
    must("ipAddress", TEXT),
    must("clientID", TEXT),
]));
pub(super) const PLAYBACK_CLIENTS: Shape = list(&Shape::Object(&[
    must("clientID", TEXT),
    must("viewerID", TEXT),
    must("firstSeen", Shape::Time),
    must("geo", Shape::Nullable(&GEO)),
    must("userAgent", TEXT),
    must("ipAddress", TEXT),
    must("playback", Shape::Nullable(&PLAYBACK)),
]));
const PLAYBACK: Shape = Shape::Object(&[
    must("source", Shape::Word(&["client"])),
    must("lastUpdate", Shape::Time),
    must("playerState", Shape::Nullable(&Shape::Line { max: 1 })),
    must("measurementStatus", Shape::Nullable(&Shape::Word(&["unmeasurable"]))),
    must("bandwidthKbps", AMOUNT_OR_NULL),
    must("latencySeconds", AMOUNT_OR_NULL),
    must("downloadSeconds", AMOUNT_OR_NULL),
    must("bitrateKbps", AMOUNT_OR_NULL),
    must("errorCount", AMOUNT_OR_NULL),
    must("qualityVariantChanges", AMOUNT_OR_NULL),
]);
const AMOUNT_OR_NULL: Shape = Shape::Nullable(&Shape::Amount);
/// Series by name, each with its samples, and seconds from one sample to the next.
pub(super) const HISTORY: Shape =
    Shape::Object(&[must("step", COUNT), must("series", Shape::Map { of: &SAMPLES, max: 100 })]);
const GEO: Shape =
    Shape::Object(&[must("countryCode", TEXT), must("regionName", TEXT), must("timeZone", TEXT)]);

pub(super) const VIDEO_METRICS: Shape = Shape::Object(&[
    must("errors", SAMPLES),
    must("qualityVariantChanges", SAMPLES),
    must("highestLatency", SAMPLES),
    must("medianLatency", SAMPLES),
    must("lowestLatency", SAMPLES),
    must("medianSegmentDownloadDuration", SAMPLES),
    must("maximumSegmentDownloadDuration", SAMPLES),
    must("minimumSegmentDownloadDuration", SAMPLES),
    must("minPlayerBitrate", SAMPLES),
    must("medianPlayerBitrate", SAMPLES),
    must("maxPlayerBitrate", SAMPLES),
    must("availableBitrates", list(&COUNT)),
    must("segmentLength", COUNT),
    must("representation", COUNT),
]);

const VARIANT: Shape = Shape::Object(&[
    must("name", TEXT),
    must("videoPassthrough", BOOL),
    must("audioPassthrough", BOOL),
    must("videoBitrate", COUNT),
    must("audioBitrate", COUNT),
    may("scaledWidth", COUNT),
    may("scaledHeight", COUNT),
    must("framerate", COUNT),
    must("cpuUsageLevel", COUNT),
]);
const LEVEL: Shape = Shape::Integer { min: 0, max: LATENCY_LEVEL_MAX as i64 };

pub(super) const ADMIN_STATUS: Shape = Shape::Object(&[
    must("broadcaster", Shape::Nullable(&BROADCASTER)),
    must("currentBroadcast", Shape::Nullable(&BROADCAST)),
    must("health", Shape::Nullable(&HEALTH)),
    must("streamTitle", TEXT),
    must("versionNumber", TEXT),
    must("viewerCount", COUNT),
    must("overallPeakViewerCount", COUNT),
    must("sessionPeakViewerCount", COUNT),
    must("online", BOOL),
]);
const BROADCASTER: Shape = Shape::Object(&[
    must("time", Shape::Time),
    must("remoteAddr", TEXT),
    must("streamDetails", STREAM_DETAILS),
]);
const STREAM_DETAILS: Shape = Shape::Object(&[
    must("videoCodec", TEXT),
    must("audioCodec", TEXT),
    must("encoder", TEXT),
    must("width", COUNT),
    must("height", COUNT),
    must("videoBitrate", COUNT),
    must("audioBitrate", COUNT),
    must("framerate", Shape::Amount),
]);
const BROADCAST: Shape = Shape::Object(&[
    must("outputSettings", list(&VARIANT)),
    must("latencyLevel", Shape::Object(&[must("level", LEVEL)])),
]);
const HEALTH: Shape = Shape::Object(&[
    must("message", TEXT),
    must("healthPercentage", COUNT),
    must("representation", COUNT),
    must("healthy", BOOL),
]);

pub(super) const SERVER_HEALTH: Shape = Shape::Object(&[
    must("level", Shape::Word(Level::WORDS)),
    must("ready", BOOL),
    must("findings", list(&FINDING)),
    must("readings", READINGS),
    must("players", Shape::Nullable(&HEALTH)),
]);
const FINDING: Shape = Shape::Object(&[
    must("part", Shape::Word(Part::WORDS)),
    may("variant", COUNT),
    must("level", Shape::Word(Level::WORDS)),
    must("message", TEXT),
]);
const READINGS: Shape = Shape::Object(&[
    must("ingest", Shape::Nullable(&INGEST)),
    must(
        "decoder",
        Shape::Nullable(&Shape::Object(&[must("pictures", COUNT), must("skipped", COUNT)])),
    ),
    must("renditions", list(&RENDITION)),
    must(
        "delivery",
        Shape::Nullable(&Shape::Object(&[
            must("shards", COUNT),
            must("late", COUNT),
            must("connections", COUNT),
        ])),
    ),
    must(
        "machine",
        Shape::Object(&[
            must("cpu", AMOUNT_OR_NULL),
            must("memory", AMOUNT_OR_NULL),
            must("diskFree", Shape::Nullable(&COUNT)),
            must("openFiles", Shape::Nullable(&Shape::List { of: &COUNT, max: 2 })),
        ]),
    ),
    must("storeError", Shape::Nullable(&TEXT)),
    must("dateMs", Shape::Nullable(&COUNT)),
]);
const INGEST: Shape = Shape::Object(&[
    must("isAway", BOOL),
    must("pictures", Shape::Amount),
    must("videoKbit", Shape::Amount),
    must("audioKbit", Shape::Amount),
    must("keyframeGap", AMOUNT_OR_NULL),
    must("jitter", Shape::Amount),
    must("arrivalGap", Shape::Amount),
]);
const RENDITION: Shape = Shape::Object(&[
    must("variant", COUNT),
    must("isPaused", BOOL),
    must("step", Shape::Word(Step::WORDS)),
    must("pictures", COUNT),
    must("lost", COUNT),
    must("kbit", Shape::Amount),
    must("speed", AMOUNT_OR_NULL),
    must("lag", AMOUNT_OR_NULL),
    must("lagMax", Shape::Amount),
]);

pub(super) const SERVER_CONFIG: Shape = Shape::Object(&[
    must("instanceDetails", INSTANCE_DETAILS),
    must("notifications", NOTIFICATIONS),
    must("yp", Shape::Object(&[must("instanceUrl", TEXT), must("enabled", BOOL)])),
    must("ffmpegPath", TEXT),
    must("adminPassword", TEXT),
    may("socketHostOverride", TEXT),
    must("webServerIP", TEXT),
    must("videoCodec", Shape::Word(CODECS)),
    must("videoServingEndpoint", TEXT),
    must("s3", S3),
    must("federation", FEDERATION),
    must("schedule", SCHEDULE),
    must("supportedCodecs", TEXTS),
    must("externalActions", ACTIONS),
    must("forbiddenUsernames", TEXTS),
    must("suggestedUsernames", TEXTS),
    must("streamKeys", list(&Shape::Object(&[must("key", TEXT), must("comment", TEXT)]))),
    must(
        "videoSettings",
        Shape::Object(&[must("videoQualityVariants", list(&VARIANT)), must("latencyLevel", LEVEL)]),
    ),
    must("rtmpServerPort", COUNT),
    must("webServerPort", COUNT),
    must("rtmpServerAddress", TEXT),
    must("chatDisabled", BOOL),
    must("chatJoinMessagesEnabled", BOOL),
    must("chatEstablishedUserMode", BOOL),
    must("chatSpamProtectionEnabled", BOOL),
    must("chatSlurFilterEnabled", BOOL),
    must("chatRequireAuthentication", BOOL),
    must("disableSearchIndexing", BOOL),
    must("streamKeyOverridden", BOOL),
    must("hideViewerCount", BOOL),
    must("metricsPublic", BOOL),
    must("lockedSettings", Shape::Map { of: &TEXT, max: 1_000 }),
]);
const INSTANCE_DETAILS: Shape = Shape::Object(&[
    must("appearanceVariables", APPEARANCE),
    must("version", TEXT),
    must("welcomeMessage", TEXT),
    must("offlineMessage", TEXT),
    must("logo", TEXT),
    must("name", TEXT),
    must("extraPageContent", TEXT),
    must("streamTitle", TEXT),
    must("customStyles", TEXT),
    must("customJavascript", TEXT),
    must("summary", TEXT),
    must("tags", TEXTS),
    must("socialHandles", HANDLES),
    must("nsfw", BOOL),
    must("autoplay", TEXT),
]);
const NOTIFICATIONS: Shape = Shape::Object(&[
    must("browser", Shape::Object(&[may("goLiveMessage", TEXT), must("enabled", BOOL)])),
    must(
        "discord",
        Shape::Object(&[may("webhook", TEXT), may("goLiveMessage", TEXT), must("enabled", BOOL)]),
    ),
]);
const S3: Shape = Shape::Object(&[
    may("endpoint", TEXT),
    may("accessKey", TEXT),
    may("secret", TEXT),
    may("bucket", TEXT),
    may("region", TEXT),
    may("acl", TEXT),
    may("pathPrefix", TEXT),
    must("enabled", BOOL),
    must("forcePathStyle", BOOL),
]);
const FEDERATION: Shape = Shape::Object(&[
    must("username", TEXT),
    must("goLiveMessage", TEXT),
    must("blockedDomains", TEXTS),
    must("enabled", BOOL),
    must("isPrivate", BOOL),
    must("showEngagement", BOOL),
    must("enableQuotes", BOOL),
    must("hideFollowersTab", BOOL),
]);
const SCHEDULE: Shape = Shape::Object(&[
    must("enabled", BOOL),
    must("showCountdown", BOOL),
    must("chatOpenMinutesBefore", COUNT),
    must("reminderMessage", TEXT),
    must("firstReminderMinutes", COUNT),
    must("secondReminderMinutes", COUNT),
]);
