//! The shell over real sockets on 127.0.0.1: a glommio executor serves, this thread is the client.
//!
//! Nothing sleeps for luck: the client waits for bytes or for the end of the connection, each
//! read bounded by [`PATIENCE`], and the server reports events over a channel.

use std::cell::Cell;
use std::future::Future;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use bytes::Bytes;
use glommio::LocalExecutorBuilder;
use http::StatusCode;

use super::*;
use crate::http::{Body, Limits, ReadAt, Reading, Request, Response, Stored};

/// Long enough for a loaded machine, short enough to fail in.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the test server tells the test.
#[derive(Debug, PartialEq, Eq)]
enum Event {
    /// A handler began to wait.
    Waiting,
    /// A waiting handler was dropped before its end.
    Dropped,
}

/// Routes for the tests: `/wait` never answers, `/big` has a long chained body, `/panic` panics.
struct TestHandler {
    events: mpsc::Sender<Event>,
    chain: Arc<[Bytes]>,
    answered: Cell<u64>,
}

struct ReportDrop(mpsc::Sender<Event>);

impl Drop for ReportDrop {
    fn drop(&mut self) {
        let _ = self.0.send(Event::Dropped);
    }
}

impl Handler for TestHandler {
    async fn handle(&self, _peer: SocketAddr, request: Request) -> Response {
        self.answered.set(self.answered.get() + 1);
        match request.uri.path() {
            "/wait" => {
                let report = ReportDrop(self.events.clone());
                self.events.send(Event::Waiting).unwrap();
                std::future::pending::<()>().await;
                drop(report);
                Response::new(StatusCode::OK)
            }
            "/soon" => {
                glommio::timer::sleep(Duration::from_millis(20)).await;
                Response::ok("text/plain", "soon")
            }
            "/big" => Response::ok("video/mp4", Body::Chain(self.chain.clone())),
            "/stored" => Response::ok("video/mp4", Body::Stored(stored(0))),
            "/lost" => Response::ok("video/mp4", Body::Stored(stored(1))),
            "/panic" => panic!("on purpose, by a test"),
            path => Response::ok("text/plain", path.to_owned()),
        }
    }
}

/// So many pieces, the last `lost` of which cannot be read.
struct Pieces {
    lost: u64,
}

const STORED_BYTES: u64 = 5 << 20;

fn stored(lost: u64) -> Stored {
    Stored::new(Arc::new(Pieces { lost }), STORED_BYTES)
}

impl ReadAt for Pieces {
    fn read_at(&self, offset: u64, length: usize) -> Reading {
        let is_lost = offset + length as u64 > STORED_BYTES - self.lost;
        Box::pin(async move {
            glommio::timer::sleep(Duration::from_millis(1)).await;
            if is_lost {
                Err(std::io::ErrorKind::NotFound.into())
            } else {
                Ok(vec![7; length].into())
            }
        })
    }
}

struct Server {
    address: SocketAddr,
    events: mpsc::Receiver<Event>,
    stop: async_channel::Sender<()>,
    /// How many tasks were left after the drain.
    left: mpsc::Receiver<usize>,
    thread: Option<glommio::ExecutorJoinHandle<()>>,
}

const BIG_RUN: usize = 300_000;
const BIG_RUNS: usize = 40;

impl Server {
    fn start(limits: Limits, caps: ConnectionLimits) -> Self {
        let (events_in, events) = mpsc::channel();
        let (address_in, address) = mpsc::channel();
        let (left_in, left) = mpsc::channel();
        let (stop, stop_out) = async_channel::bounded(1);
        let thread = LocalExecutorBuilder::default()
            .spawn(move || async move {
                let listener =
                    Listener::bind("127.0.0.1:0".parse().unwrap(), &Sockets::new()).unwrap();
                address_in.send(listener.local_addr()).unwrap();
                let run = Bytes::from(vec![7; BIG_RUN]);
                let chain = Arc::from(vec![run; BIG_RUNS]);
                let handler =
                    Rc::new(TestHandler { events: events_in, chain, answered: Cell::new(0) });
                let (token, gate) = (StopToken::new(), Gate::new());
                let serving = serve_listener(
                    listener,
                    handler,
                    Rc::new(limits),
                    Admission::new(caps),
                    token.clone(),
                    gate.clone(),
                    |error| panic!("{error}"),
                );
                let serving = glommio::spawn_local(serving).detach();
                let _ = stop_out.recv().await;
                token.stop();
                serving.await;
                left_in.send(gate.drained(Instant::now() + Duration::from_secs(2)).await).unwrap();
            })
            .unwrap();
        let address = address.recv_timeout(PATIENCE).unwrap();
        Self { address, events, stop, left, thread: Some(thread) }
    }

