//! Which renditions are made of a source's pictures, and when they must start anew.

use std::sync::Arc;

use crate::access_unit::VideoTrack;
use crate::time::MediaTime;

/// The video renditions of a timeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lineup {
    /// The variant that is the source itself, as it came. Without one the source only decides where
    /// segments begin.
    pub source: Option<u8>,
    /// The source's own rendition is offered to nobody, and goes on for those who have it.
    pub hides_source: bool,
    /// The encoded ones, in the order of the multivariant playlist.
    pub rungs: Vec<Rung>,
}

impl Default for Lineup {
    /// The source as variant 0 and nothing else.
    fn default() -> Self {
        Self { source: Some(0), hides_source: false, rungs: Vec::new() }
    }
}

/// An encoded rendition of the source's pictures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rung {
    /// Number of the variant.
    pub variant: u8,
    /// What its encoder makes.
    pub track: Arc<VideoTrack>,
}

/// Where a segment begins in every rendition: encoders make the first picture that is not presented
/// before it a sync picture (AL-3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Boundary {
    /// Count of timelines before this one. Pictures of an earlier timeline have no place any more.
    pub timeline: u64,
    /// Presentation time.
    pub start: MediaTime,
    /// Count of [changes](super::Segmenter::change_lineup) of the lineup up to here: the segment
    /// has pictures of the renditions of the last.
    pub lineup: u64,
}
