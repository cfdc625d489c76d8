//! Audio units on a grid of counted samples (TS-5, AA-7).
//!
//! Message times are rounded to milliseconds, so they only steer: units follow each other without
//! gap or overlap, and whole units are put in or left out when count and message time part by more
//! than 100 ms. Silence takes the place of audio that stops while video goes on.

use bytes::Bytes;

use super::audio::Sound;
use crate::access_unit::AudioCodec;
use crate::limits::{
    AUDIO_DRIFT_MS_MAX, AUDIO_LAG_MS_MAX, AUDIO_STOPPED_MS, SILENT_UNITS_AT_ONCE_MAX,
};
use crate::time::{MediaTime, Timescale};

/// Where the next unit stands, in output samples.
///
/// Units follow each other from `next` on; nothing leaves before `floor`.
#[derive(Debug)]
pub(super) struct Grid {
    timescale: Timescale,
    /// Samples in a silent unit, and in one that does not tell its own.
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
    pub(super) fn new(codec: &AudioCodec, start_90k: i64) -> Self {
        let mut grid = Self {
            // No codec has a rate of 0.
            timescale: Timescale::new(codec.sample_rate()).unwrap_or(Timescale::MILLIS),
            unit: i64::from(codec.samples_per_unit()),
            silence: codec.silent_unit(),
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

    /// Places a unit whose message stands at an output time.
    pub(super) fn place(
        &mut self,
        output_90k: i64,
        sound: &Sound,
        video_90k: Option<i64>,
    ) -> Placement {
        let length = sound.samples.map_or(self.unit, i64::from);
        let expected = self.samples(output_90k) + i64::from(sound.index) * length;
        if let Some(video) = video_90k {
            let behind = self.samples(video) - expected;
            self.lag = self.lag.max(behind.min(self.millis(AUDIO_LAG_MS_MAX)));
        }
        self.stopped = false;
        let mut silence = Silence::default();
        let Some(next) = self.next else {
            silence = self.silence_before(expected, self.floor);
            return Placement { silence, unit: self.take(expected, length) };
        };
        let drift = expected - next;
        let tolerance =
            if self.realigning { length } else { self.millis(AUDIO_DRIFT_MS_MAX).max(2 * length) };
        if drift < -tolerance {
            self.realigning = true;
            return Placement { silence, unit: Place::Surplus };
        }
        let mut at = next;
        if drift > tolerance {
            silence = self.silence_after(next, expected);
            at = next + silence.units as i64 * self.unit;
            // Without silence to put in, or past its limit, the gap stays.
            if expected - at > length.max(self.unit) {
                at = expected;
            }
            silence = self.after_floor(silence);
        }
        self.realigning = false;
        Placement { silence, unit: self.take(at, length) }
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

    /// Samples in one silent unit.
    pub(super) const fn unit(&self) -> i64 {
        self.unit
    }

    /// A sample as a time.
    pub(super) const fn time(&self, samples: i64) -> MediaTime {
        MediaTime::new(samples, self.timescale)
    }

    fn take(&mut self, at: i64, length: i64) -> Place {
        self.next = Some(at + length);
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
    use crate::aac::AudioSpecificConfig;
    use crate::opus::OpusConfig;

    const START: i64 = 900_000;

    fn grid(channels: u8) -> Grid {
        aac_grid(48_000, channels)
    }

    fn aac_grid(sample_rate: u32, channels: u8) -> Grid {
        let config = AudioSpecificConfig::lc(sample_rate, channels).unwrap();
        Grid::new(&AudioCodec::Aac(config), START)
    }

    /// A unit alone in its message.
    fn sound(samples: Option<u32>) -> Sound {
        Sound { payload: Bytes::from_static(&[1]), index: 0, samples }
    }

    fn at_ms(millis: i64) -> i64 {
        START + millis * 90
    }

    #[test]
    fn ts5_rounded_message_times_do_not_move_the_count() {
        let mut grid = aac_grid(44_100, 2);
        for unit in 0..100_000_i64 {
            let millis = unit * 1_024_000 / 44_100;
            let placed = grid.place(at_ms(millis), &sound(None), None);
            assert_eq!(placed.unit, Place::At(441_000 + unit * 1_024));
            assert_eq!(placed.silence.units, 0);
        }
    }

    #[test]
    fn ts5_drift_is_corrected_by_whole_units_past_the_limit() {
        let mut grid = grid(2);
        assert_eq!(grid.place(at_ms(0), &sound(None), None).unit, Place::At(480_000));
        // 100 ms late beside the 21 ms that are due: still the next place.
        assert_eq!(grid.place(at_ms(121), &sound(None), None).unit, Place::At(481_024));
        let placed = grid.place(at_ms(300), &sound(None), None);
        assert_eq!(placed.silence, Silence { start: 482_048, units: 12 });
        assert_eq!(placed.unit, Place::At(482_048 + 12 * 1_024));
        // The messages fall back by 200 ms: units are left out until they catch up with the count.
        let mut surplus = 0;
        let mut millis = 120;
        while grid.place(at_ms(millis), &sound(None), None).unit == Place::Surplus {
            surplus += 1;
            millis += 21;
        }
        assert_eq!(surplus, 9);
    }

    #[test]
    fn aa7_silence_fills_in_after_half_a_second_and_the_count_goes_on() {
        let mut grid = grid(2);
        grid.place(at_ms(0), &sound(None), Some(at_ms(0)));
        assert_eq!(grid.fill_to(at_ms(500)).units, 0);
        assert_eq!(grid.fill_to(at_ms(560)), Silence { start: 481_024, units: 25 });
        assert_eq!(grid.fill_to(at_ms(600)), Silence { start: 481_024 + 25 * 1_024, units: 2 });
        let placed = grid.place(at_ms(3_000), &sound(None), Some(at_ms(3_000)));
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
            let placed = grid.place(at_ms(audio), &sound(None), Some(at_ms(video)));
            silent += placed.silence.units;
            left += i64::from(matches!(placed.unit, Place::At(_)));
        }
        assert!(silent < 50, "{silent} silent units");
        assert!(left > 450, "{left} units left");
    }

    #[test]
    fn av10_units_before_the_start_are_left_out() {
        let mut grid = grid(1);
        assert_eq!(grid.place(at_ms(-30), &sound(None), None).unit, Place::BeforeStart);
        assert_eq!(grid.place(at_ms(-9), &sound(None), None).unit, Place::BeforeStart);
        assert_eq!(
            grid.place(at_ms(13), &sound(None), None).unit,
            Place::At(480_000 - 1_440 + 2_048)
        );
    }

    #[test]
    fn audio_that_starts_late_has_silence_before_it() {
        let placed = grid(2).place(at_ms(400), &sound(None), None);
        assert_eq!(placed.silence, Silence { start: 480_000 + 19_200 - 18 * 1_024, units: 18 });
        assert_eq!(placed.unit, Place::At(480_000 + 19_200));
    }

    #[test]
    fn units_of_changing_length_follow_each_other() {
        let mut grid = Grid::new(&AudioCodec::Opus(OpusConfig::stereo()), START);
        let (mut millis, mut next) = (0, 480_000);
        for samples in [960, 120, 2_880, 5_760, 480, 960, 960].repeat(50) {
            let placed = grid.place(at_ms(millis / 48), &sound(Some(samples)), None);
            assert_eq!(placed.unit, Place::At(next));
            assert_eq!(placed.silence.units, 0);
            next += i64::from(samples);
            millis += i64::from(samples);
        }
        // A pause of a second: fifty silent packets of 20 ms.
        let placed = grid.place(at_ms(millis / 48 + 1_000), &sound(Some(960)), None);
        assert_eq!(placed.silence, Silence { start: next, units: 50 });
        assert_eq!(placed.unit, Place::At(next + 50 * 960));
    }
}
