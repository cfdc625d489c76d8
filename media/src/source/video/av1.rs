//! AV1 packets to temporal units, and the sequence header they are coded with (CM-13).

use bytes::Bytes;

use super::Coded;
use crate::access_unit::VideoCodec;
use crate::av1::{Av1Config, normalise};
use crate::source::{Counters, Refusal};

/// The state of one stream.
#[derive(Debug, Default)]
pub(super) struct Av1Input {
    config: Option<Av1Config>,
    /// Sequence header OBU of the last unit that had one.
    sequence_header: Option<Bytes>,
}

impl Av1Input {
    /// Takes a sequence start; gives the configuration that it makes, if it is not a repeat.
    pub(super) fn on_header(
        &mut self,
        body: &Bytes,
        counters: &mut Counters,
    ) -> Result<Option<VideoCodec>, Refusal> {
        let config = if body.is_empty() { None } else { Av1Config::parse(body)? };
        let Some(config) = config else {
            // The first key frame brings the sequence header.
            counters.ignored += 1;
            return Ok(None);
        };
        Ok(self.configure(config))
    }

    /// Takes coded data; `None` when there is no frame in it or it is damaged.
    pub(super) fn on_frame(&mut self, payload: &Bytes, counters: &mut Counters) -> Option<Coded> {
        let Ok(unit) = normalise(payload, self.config.as_ref()) else {
            counters.broken += 1;
            return None;
        };
        if unit.sequence_header.is_some() {
            self.sequence_header = unit.sequence_header;
        }
        if unit.payload.is_empty() {
            counters.ignored += 1;
            return None;
        }
        let (payload, sync) = (unit.payload, unit.sync);
        Some(Coded { payload, sync, closed: sync, skipped_leading: false })
    }

    /// Makes the sequence header that came with a key frame the configuration.
    pub(super) fn on_sync(
        &mut self,
        configured: bool,
        counters: &mut Counters,
    ) -> Result<Option<VideoCodec>, Refusal> {
        let Some(obus) = self.sequence_header.take() else { return Ok(None) };
        match Av1Config::from_obus(&obus) {
            Ok(config) => Ok(config.and_then(|config| self.configure(config))),
            Err(error) if !configured => Err(error.into()),
            Err(_) => {
                counters.broken += 1;
                Ok(None)
            }
        }
    }

    fn configure(&mut self, config: Av1Config) -> Option<VideoCodec> {
        if self.config.as_ref() == Some(&config) {
            return None;
        }
        self.config = Some(config.clone());
        Some(VideoCodec::Av1(config))
    }
}
