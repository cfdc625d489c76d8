//! What leaves the demuxer and enters the segmenter: coded units with exact times, and the
//! description of the tracks they belong to.

use std::sync::Arc;

use bytes::Bytes;

use crate::aac::{AudioSpecificConfig, silent_access_unit};
use crate::ac3::Ac3Config;
use crate::av1::Av1Config;
use crate::flac::FlacConfig;
use crate::h264::AvcConfig;
use crate::hevc::HevcConfig;
use crate::mp3::Mp3Config;
use crate::opus::{self, OpusConfig};
use crate::picture::{self, Colour, Light};
use crate::time::MediaTime;

/// Which of the two tracks of a broadcast.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub enum TrackKind {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

/// One coded picture or one coded audio block, normalised.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessUnit {
    /// Its track.
    pub track: TrackKind,
    /// Decode time. Strictly rising within a track between discontinuities. Video in 90 kHz ticks,
    /// audio in ticks of the sample rate.
    pub dts: MediaTime,
    /// Presentation time, same timescale; may lie before `dts` once the reorder delay is taken out
    /// (CM-9).
    pub pts: MediaTime,
    /// Decoding can start here: an IDR or other random access picture, an AV1 key frame; always
    /// true for sound.
    pub sync: bool,
    /// H.264 and HEVC: NAL units with four-byte lengths, parameter sets and delimiters removed
    /// (CM-12). AV1: OBUs with sizes, without temporal delimiters (CM-13). Audio: one access unit,
    /// packet or frame of its codec. Never empty.
    pub payload: Bytes,
}

/// The tracks of a broadcast between two discontinuities. At least one is present.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tracks {
    /// Pictures, if any.
    pub video: Option<Arc<VideoTrack>>,
    /// Sound, if any.
    pub audio: Option<Arc<AudioTrack>>,
}

/// A video track: codec configuration and what a playlist says about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VideoTrack {
    /// The codec and its configuration record.
    pub codec: VideoCodec,
    /// Display width in pixels after cropping and sample aspect ratio (MV-2).
    pub width: u32,
    /// Display height in pixels.
    pub height: u32,
    /// Pictures per second times 1000, from VUI timing or metadata; `None` when neither is
    /// credible.
    pub frame_rate_millis: Option<u32>,
    /// Colour that the codec's configuration tells, else that of HDR metadata (MV-3, CM-15).
    pub colour: Option<Colour>,
    /// What HDR metadata says of light (CM-15).
    pub light: Light,
    /// Announced or configured bit rate in bit/s, when the publisher told one.
    pub bitrate: Option<u32>,
}

/// Video codecs with a sample entry of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum VideoCodec {
    /// H.264 (sample entry `avc1`).
    H264(AvcConfig),
    /// HEVC (sample entry `hvc1`).
    Hevc(HevcConfig),
    /// AV1 (sample entry `av01`).
    Av1(Av1Config),
}

impl VideoCodec {
    /// CODECS value (RFC 6381, MV-2).
    pub fn codec_string(&self) -> String {
        match self {
            Self::H264(config) => config.codec_string(),
            Self::Hevc(config) => config.codec_string(),
            Self::Av1(config) => config.codec_string(),
        }
    }

    /// Size of the picture in the sample entry: after cropping, before the sample aspect ratio.
    pub fn coded_size(&self) -> (u32, u32) {
        match self {
            Self::H264(config) => config.coded_size(),
            Self::Hevc(config) => config.coded_size(),
            Self::Av1(config) => config.coded_size(),
        }
    }

    /// Width to height of one sample; (1, 1) when not told.
    pub fn sample_aspect_ratio(&self) -> (u32, u32) {
        match self {
            Self::H264(config) => config.sample_aspect_ratio(),
            Self::Hevc(config) => config.sample_aspect_ratio(),
            Self::Av1(_) => (1, 1),
        }
    }

    /// Size on a screen with square pixels.
    pub fn display_size(&self) -> (u32, u32) {
        picture::display_size(self.coded_size(), self.sample_aspect_ratio())
    }

    /// Colour that the bit stream tells; `None` when it says nothing.
    pub fn colour(&self) -> Option<Colour> {
        match self {
            Self::H264(config) => config.colour(),
            Self::Hevc(config) => config.colour(),
            Self::Av1(config) => config.colour(),
        }
    }

