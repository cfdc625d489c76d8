//! Sample entries and the codec strings that name them: `avc1`, `hvc1` and `av01` with their
//! configuration, `colr`, `mdcv`, `clli` and `pasp` (AVC-FF §5.4 and §8.4, AV1-FF §2.2, CM-12,
//! CM-13, CM-15); `mp4a` with `esds`, `Opus`, `fLaC`, `ac-3` and `ec-3` (ISO 14496-14 §5.6, CM-14,
//! AC3 Annex F).
//!
//! The one place of this room's output side that looks inside a codec configuration.

use super::writer::BoxWriter;
use crate::access_unit::{AudioCodec, AudioTrack, VideoCodec, VideoTrack};
use crate::picture::Light;

/// CODECS value of a video track (MV-2, RFC 6381).
pub fn video_codec_string(track: &VideoTrack) -> String {
    track.codec.codec_string()
}

/// CODECS value of an audio track (MV-2, RFC 6381).
pub fn audio_codec_string(track: &AudioTrack) -> String {
    track.codec.codec_string()
}

/// VIDEO-RANGE of a variant (MV-3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VideoRange {
    /// Standard dynamic range, also when the stream says nothing.
    Sdr,
    /// Hybrid log-gamma.
    Hlg,
    /// Perceptual quantiser.
    Pq,
}

impl VideoRange {
    /// The attribute's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sdr => "SDR",
            Self::Hlg => "HLG",
            Self::Pq => "PQ",
        }
    }
}

/// The range that follows from the transfer characteristics of the stream (MV-3).
pub fn video_range(track: &VideoTrack) -> VideoRange {
    const TRANSFER_PQ: u8 = 16;
    const TRANSFER_HLG: u8 = 18;
    match track.colour.map(|colour| colour.transfer) {
        Some(TRANSFER_PQ) => VideoRange::Pq,
        Some(TRANSFER_HLG) => VideoRange::Hlg,
        _ => VideoRange::Sdr,
    }
}

/// VisualSampleEntry (BMFF §12.1.3): size after cropping, before the sample aspect ratio.
pub(super) fn write_video(w: &mut BoxWriter, track: &VideoTrack) {
    const RESOLUTION_72_DPI: u32 = 0x0048_0000;
    const DEPTH_COLOUR_WITHOUT_ALPHA: u16 = 0x18;
    let (width, height) = track.codec.coded_size();
    let (entry, configuration, record) = match &track.codec {
        VideoCodec::H264(config) => (b"avc1", b"avcC", config.record()),
        VideoCodec::Hevc(config) => (b"hvc1", b"hvcC", config.record()),
        VideoCodec::Av1(config) => (b"av01", b"av1C", config.record()),
    };
    w.boxed(entry, |w| {
        write_entry_head(w);
        w.zeros(16);
        w.u16(u16::try_from(width).unwrap_or(u16::MAX));
        w.u16(u16::try_from(height).unwrap_or(u16::MAX));
        w.u32(RESOLUTION_72_DPI);
        w.u32(RESOLUTION_72_DPI);
        w.u32(0);
        w.u16(1); // frame count per sample
        w.zeros(32); // compressor name
        w.u16(DEPTH_COLOUR_WITHOUT_ALPHA);
        w.u16(u16::MAX); // pre-defined: -1
        w.boxed(configuration, |w| w.raw(record));
        if let Some(colour) = track.colour {
            w.boxed(b"colr", |w| {
                w.raw(b"nclx");
                w.u16(colour.primaries.into());
                w.u16(colour.transfer.into());
                w.u16(colour.matrix.into());
                w.u8(u8::from(colour.full_range) << 7);
            });
        }
        write_light(w, track.light);
        let (across, down) = track.codec.sample_aspect_ratio();
        if across != down {
            w.boxed(b"pasp", |w| {
                w.u32(across);
                w.u32(down);
            });
        }
    });
}

