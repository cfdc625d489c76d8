//! Pictures to H.264: High profile, no B pictures, one slice, constant bit rate (H.264 Annex A;
//! EN-1).
//!
//! Parameter sets are made once, when the encoder is, and never appear among a picture's NAL units:
//! they go to the avcC and stay the same for the life of the initialization section (EN-1, CM-12).
//! Sync pictures come where the caller forces them and, if asked for, at a fixed interval; nowhere
//! else. Every picture in gives exactly one picture out, in the same order, without delay.

use std::num::NonZeroU32;

use bytes::{BufMut, Bytes, BytesMut};
use thiserror::Error;

use super::cpu_usage::CpuUsage;
use super::ffi::CallFailed;
use super::ffi::openh264::{COARSE_QP, Encoder, OUT_OF_MEMORY, PictureKind, Quantiser};
use super::picture::PictureSize;
use super::rate::SegmentRate;
use super::tuning::{RateControl, Tuning};
use super::view::PictureView;
use crate::h264::Colour;
use crate::h264::nal::NalKind;

/// Slowest frame rate, in pictures per 1000 s.
const FRAME_RATE_MILLIS_MIN: u32 = 1_000;
/// Fastest frame rate openh264 controls the rate for, in pictures per 1000 s.
const FRAME_RATE_MILLIS_MAX: u32 = 60_000;
/// Least bit rate in bit/s.
const BITRATE_MIN: u32 = 10_000;
/// Greatest bit rate in bit/s: level 5.2 in High profile (H.264 Table A-1).
const BITRATE_MAX: u32 = 300_000_000;
/// Seconds that the first segment is taken to last where nobody says; the next ones are as long as
/// the one before.
const SEGMENT_SECONDS: f64 = 2.0;

/// What to encode, and into how many bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct H264EncoderConfig {
    /// Size of every picture.
    pub size: PictureSize,
    /// Pictures per second times 1000, 1000 to 60000.
    pub frame_rate_millis: u32,
    /// Target in bit/s, 10 kbit/s to 300 Mbit/s.
    pub bitrate: u32,
    /// What the encoder may cost.
    pub cpu_usage: CpuUsage,
    /// Pictures from one unforced IDR picture to the next, counted anew after a forced one; `None`
    /// for IDR pictures on demand only.
    pub sync_interval: Option<NonZeroU32>,
    /// What the sample values mean; written to the VUI (H.264 §E.2.1).
    pub colour: Colour,
}

/// One coded picture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EncodedPicture {
    /// NAL units without start codes or lengths, in decoding order; no parameter sets.
    pub nals: Vec<Bytes>,
    /// Decoding can start here: an IDR picture.
    pub sync: bool,
}

impl EncodedPicture {
    /// The NAL units behind one another, each after its length in four bytes: a sample of an `avc1`
    /// track (AVC-FF §5.3.3; CM-12).
    pub fn length_prefixed(&self) -> Bytes {
        let mut sample = BytesMut::with_capacity(self.nals.iter().map(|nal| 4 + nal.len()).sum());
        for nal in &self.nals {
            let length = u32::try_from(nal.len()).expect("a coded picture is smaller than 4 GiB");
            sample.put_u32(length);
            sample.put_slice(nal);
        }
        sample.freeze()
    }
}

