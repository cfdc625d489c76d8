//! What an operator can set about publisher connections.

use std::time::Duration;

/// Sizes, deadlines and rates of a [`super::Session`]. The defaults are those of the media
/// reference, section 1.10.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionConfig {
    /// Chunk size we announce and write with, in bytes, `1..=16777215`. FFmpeg adopts it for its
    /// own chunks, so a large one saves headers in both directions. Default 65536.
    pub chunk_size: u32,
    /// Window Ack Size and Set Peer Bandwidth we announce, and how often we acknowledge a peer that
    /// announces no window, in bytes (AK-1). Default 2500000.
    pub window_ack_size: u32,
    /// From accept to the end of the handshake (HS-14). Default 5 s.
    pub handshake_timeout: Duration,
    /// From the handshake, or from an unpublish, to the next `publish`. Default 10 s.
    pub publish_timeout: Duration,
    /// From [`super::Event::PublishRequested`] to our own answer (AU-5). Default 5 s.
    pub decision_timeout: Duration,
    /// From the accepted publish to the first audio or video message. Default 20 s.
    pub first_media_timeout: Duration,
    /// Between audio or video messages (RC-5). Default 10 s.
    pub media_timeout: Duration,
    /// Least average rate while a message is unfinished, in bytes per second. Default 1000.
    pub rate_min: u32,
    /// Time over which `rate_min` is averaged. Default 5 s.
    pub rate_window: Duration,
    /// Silence after which a publisher is pinged, and between pings (AK-5). Default 10 s.
    pub ping_interval: Duration,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            chunk_size: 65_536,
            window_ack_size: 2_500_000,
            handshake_timeout: Duration::from_secs(5),
            publish_timeout: Duration::from_secs(10),
            decision_timeout: Duration::from_secs(5),
            first_media_timeout: Duration::from_secs(20),
            media_timeout: Duration::from_secs(10),
            rate_min: 1_000,
            rate_window: Duration::from_secs(5),
            ping_interval: Duration::from_secs(10),
        }
    }
}
