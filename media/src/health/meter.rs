//! Counts what happens into the running second.

use std::time::{Duration, Instant};

use super::ingest::Arrivals;
use super::rendition::{CodedPicture, RenditionFigures, RenditionReading};
use super::{DecodingFigures, Figures, HISTORY_SECONDS};
use crate::access_unit::AccessUnit;
use crate::ladder::{Step, VARIANT_NUMBERS};
use crate::time::MediaTime;

const SECOND: Duration = Duration::from_secs(1);

/// Makes [`Figures`] of every second from events. What is told before a second is
/// [closed](Self::close) belongs to it.
#[derive(Debug, Default)]
pub struct Meter {
    /// End of the running second, once it has begun.
    ends: Option<Instant>,
    running: Figures,
    arrivals: Arrivals,
    /// Presentation time of the newest coded picture of each variant.
    newest: [Option<MediaTime>; VARIANT_NUMBERS],
}

impl Meter {
    /// The running second is over, or none has begun: time for readings and [`Self::close`].
    pub fn is_due(&self, now: Instant) -> bool {
        self.ends.is_none_or(|ends| now >= ends)
    }

    /// Figures of the second that is over at `now`. Called until there is none: a caller that was
    /// away gets an entry for each second of it, at most as many as [`Health`](super::Health)
    /// keeps.
    pub fn close(&mut self, now: Instant) -> Option<Figures> {
        let ends = *self.ends.get_or_insert(now + SECOND);
        let over = now.checked_duration_since(ends)?;
        // Seconds that would be forgotten at once are left out.
        let void = over.as_secs().saturating_sub(HISTORY_SECONDS as u64);
        self.ends = Some(ends + SECOND + Duration::from_secs(void));
        let mut closed = std::mem::take(&mut self.running);
        closed.seconds = 1;
        self.arrivals.close(&mut closed.ingest);
        Some(closed)
    }

    /// What was told since the last second was closed: the end of a broadcast.
    pub fn rest(&mut self) -> Figures {
        let mut rest = std::mem::take(&mut self.running);
        self.arrivals.close(&mut rest.ingest);
        rest
    }

    /// Media times begin anew.
    pub fn begin_timeline(&mut self) {
        self.arrivals.begin_timeline();
        self.newest = [None; VARIANT_NUMBERS];
    }

    /// A unit of the source arrived.
    pub fn unit(&mut self, now: Instant, unit: &AccessUnit) {
        self.arrivals.unit(now, unit, &mut self.running.ingest);
    }

    /// A rendition's coded picture came.
    pub fn coded(&mut self, variant: u8, picture: &CodedPicture) {
        let index = usize::from(variant);
        let before = self.newest.get_mut(index).and_then(|newest| newest.replace(picture.pts));
        if let Some(rendition) = self.rendition(variant, Step::Full) {
            rendition.coded(picture, before);
        }
    }

    /// What the decoder did since the last reading.
    pub fn decoded(&mut self, reading: &DecodingFigures) {
        self.running.decoding.absorb(reading);
    }

    /// What the ladder tells of a rendition.
    pub fn read(&mut self, variant: u8, reading: RenditionReading) {
        if let Some(rendition) = self.rendition(variant, reading.step) {
            rendition.read(reading);
        }
    }

