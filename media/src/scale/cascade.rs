//! All rungs of a ladder out of one decoded picture, each from the next larger one that was made.

use std::cmp::Reverse;
use std::sync::Arc;

use super::{PicturePool, Scaler};
use crate::codec::{Picture, PictureSize, PictureView};

/// What a rung gets of a picture.
#[derive(Clone, Debug)]
pub enum Made {
    /// The source has the rung's size: it takes the source's own view, nothing was copied.
    Source,
    /// The picture in the rung's size. Rungs of one size share it.
    Scaled(Arc<Picture>),
    /// All pictures of this size are still in use: the rung's encoder is behind, and this picture
    /// is dropped for it (EN-4).
    Behind,
}

/// Scales pictures to the sizes of a ladder.
#[derive(Debug)]
pub struct Cascade {
    /// The largest first.
    steps: Vec<Step>,
}

/// One size.
#[derive(Debug)]
struct Step {
    rungs: Vec<usize>,
    pool: PicturePool,
    /// One for each size that it was made from: which, depends on what other rungs want.
    scalers: Vec<Scaler>,
}

impl Cascade {
    /// For rungs of these sizes, known afterwards by their place in `rungs`, with at most
    /// `pictures_max` pictures in use for each size.
    pub fn new(rungs: &[PictureSize], pictures_max: usize) -> Self {
        let mut steps: Vec<Step> = Vec::new();
        for (rung, &size) in rungs.iter().enumerate() {
            match steps.iter_mut().find(|step| step.pool.size() == size) {
                Some(step) => step.rungs.push(rung),
                None => steps.push(Step {
                    rungs: vec![rung],
                    pool: PicturePool::new(size, pictures_max),
                    scalers: Vec::new(),
                }),
            }
        }
        steps.sort_by_key(|step| Reverse(area(step.pool.size())));
        Self { steps }
    }

    /// Makes `source` in the sizes of those rungs that want it and hands each to `give`, the
    /// largest first.
    pub fn make(
        &mut self,
        source: PictureView<'_>,
        wants: impl Fn(usize) -> bool,
        mut give: impl FnMut(usize, Made),
    ) {
        let mut made: Option<(PictureSize, Arc<Picture>)> = None;
        let longest = self.steps.len() + 1;
        for step in &mut self.steps {
            if !step.rungs.iter().any(|&rung| wants(rung)) {
                continue;
            }
            let size = step.pool.size();
            let picture = if size == source.size() {
                Made::Source
            } else {
                let larger = made.as_ref().filter(|(larger, _)| holds(*larger, size));
                let from = larger.map_or(source, |(_, picture)| picture.view());
                match step.scale(from, longest) {
                    Some(picture) => {
                        made = Some((size, Arc::clone(&picture)));
                        Made::Scaled(picture)
                    }
                    None => Made::Behind,
                }
            };
            for &rung in step.rungs.iter().filter(|&&rung| wants(rung)) {
                give(rung, picture.clone());
            }
        }
    }
}

impl Step {
    fn scale(&mut self, from: PictureView<'_>, scalers_max: usize) -> Option<Arc<Picture>> {
        let known = self.scalers.iter().position(|scaler| scaler.source() == from.size());
        let known = known.unwrap_or_else(|| {
            // A source of another size than before leaves tables that nobody needs any more.
            if self.scalers.len() >= scalers_max {
                self.scalers.clear();
            }
            self.scalers.push(Scaler::new(from.size(), self.pool.size()));
            self.scalers.len() - 1
        });
        let scaler = self.scalers.get_mut(known)?;
        self.pool.draw(|picture| scaler.scale(from, picture))
    }
}

fn area(size: PictureSize) -> u64 {
    u64::from(size.width()) * u64::from(size.height())
}

fn holds(larger: PictureSize, smaller: PictureSize) -> bool {
    larger.width() >= smaller.width() && larger.height() >= smaller.height()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(width: u32, height: u32) -> PictureSize {
        PictureSize::new(width, height).unwrap()
    }

    /// What each rung got: its size, or `None` for the source itself.
    fn made(cascade: &mut Cascade, source: &Picture, wanted: &[usize]) -> Vec<(usize, Kind)> {
        let mut got = Vec::new();
        let wants = |rung| wanted.contains(&rung);
        cascade.make(source.view(), wants, |rung, made| {
            got.push((
                rung,
                match made {
                    Made::Source => Kind::Source,
                    Made::Scaled(picture) => Kind::Scaled(picture.size()),
                    Made::Behind => Kind::Behind,
                },
            ));
        });
        got
    }

    #[derive(Clone, Copy, PartialEq, Debug)]
    enum Kind {
        Source,
        Scaled(PictureSize),
        Behind,
    }

    #[test]
    fn each_rung_comes_from_the_next_larger_that_was_made() {
        let (hd, sd, low) = (size(128, 72), size(86, 48), size(64, 36));
        let source = Picture::black(size(192, 108));
        let mut cascade = Cascade::new(&[low, source.size(), hd, sd, sd], 1);
        assert_eq!(
            made(&mut cascade, &source, &[0, 1, 2, 3, 4]),
            [
                (1, Kind::Source),
                (2, Kind::Scaled(hd)),
                (3, Kind::Scaled(sd)),
                (4, Kind::Scaled(sd)),
                (0, Kind::Scaled(low)),
            ]
        );
        let sources = |cascade: &Cascade, step: usize| {
            let scalers = cascade.steps[step].scalers.iter();
            scalers.map(Scaler::source).collect::<Vec<_>>()
        };
        assert_eq!(sources(&cascade, 1), [source.size()]);
        assert_eq!(sources(&cascade, 2), [hd]);
        assert_eq!(sources(&cascade, 3), [sd]);
        assert_eq!(made(&mut cascade, &source, &[0, 2]).len(), 2);
        assert_eq!(sources(&cascade, 3), [sd, hd]);
        for height in (110..200).step_by(2) {
            assert_eq!(made(&mut cascade, &Picture::black(size(192, height)), &[0]).len(), 1);
            assert!(sources(&cascade, 3).len() <= 6);
        }
        assert_eq!(made(&mut cascade, &source, &[]), []);
    }

    #[test]
    fn a_size_that_is_held_elsewhere_stops_its_own_rungs_alone() {
        let (hd, low) = (size(128, 72), size(64, 36));
        let source = Picture::black(size(192, 108));
        let mut cascade = Cascade::new(&[hd, low], 1);
        let mut held = None;
        cascade.make(source.view(), |rung| rung == 0, |_, made| held = Some(made));
        assert_eq!(
            made(&mut cascade, &source, &[0, 1]),
            [(0, Kind::Behind), (1, Kind::Scaled(low))]
        );
        drop(held);
        assert_eq!(made(&mut cascade, &source, &[0])[0], (0, Kind::Scaled(hd)));
    }

    #[test]
    fn a_wider_rung_is_not_made_from_a_narrower_one() {
        let source = Picture::black(size(192, 108));
        let (tall, wide) = (size(100, 100), size(190, 20));
        let mut cascade = Cascade::new(&[tall, wide], 1);
        made(&mut cascade, &source, &[0, 1]);
        assert_eq!(cascade.steps[1].scalers[0].source(), source.size());
    }
}
