//! Every cap of this room: name, unit, reason. Caps that relate are checked at compile time.

/// Largest RTMP message before publishing is accepted, in bytes: commands are small (1.10).
pub const MESSAGE_BEFORE_PUBLISH_BYTES_MAX: usize = 64 << 10;
/// Largest audio message, in bytes (1.10).
pub const AUDIO_MESSAGE_BYTES_MAX: usize = 1 << 20;
/// Largest data (metadata) message, in bytes (1.10).
pub const DATA_MESSAGE_BYTES_MAX: usize = 1 << 20;
/// Largest video message, in bytes: the 24-bit length field allows no more (1.10).
pub const VIDEO_MESSAGE_BYTES_MAX: usize = (1 << 24) - 1;

/// Longest side of a coded picture, in pixels: 8K and no more (F5).
pub const PICTURE_SIDE_MAX: u32 = 8_192;
/// Largest SPS or PPS, in bytes: real ones stay below a few hundred, with scaling lists below 1 KiB.
pub const PARAMETER_SET_BYTES_MAX: usize = 4 << 10;
/// NAL units in one picture: twice the slices of an 8K picture with one slice per macroblock row.
pub const NALS_PER_PICTURE_MAX: usize = 1_024;
/// Largest AudioSpecificConfig, in bytes: a program config element with its longest comment (AA-2).
pub const AUDIO_SPECIFIC_CONFIG_BYTES_MAX: usize = 320;
/// Audio units in one message: only ADTS can hold more than one (AA-6).
pub const AUDIO_UNITS_PER_MESSAGE_MAX: usize = 64;
/// Encoder name kept from metadata, in bytes.
pub const METADATA_TEXT_BYTES_MAX: usize = 256;
/// Enhanced RTMP modifiers before the packet type (ER-2).
pub const MODIFIERS_MAX: usize = 8;

/// Coded units held while the tracks are not known (CMD-10): 1.5 s of 240 pictures/s and of 96 kHz
/// audio, with room for a burst.
pub const DISCOVERY_UNITS_MAX: usize = 1_024;
/// Coded bytes held while the tracks are not known: 1.5 s of 170 Mbit/s, or two of the largest
/// pictures.
pub const DISCOVERY_BYTES_MAX: usize = 32 << 20;
/// Silent audio units made at one go: 10 s at 96 kHz (AA-7).
pub const SILENT_UNITS_AT_ONCE_MAX: usize = 1_024;
/// Largest distance of presentation from decode time, in ms: a few seconds of reordering at 1 fps.
pub const COMPOSITION_TIME_MS_MAX: u32 = 10_000;

const _: () = assert!(DISCOVERY_BYTES_MAX >= 2 * VIDEO_MESSAGE_BYTES_MAX);
