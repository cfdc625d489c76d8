//! The rules of HLS and low-latency HLS (the reference's ids) checked against what a server
//! published over time: one playlist alone, two versions of it, two renditions side by side.
//!
//! | file | what it judges |
//! |---|---|
//! | this | a media playlist, its next version (PL, LL) |
//! | `text` | the same, line by line, before anything is parsed |
//! | `presentation` | playlists against each other (AL, LL-12), the multivariant playlist (MV) |
//! | `delivery` | the answers that carry them (CH) |
//! | `watch` | a running server, polled like a player does |
//! | `broken` | the linter itself: a playlist per rule that breaks it |
//!
//! A finding begins with the id of its rule. Nothing here shares code with the writer, and what is
//! stricter than the draft is what AVPlayer refuses (media.md 5.3).

mod broken;
mod delivery;
mod presentation;
mod text;
mod watch;

pub(crate) use presentation::{strict_multivariant, together};
pub(crate) use text::text;

use crate::playlist::{Media, Multivariant, Segment};

/// What a segment line says; once published it never changes (PL-8).
fn published(segment: &Segment) -> (&Option<String>, f64, Option<i64>, bool, &Option<String>) {
    (&segment.uri, segment.duration, segment.date, segment.discontinuity, &segment.map)
}

/// Offences of one media playlist in full form (not a delta update).
pub(crate) fn media(text: &str, playlist: &Media) -> Vec<String> {
    let mut bad = Offences::default();
    bad.when(text.contains('\r') || text.contains('\u{feff}'), "PL-1: LF only, no BOM");
    bad.when(text.contains("#EXT-X-STREAM-INF"), "PL-1: a multivariant tag");
    bad.when(playlist.target_duration < 1.0, "PL-3: TARGETDURATION at least 1");
    bad.when(playlist.media_sequence == 0, "PL-6: the first MSN is 1 or more");
    bad.when(playlist.discontinuity_sequence.is_none(), "PL-7: DISCONTINUITY-SEQUENCE missing");
    control(playlist, &mut bad);
    for segment in &playlist.segments {
        check_segment(playlist, segment, &mut bad);
    }
    for pair in playlist.segments.windows(2) {
        follow(&pair[0], &pair[1], &mut bad);
    }
    if let Some(first) = playlist.segments.first() {
        bad.when(first.map.is_none(), "PL-15: no EXT-X-MAP before the first segment");
    }
    let hints_expected = usize::from(!playlist.ended);
    bad.when(playlist.hints.len() != hints_expected, "LL-10: exactly one hint, none at the end");
    let listed: Vec<&str> = playlist.part_uris().collect();
    for hint in &playlist.hints {
        bad.when(listed.contains(&hint.as_str()), "LL-10: the hinted part is listed already");
    }
    parts_stand_at_the_edge(playlist, &mut bad);
    bad.0
}

fn control(playlist: &Media, bad: &mut Offences) {
    let control = &playlist.server_control;
    let seconds = |name: &str| control.get(name).and_then(|value| value.parse::<f64>().ok());
    let (Some(part_target), Some(hold_back)) = (playlist.part_target, seconds("PART-HOLD-BACK"))
    else {
        bad.when(true, "LL-1, LL-8: PART-INF or PART-HOLD-BACK missing");
        return;
    };
    let blocks = control.get("CAN-BLOCK-RELOAD").is_some_and(|value| value == "YES");
    bad.when(!blocks, "LL-8: CAN-BLOCK-RELOAD");
    bad.when(hold_back < 3.0 * part_target - 1e-9, "LL-8: PART-HOLD-BACK under 3 parts");
    let target = playlist.target_duration;
    if let Some(skip) = seconds("CAN-SKIP-UNTIL") {
        bad.when(skip < 6.0 * target, "LL-8: CAN-SKIP-UNTIL under 6 target durations");
    }
    if let Some(hold_back) = seconds("HOLD-BACK") {
        bad.when(hold_back < 3.0 * target, "LL-8: HOLD-BACK under 3 target durations");
    }
}

