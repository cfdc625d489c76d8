//! Shards made up of plain threads that misbehave on command.

use std::collections::BTreeMap;

use std::sync::{Arc, Mutex};
use std::thread;

use super::*;
use crate::thread_wait::block_on;

/// What a made-up shard does, by its place; one that is not named serves well.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Act {
    /// Takes pings until it is told to stop.
    Serve,
    /// Never begins.
    Fail,
    /// A task panics, the rest winds down.
    Break,
    /// The thread panics outside every task.
    Die,
    /// Takes no pings; ends when its script is dropped.
    Hang,
}

#[derive(Clone, Default)]
struct Record(Arc<Mutex<Vec<String>>>);

impl Record {
    fn note(&self, what: impl fmt::Display, shard: ShardId) {
        self.0.lock().unwrap().push(format!("{what} {}.{}", shard.index, shard.life));
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn has(&self, line: &str) -> bool {
        self.lines().iter().any(|known| known == line)
    }
}

struct Scripted {
    script: BTreeMap<ShardId, Act>,
    record: Record,
    /// Held by whoever may let hanging threads go.
    release: Receiver<()>,
}

impl Shards for Scripted {
    fn start(&mut self, post: Post) -> io::Result<JoinHandle<()>> {
        let act = self.script.get(&post.id).copied().unwrap_or(Act::Serve);
        let (record, release) = (self.record.clone(), self.release.clone());
        record.note("start", post.id);
        Ok(thread::spawn(move || play(act, &post, &record, &release)))
    }

    fn lost(&mut self, shard: ShardId) {
        self.record.note("lost", shard);
    }
}

fn play(act: Act, post: &Post, record: &Record, release: &Receiver<()>) {
    let id = post.id;
    let tell = |news| {
        let _ = post.news.send(news);
    };
    if act == Act::Fail {
        tell(News::Ended(id, Err("no ring".to_owned())));
        return;
    }
    tell(News::Accepting(id));
    match act {
        Act::Break => {
            tell(News::Broken(id, "a bug".to_owned()));
            tell(News::Ended(id, Err("a bug".to_owned())));
        }
        Act::Die => tell(News::Ended(id, Err("a bug".to_owned()))),
        Act::Hang => {
            let _ = release.recv_blocking();
            tell(News::Ended(id, Ok(())));
        }
        Act::Serve | Act::Fail => {
            let pings = async {
                while post.pings.recv().await.is_ok() {}
                futures_lite::future::pending::<()>().await;
            };
            let stop = async {
                let _ = post.stop.recv().await;
            };
            block_on(futures_lite::future::or(pings, stop));
            record.note("stopped", id);
            tell(News::Ended(id, Ok(())));
        }
    }
}

const fn shard(index: usize, life: u32) -> ShardId {
    ShardId { index, life }
}

fn quick() -> Patience {
    Patience { look_interval: Duration::from_millis(20), ..Patience::default() }
}

/// A supervisor of three shards in a thread of its own.
struct Run {
    record: Record,
    news: mpsc::Sender<News>,
    /// Dropped to let hanging threads go.
    release: Option<Sender<()>>,
    watching: JoinHandle<Result<(), SupervisorError>>,
}

impl Run {
    fn start(script: &[(ShardId, Act)], patience: Patience) -> Self {
        let record = Record::default();
        let (release, released) = async_channel::bounded(1);
        let script = script.iter().copied().collect();
        let shards = Scripted { script, record: record.clone(), release: released };
        let (news, heard) = mpsc::channel();
        let channel = (news.clone(), heard);
        let watching = thread::spawn(move || {
            let mut supervisor = Supervisor::start(shards, 3, patience, channel)?;
            let watched = supervisor.watch();
            let threads = supervisor.stop(Instant::now());
            // After a failure some may hang for good; the process would end here.
            if watched.is_ok() {
                threads.into_iter().for_each(|thread| thread.join().expect("none panics"));
            }
            watched
        });
        Self { record, news, release: Some(release), watching }
    }

    fn wait(&self, line: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.record.has(line) {
            assert!(Instant::now() < deadline, "no {line:?} in {:?}", self.record.lines());
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn stop(self) -> Vec<String> {
        self.news.send(News::Stop).unwrap();
        self.watching.join().unwrap().unwrap();
        self.record.lines()
    }

    fn failure(self) -> SupervisorError {
        self.watching.join().unwrap().unwrap_err()
    }
}

#[test]
fn shards_that_serve_are_left_alone() {
    let run = Run::start(&[], quick());
    thread::sleep(quick().look_interval * 20);
    let mut lines = run.stop();
    lines.sort();
    let expected = ["start 0.0", "start 1.0", "start 2.0", "stopped 0.0", "stopped 1.0"];
    assert_eq!(lines[..5], expected);
    assert_eq!(lines.len(), 6, "{lines:?}");
}

#[test]
fn a_shard_that_ends_is_replaced_once_and_the_others_stay() {
    for act in [Act::Break, Act::Die] {
        let run = Run::start(&[(shard(1, 0), act)], quick());
        run.wait("start 1.1");
        run.wait("lost 1.0");
        let lines = run.stop();
        for line in ["stopped 0.0", "stopped 1.1", "stopped 2.0"] {
            assert!(lines.contains(&line.to_owned()), "{act:?}: {lines:?}");
        }
        assert!(!lines.contains(&"start 1.2".to_owned()), "{act:?}: {lines:?}");
    }
}

#[test]
fn a_shard_that_hangs_loses_its_place_and_may_come_round() {
    let mut run = Run::start(&[(shard(2, 0), Act::Hang)], quick());
    run.wait("lost 2.0");
    run.wait("start 2.1");
    drop(run.release.take());
    thread::sleep(quick().look_interval * 10);
    let lines = run.stop();
    let count = |line: &str| lines.iter().filter(|known| *known == line).count();
    assert_eq!((count("start 2.1"), count("start 2.2")), (1, 0), "{lines:?}");
    assert_eq!(count("lost 2.0"), 2, "when it hung, and when it ended: {lines:?}");
}

#[test]
fn what_does_not_help_is_given_up() {
    let script: Vec<_> = (0..=5).map(|life| (shard(0, life), Act::Break)).collect();
    let run = Run::start(&script, quick());
    let record = run.record.clone();
    let failure = run.failure();
    assert!(matches!(failure, SupervisorError::TooOften { restarts: 5, .. }), "{failure}");
    assert!(record.has("start 0.5") && !record.has("start 0.6"), "{:?}", record.lines());

    let script: Vec<_> = (0..3).map(|index| (shard(index, 0), Act::Hang)).collect();
    let failure = Run::start(&script, quick()).failure();
    assert!(matches!(failure, SupervisorError::TooManyStuck { stuck: 3 }), "{failure}");

    let failure = Run::start(&[(shard(1, 0), Act::Fail)], quick()).failure();
    assert!(matches!(failure, SupervisorError::Start { .. }), "{failure}");
    assert_eq!(failure.to_string(), "shard 1 could not start: no ring");
}

#[test]
fn old_replacements_do_not_count() {
    let patience = Patience { restart_window: Duration::ZERO, ..quick() };
    let script: Vec<_> = (0..20).map(|life| (shard(0, life), Act::Break)).collect();
    let run = Run::start(&script, patience);
    run.wait("start 0.20");
    run.stop();
}

#[test]
fn a_stage_that_ends_ends_all() {
    let run = Run::start(&[], quick());
    run.wait("start 2.0");
    run.news.send(News::StageEnded).unwrap();
    assert!(matches!(run.failure(), SupervisorError::Stage));
}
