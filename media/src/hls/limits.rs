//! Every cap of the packager and the window: name, unit, reason.

use crate::time::MediaTime;

/// EXT-X-VERSION of every playlist: EXT-X-SKIP needs 9 (PL-2).
pub(super) const PLAYLIST_VERSION: u32 = 9;
/// Media time looked at, at most, to measure a frame rate that nobody announced.
pub(super) const PROBE_MAX: MediaTime = MediaTime::from_millis(500);
/// The same when pictures are slow to come.
pub(super) const PROBE_WAIT_MAX: MediaTime = MediaTime::from_millis(2_000);
/// Pictures looked at before an unannounced frame rate is taken as known.
pub(super) const PROBE_PICTURES_MAX: usize = 9;
/// Access units held back while the frame rate is being measured.
pub(super) const PROBE_UNITS_MAX: usize = 512;
/// How far sound may run ahead of pictures, in media time, before it is packaged without waiting
/// for them; also how long a silent track may hold back the other (TS-8).
pub(super) const SKEW_MAX: MediaTime = MediaTime::from_millis(1_000);
/// Audio units queued for a late video track; more are packaged without waiting.
pub(super) const QUEUED_UNITS_MAX: usize = 1_024;
/// Payload bytes after which a part is closed early, whatever its duration: bounds one allocation
/// and keeps `mdat` far from 4 GiB (CM-17). A unit itself is at most 16 MiB.
pub(super) const PART_BYTES_MAX: usize = 32 << 20;
/// Segments listed in one playlist, whatever their duration: a publisher that reconnects in a loop
/// makes many tiny ones.
pub(super) const LISTED_SEGMENTS_MAX: usize = 4_096;
/// Removed segments that stay fetchable (PL-12), under the same attack.
pub(super) const RETAINED_SEGMENTS_MAX: usize = 4_096;
/// Segments that stay listed even when they are older than the rewind time (PL-11).
pub(super) const LISTED_SEGMENTS_MIN: usize = 6;
/// Largest decode time in track ticks; at 90 kHz three thousand years.
pub(super) const DECODE_TICKS_MAX: i64 = 1 << 53;
/// Largest distance of presentation and decode time in track ticks: what a `trun` can say (CM-8).
pub(super) const OFFSET_TICKS_MAX: u64 = i32::MAX as u64;
/// Bytes of a query string that is looked at for delivery directives.
pub(super) const QUERY_BYTES_MAX: usize = 4_096;

const _: () = assert!(LISTED_SEGMENTS_MIN < LISTED_SEGMENTS_MAX);
