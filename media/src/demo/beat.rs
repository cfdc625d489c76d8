//! Which pictures begin a new second: there the flash, the touch of the ball and the tick of the
//! tone meet.
//!
//! Sound has to be made before the picture it belongs to, since the encoder holds some of it back
//! (CM-11). So the beat is planned a few pictures ahead from the date of the present one, and the
//! plan is kept even when the next date says something slightly different: picture and sound never
//! disagree, whatever the caller's clock does.

use std::collections::VecDeque;

use crate::time::UnixTime;

/// Beats remembered and planned; one falls out of the picture after a second.
const BEATS_MAX: usize = 8;

/// The plan of seconds. `beats` rises; all are below `planned`.
#[derive(Debug)]
pub(super) struct Beat {
    frame_rate: u32,
    planned: u64,
    second: Option<i64>,
    beats: VecDeque<u64>,
}

impl Beat {
    /// Plans nothing yet. `frame_rate` in pictures per second, not 0.
    pub(super) const fn new(frame_rate: u32) -> Self {
        Self { frame_rate, planned: 0, second: None, beats: VecDeque::new() }
    }

    /// Plans all pictures before `end`, given that `picture` shows `date`.
    pub(super) fn plan(&mut self, picture: u64, date: UnixTime, end: u64) {
        let period_ms = 1_000 / i64::from(self.frame_rate) + 1;
        for ahead in self.planned.max(picture)..end {
            let offset = u128::from(ahead - picture) * 1_000_000 / u128::from(self.frame_rate);
            // Dates are cut to whole milliseconds, so the true one may be almost 1 ms later;
            // without that a second would seem to turn one picture too late on every third grid.
            let micros = i64::try_from(offset).unwrap_or(0) + 999;
            let millis = date.millis().saturating_add(micros / 1_000);
            let second = millis.div_euclid(1_000);
            let turned = match self.second {
                // A date that steps back by more than the plan's length is a new clock.
                Some(before) => second > before || second < before - 1,
                None => millis.rem_euclid(1_000) < period_ms,
            };
            if turned {
                self.beats.push_back(ahead);
            }
            self.second = Some(second);
            self.planned = ahead + 1;
        }
        while self.beats.len() > BEATS_MAX {
            self.beats.pop_front();
        }
    }

    /// Pictures since the last beat at or before `picture`.
    pub(super) fn age(&self, picture: u64) -> Option<u64> {
        self.beats.iter().rev().find_map(|&beat| picture.checked_sub(beat))
    }

    /// The pictures that begin a second, planned or recent, in order.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = u64> + '_ {
        self.beats.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beats(frame_rate: u32, dates: &[i64]) -> Vec<u64> {
        let mut beat = Beat::new(frame_rate);
        let mut seen = Vec::new();
        for (picture, &date) in (0..).zip(dates) {
            beat.plan(picture, UnixTime::from_millis(date), picture + 5);
            if beat.age(picture) == Some(0) {
                seen.push(picture);
            }
        }
        seen
    }

    #[test]
    fn every_second_has_one_beat() {
        for frame_rate in [1, 24, 25, 30, 50, 60] {
            for start in [0_i64, 1, 500, 999, 1_790_000_000_017] {
                let dates: Vec<i64> = (0..i64::from(frame_rate) * 10)
                    .map(|i| start + i * 1_000 / i64::from(frame_rate))
                    .collect();
                let seen = beats(frame_rate, &dates);
                assert!((9..=10).contains(&seen.len()), "{frame_rate} fps from {start}: {seen:?}");
                for pair in seen.windows(2) {
                    let step = pair[1] - pair[0];
                    assert_eq!(step, u64::from(frame_rate), "from {start}: {seen:?}");
                }
            }
        }
    }

    #[test]
    fn jitter_and_jumps_neither_double_nor_lose_the_beat_for_long() {
        let dates: Vec<i64> = (0..300_i64).map(|i| i * 1_000 / 30 + (i * 7) % 13 - 6).collect();
        assert_eq!(beats(30, &dates).len(), 10);
        // An hour back after five seconds.
        let back = (0..300_i64).map(|i| i * 1_000 / 30 - if i < 150 { 0 } else { 3_600_000 });
        let seen = beats(30, &back.collect::<Vec<_>>());
        assert!((10..=11).contains(&seen.len()), "{seen:?}");
    }
}
