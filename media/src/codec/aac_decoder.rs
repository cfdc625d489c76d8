//! AAC to PCM: raw access units of AAC-LC and HE-AAC to interleaved 16-bit samples (AAC §4).
//!
//! Every unit that goes in is answered by a block of the same length in time, in step: the limiter
//! is off, and lost units are concealed without looking ahead. A damaged unit becomes a guess of
//! the library (noise of the same shape that fades out when more are lost), never an error: a
//! broadcast goes on.
//!
//! SBR plays 962 output samples late, in this decoder as in those of browsers and ffmpeg. Encoders
//! count that in when they stamp their units, so it is left as it is.

use thiserror::Error;

use super::ffi::CallFailed;
use super::ffi::fdk_aac_decoder::{Block, CHANNELS_MAX, Decoder};
use crate::aac::AudioSpecificConfig;

/// Largest access unit in bytes: 6144 bits for each of eight channels (AAC §4.5.3). A longer one is
/// damaged, and the library does not see it.
const UNIT_BYTES_MAX: usize = 6_144 / 8 * CHANNELS_MAX;

/// Where a channel plays, as far as a mix to stereo needs to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Speaker {
    /// Front left, and nothing else: the main pair.
    Left,
    /// Front right.
    Right,
    /// Front centre, and the only channel of mono.
    Centre,
    /// Any further channel on the left: side, back, or a second front pair.
    LeftSurround,
    /// Any further channel on the right.
    RightSurround,
    /// One channel behind the listener.
    CentreSurround,
    /// Low frequency effects.
    LowFrequency,
}

/// One decoded unit.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Pcm<'a> {
    /// Samples per second. Twice that of the configuration when SBR comes without being announced.
    pub sample_rate: u32,
    /// The speakers of the channels in the order of a WAVE file, 1 to 8.
    pub speakers: &'a [Speaker],
    /// Interleaved samples, as many as [`Self::frames`] times the channels.
    pub samples: &'a [i16],
    /// The unit was damaged and the samples are a guess.
    pub concealed: bool,
}

impl Pcm<'_> {
    /// Samples per channel.
    pub const fn frames(&self) -> usize {
        match self.speakers.len() {
            0 => 0,
            channels => self.samples.len() / channels,
        }
    }
}

/// Why there is no decoder for a configuration.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum AacDecoderError {
    /// More channels than the library has room for.
    #[error("{0} channels; at most {CHANNELS_MAX} can be decoded")]
    Channels(u8),
    /// The library refused the configuration.
    #[error("fdk-aac {call} failed with 0x{code:04X}")]
    Library {
        /// Name of the call.
        call: &'static str,
        /// What it returned (AAC_DECODER_ERROR).
        code: i32,
    },
}

impl From<CallFailed> for AacDecoderError {
    fn from(failed: CallFailed) -> Self {
        Self::Library { call: failed.call, code: failed.code }
    }
}

/// A decoder of AAC-LC and HE-AAC v1 and v2, up to 7.1 channels.
pub struct AacDecoder {
    library: Decoder,
    speakers: Vec<Speaker>,
}

impl AacDecoder {
    /// A decoder for units of this configuration. Another configuration needs another decoder.
    pub fn new(config: &AudioSpecificConfig) -> Result<Self, AacDecoderError> {
        if usize::from(config.channels()) > CHANNELS_MAX {
            return Err(AacDecoderError::Channels(config.channels()));
        }
        let library = Decoder::new(config.bytes())?;
        Ok(Self { library, speakers: Vec::with_capacity(CHANNELS_MAX) })
    }

    /// Decodes a unit, or makes up for one that is damaged. `None` when there is nothing to go by,
    /// as for damage before the first whole unit: silence belongs there.
    pub fn decode(&mut self, unit: &[u8]) -> Option<Pcm<'_>> {
        let whole = (1..=UNIT_BYTES_MAX).contains(&unit.len());
        let decoded = if whole { self.library.decode(unit) } else { None };
        let block = decoded.or_else(|| self.library.conceal())?;
        self.speakers.clear();
        self.speakers.extend(speakers(&block));
        Some(Pcm {
            sample_rate: block.sample_rate,
            speakers: &self.speakers,
            samples: self.library.samples(&block),
            concealed: block.concealed,
        })
    }
}

