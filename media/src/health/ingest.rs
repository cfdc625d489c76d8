//! What the publisher sends, and how evenly it arrives.

use std::time::{Duration, Instant};

use super::duration;
use crate::access_unit::{AccessUnit, TrackKind};
use crate::time::MediaTime;

/// The share that one arrival has in the jitter: that of RTP's receivers (RFC 3550 §6.4.1).
const JITTER_SHARE: u32 = 16;
/// A connection that was silent for longer has begun anew: no jitter, but a gap.
const SILENCE_MAX: Duration = Duration::from_secs(5);

/// What the publisher sent in some time. Coded media as it is packaged, without the protocol's own
/// bytes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct IngestFigures {
    /// Coded pictures.
    pub pictures: u32,
    /// Bits of the pictures.
    pub video_bits: u64,
    /// Bits of the sound, as it came.
    pub audio_bits: u64,
    /// Media time between the two newest sync pictures, or from the newest to the last picture if
    /// that is longer by now. `None` before the first.
    pub keyframe_gap: Option<Duration>,
    /// How far arrivals of pictures are from the pace of their decode times: smoothed as RTP's
    /// receivers do it, at the end of the time.
    pub jitter: Duration,
    /// The longest wait for a picture that arrived in this time.
    pub arrival_gap_max: Duration,
}

impl IngestFigures {
    pub(super) fn absorb(&mut self, later: &Self) {
        self.pictures = self.pictures.saturating_add(later.pictures);
        self.video_bits = self.video_bits.saturating_add(later.video_bits);
        self.audio_bits = self.audio_bits.saturating_add(later.audio_bits);
        self.keyframe_gap = later.keyframe_gap;
        self.jitter = later.jitter;
        self.arrival_gap_max = self.arrival_gap_max.max(later.arrival_gap_max);
    }
}

/// What is remembered from one unit to the next.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    /// Arrival and decode time of the newest picture.
    newest: Option<(Instant, MediaTime)>,
    /// Decode time of the newest sync picture.
    sync: Option<MediaTime>,
    /// Between the two newest sync pictures.
    interval: Option<Duration>,
    jitter: Duration,
}

impl Arrivals {
    /// Decode times begin anew.
    pub(super) const fn begin_timeline(&mut self) {
        (self.newest, self.sync) = (None, None);
    }

    pub(super) fn unit(&mut self, now: Instant, unit: &AccessUnit, into: &mut IngestFigures) {
        let bits = 8 * unit.payload.len() as u64;
        match unit.track {
            TrackKind::Audio => into.audio_bits += bits,
            TrackKind::Video => {
                into.pictures += 1;
                into.video_bits += bits;
                self.picture(now, unit, into);
            }
        }
    }

    fn picture(&mut self, now: Instant, unit: &AccessUnit, into: &mut IngestFigures) {
        if let Some((arrived, dts)) = self.newest.replace((now, unit.dts)) {
            let wait = now.saturating_duration_since(arrived);
            into.arrival_gap_max = into.arrival_gap_max.max(wait);
            if let Some(pace) = duration(unit.dts.minus(dts)).filter(|_| wait <= SILENCE_MAX) {
                let off = wait.abs_diff(pace);
                self.jitter = self.jitter - self.jitter / JITTER_SHARE + off / JITTER_SHARE;
            }
        }
        if unit.sync {
            let before = self.sync.replace(unit.dts);
            self.interval = before.and_then(|before| duration(unit.dts.minus(before)));
        }
    }

    /// What is true at the end of the time.
    pub(super) fn close(&self, figures: &mut IngestFigures) {
        figures.jitter = self.jitter;
        let open = self.newest.zip(self.sync).and_then(|((_, dts), sync)| {
            // A single sync picture has no gap yet.
            duration(dts.minus(sync)).filter(|open| !open.is_zero())
        });
        figures.keyframe_gap = open.max(self.interval);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const PICTURE: u64 = 40;

    fn unit(millis: i64, sync: bool) -> AccessUnit {
        let dts = MediaTime::from_millis(millis);
        let payload = Bytes::from_static(&[0; 125]);
        AccessUnit { track: TrackKind::Video, dts, pts: dts, sync, payload }
    }

    #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of the test")]
    fn start() -> Instant {
        Instant::now()
    }

    /// Pictures of 25 a second that arrive at these milliseconds.
    fn arrive(at: impl IntoIterator<Item = u64>, keyframes: usize) -> IngestFigures {
        let (start, mut arrivals) = (start(), Arrivals::default());
        let mut figures = IngestFigures::default();
        for (index, at) in at.into_iter().enumerate() {
            let unit = unit(PICTURE as i64 * index as i64, index % keyframes == 0);
            arrivals.unit(start + Duration::from_millis(at), &unit, &mut figures);
        }
        arrivals.close(&mut figures);
        figures
    }

    #[test]
    fn jitter_is_what_arrivals_are_off_their_pace() {
        let even = (0..100).map(|n| n * PICTURE);
        let pairs = (0..100).map(|n| n / 2 * 2 * PICTURE);
        let stands_still = (0..100).map(|_| 0);
        let paused = (0..100).map(|n| n * PICTURE + if n < 50 { 0 } else { 20_000 });
        for (name, figures, jitter_ms, gap_ms) in [
            ("even", arrive(even, 50), 0..=0, PICTURE),
            ("in pairs", arrive(pairs, 50), 38..=40, 2 * PICTURE),
            ("a clock that stands still", arrive(stands_still, 50), 38..=40, 0),
            ("a silence is no jitter", arrive(paused, 50), 0..=0, 20_000 + PICTURE),
            ("one picture", arrive([7], 50), 0..=0, 0),
        ] {
            assert!(jitter_ms.contains(&figures.jitter.as_millis()), "{name}: {figures:?}");
            assert_eq!(figures.arrival_gap_max, Duration::from_millis(gap_ms), "{name}");
        }
    }

    #[test]
    fn keyframe_gaps() {
        for (pictures, keyframes, gap_ms) in [
            (1, 50, None),
            (2, 50, Some(PICTURE)),
            (50, 50, Some(49 * PICTURE)),
            (51, 50, Some(50 * PICTURE)),
            (60, 50, Some(50 * PICTURE)),
            (100, 1, Some(PICTURE)),
            (500, 1_000, Some(499 * PICTURE)),
        ] {
            let figures = arrive((0..pictures).map(|n| n * PICTURE), keyframes);
            let expected = gap_ms.map(Duration::from_millis);
            assert_eq!(figures.keyframe_gap, expected, "{pictures} pictures");
            assert_eq!(figures.video_bits, 1_000 * pictures);
        }
    }

    #[test]
    fn a_new_timeline_is_no_gap() {
        let (start, mut arrivals) = (start(), Arrivals::default());
        let mut figures = IngestFigures::default();
        arrivals.unit(start, &unit(0, true), &mut figures);
        arrivals.begin_timeline();
        arrivals.unit(start + Duration::from_secs(60), &unit(9_000_000, true), &mut figures);
        // Times that go back without a word are none either.
        arrivals.unit(start + Duration::from_secs(60), &unit(5, true), &mut figures);
        arrivals.close(&mut figures);
        assert_eq!((figures.keyframe_gap, figures.jitter), (None, Duration::ZERO));
        assert_eq!(figures.arrival_gap_max, Duration::ZERO);
        let sound = AccessUnit { track: TrackKind::Audio, ..unit(0, true) };
        arrivals.unit(start, &sound, &mut figures);
        assert_eq!((figures.pictures, figures.audio_bits), (3, 1_000));
    }
}
