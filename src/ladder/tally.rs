//! What the decoder's thread and the ladder have done since somebody looked. The thread that holds
//! the broadcast reads it once a second; nobody waits for anybody.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use riverrun_media::health::{DecodingFigures, RenditionReading};
use riverrun_media::ladder::{Step, VARIANT_NUMBERS};

/// See the module's text. Each number stands alone, so their order is of no interest.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pictures: AtomicU32,
    skipped: AtomicU32,
    decode_nanos: AtomicU64,
    scale_nanos: AtomicU64,
    rungs: [RungTally; VARIANT_NUMBERS],
}

/// Of one rung.
#[derive(Debug, Default)]
struct RungTally {
    /// 0 before the first picture, then the step's place plus one.
    step: AtomicU8,
    waiting_max: AtomicU32,
    dropped: AtomicU32,
    paused: AtomicBool,
}

impl Tally {
    /// A picture was decoded.
    pub(super) fn decoded(&self) {
        self.pictures.fetch_add(1, Ordering::Relaxed);
    }

    /// A unit was left out.
    pub(super) fn skipped(&self) {
        self.skipped.fetch_add(1, Ordering::Relaxed);
    }

    /// The decoder was busy for so long.
    pub(super) fn decode_time(&self, time: Duration) {
        self.decode_nanos.fetch_add(nanos(time), Ordering::Relaxed);
    }

    /// Scaling took so long.
    pub(super) fn scale_time(&self, time: Duration) {
        self.scale_nanos.fetch_add(nanos(time), Ordering::Relaxed);
    }

    /// How a rung stands while a picture comes: its step, and pictures that wait.
    pub(super) fn stands(&self, variant: u8, step: Step, waiting: usize) {
        if let Some(rung) = self.rungs.get(usize::from(variant)) {
            rung.step.store(place(step) + 1, Ordering::Relaxed);
            let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
            rung.waiting_max.fetch_max(waiting, Ordering::Relaxed);
        }
    }

    /// Whether the rung encodes nothing because nobody asks for it.
    pub(super) fn pauses(&self, variant: u8, paused: bool) {
        if let Some(rung) = self.rungs.get(usize::from(variant)) {
            rung.paused.store(paused, Ordering::Relaxed);
        }
    }

    /// The rung is no more: it has no readings until there is another of its number.
    pub(super) fn leaves(&self, variant: u8) {
        if let Some(rung) = self.rungs.get(usize::from(variant)) {
            rung.step.store(0, Ordering::Relaxed);
        }
    }

    /// A picture did not get to the rung's encoder.
    pub(super) fn dropped(&self, variant: u8) {
        if let Some(rung) = self.rungs.get(usize::from(variant)) {
            rung.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What the decoder did since this was last asked.
    pub(super) fn take_decoding(&self) -> DecodingFigures {
        DecodingFigures {
            pictures: self.pictures.swap(0, Ordering::Relaxed),
            skipped: self.skipped.swap(0, Ordering::Relaxed),
            decode_time: Duration::from_nanos(self.decode_nanos.swap(0, Ordering::Relaxed)),
            scale_time: Duration::from_nanos(self.scale_nanos.swap(0, Ordering::Relaxed)),
        }
    }

    /// The rungs that have had a picture, and what became of them since this was last asked.
    pub(super) fn take_rungs(&self) -> impl Iterator<Item = (u8, RenditionReading)> {
        (0_u8..).zip(&self.rungs).filter_map(|(variant, rung)| {
            let step = step_at(rung.step.load(Ordering::Relaxed).checked_sub(1)?);
            let waiting_max = rung.waiting_max.swap(0, Ordering::Relaxed);
            let dropped = rung.dropped.swap(0, Ordering::Relaxed);
            let paused = rung.paused.load(Ordering::Relaxed);
            Some((variant, RenditionReading { step, paused, waiting_max, dropped }))
        })
    }
}

const fn place(step: Step) -> u8 {
    match step {
        Step::Full => 0,
        Step::Half => 1,
        Step::Cheap => 2,
        Step::Suspended => 3,
    }
}

const fn step_at(place: u8) -> Step {
    match place {
        0 => Step::Full,
        1 => Step::Half,
        2 => Step::Cheap,
        _ => Step::Suspended,
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reading_begins_anew() {
        let tally = Tally::default();
        assert_eq!(tally.take_decoding(), DecodingFigures::default());
        assert_eq!(tally.take_rungs().count(), 0);
        let millis = Duration::from_millis;
        for (step, waiting) in
            [(Step::Full, 2), (Step::Half, 5), (Step::Cheap, 4), (Step::Suspended, 0)]
        {
            tally.decoded();
            tally.decode_time(millis(3));
            tally.scale_time(millis(2));
            tally.stands(2, step, 1);
            tally.stands(2, step, waiting);
            tally.dropped(2);
            // There is no such rung.
            tally.stands(200, step, 9);
            tally.dropped(200);
            let waiting_max = waiting.max(1) as u32;
            let reading = RenditionReading { step, paused: false, waiting_max, dropped: 1 };
            assert!(tally.take_rungs().eq([(2, reading)]), "{step:?}");
        }
        tally.skipped();
        let decoding = DecodingFigures {
            pictures: 4,
            skipped: 1,
            decode_time: millis(12),
            scale_time: millis(8),
        };
        assert_eq!(tally.take_decoding(), decoding);
        assert_eq!(tally.take_decoding(), DecodingFigures::default());
        // The step is what it was.
        tally.pauses(2, true);
        let silent =
            RenditionReading { step: Step::Suspended, paused: true, waiting_max: 0, dropped: 0 };
        assert!(tally.take_rungs().eq([(2, silent)]));
        tally.leaves(2);
        assert_eq!(tally.take_rungs().count(), 0);
    }
}
