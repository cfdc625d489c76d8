//! Servers that a bench starts, each in a folder of its own, and stops again: only by their ids.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::{Outcome, cpu};

/// Where the servers run.
pub const SERVER_CORE: usize = 0;
/// Where the load comes from.
pub const LOAD_CORE: usize = 1;
/// The key that our server and the publishers agree on.
pub const KEY: &str = "bench-stream-key";

const START_TIME_MAX: Duration = Duration::from_secs(10);
/// A server that needs less than a hundredth of a core over this time has settled.
const SETTLE_INTERVAL: Duration = Duration::from_millis(200);
const STOP_TIME_MAX: Duration = Duration::from_secs(12);

/// Memory-backed where the system has it, so that no disk is measured by accident.
fn folder_for_runs() -> &'static Path {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory } else { Path::new("/tmp") }
}

/// A running server and its folder; both end with it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    folder: PathBuf,
    /// Page, playlists, files.
    pub http: SocketAddr,
    /// Ingest.
    pub rtmp: SocketAddr,
    /// From fork to the first answer.
    pub started_in: Duration,
}

impl Server {
    /// Our server with one shard on the server's core.
    pub fn riverrun(binary: &Path, shards: usize) -> Outcome<Self> {
        Self::riverrun_with(binary, shards, &[])
    }

    /// Our server with one shard on this core.
    pub fn riverrun_on(binary: &Path, core: usize) -> Outcome<Self> {
        Self::riverrun_at(&core.to_string(), binary, 1, &[])
    }

    /// The same with more arguments; several shards share as many cores.
    pub fn riverrun_with(binary: &Path, shards: usize, arguments: &[&str]) -> Outcome<Self> {
        let cores = if shards == 1 { SERVER_CORE.to_string() } else { format!("0-{}", shards - 1) };
        Self::riverrun_at(&cores, binary, shards, arguments)
    }

    /// Our server with these renditions on both of the usual cores; it tells its figures in the
    /// log.
    pub fn ladder(binary: &Path, renditions: &str) -> Outcome<Self> {
        Self::serve("0-1", binary, 2, &["--log", "debug", "--renditions", renditions])
    }

    fn riverrun_at(cores: &str, binary: &Path, shards: usize, arguments: &[&str]) -> Outcome<Self> {
        let common = [&["--log", "error", "--renditions", "source"], arguments].concat();
        Self::serve(cores, binary, shards, &common)
    }

    fn serve(cores: &str, binary: &Path, shards: usize, arguments: &[&str]) -> Outcome<Self> {
        let (folder, http, rtmp) = (fresh_folder()?, free_address()?, free_address()?);
        let mut command = on_core(cores, binary);
        command.args(["serve", "--stream-key", KEY, "--admin-password"]);
        command.args(["bench-admin-password", "--shards", &shards.to_string()]);
        command.arg("--data").arg(folder.join("data"));
        command.args(["--http", &http.to_string(), "--rtmp", &rtmp.to_string()]).args(arguments);
        Self::start(command, folder, http, rtmp, "/healthz")
    }

    /// Debian's nginx, one worker, with its best documented settings for files in memory, and, with
    /// `rtmp`, the module that packages HLS.
    pub fn nginx(sendfile: bool, rtmp_module: bool) -> Outcome<Self> {
        let (folder, http, rtmp) = (fresh_folder()?, free_address()?, free_address()?);
        fs::create_dir_all(folder.join("www/hls"))?;
        fs::write(folder.join("www/up"), "up")?;
        let configuration = nginx_configuration(&folder, http, rtmp, sendfile, rtmp_module);
        let file = folder.join("nginx.conf");
        fs::write(&file, configuration)?;
        let mut command = on_core(&SERVER_CORE.to_string(), Path::new("nginx"));
        command.arg("-p").arg(&folder).arg("-c").arg(&file);
        command.arg("-e").arg(folder.join("error.log"));
        Self::start(command, folder, http, rtmp, "/up")
    }

