//! What was measured over time, at rest: blocks in the places of their rings.

use redb::{ReadOnlyTable, ReadableDatabase, TableError};

use super::settings::put_history;
use super::{History, Store, StoreError};
use crate::schema;

/// A block and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeasuredBlock {
    /// Seconds of a point of its ring.
    pub step_seconds: u32,
    /// Number of the block in the ring.
    pub place: u32,
    /// What is kept.
    pub bytes: Vec<u8>,
}

/// All blocks as they were at one moment.
pub struct MeasuredBlocks(Option<ReadOnlyTable<u64, &'static [u8]>>);

impl MeasuredBlocks {
    /// The block in this place, if there is one.
    pub fn get(&self, step_seconds: u32, place: u32) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(table) = &self.0 else { return Ok(None) };
        Ok(table.get(key(step_seconds, place))?.map(|bytes| bytes.value().to_owned()))
    }
}

impl Store {
    /// Everything that was measured.
    pub fn measured(&self) -> Result<MeasuredBlocks, StoreError> {
        match self.db.begin_read()?.open_table(schema::MEASURED) {
            Ok(table) => Ok(MeasuredBlocks(Some(table))),
            // Nothing was ever kept.
            Err(TableError::TableDoesNotExist(_)) => Ok(MeasuredBlocks(None)),
            Err(error) => Err(error.into()),
        }
    }

    /// Puts blocks into their places and replaces what is kept of broadcasts: one commit, so that
    /// a minute costs the disk one.
    pub fn put_measured(
        &self,
        history: History,
        blocks: &[MeasuredBlock],
    ) -> Result<(), StoreError> {
        let transaction = self.begin_durable()?;
        put_history(&transaction, history)?;
        {
            let mut table = transaction.open_table(schema::MEASURED)?;
            for block in blocks {
                let key = key(block.step_seconds, block.place);
                table.insert(key, block.bytes.as_slice())?;
            }
        }
        transaction.commit()?;
        Ok(())
    }
}

fn key(step_seconds: u32, place: u32) -> u64 {
    u64::from(step_seconds) << 32 | u64::from(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_take_the_place_of_older_ones_and_survive_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let block = |step_seconds, place, bytes: &[u8]| MeasuredBlock {
            step_seconds,
            place,
            bytes: bytes.to_owned(),
        };
        let history = History { peak_overall: 5, ..History::default() };
        {
            let store = Store::open(folder.path()).unwrap();
            assert_eq!(store.measured().unwrap().get(1, 0).unwrap(), None);
            let before = [block(1, 0, b"old"), block(60, 0, b"minutes"), block(60, 8_759, b"")];
            store.put_measured(history, &before).unwrap();
            let shown = store.measured().unwrap();
            store.put_measured(history, &[block(1, 0, b"new")]).unwrap();
            // Who reads sees one moment.
            assert_eq!(shown.get(1, 0).unwrap().as_deref(), Some(&b"old"[..]));
        }
        let store = Store::open(folder.path()).unwrap();
        let shown = store.measured().unwrap();
        for (step, place, bytes) in [
            (1, 0, Some(&b"new"[..])),
            (60, 0, Some(b"minutes")),
            (60, 8_759, Some(b"")),
            (10, 0, None),
        ] {
            assert_eq!(shown.get(step, place).unwrap().as_deref(), bytes);
        }
        assert_eq!(store.history().unwrap(), history);
    }
}
