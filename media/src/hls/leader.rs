//! The track that decides where segments begin: its newest unit, and what is expected to follow.
//!
//! A unit is held until the next one tells its duration (CM-8). While pictures come regularly the
//! packager need not wait: a unit that fills its part is written with the duration expected, and
//! the part is listed at once. Decode times stay without holes whatever comes then (CM-7): the next
//! unit is decoded where the one before was said to end, keeps its own presentation time by its
//! composition offset, and lasts until the one behind it. A hole of two pictures would make
//! browsers throw away everything up to the next sync picture.

use super::alignment::{TrackWriter, is_placeable};
use super::rendition_writer::RenditionWriter;
use super::rhythm::Rhythm;
use crate::access_unit::{AccessUnit, TrackKind};
use crate::time::MediaTime;

/// Distances of units that must agree before the next one is expected.
const STEADY_UNITS: usize = 6;
/// Intervals of sync units that must agree before a part is listed because the next unit should
/// begin a segment: a shorter part than LL-1 allows in the middle of one.
const STEADY_INTERVALS: usize = 3;

/// The leading track.
#[derive(Debug)]
pub(super) struct Leader {
    pub(super) kind: TrackKind,
    pub(super) writer: RenditionWriter,
    /// The newest unit.
    pub(super) held: Option<Held>,
    /// A segment was said to end with the unit held, and must.
    pub(super) owes_cut: bool,
    /// Duration of a unit before any is known, in track ticks.
    usual: i64,
    durations: Rhythm<STEADY_UNITS>,
    last_sync: Option<i64>,
    sync_intervals: Rhythm<STEADY_INTERVALS>,
    /// Presentation minus decode time of the last sync unit, in track ticks: what remains of a
    /// reorder delay.
    sync_offset: i64,
    awaits_sync: bool,
    /// How far sound was ahead of pictures when they came, lately, in track ticks.
    sound_ahead: i64,
}

/// The newest unit.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) unit: AccessUnit,
    /// Where it is decoded, in track ticks: at its own time, or where a unit that was written early
    /// was said to end.
    pub(super) from: i64,
    /// It was written with the duration expected, and its part is listed.
    pub(super) listed: bool,
    /// It was written because nothing came while sound went on: when it ends is open.
    pub(super) stands: bool,
}

/// The unit that should come next, in track ticks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    pub(super) dts: i64,
    /// Of the unit held.
    pub(super) duration: i64,
    pub(super) sync: NextSync,
}

/// Whether the next unit should be a sync unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NextSync {
    /// The interval is not known yet.
    Unknown,
    /// Not by the last interval.
    No,
    /// By the last interval.
    Likely,
    /// By intervals that have been the same for a while.
    Sure,
}

impl Leader {
    pub(super) fn new(track: TrackWriter) -> Self {
        Self {
            kind: track.kind,
            writer: track.writer,
            held: None,
            owes_cut: false,
            usual: track.unit_duration,
            durations: Rhythm::new(),
            last_sync: None,
            sync_intervals: Rhythm::new(),
            sync_offset: 0,
            awaits_sync: true,
            sound_ahead: 0,
        }
    }

    /// Whether the unit cannot be used: it came after its time was given up, or nothing before it
    /// can be decoded.
    pub(super) fn drops(&mut self, unit: &AccessUnit) -> bool {
        let dts = unit.dts.ticks();
        let too_late = match &self.held {
            Some(held) => dts <= held.unit.dts.ticks(),
            None => dts < self.writer.end(),
        };
        if too_late || !is_placeable(unit) {
            self.awaits_sync = true;
            return true;
        }
        self.awaits_sync &= !unit.sync;
        self.awaits_sync
    }

    /// Makes `unit` the newest, `duration` after the one before.
    pub(super) fn hold(&mut self, unit: AccessUnit, duration: Option<i64>, after_listed: bool) {
        let dts = unit.dts.ticks();
        if let Some(duration) = duration {
            self.durations.observe(duration);
        }
        if unit.sync {
            if let Some(last) = self.last_sync {
                self.sync_intervals.observe(dts - last);
            }
            self.last_sync = Some(dts);
        }
        // Sound has no use for a composition offset: what is missing stays missing.
        let follows = after_listed && self.kind == TrackKind::Video;
        let from = if follows { self.writer.decoded() } else { dts.max(self.writer.end()) };
        self.held = Some(Held { unit, from, listed: false, stands: false });
    }

    /// Takes note of where sound was when `unit` came. What was once is forgotten over a dozen
    /// pictures.
    pub(super) fn observe_sound(&mut self, unit: &AccessUnit, heard: Option<MediaTime>) {
        const MEMORY: i64 = 8;
        let Some(heard) = heard else { return };
        let ahead = heard.minus(self.boundary(unit)).rescale(self.writer.timescale()).ticks();
        self.sound_ahead = ahead.max(self.sound_ahead - self.sound_ahead / MEMORY);
    }

    /// How much later than sound a picture may come, in track ticks. `None` while nothing is known
    /// of this source.
    pub(super) fn patience(&self) -> Option<i64> {
        self.durations.newest()?;
        Some(self.sound_ahead)
    }

    /// Takes note of a sync unit that is written.
    pub(super) fn observe_written(&mut self, unit: &AccessUnit) {
        if unit.sync {
            self.sync_offset = unit.pts.minus(unit.dts).ticks();
        }
    }

    /// Duration of the unit before, in track ticks.
    pub(super) fn last_duration(&self) -> i64 {
        self.durations.newest().unwrap_or(self.usual)
    }

    /// The longest of the units before, in track ticks.
    pub(super) fn longest_duration(&self) -> i64 {
        self.durations.longest().max(self.usual)
    }

    /// What should come next, if units come regularly.
    pub(super) fn expected(&self) -> Option<Expected> {
        let held = self.held.as_ref()?;
        let tolerance = self.last_duration() / 8;
        let millisecond = i64::from(self.writer.timescale().hz()) / 1_000;
        let duration = self.durations.expected(tolerance.max(millisecond))?;
        let dts = held.unit.dts.ticks() + duration;
        let sync = match (self.last_sync, self.sync_intervals.newest()) {
            (Some(last), Some(interval)) if (last + interval - dts).abs() * 2 < duration => {
                let steady = self.sync_intervals.expected(duration / 2).is_some();
                if steady { NextSync::Sure } else { NextSync::Likely }
            }
            (_, Some(_)) => NextSync::No,
            (_, None) => NextSync::Unknown,
        };
        Some(Expected { dts, duration, sync })
    }

    /// Where the next sync unit should stand, in track ticks.
    pub(super) fn next_sync(&self) -> Option<i64> {
        Some(self.last_sync? + self.sync_intervals.newest()?)
    }

    /// Duration of a unit that has no successor: as long as the one before, unless rounding would
    /// cost a part of its own.
    pub(super) fn guess_duration(&self, held: &Held) -> i64 {
        let room = self.writer.room_in_part(held.from);
        let usual = self.last_duration();
        if room * 4 >= usual * 3 { usual.min(room) } else { usual }
    }

    /// Presentation time at which a segment that begins with this unit begins.
    pub(super) fn boundary(&self, unit: &AccessUnit) -> MediaTime {
        if unit.sync {
            return unit.pts;
        }
        MediaTime::new(unit.dts.ticks().saturating_add(self.sync_offset), unit.dts.timescale())
    }

    /// Presentation time of what decodes at `dts`, where nothing is reordered.
    pub(super) fn shown_at(&self, dts: i64) -> MediaTime {
        MediaTime::new(dts.saturating_add(self.sync_offset), self.writer.timescale())
    }
}
