//! Recorded bytes for tests: lines of a name and hexadecimal digits (`testdata/PROVENANCE.md`).

/// The bytes of `name`; panics when `file` has no such line.
pub(crate) fn record(file: &str, name: &str) -> Vec<u8> {
    let line = file.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    bytes(line.unwrap_or_else(|| panic!("no record {name:?}")))
}

/// Pairs of hexadecimal digits.
pub(crate) fn bytes(digits: &str) -> Vec<u8> {
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal digits"))
        .collect()
}
