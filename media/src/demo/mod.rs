//! A broadcast made in process: a moving picture with a running clock, and a tone that ticks with
//! it (`--demo`, design §6).
//!
//! ```text
//! date ─▶ scene ─▶ Picture ─▶ H264Encoder ─┐
//!    └──▶ beat ──▶ tone ────▶ AacEncoder ──┴─▶ access units, as a demuxer would give them
//! ```
//!
//! [`Demo`] is a pure source: it waits for nothing and asks no clock. The caller calls
//! [`Demo::next`] once for each picture, at the pace of the frame rate, and says what the clock in
//! the picture shall show. The media timeline starts at 10 s and runs on the frame grid, whatever
//! the dates say. The same dates give the same bytes.
//!
//! Sound and picture meet: on every full second the dial flashes, the ball touches the water and
//! the tone ticks, all at the start of the same picture; the delay of the AAC encoder is taken out
//! of its times (CM-11). That makes the demo a test for lip-sync and latency in any player.

mod beat;
mod canvas;
mod lettering;
mod scene;
mod sky;
#[cfg(test)]
mod tests;
mod tone;
mod water;

use std::num::NonZeroU32;
use std::sync::Arc;

use thiserror::Error;

use self::beat::Beat;
use self::scene::{Moment, Scene};
use crate::aac::{AscError, AudioSpecificConfig};
use crate::access_unit::{
    AccessUnit, AudioCodec, AudioTrack, TrackKind, Tracks, VideoCodec, VideoTrack,
};
use crate::codec::{
    AacEncoder, AacEncoderConfig, AacEncoderError, CpuUsage, H264Encoder, H264EncoderConfig,
    H264EncoderError, PictureSize, PictureSizeError,
};
use crate::h264::{AvcConfig, AvccError, Colour};
use crate::picture::Light;
use crate::time::{MediaTime, Timescale, UnixTime};

/// Seconds of media time before the first picture: leaves room for times that lie before it.
const START_SECONDS: i64 = 10;
/// Seconds from one sync picture to the next, the segment target (design §4).
const SYNC_SECONDS: u32 = 2;
/// Bit rate of the tone in bit/s.
const AUDIO_BITRATE: u32 = 128_000;
/// What the drawing code computes: high definition in video range (H.273).
const BT709: Colour = Colour { primaries: 1, transfer: 1, matrix: 1, full_range: false };
/// Fastest frame rate, in pictures per second.
const FRAME_RATE_MAX: u32 = 60;

/// What the demo broadcasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DemoConfig {
    /// Width in pixels, even.
    pub width: u32,
    /// Height in pixels, even.
    pub height: u32,
    /// Pictures per second, 1 to 60.
    pub frame_rate: u32,
    /// Target of the video encoder in bit/s.
    pub video_bitrate: u32,
    /// Samples per second and channel of the tone.
    pub sample_rate: u32,
}

/// 720p with 30 pictures a second at 2.5 Mbit/s, sound at 48 kHz.
impl Default for DemoConfig {
    fn default() -> Self {
        let (width, height, frame_rate) = (1_280, 720, 30);
        Self { width, height, frame_rate, video_bitrate: 2_500_000, sample_rate: 48_000 }
    }
}