    fn connect(&self) -> TcpStream {
        let client = TcpStream::connect(self.address).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.set_write_timeout(Some(PATIENCE)).unwrap();
        client
    }

    fn event(&self) -> Event {
        self.events.recv_timeout(PATIENCE).unwrap()
    }

    /// Stops the server; how many connections were left at the deadline.
    fn stop(mut self) -> usize {
        self.stop.send_blocking(()).unwrap();
        let left = self.left.recv_timeout(PATIENCE).unwrap();
        self.thread.take().unwrap().join().unwrap();
        left
    }
}

fn start() -> Server {
    Server::start(Limits::default(), ConnectionLimits::default())
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes()
}

/// Reads one response: status and body.
fn response(client: &mut TcpStream) -> (u16, Vec<u8>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).expect("a head");
        head.push(byte[0]);
    }
    let mut fields = [httparse::EMPTY_HEADER; 16];
    let mut response = httparse::Response::new(&mut fields);
    response.parse(&head).unwrap();
    let length = response
        .headers
        .iter()
        .find(|field| field.name == "content-length")
        .map_or(0, |field| std::str::from_utf8(field.value).unwrap().parse().unwrap());
    let mut body = vec![0; length];
    client.read_exact(&mut body).expect("a body");
    (response.code.unwrap(), body)
}

