//! How coarsely each picture is quantised so that a segment takes the bits it should.
//!
//! ```text
//! picture to come ─▶ quantiser(sync) ─▶ encoder ─▶ coded(sync, bits) ─▶ what pictures cost now
//! ```
//!
//! openh264's own control plans for eight pictures: it takes what an IDR picture cost beyond its
//! share from the pictures right behind it, which come out coarse, and changes the quantiser within
//! a picture. Here the plan is the whole segment, so that all its pictures look alike, and a
//! picture has one quantiser. What that is worth stands in `benches/README.md`.
//!
//! **Model.** A picture's *cost* is its bits times the quantiser's step size: it changes slowly
//! while the scene goes on. IDR pictures and others have one each. At an IDR picture the quantiser
//! is that at which one IDR picture and the others up to the next are worth a segment's bits;
//! behind it, what is left is spread over what is left. A segment that took too much is made up for
//! by the next ones.
//!
//! **Surprises.** One picture that costs several times as much is a cut, after which pictures cost
//! about what they did; a second one behind it is a new scene, and its cost is believed at once.

/// Least quantiser: below it nobody sees a difference, and a scene that comes alive out of a still
/// one would cost too much before it is noticed.
const LEAST: f64 = 16.0;
/// Greatest quantiser: all that H.264 has (§7.4.5).
const MOST: f64 = 51.0;
/// Costs of the first pictures per pixel, before any is known: between drawn pictures and a street.
const FIRST_SYNC_COST: f64 = 12.0;
/// What an IDR picture costs more than others, before any other is known.
const FIRST_SYNC_RATIO: f64 = 6.0;
/// What a picture adds to what is known of its kind.
const SHARE_OF_NEW: f64 = 0.25;
const SHARE_OF_NEW_SYNC: f64 = 0.6;
/// A picture that costs this many times what is usual is a surprise.
const SURPRISE: f64 = 3.0;
/// The most that an IDR picture may be planned to take of its segment.
const SYNC_SHARE_MAX: f64 = 0.5;
/// The share of what a segment took too much, or too little, that the next one makes up for.
const REPAID: f64 = 0.25;
/// What was not used, as a share of a segment, that is not lost: more would be a peak later.
const SAVED_MAX: f64 = 0.1;
/// The share of a segment's bits that it may take more, or less, for its pictures to look alike.
const SLACK: f64 = 0.08;
/// Quantisers of neighbouring pictures differ at most by this, unless bits are running out.
const STEP_MAX: f64 = 2.0;
/// The bits of a picture, as multiples of a mean picture's, are planned within this.
const TARGET_MIN: f64 = 0.15;
const TARGET_MAX: f64 = 3.0;
/// The plan looks at least this share of a segment ahead, however near its end is.
const HORIZON: f64 = 0.25;

/// The control of one encoder.
#[derive(Clone, Debug)]
pub(super) struct SegmentRate {
    /// Bits of a mean picture.
    mean: f64,
    pixels: f64,
    sync_gain: f64,
    /// Pictures of a segment: those of the last one.
    length: f64,
    /// Quantisers are not finer than this.
    least: f64,
    /// Cost of IDR pictures and of others.
    sync_cost: Option<f64>,
    cost: Option<f64>,
    /// Pictures of the running segment that are coded, and their bits.
    pictures: f64,
    spent: f64,
    /// Bits that earlier segments took too much.
    debt: f64,
    /// Bits of each picture behind the IDR picture, as planned when that was coded.
    planned: f64,
    /// At which a picture looks like the one before; at most [`MOST`].
    quantiser: Option<f64>,
    surprised: bool,
}

impl SegmentRate {
    /// For pictures of so many pixels, so many bits a second, and IDR pictures that come about
    /// every `length` pictures.
    pub(super) fn new(pixels: f64, bits_per_picture: f64, length: f64, sync_gain: u8) -> Self {
        Self {
            mean: bits_per_picture,
            pixels,
            sync_gain: f64::from(sync_gain),
            length: length.max(1.0),
            least: LEAST,
            sync_cost: None,
            cost: None,
            pictures: 0.0,
            spent: 0.0,
            debt: 0.0,
            planned: bits_per_picture,
            quantiser: None,
            surprised: false,
        }
    }

    /// Another target from the next picture on. Debts of the old one are forgiven.
    pub(super) fn set_mean(&mut self, bits_per_picture: f64) {
        let ratio = bits_per_picture / self.mean;
        self.mean = bits_per_picture;
        self.spent *= ratio;
        self.planned *= ratio;
        self.debt = 0.0;
    }

    /// Quantisers are at least this from now on; ordinary again with 0.
    pub(super) fn set_least(&mut self, quantiser: u8) {
        self.least = f64::from(quantiser).clamp(LEAST, MOST);
    }

