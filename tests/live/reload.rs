//! The delivery of playlists and media over the wire: blocking reload by the reference's truth
//! table (LL, §2.3), preload hints, delta updates, and plain HTTP (CH, §2.4).

use std::io::Read;
use std::time::Duration;

use crate::http::{self, Connection, Response};
use crate::player::follow_all;
use crate::playlist::{Media, resolve};
use crate::publish::{Pace, Program, Publisher};
use crate::server::Server;
use crate::tool::wait_for;

const VIDEO: &str = "/hls/0/stream.m3u8";
/// Longest a request may block, with room for a slow machine: 3 × TD, TD is 3 s.
const BLOCK_LIMIT: Duration = Duration::from_secs(20);
/// What "at once" may take on a loaded machine. Less than the rest of a segment, so that an answer
/// that waited for one is told apart.
const AT_ONCE: Duration = Duration::from_millis(900);

struct Table {
    server: Server,
    connection: Connection,
    publisher: Option<Publisher>,
}

impl Table {
    fn new() -> Self {
        let server = Server::start();
        let publisher = Publisher::looped("fps25", &server.publish_url());
        server.wait_live();
        wait_for("three segments", Duration::from_secs(40), || {
            (Media::parse(server.get(VIDEO).text()).segments.len() > 3).then_some(())
        });
        let connection = Connection::open(server.http).expect("the server listens");
        Self { server, connection, publisher: Some(publisher) }
    }

    fn ask(&mut self, query: &str) -> Response {
        let path = format!("{VIDEO}{query}");
        self.connection
            .exchange("GET", &path, &[], BLOCK_LIMIT)
            .unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The state right after a part came in while its segment is still young: the last complete
    /// segment and the number of parts of the open one, between 1 and 3.
    fn young(&mut self) -> (u64, usize) {
        loop {
            let (complete, parts) = Media::parse(self.ask("").text()).edge();
            let answer = self.ask(&format!("?_HLS_msn={}&_HLS_part={parts}", complete + 1));
            let (complete, parts) = Media::parse(answer.text()).edge();
            if (1..=3).contains(&parts) {
                return (complete, parts);
            }
        }
    }

    fn answers(&mut self, query: &str, at_once: bool, msn: u64, part: usize) {
        let answer = self.ask(query);
        assert_eq!(answer.status, 200, "{query}");
        let playlist = Media::parse(answer.text());
        assert!(playlist.reaches(msn, part), "{query} lacks {msn}/{part}:\n{}", answer.text());
        if at_once {
            assert!(answer.took < AT_ONCE, "{query} took {:?}", answer.took);
        }
    }

    fn refuses(&mut self, query: &str) {
        let answer = self.ask(query);
        assert_eq!(answer.status, 400, "{query}: {}", String::from_utf8_lossy(&answer.body));
        assert!(answer.took < AT_ONCE, "{query} took {:?}", answer.took);
        assert!(answer.header("access-control-allow-origin").is_some(), "CH-5: {query}");
    }
}

#[test]
fn truth_table() {
    let mut table = Table::new();
    let whole = usize::MAX;

    let (complete, _) = table.young();
    table.answers("", true, complete, whole);

    let (complete, _) = table.young();
    table.answers(&format!("?_HLS_msn={complete}"), true, complete, 0);

    let (complete, parts) = table.young();
    table.answers(
        &format!("?_HLS_msn={}&_HLS_part={}", complete + 1, parts - 1),
        true,
        complete,
        0,
    );

    let (complete, parts) = table.young();
    let next = format!("?_HLS_msn={}&_HLS_part={parts}", complete + 1);
    table.answers(&next, false, complete + 1, parts);

    // A whole segment is asked for: nothing less answers.
    let (complete, _) = table.young();
    let answer = table.ask(&format!("?_HLS_msn={}", complete + 1));
    assert_eq!(answer.status, 200);
    assert!(Media::parse(answer.text()).edge().0 > complete, "{}", answer.text());

    // A part past the end of a complete segment means the first of the next.
    let (complete, _) = table.young();
    table.answers(&format!("?_HLS_msn={complete}&_HLS_part=50"), true, complete + 1, 0);

    // The segment after the open one may be waited for, the one after that not.
    let (complete, _) = table.young();
    table.answers(&format!("?_HLS_msn={}&_HLS_part=0", complete + 2), false, complete + 2, 0);
    let (complete, _) = table.young();
    table.refuses(&format!("?_HLS_msn={}", complete + 3));

    // Advance part limit: three seconds' worth of parts.
    let (complete, parts) = table.young();
    table.answers(
        &format!("?_HLS_msn={}&_HLS_part={}", complete + 1, parts + 1),
        false,
        complete + 1,
        parts + 1,
    );
    let (complete, parts) = table.young();
    table.refuses(&format!("?_HLS_msn={}&_HLS_part={}", complete + 1, parts + 14));

    // Before the window: the whole playlist.
    let (complete, _) = table.young();
    table.answers("?_HLS_msn=0", true, complete, whole);

    for query in [
        "?_HLS_part=3",
        "?_HLS_msn=x",
        "?_HLS_msn=-1",
        "?_HLS_msn=1.5",
        "?_HLS_msn=",
        "?_HLS_msn=18446744073709551616",
        "?_HLS_msn=1&_HLS_msn=2",
        "?_HLS_msn=1&_HLS_part=x",
    ] {
        table.refuses(query);
    }
    let (complete, _) = table.young();
    table.answers("?_HLS_nobody_knows=1&other=2", true, complete, whole);
}

#[test]
fn hinted_part_is_waited_for_and_unknown_ones_are_not() {
    let mut table = Table::new();
    for _ in 0..8 {
        table.young();
        let playlist = Media::parse(table.ask("").text());
        let path = resolve(VIDEO, &playlist.hints[0]);
        let part = table
            .connection
            .exchange("GET", &path, &[], BLOCK_LIMIT)
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(part.status, 200, "LL-11: {path}");
        assert_eq!(part.header("content-type"), Some("video/mp4"));
        let listed = Media::parse(table.ask("").text());
        assert!(listed.part_uris().any(|uri| resolve(VIDEO, uri) == path), "{path} is not listed");
        let again = table.connection.get(&path);
        assert_eq!(again.body, part.body, "{path} changed");
    }
    for path in ["/hls/0/never-hinted.m4s", "/hls/0/s999999.0.m4s", "/hls/7/stream.m3u8"] {
        let answer = table.connection.get(path);
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.took < AT_ONCE, "{path} took {:?}", answer.took);
        assert!(answer.header("access-control-allow-origin").is_some(), "CH-5: {path}");
    }
}

