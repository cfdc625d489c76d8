//! Names a publisher gives: application, stream key and query (AU-1, AU-2, AU-3).
//!
//! The address is application + "/" + key, however an encoder spreads it over `tcUrl`, `app` and
//! the publish name. Queries may hang on each of the three. Application names become paths and log
//! lines and keep to `[A-Za-z0-9_.~-]` and "/". A stream key is only ever compared, and operators
//! choose keys with punctuation, so it may hold any visible character.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::limits;

/// Why a name cannot be used. None of these repeats the name: it may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NameError {
    /// Neither the publish name nor the address holds a key.
    #[error("the stream key is empty")]
    EmptyKey,
    /// Longer than the cap.
    #[error("name of {len} bytes, {} are allowed", limits::NAME_BYTES_MAX)]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// A path element "..".
    #[error("the name has an element \"..\"")]
    ParentElement,
    /// A character outside the allowed set.
    #[error("the name has the character {0:?}")]
    Character(char),
}

/// A stream key as the publisher sent it, normalised. Its `Debug` shows a fingerprint only.
#[derive(Clone, PartialEq, Eq)]
pub struct StreamKey(String);

impl StreamKey {
    /// Slashes at the ends and doubled ones are dropped (AU-2).
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let key = normalise_path(text);
        if key.is_empty() {
            return Err(NameError::EmptyKey);
        }
        check_path(&key, |character| !character.is_control() && !character.is_whitespace())?;
        Ok(Self(key))
    }

    /// Whether this is the configured key. The time taken tells nothing about either (AU-3): both
    /// are hashed, and the hashes are compared in constant time.
    pub fn matches(&self, configured: &str) -> bool {
        let ours = Sha256::digest(normalise_path(configured).as_bytes());
        Sha256::digest(self.0.as_bytes()).ct_eq(&ours).into()
    }

    /// The key itself, to choose a stream by it. Never log it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// First eight hexadecimal digits of the key's SHA-256: tells two keys apart in a log (AU-3).
    pub fn fingerprint(&self) -> String {
        let hash = Sha256::digest(self.0.as_bytes());
        hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamKey(#{})", self.fingerprint())
    }
}

/// Query pairs in order of precedence, as sent: values are rarely percent-encoded, so they are not
/// decoded (AU-1). Its `Debug` shows names only, for values may be tokens.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// The value of `name`, from the part with the highest precedence: key, then app, then tcUrl.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All pairs; a name may occur more than once.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    fn add(&mut self, query: &str) {
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            if self.0.len() == limits::QUERY_PAIRS_MAX {
                return;
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            self.0.push((name.to_owned(), value.to_owned()));
        }
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// What a publisher addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StreamAddress {
    pub(crate) app: String,
    pub(crate) stream_key: StreamKey,
    pub(crate) query: Query,
}

impl StreamAddress {
    /// Joins what `connect` and `publish` said. With an empty publish name the last element of the
    /// application is the key: the encoder was given the whole address as server.
    pub(crate) fn parse(app: &App, publish_name: &str) -> Result<Self, NameError> {
        let (name, name_query) = split_query(publish_name);
        let mut query = Query::default();
        query.add(name_query);
        query.add(&app.app_query);
        query.add(&app.url_query);
        if !normalise_path(name).is_empty() {
            let stream_key = StreamKey::parse(name)?;
            return Ok(Self { app: app.path.clone(), stream_key, query });
        }
        let (parent, key) = app.path.rsplit_once('/').unwrap_or(("", &app.path));
        Ok(Self { app: parent.to_owned(), stream_key: StreamKey::parse(key)?, query })
    }
}

/// What `connect` said about the address. Its `Debug` is silent: the last element may be the key.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct App {
    path: String,
    app_query: String,
    url_query: String,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}

impl App {
    /// Either may be absent or empty; `app` wins, otherwise it is the path of `tc_url` (AM-8).
    pub(crate) fn parse(app: Option<&str>, tc_url: Option<&str>) -> Result<Self, NameError> {
        let (url, url_query) = split_query(unquote(tc_url.unwrap_or_default()));
        let (app, app_query) = split_query(unquote(app.unwrap_or_default()));
        let mut path = normalise_path(app);
        if path.is_empty() {
            path = normalise_path(url_path(url));
        }
        check_path(&path, |character| {
            character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '~' | '-' | '/')
        })?;
        Ok(Self { path, app_query: app_query.to_owned(), url_query: url_query.to_owned() })
    }
}

/// Some encoders wrap tcUrl in single quotes (AM-8).
fn unquote(text: &str) -> &str {
    text.trim().trim_matches('\'')
}

fn split_query(text: &str) -> (&str, &str) {
    text.split_once('?').unwrap_or((text, ""))
}

