//! Common Media Client Data (CTA-5004): reports that any player may send (API §5.6 `[dev]`).
//!
//! As JSON, one object or a list of them, or as the dictionary of a query or of header fields:
//! `br=3200,bs,mtp=25400,sid="6e2fb550"`. What is read is in [`CMCD_SHAPE`]; other keys, of which
//! the standard has many, are passed over.

use serde_json::{Map, Value};

use super::report::Report;
use crate::json;
use crate::settings::SettingError;
use crate::shape::{Shape, may};

/// Longest body, bytes (API §1.4).
pub const CMCD_BYTES_MAX: usize = 64 << 10;
/// Reports in one body.
const REPORTS_MAX: usize = 100;
/// Longest name of a session, characters: that of the standard.
const SESSION_CHARACTERS_MAX: usize = 64;

/// The keys that are read.
const KEYS: Shape = Shape::Object(&[
    may("br", Shape::Amount),
    may("bs", Shape::Bool),
    may("e", Shape::Line { max: 8 }),
    may("ltc", Shape::Amount),
    may("mtp", Shape::Amount),
    may("sid", Shape::Line { max: SESSION_CHARACTERS_MAX }),
    may("sta", Shape::Word(&["s", "p", "k", "r", "a", "w", "e", "f", "q", "d"])),
    may("ttlb", Shape::Amount),
]);

/// A report or several.
pub const CMCD_SHAPE: Shape = Shape::OneOrMore { of: &KEYS, max: REPORTS_MAX };

/// What one report says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cmcd {
    /// The figures.
    pub report: Report,
    /// What the player calls its session.
    pub session: Option<String>,
}

/// Reads a JSON body.
pub fn parse_cmcd(body: &[u8]) -> Result<Vec<Cmcd>, SettingError> {
    let objects = match json::parse(body)? {
        Value::Array(items) if items.len() > REPORTS_MAX => {
            let words = format!("has {} reports; allowed are {REPORTS_MAX}", items.len());
            return Err(SettingError::Rule(words));
        }
        Value::Array(items) => items,
        other => vec![other],
    };
    let told = objects.iter().filter_map(Value::as_object).filter_map(of_keys).collect();
    some_of(told)
}

/// Reads the dictionaries of a query or of header fields, already decoded.
pub fn parse_cmcd_text<'a>(
    dictionaries: impl Iterator<Item = &'a str>,
) -> Result<Vec<Cmcd>, SettingError> {
    let mut keys = Map::new();
    for dictionary in dictionaries {
        read_dictionary(dictionary, &mut keys);
    }
    some_of(of_keys(&keys).into_iter().collect())
}

fn some_of(told: Vec<Cmcd>) -> Result<Vec<Cmcd>, SettingError> {
    if told.is_empty() {
        return Err(SettingError::Rule("holds no report that can be read".to_owned()));
    }
    Ok(told)
}

/// The value of `CMCD` in a query, decoded.
#[must_use]
pub fn cmcd_of_query(query: Option<&str>) -> Option<String> {
    let value = query?.split('&').find_map(|pair| pair.strip_prefix("CMCD="))?;
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match (first, behind) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, behind @ ..]) => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let byte = digit(*high)? << 4 | digit(*low)?;
                bytes.push(u8::try_from(byte).ok()?);
                rest = behind;
            }
            (b'%', _) => return None,
            (other, _) => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).ok()
}

/// `key`, `key=value`, `key="va\"lue"`, `key=(1 2)`: parted by commas.
fn read_dictionary(text: &str, keys: &mut Map<String, Value>) {
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find(['=', ',']).unwrap_or(rest.len());
        let (key, behind) = rest.split_at(end);
        let (value, behind) = match behind.strip_prefix('=') {
            None => (Value::Bool(true), behind),
            Some(behind) => match behind.strip_prefix('"') {
                Some(quoted) => read_quoted(quoted),
                None => {
                    let end = behind.find(',').unwrap_or(behind.len());
                    let (token, behind) = behind.split_at(end);
                    (of_token(token.trim()), behind)
                }
            },
        };
        keys.insert(key.trim().to_owned(), value);
        let next = behind.find(',').map_or("", |comma| behind.split_at(comma + 1).1);
        rest = next.trim_start();
    }
}

fn read_quoted(text: &str) -> (Value, &str) {
    let (mut value, mut chars) = (String::new(), text.char_indices());
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return (Value::String(value), text.split_at(at + 1).1),
            '\\' => value.extend(chars.next().map(|(_, char)| char)),
            other => value.push(other),
        }
    }
    (Value::String(value), "")
}

/// A number, or the first of a list of them (version 2 of the standard); else a word.
fn of_token(token: &str) -> Value {
    let number = token.trim_start_matches('(');
    let end = number.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.len());
    match number.split_at(end).0.parse::<f64>() {
        Ok(number) if number.is_finite() => Value::from(number),
        _ => Value::String(token.to_owned()),
    }
}

