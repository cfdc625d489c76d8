//! Publisher bytes to viewer bytes.
//!
//! ```text
//! socket bytes ─▶ rtmp ─▶ flv ─▶ source ─▶ hls::Segmenter ─▶ hls::Update ─▶ hls::Window ─▶
//! playlists
//!                                access units     │ cmaf
//! ```
//!
//! The room is pure: no sockets, files, clocks, threads or random numbers. Time comes in as an
//! argument (`Instant` for deadlines, [`time::UnixTime`] for dates shown to people), randomness as
//! bytes. Without the feature `codec` it has no C code either.
//!
//! Short names of the standards cited in this room:
//!
//! | tag | document |
//! |---|---|
//! | RTMP | Adobe's Real Time Messaging Protocol specification 1.0, December 2012 |
//! | FLV | Adobe Flash Video File Format Specification 10.1, Annex E |
//! | AMF0, AMF3 | Action Message Format specifications, 2007 and 2013 |
//! | H.264 | ITU-T H.264 (08/2021) |
//! | AVC-FF | ISO/IEC 14496-15:2022 |
//! | HEVC | ITU-T H.265 (08/2021) |
//! | AV1 | AV1 Bitstream & Decoding Process Specification, with Errata 1 |
//! | AV1-FF | AV1 Codec ISO Media File Format Binding 1.2 |
//! | AAC | ISO/IEC 14496-3:2019 |
//! | AC3 | ETSI TS 102 366 1.4.1 |
//! | E-RTMP | Veovera Enhanced RTMP (v2), 2026-01-31 |
//! | BMFF | ISO/IEC 14496-12:2022 |
//! | CMAF | ISO/IEC 23000-19:2020 |
//! | HLS | draft-pantos-hls-rfc8216bis-22 |
//!
//! Ids such as CK-5 or LL-12 name rules of the project's media reference.

pub mod aac;
pub mod ac3;
pub mod access_unit;
pub mod amf;
pub mod arrival;
pub mod av1;
pub mod bits;
pub mod cmaf;
#[cfg(feature = "codec")]
pub mod codec;
pub mod cursor;
#[cfg(feature = "codec")]
pub mod demo;
pub mod flac;
pub mod flv;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod h264;
#[cfg(feature = "codec")]
pub mod health;
pub mod hevc;
pub mod hls;
#[cfg(feature = "codec")]
pub mod ladder;
pub mod limits;
pub mod mp3;
pub mod nal;
pub mod opus;
pub mod picture;
pub mod rtmp;
#[cfg(feature = "codec")]
pub mod scale;
#[cfg(feature = "codec")]
pub mod sound;
pub mod source;
#[cfg(feature = "codec")]
pub mod still;
#[cfg(test)]
mod testdata;
pub mod time;
