//! Command line, environment and file become one validated [`Config`].
//!
//! An option is looked for on the command line, then in the environment (`RIVERRUN_…`), then in the
//! TOML file; what nobody set has the default stated here. A name nobody knows is an error that
//! says the name: a typing mistake in an unattended installation must not start a server with other
//! settings than its operator believes.

mod environment;
mod error;
pub mod limits;
mod proxies;
mod secret;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use riverrun_media::ladder::{LadderSetting, PauseIdle};
use riverrun_media::sound::SoundConfig;
use serde::{Deserialize, Deserializer};

pub use self::error::ConfigError;
pub use self::proxies::TrustedProxies;
pub use self::secret::Secret;
use crate::pipeline::IdleSetting;
use crate::sound::{AudioPassthrough, SoundSetting};

/// The data folder unless told otherwise.
const DATA_FOLDER: &str = "./data";
/// `[::]:8080`: the page on every address of the machine.
const ANY_ADDRESS_8080: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 8080);
/// `[::]:1935`: the port registered for RTMP.
const ANY_ADDRESS_1935: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 1935);

/// `riverrun`, as typed.
#[derive(Debug, Parser)]
#[command(
    name = "riverrun",
    version,
    about = "Self-hosted live streaming: RTMP in, low-latency HLS out"
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server.
    Serve(Box<ServeArguments>),
    /// Make a new admin password and print it once. The server must be stopped.
    ResetAdminPassword(ResetArguments),
    /// Tell whether the server can run here, and which renditions this machine can encode.
    Doctor(DoctorArguments),
}

/// Options of `riverrun doctor`.
#[derive(Clone, Debug, Args)]
pub struct DoctorArguments {
    /// CPU level to measure, 0 (the cheapest) to 4 (the best).
    #[arg(long, value_name = "LEVEL", default_value_t = 2)]
    #[arg(value_parser = clap::value_parser!(u8).range(0..=4))]
    pub cpu_level: u8,
    /// Data folder to look at; it need not exist yet [default: ./data].
    #[arg(long, value_name = "DIR", env = "RIVERRUN_DATA", default_value = DATA_FOLDER)]
    #[arg(hide_default_value = true)]
    pub data: PathBuf,
}

/// Options of `riverrun reset-admin-password`.
#[derive(Debug, Args)]
pub struct ResetArguments {
    /// The server's TOML file, for its data folder.
    #[arg(long, value_name = "FILE", env = "RIVERRUN_CONFIG")]
    config: Option<PathBuf>,
    /// Data folder [default: ./data].
    #[arg(long, value_name = "DIR", env = "RIVERRUN_DATA")]
    data: Option<PathBuf>,
}

impl ResetArguments {
    /// The data folder that `serve` would use with the same options.
    pub fn data_folder(&self) -> Result<PathBuf, ConfigError> {
        let file = self.config.as_deref().map_or_else(|| Ok(Settings::default()), read_file)?;
        let data = self.data.clone().or(file.data);
        Ok(data.unwrap_or_else(|| PathBuf::from(DATA_FOLDER)))
    }
}

/// Options of `riverrun serve`. Each may also stand in the configuration file, with `_` for `-`.
#[derive(Clone, Debug, Default, Args)]
pub struct ServeArguments {
    /// TOML file with any of the options below.
    #[arg(long, value_name = "FILE", env = "RIVERRUN_CONFIG")]
    pub config: Option<PathBuf>,
    /// Options that may also stand in the file.
    #[command(flatten)]
    pub settings: Settings,
}

