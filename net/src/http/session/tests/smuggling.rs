//! One case per slip that HTTP/1.1 servers are known for (T20).
//!
//! In the tables `@` at the start stands for the usual head of a POST and `#` for that of a GET.

use super::*;

fn wire_of(case: &str) -> Vec<u8> {
    let usual = "/ HTTP/1.1\r\nHost: a\r\n";
    match case.split_at_checked(1) {
        Some(("@", rest)) => format!("POST {usual}{rest}").into_bytes(),
        Some(("#", rest)) => format!("GET {usual}{rest}").into_bytes(),
        _ => case.as_bytes().to_vec(),
    }
}

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
    let cases: &[(&str, u16)] = &[
        // Two lengths, or one that parsers read differently.
        ("@Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("@Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n", 400),
        ("@Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
        ("@Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
        ("@Content-Length: 3, 3\r\n\r\nabc", 400),
        ("@Content-Length: +3\r\n\r\nabc", 400),
        ("@Content-Length: -0\r\n\r\n", 400),
        ("@Content-Length: 0x3\r\n\r\nabc", 400),
        ("@Content-Length: 3_0\r\n\r\nabc", 400),
        ("@Content-Length: 3 0\r\n\r\nabc", 400),
        ("@Content-Length:\r\n\r\nabc", 400),
        ("@Content-Length: 99999999999999999999999\r\n\r\n", 400),
        ("@Content-Length: 18446744073709551615\r\n\r\n", 413),
        ("@Content-Length: 11\r\n\r\n", 413),
        // Transfer codings.
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("@Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
        ("@Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("@Transfer-Encoding:\r\n\r\n", 400),
        ("@Transfer-Encoding: ,chunked\r\n\r\n", 400),
        ("@Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
        ("@Transfer-Encoding: identity\r\n\r\n", 501),
        ("@Transfer-Encoding: xchunked\r\n\r\n", 501),
        ("@Transfer-Encoding: \"chunked\"\r\n\r\n", 501),
        ("@Transfer-Encoding: chunked;q=1\r\n\r\n", 501),
        ("@Transfer-Encoding: \x0bchunked\r\n\r\n", 400),
        ("@Transfer_Encoding: chunked\r\nTransfer-Encoding : chunked\r\n\r\n", 400),
        // Chunks.
        ("@Transfer-Encoding: chunked\r\n\r\n0x2\r\nab\r\n0\r\n\r\n", 400),
        ("@Transfer-Encoding: chunked\r\n\r\n2 \r\nab\r\n0\r\n\r\n", 400),
        ("@Transfer-Encoding: chunked\r\n\r\n2\nab\r\n0\r\n\r\n", 400),
        ("@Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n", 400),
        ("@Transfer-Encoding: chunked\r\n\r\n2\r\nab0\r\n\r\n", 400),
        ("@Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\nab\r\n", 400),
        ("@Transfer-Encoding: chunked\r\n\r\nffffffff\r\n", 413),
        ("@Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n", 400),
        ("@Transfer-Encoding: chunked\r\n\r\n9;a\n\r\n", 400),
        ("@Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\n\r\n", 400),
        ("@Transfer-Encoding: chunked\r\n\r\n0\r\nno colon\r\n\r\n", 400),
        ("@Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n6\r\n", 413),
        // Lines.
        ("GET / HTTP/1.1\nHost: a\n\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n", 400),
        ("#X: a\rb\r\n\r\n", 400),
        ("#X: a\r\r\n\r\n", 400),
        ("#X: a\0b\r\n\r\n", 400),
        ("#X\0: b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
        ("#X: a\r\n b\r\n\r\n", 400),
        ("#\tX: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        ("#no colon\r\n\r\n", 400),
        ("#: b\r\n\r\n", 400),
        ("#X(y): b\r\n\r\n", 400),
        ("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        // Request lines.
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
        ("GET /\r\n\r\n", 400),
        ("G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / http/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/11\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        ("GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505),
        ("GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        ("\x16\x03\x01\x02\x00\x01\n", 400),
        // Targets and hosts.
        ("GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("#Host: b\r\n\r\n", 400),
        ("#Host: a\r\n\r\n", 400),
        ("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        ("#Expect: miracles\r\n\r\n", 417),
    ];
    for (wire, status) in cases {
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
