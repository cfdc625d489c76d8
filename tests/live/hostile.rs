//! Peers that mean harm or are broken, beside a live broadcast that must not notice: garbage on
//! both ports, damaged recordings, huge claims, slow drips in every phase, idle crowds.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::http::{self, Connection};
use crate::player::Follower;
use crate::playlist::Media;
use crate::publish::{Pace, Program, Publisher};
use crate::recorded::vectors;
use crate::server::{Server, idle_connections};
use crate::tool::wait_for;
use crate::watched::{MEMORY_BUDGET, Watched};

/// Xorshift: the same bytes on every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next().to_le_bytes()[3]).collect()
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).expect("below a usize")
    }
}

/// Sends what the peer takes, reads what it says, and leaves.
fn throw(address: SocketAddr, bytes: &[u8]) {
    let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_secs(5)) else {
        return;
    };
    let _ = stream.set_write_timeout(Some(Duration::from_secs(2)));
    let _ = stream.set_read_timeout(Some(Duration::from_millis(30)));
    let _ = stream.write_all(bytes);
    let _ = stream.read(&mut [0; 4096]);
}

#[test]
fn garbage_on_both_ports() {
    let watched = Watched::start();
    let mut noise = Noise(0x5eed_0001);
    for round in 0..150 {
        let length = 1 + noise.below(6000);
        let mut bytes = noise.bytes(length);
        // Half of the RTMP garbage gets past the version byte, a part of it past the handshake.
        if round % 2 == 0 {
            bytes[0] = 3;
        }
        throw(watched.server.rtmp, &bytes);
        throw(watched.server.http, &bytes);
    }
    for text in [
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n folded: x\r\n\r\n",
        "GET http://[::1 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /%00%ff HTTP/1.1\r\nHost: a\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut connection = Connection::open(watched.server.http).expect("the server listens");
        let _ = connection.send_raw(text.as_bytes());
        if let Ok(answer) = connection.receive("GET", Duration::from_secs(15)) {
            let refused = (400..=505).contains(&answer.status);
            assert!(refused, "{text:?} was answered {}", answer.status);
        }
    }
    watched.assert_unharmed();
}

#[test]
fn damaged_recordings_beside_a_broadcast() {
    let watched = Watched::start();
    let mut noise = Noise(0x5eed_0002);
    for (_, bytes) in vectors() {
        for cut in (1..bytes.len()).step_by(bytes.len() / 60) {
            throw(watched.server.rtmp, &bytes[..cut]);
        }
        for _ in 0..60 {
            throw(watched.server.rtmp, &flipped(&bytes, &mut noise));
        }
    }
    watched.assert_unharmed();
}

/// One to four bits of a recording turned over, anywhere.
fn flipped(bytes: &[u8], noise: &mut Noise) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + noise.below(4) {
        let at = noise.below(bytes.len());
        bytes[at] ^= 1 << noise.below(8);
    }
    bytes
}

/// Here the recordings have the right key: their damaged media goes all the way through.
#[test]
fn damaged_media_of_an_accepted_publisher() {
    let mut server = Server::start_with(&["--grace-seconds", "1"]);
    let resident_before = server.resident();
    let mut noise = Noise(0x5eed_0003);
    for (name, bytes) in vectors() {
        // The handshake is random anyway; damage what comes after it.
        let head = 3073;
        for _ in 0..80 {
            let mut damaged = bytes.clone();
            damaged[head..].copy_from_slice(&flipped(&bytes[head..], &mut noise));
            throw(server.rtmp, &damaged);
        }
        for cut in (head..bytes.len()).step_by((bytes.len() - head) / 40) {
            throw(server.rtmp, &bytes[..cut]);
        }
        assert!(server.runs(), "{name} ended the server");
    }
    let log = server.log();
    assert!(!log.contains("panicked"), "{log}");
    let grown = server.resident().saturating_sub(resident_before);
    assert!(grown < MEMORY_BUDGET, "memory grew by {} MiB", grown >> 20);
    // After all that a good publisher is served as ever.
    let publisher = Publisher::start(Program::Ffmpeg, "fps25", Pace::Live, &server.publish_url());
    wait_for("a live playlist", Duration::from_secs(30), || {
        let answer = server.get("/hls/0/stream.m3u8");
        (answer.status == 200 && !Media::parse(answer.text()).ended).then_some(())
    });
    let recording =
        Follower::start(server.http, "/hls/0/stream.m3u8").wait_end(Duration::from_secs(60));
    recording.assert_clean();
    publisher.finish(Duration::from_secs(60));
}

