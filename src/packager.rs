//! A publisher's messages to updates for every window: source, sound, ladder and segmenter joined.

mod follow;

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use riverrun_media::access_unit::{AccessUnit, TrackKind, Tracks};
use riverrun_media::arrival::ArrivalPace;
use riverrun_media::health::{CodedPicture, Meter};
use riverrun_media::hls::{Lineup, Placed, Segmenter, SegmenterConfig, Update};
use riverrun_media::ladder::{
    IdleRungs, LadderSetting, RungSet, VariantNumbers, plan, plan_for_rare_keyframes,
};
use riverrun_media::rtmp::Event;
use riverrun_media::source::{Refusal, Source, SourceConfig, SourceEvent};
use riverrun_media::still::Stills;
use riverrun_media::time::{MediaTime, UnixTime};

use self::follow::Former;
use crate::clock;
use crate::health::HealthWriter;
use crate::ladder::{Coded, Ladder, Made};
use crate::pipeline::Pipeline;
use crate::sound::Sound;

/// A unit that is awaited may come so much before the publisher's pace.
const EARLY_MAX: Duration = Duration::from_millis(15);

/// See the module's text.
pub struct Packager {
    source: Source,
    segmenter: Segmenter,
    pipeline: Pipeline,
    /// The setting that the ladder was made by.
    setting: LadderSetting,
    /// Of [`Self::setting`], or of a later one that was refused.
    setting_version: u64,
    numbers: VariantNumbers,
    ladder: Option<Ladder>,
    /// This connection's keyframes are further apart than a segment may be long (PL-4).
    rare_keyframes: bool,
    /// While a change of the ladder is prepared.
    former: Option<Former>,
    /// Rungs that nobody asks for are paused.
    pauses: bool,
    idle: IdleRungs,
    paused: RungSet,
    sound: Sound,
    stills: Option<Stills>,
    steps: VecDeque<Step>,
    meter: Meter,
    arrivals: ArrivalPace,
    health: HealthWriter,
}

/// What goes to the ladder and the segmenter, in order.
enum Step {
    Begin { tracks: Tracks, start: MediaTime, date: UnixTime },
    Unit(AccessUnit),
}

impl Packager {
    /// Nothing has come yet.
    pub fn new(config: SegmenterConfig, pipeline: Pipeline, health: HealthWriter) -> Self {
        let (setting, setting_version) = pipeline.ladder.current();
        Self {
            source: Source::new(SourceConfig::default()),
            segmenter: Segmenter::new(config),
            idle: IdleRungs::new(pipeline.idle.after),
            sound: Sound::new(pipeline.sound),
            pipeline,
            setting,
            setting_version,
            numbers: VariantNumbers::default(),
            ladder: None,
            rare_keyframes: false,
            former: None,
            pauses: false,
            paused: RungSet::default(),
            stills: None,
            steps: VecDeque::new(),
            meter: Meter::default(),
            arrivals: ArrivalPace::default(),
            health,
        }
    }

    /// A new connection continues the broadcast (RC-3). Its encoder may have been set right.
    pub fn reconnect(&mut self, now: Instant) {
        self.rare_keyframes = false;
        self.source.reconnect(now);
    }

    /// Takes what the publisher sent; gives back what is not media. A refusal ends the publish.
    pub fn hear(&mut self, now: Instant, event: Event) -> Result<Option<Event>, Refusal> {
        match event {
            Event::Video { timestamp, payload } => {
                self.source.handle_video(now, timestamp, &payload)?;
            }
            Event::Audio { timestamp, payload } => {
                self.source.handle_audio(now, timestamp, &payload)?;
            }
            Event::Metadata(value) => self.source.handle_metadata(now, (&value).into()),
            Event::PublishRequested(_) | Event::Unpublished => return Ok(Some(event)),
        }
        Ok(None)
    }

    /// When [`Self::timeout`] wants to run.
    pub fn deadline(&self) -> Option<Instant> {
        self.source.deadline()
    }

    /// Track discovery ends by the wall clock (CMD-10).
    pub fn timeout(&mut self, now: Instant) {
        self.source.handle_timeout(now);
    }

    /// Begins with tracks that are known already: the demo's way in.
    pub fn start(&mut self, tracks: Tracks, start: MediaTime, date: UnixTime) {
        self.steps.push_back(Step::Begin { tracks, start, date });
    }

    /// A finished access unit: the demo's way in.
    pub fn unit(&mut self, unit: AccessUnit) {
        self.steps.push_back(Step::Unit(unit));
    }

    /// What came, and what the encoders have made since, becomes updates.
    pub async fn segment(&mut self) {
        let now = Instant::now();
        self.measure(now);
        self.follow_setting();
        while let Some(event) = self.source.poll_event() {
            match event {
                SourceEvent::Tracks { tracks, start, arrived } => {
                    self.start(tracks, start, clock::date_at(arrived));
                }
                SourceEvent::Unit(unit) => self.unit(unit),
                SourceEvent::Notice(notice) => tracing::warn!(%notice, "about this source"),
            }
        }
        let mut units = Vec::new();
        while let Some(step) = self.steps.pop_front() {
            match step {
                Step::Begin { tracks, start, date } => self.begin(tracks, start, date).await,
                Step::Unit(unit) => {
                    self.meter.unit(now, &unit);
                    self.arrivals.observe(now, unit.dts);
                    self.sound.push(unit, &mut units);
                    units.drain(..).for_each(|unit| self.push(unit));
                }
            }
        }
        self.collect();
        if let Some(ladder) = self.ladder.as_mut().filter(|ladder| ladder.is_lost()) {
            ladder.remake().await;
        }
    }

