//! Crowds that ask for what cannot be, take over without end, or stop reading, beside a live
//! broadcast.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::http::Connection;
use crate::playlist::Media;
use crate::publish::Publisher;
use crate::recorded::vectors;
use crate::server::Server;
use crate::tool::wait_for;
use crate::watched::{MEMORY_BUDGET, Watched, edge};

const VIDEO: &str = "/hls/0/stream.m3u8";
const LIMIT: Duration = Duration::from_secs(60);
/// Each keeps its socket buffers full, which is up to 10 MB of the kernel's memory.
const STOPPED_READERS: usize = 40;
/// How long the refusal of a directive may take: nothing is waited for.
const REFUSAL_LIMIT: Duration = Duration::from_secs(2);

/// Directives that name what is far away or nothing at all. The edge moves on meanwhile, so near
/// ones are left to `reload`.
fn forged(edge: u64) -> Vec<String> {
    let mut queries: Vec<String> = [edge + 100, edge + 1_000_000, 1 << 53, u64::MAX - 1, u64::MAX]
        .iter()
        .flat_map(|msn| {
            let parts =
                [String::new(), "&_HLS_part=0".to_owned(), format!("&_HLS_part={}", u64::MAX)];
            parts.map(|part| format!("_HLS_msn={msn}{part}"))
        })
        .collect();
    queries.extend(
        [
            "_HLS_part=0",
            "_HLS_msn=-1",
            "_HLS_msn=0x10",
            "_HLS_msn=1e9",
            "_HLS_msn=%31",
            "_HLS_msn=1&_HLS_msn=1",
            "_HLS_msn=18446744073709551616",
            "_HLS_msn=1&_HLS_part=-0",
            "_HLS_skip=MAYBE",
        ]
        .map(str::to_owned),
    );
    queries.push(format!("_HLS_msn={}", "9".repeat(5_000)));
    queries
}

#[test]
fn forged_directives_are_refused_at_once_in_any_number() {
    let watched = Watched::start();
    let address = watched.server.http;
    let queries = forged(edge(&watched.server));
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let mut connection = Connection::open(address).expect("the server listens");
                for query in queries.iter().cycle().take(queries.len() * 8) {
                    let path = format!("{VIDEO}?{query}");
                    let answer = connection.exchange("GET", &path, &[], LIMIT);
                    let answer = answer.unwrap_or_else(|error| panic!("{query:.80}: {error}"));
                    // What it does not know a server may ignore (LL 2.3): then it answers, but
                    // never waits.
                    let known = [200, 400].contains(&answer.status);
                    assert!(known, "{query:.80}: {}", answer.status);
                    let far = query.contains("_HLS_msn=") && !query.contains("&_HLS_msn=1");
                    assert!(!far || answer.status == 400, "{query:.80}: {}", answer.status);
                    assert!(answer.took < REFUSAL_LIMIT, "{query:.80}: {:?}", answer.took);
                }
            });
        }
    });
    watched.assert_unharmed();
}

/// Blocked reloads that are given up in the middle: thousands of waits that nobody waits for.
#[test]
fn waits_that_are_given_up_leave_nothing_behind() {
    let watched = Watched::start();
    let address = watched.server.http;
    let until = Instant::now() + Duration::from_secs(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            let server = &watched.server;
            scope.spawn(move || {
                while Instant::now() < until {
                    let next = edge(server) + 1;
                    let crowd: Vec<TcpStream> = (0..40)
                        .filter_map(|_| TcpStream::connect(address).ok())
                        .map(|mut stream| {
                            let target = format!("{VIDEO}?_HLS_msn={next}&_HLS_part=0");
                            let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
                            let _ = stream.write_all(request.as_bytes());
                            stream
                        })
                        .collect();
                    drop(crowd);
                }
            });
        }
    });
    watched.assert_unharmed();
}

