//! What the server remembers, as everybody in the process sees it: an immutable [`State`].
//!
//! ```text
//! admin's request ─▶ shard ─▶ writer (a thread: store, files, fsync) ─▶ new State ─▶ every shard
//! ```
//!
//! Whoever holds a state sees no change in it. Shards get the next one through their queue, so that
//! they read without a lock; [`StateBoard`] has the newest for those that start later.

mod files;
mod writer;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use riverrun_media::ladder::LadderSetting;
use riverrun_storage::disk::StoreError;
use riverrun_web::admin::PictureKind;
use riverrun_web::api::{WebConfig, emoji_json};
use riverrun_web::manifest::{LogoIcon, manifest};
use riverrun_web::settings::{Settings, StreamKey, Variant};
use thiserror::Error;

pub use self::files::{EMOJI_MAX, PictureFile};
pub use self::writer::{Change, ChangeError, Writer};
use crate::config::{Config, Secret};

/// Seconds of a segment by latency level. Level 2 is our default and 2 s, where Owncast has 3:
/// parts make the delay, so longer segments only buy smaller playlists and better compression.
const SEGMENT_SECONDS: [u64; 5] = [1, 2, 2, 4, 5];

/// Everything that is remembered and shown, at one moment.
#[derive(Debug)]
pub struct State {
    /// The settings.
    pub settings: Settings,
    /// Stored stream keys, in the operator's order.
    pub stream_keys: Vec<StreamKey>,
    /// Stands in for them while this process runs (`--stream-key`).
    pub stream_key_override: Option<Secret>,
    /// Proves the admin's password; `None` while the first is still being hashed.
    pub password_hash: Option<Secret>,
    /// Who sets the admin's password, if not the API: `--admin-password`.
    pub password_lock: Option<&'static str>,
    /// The operator's logo; `None` for ours.
    pub logo: Option<PictureFile>,
    /// The operator's icon of the page; `None` for ours.
    pub favicon: Option<PictureFile>,
    /// Emoji by file name.
    pub emoji: BTreeMap<String, PictureFile>,
    /// What follows from the above, made once.
    pub shown: Shown,
}

/// Bodies of the public API that change with the state alone.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// What the page is rendered from.
    pub config: WebConfig,
    /// `GET /api/config`
    pub config_json: Bytes,
    /// `GET /api/emoji`
    pub emoji_json: Bytes,
    /// `GET /manifest.json`
    pub manifest_json: Bytes,
}

