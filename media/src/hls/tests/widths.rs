//! F40: broadcasts that cross the width of a counter, on an accelerated clock. Nothing special may
//! happen: one timeline, no hole in any `tfdt`, every picture once, dates that follow the media.

use bytes::Bytes;

use super::publisher::{AVCC, DATE, Server, audio_track, broadcast, sound, tracks, video_track};
use crate::access_unit::TrackKind;
use crate::hls::checker::Checker;
use crate::hls::checker::m3u8::{self, Playlist};
use crate::hls::checker::mp4;
use crate::hls::names::RenditionId;
use crate::hls::rendition_writer::{Anchor, Continuation, RenditionWriter};
use crate::hls::{Answer, Directives, Segmenter, SegmenterConfig, Update};
use crate::source::{Source, SourceConfig, SourceEvent};
use crate::time::{MediaTime, RtmpTimestamp, Timescale};

/// How long each broadcast lasts; the crossing lies in the middle.
const LENGTH_MS: u32 = 12_000;
const HALF_MS: u64 = 6_000;
const PICTURES: usize = 300;

const fn hours(hours: u64) -> u64 {
    hours * 3_600_000
}

/// Both renditions of a broadcast, judged after every update.
struct Judges {
    video: Checker,
    audio: Checker,
}

impl Judges {
    fn new() -> Self {
        Self { video: Checker::new("0", 90_000, true), audio: Checker::new("audio", 48_000, true) }
    }

    fn settle(&mut self, server: &mut Server) {
        server.settle_with(|window, _| {
            self.video.look(window);
            self.audio.look(window);
        });
    }

    /// What a whole crossing has left: all pictures, no discontinuity, and decode times that start
    /// where they should.
    fn verdict(&self, server: &mut Server, name: &str, start_90k: i64) {
        let fragments = |checker: &Checker| -> (i64, usize) {
            let first = checker.fragments.first().expect("media").1.decode_time;
            (first, checker.fragments.iter().map(|(_, fragment)| fragment.samples.len()).sum())
        };
        assert_eq!(fragments(&self.video), (start_90k, PICTURES), "{name}");
        let (first, sounds) = fragments(&self.audio);
        assert!((first - start_90k * 8 / 15).abs() < 1_024, "{name}: sound starts at {first}");
        assert!((561..=563).contains(&sounds), "{name}: {sounds} units of sound in 12 s");
        for rendition in ["0", "audio"] {
            let list = listed(server, rendition);
            assert!(list.segments.iter().all(|s| !s.discontinuity && !s.gap), "{name}: {list:#?}");
            assert!(list.segments.len() >= 6, "{name}: {list:#?}");
        }
        assert_eq!(self.video.hints_missed + self.audio.hints_missed, 0, "{name}");
    }
}

fn listed(server: &mut Server, rendition: &str) -> Playlist {
    match server.window.playlist(rendition, &Directives::default()) {
        Answer::Ready(snapshot) => m3u8::parse(std::str::from_utf8(snapshot.text()).unwrap()),
        other => panic!("{other:?}"),
    }
}

/// One message of a publisher at 25 pictures a second: every second a sync picture.
fn message(source: &mut Source, server: &Server, video: bool, step: u64, millis: u32) {
    let at = RtmpTimestamp(millis);
    if video {
        let first = if step.is_multiple_of(25) { 0x17 } else { 0x27 };
        let nal = if first == 0x17 { 0x65 } else { 0x41 };
        let body = [&[first, 1, 0, 0, 0, 0, 0, 0, 9, nal][..], &step.to_be_bytes()].concat();
        source.handle_video(server.now, at, &Bytes::from(body)).unwrap();
    } else {
        let body = [&[0xAF, 1, 0x21][..], &step.to_be_bytes()].concat();
        source.handle_audio(server.now, at, &Bytes::from(body)).unwrap();
    }
}

fn carry(source: &mut Source, segmenter: &mut Segmenter) {
    while let Some(event) = source.poll_event() {
        match event {
            SourceEvent::Tracks { tracks, start, .. } => segmenter.start(tracks, start, DATE),
            SourceEvent::Unit(unit) => segmenter.push(unit),
            SourceEvent::Notice(_) => {}
        }
    }
}

