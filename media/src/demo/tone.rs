//! The sound of the demo: a soft open fifth that swells and fades, and a drop on every beat.
//!
//! Samples are a pure function of their index and the beats, so the tone never drifts and two runs
//! are alike. Phases are reduced in whole numbers: they are as exact after a year as at the start.

use std::f64::consts::TAU;

/// One sine of the chord.
struct Partial {
    /// Whole hertz, so that the phase can be reduced without loss.
    hertz: u64,
    /// Of full scale.
    level: [f64; CHANNELS],
    /// Seconds from one swell to the next; prime to one another, so that it does not repeat soon.
    swell_seconds: f64,
}

/// The tone is stereo.
pub(super) const CHANNELS: usize = 2;

const CHORD: [Partial; 4] = [
    Partial { hertz: 220, level: [0.030, 0.030], swell_seconds: 13.0 },
    Partial { hertz: 330, level: [0.026, 0.012], swell_seconds: 11.0 },
    Partial { hertz: 440, level: [0.014, 0.028], swell_seconds: 7.0 },
    Partial { hertz: 660, level: [0.006, 0.004], swell_seconds: 5.0 },
];

/// Length of a drop in seconds.
const DROP_SECONDS: f64 = 0.12;
/// Its level of full scale: clearly above the chord, for eyes on a waveform as well as for ears.
const DROP_LEVEL: f64 = 0.30;
/// Time to fade to 1/e.
const DROP_FADE_SECONDS: f64 = 0.022;
/// Its pitch rises, as that of a drop in water does.
const DROP_HERTZ: f64 = 900.0;
/// Hertz gained in a second.
const DROP_RISE: f64 = 9_000.0;

/// Fills `block` with interleaved stereo from sample `first` on. `beats` are the samples at which
/// drops begin, in order.
pub(super) fn fill(block: &mut [i16], first: u64, sample_rate: u32, beats: &[u64]) {
    let rate = u64::from(sample_rate);
    let samples = block.len() / CHANNELS;
    let end = first + samples as u64;
    let swells = CHORD.map(|partial| {
        let at = |sample: u64| {
            let turns = sample as f64 / f64::from(sample_rate) / partial.swell_seconds;
            0.62 - 0.38 * (TAU * turns.fract()).cos()
        };
        (at(first), at(end))
    });
    for (index, frame) in block.chunks_exact_mut(CHANNELS).enumerate() {
        let sample = first + index as u64;
        let along = index as f64 / samples as f64;
        let mut sum = [drop_at(sample, sample_rate, beats); CHANNELS];
        for (partial, (from, to)) in CHORD.iter().zip(swells) {
            let phase = (sample % rate * partial.hertz % rate) as f64 / f64::from(sample_rate);
            let value = (TAU * phase).sin() * (from + (to - from) * along);
            for (sum, level) in sum.iter_mut().zip(partial.level) {
                *sum += value * level;
            }
        }
        for (out, value) in frame.iter_mut().zip(sum) {
            *out = (value * f64::from(i16::MAX)).round() as i16;
        }
    }
}

fn drop_at(sample: u64, sample_rate: u32, beats: &[u64]) -> f64 {
    let Some(age) = beats.iter().rev().find_map(|&beat| sample.checked_sub(beat)) else {
        return 0.0;
    };
    let seconds = age as f64 / f64::from(sample_rate);
    if seconds >= DROP_SECONDS {
        return 0.0;
    }
    let turns = (DROP_HERTZ + DROP_RISE / 2.0 * seconds) * seconds;
    DROP_LEVEL * (-seconds / DROP_FADE_SECONDS).exp() * (TAU * turns).sin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_join_without_a_step_and_never_clip() {
        let beats = [48_000, 96_000];
        let mut whole = vec![0; 100_000 * CHANNELS];
        fill(&mut whole, 0, 48_000, &beats);
        assert!(whole.iter().all(|sample| sample.unsigned_abs() < 20_000));
        let left: Vec<i32> = whole.iter().step_by(CHANNELS).map(|&s| i32::from(s)).collect();
        let steepest = left.windows(2).map(|w| (w[1] - w[0]).abs()).max();
        assert!(steepest < Some(2_500), "{steepest:?}");
        let mut block = vec![0; 1_024 * CHANNELS];
        fill(&mut block, 47_104, 48_000, &beats);
        let part = &whole[47_104 * CHANNELS..48_128 * CHANNELS];
        let error = block.iter().zip(part).map(|(a, b)| (a - b).abs()).max();
        assert!(error <= Some(200), "the swell is interpolated: {error:?}");
    }

    #[test]
    fn drops_stand_out_of_the_chord() {
        let mut block = vec![0; 4_800 * CHANNELS];
        fill(&mut block, 0, 48_000, &[2_400]);
        let peak = |part: &[i16]| part.iter().map(|s| s.unsigned_abs()).max().unwrap();
        let (before, after) = block.split_at(2_400 * CHANNELS);
        assert!(peak(before) * 3 < peak(after));
    }
}
