//! CMAF header of one track: `ftyp moov` (CM-1, CM-3, CM-4).
//!
//! ```text
//! ftyp
//! moov ─ mvhd
//!      ├ trak ─ tkhd
//!      │      └ mdia ─ mdhd hdlr
//!      │             └ minf ─ vmhd | smhd
//!      │                    ├ dinf ─ dref ─ url
//!      │                    └ stbl ─ stsd ─ the codec's sample entry
//!      │                           └ stts stsc stsz stco   (all empty)
//!      └ mvex ─ trex
//! ```
//!
//! Durations are 0 and `mehd` is absent: the end of a broadcast is not known. There is no edit
//! list, because players disagree about it (CM-9).

use bytes::Bytes;

use super::TRACK_ID;
use super::sample_entry;
use super::writer::BoxWriter;
use crate::access_unit::{AudioCodec, AudioTrack, VideoTrack};
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
    let is_core = matches!(track.codec, AudioCodec::Aac(_))
        && track.channels <= 2
        && track.sample_rate <= 48_000;
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

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::aac::AudioSpecificConfig;
    use crate::access_unit::VideoCodec;
    use crate::cursor::Cursor;
    use crate::h264::AvcConfig;
    use crate::picture::Light;

    /// avcC of 320x180 High at 30 fps, BT.709, limited range; see `hls::tests::publisher`.
    const AVCC: &[u8] = b"\x01\x64\x00\x0d\xff\xe1\x00\x1c\x67\x64\x00\x0d\xac\xd9\x41\x41\x9f\x9f\
        \x01\x6a\x02\x02\x02\x80\x00\x00\x03\x00\x80\x00\x00\x1e\x07\x8a\x14\xcb\x01\x00\x06\x68\
        \xeb\xe3\xcb\x22\xc0\xfd\xf8\xf8\x00";

    /// A box, its fields in hexadecimal, 32 bytes a line, and its children, all indented.
    fn dump(bytes: &[u8]) -> String {
        let mut text = String::new();
        dump_boxes(&mut Cursor::new(bytes), 0, &mut text);
        text
    }

    fn dump_boxes(cursor: &mut Cursor<'_>, depth: usize, text: &mut String) {
        while !cursor.is_empty() {
            let size = usize::try_from(cursor.u32().unwrap()).unwrap();
            let kind = std::str::from_utf8(cursor.take(4).unwrap()).unwrap();
            let mut body = Cursor::new(cursor.take(size - 8).unwrap());
            // Fields that stand before the children.
            let head = match kind {
                "moov" | "trak" | "mdia" | "minf" | "dinf" | "stbl" | "mvex" => Some(0),
                "dref" | "stsd" => Some(8),
                "avc1" => Some(78),
                "mp4a" => Some(28),
                _ => None,
            };
            let fields = body.take(head.unwrap_or(size - 8)).unwrap();
            write!(text, "{:indent$}{kind}", "", indent = depth * 2).unwrap();
            for (index, byte) in fields.iter().enumerate() {
                let space = if index % 32 == 0 {
                    format!("\n{:1$}", "", depth * 2 + 5)
                } else {
                    String::new()
                };
                write!(text, "{space}{byte:02x}").unwrap();
            }
            text.push('\n');
            dump_boxes(&mut body, depth + 1, text);
        }
    }

    fn assert_dump(init: &[u8], want: &str) {
        let got = dump(init);
        assert!(got == want, "got:\n{got}\nwant:\n{want}");
    }

    #[test]
    fn video_header() {
        let (config, _) = AvcConfig::parse(AVCC).unwrap();
        let init = video_init(&VideoTrack {
            light: Light::default(),
            colour: config.colour(),
            codec: VideoCodec::H264(config),
            width: 320,
            height: 180,
            frame_rate_millis: None,
            bitrate: None,
        });
        assert_dump(&init, VIDEO);
    }

    #[test]
    fn audio_header() {
        let init = audio_init(&AudioTrack {
            codec: AudioCodec::Aac(AudioSpecificConfig::lc(48_000, 2).unwrap()),
            sample_rate: 48_000,
            channels: 2,
            samples_per_unit: 1_024,
            bitrate: Some(128_000),
        });
        assert_dump(&init, AUDIO);
    }

    #[test]
    fn high_rates_and_many_channels_leave_the_core_profile() {
        let mut track = AudioTrack {
            codec: AudioCodec::Aac(AudioSpecificConfig::lc(96_000, 2).unwrap()),
            sample_rate: 96_000,
            channels: 2,
            samples_per_unit: 1_024,
            bitrate: None,
        };
        let init = audio_init(&track);
        assert!(!init.windows(4).any(|w| w == b"caac"));
        // 96000 does not fit into 16.16 (CM-14).
        assert!(dump(&init).contains("00000000000000010000000000000000000200100000000000000000\n"));
        track.sample_rate = 44_100;
        assert!(audio_init(&track).windows(4).any(|w| w == b"caac"));
    }

    const VIDEO: &str = "\
ftyp
     636d666300000000636d666369736f36636d6632
moov
  mvhd
       00000000000000000000000000015f9000000000000100000100000000000000
       0000000000010000000000000000000000000000000100000000000000000000
       0000000040000000000000000000000000000000000000000000000000000000
       00000002
  trak
    tkhd
         0000000700000000000000000000000100000000000000000000000000000000
         0000000000000000000100000000000000000000000000000001000000000000
         0000000000000000400000000140000000b40000
    mdia
      mdhd
           00000000000000000000000000015f900000000055c40000
      hdlr
           000000000000000076696465000000000000000000000000766964656f00
      minf
        vmhd
             000000010000000000000000
        dinf
          dref
               0000000000000001
            url 
                 00000001
        stbl
          stsd
               0000000000000001
            avc1
                 000000000000000100000000000000000000000000000000014000b400480000
                 0048000000000000000100000000000000000000000000000000000000000000
                 000000000000000000000018ffff
              avcC
                   0164000dffe1001c6764000dacd941419f9f016a02020280000003008000001e
                   078a14cb01000668ebe3cb22c0fdf8f800
              colr
                   6e636c7800010001000100
          stts
               0000000000000000
          stsc
               0000000000000000
          stsz
               000000000000000000000000
          stco
               0000000000000000
  mvex
    trex
         000000000000000100000001000000000000000000000000
";

    const AUDIO: &str = "\
ftyp
     636d666300000000636d666369736f36636d663263616163
moov
  mvhd
       0000000000000000000000000000bb8000000000000100000100000000000000
       0000000000010000000000000000000000000000000100000000000000000000
       0000000040000000000000000000000000000000000000000000000000000000
       00000002
  trak
    tkhd
         0000000700000000000000000000000100000000000000000000000000000000
         0000000001000000000100000000000000000000000000000001000000000000
         0000000000000000400000000000000000000000
    mdia
      mdhd
           0000000000000000000000000000bb800000000055c40000
      hdlr
           0000000000000000736f756e000000000000000000000000617564696f00
      minf
        smhd
             0000000000000000
        dinf
          dref
               0000000000000001
            url 
                 00000001
        stbl
          stsd
               0000000000000001
            mp4a
                 000000000000000100000000000000000002001000000000bb800000
              esds
                   000000000380808022000000048080801440150000000001f4000001f4000580
                   8080021190068080800102
          stts
               0000000000000000
          stsc
               0000000000000000
          stsz
               000000000000000000000000
          stco
               0000000000000000
  mvex
    trex
         000000000000000100000001000000000000000000000000
";
}
