//! From one sample rate to another whose ratio is a small fraction, by a windowed sinc in polyphase
//! form.
//!
//! Written here and not taken from a crate: the ratios at hand are six to one at most, the filter
//! is forty lines, its delay is known exactly (none: it looks ahead), the count of samples is exact
//! for ever, and the well-kept crate for it brings eight more into a tree that is nearly full.

use std::f64::consts::PI;

/// Input samples on either side of an output sample, times the decimation if there is one. With the
/// window below the step from pass to stop band takes a sixth of half the lower rate.
const HALF_WIDTH: usize = 32;
/// Shape of the Kaiser window: stop band 80 dB down, below the noise of 13 bits that AAC leaves.
const KAISER_BETA: f64 = 8.0;
/// The middle of that step, as a part of half the lower rate: it ends there, so nothing folds back.
const CUTOFF: f64 = 0.92;
/// Phases of the filter at most: 44.1 kHz to 48 kHz needs 160.
const PHASES_MAX: u32 = 160;

/// Interleaved samples of some channels from one rate to another.
#[derive(Debug)]
pub(super) struct Resampler {
    /// Output samples in `down` input samples.
    up: usize,
    down: usize,
    /// Input samples before an output sample's place, itself included; as many follow.
    half: usize,
    /// The filter of each phase, one after another.
    taps: Vec<f32>,
    /// Input that is still needed, of each channel.
    held: Vec<Vec<f32>>,
    /// Of the next output sample: its place in `held` and the parts of `up` behind it.
    at: usize,
    phase: usize,
}

impl Resampler {
    /// `None` for a ratio that is not a small fraction.
    pub(super) fn new(from: u32, to: u32, channels: usize) -> Option<Self> {
        let divisor = gcd(from, to);
        if from == 0 || to == 0 || to / divisor > PHASES_MAX {
            return None;
        }
        let (up, down) = ((to / divisor) as usize, (from / divisor) as usize);
        let half = HALF_WIDTH * down.div_ceil(up);
        Some(Self {
            up,
            down,
            half,
            taps: filter(up, down, half),
            // As if silence came before: the first output sample stands where the first input does.
            held: vec![vec![0.0; half - 1]; channels],
            at: half - 1,
            phase: 0,
        })
    }

    /// Takes input and appends the output that can be made.
    pub(super) fn push(&mut self, input: &[f32], output: &mut Vec<f32>) {
        let channels = self.held.len();
        for (channel, held) in self.held.iter_mut().enumerate() {
            held.extend(input.iter().skip(channel).step_by(channels));
        }
        let width = 2 * self.half;
        let frames = self.held.first().map_or(0, Vec::len);
        while self.at + self.half < frames {
            let first = self.at + 1 - self.half;
            let taps = &self.taps[self.phase * width..(self.phase + 1) * width];
            output.extend(self.held.iter().map(|held| dot(&held[first..first + width], taps)));
            let next = self.phase + self.down;
            self.at += next / self.up;
            self.phase = next % self.up;
        }
        let done = (self.at + 1 - self.half).min(frames);
        self.held.iter_mut().for_each(|held| drop(held.drain(..done)));
        self.at -= done;
    }

    /// The output that waits for input which will not come, as if silence followed.
    pub(super) fn finish(mut self, output: &mut Vec<f32>) {
        let silence = vec![0.0; self.half * self.held.len()];
        self.push(&silence, output);
    }
}

/// Sum of products. Eight sums side by side, so that the compiler may use vectors; both lengths are
/// the same multiple of 64.
fn dot(samples: &[f32], taps: &[f32]) -> f32 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    for (samples, taps) in samples.chunks_exact(LANES).zip(taps.chunks_exact(LANES)) {
        for (sum, (sample, tap)) in sums.iter_mut().zip(samples.iter().zip(taps)) {
            *sum += sample * tap;
        }
    }
    sums.iter().sum()
}

