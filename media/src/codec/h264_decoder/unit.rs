//! What the library is fed: NAL units with start codes, slices only, behind the parameter sets of a
//! fresh instance.

use super::undecodable::{Undecodable, check_sps};
use super::{H264DecoderError, UNIT_BYTES_MAX};
use crate::codec::PictureSize;
use crate::codec::ffi::openh264::Decoder;
use crate::h264::pps::Pps;
use crate::h264::{AvcConfig, ParameterSets, Sps};
use crate::nal::{Framing, LengthSize, nal_ranges};

/// What a payload held for the decoder.
pub(super) enum Slices {
    /// No coded slice.
    None,
    /// Some, of an IDR picture or not.
    Some {
        /// The first slice is one of an IDR picture.
        idr: bool,
    },
}

/// nal_unit_type of a whole slice, behind a forbidden bit of 0 (H.264 table 7-1).
const SLICE: u8 = 1;
/// The same for a slice of an IDR picture.
const IDR_SLICE: u8 = 5;

/// Appends the coded slices of a payload with start codes. Everything else stays outside: what
/// openh264 would make of data partitions, scalable extensions, subset parameter sets and the like
/// is no business of a publisher's.
pub(super) fn append_slices(
    payload: &[u8],
    unit: &mut Vec<u8>,
) -> Result<Slices, H264DecoderError> {
    let before = unit.len();
    let mut idr = None;
    for range in nal_ranges(payload, Framing::Lengths(LengthSize::Four))? {
        let nal = payload.get(range).unwrap_or_default();
        if let Some(kind @ (SLICE | IDR_SLICE)) = nal.first().map(|header| header & 0x9F) {
            idr = idr.or(Some(kind == IDR_SLICE));
            append_nal(nal, unit);
        }
    }
    match unit.len() - before {
        len if len > UNIT_BYTES_MAX => Err(H264DecoderError::TooLarge { len }),
        _ => Ok(idr.map_or(Slices::None, |idr| Slices::Some { idr })),
    }
}

fn append_nal(nal: &[u8], unit: &mut Vec<u8>) {
    unit.extend_from_slice(&[0, 0, 0, 1]);
    unit.extend_from_slice(nal);
}

/// Checks a configuration and writes its parameter sets the way a fresh instance gets them. Sets
/// that describe pictures of another size than the first are left out, with what builds on them.
pub(super) fn prepare(config: &AvcConfig) -> Result<(PictureSize, Vec<u8>), Undecodable> {
    let size = check_sps(config.sps())?;
    let sets = ParameterSets::parse_record(config.record())
        .map_or_else(|_| ParameterSets::default(), |(sets, _)| sets);
    let mut usable = 0_u32;
    let mut unit = Vec::with_capacity(config.record().len());
    for nal in sets.nals() {
        if let Ok(sps) = Sps::parse(nal) {
            if check_sps(&sps) == Ok(size) {
                usable |= 1 << sps.id;
                append_nal(nal, &mut unit);
                without_reordering(&sps, &mut unit, nal.len());
            }
        } else if Pps::parse(nal).is_ok_and(|pps| usable >> pps.sps_id & 1 == 1) {
            append_nal(nal, &mut unit);
        }
    }
    let mut trial = Decoder::new().map_err(|failed| Undecodable::ParameterSets(failed.code))?;
    trial.feed(&unit, 0).map_err(|failed| Undecodable::ParameterSets(failed.code))?;
    Ok((size, unit))
}

/// openh264 holds a picture back in every profile that could have B slices, even in streams that
/// say they have none. In the Scalable Baseline profile it does not, and there the set has the same
/// fields as in High (H.264 §7.3.2.1.1).
fn without_reordering(sps: &Sps, unit: &mut [u8], nal_len: usize) {
    const HIGH: u8 = 100;
    const SCALABLE_BASELINE: u8 = 83;
    let start = unit.len() - nal_len;
    if let Some(profile) = unit.get_mut(start + 1).filter(|idc| **idc == HIGH)
        && sps.keeps_order()
    {
        *profile = SCALABLE_BASELINE;
    }
}
