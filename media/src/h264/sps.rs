//! Sequence parameter set to picture size, colour, frame rate and profile (H.264 §7.3.2.1, Annex
//! E).
//!
//! Everything up to the picture size must be there and in range; the VUI part is optional in
//! spirit: when it is damaged, the fields read so far count and the rest is absent (AV-8). Refuses
//! pictures past [`limits::PICTURE_SIDE_MAX`] and values the standard forbids.

use thiserror::Error;

use super::nal::NalKind;
use super::vui::Vui;
use crate::bits::{BitReader, BitsError};
use crate::limits;
use crate::nal::rbsp;

/// A parsed sequence parameter set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sps {
    /// profile_idc: 66 Baseline, 77 Main, 100 High, 110 High 10, 122 High 4:2:2, …
    pub profile_idc: u8,
    /// The constraint_set flags and reserved bits, as one byte.
    pub constraint_flags: u8,
    /// level_idc, ten times the level.
    pub level_idc: u8,
    /// seq_parameter_set_id, 0..=31.
    pub id: u8,
    /// chroma_format_idc: 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    pub chroma_format_idc: u8,
    /// Bits per luma sample, 8..=14.
    pub bit_depth_luma: u8,
    /// Bits per chroma sample, 8..=14.
    pub bit_depth_chroma: u8,
    /// pic_order_cnt_type, 0..=2; with 2 pictures are shown in the order they are decoded.
    pub pic_order_cnt_type: u8,
    /// max_num_ref_frames, 0..=16.
    pub max_num_ref_frames: u8,
    /// Every picture is a whole frame: not interlaced.
    pub frame_mbs_only: bool,
    /// Width of the coded picture in luma samples, before cropping; a multiple of 16.
    pub coded_width: u32,
    /// Height of the coded picture in luma samples, before cropping.
    pub coded_height: u32,
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
    #[error("a sequence parameter set was expected, the NAL unit header is {0:#04x}")]
    NotSps(u8),
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
    /// The coded picture is larger than this server packages.
    #[error("the picture is {width}x{height}; at most {max}x{max} is allowed")]
    TooLarge {
        /// Coded width in pixels.
        width: u64,
        /// Coded height in pixels.
        height: u64,
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
    /// Reads a whole NAL unit, header byte included.
    pub fn parse(nal: &[u8]) -> Result<Self, SpsError> {
        let (&header, payload) = nal.split_first().ok_or(BitsError::End { needed: 8, left: 0 })?;
        if NalKind::of(header) != Some(NalKind::Sps) {
            return Err(SpsError::NotSps(header));
        }
        let clean = rbsp(payload);
        let mut reader = BitReader::new(&clean);
        let r = &mut reader;
        let (profile_idc, constraint_flags, level_idc) = (r.byte()?, r.byte()?, r.byte()?);
        let id = bounded(r, "seq_parameter_set_id", 31)?;
        let chroma = Chroma::parse(r, profile_idc)?;
        bounded(r, "log2_max_frame_num_minus4", 12)?;
        let pic_order_cnt_type = read_picture_order_count(r)?;
        let max_num_ref_frames = bounded(r, "max_num_ref_frames", 16)?;
        r.bit()?; // gaps_in_frame_num_value_allowed_flag
        let size = Size::parse(r, &chroma)?;
        let mut vui = Vui::default();
        if r.bit()? {
            // A damaged VUI keeps what was read before the damage.
            let _ = vui.read(r);
        }
        Ok(Self {
            profile_idc,
            constraint_flags,
            level_idc,
            id,
            chroma_format_idc: chroma.format_idc,
            bit_depth_luma: chroma.bit_depth_luma,
            bit_depth_chroma: chroma.bit_depth_chroma,
            pic_order_cnt_type,
            max_num_ref_frames,
            frame_mbs_only: size.frame_mbs_only,
            coded_width: size.coded_width,
            coded_height: size.coded_height,
            width: size.width,
            height: size.height,
            vui,
        })
    }

    /// Pictures are shown in the order they are decoded, as far as the set says so: by its order
    /// count, by the restrictions in its VUI, or by a profile without B slices (§A.2).
    pub fn keeps_order(&self) -> bool {
        const BASELINE: u8 = 66;
        const CONSTRAINT_SET5: u8 = 0x04;
        let no_b_slices = self.profile_idc == BASELINE
            || matches!(self.profile_idc, 77 | 100) && self.constraint_flags & CONSTRAINT_SET5 != 0;
        self.pic_order_cnt_type == 2 || self.vui.max_num_reorder_frames == Some(0) || no_b_slices
    }

    /// Pictures may be fields or hold two fields.
    pub const fn interlaced(&self) -> bool {
        !self.frame_mbs_only
    }
}

/// A ue(v) field with its largest legal value, at most 255.
fn bounded(r: &mut BitReader<'_>, field: &'static str, max: u8) -> Result<u8, SpsError> {
    let value = r.ue()?;
    match u8::try_from(value) {
        Ok(value) if value <= max => Ok(value),
        _ => Err(SpsError::Range { field, value, max: u32::from(max) }),
    }
}

