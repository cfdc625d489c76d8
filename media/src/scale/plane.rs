//! One plane from one size to another, sixteen target rows at a time.
//!
//! ```text
//! source rows ─ weigh rows ─▶ 16 rows of the source's width ─ turn ─▶ its columns, 16 samples each
//!             ─ weigh columns ─▶ the target's columns ─ turn back ─▶ 16 target rows
//! ```
//!
//! Both weighings run over whole vectors, whatever the ratio, and need neither gathering nor code
//! for one processor: turning 16x16 blocks is cheaper than weighing along a row. What passes
//! between the steps stays in the first cache.

use std::ops::Range;

use multiversion::multiversion;

use super::weights::{Siting, WEIGHT_BITS, Weights};
use crate::codec::{Plane, PlaneView};

/// Samples in a vector; rows worked on at once.
const LANES: usize = 16;
/// Half of the last bit that is cut off: rounds to the nearest.
const ROUND: u16 = 1 << (WEIGHT_BITS - 1);

type Lane = [u8; LANES];
/// Sixteen rows of sixteen samples, or sixteen columns.
type Block = [Lane; LANES];

/// Scales planes of one size to planes of another.
#[derive(Debug)]
pub(super) struct PlaneScaler {
    across: Weights,
    down: Weights,
    /// Sums of weighed rows, before they are rounded: only for filters of more than six taps.
    sums: Vec<u16>,
    /// Sixteen rows of the source's width.
    rows: Vec<Block>,
    /// The same as columns.
    columns: Vec<Block>,
}

impl PlaneScaler {
    /// From `source` to `target`, width and height in samples, none of them 0.
    pub(super) fn new(
        source: (usize, usize),
        target: (usize, usize),
        siting_across: Siting,
    ) -> Self {
        let blocks = source.0.div_ceil(LANES);
        Self {
            across: Weights::new(source.0, target.0, siting_across),
            down: Weights::new(source.1, target.1, Siting::Centred),
            sums: vec![0; blocks * LANES],
            rows: vec![[[0; LANES]; LANES]; blocks],
            columns: vec![[[0; LANES]; LANES]; blocks],
        }
    }

    /// Fills `target` from `source`; both have the sizes that this scaler is for.
    pub(super) fn scale(&mut self, source: PlaneView<'_>, target: &mut Plane) {
        scale(self, source, target);
    }

    #[inline(always)]
    fn scale_by_strips(&mut self, source: PlaneView<'_>, target: &mut Plane) {
        for top in (0..target.height()).step_by(LANES) {
            let bottom = target.height().min(top + LANES);
            for (lane, y) in (top..bottom).enumerate() {
                self.weigh_rows(source, y, lane);
            }
            for (columns, rows) in self.columns.iter_mut().zip(&self.rows) {
                *columns = turned(*rows);
            }
            self.weigh_columns(target, top..bottom);
        }
    }

    /// Target row `y`, still as wide as the source, as row `lane` of the sixteen.
    #[inline(always)]
    fn weigh_rows(&mut self, source: PlaneView<'_>, y: usize, lane: usize) {
        let (first, weights) = self.down.of(y);
        match *weights {
            [a] => weigh_few(source, first, [a], &mut self.rows, lane),
            [a, b] => weigh_few(source, first, [a, b], &mut self.rows, lane),
            [a, b, c] => weigh_few(source, first, [a, b, c], &mut self.rows, lane),
            [a, b, c, d] => weigh_few(source, first, [a, b, c, d], &mut self.rows, lane),
            [a, b, c, d, e] => weigh_few(source, first, [a, b, c, d, e], &mut self.rows, lane),
            [a, b, c, d, e, f] => {
                weigh_few(source, first, [a, b, c, d, e, f], &mut self.rows, lane);
            }
            _ => {
                self.sums.fill(ROUND);
                for (y, &weight) in (first..).zip(weights) {
                    for (sum, &sample) in self.sums.iter_mut().zip(source.row(y)) {
                        *sum = sum.wrapping_add(weight.wrapping_mul(sample.into()));
                    }
                }
                for (block, sums) in self.rows.iter_mut().zip(self.sums.as_chunks().0) {
                    block[lane] = rounded(sums);
                }
            }
        }
    }

    /// The target's columns, and back to rows.
    #[inline(always)]
    fn weigh_columns(&self, target: &mut Plane, rows: Range<usize>) {
        match self.across.taps() {
            1 => self.weigh_columns_by(target, rows, weighed::<1>),
            2 => self.weigh_columns_by(target, rows, weighed::<2>),
            3 => self.weigh_columns_by(target, rows, weighed::<3>),
            4 => self.weigh_columns_by(target, rows, weighed::<4>),
            5 => self.weigh_columns_by(target, rows, weighed::<5>),
            6 => self.weigh_columns_by(target, rows, weighed::<6>),
            _ => self.weigh_columns_by(target, rows, weighed_many),
        }
    }

