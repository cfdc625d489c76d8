//! Access units into [`Update`]s: parts, segments and their places in the playlists.
//!
//! One segmenter lives as long as the server. A broadcast runs from the first [`Segmenter::start`]
//! to [`Segmenter::end`]; further starts within it are discontinuities. Media sequence numbers go
//! on from broadcast to broadcast and, through [`SegmenterConfig`], from process to process (PL-6).
//!
//! Each method only queues updates; take them with [`Segmenter::poll_update`].

mod change;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use super::alignment::{Alignment, TimelineBreak, TrackWriter, TrackWriters};
use super::frame_rate::FrameRateProbe;
use super::limits::SKEW_MAX;
use super::lineup::{Boundary, Lineup};
use super::names::RenditionId;
use super::part_target::{UnitDuration, part_target};
use super::rendition_writer::{Anchor, Continuation, RenditionWriter};
use super::rungs::Placed;
use super::track_shape::TrackShape;
use super::update::{InitSection, Presentation, Rendition, Timeline, Update};
use crate::access_unit::{AccessUnit, Tracks};
use crate::time::{MediaTime, UnixTime};

/// What an operator may choose, and the numbers a process continues from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SegmenterConfig {
    /// Aim for a segment's duration, 1 to 10 s; the default is 2 s. TARGETDURATION is one and a
    /// half times this, rounded up to whole seconds: segments may follow the source's keyframes up
    /// to there. Shorter means less delay for players without low latency, and more requests.
    pub segment_target: MediaTime,
    /// Aim for a part's duration; the default is 334 ms. Shorter means less delay and more
    /// requests; players skip over parts much below 300 ms.
    pub part_target: MediaTime,
    /// Number of the first segment; at least 1 (PL-6).
    pub first_msn: u64,
    /// EXT-X-DISCONTINUITY-SEQUENCE of the first playlist.
    pub first_discontinuity_sequence: u64,
}

impl Default for SegmenterConfig {
    fn default() -> Self {
        Self {
            segment_target: MediaTime::from_millis(2_000),
            part_target: MediaTime::from_millis(334),
            first_msn: 1,
            first_discontinuity_sequence: 0,
        }
    }
}

impl SegmenterConfig {
    /// TARGETDURATION in whole seconds, fixed for the life of a playlist (PL-3). The margin over
    /// the target lets segments follow a source whose keyframes do not divide the target; a longer
    /// interval is cut between keyframes (PL-4).
    pub fn target_duration(&self) -> u32 {
        let millis = u64::try_from(self.segment_target.millis()).unwrap_or(0);
        u32::try_from((millis * 3).div_ceil(2_000)).unwrap_or(u32::MAX).max(1)
    }
}

/// Of the first fragment of a rendition.
const FIRST_SEQUENCE_NUMBER: u32 = 1;

/// Dates of sound beside pictures are this much early, which nobody hears: they only map media to
/// the clock. hls.js moves the sound's playlist by the difference of dates, which are whole
/// milliseconds; moved to a later time than its media, it never finds the next segment in what is
/// buffered and stands still until that segment is whole.
const DATE_MARGIN: MediaTime = MediaTime::from_millis(-2);

/// Cuts the units of a publisher into parts and segments.
#[derive(Debug)]
pub struct Segmenter {
    config: SegmenterConfig,
    input: Input,
    broadcast: Option<Broadcast>,
    next_msn: u64,
    next_discontinuity_sequence: u64,
    /// Count of timelines before this one.
    timeline: u64,
    /// Count of changes of the lineup.
    lineup: u64,
    updates: VecDeque<Update>,
}

/// What comes in at the moment.
#[derive(Debug)]
enum Input {
    /// No publisher.
    None,
    /// The frame rate is being measured before the broadcast is announced.
    Probing { offer: Offer, anchor: Anchor, probe: FrameRateProbe },
    /// A timeline is being written.
    Running { offer: Offer, anchor: Anchor, alignment: Box<Alignment> },
}

/// What a timeline is made of.
#[derive(Clone, Debug)]
struct Offer {
    tracks: Tracks,
    lineup: Lineup,
}