/// The settings themselves, every one optional; the same names in the file.
#[derive(Clone, Debug, Default, Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Data folder, made when missing [default: ./data].
    #[arg(long, value_name = "DIR", env = "RIVERRUN_DATA")]
    data: Option<PathBuf>,
    /// Where the page and the API listen [default: [::]:8080].
    #[arg(long, value_name = "ADDR:PORT", env = "RIVERRUN_HTTP")]
    http: Option<SocketAddr>,
    /// Where publishers connect [default: [::]:1935].
    #[arg(long, value_name = "ADDR:PORT", env = "RIVERRUN_RTMP")]
    rtmp: Option<SocketAddr>,
    /// Executors, one pinned to a core each [default: one per core].
    #[arg(long, value_name = "N", env = "RIVERRUN_SHARDS")]
    shards: Option<usize>,
    /// The one stream key that may publish while the server runs so; the stored ones may not.
    #[arg(long, value_name = "KEY", env = "RIVERRUN_STREAM_KEY", hide_env_values = true)]
    stream_key: Option<Secret>,
    /// Use this admin password instead of making one at the first start.
    #[arg(long, value_name = "PW", env = "RIVERRUN_ADMIN_PASSWORD", hide_env_values = true)]
    admin_password: Option<Secret>,
    /// Broadcast a built-in picture with a clock and a tone until a publisher comes.
    #[arg(long, value_name = "BOOL", env = "RIVERRUN_DEMO")]
    #[arg(num_args = 0..=1, default_missing_value = "true")]
    demo: Option<bool>,
    /// error, warn, info, debug or trace [default: info].
    #[arg(long, value_name = "LEVEL", env = "RIVERRUN_LOG")]
    log: Option<LogLevel>,
    /// Seconds a broadcast waits for a publisher that dropped, 0 to 600 [default: 30].
    #[arg(long, value_name = "SECONDS", env = "RIVERRUN_GRACE_SECONDS")]
    grace_seconds: Option<u64>,
    /// Seconds of video that viewers may rewind, 12 to 7200 [default: 60]. Costs about twice its
    /// length in memory at the bit rate of the broadcast: 90 MB for 60 s at 6 Mbit/s.
    #[arg(long, value_name = "SECONDS", env = "RIVERRUN_REWIND_SECONDS")]
    rewind_seconds: Option<u64>,
    /// Wanted length of a segment in seconds, 1 to 6 [default: 2]; keyframes decide the real one.
    #[arg(long, value_name = "SECONDS", env = "RIVERRUN_SEGMENT_SECONDS")]
    segment_seconds: Option<u64>,
    /// What viewers may choose from [default: auto]. `auto` is the publisher's own pictures and
    /// what this machine can encode beside them; `source` is them alone; a list names each:
    /// `source,720p@2500,480p@1000/30:2` (kbit/s behind `@`, pictures per second behind `/`, CPU
    /// level 0 to 4 behind `:`, or `:av1` for a small rendition in AV1, which takes many times the
    /// work and is not made where the machine cannot hold it).
    #[arg(long, value_name = "LIST", env = "RIVERRUN_RENDITIONS")]
    #[serde(default, deserialize_with = "from_text")]
    renditions: Option<LadderSetting>,
    /// Whether encoded renditions that nobody watches are paused; who chooses one then waits for a
    /// segment. auto: where encoding all of them takes much of the machine [default: auto].
    #[arg(long, value_name = "auto|on|off", env = "RIVERRUN_PAUSE_IDLE_RENDITIONS")]
    #[serde(default, deserialize_with = "from_text")]
    pause_idle_renditions: Option<PauseIdle>,
    /// Seconds without a request after which a rendition is paused, 10 to 3600 [default: 60].
    #[arg(long, value_name = "SECONDS", env = "RIVERRUN_PAUSE_IDLE_SECONDS")]
    pause_idle_seconds: Option<u64>,
    /// auto: sound is passed on as it is where every player takes it; off: it is always coded anew
    /// [default: auto].
    #[arg(long, value_name = "auto|off", env = "RIVERRUN_AUDIO_PASSTHROUGH")]
    audio_passthrough: Option<AudioPassthrough>,
    /// Bit rate of stereo sound that is coded anew, in kbit/s, 32 to 320 [default: 128]; mono gets
    /// half of it.
    #[arg(long, value_name = "KBIT", env = "RIVERRUN_AUDIO_BITRATE")]
    audio_bitrate: Option<u32>,
    /// Proxies that are believed about a viewer's address, as addresses and networks [default:
    /// 127.0.0.0/8,::1].
    #[arg(long, value_name = "LIST", env = "RIVERRUN_TRUSTED_PROXIES")]
    trusted_proxies: Option<TrustedProxies>,
    /// Settings of the admin by the names of the API; it then shows them and cannot change them.
    /// In the file; in the environment each has a variable of its own.
    #[arg(skip)]
    #[serde(default)]
    settings: BTreeMap<String, toml::Value>,
}

/// A setting that is written as one text.
fn from_text<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
where
    T: FromStr<Err: std::fmt::Display>,
    D: Deserializer<'de>,
{
    let text = String::deserialize(from)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

/// Keys of the file whose values may be shown.
const HARMLESS_KEYS: [&str; 15] = [
    "data",
    "http",
    "rtmp",
    "shards",
    "demo",
    "log",
    "grace_seconds",
    "rewind_seconds",
    "segment_seconds",
    "renditions",
    "pause_idle_renditions",
    "pause_idle_seconds",
    "audio_passthrough",
    "audio_bitrate",
    "trusted_proxies",
];

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What needs a person.
    Error,
    /// What may need a person.
    Warn,
    /// Start, stop, publishers come and go.
    Info,
    /// One line per decision.
    Debug,
    /// Everything.
    Trace,
}

