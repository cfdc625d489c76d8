//! When parts are listed, and how long they last: regular pictures are not waited for, irregular
//! ones still fill their parts (LL-1, P11).

use super::publisher::{DATE, Server, audio_track, picture, sound, tracks, video_track};
use crate::access_unit::{AccessUnit, TrackKind};
use crate::hls::checker::{Checker, m3u8, ready};
use crate::hls::{Directives, Part, Update};
use crate::time::MediaTime;

/// Pictures at these times from 10 s on; those that are a multiple of `gop` are sync pictures.
fn pictures(times_ms: impl IntoIterator<Item = i64>, gop_ms: i64) -> Vec<AccessUnit> {
    let mut last = -1;
    let sync = |ms: i64, last: &mut i64| {
        let begins = ms / gop_ms > *last;
        *last = ms / gop_ms;
        begins
    };
    times_ms.into_iter().map(|ms| picture(10_000 + ms, sync(ms, &mut last))).collect()
}

/// Pictures of a steady rate, `from` counted in pictures.
fn steady(fps: i64, from: i64, to: i64) -> impl Iterator<Item = i64> + Clone {
    (from..to).map(move |n| n * 1_000 / fps)
}

/// Pushes units one by one; returns each part with the number of units that were needed for it.
fn parts_as_they_come(
    server: &mut Server,
    checker: &mut Checker,
    units: &[AccessUnit],
) -> Vec<(usize, Part)> {
    let mut parts = Vec::new();
    for (index, unit) in units.iter().enumerate() {
        server.segmenter.push(unit.clone());
        server.settle_with(|window, update| {
            checker.look(window);
            if let Update::Part(part) = update
                && part.rendition.to_string() == checker.folder
            {
                parts.push((index + 1, part.clone()));
            }
        });
    }
    parts
}

fn of_pictures(fps: u32) -> (Server, Checker) {
    let mut server = Server::new(60_000);
    let start = MediaTime::from_millis(10_000);
    server.segmenter.start(tracks(Some(video_track(Some(fps * 1_000))), None), start, DATE);
    server.settle();
    (server, Checker::new("0", 90_000, true))
}

fn list(server: &mut Server, folder: &str) -> m3u8::Playlist {
    m3u8::parse(&ready(server.window.playlist(folder, &Directives::default())))
}

#[test]
fn p11_a_full_part_is_listed_with_its_last_picture() {
    for (fps, per_part) in [(60, 20), (50, 16), (30, 10), (25, 8), (24, 8), (5, 2)] {
        let (mut server, mut checker) = of_pictures(fps);
        let units = pictures(steady(fps.into(), 0, i64::from(fps) * 20), 2_000);
        let parts = parts_as_they_come(&mut server, &mut checker, &units);
        let mut listed = 0;
        for (needed, part) in &parts {
            let samples = checker_samples(part);
            listed += samples;
            // Before an interval is known, and before keyframes have come three times at the same
            // distance where they cut a part short, the next picture must be seen.
            let steady = *needed > fps as usize * 8 + 1;
            let known = part.msn > 2 && samples == per_part || steady;
            assert!(*needed == listed || !known && *needed == listed + 1, "{fps}: {part:?}");
        }
        assert!(parts.len() >= 50 && checker.hints_missed == 0, "{fps}: {}", parts.len());
    }
}

fn checker_samples(part: &Part) -> usize {
    crate::hls::checker::mp4::parse_part(&part.bytes).samples.len()
}

#[test]
fn p11_sound_is_listed_with_its_last_unit() {
    for rate in [44_100, 48_000] {
        let mut server = Server::new(60_000);
        let start = MediaTime::from_millis(10_000);
        server.segmenter.start(tracks(None, Some(audio_track(rate))), start, DATE);
        let units: Vec<_> = (0..900).map(|unit| sound(10_000, unit, rate)).collect();
        let mut checker = Checker::new("audio", rate.into(), true);
        let mut listed = 0;
        for (needed, part) in parts_as_they_come(&mut server, &mut checker, &units) {
            listed += checker_samples(&part);
            assert_eq!(needed, listed, "{rate}: {part:?}");
        }
        assert!(listed > 850 && checker.hints_missed == 0);
    }
}