/// `None`: there is nothing that we read.
fn of_keys(keys: &Map<String, Value>) -> Option<Cmcd> {
    let number = |name| {
        let value = match keys.get(name)? {
            Value::Array(items) => items.first()?,
            value => value,
        };
        value.as_f64().filter(|number| *number >= 0.0)
    };
    let word = |name| keys.get(name).and_then(Value::as_str);
    let seconds = |name| number(name).map(|ms| ms / 1e3);
    let starved = keys.get("bs").and_then(Value::as_bool);
    let (event, state) = (word("e"), word("sta"));
    let count = |happened: bool| if happened { 1.0 } else { 0.0 };
    let report = Report {
        errors: count(event == Some("e")) + count(starved == Some(true)),
        quality_changes: count(event == Some("bc")),
        bandwidth: number("mtp"),
        latency: seconds("ltc"),
        download: seconds("ttlb"),
        bitrate: number("br"),
        state: state.and_then(|word| word.chars().next()).filter(char::is_ascii_lowercase),
    };
    let is_told = event.is_some() || starved.is_some() || report != Report::default();
    let session = word("sid").map(|sid| sid.chars().take(SESSION_CHARACTERS_MAX).collect());
    is_told.then(|| Cmcd { report: report.within_limits(), session })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> Cmcd {
        let report = Report {
            errors: 1.0,
            quality_changes: 0.0,
            bandwidth: Some(25_400.0),
            latency: Some(1.5),
            download: Some(0.25),
            bitrate: Some(3_200.0),
            state: Some('p'),
        };
        Cmcd { report, session: Some("6e2f,b\"5".to_owned()) }
    }

    #[test]
    fn json_and_dictionary_say_the_same() {
        let json = br#"[{"br":[3200],"bs":true,"mtp":25400,"ltc":1500,"ttlb":250,"sta":"p",
            "sid":"6e2f,b\"5","cid":"film","nor":["x"]},{"cid":"nothing of ours"},7]"#;
        assert_eq!(parse_cmcd(json).unwrap(), [whole()]);
        let text = r#"br=(3200;v 128;a),bs,mtp=25400,ltc=1500, ttlb=250,sta=p,sid="6e2f,b\"5""#;
        assert_eq!(parse_cmcd_text([text].into_iter()).unwrap(), [whole()]);
        // Four header fields are one report.
        let fields = ["mtp=25400,ltc=1500", "br=3200,ttlb=250", "bs,sta=p", r#"sid="6e2f,b\"5""#];
        assert_eq!(parse_cmcd_text(fields.into_iter()).unwrap(), [whole()]);
        for (event, errors, changes) in [("e", 1.0, 0.0), ("bc", 0.0, 1.0), ("ps", 0.0, 0.0)] {
            let told = parse_cmcd(format!("{{\"e\":\"{event}\"}}").as_bytes()).unwrap();
            assert_eq!((told[0].report.errors, told[0].report.quality_changes), (errors, changes));
        }
    }

    #[test]
    fn queries_are_decoded() {
        for (query, want) in [
            (Some("CMCD=br%3D3200%2Cbs"), Some("br=3200,bs")),
            (Some("p=1&CMCD=a+b"), Some("a b")),
            (Some("CMCD=%2"), None),
            (Some("CMCD=%ff"), None),
            (Some("CMCD=%zz"), None),
            (Some("cmcd=x"), None),
            (None, None),
        ] {
            assert_eq!(cmcd_of_query(query).as_deref(), want, "{query:?}");
        }
    }

    #[test]
    fn what_tells_nothing_is_refused() {
        for body in ["", "{}", "[]", "null", "7", "{\"cid\":\"x\"}", "{\"mtp\":-1}", "[[1]]"] {
            assert!(parse_cmcd(body.as_bytes()).is_err(), "{body}");
        }
        let many = format!("[{}]", vec!["{\"mtp\":1}"; REPORTS_MAX + 1].join(","));
        assert!(parse_cmcd(many.as_bytes()).unwrap_err().to_string().contains("101 reports"));
        for text in ["", ",,,", "=", "=5", "\"", "cid=\"x", "sta=7"] {
            assert!(parse_cmcd_text([text].into_iter()).is_err(), "{text}");
        }
        let whole = r#"br=(3200 1),bs,sid="a\"b",mtp=1.5,sta=p"#;
        for end in 0..whole.len() {
            let _ = parse_cmcd_text([&whole[..end]].into_iter());
        }
        let large = parse_cmcd(br#"{"ltc":1e300,"sid":"x","mtp":1e300}"#).unwrap();
        assert_eq!(large[0].report.latency, Some(86_400.0));
    }
}