fn check_segment(playlist: &Media, segment: &Segment, bad: &mut Offences) {
    let msn = segment.msn;
    bad.when(segment.date.is_none(), &format!("PL-16: no date on {msn}"));
    if segment.discontinuity {
        bad.when(!segment.map_stated, &format!("PL-14: no map after the discontinuity at {msn}"));
    }
    if segment.uri.is_some() {
        let duration = segment.duration;
        bad.when(duration <= 0.0, &format!("PL-5: {msn} lasts {duration}"));
        let rounded = duration.round();
        bad.when(rounded > playlist.target_duration, &format!("PL-3: {msn} lasts {duration}"));
        let sum: f64 = segment.parts.iter().map(|part| part.duration).sum();
        // Each part's text is rounded on its own.
        let slack = 0.001 * (segment.parts.len().max(1) as f64);
        let differs = !segment.parts.is_empty() && (sum - duration).abs() > slack;
        bad.when(differs, &format!("LL-3: parts of {msn} last {sum}, the segment {duration}"));
    }
    let joinable = segment.parts.first().is_none_or(|first| first.independent);
    let message = format!("PL-17: {msn} does not begin with an independent part");
    bad.when(playlist.independent_segments && !joinable, &message);
    let Some(target) = playlist.part_target else { return };
    for (index, part) in segment.parts.iter().enumerate() {
        let last = index + 1 == segment.parts.len();
        let long = part.duration > target + 1e-9;
        bad.when(long, &format!("LL-1: part {} lasts {}", part.uri, part.duration));
        let before_gap = segment.parts.get(index + 1).is_some_and(|next| next.gap);
        let excused = part.independent || part.gap || before_gap || last;
        let short = part.duration < 0.85 * target - 1e-9 && !excused;
        bad.when(short, &format!("LL-1: part {} lasts only {}", part.uri, part.duration));
    }
}

fn follow(before: &Segment, after: &Segment, bad: &mut Offences) {
    let (Some(from), Some(to), Some(_)) = (before.date, after.date, &before.uri) else { return };
    if !after.discontinuity {
        let off = (to - from) as f64 / 1000.0 - before.duration;
        let message = format!("PL-16: {} starts {off:+.3} s beside its predecessor", after.msn);
        bad.when(off.abs() > 0.017, &message);
    }
}

/// LL-7: part lines stand for the segments that start within three target durations of the end.
fn parts_stand_at_the_edge(playlist: &Media, bad: &mut Offences) {
    let mut from_end = 0.0;
    for segment in playlist.segments.iter().rev() {
        let sum: f64 = segment.parts.iter().map(|part| part.duration).sum();
        let complete = segment.uri.is_some();
        from_end += if complete { segment.duration } else { sum };
        let far = from_end > 3.0 * playlist.target_duration + segment.duration + 0.001;
        let message = format!("LL-7: parts of {} are listed {from_end:.1} s back", segment.msn);
        bad.when(far && !segment.parts.is_empty(), &message);
        let near = from_end < 3.0 * playlist.target_duration - 0.001;
        let message = format!("LL-7: no parts of {} only {from_end:.1} s back", segment.msn);
        let bare = segment.parts.is_empty() && !segment.gap;
        bad.when(near && bare && !playlist.ended, &message);
    }
}

