//! When the hypervisor gave this machine's cores to others. No process sees it but by its clock
//! jumping on: a server that answers 80 ms late because it had no core for 80 ms is not slow.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::stamp;

/// The margin on both sides of a span: the system counts in ticks of 10 ms and a bit late.
const MARGIN_NS: u64 = 20_000_000;

/// Notes of the stolen time, in order of time.
#[derive(Clone, Debug, Default)]
pub struct Stolen {
    /// Time of the note, and ticks stolen of all cores until then.
    notes: Vec<(u64, u64)>,
}

/// A thread that takes notes until it is asked for them.
#[derive(Debug)]
pub struct Watch {
    done: Arc<AtomicBool>,
    thread: JoinHandle<Stolen>,
}

impl Watch {
    /// Begins to take notes.
    pub fn start() -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&done);
        let thread = thread::spawn(move || {
            let mut stolen = Stolen::default();
            while !asked.load(Ordering::Relaxed) {
                thread::sleep(Stolen::EVERY);
                stolen.note();
            }
            stolen
        });
        Self { done, thread }
    }

    /// The notes until now.
    pub fn stop(self) -> Stolen {
        self.done.store(true, Ordering::Relaxed);
        // It has nothing that panics; without notes nothing counts as stolen.
        self.thread.join().unwrap_or_default()
    }
}

impl Stolen {
    /// What was on its way counts as undisturbed if less core time than this was taken meanwhile:
    /// two ticks of the system's clock, of which one is within its error.
    pub const BEARABLE: Duration = Duration::from_millis(20);

    /// How often to call [`Self::note`]: what the system counts in.
    pub const EVERY: Duration = Duration::from_millis(10);

    /// Notes what was stolen until now.
    pub fn note(&mut self) {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        self.notes.push((stamp::now(), ticks(&stat)));
    }

    /// Core time stolen from `from` to `until`, in nanoseconds of [`stamp::now`], and a bit around
    /// it.
    pub fn between(&self, from: u64, until: u64) -> Duration {
        let begin = self.notes.partition_point(|(at, _)| *at + MARGIN_NS < from).saturating_sub(1);
        let end = self.notes.partition_point(|(at, _)| *at <= until + MARGIN_NS);
        let end = end.min(self.notes.len().saturating_sub(1));
        let at = |index: usize| self.notes.get(index).map_or(0, |(_, ticks)| *ticks);
        let per_second = rustix::param::clock_ticks_per_second().max(1);
        Duration::from_secs_f64(at(end).saturating_sub(at(begin)) as f64 / per_second as f64)
    }

    /// Whether [`Self::between`] is [bearable](Self::BEARABLE).
    pub fn leaves_alone(&self, from: u64, until: u64) -> bool {
        self.between(from, until) < Self::BEARABLE
    }

    /// Core time stolen in all.
    pub fn total(&self) -> Duration {
        self.between(0, u64::MAX - MARGIN_NS)
    }
}

/// The eighth number of the first line (proc_stat(5)).
fn ticks(stat: &str) -> u64 {
    let fields = stat.lines().next().unwrap_or_default().split_whitespace();
    fields.skip(1).nth(7).and_then(|field| field.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_of_stolen_time() {
        assert_eq!(ticks("cpu  10 20 30 40 50 60 70 80 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n"), 80);
        assert_eq!(ticks("cpu  10 20 30"), 0);
        assert_eq!(ticks(""), 0);
    }

    #[test]
    fn a_span_has_what_was_stolen_in_it_and_close_to_it() {
        let ms = |ms: u64| ms * 1_000_000;
        let notes = vec![(ms(0), 5), (ms(100), 5), (ms(200), 9), (ms(300), 9), (ms(400), 10)];
        let stolen = Stolen { notes };
        let tick = 1_000 / rustix::param::clock_ticks_per_second();
        for (from, until, want) in
            [(0, 70, 0), (0, 90, 4), (130, 160, 4), (230, 270, 0), (210, 270, 4), (330, 900, 1)]
        {
            let want = Duration::from_millis(want * tick);
            assert_eq!(stolen.between(ms(from), ms(until)), want, "{from}..{until}");
        }
        assert_eq!(stolen.total(), Duration::from_millis(5 * tick));
        assert_eq!(Stolen::default().total(), Duration::ZERO);
    }
}
