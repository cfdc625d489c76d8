//! What the encoder spends: levels of CPU usage, bit rate in every segment, changes while it runs.

use super::texture::{Texture, moving_texture};
use super::*;
use crate::h264::{AvcConfig, Colour, Sps};
use crate::time::MediaTime;

/// Pictures of a 2 s segment.
const SEGMENT: usize = 50;

fn config(bitrate: u32, cpu_usage: CpuUsage) -> H264EncoderConfig {
    H264EncoderConfig {
        size: PictureSize::new(320, 180).unwrap(),
        frame_rate_millis: 25_000,
        bitrate,
        cpu_usage,
        sync_interval: None,
        colour: Colour { primaries: 1, transfer: 1, matrix: 1, full_range: false },
    }
}

/// A moving texture under noise of this height; the same picture for the same step.
fn scene(step: usize, contrast: usize, noise: u64) -> Picture {
    let size = config(0, CpuUsage::Medium).size;
    moving_texture(size, step, Texture { base: 16, contrast, noise })
}

/// Codes pictures with IDR pictures where segments start.
fn encode(
    encoder: &mut H264Encoder,
    pictures: impl Iterator<Item = Picture>,
) -> Vec<EncodedPicture> {
    let coded = pictures
        .enumerate()
        .map(|(step, picture)| encoder.encode(&picture, step % SEGMENT == 0).unwrap());
    coded.collect()
}

/// Bits per second of each segment.
fn rates(coded: &[EncodedPicture]) -> Vec<f64> {
    let bytes = |segment: &[EncodedPicture]| -> usize {
        segment.iter().flat_map(|picture| &picture.nals).map(bytes::Bytes::len).sum()
    };
    coded.chunks(SEGMENT).map(|segment| bytes(segment) as f64 * 8.0 / 2.0).collect()
}

/// Our decoder takes every picture.
fn assert_decodes(encoder: &H264Encoder, coded: &[EncodedPicture]) {
    let sets = AvcConfig::from_parameter_sets(&[encoder.sps()], &[encoder.pps()]).unwrap();
    let mut decoder = H264Decoder::new(&sets).unwrap();
    for (step, picture) in coded.iter().enumerate() {
        let pts = MediaTime::from_millis(step as i64 * 40);
        decoder.decode(&picture.length_prefixed(), pts, &mut |_| {}).unwrap();
    }
    assert_eq!(decoder.counts().pictures, coded.len() as u64);
}

#[test]
fn bit_rate_holds_in_every_segment() {
    // Name, pictures, bit/s; every segment has enough to spend them on.
    type Scene = fn(usize) -> Picture;
    let scenes: [(&str, Scene, u32); 4] = [
        ("moving", |step| scene(step, 100, 0), 600_000),
        ("moving finely", |step| scene(step, 100, 0), 2_000_000),
        ("grain", |step| scene(step, 100, 16), 1_000_000),
        ("heavy noise", |step| scene(step, 100, 60), 1_500_000),
    ];
    for cpu_usage in CpuUsage::ALL {
        for (name, scene, bitrate) in scenes {
            let mut encoder = H264Encoder::new(config(bitrate, cpu_usage)).unwrap();
            let coded = encode(&mut encoder, (0..250).map(scene));
            let shares: Vec<f64> =
                rates(&coded).iter().map(|rate| rate / f64::from(bitrate)).collect();
            let mean = shares.iter().sum::<f64>() / shares.len() as f64;
            assert!((0.85..=1.15).contains(&mean), "{name} at {cpu_usage:?}: {shares:.2?}");
            assert!(
                shares.iter().all(|&share| share < 1.5),
                "{name} at {cpu_usage:?}: {shares:.2?}"
            );
            // The first segment starts from a guess.
            let held = shares[1..].iter().all(|share| (0.85..=1.15).contains(share));
            assert!(held, "{name} at {cpu_usage:?}: {shares:.2?}");
            assert_decodes(&encoder, &coded);
        }
    }
}

