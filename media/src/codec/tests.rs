use std::num::NonZeroU32;

use super::judge::{adts, annex_b, ffmpeg};
use super::*;
use crate::h264::{AvcConfig, Colour, Sps};

const SIZE: (u32, u32) = (320, 180);

fn config() -> H264EncoderConfig {
    H264EncoderConfig {
        size: PictureSize::new(SIZE.0, SIZE.1).unwrap(),
        frame_rate_millis: 25_000,
        bitrate: 300_000,
        cpu_usage: CpuUsage::default(),
        sync_interval: None,
        colour: Colour { primaries: 1, transfer: 1, matrix: 1, full_range: false },
    }
}

/// A textured picture that moves by two pixels a step, so that there is something to code.
fn moving(size: PictureSize, step: usize) -> Picture {
    let mut picture = Picture::black(size);
    for plane in picture.planes_mut() {
        for y in 0..plane.height() {
            for (x, sample) in plane.row_mut(y).iter_mut().enumerate() {
                let (x, y) = (x + 2 * step, y + step);
                *sample = (60 + ((x * 7) ^ (y * 5)) % 90 + x / 2 % 60) as u8;
            }
        }
    }
    picture
}

fn encode(encoder: &mut H264Encoder, forced: &[usize], count: usize) -> Vec<EncodedPicture> {
    let size = encoder.config().size;
    (0..count)
        .map(|step| encoder.encode(&moving(size, step), forced.contains(&step)).unwrap())
        .collect()
}

fn syncs(pictures: &[EncodedPicture]) -> Vec<usize> {
    (0..pictures.len()).filter(|&index| pictures[index].sync).collect()
}

#[test]
fn idr_pictures_come_first_where_forced_and_at_the_interval() {
    for (interval, forced, expected) in [
        (None, &[][..], &[0][..]),
        (None, &[7, 8, 30], &[0, 7, 8, 30]),
        (NonZeroU32::new(25), &[], &[0, 25, 50]),
        (NonZeroU32::new(25), &[10], &[0, 10, 35]),
        (NonZeroU32::new(1), &[], &(0..60).collect::<Vec<_>>()),
    ] {
        let mut encoder =
            H264Encoder::new(H264EncoderConfig { sync_interval: interval, ..config() }).unwrap();
        let pictures = encode(&mut encoder, forced, 60);
        assert_eq!(syncs(&pictures), expected, "{interval:?} {forced:?}");
        for picture in &pictures {
            // One slice a picture, IDR (5) or not (1), and never a parameter set (EN-1).
            let kinds: Vec<u8> = picture.nals.iter().map(|nal| nal[0] & 0x1F).collect();
            assert_eq!(kinds, [if picture.sync { 5 } else { 1 }]);
        }
    }
}

#[test]
fn parameter_sets_say_high_profile_with_cabac() {
    let encoder = H264Encoder::new(config()).unwrap();
    let sps = Sps::parse(encoder.sps()).unwrap();
    assert_eq!(sps.profile_idc, 100);
    assert_eq!((sps.width, sps.height), SIZE);
    assert!(sps.frame_mbs_only);
    assert_eq!(sps.vui.signal.colour_description, Some((1, 1, 1)));
    assert_eq!(sps.vui.signal.full_range, Some(false));
    assert_eq!(sps.vui.max_num_reorder_frames, Some(0));
    // pic_parameter_set_id and seq_parameter_set_id are 0, a single bit each; the next bit is
    // entropy_coding_mode_flag (H.264 §7.3.2.2).
    assert_eq!(encoder.pps()[1] & 0b1110_0000, 0b1110_0000);
    let avc = AvcConfig::from_parameter_sets(&[encoder.sps()], &[encoder.pps()]).unwrap();
    // constraint_set4 and 5: progressive, no B pictures (H.264 §A.2.4.2, Constrained High).
    assert_eq!(avc.codec_string(), "avc1.640C0C");
}

