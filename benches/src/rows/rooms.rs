//! P16, P17: the media room by itself, in this process: RTMP bytes to messages, messages to parts,
//! parts to playlists.

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use riverrun_media::access_unit::{AccessUnit, Tracks};
use riverrun_media::amf::Value;
use riverrun_media::hls::{
    Answer, Directives, Segmenter, SegmenterConfig, Update, Window, WindowConfig,
};
use riverrun_media::rtmp::{Event, Session, SessionConfig};
use riverrun_media::source::{Source, SourceConfig, SourceEvent};
use riverrun_media::time::{MediaTime, RtmpTimestamp, UnixTime};

use crate::footage::{Footage, Kind};
use crate::rtmp::{write_command, write_message};
use crate::table::{Goal, Row};
use crate::{Outcome, cpu};

use super::{Setting, footage};

/// What one read of the shell hands over.
const READ_BYTES: usize = 64 << 10;

/// Sixty seconds of 6 Mb/s from memory.
pub fn rows(setting: &Setting) -> Outcome<Vec<Row>> {
    let film = footage(6_000_000, 128_000, 60);
    let mut rows = Vec::new();
    for (chunk, must, stretch) in [(128, 1.0, 2.0), (4_096, 2.5, 4.0), (65_536, 4.0, 8.0)] {
        let wire = wire(&film, chunk);
        let mut rates = Vec::new();
        for _ in 0..setting.repeats.max(3) {
            let begin = cpu::thread_seconds();
            let messages = parse(&wire)?;
            rates.push(wire.len() as f64 / (cpu::thread_seconds() - begin) / 1e9);
            if messages < film.tags.len() {
                return Err(format!("{messages} of {} messages", film.tags.len()).into());
            }
        }
        rows.push(Row::alone(
            format!("P16 RTMP bytes to messages, chunks of {chunk}"),
            "GB/s",
            rates,
            Goal::Least(must),
            Goal::Least(stretch),
        ));
    }
    let (mut rates, mut lists, mut deltas) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..setting.repeats.max(3) {
        let packaged = package(&film)?;
        rates.push(film.byte_len() as f64 / packaged.segmenter_seconds / 1e9);
        lists.push(packaged.playlist_micros);
        deltas.push(packaged.delta_micros);
    }
    rows.push(Row::alone(
        "P17 pictures and sound to parts",
        "GB/s",
        rates,
        Goal::Least(3.0),
        Goal::Least(6.0),
    ));
    rows.push(Row::alone(
        "P17 build of a playlist, 60 s window",
        "µs",
        lists,
        Goal::Most(20.0),
        Goal::Most(8.0),
    ));
    rows.push(Row::alone(
        "P17 build of a delta update",
        "µs",
        deltas,
        Goal::Most(5.0),
        Goal::Most(2.0),
    ));
    Ok(rows)
}

/// A whole connection as bytes.
fn wire(film: &Footage, chunk: usize) -> Vec<u8> {
    let mut wire = vec![0; 1 + 2 * 1_536];
    wire[0] = 3;
    let size = u32::try_from(chunk).unwrap_or(u32::MAX).to_be_bytes();
    write_message(&mut wire, 128, 2, 1, 0, 0, &size);
    let object = Value::object([("app", Value::string("live"))]);
    write_command(&mut wire, chunk, 3, 0, "connect", 1.0, &[object]);
    write_command(&mut wire, chunk, 3, 0, "createStream", 2.0, &[Value::Null]);
    let publish = [Value::Null, Value::string("key"), Value::string("live")];
    write_command(&mut wire, chunk, 4, 1, "publish", 3.0, &publish);
    for tag in &film.tags {
        let lane = if tag.kind == Kind::Video { 6 } else { 5 };
        let millis = u32::try_from(tag.millis).unwrap_or(u32::MAX);
        write_message(&mut wire, chunk, lane, tag.kind.id(), millis, 1, &tag.payload);
    }
    wire
}

fn parse(wire: &[u8]) -> Outcome<usize> {
    let now = Instant::now();
    let mut session = Session::new(now, [7; 32], SessionConfig::default());
    let mut messages = 0;
    for read in wire.chunks(READ_BYTES) {
        session.handle_input(now, read)?;
        while let Some(event) = session.poll_event() {
            match black_box(event) {
                Event::PublishRequested(_) => session.accept_publish(now),
                Event::Video { .. } | Event::Audio { .. } => messages += 1,
                Event::Unpublished | Event::Metadata(_) => {}
            }
        }
        while session.poll_transmit().is_some() {}
    }
    Ok(messages)
}

struct Packaged {
    segmenter_seconds: f64,
    playlist_micros: f64,
    delta_micros: f64,
}

/// What a broadcast's segmenter is given, in order.
enum Fed {
    Tracks(Tracks, MediaTime),
    Unit(AccessUnit),
}

/// Messages that are timed together, a third of a second: asking the clock costs as much as a small
/// unit, and no more than a part has left the caches.
const TIMED_TOGETHER: usize = 26;

/// Messages to access units, not timed; those to parts, timed; parts to playlists, timed apart.
fn package(film: &Footage) -> Outcome<Packaged> {
    let now = Instant::now();
    let mut source = Source::new(SourceConfig::default());
    let mut segmenter = Segmenter::new(SegmenterConfig::default());
    let mut window = Window::new(WindowConfig::default());
    let (mut fed, mut updates) = (Vec::new(), Vec::new());
    let mut segmenter_seconds = 0.0;
    for tags in film.tags.chunks(TIMED_TOGETHER) {
        for tag in tags {
            let time = RtmpTimestamp(u32::try_from(tag.millis)?);
            let payload = Bytes::copy_from_slice(&tag.payload);
            match tag.kind {
                Kind::Video => source.handle_video(now, time, &payload)?,
                Kind::Audio => source.handle_audio(now, time, &payload)?,
                Kind::Script => {}
            }
        }
        while let Some(event) = source.poll_event() {
            match event {
                SourceEvent::Tracks { tracks, start, .. } => fed.push(Fed::Tracks(tracks, start)),
                SourceEvent::Unit(unit) => fed.push(Fed::Unit(unit)),
                SourceEvent::Notice(_) => {}
            }
        }
        let begin = cpu::thread_seconds();
        for fed in fed.drain(..) {
            match fed {
                Fed::Tracks(tracks, start) => {
                    segmenter.start(tracks, start, UnixTime::from_millis(0));
                }
                Fed::Unit(unit) => segmenter.push(unit),
            }
            while let Some(update) = segmenter.poll_update() {
                updates.push(update);
            }
        }
        segmenter_seconds += cpu::thread_seconds() - begin;
    }
    let whole = Directives::default();
    let delta = Directives { skip: true, ..Directives::default() };
    let (mut lists, mut deltas) = (Vec::new(), Vec::new());
    for update in updates {
        let is_part = matches!(update, Update::Part(_));
        window.apply(now, update);
        if is_part {
            for (directives, times) in [(&whole, &mut lists), (&delta, &mut deltas)] {
                let begin = cpu::thread_seconds();
                if let Answer::Ready(snapshot) = black_box(window.playlist("0", directives)) {
                    black_box(snapshot.text());
                    times.push((cpu::thread_seconds() - begin) * 1e6);
                }
            }
        }
    }
    // The last third: the window is full.
    let full =
        |times: &[f64]| crate::stats::median(times.get(times.len() * 2 / 3..).unwrap_or(&[]));
    Ok(Packaged { segmenter_seconds, playlist_micros: full(&lists), delta_micros: full(&deltas) })
}
