//! Audio packets to units, and the configuration they are coded with (AA-1 to AA-8, ER-4, ER-7).
//!
//! AAC, Opus and FLAC have sequence headers; AC-3, E-AC-3 and MP3 tell their configuration in every
//! frame.

use bytes::Bytes;

use super::{Counters, Refusal};
use crate::aac::{AudioSpecificConfig, adts};
use crate::access_unit::{AudioCodec, AudioTrack};
use crate::flac::{self, FlacConfig};
use crate::flv::{ChannelOrder, CodecTag, FourCc, Metadata};
use crate::limits::AUDIO_UNITS_PER_MESSAGE_MAX;
use crate::opus::{self, OpusConfig};
use crate::{ac3, mp3};

/// One coded unit without an output time.
#[derive(Debug)]
pub(super) struct Sound {
    pub(super) payload: Bytes,
    /// Its place among the units of its message, which all last equally long.
    pub(super) index: u32,
    /// Output samples that it lasts; `None` when only the configuration tells.
    pub(super) samples: Option<u32>,
}

/// Codecs that can be packaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AudioKind {
    Aac,
    Opus,
    Flac,
    /// AC-3 and E-AC-3 tell themselves apart.
    Ac3,
    Mp3,
}

impl AudioKind {
    /// `None` for everything that is refused.
    pub(super) const fn of(codec: CodecTag) -> Option<Self> {
        match codec {
            CodecTag::Audio(10) | CodecTag::FourCc(FourCc::AAC) => Some(Self::Aac),
            CodecTag::Audio(2 | 14) | CodecTag::FourCc(FourCc::MP3) => Some(Self::Mp3),
            CodecTag::FourCc(FourCc::OPUS) => Some(Self::Opus),
            CodecTag::FourCc(FourCc::FLAC) => Some(Self::Flac),
            CodecTag::FourCc(FourCc::AC3 | FourCc::EAC3) => Some(Self::Ac3),
            CodecTag::Audio(_) | CodecTag::Video(_) | CodecTag::FourCc(_) => None,
        }
    }

    const fn matches(self, codec: &AudioCodec) -> bool {
        matches!(
            (self, codec),
            (Self::Aac, AudioCodec::Aac(_))
                | (Self::Opus, AudioCodec::Opus(_))
                | (Self::Flac, AudioCodec::Flac(_))
                | (Self::Ac3, AudioCodec::Ac3(_))
                | (Self::Mp3, AudioCodec::Mp3(_))
        )
    }
}

/// The audio side of one connection.
#[derive(Debug, Default)]
pub(super) struct AudioInput {
    config: Option<AudioCodec>,
    /// Channels that the encoder told beside its configuration.
    told_channels: Option<u8>,
    /// Opus started without a header: the configuration follows what is told of the channels.
    is_headless: bool,
    /// Output samples of the last unit that told its own.
    usual_samples: Option<u32>,
}

impl AudioInput {
    /// Takes a sequence header; tells whether an earlier configuration was replaced by another.
    pub(super) fn on_header(
        &mut self,
        kind: AudioKind,
        body: &[u8],
        counters: &mut Counters,
    ) -> Result<bool, Refusal> {
        let config = match kind {
            // Two bytes are the shortest configuration (AA-2); less is noise (AA-4).
            AudioKind::Aac if body.len() >= 2 => AudioCodec::Aac(AudioSpecificConfig::parse(body)?),
            AudioKind::Opus if body.is_empty() => AudioCodec::Opus(self.headless_opus()?),
            AudioKind::Opus => AudioCodec::Opus(OpusConfig::parse(body)?),
            AudioKind::Flac => AudioCodec::Flac(FlacConfig::parse(body)?),
            AudioKind::Aac | AudioKind::Ac3 | AudioKind::Mp3 => {
                counters.ignored += 1;
                return Ok(false);
            }
        };
        self.is_headless = kind == AudioKind::Opus && body.is_empty();
        Ok(self.configure(config))
    }

