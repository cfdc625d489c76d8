//! AMF0 values (AMF0 §2): a one-byte marker, then the value, big-endian throughout.
//!
//! ```text
//! 00 number f64      03 object  pairs… 0000 09     0A strict array u32 count, values
//! 01 boolean u8      05 null  06 undefined         0B date f64 ms, s16 zone
//! 02 string u16 len  07 reference u16              0C long string u32 len   0F xml u32 len
//!                    08 ECMA array u32 hint, pairs 0D unsupported
//!                                                  10 typed object: class name, pairs
//!                                                  11 one AMF3 value follows
//! ```
//!
//! A pair list that the message ends in the middle of is taken as far as it goes (AM-2, Envivio).

use super::budget::{Budget, References};
use super::{Error, Value, amf3};
use crate::cursor::Cursor;
use crate::limits;

const NUMBER: u8 = 0x00;
const BOOLEAN: u8 = 0x01;
const STRING: u8 = 0x02;
const OBJECT: u8 = 0x03;
const NULL: u8 = 0x05;
const UNDEFINED: u8 = 0x06;
const REFERENCE: u8 = 0x07;
const ECMA_ARRAY: u8 = 0x08;
const OBJECT_END: u8 = 0x09;
const STRICT_ARRAY: u8 = 0x0A;
const DATE: u8 = 0x0B;
const LONG_STRING: u8 = 0x0C;
const UNSUPPORTED: u8 = 0x0D;
const XML: u8 = 0x0F;
const TYPED_OBJECT: u8 = 0x10;
const SWITCH_TO_AMF3: u8 = 0x11;

/// Reads the values of one message in order. References reach back to its first value.
#[derive(Debug)]
pub struct Reader<'a> {
    input: Cursor<'a>,
    references: References,
    budget: Budget,
}

