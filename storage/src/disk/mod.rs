//! The redb file of one data folder. Every call waits for the disk; a change has reached it when
//! the call returns.

mod measured;
mod migration;
mod settings;
mod stream_keys;

use std::path::{Path, PathBuf};

use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError};
use thiserror::Error;

pub use self::measured::{MeasuredBlock, MeasuredBlocks};
pub use self::settings::History;
pub use self::stream_keys::StreamKeyRow;
use crate::schema;

/// Name of the store's file inside the data folder.
pub const FILE_NAME: &str = "riverrun.redb";

/// Page cache of redb, in bytes. The tables are small; redb's default of 1 GiB is for large stores.
const CACHE_BYTES: usize = 4 << 20;

/// Why the store could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The data folder cannot be made or entered.
    #[error("the data folder {path} cannot be used: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process has the file open.
    #[error("{path} is in use: another riverrun runs on this data folder")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a newer version.
    #[error(
        "{path} has schema version {found}, this program knows up to {known}: start the newer one"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Version in the file.
        found: u64,
        /// Newest version this program reads.
        known: u64,
    },
    /// redb refused the file.
    #[error("{path} cannot be opened: {source}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// redb's words.
        source: Box<redb::Error>,
    },
}

/// A transaction that failed. Nothing of it was kept.
#[derive(Debug, Error)]
#[error("the store failed: {0}")]
pub struct StoreError(Box<redb::Error>);

impl<E: Into<redb::Error>> From<E> for StoreError {
    fn from(error: E) -> Self {
        Self(Box::new(error.into()))
    }
}

/// The open store. One per process; share it by reference counting.
#[derive(Debug)]
pub struct Store {
    db: Database,
}

/// Numbers reserved for one broadcast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// First media sequence number that is the caller's.
    pub first_msn: u64,
    /// First discontinuity sequence number that is the caller's.
    pub first_discontinuity: u64,
}

impl Store {
    /// Opens or creates the store in `folder`, which is made when missing.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        std::fs::create_dir_all(folder)
            .map_err(|source| OpenError::Folder { path: folder.to_owned(), source })?;
        let path = folder.join(FILE_NAME);
        let db =
            Database::builder().set_cache_size(CACHE_BYTES).create(&path).map_err(|error| {
                match error {
                    DatabaseError::DatabaseAlreadyOpen => OpenError::InUse { path: path.clone() },
                    DatabaseError::Storage(StorageError::Io(source))
                        if source.kind() == std::io::ErrorKind::PermissionDenied =>
                    {
                        OpenError::Folder { path: folder.to_owned(), source }
                    }
                    other => {
                        OpenError::Damaged { path: path.clone(), source: Box::new(other.into()) }
                    }
                }
            })?;
        restrict_to_owner(&path)?;
        let store = Self { db };
        let found = migration::prepare(&store.db)
            .map_err(|StoreError(source)| OpenError::Damaged { path: path.clone(), source })?;
        if found > schema::VERSION {
            return Err(OpenError::Newer { path, found, known: schema::VERSION });
        }
        Ok(store)
    }

    /// PHC string of the admin's password.
    pub fn admin_password_hash(&self) -> Result<Option<String>, StoreError> {
        let table = self.db.begin_read()?.open_table(schema::PASSWORD_HASHES)?;
        Ok(table.get(schema::PASSWORD_ADMIN)?.map(|hash| hash.value().to_owned()))
    }

    /// Replaces the PHC string of the admin's password.
    pub fn put_admin_password_hash(&self, hash: &str) -> Result<(), StoreError> {
        let transaction = self.db.begin_write()?;
        transaction.open_table(schema::PASSWORD_HASHES)?.insert(schema::PASSWORD_ADMIN, hash)?;
        transaction.commit()?;
        Ok(())
    }

    /// Takes `msns` media sequence numbers and `discontinuities` discontinuity sequence numbers out
    /// of use for ever, durably, before the first of them is shown to a player (PL-6).
    ///
    /// `floor` is the lowest first number to hand out. A caller that passes a number which rises
    /// with the clock keeps names unique for caches even when the data folder was deleted.
    pub fn reserve(
        &self,
        msns: u64,
        discontinuities: u64,
        floor: u64,
    ) -> Result<Reservation, StoreError> {
        let transaction = self.db.begin_write()?;
        let reservation = {
            let mut counters = transaction.open_table(schema::COUNTERS)?;
            let stored = |value: Option<redb::AccessGuard<'_, u64>>| value.map_or(0, |v| v.value());
            let first_msn = stored(counters.get(schema::COUNTER_NEXT_MSN)?).max(floor).max(1);
            let first_discontinuity = stored(counters.get(schema::COUNTER_NEXT_DISCONTINUITY)?);
            counters.insert(schema::COUNTER_NEXT_MSN, first_msn.saturating_add(msns))?;
            counters.insert(
                schema::COUNTER_NEXT_DISCONTINUITY,
                first_discontinuity.saturating_add(discontinuities),
            )?;
            Reservation { first_msn, first_discontinuity }
        };
        transaction.commit()?;
        Ok(reservation)
    }

    /// Makes sure that every media sequence number below `msn` counts as used.
    pub fn extend_reservation(&self, msn: u64) -> Result<(), StoreError> {
        let transaction = self.db.begin_write()?;
        {
            let mut counters = transaction.open_table(schema::COUNTERS)?;
            let stored = counters.get(schema::COUNTER_NEXT_MSN)?.map_or(0, |v| v.value());
            counters.insert(schema::COUNTER_NEXT_MSN, stored.max(msn))?;
        }
        transaction.commit()?;
        Ok(())
    }
}

/// The file holds stream keys: nobody but its owner reads it.
fn restrict_to_owner(path: &Path) -> Result<(), OpenError> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
        .map_err(|source| OpenError::Folder { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_numbers_survive_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let row = StreamKeyRow { stream_key: "s3cret".into(), comment: "first".into() };
        {
            let store = Store::open(folder.path()).unwrap();
            assert_eq!(store.stream_keys().unwrap(), []);
            store.put_stream_keys(std::slice::from_ref(&row)).unwrap();
            store.put_admin_password_hash("$argon2id$x").unwrap();
            let first = store.reserve(100, 10, 1_000).unwrap();
            assert_eq!(first, Reservation { first_msn: 1_000, first_discontinuity: 0 });
            store.extend_reservation(1_500).unwrap();
        }
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(store.stream_keys().unwrap(), [row]);
        assert_eq!(store.admin_password_hash().unwrap().as_deref(), Some("$argon2id$x"));
        let second = store.reserve(1, 1, 0).unwrap();
        assert_eq!(second, Reservation { first_msn: 1_500, first_discontinuity: 10 });
    }

    #[test]
    fn a_second_server_on_the_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let _open = Store::open(folder.path()).unwrap();
        assert!(matches!(Store::open(folder.path()), Err(OpenError::InUse { .. })));
    }

    #[test]
    fn damaged_and_newer_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE_NAME), vec![7; 9_000]).unwrap();
        assert!(matches!(Store::open(folder.path()), Err(OpenError::Damaged { .. })));

        let folder = tempfile::tempdir().unwrap();
        {
            let store = Store::open(folder.path()).unwrap();
            let transaction = store.db.begin_write().unwrap();
            transaction
                .open_table(schema::META)
                .unwrap()
                .insert(schema::META_VERSION, schema::VERSION + 1)
                .unwrap();
            transaction.commit().unwrap();
        }
        assert!(matches!(Store::open(folder.path()), Err(OpenError::Newer { found: 3, .. })));
    }
}
