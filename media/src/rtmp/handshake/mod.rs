//! The server's half of the RTMP handshake (RTMP §5.2, HS-1 to HS-14).
//!
//! ```text
//! client   C0(1) C1(1536)                 C2(1536) chunks…
//! server                  S0(1) S1 S2                       chunks…
//! ```
//!
//! A plain C1 gets zeros in S1's version and itself back as S2 (HS-4, HS-5). A C1 with a digest
//! gets digests (HS-11, HS-12). C2 is counted and never looked at (HS-6). Text, TLS and RTMPE are
//! refused by the first byte (HS-2). Bytes after C2 stay with the caller (HS-7).

mod digest;

use crate::rtmp::error::{Error, OtherProtocol};

/// Length of C1, S1, C2 and S2.
pub(crate) const PACKET_LEN: usize = 1536;

const VERSION: u8 = 3;
const TLS_HANDSHAKE_RECORD: u8 = 0x16;
const FIRST_TEXT_BYTE: u8 = 32;
/// S1's version towards digest clients; must be non-zero (HS-11).
const DIGEST_SERVER_VERSION: [u8; 4] = [4, 5, 0, 1];

/// Progress of one handshake.
#[derive(Debug)]
pub(crate) struct Handshake {
    entropy: [u8; 32],
    /// C0 and C1 as they arrive; emptied once they are answered.
    received: Vec<u8>,
    /// Bytes of C2 still to drop, once S2 is out.
    c2_left: Option<usize>,
}

impl Handshake {
    /// `entropy` becomes the filler of S1 and S2.
    pub(crate) const fn new(entropy: [u8; 32]) -> Self {
        Self { entropy, received: Vec::new(), c2_left: None }
    }

    /// Takes handshake bytes from the front of `input` and appends the answer to `out` when C1 is
    /// complete. True once C2 has passed: what is left of `input` are chunks.
    ///
    /// `uptime_ms` is the time S1 states, counted from accept.
    pub(crate) fn read(
        &mut self,
        input: &mut &[u8],
        uptime_ms: u32,
        out: &mut Vec<u8>,
    ) -> Result<bool, Error> {
        if self.c2_left.is_none() {
            let missing = 1 + PACKET_LEN - self.received.len();
            self.received.extend_from_slice(take_up_to(input, missing));
            if let Some(&first) = self.received.first() {
                check_version(first)?;
            }
            let Some((_, c1)) = self.received.split_first() else { return Ok(false) };
            let Ok(c1) = <&[u8; PACKET_LEN]>::try_from(c1) else { return Ok(false) };
            self.answer(c1, uptime_ms, out);
            self.received = Vec::new();
            self.c2_left = Some(PACKET_LEN);
        }
        let left = self.c2_left.unwrap_or(PACKET_LEN);
        let left = left - take_up_to(input, left).len();
        self.c2_left = Some(left);
        Ok(left == 0)
    }

    /// Bytes held.
    pub(crate) fn buffered_bytes(&self) -> usize {
        self.received.capacity()
    }

    fn answer(&self, c1: &[u8; PACKET_LEN], uptime_ms: u32, out: &mut Vec<u8>) {
        let offers_digest = c1[4..8] != [0; 4];
        let digest = offers_digest.then(|| digest::find_client_digest(c1)).flatten();

        let mut s1 = [0; PACKET_LEN];
        s1[..4].copy_from_slice(&uptime_ms.to_be_bytes());
        self.fill(0, &mut s1[8..]);
        let mut s2 = *c1;
        if let Some(digest) = digest {
            s1[4..8].copy_from_slice(&DIGEST_SERVER_VERSION);
            digest::sign_s1(&mut s1, digest.layout);
            self.fill(1, &mut s2);
            digest::sign_s2(&mut s2, &digest.bytes);
        }
        out.push(VERSION);
        out.extend_from_slice(&s1);
        out.extend_from_slice(&s2);
    }

    /// Filler that cannot be guessed and differs per packet: HMAC(entropy, packet, block).
    fn fill(&self, packet: u8, bytes: &mut [u8]) {
        for (block, chunk) in (0u32..).zip(bytes.chunks_mut(digest::DIGEST_LEN)) {
            let filler = digest::hmac(&self.entropy, &[&[packet], &block.to_be_bytes()]);
            chunk.copy_from_slice(&filler[..chunk.len()]);
        }
    }
}

fn check_version(first: u8) -> Result<(), Error> {
    let not_rtmp = |protocol| Err(Error::NotRtmp { first, protocol });
    match first {
        6 | 8 | 9 => Err(Error::Rtmpe { version: first }),
        TLS_HANDSHAKE_RECORD => not_rtmp(OtherProtocol::Tls),
        // GET, HEAD, OPTIONS, POST, PUT, and PROXY of a load balancer: text methods all the same.
        b'G' | b'H' | b'O' | b'P' => not_rtmp(OtherProtocol::Http),
        FIRST_TEXT_BYTE.. => not_rtmp(OtherProtocol::Unknown),
        _ => Ok(()),
    }
}

fn take_up_to<'a>(input: &mut &'a [u8], len: usize) -> &'a [u8] {
    let (head, rest) = input.split_at(len.min(input.len()));
    *input = rest;
    head
}

