//! What the codecs made, on its way back to the broadcast, and what wakes the thread that reads its
//! publisher.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use bytes::Bytes;
use riverrun_media::still::Stills;
use riverrun_media::time::MediaTime;
use rustix::event::{EventfdFlags, eventfd};

/// Pictures that may wait: four seconds of four renditions. Whoever holds the broadcast takes
/// them within milliseconds; when nobody does, the encoders wait, and their own queues drop.
const MADE_MAX: usize = 512;

/// What comes back.
#[derive(Debug)]
pub enum Made {
    /// A picture of a rung.
    Coded(Coded),
    /// Files for those who do not watch.
    Stills(Stills),
}

/// A coded picture of a rung.
#[derive(Debug)]
pub struct Coded {
    /// Which rung.
    pub variant: u8,
    /// Of the boundary before it.
    pub timeline: u64,
    /// Presentation time, as the source's.
    pub pts: MediaTime,
    /// Decoding can start here.
    pub sync: bool,
    /// A sample of its track.
    pub payload: Bytes,
    /// When the source's unit arrived.
    pub arrived: Instant,
    /// How long the call into the encoder took that brought it out.
    pub encode_time: Duration,
}

/// The codecs' end.
#[derive(Clone)]
pub(super) struct Outlet {
    made: Sender<Made>,
    wake: Arc<OwnedFd>,
}

/// The broadcast's end.
pub(super) struct Inlet {
    made: Receiver<Made>,
    wake: Arc<OwnedFd>,
}

/// A pair of ends.
pub(super) fn pair() -> std::io::Result<(Outlet, Inlet)> {
    let wake = Arc::new(eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?);
    let (sender, receiver) = async_channel::bounded(MADE_MAX);
    let outlet = Outlet { made: sender, wake: Arc::clone(&wake) };
    Ok((outlet, Inlet { made: receiver, wake }))
}

impl Outlet {
    /// Sends it and wakes the other end. Nobody may be there any more.
    pub(super) fn send(&self, made: Made) {
        if self.made.send_blocking(made).is_ok() {
            // A counter that is full wakes as well.
            let _ = rustix::io::write(&*self.wake, &1_u64.to_ne_bytes());
        }
    }
}

impl Inlet {
    /// The next, if one is there.
    pub(super) fn poll(&self) -> Option<Made> {
        self.made.try_recv().ok()
    }

    /// Readable when something may be there.
    pub(super) fn wake(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// The wake-up was heard.
    pub(super) fn heard(&self) {
        let _ = rustix::io::read(&*self.wake, &mut [0_u8; 8]);
    }
}
