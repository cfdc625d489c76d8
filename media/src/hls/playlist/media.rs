//! A media playlist as text (HLS §4.4.3, §4.4.4; PL-*, LL-*).
//!
//! Pure data in, text out; what is listed is decided in [`crate::hls::Window`].

use std::fmt::Write as _;

use super::tag::{Millis, Span};
use crate::hls::limits::PLAYLIST_VERSION;
use crate::hls::names::{MediaName, RenditionId};
use crate::hls::window::Segment;
use crate::time::MediaTime;

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
    pub(in crate::hls) segments: &'a [&'a Segment],
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
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub(in crate::hls) struct View {
    /// No parts (LL-19).
    pub(in crate::hls) plain: bool,
    /// A delta update, if something can be skipped (LL-17).
    pub(in crate::hls) delta: bool,
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

impl MediaPlaylist<'_> {
    /// The text.
    pub(in crate::hls) fn write(&self) -> String {
        let skipped = if self.view.delta && !self.ended { self.skippable() } else { 0 };
        let mut text = String::with_capacity(1_024 + 640 * (self.segments.len() - skipped));
        // Writing to a String cannot fail.
        let _ = self.write_header(&mut text);
        if skipped > 0 {
            let _ = writeln!(text, "#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}");
        }
        let _ = self.write_segments(&mut text, skipped);
        let _ = self.write_edge(&mut text);
        text
    }

    fn write_header(&self, text: &mut String) -> std::fmt::Result {
        let target = self.target_duration;
        let first = self.segments.first().copied().or(self.open);
        writeln!(text, "#EXTM3U\n#EXT-X-VERSION:{PLAYLIST_VERSION}")?;
        writeln!(text, "#EXT-X-TARGETDURATION:{target}")?;
        write!(text, "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,")?;
        if !self.view.plain {
            // Apple asks for three part targets; Safari ignores low latency below two (LL-8).
            write!(text, "PART-HOLD-BACK={},", Millis(self.part_target.millis() * 3))?;
        }
        writeln!(text, "HOLD-BACK={}.0,CAN-SKIP-UNTIL={}.0", target * 3, target * 6)?;
        if !self.view.plain {
            writeln!(text, "#EXT-X-PART-INF:PART-TARGET={}", Millis(self.part_target.millis()))?;
        }
        let media_sequence = first.map_or(self.next_msn, |segment| segment.msn);
        writeln!(text, "#EXT-X-MEDIA-SEQUENCE:{media_sequence}")?;
        writeln!(text, "#EXT-X-DISCONTINUITY-SEQUENCE:{}", self.discontinuity_sequence)?;
        if self.independent_segments {
            writeln!(text, "#EXT-X-INDEPENDENT-SEGMENTS")?;
        }
        Ok(())
    }

    fn write_segments(&self, text: &mut String, skipped: usize) -> std::fmt::Result {
        let parts_from = if self.view.plain { usize::MAX } else { self.parts_from() };
        let mut previous: Option<&Segment> = None;
        let listed = self.segments.iter().copied().map(|segment| (segment, true));
        let open = self.open.filter(|_| !self.view.plain).map(|segment| (segment, false));
        for (index, (segment, complete)) in listed.chain(open).enumerate() {
            if index >= skipped {
                write_segment_tags(text, segment, previous)?;
                if index >= parts_from {
                    write_parts(text, segment)?;
                }
                if complete {
                    write_segment(text, segment)?;
                }
            }
            previous = Some(segment);
        }
        Ok(())
    }

    fn write_edge(&self, text: &mut String) -> std::fmt::Result {
        if self.ended {
            return writeln!(text, "#EXT-X-ENDLIST");
        }
        if let Some(hint) = self.hint.filter(|_| !self.view.plain) {
            if let Some(msn) = hint.new_init {
                let init = MediaName::Init { msn };
                writeln!(text, "#EXT-X-PRELOAD-HINT:TYPE=MAP,URI=\"{init}\"")?;
            }
            let part = MediaName::Part { msn: hint.msn, index: hint.part };
            writeln!(text, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{part}\"")?;
        }
        for report in &self.reports {
            let query = if self.view.plain { "?ll=0" } else { "" };
            write!(
                text,
                "#EXT-X-RENDITION-REPORT:URI=\"../{}/stream.m3u8{query}\",LAST-MSN={}",
                report.rendition, report.last_msn
            )?;
            if let Some(part) = report.last_part {
                write!(text, ",LAST-PART={part}")?;
            }
            writeln!(text)?;
        }
        Ok(())
    }

    /// Segments that lie wholly before the skip boundary, which is counted back from the end of the
    /// last complete segment (LL-17).
    fn skippable(&self) -> usize {
        let boundary = i64::from(self.target_duration) * 6_000;
        let mut behind = 0;
        let kept = self.segments.iter().rev().take_while(|segment| {
            let kept = behind < boundary;
            behind += segment.duration().millis();
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

/// The tags that precede the first part of a segment (LL-6).
fn write_segment_tags(
    text: &mut String,
    segment: &Segment,
    previous: Option<&Segment>,
) -> std::fmt::Result {
    if segment.discontinuity {
        writeln!(text, "#EXT-X-DISCONTINUITY")?;
    }
    let new_map = previous.is_none_or(|previous| previous.init.msn != segment.init.msn);
    if segment.discontinuity || new_map {
        writeln!(text, "#EXT-X-MAP:URI=\"{}\"", MediaName::Init { msn: segment.init.msn })?;
    }
    writeln!(text, "#EXT-X-PROGRAM-DATE-TIME:{}", segment.date)
}

fn write_parts(text: &mut String, segment: &Segment) -> std::fmt::Result {
    for part in &segment.parts {
        let name = MediaName::Part { msn: segment.msn, index: part.index };
        let duration = Span { start: part.start, end: part.end };
        let independent = if part.independent { ",INDEPENDENT=YES" } else { "" };
        writeln!(text, "#EXT-X-PART:DURATION={duration},URI=\"{name}\"{independent}")?;
    }
    Ok(())
}

fn write_segment(text: &mut String, segment: &Segment) -> std::fmt::Result {
    if segment.gap {
        writeln!(text, "#EXT-X-GAP")?;
    }
    let duration = Span { start: segment.start, end: segment.end };
    writeln!(text, "#EXTINF:{duration},\n{}", MediaName::Segment { msn: segment.msn })
}
