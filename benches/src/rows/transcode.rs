//! P8: what a ladder costs, against one ffmpeg process that makes the same one.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use riverrun_media::codec::CpuUsage;

use crate::Outcome;
use crate::clips::{CLIPS, Clip, GOP, Quality, RATE};
use crate::ffmpeg::Ffmpeg;
use crate::footage::{Footage, Kind};
use crate::pipeline::{Rung, transcode};
use crate::playlist;
use crate::process::Server;
use crate::publisher::{Pace, play};
use crate::table::{Goal, Row};

use super::{Setting, target};

/// Width, height, kbit/s of each rung.
pub const RUNGS: [(u32, u32, u32); 3] = [(1_280, 720, 2_500), (854, 480, 1_200), (640, 360, 700)];
/// Times real time that are tried in turn.
const SPEEDS: [f64; 3] = [1.0, 0.5, 0.2];
/// How the error of a run begins that lost pictures.
const VOID: &str = "void";
/// How long the last pictures may take to be listed.
const END_TIME_MAX: Duration = Duration::from_secs(20);
/// VMAF is that of every so many pictures.
const VMAF_EVERY: u32 = 3;

/// CPU against both kinds of peer, and what is left of the pictures.
pub fn rows(setting: &Setting, quality: Quality) -> Outcome<Vec<Row>> {
    let ffmpeg = Ffmpeg::find()?;
    let seconds = (setting.seconds as u32 * 2).clamp(4, 20);
    let folder = fresh_folder()?;
    let mut rows = Vec::new();
    for clip in &CLIPS {
        let source = clip.flv(&ffmpeg, quality, seconds)?;
        match compare(setting, &ffmpeg, clip, quality, &source, &folder) {
            Ok(measured) => rows.extend(measured),
            // The other clips are worth their rows.
            Err(error) => eprintln!("  {} not measured: {error}", clip.name),
        }
    }
    fs::remove_dir_all(&folder)?;
    if rows.is_empty() { Err("no clip could be measured".into()) } else { Ok(rows) }
}

/// One clip.
fn compare(
    setting: &Setting,
    ffmpeg: &Ffmpeg,
    clip: &Clip,
    quality: Quality,
    source: &Path,
    folder: &Path,
) -> Outcome<Vec<Row>> {
    let footage = Footage::read_flv(source)?.without_stamps();
    let content = footage.millis as f64 / 1e3;
    let (mut costs, mut speeds) = (Costs::default(), &SPEEDS[..]);
    for rung in 0..RUNGS.len() {
        // Of the clip before, if there was one: should all runs be void, it must not be judged.
        let _ = fs::remove_file(folder.join(format!("ours{rung}.mp4")));
    }
    for _ in 0..setting.repeats.min(3) {
        match served(setting, ffmpeg, &footage, folder, &mut speeds) {
            Ok(spent) => costs.server.push(spent / content),
            Err(error) => eprintln!("  {} through the server: {error}", clip.name),
        }
        costs.inside.push(inside(&footage, content, folder)?);
        costs.same.push(peer(ffmpeg, source, true, &folder.join("same"))? / content);
        costs.native.push(peer(ffmpeg, source, false, &folder.join("native"))? / content);
    }
    let kind = if quality == Quality::NearLossless { "near-lossless" } else { "of 6 Mb/s" };
    let what = format!("{} 1080p30 {kind} → 720+480+360", clip.name);
    let mut rows = costs.rows(&what);
    let reference = ["-i", &source.to_string_lossy()];
    for (rung, (_, height, kbit)) in RUNGS.iter().enumerate() {
        let score =
            |file: &Path| ffmpeg.vmaf(&["-i", &file.to_string_lossy()], &reference, VMAF_EVERY);
        let (ours, peer) = (ours_file(folder, rung), folder.join(format!("native{rung}.mp4")));
        let more = fs::metadata(&ours)?.len() as f64 / fs::metadata(&peer)?.len() as f64;
        let (ours, peer) = (score(&ours)?, score(&peer)?);
        rows.push(Row::alone(
            format!(
                "P8 VMAF of {what}, {height}p at {kbit} kbit/s: {ours:.1}, the peer's {peer:.1}; \
                 difference (bytes {more:.2} ×)"
            ),
            "",
            vec![ours - peer],
            Goal::Least(-0.5),
            Goal::None,
        ));
    }
    Ok(rows)
}

