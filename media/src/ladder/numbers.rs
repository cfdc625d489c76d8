//! Which number each variant has. At first its place in the setting, as the API counts; a ladder
//! that changes while it is on air keeps the numbers of what goes on, so that its playlists go on,
//! and gives what is new numbers that nobody has.

use super::plan::{Plan, PlannedRung};
use super::setting::VARIANT_NUMBERS;

/// Numbers of variants by their place in the setting.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct VariantNumbers(Vec<u8>);

impl VariantNumbers {
    /// Numbers for the variants of `next`, numbered by their places, when those of `former` are on
    /// air under the numbers they have there.
    #[must_use]
    pub fn after(former: &Plan, next: &Plan) -> Self {
        let mut going = former.rungs.clone();
        let mut used: Vec<u8> = former.variants().collect();
        let mut places: Vec<_> = next.rungs.iter().map(|rung| (rung.variant, Some(rung))).collect();
        places.extend(next.source.map(|place| (place, None)));
        places.sort_by_key(|(place, _)| *place);
        let mut numbers = Vec::with_capacity(places.len());
        for (place, rung) in places {
            let known = match rung {
                None => former.source,
                Some(rung) => {
                    let same = going.iter().position(|other| other.makes_the_same_as(rung));
                    same.map(|index| going.remove(index).variant)
                }
            };
            let number = known.unwrap_or_else(|| free(&used));
            used.push(number);
            // A place whose variant cannot be made has no use for its number.
            numbers.resize(usize::from(place), u8::MAX);
            numbers.push(number);
        }
        Self(numbers)
    }

    /// Gives the variants of a plan, numbered by their places, their numbers.
    pub fn number(&self, plan: &mut Plan) {
        let mut used = self.0.clone();
        let mut number = |place: &mut u8| {
            let known = self.0.get(usize::from(*place)).copied().filter(|n| *n != u8::MAX);
            *place = known.unwrap_or_else(|| if self.0.is_empty() { *place } else { free(&used) });
            used.push(*place);
        };
        plan.source.iter_mut().for_each(&mut number);
        plan.rungs.iter_mut().for_each(|rung| number(&mut rung.variant));
    }
}

/// The lowest number that is not in use.
fn free(used: &[u8]) -> u8 {
    let numbers = 0..u8::try_from(VARIANT_NUMBERS).unwrap_or(u8::MAX);
    numbers.into_iter().find(|number| !used.contains(number)).unwrap_or_default()
}

impl Plan {
    /// Numbers of all variants.
    pub fn variants(&self) -> impl Iterator<Item = u8> {
        self.source.into_iter().chain(self.rungs.iter().map(|rung| rung.variant))
    }
}

impl PlannedRung {
    /// Whether one encoder can make both.
    pub fn makes_the_same_as(&self, other: &Self) -> bool {
        Self { variant: other.variant, ..*self } == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::PictureSize;
    use crate::ladder::RungCodec;

    /// `s` is the source; a number is a rung of that height.
    fn plan(variants: &[&str]) -> Plan {
        let mut plan = Plan::default();
        for (variant, name) in (0..).zip(variants) {
            let Ok(height) = name.parse() else {
                plan.source = Some(variant);
                continue;
            };
            let size = PictureSize::new(height * 2, height).expect("a size");
            plan.rungs.push(PlannedRung {
                variant,
                size,
                frame_rate_millis: 30_000,
                bitrate: 500_000,
                codec: RungCodec::H264 { cpu_level: 2 },
                threads: 1,
            });
        }
        plan
    }

    #[test]
    fn what_goes_on_keeps_its_number_and_what_is_new_gets_a_free_one() {
        for (former, next, want) in [
            (&["s", "240"][..], &["s", "180"][..], &[0, 2][..]),
            (&["s", "240"], &["s", "240", "180"], &[0, 1, 2]),
            (&["s", "480", "240"], &["s", "240"], &[0, 2]),
            (&["s", "240"], &["240", "s"], &[1, 0]),
            (&["s"], &["480", "240"], &[1, 2]),
            (&["480", "240"], &["s"], &[2]),
            (&["s", "240", "240"], &["s", "240", "240", "240"], &[0, 1, 2, 3]),
        ] {
            let (former, mut next) = (plan(former), plan(next));
            let numbers = VariantNumbers::after(&former, &next);
            assert_eq!(numbers.0, want, "{former:?} to {next:?}");
            numbers.number(&mut next);
            let mut given: Vec<_> = next.variants().collect();
            given.sort_unstable();
            let mut want = want.to_vec();
            want.sort_unstable();
            assert_eq!(given, want);
        }
    }

    #[test]
    fn changes_without_end_need_no_more_numbers_than_there_are() {
        let heights: Vec<_> = (1..=8).map(|n| (n * 16).to_string()).collect();
        let others: Vec<_> = (1..=8).map(|n| (n * 16 + 128).to_string()).collect();
        let names = |heights: &[String]| {
            let names: Vec<_> = heights.iter().map(String::as_str).collect();
            plan(&names)
        };
        let mut on_air = names(&heights);
        for round in 0..20 {
            let mut next = names(if round % 2 == 0 { &others } else { &heights });
            VariantNumbers::after(&on_air, &next).number(&mut next);
            assert!(next.variants().all(|n| usize::from(n) < VARIANT_NUMBERS), "{next:?}");
            assert!(!next.variants().any(|n| on_air.variants().any(|o| o == n)), "{next:?}");
            on_air = next;
        }
    }

    #[test]
    fn a_source_that_comes_back_finds_its_numbers() {
        let numbers = VariantNumbers::after(&plan(&["s", "240"]), &plan(&["s", "180", "90"]));
        // A longer ladder than it was, and a shorter one.
        for (variants, want) in
            [(&["s", "180", "90", "60"][..], vec![0, 2, 3, 1]), (&["s", "180"], vec![0, 2])]
        {
            let mut plan = plan(variants);
            numbers.number(&mut plan);
            assert_eq!(plan.variants().collect::<Vec<_>>(), want);
        }
        let mut first = plan(&["240", "s"]);
        VariantNumbers::default().number(&mut first);
        assert_eq!(first.variants().collect::<Vec<_>>(), [1, 0]);
    }
}
