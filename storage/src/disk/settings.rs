//! Settings and the history of broadcasts at rest.

use redb::{ReadableDatabase, ReadableTable, WriteTransaction};

use super::{Store, StoreError};
use crate::schema;

/// What outlives a broadcast and the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Most viewers at one time, ever.
    pub peak_overall: u64,
    /// Most viewers at one time in the last broadcast.
    pub peak_session: u64,
    /// End of the last broadcast, ms since 1970; `None` before the first has ended.
    pub last_disconnect_ms: Option<u64>,
}

impl Store {
    /// Every setting that has been set: name and JSON.
    pub fn settings(&self) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let table = self.db.begin_read()?.open_table(schema::SETTINGS)?;
        let rows = table.iter()?.map(|row| {
            let (key, value) = row?;
            Ok((key.value().to_owned(), value.value().to_owned()))
        });
        rows.collect()
    }

    /// Sets one setting.
    pub fn put_setting(&self, key: &str, json: &[u8]) -> Result<(), StoreError> {
        let transaction = self.begin_durable()?;
        transaction.open_table(schema::SETTINGS)?.insert(key, json)?;
        transaction.commit()?;
        Ok(())
    }

    /// What was kept of earlier broadcasts.
    pub fn history(&self) -> Result<History, StoreError> {
        let table = self.db.begin_read()?.open_table(schema::HISTORY)?;
        let number = |key| table.get(key).map(|row| row.map(|row| row.value()));
        Ok(History {
            peak_overall: number(schema::HISTORY_PEAK_OVERALL)?.unwrap_or(0),
            peak_session: number(schema::HISTORY_PEAK_SESSION)?.unwrap_or(0),
            last_disconnect_ms: number(schema::HISTORY_LAST_DISCONNECT_MS)?,
        })
    }

    /// Replaces what is kept of earlier broadcasts.
    pub fn put_history(&self, history: History) -> Result<(), StoreError> {
        let transaction = self.begin_durable()?;
        {
            let mut table = transaction.open_table(schema::HISTORY)?;
            table.insert(schema::HISTORY_PEAK_OVERALL, history.peak_overall)?;
            table.insert(schema::HISTORY_PEAK_SESSION, history.peak_session)?;
            if let Some(at) = history.last_disconnect_ms {
                table.insert(schema::HISTORY_LAST_DISCONNECT_MS, at)?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// A transaction for bytes that clients chose: two phases keep a crafted value from passing for
    /// a commit when power fails in the middle (redb's own advice for hostile input).
    pub(super) fn begin_durable(&self) -> Result<WriteTransaction, StoreError> {
        let mut transaction = self.db.begin_write()?;
        transaction.set_two_phase_commit(true);
        Ok(transaction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_and_history_survive_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let history = History { peak_overall: 7, peak_session: 3, last_disconnect_ms: Some(1_000) };
        {
            let store = Store::open(folder.path()).unwrap();
            assert_eq!(store.history().unwrap(), History::default());
            store.put_setting("server_name", b"\"first\"").unwrap();
            store.put_setting("server_name", b"\"North\"").unwrap();
            store.put_setting("nsfw", b"true").unwrap();
            store.put_history(history).unwrap();
        }
        let store = Store::open(folder.path()).unwrap();
        let rows = store.settings().unwrap();
        let rows: Vec<_> = rows.iter().map(|(key, json)| (key.as_str(), json.as_slice())).collect();
        assert_eq!(rows, [("nsfw", &b"true"[..]), ("server_name", b"\"North\"")]);
        assert_eq!(store.history().unwrap(), history);
    }
}
