//! Sixty points of all series in few bytes, for the store.
//!
//! ```text
//! version (1) · number of columns (1) · number of the block (4, little endian) · columns
//! column: 0 · nothing          no value
//!         1 · which (8) · n    the same value at these points
//!         2 · which (8) · n …  the first value, and how much each later one differs from the last
//! ```
//!
//! `which` has a bit for each point that has a value; `n` is a signed number of seven bits a byte.
//! Columns of series that a later version adds come at the end, and are passed over here.

use super::series::{ALL, SERIES};
use super::{POINTS_PER_BLOCK, Point};

const VERSION: u8 = 1;
/// A number of 64 bits has at most so many bytes.
const NUMBER_BYTES_MAX: usize = 10;
/// Values are cut to this many steps of their series: a float that is larger is no exact number.
const STEPS_MAX: f32 = 16_777_216.0;

/// The points of one block; those that are of another time are left out.
pub(super) fn write<'a>(number: u32, points: impl Iterator<Item = &'a Point> + Clone) -> Vec<u8> {
    let columns = u8::try_from(SERIES).unwrap_or(u8::MAX);
    let mut bytes = vec![VERSION, columns];
    bytes.extend_from_slice(&number.to_le_bytes());
    for series in ALL {
        let (mut which, mut steps) = (0_u64, Vec::with_capacity(POINTS_PER_BLOCK as usize));
        for point in points.clone().filter(|point| point.at / POINTS_PER_BLOCK == number) {
            let value = point.values[series as usize];
            if !value.is_nan() {
                which |= 1 << (point.at % POINTS_PER_BLOCK);
                steps.push(whole(value * series.steps_per_unit()));
            }
        }
        write_column(&mut bytes, which, &steps);
    }
    bytes
}

#[allow(clippy::cast_possible_truncation)] // Cut to what is exact.
fn whole(steps: f32) -> i64 {
    steps.round().clamp(-STEPS_MAX, STEPS_MAX) as i64
}

fn write_column(bytes: &mut Vec<u8>, which: u64, steps: &[i64]) {
    let Some(first) = steps.first() else {
        bytes.push(0);
        return;
    };
    let is_constant = steps.iter().all(|step| step == first);
    bytes.push(if is_constant { 1 } else { 2 });
    bytes.extend_from_slice(&which.to_le_bytes());
    write_number(bytes, *first);
    if !is_constant {
        for pair in steps.windows(2) {
            if let [before, after] = pair {
                write_number(bytes, after - before);
            }
        }
    }
}

/// What was [written](write): the block's number, and each point in turn. `None` when it is no such
/// block.
pub(super) fn read(bytes: &[u8]) -> Option<(u32, [Point; POINTS_PER_BLOCK as usize])> {
    let (head, mut rest) = bytes.split_at_checked(6)?;
    let [VERSION, columns, number @ ..] = head else { return None };
    let number = u32::from_le_bytes(number.try_into().ok()?);
    let start = number.checked_mul(POINTS_PER_BLOCK)?;
    start.checked_add(POINTS_PER_BLOCK)?;
    let mut points = [Point::NONE; POINTS_PER_BLOCK as usize];
    for (at, point) in (start..).zip(&mut points) {
        point.at = at;
    }
    for column in 0..usize::from(*columns) {
        let series = ALL.get(column).copied();
        let kind = take(&mut rest, 1)?.first().copied()?;
        match kind {
            0 => continue,
            1 | 2 => {}
            _ => return None,
        }
        let which = u64::from_le_bytes(take(&mut rest, 8)?.try_into().ok()?);
        let mut steps = take_number(&mut rest)?;
        let mut is_first = true;
        for (place, point) in points.iter_mut().enumerate() {
            if (which >> place) & 1 == 0 {
                continue;
            }
            if kind == 2 && !std::mem::take(&mut is_first) {
                steps = steps.checked_add(take_number(&mut rest)?)?;
            }
            if let Some(series) = series {
                #[allow(clippy::cast_precision_loss)] // Cut to what is exact.
                let value = steps as f32 / series.steps_per_unit();
                point.values[series as usize] = value;
            }
        }
    }
    rest.is_empty().then_some((number, points))
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(len)?;
    *rest = left;
    Some(taken)
}

/// The sign goes to the lowest bit, so that small differences are small numbers.
fn write_number(bytes: &mut Vec<u8>, number: i64) {
    let mut left = ((number << 1) ^ (number >> 63)).cast_unsigned();
    while left > 0x7f {
        bytes.push(left.to_le_bytes()[0] | 0x80);
        left >>= 7;
    }
    bytes.push(left.to_le_bytes()[0]);
}

fn take_number(rest: &mut &[u8]) -> Option<i64> {
    let mut number = 0_u64;
    for place in 0..NUMBER_BYTES_MAX {
        let byte = *take(rest, 1)?.first()?;
        number |= u64::from(byte & 0x7f).checked_shl(7 * u32::try_from(place).ok()?)?;
        if byte & 0x80 == 0 {
            return Some((number >> 1).cast_signed() ^ -((number & 1).cast_signed()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::Series;
    use super::*;

    /// An hour in which viewers come and go, the disk fills not at all, and nobody publishes for
    /// half of it.
    fn points() -> Vec<Point> {
        (120..180_u32)
            .map(|at| {
                let mut point = Point { at, ..Point::NONE };
                point.values[Series::Disk as usize] = 41.3;
                point.values[Series::Cpu as usize] = at as f32 / 10.0;
                if at % 3 == 0 {
                    point.values[Series::Viewers as usize] = 1_000.0 - at as f32 * 7.0;
                }
                if at > 150 {
                    point.values[Series::LatencyMedian as usize] = 1.234;
                    point.values[Series::BandwidthHighest as usize] = 1e9;
                }
                point
            })
            .collect()
    }

    #[test]
    fn what_is_written_is_read_again() {
        let points = points();
        let bytes = write(2, points.iter());
        assert!(bytes.len() < 250, "{} bytes", bytes.len());
        let (number, found) = read(&bytes).unwrap();
        assert_eq!(number, 2);
        for (point, found) in points.iter().zip(found) {
            assert_eq!(point.at, found.at);
            for series in ALL {
                let (value, found) = (point.values[series as usize], found.values[series as usize]);
                let value = if value > STEPS_MAX { STEPS_MAX } else { value };
                let same = (value - found).abs() < 1e-3 || (value.is_nan() && found.is_nan());
                assert!(same, "{series:?}: {value} {found}");
            }
        }
        // Points of another block are no part of it.
        let other = read(&write(3, points.iter())).unwrap().1;
        assert!(other.iter().all(|point| point.values.iter().all(|value| value.is_nan())));
    }

    #[test]
    fn what_is_cut_or_strange_is_refused() {
        let bytes = write(2, points().iter());
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end]).is_none(), "cut at {end}");
        }
        assert!(read(&[bytes.as_slice(), &[0]].concat()).is_none());
        assert!(read(&[&[9], &bytes[1..]].concat()).is_none());
        // Any byte may be wrong; whatever comes of it is no panic.
        for at in 0..bytes.len() {
            for value in [0, 1, 2, 0x7f, 0x80, 0xff] {
                let mut wrong = bytes.clone();
                wrong[at] = value;
                let _ = read(&wrong);
            }
        }
    }

    #[test]
    fn columns_of_a_later_version_are_passed_over() {
        let mut bytes = write(2, points().iter());
        bytes[1] += 1;
        bytes.extend_from_slice(&[1, 1, 0, 0, 0, 0, 0, 0, 0, 5]);
        assert_eq!(read(&bytes).unwrap().0, 2);
    }
}
