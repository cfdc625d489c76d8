//! The fdk-aac decoder: one handle, its settings, raw access units in and PCM out.
//!
//! Lengths of PCM are in samples here and in the library, never in bytes (T21).

use std::ffi::c_int;
use std::ptr::NonNull;
use std::slice;

use fdk_aac_sys as sys;

use super::CallFailed;

/// Raw access units; the configuration comes apart from them.
const TRANSPORT_RAW: sys::TRANSPORT_TYPE = 0;
/// One layer: nothing scalable.
const LAYERS: u32 = 1;
/// Channels the library decodes at most.
pub(in crate::codec) const CHANNELS_MAX: usize = 8;
/// Samples per channel that any of its decoders gives at once, object types we never configure
/// included.
const FRAMES_MAX: usize = 4_096;

/// `aacDecoder_DecodeFrame`: make up a unit instead of reading one.
const FLAG_CONCEAL: u32 = 1;
/// Codes from here to [`DECODE_ERROR_LAST`] come with concealed output.
const DECODE_ERROR_FIRST: u32 = 0x4000;
const DECODE_ERROR_LAST: u32 = 0x4FFF;

/// What the library says about the block it just gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::codec) struct Block {
    /// Samples per second.
    pub(in crate::codec) sample_rate: u32,
    /// Samples per channel.
    pub(in crate::codec) frames: usize,
    /// Channels, 1 to 8.
    pub(in crate::codec) channels: usize,
    /// Per channel in the order of the samples: its kind (`AUDIO_CHANNEL_TYPE`) and its number
    /// among those of its kind, in the order of the bit stream.
    pub(in crate::codec) places: [(u32, u8); CHANNELS_MAX],
    /// The unit was damaged and the samples are a guess.
    pub(in crate::codec) concealed: bool,
}

/// A configured decoder.
pub(in crate::codec) struct Decoder {
    /// Made by `aacDecoder_Open`, not null, freed only in `drop`.
    handle: NonNull<sys::AAC_DECODER_INSTANCE>,
    /// Where the library writes; its length never changes.
    pcm: Box<[i16]>,
}

// SAFETY: the handle is an ordinary heap object; fdk-aac has neither threads nor mutable globals
// and asks only that calls on one instance do not overlap. `Decoder` owns the instance alone and
// every call takes `&mut self`.
unsafe impl Send for Decoder {}

impl Decoder {
    /// Opens a decoder for an AudioSpecificConfig.
    pub(in crate::codec) fn new(config: &[u8]) -> Result<Self, CallFailed> {
        // SAFETY: no pointers go in; the instance that comes back is owned by `Decoder`.
        let handle = unsafe { sys::aacDecoder_Open(TRANSPORT_RAW, LAYERS) };
        let handle =
            NonNull::new(handle).ok_or(CallFailed { call: "aacDecoder_Open", code: -1 })?;
        let pcm = vec![0; CHANNELS_MAX * FRAMES_MAX].into_boxed_slice();
        let mut decoder = Self { handle, pcm };
        for (parameter, value) in [
            // The limiter would hold everything back by 15 ms.
            (sys::AACDEC_PARAM_AAC_PCM_LIMITER_ENABLE, 0),
            // Noise in place of lost units. The library's own choice, interpolation, waits for the
            // unit after it: one more unit of delay, told nowhere in the format.
            (sys::AACDEC_PARAM_AAC_CONCEAL_METHOD, 1),
            // Channels in the order of a WAVE file, as coded: no mixing, no doubling.
            (sys::AACDEC_PARAM_AAC_PCM_OUTPUT_CHANNEL_MAPPING, 1),
            (sys::AACDEC_PARAM_AAC_PCM_MIN_OUTPUT_CHANNELS, 0),
            (sys::AACDEC_PARAM_AAC_PCM_MAX_OUTPUT_CHANNELS, 0),
            // Loudness as the streamer sent it: no normalisation, no compression.
            (sys::AACDEC_PARAM_AAC_DRC_REFERENCE_LEVEL, -1),
            (sys::AACDEC_PARAM_AAC_DRC_ATTENUATION_FACTOR, 0),
            (sys::AACDEC_PARAM_AAC_DRC_BOOST_FACTOR, 0),
            (sys::AACDEC_PARAM_AAC_UNIDRC_SET_EFFECT, -1),
        ] {
            decoder.set(parameter, value)?;
        }
        decoder.configure(config)?;
        Ok(decoder)
    }

