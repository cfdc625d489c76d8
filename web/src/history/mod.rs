//! What was measured, second by second, in rings of fixed size: seconds of a quarter of an hour,
//! ten seconds of a day, minutes of a year.
//!
//! ```text
//! Point of a second ─▶ History ─┬▶ 900 seconds, 8,640 times ten seconds: in memory
//!                               └▶ two hours of minutes in memory, the year in the store
//! ```
//!
//! A point's place follows from its time, so a clock that jumps leaves a gap or writes over what
//! was there, and what is older than a ring is told apart by the time that stands with it. Blocks
//! of sixty points go to the store ([`History::changed_blocks`]); whoever keeps them gives them
//! back at the next start and when somebody asks for a long time. Nothing grows: a ring's memory is
//! taken at the start, and the store has one row for each place of a ring.

mod block;
mod series;

use self::series::Fold;
pub use self::series::{ALL, NAMES, SERIES, Series};
use serde_json::{Map, Value, json};

use crate::admin::{Sample, window_start};
use crate::json;

/// Points of a block.
pub const POINTS_PER_BLOCK: u32 = 60;
/// A longest answer has so many samples of a series; of a longer time several are one.
pub const SAMPLES_MAX: u32 = 1_500;

/// How closely something is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// Each second of a quarter of an hour.
    Seconds,
    /// Each ten seconds of a day.
    Tens,
    /// Each minute of a year.
    Minutes,
}

impl Tier {
    /// From the finest to the longest.
    pub const ALL: [Self; 3] = [Self::Seconds, Self::Tens, Self::Minutes];

    /// Seconds of a point.
    #[must_use]
    pub const fn step_seconds(self) -> u32 {
        match self {
            Self::Seconds => 1,
            Self::Tens => 10,
            Self::Minutes => 60,
        }
    }

    /// Blocks that are kept: beyond it the oldest is written over.
    #[must_use]
    pub const fn blocks(self) -> u32 {
        match self {
            Self::Seconds => 15,
            Self::Tens => 144,
            Self::Minutes => 365 * 24,
        }
    }

    /// Blocks of them that are in memory: of the year the hour that is open and the one before it,
    /// whose last minute may not have been kept yet.
    const fn blocks_in_memory(self) -> u32 {
        match self {
            Self::Seconds | Self::Tens => self.blocks(),
            Self::Minutes => 2,
        }
    }

    const fn seconds(self) -> u64 {
        self.step_seconds() as u64 * (self.blocks() * POINTS_PER_BLOCK) as u64
    }
}

/// The values of one time. NaN where there is none.
pub type Values = [f32; SERIES];

/// No values.
pub const NO_VALUES: Values = [f32::NAN; SERIES];

/// A time in steps of its tier since 1970, and what was measured then.
#[derive(Clone, Copy, Debug)]
struct Point {
    at: u32,
    values: Values,
}

impl Point {
    const NONE: Self = Self { at: 0, values: NO_VALUES };
}

/// A place in the store, and what goes there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBlock {
    /// Of which ring.
    pub tier: Tier,
    /// Below [`Tier::blocks`].
    pub place: u32,
    /// As [`History::restore`] and [`History::read`] take them.
    pub bytes: Vec<u8>,
}

/// See the module.
#[derive(Debug)]
pub struct History {
    rings: [Ring; 3],
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    /// From when on, seconds since 1970.
    pub since: u64,
    /// Until when: now, seconds since 1970.
    pub until: u64,
    /// Samples of each series at most; at least 1.
    pub samples_max: u32,
}

#[derive(Debug)]
struct Ring {
    tier: Tier,
    points: Box<[Point]>,
    /// The values of the newest point so far.
    open: (u32, [Fold; SERIES]),
    /// The oldest point that the store does not have as it is.
    changed_since: Option<u32>,
}

impl Default for History {
    fn default() -> Self {
        Self { rings: Tier::ALL.map(Ring::new) }
    }
}

