//! What decoding, scaling and encoding cost here, one at a time.
//!
//! CPU time of the process is what a ladder needs, since one of the encoders has threads of its
//! own; the wall clock beside it tells how much of the cores others took meanwhile. Work is timed
//! in batches of half a second of video, and the median of the batches counts: one in which the
//! machine was disturbed says nothing.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use riverrun_media::access_unit::{VideoCodec, VideoTrack};
use riverrun_media::codec::{
    CpuUsage, H264Decoder, H264Encoder, H264EncoderConfig, Picture, PictureSize,
};
use riverrun_media::h264::{AvcConfig, Colour};
use riverrun_media::ladder::{PlannedRung, RungEncoder};
use riverrun_media::picture::Light;
use riverrun_media::scale::Scaler;
use riverrun_media::time::{MediaTime, Timescale};
use rustix::time::{ClockId, clock_gettime};

use super::DoctorError;
use super::footage::Footage;

/// Pictures per second of everything that is measured.
pub(super) const FRAME_RATE: u32 = 30;
/// Half a second.
const BATCH_PICTURES: u32 = FRAME_RATE / 2;
/// Batches without which there is no median.
const BATCHES_MIN: usize = 3;
/// CPU time after which a figure is known well enough.
const CPU_ENOUGH: Duration = Duration::from_millis(900);
/// Wall clock after which the machine is too busy for a better one.
const WALL_ENOUGH: Duration = Duration::from_millis(1_600);
/// Coded pictures that a decoder is measured with, over and over: a GOP of two seconds.
const CLIP_PICTURES: u32 = 2 * FRAME_RATE;
/// High definition in video range (H.273).
const BT709: Colour = Colour { primaries: 1, transfer: 1, matrix: 1, full_range: false };

/// Both clocks.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub(super) struct Spent {
    pub(super) cpu: Duration,
    pub(super) wall: Duration,
}

/// What one kind of work cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    /// CPU time of one picture in milliseconds, the median of the batches.
    pub(super) ms: f64,
    /// All batches.
    pub(super) spent: Spent,
}

/// Times `work`, which is handed a stopwatch for what counts of each picture.
fn measure(
    mut work: impl FnMut(&mut Spent) -> Result<(), DoctorError>,
) -> Result<Cost, DoctorError> {
    let (mut batches, mut spent) = (Vec::new(), Spent::default());
    while batches.len() < BATCHES_MIN || (spent.cpu < CPU_ENOUGH && spent.wall < WALL_ENOUGH) {
        let before = spent.cpu;
        for _ in 0..BATCH_PICTURES {
            work(&mut spent)?;
        }
        batches.push(spent.cpu - before);
    }
    batches.sort();
    let ms = batches[batches.len() / 2].as_secs_f64() * 1e3 / f64::from(BATCH_PICTURES);
    Ok(Cost { ms, spent })
}

impl Spent {
    fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let (cpu, wall) = (process_time(), Instant::now());
        let done = work();
        self.wall += wall.elapsed();
        self.cpu += process_time().saturating_sub(cpu);
        done
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self { cpu: self.cpu + other.cpu, wall: self.wall + other.wall }
    }
}