    fn rendition(&mut self, variant: u8, step: Step) -> Option<&mut RenditionFigures> {
        let slot = self.running.renditions.get_mut(usize::from(variant))?;
        Some(slot.get_or_insert_with(|| RenditionFigures::at(step)))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::access_unit::TrackKind;

    #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of the test")]
    fn start() -> Instant {
        Instant::now()
    }

    fn picture(millis: u64, bytes: usize) -> AccessUnit {
        let dts = MediaTime::from_millis(i64::try_from(millis).expect("small"));
        let payload = Bytes::from(vec![0; bytes]);
        AccessUnit {
            track: TrackKind::Video,
            dts,
            pts: dts,
            sync: millis.is_multiple_of(2_000),
            payload,
        }
    }

    /// Pictures per second when units arrive at these milliseconds and the meter is asked at each.
    fn counts(at: &[u64]) -> Vec<u32> {
        let (start, mut meter, mut counts) = (start(), Meter::default(), Vec::new());
        for at in at {
            let now = start + Duration::from_millis(*at);
            while let Some(second) = meter.close(now) {
                assert_eq!(second.seconds, 1);
                counts.push(second.ingest.pictures);
            }
            assert!(!meter.is_due(now));
            meter.unit(now, &picture(*at, 1));
        }
        counts
    }

    #[test]
    fn seconds_end_where_they_should() {
        for (name, at, expected) in [
            ("the first second has not ended", &[0, 500, 999][..], &[][..]),
            ("the boundary is of the next", &[0, 999, 1_000, 1_999, 2_000], &[2, 2]),
            ("it begins with the first event", &[700, 1_600, 1_700], &[2]),
            ("seconds without anything", &[0, 10, 4_500], &[2, 0, 0, 0]),
            ("and the rhythm stays", &[0, 4_500, 4_999, 5_000], &[1, 0, 0, 0, 2]),
            ("a clock that stands still", &[0, 0, 0, 0], &[]),
            ("a clock that goes back", &[1_500, 300, 2_500], &[2]),
        ] {
            assert_eq!(counts(at), expected, "{name}");
        }
    }

    #[test]
    fn a_long_absence_gives_no_more_than_is_kept() {
        let day = 86_400_000;
        let counts = counts(&[0, day, day + 1_000]);
        assert_eq!(counts.len(), HISTORY_SECONDS + 2);
        assert_eq!((counts[0], counts.last()), (1, Some(&1)));
    }

    #[test]
    fn what_is_told_is_in_its_second_only() {
        let (start, mut meter) = (start(), Meter::default());
        assert_eq!(meter.close(start), None);
        let decoding = DecodingFigures {
            pictures: 2,
            skipped: 1,
            decode_time: Duration::from_millis(6),
            scale_time: Duration::from_millis(4),
        };
        let [lag, encode_time] = [30, 10].map(Duration::from_millis);
        for millis in [0, 40] {
            meter.unit(start + Duration::from_millis(millis), &picture(millis, 500));
            let pts = picture(millis, 1).pts;
            let coded = CodedPicture { pts, bytes: 50, encode_time, lag, late: millis == 0 };
            meter.coded(1, &coded);
            // There is no such rendition.
            meter.coded(250, &coded);
        }
        meter.decoded(&decoding);
        let reading =
            RenditionReading { step: Step::Half, paused: false, waiting_max: 3, dropped: 5 };
        meter.read(1, reading);
        let reading =
            RenditionReading { step: Step::Suspended, paused: true, waiting_max: 0, dropped: 25 };
        meter.read(2, reading);
        let second = meter.close(start + SECOND).expect("it is over");
        assert_eq!((second.ingest.pictures, second.ingest.video_bits), (2, 8_000));
        assert_eq!(second.decoding, decoding);
        let expected = RenditionFigures {
            step: Step::Half,
            paused: false,
            pictures: 2,
            bits: 800,
            media: Duration::from_millis(40),
            encode_time: 2 * encode_time,
            lag: 2 * lag,
            lag_max: lag,
            behind: 0,
            waiting_max: 3,
            dropped: 5,
            late: 1,
        };
        assert_eq!(second.renditions[1], Some(expected));
        let at = RenditionFigures::at(Step::Suspended);
        let silent = RenditionFigures { paused: true, dropped: 25, ..at };
        assert_eq!(second.renditions[2], Some(silent));
        assert_eq!(second.renditions[0], None);

        let next = meter.close(start + 2 * SECOND).expect("it is over");
        assert_eq!((next.ingest.pictures, next.decoding.pictures), (0, 0));
        assert!(next.renditions.iter().all(Option::is_none));
        assert_eq!(next.ingest.keyframe_gap, second.ingest.keyframe_gap, "it is still true");

        meter.unit(start + 2 * SECOND, &picture(2_000, 500));
        meter.read(1, reading);
        let rest = meter.rest();
        let dropped = rest.renditions[1].as_ref().map(|rendition| rendition.dropped);
        assert_eq!((rest.seconds, rest.ingest.pictures, dropped), (0, 1, Some(25)));
        assert_eq!(meter.rest().ingest.pictures, 0, "it is told once");
    }

    #[test]
    fn a_new_timeline_shows_no_media_across() {
        let (start, mut meter) = (start(), Meter::default());
        assert_eq!(meter.close(start), None);
        for (millis, begins) in [(0, true), (40, false), (100, true), (140, false)] {
            if begins {
                meter.begin_timeline();
            }
            let (encode_time, lag) = (Duration::ZERO, Duration::ZERO);
            let pts = MediaTime::from_millis(millis);
            meter.coded(3, &CodedPicture { pts, bytes: 1, encode_time, lag, late: false });
        }
        let second = meter.close(start + SECOND).expect("it is over");
        let media = second.renditions[3].as_ref().map(|rendition| rendition.media);
        assert_eq!(media, Some(Duration::from_millis(80)));
    }
}
