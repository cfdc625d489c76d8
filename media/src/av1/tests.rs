use bytes::Bytes;

use super::*;
use crate::picture::Colour;

/// A record of libaom; `testdata/PROVENANCE.md`.
const RECORD: &[u8] =
    &[0x81, 0, 0x0C, 0, 0x0A, 0x0A, 0, 0, 0, 3, 0xB4, 0xFD, 0xF3, 0x6B, 0xE4, 0x01];
const SEQUENCE_HEADER: &[u8] = RECORD.split_at(4).1;

fn config() -> Av1Config {
    Av1Config::parse(&Bytes::from_static(RECORD)).unwrap().unwrap()
}

/// Bits of a hand-written sequence header.
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn u(mut self, count: u32, value: u64) -> Self {
        self.0.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
        self
    }

    /// Profile to the end of the tools: one operating point of level 8 and high tier, 1920x1080 at
    /// 30000/1001 pictures a second.
    fn head(profile: u64) -> Self {
        let timed = Self::default().u(3, profile).u(2, 0).u(1, 1).u(32, 1_001).u(32, 30_000);
        let timed = timed.u(1, 1).u(1, 1).u(1, 0).u(1, 0).u(5, 0).u(12, 0).u(5, 8).u(1, 1);
        let sized = timed.u(4, 10).u(4, 10).u(11, 1_919).u(11, 1_079).u(1, 0);
        // Order hints with 7 bits, screen content tools by choice.
        sized.u(3, 0).u(4, 0).u(1, 1).u(2, 0).u(1, 1).u(1, 1).u(3, 6).u(3, 0)
    }

    fn obu(self) -> Bytes {
        let stopped = self.u(1, 0).u(1, 0).u(1, 1);
        let mut payload = Vec::new();
        for byte in stopped.0.chunks(8) {
            let value = byte.iter().fold(0, |value, &bit| value << 1 | u8::from(bit));
            payload.push(value << (8 - byte.len()));
        }
        [&[0x0A, payload.len() as u8], &payload[..]].concat().into()
    }
}

#[test]
fn cm13_a_record_of_libaom_is_kept_as_it_is() {
    let config = config();
    assert_eq!(config.record()[..], *RECORD);
    assert_eq!(config.config_obus(), SEQUENCE_HEADER);
    assert_eq!(config.codec_string(), "av01.0.00M.08");
    assert_eq!(config.coded_size(), (160, 96));
    assert_eq!(config.colour(), None);
    let mut lying = RECORD.to_vec();
    lying[1] = 0x65;
    lying[2] = 0xFF;
    assert_eq!(Av1Config::parse(&lying.into()).unwrap().unwrap(), config);
    let no_size = Bytes::from([&[0x08], &SEQUENCE_HEADER[2..]].concat());
    assert_eq!(Av1Config::from_obus(&no_size).unwrap().unwrap(), config);
}

#[test]
fn codec_strings_are_short_unless_something_is_unusual() {
    let main = |colour: Bits| Bits::head(0).u(1, 1).u(1, 0).0.into_iter().chain(colour.0).collect();
    let pq = Bits::default().u(1, 1).u(8, 9).u(8, 16).u(8, 9).u(1, 0).u(2, 2);
    let bt709 = Bits::default().u(1, 1).u(8, 1).u(8, 1).u(8, 1).u(1, 0).u(2, 0);
    let full = Bits::default().u(1, 0).u(1, 1).u(2, 0);
    let mono = Bits::head(0).u(1, 0).u(1, 1).u(1, 0).u(1, 0);
    let rgb = Bits::head(1).u(1, 0).u(1, 1).u(8, 1).u(8, 13).u(8, 0);
    let twelve = Bits::head(2).u(1, 1).u(1, 1).u(1, 0).u(1, 0).u(1, 0).u(1, 1).u(1, 0);
    for (name, bits, text) in [
        ("PQ", Bits(main(pq)), "av01.0.08H.10.0.112.09.16.09.0"),
        ("BT.709", Bits(main(bt709)), "av01.0.08H.10"),
        ("full range", Bits(main(full)), "av01.0.08H.10.0.110.01.01.01.1"),
        ("monochrome", mono, "av01.0.08H.08.1.110.01.01.01.0"),
        ("4:4:4 RGB", rgb, "av01.1.08H.08.0.000.01.13.00.1"),
        ("4:2:2, 12 bits", twelve, "av01.2.08H.12.0.100.01.01.01.0"),
    ] {
        let config = Av1Config::from_obus(&bits.obu()).expect(name).expect(name);
        assert_eq!(config.codec_string(), text, "{name}");
        assert_eq!(config.coded_size(), (1_920, 1_080), "{name}");
        assert_eq!(config.sequence_header().frame_rate_millis(), Some(29_970), "{name}");
        let again = Av1Config::parse(config.record()).unwrap().unwrap();
        assert_eq!(again, config, "{name}");
    }
}

