//! Times: gaps, overlaps, jumps, jitter, ends (TS-4, TS-5, EN-6, T16).

use super::*;

const AT: f64 = 1.031;
const UNIT: i64 = 1_024;

/// 5.1 with a click after a second.
fn recording() -> Recording {
    Recording::by_ffmpeg(48_000, 6, &click(48_000, 6, AT, 1.5))
}

/// Pushes the units at the times that `at` gives for their index and due time.
fn transcode(
    recording: &Recording,
    at: impl Fn(usize, i64) -> Vec<i64>,
) -> (Vec<AccessUnit>, SoundTranscoder) {
    let mut transcoder = SoundTranscoder::new(&recording.track, SoundConfig::default()).unwrap();
    for index in 0..recording.units.len() {
        for at in at(index, recording.first + index as i64 * UNIT) {
            transcoder.push(&recording.unit_at(index, at)).unwrap();
        }
    }
    transcoder.finish().unwrap();
    let units = std::iter::from_fn(|| transcoder.poll()).collect();
    (units, transcoder)
}

#[test]
fn en6_a_gap_is_silent_and_the_sound_after_it_in_place() {
    for gap_ms in [60, 500, 2_000] {
        let (units, transcoder) = transcode(&recording(), |index, due| {
            vec![if index < 20 { due } else { due + gap_ms * 48 }]
        });
        assert_eq!(transcoder.counters().gaps, 1);
        let output = Output::new(transcoder.track().clone(), units);
        let off = output.click_ms(0) - AT * 1_000.0 - gap_ms as f64;
        assert!(off.abs() < 1.0, "gap of {gap_ms} ms: off by {off:.3} ms");
    }
}

#[test]
fn en6_what_comes_twice_is_heard_once() {
    let (units, transcoder) = transcode(&recording(), |index, due| {
        if index % 10 == 5 { vec![due, due - 3 * UNIT] } else { vec![due] }
    });
    assert!(transcoder.counters().overlaps >= 5);
    let output = Output::new(transcoder.track().clone(), units);
    let off = output.click_ms(0) - AT * 1_000.0;
    assert!(off.abs() < 1.0, "off by {off:.3} ms");
}

#[test]
fn a_jump_starts_over_and_times_rise() {
    const JUMP: i64 = 5 * 48_000;
    let recording = recording();
    let (units, transcoder) =
        transcode(&recording, |index, due| vec![if index < 20 { due } else { due + JUMP }]);
    assert_eq!(transcoder.counters().jumps, 1);
    let before = recording.first + 20 * UNIT;
    let after = before + JUMP;
    let cut = units.iter().position(|unit| unit.dts.ticks() >= after).unwrap();
    assert_eq!(units[cut].dts.ticks(), after, "the first unit begins where the input does");
    assert_eq!(units[cut - 1].dts.ticks() + UNIT, before, "the last ends where the input did");
    Output::new(transcoder.track().clone(), units[..cut].to_vec());
    let output = Output::new(transcoder.track().clone(), units[cut..].to_vec());
    let off = output.click_ms(0) - AT * 1_000.0 - 5_000.0;
    assert!(off.abs() < 1.0, "off by {off:.3} ms");
}

#[test]
fn jitter_moves_nothing_by_a_millisecond() {
    let (units, transcoder) = transcode(&recording(), |index, due| {
        // Between -12 and 12 ms, none at first.
        vec![due + (index as i64 * 7_919 % 25 - 12) * 48 * i64::from(index > 0)]
    });
    let output = Output::new(transcoder.track().clone(), units);
    let off = output.click_ms(0) - AT * 1_000.0;
    assert!(off.abs() < 1.0, "off by {off:.3} ms");
}

/// T16. A unit leaves only if the input covers it.
#[test]
fn it_stops_after_any_number_of_units() {
    let recording = recording();
    for count in 0..=4 {
        let mut transcoder =
            SoundTranscoder::new(&recording.track, SoundConfig::default()).unwrap();
        let mut units = Vec::new();
        for index in 0..count {
            transcoder.push(&recording.unit(index)).unwrap();
        }
        for _ in 0..2 {
            transcoder.finish().unwrap();
            units.extend(std::iter::from_fn(|| transcoder.poll()));
        }
        let times: Vec<i64> = units.iter().map(|unit| unit.dts.ticks()).collect();
        let expected: Vec<i64> =
            (0..count as i64).map(|index| recording.first + index * UNIT).collect();
        assert_eq!(times, expected);
        // And it goes on elsewhere.
        transcoder.push(&recording.unit_at(0, recording.first + 10 * UNIT)).unwrap();
        transcoder.finish().unwrap();
        assert_eq!(transcoder.poll().unwrap().dts.ticks(), recording.first + 10 * UNIT);
    }
}

/// Resampled sound never reaches past the end of the input, so that a timeline which begins there
/// does not overlap it.
#[test]
fn al2_resampled_sound_ends_with_the_input() {
    let recording = Recording::by_ffmpeg(96_000, 2, &click(96_000, 2, 0.2, 0.5));
    let output = recording.transcode();
    let end = recording.first + recording.units.len() as i64 * UNIT;
    let last = output.units.last().unwrap().dts.ticks() + UNIT;
    assert!((end / 2 - last) < UNIT && last <= end / 2, "{last} of {}", end / 2);
    assert_eq!(output.units[0].dts.ticks(), (recording.first + 1) / 2);
}

/// A minute through the whole machine; `Line` has its own two hours.
#[test]
fn a_long_run_does_not_drift() {
    const SECONDS: i64 = 60;
    for (rate, out) in [(7_350, 44_100), (12_000, 48_000)] {
        let config = AudioSpecificConfig::lc(rate, 3).unwrap();
        let silence = crate::aac::silent_access_unit(&config).unwrap();
        let recording = Recording::new(config, 0, vec![silence]);
        let mut transcoder =
            SoundTranscoder::new(&recording.track, SoundConfig::default()).unwrap();
        let (mut count, mut last) = (0, 0);
        let units = SECONDS * i64::from(rate) / UNIT;
        for unit in 0..units {
            transcoder.push(&recording.unit_at(0, recording.first + unit * UNIT)).unwrap();
            while let Some(unit) = transcoder.poll() {
                let at = unit.dts.ticks();
                assert_eq!(at, START_SECONDS * out + count * UNIT);
                (count, last) = (count + 1, at);
            }
        }
        let behind = (START_SECONDS + SECONDS) * out - last;
        assert!(behind < 12 * UNIT, "{behind} samples are still inside");
        assert_eq!(transcoder.counters().nudges, 0);
    }
}
