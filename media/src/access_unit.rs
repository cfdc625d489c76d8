//! What leaves the demuxer and enters the segmenter: coded units with exact times, and the
//! description of the tracks they belong to.

use std::sync::Arc;

use bytes::Bytes;

use crate::aac::AudioSpecificConfig;
use crate::h264::AvcConfig;
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
    /// Decoding can start here: an IDR picture; always true for AAC.
    pub sync: bool,
    /// Video: NAL units with four-byte lengths, parameter sets and delimiters removed (CM-12).
    /// Audio: one raw AAC access unit. Never empty.
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
    /// Announced or configured bit rate in bit/s, when the publisher told one.
    pub bitrate: Option<u32>,
}

/// Video codecs with a sample entry of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum VideoCodec {
    /// H.264 (sample entry `avc1`).
    H264(AvcConfig),
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
    /// Output samples in one access unit: 1024, or 2048 with SBR; 960 and 1920 exist (TS-5).
    pub samples_per_unit: u32,
    /// Announced bit rate in bit/s, when the publisher told one.
    pub bitrate: Option<u32>,
}

/// Audio codecs with a sample entry of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AudioCodec {
    /// AAC (sample entry `mp4a`).
    Aac(AudioSpecificConfig),
}
