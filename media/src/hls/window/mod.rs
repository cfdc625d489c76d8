//! What is on offer, on one shard: applies [`Update`]s, answers requests (F38).
//!
//! Single-threaded, without I/O: an answer is ready, or the shell waits until [`Window::reached`]
//! says so and asks again. Rendering happens once per state and view, not per request (LL-13).

mod bandwidth;
mod body;
mod offer;
mod rendition;
mod retention;
mod segment;

use std::sync::Arc;
use std::time::Instant;

pub use self::body::MediaBody;
pub(super) use self::segment::Segment;

use self::rendition::RenditionWindow;
use self::retention::Retention;
use super::names::{MediaName, RenditionId};
use super::playlist::media::{MediaPlaylist, View};
use super::playlist::multivariant::{self, Offer};
use super::playlist::{DirectiveError, Directives, Snapshot};
use super::reload::{Reload, WaitFor};
use super::update::{Presentation, Rendition, Timeline, Update};
use crate::time::MediaTime;

/// How much stays on offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WindowConfig {
    /// How far viewers can go back; the default is 60 s. Costs memory once per process: bit rate
    /// times twice this, because what leaves the playlist stays fetchable as long again (PL-12).
    pub rewind: MediaTime,
}

impl Default for WindowConfig {
    fn default() -> Self {
        Self { rewind: MediaTime::from_millis(60_000) }
    }
}

/// The playlists and media of the current broadcast, and of the last one after its end. A clone
/// shares the media; it is how a shard that starts late learns what the others offer (F37).
#[derive(Clone, Debug)]
pub struct Window {
    config: WindowConfig,
    state: BroadcastState,
    presentation: Option<Arc<Presentation>>,
    /// Video first.
    renditions: Vec<RenditionWindow>,
    retention: Retention,
    /// The multivariant playlist with parts and without.
    multivariants: [Option<Snapshot>; 2],
    keyframe_interval: Option<MediaTime>,
}

/// Where a broadcast stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BroadcastState {
    /// There was none yet.
    Idle,
    /// The publisher sends.
    Live,
    /// The publisher is gone and may come back (F1).
    Interrupted,
    /// Over; what was listed can still be watched.
    Ended,
}

/// The answer to a request for a playlist.
#[derive(Clone, Debug)]
pub enum Answer {
    /// 200.
    Ready(Snapshot),
    /// Ask again when [`Window::reached`]; 503 after three target durations, 404 if nothing was
    /// ever listed.
    Wait(WaitFor),
    /// 404: no broadcast, or no such rendition.
    NotFound,
    /// 400.
    BadRequest(DirectiveError),
}

/// The answer to a request for media.
#[derive(Clone, Debug)]
pub enum MediaAnswer {
    /// 200.
    Ready(MediaBody),
    /// The hinted part (LL-11), or the open segment: ask again when [`Window::reached`].
    Wait(WaitFor),
    /// 404: never listed, or gone.
    NotFound,
}

/// A rendition as the status page shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RenditionStatus {
    /// Its name.
    pub id: RenditionId,
    /// CODECS value.
    pub codec: String,
    /// Mean bits per second since the start of the broadcast; 0 before the first segment.
    pub bitrate: u64,
    /// Media sequence number of the first listed segment; of the next one if none is listed.
    pub first_msn: u64,
    /// Complete segments listed.
    pub segments: usize,
    /// Media listed in complete segments.
    pub duration: MediaTime,
    /// Media listed, in bytes.
    pub bytes: u64,
}

impl Window {
    /// Empty until the first update.
    pub fn new(config: WindowConfig) -> Self {
        Self {
            config,
            state: BroadcastState::Idle,
            presentation: None,
            renditions: Vec::new(),
            retention: Retention::default(),
            multivariants: [None, None],
            keyframe_interval: None,
        }
    }

