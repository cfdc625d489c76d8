//! Other rungs in a ladder that is on air: encoders for what is new are made on a thread of their
//! own, and take over at a boundary that the segmenter chooses. What stays feels nothing.

use std::sync::Arc;
use std::thread;

use async_channel::{Receiver, TryRecvError};
use riverrun_media::access_unit::VideoTrack;
use riverrun_media::hls::{self, Lineup};
use riverrun_media::ladder::Plan;
use rustix::thread::{CpuSet, sched_setaffinity};

use super::outlet::Outlet;
use super::rung::Rung;
use super::tally::Tally;
use super::{Ladder, LadderError, StillGate, make_rung};

/// What the decoder's thread does at the boundary.
pub(super) struct Switchover {
    /// The variants from here on, in order.
    pub(super) variants: Vec<u8>,
    /// Those of them that were not there before.
    pub(super) new: Vec<Rung>,
}

/// A change on its way.
pub(super) enum Change {
    /// Encoders are being made.
    Preparing { plan: Plan, made: Receiver<Result<Vec<(Rung, hls::Rung)>, LadderError>> },
    /// They wait for the segmenter's word.
    Prepared { plan: Plan, rungs: Vec<Rung>, tracks: Vec<hls::Rung> },
    /// They begin with the first boundary of this lineup.
    Awaited { plan: Plan, rungs: Vec<Rung>, tracks: Vec<hls::Rung>, lineup: u64 },
}

impl Ladder {
    /// Makes encoders for what `plan` has and this ladder has not. Numbers that both have mean the
    /// same rung.
    pub fn prepare(&mut self, plan: Plan) -> Result<(), std::io::Error> {
        let (tell, made) = async_channel::bounded(1);
        let rungs = plan.rungs.iter().filter(|rung| !self.has(rung.variant));
        let rungs: Vec<_> = rungs.copied().collect();
        let (track, outlet) = (Arc::clone(&self.track), self.outlet.clone());
        let (tally, cores) = (Arc::clone(&self.tally), self.cores);
        let body = move || {
            let _ = tell.try_send(make_rungs(&rungs, &track, &outlet, &tally, cores));
        };
        thread::Builder::new().name("prepare".to_owned()).spawn(body)?;
        self.change = Some(Change::Preparing { plan, made });
        Ok(())
    }

    /// What was prepared, once: the lineup for the segmenter, or why there will be none.
    pub fn poll_prepared(&mut self) -> Option<Result<Lineup, impl std::error::Error + use<>>> {
        let Some(Change::Preparing { plan, made }) = &self.change else { return None };
        let made = match made.try_recv() {
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Closed) => Err(LadderError::Ended),
            Ok(made) => made,
        };
        let plan = plan.clone();
        Some(match made {
            Ok(made) => {
                let (rungs, tracks): (Vec<_>, Vec<_>) = made.into_iter().unzip();
                let known = |variant| {
                    let mut tracks = tracks.iter().chain(&self.tracks);
                    tracks.find(|track: &&hls::Rung| track.variant == variant).cloned()
                };
                let tracks: Vec<_> = plan.rungs.iter().filter_map(|r| known(r.variant)).collect();
                let lineup = super::lineup(&plan, tracks.clone());
                self.change = Some(Change::Prepared { plan, rungs, tracks });
                Ok(lineup)
            }
            Err(error) => {
                self.change = None;
                Err(error)
            }
        })
    }

    /// The segmenter took the lineup, which begins with its boundary of this number; or did not.
    pub fn commit(&mut self, lineup: Option<u64>) {
        self.change = match (self.change.take(), lineup) {
            (Some(Change::Prepared { plan, rungs, tracks }), Some(lineup)) => {
                Some(Change::Awaited { plan, rungs, tracks, lineup })
            }
            _ => None,
        };
    }

    /// A change is on its way.
    pub const fn is_changing(&self) -> bool {
        self.change.is_some()
    }

    /// The plan that will be in force once nothing changes.
    pub const fn newest_plan(&self) -> &Plan {
        match &self.change {
            Some(Change::Awaited { plan, .. }) => plan,
            _ => &self.plan,
        }
    }

    /// The rungs that take over at a boundary of this lineup.
    pub(super) fn switch_over(&mut self, reached: u64) -> Option<Box<Switchover>> {
        let awaited = self
            .change
            .take_if(|c| matches!(c, Change::Awaited { lineup, .. } if *lineup <= reached));
        let Some(Change::Awaited { plan, rungs: new, tracks, .. }) = awaited else { return None };
        let variants = plan.rungs.iter().map(|rung| rung.variant).collect();
        tracing::info!(?variants, source = ?plan.source, "other renditions begin");
        (self.plan, self.tracks) = (plan, tracks);
        Some(Box::new(Switchover { variants, new }))
    }

    /// Decodes everything, or only what stills need where nothing is encoded.
    pub(super) fn set_gate(&mut self, stills_only: bool) {
        if stills_only == self.gate.is_some() {
            return;
        }
        // What the decoder saw last may be long past: it begins with a sync picture then.
        self.skipping |= self.gate.as_ref().is_some_and(|gate| !gate.is_open());
        self.gate = stills_only.then(StillGate::default);
    }

    fn has(&self, variant: u8) -> bool {
        self.plan.rungs.iter().any(|rung| rung.variant == variant)
    }
}

fn make_rungs(
    planned: &[riverrun_media::ladder::PlannedRung],
    track: &VideoTrack,
    outlet: &Outlet,
    tally: &Arc<Tally>,
    cores: CpuSet,
) -> Result<Vec<(Rung, hls::Rung)>, LadderError> {
    // Threads of the encoders inherit it. See the decoder's.
    let _ = sched_setaffinity(None, &cores);
    planned.iter().map(|planned| make_rung(planned, track, outlet, tally)).collect()
}
