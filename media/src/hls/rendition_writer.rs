//! Samples of one track into parts and segments of one rendition.
//!
//! Two clocks run here. `end` is where the samples written so far end: the next `tfdt` (CM-7),
//! unless nothing was delivered since, or the last sample was said to last longer than it turned
//! out to. `cursor` is where the listed parts end. They meet whenever a
//! part closes at a unit, and
//!
//! ```text
//! cursor <= end <= cursor + PART-TARGET
//! ```
//!
//! holds between a call that lists and the next unit. A part holds the samples that begin in it.
//! Where units come at changing distances it need not end with one: a part that cannot end with a
//! unit and still last 85 % of PART-TARGET is listed as exactly PART-TARGET, and the time its last
//! sample lasts beyond that belongs to the next part (LL-1). A sample that lasts longer than
//! PART-TARGET (a picture that stands still, a track that pauses) is followed by parts without
//! samples, until the clocks are close again: blocked reloads go on (F5).

use std::collections::VecDeque;

use crate::access_unit::{AccessUnit, TrackKind};
use crate::cmaf::{self, Sample};
use crate::hls::limits;
use crate::hls::names::RenditionId;
use crate::hls::update::{Part, SegmentEnd, SegmentStart, Update};
use crate::time::{MediaTime, Timescale, UnixTime};

