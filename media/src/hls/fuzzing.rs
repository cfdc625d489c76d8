//! Fuzz target of the packager: units with hostile times, timelines that come and go, and players
//! that ask in between. The checker of this folder judges what they see.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::checker::Checker;
use super::{
    Answer, Directives, MediaAnswer, Segmenter, SegmenterConfig, Update, Window, WindowConfig,
};
use crate::aac::AudioSpecificConfig;
use crate::access_unit::{
    AccessUnit, AudioCodec, AudioTrack, TrackKind, Tracks, VideoCodec, VideoTrack,
};
use crate::fuzzing::Choices;
use crate::h264::AvcConfig;
use crate::picture::Light;
use crate::time::{MediaTime, Timescale, UnixTime};

/// avcC of 320x180 High at 30 pictures/s (x264 r3095).
const AVCC: [u8; 49] = [
    0x01, 0x64, 0x00, 0x0D, 0xFF, 0xE1, 0x00, 0x1C, 0x67, 0x64, 0x00, 0x0D, 0xAC, 0xD9, 0x41, 0x41,
    0x9F, 0x9F, 0x01, 0x6A, 0x02, 0x02, 0x02, 0x80, 0x00, 0x00, 0x03, 0x00, 0x80, 0x00, 0x00, 0x1E,
    0x07, 0x8A, 0x14, 0xCB, 0x01, 0x00, 0x06, 0x68, 0xEB, 0xE3, 0xCB, 0x22, 0xC0, 0xFD, 0xF8, 0xF8,
    0x00,
];
/// 2026-09-20T10:00:00Z.
const DATE_MS: i64 = 1_789_898_400_000;
/// Lowest sample rate used.
const RATE_MIN: u32 = 8_000;
/// The checker lets sound exceed the limit by 1024 samples of this: half a second, which is what
/// rounding takes away (PL-3). Hostile times can make it more than one unit of the real rate.
const SLACK_TIMESCALE: i64 = 2_050;
/// Units of one input: longer ones show nothing new.
const UNITS_MAX: usize = 1_200;
/// Where hostile times lie, in 90 kHz ticks.
const TIMES: [i64; 12] = [
    0,
    -1,
    1,
    900_000,
    1 << 31,
    1 << 32,
    1 << 33,
    (1 << 53) - 1,
    1 << 53,
    i64::MAX,
    i64::MIN,
    i64::MAX / 90_000,
];

/// A broadcast, or several, under every order of units, timelines, time and requests.
pub fn segmenter(now: Instant, data: &[u8]) {
    let mut choices = Choices::new(data);
    let config = SegmenterConfig {
        segment_target: MediaTime::from_millis(choices.pick(&[2_000, 1_000, 6_000, 10_000])),
        part_target: MediaTime::from_millis(choices.pick(&[334, 200, 500, 1_000])),
        ..SegmenterConfig::default()
    };
    let rewind = MediaTime::from_millis(choices.pick(&[0, 12_000, 60_000]));
    let mut broadcaster = Broadcaster {
        segmenter: Segmenter::new(config),
        window: Window::new(WindowConfig { rewind }),
        now,
        tracks: Tracks::default(),
        video_90k: 900_000,
        audio_units: 0,
        audio_from_90k: 900_000,
        units: 0,
        checkers: [("0", 90_000), ("audio", SLACK_TIMESCALE)]
            .map(|(folder, timescale)| Checker::new(folder, timescale, false)),
    };
    while !choices.is_empty() && broadcaster.units < UNITS_MAX {
        broadcaster.step(&mut choices);
        broadcaster.settle();
    }
    broadcaster.segmenter.end();
    broadcaster.settle();
}

struct Broadcaster {
    segmenter: Segmenter,
    window: Window,
    now: Instant,
    tracks: Tracks,
    /// Decode time of the next picture.
    video_90k: i64,
    /// Sound since `audio_from_90k`.
    audio_units: i64,
    audio_from_90k: i64,
    units: usize,
    checkers: [Checker; 2],
}

impl Broadcaster {
    fn step(&mut self, choices: &mut Choices<'_>) {
        match choices.byte() {
            0..=0x3F => self.run(choices),
            0x40..=0x6F => self.picture(choices),
            0x70..=0x8F => self.sound(choices),
            0x90..=0x9F => self.start(choices),
            0xA0..=0xA7 => self.segmenter.interrupt(),
            0xA8..=0xAB => self.segmenter.end(),
            0xAC..=0xBF => self.pause(choices),
            0xC0..=0xDF => self.ask(choices),
            0xE0..=0xEF => self.fetch(choices),
            0xF0..=0xFF => self.pass(choices),
        }
    }

    /// Pictures and sound as they should be, for a while.
    fn run(&mut self, choices: &mut Choices<'_>) {
        let count = i64::from(choices.byte() & 0x7F);
        let frame = choices.pick(&[3_000, 3_600, 3_003, 1_500, 18_000, 90_000]);
        let gop = i64::from(choices.byte() % 64) + 1;
        for index in 0..count {
            if self.units >= UNITS_MAX {
                break;
            }
            self.push_picture(self.video_90k, 0, index % gop == 0);
            self.video_90k = self.video_90k.saturating_add(frame);
            self.catch_up();
        }
    }

