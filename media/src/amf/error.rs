//! What is wrong with AMF bytes. Always the peer's fault: we never read our own.

use thiserror::Error;

use crate::cursor::UnexpectedEnd;
use crate::limits;

/// Why a value could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Error {
    /// The message ended inside a value.
    #[error("AMF value cut short: {0}")]
    Cut(#[from] UnexpectedEnd),
    /// A type marker that AMF0 does not define or that never occurs on a wire (movie clip, record
    /// set).
    #[error("unknown AMF0 marker {0:#04x}")]
    Marker0(u8),
    /// A type marker that AMF3 does not define, or a vector or dictionary, which no encoder sends.
    #[error("unknown AMF3 marker {0:#04x}")]
    Marker3(u8),
    /// An AMF3 object that writes itself in a private form.
    #[error("externalizable AMF3 object")]
    Externalizable,
    /// Objects inside objects beyond the cap (AM-5).
    #[error("AMF nesting deeper than {}", limits::AMF_DEPTH_MAX)]
    TooDeep,
    /// More values than the cap (AM-5).
    #[error("more than {} AMF values in one message", limits::AMF_ELEMENTS_MAX)]
    TooManyElements,
    /// References repeat more bytes than the cap.
    #[error("AMF references repeat more than {} bytes", limits::AMF_REFERENCED_BYTES_MAX)]
    TooMuchRepeated,
}
