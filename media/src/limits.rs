//! Every cap of this room: name, unit, reason. Caps that relate are checked at compile time.

use std::time::Duration;

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

/// How long the tracks of a publisher are looked for after its first media message (CMD-10).
pub const DISCOVERY: Duration = Duration::from_millis(1_500);
/// How long a video track without an IDR picture holds back the audio.
pub const SYNC_WAIT: Duration = Duration::from_secs(10);
/// Shortest distance of two timeline breaks; what jumps sooner is dropped, so two interleaved
/// clocks cannot make a discontinuity per picture (SRS #1163).
pub const BREAK_SPACING: Duration = Duration::from_secs(2);
/// Output time of the first unit of a broadcast, in 90 kHz ticks: 10 s, room for what presents
/// before it (CM-10).
pub const OUTPUT_START_90K: i64 = 10 * 90_000;
/// Largest difference of audio and video times on one clock, in ms (TS-3).
pub const TRACK_DISTANCE_MS_MAX: i64 = 10_000;
/// Largest step back of a decode time that is smoothed over, in ms (TS-4).
pub const STEP_BACK_MS_MAX: i64 = 500;
/// Largest step forward that is a pause and not a jump, in ms (TS-4).
pub const STEP_FORWARD_MS_MAX: i64 = 10_000;
/// Audio may drift this far from its message times before units are inserted or dropped, in ms;
/// two units when those are longer (TS-5).
pub const AUDIO_DRIFT_MS_MAX: i64 = 100;
/// Audio that lags further behind video than usual by this, in ms, has stopped (AA-7).
pub const AUDIO_STOPPED_MS: i64 = 500;
/// Largest usual lag of audio behind video, in ms: loose interleaving (TS-8).
pub const AUDIO_LAG_MS_MAX: i64 = 2_000;
