//! Which sockets of a shard can be read or written: one epoll set per shard, edge-triggered.
//!
//! ```text
//! sockets ─▶ epoll set ─▶ one poll on the ring ─▶ watching task ─▶ wakers
//! ```
//!
//! A poll per socket and request on the ring costs more than the request: each is submitted, found
//! again, completed, and interrupts the thread that it completes on. A set is told of a socket once
//! in its life and hands over what is ready in batches; the ring watches the set, and only while
//! there is nothing to do.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::{Rc, Weak};
use std::task::{Context, Waker};
use std::time::Duration;

use futures_lite::future::yield_now;
use futures_lite::io::AsyncReadExt as _;
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

/// A socket's place in the set of its shard. Drop it together with the socket: closing takes that
/// out of the set. While a second handle keeps it open its news go to whoever has the place next,
/// who then tries in vain, once; [`Readiness::leave`] the set before.
#[derive(Debug)]
pub(super) struct Readiness {
    set: Rc<Set>,
    place: usize,
}

/// Reading or writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Read,
    Write,
}

#[derive(Debug)]
struct Set {
    epoll: OwnedFd,
    places: RefCell<Places>,
}

/// Left places are taken again.
#[derive(Debug, Default)]
struct Places {
    entries: Vec<Entry>,
    free: Vec<usize>,
}

#[derive(Debug, Default)]
struct Entry {
    read: SideState,
    write: SideState,
    /// The peer has ended its side, or all is over: no further edge will tell of it.
    is_ended: bool,
}

#[derive(Debug, Default)]
struct SideState {
    is_ready: bool,
    waker: Option<Waker>,
}

thread_local! {
    static SET: RefCell<Weak<Set>> = const { RefCell::new(Weak::new()) };
}

/// Sockets heard of by one system call.
const EVENTS_MAX: usize = 256;
/// Pause between two looks at the set while the ring cannot watch it, for want of a descriptor.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);
/// For a look that does not wait.
const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

impl Readiness {
    /// Enters a socket. Both sides count as ready until they are found not to be. The
    /// first of a shard starts the watching task in the task queue that it is called from.
    pub(super) fn of(socket: impl AsFd) -> io::Result<Self> {
        let set = Set::of_this_shard()?;
        let place = set.places.borrow_mut().take();
        let readiness = Self { set, place };
        readiness.enter(socket)?;
        Ok(readiness)
    }

    fn enter(&self, socket: impl AsFd) -> io::Result<()> {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        epoll::add(&self.set.epoll, socket, EventData::new_u64(self.place as u64), flags)?;
        Ok(())
    }

    /// Nothing is heard of the socket until it [returns](Self::come_back): somebody else reads it.
    pub(super) fn leave(&self, socket: impl AsFd) -> io::Result<()> {
        Ok(epoll::delete(&self.set.epoll, socket)?)
    }

    /// Enters the socket again, if it has left. Both sides count as ready, as at first.
    pub(super) fn come_back(&self, socket: impl AsFd) -> io::Result<()> {
        match self.enter(socket) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => {}
        }
        for side in [Side::Read, Side::Write] {
            self.with(side, |state, _| state.is_ready = true);
        }
        Ok(())
    }

    /// Whether the side is worth a try. If not, the task is woken when it is.
    pub(super) fn is_ready(&self, side: Side, cx: &Context<'_>) -> bool {
        self.with(side, |state, _| {
            if !state.is_ready
                && !state.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()))
            {
                state.waker = Some(cx.waker().clone());
            }
            state.is_ready
        })
    }

    /// The system call said that it would have to wait.
    pub(super) fn set_blocked(&self, side: Side) {
        self.with(side, |state, _| state.is_ready = false);
    }

    /// A read took less than it could: all that has come is taken. epoll(7) allows to skip the call
    /// that would only say so; the end of the input has no edge of its own if it came before.
    pub(super) fn set_drained(&self) {
        self.with(Side::Read, |state, is_ended| state.is_ready = is_ended);
    }

    fn with<T: Default>(&self, side: Side, f: impl FnOnce(&mut SideState, bool) -> T) -> T {
        let mut places = self.set.places.borrow_mut();
        let Some(Entry { read, write, is_ended }) = places.entries.get_mut(self.place) else {
            return T::default();
        };
        f(if side == Side::Read { read } else { write }, *is_ended)
    }
}

