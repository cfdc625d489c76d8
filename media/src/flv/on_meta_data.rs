//! The object of `onMetaData` (FLV E.5), as AMF carries it, to [`Metadata`].

use super::Metadata;
use crate::amf::Value;

impl From<&Value> for Metadata {
    /// Takes the properties it knows; anything else, and anything of another type, is passed over:
    /// metadata is advisory (CMD-9).
    fn from(object: &Value) -> Self {
        let mut metadata = Self::default();
        for (name, value) in object.pairs().unwrap_or_default() {
            match value {
                Value::Number(number) => metadata.set_number(name, *number),
                Value::String(text) => metadata.set_text(name, text),
                Value::Boolean(flag) => metadata.set_flag(name, *flag),
                _ => {}
            }
        }
        metadata
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_properties_are_taken() {
        let object = Value::object([
            ("width", Value::Number(1280.0)),
            ("height", Value::Number(720.0)),
            ("framerate", Value::Number(f64::NAN)),
            ("stereo", Value::Boolean(true)),
            ("encoder", Value::string("obs-output module")),
            ("tags", Value::Null),
        ]);
        let metadata = Metadata::from(&object);
        assert_eq!((metadata.width, metadata.height), (Some(1280), Some(720)));
        assert_eq!(metadata.frame_rate_millis, None);
        assert_eq!(metadata.encoder.as_deref(), Some("obs-output module"));
        assert_eq!(Metadata::from(&Value::Null), Metadata::default());
    }
}
