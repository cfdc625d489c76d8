//! Thousands of keep-alive connections on one thread: readiness to bytes to whole responses to a
//! [`Script`], which says what each connection asks next.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Protocol, Socket, Type};

use crate::http::{Progress, Reader, Response, write_get};
use crate::{Outcome, stamp};

const READ_BYTES: usize = 256 << 10;
const EVENTS_MAX: usize = 4_096;
/// Viewers per loopback source address: below the range of local ports.
const PER_SOURCE: usize = 20_000;

/// What a connection does next.
#[derive(Debug)]
pub enum Step {
    /// Sends a GET.
    Get {
        /// Path and query.
        target: String,
        /// The body is wanted.
        keep: bool,
    },
    /// Sends nothing until [`Script::due`] says so.
    Rest,
    /// Ends.
    Close,
}

/// What the connections do.
pub trait Script {
    /// A connection is up.
    fn connected(&mut self, connection: usize, now: u64) -> Step;
    /// A response is whole.
    fn response(&mut self, connection: usize, response: Response<'_>) -> Step;
    /// The connection failed or was closed by the server.
    fn lost(&mut self, connection: usize, now: u64);
    /// A resting connection's turn by the clock, or when to ask again.
    fn due(&mut self, _now: u64) -> Turn {
        Turn::Never
    }
    /// Whether responses are read at all.
    fn reads(&self) -> bool {
        true
    }
}

/// See [`Script::due`].
#[derive(Debug)]
pub enum Turn {
    /// This connection sends this GET.
    Now(usize, String),
    /// Nothing before this time.
    At(u64),
    /// Nothing by the clock.
    Never,
}

/// Counts of one run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Responses with status below 400.
    pub good: u64,
    /// Status 4xx.
    pub client_errors: u64,
    /// Status 5xx.
    pub server_errors: u64,
    /// Connections that were refused, reset, closed or sent nonsense.
    pub failures: u64,
    /// Bytes read, heads included.
    pub bytes: u64,
}

impl Counts {
    /// Adds another thread's counts.
    pub fn add(&mut self, other: &Self) {
        self.good += other.good;
        self.client_errors += other.client_errors;
        self.server_errors += other.server_errors;
        self.failures += other.failures;
        self.bytes += other.bytes;
    }

    /// Everything that should not happen.
    pub const fn errors(&self) -> u64 {
        self.client_errors + self.server_errors + self.failures
    }
}

struct Connection {
    stream: TcpStream,
    reader: Reader,
    outgoing: Vec<u8>,
    connected: bool,
    waiting: bool,
}

/// Where to connect and how often.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server.
    pub address: SocketAddr,
    /// Its name in requests.
    pub authority: String,
    /// Connections.
    pub connections: usize,
    /// Connections per second while they are made; 0 for all at once.
    pub ramp: f64,
    /// Monotonic nanoseconds at which the run ends.
    pub until: u64,
    /// Receive buffer of each socket, in bytes; the system's choice without.
    pub receive_buffer: Option<usize>,
}