/// Before the first sample.
const NOTHING_DECODED: i64 = i64::MIN;

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
    /// `None`: nothing is listed, only where segments begin counts.
    id: Option<RenditionId>,
    track: TrackKind,
    timescale: Timescale,
    anchor: Anchor,
    /// PART-TARGET in track ticks, rounded down.
    part_target: i64,
    /// TARGETDURATION in track ticks: no gap is longer (PL-3). Whoever appends sees to the rest.
    limit: i64,
    sequence_number: u32,
    msn: u64,
    /// The first segment of the timeline carries DISCONTINUITY (AL-1).
    discontinuity: bool,
    segment: Option<Segment>,
    /// `None` until the timeline's first sample or gap.
    cursor: Option<i64>,
    end: i64,
    /// Where the last sample was said to end: the same as `end`, earlier after a pause, later while
    /// or after a picture stood still; [`NOTHING_DECODED`] before any.
    decoded: i64,
    origin: Option<i64>,
    samples: Vec<Sample>,
    samples_start: i64,
    samples_bytes: usize,
    /// Of the part that is being listed.
    ends_segment: bool,
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
        id: Option<RenditionId>,
        track: TrackKind,
        timescale: Timescale,
        anchor: Anchor,
        part_target: MediaTime,
        limit: MediaTime,
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
            limit: limit.rescale(timescale).ticks().max(1),
            sequence_number: from.sequence_number,
            msn: from.msn,
            discontinuity: from.discontinuity,
            segment: None,
            cursor: None,
            end: i64::MIN,
            decoded: NOTHING_DECODED,
            origin: None,
            samples: Vec::new(),
            samples_start: 0,
            samples_bytes: 0,
            ends_segment: false,
        }
    }

    /// Where the timeline began in the other track; a gap at the beginning starts there.
    pub(super) fn begin_with(&mut self, other: MediaTime) {
        let other = other.rescale(self.timescale).ticks();
        self.origin.get_or_insert(other);
    }

    /// Where the timeline begins in the other track, once that is known.
    pub(super) fn origin(&self) -> Option<MediaTime> {
        self.origin.map(|origin| self.time(origin))
    }

    /// Adds a unit that decodes at `from` and lasts until `until`; the part it fills is listed by
    /// the calls below. It must not begin before [`Self::decoded`] and must have been cut away from
    /// the open segment already if it belongs to the next.
    pub(super) fn append(
        &mut self,
        unit: AccessUnit,
        from: i64,
        until: i64,
        out: &mut VecDeque<Update>,
    ) {
        let duration = until.saturating_sub(from).clamp(1, u32::MAX.into());
        let until = from + duration;
        self.list_until_close(out);
        self.reach(from, out);
        let overflows = until - self.cursor_or(from) > self.part_target;
        let heavy = self.samples_bytes + unit.payload.len() > limits::PART_BYTES_MAX;
        if !self.samples.is_empty() && (overflows && self.is_long_enough(self.end) || heavy) {
            self.close_part(out);
        }
        if self.samples.is_empty() {
            self.samples_start = from;
        }
        self.open_segment(from, unit.sync);
        self.samples_bytes += unit.payload.len();
        self.samples.push(Sample {
            duration: u32::try_from(duration).unwrap_or(u32::MAX),
            composition_offset: composition_offset(&unit, from),
            sync: unit.sync,
            payload: unit.payload,
        });
        self.end = until;
        self.decoded = until;
    }

    /// Whether a unit from `from` to `until` fills the open part: it is long enough then, and
    /// another one of `next` ticks would not fit.
    pub(super) fn is_filled_by(&self, from: i64, until: i64, next: i64) -> bool {
        let listed = until - self.cursor_or(from);
        listed <= self.part_target
            && listed + next > self.part_target
            && self.is_long_enough(until.max(from))
    }

    /// Parts of the open segment, with the one in the making if a unit of `duration` would not fit
    /// any more.
    pub(super) fn full_parts(&self, duration: i64) -> u32 {
        let parts = self.segment.map_or(0, |segment| segment.parts);
        parts + u32::from(self.is_part_full(duration))
    }

    /// Lists what is longer than a part. Closes the part if it is long enough and a unit of
    /// `duration` would not fit any more.
    pub(super) fn close_full_part(&mut self, duration: i64, out: &mut VecDeque<Update>) {
        self.list_until_close(out);
        if self.is_part_full(duration) {
            self.close_part(out);
        }
    }

    /// The same whatever would fit (LL-1). A sync unit in the middle of a segment begins a part
    /// where it can (LL-20); after a shorter part it goes on in it, since AVPlayer gives up on
    /// short parts and nobody needs to join there.
    pub(super) fn close_long_part(&mut self, out: &mut VecDeque<Update>) {
        self.list_until_close(out);
        if !self.samples.is_empty() && self.is_long_enough(self.end) {
            self.close_part(out);
        }
    }

    /// Lists what has been collected as one part, although the unit behind it is not known yet.
    /// `ends_segment` tells whether that one is expected to begin another segment.
    pub(super) fn close_part_early(&mut self, ends_segment: bool, out: &mut VecDeque<Update>) {
        self.ends_segment = ends_segment;
        self.close_part(out);
        self.ends_segment = false;
    }

    /// Goes on under another name, or without one, between two segments. Gives the old name if it
    /// had another.
    pub(super) fn rename(&mut self, id: Option<RenditionId>) -> Option<RenditionId> {
        let old = std::mem::replace(&mut self.id, id);
        if old != id {
            // It began in a segment that nobody listed under this name.
            self.discontinuity = false;
        }
        old.filter(|_| old != id)
    }

    /// Lists a whole part: the last sample, or the silence behind it, lasts at least so long.
    pub(super) fn list_standing_part(&mut self, out: &mut VecDeque<Update>) {
        let until = self.cursor_end();
        self.end = until;
        self.list_part(until, out);
    }

    /// The last sample, which stood still, gives way at `dts`, or where the listed parts end if
    /// that is later. Its own duration can be corrected while it is not listed.
    pub(super) fn stand_until(&mut self, dts: i64, out: &mut VecDeque<Update>) {
        let until = dts.max(self.cursor_or(dts));
        if until >= self.end {
            return self.reach(until, out);
        }
        if let Some(last) = self.samples.last_mut() {
            let surplus = u32::try_from(self.end - until).unwrap_or(u32::MAX);
            let duration = last.duration.saturating_sub(surplus).max(1);
            self.decoded -= i64::from(last.duration - duration);
            last.duration = duration;
        }
        self.end = until;
    }

    /// Its rendition.
    pub(super) const fn id(&self) -> Option<RenditionId> {
        self.id
    }

    /// Ends the open segment. If it has nothing, it becomes a gap from where the rendition ends to
    /// `gap_end`, or as far as a segment may reach.
    pub(super) fn close_segment(&mut self, gap_end: i64, out: &mut VecDeque<Update>) {
        self.list_the_rest(out);
        let gap = self.segment.is_none();
        if gap {
            let before = gap_end.saturating_sub(1);
            let start = self.cursor.or(self.origin).unwrap_or(before);
            let end = gap_end.clamp(start + 1, start + self.limit);
            self.segment = Some(Segment { start, independent: true, parts: 0, announced: false });
            self.announce_segment(out);
            self.cursor = Some(end);
            self.end = end;
        }
        let end = self.time(self.cursor_or(self.end));
        if let Some(rendition) = self.id {
            out.push_back(Update::SegmentEnd(SegmentEnd { rendition, msn: self.msn, end, gap }));
        }
        self.segment = None;
        self.msn += 1;
    }

    /// Where the samples end, in track ticks; `i64::MIN` before the first.
    pub(super) const fn end(&self) -> i64 {
        self.end
    }

    /// Where the last sample ends, in track ticks: a sample that begins here leaves no hole.
    pub(super) const fn decoded(&self) -> i64 {
        self.decoded
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

    /// Where the open part ends at the latest, or one that begins at `dts` if there is none.
    pub(super) fn part_end(&self, dts: i64) -> i64 {
        self.cursor_or(dts).saturating_add(self.part_target)
    }

    /// PART-TARGET in track ticks.
    pub(super) const fn part_target(&self) -> i64 {
        self.part_target
    }

    pub(super) const fn timescale(&self) -> Timescale {
        self.timescale
    }

    /// Lets the clocks run to `dts` when nothing was delivered for the time before it. A sample
    /// that is not listed yet lasts until there.
    pub(super) fn reach(&mut self, dts: i64, out: &mut VecDeque<Update>) {
        if self.cursor.is_none() {
            self.cursor = Some(dts);
            self.end = dts;
        }
        if dts <= self.end {
            return;
        }
        // Behind a picture that stood, its end may lie past `end`: no hole is counted twice.
        if let Some(last) = self.samples.last_mut().filter(|_| dts > self.decoded) {
            let hole = u32::try_from(dts - self.decoded).unwrap_or(u32::MAX);
            last.duration = last.duration.saturating_add(hole);
            self.decoded = dts;
        }
        self.end = dts;
        if self.is_too_long_for_a_part() {
            self.open_segment(dts, false);
            self.list_until_close(out);
        }
    }

    fn is_too_long_for_a_part(&self) -> bool {
        self.cursor.is_some() && self.end > self.cursor_end()
    }

    /// A part that ends at `end` may stand anywhere in its segment (LL-1).
    fn is_long_enough(&self, end: i64) -> bool {
        let listed = self.cursor.map_or(0, |cursor| end - cursor);
        listed.saturating_mul(100) >= self.part_target.saturating_mul(85)
    }

    fn is_part_full(&self, duration: i64) -> bool {
        let overflows = self.end.saturating_add(duration) > self.cursor_end();
        overflows && !self.samples.is_empty() && self.is_long_enough(self.end)
    }

    fn close_part(&mut self, out: &mut VecDeque<Update>) {
        if self.cursor.is_some_and(|cursor| self.end > cursor) {
            self.list_part(self.end, out);
        }
    }

    fn list_until_close(&mut self, out: &mut VecDeque<Update>) {
        while self.is_too_long_for_a_part() {
            self.list_part(self.cursor_end(), out);
        }
    }

    /// Lists everything to the end of the samples. The last sample goes with the last part, so that
    /// a segment does not end with a part without any.
    fn list_the_rest(&mut self, out: &mut VecDeque<Update>) {
        let too_long = self.is_too_long_for_a_part() && self.samples.len() > 1;
        if too_long && let Some(last) = self.samples.pop() {
            let start = self.end - i64::from(last.duration);
            self.list_part(self.cursor_end(), out);
            self.samples_start = start;
            self.samples.push(last);
        }
        self.list_until_close(out);
        self.close_part(out);
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
        let Some(rendition) = self.id else { return };
        let start = MediaTime::new(segment.start, self.timescale);
        out.push_back(Update::SegmentStart(SegmentStart {
            rendition,
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
        if let Some(rendition) = self.id {
            let decode_time = match (samples.is_empty(), self.decoded) {
                (false, _) => self.samples_start,
                (true, NOTHING_DECODED) => segment.start,
                (true, decoded) => decoded,
            };
            let bytes = cmaf::fragment(
                self.track,
                self.sequence_number,
                u64::try_from(decode_time).unwrap_or(0),
                &samples,
                segment.parts == 0,
            );
            out.push_back(Update::Part(Part {
                rendition,
                msn: self.msn,
                index: segment.parts,
                start: MediaTime::new(start, self.timescale),
                end: MediaTime::new(until, self.timescale),
                // Players that join at a part decode from its first sample (hls.js #7782).
                independent: samples.first().is_some_and(|sample| sample.sync),
                ends_segment: self.ends_segment,
                bytes,
            }));
        }
        segment.parts += 1;
        self.sequence_number = self.sequence_number.wrapping_add(1);
    }

    fn cursor_or(&self, dts: i64) -> i64 {
        self.cursor.unwrap_or(dts)
    }

    /// Where a part that begins at the cursor ends at the latest.
    fn cursor_end(&self) -> i64 {
        self.cursor_or(self.end).saturating_add(self.part_target)
    }

    const fn time(&self, ticks: i64) -> MediaTime {
        MediaTime::new(ticks, self.timescale)
    }
}

/// Of a unit written at `from`, which may be another time than its own (CM-8).
fn composition_offset(unit: &AccessUnit, from: i64) -> i32 {
    let offset = unit.pts.ticks().saturating_sub(from);
    i32::try_from(offset).unwrap_or(if offset < 0 { i32::MIN } else { i32::MAX })
}