/// The speakers of a block's channels, from the library's kinds (AAC table 1.19, §4.5.1.2.1).
///
/// The first front pair in the bit stream is the main one. That is not what channel configuration 7
/// says (it puts a pair between centre and left first), but what encoders mean by it: they code
/// ordinary 7.1 that way.
fn speakers(block: &Block) -> impl Iterator<Item = Speaker> {
    const FRONT: u32 = 1;
    const LOW_FREQUENCY: u32 = 4;
    /// Bits for kinds at the height of the ears; others lie above or below.
    const KIND: u32 = 0x0F;
    let places = &block.places[..block.channels];
    let count = |kind| places.iter().filter(|place| place.0 == kind).count();
    places.iter().map(move |&(kind, number)| {
        let number = usize::from(number);
        let odd = count(kind) % 2 == 1;
        match kind & KIND {
            LOW_FREQUENCY => Speaker::LowFrequency,
            FRONT if kind == FRONT => match (odd, number) {
                (true, 0) => Speaker::Centre,
                (true, 1) | (false, 0) => Speaker::Left,
                (true, 2) | (false, 1) => Speaker::Right,
                (true, number) if number % 2 == 1 => Speaker::LeftSurround,
                (false, number) if number.is_multiple_of(2) => Speaker::LeftSurround,
                _ => Speaker::RightSurround,
            },
            // A single channel behind comes last of its kind.
            _ if odd && number + 1 == count(kind) => Speaker::CentreSurround,
            _ if number.is_multiple_of(2) => Speaker::LeftSurround,
            _ => Speaker::RightSurround,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::AacEncoderConfig;
    use crate::codec::judge::{adts, ffmpeg};
    use crate::codec::testing::{Coded, HE, HE_V2, LC, encode};

    const RATE: u32 = 48_000;

    fn click(channels: u8, object_type: u32, bitrate: u32) -> Coded {
        let channels_len = usize::from(channels);
        let mut pcm = vec![0; 40_000 * channels_len];
        pcm[20_000 * channels_len..20_024 * channels_len].fill(20_000);
        encode(AacEncoderConfig { sample_rate: RATE, channels, bitrate }, object_type, &pcm)
    }

    fn first_channel(coded: &Coded) -> Vec<i16> {
        let mut decoder = AacDecoder::new(&coded.config).unwrap();
        let mut samples = Vec::new();
        for unit in &coded.units {
            let pcm = decoder.decode(unit).unwrap();
            assert!(!pcm.concealed);
            assert_eq!(pcm.sample_rate, RATE);
            assert_eq!(pcm.speakers.len(), usize::from(coded.config.channels()));
            assert_eq!(pcm.frames() as u32, coded.config.samples_per_unit());
            samples.extend(pcm.samples.iter().step_by(pcm.speakers.len()));
        }
        samples
    }

    fn loudest(samples: &[i16]) -> usize {
        let loudest = samples.iter().enumerate().max_by_key(|(_, sample)| sample.unsigned_abs());
        loudest.unwrap().0
    }

    /// In step with ffmpeg's decoder, SBR's lag included.
    #[test]
    fn a_click_is_where_ffmpeg_hears_it() {
        for (channels, object_type, bitrate) in [
            (1, LC, 96_000),
            (2, LC, 192_000),
            (6, LC, 400_000),
            (2, HE, 64_000),
            (2, HE_V2, 48_000),
        ] {
            let coded = click(channels, object_type, bitrate);
            let ours = loudest(&first_channel(&coded));
            assert!(ours.abs_diff(20_012 + coded.delay as usize) < 24, "{object_type}: {ours}");
            // ADTS tells the core's rate and channels: 3 is 48 kHz, 6 is 24 kHz.
            let core = if object_type == HE_V2 { 1 } else { channels };
            let rate_index = if object_type == LC { 3 } else { 6 };
            let stream = adts(coded.units.iter().map(|unit| &unit[..]), rate_index, core);
            let decoded = ffmpeg(&["-f", "aac", "-i", "-", "-f", "s16le", "-"], &stream);
            let frame = 2 * usize::from(coded.config.channels());
            let theirs: Vec<i16> = decoded
                .chunks_exact(frame)
                .map(|frame| i16::from_le_bytes([frame[0], frame[1]]))
                .collect();
            let theirs = loudest(&theirs);
            assert!(ours.abs_diff(theirs) < 24, "{object_type}: {ours}, ffmpeg {theirs}");
        }
    }

    #[test]
    fn channels_come_in_the_order_of_a_wave_file() {
        use Speaker::{
            Centre, CentreSurround, Left, LeftSurround, LowFrequency, Right, RightSurround,
        };
        let layouts: [&[Speaker]; 6] = [
            &[Centre],
            &[Left, Right],
            &[Left, Right, Centre],
            &[Left, Right, Centre, CentreSurround],
            &[Left, Right, Centre, LeftSurround, RightSurround],
            &[Left, Right, Centre, LowFrequency, LeftSurround, RightSurround],
        ];
        for (channels, layout) in (1..).zip(layouts) {
            let config = AacEncoderConfig {
                sample_rate: RATE,
                channels,
                bitrate: 64_000 * u32::from(channels),
            };
            let coded = encode(config, LC, &vec![0; 4_096 * usize::from(channels)]);
            let mut decoder = AacDecoder::new(&coded.config).unwrap();
            assert_eq!(decoder.decode(&coded.units[1]).unwrap().speakers, layout);
        }
    }

    #[test]
    fn a_configuration_the_library_refuses_is_refused() {
        // A program config element with sixteen channels: five, five and six single ones.
        let mut bits = "00010".to_owned() + "0011" + "0000" + "000";
        bits +=
            &("0000".to_owned() + "01" + "0011" + "0101" + "0101" + "0110" + "00" + "000" + "0000");
        bits += "000";
        bits += &"00000".repeat(16);
        while !bits.len().is_multiple_of(8) {
            bits.push('0');
        }
        bits += "00000000";
        let bytes: Vec<u8> = bits
            .as_bytes()
            .chunks(8)
            .map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | (bit - b'0')))
            .collect();
        let config = AudioSpecificConfig::parse(&bytes).unwrap();
        assert_eq!(config.channels(), 16);
        assert_eq!(AacDecoder::new(&config).err(), Some(AacDecoderError::Channels(16)));
    }

    /// T16, T21: made and dropped without a unit, and moved to another thread.
    #[test]
    fn decoders_come_and_go() {
        const fn movable<T: Send>() {}
        movable::<AacDecoder>();
        let coded = click(2, HE, 64_000);
        for round in 0..200 {
            let mut decoder = AacDecoder::new(&coded.config).unwrap();
            for unit in coded.units.iter().take(round % 3) {
                assert!(decoder.decode(unit).is_some());
            }
        }
    }
}