impl<'a> Reader<'a> {
    /// Starts at the first marker of a message.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { input: Cursor::new(bytes), references: References::new(), budget: Budget::new() }
    }

    /// The next value, `None` at the end of the message. After an error the position is lost.
    pub fn read(&mut self) -> Result<Option<Value>, Error> {
        if self.input.is_empty() {
            return Ok(None);
        }
        self.value(0).map(Some)
    }

    /// The values up to the end of the message or to the first that cannot be read: later arguments
    /// of a command are optional, so a broken one counts as missing.
    pub fn read_rest(&mut self) -> Vec<Value> {
        let mut values = Vec::new();
        while let Ok(Some(value)) = self.read() {
            values.push(value);
        }
        values
    }

    fn value(&mut self, depth: usize) -> Result<Value, Error> {
        if depth > limits::AMF_DEPTH_MAX {
            return Err(Error::TooDeep);
        }
        self.budget.spend_elements(1)?;
        match self.input.u8()? {
            NUMBER => Ok(Value::Number(self.input.f64()?)),
            BOOLEAN => Ok(Value::Boolean(self.input.u8()? != 0)),
            STRING => Ok(Value::String(self.short_string()?)),
            LONG_STRING => Ok(Value::String(self.long_string()?)),
            XML => Ok(Value::Xml(self.long_string()?)),
            NULL => Ok(Value::Null),
            UNDEFINED | UNSUPPORTED => Ok(Value::Undefined),
            DATE => {
                let millis = self.input.f64()?;
                self.input.u16()?;
                Ok(Value::Date(millis))
            }
            REFERENCE => {
                let index = usize::from(self.input.u16()?);
                self.references.get(index, depth, &mut self.budget)
            }
            OBJECT => self.complex(|reader| reader.pairs(depth).map(Value::Object)),
            TYPED_OBJECT => {
                self.short_string()?;
                self.complex(|reader| reader.pairs(depth).map(Value::Object))
            }
            ECMA_ARRAY => {
                // OBS always writes 20 here: a hint, never a length (AM-2).
                self.input.u32()?;
                self.complex(|reader| reader.pairs(depth).map(Value::EcmaArray))
            }
            STRICT_ARRAY => {
                let count = self.input.u32()?;
                self.complex(|reader| reader.elements(count, depth).map(Value::StrictArray))
            }
            SWITCH_TO_AMF3 => amf3::read(&mut self.input, &mut self.budget, depth),
            marker => Err(Error::Marker0(marker)),
        }
    }

    fn complex(
        &mut self,
        body: impl FnOnce(&mut Self) -> Result<Value, Error>,
    ) -> Result<Value, Error> {
        let index = self.references.open();
        let value = body(self)?;
        self.references.close(index, &value);
        Ok(value)
    }

    fn pairs(&mut self, depth: usize) -> Result<Vec<(String, Value)>, Error> {
        let mut pairs = Vec::new();
        loop {
            match self.pair(depth) {
                Ok(Some(pair)) => pairs.push(pair),
                Ok(None) => return Ok(pairs),
                Err(Error::Cut(_)) => {
                    self.input = Cursor::new(&[]);
                    return Ok(pairs);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// `None` at the terminator: an empty name and the end marker.
    fn pair(&mut self, depth: usize) -> Result<Option<(String, Value)>, Error> {
        let name = self.short_string()?;
        if name.is_empty() && self.input.rest().first() == Some(&OBJECT_END) {
            self.input.u8()?;
            return Ok(None);
        }
        Ok(Some((name, self.value(depth + 1)?)))
    }

    fn elements(&mut self, count: u32, depth: usize) -> Result<Vec<Value>, Error> {
        let mut values = Vec::new();
        for _ in 0..count {
            match self.value(depth + 1) {
                Ok(value) => values.push(value),
                Err(Error::Cut(_)) => {
                    self.input = Cursor::new(&[]);
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(values)
    }

    fn short_string(&mut self) -> Result<String, Error> {
        let len = usize::from(self.input.u16()?);
        Ok(text(self.input.take(len)?))
    }

    fn long_string(&mut self) -> Result<String, Error> {
        // A length past usize is past the message as well.
        let len = usize::try_from(self.input.u32()?).unwrap_or(usize::MAX);
        Ok(text(self.input.take(len)?))
    }
}

/// Encoders send names in local code pages; replacement characters are better than a lost session.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Appends one value. Member names longer than 65535 bytes are cut at a character boundary; lists
/// longer than `u32::MAX` are cut too (neither leaves this server).
pub fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Number(number) => {
            out.push(NUMBER);
            out.extend_from_slice(&number.to_be_bytes());
        }
        Value::Boolean(truth) => out.extend_from_slice(&[BOOLEAN, u8::from(*truth)]),
        Value::String(text) => match u16::try_from(text.len()) {
            Ok(len) => {
                out.push(STRING);
                out.extend_from_slice(&len.to_be_bytes());
                out.extend_from_slice(text.as_bytes());
            }
            Err(_) => write_long(LONG_STRING, text.as_bytes(), out),
        },
        Value::Xml(text) => write_long(XML, text.as_bytes(), out),
        Value::Object(pairs) => {
            out.push(OBJECT);
            write_pairs(pairs, out);
        }
        Value::EcmaArray(pairs) => {
            out.push(ECMA_ARRAY);
            out.extend_from_slice(&saturating_u32(pairs.len()).to_be_bytes());
            write_pairs(pairs, out);
        }
        Value::StrictArray(values) => {
            let count = saturating_u32(values.len());
            out.push(STRICT_ARRAY);
            out.extend_from_slice(&count.to_be_bytes());
            for value in values.iter().take(usize::try_from(count).unwrap_or(usize::MAX)) {
                write(value, out);
            }
        }
        Value::Null => out.push(NULL),
        Value::Undefined => out.push(UNDEFINED),
        Value::Date(millis) => {
            out.push(DATE);
            out.extend_from_slice(&millis.to_be_bytes());
            out.extend_from_slice(&[0, 0]);
        }
        Value::ByteArray(bytes) => {
            out.push(SWITCH_TO_AMF3);
            amf3::write_byte_array(bytes, out);
        }
    }
}

fn write_pairs(pairs: &[(String, Value)], out: &mut Vec<u8>) {
    for (name, value) in pairs {
        let name = cut_at_character(name, usize::from(u16::MAX));
        out.extend_from_slice(&u16::try_from(name.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend_from_slice(name.as_bytes());
        write(value, out);
    }
    out.extend_from_slice(&[0, 0, OBJECT_END]);
}

fn write_long(marker: u8, bytes: &[u8], out: &mut Vec<u8>) {
    let len = saturating_u32(bytes.len());
    out.push(marker);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend(bytes.iter().take(usize::try_from(len).unwrap_or(usize::MAX)));
}

fn cut_at_character(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn saturating_u32(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
