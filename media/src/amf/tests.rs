//! Vectors for both versions, every cut of each, and the caps.

use super::{Error, Value, amf0};
use crate::limits;

fn read_all(bytes: &[u8]) -> Result<Vec<Value>, Error> {
    let mut reader = amf0::Reader::new(bytes);
    let mut values = Vec::new();
    while let Some(value) = reader.read()? {
        values.push(value);
    }
    Ok(values)
}

fn written(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    amf0::write(value, &mut out);
    out
}

fn number(value: f64) -> Value {
    Value::Number(value)
}

fn every_type() -> Value {
    Value::object([
        ("number", number(-1.5)),
        ("true", Value::Boolean(true)),
        ("text", Value::string("grün")),
        ("ecma", Value::EcmaArray(vec![("width".into(), number(1280.0))])),
        ("list", Value::StrictArray(vec![Value::Null, Value::Undefined, number(f64::INFINITY)])),
        ("date", Value::Date(1_790_000_000_000.0)),
        ("xml", Value::Xml("<a/>".into())),
        ("bytes", Value::ByteArray(vec![1, 2, 3])),
        ("empty", Value::object([])),
    ])
}

#[test]
fn am_1_wire_bytes_of_each_type() {
    let cases: [(&str, Value, &[u8]); 10] = [
        ("number", number(1.0), &[0, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0]),
        ("boolean", Value::Boolean(true), &[1, 1]),
        ("string", Value::string("ab"), &[2, 0, 2, b'a', b'b']),
        ("object", Value::object([("k", Value::Null)]), &[3, 0, 1, b'k', 5, 0, 0, 9]),
        (
            "ECMA array",
            Value::EcmaArray(vec![("k".into(), Value::Null)]),
            &[8, 0, 0, 0, 1, 0, 1, b'k', 5, 0, 0, 9],
        ),
        ("strict array", Value::StrictArray(vec![Value::Null]), &[0x0A, 0, 0, 0, 1, 5]),
        ("undefined", Value::Undefined, &[6]),
        ("date", Value::Date(0.0), &[0x0B, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        ("xml", Value::Xml("x".into()), &[0x0F, 0, 0, 0, 1, b'x']),
        ("byte array", Value::ByteArray(vec![7]), &[0x11, 0x0C, 3, 7]),
    ];
    for (name, value, bytes) in cases {
        assert_eq!(written(&value), bytes, "{name} written");
        assert_eq!(read_all(bytes), Ok(vec![value]), "{name} read");
    }
}

#[test]
fn round_trip_of_nested_and_long_values() {
    for value in [
        every_type(),
        Value::String("x".repeat(70_000)),
        Value::ByteArray(vec![9; 0x80]),
        Value::ByteArray(vec![9; 0x4000]),
        Value::ByteArray(vec![9; 0x20_0000]),
    ] {
        assert_eq!(read_all(&written(&value)), Ok(vec![value]));
    }
}

#[test]
fn am_1_am_4_types_that_are_only_read() {
    let cases: [(&str, &[u8], Value); 5] = [
        ("unsupported", &[0x0D], Value::Undefined),
        ("long string", &[0x0C, 0, 0, 0, 1, b'x'], Value::string("x")),
        (
            "typed object",
            &[0x10, 0, 1, b'C', 0, 1, b'k', 5, 0, 0, 9],
            Value::object([("k", Value::Null)]),
        ),
        (
            "AM-2 wrong ECMA count",
            &[8, 0, 0, 0, 20, 0, 1, b'k', 5, 0, 0, 9],
            Value::EcmaArray(vec![("k".into(), Value::Null)]),
        ),
        ("empty name inside an object", &[3, 0, 0, 5, 0, 0, 9], Value::object([("", Value::Null)])),
    ];
    for (name, bytes, value) in cases {
        assert_eq!(read_all(bytes), Ok(vec![value]), "{name}");
    }
}

#[test]
fn am_2_objects_without_terminator_keep_what_was_read() {
    let whole = written(&Value::object([("a", number(1.0)), ("b", Value::string("xyz"))]));
    for cut in 1..whole.len() {
        let read = read_all(&whole[..cut]).unwrap();
        let expected = match cut {
            0..13 => 0,
            13..22 => 1,
            _ => 2,
        };
        assert_eq!(read[0].pairs().unwrap().len(), expected, "cut at {cut}");
    }
}

#[test]
fn every_cut_of_every_type_ends_quietly() {
    let mut bytes = written(&every_type());
    bytes.extend(written(&Value::string("after")));
    for cut in 0..bytes.len() {
        let _ = read_all(&bytes[..cut]);
        let _ = amf0::Reader::new(&bytes[cut..]).read_rest();
    }
}

#[test]
fn am_5_references_reach_back_only() {
    let cases: [(&str, &[u8], Vec<Value>); 4] = [
        (
            "to the first object",
            &[3, 0, 1, b'k', 5, 0, 0, 9, 7, 0, 0],
            vec![Value::object([("k", Value::Null)]); 2],
        ),
        ("out of range", &[7, 0, 9], vec![Value::Null]),
        (
            "to the object it stands in",
            &[3, 0, 1, b'k', 7, 0, 0, 0, 0, 9],
            vec![Value::object([("k", Value::Null)])],
        ),
        (
            "to the inner object by order of beginning",
            &[3, 0, 1, b'o', 3, 0, 0, 9, 0, 0, 9, 7, 0, 1],
            vec![Value::object([("o", Value::object([]))]), Value::object([])],
        ),
    ];
    for (name, bytes, values) in cases {
        assert_eq!(read_all(bytes), Ok(values), "{name}");
    }
}

/// Found by the fuzz target `amf0`: each reference may name a value as deep as the cap.
#[test]
fn am_5_references_do_not_nest_past_the_cap() {
    // [[…[x]…], [[…[ref 0]…]]]: both halves are allowed, the first inside the second is not.
    let nested =
        |depth: usize, inner: &[u8]| [[0x0A, 0, 0, 0, 1].repeat(depth), inner.to_vec()].concat();
    for (levels, fits) in [(1, true), (limits::AMF_DEPTH_MAX - 8, true), (12, false)] {
        let first = nested(8, &[5]);
        let second = nested(levels, &[7, 0, 0]);
        let outcome = read_all(&[first, second].concat());
        assert_eq!(outcome.is_ok(), fits, "{levels}: {outcome:?}");
        assert!(fits || outcome == Err(Error::TooDeep));
    }
    // AMF3: an array that holds an array and then names it, two levels deeper.
    let mut amf3 = vec![0x11];
    amf3.extend([0x09, 3, 1].repeat(limits::AMF_DEPTH_MAX - 1));
    amf3.extend([0x09, 1, 1]);
    assert!(read_all(&amf3).is_ok());
    let mut deeper = vec![0x11, 0x09, 5, 1];
    deeper.extend([0x09, 3, 1].repeat(limits::AMF_DEPTH_MAX - 2));
    deeper.extend([0x09, 1, 1]);
    deeper.extend([0x09, 3, 1, 0x09, 3, 1, 0x09, 2]);
    assert_eq!(read_all(&deeper), Err(Error::TooDeep));
}

#[test]
fn am_5_caps() {
    let nested =
        |depth: usize| (0..depth).fold(Value::Null, |inner, _| Value::StrictArray(vec![inner]));
    assert!(read_all(&written(&nested(limits::AMF_DEPTH_MAX))).is_ok());
    let deep = written(&nested(limits::AMF_DEPTH_MAX + 1));
    assert_eq!(read_all(&deep), Err(Error::TooDeep));

    let full = Value::StrictArray(vec![Value::Null; limits::AMF_ELEMENTS_MAX - 1]);
    assert!(read_all(&written(&full)).is_ok());
    let over = Value::StrictArray(vec![Value::Null; limits::AMF_ELEMENTS_MAX]);
    assert_eq!(read_all(&written(&over)), Err(Error::TooManyElements));

    let mut repeated = written(&Value::object([("k", Value::String("x".repeat(30_000)))]));
    repeated.extend([7, 0, 0].repeat(3));
    assert_eq!(read_all(&repeated), Err(Error::TooMuchRepeated));

    assert_eq!(read_all(&[0x04]), Err(Error::Marker0(4)));
    assert_eq!(read_all(&[0x11, 0x11]), Err(Error::Marker3(0x11)));
    let huge = read_all(&[0x0C, 0xFF, 0xFF, 0xFF, 0xFF]).unwrap_err();
    assert!(matches!(huge, Error::Cut(end) if end.needed == 0xFFFF_FFFF));
}

#[test]
fn am_7_amf3_values() {
    let cases: [(&str, &[u8], Value); 15] = [
        ("undefined", &[0], Value::Undefined),
        ("null", &[1], Value::Null),
        ("false", &[2], Value::Boolean(false)),
        ("true", &[3], Value::Boolean(true)),
        ("one-byte integer", &[4, 0x7F], number(127.0)),
        ("two-byte integer", &[4, 0x81, 0x00], number(128.0)),
        ("three-byte integer", &[4, 0x81, 0x80, 0x00], number(16_384.0)),
        ("four-byte integer", &[4, 0x80, 0xC0, 0x80, 0x00], number(2_097_152.0)),
        ("negative integer", &[4, 0xFF, 0xFF, 0xFF, 0xFF], number(-1.0)),
        ("double", &[5, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0], number(1.0)),
        ("date", &[8, 1, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0], Value::Date(1.0)),
        (
            "dense array with a string reference",
            &[9, 5, 1, 6, 3, b'a', 6, 0],
            Value::StrictArray(vec![Value::string("a"), Value::string("a")]),
        ),
        (
            "array with named members",
            &[9, 3, 3, b'k', 3, 1, 4, 5],
            Value::EcmaArray(vec![("k".into(), Value::Boolean(true)), ("0".into(), number(5.0))]),
        ),
        ("dynamic object", &[0x0A, 0x0B, 1, 3, b'k', 4, 1, 1], Value::object([("k", number(1.0))])),
        (
            "two objects of one class",
            &[9, 5, 1, 0x0A, 0x13, 3, b'C', 3, b'x', 4, 1, 0x0A, 1, 4, 2],
            Value::StrictArray(vec![
                Value::object([("x", number(1.0))]),
                Value::object([("x", number(2.0))]),
            ]),
        ),
    ];
    for (name, amf3, value) in cases {
        let bytes = [&[0x11], amf3, &[5]].concat();
        assert_eq!(read_all(&bytes), Ok(vec![value, Value::Null]), "{name}");
        for cut in 1..=amf3.len() {
            assert!(matches!(read_all(&bytes[..cut]), Err(Error::Cut(_))), "{name} cut at {cut}");
        }
    }
    assert_eq!(read_all(&[0x11, 0x0A, 0x07, 1]), Err(Error::Externalizable));
    // An array of 2^27 members that never come.
    assert!(read_all(&[0x11, 9, 0xFF, 0xFF, 0xFF, 0xFF, 1]).is_err());
}

#[test]
fn am_8_names_compare_without_case() {
    let object = Value::object([
        ("tcurl", Value::string("lower")),
        ("tcUrl", Value::string("exact")),
        ("FlashVer", Value::string("any")),
    ]);
    assert_eq!(object.property("tcUrl").and_then(Value::as_str), Some("exact"));
    assert_eq!(object.property("flashVer").and_then(Value::as_str), Some("any"));
    assert_eq!(object.property("app"), None);
    assert_eq!(Value::Null.property("app"), None);
}

#[test]
fn am_5_numbers_are_checked_before_they_become_integers() {
    for (value, expected) in [
        (1.9, Some(1)),
        (f64::from(u32::MAX), Some(u32::MAX)),
        (4_294_967_296.0, None),
        (-1.0, None),
        (f64::NAN, None),
        (f64::INFINITY, None),
    ] {
        assert_eq!(number(value).as_u32(), expected, "{value}");
    }
}
