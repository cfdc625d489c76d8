use super::super::judge::ffmpeg;
use super::super::texture::{Texture, moving_texture};
use super::*;
use crate::av1::obu::{ObuKind, walk};

const SIZE: (u32, u32) = (192, 108);
const BT709: Colour = Colour { primaries: 1, transfer: 1, matrix: 1, full_range: false };

fn config() -> Av1EncoderConfig {
    Av1EncoderConfig {
        size: PictureSize::new(SIZE.0, SIZE.1).unwrap(),
        frame_rate_millis: 25_000,
        bitrate: 150_000,
        threads: 1,
        colour: BT709,
    }
}

/// A texture that moves under a little noise.
fn moving(size: PictureSize, step: usize) -> Picture {
    moving_texture(size, step, Texture { base: 30, contrast: 100, noise: 4 })
}

/// Encodes the pictures `steps`; gives how many units were out after each call, and all units.
fn encode(
    encoder: &mut Av1Encoder,
    steps: std::ops::Range<usize>,
    forced: &[usize],
) -> (Vec<usize>, Vec<EncodedUnit>) {
    let size = encoder.config().size;
    let (mut counts, mut units) = (Vec::new(), Vec::new());
    for step in steps {
        let picture = moving(size, step);
        encoder.encode(&picture, forced.contains(&step), &mut |unit| units.push(unit)).unwrap();
        counts.push(units.len());
    }
    encoder.flush(&mut |unit| units.push(unit)).unwrap();
    (counts, units)
}

fn syncs(units: &[EncodedUnit]) -> Vec<usize> {
    (0..units.len()).filter(|&index| units[index].sync).collect()
}

#[test]
fn one_unit_for_each_picture_and_key_frames_where_forced() {
    for (forced, expected) in [
        (&[][..], vec![0]),
        (&[0], vec![0]),
        (&[7, 8, 30], vec![0, 7, 8, 30]),
        (&[25, 50, 59], vec![0, 25, 50, 59]),
    ] {
        let mut encoder = Av1Encoder::new(config()).unwrap();
        let (counts, units) = encode(&mut encoder, 0..60, forced);
        let late: Vec<_> = (1..=60_usize).map(|n| n.saturating_sub(PICTURES_INSIDE_MAX)).collect();
        assert_eq!(counts, late, "{forced:?}");
        assert_eq!(units.len(), 60);
        assert_eq!(syncs(&units), expected, "{forced:?}");
    }
}

#[test]
fn units_are_samples_of_an_av01_track() {
    let mut encoder = Av1Encoder::new(config()).unwrap();
    let (_, units) = encode(&mut encoder, 0..30, &[10, 20]);
    for (index, unit) in units.iter().enumerate() {
        let obus: Vec<_> = walk(&unit.payload).map(Result::unwrap).collect();
        let kinds: Vec<_> = obus.iter().map(|obu| obu.kind).collect();
        let frame = ObuKind::Frame;
        let want = if unit.sync { vec![ObuKind::SequenceHeader, frame] } else { vec![frame] };
        assert_eq!(kinds, want, "unit {index}");
        assert!(obus.iter().all(|obu| obu.has_size));
        if unit.sync {
            assert!(unit.payload.starts_with(encoder.sequence().config_obus()));
        }
    }
}