    /// Takes the next update. Waits may have been reached after it.
    pub fn apply(&mut self, now: Instant, update: Update) {
        self.multivariants = [None, None];
        match update {
            Update::Start(presentation) => self.start(now, presentation),
            Update::Timeline(timeline) => self.begin_timeline(now, &timeline),
            Update::SegmentStart(begin) => {
                if let Some(rendition) = self.rendition_mut(begin.rendition) {
                    rendition.begin_segment(&begin);
                }
            }
            Update::Part(part) => {
                if let Some(rendition) = self.rendition_mut(part.rendition) {
                    rendition.add_part(part);
                }
            }
            Update::SegmentEnd(end) => {
                let target_duration = self.presentation.as_ref().map_or(1, |p| p.target_duration);
                if let Some(rendition) = self.rendition_mut(end.rendition) {
                    rendition.end_segment(&end, target_duration);
                }
                self.remove_old(now);
            }
            Update::Change(change) => self.change(now, &change),
            Update::RenditionEnd(id) => {
                if let Some(rendition) = self.rendition_mut(id) {
                    rendition.end();
                }
            }
            Update::KeyframesTooRare { interval } => self.keyframe_interval = Some(interval),
            Update::Interrupted => self.state = BroadcastState::Interrupted,
            Update::End => {
                self.state = BroadcastState::Ended;
                self.renditions.iter_mut().for_each(RenditionWindow::end);
            }
        }
    }