fn url_path(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    after_scheme.split_once('/').map_or("", |(_, path)| path)
}

/// Elements joined by single slashes, none at the ends.
fn normalise_path(text: &str) -> String {
    let elements: Vec<&str> = text.trim().split('/').filter(|part| !part.is_empty()).collect();
    elements.join("/")
}

fn check_path(path: &str, allowed: impl Fn(char) -> bool) -> Result<(), NameError> {
    if path.len() > limits::NAME_BYTES_MAX {
        return Err(NameError::TooLong { len: path.len() });
    }
    if path.split('/').any(|element| element == "..") {
        return Err(NameError::ParentElement);
    }
    match path.chars().find(|character| !allowed(*character)) {
        Some(character) => Err(NameError::Character(character)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(
        app: &str,
        tc_url: &str,
        name: &str,
    ) -> Result<(String, String, Vec<String>), NameError> {
        let app = App::parse(Some(app), Some(tc_url))?;
        let StreamAddress { app, stream_key, query } = StreamAddress::parse(&app, name)?;
        let query = query.pairs().iter().map(|(name, value)| format!("{name}={value}")).collect();
        Ok((app, stream_key.expose().to_owned(), query))
    }

    #[test]
    fn au_1_au_2_addresses() {
        for (app, tc_url, name, expected_app, expected_key, query) in [
            ("live", "rtmp://h/live", "abc", "live", "abc", &[][..]),
            ("", "rtmp://h/", "abc", "", "abc", &[]),
            ("", "'rtmp://h:1935/live'", "abc", "live", "abc", &[]),
            ("/live//eu/", "", "/abc/", "live/eu", "abc", &[]),
            ("live/abc", "rtmp://h/live/abc", "", "live", "abc", &[]),
            ("abc", "", "/", "", "abc", &[]),
            ("live", "", "a/b//c", "live", "a/b/c", &[]),
            ("live", "", "p!a@s$s&w%", "live", "p!a@s$s&w%", &[]),
            ("live", "", "k?token=a b%&x&=y", "live", "k", &["token=a b%", "x=", "=y"]),
            (
                "live?t=app",
                "rtmp://h/live?t=url",
                "k?t=key",
                "live",
                "k",
                &["t=key", "t=app", "t=url"],
            ),
        ] {
            let query = query.iter().map(|pair| (*pair).to_owned()).collect();
            assert_eq!(
                address(app, tc_url, name),
                Ok((expected_app.to_owned(), expected_key.to_owned(), query)),
                "{app} {tc_url} {name}"
            );
        }
    }

    #[test]
    fn au_2_refused_names() {
        let long = "x".repeat(limits::NAME_BYTES_MAX + 1);
        for (app, name, error) in [
            ("live", "a/../b", NameError::ParentElement),
            ("../etc", "a", NameError::ParentElement),
            ("live", "a\u{7}", NameError::Character('\u{7}')),
            ("live", "a b", NameError::Character(' ')),
            ("li ve", "a", NameError::Character(' ')),
            ("li\0ve", "a", NameError::Character('\0')),
            ("live", &long, NameError::TooLong { len: 256 }),
            (&long, "a", NameError::TooLong { len: 256 }),
            ("", "", NameError::EmptyKey),
            ("", "?token=x", NameError::EmptyKey),
        ] {
            assert_eq!(address(app, "", name), Err(error));
        }
    }

    #[test]
    fn au_1_precedence_and_cap_of_queries() {
        let app = App::parse(Some("live?t=app"), Some("rtmp://h/live?t=url&u=url")).unwrap();
        let query = StreamAddress::parse(&app, "k").unwrap().query;
        assert_eq!(
            (query.get("t"), query.get("u"), query.get("v")),
            (Some("app"), Some("url"), None)
        );
        let many = format!("k?{}", "a=b&".repeat(1_000));
        let query = StreamAddress::parse(&app, &many).unwrap().query;
        assert_eq!(query.pairs().len(), limits::QUERY_PAIRS_MAX);
    }

    #[test]
    fn au_3_keys_compare_whole_and_never_print() {
        let key = StreamKey::parse("/s3cr3t/").unwrap();
        for (configured, same) in
            [("s3cr3t", true), ("s3cr3t/", true), ("s3cr3", false), ("s3cr3t2", false), ("", false)]
        {
            assert_eq!(key.matches(configured), same, "{configured}");
        }
        let app = App::parse(Some("live?token=hush"), None).unwrap();
        let address = StreamAddress::parse(&app, "s3cr3t").unwrap();
        let printed = format!("{address:?}");
        assert!(!printed.contains("s3cr3t") && !printed.contains("hush"), "{printed}");
        assert!(printed.contains("token") && printed.contains(&key.fingerprint()));
    }
}
