//! What a rung gives up while its encoder is slower than real time, and when it gets it back (F6,
//! EN-4): pictures first, then quality, then itself. Nothing that other renditions would feel.

use std::time::{Duration, Instant};

/// A rung whose oldest picture has waited this long is late: more than three pictures of 30 a
/// second, which no ordinary picture takes to encode.
const LATE: Duration = Duration::from_millis(120);
/// Pictures that may wait. The ninth is not taken: a third of a second is what a rung may be behind
/// while it catches up.
const WAITING_MAX: usize = 8;
/// Late for this long: a step down.
const PATIENCE: Duration = Duration::from_millis(1_000);
/// On time for this long: a step up again.
const RECOVERY: Duration = Duration::from_secs(10);
/// A suspended rung is tried again after this, after twice this the next time, and so on.
const RETRY_MIN: Duration = Duration::from_secs(20);
/// It is tried again after this at the latest.
const RETRY_MAX: Duration = Duration::from_secs(300);

/// What a rung does without.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Step {
    /// Nothing.
    Full,
    /// Every second picture of its grid.
    Half,
    /// The same, and encoded at the cheapest settings.
    Cheap,
    /// Everything: its playlist has gaps.
    Suspended,
}

/// A step was taken; the log and the admin tell it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// Before.
    pub from: Step,
    /// From now on.
    pub to: Step,
}

/// The pace of one rung.
#[derive(Clone, Debug)]
pub struct Pace {
    step: Step,
    late_since: Option<Instant>,
    on_time_since: Option<Instant>,
    /// When a suspended rung is tried again.
    retry_at: Option<Instant>,
    retry_after: Duration,
    odd: bool,
    dropped: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            step: Step::Full,
            late_since: None,
            on_time_since: None,
            retry_at: None,
            retry_after: RETRY_MIN,
            odd: false,
            dropped: 0,
        }
    }
}

impl Pace {
    /// Takes note of the encoder's queue: pictures in it, and how long the oldest has waited.
    pub fn observe(&mut self, now: Instant, waiting: usize, oldest: Duration) -> Option<Change> {
        if self.step == Step::Suspended {
            let due = self.retry_at.is_some_and(|at| now >= at);
            return if due { self.go(now, Step::Cheap) } else { None };
        }
        let late = oldest >= LATE || waiting >= WAITING_MAX;
        let (running, other) = if late {
            (&mut self.late_since, &mut self.on_time_since)
        } else {
            (&mut self.on_time_since, &mut self.late_since)
        };
        *other = None;
        let lasted = now.saturating_duration_since(*running.get_or_insert(now));
        match self.step {
            Step::Full if late && lasted >= PATIENCE => self.go(now, Step::Half),
            Step::Half if late && lasted >= PATIENCE => self.go(now, Step::Cheap),
            Step::Cheap if late && lasted >= PATIENCE => self.suspend(now),
            Step::Cheap if !late && lasted >= RECOVERY => self.go(now, Step::Half),
            Step::Half if !late && lasted >= RECOVERY => {
                self.retry_after = RETRY_MIN;
                self.go(now, Step::Full)
            }
            _ => None,
        }
    }

    /// Whether the rung takes the next picture of its grid. The one that begins a segment is taken
    /// unless there is no room at all.
    pub fn takes(&mut self, waiting: usize, begins_segment: bool) -> bool {
        let room = waiting < WAITING_MAX && self.step != Step::Suspended;
        self.odd = begins_segment || !self.odd;
        let takes = room && (begins_segment || self.step == Step::Full || self.odd);
        self.dropped += u64::from(!takes);
        takes
    }

    /// Suspends a rung whose encoder failed or hung.
    pub fn suspend(&mut self, now: Instant) -> Option<Change> {
        self.retry_at = Some(now + self.retry_after);
        self.retry_after = (self.retry_after * 2).min(RETRY_MAX);
        self.go(now, Step::Suspended)
    }

    /// What the rung does without.
    pub const fn step(&self) -> Step {
        self.step
    }

    /// When a suspended rung is tried again.
    pub fn retry_at(&self) -> Option<Instant> {
        self.retry_at.filter(|_| self.step == Step::Suspended)
    }

    /// Pictures of its grid that were not taken.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    fn go(&mut self, now: Instant, to: Step) -> Option<Change> {
        let from = std::mem::replace(&mut self.step, to);
        self.late_since = None;
        // Counted anew at each step.
        self.on_time_since = Some(now);
        (from != to).then_some(Change { from, to })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PICTURE: Duration = Duration::from_millis(33);

    /// Runs for `seconds`, late or not; gives the steps taken and when.
    fn run(pace: &mut Pace, now: &mut Instant, seconds: f64, oldest: Duration) -> Vec<(Step, f64)> {
        let (start, mut steps) = (*now, Vec::new());
        while now.duration_since(start).as_secs_f64() < seconds {
            if let Some(change) = pace.observe(*now, 2, oldest) {
                steps.push((change.to, now.duration_since(start).as_secs_f64().round()));
            }
            *now += PICTURE;
        }
        steps
    }

    #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of the test")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn f6_pictures_then_quality_then_the_rung_and_back() {
        let (mut pace, mut now) = (Pace::default(), start());
        assert_eq!(run(&mut pace, &mut now, 5.0, Duration::ZERO), []);
        let late = Duration::from_millis(200);
        assert_eq!(
            run(&mut pace, &mut now, 20.0, late),
            [(Step::Half, 1.0), (Step::Cheap, 2.0), (Step::Suspended, 3.0)]
        );
        assert_eq!(
            run(&mut pace, &mut now, 60.0, Duration::ZERO),
            [(Step::Cheap, 3.0), (Step::Half, 13.0), (Step::Full, 23.0)]
        );
        assert_eq!(pace.retry_at(), None);
    }

    #[test]
    fn a_rung_that_never_keeps_up_is_tried_less_and_less_often() {
        let (mut pace, mut now) = (Pace::default(), start());
        let steps = run(&mut pace, &mut now, 1_500.0, Duration::from_secs(1));
        let tries: Vec<_> =
            steps.iter().filter(|(step, _)| *step == Step::Suspended).map(|(_, at)| *at).collect();
        let pauses: Vec<_> = tries.windows(2).map(|two| (two[1] - two[0]).round()).collect();
        assert!(pauses[0] < 23.0 && pauses.last().is_some_and(|last| *last > 299.0), "{pauses:?}");
        assert!(pauses.windows(2).all(|two| two[1] > two[0] - 2.0), "{pauses:?}");
    }

    #[test]
    fn half_takes_every_second_picture_and_every_start_of_a_segment() {
        let (mut pace, mut now) = (Pace::default(), start());
        run(&mut pace, &mut now, 1.5, Duration::from_secs(1));
        assert_eq!(pace.step(), Step::Half);
        let taken: Vec<_> = (0..12).map(|n| pace.takes(0, n == 5)).collect();
        let places: Vec<_> = (0..12).filter(|n| taken[*n]).collect();
        assert_eq!(places, [0, 2, 4, 5, 7, 9, 11]);
        assert_eq!(pace.dropped(), 5);
    }

    #[test]
    fn nothing_is_taken_without_room_or_while_suspended() {
        let (mut pace, now) = (Pace::default(), start());
        assert!(pace.takes(7, false) && !pace.takes(8, true));
        assert!(pace.suspend(now).is_some());
        assert!(!pace.takes(0, true));
        assert_eq!(pace.retry_at(), Some(now + RETRY_MIN));
    }
}
