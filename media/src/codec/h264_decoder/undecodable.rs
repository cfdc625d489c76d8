//! Why a source cannot be decoded, and so has no ladder: one sentence that names the encoder
//! setting to change (AV-8). Such a source is passed through as it is.

use thiserror::Error;

use crate::access_unit::VideoCodec;
use crate::codec::{PictureSize, PictureSizeError};
use crate::h264::{AvcConfig, Sps};

/// profile_idc of Baseline, Main and High: what openh264 decodes and what encoders send.
const PROFILES: [u8; 3] = [66, 77, 100];
/// Greatest level_idc that openh264 knows: level 5.2.
const LEVEL_MAX: u8 = 52;

/// What in a source the decoder does not do. The streamer can change it; the settings are named as
/// OBS Studio names them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Undecodable {
    /// Another codec than H.264.
    #[error(
        "the pictures are {0} and only H.264 can be decoded for the ladder: in OBS choose an H.264 \
         encoder under Settings, Output, Video Encoder"
    )]
    Codec(&'static str),
    /// More than 8 bits a sample.
    #[error(
        "the pictures have {0} bits a sample and only 8 can be decoded for the ladder: in OBS set \
         Settings, Advanced, Color Format to NV12"
    )]
    BitDepth(u8),
    /// Not 4:2:0.
    #[error(
        "the pictures are {0} and only 4:2:0 can be decoded for the ladder: in OBS set Settings, \
         Advanced, Color Format to NV12"
    )]
    Chroma(&'static str),
    /// Pictures may be fields.
    #[error(
        "the pictures are interlaced and only progressive ones can be decoded for the ladder: \
         deinterlace the source (in OBS by a right click on it) and remove interlaced, tff and bff \
         from the encoder options"
    )]
    Interlaced,
    /// A profile with tools openh264 lacks.
    #[error(
        "H.264 profile {0} cannot be decoded for the ladder: in OBS set Settings, Output, Profile \
         to high"
    )]
    Profile(u8),
    /// A level openh264 does not know.
    #[error(
        "H.264 level_idc {0} is none that can be decoded for the ladder, which go up to 5.2: lower \
         the level, or the resolution and the frame rate under Settings, Video in OBS"
    )]
    Level(u8),
    /// Too large or too small a picture.
    #[error(
        "{0}, so there is no ladder: in OBS change Settings, Video, Output (Scaled) Resolution"
    )]
    Size(#[from] PictureSizeError),
    /// A picture parameter set without its sequence, or sets that the library refuses.
    #[error(
        "the decoder refuses the parameter sets of the encoder (code {0:#x}), so there is no \
         ladder: choose another encoder under Settings, Output, Video Encoder in OBS"
    )]
    ParameterSets(i32),
}

impl Undecodable {
    /// The H.264 configuration of a track that can be decoded.
    pub fn check(codec: &VideoCodec) -> Result<&AvcConfig, Self> {
        match codec {
            VideoCodec::H264(config) => check_sps(config.sps()).map(|_| config),
            VideoCodec::Hevc(_) => Err(Self::Codec("HEVC")),
            VideoCodec::Av1(_) => Err(Self::Codec("AV1")),
        }
    }
}

/// Size of the pictures of a set that can be decoded.
pub(super) fn check_sps(sps: &Sps) -> Result<PictureSize, Undecodable> {
    let depth = sps.bit_depth_luma.max(sps.bit_depth_chroma);
    if depth > 8 {
        return Err(Undecodable::BitDepth(depth));
    }
    match sps.chroma_format_idc {
        1 => {}
        0 => return Err(Undecodable::Chroma("monochrome")),
        2 => return Err(Undecodable::Chroma("4:2:2")),
        _ => return Err(Undecodable::Chroma("4:4:4")),
    }
    if sps.interlaced() {
        return Err(Undecodable::Interlaced);
    }
    if !PROFILES.contains(&sps.profile_idc) {
        return Err(Undecodable::Profile(sps.profile_idc));
    }
    if sps.level_idc > LEVEL_MAX {
        return Err(Undecodable::Level(sps.level_idc));
    }
    // What is cropped away has to be decoded too.
    PictureSize::new(sps.coded_width, sps.coded_height)?;
    Ok(PictureSize::new(sps.width, sps.height)?)
}
