use std::collections::BTreeMap;

use bytes::Bytes;

use super::*;
use crate::limits;
use crate::nal::LengthSize;
use crate::testdata::bytes;

/// Records written by x264 through FFmpeg; `testdata/PROVENANCE.md`.
fn records() -> BTreeMap<&'static str, Vec<u8>> {
    include_str!("../../testdata/h264/avcc.hex")
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, digits)| (name, bytes(digits)))
        .collect()
}

fn config(name: &str) -> AvcConfig {
    AvcConfig::parse(&records()[name]).expect(name).0
}

/// Bits of a hand-written SPS.
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn u(mut self, count: u32, value: u64) -> Self {
        self.0.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
        self
    }

    fn ue(self, value: u32) -> Self {
        let code = u64::from(value) + 1;
        let len = code.ilog2();
        self.u(len, 0).u(len + 1, code)
    }

    fn nal(self, header: u8) -> Vec<u8> {
        let stopped = self.u(1, 1);
        let mut bytes = vec![header];
        for byte in stopped.0.chunks(8) {
            let value = byte.iter().fold(0, |value, &bit| value << 1 | u8::from(bit));
            bytes.push(value << (8 - byte.len()));
        }
        bytes
    }

    fn main_profile(id: u32, width_mbs_minus_1: u32, height_mbs_minus_1: u32) -> Self {
        let head = Self::default().u(8, 77).u(8, 0).u(8, 40).ue(id).ue(0).ue(2).ue(1).u(1, 0);
        head.ue(width_mbs_minus_1).ue(height_mbs_minus_1).u(1, 1).u(1, 1)
    }
}

#[test]
fn x264_records_are_understood() {
    // name, codec string, coded, cropped and display size, chroma, depth, interlaced, fps × 1000
    let cases = [
        ("baseline", "avc1.42C00D", (320, 240), (320, 240), (320, 240), 1, 8, false, 25_000),
        ("main", "avc1.4D401F", (1280, 720), (1280, 720), (1280, 720), 1, 8, false, 30_000),
        (
            "high_1080_ntsc",
            "avc1.640028",
            (1920, 1088),
            (1920, 1080),
            (1920, 1080),
            1,
            8,
            false,
            29_970,
        ),
        ("high_full_range", "avc1.64001F", (640, 368), (640, 360), (640, 360), 1, 8, false, 60_000),
        ("high10", "avc1.6E001E", (640, 368), (640, 360), (640, 360), 1, 10, false, 23_976),
        (
            "high422_interlaced",
            "avc1.7A001E",
            (720, 576),
            (720, 576),
            (768, 576),
            2,
            8,
            true,
            25_000,
        ),
        (
            "interlaced_cropped",
            "avc1.64001E",
            (720, 480),
            (716, 476),
            (651, 476),
            1,
            8,
            true,
            29_970,
        ),
        ("high444", "avc1.F40015", (336, 192), (322, 180), (322, 180), 3, 8, false, 50_000),
        ("gray", "avc1.640015", (336, 192), (322, 182), (322, 182), 0, 8, false, 50_000),
        ("cropped", "avc1.640015", (336, 192), (322, 182), (322, 182), 1, 8, false, 48_000),
        ("scaling_lists", "avc1.64001E", (640, 480), (640, 480), (640, 480), 1, 8, false, 25_000),
        ("hrd", "avc1.64001E", (640, 480), (640, 480), (640, 480), 1, 8, false, 25_000),
        ("smallest", "avc1.64000A", (16, 16), (16, 16), (16, 16), 1, 8, false, 1_000),
        ("fastest", "avc1.64001F", (320, 240), (320, 240), (320, 240), 1, 8, false, 240_000),
    ];
    assert_eq!(cases.len(), records().len());
    for (name, codec, coded, cropped, display, chroma, depth, interlaced, rate) in cases {
        let config = config(name);
        let sps = config.sps();
        assert_eq!(config.codec_string(), codec, "{name}");
        assert_eq!((sps.coded_width, sps.coded_height), coded, "{name}");
        assert_eq!(config.coded_size(), cropped, "{name}");
        assert_eq!(config.display_size(), display, "{name}");
        assert_eq!((sps.chroma_format_idc, sps.bit_depth_luma), (chroma, depth), "{name}");
        assert_eq!(sps.interlaced(), interlaced, "{name}");
        let timing = sps.vui.timing.expect(name);
        assert_eq!(timing.frame_rate_millis(), Some(rate), "{name}");
        assert!(sps.vui.max_num_reorder_frames.is_some(), "{name}: the end of the VUI is reached");
    }
}

#[test]
fn colour_is_what_the_encoder_was_told() {
    let bt709 = Colour { primaries: 1, transfer: 1, matrix: 1, full_range: false };
    let full_range = Colour { primaries: 2, transfer: 2, matrix: 2, full_range: true };
    for (name, colour) in
        [("high_1080_ntsc", Some(bt709)), ("high_full_range", Some(full_range)), ("main", None)]
    {
        assert_eq!(
            config(name).colour().map(|c| (c.primaries, c.full_range)),
            colour.map(|c| (c.primaries, c.full_range)),
            "{name}"
        );
    }
    assert_eq!(config("high_1080_ntsc").colour(), Some(bt709));
    assert_eq!(config("interlaced_cropped").sample_aspect_ratio(), (10, 11));
    assert_eq!(config("main").sample_aspect_ratio(), (1, 1));
}

