//! What a track means to the rendition that is made of it.

use bytes::Bytes;

use super::lineup::Lineup;
use super::names::RenditionId;
use super::update::RenditionMedia;
use crate::access_unit::{AudioTrack, TrackKind, VideoTrack};
use crate::cmaf;
use crate::time::Timescale;

/// What a track means to its rendition.
pub(super) struct TrackShape {
    /// `None`: not listed.
    pub(super) id: Option<RenditionId>,
    /// See [`Rendition::offered`](super::update::Rendition::offered).
    pub(super) offered: bool,
    pub(super) kind: TrackKind,
    pub(super) timescale: Timescale,
    /// Track ticks.
    pub(super) unit_duration: i64,
    pub(super) codec: String,
    pub(super) is_source: bool,
    pub(super) bitrate: Option<u32>,
    pub(super) media: RenditionMedia,
    pub(super) init: Bytes,
}

impl TrackShape {
    /// The publisher's own pictures; without a number they are not listed.
    pub(super) fn of_source(lineup: &Lineup, track: &VideoTrack) -> Self {
        Self {
            is_source: true,
            id: lineup.source.map(RenditionId::Video),
            offered: !lineup.hides_source,
            ..Self::of_rung(0, track)
        }
    }

    /// Encoded pictures.
    pub(super) fn of_rung(variant: u8, track: &VideoTrack) -> Self {
        const USUAL_FRAME_RATE_MILLIS: u32 = 30_000;
        let rate = track.frame_rate_millis.unwrap_or(USUAL_FRAME_RATE_MILLIS).max(1);
        Self {
            id: Some(RenditionId::Video(variant)),
            offered: true,
            kind: TrackKind::Video,
            timescale: Timescale::VIDEO,
            unit_duration: (i64::from(Timescale::VIDEO.hz()) * 1_000 / i64::from(rate)).max(1),
            codec: cmaf::video_codec_string(track),
            is_source: false,
            bitrate: track.bitrate,
            media: RenditionMedia::Video {
                width: track.width,
                height: track.height,
                frame_rate_millis: track.frame_rate_millis,
                range: cmaf::video_range(track),
            },
            init: cmaf::video_init(track),
        }
    }

    pub(super) fn of_audio(track: &AudioTrack) -> Self {
        Self {
            id: Some(RenditionId::Audio),
            offered: true,
            kind: TrackKind::Audio,
            timescale: Timescale::new(track.sample_rate).unwrap_or(Timescale::VIDEO),
            unit_duration: i64::from(track.samples_per_unit).max(1),
            codec: cmaf::audio_codec_string(track),
            is_source: false,
            bitrate: track.bitrate,
            media: RenditionMedia::Audio { channels: track.channels },
            init: cmaf::audio_init(track),
        }
    }
}
