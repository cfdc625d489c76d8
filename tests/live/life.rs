//! The life of a broadcast and of the server: publishers that vanish, return, take over or are
//! refused; restarts; draining; what start-up says when it cannot go on.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use crate::frames::{Frames, Tracks};
use crate::http;
use crate::player::{Recording, follow_all};
use crate::playlist::Media;
use crate::publish::{Pace, Program, Publisher, clip};
use crate::server::{ADMIN_PASSWORD, STREAM_KEY, Server, command, free_port};
use crate::tool::{Outcome, run, scratch, wait_for};

const VIDEO: &str = "/hls/0/stream.m3u8";
const LIMIT: Duration = Duration::from_secs(60);
const BOTH: Tracks = Tracks { video: true, audio: true };

/// Waits until the open edge is `segments` further than `from`.
fn wait_segments(server: &Server, from: u64, segments: u64) -> u64 {
    wait_for(&format!("{segments} more segments after {from}"), LIMIT, || {
        let edge = Media::parse(server.get(VIDEO).text()).edge().0;
        (edge >= from + segments).then_some(edge)
    })
}

fn edge(server: &Server) -> u64 {
    Media::parse(server.get(VIDEO).text()).edge().0
}

/// Every segment from the first to the last is there.
fn assert_unbroken(recording: &Recording) {
    let numbers: Vec<u64> = recording.segments.keys().copied().collect();
    for pair in numbers.windows(2) {
        assert_eq!(pair[0] + 1, pair[1], "MSN {numbers:?}");
    }
    let uris: BTreeSet<_> = recording.segments.values().map(|one| &one.uri).collect();
    assert_eq!(uris.len(), numbers.len(), "PL-6: a URI is used twice");
}

#[test]
fn a_status_that_waits_for_a_broadcast_comes_with_it() {
    let mut server = Server::start();
    // Several, so that every shard has some.
    let wait = |server: &Server| -> Vec<http::Connection> {
        let opened = (0..8).map(|_| http::Connection::open(server.http).expect("a connection"));
        opened
            .map(|mut connection| {
                connection.send("GET", "/api/status?while=offline", &[]).expect("sent");
                connection
            })
            .collect()
    };
    let held = wait(&server);
    assert_eq!(server.get("/api/status").json()["online"], false, "others are answered at once");
    assert_eq!(server.get("/api/status?while=online").json()["online"], false, "no such wait");
    let publisher = Publisher::looped("fps25", &server.publish_url());
    for mut connection in held {
        let answer = connection.receive("GET", LIMIT).expect("an answer");
        assert_eq!(answer.json()["online"], true);
    }
    assert!(server.get("/hls/stream.m3u8").status == 200, "online means that it can be played");
    assert_eq!(server.get("/api/status?while=offline").json()["online"], true);

    publisher.interrupt(LIMIT);
    wait_for("offline", LIMIT, || {
        (server.get("/api/status").json()["online"] == false).then_some(())
    });
    let held = wait(&server);
    server.get("/api/status");
    server.terminate();
    for mut connection in held {
        let answer = connection.receive("GET", LIMIT).expect("an answer while draining");
        assert_eq!(answer.json()["online"], false);
    }
    assert!(server.wait_end(LIMIT).success());
}

#[test]
fn publisher_that_drops_and_returns_stays_one_broadcast() {
    let mut server = Server::start();
    let publisher = Publisher::looped("fps25", &server.publish_url());
    let followers = follow_all(&server, BOTH);
    let start = edge(&server);
    let left_at = wait_segments(&server, start, 2);
    publisher.kill();
    std::thread::sleep(Duration::from_secs(3));
    assert!(!Media::parse(server.get(VIDEO).text()).ended, "RC-4: the grace period runs");
    let publisher = Publisher::looped("fps25", &server.publish_url());
    wait_segments(&server, left_at, 3);
    publisher.interrupt(LIMIT);
    let recordings: Vec<Recording> =
        followers.into_iter().map(|follower| follower.wait_end(LIMIT)).collect();
    for recording in &recordings {
        recording.assert_clean();
        assert_unbroken(recording);
        assert_eq!(recording.discontinuities().len(), 1, "{:?}", recording.discontinuities());
    }
    assert_eq!(recordings[0].discontinuities(), recordings[1].discontinuities(), "AL-1");
    assert!(server.runs());
}

