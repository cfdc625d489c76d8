//! The openh264 decoder: one handle, access units in, pictures of its own memory out.

use std::ffi::{c_int, c_ulonglong, c_void};
use std::ptr::{self, NonNull};
use std::slice;

use openh264_sys2 as sys;
use openh264_sys2::source::APILoader;

use super::{CallFailed, checked, method};

/// A picture in the decoder's memory, after cropping.
#[derive(Clone, Copy, Debug)]
pub(in crate::codec) struct Frame<'a> {
    /// Luma, Cb and Cr; from the first sample to the last one of the last row.
    pub(in crate::codec) planes: [&'a [u8]; 3],
    /// Bytes from row to row, luma and chroma.
    pub(in crate::codec) strides: [usize; 2],
    /// Luma samples in a row.
    pub(in crate::codec) width: usize,
    /// Luma rows.
    pub(in crate::codec) height: usize,
    /// What came in with the access unit.
    pub(in crate::codec) time: u64,
}

/// An initialised decoder.
pub(in crate::codec) struct Decoder {
    /// Made by `WelsCreateDecoder`, not null, freed only in `drop`.
    handle: NonNull<sys::ISVCDecoder>,
}

// SAFETY: the handle is an ordinary heap object without thread-local state or affinity; openh264
// only asks that calls on one instance do not overlap. `Decoder` owns the instance alone and every
// call takes `&mut self`, so moving it to another thread moves the only user. Without
// DECODER_OPTION_NUM_OF_THREADS the library starts no threads of its own.
unsafe impl Send for Decoder {}

impl Decoder {
    /// Creates and initialises a decoder on the calling thread, without error concealment.
    pub(in crate::codec) fn new() -> Result<Self, CallFailed> {
        let mut handle = ptr::null_mut();
        // SAFETY: `handle` is a valid place for one pointer; the library writes a new instance
        // there.
        let code = unsafe { APILoader::WelsCreateDecoder(&raw mut handle) };
        let code = c_int::try_from(code).unwrap_or(-1);
        let handle = match NonNull::new(handle) {
            Some(handle) if code == 0 => handle,
            _ => return Err(CallFailed { call: "WelsCreateDecoder", code }),
        };
        let mut decoder = Self { handle };
        // The library prints its warnings to standard error unless told not to.
        decoder.set_int(sys::DECODER_OPTION_TRACE_LEVEL, sys::WELS_LOG_QUIET as c_int)?;
        let parameters = sys::SDecodingParam {
            eEcActiveIdc: sys::ERROR_CON_DISABLE,
            uiTargetDqLayer: u8::MAX,
            sVideoProperty: sys::SVideoProperty {
                size: size_of::<sys::SVideoProperty>() as u32,
                eVideoBsType: sys::VIDEO_BITSTREAM_AVC,
            },
            ..Default::default()
        };
        // SAFETY: `parameters` is a whole structure of the library's layout; the library copies it
        // before it returns.
        let code = unsafe {
            method("Initialize", decoder.vtable().Initialize)?(
                decoder.handle.as_ptr(),
                &raw const parameters,
            )
        };
        checked("Initialize", c_int::try_from(code).unwrap_or(-1))?;
        Ok(decoder)
    }

