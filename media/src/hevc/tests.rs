use super::*;
use crate::nal::LengthSize;
use crate::picture::Colour;

/// Records of x265; `testdata/PROVENANCE.md`.
fn record(name: &str) -> Vec<u8> {
    crate::testdata::record(include_str!("../../testdata/enhanced.hex"), name)
}

#[test]
fn records_of_x265_are_understood() {
    let pq = Colour { primaries: 9, transfer: 16, matrix: 9, full_range: false };
    for (name, codec, depth, colour) in
        [("hevc", "hvc1.1.6.L30.90", 8, None), ("hevc_pq", "hvc1.2.4.L30.90", 10, Some(pq))]
    {
        let (config, length_size) = HevcConfig::parse(&record(name)).unwrap();
        assert_eq!(length_size, LengthSize::Four);
        assert_eq!(config.codec_string(), codec, "{name}");
        assert_eq!(config.coded_size(), (160, 96), "{name}");
        assert_eq!(config.sample_aspect_ratio(), (1, 1), "{name}");
        assert_eq!(config.sps().bit_depth_luma, depth, "{name}");
        assert_eq!(config.sps().chroma_format_idc, 1, "{name}");
        assert_eq!(config.sps().vui.frame_rate_millis(), Some(25_000), "{name}");
        assert_eq!(config.colour(), colour, "{name}");
    }
}

#[test]
fn cm12_the_record_is_written_in_canonical_form() {
    let bytes = record("hevc");
    let (config, _) = HevcConfig::parse(&bytes).unwrap();
    let mut expected = bytes.clone();
    // x265 through FFmpeg does not call its arrays complete; hvc1 demands it.
    for at in [23, 52, 98] {
        expected[at] |= 0x80;
    }
    assert_eq!(config.record()[..], expected);
    assert_eq!(HevcConfig::parse(config.record()).unwrap().0, config);
    // Other reserved bits, version and profile bytes in the input change nothing.
    let mut odd = bytes;
    odd[0] = 0;
    odd[1] = 0xFF;
    odd[13] = 0;
    odd[16] = 0;
    assert_eq!(HevcConfig::parse(&odd).unwrap().0, config);
}

#[test]
fn av3_sets_with_start_codes_make_the_same_record() {
    let bytes = record("hevc");
    let sets = [&bytes[28..52], &bytes[57..98], &bytes[103..]];
    let annexb: Vec<u8> = sets.iter().flat_map(|set| [&[0, 0, 0, 1], *set].concat()).collect();
    let sets = ParameterSets::parse_annexb(&annexb).unwrap();
    let (config, _) = HevcConfig::parse(&bytes).unwrap();
    assert_eq!(HevcConfig::new(&sets).unwrap(), config);
}

#[test]
fn unusable_records_are_refused() {
    let change = |at: usize, byte: u8| {
        let mut bytes = record("hevc");
        bytes[at] = byte;
        HevcConfig::parse(&bytes).unwrap_err()
    };
    assert_eq!(change(0, 2), HvccError::Version(2));
    assert_eq!(change(21, 0x0E), HvccError::LengthSize);
    assert_eq!(change(22, 2), HvccError::Incomplete, "without the PPS");
    let empty = ParameterSets::default();
    assert_eq!(HevcConfig::new(&empty), Err(HvccError::Incomplete));
    let mut sets = ParameterSets::default();
    let huge = [&[0x42, 1][..], &[7; 5_000]].concat();
    assert_eq!(sets.insert(&huge), Err(HvccError::SetTooLarge { len: 5_002 }));
}

#[test]
fn every_cut_and_every_flipped_bit_is_survived() {
    for name in ["hevc", "hevc_pq"] {
        let bytes = record(name);
        for cut in 0..bytes.len() {
            assert!(HevcConfig::parse(&bytes[..cut]).is_err(), "{name} {cut}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 0x80 >> (bit % 8);
            if let Ok((config, _)) = HevcConfig::parse(&flipped) {
                assert!(config.coded_size().0 > 0 && !config.codec_string().is_empty());
            }
        }
    }
}