    /// The quantiser of the picture that comes next, 0 to 51.
    pub(super) fn quantiser(&mut self, sync: bool) -> u8 {
        let quantiser = if sync { self.begin_segment() } else { self.within_segment() };
        let quantiser = quantiser.clamp(self.least, MOST);
        let alike = if sync { (quantiser + self.sync_gain).min(MOST) } else { quantiser };
        self.quantiser = Some(alike);
        // In range by the clamp.
        quantiser.round() as u8
    }

    fn begin_segment(&mut self) -> f64 {
        if self.pictures > 0.0 {
            self.debt = (self.debt * (1.0 - REPAID) + self.spent - self.pictures * self.mean)
                .clamp(-SAVED_MAX * self.length * self.mean, self.length * self.mean);
            self.length = self.pictures;
        }
        (self.pictures, self.spent) = (0.0, 0.0);
        let (sync_cost, cost) = (self.known_sync_cost(), self.known_cost());
        let bits = (self.length * self.mean - self.debt * REPAID).max(self.mean);
        let gain = 2_f64.powf(self.sync_gain / 6.0);
        let others = self.length - 1.0;
        let step = (sync_cost * gain + others * cost) / bits;
        let least_step = sync_cost / (SYNC_SHARE_MAX * bits);
        of_step((step / gain).max(least_step))
    }

    fn known_sync_cost(&self) -> f64 {
        self.sync_cost.unwrap_or(FIRST_SYNC_COST * self.pixels)
    }

    fn known_cost(&self) -> f64 {
        self.cost.unwrap_or_else(|| self.known_sync_cost() / FIRST_SYNC_RATIO)
    }

    fn within_segment(&self) -> f64 {
        let cost = self.known_cost();
        // A segment longer than the last one has its share of bits for each picture more.
        let length = self.length.max(self.pictures + 1.0);
        let left = length * self.mean - self.debt * REPAID - self.spent;
        let horizon = (self.length * HORIZON).max(4.0);
        let ahead = length - self.pictures + horizon;
        let target = (left + horizon * self.planned) / ahead;
        let slack = SLACK * self.length * self.mean / ahead;
        // What it takes to look like the picture before, if the segment can bear it.
        let alike = self.quantiser.map_or(target, |before| cost / step(before));
        let target = alike.clamp(target - slack, target + slack);
        let target = target.clamp(TARGET_MIN * self.mean, TARGET_MAX * self.mean);
        let wanted = of_step(cost / target);
        let before = self.quantiser.unwrap_or(wanted);
        // Bits that run out are a reason to jump.
        let jumps = left < 0.0 || self.surprised || self.cost.is_none();
        let most = if jumps { MOST } else { before + STEP_MAX };
        wanted.clamp(before - STEP_MAX, most)
    }

    /// A picture quantised by `quantiser` took so many bits.
    pub(super) fn coded(&mut self, sync: bool, quantiser: u8, bits: f64) {
        let cost = bits * step(f64::from(quantiser));
        self.pictures += 1.0;
        self.spent += bits;
        if sync {
            let known = self.sync_cost.unwrap_or(cost);
            self.sync_cost = Some(known + (cost - known) * SHARE_OF_NEW_SYNC);
            self.surprised = false;
            let left = self.length * self.mean - self.debt * REPAID - bits;
            self.planned = (left / (self.length - 1.0).max(1.0)).max(TARGET_MIN * self.mean);
            return;
        }
        let Some(known) = self.cost else {
            self.cost = Some(cost);
            return;
        };
        let surprise = cost > SURPRISE * known;
        let new = match (surprise, self.surprised) {
            (false, _) => known + (cost - known) * SHARE_OF_NEW,
            (true, false) => (2.0 * known).max(cost / 4.0),
            (true, true) => 0.7 * cost,
        };
        self.cost = Some(new);
        self.surprised = surprise;
    }
}

/// Step size of a quantiser; only ratios matter.
fn step(quantiser: f64) -> f64 {
    2_f64.powf(quantiser / 6.0)
}

