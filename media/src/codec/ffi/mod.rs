//! Calls into the C libraries, and nothing else.
//!
//! `unsafe` is allowed here and nowhere else in the project: the H.264 and AAC libraries are C and
//! C++. Each type owns one library handle, frees it exactly once, and exposes calls that are sound
//! for every argument its signature admits; sizes and rates are validated by the callers in
//! [`super`], where an error can say what was wrong.
#![allow(unsafe_code)]

pub(super) mod fdk_aac;
pub(super) mod fdk_aac_decoder;
pub(super) mod openh264;

/// Which library call failed, and the number it gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::codec) struct CallFailed {
    pub(in crate::codec) call: &'static str,
    pub(in crate::codec) code: i32,
}
