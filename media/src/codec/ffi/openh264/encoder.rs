//! The openh264 encoder: one handle, its settings, one picture in and its NAL units out.

use std::ffi::{c_int, c_longlong, c_void};
use std::ptr::{self, NonNull};
use std::slice;

use openh264_sys2 as sys;
use openh264_sys2::source::APILoader;

use super::{CallFailed, checked, method};
use crate::codec::{Complexity, H264EncoderConfig, PictureView, PlaneView, RateControl, Tuning};

/// Least quantiser of a coarse instance: white noise of full height takes a third of the buffer.
pub(in crate::codec) const COARSE_QP: u8 = 36;
/// Least quantiser of a free instance: openh264's own default, below which nobody sees a
/// difference.
const FREE_QP: c_int = 12;
/// Greatest quantiser: all that H.264 has (§7.4.5). openh264 would stop at 42, and could not hold
/// the bit rate of hard scenes in small budgets.
const QP_MAX: c_int = 51;
/// Code of an encoder whose picture outgrew its buffer (CM_RETURN); it has freed its state.
pub(in crate::codec) const OUT_OF_MEMORY: c_int = sys::cmMallocMemeError as c_int;

/// How finely an instance may quantise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::codec) enum Quantiser {
    /// As the rate control decides.
    Free,
    /// So coarsely that any picture fits the library's buffer.
    Coarse,
}

/// What the encoder made of one picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::codec) enum PictureKind {
    /// An IDR picture.
    Idr,
    /// Predicted, or intra without being a sync point.
    Other,
    /// Nothing was coded.
    Skipped,
}

/// An initialised encoder.
pub(in crate::codec) struct Encoder {
    /// What it was made with, and the quantiser set last.
    parameters: Box<sys::SEncParamExt>,
    /// Made by `WelsCreateSVCEncoder`, not null, freed only in `drop`.
    handle: NonNull<sys::ISVCEncoder>,
    /// Where the library describes its output. Its pointers lead into memory of `handle`, valid
    /// until the next call on `handle`. Boxed: it is 7 kB.
    output: Box<sys::SFrameBSInfo>,
}

// SAFETY: the handle is an ordinary heap object without thread-local state or affinity; openh264
// only asks that calls on one instance do not overlap. `Encoder` owns the instance alone and every
// call takes `&mut self`, so moving it to another thread moves the only user. With
// iMultipleThreadIdc = 1 the library starts no threads of its own.
unsafe impl Send for Encoder {}

impl Encoder {
    /// Creates and initialises an encoder with the settings of design §5. Its level allows for
    /// `bitrate_max`.
    pub(in crate::codec) fn new(
        config: &H264EncoderConfig,
        tuning: &Tuning,
        bitrate_max: u32,
        quantiser: Quantiser,
    ) -> Result<Self, CallFailed> {
        let mut handle = ptr::null_mut();
        // SAFETY: `handle` is a valid place for one pointer; the library writes a new instance
        // there.
        let code = unsafe { APILoader::WelsCreateSVCEncoder(&raw mut handle) };
        let handle = match NonNull::new(handle) {
            Some(handle) if code == 0 => handle,
            _ => return Err(CallFailed { call: "WelsCreateSVCEncoder", code }),
        };
        let mut encoder = Self { parameters: Box::default(), handle, output: Box::default() };
        let quiet = sys::WELS_LOG_QUIET as c_int;
        // The library prints its warnings to standard error unless told not to.
        encoder.set_int(sys::ENCODER_OPTION_TRACE_LEVEL, quiet)?;
        encoder.initialise(config, tuning, bitrate_max, quantiser)?;
        if matches!(tuning.rate, RateControl::Segment { .. }) {
            // Only now: the level in the SPS was to allow for the bit rate.
            encoder.parameters.iRCMode = sys::RC_OFF_MODE;
            encoder.set_int(sys::ENCODER_OPTION_RC_MODE, sys::RC_OFF_MODE)?;
        } else {
            encoder.set_bitrate(config.bitrate)?;
        }
        Ok(encoder)
    }

