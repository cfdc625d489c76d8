//! Other renditions while a broadcast is on, from its next segment on and without a discontinuity.

use std::sync::Arc;

use super::{Input, Offer, Segmenter};
use crate::hls::alignment::LineupChange;
use crate::hls::lineup::Lineup;
use crate::hls::names::RenditionId;
use crate::hls::rungs::RungChange;
use crate::hls::track_shape::TrackShape;
use crate::hls::update::Change;

impl Segmenter {
    /// The next segment, and those after it, have these renditions of the source's pictures. Rungs
    /// of the lineup before that stand in this one go on; the others end with the segment that is
    /// open now.
    ///
    /// Gives what [`Boundary::lineup`] of that segment will be. `None`, and nothing changes: no
    /// pictures come in at the moment, the change before is under way, or a number of the lineup
    /// before stands for other pictures.
    ///
    /// [`Boundary::lineup`]: crate::hls::Boundary::lineup
    pub fn change_lineup(&mut self, lineup: Lineup) -> Option<u64> {
        if self.is_changing() {
            return None;
        }
        match &mut self.input {
            Input::None => return None,
            Input::Probing { offer, .. } | Input::Running { offer, .. }
                if offer.tracks.video.is_none() || !agree(&offer.lineup, &lineup) =>
            {
                return None;
            }
            Input::Probing { offer, .. } => offer.lineup = lineup,
            Input::Running { .. } => self.announce(lineup),
        }
        self.lineup += 1;
        Some(self.lineup)
    }

    /// A change of the lineup is not complete: it waits for its segment, or for the last pictures
    /// of a rung that ends.
    pub fn is_changing(&self) -> bool {
        matches!(&self.input, Input::Running { alignment, .. } if alignment.is_changing())
    }

    fn announce(&mut self, lineup: Lineup) {
        let Input::Running { offer, anchor, alignment } = &mut self.input else { return };
        let Some(broadcast) = &mut self.broadcast else { return };
        let anchor = *anchor;
        let msn = alignment.next_cut();
        let former = std::mem::replace(&mut offer.lineup, lineup);
        let Offer { tracks, lineup } = &*offer;
        let mut renditions = Vec::with_capacity(2 + lineup.rungs.len());
        if let Some(track) = &tracks.video {
            let shape = TrackShape::of_source(lineup, track);
            renditions.extend(broadcast.open(shape, anchor, msn, false).0);
        }
        let (mut kept, mut new) = (Vec::new(), Vec::new());
        for rung in &lineup.rungs {
            let shape = TrackShape::of_rung(rung.variant, &rung.track);
            let (rendition, writer) = broadcast.open(shape, anchor, msn, false);
            renditions.extend(rendition);
            if former.rungs.iter().any(|before| before.variant == rung.variant) {
                kept.push(rung.variant);
            } else {
                new.push((rung.variant, writer));
            }
        }
        if let Some(track) = &tracks.audio {
            renditions.extend(broadcast.open(TrackShape::of_audio(track), anchor, msn, false).0);
        }
        // The timeline that is running counts once its first segment is not the broadcast's.
        let after_break = self.next_msn > broadcast.presentation.first_msn;
        let discontinuity_sequence = self.next_discontinuity_sequence + u64::from(after_break);
        let update = Change { first_msn: msn, discontinuity_sequence, renditions };
        alignment.change(LineupChange {
            leader: lineup.source.map(RenditionId::Video),
            rungs: RungChange { kept, new, lineup: self.lineup + 1 },
            update: Arc::new(update),
        });
    }
}

/// Whether no number of both stands for different pictures.
fn agree(former: &Lineup, next: &Lineup) -> bool {
    let source = |lineup: &Lineup, variant| lineup.source == Some(variant);
    let mut rungs = next.rungs.iter();
    let same = rungs.all(|rung| {
        let before = former.rungs.iter().find(|before| before.variant == rung.variant);
        before.is_none_or(|before| before.track == rung.track) && !source(former, rung.variant)
    });
    same && !former.rungs.iter().any(|rung| source(next, rung.variant))
}