/// What the server runs with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Data folder.
    pub data: PathBuf,
    /// Page and API.
    pub http: SocketAddr,
    /// Ingest.
    pub rtmp: SocketAddr,
    /// Number of executors; at least 1.
    pub shards: usize,
    /// Stream key from the operator.
    pub stream_key: Option<Secret>,
    /// Admin password from the operator.
    pub admin_password: Option<Secret>,
    /// Broadcast the built-in picture.
    pub demo: bool,
    /// How much is logged.
    pub log: LogLevel,
    /// How long a broadcast waits for its publisher (RC-4).
    pub grace: Duration,
    /// How far viewers may rewind.
    pub rewind: Duration,
    /// Wanted length of a segment.
    pub segment_target: Duration,
    /// What viewers may choose from.
    pub renditions: LadderSetting,
    /// When a rendition that nobody watches is paused.
    pub idle: IdleSetting,
    /// What becomes of the sound.
    pub sound: SoundSetting,
    /// Proxies that are believed about a viewer's address.
    pub trusted_proxies: TrustedProxies,
    /// Settings of the admin by the names of the API. Each is one that the API would take.
    pub settings: BTreeMap<String, toml::Value>,
    /// The same out of the environment, as written there; they win.
    pub environment: BTreeMap<&'static str, String>,
    /// What was given rather than left at its default.
    pub given: Given,
    /// What it was made of, to read its file again.
    typed: ServeArguments,
}

/// Options that were given on the command line, in the environment or in the file: they win over
/// what the admin has set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// `--http`
    pub http: bool,
    /// `--rtmp`
    pub rtmp: bool,
    /// `--segment-seconds`
    pub segment_target: bool,
    /// `--renditions`
    pub renditions: bool,
}

impl Config {
    /// Reads the text of a configuration file; `path` is its name in errors, `cores` the number of
    /// shards when the text has none.
    pub fn parse(text: &str, path: &Path, cores: usize) -> Result<Self, ConfigError> {
        parse_file(text, path)?.validate(cores, BTreeMap::new())
    }

    /// Merges what was typed (and the environment, which clap has read) with the file it names.
    pub fn load(arguments: ServeArguments, cores: usize) -> Result<Self, ConfigError> {
        let environment = environment::settings_of(std::env::vars_os())?;
        let file = match &arguments.config {
            Some(path) => read_file(path)?,
            None => Settings::default(),
        };
        let config = arguments.settings.clone().over(file).validate(cores, environment)?;
        Ok(Self { typed: arguments, ..config })
    }

    /// The same with what the file says now; nothing of it is in force by that.
    pub fn read_again(&self) -> Result<Self, ConfigError> {
        Self::load(self.typed.clone(), self.shards)
    }
}

fn read_file(path: &Path) -> Result<Settings, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    parse_file(&text, path)
}

fn parse_file(text: &str, path: &Path) -> Result<Settings, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let line = line_of(text, error.span().map_or(0, |span| span.start));
        let words = text.lines().nth(line - 1).unwrap_or_default();
        let key = words.split('=').next().unwrap_or_default().trim();
        // What was seen, unless it may be a secret.
        let seen = if HARMLESS_KEYS.contains(&key) { words.trim() } else { key }.to_owned();
        let reason = error.message().to_owned();
        ConfigError::Malformed { path: path.to_owned(), line, seen, reason }
    })
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

impl Settings {
    /// Each value of `self`, or where it has none, that of `file`.
    fn over(self, file: Self) -> Self {
        Self {
            data: self.data.or(file.data),
            http: self.http.or(file.http),
            rtmp: self.rtmp.or(file.rtmp),
            shards: self.shards.or(file.shards),
            stream_key: self.stream_key.or(file.stream_key),
            admin_password: self.admin_password.or(file.admin_password),
            demo: self.demo.or(file.demo),
            log: self.log.or(file.log),
            grace_seconds: self.grace_seconds.or(file.grace_seconds),
            rewind_seconds: self.rewind_seconds.or(file.rewind_seconds),
            segment_seconds: self.segment_seconds.or(file.segment_seconds),
            renditions: self.renditions.or(file.renditions),
            pause_idle_renditions: self.pause_idle_renditions.or(file.pause_idle_renditions),
            pause_idle_seconds: self.pause_idle_seconds.or(file.pause_idle_seconds),
            audio_passthrough: self.audio_passthrough.or(file.audio_passthrough),
            audio_bitrate: self.audio_bitrate.or(file.audio_bitrate),
            trusted_proxies: self.trusted_proxies.or(file.trusted_proxies),
            settings: file.settings,
        }
    }