    /// Reads NAL units with start codes. A picture can come out that was complete before; the one
    /// in `unit` comes out of [`Self::complete`] or later.
    pub(in crate::codec) fn feed(
        &mut self,
        unit: &[u8],
        time: u64,
    ) -> Result<Option<Frame<'_>>, CallFailed> {
        let length = c_int::try_from(unit.len())
            .map_err(|_| CallFailed { call: "DecodeFrame2", code: -1 })?;
        self.decode(unit.as_ptr(), length, time)
    }

    /// Decodes what was fed without waiting for the start of the next access unit. `time` has to be
    /// that of the unit.
    pub(in crate::codec) fn complete(
        &mut self,
        time: u64,
    ) -> Result<Option<Frame<'_>>, CallFailed> {
        self.decode(ptr::null(), 0, time)
    }

    fn decode(
        &mut self,
        unit: *const u8,
        length: c_int,
        time: u64,
    ) -> Result<Option<Frame<'_>>, CallFailed> {
        let mut planes = [ptr::null_mut(); 3];
        let mut info = blank(time);
        // SAFETY: `unit` is null with length 0, which the library takes for the end of the access
        // unit, or the start of `length` bytes that the caller borrows across the call; they are
        // copied. `planes` has room for the three pointers that are written, `info` is a whole
        // structure.
        let state = unsafe {
            method("DecodeFrame2", self.vtable().DecodeFrame2)?(
                self.handle.as_ptr(),
                unit,
                length,
                planes.as_mut_ptr(),
                &raw mut info,
            )
        };
        if state != sys::dsErrorFree {
            return Err(CallFailed { call: "DecodeFrame2", code: state as c_int });
        }
        Ok(self.frame(planes, &info))
    }

    /// The next picture that waits for its turn in display order; `None` when none does. The
    /// library does not take back the memory of pictures that leave this way, so only the drop of
    /// the decoder may follow.
    pub(in crate::codec) fn flush(&mut self) -> Result<Option<Frame<'_>>, CallFailed> {
        if self.waiting()? == 0 {
            return Ok(None);
        }
        self.set_int(sys::DECODER_OPTION_END_OF_STREAM, 1)?;
        let mut planes = [ptr::null_mut(); 3];
        let mut info = blank(0);
        // SAFETY: as in `decode`.
        let state = unsafe {
            method("FlushFrame", self.vtable().FlushFrame)?(
                self.handle.as_ptr(),
                planes.as_mut_ptr(),
                &raw mut info,
            )
        };
        checked("FlushFrame", state as c_int)?;
        Ok(self.frame(planes, &info))
    }

    /// Decoded pictures that wait for their turn in display order.
    pub(in crate::codec) fn waiting(&mut self) -> Result<usize, CallFailed> {
        let mut count: c_int = 0;
        // SAFETY: the option writes one int, for which `count` is the place.
        let code = unsafe {
            method("GetOption", self.vtable().GetOption)?(
                self.handle.as_ptr(),
                sys::DECODER_OPTION_NUM_OF_FRAMES_REMAINING_IN_BUFFER,
                (&raw mut count).cast::<c_void>(),
            )
        };
        checked("GetOption", c_int::try_from(code).unwrap_or(-1))?;
        Ok(usize::try_from(count).unwrap_or(0))
    }

    fn set_int(&mut self, option: sys::DECODER_OPTION, value: c_int) -> Result<(), CallFailed> {
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
        checked("SetOption", c_int::try_from(code).unwrap_or(-1))
    }

    /// The picture that `info` describes, if any. It borrows the decoder: the library may write to
    /// the same memory during the next call.
    fn frame(&self, planes: [*mut u8; 3], info: &sys::SBufferInfo) -> Option<Frame<'_>> {
        // SAFETY: the union has one member, plain integers that the library fills or leaves zero.
        let layout = unsafe { info.UsrData.sSystemBuffer };
        let [width, height, luma_stride, chroma_stride] =
            [layout.iWidth, layout.iHeight, layout.iStride[0], layout.iStride[1]]
                .map(|value| usize::try_from(value).unwrap_or(0));
        let fits = 0 < width && width <= luma_stride && width / 2 <= chroma_stride;
        if info.iBufferStatus != 1 || !fits || height < 2 || planes.contains(&ptr::null_mut()) {
            return None;
        }
        let rows = |start: *mut u8, width: usize, height: usize, stride: usize| {
            // SAFETY: with buffer status 1 the three pointers lead to the planes of a picture that
            // the library allocated with these strides for at least `height` rows of `width`
            // samples from `start` on (cropping only moves `start` and lowers both). It does not
            // write there before the next call, which the borrow of `self` in the result forbids.
            unsafe { slice::from_raw_parts(start.cast_const(), stride * (height - 1) + width) }
        };
        let (half_width, half_height) = (width / 2, height / 2);
        Some(Frame {
            planes: [
                rows(planes[0], width, height, luma_stride),
                rows(planes[1], half_width, half_height, chroma_stride),
                rows(planes[2], half_width, half_height, chroma_stride),
            ],
            strides: [luma_stride, chroma_stride],
            width,
            height,
            time: info.uiOutYuvTimeStamp,
        })
    }

    fn vtable(&self) -> &sys::ISVCDecoderVtbl {
        // SAFETY: a created instance starts with the pointer to its static method table.
        unsafe { &**self.handle.as_ptr() }
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: the handle came from WelsCreateDecoder, is destroyed only here, and no slice into
        // it can be alive. The destructor uninitialises.
        unsafe { APILoader::WelsDestroyDecoder(self.handle.as_ptr()) }
    }
}

fn blank(time: u64) -> sys::SBufferInfo {
    let memory = sys::SSysMEMBuffer { iWidth: 0, iHeight: 0, iFormat: 0, iStride: [0; 2] };
    sys::SBufferInfo {
        iBufferStatus: 0,
        uiInBsTimeStamp: time as c_ulonglong,
        uiOutYuvTimeStamp: 0,
        UsrData: sys::TagBufferInfo__bindgen_ty_1 { sSystemBuffer: memory },
        pDst: [ptr::null_mut(); 3],
    }
}
