//! Whether a request is the admin's: passwords, sessions, and how often one may be wrong.
//!
//! A password costs 19 MiB and some 30 ms to check, so that happens on one thread of its own with a
//! short queue, and a right one is remembered for a minute under a keyed hash. What is remembered
//! is bound to the hash in the store: a new password ends every session and every memory of the
//! old.
//!
//! One lock, taken for a few looks into small tables, by admin requests alone.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{io, thread};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use async_channel::{Receiver, Sender};
use riverrun_web::admin::Credentials;

use crate::config::Secret;
use crate::failures::Failures;

/// The only user.
const USER: &str = "admin";
/// How long a session lasts (API §1.2).
pub const SESSION_TIME: Duration = Duration::from_secs(8 * 3_600);
/// Sessions at one time; the oldest ends first. A script that sends Basic without keeping the
/// cookie begins one with each request.
const SESSIONS_MAX: usize = 1_000;
/// How long a password that was right need not be checked again.
const MEMORY_TIME: Duration = Duration::from_secs(60);
/// Right passwords remembered: there is one, or two while it is changed.
const MEMORIES_MAX: usize = 16;
/// Checks that may wait. Beyond it callers are asked to come again.
const QUEUE_CHECKS: usize = 16;

/// What a request shows comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the admin. A new session's token where there was none.
    Welcome(Option<String>),
    /// It is not.
    Wrong,
    /// Too many wrong passwords came from there; for so long nothing is heard.
    LockedOut(Duration),
    /// More checks wait than should, or the first password is still being hashed.
    Busy,
}

/// The doorkeeper of all shards.
#[derive(Clone)]
pub struct Door {
    book: Arc<Mutex<Book>>,
    checks: Sender<Check>,
    hashers: Arc<[RandomState; 2]>,
}

#[derive(Default)]
struct Book {
    /// Token's hash, bound to the password, to the session's end.
    sessions: HashMap<u128, Instant>,
    /// Right password's hash, bound likewise, to when it is forgotten.
    memories: HashMap<u128, Instant>,
    failures: Failures,
}

/// Work for the thread.
enum Check {
    /// Is this the password behind that hash?
    Verify { password: Secret, hash: Secret, answer: Sender<bool> },
    /// What is this password's hash?
    Hash { password: Secret, answer: Sender<Option<Secret>> },
}

impl Door {
    /// Starts the thread. It ends when nobody can send to it any more.
    pub fn start() -> io::Result<Self> {
        let (checks, inbox) = async_channel::bounded(QUEUE_CHECKS);
        thread::Builder::new().name("passwords".to_owned()).spawn(move || work(&inbox))?;
        let hashers = Arc::new([RandomState::new(), RandomState::new()]);
        Ok(Self { book: Arc::default(), checks, hashers })
    }

    /// Whether what is shown is the admin's; `hash` is what the store has.
    pub async fn admit(
        &self,
        now: Instant,
        client: IpAddr,
        shown: Credentials,
        hash: Option<&Secret>,
    ) -> Verdict {
        match shown {
            Credentials::Nothing => Verdict::Wrong,
            Credentials::Session(token) => {
                let key = hash.map(|hash| self.key(&token, hash));
                let ends = key.and_then(|key| self.book().sessions.get(&key).copied());
                match ends {
                    Some(ends) if now < ends => Verdict::Welcome(None),
                    _ => Verdict::Wrong,
                }
            }
            Credentials::Basic { user, password } => {
                let Some(hash) = hash else { return Verdict::Busy };
                self.admit_password(now, client, &user, Secret::new(password), hash).await
            }
        }
    }

    async fn admit_password(
        &self,
        now: Instant,
        client: IpAddr,
        user: &str,
        password: Secret,
        hash: &Secret,
    ) -> Verdict {
        let key = self.key(password.expose(), hash);
        if user == USER && self.book().memories.get(&key).is_some_and(|until| now < *until) {
            return self.welcome(now, hash);
        }
        if let Some(left) = self.book().failures.refuses_for(now, client) {
            return Verdict::LockedOut(left);
        }
        let (sender, answer) = async_channel::bounded(1);
        let check = Check::Verify { password, hash: hash.clone(), answer: sender };
        if self.checks.try_send(check).is_err() {
            return Verdict::Busy;
        }
        // A wrong name costs the same time as a wrong password.
        let is_right = answer.recv().await.unwrap_or(false) && user == USER;
        let mut book = self.book();
        if !is_right {
            book.failures.note(now, client);
            return Verdict::Wrong;
        }
        book.failures.forgive(client);
        book.memories.retain(|_, until| now < *until);
        if book.memories.len() < MEMORIES_MAX {
            book.memories.insert(key, now + MEMORY_TIME);
        }
        drop(book);
        self.welcome(now, hash)
    }

