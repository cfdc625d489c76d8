//! Where a broadcast starts, and starts anew: waiting for the tracks, placing them, announcing
//! them.
//!
//! Three things lead to a [`SourceEvent::Tracks`]: the end of discovery (also after a break or a
//! reconnect), a changed configuration, and a track that joins late. The last two take effect with
//! an IDR picture.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use super::discovery::{Unit, Waiting};
use super::grid::Grid;
use super::video::Picture;
use super::{Notice, Source, SourceEvent, State};
use crate::access_unit::{TrackKind, Tracks};
use crate::limits;
use crate::time::{MediaTime, Timescale};

impl Source {
    pub(super) fn open(&mut self, now: Instant) {
        if let State::Starting(discovery) = &mut self.state {
            discovery.open(now);
        }
    }

    pub(super) fn wait(&mut self, arrived: Instant, millis: i64, unit: Unit) {
        if let State::Starting(discovery) = &mut self.state {
            let dropped = discovery.push(Waiting { arrived, millis, unit });
            self.counters.discovery_overflow += dropped;
        }
        self.start_when_ready();
    }

    /// Units of a replaced configuration cannot be used any more.
    pub(super) fn discard_waiting(&mut self, track: TrackKind) {
        if let State::Starting(discovery) = &mut self.state {
            let dropped = discovery.discard(track == TrackKind::Video);
            self.counters.discovery_abandoned += dropped;
        }
    }

    pub(super) fn abandon_waiting(&mut self) {
        if let State::Starting(discovery) = &mut self.state {
            self.counters.discovery_abandoned += discovery.drain().len() as u64;
        }
    }

    pub(super) fn start_when_ready(&mut self) {
        let State::Starting(discovery) = &mut self.state else { return };
        let (video, audio) = (self.video.config().is_some(), self.audio.config().is_some());
        let tracks_known = discovery.is_closed() || (video && audio);
        let unit_here = if discovery.has_picture() {
            true
        } else {
            // AV-10: with video to come, audio waits for its first picture.
            audio && discovery.has_audio() && (!video || discovery.gave_up_on_sync())
        };
        if tracks_known && unit_here {
            let waiting = discovery.drain();
            self.start(waiting);
        }
    }

    /// Places the tracks at the end of the output and lets everything that waited go.
    fn start(&mut self, waiting: VecDeque<Waiting>) {
        let start = self.end_90k();
        let has_config = self.audio.config().is_some();
        let first_picture = waiting.iter().enumerate().find_map(|(at, waiting)| {
            let Unit::Picture(picture) = &waiting.unit else { return None };
            Some((at, waiting.millis, picture.composition_90k, waiting.arrived))
        });
        let arrived = if let Some((at, millis, composition_90k, arrived)) = first_picture {
            self.video_clock.place(millis, start - composition_90k);
            self.place_waiting_audio(&waiting, at, start);
            Some(arrived)
        } else {
            let first = waiting.front();
            if let Some(first) = first {
                self.audio_clock.place(first.millis, start);
            }
            first.map(|first| first.arrived)
        };
        let Some(arrived) = arrived else { return };
        self.grid = None;
        self.video_90k = None;
        self.state = State::Live;
        self.announce(first_picture.is_some(), start, arrived);
        if !has_config {
            self.notice(Notice::NoAudio);
        }
        if first_picture.is_none() {
            self.notice(Notice::NoVideo);
        }
        for Waiting { millis, unit, .. } in waiting {
            match unit {
                Unit::Picture(picture) => self.emit_picture(millis, picture),
                Unit::Audio(sound) => self.emit_audio(millis, sound),
            }
        }
    }

    /// TS-3: audio near the first picture shares its clock; else the audio that arrived after that
    /// picture starts with it. Audio that did neither is placed when it comes.
    fn place_waiting_audio(&mut self, waiting: &VecDeque<Waiting>, picture_at: usize, start: i64) {
        let is_audio = |waiting: &&Waiting| matches!(waiting.unit, Unit::Audio(..));
        let picture = waiting.get(picture_at).map_or(0, |picture| picture.millis);
        let near =
            |waiting: &&Waiting| (waiting.millis - picture).abs() <= limits::TRACK_DISTANCE_MS_MAX;
        let audio = waiting
            .iter()
            .filter(is_audio)
            .find(near)
            .or_else(|| waiting.iter().skip(picture_at).find(is_audio));
        if let Some(audio) = audio {
            self.audio_clock.place_beside(audio.millis, &self.video_clock, start);
        }
    }

    /// What would be announced now differs from what was.
    pub(super) fn is_stale(&self) -> bool {
        let announced = self.announced.video.as_ref();
        let announced = announced.map(|track| (&track.codec, track.colour, track.light));
        let video = &self.video;
        let now = video.config().map(|codec| (codec, video.colour(), video.light()));
        announced != now || self.audio_differs()
    }

    pub(super) fn audio_differs(&self) -> bool {
        self.announced.audio.as_ref().map(|track| &track.codec) != self.audio.config()
    }

    /// AV-6, AA-5, late tracks: the new configurations take effect with this sync picture.
    pub(super) fn switch_at_picture(&mut self, now: Instant, millis: i64, picture: &Picture) {
        let alone = self.end_90k() - picture.composition_90k;
        self.video_clock.place_beside(millis, &self.audio_clock, alone);
        let Some(output) = self.video_clock.output_90k(millis) else { return };
        self.counters.config_changes += 1;
        self.video.drop_leading();
        let start = self.pictures.begin(output + picture.composition_90k);
        self.announce(true, start, now);
    }

    /// The same without video: with this audio unit.
    pub(super) fn switch_at_audio(&mut self, now: Instant, millis: i64) {
        let Some(output) = self.audio_clock.output_90k(millis) else { return };
        let start = output.max(self.end_90k());
        self.counters.config_changes += 1;
        self.announce(false, start, now);
    }

    pub(super) fn announce(&mut self, with_video: bool, start: i64, arrived: Instant) {
        let audio_changes = self.audio_differs();
        let audio_end = self.grid.as_ref().and_then(Grid::end_90k);
        match (&mut self.grid, self.audio.config()) {
            (Some(grid), Some(_)) if !audio_changes => grid.start_at(start),
            // A new grid must not overlap what left on the old one.
            (grid, Some(config)) => {
                *grid = Some(Grid::new(config, start.max(audio_end.unwrap_or(start))));
            }
            (grid, None) => *grid = None,
        }
        let video = if with_video { self.video.track(&self.metadata) } else { None };
        let audio = self.audio.track(&self.metadata);
        let about_video = video.as_ref().map(|track| Notice::about_video(&track.codec));
        let about_audio = audio.as_ref().map(|track| Notice::about_audio(&track.codec));
        for notice in about_video.into_iter().chain(about_audio).flatten() {
            self.notice(notice);
        }
        self.announced = Tracks { video: video.map(Arc::new), audio: audio.map(Arc::new) };
        self.events.push_back(SourceEvent::Tracks {
            tracks: self.announced.clone(),
            start: MediaTime::new(start, Timescale::VIDEO),
            arrived,
        });
    }
}
