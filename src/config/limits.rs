//! Limits of the settings: name, unit, reason.

/// Most shards: one per core of the largest machine we have heard of.
pub const SHARDS_MAX: usize = 256;
/// Longest rewind window kept in memory, in seconds: two hours of 6 Mbit/s take over 10 GB.
pub const REWIND_SECONDS_MAX: u64 = 7_200;
/// Shortest rewind window, in seconds: six segments of two seconds (PL-11).
pub const REWIND_SECONDS_MIN: u64 = 12;
/// Longest grace period for a publisher that dropped, in seconds.
pub const GRACE_SECONDS_MAX: u64 = 600;
/// Longest stream key, in bytes (AU-2).
pub const STREAM_KEY_BYTES_MAX: usize = 255;
/// Shortest stream key, in bytes: shorter ones are guessed in minutes.
pub const STREAM_KEY_BYTES_MIN: usize = 8;
/// Shortest admin password, in bytes.
pub const ADMIN_PASSWORD_BYTES_MIN: usize = 8;
/// Longest admin password, in bytes: hashing longer ones costs an attacker nothing and us time.
pub const ADMIN_PASSWORD_BYTES_MAX: usize = 1_024;
/// Least bit rate of sound that is coded anew, in kbit/s: speech in stereo is clear from here up.
pub const AUDIO_KBIT_MIN: u32 = 32;
/// Most, in kbit/s: nobody hears more.
pub const AUDIO_KBIT_MAX: u32 = 320;
/// Shortest time without a request before a rendition is paused, in seconds: players may read a
/// playlist as seldom as a segment lasts.
pub const PAUSE_SECONDS_MIN: u64 = 10;
/// Longest, in seconds.
pub const PAUSE_SECONDS_MAX: u64 = 3_600;
