//! What a video signal looks like: the first fields of the video usability information, which are
//! the same in H.264 (Annex E.1.1) and HEVC (Annex E.2.1).

use crate::bits::{BitReader, BitsError};
use crate::picture::Colour;

/// Each is absent when the parameter set or the bits do not have it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signal {
    /// Sample aspect ratio, width to height; neither is 0.
    pub sample_aspect_ratio: Option<(u16, u16)>,
    /// Sample values use the whole range (video_full_range_flag).
    pub full_range: Option<bool>,
    /// Colour primaries, transfer characteristics and matrix coefficients (H.273 code points).
    pub colour_description: Option<(u8, u8, u8)>,
}

impl Signal {
    /// Fills the fields in the order of the syntax, so that an error leaves the earlier ones.
    pub fn read(&mut self, r: &mut BitReader<'_>) -> Result<(), BitsError> {
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
        Ok(())
    }

    /// Width to height of a sample; square when not told.
    pub fn sample_aspect_ratio(&self) -> (u32, u32) {
        let (across, down) = self.sample_aspect_ratio.unwrap_or((1, 1));
        (across.into(), down.into())
    }

    /// The colours, when told.
    pub fn colour(&self) -> Option<Colour> {
        Colour::from_signal(self.full_range, self.colour_description)
    }
}

/// aspect_ratio_idc and what follows it; `None` when it says nothing.
fn read_aspect_ratio(r: &mut BitReader<'_>) -> Result<Option<(u16, u16)>, BitsError> {
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
