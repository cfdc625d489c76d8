//! Other renditions while a broadcast is on: what goes on feels nothing, what is new begins with a
//! segment, what is gone ends with the one before.

use std::collections::VecDeque;
use std::sync::Arc;

use super::publisher::{DATE, Server, audio_track, broadcast, tracks, video_track};
use crate::access_unit::{AccessUnit, TrackKind};
use crate::hls::checker::{Checker, m3u8, ready};
use crate::hls::{Boundary, Directives, Lineup, Rung};
use crate::time::MediaTime;

/// The decoder and all encoders: each rung gets every picture two pictures late.
struct Ladder {
    /// By the count of changes.
    lineups: Vec<Lineup>,
    /// Of the boundary reached last.
    reached: Option<Boundary>,
    starts: VecDeque<Boundary>,
    inside: VecDeque<(u64, u8, AccessUnit)>,
}

struct Show {
    server: Server,
    ladder: Ladder,
    checkers: Vec<Checker>,
}

fn lineup(source: Option<u8>, rungs: &[u8]) -> Lineup {
    let rung = |variant: &u8| {
        let mut track = video_track(Some(30_000));
        track.bitrate = Some(100_000 + u32::from(*variant));
        Rung { variant: *variant, track: Arc::new(track) }
    };
    Lineup { source, hides_source: false, rungs: rungs.iter().map(rung).collect() }
}

