//! One lazy timer per connection.
//!
//! Deadlines move with every request, mostly to later. The timer is armed once and left alone
//! while it fires no later than needed; when it fires early the poll arms it again. A busy
//! connection so touches the timer wheel about once per idle time instead of twice per request.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use glommio::timer::Timer;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct DeadlineTimer {
    armed: Option<Armed>,
}

#[derive(Debug)]
struct Armed {
    timer: Timer,
    fires: Instant,
    waker: Waker,
}

impl DeadlineTimer {
    /// Ready once `deadline` has passed; otherwise the task is woken at it or earlier.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let now = Instant::now();
        if deadline <= now {
            return Poll::Ready(());
        }
        match &mut self.armed {
            Some(armed)
                if armed.fires > now
                    && armed.fires <= deadline
                    && armed.waker.will_wake(cx.waker()) => {}
            Some(armed) => {
                armed.timer.reset(deadline - now);
                armed.fires = deadline;
                armed.waker.clone_from(cx.waker());
                return Pin::new(&mut armed.timer).poll(cx).map(|_| ());
            }
            None => {
                let timer = Timer::new(deadline - now);
                let waker = cx.waker().clone();
                let armed = self.armed.insert(Armed { timer, fires: deadline, waker });
                return Pin::new(&mut armed.timer).poll(cx).map(|_| ());
            }
        }
        Poll::Pending
    }
}
