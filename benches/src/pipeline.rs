//! The path of a picture through a ladder, in this process on one thread: decoder, cascade,
//! encoders, each with its CPU time. The rooms are those that the server runs on several threads.

use std::sync::Arc;

use riverrun_media::codec::{
    CpuUsage, DecodedPicture, H264Decoder, H264Encoder, H264EncoderConfig, Picture, PictureSize,
    Tuning,
};
use riverrun_media::h264::{AvcConfig, Colour};
use riverrun_media::scale::{Cascade, Made};
use riverrun_media::time::MediaTime;

use crate::clips::{GOP, RATE};
use crate::footage::{Footage, Kind};
use crate::{Outcome, cpu};

/// Bytes before the access unit in a video message (FLV Annex E.4.3.1).
pub const VIDEO_HEADER_BYTES: usize = 5;
const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// CPU seconds by stage.
#[derive(Clone, Debug, Default)]
pub struct Stages {
    /// Of the source.
    pub decode: f64,
    /// To all sizes.
    pub scale: f64,
    /// Each rung.
    pub encode: Vec<f64>,
}

/// What became of one rung.
#[derive(Clone, Debug, Default)]
pub struct Coded {
    /// H.264 with start codes (Annex B).
    pub stream: Vec<u8>,
    /// Bits of each whole segment.
    pub segments: Vec<f64>,
    /// CPU seconds of the encoder.
    pub cpu: f64,
    pictures: u32,
}

impl Coded {
    /// Bits per second.
    pub fn bitrate(&self) -> f64 {
        self.stream.len() as f64 * 8.0 * f64::from(RATE) / f64::from(self.pictures.max(1))
    }

    /// The largest segment over `bitrate`.
    pub fn peak(&self, bitrate: u32) -> f64 {
        let target = f64::from(bitrate) * f64::from(GOP) / f64::from(RATE);
        self.segments.iter().fold(0.0_f64, |peak, bits| peak.max(bits / target))
    }
}

/// One encoder of a ladder.
#[derive(Debug)]
pub struct Rung {
    config: H264EncoderConfig,
    tuning: Tuning,
}

impl Rung {
    /// As the server would make it.
    pub fn new(width: u32, height: u32, bitrate: u32, tuning: Tuning) -> Outcome<Self> {
        let config = H264EncoderConfig {
            size: PictureSize::new(width, height)?,
            frame_rate_millis: RATE * 1_000,
            bitrate,
            cpu_usage: CpuUsage::default(),
            sync_interval: None,
            colour: Colour { primaries: 1, transfer: 1, matrix: 1, full_range: false },
        };
        Ok(Self { config, tuning })
    }

    /// An encoder for it.
    pub fn encoder(&self) -> Outcome<H264Encoder> {
        Ok(H264Encoder::tuned(self.config, self.tuning)?)
    }

    /// Of its pictures.
    pub const fn size(&self) -> PictureSize {
        self.config.size
    }

    /// Encodes these pictures, with a sync picture where segments begin.
    pub fn encode<'a>(&self, pictures: impl Iterator<Item = &'a Picture>) -> Outcome<Coded> {
        let mut encoding = Encoding::new(self)?;
        pictures.into_iter().try_for_each(|picture| encoding.add(picture))?;
        Ok(encoding.coded)
    }
}

/// An encoder at work.
struct Encoding {
    encoder: H264Encoder,
    coded: Coded,
}

impl Encoding {
    fn new(rung: &Rung) -> Outcome<Self> {
        let encoder = rung.encoder()?;
        let mut coded = Coded::default();
        for set in [encoder.sps(), encoder.pps()] {
            coded.stream.extend_from_slice(&START_CODE);
            coded.stream.extend_from_slice(set);
        }
        Ok(Self { encoder, coded })
    }

    fn add(&mut self, picture: &Picture) -> Outcome<()> {
        let begins = self.coded.pictures.is_multiple_of(GOP);
        let begun = cpu::thread_seconds();
        let made = self.encoder.encode(picture, begins)?;
        self.coded.cpu += cpu::thread_seconds() - begun;
        self.coded.pictures += 1;
        let before = self.coded.stream.len();
        for nal in &made.nals {
            self.coded.stream.extend_from_slice(&START_CODE);
            self.coded.stream.extend_from_slice(nal);
        }
        if begins {
            self.coded.segments.push(0.0);
        }
        let bits = (self.coded.stream.len() - before) as f64 * 8.0;
        self.coded.segments.last_mut().into_iter().for_each(|segment| *segment += bits);
        Ok(())
    }
}

/// Runs footage through a ladder; pictures wait for nobody.
pub fn transcode(footage: &Footage, rungs: &[Rung]) -> Outcome<(Stages, Vec<Coded>)> {
    let mut pictures = footage.tags.iter().filter(|tag| tag.kind == Kind::Video);
    let record = pictures.next().ok_or("no pictures")?;
    let record = record.payload.get(VIDEO_HEADER_BYTES..).ok_or("no configuration")?;
    let mut decoder = H264Decoder::new(&AvcConfig::parse(record)?.0)?;
    let sizes: Vec<PictureSize> = rungs.iter().map(|rung| rung.config.size).collect();
    let mut ladder = Shown {
        cascade: Cascade::new(&sizes, 2),
        encodings: rungs.iter().map(Encoding::new).collect::<Outcome<_>>()?,
        scale: 0.0,
        inside: 0.0,
        failed: None,
    };
    let mut decode = 0.0;
    for tag in pictures {
        let [_, _, a, b, c] = *tag.payload.first_chunk().ok_or("an empty message")?;
        // A signed number of 24 bits.
        let composition = i64::from(i32::from_be_bytes([a, b, c, 0]) >> 8);
        let pts = MediaTime::from_millis(i64::try_from(tag.millis)? + composition);
        let unit = tag.payload.get(VIDEO_HEADER_BYTES..).unwrap_or_default();
        let begun = cpu::thread_seconds();
        ladder.inside = 0.0;
        decoder.decode(unit, pts, &mut |picture| ladder.show(picture))?;
        decode += cpu::thread_seconds() - begun - ladder.inside;
    }
    decoder.drain(&mut |picture| ladder.show(picture));
    if let Some(failed) = ladder.failed {
        return Err(failed);
    }
    let coded: Vec<Coded> = ladder.encodings.into_iter().map(|encoding| encoding.coded).collect();
    let encode = coded.iter().map(|coded| coded.cpu).collect();
    Ok((Stages { decode, scale: ladder.scale, encode }, coded))
}

/// Takes the decoder's pictures.
struct Shown {
    cascade: Cascade,
    encodings: Vec<Encoding>,
    scale: f64,
    inside: f64,
    failed: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Shown {
    fn show(&mut self, decoded: DecodedPicture<'_>) {
        let begun = cpu::thread_seconds();
        let mut made: Vec<Option<Arc<Picture>>> = vec![None; self.encodings.len()];
        self.cascade.make(
            decoded.picture,
            |_| true,
            |rung, picture| {
                if let (Made::Scaled(picture), Some(place)) = (picture, made.get_mut(rung)) {
                    *place = Some(picture);
                }
            },
        );
        self.scale += cpu::thread_seconds() - begun;
        for (encoding, picture) in self.encodings.iter_mut().zip(&made) {
            let added = match picture {
                Some(picture) => encoding.add(picture),
                None => Err("a rung of the source's size".into()),
            };
            self.failed = self.failed.take().or_else(|| added.err());
        }
        self.inside += cpu::thread_seconds() - begun;
    }
}
