//! A fixed number of entries, of which the oldest gives way.

use std::collections::VecDeque;

/// The last `N` entries, oldest first. Its memory is taken at the start and never grows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ring<T, const N: usize>(VecDeque<T>);

impl<T, const N: usize> Default for Ring<T, N> {
    fn default() -> Self {
        Self(VecDeque::with_capacity(N))
    }
}

impl<T, const N: usize> Ring<T, N> {
    /// Takes an entry; the oldest is forgotten if there are `N`.
    pub fn push(&mut self, entry: T) {
        if self.0.len() >= N {
            self.0.pop_front();
        }
        if N > 0 {
            self.0.push_back(entry);
        }
    }

    /// Forgets all; the memory stays.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Entries there are, at most `N`.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The newest entry.
    pub fn newest(&self) -> Option<&T> {
        self.0.back()
    }

    /// All entries, oldest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &T> + DoubleEndedIterator {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_gives_way() {
        let mut ring = Ring::<u32, 3>::default();
        assert!(ring.is_empty() && ring.newest().is_none());
        let capacity = ring.0.capacity();
        for (pushed, expected) in [
            (1, &[1][..]),
            (2, &[1, 2]),
            (3, &[1, 2, 3]),
            (4, &[2, 3, 4]),
            (5, &[3, 4, 5]),
            (6, &[4, 5, 6]),
            (7, &[5, 6, 7]),
        ] {
            ring.push(pushed);
            assert!(ring.iter().eq(expected), "after {pushed}: {ring:?}");
            assert_eq!((ring.newest(), ring.len()), (Some(&pushed), expected.len()));
        }
        ring.clear();
        assert!(ring.is_empty());
        assert_eq!(ring.0.capacity(), capacity, "it never grows");
    }

    #[test]
    fn a_ring_without_room_stays_empty() {
        let mut ring = Ring::<u32, 0>::default();
        ring.push(1);
        assert!(ring.is_empty());
    }
}
