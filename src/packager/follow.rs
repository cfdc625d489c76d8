//! What changes in a ladder while it is on air: other settings, and rungs that nobody asks for.

use std::time::Instant;

use riverrun_media::ladder::{
    LadderSetting, Plan, RungSet, VariantNumbers, plan_for_rare_keyframes,
};

use super::Packager;

/// What was in force before a change that may still fail.
pub(super) struct Former {
    setting: LadderSetting,
    numbers: VariantNumbers,
}

impl Packager {
    /// Follows the operator's setting, and the source's keyframes where the ladder is automatic
    /// (PL-4): encoders are made beside the running ones, and the segmenter takes them with its
    /// next segment. One change at a time; of several that are set meanwhile the last counts.
    pub(super) fn follow_setting(&mut self) {
        let Some(ladder) = &mut self.ladder else { return };
        if let Some(prepared) = ladder.poll_prepared() {
            let taken = match prepared {
                Ok(lineup) => self.segmenter.change_lineup(lineup),
                Err(error) => {
                    tracing::error!(%error, "an encoder cannot be made");
                    None
                }
            };
            ladder.commit(taken);
            match (taken, self.former.take()) {
                (None, Some(former)) => self.put_back(former),
                (Some(_), _) => self.decide_pauses(),
                (None, None) => {}
            }
            return;
        }
        let control = &self.pipeline.ladder;
        let busy = ladder.is_changing() || self.segmenter.is_changing();
        let rare = self.rare_keyframes || self.segmenter.keyframes_too_rare();
        let turned_rare = rare != self.rare_keyframes;
        if busy || (control.version() == self.setting_version && !turned_rare) {
            return;
        }
        let (setting, version) = control.current();
        (self.setting_version, self.rare_keyframes) = (version, rare);
        let cores = control.cores();
        let for_rare = rare.then(|| plan_for_rare_keyframes(&setting, ladder.track(), cores));
        let for_rare = for_rare.flatten();
        if setting == self.setting && !(turned_rare && for_rare.is_some()) {
            return;
        }
        if turned_rare && for_rare.is_some() {
            tracing::warn!(
                "keyframes are so far apart that viewers who come would wait for them: the \
                 pictures are encoded anew. Set the encoder's keyframe interval to 2 s"
            );
        }
        let checked = for_rare.map_or_else(|| setting.check(ladder.track(), cores), Ok);
        let numbers = checked.as_ref().map(|plan| VariantNumbers::after(ladder.plan(), plan));
        let former = Former {
            setting: std::mem::replace(&mut self.setting, setting),
            numbers: std::mem::replace(&mut self.numbers, numbers.unwrap_or_default()),
        };
        let prepared = checked.and_then(|mut plan| {
            self.numbers.number(&mut plan);
            ladder.prepare(plan).map_err(|error| error.to_string())
        });
        match prepared {
            Ok(()) => self.former = Some(former),
            Err(reason) => {
                tracing::error!(%reason, "these renditions cannot be made");
                self.put_back(former);
            }
        }
    }

    /// The change cannot be made: what is on air stays in force.
    fn put_back(&mut self, former: Former) {
        let Former { setting, numbers } = former;
        tracing::error!(refused = %self.setting, kept = %setting, "renditions stay as they are");
        self.pipeline.ladder.put_back(self.setting_version, setting.clone());
        (self.setting, self.numbers) = (setting, numbers);
    }

    /// Rungs that nobody asks for have no pictures from the next segment on. One that is asked for
    /// again has them with the next segment, so demand for it is looked at more often than once a
    /// second.
    pub(super) fn pause_idle(&mut self, now: Instant, second_is_over: bool) {
        let demand = &self.pipeline.demand;
        let wanted = demand.peek().0 & self.paused.0 != 0;
        if !second_is_over && !wanted {
            return;
        }
        self.idle.note(now, demand.take());
        let Some(ladder) = &mut self.ladder else { return };
        let idle = self.idle.idle(now, ladder.plan());
        let paused = if self.pauses { idle } else { RungSet::default() };
        if paused == self.paused {
            return;
        }
        for variant in ladder.plan().variants() {
            match (self.paused.has(variant), paused.has(variant)) {
                (false, true) => tracing::info!(variant, "nobody watches: a rendition is paused"),
                (true, false) => tracing::info!(variant, "a paused rendition goes on"),
                (false, false) | (true, true) => {}
            }
        }
        self.paused = paused;
        ladder.pause(paused);
    }

    /// Whether rungs of the ladder that is on air, or will be, may be paused.
    pub(super) fn decide_pauses(&mut self) {
        let Some(ladder) = &self.ladder else { return };
        let share = |plan: &Plan| plan.share(ladder.track(), self.pipeline.ladder.cores());
        self.pauses = self.pipeline.idle.pause.applies(share(ladder.newest_plan()));
    }
}
