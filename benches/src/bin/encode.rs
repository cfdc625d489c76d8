//! `encode`: one rendition's encoder alone. Raw I420 pictures in on standard input, Annex B out on
//! standard output, what it cost and how it held its bit rate as one line on standard error.

#![allow(clippy::print_stderr, reason = "the line is the output")]

use std::io::{self, BufWriter, Read, Write};
use std::num::NonZeroU32;

use clap::Parser;
use riverrun_bench::{Outcome, cpu};
use riverrun_media::codec::{CpuUsage, H264Encoder, H264EncoderConfig, Picture, PictureSize};
use riverrun_media::h264::Colour;

/// Seconds from one IDR picture to the next, and of a segment.
const SEGMENT_SECONDS: u32 = 2;
const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// Encodes pictures from standard input as a rendition would.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Pixels in a row
    #[arg(long)]
    width: u32,
    /// Rows
    #[arg(long)]
    height: u32,
    /// Pictures per second
    #[arg(long, default_value_t = 25)]
    rate: u32,
    /// Target in kbit/s
    #[arg(long)]
    kbit: u32,
    /// cpuUsageLevel of the API, 0 to 4
    #[arg(long, default_value_t = 2)]
    level: i64,
}

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    let size = PictureSize::new(arguments.width, arguments.height)?;
    let mut encoder = H264Encoder::new(H264EncoderConfig {
        size,
        frame_rate_millis: arguments.rate * 1_000,
        bitrate: arguments.kbit * 1_000,
        cpu_usage: CpuUsage::from_level(arguments.level),
        sync_interval: NonZeroU32::new(arguments.rate * SEGMENT_SECONDS),
        colour: Colour { primaries: 1, transfer: 1, matrix: 1, full_range: false },
    })?;
    let (mut input, mut output) = (io::stdin().lock(), BufWriter::new(io::stdout().lock()));
    for set in [encoder.sps(), encoder.pps()] {
        output.write_all(&START_CODE)?;
        output.write_all(set)?;
    }
    let mut picture = Picture::black(size);
    let (mut seconds, mut segments) = (0.0, vec![0_usize]);
    let per_segment = (arguments.rate * SEGMENT_SECONDS) as usize;
    let mut pictures = 0;
    while read(&mut input, &mut picture)? {
        let before = cpu::thread_seconds();
        let coded = encoder.encode(&picture, false)?;
        seconds += cpu::thread_seconds() - before;
        if pictures > 0 && pictures % per_segment == 0 {
            segments.push(0);
        }
        pictures += 1;
        for nal in &coded.nals {
            output.write_all(&START_CODE)?;
            output.write_all(nal)?;
            *segments.last_mut().ok_or("a segment is open")? += START_CODE.len() + nal.len();
        }
    }
    // The last segment may be short.
    if pictures % per_segment != 0 {
        segments.pop();
    }
    let target = f64::from(arguments.kbit * SEGMENT_SECONDS) * 1_000.0 / 8.0;
    let shares: Vec<f64> = segments.iter().map(|&bytes| bytes as f64 / target).collect();
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    let peak = shares.iter().fold(0.0_f64, |peak, &share| peak.max(share));
    let shares: Vec<String> = shares.iter().map(|share| format!("{share:.2}")).collect();
    eprintln!(
        "{pictures} pictures, {seconds:.2} CPU s, {:.0} pictures/s; of the target {mean:.3}, peak \
         {peak:.2}: {}",
        pictures as f64 / seconds,
        shares.join(" ")
    );
    Ok(())
}

/// Fills the picture; `false` at the end of the input.
fn read(input: &mut impl Read, picture: &mut Picture) -> Outcome<bool> {
    for plane in picture.planes_mut() {
        for y in 0..plane.height() {
            match input.read_exact(plane.row_mut(y)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(true)
}
