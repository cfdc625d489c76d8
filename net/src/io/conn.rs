//! The drive loop of one HTTP/1.1 connection: socket to [`Session`], requests to a [`Handler`].
//!
//! ```text
//! read ─▶ Session::handle_input ─▶ poll_request ─▶ Handler::handle ─▶ respond ─▶ one vectored send
//! ```
//!
//! While a handler waits (a blocked playlist reload) the loop keeps reading: a viewer who leaves
//! ends the handler at once, and pipelined requests gather up to the session's cap.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io::IoSlice;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Instant, SystemTime};

use futures_lite::FutureExt as _;
use http::StatusCode;

use super::shutdown::{StopToken, Stopped};
use super::stream::{SLICES_MAX, Stream, WriteError};
use crate::http::date::DateCache;
use crate::http::{Limits, Now, Request, Response, Session};

/// What answers requests on a shard. One value serves all its connections.
pub trait Handler: 'static {
    /// Answers one request. The future is dropped when the peer leaves or the shard ends, so it
    /// must hold nothing that needs an orderly end across an await. A panic inside is answered with
    /// 500 and ends this connection only.
    fn handle(&self, peer: SocketAddr, request: Request) -> impl Future<Output = Response>;
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
    let mut connection = Connection { stream, session, limits, stopped, now: clock() };
    let ended = connection.run(&*handler).await;
    let Connection { stream, session, .. } = connection;
    match ended {
        Ok(()) if session.wants_linger() => stream.close().await,
        Err(Ended::TooSlow) => stream.reset(),
        Ok(()) | Err(Ended::PeerGone) => {}
    }
}

struct Connection {
    stream: Stream,
    session: Session,
    limits: Rc<Limits>,
    stopped: Stopped,
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
}

/// Answers to pipelined requests gather up to this many bytes before they are sent.
const GATHERED_BYTES_MAX: usize = 64 << 10;
/// One read. A head with room to spare; bodies here are small.
const READ_BYTES: usize = 16 << 10;

thread_local! {
    /// Reads land here and are taken over by the session within the same poll, so one buffer
    /// serves all connections of a shard and an idle connection holds none.
    static READ_BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into_boxed_slice());
    static DATE: RefCell<DateCache> = RefCell::new(DateCache::new(SystemTime::now()));
}

impl Connection {
    async fn run(&mut self, handler: &impl Handler) -> Result<(), Ended> {
        loop {
            if let Some(request) = self.session.poll_request(self.now) {
                let response = self.answer(handler, request).await?;
                self.session.respond(self.now, response);
                if self.session.transmit_bytes() >= GATHERED_BYTES_MAX {
                    self.transmit().await?;
                }
                // A peer that always has a next request ready must not keep the shard for itself.
                glommio::executor().yield_if_needed().await;
                continue;
            }
            self.transmit().await?;
            if self.session.is_finished() {
                return Ok(());
            }
            self.wait().await?;
        }
    }

    /// Runs the handler, watching the peer. Boxed, because a connection is idle most of its life
    /// and would otherwise carry room for the largest handler all along.
    async fn answer(
        &mut self,
        handler: &impl Handler,
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
            while self.session.wants_input() {
                match self.poll_read(cx) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Err(Ended::PeerGone)),
                    Poll::Ready(Err(ended)) => return Poll::Ready(Err(ended)),

                    Poll::Ready(Ok(_)) => {}
                    Poll::Pending => break,
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Waits for input, the session's deadline or the stop. Returns at once when the session has
    /// nothing to wait for.
    async fn wait(&mut self) -> Result<(), Ended> {
        poll_fn(|cx| {
            self.poll_stopped(cx);
            if self.session.is_finished() || !self.session.wants_input() {
                return Poll::Ready(Ok(()));
            }
            match self.poll_read(cx) {
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

    /// One read into the session; zero is the end of input.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Ended>> {
        READ_BUFFER.with_borrow_mut(|buffer| {
            let read = self.stream.poll_read(cx, buffer);
            read.map(|result| {
                let bytes = result.map_err(|_| Ended::PeerGone)?;
                self.now = clock();
                self.session.handle_input(self.now.instant, buffer.get(..bytes).unwrap_or(&[]));
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

fn clock() -> Now {
    let date = DATE.with_borrow_mut(|cache| cache.at(SystemTime::now()));
    Now { instant: Instant::now(), date }
}
