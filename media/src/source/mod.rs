//! RTMP media messages to normalised access units on one output timeline.
//!
//! [`Source`] is the machine of one broadcast, over reconnects. Messages go in with their arrival
//! time, [`SourceEvent`]s come out: first the tracks, then their units, and the tracks again at
//! each discontinuity. It decides which tracks exist (CMD-9, CMD-10), where they start (AV-10,
//! CM-10), what a jump of the clock is (TS-4), and which configuration is in force (AV-6, AA-5).
//!
//! Until something can start, units wait (`discovery`); afterwards they leave at once. Nothing is
//! held back in that state; [`Source::end_of_input`] ends the first.
//!
//! It refuses codecs it cannot package with a sentence for the streamer ([`Refusal`]); damage
//! inside a stream is dropped and counted ([`Counters`]).

mod audio;
mod counters;
mod discovery;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod grid;
mod notice;
mod output;
mod refusal;
mod start;
mod timeline;
mod video;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

pub use counters::Counters;
pub use notice::Notice;
pub use refusal::Refusal;

use crate::access_unit::{AccessUnit, TrackKind, Tracks};
use crate::flv::{
    AudioBody, AudioPacket, AudioTag, ChannelOrder, CodecTag, ColourInfo, Metadata, VideoBody,
    VideoPacket, VideoTag,
};
use crate::limits;
use crate::time::{MediaTime, RtmpTimestamp};
use audio::{AudioInput, AudioKind, Sound};
use discovery::{Discovery, Unit};
use grid::Grid;
use output::PictureTimes;
use timeline::{Clock, Step};
use video::{Picture, Presentation, VideoInput, VideoKind};

/// What the operator may set.
#[derive(Debug, Clone, Copy)]
pub struct SourceConfig {
    /// Longest distance of sync pictures that needs no advice to the streamer. Segments cannot be
    /// shorter than this distance, so it costs delay.
    pub keyframe_interval_max: Duration,
}

impl Default for SourceConfig {
    fn default() -> Self {
        Self { keyframe_interval_max: Duration::from_secs(4) }
    }
}

/// What comes out of a [`Source`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceEvent {
    /// The first event, and again at each discontinuity: a changed configuration, a late track, a
    /// timeline break, a reconnect. A video track begins with a sync picture.
    Tracks {
        /// The tracks from here on.
        tracks: Tracks,
        /// Output time where they start, at 90 kHz. The first picture presents exactly here; no
        /// audio unit begins earlier.
        start: MediaTime,
        /// When the first unit arrived, for PROGRAM-DATE-TIME (TS-9).
        arrived: Instant,
    },
    /// A unit of one of the tracks.
    Unit(AccessUnit),
    /// Something the streamer should hear.
    Notice(Notice),
}

/// The machine of one broadcast; see the module's text.
#[derive(Debug)]
pub struct Source {
    config: SourceConfig,
    metadata: Metadata,
    video: VideoInput,
    audio: AudioInput,
    video_clock: Clock,
    audio_clock: Clock,
    state: State,
    /// The tracks of the last [`SourceEvent::Tracks`].
    announced: Tracks,
    pictures: PictureTimes,
    grid: Option<Grid>,
    last_break: Option<Instant>,
    /// Unwrapped time of the last sync picture.
    last_sync: Option<i64>,
    /// Output time of the last picture's message since the last start, at 90 kHz.
    video_90k: Option<i64>,
    notices: notice::Given,
    events: VecDeque<SourceEvent>,
    counters: Counters,
}

#[derive(Debug)]
enum State {
    /// Units wait for the tracks to be known and for a sync picture.
    Starting(Discovery),
    /// Units leave as they come.
    Live,
}

impl Source {
    /// A broadcast that has not begun.
    pub fn new(config: SourceConfig) -> Self {
        Self {
            config,
            metadata: Metadata::default(),
            video: VideoInput::default(),
            audio: AudioInput::default(),
            video_clock: Clock::default(),
            audio_clock: Clock::default(),
            state: State::Starting(Discovery::default()),
            announced: Tracks::default(),
            pictures: PictureTimes::default(),
            grid: None,
            last_break: None,
            last_sync: None,
            video_90k: None,
            notices: notice::Given::default(),
            events: VecDeque::new(),
            counters: Counters::default(),
        }
    }

    /// Takes announced properties. They fill in what the bit stream does not tell (CMD-9) and never
    /// touch the timeline (TS-6).
    pub fn handle_metadata(&mut self, now: Instant, metadata: Metadata) {
        self.handle_timeout(now);
        self.metadata = metadata;
    }

    /// Takes the body of a video message.
    pub fn handle_video(
        &mut self,
        now: Instant,
        timestamp: RtmpTimestamp,
        payload: &Bytes,
    ) -> Result<(), Refusal> {
        self.handle_timeout(now);
        match VideoTag::parse(payload) {
            Ok(VideoTag { packets, .. }) if packets.is_empty() => self.counters.ignored += 1,
            Ok(VideoTag { packets, nanos }) => {
                for packet in packets {
                    self.on_video_packet(now, timestamp, nanos, packet)?;
                }
            }
            Err(_) if payload.is_empty() => self.counters.ignored += 1,
            Err(_) => self.counters.broken += 1,
        }
        Ok(())
    }

