//! How many bits more one encoder takes for the same quality (Bjøntegaard's delta rate): the mean
//! distance between two curves of quality over the logarithm of the rate, where both have points.

/// A bit rate and the quality it gave.
pub type Point = (f64, f64);

/// Percent of bits that `ours` takes more than `peer` at equal quality; below 0 is better. `None`
/// where the curves share no quality.
pub fn bd_rate(ours: &[Point], peer: &[Point]) -> Option<f64> {
    let (ours, peer) = (Curve::new(ours)?, Curve::new(peer)?);
    let low = ours.first().max(peer.first());
    let high = ours.last().min(peer.last());
    if low >= high {
        return None;
    }
    const STEPS: u32 = 400;
    let at = |step: u32| low + (high - low) * (f64::from(step) + 0.5) / f64::from(STEPS);
    let sum: f64 = (0..STEPS).map(|step| ours.at(at(step)) - peer.at(at(step))).sum();
    Some(((sum / f64::from(STEPS)).exp() - 1.0) * 100.0)
}

/// Logarithm of the rate over quality: cubic pieces that do not overshoot (Fritsch and Carlson).
struct Curve {
    points: Vec<Point>,
    slopes: Vec<f64>,
}

impl Curve {
    fn new(points: &[Point]) -> Option<Self> {
        let mut points: Vec<Point> = points.iter().map(|(rate, q)| (*q, rate.ln())).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        points.dedup_by(|a, b| a.0 - b.0 < 1e-9);
        let secants: Vec<f64> = points
            .windows(2)
            .map(|pair| (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0))
            .collect();
        let (first, last) = (*secants.first()?, *secants.last()?);
        let mut slopes = vec![first];
        slopes.extend(secants.windows(2).map(|pair| match pair[0] * pair[1] {
            product if product <= 0.0 => 0.0,
            product => 2.0 * product / (pair[0] + pair[1]),
        }));
        slopes.push(last);
        Some(Self { points, slopes })
    }

    fn first(&self) -> f64 {
        self.points.first().map_or(f64::MAX, |point| point.0)
    }

    fn last(&self) -> f64 {
        self.points.last().map_or(f64::MIN, |point| point.0)
    }

    fn at(&self, quality: f64) -> f64 {
        let after = self.points.iter().position(|point| point.0 >= quality).unwrap_or(0).max(1);
        let ((q0, r0), (q1, r1)) = (self.points[after - 1], self.points[after]);
        let (width, t) = (q1 - q0, (quality - q0) / (q1 - q0));
        let (s0, s1) = (self.slopes[after - 1] * width, self.slopes[after] * width);
        let (t2, t3) = (t * t, t * t * t);
        r0 * (2.0 * t3 - 3.0 * t2 + 1.0)
            + s0 * (t3 - 2.0 * t2 + t)
            + r1 * (3.0 * t2 - 2.0 * t3)
            + s1 * (t3 - t2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_factor_is_found() {
        let peer = [(500.0, 70.0), (800.0, 78.0), (1_200.0, 84.0), (2_000.0, 90.0)];
        for factor in [0.8, 1.0, 1.3] {
            let ours = peer.map(|(rate, quality)| (rate * factor, quality));
            let more = bd_rate(&ours, &peer).unwrap();
            assert!((more - (factor - 1.0) * 100.0).abs() < 1e-6, "{more}");
        }
        assert!(bd_rate(&peer, &[(1.0, 10.0), (2.0, 20.0)]).is_none());
        assert!(bd_rate(&peer, &peer[..1]).is_none());
    }

    #[test]
    fn better_quality_at_the_same_rates_is_fewer_bits() {
        let peer = [(500.0, 70.0), (800.0, 78.0), (1_200.0, 84.0), (2_000.0, 90.0)];
        let ours = peer.map(|(rate, quality)| (rate, quality + 1.0));
        let more = bd_rate(&ours, &peer).unwrap();
        assert!((-12.0..-4.0).contains(&more), "{more}");
    }
}