impl History {
    /// Takes the values of a second.
    pub fn push(&mut self, unix_seconds: u64, values: &Values) {
        for ring in &mut self.rings {
            ring.push(unix_seconds, values);
        }
    }

    /// Blocks with points that the store does not have, until [they do](Self::kept). Whoever asks
    /// each minute loses a minute when the process is killed.
    #[must_use]
    pub fn changed_blocks(&self) -> Vec<StoredBlock> {
        let mut blocks = Vec::new();
        for ring in &self.rings {
            let Some(first) = ring.changed_since else { continue };
            let (first, last) = (first / POINTS_PER_BLOCK, ring.open.0 / POINTS_PER_BLOCK);
            let tier = ring.tier;
            let kept = first.max(last.saturating_sub(tier.blocks_in_memory() - 1))..=last;
            blocks.extend(kept.map(|number| StoredBlock {
                tier,
                place: number % tier.blocks(),
                bytes: block::write(number, ring.points.iter()),
            }));
        }
        blocks
    }

    /// The store has the changed blocks.
    pub fn kept(&mut self) {
        self.rings.iter_mut().for_each(|ring| ring.changed_since = None);
    }

    /// Takes over what was kept of a former process: everything that has a place in memory now.
    pub fn restore(
        &mut self,
        now_seconds: u64,
        mut stored: impl FnMut(Tier, u32) -> Option<Vec<u8>>,
    ) {
        for ring in &mut self.rings {
            let tier = ring.tier;
            let newest = tier.at(now_seconds) / POINTS_PER_BLOCK;
            let oldest = newest.saturating_sub(tier.blocks_in_memory() - 1);
            for number in oldest..=newest {
                let bytes = stored(tier, number % tier.blocks());
                let Some((found, points)) = bytes.as_deref().and_then(block::read) else {
                    continue;
                };
                if found == number {
                    points.into_iter().for_each(|point| *ring.place(point.at) = point);
                }
            }
        }
    }

    /// Samples of each of these series since a time, and seconds from one to the next. What is not
    /// in memory is asked of `stored`.
    pub fn read(
        &self,
        wanted: &[Series],
        query: Query,
        mut stored: impl FnMut(Tier, u32) -> Option<Vec<u8>>,
    ) -> (u32, Vec<Vec<Sample>>) {
        let age = query.until.saturating_sub(query.since);
        let ring = self.rings.iter().find(|ring| age <= ring.tier.seconds());
        let Some(ring) = ring.or_else(|| self.rings.last()) else { return (1, Vec::new()) };
        let tier = ring.tier;
        let since = query.since.max(query.until.saturating_sub(tier.seconds()));
        let points = tier.at(query.until).saturating_sub(tier.at(since)) + 1;
        let together = points.div_ceil(query.samples_max.max(1));
        let mut samples = vec![Vec::new(); wanted.len()];
        let mut block: Option<(u32, Option<[Point; POINTS_PER_BLOCK as usize]>)> = None;
        // Samples stand at multiples of their step, so that they stay where they are.
        let first = since.div_ceil(u64::from(tier.step_seconds()));
        let first = u32::try_from(first).unwrap_or(u32::MAX);
        let Some(mut start) = first.checked_next_multiple_of(together) else {
            return (tier.step_seconds(), samples);
        };
        while start <= tier.at(query.until) {
            let mut folds: Vec<Fold> = wanted.iter().map(|series| Fold::new(*series)).collect();
            for at in start..start.saturating_add(together) {
                let number = at / POINTS_PER_BLOCK;
                let point = match ring.point(at) {
                    Some(point) => Some(point),
                    None if tier != Tier::Minutes => None,
                    None => {
                        if block.as_ref().is_none_or(|(read, _)| *read != number) {
                            let bytes = stored(tier, number % tier.blocks());
                            let read = bytes.as_deref().and_then(block::read);
                            let read = read.filter(|(found, _)| *found == number);
                            block = Some((number, read.map(|(_, points)| points)));
                        }
                        let points = block.as_ref().and_then(|(_, points)| points.as_ref());
                        points.and_then(|points| points.get((at % POINTS_PER_BLOCK) as usize))
                    }
                };
                let Some(point) = point else { continue };
                for (fold, series) in folds.iter_mut().zip(wanted) {
                    fold.take(point.values[*series as usize]);
                }
            }
            let at_ms = i64::from(start) * i64::from(tier.step_seconds()) * 1_000;
            for (samples, fold) in samples.iter_mut().zip(folds) {
                // Three places behind the point are more than any sensor has.
                let value = fold.value().map(|value| (value * 1e3).round() / 1e3);
                samples.extend(value.map(|value| Sample { at_ms, value }));
            }
            match start.checked_add(together) {
                Some(next) => start = next,
                None => break,
            }
        }
        (tier.step_seconds().saturating_mul(together), samples)
    }

