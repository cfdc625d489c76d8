//! The drive loop of one HTTP/1.1 connection: socket to [`Session`], requests to a [`Handler`].
//!
//! ```text
//! read ─▶ Session::handle_input ─▶ poll_request ─▶ Handler::handle ─▶ respond ─▶ one vectored send
//! ```
//!
//! While a handler waits (a blocked playlist reload) the loop keeps reading: a viewer who leaves
//! ends the handler at once, and pipelined requests gather up to the session's cap.
//!
//! Plain reads take a short way that allocates nothing: they are answered out of the read buffer,
//! by one call and one send, or leave a [`Waiting`] behind.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io::IoSlice;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use futures_lite::FutureExt as _;
use http::StatusCode;

use super::shutdown::{StopToken, Stopped};
use super::stream::{SLICES_MAX, Stream, WriteError};
use crate::http::date::DateCache;
use crate::http::{Limits, Now, PlainRequest, Prepared, Request, Response, Session};

/// What answers requests on a shard. One value serves all its connections.
pub trait Handler: 'static {
    /// Answers one request. The future is dropped when the peer leaves or the shard ends, so it
    /// must hold nothing that needs an orderly end across an await. A panic inside is answered with
    /// 500 and ends this connection only.
    fn handle(&self, peer: SocketAddr, request: Request) -> impl Future<Output = Response>;

    /// Answers a plain read by the short way, or leaves it to [`handle`](Self::handle), which must
    /// be able to answer the same. A panic inside is treated in the same way.
    fn handle_plain(&self, peer: SocketAddr, request: &PlainRequest<'_>) -> Option<PlainAnswer> {
        let _ = (peer, request);
        None
    }
}

/// What [`Handler::handle_plain`] says.
pub enum PlainAnswer {
    /// The answer.
    Ready(Prepared),
    /// The answer comes later.
    Later(Box<dyn Waiting>),
}

/// A request that waits for its answer. Dropped when the peer leaves.
pub trait Waiting {
    /// Ready with the answer; otherwise the task is woken when it may be.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<WaitedAnswer>;

    /// When to give up: the same time at every call.
    fn deadline(&self) -> Instant;

    /// The answer when the deadline has passed.
    fn give_up(&self) -> Response;
}

/// What a wait came to.
pub enum WaitedAnswer {
    /// What was waited for.
    Prepared(Prepared),
    /// Something else.
    Whole(Response),
}

/// Serves one connection to its end: the peer closes, a deadline passes, a rule is broken, or
/// `stop` is told (idle connections close at once, others after their answer).
pub async fn serve_http<H: Handler>(
    stream: Stream,
    handler: Rc<H>,
    limits: Rc<Limits>,
    stop: StopToken,
) {
    let session = Session::new(Instant::now(), limits.clone());
    let stopped = stop.stopped();
    let waiting = None;
    let mut connection = Connection { stream, session, limits, stopped, waiting, now: clock() };
    let ended = connection.run(&*handler).await;
    let Connection { stream, session, .. } = connection;
    match ended {
        Ok(()) if session.wants_linger() => stream.close().await,
        Err(Ended::TooSlow | Ended::BodyLost) => stream.reset(),
        Ok(()) | Err(Ended::PeerGone) => {}
    }
}

struct Connection {
    stream: Stream,
    session: Session,
    limits: Rc<Limits>,
    stopped: Stopped,
    /// A plain read whose answer comes later.
    waiting: Option<Box<dyn Waiting>>,
    /// The clocks as of the last time this task was woken: one reading serves all that a wake-up
    /// brings.
    now: Now,
}

/// Why nothing can be said to the peer any more.
enum Ended {
    /// It left, or the network to it failed.
    PeerGone,
    /// It reads too slowly (F22).
    TooSlow,
    /// The rest of a stored body cannot be read. The reset tells the peer that it has not all.
    BodyLost,
}

/// Answers to pipelined requests gather up to this many bytes before they are sent.
const GATHERED_BYTES_MAX: usize = 64 << 10;
/// One read. A head with room to spare; bodies here are small.
const READ_BYTES: usize = 16 << 10;

thread_local! {
    /// Reads land here and are taken over by the session within the same poll, so one buffer
    /// serves all connections of a shard and an idle connection holds none.
    static READ_BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into_boxed_slice());
    static DATE: RefCell<(DateCache, Instant)> =
        RefCell::new((DateCache::new(SystemTime::UNIX_EPOCH), Instant::now()));
}

