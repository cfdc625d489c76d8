//! AMF3 values (AMF3 §3), entered from AMF0 by marker 0x11 for one value (AM-6, AM-7).
//!
//! ```text
//! 00 undefined 01 null 02 false 03 true      04 integer U29      05 double f64
//! 06 string  U29 = len·2+1 or index·2        07 xml document     0B xml      0C byte array
//! 08 date    f64 ms                          09 array: named members, "", dense members
//! 0A object  U29 = members·16 + dynamic·8 + externalizable·4 + 3, class, names, values
//! ```
//!
//! Strings, complex values and class traits have one table each, filled in order of appearance and
//! named by index. Vectors, dictionaries and externalizable objects are refused.

use super::budget::{Budget, References};
use super::{Error, Value, amf0};
use crate::cursor::Cursor;
use crate::limits;

const UNDEFINED: u8 = 0x00;
const NULL: u8 = 0x01;
const FALSE: u8 = 0x02;
const TRUE: u8 = 0x03;
const INTEGER: u8 = 0x04;
const DOUBLE: u8 = 0x05;
const STRING: u8 = 0x06;
const XML_DOCUMENT: u8 = 0x07;
const DATE: u8 = 0x08;
const ARRAY: u8 = 0x09;
const OBJECT: u8 = 0x0A;
const XML: u8 = 0x0B;
const BYTE_ARRAY: u8 = 0x0C;

/// Reads one value; its tables start empty. `depth` is that of the AMF0 value it stands for.
pub(super) fn read(
    input: &mut Cursor<'_>,
    budget: &mut Budget,
    depth: usize,
) -> Result<Value, Error> {
    let mut reader = Reader {
        input,
        budget,
        strings: Vec::new(),
        complex: References::new(),
        traits: Vec::new(),
    };
    reader.value(depth)
}

/// Class description: names of the sealed members and whether more follow by name.
#[derive(Debug, Clone)]
struct Traits {
    sealed: Vec<String>,
    dynamic: bool,
}

struct Reader<'r, 'a> {
    input: &'r mut Cursor<'a>,
    budget: &'r mut Budget,
    strings: Vec<&'a [u8]>,
    complex: References,
    traits: Vec<Traits>,
}

/// First integer of a complex value: the index of an earlier one, or what describes this one.
enum Head {
    Earlier(usize),
    Here(usize),
}

