//! One function per target of `fuzz/`: bytes in, a panic where this room breaks a promise.
//!
//! The functions here take the parsers one by one; [`rtmp_chunk`], [`rtmp_session`], [`source`],
//! [`segmenter`], `h264_decode` and `aac_decode` live beside the machines they drive. The same
//! functions run over the committed seeds in the tests of this room, so a finding that became a
//! seed stays found.

use bytes::Bytes;

use crate::aac::{AudioSpecificConfig, adts, silent_access_unit};
use crate::amf::amf0;
use crate::cursor::Cursor;
use crate::flv::{AudioBody, AudioTag, Metadata, VideoBody, VideoTag};
use crate::h264::{AvcConfig, ParameterSets, Sps, normalise, pps::Pps};
use crate::hls::Directives;
use crate::limits;
use crate::nal::{Framing, LengthSize, annexb};

#[cfg(feature = "codec")]
pub use crate::codec::fuzzing::h264_decode;
pub use crate::hls::fuzzing::segmenter;
pub use crate::rtmp::fuzzing::{rtmp_chunk, rtmp_session};
#[cfg(feature = "codec")]
pub use crate::sound::fuzzing::aac_decode;
pub use crate::source::fuzzing::source;

/// AMF0, and AMF3 behind its marker: what was read, written again, reads the same.
pub fn amf0(data: &[u8]) {
    for value in amf0::Reader::new(data).read_rest() {
        let metadata = Metadata::from(&value);
        assert!(metadata.encoder.is_none_or(|e| e.len() <= limits::METADATA_TEXT_BYTES_MAX));
        let mut written = Vec::new();
        amf0::write(&value, &mut written);
        let again = amf0::Reader::new(&written).read();
        // NaN differs from itself, its text does not.
        let same =
            matches!(&again, Ok(Some(again)) if format!("{again:?}") == format!("{value:?}"));
        assert!(same, "{value:?} became {again:?}");
    }
}

/// One AMF3 value after another, each entered by the marker that switches to it.
pub fn amf3(data: &[u8]) {
    let mut switched = vec![0x11];
    switched.extend_from_slice(data);
    amf0(&switched);
}

/// Video and audio tag bodies: the payload is a part of the body.
pub fn flv_tag(data: &[u8]) {
    let body = Bytes::copy_from_slice(data);
    let is_part = |payload: &Bytes| {
        payload.is_empty() || data.windows(payload.len()).any(|window| window == &payload[..])
    };
    for packet in VideoTag::parse(&body).unwrap_or_default().packets {
        if let VideoBody::SequenceHeader(payload) | VideoBody::Frame { payload, .. } = packet.body {
            assert!(is_part(&payload));
        }
    }
    for packet in AudioTag::parse(&body).unwrap_or_default().packets {
        if let AudioBody::SequenceHeader(payload) | AudioBody::Frames(payload) = packet.body {
            assert!(is_part(&payload));
        }
    }
}

/// A sequence parameter set: a picture that is accepted is within the limits.
pub fn sps(data: &[u8]) {
    let Ok(sps) = Sps::parse(data) else { return };
    let side = 1..=limits::PICTURE_SIDE_MAX;
    assert!(side.contains(&sps.coded_width) && side.contains(&sps.coded_height), "{sps:?}");
    assert!((1..=sps.coded_width).contains(&sps.width), "{sps:?}");
    assert!((1..=sps.coded_height).contains(&sps.height), "{sps:?}");
    let _ = sps.interlaced();
}

/// A picture parameter set.
pub fn pps(data: &[u8]) {
    let Ok(pps) = Pps::parse(data) else { return };
    assert!(pps.sps_id < 32);
}

