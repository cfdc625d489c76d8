//! AVCDecoderConfigurationRecord, the `avcC` payload (AVC-FF §5.3.3.1.2, AV-2).
//!
//! ```text
//! u8 version 1 | profile | compatibility | level | 111111 lengthSizeMinusOne(2)
//! 111 numSPS(5) {u16 len, SPS}* | u8 numPPS {u16 len, PPS}*
//! High family: 111111 chroma(2) | 11111 luma depth - 8(3) | 11111 chroma depth - 8(3) | u8 0
//! ```
//!
//! Reading tolerates wrong reserved bits and a missing tail; writing has every reserved bit one
//! (SRS #3551). Equal parameter sets always give equal records: sets are ordered by id, and profile
//! and level come from the SPS.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use thiserror::Error;

use super::nal::NalKind;
use super::pps::{Pps, PpsError};
use super::sps::{Sps, SpsError, has_chroma_fields};
use crate::cursor::{Cursor, UnexpectedEnd};
use crate::limits;
use crate::nal::{LengthSize, annexb, without_padding};
use crate::picture::{Colour, display_size};

/// A decoder configuration in canonical form, with its first SPS understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AvcConfig {
    record: Bytes,
    sps: Arc<Sps>,
}

/// Why a configuration is refused. The peer's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AvccError {
    /// The record ended inside a field.
    #[error("the AVC configuration record is cut short: {0}")]
    Short(#[from] UnexpectedEnd),
    /// configurationVersion is not 1.
    #[error("the AVC configuration record has version {0}; only 1 exists")]
    Version(u8),
    /// lengthSizeMinusOne is 2, which the standard forbids.
    #[error("the AVC configuration record announces NAL lengths of three bytes")]
    LengthSize,
    /// A parameter set is larger than any encoder writes.
    #[error(
        "a parameter set has {len} bytes; at most {} are allowed",
        limits::PARAMETER_SET_BYTES_MAX
    )]
    SetTooLarge {
        /// Its bytes.
        len: usize,
    },
    /// No SPS, no PPS, or no PPS for the SPS.
    #[error("the H.264 configuration lacks a sequence or picture parameter set")]
    Incomplete,
    /// More SPS than the record's five bits can count.
    #[error("{count} sequence parameter sets; a record holds at most 31")]
    TooManySps {
        /// How many different ids arrived.
        count: usize,
    },
    /// An SPS cannot be used.
    #[error(transparent)]
    Sps(#[from] SpsError),
    /// A PPS cannot be used.
    #[error(transparent)]
    Pps(#[from] PpsError),
}

impl AvcConfig {
    /// Reads a record; the length size belongs to the payloads that follow it, not to the result.
    pub fn parse(record: &[u8]) -> Result<(Self, LengthSize), AvccError> {
        let (sets, length_size) = ParameterSets::parse_record(record)?;
        Ok((Self::new(&sets)?, length_size))
    }

    /// From NAL units with their headers, as an encoder gives them.
    pub fn from_parameter_sets<S: AsRef<[u8]>, P: AsRef<[u8]>>(
        sps: &[S],
        pps: &[P],
    ) -> Result<Self, AvccError> {
        let mut sets = ParameterSets::default();
        for nal in sps.iter().map(AsRef::as_ref).chain(pps.iter().map(AsRef::as_ref)) {
            sets.insert(nal)?;
        }
        Self::new(&sets)
    }

    /// From collected sets.
    pub fn new(sets: &ParameterSets) -> Result<Self, AvccError> {
        if sets.sps.len() > 31 {
            return Err(AvccError::TooManySps { count: sets.sps.len() });
        }
        let first = sets.sps.values().next().ok_or(AvccError::Incomplete)?;
        let sps = Sps::parse(first)?;
        let usable: Vec<&Bytes> = sets.usable_pps().take(255).collect();
        if usable.is_empty() {
            return Err(AvccError::Incomplete);
        }
        let record = write_record(&sps, sets.sps.values().collect(), usable);
        Ok(Self { record, sps: Arc::new(sps) })
    }

    /// The canonical `avcC` payload; announces four-byte lengths.
    pub const fn record(&self) -> &Bytes {
        &self.record
    }

    /// The SPS with the lowest id.
    pub fn sps(&self) -> &Sps {
        &self.sps
    }

    /// `avc1.PPCCLL` (RFC 6381).
    pub fn codec_string(&self) -> String {
        let Sps { profile_idc, constraint_flags, level_idc, .. } = *self.sps;
        format!("avc1.{profile_idc:02X}{constraint_flags:02X}{level_idc:02X}")
    }

    /// Size of the picture in the sample entry: after cropping, before the sample aspect ratio.
    pub fn coded_size(&self) -> (u32, u32) {
        (self.sps.width, self.sps.height)
    }

    /// Size on a screen with square pixels: the width is stretched by the sample aspect ratio.
    pub fn display_size(&self) -> (u32, u32) {
        display_size(self.coded_size(), self.sample_aspect_ratio())
    }

    /// Width to height of one sample; (1, 1) when not told.
    pub fn sample_aspect_ratio(&self) -> (u32, u32) {
        self.sps.vui.signal.sample_aspect_ratio()
    }

    /// What a `colr` box should say (CM-15); `None` when the SPS says nothing.
    pub fn colour(&self) -> Option<Colour> {
        self.sps.vui.signal.colour()
    }
}

fn write_record(sps: &Sps, all_sps: Vec<&Bytes>, all_pps: Vec<&Bytes>) -> Bytes {
    const VERSION: u8 = 1;
    const FOUR_BYTE_LENGTHS: u8 = 0b1111_1100 | 3;
    let mut out = BytesMut::new();
    out.put_slice(&[VERSION, sps.profile_idc, sps.constraint_flags, sps.level_idc]);
    out.put_u8(FOUR_BYTE_LENGTHS);
    out.put_u8(0b1110_0000 | all_sps.len() as u8);
    put_sets(&mut out, all_sps);
    out.put_u8(all_pps.len() as u8);
    put_sets(&mut out, all_pps);
    if has_chroma_fields(sps.profile_idc) {
        out.put_u8(0b1111_1100 | sps.chroma_format_idc);
        out.put_u8(0b1111_1000 | (sps.bit_depth_luma - 8));
        out.put_u8(0b1111_1000 | (sps.bit_depth_chroma - 8));
        out.put_u8(0); // no SPS extensions
    }
    out.freeze()
}

fn put_sets(out: &mut BytesMut, sets: Vec<&Bytes>) {
    for set in sets {
        out.put_u16(set.len() as u16); // at most PARAMETER_SET_BYTES_MAX, checked on insert
        out.put_slice(set);
    }
}

const _: () = assert!(limits::PARAMETER_SET_BYTES_MAX <= u16::MAX as usize);

/// SPS and PPS NAL units by id; a later one replaces the earlier of its id (H.264 §7.4.1.2.1).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ParameterSets {
    sps: BTreeMap<u8, Bytes>,
    pps: BTreeMap<u8, Bytes>,
}