    /// Takes the body of an audio message.
    pub fn handle_audio(
        &mut self,
        now: Instant,
        timestamp: RtmpTimestamp,
        payload: &Bytes,
    ) -> Result<(), Refusal> {
        self.handle_timeout(now);
        match AudioTag::parse(payload) {
            Ok(AudioTag { packets }) => {
                for packet in packets {
                    self.on_audio_packet(now, timestamp, packet)?;
                }
            }
            // AA-4: empty messages and tags of one byte.
            Err(_) if payload.len() <= 1 => self.counters.ignored += 1,
            Err(_) => self.counters.broken += 1,
        }
        Ok(())
    }

    /// Lets [`Self::deadline`] pass: track discovery ends by wall clock (CMD-10).
    pub fn handle_timeout(&mut self, now: Instant) {
        if let State::Starting(discovery) = &mut self.state {
            discovery.handle_timeout(now);
            self.start_when_ready();
        }
    }

    /// The connection has ended: what waits for further tracks waits no longer, so that a clip that
    /// was sent at once and left is shown. [`Self::reconnect`] may follow.
    pub fn end_of_input(&mut self) {
        if let State::Starting(discovery) = &mut self.state {
            discovery.close();
            self.start_when_ready();
        }
    }

    /// A new connection continues this broadcast (RC-3). Its configuration and clock are its own;
    /// output time goes on where it ended, and the next event is a discontinuity.
    pub fn reconnect(&mut self, now: Instant) {
        self.handle_timeout(now);
        self.abandon_waiting();
        self.metadata = Metadata::default();
        self.video = VideoInput::default();
        self.audio = AudioInput::default();
        self.notices = notice::Given::default();
        self.restart_clocks();
        self.last_break = None;
        self.state = State::Starting(Discovery::default());
    }

    /// The next event; drain after every `handle_*` and [`Self::reconnect`].
    pub fn poll_event(&mut self) -> Option<SourceEvent> {
        self.events.pop_front()
    }

