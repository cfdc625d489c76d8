//! The whole chain, fed by foreign encoders and judged by ffmpeg.

mod chain;
mod clock;
mod damage;

use bytes::Bytes;

use super::*;
use crate::aac::{AudioSpecificConfig, adts};
use crate::access_unit::{AccessUnit, AudioCodec, AudioTrack, TrackKind};
use crate::codec::judge;
use crate::time::{MediaTime, Timescale};

/// Output time of the first sample of every input here, in seconds.
const START_SECONDS: i64 = 10;

/// A coded track: its units stand at `first + n * samples_per_unit`.
struct Recording {
    track: AudioTrack,
    first: i64,
    units: Vec<Bytes>,
}

impl Recording {
    /// Units whose first sample is `delay` samples before the sound that was coded.
    fn new(config: AudioSpecificConfig, delay: i64, units: Vec<Bytes>) -> Self {
        let codec = AudioCodec::Aac(config);
        let track = AudioTrack::of(codec, None);
        let first = START_SECONDS * i64::from(track.sample_rate) - delay;
        Self { track, first, units }
    }

    /// What ffmpeg's own encoder makes of interleaved samples.
    fn by_ffmpeg(rate: u32, channels: u8, pcm: &[i16]) -> Self {
        let raw: Vec<u8> = pcm.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let layout = match channels {
            1 => "mono",
            2 => "stereo",
            3 => "3.0",
            5 => "5.0",
            6 => "5.1",
            _ => "7.1",
        };
        // Five bits a sample, just under what the format allows.
        let (rate_text, bitrate) =
            (rate.to_string(), (rate * u32::from(channels) * 5).min(400_000).to_string());
        #[rustfmt::skip]
        let stream = judge::ffmpeg(
            &["-f", "s16le", "-ar", &rate_text, "-ch_layout", layout, "-i", "-",
              "-c:a", "aac", "-b:a", &bitrate, "-f", "adts", "-"],
            &raw,
        );
        let stream = Bytes::from(stream);
        let mut units = Vec::new();
        let mut at = 0;
        while at < stream.len() {
            let length = usize::from(stream[at + 3] & 3) << 11
                | usize::from(stream[at + 4]) << 3
                | usize::from(stream[at + 5] >> 5);
            units.extend(adts::strip(&stream.slice(at..at + length)));
            at += length;
        }
        let config = AudioSpecificConfig::lc(rate, channels).unwrap();
        // ffmpeg's encoder puts one unit of silence first.
        Self::new(config, 1_024, units)
    }

    fn unit(&self, index: usize) -> AccessUnit {
        self.unit_at(index, self.first + index as i64 * i64::from(self.track.samples_per_unit))
    }

    fn unit_at(&self, index: usize, at: i64) -> AccessUnit {
        let time = MediaTime::new(at, Timescale::new(self.track.sample_rate).unwrap());
        let payload = self.units[index].clone();
        AccessUnit { track: TrackKind::Audio, dts: time, pts: time, sync: true, payload }
    }

    /// All units through a transcoder.
    fn transcode(&self) -> Output {
        let mut transcoder = SoundTranscoder::new(&self.track, SoundConfig::default()).unwrap();
        let mut units = Vec::new();
        for index in 0..self.units.len() {
            transcoder.push(&self.unit(index)).unwrap();
            units.extend(std::iter::from_fn(|| transcoder.poll()));
        }
        transcoder.finish().unwrap();
        units.extend(std::iter::from_fn(|| transcoder.poll()));
        Output::new(transcoder.track().clone(), units)
    }
}

/// What came out, checked to be an unbroken run of units.
struct Output {
    track: AudioTrack,
    units: Vec<AccessUnit>,
}

impl Output {
    fn new(track: AudioTrack, units: Vec<AccessUnit>) -> Self {
        for pair in units.windows(2) {
            let step = pair[1].dts.ticks() - pair[0].dts.ticks();
            assert_eq!(step, i64::from(track.samples_per_unit), "at {:?}", pair[0].dts);
        }
        for unit in &units {
            assert_eq!(unit.pts, unit.dts);
            assert_eq!(unit.dts.timescale().hz(), track.sample_rate);
            assert!(unit.sync && unit.track == TrackKind::Audio && !unit.payload.is_empty());
        }
        Self { track, units }
    }

    /// ffmpeg's idea of the sound, one channel after another, and the time of its first sample.
    fn decode(&self) -> (MediaTime, Vec<Vec<i16>>) {
        let rates = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000];
        let index = rates.iter().position(|&rate| rate == self.track.sample_rate).unwrap();
        let channels = usize::from(self.track.channels);
        let payloads = self.units.iter().map(|unit| &unit.payload[..]);
        let stream = judge::adts(payloads, index as u8, self.track.channels);
        let raw = judge::ffmpeg(&["-f", "aac", "-i", "-", "-f", "s16le", "-"], &stream);
        let samples: Vec<i16> =
            raw.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
        let planes = (0..channels)
            .map(|channel| samples.iter().skip(channel).step_by(channels).copied().collect())
            .collect();
        (self.units[0].pts, planes)
    }

    /// Milliseconds from [`START_SECONDS`] to the loudest sample of a channel.
    fn click_ms(&self, channel: usize) -> f64 {
        let (start, planes) = self.decode();
        let loudest = planes[channel]
            .iter()
            .enumerate()
            .max_by_key(|(_, sample)| sample.unsigned_abs())
            .unwrap()
            .0;
        let at = start.seconds() + loudest as f64 / f64::from(self.track.sample_rate);
        (at - START_SECONDS as f64) * 1_000.0
    }
}

/// Interleaved silence with a click in all channels at `at` seconds.
fn click(rate: u32, channels: u8, at: f64, seconds: f64) -> Vec<i16> {
    let channels = usize::from(channels);
    let mut pcm = vec![0; (f64::from(rate) * seconds) as usize * channels];
    let sample = (f64::from(rate) * at).round() as usize;
    // Half a millisecond: a single sample at 96 kHz is more than 48 kHz can hold.
    let width = (rate / 4_000).max(1) as usize;
    for frame in 0..width {
        let height = 24_000.0 * (1.0 - (frame as f64 / width as f64 - 0.5).abs() * 2.0);
        let first = (sample + frame - width / 2) * channels;
        pcm[first..first + channels].fill(height as i16);
    }
    pcm
}

/// Interleaved sine of half scale, in one channel or in all.
fn tone(rate: u32, channels: u8, only: Option<usize>, hertz: f64, seconds: f64) -> Vec<i16> {
    let channels = usize::from(channels);
    let step = 2.0 * std::f64::consts::PI * hertz / f64::from(rate);
    (0..(f64::from(rate) * seconds) as usize)
        .flat_map(|frame| {
            let sample = (16_384.0 * (step * frame as f64).sin()) as i16;
            (0..channels).map(
                move |channel| if only.is_none_or(|only| only == channel) { sample } else { 0 },
            )
        })
        .collect()
}
