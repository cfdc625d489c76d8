//! Bytes of real encoders (media/testdata/rtmp), in pieces of many sizes.

use crate::cursor::Cursor;
use crate::rtmp::event::Event;
use crate::rtmp::testing::{Driver, start};

struct Capture {
    name: &'static str,
    bytes: &'static [u8],
    client: &'static str,
    video: usize,
    audio: usize,
    /// Least and greatest time of a coded picture or sound, in ms.
    times: (u32, u32),
}

const CAPTURES: [Capture; 3] = [
    Capture {
        name: "FFmpeg",
        bytes: include_bytes!("../../../../testdata/rtmp/ffmpeg-5.1.9-late.bin"),
        client: "FMLE/3.0 (compatible; Lavf59.27.100)",
        video: 22,
        audio: 89,
        times: (16_776_177, 16_778_197),
    },
    Capture {
        name: "rtmp2sink",
        bytes: include_bytes!("../../../../testdata/rtmp/gstreamer-1.22-rtmp2sink.bin"),
        client: "LNX 10,0,32,18",
        video: 14,
        audio: 52,
        times: (0, 1_161),
    },
    Capture {
        name: "rtmpsink",
        bytes: include_bytes!("../../../../testdata/rtmp/gstreamer-1.22-rtmpsink.bin"),
        client: "",
        video: 14,
        audio: 52,
        times: (0, 1_161),
    },
];

fn feed(bytes: &[u8], piece: usize) -> Driver {
    let mut driver = Driver::new(start());
    bytes.chunks(piece).for_each(|piece| driver.feed(piece).unwrap());
    driver
}

/// An AVC or AAC tag that carries coded data rather than a configuration (FLV E.4.2.1, E.4.3.1).
fn is_coded(payload: &[u8]) -> bool {
    payload.get(1) == Some(&1)
}

/// NAL units with four-byte lengths fill the payload exactly: no chunk header slipped into it.
fn assert_whole_nal_units(payload: &[u8]) {
    let mut units = Cursor::new(&payload[5..]);
    while !units.is_empty() {
        let len = units.u32().unwrap();
        units.take(len as usize).unwrap();
    }
}

#[test]
fn captures_of_real_encoders() {
    for capture in CAPTURES {
        let name = capture.name;
        let driver = feed(capture.bytes, usize::MAX);
        let [Event::PublishRequested(request), media @ .., Event::Unpublished] = &driver.events[..]
        else {
            panic!("{name}: {:?}", driver.events.first())
        };
        assert_eq!((request.app.as_str(), request.client.as_str()), ("live", capture.client));
        assert!(request.stream_key.matches("vector"), "{name}");

        let (mut video, mut audio, mut times) = (0, 0, Vec::new());
        for event in media {
            let (timestamp, payload) = match event {
                Event::Video { timestamp, payload } => {
                    video += 1;
                    if is_coded(payload) {
                        assert_whole_nal_units(payload);
                    }
                    (timestamp, payload)
                }
                Event::Audio { timestamp, payload } => {
                    audio += 1;
                    (timestamp, payload)
                }
                Event::Metadata(object) => {
                    assert!(object.property("encoder").is_some(), "{name}");
                    continue;
                }
                Event::PublishRequested(_) | Event::Unpublished => panic!("{name}: {event:?}"),
            };
            if is_coded(payload) {
                times.push(timestamp.0);
            }
        }
        assert_eq!((video, audio), (capture.video, capture.audio), "{name}");
        let bounds = (*times.iter().min().unwrap(), *times.iter().max().unwrap());
        assert_eq!(bounds, capture.times, "{name}");

        let counters = driver.session.counters();
        assert_eq!(counters.bytes_received, capture.bytes.len() as u64, "{name}");
        assert_eq!(counters.quirks, crate::rtmp::Quirks::default(), "{name}");
        for piece in [1, 2, 3, 7, 127, 1_448, 4_096] {
            let pieces = feed(capture.bytes, piece);
            assert!(pieces.events == driver.events, "{name} in pieces of {piece}");
            assert!(pieces.sent == driver.sent, "{name} in pieces of {piece}");
        }
    }
}
