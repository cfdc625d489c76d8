//! A body that lies elsewhere, as a file does, and is read piece by piece while it is sent: however
//! long it is, a connection holds one piece of it.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

/// A piece, or why there is none.
pub type Reading = Pin<Box<dyn Future<Output = io::Result<Bytes>>>>;

/// Where a stored body is read from.
pub trait ReadAt: Send + Sync {
    /// Up to `length` bytes from `offset` on, at least one. An error, the end of what is stored
    /// included, ends the connection: its head has promised more.
    fn read_at(&self, offset: u64, length: usize) -> Reading;
}

/// A run of bytes of something stored.
#[derive(Clone)]
pub struct Stored {
    source: Arc<dyn ReadAt>,
    first: u64,
    length: u64,
}

/// Bytes read at once. A send buffer takes about as much; a connection holds it in memory.
const PIECE_BYTES: u64 = 256 << 10;

impl Stored {
    /// The first `length` bytes of `source`.
    #[must_use]
    pub const fn new(source: Arc<dyn ReadAt>, length: u64) -> Self {
        Self { source, first: 0, length }
    }

    /// How many bytes it has.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.length
    }

    /// Whether it has none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Its first piece: as much as is sent at once.
    #[must_use]
    pub fn read(&self) -> Reading {
        let length = usize::try_from(self.length.min(PIECE_BYTES)).unwrap_or(0);
        self.source.read_at(self.first, length)
    }

    /// The bytes `first..=last` of it. Both lie inside.
    pub(super) fn slice(&self, first: u64, last: u64) -> Self {
        let length = last.saturating_sub(first).saturating_add(1).min(self.length);
        Self { source: Arc::clone(&self.source), first: self.first + first, length }
    }

    /// Without its first `bytes`.
    pub(super) fn skip(&mut self, bytes: u64) {
        self.first += bytes;
        self.length = self.length.saturating_sub(bytes);
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, length, .. } = self;
        f.debug_struct("Stored").field("first", first).field("length", length).finish()
    }
}
