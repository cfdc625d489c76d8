//! P9, and the study of the encoder's settings: pictures of one rung, coded by ours and by x264,
//! and what VMAF makes of them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use riverrun_media::codec::{Complexity, CpuUsage, Picture, PictureSize, RateControl, Tuning};

use crate::Outcome;
use crate::bd_rate::{Point, bd_rate};
use crate::clips::{CLIPS, Clip, GOP, Quality, RATE};
use crate::ffmpeg::Ffmpeg;
use crate::pipeline::{Coded, Rung};
use crate::stats::median;
use crate::table::{Goal, Row};

use super::Setting;
use super::transcode::{RUNGS, fresh_folder};

/// Shares of a rung's bit rate that make its curve.
const CURVE: [f64; 4] = [0.5, 0.75, 1.0, 1.5];
/// VMAF is that of every so many pictures.
const VMAF_EVERY: u32 = 3;

/// Raw pictures of one rung of one clip, in memory and in a file.
struct Raw {
    width: u32,
    height: u32,
    file: PathBuf,
    pictures: Vec<Picture>,
}

impl Raw {
    fn new(
        ffmpeg: &Ffmpeg,
        clip: &Clip,
        (width, height): (u32, u32),
        seconds: u32,
        folder: &Path,
    ) -> Outcome<Self> {
        let source = clip.flv(ffmpeg, Quality::NearLossless, seconds)?;
        let file = folder.join(format!("{}-{height}.yuv", clip.name));
        let (source, target) = (source.to_string_lossy(), file.to_string_lossy());
        let scale = format!("scale={width}:{height}:flags=bicubic,format=yuv420p");
        ffmpeg.run(&["-i", &*source, "-an", "-vf", &scale, "-f", "rawvideo", &*target])?;
        let bytes = fs::read(&file)?;
        let size = PictureSize::new(width, height)?;
        let whole = width as usize * height as usize * 3 / 2;
        let pictures = bytes.chunks_exact(whole).map(|bytes| picture(size, bytes)).collect();
        Ok(Self { width, height, file, pictures })
    }

    /// What ffmpeg has to know to read the file, and its name.
    fn input(&self) -> Vec<String> {
        let size = format!("{}x{}", self.width, self.height);
        let words = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", &size, "-r"];
        let mut words: Vec<String> = words.map(str::to_owned).to_vec();
        words.extend([RATE.to_string(), "-i".to_owned(), self.file.display().to_string()]);
        words
    }

    fn vmaf(&self, ffmpeg: &Ffmpeg, coded: &Path) -> Outcome<f64> {
        let (coded, input) = (coded.to_string_lossy(), self.input());
        let reference: Vec<&str> = input.iter().map(String::as_str).collect();
        ffmpeg.vmaf(&["-i", &coded], &reference, VMAF_EVERY)
    }

    fn ours(&self, ffmpeg: &Ffmpeg, bitrate: u32, tuning: Tuning) -> Outcome<(Coded, f64)> {
        let rung = Rung::new(self.width, self.height, bitrate, tuning)?;
        let coded = rung.encode(self.pictures.iter())?;
        let file = self.file.with_extension("ours.h264");
        fs::write(&file, &coded.stream)?;
        let vmaf = self.vmaf(ffmpeg, &file)?;
        Ok((coded, vmaf))
    }

    /// x264 at its fastest preset that is worth its bits, as a live server would run it: its CPU
    /// seconds without reading the pictures, bits per second, VMAF.
    fn x264(&self, ffmpeg: &Ffmpeg, bitrate: u32) -> Outcome<(f64, f64, f64)> {
        let (rate, gop) = (bitrate.to_string(), GOP.to_string());
        let file = self.file.with_extension("x264.h264");
        let mut arguments = self.input();
        let encode = [
            "-c:v",
            "libx264",
            "-preset",
            "superfast",
            "-tune",
            "zerolatency",
            "-threads",
            "1",
            "-b:v",
            &rate,
            "-maxrate",
            &rate,
            "-bufsize",
            &rate,
            "-g",
            &gop,
            "-keyint_min",
            &gop,
            "-sc_threshold",
            "0",
        ];
        arguments.extend(encode.map(str::to_owned));
        arguments.push(file.display().to_string());
        let cpu = ffmpeg.run(&arguments)?.cpu - self.reading(ffmpeg)?;
        let seconds = self.pictures.len() as f64 / f64::from(RATE);
        let bits = fs::metadata(&file)?.len() as f64 * 8.0 / seconds;
        Ok((cpu, bits, self.vmaf(ffmpeg, &file)?))
    }

