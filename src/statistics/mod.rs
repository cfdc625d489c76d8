//! Who watches, how players fare and how busy the machine is, over time: one thread that hears of
//! all shards and answers what the admin asks.
//!
//! Its queue is bounded; when it is full a report is dropped, which costs at most one look at who
//! watches. Shards never wait for it.

mod hardware;

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use riverrun_media::time::UnixTime;
use riverrun_storage::disk::{History, Store};
use riverrun_web::admin::{self, Sample};
use riverrun_web::metrics::{self, Circumstances, Overview, Playback, Report};
use riverrun_web::viewers::{Audience, Sighted, ViewerKey};

use self::hardware::Hardware;
use crate::clock;
use crate::config::Config;
use crate::publish::Outlets;
use crate::shard::{Facts, ShardMessage};
use crate::state::StateBoard;
use crate::thread_wait::{block_on, block_on_until};

/// Reports that may wait.
const QUEUE_REPORTS: usize = 1_024;
/// Shards are told how many watch so often.
const COUNT_INTERVAL: Duration = Duration::from_secs(2);
/// A sample of each series is taken so often (API §5.6).
const SAMPLE_INTERVAL: Duration = Duration::from_secs(120);
/// What has to survive is written so often when it has changed (API §5.2).
const SAVE_INTERVAL: Duration = Duration::from_secs(60);

/// How many watch, for every shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Now.
    pub viewers: u32,
    /// At most, in this broadcast or the last.
    pub session_peak: u32,
    /// At most, ever.
    pub overall_peak: u32,
}

/// What the thread hears.
pub enum Told {
    /// A shard saw viewers.
    Sighted(Sighted),
    /// A player told how it fares.
    Report(ViewerKey, Report),
    /// Who is on air since when changed, or nobody is since when.
    OnAir(Facts),
    /// What the admin asks; the answer.
    Ask(Question, Sender<Answer>),
}

/// What the admin asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Who watches.
    Viewers,
    /// How many watched since then, ms since 1970.
    ViewersOverTime(i64),
    /// How busy the machine was.
    Hardware,
    /// How players fared.
    Playback,
    /// The sentence about it.
    Overview,
}

/// What the thread says.
#[derive(Debug)]
pub enum Answer {
    /// A body.
    Json(Vec<u8>),
    /// The sentence.
    Overview(Option<Overview>),
}

/// The way to the thread.
#[derive(Clone, Debug)]
pub struct Statistics(Sender<Told>);

impl Statistics {
    /// Starts the thread. It ends when nobody can send to it any more.
    pub fn start(
        config: &Config,
        store: Arc<Store>,
        board: StateBoard,
        outlets: Outlets,
        history: History,
    ) -> io::Result<Self> {
        let (sender, inbox) = async_channel::bounded(QUEUE_REPORTS);
        let observer = Observer::new(config, store, board, outlets, history);
        thread::Builder::new().name("statistics".to_owned()).spawn(move || observer.run(&inbox))?;
        Ok(Self(sender))
    }

    /// Nobody hears: for tests.
    #[must_use]
    pub fn closed() -> Self {
        Self(async_channel::bounded(1).0)
    }

    /// Tells it something. Lost when too much waits.
    pub fn tell(&self, told: Told) {
        let _ = self.0.try_send(told);
    }

    /// Asks it something. `None` when too much waits.
    pub async fn ask(&self, question: Question) -> Option<Answer> {
        let (sender, answer) = async_channel::bounded(1);
        self.0.try_send(Told::Ask(question, sender)).ok()?;
        answer.recv().await.ok()
    }
}

/// What the thread has.
struct Observer {
    store: Arc<Store>,
    board: StateBoard,
    outlets: Outlets,
    audience: Audience,
    is_on_air: bool,
    /// Date of the newest beginning or end, ms since 1970.
    newest_ms: i64,
    segment_seconds: u32,
    last_disconnect_ms: Option<u64>,
    told: Counts,
    saved: History,
    playback: Playback,
    machine: Hardware,
    viewers: Vec<Sample>,
    load: admin::Hardware,
    next_count: Instant,
    next_sample: Instant,
    next_save: Instant,
}

