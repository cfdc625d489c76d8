//! Video usability information: how the pictures want to be shown (HEVC Annex E.2.1).

use crate::h264::bits::{BitReader, BitsError};
use crate::h264::vui::read_aspect_ratio;

/// Optional hints at the end of an SPS. Each is absent when the set or the bits do not have it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vui {
    /// Sample aspect ratio, width to height; neither is 0.
    pub sample_aspect_ratio: Option<(u16, u16)>,
    /// Sample values use the whole range (video_full_range_flag).
    pub full_range: Option<bool>,
    /// Colour primaries, transfer characteristics and matrix coefficients (H.273 code points).
    pub colour_description: Option<(u8, u8, u8)>,
    /// Pictures are fields.
    pub field_seq: bool,
    /// vui_num_units_in_tick and vui_time_scale: one tick is one picture.
    pub timing: Option<(u32, u32)>,
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
        r.bit()?; // neutral_chroma_indication_flag
        self.field_seq = r.bit()?;
        r.bit()?; // frame_field_info_present_flag
        if r.bit()? {
            for _side in ["left", "right", "top", "bottom"] {
                r.ue()?; // default display window
            }
        }
        if r.bit()? {
            self.timing = Some((r.bits(32)?, r.bits(32)?));
        }
        Ok(())
    }

    /// Frames per second times 1000, rounded; `None` when not told.
    pub fn frame_rate_millis(&self) -> Option<u32> {
        let (units, scale) = self.timing.filter(|&(units, scale)| units > 0 && scale > 0)?;
        let units = u64::from(units) * if self.field_seq { 2 } else { 1 };
        u32::try_from((u64::from(scale) * 1_000 + units / 2) / units).ok()
    }
}
