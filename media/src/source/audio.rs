//! AAC tags to raw units, and the configuration they are coded with (AA-1 to AA-6).

use bytes::Bytes;

use super::{Counters, Refusal};
use crate::aac::{AudioSpecificConfig, adts};
use crate::access_unit::{AudioCodec, AudioTrack};
use crate::flv::Metadata;

/// The audio side of one connection.
#[derive(Debug, Default)]
pub(super) struct AudioInput {
    config: Option<AudioSpecificConfig>,
}

impl AudioInput {
    /// Takes a sequence header; tells whether an earlier configuration was replaced by another.
    pub(super) fn on_header(
        &mut self,
        body: &[u8],
        counters: &mut Counters,
    ) -> Result<bool, Refusal> {
        // Two bytes are the shortest configuration (AA-2); less is noise (AA-4).
        if body.len() < 2 {
            counters.ignored += 1;
            return Ok(false);
        }
        let config = AudioSpecificConfig::parse(body)?;
        let replaced = self.config.as_ref().is_some_and(|known| *known != config);
        self.config = Some(config);
        Ok(replaced)
    }

    /// The raw units of a message; empty ones are left out.
    pub(super) fn on_raw(payload: &Bytes, counters: &mut Counters) -> Vec<Bytes> {
        let mut units = adts::strip(payload);
        units.retain(|unit| !unit.is_empty());
        if units.is_empty() {
            counters.ignored += 1;
        }
        units
    }

    /// The configuration of the units that come.
    pub(super) const fn config(&self) -> Option<&AudioSpecificConfig> {
        self.config.as_ref()
    }

    /// The track as it is now.
    pub(super) fn track(&self, metadata: &Metadata) -> Option<AudioTrack> {
        let config = self.config.clone()?;
        Some(AudioTrack {
            sample_rate: config.output_sample_rate(),
            channels: config.channels(),
            samples_per_unit: config.samples_per_unit(),
            bitrate: metadata.audio_bitrate,
            codec: AudioCodec::Aac(config),
        })
    }
}