    /// Changes the target from the next picture on; parameter sets stay. In bit/s, at most the
    /// `bitrate_max` of the making: beyond its level the library fails and keeps the wrong target.
    pub(in crate::codec) fn set_bitrate(&mut self, bitrate: u32) -> Result<(), CallFailed> {
        let mut target =
            sys::SBitrateInfo { iLayer: sys::SPATIAL_LAYER_ALL, iBitrate: int(bitrate) };
        // SAFETY: the option takes a pointer to this structure, which lives across the call and is
        // only read.
        let code = unsafe {
            method("SetOption", self.vtable().SetOption)?(
                self.handle.as_ptr(),
                sys::ENCODER_OPTION_BITRATE,
                (&raw mut target).cast::<c_void>(),
            )
        };
        checked("SetOption", code)
    }

    /// Quantises pictures by this from the next on, 0 to 51; without rate control.
    pub(in crate::codec) fn set_quantiser(&mut self, quantiser: u8) -> Result<(), CallFailed> {
        let quantiser = c_int::from(quantiser);
        if self.parameters.sSpatialLayers[0].iDLayerQp == quantiser {
            return Ok(());
        }
        self.parameters.sSpatialLayers[0].iDLayerQp = quantiser;
        // SAFETY: the option takes a pointer to this structure, which lives across the call; the
        // library copies it.
        let code = unsafe {
            method("SetOption", self.vtable().SetOption)?(
                self.handle.as_ptr(),
                sys::ENCODER_OPTION_SVC_ENCODE_PARAM_EXT,
                (&raw mut *self.parameters).cast::<c_void>(),
            )
        };
        checked("SetOption", code)
    }

    fn set_int(&mut self, option: sys::ENCODER_OPTION, value: c_int) -> Result<(), CallFailed> {
        let mut value = value;
        // SAFETY: the options used here take a pointer to one int, which lives across the call and
        // is only read.
        let code = unsafe {
            method("SetOption", self.vtable().SetOption)?(
                self.handle.as_ptr(),
                option,
                (&raw mut value).cast::<c_void>(),
            )
        };
        checked("SetOption", code)
    }

    fn initialise(
        &mut self,
        config: &H264EncoderConfig,
        tuning: &Tuning,
        bitrate_max: u32,
        quantiser: Quantiser,
    ) -> Result<(), CallFailed> {
        // SAFETY: `parameters` is a whole structure of the library's own layout, written in place.
        let code = unsafe {
            method("GetDefaultParams", self.vtable().GetDefaultParams)?(
                self.handle.as_ptr(),
                &raw mut *self.parameters,
            )
        };
        checked("GetDefaultParams", code)?;
        fill(&mut self.parameters, config, tuning, bitrate_max);
        let coarse = quantiser == Quantiser::Coarse;
        self.parameters.iMinQp = if coarse { c_int::from(COARSE_QP) } else { FREE_QP };
        self.parameters.iMaxQp = QP_MAX;
        // SAFETY: as above; the library copies the structure before it returns.
        let code = unsafe {
            method("InitializeExt", self.vtable().InitializeExt)?(
                self.handle.as_ptr(),
                &raw const *self.parameters,
            )
        };
        checked("InitializeExt", code)
    }

    /// The parameter sets every IDR picture will refer to, as NAL units with start codes.
    pub(in crate::codec) fn parameter_sets(&mut self) -> Result<Vec<&[u8]>, CallFailed> {
        // SAFETY: `output` is a whole structure of the library's layout and lives across the call.
        let code = unsafe {
            method("EncodeParameterSets", self.vtable().EncodeParameterSets)?(
                self.handle.as_ptr(),
                &raw mut *self.output,
            )
        };
        checked("EncodeParameterSets", code)?;
        Ok(self.nals())
    }