/// Whether the server ended the connection, by FIN or by reset.
fn is_ended(client: &mut TcpStream) -> bool {
    match client.read(&mut [0; 64]) {
        Ok(bytes) => bytes == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

/// Runs `test` on an executor of its own.
fn on_executor<F: Future<Output = ()> + 'static>(test: impl FnOnce() -> F + Send + 'static) {
    LocalExecutorBuilder::default().spawn(test).unwrap().join().unwrap();
}

#[test]
fn keep_alive_pipelining_and_long_chained_bodies() {
    let server = start();
    let mut client = server.connect();
    for path in ["/a", "/b"] {
        client.write_all(&get(path)).unwrap();
        assert_eq!(response(&mut client), (200, path.into()));
    }
    let paths: Vec<String> = (0..100).map(|at| format!("/{at}")).collect();
    let pipelined: Vec<u8> = paths.iter().flat_map(|path| get(path)).collect();
    client.write_all(&pipelined).unwrap();
    for path in &paths {
        assert_eq!(response(&mut client), (200, path.clone().into_bytes()));
    }
    client.write_all(&[get("/big"), get("/soon"), get("/c")].concat()).unwrap();
    let (status, body) = response(&mut client);
    assert_eq!((status, body.len()), (200, BIG_RUN * BIG_RUNS));
    assert!(body.iter().all(|byte| *byte == 7));
    assert_eq!(response(&mut client), (200, b"soon".to_vec()));
    assert_eq!(response(&mut client), (200, b"/c".to_vec()));
    drop(client);
    assert_eq!(server.stop(), 0);
}

#[test]
fn stored_bodies_arrive_whole_or_end_the_connection() {
    let server = start();
    let mut client = server.connect();
    client.write_all(&[get("/stored"), get("/c")].concat()).unwrap();
    let (status, body) = response(&mut client);
    assert_eq!((status, body.len() as u64), (200, STORED_BYTES));
    assert!(body.iter().all(|byte| *byte == 7));
    assert_eq!(response(&mut client), (200, b"/c".to_vec()));
    // The head has promised more than there is: nobody may take what came for all of it.
    client.write_all(&get("/lost")).unwrap();
    let mut answer = Vec::new();
    let end = client.read_to_end(&mut answer);
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert!((answer.len() as u64) < STORED_BYTES);
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_leaving_client_ends_a_waiting_handler_at_once() {
    let server = start();
    for reset in [false, true] {
        let mut client = server.connect();
        client.write_all(&[get("/first"), get("/wait")].concat()).unwrap();
        assert_eq!(response(&mut client).0, 200, "not held back by the request that waits");
        assert_eq!(server.event(), Event::Waiting);
        if reset {
            socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
        }
        drop(client);
        assert_eq!(server.event(), Event::Dropped);
    }
    assert_eq!(server.stop(), 0);
}

#[test]
fn slow_heads_and_bodies_are_answered_with_408_by_an_absolute_deadline() {
    let timeout = Duration::from_millis(300);
    let limits = Limits { head_timeout: timeout, body_timeout: timeout, ..Limits::default() };
    let server = Server::start(limits, ConnectionLimits::default());
    let head = get("/");
    let body = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n".to_vec();
    for start in [head[..10].to_vec(), body] {
        let mut client = server.connect();
        let began = Instant::now();
        client.write_all(&start).unwrap();
        client.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        // A byte every 50 ms keeps the connection busy and must not keep it open (F24).
        let mut answer = Vec::new();
        while began.elapsed() < PATIENCE {
            let _ = client.write_all(b"x");
            let mut buffer = [0; 1_024];
            match client.read(&mut buffer) {
                Ok(0) => break,
                Ok(bytes) => answer.extend_from_slice(&buffer[..bytes]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => break,
            }
        }
        assert!(answer.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&answer));
        assert!(began.elapsed() >= timeout);
    }
    assert_eq!(server.stop(), 0);
}

#[test]
fn idle_connections_are_closed_without_a_word() {
    let timeout = Duration::from_millis(200);
    let limits = Limits { head_timeout: timeout, idle_timeout: timeout, ..Limits::default() };
    let server = Server::start(limits, ConnectionLimits::default());
    let mut silent = server.connect();
    let mut served = server.connect();
    served.write_all(&get("/")).unwrap();
    assert_eq!(response(&mut served).0, 200);
    assert!(is_ended(&mut silent));
    assert!(is_ended(&mut served));
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_half_closed_client_still_gets_its_answers() {
    let server = start();
    let mut client = server.connect();
    client.write_all(&[get("/a"), get("/b")].concat()).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(response(&mut client), (200, b"/a".to_vec()));
    assert_eq!(response(&mut client), (200, b"/b".to_vec()));
    assert!(is_ended(&mut client));
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_refusal_reaches_a_client_that_is_still_sending() {
    let server = start();
    let mut client = server.connect();
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n";
    client.write_all(head).unwrap();
    client.write_all(&[b'x'; 100_000]).unwrap();
    let (status, body) = response(&mut client);
    assert_eq!(status, 413);
    let sentence = String::from_utf8(body).unwrap();
    assert!(sentence.contains("100000") && sentence.contains("65536"), "{sentence}");
    drop(client);
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_client_that_stops_reading_is_dropped_and_others_are_served() {
    let limits = Limits {
        write_grace: Duration::from_millis(300),
        write_rate_min: u32::MAX,
        ..Limits::default()
    };
    let server = Server::start(limits, ConnectionLimits::default());
    let mut stopped = server.connect();
    // More than both socket buffers hold.
    stopped.write_all(&[get("/big"), get("/big")].concat()).unwrap();
    let mut other = server.connect();
    for _ in 0..10 {
        other.write_all(&get("/x")).unwrap();
        assert_eq!(response(&mut other).0, 200);
    }
    drop(other);
    // The gate empties although the client neither reads nor closes (F22).
    assert_eq!(server.stop(), 0);
    drop(stopped);
}

#[test]
fn a_panicking_handler_is_answered_with_500_and_ends_only_its_connection() {
    let server = start();
    let mut other = server.connect();
    let mut client = server.connect();
    client.write_all(&get("/panic")).unwrap();
    assert_eq!(response(&mut client).0, 500);
    assert!(is_ended(&mut client));
    other.write_all(&get("/still")).unwrap();
    assert_eq!(response(&mut other), (200, b"/still".to_vec()));
    drop(other);
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_thousand_idle_connections_leave_room_for_a_busy_one() {
    let server = start();
    let mut idle: Vec<TcpStream> = (0..1_000).map(|_| server.connect()).collect();
    for client in &mut idle {
        client.write_all(&get("/")).unwrap();
    }
    for client in &mut idle {
        assert_eq!(response(client).0, 200);
    }
    let mut busy = server.connect();
    for _ in 0..100 {
        busy.write_all(&get("/busy")).unwrap();
        assert_eq!(response(&mut busy).0, 200);
    }
    drop(busy);
    // Stopping closes the idle ones at once.
    assert_eq!(server.stop(), 0);
    assert!(idle.iter_mut().all(is_ended));
}

/// The task of a connection is most of what an idle viewer costs (F23). A buffer held across an
/// await would show up here.
#[test]
fn a_connection_task_is_small() {
    fn size_of_output<A, B, C, D, F>(_: fn(A, B, C, D) -> F) -> usize {
        size_of::<F>()
    }
    let size = size_of_output(serve_http::<TestHandler>);
    assert!(size <= 2_048, "{size} bytes");
}

#[test]
fn stopping_lets_a_busy_connection_finish_and_reports_what_is_left() {
    let server = start();
    let mut busy = server.connect();
    busy.write_all(&[get("/first"), get("/soon"), get("/never")].concat()).unwrap();
    assert_eq!(response(&mut busy).0, 200);
    let mut stuck = server.connect();
    stuck.write_all(&get("/wait")).unwrap();
    assert_eq!(server.event(), Event::Waiting);
    let address = server.address;
    assert_eq!(server.stop(), 1, "the handler that never answers");
    let mut rest = Vec::new();
    let _ = busy.read_to_end(&mut rest);
    assert!(rest.starts_with(b"HTTP/1.1 200 "));
    drop(stuck);
    assert!(TcpStream::connect(address).is_err(), "the port is closed");
}

#[test]
fn caps_refuse_with_a_status_before_any_request() {
    for (caps, status) in [
        (ConnectionLimits { connections_max: 2, ..ConnectionLimits::default() }, 503),
        (
            ConnectionLimits {
                connections_per_address_max: 2,
                loopback_is_exempt: false,
                ..ConnectionLimits::default()
            },
            429,
        ),
    ] {
        let server = Server::start(Limits::default(), caps);
        let mut held = [server.connect(), server.connect()];
        for client in &mut held {
            client.write_all(&get("/")).unwrap();
            assert_eq!(response(client).0, 200);
        }
        let mut refused = server.connect();
        assert_eq!(response(&mut refused).0, status);
        assert!(is_ended(&mut refused));
        drop(held);
        drop(refused);
        // The places are free again once the server has seen the ends.
        let began = Instant::now();
        loop {
            let mut client = server.connect();
            let _ = client.write_all(&get("/"));
            if response(&mut client).0 == 200 {
                break;
            }
            assert!(began.elapsed() < PATIENCE);
        }
        assert_eq!(server.stop(), 0);
    }
}

#[test]
fn a_taken_port_is_told_plainly_and_shards_share_theirs() {
    on_executor(|| async {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let sockets = Sockets::new();
        let first = Listener::bind(any, &sockets).unwrap();
        let taken = probe(first.local_addr()).unwrap_err();
        assert!(matches!(taken, BindError::Taken { .. }), "{taken}");
        let second = Listener::bind(first.local_addr(), &sockets).unwrap();
        assert_eq!(second.local_addr(), first.local_addr());
        let free = probe(any).unwrap();
        assert!(free.ip() == any.ip() && free.port() != 0, "{free}");
        let elsewhere = probe("192.0.2.1:8080".parse().unwrap()).unwrap_err();
        assert!(matches!(elsewhere, BindError::NoSuchAddress { .. }), "{elsewhere}");
    });
}

#[test]
fn a_dual_stack_port_shows_ipv4_peers_as_ipv4() {
    let (address_in, address) = mpsc::channel();
    let server = LocalExecutorBuilder::default()
        .spawn(move || async move {
            let wanted = probe("[::]:0".parse().unwrap()).unwrap();
            let listener = Listener::bind(wanted, &Sockets::new()).unwrap();
            address_in.send(listener.local_addr()).unwrap();
            let mut stream = listener.accept().await.unwrap();
            assert!(stream.peer_addr().is_ipv4(), "{}", stream.peer_addr());
            let deadline = Instant::now() + PATIENCE;
            let mut buffer = [0; 16];
            assert_eq!(stream.read(&mut buffer, deadline).await.unwrap(), Read::Bytes(5));
            let soon = Instant::now() + Duration::from_millis(50);
            assert_eq!(stream.read(&mut buffer, soon).await.unwrap(), Read::DeadlinePassed);
            let chunks: Vec<Bytes> =
                [&b"a"[..], b"", b"bc"].iter().map(|chunk| Bytes::from_static(chunk)).collect();
            let many: Vec<Bytes> = chunks.iter().cycle().take(90).cloned().collect();
            stream.write_all(&many, deadline).await.unwrap();
            stream.close().await;
        })
        .unwrap();
    let port = address.recv_timeout(PATIENCE).unwrap().port();
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.write_all(b"hello").unwrap();
    let mut got = Vec::new();
    client.read_to_end(&mut got).unwrap();
    assert_eq!(got, b"abc".repeat(30));
    drop(client);
    server.join().unwrap();
    // The connection that the server ended first still waits out its end on this port.
    probe(SocketAddr::from(([0u16; 8], port))).unwrap();
}
