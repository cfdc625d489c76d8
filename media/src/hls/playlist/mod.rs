//! Text of the playlists, and the question a viewer asks with a request for one.

pub(super) mod directives;
pub(super) mod media;
pub(super) mod multivariant;
mod snapshot;
pub(super) mod tag;

pub use directives::{DirectiveError, Directives};
pub use snapshot::Snapshot;
