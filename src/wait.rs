//! Requests that wait for a part: blocked playlist reloads and hinted parts (LL-10, LL-11).
//!
//! Waiters are kept in the order of what they wait for, so a new part releases the front of the
//! list and looks at nobody else. A waiter that is dropped (its client left) frees its place.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Most requests that wait on one shard (LL-11). Beyond it new ones get 503 at once.
pub const WAITERS_MAX: usize = 65_536;

/// A place in a playlist: media sequence number and part; a whole segment is its last place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// Media sequence number.
    pub msn: u64,
    /// Part index; [`u32::MAX`] stands for the complete segment.
    pub part: u32,
}

impl Place {
    /// Before every part of every broadcast.
    pub const BEGINNING: Self = Self { msn: 0, part: 0 };
}

#[derive(Default)]
struct List {
    waiting: RefCell<BTreeMap<(Place, u64), Option<Waker>>>,
    arrivals: Cell<u64>,
}

/// The waiters of one rendition on one shard.
#[derive(Clone, Default)]
pub struct Waiters(Rc<List>);

impl Waiters {
    /// A future that is ready once [`Self::release`] has reached `place`, or `None` when too many
    /// wait already.
    pub fn wait(&self, place: Place) -> Option<Wait> {
        let mut waiting = self.0.waiting.borrow_mut();
        if waiting.len() >= WAITERS_MAX {
            return None;
        }
        let arrival = self.0.arrivals.get();
        self.0.arrivals.set(arrival + 1);
        waiting.insert((place, arrival), None);
        Some(Wait { list: Rc::clone(&self.0), entry: (place, arrival) })
    }

    /// Wakes everyone who waits for `reached` or something before it; how many.
    pub fn release(&self, reached: Place) -> usize {
        let mut waiting = self.0.waiting.borrow_mut();
        let later = waiting.split_off(&(reached, u64::MAX));
        let released = std::mem::replace(&mut *waiting, later);
        drop(waiting);
        let count = released.len();
        for waker in released.into_values().flatten() {
            waker.wake();
        }
        count
    }

    /// Wakes everyone: the broadcast ended or another began.
    pub fn release_all(&self) {
        let _ = self.release(Place { msn: u64::MAX, part: u32::MAX });
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.0.waiting.borrow().len()
    }

    /// Nobody waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// See [`Waiters::wait`].
pub struct Wait {
    list: Rc<List>,
    entry: (Place, u64),
}

impl Future for Wait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        match self.list.waiting.borrow_mut().get_mut(&self.entry) {
            None => Poll::Ready(()),
            Some(waker) => {
                if !waker.as_ref().is_some_and(|known| known.will_wake(context.waker())) {
                    *waker = Some(context.waker().clone());
                }
                Poll::Pending
            }
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.list.waiting.borrow_mut().remove(&self.entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;

    fn ready(wait: &mut Pin<&mut Wait>) -> bool {
        wait.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn a_part_releases_those_it_reaches() {
        let waiters = Waiters::default();
        let place = |msn, part| Place { msn, part };
        let mut early = pin!(waiters.wait(place(5, 1)).unwrap());
        let mut whole = pin!(waiters.wait(place(5, u32::MAX)).unwrap());
        let mut next = pin!(waiters.wait(place(6, 0)).unwrap());
        assert!(!ready(&mut early));
        assert_eq!(waiters.release(place(5, 3)), 1);
        assert!(ready(&mut early) && !ready(&mut whole) && !ready(&mut next));
        assert_eq!(waiters.release(place(5, u32::MAX)), 1);
        assert!(ready(&mut whole) && !ready(&mut next));
        waiters.release_all();
        assert!(ready(&mut next) && waiters.is_empty());
    }

    #[test]
    fn a_dropped_waiter_frees_its_place() {
        let waiters = Waiters::default();
        let wait = waiters.wait(Place { msn: 1, part: 0 });
        assert_eq!(waiters.len(), 1);
        drop(wait);
        assert!(waiters.is_empty());
    }
}