/// Runs `script` over the connections of `plan` on this thread until its end, or until all
/// connections are gone.
pub fn run(plan: &Plan, script: &mut impl Script) -> Outcome<Counts> {
    let mut engine = Engine {
        poll: Poll::new()?,
        connections: Vec::with_capacity(plan.connections),
        buffer: vec![0; READ_BYTES],
        counts: Counts::default(),
        authority: plan.authority.clone(),
        open: 0,
    };
    let mut events = Events::with_capacity(EVENTS_MAX);
    let start = stamp::now();
    loop {
        let now = stamp::now();
        if now >= plan.until {
            return Ok(engine.counts);
        }
        let mut wake = plan.until;
        let wanted = match plan.ramp {
            0.0 => plan.connections,
            ramp => plan.connections.min(((now - start) as f64 / 1e9 * ramp) as usize + 1),
        };
        while engine.connections.len() < wanted {
            engine.connect(plan, script);
        }
        if wanted < plan.connections {
            wake = wake.min(now + 1_000_000);
        } else if engine.open == 0 {
            return Ok(engine.counts);
        }
        loop {
            match script.due(stamp::now()) {
                Turn::Now(connection, target) => {
                    engine.step(connection, Step::Get { target, keep: false }, script);
                }
                Turn::At(time) => {
                    wake = wake.min(time);
                    break;
                }
                Turn::Never => break,
            }
        }
        let timeout = Duration::from_nanos(wake.saturating_sub(stamp::now()));
        match engine.poll.poll(&mut events, Some(timeout)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
        for event in &events {
            let Token(index) = event.token();
            if event.is_writable() {
                engine.writable(index, script);
            }
            if event.is_readable() && script.reads() {
                engine.readable(index, script);
            } else if event.is_read_closed() || event.is_error() {
                engine.lose(index, script);
            }
        }
    }
}

struct Engine {
    poll: Poll,
    connections: Vec<Option<Connection>>,
    buffer: Vec<u8>,
    counts: Counts,
    authority: String,
    open: usize,
}

impl Engine {
    fn connect(&mut self, plan: &Plan, script: &mut impl Script) {
        let index = self.connections.len();
        let connection = open(plan, index).and_then(|mut stream| {
            let both = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(index), both)?;
            Ok(stream)
        });
        match connection {
            Ok(stream) => {
                self.open += 1;
                self.connections.push(Some(Connection {
                    stream,
                    reader: Reader::default(),
                    outgoing: Vec::new(),
                    connected: false,
                    waiting: false,
                }));
            }
            Err(_) => {
                self.connections.push(None);
                self.counts.failures += 1;
                script.lost(index, stamp::now());
            }
        }
    }

    fn lose(&mut self, index: usize, script: &mut impl Script) {
        if let Some(slot) = self.connections.get_mut(index)
            && slot.take().is_some()
        {
            self.open -= 1;
            self.counts.failures += 1;
            script.lost(index, stamp::now());
        }
    }

    fn step(&mut self, index: usize, step: Step, script: &mut impl Script) {
        let Some(slot) = self.connections.get_mut(index) else { return };
        let Some(connection) = slot else { return };
        match step {
            Step::Get { target, keep } => {
                write_get(&mut connection.outgoing, &self.authority, &target);
                connection.reader.expect(keep);
                connection.waiting = true;
                self.writable(index, script);
            }
            Step::Rest => connection.waiting = false,
            Step::Close => {
                *slot = None;
                self.open -= 1;
            }
        }
    }

    fn writable(&mut self, index: usize, script: &mut impl Script) {
        let Some(Some(connection)) = self.connections.get_mut(index) else { return };
        if !connection.connected {
            if connection.stream.take_error().ok().flatten().is_some()
                || connection.stream.peer_addr().is_err()
            {
                return self.lose(index, script);
            }
            connection.connected = true;
            let step = script.connected(index, stamp::now());
            return self.step(index, step, script);
        }
        while !connection.outgoing.is_empty() {
            match connection.stream.write(&connection.outgoing) {
                Ok(written) => {
                    connection.outgoing.drain(..written);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.lose(index, script),
            }
        }
    }

    fn readable(&mut self, index: usize, script: &mut impl Script) {
        loop {
            let Some(Some(connection)) = self.connections.get_mut(index) else { return };
            let read = match connection.stream.read(&mut self.buffer) {
                Ok(0) => return self.lose(index, script),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return self.lose(index, script),
            };
            self.counts.bytes += read as u64;
            let now = stamp::now();
            let input = self.buffer.get(..read).unwrap_or_default();
            // One request is under way at a time, so nothing may follow a whole response.
            match connection.reader.read(now, input) {
                Ok(Progress::Partial) => {}
                Ok(Progress::Whole(response, used)) if used == read && connection.waiting => {
                    match response.status {
                        ..=399 => self.counts.good += 1,
                        400..=499 => self.counts.client_errors += 1,
                        _ => self.counts.server_errors += 1,
                    }
                    let step = script.response(index, response);
                    self.step(index, step, script);
                }
                Ok(Progress::Whole(..)) | Err(_) => return self.lose(index, script),
            }
        }
    }
}

/// Begins a connection from one of several loopback addresses, so that ports do not run out.
fn open(plan: &Plan, index: usize) -> std::io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(plan.address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(bytes) = plan.receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    if let IpAddr::V4(address) = plan.address.ip()
        && address.is_loopback()
    {
        let host = u8::try_from(1 + index / PER_SOURCE).unwrap_or(u8::MAX);
        let source = SocketAddr::from((Ipv4Addr::new(127, 0, 0, host), 0));
        socket.bind(&source.into())?;
    }
    match socket.connect(&plan.address.into()) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::WouldBlock || is_in_progress(&error) => {}
        Err(error) => return Err(error),
    }
    Ok(TcpStream::from_std(socket.into()))
}

fn is_in_progress(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error())
}
