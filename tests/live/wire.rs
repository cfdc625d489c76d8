//! What the HTTP port refuses, byte by byte through real sockets: smuggling, and every limit on a
//! head or a body by its own status.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::refused::{REFUSED, wire_of};
use crate::server::Server;
use crate::watched::Watched;

/// How long a refusal may take. Loaded machines are slow.
const REFUSAL_LIMIT: Duration = Duration::from_secs(20);
/// What would be heard if a request could be smuggled: it exists and answers 200.
const EVIL: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

/// Sends all of it, then hears the server out until it ends the connection.
fn converse(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_nodelay(true).expect("a socket");
    // A server that has refused need not take the rest.
    let _ = stream.write_all(bytes);
    hear_out(&mut stream)
}

fn hear_out(stream: &mut TcpStream) -> String {
    stream.set_read_timeout(Some(REFUSAL_LIMIT)).expect("a socket");
    let (mut heard, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(bytes) => heard.extend_from_slice(&buffer[..bytes]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                panic!("the connection was kept: {:?}", String::from_utf8_lossy(&heard))
            }
            // The rest of what we sent was not read: a reset.
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&heard).into_owned()
}

/// Statuses of all answers in a row; bodies of refusals are sentences that hold no status line.
fn statuses(heard: &str) -> Vec<u16> {
    heard
        .match_indices("HTTP/1.1 ")
        .filter_map(|(at, start)| heard.get(at + start.len()..at + start.len() + 3)?.parse().ok())
        .collect()
}

#[test]
fn smuggled_requests_are_never_answered() {
    let watched = Watched::start();
    let address = watched.server.http;
    for (case, status) in REFUSED {
        let wire = [wire_of(case).as_slice(), EVIL].concat();
        let heard = converse(address, &wire);
        assert_eq!(statuses(&heard), [*status], "{case:?} was answered {heard:?}");
    }
    // The same in two pieces, so that nothing is judged by how it arrives.
    thread::scope(|scope| {
        for cases in REFUSED.chunks(REFUSED.len().div_ceil(4)) {
            scope.spawn(move || {
                for (case, status) in cases {
                    let wire = [wire_of(case).as_slice(), EVIL].concat();
                    let (head, tail) = wire.split_at(wire.len() / 3);
                    let mut stream = TcpStream::connect(address).expect("the server listens");
                    stream.set_nodelay(true).expect("a socket");
                    stream.write_all(head).expect("taken");
                    thread::sleep(Duration::from_millis(5));
                    let _ = stream.write_all(tail);
                    let heard = hear_out(&mut stream);
                    assert_eq!(statuses(&heard), [*status], "{case:?} was answered {heard:?}");
                }
            });
        }
    });
    watched.assert_unharmed();
}

#[test]
fn each_limit_has_its_status() {
    let watched = Watched::start();
    let address = watched.server.http;
    let long = |bytes: usize| "x".repeat(bytes);
    let fields = |count: usize| "X: y\r\n".repeat(count);
    let head = "HTTP/1.1\r\nHost: a\r\n";
    let post = format!("POST /api/status {head}");
    for (what, request, status) in [
        ("a request line of 8 KiB", format!("GET /{} {head}\r\n", long(8 << 10)), 414),
        ("a request line without end", format!("GET /{}", long(64 << 10)), 414),
        ("a field of 16 KiB", format!("GET / {head}X: {}\r\n\r\n", long(16 << 10)), 431),
        ("a field without end", format!("GET / {head}X: {}", long(64 << 10)), 431),
        ("a field name without end", format!("GET / {head}{}", long(64 << 10)), 431),
        ("65 fields", format!("GET / {head}{}\r\n", fields(64)), 431),
        ("fields without end", format!("GET / {head}{}", fields(10_000)), 431),
        ("a body of 64 KiB and one", format!("{post}Content-Length: 65537\r\n\r\n"), 413),
        (
            "a body of all memory",
            format!("{post}Content-Length: 18446744073709551615\r\n\r\n"),
            413,
        ),
        (
            "chunks beyond the limit",
            format!(
                "{post}Transfer-Encoding: chunked\r\n\r\n{}",
                format!("4000\r\n{}\r\n", long(0x4000)).repeat(5)
            ),
            413,
        ),
        (
            "one-byte chunks with long extensions",
            format!("{post}Transfer-Encoding: chunked\r\n\r\n1;{}\r\nx\r\n", long(4 << 10)),
            400,
        ),
    ] {
        let started = Instant::now();
        let heard = converse(address, request.as_bytes());
        let known = statuses(&heard);
        assert_eq!(known, [status], "{what} was answered {heard:?}");
        assert!(started.elapsed() < REFUSAL_LIMIT, "{what}: {:?}", started.elapsed());
        assert!(heard.to_lowercase().contains("connection: close"), "{what}: {heard}");
    }
    // What is just within the limits is served.
    let most = format!("GET /healthz {head}X: {}\r\nConnection: close\r\n\r\n", long(15 << 10));
    assert_eq!(statuses(&converse(address, most.as_bytes())), [200]);
    watched.assert_unharmed();
}

/// A head or a body that does not end is told so by an absolute deadline, however it drips.
#[test]
fn what_never_ends_is_answered_408() {
    let server = Server::start();
    let head = "GET /healthz HTTP/1.1\r\nHost: a\r\n";
    let body = "POST /api/status HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n";
    let chunked = "POST /api/status HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    thread::scope(|scope| {
        for (what, start, drop) in [
            ("a head", head, "X: y\r\n"),
            ("a body", body, "z"),
            ("a chunked body", chunked, "1\r\nz\r\n"),
        ] {
            let address = server.http;
            scope.spawn(move || {
                let mut stream = TcpStream::connect(address).expect("the server listens");
                stream.write_all(start.as_bytes()).expect("taken");
                stream.set_read_timeout(Some(Duration::from_millis(500))).expect("a socket");
                let (started, mut heard) = (Instant::now(), Vec::new());
                loop {
                    assert!(started.elapsed() < Duration::from_secs(60), "{what} is endured");
                    let _ = stream.write_all(drop.as_bytes());
                    let mut buffer = [0; 4096];
                    match stream.read(&mut buffer) {
                        Ok(0) => break,
                        Ok(bytes) => heard.extend_from_slice(&buffer[..bytes]),
                        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                        Err(_) => break,
                    }
                }
                let heard = String::from_utf8_lossy(&heard).into_owned();
                assert_eq!(statuses(&heard), [408], "{what} was answered {heard:?}");
            });
        }
    });
}
