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

use super::weights::{Siting, WEIGHT_BITS, Weights};
use crate::codec::{Plane, PlaneView};

/// Samples in a vector; rows worked on at once.
const LANES: usize = 16;
/// Half of the last bit that is cut off: rounds to the nearest.
const ROUND: u16 = 1 << (WEIGHT_BITS - 1);

type Lane = [u8; LANES];

/// Scales planes of one size to planes of another.
#[derive(Debug)]
pub(super) struct PlaneScaler {
    across: Weights,
    down: Weights,
    /// Sums of weighed rows, before they are rounded: only for filters of more than four taps.
    sums: Vec<u16>,
    /// Sixteen rows of the source's width, each in `row_len` bytes.
    rows: Vec<u8>,
    row_len: usize,
    /// The same as columns.
    columns: Vec<Lane>,
}

impl PlaneScaler {
    /// From `source` to `target`, width and height in samples, none of them 0.
    pub(super) fn new(
        source: (usize, usize),
        target: (usize, usize),
        siting_across: Siting,
    ) -> Self {
        let row_len = source.0.next_multiple_of(LANES);
        Self {
            across: Weights::new(source.0, target.0, siting_across),
            down: Weights::new(source.1, target.1, Siting::Centred),
            sums: vec![0; source.0],
            rows: vec![0; row_len * LANES],
            row_len,
            columns: vec![[0; LANES]; row_len],
        }
    }

    /// Fills `target` from `source`; both have the sizes that this scaler is for.
    pub(super) fn scale(&mut self, source: PlaneView<'_>, target: &mut Plane) {
        for top in (0..target.height()).step_by(LANES) {
            for (row, y) in self.rows.chunks_exact_mut(self.row_len).zip(top..target.height()) {
                let row = row.get_mut(..source.width()).unwrap_or_default();
                weigh_rows(source, self.down.of(y), &mut self.sums, row);
            }
            self.turn();
            self.weigh_columns(target, top);
        }
    }

    /// Rows to columns.
    fn turn(&mut self) {
        for (x, columns) in self.columns.chunks_exact_mut(LANES).enumerate() {
            let mut block = [[0; LANES]; LANES];
            for (lane, row) in block.iter_mut().zip(self.rows.chunks_exact(self.row_len)) {
                if let Some(samples) = row.get(x * LANES..).and_then(<[u8]>::first_chunk) {
                    *lane = *samples;
                }
            }
            columns.copy_from_slice(&turned(block));
        }
    }

    /// The target's columns, and back to rows from `top` on.
    fn weigh_columns(&self, target: &mut Plane, top: usize) {
        match self.across.taps() {
            1 => self.weigh_columns_by::<1>(target, top),
            2 => self.weigh_columns_by::<2>(target, top),
            3 => self.weigh_columns_by::<3>(target, top),
            4 => self.weigh_columns_by::<4>(target, top),
            _ => self.weigh_into(target, top, weighed_many),
        }
    }

    fn weigh_columns_by<const TAPS: usize>(&self, target: &mut Plane, top: usize) {
        self.weigh_into(target, top, weighed::<TAPS>);
    }

    #[inline(always)]
    fn weigh_into(
        &self,
        target: &mut Plane,
        top: usize,
        weighed: impl Fn(&[Lane], &[u16]) -> Lane,
    ) {
        let width = target.width();
        let bottom = target.height().min(top + LANES);
        let mut spans = self.across.iter();
        for left in (0..width).step_by(LANES) {
            let mut block = [[0; LANES]; LANES];
            for (column, (first, weights)) in block.iter_mut().zip(&mut spans) {
                *column = weighed(self.columns.get(first..).unwrap_or_default(), weights);
            }
            for (samples, y) in turned(block).iter().zip(top..bottom) {
                let row = target.row_mut(y).get_mut(left..).unwrap_or_default();
                match row.first_chunk_mut() {
                    Some(whole) => *whole = *samples,
                    None => row.copy_from_slice(samples.get(..row.len()).unwrap_or_default()),
                }
            }
        }
    }
}