#[test]
fn the_sequence_header_tells_size_level_and_colour() {
    let hd = Colour { primaries: 9, transfer: 16, matrix: 9, full_range: true };
    let none = Colour { primaries: 2, transfer: 2, matrix: 2, full_range: false };
    // RGB, and code points that do not exist.
    let odd = Colour { primaries: 200, transfer: 13, matrix: 0, full_range: false };
    let told = Colour { primaries: 2, transfer: 13, matrix: 2, full_range: false };
    for ((width, height), rate, bitrate, colour, codec, want) in [
        ((192, 108), 25_000, 100_000, BT709, "av01.0.00M.08", Some(BT709)),
        ((640, 360), 30_000, 400_000, none, "av01.0.01M.08", None),
        ((640, 360), 60_000, 400_000, BT709, "av01.0.04M.08", Some(BT709)),
        ((360, 640), 15_000, 2_500_000, none, "av01.0.04M.08", None),
        ((1280, 720), 30_000, 900_000, hd, "av01.0.05M.08.0.110.09.16.09.1", Some(hd)),
        ((98, 2000), 15_000, 100_000, odd, "av01.0.04M.08.0.110.02.13.02.0", Some(told)),
    ] {
        let size = PictureSize::new(width, height).unwrap();
        let config =
            Av1EncoderConfig { size, frame_rate_millis: rate, bitrate, colour, ..config() };
        let encoder = Av1Encoder::new(config).unwrap();
        assert_eq!(encoder.sequence().codec_string(), codec);
        assert_eq!(encoder.sequence().coded_size(), (width, height));
        assert_eq!(encoder.sequence().colour(), want, "{colour:?}");
    }
}

