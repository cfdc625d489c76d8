//! Publishers' connections that are fast rather than slow: messages without end, and claims that
//! vanish while they are answered. Both were found by review; each stopped a server for good.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::publish::Publisher;
use crate::recorded::vectors;
use crate::server::Server;

/// C0 and C1 of a plain handshake, then C2 (HS-1); what C2 repeats is not looked at (HS-6).
const HANDSHAKE_BYTES: usize = 1 + 1_536 + 1_536;
/// An acknowledgement: the cheapest message there is (RTMP §5.4.3), legal before `connect`.
const ACKNOWLEDGEMENT: [u8; 16] = [2, 0, 0, 0, 0, 0, 4, 3, 0, 0, 0, 0, 0, 0, 0, 1];
/// How long a viewer's request may take beside a flood.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// Publish deadline and some (media reference 1.10).
const CLOSED_LIMIT: Duration = Duration::from_secs(30);

/// Sends acknowledgements as fast as the server takes them; how long it did.
fn flood(address: std::net::SocketAddr, stop: &AtomicBool) -> Duration {
    let started = Instant::now();
    let mut peer = TcpStream::connect(address).expect("the server listens");
    peer.set_write_timeout(Some(CLOSED_LIMIT)).expect("a socket");
    let mut handshake = vec![0; HANDSHAKE_BYTES];
    handshake[0] = 3;
    peer.write_all(&handshake).expect("the handshake is taken");
    peer.read_exact(&mut vec![0; HANDSHAKE_BYTES]).expect("the handshake is answered");
    let messages = ACKNOWLEDGEMENT.repeat(4_096);
    while !stop.load(Ordering::Relaxed) && peer.write_all(&messages).is_ok() {}
    started.elapsed()
}

#[test]
fn endless_small_messages_keep_no_core_and_outrun_no_deadline() {
    let server = Server::start_with(&["--shards", "1"]);
    let stop = Arc::new(AtomicBool::new(false));
    let flooding = {
        let (address, stop) = (server.rtmp, Arc::clone(&stop));
        std::thread::spawn(move || flood(address, &stop))
    };
    let started = Instant::now();
    while !flooding.is_finished() {
        let asked = Instant::now();
        assert_eq!(server.get("/healthz").status, 200);
        assert!(asked.elapsed() < ANSWER_LIMIT, "an answer took {:?}", asked.elapsed());
        if started.elapsed() > CLOSED_LIMIT {
            stop.store(true, Ordering::Relaxed);
            panic!("the flood was never closed: the deadline for publishing was outrun");
        }
    }
    let lasted = flooding.join().expect("it only writes");
    assert!(lasted > Duration::from_secs(5), "closed after {lasted:?}: not by the deadline");
}

#[test]
fn claims_that_vanish_while_they_are_answered_lose_no_broadcast() {
    let server = Server::start_with(&["--grace-seconds", "1"]);
    let (_, recording) = vectors().into_iter().next().expect("a recording");
    for round in 0..200u64 {
        let mut peer = TcpStream::connect(server.rtmp).expect("the server listens");
        // Up to publish and the first media; closing with unread answers resets the connection.
        let _ = peer.write_all(&recording[..recording.len().min(6_000)]);
        let until = Instant::now() + Duration::from_micros(round % 50 * 100);
        while Instant::now() < until {
            std::hint::spin_loop();
        }
    }
    let _publisher = Publisher::looped("fps25", &server.publish_url());
    server.wait_live();
    assert!(server.get("/api/status").text().contains(r#""online":true"#));
}