impl Connection {
    async fn run<H: Handler>(&mut self, handler: &H) -> Result<(), Ended> {
        loop {
            if self.waiting.is_some() {
                self.await_answer(handler).await?;
            } else if self.session.stored_body().is_some() {
                self.send_piece().await?;
            } else if self.session.transmit_bytes() >= GATHERED_BYTES_MAX {
                self.transmit().await?;
            } else if let Some(request) = self.session.poll_request(self.now) {
                let response = self.answer(handler, request).await?;
                self.session.respond(self.now, response);
            } else {
                self.transmit().await?;
                if self.session.is_finished() {
                    return Ok(());
                }
                self.wait(handler).await?;
            }
            // A peer that always has a next request ready must not keep the shard for itself.
            glommio::executor().yield_if_needed().await;
        }
    }

    /// Answers the plain reads at the start of `input` and returns what is left.
    fn answer_plain<'a, H: Handler>(&mut self, handler: &H, mut input: &'a [u8]) -> &'a [u8] {
        while let Some(request) = self.session.plain_request(input) {
            let peer = self.stream.peer_addr();
            let answer = catch_unwind(AssertUnwindSafe(|| handler.handle_plain(peer, &request)));
            let Some(answer) = answer.transpose() else { break };
            self.session.accept_plain(&request);
            input = input.get(request.byte_len()..).unwrap_or(&[]);
            match answer {
                Ok(PlainAnswer::Ready(prepared)) => self.send_prepared(&prepared),
                Ok(PlainAnswer::Later(waiting)) => self.waiting = Some(waiting),
                Err(_) => self.session.respond(self.now, after_panic()),
            }
        }
        input
    }

    /// Head and body in one send without going through the queue; what the kernel does not take
    /// waits in it.
    fn send_prepared(&mut self, prepared: &Prepared) {
        let stream = &self.stream;
        self.session.respond_prepared(self.now, prepared, |slices| stream.try_write(slices));
    }

    /// Waits for the answer of a plain read, watching the peer.
    async fn await_answer<H: Handler>(&mut self, handler: &H) -> Result<(), Ended> {
        // Earlier answers must not wait with it.
        self.transmit().await?;
        poll_fn(|cx| {
            let Some(waiting) = &mut self.waiting else { return Poll::Ready(Ok(())) };
            let polled = catch_unwind(AssertUnwindSafe(|| waiting.poll(cx)));
            let deadline = waiting.deadline();
            let answer = match polled {
                Ok(Poll::Ready(answer)) => answer,
                Ok(Poll::Pending) => {
                    self.poll_stopped(cx);
                    if let Poll::Ready(ended) = self.poll_gather(cx, handler) {
                        return Poll::Ready(Err(ended));
                    }
                    if self.stream.poll_deadline(cx, deadline).is_pending() {
                        return Poll::Pending;
                    }
                    let Some(waiting) = &self.waiting else { return Poll::Ready(Ok(())) };
                    WaitedAnswer::Whole(waiting.give_up())
                }
                Err(_) => WaitedAnswer::Whole(after_panic()),
            };
            self.now = clock();
            self.waiting = None;
            match answer {
                WaitedAnswer::Prepared(prepared) => self.send_prepared(&prepared),
                WaitedAnswer::Whole(response) => self.session.respond(self.now, response),
            }
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// Reads what comes while a request is being answered, up to the session's cap. Ready when the
    /// peer has left.
    fn poll_gather<H: Handler>(&mut self, cx: &mut Context<'_>, handler: &H) -> Poll<Ended> {
        while self.session.wants_input() {
            match self.poll_read(cx, handler) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Ended::PeerGone),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(ended)) => return Poll::Ready(ended),
                Poll::Pending => break,
            }
        }
        Poll::Pending
    }

    /// Runs the handler, watching the peer. Boxed, because a connection is idle most of its life
    /// and would otherwise carry room for the largest handler all along.
    async fn answer<H: Handler>(
        &mut self,
        handler: &H,
        request: Request,
    ) -> Result<Response, Ended> {
        let handling = handler.handle(self.stream.peer_addr(), request);
        let mut handling = Box::pin(AssertUnwindSafe(handling).catch_unwind());
        if let Some(answer) = futures_lite::future::poll_once(handling.as_mut()).await {
            return Ok(answer.unwrap_or_else(|_| after_panic()));
        }
        // The handler waits: earlier answers must not wait with it.
        self.transmit().await?;
        poll_fn(|cx| {
            if let Poll::Ready(answer) = handling.as_mut().poll(cx) {
                self.now = clock();
                return Poll::Ready(Ok(answer.unwrap_or_else(|_| after_panic())));
            }
            self.poll_stopped(cx);
            self.poll_gather(cx, handler).map(Err)
        })
        .await
    }

    /// Reads the next piece of a stored body once the peer has taken what came before it.
    async fn send_piece(&mut self) -> Result<(), Ended> {
        self.now = clock();
        self.transmit().await?;
        let Some(stored) = self.session.stored_body() else { return Ok(()) };
        match stored.read().await {
            Ok(piece) if !piece.is_empty() => {
                self.now = clock();
                self.session.handle_piece(self.now.instant, piece);
                Ok(())
            }
            Ok(_) | Err(_) => Err(Ended::BodyLost),
        }
    }

    /// Waits for input, the session's deadline or the stop. Returns at once when the session has
    /// nothing to wait for.
    async fn wait<H: Handler>(&mut self, handler: &H) -> Result<(), Ended> {
        poll_fn(|cx| {
            self.poll_stopped(cx);
            if self.session.is_finished() || !self.session.wants_input() {
                return Poll::Ready(Ok(()));
            }
            match self.poll_read(cx, handler) {
                Poll::Ready(Ok(0)) => {
                    self.session.handle_end_of_input();
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(result) => return Poll::Ready(result.map(|_| ())),
                Poll::Pending => {}
            }
            let Some(deadline) = self.session.deadline() else { return Poll::Pending };
            if self.stream.poll_deadline(cx, deadline).is_ready() {
                self.now = clock();
                self.session.handle_timeout(self.now);
                return Poll::Ready(Ok(()));
            }
            Poll::Pending
        })
        .await
    }

    /// Writes everything queued, head and body in one call, by a deadline that grows with its
    /// length (F22).
    async fn transmit(&mut self) -> Result<(), Ended> {
        let bytes = self.session.transmit_bytes();
        if bytes == 0 {
            return Ok(());
        }
        let deadline = self.now.instant + self.limits.write_timeout(bytes);
        while self.session.transmit_bytes() > 0 {
            let written = poll_fn(|cx| self.poll_transmit(cx, deadline)).await;
            self.session.handle_transmitted(written.map_err(|error| match error {
                WriteError::Io(_) => Ended::PeerGone,
                WriteError::TooSlow { .. } => Ended::TooSlow,
            })?);
        }
        Ok(())
    }

    fn poll_transmit(
        &mut self,
        cx: &mut Context<'_>,
        deadline: Instant,
    ) -> Poll<Result<usize, WriteError>> {
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let filled = self.session.transmit(&mut slices);
        match self.stream.poll_write(cx, &slices[..filled]) {
            Poll::Ready(written) => Poll::Ready(written.map_err(WriteError::Io)),
            Poll::Pending => {
                let left = self.session.transmit_bytes();
                self.stream.poll_deadline(cx, deadline).map(|()| Err(WriteError::TooSlow { left }))
            }
        }
    }

    /// One read: plain reads are answered, the rest goes to the session. Zero is the end of input.
    fn poll_read<H: Handler>(
        &mut self,
        cx: &mut Context<'_>,
        handler: &H,
    ) -> Poll<Result<usize, Ended>> {
        READ_BUFFER.with_borrow_mut(|buffer| {
            let read = self.stream.poll_read(cx, buffer);
            read.map(|result| {
                let bytes = result.map_err(|_| Ended::PeerGone)?;
                self.now = clock();
                let rest = self.answer_plain(handler, buffer.get(..bytes).unwrap_or(&[]));
                if !rest.is_empty() {
                    self.session.handle_input(self.now.instant, rest);
                }
                Ok(bytes)
            })
        })
    }

    fn poll_stopped(&mut self, cx: &mut Context<'_>) {
        if Pin::new(&mut self.stopped).poll(cx).is_ready() {
            self.session.drain();
        }
    }
}

/// The panic's message went to the panic hook; the peer learns that it was not its fault.
fn after_panic() -> Response {
    Response::text(StatusCode::INTERNAL_SERVER_ERROR, "the server failed on this request")
        .header(http::header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")
        .header(http::header::CACHE_CONTROL, "no-store")
        .closing()
}

/// The wall clock is read once in each of its seconds: between, the monotonic one tells which.
fn clock() -> Now {
    let instant = Instant::now();
    let date = DATE.with_borrow_mut(|(cache, until)| {
        let time = if instant < *until { None } else { Some(SystemTime::now()) };
        if let Some(time) = time {
            let into = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let left = Duration::from_nanos(1_000_000_000 - u64::from(into.subsec_nanos()));
            *until = instant + left;
            cache.at(time)
        } else {
            cache.current()
        }
    });
    Now { instant, date }
}