#[cfg(test)]
pub(crate) mod testing {
    use super::{PACKET_LEN, digest};

    /// Signs a C1 as FFmpeg does, in layout A.
    pub(crate) fn sign_c1(c1: &mut [u8; PACKET_LEN]) {
        digest::testing::sign_c1(c1, digest::Layout::A);
    }
}

#[cfg(test)]
mod tests {
    use super::digest::Layout;
    use super::digest::testing::{s1_layout, sign_c1};
    use super::*;

    fn c1(version: [u8; 4]) -> [u8; PACKET_LEN] {
        let mut c1 = [0; PACKET_LEN];
        for (index, byte) in c1.iter_mut().enumerate().skip(8) {
            *byte = (index * 7 % 251) as u8;
        }
        c1[4..8].copy_from_slice(&version);
        c1
    }

    fn answer(c0: u8, c1: &[u8; PACKET_LEN]) -> (u8, [u8; PACKET_LEN], [u8; PACKET_LEN]) {
        let mut handshake = Handshake::new([7; 32]);
        let input = [&[c0], c1.as_slice()].concat();
        let mut out = Vec::new();
        assert_eq!(handshake.read(&mut input.as_slice(), 5, &mut out), Ok(false));
        let (s0, rest) = out.split_first().unwrap();
        let (s1, s2) = rest.split_at(PACKET_LEN);
        (*s0, s1.try_into().unwrap(), s2.try_into().unwrap())
    }

    #[test]
    fn hs_3_hs_4_hs_5_plain_clients_get_zeros_and_their_echo() {
        for (name, c1) in
            [("plain", c1([0; 4])), ("version without digest", c1([0x0A, 0, 0x2D, 2]))]
        {
            let (s0, s1, s2) = answer(3, &c1);
            assert_eq!(s0, 3, "{name}");
            assert_eq!(s1[..8], [0, 0, 0, 5, 0, 0, 0, 0], "{name}");
            assert_eq!(s2, c1, "{name}");
            assert_ne!(s1[8..40], s1[40..72], "{name}: filler repeats");
        }
    }

    #[test]
    fn hs_10_hs_11_hs_12_digest_clients_get_digests_in_their_layout() {
        for layout in [Layout::A, Layout::B] {
            let mut c1 = c1([0x80, 0, 7, 2]);
            sign_c1(&mut c1, layout);
            let (s0, s1, s2) = answer(3, &c1);
            assert_eq!(s0, 3);
            assert_ne!(s1[4..8], [0; 4]);
            assert_eq!(s1_layout(&s1), Some(layout));
            let client_digest = digest::find_client_digest(&c1).unwrap();
            assert_eq!(client_digest.layout, layout);
            let mut again = s2;
            digest::sign_s2(&mut again, &client_digest.bytes);
            assert_eq!(again, s2);
            assert_ne!(s2, c1);
        }
    }

    #[test]
    fn hs_2_first_byte_decides() {
        use OtherProtocol::{Http, Tls, Unknown};
        for version in [0, 1, 3, 4, 7, 31] {
            assert_eq!(answer(version, &c1([0; 4])).0, 3, "version {version}");
        }
        for (first, error) in [
            (6, Error::Rtmpe { version: 6 }),
            (8, Error::Rtmpe { version: 8 }),
            (9, Error::Rtmpe { version: 9 }),
            (0x16, Error::NotRtmp { first: 0x16, protocol: Tls }),
            (b'G', Error::NotRtmp { first: b'G', protocol: Http }),
            (b'P', Error::NotRtmp { first: b'P', protocol: Http }),
            (b' ', Error::NotRtmp { first: b' ', protocol: Unknown }),
            (0xFF, Error::NotRtmp { first: 0xFF, protocol: Unknown }),
        ] {
            let got = Handshake::new([0; 32]).read(&mut [first].as_slice(), 0, &mut Vec::new());
            assert_eq!(got, Err(error));
        }
    }

    #[test]
    fn hs_6_hs_7_c2_is_dropped_and_what_follows_is_left() {
        let mut whole = vec![3];
        whole.extend_from_slice(&c1([0; 4]));
        whole.extend_from_slice(&[0xEE; PACKET_LEN]);
        whole.extend_from_slice(b"chunks");
        for cut in 0..whole.len() {
            let mut handshake = Handshake::new([0; 32]);
            let mut out = Vec::new();
            let (mut first, mut second) = whole.split_at(cut);
            let done = handshake.read(&mut first, 0, &mut out).unwrap();
            assert_eq!(done, cut > 2 * PACKET_LEN, "cut at {cut}");
            // HS-8: the answer is there with C1's last byte and not before.
            assert_eq!(out.is_empty(), cut < 1 + PACKET_LEN, "cut at {cut}");
            if !done {
                assert!(first.is_empty());
                assert_eq!(handshake.read(&mut second, 0, &mut out), Ok(true));
                assert_eq!(second, b"chunks", "cut at {cut}");
            }
            assert_eq!(out.len(), 1 + 2 * PACKET_LEN);
        }
    }
}
