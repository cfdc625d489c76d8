//! Playlists of one presentation against each other (AL, LL-12) and the multivariant playlist
//! (MV), with what AVPlayer asks beyond the draft (media.md 5.3).

use std::collections::BTreeSet;

use super::Offences;
use crate::playlist::{Media, Multivariant, resolve};

/// Offences of the media playlists of one presentation, each with its path, read one right after
/// the other.
pub(crate) fn together(lists: &[(&str, &Media)]) -> Vec<String> {
    let mut bad = Offences::default();
    for (at, (path, list)) in lists.iter().enumerate() {
        for (other_path, other) in &lists[at + 1..] {
            pair(list, other, &mut bad);
            reports(path, list, other_path, &mut bad);
            reports(other_path, other, path, &mut bad);
        }
        // There is no report about a playlist that was still empty a moment ago.
        let grown = |other: &&(&str, &Media)| other.0 != *path && other.1.segments.len() > 1;
        let due = if list.ended { 0 } else { lists.iter().filter(grown).count() };
        let reported = list.reports.len();
        let wrong = reported < due || reported >= lists.len();
        bad.when(wrong, &format!("LL-12: {path} has {reported} reports, {due} are due"));
    }
    let largest = lists.iter().filter_map(|(_, list)| list.part_target).fold(0.0, f64::max);
    for (path, list) in lists {
        let hold_back = list.server_control.get("PART-HOLD-BACK").and_then(|v| v.parse().ok());
        let short = hold_back.is_some_and(|hold_back: f64| hold_back < 3.0 * largest - 1e-9);
        bad.when(short, &format!("LL-8: PART-HOLD-BACK of {path} is under 3 of the largest part"));
    }
    bad.0
}

fn pair(one: &Media, other: &Media, bad: &mut Offences) {
    bad.when(one.version != other.version, "PL-2: VERSION differs");
    bad.when(one.target_duration != other.target_duration, "AL-1: TARGETDURATION differs");
    bad.when(one.server_control != other.server_control, "AL-1: SERVER-CONTROL differs");
    let dated = |list: &Media| list.segments.iter().all(|segment| segment.date.is_some());
    bad.when(dated(one) != dated(other), "AL-1: dates in one playlist only");
    let discontinuities = |list: &Media| {
        let start = list.discontinuity_sequence.unwrap_or_default();
        let mut sequence = start;
        let count = |segment: &crate::playlist::Segment| {
            sequence += u64::from(segment.discontinuity);
            (segment.msn, sequence)
        };
        list.segments.iter().map(count).collect::<Vec<_>>()
    };
    let theirs = discontinuities(other);
    for (msn, sequence) in discontinuities(one) {
        let differs = theirs.iter().any(|(same, other)| *same == msn && *other != sequence);
        bad.when(differs, &format!("AL-1: segment {msn} has two discontinuity sequences"));
    }
    for segment in &one.segments {
        let Some(same) = other.segments.iter().find(|other| other.msn == segment.msn) else {
            continue;
        };
        if let (Some(from), Some(to)) = (segment.date, same.date) {
            let off = (to - from).abs();
            let message = format!("AL-5: {} starts {off} ms apart", segment.msn);
            bad.when(off > 50, &message);
        }
    }
    let (a, b) = (one.edge().0, other.edge().0);
    bad.when(a.abs_diff(b) > 1, &format!("AL-7: one is at segment {a}, the other at {b}"));
}

/// The report about the playlist at `other_path`, read at the same time.
fn reports(path: &str, list: &Media, other_path: &str, bad: &mut Offences) {
    for (uri, msn, part) in &list.reports {
        let relative = !uri.contains("://");
        bad.when(!relative, &format!("MV-12: the report {uri} is not relative"));
        if !relative || resolve(path, uri) != other_path {
            continue;
        }
        let near = msn.abs_diff(list.edge().0) <= 2;
        bad.when(!near, &format!("LL-12: {path} reports segment {msn} of {other_path}"));
        bad.when(part.is_none(), &format!("LL-12: {path} reports no LAST-PART"));
    }
}

/// Offences of a multivariant playlist that a strict player sees.
pub(crate) fn strict_multivariant(playlist: &Multivariant) -> Vec<String> {
    let mut bad = Offences::default();
    for variant in &playlist.variants {
        let uri = &variant.uri;
        let get = |name: &str| variant.attributes.get(name).map(String::as_str);
        let number = |name: &str| get(name).and_then(|value| value.parse::<u64>().ok());
        let (peak, average) = (number("BANDWIDTH"), number("AVERAGE-BANDWIDTH"));
        bad.when(peak.is_none_or(|peak| peak < 8_000), &format!("MV-1: {uri} in bits per second"));
        bad.when(average > peak, &format!("MV-1: {uri} has an average above its peak"));
        let codecs = get("CODECS").unwrap_or_default();
        let video = codecs.split(',').any(|c| !c.starts_with("mp4a") && c != "Opus" && c != "fLaC");
        bad.when(codecs.contains("hev1"), &format!("CM-12: {uri} is hev1; Apple plays hvc1"));
        let sized = get("RESOLUTION").is_some_and(|size| {
            size.split_once('x')
                .is_some_and(|(w, h)| w.parse::<u32>().is_ok() && h.parse::<u32>().is_ok())
        });
        bad.when(video != sized, &format!("MV-6: RESOLUTION of {uri} does not match {codecs}"));
        let rate = get("FRAME-RATE");
        let three = rate.is_none_or(|rate| rate.split_once('.').is_some_and(|(_, p)| p.len() == 3));
        bad.when(!three, &format!("MV-2: FRAME-RATE of {uri} has not three decimals"));
        let ranged = get("VIDEO-RANGE").is_some();
        bad.when(ranged && rate.is_none(), &format!("MV-3: VIDEO-RANGE of {uri} needs FRAME-RATE"));
        bad.when(uri.contains("://"), &format!("MV-12: {uri} is not relative"));
    }
    renditions(playlist, &mut bad);
    bad.0
}

fn renditions(playlist: &Multivariant, bad: &mut Offences) {
    let mut names = BTreeSet::new();
    let mut defaults = BTreeSet::new();
    for rendition in &playlist.renditions {
        let get = |name: &str| rendition.get(name).map_or("", String::as_str);
        for due in ["TYPE", "GROUP-ID", "NAME"] {
            bad.when(get(due).is_empty(), &format!("MV-4: a rendition without {due}"));
        }
        if get("TYPE") == "AUDIO" {
            bad.when(get("CHANNELS").is_empty(), "MV-4: audio without CHANNELS");
        }
        let group = get("GROUP-ID");
        bad.when(!names.insert((group, get("NAME"))), &format!("MV-4: a name twice in {group}"));
        if get("DEFAULT") == "YES" {
            bad.when(!defaults.insert(group), &format!("MV-4: two defaults in {group}"));
            bad.when(get("AUTOSELECT") != "YES", "MV-4: DEFAULT without AUTOSELECT");
        }
    }
}
