//! Delivery directives: the query of a playlist request (HLS §6.2.5, media.md 2.3).
//!
//! Known are `_HLS_msn`, `_HLS_part`, `_HLS_skip` and our own `ll=0`, which asks for a view without
//! parts (LL-19). Anything else is somebody else's, also under `_HLS_`, and ignored. A known
//! directive with a value that is not plain digits, or given twice, is refused.

use thiserror::Error;

use crate::hls::limits::QUERY_BYTES_MAX;

/// What a viewer wants from a playlist.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Directives {
    /// Wait until this segment, or a part of it, is listed.
    pub msn: Option<u64>,
    /// Wait for this part of the segment only.
    pub part: Option<u64>,
    /// A delta update is welcome (LL-17).
    pub skip: bool,
    /// No parts, please (LL-19).
    pub plain: bool,
}

/// Why the directives cannot be answered: 400, the viewer's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum DirectiveError {
    /// The value is not a decimal integer below 2^64.
    #[error("{directive} is not a decimal integer below 2^64")]
    NotANumber {
        /// Which one.
        directive: &'static str,
    },
    /// A directive stands twice in the query.
    #[error("{directive} is given more than once")]
    Repeated {
        /// Which one.
        directive: &'static str,
    },
    /// `_HLS_part` needs `_HLS_msn`.
    #[error("_HLS_part without _HLS_msn")]
    PartWithoutMsn,
    /// The query is longer than any player's.
    #[error("a query of {len} bytes; at most {QUERY_BYTES_MAX} are allowed")]
    TooLong {
        /// Its length.
        len: usize,
    },
    /// The segment is too far in the future.
    #[error("segment {msn} is too far ahead; at most {max} can be waited for")]
    MsnTooFar {
        /// Asked for.
        msn: u64,
        /// The last that may be asked for.
        max: u64,
    },
    /// The part is beyond the Advance Part Limit.
    #[error("part {part} of segment {msn} is too far ahead; at most {max} can be waited for")]
    PartTooFar {
        /// Its segment.
        msn: u64,
        /// Asked for.
        part: u64,
        /// The last that may be asked for.
        max: u64,
    },
}

impl Directives {
    /// Reads the part of a request target behind the question mark.
    pub fn parse(query: &str) -> Result<Self, DirectiveError> {
        if query.len() > QUERY_BYTES_MAX {
            return Err(DirectiveError::TooLong { len: query.len() });
        }
        let mut msn = None;
        let mut part = None;
        let mut skip = None;
        let mut plain = false;
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "_HLS_msn" => set(&mut msn, "_HLS_msn", number("_HLS_msn", value)?)?,
                "_HLS_part" => set(&mut part, "_HLS_part", number("_HLS_part", value)?)?,
                "_HLS_skip" => set(&mut skip, "_HLS_skip", value == "YES" || value == "v2")?,
                "ll" => plain = value == "0",
                _ => {}
            }
        }
        if part.is_some() && msn.is_none() {
            return Err(DirectiveError::PartWithoutMsn);
        }
        Ok(Self { msn, part, skip: skip.unwrap_or(false), plain })
    }
}

fn number(directive: &'static str, value: &str) -> Result<u64, DirectiveError> {
    let error = DirectiveError::NotANumber { directive };
    if !value.bytes().all(|b| b.is_ascii_digit()) {
        return Err(error);
    }
    value.parse().map_err(|_| error)
}

fn set<T>(slot: &mut Option<T>, directive: &'static str, value: T) -> Result<(), DirectiveError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(DirectiveError::Repeated { directive }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries() {
        let none = Directives::default();
        let not_a_number = |directive| Err(DirectiveError::NotANumber { directive });
        let repeated = |directive| Err(DirectiveError::Repeated { directive });
        for (query, want) in [
            ("", Ok(none)),
            ("token=a%20b&x", Ok(none)),
            ("_HLS_msn=7", Ok(Directives { msn: Some(7), ..none })),
            ("_HLS_msn=007", Ok(Directives { msn: Some(7), ..none })),
            ("_HLS_msn=0&_HLS_part=0", Ok(Directives { msn: Some(0), part: Some(0), ..none })),
            ("_HLS_part=2&t=1&_HLS_msn=7", Ok(Directives { msn: Some(7), part: Some(2), ..none })),
            ("_HLS_msn=18446744073709551615", Ok(Directives { msn: Some(u64::MAX), ..none })),
            ("_HLS_skip=YES", Ok(Directives { skip: true, ..none })),
            ("_HLS_skip=v2", Ok(Directives { skip: true, ..none })),
            ("_HLS_skip=maybe", Ok(none)),
            ("ll=0", Ok(Directives { plain: true, ..none })),
            ("ll=1", Ok(none)),
            ("_HLS_push=1&_HLS_=2&_hls_msn=x", Ok(none)),
            ("_HLS_part=3", Err(DirectiveError::PartWithoutMsn)),
            ("_HLS_msn=x", not_a_number("_HLS_msn")),
            ("_HLS_msn", not_a_number("_HLS_msn")),
            ("_HLS_msn=", not_a_number("_HLS_msn")),
            ("_HLS_msn=-1", not_a_number("_HLS_msn")),
            ("_HLS_msn=+1", not_a_number("_HLS_msn")),
            ("_HLS_msn=1.5", not_a_number("_HLS_msn")),
            ("_HLS_msn=1%30", not_a_number("_HLS_msn")),
            ("_HLS_msn=18446744073709551616", not_a_number("_HLS_msn")),
            ("_HLS_msn=7&_HLS_part=-1", not_a_number("_HLS_part")),
            ("_HLS_msn=7&_HLS_msn=7", repeated("_HLS_msn")),
            ("_HLS_msn=7&_HLS_part=1&_HLS_part=1", repeated("_HLS_part")),
            ("_HLS_skip=YES&_HLS_skip=YES", repeated("_HLS_skip")),
        ] {
            assert_eq!(Directives::parse(query), want, "{query}");
        }
        let long = "x".repeat(QUERY_BYTES_MAX + 1);
        assert_eq!(Directives::parse(&long), Err(DirectiveError::TooLong { len: 4_097 }));
    }
}
