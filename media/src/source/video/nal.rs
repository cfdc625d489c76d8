//! What H.264 and HEVC do alike: parameter sets in headers and in the stream, framing, repeats
//! (AV-2 to AV-7).
//!
//! [`NalInput`] is the machine, [`NalCodec`] what differs between the two.

use bytes::Bytes;

use super::{Coded, Damage};
use crate::access_unit::VideoCodec;
use crate::h264;
use crate::hevc::{self, nal::NalKind};
use crate::nal::{Framing, LengthSize, annexb};
use crate::source::{Counters, Refusal};

/// A codec whose pictures are rows of NAL units.
pub(super) trait NalCodec {
    /// A configuration in canonical form.
    type Config: Clone + PartialEq + std::fmt::Debug;
    /// Parameter sets by id.
    type Sets: Default + std::fmt::Debug;

    /// Refuses what is plainly another codec under this one's name.
    fn recognise(bytes: &[u8]) -> Result<(), Refusal>;
    fn parse_record(record: &[u8]) -> Result<(Self::Sets, LengthSize), Refusal>;
    fn parse_annexb(bytes: &[u8]) -> Result<Self::Sets, Refusal>;
    /// `None` when sets are missing.
    fn configure(sets: &Self::Sets) -> Result<Option<Self::Config>, Refusal>;
    /// Adds a parameter set; tells whether anything changed.
    fn insert(sets: &mut Self::Sets, nal: &[u8]) -> Result<bool, Refusal>;
    /// A sample, and the parameter sets that stood in it.
    fn normalise(payload: &Bytes, framing: Framing) -> Result<(Coded, Vec<Bytes>), Damage>;
    fn into_codec(config: Self::Config) -> VideoCodec;
}

/// The state of one stream.
#[derive(Debug)]
pub(super) struct NalInput<C: NalCodec> {
    /// The last sequence header, to know its repeats.
    header: Option<C::Config>,
    /// All parameter sets in force, by id.
    sets: C::Sets,
    sets_changed: bool,
    length_size: LengthSize,
    /// Decided by the first payload (AV-3).
    framing: Option<Framing>,
}

impl<C: NalCodec> Default for NalInput<C> {
    fn default() -> Self {
        Self {
            header: None,
            sets: C::Sets::default(),
            sets_changed: false,
            length_size: LengthSize::Four,
            framing: None,
        }
    }
}

impl<C: NalCodec> NalInput<C> {
    /// Takes a sequence header; gives the configuration that it makes, if it is not a repeat.
    pub(super) fn on_header(
        &mut self,
        body: &[u8],
        counters: &mut Counters,
    ) -> Result<Option<VideoCodec>, Refusal> {
        if body.is_empty() {
            counters.ignored += 1;
            return Ok(None);
        }
        C::recognise(body)?;
        let (sets, length_size) = if annexb::starts_with_start_code(body) {
            (C::parse_annexb(body)?, self.length_size)
        } else {
            C::parse_record(body)?
        };
        if length_size != self.length_size {
            self.length_size = length_size;
            self.framing = None;
        }
        match C::configure(&sets)? {
            Some(config) if self.header.as_ref() == Some(&config) => Ok(None),
            Some(config) => {
                self.header = Some(config.clone());
                self.sets = sets;
                self.sets_changed = false;
                self.framing = None;
                Ok(Some(C::into_codec(config)))
            }
            // AV-4: a header without sets; they may come inside the first IDR picture (AV-5).
            None => {
                counters.ignored += 1;
                Ok(None)
            }
        }
    }

    /// Takes coded data; `None` when there is no picture in it or it is damaged.
    pub(super) fn on_frame(
        &mut self,
        payload: &Bytes,
        configured: bool,
        counters: &mut Counters,
    ) -> Result<Option<Coded>, Refusal> {
        if !configured {
            C::recognise(payload)?;
        }
        if self.framing.is_none() {
            self.framing = Framing::detect(payload, self.length_size);
        }
        let Some(framing) = self.framing else {
            counters.ignored += 1;
            return Ok(None);
        };
        let Ok((coded, sets)) = C::normalise(payload, framing) else {
            counters.broken += 1;
            return Ok(None);
        };
        for nal in sets {
            match C::insert(&mut self.sets, &nal) {
                Ok(changed) => self.sets_changed |= changed,
                Err(error) if !configured => return Err(error),
                Err(_) => counters.broken += 1,
            }
        }
        if coded.payload.is_empty() {
            counters.ignored += 1;
            return Ok(None);
        }
        Ok(Some(coded))
    }