/// Another decoder takes every unit, shows as many pictures, and finds them alike.
#[test]
fn another_decoder_sees_every_picture_alike() {
    for threads in [1, 2] {
        let config = Av1EncoderConfig { bitrate: 1_500_000, threads, ..config() };
        let mut encoder = Av1Encoder::new(config).unwrap();
        let (_, units) = encode(&mut encoder, 0..40, &[12, 25]);
        // A temporal delimiter before each makes a low-overhead stream of them (AV1 §5.2).
        let stream: Vec<u8> =
            units.iter().flat_map(|unit| [&[0x12, 0], &unit.payload[..]].concat()).collect();
        let decode = ["-f", "obu", "-i", "-", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"];
        let decoded = ffmpeg(&decode, &stream);
        let picture_bytes = (SIZE.0 * SIZE.1 * 3 / 2) as usize;
        assert_eq!(decoded.len(), 40 * picture_bytes);
        for (step, raw) in decoded.chunks_exact(picture_bytes).enumerate() {
            let source = moving(config.size, step);
            let luma = (0..SIZE.1 as usize).flat_map(|y| source.luma().row(y));
            let error: u64 = luma.zip(raw).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
            let mean = error as f64 / f64::from(SIZE.0 * SIZE.1);
            assert!(mean < 10.0, "picture {step} differs by {mean:.1} on average");
        }
    }
}

/// Pictures of ten seconds between key frames of two: what a player takes for the bandwidth.
#[test]
fn the_bit_rate_holds_over_ten_seconds() {
    const TEN_SECONDS: usize = 250;
    let forced: Vec<_> = (0..2 * TEN_SECONDS).step_by(50).collect();
    let size = PictureSize::new(128, 72).unwrap();
    for bitrate in [60_000, 120_000] {
        let mut encoder = Av1Encoder::new(Av1EncoderConfig { size, bitrate, ..config() }).unwrap();
        let (_, units) = encode(&mut encoder, 0..2 * TEN_SECONDS, &forced);
        let bits = |units: &[EncodedUnit]| units.iter().map(|u| u.payload.len()).sum::<usize>() * 8;
        let shares: Vec<_> = units
            .chunks(TEN_SECONDS)
            .map(|units| bits(units) as f64 / 10.0 / f64::from(bitrate))
            .collect();
        assert!(shares.iter().all(|share| (0.85..=1.15).contains(share)), "{shares:.2?}");
        let peak = units.chunks(50).map(bits).max().unwrap_or(0) as f64 / 2.0;
        assert!(peak < 1.5 * f64::from(bitrate), "{peak} of {bitrate}");
    }
}

#[test]
fn a_new_bit_rate_counts_from_the_next_forced_key_frame() {
    let mut encoder = Av1Encoder::new(config()).unwrap();
    let sequence = encoder.sequence().clone();
    let mut units = Vec::new();
    for step in 0..300 {
        if step == 110 {
            encoder.set_bitrate(50_000).unwrap();
        }
        let picture = moving(encoder.config().size, step);
        encoder.encode(&picture, step % 50 == 0, &mut |unit| units.push(unit)).unwrap();
    }
    encoder.flush(&mut |unit| units.push(unit)).unwrap();
    assert_eq!(units.len(), 300);
    assert_eq!(syncs(&units), [0, 50, 100, 150, 200, 250]);
    assert_eq!(encoder.sequence(), &sequence);
    let rate = |units: &[EncodedUnit]| {
        let bytes: usize = units.iter().map(|unit| unit.payload.len()).sum();
        bytes as f64 * 8.0 / (units.len() as f64 / 25.0)
    };
    let (before, after) = (rate(&units[50..150]), rate(&units[200..]));
    assert!(before > 120_000.0 && after < 65_000.0, "{before:.0} and {after:.0}");
    for refused in [0, 9_999, 30_000_001] {
        assert_eq!(encoder.set_bitrate(refused), Err(Av1EncoderError::Bitrate(refused)));
    }
}

#[test]
fn after_a_flush_pictures_go_on_with_a_key_frame() {
    let mut encoder = Av1Encoder::new(config()).unwrap();
    // Nothing inside.
    encoder.flush(&mut |_| panic!("there is no picture")).unwrap();
    for count in [0, 1, 2, 5] {
        let (_, units) = encode(&mut encoder, 0..count, &[]);
        assert_eq!(units.len(), count);
        assert_eq!(syncs(&units), if count == 0 { vec![] } else { vec![0] });
    }
}

#[test]
fn what_is_wrong_is_refused_in_words() {
    for (config, words) in [
        (Av1EncoderConfig { frame_rate_millis: 999, ..config() }, "frame rate"),
        (Av1EncoderConfig { frame_rate_millis: 60_001, ..config() }, "frame rate"),
        (Av1EncoderConfig { bitrate: 9_999, ..config() }, "bit rate"),
        (Av1EncoderConfig { bitrate: u32::MAX, ..config() }, "bit rate"),
        (Av1EncoderConfig { threads: 0, ..config() }, "0 threads; 1, 2 and 4"),
        (Av1EncoderConfig { threads: 3, ..config() }, "3 threads"),
        (Av1EncoderConfig { threads: 8, ..config() }, "8 threads"),
    ] {
        let error = Av1Encoder::new(config).err().unwrap().to_string();
        assert!(error.contains(words), "{error}");
    }
    let mut encoder = Av1Encoder::new(config()).unwrap();
    let other = Picture::black(PictureSize::new(16, 16).unwrap());
    let refused = encoder.encode(&other, false, &mut |_| ());
    assert!(matches!(refused, Err(Av1EncoderError::Size { .. })));
    assert_eq!(encode(&mut encoder, 0..3, &[]).1.len(), 3);
}

#[test]
fn extreme_sizes_encode() {
    for (width, height) in [(16, 16), (18, 600), (600, 18), (130, 66), (642, 362)] {
        let size = PictureSize::new(width, height).unwrap();
        for threads in [1, 4] {
            let config = Av1EncoderConfig { size, threads, bitrate: 10_000, ..config() };
            let mut encoder = Av1Encoder::new(config).unwrap();
            assert_eq!(encode(&mut encoder, 0..8, &[5]).1.len(), 8, "{width}x{height}");
        }
    }
}

/// Memory that rav1e lets go of is used again.
#[test]
fn a_long_run_holds_few_pictures() {
    let size = PictureSize::new(64, 64).unwrap();
    let mut encoder = Av1Encoder::new(Av1EncoderConfig { size, ..config() }).unwrap();
    for step in 0..300 {
        let picture = moving(size, step);
        encoder.encode(&picture, step % 100 == 0, &mut |_| ()).unwrap();
    }
    let held = encoder.context.as_ref().map_or(0, Context::frames_held);
    assert!((PICTURES_INSIDE_MAX..=frames::FRAMES_MAX).contains(&held), "{held}");
}