    fn validate(
        self,
        cores: usize,
        environment: BTreeMap<&'static str, String>,
    ) -> Result<Config, ConfigError> {
        let shards = self.shards.unwrap_or_else(|| cores.clamp(1, limits::SHARDS_MAX));
        in_range("shards", shards as u64, 1, limits::SHARDS_MAX as u64)?;
        let grace = self.grace_seconds.unwrap_or(30);
        in_range("grace_seconds", grace, 0, limits::GRACE_SECONDS_MAX)?;
        let rewind = self.rewind_seconds.unwrap_or(60);
        in_range("rewind_seconds", rewind, limits::REWIND_SECONDS_MIN, limits::REWIND_SECONDS_MAX)?;
        let segment = self.segment_seconds.unwrap_or(2);
        in_range("segment_seconds", segment, 1, 6)?;
        let after = self.pause_idle_seconds.unwrap_or(60);
        let (min, max) = (limits::PAUSE_SECONDS_MIN, limits::PAUSE_SECONDS_MAX);
        in_range("pause_idle_seconds", after, min, max)?;
        let kbit = self.audio_bitrate.unwrap_or_else(|| SoundConfig::default().bitrate / 1_000);
        let (min, max) = (limits::AUDIO_KBIT_MIN, limits::AUDIO_KBIT_MAX);
        in_range("audio_bitrate", kbit.into(), min.into(), max.into())?;
        if let Some(stream_key) = &self.stream_key {
            let (min, max) = (limits::STREAM_KEY_BYTES_MIN, limits::STREAM_KEY_BYTES_MAX);
            secret_length("stream_key", stream_key.expose(), min, max)?;
            if !stream_key
                .expose()
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._~-".contains(&b))
            {
                return Err(ConfigError::StreamKeyCharacters);
            }
        }
        if let Some(password) = &self.admin_password {
            let (min, max) = (limits::ADMIN_PASSWORD_BYTES_MIN, limits::ADMIN_PASSWORD_BYTES_MAX);
            secret_length("admin_password", password.expose(), min, max)?;
        }
        let mut admin = riverrun_web::settings::Settings::default();
        for (path, value) in &self.settings {
            let wrong = |reason: String| ConfigError::Setting { path: path.clone(), reason };
            admin.lock(path, value, "the file").map_err(|error| wrong(error.to_string()))?;
        }
        for (&path, text) in &environment {
            let wrong = |reason: String| ConfigError::Variable { path, reason };
            admin.lock_text(path, text, "it").map_err(|error| wrong(error.to_string()))?;
        }
        let given = Given {
            http: self.http.is_some(),
            rtmp: self.rtmp.is_some(),
            segment_target: self.segment_seconds.is_some(),
            renditions: self.renditions.is_some(),
        };
        Ok(Config {
            data: self.data.unwrap_or_else(|| PathBuf::from(DATA_FOLDER)),
            http: self.http.unwrap_or(ANY_ADDRESS_8080),
            rtmp: self.rtmp.unwrap_or(ANY_ADDRESS_1935),
            shards,
            stream_key: self.stream_key,
            admin_password: self.admin_password,
            demo: self.demo.unwrap_or(false),
            log: self.log.unwrap_or(LogLevel::Info),
            grace: Duration::from_secs(grace),
            rewind: Duration::from_secs(rewind),
            segment_target: Duration::from_secs(segment),
            renditions: self.renditions.unwrap_or_default(),
            trusted_proxies: self.trusted_proxies.unwrap_or_default(),
            settings: self.settings,
            environment,
            given,
            idle: IdleSetting {
                pause: self.pause_idle_renditions.unwrap_or_default(),
                after: Duration::from_secs(after),
            },
            sound: SoundSetting {
                passthrough: self.audio_passthrough.unwrap_or_default(),
                config: SoundConfig { bitrate: kbit * 1_000 },
            },
            typed: ServeArguments::default(),
        })
    }
}

const fn in_range(name: &'static str, seen: u64, min: u64, max: u64) -> Result<(), ConfigError> {
    if seen < min || seen > max {
        return Err(ConfigError::OutOfRange { name, seen, min, max });
    }
    Ok(())
}

const fn secret_length(
    name: &'static str,
    secret: &str,
    min: usize,
    max: usize,
) -> Result<(), ConfigError> {
    let seen = secret.len();
    if seen < min || seen > max {
        return Err(ConfigError::SecretLength { name, seen, min, max });
    }
    Ok(())
}
