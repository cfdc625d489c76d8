//! A media playlist as text (HLS §4.4.3, §4.4.4; PL-*, LL-*).
//!
//! Pure data in, text out; what is listed is decided in [`crate::hls::Window`]. The lines of parts
//! and segments are written once, when they come; a playlist copies them between its first lines
//! and its last. It is made for every part on every shard, so the rest avoids the formatter too.

use std::collections::VecDeque;
use std::fmt::Write as _;

use super::tag::{Millis, Span, push_number};
use crate::hls::limits::PLAYLIST_VERSION;
use crate::hls::names::{MediaName, RenditionId};
use crate::hls::update::Part;
use crate::hls::window::Segment;
use crate::time::{MediaTime, UnixTime};

/// Everything a media playlist says.
#[derive(Debug)]
pub(in crate::hls) struct MediaPlaylist<'a> {
    /// Whole seconds.
    pub(in crate::hls) target_duration: u32,
    /// Whole milliseconds.
    pub(in crate::hls) part_target: MediaTime,
    /// Value of the first listed segment, also in a delta update.
    pub(in crate::hls) discontinuity_sequence: u64,
    /// Number of the segment that will come if nothing is listed.
    pub(in crate::hls) next_msn: u64,
    /// Every listed segment starts with a sync sample (PL-17).
    pub(in crate::hls) independent_segments: bool,
    /// Complete segments, oldest first.
    pub(in crate::hls) segments: &'a VecDeque<Segment>,
    /// The segment that is being made, if a part of it exists.
    pub(in crate::hls) open: Option<&'a Segment>,
    /// Name of the next part, and of the init section if that part needs a new one (LL-10).
    pub(in crate::hls) hint: Option<Hint>,
    /// State of the other media playlists (LL-12).
    pub(in crate::hls) reports: Vec<RenditionReport>,
    pub(in crate::hls) view: View,
    pub(in crate::hls) ended: bool,
}

/// Which of the forms of one state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::hls) struct View {
    /// No parts (LL-19).
    pub(in crate::hls) plain: bool,
    /// A delta update, if something can be skipped (LL-17).
    pub(in crate::hls) delta: bool,
}

impl View {
    /// How many there are.
    pub(in crate::hls) const COUNT: usize = 4;

    /// A number of its own below [`Self::COUNT`].
    pub(in crate::hls) fn index(self) -> usize {
        usize::from(self.plain) | usize::from(self.delta) << 1
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::hls) struct Hint {
    pub(in crate::hls) msn: u64,
    pub(in crate::hls) part: u32,
    /// Number in the name of an init section that is not listed yet.
    pub(in crate::hls) new_init: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::hls) struct RenditionReport {
    pub(in crate::hls) rendition: RenditionId,
    pub(in crate::hls) last_msn: u64,
    pub(in crate::hls) last_part: Option<u32>,
}

/// Room for the first lines, the last ones and the tags between segments.
const FRAME_BYTES: usize = 1_024;

impl MediaPlaylist<'_> {
    /// The text.
    pub(in crate::hls) fn write(&self) -> String {
        let skipped = if self.view.delta && !self.ended { self.skippable() } else { 0 };
        let parts_from = if self.view.plain { usize::MAX } else { self.parts_from() };
        let listed = self.segments.iter();
        let listed = listed.chain(self.open.filter(|_| !self.view.plain)).enumerate();
        let listed = listed.skip(skipped);
        let lines = listed.map(|(index, segment)| (segment, segment.lines(index >= parts_from)));
        let lines_len: usize = lines.clone().map(|(_, [a, b])| a.len() + b.len()).sum();
        let mut text = String::with_capacity(FRAME_BYTES + lines_len);
        self.write_header(&mut text);
        if skipped > 0 {
            text.push_str("#EXT-X-SKIP:SKIPPED-SEGMENTS=");
            push_number(&mut text, skipped as u64);
            text.push('\n');
        }
        let mut previous = skipped.checked_sub(1).and_then(|index| self.segments.get(index));
        for (segment, lines) in lines {
            write_boundary(&mut text, segment, previous);
            lines.into_iter().for_each(|lines| text.push_str(lines));
            previous = Some(segment);
        }
        self.write_edge(&mut text);
        text
    }

    fn write_header(&self, text: &mut String) {
        let target = u64::from(self.target_duration);
        let first = self.segments.front().or(self.open);
        text.push_str("#EXTM3U\n");
        push_line(text, "#EXT-X-VERSION:", PLAYLIST_VERSION.into());
        push_line(text, "#EXT-X-TARGETDURATION:", target);
        text.push_str("#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,");
        if !self.view.plain {
            // Apple asks for three part targets; Safari ignores low latency below two (LL-8).
            text.push_str("PART-HOLD-BACK=");
            push_millis(text, self.part_target.millis() * 3);
            text.push(',');
        }
        text.push_str("HOLD-BACK=");
        push_number(text, target * 3);
        text.push_str(".0,CAN-SKIP-UNTIL=");
        push_number(text, target * 6);
        text.push_str(".0\n");
        if !self.view.plain {
            text.push_str("#EXT-X-PART-INF:PART-TARGET=");
            push_millis(text, self.part_target.millis());
            text.push('\n');
        }
        let media_sequence = first.map_or(self.next_msn, |segment| segment.msn);
        push_line(text, "#EXT-X-MEDIA-SEQUENCE:", media_sequence);
        push_line(text, "#EXT-X-DISCONTINUITY-SEQUENCE:", self.discontinuity_sequence);
        if self.independent_segments {
            text.push_str("#EXT-X-INDEPENDENT-SEGMENTS\n");
        }
    }

