//! What is checked before anything is started, and the plain words when it fails (T27).
//!
//! Each refusal says what was tried, what the system answered and what to change.

use std::io;
use std::net::{SocketAddr, TcpListener};

use glommio::{GlommioError, ReactorErrorKind};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use thiserror::Error;

/// Locked memory that glommio wants for its rings, in bytes.
const MEMLOCK_BYTES_MIN: u64 = 512 << 10;
/// Open files below which a warning is due: each viewer holds one or two.
const OPEN_FILES_COMFORTABLE: u64 = 4_096;

/// Why the server cannot start on this machine.
#[derive(Debug, Error)]
pub enum ProbeError {
    /// An address cannot be listened on because somebody does.
    #[error(
        "port {} for {what} is taken: another program listens on {addr}. Stop it or choose another with --{option}",
        addr.port()
    )]
    PortTaken {
        /// "viewers" or "publishers".
        what: &'static str,
        /// The option that changes it.
        option: &'static str,
        /// The address.
        addr: SocketAddr,
    },
    /// An address cannot be listened on for another reason.
    #[error("cannot listen on {addr} for {what} (--{option}): {source}")]
    Address {
        /// "viewers" or "publishers".
        what: &'static str,
        /// The option that changes it.
        option: &'static str,
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The limit of locked memory is too low.
    #[error(
        "the limit of locked memory is {seen} bytes, io_uring needs {MEMLOCK_BYTES_MIN}. \
         Raise it: LimitMEMLOCK=1M in a systemd unit, --ulimit memlock=1048576 for a container, \
         ulimit -l 1024 in a shell"
    )]
    MemoryLock {
        /// The hard limit.
        seen: u64,
    },
    /// The kernel or the container denies io_uring.
    #[error(
        "io_uring is refused ({source}). Riverrun needs Linux 5.8 or newer and the io_uring system \
         calls. Containers deny them by default: allow io_uring_setup, io_uring_enter and \
         io_uring_register in the seccomp profile; on the host look at sysctl kernel.io_uring_disabled"
    )]
    IoUring {
        /// What the system said.
        source: io::Error,
    },
    /// The ring could not be made for want of memory.
    #[error("io_uring found too little memory ({source}). Raise the limit of locked memory (ulimit -l) or use fewer --shards")]
    RingMemory {
        /// What the system said.
        source: io::Error,
    },
    /// Another start-up failure of an executor.
    #[error("an executor could not be started: {0}")]
    Executor(String),
}

/// Raises this process's soft limits to what the hard limits allow. Says in a log line when the
/// result is still low.
pub fn raise_limits() -> Result<(), ProbeError> {
    let memlock = raise(Resource::Memlock);
    if memlock < MEMLOCK_BYTES_MIN {
        return Err(ProbeError::MemoryLock { seen: memlock });
    }
    let files = raise(Resource::Nofile);
    if files < OPEN_FILES_COMFORTABLE {
        tracing::warn!(
            allowed = files,
            "few open files are allowed: each viewer needs one or two. Raise LimitNOFILE or ulimit -n"
        );
    }
    Ok(())
}

/// Sets the soft limit to the hard one and returns what is in force.
fn raise(resource: Resource) -> u64 {
    let found = getrlimit(resource);
    let wanted = Rlimit { current: found.maximum, maximum: found.maximum };
    let now = if setrlimit(resource, wanted).is_ok() { found.maximum } else { found.current };
    now.unwrap_or(u64::MAX)
}

/// Refuses an address that somebody listens on. Our own listeners share their port among the
/// shards (SO_REUSEPORT), so a second server of the same user would silently take half of the
/// connections: the first bind is made without sharing.
///
/// Answers the address to listen on: port 0 becomes the port that the system chose.
pub fn free_address(
    what: &'static str,
    option: &'static str,
    addr: SocketAddr,
) -> Result<SocketAddr, ProbeError> {
    match TcpListener::bind(addr).and_then(|listener| listener.local_addr()) {
        Ok(found) => Ok(found),
        Err(source) if source.kind() == io::ErrorKind::AddrInUse => {
            Err(ProbeError::PortTaken { what, option, addr })
        }
        Err(source) => Err(ProbeError::Address { what, option, addr, source }),
    }
}

/// Puts an executor's failure to start into words.
pub fn explain<T>(error: GlommioError<T>) -> ProbeError {
    match error {
        GlommioError::ReactorError(ReactorErrorKind::MemLockLimit(seen, _)) => {
            ProbeError::MemoryLock { seen }
        }
        GlommioError::IoError(source) => match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported => {
                ProbeError::IoUring { source }
            }
            io::ErrorKind::OutOfMemory => ProbeError::RingMemory { source },
            _ => ProbeError::Executor(source.to_string()),
        },
        other => ProbeError::Executor(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named() {
        let holder = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = holder.local_addr().unwrap();
        let error = free_address("viewers", "http", addr).unwrap_err().to_string();
        assert!(error.contains(&addr.port().to_string()) && error.contains("--http"), "{error}");
        drop(holder);
        assert_eq!(free_address("viewers", "http", addr).unwrap(), addr);
    }

    #[test]
    fn refused_rings_say_what_to_change() {
        for (kind, words) in [
            (io::ErrorKind::PermissionDenied, "seccomp"),
            (io::ErrorKind::Unsupported, "5.8"),
            (io::ErrorKind::OutOfMemory, "ulimit -l"),
        ] {
            let error = explain::<()>(GlommioError::IoError(kind.into())).to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
