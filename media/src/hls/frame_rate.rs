//! Frame rate of a source that announces none, measured over its first pictures.
//!
//! PART-TARGET is fixed before the first part (LL-1) and FRAME-RATE before the first multivariant
//! playlist (MV-11), so units wait here, half a second of media at most. A jittery value must not
//! reach a playlist (MV-2): only a rate close to a usual one is believed.

use super::limits::{PROBE_MAX, PROBE_PICTURES_MAX, PROBE_UNITS_MAX, PROBE_WAIT_MAX};
use crate::access_unit::{AccessUnit, TrackKind};
use crate::time::MediaTime;

/// Collects the first units of a broadcast.
#[derive(Debug, Default)]
pub(super) struct FrameRateProbe {
    units: Vec<AccessUnit>,
    first: Option<MediaTime>,
    last: Option<MediaTime>,
    pictures: usize,
}

impl FrameRateProbe {
    pub(super) fn push(&mut self, unit: AccessUnit) {
        if unit.track == TrackKind::Video {
            self.first.get_or_insert(unit.dts);
            self.last = Some(unit.dts);
            self.pictures += 1;
        }
        self.units.push(unit);
    }

    /// Enough pictures, enough media time, or too many units.
    pub(super) fn is_done(&self) -> bool {
        let (Some(oldest), Some(newest)) = (self.units.first(), self.units.last()) else {
            return false;
        };
        let waited = newest.dts.minus(oldest.dts);
        let in_vain = waited >= PROBE_MAX && self.pictures == 0 || waited >= PROBE_WAIT_MAX;
        let measured = self.span().is_some_and(|span| span >= PROBE_MAX);
        let units = self.units.len() >= PROBE_UNITS_MAX;
        units || measured || self.pictures >= PROBE_PICTURES_MAX || in_vain
    }

    /// Pictures per second times 1000; `None` when it is not near a usual rate.
    pub(super) fn frame_rate_millis(&self) -> Option<u32> {
        const USUAL_MILLIS: [u32; 20] = [
            1_000, 2_000, 5_000, 6_000, 7_500, 8_000, 10_000, 12_000, 12_500, 15_000, 20_000,
            24_000, 25_000, 30_000, 48_000, 50_000, 60_000, 90_000, 100_000, 120_000,
        ];
        let span_millis = u64::try_from(self.span()?.millis()).ok().filter(|millis| *millis > 0)?;
        let intervals = u64::try_from(self.pictures.saturating_sub(1)).ok().filter(|n| *n > 0)?;
        let measured = u32::try_from(intervals * 1_000_000 / span_millis).ok()?;
        let nearest = USUAL_MILLIS.into_iter().min_by_key(|usual| usual.abs_diff(measured))?;
        let close = nearest.abs_diff(measured).saturating_mul(100) <= nearest.saturating_mul(3);
        close.then_some(nearest)
    }

    /// Everything collected, in order.
    pub(super) fn into_units(self) -> Vec<AccessUnit> {
        self.units
    }

    fn span(&self) -> Option<MediaTime> {
        Some(self.last?.minus(self.first?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timescale;
    use bytes::Bytes;

    fn probe(times_ms: impl IntoIterator<Item = i64>) -> FrameRateProbe {
        let mut probe = FrameRateProbe::default();
        for millis in times_ms {
            if probe.is_done() {
                break;
            }
            let time = MediaTime::from_millis(millis).rescale(Timescale::VIDEO);
            probe.push(AccessUnit {
                track: TrackKind::Video,
                dts: time,
                pts: time,
                sync: millis == 0,
                payload: Bytes::from_static(b"x"),
            });
        }
        probe
    }

    #[test]
    fn usual_rates_are_recognised_through_millisecond_rounding() {
        for (fps_millis, want) in [
            (60_000, Some(60_000)),
            (59_940, Some(60_000)),
            (30_000, Some(30_000)),
            (29_970, Some(30_000)),
            (25_000, Some(25_000)),
            (23_976, Some(24_000)),
            (5_000, Some(5_000)),
            (1_000, Some(1_000)),
            (13_700, None),
        ] {
            let probe = probe((0..100).map(|i| i * 1_000_000 / fps_millis));
            assert!(probe.is_done());
            assert_eq!(probe.frame_rate_millis(), want, "{fps_millis}");
        }
    }

    #[test]
    fn one_picture_tells_nothing() {
        assert_eq!(probe([0]).frame_rate_millis(), None);
        assert_eq!(probe([0, 0]).frame_rate_millis(), None);
    }
}
