//! Every cap of this room: name, unit, reason. Caps that relate are checked at compile time.

/// Largest RTMP message before publishing is accepted, in bytes: commands are small (1.10).
pub const MESSAGE_BEFORE_PUBLISH_BYTES_MAX: usize = 64 << 10;
/// Largest audio message, in bytes (1.10).
pub const AUDIO_MESSAGE_BYTES_MAX: usize = 1 << 20;
/// Largest data (metadata) message, in bytes (1.10).
pub const DATA_MESSAGE_BYTES_MAX: usize = 1 << 20;
/// Largest video message, in bytes: the 24-bit length field allows no more (1.10).
pub const VIDEO_MESSAGE_BYTES_MAX: usize = (1 << 24) - 1;
