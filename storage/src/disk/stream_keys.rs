//! Stream keys at rest.

use redb::{ReadableDatabase, ReadableTable};

use super::{Store, StoreError};
use crate::schema;

/// One stream key.
#[derive(Clone, PartialEq, Eq)]
pub struct StreamKeyRow {
    /// The secret itself.
    pub stream_key: String,
    /// The operator's note.
    pub comment: String,
}

/// Prints the comment only: a key never reaches a log.
impl std::fmt::Debug for StreamKeyRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamKeyRow").field("comment", &self.comment).finish_non_exhaustive()
    }
}

impl Store {
    /// Every stream key, in the operator's order.
    pub fn stream_keys(&self) -> Result<Vec<StreamKeyRow>, StoreError> {
        let table = self.db.begin_read()?.open_table(schema::STREAM_KEYS)?;
        let rows = table.iter()?.map(|row| {
            let (_, row) = row?;
            let (stream_key, comment) = row.value();
            Ok(StreamKeyRow { stream_key: stream_key.to_owned(), comment: comment.to_owned() })
        });
        rows.collect()
    }

    /// Replaces all stream keys.
    pub fn put_stream_keys(&self, rows: &[StreamKeyRow]) -> Result<(), StoreError> {
        let transaction = self.begin_durable()?;
        transaction.delete_table(schema::STREAM_KEYS)?;
        {
            let mut table = transaction.open_table(schema::STREAM_KEYS)?;
            for (place, row) in (0_u32..).zip(rows) {
                table.insert(place, (row.stream_key.as_str(), row.comment.as_str()))?;
            }
        }
        transaction.commit()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(stream_key: &str, comment: &str) -> StreamKeyRow {
        StreamKeyRow { stream_key: stream_key.to_owned(), comment: comment.to_owned() }
    }

    #[test]
    fn the_order_is_kept_and_the_whole_list_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let first = [row("zebra-key", "one"), row("apple-key", "two"), row("mango-key", "")];
        store.put_stream_keys(&first).unwrap();
        assert_eq!(store.stream_keys().unwrap(), first);
        let second = [row("mango-key", "kept")];
        store.put_stream_keys(&second).unwrap();
        assert_eq!(store.stream_keys().unwrap(), second);
    }

    #[test]
    fn keys_are_not_printed() {
        assert!(!format!("{:?}", row("s3cret", "obs")).contains("s3cret"));
    }
}
