//! Audio units on a grid of counted samples (TS-5, AA-7).
//!
//! Message times are rounded to milliseconds, so they only steer: units follow each other without
//! gap or overlap, and whole units are put in or left out when count and message time part by more
//! than 100 ms. Silence takes the place of audio that stops while video goes on.

use bytes::Bytes;

use crate::aac::{AudioSpecificConfig, silent_access_unit};
use crate::limits::{
    AUDIO_DRIFT_MS_MAX, AUDIO_LAG_MS_MAX, AUDIO_STOPPED_MS, SILENT_UNITS_AT_ONCE_MAX,
};
use crate::time::{MediaTime, Timescale};

/// Where the next unit stands, in output samples.
///
/// Units stand at `next`, `next + unit`, …; nothing leaves before `floor`.
#[derive(Debug)]
pub(super) struct Grid {
    timescale: Timescale,
    unit: i64,
    silence: Option<Bytes>,
    next: Option<i64>,
    floor: i64,
    /// Units are off by more than one and return to their message times.
    realigning: bool,
    /// Silence is being put in because audio stopped.
    stopped: bool,
    /// How far audio usually arrives behind video.
    lag: i64,
}

/// What to do with a unit: so much silence first, then the unit at its place or not at all.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Placement {
    pub(super) silence: Silence,
    pub(super) unit: Place,
}

/// A run of silent units.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Silence {
    /// First sample.
    pub(super) start: i64,
    /// How many units.
    pub(super) units: usize,
}

/// The fate of a unit.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It leaves with this first sample.
    At(i64),
    /// It lies before the start of the output (AV-10).
    BeforeStart,
    /// The count is ahead of the message times (TS-5).
    Surplus,
}

impl Grid {
    /// For a configuration, starting at an output time.
    pub(super) fn new(config: &AudioSpecificConfig, start_90k: i64) -> Self {
        let mut grid = Self {
            // The parser admits 7350 Hz and more.
            timescale: Timescale::new(config.output_sample_rate()).unwrap_or(Timescale::MILLIS),
            unit: i64::from(config.samples_per_unit()),
            silence: silent_access_unit(config),
            next: None,
            floor: 0,
            realigning: false,
            stopped: false,
            lag: 0,
        };
        grid.start_at(start_90k);
        grid
    }

    /// Moves the floor: units before it are left out from now on.
    pub(super) fn start_at(&mut self, start_90k: i64) {
        // The first sample at or after the start.
        let hz = i128::from(self.timescale.hz());
        let samples = (i128::from(start_90k) * hz + 89_999).div_euclid(90_000);
        self.floor = i64::try_from(samples).unwrap_or(i64::MAX);
    }

    /// Places a unit: the `index`th of a message that stands at an output time.
    pub(super) fn place(
        &mut self,
        output_90k: i64,
        index: u32,
        video_90k: Option<i64>,
    ) -> Placement {
        let expected = self.samples(output_90k) + i64::from(index) * self.unit;
        if let Some(video) = video_90k {
            let behind = self.samples(video) - expected;
            self.lag = self.lag.max(behind.min(self.millis(AUDIO_LAG_MS_MAX)));
        }
        self.stopped = false;
        let mut silence = Silence::default();
        let Some(next) = self.next else {
            silence = self.silence_before(expected, self.floor);
            return Placement { silence, unit: self.take(expected) };
        };
        let drift = expected - next;
        let tolerance = if self.realigning {
            self.unit
        } else {
            self.millis(AUDIO_DRIFT_MS_MAX).max(2 * self.unit)
        };
        if drift < -tolerance {
            self.realigning = true;
            return Placement { silence, unit: Place::Surplus };
        }
        let mut at = next;
        if drift > tolerance {
            silence = self.silence_after(next, expected);
            at = next + silence.units as i64 * self.unit;
            // Without silence to put in, or past its limit, the gap stays.
            if expected - at > self.unit {
                at = expected;
            }
            silence = self.after_floor(silence);
        }
        self.realigning = false;
        Placement { silence, unit: self.take(at) }
    }

    /// Video stands at an output time: audio that fell behind further than usual is filled up.
    pub(super) fn fill_to(&mut self, video_90k: i64) -> Silence {
        let video = self.samples(video_90k);
        let next = self.next.unwrap_or(self.floor);
        let patience = self.lag + self.millis(AUDIO_STOPPED_MS);
        if !self.stopped && video - next <= patience {
            return Silence::default();
        }
        let silence = self.silence_after(next, video);
        if silence.units > 0 {
            self.stopped = true;
            self.realigning = true;
            self.next = Some(next + silence.units as i64 * self.unit);
        }
        self.after_floor(silence)
    }

    /// First sample after everything that left, as 90 kHz ticks, rounded up.
    pub(super) fn end_90k(&self) -> Option<i64> {
        let hz = i128::from(self.timescale.hz());
        let ticks = (i128::from(self.next?) * 90_000 + hz - 1).div_euclid(hz);
        i64::try_from(ticks).ok()
    }

    /// The coded silence that [`Silence`] counts.
    pub(super) const fn silent_unit(&self) -> Option<&Bytes> {
        self.silence.as_ref()
    }

    /// Samples in one unit.
    pub(super) const fn unit(&self) -> i64 {
        self.unit
    }

    /// A sample as a time.
    pub(super) const fn time(&self, samples: i64) -> MediaTime {
        MediaTime::new(samples, self.timescale)
    }