/// The part that only the High family writes.
struct Chroma {
    format_idc: u8,
    separate_planes: bool,
    bit_depth_luma: u8,
    bit_depth_chroma: u8,
}

impl Chroma {
    fn parse(r: &mut BitReader<'_>, profile_idc: u8) -> Result<Self, SpsError> {
        if !has_chroma_fields(profile_idc) {
            let (format_idc, depth) = (1, 8);
            return Ok(Self {
                format_idc,
                separate_planes: false,
                bit_depth_luma: depth,
                bit_depth_chroma: depth,
            });
        }
        let format_idc = bounded(r, "chroma_format_idc", 3)?;
        let separate_planes = format_idc == 3 && r.bit()?;
        let bit_depth_luma = 8 + bounded(r, "bit_depth_luma_minus8", 6)?;
        let bit_depth_chroma = 8 + bounded(r, "bit_depth_chroma_minus8", 6)?;
        r.bit()?; // qpprime_y_zero_transform_bypass_flag
        if r.bit()? {
            let lists = if format_idc == 3 { 12 } else { 8 };
            for index in 0..lists {
                if r.bit()? {
                    skip_scaling_list(r, if index < 6 { 16 } else { 64 })?;
                }
            }
        }
        Ok(Self { format_idc, separate_planes, bit_depth_luma, bit_depth_chroma })
    }

    /// Luma samples per cropping step, across and down (table 6-1, equations 7-19 to 7-22).
    const fn crop_unit(&self) -> (u32, u32) {
        match self.format_idc {
            1 => (2, 2),
            2 => (2, 1),
            _ => (1, 1),
        }
    }
}

/// Profiles whose SPS carries chroma format, bit depths and scaling lists (§7.3.2.1.1).
pub(super) const fn has_chroma_fields(profile_idc: u8) -> bool {
    matches!(profile_idc, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135)
}

/// §7.3.2.1.1.1: a list ends early once its next scale is 0.
fn skip_scaling_list(r: &mut BitReader<'_>, len: usize) -> Result<(), SpsError> {
    let (mut last, mut next) = (8_i32, 8_i32);
    for _ in 0..len {
        if next != 0 {
            let delta = r.se()?;
            next = (last.wrapping_add(delta)).rem_euclid(256);
        }
        if next != 0 {
            last = next;
        }
    }
    Ok(())
}

/// Gives the type; the rest of the fields is passed over.
fn read_picture_order_count(r: &mut BitReader<'_>) -> Result<u8, SpsError> {
    let order_type = bounded(r, "pic_order_cnt_type", 2)?;
    match order_type {
        0 => {
            bounded(r, "log2_max_pic_order_cnt_lsb_minus4", 12)?;
        }
        1 => {
            r.bit()?; // delta_pic_order_always_zero_flag
            r.se()?; // offset_for_non_ref_pic
            r.se()?; // offset_for_top_to_bottom_field
            for _ in 0..bounded(r, "num_ref_frames_in_pic_order_cnt_cycle", 255)? {
                r.se()?;
            }
        }
        _ => {}
    }
    Ok(order_type)
}

struct Size {
    frame_mbs_only: bool,
    coded_width: u32,
    coded_height: u32,
    width: u32,
    height: u32,
}

impl Size {
    fn parse(r: &mut BitReader<'_>, chroma: &Chroma) -> Result<Self, SpsError> {
        let wide = u64::from(r.ue()?) + 1;
        let map_units = u64::from(r.ue()?) + 1;
        let frame_mbs_only = r.bit()?;
        if !frame_mbs_only {
            r.bit()?; // mb_adaptive_frame_field_flag
        }
        r.bit()?; // direct_8x8_inference_flag
        let fields = if frame_mbs_only { 1 } else { 2 };
        let (coded_width, coded_height) =
            checked_size(wide * 16, map_units * 16 * u64::from(fields))?;
        let (mut width, mut height) = (coded_width, coded_height);
        if r.bit()? {
            let (left, right, top, bottom) = (r.ue()?, r.ue()?, r.ue()?, r.ue()?);
            let (mut across, mut down) = chroma.crop_unit();
            if chroma.separate_planes {
                (across, down) = (1, 1);
            }
            let cropped = SpsError::Cropped { width, height };
            width = crop(width, left, right, across).ok_or(cropped)?;
            height = crop(height, top, bottom, down * fields).ok_or(cropped)?;
        }
        Ok(Self { frame_mbs_only, coded_width, coded_height, width, height })
    }
}

fn checked_size(width: u64, height: u64) -> Result<(u32, u32), SpsError> {
    let max = limits::PICTURE_SIDE_MAX;
    match (u32::try_from(width), u32::try_from(height)) {
        (Ok(width), Ok(height)) if width <= max && height <= max => Ok((width, height)),
        _ => Err(SpsError::TooLarge { width, height, max }),
    }
}

/// `side` less both crops in steps of `unit`; `None` when nothing is left.
fn crop(side: u32, before: u32, after: u32, unit: u32) -> Option<u32> {
    let cut = before.checked_add(after)?.checked_mul(unit)?;
    side.checked_sub(cut).filter(|&left| left > 0)
}
