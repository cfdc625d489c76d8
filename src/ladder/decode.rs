//! The source's pictures, decoded once, to every rung and to the camera: which rung takes which
//! picture, and what is done about an encoder that is late, hangs or fails (F6, F7).

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use bytes::Bytes;
use riverrun_media::codec::{DecodedPicture, H264Decoder};
use riverrun_media::scale::{Cascade, Made, PicturePool};
use riverrun_media::time::MediaTime;

use super::camera::Camera;
use super::faults::Faults;
use super::rung::Rung;
use super::tally::Tally;
use super::{Begin, DECODER_NICENESS, Switchover, lower_priority};

/// Units that were handed to the decoder and whose pictures have not come out: as many as a stream
/// may reorder (H.264 §A.3.1), and some that gave no picture.
const ARRIVALS_MAX: usize = 64;
/// Pictures of one size in use: those that may wait for the encoders, and those in work.
const PICTURES_MAX: usize = 12;
/// Complaints about a damaged stream come no closer than this.
const COMPLAINT_INTERVAL: Duration = Duration::from_secs(10);

/// What the decoder thread hears, in order.
pub(super) enum Feed {
    /// A segment begins with the first picture not presented before this; its unit is the next.
    Begin(Begin),
    /// A unit of the source.
    Unit {
        /// NAL units with lengths.
        payload: Bytes,
        pts: MediaTime,
        arrived: Instant,
    },
    /// The source ends: everything goes through, then the answer comes.
    Flush(Sender<()>),
}

/// What lives on the decoder's thread.
pub(super) struct Decoding {
    decoder: H264Decoder,
    switch: Switch,
    faults: Faults,
    complained: Option<Instant>,
}

impl Decoding {
    /// For these rungs.
    pub(super) fn new(
        decoder: H264Decoder,
        rungs: Vec<Rung>,
        camera: Camera,
        faults: Faults,
        tally: Arc<Tally>,
    ) -> Self {
        let sizes: Vec<_> = rungs.iter().map(Rung::size).collect();
        let switch = Switch {
            camera,
            cascade: Cascade::new(&sizes, PICTURES_MAX),
            copies: PicturePool::new(decoder.size(), PICTURES_MAX),
            wanted: vec![None; rungs.len()],
            rungs,
            begins: VecDeque::new(),
            timeline: None,
            arrivals: VecDeque::with_capacity(ARRIVALS_MAX),
            tally,
            shown: Duration::ZERO,
        };
        Self { decoder, switch, faults, complained: None }
    }

    /// Runs until nobody feeds it. A panic ends this ladder; the broadcast makes another.
    pub(super) fn run(mut self, feed: &Receiver<Feed>) {
        lower_priority(DECODER_NICENESS);
        while let Ok(heard) = feed.recv_blocking() {
            let decoding = AssertUnwindSafe(|| self.hear(heard));
            if catch_unwind(decoding).is_err() {
                tracing::error!("the decoder panicked: the ladder has a gap until it is made anew");
                return;
            }
        }
    }

    fn hear(&mut self, heard: Feed) {
        let Self { decoder, switch, faults, .. } = self;
        match heard {
            Feed::Begin(begin) => {
                let timeline = begin.boundary.timeline;
                if switch.newest_timeline().is_some_and(|newest| newest != timeline) {
                    // Its times may be anything: what is inside belongs to the timeline before.
                    decoder.drain(&mut |picture| switch.show(picture));
                }
                switch.begins.push_back(begin);
            }
            Feed::Unit { payload, pts, arrived } => {
                switch.note_arrival(pts, arrived);
                faults.strike("decode");
                let begun = Instant::now();
                switch.shown = Duration::ZERO;
                let decoded = decoder.decode(&payload, pts, &mut |picture| switch.show(picture));
                switch.tally.decode_time(begun.elapsed().saturating_sub(switch.shown));
                if let Err(error) = decoded {
                    self.complain(&error);
                }
            }
            Feed::Flush(done) => {
                decoder.drain(&mut |picture| switch.show(picture));
                switch.flush();
                let _ = done.try_send(());
            }
        }
    }

    fn complain(&mut self, error: &dyn std::error::Error) {
        let now = Instant::now();
        if self.complained.is_none_or(|at| now.duration_since(at) >= COMPLAINT_INTERVAL) {
            self.complained = Some(now);
            tracing::warn!(%error, "a picture of the source is damaged: the ladder waits for the \
                                    next keyframe");
        }
    }
}

