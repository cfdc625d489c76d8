//! What is checked before anything is started, and the plain words when it fails (T27).
//!
//! Each refusal says what was tried, what the system answered and what to change.

use std::io;

use glommio::{GlommioError, LocalExecutorBuilder, Placement, ReactorErrorKind};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use thiserror::Error;

/// Locked memory that glommio wants for its rings, in bytes.
const MEMLOCK_BYTES_MIN: u64 = 512 << 10;
/// Open files below which a warning is due: each viewer holds one or two.
const OPEN_FILES_COMFORTABLE: u64 = 4_096;

/// Why the server cannot start on this machine.
#[derive(Debug, Error)]
pub enum ProbeError {
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
         io_uring_register in the seccomp profile; on the host look at sysctl \
         kernel.io_uring_disabled"
    )]
    IoUring {
        /// What the system said.
        source: io::Error,
    },
    /// The ring could not be made for want of memory.
    #[error(
        "io_uring found too little memory ({source}). Raise the limit of locked memory \
         (ulimit -l) or use fewer --shards"
    )]
    RingMemory {
        /// What the system said.
        source: io::Error,
    },
    /// Another start-up failure of an executor.
    #[error("an executor could not be started: {0}")]
    Executor(String),
}

/// What this process may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes that may be locked in memory; `u64::MAX` for no limit.
    pub locked_memory: u64,
    /// Files that may be open at a time; `u64::MAX` for no limit.
    pub open_files: u64,
}

impl Limits {
    /// A sentence for the operator when few viewers will find a place.
    pub fn few_files(&self) -> Option<&'static str> {
        (self.open_files < OPEN_FILES_COMFORTABLE).then_some(
            "few open files are allowed, each viewer needs one or two: raise LimitNOFILE, \
             ulimit -n",
        )
    }
}

/// Raises this process's soft limits to what the hard limits allow.
pub fn raise_limits() -> Result<Limits, ProbeError> {
    let locked_memory = raise(Resource::Memlock);
    if locked_memory < MEMLOCK_BYTES_MIN {
        return Err(ProbeError::MemoryLock { seen: locked_memory });
    }
    Ok(Limits { locked_memory, open_files: raise(Resource::Nofile) })
}

/// Makes and drops an executor, before anything is stored: a container that denies io_uring must
/// not cost the operator the secrets of the first start.
pub fn executor() -> Result<(), ProbeError> {
    let probe = || LocalExecutorBuilder::new(Placement::Unbound).io_memory(0).make().map(drop);
    match std::thread::spawn(move || probe().map_err(explain)).join() {
        Ok(result) => result,
        Err(_) => Err(ProbeError::Executor("the probe panicked".to_owned())),
    }
}

/// Sets the soft limit to the hard one and returns what is in force.
fn raise(resource: Resource) -> u64 {
    let found = getrlimit(resource);
    let wanted = Rlimit { current: found.maximum, maximum: found.maximum };
    let now = if setrlimit(resource, wanted).is_ok() { found.maximum } else { found.current };
    now.unwrap_or(u64::MAX)
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