/// The state of a start could not be read.
#[derive(Debug, Error)]
pub enum StateError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A folder of pictures could not be read.
    #[error("{path} cannot be read: {source}")]
    Files {
        /// The folder.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl State {
    /// A new server's, without keys: for tests.
    #[must_use]
    pub fn empty() -> Self {
        let mut state = Self {
            settings: Settings::default(),
            stream_keys: Vec::new(),
            stream_key_override: None,
            password_hash: None,
            password_lock: None,
            logo: None,
            favicon: None,
            emoji: BTreeMap::new(),
            shown: Shown::default(),
        };
        state.show();
        state
    }

    /// Keys that may publish now.
    pub fn publishing_keys(&self) -> impl Iterator<Item = &str> {
        let given = self.stream_key_override.as_ref().map(Secret::expose);
        let stored = self.stream_keys.iter().map(|row| row.key.as_str());
        let stored = stored.filter(move |_| given.is_none());
        given.into_iter().chain(stored)
    }

    /// Variants as the API tells them: those that were set, or the publisher's own pictures.
    #[must_use]
    pub fn variants(&self) -> Vec<Variant> {
        self.settings.video.variants.clone().unwrap_or_else(|| vec![Variant::source()])
    }

    /// The ladder that the admin set; `None` when nobody did.
    #[must_use]
    pub fn ladder(&self) -> Option<LadderSetting> {
        let variants = self.settings.video.variants.as_ref()?;
        let rungs: Vec<_> = variants.iter().map(rung).collect();
        match rungs.join(",").parse() {
            Ok(ladder) => Some(ladder),
            Err(error) => {
                tracing::error!(%error, "the admin's variants cannot be made: the default is");
                None
            }
        }
    }

    /// Wanted length of a segment at the latency level that the admin chose (API §4.3); `None` when
    /// nobody did.
    #[must_use]
    pub fn segment_target(&self) -> Option<Duration> {
        let level = self.settings.video.latency_level?;
        let seconds = SEGMENT_SECONDS.get(usize::from(level)).or(SEGMENT_SECONDS.last());
        seconds.copied().map(Duration::from_secs)
    }

    /// Makes what follows from the rest.
    fn show(&mut self) {
        let config = WebConfig::of(&self.settings);
        // Ours is SVG.
        let logo =
            self.logo.as_ref().map_or(LogoIcon { kind: PictureKind::Svg, size: None }, |l| {
                LogoIcon::of(l.kind, &l.bytes)
            });
        self.shown = Shown {
            config_json: config.to_json().into(),
            manifest_json: manifest(&config, logo).into(),
            config,
            emoji_json: emoji_json(self.emoji.keys().map(String::as_str)).into(),
        };
    }

    /// Everything but what follows, to be changed.
    fn copy(&self) -> Self {
        Self {
            settings: self.settings.clone(),
            stream_keys: self.stream_keys.clone(),
            stream_key_override: self.stream_key_override.clone(),
            password_hash: self.password_hash.clone(),
            password_lock: self.password_lock,
            logo: self.logo.clone(),
            favicon: self.favicon.clone(),
            emoji: self.emoji.clone(),
            shown: Shown::default(),
        }
    }

    /// Settings that the configuration decides: the API shows them and refuses to change them.
    fn lock(&mut self, config: &Config) {
        for (path, value) in &config.settings {
            // Checked when the configuration was, as are those of the environment.
            let _ = self.settings.lock(path, value, "the configuration file");
        }
        for (path, text) in &config.environment {
            let _ = self.settings.lock_text(path, text, "the environment");
        }
        let mut lock = |path: &str, value: String, by: &str| {
            let locked = match value.parse::<u16>() {
                Ok(port) => self.settings.lock(path, port, by),
                Err(_) => self.settings.lock(path, value, by),
            };
            if let Err(error) = locked {
                tracing::error!(%error, path, "a setting of the configuration is not shown");
            }
        };
        if config.given.http {
            lock("webserverip", config.http.ip().to_string(), "--http");
            lock("webserverport", config.http.port().to_string(), "--http");
        }
        if config.given.rtmp {
            lock("rtmpserverbindaddress", config.rtmp.ip().to_string(), "--rtmp");
            lock("rtmpserverport", config.rtmp.port().to_string(), "--rtmp");
        }
        self.stream_key_override = config.stream_key.clone();
        self.password_lock = config.admin_password.as_ref().map(|_| "--admin-password");
    }
}

/// A variant of the API in the words of `--renditions`.
fn rung(variant: &Variant) -> String {
    if variant.video_passthrough {
        return "source".to_owned();
    }
    format!(
        "{}x{}@{}/{}:{}",
        variant.scaled_width,
        variant.scaled_height,
        variant.video_bitrate,
        variant.framerate,
        variant.cpu_usage_level
    )
}

/// The newest state, for those who start later and for threads that are no shards.
#[derive(Clone, Debug)]
pub struct StateBoard(Arc<Mutex<Arc<State>>>);

impl StateBoard {
    /// A board with this state.
    #[must_use]
    pub fn new(state: State) -> Self {
        Self(Arc::new(Mutex::new(Arc::new(state))))
    }

    /// The newest.
    #[must_use]
    pub fn state(&self) -> Arc<State> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, state: Arc<State>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_the_command_line_stands_in_for_the_stored_ones() {
        let mut state = State::empty();
        let key = |key: &str| StreamKey { key: key.to_owned(), comment: String::new() };
        state.stream_keys = vec![key("stored-one"), key("stored-two")];
        assert_eq!(state.publishing_keys().collect::<Vec<_>>(), ["stored-one", "stored-two"]);
        state.stream_key_override = Some(Secret::from("given-key"));
        assert_eq!(state.publishing_keys().collect::<Vec<_>>(), ["given-key"]);
    }

    #[test]
    fn variants_become_a_ladder() {
        let mut state = State::empty();
        assert_eq!(state.ladder(), None);
        let set = riverrun_web::settings::find("video/streamoutputvariants").unwrap();
        let body = br#"{"value":[{"videoPassthrough":true},
            {"scaledHeight":480,"videoBitrate":900,"framerate":30,"cpuUsageLevel":1}]}"#;
        set.change(&mut state.settings, body).unwrap();
        assert_eq!(state.ladder().unwrap().to_string(), "source,480p@900/30:1");
    }
}