    fn set(&mut self, parameter: sys::AACDEC_PARAM, value: c_int) -> Result<(), CallFailed> {
        // SAFETY: the handle is a live instance; the library checks parameter and value.
        checked("aacDecoder_SetParam", unsafe {
            sys::aacDecoder_SetParam(self.handle.as_ptr(), parameter, value)
        })
    }

    fn configure(&mut self, config: &[u8]) -> Result<(), CallFailed> {
        let mut start = config.as_ptr().cast_mut();
        let length = length(config);
        // SAFETY: a live instance, and one pointer to `length` bytes that outlive the call. It is
        // mutable by C habit only: the library reads the bytes through a bit reader of its own.
        checked("aacDecoder_ConfigRaw", unsafe {
            sys::aacDecoder_ConfigRaw(self.handle.as_ptr(), &raw mut start, &raw const length)
        })
    }

    /// Decodes one access unit. `None` when the library made nothing of it, not even a guess.
    pub(in crate::codec) fn decode(&mut self, unit: &[u8]) -> Option<Block> {
        let mut start = unit.as_ptr().cast_mut();
        let size = length(unit);
        let mut left = size;
        // SAFETY: a live instance, and one pointer to `size` bytes. The library copies them into a
        // buffer of its own before it returns, as many as fit, and tells in `left` how many did
        // not. It writes nothing to them.
        let code = unsafe {
            sys::aacDecoder_Fill(
                self.handle.as_ptr(),
                &raw mut start,
                &raw const size,
                &raw mut left,
            )
        };
        if code != sys::AAC_DECODER_ERROR_AAC_DEC_OK || left != 0 {
            return None;
        }
        self.decode_filled(0)
    }

    /// A guess at a unit that is missing, from those before it.
    pub(in crate::codec) fn conceal(&mut self) -> Option<Block> {
        self.decode_filled(FLAG_CONCEAL)
    }

    /// The samples of the last block, interleaved.
    pub(in crate::codec) fn samples(&self, block: &Block) -> &[i16] {
        self.pcm.get(..block.frames * block.channels).unwrap_or_default()
    }

    fn decode_filled(&mut self, flags: u32) -> Option<Block> {
        let samples = c_int::try_from(self.pcm.len()).unwrap_or(c_int::MAX);
        // SAFETY: a live instance and room for `samples` 16-bit samples, which is what the
        // argument counts; the library writes no more and keeps no pointer.
        let code = unsafe {
            sys::aacDecoder_DecodeFrame(self.handle.as_ptr(), self.pcm.as_mut_ptr(), samples, flags)
        };
        let concealed = (DECODE_ERROR_FIRST..=DECODE_ERROR_LAST).contains(&code);
        if code != sys::AAC_DECODER_ERROR_AAC_DEC_OK && !concealed {
            return None;
        }
        let mut block = self.describe()?;
        block.concealed = concealed || flags == FLAG_CONCEAL;
        Some(block)
    }

    /// What the last block is; `None` for a shape that is not possible.
    fn describe(&mut self) -> Option<Block> {
        // SAFETY: a live instance; what comes back is null or points into it.
        let info = unsafe { sys::aacDecoder_GetStreamInfo(self.handle.as_ptr()).as_ref() }?;
        let channels = usize::try_from(info.numChannels).ok()?;
        let frames = usize::try_from(info.frameSize).ok()?;
        let sample_rate = u32::try_from(info.sampleRate).ok()?;
        let possible = (1..=CHANNELS_MAX).contains(&channels)
            && (1..=FRAMES_MAX).contains(&frames)
            && sample_rate > 0
            && !info.pChannelType.is_null()
            && !info.pChannelIndices.is_null();
        if !possible {
            return None;
        }
        // SAFETY: both point to arrays of the instance with an entry for each of its eight
        // channels, written by the call that gave the block; `&mut self` keeps the next call away.
        let (kinds, numbers) = unsafe {
            (
                slice::from_raw_parts(info.pChannelType, channels),
                slice::from_raw_parts(info.pChannelIndices, channels),
            )
        };
        let mut places = [(0, 0); CHANNELS_MAX];
        for (place, (kind, number)) in places.iter_mut().zip(kinds.iter().zip(numbers)) {
            *place = (*kind, *number);
        }
        Some(Block { sample_rate, frames, channels, places, concealed: false })
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: the handle came from aacDecoder_Open and is closed only here.
        unsafe { sys::aacDecoder_Close(self.handle.as_ptr()) };
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

fn checked(call: &'static str, code: u32) -> Result<(), CallFailed> {
    if code == sys::AAC_DECODER_ERROR_AAC_DEC_OK {
        Ok(())
    } else {
        Err(CallFailed { call, code: i32::try_from(code).unwrap_or(i32::MAX) })
    }
}
