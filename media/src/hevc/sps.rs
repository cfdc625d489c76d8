//! Sequence parameter set to picture size, colour, frame rate and profile (HEVC §7.3.2.2).
//!
//! Everything up to the bit depths must be there and in range. What follows only leads to the VUI:
//! when it is damaged, or uses an extension this reader does not know, the fields read so far count
//! and the rest is absent (AV-8). Refuses pictures past [`limits::PICTURE_SIDE_MAX`] and values the
//! standard forbids.

use thiserror::Error;

use super::nal::{HEADER_BYTES, NalKind};
use super::profile::ProfileTierLevel;
use super::vui::Vui;
use crate::bits::{BitReader, BitsError};
use crate::limits;
use crate::nal::rbsp;

/// A parsed sequence parameter set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sps {
    /// sps_seq_parameter_set_id, 0..=15.
    pub id: u8,
    /// Temporal sub-layers, 1..=7.
    pub temporal_layers: u8,
    /// sps_temporal_id_nesting_flag.
    pub temporal_id_nesting: bool,
    /// Profile, tier and level.
    pub profile: ProfileTierLevel,
    /// chroma_format_idc: 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    pub chroma_format_idc: u8,
    /// Bits per luma sample, 8..=16.
    pub bit_depth_luma: u8,
    /// Bits per chroma sample, 8..=16.
    pub bit_depth_chroma: u8,
    /// Width after cropping, in luma samples.
    pub width: u32,
    /// Height after cropping, in luma samples.
    pub height: u32,
    /// Video usability information; all absent when the set has none.
    pub vui: Vui,
}

/// Why an SPS is refused. The peer's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SpsError {
    /// The NAL unit is something else.
    #[error("a sequence parameter set was expected, the NAL unit is another")]
    NotSps,
    /// Too short, or not a number.
    #[error("the sequence parameter set is damaged: {0}")]
    Bits(#[from] BitsError),
    /// A field holds a value the standard forbids.
    #[error("the sequence parameter set has {field} {value}; at most {max} is allowed")]
    Range {
        /// The standard's name of the field.
        field: &'static str,
        /// As read.
        value: u32,
        /// Largest legal value.
        max: u32,
    },
    /// The coded picture is larger than this server packages, or empty.
    #[error("the picture is {width}x{height}; 1x1 to {max}x{max} is allowed")]
    Size {
        /// Coded width in pixels.
        width: u32,
        /// Coded height in pixels.
        height: u32,
        /// The limit of either side.
        max: u32,
    },
    /// Cropping leaves no picture.
    #[error("cropping leaves nothing of the {width}x{height} picture")]
    Cropped {
        /// Coded width in pixels.
        width: u32,
        /// Coded height in pixels.
        height: u32,
    },
}

impl Sps {
    /// Reads a whole NAL unit, header included.
    pub fn parse(nal: &[u8]) -> Result<Self, SpsError> {
        if NalKind::of(nal) != Some(NalKind::Sps) {
            return Err(SpsError::NotSps);
        }
        let clean = rbsp(nal.get(HEADER_BYTES..).unwrap_or_default());
        let mut reader = BitReader::new(&clean);
        let r = &mut reader;
        r.skip(4)?; // sps_video_parameter_set_id
        let max_sub_layers_minus1 = r.bits(3)? as u8;
        if max_sub_layers_minus1 > 6 {
            let value = u32::from(max_sub_layers_minus1);
            return Err(SpsError::Range { field: "sps_max_sub_layers_minus1", value, max: 6 });
        }
        let temporal_id_nesting = r.bit()?;
        let profile = ProfileTierLevel::parse(r, max_sub_layers_minus1)?;
        let id = bounded(r, "sps_seq_parameter_set_id", 15)?;
        let chroma_format_idc = bounded(r, "chroma_format_idc", 3)?;
        let separate_planes = chroma_format_idc == 3 && r.bit()?;
        let (width, height) = read_size(r, chroma_format_idc, separate_planes)?;
        let bit_depth_luma = 8 + bounded(r, "bit_depth_luma_minus8", 8)?;
        let bit_depth_chroma = 8 + bounded(r, "bit_depth_chroma_minus8", 8)?;
        let mut vui = Vui::default();
        // What cannot be read on the way to the VUI, or inside it, is not told.
        let _ = skip_to_vui(r, max_sub_layers_minus1)
            .and_then(|present| if present { vui.read(r).map_err(SpsError::from) } else { Ok(()) });
        Ok(Self {
            id,
            temporal_layers: max_sub_layers_minus1 + 1,
            temporal_id_nesting,
            profile,
            chroma_format_idc,
            bit_depth_luma,
            bit_depth_chroma,
            width,
            height,
            vui,
        })
    }
}

