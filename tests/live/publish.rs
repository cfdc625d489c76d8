//! Publishers we did not write: ffmpeg and GStreamer, each sending a prepared clip.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::tool::{ffmpeg, recent_ffmpeg, root, scratch, wait_for};

/// How a clip is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// At the speed it plays.
    Live,
    /// As fast as the server takes it.
    Fast,
    /// At the speed it plays, over and over.
    Loop,
}

/// The programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// Debian's; it speaks RTMP as it was.
    Ffmpeg,
    /// A recent one, which sends by Enhanced RTMP what RTMP has no number for.
    RecentFfmpeg,
    Gstreamer,
}

impl Program {
    /// The ffmpeg that understands what this program sends.
    pub(crate) fn reader(self) -> Command {
        match self {
            Self::Ffmpeg | Self::Gstreamer => ffmpeg(),
            Self::RecentFfmpeg => recent_ffmpeg(),
        }
    }
}

/// A clip's file, made by `tests/tools/footage.sh`.
pub(crate) fn clip(name: &str) -> PathBuf {
    let folder = root().join("tests/out/footage");
    let found = std::fs::read_dir(&folder).ok().and_then(|entries| {
        entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|end| end == "flv"))
            .find(|path| {
                let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                stem.rsplit_once("-v").is_some_and(|(clip, _)| clip == name)
            })
    });
    found.unwrap_or_else(|| panic!("no clip {name}; run tests/tools/setup.sh"))
}

/// A running publisher; killed on drop.
pub(crate) struct Publisher {
    child: Child,
    stderr: PathBuf,
}

impl Publisher {
    /// Starts sending `name` to `url`.
    pub(crate) fn start(program: Program, name: &str, pace: Pace, url: &str) -> Self {
        Self::spawn(&mut match program {
            Program::Ffmpeg | Program::RecentFfmpeg => {
                with_ffmpeg(program.reader(), name, pace, url)
            }
            Program::Gstreamer => {
                assert!(pace != Pace::Loop, "gst-launch does not loop a file");
                let sync = if pace == Pace::Live { "sync=true" } else { "sync=false" };
                with_gstreamer(name, &["rtmp2sink", &format!("location={url}"), sync])
            }
        })
    }

    /// Debian's ffmpeg sending `name` over and over at the speed it plays.
    pub(crate) fn looped(name: &str, url: &str) -> Self {
        Self::start(Program::Ffmpeg, name, Pace::Loop, url)
    }

    /// Debian's ffmpeg sending a clip with these options.
    pub(crate) fn with(name: &str, options: &[&str], url: &str) -> Self {
        let mut command = ffmpeg();
        command.arg("-re").arg("-i").arg(clip(name)).args(["-c", "copy"]).args(options);
        Self::spawn(command.args(["-f", "flv", url]))
    }

    /// Debian's ffmpeg sending a file as it is, at the speed it plays. A configuration that stands
    /// in its middle is sent where it stands.
    pub(crate) fn of_file(file: &Path, url: &str) -> Self {
        let mut command = ffmpeg();
        Self::spawn(command.arg("-re").arg("-i").arg(file).args(["-c", "copy", "-f", "flv", url]))
    }

    fn spawn(command: &mut Command) -> Self {
        let stderr = scratch("publisher").join("stderr");
        let file = std::fs::File::create(&stderr).expect("tests/out is writable");
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .expect("run tests/tools/setup.sh");
        Self { child, stderr }
    }

    /// Waits for the clip to be sent whole and the program to succeed.
    pub(crate) fn finish(mut self, limit: Duration) {
        let status = self.wait(limit);
        assert!(status.success(), "the publisher failed: {status}\n{}", self.said());
    }

    /// Waits for the program to end, however.
    pub(crate) fn wait(&mut self, limit: Duration) -> ExitStatus {
        wait_for("the publisher ends", limit, || self.child.try_wait().expect("a child of ours"))
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().expect("a child of ours").is_none()
    }

    /// What it wrote on stderr so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap_or_default()
    }

    /// Gone without a goodbye; the kernel closes its socket.
    pub(crate) fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Stops the program in its tracks: the connection stays open, nothing more is sent.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Asks the program to end: it says goodbye to the server first.
    pub(crate) fn interrupt(mut self, limit: Duration) {
        self.signal(Signal::INT);
        self.wait(limit);
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a pid");
        kill_process(pid, signal).expect("the publisher runs");
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn with_ffmpeg(mut command: Command, name: &str, pace: Pace, url: &str) -> Command {
    if pace == Pace::Loop {
        command.args(["-stream_loop", "-1"]);
    }
    if pace != Pace::Fast {
        command.arg("-re");
    }
    command.arg("-i").arg(clip(name)).args(["-c", "copy", "-f", "flv", url]);
    command
}

/// A pipeline that reads a clip and muxes it again as FLV for `sink`.
fn with_gstreamer(name: &str, sink: &[&str]) -> Command {
    let mut command = Command::new("gst-launch-1.0");
    command.args(["-q", "flvmux", "name=m", "streamable=true", "!"]).args(sink);
    command.arg("filesrc").arg(format!("location={}", clip(name).display()));
    command.args(["!", "flvdemux", "name=d"]);
    if name != "audio-only" {
        command.args(["d.video", "!", "queue", "!", "h264parse", "!", "m."]);
    }
    if name != "video-only" {
        command.args(["d.audio", "!", "queue", "!", "aacparse", "!", "m."]);
    }
    command
}

/// What a program sends of a clip, as an FLV file: GStreamer muxes anew, ffmpeg sends the file's
/// own packets.
pub(crate) fn as_sent(program: Program, name: &str) -> PathBuf {
    match program {
        Program::RecentFfmpeg if name.starts_with("av1") => without_delimiters(name),
        Program::Ffmpeg | Program::RecentFfmpeg => clip(name),
        Program::Gstreamer => {
            let file = scratch("as-sent").join("sent.flv");
            let sink = format!("location={}", file.display());
            let mut command = with_gstreamer(name, &["filesink", &sink]);
            crate::tool::run_well(&mut command, Duration::from_secs(60));
            file
        }
    }
}

/// FLV begins each AV1 picture with a temporal delimiter, which MP4 leaves out (AV1 in ISOBMFF
/// §2.4).
fn without_delimiters(name: &str) -> PathBuf {
    let file = scratch("as-sent").join("sent.flv");
    let mut command = recent_ffmpeg();
    command.arg("-i").arg(clip(name));
    command.args(["-c", "copy", "-bsf:v", "filter_units=remove_types=2"]).arg(&file);
    crate::tool::run_well(&mut command, Duration::from_secs(60));
    file
}
