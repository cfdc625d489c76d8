//! Fuzz target of the source machine: messages with hostile times and bodies, reconnects and
//! timeouts; whatever comes, the output keeps its order.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{Source, SourceConfig, SourceEvent};
use crate::access_unit::{AccessUnit, TrackKind, Tracks};
use crate::flv::Metadata;
use crate::fuzzing::Choices;
use crate::limits;
use crate::time::{MediaTime, RtmpTimestamp};

/// avcC of 320x180 High, 30 and 25 pictures/s (x264 r3095; `testdata/PROVENANCE.md`).
const RECORDS: [&[u8]; 2] = [
    &[
        0x01, 0x64, 0x00, 0x0D, 0xFF, 0xE1, 0x00, 0x1C, 0x67, 0x64, 0x00, 0x0D, 0xAC, 0xD9, 0x41,
        0x41, 0x9F, 0x9F, 0x01, 0x6A, 0x02, 0x02, 0x02, 0x80, 0x00, 0x00, 0x03, 0x00, 0x80, 0x00,
        0x00, 0x1E, 0x07, 0x8A, 0x14, 0xCB, 0x01, 0x00, 0x06, 0x68, 0xEB, 0xE3, 0xCB, 0x22, 0xC0,
        0xFD, 0xF8, 0xF8, 0x00,
    ],
    &[
        0x01, 0x64, 0x00, 0x0D, 0xFF, 0xE1, 0x00, 0x1C, 0x67, 0x64, 0x00, 0x0D, 0xAC, 0xD9, 0x41,
        0x41, 0x9F, 0x9F, 0x01, 0x6A, 0x02, 0x02, 0x02, 0x80, 0x00, 0x00, 0x03, 0x00, 0x80, 0x00,
        0x00, 0x19, 0x07, 0x8A, 0x14, 0xCB, 0x01, 0x00, 0x06, 0x68, 0xEB, 0xE3, 0xCB, 0x22, 0xC0,
        0xFD, 0xF8, 0xF8, 0x00,
    ],
];
/// 48 kHz stereo, 44.1 kHz stereo, 22.05 kHz with SBR.
const CONFIGS: [&[u8]; 3] = [&[0x11, 0x90], &[0x12, 0x10], &[0x2B, 0x92, 0x08, 0x00]];
/// Steps of time between messages, in ms.
const STEPS: [u32; 16] = [
    0,
    1,
    10,
    20,
    23,
    33,
    40,
    100,
    499,
    501,
    2_000,
    9_999,
    10_001,
    0x7FFF_FFFF,
    // A step back by 40 ms and by 600 ms.
    0u32.wrapping_sub(40),
    0u32.wrapping_sub(600),
];
/// Messages of one input: longer ones show nothing new.
const STEPS_MAX: usize = 2_000;

/// A broadcast of messages, reconnects and timeouts.
pub fn source(now: Instant, data: &[u8]) {
    let mut choices = Choices::new(data);
    let mut publisher = Publisher {
        source: Source::new(SourceConfig::default()),
        now,
        time: choices.pick(&[0, 1_000, 0xFFFF_FF00, 0x7FFF_FF00]),
        observer: Observer::default(),
    };
    for _ in 0..STEPS_MAX {
        if choices.is_empty() {
            return;
        }
        publisher.step(&mut choices);
        while let Some(event) = publisher.source.poll_event() {
            publisher.observer.look(event);
        }
    }
}

struct Publisher {
    source: Source,
    now: Instant,
    /// RTMP milliseconds.
    time: u32,
    observer: Observer,
}

impl Publisher {
    fn step(&mut self, choices: &mut Choices<'_>) {
        let body: Vec<u8> = match choices.byte() % 16 {
            0 => [&[0x17, 0, 0, 0, 0][..], choices.pick(&RECORDS)].concat(),
            1 => return self.audio(&[&[0xAF, 0][..], choices.pick(&CONFIGS)].concat()),
            2 | 3 => picture(choices, 0x17, 0x65),
            4..=6 => picture(choices, 0x27, 0x41),
            7..=9 => return self.audio(&[0xAF, 1, 0x21, choices.byte(), 7]),
            10 => return self.advance(choices),
            11 => {
                let body = random_body(choices);
                return self.audio(&body);
            }
            12 => random_body(choices),
            13 => return self.metadata(choices),
            14 => return self.pass(choices),
            _ if choices.byte() < 32 => return self.source.reconnect(self.now),
            _ => return self.advance(choices),
        };
        let time = RtmpTimestamp(self.time);
        let _ = self.source.handle_video(self.now, time, &Bytes::from(body));
    }