    /// Encodes one picture. The NAL units have start codes and stay valid until the next call.
    ///
    /// `time_ms` must rise from call to call: the rate control reads it.
    pub(in crate::codec) fn encode(
        &mut self,
        picture: PictureView<'_>,
        time_ms: i64,
        force_idr: bool,
    ) -> Result<(PictureKind, Vec<&[u8]>), CallFailed> {
        if force_idr {
            self.force_idr()?;
        }
        let planes = picture.planes();
        let source = sys::SSourcePicture {
            iColorFormat: sys::videoFormatI420 as c_int,
            iStride: [stride(planes[0]), stride(planes[1]), stride(planes[2]), 0],
            pData: [start(planes[0]), start(planes[1]), start(planes[2]), ptr::null_mut()],
            iPicWidth: int(picture.size().width()),
            iPicHeight: int(picture.size().height()),
            uiTimeStamp: time_ms as c_longlong,
            ..Default::default()
        };
        // SAFETY: `source` describes three planes that `picture` borrows across the call; each
        // holds its rows up to the width of the last one, with height and width as announced
        // (4:2:0, even sides, by the types). The pointers are mutable by C habit only: the library
        // copies the planes into pictures of its own (WelsMoveMemoryWrapper) and never writes to
        // them. `output` as above.
        let code = unsafe {
            method("EncodeFrame", self.vtable().EncodeFrame)?(
                self.handle.as_ptr(),
                &raw const source,
                &raw mut *self.output,
            )
        };
        checked("EncodeFrame", code)?;
        let kind = match self.output.eFrameType {
            sys::videoFrameTypeIDR => PictureKind::Idr,
            sys::videoFrameTypeSkip | sys::videoFrameTypeInvalid => PictureKind::Skipped,
            _ => PictureKind::Other,
        };
        Ok((kind, self.nals()))
    }

    fn force_idr(&mut self) -> Result<(), CallFailed> {
        type Slot = unsafe extern "C" fn(*mut sys::ISVCEncoder, bool) -> c_int;
        type ForceIntraFrame = unsafe extern "C" fn(*mut sys::ISVCEncoder, bool, c_int) -> c_int;
        const ALL_LAYERS: c_int = -1;
        let slot: Slot = method("ForceIntraFrame", self.vtable().ForceIntraFrame)?;
        // SAFETY: the C declaration of this slot lacks the last parameter of the C++ method behind
        // it (`ForceIntraFrame(bool bIDR, int iLayerId = -1)`, codec_api.h of openh264 2.x).
        // Calling by the declaration would leave that argument undefined; this is the method's real
        // type. The handle is a live instance.
        let code = unsafe {
            let force = std::mem::transmute::<Slot, ForceIntraFrame>(slot);
            force(self.handle.as_ptr(), true, ALL_LAYERS)
        };
        checked("ForceIntraFrame", code)
    }

    /// The NAL units `output` describes.
    fn nals(&self) -> Vec<&[u8]> {
        let layers = usize::try_from(self.output.iLayerNum).unwrap_or(0);
        let mut nals = Vec::new();
        for layer in self.output.sLayerInfo.iter().take(layers) {
            let count = usize::try_from(layer.iNalCount).unwrap_or(0);
            if count == 0 || layer.pBsBuf.is_null() || layer.pNalLengthInByte.is_null() {
                continue;
            }
            // SAFETY: after a successful call a layer carries `iNalCount` lengths, in an array of
            // the instance. `&self` keeps the next call, which would reuse it, from happening.
            let lengths = unsafe { slice::from_raw_parts(layer.pNalLengthInByte, count) };
            let mut offset = 0_usize;
            for &length in lengths {
                let length = usize::try_from(length).unwrap_or(0);
                // SAFETY: the NAL units of a layer lie one after another from `pBsBuf` with these
                // lengths, in a buffer of the instance that also lives until the next call.
                nals.push(unsafe { slice::from_raw_parts(layer.pBsBuf.add(offset), length) });
                offset += length;
            }
        }
        nals
    }

    fn vtable(&self) -> &sys::ISVCEncoderVtbl {
        // SAFETY: a created instance starts with the pointer to its static method table.
        unsafe { &**self.handle.as_ptr() }
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: the handle came from WelsCreateSVCEncoder, is destroyed only here, and no slice
        // into it can be alive. The destructor uninitialises.
        unsafe { APILoader::WelsDestroySVCEncoder(self.handle.as_ptr()) }
    }
}

