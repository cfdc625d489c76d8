//! Every redb table: key, value, unit, owner. Bump [`VERSION`] with a migration when a shape
//! changes; an older file is upgraded on opening, a newer one is refused.

use redb::TableDefinition;

/// Version of the shapes below, kept in [`META`] under [`META_VERSION`].
pub const VERSION: u64 = 1;

/// Facts about the file itself. Owner: `disk`.
pub const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// Key in [`META`] of the schema version.
pub const META_VERSION: &str = "schema_version";

/// Stream keys that may publish: key to the operator's comment. Owner: ingest.
/// The keys are kept readable because the admin shows them again.
pub const STREAM_KEYS: TableDefinition<'_, &str, &str> = TableDefinition::new("stream_keys");

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