/// Hands pictures to the rungs.
struct Switch {
    camera: Camera,
    rungs: Vec<Rung>,
    cascade: Cascade,
    /// For rungs of the source's own size: the decoder's memory is gone with its next unit.
    copies: PicturePool,
    /// The time that each rung gives the picture at hand, if it takes it.
    wanted: Vec<Option<MediaTime>>,
    /// Starts of segments that no picture has reached.
    begins: VecDeque<Begin>,
    /// Of the boundary reached last.
    timeline: Option<u64>,
    arrivals: VecDeque<(MediaTime, Instant)>,
    tally: Arc<Tally>,
    /// Time spent here inside the running call into the decoder.
    shown: Duration,
}

impl Switch {
    fn newest_timeline(&self) -> Option<u64> {
        self.begins.back().map(|begin| begin.boundary.timeline).or(self.timeline)
    }

    fn note_arrival(&mut self, pts: MediaTime, arrived: Instant) {
        if self.arrivals.len() >= ARRIVALS_MAX {
            self.arrivals.pop_front();
        }
        self.arrivals.push_back((pts, arrived));
    }

    fn arrival(&mut self, pts: MediaTime) -> Option<Instant> {
        let index = self.arrivals.iter().position(|(at, _)| *at == pts)?;
        self.arrivals.remove(index).map(|(_, arrived)| arrived)
    }

    fn show(&mut self, decoded: DecodedPicture<'_>) {
        let now = Instant::now();
        self.tally.decoded();
        self.distribute(now, decoded);
        self.shown += now.elapsed();
    }

    fn distribute(&mut self, now: Instant, decoded: DecodedPicture<'_>) {
        let pts = decoded.pts;
        self.camera.see(decoded);
        let arrived = self.arrival(pts).unwrap_or(now);
        while self.begins.front().is_some_and(|begin| begin.boundary.start <= pts) {
            let Some(Begin { boundary, paused, switchover }) = self.begins.pop_front() else {
                break;
            };
            if let Some(switchover) = switchover {
                self.switch_over(*switchover);
            }
            if self.timeline.replace(boundary.timeline) != Some(boundary.timeline) {
                self.rungs.iter_mut().for_each(Rung::begin_timeline);
            }
            for rung in &mut self.rungs {
                rung.begin_segment(now, paused.has(rung.variant()));
            }
        }
        let Some(timeline) = self.timeline else { return };
        if self.rungs.is_empty() {
            return;
        }
        let Self { rungs, cascade, copies, wanted, tally, .. } = self;
        for (rung, wanted) in rungs.iter_mut().zip(wanted.iter_mut()) {
            rung.watch(now);
            *wanted = rung.take(pts);
        }
        let time = |rung: usize| wanted.get(rung).copied().flatten();
        let wants = |rung: usize| time(rung).is_some();
        let begun = Instant::now();
        cascade.make(decoded.picture, wants, |index, made| {
            let picture = match made {
                Made::Scaled(picture) => Some(picture),
                Made::Source => copies.draw(|copy| copy.copy_from(decoded.picture)),
                Made::Behind => None,
            };
            let Some((rung, time)) = rungs.get_mut(index).zip(time(index)) else { return };
            match picture {
                Some(picture) => rung.encode(picture, timeline, time, arrived),
                None => rung.miss(),
            }
        });
        tally.scale_time(begun.elapsed());
    }

    /// Other rungs from the next picture on. Those that leave still encode what they have.
    fn switch_over(&mut self, switchover: Switchover) {
        let Switchover { variants, mut new } = switchover;
        let mut former = std::mem::take(&mut self.rungs);
        for variant in variants {
            for rungs in [&mut new, &mut former] {
                if let Some(index) = rungs.iter().position(|rung| rung.variant() == variant) {
                    self.rungs.push(rungs.swap_remove(index));
                    break;
                }
            }
        }
        former.into_iter().for_each(Rung::finish);
        let sizes: Vec<_> = self.rungs.iter().map(Rung::size).collect();
        self.cascade = Cascade::new(&sizes, PICTURES_MAX);
        self.wanted = vec![None; sizes.len()];
    }

    fn flush(&self) {
        for rung in &self.rungs {
            rung.flush();
        }
    }
}
