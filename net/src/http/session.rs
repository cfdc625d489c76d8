//! The server side of one HTTP/1.1 connection, without the connection.
//!
//! ```text
//! handle_input ─▶ Head ─▶ Body ─▶ poll_request ─▶ Answering ─▶ respond ─▶ transmit ─▶ Head …
//!                   └────────┴─ broken rule, deadline: error reply ─▶ Closing
//! ```
//!
//! A stored body goes out in pieces: Answering ─▶ respond ─▶ Sending ─▶ handle_piece … ─▶ Head. A
//! plain read skips the first steps: plain_request ─▶ accept_plain ─▶ respond_prepared.
//!
//! One request is out at a time and the next is not parsed before it is answered, so answers keep
//! the order of requests by construction; pipelined bytes wait in a bounded buffer. Any doubt about
//! where a request ends is answered once and closes the connection (RFC 9112 §11.2, T20).

use std::io::IoSlice;
use std::rc::Rc;
use std::time::Instant;

use bytes::{Buf, Bytes, BytesMut};
use http::{Method, StatusCode, Version};

use super::chunked::ChunkedDecoder;
use super::error::RequestError;
use super::head::{self, Framing, Head, HeadScanner};
use super::output::Output;
use super::response::{ConnectionField, has_body};
use super::{Body, HttpDate, Limits, PlainRequest, Prepared, Request, Response, Stored};

/// One reading of both clocks: deadlines go by `instant`, the `Date` field by `date`.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// The monotonic clock.
    pub instant: Instant,
    /// The wall clock's second.
    pub date: HttpDate,
}

/// One connection's HTTP engine. See the module for the path of a request.
#[derive(Debug)]
pub struct Session {
    limits: Rc<Limits>,
    phase: Phase,
    input: BytesMut,
    output: Output,
    requests: u64,
    /// The server is stopping: the next answer is the last.
    draining: bool,
    /// The peer has sent all it will send.
    input_ended: bool,
}

#[derive(Debug)]
enum Phase {
    /// Waiting for a head; `started` once a byte of it is here.
    Head { scanner: HeadScanner, deadline: Instant, started: bool, skipped_empty_line: bool },
    /// Waiting for the body of a parsed head.
    Body { head: Box<Head>, body: BodyReader, deadline: Instant },
    /// The request is with its handler.
    Answering { is_head_method: bool, version: Version, keep_alive: bool },
    /// A stored body is being sent: `rest` of it is still to be read.
    Sending { rest: Stored, keep: bool },
    /// Nothing more is read; `answered` when a response tells the peer so.
    Closing { answered: bool },
}

#[derive(Debug)]
enum BodyReader {
    Length(usize),
    Chunked(ChunkedDecoder),
}

impl Session {
    /// A session for a connection accepted at `now`; the first head is due `head_timeout` later.
    #[must_use]
    pub fn new(now: Instant, limits: Rc<Limits>) -> Self {
        let deadline = now + limits.head_timeout;
        Self {
            limits,
            phase: Phase::waiting(deadline),
            input: BytesMut::new(),
            output: Output::default(),
            requests: 0,
            draining: false,
            input_ended: false,
        }
    }

    /// Takes bytes from the peer. Call it while [`wants_input`](Self::wants_input), with at most
    /// one read's worth; then ask [`poll_request`](Self::poll_request).
    pub fn handle_input(&mut self, now: Instant, bytes: &[u8]) {
        if matches!(self.phase, Phase::Closing { .. }) || self.input_ended {
            return;
        }
        self.input.extend_from_slice(bytes);
        self.note_start(now);
    }

    /// The peer closed its sending side. A request already whole is still answered.
    pub fn handle_end_of_input(&mut self) {
        self.input_ended = true;
    }

