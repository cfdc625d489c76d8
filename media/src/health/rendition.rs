//! What becomes of one encoded rendition.

use std::time::Duration;

use super::duration;
use crate::ladder::Step;
use crate::time::MediaTime;

/// Pictures further apart than this have a gap between them, which is not encoded media.
const PICTURE_MAX: Duration = Duration::from_secs(1);

/// One encoded rendition in some time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RenditionFigures {
    /// What it did without, at the end of the time.
    pub step: Step,
    /// Nobody asked for it, so nothing was encoded: at the end of the time.
    pub paused: bool,
    /// Coded pictures that came.
    pub pictures: u32,
    /// Bits of the pictures.
    pub bits: u64,
    /// Media time that they show. As long as the time itself while the machine keeps up, however
    /// many pictures are left out.
    pub media: Duration,
    /// Time spent in the encoder by the clock on the wall, all pictures together.
    pub encode_time: Duration,
    /// From the arrival of the source's unit to the coded picture, all pictures together. Where the
    /// source reorders pictures (B-frames), their wait for their turn is part of it.
    pub lag: Duration,
    /// The longest of it.
    pub lag_max: Duration,
    /// Pictures whose lag was longer than the time from the picture before to them.
    pub behind: u32,
    /// Most pictures that waited for the encoder.
    pub waiting_max: u32,
    /// Pictures that were due and did not get to the encoder.
    pub dropped: u32,
    /// Coded pictures that came too late for their segment.
    pub late: u32,
}

/// A coded picture, as far as it counts here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CodedPicture {
    /// Presentation time.
    pub pts: MediaTime,
    /// Size in bytes.
    pub bytes: usize,
    /// Time in the encoder.
    pub encode_time: Duration,
    /// From the arrival of the source's unit until now.
    pub lag: Duration,
    /// It came too late for its segment.
    pub late: bool,
}

/// What the ladder tells of a rendition when a second ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RenditionReading {
    /// What it does without.
    pub step: Step,
    /// Nothing is encoded because nobody asks for it.
    pub paused: bool,
    /// Most pictures that waited for the encoder since the last reading.
    pub waiting_max: u32,
    /// Pictures that did not get to the encoder since the last reading.
    pub dropped: u32,
}

impl RenditionFigures {
    /// Nothing yet, at this step.
    pub(super) const fn at(step: Step) -> Self {
        Self {
            step,
            paused: false,
            pictures: 0,
            bits: 0,
            media: Duration::ZERO,
            encode_time: Duration::ZERO,
            lag: Duration::ZERO,
            lag_max: Duration::ZERO,
            behind: 0,
            waiting_max: 0,
            dropped: 0,
            late: 0,
        }
    }

    /// Seconds of media that the encoder makes in a second of its work: above 1 it keeps up. `None`
    /// while it has done nothing.
    pub fn speed(&self) -> Option<f64> {
        let busy = self.encode_time.as_secs_f64();
        (busy > 0.0).then(|| self.media.as_secs_f64() / busy)
    }

    /// From the arrival of the source's unit to the coded picture, mean of the pictures.
    pub fn lag_mean(&self) -> Option<Duration> {
        self.lag.checked_div(self.pictures)
    }

    pub(super) fn absorb(&mut self, later: &Self) {
        self.step = later.step;
        self.paused = later.paused;
        self.pictures = self.pictures.saturating_add(later.pictures);
        self.bits = self.bits.saturating_add(later.bits);
        self.media = self.media.saturating_add(later.media);
        self.encode_time = self.encode_time.saturating_add(later.encode_time);
        self.lag = self.lag.saturating_add(later.lag);
        self.lag_max = self.lag_max.max(later.lag_max);
        self.behind = self.behind.saturating_add(later.behind);
        self.waiting_max = self.waiting_max.max(later.waiting_max);
        self.dropped = self.dropped.saturating_add(later.dropped);
        self.late = self.late.saturating_add(later.late);
    }

    pub(super) fn read(&mut self, reading: RenditionReading) {
        self.step = reading.step;
        self.paused = reading.paused;
        self.waiting_max = self.waiting_max.max(reading.waiting_max);
        self.dropped = self.dropped.saturating_add(reading.dropped);
    }

    /// `before`: presentation time of the picture before, if there was one.
    pub(super) fn coded(&mut self, picture: &CodedPicture, before: Option<MediaTime>) {
        self.pictures += 1;
        self.bits += 8 * picture.bytes as u64;
        let span = before.and_then(|before| duration(picture.pts.minus(before)));
        let span = span.filter(|span| *span <= PICTURE_MAX);
        self.media += span.unwrap_or_default();
        self.behind += u32::from(span.is_some_and(|span| picture.lag > span));
        self.encode_time += picture.encode_time;
        self.lag += picture.lag;
        self.lag_max = self.lag_max.max(picture.lag);
        self.late += u32::from(picture.late);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_that_lag_by_more_than_one() {
        let (mut figures, mut before) = (RenditionFigures::at(Step::Full), None);
        for (millis, lag) in [(0, 90), (40, 39), (80, 40), (120, 41), (200, 41), (3_000, 90)] {
            let (pts, lag) = (MediaTime::from_millis(millis), Duration::from_millis(lag));
            let encode_time = Duration::ZERO;
            figures.coded(&CodedPicture { pts, bytes: 9, encode_time, lag, late: false }, before);
            before = Some(pts);
        }
        assert_eq!((figures.pictures, figures.behind), (6, 1));
        let mut sum = RenditionFigures::at(Step::Full);
        sum.absorb(&figures);
        sum.absorb(&figures);
        assert_eq!(sum.behind, 2);
    }

    #[test]
    fn media_time_that_pictures_show() {
        for (name, times, millis) in [
            ("25 a second", &[0, 40, 80, 120][..], 120),
            ("every second one", &[0, 80, 160], 160),
            ("the first alone", &[1_000], 0),
            ("a gap", &[0, 40, 9_000, 9_040], 80),
            ("times that go back", &[5_000, 5_040, 0, 40], 80),
        ] {
            let (mut figures, mut before) = (RenditionFigures::at(Step::Full), None);
            for pts in times.iter().copied().map(MediaTime::from_millis) {
                let (encode_time, lag) = (Duration::from_millis(10), Duration::from_millis(25));
                let picture = CodedPicture { pts, bytes: 100, encode_time, lag, late: false };
                figures.coded(&picture, before);
                before = Some(pts);
            }
            assert_eq!(figures.media, Duration::from_millis(millis), "{name}");
            // Of 25 ms, where pictures are 40 apart.
            assert_eq!(figures.behind, 0, "{name}");
            assert_eq!(figures.lag_mean(), Some(Duration::from_millis(25)));
            let busy = 10.0 * times.len() as f64;
            let speed = figures.speed().expect("it worked");
            assert!((speed - millis as f64 / busy).abs() < 1e-9, "{name}: {speed}");
        }
        let idle = RenditionFigures::at(Step::Suspended);
        assert_eq!((idle.speed(), idle.lag_mean()), (None, None));
    }
}
