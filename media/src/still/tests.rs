use super::*;
use crate::codec::PictureSize;
use crate::codec::judge::ffmpeg;
use crate::time::{MediaTime, Timescale};

/// A box that moves over a slope, in video range.
fn scene(width: u32, height: u32, step: usize) -> Picture {
    let mut picture = Picture::black(PictureSize::new(width, height).unwrap());
    let [luma, cb, cr] = picture.planes_mut();
    for y in 0..luma.height() {
        let wide = luma.width();
        for (x, sample) in luma.row_mut(y).iter_mut().enumerate() {
            let in_box = (x * 8 / wide) == step % 8 && y < 64;
            *sample = if in_box { 235 } else { 16 + (x * 120 / wide) as u8 };
        }
    }
    for y in 0..cb.height() {
        let high = cb.height();
        cb.row_mut(y).fill(100 + (y * 56 / high) as u8);
        cr.row_mut(y).fill(150);
    }
    picture
}

fn at(ticks: i64) -> MediaTime {
    MediaTime::new(ticks, Timescale::VIDEO)
}

/// Offers `seconds` of pictures at `rate`; when each job was done, and the job.
fn collect(size: (u32, u32), rate: i64, seconds: i64) -> Vec<(i64, StillJob)> {
    let mut collector = StillCollector::default();
    let scenes: Vec<Picture> = (0..8).map(|step| scene(size.0, size.1, step)).collect();
    let mut jobs = Vec::new();
    for n in 0..rate * seconds {
        let pts = n * 90_000 / rate;
        let picture = scenes[(pts * 8 / 90_000) as usize % 8].view();
        jobs.extend(collector.offer(at(pts), picture, size, None).map(|job| (pts, job)));
    }
    jobs
}

/// The pictures of a file in RGB, as ffmpeg reads them. It warns of every JPEG for its full range.
fn decoded(file: &[u8], size: (u32, u32)) -> Vec<Vec<u8>> {
    let raw = ffmpeg(
        &[
            "-v",
            "error",
            "-i",
            "-",
            "-fps_mode",
            "passthrough",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgb24",
            "-",
        ],
        file,
    );
    let picture = (size.0 * size.1 * 3) as usize;
    assert_eq!(raw.len() % picture, 0, "other than {size:?}");
    raw.chunks(picture).map(<[u8]>::to_vec).collect()
}

fn mean_difference(picture: &Picture, rgb: &[u8]) -> f64 {
    let conversion = Conversion::to_rgb(None, picture.size());
    let pixels = (0..picture.luma().height()).flat_map(|y| conversion.row(picture.view(), y));
    let off: u64 = pixels.flatten().zip(rgb).map(|(a, &b)| u64::from(a.abs_diff(b))).sum();
    off as f64 / rgb.len() as f64
}

#[test]
fn another_decoder_sees_the_pictures() {
    for (source, thumbnail, preview) in [
        ((1920, 1080), (1280, 720), (480, 270)),
        ((640, 360), (640, 360), (480, 270)),
        ((1080, 1920), (720, 1280), (270, 480)),
        ((320, 240), (320, 240), (320, 240)),
    ] {
        let (_, job) = collect(source, 25, 2).remove(0);
        let expected: Vec<Picture> =
            job.preview.iter().map(|preview| preview.picture.clone()).collect();
        let still = job.thumbnail.clone();
        let stills = job.encode().unwrap();
        let pictures = decoded(&stills.thumbnail, thumbnail);
        assert_eq!(pictures.len(), 1, "{source:?}");
        let off = mean_difference(&still, &pictures[0]);
        assert!(off < 3.0, "{source:?}: the thumbnail is {off} off");
        let pictures = decoded(&stills.preview, preview);
        assert_eq!(pictures.len(), 8, "{source:?}");
        for (expected, found) in expected.iter().zip(&pictures) {
            let off = mean_difference(expected, found);
            assert!(off < 6.0, "{source:?}: a picture of the preview is {off} off");
        }
        assert!(stills.thumbnail.len() < 200_000 && stills.preview.len() < 600_000);
    }
}

/// The delays of a GIF in hundredths of a second, from its graphic control extensions
/// (GIF89a §23).
fn delays(file: &[u8]) -> Vec<u32> {
    let extensions = file.windows(8).filter(|bytes| bytes.starts_with(&[0x21, 0xF9, 4]));
    let ended = extensions.filter(|bytes| bytes[7] == 0);
    ended.map(|bytes| u32::from(u16::from_le_bytes([bytes[4], bytes[5]]))).collect()
}

#[test]
fn the_preview_lasts_a_second() {
    for (rate, count) in [(60, 8), (25, 8), (8, 8), (5, 5), (1, 1)] {
        let (_, job) = collect((320, 240), rate, 3).remove(0);
        let preview = job.encode().unwrap().preview;
        let delays = delays(&preview);
        assert_eq!((delays.len(), delays.iter().sum::<u32>()), (count, 100), "{rate}: {delays:?}");
    }
}

#[test]
fn stills_are_made_every_twenty_seconds() {
    let done: Vec<i64> = collect((64, 32), 25, 61).iter().map(|(pts, _)| pts / 90_000).collect();
    assert_eq!(done, [0, 20, 40, 60]);
}

#[test]
fn another_timeline_begins_at_once_and_a_strip_gets_no_still() {
    let picture = scene(64, 32, 0);
    let mut collector = StillCollector::default();
    let mut offer = |pts, size| collector.offer(at(pts), picture.view(), size, None);
    assert!(offer(900_000, (64, 32)).is_none());
    assert!(offer(990_000, (64, 32)).is_some());
    assert!(offer(1_080_000, (64, 32)).is_none());
    assert!(offer(0, (64, 32)).is_none());
    assert!(offer(90_000, (64, 32)).is_some());
    for pts in (0..100).map(|n| 9_000_000 + n * 90_000) {
        assert!(offer(pts, (10_000, 16)).is_none());
    }
}