    #[inline(always)]
    fn weigh_columns_by(
        &self,
        target: &mut Plane,
        rows: Range<usize>,
        weighed: impl Fn(&[Lane], &[u16]) -> Lane,
    ) {
        let columns = self.columns.as_flattened();
        let mut spans = self.across.iter();
        for left in (0..target.width()).step_by(LANES) {
            let mut block = [[0; LANES]; LANES];
            for (column, (first, weights)) in block.iter_mut().zip(&mut spans) {
                let end = first + weights.len();
                *column = weighed(columns.get(first..end).unwrap_or_default(), weights);
            }
            for (samples, y) in turned(block).iter().zip(rows.clone()) {
                let row = target.row_mut(y).get_mut(left..).unwrap_or_default();
                match row.first_chunk_mut() {
                    Some(whole) => *whole = *samples,
                    None => row.copy_from_slice(samples.get(..row.len()).unwrap_or_default()),
                }
            }
        }
    }
}

/// Compiled once for any processor of its kind and once for those with wider vectors, between which
/// it chooses when it runs.
#[multiversion(targets("x86_64+avx+avx2"))]
fn scale(scaler: &mut PlaneScaler, source: PlaneView<'_>, target: &mut Plane) {
    scaler.scale_by_strips(source, target);
}

/// One row out of as many rows of the source as there are weights.
#[inline(always)]
fn weigh_few<const TAPS: usize>(
    source: PlaneView<'_>,
    first: usize,
    weights: [u16; TAPS],
    blocks: &mut [Block],
    lane: usize,
) {
    let rows: [_; TAPS] = std::array::from_fn(|tap| source.row(first + tap).as_chunks());
    let whole = source.width() / LANES;
    let (whole_blocks, last_block) = blocks.split_at_mut(whole.min(blocks.len()));
    for (x, block) in whole_blocks.iter_mut().enumerate() {
        let mut sums = [ROUND; LANES];
        for ((whole, _), weight) in rows.iter().zip(weights) {
            if let Some(samples) = whole.get(x) {
                add(&mut sums, samples, weight);
            }
        }
        block[lane] = rounded(&sums);
    }
    if let Some(block) = last_block.first_mut() {
        let mut sums = [ROUND; LANES];
        for ((_, rest), weight) in rows.iter().zip(weights) {
            let mut samples = [0; LANES];
            samples.iter_mut().zip(*rest).for_each(|(sample, &rest)| *sample = rest);
            add(&mut sums, &samples, weight);
        }
        block[lane] = rounded(&sums);
    }
}

#[inline(always)]
fn weighed<const TAPS: usize>(columns: &[Lane], weights: &[u16]) -> Lane {
    match (columns.first_chunk::<TAPS>(), weights.first_chunk::<TAPS>()) {
        (Some(columns), Some(weights)) => weighed_many(columns, weights),
        _ => [0; LANES],
    }
}

#[inline(always)]
fn weighed_many(columns: &[Lane], weights: &[u16]) -> Lane {
    let mut sums = [ROUND; LANES];
    for (column, &weight) in columns.iter().zip(weights) {
        add(&mut sums, column, weight);
    }
    rounded(&sums)
}

#[inline(always)]
fn add(sums: &mut [u16; LANES], samples: &Lane, weight: u16) {
    for (sum, &sample) in sums.iter_mut().zip(samples) {
        *sum = sum.wrapping_add(weight.wrapping_mul(sample.into()));
    }
}

#[inline(always)]
fn rounded(sums: &[u16; LANES]) -> Lane {
    sums.map(|sum| (sum >> WEIGHT_BITS) as u8)
}

/// Rows to columns: four rounds that each put the upper half of the lanes between those of the
/// lower, as cards are shuffled.
#[inline(always)]
fn turned(mut block: Block) -> Block {
    for _ in 0..LANES.ilog2() {
        let mut shuffled = [[0; LANES]; LANES];
        for i in 0..LANES / 2 {
            (shuffled[2 * i], shuffled[2 * i + 1]) = interleaved(block[i], block[i + LANES / 2]);
        }
        block = shuffled;
    }
    block
}

#[inline(always)]
fn interleaved(a: Lane, b: Lane) -> (Lane, Lane) {
    let (mut low, mut high) = ([0; LANES], [0; LANES]);
    for i in 0..LANES / 2 {
        (low[2 * i], low[2 * i + 1]) = (a[i], b[i]);
        (high[2 * i], high[2 * i + 1]) = (a[i + LANES / 2], b[i + LANES / 2]);
    }
    (low, high)
}
