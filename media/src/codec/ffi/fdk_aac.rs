//! The fdk-aac encoder: one handle, its settings, PCM in and raw access units out.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use fdk_aac_sys as sys;

use super::CallFailed;
use crate::codec::AacEncoderConfig;

/// AAC-LC (`audioObjectType` 2, AAC Table 1.17).
const OBJECT_TYPE_LC: u32 = 2;
/// Raw access units without ADTS or LATM framing.
const TRANSPORT_RAW: u32 = 0;
/// Channels in the order of a WAVE file.
const CHANNEL_ORDER_WAVE: u32 = 1;
/// Bytes of one interleaved 16-bit sample.
const SAMPLE_BYTES: i32 = 2;
/// `numInSamples` that asks for what is still inside.
const FLUSH: i32 = -1;

/// What the library says about itself once configured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::codec) struct Description {
    /// AudioSpecificConfig (AAC §1.6.2.1).
    pub(in crate::codec) config: Vec<u8>,
    /// Samples per channel from a PCM sample to its place in the decoder's output.
    pub(in crate::codec) delay: u32,
    /// Samples per channel in one access unit.
    pub(in crate::codec) samples_per_unit: u32,
    /// Upper bound of one access unit, in bytes.
    pub(in crate::codec) unit_bytes_max: usize,
}

/// An initialised encoder.
pub(in crate::codec) struct Encoder {
    /// Made by `aacEncOpen`, not null, freed only in `drop`.
    handle: NonNull<sys::AACENCODER>,
}

// SAFETY: the handle is an ordinary heap object; fdk-aac has neither threads nor mutable globals
// and asks only that calls on one instance do not overlap. `Encoder` owns the instance alone and
// every call that touches it takes `&mut self`.
unsafe impl Send for Encoder {}

impl Encoder {
    /// Opens and configures an encoder for AAC-LC at constant bit rate.
    pub(in crate::codec) fn new(config: &AacEncoderConfig) -> Result<Self, CallFailed> {
        /// Only the AAC module; SBR, parametric stereo, surround and metadata stay unallocated.
        const MODULE_AAC: u32 = 1;
        Self::open(config, OBJECT_TYPE_LC, MODULE_AAC)
    }

    /// Any object type and up to eight channels, for the streams that tests decode.
    #[cfg(test)]
    pub(in crate::codec) fn of_object_type(
        config: &AacEncoderConfig,
        object_type: u32,
    ) -> Result<Self, CallFailed> {
        const ALL_MODULES: u32 = 0;
        Self::open(config, object_type, ALL_MODULES)
    }

    fn open(config: &AacEncoderConfig, object_type: u32, modules: u32) -> Result<Self, CallFailed> {
        let mut handle = ptr::null_mut();
        // SAFETY: `handle` is a valid place for one pointer; the library writes a new instance
        // there.
        let code = unsafe { sys::aacEncOpen(&raw mut handle, modules, u32::from(config.channels)) };
        let handle = match NonNull::new(handle) {
            Some(handle) if code == sys::AACENC_ERROR_AACENC_OK => handle,
            _ => return Err(failed("aacEncOpen", code)),
        };
        let mut encoder = Self { handle };
        for (parameter, value) in [
            (sys::AACENC_PARAM_AACENC_AOT, object_type),
            (sys::AACENC_PARAM_AACENC_SAMPLERATE, config.sample_rate),
            // Modes 1 and 2 are mono and stereo, and so on up to 6 for 5.1.
            (sys::AACENC_PARAM_AACENC_CHANNELMODE, u32::from(config.channels)),
            (sys::AACENC_PARAM_AACENC_CHANNELORDER, CHANNEL_ORDER_WAVE),
            (sys::AACENC_PARAM_AACENC_BITRATE, config.bitrate),
            (sys::AACENC_PARAM_AACENC_TRANSMUX, TRANSPORT_RAW),
            (sys::AACENC_PARAM_AACENC_AFTERBURNER, 1),
        ] {
            encoder.set(parameter, value)?;
        }
        encoder.apply()?;
        Ok(encoder)
    }

    fn set(&mut self, parameter: u32, value: u32) -> Result<(), CallFailed> {
        // SAFETY: the handle is a live instance; the library checks parameter and value.
        checked("aacEncoder_SetParam", unsafe {
            sys::aacEncoder_SetParam(self.handle.as_ptr(), parameter, value)
        })
    }

    /// Makes the parameters set so far effective.
    fn apply(&mut self) -> Result<(), CallFailed> {
        // SAFETY: a live instance; all other arguments null is the documented way to reconfigure
        // without encoding.
        checked("aacEncEncode", unsafe {
            sys::aacEncEncode(
                self.handle.as_ptr(),
                ptr::null(),
                ptr::null(),
                ptr::null(),
                ptr::null_mut(),
            )
        })
    }