/// Why the demo could not start or go on. All are faults of ours or of the configuration.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum DemoError {
    /// A size that cannot be coded.
    #[error("demo picture: {0}")]
    Size(#[from] PictureSizeError),
    /// Frame rate out of range.
    #[error("demo frame rate of {0} per second is outside 1 to {FRAME_RATE_MAX}")]
    FrameRate(u32),
    /// The video encoder.
    #[error("demo video: {0}")]
    Video(#[from] H264EncoderError),
    /// The audio encoder.
    #[error("demo audio: {0}")]
    Audio(#[from] AacEncoderError),
    /// Our own encoder's parameter sets are not understood.
    #[error("demo video: {0}")]
    VideoConfig(#[from] AvccError),
    /// Our own encoder's configuration is not understood.
    #[error("demo audio: {0}")]
    AudioConfig(#[from] AscError),
}

/// The source of the demo's access units.
pub struct Demo {
    config: DemoConfig,
    scene: Scene,
    beat: Beat,
    video: H264Encoder,
    audio: AacEncoder,
    tracks: Tracks,
    timescale: Timescale,
    /// Count of pictures made.
    pictures: u64,
    /// Count of PCM blocks handed to the encoder.
    blocks: u64,
    /// Count of access units the audio encoder gave.
    units: u64,
    block: Vec<i16>,
}

impl Demo {
    /// Checks the configuration, makes both encoders and prepares the picture.
    pub fn new(config: DemoConfig) -> Result<Self, DemoError> {
        let size = PictureSize::new(config.width, config.height)?;
        if !(1..=FRAME_RATE_MAX).contains(&config.frame_rate) {
            return Err(DemoError::FrameRate(config.frame_rate));
        }
        let video = H264Encoder::new(H264EncoderConfig {
            size,
            frame_rate_millis: config.frame_rate * 1_000,
            bitrate: config.video_bitrate,
            cpu_usage: CpuUsage::default(),
            sync_interval: NonZeroU32::new(config.frame_rate * SYNC_SECONDS),
            colour: BT709,
        })?;
        let audio = AacEncoder::new(AacEncoderConfig {
            sample_rate: config.sample_rate,
            channels: tone::CHANNELS as u8,
            bitrate: AUDIO_BITRATE,
        })?;
        let timescale = Timescale::new(config.sample_rate)
            .ok_or(AacEncoderError::SampleRate(config.sample_rate))?;
        Ok(Self {
            scene: Scene::new(size),
            beat: Beat::new(config.frame_rate),
            tracks: describe(&config, &video, &audio)?,
            block: vec![0; audio.samples_per_unit() as usize * tone::CHANNELS],
            config,
            video,
            audio,
            timescale,
            pictures: 0,
            blocks: 0,
            units: 0,
        })
    }

    /// Makes the next picture, showing `date`, and all sound up to its end: the picture first, then
    /// audio in order.
    ///
    /// `date` should be that of the first picture plus the time of this one on the frame grid.
    pub fn next(&mut self, date: UnixTime) -> Result<Vec<AccessUnit>, DemoError> {
        let picture = self.pictures;
        let end = self.sample_of_picture(picture + 1);
        // Sound runs ahead of the picture by what the encoder holds back.
        let fed = end + u64::from(self.audio.delay());
        let length = u64::from(self.audio.samples_per_unit());
        self.beat.plan(picture, date, self.picture_after_sample(fed + length));

        let mut units = vec![self.video_unit(picture, date)?];
        self.pictures += 1;
        while self.blocks * length < fed {
            units.extend(self.audio_unit()?);
        }
        Ok(units)
    }

    /// The tracks, the same for the life of the demo.
    pub fn tracks(&self) -> Tracks {
        self.tracks.clone()
    }

    fn video_unit(&mut self, picture: u64, date: UnixTime) -> Result<AccessUnit, DemoError> {
        let beat_age = self.beat.age(picture);
        let frame_rate = self.config.frame_rate;
        let drawn = self.scene.draw(&Moment {
            picture,
            seconds: picture as f64 / f64::from(frame_rate),
            date,
            beat_age: beat_age.map(|pictures| pictures as f32 / frame_rate as f32),
        });
        let encoded = self.video.encode(drawn, false)?;
        let hz = u64::from(Timescale::VIDEO.hz());
        let time = START_SECONDS * ticks(hz) + ticks(picture * hz / u64::from(frame_rate));
        let time = MediaTime::new(time, Timescale::VIDEO);
        Ok(AccessUnit {
            track: TrackKind::Video,
            dts: time,
            pts: time,
            sync: encoded.sync,
            payload: encoded.length_prefixed(),
        })
    }

    /// Encodes one more block of the tone. `None` when nothing came out, or only priming.
    fn audio_unit(&mut self) -> Result<Option<AccessUnit>, DemoError> {
        let length = u64::from(self.audio.samples_per_unit());
        let beats: Vec<u64> = self.beat.iter().map(|beat| self.sample_of_picture(beat)).collect();
        tone::fill(&mut self.block, self.blocks * length, self.config.sample_rate, &beats);
        self.blocks += 1;
        let Some(payload) = self.audio.encode(&self.block)? else {
            return Ok(None);
        };
        let time = self.audio_time(self.units);
        self.units += 1;
        if time + ticks(length) <= self.audio_start() {
            return Ok(None);
        }
        let time = MediaTime::new(time, self.timescale);
        let (dts, pts) = (time, time);
        Ok(Some(AccessUnit { track: TrackKind::Audio, dts, pts, sync: true, payload }))
    }

    /// Time of the encoder's unit number `unit`, its delay taken out (CM-11), in samples.
    fn audio_time(&self, unit: u64) -> i64 {
        let length = u64::from(self.audio.samples_per_unit());
        self.audio_start() + ticks(unit * length) - i64::from(self.audio.delay())
    }

    /// Media time of the first sample, in samples.
    fn audio_start(&self) -> i64 {
        START_SECONDS * i64::from(self.config.sample_rate)
    }

    /// The sample that is heard when a picture appears.
    fn sample_of_picture(&self, picture: u64) -> u64 {
        picture * u64::from(self.config.sample_rate) / u64::from(self.config.frame_rate)
    }

    /// The first picture that appears after a sample.
    fn picture_after_sample(&self, sample: u64) -> u64 {
        sample * u64::from(self.config.frame_rate) / u64::from(self.config.sample_rate) + 1
    }
}

/// Counts of samples and ticks stay far below 2^63: at 90 kHz that is three million years.
fn ticks(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// What a demuxer would have found out about both tracks.
fn describe(
    config: &DemoConfig,
    video: &H264Encoder,
    audio: &AacEncoder,
) -> Result<Tracks, DemoError> {
    let avc = AvcConfig::from_parameter_sets(&[video.sps()], &[video.pps()])?;
    let asc = AudioSpecificConfig::parse(audio.config())?;
    Ok(Tracks {
        video: Some(Arc::new(VideoTrack {
            light: Light::default(),
            colour: avc.colour(),
            codec: VideoCodec::H264(avc),
            width: config.width,
            height: config.height,
            frame_rate_millis: Some(config.frame_rate * 1_000),
            bitrate: Some(config.video_bitrate),
        })),
        audio: Some(Arc::new(AudioTrack {
            sample_rate: asc.output_sample_rate(),
            channels: asc.channels(),
            samples_per_unit: asc.samples_per_unit(),
            codec: AudioCodec::Aac(asc),
            bitrate: Some(AUDIO_BITRATE),
        })),
    })
}