#[test]
fn another_decoder_sees_every_picture_alike() {
    let mut encoder =
        H264Encoder::new(H264EncoderConfig { bitrate: 2_000_000, ..config() }).unwrap();
    let pictures = encode(&mut encoder, &[12], 30);
    let sets = [&encoder.sps()[..], &encoder.pps()[..]];
    let slices = pictures.iter().flat_map(|picture| picture.nals.iter().map(|nal| &nal[..]));
    let stream = annex_b(sets.into_iter().chain(slices));
    let decoded =
        ffmpeg(&["-f", "h264", "-i", "-", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"], &stream);
    let picture_bytes = (SIZE.0 * SIZE.1 * 3 / 2) as usize;
    assert_eq!(decoded.len(), 30 * picture_bytes);
    for (step, raw) in decoded.chunks_exact(picture_bytes).enumerate() {
        let source = moving(encoder.config().size, step);
        let luma = (0..SIZE.1 as usize).flat_map(|y| source.luma().row(y));
        let error: u64 = luma.zip(raw).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        let mean = error as f64 / f64::from(SIZE.0 * SIZE.1);
        assert!(mean < 8.0, "picture {step} differs by {mean:.1} on average");
    }
}

#[test]
fn bad_video_configurations_are_refused_in_words() {
    for (config, words) in [
        (H264EncoderConfig { frame_rate_millis: 0, ..config() }, "frame rate"),
        (H264EncoderConfig { frame_rate_millis: 60_001, ..config() }, "frame rate"),
        (H264EncoderConfig { bitrate: 0, ..config() }, "bit rate"),
        (H264EncoderConfig { bitrate: u32::MAX, ..config() }, "bit rate"),
    ] {
        let error = H264Encoder::new(config).err().unwrap();
        assert!(error.to_string().contains(words), "{error}");
    }
    let mut encoder = H264Encoder::new(config()).unwrap();
    let other = Picture::black(PictureSize::new(16, 16).unwrap());
    assert!(matches!(encoder.encode(&other, false), Err(H264EncoderError::Size { .. })));
    assert!(encoder.encode(&moving(encoder.config().size, 0), false).unwrap().sync);
}

#[test]
fn extreme_sizes_encode() {
    for (width, height) in [(16, 16), (18, 4096), (4096, 18), (1922, 1082)] {
        let size = PictureSize::new(width, height).unwrap();
        let mut encoder =
            H264Encoder::new(H264EncoderConfig { size, bitrate: 10_000, ..config() }).unwrap();
        let sps = Sps::parse(encoder.sps()).unwrap();
        assert_eq!((sps.width, sps.height), (width, height));
        assert_eq!(encode(&mut encoder, &[], 2).len(), 2);
    }
}

#[test]
fn length_prefixes_cover_the_sample() {
    let nals = vec![bytes::Bytes::from_static(&[0x65, 1]), bytes::Bytes::from_static(&[0x65])];
    let sample = EncodedPicture { nals, sync: true }.length_prefixed();
    assert_eq!(sample[..], [0, 0, 0, 2, 0x65, 1, 0, 0, 0, 1, 0x65]);
}

fn stereo() -> AacEncoderConfig {
    AacEncoderConfig { sample_rate: 48_000, channels: 2, bitrate: 128_000 }
}

/// One loud sample pair, silence otherwise.
fn click_at(sample: usize, len: usize) -> Vec<i16> {
    let mut pcm = vec![0; len * 2];
    pcm[sample * 2..sample * 2 + 2].fill(24_000);
    pcm
}

#[test]
fn the_delay_is_what_the_library_says() {
    const CLICK: usize = 10_000;
    let mut encoder = AacEncoder::new(stereo()).unwrap();
    assert_eq!(encoder.config(), [0x11, 0x90]);
    let pcm = click_at(CLICK, 40 * 1_024);
    let mut units = Vec::new();
    for block in pcm.chunks_exact(2_048) {
        units.extend(encoder.encode(block).unwrap());
    }
    assert_eq!(units.len(), 40, "one unit for each block, without start-up gap");
    while let Some(unit) = encoder.finish().unwrap() {
        units.push(unit);
    }
    assert!(units.len() * 1_024 >= 40 * 1_024 + encoder.delay() as usize, "the tail comes out");
    let stream = adts(units.iter().map(|unit| &unit[..]), 3, 2);
    let decoded = ffmpeg(&["-f", "aac", "-i", "-", "-f", "s16le", "-"], &stream);
    let left = decoded.chunks_exact(4).map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
    let loudest = left.enumerate().max_by_key(|(_, sample)| sample.unsigned_abs()).unwrap().0;
    let expected = CLICK + encoder.delay() as usize;
    assert!(loudest.abs_diff(expected) <= 2, "click at {loudest}, expected at {expected}");
}

#[test]
fn bad_audio_configurations_are_refused_in_words() {
    for (config, words) in [
        (AacEncoderConfig { sample_rate: 44_000, ..stereo() }, "sample rate of 44000"),
        (AacEncoderConfig { sample_rate: 0, ..stereo() }, "sample rate of 0"),
        (AacEncoderConfig { channels: 0, ..stereo() }, "0 channels"),
        (AacEncoderConfig { channels: 6, ..stereo() }, "6 channels"),
        (AacEncoderConfig { bitrate: 1_000, ..stereo() }, "outside 16000 to 576000"),
        (AacEncoderConfig { bitrate: 600_000, ..stereo() }, "outside 16000 to 576000"),
    ] {
        let error = AacEncoder::new(config).err().unwrap();
        assert!(error.to_string().contains(words), "{error}");
    }
    let mut encoder = AacEncoder::new(stereo()).unwrap();
    let wrong = AacEncoderError::BlockLength { seen: 1_024, expected: 2_048 };
    assert_eq!(encoder.encode(&[0; 1_024]), Err(wrong));
}

#[test]
fn every_allowed_rate_and_layout_encodes() {
    for sample_rate in [
        96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025,
        8_000,
    ] {
        for channels in [1, 2] {
            for bitrate in [8_000 * u32::from(channels), 6 * sample_rate * u32::from(channels)] {
                let config = AacEncoderConfig { sample_rate, channels, bitrate };
                let mut encoder =
                    AacEncoder::new(config).unwrap_or_else(|e| panic!("{config:?}: {e}"));
                let block = vec![1_000; 1_024 * usize::from(channels)];
                assert!(encoder.encode(&block).unwrap().is_some(), "{config:?}");
            }
        }
    }
}

/// T16: encoders stop after 0, 1 and 2 inputs.
#[test]
fn encoders_stop_at_any_time() {
    for count in 0..=2 {
        let mut video = H264Encoder::new(config()).unwrap();
        assert_eq!(encode(&mut video, &[], count).len(), count);
        let mut audio = AacEncoder::new(stereo()).unwrap();
        for _ in 0..count {
            audio.encode(&[0; 2_048]).unwrap();
        }
        let mut tail = 0;
        while audio.finish().unwrap().is_some() {
            tail += 1;
        }
        assert!(tail <= 4, "{tail} units after {count} blocks");
        assert_eq!(audio.finish(), Ok(None));
        assert_eq!(audio.encode(&[0; 2_048]), Err(AacEncoderError::Finished));
    }
}

#[test]
fn a_hundred_encoders_leave_nothing_behind() {
    let resident_pages = || {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap()
    };
    let round = || {
        let mut video = H264Encoder::new(config()).unwrap();
        encode(&mut video, &[], 2);
        let mut audio = AacEncoder::new(stereo()).unwrap();
        audio.encode(&[0; 2_048]).unwrap();
    };
    (0..20).for_each(|_| round());
    let before = resident_pages();
    (0..100).for_each(|_| round());
    let grown = resident_pages().saturating_sub(before);
    // A pair of encoders takes some 10 MB, and other tests share the process.
    assert!(grown < 50_000, "grew by {grown} pages");
}

#[test]
fn encoders_can_be_moved_to_a_codec_thread() {
    const fn movable<T: Send>() {}
    movable::<H264Encoder>();
    movable::<AacEncoder>();
}
