use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::{Duration, Instant};

use riverrun_web::viewers::{Audience, Sightings, ViewerKeys};

use super::*;
use crate::state::State;

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

fn start(folder: &Path, store: &Arc<Store>) -> (Statistics, HealthBoard) {
    let mut config = Config::parse("", Path::new("none"), 1).unwrap();
    config.data = folder.to_owned();
    let (outlets, _) = Outlets::new(0);
    let health = HealthBoard::default();
    let board = StateBoard::new(State::empty());
    let kept = (health.clone(), store.history().unwrap());
    (Statistics::start(&config, Arc::clone(store), board, outlets, kept).unwrap(), health)
}

fn body(statistics: &Statistics, question: Question) -> String {
    match futures_lite::future::block_on(statistics.ask(question)) {
        Some(Answer::Body(body)) => String::from_utf8(body).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn on_air() -> Told {
    let now = crate::clock::date();
    Told::OnAir(Facts { connected_at: Some(now), disconnected_at: None, publisher: None })
}

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn what_was_measured_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(folder.path()).unwrap());
    let (statistics, health) = start(folder.path(), &store);
    let writer = health.begin(1);
    statistics.tell(on_air());
    let keys = ViewerKeys::new(7);
    let mut sightings = Sightings::default();
    sightings.note(Instant::now(), keys.of(PEER, b"mpv"), PEER, b"mpv");
    let viewer = keys.of(PEER, b"mpv");
    let report = Report { latency: Some(1.5), errors: 1.0, ..Report::default() };
    let stranger = keys.of(PEER, b"nobody");
    statistics.tell(Told::Shard(ShardReport {
        sighted: sightings.report(Instant::now()),
        reports: [viewer, stranger]
            .map(|viewer| (PlayerKey { viewer, session: 0 }, report))
            .to_vec(),
        connections: 3,
        ..ShardReport::default()
    }));
    let mut second = riverrun_media::health::Figures { seconds: 1, ..Default::default() };
    second.ingest.video_bits = 2_000_000;
    writer.write(second);
    let of = |series| Question::History(None, vec![series]);
    wait_for("a second is measured", || {
        writer.write(riverrun_media::health::Figures { seconds: 1, ..Default::default() });
        body(&statistics, of(Series::IngestVideo)).contains("\"value\":")
    });
    wait_for("the viewer is in the history", || {
        body(&statistics, of(Series::Viewers)).contains("\"value\":1")
    });
    let text = body(&statistics, Question::Metrics);
    for line in ["riverrun_viewers 1\n", "riverrun_on_air 1\n", "{shard=\"0\"} 3\n"] {
        assert!(text.contains(line), "{line} in {text}");
    }
    // Who does not watch was not heard.
    assert!(text.contains("riverrun_player_errors_total 1\n"), "{text}");
    assert!(body(&statistics, Question::PlaybackClients).contains("\"latencySeconds\":1.5"));
    assert!(body(&statistics, Question::Health).contains("\"part\":\"ingest\""));
    statistics.save_blocking();
    drop(statistics);

    // The next one begins in the middle of a broadcast that a crash ended.
    let before = store.history().unwrap();
    assert!(before.on_air_ms.is_some() && before.peak_session == 1);
    let (next, _) = start(folder.path(), &store);
    assert!(body(&next, of(Series::Viewers)).contains("\"value\":1"));
    assert!(next.is_ready());
}

#[test]
fn questions_are_few_at_a_time() {
    let asked = AtomicUsize::new(0);
    let turns: Vec<_> = (0..QUESTIONS_MAX).map(|_| Turn::take(&asked)).collect();
    assert!(turns.iter().all(Option::is_some) && Turn::take(&asked).is_none());
    drop(turns);
    assert!(Turn::take(&asked).is_some());
}

/// Memory that the counting of viewers takes, by what the kernel says of this process.
#[test]
fn a_viewer_costs_less_than_a_kilobyte() {
    const VIEWERS: u32 = 100_000;
    let agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
        Chrome/142.0.0.0 Safari/537.36 and a name of its own";
    let resident = || process::sample().resident_bytes.unwrap();
    let (keys, now) = (ViewerKeys::new(7), Instant::now());
    let (mut sightings, mut audience) = (Sightings::default(), Audience::default());
    let mut playback = riverrun_web::metrics::Playback::default();
    let before = resident();
    for number in 0..VIEWERS {
        let address = IpAddr::from(Ipv4Addr::from(number));
        let key = keys.of(address, agent.as_bytes());
        sightings.note(now, key, address, agent.as_bytes());
        // As it comes: a report of two seconds at a time.
        if number % 1_000 == 999 {
            audience.hear(now, 0, sightings.report(now), |_| None);
        }
        playback.note(now, 0, PlayerKey { viewer: key, session: 1 }, &Report::default());
    }
    assert_eq!(audience.count(), VIEWERS);
    let each = resident().saturating_sub(before) / u64::from(VIEWERS);
    assert!((100..1_024).contains(&each), "{each} bytes a viewer");
    // Used until here.
    drop((sightings, audience, playback));
}