#[test]
fn huge_claims_cost_nothing() {
    let watched = Watched::start();
    let handshake = {
        let mut bytes = vec![3];
        bytes.extend(Noise(0x5eed_0004).bytes(1536));
        bytes[1..9].fill(0);
        bytes.extend(Noise(0x5eed_0005).bytes(1536));
        bytes
    };
    // Chunk headers of type 0: 3 bytes of time, 3 of length, type, stream id.
    let chunk = |length: [u8; 3], kind: u8| {
        let mut bytes = vec![3, 0, 0, 0];
        bytes.extend(length);
        bytes.extend([kind, 1, 0, 0, 0]);
        bytes
    };
    let mut held = Vec::new();
    for round in 0..20 {
        let mut bytes = handshake.clone();
        match round % 4 {
            // A command of 16 MiB.
            0 => bytes.extend(chunk([0xff; 3], 20)),
            // A chunk size of 2 GiB, then a video message that claims to use it.
            1 => {
                bytes.extend(chunk([0, 0, 4], 1));
                bytes.extend(0x7fff_ffff_u32.to_be_bytes());
                bytes.extend(chunk([0xff; 3], 9));
            }
            // A chunk size of zero.
            2 => {
                bytes.extend(chunk([0, 0, 4], 1));
                bytes.extend([0; 4]);
            }
            // Thousands of chunk streams, each with a message begun.
            _ => {
                for id in 0..4000_u16 {
                    let [high, low] = id.to_be_bytes();
                    bytes.extend([1, low, high, 0, 0, 0, 0, 0xff, 0xff, 8, 1, 0, 0, 0]);
                }
            }
        }
        if let Ok(mut stream) = TcpStream::connect(watched.server.rtmp) {
            let _ = stream.set_write_timeout(Some(Duration::from_secs(2)));
            let _ = stream.write_all(&bytes);
            held.push(stream);
        }
    }
    let long = "x".repeat(1 << 20);
    for (request, status) in [
        (format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n"), 414),
        (format!("GET / HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n"), 431),
        (
            "POST /api/status HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999999999\r\n\r\n"
                .to_owned(),
            413,
        ),
    ] {
        let mut connection = Connection::open(watched.server.http).expect("the server listens");
        // The server may stop reading before all is sent.
        let _ = connection.send_raw(request.as_bytes());
        let answer = connection.receive("POST", Duration::from_secs(15));
        match answer {
            Ok(answer) if status == 413 => {
                assert!([404, 405, 413].contains(&answer.status), "{}", answer.status);
            }
            Ok(answer) => assert_eq!(answer.status, status),
            // A reset that overtakes the answer is the kernel's doing.
            Err(_) => {}
        }
    }
    assert!(watched.server.resident() < watched.resident_before + MEMORY_BUDGET);
    drop(held);
    watched.assert_unharmed();
}

/// Sends one byte at a time from a script that never ends its phase; gives how long the server
/// endured it.
fn drip(address: SocketAddr, at_once: &[u8], slowly: &[u8]) -> Duration {
    let started = Instant::now();
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.write_all(at_once).expect("the server reads what is prompt");
    stream.set_read_timeout(Some(Duration::from_millis(500))).expect("a socket");
    for byte in slowly.iter().cycle() {
        if started.elapsed() > Duration::from_secs(90) {
            break;
        }
        if stream.write_all(&[*byte]).is_err() {
            break;
        }
        loop {
            match stream.read(&mut [0; 8192]) {
                Ok(0) => return started.elapsed(),
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(_) => return started.elapsed(),
            }
        }
    }
    started.elapsed()
}

#[test]
fn slow_drips_in_every_phase() {
    let watched = Watched::start();
    let (rtmp, http) = (watched.server.rtmp, watched.server.http);
    let (_, recording) = vectors().into_iter().next().expect("a recording");
    let handshake = &recording[..3073];
    let connect = &recording[3073..3073 + 40];
    let body = b"POST /api/chat HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n";
    let phases: &[(&str, SocketAddr, &[u8], &[u8])] = &[
        ("nothing at all", rtmp, b"", b""),
        ("RTMP handshake", rtmp, b"\x03", b"\0"),
        ("after the handshake", rtmp, handshake, b""),
        ("first chunk", rtmp, handshake, connect),
        ("HTTP head", http, b"GET / HTTP/1.1\r\n", b"X: y\r\n"),
        ("HTTP request line", http, b"GET /", b"x"),
        ("HTTP body", http, body, b"z"),
    ];
    std::thread::scope(|scope| {
        for (phase, address, at_once, slowly) in phases {
            scope.spawn(move || {
                let endured = if slowly.is_empty() {
                    let started = Instant::now();
                    let mut connection = Connection::open(*address).expect("the server listens");
                    connection.send_raw(at_once).expect("the server reads");
                    assert!(connection.closes_within(Duration::from_secs(90)), "{phase}: held");
                    started.elapsed()
                } else {
                    drip(*address, at_once, slowly)
                };
                assert!(endured < Duration::from_secs(45), "{phase}: endured for {endured:?}");
            });
        }
    });
    watched.assert_unharmed();
}

#[test]
fn a_thousand_idle_connections() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    setrlimit(Resource::Nofile, raised).expect("up to the hard limit");
    let watched = Watched::start();
    let crowd = idle_connections(watched.server.http, 1000);
    assert!(crowd.len() >= 990, "only {} connected", crowd.len());
    let unknown = idle_connections(watched.server.rtmp, 200);
    // With all of them there, a newcomer is served, and so is the publisher of the moment.
    let deadline = Instant::now() + Duration::from_secs(8);
    let mut served = 0;
    while Instant::now() < deadline {
        let answer = http::fetch(watched.server.http, "GET", "/hls/stream.m3u8", &[]);
        let answer = answer.expect("a newcomer is served");
        assert_eq!(answer.status, 200);
        assert!(answer.took < Duration::from_secs(1), "{:?}", answer.took);
        served += 1;
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(served > 20, "only {served} requests in 8 s");
    let grown = watched.server.resident().saturating_sub(watched.resident_before);
    assert!(grown < MEMORY_BUDGET, "memory grew by {} MiB", grown >> 20);
    drop(unknown);
    drop(crowd);
    watched.assert_unharmed();
}
