use bytes::Bytes;

use super::*;

/// 48 kHz, 192 kbit/s, stereo: 768 bytes.
fn ac3() -> Vec<u8> {
    let mut frame = vec![0; 768];
    frame[..8].copy_from_slice(&[0x0B, 0x77, 1, 2, 0x14, 0x40, 0x43, 0xE1]);
    frame
}

/// 48 kHz, 5.1, with this many blocks by code: 100 bytes.
fn enhanced(blocks_code: u8) -> Vec<u8> {
    let mut frame = vec![0; 100];
    frame[..6].copy_from_slice(&[0x0B, 0x77, 0, 49, blocks_code << 4 | 0x0F, 0x80]);
    frame
}

fn parse(bytes: &[u8]) -> Result<Vec<(Ac3Config, u32, Bytes)>, FrameError> {
    units(&Bytes::copy_from_slice(bytes), 64)
}

#[test]
fn ac3_frames_are_units() {
    let two = parse(&[ac3(), ac3()].concat()).unwrap();
    assert_eq!(
        two.iter().map(|unit| (unit.1, unit.2.len())).collect::<Vec<_>>(),
        [(1_536, 768); 2]
    );
    let config = two[0].0;
    assert!(!config.is_enhanced());
    assert_eq!((config.sample_rate(), config.channels()), (48_000, 2));
    // fscod 0, bsid 8, bsmod 0, acmod 2, no LFE, bit_rate_code 10.
    assert_eq!(config.specific_box(), [0x10, 0x11, 0x40]);
}

#[test]
fn e_ac3_frames_collect_to_full_units() {
    for (code, samples) in [(0, 256), (1, 512), (2, 768), (3, 1_536)] {
        let config = parse(&enhanced(code)).unwrap()[0].0;
        assert!(config.is_enhanced());
        assert_eq!((config.sample_rate(), config.channels()), (48_000, 6));
        assert_eq!(parse(&enhanced(code)).unwrap()[0].1, samples);
        let many: Vec<u8> = std::iter::repeat_n(enhanced(code), 12).flatten().collect();
        let all = parse(&many).unwrap();
        assert!(all.iter().all(|unit| unit.1 == 1_536));
        assert_eq!(all.len() as u32, 12 * samples / 1_536);
    }
    // 100 bytes in 32 ms are 25 kbit/s; bsid 16, acmod 7 with LFE.
    let config = parse(&enhanced(3)).unwrap()[0].0;
    assert_eq!(config.specific_box(), [0, 25 << 3, 0x20, 0x0F, 0]);
}

#[test]
fn what_is_no_frame_is_told() {
    let mut dependent = enhanced(3);
    dependent[2] = 0x40;
    let mut second = enhanced(3);
    second[2] = 0x08;
    for (name, bytes, error) in [
        ("cut", ac3()[..700].to_vec(), FrameError::Short),
        ("no header", vec![0x0B, 0x77, 0], FrameError::Short),
        ("no sync", vec![0; 100], FrameError::NotAFrame),
        ("dependent", dependent.clone(), FrameError::Substreams),
        ("second programme", second, FrameError::Substreams),
        ("dependent after a full unit", [enhanced(3), dependent].concat(), FrameError::Substreams),
    ] {
        assert_eq!(parse(&bytes).unwrap_err(), error, "{name}");
    }
    let padded = [ac3(), vec![0; 9]].concat();
    assert_eq!(parse(&padded).unwrap().len(), 1);
}

#[test]
fn damage_never_panics() {
    for whole in [ac3(), enhanced(1)] {
        for bit in 0..64 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 0x80 >> (bit % 8);
            if let Ok(units) = parse(&bytes) {
                assert!(units.iter().all(|unit| unit.0.specific_box().len() >= 3));
            }
        }
    }
}