#[derive(Debug)]
struct Broadcast {
    presentation: Arc<Presentation>,
    /// Per rendition, the last init section and the number of the next fragment (CM-5).
    written: BTreeMap<RenditionId, (Arc<InitSection>, u32)>,
}

impl Segmenter {
    /// Nothing is announced until the first [`Self::start`].
    pub fn new(config: SegmenterConfig) -> Self {
        Self {
            config,
            input: Input::None,
            broadcast: None,
            next_msn: config.first_msn.max(1),
            next_discontinuity_sequence: config.first_discontinuity_sequence,
            timeline: 0,
            lineup: 0,
            updates: VecDeque::new(),
        }
    }

    /// A timeline begins: the first of a broadcast, or the one after a discontinuity. `start` is
    /// the output time of its first unit and `date` the wall clock of that moment: the one anchor
    /// of all PROGRAM-DATE-TIMEs in this timeline (TS-9, PL-16).
    pub fn start(&mut self, tracks: Tracks, start: MediaTime, date: UnixTime) {
        self.start_with(tracks, Lineup::default(), start, date);
    }

    /// The same with encoded renditions beside the source, or instead of it. Without pictures there
    /// are none.
    pub fn start_with(&mut self, tracks: Tracks, lineup: Lineup, start: MediaTime, date: UnixTime) {
        self.finish_timeline();
        let anchor = Anchor { start, date };
        let unknown_rate = tracks.video.as_ref().is_some_and(|v| v.frame_rate_millis.is_none());
        let offer = Offer { tracks, lineup };
        if unknown_rate {
            let probe = FrameRateProbe::default();
            self.input = Input::Probing { offer, anchor, probe };
        } else {
            self.begin_timeline(offer, anchor);
        }
    }

    /// Takes the next unit of the timeline. Units of one track come in decode order; the tracks may
    /// interleave loosely (TS-8). Ignored before [`Self::start`].
    pub fn push(&mut self, unit: AccessUnit) {
        match &mut self.input {
            Input::None => {}
            Input::Probing { probe, .. } => {
                probe.push(unit);
                if probe.is_done() {
                    self.finish_probe();
                }
            }
            Input::Running { alignment, .. } => {
                if let Err(TimelineBreak(unit)) = alignment.push(unit, &mut self.updates) {
                    self.restart_timeline(unit);
                }
            }
        }
    }

    /// Takes the next encoded picture of a variant, in the order of their times. `timeline` is that
    /// of the [`Boundary`] before it.
    pub fn push_rung(&mut self, timeline: u64, variant: u8, unit: AccessUnit) -> Placed {
        match &mut self.input {
            Input::Running { alignment, .. } if timeline == self.timeline => {
                alignment.push_rung(variant, unit, &mut self.updates)
            }
            Input::Running { .. } | Input::None | Input::Probing { .. } => Placed::Dropped,
        }
    }

    /// The next time at which the rungs' encoders start anew, each known before the source's unit
    /// that was pushed last is decoded.
    pub fn poll_boundary(&mut self) -> Option<Boundary> {
        let Input::Running { alignment, .. } = &mut self.input else { return None };
        alignment.poll_boundary()
    }

    /// The publisher is gone: writes the units held, closes part and segment (F1). The broadcast
    /// goes on with the next [`Self::start`].
    pub fn interrupt(&mut self) {
        self.finish_timeline();
        if self.broadcast.is_some() {
            self.updates.push_back(Update::Interrupted);
        }
    }

    /// The broadcast is over. The next [`Self::start`] begins another one.
    pub fn end(&mut self) {
        self.finish_timeline();
        if self.broadcast.take().is_some() {
            self.updates.push_back(Update::End);
            self.next_discontinuity_sequence += 1;
        }
    }

    /// The next update for every window, oldest first.
    pub fn poll_update(&mut self) -> Option<Update> {
        self.updates.pop_front()
    }

    /// Decode time of the first unit that can complete a part or a segment: those before it need
    /// not be pushed at once. `None` when any may.
    pub fn next_due(&self) -> Option<MediaTime> {
        let Input::Running { alignment, .. } = &self.input else { return None };
        alignment.next_due()
    }