    /// Begins a session. Without random numbers there is none, and the password does.
    fn welcome(&self, now: Instant, hash: &Secret) -> Verdict {
        let mut bytes = [0; 32];
        if let Err(error) = getrandom::fill(&mut bytes) {
            tracing::error!(%error, "no session: the system's random source failed");
            return Verdict::Welcome(None);
        }
        let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let key = self.key(&token, hash);
        let mut book = self.book();
        if book.sessions.len() >= SESSIONS_MAX {
            book.sessions.retain(|_, ends| now < *ends);
            let oldest = book.sessions.iter().min_by_key(|(_, ends)| **ends).map(|(key, _)| *key);
            if let Some(oldest) = oldest.filter(|_| book.sessions.len() >= SESSIONS_MAX) {
                book.sessions.remove(&oldest);
            }
        }
        book.sessions.insert(key, now + SESSION_TIME);
        Verdict::Welcome(Some(token))
    }

    /// Ends a session.
    pub fn forget(&self, shown: &Credentials, hash: Option<&Secret>) {
        if let (Credentials::Session(token), Some(hash)) = (shown, hash) {
            let key = self.key(token, hash);
            self.book().sessions.remove(&key);
        }
    }

    /// The hash of a new password; `None` when it cannot be made now.
    pub async fn hash(&self, password: Secret) -> Option<Secret> {
        let (sender, answer) = async_channel::bounded(1);
        self.checks.try_send(Check::Hash { password, answer: sender }).ok()?;
        answer.recv().await.ok()?
    }

    /// 128 bits that only this process can make of a secret, different with each password.
    fn key(&self, secret: &str, hash: &Secret) -> u128 {
        let [high, low] = [0, 1].map(|at| {
            let hashed = self.hashers.get(at).map(|h| h.hash_one((secret, hash.expose())));
            u128::from(hashed.unwrap_or_default())
        });
        high << 64 | low
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // Nothing panics while it is locked.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn work(inbox: &Receiver<Check>) {
    while let Ok(check) = inbox.recv_blocking() {
        match check {
            Check::Verify { password, hash, answer } => {
                // Who asked may have left.
                let _ = answer.try_send(verifies(&password, &hash));
            }
            Check::Hash { password, answer } => {
                let hash = hash(&password);
                if let Err(error) = &hash {
                    tracing::error!(%error, "the password cannot be hashed");
                }
                let _ = answer.try_send(hash.ok().map(Secret::new));
            }
        }
    }
}

fn verifies(password: &Secret, hash: &Secret) -> bool {
    let Ok(hash) = PasswordHash::new(hash.expose()) else {
        tracing::error!("the stored password hash cannot be read: riverrun reset-admin-password");
        return false;
    };
    Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok()
}

/// Argon2id with the crate's default cost (19 MiB, two passes).
pub(crate) fn hash(password: &Secret) -> Result<String, argon2::password_hash::Error> {
    Argon2::default().hash_password(password.expose().as_bytes()).map(|hash| hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failures::FAILURES_MAX;
    use futures_lite::future::block_on;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn basic(password: &str) -> Credentials {
        Credentials::Basic { user: "admin".to_owned(), password: password.to_owned() }
    }

    #[test]
    fn a_session_ends_with_its_time_its_logout_and_its_password() {
        let (door, now) = (Door::start().unwrap(), Instant::now());
        let hash = block_on(door.hash(Secret::from("right-password"))).unwrap();
        let admit = |at, shown| block_on(door.admit(at, HOME, shown, Some(&hash)));
        let Verdict::Welcome(Some(token)) = admit(now, basic("right-password")) else {
            panic!("the right password was refused")
        };
        assert_eq!(token.len(), 64);
        let session = || Credentials::Session(token.clone());
        assert_eq!(admit(now, session()), Verdict::Welcome(None));
        assert_eq!(admit(now + SESSION_TIME, session()), Verdict::Wrong);
        let other = block_on(door.hash(Secret::from("other-password"))).unwrap();
        assert_eq!(block_on(door.admit(now, HOME, session(), Some(&other))), Verdict::Wrong);
        // Remembered, but not for the other hash.
        assert!(matches!(admit(now, basic("right-password")), Verdict::Welcome(Some(_))));
        let shown = basic("right-password");
        assert_eq!(block_on(door.admit(now, HOME, shown, Some(&other))), Verdict::Wrong);
        door.forget(&session(), Some(&hash));
        assert_eq!(admit(now, session()), Verdict::Wrong);
        assert_eq!(block_on(door.admit(now, HOME, basic("x"), None)), Verdict::Busy);
    }

    #[test]
    fn guessing_is_locked_out() {
        let (door, now) = (Door::start().unwrap(), Instant::now());
        // Not a hash at all: nothing is right, and no time is spent.
        let hash = Secret::from("no-hash");
        for _ in 0..FAILURES_MAX {
            let verdict = block_on(door.admit(now, HOME, basic("guess"), Some(&hash)));
            assert_eq!(verdict, Verdict::Wrong);
        }
        let verdict = block_on(door.admit(now, HOME, basic("guess"), Some(&hash)));
        assert!(matches!(verdict, Verdict::LockedOut(_)));
        let elsewhere = IpAddr::from([192, 0, 2, 2]);
        let verdict = block_on(door.admit(now, elsewhere, basic("guess"), Some(&hash)));
        assert_eq!(verdict, Verdict::Wrong);
    }
}