/// What the tuning says, and what is the same for all; what is left alone is the library's default.
/// The level in the SPS is the least that holds `bitrate`.
fn fill(
    parameters: &mut sys::SEncParamExt,
    config: &H264EncoderConfig,
    tuning: &Tuning,
    bitrate: u32,
) {
    let (width, height) = (int(config.size.width()), int(config.size.height()));
    let frame_rate = config.frame_rate_millis as f32 / 1_000.0;
    parameters.iUsageType = sys::CAMERA_VIDEO_REAL_TIME;
    parameters.iPicWidth = width;
    parameters.iPicHeight = height;
    parameters.fMaxFrameRate = frame_rate;
    parameters.iTargetBitrate = int(bitrate);
    parameters.iRCMode = match tuning.rate {
        RateControl::Segment { .. } | RateControl::Library { .. } => sys::RC_BITRATE_MODE,
        RateControl::LibraryQuality => sys::RC_QUALITY_MODE,
        RateControl::LibraryTimes => sys::RC_TIMESTAMP_MODE,
    };
    if let RateControl::Library { sync_percent } = tuning.rate {
        parameters.iIdrBitrateRatio = c_int::from(sync_percent);
    }
    // A skipped picture leaves a hole in the frame grid (EN-1).
    parameters.bEnableFrameSkip = false;
    // IDR pictures come where they are forced.
    parameters.uiIntraPeriod = 0;
    // IDR pictures fall on segment starts; one more at each cut would only cost bits (EN-1).
    parameters.bEnableSceneChangeDetect = false;
    // The parameter sets stay the same for the life of the initialization section (EN-1).
    parameters.eSpsPpsIdStrategy = sys::CONSTANT_ID;
    parameters.iMultipleThreadIdc = 1;
    match tuning.deblocking {
        Some(offset) => {
            parameters.iLoopFilterAlphaC0Offset = c_int::from(offset);
            parameters.iLoopFilterBetaOffset = c_int::from(offset);
        }
        None => parameters.iLoopFilterDisableIdc = 1,
    }
    parameters.iEntropyCodingModeFlag = c_int::from(tuning.cabac);
    parameters.iComplexityMode = match tuning.complexity {
        Complexity::Low => sys::LOW_COMPLEXITY,
        Complexity::Medium => sys::MEDIUM_COMPLEXITY,
        Complexity::High => sys::HIGH_COMPLEXITY,
    };
    parameters.iNumRefFrame = c_int::from(tuning.references);
    parameters.bEnableBackgroundDetection = tuning.background_detection;
    parameters.bEnableDenoise = tuning.denoise;
    // The library switches it off itself: "algorithms needs to be refactored".
    parameters.bEnableAdaptiveQuant = false;
    parameters.iTemporalLayerNum = 1;
    parameters.iSpatialLayerNum = 1;
    let layer = &mut parameters.sSpatialLayers[0];
    layer.iVideoWidth = width;
    layer.iVideoHeight = height;
    layer.fFrameRate = frame_rate;
    layer.iSpatialBitrate = int(bitrate);
    layer.uiProfileIdc = sys::PRO_HIGH;
    layer.sSliceArgument.uiSliceMode = sys::SM_SINGLE_SLICE;
    layer.bVideoSignalTypePresent = true;
    layer.uiVideoFormat = VIDEO_FORMAT_UNSPECIFIED;
    layer.bFullRange = config.colour.full_range;
    layer.bColorDescriptionPresent = true;
    layer.uiColorPrimaries = config.colour.primaries;
    layer.uiTransferCharacteristics = config.colour.transfer;
    layer.uiColorMatrix = config.colour.matrix;
}

/// `video_format` of Table E-2.
const VIDEO_FORMAT_UNSPECIFIED: u8 = 5;

/// Sizes, strides and rates here are far below `c_int::MAX` by their types and checks.
fn int(value: u32) -> c_int {
    c_int::try_from(value).unwrap_or(c_int::MAX)
}

fn stride(plane: PlaneView<'_>) -> c_int {
    c_int::try_from(plane.stride()).unwrap_or(c_int::MAX)
}

fn start(plane: PlaneView<'_>) -> *mut u8 {
    plane.samples().as_ptr().cast_mut()
}