#[test]
fn delta_update_skips_and_adds_up_to_the_whole() {
    let mut table = Table::new();
    let skip_until = |playlist: &Media| -> f64 {
        playlist.server_control["CAN-SKIP-UNTIL"].parse().expect("seconds")
    };
    let server = &table.server;
    let delta = wait_for("something to skip", Duration::from_secs(90), || {
        let answer = http::fetch(server.http, "GET", &format!("{VIDEO}?_HLS_skip=YES"), &[]);
        let playlist = Media::parse(answer.ok()?.text());
        (playlist.skipped > 0).then_some(playlist)
    });
    // The wait was longer than an idle connection is kept.
    table.connection = Connection::open(table.server.http).expect("the server listens");
    assert!(delta.version >= 9, "PL-2");
    let full = Media::parse(table.ask("").text());
    assert_eq!(delta.media_sequence, full.media_sequence, "LL-17");
    assert_eq!(delta.discontinuity_sequence, full.discontinuity_sequence, "LL-17");
    let kept: f64 = delta.segments.iter().map(|segment| segment.duration).sum();
    assert!(kept >= skip_until(&full) - 0.001, "only {kept} s kept");
    for segment in delta.segments.iter().filter(|segment| segment.uri.is_some()) {
        let same = full.segments.iter().find(|other| other.msn == segment.msn);
        let same = same.unwrap_or_else(|| panic!("{} is not in the whole list", segment.msn));
        assert_eq!(
            (&segment.uri, segment.duration, segment.date),
            (&same.uri, same.duration, same.date)
        );
    }
    // With a directive to wait it waits first.
    let (complete, parts) = table.young();
    let query = format!("?_HLS_msn={}&_HLS_part={parts}&_HLS_skip=YES", complete + 1);
    table.answers(&query, false, complete + 1, parts);
}

