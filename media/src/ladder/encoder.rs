//! The encoder of a rung, of whichever codec: pictures in, samples of its track out.

use thiserror::Error;

use super::plan::PlannedRung;
use super::setting::RungCodec;
use crate::access_unit::{VideoCodec, VideoTrack};
use crate::codec::{
    Av1Encoder, Av1EncoderConfig, Av1EncoderError, CpuUsage, EncodedUnit, H264Encoder,
    H264EncoderConfig, H264EncoderError, PictureView,
};
use crate::h264::{AvcConfig, AvccError};
use crate::picture::{Colour, Light};

/// What an encoder says of pictures whose source says nothing.
const UNSPECIFIED: Colour = Colour {
    primaries: Colour::UNSPECIFIED,
    transfer: Colour::UNSPECIFIED,
    matrix: Colour::UNSPECIFIED,
    full_range: false,
};

/// See the module's text.
pub struct RungEncoder {
    kind: Kind,
    track: VideoTrack,
}

enum Kind {
    H264(Box<H264Encoder>),
    Av1(Box<Av1Encoder>),
}

/// Why a rung's encoder could not be made or gave up.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum RungEncoderError {
    /// Of H.264.
    #[error(transparent)]
    H264(#[from] H264EncoderError),
    /// Of AV1.
    #[error(transparent)]
    Av1(#[from] Av1EncoderError),
    /// What the H.264 encoder announces is not understood.
    #[error("the encoder's parameter sets are not understood: {0}")]
    ParameterSets(#[from] AvccError),
}

impl RungEncoder {
    /// For a rung of a source whose colour is told, or not.
    pub fn new(rung: &PlannedRung, colour: Option<Colour>) -> Result<Self, RungEncoderError> {
        let colour = colour.unwrap_or(UNSPECIFIED);
        let PlannedRung { size, frame_rate_millis, bitrate, codec, threads, .. } = *rung;
        let (kind, codec, colour) = match codec {
            RungCodec::H264 { cpu_level } => {
                let encoder = H264Encoder::new(H264EncoderConfig {
                    size,
                    frame_rate_millis,
                    bitrate,
                    cpu_usage: CpuUsage::from_level(cpu_level.into()),
                    sync_interval: None,
                    colour,
                })?;
                let config = AvcConfig::from_parameter_sets(&[encoder.sps()], &[encoder.pps()])?;
                let colour = config.colour();
                (Kind::H264(Box::new(encoder)), VideoCodec::H264(config), colour)
            }
            RungCodec::Av1 => {
                let config = Av1EncoderConfig { size, frame_rate_millis, bitrate, threads, colour };
                let encoder = Av1Encoder::new(config)?;
                let sequence = encoder.sequence().clone();
                let colour = sequence.colour();
                (Kind::Av1(Box::new(encoder)), VideoCodec::Av1(sequence), colour)
            }
        };
        let track = VideoTrack {
            light: Light::default(),
            colour,
            codec,
            width: size.width(),
            height: size.height(),
            frame_rate_millis: Some(frame_rate_millis),
            bitrate: Some(bitrate),
        };
        Ok(Self { kind, track })
    }

    /// The track that its pictures make.
    pub const fn track(&self) -> &VideoTrack {
        &self.track
    }

    /// Encodes the next picture of the rung's grid; one that decoding can start at if `force_sync`.
    /// `out` gets what is done, oldest first: one for each picture, in H.264 that of this call, in
    /// AV1 that of an earlier one.
    pub fn encode(
        &mut self,
        picture: PictureView<'_>,
        force_sync: bool,
        out: &mut dyn FnMut(EncodedUnit),
    ) -> Result<(), RungEncoderError> {
        match &mut self.kind {
            Kind::H264(encoder) => {
                let coded = encoder.encode(picture, force_sync)?;
                out(EncodedUnit { payload: coded.length_prefixed(), sync: coded.sync });
            }
            Kind::Av1(encoder) => encoder.encode(picture, force_sync, out)?,
        }
        Ok(())
    }

    /// Brings out the pictures that are inside.
    pub fn flush(&mut self, out: &mut dyn FnMut(EncodedUnit)) -> Result<(), RungEncoderError> {
        match &mut self.kind {
            Kind::H264(_) => {}
            Kind::Av1(encoder) => encoder.flush(out)?,
        }
        Ok(())
    }

    /// Changes the target in bit/s: at once, or in AV1 with the next segment.
    pub fn set_bitrate(&mut self, bitrate: u32) -> Result<(), RungEncoderError> {
        match &mut self.kind {
            Kind::H264(encoder) => encoder.set_bitrate(bitrate)?,
            Kind::Av1(encoder) => encoder.set_bitrate(bitrate)?,
        }
        Ok(())
    }
}
