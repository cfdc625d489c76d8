//! The accept loop of one shard: count, refuse or spawn.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_lite::FutureExt as _;

use super::admission::{Admission, Refusal};
use super::conn::{Handler, serve_http};
use super::listener::{AcceptError, Listener};
use super::shutdown::{Gate, StopToken};
use super::stream::Stream;
use crate::http::Limits;

/// Refused peers that are being told so at one time; beyond it they are just closed, so that a
/// flood of refused connections costs nothing but the accepts.
const REFUSALS_MAX: usize = 64;
/// A canned reply fits into every socket buffer; a peer that does not take it is dropped.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);

/// Accepts until `stop`, one task per connection in the current task queue, each counted by
/// `gate`. Returns once it accepts no more; then await [`Gate::drained`]. `on_error` hears of
/// failed accepts, at most ten a second.
pub async fn serve_listener<H: Handler>(
    listener: Listener,
    handler: Rc<H>,
    limits: Rc<Limits>,
    admission: Admission,
    stop: StopToken,
    gate: Gate,
    on_error: impl Fn(AcceptError),
) {
    let refusals = Rc::new(Cell::new(0));
    while let Some(accepted) = accept_or_stop(&listener, &stop).await {
        let stream = match accepted {
            Ok(stream) => stream,
            Err(error) => {
                on_error(error);
                continue;
            }
        };
        match admission.admit(stream.peer_addr().ip()) {
            Ok(admitted) => {
                let pass = gate.enter();
                let (handler, limits, stop) = (handler.clone(), limits.clone(), stop.clone());
                glommio::spawn_local(async move {
                    // A panic while this peer's bytes are read is a bug of ours; the runtime's hook
                    // has told it, and it ends this connection only (F37).
                    let serving = serve_http(stream, handler, limits, stop);
                    let _ = AssertUnwindSafe(serving).catch_unwind().await;
                    drop((admitted, pass));
                })
                .detach();
            }
            Err(refusal) if refusals.get() < REFUSALS_MAX => {
                refusals.set(refusals.get() + 1);
                let refusals = refusals.clone();
                glommio::spawn_local(async move {
                    refuse(stream, refusal).await;
                    refusals.set(refusals.get() - 1);
                })
                .detach();
            }
            Err(_) => {}
        }
        glommio::executor().yield_if_needed().await;
    }
}

/// The next connection; `None` once stopped.
async fn accept_or_stop(
    listener: &Listener,
    stop: &StopToken,
) -> Option<Result<Stream, AcceptError>> {
    let mut accepting = pin!(listener.accept());
    let mut stopped = stop.stopped();
    poll_fn(|cx| {
        if Pin::new(&mut stopped).poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        accepting.as_mut().poll(cx).map(Some)
    })
    .await
}

/// Answers before any request is read: 503 or 429 with the reason, and when to try again.
async fn refuse(mut stream: Stream, refusal: Refusal) {
    let sentence = format!("{refusal}\n");
    let status = refusal.status();
    let reply = format!(
        "HTTP/1.1 {} {}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\
         access-control-allow-origin: *\r\ncache-control: no-store\r\nretry-after: 5\r\n\
         connection: close\r\n\r\n{sentence}",
        status.as_str(),
        status.canonical_reason().unwrap_or("Refused"),
        sentence.len(),
    );
    let deadline = Instant::now() + REFUSAL_TIMEOUT;
    if stream.write_all(&[Bytes::from(reply)], deadline).await.is_ok() {
        stream.close().await;
    }
}
