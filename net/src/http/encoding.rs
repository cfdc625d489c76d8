//! Content codings (RFC 9110 §12.5.3, CH-3): which of the stored forms of a text to send.
//!
//! Playlists and page files are kept plain and compressed; media is never compressed. The answer
//! carries `Vary: Accept-Encoding` whenever there was a choice, and each form has its own `ETag`.

use http::HeaderMap;
use http::header::{self, HeaderValue};

/// A form in which content is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentCoding {
    /// As it is.
    Identity,
    /// gzip (RFC 1952).
    Gzip,
    /// Brotli (RFC 7932).
    Brotli,
}

impl ContentCoding {
    /// The value of `Content-Encoding`; none for identity.
    #[must_use]
    pub fn field_value(self) -> Option<HeaderValue> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some(HeaderValue::from_static("gzip")),
            Self::Brotli => Some(HeaderValue::from_static("br")),
        }
    }

    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Identity => &["identity"],
            Self::Gzip => &["gzip", "x-gzip"],
            Self::Brotli => &["br"],
        }
    }
}

/// The form to send out of `available`, which is in the server's order of preference (smallest
/// first): the one the client gives the highest weight, the earlier one when equal. When nothing
/// is acceptable, identity: a player that says so by mistake still plays.
#[must_use]
pub fn choose_coding(headers: &HeaderMap, available: &[ContentCoding]) -> ContentCoding {
    let fields = headers.get_all(header::ACCEPT_ENCODING);
    choose_coding_of(|| fields.iter().map(HeaderValue::as_bytes), available)
}

/// The same for the values of `Accept-Encoding`.
pub(super) fn choose_coding_of<'a, I: Iterator<Item = &'a [u8]>>(
    fields: impl Fn() -> I,
    available: &[ContentCoding],
) -> ContentCoding {
    let mut best = (ContentCoding::Identity, 0);
    for coding in available {
        let weight = weight_of(fields(), *coding);
        if weight > best.1 {
            best = (*coding, weight);
        }
    }
    best.0
}

/// Weight in thousandths. The last mention of a name wins over `*`; what is not mentioned is not
/// wanted, except identity, which is always a fallback below every mention.
fn weight_of<'a>(fields: impl Iterator<Item = &'a [u8]>, coding: ContentCoding) -> u16 {
    let mut named = None;
    let mut any = None;
    for element in fields.flat_map(|value| value.split(|byte| *byte == b',')) {
        let mut pieces = element.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let Some(name) = pieces.next() else { continue };
        let weight = pieces.next().map_or(Some(1_000), parse_weight);
        let Some(weight) = weight else { continue };
        if name == b"*" {
            any = Some(weight);
        } else if coding.names().iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes())) {
            named = Some(weight);
        }
    }
    let implied = if coding == ContentCoding::Identity { Some(1) } else { any };
    named.or(implied).unwrap_or(0)
}

/// `q=` with at most three decimals (RFC 9110 §12.4.2), in thousandths.
fn parse_weight(parameter: &[u8]) -> Option<u16> {
    let (name, value) = parameter.split_at_checked(2)?;
    if !name.eq_ignore_ascii_case(b"q=") {
        return None;
    }
    let (whole, decimals) = match value {
        [whole] => (whole, [].as_slice()),
        [whole, b'.', decimals @ ..] if decimals.len() <= 3 => (whole, decimals),
        _ => return None,
    };
    if !matches!(whole, b'0' | b'1') || !decimals.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut weight = u16::from(whole - b'0');
    for at in 0..3 {
        weight = weight * 10 + decimals.get(at).map_or(0, |digit| u16::from(digit - b'0'));
    }
    (weight <= 1_000).then_some(weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_weight_wins_and_ties_go_to_the_server() {
        use ContentCoding::{Brotli, Gzip, Identity};
        let all = [Brotli, Gzip, Identity];
        let cases: &[(&[&str], &[ContentCoding], ContentCoding)] = &[
            (&[], &all, Identity),
            (&[""], &all, Identity),
            (&["gzip"], &all, Gzip),
            (&["GZIP"], &all, Gzip),
            (&["x-gzip"], &all, Gzip),
            (&["gzip, deflate, br, zstd"], &all, Brotli),
            (&["gzip, deflate, br, zstd"], &[Gzip, Identity], Gzip),
            (&["gzip, br"], &[Identity], Identity),
            (&["gzip;q=1.0, br;q=0.9"], &all, Gzip),
            (&["gzip;q=0.5", "br;q=0.501"], &all, Brotli),
            (&["gzip ; q=0, br ;q=0"], &all, Identity),
            (&["*"], &all, Brotli),
            (&["*;q=0.5, br;q=0"], &all, Gzip),
            (&["*;q=0"], &all, Identity),
            (&["identity;q=0"], &[Identity], Identity),
            (&["identity;q=1, gzip;q=0.2"], &all, Identity),
            (&["gzip;q=0.001"], &all, Gzip),
            (&["gzip;q=2"], &all, Identity),
            (&["gzip;q=0.0001"], &all, Identity),
            (&["gzip;x=1"], &all, Identity),
            (&["gzip;q=1.001"], &all, Identity),
            (&["br2, gzipp"], &all, Identity),
        ];
        for (fields, available, expected) in cases {
            let mut headers = HeaderMap::new();
            for field in *fields {
                headers.append(header::ACCEPT_ENCODING, HeaderValue::from_str(field).unwrap());
            }
            assert_eq!(choose_coding(&headers, available), *expected, "{fields:?}");
        }
    }
}