    /// Call when [`deadline`](Self::deadline) has passed: a late request is answered with 408, an
    /// idle connection is closed without a word.
    pub fn handle_timeout(&mut self, now: Now) {
        let passed = self.deadline().is_some_and(|deadline| deadline <= now.instant);
        match &self.phase {
            _ if !passed => {}
            Phase::Head { started: false, .. } => self.phase = Phase::Closing { answered: false },
            Phase::Head { started: true, .. } => {
                let max_s = self.limits.head_timeout.as_secs();
                self.refuse(now, &RequestError::HeadTimeout { max_s });
            }
            Phase::Body { .. } => {
                let max_s = self.limits.body_timeout.as_secs();
                self.refuse(now, &RequestError::BodyTimeout { max_s });
            }
            Phase::Answering { .. } | Phase::Sending { .. } | Phase::Closing { .. } => {}
        }
    }

    /// Stops keeping the connection: an idle one closes now, a busy one after its answer (which
    /// says `Connection: close`).
    pub fn drain(&mut self) {
        self.draining = true;
        if matches!(self.phase, Phase::Head { started: false, .. }) {
            self.phase = Phase::Closing { answered: false };
        }
    }

    /// The next whole request, in the order sent. `None` until more input, an answer to the request
    /// that is out, or forever when closing. A broken rule queues its reply and closes.
    pub fn poll_request(&mut self, now: Now) -> Option<Request> {
        match self.advance(now) {
            Ok(Some(request)) => {
                self.requests += 1;
                Some(request)
            }
            Ok(None) => {
                self.close_if_input_ended();
                None
            }
            Err(error) => {
                self.refuse(now, &error);
                None
            }
        }
    }

    /// Queues the answer to the request that is out. Without one it is dropped: an answer that
    /// nobody asked for would be taken for the next request's.
    pub fn respond(&mut self, now: Now, response: Response) {
        let Phase::Answering { is_head_method, version, keep_alive } = self.phase else { return };
        let response = if response.status.is_informational() {
            Response::text(StatusCode::INTERNAL_SERVER_ERROR, "the answer has no final status")
        } else {
            response
        };
        let keep = self.keeps(keep_alive && !response.close);
        let connection = match (keep, version) {
            (false, _) => ConnectionField::Close,
            (true, Version::HTTP_10) => ConnectionField::KeepAlive,
            (true, _) => ConnectionField::Absent,
        };
        self.output.push(&response, now.date, connection, is_head_method);
        match response.body {
            Body::Stored(rest)
                if !rest.is_empty() && !is_head_method && has_body(response.status) =>
            {
                self.phase = Phase::Sending { rest, keep };
            }
            _ => self.end_answer(now.instant, keep),
        }
    }

    /// What is still to be read of the body that is being sent. Read a piece once everything before
    /// it is written, and give it to [`handle_piece`](Self::handle_piece).
    #[must_use]
    pub const fn stored_body(&self) -> Option<&Stored> {
        match &self.phase {
            Phase::Sending { rest, .. } => Some(rest),
            _ => None,
        }
    }

    /// Queues a piece of the body that is being sent. What it has too many is cut off: the head has
    /// told the length.
    pub fn handle_piece(&mut self, now: Instant, mut piece: Bytes) {
        let Phase::Sending { rest, keep } = &mut self.phase else { return };
        piece.truncate(usize::try_from(rest.len()).unwrap_or(usize::MAX));
        rest.skip(piece.len() as u64);
        let end = rest.is_empty().then_some(*keep);
        self.output.push_piece(piece);
        if let Some(keep) = end {
            // A stop during a long body ends the connection behind it.
            self.end_answer(now, keep && !self.draining);
        }
    }