#[test]
fn publisher_that_is_cut_leaves_whole_pictures_only() {
    let server = Server::start_with(&["--grace-seconds", "1"]);
    let publisher = Publisher::start(Program::Ffmpeg, "fps2997", Pace::Live, &server.publish_url());
    server.wait_live();
    wait_segments(&server, edge(&server), 2);
    publisher.kill();
    let file = clip("fps2997");
    let sent = Frames::read(&file.to_string_lossy(), BOTH, LIMIT);
    let received = Frames::read(&server.url("/hls/stream.m3u8"), BOTH, LIMIT);
    sent.assert_ordered_subset(&received);
    let (pictures, _) = received.counts();
    assert!(pictures > 100, "F1: only {pictures} pictures were kept");
}

#[test]
fn broadcast_ends_when_the_grace_period_does() {
    let server = Server::start_with(&["--grace-seconds", "3"]);
    let publisher = Publisher::looped("fps25", &server.publish_url());
    let followers = follow_all(&server, BOTH);
    wait_segments(&server, edge(&server), 2);
    publisher.kill();
    let mut last = 0;
    for follower in followers {
        let recording = follower.wait_end(Duration::from_secs(20));
        recording.assert_clean();
        assert_unbroken(&recording);
        last = last.max(*recording.segments.keys().last().expect("segments"));
    }
    // The next broadcast counts on.
    let _publisher = Publisher::looped("fps25", &server.publish_url());
    let first = wait_for("the next broadcast", LIMIT, || {
        let answer = server.get(VIDEO);
        let playlist = (answer.status == 200).then(|| Media::parse(answer.text()))?;
        (!playlist.ended).then_some(playlist.media_sequence)
    });
    assert!(first > last, "PL-6: MSN {first} after {last}");
}

#[test]
fn restart_neither_lowers_nor_reuses_numbers() {
    let names = |server: &Server| -> (u64, BTreeSet<String>) {
        let playlist = Media::parse(server.get(VIDEO).text());
        let uris = playlist.segments.iter().flat_map(|segment| {
            let parts = segment.parts.iter().map(|part| part.uri.clone());
            parts.chain(segment.uri.clone()).chain(segment.map.clone())
        });
        (playlist.segments.last().expect("segments").msn, uris.collect())
    };
    let server = Server::start();
    let publisher = Publisher::looped("fps25", &server.publish_url());
    server.wait_live();
    wait_segments(&server, edge(&server), 2);
    let (before, uris_before) = names(&server);
    let data = server.kill_and_keep_data();
    publisher.kill();

    let server = Server::start_in(&data, &[]);
    let _publisher = Publisher::looped("fps25", &server.publish_url());
    server.wait_live();
    wait_segments(&server, edge(&server), 1);
    let first = Media::parse(server.get(VIDEO).text()).media_sequence;
    assert!(first > before, "PL-6: MSN {first} after {before}");
    let (_, uris_after) = names(&server);
    let reused: Vec<_> = uris_before.intersection(&uris_after).collect();
    assert!(reused.is_empty(), "PL-6, PL-15: {reused:?}");
}

#[test]
fn second_publisher_with_the_key_takes_over() {
    let server = Server::start();
    let mut first = Publisher::looped("fps25", &server.publish_url());
    let followers = follow_all(&server, BOTH);
    let at = wait_segments(&server, edge(&server), 2);
    // The first hangs: its connection stays open, the kernel tells nobody (F2).
    first.freeze();
    let second = Publisher::looped("fps25", &server.publish_url());
    wait_segments(&server, at, 3);
    let log = server.log();
    second.interrupt(LIMIT);
    for follower in followers {
        let recording = follower.wait_end(LIMIT);
        recording.assert_clean();
        assert_unbroken(&recording);
        assert_eq!(recording.discontinuities().len(), 1, "RC-2\n{log}");
    }
    assert!(first.runs(), "it is frozen");
}

