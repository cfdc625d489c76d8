//! Settings of an H.264 encoder that are ours to choose, not the operator's: what each level of
//! [`CpuUsage`](super::CpuUsage) stands for, and what `benches/run.sh study` compares it with.

/// How hard openh264 searches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Complexity {
    /// Modes by SAD, quick motion search.
    Low,
    /// Modes by SATD.
    Medium,
    /// As medium, without any short cut.
    High,
}

/// Who decides how coarsely a picture is quantised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RateControl {
    /// Ours (`rate.rs`): one quantiser for a picture, bits planned for a segment. An IDR picture is
    /// quantised so many steps finer than those after it.
    Segment {
        /// 0 to 12; 6 are half the step size.
        sync_gain: u8,
    },
    /// openh264's by bit rate: quantisers that change within a picture, bits planned for eight
    /// pictures. An IDR picture may take so many percent of a mean picture's bits.
    Library {
        /// 100 to 3000.
        sync_percent: u16,
    },
    /// openh264's by quality, which may skip pictures if it is allowed to; it is not.
    LibraryQuality,
    /// openh264's by the pictures' times.
    LibraryTimes,
}

/// The settings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tuning {
    /// CABAC, else CAVLC.
    pub cabac: bool,
    /// Search.
    pub complexity: Complexity,
    /// Who holds the bit rate.
    pub rate: RateControl,
    /// Offset of both thresholds of the deblocking filter (H.264 §7.4.3), -6 to 6; `None` for no
    /// filter.
    pub deblocking: Option<i8>,
    /// Blocks that look like the picture before are skipped without a search.
    pub background_detection: bool,
    /// openh264's filter before encoding.
    pub denoise: bool,
    /// Pictures that prediction may come from, 1 to 4.
    pub references: u8,
}

impl Tuning {
    /// What all levels have in common.
    pub const USUAL: Self = Self {
        cabac: true,
        complexity: Complexity::Low,
        rate: RateControl::Segment { sync_gain: 4 },
        deblocking: Some(-4),
        background_detection: false,
        denoise: false,
        references: 1,
    };
}
