//! The fuzz target of the AAC decoder and of the machine around it.

use super::{SoundConfig, SoundTranscoder};
use crate::aac::AudioSpecificConfig;
use crate::access_unit::{AccessUnit, AudioCodec, AudioTrack, TrackKind};
use crate::codec::AacDecoder;
use crate::fuzzing::Choices;
use crate::time::{MediaTime, Timescale};

/// Units of one run: the encoder makes them dear.
const UNITS_MAX: usize = 64;
/// Longest unit in bytes: what the decoder takes, and a little more.
const UNIT_BYTES_MAX: u16 = 6_200;

/// A configuration and units: a length and bytes each, and how far the unit's time is from where it
/// is due. Blocks have a shape that is possible; output units never overlap and lie within the
/// input.
pub fn aac_decode(data: &[u8]) {
    let mut choices = Choices::new(data);
    let length = usize::from(choices.byte());
    let Ok(config) = AudioSpecificConfig::parse(choices.bytes(length)) else { return };
    let Ok(mut decoder) = AacDecoder::new(&config) else { return };
    let codec = AudioCodec::Aac(config);
    let track = AudioTrack::of(codec, None);
    let mut transcoder = SoundTranscoder::new(&track, SoundConfig::default()).ok();
    let timescale = Timescale::new(track.sample_rate).unwrap_or(Timescale::MILLIS);
    let first = i64::from(track.sample_rate);
    let (mut due, mut last_end) = (first, None);
    for _ in 0..UNITS_MAX {
        if choices.is_empty() {
            break;
        }
        let length = usize::from(choices.u16() % UNIT_BYTES_MAX);
        due += i64::from(choices.byte() as i8) * i64::from(track.sample_rate) / 32;
        let payload = choices.bytes(length);
        if let Some(pcm) = decoder.decode(payload) {
            assert!((1..=8).contains(&pcm.speakers.len()), "{:?}", pcm.speakers);
            assert_eq!(pcm.frames() * pcm.speakers.len(), pcm.samples.len());
            assert!((1..=4_096).contains(&pcm.frames()) && pcm.sample_rate > 0);
        }
        let Some(machine) = &mut transcoder else { continue };
        let time = MediaTime::new(due, timescale);
        let payload = bytes::Bytes::copy_from_slice(payload);
        let unit =
            AccessUnit { track: TrackKind::Audio, dts: time, pts: time, sync: true, payload };
        if machine.push(&unit).is_err() {
            transcoder = None;
            continue;
        }
        due += i64::from(track.samples_per_unit);
        check(machine, &mut last_end);
    }
    if let Some(machine) = &mut transcoder
        && machine.finish().is_ok()
    {
        check(machine, &mut last_end);
    }
}

fn check(machine: &mut SoundTranscoder, last_end: &mut Option<i64>) {
    while let Some(unit) = machine.poll() {
        let at = unit.dts.ticks();
        assert!(last_end.is_none_or(|end| at >= end), "{at} before {last_end:?}");
        assert!(!unit.payload.is_empty());
        *last_end = Some(at + i64::from(machine.track().samples_per_unit));
    }
}
