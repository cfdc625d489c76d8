//! Tracks and units to feed a segmenter with, and a harness that carries updates to a window.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::aac::AudioSpecificConfig;
use crate::access_unit::{
    AccessUnit, AudioCodec, AudioTrack, TrackKind, Tracks, VideoCodec, VideoTrack,
};
use crate::h264::AvcConfig;
use crate::hls::{Segmenter, SegmenterConfig, Update, Window, WindowConfig};
use crate::picture::Light;
use crate::time::{MediaTime, Timescale, UnixTime};

/// 2026-09-20T10:00:00Z.
pub(super) const DATE: UnixTime = UnixTime::from_millis(1_789_898_400_000);

/// avcC of 320x180 High at 30 fps with BT.709 colours. x264 r3095 (FFmpeg 5.1.9), made with
/// `ffmpeg -f lavfi -i testsrc2=s=320x180:r=30 -profile:v high -color_primaries bt709
/// -color_trc bt709 -colorspace bt709 -color_range tv`.
pub(super) const AVCC: [u8; 48] = [
    0x01, 0x64, 0x00, 0x0D, 0xFF, 0xE1, 0x00, 0x1C, 0x67, 0x64, 0x00, 0x0D, 0xAC, 0xD9, 0x41, 0x41,
    0x9F, 0x9F, 0x01, 0x6A, 0x02, 0x02, 0x02, 0x80, 0x00, 0x00, 0x03, 0x00, 0x80, 0x00, 0x00, 0x1E,
    0x07, 0x8A, 0x14, 0xCB, 0x01, 0x00, 0x06, 0x68, 0xEB, 0xE3, 0xCB, 0x22, 0xC0, 0xFD, 0xF8, 0xF8,
];

pub(super) fn video_track(frame_rate_millis: Option<u32>) -> VideoTrack {
    let mut record = AVCC.to_vec();
    record.push(0);
    let (config, _) = AvcConfig::parse(&record).expect("the record is whole");
    VideoTrack {
        light: Light::default(),
        colour: config.colour(),
        codec: VideoCodec::H264(config),
        width: 320,
        height: 180,
        frame_rate_millis,
        bitrate: Some(400_000),
    }
}

pub(super) fn audio_track(sample_rate: u32) -> AudioTrack {
    let config = AudioSpecificConfig::lc(sample_rate, 2).expect("a usual rate");
    AudioTrack {
        codec: AudioCodec::Aac(config),
        sample_rate,
        channels: 2,
        samples_per_unit: 1_024,
        bitrate: Some(128_000),
    }
}

pub(super) fn tracks(video: Option<VideoTrack>, audio: Option<AudioTrack>) -> Tracks {
    Tracks { video: video.map(Arc::new), audio: audio.map(Arc::new) }
}

/// A picture; times in milliseconds.
pub(super) fn picture(dts_ms: i64, sync: bool) -> AccessUnit {
    let dts = MediaTime::from_millis(dts_ms).rescale(Timescale::VIDEO);
    let payload = Bytes::from(format!("picture {dts_ms:>12}"));
    AccessUnit { track: TrackKind::Video, dts, pts: dts, sync, payload }
}

/// A block of sound; time in units since `base_ms`.
pub(super) fn sound(base_ms: i64, unit: i64, sample_rate: u32) -> AccessUnit {
    let rate = Timescale::new(sample_rate).expect("not zero");
    let dts = MediaTime::from_millis(base_ms).rescale(rate).ticks() + unit * 1_024;
    let dts = MediaTime::new(dts, rate);
    let payload = Bytes::from(format!("sound {:>14}", dts.ticks()));
    AccessUnit { track: TrackKind::Audio, dts, pts: dts, sync: true, payload }
}

/// Sound and pictures from `from_ms` to `to_ms` in order of time: `fps` pictures per second, a sync
/// picture every `gop_ms` counted from `from_ms`.
pub(super) fn broadcast(from_ms: i64, to_ms: i64, fps: i64, gop_ms: i64) -> Vec<AccessUnit> {
    let frames = (0..).map(|i| i * 1_000 / fps).take_while(|ms| from_ms + ms < to_ms);
    let mut last_gop = -1;
    let mut units: Vec<_> = frames
        .map(|ms| {
            let sync = ms / gop_ms > last_gop;
            last_gop = ms / gop_ms;
            picture(from_ms + ms, sync)
        })
        .collect();
    let sounds = (0..).map(|unit| sound(from_ms, unit, 48_000));
    units.extend(sounds.take_while(|unit| unit.dts < MediaTime::from_millis(to_ms)));
    units.sort_by(|a, b| a.dts.cmp(&b.dts).then(a.track.cmp(&b.track)));
    units
}

/// A segmenter and one shard's window.
pub(super) struct Server {
    pub(super) segmenter: Segmenter,
    pub(super) window: Window,
    pub(super) now: Instant,
}

impl Server {
    #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of the test")]
    pub(super) fn new(rewind_ms: i64) -> Self {
        Self {
            segmenter: Segmenter::new(SegmenterConfig::default()),
            window: Window::new(WindowConfig { rewind: MediaTime::from_millis(rewind_ms) }),
            now: Instant::now(),
        }
    }

    pub(super) fn push_all(&mut self, units: impl IntoIterator<Item = AccessUnit>) {
        for unit in units {
            self.segmenter.push(unit);
        }
        self.settle();
    }

    /// Carries every update to the window.
    pub(super) fn settle(&mut self) {
        self.settle_with(|_, _| {});
    }

    /// The same, with a look at the window after each.
    pub(super) fn settle_with(&mut self, mut look: impl FnMut(&mut Window, &Update)) {
        while let Some(update) = self.segmenter.poll_update() {
            if let Update::Part(part) = &update {
                let span = part.end.minus(part.start).millis();
                self.now += Duration::from_millis(u64::try_from(span).expect("positive") / 2);
            }
            self.window.apply(self.now, update.clone());
            self.window.handle_timeout(self.now);
            look(&mut self.window, &update);
        }
    }
}
