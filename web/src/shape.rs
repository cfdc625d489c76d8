//! What a JSON value may look like, said once: [`Shape`] checks what clients send, writes the
//! schemas of `/api/openapi.json`, and lets tests hold our own answers against them.

use serde_json::{Map, Value, json};
use thiserror::Error;

/// A JSON value's type and limits. Lengths of text count characters, as JSON Schema does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// `true` or `false`.
    Bool,
    /// A whole number; `3.0` is one.
    Integer {
        /// Least.
        min: i64,
        /// Most.
        max: i64,
    },
    /// Any finite number that is not below zero.
    Amount,
    /// Any text.
    Text {
        /// Most characters.
        max: usize,
    },
    /// Text without control characters.
    Line {
        /// Most characters.
        max: usize,
    },
    /// RFC 3339.
    Time,
    /// One of these texts.
    Word(&'static [&'static str]),
    /// One of these numbers.
    Choice(&'static [i64]),
    /// The shape, or `null`.
    Nullable(&'static Self),
    /// An array.
    List {
        /// Of what.
        of: &'static Self,
        /// Most items.
        max: usize,
    },
    /// The shape, or a list of one or more.
    OneOrMore {
        /// Of what.
        of: &'static Self,
        /// Most items.
        max: usize,
    },
    /// An object whose names are the sender's.
    Map {
        /// Of what.
        of: &'static Self,
        /// Most entries.
        max: usize,
    },
    /// An object whose names are ours.
    Object(&'static [Field]),
}

/// A field of an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub shape: Shape,
    /// It has to be there.
    pub required: bool,
}

/// A field that has to be there.
pub(crate) const fn must(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: true }
}

/// A field that may be left out.
pub(crate) const fn may(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: false }
}

/// Longest name in a [`Shape::Map`], characters.
const MAP_NAME_CHARACTERS_MAX: usize = 128;
/// As much of a wrong word is shown back.
const SHOWN_CHARACTERS_MAX: usize = 40;

/// A value that is not as its shape says.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{at}{fault}")]
pub struct Misfit {
    /// `value[2].url`; what is wrong follows behind a blank.
    at: String,
    fault: Fault,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Error)]
enum Fault {
    #[error(" is {seen}; {wanted} is wanted")]
    Type { seen: &'static str, wanted: &'static str },
    #[error(" is {seen}; allowed is {min} to {max}")]
    Range { seen: f64, min: i64, max: i64 },
    #[error(" is {seen:?}; allowed is {allowed}")]
    NotAllowed { seen: String, allowed: String },
    #[error(" has {seen} characters; allowed are {max}")]
    TooLong { seen: usize, max: usize },
    #[error(" has {seen} entries; allowed are {max}")]
    TooMany { seen: usize, max: usize },
    #[error(" holds a control character")]
    Control,
    #[error(" is missing")]
    Missing,
    #[error(" is not known here")]
    Unknown,
}

impl Misfit {
    fn new(fault: Fault) -> Self {
        Self { at: String::new(), fault }
    }

    pub(crate) fn below(mut self, place: &str) -> Self {
        self.at.insert_str(0, place);
        self
    }
}

impl Shape {
    /// The value as its shape says: whole numbers written as such, everything else unchanged.
    pub fn check(&self, value: Value) -> Result<Value, Misfit> {
        match (self, value) {
            (Self::Bool, value @ Value::Bool(_)) | (Self::Nullable(_), value @ Value::Null) => {
                Ok(value)
            }
            (Self::Nullable(shape), value) => shape.check(value),
            (Self::Integer { min, max }, Value::Number(number)) => {
                let seen = number.as_f64().unwrap_or(f64::NAN);
                let whole = as_whole(&number).filter(|whole| whole >= min && whole <= max);
                let (min, max) = (*min, *max);
                whole.map(Value::from).ok_or_else(|| Misfit::new(Fault::Range { seen, min, max }))
            }
            (Self::Choice(choices), Value::Number(number)) => {
                let whole = as_whole(&number).filter(|whole| choices.contains(whole));
                whole.map(Value::from).ok_or_else(|| {
                    let words: Vec<_> = choices.iter().map(i64::to_string).collect();
                    not_allowed(&number.to_string(), words.join(", "))
                })
            }
            (Self::Amount, Value::Number(number)) => {
                if number.as_f64().is_some_and(|amount| amount >= 0.0) {
                    return Ok(Value::Number(number));
                }
                Err(not_allowed(&number.to_string(), "0 or more".to_owned()))
            }
            (Self::Text { max }, Value::String(text)) => short(text, *max),
            (Self::Line { max }, Value::String(text)) => {
                if text.chars().any(char::is_control) {
                    return Err(Misfit::new(Fault::Control));
                }
                short(text, *max)
            }
            (Self::Time, Value::String(text)) => short(text, 64),
            (Self::Word(words), Value::String(text)) => {
                if words.contains(&text.as_str()) {
                    return Ok(Value::String(text));
                }
                Err(not_allowed(&text, words.join(", ")))
            }
            (Self::List { of, max }, Value::Array(items)) => {
                few(items.len(), *max)?;
                let items = items.into_iter().enumerate().map(|(index, item)| {
                    of.check(item).map_err(|misfit| misfit.below(&format!("[{index}]")))
                });
                items.collect::<Result<_, _>>().map(Value::Array)
            }
            (Self::OneOrMore { of, max }, Value::Array(items)) => {
                few(items.len(), *max)?;
                let items = items.into_iter().map(|item| of.check(item));
                items.collect::<Result<_, _>>().map(Value::Array)
            }
            (Self::OneOrMore { of, .. }, value) => of.check(value),
            (Self::Map { of, max }, Value::Object(entries)) => {
                few(entries.len(), *max)?;
                let entries = entries.into_iter().map(|(name, value)| {
                    let place = shown(&name);
                    let below = |misfit: Misfit| misfit.below(&format!(".{place}"));
                    let Value::String(name) =
                        short(name, MAP_NAME_CHARACTERS_MAX).map_err(below)?
                    else {
                        return Err(Misfit::new(Fault::Missing));
                    };
                    Ok((name, of.check(value).map_err(below)?))
                });
                entries.collect::<Result<_, _>>().map(Value::Object)
            }
            (Self::Object(fields), Value::Object(object)) => check_object(fields, object),
            (_, value) => {
                let fault = Fault::Type { seen: kind(&value), wanted: self.wanted() };
                Err(Misfit::new(fault))
            }
        }
    }