impl Observer {
    fn new(
        config: &Config,
        store: Arc<Store>,
        board: StateBoard,
        outlets: Outlets,
        history: History,
    ) -> Self {
        let now = Instant::now();
        let peak = |count| u32::try_from(count).unwrap_or(u32::MAX);
        Self {
            store,
            board,
            outlets,
            audience: Audience::after(peak(history.peak_session), peak(history.peak_overall)),
            is_on_air: false,
            newest_ms: 0,
            segment_seconds: u32::try_from(config.segment_target.as_secs()).unwrap_or(1),
            last_disconnect_ms: history.last_disconnect_ms,
            // Not what any shard was told yet.
            told: Counts { viewers: u32::MAX, ..Counts::default() },
            saved: history,
            playback: Playback::default(),
            machine: Hardware::new(config.data.clone()),
            viewers: Vec::new(),
            load: admin::Hardware::default(),
            next_count: now,
            // The admin sees something soon after the start.
            next_sample: now + COUNT_INTERVAL,
            next_save: now + SAVE_INTERVAL,
        }
    }

    fn run(mut self, inbox: &Receiver<Told>) {
        loop {
            let due = self.next_count.min(self.next_sample).min(self.next_save);
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
            Told::Sighted(sighted) => {
                if self.is_on_air {
                    self.audience.hear(Instant::now(), clock::date().millis(), sighted);
                }
            }
            Told::Report(ViewerKey(player), report) => self.playback.note(player, report),
            Told::OnAir(facts) => self.note_on_air(&facts),
            Told::Ask(question, answer) => {
                // Who asked may have left.
                let _ = answer.try_send(self.answer(question));
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
            }
            (None, Some(ended)) if self.is_on_air && ended >= known => {
                self.audience.end_session();
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
        if now >= self.next_sample {
            self.next_sample = now + SAMPLE_INTERVAL;
            self.sample();
        }
        if now >= self.next_save {
            self.next_save = now + SAVE_INTERVAL;
            self.save();
        }
    }

    fn counts(&self) -> Counts {
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

    fn sample(&mut self) {
        let at_ms = clock::date().millis();
        let load = self.machine.sample();
        let series = &mut self.load;
        for (series, value) in [
            (&mut series.cpu, load.cpu),
            (&mut series.memory, load.memory),
            (&mut series.disk, load.disk),
        ] {
            if let Some(value) = value {
                metrics::push(series, Sample { at_ms, value });
            }
        }
        if self.is_on_air {
            let value = f64::from(self.audience.count());
            metrics::push(&mut self.viewers, Sample { at_ms, value });
        }
        let circumstances = self.circumstances();
        self.playback.close_window(at_ms, &circumstances);
    }

    fn circumstances(&self) -> Circumstances {
        let variants = self.board.state().variants();
        let newest: Vec<f64> = self.load.cpu.iter().rev().take(2).map(|s| s.value).collect();
        #[allow(clippy::cast_precision_loss)] // At most two.
        let cpu_percent = newest.iter().sum::<f64>() / newest.len().max(1) as f64;
        let rates = variants.iter().map(|variant| variant.video_bitrate).filter(|kbit| *kbit > 0);
        Circumstances {
            viewers: self.audience.count(),
            cpu_percent,
            bitrate_min_kbit: rates.min().unwrap_or(0),
            has_source: variants.iter().any(|variant| variant.video_passthrough),
            segment_seconds: self.segment_seconds,
        }
    }

    fn save(&mut self) {
        let (session, overall) = self.audience.peaks();
        let history = History {
            peak_overall: overall.into(),
            peak_session: session.into(),
            last_disconnect_ms: self.last_disconnect_ms,
        };
        if history == self.saved {
            return;
        }
        match self.store.put_history(history) {
            Ok(()) => self.saved = history,
            Err(error) => tracing::error!(%error, "the peaks of viewers could not be kept"),
        }
    }

    fn answer(&self, question: Question) -> Answer {
        Answer::Json(match question {
            Question::Viewers => admin::to_json(&self.audience.viewers()),
            Question::ViewersOverTime(since_ms) => {
                let recent: Vec<_> =
                    self.viewers.iter().filter(|sample| sample.at_ms >= since_ms).collect();
                admin::to_json(&recent)
            }
            Question::Hardware => admin::to_json(&self.load),
            Question::Playback => {
                let variants = self.board.state().variants();
                let rates: Vec<u32> = variants
                    .iter()
                    .map(|variant| variant.video_bitrate)
                    .filter(|kbit| *kbit > 0)
                    .collect();
                self.playback.to_json(&rates, self.segment_seconds)
            }
            Question::Overview => return Answer::Overview(self.playback.overview().cloned()),
        })
    }
}
