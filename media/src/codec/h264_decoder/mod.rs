//! H.264 access units to pictures in display order.
//!
//! ```text
//! payload (lengths) ─▶ slices only, start codes ─▶ openh264 ─▶ its planes, borrowed, and PTS
//! ```
//!
//! **Order and delay.** openh264 puts pictures into display order. It is asked to finish each
//! access unit at once, so a picture comes out as soon as those shown before it are in: the delay
//! is the reordering of the stream, 1 picture with B pictures and 2 with a pyramid. Without them it
//! is 0 in Baseline and where a High profile SPS says so, else 1. Presentation times travel through
//! the library with their pictures and come out strictly rising; a picture that comes out late all
//! the same, from a stream whose picture order count contradicts its times, is left out and
//! counted.
//!
//! **Trust.** Only coded slices reach the library, and parameter sets only out of a parsed
//! configuration at the start of a library instance: new sets make a new instance, never a change
//! within one (RUSTSEC-2025-0008). Access units past [`UNIT_BYTES_MAX`] and NAL counts past the
//! room's limit are refused before the library sees them. It runs on the calling thread.
//!
//! **Damage.** Nothing is concealed: what is guessed drags through every later picture until the
//! next IDR picture, and RTMP loses no packets, so damage means a broken encoder or malice. After
//! an error the pictures that were already whole come out, the instance is thrown away, the error
//! is told once, and the decoder is silent until the next IDR picture starts a fresh instance; the
//! packager lets the last picture stand (EN-3).

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
#[cfg(test)]
mod tests;
mod undecodable;
mod unit;

use thiserror::Error;
pub use undecodable::Undecodable;
use unit::{Slices, append_slices, prepare};

use super::ffi::CallFailed;
use super::ffi::openh264::{Decoder, Frame};
use super::picture::PictureSize;
use super::view::{PictureView, PlaneView};
use crate::h264::AvcConfig;
use crate::nal::FramingError;
use crate::time::{MediaTime, Timescale};

/// Largest access unit handed to the library, in bytes: above it openh264 announces decoding errors
/// (its readme). 1 MiB for every picture of a 30 fps stream is 250 Mbit/s.
pub const UNIT_BYTES_MAX: usize = 1 << 20;

/// A decoded picture in the decoder's memory, valid for the duration of a callback.
#[derive(Clone, Copy, Debug)]
pub struct DecodedPicture<'a> {
    /// The planes after cropping.
    pub picture: PictureView<'a>,
    /// Presentation time of its access unit, in 90 kHz ticks.
    pub pts: MediaTime,
}

/// Why an access unit gave no picture. The publisher's fault; the decoder resumes by itself at the
/// next IDR picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum H264DecoderError {
    /// The NAL lengths do not fit the payload.
    #[error(transparent)]
    Framing(#[from] FramingError),
    /// More bytes than openh264 takes.
    #[error("the access unit has {len} bytes; at most {UNIT_BYTES_MAX} can be decoded")]
    TooLarge {
        /// Bytes of its slices.
        len: usize,
    },
    /// The library refused the unit.
    #[error("openh264 {call} failed with {code:#x}")]
    Library {
        /// Name of the call.
        call: &'static str,
        /// DECODING_STATE, a set of flags.
        code: i32,
    },
    /// Slices are missing.
    #[error("the access unit holds only a part of its picture")]
    Incomplete,
    /// A picture of another size than its configuration says.
    #[error("the picture is {width}x{height}, its parameter sets say {expected:?}")]
    Size {
        /// Pixels in a row.
        width: usize,
        /// Rows.
        height: usize,
        /// Of the configuration.
        expected: PictureSize,
    },
}

impl From<CallFailed> for H264DecoderError {
    fn from(failed: CallFailed) -> Self {
        Self::Library { call: failed.call, code: failed.code }
    }
}

/// What became of the access units of a decoder since it was made.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct DecoderCounts {
    /// Pictures handed out.
    pub pictures: u64,
    /// Access units that ended in an error.
    pub errors: u64,
    /// Access units passed over on the way to the next IDR picture.
    pub skipped: u64,
    /// Pictures left out because a later one had been shown.
    pub late: u64,
}

/// A decoder for one stream at a time.
pub struct H264Decoder {
    /// `None` until the next IDR picture.
    library: Option<Instance>,
    config: AvcConfig,
    /// Parameter sets with start codes, for a fresh instance.
    sets: Vec<u8>,
    size: PictureSize,
    /// The unit at hand with start codes; kept for its memory.
    unit: Vec<u8>,
    last_pts: Option<i64>,
    counts: DecoderCounts,
}

/// A library instance and how many units went in that did not come out.
struct Instance {
    decoder: Decoder,
    inside: usize,
}

impl H264Decoder {
    /// A decoder for a stream with these parameter sets, waiting for its first IDR picture.
    pub fn new(config: &AvcConfig) -> Result<Self, Undecodable> {
        let (size, sets) = prepare(config)?;
        Ok(Self {
            library: None,
            config: config.clone(),
            sets,
            size,
            unit: Vec::new(),
            last_pts: None,
            counts: DecoderCounts::default(),
        })
    }

