//! The encoded renditions of a broadcast: one decoder, one encoder for each rung, all on threads of
//! their own and at lower priority than those that serve (design §3).
//!
//! ```text
//! broadcast ── units, boundaries ──▶ decoder ── scaled pictures ──▶ encoder 1, 2, …
//!     ▲                                                                │
//!     └────────────────── coded pictures, a wake-up ───────────────────┘
//! ```
//!
//! Every queue is bounded. What happens when one is full:
//!
//! - units to the decoder: skipped up to the next sync picture; the rungs have a gap, the source's
//!   own rendition feels nothing;
//! - pictures to an encoder: dropped on the rung's grid, see [`Pace`];
//! - coded pictures back: the encoder waits, until its own queue is full.
//!
//! [`Pace`]: riverrun_media::ladder::Pace

mod camera;
mod change;
mod control;
mod decode;
mod demand;
mod encode;
mod faults;
mod gate;
mod outlet;
mod rung;
mod tally;

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use futures_lite::future;
use riverrun_media::access_unit::{AccessUnit, TrackKind, VideoTrack};
use riverrun_media::codec::{H264Decoder, Undecodable};
use riverrun_media::health::{DecodingFigures, RenditionReading};
use riverrun_media::hls::{self, Boundary, Lineup};
use riverrun_media::ladder::{Plan, PlannedRung, RungSet};
use rustix::process::setpriority_process;
use rustix::thread::{CpuSet, sched_setaffinity};

use self::camera::Camera;
use self::change::{Change, Switchover};
pub use self::control::{LadderControl, LadderRefused};
use self::decode::{Decoding, Feed};
pub use self::demand::Demand;
use self::faults::Faults;
use self::gate::StillGate;
pub use self::outlet::{Coded, Made};
use self::outlet::{Inlet, Outlet};
use self::rung::{Rung, RungError};
use self::tally::Tally;
use crate::cores::Cores;

/// Niceness of the decoder: every rung waits for it.
const DECODER_NICENESS: i32 = 4;
/// Niceness of the encoders.
const ENCODER_NICENESS: i32 = 8;
/// Niceness of what encodes stills: nobody waits for it.
const STILLS_NICENESS: i32 = 15;
/// Units that may wait for the decoder: a second of 60 pictures, and its boundaries.
const UNITS_MAX: usize = 64;
/// Boundaries that wait for a unit to go behind them.
const BOUNDARIES_MAX: usize = 8;
/// After a skip the decoder goes on when no more than this wait.
const UNITS_RESUME: usize = 16;
/// Units that come before the first boundary is known.
const EARLY_UNITS_MAX: usize = 1_024;
/// How long the end of a source waits for its last pictures.
const FLUSH_PATIENCE: Duration = Duration::from_millis(700);
/// A decoder that has taken nothing for this long, with its queue full, hangs.
const DECODER_HANG: Duration = Duration::from_secs(3);
/// A ladder that ends or hangs is made anew no more often than this.
const REMAKE_INTERVAL: Duration = Duration::from_secs(30);

