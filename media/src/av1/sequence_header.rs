//! Sequence header to picture size, colour, frame rate and profile (AV1 §5.5).
//!
//! Refuses pictures past [`limits::PICTURE_SIDE_MAX`] and a reserved profile.

use thiserror::Error;

use crate::bits::{BitReader, BitsError};
use crate::limits;
use crate::picture::Colour;

/// A parsed sequence header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceHeader {
    /// seq_profile: 0 Main, 1 High, 2 Professional.
    pub profile: u8,
    /// seq_level_idx of operating point 0: 4 is level 3.0, 31 no limit.
    pub level: u8,
    /// seq_tier of operating point 0: high.
    pub high_tier: bool,
    /// Frame headers have no type and no show flag: every frame is a shown key frame.
    pub reduced_still_picture: bool,
    /// Bits per sample: 8, 10 or 12.
    pub bit_depth: u8,
    /// No chroma.
    pub monochrome: bool,
    /// Chroma has half the columns.
    pub subsampling_x: bool,
    /// Chroma has half the rows.
    pub subsampling_y: bool,
    /// chroma_sample_position: 0 unknown, 1 vertical, 2 colocated.
    pub chroma_sample_position: u8,
    /// Primaries, transfer, matrix and range.
    pub colour: Colour,
    /// color_description_present_flag: the code points are told, not assumed.
    pub colour_told: bool,
    /// Largest width in pixels.
    pub width: u32,
    /// Largest height in pixels.
    pub height: u32,
    /// Display ticks per picture and ticks per second, when the distance is constant.
    pub timing: Option<(u64, u32)>,
}

/// Why a sequence header is refused. The peer's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SequenceHeaderError {
    /// Too short.
    #[error("the sequence header is damaged: {0}")]
    Bits(#[from] BitsError),
    /// A reserved profile.
    #[error("the AV1 profile {0} does not exist; 0 to 2 do")]
    Profile(u8),
    /// The picture is larger than this server packages.
    #[error("the picture is {width}x{height}; at most {max}x{max} is allowed")]
    TooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// The limit of either side.
        max: u32,
    },
}

impl SequenceHeader {
    /// Reads the payload of a sequence header OBU.
    pub fn parse(payload: &[u8]) -> Result<Self, SequenceHeaderError> {
        let mut reader = BitReader::new(payload);
        let r = &mut reader;
        let profile = r.bits(3)? as u8;
        if profile > 2 {
            return Err(SequenceHeaderError::Profile(profile));
        }
        r.bit()?; // still_picture
        let reduced_still_picture = r.bit()?;
        let operating = if reduced_still_picture {
            OperatingPoint { level: r.bits(5)? as u8, high_tier: false, timing: None }
        } else {
            OperatingPoint::parse(r)?
        };
        let (width, height) = read_size(r)?;
        if !reduced_still_picture && r.bit()? {
            r.skip(7)?; // lengths of frame ids
        }
        r.skip(3)?; // 128x128 superblocks, filter intra, intra edge filter
        if !reduced_still_picture {
            skip_tools(r)?;
        }
        r.skip(3)?; // superres, CDEF, restoration
        let mut header = Self {
            profile,
            level: operating.level,
            high_tier: operating.high_tier,
            reduced_still_picture,
            bit_depth: 8,
            monochrome: false,
            subsampling_x: true,
            subsampling_y: true,
            chroma_sample_position: 0,
            colour: Colour {
                primaries: Colour::UNSPECIFIED,
                transfer: Colour::UNSPECIFIED,
                matrix: Colour::UNSPECIFIED,
                full_range: false,
            },
            colour_told: false,
            width,
            height,
            timing: operating.timing,
        };
        header.read_colour(r)?;
        Ok(header)
    }

    /// Frames per second times 1000, rounded; `None` when not told.
    pub fn frame_rate_millis(&self) -> Option<u32> {
        let (ticks, scale) = self.timing.filter(|&(ticks, scale)| ticks > 0 && scale > 0)?;
        u32::try_from((u64::from(scale) * 1_000 + ticks / 2) / ticks).ok()
    }

