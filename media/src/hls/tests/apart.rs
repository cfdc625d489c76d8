//! Tracks whose times lie far apart, and pictures that last longer than a segment. Each was found
//! by the fuzz target; the checker judges every step.

use super::publisher::{DATE, Server, audio_track, broadcast, picture, sound, tracks, video_track};
use crate::access_unit::{AccessUnit, TrackKind, Tracks};
use crate::hls::checker::{Checker, m3u8, ready};
use crate::hls::{Directives, Update};
use crate::time::MediaTime;

fn both() -> Tracks {
    tracks(Some(video_track(Some(30_000))), Some(audio_track(48_000)))
}

fn only(units: Vec<AccessUnit>, kind: TrackKind) -> Vec<AccessUnit> {
    units.into_iter().filter(|unit| unit.track == kind).collect()
}

/// A broadcast from 10 s on, and its judges.
struct Judged {
    server: Server,
    checkers: [Checker; 2],
}

impl Judged {
    fn new(tracks: Tracks) -> Self {
        let checkers = [("0", 90_000), ("audio", 48_000)];
        let checkers = checkers.map(|(folder, hz)| Checker::new(folder, hz, false));
        let mut judged = Self { server: Server::new(60_000), checkers };
        judged.start(tracks, 10_000);
        judged
    }

    fn start(&mut self, tracks: Tracks, at_ms: i64) {
        self.server.segmenter.start(tracks, MediaTime::from_millis(at_ms), DATE);
        self.settle();
    }

    fn push_all(&mut self, units: impl IntoIterator<Item = AccessUnit>) {
        for unit in units {
            self.server.segmenter.push(unit);
            self.settle();
        }
    }

    fn settle(&mut self) {
        let checkers = &mut self.checkers;
        self.server.settle_with(|window, update| {
            for checker in checkers.iter_mut() {
                if matches!(update, Update::Start(_)) {
                    checker.new_broadcast();
                }
                checker.look(window);
            }
        });
    }

    /// Ends the broadcast; whole seconds of each segment listed, rounded.
    fn finish(mut self) -> [Vec<i64>; 2] {
        self.server.segmenter.end();
        self.settle();
        ["0", "audio"].map(|folder| {
            let list = self.server.window.playlist(folder, &Directives::default());
            let list = m3u8::parse(&ready(list));
            list.segments.iter().map(|s| (s.duration.unwrap() + 50_000) / 100_000).collect()
        })
    }
}

#[test]
fn sound_that_comes_behind_the_first_picture_from_long_before_it_is_left_out() {
    let mut judged = Judged::new(both());
    judged.push_all([picture(10_000, true), picture(10_033, false)]);
    let early = (0..).map(|unit| sound(0, unit, 48_000));
    judged.push_all(early.take_while(|unit| unit.dts < MediaTime::from_millis(9_990)));
    let rest = broadcast(10_000, 14_000, 30, 1_000);
    judged.push_all(rest.into_iter().filter(|unit| unit.dts > MediaTime::from_millis(10_040)));
    assert_eq!(judged.finish(), [[1, 2, 1], [1, 2, 1]]);
}

#[test]
fn sound_does_not_wait_for_pictures_that_are_shown_long_after_they_decode() {
    let mut judged = Judged::new(both());
    let late = |unit: AccessUnit| {
        let delayed = unit.track == TrackKind::Video && unit.dts >= MediaTime::from_millis(13_000);
        let delay = MediaTime::from_millis(if delayed { 5_000 } else { 0 });
        AccessUnit { pts: unit.pts.plus(delay), ..unit }
    };
    judged.push_all(broadcast(10_000, 24_000, 30, 1_000).into_iter().map(late));
    let [pictures, sound] = judged.finish();
    assert!(pictures.iter().chain(&sound).all(|seconds| *seconds <= 3), "{pictures:?} {sound:?}");
    assert_eq!((pictures.iter().sum::<i64>(), pictures.len()), (14, sound.len()));
}

#[test]
fn a_picture_that_lasts_longer_than_a_segment_ends_with_it() {
    let mut judged = Judged::new(tracks(Some(video_track(Some(1))), Some(audio_track(44_100))));
    let units = broadcast(10_000, 13_070, 30, 30_000);
    judged.push_all(units.into_iter().filter(|unit| unit.track == TrackKind::Video));
    judged.push_all([picture(13_640, true)]);
    let [pictures, _] = judged.finish();
    assert!(pictures.iter().all(|seconds| *seconds <= 3), "{pictures:?}");
}

#[test]
fn a_timeline_may_begin_with_a_gap() {
    let mut judged = Judged::new(both());
    judged.push_all(broadcast(10_000, 13_000, 30, 1_000));
    judged.start(both(), 2_000);
    judged.push_all(only(broadcast(2_000, 6_000, 30, 1_000), TrackKind::Video));
    judged.push_all(broadcast(6_000, 9_000, 30, 1_000));
    let [pictures, sound] = judged.finish();
    assert_eq!(pictures.len(), sound.len());
}
