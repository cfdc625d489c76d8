//! Broadcasts that begin, break, pause and end; what waits, and what stays fetchable.

use std::time::Duration;

use super::publisher::{DATE, Server, audio_track, broadcast, picture, sound, tracks, video_track};
use crate::access_unit::{AccessUnit, TrackKind, Tracks};
use crate::hls::checker::m3u8;
use crate::hls::checker::ready;
use crate::hls::{Answer, BroadcastState, Directives, MediaAnswer, Update, WaitFor, Window};
use crate::time::MediaTime;

fn both() -> Tracks {
    tracks(Some(video_track(Some(30_000))), Some(audio_track(48_000)))
}

fn started(rewind_ms: i64, tracks: Tracks) -> Server {
    let mut server = Server::new(rewind_ms);
    server.segmenter.start(tracks, MediaTime::from_millis(10_000), DATE);
    server.settle();
    server
}

fn list(window: &mut Window, rendition: &str) -> m3u8::Playlist {
    m3u8::parse(&ready(window.playlist(rendition, &Directives::default())))
}

fn at(msn: u64, part: u64) -> Directives {
    Directives { msn: Some(msn), part: Some(part), ..Directives::default() }
}

fn wait_of(answer: Answer) -> WaitFor {
    match answer {
        Answer::Wait(wait) => wait,
        other => panic!("{other:?}"),
    }
}

fn only(units: Vec<AccessUnit>, kind: TrackKind) -> Vec<AccessUnit> {
    units.into_iter().filter(|unit| unit.track == kind).collect()
}

#[test]
fn nothing_is_there_before_the_first_broadcast() {
    let mut server = Server::new(0);
    let directives = Directives::default();
    assert!(matches!(server.window.multivariant(&directives), Answer::NotFound));
    assert!(matches!(server.window.playlist("0", &directives), Answer::NotFound));
    assert!(matches!(server.window.media("0", "1.m4s"), MediaAnswer::NotFound));
    assert_eq!((server.window.state(), server.window.deadline()), (BroadcastState::Idle, None));
}

#[test]
fn the_first_requests_wait_for_the_first_part_and_the_first_segment() {
    let mut server = started(0, both());
    let multivariant = wait_of(server.window.multivariant(&Directives::default()));
    let video = wait_of(server.window.playlist("0", &Directives::default()));
    assert_eq!((multivariant.part, video.part), (Some(0), None));
    assert!(matches!(server.window.playlist("1", &Directives::default()), Answer::NotFound));
    server.push_all(broadcast(10_000, 10_500, 30, 2_000));
    assert!(server.window.reached(&multivariant));
    assert!(!server.window.reached(&video));
    server.push_all(broadcast(10_500, 12_500, 30, 2_000));
    assert!(server.window.reached(&video));
    assert!(list(&mut server.window, "0").segments.len() > 1);
}

#[test]
fn a_blocked_reload_is_released_by_its_part_and_not_before() {
    let mut server = started(0, both());
    server.push_all(broadcast(10_000, 10_500, 30, 2_000));
    let wait = wait_of(server.window.playlist("0", &at(1, 1)));
    let hinted = match server.window.media("0", "1.1.m4s") {
        MediaAnswer::Wait(wait) => wait,
        other => panic!("{other:?}"),
    };
    assert_eq!(wait, hinted);
    assert!(matches!(server.window.media("0", "1.2.m4s"), MediaAnswer::NotFound), "LL-11");
    let whole = match server.window.media("0", "1.m4s") {
        MediaAnswer::Wait(wait) => wait,
        other => panic!("{other:?}: another shard may have completed it"),
    };
    assert!(!server.window.reached(&whole));
    server.push_all(
        broadcast(10_500, 10_700, 30, 2_000)
            .into_iter()
            .map(|unit| AccessUnit { sync: unit.track == TrackKind::Audio, ..unit }),
    );
    assert!(server.window.reached(&wait));
    let Answer::Ready(snapshot) = server.window.playlist("0", &at(1, 1)) else { panic!() };
    assert!(snapshot.is_blocking());
    assert!(matches!(server.window.media("0", "1.1.m4s"), MediaAnswer::Ready(_)));
}