#[test]
fn end_of_the_broadcast_wakes_whoever_waits() {
    let server = Server::start();
    let publisher = Publisher::start(Program::Ffmpeg, "fps25", Pace::Live, &server.publish_url());
    let followers = follow_all(&server, crate::frames::Tracks::of("fps25"));
    publisher.finish(Duration::from_secs(60));
    for follower in followers {
        let recording = follower.wait_end(Duration::from_secs(60));
        recording.assert_clean();
        assert_eq!(recording.unavailable, 0, "woken with the end, not with 503");
    }
    let last = Media::parse(server.get(VIDEO).text());
    assert!(last.ended && last.hints.is_empty(), "PL-18, LL-10");
    let beyond = last.segments.last().expect("segments").msn + 1;
    for query in ["?_HLS_msn=0", "?_HLS_skip=YES", &format!("?_HLS_msn={beyond}&_HLS_part=0")] {
        let answer = server.get(&format!("{VIDEO}{query}"));
        assert_eq!(answer.status, 200, "{query}");
        let playlist = Media::parse(answer.text());
        assert!(playlist.ended && playlist.skipped == 0, "{query}: the whole list");
        assert!(answer.took < AT_ONCE, "{query} took {:?}", answer.took);
    }
}

#[test]
fn absence_of_the_publisher_ends_a_wait_with_503() {
    let mut table = Table::new();
    table.publisher.take().expect("it runs").kill();
    let (complete, parts) = wait_for("the edge to stand still", Duration::from_secs(20), || {
        let edge = |server: &Server| Media::parse(server.get(VIDEO).text()).edge();
        let before = edge(&table.server);
        std::thread::sleep(Duration::from_secs(1));
        (edge(&table.server) == before).then_some(before)
    });
    let answer = table.ask(&format!("?_HLS_msn={}&_HLS_part={parts}", complete + 1));
    assert_eq!(answer.status, 503, "{}", String::from_utf8_lossy(&answer.body));
    assert!(answer.took < Duration::from_secs(14), "3 × TD is 9 s, took {:?}", answer.took);
    assert!(answer.header("access-control-allow-origin").is_some(), "CH-5");
    // Without directives it stays valid and is answered at once (PL-21).
    let answer = table.ask("");
    assert_eq!(answer.status, 200);
    assert!(answer.took < AT_ONCE);
}

