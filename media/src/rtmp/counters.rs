//! What a session saw, for metrics and the publisher's page.

/// Totals since the connection began. None of them ends a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Bytes from the socket, handshake included.
    pub bytes_received: u64,
    /// Messages of every type, those inside aggregates counted one by one.
    pub messages: u64,
    /// Messages of unknown type and shared objects, skipped (CK-18).
    pub skipped_messages: u64,
    /// Commands answered without knowing them (1.4).
    pub unknown_commands: u64,
    /// Control messages, aggregates or metadata that could not be read and were dropped.
    pub malformed_messages: u64,
    /// Audio, video and data outside an accepted publish or for another message stream, dropped.
    pub stray_media: u64,
    /// Departures from the chunk rules that were understood anyway.
    pub quirks: Quirks,
}

/// Departures from the chunk rules, by rule id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quirks {
    /// Chunk streams whose continuation chunks leave out the extended time (CK-7).
    pub omitted_extended_times: u32,
    /// Extended times of format 1 to 3 that were absolute (CK-9).
    pub absolute_extended_times: u32,
    /// Chunk streams that begin with format 1 (CK-14).
    pub short_first_headers: u32,
    /// Unfinished messages replaced by a new one (CK-15).
    pub replaced_messages: u32,
    /// Continuation chunks with a header of format 1 or 2 (CK-15).
    pub repeated_headers: u32,
}
