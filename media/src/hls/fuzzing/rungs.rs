//! The ladder of a fuzzed broadcast: pictures of the source come back from it some time later, or
//! never, or are none of its own.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use super::{Broadcaster, TIMES, video_track};
use crate::access_unit::{AccessUnit, TrackKind};
use crate::fuzzing::Choices;
use crate::hls::{Boundary, Lineup, Rung, Segmenter};
use crate::time::{MediaTime, Timescale};

/// Numbers of variants: as many as there are checkers of pictures.
const VARIANTS: u8 = 3;
/// Pictures inside the ladder; those before are lost, as in any bounded queue.
const INSIDE_MAX: usize = 256;

/// The decoder and all encoders.
#[derive(Debug, Default)]
pub(super) struct Encoders {
    /// By the count of changes before.
    lineups: BTreeMap<u64, Lineup>,
    /// Changes taken so far.
    changes: u64,
    starts: VecDeque<Boundary>,
    reached: Option<Boundary>,
    inside: VecDeque<(u64, u8, AccessUnit)>,
    /// Pictures that stay inside.
    delay: usize,
    /// Bit v: variant v takes no pictures.
    stalled: u8,
}

impl Encoders {
    /// What a timeline begins with.
    pub(super) fn draw(&mut self, choices: &mut Choices<'_>) -> Lineup {
        let lineup = draw(choices);
        self.lineups.insert(self.changes, lineup.clone());
        lineup
    }

    /// The source has another picture: takes it, and gives what is due.
    pub(super) fn see(&mut self, segmenter: &mut Segmenter, unit: &AccessUnit) {
        while let Some(boundary) = segmenter.poll_boundary() {
            self.starts.push_back(boundary);
        }
        let mut sync = false;
        while self.starts.front().is_some_and(|boundary| boundary.start <= unit.pts) {
            sync = true;
            self.reached = self.starts.pop_front();
        }
        let Some(Boundary { timeline, lineup, .. }) = self.reached else { return };
        let known = self.lineups.range(..=lineup).next_back();
        let rungs = known.map(|(_, lineup)| &lineup.rungs[..]).unwrap_or_default();
        for Rung { variant, .. } in rungs {
            if self.stalled >> variant & 1 == 0 {
                let unit = AccessUnit { sync, dts: unit.pts, ..unit.clone() };
                self.inside.push_back((timeline, *variant, unit));
            }
        }
        while self.inside.len() > INSIDE_MAX {
            self.inside.pop_front();
        }
        while self.inside.len() > self.delay {
            self.give(segmenter);
        }
    }

    fn give(&mut self, segmenter: &mut Segmenter) {
        if let Some((timeline, variant, unit)) = self.inside.pop_front() {
            segmenter.push_rung(timeline, variant, unit);
        }
    }

    /// A picture that nobody ordered.
    fn stray(&self, choices: &mut Choices<'_>) -> (u64, u8, AccessUnit) {
        let timeline = self.reached.map_or(0, |boundary| boundary.timeline);
        let timeline = choices.pick(&[timeline, timeline.wrapping_sub(1), 0, u64::MAX]);
        let near = self.reached.map_or(0, |boundary| boundary.start.ticks());
        let shape = choices.byte();
        let at = |choices: &mut Choices<'_>| match shape & 0xC0 {
            0xC0 => choices.pick(&TIMES),
            0x80 => near.saturating_sub(i64::from(choices.u16())),
            _ => near.saturating_add(i64::from(choices.u32())),
        };
        let dts = at(choices);
        let pts = if shape & 2 == 0 { dts } else { at(choices) };
        let unit = AccessUnit {
            track: TrackKind::Video,
            dts: MediaTime::new(dts, Timescale::VIDEO),
            pts: MediaTime::new(pts, Timescale::VIDEO),
            sync: shape & 1 == 1,
            payload: Bytes::from_static(b"\0\0\0\x02\x65\x80"),
        };
        (timeline, choices.byte() % (VARIANTS + 1), unit)
    }
}

impl Broadcaster {
    /// Something happens to the ladder.
    pub(super) fn encoders_step(&mut self, choices: &mut Choices<'_>) {
        let Self { encoders: Some(encoders), segmenter, .. } = self else { return };
        match choices.byte() {
            0..=0x5F => {
                let lineup = draw(choices);
                if let Some(number) = segmenter.change_lineup(lineup.clone()) {
                    assert_eq!(number, encoders.changes + 1);
                    encoders.changes = number;
                    encoders.lineups.insert(number, lineup);
                }
            }
            0x60..=0x8F => encoders.delay = usize::from(choices.byte() % 64),
            0x90..=0xBF => encoders.stalled = choices.byte(),
            0xC0..=0xCF => {
                for _ in 0..choices.byte() {
                    encoders.give(segmenter);
                }
            }
            0xD0..=0xDF => encoders.inside.clear(),
            0xE0..=0xFF => {
                self.units += 1;
                let (timeline, variant, unit) = encoders.stray(choices);
                segmenter.push_rung(timeline, variant, unit);
            }
        }
    }
}

/// A lineup in which no number stands for two renditions.
fn draw(choices: &mut Choices<'_>) -> Lineup {
    let source = choices.pick(&[Some(0), None, Some(1), Some(0)]);
    let (mask, other) = (choices.byte(), choices.byte());
    let rung = |variant: u8| {
        let mut track = video_track(Some(30_000));
        // The same number may stand for other pictures than before.
        track.bitrate = Some(100_000 + u32::from(other >> variant & 1));
        Rung { variant, track: Arc::new(track) }
    };
    let rungs = (0..VARIANTS).filter(|v| mask >> v & 1 == 1 && source != Some(*v));
    let rungs: Vec<_> = rungs.map(rung).collect();
    // What nobody is offered needs something else that is.
    let hides_source = mask & 0x80 != 0 && !rungs.is_empty();
    Lineup { source, hides_source, rungs }
}