    /// CPU seconds of ffmpeg for reading the pictures and doing nothing with them.
    fn reading(&self, ffmpeg: &Ffmpeg) -> Outcome<f64> {
        let mut arguments = self.input();
        arguments.extend(["-f", "null", "-"].map(str::to_owned));
        Ok(ffmpeg.run(&arguments)?.cpu)
    }
}

fn picture(size: PictureSize, mut bytes: &[u8]) -> Picture {
    let mut picture = Picture::black(size);
    for plane in picture.planes_mut() {
        for y in 0..plane.height() {
            let row = plane.row_mut(y);
            let (mine, rest) = bytes.split_at(row.len());
            row.copy_from_slice(mine);
            bytes = rest;
        }
    }
    picture
}

/// P9: bits for the same VMAF, and the CPU time of both, encoders alone.
pub fn rows(setting: &Setting) -> Outcome<Vec<Row>> {
    let ffmpeg = Ffmpeg::find()?;
    let seconds = (setting.seconds as u32 * 2).clamp(4, 20);
    let folder = fresh_folder()?;
    let tuning = CpuUsage::default().tuning();
    let (mut rates, mut ours_cpu, mut peer_cpu) = (Vec::new(), Vec::new(), Vec::new());
    for clip in &CLIPS {
        let (mut ours_sum, mut peer_sum) = (0.0, 0.0);
        for (width, height, kbit) in RUNGS {
            let raw = Raw::new(&ffmpeg, clip, (width, height), seconds, &folder)?;
            let (mut ours, mut peer): (Vec<Point>, Vec<Point>) = (Vec::new(), Vec::new());
            for share in CURVE {
                let bitrate = (f64::from(kbit) * 1e3 * share) as u32;
                let (coded, vmaf) = raw.ours(&ffmpeg, bitrate, tuning)?;
                ours.push((coded.bitrate(), vmaf));
                ours_sum += coded.cpu;
                let (cpu, bits, vmaf) = raw.x264(&ffmpeg, bitrate)?;
                peer.push((bits, vmaf));
                peer_sum += cpu;
            }
            let more = bd_rate(&ours, &peer).ok_or("curves that do not meet")?;
            let told = |points: &[Point]| {
                let point = |(rate, vmaf): &Point| format!("{:.0}:{vmaf:.1}", rate / 1e3);
                points.iter().map(point).collect::<Vec<_>>().join(" ")
            };
            eprintln!(
                "  {} {height}p: {more:+.1} %; ours {}; x264 {}",
                clip.name,
                told(&ours),
                told(&peer)
            );
            rates.push((format!("{} {height}p", clip.name), more));
            fs::remove_file(&raw.file)?;
        }
        let content = f64::from(seconds) * CURVE.len() as f64;
        ours_cpu.push(ours_sum / content);
        peer_cpu.push(peer_sum / content);
    }
    fs::remove_dir_all(&folder)?;
    let mean = rates.iter().map(|(_, more)| more).sum::<f64>() / rates.len() as f64;
    let mut rows: Vec<Row> = rates
        .iter()
        .map(|(name, more)| {
            let what = format!("P9 bits for the VMAF of x264 superfast zerolatency, {name}");
            Row::alone(what, "% more", vec![*more], Goal::None, Goal::None)
        })
        .collect();
    let what = "P9 the same, mean of all";
    rows.push(Row::alone(what, "% more", vec![mean], Goal::Most(10.0), Goal::Most(-5.0)));
    rows.push(Row {
        what: "P9 CPU of the three encoders, a value for each clip".to_owned(),
        unit: "CPU-s/s",
        ours: ours_cpu,
        peer: peer_cpu,
        must: Goal::RatioMost(1.05),
        stretch: Goal::RatioMost(1.05),
    });
    Ok(rows)
}