    fn take(&mut self, at: i64) -> Place {
        self.next = Some(at + self.unit);
        if at < self.floor { Place::BeforeStart } else { Place::At(at) }
    }

    /// Whole silent units from `from` on, none ending after `to`.
    fn silence_after(&self, from: i64, to: i64) -> Silence {
        Silence { start: from, units: self.silent_units(to - from) }
    }

    /// Whole silent units that end at `to`, none starting before `from`.
    fn silence_before(&self, to: i64, from: i64) -> Silence {
        let units = self.silent_units(to - from);
        Silence { start: to - units as i64 * self.unit, units }
    }

    /// Without the units that begin before the floor.
    fn after_floor(&self, silence: Silence) -> Silence {
        let before = (self.floor - silence.start + self.unit - 1).div_euclid(self.unit);
        let before = usize::try_from(before).unwrap_or(0).min(silence.units);
        Silence { start: silence.start + before as i64 * self.unit, units: silence.units - before }
    }

    fn silent_units(&self, span: i64) -> usize {
        if self.silence.is_none() {
            return 0;
        }
        usize::try_from(span / self.unit).unwrap_or(0).min(SILENT_UNITS_AT_ONCE_MAX)
    }

    fn samples(&self, ticks_90k: i64) -> i64 {
        MediaTime::new(ticks_90k, Timescale::VIDEO).rescale(self.timescale).ticks()
    }

    fn millis(&self, millis: i64) -> i64 {
        MediaTime::from_millis(millis).rescale(self.timescale).ticks()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 900_000;

    fn grid(channels: u8) -> Grid {
        Grid::new(&AudioSpecificConfig::lc(48_000, channels).unwrap(), START)
    }

    fn at_ms(millis: i64) -> i64 {
        START + millis * 90
    }

    #[test]
    fn ts5_rounded_message_times_do_not_move_the_count() {
        let mut grid = Grid::new(&AudioSpecificConfig::lc(44_100, 2).unwrap(), START);
        for unit in 0..100_000_i64 {
            let millis = unit * 1_024_000 / 44_100;
            let placed = grid.place(at_ms(millis), 0, None);
            assert_eq!(placed.unit, Place::At(441_000 + unit * 1_024));
            assert_eq!(placed.silence.units, 0);
        }
    }

    #[test]
    fn ts5_drift_is_corrected_by_whole_units_past_the_limit() {
        let mut grid = grid(2);
        assert_eq!(grid.place(at_ms(0), 0, None).unit, Place::At(480_000));
        // 100 ms late beside the 21 ms that are due: still the next place.
        assert_eq!(grid.place(at_ms(121), 0, None).unit, Place::At(481_024));
        let placed = grid.place(at_ms(300), 0, None);
        assert_eq!(placed.silence, Silence { start: 482_048, units: 12 });
        assert_eq!(placed.unit, Place::At(482_048 + 12 * 1_024));
        // The messages fall back by 200 ms: units are left out until they catch up with the count.
        let mut surplus = 0;
        let mut millis = 120;
        while grid.place(at_ms(millis), 0, None).unit == Place::Surplus {
            surplus += 1;
            millis += 21;
        }
        assert_eq!(surplus, 9);
    }

    #[test]
    fn aa7_silence_fills_in_after_half_a_second_and_the_count_goes_on() {
        let mut grid = grid(2);
        grid.place(at_ms(0), 0, Some(at_ms(0)));
        assert_eq!(grid.fill_to(at_ms(500)).units, 0);
        assert_eq!(grid.fill_to(at_ms(560)), Silence { start: 481_024, units: 25 });
        assert_eq!(grid.fill_to(at_ms(600)), Silence { start: 481_024 + 25 * 1_024, units: 2 });
        let placed = grid.place(at_ms(3_000), 0, Some(at_ms(3_000)));
        assert_eq!(placed.silence.start, 481_024 + 27 * 1_024);
        let Place::At(at) = placed.unit else { panic!("{placed:?}") };
        assert_eq!((at - 480_000) % 1_024, 0);
        assert!((at - 480_000 - 144_000).abs() <= 1_024, "in sync again");
    }

    #[test]
    fn ts8_audio_that_is_always_late_is_not_replaced() {
        let mut grid = grid(2);
        let (mut silent, mut left) = (0, 0);
        for unit in 0..500_i64 {
            let audio = unit * 64 / 3;
            let video = audio + 900;
            silent += grid.fill_to(at_ms(video)).units;
            let placed = grid.place(at_ms(audio), 0, Some(at_ms(video)));
            silent += placed.silence.units;
            left += i64::from(matches!(placed.unit, Place::At(_)));
        }
        assert!(silent < 50, "{silent} silent units");
        assert!(left > 450, "{left} units left");
    }

    #[test]
    fn av10_units_before_the_start_are_left_out() {
        let mut grid = grid(1);
        assert_eq!(grid.place(at_ms(-30), 0, None).unit, Place::BeforeStart);
        assert_eq!(grid.place(at_ms(-9), 0, None).unit, Place::BeforeStart);
        assert_eq!(grid.place(at_ms(13), 0, None).unit, Place::At(480_000 - 1_440 + 2_048));
    }

    #[test]
    fn audio_that_starts_late_has_silence_before_it() {
        let placed = grid(2).place(at_ms(400), 0, None);
        assert_eq!(placed.silence, Silence { start: 480_000 + 19_200 - 18 * 1_024, units: 18 });
        assert_eq!(placed.unit, Place::At(480_000 + 19_200));
    }
}