    /// Reads the configuration back.
    pub(in crate::codec) fn describe(&mut self) -> Result<Description, CallFailed> {
        let mut info = sys::AACENC_InfoStruct {
            maxOutBufBytes: 0,
            maxAncBytes: 0,
            inBufFillLevel: 0,
            inputChannels: 0,
            frameLength: 0,
            nDelay: 0,
            nDelayCore: 0,
            confBuf: [0; 64],
            confSize: 0,
        };
        // SAFETY: a live instance, and a whole structure of the library's layout to be written.
        checked("aacEncInfo", unsafe { sys::aacEncInfo(self.handle.as_ptr(), &raw mut info) })?;
        let config = info.confBuf.get(..info.confSize as usize).unwrap_or_default();
        Ok(Description {
            config: config.to_vec(),
            delay: info.nDelay,
            samples_per_unit: info.frameLength,
            unit_bytes_max: info.maxOutBufBytes as usize,
        })
    }

    /// Hands in interleaved samples, at most one access unit's worth, and takes out at most one
    /// access unit into `unit`. Gives the samples taken (all channels counted) and the bytes
    /// written.
    pub(in crate::codec) fn encode(
        &mut self,
        pcm: &[i16],
        unit: &mut [u8],
    ) -> Result<(usize, usize), CallFailed> {
        let samples = i32::try_from(pcm.len()).unwrap_or(i32::MAX);
        self.call(pcm, samples, unit)
    }

    /// Takes out what is still inside, one access unit a call; `None` when nothing is left.
    pub(in crate::codec) fn flush(&mut self, unit: &mut [u8]) -> Result<Option<usize>, CallFailed> {
        match self.call(&[], FLUSH, unit) {
            Ok((_, written)) => Ok(Some(written)),
            Err(CallFailed { code, .. }) if code == sys::AACENC_ERROR_AACENC_ENCODE_EOF as i32 => {
                Ok(None)
            }
            Err(failed) => Err(failed),
        }
    }

    fn call(
        &mut self,
        pcm: &[i16],
        samples: i32,
        unit: &mut [u8],
    ) -> Result<(usize, usize), CallFailed> {
        let mut input = pcm.as_ptr().cast_mut().cast::<c_void>();
        let mut input_kind = sys::AACENC_BufferIdentifier_IN_AUDIO_DATA as i32;
        let mut input_bytes = i32::try_from(size_of_val(pcm)).unwrap_or(i32::MAX);
        let mut input_element = SAMPLE_BYTES;
        let input_description = sys::AACENC_BufDesc {
            numBufs: 1,
            bufs: &raw mut input,
            bufferIdentifiers: &raw mut input_kind,
            bufSizes: &raw mut input_bytes,
            bufElSizes: &raw mut input_element,
        };
        let mut output = unit.as_mut_ptr().cast::<c_void>();
        let mut output_kind = sys::AACENC_BufferIdentifier_OUT_BITSTREAM_DATA as i32;
        let mut output_bytes = i32::try_from(unit.len()).unwrap_or(i32::MAX);
        let mut output_element = 1;
        let output_description = sys::AACENC_BufDesc {
            numBufs: 1,
            bufs: &raw mut output,
            bufferIdentifiers: &raw mut output_kind,
            bufSizes: &raw mut output_bytes,
            bufElSizes: &raw mut output_element,
        };
        let arguments = sys::AACENC_InArgs { numInSamples: samples, numAncBytes: 0 };
        let mut results =
            sys::AACENC_OutArgs { numOutBytes: 0, numInSamples: 0, numAncBytes: 0, bitResState: 0 };
        // SAFETY: a live instance. Each descriptor names one buffer with its true length; the
        // library reads at most `samples` elements of `pcm` (none when flushing) and writes at most
        // `unit.len()` bytes. All of it outlives the call, and the library keeps no pointer.
        let code = unsafe {
            sys::aacEncEncode(
                self.handle.as_ptr(),
                &raw const input_description,
                &raw const output_description,
                &raw const arguments,
                &raw mut results,
            )
        };
        checked("aacEncEncode", code)?;
        let taken = usize::try_from(results.numInSamples).unwrap_or(0);
        let written = usize::try_from(results.numOutBytes).unwrap_or(0);
        Ok((taken, written))
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        let mut handle = self.handle.as_ptr();
        // SAFETY: the handle came from aacEncOpen and is closed only here.
        unsafe { sys::aacEncClose(&raw mut handle) };
    }
}

fn failed(call: &'static str, code: u32) -> CallFailed {
    CallFailed { call, code: i32::try_from(code).unwrap_or(i32::MAX) }
}

fn checked(call: &'static str, code: u32) -> Result<(), CallFailed> {
    if code == sys::AACENC_ERROR_AACENC_OK { Ok(()) } else { Err(failed(call, code)) }
}
