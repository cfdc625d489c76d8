//! One rung as the decoder's thread sees it: its grid, its pace, its pictures, its encoder.

use std::sync::Arc;
use std::time::{Duration, Instant};

use riverrun_media::access_unit::VideoTrack;
use riverrun_media::codec::{Picture, PictureSize};
use riverrun_media::ladder::{Change, Pace, PlannedRung, RungEncoder, RungEncoderError, Step};
use riverrun_media::picture::Colour;
use riverrun_media::scale::FrameGrid;
use riverrun_media::time::MediaTime;

use super::encode::{EncoderThread, Moment, Order, Uncoded};
use super::faults::Faults;
use super::outlet::Outlet;
use super::tally::Tally;
use crate::thread_wait::block_on_until;

/// A call into the codec that takes longer than this hangs: it is the time of sixty pictures at 30
/// a second, and an encoder that needs more than one of them for each is suspended before.
const HANG: Duration = Duration::from_secs(2);
/// An encoder that fails again this soon is not started again at once.
const FAILURE_INTERVAL: Duration = Duration::from_secs(60);
/// Orders that may wait. The pace stops at fewer pictures; the rest is for the flush.
const ORDERS_MAX: usize = 12;
/// How long a flush waits for one encoder.
const FLUSH_PATIENCE: Duration = Duration::from_millis(300);

