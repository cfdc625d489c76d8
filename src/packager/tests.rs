//! A ladder for two hours of its source's clock, as fast as it goes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_lite::future::block_on;
use riverrun_media::aac::{AudioSpecificConfig, silent_access_unit};
use riverrun_media::codec::{CpuUsage, H264Encoder, H264EncoderConfig, Picture, PictureSize};
use riverrun_media::hls::{RenditionId, SegmenterConfig, Update};
use riverrun_media::ladder::PauseIdle;
use riverrun_media::picture::Colour;
use riverrun_media::rtmp::Event;
use riverrun_media::time::RtmpTimestamp;

use super::Packager;
use crate::cores::Cores;
use crate::health::HealthBoard;
use crate::ladder::{Demand, LadderControl};
use crate::pipeline::{IdleSetting, Pipeline};
use crate::sound::SoundSetting;

const TWO_HOURS_MS: f64 = 7_200_000.0;
/// A twentieth of the pictures of NTSC: their times are no whole milliseconds, as those of NTSC are
/// none, and two hours of them are few.
const PICTURE_MS: f64 = 20_020.0 / 30.0;
/// Pictures to a keyframe.
const PICTURES: usize = 3;
/// Sound with few units to a second.
const SAMPLE_RATE: u32 = 8_000;
/// Of a unit of sound.
const SOUND_MS: f64 = 1_024_000.0 / 8_000.0;
/// A picture of 30 a second.
const FRAME_MS: i64 = 33;

/// Coded pictures of one interval between keyframes, and their configuration.
fn source_pictures() -> (Bytes, Vec<Bytes>) {
    let size = PictureSize::new(128, 96).expect("a size");
    let mut encoder = H264Encoder::new(H264EncoderConfig {
        size,
        frame_rate_millis: 1_499,
        bitrate: 100_000,
        cpu_usage: CpuUsage::from_level(0),
        sync_interval: None,
        colour: Colour {
            primaries: Colour::UNSPECIFIED,
            transfer: Colour::UNSPECIFIED,
            matrix: Colour::UNSPECIFIED,
            full_range: false,
        },
    })
    .expect("an encoder");
    let picture = Picture::black(size);
    let pictures = (0..PICTURES).map(|n| {
        let coded = encoder.encode(picture.view(), n == 0).expect("a picture");
        assert_eq!(coded.sync, n == 0);
        coded.length_prefixed()
    });
    let pictures = pictures.collect();
    let (sps, pps) = (encoder.sps(), encoder.pps());
    let mut record = vec![0x17, 0, 0, 0, 0, 1, sps[1], sps[2], sps[3], 0xFF, 0xE1];
    record.extend(u16::try_from(sps.len()).expect("short").to_be_bytes());
    record.extend_from_slice(sps);
    record.push(1);
    record.extend(u16::try_from(pps.len()).expect("short").to_be_bytes());
    record.extend_from_slice(pps);
    (record.into(), pictures)
}

fn packager() -> Packager {
    let setting = "source,64p@50".parse().expect("a ladder");
    let pipeline = Pipeline {
        ladder: LadderControl::new(setting, 2),
        sound: SoundSetting::default(),
        idle: IdleSetting { pause: PauseIdle::Off, after: Duration::from_secs(60) },
        demand: Demand::default(),
        cores: Cores::of_this_process(),
    };
    let health = HealthBoard::default().begin(1);
    Packager::new(SegmenterConfig::default(), pipeline, health)
}

/// Where segments begin in each rendition, and where the last part of it ends, in milliseconds.
#[derive(Default)]
struct Seen {
    starts: BTreeMap<RenditionId, BTreeMap<u64, i64>>,
    ends: BTreeMap<RenditionId, i64>,
    gaps: usize,
}

impl Seen {
    fn take(&mut self, packager: &mut Packager) {
        block_on(packager.segment());
        packager.heard();
        while let Some(update) = packager.poll_update() {
            match update {
                Update::SegmentStart(start) => {
                    let starts = self.starts.entry(start.rendition).or_default();
                    starts.insert(start.msn, start.start.millis());
                }
                Update::Part(part) => {
                    self.ends.insert(part.rendition, part.end.millis());
                }
                Update::SegmentEnd(end) => self.gaps += usize::from(end.gap),
                _ => {}
            }
        }
    }

