//! What every broadcast's media goes through, as the operator set it.

use std::time::Duration;

use riverrun_media::ladder::PauseIdle;

use crate::cores::Cores;
use crate::ladder::{Demand, LadderControl};
use crate::sound::SoundSetting;

/// See the module's text. Clones share the ladder's setting and the demand.
#[derive(Clone)]
pub struct Pipeline {
    /// Which renditions are made; may change while a broadcast is on.
    pub ladder: LadderControl,
    /// What becomes of the sound.
    pub sound: SoundSetting,
    /// When a rendition is not encoded.
    pub idle: IdleSetting,
    /// What viewers ask for.
    pub demand: Demand,
    /// Where codecs run.
    pub cores: Cores,
}

/// When an encoded rendition that nobody watches is paused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IdleSetting {
    /// Whether at all.
    pub pause: PauseIdle,
    /// After so long without a request.
    pub after: Duration,
}
