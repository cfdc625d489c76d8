//! How a broadcast is doing, second by second: what an operator looks at to find the fault.
//!
//! ```text
//! arrivals, coded pictures, readings ─▶ Meter ─▶ Figures of a second ─▶ Health ─▶ whoever asks
//! ```
//!
//! [`Figures`] are sums and extremes, so those of several seconds add up to figures of the whole
//! time and any mean is a quotient of two fields. Seconds in which nothing came are there, too:
//! entries of [`Health`] are a second apart.
//!
//! In steady state nothing is allocated.

mod ingest;
mod meter;
mod rendition;
mod ring;

use std::time::Duration;

pub use ingest::IngestFigures;
pub use meter::Meter;
pub use rendition::{CodedPicture, RenditionFigures, RenditionReading};
pub use ring::Ring;

use crate::ladder::VARIANT_NUMBERS;
use crate::time::MediaTime;

/// Seconds that are remembered: five minutes, in which an operator sees what led to a fault.
pub const HISTORY_SECONDS: usize = 300;

/// The last minutes of a broadcast.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// Figures of single seconds, oldest first.
    pub seconds: Ring<Figures, HISTORY_SECONDS>,
    /// Seconds since the broadcast began, those that are forgotten included.
    pub closed: u64,
    /// All of them together.
    pub total: Figures,
}

impl Health {
    /// Takes the figures of the second after the newest.
    pub fn push(&mut self, second: Figures) {
        self.total.absorb(&second);
        self.seconds.push(second);
        self.closed += 1;
    }

    /// The newest `seconds` seconds together, fewer if there are fewer.
    pub fn recent(&self, seconds: usize) -> Figures {
        let skipped = self.seconds.len().saturating_sub(seconds);
        let mut sum = Figures::default();
        self.seconds.iter().skip(skipped).for_each(|second| sum.absorb(second));
        sum
    }
}

/// What happened in some time: one second, or [several](Figures::absorb).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// How long it was, in seconds.
    pub seconds: u32,
    /// What the publisher sent.
    pub ingest: IngestFigures,
    /// What was decoded of it, for encoded renditions and stills.
    pub decoding: DecodingFigures,
    /// Encoded renditions, by the number of the variant. `None`: there was none of this number.
    pub renditions: [Option<RenditionFigures>; VARIANT_NUMBERS],
}

impl Figures {
    /// Adds the figures of the time that followed.
    pub fn absorb(&mut self, later: &Self) {
        self.seconds = self.seconds.saturating_add(later.seconds);
        self.ingest.absorb(&later.ingest);
        self.decoding.absorb(&later.decoding);
        for (mine, later) in self.renditions.iter_mut().zip(&later.renditions) {
            match (mine, later) {
                (Some(mine), Some(later)) => mine.absorb(later),
                (mine @ None, Some(later)) => *mine = Some(later.clone()),
                (_, None) => {}
            }
        }
    }

    /// A count or an amount in the time, per second. 0 of no time at all.
    pub fn per_second(&self, amount: u64) -> f64 {
        if self.seconds == 0 { 0.0 } else { amount as f64 / f64::from(self.seconds) }
    }
}

/// The source's decoder, and what makes pictures of other sizes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DecodingFigures {
    /// Pictures decoded.
    pub pictures: u32,
    /// Units left out because decoding was slower than real time.
    pub skipped: u32,
    /// Time spent in the decoder by the clock on the wall, all pictures together.
    pub decode_time: Duration,
    /// The same for scaling to every rendition, and handing over.
    pub scale_time: Duration,
}

impl DecodingFigures {
    /// Decoding of one picture.
    pub fn decode_time_mean(&self) -> Option<Duration> {
        self.decode_time.checked_div(self.pictures)
    }

    /// Scaling of one picture to all renditions that took it.
    pub fn scale_time_mean(&self) -> Option<Duration> {
        self.scale_time.checked_div(self.pictures)
    }

    fn absorb(&mut self, later: &Self) {
        self.pictures = self.pictures.saturating_add(later.pictures);
        self.skipped = self.skipped.saturating_add(later.skipped);
        self.decode_time = self.decode_time.saturating_add(later.decode_time);
        self.scale_time = self.scale_time.saturating_add(later.scale_time);
    }
}

/// A span of media time. `None`: it goes back.
fn duration(span: MediaTime) -> Option<Duration> {
    let ticks = u64::try_from(span.ticks()).ok()?;
    let hz = u64::from(span.timescale().hz());
    let nanos = u128::from(ticks % hz) * 1_000_000_000 / u128::from(hz);
    Some(Duration::new(ticks / hz, u32::try_from(nanos).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ladder::Step;
    use crate::time::Timescale;

    fn second(pictures: u32, variants: &[usize]) -> Figures {
        let mut figures = Figures { seconds: 1, ..Figures::default() };
        figures.ingest.pictures = pictures;
        figures.decoding.pictures = pictures;
        figures.decoding.decode_time = Duration::from_millis(2) * pictures;
        for variant in variants {
            let rendition = RenditionFigures { pictures, ..RenditionFigures::at(Step::Full) };
            figures.renditions[*variant] = Some(rendition);
        }
        figures
    }

    #[test]
    fn seconds_add_up() {
        let mut health = Health::default();
        assert_eq!(health.recent(10), Figures::default());
        assert!(health.recent(10).per_second(5).abs() < f64::EPSILON);
        for (pictures, variants) in [(10, &[1][..]), (30, &[]), (29, &[1, 2]), (31, &[2])] {
            health.push(second(pictures, variants));
        }
        let pictures = |figures: &Figures, variant: usize| {
            figures.renditions[variant].as_ref().map(|rendition| rendition.pictures)
        };
        for (seconds, total, first, other) in [
            (0, 0, None, None),
            (1, 31, None, Some(31)),
            (3, 90, Some(29), Some(60)),
            (10, 100, Some(39), Some(60)),
        ] {
            let recent = health.recent(seconds);
            assert_eq!(recent.seconds as usize, seconds.min(4));
            assert_eq!(recent.ingest.pictures, total, "of {seconds} s");
            assert_eq!((pictures(&recent, 1), pictures(&recent, 2)), (first, other));
            let mean = (total > 0).then_some(Duration::from_millis(2));
            assert_eq!(recent.decoding.decode_time_mean(), mean);
        }
        assert_eq!(health.total, health.recent(10), "nothing is forgotten yet");
        let three = health.recent(3);
        assert!((three.per_second(three.ingest.pictures.into()) - 30.0).abs() < 1e-9);
    }

    #[test]
    fn five_minutes_are_remembered() {
        let mut health = Health::default();
        for pictures in 0..1_000 {
            health.push(second(pictures, &[]));
        }
        assert_eq!((health.closed, health.seconds.len()), (1_000, HISTORY_SECONDS));
        let oldest = health.seconds.iter().next().map(|second| second.ingest.pictures);
        assert_eq!(oldest, Some(700));
        let total = &health.total;
        assert_eq!((total.seconds, total.ingest.pictures), (1_000, 499_500), "but summed up");
    }

    #[test]
    fn media_time_to_durations() {
        for (ticks, hz, expected) in [
            (0, 90_000, Some(Duration::ZERO)),
            (-1, 90_000, None),
            (3_003, 90_000, Some(Duration::from_nanos(33_366_666))),
            (i64::MAX, 1, Some(Duration::from_secs(i64::MAX as u64))),
        ] {
            let scale = Timescale::new(hz).expect("not 0");
            assert_eq!(duration(MediaTime::new(ticks, scale)), expected, "{ticks} of {hz}");
        }
    }
}