    /// The same in the words of JSON Schema 2020-12.
    #[must_use]
    pub fn schema(&self) -> Value {
        match self {
            Self::Bool => json!({"type": "boolean"}),
            Self::Integer { min, max } => {
                json!({"type": "integer", "minimum": min, "maximum": max})
            }
            Self::Amount => json!({"type": "number", "minimum": 0}),
            Self::Text { max } => json!({"type": "string", "maxLength": max}),
            Self::Line { max } => {
                let plain = "^[^\\x00-\\x1f\\x7f-\\x9f]*$";
                json!({"type": "string", "maxLength": max, "pattern": plain})
            }
            Self::Time => json!({"type": "string", "format": "date-time"}),
            Self::Word(words) => json!({"enum": words}),
            Self::Choice(choices) => json!({"enum": choices}),
            Self::Nullable(shape) => json!({"anyOf": [shape.schema(), {"type": "null"}]}),
            Self::List { of, max } => {
                json!({"type": "array", "items": of.schema(), "maxItems": max})
            }
            Self::OneOrMore { of, max } => {
                let list = json!({"type": "array", "items": of.schema(), "minItems": 1,
                    "maxItems": max});
                json!({"anyOf": [of.schema(), list]})
            }
            Self::Map { of, max } => {
                json!({"type": "object", "additionalProperties": of.schema(), "maxProperties": max,
                    "propertyNames": {"maxLength": MAP_NAME_CHARACTERS_MAX}})
            }
            Self::Object(fields) => {
                let properties: Map<String, Value> =
                    fields.iter().map(|f| (f.name.to_owned(), f.shape.schema())).collect();
                let required: Vec<_> =
                    fields.iter().filter(|field| field.required).map(|field| field.name).collect();
                json!({"type": "object", "properties": properties, "required": required,
                    "additionalProperties": false})
            }
        }
    }

    const fn wanted(&self) -> &'static str {
        match self {
            Self::Bool => "true or false",
            Self::Integer { .. } | Self::Amount | Self::Choice(_) => "a number",
            Self::Text { .. } | Self::Line { .. } | Self::Time | Self::Word(_) => "a text",
            Self::Nullable(shape) | Self::OneOrMore { of: shape, .. } => shape.wanted(),
            Self::List { .. } => "a list",
            Self::Map { .. } | Self::Object(_) => "an object",
        }
    }
}

fn check_object(fields: &[Field], mut object: Map<String, Value>) -> Result<Value, Misfit> {
    let mut checked = Map::new();
    for field in fields {
        let below = |misfit: Misfit| misfit.below(&format!(".{}", field.name));
        match object.remove(field.name) {
            Some(value) => {
                checked.insert(field.name.to_owned(), field.shape.check(value).map_err(below)?);
            }
            None if field.required => return Err(below(Misfit::new(Fault::Missing))),
            None => {}
        }
    }
    match object.keys().next() {
        Some(name) => Err(Misfit::new(Fault::Unknown).below(&format!(".{}", shown(name)))),
        None => Ok(Value::Object(checked)),
    }
}