/// CPU seconds of a second of content, one value for each repeat.
#[derive(Default)]
struct Costs {
    /// Our server; fewer values where runs were void.
    server: Vec<f64>,
    /// Our codecs and scaler alone.
    inside: Vec<f64>,
    /// ffmpeg with libopenh264 both ways.
    same: Vec<f64>,
    /// ffmpeg with its own decoder.
    native: Vec<f64>,
}

impl Costs {
    fn rows(&self, what: &str) -> Vec<Row> {
        let row = |who: &str, ours: &[f64], peer: &[f64], must: f64, stretch: f64| Row {
            what: format!("P8 {what}, {who}"),
            unit: "CPU-s/s",
            ours: ours.to_vec(),
            peer: peer.to_vec(),
            must: Goal::RatioMost(must),
            stretch: Goal::RatioMost(stretch),
        };
        let mut rows = Vec::new();
        if !self.server.is_empty() {
            rows.push(row("(a) ffmpeg by libopenh264", &self.server, &self.same, 0.95, 0.8));
            rows.push(row("(b) ffmpeg's own decoder", &self.server, &self.native, 1.2, 1.0));
        }
        let alone = "our codecs and scaler without a server against";
        for (peer, name) in [(&self.same, "(a)"), (&self.native, "(b)")] {
            let mut note = row(&format!("{alone} {name}"), &self.inside, peer, 1.0, 1.0);
            (note.must, note.stretch) = (Goal::None, Goal::None);
            rows.push(note);
        }
        rows
    }
}

/// What we made of a rung: the server's, or, where its runs were void, that of our codecs alone.
fn ours_file(folder: &Path, rung: usize) -> PathBuf {
    let served = folder.join(format!("ours{rung}.mp4"));
    if served.exists() { served } else { folder.join(format!("inside{rung}.h264")) }
}

/// Our decoder, scaler and encoders in one thread of this process; CPU seconds of a second. Tells
/// where they go, and leaves the rungs in the folder.
fn inside(footage: &Footage, content: f64, folder: &Path) -> Outcome<f64> {
    let rungs = RUNGS.map(|(width, height, kbit)| {
        Rung::new(width, height, kbit * 1_000, CpuUsage::default().tuning())
    });
    let rungs: Vec<Rung> = rungs.into_iter().collect::<Outcome<_>>()?;
    let (stages, coded) = transcode(footage, &rungs)?;
    for (rung, coded) in coded.iter().enumerate() {
        fs::write(folder.join(format!("inside{rung}.h264")), &coded.stream)?;
    }
    let encode: Vec<String> =
        stages.encode.iter().map(|cpu| format!("{:.3}", cpu / content)).collect();
    let sum = stages.decode + stages.scale + stages.encode.iter().sum::<f64>();
    eprintln!(
        "  in this process, CPU-s/s: decode {:.3}, scale {:.3}, encode {}, all {:.3}",
        stages.decode / content,
        stages.scale / content,
        encode.join(" + "),
        sum / content
    );
    Ok(sum / content)
}

/// CPU seconds of our server, the pictures in real time, or slower where the machine has no time
/// for that and a run is void. A speed that was too much is not tried again.
fn served(
    setting: &Setting,
    ffmpeg: &Ffmpeg,
    footage: &Footage,
    folder: &Path,
    speeds: &mut &[f64],
) -> Outcome<f64> {
    while let [speed, slower @ ..] = *speeds {
        match serve(setting, ffmpeg, footage, folder, *speed) {
            Err(error) if error.to_string().starts_with(VOID) => {
                eprintln!("  at {speed} × real time {error}");
                *speeds = slower;
            }
            served => return served,
        }
    }
    Err("every run was void: the machine is too busy".into())
}