    /// Drops removed segments whose time has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.retention.expire(now);
    }

    /// When to call [`Self::handle_timeout`] next.
    pub fn deadline(&self) -> Option<Instant> {
        self.retention.deadline()
    }

    /// The multivariant playlist. Of the directives only `ll=0` matters; it goes on to the
    /// children.
    pub fn multivariant(&mut self, directives: &Directives) -> Answer {
        let view = View { plain: directives.plain, delta: false };
        let current = self.renditions.iter().filter(|r| !r.ended);
        let Some(leader) = current.clone().next().or_else(|| self.renditions.first()) else {
            return Answer::NotFound;
        };
        if !self.renditions.iter().any(|r| r.edge(view).listed) {
            if self.state == BroadcastState::Ended {
                return Answer::NotFound;
            }
            let part = if view.plain { None } else { Some(0) };
            let (rendition, msn) = (leader.rendition.id, leader.next_msn);
            return Answer::Wait(WaitFor { rendition, msn, part });
        }
        let index = usize::from(view.plain);
        if let Some(snapshot) = &self.multivariants[index] {
            return Answer::Ready(snapshot.clone());
        }
        let snapshot = Snapshot::new(write_multivariant(self.offered(view), view));
        self.multivariants[index] = Some(snapshot.clone());
        Answer::Ready(snapshot)
    }

    /// A media playlist, by the name of its folder.
    pub fn playlist(&mut self, rendition: &str, directives: &Directives) -> Answer {
        let Some(presentation) = &self.presentation else { return Answer::NotFound };
        let view = View { plain: directives.plain, delta: directives.skip };
        let Some(index) = self.index_of(rendition) else { return Answer::NotFound };
        let window = &self.renditions[index];
        match window.edge(view).decide(directives, presentation.part_target) {
            Err(error) => Answer::BadRequest(error),
            Ok(Reload::Wait { msn, part }) => {
                Answer::Wait(WaitFor { rendition: window.rendition.id, msn, part })
            }
            Ok(Reload::Now) => {
                let snapshot = match window.rendered(view) {
                    Some(snapshot) => snapshot.clone(),
                    None => {
                        let snapshot =
                            Snapshot::new(self.write_playlist(presentation, index, view));
                        self.renditions[index].keep(view, &snapshot);
                        snapshot
                    }
                };
                Answer::Ready(snapshot.answering(directives.msn.is_some()))
            }
        }
    }

    fn write_playlist(&self, presentation: &Presentation, index: usize, view: View) -> String {
        let window = &self.renditions[index];
        let others = self.renditions.iter().enumerate().filter(|(other, _)| *other != index);
        let others = others.filter(|(_, other)| !other.ended && !other.leaves);
        MediaPlaylist {
            target_duration: presentation.target_duration,
            part_target: presentation.part_target,
            discontinuity_sequence: window.discontinuity_sequence,
            next_msn: window.next_msn,
            independent_segments: window.is_independent(),
            segments: &window.segments,
            open: window.listed_open(),
            hint: Some(window.hint()),
            reports: others.filter_map(|(_, other)| other.report(view)).collect(),
            view,
            ended: window.ended,
        }
        .write()
    }

    /// An init section, a segment or a part, by folder and file name.
    pub fn media(&self, rendition: &str, name: &str) -> MediaAnswer {
        let (Some(id), Some(name)) = (RenditionId::parse(rendition), MediaName::parse(name)) else {
            return MediaAnswer::NotFound;
        };
        let current = self.renditions.iter().find(|r| r.rendition.id == id);
        if let MediaName::Part { msn, index } = name
            && current.is_some_and(|window| window.is_hinted(name))
        {
            return MediaAnswer::Wait(WaitFor { rendition: id, msn, part: Some(index) });
        }
        // Another shard may list it already: updates reach each at its own moment.
        if let MediaName::Segment { msn } = name
            && current.and_then(RenditionWindow::listed_open).is_some_and(|open| open.msn == msn)
        {
            return MediaAnswer::Wait(WaitFor { rendition: id, msn, part: None });
        }
        self.body(id, name, current).map_or(MediaAnswer::NotFound, MediaAnswer::Ready)
    }

    /// Whether a request that got this wait should ask again.
    pub fn reached(&self, wait: &WaitFor) -> bool {
        let view = View { plain: false, delta: false };
        let window = self.renditions.iter().find(|r| r.rendition.id == wait.rendition);
        window.is_none_or(|window| window.edge(view).has(wait.msn, wait.part))
    }

    /// Where the broadcast stands.
    pub const fn state(&self) -> BroadcastState {
        self.state
    }

    /// A broadcast is running, also while its publisher is away.
    pub const fn is_live(&self) -> bool {
        matches!(self.state, BroadcastState::Live | BroadcastState::Interrupted)
    }

    /// A broadcast is running and something of it is listed.
    pub fn is_playable(&self) -> bool {
        let view = View { plain: false, delta: false };
        self.is_live() && self.renditions.iter().any(|window| window.edge(view).listed)
    }

    /// TARGETDURATION of the broadcast in whole seconds; the shell's limits on waiting follow it.
    pub fn target_duration(&self) -> Option<u32> {
        self.presentation.as_ref().map(|p| p.target_duration)
    }

    /// The interval between keyframes, if it is too long for segments to follow (PL-4). Tell the
    /// admin to set two seconds.
    pub const fn long_keyframe_interval(&self) -> Option<MediaTime> {
        self.keyframe_interval
    }

    /// The renditions, for the status page.
    pub fn renditions(&self) -> impl Iterator<Item = RenditionStatus> {
        self.renditions.iter().map(|window| RenditionStatus {
            id: window.rendition.id,
            codec: window.rendition.codec.clone(),
            bitrate: window.bandwidth.average(),
            first_msn: window.segments.front().map_or(window.next_msn, |segment| segment.msn),
            segments: window.segments.len(),
            duration: window.duration(),
            bytes: window.byte_len(),
        })
    }

    /// What the multivariant playlist lists: each rendition and its mean bits per second, 0 before
    /// the first segment.
    pub fn offer(&self) -> impl Iterator<Item = (&Rendition, u64)> {
        let view = View { plain: false, delta: false };
        self.offered(view).map(|window| (&window.rendition, window.bandwidth.average()))
    }

    /// Bytes of segments that left the playlists and are still fetchable.
    pub fn retained_bytes(&self) -> u64 {
        self.retention.byte_len()
    }

    fn start(&mut self, now: Instant, presentation: Arc<Presentation>) {
        for window in std::mem::take(&mut self.renditions) {
            self.retire(now, window);
        }
        self.state = BroadcastState::Live;
        self.keyframe_interval = None;
        self.presentation = Some(presentation);
    }

    fn begin_timeline(&mut self, now: Instant, timeline: &Timeline) {
        let first_sequence = self.presentation.as_ref().map_or(0, |p| p.discontinuity_sequence);
        let discontinuities = self
            .renditions
            .iter()
            .map(RenditionWindow::discontinuities)
            .max()
            .unwrap_or(first_sequence);
        self.state = BroadcastState::Live;
        self.keyframe_interval = None;
        let mut previous = std::mem::take(&mut self.renditions);
        for rendition in &timeline.renditions {
            let index = previous.iter().position(|r| r.rendition.id == rendition.id);
            let mut window = match index.map(|index| previous.remove(index)) {
                Some(window) if !window.ended => window,
                other => {
                    other.into_iter().for_each(|window| self.retire(now, window));
                    let first_msn = timeline.first_msn;
                    RenditionWindow::new(rendition.clone(), first_msn, discontinuities)
                }
            };
            window.replace_rendition(rendition.clone());
            self.renditions.push(window);
        }
        for mut window in previous {
            window.end();
            self.renditions.push(window);
        }
    }

    fn retire(&mut self, now: Instant, window: RenditionWindow) {
        for segment in window.segments {
            self.retention.keep(now, window.rendition.id, segment, window.longest);
        }
    }

    fn remove_old(&mut self, now: Instant) {
        let minimum =
            self.presentation.as_ref().map_or(0, |p| i64::from(p.target_duration) * 3_000);
        for window in &mut self.renditions {
            while let Some(segment) =
                window.remove_oldest(self.config.rewind, MediaTime::from_millis(minimum))
            {
                self.retention.keep(now, window.rendition.id, segment, window.longest);
            }
        }
    }

    fn body(
        &self,
        id: RenditionId,
        name: MediaName,
        current: Option<&RenditionWindow>,
    ) -> Option<MediaBody> {
        match name {
            MediaName::Init { msn } => {
                let retained = || self.retention.of(id).map(|s| &s.init).find(|i| i.msn == msn);
                let init = current.and_then(|window| window.init(msn)).or_else(retained)?;
                Some(MediaBody::new(id, [init.bytes.clone()].into()))
            }
            MediaName::Segment { msn } => {
                let is_open = current.and_then(|w| w.open.as_ref()).is_some_and(|o| o.msn == msn);
                let segment = self.segment(id, msn, current).filter(|s| !is_open && !s.gap)?;
                Some(segment.whole().clone())
            }
            MediaName::Part { msn, index } => self.segment(id, msn, current)?.part(index).cloned(),
        }
    }

    fn segment<'a>(
        &'a self,
        id: RenditionId,
        msn: u64,
        current: Option<&'a RenditionWindow>,
    ) -> Option<&'a Segment> {
        let retained = || self.retention.of(id).find(|segment| segment.msn == msn);
        current.and_then(|window| window.segment(msn)).or_else(retained)
    }

    fn index_of(&self, name: &str) -> Option<usize> {
        let id = RenditionId::parse(name)?;
        self.renditions.iter().position(|window| window.rendition.id == id)
    }

    fn rendition_mut(&mut self, id: RenditionId) -> Option<&mut RenditionWindow> {
        self.renditions.iter_mut().find(|window| window.rendition.id == id)
    }
}

fn write_multivariant<'a>(
    renditions: impl Iterator<Item = &'a RenditionWindow> + Clone,
    view: View,
) -> String {
    let independent = renditions.clone().all(RenditionWindow::is_independent);
    let offers: Vec<_> = renditions
        .map(|window| {
            let rates = window.bandwidth.rates(&window.rendition, window.listed_open());
            Offer { rendition: &window.rendition, peak: rates.peak, average: rates.average }
        })
        .collect();
    multivariant::write(&offers, independent, if view.plain { "?ll=0" } else { "" })
}
