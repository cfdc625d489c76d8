//! Stream keys and the admin's password, as clients send them.

use serde::{Deserialize, Serialize};

use super::SettingError;
use crate::json;
use crate::shape::{Field, Shape, check_value, may, must};

/// Longest stream key, characters; the ingest reads no longer ones (AU-2).
const STREAM_KEY_CHARACTERS_MAX: usize = 255;
/// Shortest stream key, characters: shorter ones are guessed in minutes.
const STREAM_KEY_CHARACTERS_MIN: usize = 8;
/// Most stream keys: each is compared at every publish.
const STREAM_KEYS_MAX: usize = 100;
/// Shortest admin password, bytes.
const PASSWORD_BYTES_MIN: usize = 8;
/// Longest admin password, characters and bytes: hashing longer ones only costs time.
const PASSWORD_BYTES_MAX: usize = 1_024;

/// A secret that lets its holder publish.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamKey {
    /// The secret.
    pub key: String,
    /// The operator's note; may be empty.
    #[serde(default)]
    pub comment: String,
}

/// Shows the note alone: a key never reaches a log (T18).
impl std::fmt::Debug for StreamKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamKey").field("comment", &self.comment).finish_non_exhaustive()
    }
}

const STREAM_KEY_FIELDS: &[Field] = &[
    must("key", Shape::Line { max: STREAM_KEY_CHARACTERS_MAX }),
    may("comment", Shape::Line { max: 255 }),
];

/// What the setter of stream keys takes.
pub const STREAM_KEYS_SHAPE: Shape =
    Shape::List { of: &Shape::Object(STREAM_KEY_FIELDS), max: STREAM_KEYS_MAX };

/// What the setter of the admin's password takes.
pub const PASSWORD_SHAPE: Shape = Shape::Text { max: PASSWORD_BYTES_MAX };

/// Reads the body of the setter of stream keys: at least one, none empty, none twice.
pub fn parse_stream_keys(body: &[u8]) -> Result<Vec<StreamKey>, SettingError> {
    let value = check_value(&STREAM_KEYS_SHAPE, json::parse(body)?)?;
    let keys: Vec<StreamKey> =
        serde_json::from_value(value).map_err(|error| SettingError::Rule(error.to_string()))?;
    if keys.is_empty() {
        return Err(SettingError::Rule("is an empty list; one stream key has to stay".to_owned()));
    }
    for (index, key) in keys.iter().enumerate() {
        // The key itself is never part of a sentence.
        let length = key.key.len();
        if length < STREAM_KEY_CHARACTERS_MIN {
            let sentence = format!(
                "[{index}].key has {length} characters; allowed are {STREAM_KEY_CHARACTERS_MIN} to \
                 {STREAM_KEY_CHARACTERS_MAX}"
            );
            return Err(SettingError::Rule(sentence));
        }
        if !key.key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte)) {
            let sentence = format!("[{index}].key may hold letters, digits and . _ ~ - only");
            return Err(SettingError::Rule(sentence));
        }
        if keys.iter().take(index).any(|earlier| earlier.key == key.key) {
            return Err(SettingError::Rule(format!("[{index}].key stands in the list twice")));
        }
    }
    Ok(keys)
}

/// Reads the body of the setter of the admin's password.
pub fn parse_password(body: &[u8]) -> Result<String, SettingError> {
    let value = check_value(&PASSWORD_SHAPE, json::parse(body)?)?;
    let password = value.as_str().unwrap_or_default().to_owned();
    let length = password.len();
    if !(PASSWORD_BYTES_MIN..=PASSWORD_BYTES_MAX).contains(&length) {
        return Err(SettingError::Rule(format!(
            "has {length} bytes; allowed are {PASSWORD_BYTES_MIN} to {PASSWORD_BYTES_MAX}"
        )));
    }
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_lists_are_refused_and_say_no_secret() {
        let long = format!(r#"{{"value":[{{"key":"{}"}}]}}"#, "k".repeat(256));
        for (body, words) in [
            (r#"{"value":[]}"#, "empty list"),
            (r#"{"value":[{"key":""}]}"#, "has 0 characters"),
            (r#"{"value":[{"key":"s3cret"}]}"#, "has 6 characters"),
            (r#"{"value":[{"key":"s3cret/with-slash"}]}"#, "letters, digits"),
            (r#"{"value":[{"key":"s3cret-key"},{"key":"s3cret-key"}]}"#, "[1].key stands"),
            (r#"{"value":[{"comment":"x"}]}"#, "value[0].key is missing"),
            (r#"{"value":[{"key":1}]}"#, "value[0].key is a number"),
            (r#"{"value":"s3cret-key"}"#, "value is a text"),
            (long.as_str(), "has 256 characters"),
        ] {
            let error = parse_stream_keys(body.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(words) && !error.contains("s3cret"), "{body}: {error}");
        }
        let good = parse_stream_keys(br#"{"value":[{"key":"s3cret-key","comment":"obs"}]}"#);
        assert!(!format!("{:?}", good.unwrap()).contains("s3cret"));
    }

    #[test]
    fn passwords_have_a_length() {
        for (length, good) in [(0, false), (7, false), (8, true), (1_024, true), (1_025, false)] {
            let body = format!(r#"{{"value":"{}"}}"#, "p".repeat(length));
            assert_eq!(parse_password(body.as_bytes()).is_ok(), good, "{length}");
        }
        assert!(parse_password(br#"{"value":12345678}"#).is_err());
    }
}