impl<'a> Reader<'_, 'a> {
    fn value(&mut self, depth: usize) -> Result<Value, Error> {
        if depth > limits::AMF_DEPTH_MAX {
            return Err(Error::TooDeep);
        }
        match self.input.u8()? {
            UNDEFINED => Ok(Value::Undefined),
            NULL => Ok(Value::Null),
            FALSE => Ok(Value::Boolean(false)),
            TRUE => Ok(Value::Boolean(true)),
            INTEGER => Ok(Value::Number(f64::from(signed(u29(self.input)?)))),
            DOUBLE => Ok(Value::Number(self.input.f64()?)),
            STRING => Ok(Value::String(self.string()?)),
            XML_DOCUMENT | XML => {
                self.leaf(|reader, len| Ok(Value::Xml(amf0::text(reader.input.take(len)?))))
            }
            BYTE_ARRAY => {
                self.leaf(|reader, len| Ok(Value::ByteArray(reader.input.take(len)?.to_vec())))
            }
            DATE => self.leaf(|reader, _| Ok(Value::Date(reader.input.f64()?))),
            ARRAY => self.leaf(|reader, dense| reader.array(dense, depth)),
            OBJECT => self.leaf(|reader, head| reader.object(head, depth)),
            marker => Err(Error::Marker3(marker)),
        }
    }

    /// A value nested in another one: the outermost was counted by AMF0.
    fn member(&mut self, depth: usize) -> Result<Value, Error> {
        self.budget.spend_elements(1)?;
        self.value(depth + 1)
    }

    /// A value with a place in the table of complex values.
    fn leaf(
        &mut self,
        body: impl FnOnce(&mut Self, usize) -> Result<Value, Error>,
    ) -> Result<Value, Error> {
        match self.head()? {
            Head::Earlier(index) => self.complex.get(index, self.budget),
            Head::Here(rest) => {
                let index = self.complex.open();
                let value = body(self, rest)?;
                self.complex.close(index, &value);
                Ok(value)
            }
        }
    }

    fn head(&mut self) -> Result<Head, Error> {
        let value = u29(self.input)?;
        // 28 bits fit every usize this server runs on.
        let rest = usize::try_from(value >> 1).unwrap_or(usize::MAX);
        Ok(if value & 1 == 0 { Head::Earlier(rest) } else { Head::Here(rest) })
    }

    fn string(&mut self) -> Result<String, Error> {
        match self.head()? {
            Head::Earlier(index) => {
                let bytes = self.strings.get(index).copied().unwrap_or_default();
                self.budget.spend_repeated(bytes.len())?;
                Ok(amf0::text(bytes))
            }
            Head::Here(len) => {
                let bytes: &'a [u8] = self.input.take(len)?;
                // The empty string is never put in the table (AMF3 §1.3.2).
                if !bytes.is_empty() {
                    self.strings.push(bytes);
                }
                Ok(amf0::text(bytes))
            }
        }
    }

    fn array(&mut self, dense: usize, depth: usize) -> Result<Value, Error> {
        let mut named = Vec::new();
        self.named_members(&mut named, depth)?;
        let mut values = Vec::new();
        for _ in 0..dense {
            values.push(self.member(depth)?);
        }
        if named.is_empty() {
            return Ok(Value::StrictArray(values));
        }
        let by_position = values.into_iter().enumerate();
        named.extend(by_position.map(|(index, value)| (index.to_string(), value)));
        Ok(Value::EcmaArray(named))
    }

    fn object(&mut self, head: usize, depth: usize) -> Result<Value, Error> {
        let traits = self.object_traits(head)?;
        let mut pairs = Vec::new();
        for name in traits.sealed {
            pairs.push((name, self.member(depth)?));
        }
        if traits.dynamic {
            self.named_members(&mut pairs, depth)?;
        }
        Ok(Value::Object(pairs))
    }

    /// `head` without the object bit: bit 0 clear names earlier traits, bit 1 is externalizable,
    /// bit 2 dynamic, the rest counts the sealed members.
    fn object_traits(&mut self, head: usize) -> Result<Traits, Error> {
        if head & 1 == 0 {
            let unknown = Traits { sealed: Vec::new(), dynamic: false };
            let traits = self.traits.get(head >> 1).cloned().unwrap_or(unknown);
            self.budget.spend_repeated(traits.sealed.iter().map(String::len).sum())?;
            return Ok(traits);
        }
        if head & 2 != 0 {
            return Err(Error::Externalizable);
        }
        self.string()?;
        let mut sealed = Vec::new();
        for _ in 0..head >> 3 {
            self.budget.spend_elements(1)?;
            sealed.push(self.string()?);
        }
        let traits = Traits { sealed, dynamic: head & 4 != 0 };
        self.traits.push(traits.clone());
        Ok(traits)
    }

    /// Names and values up to the empty name.
    fn named_members(
        &mut self,
        into: &mut Vec<(String, Value)>,
        depth: usize,
    ) -> Result<(), Error> {
        loop {
            let name = self.string()?;
            if name.is_empty() {
                return Ok(());
            }
            let value = self.member(depth)?;
            into.push((name, value));
        }
    }
}

/// One to four bytes, seven bits each and eight in the fourth, most significant first (AMF3
/// §1.3.1).
fn u29(input: &mut Cursor<'_>) -> Result<u32, Error> {
    let mut value = 0;
    for _ in 0..3 {
        let byte = input.u8()?;
        value = value << 7 | u32::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Ok(value << 8 | u32::from(input.u8()?))
}

/// A 29-bit integer in two's complement.
const fn signed(value: u32) -> i32 {
    ((value << 3) as i32) >> 3
}

/// Appends a byte array; one past 2^28 - 1 bytes, which no message can carry, is cut.
pub(super) fn write_byte_array(bytes: &[u8], out: &mut Vec<u8>) {
    const LEN_MAX: u32 = (1 << 28) - 1;
    let len = u32::try_from(bytes.len()).unwrap_or(LEN_MAX).min(LEN_MAX);
    out.push(BYTE_ARRAY);
    write_u29(len << 1 | 1, out);
    out.extend(bytes.iter().take(usize::try_from(len).unwrap_or(usize::MAX)));
}

fn write_u29(value: u32, out: &mut Vec<u8>) {
    let [_, _, _, low] = value.to_be_bytes();
    let seven = |shift: u32| (value >> shift & 0x7F) as u8;
    match value {
        0..0x80 => out.push(low),
        0x80..0x4000 => out.extend_from_slice(&[seven(7) | 0x80, seven(0)]),
        0x4000..0x20_0000 => {
            out.extend_from_slice(&[seven(14) | 0x80, seven(7) | 0x80, seven(0)]);
        }
        _ => out.extend_from_slice(&[seven(22) | 0x80, seven(15) | 0x80, seven(8) | 0x80, low]),
    }
}
