//! openh264: an encoder and a decoder, each one handle and the calls on it.

mod decoder;
mod encoder;

use std::ffi::c_int;

pub(in crate::codec) use decoder::{Decoder, Frame};
pub(in crate::codec) use encoder::{COARSE_QP, Encoder, OUT_OF_MEMORY, PictureKind, Quantiser};
use openh264_sys2 as sys;

use super::CallFailed;

/// A method table entry; the library fills all of them.
fn method<F>(call: &'static str, slot: Option<F>) -> Result<F, CallFailed> {
    slot.ok_or(CallFailed { call, code: -1 })
}

const fn checked(call: &'static str, code: c_int) -> Result<(), CallFailed> {
    if code == sys::cmResultSuccess as c_int { Ok(()) } else { Err(CallFailed { call, code }) }
}
