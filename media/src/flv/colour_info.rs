//! Metadata packets of Enhanced RTMP to colour (E-RTMP, VideoPacketType.Metadata).
//!
//! ```text
//! "colorInfo", object {colorConfig: {colorPrimaries, transferCharacteristics, matrixCoefficients,
//! …}, …}
//! ```
//!
//! Colour fills in what the bit stream does not tell. Light levels and the mastering display go
//! where players look for them before they have a picture: next to the configuration.

use crate::amf::{Value, amf0};
use crate::picture::{Colour, ContentLight, Light, MasteringDisplay};

/// What a Metadata packet says about colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColourInfo {
    /// This holds from the next frame on; of parts that are missing, what was told before.
    Told {
        /// Code points; those that are missing are unspecified.
        colour: Option<Colour>,
        /// Light levels and the mastering display.
        light: Light,
    },
    /// An empty or undefined value: what was told before no longer holds.
    Reset,
    /// Nothing of all that, or not readable.
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
                Some(info) => of_info(&info),
                None => Self::Absent,
            };
        }
        Self::Absent
    }
}

fn of_info(info: &Value) -> ColourInfo {
    let config = info.property("colorConfig").map(of_config);
    let light = Light {
        content: info.property("hdrCll").and_then(of_levels),
        mastering: info.property("hdrMdcv").and_then(of_display),
    };
    match (config, light != Light::default()) {
        (None, false) => ColourInfo::Absent,
        // FFmpeg sends an empty configuration when it knows nothing.
        (Some(colour), false) if !colour.is_specified() => ColourInfo::Reset,
        (colour, _) => {
            ColourInfo::Told { colour: colour.filter(|colour| colour.is_specified()), light }
        }
    }
}

fn of_levels(levels: &Value) -> Option<ContentLight> {
    let level = |name| number(levels, name, 1.0, u16::MAX.into()).map_or(0, |n| n as u16);
    let (max, max_mean) = (level("maxCLL"), level("maxFall"));
    (max > 0 || max_mean > 0).then_some(ContentLight { max, max_mean })
}

fn of_display(display: &Value) -> Option<MasteringDisplay> {
    const CHROMATICITY: f64 = 50_000.0;
    const LUMINANCE: f64 = 10_000.0;
    // x and y are shares of one.
    let share = |name| number(display, name, CHROMATICITY, CHROMATICITY).map(|n| n as u16);
    let luminance = |name| number(display, name, LUMINANCE, u32::MAX.into());
    let found = MasteringDisplay {
        primaries: [
            (share("greenX")?, share("greenY")?),
            (share("blueX")?, share("blueY")?),
            (share("redX")?, share("redY")?),
        ],
        white: (share("whitePointX")?, share("whitePointY")?),
        luminance_max: luminance("maxLuminance")?,
        luminance_min: luminance("minLuminance")?,
    };
    (found.luminance_max > found.luminance_min).then_some(found)
}

/// A number in units of one `scale`-th, if it is one from 0 to `max` of them.
fn number(object: &Value, name: &str, scale: f64, max: f64) -> Option<u32> {
    let scaled = (object.property(name)?.as_number()? * scale).round();
    (0.0..=max).contains(&scaled).then_some(scaled as u32)
}

fn of_config(config: &Value) -> Colour {
    let code = |name| {
        let number = config.property(name).and_then(Value::as_u32)?;
        u8::try_from(number).ok()
    };
    let or_unspecified = |code: Option<u8>| code.unwrap_or(Colour::UNSPECIFIED);
    Colour {
        primaries: or_unspecified(code("colorPrimaries")),
        transfer: or_unspecified(code("transferCharacteristics")),
        matrix: or_unspecified(code("matrixCoefficients")),
        full_range: false,
    }
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
        let levels = Some(ContentLight { max: 0, max_mean: 400 });
        let display = |max: f64| {
            let numbers = [
                ("redX", 0.68),
                ("redY", 0.32),
                ("greenX", 0.265),
                ("greenY", 0.69),
                ("blueX", 0.15),
                ("blueY", 0.06),
                ("whitePointX", 0.3127),
                ("whitePointY", 0.329),
                ("maxLuminance", max),
                ("minLuminance", 0.0001),
            ];
            Value::object(numbers.map(|(name, number)| (name, Value::Number(number))))
        };
        let mastering = Some(MasteringDisplay {
            primaries: [(13_250, 34_500), (7_500, 3_000), (34_000, 16_000)],
            white: (15_635, 16_450),
            luminance_max: 10_000_000,
            luminance_min: 1,
        });
        let whole = Value::object([
            ("colorConfig", config),
            ("hdrCll", cll.clone()),
            ("hdrMdcv", display(1_000.0)),
        ]);
        let wrong = |name, value| Value::object([(name, value)]);
        let too_high = Value::object([("maxCLL", Value::Number(65_536.0))]);
        let partial = Value::object([(
            "colorConfig",
            Value::object([
                ("transferCharacteristics", Value::Number(18.0)),
                ("colorPrimaries", Value::Number(f64::NAN)),
                ("matrixCoefficients", Value::Number(999.0)),
            ]),
        )]);
        let colour = |primaries, transfer, matrix, light| {
            let colour = Some(Colour { primaries, transfer, matrix, full_range: false });
            ColourInfo::Told { colour, light }
        };
        let none = Light::default();
        let alone = ColourInfo::Told { colour: None, light: Light { content: levels, ..none } };
        for (case, values, expected) in [
            (
                "PQ",
                vec![name.clone(), whole],
                colour(9, 16, 9, Light { content: levels, mastering }),
            ),
            ("HLG, the rest unusable", vec![name.clone(), partial], colour(2, 18, 2, none)),
            ("light alone", vec![name.clone(), wrong("hdrCll", cll)], alone),
            ("too much light", vec![name.clone(), wrong("hdrCll", too_high)], ColourInfo::Absent),
            ("no light", vec![name.clone(), wrong("hdrMdcv", display(0.0))], ColourInfo::Absent),
            ("part", vec![name.clone(), wrong("hdrMdcv", Value::object([]))], ColourInfo::Absent),
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