#[test]
fn a_scene_that_comes_alive_does_not_overshoot() {
    let mut encoder = H264Encoder::new(config(1_000_000, CpuUsage::Medium)).unwrap();
    let alive = (0..250).map(|step| if step < 130 { scene(0, 20, 0) } else { scene(step, 100, 8) });
    let rates = rates(&encode(&mut encoder, alive));
    assert!(rates.iter().all(|&rate| rate < 1_500_000.0), "{rates:.0?}");
}

/// openh264 gives up on a picture larger than its buffer, so the encoder goes on with a coarser
/// instance, under the same parameter sets.
#[test]
fn noise_after_a_quiet_scene_is_coded_coarsely() {
    for cpu_usage in CpuUsage::ALL {
        let mut encoder = H264Encoder::new(config(1_500_000, cpu_usage)).unwrap();
        let sets = (encoder.sps().clone(), encoder.pps().clone());
        let cuts = (0..200).map(|step| match step / 60 % 2 {
            0 => scene(0, 0, 0),
            _ => scene(step, 0, 220),
        });
        let coded = encode(&mut encoder, cuts);
        assert_eq!(coded.len(), 200);
        for step in [0, 50, 100, 150] {
            assert!(coded[step].sync, "planned at {step}");
        }
        assert!(coded[60].sync, "a fresh instance at the cut");
        assert!(coded.iter().filter(|picture| picture.sync).count() <= 6);
        assert_eq!((encoder.sps(), encoder.pps()), (&sets.0, &sets.1));
        assert_decodes(&encoder, &coded);
    }
}

#[test]
fn bit_rate_changes_without_new_parameter_sets() {
    let mut encoder = H264Encoder::new(config(1_000_000, CpuUsage::Medium)).unwrap();
    let level = Sps::parse(encoder.sps()).unwrap().level_idc;
    assert_eq!(encoder.bitrate_max(), 1_500_000);
    let mut coded = Vec::new();
    for (turn, bitrate) in [1_000_000, 600_000, 1_500_000, 700_000].into_iter().enumerate() {
        encoder.set_bitrate(bitrate).unwrap();
        assert_eq!(encoder.config().bitrate, bitrate);
        let pictures = (0..2 * SEGMENT).map(|step| scene(turn * 100 + step, 100, 0));
        let part = encode(&mut encoder, pictures);
        let share = rates(&part)[1] / f64::from(bitrate);
        assert!((0.85..=1.15).contains(&share), "{share:.2} of {bitrate}");
        coded.extend(part);
    }
    for refused in [0, 9_999, 1_500_001, u32::MAX] {
        let error = encoder.set_bitrate(refused).unwrap_err();
        assert_eq!(error, H264EncoderError::BitrateChange { seen: refused, most: 1_500_000 });
    }
    // Announced from the start: the level that holds the greatest bit rate.
    let largest = H264Encoder::new(config(1_500_000, CpuUsage::Medium)).unwrap();
    assert!(level <= Sps::parse(largest.sps()).unwrap().level_idc);
    assert_decodes(&encoder, &coded);
}

#[test]
fn levels_of_cpu_usage_are_those_of_the_api() {
    for (number, expected) in [
        (i64::MIN, CpuUsage::Lowest),
        (0, CpuUsage::Lowest),
        (1, CpuUsage::Low),
        (2, CpuUsage::Medium),
        (3, CpuUsage::High),
        (4, CpuUsage::Highest),
        (i64::MAX, CpuUsage::Highest),
    ] {
        assert_eq!(CpuUsage::from_level(number), expected);
    }
    assert_eq!(CpuUsage::default(), CpuUsage::Medium);
    assert_eq!(CpuUsage::ALL.map(CpuUsage::level), [0, 1, 2, 3, 4]);
    // entropy_coding_mode_flag, behind two ids of one bit (H.264 §7.3.2.2).
    let cabac = CpuUsage::ALL.map(|cpu_usage| {
        H264Encoder::new(config(500_000, cpu_usage)).unwrap().pps()[1] & 0b0010_0000 != 0
    });
    assert_eq!(cabac, [false, false, true, true, true]);
}