/// Somebody who has the key connects again and again, several at once, with media or without.
#[test]
fn a_storm_of_takeovers_ends_in_one_broadcast() {
    let mut server = Server::start();
    let first = Publisher::looped("fps25", &server.publish_url());
    server.wait_live();
    let (resident, before) = (server.resident(), edge(&server));
    let vectors = vectors();
    let address = server.rtmp;
    thread::scope(|scope| {
        for (lane, (_, recording)) in vectors.iter().cycle().take(8).enumerate() {
            scope.spawn(move || {
                for round in 0..40 {
                    // From a bare claim to some seconds of media.
                    let length = [6_000, 20_000, recording.len()][(lane + round) % 3];
                    let Ok(mut peer) = TcpStream::connect(address) else { continue };
                    let _ = peer.set_write_timeout(Some(Duration::from_secs(5)));
                    let _ = peer.set_read_timeout(Some(Duration::from_millis(5)));
                    let _ = peer.write_all(&recording[..recording.len().min(length)]);
                    let _ = peer.read(&mut [0; 4096]);
                }
            });
        }
    });
    assert!(server.runs());
    let grown = server.resident().saturating_sub(resident);
    assert!(grown < MEMORY_BUDGET, "memory grew by {} MiB", grown >> 20);
    drop(first);
    // The last to come is on air at once, and the numbers go on.
    let _last = Publisher::looped("fps25", &server.publish_url());
    let live = |text: &str| {
        let playlist = Media::parse(text);
        (!playlist.ended && playlist.edge().0 > before).then_some(playlist)
    };
    let reached = wait_for("the last publisher's broadcast", LIMIT, || {
        let answer = server.get(VIDEO);
        (answer.status == 200).then(|| live(answer.text()))?
    });
    wait_for("it to go on", LIMIT, || (edge(&server) >= reached.edge().0 + 3).then_some(()));
    let follower = crate::player::Follower::start(server.http, VIDEO);
    wait_for("a viewer of it", LIMIT, || (edge(&server) >= reached.edge().0 + 6).then_some(()));
    follower.stop().assert_clean();
    let log = server.log();
    assert!(!log.contains("panicked"), "{log}");
}

/// Viewers that ask for much and read nothing: shared bytes and a deadline bound what they cost.
#[test]
fn readers_that_stop_are_cut_off() {
    let watched = Watched::start();
    let address = watched.server.http;
    let playlist = Media::parse(watched.server.get(VIDEO).text());
    let segment = playlist.segments.iter().find_map(|one| one.uri.clone()).expect("a segment");
    let request = format!("GET /hls/0/{segment} HTTP/1.1\r\nHost: a\r\n\r\n");
    let bytes = watched.server.get(&format!("/hls/0/{segment}")).body.len();
    let stopped: Vec<TcpStream> =
        (0..STOPPED_READERS).map(|_| stop_reading(address, &request, bytes)).collect();
    // Their own sockets tell: the server's descriptors also come and go for its other work.
    wait_for("all of them to be served", LIMIT, || {
        stopped.iter().all(|reader| reader.peek(&mut [0]).is_ok_and(|len| len > 0)).then_some(())
    });
    let grown = watched.server.resident().saturating_sub(watched.resident_before);
    assert!(grown < MEMORY_BUDGET, "memory grew by {} MiB", grown >> 20);
    // They stay; the server lets go of them, or the descriptors would not come down.
    watched.assert_unharmed();
    drop(stopped);
}

/// Asks for far more than two socket buffers hold and reads none of it.
fn stop_reading(address: SocketAddr, request: &str, answer_bytes: usize) -> TcpStream {
    const ASKED_BYTES: usize = 32 << 20;
    let mut stream = TcpStream::connect(address).expect("the server listens");
    let _ = stream.set_write_timeout(Some(Duration::from_millis(50)));
    let _ = stream.set_read_timeout(Some(Duration::from_millis(50)));
    // What is beyond its pipeline the server leaves unread, so the write may come to an end.
    let requests = (ASKED_BYTES / answer_bytes.max(1)).clamp(8, 400);
    let _ = stream.write_all(request.repeat(requests).as_bytes());
    stream
}