    fn start(
        mut command: Command,
        folder: PathBuf,
        http: SocketAddr,
        rtmp: SocketAddr,
        health: &str,
    ) -> Outcome<Self> {
        let log = File::create(folder.join("log"))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let begin = Instant::now();
        let child = command.spawn()?;
        let mut server = Self { child, folder, http, rtmp, started_in: Duration::ZERO };
        while !get(http, health).is_ok_and(|(status, _)| status == 200) {
            if begin.elapsed() > START_TIME_MAX || server.child.try_wait()?.is_some() {
                let said = fs::read_to_string(server.folder.join("log")).unwrap_or_default();
                return Err(format!("a server did not start: {said}").into());
            }
            thread::yield_now();
        }
        server.started_in = begin.elapsed();
        Ok(server)
    }

    /// CPU seconds so far, all threads and children.
    pub fn cpu_seconds(&self) -> f64 {
        cpu::seconds(self.child.id())
    }

    /// Resident memory, all processes.
    pub fn resident_bytes(&self) -> u64 {
        cpu::resident_bytes(self.child.id())
    }

    /// Waits until what a server still does after its first answer is done, so that it is not taken
    /// for the price of the load.
    pub fn settle(&self) {
        let begin = Instant::now();
        let mut before = self.cpu_seconds();
        while begin.elapsed() < START_TIME_MAX {
            thread::sleep(SETTLE_INTERVAL);
            let now = self.cpu_seconds();
            if now - before < SETTLE_INTERVAL.as_secs_f64() / 100.0 {
                return;
            }
            before = now;
        }
    }

    /// Puts a file where nginx serves it.
    pub fn put(&self, name: &str, bytes: &[u8]) -> Outcome<()> {
        Ok(fs::write(self.folder.join("www").join(name), bytes)?)
    }

    /// GET over a connection of its own: status and body.
    pub fn get(&self, target: &str) -> Outcome<(u16, Vec<u8>)> {
        get(self.http, target)
    }

    /// What it has written so far.
    pub fn log(&self) -> Outcome<String> {
        Ok(fs::read_to_string(self.folder.join("log"))?)
    }

    /// `http://…` of a target.
    pub fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.http)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing can be done about a server that is gone already.
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let begin = Instant::now();
        while begin.elapsed() < STOP_TIME_MAX && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A command that is kept on these cores.
pub fn on_core(cores: &str, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", cores]).arg(program);
    command
}

fn nginx_configuration(
    folder: &Path,
    http: SocketAddr,
    rtmp: SocketAddr,
    sendfile: bool,
    rtmp_module: bool,
) -> String {
    let folder = folder.display();
    let sending =
        if sendfile { "sendfile on; tcp_nopush on;" } else { "sendfile off; output_buffers 2 1m;" };
    let load =
        if rtmp_module { "load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;" } else { "" };
    let ingest = if rtmp_module {
        format!(
            "rtmp {{ access_log off; server {{ listen {rtmp}; chunk_size 65536; \
             application live {{ live on; \
             hls on; hls_path {folder}/www/hls; hls_fragment 2s; hls_playlist_length 60s; }} }} }}"
        )
    } else {
        String::new()
    };
    format!(
        "{load}\ndaemon off; worker_processes 1; worker_rlimit_nofile 20000; pid {folder}/pid;\n\
         events {{ worker_connections 16384; }}\n{ingest}\n\
         http {{ access_log off; {sending} tcp_nodelay on; keepalive_requests 100000000;\n\
         open_file_cache max=1000 inactive=10m; open_file_cache_valid 10m; etag on;\n\
         types {{ application/vnd.apple.mpegurl m3u8; video/mp4 m4s; }}\n\
         client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;\n\
         fastcgi_temp_path {folder}/f;\n\
         uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n\
         server {{ listen {http}; root {folder}/www; }} }}\n"
    )
}

fn fresh_folder() -> Outcome<PathBuf> {
    let name = format!("riverrun-bench-{}-{}", std::process::id(), crate::stamp::now());
    let folder = folder_for_runs().join(name);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// A port that was free a moment ago; nobody else here takes ports at random.
fn free_address() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// GET over a connection of its own: status and body.
pub fn get(address: SocketAddr, target: &str) -> Outcome<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(15)))?;
    stream.write_all(
        format!("GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes(),
    )?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let status = bytes.get(9..12).and_then(|status| std::str::from_utf8(status).ok());
    let status = status.and_then(|status| status.parse().ok()).ok_or("no status")?;
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n").ok_or("no head")?;
    Ok((status, bytes.split_off(head + 4)))
}