#[test]
fn wrong_key_is_refused_and_the_live_one_untouched() {
    let server = Server::start();
    let publisher = Publisher::looped("fps25", &server.publish_url());
    let followers = follow_all(&server, BOTH);
    let at = wait_segments(&server, edge(&server), 1);
    for wrong in ["wrong-key", "", "riverrun-test-keyy", "riverrun-test-ke", "../live"] {
        let url = server.publish_url_with(wrong);
        let mut thief = Publisher::start(Program::Ffmpeg, "fps25", Pace::Fast, &url);
        assert!(!thief.wait(LIMIT).success(), "{wrong:?} was accepted");
        assert!(!thief.said().is_empty(), "the refusal says why");
    }
    wait_segments(&server, at, 2);
    publisher.interrupt(LIMIT);
    for follower in followers {
        let recording = follower.wait_end(LIMIT);
        recording.assert_clean();
        assert!(recording.discontinuities().is_empty(), "the broadcast was disturbed");
    }
    let log = server.log();
    assert!(log.to_lowercase().contains("key"), "a refusal is logged:\n{log}");
}

#[test]
fn termination_ends_the_broadcast_and_drains() {
    let mut server = Server::start();
    let publisher = Publisher::looped("fps25", &server.publish_url());
    let followers = follow_all(&server, BOTH);
    wait_segments(&server, edge(&server), 2);
    server.terminate();
    for follower in followers {
        let recording = follower.wait_end(Duration::from_secs(10));
        recording.assert_clean();
        assert!(recording.ended(), "F36: ENDLIST before the server goes");
    }
    let status = server.wait_end(Duration::from_secs(12));
    assert_eq!(status.code(), Some(0), "{}", server.log());
    drop(publisher);
}

#[test]
fn idle_server_ends_at_once_when_told() {
    let mut server = Server::start();
    server.terminate();
    assert_eq!(server.wait_end(Duration::from_secs(3)).code(), Some(0), "{}", server.log());
}

#[test]
fn ready_soon_after_the_start() {
    // The first start makes keys and hashes a password; the second is what operators feel.
    let data = Server::start().kill_and_keep_data();
    let best = (0..5)
        .map(|_| {
            let server = Server::start_in(&data, &[]);
            let after = server.ready_after;
            server.kill_and_keep_data();
            after
        })
        .min()
        .expect("five starts");
    eprintln!("ready after {best:?} (best of five)");
    assert!(best < Duration::from_millis(100), "ready only after {best:?}");
}

fn serve(arguments: &[&str]) -> Outcome {
    let mut command = command();
    command.arg("--data").arg(scratch("refused")).args(arguments);
    run(&mut command, Duration::from_secs(20))
}

fn addresses() -> [String; 4] {
    let at = || format!("127.0.0.1:{}", free_port());
    ["--http".to_owned(), at(), "--rtmp".to_owned(), at()]
}

