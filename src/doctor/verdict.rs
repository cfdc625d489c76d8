//! What a ladder needs of a machine, added up from figures of single pictures, and what is thought
//! of that.

use riverrun_media::access_unit::VideoTrack;
use riverrun_media::codec::PictureSize;
use riverrun_media::ladder::{LADDER_SHARE_MAX, Plan, RungCodec};

/// Up to this share of what is free, scenes with more to code than ours find their room.
pub(super) const COMFORTABLE_SHARE_MAX: f64 = 0.6;

/// CPU time of one picture.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Figure {
    /// What comes out: the picture decoded, scaled or encoded.
    pub(super) size: PictureSize,
    /// Milliseconds of one core.
    pub(super) ms: f64,
}

/// All that was measured; none of the lists is empty once it was.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Figures {
    pub(super) decode: Vec<Figure>,
    /// From the next larger size.
    pub(super) scale: Vec<Figure>,
    pub(super) encode: Vec<Figure>,
    /// In AV1.
    pub(super) encode_av1: Vec<Figure>,
}

impl Figures {
    /// Sizes that something was encoded in, from large to small.
    pub(super) fn encoded_sizes(&self) -> Vec<PictureSize> {
        let mut sizes: Vec<_> =
            self.encode.iter().chain(&self.encode_av1).map(|figure| figure.size).collect();
        sizes.sort_by_key(|size| std::cmp::Reverse(size.height()));
        sizes.dedup();
        sizes
    }
}

/// What a ladder takes, in cores.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Load {
    /// All of its threads.
    pub(super) all: f64,
    /// The busiest of them: more than one core cannot be had, however many there are.
    pub(super) busiest: f64,
}

impl Load {
    /// The decoder with all scaling on one thread, each encoder on another; nothing where nothing
    /// is encoded.
    pub(super) fn of(plan: &Plan, track: &VideoTrack, figures: &Figures) -> Self {
        let sides = |size: PictureSize| (size.width(), size.height());
        let rate = |millis: u32| f64::from(millis) / 1_000.0;
        let mut load = Self { all: 0.0, busiest: 0.0 };
        if plan.rungs.is_empty() {
            return load;
        }
        let source = (track.width, track.height);
        let mut decoding =
            cost(&figures.decode, source) * rate(track.frame_rate_millis.unwrap_or_default());
        for rung in &plan.rungs {
            let size = sides(rung.size);
            if size != source {
                decoding += cost(&figures.scale, size) * rate(rung.frame_rate_millis);
            }
            let encode = match rung.codec {
                RungCodec::H264 { .. } => &figures.encode,
                RungCodec::Av1 => &figures.encode_av1,
            };
            load.add(cost(encode, size) * rate(rung.frame_rate_millis), rung.threads);
        }
        load.add(decoding, 1);
        load
    }

    /// So many milliseconds of work each second, shared by some threads.
    fn add(&mut self, ms_per_second: f64, threads: usize) {
        let cores = ms_per_second / 1e3;
        self.all += cores;
        self.busiest = self.busiest.max(cores / threads as f64);
    }
}

/// Milliseconds for a picture of this width and height: those of the size that comes closest, by
/// the number of pixels.
fn cost(figures: &[Figure], (width, height): (u32, u32)) -> f64 {
    let pixels = f64::from(width) * f64::from(height);
    let area = |figure: &Figure| f64::from(figure.size.width()) * f64::from(figure.size.height());
    let distance = |figure: &&Figure| (area(figure) - pixels).abs();
    let nearest = figures.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
    nearest.map_or(0.0, |figure| figure.ms * pixels / area(figure))
}

/// What is thought of a ladder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// It runs, with room for scenes that are harder to code.
    Comfortable,
    /// It runs; hard scenes may cost pictures.
    Tight,
    /// It drops pictures, or takes from the viewers.
    TooMuch,
}

impl Verdict {
    /// On a machine with `cores`, of which a part is kept for those who serve.
    pub(super) fn of(load: Load, cores: usize) -> Self {
        match (load.all / free(cores)).max(load.busiest) {
            ..=COMFORTABLE_SHARE_MAX => Self::Comfortable,
            ..=1.0 => Self::Tight,
            _ => Self::TooMuch,
        }
    }

    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Comfortable => "comfortable",
            Self::Tight => "tight",
            Self::TooMuch => "too much",
        }
    }
}

