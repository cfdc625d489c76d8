//! One running server: its own ports, its own data folder, its log kept, killed on drop.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::http::{self, Response};
use crate::tool::{scratch, wait_for};

/// The stream key of every test server; the recordings carry it too.
pub(crate) const STREAM_KEY: &str = "riverrun-test-key";
/// The admin password of every test server.
pub(crate) const ADMIN_PASSWORD: &str = "riverrun-test-password";
/// Loaded machines start processes slowly; a server that needs longer than this is broken.
const READY_LIMIT: Duration = Duration::from_secs(20);

/// A started server.
pub(crate) struct Server {
    child: Child,
    pub(crate) http: SocketAddr,
    pub(crate) rtmp: SocketAddr,
    data: PathBuf,
    keep_data: bool,
    log: Arc<Mutex<String>>,
    /// From the start of the process to the first 200 on `/readyz`.
    pub(crate) ready_after: Duration,
}

/// A port nobody listens on. Below the range the kernel hands out for outgoing connections, and
/// each process starts at its own place, because two servers with SO_REUSEPORT on one port would
/// share it without a word.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let count = NEXT.fetch_add(1, Ordering::Relaxed);
        let offset = (std::process::id().wrapping_mul(16).wrapping_add(count)) % 12_000;
        let port = 20_000 + u16::try_from(offset).expect("below 12,000");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// The binary with arguments every test wants; ports and data are still to be named.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_riverrun"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    // A panic anywhere in the server must be seen with its place.
    command.env("RUST_BACKTRACE", "1").arg("serve");
    command
}

