//! The least rate of an unfinished message (1.10: slow loris inside one big message).

use std::time::{Duration, Instant};

use crate::rtmp::error::Error;

/// Counts bytes over windows that begin when a message is left unfinished and end when any message
/// finishes: whoever finishes messages is not stalling.
#[derive(Debug)]
pub(super) struct Pace {
    window: Duration,
    bytes_min: u64,
    measured: Option<Measured>,
}

#[derive(Debug, Clone, Copy)]
struct Measured {
    since: Instant,
    bytes: u64,
}

impl Pace {
    /// `rate_min` in bytes per second, averaged over `window`.
    pub(super) fn new(rate_min: u32, window: Duration) -> Self {
        let bytes_min = u128::from(rate_min) * window.as_millis() / 1_000;
        Self { window, bytes_min: u64::try_from(bytes_min).unwrap_or(u64::MAX), measured: None }
    }

    /// `bytes` were read; `finished` tells whether a message ended among them and `inside` whether
    /// one is unfinished now.
    pub(super) fn on_input(&mut self, now: Instant, bytes: u64, finished: bool, inside: bool) {
        self.measured = match self.measured {
            _ if !inside => None,
            Some(measured) if !finished => {
                Some(Measured { bytes: measured.bytes.saturating_add(bytes), ..measured })
            }
            Some(_) | None => Some(Measured { since: now, bytes: 0 }),
        };
    }

    /// Nothing is expected until the next input.
    pub(super) const fn pause(&mut self) {
        self.measured = None;
    }

    /// When the window ends, if one is open.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.measured.map(|measured| measured.since + self.window)
    }

    /// Judges a window that has ended and opens the next.
    pub(super) fn check(&mut self, now: Instant) -> Result<(), Error> {
        let Some(measured) = self.measured else { return Ok(()) };
        if now < measured.since + self.window {
            return Ok(());
        }
        if measured.bytes < self.bytes_min {
            return Err(Error::TooSlow {
                bytes: measured.bytes,
                over: now.duration_since(measured.since),
                min: self.bytes_min,
            });
        }
        self.measured = Some(Measured { since: now, bytes: 0 });
        Ok(())
    }
}
