//! The thread itself: what it knows, what it does each second, ten seconds and minute.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_channel::Receiver;
use riverrun_media::time::UnixTime;
use riverrun_storage::disk::{History, MeasuredBlock, MeasuredBlocks, Store};
use riverrun_web::health::{Delivery, Health, Machine, Readings};
use riverrun_web::history::{self, NO_VALUES, Series, Tier, Values};
use riverrun_web::metrics::{Circumstances, Measured, Overview, Playback};
use riverrun_web::viewers::Audience;

use super::geo::Places;
use super::hardware::{Hardware, Load};
use super::process::{self, Process};
use super::{Counts, ShardReport, Told, pipeline};
use crate::clock;
use crate::config::Config;
use crate::health::HealthBoard;
use crate::publish::Outlets;
use crate::shard::{Facts, ShardMessage};
use crate::state::StateBoard;
use crate::thread_wait::{block_on, block_on_until};

/// Shards are told how many watch so often.
const COUNT_INTERVAL: Duration = Duration::from_secs(2);
/// A point of the history is taken so often.
const SECOND: Duration = Duration::from_secs(1);
/// What players told is added up, and open files are counted, so often: players tell as often.
const PLAYERS_INTERVAL: Duration = Duration::from_secs(10);
/// What has to survive is written so often (API §5.2): so much is lost by a kill.
const SAVE_INTERVAL: Duration = Duration::from_secs(60);
/// A broadcast whose newest second is older has no publisher now, ms.
const FRESH_MS: i64 = 3_000;
/// A shard that told nothing for so long is being replaced.
const SHARD_MEMORY: Duration = Duration::from_secs(10);
/// Seconds that the health value is judged by.
const HEALTH_SECONDS: usize = 10;
/// Share of a second in the processor's mean of about a minute.
const CPU_SHARE: f64 = 1.0 / 30.0;

/// What the thread has.
pub(super) struct Observer {
    pub(super) store: Arc<Store>,
    pub(super) board: StateBoard,
    outlets: Outlets,
    pub(super) broadcast: HealthBoard,
    is_ready: Arc<AtomicBool>,
    pub(super) audience: Audience,
    pub(super) is_on_air: bool,
    /// Date of the newest beginning or end, ms since 1970.
    newest_ms: i64,
    pub(super) segment_seconds: u32,
    last_disconnect_ms: Option<u64>,
    told: Counts,
    pub(super) playback: Playback,
    pub(super) players: Measured,
    pub(super) overview: Option<Overview>,
    places: Places,
    hardware: Hardware,
    pub(super) load: Load,
    cpu_minute: Option<f64>,
    pub(super) process: Process,
    pub(super) shards: Vec<Option<ShardFigures>>,
    pub(super) history: history::History,
    store_error: Option<String>,
    pub(super) readings: Readings,
    pub(super) verdict: Health,
    next_count: Instant,
    next_second: Instant,
    next_players: Instant,
    next_save: Instant,
}

/// What a shard told last.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShardFigures {
    at: Instant,
    pub(super) connections: usize,
    pub(super) is_late: bool,
}

impl Observer {
    pub(super) fn new(
        config: &Config,
        store: Arc<Store>,
        board: StateBoard,
        outlets: Outlets,
        (broadcast, kept): (HealthBoard, History),
        is_ready: Arc<AtomicBool>,
    ) -> Self {
        let now = Instant::now();
        let peak = |count| u32::try_from(count).unwrap_or(u32::MAX);
        let mut history = history::History::default();
        match store.measured() {
            Ok(blocks) => history.restore(unix_seconds(), |tier, place| read(&blocks, tier, place)),
            Err(error) => tracing::error!(%error, "what was measured before is not shown"),
        }
        Self {
            store,
            board,
            outlets,
            broadcast,
            is_ready,
            audience: Audience::after(peak(kept.peak_session), peak(kept.peak_overall)),
            is_on_air: false,
            newest_ms: 0,
            segment_seconds: u32::try_from(config.segment_target.as_secs()).unwrap_or(1),
            last_disconnect_ms: kept.last_disconnect_ms,
            // Not what any shard was told yet.
            told: Counts { viewers: u32::MAX, ..Counts::default() },
            playback: Playback::default(),
            players: Measured::default(),
            overview: None,
            places: Places::of(&config.data),
            hardware: Hardware::new(config.data.clone()),
            load: Load::default(),
            cpu_minute: None,
            process: Process::default(),
            shards: vec![None; config.shards],
            history,
            store_error: None,
            readings: Readings::default(),
            verdict: Health::default(),
            next_count: now,
            next_second: now,
            next_players: now,
            next_save: now + SAVE_INTERVAL,
        }
    }

