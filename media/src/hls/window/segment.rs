//! A segment as a window holds it: the chain of its parts (LL-3) and its lines of the playlist.
//!
//! Lines are written when their part or segment comes, once, and copied into every playlist after.

use std::cell::OnceCell;
use std::sync::Arc;

use super::body::MediaBody;
use crate::hls::playlist::media::{write_date, write_end, write_part};
use crate::hls::update::{InitSection, Part, SegmentEnd, SegmentStart};
use crate::time::MediaTime;

/// An open, listed or removed segment.
#[derive(Clone, Debug)]
pub(in crate::hls) struct Segment {
    pub(in crate::hls) msn: u64,
    start: MediaTime,
    /// End of the last part so far.
    end: MediaTime,
    pub(in crate::hls) discontinuity: bool,
    /// Nothing was delivered for this time (PL-19).
    pub(super) gap: bool,
    pub(in crate::hls) init: Arc<InitSection>,
    independent: bool,
    has_last_part: bool,
    parts: Vec<MediaBody>,
    byte_len: u64,
    whole: OnceCell<MediaBody>,
    lines: Lines,
}

/// What a playlist says about a segment, apart from what depends on the segment before it.
///
/// `date_end <= parts_end <= text.len()`
#[derive(Clone, Debug, Default)]
struct Lines {
    text: String,
    date_end: usize,
    parts_end: usize,
}

impl Segment {
    pub(super) fn new(begin: &SegmentStart, init: Arc<InitSection>) -> Self {
        let mut lines = Lines::default();
        write_date(&mut lines.text, begin.date);
        lines.date_end = lines.text.len();
        lines.parts_end = lines.text.len();
        Self {
            msn: begin.msn,
            start: begin.start,
            end: begin.start,
            discontinuity: begin.discontinuity,
            gap: false,
            init,
            independent: false,
            has_last_part: false,
            parts: Vec::new(),
            byte_len: 0,
            whole: OnceCell::new(),
            lines,
        }
    }

    pub(super) fn push(&mut self, part: Part) {
        if self.parts.is_empty() {
            self.independent = part.independent;
        }
        write_part(&mut self.lines.text, &part);
        self.lines.parts_end = self.lines.text.len();
        self.end = part.end;
        self.has_last_part = part.ends_segment;
        self.byte_len += part.bytes.len() as u64;
        self.parts.push(MediaBody::new(part.rendition, [part.bytes].into()));
    }

    pub(super) fn finish(&mut self, end: &SegmentEnd) {
        self.end = end.end;
        self.gap = end.gap;
        write_end(&mut self.lines.text, self.msn, self.start, self.end, self.gap);
    }

    /// Of the parts so far.
    pub(in crate::hls) fn duration(&self) -> MediaTime {
        self.end.minus(self.start)
    }

    /// PROGRAM-DATE-TIME, the parts if wanted, and of a finished segment its own lines.
    pub(in crate::hls) fn lines(&self, with_parts: bool) -> [&str; 2] {
        let Lines { text, date_end, parts_end } = &self.lines;
        let before = if with_parts { *parts_end } else { *date_end };
        [text.get(..before).unwrap_or(""), text.get(*parts_end..).unwrap_or("")]
    }

    /// A player can begin here; nothing can be said against a gap.
    pub(super) const fn is_independent(&self) -> bool {
        self.gap || self.independent
    }

    /// The newest part is expected to be the last.
    pub(super) const fn has_last_part(&self) -> bool {
        self.has_last_part
    }

    pub(super) fn part_count(&self) -> u32 {
        u32::try_from(self.parts.len()).unwrap_or(u32::MAX)
    }

    pub(super) const fn byte_len(&self) -> u64 {
        self.byte_len
    }

    pub(super) fn part(&self, index: u32) -> Option<&MediaBody> {
        self.parts.get(usize::try_from(index).ok()?)
    }

    /// The body of a finished segment: parts in order, not copied.
    pub(super) fn whole(&self) -> &MediaBody {
        self.whole.get_or_init(|| MediaBody::chain(&self.parts))
    }
}