/// One run. The rungs lie in the folder.
fn serve(
    setting: &Setting,
    ffmpeg: &Ffmpeg,
    footage: &Footage,
    folder: &Path,
    speed: f64,
) -> Outcome<f64> {
    let rungs: Vec<String> = RUNGS.iter().map(|(w, h, kbit)| format!("{w}x{h}@{kbit}")).collect();
    let server = Server::ladder(&setting.binary, &format!("source,{}", rungs.join(",")))?;
    server.settle();
    let before = server.cpu_seconds();
    let seconds = footage.millis as f64 / 1e3;
    play(&target(&server), footage, &Pace { seconds, speed, ..Pace::default() })?;
    let until = Instant::now() + END_TIME_MAX;
    let variants = 1..=RUNGS.len();
    let lists = loop {
        let lists = variants.clone().map(|variant| {
            let (_, body) = server.get(&format!("/hls/{variant}/stream.m3u8"))?;
            Ok(String::from_utf8_lossy(&body).into_owned())
        });
        let lists: Vec<String> = lists.collect::<Outcome<_>>()?;
        if lists.iter().all(|list| list.contains("#EXT-X-ENDLIST")) {
            break lists;
        }
        if Instant::now() > until {
            return Err("the broadcast did not end".into());
        }
        thread::sleep(Duration::from_millis(20));
    };
    let spent = server.cpu_seconds() - before;
    let sent = footage.tags.iter().filter(|tag| !tag.header && tag.kind == Kind::Video);
    let sent = sent.count() as u64;
    for (rung, list) in lists.iter().enumerate() {
        let file = folder.join(format!("ours{rung}.mp4"));
        if list.contains("#EXT-X-GAP") {
            return Err(format!("{VOID}: rung {rung} has a gap").into());
        }
        let map = list.split_once("#EXT-X-MAP:URI=\"").and_then(|(_, rest)| rest.split('"').next());
        let mut bytes = Vec::new();
        let names = [map.ok_or("no init section")?.to_owned()];
        for name in names.into_iter().chain(playlist::segments(list)) {
            let (status, body) = server.get(&format!("/hls/{}/{name}", rung + 1))?;
            if status != 200 {
                return Err(format!("{name}: {status}").into());
            }
            bytes.extend(body);
        }
        fs::write(&file, bytes)?;
        let came = ffmpeg.pictures(&file)?;
        if came != sent {
            return Err(format!("{VOID}: rung {rung} has {came} of {sent} pictures").into());
        }
    }
    Ok(spent)
}

/// One ffmpeg process; its CPU seconds. The cheapest way there is to make the same: a cascade of
/// bilinear filters, High profile with CABAC, one thread for each encoder.
fn peer(ffmpeg: &Ffmpeg, source: &Path, openh264: bool, prefix: &Path) -> Outcome<f64> {
    let mut arguments: Vec<String> = Vec::new();
    if openh264 {
        arguments.extend(["-c:v".to_owned(), "libopenh264".to_owned()]);
    }
    let mut graph = String::new();
    for (rung, (width, height, _)) in RUNGS.iter().enumerate() {
        let from = if rung == 0 { "0:v".to_owned() } else { format!("n{rung}") };
        let rest = if rung + 1 == RUNGS.len() {
            format!("[o{rung}];")
        } else {
            format!(",split[o{rung}][n{}];", rung + 1)
        };
        graph += &format!("[{from}]scale={width}:{height}:flags=bilinear{rest}");
    }
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    arguments.extend(words("-threads 1 -i"));
    arguments.push(source.to_string_lossy().into_owned());
    arguments.extend(words("-filter_complex"));
    arguments.push(graph.trim_end_matches(';').to_owned());
    for (rung, (.., kbit)) in RUNGS.iter().enumerate() {
        arguments.extend(words(&format!(
            "-map [o{rung}] -c:v libopenh264 -profile:v high -coder cabac -rc_mode bitrate \
             -allow_skip_frames 0 -threads 1 -b:v {kbit}k -maxrate {kbit}k -g {GOP} -r {RATE}"
        )));
        arguments.push(format!("{}{rung}.mp4", prefix.display()));
    }
    Ok(ffmpeg.run(&arguments)?.cpu)
}

/// In memory, where the system has that.
pub(super) fn fresh_folder() -> Outcome<PathBuf> {
    let base = Path::new("/dev/shm");
    let base = if base.is_dir() { base } else { Path::new("/tmp") };
    let folder = base.join(format!("riverrun-bench-pictures-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
