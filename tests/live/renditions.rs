//! Renditions that change while a broadcast is on: by the operator, who rewrites the configuration,
//! and by viewers, who ask for them or do not.

use std::path::Path;
use std::time::Duration;

use crate::lint;
use crate::player::{Follower, Recording, follow_each};
use crate::playlist::{Media, Multivariant, Segment};
use crate::publish::Publisher;
use crate::server::Server;
use crate::tool::{scratch, wait_for};

const LIMIT: Duration = Duration::from_secs(60);
const SOURCE: &str = "/hls/0/stream.m3u8";
const FIRST: &str = "/hls/1/stream.m3u8";
const SECOND: &str = "/hls/2/stream.m3u8";
const SOUND: &str = "/hls/audio/stream.m3u8";

/// Sizes of the variants, in order.
fn sizes(server: &Server) -> Vec<String> {
    let playlist = Multivariant::parse(server.get("/hls/stream.m3u8").text());
    let offences = lint::multivariant(&playlist);
    assert!(offences.is_empty(), "{offences:#?}");
    let size = |variant: crate::playlist::Variant| variant.attributes.get("RESOLUTION").cloned();
    playlist.variants.into_iter().filter_map(size).collect()
}

fn list(server: &Server, path: &str) -> Media {
    Media::parse(server.get(path).text())
}

fn assert_unbroken(recording: &Recording) {
    recording.assert_clean();
    assert!(recording.discontinuities().is_empty(), "{:?}", recording.discontinuities());
    let last = recording.last.as_ref().expect("a playlist");
    assert!(last.segments.iter().all(|segment| !segment.gap), "a gap");
    // Panics where the decode timeline has a hole.
    assert!(recording.presentation_times().len() > 100);
}

fn reload(server: &Server, config: &Path, text: &str, answer: &str) {
    let before = server.log().matches(answer).count();
    std::fs::write(config, text).expect("the folder is ours");
    server.hang_up();
    wait_for(answer, LIMIT, || (server.log().matches(answer).count() > before).then_some(()));
}

/// What is new appears, what is gone ends, and who watches the source or listens notices nothing.
#[test]
fn other_renditions_begin_with_the_next_segment() {
    let config = scratch("config").join("riverrun.toml");
    std::fs::write(&config, "renditions = 'source,240p@200'").expect("the folder is ours");
    let server = Server::start_with(&["--config", &config.to_string_lossy()]);
    let _publisher = Publisher::looped("long", &server.publish_url());
    let mut followers = follow_each(&server, &[SOURCE, SOUND, FIRST]);
    let whole = |list: &Media| list.segments.iter().filter(|s| s.uri.is_some()).count();
    wait_for("two segments", LIMIT, || (whole(&list(&server, FIRST)) >= 2).then_some(()));
    assert_eq!(sizes(&server), ["1280x720", "426x240"]);

    reload(&server, &config, "renditions = 'source,180p@150'", "was read again;");
    let gone = followers.pop().expect("three").wait_end(LIMIT);
    gone.assert_clean();
    let last = gone.last.as_ref().and_then(Media::last_complete).expect("segments").msn;
    assert!(gone.segments.keys().all(|msn| *msn <= last), "something came behind the end");
    wait_for("the new rendition", LIMIT, || (sizes(&server).len() == 2).then_some(()));
    assert_eq!(sizes(&server), ["1280x720", "320x180"]);
    let new = Follower::start(server.http, SECOND);
    wait_for("three segments", LIMIT, || (whole(&list(&server, SECOND)) >= 3).then_some(()));
    let first = list(&server, SECOND).segments[0].clone();
    assert_eq!((first.msn, first.gap), (last + 1, false));

    // What cannot be, or cannot be made of this source, changes nothing.
    for (text, answer) in [
        ("renditions = 'source,fast'", "is wrong: nothing changes"),
        ("segment_seconds = 9", "is wrong: nothing changes"),
        ("renditions = 'source,1x1@100'", "1x1@100 cannot be made"),
    ] {
        reload(&server, &config, text, answer);
        assert_eq!(sizes(&server), ["1280x720", "320x180"], "{text}");
    }
    // Nothing but the source, and a rung again.
    reload(&server, &config, "renditions = 'source'", "was read again;");
    let second = new.wait_end(LIMIT);
    assert_unbroken(&second);
    wait_for("the source alone", LIMIT, || (sizes(&server).len() == 1).then_some(()));
    reload(&server, &config, "renditions = 'source,90p@100'", "was read again;");
    wait_for("a rung again", LIMIT, || (sizes(&server).len() == 2).then_some(()));
    wait_for("a segment of it", LIMIT, || {
        let answer = server.get(FIRST);
        let list = (answer.status == 200).then(|| Media::parse(answer.text()))?;
        (whole(&list) >= 2 && list.segments.iter().all(|segment| !segment.gap)).then_some(())
    });

    let recordings: Vec<_> = followers.into_iter().map(Follower::stop).collect();
    recordings.iter().for_each(assert_unbroken);
    let source = recordings[0].last.clone().expect("a playlist");
    let offences = lint::renditions(&source, second.last.as_ref().expect("a playlist"));
    assert!(offences.is_empty(), "{offences:#?}");
}

/// Nobody watches the rungs: they have gaps. One is asked for and is there with the next segment;
/// the other stays away.
#[test]
fn renditions_that_nobody_asks_for_are_paused() {
    let server = Server::start_with(&[
        "--renditions",
        "source,180p@200,90p@100",
        "--pause-idle-renditions",
        "on",
        "--pause-idle-seconds",
        "10",
    ]);
    let _publisher = Publisher::looped("long", &server.publish_url());
    let followers = follow_each(&server, &[SOURCE, SOUND]);
    let told = |words: &str| server.log().matches(words).count();
    wait_for("both rungs paused", LIMIT, || {
        (told("nobody watches: a rendition is paused") == 2).then_some(())
    });
    let at = list(&server, SOURCE).edge().0;
    wait_for("time without them", LIMIT, || {
        (list(&server, SOURCE).edge().0 >= at + 4).then_some(())
    });
    assert_eq!(told("a paused rendition goes on"), 0);

    let open = list(&server, SOURCE).edge().0 + 1;
    let asked = list(&server, FIRST);
    assert!(asked.last_complete().is_some_and(|segment| segment.gap), "{asked:?}");
    let follower = Follower::start(server.http, FIRST);
    let begun = wait_for("pictures", LIMIT, || {
        let media = |segment: &&Segment| segment.msn >= open && !segment.parts.is_empty();
        list(&server, FIRST).segments.iter().find(media).map(|segment| segment.msn)
    });
    assert!(begun <= open + 1, "asked for in segment {open}, there in {begun}");
    wait_for("segments", LIMIT, || (list(&server, FIRST).edge().0 >= begun + 2).then_some(()));
    assert_eq!(told("a paused rendition goes on"), 1);
    follower.stop().assert_clean();
    let resumed = list(&server, FIRST);
    assert!(resumed.segments.iter().filter(|s| s.msn >= begun).all(|segment| !segment.gap));
    assert!(list(&server, SECOND).last_complete().is_some_and(|segment| segment.gap));
    followers.into_iter().map(Follower::stop).for_each(|recording| assert_unbroken(&recording));
}