/// CPU time of this process since it began. Nothing else runs in it.
fn process_time() -> Duration {
    // The kernel counts from 0 up.
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

/// Two seconds of coded pictures, as a publisher sends them.
pub(super) struct Clip {
    config: AvcConfig,
    size: PictureSize,
    bitrate: u32,
    units: Vec<bytes::Bytes>,
}

impl Clip {
    /// Encodes it at CPU level 2.
    pub(super) fn make(size: PictureSize, bitrate: u32) -> Result<Self, DoctorError> {
        let mut encoder = H264Encoder::new(H264EncoderConfig {
            size,
            frame_rate_millis: FRAME_RATE * 1_000,
            bitrate,
            cpu_usage: CpuUsage::Medium,
            sync_interval: NonZeroU32::new(CLIP_PICTURES),
            colour: BT709,
        })?;
        let config = AvcConfig::from_parameter_sets(&[encoder.sps()], &[encoder.pps()])?;
        let mut footage = Footage::new(size);
        let mut units = Vec::new();
        for _ in 0..CLIP_PICTURES {
            units.push(encoder.encode(footage.next(), false)?.length_prefixed());
        }
        Ok(Self { config, size, bitrate, units })
    }

    /// What a demuxer would say of such a source.
    pub(super) fn track(&self, frame_rate: u32) -> VideoTrack {
        VideoTrack {
            light: Light::default(),
            colour: self.config.colour(),
            codec: VideoCodec::H264(self.config.clone()),
            width: self.size.width(),
            height: self.size.height(),
            frame_rate_millis: Some(frame_rate * 1_000),
            bitrate: Some(self.bitrate),
        }
    }

    /// Decodes it until the cost is known.
    pub(super) fn decode(&self) -> Result<Cost, DoctorError> {
        let mut decoder = H264Decoder::new(&self.config)?;
        let mut units = self.units.iter().cycle();
        let mut ticks = 0;
        measure(|spent| {
            let Some(unit) = units.next() else { return Ok(()) };
            let pts = MediaTime::new(ticks, Timescale::VIDEO);
            ticks += i64::from(Timescale::VIDEO.hz() / FRAME_RATE);
            spent.time(|| decoder.decode(unit, pts, &mut |_| ()))?;
            Ok(())
        })
    }
}

/// Encodes a rung until the cost is known.
pub(super) fn encode(rung: &PlannedRung) -> Result<Cost, DoctorError> {
    let mut encoder = RungEncoder::new(rung, Some(BT709))?;
    let mut footage = Footage::new(rung.size);
    let mut pictures = 0..;
    measure(|spent| {
        let picture = footage.next();
        let begins_segment = pictures.next().is_some_and(|n: u32| n.is_multiple_of(CLIP_PICTURES));
        spent.time(|| encoder.encode(picture.view(), begins_segment, &mut |_| ()))?;
        Ok(())
    })
}

/// Scales pictures until the cost is known.
pub(super) fn scale(from: PictureSize, to: PictureSize) -> Result<Cost, DoctorError> {
    let mut footage = Footage::new(from);
    let source = footage.next();
    let (mut scaler, mut target) = (Scaler::new(from, to), Picture::black(to));
    measure(|spent| {
        spent.time(|| scaler.scale(source.view(), &mut target));
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use riverrun_media::ladder::RungCodec;

    #[test]
    fn the_median_of_the_batches_counts() {
        let (usual, disturbed) = (Duration::from_millis(20), Duration::from_millis(90));
        let mut picture = 0;
        let cost = measure(|spent| {
            // The second batch is disturbed; the wall clock runs twice as fast.
            let cpu = if picture / BATCH_PICTURES == 1 { disturbed } else { usual };
            *spent = spent.and(Spent { cpu, wall: 2 * cpu });
            picture += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!(cost.ms, 20.0);
        assert_eq!(picture, 3 * BATCH_PICTURES, "enough after three");
        assert_eq!(cost.spent.wall, 2 * cost.spent.cpu);
    }

    #[test]
    fn every_figure_is_measured() {
        let (size, half) = (PictureSize::new(64, 48).unwrap(), PictureSize::new(32, 24).unwrap());
        let clip = Clip::make(size, 200_000).unwrap();
        let rung = PlannedRung {
            variant: 1,
            size,
            frame_rate_millis: 30_000,
            bitrate: 200_000,
            codec: RungCodec::H264 { cpu_level: 0 },
            threads: 1,
        };
        let in_av1 = PlannedRung { codec: RungCodec::Av1, ..rung };
        for cost in [
            clip.decode().unwrap(),
            encode(&rung).unwrap(),
            encode(&in_av1).unwrap(),
            scale(size, half).unwrap(),
        ] {
            assert!(cost.ms > 0.0 && cost.spent.wall > Duration::ZERO, "{cost:?}");
        }
        assert_eq!(clip.track(60).frame_rate_millis, Some(60_000));
    }
}
