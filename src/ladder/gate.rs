//! What of a source the decoder sees where no rung wants its pictures: as much as stills are made
//! of.

use riverrun_media::access_unit::AccessUnit;
use riverrun_media::still::StillCollector;
use riverrun_media::time::MediaTime;

/// Lets through a little more than a second from a sync picture on, now and then.
#[derive(Default)]
pub(super) struct StillGate {
    /// Presentation time of the sync picture that opened it last.
    opened: Option<MediaTime>,
    /// What came since then has passed without exception.
    open: bool,
    /// Everything passes up to the second sync picture.
    first_gop: bool,
}

impl StillGate {
    /// The preview, and what may be reordered behind it.
    const LENGTH: MediaTime = MediaTime::from_millis(1_600);

    /// One that closes no sooner than at the second sync picture: until then it may turn out that
    /// keyframes are rare and the source is to be encoded anew (PL-4), which must not wait for one.
    pub(super) fn with_first_gop() -> Self {
        Self { first_gop: true, ..Self::default() }
    }

    /// The decoder has everything up to here that it needs for what comes.
    pub(super) const fn is_open(&self) -> bool {
        self.open
    }

    /// Whether this unit is decoded; ask for every one, in decode order. Once one has been left
    /// out, so is every other up to a sync picture: those behind it in display order may still need
    /// it, and B pictures are shown before what they are decoded from.
    pub(super) fn passes(&mut self, unit: &AccessUnit) -> bool {
        let since = self.opened.map(|opened| unit.pts.minus(opened));
        // Times that go back are another timeline's.
        let due = since.is_none_or(|since| {
            since >= StillCollector::PERIOD || since < MediaTime::from_millis(0)
        });
        self.first_gop &= !unit.sync || self.opened.is_none();
        if unit.sync && due {
            self.opened = Some(unit.pts);
            self.open = true;
        } else {
            self.open &= self.first_gop || since.is_some_and(|since| since <= Self::LENGTH);
        }
        self.open
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use riverrun_media::access_unit::TrackKind;

    use super::*;

    /// A closed GOP of 2 s, 25 pictures a second: I, then P with two B before it in display order.
    fn gop(number: i64) -> impl Iterator<Item = AccessUnit> {
        (0..50).map(move |index: i64| {
            let shown = match index {
                0 => 0,
                // The last one has no B pictures: 49 = 1 + 16 * 3.
                49 => 49,
                index if index % 3 == 1 => index + 2,
                index => index - 1,
            };
            let at = |index: i64| MediaTime::from_millis(10_000 + number * 2_000 + index * 40);
            let payload = Bytes::from_static(&[0]);
            let (dts, pts, sync) = (at(index), at(shown), index == 0);
            AccessUnit { track: TrackKind::Video, dts, pts, sync, payload }
        })
    }

    #[test]
    fn a_first_gop_passes_whole_however_long_it_is() {
        let mut gate = StillGate::with_first_gop();
        for number in 0..4 {
            let one = |unit: AccessUnit| AccessUnit { sync: unit.sync && number == 0, ..unit };
            assert!(gop(number).map(one).all(|unit| gate.passes(&unit)) && gate.is_open());
        }
        assert!(gop(4).all(|unit| !gate.passes(&unit)) && !gate.is_open());
        let open: Vec<_> = gop(10).map(|unit| gate.passes(&unit)).collect();
        assert!(open[0] && !open[49] && !gate.is_open(), "{open:?}");
    }

    /// openh264 told of damage (a reference that is missing) once in each broadcast with B
    /// pictures: the last of them passed, and what they are decoded from had not.
    #[test]
    fn what_passes_can_be_decoded() {
        let mut gate = StillGate::default();
        let mut opened = Vec::new();
        for number in 0..30 {
            let passed: Vec<bool> = gop(number).map(|unit| gate.passes(&unit)).collect();
            let count = passed.iter().take_while(|passed| **passed).count();
            assert!(passed[count..].iter().all(|passed| !passed), "GOP {number}: {passed:?}");
            if count > 0 {
                assert!((38..=42).contains(&count), "{count} pictures of GOP {number}");
                opened.push(number);
            }
        }
        assert!(opened.len() > 1 && opened[0] == 0, "{opened:?}");
        assert!(opened.windows(2).all(|pair| pair[1] - pair[0] > 1), "{opened:?}");
    }
}
