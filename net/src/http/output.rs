//! What a session has yet to write: whole runs by reference, heads and small bodies gathered.
//!
//! ```text
//! runs: [head][part][part][head][part]   tail: head + small body, head + small body
//! ```
//!
//! All of it goes to the socket as one list of slices, so an answer costs one vectored send.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes, BytesMut};

use super::response::{ConnectionField, has_body, write_head};
use super::{Body, HttpDate, Prepared, Response};

/// The queue. `bytes` is the length of `runs` and `tail` together.
#[derive(Debug, Default)]
pub(super) struct Output {
    runs: VecDeque<Bytes>,
    tail: BytesMut,
    bytes: usize,
}

/// Slices offered at once with a prepared answer; a segment of twelve parts fits.
const OFFERED_SLICES_MAX: usize = 16;

/// Bodies up to this many bytes are copied behind their head: below it the copy costs less than one
/// more entry in the vectored send and one more reference.
const COPIED_BODY_BYTES_MAX: usize = 2 << 10;

impl Output {
    /// Queues head and body of one answer; the body not for HEAD and not where none may be. A
    /// stored body comes later, by [`push_piece`](Self::push_piece).
    pub(super) fn push(
        &mut self,
        response: &Response,
        date: HttpDate,
        connection: ConnectionField,
        is_head_method: bool,
    ) {
        let before = self.tail.len();
        write_head(&mut self.tail, response, &date, connection);
        self.bytes += self.tail.len() - before;
        let is_later = matches!(response.body, Body::Stored(_));
        if is_head_method || is_later || !has_body(response.status) {
            return;
        }
        self.push_body(&response.body);
    }

    /// Offers a prepared answer to `send`, which tells how many bytes it took, and queues the rest.
    /// Behind earlier answers all of it is queued.
    pub(super) fn push_prepared(
        &mut self,
        prepared: &Prepared,
        date: HttpDate,
        connection: ConnectionField,
        is_head_method: bool,
        send: impl FnOnce(&[IoSlice<'_>]) -> usize,
    ) {
        let head = prepared.head(&date, connection);
        let body = (!is_head_method).then_some(prepared.body());
        let runs = body.map_or(&[][..], Body::runs);
        let mut length = 0;
        let mut slices = [IoSlice::new(&[]); OFFERED_SLICES_MAX];
        let mut filled = 0;
        for piece in head.into_iter().chain(runs.iter().map(Bytes::as_ref)) {
            length += piece.len();
            if let Some(slot) = slices.get_mut(filled) {
                *slot = IoSlice::new(piece);
                filled += 1;
            }
        }
        let sent = if self.is_empty() { send(&slices[..filled]) } else { 0 };
        if sent >= length {
            return;
        }
        for piece in head {
            self.tail.extend_from_slice(piece);
            self.bytes += piece.len();
        }
        if let Some(body) = body {
            self.push_body(body);
        }
        self.advance(sent);
    }

    fn push_body(&mut self, body: &Body) {
        let length = body.len();
        self.bytes += length;
        let is_copied = length <= COPIED_BODY_BYTES_MAX;
        if !is_copied {
            self.runs.push_back(self.tail.split().freeze());
        }
        for run in body.runs().iter().filter(|run| !run.is_empty()) {
            if is_copied {
                self.tail.extend_from_slice(run);
            } else {
                self.runs.push_back(run.clone());
            }
        }
    }

    /// Queues a piece of a stored body.
    pub(super) fn push_piece(&mut self, piece: Bytes) {
        self.push_body(&Body::Bytes(piece));
    }

    /// Queues an interim answer (1xx), whole.
    pub(super) fn push_interim(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
        self.bytes += bytes.len();
    }

    /// Bytes waiting.
    pub(super) fn len(&self) -> usize {
        self.bytes
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Fills `slices` from the front and returns how many it filled.
    pub(super) fn fill<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let tail = (!self.tail.is_empty()).then_some(self.tail.as_ref());
        let chunks = self.runs.iter().map(Bytes::as_ref).chain(tail);
        let mut filled = 0;
        for (slot, chunk) in slices.iter_mut().zip(chunks) {
            *slot = IoSlice::new(chunk);
            filled += 1;
        }
        filled
    }

    /// Drops `bytes` from the front: they are written.
    pub(super) fn advance(&mut self, bytes: usize) {
        let mut left = bytes.min(self.bytes);
        self.bytes -= left;
        while let Some(run) = self.runs.front_mut() {
            if run.len() > left {
                run.advance(left);
                return;
            }
            left -= run.len();
            self.runs.pop_front();
        }
        self.tail.advance(left);
        if self.tail.is_empty() {
            self.tail = BytesMut::new();
        }
    }
}