#[test]
fn ll1_parts_of_irregular_pictures_last_as_they_should() {
    let dropping = steady(30, 0, 900).enumerate().filter(|(n, _)| n % 7 != 3 && n % 50 > 4);
    let sources: [(&str, u32, Vec<i64>); 7] = [
        ("film of two rates", 25, steady(25, 0, 250).chain(steady(10, 100, 300)).collect()),
        ("dropping", 30, dropping.map(|(_, ms)| ms).collect()),
        (
            "every second, every third",
            25,
            steady(25, 0, 900)
                .filter(|ms| if ms % 6_000 < 3_000 { ms % 80 == 0 } else { ms % 120 != 40 })
                .collect(),
        ),
        ("slides", 30, steady(30, 0, 90).chain((4..40).map(|s| s * 1_000)).collect()),
        ("slower slides", 30, steady(30, 0, 90).chain((2..10).map(|s| s * 2_500)).collect()),
        ("five per second", 5, steady(5, 0, 100).collect()),
        ("first group clamped", 25, (0..8).chain(steady(25, 10, 400)).collect()),
    ];
    for (name, fps, times) in sources {
        let (mut server, mut checker) = of_pictures(fps);
        let last = *times.last().unwrap();
        let units = pictures(times, 2_000);
        let parts = parts_as_they_come(&mut server, &mut checker, &units);
        server.segmenter.end();
        server.settle_with(|window, _| checker.look(window));
        let samples: usize = checker.fragments.iter().map(|(_, f)| f.samples.len()).sum();
        assert_eq!(samples, units.len(), "{name}");
        let sum: i64 = list(&mut server, "0").segments.iter().filter_map(|s| s.duration).sum();
        assert!((sum / 100 - last).abs() <= 2_500 && parts.len() > 20, "{name}: {sum}");
        assert_no_empty_end(&checker, name, fps);
    }
}

/// Where pictures come at least once per part, no part is without any.
fn assert_no_empty_end(checker: &Checker, name: &str, fps: u32) {
    if name.contains("slides") || fps < 5 {
        return;
    }
    let empty = checker.fragments.iter().filter(|(_, fragment)| fragment.samples.is_empty());
    assert_eq!(empty.count(), 0, "{name}");
}

#[test]
fn cm7_a_picture_that_comes_late_or_early_keeps_its_time() {
    // The tenth picture fills the first part and is listed at once; what comes then is not where
    // the rhythm says.
    for off in [-20, -1, 0, 1, 33, 67, 400, 1_500] {
        let (mut server, mut checker) = of_pictures(30);
        let late = (10..40).map(|n| n * 1_000 / 30 + off);
        let units = pictures(steady(30, 0, 10).chain(late), 2_000);
        let parts = parts_as_they_come(&mut server, &mut checker, &units);
        assert_eq!(parts[0].0, 10, "{off}");
        server.segmenter.end();
        server.settle_with(|window, _| checker.look(window));
        let mut decodes = 900_000;
        let mut shown = Vec::new();
        for sample in checker.fragments.iter().flat_map(|(_, fragment)| &fragment.samples) {
            shown.push(decodes + sample.offset);
            decodes += sample.duration;
        }
        let sent: Vec<i64> = units.iter().map(|unit| unit.pts.ticks()).collect();
        assert_eq!(shown, sent, "{off}");
    }
}

#[test]
fn ll10_a_keyframe_that_fails_to_come_corrects_the_hint() {
    let (mut server, mut checker) = of_pictures(30);
    // Every second, two in a segment; then one is left out.
    let mut units = pictures(steady(30, 0, 390), 1_000);
    units[270].sync = false;
    for unit in &units[..270] {
        server.segmenter.push(unit.clone());
    }
    server.settle_with(|window, _| checker.look(window));
    assert_eq!(list(&mut server, "0").hints, [("PART".to_owned(), "6.0.m4s".to_owned())]);
    for unit in &units[270..280] {
        server.segmenter.push(unit.clone());
    }
    server.settle_with(|window, _| checker.look(window));
    let corrected = list(&mut server, "0");
    assert_eq!(corrected.hints, [("PART".to_owned(), "5.7.m4s".to_owned())]);
    assert_eq!(corrected.segments.last().unwrap().parts.len(), 7);
    for unit in &units[280..] {
        server.segmenter.push(unit.clone());
    }
    server.settle_with(|window, _| checker.look(window));
    assert_eq!(checker.hints_missed, 1);
    assert!(list(&mut server, "0").independent_segments, "PL-17");
}

#[test]
fn ll1_a_short_part_listed_for_a_keyframe_ends_its_segment_even_without_it() {
    let (mut server, mut checker) = of_pictures(25);
    // 50 pictures: six parts of eight and a short one, listed early once intervals are steady.
    let mut units = pictures(steady(25, 0, 330), 2_000);
    units[250].sync = false;
    let parts = parts_as_they_come(&mut server, &mut checker, &units);
    let short = parts.iter().find(|(needed, _)| *needed == 250).unwrap();
    assert_eq!((short.1.msn, short.1.index, short.1.ends_segment), (5, 6, true));
    let playlist = list(&mut server, "0");
    assert_eq!(playlist.segments[4].parts.len(), 7);
    assert!(!playlist.segments[5].parts[0].independent);
}

/// Pictures at these times with sound beside them, in the order of their times.
fn with_sound(times_ms: Vec<i64>) -> Vec<AccessUnit> {
    let last = *times_ms.last().unwrap();
    let mut units = pictures(times_ms, 2_000);
    let sounds = (0..).map(|unit| sound(10_000, unit, 48_000));
    units.extend(sounds.take_while(|unit| unit.dts.millis() < 10_000 + last));
    units.sort_by(|a, b| a.dts.cmp(&b.dts).then(a.track.cmp(&b.track)));
    units
}

