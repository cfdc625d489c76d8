//! Tables of whole conversations. Each is fed whole, byte by byte, and cut in two at every
//! position; the requests seen and the bytes answered must be the same every time (T20).
#![allow(
    clippy::disallowed_methods,
    reason = "an Instant to count from; the machine reads no clock"
)]

use std::time::{Duration, SystemTime};

use super::*;
use crate::http::Body;

mod smuggling;

fn now_at(base: Instant, seconds: u64) -> Now {
    let date = HttpDate::from_system_time(SystemTime::UNIX_EPOCH);
    Now { instant: base + Duration::from_secs(seconds), date }
}

/// Small caps, so that the tables stay readable.
fn limits() -> Rc<Limits> {
    Rc::new(Limits {
        request_line_bytes_max: 64,
        head_bytes_max: 256,
        body_bytes_max: |_, uri| if uri.path() == "/upload" { 1_000 } else { 10 },
        pipelined_bytes_max: 512,
        ..Limits::default()
    })
}

/// What came of a conversation: requests as `METHOD target body`, and the statuses answered.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    requests: Vec<String>,
    answers: Vec<u8>,
    is_finished: bool,
}

fn converse(pieces: &[&[u8]]) -> Outcome {
    let full = converse_by(pieces, false);
    assert_eq!(converse_by(pieces, true), full, "by the short way");
    full
}

/// Plain reads by the short way, if wanted, with sends that take half of the answer.
fn converse_by(pieces: &[&[u8]], is_short: bool) -> Outcome {
    let base = Instant::now();
    let now = now_at(base, 0);
    let mut session = Session::new(base, limits());
    let mut outcome = Outcome { requests: Vec::new(), answers: Vec::new(), is_finished: false };
    let hi = || Response::ok("text/plain", "hi");
    let prepared = Prepared::new(Prepared::head_of(&hi()), hi().body);
    for piece in pieces {
        let mut piece = *piece;
        while let Some(request) = session.plain_request(piece).filter(|_| is_short) {
            piece = &piece[request.byte_len()..];
            let method = if request.is_head_method() { "HEAD" } else { "GET" };
            let query = if request.query().is_empty() { "" } else { "?" };
            let target = format!("{}{query}{}", request.path(), request.query());
            outcome.requests.push(format!("{method} {target} "));
            session.accept_plain(&request);
            session.respond_prepared(now, &prepared, |slices| {
                let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
                outcome.answers.extend_from_slice(&bytes[..bytes.len() / 2]);
                bytes.len() / 2
            });
            transmit_all(&mut session, &mut outcome.answers);
        }
        session.handle_input(now.instant, piece);
        while let Some(request) = session.poll_request(now) {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            outcome.requests.push(format!("{} {} {body}", request.method, request.uri));
            session.respond(now, hi());
        }
        transmit_all(&mut session, &mut outcome.answers);
    }
    outcome.is_finished = session.is_finished();
    outcome
}

fn transmit_all(session: &mut Session, out: &mut Vec<u8>) {
    loop {
        let mut slices = [IoSlice::new(&[]); 3];
        let filled = session.transmit(&mut slices);
        let before = out.len();
        // Short writes: every chunk is cut somewhere in the table.
        for slice in &slices[..filled] {
            out.extend_from_slice(&slice[..slice.len().div_ceil(2)]);
            if slice.len() > 1 {
                break;
            }
        }
        let written = out.len() - before;
        if written == 0 {
            return;
        }
        session.handle_transmitted(written);
    }
}

/// The statuses in a byte stream of answers, bodies told apart by Content-Length.
fn statuses(mut answers: &[u8]) -> Vec<u16> {
    let mut statuses = Vec::new();
    while !answers.is_empty() {
        let mut fields = [httparse::EMPTY_HEADER; 16];
        let mut response = httparse::Response::new(&mut fields);
        let head = match response.parse(answers).unwrap() {
            httparse::Status::Complete(head) => head,
            httparse::Status::Partial => panic!("half an answer: {answers:?}"),
        };
        let length = response
            .headers
            .iter()
            .find(|field| field.name == "content-length")
            .map_or(0, |field| std::str::from_utf8(field.value).unwrap().parse::<usize>().unwrap());
        statuses.push(response.code.unwrap());
        answers = &answers[head + length..];
    }
    statuses
}