fn of_step(step: f64) -> f64 {
    6.0 * step.max(f64::MIN_POSITIVE).log2()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIXELS: f64 = 1_280.0 * 720.0;
    const MEAN: f64 = 80_000.0;
    const LENGTH: usize = 60;

    /// Codes pictures of these costs per pixel; bits of each segment over its target, and all
    /// quantisers.
    fn run(costs: impl Fn(usize, bool) -> f64, segments: usize) -> (Vec<f64>, Vec<u8>) {
        let mut rate = SegmentRate::new(PIXELS, MEAN, LENGTH as f64, 4);
        let (mut shares, mut quantisers) = (Vec::new(), Vec::new());
        for segment in 0..segments {
            let mut bits = 0.0;
            for picture in 0..LENGTH {
                let sync = picture == 0;
                let quantiser = rate.quantiser(sync);
                let cost = costs(segment * LENGTH + picture, sync) * PIXELS;
                let taken = cost / step(f64::from(quantiser)) + 200.0;
                rate.coded(sync, quantiser, taken);
                bits += taken;
                quantisers.push(quantiser);
            }
            shares.push(bits / (MEAN * LENGTH as f64));
        }
        (shares, quantisers)
    }

    #[test]
    fn segments_take_their_bits() {
        type Costs = fn(usize, bool) -> f64;
        let scenes: [(&str, Costs); 5] = [
            ("even", |_, sync| if sync { 12.0 } else { 2.0 }),
            ("hard", |_, sync| if sync { 60.0 } else { 20.0 }),
            ("IDR pictures cost most", |_, sync| if sync { 30.0 } else { 0.5 }),
            ("unlike the guess", |_, sync| if sync { 4.0 } else { 3.0 }),
            ("waves", |n, sync| {
                let wave = 1.0 + 0.5 * (n as f64 / 25.0).sin();
                if sync { 15.0 } else { 2.0 * wave }
            }),
        ];
        for (name, costs) in scenes {
            let (shares, quantisers) = run(costs, 6);
            assert!(shares[0] < 1.5, "{name}: {shares:.2?}");
            for share in &shares[1..] {
                assert!((0.85..1.15).contains(share), "{name}: {shares:.2?}");
            }
            let steady = &quantisers[2 * LENGTH + 1..3 * LENGTH];
            let (least, most) = (steady.iter().min(), steady.iter().max());
            let spread = most.unwrap() - least.unwrap();
            assert!(spread <= if name == "waves" { 9 } else { 2 }, "{name}: {steady:?}");
        }
    }

    #[test]
    fn a_still_scene_is_not_coded_finer_than_anyone_sees() {
        let (shares, quantisers) = run(|_, sync| if sync { 2.0 } else { 0.001 }, 4);
        assert!(shares.iter().all(|share| *share < 0.9), "{shares:.2?}");
        assert_eq!(quantisers.iter().min(), Some(&16));
    }

    #[test]
    fn a_scene_that_comes_alive_or_is_cut_to_does_not_run_away() {
        for (name, before, after) in [("alive", 0.001, 6.0), ("harder", 1.0, 10.0)] {
            let costs = |n: usize, sync: bool| match n {
                ..150 if sync => 8.0,
                ..150 => before,
                150 => 30.0,
                _ if sync => 30.0,
                _ => after,
            };
            let (shares, _) = run(costs, 6);
            assert!(shares.iter().all(|share| *share < 1.45), "{name}: {shares:.2?}");
            let mean = shares[3..].iter().sum::<f64>() / 3.0;
            assert!((0.9..1.1).contains(&mean), "{name}: {shares:.2?}");
        }
    }

    #[test]
    fn a_cut_costs_the_pictures_behind_it_little() {
        let (_, quantisers) = run(|n, sync| if sync || n == 150 { 12.0 } else { 2.0 }, 4);
        let before = i32::from(quantisers[149]);
        let after = quantisers[151..180].iter().map(|q| i32::from(*q)).max().unwrap();
        assert!(after - before <= 7, "{before}: {:?}", &quantisers[145..180]);
    }

    #[test]
    fn nothing_is_too_costly_or_too_cheap_for_a_quantiser() {
        for bits in [8.0, 1e4, 1e9] {
            let mut rate = SegmentRate::new(256.0, 300.0, 1.0, 12);
            for picture in 0..300 {
                let sync = picture % 7 == 0;
                let quantiser = rate.quantiser(sync);
                assert!((16..=51).contains(&quantiser), "{bits}: {quantiser}");
                rate.coded(sync, quantiser, bits);
            }
        }
    }

    #[test]
    fn a_new_target_is_reached() {
        let mut rate = SegmentRate::new(PIXELS, MEAN, LENGTH as f64, 4);
        for mean in [MEAN, MEAN / 2.0, MEAN * 1.5] {
            rate.set_mean(mean);
            let mut bits = 0.0;
            for picture in 0..2 * LENGTH {
                let sync = picture % LENGTH == 0;
                let quantiser = rate.quantiser(sync);
                let cost = if sync { 12.0 } else { 2.0 } * PIXELS;
                let taken = cost / step(f64::from(quantiser));
                rate.coded(sync, quantiser, taken);
                bits += if picture >= LENGTH { taken } else { 0.0 };
            }
            let share = bits / (mean * LENGTH as f64);
            assert!((0.9..1.1).contains(&share), "{share:.2}");
        }
        rate.set_least(36);
        assert!(rate.quantiser(false) >= 36);
    }
}
