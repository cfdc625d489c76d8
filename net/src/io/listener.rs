//! A TCP port that every shard listens on (`SO_REUSEPORT`): the kernel spreads connections.
//!
//! Sharing hides a mistake: a second server on the same port would silently take half of the
//! viewers. So the port is probed once at start-up without sharing, by [`probe`].

use std::cell::OnceCell;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, OwnedFd};
use std::task::Poll;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{SocketFlags, accept_with};
use socket2::{Domain, Protocol, Socket, Type};

use super::readiness::{Readiness, Side};
use super::sockets::{Entry, Sockets};
use super::stream::Stream;
use crate::Fault;

/// One shard's share of a port.
#[derive(Debug)]
pub struct Listener {
    /// Dropped before the socket is closed.
    _entry: Entry,
    tcp: TcpListener,
    address: SocketAddr,
    /// From the first accept on: it decides which task queue wakes this shard's connections.
    readiness: OnceCell<Readiness>,
    sockets: Sockets,
}

/// Connections that wait to be accepted, per shard; more are turned away by the kernel, which cuts
/// the number to its own limit (4,096 by default).
const BACKLOG: i32 = 1_024;

/// Why a port cannot be listened on: a sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another process listens there, perhaps another Riverrun.
    #[error("{address} is taken by another process; stop it or choose another port")]
    Taken {
        /// The address asked for.
        address: SocketAddr,
    },
    /// Ports below 1024 need a privilege.
    #[error(
        "{address} may not be used by this user; take a port from 1024 up \
         or grant CAP_NET_BIND_SERVICE"
    )]
    Forbidden {
        /// The address asked for.
        address: SocketAddr,
    },
    /// No interface has this address.
    #[error("{address} belongs to no network interface of this machine")]
    NoSuchAddress {
        /// The address asked for.
        address: SocketAddr,
    },
    /// Anything else the kernel says.
    #[error("{address} cannot be listened on: {source}")]
    Other {
        /// The address asked for.
        address: SocketAddr,
        /// The kernel's reason.
        source: io::Error,
    },
}

impl BindError {
    /// A mistake of configuration, or of the machine.
    #[must_use]
    pub fn fault(&self) -> Fault {
        Fault::Ourselves
    }

    fn from_io(address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::Taken { address },
            io::ErrorKind::PermissionDenied => Self::Forbidden { address },
            io::ErrorKind::AddrNotAvailable => Self::NoSuchAddress { address },
            _ => Self::Other { address, source },
        }
    }
}

/// Why no connection could be accepted; the listener itself is still good.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// No descriptor or memory is left (F17). Accepting has paused for a moment already.
    #[error("no descriptor or memory for a connection: {0}; raise the limit on open files")]
    Exhausted(io::Error),
    /// Anything else the kernel says; accepting has paused as well.
    #[error("accepting failed: {0}")]
    Other(io::Error),
}

impl AcceptError {
    /// Capacity when something ran out.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Exhausted(_) => Fault::Capacity,
            Self::Other(_) => Fault::Ourselves,
        }
    }
}

/// Pause after a failed accept: a full table of descriptors must not spin the shard (F17).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Checks at start-up that nobody listens on `address`, and returns the address for
/// [`Listener::bind`]: the same, with a free port in place of port 0, and with `0.0.0.0` for `[::]`
/// on a machine without IPv6.
pub fn probe(address: SocketAddr) -> Result<SocketAddr, BindError> {
    match bind_alone(address) {
        Ok(found) => Ok(found),
        Err(error) if address.ip() == IpAddr::from([0u16; 8]) && lacks_ipv6(&error) => {
            let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), address.port());
            bind_alone(address).map_err(|error| BindError::from_io(address, error))
        }
        Err(error) => Err(BindError::from_io(address, error)),
    }
}

/// Binds without sharing and lets go. `SO_REUSEADDR` passes over connections of a former run that
/// wait out their end; a listening socket still conflicts.
fn bind_alone(address: SocketAddr) -> io::Result<SocketAddr> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket.local_addr()?.as_socket().unwrap_or(address))
}

fn lacks_ipv6(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EAFNOSUPPORT | libc::EADDRNOTAVAIL))
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

impl Listener {
    /// Listens on `address` together with the other shards. Port 0 takes a free one; tell the other
    /// shards by [`local_addr`](Self::local_addr). `[::]` takes IPv4 too where the system's
    /// `net.ipv6.bindv6only` is 0, its default. The listener and what it accepts stand in `sockets`
    /// while they are open. Must run on a glommio executor.
    pub fn bind(address: SocketAddr, sockets: &Sockets) -> Result<Self, BindError> {
        let failed = |error| BindError::from_io(address, error);
        let tcp = listen(address).map_err(failed)?;
        let address = tcp.local_addr().map_err(failed)?;
        let entry = sockets.enter(tcp.as_raw_fd());
        let (readiness, sockets) = (OnceCell::new(), sockets.clone());
        Ok(Self { _entry: entry, tcp, address, readiness, sockets })
    }

    /// The address with its real port.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The next connection. A connection that died in the queue is passed over; other failures are
    /// told after a pause, so a caller may just log and call again.
    pub async fn accept(&self) -> Result<Stream, AcceptError> {
        loop {
            let stream = |accepted| Stream::new(accepted, &self.sockets);
            let error = match self.next().await.and_then(stream) {
                Ok(stream) => return Ok(stream),
                Err(error) => error,
            };
            match error.raw_os_error() {
                Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => {
                    glommio::timer::sleep(ACCEPT_PAUSE).await;
                    return Err(AcceptError::Exhausted(error));
                }
                // The peer left between its SYN and now: accept(2), NOTES.
                Some(
                    libc::ECONNABORTED
                    | libc::ECONNRESET
                    | libc::ENOTCONN
                    | libc::EINTR
                    | libc::EPROTO
                    | libc::EHOSTUNREACH
                    | libc::ENETUNREACH
                    | libc::ENETDOWN
                    | libc::EHOSTDOWN
                    | libc::ENONET,
                ) => {}
                _ => {
                    glommio::timer::sleep(ACCEPT_PAUSE).await;
                    return Err(AcceptError::Other(error));
                }
            }
        }
    }

    /// The next connection from the kernel's queue.
    async fn next(&self) -> io::Result<OwnedFd> {
        let readiness = match self.readiness.get() {
            Some(readiness) => readiness,
            None => {
                let readiness = Readiness::of(&self.tcp)?;
                self.readiness.get_or_init(|| readiness)
            }
        };
        poll_fn(|cx| {
            while readiness.is_ready(Side::Read, cx) {
                match accept_with(&self.tcp, SocketFlags::CLOEXEC) {
                    Err(Errno::AGAIN) => readiness.set_blocked(Side::Read),
                    accepted => return Poll::Ready(accepted.map_err(io::Error::from)),
                }
            }
            Poll::Pending
        })
        .await
    }
}