/// Feeds `wire` in every way and returns the common outcome.
fn at_every_cut(wire: &[u8]) -> Outcome {
    let whole = converse(&[wire]);
    let bytes: Vec<&[u8]> = wire.chunks(1).collect();
    let shown = String::from_utf8_lossy(wire);
    assert_eq!(converse(&bytes), whole, "byte by byte: {shown:?}");
    for cut in 1..wire.len() {
        let (first, second) = wire.split_at(cut);
        assert_eq!(converse(&[first, second]), whole, "cut at {cut}: {shown:?}");
    }
    whole
}

#[test]
fn oversize_heads_are_refused_at_the_same_byte_however_they_arrive() {
    let long_line = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(80));
    let endless_line = "x".repeat(100);
    let long_head = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "y".repeat(300));
    let endless_head = format!("GET / HTTP/1.1\r\n{}", "X: y\r\n".repeat(60));
    for (wire, status) in
        [(long_line, 414), (endless_line, 414), (long_head, 431), (endless_head, 431)]
    {
        let outcome = at_every_cut(wire.as_bytes());
        assert_eq!(statuses(&outcome.answers), [status], "{wire:?}");
        assert!(outcome.is_finished);
    }
    let fields = "x:\r\n".repeat(HEADER_FIELDS_AND_ONE);
    let wire = format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    let mut session = Session::new(Instant::now(), Rc::new(Limits::default()));
    let now = now_at(Instant::now(), 0);
    session.handle_input(now.instant, wire.as_bytes());
    assert!(session.poll_request(now).is_none());
    let mut answer = Vec::new();
    transmit_all(&mut session, &mut answer);
    assert_eq!(statuses(&answer), [431]);
}

/// With Host one more than allowed.
const HEADER_FIELDS_AND_ONE: usize = crate::http::limits::HEADER_FIELDS_MAX;

#[test]
fn a_body_may_be_as_large_as_its_target_allows() {
    let body = "x".repeat(1_000);
    for (path, statuses_expected) in [("/upload", [200]), ("/", [413])] {
        let wire = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{body}");
        assert_eq!(statuses(&converse(&[wire.as_bytes()]).answers), statuses_expected);
    }
}