#[test]
fn plain_http_of_playlists_and_media() {
    let mut table = Table::new();
    let connection = &mut table.connection;
    let mut ask = |method: &str, path: &str, headers: &[(&str, &str)]| {
        connection
            .exchange(method, path, headers, BLOCK_LIMIT)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    };
    let playlist = ask("GET", VIDEO, &[]);
    let media = Media::parse(playlist.text());
    let segment = media.last_complete().expect("a segment");
    let segment_path = resolve(VIDEO, segment.uri.as_ref().expect("complete"));
    let init_path = resolve(VIDEO, segment.map.as_ref().expect("a map"));
    let whole = ask("GET", &segment_path, &[]);

    // Types, sniffing, origins (CH-5, CH-7).
    for (path, kind) in [
        (VIDEO, "application/vnd.apple.mpegurl"),
        ("/hls/stream.m3u8", "application/vnd.apple.mpegurl"),
        (&segment_path, "video/mp4"),
        (&init_path, "video/mp4"),
    ] {
        let answer = ask("GET", path, &[("Origin", "https://elsewhere.example")]);
        assert_eq!(answer.status, 200, "{path}");
        let stated = answer.header("content-type").unwrap_or_default().to_ascii_lowercase();
        assert_eq!(stated.split(';').next(), Some(kind), "CH-7: {path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "CH-5: {path}");
        let exposed = answer.header("access-control-expose-headers").unwrap_or_default();
        assert!(exposed.contains("Date") && exposed.contains("Content-Length"), "{exposed}");
        assert!(answer.header("date").is_some(), "CH-11: {path}");
        assert!(answer.header("etag").is_some(), "{path} has no validator");
    }

    // How long each may be kept (CH-4).
    let kept = |answer: &Response| answer.header("cache-control").unwrap_or_default().to_owned();
    assert!(kept(&whole).contains("immutable"), "{}", kept(&whole));
    assert!(kept(&whole).contains("max-age=31536000"), "{}", kept(&whole));
    let short = kept(&playlist);
    assert!(short.contains("max-age=1") || short.contains("no-cache"), "{short}");
    let blocking = ask("GET", &format!("{VIDEO}?_HLS_msn={}", segment.msn), &[]);
    // CH-4 allows more; a browser that keeps it holds up video.js, which asks again at the end of
    // each segment.
    assert_eq!(kept(&blocking), "max-age=0, s-maxage=1");

    // HEAD is GET without the body (CH-6).
    for path in [segment_path.as_str(), init_path.as_str(), "/hls/stream.m3u8"] {
        let head = ask("HEAD", path, &[]);
        let get = ask("GET", path, &[]);
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        for name in ["content-length", "content-type", "etag", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {path}");
        }
    }

    // Ranges (RFC 9110 §14).
    let length = whole.body.len();
    let cases: &[(&str, u16, std::ops::Range<usize>)] = &[
        ("bytes=0-99", 206, 0..100),
        ("bytes=100-", 206, 100..length),
        ("bytes=-50", 206, length - 50..length),
        ("bytes=0-999999999", 206, 0..length),
        ("bytes=999999999-", 416, 0..0),
        ("lines=1-2", 200, 0..length),
        ("bytes=5-2", 200, 0..length),
    ];
    for (range, status, span) in cases {
        let answer = ask("GET", &segment_path, &[("Range", range)]);
        assert_eq!(answer.status, *status, "{range}");
        match status {
            206 => {
                let stated = format!("bytes {}-{}/{length}", span.start, span.end - 1);
                assert_eq!(answer.header("content-range"), Some(stated.as_str()), "{range}");
                assert_eq!(answer.body, whole.body[span.clone()], "{range}");
            }
            416 => {
                let stated = format!("bytes */{length}");
                assert_eq!(answer.header("content-range"), Some(stated.as_str()), "{range}");
            }
            _ => assert_eq!(answer.body, whole.body, "{range}"),
        }
    }

    // Conditional requests (RFC 9110 §13).
    let tag = whole.header("etag").expect("checked above").to_owned();
    let unchanged = ask("GET", &segment_path, &[("If-None-Match", &tag)]);
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    assert_eq!(unchanged.header("etag"), Some(tag.as_str()));
    let changed = ask("GET", &segment_path, &[("If-None-Match", "\"other\"")]);
    assert_eq!(changed.status, 200);
    let stale = ask("GET", &segment_path, &[("If-Range", "\"other\""), ("Range", "bytes=0-9")]);
    assert_eq!((stale.status, stale.body.len()), (200, length), "If-Range of another version");

    // Compression: playlists yes, media never (CH-3).
    let packed = ask("GET", VIDEO, &[("Accept-Encoding", "gzip")]);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert!(packed.header("vary").is_some_and(|vary| vary.eq_ignore_ascii_case("accept-encoding")));
    let plain = unpack(&packed.body);
    Media::parse(&plain);
    let refused = ask("GET", VIDEO, &[("Accept-Encoding", "gzip;q=0")]);
    assert_eq!(refused.header("content-encoding"), None);
    let media = ask("GET", &segment_path, &[("Accept-Encoding", "gzip")]);
    assert_eq!(media.header("content-encoding"), None);

    // Other methods (CH-6), preflight (CH-5).
    let preflight = ask(
        "OPTIONS",
        VIDEO,
        &[("Origin", "https://elsewhere.example"), ("Access-Control-Request-Method", "GET")],
    );
    assert!([200, 204].contains(&preflight.status), "{}", preflight.status);
    assert_eq!(preflight.header("access-control-allow-origin"), Some("*"));
    for method in ["DELETE", "PUT", "PATCH"] {
        let answer = ask(method, &segment_path, &[("Content-Length", "0")]);
        assert_eq!(answer.status, 405, "{method}");
        let allowed = answer.header("allow").unwrap_or_default();
        assert!(allowed.contains("GET") && allowed.contains("HEAD"), "{method}: {allowed}");
    }

    // No way out of the tree, nothing reflected (CH-8).
    for path in ["/hls/../../etc/passwd", "/hls/%2e%2e/%2e%2e/etc/passwd", "//evil.example/hls"] {
        let answer = ask("GET", path, &[]);
        assert!([400, 404].contains(&answer.status), "{path}: {}", answer.status);
        assert_eq!(answer.header("location"), None, "{path}");
    }
}

fn unpack(packed: &[u8]) -> String {
    let mut plain = String::new();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut plain).expect("gzip");
    plain
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let mut table = Table::new();
    let connection = &mut table.connection;
    let paths = ["/healthz", "/hls/stream.m3u8", "/hls/missing", "/api/status", VIDEO];
    for path in paths {
        connection.send("GET", path, &[]).expect("sent");
    }
    let kinds: Vec<u16> = paths
        .iter()
        .map(|path| {
            connection
                .receive("GET", BLOCK_LIMIT)
                .unwrap_or_else(|error| panic!("{path}: {error}"))
                .status
        })
        .collect();
    assert_eq!(kinds, [200, 200, 404, 200, 200]);
}
