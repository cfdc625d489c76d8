//! How much CPU a rendition may take: the API's `cpuUsageLevel`, as openh264 settings.
//!
//! | level | entropy coding | motion search and mode decision | still background |
//! |---|---|---|---|
//! | 0 | CAVLC | low complexity (SAD) | detected and skipped |
//! | 1 | CAVLC | low complexity | coded |
//! | 2 | CABAC | low complexity | coded |
//! | 3, 4 | CABAC | medium complexity (SATD) | coded |
//!
//! What each costs and gives is measured in `benches/README.md`. Level 4 is level 3: high
//! complexity, more reference pictures and adaptive quantisation give the same bytes for more CPU
//! time, so there is nothing better to offer. The rest of the settings is the same for all (design
//! §5).

use super::tuning::{Complexity, Tuning};

/// The levels of the API, 0 to 4.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum CpuUsage {
    /// 0.
    Lowest,
    /// 1.
    Low,
    /// 2, the default.
    #[default]
    Medium,
    /// 3.
    High,
    /// 4.
    Highest,
}

impl CpuUsage {
    /// Every level, from cheap to good.
    pub const ALL: [Self; 5] = [Self::Lowest, Self::Low, Self::Medium, Self::High, Self::Highest];

    /// From the API's number; numbers past the ends are the ends.
    pub const fn from_level(level: i64) -> Self {
        match level {
            i64::MIN..=0 => Self::Lowest,
            1 => Self::Low,
            2 => Self::Medium,
            3 => Self::High,
            _ => Self::Highest,
        }
    }

    /// What the level means to openh264.
    pub const fn tuning(self) -> Tuning {
        let usual = Tuning::USUAL;
        match self {
            Self::Lowest => Tuning { cabac: false, background_detection: true, ..usual },
            Self::Low => Tuning { cabac: false, ..usual },
            Self::Medium => usual,
            Self::High | Self::Highest => Tuning { complexity: Complexity::Medium, ..usual },
        }
    }

    /// The API's number.
    pub const fn level(self) -> u8 {
        self as u8
    }
}
