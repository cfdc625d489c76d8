//! One TCP connection on a shard, for every protocol: reads and writes against absolute deadlines.
//!
//! Reads are safe to drop: a non-blocking receive is tried where `readiness`
//! says that it is worth it, so no byte is ever in flight inside a dropped future. A write is one
//! vectored `sendmsg` tried at once; only a full socket buffer waits for its turn.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustix::net::{RecvFlags, recv};
use socket2::SockRef;

use super::deadline::DeadlineTimer;
use super::readiness::{Readiness, Side};
use super::sockets::{Entry, Sockets};
use crate::Fault;

/// A connection. Dropping it closes it; a peer that is still sending then gets a reset, so use
/// [`close`](Self::close) after a last answer.
#[derive(Debug)]
pub struct Stream {
    /// Dropped before the socket is closed.
    _entry: Entry,
    tcp: TcpStream,
    readiness: Readiness,
    peer: SocketAddr,
    timer: DeadlineTimer,
}

/// What a read came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// This many bytes are at the start of the buffer; at least one.
    Bytes(usize),
    /// The peer closed its sending side.
    Closed,
    /// The deadline passed first; nothing was read.
    DeadlinePassed,
}

/// Why a write ended early. Either way the connection is of no more use.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The peer is gone, or the network to it.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    /// The deadline passed with bytes unsent (F22).
    #[error("the peer reads too slowly: {left} bytes were unsent at the deadline")]
    TooSlow {
        /// Bytes that the kernel had not taken.
        left: usize,
    },
}

impl WriteError {
    /// Both are the peer's (or its network's).
    #[must_use]
    pub fn fault(&self) -> Fault {
        Fault::Peer
    }
}

/// Buffers in one vectored send. A head and a segment of six parts fit into the first half.
pub(super) const SLICES_MAX: usize = 16;
/// How long the rest of a peer's input is read after a last answer (RFC 9112 §9.6).
const LINGER: Duration = Duration::from_secs(1);
/// How much of it is read.
const LINGER_BYTES_MAX: usize = 256 << 10;
/// A piece of it.
const LINGER_READ_BYTES: usize = 4 << 10;

impl Stream {
    /// Takes over an accepted connection and turns Nagle's algorithm off: every write here is a
    /// whole answer, and holding its tail back costs 40 ms. The connection itself blocks, for its
    /// [borrower](Self::lend); calls here ask not to.
    pub(super) fn new(accepted: OwnedFd, sockets: &Sockets) -> io::Result<Self> {
        let tcp = TcpStream::from(accepted);
        tcp.set_nodelay(true)?;
        // A connection we ended first keeps its port for a minute (TIME_WAIT). Marked so, it does
        // not stand in the way of the probe when the server is started again.
        SockRef::from(&tcp).set_reuse_address(true)?;
        let peer = tcp.peer_addr()?;
        // `::ffff:a.b.c.d` of a dual-stack port is the IPv4 peer (F33).
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let readiness = Readiness::of(&tcp)?;
        let entry = sockets.enter(tcp.as_raw_fd());
        Ok(Self { _entry: entry, tcp, readiness, peer, timer: DeadlineTimer::default() })
    }

