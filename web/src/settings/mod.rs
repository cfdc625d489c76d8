//! Everything an operator can set: types, defaults and limits beside each field, by subject.
//!
//! ```text
//! POST /api/admin/config/name {"value": …} ─▶ Setting::change ─▶ Settings ─▶ store, every shard
//! store: key → JSON ────────▶ Settings::load ─▶ Settings
//! ```
//!
//! One table ([`all`]) is the API's setters, the names in the store and the schemas of the API's
//! description. A value that is refused changes nothing.
//!
//! Stream keys and the admin's password are secrets with tables of their own in the store.

mod chat;
mod federation;
mod instance;
mod network;
mod notifications;
mod refine;
mod schedule;
mod setting;
mod storage;
mod stream_keys;
#[cfg(test)]
mod tests;
mod video;

use std::collections::BTreeMap;

use serde::Serialize;

pub use self::chat::Chat;
pub use self::federation::Federation;
pub use self::instance::{ExternalAction, Instance, SocialHandle};
pub use self::network::Network;
pub use self::notifications::{Browser, Discord, Notifications};
pub use self::schedule::Schedule;
pub use self::setting::{Applies, Setting, SettingError};
pub use self::storage::{S3, Storage};
pub use self::stream_keys::{
    PASSWORD_SHAPE, STREAM_KEYS_SHAPE, StreamKey, parse_password, parse_stream_keys,
};
pub use self::video::{CODECS, LATENCY_LEVEL_MAX, Variant, Video};

/// The values, by subject. A snapshot: whoever holds one sees no change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Name, texts, links, looks.
    pub instance: Instance,
    /// Chat.
    pub chat: Chat,
    /// Fediverse.
    pub federation: Federation,
    /// Who is told of a broadcast.
    pub notifications: Notifications,
    /// Variants and delay.
    pub video: Video,
    /// Media elsewhere.
    pub storage: Storage,
    /// Where the server listens.
    pub network: Network,
    /// Announced broadcasts.
    pub schedule: Schedule,
    /// Settings that the command line, the environment or the file decide: path and by whom.
    pub(crate) locks: BTreeMap<&'static str, String>,
}

const GROUPS: [&[Setting]; 8] = [
    instance::SETTINGS,
    chat::SETTINGS,
    federation::SETTINGS,
    notifications::SETTINGS,
    video::SETTINGS,
    storage::SETTINGS,
    network::SETTINGS,
    schedule::SETTINGS,
];

/// Every setting.
pub fn all() -> impl Iterator<Item = &'static Setting> {
    GROUPS.into_iter().flatten()
}

/// The setting at this path below `/api/admin/config/`.
#[must_use]
pub fn find(path: &str) -> Option<&'static Setting> {
    all().find(|setting| setting.path == path)
}

/// The setting with this name in the environment: its path in capitals, with `_` for `/`.
#[must_use]
pub fn find_by_variable(name: &str) -> Option<&'static Setting> {
    all().find(|setting| setting.variable() == name)
}

impl Settings {
    /// The values of a store, each over its default. A row that this version does not know, or
    /// whose value it does not take, leaves the default; its key is given back with the reason.
    pub fn load<'a>(
        rows: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> (Self, Vec<(&'a str, String)>) {
        let mut settings = Self::default();
        let mut refused = Vec::new();
        for (key, stored) in rows {
            match all().find(|setting| setting.key == key) {
                None => refused.push((key, "no setting has this name".to_owned())),
                Some(setting) => {
                    if let Err(error) = setting.load(&mut settings, stored) {
                        refused.push((key, error.to_string()));
                    }
                }
            }
        }
        (settings, refused)
    }

    /// Sets the setting at `path` for the life of this process: the API refuses to change it and
    /// names `by`, as in `--http`.
    pub fn lock(
        &mut self,
        path: &str,
        value: impl Serialize,
        by: &str,
    ) -> Result<(), SettingError> {
        let unknown = || SettingError::Rule(format!("{path:?} is no setting"));
        let setting = find(path).ok_or_else(unknown)?;
        let value = serde_json::to_vec(&value).map_err(|e| SettingError::Rule(e.to_string()))?;
        setting.load(self, &value)?;
        self.locks.insert(setting.path, by.to_owned());
        Ok(())
    }

    /// The same with the value as people write it into the environment: text as it is, anything
    /// else as JSON.
    pub fn lock_text(&mut self, path: &str, text: &str, by: &str) -> Result<(), SettingError> {
        let setting =
            find(path).ok_or_else(|| SettingError::Rule(format!("{path:?} is no setting")))?;
        setting.load_text(self, text)?;
        self.locks.insert(setting.path, by.to_owned());
        Ok(())
    }

    /// Paths of the settings that cannot be changed while this process runs, and by whom they are
    /// set.
    pub fn locks(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.locks.iter().map(|(path, by)| (*path, by.as_str()))
    }
}
