//! `riverrun doctor`: whether the server can run here, and which ladders this machine can hold.
//!
//! The start-up probes come first; then each kind of work of a ladder is measured with drawn
//! pictures, added up for common sources and told. All in this process, without a socket; the only
//! file is one that shows whether the data folder can be written, for a moment.

mod findings;
mod footage;
mod measure;
mod report;
mod verdict;

use std::io::{self, Write as _};

use riverrun_media::access_unit::VideoTrack;
use riverrun_media::codec::{
    H264DecoderError, H264EncoderError, PictureSize, PictureSizeError, Undecodable,
};
use riverrun_media::h264::AvccError;
use riverrun_media::ladder::{LadderSetting, LadderSettingError, RungEncoderError, plan};
use thiserror::Error;

use self::measure::{Clip, Cost, Spent};
use self::report::Tally;
use self::verdict::{Figure, Figures, Load};
use crate::config::DoctorArguments;
use crate::cores::Cores;
use crate::probe::{self, ProbeError};

/// Pictures that publishers send: width, height, usual bit/s.
const SOURCES: [(u32, u32, u32); 2] = [(1_920, 1_080, 6_000_000), (1_280, 720, 4_000_000)];
/// Pictures per second of the first and of the second source.
const SOURCE_RATES: [&[u32]; 2] = [&[60, 30], &[30]];
/// Heights of the rungs that are measured.
const RUNGS: [u32; 4] = [1_080, 720, 480, 360];
/// Heights of the rungs that are measured in AV1.
const AV1_RUNGS: [u32; 2] = [360, 240];
/// Pictures a second of an AV1 rung, at most.
const AV1_RATE_MAX: u32 = 30;
/// Cores that hold any of these ladders: what they take is told, also where they would be refused.
const CORES_ENOUGH: usize = 64;
/// Rungs of a ladder that encodes everything again: the source's own height and two below.
const ALL_RUNGS: usize = 3;

