//! Video packets to pictures, and the configuration they are coded with (AV-2 to AV-10, ER-4,
//! ER-7).
//!
//! The configuration comes from sequence headers and from what stands inside sync pictures. A
//! repeated header changes nothing (mediamtx #3802); a different one, or another codec, takes
//! effect at the next sync picture, and until then pictures are dropped.
//!
//! [`nal`] reads H.264 and HEVC, [`av1`] reads AV1.

mod av1;
mod nal;

use bytes::Bytes;

use super::{Counters, Refusal};
use crate::access_unit::{VideoCodec, VideoTrack};
use crate::flv::{CodecTag, ColourInfo, FourCc, Metadata};
use crate::limits::COMPOSITION_TIME_MS_MAX;
use crate::picture::{Colour, Light};
use av1::Av1Input;
use nal::{Avc, Hevc, NalInput};

/// A coded picture without an output time.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) payload: Bytes,
    /// Decoding can start here.
    pub(super) sync: bool,
    /// No picture after it looks back past it.
    closed: bool,
    /// Cannot be decoded when decoding started at the sync picture before it.
    pub(super) skipped_leading: bool,
    /// Presentation minus decode time, in 90 kHz ticks.
    pub(super) composition_90k: i64,
}

/// What a codec's reader makes of a payload.
#[derive(Debug)]
struct Coded {
    payload: Bytes,
    sync: bool,
    closed: bool,
    skipped_leading: bool,
}

/// A payload that cannot be read; it is dropped and counted.
#[derive(Debug)]
struct Damage;

/// When a picture is shown, besides its message time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Presentation {
    /// PTS minus DTS in ms (TS-2).
    pub(super) composition_ms: i32,
    /// Nanoseconds on top, below a millisecond (TS-7).
    pub(super) nanos: u32,
}

/// Codecs that can be packaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VideoKind {
    H264,
    Hevc,
    Av1,
}

impl VideoKind {
    /// `None` for everything that is refused.
    pub(super) const fn of(codec: CodecTag) -> Option<Self> {
        match codec {
            CodecTag::Video(7) | CodecTag::FourCc(FourCc::AVC) => Some(Self::H264),
            CodecTag::Video(12) | CodecTag::FourCc(FourCc::HEVC) => Some(Self::Hevc),
            CodecTag::FourCc(FourCc::AV1) => Some(Self::Av1),
            CodecTag::Video(_) | CodecTag::Audio(_) | CodecTag::FourCc(_) => None,
        }
    }
}

/// The reader of the codec in use.
#[derive(Debug)]
enum Reader {
    H264(NalInput<Avc>),
    Hevc(NalInput<Hevc>),
    Av1(Av1Input),
}

impl Reader {
    fn new(kind: VideoKind) -> Self {
        match kind {
            VideoKind::H264 => Self::H264(NalInput::default()),
            VideoKind::Hevc => Self::Hevc(NalInput::default()),
            VideoKind::Av1 => Self::Av1(Av1Input::default()),
        }
    }

    const fn kind(&self) -> VideoKind {
        match self {
            Self::H264(_) => VideoKind::H264,
            Self::Hevc(_) => VideoKind::Hevc,
            Self::Av1(_) => VideoKind::Av1,
        }
    }
}

/// The video side of one connection.
#[derive(Debug)]
pub(super) struct VideoInput {
    reader: Option<Reader>,
    config: Option<VideoCodec>,
    /// Colour of HDR metadata, for streams that do not tell their own.
    announced_colour: Option<Colour>,
    /// Light of HDR metadata.
    light: Light,
    awaiting_sync: bool,
    /// Decoding started at the last sync picture, or its leading pictures are lost anyhow.
    drops_leading: bool,
}

impl Default for VideoInput {
    fn default() -> Self {
        Self {
            reader: None,
            config: None,
            announced_colour: None,
            light: Light::default(),
            awaiting_sync: true,
            drops_leading: true,
        }
    }
}

impl VideoInput {
    /// Takes a sequence header; tells whether the configuration changed. One of another codec than
    /// before is a reconfiguration (ER-4).
    pub(super) fn on_header(
        &mut self,
        kind: VideoKind,
        body: &Bytes,
        counters: &mut Counters,
    ) -> Result<bool, Refusal> {
        let config = match self.reader_of(kind) {
            Reader::H264(input) => input.on_header(body, counters),
            Reader::Hevc(input) => input.on_header(body, counters),
            Reader::Av1(input) => input.on_header(body, counters),
        };
        Ok(config?.is_some_and(|config| self.configure(config)))
    }

    /// Takes coded data; `None` when there is no picture in it or it is damaged.
    pub(super) fn on_frame(
        &mut self,
        kind: VideoKind,
        payload: &Bytes,
        presentation: Presentation,
        counters: &mut Counters,
    ) -> Result<Option<Picture>, Refusal> {
        let configured = self.config.is_some();
        // ER-7: frames of a codec that was not started do not replace one that was.
        if configured && self.reader.as_ref().is_some_and(|reader| reader.kind() != kind) {
            counters.pictures_without_config += 1;
            return Ok(None);
        }
        let coded = match self.reader_of(kind) {
            Reader::H264(input) => input.on_frame(payload, configured, counters)?,
            Reader::Hevc(input) => input.on_frame(payload, configured, counters)?,
            Reader::Av1(input) => input.on_frame(payload, counters),
        };
        let Some(Coded { payload, sync, closed, skipped_leading }) = coded else {
            return Ok(None);
        };
        let Presentation { composition_ms, nanos } = presentation;
        if composition_ms.unsigned_abs() > COMPOSITION_TIME_MS_MAX {
            counters.broken += 1;
            return Ok(None);
        }
        let composition_90k = i64::from(composition_ms) * 90 + i64::from(nanos) * 9 / 100_000;
        Ok(Some(Picture { payload, sync, closed, skipped_leading, composition_90k }))
    }