/// A configuration record, or parameter sets with start codes: the canonical record reads back as
/// itself.
pub fn avcc(data: &[u8]) {
    let of_record = AvcConfig::parse(data).map(|(config, _)| config);
    let of_sets = ParameterSets::parse_annexb(data).and_then(|sets| AvcConfig::new(&sets));
    for config in [of_record, of_sets].into_iter().flatten() {
        let (again, size) = match AvcConfig::parse(config.record()) {
            Ok(parsed) => parsed,
            Err(error) => panic!("our own record is refused: {error}"),
        };
        assert_eq!(size, LengthSize::Four);
        assert_eq!(again.record(), config.record());
        assert_eq!(config.codec_string().len(), "avc1.64001F".len());
        let _ = (config.display_size(), config.sample_aspect_ratio(), config.colour());
    }
}

/// Payloads of every framing: what comes out is NAL units with four-byte lengths, none of them
/// empty, and normalising it again changes nothing.
pub fn annexb(data: &[u8]) {
    for range in annexb::split(data) {
        assert!(!range.is_empty() && range.end <= data.len());
        let unit = &data[range];
        assert!(unit.windows(3).all(|three| three != [0, 0, 1]), "a start code inside");
    }
    let payload = Bytes::copy_from_slice(data);
    for size in [LengthSize::One, LengthSize::Two, LengthSize::Four] {
        let _ = Framing::detect(&payload, size);
        check_normalised(&payload, Framing::Lengths(size));
    }
    check_normalised(&payload, Framing::AnnexB);
}

fn check_normalised(payload: &Bytes, framing: Framing) {
    let Ok(picture) = normalise(payload, framing) else { return };
    let four = Framing::Lengths(LengthSize::Four);
    match normalise(&picture.payload, four) {
        Ok(again) => assert_eq!((&again.payload, again.idr), (&picture.payload, picture.idr)),
        Err(error) => panic!("our own sample is refused: {error}"),
    }
    assert!(picture.sps.iter().chain(&picture.pps).all(|set| !set.is_empty()));
}

/// An AudioSpecificConfig: what is accepted can be written down and read back, and is silent where
/// silence is known.
pub fn asc(data: &[u8]) {
    let Ok(config) = AudioSpecificConfig::parse(data) else { return };
    match AudioSpecificConfig::parse(config.bytes()) {
        Ok(again) => assert_eq!(again, config),
        Err(error) => panic!("our own configuration is refused: {error}"),
    }
    assert!((1..=16).contains(&config.channels()), "{config:?}");
    assert!(config.output_sample_rate() > 0 && config.samples_per_unit() > 0, "{config:?}");
    assert!(config.codec_string().starts_with("mp4a.40."));
    assert!(silent_access_unit(&config).is_none_or(|unit| !unit.is_empty()));
}

/// ADTS: units are parts of the payload, in order, within the cap.
pub fn adts(data: &[u8]) {
    let units = adts::strip(&Bytes::copy_from_slice(data));
    assert!(units.len() <= limits::AUDIO_UNITS_PER_MESSAGE_MAX);
    let bytes: usize = units.iter().map(Bytes::len).sum();
    assert!(bytes <= data.len());
}

/// The query of a playlist request.
pub fn directives(data: &[u8]) {
    let Ok(query) = std::str::from_utf8(data) else { return };
    if let Ok(directives) = Directives::parse(query) {
        assert!(directives.part.is_none() || directives.msn.is_some());
    }
}

/// Decisions read from fuzz bytes; zeros once they are used up.
pub(crate) struct Choices<'a>(Cursor<'a>);

impl<'a> Choices<'a> {
    pub(crate) const fn new(data: &'a [u8]) -> Self {
        Self(Cursor::new(data))
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.0.u8().unwrap_or(0)
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from(self.byte()) << 8 | u16::from(self.byte())
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from(self.u16()) << 16 | u32::from(self.u16())
    }

    pub(crate) fn i64(&mut self) -> i64 {
        (i64::from(self.u32()) << 32) | i64::from(self.u32())
    }

    pub(crate) fn yes(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::from(self.byte()) % from.len()]
    }

    /// At most `len` bytes, as they stand.
    pub(crate) fn bytes(&mut self, len: usize) -> &'a [u8] {
        self.0.take(len.min(self.0.len())).unwrap_or(&[])
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.0.rest()
    }
}

#[cfg(test)]
mod tests;
