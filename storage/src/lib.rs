//! Bytes at rest.
//!
//! [`schema`] names every table, [`disk`] is the shell that opens the file and runs transactions.
//! Calls into [`disk::Store`] wait for the disk: they run at start-up or off the serving shards.

pub mod disk;
pub mod schema;