/// Why an H.264 encoder could not be made or gave up. All are faults of ours or of the
/// configuration, never of a publisher.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum H264EncoderError {
    /// Frame rate outside the encoder's range.
    #[error(
        "frame rate of {0}/1000 per second is outside {FRAME_RATE_MILLIS_MIN} to \
         {FRAME_RATE_MILLIS_MAX}"
    )]
    FrameRate(u32),
    /// Bit rate outside the encoder's range.
    #[error("bit rate of {0} bit/s is outside {BITRATE_MIN} to {BITRATE_MAX}")]
    Bitrate(u32),
    /// A new bit rate that the level in the SPS has no room for.
    #[error(
        "bit rate of {seen} bit/s is outside {BITRATE_MIN} to {most}, which the level announced by \
         this encoder allows"
    )]
    BitrateChange {
        /// Asked for.
        seen: u32,
        /// Most.
        most: u32,
    },
    /// A picture of another size than configured.
    #[error("picture is {seen:?}, the encoder was made for {expected:?}")]
    Size {
        /// Size of the picture handed in.
        seen: PictureSize,
        /// Size of the configuration.
        expected: PictureSize,
    },
    /// The library refused a call. The encoder is of no further use.
    #[error("openh264 {call} failed with {code}")]
    Library {
        /// Name of the call.
        call: &'static str,
        /// What it returned.
        code: i32,
    },
    /// No picture came out although skipping is off.
    #[error("openh264 coded nothing for picture {picture}")]
    Skipped {
        /// Count of pictures before it.
        picture: u64,
    },
    /// The library did not give one SPS and one PPS.
    #[error("openh264 gave {sps} sequence and {pps} picture parameter sets, expected one of each")]
    ParameterSets {
        /// Sequence parameter sets seen.
        sps: usize,
        /// Picture parameter sets seen.
        pps: usize,
    },
    /// A parameter set in the bitstream differs from the one announced.
    #[error("openh264 changed its parameter sets at picture {picture}")]
    ParameterSetsChanged {
        /// Count of pictures before it.
        picture: u64,
    },
    /// A call after an error: the library may have freed its state.
    #[error("the encoder failed before and has to be made anew")]
    Failed,
}

impl From<CallFailed> for H264EncoderError {
    fn from(failed: CallFailed) -> Self {
        Self::Library { call: failed.call, code: failed.code }
    }
}

/// An H.264 encoder for pictures of one size.
pub struct H264Encoder {
    library: Encoder,
    quantiser: Quantiser,
    config: H264EncoderConfig,
    tuning: Tuning,
    /// `None`: the library's own.
    rate: Option<SegmentRate>,
    bitrate_max: u32,
    sps: Bytes,
    pps: Bytes,
    pictures: u64,
    /// Since the last IDR picture, with it.
    since_sync: u32,
    failed: bool,
}

impl H264Encoder {
    /// Checks the configuration and makes an encoder.
    pub fn new(config: H264EncoderConfig) -> Result<Self, H264EncoderError> {
        Self::tuned(config, config.cpu_usage.tuning())
    }

    /// An encoder with other settings than its CPU usage stands for.
    pub fn tuned(config: H264EncoderConfig, tuning: Tuning) -> Result<Self, H264EncoderError> {
        if !(FRAME_RATE_MILLIS_MIN..=FRAME_RATE_MILLIS_MAX).contains(&config.frame_rate_millis) {
            return Err(H264EncoderError::FrameRate(config.frame_rate_millis));
        }
        if !(BITRATE_MIN..=BITRATE_MAX).contains(&config.bitrate) {
            return Err(H264EncoderError::Bitrate(config.bitrate));
        }
        let bitrate_max = bitrate_max(config.bitrate);
        let mut library = Encoder::new(&config, &tuning, bitrate_max, Quantiser::Free)?;
        let (sps, pps) = parameter_sets(&library.parameter_sets()?)?;
        Ok(Self {
            library,
            quantiser: Quantiser::Free,
            rate: segment_rate(&config, &tuning),
            config,
            tuning,
            bitrate_max,
            sps,
            pps,
            pictures: 0,
            since_sync: 0,
            failed: false,
        })
    }

