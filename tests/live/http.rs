//! A small blocking HTTP/1.1 client over plain sockets: what goes out is exactly what a test says,
//! what comes back is kept whole. It refuses an answer whose framing is unclear.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long an answer may take when the test does not say.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// One answer.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// In order, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// From the end of the request to the last byte of the answer.
    pub(crate) took: Duration,
}

impl Response {
    /// The value of a header that stands at most once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(header, _)| header == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} stands twice in {:?}", self.headers);
        value
    }

    /// The body as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8 in the body")
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }
}

/// A connection that stays open between requests.
pub(crate) struct Connection {
    stream: TcpStream,
    /// Bytes received past the last answer.
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    /// Sends bytes as they are.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Sends a request without a body.
    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> io::Result<()> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: riverrun.test\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        self.send_raw(head.as_bytes())
    }

    /// Receives one answer to a request with `method`.
    pub(crate) fn receive(&mut self, method: &str, limit: Duration) -> io::Result<Response> {
        let started = Instant::now();
        let deadline = started + limit;
        let head_end = loop {
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            self.fill(deadline)?;
        };
        let head: Vec<u8> = self.buffer.drain(..head_end).collect();
        let head = String::from_utf8(head).map_err(|_| broken("head is not text"))?;
        let (status, headers) = parse_head(&head)?;
        let values = |name: &str| -> Vec<&str> {
            headers.iter().filter(|(header, _)| header == name).map(|(_, v)| v.as_str()).collect()
        };
        let chunked = values("transfer-encoding").contains(&"chunked");
        let body = if method == "HEAD" || status == 204 || status == 304 || status < 200 {
            Vec::new()
        } else if chunked {
            self.chunks(deadline)?
        } else if let [length] = values("content-length")[..] {
            let length = length.parse().map_err(|_| broken("content-length"))?;
            self.take(length, deadline)?
        } else {
            return Err(broken("no single content-length and not chunked"));
        };
        Ok(Response { status, headers, body, took: started.elapsed() })
    }

    /// Sends a request and receives its answer.
    pub(crate) fn exchange(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        limit: Duration,
    ) -> io::Result<Response> {
        self.send(method, path, headers)?;
        self.receive(method, limit)
    }

    /// GET of a path that must be answered.
    pub(crate) fn get(&mut self, path: &str) -> Response {
        self.exchange("GET", path, &[], ANSWER_LIMIT)
            .unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// Whether the server closes the connection within `limit`; what it says before is dropped.
    pub(crate) fn closes_within(&mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            match self.fill(deadline) {
                Ok(()) => self.buffer.clear(),
                Err(error) if error.kind() == ErrorKind::TimedOut => return false,
                Err(_) => return true,
            }
        }
    }

    fn take(&mut self, length: usize, deadline: Instant) -> io::Result<Vec<u8>> {
        while self.buffer.len() < length {
            self.fill(deadline)?;
        }
        Ok(self.buffer.drain(..length).collect())
    }

    fn line(&mut self, deadline: Instant) -> io::Result<String> {
        loop {
            if let Some(at) = self.buffer.windows(2).position(|two| two == b"\r\n") {
                let line = self.take(at + 2, deadline)?;
                return String::from_utf8(line).map_err(|_| broken("chunk line is not text"));
            }
            self.fill(deadline)?;
        }
    }

    fn chunks(&mut self, deadline: Instant) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line(deadline)?;
            let length =
                usize::from_str_radix(line.trim_end(), 16).map_err(|_| broken("chunk size"))?;
            if length == 0 {
                self.line(deadline)?;
                return Ok(body);
            }
            body.extend(self.take(length, deadline)?);
            if self.take(2, deadline)? != b"\r\n" {
                return Err(broken("chunk end"));
            }
        }
    }

    /// One read; `TimedOut` past the deadline, `UnexpectedEof` when the server closed.
    fn fill(&mut self, deadline: Instant) -> io::Result<()> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        let mut block = [0; 65536];
        match self.stream.read(&mut block) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(length) => {
                self.buffer.extend_from_slice(&block[..length]);
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Err(ErrorKind::TimedOut.into()),
            Err(error) => Err(error),
        }
    }
}

/// GET on a connection of its own, given up after `limit`.
pub(crate) fn fetch_within(
    address: SocketAddr,
    path: &str,
    limit: Duration,
) -> io::Result<Response> {
    Connection::open(address)?.exchange("GET", path, &[], limit)
}

/// One request with a body on a connection of its own.
pub(crate) fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Response> {
    let mut connection = Connection::open(address)?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: riverrun.test\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    connection.send_raw(&[head.as_bytes(), body].concat())?;
    connection.receive(method, ANSWER_LIMIT)
}

/// One request on a connection of its own.
pub(crate) fn fetch(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> io::Result<Response> {
    Connection::open(address)?.exchange(method, path, headers, ANSWER_LIMIT)
}

fn parse_head(head: &str) -> io::Result<(u16, Vec<(String, String)>)> {
    let mut lines = head.trim_end().split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1.1 "))
        .and_then(|rest| rest.get(..3))
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| broken("status line"))?;
    let mut headers = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(':').ok_or_else(|| broken("header without colon"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    Ok((status, headers))
}

fn broken(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what.to_owned())
}
