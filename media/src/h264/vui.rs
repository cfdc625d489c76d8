//! Video usability information: how the pictures want to be shown (H.264 Annex E.1.1).

use crate::bits::{BitReader, BitsError};
use crate::nal::Signal;

/// Optional hints at the end of an SPS. Each is absent when the set or the bits do not have it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vui {
    /// What the signal looks like.
    pub signal: Signal,
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
        self.signal.read(r)?;
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
