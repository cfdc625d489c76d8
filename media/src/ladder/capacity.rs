//! What renditions cost on a machine, whether they fit on it, and what would.

use super::plan::{PlannedRung, SourcePicture};
use super::setting::{EncodeSetting, RungCodec, Variant};
use crate::codec::Av1EncoderConfig;

/// Milliseconds of one core for a million pixels, measured by `riverrun doctor` on a core of a
/// rented machine: decoding 1080p of 6 Mbit/s and 720p of 4 Mbit/s (5.5 to 7.8), scaling included.
const DECODE_MS_PER_MEGAPIXEL: f64 = 6.5;
/// The same for encoding H.264 at CPU level 2 (7 to 11.5, film and drawn pictures alike).
const H264_MS_PER_MEGAPIXEL: f64 = 8.0;
/// The same for encoding AV1 by rav1e at its fastest: 360p 176, 240p 210.
const AV1_MS_PER_MEGAPIXEL: f64 = 200.0;
/// The share of all cores that a ladder may take; the rest serves viewers.
pub const LADDER_SHARE_MAX: f64 = 0.6;
/// A ladder that takes more than this share of all cores is tight: three quarters of what an
/// automatic one may take, so that a busier scene or another program is felt.
pub const TIGHT_SHARE: f64 = 0.45;
/// The share of its core that a thread of an AV1 encoder may be busy with pictures of usual
/// difficulty: scenes with more to code need room too.
const AV1_THREAD_SHARE_MAX: f64 = 0.7;
/// Heights that are offered instead of a larger one, or widths of upright pictures.
const SIDES: [u32; 7] = [720, 480, 360, 270, 240, 180, 144];
/// Fewest pictures a second that are offered instead of more.
const FRAME_RATE_MIN: u32 = 10;

/// Cores that decoding takes.
pub(super) fn decoding(source: &SourcePicture) -> f64 {
    source.pixels_per_second() * DECODE_MS_PER_MEGAPIXEL / 1e9
}

/// Cores that encoding takes.
pub(super) fn encoding(rung: &PlannedRung) -> f64 {
    let ms_per_megapixel = match rung.codec {
        RungCodec::H264 { .. } => H264_MS_PER_MEGAPIXEL,
        RungCodec::Av1 => AV1_MS_PER_MEGAPIXEL,
    };
    rung.pixels_per_second() * ms_per_megapixel / 1e9
}

/// Cores that a ladder may have.
pub(super) const fn free(cores: usize) -> f64 {
    LADDER_SHARE_MAX * cores as f64
}

/// Threads that keep up with an AV1 rung, or the most that may be had.
pub(super) fn av1_threads(rung: &PlannedRung, cores: usize) -> usize {
    let load = encoding(rung);
    let mut threads = 1;
    while threads < Av1EncoderConfig::THREADS_MAX.min(cores)
        && load > AV1_THREAD_SHARE_MAX * threads as f64
    {
        threads *= 2;
    }
    threads
}

/// Whether an AV1 rung fits into what is `left` of the cores.
pub(super) fn av1_fits(rung: &PlannedRung, left: f64) -> bool {
    encoding(rung) <= left.min(within_threads(rung))
}

/// Cores that the threads of an AV1 rung keep busy.
const fn within_threads(rung: &PlannedRung) -> f64 {
    AV1_THREAD_SHARE_MAX * rung.threads as f64
}

/// What is said of an AV1 rung that does not fit; `planned` makes rungs of other settings.
pub(super) fn refusal(
    setting: &EncodeSetting,
    rung: &PlannedRung,
    left: f64,
    planned: impl Fn(&EncodeSetting) -> Option<PlannedRung>,
) -> String {
    let fits = |setting: &EncodeSetting| planned(setting).is_some_and(|rung| av1_fits(&rung, left));
    // Bits for the larger picture would be too many.
    let upright = rung.size.width() < rung.size.height();
    let smaller = |side| {
        let (width, height) = if upright { (side, 0) } else { (0, side) };
        EncodeSetting { width, height, bitrate_kbit: 0, ..*setting }
    };
    let side = rung.size.width().min(rung.size.height());
    let smaller = SIDES.into_iter().filter(|other| *other < side).map(smaller).find(fits);
    let rate = rung.frame_rate_millis / 2_000;
    let slower = EncodeSetting { frame_rate: rate, ..*setting };
    let slower = Some(slower).filter(|slower| rate >= FRAME_RATE_MIN && fits(slower));
    let offers: Vec<_> =
        [smaller, slower].into_iter().flatten().map(|o| Variant::Encode(o).to_string()).collect();
    let advice = if offers.is_empty() {
        "nothing smaller would fit either; leave it out, or encode less in H.264".to_owned()
    } else {
        format!("{} would fit", offers.join(" or "))
    };
    let limit = if left < within_threads(rung) {
        let left = left.max(0.0);
        format!(
            "this machine has {left:.1} left for it beside the other renditions and the viewers"
        )
    } else {
        format!("the {} threads that it may have keep up with less", rung.threads)
    };
    format!(
        "AV1 of {}x{} pictures, {} times a second, takes {:.1} cores, and {limit}: {advice}",
        rung.size.width(),
        rung.size.height(),
        rung.frame_rate_millis / 1_000,
        encoding(rung),
    )
}
