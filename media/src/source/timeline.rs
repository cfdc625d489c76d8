//! One track's wrapped milliseconds to the output timeline (TS-1, TS-3, TS-4).
//!
//! A [`Clock`] unwraps message times to 64 bits and tells a pause from a jump. Its offset maps them
//! to output ticks; two tracks on one clock of the publisher share the offset. What a jump leads to
//! is decided by [`super::Source`].

use crate::limits::{STEP_BACK_MS_MAX, STEP_FORWARD_MS_MAX, TRACK_DISTANCE_MS_MAX};
use crate::time::RtmpTimestamp;

/// 90 kHz ticks in a millisecond.
const TICKS_PER_MS: i64 = 90;
/// Sizes of counters that wrap before 32 bits do (TS-1): 4.66 hours and 24.8 days.
const SHORT_WRAPS: [i64; 2] = [1 << 24, 1 << 31];

/// The clock of one track.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// The last message time and what it became.
    last: Option<(RtmpTimestamp, i64)>,
    /// Furthest unwrapped time since the last (re)start.
    furthest: Option<i64>,
    /// Output ticks at unwrapped time 0, once the track has been placed.
    offset: Option<i64>,
}

/// How a message time relates to the ones before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Forward, a pause, or slightly back.
    Steady,
    /// Another clock: back by more than 500 ms, or ahead by more than 10 s.
    Jump,
}

impl Clock {
    /// 64-bit milliseconds. The first time lands near the other track's when it can: the tracks may
    /// stand on both sides of a wrap.
    pub(super) fn unwrap(&mut self, timestamp: RtmpTimestamp, other: &Self) -> i64 {
        let millis = match (self.last, other.last) {
            (Some((last, millis)), _) => millis + step(last, timestamp),
            (None, Some((last, millis)))
                if i64::from(timestamp.since(last)).abs() <= TRACK_DISTANCE_MS_MAX =>
            {
                millis + i64::from(timestamp.since(last))
            }
            (None, _) => i64::from(timestamp.0),
        };
        self.last = Some((timestamp, millis));
        millis
    }

    /// A gap that the other track on the same clock bridged is a pause, not a jump (F5, AA-7).
    pub(super) fn judge(&self, millis: i64, other: &Self) -> Step {
        let Some(furthest) = self.furthest else { return Step::Steady };
        let moved = millis - furthest;
        let bridged = self.shares(other) && other.is_near(millis);
        if moved < -STEP_BACK_MS_MAX || (moved > STEP_FORWARD_MS_MAX && !bridged) {
            Step::Jump
        } else {
            Step::Steady
        }
    }

    /// Accepts a time that was judged steady.
    pub(super) fn advance(&mut self, millis: i64) {
        self.furthest = Some(self.furthest.map_or(millis, |furthest| furthest.max(millis)));
    }

    /// Forgets everything: another clock begins.
    pub(super) fn restart(&mut self) {
        *self = Self::default();
    }

    /// Fixes the output time of an unwrapped time.
    pub(super) fn place(&mut self, millis: i64, output_90k: i64) {
        self.offset = Some(output_90k - millis * TICKS_PER_MS);
    }

    /// Joins the other track's clock, or stands alone: then `millis` gets the output time given
    /// (TS-3). Does nothing once placed.
    pub(super) fn place_beside(&mut self, millis: i64, other: &Self, alone_90k: i64) {
        if self.offset.is_some() {
            return;
        }
        match other.offset {
            Some(offset) if other.is_near(millis) => self.offset = Some(offset),
            _ => self.place(millis, alone_90k),
        }
    }

    /// Output ticks of an unwrapped time; `None` until placed.
    pub(super) fn output_90k(&self, millis: i64) -> Option<i64> {
        Some(millis * TICKS_PER_MS + self.offset?)
    }

    /// Both tracks map to output ticks in the same way, or neither does yet.
    pub(super) fn shares(&self, other: &Self) -> bool {
        self.offset == other.offset
    }

    /// The track stands within 10 s of a time.
    pub(super) fn is_near(&self, millis: i64) -> bool {
        self.furthest.is_some_and(|own| (own - millis).abs() <= TRACK_DISTANCE_MS_MAX)
    }
}