    /// Sound up to the next picture, unless that is far away.
    fn catch_up(&mut self) {
        const FAR_90K: i64 = 20 * 90_000;
        if self.video_90k.saturating_sub(self.audio_90k()) > FAR_90K {
            (self.audio_from_90k, self.audio_units) = (self.video_90k, 0);
        }
        while self.tracks.audio.is_some() && self.audio_90k() < self.video_90k {
            self.push_sound();
        }
    }

    fn picture(&mut self, choices: &mut Choices<'_>) {
        let shape = choices.byte();
        let dts = match shape & 0xF0 {
            0xF0 => choices.i64(),
            0xE0 => choices.pick(&TIMES),
            0xD0 => self.video_90k.saturating_sub(i64::from(choices.u32())),
            0xC0 => self.video_90k.saturating_add(i64::from(choices.u32())),
            _ => self.video_90k.saturating_add(i64::from(choices.u16())),
        };
        let offset = match shape & 0x0C {
            0x0C => choices.i64(),
            0x08 => i64::from(choices.u16()) - 0x8000,
            _ => 0,
        };
        self.push_picture(dts, offset, shape & 1 == 1);
        if shape & 2 == 0 {
            self.video_90k = dts.saturating_add(3_000);
        }
    }

    fn sound(&mut self, choices: &mut Choices<'_>) {
        match choices.byte() {
            0..=0x1F => {
                self.audio_from_90k = choices.pick(&TIMES);
                self.audio_units = 0;
            }
            0x20..=0x3F => self.audio_units += i64::from(choices.u16()),
            0x40..=0x4F => self.audio_units -= i64::from(choices.byte()),
            _ => {}
        }
        for _ in 0..choices.byte() % 16 {
            self.push_sound();
        }
    }

    fn start(&mut self, choices: &mut Choices<'_>) {
        let video = match choices.byte() % 8 {
            0 => None,
            1 => Some(None),
            2 => Some(Some(1)),
            3 => Some(Some(240_000)),
            4 => Some(Some(29_970)),
            _ => Some(Some(30_000)),
        };
        let audio = match choices.byte() % 8 {
            0 if video.is_some() => None,
            1 => Some(44_100),
            2 => Some(22_050),
            3 => Some(RATE_MIN),
            _ => Some(48_000),
        };
        let start = match choices.byte() {
            0..=0xBF => self.video_90k,
            0xC0..=0xEF => self.video_90k.saturating_add(i64::from(choices.u32())),
            0xF0..=0xFF => choices.pick(&TIMES),
        };
        self.tracks = Tracks {
            video: video.map(|rate| Arc::new(video_track(rate))),
            audio: audio.map(|rate| Arc::new(audio_track(rate))),
        };
        (self.video_90k, self.audio_from_90k, self.audio_units) = (start, start, 0);
        let date = UnixTime::from_millis(DATE_MS + i64::from(choices.u32()));
        let start = MediaTime::new(start, Timescale::VIDEO);
        self.segmenter.start(self.tracks.clone(), start, date);
    }

    /// One track or both deliver nothing for a while.
    fn pause(&mut self, choices: &mut Choices<'_>) {
        let which = choices.byte();
        let ticks = i64::from(choices.u16()) * 90;
        if which & 1 == 1 {
            self.video_90k = self.video_90k.saturating_add(ticks);
        }
        if which & 2 == 2 {
            self.audio_from_90k = self.audio_from_90k.saturating_add(ticks);
        }
    }

    fn ask(&mut self, choices: &mut Choices<'_>) {
        let near = self.segmenter.next_msn().saturating_add(u64::from(choices.byte() % 8));
        let msn = choices.pick(&[None, Some(near.saturating_sub(4)), Some(0), Some(u64::MAX)]);
        let part = choices.pick(&[None, Some(0), Some(1), Some(7), Some(u64::MAX)]);
        let part = msn.and(part);
        let (skip, plain) = (choices.yes(), choices.yes());
        let directives = Directives { msn, part, skip, plain };
        let folder = choices.pick(&["0", "audio", "1", ""]);
        match self.window.multivariant(&directives) {
            // A broadcast that ended before anything of it was listed is as good as none.
            Answer::NotFound => assert!(!self.window.is_live() && !self.holds_media()),
            answer => self.judge(&answer, &directives),
        }
        match self.window.playlist(folder, &directives) {
            Answer::NotFound => assert!(!["0", "audio"].contains(&folder) || !self.listed()),
            answer => self.judge(&answer, &directives),
        }
        let status: Vec<_> = self.window.renditions().collect();
        assert!(status.len() <= 2, "{status:?}");
    }