#[test]
fn av2_canonical_records_are_what_a_correct_encoder_writes() {
    for (name, record) in records() {
        let (config, length_size) = AvcConfig::parse(&record).expect(name);
        assert_eq!(length_size, LengthSize::Four, "{name}");
        assert_eq!(config.record(), &record, "{name}");
    }
}

#[test]
fn av2_reserved_bits_and_a_missing_tail_are_repaired() {
    let record = &records()["high_1080_ntsc"];
    let mut odd = record[..record.len() - 4].to_vec();
    odd[4] = 0b0000_0001; // reserved bits zero, two-byte lengths
    odd[5] = 0b0000_0001;
    let (config, length_size) = AvcConfig::parse(&odd).unwrap();
    assert_eq!(length_size, LengthSize::Two);
    assert_eq!(config.record(), record);
}

#[test]
fn av2_all_parameter_sets_are_kept_in_order_of_id() {
    let small = Bits::main_profile(3, 1, 1).u(1, 0).u(1, 0).nal(0x67);
    let large = Bits::main_profile(0, 9, 9).u(1, 0).u(1, 0).nal(0x67);
    let pps = |id, sps_id| Bits::default().ue(id).ue(sps_id).u(2, 0).nal(0x68);
    let orphan = pps(9, 7);
    let config =
        AvcConfig::from_parameter_sets(&[&small, &large], &[&pps(4, 3), &pps(0, 0), &orphan])
            .unwrap();
    assert_eq!(config.coded_size(), (160, 160));
    let mut expected = vec![1, 77, 0, 40, 0xFF, 0xE2];
    for set in [&large, &small] {
        expected.extend([0, set.len() as u8]);
        expected.extend(set);
    }
    expected.push(2);
    for set in [pps(0, 0), pps(4, 3)] {
        expected.extend([0, set.len() as u8]);
        expected.extend(set);
    }
    assert_eq!(config.record(), &expected);
    let (again, _) = AvcConfig::parse(config.record()).unwrap();
    assert_eq!(again, config);
}

#[test]
fn bad_records_name_what_is_wrong() {
    let good = &records()["main"];
    let with = |at: usize, value: u8| {
        let mut record = good.clone();
        record[at] = value;
        AvcConfig::parse(&record).unwrap_err()
    };
    assert_eq!(with(0, 2), AvccError::Version(2));
    assert_eq!(with(4, 0xFE), AvccError::LengthSize);
    assert!(matches!(with(6, 0xFF), AvccError::Short(_)));
    assert_eq!(AvcConfig::parse(&[1, 77, 0, 40, 0xFF, 0xE0, 0]), Err(AvccError::Incomplete));
    let huge = vec![0x67; limits::PARAMETER_SET_BYTES_MAX + 1];
    let nothing: [&[u8]; 0] = [];
    assert_eq!(
        AvcConfig::from_parameter_sets(&[huge], &nothing),
        Err(AvccError::SetTooLarge { len: limits::PARAMETER_SET_BYTES_MAX + 1 })
    );
    let main = Bits::main_profile(0, 9, 9).u(1, 0).u(1, 0).nal(0x67);
    assert_eq!(AvcConfig::from_parameter_sets(&[main], &nothing), Err(AvccError::Incomplete));
}

#[test]
fn pictures_past_the_limits_are_refused_before_anything_is_sized() {
    let sps = |wide, high| Bits::main_profile(0, wide, high).u(1, 0).u(1, 0).nal(0x67);
    assert_eq!(Sps::parse(&sps(511, 511)).unwrap().width, 8_192);
    let max = limits::PICTURE_SIDE_MAX;
    assert_eq!(Sps::parse(&sps(512, 0)), Err(SpsError::TooLarge { width: 8_208, height: 16, max }));
    let endless = u64::from(u32::MAX) * 16;
    assert_eq!(
        Sps::parse(&sps(u32::MAX - 1, 0)),
        Err(SpsError::TooLarge { width: endless, height: 16, max })
    );
    let cropped = Bits::main_profile(0, 0, 0).u(1, 1).ue(4).ue(4).ue(0).ue(0).u(1, 0).nal(0x67);
    assert_eq!(Sps::parse(&cropped), Err(SpsError::Cropped { width: 16, height: 16 }));
    let overflow =
        Bits::main_profile(0, 0, 0).u(1, 1).ue(u32::MAX - 1).ue(9).ue(0).ue(0).u(1, 0).nal(0x67);
    assert_eq!(Sps::parse(&overflow), Err(SpsError::Cropped { width: 16, height: 16 }));
    let id = Bits::default().u(8, 77).u(8, 0).u(8, 40).ue(32).nal(0x67);
    assert_eq!(
        Sps::parse(&id),
        Err(SpsError::Range { field: "seq_parameter_set_id", value: 32, max: 31 })
    );
    assert_eq!(Sps::parse(&[0x68, 1]), Err(SpsError::NotSps(0x68)));
}

