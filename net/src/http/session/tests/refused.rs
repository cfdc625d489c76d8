//! Requests that must be refused, and the connection closed, whoever reads them: the session's own
//! tests feed them to the engine, the live tests to a running server through sockets (T20).
//!
//! `@` at the start stands for the usual head of a POST and `#` for that of a GET.

/// The bytes of a case.
pub(crate) fn wire_of(case: &str) -> Vec<u8> {
    let usual = "/ HTTP/1.1\r\nHost: a\r\n";
    match case.split_at_checked(1) {
        Some(("@", rest)) => format!("POST {usual}{rest}").into_bytes(),
        Some(("#", rest)) => format!("GET {usual}{rest}").into_bytes(),
        _ => case.as_bytes().to_vec(),
    }
}

/// The case and its status. Every one must close the connection, so that nothing behind it is
/// heard.
pub(crate) const REFUSED: &[(&str, u16)] = &[
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
    ("\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
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