impl Drop for Readiness {
    fn drop(&mut self) {
        self.set.places.borrow_mut().leave(self.place);
    }
}

impl Places {
    fn take(&mut self) -> usize {
        let place = self.free.pop().unwrap_or_else(|| {
            self.entries.push(Entry::default());
            self.entries.len() - 1
        });
        if let Some(entry) = self.entries.get_mut(place) {
            entry.read.is_ready = true;
            entry.write.is_ready = true;
        }
        place
    }

    fn leave(&mut self, place: usize) {
        if let Some(entry) = self.entries.get_mut(place) {
            *entry = Entry::default();
            self.free.push(place);
        }
    }
}

impl Set {
    fn of_this_shard() -> io::Result<Rc<Self>> {
        SET.with_borrow_mut(|known| {
            if let Some(set) = known.upgrade() {
                return Ok(set);
            }
            let epoll = epoll::create(CreateFlags::CLOEXEC)?;
            let set = Rc::new(Self { epoll, places: RefCell::default() });
            *known = Rc::downgrade(&set);
            glommio::spawn_local(Self::watch(Rc::clone(&set))).detach();
            Ok(set)
        })
    }

    /// Wakes whom the set names, for as long as the executor lives.
    async fn watch(self: Rc<Self>) {
        let mut events: Vec<Event> = Vec::with_capacity(EVENTS_MAX);
        loop {
            // The only error without a bug here is a signal: look again.
            let _ = epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&AT_ONCE));
            if events.is_empty() {
                if self.wait().await.is_err() {
                    glommio::timer::sleep(LOOK_INTERVAL).await;
                }
                continue;
            }
            for event in events.drain(..) {
                self.note(event);
            }
            // While those tasks run more sockets get ready: the next look is cheaper than a wait.
            yield_now().await;
        }
    }

    /// Waits on the ring until the set has something to tell. glommio offers this for its own
    /// streams alone. A stream polls its descriptor from its making on and reads only after that,
    /// so the set goes as one: the read that then fails, on what is no socket, is the news.
    async fn wait(&self) -> io::Result<()> {
        let descriptor = std::net::TcpStream::from(self.epoll.try_clone()?);
        let mut stream = glommio::net::TcpStream::from(socket2::Socket::from(descriptor));
        let _ = stream.read(&mut [0]).await;
        Ok(())
    }

    fn note(&self, event: Event) {
        // Copied out: the kernel's layout of an event is packed.
        let (flags, data) = (event.flags, event.data);
        let mut places = self.places.borrow_mut();
        let place = usize::try_from(data.u64()).unwrap_or(usize::MAX);
        let Some(entry) = places.entries.get_mut(place) else { return };
        let failed = EventFlags::ERR | EventFlags::HUP;
        entry.is_ended |= flags.intersects(failed | EventFlags::RDHUP);
        let wakers = [
            (&mut entry.read, EventFlags::IN | EventFlags::RDHUP | failed),
            (&mut entry.write, EventFlags::OUT | failed),
        ]
        .map(|(side, wanted)| {
            let is_news = flags.intersects(wanted);
            side.is_ready |= is_news;
            side.waker.take_if(|_| is_news)
        });
        drop(places);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Future, poll_fn};
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    use std::task::Poll;

    use super::*;

    fn on_an_executor(test: impl Future<Output = ()>) {
        glommio::LocalExecutorBuilder::default().make().unwrap().run(test);
    }

    fn pair() -> (UnixStream, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        (ours, theirs)
    }

    async fn ready(readiness: &Readiness, side: Side) {
        let is_ready = |cx: &Context<'_>| readiness.is_ready(side, cx);
        poll_fn(|cx| if is_ready(cx) { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    fn is_ready(readiness: &Readiness, side: Side) -> bool {
        readiness.is_ready(side, &Context::from_waker(Waker::noop()))
    }

    #[test]
    fn news_wakes_and_an_end_that_came_with_the_last_bytes_is_not_forgotten() {
        on_an_executor(async {
            let (mut ours, mut theirs) = pair();
            let readiness = Readiness::of(&ours).unwrap();
            assert!(is_ready(&readiness, Side::Read) && is_ready(&readiness, Side::Write));
            let mut buffer = [0; 8];
            for _ in 0..3 {
                readiness.set_blocked(Side::Read);
                theirs.write_all(b"x").unwrap();
                ready(&readiness, Side::Read).await;
                assert_eq!(ours.read(&mut buffer).unwrap(), 1);
            }
            readiness.set_drained();
            theirs.write_all(b"last").unwrap();
            drop(theirs);
            loop {
                ready(&readiness, Side::Read).await;
                readiness.set_drained();
                if is_ready(&readiness, Side::Read) {
                    break;
                }
            }
            assert_eq!(ours.read(&mut buffer).unwrap(), 4);
            assert_eq!(ours.read(&mut buffer).unwrap(), 0);
        });
    }

    #[test]
    fn a_socket_that_left_is_not_heard_of_until_it_comes_back() {
        on_an_executor(async {
            let (mut ours, mut theirs) = pair();
            let (mut other, mut speaker) = pair();
            let [left, stays] = [&ours, &other].map(|socket| Readiness::of(socket).unwrap());
            left.set_blocked(Side::Read);
            stays.set_blocked(Side::Read);
            left.leave(&ours).unwrap();
            theirs.write_all(b"x").unwrap();
            speaker.write_all(b"y").unwrap();
            ready(&stays, Side::Read).await;
            assert!(!is_ready(&left, Side::Read), "both had news before the look");
            let mut buffer = [0; 8];
            assert_eq!(other.read(&mut buffer).unwrap(), 1);
            left.come_back(&ours).unwrap();
            ready(&left, Side::Read).await;
            assert_eq!(ours.read(&mut buffer).unwrap(), 1);
            left.set_blocked(Side::Read);
            theirs.write_all(b"z").unwrap();
            ready(&left, Side::Read).await;
            assert_eq!(ours.read(&mut buffer).unwrap(), 1);
        });
    }

    #[test]
    fn a_full_socket_gets_ready_when_it_is_read() {
        on_an_executor(async {
            let (mut ours, mut theirs) = pair();
            let readiness = Readiness::of(&ours).unwrap();
            while ours.write(&[7; 4_096]).is_ok() {}
            readiness.set_blocked(Side::Write);
            assert!(!is_ready(&readiness, Side::Write));
            theirs.set_nonblocking(true).unwrap();
            while theirs.read(&mut [0; 65_536]).is_ok() {}
            ready(&readiness, Side::Write).await;
            assert!(ours.write(b"x").is_ok());
        });
    }

    #[test]
    fn left_places_are_taken_again() {
        on_an_executor(async {
            let sockets: Vec<_> = (0..3).map(|_| pair()).collect();
            for _ in 0..5 {
                let entered: Vec<_> =
                    sockets.iter().map(|(ours, _)| Readiness::of(ours).unwrap()).collect();
                assert_eq!(entered[0].set.places.borrow().entries.len(), 3);
                for (ours, _) in &sockets {
                    // Left by closing elsewhere; here the sockets live on.
                    epoll::delete(&entered[0].set.epoll, ours).unwrap();
                }
            }
        });
    }
}
