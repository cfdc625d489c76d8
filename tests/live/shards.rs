//! A shard's thread that hangs, stopped from outside by ptrace: the others serve on, it is
//! replaced, and its successor shows what the others show (F37).

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::http;
use crate::player::Follower;
use crate::playlist::Media;
use crate::publish::Publisher;
use crate::server::Server;
use crate::tool::{python, root, wait_for};
use crate::watched::edge;

const VIDEO: &str = "/hls/0/stream.m3u8";
const LIMIT: Duration = Duration::from_secs(60);
/// New connections that are tried to reach every shard: the kernel spreads them by a hash of the
/// address, so that one of two shards is missed by all with a probability of 2^-40.
const TRIES: usize = 40;

/// One thread of a server, held still until this is dropped.
struct Held(Child);

impl Held {
    fn thread(server: &Server, name: &str) -> Self {
        let script = root().join("tests/tools/hold_thread.py");
        let mut command = python();
        command.arg(script).args([&server.pid().to_string(), name]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("run tests/tools/setup.sh");
        let mut said = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut said).expect("it says what it did");
        assert_eq!(said.trim(), "held", "ptrace must be allowed: CAP_SYS_PTRACE, or no yama");
        Self(child)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The thread of the shard that the publisher is connected to, and that of another.
fn threads(server: &Server) -> [String; 2] {
    let log = without_colours(&server.log());
    let line = log.lines().rfind(|line| line.contains("on air")).expect("it is on air");
    let shard = line.rsplit("shard=").next().unwrap_or_default();
    let index: usize = shard.trim().parse().expect(line);
    [format!("shard-{index}"), format!("shard-{}", 1 - index)]
}

/// A log line as it reads: escape sequences end in an `m`.
fn without_colours(log: &str) -> String {
    let mut pieces = log.split('\u{1b}');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| text + piece.split_once('m').map_or("", |(_, rest)| rest))
}

/// Answers of many new connections; each must come at once.
fn ask_all_shards(server: &Server) -> Vec<Media> {
    let ask = |_| {
        let asked = Instant::now();
        let answer = http::fetch(server.http, "GET", VIDEO, &[]).expect("a shard answers");
        assert!(asked.elapsed() < Duration::from_secs(5), "it took {:?}", asked.elapsed());
        assert_eq!(answer.status, 200, "{}", answer.text());
        Media::parse(answer.text())
    };
    (0..TRIES).map(ask).collect()
}

fn hang(server: &Server, thread: &str) -> Held {
    let held = Held::thread(server, thread);
    // Whoever reaches the other shard is served meanwhile.
    let (mut served, started) = (0, Instant::now());
    while !server.log().contains("hangs") {
        assert!(started.elapsed() < LIMIT, "a shard that hangs is not noticed");
        let asked = http::fetch_within(server.http, VIDEO, Duration::from_millis(300));
        served += usize::from(asked.is_ok_and(|answer| answer.status == 200));
    }
    assert!(served > 3, "only {served} requests were answered while a shard hung");
    wait_for("the replacement to accept", LIMIT, || {
        server.log().contains("accepts connections again").then_some(())
    });
    held
}

#[test]
fn a_hanging_shard_is_replaced_and_the_broadcast_goes_on() {
    let mut server = Server::start_with(&["--shards", "2"]);
    let mut publisher = Publisher::looped("fps25", &server.publish_url());
    server.wait_live();
    let from = edge(&server);
    wait_for("two segments", LIMIT, || (edge(&server) >= from + 2).then_some(()));
    let before = Media::parse(server.get(VIDEO).text()).media_sequence;
    let [_, other] = threads(&server);
    let held = hang(&server, &other);
    assert!(publisher.runs(), "it was on the shard that lives");
    // Both show the same past: nobody starts at the edge.
    for playlist in ask_all_shards(&server) {
        assert_eq!(playlist.media_sequence, before, "{playlist:?}");
    }
    let follower = Follower::start(server.http, VIDEO);
    let from = edge(&server);
    wait_for("three more segments", LIMIT, || (edge(&server) >= from + 3).then_some(()));
    // It comes round, finds its place taken and ends.
    drop(held);
    wait_for("the end of the old thread", LIMIT, || {
        server.log().contains("replaced shard has ended").then_some(())
    });
    let from = edge(&server);
    wait_for("two more segments", LIMIT, || (edge(&server) >= from + 2).then_some(()));
    follower.stop().assert_clean();
    assert!(ask_all_shards(&server).iter().all(|playlist| !playlist.ended));
    assert!(server.runs() && publisher.runs());
    server.terminate();
    assert_eq!(server.wait_end(LIMIT).code(), Some(0), "{}", server.log());
}

#[test]
fn a_publisher_whose_shard_hangs_begins_anew() {
    let mut server = Server::start_with(&["--shards", "2"]);
    let mut publisher = Publisher::looped("fps25", &server.publish_url());
    server.wait_live();
    let from = edge(&server);
    wait_for("two segments", LIMIT, || (edge(&server) >= from + 2).then_some(()));
    let last = edge(&server);
    let [its, _] = threads(&server);
    let held = hang(&server, &its);
    // Its connection is shut, so that it learns at once and can come back.
    publisher.wait(LIMIT);
    assert!(ask_all_shards(&server).iter().all(|playlist| playlist.ended), "PL-18 for its viewers");
    let publisher = Publisher::looped("fps25", &server.publish_url());
    let first = wait_for("the next broadcast", LIMIT, || {
        let answer = server.get(VIDEO);
        let playlist = (answer.status == 200).then(|| Media::parse(answer.text()))?;
        (!playlist.ended).then_some(playlist.media_sequence)
    });
    assert!(first > last, "PL-6: MSN {first} after {last}");
    // What the old thread still holds when it comes round must reach nobody.
    drop(held);
    wait_for("the end of the old thread", LIMIT, || {
        server.log().contains("replaced shard has ended").then_some(())
    });
    let follower = Follower::start(server.http, VIDEO);
    let from = edge(&server);
    wait_for("three more segments", LIMIT, || (edge(&server) >= from + 3).then_some(()));
    follower.stop().assert_clean();
    for playlist in ask_all_shards(&server) {
        assert!(!playlist.ended && playlist.media_sequence >= first, "{playlist:?}");
    }
    drop(publisher);
    assert!(server.runs());
}