#[test]
fn f1_a_vanished_publisher_leaves_whole_pictures_and_a_list_that_stays() {
    let mut server = started(0, both());
    server.push_all(broadcast(10_000, 11_100, 30, 2_000));
    server.segmenter.interrupt();
    server.settle();
    assert_eq!(server.window.state(), BroadcastState::Interrupted);
    assert!(server.window.is_live());
    let before = list(&mut server.window, "0");
    assert_eq!(
        before.segments[0].duration,
        Some(109_900),
        "33 pictures, the last as long as usual"
    );
    assert!(!before.ended);
    let wait = wait_of(server.window.playlist("0", &at(2, 0)));

    server.segmenter.end();
    server.settle();
    assert_eq!(server.window.state(), BroadcastState::Ended);
    assert!(server.window.reached(&wait), "the end releases everybody");
    let after = list(&mut server.window, "0");
    assert!(after.ended);
    assert_eq!(after.segments, before.segments);
    let Answer::Ready(_) = server.window.playlist("0", &at(99, 99)) else { panic!("PL-18") };
    assert!(matches!(server.window.media("0", "2.0.m4s"), MediaAnswer::NotFound));
}

#[test]
fn a_new_broadcast_goes_on_with_the_numbers() {
    let mut server = started(60_000, both());
    server.push_all(broadcast(10_000, 15_000, 30, 2_000));
    server.segmenter.end();
    server.settle();
    let old = list(&mut server.window, "0");
    let next = old.segments.last().unwrap().msn + 1;
    assert_eq!(server.segmenter.next_msn(), next);

    server.segmenter.start(both(), MediaTime::from_millis(10_000), DATE);
    server.push_all(broadcast(10_000, 13_000, 30, 2_000));
    let new = list(&mut server.window, "0");
    assert_eq!((new.media_sequence, new.discontinuity_sequence), (next, 1));
    assert_eq!(new.segments[0].map.as_deref(), Some(format!("init-{next}.mp4").as_str()));
    assert!(!new.segments[0].discontinuity);

    let kept = |server: &Server| server.window.media("0", &old.segments[0].uri);
    assert!(matches!(kept(&server), MediaAnswer::Ready(_)), "PL-12");
    assert!(matches!(server.window.media("0", "init-1.mp4"), MediaAnswer::Ready(_)));
    let deadline = server.window.deadline().unwrap();
    server.window.handle_timeout(deadline + Duration::from_secs(10));
    assert!(matches!(kept(&server), MediaAnswer::NotFound));
    assert_eq!((server.window.retained_bytes(), server.window.deadline()), (0, None));
}

#[test]
fn a_removed_segment_can_be_fetched_for_as_long_as_a_player_may_ask() {
    let mut server = started(0, both());
    server.push_all(broadcast(10_000, 24_950, 30, 2_000));
    let longest = Duration::from_secs(14);
    let first = list(&mut server.window, "0").media_sequence;
    assert_eq!(first, 2, "six segments stay although nobody asked for rewind (PL-11)");
    assert!(matches!(server.window.media("0", "1.0.m4s"), MediaAnswer::Ready(_)));
    server.window.handle_timeout(server.now + longest);
    assert!(matches!(server.window.media("0", "1.m4s"), MediaAnswer::Ready(_)));
    server.window.handle_timeout(server.now + longest + Duration::from_secs(3));
    assert!(matches!(server.window.media("0", "1.m4s"), MediaAnswer::NotFound));
}