    /// Pictures per second times 1000 that the bit stream tells; perhaps not credible.
    pub fn frame_rate_millis(&self) -> Option<u32> {
        match self {
            Self::H264(config) => config.sps().vui.timing?.frame_rate_millis(),
            Self::Hevc(config) => config.sps().vui.frame_rate_millis(),
            Self::Av1(config) => config.sequence_header().frame_rate_millis(),
        }
    }
}

/// An audio track.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AudioTrack {
    /// The codec and its configuration.
    pub codec: AudioCodec,
    /// Output samples per second; the track's timescale (CM-4).
    pub sample_rate: u32,
    /// Output channels.
    pub channels: u8,
    /// Output samples that one access unit usually has. AAC: 1024, or 2048 with SBR; 960 and 1920
    /// exist (TS-5). Opus packets and FLAC frames may differ from it one by one.
    pub samples_per_unit: u32,
    /// Announced bit rate in bit/s, when the publisher told one.
    pub bitrate: Option<u32>,
}

impl AudioTrack {
    /// The track that a codec's configuration describes.
    pub fn of(codec: AudioCodec, bitrate: Option<u32>) -> Self {
        Self {
            sample_rate: codec.sample_rate(),
            channels: codec.channels(),
            samples_per_unit: codec.samples_per_unit(),
            bitrate,
            codec,
        }
    }
}

/// Audio codecs with a sample entry of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AudioCodec {
    /// AAC (sample entry `mp4a`).
    Aac(AudioSpecificConfig),
    /// Opus (sample entry `Opus`).
    Opus(OpusConfig),
    /// FLAC (sample entry `fLaC`).
    Flac(FlacConfig),
    /// AC-3 (sample entry `ac-3`) or E-AC-3 (`ec-3`).
    Ac3(Ac3Config),
    /// MP3 (sample entry `mp4a`).
    Mp3(Mp3Config),
}

impl AudioCodec {
    /// CODECS value (RFC 6381, MV-2).
    pub fn codec_string(&self) -> String {
        match self {
            Self::Aac(config) => config.codec_string(),
            Self::Opus(_) => "Opus".to_owned(),
            Self::Flac(_) => "fLaC".to_owned(),
            Self::Ac3(config) if config.is_enhanced() => "ec-3".to_owned(),
            Self::Ac3(_) => "ac-3".to_owned(),
            Self::Mp3(config) => format!("mp4a.{:02X}", config.object_type()),
        }
    }

    /// Output samples per second, never 0.
    pub fn sample_rate(&self) -> u32 {
        match self {
            Self::Aac(config) => config.output_sample_rate(),
            Self::Opus(_) => opus::SAMPLE_RATE,
            Self::Flac(config) => config.sample_rate(),
            Self::Ac3(config) => config.sample_rate(),
            Self::Mp3(config) => config.sample_rate(),
        }
    }

    /// Output channels.
    pub const fn channels(&self) -> u8 {
        match self {
            Self::Aac(config) => config.channels(),
            Self::Opus(config) => config.channels(),
            Self::Flac(config) => config.channels(),
            Self::Ac3(config) => config.channels(),
            Self::Mp3(config) => config.channels(),
        }
    }

    /// Output samples that a unit usually has, and that a silent one has.
    pub fn samples_per_unit(&self) -> u32 {
        match self {
            Self::Aac(config) => config.samples_per_unit(),
            Self::Opus(_) => opus::SILENT_SAMPLES,
            Self::Flac(config) => u32::from(config.block_samples_max()),
            Self::Ac3(config) => config.samples_per_unit(),
            Self::Mp3(config) => config.samples_per_frame(),
        }
    }

    /// A coded unit of silence (AA-7); `None` where this room cannot make one.
    pub fn silent_unit(&self) -> Option<Bytes> {
        match self {
            Self::Aac(config) => silent_access_unit(config),
            Self::Opus(config) => opus::silent_packet(config),
            Self::Mp3(config) => Some(config.silent_frame()),
            Self::Flac(_) | Self::Ac3(_) => None,
        }
    }
}