    fn audio(&mut self, body: &[u8]) {
        let time = RtmpTimestamp(self.time);
        let _ = self.source.handle_audio(self.now, time, &Bytes::copy_from_slice(body));
    }

    fn advance(&mut self, choices: &mut Choices<'_>) {
        self.time = self.time.wrapping_add(choices.pick(&STEPS));
        self.now += Duration::from_millis(u64::from(choices.byte()));
    }

    fn metadata(&mut self, choices: &mut Choices<'_>) {
        let mut metadata = Metadata::default();
        let value = f64::from(choices.u16());
        let name = choices.pick(&["width", "framerate", "videocodecid", "audiocodecid", "stereo"]);
        metadata.set_number(name, value);
        metadata.set_number("audiosamplerate", f64::from(choices.u16()));
        self.source.handle_metadata(self.now, metadata);
    }

    fn pass(&mut self, choices: &mut Choices<'_>) {
        let end = self.now + Duration::from_millis(u64::from(choices.u16()));
        while let Some(due) = self.source.deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.source.handle_timeout(self.now);
            let moved = self.source.deadline().is_none_or(|next| next > self.now);
            assert!(moved, "a deadline that does not move");
        }
        self.now = end;
    }
}

fn random_body(choices: &mut Choices<'_>) -> Vec<u8> {
    let len = usize::from(choices.byte());
    choices.bytes(len).to_vec()
}

/// A picture of one NAL unit, now and then with another composition time.
fn picture(choices: &mut Choices<'_>, tag: u8, nal: u8) -> Vec<u8> {
    let shape = choices.byte();
    let offset: u32 = if shape < 0xC0 { u32::from(shape & 3) * 40 } else { choices.u32() };
    let [_, a, b, c] = offset.to_be_bytes();
    vec![tag, 1, a, b, c, 0, 0, 0, 3, nal, shape, 0x80]
}

/// Holds the output against what a segmenter relies on.
#[derive(Default)]
struct Observer {
    tracks: Tracks,
    /// Nothing may lie before the last start.
    floor: Option<MediaTime>,
    /// Decode time of the last picture, over the whole broadcast.
    video: Option<i64>,
    /// Where the last sound ended, since the last start.
    audio: Option<i64>,
    sync_due: bool,
}

impl Observer {
    fn look(&mut self, event: SourceEvent) {
        match event {
            SourceEvent::Tracks { tracks, start, .. } => {
                assert!(tracks.video.is_some() || tracks.audio.is_some(), "no track");
                assert!(start.ticks() >= limits::OUTPUT_START_90K, "{start:?} (CM-10)");
                self.tracks = tracks;
                self.floor = Some(start);
                self.audio = None;
                self.sync_due = true;
            }
            SourceEvent::Unit(unit) => self.unit(&unit),
            SourceEvent::Notice(_) => {}
        }
    }

    fn unit(&mut self, unit: &AccessUnit) {
        let Some(floor) = self.floor else { panic!("{unit:?} before any track") };
        assert!(!unit.payload.is_empty(), "an empty unit (CM-18)");
        assert!(unit.dts >= floor, "{unit:?} before {floor:?}");
        match unit.track {
            TrackKind::Video => {
                assert!(self.tracks.video.is_some(), "a picture without a track");
                assert!(unit.sync || !self.sync_due, "a start that is no IDR picture (AV-10)");
                if self.sync_due {
                    assert_eq!((unit.pts, unit.dts), (floor, floor));
                }
                self.sync_due = false;
                let dts = unit.dts.ticks();
                assert!(self.video.is_none_or(|last| last < dts), "{unit:?} steps back");
                self.video = Some(dts);
            }
            TrackKind::Audio => {
                let Some(track) = &self.tracks.audio else { panic!("sound without a track") };
                assert_eq!(unit.dts.timescale().hz(), track.sample_rate);
                let dts = unit.dts.ticks();
                // A hole stays where no silence is known, or more than the limit is missing.
                assert!(self.audio.is_none_or(|next| next <= dts), "sound overlaps (TS-5)");
                self.audio = Some(dts + i64::from(track.samples_per_unit));
            }
        }
    }
}
