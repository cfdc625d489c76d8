//! Profile, tier and level of a stream, and the codec string they make (HEVC §7.3.3, AVC-FF Annex
//! E).

use crate::bits::{BitReader, BitsError};

/// The general part of profile_tier_level().
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProfileTierLevel {
    /// general_profile_space, 0..=3; 0 in every profile that exists.
    pub profile_space: u8,
    /// High tier.
    pub high_tier: bool,
    /// general_profile_idc: 1 Main, 2 Main 10, 4 range extensions.
    pub profile_idc: u8,
    /// general_profile_compatibility_flags, flag 0 in the highest bit.
    pub compatibility: u32,
    /// The six bytes of general constraint indicator flags.
    pub constraints: [u8; 6],
    /// general_level_idc, thirty times the level.
    pub level_idc: u8,
}

impl ProfileTierLevel {
    /// Reads the general part and moves over the sub-layers, of which `max_sub_layers_minus1`
    /// (0..=6) may be described.
    pub(super) fn parse(
        r: &mut BitReader<'_>,
        max_sub_layers_minus1: u8,
    ) -> Result<Self, BitsError> {
        let first = r.byte()?;
        let compatibility = r.bits(32)?;
        let mut constraints = [0; 6];
        for byte in &mut constraints {
            *byte = r.byte()?;
        }
        let general = Self {
            profile_space: first >> 6,
            high_tier: first & 0x20 != 0,
            profile_idc: first & 0x1F,
            compatibility,
            constraints,
            level_idc: r.byte()?,
        };
        let mut described = Vec::with_capacity(usize::from(max_sub_layers_minus1));
        for _ in 0..max_sub_layers_minus1 {
            described.push((r.bit()?, r.bit()?));
        }
        if max_sub_layers_minus1 > 0 {
            r.skip(2 * usize::from(8 - max_sub_layers_minus1.min(8)))?;
        }
        for (profile, level) in described {
            r.skip(if profile { 88 } else { 0 })?;
            r.skip(if level { 8 } else { 0 })?;
        }
        Ok(general)
    }

    /// `hvc1.1.6.L93.B0`: compatibility flags in reverse, constraint bytes without the zeros at the
    /// end.
    pub fn codec_string(&self) -> String {
        let space = match self.profile_space {
            1 => "A",
            2 => "B",
            3 => "C",
            _ => "",
        };
        let tier = if self.high_tier { 'H' } else { 'L' };
        let compatibility = self.compatibility.reverse_bits();
        let mut text =
            format!("hvc1.{space}{}.{compatibility:X}.{tier}{}", self.profile_idc, self.level_idc);
        let told = self.constraints.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        for byte in self.constraints.iter().take(told) {
            text.push_str(&format!(".{byte:X}"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codec_strings_follow_annex_e() {
        let main = ProfileTierLevel {
            profile_space: 0,
            high_tier: false,
            profile_idc: 1,
            compatibility: 0x6000_0000,
            constraints: [0xB0, 0, 0, 0, 0, 0],
            level_idc: 93,
        };
        let space = ProfileTierLevel { profile_space: 1, high_tier: true, ..main };
        let main_10 = ProfileTierLevel {
            profile_idc: 2,
            compatibility: 0x2000_0000,
            constraints: [0x90, 0, 0, 0, 0, 1],
            level_idc: 150,
            ..main
        };
        let none = ProfileTierLevel { constraints: [0; 6], ..main };
        for (profile, text) in [
            (main, "hvc1.1.6.L93.B0"),
            (space, "hvc1.A1.6.H93.B0"),
            (main_10, "hvc1.2.4.L150.90.0.0.0.0.1"),
            (none, "hvc1.1.6.L93"),
        ] {
            assert_eq!(profile.codec_string(), text);
        }
    }
}
