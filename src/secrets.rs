//! First start: a stream key and an admin password that nobody else has (T7).
//!
//! Secrets made here are handed out once, for the screen. The store keeps the key readable, since
//! the admin shows it again, and of the password only a hash. Hashing takes longer than all the
//! rest of the start, so it has a thread of its own ([`Hashing`]): until it is done the store has
//! the hash of before or none, and without one there is no password that would be right.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use riverrun_storage::disk::{Store, StoreError, StreamKeyRow};
use thiserror::Error;

use crate::config::{Config, Secret};
use crate::login::hash;

/// Letters and digits that cannot be taken for one another when read aloud or copied by hand.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Characters of a made stream key: 120 bits.
const STREAM_KEY_CHARACTERS: usize = 24;
/// Characters of a made admin password: 80 bits.
const PASSWORD_CHARACTERS: usize = 16;

/// Why secrets could not be made or read.
#[derive(Debug, Error)]
pub enum SecretError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system has no random numbers.
    #[error("the system's random source failed: {0}")]
    Random(getrandom::Error),
    /// Hashing failed.
    #[error("the admin password cannot be hashed: {0}")]
    Hash(argon2::password_hash::Error),
    /// No thread could be made for it.
    #[error("the admin password cannot be hashed: {0}")]
    Thread(std::io::Error),
}

/// What the server starts with.
#[derive(Debug)]
pub struct Secrets {
    /// A stream key made at this start, to be shown once.
    pub new_stream_key: Option<Secret>,
    /// An admin password made at this start, to be shown once.
    pub new_admin_password: Option<Secret>,
}

impl Secrets {
    /// Something was made at this start that nobody has seen.
    pub const fn has_news(&self) -> bool {
        self.new_stream_key.is_some() || self.new_admin_password.is_some()
    }
}

/// The admin password on its way into the store.
#[must_use]
#[derive(Debug)]
pub struct Hashing(Option<JoinHandle<Result<(), SecretError>>>);

impl Hashing {
    fn begin(store: &Arc<Store>, password: Secret) -> Result<Self, SecretError> {
        let store = Arc::clone(store);
        let task = move || {
            Ok(store.put_admin_password_hash(&hash(&password).map_err(SecretError::Hash)?)?)
        };
        let thread = thread::Builder::new().name("password".to_owned()).spawn(task);
        Ok(Self(Some(thread.map_err(SecretError::Thread)?)))
    }

    /// A password is being hashed: the one in the store, if any, does not count any more.
    pub const fn is_under_way(&self) -> bool {
        self.0.is_some()
    }

    /// Waits until the password is stored. Nobody may be shown a password before.
    pub fn finish(self) -> Result<(), SecretError> {
        let Some(thread) = self.0 else { return Ok(()) };
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// Reads the secrets of `store`, after making those that are missing and storing those that the
/// operator gave. The password is stored when the second value says so.
pub fn prepare(store: &Arc<Store>, config: &Config) -> Result<(Secrets, Hashing), SecretError> {
    let mut new_stream_key = None;
    // A given key stands in for the stored ones and is not stored: without it they count again.
    if config.stream_key.is_none() && store.stream_keys()?.is_empty() {
        let made = random_text(STREAM_KEY_CHARACTERS)?;
        let stream_key = made.expose().to_owned();
        let row = StreamKeyRow { stream_key, comment: "made at the first start".to_owned() };
        store.put_stream_keys(&[row])?;
        new_stream_key = Some(made);
    }
    let (hashing, new_admin_password) = if let Some(given) = &config.admin_password {
        (Hashing::begin(store, given.clone())?, None)
    } else if store.admin_password_hash()?.is_none() {
        let made = random_text(PASSWORD_CHARACTERS)?;
        (Hashing::begin(store, made.clone())?, Some(made))
    } else {
        (Hashing(None), None)
    };
    Ok((Secrets { new_stream_key, new_admin_password }, hashing))
}

/// Makes and stores a new admin password.
pub fn reset_admin_password(store: &Store) -> Result<Secret, SecretError> {
    let made = random_text(PASSWORD_CHARACTERS)?;
    store.put_admin_password_hash(&hash(&made).map_err(SecretError::Hash)?)?;
    Ok(made)
}

fn random_text(characters: usize) -> Result<Secret, SecretError> {
    let mut bytes = vec![0; characters];
    getrandom::fill(&mut bytes).map_err(SecretError::Random)?;
    // 32 divides 256: every character is equally likely.
    Ok(Secret::new(bytes.iter().map(|b| char::from(ALPHABET[usize::from(b % 32)])).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ServeArguments, Settings};

    fn config(toml: &str) -> Config {
        let settings: Settings = toml::from_str(toml).unwrap();
        Config::load(ServeArguments { config: None, settings }, 1).unwrap()
    }

    #[test]
    fn first_starts_differ_and_second_starts_show_nothing() {
        let mut seen = Vec::new();
        for _ in 0..2 {
            let folder = tempfile::tempdir().unwrap();
            let store = Arc::new(Store::open(folder.path()).unwrap());
            let (first, hashing) = prepare(&store, &config("")).unwrap();
            hashing.finish().unwrap();
            let stream_key = first.new_stream_key.unwrap();
            assert_eq!(stream_key.expose().len(), STREAM_KEY_CHARACTERS);
            seen.push((stream_key, first.new_admin_password.unwrap()));
            let (second, hashing) = prepare(&store, &config("")).unwrap();
            hashing.finish().unwrap();
            assert!(second.new_stream_key.is_none() && second.new_admin_password.is_none());
            assert_eq!(store.stream_keys().unwrap().len(), 1);
        }
        assert!(seen[0].0 != seen[1].0 && seen[0].1 != seen[1].1);
    }

    #[test]
    fn given_secrets_are_not_shown_and_the_key_is_not_stored() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path()).unwrap());
        let given = config("stream_key = 'unattended-key'\nadmin_password = 'unattended-pw'");
        let (secrets, hashing) = prepare(&store, &given).unwrap();
        hashing.finish().unwrap();
        assert!(secrets.new_stream_key.is_none() && secrets.new_admin_password.is_none());
        assert_eq!(store.stream_keys().unwrap(), []);
        let hash = store.admin_password_hash().unwrap().unwrap();
        assert!(hash.starts_with("$argon2id$") && !hash.contains("unattended-pw"));
    }
}
