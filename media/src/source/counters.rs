//! What the source machine did to the publisher's units, by cause.

/// Totals since the machine was made; they only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Pictures that left.
    pub pictures: u64,
    /// Audio units of the publisher that left.
    pub audio_units: u64,
    /// Silent audio units put into gaps (AA-7, TS-5).
    pub silent_units: u64,
    /// Messages or pieces of them that could not be read: cut tags, NAL lengths past the end
    /// (AV-4), damaged in-band parameter sets, impossible composition times.
    pub broken: u64,
    /// Messages without content for us: commands, empty units and headers, unknown packet types.
    pub ignored: u64,
    /// Packets of further Enhanced RTMP tracks (ER-3).
    pub extra_tracks: u64,
    /// Packets whose FourCC names no codec (ER-1).
    pub unknown_codec: u64,
    /// Pictures before the first sync picture, or after a change and before the next (AV-10, AV-6),
    /// and leading pictures of the one where decoding starts (AV-7).
    pub pictures_before_sync: u64,
    /// Pictures without any parameter sets (AV-5), or of another codec than was started (ER-7).
    pub pictures_without_config: u64,
    /// Audio units without a configuration (AA-4, ER-7).
    pub audio_without_config: u64,
    /// Audio units that present before the video starts (AV-10).
    pub audio_before_start: u64,
    /// Audio units of a new configuration that waited in vain for an IDR picture (AA-5).
    pub audio_before_switch: u64,
    /// Audio units too many for their message times (TS-5).
    pub audio_drift: u64,
    /// Units dropped because nothing could start within the limits of discovery.
    pub discovery_overflow: u64,
    /// Units held for discovery when the connection or the timeline broke.
    pub discovery_abandoned: u64,
    /// Pictures whose time jumped again right after a timeline break.
    pub out_of_time: u64,
    /// Decode times moved to one tick after the one before (TS-4).
    pub clamped: u64,
    /// Timeline breaks: jumps of the publisher's clock (TS-4).
    pub timeline_breaks: u64,
    /// Times audio was placed anew without a break: its clock settled after the pictures' did.
    pub audio_clock_changes: u64,
    /// Configuration changes that took effect (AV-6, AA-5), late tracks included.
    pub config_changes: u64,
}
