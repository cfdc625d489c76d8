//! What a source may do to a ladder: keyframes far apart, another size, an end before it has begun.

use std::time::Duration;

use crate::boxes;
use crate::lint;
use crate::player::{Follower, Recording, follow_each};
use crate::playlist::{Media, Multivariant};
use crate::publish::{Pace, Program, Publisher};
use crate::server::Server;
use crate::tool::wait_for;

const LIMIT: Duration = Duration::from_secs(90);
const SOURCE: &str = "/hls/0/stream.m3u8";
const RUNG: &str = "/hls/1/stream.m3u8";
const SOUND: &str = "/hls/audio/stream.m3u8";

fn starts(recording: &Recording) -> Vec<(u64, i64)> {
    let segments = recording.segments.iter();
    segments.filter_map(|(msn, segment)| Some((*msn, segment.date?))).collect()
}

/// Whether each segment begins with a picture that can be decoded alone.
fn is_independent(recording: &Recording) -> bool {
    recording.segments.values().all(|segment| {
        let bytes = segment.bytes.clone().unwrap_or_else(|| segment.parts.concat());
        boxes::samples(&bytes).first().is_some_and(|sample| sample.sync)
    })
}

/// Segments of the source are cut between its keyframes; those of the rungs begin with keyframes of
/// their own at the same times (AL-3, PL-4).
#[test]
fn rungs_have_keyframes_where_their_source_has_none() {
    let server = Server::start_with(&["--renditions", "source,180p@300"]);
    let publisher = Publisher::start(Program::Ffmpeg, "key8", Pace::Live, &server.publish_url());
    let followers = follow_each(&server, &[SOURCE, RUNG, SOUND]);
    publisher.finish(LIMIT);
    let recordings: Vec<_> = followers.into_iter().map(|f| f.wait_end(LIMIT)).collect();
    let [source, rung, _] = &recordings[..] else { panic!("three followers") };
    for recording in &recordings {
        recording.assert_clean();
        assert!(recording.discontinuities().is_empty());
    }
    assert!(server.log().contains("the keyframe interval is too long"));
    assert!(!is_independent(source) && is_independent(rung));
    let near = |(a, b): (&(u64, i64), &(u64, i64))| a.0 == b.0 && (a.1 - b.1).abs() <= 1;
    assert_eq!(starts(source).len(), starts(rung).len());
    assert!(starts(source).iter().zip(&starts(rung)).all(near), "{:?}", starts(rung));
    let mut sent = source.presentation_times();
    sent.sort_by(f64::total_cmp);
    let shown = rung.presentation_times();
    assert_eq!(sent.len(), shown.len());
    assert!(sent.iter().zip(&shown).all(|(a, b)| (a - b).abs() < 1e-4));
    assert!(!rung.last.as_ref().expect("a playlist").segments.iter().any(|segment| segment.gap));
    assert!(rung.last.as_ref().is_some_and(|list| list.independent_segments));
}

/// In the automatic ladder the source's own size is then encoded anew, with keyframes where
/// segments begin: that is what viewers who come are offered. Those who play the source as it is go
/// on with it to the end (PL-4, design §4).
#[test]
fn the_automatic_ladder_makes_up_for_rare_keyframes() {
    let server = Server::start_with(&["--renditions", "auto"]);
    let publisher = Publisher::start(Program::Ffmpeg, "key8", Pace::Live, &server.publish_url());
    let mut followers = follow_each(&server, &[SOURCE, SOUND]);
    let offered = || -> Vec<_> {
        let playlist = Multivariant::parse(server.get("/hls/stream.m3u8").text());
        let offences = lint::multivariant(&playlist);
        assert!(offences.is_empty(), "{offences:#?}");
        let uri = |variant: &crate::playlist::Variant| variant.uri.clone();
        playlist.variants.iter().map(uri).collect()
    };
    wait_for("another offer", LIMIT, || (offered()[0] == "1/stream.m3u8").then_some(()));
    assert_eq!(offered(), ["1/stream.m3u8", "audio/stream.m3u8"]);
    followers.push(Follower::start(server.http, RUNG));
    publisher.finish(LIMIT);
    let recordings: Vec<_> = followers.into_iter().map(|f| f.wait_end(LIMIT)).collect();
    let [source, _, again] = &recordings[..] else { panic!("three followers") };
    for recording in &recordings {
        recording.assert_clean();
        assert!(recording.discontinuities().is_empty());
        let last = recording.last.as_ref().expect("a playlist");
        assert!(last.segments.iter().all(|segment| !segment.gap));
    }
    assert!(!is_independent(source) && is_independent(again));
    assert!(again.inits.values().all(|init| boxes::picture_size(init) == (640, 360)));
    let begins = |of: &Recording, msn| of.segments[&msn].date.expect("a date");
    assert!(again.segments.len() >= 4, "{:?}", starts(again));
    for (msn, at) in starts(again) {
        assert!((at - begins(source, msn)).abs() <= 1, "{msn}: {at} {}", begins(source, msn));
    }
    let (sent, shown) = (source.presentation_times(), again.presentation_times());
    assert!(sent.len() > 490 && shown.len() > 250, "{} and {}", sent.len(), shown.len());
    assert!(server.log().contains("the pictures are encoded anew"));
}