/// The taps for each phase. Phase `p` stands `p / up` of an input sample behind the one before it.
fn filter(up: usize, down: usize, half: usize) -> Vec<f32> {
    let cutoff = CUTOFF * (up as f64 / down as f64).min(1.0);
    let mut taps = Vec::with_capacity(up * 2 * half);
    for phase in 0..up {
        let start = taps.len();
        let before = half as f64 - 1.0 + phase as f64 / up as f64;
        for tap in 0..2 * half {
            let x = tap as f64 - before;
            let value = cutoff * sinc(cutoff * x) * kaiser(x / half as f64);
            taps.push(value as f32);
        }
        // Each phase passes a constant unchanged, so that none of them hums.
        let sum: f32 = taps[start..].iter().sum();
        taps[start..].iter_mut().for_each(|tap| *tap /= sum);
    }
    taps
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// The Kaiser window over -1 to 1.
fn kaiser(x: f64) -> f64 {
    let inside = (1.0 - x * x).max(0.0);
    bessel(KAISER_BETA * inside.sqrt()) / bessel(KAISER_BETA)
}

/// The modified Bessel function of the first kind and order 0, by its series.
fn bessel(x: f64) -> f64 {
    let (mut sum, mut term, mut n) = (1.0, 1.0, 1.0);
    while term > 1e-12 * sum {
        term *= (x / (2.0 * n)).powi(2);
        sum += term;
        n += 1.0;
    }
    sum
}

const fn gcd(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATIOS: [(u32, u32); 9] = [
        (96_000, 48_000),
        (88_200, 44_100),
        (64_000, 48_000),
        (24_000, 48_000),
        (22_050, 44_100),
        (8_000, 48_000),
        (7_350, 44_100),
        (44_100, 48_000),
        (48_000, 44_100),
    ];

    fn resample(from: u32, to: u32, input: &[f32], piece: usize) -> Vec<f32> {
        let mut resampler = Resampler::new(from, to, 1).unwrap();
        let mut output = Vec::new();
        input.chunks(piece).for_each(|piece| resampler.push(piece, &mut output));
        resampler.finish(&mut output);
        output
    }

    fn tone(rate: u32, hertz: f64, len: usize) -> Vec<f32> {
        let step = 2.0 * PI * hertz / f64::from(rate);
        (0..len).map(|n| (0.5 * (step * n as f64).sin()) as f32).collect()
    }

    #[test]
    fn a_tone_stays_itself_in_place_and_shape() {
        for (from, to) in RATIOS {
            let hertz = 0.4 * f64::from(from.min(to));
            for hertz in [100.0, hertz / 3.0, hertz] {
                let input = tone(from, hertz, from as usize / 2);
                let output = resample(from, to, &input, 777);
                let expected = tone(to, hertz, output.len());
                let inner = 200..output.len() - 200;
                let pairs = output[inner.clone()].iter().zip(&expected[inner]);
                let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(worst < 0.003, "{from} to {to}, {hertz:.0} Hz: off by {worst}");
            }
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_gone() {
        for (from, to) in [(96_000, 48_000), (64_000, 48_000), (48_000, 44_100)] {
            let input = tone(from, 0.54 * f64::from(to), from as usize / 4);
            let output = resample(from, to, &input, 1_024);
            let inner = &output[200..output.len() - 200];
            let loudest = inner.iter().fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
            assert!(loudest < 0.5e-3, "{from} to {to}: {loudest} of an alias is left");
        }
    }

    #[test]
    fn counts_are_exact_and_pieces_do_not_matter() {
        for (from, to) in RATIOS {
            let input = tone(from, 440.0, 10_007);
            let whole = resample(from, to, &input, input.len());
            let expected = (10_007 * u64::from(to)).div_ceil(u64::from(from));
            assert_eq!(whole.len() as u64, expected, "{from} to {to}");
            for piece in [1, 63, 1_024] {
                assert_eq!(resample(from, to, &input, piece), whole);
            }
        }
    }

    #[test]
    fn channels_do_not_touch() {
        let mut resampler = Resampler::new(96_000, 48_000, 2).unwrap();
        let left = tone(96_000, 440.0, 4_000);
        let input: Vec<f32> = left.iter().flat_map(|&left| [left, 0.25]).collect();
        let mut output = Vec::new();
        resampler.push(&input, &mut output);
        resampler.finish(&mut output);
        let alone = resample(96_000, 48_000, &left, 4_000);
        let (of_left, of_right): (Vec<f32>, Vec<f32>) =
            output.chunks_exact(2).map(|pair| (pair[0], pair[1])).unzip();
        assert_eq!(of_left, alone);
        assert!(of_right[100..1_900].iter().all(|sample| (sample - 0.25).abs() < 1e-5));
    }

    #[test]
    fn ratios_without_a_small_fraction_are_refused() {
        assert!(Resampler::new(47_999, 48_000, 2).is_none());
        assert!(Resampler::new(0, 48_000, 2).is_none());
        assert!(Resampler::new(48_000, 0, 2).is_none());
    }
}
