//! AMF bytes to [`Value`]s and back: the argument language of RTMP commands and metadata.
//!
//! [`amf0`] reads and writes AMF0 (2007), [`amf3`] reads the AMF3 (2013) values that an AMF0 stream
//! switches to with marker 0x11 (AM-1, AM-6). Both give the same [`Value`].
//!
//! Reading is lenient where encoders are sloppy (AM-2: missing terminators, wrong counts) and
//! strict where memory is at stake (AM-5: depth, number of values, bytes repeated by references).

pub mod amf0;
pub mod amf3;
mod budget;
mod error;
mod value;

pub use error::Error;
pub use value::Value;

#[cfg(test)]
mod tests;