#[test]
fn mv3_colour_is_told_or_absent() {
    let pq = Bits::head(0).u(1, 1).u(1, 0).u(1, 1).u(8, 9).u(8, 16).u(8, 9).u(1, 0).u(2, 2);
    let config = Av1Config::from_obus(&pq.obu()).unwrap().unwrap();
    let expected = Colour { primaries: 9, transfer: 16, matrix: 9, full_range: false };
    assert_eq!(config.colour(), Some(expected));
}

#[test]
fn unusable_records_are_refused_and_empty_ones_wait() {
    let parse = |bytes: &[u8]| Av1Config::parse(&Bytes::copy_from_slice(bytes));
    assert_eq!(parse(&RECORD[..4]), Ok(None));
    assert_eq!(parse(&RECORD[..3]), Err(Av1cError::Short { len: 3 }));
    assert_eq!(parse(&[1, 2, 3, 4]), Err(Av1cError::Version(1)));
    let profile = [&RECORD[..6], &[0x60], &RECORD[7..]].concat();
    let error = SequenceHeaderError::Profile(3);
    assert_eq!(parse(&profile), Err(Av1cError::SequenceHeader(error)));
    for cut in 5..RECORD.len() {
        assert!(parse(&RECORD[..cut]).is_err(), "{cut}");
    }
    for bit in 0..RECORD.len() * 8 {
        let mut flipped = RECORD.to_vec();
        flipped[bit / 8] ^= 0x80 >> (bit % 8);
        if let Ok(Some(config)) = parse(&flipped) {
            assert!(config.codec_string().starts_with("av01."));
        }
    }
}

#[test]
fn cm13_temporal_units_become_samples() {
    const KEY: &[u8] = &[0x32, 2, 0x10, 7];
    const INTER: &[u8] = &[0x32, 2, 0x30, 7];
    const HIDDEN_KEY: &[u8] = &[0x32, 2, 0x00, 7];
    const SHOW_EXISTING: &[u8] = &[0x1A, 1, 0x90];
    let delimiter: &[u8] = &[0x12, 0];
    let padding: &[u8] = &[0x7A, 2, 1, 2];
    let tile_list: &[u8] = &[0x42, 1, 1];
    let metadata: &[u8] = &[0x2A, 1, 4];
    let header = SEQUENCE_HEADER;
    let cases: &[(&str, Vec<u8>, Vec<u8>, bool)] = &[
        ("key", [delimiter, header, KEY].concat(), [header, KEY].concat(), true),
        ("key without header", [delimiter, KEY].concat(), [header, KEY].concat(), true),
        ("inter", [delimiter, INTER].concat(), INTER.to_vec(), false),
        ("without size", vec![0x30, 0x30, 7], INTER.to_vec(), false),
        ("hidden key", HIDDEN_KEY.to_vec(), HIDDEN_KEY.to_vec(), false),
        ("shown again", SHOW_EXISTING.to_vec(), SHOW_EXISTING.to_vec(), false),
        (
            "everything else",
            [metadata, INTER, padding, tile_list].concat(),
            [metadata, INTER].concat(),
            false,
        ),
        ("no frame", [delimiter, header].concat(), vec![], false),
        ("empty", vec![], vec![], false),
    ];
    for (name, unit, sample, sync) in cases {
        let unit = Bytes::copy_from_slice(unit);
        let normalised = normalise(&unit, Some(&config())).expect(name);
        assert_eq!(normalised.payload, sample, "{name}");
        assert_eq!(normalised.sync, *sync, "{name}");
        for cut in 0..unit.len() {
            let _ = normalise(&unit.slice(..cut), Some(&config()));
        }
        for bit in 0..unit.len() * 8 {
            let mut flipped = unit.to_vec();
            flipped[bit / 8] ^= 0x80 >> (bit % 8);
            let _ = normalise(&flipped.into(), None);
        }
    }
    let shared = Bytes::from_static(INTER);
    assert_eq!(normalise(&shared, None).unwrap().payload.as_ptr(), shared.as_ptr());
    let flood = Bytes::from([&metadata.repeat(1_100)[..], INTER].concat());
    assert_eq!(normalise(&flood, None), Err(TemporalUnitError::TooMany));
}
