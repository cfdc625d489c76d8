//! Recorded publishers (`tests/vectors`) replayed: whole, byte by byte and in pieces over a socket,
//! and cut in two at every position in process. What comes out is the same every time.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use riverrun_media::hls::{Segmenter, SegmenterConfig};
use riverrun_media::rtmp::{Event, Session, SessionConfig};
use riverrun_media::source::{Source, SourceConfig, SourceEvent};
use riverrun_media::time::UnixTime;

use crate::player::{Follower, Recording};
use crate::server::Server;
use crate::tool::{read, root, wait_for};

/// The recordings, by name.
pub(crate) fn vectors() -> Vec<(String, Vec<u8>)> {
    let folder = root().join("tests/vectors");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("tests/vectors")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "rtmp"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 2, "{paths:?}");
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), read(path))).collect()
}

/// Init sections, and each segment's parts: all bytes a viewer gets, without names and dates.
#[derive(PartialEq)]
struct Output {
    video: Track,
    audio: Track,
}

/// What a viewer gets of one rendition.
type Track = (Vec<Vec<u8>>, Vec<(String, Vec<Vec<u8>>)>);

fn track(recording: &Recording) -> Track {
    recording.assert_clean();
    let inits = recording.inits.values().cloned().collect();
    let segments = recording
        .segments
        .values()
        .map(|segment| (format!("{:.5}", segment.duration), segment.parts.clone()))
        .collect();
    (inits, segments)
}

/// Replays the pieces of a recording to a fresh server, one write each, and collects what comes
/// out to the end of the broadcast.
fn replay<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Output {
    let server = Server::start();
    let mut publisher = TcpStream::connect(server.rtmp).expect("the server listens");
    publisher.set_nodelay(true).expect("a socket");
    // The server's replies must be read, or closing would throw the last bytes away.
    let mut replies = publisher.try_clone().expect("a socket");
    let reader = std::thread::spawn(move || {
        let _ = replies.read_to_end(&mut Vec::new());
    });
    for piece in pieces {
        publisher.write_all(piece).expect("the server reads");
    }
    let follow = |path: &str| {
        wait_for(path, Duration::from_secs(20), || (server.get(path).status == 200).then_some(()));
        Follower::start(server.http, path).wait_end(Duration::from_secs(60))
    };
    let video = track(&follow("/hls/0/stream.m3u8"));
    let audio = track(&follow("/hls/audio/stream.m3u8"));
    // The recording says goodbye by itself; the socket stays open until that took effect.
    publisher.shutdown(Shutdown::Both).expect("a socket");
    reader.join().expect("it only reads");
    Output { video, audio }
}

#[test]
fn over_a_socket_in_pieces_of_any_size() {
    for (name, bytes) in vectors() {
        let whole = replay(std::iter::once(&bytes[..]));
        let pictures: usize = whole.video.1.iter().map(|(_, parts)| parts.len()).sum();
        assert!(pictures >= 5, "{name}: {pictures} parts");
        for size in [1, 7, 129, 1460] {
            let pieces = replay(bytes.chunks(size));
            assert!(pieces == whole, "{name} in pieces of {size} differs from whole");
        }
    }
}

/// A publisher may have gone before it is on air: `ffmpeg` with a short clip and no reading of its
/// input does that. Its answers are unread, so closing resets the connection.
#[test]
fn sent_in_one_burst_and_closed_at_once() {
    for (name, bytes) in vectors() {
        let whole = replay(std::iter::once(&bytes[..]));
        let server = Server::start();
        let mut publisher = TcpStream::connect(server.rtmp).expect("the server listens");
        publisher.write_all(&bytes).expect("the server reads");
        drop(publisher);
        let follow = |path: &str| {
            server.wait_ok(path, Duration::from_secs(20));
            Follower::start(server.http, path).wait_end(Duration::from_secs(60))
        };
        let video = track(&follow("/hls/0/stream.m3u8"));
        let audio = track(&follow("/hls/audio/stream.m3u8"));
        assert!(Output { video, audio } == whole, "{name} lost something in a burst");
    }
}

/// All that a session tells its owner about a recording that arrives in these pieces.
fn events<'a>(now: Instant, pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut session = Session::new(now, [7; 32], SessionConfig::default());
    let mut events = Vec::new();
    for piece in pieces {
        session.handle_input(now, piece).expect("the recording is sound");
        while let Some(event) = session.poll_event() {
            if matches!(event, Event::PublishRequested(_)) {
                session.accept_publish(now);
            }
            events.push(event);
        }
        while session.poll_transmit().is_some() {}
    }
    events
}

/// What viewers would get of these events, in words: every update with all its bytes.
fn output(now: Instant, events: &[Event]) -> Vec<String> {
    let mut source = Source::new(SourceConfig::default());
    let mut segmenter = Segmenter::new(SegmenterConfig::default());
    let mut updates = Vec::new();
    for event in events {
        match event {
            Event::Metadata(value) => source.handle_metadata(now, value.into()),
            Event::Video { timestamp, payload } => {
                source.handle_video(now, *timestamp, payload).expect("H.264");
            }
            Event::Audio { timestamp, payload } => {
                source.handle_audio(now, *timestamp, payload).expect("AAC");
            }
            Event::PublishRequested(_) | Event::Unpublished => {}
        }
        while let Some(event) = source.poll_event() {
            match event {
                SourceEvent::Tracks { tracks, start, .. } => {
                    segmenter.start(tracks, start, UnixTime::from_millis(0));
                }
                SourceEvent::Unit(unit) => segmenter.push(unit),
                SourceEvent::Notice(_) => {}
            }
        }
    }
    segmenter.end();
    while let Some(update) = segmenter.poll_update() {
        updates.push(format!("{update:?}"));
    }
    updates
}

#[test]
fn cut_in_two_at_every_position() {
    let now = Instant::now();
    for (name, bytes) in vectors() {
        let whole = events(now, std::iter::once(&bytes[..]));
        let media = |event: &&Event| matches!(event, Event::Video { .. } | Event::Audio { .. });
        assert!(whole.iter().filter(media).count() > 130, "{name}: {}", whole.len());
        for cut in 0..=bytes.len() {
            let (head, tail) = bytes.split_at(cut);
            let parted = events(now, [head, tail].into_iter());
            assert!(parted == whole, "{name} cut at {cut} reads differently");
        }
    }
}

#[test]
fn in_process_in_pieces_of_any_size() {
    let now = Instant::now();
    for (name, bytes) in vectors() {
        let whole = output(now, &events(now, std::iter::once(&bytes[..])));
        assert!(whole.len() > 20, "{name}: {} updates", whole.len());
        for size in [1, 2, 3, 7, 128, 129, 1460, 4096] {
            let parted = output(now, &events(now, bytes.chunks(size)));
            assert!(parted == whole, "{name} in pieces of {size} differs from whole");
        }
    }
}