    /// The plain read that `bytes`, which just arrived, begin with. `None` when there is none,
    /// something came before it, or the peer has not taken the answers before it: what it asks on
    /// top would only gain it time to read them (F22). Give the bytes to
    /// [`handle_input`](Self::handle_input) then.
    #[must_use]
    pub fn plain_request<'a>(&self, bytes: &'a [u8]) -> Option<PlainRequest<'a>> {
        let is_between =
            matches!(self.phase, Phase::Head { started: false, skipped_empty_line: false, .. });
        let is_behind = !self.input.is_empty() || self.transmit_bytes() > 0;
        if !is_between || is_behind || self.input_ended {
            return None;
        }
        PlainRequest::parse(bytes, &self.limits)
    }

    /// Takes `request`, which [`plain_request`](Self::plain_request) just found: its bytes are not
    /// given to the session, and an answer is due.
    pub fn accept_plain(&mut self, request: &PlainRequest<'_>) {
        self.requests += 1;
        self.phase = Phase::Answering {
            is_head_method: request.is_head_method(),
            version: Version::HTTP_11,
            keep_alive: request.keep_alive(),
        };
    }

    /// Answers the request that is out, as [`respond`](Self::respond) does, but hands the slices to
    /// `send` at once, which tells how many bytes were written. The rest is queued.
    pub fn respond_prepared(
        &mut self,
        now: Now,
        prepared: &Prepared,
        send: impl FnOnce(&[IoSlice<'_>]) -> usize,
    ) {
        let Phase::Answering { is_head_method, keep_alive, .. } = self.phase else { return };
        let keep = self.keeps(keep_alive);
        let connection = if keep { ConnectionField::Absent } else { ConnectionField::Close };
        self.output.push_prepared(prepared, now.date, connection, is_head_method, send);
        self.end_answer(now.instant, keep);
    }

    /// Fills `slices` with what is to be written, in order, and returns how many are filled. Head
    /// and body come in one call, so one vectored send carries both.
    pub fn transmit<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        self.output.fill(slices)
    }

    /// Tells how many bytes of [`transmit`](Self::transmit) were written.
    pub fn handle_transmitted(&mut self, bytes: usize) {
        self.output.advance(bytes);
    }

    /// Bytes waiting to be written.
    #[must_use]
    pub fn transmit_bytes(&self) -> usize {
        self.output.len()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout); `None` while a handler works (its
    /// time is its own) and when closing.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Head { deadline, .. } | Phase::Body { deadline, .. } => Some(*deadline),
            Phase::Answering { .. } | Phase::Sending { .. } | Phase::Closing { .. } => None,
        }
    }

    /// Whether to read from the peer: false is back-pressure.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        match &self.phase {
            _ if self.input_ended => false,
            Phase::Head { .. } | Phase::Body { .. } => true,
            Phase::Answering { .. } => self.input.len() < self.limits.pipelined_bytes_max,
            Phase::Sending { .. } | Phase::Closing { .. } => false,
        }
    }

    /// Whether a request is out and waits for [`respond`](Self::respond).
    #[must_use]
    pub fn is_answering(&self) -> bool {
        matches!(self.phase, Phase::Answering { .. })
    }

    /// Everything is said and written: close the connection.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        matches!(self.phase, Phase::Closing { .. }) && self.output.is_empty()
    }

    /// The last answer may still be unread while the peer is sending: read on to its end for a
    /// moment before closing, or the reset of a plain close takes the answer away (RFC 9112 §9.6).
    #[must_use]
    pub fn wants_linger(&self) -> bool {
        matches!(self.phase, Phase::Closing { answered: true }) && !self.input_ended
    }

    fn advance(&mut self, now: Now) -> Result<Option<Request>, RequestError> {
        if let Phase::Head { scanner, .. } = &mut self.phase {
            let Some(length) = scanner.scan(&self.input, &self.limits)? else { return Ok(None) };
            let head = head::parse(self.input.split_to(length))?;
            self.start_body(now.instant, head)?;
        }
        let Phase::Body { body, .. } = &mut self.phase else { return Ok(None) };
        let Some(bytes) = body.read(&mut self.input)? else { return Ok(None) };
        if self.input.is_empty() {
            // Gives the memory back: an idle connection holds no buffer.
            self.input = BytesMut::new();
        }
        Ok(self.hand_out(bytes))
    }

    fn start_body(&mut self, now: Instant, head: Head) -> Result<(), RequestError> {
        let body = match head.framing {
            Framing::Length(0) => BodyReader::Length(0),
            Framing::Length(seen) => {
                let max = (self.limits.body_bytes_max)(&head.method, &head.uri);
                let length = usize::try_from(seen).ok().filter(|length| *length <= max);
                BodyReader::Length(length.ok_or(RequestError::BodyTooLarge { seen, max })?)
            }
            Framing::Chunked => {
                let max = (self.limits.body_bytes_max)(&head.method, &head.uri);
                BodyReader::Chunked(ChunkedDecoder::new(max))
            }
        };
        // RFC 9110 §10.1.1: only for a body that has not begun to arrive.
        let has_body = head.framing != Framing::Length(0);
        if head.expects_continue && has_body && self.input.is_empty() {
            self.output.push_interim(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        let deadline = now + self.limits.body_timeout;
        self.phase = Phase::Body { head: Box::new(head), body, deadline };
        Ok(())
    }

    fn hand_out(&mut self, body: Bytes) -> Option<Request> {
        let closing = Phase::Closing { answered: false };
        let Phase::Body { head, .. } = std::mem::replace(&mut self.phase, closing) else {
            return None;
        };
        let Head { method, uri, version, headers, keep_alive, .. } = *head;
        self.phase =
            Phase::Answering { is_head_method: method == Method::HEAD, version, keep_alive };
        Some(Request { method, uri, version, headers, body })
    }

    fn keeps(&self, wanted: bool) -> bool {
        wanted && !self.draining && self.requests < self.limits.requests_max
    }

    fn end_answer(&mut self, now: Instant, keep: bool) {
        if keep {
            self.phase = Phase::waiting(now + self.limits.idle_timeout);
            self.note_start(now);
        } else {
            self.close(true);
        }
    }

    fn refuse(&mut self, now: Now, error: &RequestError) {
        let response = (self.limits.refusal)(error);
        self.output.push(&response, now.date, ConnectionField::Close, false);
        self.close(true);
    }

    fn close(&mut self, answered: bool) {
        self.phase = Phase::Closing { answered };
        self.input = BytesMut::new();
    }

    /// A peer that ended in the middle of a request, or between two, wants nothing more.
    fn close_if_input_ended(&mut self) {
        if self.input_ended && matches!(self.phase, Phase::Head { .. } | Phase::Body { .. }) {
            self.close(false);
        }
    }

    /// The first byte of a head ends the idle time and starts the head's own deadline. One empty
    /// line before it is skipped (RFC 9112 §2.2: old clients end a body with it).
    fn note_start(&mut self, now: Instant) {
        let Phase::Head { scanner, deadline, started, skipped_empty_line } = &mut self.phase else {
            return;
        };
        if *started {
            return;
        }
        if !*skipped_empty_line {
            if self.input.as_ref() == b"\r" {
                return;
            }
            if self.input.starts_with(b"\r\n") {
                self.input.advance(2);
                *skipped_empty_line = true;
                // It may have looked at the first half already.
                *scanner = HeadScanner::default();
            }
        }
        if !self.input.is_empty() {
            *started = true;
            let is_first = self.requests == 0;
            let due = now + self.limits.head_timeout;
            // The first head is due from the accept on, whatever the peer dripped before it.
            *deadline = if is_first { due.min(*deadline) } else { due };
        }
    }
}

impl Phase {
    fn waiting(deadline: Instant) -> Self {
        let scanner = HeadScanner::default();
        Self::Head { scanner, deadline, started: false, skipped_empty_line: false }
    }
}

impl BodyReader {
    /// The body once all of it is in `input`.
    fn read(&mut self, input: &mut BytesMut) -> Result<Option<Bytes>, RequestError> {
        match self {
            Self::Length(0) => Ok(Some(Bytes::new())),
            Self::Length(length) if input.len() < *length => Ok(None),
            Self::Length(length) => Ok(Some(input.split_to(*length).freeze())),
            Self::Chunked(decoder) => Ok(decoder.decode(input)?.map(BytesMut::freeze)),
        }
    }
}

#[cfg(test)]
mod tests;
