//! Units that leave: pictures with their decode and presentation times (TS-2, TS-4, CM-9), audio on
//! its grid.

use bytes::Bytes;

use super::audio::Sound;
use super::grid::{Place, Silence};
use super::video::Picture;
use super::{Grid, Notice, Source, SourceEvent};
use crate::access_unit::{AccessUnit, TrackKind};
use crate::limits;
use crate::time::{MediaTime, Timescale};

impl Source {
    pub(super) fn emit_picture(&mut self, millis: i64, picture: Picture) {
        let Some(output) = self.video_clock.output_90k(millis) else { return };
        self.video_90k = Some(output);
        let (unit, clamped) = self.pictures.place(picture, output);
        self.counters.clamped += u64::from(clamped);
        self.counters.pictures += 1;
        self.events.push_back(SourceEvent::Unit(unit));
        let silence = self.grid.as_mut().map(|grid| grid.fill_to(output)).unwrap_or_default();
        if silence.units > 0 {
            self.notice(Notice::AudioStopped);
        }
        self.emit_silence(&silence);
    }

    pub(super) fn emit_audio(&mut self, millis: i64, sound: Sound) {
        if self.audio.config().is_none() {
            self.counters.audio_without_config += 1;
            return;
        }
        if self.audio_differs() {
            self.counters.audio_before_switch += 1;
            return;
        }
        let video = self.video_90k;
        let alone = video.unwrap_or_else(|| self.end_90k());
        self.audio_clock.place_beside(millis, &self.video_clock, alone);
        let Some(output) = self.audio_clock.output_90k(millis) else { return };
        let Some(grid) = &mut self.grid else { return };
        let placement = grid.place(output, &sound, video);
        self.emit_silence(&placement.silence);
        match placement.unit {
            Place::At(at) => {
                self.counters.audio_units += 1;
                self.push_audio(at, sound.payload);
            }
            Place::BeforeStart => self.counters.audio_before_start += 1,
            Place::Surplus => self.counters.audio_drift += 1,
        }
    }

    fn emit_silence(&mut self, silence: &Silence) {
        let Some(grid) = &self.grid else { return };
        let (Some(payload), unit) = (grid.silent_unit().cloned(), grid.unit()) else { return };
        for index in 0..silence.units {
            self.push_audio(silence.start + index as i64 * unit, payload.clone());
        }
        self.counters.silent_units += silence.units as u64;
    }

    fn push_audio(&mut self, at: i64, payload: Bytes) {
        let Some(grid) = &self.grid else { return };
        let time = grid.time(at);
        self.events.push_back(SourceEvent::Unit(AccessUnit {
            track: TrackKind::Audio,
            dts: time,
            pts: time,
            sync: true,
            payload,
        }));
    }

    /// Where the output ends: nothing that left lasts longer.
    pub(super) fn end_90k(&self) -> i64 {
        let audio = self.grid.as_ref().and_then(Grid::end_90k).unwrap_or(0);
        self.pictures.end_90k().max(audio).max(limits::OUTPUT_START_90K)
    }
}

/// Decode times of the pictures that left.
#[derive(Debug)]
pub(super) struct PictureTimes {
    last: Option<i64>,
    /// Added to every decode time: the composition time of the last sync picture, so that it
    /// presents exactly when it decodes and the pictures before it in the segment do not (CM-9).
    reorder: i64,
    /// Last distance of two pictures, for the length of the one that left last.
    distance: i64,
    end: i64,
}

impl Default for PictureTimes {
    fn default() -> Self {
        /// One picture at 30 per second.
        const USUAL_DISTANCE: i64 = 3_000;
        Self { last: None, reorder: 0, distance: USUAL_DISTANCE, end: 0 }
    }
}

impl PictureTimes {
    /// Turns a picture whose message stands at an output time into an access unit. The flag tells
    /// that its decode time had to be moved behind the one before (TS-4).
    pub(super) fn place(&mut self, picture: Picture, output_90k: i64) -> (AccessUnit, bool) {
        let composition = picture.composition_90k;
        if picture.sync {
            self.reorder = composition;
        }
        let told = output_90k + self.reorder;
        let dts = self.last.map_or(told, |last| told.max(last + 1));
        let pts = output_90k + composition + (dts - told);
        if let Some(last) = self.last
            && dts - last > 1
        {
            self.distance = dts - last;
        }
        self.last = Some(dts);
        self.end = self.end.max(pts.max(dts) + self.distance);
        let unit = AccessUnit {
            track: TrackKind::Video,
            dts: MediaTime::new(dts, Timescale::VIDEO),
            pts: MediaTime::new(pts, Timescale::VIDEO),
            sync: picture.sync,
            payload: picture.payload,
        };
        (unit, dts != told)
    }

    /// Where a picture told to decode at `told_90k` really starts a track: behind the last one, and
    /// never before the output does. The next picture placed gets this time.
    pub(super) fn begin(&mut self, told_90k: i64) -> i64 {
        let before = self
            .last
            .map_or(limits::OUTPUT_START_90K - 1, |last| last.max(limits::OUTPUT_START_90K - 1));
        self.last = Some(before);
        told_90k.max(before + 1)
    }

    /// When everything that left has been shown, in 90 kHz ticks; 0 before the first picture.
    pub(super) const fn end_90k(&self) -> i64 {
        self.end
    }
}
