//! Video usability information: how the pictures want to be shown (HEVC Annex E.2.1).

use crate::bits::{BitReader, BitsError};
use crate::nal::Signal;

/// Optional hints at the end of an SPS. Each is absent when the set or the bits do not have it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vui {
    /// What the signal looks like.
    pub signal: Signal,
    /// Pictures are fields.
    pub field_seq: bool,
    /// vui_num_units_in_tick and vui_time_scale: one tick is one picture.
    pub timing: Option<(u32, u32)>,
}

impl Vui {
    /// Fills the fields in the order of the syntax, so that an error leaves the earlier ones.
    pub(super) fn read(&mut self, r: &mut BitReader<'_>) -> Result<(), BitsError> {
        self.signal.read(r)?;
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