    fn end(&self, rendition: RenditionId) -> i64 {
        self.ends.get(&rendition).copied().unwrap_or_default()
    }
}

#[test]
fn after_two_hours_every_rendition_is_where_its_source_is() {
    let (record, pictures) = source_pictures();
    let sound = AudioSpecificConfig::lc(SAMPLE_RATE, 1).expect("a rate of AAC");
    let silence = silent_access_unit(&sound).expect("a usual layout");
    let (mut packager, mut seen, start) = (packager(), Seen::default(), Instant::now());
    let hear = |packager: &mut Packager, at: f64, video: bool, payload: Bytes| {
        let timestamp = RtmpTimestamp(at as u32);
        let event = if video {
            Event::Video { timestamp, payload }
        } else {
            Event::Audio { timestamp, payload }
        };
        let now = start + Duration::from_secs_f64(at / 1_000.0);
        assert!(packager.hear(now, event).expect("media").is_none());
    };
    // AAC-LC, 8 kHz, mono.
    hear(&mut packager, 0.0, false, Bytes::from_static(&[0xAF, 0, 0x15, 0x88]));
    hear(&mut packager, 0.0, true, record);
    let mut units = 0.0;
    let (source, rung) = (RenditionId::Video(0), RenditionId::Video(1));
    let mut behind = 0;
    for picture in 0.. {
        let at = f64::from(picture) * PICTURE_MS;
        if at >= TWO_HOURS_MS {
            break;
        }
        while units * SOUND_MS <= at {
            let unit = [&[0xAF, 1], &silence[..]].concat();
            hear(&mut packager, units * SOUND_MS, false, unit.into());
            units += 1.0;
        }
        let coded = &pictures[usize::try_from(picture).expect("positive") % PICTURES];
        let first = if picture % 3 == 0 { 0x17 } else { 0x27 };
        let unit = [&[first, 1, 0, 0, 0], &coded[..]].concat();
        hear(&mut packager, at, true, unit.into());
        // The clock runs as fast as the encoder follows: the rung is a picture behind at most.
        let waited = Instant::now();
        let deadline = waited + Duration::from_secs(20);
        loop {
            seen.take(&mut packager);
            behind = seen.end(source) - seen.end(rung);
            // While the rhythm is not known yet a picture waits for the one behind it.
            let unknown = picture < 10 && waited.elapsed() >= Duration::from_millis(200);
            if behind <= 700 || unknown {
                break;
            }
            assert!(Instant::now() < deadline, "the rung is {behind} ms behind at {at} ms");
            std::thread::yield_now();
        }
    }
    block_on(packager.interrupt());
    seen.take(&mut packager);
    assert!(behind <= 700);
    assert_eq!(seen.gaps, 0, "a rung or the sound had gaps");

    let [pictures, encoded, sound] =
        [source, rung, RenditionId::Audio].map(|rendition| &seen.starts[&rendition]);
    assert!(pictures.len() > 3_000, "{} segments", pictures.len());
    assert_eq!(pictures.len(), encoded.len());
    for (msn, start) in pictures {
        assert_eq!(encoded.get(msn), Some(start), "AL-3: segment {msn}");
        // A segment of sound begins with the first unit that is not heard before.
        let later = sound[msn] - start;
        assert!((-FRAME_MS..=128 + FRAME_MS).contains(&later), "segment {msn}: sound {later} ms");
    }
    let (first, last) = (pictures.iter().next(), pictures.iter().next_back());
    let (first, last) = (first.expect("many").1, last.expect("many").1);
    // Each segment has the pictures from one keyframe to the next, but for the first.
    let intervals = ((last - first) as f64 / (PICTURE_MS * PICTURES as f64)).round();
    let drift = (last - first) as f64 - intervals * PICTURE_MS * PICTURES as f64;
    assert!(drift.abs() < FRAME_MS as f64, "{drift} ms after two hours");
    let apart = seen.end(source) - seen.end(rung);
    // The last picture of the source stands while its sound lasts, that of a rung as usual.
    assert!((apart as f64).abs() < PICTURE_MS, "the last pictures end {apart} ms apart");
}
