//! Which source samples make up a target sample along one axis, and with what weights.
//!
//! The filter is a sinc under a Hamming window, one lobe wide and stretched by the ratio, so that
//! it takes in every source sample (no aliasing) and has no negative weights (no ringing around
//! lettering, and sums that fit 16 bits). An axis that grows, as those of oblong pixels may, is
//! drawn in straight lines between neighbours. At its edges the picture is filtered with the
//! weights that fall inside, brought back to a sum of one.

use std::f64::consts::PI;

/// Fraction bits of a weight: the weights of a target sample add up to exactly 256, so a sum of
/// them times 8-bit samples fits 16 bits with room for rounding.
pub(super) const WEIGHT_BITS: u32 = 8;

/// Share of the raised cosine in a Hamming window.
const HAMMING_COSINE: f64 = 0.46;

/// Where the samples of an axis sit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Siting {
    /// In the middle of what they stand for: luma, and 4:2:0 chroma from row to row.
    Centred,
    /// On the first of the two luma samples they stand for: 4:2:0 chroma along a row, as H.264
    /// has it when a stream says nothing (H.264 Figure E-1, type 0).
    First,
}

/// The weights of one axis: for each target sample `taps` of them, from `first` on.
/// `first + taps <= source`, and they add up to 256.
#[derive(Debug)]
pub(super) struct Weights {
    taps: usize,
    firsts: Vec<usize>,
    weights: Vec<u16>,
}

impl Weights {
    /// From `source` samples to `target` samples, neither 0.
    pub(super) fn new(source: usize, target: usize, siting: Siting) -> Self {
        let ratio = source as f64 / target as f64;
        // Distance of a sample from the middle of what it stands for, in its own spacing.
        let lead = match siting {
            Siting::Centred => 0.0,
            Siting::First => 0.25,
        };
        let centre = |at: usize| (at as f64 + 0.5 - lead) * ratio - 0.5 + lead;
        let filter = Filter { shrinks: ratio > 1.0, radius: ratio.max(1.0) };
        let spans: Vec<Span> =
            (0..target).map(|at| Span::around(centre(at), filter, source)).collect();
        let taps = spans.iter().map(|span| span.weights.len()).max().unwrap_or(1);
        let mut all = Self { taps, firsts: Vec::new(), weights: Vec::new() };
        for span in spans {
            // All have the same count, so those at the end begin earlier, with weights of zero.
            let first = span.first.min(source - taps);
            let begin = all.weights.len();
            all.firsts.push(first);
            all.weights.resize(begin + span.first - first, 0);
            all.weights.extend(span.weights);
            all.weights.resize(begin + taps, 0);
        }
        all
    }

    /// Weights of each target sample.
    pub(super) const fn taps(&self) -> usize {
        self.taps
    }

    /// The first source sample and the weights for one target sample; nothing behind the last.
    pub(super) fn of(&self, at: usize) -> (usize, &[u16]) {
        let weights = self.weights.chunks_exact(self.taps).nth(at).unwrap_or_default();
        (self.firsts.get(at).copied().unwrap_or_default(), weights)
    }

    /// [`Self::of`] for each target sample in turn.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &[u16])> {
        self.firsts.iter().copied().zip(self.weights.chunks_exact(self.taps))
    }
}

/// How weights fall with the distance.
#[derive(Clone, Copy)]
struct Filter {
    shrinks: bool,
    /// Where they reach zero, in source samples.
    radius: f64,
}

impl Filter {
    fn weight(self, distance: f64) -> f64 {
        let x = distance.abs() / self.radius;
        match self.shrinks {
            _ if x >= 1.0 => 0.0,
            true => hamming(x),
            false => 1.0 - x,
        }
    }
}

/// The weights of one target sample.
struct Span {
    first: usize,
    weights: Vec<u16>,
}

