//! Start-code framing (H.264 Annex B), which some encoders send under an AVC tag (AV-3).

use std::ops::Range;

/// The first bytes are a start code of three or four bytes.
pub fn starts_with_start_code(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0, 0, 1]) || bytes.starts_with(&[0, 0, 0, 1])
}

/// The NAL units between start codes, without the zero bytes that pad them (§B.1). Empty units are
/// left out, and so is anything before the first start code.
pub fn split(bytes: &[u8]) -> Split<'_> {
    let (at, start) = next_start(bytes, 0).map_or((bytes.len(), bytes.len()), |found| found);
    debug_assert!(at <= start);
    Split { bytes, start }
}

/// Iterator over the byte ranges of NAL units.
#[derive(Debug, Clone)]
pub struct Split<'a> {
    bytes: &'a [u8],
    start: usize,
}

impl Iterator for Split<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        while self.start < self.bytes.len() {
            let start = self.start;
            let (mut end, next) = match next_start(self.bytes, start) {
                Some(found) => found,
                None => (self.bytes.len(), self.bytes.len()),
            };
            self.start = next;
            while end > start && self.bytes.get(end - 1) == Some(&0) {
                end -= 1;
            }
            if end > start {
                return Some(start..end);
            }
        }
        None
    }
}

/// Where the next start code begins and where the bytes after it begin.
fn next_start(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let rest = bytes.get(from..)?;
    let at = from + rest.windows(3).position(|three| three == [0, 0, 1])?;
    Some((at, at + 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_codes_of_both_lengths_split() {
        type Case = (&'static str, &'static [u8], &'static [&'static [u8]]);
        let cases: &[Case] = &[
            ("four bytes", &[0, 0, 0, 1, 9, 16, 0, 0, 0, 1, 65, 7], &[&[9, 16], &[65, 7]]),
            ("three bytes", &[0, 0, 1, 9, 0, 0, 1, 65], &[&[9], &[65]]),
            ("padding", &[0, 0, 1, 9, 0, 0, 0, 0, 0, 1, 65, 0, 0], &[&[9], &[65]]),
            ("empty units", &[0, 0, 1, 0, 0, 1, 0, 0, 1, 65], &[&[65]]),
            ("leading bytes", &[7, 7, 0, 0, 1, 65], &[&[65]]),
            ("no start code", &[1, 2, 3], &[]),
            ("nothing", &[], &[]),
        ];
        for (name, bytes, expected) in cases {
            let units: Vec<&[u8]> = split(bytes).map(|range| &bytes[range]).collect();
            assert_eq!(&units, expected, "{name}");
        }
    }
}