    /// Makes the sets that came with or before a sync picture the configuration (AV-5). Sets take
    /// effect at an IDR picture only (H.264 §7.4.1.2.1).
    pub(super) fn on_sync(
        &mut self,
        configured: bool,
        counters: &mut Counters,
    ) -> Result<Option<VideoCodec>, Refusal> {
        if !std::mem::take(&mut self.sets_changed) {
            return Ok(None);
        }
        match C::configure(&self.sets) {
            Ok(config) => Ok(config.map(C::into_codec)),
            Err(error) if !configured => Err(error),
            Err(_) => {
                counters.broken += 1;
                Ok(None)
            }
        }
    }
}

/// H.264.
#[derive(Debug)]
pub(super) enum Avc {}

impl NalCodec for Avc {
    type Config = h264::AvcConfig;
    type Sets = h264::ParameterSets;

    fn recognise(bytes: &[u8]) -> Result<(), Refusal> {
        if h264::looks_like_hevc_record(bytes) { Err(Refusal::HevcAsAvc) } else { Ok(()) }
    }

    fn parse_record(record: &[u8]) -> Result<(Self::Sets, LengthSize), Refusal> {
        Ok(h264::ParameterSets::parse_record(record)?)
    }

    fn parse_annexb(bytes: &[u8]) -> Result<Self::Sets, Refusal> {
        Ok(h264::ParameterSets::parse_annexb(bytes)?)
    }

    fn configure(sets: &Self::Sets) -> Result<Option<Self::Config>, Refusal> {
        match h264::AvcConfig::new(sets) {
            Ok(config) => Ok(Some(config)),
            Err(h264::AvccError::Incomplete) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn insert(sets: &mut Self::Sets, nal: &[u8]) -> Result<bool, Refusal> {
        Ok(sets.insert(nal)?)
    }

    fn normalise(payload: &Bytes, framing: Framing) -> Result<(Coded, Vec<Bytes>), Damage> {
        let picture = h264::normalise(payload, framing).map_err(|_| Damage)?;
        let sets = picture.sps.into_iter().chain(picture.pps).collect();
        let (payload, sync) = (picture.payload, picture.idr);
        Ok((Coded { payload, sync, closed: sync, skipped_leading: false }, sets))
    }

    fn into_codec(config: Self::Config) -> VideoCodec {
        VideoCodec::H264(config)
    }
}

/// HEVC.
#[derive(Debug)]
pub(super) enum Hevc {}

impl NalCodec for Hevc {
    type Config = hevc::HevcConfig;
    type Sets = hevc::ParameterSets;

    fn recognise(_: &[u8]) -> Result<(), Refusal> {
        Ok(())
    }

    fn parse_record(record: &[u8]) -> Result<(Self::Sets, LengthSize), Refusal> {
        Ok(hevc::ParameterSets::parse_record(record)?)
    }

    fn parse_annexb(bytes: &[u8]) -> Result<Self::Sets, Refusal> {
        Ok(hevc::ParameterSets::parse_annexb(bytes)?)
    }

    fn configure(sets: &Self::Sets) -> Result<Option<Self::Config>, Refusal> {
        match hevc::HevcConfig::new(sets) {
            Ok(config) => Ok(Some(config)),
            Err(hevc::HvccError::Incomplete) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn insert(sets: &mut Self::Sets, nal: &[u8]) -> Result<bool, Refusal> {
        Ok(sets.insert(nal)?)
    }

    fn normalise(payload: &Bytes, framing: Framing) -> Result<(Coded, Vec<Bytes>), Damage> {
        let picture = hevc::normalise(payload, framing).map_err(|_| Damage)?;
        let closed = matches!(picture.kind, Some(NalKind::Idr | NalKind::BrokenLink));
        let coded = Coded {
            payload: picture.payload,
            sync: closed || picture.kind == Some(NalKind::CleanRandomAccess),
            closed,
            skipped_leading: picture.kind == Some(NalKind::SkippedLeading),
        };
        Ok((coded, picture.parameter_sets))
    }

    fn into_codec(config: Self::Config) -> VideoCodec {
        VideoCodec::Hevc(config)
    }
}