    /// Changes the target from the next picture on, in bit/s; the parameter sets stay what they are
    /// (EN-1). At most [`Self::bitrate_max`].
    pub fn set_bitrate(&mut self, bitrate: u32) -> Result<(), H264EncoderError> {
        if self.failed {
            return Err(H264EncoderError::Failed);
        }
        let most = self.bitrate_max;
        if !(BITRATE_MIN..=most).contains(&bitrate) {
            return Err(H264EncoderError::BitrateChange { seen: bitrate, most });
        }
        self.config.bitrate = bitrate;
        match &mut self.rate {
            Some(rate) => rate.set_mean(bits_per_picture(&self.config)),
            None => self.library.set_bitrate(bitrate)?,
        }
        Ok(())
    }

    /// Greatest bit rate this encoder can be set to, in bit/s: half as much again as it was made
    /// with.
    pub const fn bitrate_max(&self) -> u32 {
        self.bitrate_max
    }

    /// Encodes the next picture of the frame grid; an IDR picture if `force_sync`. Takes a whole
    /// picture or the borrowed planes of one, which are read once and not kept.
    pub fn encode<'a>(
        &mut self,
        picture: impl Into<PictureView<'a>>,
        force_sync: bool,
    ) -> Result<EncodedPicture, H264EncoderError> {
        let picture = picture.into();
        if self.failed {
            return Err(H264EncoderError::Failed);
        }
        if picture.size() != self.config.size {
            let (seen, expected) = (picture.size(), self.config.size);
            return Err(H264EncoderError::Size { seen, expected });
        }
        let due = self.config.sync_interval.is_some_and(|every| self.since_sync >= every.get());
        let sync = force_sync || due || self.pictures == 0;
        let encoded = self.encode_or_coarser(picture, sync);
        let made_sync = encoded.as_ref().is_ok_and(|picture| picture.sync);
        self.since_sync = if made_sync { 1 } else { self.since_sync.saturating_add(1) };
        self.failed = encoded.is_err();
        self.pictures += 1;
        encoded
    }

    /// openh264 gives up for good on a picture that takes more bits than its buffer holds: noise
    /// after a quiet scene, coded as finely as the scene was. Such a picture is coded again by a
    /// fresh instance that quantises coarsely, as an IDR picture, and the next planned IDR picture
    /// goes back to an ordinary instance. The parameter sets are the same throughout (EN-1).
    fn encode_or_coarser(
        &mut self,
        picture: PictureView<'_>,
        force_sync: bool,
    ) -> Result<EncodedPicture, H264EncoderError> {
        if force_sync && self.quantiser == Quantiser::Coarse {
            self.restart(Quantiser::Free)?;
        }
        match self.encode_checked(picture, force_sync) {
            Err(H264EncoderError::Library { code: OUT_OF_MEMORY, .. })
                if self.quantiser == Quantiser::Free =>
            {
                self.restart(Quantiser::Coarse)?;
                self.encode_checked(picture, true)
            }
            encoded => encoded,
        }
    }

    /// A fresh library instance in the place of the old one.
    fn restart(&mut self, quantiser: Quantiser) -> Result<(), H264EncoderError> {
        let (config, tuning) = (&self.config, &self.tuning);
        let mut library = Encoder::new(config, tuning, self.bitrate_max, quantiser)?;
        if parameter_sets(&library.parameter_sets()?)? != (self.sps.clone(), self.pps.clone()) {
            return Err(H264EncoderError::ParameterSetsChanged { picture: self.pictures });
        }
        (self.library, self.quantiser) = (library, quantiser);
        if let Some(rate) = &mut self.rate {
            rate.set_least(if quantiser == Quantiser::Coarse { COARSE_QP } else { 0 });
        }
        Ok(())
    }

    fn encode_checked(
        &mut self,
        picture: PictureView<'_>,
        force_sync: bool,
    ) -> Result<EncodedPicture, H264EncoderError> {
        let time_ms = grid_millis(self.pictures, self.config.frame_rate_millis);
        let quantiser = self.rate.as_mut().map(|rate| rate.quantiser(force_sync));
        if let Some(quantiser) = quantiser {
            self.library.set_quantiser(quantiser)?;
        }
        let (kind, units) = self.library.encode(picture, time_ms, force_sync)?;
        let mut nals = Vec::with_capacity(1);
        for nal in units.into_iter().map(without_start_code) {
            match kind_of(nal) {
                Some(NalKind::Sps) if nal == self.sps => {}
                Some(NalKind::Pps) if nal == self.pps => {}
                Some(NalKind::Sps | NalKind::Pps) => {
                    return Err(H264EncoderError::ParameterSetsChanged { picture: self.pictures });
                }
                _ => nals.push(Bytes::copy_from_slice(nal)),
            }
        }
        if kind == PictureKind::Skipped || nals.is_empty() {
            return Err(H264EncoderError::Skipped { picture: self.pictures });
        }
        let sync = kind == PictureKind::Idr;
        if let Some((rate, quantiser)) = self.rate.as_mut().zip(quantiser) {
            let bytes: usize = nals.iter().map(Bytes::len).sum();
            rate.coded(sync, quantiser, 8.0 * bytes as f64);
        }
        Ok(EncodedPicture { nals, sync })
    }

    /// The sequence parameter set, without start code (H.264 §7.3.2.1).
    pub const fn sps(&self) -> &Bytes {
        &self.sps
    }

    /// The picture parameter set, without start code (H.264 §7.3.2.2).
    pub const fn pps(&self) -> &Bytes {
        &self.pps
    }

    /// The configuration it works with; its bit rate is the current one.
    pub const fn config(&self) -> &H264EncoderConfig {
        &self.config
    }
}

