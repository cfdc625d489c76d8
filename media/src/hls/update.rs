//! What the segmenter tells every window, in order. Immutable values with reference-counted bytes:
//! one send per shard carries them, and no byte of media is copied (F38).

use std::sync::Arc;

use bytes::Bytes;

use super::names::RenditionId;
use crate::cmaf::VideoRange;
use crate::time::{MediaTime, UnixTime};

/// One step of a broadcast. A window applies them in the order they were made.
#[derive(Clone, Debug)]
pub enum Update {
    /// A broadcast begins; what holds until its end.
    Start(Arc<Presentation>),
    /// A timeline begins: at the start, and after each discontinuity (PL-13).
    Timeline(Arc<Timeline>),
    /// Other renditions are on offer from a segment on, without a discontinuity.
    Change(Arc<Change>),
    /// A rendition that is on offer no more is whole: ENDLIST in its playlist alone (AL-7).
    RenditionEnd(RenditionId),
    /// A segment begins; its first part, or its end, follows.
    SegmentStart(SegmentStart),
    /// A part of the segment that began last in this rendition.
    Part(Part),
    /// The segment that began last in this rendition is complete.
    SegmentEnd(SegmentEnd),
    /// The source's keyframes are further apart than TARGETDURATION, so segments are cut between
    /// them and viewers join slower. Once per timeline; the admin should set two seconds.
    KeyframesTooRare {
        /// The distance seen.
        interval: MediaTime,
    },
    /// The publisher is gone; it may come back with a new timeline (F1).
    Interrupted,
    /// The broadcast is over: ENDLIST (PL-18).
    End,
}

/// What stays the same for the life of a broadcast's playlists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Presentation {
    /// TARGETDURATION in whole seconds (PL-3).
    pub target_duration: u32,
    /// PART-TARGET, in whole milliseconds (LL-1).
    pub part_target: MediaTime,
    /// Number of the first segment of all renditions (PL-6).
    pub first_msn: u64,
    /// EXT-X-DISCONTINUITY-SEQUENCE of the first playlist (PL-7).
    pub discontinuity_sequence: u64,
}

impl Presentation {
    /// [`Self::target_duration`] as a time: no segment is longer.
    pub(super) fn longest_segment(&self) -> MediaTime {
        MediaTime::from_millis(i64::from(self.target_duration) * 1_000)
    }
}

/// The tracks between two discontinuities.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timeline {
    /// Number of its first segment, in every rendition (AL-4).
    pub first_msn: u64,
    /// The renditions from here on; video first. Others of the broadcast have ended (AL-7).
    pub renditions: Vec<Rendition>,
}

/// Other renditions in the middle of a timeline. Those that go on feel nothing; new ones begin with
/// a segment of this number; the rest end with the one before ([`Update::RenditionEnd`]).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Number of the first segment after the change.
    pub first_msn: u64,
    /// Discontinuities before that segment, those of former timelines and of former broadcasts
    /// included (AL-1).
    pub discontinuity_sequence: u64,
    /// The renditions from here on; video first.
    pub renditions: Vec<Rendition>,
}

/// A rendition as the playlists describe it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rendition {
    /// Its name.
    pub id: RenditionId,
    /// The multivariant playlist lists it. One that is not listed goes on for those who have it.
    pub offered: bool,
    /// CODECS value (MV-2).
    pub codec: String,
    /// The publisher's own pictures, passed through.
    pub is_source: bool,
    /// Announced bits per second, if the publisher told any (MV-1).
    pub bitrate: Option<u32>,
    /// What is particular to its kind.
    pub media: RenditionMedia,
    /// The init section of the timeline's segments.
    pub init: Arc<InitSection>,
}

/// What a playlist says about pictures or sound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RenditionMedia {
    /// Pictures.
    Video {
        /// Display width in pixels.
        width: u32,
        /// Display height in pixels.
        height: u32,
        /// Pictures per second times 1000; `None` when no credible value is known (MV-2).
        frame_rate_millis: Option<u32>,
        /// Dynamic range (MV-3).
        range: VideoRange,
    },
    /// Sound.
    Audio {
        /// Output channels.
        channels: u8,
    },
}

/// An init section and its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InitSection {
    /// Number of the first segment that uses it; part of its name (PL-15).
    pub msn: u64,
    /// `ftyp moov`.
    pub bytes: Bytes,
}

/// The tags that stand before a segment's first part (LL-6).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SegmentStart {
    /// Whose segment.
    pub rendition: RenditionId,
    /// Its number.
    pub msn: u64,
    /// Its start on the track's timeline, in track ticks.
    pub start: MediaTime,
    /// PROGRAM-DATE-TIME (PL-16).
    pub date: UnixTime,
    /// EXT-X-DISCONTINUITY.
    pub discontinuity: bool,
}

/// A finished part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Whose part.
    pub rendition: RenditionId,
    /// The segment it belongs to.
    pub msn: u64,
    /// Its place in the segment, from 0.
    pub index: u32,
    /// Its start on the track's timeline, in track ticks.
    pub start: MediaTime,
    /// Its end; at most PART-TARGET after the start (LL-1).
    pub end: MediaTime,
    /// Decoding can start with its first sample (LL-4).
    pub independent: bool,
    /// Probably nothing follows in its segment: the next part begins another one (LL-10).
    pub ends_segment: bool,
    /// `[styp] moof mdat`.
    pub bytes: Bytes,
}

/// The end of a segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SegmentEnd {
    /// Whose segment.
    pub rendition: RenditionId,
    /// Its number.
    pub msn: u64,
    /// The end of its last part; for a gap the end of the missing time.
    pub end: MediaTime,
    /// The track delivered nothing in this time: EXT-X-GAP (PL-19).
    pub gap: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn updates_cross_shards() {
        const fn crosses<T: Send + Sync + 'static>() {}
        crosses::<Update>();
    }
}