/// Milliseconds from one message time to the next by serial arithmetic, with early wraps undone.
fn step(last: RtmpTimestamp, next: RtmpTimestamp) -> i64 {
    let fell = i64::from(last.0) - i64::from(next.0);
    for wrap in SHORT_WRAPS {
        let before_end = wrap - i64::from(last.0);
        let near_end = (0..=STEP_FORWARD_MS_MAX).contains(&before_end);
        let at_start = i64::from(next.0) <= STEP_FORWARD_MS_MAX;
        if near_end && at_start && fell > 0 {
            return wrap - fell;
        }
    }
    i64::from(next.since(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(times: &[u32]) -> Vec<i64> {
        let (mut clock, other) = (Clock::default(), Clock::default());
        times.iter().map(|&time| clock.unwrap(RtmpTimestamp(time), &other)).collect()
    }

    #[test]
    fn ts1_every_kind_of_wrap_is_undone() {
        for (name, size) in [
            ("4.66 h", 1_u64 << 24),
            ("24.8 days", 1 << 31),
            ("49.7 days", 1 << 32),
            ("26.5 h is no wrap", 0),
        ] {
            let last = if size == 0 { 95_443_717 } else { size - 20 };
            let times: Vec<u64> = (0..4).map(|step| last + 33 * step).collect();
            let wire: Vec<u32> = times
                .iter()
                .map(|time| if size == 0 { *time } else { time % size } as u32)
                .collect();
            let expected: Vec<i64> = times.iter().map(|&time| time as i64).collect();
            assert_eq!(steps(&wire), expected, "{name}");
        }
    }

    #[test]
    fn ts1_a_real_reset_is_not_a_wrap() {
        assert_eq!(steps(&[60_000, 0]), [60_000, 0]);
        let middle = (1 << 24) - 60_000;
        assert_eq!(steps(&[middle, 0]), [i64::from(middle), 0]);
        assert_eq!(steps(&[20, 1]), [20, 1]);
    }

    #[test]
    fn the_second_track_starts_on_the_same_side_of_the_wrap() {
        let (mut video, mut audio) = (Clock::default(), Clock::default());
        assert_eq!(video.unwrap(RtmpTimestamp(20), &audio), 20);
        assert_eq!(audio.unwrap(RtmpTimestamp(u32::MAX - 9), &video), -10);
        let mut far = Clock::default();
        assert_eq!(far.unwrap(RtmpTimestamp(1_814_400_000), &video), 1_814_400_000);
    }

    #[test]
    fn ts4_steps_are_judged_by_size() {
        let other = Clock::default();
        let mut clock = Clock::default();
        assert_eq!(clock.judge(123, &other), Step::Steady);
        clock.advance(100_000);
        for (millis, step) in [
            (100_000, Step::Steady),
            (99_500, Step::Steady),
            (99_499, Step::Jump),
            (110_000, Step::Steady),
            (110_001, Step::Jump),
            (0, Step::Jump),
        ] {
            assert_eq!(clock.judge(millis, &other), step, "{millis}");
        }
        let mut bridge = Clock::default();
        bridge.advance(129_000);
        assert_eq!(clock.judge(130_000, &bridge), Step::Steady, "the other track was there");
        assert_eq!(clock.judge(150_000, &bridge), Step::Jump);
        bridge.place(0, 900_000);
        assert_eq!(clock.judge(130_000, &bridge), Step::Jump, "the other has its own clock");
    }

    #[test]
    fn ts3_tracks_share_a_clock_within_ten_seconds() {
        let mut video = Clock::default();
        video.advance(5_000);
        video.place(5_000, 900_000);
        let mut near = Clock::default();
        near.place_beside(14_000, &video, 0);
        assert_eq!(near.output_90k(14_000), Some(900_000 + 9_000 * 90));
        let mut far = Clock::default();
        far.place_beside(1_814_400_000, &video, 900_000);
        assert_eq!(far.output_90k(1_814_400_000), Some(900_000));
    }
}
