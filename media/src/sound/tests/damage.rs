//! Damaged units (T21): they cost a moment of sound and nothing else.

use super::*;
use crate::codec::testing::{HE, encode};
use crate::codec::{AacDecoder, AacEncoderConfig};
use crate::testdata;

/// xorshift64: the same damage each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    /// Cut short, drawn out, with bits or a run of bytes changed, or exchanged altogether.
    fn damage(&mut self, unit: &[u8]) -> Vec<u8> {
        let mut unit = unit.to_vec();
        match self.below(6) {
            0 => unit.truncate(self.below(unit.len())),
            1 => {
                let more = self.below(2_000);
                unit.extend((0..more).map(|_| self.below(256) as u8));
            }
            2 => unit.iter_mut().for_each(|byte| *byte = self.below(256) as u8),
            3 => {
                let from = self.below(unit.len());
                unit[from..].iter_mut().take(8).for_each(|byte| *byte = self.below(256) as u8);
            }
            _ => {
                for _ in 0..=self.below(8) {
                    let at = self.below(unit.len());
                    unit[at] ^= 1 << self.below(8);
                }
            }
        }
        unit
    }
}

/// Twelve units of a foreign encoder (`testdata/PROVENANCE.md`).
fn recorded(name: &str) -> Recording {
    let file = include_str!("../../../testdata/aac.hex");
    let config = testdata::record(file, &format!("{name}_config"));
    let units =
        (0..12).map(|unit| testdata::record(file, &format!("{name}_{unit}")).into()).collect();
    Recording::new(AudioSpecificConfig::parse(&config).unwrap(), 1_024, units)
}

fn high_efficiency(channels: u8) -> Recording {
    let config = AacEncoderConfig {
        sample_rate: 48_000,
        channels,
        bitrate: if channels > 2 { 160_000 } else { 40_000 },
    };
    let coded = encode(config, HE, &tone(48_000, channels, None, 1_000.0, 0.6));
    Recording::new(coded.config, coded.delay, coded.units)
}

fn resident_pages() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn t21_a_hundred_thousand_damaged_units_do_no_harm() {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    for (name, recording, count) in [
        ("mono", recorded("mono"), 75_000),
        ("stereo at 96 kHz", recorded("fast"), 10_000),
        ("5.1", recorded("surround"), 8_000),
        ("HE-AAC v2", recorded("he_v2"), 4_000),
        ("HE-AAC", high_efficiency(2), 2_000),
        ("HE-AAC 5.1", high_efficiency(6), 1_000),
    ] {
        let AudioCodec::Aac(config) = &recording.track.codec else { unreachable!() };
        let mut decoder = AacDecoder::new(config).unwrap();
        let (mut concealed, mut before) = (0, 0);
        for turn in 0..count {
            let whole = &recording.units[turn % recording.units.len()];
            let damaged = dice.damage(whole);
            if let Some(pcm) = decoder.decode(&damaged) {
                assert_eq!(pcm.frames() as u32, recording.track.samples_per_unit, "{name}");
                assert_eq!(pcm.sample_rate, recording.track.sample_rate, "{name}");
                // Damage may hide a channel or make one up.
                assert!((1..=8).contains(&pcm.speakers.len()), "{name}");
                assert_eq!(pcm.samples.len(), pcm.frames() * pcm.speakers.len());
                concealed += usize::from(pcm.concealed);
            }
            if turn == count / 10 {
                before = resident_pages();
            }
        }
        assert!(concealed > count / 20, "{name}: only {concealed} of {count} noticed");
        let grown = resident_pages().saturating_sub(before);
        // Other tests share the process under `cargo test`.
        assert!(grown < 25_000, "{name}: grew by {grown} pages");
        // What follows is heard again.
        for turn in 0..20 {
            let pcm = decoder.decode(&recording.units[turn % 12]).unwrap();
            assert!(turn < 3 || !pcm.concealed, "{name}: whole unit {turn} is not decoded");
        }
    }
}

#[test]
fn damage_leaves_no_hole_in_the_output() {
    let mut dice = Dice(0xD1B5_4A32_D192_ED03);
    for recording in [recorded("surround"), recorded("fast")] {
        let mut transcoder =
            SoundTranscoder::new(&recording.track, SoundConfig::default()).unwrap();
        let mut units = Vec::new();
        for turn in 0..600 {
            let index = turn % 12;
            let mut unit = recording.unit_at(index, recording.first + turn as i64 * 1_024);
            if dice.below(3) > 0 {
                unit.payload = dice.damage(&unit.payload).into();
            }
            transcoder.push(&unit).unwrap();
            units.extend(std::iter::from_fn(|| transcoder.poll()));
        }
        let counters = *transcoder.counters();
        assert_eq!((counters.units, counters.gaps, counters.jumps), (600, 0, 0));
        assert!(counters.damaged > 100, "{counters:?}");
        Output::new(transcoder.track().clone(), units);
    }
}

/// Every cut of a unit, and nothing at all, before and after a whole one.
#[test]
fn a_unit_may_end_anywhere() {
    for recording in [recorded("surround"), recorded("he_v2")] {
        let AudioCodec::Aac(config) = &recording.track.codec else { unreachable!() };
        for whole_first in [false, true] {
            let mut decoder = AacDecoder::new(config).unwrap();
            if whole_first {
                assert!(decoder.decode(&recording.units[4]).is_some_and(|pcm| !pcm.concealed));
            }
            for cut in 0..recording.units[5].len() {
                let pcm = decoder.decode(&recording.units[5][..cut]);
                assert!(pcm.is_some() || !whole_first, "nothing for {cut} bytes");
            }
        }
    }
}

/// Another configuration, another transcoder: times go on where the input's do.
#[test]
fn the_configuration_changes() {
    let mut last = 0;
    for (turn, recording) in [recorded("surround"), recorded("fast")].iter().enumerate() {
        let mut transcoder =
            SoundTranscoder::new(&recording.track, SoundConfig::default()).unwrap();
        for index in 0..12 {
            let start = i64::from(recording.track.sample_rate) * (11 + turn as i64);
            transcoder.push(&recording.unit_at(index, start + index as i64 * 1_024)).unwrap();
        }
        transcoder.finish().unwrap();
        let units: Vec<AccessUnit> = std::iter::from_fn(|| transcoder.poll()).collect();
        let output = Output::new(transcoder.track().clone(), units);
        assert_eq!(output.units[0].dts.ticks(), 48_000 * (11 + turn as i64));
        assert!(output.units[0].dts.ticks() >= last);
        last = output.units.last().unwrap().dts.ticks() + 1_024;
    }
}