/// A ue(v) field with its largest legal value, at most 255.
pub(super) fn bounded(r: &mut BitReader<'_>, field: &'static str, max: u8) -> Result<u8, SpsError> {
    let value = r.ue()?;
    match u8::try_from(value) {
        Ok(value) if value <= max => Ok(value),
        _ => Err(SpsError::Range { field, value, max: u32::from(max) }),
    }
}

fn read_size(
    r: &mut BitReader<'_>,
    chroma_format_idc: u8,
    separate_planes: bool,
) -> Result<(u32, u32), SpsError> {
    let max = limits::PICTURE_SIDE_MAX;
    let (width, height) = (r.ue()?, r.ue()?);
    let allowed = 1..=max;
    if !allowed.contains(&width) || !allowed.contains(&height) {
        return Err(SpsError::Size { width, height, max });
    }
    if !r.bit()? {
        return Ok((width, height));
    }
    let (left, right, top, bottom) = (r.ue()?, r.ue()?, r.ue()?, r.ue()?);
    // Luma samples per cropping step (table 6-1).
    let (across, down) = match chroma_format_idc {
        1 if !separate_planes => (2, 2),
        2 if !separate_planes => (2, 1),
        _ => (1, 1),
    };
    let crop = |side: u32, before: u32, after: u32, unit: u32| {
        let cut = before.checked_add(after)?.checked_mul(unit)?;
        side.checked_sub(cut).filter(|&left| left > 0)
    };
    let cropped = SpsError::Cropped { width, height };
    Ok((
        crop(width, left, right, across).ok_or(cropped)?,
        crop(height, top, bottom, down).ok_or(cropped)?,
    ))
}

/// Moves from the bit depths to the VUI; tells whether there is one.
fn skip_to_vui(r: &mut BitReader<'_>, max_sub_layers_minus1: u8) -> Result<bool, SpsError> {
    let poc_lsb_bits = 4 + u32::from(bounded(r, "log2_max_pic_order_cnt_lsb_minus4", 12)?);
    let layers = if r.bit()? { max_sub_layers_minus1 + 1 } else { 1 };
    for _ in 0..layers {
        for _field in ["max_dec_pic_buffering", "max_num_reorder", "max_latency_increase"] {
            r.ue()?;
        }
    }
    // Block sizes (4) and transform hierarchy depths (2).
    for _ in 0..6 {
        r.ue()?;
    }
    if r.bit()? && r.bit()? {
        skip_scaling_lists(r)?;
    }
    r.skip(2)?; // amp_enabled_flag, sample_adaptive_offset_enabled_flag
    if r.bit()? {
        r.skip(8)?; // pcm bit depths
        r.ue()?;
        r.ue()?;
        r.bit()?;
    }
    skip_reference_picture_sets(r)?;
    if r.bit()? {
        for _ in 0..bounded(r, "num_long_term_ref_pics_sps", 32)? {
            r.bits(poc_lsb_bits)?;
            r.bit()?;
        }
    }
    r.skip(2)?; // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
    Ok(r.bit()?)
}

/// §7.3.4.
fn skip_scaling_lists(r: &mut BitReader<'_>) -> Result<(), SpsError> {
    for size in 0..4_u32 {
        let matrices = if size == 3 { 2 } else { 6 };
        for _ in 0..matrices {
            if !r.bit()? {
                r.ue()?; // scaling_list_pred_matrix_id_delta
                continue;
            }
            if size > 1 {
                r.se()?; // scaling_list_dc_coef_minus8
            }
            for _ in 0..64.min(1_u32 << (4 + (size << 1))) {
                r.se()?;
            }
        }
    }
    Ok(())
}

/// §7.3.7. A set may be told by its distance from the one before, so the number of pictures in each
/// must be followed.
fn skip_reference_picture_sets(r: &mut BitReader<'_>) -> Result<(), SpsError> {
    const PICTURES_MAX: u8 = 16;
    let sets = bounded(r, "num_short_term_ref_pic_sets", 64)?;
    let mut pictures = 0_u8;
    for set in 0..sets {
        if set > 0 && r.bit()? {
            r.bit()?; // delta_rps_sign
            r.ue()?; // abs_delta_rps_minus1
            let mut kept = 0;
            for _ in 0..=pictures {
                // used_by_curr_pic_flag, else use_delta_flag
                if r.bit()? || r.bit()? {
                    kept += 1;
                }
            }
            pictures = kept;
        } else {
            let negative = bounded(r, "num_negative_pics", PICTURES_MAX)?;
            let positive = bounded(r, "num_positive_pics", PICTURES_MAX)?;
            pictures = negative + positive;
            for _ in 0..pictures {
                r.ue()?; // delta_poc_minus1
                r.bit()?; // used_by_curr_pic_flag
            }
        }
    }
    Ok(())
}