/// The streamer stops, sets another size, profile, frame rate and sound, and comes back: the ladder
/// follows with a discontinuity in every rendition.
#[test]
fn a_source_that_comes_back_with_another_size_has_another_ladder() {
    let server = Server::start_with(&["--renditions", "source,180p@300"]);
    let first = Publisher::start(Program::Ffmpeg, "fps25", Pace::Live, &server.publish_url());
    let followers = follow_each(&server, &[SOURCE, RUNG, SOUND]);
    let segments = |count| {
        wait_for("segments", LIMIT, || {
            let list = Media::parse(server.get(RUNG).text());
            (list.edge().0 >= list.media_sequence + count).then_some(list)
        })
    };
    segments(2);
    let sizes = || -> Vec<String> {
        let playlist = Multivariant::parse(server.get("/hls/stream.m3u8").text());
        let offences = lint::multivariant(&playlist);
        assert!(offences.is_empty(), "{offences:#?}");
        let size = |v: crate::playlist::Variant| v.attributes.get("RESOLUTION").cloned();
        playlist.variants.into_iter().filter_map(size).collect()
    };
    assert_eq!(sizes(), ["640x360", "320x180"]);
    // Gone without a goodbye: the broadcast waits.
    first.kill();
    let second = Publisher::start(Program::Ffmpeg, "fps2997", Pace::Live, &server.publish_url());
    wait_for("the new sizes", LIMIT, || (sizes() == ["640x272", "424x180"]).then_some(()));
    second.finish(LIMIT);
    let recordings: Vec<_> = followers.into_iter().map(|f| f.wait_end(LIMIT)).collect();
    let breaks: Vec<_> = recordings.iter().map(Recording::discontinuities).collect();
    assert!(breaks[0].len() == 1 && breaks.iter().all(|found| *found == breaks[0]), "{breaks:?}");
    for (recording, sizes) in recordings.iter().zip([
        Some([(640, 360), (640, 272)]),
        Some([(320, 180), (424, 180)]),
        None,
    ]) {
        recording.assert_clean();
        let Some(sizes) = sizes else { continue };
        let sized: Vec<_> =
            recording.inits.values().map(|init| boxes::picture_size(init)).collect();
        assert_eq!(sized.len(), 2);
        assert!(sizes.iter().all(|size| sized.contains(size)), "{sized:?}");
        assert!(recording.presentation_times().len() > 200);
    }
}

/// Publishers that stop after none, one and two pictures: what began ends, no codec stays behind,
/// and the next broadcast is as if nothing had been (T16, T21).
#[test]
fn t16_a_ladder_of_no_one_or_two_pictures_ends_cleanly() {
    let server = Server::start_with(&["--renditions", "source,180p@300", "--grace-seconds", "0"]);
    let codecs = || {
        let threads = server.threads();
        let is_codec = |name: &String| name.starts_with("encode") || name.starts_with("decode");
        threads.into_iter().filter(is_codec).collect::<Vec<_>>()
    };
    let wait_online = |online: bool| {
        wait_for("the status", LIMIT, || {
            let text = format!("\"online\":{online}");
            server.get("/api/status").text().contains(&text).then_some(())
        });
    };
    for options in [
        &["-bsf:v", "noise=drop=1", "-t", "1"][..],
        &["-frames:v", "1"],
        &["-frames:v", "2"],
        &["-an", "-frames:v", "1"],
    ] {
        let publisher = Publisher::with("fps25", options, &server.publish_url());
        publisher.finish(LIMIT);
        wait_for("codecs to end", LIMIT, || codecs().is_empty().then_some(()));
        wait_online(false);
        for path in [SOURCE, RUNG, SOUND] {
            let answer = server.get(path);
            if answer.status == 200 {
                let list = Media::parse(answer.text());
                let offences = lint::media(answer.text(), &list);
                assert!(list.ended && offences.is_empty(), "{options:?} {path}: {offences:#?}");
            }
        }
    }
    let publisher = Publisher::start(Program::Ffmpeg, "fps25", Pace::Live, &server.publish_url());
    // Until then the playlists are those of the last broadcast, which have ended.
    wait_online(true);
    let followers = follow_each(&server, &[SOURCE, RUNG, SOUND]);
    publisher.finish(LIMIT);
    for recording in followers.into_iter().map(|follower| follower.wait_end(LIMIT)) {
        recording.assert_clean();
        assert!(recording.presentation_times().len() > 150);
    }
    wait_for("codecs to end", LIMIT, || codecs().is_empty().then_some(()));
}
