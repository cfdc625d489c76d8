//! HEVCDecoderConfigurationRecord, the `hvcC` payload (AVC-FF §8.3.2.1).
//!
//! ```text
//! u8 version 1 | space(2) tier(1) profile(5) | compatibility(32) | constraints(48) | level(8)
//! 1111 min segmentation(12) | 111111 parallelism(2) | 111111 chroma(2) | 11111 luma depth - 8(3)
//! 11111 chroma depth - 8(3) | u16 frame rate | constant(2) layers(3) nested(1)
//! lengthSizeMinusOne(2) u8 arrays {complete(1) 0 type(6), u16 count {u16 len, NAL}*}*
//! ```
//!
//! Reading tolerates wrong reserved bits and takes profile and size from the SPS, not from the
//! record. Equal parameter sets always give equal records: arrays in the order VPS, SPS, PPS, SEI,
//! sets ordered by id.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use thiserror::Error;

use super::nal::{HEADER_BYTES, NalKind};
use super::sps::{Sps, SpsError, bounded};
use crate::bits::{BitReader, BitsError};
use crate::cursor::{Cursor, UnexpectedEnd};
use crate::limits;
use crate::nal::{LengthSize, annexb, rbsp, without_padding};
use crate::picture::Colour;

/// A decoder configuration in canonical form, with its first SPS understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HevcConfig {
    record: Bytes,
    sps: Arc<Sps>,
}

