//! The machine as a whole, rule by rule.

mod audio;
mod discovery;
mod encoders;
mod enhanced;
mod reconnect;
mod refusals;
mod timeline;
mod video;

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::*;

const START: i64 = limits::OUTPUT_START_90K;
const STEREO_48K: [u8; 2] = [0x11, 0x90];
const STEREO_44K: [u8; 2] = [0x12, 0x10];

/// A publisher, a clock that follows its media times, and everything that came out.
struct Bench {
    source: Source,
    now: Instant,
    events: Vec<SourceEvent>,
}

/// Records of x264; `testdata/PROVENANCE.md`.
fn record(name: &str) -> Vec<u8> {
    crate::testdata::record(include_str!("../../../testdata/h264/avcc.hex"), name)
}

fn nalus(keyframe: bool, composition_ms: i32, nals: &[&[u8]]) -> Vec<u8> {
    let [_, a, b, c] = composition_ms.to_be_bytes();
    let mut body = vec![if keyframe { 0x17 } else { 0x27 }, 1, a, b, c];
    for nal in nals {
        body.extend((nal.len() as u32).to_be_bytes());
        body.extend(*nal);
    }
    body
}

impl Bench {
    #[expect(clippy::disallowed_methods, reason = "any instant will do; nothing reads it again")]
    fn new() -> Self {
        let now = Instant::now();
        Self { source: Source::new(SourceConfig::default()), now, events: Vec::new() }
    }

    /// A publisher that sent both headers.
    fn with_headers(record_name: &str) -> Self {
        let mut bench = Self::new();
        bench.video_header(record_name);
        bench.audio_header(&STEREO_48K);
        bench
    }

    fn drain(&mut self) {
        while let Some(event) = self.source.poll_event() {
            self.events.push(event);
        }
    }

    fn video(&mut self, millis: u32, body: &[u8]) {
        self.try_video(millis, body).unwrap();
    }

    fn try_video(&mut self, millis: u32, body: &[u8]) -> Result<(), Refusal> {
        let body = Bytes::copy_from_slice(body);
        let result = self.source.handle_video(self.now, RtmpTimestamp(millis), &body);
        self.drain();
        result
    }

    fn try_audio(&mut self, millis: u32, body: &[u8]) -> Result<(), Refusal> {
        let body = Bytes::copy_from_slice(body);
        let result = self.source.handle_audio(self.now, RtmpTimestamp(millis), &body);
        self.drain();
        result
    }

    fn video_header(&mut self, name: &str) {
        self.video(0, &[&[0x17, 0, 0, 0, 0][..], &record(name)].concat());
    }

    fn audio_header(&mut self, config: &[u8]) {
        self.try_audio(0, &[&[0xAF, 0][..], config].concat()).unwrap();
    }

    fn idr(&mut self, millis: u32) {
        self.video(millis, &nalus(true, 0, &[&[0x65, 1, 2]]));
    }

    fn inter(&mut self, millis: u32) {
        self.video(millis, &nalus(false, 0, &[&[0x41, 1]]));
    }

    fn sound(&mut self, millis: u32) {
        self.try_audio(millis, &[0xAF, 1, 0x21, 9]).unwrap();
    }

    fn wait(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
        self.source.handle_timeout(self.now);
        self.drain();
    }

    /// Pictures of 40 ms and audio of 48 kHz for a span of media time, an IDR picture each second.
    fn run(&mut self, from: u32, to: u32) {
        let mut sound = u64::from(from);
        let mut units = 0;
        for millis in (0..to - from).step_by(40) {
            let time = from.wrapping_add(millis);
            if millis % 1_000 == 0 {
                self.idr(time);
            } else {
                self.inter(time);
            }
            while sound <= u64::from(from) + u64::from(millis) {
                self.sound(from.wrapping_add((units * 64 / 3) as u32));
                units += 1;
                sound = u64::from(from) + units * 64 / 3;
            }
            self.wait(40);
        }
    }

    fn tracks(&self) -> Vec<(bool, bool, i64)> {
        let all = self.events.iter().filter_map(|event| match event {
            SourceEvent::Tracks { tracks, start, .. } => {
                Some((tracks.video.is_some(), tracks.audio.is_some(), start.ticks()))
            }
            _ => None,
        });
        all.collect()
    }

    fn units(&self, track: TrackKind) -> Vec<&AccessUnit> {
        let all = self.events.iter().filter_map(|event| match event {
            SourceEvent::Unit(unit) if unit.track == track => Some(unit),
            _ => None,
        });
        all.collect()
    }

    /// Decode times of the pictures, from the start of the output, in ms.
    fn video_ms(&self) -> Vec<i64> {
        self.units(TrackKind::Video).iter().map(|unit| (unit.dts.ticks() - START) / 90).collect()
    }

    fn notices(&self) -> Vec<Notice> {
        let all = self.events.iter().filter_map(|event| match event {
            SourceEvent::Notice(notice) => Some(*notice),
            _ => None,
        });
        all.collect()
    }

    /// What every output must keep: units only after tracks, decode times rising per track, audio
    /// without gap or overlap between two track events, nothing empty, IDR first.
    fn check(&self) {
        let (mut video, mut audio, mut sync_due) = (i64::MIN, None::<i64>, false);
        let (mut tracks, mut floor) = (Tracks::default(), MediaTime::from_millis(0));
        for event in &self.events {
            match event {
                SourceEvent::Tracks { tracks: new, start, .. } => {
                    assert!(new.video.is_some() || new.audio.is_some());
                    (tracks, floor, audio) = (new.clone(), *start, None);
                    sync_due = true;
                }
                SourceEvent::Unit(unit) => {
                    assert!(!unit.payload.is_empty());
                    assert!(unit.dts >= floor, "{unit:?} before {floor:?}");
                    if unit.track == TrackKind::Video {
                        assert!(tracks.video.is_some());
                        assert!(unit.sync || !sync_due);
                        if sync_due {
                            assert_eq!((unit.pts, unit.dts), (floor, floor));
                        }
                        sync_due = false;
                        assert!(unit.dts.ticks() > video, "{unit:?} after {video}");
                        video = unit.dts.ticks();
                    } else {
                        let track = tracks.audio.as_ref().unwrap();
                        assert_eq!(unit.dts.timescale().hz(), track.sample_rate);
                        if let Some(next) = audio {
                            assert_eq!(unit.dts.ticks(), next);
                        }
                        audio = Some(unit.dts.ticks() + i64::from(track.samples_per_unit));
                    }
                }
                SourceEvent::Notice(_) => {}
            }
        }
    }
}