/// Cores that a ladder may have.
pub(super) fn free(cores: usize) -> f64 {
    LADDER_SHARE_MAX * cores as f64
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use riverrun_media::access_unit::VideoCodec;
    use riverrun_media::codec::{CpuUsage, H264Encoder, H264EncoderConfig};
    use riverrun_media::h264::{AvcConfig, Colour};
    use riverrun_media::ladder::plan;
    use riverrun_media::picture::Light;

    fn size(width: u32, height: u32) -> PictureSize {
        PictureSize::new(width, height).unwrap()
    }

    /// Round numbers.
    pub(in super::super) fn figures() -> Figures {
        let figure = |width, height, ms| Figure { size: size(width, height), ms };
        Figures {
            decode: vec![figure(1_920, 1_080, 10.0), figure(1_280, 720, 5.0)],
            scale: vec![figure(1_280, 720, 2.0), figure(854, 480, 1.0), figure(640, 360, 0.5)],
            encode: vec![
                figure(1_920, 1_080, 20.0),
                figure(1_280, 720, 9.0),
                figure(854, 480, 4.0),
                figure(640, 360, 2.5),
            ],
            encode_av1: vec![figure(640, 360, 40.0), figure(426, 240, 20.0)],
        }
    }

    pub(in super::super) fn track(width: u32, height: u32, rate: u32) -> VideoTrack {
        let colour = Colour { primaries: 1, transfer: 1, matrix: 1, full_range: false };
        let encoder = H264Encoder::new(H264EncoderConfig {
            size: size(width, height),
            frame_rate_millis: 30_000,
            bitrate: 1_000_000,
            cpu_usage: CpuUsage::Medium,
            sync_interval: None,
            colour,
        })
        .unwrap();
        let config = AvcConfig::from_parameter_sets(&[encoder.sps()], &[encoder.pps()]).unwrap();
        VideoTrack {
            light: Light::default(),
            codec: VideoCodec::H264(config),
            width,
            height,
            frame_rate_millis: Some(rate * 1_000),
            bitrate: None,
            colour: Some(colour),
        }
    }

    #[test]
    fn a_ladder_is_the_sum_of_its_threads() {
        for (width, height, rate, setting, all, busiest) in [
            (1_920, 1_080, 60, "source", 0.0, 0.0),
            // Decoding and scaling 300 + 60 + 30; encoding 270 and 120.
            (1_920, 1_080, 30, "source,720p,480p", 0.78, 0.39),
            (1_920, 1_080, 60, "source,720p/30,480p/30", 1.08, 0.69),
            // Of the source's own size: nothing is scaled.
            (1_920, 1_080, 60, "1080p", 1.8, 1.2),
            (1_280, 720, 30, "720p,360p", 0.51, 0.27),
            // Sizes that were not measured cost by their pixels: a quarter of 720p.
            (640, 360, 30, "640x360", 0.0375 + 0.075, 0.075),
            // Scaling 15 in one and what 240p takes of it in the other; AV1 on two threads or one.
            (1_280, 720, 30, "source,360p:av1", 0.15 + 0.015 + 1.2, 0.6),
            (1_280, 720, 30, "source,426x240:av1", 0.15 + 0.006_656_25 + 0.6, 0.6),
        ] {
            let track = track(width, height, rate);
            let plan = plan(&setting.parse().unwrap(), &track, 16);
            let load = Load::of(&plan, &track, &figures());
            let close = |a: f64, b: f64| (a - b).abs() < 1e-6;
            assert!(close(load.all, all) && close(load.busiest, busiest), "{setting}: {load:?}");
        }
    }

    #[test]
    fn a_verdict_is_the_share_of_what_is_free_and_of_one_core() {
        use Verdict::{Comfortable, Tight, TooMuch};
        for (all, busiest, cores, want) in [
            (0.0, 0.0, 1, Comfortable),
            (0.71, 0.5, 2, Comfortable),
            (0.73, 0.5, 2, Tight),
            (1.19, 0.9, 2, Tight),
            (1.21, 0.9, 2, TooMuch),
            (0.61, 0.61, 1, TooMuch),
            (0.3, 0.3, 1, Comfortable),
            (0.9, 0.59, 16, Comfortable),
            (0.9, 0.61, 16, Tight),
            (1.8, 1.2, 16, TooMuch),
        ] {
            assert_eq!(Verdict::of(Load { all, busiest }, cores), want, "{all} {busiest} {cores}");
        }
    }
}