#[test]
fn f39_pictures_that_stand_still_beside_sound_are_listed_part_by_part() {
    let slides = |at: &mut dyn Iterator<Item = i64>| steady(30, 0, 60).chain(at).collect();
    let uneven = |n: i64| 3_000 + n * 1_000 + [0, 240, -170, 90, 310, -260, 0][n as usize % 7];
    let sources: [(&str, Vec<i64>); 4] = [
        ("each second", slides(&mut (2..40).map(|s| s * 1_000))),
        ("each 700 ms", slides(&mut (3..50).map(|n| n * 700))),
        ("about each second", slides(&mut (0..40).map(uneven))),
        ("and then a film", slides(&mut (2..12).map(|s| s * 1_000).chain(steady(30, 345, 900)))),
    ];
    for (name, times) in sources {
        let mut server = Server::new(60_000);
        let both = tracks(Some(video_track(Some(30_000))), Some(audio_track(48_000)));
        server.segmenter.start(both, MediaTime::from_millis(10_000), DATE);
        server.settle();
        let mut checkers = [Checker::new("0", 90_000, true), Checker::new("audio", 48_000, true)];
        let units = with_sound(times);
        let mut listed = [10_000; 2];
        for unit in &units {
            let now = unit.dts.millis();
            server.segmenter.push(unit.clone());
            server.settle_with(|window, update| {
                checkers.iter_mut().for_each(|checker| checker.look(window));
                if let Update::Part(part) = update {
                    let video = part.rendition.to_string() == "0";
                    listed[usize::from(!video)] = part.end.millis();
                }
            });
            // Once it is known how long pictures may stand. A part is 334 ms, sound is 100 ms ahead
            // of what stands, and comes in blocks of 21 ms.
            for (what, listed) in ["pictures", "sound"].iter().zip(listed) {
                let behind = now - listed;
                assert!(
                    now < 15_000 || behind <= 560,
                    "{name}: {what} {behind} ms behind at {now}"
                );
            }
        }
        server.segmenter.end();
        server.settle_with(|window, _| checkers.iter_mut().for_each(|c| c.look(window)));
        let (mut decodes, mut shown) = (900_000, Vec::new());
        for sample in checkers[0].fragments.iter().flat_map(|(_, fragment)| &fragment.samples) {
            shown.push(decodes + sample.offset);
            decodes += sample.duration;
        }
        let pictures = units.iter().filter(|unit| unit.track == TrackKind::Video);
        let sent: Vec<i64> = pictures.map(|unit| unit.pts.ticks()).collect();
        assert_eq!(shown, sent, "{name}");
        let [left, right] = ["0", "audio"].map(|folder| list(&mut server, folder).segments);
        assert_eq!(left.len(), right.len(), "{name}");
        for (left, right) in left.iter().zip(&right) {
            let apart = left.date_ms.unwrap() - right.date_ms.unwrap();
            assert!((-30..=30).contains(&apart), "{name}: {} begins {apart} ms apart", left.msn);
        }
    }
}

#[test]
fn p14_no_part_is_complete_before_a_unit_that_was_told_to_be_due() {
    for (fps, gop_ms, sound_rate) in
        [(30, 2_000, Some(48_000)), (60, 1_000, Some(44_100)), (25, 2_000, None), (30, 9_000, None)]
    {
        let mut server = Server::new(60_000);
        let track = video_track(Some(fps * 1_000));
        let offer = tracks(Some(track), sound_rate.map(audio_track));
        server.segmenter.start(offer, MediaTime::from_millis(10_000), DATE);
        server.settle();
        let mut units = pictures(steady(fps.into(), 0, i64::from(fps) * 30), gop_ms);
        let sounds = (0..).map(|unit| sound(10_000, unit, sound_rate.unwrap_or(48_000)));
        let sounds = sounds.take_while(|unit| unit.dts.millis() < 40_000);
        units.extend(sounds.filter(|_| sound_rate.is_some()));
        units.sort_by(|a, b| a.dts.cmp(&b.dts).then(a.track.cmp(&b.track)));
        let (mut idle, mut told) = (0, 0);
        for unit in &units {
            let due = server.segmenter.next_due();
            server.segmenter.push(unit.clone());
            let mut completes = false;
            server.settle_with(|_, update| completes |= matches!(update, Update::Part(_)));
            told += usize::from(due.is_some());
            if due.is_some_and(|due| unit.dts < due) {
                // Pieces of an interval longer than a segment end where nobody was told.
                assert!(!completes || gop_ms > 3_000, "{fps}: {unit:?} before {due:?}");
                idle += 1;
            }
        }
        let share = idle * 100 / units.len();
        assert!(told * 10 > units.len() * 6 || gop_ms > 3_000, "{told} of {}", units.len());
        assert!(share > 30, "{fps}: only {share} % could wait");
    }
}
