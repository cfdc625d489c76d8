//! What comes out for what goes in: where it stands, how loud and how clean it is.

use super::*;
use crate::codec::AacEncoderConfig;
use crate::codec::testing::{HE, LC, encode};

/// A click through another encoder, the transcoder and ffmpeg's decoder.
#[test]
fn al2_a_click_stays_where_it_was() {
    const AT: f64 = 0.731;
    for (rate, channels, out) in [
        (48_000, 6, (48_000, 2)),
        (44_100, 6, (44_100, 2)),
        (48_000, 8, (48_000, 2)),
        (48_000, 3, (48_000, 2)),
        (96_000, 2, (48_000, 2)),
        (96_000, 6, (48_000, 2)),
        (88_200, 2, (44_100, 2)),
        (64_000, 1, (48_000, 1)),
        (32_000, 6, (48_000, 2)),
        (22_050, 6, (44_100, 2)),
        (16_000, 5, (48_000, 2)),
        (48_000, 2, (48_000, 2)),
        (44_100, 1, (44_100, 1)),
    ] {
        let recording = Recording::by_ffmpeg(rate, channels, &click(rate, channels, AT, 1.5));
        let output = recording.transcode();
        assert_eq!((output.track.sample_rate, output.track.channels), out);
        assert_eq!(output.track.codec.codec_string(), "mp4a.40.2");
        let lasts = output.units.len() as f64 * 1_024.0 / f64::from(out.0);
        assert!((1.40..1.62).contains(&lasts), "{rate} Hz, {channels}: {lasts:.3} s came out");
        for channel in 0..usize::from(out.1) {
            let off = output.click_ms(channel) - AT * 1_000.0;
            assert!(off.abs() < 1.0, "{rate} Hz, {channels} channels: off by {off:.3} ms");
        }
    }
}

/// The server's own encoder library with SBR: units are stamped by the delay it states.
#[test]
fn he_aac_surround_is_in_place() {
    const AT: f64 = 0.731;
    for object_type in [LC, HE] {
        let config = AacEncoderConfig { sample_rate: 48_000, channels: 6, bitrate: 320_000 };
        let coded = encode(config, object_type, &click(48_000, 6, AT, 1.5));
        let recording = Recording::new(coded.config, coded.delay, coded.units);
        let output = recording.transcode();
        let off = output.click_ms(0) - AT * 1_000.0;
        assert!(off.abs() < 1.0, "object type {object_type}: off by {off:.3} ms");
    }
}

/// SBR that the configuration does not announce doubles the rate of what is decoded.
#[test]
fn sbr_that_comes_unannounced_is_in_place() {
    const AT: f64 = 0.731;
    let config = AacEncoderConfig { sample_rate: 48_000, channels: 6, bitrate: 320_000 };
    let coded = encode(config, HE, &click(48_000, 6, AT, 1.5));
    let core = AudioSpecificConfig::lc(24_000, 6).unwrap();
    let recording = Recording::new(core, coded.delay / 2, coded.units);
    let output = recording.transcode();
    assert_eq!(output.track.sample_rate, 48_000);
    let off = output.click_ms(0) - AT * 1_000.0;
    assert!(off.abs() < 1.0, "off by {off:.3} ms");
}

#[test]
fn a_tone_in_each_channel_comes_out_with_its_coefficient() {
    let sum = 1.0 + 2.0 * std::f64::consts::FRAC_1_SQRT_2;
    let (one, half) = (1.0 / sum, std::f64::consts::FRAC_1_SQRT_2 / sum);
    // WAVE order: left, right, centre, low frequencies, left and right surround.
    let expected = [(one, 0.0), (0.0, one), (half, half), (0.0, 0.0), (half, 0.0), (0.0, half)];
    for (channel, (left, right)) in expected.into_iter().enumerate() {
        // The channel of low frequencies holds nothing higher.
        let hertz = if channel == 3 { 60.0 } else { 1_000.0 };
        let pcm = tone(48_000, 6, Some(channel), hertz, 0.5);
        let (_, planes) = Recording::by_ffmpeg(48_000, 6, &pcm).transcode().decode();
        for (plane, gain) in planes.iter().zip([left, right]) {
            let seen = amplitude(&plane[6_000..18_000]) / 16_384.0;
            assert!((seen - gain).abs() < 0.012, "channel {channel}: {seen:.3}, not {gain:.3}");
        }
    }
}

