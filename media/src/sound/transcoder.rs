//! The machine: coded units in, AAC-LC units of mono or stereo at 44.1 or 48 kHz out, at the media
//! times of what they hold.

use std::collections::VecDeque;

use thiserror::Error;

use super::downmix::{Downmix, to_i16};
use super::line::{Line, Nudge, Place};
use super::resampler::Resampler;
use super::writer::Writer;
use crate::aac::{AscError, AudioSpecificConfig};
use crate::access_unit::{AccessUnit, AudioCodec, AudioTrack};
use crate::codec::{
    AacDecoder, AacDecoderError, AacEncoder, AacEncoderConfig, AacEncoderError, Pcm, Speaker,
};
use crate::time::{MediaTime, Timescale};

/// What an operator may choose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SoundConfig {
    /// Target of a stereo track in bit/s; mono gets half. Brought into the range that AAC allows
    /// at the track's sample rate, 16 to 529 kbit/s at 44.1 kHz.
    pub bitrate: u32,
}

impl Default for SoundConfig {
    fn default() -> Self {
        Self { bitrate: 128_000 }
    }
}

/// Why a track cannot be transcoded, or no longer.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum SoundError {
    /// A codec without a decoder here.
    #[error("the sound is {0}, which cannot be decoded here; AAC can")]
    Codec(String),
    /// A rate that has no small ratio to 44.1 or 48 kHz.
    #[error(
        "the sound has {0} samples a second; the rates of AAC from 7350 to 96000 can be resampled"
    )]
    SampleRate(u32),
    /// The decoder refused the configuration.
    #[error("the sound cannot be decoded: {0}")]
    Decoder(#[from] AacDecoderError),
    /// The encoder failed.
    #[error("the sound cannot be encoded: {0}")]
    Encoder(#[from] AacEncoderError),
    /// The encoder described its output in a way we cannot read.
    #[error("the encoder's own configuration cannot be read: {0}")]
    Description(#[from] AscError),
}

/// What happened so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Units taken.
    pub units: u64,
    /// Of them, damaged: made up by the decoder or replaced by silence.
    pub damaged: u64,
    /// Units left out, whole or in part, because their time was taken.
    pub overlaps: u64,
    /// Gaps filled with silence.
    pub gaps: u64,
    /// Jumps that started everything over.
    pub jumps: u64,
    /// Single samples put in or left out to follow the source's clock.
    pub nudges: u64,
}

/// Decodes, mixes, resamples and encodes one audio track; see the module's text.
///
/// Push units in decode order and poll after each; [`Self::finish`] gives what is still inside. A
/// track with another configuration needs another transcoder.
pub struct SoundTranscoder {
    input: AudioSpecificConfig,
    output: AudioTrack,
    encoder: AacEncoderConfig,
    decoder: AacDecoder,
    running: Option<Running>,
    units: VecDeque<AccessUnit>,
    counters: Counters,
}

/// From a start to the next jump.
struct Running {
    line: Line,
    stage: Stage,
    writer: Writer,
    mixed: Vec<f32>,
    resampled: Vec<f32>,
}

/// What turns decoded samples into those of the output; made for a layout and a rate.
struct Stage {
    sample_rate: u32,
    downmix: Downmix,
    resampler: Option<Resampler>,
}

impl SoundTranscoder {
    /// A transcoder for a track, whatever [`super::Need::of`] says about it.
    pub fn new(track: &AudioTrack, config: SoundConfig) -> Result<Self, SoundError> {
        let AudioCodec::Aac(input) = &track.codec else {
            return Err(SoundError::Codec(track.codec.codec_string()));
        };
        let sample_rate = output_rate(input.output_sample_rate());
        let channels = input.channels().min(2);
        let encoder = AacEncoderConfig {
            sample_rate,
            channels,
            bitrate: bitrate(config.bitrate, sample_rate, channels),
        };
        let codec = AudioSpecificConfig::parse(AacEncoder::new(encoder)?.config())?;
        let output = AudioTrack::of(AudioCodec::Aac(codec), Some(encoder.bitrate));
        // The stage will be made for what the decoder gives; a rate that it cannot be made for is
        // refused here.
        Stage::new(input.output_sample_rate(), &[Speaker::Centre], &encoder)?;
        Ok(Self {
            decoder: AacDecoder::new(input)?,
            input: input.clone(),
            output,
            encoder,
            running: None,
            units: VecDeque::new(),
            counters: Counters::default(),
        })
    }

    /// The track of the output.
    pub const fn track(&self) -> &AudioTrack {
        &self.output
    }

    /// What happened so far.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Takes the next unit of the track. After an error the transcoder is of no further use.
    pub fn push(&mut self, unit: &AccessUnit) -> Result<(), SoundError> {
        self.counters.units += 1;
        let input_rate = self.input.output_sample_rate();
        let length = i64::from(self.input.samples_per_unit());
        let timescale = Timescale::new(input_rate).unwrap_or(Timescale::MILLIS);
        let at = unit.pts.rescale(timescale).ticks();
        let mut place = match &mut self.running {
            Some(running) => running.line.place(at, length),
            None => Place::Anew,
        };
        if place == Place::Anew {
            self.counters.jumps += u64::from(self.running.is_some());
            self.stop()?;
            self.running = Some(Running::new(&self.input, &self.encoder, at)?);
            place = Place::Next(Nudge::Keep);
            if let Some(running) = &mut self.running {
                place = running.line.place(at, length);
            }
        }
        let Some(running) = &mut self.running else { return Ok(()) };
        // A guess with other channels than before would only switch everything over and back.
        let pcm = self.decoder.decode(&unit.payload).filter(|pcm| {
            fits(pcm, input_rate, length) && (!pcm.concealed || running.stage.is_for(pcm))
        });
        self.counters.damaged += u64::from(pcm.is_none_or(|pcm| pcm.concealed));
        match place {
            Place::After(_) => self.counters.gaps += 1,
            Place::Without(_) => self.counters.overlaps += 1,
            Place::Next(Nudge::Keep) | Place::Anew => {}
            Place::Next(Nudge::Insert | Nudge::Remove) => self.counters.nudges += 1,
        }
        running.take(place, pcm, length, &self.encoder)?;
        running.writer.drain(&mut self.units);
        Ok(())
    }

    /// The next unit of the output.
    pub fn poll(&mut self) -> Option<AccessUnit> {
        self.units.pop_front()
    }

    /// The track has ended: what is inside leaves, as far as it ends where the input does, so that
    /// it never reaches into a timeline that follows. [`Self::push`] may begin another.
    pub fn finish(&mut self) -> Result<(), SoundError> {
        self.stop()
    }

    fn stop(&mut self) -> Result<(), SoundError> {
        let Some(mut running) = self.running.take() else { return Ok(()) };
        running.stop()?;
        running.writer.drain(&mut self.units);
        Ok(())
    }
}

impl Running {
    fn new(
        input: &AudioSpecificConfig,
        encoder: &AacEncoderConfig,
        at: i64,
    ) -> Result<Self, SoundError> {
        let rate = input.output_sample_rate();
        let timescale = Timescale::new(rate).unwrap_or(Timescale::MILLIS);
        Ok(Self {
            line: Line::new(rate, at),
            stage: Stage::new(rate, &[Speaker::Centre], encoder)?,
            writer: Writer::new(encoder, MediaTime::new(at, timescale))?,
            mixed: Vec::new(),
            resampled: Vec::new(),
        })
    }

    /// Puts a unit, or silence of its length, in its place.
    fn take(
        &mut self,
        place: Place,
        pcm: Option<Pcm<'_>>,
        length: i64,
        encoder: &AacEncoderConfig,
    ) -> Result<(), SoundError> {
        if let Some(pcm) = pcm
            && !self.stage.is_for(&pcm)
        {
            let next = Stage::new(pcm.sample_rate, pcm.speakers, encoder)?;
            let before = std::mem::replace(&mut self.stage, next);
            before.finish(&mut self.resampled);
        }
        let ticks = |ticks: i64, stage: &Stage, line_rate: i64| {
            usize::try_from(ticks * i64::from(stage.sample_rate) / line_rate).unwrap_or(0)
        };
        let line_rate = self.line.rate();
        let channels = usize::from(encoder.channels);
        self.mixed.clear();
        let silence = match place {
            Place::After(gap) => ticks(gap, &self.stage, line_rate),
            _ => 0,
        };
        self.mixed.resize(silence * channels, 0.0);
        let start = self.mixed.len();
        match pcm {
            Some(pcm) => self.stage.downmix.mix(pcm.samples, &mut self.mixed),
            None => {
                let frames = ticks(length, &self.stage, line_rate);
                self.mixed.resize(start + frames * channels, 0.0);
            }
        }
        match place {
            Place::Next(Nudge::Insert) => {
                let first: Vec<f32> = self.mixed.iter().take(channels).copied().collect();
                self.mixed.splice(0..0, first);
            }
            Place::Next(Nudge::Remove) => drop(self.mixed.drain(..channels)),
            Place::Without(front) => {
                let samples = ticks(front, &self.stage, line_rate) * channels;
                self.mixed.drain(..samples.min(self.mixed.len()));
            }
            Place::Next(Nudge::Keep) | Place::After(_) | Place::Anew => {}
        }
        self.stage.run(&self.mixed, &mut self.resampled);
        self.write()
    }

    fn stop(&mut self) -> Result<(), SoundError> {
        if let Some(resampler) = self.stage.resampler.take() {
            resampler.finish(&mut self.resampled);
        }
        self.write()?;
        Ok(self.writer.finish()?)
    }

    fn write(&mut self) -> Result<(), SoundError> {
        let samples = self.resampled.drain(..).map(to_i16);
        Ok(self.writer.write(samples)?)
    }
}

impl Stage {
    fn new(
        sample_rate: u32,
        speakers: &[Speaker],
        encoder: &AacEncoderConfig,
    ) -> Result<Self, SoundError> {
        let channels = usize::from(encoder.channels);
        let resampler = if sample_rate == encoder.sample_rate {
            None
        } else {
            let resampler = Resampler::new(sample_rate, encoder.sample_rate, channels);
            Some(resampler.ok_or(SoundError::SampleRate(sample_rate))?)
        };
        Ok(Self { sample_rate, downmix: Downmix::new(speakers, channels), resampler })
    }

    fn is_for(&self, pcm: &Pcm<'_>) -> bool {
        self.sample_rate == pcm.sample_rate && self.downmix.is_for(pcm.speakers)
    }

    fn run(&mut self, mixed: &[f32], resampled: &mut Vec<f32>) {
        match &mut self.resampler {
            Some(resampler) => resampler.push(mixed, resampled),
            None => resampled.extend_from_slice(mixed),
        }
    }

    fn finish(self, resampled: &mut Vec<f32>) {
        if let Some(resampler) = self.resampler {
            resampler.finish(resampled);
        }
    }
}

/// Whether a block lasts as long as a unit of the track. One that does not comes from damage.
fn fits(pcm: &Pcm<'_>, rate: u32, length: i64) -> bool {
    let frames = i128::try_from(pcm.frames()).unwrap_or(i128::MAX);
    frames * i128::from(rate) == i128::from(length) * i128::from(pcm.sample_rate)
}

/// 48 kHz for everything (AL-6), but 44.1 kHz for what is a part or a multiple of it: a ratio of
/// six to one at most, and none for the usual rates.
const fn output_rate(input: u32) -> u32 {
    /// The greatest common divisor of the rates of that family, 7350 and 11025.
    const FAMILY: u32 = 3_675;
    if input.is_multiple_of(FAMILY) { 44_100 } else { 48_000 }
}

/// The bit rate asked for stereo, for these channels, as far as AAC allows it.
fn bitrate(asked: u32, sample_rate: u32, channels: u8) -> u32 {
    let (least, most) = AacEncoderConfig::bitrates(sample_rate, channels);
    (asked / 2).saturating_mul(u32::from(channels)).clamp(least, most)
}
