//! The publisher on air, read on a thread of its own.
//!
//! Media comes in dozens of small reads a second, for hours, from one connection. A glommio
//! executor that would otherwise sleep enters the kernel eight times around each of them, to arm
//! timers and polls on its rings; a thread that blocks in `recv` enters it once. So a connection
//! lives on its shard until its first media, then its [`Feed`] moves to a thread, and comes back
//! when anything but media happens: a goodbye, an error, the stage's word.
//!
//! Between the messages that complete a part it naps ([`crate::naps`]): what has gathered is read
//! in one call.
//!
//! The thread runs on whichever core is free. What it sends wakes a shard once per part, not once
//! per message.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use async_channel::Receiver;
use futures_lite::future::block_on;
use riverrun_media::rtmp::{self, Event, Session};
use riverrun_media::source::Refusal;
use riverrun_net::io::WriteError;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::naps::Naps;
use crate::publish::{Broadcast, Outlets};

/// One read: a large picture in few calls, and all that a burst has left in the socket.
const READ_BYTES: usize = 64 << 10;
/// A silent publisher's deadlines are looked at this often. They last seconds; while bytes come,
/// each read looks.
const SILENCE: Duration = Duration::from_millis(250);
/// How long a publisher that was asked to connect again may go on: it moves at its next keyframe,
/// which should come every two seconds (RC-6). The server's drain has 5 s for who is on air.
const RECONNECT_PATIENCE: Duration = Duration::from_secs(3);
/// How long a peer may take to accept our few bytes of acknowledgements.
const WRITE_TIME_MAX: Duration = Duration::from_secs(5);

/// What a publisher's bytes go through.
pub struct Feed {
    /// The connection's protocol state.
    pub session: Session,
    /// Where its media goes.
    pub broadcast: Box<Broadcast>,
}

/// Why the thread gave the feed back.
pub enum Left {
    /// Something that is not media, and the fault that followed it. More events may wait in the
    /// session.
    Event(Event, Result<(), rtmp::Error>),
    /// It was [called back](OnAir::call_back) or [asked to leave](OnAir::ask_to_leave).
    CalledBack,
    /// The publisher closed the connection, or the session is finished.
    Closed,
    /// The protocol was broken or a deadline passed.
    Protocol(rtmp::Error),
    /// Media that cannot be packaged.
    Refused(Refusal),
    /// The connection failed.
    Read(io::Error),
    /// Our answers were not taken in time.
    Write(WriteError),
    /// A bug of ours: what the feed holds may be in any state.
    Panicked,
}

/// A feed on its thread.
pub struct OnAir {
    socket: Arc<TcpStream>,
    orders: Arc<Orders>,
    thread: Thread,
    returned: Receiver<(Box<Feed>, Left)>,
}

/// What the shard wants of the thread.
#[derive(Default)]
struct Orders {
    called_back: AtomicBool,
    asked_to_leave: AtomicBool,
}

impl OnAir {
    /// Moves `feed` to a thread that reads `socket`. The feed comes back at once when there can be
    /// no thread; the shard is able to go on with it.
    pub fn start(
        socket: TcpStream,
        feed: Box<Feed>,
        outlets: Outlets,
        cores: CpuSet,
    ) -> Result<Self, (Box<Feed>, io::Error)> {
        let socket = Arc::new(socket);
        let orders = Arc::<Orders>::default();
        // The feed follows through a channel: it must not be lost with a thread that never began.
        let (hand_over, handed) = async_channel::bounded::<Box<Feed>>(1);
        let (give_back, returned) = async_channel::bounded(1);
        let (reading, given) = (Arc::clone(&socket), Arc::clone(&orders));
        let body = move || {
            // It was spawned on a pinned shard. A mask that cannot be set leaves it there.
            let _ = sched_setaffinity(None, &cores);
            let Ok(mut feed) = handed.recv_blocking() else { return };
            let run = || feed.run(&reading, &given, &outlets);
            let left = catch_unwind(AssertUnwindSafe(run)).unwrap_or(Left::Panicked);
            // Nobody waits only when the process is ending.
            let _ = give_back.send_blocking((feed, left));
        };
        let prepared = prepare(&socket)
            .and_then(|()| thread::Builder::new().name("on-air".to_owned()).spawn(body));
        match prepared {
            Ok(thread) => {
                // The thread waits for exactly this; room for one.
                let _ = hand_over.try_send(feed);
                let thread = thread.thread().clone();
                Ok(Self { socket, orders, thread, returned })
            }
            Err(error) => Err((feed, error)),
        }
    }

    /// Waits for the feed. May be dropped and called again.
    pub async fn returned(&self) -> Option<(Box<Feed>, Left)> {
        self.returned.recv().await.ok()
    }