#[track_caller]
fn refused(outcome: &Outcome, code: i32, words: &[&str]) {
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    assert_eq!(outcome.status.code(), Some(code), "{said}");
    for word in words {
        assert!(said.to_lowercase().contains(&word.to_lowercase()), "no {word:?} in: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn taken_port_is_named() {
    let holder = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = holder.local_addr().expect("bound").to_string();
    let free = format!("127.0.0.1:{}", free_port());
    for (http, rtmp) in [(&taken, &free), (&free, &taken)] {
        let outcome = serve(&["--http", http, "--rtmp", rtmp]);
        refused(&outcome, 1, &[&taken]);
    }
    // Another server of ours holds it too, although both would allow sharing.
    let server = Server::start();
    let outcome = serve(&["--http", &server.http.to_string(), "--rtmp", &free]);
    refused(&outcome, 1, &[&server.http.to_string()]);
}

#[test]
fn wrong_arguments_and_configuration_are_named() {
    refused(&serve(&["--no-such-option"]), 2, &["--no-such-option"]);
    refused(&serve(&["--http", "not an address"]), 2, &["http"]);
    let file = scratch("config").join("riverrun.toml");
    let path = file.to_string_lossy().into_owned();
    for (text, words) in [
        ("no_such_key = 1\n", &["no_such_key"][..]),
        // The line and the reason, never the value: it may be a secret.
        ("\nhttp = \"nonsense\"\n", &["riverrun.toml", "line 2", "address"]),
        ("shards = \"many\"\n", &["riverrun.toml", "line 1"]),
        ("http = [not toml\n", &["riverrun.toml"]),
    ] {
        std::fs::write(&file, text).expect("tests/out is writable");
        refused(&serve(&["--config", &path]), 78, words);
    }
    let missing = serve(&["--config", "/no/such/file.toml"]);
    refused(&missing, 78, &["/no/such/file.toml"]);
    let mut by_environment = command();
    by_environment.arg("--data").arg(scratch("refused")).env("RIVERRUN_HTTP", "nonsense");
    let outcome = run(&mut by_environment, Duration::from_secs(20));
    let code = outcome.status.code();
    assert!([Some(2), Some(78)].contains(&code), "{code:?}: {}", outcome.stderr);
}

#[test]
fn file_and_environment_configure_as_options_do() {
    let folder = scratch("config");
    let [_, http, _, rtmp] = addresses();
    let file = folder.join("riverrun.toml");
    let text = format!(
        "data = {:?}\nhttp = {http:?}\nstream_key = \"from-the-file-it-comes\"\nshards = 1\n",
        folder.join("data")
    );
    std::fs::write(&file, text).expect("tests/out is writable");
    let mut command = command();
    command.arg("--config").arg(&file).env("RIVERRUN_RTMP", &rtmp);
    let mut child = Running(command.spawn().expect("the binary starts"));
    let address = http.parse().expect("an address");
    wait_for("ready by file and environment", LIMIT, || {
        http::fetch(address, "GET", "/readyz", &[]).ok().filter(|answer| answer.status == 200)
    });
    let url = format!("rtmp://{rtmp}/live/from-the-file-it-comes");
    Publisher::start(Program::Ffmpeg, "tiny", Pace::Fast, &url).finish(LIMIT);
    assert!(child.0.try_wait().expect("a child of ours").is_none());
}

struct Running(std::process::Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn secrets_never_reach_the_log() {
    let server = Server::start_with(&["--log", "trace"]);
    let mut thief = Publisher::start(
        Program::Ffmpeg,
        "tiny",
        Pace::Fast,
        &server.publish_url_with("guessed-key-of-a-thief?token=query-secret"),
    );
    assert!(!thief.wait(LIMIT).success());
    let url = format!("{}?token=query-secret", server.publish_url());
    Publisher::start(Program::Ffmpeg, "tiny", Pace::Fast, &url).finish(LIMIT);
    Publisher::start(Program::Gstreamer, "tiny", Pace::Fast, &server.publish_url()).finish(LIMIT);
    let basic = [("Authorization", "Basic YWRtaW46cml2ZXJydW4tdGVzdC1wYXNzd29yZA==")];
    for path in ["/admin", "/api/admin/status", "/?token=query-secret"] {
        let answer = http::fetch(server.http, "GET", path, &basic);
        assert!(answer.is_ok(), "{path}: {answer:?}");
    }
    let log = server.log();
    assert!(!log.is_empty(), "trace says something");
    for secret in [STREAM_KEY, ADMIN_PASSWORD, "guessed-key-of-a-thief", "query-secret", "YWRtaW46"]
    {
        assert!(!log.contains(secret), "{secret} stands in the log:\n{log}");
    }
}

#[test]
fn first_start_makes_secrets_and_says_them_once() {
    let data = scratch("first");
    let start = || {
        let mut command = command();
        command.arg("--data").arg(&data).args(addresses());
        let child = Command::new("timeout")
            .args(["-s", "TERM", "3"])
            .arg(command.get_program())
            .args(command.get_args())
            .output()
            .expect("timeout runs");
        String::from_utf8_lossy(&child.stdout).into_owned()
            + &String::from_utf8_lossy(&child.stderr)
    };
    let after = |said: &str, words: &str| -> String {
        let rest = said.split_once(words).unwrap_or_else(|| panic!("no {words:?} in:\n{said}")).1;
        rest.split_whitespace().next().unwrap_or_default().to_owned()
    };
    let first = start();
    for secret in [after(&first, "Stream key"), after(&first, "password")] {
        assert!(secret.len() >= 12, "{secret:?} is easily guessed:\n{first}");
        assert_eq!(first.matches(&secret).count(), 1, "said once:\n{first}");
        let second = start();
        assert!(!second.contains(&secret), "{secret} was said again:\n{second}");
    }
}
