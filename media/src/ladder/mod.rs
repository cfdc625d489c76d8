//! The ladder: which renditions are encoded of a source, and what gives way when the machine is
//! slower than real time (product.md §2; F6).
//!
//! Pure: the shell runs the codecs on threads of its own and asks here what to do.

mod idle;
mod numbers;
mod pace;
mod plan;
mod setting;

pub use idle::{IdleRungs, PauseIdle, RungSet};
pub use numbers::VariantNumbers;
pub use pace::{Change, Pace, Step};
pub use plan::{LADDER_SHARE_MAX, Plan, PlannedRung, SourcePicture, TIGHT_SHARE, plan};
pub use setting::{
    EncodeSetting, LadderSetting, LadderSettingError, VARIANT_NUMBERS, VARIANTS_MAX, Variant,
};
