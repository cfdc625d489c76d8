//! The digests that Flash-era peers hide in C1, S1 and S2 (HS-9 to HS-12).
//!
//! ```text
//!            0      4        8                                 772                       1536
//! layout A   time   version  offset(4) … digest at 12 + offset …
//! layout B   time   version                                    offset(4) … digest at 776 + offset
//! ```
//!
//! The offset is the sum of its four bytes modulo 728. A digest is HMAC-SHA256 of the 1504 bytes
//! around it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::PACKET_LEN;

pub(super) const DIGEST_LEN: usize = 32;

const CLIENT_KEY: &[u8] = b"Genuine Adobe Flash Player 001";
const SERVER_KEY: &[u8; 68] = b"Genuine Adobe Flash Media Server 001\
    \xF0\xEE\xC2\x4A\x80\x68\xBE\xE8\x2E\x00\xD0\xD1\x02\x9E\x7E\x57\
    \x6E\xEC\x5D\x2D\x29\x80\x6F\xAB\x93\xB8\xE6\x36\xCF\xEB\x31\xAE";
const SERVER_KEY_TEXT_LEN: usize = 36;

/// Where a peer puts its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    A,
    B,
}

/// A digest and where it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digest {
    pub(super) layout: Layout,
    pub(super) bytes: [u8; DIGEST_LEN],
}

impl Layout {
    /// First byte of the digest in `packet`: at most 1503, so digest and slices always fit.
    fn position(self, packet: &[u8; PACKET_LEN]) -> usize {
        let offset_at = match self {
            Self::A => 8,
            Self::B => 772,
        };
        let sum: usize =
            packet[offset_at..offset_at + 4].iter().map(|byte| usize::from(*byte)).sum();
        offset_at + 4 + sum % 728
    }
}

/// HMAC-SHA256 over the concatenation of `parts`.
pub(super) fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; DIGEST_LEN] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// The client's digest in C1, layout A tried before B (HS-10). `None` when neither verifies.
pub(super) fn find_client_digest(c1: &[u8; PACKET_LEN]) -> Option<Digest> {
    find(c1, CLIENT_KEY)
}

fn find(packet: &[u8; PACKET_LEN], key: &[u8]) -> Option<Digest> {
    [Layout::A, Layout::B].into_iter().find_map(|layout| {
        let expected = digest_at(packet, layout, key);
        let at = layout.position(packet);
        let found = &packet[at..at + DIGEST_LEN];
        bool::from(expected.ct_eq(found)).then_some(Digest { layout, bytes: expected })
    })
}

fn digest_at(packet: &[u8; PACKET_LEN], layout: Layout, key: &[u8]) -> [u8; DIGEST_LEN] {
    let at = layout.position(packet);
    hmac(key, &[&packet[..at], &packet[at + DIGEST_LEN..]])
}

/// Puts the server's digest into a finished S1 (HS-11).
pub(super) fn sign_s1(s1: &mut [u8; PACKET_LEN], layout: Layout) {
    sign(s1, layout, &SERVER_KEY[..SERVER_KEY_TEXT_LEN]);
}

fn sign(packet: &mut [u8; PACKET_LEN], layout: Layout, key: &[u8]) {
    let digest = digest_at(packet, layout, key);
    let at = layout.position(packet);
    packet[at..at + DIGEST_LEN].copy_from_slice(&digest);
}

/// Replaces the last 32 bytes of S2 by the signature over the rest (HS-12).
pub(super) fn sign_s2(s2: &mut [u8; PACKET_LEN], client_digest: &[u8; DIGEST_LEN]) {
    let key = hmac(SERVER_KEY, &[client_digest]);
    let (signed, signature) = s2.split_at_mut(PACKET_LEN - DIGEST_LEN);
    signature.copy_from_slice(&hmac(&key, &[signed]));
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// A C1 as FMLE or FFmpeg would sign it.
    pub(crate) fn sign_c1(c1: &mut [u8; PACKET_LEN], layout: Layout) {
        sign(c1, layout, CLIENT_KEY);
    }

    /// What a Flash-era client checks in S1.
    pub(crate) fn s1_layout(s1: &[u8; PACKET_LEN]) -> Option<Layout> {
        find(s1, &SERVER_KEY[..SERVER_KEY_TEXT_LEN]).map(|digest| digest.layout)
    }
}