    /// Takes what the encoder tells of its channels; as [`Self::on_header`]. Only Opus without a
    /// header needs it: every other configuration tells them itself.
    pub(super) fn on_channel_order(&mut self, order: &ChannelOrder) -> Result<bool, Refusal> {
        self.told_channels = Some(order.channels);
        if !self.is_headless {
            return Ok(false);
        }
        let config = AudioCodec::Opus(self.headless_opus()?);
        Ok(self.configure(config))
    }

    fn headless_opus(&self) -> Result<OpusConfig, Refusal> {
        const USUAL: u8 = 2;
        Ok(OpusConfig::without_header(self.told_channels.unwrap_or(USUAL))?)
    }

    /// The units of a message, and whether they replaced an earlier configuration; empty units and
    /// what cannot be read are left out.
    pub(super) fn on_frames(
        &mut self,
        kind: AudioKind,
        payload: &Bytes,
        counters: &mut Counters,
    ) -> Result<(Vec<Sound>, bool), Refusal> {
        if payload.is_empty() {
            counters.ignored += 1;
            return Ok((Vec::new(), false));
        }
        // ER-7: a codec that needs a header and had none does not replace one that is configured.
        let other = self.config.as_ref().is_some_and(|config| !kind.matches(config));
        if other && matches!(kind, AudioKind::Aac | AudioKind::Opus | AudioKind::Flac) {
            counters.audio_without_config += 1;
            return Ok((Vec::new(), false));
        }
        let mut replaced = false;
        let units: Vec<(Bytes, Option<u32>)> = match kind {
            AudioKind::Aac => adts::strip(payload).into_iter().map(|unit| (unit, None)).collect(),
            AudioKind::Opus => sized(payload, opus::packet_samples(payload)),
            AudioKind::Flac => sized(payload, flac::frame_samples(payload)),
            AudioKind::Mp3 => {
                let frames = mp3::frames(payload, AUDIO_UNITS_PER_MESSAGE_MAX);
                if let Some((config, _)) = frames.first() {
                    replaced = self.configure(AudioCodec::Mp3(*config));
                }
                frames
                    .into_iter()
                    .map(|(config, frame)| (frame, Some(config.samples_per_frame())))
                    .collect()
            }
            AudioKind::Ac3 => match ac3::units(payload, AUDIO_UNITS_PER_MESSAGE_MAX) {
                Ok(units) => {
                    if let Some((config, ..)) = units.first() {
                        replaced = self.configure_ac3(*config);
                    }
                    units.into_iter().map(|(_, samples, unit)| (unit, Some(samples))).collect()
                }
                Err(error @ ac3::FrameError::Substreams) => return Err(error.into()),
                Err(_) => Vec::new(),
            },
        };
        let sounds: Vec<Sound> = (0..)
            .zip(units.into_iter().filter(|(unit, _)| !unit.is_empty()))
            .map(|(index, (payload, samples))| Sound { payload, index, samples })
            .collect();
        match (sounds.first(), kind) {
            (Some(first), _) => self.usual_samples = first.samples,
            (None, AudioKind::Aac) => counters.ignored += 1,
            (None, _) => counters.broken += 1,
        }
        Ok((sounds, replaced))
    }

    /// The configuration of the units that come.
    pub(super) const fn config(&self) -> Option<&AudioCodec> {
        self.config.as_ref()
    }

    /// The track as it is now.
    pub(super) fn track(&self, metadata: &Metadata) -> Option<AudioTrack> {
        let mut track = AudioTrack::of(self.config.clone()?, metadata.audio_bitrate);
        track.samples_per_unit = self.usual_samples.unwrap_or(track.samples_per_unit);
        Some(track)
    }

    fn configure(&mut self, config: AudioCodec) -> bool {
        if self.config.as_ref() == Some(&config) {
            return false;
        }
        self.usual_samples = None;
        self.config.replace(config).is_some()
    }

    fn configure_ac3(&mut self, config: ac3::Ac3Config) -> bool {
        match &self.config {
            Some(AudioCodec::Ac3(known)) if known.covers(&config) => false,
            _ => self.configure(AudioCodec::Ac3(config)),
        }
    }
}

/// A message that is one unit, if it tells how long it lasts.
fn sized(payload: &Bytes, samples: Option<u32>) -> Vec<(Bytes, Option<u32>)> {
    samples.map(|samples| (payload.clone(), Some(samples))).into_iter().collect()
}