/// One row of the source's width out of as many of its rows as there are weights.
fn weigh_rows(
    source: PlaneView<'_>,
    (first, weights): (usize, &[u16]),
    sums: &mut [u16],
    row: &mut [u8],
) {
    match *weights {
        [] => {}
        [a] => weigh_few(source, first, [a], row),
        [a, b] => weigh_few(source, first, [a, b], row),
        [a, b, c] => weigh_few(source, first, [a, b, c], row),
        [a, b, c, d] => weigh_few(source, first, [a, b, c, d], row),
        _ => {
            sums.fill(ROUND);
            for (y, &weight) in (first..).zip(weights) {
                for (sum, &sample) in sums.iter_mut().zip(source.row(y)) {
                    *sum = sum.wrapping_add(weight.wrapping_mul(sample.into()));
                }
            }
            for (sample, &sum) in row.iter_mut().zip(&*sums) {
                *sample = (sum >> WEIGHT_BITS) as u8;
            }
        }
    }
}

fn weigh_few<const TAPS: usize>(
    source: PlaneView<'_>,
    first: usize,
    weights: [u16; TAPS],
    row: &mut [u8],
) {
    let mut blocks = std::array::from_fn::<_, TAPS, _>(|tap| {
        let (blocks, rest) = source.row(first + tap).as_chunks::<LANES>();
        (blocks.iter(), rest)
    });
    let (whole, tail) = row.as_chunks_mut::<LANES>();
    for out in whole {
        *out = weighed_lanes(blocks.each_mut().map(|(blocks, _)| blocks.next()), weights);
    }
    for (x, sample) in tail.iter_mut().enumerate() {
        let mut sum = ROUND;
        for ((_, rest), weight) in blocks.iter().zip(weights) {
            let sample = rest.get(x).copied().unwrap_or_default();
            sum = sum.wrapping_add(weight.wrapping_mul(sample.into()));
        }
        *sample = (sum >> WEIGHT_BITS) as u8;
    }
}

#[inline(always)]
fn weighed_lanes<const TAPS: usize>(lanes: [Option<&Lane>; TAPS], weights: [u16; TAPS]) -> Lane {
    let mut sums = [ROUND; LANES];
    for (lane, weight) in lanes.into_iter().zip(weights) {
        if let Some(lane) = lane {
            add(&mut sums, lane, weight);
        }
    }
    sums.map(|sum| (sum >> WEIGHT_BITS) as u8)
}

#[inline(always)]
fn weighed<const TAPS: usize>(columns: &[Lane], weights: &[u16]) -> Lane {
    let mut sums = [ROUND; LANES];
    if let (Some(columns), Some(weights)) =
        (columns.first_chunk::<TAPS>(), weights.first_chunk::<TAPS>())
    {
        for (column, &weight) in columns.iter().zip(weights) {
            add(&mut sums, column, weight);
        }
    }
    sums.map(|sum| (sum >> WEIGHT_BITS) as u8)
}

fn weighed_many(columns: &[Lane], weights: &[u16]) -> Lane {
    let mut sums = [ROUND; LANES];
    for (column, &weight) in columns.iter().zip(weights) {
        add(&mut sums, column, weight);
    }
    sums.map(|sum| (sum >> WEIGHT_BITS) as u8)
}

#[inline(always)]
fn add(sums: &mut [u16; LANES], lane: &Lane, weight: u16) {
    for (sum, &sample) in sums.iter_mut().zip(lane) {
        *sum = sum.wrapping_add(weight.wrapping_mul(sample.into()));
    }
}

/// Rows to columns: four rounds that each put the upper half of the vectors between those of the
/// lower, as cards are shuffled.
#[inline(always)]
fn turned(mut block: [Lane; LANES]) -> [Lane; LANES] {
    for _ in 0..LANES.ilog2() {
        let mut shuffled = [[0; LANES]; LANES];
        for i in 0..LANES / 2 {
            let (low, high) = interleaved(block[i], block[i + LANES / 2]);
            shuffled[2 * i] = low;
            shuffled[2 * i + 1] = high;
        }
        block = shuffled;
    }
    block
}

#[inline(always)]
fn interleaved(a: Lane, b: Lane) -> (Lane, Lane) {
    let (mut low, mut high) = ([0; LANES], [0; LANES]);
    for i in 0..LANES / 2 {
        low[2 * i] = a[i];
        low[2 * i + 1] = b[i];
        high[2 * i] = a[i + LANES / 2];
        high[2 * i + 1] = b[i + LANES / 2];
    }
    (low, high)
}
