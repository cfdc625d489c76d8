//! Answers whose head is made once and sent many times.
//!
//! ```text
//! HTTP/1.1 200 OK CR LF date:_ | 29 bytes | CR LF content-length:_… CR LF …last field | end
//!                 made once    |  date    |              made once                    | connection
//! ```

use bytes::{Bytes, BytesMut};
use http::StatusCode;

use super::response::{ConnectionField, write_head};
use super::{Body, HttpDate, Response};

/// A 200 with a prepared head. Sending it builds and copies nothing.
#[derive(Clone, Debug)]
pub struct Prepared {
    head: Bytes,
    body: Body,
}

/// What stands before the date of every prepared head.
const BEFORE_DATE: &[u8] = b"HTTP/1.1 200 OK\r\ndate: ";
/// Length of a date.
const DATE_BYTES: usize = 29;

impl Prepared {
    /// An answer from a head that [`head_of`](Self::head_of) made and the body it was made for.
    #[must_use]
    pub const fn new(head: Bytes, body: Body) -> Self {
        Self { head, body }
    }

    /// The head of `response` as a 200, without what differs each time: date and connection. The
    /// bytes are the same as those of the response sent as it is.
    #[must_use]
    pub fn head_of(response: &Response) -> Bytes {
        let response = Response { status: StatusCode::OK, ..response.clone() };
        let mut head = BytesMut::new();
        let date = HttpDate::from_system_time(std::time::UNIX_EPOCH);
        write_head(&mut head, &response, &date, ConnectionField::Absent);
        head.truncate(head.len().saturating_sub(ConnectionField::Absent.end().len()));
        head.freeze()
    }

    /// The head in the pieces that are sent.
    pub(super) fn head<'a>(
        &'a self,
        date: &'a HttpDate,
        connection: ConnectionField,
    ) -> [&'a [u8]; 4] {
        let rest = self.head.get(BEFORE_DATE.len() + DATE_BYTES..).unwrap_or(&[]);
        [BEFORE_DATE, date.as_bytes(), rest, connection.end()]
    }

    pub(super) fn body(&self) -> &Body {
        &self.body
    }
}