    /// The source's keyframes are further apart than a segment may be long, since the timeline
    /// began (PL-4).
    pub fn keyframes_too_rare(&self) -> bool {
        matches!(&self.input, Input::Running { alignment, .. } if alignment.keyframes_too_rare())
    }

    /// A number that no segment has used, for [`SegmenterConfig::first_msn`] of the next process.
    pub fn next_msn(&self) -> u64 {
        let open = match &self.input {
            Input::Running { alignment, .. } => alignment.writers().map(|w| w.msn() + 1).max(),
            Input::None | Input::Probing { .. } => None,
        };
        open.unwrap_or(self.next_msn).max(self.next_msn)
    }

    /// A number above that of every timeline so far, for
    /// [`SegmenterConfig::first_discontinuity_sequence`] of the next process.
    pub const fn next_discontinuity_sequence(&self) -> u64 {
        self.next_discontinuity_sequence + 1
    }

    fn begin_timeline(&mut self, offer: Offer, anchor: Anchor) {
        let Offer { tracks, lineup } = &offer;
        let presentation = match &self.broadcast {
            Some(broadcast) => broadcast.presentation.clone(),
            None => self.begin_broadcast(tracks),
        };
        let Some(broadcast) = &mut self.broadcast else { return };
        let limit = presentation.longest_segment();
        let msn = self.next_msn;
        let discontinuity = msn > presentation.first_msn;
        let mut renditions = Vec::with_capacity(2 + lineup.rungs.len());
        let mut write = |shape: TrackShape, anchor: Anchor| {
            let (rendition, writer) = broadcast.open(shape, anchor, msn, discontinuity);
            renditions.extend(rendition);
            writer
        };
        let video = tracks.video.as_deref();
        let leader = video.map(|track| write(TrackShape::of_source(lineup, track), anchor));
        let mut rungs = Vec::with_capacity(lineup.rungs.len());
        for rung in lineup.rungs.iter().filter(|_| leader.is_some()) {
            let shape = TrackShape::of_rung(rung.variant, &rung.track);
            rungs.push((rung.variant, write(shape, anchor)));
        }
        let early = Anchor { date: anchor.date.plus(DATE_MARGIN), ..anchor };
        let sound_anchor = if leader.is_some() { early } else { anchor };
        let sound = tracks.audio.as_deref();
        let sound = sound.map(|track| write(TrackShape::of_audio(track), sound_anchor));
        let tracks = match (leader, sound) {
            (Some(leader), follower) => TrackWriters { leader, follower, rungs },
            (None, Some(leader)) => TrackWriters { leader, follower: None, rungs },
            (None, None) => return,
        };
        let target = self.config.segment_target;
        self.timeline += 1;
        let first = Boundary { timeline: self.timeline, start: anchor.start, lineup: self.lineup };
        let alignment = Alignment::new(target, limit, !discontinuity, first, tracks);
        let timeline = Timeline { first_msn: msn, renditions };
        self.updates.push_back(Update::Timeline(Arc::new(timeline)));
        self.input = Input::Running { offer, anchor, alignment: Box::new(alignment) };
    }

    fn begin_broadcast(&mut self, tracks: &Tracks) -> Arc<Presentation> {
        let target_duration = self.config.target_duration();
        let limit = MediaTime::from_millis(i64::from(target_duration) * 1_000);
        let video = tracks.video.as_ref().and_then(|v| v.frame_rate_millis);
        let audio = tracks
            .audio
            .as_ref()
            .map(|a| UnitDuration::of_audio(a.samples_per_unit, a.sample_rate));
        let units: Vec<_> = video.map(UnitDuration::of_video).into_iter().chain(audio).collect();
        let presentation = Arc::new(Presentation {
            target_duration,
            part_target: part_target(self.config.part_target, limit, &units),
            first_msn: self.next_msn,
            discontinuity_sequence: self.next_discontinuity_sequence,
        });
        self.updates.push_back(Update::Start(presentation.clone()));
        self.broadcast =
            Some(Broadcast { presentation: presentation.clone(), written: BTreeMap::new() });
        presentation
    }

