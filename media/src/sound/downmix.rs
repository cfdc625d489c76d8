//! Any speakers to mono or stereo (ITU-R BS.775).
//!
//! | from | into its own side |
//! |---|---|
//! | left, right | 1 |
//! | centre, side, back | 0.7071 (-3 dB) |
//! | one channel behind | 0.5 into both |
//! | low frequency effects | 0 |
//!
//! Each side is then divided by the sum of what goes into it, so that full scale in all channels at
//! once does not clip; ffmpeg and GStreamer do the same. 5.1 becomes quieter by 7.7 dB, which
//! is what players that mix by themselves do to it.

use crate::codec::Speaker;

/// -3 dB.
const HALF_POWER: f32 = std::f32::consts::FRAC_1_SQRT_2;
/// Full scale of a 16-bit sample.
const FULL_SCALE: f32 = 32_768.0;

/// Gains of a layout.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Downmix {
    speakers: Vec<Speaker>,
    /// For each output channel the gains of all input channels, one after another.
    gains: Vec<f32>,
    channels: usize,
}

impl Downmix {
    /// From `speakers` to `channels`, 1 or 2.
    pub(super) fn new(speakers: &[Speaker], channels: usize) -> Self {
        let mut sides = vec![0.0; 2 * speakers.len()];
        let (left, right) = sides.split_at_mut(speakers.len());
        for (speaker, (left, right)) in speakers.iter().zip(left.iter_mut().zip(right.iter_mut())) {
            (*left, *right) = match speaker {
                Speaker::Left => (1.0, 0.0),
                Speaker::Right => (0.0, 1.0),
                Speaker::Centre => (HALF_POWER, HALF_POWER),
                Speaker::LeftSurround => (HALF_POWER, 0.0),
                Speaker::RightSurround => (0.0, HALF_POWER),
                Speaker::CentreSurround => (0.5, 0.5),
                Speaker::LowFrequency => (0.0, 0.0),
            };
        }
        let mut gains = if channels == 1 {
            left.iter().zip(right.iter()).map(|(left, right)| left + right).collect()
        } else {
            sides
        };
        for output in gains.chunks_exact_mut(speakers.len().max(1)) {
            let sum: f32 = output.iter().sum();
            if sum > 0.0 {
                output.iter_mut().for_each(|gain| *gain /= sum);
            }
        }
        Self { speakers: speakers.to_vec(), gains, channels }
    }

    /// Whether it was made for these speakers.
    pub(super) fn is_for(&self, speakers: &[Speaker]) -> bool {
        self.speakers == speakers
    }

    /// Appends the mix of interleaved samples to `mixed`, interleaved, full scale at 1.
    pub(super) fn mix(&self, samples: &[i16], mixed: &mut Vec<f32>) {
        let inputs = self.speakers.len().max(1);
        mixed.reserve(samples.len() / inputs * self.channels);
        for frame in samples.chunks_exact(inputs) {
            for gains in self.gains.chunks_exact(inputs) {
                let pairs = frame.iter().zip(gains);
                let sum: f32 = pairs.map(|(&sample, gain)| f32::from(sample) * gain).sum();
                mixed.push(sum / FULL_SCALE);
            }
        }
    }
}

/// A sample of the mix with 16 bits; what a filter lifted over full scale is cut off.
pub(super) fn to_i16(sample: f32) -> i16 {
    // `as` saturates.
    (sample * FULL_SCALE).round() as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use Speaker::{Centre, CentreSurround, Left, LeftSurround, LowFrequency, Right, RightSurround};

    const SURROUND: [Speaker; 6] = [Left, Right, Centre, LowFrequency, LeftSurround, RightSurround];

    #[test]
    fn each_channel_alone_comes_out_with_its_coefficient() {
        let sum = 1.0 + 2.0 * HALF_POWER;
        let (one, half) = (1.0 / sum, HALF_POWER / sum);
        let expected = [(one, 0.0), (0.0, one), (half, half), (0.0, 0.0), (half, 0.0), (0.0, half)];
        let downmix = Downmix::new(&SURROUND, 2);
        for (channel, (left, right)) in expected.into_iter().enumerate() {
            let mut frame = [0; 6];
            frame[channel] = 16_384;
            let mut mixed = Vec::new();
            downmix.mix(&frame, &mut mixed);
            assert!((mixed[0] - left / 2.0).abs() < 1e-6, "channel {channel}: {mixed:?}");
            assert!((mixed[1] - right / 2.0).abs() < 1e-6, "channel {channel}: {mixed:?}");
        }
    }

    #[test]
    fn full_scale_in_all_channels_is_full_scale() {
        let layouts: [&[Speaker]; 8] = [
            &[Centre],
            &[Left, Right],
            &[Left, Right, Centre],
            &[Left, Right, Centre, CentreSurround],
            &[Left, Right, Centre, LeftSurround, RightSurround],
            &SURROUND,
            &[Left, Right, Centre, LowFrequency, LeftSurround, RightSurround, CentreSurround],
            &[
                Left,
                Right,
                Centre,
                LowFrequency,
                LeftSurround,
                RightSurround,
                LeftSurround,
                RightSurround,
            ],
        ];
        for speakers in layouts {
            for channels in [1, 2] {
                for sample in [i16::MIN, i16::MAX] {
                    let mut mixed = Vec::new();
                    let frame = vec![sample; speakers.len()];
                    Downmix::new(speakers, channels).mix(&frame, &mut mixed);
                    let out: Vec<i16> = mixed.iter().copied().map(to_i16).collect();
                    assert_eq!(out, vec![sample; channels], "{speakers:?}");
                }
            }
        }
    }

    #[test]
    fn stereo_and_mono_stay_what_they_are() {
        let mut mixed = Vec::new();
        Downmix::new(&[Left, Right], 2).mix(&[-5, 7, i16::MIN, i16::MAX], &mut mixed);
        Downmix::new(&[Centre], 1).mix(&[9], &mut mixed);
        Downmix::new(&[Centre], 2).mix(&[11], &mut mixed);
        let out: Vec<i16> = mixed.into_iter().map(to_i16).collect();
        assert_eq!(out, [-5, 7, i16::MIN, i16::MAX, 9, 11, 11]);
    }
}