    fn write_edge(&self, text: &mut String) {
        if self.ended {
            text.push_str("#EXT-X-ENDLIST\n");
            return;
        }
        if let Some(hint) = self.hint.filter(|_| !self.view.plain) {
            if let Some(msn) = hint.new_init {
                text.push_str("#EXT-X-PRELOAD-HINT:TYPE=MAP,URI=\"");
                push_name(text, MediaName::Init { msn });
                text.push_str("\"\n");
            }
            text.push_str("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"");
            push_name(text, MediaName::Part { msn: hint.msn, index: hint.part });
            text.push_str("\"\n");
        }
        for report in &self.reports {
            text.push_str("#EXT-X-RENDITION-REPORT:URI=\"../");
            match report.rendition {
                RenditionId::Video(number) => push_number(text, number.into()),
                RenditionId::Audio => text.push_str("audio"),
            }
            text.push_str(if self.view.plain { "/stream.m3u8?ll=0" } else { "/stream.m3u8" });
            text.push_str("\",LAST-MSN=");
            push_number(text, report.last_msn);
            if let Some(part) = report.last_part {
                text.push_str(",LAST-PART=");
                push_number(text, part.into());
            }
            text.push('\n');
        }
    }

    /// Segments that lie wholly before the skip boundary, which is counted back from the end of the
    /// last complete segment (LL-17).
    fn skippable(&self) -> usize {
        let boundary = i64::from(self.target_duration) * 6_000;
        let mut behind = 0;
        let kept = self.segments.iter().rev().take_while(|segment| {
            let kept = behind < boundary;
            // A millisecond less: a player adds up what is listed, which is rounded.
            behind += (segment.duration().millis() - 1).max(0);
            kept
        });
        self.segments.len() - kept.count()
    }

    /// Index of the first segment that lists its parts: those that start at most three target
    /// durations before the end, and the open one (LL-7).
    fn parts_from(&self) -> usize {
        let zone = i64::from(self.target_duration) * 3_000;
        let mut until_end = self.open.map_or(0, |open| open.duration().millis());
        let recent = self.segments.iter().rev().take_while(|segment| {
            until_end += segment.duration().millis();
            until_end <= zone
        });
        self.segments.len() - recent.count()
    }
}

/// The tags before a segment that depend on the one before it (LL-6).
fn write_boundary(text: &mut String, segment: &Segment, previous: Option<&Segment>) {
    if segment.discontinuity {
        text.push_str("#EXT-X-DISCONTINUITY\n");
    }
    let new_map = previous.is_none_or(|previous| previous.init.msn != segment.init.msn);
    if segment.discontinuity || new_map {
        text.push_str("#EXT-X-MAP:URI=\"");
        push_name(text, MediaName::Init { msn: segment.init.msn });
        text.push_str("\"\n");
    }
}

/// The last tag that precedes the first part of a segment (LL-6).
pub(in crate::hls) fn write_date(text: &mut String, date: UnixTime) {
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(text, "#EXT-X-PROGRAM-DATE-TIME:{date}");
}

/// The line of a part.
pub(in crate::hls) fn write_part(text: &mut String, part: &Part) {
    let name = MediaName::Part { msn: part.msn, index: part.index };
    let duration = Span { start: part.start, end: part.end };
    let independent = if part.independent { ",INDEPENDENT=YES" } else { "" };
    let _ = writeln!(text, "#EXT-X-PART:DURATION={duration},URI=\"{name}\"{independent}");
}

/// What follows the last part of a complete segment.
pub(in crate::hls) fn write_end(
    text: &mut String,
    msn: u64,
    start: MediaTime,
    end: MediaTime,
    gap: bool,
) {
    let gap = if gap { "#EXT-X-GAP\n" } else { "" };
    let duration = Span { start, end };
    let _ = writeln!(text, "{gap}#EXTINF:{duration},\n{}", MediaName::Segment { msn });
}

fn push_line(text: &mut String, tag: &str, value: u64) {
    text.push_str(tag);
    push_number(text, value);
    text.push('\n');
}

fn push_millis(text: &mut String, millis: i64) {
    let _ = write!(text, "{}", Millis(millis));
}

fn push_name(text: &mut String, name: MediaName) {
    match name {
        MediaName::Init { msn } => {
            text.push_str("init-");
            push_number(text, msn);
            text.push_str(".mp4");
        }
        MediaName::Segment { msn } => {
            push_number(text, msn);
            text.push_str(".m4s");
        }
        MediaName::Part { msn, index } => {
            push_number(text, msn);
            text.push('.');
            push_number(text, index.into());
            text.push_str(".m4s");
        }
    }
}
