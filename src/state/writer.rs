//! The one thread that changes what is remembered. Two admins at once are served one after the
//! other; an answer means that the change has reached the disk (F19).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{io, thread};

use async_channel::{Receiver, Sender};
use bytes::Bytes;
use riverrun_storage::disk::{Store, StoreError, StreamKeyRow};
use riverrun_web::admin::{EmojiUpload, Picture};
use riverrun_web::settings::{Setting, SettingError, Settings, StreamKey};
use thiserror::Error;

use super::{EMOJI_MAX, State, StateBoard, StateError, files};
use crate::config::{Config, Secret};
use crate::ladder::{LadderControl, LadderRefused};
use crate::publish::Outlets;
use crate::shard::ShardMessage;
use crate::thread_wait::{block_on, block_on_until};

/// Changes that may wait for the disk. Beyond it the API asks to come again.
const QUEUE_CHANGES: usize = 64;

/// How long an answer waits for shards to show a change that is on the disk already. One that takes
/// longer hangs, and the others must not wait with it.
const SHOWN_TIME_MAX: Duration = Duration::from_millis(100);

/// What is to change.
#[derive(Debug)]
pub enum Change {
    /// A setting, by the body of its setter.
    Setting(&'static Setting, Bytes),
    /// All stream keys.
    StreamKeys(Vec<StreamKey>),
    /// The hash of the admin's password.
    PasswordHash(Secret),
    /// The hash of the admin's password was stored by somebody else.
    PasswordStored,
    /// The logo.
    Logo(Picture),
    /// The page's icon; `None` brings ours back.
    Favicon(Option<Picture>),
    /// One emoji more.
    Emoji(EmojiUpload),
    /// One emoji less, by the name of its file.
    RemoveEmoji(String),
}

/// Why nothing was changed.
#[derive(Debug, Error)]
pub enum ChangeError {
    /// The value is not taken.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// They cannot be made of what is on air.
    #[error(transparent)]
    Renditions(#[from] LadderRefused),
    /// The API may not change this one.
    #[error("this is set by {0}, where it has to be changed")]
    Locked(&'static str),
    /// There is an emoji of this name.
    #[error("there is an emoji {0:?} already")]
    EmojiExists(String),
    /// There is none.
    #[error("there is no emoji {0:?}")]
    NoEmoji(String),
    /// There are as many as there may be.
    #[error("there are {EMOJI_MAX} emoji already; remove one first")]
    EmojiFull,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The disk failed.
    #[error("the file could not be written: {0}")]
    File(#[from] io::Error),
    /// The server stops, or more is waiting than should.
    #[error("the server cannot take this change now; try again")]
    Busy,
}

impl ChangeError {
    /// It is not the client's fault.
    #[must_use]
    pub const fn is_ours(&self) -> bool {
        matches!(self, Self::Store(_) | Self::File(_))
    }
}

/// What a change comes to: a sentence.
type Answer = Result<&'static str, ChangeError>;

/// The way to the thread.
#[derive(Clone, Debug)]
pub struct Writer(Sender<(Change, Sender<Answer>)>);

impl Writer {
    /// Carries out a change; the answer when it is on the disk and on its way to every shard.
    pub async fn change(&self, change: Change) -> Answer {
        let (sender, answer) = async_channel::bounded(1);
        self.0.try_send((change, sender)).map_err(|_| ChangeError::Busy)?;
        answer.recv().await.unwrap_or(Err(ChangeError::Busy))
    }

    /// The same on a thread that may wait.
    pub fn change_blocking(&self, change: Change) -> Answer {
        block_on(self.change(change))
    }

    /// Changes end with an error: for tests without a store.
    #[must_use]
    pub fn closed() -> Self {
        Self(async_channel::bounded(1).0)
    }

    /// Starts the thread. It ends when nobody can send to it any more.
    pub fn start(
        store: Arc<Store>,
        data: PathBuf,
        board: StateBoard,
        outlets: Outlets,
        ladder: Option<LadderControl>,
    ) -> io::Result<Self> {
        let (sender, inbox) = async_channel::bounded(QUEUE_CHANGES);
        let desk = Desk { store, data, board, outlets, ladder };
        thread::Builder::new().name("writer".to_owned()).spawn(move || desk.run(&inbox))?;
        Ok(Self(sender))
    }
}

impl State {
    /// What the data folder remembers, below what the configuration decides.
    pub fn load(store: &Store, config: &Config) -> Result<Self, StateError> {
        let mut state = Self::empty();
        let rows = store.settings()?;
        let rows = rows.iter().map(|(key, json)| (key.as_str(), json.as_slice()));
        let (settings, refused) = Settings::load(rows);
        for (key, reason) in refused {
            tracing::warn!(key, %reason, "a stored setting is left at its default");
        }
        state.settings = settings;
        state.read_secrets(store)?;
        state.logo = files::read_logo(&config.data);
        state.favicon = files::read_favicon(&config.data);
        let unreadable = |source| StateError::Files { path: config.data.clone(), source };
        state.emoji = files::read_emoji(&config.data).map_err(unreadable)?;
        state.lock(config);
        state.show();
        Ok(state)
    }

    /// Stream keys and the hash of the password as they are stored now.
    pub fn read_secrets(&mut self, store: &Store) -> Result<(), StateError> {
        self.stream_keys = store.stream_keys()?.into_iter().map(key_of).collect();
        self.password_hash = store.admin_password_hash()?.map(Secret::new);
        Ok(())
    }

    /// File name of the logo.
    #[must_use]
    pub fn logo_name(&self) -> String {
        self.logo.as_ref().map_or_else(|| "logo.svg".to_owned(), |logo| files::logo_name(logo.kind))
    }
}

/// What the thread has.
struct Desk {
    store: Arc<Store>,
    data: PathBuf,
    board: StateBoard,
    outlets: Outlets,
    /// Unless the configuration decides which renditions are made.
    ladder: Option<LadderControl>,
}

impl Desk {
    fn run(&self, inbox: &Receiver<(Change, Sender<Answer>)>) {
        while let Ok((change, answer)) = inbox.recv_blocking() {
            let result = self.carry_out(change);
            if let Err(error) = &result
                && error.is_ours()
            {
                tracing::error!(%error, "a change could not be kept");
            }
            // Whoever asked may have left.
            let _ = answer.try_send(result);
        }
    }

    fn carry_out(&self, change: Change) -> Answer {
        let mut state = self.board.state().copy();
        let done = self.apply(&mut state, change)?;
        state.show();
        let state = Arc::new(state);
        self.board.put(Arc::clone(&state));
        let (taken, shown) = async_channel::bounded(1);
        block_on(self.outlets.tell(&ShardMessage::State(state, taken)));
        // Closed when every shard has it: whoever is answered reads back what they set.
        let _ = block_on_until(Instant::now() + SHOWN_TIME_MAX, shown.recv());
        Ok(done)
    }

    /// Disk first: what is shown is kept.
    fn apply(&self, state: &mut State, change: Change) -> Answer {
        match change {
            Change::Setting(setting, body) => {
                let before = state.ladder();
                setting.change(&mut state.settings, &body)?;
                let after = state.ladder();
                let ladder = self.ladder.as_ref().filter(|_| before != after);
                if let Some(ladder) = ladder {
                    ladder.set(after.unwrap_or_default())?;
                }
                let kept = self.store.put_setting(setting.key, &setting.to_stored(&state.settings));
                if let (Err(_), Some(ladder)) = (&kept, ladder) {
                    // What was in force a moment ago can be made.
                    let _ = ladder.set(before.unwrap_or_default());
                }
                kept?;
                Ok(setting.changed())
            }
            Change::StreamKeys(keys) => {
                let rows: Vec<_> = keys.iter().cloned().map(row_of).collect();
                self.store.put_stream_keys(&rows)?;
                state.stream_keys = keys;
                Ok(match state.stream_key_override {
                    Some(_) => "changed; takes effect when the server starts without --stream-key",
                    None => "changed",
                })
            }
            Change::PasswordHash(hash) => {
                if let Some(by) = state.password_lock {
                    return Err(ChangeError::Locked(by));
                }
                self.store.put_admin_password_hash(hash.expose())?;
                state.password_hash = Some(hash);
                Ok("changed")
            }
            Change::PasswordStored => {
                state.password_hash = self.store.admin_password_hash()?.map(Secret::new);
                Ok("changed")
            }
            Change::Logo(picture) => {
                state.logo = Some(files::write_logo(&self.data, picture)?);
                Ok("changed")
            }
            Change::Favicon(Some(picture)) => {
                state.favicon = Some(files::write_favicon(&self.data, picture)?);
                Ok("changed")
            }
            Change::Favicon(None) => {
                files::remove_favicon(&self.data)?;
                state.favicon = None;
                Ok("the icon is ours again")
            }
            Change::Emoji(EmojiUpload { file, picture }) => {
                if state.emoji.contains_key(&file) {
                    return Err(ChangeError::EmojiExists(file));
                }
                if state.emoji.len() >= EMOJI_MAX {
                    return Err(ChangeError::EmojiFull);
                }
                let picture = files::write_emoji(&self.data, &file, picture)?;
                state.emoji.insert(file, picture);
                Ok("the emoji was added")
            }
            Change::RemoveEmoji(file) => {
                if state.emoji.remove(&file).is_none() {
                    return Err(ChangeError::NoEmoji(file));
                }
                files::remove_emoji(&self.data, &file)?;
                Ok("the emoji was removed")
            }
        }
    }
}

fn key_of(row: StreamKeyRow) -> StreamKey {
    StreamKey { key: row.stream_key, comment: row.comment }
}

fn row_of(key: StreamKey) -> StreamKeyRow {
    StreamKeyRow { stream_key: key.key, comment: key.comment }
}

#[cfg(test)]
mod tests {
    use super::*;
    use riverrun_media::ladder::LadderSetting;
    use riverrun_web::settings;

    fn writer(folder: &std::path::Path) -> (Writer, StateBoard, Receiver<ShardMessage>) {
        with_ladder(folder, None)
    }

    fn with_ladder(
        folder: &std::path::Path,
        ladder: Option<LadderControl>,
    ) -> (Writer, StateBoard, Receiver<ShardMessage>) {
        let store = Arc::new(Store::open(folder).unwrap());
        let (outlets, mut inboxes) = Outlets::new(1);
        let board = StateBoard::new(State::empty());
        let writer =
            Writer::start(store, folder.to_owned(), board.clone(), outlets, ladder).unwrap();
        (writer, board, inboxes.remove(0))
    }

    fn name(writer: &Writer, body: &'static str) -> Answer {
        let setting = settings::find("name").unwrap();
        writer.change_blocking(Change::Setting(setting, Bytes::from_static(body.as_bytes())))
    }

    #[test]
    fn a_change_is_kept_before_it_is_answered_and_every_shard_hears_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, board, inbox) = writer(folder.path());
        assert_eq!(name(&writer, r#"{"value":"North"}"#).unwrap(), "changed");
        assert_eq!(board.state().settings.instance.name, "North");
        let Ok(ShardMessage::State(told, _)) = inbox.try_recv() else { panic!("nothing was told") };
        assert!(String::from_utf8_lossy(&told.shown.config_json).contains("North"));
        // A refused one changes nothing and tells nobody.
        assert!(name(&writer, r#"{"value":7}"#).is_err());
        assert!(inbox.try_recv().is_err());
        assert_eq!(board.state().settings.instance.name, "North");
    }

    #[test]
    fn variants_are_in_force_at_once_unless_they_are_configured() {
        let body = r#"{"value":[{"videoPassthrough":true,"name":"own"}]}"#;
        let setting = settings::find("video/streamoutputvariants").unwrap();
        for configured in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let ladder = LadderControl::new(LadderSetting::Automatic, 2);
            let set = (!configured).then(|| ladder.clone());
            let (writer, board, _inbox) = with_ladder(folder.path(), set);
            let change = Change::Setting(setting, Bytes::from_static(body.as_bytes()));
            writer.change_blocking(change).unwrap();
            assert_eq!(board.state().ladder().unwrap().to_string(), "source");
            let wanted = if configured { "auto" } else { "source" };
            assert_eq!(ladder.setting().to_string(), wanted);
        }
    }

    #[test]
    fn emoji_are_added_once_and_removed_once() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, board, _inbox) = writer(folder.path());
        let upload = || {
            let kind = riverrun_web::admin::PictureKind::Gif;
            let picture = Picture { kind, bytes: b"GIF89a".to_vec() };
            Change::Emoji(EmojiUpload { file: "a.gif".to_owned(), picture })
        };
        let remove = || Change::RemoveEmoji("a.gif".to_owned());
        assert!(writer.change_blocking(upload()).is_ok());
        assert!(matches!(writer.change_blocking(upload()), Err(ChangeError::EmojiExists(_))));
        assert_eq!(board.state().emoji.len(), 1);
        assert!(writer.change_blocking(remove()).is_ok());
        assert!(matches!(writer.change_blocking(remove()), Err(ChangeError::NoEmoji(_))));
        assert!(!folder.path().join("emoji/a.gif").exists());
    }
}
