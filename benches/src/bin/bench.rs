//! `bench`: the table of figures. See `bench --help`.
// The table is the output; progress is beside it.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use riverrun_bench::clips::Quality;
use riverrun_bench::rows::{
    Setting, bodies, cores, ingest, memory, pictures, quality, quiet, realtime, rooms, transcode,
    viewers,
};
use riverrun_bench::table::{HEADING, Row};
use riverrun_bench::{Outcome, cpu};

/// How long the machine is watched before the first measurement.
const LOOK: Duration = Duration::from_secs(2);

/// Measures our server beside its peers and prints one table. Ends by itself, starts and stops what
/// it needs, talks to loopback only.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// What to measure; without, everything
    rows: Vec<Part>,
    /// Our release binary
    #[arg(long, default_value = "target/release/riverrun")]
    binary: PathBuf,
    /// Pairs per comparison
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// Seconds of load per measurement
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Minutes of `realtime`
    #[arg(long, default_value_t = 2.0)]
    minutes: f64,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// P1, P3: large and small bodies against nginx
    Bodies,
    /// P5, P22: viewers per core, and twice as many
    Capacity,
    /// P23: what a second core adds
    Cores,
    /// P6, P11: delay of reloads and parts
    Delay,
    /// P13: the first picture
    First,
    /// P14, P15: publishers against nginx-rtmp
    Ingest,
    /// Memory of a ladder, by part; ahead of what codes in this process, since memory that was
    /// freed hides what a codec takes
    Memory,
    /// P8 in part: scaling and stills in process
    Pictures,
    /// P16, P17: parser, segmenter and playlists in process
    Rooms,
    /// P21: start, memory, size
    Start,
    /// P7, P24: idleness
    Idle,
    /// P8: a ladder of a near-lossless source against ffmpeg
    Transcode,
    /// P9: bits for the same VMAF against x264
    Quality,
    /// P10: a ladder in real time beside viewers
    Realtime,
    /// P12: how much later than the source's the parts of a rendition are listed
    Added,
    /// P8 of a source of 6 Mb/s; only by name
    TranscodeUsual,
    /// Settings of the encoder, a table of its own; only by name
    Study,
    /// P8, P9, P10, P12 and the memory; only by name
    Pipeline,
}

/// What `pipeline` stands for.
const PIPELINE: [Part; 5] =
    [Part::Memory, Part::Transcode, Part::Quality, Part::Realtime, Part::Added];

impl Part {
    fn measure(self, setting: &Setting) -> Outcome<Vec<Row>> {
        match self {
            Self::Bodies => bodies::rows(setting),
            Self::Capacity => viewers::capacity(setting),
            Self::Cores => cores::rows(setting),
            Self::Delay => viewers::delay(setting),
            Self::First => viewers::first_picture(setting),
            Self::Ingest => ingest::rows(setting),
            Self::Pictures => pictures::rows(setting),
            Self::Rooms => rooms::rows(setting),
            Self::Start => quiet::start(setting),
            Self::Idle => quiet::idle(setting),
            Self::Transcode => transcode::rows(setting, Quality::NearLossless),
            Self::Quality => quality::rows(setting),
            Self::Realtime => realtime::rows(setting),
            Self::Added => realtime::added(setting),
            Self::Memory => memory::rows(setting),
            Self::TranscodeUsual => transcode::rows(setting, Quality::Usual),
            Self::Study => {
                println!("{}", quality::study(setting)?);
                Ok(Vec::new())
            }
            Self::Pipeline => {
                let rows = PIPELINE.iter().map(|part| part.measure(setting));
                Ok(rows.collect::<Outcome<Vec<_>>>()?.into_iter().flatten().collect())
            }
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every row could be measured; goals that are not reached are no failure.
fn run(arguments: &Arguments) -> Outcome<bool> {
    let tools = std::env::current_exe()?.parent().ok_or("no folder")?.to_owned();
    let setting = Setting {
        binary: arguments.binary.clone(),
        tools,
        repeats: arguments.repeats.max(1),
        seconds: arguments.seconds,
        minutes: arguments.minutes,
    };
    if !setting.binary.is_file() {
        return Err(format!("{} is not built", setting.binary.display()).into());
    }
    cpu::raise_open_files();
    let others = others_share();
    let by_name = [Part::TranscodeUsual, Part::Study, Part::Pipeline];
    let all = Part::value_variants().iter().copied().filter(|part| !by_name.contains(part));
    let parts = match arguments.rows[..] {
        [] => all.collect(),
        _ => arguments.rows.clone(),
    };
    let (mut rows, mut failed) = (Vec::new(), Vec::new());
    for part in parts {
        let name = part.to_possible_value().map(|value| value.get_name().to_owned());
        let name = name.unwrap_or_default();
        eprintln!("{name} …");
        match part.measure(&setting) {
            Ok(measured) => rows.extend(measured),
            Err(error) => failed.push(format!("{name}: {error}")),
        }
    }
    println!("{}; others took {others:.0} % of the machine\n\n{HEADING}", machine());
    rows.iter().for_each(|row| println!("{row}"));
    failed.iter().for_each(|failure| println!("\nnot measured: {failure}"));
    Ok(failed.is_empty())
}

/// How busy the machine is with other things, in percent: figures of time are void above a few.
fn others_share() -> f64 {
    let cores = thread::available_parallelism().map_or(1, usize::from) as f64;
    let before = cpu::machine_busy_seconds();
    thread::sleep(LOOK);
    (cpu::machine_busy_seconds() - before) / LOOK.as_secs_f64() / cores * 100.0
}

/// Date, processor, kernel, versions: a table without them says nothing.
fn machine() -> String {
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        output.map_or_else(
            |_| String::new(),
            |output| {
                let bytes = if output.stdout.is_empty() { output.stderr } else { output.stdout };
                String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().trim().to_owned()
            },
        )
    };
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models = cpus.lines().filter_map(|line| line.strip_prefix("model name"));
    let models: Vec<&str> =
        models.map(|model| model.trim_start_matches([' ', '\t', ':'])).collect();
    format!(
        "{}; {} × {}; Linux {}; {}; commit {}",
        said("date", &["-u", "+%F %H:%M UTC"]),
        models.len(),
        models.first().copied().unwrap_or("unknown processor"),
        said("uname", &["-r"]),
        said("nginx", &["-v"]),
        said("git", &["rev-parse", "--short", "HEAD"]),
    )
}
