//! One run of rav1e: its settings, pictures in, packets out.

use bytes::Bytes;
use rav1e::prelude::{
    Config, EncoderConfig, EncoderStatus, FrameParameters, FrameTypeOverride, InvalidConfig,
    Rational, SceneDetectionSpeed,
};

use super::Av1EncoderConfig;
use super::colour;
use super::frames::Frames;
use super::level;
use crate::codec::view::PictureView;

/// The fastest preset: blocks of 32x32 only, one reference, no restoration filter.
const SPEED: u8 = 10;
/// Time over which the rate is held: short enough for the segments of a player's measure, long
/// enough for a key frame to be paid back.
const RESERVOIR_SECONDS: u32 = 2;
/// Least that rav1e takes for it, in pictures.
const RESERVOIR_PICTURES_MIN: u32 = 12;
/// Any quantiser is allowed to hold the rate.
const QUANTISER_MAX: usize = 255;

/// See the module's text.
pub(super) struct Context {
    rav1e: rav1e::Context<u8>,
    frames: Frames,
    pictures: u64,
}

impl Context {
    /// Starts its threads.
    pub(super) fn new(config: &Av1EncoderConfig, threads: usize) -> Result<Self, InvalidConfig> {
        let settings = Config::new().with_encoder_config(settings(config)).with_threads(threads);
        Ok(Self { rav1e: settings.new_context()?, frames: Frames::default(), pictures: 0 })
    }

    /// The next picture.
    pub(super) fn send(
        &mut self,
        picture: PictureView<'_>,
        force_sync: bool,
    ) -> Result<(), EncoderStatus> {
        let frame = self.frames.copy_of(picture, &self.rav1e);
        let frame_type_override =
            if force_sync { FrameTypeOverride::Key } else { FrameTypeOverride::No };
        let parameters = FrameParameters { frame_type_override, ..Default::default() };
        self.pictures += 1;
        self.rav1e.send_frame((frame, parameters))
    }

    /// No more pictures will come.
    pub(super) fn end(&mut self) {
        self.rav1e.flush();
    }

    /// The next picture that is done, with its temporal delimiter.
    pub(super) fn receive(&mut self) -> Result<Option<Bytes>, EncoderStatus> {
        loop {
            match self.rav1e.receive_packet() {
                Ok(packet) => return Ok(Some(packet.data.into())),
                Err(EncoderStatus::Encoded) => {}
                Err(EncoderStatus::NeedMoreData | EncoderStatus::LimitReached) => return Ok(None),
                Err(status) => return Err(status),
            }
        }
    }

    /// Pictures kept for use again.
    #[cfg(test)]
    pub(super) const fn frames_held(&self) -> usize {
        self.frames.len()
    }

    /// Sent until now.
    pub(super) const fn pictures(&self) -> u64 {
        self.pictures
    }
}

fn settings(config: &Av1EncoderConfig) -> EncoderConfig {
    let Av1EncoderConfig { size, frame_rate_millis, bitrate, threads, colour } = *config;
    let mut settings = EncoderConfig::with_speed_preset(SPEED);
    (settings.width, settings.height) = (size.width() as usize, size.height() as usize);
    settings.time_base = Rational::new(1_000, frame_rate_millis.into());
    settings.level_idx = Some(level::of(config));
    settings.color_description = colour::description(colour);
    settings.pixel_range = colour::range(colour);
    // The caller's boundaries are the only key frames; 0 is no limit.
    (settings.min_key_frame_interval, settings.max_key_frame_interval) = (0, 0);
    settings.speed_settings.scene_detection_mode = SceneDetectionSpeed::None;
    // No reordering, and the least that may be looked ahead.
    settings.low_latency = true;
    settings.speed_settings.rdo_lookahead_frames = 1;
    settings.bitrate = i32::try_from(bitrate).unwrap_or(i32::MAX);
    settings.quantizer = QUANTISER_MAX;
    let reservoir = (frame_rate_millis * RESERVOIR_SECONDS / 1_000).max(RESERVOIR_PICTURES_MIN);
    settings.reservoir_frame_delay = i32::try_from(reservoir).ok();
    settings.tiles = threads;
    settings
}
