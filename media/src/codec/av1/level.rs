//! The level that a stream of pictures needs (AV1 §A.3): decoders in hardware refuse what announces
//! more than they can do, and rav1e would announce the greatest.

use super::Av1EncoderConfig;

/// seq_level_idx of "no limit".
const MAXIMUM_PARAMETERS: u8 = 31;

/// What a level allows in the main tier.
struct Level {
    /// seq_level_idx.
    index: u8,
    picture_pixels: u64,
    width: u32,
    height: u32,
    pixels_per_second: u64,
    bits_per_second: u32,
}

/// A row: index, pixels of a picture, width, height, pixels a second, 100 kbit/s.
const fn level(index: u8, area: u64, width: u32, height: u32, rate: u64, bits: u32) -> Level {
    Level {
        index,
        picture_pixels: area,
        width,
        height,
        pixels_per_second: rate,
        bits_per_second: bits * 100_000,
    }
}

/// From 2.0 to 6.0, which holds every [`super::PictureSize`].
const LEVELS: [Level; 10] = [
    level(0, 147_456, 2_048, 1_152, 4_423_680, 15),
    level(1, 278_784, 2_816, 1_584, 8_363_520, 30),
    level(4, 665_856, 4_352, 2_448, 19_975_680, 60),
    level(5, 1_065_024, 5_504, 3_096, 31_950_720, 100),
    level(8, 2_359_296, 6_144, 3_456, 70_778_880, 120),
    level(9, 2_359_296, 6_144, 3_456, 141_557_760, 200),
    level(12, 8_912_896, 8_192, 4_352, 267_386_880, 300),
    level(13, 8_912_896, 8_192, 4_352, 534_773_760, 400),
    level(14, 8_912_896, 8_192, 4_352, 1_069_547_520, 600),
    level(16, 35_651_584, 16_384, 8_704, 1_069_547_520, 600),
];

/// seq_level_idx of the lowest level that holds the pictures and half as many bits again as the
/// target: the peak of a segment.
pub(super) fn of(config: &Av1EncoderConfig) -> u8 {
    let (width, height) = (config.size.width(), config.size.height());
    let pixels = u64::from(width) * u64::from(height);
    let rate = pixels * u64::from(config.frame_rate_millis) / 1_000;
    let peak = config.bitrate.saturating_add(config.bitrate / 2);
    let holds = |level: &&Level| {
        pixels <= level.picture_pixels
            && width <= level.width
            && height <= level.height
            && rate <= level.pixels_per_second
            && peak <= level.bits_per_second
    };
    LEVELS.iter().find(holds).map_or(MAXIMUM_PARAMETERS, |level| level.index)
}
