//! Coded pictures on their way back to the broadcast, and what wakes the thread that reads its
//! publisher.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Instant;

use async_channel::{Receiver, Sender};
use bytes::Bytes;
use riverrun_media::time::MediaTime;
use rustix::event::{EventfdFlags, eventfd};

/// Coded pictures that may wait: four seconds of four renditions. Whoever holds the broadcast takes
/// them within milliseconds; when nobody does, the encoders wait, and their own queues drop.
const CODED_MAX: usize = 512;

/// A coded picture of a rung.
#[derive(Debug)]
pub struct Coded {
    /// Which rung.
    pub variant: u8,
    /// Of the boundary before it.
    pub timeline: u64,
    /// Presentation time, as the source's.
    pub pts: MediaTime,
    /// An IDR picture.
    pub sync: bool,
    /// NAL units with lengths.
    pub payload: Bytes,
    /// When the source's unit arrived.
    pub arrived: Instant,
}

/// The encoders' end.
#[derive(Clone)]
pub(super) struct Outlet {
    coded: Sender<Coded>,
    wake: Arc<OwnedFd>,
}

/// The broadcast's end.
pub(super) struct Inlet {
    coded: Receiver<Coded>,
    wake: Arc<OwnedFd>,
}

/// A pair of ends.
pub(super) fn pair() -> std::io::Result<(Outlet, Inlet)> {
    let wake = Arc::new(eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?);
    let (sender, receiver) = async_channel::bounded(CODED_MAX);
    let outlet = Outlet { coded: sender, wake: Arc::clone(&wake) };
    Ok((outlet, Inlet { coded: receiver, wake }))
}

impl Outlet {
    /// Sends a picture and wakes the other end. Nobody may be there any more.
    pub(super) fn send(&self, coded: Coded) {
        if self.coded.send_blocking(coded).is_ok() {
            // A counter that is full wakes as well.
            let _ = rustix::io::write(&*self.wake, &1_u64.to_ne_bytes());
        }
    }
}

impl Inlet {
    /// The next picture, if one is there.
    pub(super) fn poll(&self) -> Option<Coded> {
        self.coded.try_recv().ok()
    }

    /// Readable when a picture may be there.
    pub(super) fn wake(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// The wake-up was heard.
    pub(super) fn heard(&self) {
        let _ = rustix::io::read(&*self.wake, &mut [0_u8; 8]);
    }
}