/// Why nothing can be told.
#[derive(Debug, Error)]
pub enum DoctorError {
    /// The server would not start.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// An encoder could not be made or failed.
    #[error("the H.264 encoder does not work here: {0}")]
    Encoder(#[from] H264EncoderError),
    /// A rung's encoder could not be made or failed.
    #[error("an encoder does not work here: {0}")]
    Rung(#[from] RungEncoderError),
    /// A decoder could not be made.
    #[error("the H.264 decoder does not work here: {0}")]
    Decoder(#[from] Undecodable),
    /// A decoder failed.
    #[error("the H.264 decoder does not work here: {0}")]
    Decoding(#[from] H264DecoderError),
    /// Our own encoder's parameter sets are not understood.
    #[error("the H.264 encoder does not work here: {0}")]
    ParameterSets(#[from] AvccError),
    /// A ladder that cannot be set.
    #[error(transparent)]
    Ladder(#[from] LadderSettingError),
    /// A size that cannot be coded.
    #[error(transparent)]
    Size(#[from] PictureSizeError),
}

/// Probes, measures and prints, in less than half a minute. Wrong is what keeps the server from
/// running; a machine that is too slow for a ladder is told, not refused.
pub fn run(arguments: DoctorArguments) -> Result<(), DoctorError> {
    let limits = probe::raise_limits()?;
    probe::executor()?;
    let cores = Cores::of_this_process();
    let found = findings::of(&arguments.data);
    print(&report::start(&limits, &cores, &found));
    let (figures, sources, spent) = measured(arguments.cpu_level)?;
    let mut tallies = Vec::new();
    for track in &sources {
        for setting in ladders(track, cores.usable, arguments.cpu_level)? {
            let plan = plan(&setting, track, CORES_ENOUGH);
            tallies.push(Tally {
                source: track.clone(),
                load: Load::of(&plan, track, &figures),
                setting,
            });
        }
    }
    print(&report::end(&figures, arguments.cpu_level, &tallies, &cores, spent));
    Ok(())
}

/// A closed standard output is no reason to fail.
fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Every figure, the tracks of the sources, and the time of both clocks that it took.
fn measured(cpu_level: u8) -> Result<(Figures, Vec<VideoTrack>, Spent), DoctorError> {
    let (mut figures, mut tracks, mut all) = (Figures::default(), Vec::new(), Spent::default());
    let mut note = |size, cost: Cost| {
        all = all.and(cost.spent);
        Figure { size, ms: cost.ms }
    };
    for ((width, height, bitrate), rates) in SOURCES.into_iter().zip(SOURCE_RATES) {
        let size = PictureSize::new(width, height)?;
        let clip = Clip::make(size, bitrate)?;
        figures.decode.push(note(size, clip.decode()?));
        tracks.extend(rates.iter().map(|&rate| clip.track(rate)));
    }
    let Some(track) = tracks.get(1) else { return Ok((figures, tracks, all)) };
    let mut larger: Option<PictureSize> = None;
    for rung in plan(&heights(&RUNGS, cpu_level)?, track, 1).rungs {
        if let Some(larger) = larger {
            figures.scale.push(note(rung.size, measure::scale(larger, rung.size)?));
        }
        figures.encode.push(note(rung.size, measure::encode(&rung)?));
        larger = Some(rung.size);
    }
    for rung in plan(&in_av1(&AV1_RUNGS, AV1_RATE_MAX)?, track, CORES_ENOUGH).rungs {
        figures.encode_av1.push(note(rung.size, measure::encode(&rung)?));
    }
    Ok((figures, tracks, all))
}

/// What is made of a source without being asked for, everything encoded again, and the source with
/// one AV1 rung.
fn ladders(
    track: &VideoTrack,
    cores: usize,
    cpu_level: u8,
) -> Result<Vec<LadderSetting>, DoctorError> {
    let automatic = plan(&LadderSetting::Automatic, track, cores);
    let mut variants = vec!["source".to_owned()];
    for rung in &automatic.rungs {
        let height = rung.size.height();
        variants.push(format!("{height}p/{}:{cpu_level}", rung.frame_rate_millis / 1_000));
    }
    let heights_below = RUNGS.iter().copied().filter(|&height| height <= track.height);
    let all: Vec<u32> = heights_below.take(ALL_RUNGS).collect();
    let mut ladders = vec![variants.join(",").parse()?, heights(&all, cpu_level)?];
    let rate = track.frame_rate_millis.unwrap_or_default() / 1_000;
    for height in AV1_RUNGS.into_iter().filter(|&height| height < track.height) {
        ladders.push(in_av1(&[height], rate.min(AV1_RATE_MAX))?);
    }
    Ok(ladders)
}

/// The source, and these heights in AV1.
fn in_av1(heights: &[u32], rate: u32) -> Result<LadderSetting, LadderSettingError> {
    let variants: Vec<_> = heights.iter().map(|side| format!(",{side}p/{rate}:av1")).collect();
    format!("source{}", variants.concat()).parse()
}

/// The setting that encodes these heights.
fn heights(heights: &[u32], cpu_level: u8) -> Result<LadderSetting, LadderSettingError> {
    let variants: Vec<_> = heights.iter().map(|side| format!("{side}p:{cpu_level}")).collect();
    variants.join(",").parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ladders_are_settings_that_can_be_typed() {
        let clip = |width, height| {
            Clip::make(PictureSize::new(width, height).unwrap(), 4_000_000).unwrap()
        };
        for (width, height, rate, cores, level, want) in [
            (1_280, 720, 30, 4, 2, "source,480p/30,360p/30 720p,480p,360p source,360p/30:av1"),
            (1_280, 720, 60, 4, 3, "source,480p/30:3,360p/30:3 720p:3,480p:3,360p:3"),
            (640, 360, 25, 4, 2, "source 360p source,240p/25:av1"),
        ] {
            let track = clip(width, height).track(rate);
            let told = ladders(&track, cores, level).unwrap();
            let told: Vec<_> = told.iter().map(ToString::to_string).collect();
            assert!(told.join(" ").starts_with(want), "{told:?}");
        }
    }
}
