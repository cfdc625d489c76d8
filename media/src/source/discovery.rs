//! What waits while it is not known which tracks there are, or where the first IDR picture is
//! (CMD-10, AV-10).
//!
//! A start, a timeline break and a reconnect all pass through here. The window closes by wall
//! clock, because media time may stand still (mediamtx #4002).

use std::collections::VecDeque;
use std::time::Instant;

use super::audio::Sound;
use super::video::Picture;
use crate::limits::{DISCOVERY, DISCOVERY_BYTES_MAX, DISCOVERY_UNITS_MAX, SYNC_WAIT};

/// Units in order of arrival and the two deadlines. Pictures, if any, begin with a sync picture.
#[derive(Debug, Default)]
pub(super) struct Discovery {
    /// Arrival of the first media message.
    opened: Option<Instant>,
    /// No further tracks are waited for.
    closed: bool,
    /// A sync picture is no longer waited for.
    without_sync: bool,
    queue: VecDeque<Waiting>,
    bytes: usize,
}

/// A unit that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) arrived: Instant,
    /// Unwrapped message time.
    pub(super) millis: i64,
    pub(super) unit: Unit,
}

/// A unit of either track, before it has an output time.
#[derive(Debug)]
pub(super) enum Unit {
    /// A coded picture.
    Picture(Picture),
    /// A unit of sound.
    Audio(Sound),
}

impl Unit {
    fn len(&self) -> usize {
        match self {
            Self::Picture(picture) => picture.payload.len(),
            Self::Audio(sound) => sound.payload.len(),
        }
    }

    const fn is_picture(&self) -> bool {
        matches!(self, Self::Picture(_))
    }
}

impl Discovery {
    /// After a break: the tracks are known, only a sync picture is missing.
    pub(super) fn of_known_tracks(now: Instant) -> Self {
        Self { opened: Some(now), closed: true, ..Self::default() }
    }

    /// A media message arrived; the first one opens the window.
    pub(super) fn open(&mut self, now: Instant) {
        self.opened.get_or_insert(now);
    }

    /// Adds a unit and returns how many old ones had to go. When full, the window closes.
    pub(super) fn push(&mut self, waiting: Waiting) -> u64 {
        self.bytes += waiting.unit.len();
        self.queue.push_back(waiting);
        let mut dropped = 0;
        while self.queue.len() > DISCOVERY_UNITS_MAX || self.bytes > DISCOVERY_BYTES_MAX {
            self.closed = true;
            // With a picture in front everything can start, so nothing needs to go.
            if self.has_picture() {
                break;
            }
            let Some(oldest) = self.queue.pop_front() else { break };
            self.bytes -= oldest.unit.len();
            dropped += 1;
        }
        dropped
    }

    /// Lets the deadlines pass.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if let Some(opened) = self.opened {
            self.closed |= now >= opened + DISCOVERY;
            self.without_sync |= now >= opened + SYNC_WAIT;
        }
    }

    /// No further track can come.
    pub(super) const fn close(&mut self) {
        self.closed = true;
    }

    /// When [`Self::handle_timeout`] changes something next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let opened = self.opened?;
        if !self.closed {
            Some(opened + DISCOVERY)
        } else if !self.without_sync {
            Some(opened + SYNC_WAIT)
        } else {
            None
        }
    }

    /// Everything that waits, in order of arrival.
    pub(super) fn drain(&mut self) -> VecDeque<Waiting> {
        self.bytes = 0;
        std::mem::take(&mut self.queue)
    }

    /// Removes the pictures, or the audio; returns how many.
    pub(super) fn discard(&mut self, pictures: bool) -> u64 {
        let before = self.queue.len();
        self.queue.retain(|waiting| waiting.unit.is_picture() != pictures);
        self.bytes = self.queue.iter().map(|waiting| waiting.unit.len()).sum();
        (before - self.queue.len()) as u64
    }

    /// No further tracks are waited for.
    pub(super) const fn is_closed(&self) -> bool {
        self.closed
    }

    /// A sync picture is no longer waited for.
    pub(super) const fn gave_up_on_sync(&self) -> bool {
        self.without_sync
    }

    /// A sync picture is here.
    pub(super) fn has_picture(&self) -> bool {
        self.queue.iter().any(|waiting| waiting.unit.is_picture())
    }

    /// Audio is here.
    pub(super) fn has_audio(&self) -> bool {
        self.queue.iter().any(|waiting| !waiting.unit.is_picture())
    }
}
