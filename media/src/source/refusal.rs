//! Why a publisher is turned away, as a sentence that names the setting to change.

use thiserror::Error;

use crate::aac::AscError;
use crate::flv::{CodecTag, EnhancedHeader, FourCc};
use crate::h264::AvccError;

/// The publisher sends what cannot be packaged. Always the publisher's fault; it should be shown
/// the sentence and disconnected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// A video codec other than H.264 (AV-9).
    #[error("the video is {0}, which is not supported: set the encoder's video codec to H.264")]
    VideoCodec(CodecTag),
    /// HEVC under the id of H.264, as OBS before 29.1 sent it (SRS #3464).
    #[error("the video is HEVC labelled as H.264: set the encoder's video codec to H.264")]
    HevcAsAvc,
    /// An audio codec other than AAC (AA-8).
    #[error("the audio is {0}, which is not supported: set the encoder's audio codec to AAC")]
    AudioCodec(CodecTag),
    /// A supported codec under an Enhanced RTMP header.
    #[error("{0} arrives in Enhanced RTMP, which is not supported: turn it off in the encoder")]
    EnhancedHeader(CodecTag),
    /// The H.264 configuration cannot be packaged.
    #[error(
        "the H.264 stream cannot be packaged: {0}; check profile and resolution in the encoder"
    )]
    VideoConfig(#[from] AvccError),
    /// The AAC configuration cannot be packaged.
    #[error("the AAC stream cannot be packaged: {0}; set the encoder's audio codec to AAC-LC")]
    AudioConfig(#[from] AscError),
}

impl Refusal {
    /// For an enhanced video message of the default track.
    pub(super) fn enhanced_video(header: EnhancedHeader) -> Self {
        let codec = CodecTag::FourCc(header.four_cc);
        if header.four_cc == FourCc::AVC {
            Self::EnhancedHeader(codec)
        } else {
            Self::VideoCodec(codec)
        }
    }

    /// For an enhanced audio message of the default track.
    pub(super) fn enhanced_audio(header: EnhancedHeader) -> Self {
        let codec = CodecTag::FourCc(header.four_cc);
        if header.four_cc == FourCc::AAC {
            Self::EnhancedHeader(codec)
        } else {
            Self::AudioCodec(codec)
        }
    }
}
