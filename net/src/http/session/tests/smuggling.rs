//! One case per slip that HTTP/1.1 servers are known for (T20).

#[path = "refused.rs"]
mod refused;

use self::refused::{REFUSED, wire_of};
use super::*;

#[test]
fn conversations_that_stay_in_step() {
    let cases: &[(&str, &[&str], bool)] = &[
        ("#\r\n", &["GET / "], false),
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n", &["GET / "], false),
        ("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", &["GET / "], false),
        ("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", &["GET / "], false),
        ("GET /a?b=c%20d HTTP/1.1\r\nhOST: a:80\r\nX:\t y \r\n\r\n", &["GET /a?b=c%20d "], false),
        ("GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n", &["GET http://b/x "], false),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", &["OPTIONS * "], false),
        ("PURGE / HTTP/1.1\r\nHost: a\r\n\r\n", &["PURGE / "], false),
        ("@Content-Length: 3\r\n\r\nabc", &["POST / abc"], false),
        ("@Content-Length: 0\r\n\r\n", &["POST / "], false),
        ("@Content-Length: 003\r\n\r\nabc", &["POST / abc"], false),
        (
            "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
            &["GET /1 ", "GET /2 "],
            false,
        ),
        (
            "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab\r\n\
             POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n\
             2\r\ncd\r\n0\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n",
            &["POST /1 ab", "POST /2 cd", "GET /3 "],
            false,
        ),
        ("GET / HTTP/1.0\r\n\r\n", &["GET / "], true),
        ("GET / HTTP/1.0\r\nExpect: x\r\n\r\n", &["GET / "], true),
        ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", &["GET / "], false),
        ("#Connection: x, Close\r\n\r\n", &["GET / "], true),
        (
            "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n\
             GET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
            &["GET /1 "],
            true,
        ),
        ("#X: caf\u{e9}\r\n\r\n", &["GET / "], false),
    ];
    for (wire, requests, is_finished) in cases {
        let outcome = at_every_cut(&wire_of(wire));
        assert_eq!(outcome.requests, *requests, "{wire:?}");
        assert_eq!(outcome.is_finished, *is_finished, "{wire:?}");
        assert_eq!(statuses(&outcome.answers), vec![200; requests.len()], "{wire:?}");
    }
}

/// One case per slip that HTTP/1.1 servers are known for. A smuggled second request must never be
/// seen: every case closes the connection.
#[test]
fn smuggling_and_malformed_requests_are_refused_and_the_connection_closed() {
    // Beside the common ones those that exceed the small caps of this table.
    let small: &[(&str, u16)] = &[
        ("@Content-Length: 11\r\n\r\n", 413),
        ("@Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n6\r\n", 413),
    ];
    for (wire, status) in REFUSED.iter().chain(small) {
        let wire = [wire_of(wire).as_slice(), b"GET /evil HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
        let outcome = at_every_cut(&wire);
        let shown = String::from_utf8_lossy(&wire);
        assert_eq!(outcome.requests, Vec::<String>::new(), "{shown:?}");
        assert_eq!(statuses(&outcome.answers), [*status], "{shown:?}");
        assert!(outcome.is_finished, "{shown:?}");
        let answer = String::from_utf8_lossy(&outcome.answers).into_owned();
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
        assert!(answer.contains("\r\naccess-control-allow-origin: *\r\n"), "{answer}");
    }
}

/// Found by fuzzing: cut between its CR and LF, an empty line before a request hid the byte after
/// it from the search for bare line feeds.
#[test]
fn an_empty_line_that_comes_in_two_pieces_hides_nothing() {
    let rest = b"\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let outcome = converse(&[b"\r", rest]);
    assert_eq!(statuses(&outcome.answers), [400]);
    assert_eq!(outcome, converse(&[&[b"\r", &rest[..]].concat()]));
}
