//! Looks at a rendition after every update, like the strictest of players, and remembers. Tests and
//! fuzz targets share it; a broken promise is a panic that names the rule.

#![allow(clippy::unwrap_used, reason = "a judge: what it cannot read is an offence")]

pub(in crate::hls) mod m3u8;
pub(in crate::hls) mod mp4;

use std::collections::BTreeMap;

use self::m3u8::{Part, Playlist, Segment};
use self::mp4::Fragment;
use crate::hls::{Answer, Directives, MediaAnswer, Window};

/// One rendition's history.
pub(in crate::hls) struct Checker {
    pub(in crate::hls) folder: &'static str,
    timescale: i64,
    /// The source delivers without pauses: times have no holes.
    steady: bool,
    last: Option<Playlist>,
    /// What `last` was read from. Most looks find nothing new, and reading is most of a look.
    last_text: String,
    /// Fragments of earlier broadcasts.
    before: usize,
    /// Fragments before the last discontinuity, and the number of the segment that has it.
    timeline_from: usize,
    timeline_msn: u64,
    /// First part of each segment seen is independent.
    independent: BTreeMap<u64, bool>,
    /// Fragments by part name, in order of publication.
    pub(in crate::hls) fragments: Vec<(u64, Fragment)>,
    names: std::collections::HashSet<String>,
    /// Durations of all samples and of all parts since the last discontinuity.
    sample_ticks: i64,
    listed: i64,
    /// Parts that came under another name than hinted (LL-10).
    pub(in crate::hls) hints_missed: usize,
}

