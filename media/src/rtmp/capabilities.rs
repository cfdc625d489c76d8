//! Capability negotiation of Enhanced RTMP in `connect` and its `_result` (E-RTMP, ER-5).
//!
//! ```text
//! fourCcList strict array of FourCCs | videoFourCcInfoMap, audioFourCcInfoMap object: FourCC →
//! flags capsEx flags | videoFunction flags
//! ```
//!
//! Only what [`crate::source`] packages and [`crate::flv`] parses is announced, and only to a
//! client that announced something itself: older ones get the answer they know. A client that
//! announces nothing may send enhanced messages all the same, as OBS does.

use crate::amf::Value;
use crate::flv::FourCc;

/// What a client said in `connect`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Capabilities {
    /// It knows Enhanced RTMP.
    pub(crate) enhanced: bool,
    /// It moves to another connection when asked to (RC-6).
    pub(crate) reconnects: bool,
}

const VIDEO: [FourCc; 3] = [FourCc::AVC, FourCc::HEVC, FourCc::AV1];
const AUDIO: [FourCc; 6] =
    [FourCc::AAC, FourCc::OPUS, FourCc::FLAC, FourCc::AC3, FourCc::EAC3, FourCc::MP3];

/// FourCcInfo: the server passes the codec on.
const CAN_FORWARD: u32 = 4;
/// capsEx.
const RECONNECT: u32 = 1;
const MULTITRACK: u32 = 2;
const MODIFIERS: u32 = 4;
const NANOSECONDS: u32 = 8;
/// videoFunction.
const HDR: u32 = 2;
const METADATA: u32 = 4;

impl Capabilities {
    /// Reads the command object of `connect`.
    pub(crate) fn of(object: &Value) -> Self {
        let told = |name| object.property(name).is_some();
        let names = ["fourCcList", "videoFourCcInfoMap", "audioFourCcInfoMap", "capsEx"];
        let flags = object.property("capsEx").and_then(Value::as_u32).unwrap_or(0);
        Self { enhanced: names.into_iter().any(told), reconnects: flags & RECONNECT != 0 }
    }

    /// Properties to add to those of `_result`.
    pub(crate) fn answer(self) -> Vec<(String, Value)> {
        if !self.enhanced {
            return Vec::new();
        }
        let name = |four_cc: FourCc| four_cc.to_string();
        let flags = |flags: u32| Value::Number(f64::from(flags));
        let list = VIDEO.into_iter().chain(AUDIO).map(|four_cc| Value::String(name(four_cc)));
        let map = |codecs: &[FourCc]| {
            let pairs = codecs.iter().map(|&four_cc| (name(four_cc), flags(CAN_FORWARD)));
            Value::Object(pairs.collect())
        };
        let pairs = [
            ("fourCcList", Value::StrictArray(list.collect())),
            ("videoFourCcInfoMap", map(&VIDEO)),
            ("audioFourCcInfoMap", map(&AUDIO)),
            ("capsEx", flags(RECONNECT | MULTITRACK | MODIFIERS | NANOSECONDS)),
            ("videoFunction", flags(HDR | METADATA)),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn er5_answers_follow_what_the_client_said() {
        let one = |name, value| Value::object([(name, value)]);
        let list = Value::StrictArray(vec![Value::string("*")]);
        for (case, object, enhanced, reconnects) in [
            ("OBS says nothing", one("app", Value::string("live")), false, false),
            ("FFmpeg's list", one("fourCcList", list), true, false),
            ("a map", one("videoFourCcInfoMap", Value::object([])), true, false),
            ("reconnect", one("capsEx", Value::Number(1.0)), true, true),
            ("all but reconnect", one("capsEx", Value::Number(14.0)), true, false),
            ("no number", one("capsEx", Value::Number(f64::NAN)), true, false),
            ("no object", Value::Null, false, false),
        ] {
            let capabilities = Capabilities::of(&object);
            assert_eq!(capabilities, Capabilities { enhanced, reconnects }, "{case}");
            assert_eq!(capabilities.answer().is_empty(), !enhanced, "{case}");
        }
    }

    #[test]
    fn er5_only_what_is_packaged_is_announced() {
        let answer = Capabilities { enhanced: true, reconnects: false }.answer();
        let object = Value::Object(answer);
        let names = |name: &str| -> Vec<String> {
            let pairs = object.property(name).and_then(Value::pairs).unwrap();
            pairs.iter().map(|(name, _)| name.clone()).collect()
        };
        assert_eq!(names("videoFourCcInfoMap"), ["avc1", "hvc1", "av01"]);
        let audio = ["mp4a", "Opus", "fLaC", "ac-3", "ec-3", ".mp3"];
        assert_eq!(names("audioFourCcInfoMap"), audio);
        assert_eq!(object.property("fourCcList").and_then(Value::as_array).unwrap().len(), 9);
        assert_eq!(object.property("capsEx").and_then(Value::as_u32), Some(15));
        assert_eq!(object.property("videoFunction").and_then(Value::as_u32), Some(6));
    }
}