/// Why a configuration is refused. The peer's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HvccError {
    /// The record ended inside a field.
    #[error("the HEVC configuration record is cut short: {0}")]
    Short(#[from] UnexpectedEnd),
    /// configurationVersion is neither 1 nor the 0 of old encoders.
    #[error("the HEVC configuration record has version {0}; only 1 exists")]
    Version(u8),
    /// lengthSizeMinusOne is 2, which the standard forbids.
    #[error("the HEVC configuration record announces NAL lengths of three bytes")]
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
    /// No VPS, no SPS, or no PPS for the SPS.
    #[error("the HEVC configuration lacks a video, sequence or picture parameter set")]
    Incomplete,
    /// A parameter set's id cannot be read or used.
    #[error("a parameter set is damaged: {0}")]
    Bits(#[from] BitsError),
    /// An SPS or the id of a PPS cannot be used.
    #[error(transparent)]
    Sps(#[from] SpsError),
}

impl HevcConfig {
    /// Reads a record; the length size belongs to the payloads that follow it, not to the result.
    pub fn parse(record: &[u8]) -> Result<(Self, LengthSize), HvccError> {
        let (sets, length_size) = ParameterSets::parse_record(record)?;
        Ok((Self::new(&sets)?, length_size))
    }

    /// From collected sets.
    pub fn new(sets: &ParameterSets) -> Result<Self, HvccError> {
        let first = sets.sps.values().next().ok_or(HvccError::Incomplete)?;
        let sps = Sps::parse(first)?;
        if sets.vps.is_empty() || !sets.pps.values().any(|(sps_id, _)| *sps_id == sps.id) {
            return Err(HvccError::Incomplete);
        }
        Ok(Self { record: write_record(&sps, sets), sps: Arc::new(sps) })
    }

    /// The canonical `hvcC` payload; announces four-byte lengths.
    pub const fn record(&self) -> &Bytes {
        &self.record
    }

    /// The SPS with the lowest id.
    pub fn sps(&self) -> &Sps {
        &self.sps
    }

    /// `hvc1.…` (AVC-FF Annex E).
    pub fn codec_string(&self) -> String {
        self.sps.profile.codec_string()
    }

    /// Size of the picture after cropping, before the sample aspect ratio.
    pub fn coded_size(&self) -> (u32, u32) {
        (self.sps.width, self.sps.height)
    }

    /// Width to height of one sample; (1, 1) when not told.
    pub fn sample_aspect_ratio(&self) -> (u32, u32) {
        self.sps.vui.signal.sample_aspect_ratio()
    }

    /// Colour that the SPS tells; `None` when it says nothing.
    pub fn colour(&self) -> Option<Colour> {
        self.sps.vui.signal.colour()
    }
}

fn write_record(sps: &Sps, sets: &ParameterSets) -> Bytes {
    const VERSION: u8 = 1;
    let profile = &sps.profile;
    let mut out = BytesMut::new();
    out.put_u8(VERSION);
    let tier = u8::from(profile.high_tier);
    out.put_u8(profile.profile_space << 6 | tier << 5 | profile.profile_idc);
    out.put_u32(profile.compatibility);
    out.put_slice(&profile.constraints);
    out.put_u8(profile.level_idc);
    out.put_u16(0b1111 << 12); // spatial segmentation: not told
    out.put_u8(0b1111_1100); // parallelism: not told
    out.put_u8(0b1111_1100 | sps.chroma_format_idc);
    // Three bits: depths above 15 do not fit and are told by the SPS.
    out.put_u8(0b1111_1000 | (sps.bit_depth_luma - 8).min(7));
    out.put_u8(0b1111_1000 | (sps.bit_depth_chroma - 8).min(7));
    out.put_u16(0); // average frame rate: not told
    let nested = u8::from(sps.temporal_id_nesting);
    out.put_u8(sps.temporal_layers << 3 | nested << 2 | 3);
    let pps: Vec<&Bytes> = sets.pps.values().map(|(_, nal)| nal).collect();
    let arrays = [
        (NalKind::Vps, sets.vps.values().collect()),
        (NalKind::Sps, sets.sps.values().collect()),
        (NalKind::Pps, pps),
        (NalKind::Sei, sets.sei.iter().collect::<Vec<_>>()),
    ];
    let filled = arrays.iter().filter(|(_, nals)| !nals.is_empty());
    out.put_u8(filled.clone().count() as u8); // at most four
    for (kind, nals) in filled {
        // Complete, as hvc1 demands of parameter sets; SEI may also stand in samples.
        let complete = u8::from(*kind != NalKind::Sei) << 7;
        out.put_u8(complete | kind.array_type().unwrap_or_default());
        out.put_u16(nals.len() as u16); // ids and the cap on SEI keep it below 65
        for nal in nals {
            out.put_u16(nal.len() as u16); // at most PARAMETER_SET_BYTES_MAX, checked on insert
            out.put_slice(nal);
        }
    }
    out.freeze()
}

/// Parameter set NAL units by id; a later one replaces the earlier of its id.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ParameterSets {
    vps: BTreeMap<u8, Bytes>,
    sps: BTreeMap<u8, Bytes>,
    /// With the id of the SPS that each refers to.
    pps: BTreeMap<u8, (u8, Bytes)>,
    /// SEI messages of a record: they hold for the whole stream, such as the mastering display.
    sei: Vec<Bytes>,
}

impl ParameterSets {
    /// Takes all sets out of a record without asking whether they make a configuration.
    pub fn parse_record(record: &[u8]) -> Result<(Self, LengthSize), HvccError> {
        let mut cursor = Cursor::new(record);
        match cursor.u8()? {
            // Some encoders wrote the draft's version number.
            0 | 1 => {}
            version => return Err(HvccError::Version(version)),
        }
        cursor.take(20)?;
        let length_size = LengthSize::from_minus_one(cursor.u8()?).ok_or(HvccError::LengthSize)?;
        let mut sets = Self::default();
        for _ in 0..cursor.u8()? {
            cursor.u8()?; // completeness and type: the NAL units tell their own
            for _ in 0..cursor.u16()? {
                let len = cursor.u16()?;
                let nal = cursor.take(usize::from(len))?;
                if NalKind::of(nal) == Some(NalKind::Sei) {
                    sets.insert_sei(nal);
                } else {
                    sets.insert(nal)?;
                }
            }
        }
        Ok((sets, length_size))
    }

    /// Takes all sets out of a header sent with start codes (AV-3).
    pub fn parse_annexb(bytes: &[u8]) -> Result<Self, HvccError> {
        let mut sets = Self::default();
        for range in annexb::split(bytes) {
            sets.insert(bytes.get(range).unwrap_or_default())?;
        }
        Ok(sets)
    }

    /// Adds one NAL unit; other kinds than VPS, SPS and PPS and empty units are passed over. Tells
    /// whether anything changed.
    pub fn insert(&mut self, nal: &[u8]) -> Result<bool, HvccError> {
        let nal = without_padding(nal);
        let len = nal.len();
        if len > limits::PARAMETER_SET_BYTES_MAX {
            return Err(HvccError::SetTooLarge { len });
        }
        let copy = || Bytes::copy_from_slice(nal);
        let payload = nal.get(HEADER_BYTES..).unwrap_or_default();
        Ok(match NalKind::of(nal) {
            Some(NalKind::Vps) => {
                let id = BitReader::new(payload).bits(4)? as u8;
                self.vps.insert(id, copy()).is_none_or(|known| known != nal)
            }
            Some(NalKind::Sps) => {
                let id = Sps::parse(nal)?.id;
                self.sps.insert(id, copy()).is_none_or(|known| known != nal)
            }
            Some(NalKind::Pps) => {
                let clean = rbsp(payload);
                let mut reader = BitReader::new(&clean);
                let id = bounded(&mut reader, "pps_pic_parameter_set_id", 63)?;
                let sps_id = bounded(&mut reader, "pps_seq_parameter_set_id", 15)?;
                self.pps.insert(id, (sps_id, copy())).is_none_or(|(_, known)| known != nal)
            }
            _ => false,
        })
    }

    fn insert_sei(&mut self, nal: &[u8]) {
        const SEI_MAX: usize = 16;
        if nal.len() <= limits::PARAMETER_SET_BYTES_MAX && self.sei.len() < SEI_MAX {
            self.sei.push(Bytes::copy_from_slice(nal));
        }
    }
}