    /// Puts down the figures of each second that is over.
    fn measure(&mut self, now: Instant) {
        let due = self.meter.is_due(now);
        self.pause_idle(now, due);
        if !due {
            return;
        }
        self.read_ladder();
        while let Some(second) = self.meter.close(now) {
            self.health.write(second);
        }
    }

    /// What the ladder has counted.
    fn read_ladder(&mut self) {
        if let Some(ladder) = &self.ladder {
            self.meter.decoded(&ladder.take_decoding());
            ladder.take_readings().for_each(|(variant, read)| self.meter.read(variant, read));
        }
    }

    /// Another timeline, and a ladder for its pictures. What the one before still holds is waited
    /// for.
    async fn begin(&mut self, tracks: Tracks, start: MediaTime, date: UnixTime) {
        self.finish_timeline().await;
        self.meter.begin_timeline();
        self.arrivals = ArrivalPace::default();
        let tracks = self.sound.tracks(tracks);
        let mut lineup = Lineup::default();
        if let Some(track) = &tracks.video {
            let (setting, version) = self.pipeline.ladder.current();
            if setting != self.setting {
                self.numbers = VariantNumbers::default();
            }
            (self.setting, self.setting_version) = (setting, version);
            let cores = self.pipeline.ladder.cores();
            let for_rare = plan_for_rare_keyframes(&self.setting, track, cores);
            let may_turn = for_rare.is_some();
            let for_rare = for_rare.filter(|_| self.rare_keyframes);
            let mut plan = for_rare.unwrap_or_else(|| plan(&self.setting, track, cores));
            self.numbers.number(&mut plan);
            (lineup, self.ladder) = Ladder::start(plan, track, self.pipeline.cores, may_turn).await;
            self.decide_pauses();
            if let Some(ladder) = &mut self.ladder {
                ladder.pause(self.paused);
            }
        }
        self.pipeline.ladder.on_air(tracks.video.clone());
        self.segmenter.start_with(tracks, lineup, start, date);
    }

    fn push(&mut self, unit: AccessUnit) {
        let Some(ladder) = &mut self.ladder else { return self.segmenter.push(unit) };
        if unit.track != TrackKind::Video {
            return self.segmenter.push(unit);
        }
        self.segmenter.push(unit.clone());
        while let Some(boundary) = self.segmenter.poll_boundary() {
            ladder.boundary(boundary);
        }
        ladder.unit(&unit);
    }

    /// Places the pictures that have been encoded.
    fn collect(&mut self) {
        let Some(ladder) = &self.ladder else { return };
        while let Some(made) = ladder.poll() {
            let coded = match made {
                Made::Coded(coded) => coded,
                Made::Stills(stills) => {
                    self.stills = Some(stills);
                    continue;
                }
            };
            let Coded { variant, timeline, pts, sync, payload, arrived, encode_time } = coded;
            let (bytes, lag) = (payload.len(), arrived.elapsed());
            let unit = AccessUnit { track: TrackKind::Video, dts: pts, pts, sync, payload };
            let late = self.segmenter.push_rung(timeline, variant, unit) == Placed::Dropped;
            if late {
                tracing::debug!(variant, ?lag, "an encoded picture came too late");
            }
            self.meter.coded(variant, &CodedPicture { pts, bytes, encode_time, lag, late });
        }
    }

    /// The publisher has gone: whole pictures are published, the open segment is closed (F1).
    pub async fn interrupt(&mut self) {
        self.source.end_of_input();
        self.segment().await;
        self.finish_timeline().await;
        self.segmenter.interrupt();
    }

    /// The broadcast is over: playlists get their ENDLIST.
    pub async fn end(&mut self) {
        self.finish_timeline().await;
        self.segmenter.end();
        self.health.end(&self.meter.rest());
    }

    /// What is still inside the codecs.
    async fn finish_timeline(&mut self) {
        let mut rest = Vec::new();
        self.sound.finish(&mut rest);
        rest.into_iter().for_each(|unit| self.push(unit));
        if let Some(ladder) = &self.ladder {
            ladder.flush().await;
        }
        self.collect();
        self.read_ladder();
        (self.ladder, self.former) = (None, None);
        self.pipeline.ladder.on_air(None);
    }

    /// The next update for every window, oldest first.
    pub fn poll_update(&mut self) -> Option<Update> {
        self.segmenter.poll_update()
    }

    /// The newest stills, once.
    pub const fn take_stills(&mut self) -> Option<Stills> {
        self.stills.take()
    }

    /// A number that no segment has used.
    pub fn next_msn(&self) -> u64 {
        self.segmenter.next_msn()
    }

    /// Until when nothing will come that a viewer waits for, if the publisher keeps its pace.
    pub fn quiet_until(&self) -> Option<Instant> {
        self.arrivals.expected(self.segmenter.next_due()?)?.checked_sub(EARLY_MAX)
    }

    /// Becomes readable when the ladder has made something.
    pub fn wake(&self) -> Option<BorrowedFd<'_>> {
        self.ladder.as_ref().and_then(Ladder::wake)
    }

    /// The wake-up was heard.
    pub fn heard(&self) {
        if let Some(ladder) = &self.ladder {
            ladder.heard();
        }
    }
}

#[cfg(test)]
mod tests;
