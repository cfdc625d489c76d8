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

/// Largest `connect` command, in bytes (AM-5).
pub const CONNECT_BYTES_MAX: usize = 16 << 10;
/// Largest command or control message, in bytes, in every state (AM-5).
pub const COMMAND_MESSAGE_BYTES_MAX: usize = 64 << 10;
/// Deepest nesting of AMF objects and arrays (AM-5).
pub const AMF_DEPTH_MAX: usize = 16;
/// Most AMF values in one message, nested ones and repeated references included (AM-5).
pub const AMF_ELEMENTS_MAX: usize = 1024;
/// Most bytes that AMF references may add to one message by naming a value again, and most that the
/// table of earlier objects may hold: a reference costs two bytes and can repeat a whole message.
pub const AMF_REFERENCED_BYTES_MAX: usize = 64 << 10;
/// Chunk streams with state per connection (1.10).
pub const CHUNK_STREAMS_MAX: usize = 64;
/// Memory for unfinished messages of one connection, as a multiple of its largest message (1.10).
pub const PARTIAL_MESSAGES_PER_CONNECTION: usize = 2;
/// Largest chunk size a peer may use; larger announcements are clamped to it (CK-11).
pub const CHUNK_BYTES_MAX: usize = (1 << 24) - 1;
/// Input held while the decision about a publish is pending, in bytes (AU-5).
pub const HELD_INPUT_BYTES_MAX: usize = 256 << 10;
/// Replies the socket has not taken, in bytes. A reply is at most three times its request, so a
/// peer gets here only by asking without ever reading.
pub const REPLY_BACKLOG_BYTES_MAX: usize = 1 << 20;
/// Messages of unknown type in a row before the peer is taken for something else (CK-18).
pub const UNKNOWN_MESSAGES_IN_A_ROW_MAX: u32 = 64;
/// Longest application name and longest stream key, in bytes (AU-2).
pub const NAME_BYTES_MAX: usize = 255;
/// Most query pairs of a stream address; the rest is ignored (AU-1).
pub const QUERY_PAIRS_MAX: usize = 32;

const _: () = {
    assert!(CONNECT_BYTES_MAX <= COMMAND_MESSAGE_BYTES_MAX);
    assert!(COMMAND_MESSAGE_BYTES_MAX <= MESSAGE_BEFORE_PUBLISH_BYTES_MAX);
    assert!(AUDIO_MESSAGE_BYTES_MAX <= VIDEO_MESSAGE_BYTES_MAX);
    assert!(DATA_MESSAGE_BYTES_MAX <= VIDEO_MESSAGE_BYTES_MAX);
};
/// Longest side of a coded picture, in pixels: 8K and no more (F5).
pub const PICTURE_SIDE_MAX: u32 = 8_192;
/// Largest SPS or PPS, in bytes: real ones stay below a few hundred, with scaling lists below 1
/// KiB.
pub const PARAMETER_SET_BYTES_MAX: usize = 4 << 10;
/// NAL units in one picture: twice the slices of an 8K picture with one slice per macroblock row.
pub const NALS_PER_PICTURE_MAX: usize = 1_024;
/// OBUs in one AV1 temporal unit: as many as NAL units in a picture.
pub const OBUS_PER_UNIT_MAX: usize = 1_024;
/// Largest AudioSpecificConfig, in bytes: a program config element with its longest comment (AA-2).
pub const AUDIO_SPECIFIC_CONFIG_BYTES_MAX: usize = 320;
/// Audio units in one message: ADTS (AA-6) and formats that frame themselves can hold more than
/// one.
pub const AUDIO_UNITS_PER_MESSAGE_MAX: usize = 64;
/// Encoder name kept from metadata, in bytes.
pub const METADATA_TEXT_BYTES_MAX: usize = 256;
/// Enhanced RTMP modifiers before the packet type (ER-2).
pub const MODIFIERS_MAX: usize = 8;
/// Tracks in one Enhanced RTMP message: their ids have eight bits (ER-3).
pub const TRACKS_PER_MESSAGE_MAX: usize = 256;

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
