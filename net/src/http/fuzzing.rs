//! One function per target of `fuzz/`: bytes in, a panic where the engine breaks a promise. They
//! also run over the committed seeds in the tests of this room.

use std::io::IoSlice;
use std::rc::Rc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode, Uri, Version};

use super::chunked::ChunkedDecoder;
use super::conditional::apply_conditions;
use super::encoding::{ContentCoding, choose_coding};
use super::range::apply_range;
use super::{HttpDate, Limits, Now, Request, Response, Session};

/// Largest body of the targets.
const BODY_BYTES_MAX: usize = 1 << 10;
/// Length of the content that ranges are cut from.
const CONTENT_BYTES: usize = 1_000;

/// A connection's bytes whole and cut: the same requests in the same order, the same answers
/// (T20). The first bytes decide where to cut.
pub fn http_session(now: Instant, data: &[u8]) {
    let Some((&[first, second], input)) = data.split_first_chunk() else { return };
    check_plain(now, input);
    let whole = converse(now, [input].into_iter());
    let pieces = converse(now, input.chunks(usize::from(first).max(1)));
    assert_eq!(whole, pieces, "in pieces of {first}");
    let (before, after) = input.split_at(input.len().min(usize::from(second)));
    let halves = converse(now, [before, after].into_iter());
    assert_eq!(whole, halves, "cut at {second}");
}

/// What is read in place is what the full parser reads.
fn check_plain(instant: Instant, input: &[u8]) {
    let now = Now { instant, date: HttpDate::from_system_time(UNIX_EPOCH) };
    let mut session = Session::new(instant, limits());
    let Some(plain) = session.plain_request(input) else { return };
    session.handle_input(instant, input);
    let request = session.poll_request(now).expect("what is plain is a request");
    let method = if plain.is_head_method() { Method::HEAD } else { Method::GET };
    let seen = (&request.method, request.uri.path(), request.uri.query().unwrap_or(""));
    assert_eq!(seen, (&method, plain.path(), plain.query()));
    assert!(request.body.is_empty());
    let coding = choose_coding(&request.headers, &[ContentCoding::Gzip]);
    assert_eq!(coding, plain.choose_coding(&[ContentCoding::Gzip]));
}

/// What came of a conversation. `100 Continue` depends on what has arrived and is left out.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    requests: Vec<String>,
    answers: Vec<u8>,
    is_finished: bool,
}

fn converse<'a>(instant: Instant, pieces: impl Iterator<Item = &'a [u8]>) -> Outcome {
    let now = Now { instant, date: HttpDate::from_system_time(UNIX_EPOCH) };
    let mut session = Session::new(instant, limits());
    let mut requests = Vec::new();
    let mut answers = Vec::new();
    for piece in pieces {
        session.handle_input(instant, piece);
        while let Some(request) = session.poll_request(now) {
            check_request(&request);
            requests.push(format!("{request:?}"));
            session.respond(now, Response::ok("text/plain", "hi"));
        }
        take_answers(&mut session, &mut answers);
        let waits = session.deadline().is_some() || session.is_finished();
        assert!(waits, "neither finished nor with a deadline");
    }
    Outcome { requests, answers, is_finished: session.is_finished() }
}

fn limits() -> Rc<Limits> {
    Rc::new(Limits { body_bytes_max: |_, _| BODY_BYTES_MAX, ..Limits::default() })
}

fn check_request(request: &Request) {
    assert!(request.body.len() <= BODY_BYTES_MAX);
    let path = request.uri.path();
    assert!(path.starts_with('/') || path == "*", "{path}");
    let hosts = request.headers.get_all(header::HOST).iter().count();
    assert!(hosts <= 1 && (hosts == 1 || request.version == Version::HTTP_10), "{hosts} hosts");
}

fn take_answers(session: &mut Session, answers: &mut Vec<u8>) {
    const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
    let mut bytes = Vec::new();
    loop {
        let mut slices = [IoSlice::new(&[]); 4];
        let filled = session.transmit(&mut slices);
        let before = bytes.len();
        slices[..filled].iter().for_each(|slice| bytes.extend_from_slice(slice));
        let written = bytes.len() - before;
        if written == 0 {
            break;
        }
        session.handle_transmitted(written);
    }
    while let Some(at) = bytes.windows(CONTINUE.len()).position(|piece| piece == CONTINUE) {
        bytes.drain(at..at + CONTINUE.len());
    }
    answers.extend(bytes);
}

/// A connection under input, answers, time, a drain and an end of input in any order.
pub fn http_steps(start: Instant, data: &[u8]) {
    let mut session = Session::new(start, limits());
    let mut clock = start;
    let mut rest = data;
    while let Some((&[step, amount], after)) = rest.split_first_chunk() {
        rest = after;
        let now = Now { instant: clock, date: HttpDate::from_system_time(UNIX_EPOCH) };
        match step % 8 {
            0..=3 => {
                let (piece, after) = rest.split_at(rest.len().min(usize::from(amount)));
                rest = after;
                if session.wants_input() {
                    session.handle_input(clock, piece);
                }
            }
            4 => session.respond(now, Response::new(status_of(amount))),
            5 => clock += Duration::from_millis(u64::from(amount) * 500),
            6 if amount < 16 => session.drain(),
            6 if amount < 32 => session.handle_end_of_input(),
            6 => session.handle_transmitted(session.transmit_bytes().min(usize::from(amount))),
            _ => session.handle_timeout(now),
        }
        if let Some(request) = session.poll_request(now) {
            check_request(&request);
            assert!(session.is_answering());
        }
        let waits = session.deadline().is_some() || session.is_answering();
        let ends = session.is_finished() || session.transmit_bytes() > 0;
        assert!(waits || ends, "a connection that waits for nothing");
    }
}

