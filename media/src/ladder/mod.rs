//! The ladder: which renditions are encoded of a source, and what gives way when the machine is
//! slower than real time (product.md §2; F6).
//!
//! Pure: the shell runs the codecs on threads of its own and asks here what to do.

mod capacity;
mod encoder;
mod pace;
mod plan;
mod setting;

pub use capacity::LADDER_SHARE_MAX;
pub use encoder::{RungEncoder, RungEncoderError};
pub use pace::{Change, Pace, Step};
pub use plan::{Plan, PlannedRung, SourcePicture, plan};
pub use setting::{
    EncodeSetting, LadderSetting, LadderSettingError, RungCodec, VARIANTS_MAX, Variant,
};