    /// color_config() (§5.5.2).
    fn read_colour(&mut self, r: &mut BitReader<'_>) -> Result<(), BitsError> {
        /// BT.709 primaries, sRGB transfer and identity matrix: RGB.
        const SRGB: (u8, u8, u8) = (1, 13, 0);
        let high = r.bit()?;
        let twelve = self.profile == 2 && high && r.bit()?;
        self.bit_depth = match (high, twelve) {
            (_, true) => 12,
            (true, false) => 10,
            (false, false) => 8,
        };
        self.monochrome = self.profile != 1 && r.bit()?;
        self.colour_told = r.bit()?;
        if self.colour_told {
            self.colour.primaries = r.byte()?;
            self.colour.transfer = r.byte()?;
            self.colour.matrix = r.byte()?;
        }
        let Colour { primaries, transfer, matrix, .. } = self.colour;
        if self.monochrome {
            self.colour.full_range = r.bit()?;
            return Ok(());
        }
        if (primaries, transfer, matrix) == SRGB {
            self.colour.full_range = true;
            (self.subsampling_x, self.subsampling_y) = (false, false);
            return Ok(());
        }
        self.colour.full_range = r.bit()?;
        (self.subsampling_x, self.subsampling_y) = match (self.profile, self.bit_depth) {
            (0, _) => (true, true),
            (1, _) => (false, false),
            (_, 12) => {
                let x = r.bit()?;
                (x, x && r.bit()?)
            }
            _ => (true, false),
        };
        if self.subsampling_x && self.subsampling_y {
            self.chroma_sample_position = r.bits(2)? as u8;
        }
        Ok(())
    }
}

/// What comes before the size: operating point 0, and the clock.
struct OperatingPoint {
    level: u8,
    high_tier: bool,
    timing: Option<(u64, u32)>,
}

impl OperatingPoint {
    fn parse(r: &mut BitReader<'_>) -> Result<Self, BitsError> {
        let mut timing = None;
        let mut delay_bits = None;
        if r.bit()? {
            let (units, scale) = (r.bits(32)?, r.bits(32)?);
            if r.bit()? {
                timing = Some((u64::from(units) * (u64::from(read_uvlc(r)?) + 1), scale));
            }
            if r.bit()? {
                delay_bits = Some(r.bits(5)? as usize + 1);
                r.skip(32 + 5 + 5)?; // decoding tick, lengths of two times
            }
        }
        let display_delays = r.bit()?;
        let mut first = None;
        for _ in 0..=r.bits(5)? {
            r.skip(12)?; // operating_point_idc
            let level = r.bits(5)? as u8;
            let high_tier = level > 7 && r.bit()?;
            first.get_or_insert((level, high_tier));
            if let Some(bits) = delay_bits
                && r.bit()?
            {
                r.skip(2 * bits + 1)?;
            }
            if display_delays && r.bit()? {
                r.skip(4)?;
            }
        }
        let (level, high_tier) = first.unwrap_or_default();
        Ok(Self { level, high_tier, timing })
    }
}

fn read_size(r: &mut BitReader<'_>) -> Result<(u32, u32), SequenceHeaderError> {
    let max = limits::PICTURE_SIDE_MAX;
    let (width_bits, height_bits) = (r.bits(4)? + 1, r.bits(4)? + 1);
    let (width, height) = (r.bits(width_bits)? + 1, r.bits(height_bits)? + 1);
    if width > max || height > max {
        return Err(SequenceHeaderError::TooLarge { width, height, max });
    }
    Ok((width, height))
}

/// The coding tools between the intra edge filter and super-resolution.
fn skip_tools(r: &mut BitReader<'_>) -> Result<(), BitsError> {
    r.skip(4)?; // inter-intra, masked, warped, dual filter
    let order_hint = r.bit()?;
    if order_hint {
        r.skip(2)?; // joint compound, reference motion vectors
    }
    let screen_content = r.bit()? || r.bit()?;
    if screen_content && !r.bit()? {
        r.bit()?; // seq_force_integer_mv
    }
    if order_hint {
        r.skip(3)?;
    }
    Ok(())
}

/// §4.10.3. Numbers of 32 bits and more all mean the largest.
fn read_uvlc(r: &mut BitReader<'_>) -> Result<u32, BitsError> {
    let mut zeros = 0;
    while !r.bit()? {
        zeros += 1;
    }
    if zeros >= 32 {
        return Ok(u32::MAX);
    }
    Ok(r.bits(zeros)? + ((1_u32 << zeros) - 1))
}