/// Why there is no ladder.
#[derive(Debug, thiserror::Error)]
enum LadderError {
    #[error(transparent)]
    Undecodable(#[from] Undecodable),
    #[error("variant {variant}: {error}")]
    Rung { variant: u8, error: RungError },
    #[error("a thread could not be started: {0}")]
    Thread(#[from] std::io::Error),
    #[error("the thread ended while it began")]
    Ended,
}

/// The ladder of one timeline's tracks, perhaps without a rung: then it takes stills.
pub struct Ladder {
    plan: Plan,
    track: Arc<VideoTrack>,
    cores: CpuSet,
    made: Instant,
    /// Since when the decoder's queue has been full.
    full_since: Option<Instant>,
    feed: Sender<Feed>,
    inlet: Inlet,
    /// For encoders that are made later.
    outlet: Outlet,
    /// What the rungs of the plan make.
    tracks: Vec<hls::Rung>,
    change: Option<Change>,
    /// Rungs that nobody asks for.
    paused: RungSet,
    /// Boundaries that go before the next unit.
    boundaries: VecDeque<Begin>,
    /// Units of the time before the first boundary is known.
    early: VecDeque<AccessUnit>,
    began: bool,
    /// Without rungs.
    gate: Option<StillGate>,
    /// The decoder's queue was full: units are left out up to a sync picture.
    skipping: bool,
    skipped: u64,
    tally: Arc<Tally>,
}

/// A segment begins, and what changes with it.
struct Begin {
    boundary: Boundary,
    /// Rungs that encode nothing in it.
    paused: RungSet,
    switchover: Option<Box<Switchover>>,
}

impl Ladder {
    /// Starts what the renditions of a plan need. A ladder that cannot be made is told in the log,
    /// and the source goes on alone. `may_turn`: rungs may be added before the second keyframe.
    pub async fn start(
        plan: Plan,
        track: &Arc<VideoTrack>,
        cores: Cores,
        may_turn: bool,
    ) -> (Lineup, Option<Self>) {
        if let Some(notice) = &plan.notice {
            tracing::warn!("{notice}");
        }
        if plan.rungs.is_empty() && Undecodable::check(&track.codec).is_err() {
            return (lineup(&plan, Vec::new()), None);
        }
        match Self::make(plan, Arc::clone(track), cores.set, may_turn).await {
            Ok((lineup, ladder)) => (lineup, Some(ladder)),
            Err(error) => {
                tracing::error!(%error, "there is no ladder for this source");
                (Lineup::default(), None)
            }
        }
    }

    async fn make(
        plan: Plan,
        track: Arc<VideoTrack>,
        cores: CpuSet,
        may_turn: bool,
    ) -> Result<(Lineup, Self), LadderError> {
        let (outlet, inlet) = outlet::pair()?;
        let (feed, fed) = async_channel::bounded(UNITS_MAX);
        let (tell, told) = async_channel::bounded(1);
        let (kept_plan, kept_track) = (plan.clone(), Arc::clone(&track));
        let kept_outlet = outlet.clone();
        let tally = Arc::<Tally>::default();
        let counted = Arc::clone(&tally);
        // Nobody else wants its pictures: it decodes what stills need.
        let gate = plan
            .rungs
            .is_empty()
            .then(|| if may_turn { StillGate::with_first_gop() } else { StillGate::default() });
        let body = move || {
            // It was spawned on a pinned shard, perhaps. A mask that cannot be set leaves it there.
            let _ = sched_setaffinity(None, &cores);
            // Encoders take milliseconds to be made, which no shard has.
            match prepare(&plan, &track, &outlet, &counted) {
                Ok((decoding, rungs)) => {
                    drop(outlet);
                    if tell.try_send(Ok(rungs)).is_ok() {
                        decoding.run(&fed);
                    }
                }
                Err(error) => {
                    let _ = tell.try_send(Err(error));
                }
            }
        };
        thread::Builder::new().name("decode".to_owned()).spawn(body)?;
        let rungs = told.recv().await.map_err(|_| LadderError::Ended)??;
        let lineup = lineup(&kept_plan, rungs.clone());
        let ladder = Self {
            plan: kept_plan,
            track: kept_track,
            cores,
            made: Instant::now(),
            full_since: None,
            feed,
            inlet,
            outlet: kept_outlet,
            tracks: rungs,
            change: None,
            paused: RungSet::default(),
            boundaries: VecDeque::new(),
            early: VecDeque::new(),
            began: gate.is_some(),
            gate,
            skipping: false,
            skipped: 0,
            tally,
        };
        Ok((lineup, ladder))
    }

    /// The decoder has ended, or hangs, and it is time to try again.
    pub fn is_lost(&self) -> bool {
        let hangs = self.full_since.is_some_and(|since| since.elapsed() >= DECODER_HANG);
        (hangs || self.feed.is_closed()) && self.made.elapsed() >= REMAKE_INTERVAL
    }

    /// Another one of the same renditions in place of this; goes on with the next segment.
    pub async fn remake(&mut self) {
        tracing::error!("the decoder ended or hangs: the ladder is made anew");
        let made =
            Self::make(self.newest_plan().clone(), Arc::clone(&self.track), self.cores, false)
                .await;
        match made {
            Ok((_, ladder)) => *self = Self { paused: self.paused, ..ladder },
            Err(error) => {
                tracing::error!(%error, "there is no ladder for this source");
                self.made = Instant::now();
            }
        }
    }

    /// The source's pictures.
    pub fn track(&self) -> &VideoTrack {
        &self.track
    }

    /// What is made.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Rungs that encode nothing from the next segment on; the others do.
    pub const fn pause(&mut self, paused: RungSet) {
        self.paused = paused;
    }

    /// Where a segment begins; before the unit that begins it.
    pub fn boundary(&mut self, boundary: Boundary) {
        let mut switchover = self.switch_over(boundary.lineup);
        // A decoder that is behind needs the newest ones only.
        if self.boundaries.len() >= BOUNDARIES_MAX {
            let oldest = self.boundaries.pop_front();
            let left = oldest.and_then(|begin| begin.switchover);
            match self.boundaries.front_mut() {
                Some(next) if left.is_some() => next.switchover = left,
                _ => switchover = left.or(switchover),
            }
        }
        let paused = self.paused;
        self.set_gate(self.plan.rungs.iter().all(|rung| paused.has(rung.variant)));
        self.boundaries.push_back(Begin { boundary, paused, switchover });
        if !std::mem::replace(&mut self.began, true) {
            for unit in std::mem::take(&mut self.early) {
                self.send(&unit);
            }
        }
    }

    /// The next unit of the source; sound is of no interest.
    pub fn unit(&mut self, unit: &AccessUnit) {
        if unit.track != TrackKind::Video {
            return;
        }
        if self.began {
            self.send(unit);
        } else if self.early.len() < EARLY_UNITS_MAX {
            self.early.push_back(unit.clone());
        }
    }

    fn send(&mut self, unit: &AccessUnit) {
        if self.gate.as_mut().is_some_and(|gate| !gate.passes(unit)) {
            return;
        }
        let room = UNITS_MAX.saturating_sub(self.feed.len());
        let full = room <= self.boundaries.len();
        self.full_since = full.then(|| self.full_since.unwrap_or_else(Instant::now));
        if self.skipping {
            if !unit.sync || UNITS_MAX - room > UNITS_RESUME {
                self.skipped += 1;
                self.tally.skipped();
                return;
            }
            if self.skipped > 0 {
                tracing::info!(skipped = self.skipped, "decoding goes on");
            }
            (self.skipping, self.skipped) = (false, 0);
        }
        if full {
            tracing::warn!("decoding is slower than real time: the ladder has a gap");
            (self.skipping, self.skipped) = (true, 1);
            self.tally.skipped();
            return;
        }
        for begin in self.boundaries.drain(..) {
            let _ = self.feed.try_send(Feed::Begin(begin));
        }
        let (payload, pts) = (unit.payload.clone(), unit.pts);
        // Closed: the decoder has ended, which it told the log.
        let _ = self.feed.try_send(Feed::Unit { payload, pts, arrived: Instant::now() });
    }

    /// What was made next, if it is there.
    pub fn poll(&self) -> Option<Made> {
        self.inlet.poll()
    }

    /// What was decoded since this was last asked.
    pub fn take_decoding(&self) -> DecodingFigures {
        self.tally.take_decoding()
    }

    /// How each rung has stood since this was last asked, by the number of its variant.
    pub fn take_readings(&self) -> impl Iterator<Item = (u8, RenditionReading)> {
        self.tally.take_rungs()
    }

    /// Becomes readable when coded pictures come; see [`Self::heard`]. `None` where only stills are
    /// made: nobody waits for those.
    pub fn wake(&self) -> Option<BorrowedFd<'_>> {
        (!self.plan.rungs.is_empty()).then(|| self.inlet.wake())
    }

    /// The wake-up was heard.
    pub fn heard(&self) {
        self.inlet.heard();
    }

    /// The source has ended or changes: waits for the pictures that are inside, but not for long.
    /// They are then there to be [polled](Self::poll).
    pub async fn flush(&self) {
        let (done, answer) = async_channel::bounded(1);
        if self.feed.try_send(Feed::Flush(done)).is_err() {
            return;
        }
        let flushed = async {
            let _ = answer.recv().await;
        };
        future::or(flushed, after(FLUSH_PATIENCE)).await;
    }
}

/// Ends after `time`, on a shard and on a plain thread alike.
async fn after(time: Duration) {
    let (tell, told): (Sender<()>, Receiver<()>) = async_channel::bounded(1);
    let wait = move || {
        thread::sleep(time);
        drop(tell);
    };
    // Without a thread there is no patience.
    if thread::Builder::new().name("patience".to_owned()).spawn(wait).is_ok() {
        let _ = told.recv().await;
    }
}

const fn lineup(plan: &Plan, rungs: Vec<hls::Rung>) -> Lineup {
    Lineup { source: plan.source, hides_source: plan.hides_source, rungs }
}

fn prepare(
    plan: &Plan,
    track: &VideoTrack,
    outlet: &Outlet,
    tally: &Arc<Tally>,
) -> Result<(Decoding, Vec<hls::Rung>), LadderError> {
    let config = Undecodable::check(&track.codec)?;
    let decoder = H264Decoder::new(config)?;
    let mut rungs = Vec::with_capacity(plan.rungs.len());
    let mut tracks = Vec::with_capacity(plan.rungs.len());
    for planned in &plan.rungs {
        let (rung, made) = make_rung(planned, track, outlet, tally)?;
        rungs.push(rung);
        tracks.push(made);
    }
    let stills = Camera::new(track, outlet.clone());
    let (faults, tally) = (Faults::from_environment(), Arc::clone(tally));
    Ok((Decoding::new(decoder, rungs, stills, faults, tally), tracks))
}

fn make_rung(
    planned: &PlannedRung,
    track: &VideoTrack,
    outlet: &Outlet,
    tally: &Arc<Tally>,
) -> Result<(Rung, hls::Rung), LadderError> {
    let variant = planned.variant;
    let (faults, tally) = (Faults::from_environment(), Arc::clone(tally));
    let (rung, made) = Rung::new(planned, track, outlet.clone(), tally, faults)
        .map_err(|error| LadderError::Rung { variant, error })?;
    tracing::info!(
        variant,
        width = planned.size.width(),
        height = planned.size.height(),
        frames_per_1000_s = planned.frame_rate_millis,
        bits_per_second = planned.bitrate,
        "a rendition is encoded"
    );
    Ok((rung, hls::Rung { variant, track: Arc::new(made) }))
}

/// Those that serve come first. Without the right to do so the kernel shares evenly.
fn lower_priority(niceness: i32) {
    let _ = setpriority_process(None, niceness);
}
