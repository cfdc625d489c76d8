//! What a log may say of a session.

use std::fmt;

use super::Session;

/// Leaves out every buffer: unread bytes may hold the stream key (AU-3).
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("awaited", &self.wait.awaited)
            .field("finished", &self.is_finished())
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}