    /// Takes what HDR metadata says; a change takes effect at the next sync picture.
    pub(super) fn on_colour(&mut self, info: ColourInfo) {
        match info {
            ColourInfo::Told { colour, light } => {
                self.announced_colour = colour.or(self.announced_colour);
                self.light = Light {
                    content: light.content.or(self.light.content),
                    mastering: light.mastering.or(self.light.mastering),
                };
            }
            ColourInfo::Reset => (self.announced_colour, self.light) = (None, Light::default()),
            ColourInfo::Absent => {}
        }
    }

    /// Lets a picture pass when it can be decoded: there is a configuration and, since the last
    /// change or break, a sync picture (AV-10), and it is no leading picture of that one.
    pub(super) fn admit(&mut self, picture: &Picture, counters: &mut Counters) -> bool {
        if self.config.is_none() {
            counters.pictures_without_config += 1;
            return false;
        }
        if picture.sync {
            self.drops_leading = self.awaiting_sync || picture.closed;
            self.awaiting_sync = false;
        } else if self.awaiting_sync || (picture.skipped_leading && self.drops_leading) {
            counters.pictures_before_sync += 1;
            return false;
        }
        true
    }

    /// Makes what came with or before a sync picture the configuration (AV-5); tells whether it
    /// changed.
    pub(super) fn on_sync(&mut self, counters: &mut Counters) -> Result<bool, Refusal> {
        let configured = self.config.is_some();
        let config = match &mut self.reader {
            Some(Reader::H264(input)) => input.on_sync(configured, counters)?,
            Some(Reader::Hevc(input)) => input.on_sync(configured, counters)?,
            Some(Reader::Av1(input)) => input.on_sync(configured, counters)?,
            None => None,
        };
        Ok(config.is_some_and(|config| self.configure(config)))
    }

    /// Drops pictures until the next sync picture.
    pub(super) const fn await_sync(&mut self) {
        self.awaiting_sync = true;
    }

    /// A discontinuity begins with the last sync picture: players start decoding there.
    pub(super) const fn drop_leading(&mut self) {
        self.drops_leading = true;
    }

    /// The configuration of the pictures that pass.
    pub(super) const fn config(&self) -> Option<&VideoCodec> {
        self.config.as_ref()
    }

    /// Colour of the pictures that pass: of the bit stream, else of HDR metadata (MV-3).
    pub(super) fn colour(&self) -> Option<Colour> {
        let own = self.config.as_ref()?.colour();
        own.filter(|own| own.is_specified()).or(self.announced_colour).or(own)
    }

    /// Light of the pictures that pass, of HDR metadata.
    pub(super) const fn light(&self) -> Light {
        self.light
    }

    /// The track as it is now.
    pub(super) fn track(&self, metadata: &Metadata) -> Option<VideoTrack> {
        let codec = self.config.clone()?;
        let (width, height) = codec.display_size();
        let told = codec.frame_rate_millis();
        let frame_rate_millis = told.and_then(credible_rate).or(metadata.frame_rate_millis);
        Some(VideoTrack {
            width,
            height,
            frame_rate_millis: frame_rate_millis.map(snap_rate),
            colour: self.colour(),
            light: self.light,
            bitrate: metadata.video_bitrate,
            codec,
        })
    }

    /// The reader for a codec; a fresh one when another codec was read before.
    fn reader_of(&mut self, kind: VideoKind) -> &mut Reader {
        if self.reader.as_ref().is_some_and(|reader| reader.kind() != kind) {
            self.reader = None;
        }
        self.reader.get_or_insert_with(|| Reader::new(kind))
    }

    fn configure(&mut self, config: VideoCodec) -> bool {
        if self.config.as_ref() == Some(&config) {
            return false;
        }
        self.config = Some(config);
        self.awaiting_sync = true;
        true
    }
}

/// Between 1 and 240 pictures per second; encoders with a variable rate write their time base.
fn credible_rate(millis: u32) -> Option<u32> {
    (1_000..=240_000).contains(&millis).then_some(millis)
}

/// The common rate within 0.05 %, else the rate as told: metadata says 29.97, 23.98 or 60.0.
fn snap_rate(millis: u32) -> u32 {
    const COMMON: [u32; 14] = [
        15_000, 23_976, 24_000, 25_000, 29_970, 30_000, 48_000, 50_000, 59_940, 60_000, 100_000,
        119_880, 120_000, 240_000,
    ];
    let near = |&&rate: &&u32| rate.abs_diff(millis) * 2_000 <= rate;
    COMMON.iter().filter(near).min_by_key(|&&rate| rate.abs_diff(millis)).copied().unwrap_or(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_snap_to_the_nearest_common_one() {
        for (told, rate) in [
            (29_970, 29_970),
            (29_971, 29_970),
            (29_999, 30_000),
            (23_980, 23_976),
            (24_000, 24_000),
            (59_939, 59_940),
            (12_500, 12_500),
            (27_000, 27_000),
        ] {
            assert_eq!(snap_rate(told), rate, "{told}");
        }
        assert_eq!(credible_rate(500_000), None);
        assert_eq!(credible_rate(999), None);
    }
}