/// MasteringDisplayColourVolumeBox and ContentLightLevelBox (BMFF §12.1.7 and §12.1.6).
fn write_light(w: &mut BoxWriter, light: Light) {
    if let Some(display) = light.mastering {
        w.boxed(b"mdcv", |w| {
            for (x, y) in display.primaries.into_iter().chain([display.white]) {
                w.u16(x);
                w.u16(y);
            }
            w.u32(display.luminance_max);
            w.u32(display.luminance_min);
        });
    }
    if let Some(content) = light.content {
        w.boxed(b"clli", |w| {
            w.u16(content.max);
            w.u16(content.max_mean);
        });
    }
}

/// AudioSampleEntry (BMFF §12.2.3) with what its codec adds.
pub(super) fn write_audio(w: &mut BoxWriter, track: &AudioTrack) {
    /// Template values of formats whose own configuration rules (ISO 14496-14 §5.6.1, AC3 §F.2).
    const CHANNEL_COUNT: u16 = 2;
    const SAMPLE_BITS: u16 = 16;
    let channels = u16::from(track.channels);
    match &track.codec {
        AudioCodec::Aac(config) => {
            write_audio_entry(w, b"mp4a", track, CHANNEL_COUNT, SAMPLE_BITS, |w| {
                write_esds(w, OBJECT_TYPE_AAC, Some(config.bytes()), track.bitrate);
            });
        }
        AudioCodec::Mp3(config) => {
            write_audio_entry(w, b"mp4a", track, CHANNEL_COUNT, SAMPLE_BITS, |w| {
                write_esds(w, config.object_type(), None, track.bitrate);
            });
        }
        AudioCodec::Opus(config) => {
            write_audio_entry(w, b"Opus", track, channels, SAMPLE_BITS, |w| {
                w.boxed(b"dOps", |w| w.raw(config.dops()));
            });
        }
        AudioCodec::Flac(config) => {
            let bits = u16::from(config.bits_per_sample());
            write_audio_entry(w, b"fLaC", track, channels, bits, |w| {
                w.full(b"dfLa", 0, 0, |w| w.raw(config.dfla()));
            });
        }
        AudioCodec::Ac3(config) => {
            let (entry, specific) =
                if config.is_enhanced() { (b"ec-3", b"dec3") } else { (b"ac-3", b"dac3") };
            write_audio_entry(w, entry, track, CHANNEL_COUNT, SAMPLE_BITS, |w| {
                w.boxed(specific, |w| w.raw(&config.specific_box()));
            });
        }
    }
}

fn write_audio_entry(
    w: &mut BoxWriter,
    kind: &[u8; 4],
    track: &AudioTrack,
    channels: u16,
    sample_bits: u16,
    configuration: impl FnOnce(&mut BoxWriter),
) {
    w.boxed(kind, |w| {
        write_entry_head(w);
        w.zeros(8);
        w.u16(channels);
        w.u16(sample_bits);
        w.zeros(4);
        // 16.16 holds no more than 65535 Hz (CM-14).
        w.u32(u16::try_from(track.sample_rate).map_or(0, |rate| u32::from(rate) << 16));
        configuration(w);
    });
}

const OBJECT_TYPE_AAC: u8 = 0x40;

/// The MPEG-4 descriptors (ISO 14496-1 §7.2.6); MP3 has no decoder specific part.
fn write_esds(w: &mut BoxWriter, object_type: u8, config: Option<&[u8]>, bitrate: Option<u32>) {
    const ES_DESCRIPTOR: u8 = 3;
    const DECODER_CONFIG: u8 = 4;
    const DECODER_SPECIFIC: u8 = 5;
    const SL_CONFIG: u8 = 6;
    /// Stream type audio (5), upstream 0, reserved 1.
    const AUDIO_STREAM: u8 = 0x15;
    const SL_PREDEFINED_MP4: u8 = 2;
    w.full(b"esds", 0, 0, |w| {
        w.descriptor(ES_DESCRIPTOR, |w| {
            w.u16(0); // ES_ID: 0 inside a file
            w.u8(0);
            w.descriptor(DECODER_CONFIG, |w| {
                w.u8(object_type);
                w.u8(AUDIO_STREAM);
                w.zeros(3); // decoding buffer size: not told
                w.u32(bitrate.unwrap_or(0));
                w.u32(bitrate.unwrap_or(0));
                if let Some(config) = config {
                    w.descriptor(DECODER_SPECIFIC, |w| w.raw(config));
                }
            });
            w.descriptor(SL_CONFIG, |w| w.u8(SL_PREDEFINED_MP4));
        });
    });
}