impl Span {
    /// `centre` in source samples, where sample 0 is at 0.0.
    fn around(centre: f64, filter: Filter, source: usize) -> Self {
        let last = source - 1;
        let inside = |at: f64| at.clamp(0.0, last as f64);
        let begin = inside((centre - filter.radius).ceil()) as usize;
        let end = inside((centre + filter.radius).floor()) as usize;
        let exact: Vec<f64> = (begin..=end).map(|at| filter.weight(at as f64 - centre)).collect();
        let sum: f64 = exact.iter().sum();
        if sum <= 0.0 {
            return Self {
                first: inside(centre.round()) as usize,
                weights: vec![1 << WEIGHT_BITS],
            };
        }
        // Rounding the running sum keeps the whole exact and no weight off by a step.
        let mut exact_so_far = 0.0;
        let mut so_far = 0;
        let mut weights = Vec::with_capacity(exact.len());
        for weight in exact {
            exact_so_far += weight / sum;
            let rounded = (exact_so_far * f64::from(1 << WEIGHT_BITS)).round() as u16;
            weights.push(rounded - so_far);
            so_far = rounded;
        }
        let zeros = weights.iter().take_while(|&&weight| weight == 0).count();
        weights.drain(..zeros);
        while weights.last() == Some(&0) {
            weights.pop();
        }
        Self { first: begin + zeros, weights }
    }
}

/// A sinc with its zeros at -1 and 1 under a Hamming window that ends there.
fn hamming(x: f64) -> f64 {
    let sinc = if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
    sinc * ((1.0 - HAMMING_COSINE) + HAMMING_COSINE * (PI * x).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: [(usize, usize); 12] = [
        (1920, 1280),
        (1280, 854),
        (854, 640),
        (640, 320),
        (1080, 360),
        (540, 360),
        (720, 1024),
        (8, 8),
        (9, 8),
        (1000, 8),
        (8192, 16),
        (8, 16),
    ];

    #[test]
    fn weights_add_up_and_stay_inside() {
        for (source, target) in SIZES {
            for siting in [Siting::Centred, Siting::First] {
                let weights = Weights::new(source, target, siting);
                assert_eq!(weights.iter().count(), target, "{source} to {target}");
                for (at, (first, span)) in weights.iter().enumerate() {
                    assert_eq!(weights.of(at), (first, span));
                    assert_eq!(span.len(), weights.taps());
                    assert!(first + span.len() <= source, "{source} to {target} at {at}");
                    assert_eq!(span.iter().sum::<u16>(), 256, "{source} to {target} at {at}");
                }
                assert!(weights.of(target).1.is_empty());
            }
        }
    }

    #[test]
    fn the_centre_of_gravity_is_where_the_sample_sits() {
        for (source, target) in SIZES {
            for (siting, lead) in [(Siting::Centred, 0.0), (Siting::First, 0.25)] {
                let weights = Weights::new(source, target, siting);
                let ratio = source as f64 / target as f64;
                let margin = ratio.max(1.0) + 1.0;
                for (at, (first, span)) in weights.iter().enumerate() {
                    // As in the drawing of the standard: distances from the left edge in units of
                    // what the whole axis shows.
                    let sits = (at as f64 + 0.5 - lead) / target as f64;
                    let sum: f64 = (first..).zip(span).map(|(x, &w)| x as f64 * f64::from(w)).sum();
                    let found = (sum / 256.0 + 0.5 - lead) / source as f64;
                    let cut =
                        sits * (source as f64) < margin || (1.0 - sits) * (source as f64) < margin;
                    let off = (sits - found).abs() * source as f64 / ratio.max(1.0);
                    assert!(cut || off < 0.11, "{source} to {target} at {at}: {off}");
                }
            }
        }
    }

    #[test]
    fn the_same_size_changes_nothing() {
        for siting in [Siting::Centred, Siting::First] {
            let weights = Weights::new(100, 100, siting);
            assert!(weights.iter().enumerate().all(|(at, span)| span == (at, &[256][..])));
        }
    }
}
