//! Rungs that nobody asks for are not encoded until somebody does (product.md §2).

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::capacity::TIGHT_SHARE;
use super::plan::Plan;
use super::setting::VARIANT_NUMBERS;

/// Whether rungs that nobody asks for are paused. A viewer who chooses one waits for a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PauseIdle {
    /// Where the ladder is tight: it is thought to take more than [`TIGHT_SHARE`] of the machine.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// A word that is none of them.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{0:?} is none of auto, on and off")]
pub struct PauseIdleError(String);

impl FromStr for PauseIdle {
    type Err = PauseIdleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            _ => Err(PauseIdleError(text.to_owned())),
        }
    }
}

impl fmt::Display for PauseIdle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::On => "on",
            Self::Off => "off",
        })
    }
}

impl PauseIdle {
    /// Whether it applies to a ladder that takes this [share](Plan::share) of the machine.
    pub fn applies(self, share: f64) -> bool {
        match self {
            Self::Auto => share > TIGHT_SHARE,
            Self::On => true,
            Self::Off => false,
        }
    }
}

/// Some of the variants, by number.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct RungSet(pub u32);

impl RungSet {
    /// This variant alone; nothing for a number that no variant has.
    pub const fn of(variant: u8) -> Self {
        if (variant as usize) < VARIANT_NUMBERS { Self(1 << variant) } else { Self(0) }
    }

    /// Whether the variant is among them.
    pub const fn has(self, variant: u8) -> bool {
        self.0 & Self::of(variant).0 != 0
    }

    /// Adds those of the other set.
    pub const fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

const _: () = assert!(VARIANT_NUMBERS <= u32::BITS as usize);

/// When each rung was asked for last.
#[derive(Clone, Debug)]
pub struct IdleRungs {
    after: Duration,
    asked: [Option<Instant>; VARIANT_NUMBERS],
}

impl IdleRungs {
    /// A rung is idle when nobody asks for it for so long.
    pub const fn new(after: Duration) -> Self {
        Self { after, asked: [None; VARIANT_NUMBERS] }
    }

    /// Somebody has asked for these.
    pub fn note(&mut self, now: Instant, asked: RungSet) {
        for (variant, last) in (0..).zip(&mut self.asked) {
            if asked.has(variant) {
                *last = Some(now);
            }
        }
    }

    /// The idle rungs of a plan. One that is new counts as asked for. Where the source is not on
    /// offer the first rung is never idle: viewers who come find something that plays.
    pub fn idle(&mut self, now: Instant, plan: &Plan) -> RungSet {
        let mut idle = RungSet::default();
        for (variant, last) in (0..).zip(&mut self.asked) {
            let Some(place) = plan.rungs.iter().position(|rung| rung.variant == variant) else {
                *last = None;
                continue;
            };
            let since = now.saturating_duration_since(*last.get_or_insert(now));
            if since >= self.after && (place > 0 || (plan.source.is_some() && !plan.hides_source)) {
                idle.add(RungSet::of(variant));
            }
        }
        idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::PictureSize;
    use crate::ladder::{PlannedRung, RungCodec};

    const MINUTE: Duration = Duration::from_secs(60);

    fn plan(source: Option<u8>, variants: &[u8]) -> Plan {
        let rung = |variant: &u8| PlannedRung {
            variant: *variant,
            size: PictureSize::new(320, 180).expect("a size"),
            frame_rate_millis: 30_000,
            bitrate: 500_000,
            codec: RungCodec::H264 { cpu_level: 2 },
            threads: 1,
        };
        Plan { source, rungs: variants.iter().map(rung).collect(), ..Plan::default() }
    }

    #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of the test")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_rung_is_idle_a_minute_after_it_was_asked_for() {
        let (mut rungs, start) = (IdleRungs::new(MINUTE), start());
        let at = |seconds| start + Duration::from_secs(seconds);
        let plan = plan(Some(0), &[1, 2]);
        assert_eq!(rungs.idle(at(0), &plan), RungSet(0));
        assert_eq!(rungs.idle(at(59), &plan), RungSet(0), "it has just begun");
        rungs.note(at(59), RungSet(0b101));
        assert_eq!(rungs.idle(at(60), &plan), RungSet(0b010));
        assert_eq!(rungs.idle(at(119), &plan), RungSet(0b110), "and never the source");
        rungs.note(at(120), RungSet::of(2));
        assert_eq!(rungs.idle(at(120), &plan), RungSet(0b010));
    }

    #[test]
    fn a_rung_that_begins_later_has_its_own_minute() {
        let (mut rungs, start) = (IdleRungs::new(MINUTE), start());
        assert_eq!(rungs.idle(start, &plan(Some(0), &[1])), RungSet(0));
        let later = start + MINUTE;
        assert_eq!(rungs.idle(later, &plan(Some(0), &[1, 3])), RungSet(0b10));
        assert_eq!(rungs.idle(later + MINUTE, &plan(Some(0), &[3])), RungSet(0b1000));
        // The number is given anew.
        assert_eq!(rungs.idle(later + MINUTE, &plan(Some(0), &[1])), RungSet(0));
    }

    #[test]
    fn without_the_source_the_first_rung_stays() {
        let (mut rungs, start) = (IdleRungs::new(MINUTE), start());
        let plan = plan(None, &[2, 1, 0]);
        assert_eq!(rungs.idle(start, &plan), RungSet(0));
        assert_eq!(rungs.idle(start + MINUTE, &plan), RungSet(0b011));
    }

    #[test]
    fn the_setting_reads_and_writes_itself() {
        for (text, share, applies) in
            [("auto", 0.5, true), ("auto", 0.4, false), ("on", 0.0, true), ("off", 1.0, false)]
        {
            let setting: PauseIdle = text.parse().expect("a word we know");
            assert_eq!((setting.to_string().as_str(), setting.applies(share)), (text, applies));
        }
        let error = "yes".parse::<PauseIdle>().expect_err("not a word").to_string();
        assert!(error.contains("\"yes\"") && error.contains("auto"), "{error}");
    }

    #[test]
    fn numbers_that_no_variant_has_are_in_no_set() {
        assert_eq!(RungSet::of(200), RungSet(0));
        assert!(!RungSet(u32::MAX).has(200) && RungSet(2).has(1));
    }
}
