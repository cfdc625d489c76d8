//! One rendition's encoder, on a thread of its own.
//!
//! Pictures come through a bounded queue whose sender decides what is dropped ([`Pace`]); coded
//! pictures go back to whoever holds the broadcast. The thread tells through a [`Gauge`] what it is
//! busy with, so that a call into the codec that hangs, fails or panics is seen from outside and
//! costs this rendition alone (F7).
//!
//! [`Pace`]: riverrun_media::ladder::Pace

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use riverrun_media::codec::{EncodedUnit, H264EncoderError, Picture};
use riverrun_media::ladder::{RungEncoder, RungEncoderError};
use riverrun_media::time::MediaTime;

use super::faults::Faults;
use super::outlet::{Coded, Made, Outlet};
use super::{ENCODER_NICENESS, lower_priority};

/// What an encoder is asked to do.
pub(super) enum Order {
    /// Encode a picture.
    Picture(Uncoded),
    /// Aim for so many bits per second.
    Bitrate(u32),
    /// Answer when everything before is done.
    Flush(Sender<()>),
}

/// A picture of the rung's size.
pub(super) struct Uncoded {
    pub(super) picture: Arc<Picture>,
    /// It begins a segment.
    pub(super) begins_segment: bool,
    pub(super) moment: Moment,
}

/// Where a picture belongs.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) timeline: u64,
    pub(super) pts: MediaTime,
    /// When the unit arrived that it was decoded from.
    pub(super) arrived: Instant,
}

/// The queue and the thread behind it.
pub(super) struct EncoderThread {
    orders: Sender<Order>,
    gauge: Arc<Gauge>,
    /// What it still makes is wanted.
    finishes: bool,
}

/// What the thread is doing, for those who watch it.
pub(super) struct Gauge {
    epoch: Instant,
    /// Microseconds of the epoch at which the picture in work arrived, plus one; 0 when idle.
    oldest: AtomicU64,
    /// The same for the time at which the codec was called.
    called: AtomicU64,
    failed: AtomicBool,
    /// Nobody waits for the thread any more: what it still makes is thrown away.
    abandoned: AtomicBool,
}

impl Gauge {
    fn new(epoch: Instant) -> Self {
        Self {
            epoch,
            oldest: AtomicU64::new(0),
            called: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
        }
    }

    fn mark(&self, slot: &AtomicU64, at: Option<Instant>) {
        let micros = |at: Instant| {
            let since = at.saturating_duration_since(self.epoch).as_micros();
            u64::try_from(since).unwrap_or(u64::MAX - 1) + 1
        };
        slot.store(at.map_or(0, micros), Ordering::Release);
    }

    fn since(&self, slot: &AtomicU64, now: Instant) -> Option<Duration> {
        let marked = slot.load(Ordering::Acquire).checked_sub(1)?;
        let elapsed = now.saturating_duration_since(self.epoch);
        Some(elapsed.saturating_sub(Duration::from_micros(marked)))
    }
}

