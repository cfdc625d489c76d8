//! Live HLS with low latency: access units in, playlists and media out (HLS; PL-*, AL-*, LL-*).
//!
//! ```text
//! ingest shard                                       every shard
//! AccessUnit ─▶ Segmenter ─▶ Update ── one send per shard ──▶ Window ◀── playlist? media?
//!                 cutter: where segments begin                 reload: now, wait or refuse
//!                 alignment: two tracks, one numbering         playlist: text
//!                 leader, follower, rungs: what may be written, and when
//!                 rendition_writer: samples to parts
//! ```
//!
//! The promises kept between two answers of a [`Window`], and checked by the model test:
//!
//! - only the edits that HLS allows (PL-8); TARGETDURATION and PART-TARGET never change;
//! - no part longer than PART-TARGET, none in the middle of a segment shorter than 85 % of it,
//!   whatever the frame rate does (LL-1); no segment longer than TARGETDURATION, but for a rest of
//!   one audio unit that rounding takes away (PL-3);
//! - equal numbers mean equal content in all renditions, discontinuities included (AL-1, AL-4);
//! - whatever is listed can be fetched, and stays so for a while after it left (PL-12);
//! - the preload hint names the part that comes next, unless a keyframe comes or fails to come
//!   against the rhythm of those before (LL-10).

mod alignment;
#[cfg(any(test, feature = "fuzzing"))]
mod checker;
mod cutter;
mod follower;
mod frame_rate;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod leader;
mod limits;
mod lineup;
mod names;
mod part_target;
mod playlist;
mod reload;
mod rendition_writer;
mod rhythm;
mod rungs;
mod segmenter;
mod track_shape;
mod update;
mod window;

#[cfg(test)]
mod tests;

pub use lineup::{Boundary, Lineup, Rung};
pub use names::RenditionId;
pub use playlist::{DirectiveError, Directives, Snapshot};
pub use reload::WaitFor;
pub use rungs::Placed;
pub use segmenter::{Segmenter, SegmenterConfig};
pub use update::{
    Change, InitSection, Part, Presentation, Rendition, RenditionMedia, SegmentEnd, SegmentStart,
    Timeline, Update,
};
pub use window::{
    Answer, BroadcastState, MediaAnswer, MediaBody, RenditionStatus, Window, WindowConfig,
};
