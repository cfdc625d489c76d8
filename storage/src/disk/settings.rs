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
    /// When a broadcast was seen on air last, ms since 1970; `None` when none is.
    pub on_air_ms: Option<u64>,
}

/// A start so soon after a broadcast continues to count its peak of viewers (API §5.1), ms.
const SESSION_MEMORY_MS: u64 = 5 * 60 * 1_000;

impl History {
    /// What is true at a start: a broadcast that a crash ended has ended when it was seen last, and
    /// the peak of one that is long over is nobody's.
    #[must_use]
    pub fn at_start(self, now_ms: u64) -> Self {
        let last_disconnect_ms = self.last_disconnect_ms.max(self.on_air_ms);
        let is_recent = last_disconnect_ms
            .is_some_and(|ended_ms| now_ms.saturating_sub(ended_ms) <= SESSION_MEMORY_MS);
        let peak_session = if is_recent { self.peak_session } else { 0 };
        Self { peak_session, last_disconnect_ms, on_air_ms: None, ..self }
    }
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
            on_air_ms: number(schema::HISTORY_ON_AIR_MS)?,
        })
    }

    /// Replaces what is kept of earlier broadcasts.
    pub fn put_history(&self, history: History) -> Result<(), StoreError> {
        let transaction = self.begin_durable()?;
        put_history(&transaction, history)?;
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

pub(super) fn put_history(
    transaction: &WriteTransaction,
    history: History,
) -> Result<(), StoreError> {
    let mut table = transaction.open_table(schema::HISTORY)?;
    table.insert(schema::HISTORY_PEAK_OVERALL, history.peak_overall)?;
    table.insert(schema::HISTORY_PEAK_SESSION, history.peak_session)?;
    for (key, at_ms) in [
        (schema::HISTORY_LAST_DISCONNECT_MS, history.last_disconnect_ms),
        (schema::HISTORY_ON_AIR_MS, history.on_air_ms),
    ] {
        match at_ms {
            Some(at_ms) => table.insert(key, at_ms)?,
            None => table.remove(key)?,
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_and_history_survive_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let history = History {
            peak_overall: 7,
            peak_session: 3,
            last_disconnect_ms: Some(1_000),
            on_air_ms: Some(2_000),
        };
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
        store.put_history(History { on_air_ms: None, ..history }).unwrap();
        assert_eq!(store.history().unwrap().on_air_ms, None);
    }

    #[test]
    fn a_start_knows_when_a_broadcast_ended_that_a_crash_cut() {
        let peaks = History { peak_overall: 7, peak_session: 3, ..History::default() };
        for (ended, on_air, now, known, session) in [
            (None, None, 1_000_000, None, 0),
            (Some(900_000), None, 1_000_000, Some(900_000), 3),
            (Some(900_000), None, 1_200_001, Some(900_000), 0),
            (Some(10), Some(950_000), 1_000_000, Some(950_000), 3),
            (None, Some(950_000), 9_000_000, Some(950_000), 0),
            // The clock was set back meanwhile.
            (Some(900_000), None, 5, Some(900_000), 3),
        ] {
            let history = History { last_disconnect_ms: ended, on_air_ms: on_air, ..peaks };
            let start = history.at_start(now);
            assert_eq!((start.last_disconnect_ms, start.peak_session), (known, session));
            assert_eq!((start.peak_overall, start.on_air_ms), (7, None));
        }
    }
}
