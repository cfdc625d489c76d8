//! Pictures that are used again when nobody looks at them any more.
//!
//! The pool keeps a reference to each of its pictures. One that has no other is free: nothing has
//! to be given back, no lock is taken, and the last reader may sit on any thread.

use std::sync::Arc;

use crate::codec::{Picture, PictureSize};

/// A bounded set of pictures of one size.
#[derive(Debug)]
pub struct PicturePool {
    size: PictureSize,
    pictures_max: usize,
    pictures: Vec<Arc<Picture>>,
}

impl PicturePool {
    /// A pool that will make at most `pictures_max` pictures, each when it is first needed.
    pub const fn new(size: PictureSize, pictures_max: usize) -> Self {
        Self { size, pictures_max, pictures: Vec::new() }
    }

    /// A free picture, filled by `draw`; it holds an older one until then. `None`, and `draw` is
    /// not called, while all of them are in use: their readers are behind.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Picture)) -> Option<Arc<Picture>> {
        let free = self.pictures.iter_mut().position(|picture| Arc::get_mut(picture).is_some());
        let free = match free {
            Some(free) => free,
            None if self.pictures.len() < self.pictures_max => {
                self.pictures.push(Arc::new(Picture::black(self.size)));
                self.pictures.len() - 1
            }
            None => return None,
        };
        let picture = self.pictures.get_mut(free)?;
        draw(Arc::get_mut(picture)?);
        Some(Arc::clone(picture))
    }

    /// Size of its pictures.
    pub const fn size(&self) -> PictureSize {
        self.size
    }

    /// Pictures made so far, in use or not.
    pub const fn len(&self) -> usize {
        self.pictures.len()
    }

    /// None was made yet.
    pub const fn is_empty(&self) -> bool {
        self.pictures.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_comes_back_with_its_last_reader() {
        let mut pool = PicturePool::new(PictureSize::new(32, 16).unwrap(), 2);
        assert!(pool.is_empty());
        let first = pool.draw(|picture| picture.planes_mut()[0].row_mut(0).fill(1)).unwrap();
        let reader = Arc::clone(&first);
        let second = pool.draw(|picture| picture.planes_mut()[0].row_mut(0).fill(2)).unwrap();
        assert!(pool.draw(|_| panic!("none is free")).is_none());
        drop(first);
        assert!(pool.draw(|_| panic!("one reader is left")).is_none());
        assert_eq!((reader.luma().row(0)[0], second.luma().row(0)[0]), (1, 2));
        let place = Arc::as_ptr(&reader);
        std::thread::scope(|scope| drop(scope.spawn(move || drop(reader))));
        let third = pool.draw(|_| ()).unwrap();
        assert_eq!(Arc::as_ptr(&third), place);
        assert_eq!((third.luma().row(0)[0], pool.len()), (1, 2));
    }

    #[test]
    fn a_steady_state_makes_no_picture() {
        let mut pool = PicturePool::new(PictureSize::new(32, 16).unwrap(), 8);
        let mut behind = std::collections::VecDeque::new();
        for turn in 0..1_000 {
            behind.push_back(pool.draw(|_| ()).unwrap());
            if behind.len() > 2 {
                behind.pop_front();
            }
            assert!(pool.len() <= 3, "at picture {turn}");
        }
    }
}
