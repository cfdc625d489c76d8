//! Metadata packets of Enhanced RTMP to colour (E-RTMP, VideoPacketType.Metadata).
//!
//! ```text
//! "colorInfo", object {colorConfig: {colorPrimaries, transferCharacteristics, matrixCoefficients,
//! …}, …}
//! ```
//!
//! It fills in what the bit stream does not tell. Light levels and the mastering display are not
//! read: encoders send them in the bit stream as well, where players look for them.

use crate::amf::{Value, amf0};
use crate::picture::Colour;

/// What a Metadata packet says about colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColourInfo {
    /// These code points hold from the next frame on; what is missing is unspecified.
    Told(Colour),
    /// An empty or undefined value: what was told before no longer holds.
    Reset,
    /// Nothing about colour, or not readable.
    Absent,
}

impl ColourInfo {
    /// Reads the body of a Metadata packet.
    pub fn parse(body: &[u8]) -> Self {
        let mut values = amf0::Reader::new(body).read_rest().into_iter();
        while let Some(name) = values.next() {
            if name.as_str() != Some("colorInfo") {
                continue;
            }
            return match values.next() {
                Some(Value::Undefined | Value::Null) => Self::Reset,
                Some(info) if info.pairs().is_some_and(<[_]>::is_empty) => Self::Reset,
                Some(info) => info.property("colorConfig").map_or(Self::Absent, of_config),
                None => Self::Absent,
            };
        }
        Self::Absent
    }
}

fn of_config(config: &Value) -> ColourInfo {
    let code = |name| {
        let number = config.property(name).and_then(Value::as_u32)?;
        u8::try_from(number).ok()
    };
    let or_unspecified = |code: Option<u8>| code.unwrap_or(Colour::UNSPECIFIED);
    let colour = Colour {
        primaries: or_unspecified(code("colorPrimaries")),
        transfer: or_unspecified(code("transferCharacteristics")),
        matrix: or_unspecified(code("matrixCoefficients")),
        full_range: false,
    };
    // FFmpeg sends an empty configuration when it knows nothing.
    if colour.is_specified() { ColourInfo::Told(colour) } else { ColourInfo::Reset }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(values: &[Value]) -> Vec<u8> {
        let mut bytes = Vec::new();
        values.iter().for_each(|value| amf0::write(value, &mut bytes));
        bytes
    }

    #[test]
    fn obs_hdr_metadata_and_its_reset() {
        let name = Value::string("colorInfo");
        let config = Value::object([
            ("bitDepth", Value::Number(10.0)),
            ("colorPrimaries", Value::Number(9.0)),
            ("transferCharacteristics", Value::Number(16.0)),
            ("matrixCoefficients", Value::Number(9.0)),
        ]);
        let cll = Value::object([("maxFall", Value::Number(400.0))]);
        let whole = Value::object([("colorConfig", config), ("hdrCll", cll.clone())]);
        let partial = Value::object([(
            "colorConfig",
            Value::object([
                ("transferCharacteristics", Value::Number(18.0)),
                ("colorPrimaries", Value::Number(f64::NAN)),
                ("matrixCoefficients", Value::Number(999.0)),
            ]),
        )]);
        let colour = |primaries, transfer, matrix| {
            ColourInfo::Told(Colour { primaries, transfer, matrix, full_range: false })
        };
        for (case, values, expected) in [
            ("PQ", vec![name.clone(), whole], colour(9, 16, 9)),
            ("HLG, the rest unusable", vec![name.clone(), partial], colour(2, 18, 2)),
            ("no colour", vec![name.clone(), Value::object([("hdrCll", cll)])], ColourInfo::Absent),
            ("empty", vec![name.clone(), Value::object([])], ColourInfo::Reset),
            (
                "FFmpeg without colour",
                vec![name.clone(), Value::object([("colorConfig", Value::object([]))])],
                ColourInfo::Reset,
            ),
            ("undefined", vec![name.clone(), Value::Undefined], ColourInfo::Reset),
            ("no value", vec![name], ColourInfo::Absent),
            ("another name", vec![Value::string("x"), Value::Null], ColourInfo::Absent),
            ("nothing", vec![], ColourInfo::Absent),
        ] {
            let bytes = body(&values);
            assert_eq!(ColourInfo::parse(&bytes), expected, "{case}");
            for cut in 0..bytes.len() {
                let _ = ColourInfo::parse(&bytes[..cut]);
            }
        }
    }
}