/// The settings that are compared.
fn candidates() -> Vec<(String, Tuning)> {
    let usual = Tuning::USUAL;
    let library = |sync_percent| RateControl::Library { sync_percent };
    let mut list = vec![
        ("as level 2".to_owned(), usual),
        (
            "openh264's rate control, IDR ratio 1200".into(),
            Tuning { rate: library(1_200), ..usual },
        ),
        ("the same, IDR ratio 400".into(), Tuning { rate: library(400), ..usual }),
        ("the same, IDR ratio 800".into(), Tuning { rate: library(800), ..usual }),
        ("the same, IDR ratio 1600".into(), Tuning { rate: library(1_600), ..usual }),
        ("rate mode quality".into(), Tuning { rate: RateControl::LibraryQuality, ..usual }),
        ("rate mode timestamp".into(), Tuning { rate: RateControl::LibraryTimes, ..usual }),
    ];
    for sync_gain in [0, 2, 3, 5, 6, 8] {
        let rate = RateControl::Segment { sync_gain };
        list.push((format!("IDR {sync_gain} steps finer"), Tuning { rate, ..usual }));
    }
    for offset in [-6, -3, -2, 0, 2] {
        let deblocking = Some(offset);
        list.push((format!("deblocking offset {offset}"), Tuning { deblocking, ..usual }));
    }
    list.extend([
        ("no deblocking".into(), Tuning { deblocking: None, ..usual }),
        ("CAVLC".into(), Tuning { cabac: false, ..usual }),
        ("complexity medium".into(), Tuning { complexity: Complexity::Medium, ..usual }),
        ("complexity high".into(), Tuning { complexity: Complexity::High, ..usual }),
        ("two references".into(), Tuning { references: 2, ..usual }),
        ("background detection".into(), Tuning { background_detection: true, ..usual }),
        ("denoise".into(), Tuning { denoise: true, ..usual }),
    ]);
    list
}

/// The study: every setting on every clip, as a Markdown table. CPU time is that of the first line
/// coded next to it, so that a busy machine does both the same wrong.
pub fn study(setting: &Setting) -> Outcome<String> {
    let ffmpeg = Ffmpeg::find()?;
    let seconds = (setting.seconds as u32 * 2).clamp(4, 20);
    let folder = fresh_folder()?;
    let (width, height, kbit) = RUNGS[0];
    let bitrate = kbit * 600;
    let mut raws = Vec::new();
    for clip in &CLIPS {
        raws.push((clip, Raw::new(&ffmpeg, clip, (width, height), seconds, &folder)?));
    }
    let mut table = format!(
        "{height}p30 at {} kbit/s, {seconds} s: VMAF, bits and largest segment over the target\n\n",
        bitrate / 1_000
    );
    let names: Vec<&str> = raws.iter().map(|(clip, _)| clip.name).collect();
    writeln!(table, "| settings | {} | mean VMAF | CPU |", names.join(" | "))?;
    writeln!(table, "|---|{}---|---|", "---|".repeat(names.len()))?;
    for (name, tuning) in candidates() {
        let (mut cells, mut scores, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for (_, raw) in &raws {
            let (coded, vmaf) = raw.ours(&ffmpeg, bitrate, tuning)?;
            let again =
                |tuning| Rung::new(width, height, bitrate, tuning)?.encode(raw.pictures.iter());
            let usual = again(Tuning::USUAL)?.cpu.min(again(Tuning::USUAL)?.cpu);
            ratios.push(coded.cpu.min(again(tuning)?.cpu) / usual);
            let hold = coded.bitrate() / f64::from(bitrate);
            cells.push(format!("{vmaf:.1}, {hold:.2}, {:.2}", coded.peak(bitrate)));
            scores.push(vmaf);
        }
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        let line =
            format!("| {name} | {} | {mean:.2} | {:.2} × |", cells.join(" | "), median(&ratios));
        eprintln!("{line}");
        writeln!(table, "{line}")?;
    }
    fs::remove_dir_all(&folder)?;
    Ok(table)
}
