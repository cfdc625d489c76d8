//! Awaiting on a plain thread, with a deadline: what an executor's timer is to a shard.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

/// Waits for `future` as long as it takes.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    futures_lite::future::block_on(future)
}

/// Waits for `future` until `deadline`.
pub(crate) fn block_on_until<T>(deadline: Instant, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return Some(value);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        // A wake-up between the poll and here makes it return at once.
        thread::park_timeout(left);
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_comes_in_time_is_given_and_else_the_deadline_holds() {
        let (sender, receiver) = async_channel::bounded(1);
        let sending = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            sender.send_blocking(5).unwrap();
            sender
        });
        let far = Instant::now() + Duration::from_secs(20);
        assert_eq!(block_on_until(far, receiver.recv()), Some(Ok(5)));
        let _open = sending.join().unwrap();
        let soon = Instant::now() + Duration::from_millis(20);
        assert_eq!(block_on_until(soon, receiver.recv()), None);
        assert!(Instant::now() >= soon);
    }
}