    pub(super) fn run(mut self, inbox: &Receiver<Told>) {
        loop {
            let due = self.next_count.min(self.next_second).min(self.next_save);
            match block_on_until(due, inbox.recv()) {
                Some(Ok(told)) => self.hear(told),
                Some(Err(_)) => break,
                None => {}
            }
            self.keep_time(Instant::now());
        }
        self.save();
    }

    fn hear(&mut self, told: Told) {
        match told {
            Told::Shard(report) => self.hear_shard(report),
            Told::OnAir(facts) => self.note_on_air(&facts),
            Told::Ask(question, answer) => {
                // Who asked may have left.
                let _ = answer.try_send(self.answer(&question));
            }
            Told::Save(done) => {
                self.save();
                let _ = done.try_send(());
            }
        }
    }

    fn hear_shard(&mut self, report: ShardReport) {
        let ShardReport { shard, sighted, reports, connections, is_late } = report;
        let now = Instant::now();
        if let Some(figures) = self.shards.get_mut(shard) {
            *figures = Some(ShardFigures { at: now, connections, is_late });
        }
        if !self.is_on_air {
            return;
        }
        let now_ms = clock::date().millis();
        let places = &mut self.places;
        self.audience.hear(now, now_ms, sighted, |address| places.find(address));
        for (player, report) in reports {
            // Who tells has to watch.
            if self.audience.contains(player.viewer) {
                self.playback.note(now, now_ms, player, &report);
            }
        }
    }

    /// Every shard tells it in its own time: what is older than what is known is no news.
    fn note_on_air(&mut self, facts: &Facts) {
        let millis = |date: UnixTime| date.millis();
        let known = self.newest_ms;
        match (facts.connected_at.map(millis), facts.disconnected_at.map(millis)) {
            (Some(began), _) if !self.is_on_air && began > known => {
                self.audience.begin_session();
                (self.is_on_air, self.newest_ms) = (true, began);
                self.save();
            }
            (None, Some(ended)) if self.is_on_air && ended >= known => {
                self.audience.end_session();
                self.playback.clear();
                (self.players, self.overview) = (Measured::default(), None);
                (self.is_on_air, self.newest_ms) = (false, ended);
                self.last_disconnect_ms = u64::try_from(ended).ok();
                self.save();
            }
            _ => return,
        }
        self.tell_counts();
    }

