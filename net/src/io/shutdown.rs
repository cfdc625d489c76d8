//! Stopping a shard politely: [`StopToken`] tells its tasks, [`Gate`] waits until they are gone.
//!
//! Both belong to one shard. The process stops by sending each shard a message, whose receiver
//! calls [`StopToken::stop`] and then awaits [`Gate::drained`] to a deadline (F36).

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::deadline::DeadlineTimer;

/// Says to every task that holds a clone: finish what you are doing and end. Cannot be taken back.
#[derive(Clone, Debug, Default)]
pub struct StopToken {
    state: Rc<StopState>,
}

#[derive(Debug, Default)]
struct StopState {
    is_stopped: Cell<bool>,
    waiters: RefCell<Waiters>,
}

/// Wakers of waiting tasks. Slots are used again, so that the table is as long as the largest
/// number of tasks that ever waited at once.
#[derive(Debug, Default)]
struct Waiters {
    slots: Vec<Option<Waker>>,
    free: Vec<usize>,
}

impl StopToken {
    /// A token that has not been used.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells all holders, now and later.
    pub fn stop(&self) {
        self.state.is_stopped.set(true);
        let slots = std::mem::take(&mut self.state.waiters.borrow_mut().slots);
        for waker in slots.into_iter().flatten() {
            waker.wake();
        }
    }

    /// Whether it has been told.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.state.is_stopped.get()
    }

    /// Waits for it. One such future serves a task for its whole life.
    #[must_use]
    pub fn stopped(&self) -> Stopped {
        Stopped { state: self.state.clone(), slot: None }
    }
}

/// Future of [`StopToken::stopped`]; ready again and again once stopped.
#[derive(Debug)]
pub struct Stopped {
    state: Rc<StopState>,
    slot: Option<usize>,
}

impl Future for Stopped {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.state.is_stopped.get() {
            return Poll::Ready(());
        }
        let state = self.state.clone();
        let waiters = &mut *state.waiters.borrow_mut();
        let slot = *self.slot.get_or_insert_with(|| {
            waiters.free.pop().unwrap_or_else(|| {
                waiters.slots.push(None);
                waiters.slots.len() - 1
            })
        });
        if let Some(waiting) = waiters.slots.get_mut(slot)
            && !waiting.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()))
        {
            *waiting = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let Some(slot) = self.slot else { return };
        let waiters = &mut *self.state.waiters.borrow_mut();
        if let Some(waiting) = waiters.slots.get_mut(slot) {
            *waiting = None;
            waiters.free.push(slot);
        }
    }
}

/// Counts the tasks of a shard, so that its end can wait for theirs.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    state: Rc<GateState>,
}

#[derive(Debug, Default)]
struct GateState {
    inside: Cell<usize>,
    waiter: RefCell<Option<Waker>>,
}

impl Gate {
    /// A gate with nobody inside.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one task until the pass is dropped.
    #[must_use]
    pub fn enter(&self) -> Pass {
        self.state.inside.set(self.state.inside.get() + 1);
        Pass { state: self.state.clone() }
    }

    /// Tasks inside.
    #[must_use]
    pub fn inside(&self) -> usize {
        self.state.inside.get()
    }

    /// Waits until nobody is inside, or until `deadline`; how many are left. One waiter at a time.
    pub async fn drained(&self, deadline: Instant) -> usize {
        let mut timer = DeadlineTimer::default();
        poll_fn(|cx| {
            if self.inside() == 0 {
                return Poll::Ready(());
            }
            self.state.waiter.replace(Some(cx.waker().clone()));
            timer.poll(cx, deadline)
        })
        .await;
        self.inside()
    }
}

/// One task's presence behind a [`Gate`].
#[derive(Debug)]
pub struct Pass {
    state: Rc<GateState>,
}

impl Drop for Pass {
    fn drop(&mut self) {
        let left = self.state.inside.get().saturating_sub(1);
        self.state.inside.set(left);
        if left == 0
            && let Some(waiter) = self.state.waiter.take()
        {
            waiter.wake();
        }
    }
}
