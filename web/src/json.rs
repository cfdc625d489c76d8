//! JSON of the outside world: read strictly, written so that it may stand in HTML.
//!
//! serde_json takes the last of two equal names; a setting that was sent twice is an error here,
//! since nobody can know which was meant. Nesting past 128 levels and text that is not UTF-8 are
//! refused by serde_json itself.

use std::fmt;

use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};
use thiserror::Error;

/// A body that is not the JSON we take.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the body is not JSON as we take it: {0}")]
pub struct JsonError(String);

/// Reads one value and nothing behind it.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    match serde_json::from_slice::<Strict>(bytes) {
        Ok(Strict(value)) => Ok(value),
        Err(error) => Err(JsonError(error.to_string())),
    }
}

/// Writes JSON that may stand in a body and in an HTML script element alike.
pub(crate) fn write<T: Serialize>(value: &T) -> Vec<u8> {
    let plain =
        serde_json::to_vec(value).expect("our own objects have string keys and finite numbers");
    let mut safe = Vec::with_capacity(plain.len() + 1);
    for byte in plain {
        // Outside strings JSON has none of these three, so each stands for itself in a string.
        match byte {
            b'<' => safe.extend_from_slice(br"\u003c"),
            b'>' => safe.extend_from_slice(br"\u003e"),
            b'&' => safe.extend_from_slice(br"\u0026"),
            other => safe.push(other),
        }
    }
    safe.push(b'\n');
    safe
}

/// A value in which no object names a field twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number is too large"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Strict(value))) = fields.next_entry::<String, Strict>()? {
            if object.contains_key(&name) {
                let name: String = name.chars().take(NAME_CHARACTERS_SHOWN).collect();
                return Err(A::Error::custom(format_args!("the name {name:?} stands twice")));
            }
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

/// As much of a wrong name is shown back; ours are shorter.
const NAME_CHARACTERS_SHOWN: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ambiguous_or_broken_is_refused() {
        for (body, words) in [
            (&br#"{"value":1,"value":2}"#[..], "\"value\" stands twice"),
            (br#"{"value":{"a":1,"b":{"c":1,"c":1}}}"#, "\"c\" stands twice"),
            (b"{\"value\":\"\xff\"}", "unicode"),
            (br#"{"value":"\ud800"}"#, "hex escape"),
            (br#"{"value":1} x"#, "trailing"),
            (br#"{"value":1e999}"#, "number"),
            (b"", "EOF"),
            (b"{", "EOF"),
        ] {
            let error = parse(body).unwrap_err().to_string();
            assert!(error.contains(words), "{body:?}: {error}");
        }
        let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
        assert!(parse(&deep).unwrap_err().to_string().contains("recursion"));
    }

    #[test]
    fn what_is_whole_is_read_and_cut_bodies_are_not() {
        let body = br#"{"value":[{"key":"a\u00e9","n":-1.5},true,null,7]}"#;
        let value = parse(body).unwrap();
        assert_eq!(value, serde_json::from_slice::<Value>(body).unwrap());
        for end in 0..body.len() {
            assert!(parse(&body[..end]).is_err(), "cut at {end}");
        }
    }
}