/// One request, one response: the bytes answered.
fn answer(request: &str, response: Response) -> String {
    let now = now_at(Instant::now(), 0);
    let mut session = Session::new(now.instant, limits());
    session.handle_input(now.instant, request.as_bytes());
    session.poll_request(now).unwrap();
    session.respond(now, response);
    let mut out = Vec::new();
    transmit_all(&mut session, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn heads_say_length_date_and_connection_and_nothing_twice() {
    let page = || {
        let mut response = Response::ok("text/plain", "hello")
            .header(http::header::CONTENT_LENGTH, "999")
            .header(http::header::DATE, "never")
            .header(http::header::CONNECTION, "upgrade")
            .header(http::header::TRANSFER_ENCODING, "chunked");
        response.headers.append(http::header::VARY, "a".parse().unwrap());
        response.headers.append(http::header::VARY, "b".parse().unwrap());
        response
    };
    let head = "HTTP/1.1 200 OK\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\ncontent-length: 5\r\n\
                content-type: text/plain\r\nvary: a\r\nvary: b\r\n";
    let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(answer(get, page()), format!("{head}\r\nhello"));
    assert_eq!(answer(get, page().closing()), format!("{head}connection: close\r\n\r\nhello"));
    let asked = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    assert_eq!(answer(asked, page()), format!("{head}connection: keep-alive\r\n\r\nhello"));
    let plain = "GET / HTTP/1.0\r\n\r\n";
    assert_eq!(answer(plain, page()), format!("{head}connection: close\r\n\r\nhello"));
    let method = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(answer(method, page()), format!("{head}\r\n"));
    for status in [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED] {
        let mut response = Response::new(status);
        response.body = Body::from("never sent");
        let text = answer(get, response);
        assert!(text.ends_with("GMT\r\n\r\n") && !text.contains("content-length"), "{text}");
    }
    let text = answer(get, Response::new(StatusCode::OK));
    assert!(text.contains("content-length: 0\r\n"), "{text}");
    let text = answer(get, Response::new(StatusCode::SWITCHING_PROTOCOLS));
    assert!(text.starts_with("HTTP/1.1 500 "), "{text}");
}

#[test]
fn long_bodies_and_chains_are_sent_by_reference_behind_their_head() {
    let run = Bytes::from(vec![b'm'; 3_000]);
    let chain: std::sync::Arc<[Bytes]> =
        std::sync::Arc::from(vec![run.clone(), Bytes::new(), run.clone()]);
    let now = now_at(Instant::now(), 0);
    let mut session = Session::new(now.instant, limits());
    session.handle_input(now.instant, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    session.poll_request(now).unwrap();
    session.respond(now, Response::ok("video/mp4", chain));
    let mut slices = [IoSlice::new(&[]); 8];
    let filled = session.transmit(&mut slices);
    assert_eq!(filled, 3);
    assert_eq!(slices[1].as_ptr(), run.as_ptr());
    assert_eq!(slices[2].as_ptr(), run.as_ptr());
    let total: usize = slices[..filled].iter().map(|slice| slice.len()).sum();
    assert_eq!(session.transmit_bytes(), total);
    session.handle_transmitted(total);
    assert_eq!(session.transmit_bytes(), 0);
    assert!(!session.is_finished() && session.wants_input());
}

/// Bytes that count up from 0.
struct Counting;

impl crate::http::ReadAt for Counting {
    fn read_at(&self, offset: u64, length: usize) -> crate::http::Reading {
        let bytes = (offset..).take(length).map(|at| at.to_le_bytes()[0]);
        Box::pin(std::future::ready(Ok(bytes.collect())))
    }
}

#[test]
fn a_stored_body_is_sent_in_pieces_and_the_next_request_waits_behind_it() {
    let now = now_at(Instant::now(), 0);
    let mut session = Session::new(now.instant, limits());
    let get = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    session.handle_input(now.instant, &[&get[..], get].concat());
    let stored = || Stored::new(std::sync::Arc::new(Counting), 300);
    session.poll_request(now).unwrap();
    session.respond(now, Response::ok("video/mp4", Body::Stored(stored())));
    let mut sent = Vec::new();
    while let Some(reading) = session.stored_body().map(Stored::read) {
        assert!(session.poll_request(now).is_none() && session.deadline().is_none());
        assert!(!session.wants_input() && !session.is_answering());
        let mut piece = futures_lite::future::block_on(reading).unwrap();
        // A source may give less than was asked for, or more than is left.
        piece.truncate(70);
        session.handle_piece(now.instant, piece);
        transmit_all(&mut session, &mut sent);
    }
    let text = String::from_utf8_lossy(&sent).into_owned();
    assert!(text.contains("content-length: 300\r\n"), "{text}");
    let body: Vec<u8> = (0..300_u64).map(|at| at.to_le_bytes()[0]).collect();
    assert!(sent.ends_with(&body));
    // A stop meanwhile ends the connection behind the body.
    session.poll_request(now).unwrap();
    session.respond(now, Response::ok("video/mp4", Body::Stored(stored())));
    session.drain();
    session.handle_piece(now.instant, Bytes::from(vec![0; 400]));
    sent.clear();
    transmit_all(&mut session, &mut sent);
    assert!(session.is_finished() && sent.ends_with(&[0; 300]) && sent.len() < 500);
}

#[test]
fn a_stored_body_is_not_read_for_a_head_request() {
    let now = now_at(Instant::now(), 0);
    let mut session = Session::new(now.instant, limits());
    session.handle_input(now.instant, b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    session.poll_request(now).unwrap();
    let stored = Stored::new(std::sync::Arc::new(Counting), 300);
    session.respond(now, Response::ok("video/mp4", Body::Stored(stored)));
    assert!(session.stored_body().is_none() && session.wants_input());
}

#[test]
fn continue_is_said_only_to_a_waiting_peer() {
    let now = now_at(Instant::now(), 0);
    let head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: ";
    let cases = [
        (format!("{head}3\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n"),
        (format!("{head}3\r\n\r\na"), ""),
        (format!("{head}0\r\n\r\n"), ""),
    ];
    for (wire, interim) in cases {
        let mut session = Session::new(now.instant, limits());
        session.handle_input(now.instant, wire.as_bytes());
        let _ = session.poll_request(now);
        let mut out = Vec::new();
        transmit_all(&mut session, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), interim, "{wire:?}");
    }
    let refused = converse(&[format!("{head}11\r\n\r\n").as_bytes()]);
    assert_eq!(statuses(&refused.answers), [413]);
}

#[test]
fn the_absolute_form_replaces_the_host() {
    let now = now_at(Instant::now(), 0);
    let mut session = Session::new(now.instant, limits());
    session.handle_input(now.instant, b"GET http://real:8080/x?y HTTP/1.1\r\nHost: other\r\n\r\n");
    let request = session.poll_request(now).unwrap();
    assert_eq!(request.header("host"), Some("real:8080"));
    assert_eq!(request.uri.path(), "/x");
}

#[test]
fn deadlines_are_absolute_per_phase() {
    let base = Instant::now();
    let after = |seconds| Some(base + Duration::from_secs(seconds));
    let mut session = Session::new(base, limits());
    assert_eq!(session.deadline(), after(10));
    // One byte per three seconds does not move the deadline of the head (F24).
    for second in [3, 6, 9] {
        session.handle_input(now_at(base, second).instant, b"G");
        assert!(session.poll_request(now_at(base, second)).is_none());
        assert_eq!(session.deadline(), after(10));
    }
    session.handle_timeout(now_at(base, 9));
    assert!(session.wants_input());
    session.handle_timeout(now_at(base, 10));
    let mut out = Vec::new();
    transmit_all(&mut session, &mut out);
    assert_eq!(statuses(&out), [408]);
    assert!(session.is_finished() && session.wants_linger());

    let mut session = Session::new(base, limits());
    session.handle_input(base, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
    assert!(session.poll_request(now_at(base, 1)).is_none());
    assert_eq!(session.deadline(), after(31));
    session.handle_input(now_at(base, 30).instant, b"cde");
    assert!(session.poll_request(now_at(base, 30)).is_some());
    assert_eq!(session.deadline(), None);
    session.respond(now_at(base, 40), Response::ok("text/plain", "hi"));
    assert_eq!(session.deadline(), after(100));
    // A stray line end is no request: the connection stays idle. A byte starts a head.
    session.handle_input(now_at(base, 50).instant, b"\r\n");
    assert_eq!(session.deadline(), after(100));
    session.handle_input(now_at(base, 60).instant, b"G");
    assert_eq!(session.deadline(), after(70));

    let mut session = Session::new(base, limits());
    session.handle_timeout(now_at(base, 10));
    assert!(session.is_finished() && !session.wants_linger(), "idle closes without a word");
}

#[test]
fn pipelined_input_is_bounded_and_answered_in_order() {
    let now = now_at(Instant::now(), 0);
    let mut session = Session::new(now.instant, limits());
    for path in ["/1", "/2"] {
        let wire = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        session.handle_input(now.instant, wire.as_bytes());
    }
    assert_eq!(session.poll_request(now).unwrap().uri.path(), "/1");
    assert!(session.poll_request(now).is_none(), "one at a time");
    assert!(session.wants_input() && session.is_answering());
    session.handle_input(now.instant, &[b'x'; 512]);
    assert!(!session.wants_input(), "back-pressure");
    session.respond(now, Response::ok("text/plain", "first"));
    assert_eq!(session.poll_request(now).unwrap().uri.path(), "/2");
    session.respond(now, Response::ok("text/plain", "second"));
    assert!(session.poll_request(now).is_none());
    let mut out = Vec::new();
    transmit_all(&mut session, &mut out);
    assert_eq!(statuses(&out), [200, 200, 414]);
    let text = String::from_utf8(out).unwrap();
    assert!(text.find("first").unwrap() < text.find("second").unwrap());
}

#[test]
fn draining_closes_idle_sessions_now_and_busy_ones_after_their_answer() {
    let now = now_at(Instant::now(), 0);
    let mut idle = Session::new(now.instant, limits());
    idle.drain();
    assert!(idle.is_finished());
    let mut busy = Session::new(now.instant, limits());
    busy.handle_input(now.instant, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    busy.poll_request(now).unwrap();
    busy.drain();
    assert!(!busy.is_finished());
    busy.respond(now, Response::ok("text/plain", "hi"));
    let mut out = Vec::new();
    transmit_all(&mut busy, &mut out);
    assert!(String::from_utf8(out).unwrap().contains("connection: close"));
    assert!(busy.is_finished());
}

#[test]
fn the_end_of_input_answers_what_is_whole_and_drops_what_is_not() {
    let now = now_at(Instant::now(), 0);
    let mut session = Session::new(now.instant, limits());
    session.handle_input(now.instant, b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HT");
    session.handle_end_of_input();
    assert!(!session.wants_input());
    assert_eq!(session.poll_request(now).unwrap().uri.path(), "/1");
    session.respond(now, Response::ok("text/plain", "hi"));
    assert!(session.poll_request(now).is_none());
    let mut out = Vec::new();
    transmit_all(&mut session, &mut out);
    assert_eq!(statuses(&out), [200]);
    assert!(session.is_finished() && !session.wants_linger());
}

#[test]
fn an_answer_without_a_request_is_dropped() {
    let now = now_at(Instant::now(), 0);
    let mut session = Session::new(now.instant, limits());
    session.respond(now, Response::ok("text/plain", "unasked"));
    assert_eq!(session.transmit_bytes(), 0);
    assert!(session.wants_input());
}

#[test]
fn the_last_request_allowed_closes() {
    let now = now_at(Instant::now(), 0);
    let limits = Rc::new(Limits { requests_max: 2, ..Limits::default() });
    let mut session = Session::new(now.instant, limits);
    for is_last in [false, true] {
        session.handle_input(now.instant, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        session.poll_request(now).unwrap();
        session.respond(now, Response::ok("text/plain", "hi"));
        let mut out = Vec::new();
        transmit_all(&mut session, &mut out);
        assert_eq!(session.is_finished(), is_last);
    }
}

/// F22: answers that wait for the peer give it time to read them, so it must not gather more.
#[test]
fn plain_reads_wait_behind_an_answer_that_was_not_taken() {
    let now = now_at(Instant::now(), 0);
    let mut session = Session::new(now.instant, limits());
    let answer = Response::ok("video/mp4", "part");
    let prepared = Prepared::new(Prepared::head_of(&answer), answer.body);
    let wire = b"GET /part HTTP/1.1\r\nHost: a\r\n\r\n";
    let request = session.plain_request(wire).unwrap();
    session.accept_plain(&request);
    session.respond_prepared(now, &prepared, |_| 10);
    assert!(session.transmit_bytes() > 0);
    assert!(session.plain_request(wire).is_none());
    transmit_all(&mut session, &mut Vec::new());
    assert!(session.plain_request(wire).is_some());
}
