use std::collections::HashMap;

use super::*;

/// 2026-11-22 08:00:00 UTC.
const START: u64 = 1_795_334_400;

fn of(series: Series, value: f32) -> Values {
    let mut values = NO_VALUES;
    values[series as usize] = value;
    values
}

/// What a store does.
#[derive(Default)]
struct Shelf(HashMap<(u32, u32), Vec<u8>>);

impl Shelf {
    fn keep(&mut self, blocks: Vec<StoredBlock>) {
        for block in blocks {
            assert!(block.place < block.tier.blocks());
            self.0.insert((block.tier.step_seconds(), block.place), block.bytes);
        }
    }

    fn get(&self, tier: Tier, place: u32) -> Option<Vec<u8>> {
        self.0.get(&(tier.step_seconds(), place)).cloned()
    }
}

fn read(history: &History, shelf: &Shelf, age: u64, until: u64) -> (u32, Vec<Sample>) {
    let query = Query { since: until - age, until, samples_max: SAMPLES_MAX };
    let (step, mut samples) =
        history.read(&[Series::Viewers], query, |tier, place| shelf.get(tier, place));
    (step, samples.remove(0))
}

#[test]
fn each_time_has_its_tier_and_its_fold() {
    let (mut history, shelf) = (History::default(), Shelf::default());
    for second in 0..1_200 {
        // A crowd of nine in every sixtieth second.
        let viewers = if second % 60 == 30 { 9.0 } else { 2.0 };
        history.push(START + second, &of(Series::Viewers, viewers));
    }
    let now = START + 1_199;
    for (age, step, len, most) in
        [(59, 1, 60, 9.0), (899, 1, 900, 9.0), (1_199, 10, 120, 9.0), (86_400, 60, 20, 9.0)]
    {
        let (found, samples) = read(&history, &shelf, age, now);
        assert_eq!((found, samples.len()), (step, len), "{age} s");
        let max = samples.iter().map(|sample| sample.value).fold(0.0, f64::max);
        assert!((max - most).abs() < 1e-9);
    }
    let (_, samples) = read(&history, &shelf, 899, now);
    assert_eq!(samples.first().map(|s| s.at_ms), Some((now as i64 - 899) * 1_000));
}

#[test]
fn a_restart_loses_nothing_that_was_kept_and_a_year_is_read_from_the_store() {
    let (mut history, mut shelf) = (History::default(), Shelf::default());
    let memory = history.byte_len();
    // Five hours, kept each minute.
    for second in 0..18_000 {
        history.push(START + second, &of(Series::Viewers, (second / 60) as f32));
        if second % 60 == 17 {
            shelf.keep(history.changed_blocks());
            history.kept();
        }
    }
    shelf.keep(history.changed_blocks());
    assert_eq!(history.changed_blocks().len(), 3);
    history.kept();
    assert!(history.changed_blocks().is_empty());
    let now = START + 17_999;
    let before: Vec<_> = [600, 80_000, 200_000].map(|age| read(&history, &shelf, age, now)).into();
    let mut next = History::default();
    next.restore(now, |tier, place| shelf.get(tier, place));
    let after: Vec<_> = [600, 80_000, 200_000].map(|age| read(&next, &shelf, age, now)).into();
    assert_eq!(before, after);
    let (step, minutes) = &after[2];
    // Three minutes together: a most of each.
    assert_eq!((*step, minutes.len()), (180, 100));
    assert!(minutes.iter().zip(0..).all(|(s, n)| (s.value - f64::from(3 * n + 2)).abs() < 1e-9));
    // So does the minute that goes on, though nobody watches in the rest of it.
    next.push(now, &of(Series::Cpu, 1.0));
    assert_eq!(read(&next, &shelf, 200_000, now).1, after[2].1);
    // The hour that goes on keeps what it has.
    next.push(now + 1, &of(Series::Viewers, 1.0));
    shelf.keep(next.changed_blocks());
    assert_eq!(read(&next, &shelf, 200_000, now + 1).1.len(), 101);
    assert_eq!(next.byte_len(), memory);
    assert!(memory < 1 << 20, "{memory} bytes");
    assert!(shelf.0.len() < 200);
}

#[test]
fn clocks_that_jump_leave_gaps_and_no_lies() {
    let (mut history, shelf) = (History::default(), Shelf::default());
    for second in [0, 1, 2, 100, 101, 1, 20_000, 20_001] {
        history.push(START + second, &of(Series::Viewers, second as f32));
    }
    let values = |age, until| -> Vec<f64> {
        read(&history, &shelf, age, START + until).1.iter().map(|sample| sample.value).collect()
    };
    assert_eq!(values(10, 20_001), [20_000.0, 20_001.0]);
    // What stands where a point of now belongs is of another time.
    assert!(values(800, 20_001 + 899).is_empty());
    assert_eq!(values(899, 101), [0.0, 1.0, 2.0, 100.0, 101.0]);
    // Far in the past or the future there is nothing, and no harm.
    assert!(read(&history, &shelf, 0, 0).1.is_empty());
    assert!(read(&history, &shelf, u64::from(u32::MAX), u64::MAX / 2).1.is_empty());
}

#[test]
fn a_year_always_on_air_is_a_few_megabytes() {
    let mut history = History::default();
    // An hour of figures that all change.
    for second in 0..3_600_u64 {
        let mut values = NO_VALUES;
        for (place, value) in values.iter_mut().enumerate() {
            *value = (1_000 + (second * (place as u64 + 7)) % 97) as f32;
        }
        history.push(START + second, &values);
    }
    let blocks = history.changed_blocks();
    let hour = blocks.iter().find(|block| block.tier == Tier::Minutes).unwrap();
    let year = hour.bytes.len() * Tier::Minutes.blocks() as usize;
    assert!(year < 32 << 20, "{year} bytes a year");
    let most = blocks.iter().map(|block| block.bytes.len()).max().unwrap();
    assert!(most < 8 << 10, "{most} bytes a block");
}

#[test]
fn queries_name_a_time_and_a_series() {
    let of = |query| parse_query(query).map(|(since, wanted)| (since, wanted.len()));
    for (query, want) in [
        (None, Some((None, SERIES))),
        (Some("windowStart=5&series=cpu"), Some((Some(5), 1))),
        (Some("series=nosuch"), None),
        (Some("windowStart=x"), None),
    ] {
        assert_eq!(of(query), want, "{query:?}");
    }
    let samples = [vec![Sample { at_ms: 0, value: 1.5 }]];
    let value: Value = serde_json::from_slice(&to_json(&[Series::Cpu], 10, &samples)).unwrap();
    assert_eq!((&value["step"], &value["series"]["cpu"][0]["value"]), (&json!(10), &json!(1.5)));
}