/// Why a rung cannot be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum RungError {
    #[error(transparent)]
    Encoder(#[from] RungEncoderError),
    #[error("its thread could not be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// See the module's text.
pub(super) struct Rung {
    planned: PlannedRung,
    colour: Option<Colour>,
    outlet: Outlet,
    tally: Arc<Tally>,
    faults: Faults,
    thread: Option<EncoderThread>,
    pace: Pace,
    /// What was asked for and what the source has, in pictures per 1000 s.
    rates: (u32, Option<u32>),
    grid: FrameGrid,
    /// The next picture begins a segment.
    owes_start: bool,
    /// Nothing is encoded before a segment begins.
    waits_for_start: bool,
    failed_at: Option<Instant>,
}

impl Rung {
    /// Makes the encoder, and the track that its pictures are.
    pub(super) fn new(
        planned: &PlannedRung,
        source: &VideoTrack,
        outlet: Outlet,
        tally: Arc<Tally>,
        faults: Faults,
    ) -> Result<(Self, VideoTrack), RungError> {
        let encoder = RungEncoder::new(planned, source.colour)?;
        let track = encoder.track().clone();
        let rates = (planned.frame_rate_millis, source.frame_rate_millis);
        let mut rung = Self {
            planned: *planned,
            colour: source.colour,
            outlet,
            tally,
            faults,
            thread: None,
            pace: Pace::default(),
            rates,
            grid: FrameGrid::new(rates.0, rates.1),
            owes_start: false,
            waits_for_start: true,
            failed_at: None,
        };
        rung.thread = Some(rung.start_thread(encoder)?);
        Ok((rung, track))
    }

    fn start_thread(&self, encoder: RungEncoder) -> Result<EncoderThread, RungError> {
        let variant = self.planned.variant;
        let name = format!("encode-{variant}");
        let outlet = self.outlet.clone();
        let faults = self.faults.clone();
        let thread = EncoderThread::start(&name, variant, encoder, ORDERS_MAX, outlet, faults)?;
        Ok(thread)
    }

    /// The next picture begins a segment. An encoder that is missing is made anew. A rung that is
    /// `paused` has no pictures in it.
    pub(super) fn begin_segment(&mut self, now: Instant, paused: bool) {
        self.tally.pauses(self.variant(), paused);
        if paused {
            (self.owes_start, self.waits_for_start) = (false, true);
            return;
        }
        if self.pace.step() == Step::Suspended {
            return;
        }
        if self.thread.is_none() {
            let made = RungEncoder::new(&self.planned, self.colour).map_err(RungError::from);
            match made.and_then(|encoder| self.start_thread(encoder)) {
                Ok(thread) => {
                    tracing::info!(variant = self.planned.variant, "the encoder was made anew");
                    self.thread = Some(thread);
                    self.order_bitrate();
                }
                Err(error) => {
                    tracing::error!(variant = self.planned.variant, %error, "no encoder");
                    let change = self.pace.suspend(now);
                    self.tell(change);
                    return;
                }
            }
        }
        (self.owes_start, self.waits_for_start) = (true, false);
    }

    /// Looks after the encoder; before each picture.
    pub(super) fn watch(&mut self, now: Instant) {
        let (waiting, oldest) = match &self.thread {
            Some(thread) if thread.has_failed() => return self.lose(now, "failed"),
            Some(thread) if thread.in_call(now) >= HANG => return self.lose(now, "hangs"),
            Some(thread) => (thread.waiting(), thread.oldest(now)),
            None => (0, Duration::ZERO),
        };
        let change = self.pace.observe(now, waiting, oldest);
        if let Some(Change { from, .. }) = change {
            self.waits_for_start |= from == Step::Suspended;
            self.order_bitrate();
        }
        self.tell(change);
        self.tally.stands(self.planned.variant, self.pace.step(), waiting);
    }

    /// Fewer bits are less work for the entropy coder, and parameter sets stay as they are.
    fn order_bitrate(&self) {
        let bitrate = self.planned.bitrate;
        let bitrate = if self.pace.step() >= Step::Cheap { bitrate / 2 } else { bitrate };
        if let Some(thread) = &self.thread {
            // Without room it stays as it is until the next step.
            thread.order(Order::Bitrate(bitrate));
        }
    }

    /// The encoder is given up. The first time it is made anew for the next segment.
    fn lose(&mut self, now: Instant, how: &str) {
        tracing::error!(variant = self.planned.variant, "the encoder {how}: it is given up");
        self.thread = None;
        self.waits_for_start = true;
        let again = self.failed_at.is_some_and(|at| now.duration_since(at) < FAILURE_INTERVAL);
        self.failed_at = Some(now);
        if again {
            let change = self.pace.suspend(now);
            self.tell(change);
        }
    }

    /// Times begin anew.
    pub(super) fn begin_timeline(&mut self) {
        self.grid = FrameGrid::new(self.rates.0, self.rates.1);
    }

    /// The time that the picture of this time gets, if it is encoded.
    pub(super) fn take(&mut self, pts: MediaTime) -> Option<MediaTime> {
        let thread = self.thread.as_ref().filter(|_| !self.waits_for_start)?;
        let time = self.grid.take(pts, self.owes_start)?;
        let takes = self.pace.takes(thread.waiting(), self.owes_start);
        if !takes {
            self.miss();
        }
        takes.then_some(time)
    }

    /// A picture that was due did not get to the encoder.
    pub(super) fn miss(&self) {
        self.tally.dropped(self.planned.variant);
    }

    /// Hands a picture of the rung's size to the encoder.
    pub(super) fn encode(
        &mut self,
        picture: Arc<Picture>,
        timeline: u64,
        pts: MediaTime,
        arrived: Instant,
    ) {
        let begins_segment = self.owes_start;
        let moment = Moment { timeline, pts, arrived };
        let uncoded = Uncoded { picture, begins_segment, moment };
        let Some(thread) = &self.thread else { return };
        if thread.order(Order::Picture(uncoded)) {
            self.owes_start = false;
        } else {
            self.miss();
        }
    }

    /// It leaves the ladder: the encoder does what it has, then its thread ends.
    pub(super) fn finish(mut self) {
        self.tally.leaves(self.variant());
        if let Some(thread) = self.thread.take() {
            thread.finish();
        }
    }

    /// Its number.
    pub(super) const fn variant(&self) -> u8 {
        self.planned.variant
    }

    /// Of its pictures.
    pub(super) const fn size(&self) -> PictureSize {
        self.planned.size
    }

    /// Waits until the encoder has done what it has, but not for long.
    pub(super) fn flush(&self) {
        let Some(thread) = &self.thread else { return };
        let (done, answer) = async_channel::bounded(1);
        if thread.order(Order::Flush(done)) {
            let deadline = Instant::now() + FLUSH_PATIENCE;
            let _ = block_on_until(deadline, answer.recv());
        }
    }

    fn tell(&self, change: Option<Change>) {
        let variant = self.planned.variant;
        match change.map(|change| (change.from, change.to)) {
            None => {}
            Some((from, to)) if to < from => {
                tracing::info!(variant, ?from, ?to, "a rendition recovers");
            }
            Some((from, to)) => {
                let dropped = self.pace.dropped();
                tracing::warn!(variant, ?from, ?to, dropped, "a rendition is too slow");
            }
        }
    }
}
