//! Whether a track must be transcoded.
//!
//! Passed through is what all of Chromium, Firefox, Safari and the decoders of Windows and Android
//! play: AAC-LC and HE-AAC, mono or stereo, 1024 samples to a unit, at one of the nine rates from
//! 8 to 48 kHz that Windows' decoder takes (the narrowest of them). HE-AAC stays because each
//! of them decodes SBR and parametric stereo, and coding it anew would double the bit rate for less
//! quality. What the server cannot decode (Opus, FLAC, AC-3, MP3) stays as well; the source's own
//! notice tells the streamer who can play it.

use std::fmt;

use crate::access_unit::{AudioCodec, AudioTrack};

/// Rates that every player's decoder takes, in hertz.
const SAMPLE_RATES: [u32; 9] =
    [48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000];
/// More channels need a player that mixes them down, and a browser that admits to it.
const CHANNELS_MAX: u8 = 2;

/// Why a track must be transcoded. Its text tells the streamer, and which setting avoids it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// So many channels.
    Channels(u8),
    /// A rate in hertz that some decoders refuse.
    SampleRate(u32),
    /// The speakers are told by a program config element, which browsers do not read.
    Layout,
    /// So many samples to a unit of the core codec instead of 1024.
    UnitLength(u32),
}

impl Need {
    /// `None` for a track that players take as it is, and for codecs that cannot be decoded here.
    pub fn of(track: &AudioTrack) -> Option<Self> {
        let AudioCodec::Aac(config) = &track.codec else { return None };
        if config.channels() > CHANNELS_MAX {
            return Some(Self::Channels(config.channels()));
        }
        if !SAMPLE_RATES.contains(&config.output_sample_rate()) {
            return Some(Self::SampleRate(config.output_sample_rate()));
        }
        if config.has_program_config() {
            return Some(Self::Layout);
        }
        match config.samples_per_unit() {
            1_024 | 2_048 => None,
            samples => Some(Self::UnitLength(samples)),
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channels(channels) => write!(
                f,
                "the sound has {channels} channels, which some browsers cannot play: it is mixed \
                 to stereo; set the encoder to stereo to mix it yourself"
            ),
            Self::SampleRate(rate) => write!(
                f,
                "the sound has {rate} samples a second, which some browsers cannot play: it is \
                 resampled; set the encoder to 48 kHz to avoid it"
            ),
            Self::Layout => f.write_str(
                "the sound tells its channels in a way that browsers cannot read: it is coded \
                 anew; set the encoder to stereo or mono to avoid it",
            ),
            Self::UnitLength(samples) => write!(
                f,
                "the sound has {samples} samples in a unit, which some browsers cannot play: it \
                 is coded anew; set the encoder to units of 1024 samples to avoid it"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aac::AudioSpecificConfig;
    use crate::opus::OpusConfig;

    fn track(codec: AudioCodec) -> AudioTrack {
        AudioTrack::of(codec, None)
    }

    fn aac(bytes: &[u8]) -> AudioTrack {
        track(AudioCodec::Aac(AudioSpecificConfig::parse(bytes).unwrap()))
    }

    #[test]
    fn what_every_player_takes_passes_and_the_rest_does_not() {
        let lc = |rate, channels| {
            track(AudioCodec::Aac(AudioSpecificConfig::lc(rate, channels).unwrap()))
        };
        let cases = [
            ("LC 48 kHz stereo", lc(48_000, 2), None),
            ("LC 44.1 kHz mono", lc(44_100, 1), None),
            ("LC 22.05 kHz stereo", lc(22_050, 2), None),
            ("LC 8 kHz mono", lc(8_000, 1), None),
            ("LC 7.35 kHz", lc(7_350, 1), Some(Need::SampleRate(7_350))),
            ("LC 64 kHz", lc(64_000, 2), Some(Need::SampleRate(64_000))),
            ("LC 96 kHz", lc(96_000, 2), Some(Need::SampleRate(96_000))),
            ("a rate of its own", lc(47_000, 2), Some(Need::SampleRate(47_000))),
            ("5.1", lc(48_000, 6), Some(Need::Channels(6))),
            ("7.1 at 96 kHz", lc(96_000, 8), Some(Need::Channels(8))),
            ("HE-AAC 48 kHz stereo", aac(&[0x2B, 0x11, 0x88, 0x00]), None),
            ("HE-AAC v2 48 kHz", aac(&[0xEB, 0x09, 0x88, 0x00]), None),
            ("960 samples", aac(&[0x11, 0x94]), Some(Need::UnitLength(960))),
            ("Opus", track(AudioCodec::Opus(OpusConfig::stereo())), None),
        ];
        for (name, track, need) in cases {
            assert_eq!(Need::of(&track), need, "{name}: {track:?}");
            if let Some(need) = need {
                assert!(need.to_string().contains("set the encoder"), "{need}");
            }
        }
    }
}
