//! What one message may still cost, and its table of values that references can name (AM-5).

use super::{Error, Value};
use crate::limits;

/// Counts values and repeated bytes of one message, across its switches to AMF3.
#[derive(Debug)]
pub(super) struct Budget {
    elements: usize,
    repeated: usize,
}

impl Budget {
    pub(super) const fn new() -> Self {
        Self { elements: limits::AMF_ELEMENTS_MAX, repeated: limits::AMF_REFERENCED_BYTES_MAX }
    }

    /// Pays for `count` values.
    pub(super) fn spend_elements(&mut self, count: usize) -> Result<(), Error> {
        self.elements = self.elements.checked_sub(count).ok_or(Error::TooManyElements)?;
        Ok(())
    }

    /// Pays for bytes that stand once on the wire and again in memory.
    pub(super) fn spend_repeated(&mut self, bytes: usize) -> Result<(), Error> {
        self.repeated = self.repeated.checked_sub(bytes).ok_or(Error::TooMuchRepeated)?;
        Ok(())
    }
}

/// Complex values in the order in which they began. A value still being read, and one that no
/// longer fits the table, holds its place as `None`; naming it gives null.
#[derive(Debug)]
pub(super) struct References {
    values: Vec<Option<Value>>,
    room: usize,
}

impl References {
    pub(super) const fn new() -> Self {
        Self { values: Vec::new(), room: limits::AMF_REFERENCED_BYTES_MAX }
    }

    /// A complex value begins.
    pub(super) fn open(&mut self) -> usize {
        self.values.push(None);
        self.values.len() - 1
    }

    /// The value that began as `index` is complete.
    pub(super) fn close(&mut self, index: usize, value: &Value) {
        let weight = value.weight();
        if let (Some(place), Some(room)) =
            (self.values.get_mut(index), self.room.checked_sub(weight))
        {
            *place = Some(value.clone());
            self.room = room;
        }
    }

    /// The value a reference names; null when there is none (AM-5).
    pub(super) fn get(&self, index: usize, budget: &mut Budget) -> Result<Value, Error> {
        let Some(Some(value)) = self.values.get(index) else { return Ok(Value::Null) };
        budget.spend_elements(value.elements() - 1)?;
        budget.spend_repeated(value.weight())?;
        Ok(value.clone())
    }
}
