//! Medians, percentiles, and how sure a ratio is.

use std::fmt;

use crate::random::Random;

/// Resamples behind an interval.
const BOOTSTRAP_ROUNDS: usize = 2_000;

/// What a set of times comes to; in the unit of the samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// How many samples.
    pub count: usize,
    /// Half are below.
    pub p50: f64,
    /// 99 % are below.
    pub p99: f64,
    /// 99.9 % are below.
    pub p999: f64,
    /// None is above.
    pub max: f64,
}

impl Summary {
    /// Sorts `samples` on the way.
    pub fn of(samples: &mut [f64]) -> Self {
        samples.sort_by(f64::total_cmp);
        Self {
            count: samples.len(),
            p50: at(samples, 0.5),
            p99: at(samples, 0.99),
            p999: at(samples, 0.999),
            max: samples.last().copied().unwrap_or(0.0),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, p50, p99, p999, max } = self;
        write!(f, "p50 {p50:.3}  p99 {p99:.3}  p99.9 {p999:.3}  max {max:.3}  ({count} samples)")
    }
}

/// The value below which `share` of the sorted samples lie (nearest rank); 0 without samples.
fn at(sorted: &[f64], share: f64) -> f64 {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

/// The median; 0 without samples.
pub fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        0 if middle == 0 => 0.0,
        0 => f64::midpoint(sorted[middle - 1], sorted[middle]),
        _ => sorted[middle],
    }
}

/// Median of paired ratios and its 95 % interval by the bootstrap; 0 where a pair is missing.
pub fn paired_ratio(ours: &[f64], peer: &[f64]) -> (f64, f64, f64) {
    let ratios: Vec<f64> = ours.iter().zip(peer).map(|(ours, peer)| ours / peer).collect();
    if ratios.is_empty() {
        return (0.0, 0.0, 0.0);
    }
    let mut random = Random::new(1);
    let mut medians: Vec<f64> = (0..BOOTSTRAP_ROUNDS)
        .map(|_| {
            let drawn: Vec<f64> = (0..ratios.len())
                .map(|_| ratios[random.below(ratios.len() as u64) as usize])
                .collect();
            median(&drawn)
        })
        .collect();
    medians.sort_by(f64::total_cmp);
    (median(&ratios), at(&medians, 0.025), at(&medians, 0.975))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_and_middles() {
        let mut hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        let summary = Summary::of(&mut hundred);
        assert_eq!(summary, Summary { count: 100, p50: 50.0, p99: 99.0, p999: 100.0, max: 100.0 });
        assert_eq!(Summary::of(&mut []), Summary::default());
        assert_eq!(median(&[]), 0.0);
        assert_eq!(median(&[3.0, 1.0]), 2.0);
        assert_eq!(median(&[9.0, 1.0, 2.0]), 2.0);
    }

    #[test]
    fn the_interval_holds_the_ratio() {
        let (ratio, low, high) = paired_ratio(&[1.0, 1.1, 0.9], &[2.0, 2.0, 2.0]);
        assert!(low <= ratio && ratio <= high && (ratio - 0.5).abs() < 1e-9);
    }
}