#[test]
fn scaling_lists_are_walked_whole_or_to_their_early_end() {
    // High, 4:2:0, 8 bit; list 0 with all 16 deltas 0, list 6 ended by delta -8, the rest absent.
    let lists = Bits::default().u(8, 100).u(8, 0).u(8, 40).ue(0).ue(1).ue(0).ue(0).u(1, 0).u(1, 1);
    let lists = (0..16).fold(lists.u(1, 1), |bits, _| bits.ue(0));
    let lists = lists.u(5, 0).u(1, 1).ue(16).u(1, 0); // se -8 is code 16
    let sps = lists.ue(0).ue(2).ue(1).u(1, 0).ue(19).ue(14).u(1, 1).u(1, 1).u(1, 0).u(1, 0);
    let sps = Sps::parse(&sps.nal(0x67)).unwrap();
    assert_eq!((sps.width, sps.height), (320, 240));
}

#[test]
fn picture_order_count_type_1_is_skipped() {
    let head = Bits::default().u(8, 66).u(8, 0).u(8, 30).ue(0).ue(0);
    let order = head.ue(1).u(1, 0).ue(1).ue(2).ue(2).ue(7).ue(8);
    let sps = order.ue(1).u(1, 0).ue(19).ue(14).u(1, 1).u(1, 1).u(1, 0).u(1, 0);
    assert_eq!(Sps::parse(&sps.nal(0x67)).unwrap().height, 240);
}

#[test]
fn every_cut_of_an_sps_is_an_error_or_the_same_picture() {
    for (name, record) in records() {
        let len = usize::from(u16::from_be_bytes([record[6], record[7]]));
        let nal = &record[8..8 + len];
        let whole = Sps::parse(nal).expect(name);
        for cut in 0..len {
            if let Ok(sps) = Sps::parse(&nal[..cut]) {
                // Only the VUI may be missing.
                assert_eq!(Sps { vui: whole.vui.clone(), ..sps }, whole, "{name} cut at {cut}");
            }
        }
    }
}

#[test]
fn every_cut_of_a_record_is_an_error_until_its_optional_tail() {
    for (name, record) in records() {
        let whole = AvcConfig::parse(&record).expect(name).0;
        let tail = if nal::NalKind::of(record[8]).is_some() && record[1] >= 100 { 4 } else { 0 };
        for cut in 0..record.len() {
            match AvcConfig::parse(&record[..cut]) {
                Ok((config, _)) => {
                    assert!(cut >= record.len() - tail, "{name} cut at {cut}");
                    assert_eq!(config, whole, "{name} cut at {cut}");
                }
                Err(error) => assert!(matches!(error, AvccError::Short(_)), "{name}: {error}"),
            }
        }
    }
}

#[test]
fn flipped_bits_never_panic_nor_pass_the_limits() {
    for (name, record) in records() {
        for bit in 0..record.len() * 8 {
            let mut damaged = record.clone();
            damaged[bit / 8] ^= 0x80 >> (bit % 8);
            if let Ok((config, _)) = AvcConfig::parse(&damaged) {
                let (width, height) = config.coded_size();
                let max = limits::PICTURE_SIDE_MAX;
                assert!((1..=max).contains(&width) && (1..=max).contains(&height), "{name} {bit}");
                assert!(config.display_size().0 > 0, "{name} {bit}");
            }
        }
    }
}

#[test]
fn av9_hevc_under_the_avc_id_is_told_apart() {
    let mut hvcc = vec![1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93, 0xF0, 0, 0xFC, 0xFD, 0xF8];
    hvcc.extend([0xF8, 0, 0, 0x0F, 3, 0xA0, 0, 1, 0, 2, 0x40, 1]);
    assert!(looks_like_hevc_record(&hvcc));
    assert!(looks_like_hevc_record(&[0, 0, 0, 1, 0x40, 1, 0x0C]));
    for (name, record) in records() {
        assert!(!looks_like_hevc_record(&record), "{name}");
    }
    assert!(!looks_like_hevc_record(&[0, 0, 0, 1, 0x67, 1, 0x0C]));
    assert!(!looks_like_hevc_record(&[]));
}

#[test]
fn av3_a_header_with_start_codes_is_a_configuration_too() {
    let record = &records()["main"];
    let (sps, pps) = (&record[8..33], &record[36..]);
    let annexb = [&[0, 0, 0, 1][..], sps, &[0, 0, 1], pps, &[0, 0]].concat();
    let sets = ParameterSets::parse_annexb(&annexb).unwrap();
    assert_eq!(AvcConfig::new(&sets).unwrap().record(), record);
    let _: Bytes = AvcConfig::from_parameter_sets(&[sps], &[pps]).unwrap().record().clone();
}
