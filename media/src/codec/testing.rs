//! Coded sound for the tests of this room: HE-AAC and more than two channels, which the server
//! itself never encodes.

use bytes::Bytes;

use super::AacEncoderConfig;
use super::ffi::fdk_aac::Encoder;
use crate::aac::AudioSpecificConfig;

/// AAC-LC.
pub(crate) const LC: u32 = 2;
/// HE-AAC: with SBR.
pub(crate) const HE: u32 = 5;
/// HE-AAC v2: with SBR and parametric stereo.
pub(crate) const HE_V2: u32 = 29;

/// What an encoder wrote.
pub(crate) struct Coded {
    pub(crate) config: AudioSpecificConfig,
    /// Samples from input to output, decoder included.
    pub(crate) delay: i64,
    pub(crate) units: Vec<Bytes>,
}

/// Encodes interleaved samples by fdk-aac. The last unit may have silence at its end.
pub(crate) fn encode(config: AacEncoderConfig, object_type: u32, pcm: &[i16]) -> Coded {
    let mut encoder = Encoder::of_object_type(&config, object_type).unwrap();
    let description = encoder.describe().unwrap();
    let block = description.samples_per_unit as usize * usize::from(config.channels);
    let mut unit = vec![0; description.unit_bytes_max];
    let mut units = Vec::new();
    for samples in pcm.chunks(block) {
        let mut whole = samples.to_vec();
        whole.resize(block, 0);
        let (taken, written) = encoder.encode(&whole, &mut unit).unwrap();
        assert_eq!(taken, block);
        if written > 0 {
            units.push(Bytes::copy_from_slice(&unit[..written]));
        }
    }
    while let Some(written) = encoder.flush(&mut unit).unwrap() {
        units.push(Bytes::copy_from_slice(&unit[..written]));
    }
    let config = AudioSpecificConfig::parse(&description.config).unwrap();
    Coded { config, delay: i64::from(description.delay), units }
}