    /// The peer; an IPv4 peer of a dual-stack port as IPv4.
    #[must_use]
    pub fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    /// Reads what is there, waiting until `deadline` for at least one byte; bytes that are there
    /// already are returned even after it. The future may be dropped at any time without losing
    /// input, so it can be raced with others.
    pub async fn read(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<Read> {
        poll_fn(|cx| match self.poll_read(cx, buffer) {
            Poll::Ready(Ok(0)) => Poll::Ready(Ok(Read::Closed)),
            Poll::Ready(Ok(bytes)) => Poll::Ready(Ok(Read::Bytes(bytes))),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => self.poll_deadline(cx, deadline).map(|()| Ok(Read::DeadlinePassed)),
        })
        .await
    }

    /// Writes all `chunks` in order, by reference, or fails when `deadline` passes before the
    /// kernel has taken the last byte. Give a deadline that grows with the length.
    pub async fn write_all(
        &mut self,
        chunks: &[Bytes],
        deadline: Instant,
    ) -> Result<(), WriteError> {
        let mut left: usize = chunks.iter().map(Bytes::len).sum();
        let mut first = 0;
        let mut offset = 0;
        while left > 0 {
            let mut slices = [IoSlice::new(&[]); SLICES_MAX];
            let mut filled = 0;
            for (slot, chunk) in slices.iter_mut().zip(&chunks[first..]) {
                *slot = IoSlice::new(chunk.get(offset..).filter(|_| filled == 0).unwrap_or(chunk));
                filled += 1;
            }
            let mut written = self.write_some(&slices[..filled], left, deadline).await?;
            left -= written;
            written += offset;
            while first < chunks.len() && written >= chunks[first].len() {
                written -= chunks[first].len();
                first += 1;
            }
            offset = written;
        }
        Ok(())
    }

    /// Writes at least one byte of `slices`; `left` is what the error tells.
    async fn write_some(
        &mut self,
        slices: &[IoSlice<'_>],
        left: usize,
        deadline: Instant,
    ) -> Result<usize, WriteError> {
        poll_fn(|cx| match self.poll_write(cx, slices) {
            Poll::Ready(result) => Poll::Ready(result.map_err(WriteError::Io)),
            Poll::Pending => {
                self.poll_deadline(cx, deadline).map(|()| Err(WriteError::TooSlow { left }))
            }
        })
        .await
    }

    /// The same connection for a thread that reads it with calls that block. What is set on it
    /// holds for both. The shard does not watch it meanwhile, or each message would wake both; when
    /// that thread has ended, [take it back](Self::take_back) before the next call here.
    pub fn lend(&self) -> io::Result<TcpStream> {
        let lent = SockRef::from(&self.tcp).try_clone()?.into();
        self.readiness.leave(&self.tcp)?;
        Ok(lent)
    }

    /// Watches the connection again. After an error it is of no more use.
    pub fn take_back(&self) -> io::Result<()> {
        self.readiness.come_back(&self.tcp)
    }

    /// Ends the connection politely: no more output, and what the peer still sends is read for a
    /// moment, so that a reset does not overtake the last answer.
    pub async fn close(mut self) {
        if self.tcp.shutdown(Shutdown::Write).is_err() {
            return;
        }
        let deadline = Instant::now() + LINGER;
        // On the heap: inside the future it would be part of every idle connection.
        let mut buffer = vec![0; LINGER_READ_BYTES];
        let mut total = 0;
        while total < LINGER_BYTES_MAX {
            match self.read(&mut buffer, deadline).await {
                Ok(Read::Bytes(bytes)) => total += bytes,
                Ok(Read::Closed | Read::DeadlinePassed) | Err(_) => return,
            }
        }
    }

    /// Ends the connection at once with a reset: what the kernel still holds for a peer that does
    /// not read is thrown away instead of kept for minutes (F22).
    pub fn reset(self) {
        // Without it the end is only slower.
        let _ = SockRef::from(&self.tcp).set_linger(Some(Duration::ZERO));
    }

    /// One read without a deadline; zero is the end of input.
    pub fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        while self.readiness.is_ready(Side::Read, cx) {
            match recv(&self.tcp, &mut *buffer, RecvFlags::DONTWAIT).map_err(io::Error::from) {
                Ok((bytes, _)) => {
                    if bytes > 0 && bytes < buffer.len() {
                        self.readiness.set_drained();
                    }
                    return Poll::Ready(Ok(bytes));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.readiness.set_blocked(Side::Read);
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Pending
    }

    /// One vectored write without a deadline; at least one byte when ready.
    pub fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        while self.readiness.is_ready(Side::Write, cx) {
            match self.send(slices) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.readiness.set_blocked(Side::Write);
                }
                written => return Poll::Ready(written),
            }
        }
        Poll::Pending
    }

    /// What the kernel takes of `slices` at once. Zero also when the connection has failed: the
    /// next [`poll_write`](Self::poll_write) tells.
    pub fn try_write(&self, slices: &[IoSlice<'_>]) -> usize {
        self.send(slices).unwrap_or(0)
    }

    fn send(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        SockRef::from(&self.tcp).send_vectored_with_flags(slices, flags)
    }

    /// Ready once `deadline` has passed. Cheap to ask often: its timer is armed lazily.
    pub fn poll_deadline(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        self.timer.poll(cx, deadline)
    }
}
