//! Things the streamer should hear although the broadcast goes on, one sentence each.

use std::collections::BTreeSet;
use std::fmt;

use crate::h264::Sps;

/// Advice for the publisher and the admin. Each kind is given once per connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Notice {
    /// More than the configured time passed without an IDR picture; in ms.
    KeyframeInterval(u64),
    /// The encoder calls pictures key frames that are not IDR (AV-7).
    OpenGop,
    /// The broadcast started without audio.
    NoAudio,
    /// The broadcast started without video.
    NoVideo,
    /// Audio stopped and silence takes its place (AA-7).
    AudioStopped,
    /// Pictures are interlaced.
    Interlaced,
    /// Pictures are not 4:2:0 with 8 bits; holds chroma_format_idc and the luma bit depth.
    PixelFormat(u8, u8),
    /// The encoder sends further Enhanced RTMP tracks, which are left out.
    ExtraTracks,
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
            Self::ExtraTracks => f.write_str(
                "the encoder sends several audio or video tracks: only the first is used",
            ),
            Self::TimelineBreak => {
                f.write_str("the encoder's clock jumped: viewers may see a short interruption")
            }
        }
    }
}

impl Notice {
    /// What an SPS gives reason to say.
    pub(super) fn about(sps: &Sps) -> impl Iterator<Item = Self> {
        let interlaced = sps.interlaced().then_some(Self::Interlaced);
        let (chroma, depth) = (sps.chroma_format_idc, sps.bit_depth_luma.max(sps.bit_depth_chroma));
        let format = ((chroma, depth) != (1, 8)).then_some(Self::PixelFormat(chroma, depth));
        interlaced.into_iter().chain(format)
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
