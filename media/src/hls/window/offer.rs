//! Which renditions are on offer while they change.
//!
//! A rendition that begins in the middle of a broadcast is offered once something of it is listed:
//! a player that chose it before would wait for nothing. Those that it replaces are offered until
//! then, but for those that have ended. One that is offered no more may go on for those who have
//! it.

use std::time::Instant;

use super::Window;
use super::rendition::RenditionWindow;
use crate::hls::playlist::media::View;
use crate::hls::update::{Change, RenditionMedia};

impl Window {
    pub(super) fn change(&mut self, now: Instant, change: &Change) {
        let mut previous = std::mem::take(&mut self.renditions);
        for rendition in &change.renditions {
            let index = previous.iter().position(|r| r.rendition.id == rendition.id);
            let mut window = match index.map(|index| previous.remove(index)) {
                Some(window) if !window.ended => window,
                other => {
                    other.into_iter().for_each(|window| self.retire(now, window));
                    let first = (change.first_msn, change.discontinuity_sequence);
                    RenditionWindow::joining(rendition.clone(), first)
                }
            };
            window.leaves = !rendition.offered;
            self.renditions.push(window);
        }
        for mut window in previous {
            window.leaves = true;
            self.renditions.push(window);
        }
    }

    /// Renditions for the multivariant playlist. All of them once all have ended.
    pub(super) fn offered(&self, view: View) -> impl Iterator<Item = &RenditionWindow> + Clone {
        let waits = move |r: &RenditionWindow| r.joins && !r.ended && !r.edge(view).listed;
        let settling = self.renditions.iter().any(waits);
        let current =
            move |r: &RenditionWindow| !r.ended && if settling { !waits(r) } else { !r.leaves };
        let pictures = |r: &RenditionWindow| match r.rendition.media {
            RenditionMedia::Video { .. } => true,
            RenditionMedia::Audio { .. } => false,
        };
        let of_pictures = |r: &&RenditionWindow| pictures(r);
        let none_left = !self.renditions.iter().any(|r| !r.ended);
        // Sound alone is no replacement for pictures that come in a moment.
        let bridging = settling && !self.renditions.iter().filter(of_pictures).any(current);
        let last = move |r: &RenditionWindow| none_left && r.rendition.offered;
        self.renditions.iter().filter(move |r| current(r) || last(r) || bridging)
    }
}
