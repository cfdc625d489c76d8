//! One temporal unit to one CMAF sample (AV1-FF §2.4, CM-13).
//!
//! Every OBU gets a size field; temporal delimiters, padding and tile lists are left out. Decoding
//! can start at a unit whose first frame is a key frame that is shown at once; such a sample begins
//! with the sequence header even when the encoder sent it only at the start. When nothing has to
//! change, the sample shares the payload's memory.

use bytes::Bytes;
use thiserror::Error;

use super::config::Av1Config;
use super::obu::{self, Obu, ObuError, ObuKind, put_leb128};
use crate::limits;

/// A payload made ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemporalUnit {
    /// OBUs with sizes; empty when the payload held no frame.
    pub payload: Bytes,
    /// The first frame is a key frame that is shown.
    pub sync: bool,
    /// Sequence header OBU found inside, whole.
    pub sequence_header: Option<Bytes>,
}

/// Why a payload is dropped. The peer's fault; the broadcast goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TemporalUnitError {
    /// The bytes are no row of OBUs.
    #[error(transparent)]
    Obu(#[from] ObuError),
    /// More OBUs than one temporal unit may have.
    #[error("more than {} OBUs in one temporal unit", limits::OBUS_PER_UNIT_MAX)]
    TooMany,
}

/// Reads one payload; `config` is the configuration in force, if any.
pub fn normalise(
    payload: &Bytes,
    config: Option<&Av1Config>,
) -> Result<TemporalUnit, TemporalUnitError> {
    let mut kept: Vec<Obu> = Vec::new();
    let mut kept_bytes = 0;
    let mut first_frame = None;
    let mut sequence_header = None;
    for obu in obu::walk(payload) {
        let obu = obu?;
        match obu.kind {
            ObuKind::TemporalDelimiter | ObuKind::Padding | ObuKind::TileList => continue,
            ObuKind::SequenceHeader => {
                sequence_header.get_or_insert_with(|| payload.slice(obu.range()));
            }
            ObuKind::Frame | ObuKind::FrameHeader => {
                let header = payload.get(obu.payload.clone()).and_then(|bytes| bytes.first());
                first_frame.get_or_insert_with(|| header.copied().unwrap_or_default());
            }
            ObuKind::Other(_) => {}
        }
        if kept.len() == limits::OBUS_PER_UNIT_MAX {
            return Err(TemporalUnitError::TooMany);
        }
        kept_bytes += obu.range().len();
        kept.push(obu);
    }
    let Some(frame_header) = first_frame else {
        return Ok(TemporalUnit { payload: Bytes::new(), sync: false, sequence_header });
    };
    let reduced = config.is_some_and(|config| config.sequence_header().reduced_still_picture);
    let sync = reduced || is_shown_key_frame(frame_header);
    let missing = config.filter(|_| sync && sequence_header.is_none());
    let unchanged = kept.iter().all(|obu| obu.has_size) && kept_bytes == payload.len();
    if unchanged && missing.is_none() {
        return Ok(TemporalUnit { payload: payload.clone(), sync, sequence_header });
    }
    let mut out = Vec::with_capacity(kept_bytes + 16 + kept.len());
    if let Some(config) = missing {
        out.extend_from_slice(config.config_obus());
    }
    for obu in &kept {
        put_with_size(&mut out, payload, obu);
    }
    Ok(TemporalUnit { payload: out.into(), sync, sequence_header })
}

/// show_existing_frame(1) = 0, frame_type(2) = key, show_frame(1) = 1 (AV1 §5.9.2).
const fn is_shown_key_frame(first_byte: u8) -> bool {
    first_byte >> 4 == 0b0001
}

/// Appends one OBU, with a size field.
fn put_with_size(out: &mut Vec<u8>, bytes: &[u8], obu: &Obu) {
    const HAS_SIZE: u8 = 0x02;
    let head = bytes.get(obu.head.clone()).unwrap_or_default();
    let payload = bytes.get(obu.payload.clone()).unwrap_or_default();
    if obu.has_size {
        out.extend_from_slice(head);
    } else if let Some((header, extension)) = head.split_first() {
        out.push(header | HAS_SIZE);
        out.extend_from_slice(extension);
        put_leb128(out, payload.len());
    }
    out.extend_from_slice(payload);
}
