//! A publisher that moves to another connection when the server asks it to (RC-6). No program at
//! hand announces that it can, so this one is ours: a handshake, three commands and the tags of a
//! clip at the speed they play.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::flv;
use crate::frames::Tracks;
use crate::player::{follow_all, wait_segments};
use crate::publish::clip;
use crate::server::{STREAM_KEY, Server};
use crate::tool::{read, wait_for};

const BOTH: Tracks = Tracks { video: true, audio: true };
const LIMIT: Duration = Duration::from_secs(20);
/// RTMP's greatest: every message is one chunk.
const CHUNK_SIZE: u32 = 0x00FF_FFFF;

struct Moving {
    leaves: Arc<AtomicBool>,
    replies: Arc<Mutex<Vec<u8>>>,
    sending: JoinHandle<()>,
}

impl Moving {
    fn start(server: &Server, clip_name: &str) -> Self {
        let mut socket = TcpStream::connect(server.rtmp).expect("the server listens");
        let mut incoming = socket.try_clone().expect("a socket");
        let replies = Arc::<Mutex<Vec<u8>>>::default();
        let kept = Arc::clone(&replies);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(len @ 1..) = incoming.read(&mut buffer) {
                kept.lock().expect("nobody panics with it").extend_from_slice(&buffer[..len]);
            }
        });
        let tags = flv::tags(&read(&clip(clip_name)));
        let leaves = Arc::<AtomicBool>::default();
        let told = Arc::clone(&leaves);
        let sending = thread::spawn(move || {
            socket.write_all(&opening()).expect("the server reads");
            let started = Instant::now();
            for tag in tags.iter().filter(|tag| tag.is_media()) {
                let due = started + Duration::from_millis(tag.millis.into());
                thread::sleep(due.saturating_duration_since(Instant::now()));
                if told.load(Ordering::Relaxed) {
                    break;
                }
                let bytes = message(6, tag.kind, tag.millis, 1, &tag.body);
                socket.write_all(&bytes).expect("the server reads until we leave");
            }
            let _ = socket.shutdown(Shutdown::Both);
        });
        Self { leaves, replies, sending }
    }

    fn heard(&self, word: &[u8]) -> Option<()> {
        let replies = self.replies.lock().expect("nobody panics with it");
        replies.windows(word.len()).any(|window| window == word).then_some(())
    }

    fn leave(self) {
        self.leaves.store(true, Ordering::Relaxed);
        self.sending.join().expect("it was heard to the end");
    }
}

/// Handshake, Set Chunk Size, and what asks to publish; the server needs no answer in between.
fn opening() -> Vec<u8> {
    let len = |text: &str| u8::try_from(text.len()).expect("short");
    let string = |text: &str| [&[2, 0, len(text)][..], text.as_bytes()].concat();
    let number = |number: f64| [&[0][..], &number.to_be_bytes()].concat();
    let name = |text: &str| string(text)[1..].to_vec();
    let can_reconnect =
        [vec![3], name("app"), string("live"), name("capsEx"), number(1.0), vec![0, 0, 9]].concat();
    let connect = [string("connect"), number(1.0), can_reconnect].concat();
    let create = [string("createStream"), number(2.0), vec![5]].concat();
    let publish =
        [string("publish"), number(3.0), vec![5], string(STREAM_KEY), string("live")].concat();
    let mut bytes = vec![0; 1 + 2 * 1536];
    bytes[0] = 3;
    bytes.extend(message(2, 1, 0, 0, &CHUNK_SIZE.to_be_bytes()));
    bytes.extend(message(3, 20, 0, 0, &connect));
    bytes.extend(message(3, 20, 0, 0, &create));
    bytes.extend(message(4, 20, 0, 1, &publish));
    bytes
}

/// One chunk with a whole header (CK-2).
fn message(chunk_stream: u8, kind: u8, millis: u32, stream: u32, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).expect("24 bits");
    let mut bytes = vec![chunk_stream];
    bytes.extend_from_slice(&millis.to_be_bytes()[1..]);
    bytes.extend_from_slice(&len.to_be_bytes()[1..]);
    bytes.push(kind);
    bytes.extend_from_slice(&stream.to_le_bytes());
    bytes.extend_from_slice(body);
    bytes
}

#[test]
fn rc_6_what_a_publisher_sends_before_it_moves_is_seen() {
    /// It moves at its next keyframe; the server waits for 3 s.
    const GOES_ON: Duration = Duration::from_millis(1_500);
    let mut server = Server::start();
    let publisher = Moving::start(&server, "fps25");
    let followers = follow_all(&server, BOTH);
    wait_segments(&server, BOTH, 1);
    server.terminate();
    let asked = wait_for("the request to connect again", LIMIT, || {
        publisher.heard(b"NetConnection.Connect.ReconnectRequest").map(|()| Instant::now())
    });
    thread::sleep(GOES_ON);
    publisher.leave();
    for follower in followers {
        let recording = follower.wait_end(LIMIT);
        recording.assert_clean();
        assert!(recording.ended(), "F36: ENDLIST before the server goes");
        let last = recording.arrivals.last().expect("parts").at;
        assert!(last > asked + GOES_ON / 2, "nothing was taken after the request");
    }
    assert_eq!(server.wait_end(LIMIT).code(), Some(0), "{}", server.log());
}

/// One that says that it can and does not go has had its time.
#[test]
fn rc_6_a_publisher_that_does_not_move_holds_nobody_up() {
    let mut server = Server::start();
    let publisher = Moving::start(&server, "fps25");
    wait_segments(&server, BOTH, 1);
    server.terminate();
    let status = server.wait_end(Duration::from_secs(10));
    assert_eq!(status.code(), Some(0), "{}", server.log());
    drop(publisher);
}