    /// Goes on with other parameter sets from the next unit on; pictures of the old ones come out
    /// first. Does nothing when the sets are the same (AV-6). After an error the old sets stay.
    pub fn configure(
        &mut self,
        config: &AvcConfig,
        each: &mut dyn FnMut(DecodedPicture<'_>),
    ) -> Result<(), Undecodable> {
        if *config == self.config {
            return Ok(());
        }
        let (size, sets) = prepare(config)?;
        self.flush(each);
        self.config = config.clone();
        (self.size, self.sets) = (size, sets);
        Ok(())
    }

    /// Decodes one access unit: NAL units with four-byte lengths, as
    /// [`AccessUnit::payload`](crate::access_unit::AccessUnit::payload) holds them. Hands each
    /// picture whose turn it is to `each`: none, one, or at an error several.
    pub fn decode(
        &mut self,
        payload: &[u8],
        pts: MediaTime,
        each: &mut dyn FnMut(DecodedPicture<'_>),
    ) -> Result<(), H264DecoderError> {
        let decoded = self.try_decode(payload, pts.rescale(Timescale::VIDEO).ticks(), each);
        if decoded.is_err() {
            self.counts.errors += 1;
            self.flush(each);
        }
        decoded
    }

    fn try_decode(
        &mut self,
        payload: &[u8],
        pts: i64,
        each: &mut dyn FnMut(DecodedPicture<'_>),
    ) -> Result<(), H264DecoderError> {
        self.unit.clear();
        if self.library.is_none() {
            self.unit.extend_from_slice(&self.sets);
        }
        let starts_with_idr = match append_slices(payload, &mut self.unit)? {
            Slices::None => return Ok(()),
            Slices::Some { idr } => idr,
        };
        if self.library.is_none() {
            if !starts_with_idr {
                self.counts.skipped += 1;
                return Ok(());
            }
            self.library = Some(Instance { decoder: Decoder::new()?, inside: 0 });
        }
        let Some(Instance { decoder, inside }) = &mut self.library else { return Ok(()) };
        *inside += 1;
        let mut out = Output {
            size: self.size,
            last_pts: &mut self.last_pts,
            counts: &mut self.counts,
            each,
        };
        // The bits of a signed tick count: the library only carries them.
        let time = pts.cast_unsigned();
        let mut given = out.give(decoder.feed(&self.unit, time)?)?;
        given += out.give(decoder.complete(time)?)?;
        *inside = inside.saturating_sub(given);
        // An incomplete picture vanishes without an error.
        if decoder.waiting()? < *inside { Err(H264DecoderError::Incomplete) } else { Ok(()) }
    }

    /// Hands out the pictures that still wait for their turn. The decoder then waits for an IDR
    /// picture, whose times may start anew: for the end and for a discontinuity.
    pub fn drain(&mut self, each: &mut dyn FnMut(DecodedPicture<'_>)) {
        self.flush(each);
        self.last_pts = None;
    }

    fn flush(&mut self, each: &mut dyn FnMut(DecodedPicture<'_>)) {
        let Some(Instance { mut decoder, .. }) = self.library.take() else { return };
        let mut out = Output {
            size: self.size,
            last_pts: &mut self.last_pts,
            counts: &mut self.counts,
            each,
        };
        // Whatever goes wrong now, the instance is gone and so are its pictures.
        while let Ok(Some(frame)) = decoder.flush() {
            if out.give(Some(frame)).is_err() {
                return;
            }
        }
    }

    /// Size of the pictures after cropping.
    pub const fn size(&self) -> PictureSize {
        self.size
    }

    /// Nothing comes out before the next IDR picture: none was seen yet, or there was an error.
    pub const fn awaits_idr(&self) -> bool {
        self.library.is_none()
    }

    /// What became of the access units so far.
    pub const fn counts(&self) -> DecoderCounts {
        self.counts
    }
}

/// Where pictures go.
struct Output<'a> {
    size: PictureSize,
    last_pts: &'a mut Option<i64>,
    counts: &'a mut DecoderCounts,
    each: &'a mut dyn FnMut(DecodedPicture<'_>),
}

impl Output<'_> {
    /// Hands a picture on unless it is late; tells how many left the library.
    fn give(&mut self, frame: Option<Frame<'_>>) -> Result<usize, H264DecoderError> {
        let Some(frame) = frame else { return Ok(0) };
        let (width, height) = (frame.width, frame.height);
        let picture = view(&frame, self.size).ok_or(H264DecoderError::Size {
            width,
            height,
            expected: self.size,
        })?;
        let pts = frame.time.cast_signed();
        if self.last_pts.is_some_and(|last| pts <= last) {
            self.counts.late += 1;
            return Ok(1);
        }
        *self.last_pts = Some(pts);
        self.counts.pictures += 1;
        (self.each)(DecodedPicture { picture, pts: MediaTime::new(pts, Timescale::VIDEO) });
        Ok(1)
    }
}

fn view<'a>(frame: &Frame<'a>, size: PictureSize) -> Option<PictureView<'a>> {
    let [luma, cb, cr] = frame.planes;
    let [luma_stride, chroma_stride] = frame.strides;
    let (width, height) = (frame.width, frame.height);
    let chroma = |samples| PlaneView::new(samples, width / 2, height / 2, chroma_stride);
    let luma = PlaneView::new(luma, width, height, luma_stride)?;
    PictureView::new(size, luma, chroma(cb)?, chroma(cr)?)
}
