//! Distances of events that come regularly: pictures, blocks of sound, keyframes.
//!
//! What is regular can be told in advance: the packager lists a part without waiting for the unit
//! behind it. Where the rhythm breaks, it waits again.

/// The last `N` distances, in ticks of a track.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rhythm<const N: usize> {
    /// Oldest first; the last `count` of them were seen.
    recent: [i64; N],
    count: usize,
}

impl<const N: usize> Rhythm<N> {
    /// Nothing seen yet.
    pub(super) const fn new() -> Self {
        Self { recent: [0; N], count: 0 }
    }

    /// Takes note of a distance.
    pub(super) fn observe(&mut self, distance: i64) {
        self.recent.rotate_left(1);
        if let Some(newest) = self.recent.last_mut() {
            *newest = distance;
        }
        self.count = N.min(self.count + 1);
    }

    /// The longest distance; 0 before the first.
    pub(super) fn longest(&self) -> i64 {
        self.recent.iter().copied().max().unwrap_or(0)
    }

    /// The newest distance.
    pub(super) fn newest(&self) -> Option<i64> {
        self.recent.last().copied().filter(|_| self.count > 0)
    }

    /// The next distance, if the last `N` differ by at most `tolerance`. RTMP's whole milliseconds
    /// repeat every three pictures at 24, 30 and 60 per second, so the one three before is the best
    /// guess.
    pub(super) fn expected(&self, tolerance: i64) -> Option<i64> {
        const CYCLE: usize = 3;
        let (least, most) = (self.recent.iter().min()?, self.recent.iter().max()?);
        let steady = self.count == N && *least > 0 && most - least <= tolerance;
        self.recent.get(N.saturating_sub(CYCLE)).copied().filter(|_| steady)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(distances: &[i64]) -> Rhythm<6> {
        let mut rhythm = Rhythm::new();
        distances.iter().for_each(|distance| rhythm.observe(*distance));
        rhythm
    }

    #[test]
    fn whole_milliseconds_of_usual_rates_are_told_exactly() {
        for fps in [15, 20, 24, 25, 30, 50, 60] {
            let times: Vec<i64> = (0..100).map(|n| n * 1_000 / fps * 90).collect();
            let mut rhythm = Rhythm::<6>::new();
            for pair in times.windows(2).take(6) {
                rhythm.observe(pair[1] - pair[0]);
            }
            for pair in times.windows(2).skip(6) {
                assert_eq!(rhythm.expected(90), Some(pair[1] - pair[0]), "{fps}");
                rhythm.observe(pair[1] - pair[0]);
            }
        }
    }

    #[test]
    fn nothing_is_expected_of_the_irregular() {
        for (distances, want) in [
            (&[][..], None),
            (&[40; 5], None),
            (&[40; 6], Some(40)),
            (&[80, 40, 40, 40, 40, 40, 40], Some(40)),
            (&[40, 40, 40, 40, 40, 80], None),
            (&[40, 40, 40, 40, 46, 40], None),
            (&[40, 40, 40, 40, 45, 40], Some(40)),
            (&[0; 6], None),
        ] {
            assert_eq!(after(distances).expected(5), want, "{distances:?}");
        }
        assert_eq!(after(&[]).newest(), None);
        assert_eq!(after(&[40, 41]).newest(), Some(41));
    }
}
