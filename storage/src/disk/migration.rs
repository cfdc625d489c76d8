//! From an older shape of the file to the present one, in one transaction: a start that is cut
//! short leaves the old file as it was.

use redb::{Database, ReadableDatabase, ReadableTable, WriteTransaction};

use super::StoreError;
use crate::schema;

/// Makes what is missing and returns the version found before; writes only when something is, so
/// that an ordinary start costs no fsync. A newer file is left alone.
pub(super) fn prepare(db: &Database) -> Result<u64, StoreError> {
    let found = version(db)?;
    if found.is_some_and(|found| found >= schema::VERSION) {
        return Ok(found.unwrap_or_default());
    }
    let mut transaction = db.begin_write()?;
    // A torn page of a file that somebody else wrote into must not pass for a commit.
    transaction.set_two_phase_commit(true);
    if found == Some(1) {
        order_stream_keys(&transaction)?;
    }
    transaction.open_table(schema::META)?.insert(schema::META_VERSION, schema::VERSION)?;
    transaction.open_table(schema::STREAM_KEYS)?;
    transaction.open_table(schema::PASSWORD_HASHES)?;
    transaction.open_table(schema::COUNTERS)?;
    transaction.open_table(schema::SETTINGS)?;
    transaction.open_table(schema::HISTORY)?;
    transaction.commit()?;
    Ok(schema::VERSION)
}

fn version(db: &Database) -> Result<Option<u64>, StoreError> {
    // Without the table the file is new.
    let Ok(meta) = db.begin_read()?.open_table(schema::META) else { return Ok(None) };
    Ok(meta.get(schema::META_VERSION)?.map(|version| version.value()))
}

/// Version 1 to 2: stream keys get the order in which their table gave them.
fn order_stream_keys(transaction: &WriteTransaction) -> Result<(), StoreError> {
    {
        let old = transaction.open_table(schema::STREAM_KEYS_1)?;
        let mut ordered = transaction.open_table(schema::STREAM_KEYS)?;
        for (place, row) in (0_u32..).zip(old.iter()?) {
            let (stream_key, comment) = row?;
            ordered.insert(place, (stream_key.value(), comment.value()))?;
        }
    }
    transaction.delete_table(schema::STREAM_KEYS_1)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{FILE_NAME, Store, StreamKeyRow};
    use super::*;

    #[test]
    fn a_file_of_version_1_keeps_all_it_has() {
        let folder = tempfile::tempdir().unwrap();
        {
            let db = Database::create(folder.path().join(FILE_NAME)).unwrap();
            let transaction = db.begin_write().unwrap();
            {
                let mut meta = transaction.open_table(schema::META).unwrap();
                meta.insert(schema::META_VERSION, 1).unwrap();
                let mut keys = transaction.open_table(schema::STREAM_KEYS_1).unwrap();
                keys.insert("key-of-obs", "obs").unwrap();
                keys.insert("a-second-key", "").unwrap();
                let mut hashes = transaction.open_table(schema::PASSWORD_HASHES).unwrap();
                hashes.insert(schema::PASSWORD_ADMIN, "$argon2id$x").unwrap();
                let mut counters = transaction.open_table(schema::COUNTERS).unwrap();
                counters.insert(schema::COUNTER_NEXT_MSN, 77).unwrap();
            }
            transaction.commit().unwrap();
        }
        for _ in 0..2 {
            let store = Store::open(folder.path()).unwrap();
            let keys = store.stream_keys().unwrap();
            let texts: Vec<_> =
                keys.iter().map(|k| (k.stream_key.as_str(), k.comment.as_str())).collect();
            assert_eq!(texts, [("a-second-key", ""), ("key-of-obs", "obs")]);
            assert_eq!(store.admin_password_hash().unwrap().as_deref(), Some("$argon2id$x"));
            assert!(store.reserve(1, 1, 0).unwrap().first_msn >= 77);
            assert_eq!(store.settings().unwrap(), []);
        }
        let store = Store::open(folder.path()).unwrap();
        let row = StreamKeyRow { stream_key: "new".into(), comment: "first".into() };
        store.put_stream_keys(std::slice::from_ref(&row)).unwrap();
        assert_eq!(store.stream_keys().unwrap(), [row]);
    }
}