    /// Nothing that is read from now on reaches the broadcast; the feed returns soon.
    pub fn call_back(&self) {
        self.orders.called_back.store(true, Ordering::Release);
        // Ends the read that is under way. A connection that is gone already has ended it, too.
        let _ = self.socket.shutdown(Shutdown::Read);
        self.thread.unpark();
    }

    /// The server stops. A publisher that can connect again is asked to, and is on air until it
    /// does or takes too long; any other is called back. The feed returns in a few seconds.
    pub fn ask_to_leave(&self) {
        self.orders.asked_to_leave.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// The kernel ends waits that last too long.
fn prepare(socket: &TcpStream) -> io::Result<()> {
    socket.set_nonblocking(false)?;
    socket.set_read_timeout(Some(SILENCE))?;
    socket.set_write_timeout(Some(WRITE_TIME_MAX))
}

impl Feed {
    fn run(&mut self, socket: &TcpStream, orders: &Orders, outlets: &Outlets) -> Left {
        let mut buffer = vec![0; READ_BYTES];
        let mut naps = Naps::default();
        let mut leave_by = None;
        loop {
            if let Some(nap) = naps.next(Instant::now(), self.broadcast.quiet_until()) {
                // Called back, it wakes at once.
                thread::park_timeout(nap);
            }
            let read = match self.await_input(socket) {
                Ok(true) => (&*socket).read(&mut buffer),
                Ok(false) => Err(ErrorKind::WouldBlock.into()),
                Err(error) => Err(error),
            };
            if orders.called_back.load(Ordering::Acquire) {
                return Left::CalledBack;
            }
            if orders.asked_to_leave.load(Ordering::Acquire) {
                let now = Instant::now();
                let by = *leave_by.get_or_insert_with(|| {
                    if self.session.ask_to_reconnect() { now + RECONNECT_PATIENCE } else { now }
                });
                if by <= now {
                    return Left::CalledBack;
                }
            }
            let bytes = match read {
                Ok(0) => return Left::Closed,
                Ok(len) => {
                    naps.observe(len, READ_BYTES);
                    buffer.get(..len).unwrap_or_default()
                }
                Err(error) if is_no_fault(&error) => &[],
                Err(error) => return Left::Read(error),
            };
            let turn = self.turn(bytes);
            block_on(self.broadcast.flush(outlets));
            if let Some(left) = turn {
                return left;
            }
            while let Some(bytes) = self.session.poll_transmit() {
                match write_all(socket, &bytes) {
                    Ok(()) => {}
                    // What it sent before it went is still to be read; the read tells the end.
                    Err(WriteError::Io(_)) => {}
                    Err(error) => return Left::Write(error),
                }
            }
            if self.session.is_finished() {
                return Left::Closed;
            }
        }
    }

    /// Waits for bytes, and for what the encoders make. Where there are none the read itself waits,
    /// one call less for each message.
    fn await_input(&self, socket: &TcpStream) -> io::Result<bool> {
        let Some(wake) = self.broadcast.wake() else { return Ok(true) };
        let silence = Timespec { tv_sec: 0, tv_nsec: i64::from(SILENCE.subsec_nanos()) };
        let mut waits =
            [PollFd::new(socket, PollFlags::IN), PollFd::from_borrowed_fd(wake, PollFlags::IN)];
        poll(&mut waits, Some(&silence))?;
        let [input, woken] = waits.map(|wait| !wait.revents().is_empty());
        if woken {
            self.broadcast.heard();
        }
        Ok(input)
    }

    /// Bytes, perhaps none, through the session to the broadcast.
    fn turn(&mut self, bytes: &[u8]) -> Option<Left> {
        let now = Instant::now();
        let fed = if bytes.is_empty() { Ok(()) } else { self.session.handle_input(now, bytes) };
        // Bytes may outrun a deadline, and what was said before a fault still counts.
        let timed = fed.and_then(|()| match self.session.deadline() {
            Some(due) if due <= now => self.session.handle_timeout(now),
            Some(_) | None => Ok(()),
        });
        while let Some(event) = self.session.poll_event() {
            match self.broadcast.hear(now, event) {
                Ok(None) => {}
                Ok(Some(event)) => return Some(Left::Event(event, timed)),
                Err(refusal) => return Some(Left::Refused(refusal)),
            }
        }
        self.broadcast.timeout(now);
        timed.err().map(Left::Protocol)
    }
}

/// Acknowledgements and pings; nobody waits behind them.
fn write_all(mut socket: &TcpStream, mut bytes: &[u8]) -> Result<(), WriteError> {
    while !bytes.is_empty() {
        match socket.write(bytes) {
            Ok(len) => bytes = bytes.get(len..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if is_no_fault(&error) => {
                return Err(WriteError::TooSlow { left: bytes.len() });
            }
            Err(error) => return Err(WriteError::Io(error)),
        }
    }
    Ok(())
}

/// Nothing came in time, or a signal did.
fn is_no_fault(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
