//! Samples of one track into parts and segments of one rendition.
//!
//! Two clocks run here. `end` is where the samples written so far end: the next `tfdt` (CM-7).
//! `cursor` is where the listed parts end. They meet whenever a part closes at a unit, and
//!
//! ```text
//! cursor <= end <= cursor + PART-TARGET
//! ```
//!
//! holds between calls. A sample that lasts longer than PART-TARGET (a picture that stands still, a
//! track that pauses) therefore lists as a part of exactly PART-TARGET, followed by parts without
//! samples, until the clocks are close again: no listed part is ever too long (LL-1), and blocked
//! reloads go on (F5).

use std::collections::VecDeque;

use crate::access_unit::{AccessUnit, TrackKind};
use crate::cmaf::{self, Sample};
use crate::hls::limits;
use crate::hls::names::RenditionId;
use crate::hls::update::{Part, SegmentEnd, SegmentStart, Update};
use crate::time::{MediaTime, Timescale, UnixTime};

/// The one relation of media time to dates in a timeline (TS-9, PL-16).
#[derive(Clone, Copy, Debug)]
pub(super) struct Anchor {
    /// Output time of the timeline's first unit.
    pub(super) start: MediaTime,
    /// Its wall clock.
    pub(super) date: UnixTime,
}

/// Writes one rendition between two discontinuities.
#[derive(Debug)]
pub(super) struct RenditionWriter {
    id: RenditionId,
    track: TrackKind,
    timescale: Timescale,
    anchor: Anchor,
    /// PART-TARGET in track ticks, rounded down.
    part_target: i64,
    sequence_number: u32,
    msn: u64,
    /// The first segment of the timeline carries DISCONTINUITY (AL-1).
    discontinuity: bool,
    segment: Option<Segment>,
    /// `None` until the timeline's first sample or gap.
    cursor: Option<i64>,
    end: i64,
    origin: Option<i64>,
    samples: Vec<Sample>,
    samples_start: i64,
    samples_bytes: usize,
}

/// The open segment, once it has something.
#[derive(Clone, Copy, Debug)]
struct Segment {
    start: i64,
    independent: bool,
    parts: u32,
    announced: bool,
}

/// Where a writer takes up its numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Continuation {
    pub(super) msn: u64,
    pub(super) sequence_number: u32,
    pub(super) discontinuity: bool,
}

impl RenditionWriter {
    pub(super) fn new(
        id: RenditionId,
        track: TrackKind,
        timescale: Timescale,
        anchor: Anchor,
        part_target: MediaTime,
        from: Continuation,
    ) -> Self {
        let hz = i64::from(timescale.hz());
        let target =
            part_target.ticks().saturating_mul(hz) / i64::from(part_target.timescale().hz());
        Self {
            id,
            track,
            timescale,
            anchor,
            part_target: target.max(1),
            sequence_number: from.sequence_number,
            msn: from.msn,
            discontinuity: from.discontinuity,
            segment: None,
            cursor: None,
            end: i64::MIN,
            origin: None,
            samples: Vec::new(),
            samples_start: 0,
            samples_bytes: 0,
        }
    }

    /// Where the timeline began in the other track; a gap at the beginning starts there.
    pub(super) fn begin_with(&mut self, other: MediaTime) {
        let other = other.rescale(self.timescale).ticks();
        self.origin.get_or_insert(other);
    }

    /// Adds a unit whose duration is known. It must not begin before [`Self::end`] and must have
    /// been cut away from the open segment already if it belongs to the next.
    pub(super) fn append(&mut self, unit: AccessUnit, duration: i64, out: &mut VecDeque<Update>) {
        let dts = unit.dts.ticks();
        let duration = duration.clamp(1, u32::MAX.into());
        self.reach(dts, out);
        let overflows = dts + duration - self.cursor_or(dts) > self.part_target;
        let heavy = self.samples_bytes + unit.payload.len() > limits::PART_BYTES_MAX;
        if !self.samples.is_empty() && (overflows || heavy) {
            self.close_part(out);
        }
        if self.samples.is_empty() {
            self.samples_start = dts;
        }
        self.open_segment(dts, unit.sync);
        self.samples_bytes += unit.payload.len();
        self.samples.push(Sample {
            duration: u32::try_from(duration).unwrap_or(u32::MAX),
            composition_offset: composition_offset(&unit),
            sync: unit.sync,
            payload: unit.payload,
        });
        self.end = dts + duration;
        self.list_until_close(out);
    }

    /// Parts of the open segment, with the one in the making if a unit of `duration` would not fit
    /// any more.
    pub(super) fn full_parts(&self, duration: i64) -> u32 {
        let parts = self.segment.map_or(0, |segment| segment.parts);
        parts + u32::from(self.is_part_full(duration))
    }

    /// Closes the part if it is long enough and a unit of `duration` would not fit any more.
    pub(super) fn close_full_part(&mut self, duration: i64, out: &mut VecDeque<Update>) {
        if self.is_part_full(duration) {
            self.close_part(out);
        }
    }

    fn is_part_full(&self, duration: i64) -> bool {
        let Some(cursor) = self.cursor else { return false };
        let listed = self.end - cursor;
        listed + duration > self.part_target && listed * 100 >= self.part_target * 85
    }

    /// Closes the part if it is long enough to be listed (LL-1). A sync unit in the middle of a
    /// segment begins a part where it can (LL-20); after a shorter part it goes on in it, since
    /// AVPlayer gives up on short parts and nobody needs to join there.
    pub(super) fn close_long_part(&mut self, out: &mut VecDeque<Update>) {
        let listed = self.cursor.map_or(0, |cursor| self.end - cursor);
        if listed * 100 >= self.part_target * 85 {
            self.close_part(out);
        }
    }

