//! Encoded renditions beside the source: the same segments in all of them, at their own pace
//! (AL-3, AL-4, AL-7).

use std::collections::VecDeque;
use std::sync::Arc;

use super::publisher::{DATE, Server, audio_track, broadcast, tracks, video_track};
use crate::access_unit::{AccessUnit, TrackKind};
use crate::hls::checker::{Checker, m3u8, ready};
use crate::hls::{Boundary, Directives, Lineup, Placed, Rung};
use crate::time::MediaTime;

/// An encoder that is some pictures late, and may take only every n-th.
struct Encoder {
    variant: u8,
    every: usize,
    delay: usize,
    stalled: bool,
    seen: usize,
    timeline: u64,
    starts: VecDeque<Boundary>,
    inside: VecDeque<(u64, AccessUnit)>,
}

impl Encoder {
    fn new(variant: u8, every: usize, delay: usize) -> Self {
        let (starts, inside) = (VecDeque::new(), VecDeque::new());
        Self { variant, every, delay, stalled: false, seen: 0, timeline: 0, starts, inside }
    }

    fn take(&mut self, server: &mut Server, unit: &AccessUnit) {
        self.seen += 1;
        let sync = self.starts.front().is_some_and(|start| start.start <= unit.pts);
        if !self.stalled && (sync || (self.seen - 1).is_multiple_of(self.every)) {
            while let Some(start) = self.starts.front().filter(|start| start.start <= unit.pts) {
                self.timeline = start.timeline;
                self.starts.pop_front();
            }
            let dts = unit.pts;
            self.inside.push_back((self.timeline, AccessUnit { sync, dts, ..unit.clone() }));
        }
        if self.inside.len() > self.delay {
            self.give(server);
        }
    }

    fn give(&mut self, server: &mut Server) -> Option<Placed> {
        let (timeline, unit) = self.inside.pop_front()?;
        Some(server.segmenter.push_rung(timeline, self.variant, unit))
    }

    fn flush(&mut self, server: &mut Server) {
        while self.give(server).is_some() {}
    }
}

struct Show {
    server: Server,
    encoders: Vec<Encoder>,
    checkers: Vec<Checker>,
}

impl Show {
    /// Sound, and pictures of 30 a second as variant 1, or unlisted; rungs as variants 0 and 2.
    fn new(source: Option<u8>) -> Self {
        let mut server = Server::new(60_000);
        let rung = |variant, millis| {
            let track = Arc::new(video_track(Some(millis)));
            Rung { variant, track }
        };
        let lineup =
            Lineup { source, hides_source: false, rungs: vec![rung(0, 30_000), rung(2, 15_000)] };
        let both = tracks(Some(video_track(Some(30_000))), Some(audio_track(48_000)));
        server.segmenter.start_with(both, lineup, MediaTime::from_millis(10_000), DATE);
        let encoders = vec![Encoder::new(0, 1, 2), Encoder::new(2, 2, 6)];
        let mut checkers = vec![
            Checker::new("0", 90_000, true),
            Checker::new("2", 90_000, false),
            Checker::new("audio", 48_000, true),
        ];
        checkers.extend(source.map(|_| Checker::new("1", 90_000, true)));
        Self { server, encoders, checkers }
    }

    fn push(&mut self, units: impl IntoIterator<Item = AccessUnit>) {
        for unit in units {
            self.server.segmenter.push(unit.clone());
            while let Some(boundary) = self.server.segmenter.poll_boundary() {
                self.encoders.iter_mut().for_each(|encoder| encoder.starts.push_back(boundary));
            }
            if unit.track == TrackKind::Video {
                self.encoders.iter_mut().for_each(|encoder| encoder.take(&mut self.server, &unit));
            }
            self.look();
        }
    }

    fn look(&mut self) {
        let checkers = &mut self.checkers;
        self.server
            .settle_with(|window, _| checkers.iter_mut().for_each(|checker| checker.look(window)));
    }

    fn end(&mut self) {
        for encoder in &mut self.encoders {
            encoder.flush(&mut self.server);
        }
        self.look();
        self.server.segmenter.end();
        self.look();
    }

    fn list(&mut self, folder: &str) -> m3u8::Playlist {
        m3u8::parse(&ready(self.server.window.playlist(folder, &Directives::default())))
    }
}

#[test]
fn al3_every_rendition_has_the_same_segments() {
    for source in [Some(1), None] {
        let mut show = Show::new(source);
        show.push(broadcast(10_000, 31_300, 30, 2_000));
        show.end();
        let folders = ["0", "2", "audio", "1"];
        let folders = if source.is_some() { &folders[..] } else { &folders[..3] };
        let lists: Vec<_> = folders.iter().map(|folder| show.list(folder)).collect();
        for (folder, list) in folders.iter().zip(&lists) {
            assert_eq!(list.segments.len(), lists[0].segments.len(), "{folder}");
            assert!(list.segments.iter().all(|segment| !segment.gap), "{folder}");
            for (segment, first) in list.segments.iter().zip(&lists[0].segments) {
                let late = segment.date_ms.expect("dated") - first.date_ms.expect("dated");
                assert!(late.abs() <= 24, "{folder}: {late} ms");
            }
        }
        let multivariant = ready(show.server.window.multivariant(&Directives::default()));
        assert_eq!(multivariant.contains("\n1/stream.m3u8"), source.is_some(), "{multivariant}");
        assert!(multivariant.contains("\n0/stream.m3u8") && multivariant.contains("\n2/stream"));
    }
}

#[test]
fn al7_a_rung_that_stalls_has_gaps_and_the_others_none() {
    let mut show = Show::new(Some(1));
    let units = broadcast(10_000, 31_000, 30, 2_000);
    for unit in units {
        let at = unit.dts.millis() - 10_000;
        show.encoders[1].stalled = (5_000..13_000).contains(&at);
        show.push([unit]);
    }
    show.end();
    for folder in ["0", "1", "audio"] {
        let list = show.list(folder);
        assert!(list.segments.iter().all(|segment| !segment.gap), "{folder}");
    }
    let gaps: Vec<_> = show.list("2").segments.iter().map(|segment| segment.gap).collect();
    let missing = gaps.iter().filter(|gap| **gap).count();
    assert!((3..=5).contains(&missing), "{gaps:?}");
    assert!(!gaps[0] && !gaps[1] && !gaps[gaps.len() - 1], "{gaps:?}");
}

#[test]
fn pictures_of_an_earlier_timeline_have_no_place() {
    let mut show = Show::new(Some(1));
    show.push(broadcast(10_000, 13_000, 30, 2_000));
    // The clock jumps by ten minutes: a new timeline, with pictures of the old one still inside.
    show.push(broadcast(613_000, 620_000, 30, 2_000));
    show.end();
    let numbers = |list: m3u8::Playlist| list.segments.len();
    let counts: Vec<_> = ["0", "2", "1", "audio"].map(|f| numbers(show.list(f))).into();
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
}

#[test]
fn t16_rungs_with_no_one_or_two_pictures_end_where_the_others_do() {
    for pictures in 0..3 {
        let mut show = Show::new(Some(1));
        let units = broadcast(10_000, 10_500, 30, 2_000);
        let last = units.iter().filter(|unit| unit.track == TrackKind::Video).nth(pictures);
        let until = last.expect("half a second has more").dts;
        show.push(units.into_iter().filter(|unit| unit.dts < until));
        show.end();
        if pictures > 0 {
            let counts = ["0", "2", "1"].map(|folder| show.list(folder).segments.len());
            assert_eq!(counts, [1, 1, 1], "{pictures} pictures");
        }
    }
}
