//! Why a publisher is turned away, as a sentence that names the setting to change.

use thiserror::Error;

use crate::aac::AscError;
use crate::ac3;
use crate::av1::Av1cError;
use crate::flac::FlacHeaderError;
use crate::flv::CodecTag;
use crate::h264::AvccError;
use crate::hevc::HvccError;
use crate::opus::OpusHeadError;

/// The publisher sends what cannot be packaged. Always the publisher's fault; it should be shown
/// the sentence and disconnected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// A video codec without a place in MP4 and browsers.
    #[error(
        "the video is {0}, which is not supported: set the encoder's video codec to H.264, HEVC or \
         AV1"
    )]
    VideoCodec(CodecTag),
    /// HEVC under the id of H.264, as OBS before 29.1 sent it (SRS #3464).
    #[error("the video is HEVC labelled as H.264: set the encoder's video codec to H.264")]
    HevcAsAvc,
    /// An audio codec without a place in MP4 and browsers (AA-8).
    #[error(
        "the audio is {0}, which is not supported: set the encoder's audio codec to AAC or Opus"
    )]
    AudioCodec(CodecTag),
    /// The H.264 configuration cannot be packaged.
    #[error(
        "the H.264 stream cannot be packaged: {0}; check profile and resolution in the encoder"
    )]
    H264(#[from] AvccError),
    /// The HEVC configuration cannot be packaged.
    #[error("the HEVC stream cannot be packaged: {0}; check profile and resolution in the encoder")]
    Hevc(#[from] HvccError),
    /// The AV1 configuration cannot be packaged.
    #[error("the AV1 stream cannot be packaged: {0}; check profile and resolution in the encoder")]
    Av1(#[from] Av1cError),
    /// The AAC configuration cannot be packaged.
    #[error("the AAC stream cannot be packaged: {0}; set the encoder's audio codec to AAC-LC")]
    Aac(#[from] AscError),
    /// The Opus configuration cannot be packaged.
    #[error("the Opus stream cannot be packaged: {0}; set the encoder's audio codec to AAC-LC")]
    Opus(#[from] OpusHeadError),
    /// The FLAC configuration cannot be packaged.
    #[error("the FLAC stream cannot be packaged: {0}; set the encoder's audio codec to AAC-LC")]
    Flac(#[from] FlacHeaderError),
    /// The AC-3 or E-AC-3 stream cannot be packaged.
    #[error("the AC-3 stream cannot be packaged: {0}; set the encoder's audio codec to AAC-LC")]
    Ac3(#[from] ac3::FrameError),
}
