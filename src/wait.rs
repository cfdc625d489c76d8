//! Requests that wait for a part: blocked playlist reloads and hinted parts (LL-10, LL-11).
//!
//! Waiters for the same place form a round. A new part ends the rounds up to it and looks at nobody
//! else; a waiter looks at its round and searches nothing. One that is dropped (its client left)
//! frees its place.

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
    /// Only rounds that somebody waits in. There are few: a playlist names how far ahead one may
    /// ask.
    rounds: RefCell<BTreeMap<Place, Rc<Round>>>,
    /// Waiters of all these rounds.
    waiting: Cell<usize>,
}

/// Those who wait for one place.
#[derive(Default)]
struct Round {
    is_over: Cell<bool>,
    seats: RefCell<Seats>,
}

/// Wakers by seat. Left seats are taken again.
#[derive(Default)]
struct Seats {
    wakers: Vec<Option<Waker>>,
    free: Vec<usize>,
}

/// The waiters of one rendition on one shard.
#[derive(Clone, Default)]
pub struct Waiters(Rc<List>);

impl Waiters {
    /// A future that is ready once [`Self::release`] has reached `place`, or `None` when too many
    /// wait already.
    pub fn wait(&self, place: Place) -> Option<Wait> {
        if self.len() >= WAITERS_MAX {
            return None;
        }
        self.0.waiting.set(self.len() + 1);
        let round = Rc::clone(self.0.rounds.borrow_mut().entry(place).or_default());
        let seat = round.seats.borrow_mut().take();
        Some(Wait { list: Rc::clone(&self.0), round, place, seat })
    }

    /// Wakes everyone who waits for `reached` or something before it; how many.
    pub fn release(&self, reached: Place) -> usize {
        let mut count = 0;
        loop {
            let mut rounds = self.0.rounds.borrow_mut();
            let Some(first) = rounds.first_entry().filter(|first| *first.key() <= reached) else {
                return count;
            };
            let round = first.remove();
            drop(rounds);
            round.is_over.set(true);
            let seats = round.seats.take();
            count += seats.taken();
            self.0.waiting.set(self.len() - seats.taken());
            for waker in seats.wakers.into_iter().flatten() {
                waker.wake();
            }
        }
    }

    /// Wakes everyone: the broadcast ended or another began.
    pub fn release_all(&self) {
        let _ = self.release(Place { msn: u64::MAX, part: u32::MAX });
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.0.waiting.get()
    }

    /// Nobody waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Seats {
    fn take(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.wakers.push(None);
            self.wakers.len() - 1
        })
    }

    fn leave(&mut self, seat: usize) {
        if let Some(waker) = self.wakers.get_mut(seat) {
            *waker = None;
            self.free.push(seat);
        }
    }

    const fn taken(&self) -> usize {
        self.wakers.len() - self.free.len()
    }
}

/// See [`Waiters::wait`].
pub struct Wait {
    list: Rc<List>,
    round: Rc<Round>,
    place: Place,
    seat: usize,
}

impl Future for Wait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.round.is_over.get() {
            return Poll::Ready(());
        }
        if let Some(waker) = self.round.seats.borrow_mut().wakers.get_mut(self.seat)
            && !waker.as_ref().is_some_and(|known| known.will_wake(context.waker()))
        {
            *waker = Some(context.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if self.round.is_over.get() {
            return;
        }
        let mut seats = self.round.seats.borrow_mut();
        seats.leave(self.seat);
        self.list.waiting.set(self.list.waiting.get() - 1);
        if seats.taken() == 0 {
            self.list.rounds.borrow_mut().remove(&self.place);
        }
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
        assert!(waiters.is_empty() && waiters.0.rounds.borrow().is_empty());
    }

    #[test]
    fn a_left_seat_is_taken_again_and_the_count_stays_right() {
        let waiters = Waiters::default();
        let place = Place { msn: 1, part: 0 };
        let first = waiters.wait(place).unwrap();
        let mut second = pin!(waiters.wait(place).unwrap());
        drop(first);
        let mut third = pin!(waiters.wait(place).unwrap());
        assert!(!ready(&mut second) && !ready(&mut third));
        assert_eq!(waiters.0.rounds.borrow()[&place].seats.borrow().wakers.len(), 2);
        assert_eq!(waiters.len(), 2);
        assert_eq!(waiters.release(place), 2);
        assert!(waiters.is_empty() && ready(&mut second) && ready(&mut third));
        // One who comes to the same place later begins another round.
        let mut late = pin!(waiters.wait(place).unwrap());
        assert!(!ready(&mut late) && waiters.len() == 1);
    }
}