impl EncoderThread {
    /// Starts a thread for `encoder`. `capacity` pictures may wait.
    pub(super) fn start(
        name: &str,
        variant: u8,
        encoder: RungEncoder,
        capacity: usize,
        outlet: Outlet,
        faults: Faults,
    ) -> std::io::Result<Self> {
        let (orders, inbox) = async_channel::bounded(capacity);
        let gauge = Arc::new(Gauge::new(Instant::now()));
        let watched = Arc::clone(&gauge);
        let body = move || {
            lower_priority(ENCODER_NICENESS);
            let mut work = Work {
                variant,
                encoder,
                outlet,
                gauge: watched,
                faults,
                inside: VecDeque::new(),
                made: Vec::new(),
            };
            let run = || work.run(&inbox);
            match catch_unwind(AssertUnwindSafe(run)) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::error!(variant, %error, "an encoder failed");
                    work.gauge.failed.store(true, Ordering::Release);
                }
                // The panic itself is in the log already.
                Err(_) => work.gauge.failed.store(true, Ordering::Release),
            }
        };
        thread::Builder::new().name(name.to_owned()).spawn(body)?;
        Ok(Self { orders, gauge, finishes: false })
    }

    /// Queues an order. `false`: there is no room, or the thread has ended.
    pub(super) fn order(&self, order: Order) -> bool {
        self.orders.try_send(order).is_ok()
    }

    /// Pictures that wait.
    pub(super) fn waiting(&self) -> usize {
        self.orders.len()
    }

    /// How long ago the picture arrived that the thread works on.
    pub(super) fn oldest(&self, now: Instant) -> Duration {
        self.gauge.since(&self.gauge.oldest, now).unwrap_or_default()
    }

    /// How long the call into the codec has taken until now.
    pub(super) fn in_call(&self, now: Instant) -> Duration {
        self.gauge.since(&self.gauge.called, now).unwrap_or_default()
    }

    /// No more orders come: the thread does what it has and ends.
    pub(super) fn finish(mut self) {
        self.finishes = true;
    }

    /// The thread has ended with an error or a panic.
    pub(super) fn has_failed(&self) -> bool {
        self.gauge.failed.load(Ordering::Acquire)
    }
}

impl Drop for EncoderThread {
    /// The thread ends by itself; if it hangs, what it makes later is void.
    fn drop(&mut self) {
        self.gauge.abandoned.store(!self.finishes, Ordering::Release);
    }
}

/// What lives on the thread.
struct Work {
    variant: u8,
    encoder: RungEncoder,
    outlet: Outlet,
    gauge: Arc<Gauge>,
    faults: Faults,
    /// Of the pictures that the encoder has not given back yet.
    inside: VecDeque<Moment>,
    /// What a call brought out, on its way to the outlet.
    made: Vec<EncodedUnit>,
}

impl Work {
    fn run(&mut self, inbox: &Receiver<Order>) -> Result<(), RungEncoderError> {
        while let Ok(order) = inbox.recv_blocking() {
            match order {
                Order::Picture(picture) => self.encode(&picture)?,
                Order::Bitrate(bitrate) => self.encoder.set_bitrate(bitrate)?,
                Order::Flush(done) => {
                    let called = self.begin_call();
                    let made = &mut self.made;
                    self.encoder.flush(&mut |unit| made.push(unit))?;
                    self.end_call(called);
                    let _ = done.try_send(());
                }
            }
            if self.gauge.abandoned.load(Ordering::Acquire) {
                break;
            }
        }
        Ok(())
    }

    fn encode(&mut self, uncoded: &Uncoded) -> Result<(), RungEncoderError> {
        let Uncoded { picture, begins_segment, moment } = uncoded;
        self.gauge.mark(&self.gauge.oldest, Some(moment.arrived));
        let called = self.begin_call();
        if self.faults.strike(self.variant) {
            return Err(H264EncoderError::Failed.into());
        }
        self.inside.push_back(*moment);
        let made = &mut self.made;
        self.encoder.encode(picture.view(), *begins_segment, &mut |unit| made.push(unit))?;
        self.end_call(called);
        self.gauge.mark(&self.gauge.oldest, None);
        Ok(())
    }

    fn begin_call(&self) -> Instant {
        let called = Instant::now();
        self.gauge.mark(&self.gauge.called, Some(called));
        called
    }

    /// Sends what the call brought out: one unit for each picture, in the same order.
    fn end_call(&mut self, called: Instant) {
        self.gauge.mark(&self.gauge.called, None);
        let encode_time = called.elapsed();
        for EncodedUnit { payload, sync } in self.made.drain(..) {
            let Some(Moment { timeline, pts, arrived }) = self.inside.pop_front() else { continue };
            if self.gauge.abandoned.load(Ordering::Acquire) {
                continue;
            }
            let variant = self.variant;
            let coded = Coded { variant, timeline, pts, sync, payload, arrived, encode_time };
            self.outlet.send(Made::Coded(coded));
        }
    }
}