fn bits_per_picture(config: &H264EncoderConfig) -> f64 {
    f64::from(config.bitrate) * 1_000.0 / f64::from(config.frame_rate_millis)
}

fn segment_rate(config: &H264EncoderConfig, tuning: &Tuning) -> Option<SegmentRate> {
    let RateControl::Segment { sync_gain } = tuning.rate else { return None };
    let pixels = f64::from(config.size.width()) * f64::from(config.size.height());
    let usual = f64::from(config.frame_rate_millis) / 1_000.0 * SEGMENT_SECONDS;
    let length = config.sync_interval.map_or(usual, |every| f64::from(every.get()));
    Some(SegmentRate::new(pixels, bits_per_picture(config), length, sync_gain))
}

fn parameter_sets(units: &[&[u8]]) -> Result<(Bytes, Bytes), H264EncoderError> {
    let of_kind = |wanted| {
        let nals = units.iter().map(|nal| without_start_code(nal));
        nals.filter(move |nal| kind_of(nal) == Some(wanted)).collect::<Vec<_>>()
    };
    match (of_kind(NalKind::Sps).as_slice(), of_kind(NalKind::Pps).as_slice()) {
        ([sps], [pps]) => Ok((Bytes::copy_from_slice(sps), Bytes::copy_from_slice(pps))),
        (sps, pps) => Err(H264EncoderError::ParameterSets { sps: sps.len(), pps: pps.len() }),
    }
}

fn kind_of(nal: &[u8]) -> Option<NalKind> {
    nal.first().copied().and_then(NalKind::of)
}

/// The bytes after the start code the library puts in front of each unit (H.264 B.1).
fn without_start_code(nal: &[u8]) -> &[u8] {
    nal.strip_prefix(&[0, 0, 0, 1]).or_else(|| nal.strip_prefix(&[0, 0, 1])).unwrap_or(nal)
}

/// What the level in the SPS has to allow for: the peak of a segment, 1.5 times its mean.
fn bitrate_max(bitrate: u32) -> u32 {
    bitrate.saturating_add(bitrate / 2).min(BITRATE_MAX)
}

/// Time of a picture on the frame grid, in ms; all the library needs it for is rate control.
fn grid_millis(picture: u64, frame_rate_millis: u32) -> i64 {
    let millis = u128::from(picture) * 1_000_000 / u128::from(frame_rate_millis);
    i64::try_from(millis).unwrap_or(i64::MAX)
}
