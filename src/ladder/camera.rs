//! Stills of the pictures that are decoded anyway: every twenty seconds a thumbnail and a preview,
//! encoded on a thread that is gone afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use riverrun_media::access_unit::VideoTrack;
use riverrun_media::codec::DecodedPicture;
use riverrun_media::picture::Colour;
use riverrun_media::still::{StillCollector, StillJob};

use super::outlet::{Made, Outlet};
use super::{STILLS_NICENESS, lower_priority};

/// Takes stills of one source.
pub(super) struct Camera {
    collector: StillCollector,
    display_size: (u32, u32),
    colour: Option<Colour>,
    outlet: Outlet,
    /// The stills before are still being encoded: this machine has no time for more.
    busy: Arc<AtomicBool>,
}

impl Camera {
    pub(super) fn new(track: &VideoTrack, outlet: Outlet) -> Self {
        Self {
            collector: StillCollector::default(),
            display_size: (track.width, track.height),
            colour: track.colour,
            outlet,
            busy: Arc::default(),
        }
    }

    /// Sees every picture; most are not wanted and cost nothing.
    pub(super) fn see(&mut self, decoded: DecodedPicture<'_>) {
        let DecodedPicture { picture, pts } = decoded;
        let job = self.collector.offer(pts, picture, self.display_size, self.colour);
        if let Some(job) = job.filter(|_| !self.busy.swap(true, Ordering::AcqRel)) {
            self.develop(job);
        }
    }

    fn develop(&self, job: StillJob) {
        let (outlet, busy) = (self.outlet.clone(), Arc::clone(&self.busy));
        let body = move || {
            lower_priority(STILLS_NICENESS);
            match job.encode() {
                Ok(stills) => outlet.send(Made::Stills(stills)),
                Err(error) => tracing::error!(%error, "no stills"),
            }
            busy.store(false, Ordering::Release);
        };
        if let Err(error) = thread::Builder::new().name("stills".to_owned()).spawn(body) {
            self.busy.store(false, Ordering::Release);
            tracing::error!(%error, "no stills");
        }
    }
}