#[test]
fn ts8_sound_that_stops_becomes_gaps_and_does_not_hold_back_pictures() {
    let mut server = started(60_000, both());
    server.push_all(broadcast(10_000, 13_000, 30, 2_000));
    let silent = broadcast(13_000, 21_000, 30, 1_000);
    server.push_all(only(silent, TrackKind::Video));
    let sound_list = list(&mut server.window, "audio");
    let pictures = list(&mut server.window, "0");
    let gaps: Vec<_> = sound_list.segments.iter().map(|s| (s.msn, s.gap)).collect();
    assert_eq!(gaps, [(1, false), (2, false), (3, true), (4, true)]);
    assert!(pictures.segments.last().unwrap().msn > 5);
    assert!(matches!(server.window.media("audio", "3.m4s"), MediaAnswer::NotFound), "PL-19");

    // It comes back in the middle of segment 6 and is on time again with segment 7.
    server.push_all(broadcast(21_000, 27_000, 30, 1_000));
    let back = list(&mut server.window, "audio");
    let last = back.segments.last().unwrap();
    assert_eq!(last.msn, list(&mut server.window, "0").segments.last().unwrap().msn);
    assert!(!last.gap && !last.parts.is_empty());
}

#[test]
fn ts8_pictures_that_stop_become_gaps_and_sound_goes_on() {
    let mut server = started(60_000, both());
    server.push_all(broadcast(10_000, 13_000, 30, 2_000));
    let dark = broadcast(13_000, 21_000, 30, 2_000);
    server.push_all(only(dark, TrackKind::Audio));
    let pictures = list(&mut server.window, "0");
    let shape: Vec<_> = pictures.segments.iter().map(|s| (s.msn, s.gap)).collect();
    assert_eq!(shape, [(1, false), (2, false), (3, true), (4, true)]);
    let sound_list = list(&mut server.window, "audio");
    assert_eq!(sound_list.segments.last().unwrap().msn, 5);
    assert!(sound_list.segments.iter().all(|segment| !segment.gap));
    // The last picture stands to the end of its segment, in parts that are never too long (LL-1).
    let standing = &pictures.segments[1];
    assert!(standing.parts.iter().all(|part| part.duration <= 33_400));
    assert!(standing.duration.unwrap() > 250_000);

    server.push_all(broadcast(21_000, 25_000, 30, 2_000));
    let back = list(&mut server.window, "0");
    assert!(back.segments.iter().all(|segment| !segment.discontinuity));
    assert!(!back.segments.last().unwrap().gap);
}

#[test]
fn f4_a_jump_of_both_tracks_is_a_discontinuity_with_the_same_clock() {
    let mut server = started(60_000, both());
    server.push_all(broadcast(10_000, 13_000, 30, 2_000));
    server.push_all(broadcast(18_000, 21_000, 30, 2_000));
    // Sound beside pictures is dated two milliseconds early.
    for (rendition, early_ms) in [("0", 0), ("audio", 2)] {
        let list = list(&mut server.window, rendition);
        let segment = list.segments.iter().find(|s| s.discontinuity).unwrap();
        let date_ms = (10 * 3_600 + 8) * 1_000 - early_ms;
        assert_eq!((segment.msn, segment.date_ms), (3, Some(date_ms)), "{rendition}");
    }
}

#[test]
fn f5_a_picture_that_stands_still_keeps_reloads_going() {
    let mut server = started(60_000, tracks(Some(video_track(Some(30_000))), None));
    server.push_all(only(broadcast(10_000, 10_900, 30, 2_000), TrackKind::Video));
    server.push_all([picture(12_500, true), picture(12_533, false)]);
    let list = list(&mut server.window, "0");
    let durations: Vec<_> = list.segments[0].parts.iter().map(|part| part.duration).collect();
    assert_eq!(durations.iter().sum::<i64>(), 250_000);
    assert!(durations.iter().all(|duration| *duration <= 33_400), "{durations:?}");
    assert_eq!(list.hints, [("PART".to_owned(), "2.0.m4s".to_owned())]);
}

