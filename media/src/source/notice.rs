//! Things the streamer should hear although the broadcast goes on, one sentence each.

use std::collections::BTreeSet;
use std::fmt;

use crate::access_unit::{AudioCodec, VideoCodec};
use crate::flv::FourCc;

/// Advice for the publisher and the admin. Each kind is given once per connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Notice {
    /// More than the configured time passed without an IDR picture; in ms.
    KeyframeInterval(u64),
    /// The encoder calls pictures key frames that are not IDR, or pictures after a key frame need
    /// some from before it (AV-7).
    OpenGop,
    /// The broadcast started without audio.
    NoAudio,
    /// The broadcast started without video.
    NoVideo,
    /// Audio stopped and silence takes its place (AA-7).
    AudioStopped,
    /// Pictures are interlaced.
    Interlaced,
    /// Pictures are not 4:2:0, or have more bits than players of their codec show; holds
    /// chroma_format_idc and the bit depth.
    PixelFormat(u8, u8),
    /// Only some players can show this video codec.
    VideoPlayers(&'static str),
    /// Only some players can play this audio codec.
    AudioPlayers(&'static str),
    /// A FourCC that names no codec; its messages are left out (ER-1).
    UnknownCodec(FourCc),
    /// The encoder sends further Enhanced RTMP tracks, which are left out.
    ExtraTracks,
    /// The channels stand in an order of the encoder's own.
    ChannelOrder,
    /// The publisher's clock jumped (TS-4).
    TimelineBreak,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::KeyframeInterval(millis) => write!(
                f,
                "no keyframe for {}.{} s: set the encoder's keyframe interval to 2 s",
                millis / 1_000,
                millis % 1_000 / 100
            ),
            Self::OpenGop => f.write_str(
                "some keyframes are not IDR pictures: turn off open GOP and periodic intra refresh \
                 in the encoder",
            ),
            Self::NoAudio => f.write_str("no audio has arrived: check the encoder's audio track"),
            Self::NoVideo => f.write_str("no video has arrived: the broadcast is audio only"),
            Self::AudioStopped => {
                f.write_str("audio has stopped and is replaced by silence: check the audio source")
            }
            Self::Interlaced => f.write_str(
                "the video is interlaced, which players show badly: deinterlace in the encoder",
            ),
            Self::PixelFormat(chroma, depth) => {
                let chroma = ["4:0:0", "4:2:0", "4:2:2", "4:4:4"]
                    .get(usize::from(chroma))
                    .unwrap_or(&"unknown");
                write!(
                    f,
                    "the video is {chroma} with {depth} bits, which most players cannot show: set \
                     the encoder to 8-bit 4:2:0 (NV12)"
                )
            }
            Self::VideoPlayers(codec) => write!(
                f,
                "the video is {codec}, which many browsers cannot show: set the encoder's video \
                 codec to H.264 to reach every viewer"
            ),
            Self::AudioPlayers(codec) => write!(
                f,
                "the audio is {codec}, which most browsers cannot play: set the encoder's audio \
                 codec to AAC to reach every viewer"
            ),
            Self::UnknownCodec(codec) => write!(
                f,
                "the encoder sends a codec called \"{codec}\", which is left out: set it to H.264 \
                 and AAC"
            ),
            Self::ExtraTracks => f.write_str(
                "the encoder sends several audio or video tracks: only the first is used",
            ),
            Self::ChannelOrder => f.write_str(
                "the audio channels stand in an order of their own, which players cannot know and \
                 take for the usual one: set the encoder's audio to stereo or 5.1",
            ),
            Self::TimelineBreak => {
                f.write_str("the encoder's clock jumped: viewers may see a short interruption")
            }
        }
    }
}

impl Notice {
    /// What a video configuration gives reason to say.
    pub(super) fn about_video(codec: &VideoCodec) -> Vec<Self> {
        let (interlaced, chroma, depth, depth_max) = match codec {
            VideoCodec::H264(config) => {
                let sps = config.sps();
                let depth = sps.bit_depth_luma.max(sps.bit_depth_chroma);
                (sps.interlaced(), sps.chroma_format_idc, depth, 8)
            }
            VideoCodec::Hevc(config) => {
                let sps = config.sps();
                let depth = sps.bit_depth_luma.max(sps.bit_depth_chroma);
                (sps.vui.field_seq, sps.chroma_format_idc, depth, 10)
            }
            VideoCodec::Av1(config) => {
                let header = config.sequence_header();
                let chroma = match (header.monochrome, header.subsampling_x, header.subsampling_y) {
                    (true, ..) => 0,
                    (false, true, true) => 1,
                    (false, true, false) => 2,
                    (false, false, _) => 3,
                };
                (false, chroma, header.bit_depth, 10)
            }
        };
        let interlaced = interlaced.then_some(Self::Interlaced);
        let unusual = chroma != 1 || depth > depth_max;
        let format = unusual.then_some(Self::PixelFormat(chroma, depth));
        let players = matches!(codec, VideoCodec::Hevc(_)).then_some(Self::VideoPlayers("HEVC"));
        interlaced.into_iter().chain(format).chain(players).collect()
    }

    /// What an audio configuration gives reason to say.
    pub(super) fn about_audio(codec: &AudioCodec) -> Vec<Self> {
        let few = match codec {
            AudioCodec::Aac(_) | AudioCodec::Opus(_) | AudioCodec::Flac(_) => None,
            AudioCodec::Ac3(config) if config.is_enhanced() => Some("E-AC-3"),
            AudioCodec::Ac3(_) => Some("AC-3"),
            AudioCodec::Mp3(_) => Some("MP3"),
        };
        few.map(Self::AudioPlayers).into_iter().collect()
    }

    /// Distinguishes kinds without their numbers.
    const fn kind(self) -> u8 {
        match self {
            Self::KeyframeInterval(_) => 0,
            Self::OpenGop => 1,
            Self::NoAudio => 2,
            Self::NoVideo => 3,
            Self::AudioStopped => 4,
            Self::Interlaced => 5,
            Self::PixelFormat(..) => 6,
            Self::ExtraTracks => 7,
            Self::TimelineBreak => 8,
            Self::VideoPlayers(_) => 9,
            Self::AudioPlayers(_) => 10,
            Self::UnknownCodec(_) => 11,
            Self::ChannelOrder => 12,
        }
    }
}

/// Which kinds were given already.
#[derive(Debug, Default)]
pub(super) struct Given(BTreeSet<u8>);

impl Given {
    /// True the first time a kind comes.
    pub(super) fn first(&mut self, notice: Notice) -> bool {
        self.0.insert(notice.kind())
    }
}