impl ParameterSets {
    /// Takes all sets out of a record (AV-2) without asking whether they make a configuration.
    pub fn parse_record(record: &[u8]) -> Result<(Self, LengthSize), AvccError> {
        let mut cursor = Cursor::new(record);
        match cursor.u8()? {
            1 => {}
            version => return Err(AvccError::Version(version)),
        }
        let [_profile, _compatibility, _level, lengths] = cursor.array()?;
        let length_size = LengthSize::from_minus_one(lengths).ok_or(AvccError::LengthSize)?;
        let mut sets = Self::default();
        for mask in [0x1F, 0xFF] {
            for _ in 0..cursor.u8()? & mask {
                let len = cursor.u16()?;
                sets.insert(cursor.take(usize::from(len))?)?;
            }
        }
        Ok((sets, length_size))
    }

    /// Takes all sets out of a header sent with start codes (AV-3).
    pub fn parse_annexb(bytes: &[u8]) -> Result<Self, AvccError> {
        let mut sets = Self::default();
        for range in annexb::split(bytes) {
            sets.insert(bytes.get(range).unwrap_or_default())?;
        }
        Ok(sets)
    }

    /// Adds one NAL unit; kinds other than SPS and PPS and empty units are passed over. Tells
    /// whether anything changed.
    pub fn insert(&mut self, nal: &[u8]) -> Result<bool, AvccError> {
        let nal = without_padding(nal);
        let len = nal.len();
        if len > limits::PARAMETER_SET_BYTES_MAX {
            return Err(AvccError::SetTooLarge { len });
        }
        let (table, id) = match nal.first().and_then(|&header| NalKind::of(header)) {
            Some(NalKind::Sps) => (&mut self.sps, Sps::parse(nal)?.id),
            Some(NalKind::Pps) => (&mut self.pps, Pps::parse(nal)?.id),
            _ => return Ok(false),
        };
        if table.get(&id).is_some_and(|known| known == nal) {
            return Ok(false);
        }
        table.insert(id, Bytes::copy_from_slice(nal));
        Ok(true)
    }

    /// All NAL units, each SPS before every PPS.
    pub fn nals(&self) -> impl Iterator<Item = &Bytes> {
        self.sps.values().chain(self.pps.values())
    }

    /// There is nothing inside.
    pub fn is_empty(&self) -> bool {
        self.sps.is_empty() && self.pps.is_empty()
    }

    /// PPS whose SPS is here.
    fn usable_pps(&self) -> impl Iterator<Item = &Bytes> {
        self.pps
            .values()
            .filter(|nal| Pps::parse(nal).is_ok_and(|pps| self.sps.contains_key(&pps.sps_id)))
    }
}

/// The bytes are an HEVC configuration sent under the AVC codec id, as old encoders did (AV-9).
pub fn looks_like_hevc_record(header: &[u8]) -> bool {
    const FIXED_BYTES: usize = 22;
    const VPS_SPS_PPS: std::ops::RangeInclusive<u8> = 32..=34;
    if annexb::starts_with_start_code(header) {
        let first = annexb::split(header).next().and_then(|range| header.get(range));
        // HEVC's header is two bytes: 0, type(6), layer(6) = 0, temporal id + 1 = 1.
        return first.is_some_and(
            |nal| matches!(nal, [first, 1, ..] if VPS_SPS_PPS.contains(&(first >> 1))),
        );
    }
    let arrays = header.get(FIXED_BYTES..).unwrap_or_default();
    header.first() == Some(&1)
        && matches!(arrays, [count, first, ..]
            if *count > 0 && VPS_SPS_PPS.contains(&(first & 0x3F)))
}