pub(in crate::hls) fn ready(answer: Answer) -> String {
    match answer {
        Answer::Ready(snapshot) => String::from_utf8(snapshot.text().to_vec()).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn body(answer: MediaAnswer) -> Option<Vec<u8>> {
    match answer {
        MediaAnswer::Ready(body) => Some(body.chunks.concat()),
        MediaAnswer::Wait(_) | MediaAnswer::NotFound => None,
    }
}

impl Checker {
    pub(in crate::hls) fn new(folder: &'static str, timescale: i64, steady: bool) -> Self {
        Self {
            folder,
            timescale,
            steady,
            last: None,
            last_text: String::new(),
            before: 0,
            timeline_from: 0,
            timeline_msn: 0,
            independent: BTreeMap::new(),
            fragments: Vec::new(),
            names: std::collections::HashSet::new(),
            sample_ticks: 0,
            listed: 0,
            hints_missed: 0,
        }
    }

    /// A new broadcast has a fresh playlist; names and numbers go on.
    pub(in crate::hls) fn new_broadcast(&mut self) {
        self.last = None;
        self.before = self.fragments.len();
        self.new_timeline();
    }

    /// Times begin anew.
    fn new_timeline(&mut self) {
        self.timeline_from = self.fragments.len();
        (self.sample_ticks, self.listed) = (0, 0);
    }

    /// ENDLIST was seen.
    pub(in crate::hls) fn has_ended(&self) -> bool {
        self.last.as_ref().is_some_and(|last| last.ended)
    }

    pub(in crate::hls) fn look(&mut self, window: &mut Window) {
        let full = window.playlist(self.folder, &Directives::default());
        if matches!(full, Answer::Wait(_) | Answer::NotFound) {
            assert!(self.last.is_none(), "a playlist that was there must stay (PL-21)");
            return;
        }
        let text = ready(full);
        if self.last.is_some() && self.last_text == text {
            return;
        }
        let playlist = m3u8::parse(&text);
        self.check_one(&playlist, window);
        if let Some(last) = self.last.take() {
            self.check_edit(&last, &playlist);
            self.check_delta(&last, &playlist, window);
        }
        self.check_plain(&playlist, window);
        self.read_new_parts(&playlist, window);
        self.check_independence(&playlist);
        self.last = Some(playlist);
        self.last_text = text;
    }

    fn check_one(&self, playlist: &Playlist, window: &Window) {
        let target = playlist.part_target.expect("PART-INF");
        let limit = playlist.target_duration * 100_000;
        let control = |name: &str| m3u8::seconds(&playlist.control[name]);
        assert_eq!(playlist.control["CAN-BLOCK-RELOAD"], "YES");
        assert!(control("PART-HOLD-BACK") >= 3 * target, "LL-8");
        assert!(control("HOLD-BACK") >= 3 * limit, "LL-8");
        assert_eq!(control("CAN-SKIP-UNTIL"), 6 * limit, "LL-17");
        let count = playlist.segments.len();
        for (index, segment) in playlist.segments.iter().enumerate() {
            let open = segment.duration.is_none();
            assert!(!open || index + 1 == count, "an open segment is the last");
            assert!(segment.date_ms.is_some(), "PL-16");
            assert!(segment.map.is_some() || (index > 0 && !segment.discontinuity), "PL-14, PL-15");
            self.check_parts(segment, target);
            if let Some(duration) = segment.duration {
                // Sound may exceed the limit by less than a unit: it ends at the first unit behind
                // the pictures' boundary. HLS compares rounded durations (PL-3).
                let slack = if self.folder == "audio" { 102_400_000 / self.timescale } else { 0 };
                assert!(
                    duration > 0 && duration <= limit + slack,
                    "{} {} lasts {duration} (PL-3)",
                    self.folder,
                    segment.uri
                );
                if !segment.parts.is_empty() {
                    let sum: i64 = segment.parts.iter().map(|part| part.duration).sum();
                    assert_eq!(sum, duration, "parts add up to {}", segment.uri);
                }
            }
            if let (Some(next), Some(duration)) =
                (playlist.segments.get(index + 1), segment.duration)
                && !next.discontinuity
            {
                // Dates are read as times of day.
                const DAY_MS: i64 = 86_400_000;
                let gap = next.date_ms.unwrap() - segment.date_ms.unwrap() - duration / 100;
                let gap = (gap + DAY_MS / 2).rem_euclid(DAY_MS) - DAY_MS / 2;
                assert!((-1..=1).contains(&gap), "dates of {} leave {gap} ms (PL-16)", segment.msn);
            }
            // What stays as it was is fetched again only while it is the next to go: fetching all
            // on each look made the time of a look grow with the window.
            let known = self.last.as_ref().and_then(|last| last.segment(segment.msn));
            if index == 0 || known != Some(segment) {
                self.check_fetchable(segment, window, open);
            }
        }
        self.check_hints(playlist, window);
    }

    fn check_parts(&self, segment: &Segment, target: i64) {
        let count = segment.parts.len();
        for (index, part) in segment.parts.iter().enumerate() {
            assert!(part.duration > 0 && part.duration <= target, "{part:?} above {target} (LL-1)");
            let last = index + 1 == count;
            let may_be_short = last || part.independent;
            let long = part.duration * 100 >= target * 85;
            assert!(long || may_be_short, "{part:?} below 85 % of {target} (LL-1)");
        }
    }

    fn check_fetchable(&self, segment: &Segment, window: &Window, open: bool) {
        let fetch = |name: &str| body(window.media(self.folder, name));
        if let Some(map) = &segment.map {
            assert!(fetch(map).is_some(), "{map}");
        }
        let parts: Vec<u8> = segment
            .parts
            .iter()
            .flat_map(|part| fetch(&part.uri).unwrap_or_else(|| panic!("{}", part.uri)))
            .collect();
        if open || segment.gap {
            return;
        }
        let whole = fetch(&segment.uri).unwrap_or_else(|| panic!("{}", segment.uri));
        if !segment.parts.is_empty() {
            assert_eq!(whole, parts, "a segment is the chain of its parts (LL-3)");
        }
    }

    fn check_hints(&self, playlist: &Playlist, window: &Window) {
        let parts: Vec<_> = playlist.hints.iter().filter(|(kind, _)| kind == "PART").collect();
        if playlist.ended {
            assert!(playlist.hints.is_empty() && playlist.reports.is_empty(), "PL-18");
            return;
        }
        assert_eq!(parts.len(), 1, "exactly one part is hinted (LL-10)");
        let answer = window.media(self.folder, &parts[0].1);
        assert!(matches!(answer, MediaAnswer::Wait(_)), "{:?}: {answer:?} (LL-11)", parts[0]);
        for (_, uri) in playlist.hints.iter().filter(|(kind, _)| kind == "MAP") {
            assert!(body(window.media(self.folder, uri)).is_some(), "{uri}");
        }
    }

    /// Only what PL-8 allows has changed.
    fn check_edit(&mut self, old: &Playlist, new: &Playlist) {
        assert!(!old.ended, "nothing changes after ENDLIST (PL-18)");
        assert_eq!(old.target_duration, new.target_duration, "PL-3");
        assert_eq!(old.part_target, new.part_target, "LL-1");
        assert_eq!(old.control, new.control);
        assert!(new.media_sequence >= old.media_sequence, "PL-6");
        let removed = usize::try_from(new.media_sequence - old.media_sequence).unwrap();
        assert!(removed <= old.segments.len());
        let gone = &old.segments[..removed];
        let discontinuities = gone.iter().filter(|segment| segment.discontinuity).count() as u64;
        assert_eq!(
            new.discontinuity_sequence,
            old.discontinuity_sequence + discontinuities,
            "PL-7"
        );
        let kept = &old.segments[removed..];
        assert!(new.segments.len() >= kept.len(), "nothing vanishes from the end");
        for (index, (was, is)) in kept.iter().zip(&new.segments).enumerate() {
            assert_eq!(
                (was.msn, was.discontinuity, was.date_ms),
                (is.msn, is.discontinuity, is.date_ms)
            );
            if index > 0 || was.map.is_some() {
                assert_eq!(was.map, is.map);
            }
            if was.duration.is_some() {
                assert_eq!(
                    (was.duration, &was.uri, was.gap),
                    (is.duration, &is.uri, is.gap),
                    "PL-8"
                );
                assert!(is.parts == was.parts || is.parts.is_empty(), "LL-7");
            } else {
                assert!(is.parts.starts_with(&was.parts), "parts only grow");
            }
        }
        self.check_hint_came_true(old, new);
    }

    fn check_hint_came_true(&mut self, old: &Playlist, new: &Playlist) {
        let known = |msn: u64, uri: &str| {
            old.segment(msn).is_some_and(|s| s.parts.iter().any(|part| part.uri == uri))
        };
        let mut parts = new.segments.iter().flat_map(|s| s.parts.iter().map(|part| (s.msn, part)));
        let fresh = parts.find(|(msn, part)| !known(*msn, &part.uri));
        let hinted = &old.hints.iter().find(|(kind, _)| kind == "PART").unwrap().1;
        if let Some((_, part)) = fresh
            && part.uri != *hinted
        {
            self.hints_missed += 1;
        }
    }

    /// What a player knew, with the delta update, is the full playlist (LL-17).
    fn check_delta(&self, old: &Playlist, full: &Playlist, window: &mut Window) {
        let directives = Directives { skip: true, ..Directives::default() };
        let delta = m3u8::parse(&ready(window.playlist(self.folder, &directives)));
        if full.ended {
            assert_eq!(delta, *full);
            return;
        }
        let skipped = delta.media_sequence..delta.media_sequence + delta.skipped as u64;
        let known =
            old.segments.iter().filter(|s| skipped.contains(&s.msn) && s.duration.is_some());
        let known: Vec<_> = known.collect();
        assert_eq!(known.len(), delta.skipped, "a current player knows what is skipped");
        let kept: i64 = delta.segments.iter().filter_map(|s| s.duration).sum();
        assert!(delta.skipped == 0 || kept >= 6 * delta.target_duration * 100_000);
        assert_eq!(known.len() + delta.segments.len(), full.segments.len());
        let (skipped, rest) = full.segments.split_at(known.len());
        for (was, is) in known.into_iter().zip(skipped) {
            assert!(was.is_like_behind_another(is), "{was:?} became {is:?}");
        }
        assert_eq!(delta.segments, rest);
        assert!(delta.frames_alike(full), "{delta:?} is not {full:?}");
    }

    fn check_plain(&self, full: &Playlist, window: &mut Window) {
        let directives = Directives { plain: true, ..Directives::default() };
        let answer = window.playlist(self.folder, &directives);
        let complete = || full.segments.iter().filter(|s| s.duration.is_some());
        if let Answer::Wait(_) = answer {
            assert_eq!(complete().count(), 0);
            return;
        }
        let plain = m3u8::parse(&ready(answer));
        assert!(plain.part_target.is_none() && plain.hints.is_empty());
        assert!(!plain.control.contains_key("PART-HOLD-BACK"), "LL-19");
        assert_eq!(plain.segments.len(), complete().count());
        for (plain, with_parts) in plain.segments.iter().zip(complete()) {
            assert!(plain.is_like(with_parts) && plain.parts.is_empty(), "{plain:?}");
        }
    }

    fn read_new_parts(&mut self, playlist: &Playlist, window: &Window) {
        for segment in &playlist.segments {
            // The first segment of a timeline may be a gap, which has no part.
            if segment.discontinuity && self.timeline_msn < segment.msn {
                self.timeline_msn = segment.msn;
                self.new_timeline();
            }
            for (index, part) in segment.parts.iter().enumerate() {
                if self.names.contains(&part.uri) {
                    continue;
                }
                self.names.insert(part.uri.clone());
                let bytes = body(window.media(self.folder, &part.uri)).unwrap();
                let fragment = mp4::parse_part(&bytes);
                assert_eq!(fragment.styp, index == 0, "CM-2");
                let first_sync = fragment.samples.first().is_some_and(|sample| sample.sync);
                assert_eq!(part.independent, first_sync, "LL-4, LL-20");
                if index == 0 {
                    self.independent.insert(segment.msn, first_sync);
                }
                self.check_decode_time(&fragment);
                self.check_listed_duration(&fragment, part, playlist.part_target.unwrap_or(0));
                self.fragments.push((segment.msn, fragment));
            }
        }
    }

    fn check_decode_time(&self, fragment: &Fragment) {
        let Some((_, last)) = self.fragments[self.before..].last() else { return };
        assert_eq!(fragment.sequence_number, last.sequence_number + 1, "CM-5");
        if self.timeline_from == self.fragments.len() {
            return;
        }
        let end = last.decode_time + last.samples.iter().map(|s| s.duration).sum::<i64>();
        assert!(fragment.decode_time >= end, "{} overlaps {end}", fragment.decode_time);
        assert!(
            !self.steady || fragment.decode_time == end,
            "CM-7: {} {end}",
            fragment.decode_time
        );
    }

    /// The listed parts end with the samples, or in the middle of the last one (LL-1).
    fn check_listed_duration(&mut self, fragment: &Fragment, part: &Part, target: i64) {
        self.sample_ticks += fragment.samples.iter().map(|sample| sample.duration).sum::<i64>();
        self.listed += part.duration;
        // A picture that stands is in the parts before it, or in the sample behind them.
        let Some(last) = fragment.samples.last() else { return };
        let last = last.duration * 100_000 / self.timescale;
        let ahead = self.sample_ticks * 100_000 / self.timescale - self.listed;
        let fits = (-target..=target.max(last)).contains(&ahead);
        assert!(!self.steady || fits, "{part:?}: {ahead} ahead");
    }

    /// The claim is made exactly while it is true (PL-17).
    fn check_independence(&self, playlist: &Playlist) {
        let of = |s: &Segment| s.gap || self.independent.get(&s.msn).copied().unwrap_or(false);
        let listed =
            playlist.segments.iter().filter(|s| s.gap || self.independent.contains_key(&s.msn));
        assert_eq!(playlist.independent_segments, listed.clone().all(of), "PL-17");
    }
}