#[test]
fn f40_message_times_cross_every_width() {
    for (name, middle, modulus) in [
        ("4.66 h: a counter of three bytes", 1_u64 << 24, 1_u64 << 24),
        ("13.25 h: 32 bits at 90 kHz", 47_721_858, 1 << 32),
        ("24 h", hours(24), 1 << 32),
        ("26.5 h: 33 bits at 90 kHz", 95_443_717, 1 << 32),
        ("24.8 days: a signed counter starts again", 1 << 31, 1 << 31),
        ("24.8 days: the sign changes", 1 << 31, 1 << 32),
        ("49.7 days: 32 bits start again", 1 << 32, 1 << 32),
    ] {
        let mut server = Server::new(60_000);
        let mut source = Source::new(SourceConfig::default());
        let mut judges = Judges::new();
        let from = middle - HALF_MS;
        let millis = |offset: u64| u32::try_from((from + offset) % modulus).unwrap();
        let header = [&[0x17, 0, 0, 0, 0][..], &AVCC, &[0]].concat();
        let header = Bytes::from(header);
        source.handle_video(server.now, RtmpTimestamp(millis(0)), &header).unwrap();
        let header = Bytes::from_static(&[0xAF, 0, 0x11, 0x90]);
        source.handle_audio(server.now, RtmpTimestamp(millis(0)), &header).unwrap();
        let (mut pictures, mut sounds) = (0_u64, 0_u64);
        while pictures < PICTURES as u64 {
            // Whole milliseconds on the wire, as encoders round them.
            let (picture, sound) = (pictures * 40, sounds * 64 / 3);
            let video = picture <= sound;
            let (step, offset) = if video { (pictures, picture) } else { (sounds, sound) };
            message(&mut source, &server, video, step, millis(offset));
            pictures += u64::from(video);
            sounds += u64::from(!video);
            carry(&mut source, &mut server.segmenter);
            judges.settle(&mut server);
        }
        server.segmenter.end();
        judges.settle(&mut server);
        assert_eq!(source.counters().timeline_breaks, 0, "{name}");
        assert_eq!(source.counters().clamped, 0, "{name}");
        judges.verdict(&mut server, name, crate::limits::OUTPUT_START_90K);
    }
}

#[test]
fn f40_output_times_and_numbers_cross_every_width() {
    let js_safe = (1_u64 << 53) - 1;
    for (name, middle_ms, first_msn) in [
        ("13.25 h: 32 bits at 90 kHz", 47_721_858_i64, 1_u64),
        ("24.85 h: 32 bits of samples at 48 kHz", 89_478_485, 1),
        ("26.5 h: 33 bits at 90 kHz", 95_443_717, 1),
        ("24.8 days", 1 << 31, 1),
        ("49.7 days", 1 << 32, 1),
        ("segment 2^31", 16_000, (1 << 31) - 3),
        ("segment 2^32", 16_000, (1 << 32) - 3),
        ("the last numbers that JavaScript holds", 16_000, js_safe - 7),
    ] {
        let mut server = Server::new(60_000);
        server.segmenter = Segmenter::new(SegmenterConfig { first_msn, ..Default::default() });
        let mut judges = Judges::new();
        let half = i64::try_from(HALF_MS).unwrap();
        let (from, to) = (middle_ms - half, middle_ms - half + i64::from(LENGTH_MS));
        let both = tracks(Some(video_track(Some(25_000))), Some(audio_track(48_000)));
        server.segmenter.start(both, MediaTime::from_millis(from), DATE);
        for unit in broadcast(from, to, 25, 1_000) {
            server.segmenter.push(unit);
            judges.settle(&mut server);
        }
        let open = listed(&mut server, "0").segments.last().unwrap().msn;
        let asked = Directives { msn: Some(open + 1), part: Some(0), ..Directives::default() };
        let answer = server.window.playlist("0", &asked);
        assert!(matches!(answer, Answer::Wait(_)), "{name}: {answer:?}");
        server.segmenter.end();
        judges.settle(&mut server);
        judges.verdict(&mut server, name, from * 90);
        let list = listed(&mut server, "0");
        assert_eq!(list.media_sequence, first_msn, "{name}");
        let last = list.segments.last().unwrap();
        assert_eq!(server.segmenter.next_msn(), last.msn + 1, "{name}");
        assert_eq!(last.uri, format!("{}.m4s", last.msn), "{name}");
        // Dates count from the anchor, whatever the width of the times.
        let mut date_ms = 36_000_000;
        for segment in &list.segments {
            assert_eq!(segment.date_ms, Some(date_ms), "{name}");
            date_ms += segment.duration.unwrap() / 100;
        }
    }
}

#[test]
fn f40_fragment_numbers_go_round() {
    let rate = Timescale::new(48_000).unwrap();
    let anchor = Anchor { start: MediaTime::from_millis(10_000), date: DATE };
    let from = Continuation { msn: 7, sequence_number: u32::MAX - 1, discontinuity: false };
    let (target, limit) = (MediaTime::from_millis(334), MediaTime::from_millis(3_000));
    let mut writer = RenditionWriter::new(
        Some(RenditionId::Audio),
        TrackKind::Audio,
        rate,
        anchor,
        target,
        limit,
        from,
    );
    let mut updates = std::collections::VecDeque::new();
    for unit in 0..75 {
        let unit = sound(10_000, unit, 48_000);
        let from = unit.dts.ticks();
        writer.close_full_part(1_024, &mut updates);
        writer.append(unit, from, from + 1_024, &mut updates);
    }
    writer.close_segment(writer.end(), &mut updates);
    let numbers: Vec<u32> = updates
        .iter()
        .filter_map(|update| match update {
            Update::Part(part) => Some(mp4::parse_part(&part.bytes).sequence_number),
            _ => None,
        })
        .collect();
    assert_eq!(numbers, [u32::MAX - 1, u32::MAX, 0, 1, 2]);
    assert_eq!(writer.sequence_number(), 3);
}
