//! Scaling, in this process, one thread: what a ladder costs before its encoders. Part of P8.

use std::hint::black_box;

use riverrun_media::codec::{Picture, PictureSize};
use riverrun_media::scale::Scaler;
use riverrun_media::still::StillCollector;
use riverrun_media::time::{MediaTime, Timescale};

use crate::random::Random;
use crate::table::{Goal, Row};
use crate::{Outcome, cpu};

use super::Setting;

/// Pictures per figure: some tenths of a second each.
const PICTURES: u32 = 200;

/// A cascade from 1080p down, each step from the one before, and the stills of twenty seconds.
pub fn rows(setting: &Setting) -> Outcome<Vec<Row>> {
    let mut source = noise(PictureSize::new(1_920, 1_080)?);
    let stills = stills(&source, setting.repeats.max(3))?;
    let mut rows = Vec::new();
    for (width, height) in [(1_280, 720), (854, 480), (640, 360)] {
        let mut target = Picture::black(PictureSize::new(width, height)?);
        let mut scaler = Scaler::new(source.size(), target.size());
        let mut times = Vec::new();
        for _ in 0..setting.repeats.max(3) {
            let begin = cpu::thread_seconds();
            for _ in 0..PICTURES {
                scaler.scale(black_box(source.view()), black_box(&mut target));
            }
            times.push((cpu::thread_seconds() - begin) / f64::from(PICTURES) * 1e3);
        }
        let from = source.size().height();
        rows.push(Row::alone(
            format!("P8 scaling a picture, {from} to {height} rows"),
            "ms",
            times,
            Goal::None,
            Goal::None,
        ));
        source = target;
    }
    rows.push(stills);
    Ok(rows)
}

/// Thumbnail and preview of one moment, every 20 s once.
fn stills(source: &Picture, repeats: usize) -> Outcome<Row> {
    let display_size = (source.size().width(), source.size().height());
    let mut times = Vec::new();
    for _ in 0..repeats {
        let begin = cpu::thread_seconds();
        let mut collector = StillCollector::default();
        let job = (0..60).find_map(|n| {
            let pts = MediaTime::new(n * 3_000, Timescale::VIDEO);
            collector.offer(pts, source.view(), display_size, None)
        });
        let stills = job.ok_or("no still in two seconds")?.encode()?;
        black_box(stills);
        times.push((cpu::thread_seconds() - begin) * 1e3);
    }
    Ok(Row::alone(
        "thumbnail and preview of a 1080p source, once in 20 s",
        "ms",
        times,
        Goal::None,
        Goal::None,
    ))
}

/// The worst case for stills, and no case at all for scaling, whose time is the same for any.
fn noise(size: PictureSize) -> Picture {
    let mut random = Random::new(1);
    let mut picture = Picture::black(size);
    for plane in picture.planes_mut() {
        for y in 0..plane.height() {
            for sample in plane.row_mut(y) {
                *sample = 16 + (random.next() % 220) as u8;
            }
        }
    }
    picture
}