    /// Bytes of memory that the rings take.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.rings.iter().map(|ring| size_of_val(&*ring.points)).sum()
    }
}

/// The query of `GET /api/admin/history`: since when, and which series. `None` when it names one
/// that does not exist or a time that is none.
#[must_use]
pub fn parse_query(query: Option<&str>) -> Option<(Option<u64>, Vec<Series>)> {
    let value = |name: &str| {
        let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(found, _)| *found == name).map(|(_, value)| value).next()
    };
    let since = match value("windowStart") {
        Some(_) => Some(window_start(query)?),
        None => None,
    };
    let wanted = match value("series") {
        Some(name) => vec![Series::find(name)?],
        None => ALL.to_vec(),
    };
    Some((since, wanted))
}

/// The body of `GET /api/admin/history`.
#[must_use]
pub fn to_json(wanted: &[Series], step_seconds: u32, samples: &[Vec<Sample>]) -> Vec<u8> {
    let named = wanted
        .iter()
        .zip(samples)
        .map(|(series, samples)| (series.name().to_owned(), json!(samples)));
    let series: Map<String, Value> = named.collect();
    json::write(&json!({"step": step_seconds, "series": series}))
}

impl Tier {
    fn at(self, unix_seconds: u64) -> u32 {
        u32::try_from(unix_seconds / u64::from(self.step_seconds())).unwrap_or(u32::MAX)
    }
}

impl Ring {
    fn new(tier: Tier) -> Self {
        let points = (tier.blocks_in_memory() * POINTS_PER_BLOCK) as usize;
        let points = vec![Point::NONE; points].into_boxed_slice();
        Self { tier, points, open: (0, ALL.map(Fold::new)), changed_since: None }
    }

    fn push(&mut self, unix_seconds: u64, values: &Values) {
        let at = self.tier.at(unix_seconds);
        if self.open.0 != at {
            self.open = (at, ALL.map(Fold::new));
            // A start in the middle of a point goes on with what was kept of it.
            let kept = self.point(at).map_or(NO_VALUES, |point| point.values);
            self.open.1.iter_mut().zip(kept).for_each(|(fold, value)| fold.take(value));
        }
        let mut point = Point { at, values: NO_VALUES };
        for ((fold, value), into) in self.open.1.iter_mut().zip(values).zip(&mut point.values) {
            fold.take(*value);
            #[allow(clippy::cast_possible_truncation)] // As close as it came.
            let value = fold.value().map_or(f32::NAN, |value| value as f32);
            *into = value;
        }
        *self.place(at) = point;
        self.changed_since = Some(self.changed_since.map_or(at, |since| since.min(at)));
    }

    fn place(&mut self, at: u32) -> &mut Point {
        let place = at as usize % self.points.len();
        &mut self.points[place]
    }

    fn point(&self, at: u32) -> Option<&Point> {
        self.points.get(at as usize % self.points.len()).filter(|point| point.at == at)
    }
}

#[cfg(test)]
mod tests;