impl Server {
    /// A server on a fresh data folder.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with more arguments.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        Self::start_in(&scratch("data"), arguments)
    }

    /// The same with another stream key.
    pub(crate) fn start_with_key(stream_key: &str) -> Self {
        let ports = [free_port(), free_port()];
        Self::start_on(&scratch("data"), ports, stream_key, &[])
    }

    /// A server that makes its own secrets, or has made them before; the first start shows them.
    pub(crate) fn start_without_secrets(data: &Path) -> Self {
        Self::start_on(data, [free_port(), free_port()], "", &[])
    }

    /// A server on a data folder that may have been used before.
    pub(crate) fn start_in(data: &Path, arguments: &[&str]) -> Self {
        Self::start_on(data, [free_port(), free_port()], STREAM_KEY, arguments)
    }

    /// The same with variables in its environment.
    pub(crate) fn start_with_environment(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let ports = [free_port(), free_port()];
        let mut command = command();
        command.envs(environment.iter().copied());
        Self::start_command(command, &scratch("data"), ports, STREAM_KEY, arguments)
    }

    /// A new process on the same ports and data as one that ended.
    pub(crate) fn start_again(&self) -> Self {
        Self::start_on(&self.data, [self.http.port(), self.rtmp.port()], STREAM_KEY, &[])
    }

    fn start_on(data: &Path, ports: [u16; 2], stream_key: &str, arguments: &[&str]) -> Self {
        Self::start_command(command(), data, ports, stream_key, arguments)
    }

    fn start_command(
        mut command: Command,
        data: &Path,
        ports: [u16; 2],
        stream_key: &str,
        arguments: &[&str],
    ) -> Self {
        let [http, rtmp] = ports.map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        command.arg("--data").arg(data);
        command.args(["--http", &http.to_string(), "--rtmp", &rtmp.to_string()]);
        if !stream_key.is_empty() {
            command.args(["--stream-key", stream_key, "--admin-password", ADMIN_PASSWORD]);
        }
        // The ladder has tests of its own; beside it most others would measure encoders.
        if !arguments.contains(&"--renditions") && !arguments.contains(&"--config") {
            command.args(["--renditions", "source"]);
        }
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let started = Instant::now();
        let mut child = command.spawn().expect("the binary starts");
        let log = Arc::new(Mutex::new(String::new()));
        keep_log(child.stdout.take().expect("piped"), &log);
        keep_log(child.stderr.take().expect("piped"), &log);
        let data = data.to_owned();
        let mut server =
            Self { child, http, rtmp, data, keep_data: false, log, ready_after: Duration::ZERO };
        loop {
            if http::fetch(http, "GET", "/readyz", &[]).is_ok_and(|answer| answer.status == 200) {
                break;
            }
            if let Some(status) = server.child.try_wait().expect("a child of ours") {
                panic!("the server ended at once: {status}");
            }
            assert!(started.elapsed() < READY_LIMIT, "not ready after {READY_LIMIT:?}");
            thread::sleep(Duration::from_millis(2));
        }
        server.ready_after = started.elapsed();
        server
    }

    /// Where a publisher sends.
    pub(crate) fn publish_url(&self) -> String {
        self.publish_url_with(STREAM_KEY)
    }

    /// The same with another key.
    pub(crate) fn publish_url_with(&self, stream_key: &str) -> String {
        format!("rtmp://{}/live/{stream_key}", self.rtmp)
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http)
    }

    /// GET of a path; the connection must work, the status may be anything.
    pub(crate) fn get(&self, path: &str) -> Response {
        http::fetch(self.http, "GET", path, &[])
            .unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// Waits for a path to answer 200 and gives the answer.
    pub(crate) fn wait_ok(&self, path: &str, limit: Duration) -> Response {
        wait_for(&format!("200 on {path}"), limit, || {
            http::fetch(self.http, "GET", path, &[]).ok().filter(|answer| answer.status == 200)
        })
    }

    /// Waits until a publisher's first part can be fetched.
    pub(crate) fn wait_live(&self) {
        self.wait_ok("/hls/stream.m3u8", Duration::from_secs(20));
    }

    /// What the server wrote so far, both pipes.
    pub(crate) fn log(&self) -> String {
        self.log.lock().map(|log| log.clone()).unwrap_or_default()
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .expect("the server runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("Linux says RSS");
        let kib: u64 =
            line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number of KiB");
        kib * 1024
    }

    /// Open file descriptors.
    pub(crate) fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("the server runs").count()
    }

    /// Whether the process still runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().expect("a child of ours").is_none()
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Sends SIGHUP.
    pub(crate) fn hang_up(&self) {
        self.signal(Signal::HUP);
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a pid");
        kill_process(pid, signal).expect("the server runs");
    }

    /// Names of its threads.
    pub(crate) fn threads(&self) -> Vec<String> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id()));
        let names = tasks.expect("the server runs").filter_map(|task| {
            // A thread may end between the two looks.
            std::fs::read_to_string(task.ok()?.path().join("comm")).ok()
        });
        names.map(|name| name.trim().to_owned()).collect()
    }

    /// Waits for the process to end by itself.
    pub(crate) fn wait_end(&mut self, limit: Duration) -> ExitStatus {
        wait_for("the server ends", limit, || self.child.try_wait().expect("a child of ours"))
    }

    /// Ends the server at once, as a power cut would, and leaves its data folder for the next.
    pub(crate) fn kill_and_keep_data(mut self) -> PathBuf {
        self.keep_data = true;
        self.data.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("---- the server's log\n{}---- end of log", self.log());
        } else if !self.keep_data {
            let _ = std::fs::remove_dir_all(&self.data);
        }
    }
}

fn keep_log(pipe: impl Read + Send + 'static, log: &Arc<Mutex<String>>) {
    let log = Arc::clone(log);
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if let Ok(mut log) = log.lock() {
                log.push_str(&line);
                log.push('\n');
            }
        }
    });
}

/// Opens `count` connections to `address` that say nothing.
pub(crate) fn idle_connections(address: SocketAddr, count: usize) -> Vec<TcpStream> {
    (0..count)
        .filter_map(|_| TcpStream::connect_timeout(&address, Duration::from_secs(5)).ok())
        .collect()
}
