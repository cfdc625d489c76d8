//! The chunked coding (RFC 9112 §7.1), undone as bytes arrive.
//!
//! Sizes are one to eight hex digits; a line must end with CR LF; extensions and trailers are
//! checked for form and dropped. Refused: signs, prefixes, spaces around the size, a bare LF,
//! control bytes, more framing than data can explain.

use bytes::{Buf, BytesMut};

use super::error::RequestError;
use super::limits::{
    CHUNK_EXTENSION_BYTES_MAX, CHUNK_FRAMING_PER_BYTE_MAX, CHUNK_SIZE_DIGITS_MAX,
    HEADER_FIELDS_MAX, TRAILER_BYTES_MAX,
};

/// The decoder of one body.
#[derive(Debug)]
pub(super) struct ChunkedDecoder {
    state: State,
    body: BytesMut,
    body_bytes_max: usize,
    framing_bytes: usize,
    trailer: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// In the digits of a size.
    Size {
        value: u32,
        digits: usize,
    },
    /// In the extensions after a size, up to CR.
    Extension {
        size: u32,
        bytes: usize,
    },
    /// After the CR of a size line.
    SizeLf {
        size: u32,
    },
    /// In a chunk's data.
    Data {
        left: u32,
    },
    /// After the data.
    DataCr,
    DataLf,
    /// After the last chunk, up to and with the empty line.
    Trailer,
    Done,
}

impl ChunkedDecoder {
    pub(super) fn new(body_bytes_max: usize) -> Self {
        Self {
            state: State::Size { value: 0, digits: 0 },
            body: BytesMut::new(),
            body_bytes_max,
            framing_bytes: 0,
            trailer: Vec::new(),
        }
    }

    /// Takes bytes from the front of `input`; the body once its end was seen. What follows the
    /// body stays in `input`.
    pub(super) fn decode(
        &mut self,
        input: &mut BytesMut,
    ) -> Result<Option<BytesMut>, RequestError> {
        while !matches!(self.state, State::Done) {
            if let State::Data { left } = self.state {
                let take = input.len().min(left as usize);
                if take == 0 {
                    return Ok(None);
                }
                self.body.extend_from_slice(&input[..take]);
                input.advance(take);
                let left = left - u32::try_from(take).unwrap_or(left);
                self.state = if left == 0 { State::DataCr } else { State::Data { left } };
                continue;
            }
            let Some(&byte) = input.first() else { return Ok(None) };
            input.advance(1);
            self.state = self.framing_byte(byte)?;
        }
        Ok(Some(std::mem::take(&mut self.body)))
    }

    /// One byte that is not data: where it leads.
    fn framing_byte(&mut self, byte: u8) -> Result<State, RequestError> {
        self.count_framing()?;
        match (self.state, byte) {
            (State::Size { value, digits }, _) if byte.is_ascii_hexdigit() => {
                if digits == CHUNK_SIZE_DIGITS_MAX {
                    return Err(malformed("a chunk size has more than 8 digits"));
                }
                let digit = char::from(byte).to_digit(16).unwrap_or(0);
                Ok(State::Size { value: value << 4 | digit, digits: digits + 1 })
            }
            (State::Size { digits: 0, .. }, _) => Err(malformed("a chunk size is missing")),
            (State::Size { value, .. }, b'\r') => Ok(State::SizeLf { size: value }),
            (State::Size { value, .. }, b';') => Ok(State::Extension { size: value, bytes: 0 }),
            (State::Size { .. }, _) => Err(malformed("a chunk size has a byte that is no digit")),
            (State::Extension { size, .. }, b'\r') => Ok(State::SizeLf { size }),
            (State::Extension { size, bytes }, b'\t' | 0x20..=0x7e) => {
                if bytes == CHUNK_EXTENSION_BYTES_MAX {
                    return Err(malformed("a chunk extension is longer than 128 bytes"));
                }
                Ok(State::Extension { size, bytes: bytes + 1 })
            }
            (State::Extension { .. }, _) => Err(malformed("a chunk extension has a control byte")),
            (State::SizeLf { size: 0 }, b'\n') => Ok(State::Trailer),
            (State::SizeLf { size }, b'\n') => self.start_chunk(size),
            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataLf, b'\n') => Ok(State::Size { value: 0, digits: 0 }),
            (State::SizeLf { .. } | State::DataCr | State::DataLf, _) => {
                Err(malformed("CR LF is missing after a chunk size or chunk data"))
            }
            (State::Trailer, _) => self.trailer_byte(byte),
            (State::Data { .. } | State::Done, _) => Ok(self.state),
        }
    }

    fn start_chunk(&self, size: u32) -> Result<State, RequestError> {
        let total = self.body.len() as u64 + u64::from(size);
        if total > self.body_bytes_max as u64 {
            return Err(RequestError::BodyTooLarge { seen: total, max: self.body_bytes_max });
        }
        Ok(State::Data { left: size })
    }

    fn trailer_byte(&mut self, byte: u8) -> Result<State, RequestError> {
        if byte == b'\n' && self.trailer.last() != Some(&b'\r') {
            return Err(RequestError::LineEnd);
        }
        if self.trailer.len() == TRAILER_BYTES_MAX {
            return Err(malformed("the trailer is longer than 4096 bytes"));
        }
        self.trailer.push(byte);
        if self.trailer != b"\r\n" && !self.trailer.ends_with(b"\r\n\r\n") {
            return Ok(State::Trailer);
        }
        let mut fields = [httparse::EMPTY_HEADER; HEADER_FIELDS_MAX];
        match httparse::parse_headers(&self.trailer, &mut fields) {
            Ok(httparse::Status::Complete(_)) => Ok(State::Done),
            Ok(httparse::Status::Partial) | Err(_) => {
                Err(malformed("a trailer field is malformed"))
            }
        }
    }

    /// A body in tiny chunks with long extensions costs time without filling the body cap.
    fn count_framing(&mut self) -> Result<(), RequestError> {
        self.framing_bytes += 1;
        let allowed = CHUNK_FRAMING_PER_BYTE_MAX
            .saturating_mul(self.body.len())
            .saturating_add(TRAILER_BYTES_MAX + 2 * CHUNK_EXTENSION_BYTES_MAX);
        if self.framing_bytes > allowed {
            return Err(malformed("there is more chunk framing than its data can explain"));
        }
        Ok(())
    }
}

