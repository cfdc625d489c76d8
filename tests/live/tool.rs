//! Running foreign programs under a deadline, and waiting for conditions.

use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(20);

/// Waits until `condition` gives a value; panics with `what` when it has not after `limit`.
pub(crate) fn wait_for<T>(
    what: &str,
    limit: Duration,
    mut condition: impl FnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited {limit:?} in vain: {what}");
        thread::sleep(POLL);
    }
}

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder of its own under `tests/out` for what one test writes; emptied first.
pub(crate) fn scratch(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = root().join(format!("tests/out/run/{name}-{}-{count}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("tests/out is writable");
    folder
}

/// What a program said and how it ended.
pub(crate) struct Outcome {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

/// Runs a program to its end; kills it and panics when it takes longer than `limit`.
pub(crate) fn run(command: &mut Command, limit: Duration) -> Outcome {
    let name = command.get_program().to_string_lossy().into_owned();
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{name}: {error}; run tests/tools/setup.sh"));
    let stdout = collect(child.stdout.take().expect("piped"));
    let stderr = collect(child.stderr.take().expect("piped"));
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child of ours") {
            break Some(status);
        }
        if started.elapsed() > limit {
            let _ = child.kill();
            let _ = child.wait();
            break None;
        }
        thread::sleep(POLL);
    };
    let (stdout, stderr) = (text(stdout), text(stderr));
    let status = status.unwrap_or_else(|| {
        panic!("{name} took longer than {limit:?}\n{command:?}\n{stdout}\n{stderr}")
    });
    Outcome { status, stdout, stderr, took: started.elapsed() }
}

/// As [`run`], and the program must succeed.
pub(crate) fn run_well(command: &mut Command, limit: Duration) -> Outcome {
    let outcome = run(command, limit);
    assert!(
        outcome.status.success(),
        "{command:?}: {}\n{}\n{}",
        outcome.status,
        outcome.stdout,
        outcome.stderr
    );
    outcome
}

fn collect(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}

fn text(reader: thread::JoinHandle<Vec<u8>>) -> String {
    String::from_utf8_lossy(&reader.join().unwrap_or_default()).into_owned()
}

/// An ffmpeg that reads no terminal and speaks only of errors.
pub(crate) fn ffmpeg() -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-hide_banner", "-v", "error", "-y"]);
    command
}

/// A recent ffmpeg, which speaks Enhanced RTMP; `tests/tools/requirements.txt` says which.
pub(crate) fn recent_ffmpeg() -> Command {
    let mut command = Command::new(recent_ffmpeg_path());
    command.args(["-nostdin", "-hide_banner", "-v", "error", "-y"]);
    command
}

/// The PyPI package imageio-ffmpeg holds one program, whose name tells its version.
fn recent_ffmpeg_path() -> PathBuf {
    let folder = site_packages().join("imageio_ffmpeg/binaries");
    let mut files = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}; run tests/tools/setup.sh", folder.display()))
        .filter_map(|entry| Some(entry.ok()?.path()));
    files
        .find(|path| path.file_name().is_some_and(|name| name.as_bytes().starts_with(b"ffmpeg-")))
        .expect("imageio-ffmpeg brings its ffmpeg")
}

/// Where Python's packages lie; the folder between names the version of Python.
fn site_packages() -> PathBuf {
    let folder = root().join("tests/.tools/venv/lib");
    let mut versions = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}; run tests/tools/setup.sh", folder.display()))
        .filter_map(|entry| Some(entry.ok()?.path().join("site-packages")));
    versions.find(|path| path.is_dir()).expect("a virtual environment has packages")
}

/// Python with the test tools' packages.
pub(crate) fn python() -> Command {
    Command::new(root().join("tests/.tools/venv/bin/python"))
}

/// A program that one of the test tools' packages brings.
pub(crate) fn tool_of_python(name: &str) -> Command {
    Command::new(root().join("tests/.tools/venv/bin").join(name))
}

/// A script of `tests/tools/node`.
pub(crate) fn node(script: &str) -> Command {
    let folder = root().join("tests/tools/node");
    let mut command = Command::new("node");
    command.arg(folder.join(script)).current_dir(folder);
    command
}

/// Reads a whole file or says which one could not be read.
pub(crate) fn read(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|mut file| file.read_to_end(&mut bytes))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    bytes
}