#[test]
fn pl4_keyframes_that_are_too_rare_are_reported_once() {
    let mut server = started(60_000, both());
    let mut reports = Vec::new();
    for unit in broadcast(10_000, 40_000, 30, 8_000) {
        server.segmenter.push(unit);
        server.settle_with(|_, update| {
            if let Update::KeyframesTooRare { interval } = update {
                reports.push(interval.millis());
            }
        });
    }
    assert_eq!(reports.len(), 1);
    assert!(reports[0] > 3_000);
    assert_eq!(server.window.long_keyframe_interval().map(MediaTime::millis), Some(reports[0]));
    let list = list(&mut server.window, "0");
    assert!(!list.independent_segments, "PL-17");
    let text = ready(server.window.multivariant(&Directives::default()));
    assert!(!text.contains("INDEPENDENT-SEGMENTS"));
}

#[test]
fn a_track_that_is_gone_after_a_reconnect_ends_its_list() {
    let mut server = started(60_000, both());
    server.push_all(broadcast(10_000, 13_000, 30, 2_000));
    server.segmenter.interrupt();
    let only_video = tracks(Some(video_track(Some(30_000))), None);
    server.segmenter.start(only_video, MediaTime::from_millis(20_000), DATE);
    server.push_all(only(broadcast(20_000, 23_000, 30, 2_000), TrackKind::Video));
    assert!(list(&mut server.window, "audio").ended, "AL-7");
    assert!(list(&mut server.window, "0").reports.is_empty());
    let text = ready(server.window.multivariant(&Directives::default()));
    assert!(!text.contains("audio"), "{text}");

    server.segmenter.start(both(), MediaTime::from_millis(30_000), DATE);
    server.push_all(broadcast(30_000, 33_000, 30, 2_000));
    let (video, audio) = (list(&mut server.window, "0"), list(&mut server.window, "audio"));
    let number = |list: &m3u8::Playlist| {
        let tags = list.segments.iter().filter(|segment| segment.discontinuity).count() as u64;
        (list.discontinuity_sequence + tags, list.segments.last().unwrap().msn)
    };
    assert_eq!(number(&video), number(&audio), "AL-1");
    assert!(!audio.ended);
}

#[test]
fn an_unknown_frame_rate_is_measured_before_the_broadcast_is_announced() {
    let mut server = started(60_000, tracks(Some(video_track(None)), None));
    assert_eq!(server.window.state(), BroadcastState::Idle);
    server.push_all((0..20).map(|i| picture(10_000 + i * 200, i % 10 == 0)));
    let text = ready(server.window.multivariant(&Directives::default()));
    assert!(text.contains("FRAME-RATE=5.000"), "{text}");
    assert_eq!(list(&mut server.window, "0").part_target, Some(40_100), "LL-2");
}

#[test]
fn cm10_and_disorder_units_that_cannot_be_placed_are_dropped() {
    let mut server = started(60_000, both());
    let mut units = broadcast(10_000, 12_500, 30, 2_000);
    units.insert(40, picture(-5, true));
    units.insert(60, sound(-100, 0, 48_000));
    units.insert(80, units[3].clone());
    server.push_all(units);
    assert_eq!(list(&mut server.window, "audio").segments[0].duration, Some(200_533));
    // A picture out of order spoils those that refer to it: the track goes on at the next sync.
    assert!(list(&mut server.window, "0").segments[0].parts.len() >= 2);
}

#[test]
fn the_status_tells_what_is_listed() {
    let mut server = started(60_000, both());
    server.push_all(broadcast(10_000, 15_000, 30, 2_000));
    let status: Vec<_> = server.window.renditions().collect();
    assert_eq!(status.len(), 2);
    assert_eq!((status[0].id.to_string(), status[0].segments), ("0".to_owned(), 2));
    assert_eq!((status[0].first_msn, status[0].duration.millis()), (1, 4_000));
    assert!(status[0].bytes > 0 && status[0].bitrate > 0);
    assert_eq!(status[1].codec, "mp4a.40.2");
    assert_eq!(server.window.target_duration(), Some(3));
}