    /// Lists what has been collected as one part.
    pub(super) fn close_part(&mut self, out: &mut VecDeque<Update>) {
        if self.cursor.is_some_and(|cursor| self.end > cursor) {
            self.list_part(self.end, out);
        }
    }

    /// Its rendition.
    pub(super) const fn id(&self) -> RenditionId {
        self.id
    }

    /// Ends the open segment. If it has nothing, it becomes a gap from where the rendition ends to
    /// `gap_end`.
    pub(super) fn close_segment(&mut self, gap_end: i64, out: &mut VecDeque<Update>) {
        self.close_part(out);
        let gap = self.segment.is_none();
        if gap {
            let before = gap_end.saturating_sub(1);
            let start = self.cursor.or(self.origin).unwrap_or(before);
            let end = gap_end.max(start + 1);
            self.segment = Some(Segment { start, independent: true, parts: 0, announced: false });
            self.announce_segment(out);
            self.cursor = Some(end);
            self.end = end;
        }
        let end = self.time(self.cursor_or(self.end));
        out.push_back(Update::SegmentEnd(SegmentEnd {
            rendition: self.id,
            msn: self.msn,
            end,
            gap,
        }));
        self.segment = None;
        self.msn += 1;
    }

    /// Where the samples end, in track ticks; `i64::MIN` before the first.
    pub(super) const fn end(&self) -> i64 {
        self.end
    }

    /// Number of the open segment, or of the next if none is open.
    pub(super) const fn msn(&self) -> u64 {
        self.msn
    }

    /// Number of the next fragment.
    pub(super) const fn sequence_number(&self) -> u32 {
        self.sequence_number
    }

    /// The open segment has no sample.
    pub(super) const fn is_segment_empty(&self) -> bool {
        self.segment.is_none()
    }

    /// Start of the open segment; of the time that it would cover if it is empty.
    pub(super) fn segment_start(&self) -> Option<i64> {
        self.segment.map(|segment| segment.start).or(self.cursor)
    }

    /// Whether the open segment began with a sync unit.
    pub(super) fn is_segment_independent(&self) -> bool {
        self.segment.is_some_and(|segment| segment.independent)
    }

    /// Ticks that a unit at `dts` may last in the open part.
    pub(super) fn room_in_part(&self, dts: i64) -> i64 {
        self.cursor_or(dts) + self.part_target - dts
    }

    /// PART-TARGET in track ticks.
    pub(super) const fn part_target(&self) -> i64 {
        self.part_target
    }

    pub(super) const fn timescale(&self) -> Timescale {
        self.timescale
    }

    /// Lets the clocks run to `dts` when nothing was delivered for the time before it.
    fn reach(&mut self, dts: i64, out: &mut VecDeque<Update>) {
        if self.cursor.is_none() {
            self.cursor = Some(dts);
            self.end = dts;
        }
        if dts > self.end {
            self.close_part(out);
            self.end = dts;
            if self.is_too_long_for_a_part() {
                self.open_segment(dts, false);
                self.list_until_close(out);
            }
        }
    }

    fn is_too_long_for_a_part(&self) -> bool {
        self.cursor.is_some_and(|cursor| self.end - cursor > self.part_target)
    }

    fn list_until_close(&mut self, out: &mut VecDeque<Update>) {
        while self.is_too_long_for_a_part() {
            let cursor = self.cursor_or(self.end);
            self.list_part(cursor + self.part_target, out);
        }
    }

    /// A segment starts where the listed parts end, also when its first sample comes later.
    fn open_segment(&mut self, dts: i64, independent: bool) {
        let start = self.cursor_or(dts);
        self.segment.get_or_insert(Segment { start, independent, parts: 0, announced: false });
    }

    fn announce_segment(&mut self, out: &mut VecDeque<Update>) {
        let Some(segment) = self.segment.as_mut().filter(|segment| !segment.announced) else {
            return;
        };
        segment.announced = true;
        let start = MediaTime::new(segment.start, self.timescale);
        out.push_back(Update::SegmentStart(SegmentStart {
            rendition: self.id,
            msn: self.msn,
            start,
            date: self.anchor.date.plus(start.minus(self.anchor.start)),
            discontinuity: std::mem::take(&mut self.discontinuity),
        }));
    }

    /// Lists a part from the cursor to `until` with all samples collected, perhaps none.
    fn list_part(&mut self, until: i64, out: &mut VecDeque<Update>) {
        self.announce_segment(out);
        let Some(segment) = self.segment.as_mut() else { return };
        let start = self.cursor.replace(until).unwrap_or(until);
        let samples = std::mem::take(&mut self.samples);
        self.samples_bytes = 0;
        let decode_time = if samples.is_empty() { self.end } else { self.samples_start };
        let bytes = cmaf::fragment(
            self.track,
            self.sequence_number,
            u64::try_from(decode_time).unwrap_or(0),
            &samples,
            segment.parts == 0,
        );
        out.push_back(Update::Part(Part {
            rendition: self.id,
            msn: self.msn,
            index: segment.parts,
            start: MediaTime::new(start, self.timescale),
            end: MediaTime::new(until, self.timescale),
            // Players that join at a part decode from its first sample (hls.js #7782).
            independent: samples.first().is_some_and(|sample| sample.sync),
            bytes,
        }));
        segment.parts += 1;
        self.sequence_number = self.sequence_number.wrapping_add(1);
    }

    fn cursor_or(&self, dts: i64) -> i64 {
        self.cursor.unwrap_or(dts)
    }

    const fn time(&self, ticks: i64) -> MediaTime {
        MediaTime::new(ticks, self.timescale)
    }
}

fn composition_offset(unit: &AccessUnit) -> i32 {
    i32::try_from(unit.pts.minus(unit.dts).ticks()).unwrap_or(0)
}
