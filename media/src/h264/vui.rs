//! Video usability information: how the pictures want to be shown (H.264 Annex E.1.1).

use super::bits::{BitReader, BitsError};

/// Optional hints at the end of an SPS. Each is absent when the set or the bits do not have it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vui {
    /// Sample aspect ratio, width to height; neither is 0.
    pub sample_aspect_ratio: Option<(u16, u16)>,
    /// Sample values use the whole range (video_full_range_flag).
    pub full_range: Option<bool>,
    /// Colour primaries, transfer characteristics and matrix coefficients (H.273 code points).
    pub colour_description: Option<(u8, u8, u8)>,
    /// Clock of the pictures.
    pub timing: Option<Timing>,
    /// max_num_reorder_frames: how many pictures precede one in decoding order and follow it in
    /// output order.
    pub max_num_reorder_frames: Option<u32>,
}

/// Field clock: two ticks are one frame (§E.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// num_units_in_tick.
    pub num_units_in_tick: u32,
    /// time_scale, in hertz.
    pub time_scale: u32,
    /// The distance of pictures in output order is constant.
    pub fixed_frame_rate: bool,
}

impl Timing {
    /// Frames per second times 1000, rounded; `None` when a field is 0.
    pub fn frame_rate_millis(self) -> Option<u32> {
        if self.num_units_in_tick == 0 || self.time_scale == 0 {
            return None;
        }
        let units = u64::from(self.num_units_in_tick) * 2;
        let millis = (u64::from(self.time_scale) * 1_000 + units / 2) / units;
        u32::try_from(millis).ok()
    }
}

impl Vui {
    /// Fills the fields in the order of the syntax, so that an error leaves the earlier ones.
    pub(super) fn read(&mut self, r: &mut BitReader<'_>) -> Result<(), BitsError> {
        if r.bit()? {
            self.sample_aspect_ratio = read_aspect_ratio(r)?;
        }
        if r.bit()? {
            r.bit()?; // overscan_appropriate_flag
        }
        if r.bit()? {
            r.skip(3)?; // video_format
            self.full_range = Some(r.bit()?);
            if r.bit()? {
                self.colour_description = Some((r.byte()?, r.byte()?, r.byte()?));
            }
        }
        if r.bit()? {
            r.ue()?; // chroma_sample_loc_type_top_field
            r.ue()?; // chroma_sample_loc_type_bottom_field
        }
        if r.bit()? {
            let (num_units_in_tick, time_scale) = (r.bits(32)?, r.bits(32)?);
            let fixed_frame_rate = r.bit()?;
            self.timing = Some(Timing { num_units_in_tick, time_scale, fixed_frame_rate });
        }
        let nal_hrd = r.bit()?;
        if nal_hrd {
            skip_hrd(r)?;
        }
        let vcl_hrd = r.bit()?;
        if vcl_hrd {
            skip_hrd(r)?;
        }
        if nal_hrd || vcl_hrd {
            r.bit()?; // low_delay_hrd_flag
        }
        r.bit()?; // pic_struct_present_flag
        if r.bit()? {
            r.bit()?; // motion_vectors_over_pic_boundaries_flag
            for _skipped in ["max_bytes", "max_bits", "log2_mv_horizontal", "log2_mv_vertical"] {
                r.ue()?;
            }
            self.max_num_reorder_frames = Some(r.ue()?);
        }
        Ok(())
    }
}

/// aspect_ratio_idc and what follows it; `None` when it says nothing.
pub(crate) fn read_aspect_ratio(r: &mut BitReader<'_>) -> Result<Option<(u16, u16)>, BitsError> {
    const EXTENDED_SAR: u8 = 255;
    let (width, height) = match r.byte()? {
        EXTENDED_SAR => (r.bits(16)? as u16, r.bits(16)? as u16),
        index => TABLE_E_1.get(usize::from(index)).copied().unwrap_or((0, 0)),
    };
    Ok((width != 0 && height != 0).then_some((width, height)))
}

/// Sample aspect ratios by aspect_ratio_idc; 0 is "unspecified".
const TABLE_E_1: [(u16, u16); 17] = [
    (0, 0),
    (1, 1),
    (12, 11),
    (10, 11),
    (16, 11),
    (40, 33),
    (24, 11),
    (20, 11),
    (32, 11),
    (80, 33),
    (18, 11),
    (15, 11),
    (64, 33),
    (160, 99),
    (4, 3),
    (3, 2),
    (2, 1),
];

/// §E.1.2. The count is a ue(v) of at most 31; a larger one is damage and runs out of bits.
fn skip_hrd(r: &mut BitReader<'_>) -> Result<(), BitsError> {
    let count = r.ue()?;
    r.skip(8)?; // bit_rate_scale, cpb_size_scale
    for _ in 0..=count {
        r.ue()?; // bit_rate_value_minus1
        r.ue()?; // cpb_size_value_minus1
        r.bit()?; // cbr_flag
    }
    r.skip(20) // four fields of five bits
}