    fn judge(&self, answer: &Answer, directives: &Directives) {
        match answer {
            Answer::Ready(snapshot) => {
                let text = snapshot.text();
                assert!(text.starts_with(b"#EXTM3U\n") && text.ends_with(b"\n"), "PL-1");
                assert!(std::str::from_utf8(text).is_ok(), "PL-1");
            }
            Answer::Wait(wait) => {
                assert!(directives.plain || !self.window.reached(wait), "{wait:?} waits in vain");
            }
            Answer::BadRequest(_) => assert!(directives.msn.is_some()),
            Answer::NotFound => panic!("judged by the caller"),
        }
    }

    /// A whole segment of some rendition is listed.
    fn holds_media(&self) -> bool {
        self.window.renditions().any(|rendition| rendition.segments > 0)
    }

    /// Some rendition of each kind exists.
    fn listed(&self) -> bool {
        self.window.renditions().count() == 2
    }

    fn fetch(&self, choices: &mut Choices<'_>) {
        let msn = self.segmenter.next_msn().saturating_sub(u64::from(choices.byte() % 16));
        let name = match choices.byte() % 4 {
            0 => format!("init-{msn}.mp4"),
            1 => format!("{msn}.m4s"),
            2 => format!("{msn}.{}.m4s", choices.byte() % 8),
            _ => String::from_utf8_lossy(choices.bytes(12)).into_owned(),
        };
        match self.window.media(choices.pick(&["0", "audio", "2"]), &name) {
            MediaAnswer::Ready(body) => assert!(body.byte_len() > 0, "{name} is empty"),
            MediaAnswer::Wait(wait) => assert!(!self.window.reached(&wait), "{name}: {wait:?}"),
            MediaAnswer::NotFound => {}
        }
    }

    fn pass(&mut self, choices: &mut Choices<'_>) {
        self.now += Duration::from_millis(u64::from(choices.u16()));
        self.window.handle_timeout(self.now);
        let moved = self.window.deadline().is_none_or(|next| next > self.now);
        assert!(moved, "a deadline that does not move");
    }

    fn audio_rate(&self) -> Timescale {
        let rate = self.tracks.audio.as_ref().map_or(48_000, |track| track.sample_rate);
        Timescale::new(rate).unwrap_or(Timescale::VIDEO)
    }

    /// Where the next sound begins.
    fn audio_90k(&self) -> i64 {
        self.audio_time().rescale(Timescale::VIDEO).ticks()
    }

    fn audio_time(&self) -> MediaTime {
        let rate = self.audio_rate();
        let from = MediaTime::new(self.audio_from_90k, Timescale::VIDEO).rescale(rate);
        MediaTime::new(from.ticks().saturating_add(self.audio_units * 1_024), rate)
    }

    fn push_picture(&mut self, dts: i64, offset: i64, sync: bool) {
        self.units += 1;
        self.segmenter.push(AccessUnit {
            track: TrackKind::Video,
            dts: MediaTime::new(dts, Timescale::VIDEO),
            pts: MediaTime::new(dts.saturating_add(offset), Timescale::VIDEO),
            sync,
            payload: Bytes::from_static(b"\0\0\0\x02\x65\x80"),
        });
    }

    fn push_sound(&mut self) {
        self.units += 1;
        let dts = self.audio_time();
        self.audio_units += 1;
        self.segmenter.push(AccessUnit {
            track: TrackKind::Audio,
            dts,
            pts: dts,
            sync: true,
            payload: Bytes::from_static(b"\x21\x10"),
        });
    }

    /// Carries what one step made to the window, then looks at it as a player does.
    fn settle(&mut self) {
        while let Some(update) = self.segmenter.poll_update() {
            let begins = matches!(update, Update::Start(_));
            let resumes = matches!(update, Update::Timeline(_));
            // Segments leave where one ends; the checker wants to see each go.
            let removes = matches!(update, Update::SegmentEnd(_));
            if begins || resumes {
                self.look();
            }
            self.window.apply(self.now, update);
            if removes {
                self.look();
            }
            for checker in &mut self.checkers {
                // A rendition that ended and comes back does so as a playlist of its own.
                if begins || resumes && checker.has_ended() {
                    checker.new_broadcast();
                }
            }
        }
        self.look();
    }

    fn look(&mut self) {
        for checker in &mut self.checkers {
            checker.look(&mut self.window);
        }
    }
}

fn video_track(frame_rate_millis: Option<u32>) -> VideoTrack {
    let (config, _) = AvcConfig::parse(&AVCC).expect("the record is whole");
    let (width, height) = config.display_size();
    let bitrate = Some(400_000);
    let codec = VideoCodec::H264(config);
    let light = Light::default();
    VideoTrack { codec, width, height, frame_rate_millis, bitrate, colour: None, light }
}

fn audio_track(sample_rate: u32) -> AudioTrack {
    let config = AudioSpecificConfig::lc(sample_rate, 2).expect("a usual rate");
    AudioTrack {
        codec: AudioCodec::Aac(config),
        sample_rate,
        channels: 2,
        samples_per_unit: 1_024,
        bitrate: None,
    }
}