    /// When to call [`Self::handle_timeout`] next.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Starting(discovery) => discovery.deadline(),
            State::Live => None,
        }
    }

    /// What happened so far.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    fn on_video_packet(
        &mut self,
        now: Instant,
        timestamp: RtmpTimestamp,
        nanos: u32,
        packet: VideoPacket,
    ) -> Result<(), Refusal> {
        if packet.track != 0 {
            self.on_extra_track();
            return Ok(());
        }
        let Some(kind) = VideoKind::of(packet.codec) else {
            return self.on_unknown_codec(packet.codec).map_err(Refusal::VideoCodec);
        };
        match packet.body {
            VideoBody::SequenceHeader(body) => {
                self.open(now);
                if self.video.on_header(kind, &body, &mut self.counters)? {
                    self.discard_waiting(TrackKind::Video);
                }
                self.start_when_ready();
            }
            VideoBody::Frame { keyframe, composition_time_ms, payload } => {
                self.open(now);
                let presentation = Presentation { composition_ms: composition_time_ms, nanos };
                let counters = &mut self.counters;
                let picture = self.video.on_frame(kind, &payload, presentation, counters)?;
                if let Some(picture) = picture {
                    if (keyframe && !picture.sync) || picture.skipped_leading {
                        self.notice(Notice::OpenGop);
                    }
                    self.on_picture(now, timestamp, picture)?;
                }
            }
            VideoBody::Metadata(body) => self.video.on_colour(ColourInfo::parse(&body)),
            VideoBody::EndOfSequence | VideoBody::Unread => self.counters.ignored += 1,
        }
        Ok(())
    }

    fn on_audio_packet(
        &mut self,
        now: Instant,
        timestamp: RtmpTimestamp,
        packet: AudioPacket,
    ) -> Result<(), Refusal> {
        if packet.track != 0 {
            self.on_extra_track();
            return Ok(());
        }
        let Some(kind) = AudioKind::of(packet.codec) else {
            return self.on_unknown_codec(packet.codec).map_err(Refusal::AudioCodec);
        };
        match packet.body {
            AudioBody::SequenceHeader(body) => {
                self.open(now);
                if self.audio.on_header(kind, &body, &mut self.counters)? {
                    self.discard_waiting(TrackKind::Audio);
                }
                self.start_when_ready();
            }
            AudioBody::Frames(payload) => {
                self.open(now);
                let (units, replaced) = self.audio.on_frames(kind, &payload, &mut self.counters)?;
                if replaced {
                    self.discard_waiting(TrackKind::Audio);
                }
                if !units.is_empty() {
                    self.on_audio(now, timestamp, units);
                }
            }
            AudioBody::ChannelOrder(body) => match ChannelOrder::parse(&body) {
                Some(order) => {
                    if self.audio.on_channel_order(&order)? {
                        self.discard_waiting(TrackKind::Audio);
                    }
                    if order.custom {
                        self.notice(Notice::ChannelOrder);
                    }
                }
                None => self.counters.broken += 1,
            },
            AudioBody::Ignored => self.counters.ignored += 1,
        }
        Ok(())
    }

    /// ER-1: characters that name no codec are passed over; a codec that has a name and no place
    /// here is handed back to be refused.
    fn on_unknown_codec(&mut self, codec: CodecTag) -> Result<(), CodecTag> {
        match codec {
            CodecTag::FourCc(four_cc) if four_cc.common_name().is_none() => {
                self.counters.unknown_codec += 1;
                self.notice(Notice::UnknownCodec(four_cc));
                Ok(())
            }
            CodecTag::Video(_) | CodecTag::Audio(_) | CodecTag::FourCc(_) => Err(codec),
        }
    }

    fn on_picture(
        &mut self,
        now: Instant,
        timestamp: RtmpTimestamp,
        picture: Picture,
    ) -> Result<(), Refusal> {
        let Some(millis) = self.admit(TrackKind::Video, now, timestamp) else { return Ok(()) };
        if picture.sync && self.video.on_sync(&mut self.counters)? {
            self.discard_waiting(TrackKind::Video);
        }
        self.advise_on_keyframes(millis, picture.sync);
        if !self.video.admit(&picture, &mut self.counters) {
            return Ok(());
        }
        match &mut self.state {
            State::Starting(_) => self.wait(now, millis, Unit::Picture(picture)),
            State::Live => {
                if picture.sync && self.is_stale() {
                    self.switch_at_picture(now, millis, &picture);
                }
                self.emit_picture(millis, picture);
            }
        }
        Ok(())
    }

    fn on_audio(&mut self, now: Instant, timestamp: RtmpTimestamp, units: Vec<Sound>) {
        let Some(millis) = self.admit(TrackKind::Audio, now, timestamp) else { return };
        for sound in units {
            match &self.state {
                State::Starting(_) => self.wait(now, millis, Unit::Audio(sound)),
                State::Live => {
                    if self.announced.video.is_none() && self.audio_differs() {
                        self.switch_at_audio(now, millis);
                    }
                    self.emit_audio(millis, sound);
                }
            }
        }
    }

    /// Unwraps a message time; `None` drops the message because its clock jumps too often.
    fn admit(&mut self, track: TrackKind, now: Instant, timestamp: RtmpTimestamp) -> Option<i64> {
        let (clock, other) = self.clocks(track);
        let millis = clock.unwrap(timestamp, other);
        if clock.judge(millis, other) == Step::Steady {
            clock.advance(millis);
            return Some(millis);
        }
        let rejoins = !clock.shares(other) && other.is_near(millis);
        let recent = self.last_break.is_some_and(|last| now < last + limits::BREAK_SPACING);
        match track {
            // Sound follows the pictures: after a break its clock may settle later than theirs.
            TrackKind::Audio if rejoins || recent => {
                self.counters.audio_clock_changes += 1;
                self.audio_clock.restart();
                self.discard_waiting(TrackKind::Audio);
            }
            TrackKind::Video if recent => {
                self.counters.out_of_time += 1;
                return None;
            }
            TrackKind::Audio | TrackKind::Video => self.break_timeline(now),
        }
        let (clock, other) = self.clocks(track);
        let millis = clock.unwrap(timestamp, other);
        clock.advance(millis);
        Some(millis)
    }

    const fn clocks(&mut self, track: TrackKind) -> (&mut Clock, &Clock) {
        match track {
            TrackKind::Video => (&mut self.video_clock, &self.audio_clock),
            TrackKind::Audio => (&mut self.audio_clock, &self.video_clock),
        }
    }

    /// TS-4: all tracks are placed anew where the output ended.
    fn break_timeline(&mut self, now: Instant) {
        self.counters.timeline_breaks += 1;
        self.last_break = Some(now);
        self.notice(Notice::TimelineBreak);
        self.abandon_waiting();
        self.restart_clocks();
        self.video.await_sync();
        if let State::Live = self.state {
            self.state = State::Starting(Discovery::of_known_tracks(now));
        }
    }

    fn restart_clocks(&mut self) {
        self.video_clock.restart();
        self.audio_clock.restart();
        self.last_sync = None;
    }

    fn advise_on_keyframes(&mut self, millis: i64, sync: bool) {
        let since = millis - self.last_sync.unwrap_or(millis);
        let since = Duration::from_millis(u64::try_from(since).unwrap_or(0));
        if since > self.config.keyframe_interval_max {
            let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
            self.notice(Notice::KeyframeInterval(millis));
        }
        if sync || self.last_sync.is_none() {
            self.last_sync = Some(millis);
        }
    }

    fn on_extra_track(&mut self) {
        self.counters.extra_tracks += 1;
        self.notice(Notice::ExtraTracks);
    }

    fn notice(&mut self, notice: Notice) {
        if self.notices.first(notice) {
            self.events.push_back(SourceEvent::Notice(notice));
        }
    }
}
