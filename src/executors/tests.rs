//! Real shards, a real stage and the demo's broadcast, with a saboteur among their tasks.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use async_channel::Sender;
use riverrun_media::ladder::{LadderSetting, PauseIdle};
use riverrun_storage::disk::Store;

use rustix::thread::sched_getaffinity;

use super::*;
use crate::cores::Cores;
use crate::health::HealthBoard;
use crate::ladder::{Demand, LadderControl};
use crate::pipeline::{IdleSetting, Pipeline};
use crate::publish::{Numbers, Outlets};
use crate::services::Services;
use crate::sound::SoundSetting;
use crate::stage::{STAGE_QUEUE_MESSAGES, Stage};
use crate::supervisor::{Patience, Supervisor, SupervisorError};

const LIMIT: Duration = Duration::from_secs(60);
const PLAYLIST: &str = "/hls/0/stream.m3u8";

/// What a saboteur does when it is told.
enum Deed {
    Panic,
    /// Keeps the thread until the channel closes.
    Hang(Receiver<()>),
}

/// Shards of which the first lives have a saboteur each.
struct Sabotaged {
    executors: Executors,
    orders: Vec<Receiver<Deed>>,
}

impl Shards for Sabotaged {
    fn start(&mut self, post: Post) -> io::Result<JoinHandle<()>> {
        let orders = self.orders.get(post.id.index).filter(|_| post.id.life == 0).cloned();
        let (index, cores) = (post.id.index, self.executors.plan.cores);
        self.executors.launch(post, move |plan| {
            if index == 0 {
                let (stage, outlets) = (plan.stage.clone(), plan.outlets.clone());
                glommio::spawn_local(demo::run(stage, outlets, plan.id, cores)).detach();
            }
            let Some(orders) = orders else { return };
            let saboteur = async move {
                match orders.recv().await {
                    Ok(Deed::Panic) => panic!("sabotage"),
                    Ok(Deed::Hang(until)) => drop(until.recv_blocking()),
                    Err(_) => {}
                }
            };
            glommio::spawn_local(saboteur).detach();
        })
    }

    fn lost(&mut self, shard: ShardId) {
        self.executors.lost(shard);
    }
}

struct Run {
    http: SocketAddr,
    stage: Sender<StageMessage>,
    orders: Vec<Sender<Deed>>,
    news: mpsc::Sender<News>,
    watching: JoinHandle<Result<(), SupervisorError>>,
    _folder: tempfile::TempDir,
}

impl Run {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path()).unwrap());
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let [http, rtmp] = [(); 2].map(|()| riverrun_net::io::probe(any).unwrap());
        let (stage, inbox) = async_channel::bounded(STAGE_QUEUE_MESSAGES);
        let (outlets, inboxes) = Outlets::new(2);
        let (target, health) = (Duration::from_secs(1), HealthBoard::default());
        let pipeline = Pipeline {
            ladder: LadderControl::new(LadderSetting::Automatic, 1),
            sound: SoundSetting::default(),
            idle: IdleSetting { pause: PauseIdle::Off, after: Duration::from_secs(60) },
            demand: Demand::default(),
            cores: Cores::of_this_process(),
        };
        let (ladder, demand) = (pipeline.ladder.clone(), pipeline.demand.clone());
        let numbers = Numbers::new(store, target, pipeline, health.clone());
        let performance = Stage::new(inbox, outlets.clone(), numbers, Duration::from_secs(15));
        thread::spawn(move || performance.run());
        let plan = ShardPlan {
            id: ShardId { index: 0, life: 0 },
            http,
            rtmp,
            rewind: Duration::from_secs(60),
            services: Services::idle().unwrap(),
            stage: stage.clone(),
            outlets,
            health,
            ladder,
            demand,
            connections_max: 1_000,
            cores: sched_getaffinity(None).unwrap_or_default(),
        };
        let (orders, heard): (Vec<_>, Vec<_>) = (0..2).map(|_| async_channel::bounded(1)).unzip();
        let shards = Sabotaged { executors: Executors::new(plan, inboxes, false), orders: heard };
        let (news, heard) = mpsc::channel();
        let channel = (news.clone(), heard);
        let patience =
            Patience { look_interval: Duration::from_millis(500), ..Patience::default() };
        let mut supervisor = Supervisor::start(shards, 2, patience, channel).unwrap();
        let watching = thread::spawn(move || {
            let watched = supervisor.watch();
            for thread in supervisor.stop(Instant::now() + Duration::from_secs(2)) {
                let _ = thread.join();
            }
            watched
        });
        Self { http, stage, orders, news, watching, _folder: folder }
    }

    /// Answers of many new connections, whichever shard takes them.
    fn ask_all(&self) -> Vec<String> {
        (0..40).filter_map(|_| get(self.http)).collect()
    }

    /// Waits until every shard lists the same past and more than `msn` complete segments ago.
    fn wait_equal(&self, what: &str) -> u64 {
        wait(what, || {
            let answers = self.ask_all();
            let firsts: BTreeSet<_> = answers.iter().map(|text| sequence(text)).collect();
            let whole = answers.len() == 40 && answers.iter().all(|t| t.contains("#EXTINF"));
            (whole && firsts.len() == 1).then(|| firsts.first().copied().flatten())?
        })
    }

    fn stop(self) {
        let (done, ended) = async_channel::bounded(1);
        self.stage.send_blocking(StageMessage::Stop(done)).unwrap();
        ended.recv_blocking().unwrap();
        self.news.send(News::Stop).unwrap();
        self.watching.join().unwrap().unwrap();
    }
}

fn wait<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The video playlist, if it is there and comes soon.
fn get(address: SocketAddr) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
    let request = format!("GET {PLAYLIST} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.starts_with("HTTP/1.1 200").then_some(answer)
}

fn sequence(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("#EXT-X-MEDIA-SEQUENCE:")?.parse().ok())
}

#[test]
fn a_shard_that_panics_or_hangs_comes_back_with_the_past() {
    let (release, until) = async_channel::bounded(1);
    for deed in [Deed::Panic, Deed::Hang(until)] {
        let run = Run::start();
        let first = run.wait_equal("the demo on both shards");
        run.orders[1].send_blocking(deed).unwrap();
        // The other one goes on; then both show what was there before.
        wait("a gap in the answers", || (run.ask_all().len() < 40).then_some(()));
        let again = run.wait_equal("both shards after one was replaced");
        assert_eq!(again, first, "the broadcast is the same and its past is known");
        run.stop();
    }
    drop(release);
}

#[test]
fn a_publisher_that_dies_with_its_shard_makes_room_for_another() {
    let run = Run::start();
    let first = run.wait_equal("the demo on both shards");
    run.orders[0].send_blocking(Deed::Panic).unwrap();
    // The demo ran there. It begins anew on the successor, with numbers that were never used.
    let next = wait("the next broadcast", || {
        let next = run.wait_equal("both shards");
        (next > first).then_some(next)
    });
    assert!(next >= first + 4_096, "PL-6: {next} after {first}");
    run.stop();
}
