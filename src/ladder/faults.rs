//! Misbehaviour on demand, in builds with debug assertions: tests make a codec hang, fail or panic
//! while a server is live (F7). `RIVER_FAULT` is the name of a file; what stands in it, such as
//! `1:hang` or `decode:panic`, happens once to the codec named.

use std::fmt::Display;
#[cfg(debug_assertions)]
use std::path::PathBuf;

/// What is asked of a codec, perhaps.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    #[cfg(debug_assertions)]
    file: Option<PathBuf>,
}

#[cfg(debug_assertions)]
impl Faults {
    pub(super) fn from_environment() -> Self {
        Self { file: std::env::var_os("RIVER_FAULT").map(PathBuf::from) }
    }

    /// Before a call into the codec `name`; `true` when it is to fail.
    pub(super) fn strike(&self, name: impl Display) -> bool {
        const HANG: std::time::Duration = std::time::Duration::from_secs(5);
        let Some(file) = &self.file else { return false };
        let Ok(fault) = std::fs::read_to_string(file) else { return false };
        let Some(kind) = fault.trim().strip_prefix(&format!("{name}:")) else {
            return false;
        };
        let _ = std::fs::remove_file(file);
        match kind {
            "hang" => std::thread::sleep(HANG),
            "panic" => panic!("asked to panic"),
            _ => return true,
        }
        false
    }
}

#[cfg(not(debug_assertions))]
impl Faults {
    pub(super) fn from_environment() -> Self {
        Self::default()
    }

    #[expect(clippy::unused_self, reason = "the same shape as in builds that can misbehave")]
    pub(super) fn strike(&self, _name: impl Display) -> bool {
        false
    }
}
