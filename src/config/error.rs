//! What is wrong with a configuration, in words for its operator.

use std::path::PathBuf;

use thiserror::Error;

use super::environment::{ENVIRONMENT, SETTINGS_PREFIX};

/// A configuration the server does not start with (exit code 78).
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration file {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML, or has an unknown key or a wrong type.
    ///
    /// A line with a secret, or one that cannot be told from it, is not shown.
    #[error("the configuration file {path} is wrong in line {line} ({seen}): {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// The line, or what stands before the equals sign where the rest may be a secret.
        seen: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A variable that begins like ours and means nothing.
    #[error(
        "the environment variable {name} is not known; known are {}, and {SETTINGS_PREFIX} with \
         the name of a setting behind it",
        ENVIRONMENT.join(", ")
    )]
    UnknownVariable {
        /// Its name.
        name: String,
    },
    /// A variable whose value is no text.
    #[error("the environment variable {name} is not UTF-8")]
    VariableText {
        /// Its name.
        name: String,
    },
    /// A variable with a setting that the API would not take.
    #[error("the environment variable of the setting {path:?}: {reason}")]
    Variable {
        /// The setting's name in the API.
        path: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A number outside its range.
    #[error("{name} is {seen}; allowed is {min} to {max}")]
    OutOfRange {
        /// Name as in the file.
        name: &'static str,
        /// Value given.
        seen: u64,
        /// Smallest allowed.
        min: u64,
        /// Largest allowed.
        max: u64,
    },
    /// A secret of a wrong length.
    #[error("{name} has {seen} bytes; allowed is {min} to {max}")]
    SecretLength {
        /// Name as in the file.
        name: &'static str,
        /// Bytes given.
        seen: usize,
        /// Fewest allowed.
        min: usize,
        /// Most allowed.
        max: usize,
    },
    /// A setting of the admin that the API would not take.
    #[error("settings.{path:?}: {reason}")]
    Setting {
        /// Its name in the API.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A stream key that cannot be part of an address (AU-2).
    #[error("stream_key may hold letters, digits and . _ ~ - only")]
    StreamKeyCharacters,
}