    fn keep_time(&mut self, now: Instant) {
        if now >= self.next_count {
            self.next_count = now + COUNT_INTERVAL;
            self.audience.let_go(now);
            self.tell_counts();
        }
        if now >= self.next_second {
            // In step with the clock, unless the machine slept.
            self.next_second = (self.next_second + SECOND).max(now);
            self.second(now);
        }
        if now >= self.next_save {
            self.next_save = now + SAVE_INTERVAL;
            self.places.look();
            self.save();
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let (session_peak, overall_peak) = self.audience.peaks();
        Counts { viewers: self.audience.count(), session_peak, overall_peak }
    }

    fn tell_counts(&mut self) {
        let counts = self.counts();
        if counts != self.told {
            self.told = counts;
            block_on(self.outlets.tell(&ShardMessage::Audience(counts)));
        }
    }

    /// A point of the history, and what is thought of it all.
    fn second(&mut self, now: Instant) {
        let mut values = NO_VALUES;
        self.load = self.hardware.sample(now);
        if let Some(cpu) = self.load.cpu {
            let before = self.cpu_minute.unwrap_or(cpu);
            self.cpu_minute = Some(before + (cpu - before) * CPU_SHARE);
        }
        put(&mut values, Series::Cpu, self.load.cpu);
        put(&mut values, Series::Memory, self.load.memory);
        put(&mut values, Series::Disk, self.load.disk);
        put(&mut values, Series::NetworkOut, self.load.network_out.map(|bits| bits / 1e3));
        if now >= self.next_players {
            self.next_players = now + PLAYERS_INTERVAL;
            self.players = self.playback.measure(now);
            self.overview = self.playback.overview(now, &self.circumstances());
            self.process = process::sample();
            if self.is_on_air && self.players.players > 0 {
                put(&mut values, Series::PlayerErrors, Some(self.players.errors));
                put(&mut values, Series::QualityChanges, Some(self.players.quality_changes));
            }
        }
        if self.is_on_air {
            put(&mut values, Series::Viewers, Some(f64::from(self.audience.count())));
            self.put_players(&mut values);
            let fresh = |at: UnixTime| clock::date().millis() - at.millis() < FRESH_MS;
            if let Some((_, figures)) = self.broadcast.recent(1).filter(|(at, _)| fresh(*at)) {
                pipeline::put(&figures, &mut values);
            }
        }
        self.history.push(unix_seconds(), &values);
        self.judge(now);
    }

    fn put_players(&self, values: &mut Values) {
        for (spread, series) in [
            (
                self.players.latency,
                [Series::LatencyLowest, Series::LatencyMedian, Series::LatencyHighest],
            ),
            (
                self.players.download,
                [Series::DownloadLowest, Series::DownloadMedian, Series::DownloadHighest],
            ),
            (
                self.players.bandwidth,
                [Series::BandwidthLowest, Series::BandwidthMedian, Series::BandwidthHighest],
            ),
        ] {
            for (series, value) in series.into_iter().zip(spread.into_iter().flatten()) {
                put(values, series, Some(value));
            }
        }
    }

    fn judge(&mut self, now: Instant) {
        let recent = self.broadcast.recent(HEALTH_SECONDS).filter(|_| self.is_on_air);
        let date_ms = clock::date().millis();
        let is_away = recent.as_ref().is_some_and(|(at, _)| date_ms - at.millis() >= FRESH_MS);
        let figures = recent.as_ref().map(|(_, figures)| figures);
        let working = figures.filter(|_| !is_away);
        let heard =
            |figures: &&ShardFigures| now.saturating_duration_since(figures.at) < SHARD_MEMORY;
        let shards: Vec<_> = self.shards.iter().flatten().filter(heard).collect();
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let delivery = Delivery {
            shards: count(shards.len()),
            late: count(shards.iter().filter(|shard| shard.is_late).count()),
            connections: shards.iter().map(|shard| shard.connections as u64).sum(),
        };
        self.readings = Readings {
            ingest: figures.map(|figures| pipeline::ingest(figures, is_away)),
            decoder: working.and_then(pipeline::decoder),
            renditions: working.map(pipeline::renditions).unwrap_or_default(),
            delivery: (!shards.is_empty()).then_some(delivery),
            machine: Machine {
                cpu: self.cpu_minute,
                memory: self.load.memory,
                disk_free: self.load.disk_free,
                open_files: self.process.open_files.zip(self.process.open_files_max),
            },
            store_error: self.store_error.clone(),
            date_ms: Some(date_ms),
        };
        self.verdict = Health::of(&self.readings, self.overview.as_ref());
        self.is_ready.store(self.verdict.is_ready(), Ordering::Relaxed);
    }

    fn circumstances(&self) -> Circumstances {
        let variants = self.board.state().variants();
        let rates = || variants.iter().map(|v| v.video_bitrate).filter(|kbit| *kbit > 0);
        Circumstances {
            viewers: self.audience.count(),
            cpu_percent: self.cpu_minute.unwrap_or_default(),
            ingest_kbit: self.readings.ingest.map_or(0.0, |ingest| ingest.video_kbit),
            bitrate_min_kbit: rates().min().unwrap_or(0),
            bitrate_max_kbit: rates().max().unwrap_or(0),
            has_source: variants.iter().any(|variant| variant.video_passthrough),
            segment_seconds: self.segment_seconds,
        }
    }

    fn save(&mut self) {
        let (session, overall) = self.audience.peaks();
        let kept = History {
            peak_overall: overall.into(),
            peak_session: session.into(),
            last_disconnect_ms: self.last_disconnect_ms,
            on_air_ms: self.is_on_air.then(|| unix_seconds() * 1_000),
        };
        let blocks: Vec<_> = self.history.changed_blocks().into_iter().map(at_rest).collect();
        match self.store.put_measured(kept, &blocks) {
            Ok(()) => {
                self.history.kept();
                self.store_error = None;
            }
            Err(error) => {
                tracing::error!(%error, "peaks of viewers and the history could not be kept");
                self.store_error = Some(error.to_string());
            }
        }
    }
}

#[allow(clippy::cast_possible_truncation)] // As close as a chart needs.
fn put(values: &mut Values, series: Series, value: Option<f64>) {
    if let Some(value) = value {
        values[series as usize] = value as f32;
    }
}

pub(super) fn unix_seconds() -> u64 {
    u64::try_from(clock::date().millis() / 1_000).unwrap_or(0)
}

pub(super) fn read(blocks: &MeasuredBlocks, tier: Tier, place: u32) -> Option<Vec<u8>> {
    blocks.get(tier.step_seconds(), place).unwrap_or_else(|error| {
        tracing::error!(%error, "a part of the history cannot be read");
        None
    })
}

fn at_rest(block: history::StoredBlock) -> MeasuredBlock {
    let (step_seconds, place) = (block.tier.step_seconds(), block.place);
    MeasuredBlock { step_seconds, place, bytes: block.bytes }
}
