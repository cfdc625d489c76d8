//! PCM to AAC units that stand where their sound does (CM-11, AL-2).
//!
//! Unit `n` of the encoder holds what plays from sample `n * 1024 - delay` of its input on. Silence
//! before the first sample makes that a multiple of 1024, so some unit begins exactly where the
//! sound does; those before it are dropped.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::access_unit::{AccessUnit, TrackKind};
use crate::codec::{AacEncoder, AacEncoderConfig, AacEncoderError};
use crate::time::{MediaTime, Timescale};

/// An encoder with a place on the media timeline.
pub(super) struct Writer {
    encoder: AacEncoder,
    timescale: Timescale,
    channels: usize,
    /// Samples of a block that is not full, interleaved.
    block: Vec<i16>,
    /// Where the sound starts, in samples; no unit begins before.
    start: i64,
    /// Where the sound ends so far.
    end: i64,
    /// Where the encoder's next unit begins.
    next: i64,
    units: Vec<Bytes>,
}

impl Writer {
    /// The first sample written stands at `start`.
    pub(super) fn new(
        config: &AacEncoderConfig,
        start: MediaTime,
    ) -> Result<Self, AacEncoderError> {
        let encoder = AacEncoder::new(*config)?;
        let timescale = Timescale::new(config.sample_rate).unwrap_or(Timescale::MILLIS);
        let start = start.rescale(timescale).ticks();
        let unit = i64::from(encoder.samples_per_unit());
        let delay = i64::from(encoder.delay());
        let padding = (-delay).rem_euclid(unit);
        let channels = usize::from(config.channels);
        let padding_frames = usize::try_from(padding).unwrap_or(0);
        Ok(Self {
            encoder,
            timescale,
            channels,
            block: vec![0; padding_frames * channels],
            start,
            end: start,
            next: start - delay - padding,
            units: Vec::new(),
        })
    }

    /// Takes samples, interleaved.
    pub(super) fn write(
        &mut self,
        samples: impl Iterator<Item = i16>,
    ) -> Result<(), AacEncoderError> {
        let before = self.block.len();
        self.block.extend(samples);
        self.end += count(self.block.len() - before, self.channels);
        let block_len = self.encoder.samples_per_unit() as usize * self.channels;
        let whole = self.block.len() - self.block.len() % block_len;
        for block in self.block[..whole].chunks_exact(block_len) {
            self.units.extend(self.encoder.encode(block)?);
        }
        self.block.drain(..whole);
        Ok(())
    }

    /// Nothing more comes: what ends by the end of the sound is coded.
    pub(super) fn finish(&mut self) -> Result<(), AacEncoderError> {
        let block_len = self.encoder.samples_per_unit() as usize * self.channels;
        if !self.block.is_empty() {
            self.block.resize(block_len, 0);
            self.units.extend(self.encoder.encode(&self.block)?);
            self.block.clear();
        }
        let unit = i64::from(self.encoder.samples_per_unit());
        while let Some(bytes) = self.encoder.finish()? {
            self.units.push(bytes);
        }
        let fitting = usize::try_from((self.end - self.next) / unit).unwrap_or(0);
        self.units.truncate(fitting);
        Ok(())
    }

    /// Moves the units that are ready to `units`.
    pub(super) fn drain(&mut self, units: &mut VecDeque<AccessUnit>) {
        for payload in self.units.drain(..) {
            let at = self.next;
            self.next += i64::from(self.encoder.samples_per_unit());
            if at < self.start {
                continue;
            }
            let time = MediaTime::new(at, self.timescale);
            units.push_back(AccessUnit {
                track: TrackKind::Audio,
                dts: time,
                pts: time,
                sync: true,
                payload,
            });
        }
    }
}

fn count(samples: usize, channels: usize) -> i64 {
    i64::try_from(samples / channels).unwrap_or(i64::MAX)
}