/// Offences of a newer version of a playlist against an older one.
pub(crate) fn succession(old: &Media, new: &Media) -> Vec<String> {
    let mut bad = Offences::default();
    bad.when(new.version != old.version, "PL-2: VERSION changed");
    bad.when(new.target_duration != old.target_duration, "PL-3: TARGETDURATION changed");
    bad.when(new.part_target != old.part_target, "LL-1: PART-TARGET changed");
    bad.when(new.server_control != old.server_control, "LL-8: SERVER-CONTROL changed");
    bad.when(new.media_sequence < old.media_sequence, "PL-6: MEDIA-SEQUENCE fell");
    bad.when(old.ended && !new.ended, "PL-18: ENDLIST was taken back");
    let left = old.segments.iter().filter(|segment| segment.msn < new.media_sequence);
    let marks = left.filter(|segment| segment.discontinuity).count() as u64;
    let counted = |playlist: &Media| playlist.discontinuity_sequence.unwrap_or_default();
    if old.skipped == 0 {
        let wrong = counted(new) != counted(old) + marks;
        bad.when(wrong, "PL-7: DISCONTINUITY-SEQUENCE does not count what left");
    }
    let removed = new.media_sequence > old.media_sequence;
    let complete = new.segments.iter().filter(|segment| segment.uri.is_some());
    let kept: f64 = complete.map(|segment| segment.duration).sum();
    let short = removed && new.skipped == 0 && kept < 3.0 * new.target_duration - 0.001;
    bad.when(short, &format!("PL-11: segments left, {kept:.1} s remain"));
    for segment in &old.segments {
        let Some(now) = new.segments.iter().find(|now| now.msn == segment.msn) else {
            let listed = segment.msn >= new.media_sequence + new.skipped;
            bad.when(listed, &format!("PL-8: segment {} is gone from the middle", segment.msn));
            continue;
        };
        if segment.uri.is_some() {
            let changed = published(segment) != published(now);
            bad.when(changed, &format!("PL-8: {segment:?} became {now:?}"));
        }
        let kept = now.parts.len() >= segment.parts.len();
        let same = now.parts.iter().zip(&segment.parts).all(|(now, was)| now == was);
        let dropped = now.parts.is_empty() && now.uri.is_some();
        let message = format!("PL-8: parts of {} changed", segment.msn);
        bad.when(!(dropped || kept && same), &message);
    }
    bad.0
}

/// The part that came where the older playlist hinted at another one (LL-10). No offence by itself:
/// a server cannot know that a keyframe comes early.
pub(crate) fn wrong_hint(old: &Media, new: &Media) -> Option<String> {
    let hinted = old.hints.first()?;
    let came = new.part_uris().find(|uri| !old.part_uris().any(|known| known == *uri))?;
    let left = new.media_sequence > old.segments.last()?.msn;
    (came != hinted && !left).then(|| format!("LL-10: {hinted} was hinted, {came} came"))
}

/// Offences of two renditions read at about the same time. Equal sequence numbers must mean equal
/// content up to one audio frame (AL-4, AL-5).
pub(crate) fn renditions(video: &Media, audio: &Media) -> Vec<String> {
    let mut bad = Offences::default();
    bad.when(video.version != audio.version, "PL-2: VERSION differs");
    bad.when(video.target_duration != audio.target_duration, "AL-1: TARGETDURATION differs");
    bad.when(video.server_control != audio.server_control, "AL-1: SERVER-CONTROL differs");
    for picture in &video.segments {
        let Some(sound) = audio.segments.iter().find(|sound| sound.msn == picture.msn) else {
            continue;
        };
        let cut = picture.discontinuity != sound.discontinuity;
        bad.when(cut, &format!("AL-1: DISCONTINUITY differs at {}", picture.msn));
        if let (Some(picture_date), Some(sound_date)) = (picture.date, sound.date) {
            let off = (sound_date - picture_date).abs();
            let message = format!("AL-5: audio of {} starts {off} ms beside", picture.msn);
            bad.when(off > 50, &message);
        }
    }
    bad.0
}

/// Offences of a multivariant playlist.
pub(crate) fn multivariant(playlist: &Multivariant) -> Vec<String> {
    let mut bad = Offences::default();
    bad.when(playlist.variants.is_empty(), "MV: no variant");
    let groups: Vec<&String> =
        playlist.renditions.iter().filter_map(|list| list.get("GROUP-ID")).collect();
    for variant in &playlist.variants {
        let has = |name: &str| variant.attributes.contains_key(name);
        bad.when(!has("BANDWIDTH") || !has("AVERAGE-BANDWIDTH"), "MV-1: BANDWIDTH");
        bad.when(!has("CODECS"), "MV-2: CODECS");
        bad.when(has("RESOLUTION") != has("FRAME-RATE"), "MV-2: RESOLUTION and FRAME-RATE");
        if let Some(group) = variant.attributes.get("AUDIO") {
            bad.when(!groups.contains(&group), "MV-4: AUDIO names no group");
        }
        let captions = variant.attributes.get("CLOSED-CAPTIONS");
        bad.when(captions.is_some_and(|value| value != "NONE"), "MV-7: CLOSED-CAPTIONS");
    }
    bad.0
}

#[derive(Default)]
struct Offences(Vec<String>);

impl Offences {
    fn when(&mut self, offended: bool, rule: &str) {
        if offended {
            self.0.push(rule.to_owned());
        }
    }
}
