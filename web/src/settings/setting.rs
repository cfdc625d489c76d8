//! One setting: where the API sets it, under which name it is kept, what it may be.

use serde_json::Value;
use thiserror::Error;

use super::Settings;
use crate::json;
use crate::shape::{Misfit, Shape, check_value};

/// When a change is felt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applies {
    /// With the next answer, or with the next segment of a running broadcast.
    Now,
    /// With the broadcast that begins next.
    NextBroadcast,
    /// When the server starts again.
    Restart,
    /// Kept for a capability that this version does not have yet.
    Kept,
}

/// A row of the table of settings.
pub struct Setting {
    /// Below `/api/admin/config/`.
    pub path: &'static str,
    /// Name in the store, and in an Owncast database (API §4.2).
    pub key: &'static str,
    /// What a value may be.
    pub shape: Shape,
    /// When a change is felt.
    pub applies: Applies,
    pub(super) set: fn(&mut Settings, Value) -> Result<(), serde_json::Error>,
    pub(super) get: fn(&Settings) -> Value,
    /// What the shape cannot say, and spellings that mean the same.
    pub(super) refine: fn(Value) -> Result<Value, String>,
}

/// Why a value was not taken. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum SettingError {
    /// The body is not JSON.
    #[error(transparent)]
    Json(#[from] json::JsonError),
    /// A wrong type, a limit passed, something missing or unknown.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// A rule of this one setting.
    #[error("value {0}")]
    Rule(String),
    /// The command line, the environment or the file decide.
    #[error("this is set by {0}, where it has to be changed")]
    Locked(String),
}

impl Setting {
    /// Reads the body of a setter and puts its value into `settings`, or leaves them as they are.
    pub fn change(&self, settings: &mut Settings, body: &[u8]) -> Result<(), SettingError> {
        if let Some(by) = settings.locks.get(self.path) {
            return Err(SettingError::Locked((*by).to_owned()));
        }
        let value = check_value(&self.shape, json::parse(body)?)?;
        self.put(settings, value)
    }

    /// Puts what [`Self::to_stored`] gave back into `settings`; locks do not matter.
    pub(super) fn load(&self, settings: &mut Settings, stored: &[u8]) -> Result<(), SettingError> {
        let value = self.shape.check(json::parse(stored)?)?;
        self.put(settings, value)
    }

    /// Puts a value that people wrote by hand into `settings`; locks do not matter. What is neither
    /// text by its shape nor JSON is told as text of the wrong kind.
    pub(super) fn load_text(
        &self,
        settings: &mut Settings,
        text: &str,
    ) -> Result<(), SettingError> {
        let written = || Value::String(text.to_owned());
        let value = match self.shape {
            Shape::Text { .. } | Shape::Line { .. } | Shape::Word(_) => written(),
            _ => json::parse(text.as_bytes()).unwrap_or_else(|_| written()),
        };
        let value = self.shape.check(value).map_err(|misfit| misfit.below("value"))?;
        self.put(settings, value)
    }

    /// Its name in the environment, behind the prefix of all settings.
    #[must_use]
    pub fn variable(&self) -> String {
        self.path.replace('/', "_").to_ascii_uppercase()
    }

    /// The value as it is kept: JSON.
    #[must_use]
    pub fn to_stored(&self, settings: &Settings) -> Vec<u8> {
        serde_json::to_vec(&(self.get)(settings)).expect("settings have string keys")
    }

    /// The value as it was set last.
    #[must_use]
    pub fn value(&self, settings: &Settings) -> Value {
        (self.get)(settings)
    }

    fn put(&self, settings: &mut Settings, value: Value) -> Result<(), SettingError> {
        let value = (self.refine)(value).map_err(SettingError::Rule)?;
        (self.set)(settings, value).map_err(|error| SettingError::Rule(error.to_string()))
    }

    /// The words of a success.
    #[must_use]
    pub const fn changed(&self) -> &'static str {
        match self.applies {
            Applies::Now | Applies::Kept => "changed",
            Applies::NextBroadcast => "changed; takes effect when the next broadcast begins",
            Applies::Restart => "changed; takes effect when the server starts again",
        }
    }
}

impl std::fmt::Debug for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setting").field("path", &self.path).finish_non_exhaustive()
    }
}

impl PartialEq for Setting {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Eq for Setting {}

/// A row: path, key, shape, when it applies, the field; a refinement behind it where there is one.
macro_rules! setting {
    ($path:literal, $key:literal, $shape:expr, $applies:ident, $group:ident.$field:ident) => {
        setting!($path, $key, $shape, $applies, $group.$field, Ok)
    };
    ($path:literal, $key:literal, $shape:expr, $applies:ident, $group:ident.$field:ident,
     $refine:expr) => {
        $crate::settings::setting::Setting {
            path: $path,
            key: $key,
            shape: $shape,
            applies: $crate::settings::setting::Applies::$applies,
            set: |settings, value| {
                settings.$group.$field = serde_json::from_value(value)?;
                Ok(())
            },
            get: |settings| {
                serde_json::to_value(&settings.$group.$field).expect("settings are plain data")
            },
            refine: $refine,
        }
    };
}
pub(super) use setting;