fn malformed(seen: &'static str) -> RequestError {
    RequestError::Chunk { seen }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(wire: &[u8], cut: usize) -> Result<Option<(Vec<u8>, usize)>, RequestError> {
        let mut decoder = ChunkedDecoder::new(1_000);
        let mut input = BytesMut::from(&wire[..cut]);
        if let Some(body) = decoder.decode(&mut input)? {
            return Ok(Some((body.to_vec(), wire.len() - cut + input.len())));
        }
        input.extend_from_slice(&wire[cut..]);
        Ok(decoder.decode(&mut input)?.map(|body| (body.to_vec(), input.len())))
    }

    /// Wire bytes; lengths of the body and of what follows it, or none while incomplete.
    type Case<'a> = (&'a [u8], Option<(usize, usize)>);

    #[test]
    fn bodies_and_what_follows_them_at_every_cut() {
        let big = [b"3e8\r\n".as_slice(), &[b'x'; 1_000], b"\r\n0\r\n\r\n"].concat();
        let cases: &[Case<'_>] = &[
            (b"0\r\n\r\n", Some((0, 0))),
            (b"5\r\nhello\r\n0\r\n\r\n", Some((5, 0))),
            (b"5\r\nhello\r\n0\r\n\r\nGET /", Some((5, 5))),
            (b"00000005\r\nhello\r\n000\r\n\r\n", Some((5, 0))),
            (b"2;a=\"b\"\r\nhe\r\n3\r\nllo\r\n0;x\r\nA: b\r\nC: d\r\n\r\n", Some((5, 0))),
            (b"5\r\nhel", None),
            (b"5\r\nhello\r\n0\r\n", None),
            (b"", None),
            (&big, Some((1_000, 0))),
        ];
        for (wire, expected) in cases {
            for cut in 0..=wire.len() {
                let got = decode(wire, cut).unwrap().map(|(body, rest)| (body.len(), rest));
                assert_eq!(got, *expected, "{:?} cut at {cut}", String::from_utf8_lossy(wire));
            }
        }
    }

    #[test]
    fn malformed_bodies_fail_alike_at_every_cut() {
        let long_extension = [b"1;".as_slice(), &[b'e'; 200], b"\r\nx\r\n0\r\n\r\n"].concat();
        let long_trailer = [b"0\r\nA: ".as_slice(), &[b'e'; 5_000], b"\r\n\r\n"].concat();
        let cases: &[&[u8]] = &[
            b"\r\n",
            b" 5\r\nhello\r\n",
            b"5 \r\nhello\r\n",
            b"+5\r\nhello\r\n",
            b"-5\r\nhello\r\n",
            b"0x5\r\nhello\r\n",
            b"5\nhello\r\n",
            b"5\r\nhello\n0\r\n\r\n",
            b"5\r\nhelloo\r\n0\r\n\r\n",
            b"5\rhello",
            b"000000005\r\nhello\r\n",
            b"fffffffff\r\n",
            b"ffffffff\r\n",
            b"3e9\r\n",
            b"5;\0\r\nhello\r\n",
            b"5;a\nhello\r\n",
            b"0\r\n X: folded\r\n\r\n",
            b"0\r\nX : y\r\n\r\n",
            b"0\r\nX: y\n\r\n",
            b"0\r\n\n",
            &long_extension,
            &long_trailer,
        ];
        for wire in cases {
            let whole = decode(wire, wire.len()).unwrap_err();
            for cut in 0..=wire.len() {
                assert_eq!(decode(wire, cut).unwrap_err(), whole, "{wire:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn framing_without_data_is_bounded() {
        let mut decoder = ChunkedDecoder::new(1 << 20);
        let chunk = [b"1;".as_slice(), &[b'e'; 120], b"\r\nx\r\n"].concat();
        let mut failed = false;
        for _ in 0..1_000 {
            let mut input = BytesMut::from(chunk.as_slice());
            if decoder.decode(&mut input).is_err() {
                failed = true;
                break;
            }
        }
        assert!(failed);
    }
}
