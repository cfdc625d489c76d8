//! Send times inside the pictures: how a viewer knows, without help from the server, when the
//! publisher had sent what it receives.
//!
//! Each picture carries an SEI message "user data unregistered" (H.264 §D.1.6) with our UUID and
//! the monotonic clock in 16 hexadecimal digits. A server that passes pictures through passes it
//! on.
//! Publisher and viewers must run on one machine.

use rustix::time::{ClockId, clock_gettime};

/// Tells our messages from others; no zero byte, so emulation prevention leaves it alone.
const UUID: [u8; 16] = *b"riverrun-stamp-1";
const DIGITS: usize = 16;
/// NAL header, payload type, payload size, payload, stop bit.
const NAL_BYTES: usize = 3 + UUID.len() + DIGITS + 1;

/// Bytes of a stamp in an AVC sample: length field and NAL unit.
pub const STAMP_BYTES: usize = 4 + NAL_BYTES;

/// Nanoseconds of the monotonic clock, equal in all processes of the machine.
pub fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

/// Appends a stamp of time 0 to an AVC sample; [`set`] fills it in when the sample is sent.
pub fn reserve(sample: &mut Vec<u8>) {
    sample.extend_from_slice(&u32::try_from(NAL_BYTES).unwrap_or(0).to_be_bytes());
    sample.extend_from_slice(&[6, 5, u8::try_from(UUID.len() + DIGITS).unwrap_or(0)]);
    sample.extend_from_slice(&UUID);
    sample.extend_from_slice(&[b'0'; DIGITS]);
    sample.push(0x80);
}

/// Writes `time` into the stamp that begins at `at`.
pub fn set(sample: &mut [u8], at: usize, time: u64) {
    let digits = at + STAMP_BYTES - 1 - DIGITS;
    let Some(field) = sample.get_mut(digits..digits + DIGITS) else { return };
    for (place, digit) in field.iter_mut().rev().enumerate() {
        let nibble = u8::try_from((time >> (4 * place)) & 0xF).unwrap_or(0);
        *digit = if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
    }
}

/// The stamps in a piece of media, in order.
pub fn find(media: &[u8]) -> Vec<u64> {
    let mut found = Vec::new();
    let mut rest = media;
    while let Some(at) = rest.windows(UUID.len()).position(|window| window == UUID) {
        rest = rest.get(at + UUID.len()..).unwrap_or_default();
        let digits = rest.get(..DIGITS).and_then(|digits| std::str::from_utf8(digits).ok());
        found.extend(digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_found() {
        let mut sample = b"before".to_vec();
        let at = sample.len();
        reserve(&mut sample);
        assert_eq!(sample.len(), at + STAMP_BYTES);
        set(&mut sample, at, 0x0123_4567_89ab_cdef);
        sample.extend_from_slice(b"between");
        let second = sample.len();
        reserve(&mut sample);
        set(&mut sample, second, 42);
        assert_eq!(find(&sample), [0x0123_4567_89ab_cdef, 42]);
        for cut in 0..sample.len() {
            assert!(find(&sample[..cut]).len() <= 2);
        }
    }
}
