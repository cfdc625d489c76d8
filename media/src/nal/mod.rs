//! What H.264 and HEVC have in common: NAL units in either framing, emulation prevention, and the
//! signal description at the beginning of their video usability information.

pub mod annexb;
mod framing;
mod signal;

use std::borrow::Cow;

pub use framing::{Framing, FramingError, LengthSize, nal_ranges, with_four_byte_lengths};
pub use signal::Signal;

/// The payload of a NAL unit (header excluded) without emulation prevention bytes (§7.4.1).
pub fn rbsp(payload: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = payload.windows(3).position(|three| three == [0, 0, 3]) else {
        return Cow::Borrowed(payload);
    };
    let mut clean = Vec::with_capacity(payload.len());
    let (head, rest) = payload.split_at(first);
    clean.extend_from_slice(head);
    let mut zeros = 0;
    for &byte in rest {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        clean.push(byte);
    }
    Cow::Owned(clean)
}

/// The NAL unit of a parameter set without the zero bytes that pad it: its payload ends with a stop
/// bit.
pub fn without_padding(nal: &[u8]) -> &[u8] {
    let len = nal.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    nal.get(..len).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emulation_prevention_is_removed_wherever_it_stands() {
        for (name, coded, clean) in [
            ("none", &[1, 2, 3][..], &[1, 2, 3][..]),
            ("inside", &[1, 0, 0, 3, 1], &[1, 0, 0, 1]),
            ("at the start", &[0, 0, 3, 0, 0, 3, 2], &[0, 0, 0, 0, 2]),
            ("at the end", &[5, 0, 0, 3], &[5, 0, 0]),
            ("a real three", &[0, 3, 0, 3], &[0, 3, 0, 3]),
            ("twice in a run", &[0, 0, 3, 3], &[0, 0, 3]),
            ("empty", &[], &[]),
        ] {
            assert_eq!(rbsp(coded).as_ref(), clean, "{name}");
        }
    }

    #[test]
    fn padding_is_zeros_at_the_end() {
        for (nal, want) in [(&[1, 0, 2, 0, 0][..], &[1, 0, 2][..]), (&[0, 0], &[]), (&[], &[])] {
            assert_eq!(without_padding(nal), want);
        }
    }
}
