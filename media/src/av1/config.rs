//! AV1CodecConfigurationRecord, the `av1C` payload, and the codec string (AV1-FF §2.3, §5, CM-13).
//!
//! ```text
//! u8 0x81 | profile(3) level(5) | tier(1) high depth(1) twelve bit(1) mono(1) ssx(1) ssy(1) csp(2)
//! 000 delay present(1) delay(4) | config OBUs: one sequence header with its size
//! ```
//!
//! The fields always come from the sequence header, never from the record that was received; OBUs
//! of a record other than its sequence header are left out.

use std::sync::Arc;

use bytes::Bytes;
use thiserror::Error;

use super::obu::{self, ObuError, ObuKind, put_leb128};
use super::sequence_header::{SequenceHeader, SequenceHeaderError};
use crate::limits;
use crate::picture::Colour;

/// A decoder configuration in canonical form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Av1Config {
    record: Bytes,
    sequence_header: Arc<SequenceHeader>,
}

/// Why a configuration is refused. The peer's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Av1cError {
    /// Shorter than its four fixed bytes.
    #[error("the AV1 configuration record has {len} bytes; it needs 4 and more")]
    Short {
        /// Its bytes.
        len: usize,
    },
    /// Marker and version are not 1 and 1.
    #[error("the AV1 configuration record begins with {0:#04x}; 0x81 is version 1")]
    Version(u8),
    /// The sequence header is larger than any encoder writes.
    #[error(
        "the sequence header has {len} bytes; at most {} are allowed",
        limits::PARAMETER_SET_BYTES_MAX
    )]
    TooLarge {
        /// Its bytes.
        len: usize,
    },
    /// What follows the fixed bytes is no row of OBUs.
    #[error("the AV1 configuration is damaged: {0}")]
    Obu(#[from] ObuError),
    /// The sequence header cannot be used.
    #[error(transparent)]
    SequenceHeader(#[from] SequenceHeaderError),
}

const FIXED_BYTES: usize = 4;
const MARKER_AND_VERSION: u8 = 0x81;

impl Av1Config {
    /// Reads a record; `None` when it has no sequence header: the first key frame brings it.
    pub fn parse(record: &Bytes) -> Result<Option<Self>, Av1cError> {
        match record.first() {
            Some(&MARKER_AND_VERSION) if record.len() >= FIXED_BYTES => {
                Self::from_obus(&record.slice(FIXED_BYTES..))
            }
            Some(&first) if record.len() >= FIXED_BYTES => Err(Av1cError::Version(first)),
            _ => Err(Av1cError::Short { len: record.len() }),
        }
    }

    /// From the first sequence header in a row of OBUs.
    pub fn from_obus(obus: &Bytes) -> Result<Option<Self>, Av1cError> {
        for found in obu::walk(obus) {
            let found = found?;
            if found.kind != ObuKind::SequenceHeader {
                continue;
            }
            let payload = obus.get(found.payload).unwrap_or_default();
            if payload.len() > limits::PARAMETER_SET_BYTES_MAX {
                return Err(Av1cError::TooLarge { len: payload.len() });
            }
            let header = SequenceHeader::parse(payload)?;
            let record = write_record(&header, payload);
            return Ok(Some(Self { record, sequence_header: Arc::new(header) }));
        }
        Ok(None)
    }

    /// The canonical `av1C` payload.
    pub const fn record(&self) -> &Bytes {
        &self.record
    }

    /// The sequence header OBU of the record, with its size field.
    pub fn config_obus(&self) -> &[u8] {
        self.record.get(FIXED_BYTES..).unwrap_or_default()
    }

    /// The sequence header.
    pub fn sequence_header(&self) -> &SequenceHeader {
        &self.sequence_header
    }

    /// `av01.P.LLT.DD`, with chroma and colour behind it when they are not the usual ones.
    pub fn codec_string(&self) -> String {
        /// BT.709 in studio range and 4:2:0: what the short form means.
        const USUAL: (u8, u8, u8) = (1, 1, 1);
        let header = &*self.sequence_header;
        let tier = if header.high_tier { 'H' } else { 'M' };
        let short =
            format!("av01.{}.{:02}{tier}.{:02}", header.profile, header.level, header.bit_depth);
        let Colour { primaries, transfer, matrix, full_range } = header.colour;
        let chroma = (
            u8::from(header.subsampling_x),
            u8::from(header.subsampling_y),
            header.chroma_sample_position,
        );
        let told = header.colour_told && (primaries, transfer, matrix) != USUAL;
        let special = header.monochrome || full_range || (chroma.0, chroma.1) != (1, 1);
        if !told && !special {
            return short;
        }
        let (primaries, transfer, matrix) =
            if header.colour_told { (primaries, transfer, matrix) } else { USUAL };
        let (mono, range) = (u8::from(header.monochrome), u8::from(full_range));
        let (x, y, position) = chroma;
        format!("{short}.{mono}.{x}{y}{position}.{primaries:02}.{transfer:02}.{matrix:02}.{range}")
    }

    /// Largest size of a picture.
    pub fn coded_size(&self) -> (u32, u32) {
        (self.sequence_header.width, self.sequence_header.height)
    }

    /// Colour that the sequence header tells; `None` when it says nothing.
    pub fn colour(&self) -> Option<Colour> {
        let header = &self.sequence_header;
        (header.colour_told || header.colour.full_range).then_some(header.colour)
    }
}

fn write_record(header: &SequenceHeader, payload: &[u8]) -> Bytes {
    /// OBU header: sequence header, no extension, with a size.
    const SEQUENCE_HEADER_WITH_SIZE: u8 = 0x0A;
    let mut out = vec![MARKER_AND_VERSION, header.profile << 5 | header.level];
    let bits = [
        header.high_tier,
        header.bit_depth > 8,
        header.bit_depth == 12,
        header.monochrome,
        header.subsampling_x,
        header.subsampling_y,
    ];
    let flags = bits.iter().fold(0, |flags, &bit| flags << 1 | u8::from(bit));
    out.push(flags << 2 | header.chroma_sample_position);
    out.push(0); // no presentation delay told
    out.push(SEQUENCE_HEADER_WITH_SIZE);
    put_leb128(&mut out, payload.len());
    out.extend_from_slice(payload);
    out.into()
}
