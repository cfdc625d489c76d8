//! The viewer's side of HTTP/1.1: requests as text, responses read from any pieces (RFC 9112 §6).

use crate::Outcome;

/// A response head longer than this is an error.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// `http://HOST:PORT/TARGET` in its pieces.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Url {
    /// Host and port.
    pub authority: String,
    /// Path and query.
    pub target: String,
}

impl Url {
    /// Only `http:`; the load tools speak no TLS.
    pub fn parse(text: &str) -> Outcome<Self> {
        let rest = text.strip_prefix("http://").ok_or("an address begins with http://")?;
        let (authority, target) = rest.split_once('/').unwrap_or((rest, ""));
        Ok(Self { authority: authority.to_owned(), target: format!("/{target}") })
    }

    /// The target of `name`, a relative reference without dots before it.
    pub fn sibling(&self, name: &str) -> String {
        let path = self.target.split('?').next().unwrap_or_default();
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{folder}/{name}")
    }
}

/// A GET as players send it.
pub fn write_get(out: &mut Vec<u8>, authority: &str, target: &str) {
    for piece in ["GET ", target, " HTTP/1.1\r\nHost: ", authority, "\r\nAccept: */*\r\n\r\n"] {
        out.extend_from_slice(piece.as_bytes());
    }
}

/// A whole response, body included if it was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    /// Status code.
    pub status: u16,
    /// Monotonic nanoseconds at which the first byte was read.
    pub first_byte: u64,
    /// The same for the last.
    pub last_byte: u64,
    /// Content-Length.
    pub body_bytes: u64,
    /// The body, or nothing if it was not kept.
    pub body: &'a [u8],
}

/// Reads one response after the other.
#[derive(Debug, Default)]
pub struct Reader {
    head: Vec<u8>,
    body: Vec<u8>,
    state: State,
    first_byte: u64,
    keep: bool,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Head,
    Body {
        status: u16,
        length: u64,
        left: u64,
    },
}

/// What a piece of input came to.
#[derive(Debug)]
pub enum Progress<'a> {
    /// More is needed.
    Partial,
    /// A response is whole; so many bytes of the input belong to it.
    Whole(Response<'a>, usize),
}

impl Reader {
    /// Prepares for the next response; `keep` asks for its body.
    pub fn expect(&mut self, keep: bool) {
        self.head.clear();
        self.body.clear();
        self.state = State::Head;
        self.keep = keep;
    }

    /// Takes input that was read at `now`.
    pub fn read(&mut self, now: u64, input: &[u8]) -> Outcome<Progress<'_>> {
        let mut used = 0;
        if matches!(self.state, State::Head) {
            if self.head.is_empty() {
                self.first_byte = now;
            }
            let before = self.head.len();
            self.head.extend_from_slice(input);
            let from = before.saturating_sub(3);
            let Some(end) = find(self.head.get(from..).unwrap_or_default(), b"\r\n\r\n") else {
                if self.head.len() > HEAD_BYTES_MAX {
                    return Err("a response head without end".into());
                }
                return Ok(Progress::Partial);
            };
            let head_bytes = from + end + 4;
            used = head_bytes - before;
            self.head.truncate(head_bytes);
            let (status, length) = parse_head(&self.head)?;
            self.state = State::Body { status, length, left: length };
        }
        let State::Body { status, length, left } = self.state else { return Ok(Progress::Partial) };
        let rest = input.get(used..).unwrap_or_default();
        let take = rest.len().min(usize::try_from(left)?);
        if self.keep {
            self.body.extend_from_slice(rest.get(..take).unwrap_or_default());
        }
        let left = left - take as u64;
        self.state = State::Body { status, length, left };
        if left > 0 {
            return Ok(Progress::Partial);
        }
        let (first_byte, body) = (self.first_byte, self.body.as_slice());
        let response = Response { status, first_byte, last_byte: now, body_bytes: length, body };
        Ok(Progress::Whole(response, used + take))
    }
}

fn parse_head(head: &[u8]) -> Outcome<(u16, u64)> {
    let text = std::str::from_utf8(head).map_err(|_| "a response head that is not text")?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or("no status")?;
    let status: u16 = status.parse().map_err(|_| "a status that is no number")?;
    let mut length = None;
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse::<u64>().ok();
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err("a chunked response: these tools measure bodies of known length".into());
        }
    }
    match length {
        Some(length) => Ok((status, length)),
        None if status == 204 || status == 304 => Ok((status, 0)),
        None => Err("a response without Content-Length".into()),
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_come_whole_from_any_pieces() {
        let wire = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhelloHTTP";
        for cut in 0..wire.len() - 4 {
            let mut reader = Reader::default();
            reader.expect(true);
            let (first, second) = wire.split_at(cut);
            let partial = reader.read(1, first).unwrap();
            assert!(matches!(partial, Progress::Partial), "cut at {cut}");
            match reader.read(2, second).unwrap() {
                Progress::Whole(response, used) => {
                    assert_eq!((response.status, response.body), (200, &b"hello"[..]));
                    assert_eq!(response.first_byte, if cut == 0 { 2 } else { 1 });
                    assert_eq!(used + cut, wire.len() - 4);
                }
                Progress::Partial => panic!("cut at {cut}"),
            }
        }
    }

    #[test]
    fn addresses_fall_apart() {
        let url = Url::parse("http://127.0.0.1:8080/hls/0/stream.m3u8?a=b").unwrap();
        assert_eq!(url.authority, "127.0.0.1:8080");
        assert_eq!(url.sibling("p.m4s"), "/hls/0/p.m4s");
        assert!(Url::parse("https://x/").is_err());
    }

    #[test]
    fn heads_that_cannot_be_measured_are_refused() {
        for head in
            ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]
        {
            let mut reader = Reader::default();
            assert!(reader.read(0, head.as_bytes()).is_err());
        }
    }
}