#[test]
fn seven_one_keeps_its_front_pair_loudest() {
    let sum = 1.0 + 3.0 * std::f64::consts::FRAC_1_SQRT_2;
    for channel in [0, 1] {
        let pcm = tone(48_000, 8, Some(channel), 1_000.0, 0.5);
        let (_, planes) = Recording::by_ffmpeg(48_000, 8, &pcm).transcode().decode();
        let seen = amplitude(&planes[channel][6_000..18_000]) / 16_384.0;
        assert!((seen - 1.0 / sum).abs() < 0.012, "channel {channel}: {seen:.3}");
        assert!(amplitude(&planes[1 - channel][6_000..18_000]) < 200.0);
    }
}

#[test]
fn full_scale_in_all_channels_does_not_clip() {
    let pcm: Vec<i16> =
        tone(48_000, 6, None, 997.0, 0.5).iter().map(|&s| (f64::from(s) * 1.95) as i16).collect();
    let (_, planes) = Recording::by_ffmpeg(48_000, 6, &pcm).transcode().decode();
    for plane in planes {
        let inner = &plane[6_000..18_000];
        let expected = 16_384.0 * 1.95;
        assert!((amplitude(inner) - expected).abs() < 1_200.0, "{}", amplitude(inner));
        let ratio = signal_to_noise(48_000, 997.0, inner);
        assert!(ratio > 40.0, "it is distorted: {ratio:.1} dB");
    }
}

/// Floors a few decibels below what was measured at 128 kbit/s.
#[test]
fn a_sine_comes_out_clean() {
    for (rate, channels, hertz, floor) in [
        (48_000, 6, 1_000.0, 55.0),
        (96_000, 2, 1_000.0, 55.0),
        (96_000, 2, 9_000.0, 55.0),
        (22_050, 6, 1_000.0, 55.0),
        (64_000, 1, 440.0, 55.0),
    ] {
        let pcm = tone(rate, channels, None, hertz, 1.0);
        // Six bits a sample: what is lost is lost by us.
        let bitrate = rate * u32::from(channels) * 6;
        let coded = encode(AacEncoderConfig { sample_rate: rate, channels, bitrate }, LC, &pcm);
        let output = Recording::new(coded.config, coded.delay, coded.units).transcode();
        let (_, planes) = output.decode();
        let inner = &planes[0][8_000..32_000];
        let ratio = signal_to_noise(output.track.sample_rate, hertz, inner);
        assert!(ratio > floor, "{rate} Hz, {channels} channels, {hertz} Hz: {ratio:.1} dB");
    }
}

#[test]
fn bit_rates_are_brought_into_range() {
    let track = Recording::new(AudioSpecificConfig::lc(96_000, 2).unwrap(), 0, Vec::new()).track;
    for (asked, given) in [(128_000, 128_000), (0, 16_000), (u32::MAX, 576_000)] {
        let config = SoundConfig { bitrate: asked };
        let transcoder = SoundTranscoder::new(&track, config).unwrap();
        assert_eq!(transcoder.track().bitrate, Some(given));
    }
}

#[test]
fn what_cannot_be_transcoded_is_refused_in_words() {
    use crate::opus::OpusConfig;
    let of = |codec: AudioCodec| AudioTrack::of(codec, None);
    for (codec, words) in [
        (AudioCodec::Opus(OpusConfig::stereo()), "Opus"),
        (AudioCodec::Aac(AudioSpecificConfig::lc(47_999, 2).unwrap()), "47999 samples"),
    ] {
        let error = SoundTranscoder::new(&of(codec), SoundConfig::default()).err().unwrap();
        assert!(error.to_string().contains(words), "{error}");
    }
}

/// Peak of the sine with the power of these samples.
fn amplitude(samples: &[i16]) -> f64 {
    let power: f64 = samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
    (2.0 * power / samples.len() as f64).sqrt()
}

/// Power of a sine beside that of everything else, in decibels.
fn signal_to_noise(rate: u32, hertz: f64, samples: &[i16]) -> f64 {
    let step = 2.0 * std::f64::consts::PI * hertz / f64::from(rate);
    let count = samples.len() as f64;
    let (mut sine, mut cosine) = (0.0, 0.0);
    for (n, &sample) in samples.iter().enumerate() {
        sine += f64::from(sample) * (step * n as f64).sin() * 2.0 / count;
        cosine += f64::from(sample) * (step * n as f64).cos() * 2.0 / count;
    }
    let noise: f64 = samples
        .iter()
        .enumerate()
        .map(|(n, &sample)| {
            let at = step * n as f64;
            (f64::from(sample) - sine * at.sin() - cosine * at.cos()).powi(2)
        })
        .sum();
    let signal = (sine * sine + cosine * cosine) / 2.0 * count;
    10.0 * (signal / noise).log10()
}
