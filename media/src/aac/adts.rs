//! ADTS headers where FLV promised raw AAC (AA-6, AAC §1.A.2.2).
//!
//! ```text
//! FFF(12) id(1) 00 no_crc(1) | profile(2) rate(4) private(1) channels(3) … length(13) … blocks(2)
//! ```

use bytes::Bytes;

use crate::limits;

const HEADER: usize = 7;
const HEADER_WITH_CRC: usize = 9;

/// The raw access units of a payload: its ADTS frames when it consists of nothing else, else the
/// payload itself. A raw unit cannot be mistaken: its first element would be the end marker.
pub fn strip(payload: &Bytes) -> Vec<Bytes> {
    frames(payload).unwrap_or_else(|| vec![payload.clone()])
}

fn frames(payload: &Bytes) -> Option<Vec<Bytes>> {
    let mut units = Vec::new();
    let mut at = 0;
    while at < payload.len() {
        let header = payload.get(at..at + HEADER)?;
        let [sync_high, sync_low, _, length_high, length_middle, length_low, blocks] = *header
        else {
            return None;
        };
        let sync = sync_high == 0xFF && sync_low & 0xF6 == 0xF0;
        let len = usize::from(length_high & 3) << 11
            | usize::from(length_middle) << 3
            | usize::from(length_low >> 5);
        let header_len = if sync_low & 1 == 1 { HEADER } else { HEADER_WITH_CRC };
        // Several raw blocks under one header cannot be parted without decoding them.
        let one_block = blocks & 3 == 0;
        if !sync || !one_block || len < header_len || payload.len() - at < len {
            return None;
        }
        if units.len() == limits::AUDIO_UNITS_PER_MESSAGE_MAX {
            return None;
        }
        units.push(payload.slice(at + header_len..at + len));
        at += len;
    }
    (!units.is_empty()).then_some(units)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ADTS frame of AAC-LC, 48 kHz, stereo.
    fn frame(crc: bool, body: &[u8]) -> Vec<u8> {
        let len = body.len() + if crc { HEADER_WITH_CRC } else { HEADER };
        let mut bytes = vec![0xFF, 0xF0 | u8::from(!crc), 0x4C, 0x80];
        bytes.extend([(len >> 3) as u8, (len as u8) << 5 | 0x1F, 0xFC]);
        bytes.extend(vec![0; if crc { 2 } else { 0 }]);
        bytes.extend(body);
        bytes
    }

    #[test]
    fn aa6_headers_are_stripped_only_from_whole_adts() {
        let one = frame(false, &[0x21, 1, 2]);
        let two = [one.clone(), frame(true, &[0x21, 3])].concat();
        let mut cut = two.clone();
        cut.pop();
        let cases = [
            ("one", one.clone(), vec![vec![0x21, 1, 2]]),
            ("two, one with a CRC", two, vec![vec![0x21, 1, 2], vec![0x21, 3]]),
            ("raw", vec![0x21, 1, 2], vec![vec![0x21, 1, 2]]),
            ("cut", cut.clone(), vec![cut]),
            ("sync alone", vec![0xFF, 0xF1], vec![vec![0xFF, 0xF1]]),
        ];
        for (name, payload, units) in cases {
            assert_eq!(strip(&payload.into()), units, "{name}");
        }
        for at in 0..one.len() {
            let _ = strip(&Bytes::copy_from_slice(&one[..at]));
        }
    }
}