/// `{"value": X}`, the body of every setter (API §1.1), and X as `shape` says.
pub(crate) fn check_value(shape: &Shape, body: Value) -> Result<Value, Misfit> {
    let Value::Object(mut object) = body else {
        let fault = Fault::Type { seen: kind(&body), wanted: "an object {\"value\": …}" };
        return Err(Misfit::new(fault).below("the body"));
    };
    let value = object.remove("value");
    if let Some(name) = object.keys().next() {
        return Err(Misfit::new(Fault::Unknown).below(&shown(name)));
    }
    let value = value.ok_or_else(|| Misfit::new(Fault::Missing).below("value"))?;
    shape.check(value).map_err(|misfit| misfit.below("value"))
}

fn as_whole(number: &serde_json::Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let float = number.as_f64()?;
        // Beyond 2^53 a float is no exact number any more.
        let exact = float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0;
        #[allow(clippy::cast_possible_truncation)] // Checked above.
        exact.then_some(float as i64)
    })
}

fn short(text: String, max: usize) -> Result<Value, Misfit> {
    // Bytes are at least as many as characters, and cost nothing to count.
    let seen = if text.len() > max { text.chars().count() } else { 0 };
    if seen > max {
        return Err(Misfit::new(Fault::TooLong { seen, max }));
    }
    Ok(Value::String(text))
}

fn few(seen: usize, max: usize) -> Result<(), Misfit> {
    if seen > max { Err(Misfit::new(Fault::TooMany { seen, max })) } else { Ok(()) }
}

fn not_allowed(seen: &str, allowed: String) -> Misfit {
    Misfit::new(Fault::NotAllowed { seen: shown(seen), allowed })
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARACTERS_MAX).collect()
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ITEM: Shape =
        Shape::Object(&[must("url", Shape::Line { max: 5 }), may("open", Shape::Bool)]);

    #[test]
    fn what_fits_comes_back() {
        for (shape, value, want) in [
            (Shape::Bool, json!(true), json!(true)),
            (Shape::Integer { min: 0, max: 4 }, json!(3.0), json!(3)),
            (Shape::Choice(&[0, 5]), json!(5), json!(5)),
            (Shape::Text { max: 3 }, json!("äöü"), json!("äöü")),
            (Shape::Nullable(&Shape::Bool), json!(null), json!(null)),
            (Shape::List { of: &ITEM, max: 1 }, json!([{"url": "a"}]), json!([{"url": "a"}])),
            (Shape::Map { of: &Shape::Amount, max: 1 }, json!({"a": 0.5}), json!({"a": 0.5})),
        ] {
            assert_eq!(shape.check(value), Ok(want), "{shape:?}");
        }
    }

    #[test]
    fn what_does_not_fit_says_where_and_what_is_allowed() {
        let list = Shape::List { of: &ITEM, max: 2 };
        for (shape, body, words) in [
            (Shape::Bool, json!({"value": 1}), "value is a number; true or false is wanted"),
            (Shape::Bool, json!({}), "value is missing"),
            (Shape::Bool, json!([]), "the body is a list"),
            (Shape::Bool, json!({"value": true, "x": 1}), "x is not known here"),
            (
                Shape::Integer { min: 1, max: 9 },
                json!({"value": 10}),
                "value is 10; allowed is 1 to 9",
            ),
            (Shape::Integer { min: 1, max: 9 }, json!({"value": 1.5}), "value is 1.5"),
            (Shape::Integer { min: 1, max: 9 }, json!({"value": 1e300}), "allowed is 1 to 9"),
            (Shape::Choice(&[0, 5]), json!({"value": 1}), "allowed is 0, 5"),
            (Shape::Word(&["a"]), json!({"value": "b"}), "value is \"b\"; allowed is a"),
            (Shape::Text { max: 3 }, json!({"value": "abcd"}), "has 4 characters; allowed are 3"),
            (Shape::Line { max: 3 }, json!({"value": "a\n"}), "holds a control character"),
            (Shape::Amount, json!({"value": -1}), "0 or more"),
            (list, json!({"value": [{"url": "a"}, {"url": 1}]}), "value[1].url is a number"),
            (list, json!({"value": [{}]}), "value[0].url is missing"),
            (list, json!({"value": [{"url": "", "x": 1}]}), "value[0].x is not known here"),
            (list, json!({"value": [{}, {}, {}]}), "value has 3 entries; allowed are 2"),
        ] {
            let error = check_value(&shape, body.clone()).unwrap_err().to_string();
            assert!(error.contains(words), "{body}: {error}");
        }
    }

    #[test]
    fn schemas_say_the_same_limits() {
        let schema = Shape::List { of: &ITEM, max: 2 }.schema();
        assert_eq!(schema["maxItems"], 2);
        assert_eq!(schema["items"]["required"], json!(["url"]));
        assert_eq!(schema["items"]["properties"]["url"]["maxLength"], 5);
    }
}
