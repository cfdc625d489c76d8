//! The ladder: which renditions are encoded of a source, and what gives way when the machine is
//! slower than real time (product.md §2; F6).
//!
//! Pure: the shell runs the codecs on threads of its own and asks here what to do.

mod capacity;
mod encoder;
mod idle;
mod numbers;
mod pace;
mod plan;
mod setting;

pub use capacity::{LADDER_SHARE_MAX, TIGHT_SHARE};
pub use encoder::{RungEncoder, RungEncoderError};
pub use idle::{IdleRungs, PauseIdle, RungSet};
pub use numbers::VariantNumbers;
pub use pace::{Change, Pace, Step};
pub use plan::{Plan, PlannedRung, SourcePicture, plan, plan_for_rare_keyframes};
pub use setting::{
    EncodeSetting, LadderSetting, LadderSettingError, RungCodec, VARIANT_NUMBERS, VARIANTS_MAX,
    Variant,
};