fn status_of(byte: u8) -> StatusCode {
    StatusCode::from_u16(100 + u16::from(byte) * 2).unwrap_or(StatusCode::OK)
}

/// The chunked coding whole and cut, and a body of our own coding that must come back.
pub fn http_chunked(data: &[u8]) {
    let Some((&[cut, size], input)) = data.split_first_chunk() else { return };
    let whole = decode([input].into_iter());
    let pieces = decode(input.chunks(usize::from(cut).max(1)));
    assert_eq!(whole, pieces, "in pieces of {cut}");
    let body = &input[..input.len().min(BODY_BYTES_MAX)];
    // One-byte chunks of a long body have more framing than the decoder allows.
    let mut coded = Vec::new();
    for chunk in body.chunks(usize::from(size).max(16)) {
        coded.extend(format!("{:x};n=v\r\n", chunk.len()).bytes());
        coded.extend(chunk);
        coded.extend(b"\r\n");
    }
    coded.extend(b"0\r\nTrailer: gone\r\n\r\nGET");
    let decoded = decode(coded.chunks(usize::from(cut).max(1)));
    assert_eq!(decoded, Ok(Some((body.to_vec(), 3))));
}

/// The body and how much input follows it; the refusal.
type Decoded = Result<Option<(Vec<u8>, usize)>, String>;

fn decode<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Decoded {
    let mut decoder = ChunkedDecoder::new(BODY_BYTES_MAX);
    let mut input = BytesMut::new();
    let mut body = None;
    for piece in pieces {
        input.extend_from_slice(piece);
        if body.is_none() {
            body = decoder.decode(&mut input).map_err(|error| error.to_string())?;
        }
    }
    Ok(body.map(|body| (body.to_vec(), input.len())))
}

/// Ranges, conditions and codings asked for by any header values: one per line, the first byte of
/// a line names the field.
pub fn http_answer(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n').take(16) {
        let Some((&field, value)) = line.split_first() else { continue };
        let Ok(value) = HeaderValue::from_bytes(value) else { continue };
        headers.append(field_of(field), value);
    }
    for method in [Method::GET, Method::HEAD, Method::POST] {
        let request = Request {
            method,
            uri: Uri::from_static("/"),
            version: Version::HTTP_11,
            headers: headers.clone(),
            body: Bytes::new(),
        };
        check_answer(&request);
    }
    let available = [ContentCoding::Brotli, ContentCoding::Gzip];
    let chosen = choose_coding(&headers, &available);
    assert!(chosen == ContentCoding::Identity || available.contains(&chosen));
    if !headers.contains_key(header::ACCEPT_ENCODING) {
        assert_eq!(chosen, ContentCoding::Identity);
    }
}

fn field_of(byte: u8) -> HeaderName {
    match byte % 8 {
        0 | 1 => header::RANGE,
        2 => header::IF_RANGE,
        3 => header::IF_NONE_MATCH,
        4 => header::IF_MATCH,
        5 => header::IF_MODIFIED_SINCE,
        6 => header::IF_UNMODIFIED_SINCE,
        _ => header::ACCEPT_ENCODING,
    }
}

fn check_answer(request: &Request) {
    let content: Vec<u8> = (0..CONTENT_BYTES).map(|at| (at % 251) as u8).collect();
    let validated = Response::ok("video/mp4", content.clone())
        .header(header::ETAG, "\"a\"")
        .header(header::LAST_MODIFIED, "Sun, 20 Sep 2026 10:00:00 GMT");
    let answer = apply_range(request, apply_conditions(request, validated));
    let body: Vec<u8> = answer.body.runs().concat();
    let told = answer.headers.get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
    match answer.status {
        StatusCode::OK => assert_eq!((body, told), (content, None)),
        StatusCode::PARTIAL_CONTENT => {
            let (first, last) = range_of(told.unwrap_or_default());
            assert_eq!(Some(&body[..]), content.get(first..=last));
        }
        StatusCode::RANGE_NOT_SATISFIABLE => assert_eq!(told, Some("bytes */1000")),
        StatusCode::NOT_MODIFIED => assert!(body.is_empty()),
        StatusCode::PRECONDITION_FAILED => {}
        other => panic!("{other}"),
    }
}

/// The ends in `bytes 3-7/1000`.
fn range_of(told: &str) -> (usize, usize) {
    let ends = told.strip_prefix("bytes ").and_then(|told| told.strip_suffix("/1000"));
    let (first, last) = ends.and_then(|ends| ends.split_once('-')).unwrap_or_default();
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) => (first, last),
        _ => panic!("Content-Range: {told}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "the seeds are files; a machine needs a start")]

    use std::path::Path;

    use super::*;

    type Target = fn(&[u8]);

    #[test]
    fn every_seed_keeps_the_promises() {
        let targets: &[(&str, Target)] = &[
            ("http_session", |data| http_session(Instant::now(), data)),
            ("http_steps", |data| http_steps(Instant::now(), data)),
            ("http_chunked", http_chunked),
            ("http_answer", http_answer),
        ];
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
        for (name, target) in targets {
            let files = std::fs::read_dir(seeds.join(name)).unwrap();
            let mut count = 0;
            for file in files {
                let path = file.unwrap().path();
                let data = std::fs::read(&path).unwrap();
                let outcome = std::panic::catch_unwind(|| target(&data));
                assert!(outcome.is_ok(), "{}", path.display());
                count += 1;
            }
            assert!(count > 0, "no seed for {name}");
        }
    }
}