    fn finish_timeline(&mut self) {
        self.finish_probe();
        let _ = self.close_timeline(None);
    }

    /// Closes the running timeline; see [`Alignment::finish`] for `carry_from`.
    fn close_timeline(&mut self, carry_from: Option<MediaTime>) -> Vec<AccessUnit> {
        let Input::Running { mut alignment, .. } = std::mem::replace(&mut self.input, Input::None)
        else {
            return Vec::new();
        };
        let carried = alignment.finish(carry_from, &mut self.updates);
        let Some(broadcast) = &mut self.broadcast else { return carried };
        for writer in alignment.writers() {
            let written = writer.id().and_then(|id| broadcast.written.get_mut(&id));
            if let Some((_, sequence_number)) = written {
                *sequence_number = writer.sequence_number();
            }
        }
        let next_msn = alignment.writers().map(RenditionWriter::msn).max().unwrap_or(self.next_msn);
        if next_msn > self.next_msn && self.next_msn > broadcast.presentation.first_msn {
            self.next_discontinuity_sequence += 1;
        }
        self.next_msn = next_msn;
        carried
    }

    /// The times jumped: the same tracks and the same clock go on after a discontinuity (TS-4).
    fn restart_timeline(&mut self, unit: AccessUnit) {
        let Input::Running { offer, anchor, .. } = &self.input else { return };
        let (offer, anchor) = (offer.clone(), *anchor);
        let carried = self.close_timeline(Some(unit.pts.minus(SKEW_MAX)));
        self.begin_timeline(offer, anchor);
        if let Input::Running { alignment, .. } = &mut self.input {
            for unit in carried.into_iter().chain([unit]) {
                // A fresh timeline has no time to jump from.
                let _ = alignment.push(unit, &mut self.updates);
            }
        }
    }

    fn finish_probe(&mut self) {
        match std::mem::replace(&mut self.input, Input::None) {
            Input::Probing { mut offer, anchor, probe } => {
                let video = &mut offer.tracks.video;
                if let (Some(video), Some(rate)) = (video, probe.frame_rate_millis()) {
                    Arc::make_mut(video).frame_rate_millis = Some(rate);
                }
                self.begin_timeline(offer, anchor);
                for unit in probe.into_units() {
                    self.push(unit);
                }
            }
            other => self.input = other,
        }
    }
}

impl Broadcast {
    /// A rendition, if the track is listed, and what writes it from segment `msn` on.
    fn open(
        &mut self,
        shape: TrackShape,
        anchor: Anchor,
        msn: u64,
        discontinuity: bool,
    ) -> (Option<Rendition>, TrackWriter) {
        let TrackShape { id, offered, kind, timescale, unit_duration, .. } = shape;
        let TrackShape { codec, is_source, bitrate, media, init: bytes, .. } = shape;
        let mut sequence_number = FIRST_SEQUENCE_NUMBER;
        let rendition = id.map(|id| {
            let init;
            (init, sequence_number) = self.init_section(id, msn, bytes);
            Rendition { id, offered, codec, is_source, bitrate, media, init }
        });
        let from = Continuation { msn, sequence_number, discontinuity };
        let part_target = self.presentation.part_target;
        let limit = self.presentation.longest_segment();
        let writer = RenditionWriter::new(id, kind, timescale, anchor, part_target, limit, from);
        (rendition, TrackWriter { kind, writer, unit_duration })
    }

    /// The init section for segments from `msn` on: the last one again if its bytes are the same.
    fn init_section(&mut self, id: RenditionId, msn: u64, bytes: Bytes) -> (Arc<InitSection>, u32) {
        let fresh = |bytes| Arc::new(InitSection { msn, bytes });
        match self.written.get_mut(&id) {
            Some((init, sequence_number)) => {
                if init.bytes != bytes {
                    *init = fresh(bytes);
                }
                (init.clone(), *sequence_number)
            }
            None => {
                let init = fresh(bytes);
                self.written.insert(id, (init.clone(), FIRST_SEQUENCE_NUMBER));
                (init, FIRST_SEQUENCE_NUMBER)
            }
        }
    }
}
