//! CMAF header of one track: `ftyp moov` (CM-1, CM-3, CM-4).
//!
//! ```text
//! ftyp
//! moov ─ mvhd
//!      ├ trak ─ tkhd
//!      │      └ mdia ─ mdhd hdlr
//!      │             └ minf ─ vmhd | smhd
//!      │                    ├ dinf ─ dref ─ url
//!      │                    └ stbl ─ stsd ─ avc1 | mp4a
//!      │                           └ stts stsc stsz stco   (all empty)
//!      └ mvex ─ trex
//! ```
//!
//! Durations are 0 and `mehd` is absent: the end of a broadcast is not known. There is no edit list,
//! because players disagree about it (CM-9).

use bytes::Bytes;

use super::TRACK_ID;
use super::sample_entry;
use super::writer::BoxWriter;
use crate::access_unit::{AudioTrack, VideoTrack};
use crate::time::Timescale;

/// The header of a video track. The timescale is 90 kHz (CM-4).
///
/// No CMAF media profile brand is claimed for video: `cfhd` and its kind promise colour and frame
/// rate limits that a passed-through source need not keep.
pub fn video_init(track: &VideoTrack) -> Bytes {
    let header = TrackHeader {
        timescale: Timescale::VIDEO.hz(),
        handler: *b"vide",
        handler_name: b"video\0",
        volume: 0,
        width: track.width,
        height: track.height,
    };
    write(&header, None, write_vmhd, |w| sample_entry::write_video(w, track))
}

/// The header of an audio track. The timescale is the output sample rate (CM-4).
pub fn audio_init(track: &AudioTrack) -> Bytes {
    const FULL_VOLUME: u16 = 0x0100;
    let header = TrackHeader {
        timescale: track.sample_rate,
        handler: *b"soun",
        handler_name: b"audio\0",
        volume: FULL_VOLUME,
        width: 0,
        height: 0,
    };
    // AAC core profile: at most stereo at 48 kHz (CMAF §10.4).
    let is_core = track.channels <= 2 && track.sample_rate <= 48_000;
    write(&header, is_core.then_some(*b"caac"), write_smhd, |w| sample_entry::write_audio(w, track))
}

/// What differs between the headers of the two kinds of track.
struct TrackHeader {
    timescale: u32,
    handler: [u8; 4],
    handler_name: &'static [u8],
    /// 8.8 fixed point.
    volume: u16,
    width: u32,
    height: u32,
}

/// Scale 1.0, no rotation (BMFF §8.2.2).
const UNITY_MATRIX: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];
/// `und`, three letters of five bits (BMFF §8.4.2).
const LANGUAGE_UNDETERMINED: u16 = 0x55C4;

fn write(
    header: &TrackHeader,
    profile: Option<[u8; 4]>,
    media_header: fn(&mut BoxWriter),
    sample_entry: impl FnOnce(&mut BoxWriter),
) -> Bytes {
    let mut w = BoxWriter::with_capacity(1024);
    w.boxed(b"ftyp", |w| {
        w.raw(b"cmfc");
        w.u32(0);
        w.raw(b"cmfciso6cmf2");
        w.raw(profile.as_ref().map_or(&[], |brand| brand.as_slice()));
    });
    w.boxed(b"moov", |w| {
        write_mvhd(w, header.timescale);
        w.boxed(b"trak", |w| {
            write_tkhd(w, header);
            w.boxed(b"mdia", |w| {
                write_mdhd(w, header.timescale);
                write_hdlr(w, header);
                w.boxed(b"minf", |w| {
                    media_header(w);
                    write_dinf(w);
                    write_stbl(w, sample_entry);
                });
            });
        });
        w.boxed(b"mvex", |w| {
            w.full(b"trex", 0, 0, |w| {
                w.u32(TRACK_ID);
                w.u32(1); // default sample description
                w.zeros(12);
            });
        });
    });
    Bytes::from(w.into_bytes())
}

fn write_mvhd(w: &mut BoxWriter, timescale: u32) {
    w.full(b"mvhd", 0, 0, |w| {
        w.zeros(8); // creation and modification time
        w.u32(timescale);
        w.u32(0);
        w.u32(0x1_0000); // rate 1.0
        w.u16(0x0100); // volume 1.0
        w.zeros(10);
        UNITY_MATRIX.into_iter().for_each(|v| w.u32(v));
        w.zeros(24);
        w.u32(TRACK_ID + 1); // next track id
    });
}

fn write_tkhd(w: &mut BoxWriter, header: &TrackHeader) {
    const ENABLED_IN_MOVIE_IN_PREVIEW: u32 = 7;
    let fixed_point = |pixels: u32| pixels.min(u16::MAX.into()) << 16;
    w.full(b"tkhd", 0, ENABLED_IN_MOVIE_IN_PREVIEW, |w| {
        w.zeros(8);
        w.u32(TRACK_ID);
        w.zeros(8); // reserved, duration
        w.zeros(12); // reserved, layer, alternate group
        w.u16(header.volume);
        w.zeros(2);
        UNITY_MATRIX.into_iter().for_each(|v| w.u32(v));
        w.u32(fixed_point(header.width));
        w.u32(fixed_point(header.height));
    });
}

fn write_mdhd(w: &mut BoxWriter, timescale: u32) {
    w.full(b"mdhd", 0, 0, |w| {
        w.zeros(8);
        w.u32(timescale);
        w.u32(0);
        w.u16(LANGUAGE_UNDETERMINED);
        w.u16(0);
    });
}

fn write_hdlr(w: &mut BoxWriter, header: &TrackHeader) {
    w.full(b"hdlr", 0, 0, |w| {
        w.u32(0);
        w.raw(&header.handler);
        w.zeros(12);
        w.raw(header.handler_name);
    });
}

fn write_vmhd(w: &mut BoxWriter) {
    w.full(b"vmhd", 0, 1, |w| w.zeros(8));
}

fn write_smhd(w: &mut BoxWriter) {
    w.full(b"smhd", 0, 0, |w| w.zeros(4));
}

fn write_dinf(w: &mut BoxWriter) {
    const MEDIA_IN_THIS_FILE: u32 = 1;
    w.boxed(b"dinf", |w| {
        w.full(b"dref", 0, 0, |w| {
            w.u32(1);
            w.full(b"url ", 0, MEDIA_IN_THIS_FILE, |_| {});
        });
    });
}

fn write_stbl(w: &mut BoxWriter, sample_entry: impl FnOnce(&mut BoxWriter)) {
    w.boxed(b"stbl", |w| {
        w.full(b"stsd", 0, 0, |w| {
            w.u32(1);
            sample_entry(w);
        });
        w.full(b"stts", 0, 0, |w| w.u32(0));
        w.full(b"stsc", 0, 0, |w| w.u32(0));
        w.full(b"stsz", 0, 0, |w| w.zeros(8));
        w.full(b"stco", 0, 0, |w| w.u32(0));
    });
}