/// SampleEntry (BMFF §8.5.2): reserved, and the first data reference.
fn write_entry_head(w: &mut BoxWriter) {
    w.zeros(6);
    w.u16(1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::av1::Av1Config;
    use crate::flac::FlacConfig;
    use crate::hevc::HevcConfig;
    use crate::mp3::Mp3Config;
    use crate::opus::OpusConfig;
    use crate::picture::{Colour, ContentLight, MasteringDisplay};

    fn audio_entry(codec: AudioCodec) -> Vec<u8> {
        let track = AudioTrack::of(codec, None);
        let mut w = BoxWriter::default();
        write_audio(&mut w, &track);
        w.into_bytes()
    }

    fn video_entry(codec: VideoCodec, colour: Option<Colour>) -> (Vec<u8>, VideoRange) {
        lit_entry(codec, colour, Light::default())
    }

    fn lit_entry(codec: VideoCodec, colour: Option<Colour>, light: Light) -> (Vec<u8>, VideoRange) {
        let (width, height) = codec.display_size();
        let frame_rate_millis = codec.frame_rate_millis();
        let bitrate = None;
        let track = VideoTrack { codec, width, height, frame_rate_millis, colour, light, bitrate };
        let mut w = BoxWriter::default();
        write_video(&mut w, &track);
        (w.into_bytes(), video_range(&track))
    }

    /// Reserved bytes, data reference 1, reserved bytes, channels, bits, rate.
    fn audio_head(channels: u8, bits: u8, rate: u16) -> Vec<u8> {
        let mut head = vec![0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, channels, 0, bits];
        head.extend([0, 0, 0, 0]);
        head.extend(rate.to_be_bytes());
        head.extend([0, 0]);
        head
    }

    #[test]
    fn cm14_sound_of_every_codec_has_its_entry() {
        let info = [0x12, 0, 0x12, 0, 0, 0, 14, 0, 16, 0, 0x0B, 0xB8, 0x03, 0x70, 0, 0, 0, 0];
        let flac = [b"fLaC\x00\x00\x00\x22", &info[..], &[7; 16]].concat();
        let flac = FlacConfig::parse(&flac).unwrap();
        let (mp3, _) = Mp3Config::parse(&[0xFF, 0xFB, 0x94, 0]).unwrap();
        let mut frame = vec![0x0B, 0x77, 0, 0, 0x14, 0x40, 0x43, 0xE1];
        frame.resize(768, 0);
        let (ac3, ..) = crate::ac3::units(&frame.into(), 1).unwrap()[0];
        let mut frame = vec![0x0B, 0x77, 0, 49, 0x3F, 0x80];
        frame.resize(100, 0);
        let (ec3, ..) = crate::ac3::units(&frame.into(), 1).unwrap()[0];
        let dfla = [b"\0\0\0\x32dfLa\0\0\0\0\x80\0\0\x22", &info[..], &[7; 16]].concat();
        let esds: &[u8] = b"\0\0\0\x2Cesds\0\0\0\0\x03\x80\x80\x80\x1B\0\0\0\
            \x04\x80\x80\x80\x0D\x6B\x15\0\0\0\0\0\0\0\0\0\0\0\x06\x80\x80\x80\x01\x02";
        let dops = b"\0\0\0\x13dOps\0\x02\x01\x38\0\0\xBB\x80\0\0\0";
        for (kind, codec, head, configuration) in [
            (b"Opus", AudioCodec::Opus(OpusConfig::stereo()), audio_head(2, 16, 48_000), &dops[..]),
            (b"fLaC", AudioCodec::Flac(flac), audio_head(2, 24, 48_000), &dfla),
            (b"mp4a", AudioCodec::Mp3(mp3), audio_head(2, 16, 48_000), esds),
            (
                b"ac-3",
                AudioCodec::Ac3(ac3),
                audio_head(2, 16, 48_000),
                b"\0\0\0\x0Bdac3\x10\x11\x40",
            ),
            (
                b"ec-3",
                AudioCodec::Ac3(ec3),
                audio_head(2, 16, 48_000),
                b"\0\0\0\x0Ddec3\0\xC8\x20\x0F\0",
            ),
        ] {
            let entry = audio_entry(codec);
            assert_eq!(entry[..4], (entry.len() as u32).to_be_bytes());
            assert_eq!(entry[4..8], *kind);
            assert_eq!(entry[8..36], head);
            assert_eq!(entry[36..], *configuration, "{}", String::from_utf8_lossy(kind));
        }
    }

    #[test]
    fn cm15_light_stands_behind_colour() {
        let av1 = crate::testdata::record(include_str!("../../testdata/enhanced.hex"), "av1");
        let codec = VideoCodec::Av1(Av1Config::parse(&av1.into()).unwrap().unwrap());
        let content = Some(ContentLight { max: 1_000, max_mean: 400 });
        let mastering = Some(MasteringDisplay {
            primaries: [(13_250, 34_500), (7_500, 3_000), (34_000, 16_000)],
            white: (15_635, 16_450),
            luminance_max: 10_000_000,
            luminance_min: 1,
        });
        let clli = b"\0\0\0\x0cclli\x03\xe8\x01\x90";
        let mdcv = b"\0\0\0\x20mdcv\x33\xc2\x86\xc4\x1d\x4c\x0b\xb8\x84\xd0\x3e\x80\
            \x3d\x13\x40\x42\0\x98\x96\x80\0\0\0\x01";
        let hdr = Some(Colour { primaries: 9, transfer: 16, matrix: 9, full_range: false });
        let dark = video_entry(codec.clone(), hdr).0;
        for (light, boxes) in [
            (Light { content, mastering: None }, clli.to_vec()),
            (Light { content: None, mastering }, mdcv.to_vec()),
            (Light { content, mastering }, [&mdcv[..], clli].concat()),
        ] {
            let entry = lit_entry(codec.clone(), hdr, light).0;
            assert_eq!(entry[4..dark.len()], dark[4..]);
            assert_eq!(entry[dark.len()..], boxes);
        }
    }

    #[test]
    fn cm12_cm13_cm15_pictures_of_every_codec_have_their_entry_and_colour() {
        let record = |name: &str| -> Vec<u8> {
            crate::testdata::record(include_str!("../../testdata/enhanced.hex"), name)
        };
        let hevc = HevcConfig::parse(&record("hevc_pq")).unwrap().0;
        let hvcc = [&b"hvcC"[..], hevc.record()].concat();
        let av1 = Av1Config::parse(&record("av1").into()).unwrap().unwrap();
        let av1c = [&b"av1C"[..], av1.record()].concat();
        let hlg = Colour { primaries: 9, transfer: 18, matrix: 9, full_range: false };
        let colour = hevc.colour();
        for (kind, codec, colour, configuration, colr, range) in [
            (
                b"hvc1",
                VideoCodec::Hevc(hevc),
                colour,
                hvcc,
                &b"\0\0\0\x13colrnclx\0\x09\0\x10\0\x09\0"[..],
                VideoRange::Pq,
            ),
            (
                b"av01",
                VideoCodec::Av1(av1.clone()),
                Some(hlg),
                av1c.clone(),
                b"\0\0\0\x13colrnclx\0\x09\0\x12\0\x09\0",
                VideoRange::Hlg,
            ),
            (b"av01", VideoCodec::Av1(av1), None, av1c, b"", VideoRange::Sdr),
        ] {
            let (entry, told) = video_entry(codec, colour);
            assert_eq!(entry[..4], (entry.len() as u32).to_be_bytes());
            assert_eq!(entry[4..8], *kind);
            assert_eq!(entry[32..36], [0, 160, 0, 96]);
            let after = configuration.len() + 90;
            assert_eq!(entry[86..90], (configuration.len() as u32 + 4).to_be_bytes());
            assert_eq!(entry[90..after], configuration);
            assert_eq!(entry[after..], *colr);
            assert_eq!(told, range);
        }
    }
}