impl Show {
    fn new(first: Lineup, steady: &[&'static str]) -> Self {
        let mut server = Server::new(60_000);
        let both = tracks(Some(video_track(Some(30_000))), Some(audio_track(48_000)));
        server.segmenter.start_with(both, first.clone(), MediaTime::from_millis(10_000), DATE);
        let scale = |folder: &str| if folder == "audio" { 48_000 } else { 90_000 };
        let checkers = steady.iter().map(|f| Checker::new(f, scale(f), true)).collect();
        let (starts, inside) = (VecDeque::new(), VecDeque::new());
        let ladder = Ladder { lineups: vec![first], reached: None, starts, inside };
        Self { server, ladder, checkers }
    }

    fn change(&mut self, to: Lineup) -> bool {
        let taken = self.server.segmenter.change_lineup(to.clone());
        if let Some(number) = taken {
            self.ladder.lineups.push(to);
            assert_eq!(number, self.ladder.lineups.len() as u64 - 1);
        }
        taken.is_some()
    }

    fn push(&mut self, from_ms: i64, to_ms: i64) {
        self.push_gops(from_ms, to_ms, 2_000);
    }

    /// With a keyframe each `gop_ms`.
    fn push_gops(&mut self, from_ms: i64, to_ms: i64, gop_ms: i64) {
        for unit in broadcast(from_ms, to_ms, 30, gop_ms) {
            self.server.segmenter.push(unit.clone());
            while let Some(boundary) = self.server.segmenter.poll_boundary() {
                self.ladder.starts.push_back(boundary);
            }
            if unit.track == TrackKind::Video {
                self.encode(&unit);
                let rungs = self.ladder.reached.map_or(0, |b| self.rungs(b).len());
                while self.ladder.inside.len() > 2 * rungs {
                    self.give();
                }
            }
            self.look();
        }
    }

    fn encode(&mut self, unit: &AccessUnit) {
        let mut sync = false;
        while let Some(start) = self.ladder.starts.front().filter(|b| b.start <= unit.pts) {
            sync = true;
            self.ladder.reached = Some(*start);
            self.ladder.starts.pop_front();
        }
        let Some(reached) = self.ladder.reached else { return };
        for variant in self.rungs(reached) {
            let unit = AccessUnit { sync, dts: unit.pts, ..unit.clone() };
            self.ladder.inside.push_back((reached.timeline, variant, unit));
        }
    }

    fn rungs(&self, at: Boundary) -> Vec<u8> {
        let index = usize::try_from(at.lineup).expect("few changes");
        self.ladder.lineups[index].rungs.iter().map(|rung| rung.variant).collect()
    }

    fn give(&mut self) {
        if let Some((timeline, variant, unit)) = self.ladder.inside.pop_front() {
            self.server.segmenter.push_rung(timeline, variant, unit);
        }
    }

    fn flush(&mut self) {
        while !self.ladder.inside.is_empty() {
            self.give();
        }
        self.look();
    }

    fn end(&mut self) {
        self.flush();
        self.server.segmenter.end();
        self.look();
    }

    fn look(&mut self) {
        let checkers = &mut self.checkers;
        self.server
            .settle_with(|window, _| checkers.iter_mut().for_each(|checker| checker.look(window)));
    }

    fn list(&mut self, folder: &str) -> m3u8::Playlist {
        m3u8::parse(&ready(self.server.window.playlist(folder, &Directives::default())))
    }

    fn offered(&mut self) -> Vec<String> {
        let text = ready(self.server.window.multivariant(&Directives::default()));
        let children = text.lines().filter(|line| !line.starts_with('#'));
        children.filter_map(|line| Some(line.split_once('/')?.0.to_owned())).collect()
    }
}

fn numbers(list: &m3u8::Playlist) -> Vec<u64> {
    list.segments.iter().map(|segment| segment.msn).collect()
}

#[test]
fn rungs_come_and_go_with_a_segment_and_the_others_feel_nothing() {
    let mut show = Show::new(lineup(Some(0), &[1, 2]), &["0", "1", "audio"]);
    show.push(10_000, 15_000);
    assert!(show.change(lineup(Some(0), &[1, 3])));
    assert!(!show.change(lineup(Some(0), &[])), "one at a time");
    assert_eq!(show.offered(), ["0", "1", "2", "audio"], "with the next segment");
    let before = show.list("0").segments.last().expect("an open one").msn;
    show.push(15_000, 20_000);
    assert!(!show.server.segmenter.is_changing());
    assert_eq!(show.offered(), ["0", "1", "3", "audio"]);
    let gone = show.list("2");
    assert!(gone.ended && gone.hints.is_empty() && gone.reports.is_empty());
    assert_eq!(gone.segments.last().map(|segment| segment.msn), Some(before));
    assert!(gone.segments.iter().all(|segment| !segment.gap));
    show.push(20_000, 24_000);
    show.end();
    let (source, kept, new) = (show.list("0"), show.list("1"), show.list("3"));
    assert_eq!(numbers(&source), numbers(&kept));
    let later: Vec<_> = numbers(&source).into_iter().filter(|msn| *msn > before).collect();
    assert_eq!(numbers(&new), later);
    for list in [&source, &kept, &new, &show.list("audio")] {
        assert!(list.segments.iter().all(|s| !s.gap && !s.discontinuity));
        assert_eq!(list.discontinuity_sequence, 0);
    }
    assert!(new.independent_segments);
    assert_eq!(new.segments[0].date_ms, source.segments[usize::try_from(before).unwrap()].date_ms);
}

#[test]
fn the_source_may_leave_and_come_back() {
    let mut show = Show::new(lineup(Some(0), &[]), &["audio"]);
    show.push(10_000, 15_000);
    assert!(show.change(lineup(None, &[1])));
    show.push(15_000, 20_000);
    assert_eq!(show.offered(), ["1", "audio"]);
    let source = show.list("0");
    assert!(source.ended, "it ends at once: nothing of it is outstanding");
    let last = source.segments.last().expect("it was there").msn;
    assert!(show.change(lineup(Some(2), &[1])));
    show.push(20_000, 25_000);
    assert_eq!(show.offered(), ["2", "1", "audio"]);
    show.end();
    let (rung, back) = (show.list("1"), show.list("2"));
    assert_eq!(rung.segments.first().map(|segment| segment.msn), Some(last + 1));
    assert!(back.segments.iter().chain(&rung.segments).all(|s| !s.gap && !s.discontinuity));
    assert_eq!(back.segments.last().map(|s| s.msn), rung.segments.last().map(|s| s.msn));
}

/// Who plays it goes on playing it, over a discontinuity too; who comes is offered the rest.
#[test]
fn pl4_a_source_that_is_hidden_goes_on_for_those_who_have_it() {
    let mut show = Show::new(lineup(Some(0), &[1]), &["0", "1", "audio"]);
    show.push(10_000, 15_000);
    assert!(show.change(Lineup { hides_source: true, ..lineup(Some(0), &[2, 1]) }));
    assert_eq!(show.offered(), ["0", "1", "audio"], "with the next segment");
    show.push(15_000, 20_000);
    assert_eq!(show.offered(), ["2", "1", "audio"]);
    let reported = show.list("1").reports;
    assert!(!reported.iter().any(|report| report["URI"].contains("../0/")), "{reported:?}");
    show.push(613_000, 618_000);
    assert_eq!(show.offered(), ["2", "1", "audio"]);
    assert!(!show.list("0").ended);
    show.end();
    assert_eq!(show.offered(), ["2", "1", "audio"]);
    let (source, rung) = (show.list("0"), show.list("1"));
    assert_eq!(numbers(&source), numbers(&rung));
    assert!(source.ended && source.segments.iter().all(|segment| !segment.gap));
}

#[test]
fn al1_what_is_new_counts_the_discontinuities_before_it() {
    let mut show = Show::new(lineup(Some(0), &[1]), &[]);
    show.push(10_000, 13_000);
    // The clock jumps: a new timeline. The change comes while its first segment is open.
    show.push(613_000, 614_000);
    assert!(show.change(lineup(Some(0), &[1, 2])));
    show.push(614_000, 620_000);
    show.end();
    let sequence = |list: &m3u8::Playlist, msn| {
        let upto = list.segments.iter().filter(|segment| segment.msn <= msn);
        list.discontinuity_sequence + upto.filter(|segment| segment.discontinuity).count() as u64
    };
    let (source, new) = (show.list("0"), show.list("2"));
    let msn = new.segments[0].msn;
    assert_eq!((sequence(&source, msn), sequence(&new, msn)), (1, 1));
}

#[test]
fn a_change_that_a_break_overtakes_comes_with_the_new_timeline() {
    let mut show = Show::new(lineup(Some(0), &[1]), &[]);
    show.push(10_000, 12_500);
    assert!(show.change(lineup(Some(0), &[2])));
    show.push(613_000, 620_000);
    show.end();
    let (source, gone, new) = (show.list("0"), show.list("1"), show.list("2"));
    let discontinuity = source.segments.iter().find(|s| s.discontinuity).expect("a break").msn;
    assert_eq!(new.segments[0].msn, discontinuity);
    assert_eq!(gone.segments.last().map(|segment| segment.msn), Some(discontinuity - 1));
    assert!(gone.ended && new.segments.iter().all(|segment| !segment.gap));
}

#[test]
fn a_rung_that_is_to_end_and_delivers_nothing_ends_all_the_same() {
    let mut show = Show::new(lineup(Some(0), &[1]), &["0", "audio"]);
    show.push(10_000, 13_000);
    assert!(show.change(lineup(Some(0), &[])));
    // Its last pictures are stuck.
    show.ladder.inside.clear();
    show.ladder.lineups[0].rungs.clear();
    show.push(13_000, 18_000);
    assert!(show.list("1").ended && !show.server.segmenter.is_changing());
    show.server.segmenter.interrupt();
    show.look();
    assert!(!show.change(lineup(Some(0), &[1])), "nothing comes in");
}

/// The source is cut between its keyframes; rungs have one at the start of each segment (AL-3).
#[test]
fn pl4_rungs_of_a_source_with_few_keyframes_are_independent() {
    for gop_ms in [8_000, 20_000] {
        let mut show = Show::new(lineup(Some(0), &[1]), &["0", "1", "audio"]);
        show.push_gops(10_000, 52_000, gop_ms);
        show.end();
        let (source, rung) = (show.list("0"), show.list("1"));
        assert_eq!(numbers(&source), numbers(&rung));
        assert!(!source.independent_segments && rung.independent_segments, "{gop_ms} ms");
        for (segment, own) in source.segments.iter().zip(&rung.segments) {
            // Old ones have no parts listed any more.
            assert!(own.parts.first().is_none_or(|part| part.independent), "{gop_ms} ms");
            assert!(!segment.gap && !own.gap, "{gop_ms} ms");
            assert_eq!(segment.date_ms, own.date_ms, "{gop_ms} ms");
        }
    }
}

#[test]
fn a_number_never_stands_for_two_things() {
    let mut show = Show::new(lineup(Some(0), &[1]), &[]);
    show.push(10_000, 12_500);
    let mut other = lineup(Some(0), &[1]);
    Arc::make_mut(&mut other.rungs[0].track).width = 640;
    for wrong in [other, lineup(Some(1), &[]), lineup(None, &[0])] {
        assert!(!show.change(wrong.clone()), "{wrong:?}");
    }
    assert!(show.change(lineup(Some(0), &[1, 2])));
}
