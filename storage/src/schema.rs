//! Every redb table: key, value, unit, owner. Bump [`VERSION`] with a migration when a shape
//! changes; an older file is upgraded on opening, a newer one is refused.

use redb::TableDefinition;

/// Version of the shapes below, kept in [`META`] under [`META_VERSION`].
pub const VERSION: u64 = 2;

/// Facts about the file itself. Owner: `disk`.
pub const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// Key in [`META`] of the schema version.
pub const META_VERSION: &str = "schema_version";

/// Stream keys that may publish, in the operator's order: place to the key and its comment. Owner:
/// ingest. The keys are kept readable because the admin shows them again.
pub const STREAM_KEYS: TableDefinition<'_, u32, (&str, &str)> =
    TableDefinition::new("stream_keys_in_order");
/// The same in version 1: key to comment, without an order of their own.
pub(crate) const STREAM_KEYS_1: TableDefinition<'_, &str, &str> =
    TableDefinition::new("stream_keys");

/// What the operator has set: name as in `riverrun_web::settings`, value as JSON. A setting without
/// a row has its default. Owner: admin.
pub const SETTINGS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("settings");

/// Facts about broadcasts that outlive the process. Owner: the broadcast.
pub const HISTORY: TableDefinition<'_, &str, u64> = TableDefinition::new("history");
/// Key in [`HISTORY`]: most viewers at one time, ever.
pub const HISTORY_PEAK_OVERALL: &str = "peak_viewers_overall";
/// Key in [`HISTORY`]: most viewers at one time in the last broadcast.
pub const HISTORY_PEAK_SESSION: &str = "peak_viewers_session";
/// Key in [`HISTORY`]: end of the last broadcast, ms since 1970.
pub const HISTORY_LAST_DISCONNECT_MS: &str = "last_disconnect_ms";
/// Key in [`HISTORY`]: when a broadcast was seen on air last, ms since 1970; none once it ended.
/// Tells a start after a crash when that broadcast ended, to about a minute.
pub const HISTORY_ON_AIR_MS: &str = "on_air_ms";

/// What was measured over time: place in its ring to a block of sixty points, in the form of
/// `riverrun_web::history`. The upper 32 bits of a place are the seconds of a point, the lower the
/// block's number in the ring, so that the rows of a ring are as many as it has blocks. Owner:
/// statistics. Made with the first block; without it there is no history.
pub const MEASURED: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("measured");

/// Log-in secrets that are only ever verified, as PHC strings. Owner: admin.
pub const PASSWORD_HASHES: TableDefinition<'_, &str, &str> =
    TableDefinition::new("password_hashes");
/// Key in [`PASSWORD_HASHES`] of the user `admin`.
pub const PASSWORD_ADMIN: &str = "admin";

/// Numbers that only rise, a restart included. Owner: the broadcast.
pub const COUNTERS: TableDefinition<'_, &str, u64> = TableDefinition::new("counters");
/// Key in [`COUNTERS`]: the first media sequence number no broadcast has used (PL-6).
pub const COUNTER_NEXT_MSN: &str = "next_msn";
/// Key in [`COUNTERS`]: the first discontinuity sequence number no broadcast has used (PL-7).
pub const COUNTER_NEXT_DISCONTINUITY: &str = "next_discontinuity";
