//! The setting of the ladder while the server runs: whoever may change it sets it here, and the
//! broadcast that is on air follows with its next segment.
//!
//! All or nothing: a setting that cannot be made of the source on air is refused with a sentence
//! and nothing changes. One lock, held for a copy.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use riverrun_media::access_unit::VideoTrack;
use riverrun_media::ladder::LadderSetting;
use thiserror::Error;

/// The setting in force, for this broadcast and those to come.
#[derive(Clone)]
pub struct LadderControl(Arc<Shared>);

struct Shared {
    /// Cores that encode.
    cores: usize,
    /// Count of settings so far: whoever follows looks at this several times a second.
    version: AtomicU64,
    state: Mutex<State>,
}

struct State {
    setting: LadderSetting,
    /// Pictures that come in at the moment.
    source: Option<Arc<VideoTrack>>,
}

/// A setting that was refused; the one before stays in force.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("these renditions cannot be made of what is on air: {0}")]
pub struct LadderRefused(pub String);

impl LadderControl {
    /// With the setting of the start, for encoders on so many cores.
    pub fn new(setting: LadderSetting, cores: usize) -> Self {
        let state = Mutex::new(State { setting, source: None });
        Self(Arc::new(Shared { cores, version: AtomicU64::new(0), state }))
    }

    /// What is in force, or will be with the next segment.
    pub fn setting(&self) -> LadderSetting {
        self.lock().setting.clone()
    }

    /// Puts another setting in force. A broadcast that is on air has its renditions from the next
    /// segment on; with nobody on air it is kept for who comes.
    pub fn set(&self, setting: LadderSetting) -> Result<(), LadderRefused> {
        let mut state = self.lock();
        if let Some(source) = &state.source {
            setting.check(source, self.0.cores).map_err(LadderRefused)?;
        }
        if state.setting != setting {
            state.setting = setting;
            self.0.version.fetch_add(1, Ordering::Release);
        }
        Ok(())
    }

    /// Cores that encode.
    pub(crate) fn cores(&self) -> usize {
        self.0.cores
    }

    /// Differs when another setting is in force.
    pub(crate) fn version(&self) -> u64 {
        self.0.version.load(Ordering::Acquire)
    }

    /// What is in force and its version.
    pub(crate) fn current(&self) -> (LadderSetting, u64) {
        let state = self.lock();
        (state.setting.clone(), self.version())
    }

    /// These pictures come in now.
    pub(crate) fn on_air(&self, source: Option<Arc<VideoTrack>>) {
        self.lock().source = source;
    }

    /// The setting of this version could not be made after all: the one before is in force again,
    /// unless somebody has set another since.
    pub(crate) fn put_back(&self, version: u64, former: LadderSetting) {
        let mut state = self.lock();
        if self.version() == version {
            state.setting = former;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is locked.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use riverrun_media::codec::PictureSize;
    use riverrun_media::ladder::{PlannedRung, RungCodec, RungEncoder};

    use super::*;

    /// 320x180 at 30 a second.
    fn track() -> VideoTrack {
        let rung = PlannedRung {
            variant: 0,
            size: PictureSize::new(320, 180).expect("a size"),
            frame_rate_millis: 30_000,
            bitrate: 500_000,
            codec: RungCodec::H264 { cpu_level: 0 },
            threads: 1,
        };
        RungEncoder::new(&rung, None).expect("a usual one").track().clone()
    }

    fn setting(text: &str) -> LadderSetting {
        text.parse().expect("a ladder")
    }

    #[test]
    fn a_setting_is_refused_whole_while_its_source_is_on_air() {
        let control = LadderControl::new(setting("source"), 2);
        control.set(setting("source,1x1")).expect("nobody is on air who could not have it");
        control.set(setting("source")).expect("possible");
        control.on_air(Some(Arc::new(track())));
        let before = control.version();
        let refused = control.set(setting("source,90p,1x1")).expect_err("no picture is so small");
        assert!(refused.to_string().contains("1x1 cannot be made"), "{refused}");
        assert_eq!((control.setting(), control.version()), (setting("source"), before));
        control.set(setting("source,90p")).expect("possible");
        assert_eq!(control.current(), (setting("source,90p"), before + 1));
        control.set(setting("source,90p")).expect("it is in force");
        assert_eq!(control.version(), before + 1, "nothing to follow");
    }

    #[test]
    fn what_could_not_be_made_is_put_back_unless_another_was_set() {
        let control = LadderControl::new(setting("source"), 2);
        control.set(setting("source,90p")).expect("possible");
        let (_, version) = control.current();
        control.put_back(version, setting("source"));
        assert_eq!((control.setting(), control.version()), (setting("source"), version));
        control.set(setting("source,45p")).expect("possible");
        control.put_back(version, setting("source"));
        assert_eq!(control.setting(), setting("source,45p"));
    }
}
