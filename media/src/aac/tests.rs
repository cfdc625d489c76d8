use super::*;

/// Name, bytes, codec string, output rate, channels, samples per unit.
type Case = (&'static str, &'static [u8], &'static str, u32, u8, u32);

const CASES: &[Case] = &[
    ("AA-2: LC 44.1 kHz stereo", &[0x12, 0x10], "mp4a.40.2", 44_100, 2, 1_024),
    ("AA-2: LC 48 kHz stereo", &[0x11, 0x90], "mp4a.40.2", 48_000, 2, 1_024),
    ("LC 48 kHz mono", &[0x11, 0x88], "mp4a.40.2", 48_000, 1, 1_024),
    ("LC 48 kHz 5.1", &[0x11, 0xB0], "mp4a.40.2", 48_000, 6, 1_024),
    ("AA-3: 960 samples", &[0x11, 0x94], "mp4a.40.2", 48_000, 2, 960),
    ("sync extension without SBR", &[0x11, 0x90, 0x56, 0xE5, 0x00], "mp4a.40.2", 48_000, 2, 1_024),
    ("AA-3: explicit SBR, 24 kHz core", &[0x2B, 0x11, 0x88, 0x00], "mp4a.40.5", 48_000, 2, 2_048),
    ("AA-3: explicit PS over mono", &[0xEB, 0x09, 0x88, 0x00], "mp4a.40.29", 48_000, 2, 2_048),
    ("AA-3: compatible SBR", &[0x13, 0x10, 0x56, 0xE5, 0x98], "mp4a.40.5", 48_000, 2, 2_048),
    (
        "AA-3: compatible PS",
        &[0x13, 0x08, 0x56, 0xE5, 0x9D, 0x48, 0x80],
        "mp4a.40.29",
        48_000,
        2,
        2_048,
    ),
    ("AA-2: explicit rate 44100", &[0x17, 0x80, 0x56, 0x22, 0x10], "mp4a.40.2", 44_100, 2, 1_024),
    ("padding", &[0x12, 0x10, 0, 0, 0, 0], "mp4a.40.2", 44_100, 2, 1_024),
    (
        "AA-2: program config",
        &[0x11, 0x80, 0x04, 0xC4, 0x00, 0x00, 0x20, 0x00],
        "mp4a.40.2",
        48_000,
        2,
        1_024,
    ),
];

#[test]
fn configurations_are_understood() {
    for &(name, bytes, codec, rate, channels, samples) in CASES {
        let config = AudioSpecificConfig::parse(bytes).expect(name);
        assert_eq!(config.codec_string(), codec, "{name}");
        assert_eq!(config.output_sample_rate(), rate, "{name}");
        assert_eq!(config.channels(), channels, "{name}");
        assert_eq!(config.samples_per_unit(), samples, "{name}");
    }
}

#[test]
fn aa3_backward_compatible_sbr_leaves_explicit() {
    for (compatible, explicit) in [
        (&[0x13, 0x10, 0x56, 0xE5, 0x98][..], &[0x2B, 0x11, 0x88, 0x00][..]),
        (&[0x13, 0x08, 0x56, 0xE5, 0x9D, 0x48, 0x80], &[0xEB, 0x09, 0x88, 0x00]),
    ] {
        let config = AudioSpecificConfig::parse(compatible).unwrap();
        assert_eq!(config.bytes(), explicit);
        assert_eq!(AudioSpecificConfig::parse(explicit).unwrap(), config);
    }
}

#[test]
fn the_builder_writes_what_encoders_write() {
    for (rate, channels, bytes) in [
        (44_100, 2, &[0x12, 0x10][..]),
        (48_000, 1, &[0x11, 0x88]),
        (48_000, 8, &[0x11, 0xB8]),
        (50_000, 2, &[0x17, 0x80, 0x61, 0xA8, 0x10]),
    ] {
        let config = AudioSpecificConfig::lc(rate, channels).unwrap();
        assert_eq!(config.bytes(), bytes, "{rate} {channels}");
        assert_eq!(AudioSpecificConfig::parse(bytes).unwrap(), config, "{rate} {channels}");
    }
    for (rate, channels) in [(0, 2), (96_001, 2), (48_000, 0), (48_000, 7), (48_000, 9)] {
        assert_eq!(AudioSpecificConfig::lc(rate, channels), None, "{rate} {channels}");
    }
}

#[test]
fn what_cannot_be_played_is_refused_by_name() {
    for (name, bytes, error) in [
        ("Main", &[0x09, 0x90][..], AscError::ObjectType(1)),
        ("LD", &[0xB9, 0x90], AscError::ObjectType(23)),
        ("xHE-AAC", &[0xF9, 0x46, 0x40], AscError::ObjectType(42)),
        ("reserved rate index", &[0x16, 0x90], AscError::SampleRate(13)),
        ("rate 0", &[0x17, 0x80, 0, 0, 0x10], AscError::SampleRate(0)),
        ("reserved channels", &[0x11, 0xC8], AscError::Channels(9)),
        (
            "odd SBR rate",
            &[0x2A, 0x11, 0x88, 0],
            AscError::SbrRate { core: 44_100, output: 48_000 },
        ),
        (
            "program config without channels",
            &[0x11, 0x80, 4, 0xC0, 0, 0, 0, 0],
            AscError::Channels(0),
        ),
    ] {
        assert_eq!(AudioSpecificConfig::parse(bytes), Err(error), "{name}");
    }
    let long = [0x12; 400];
    assert_eq!(AudioSpecificConfig::parse(&long), Err(AscError::TooLong { len: 400 }));
}

#[test]
fn every_cut_and_every_flip_is_survived() {
    for &(name, bytes, ..) in CASES {
        for cut in 0..bytes.len() {
            match AudioSpecificConfig::parse(&bytes[..cut]) {
                Ok(_) => assert!(cut >= 2, "{name} cut at {cut}"),
                Err(error) => assert!(matches!(error, AscError::Bits(_)), "{name}: {error}"),
            }
        }
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.to_vec();
            damaged[bit / 8] ^= 0x80 >> (bit % 8);
            if let Ok(config) = AudioSpecificConfig::parse(&damaged) {
                assert!((1..=16).contains(&config.channels()), "{name} {bit}");
                assert!((7_350..=192_000).contains(&config.output_sample_rate()), "{name} {bit}");
                let _ = silent_access_unit(&config);
            }
        }
    }
}

#[test]
fn aa7_silence_follows_the_block_syntax() {
    for (channels, bytes) in [
        // 000 0000 | 8 gain | 11 window | 3 tools | 111
        (1, &[0, 0, 0, 0b0000_0111][..]),
        // 001 0000 1 | 11 window | 2 mask | 2 × (8 gain, 3 tools) | 111
        (2, &[0b0010_0001, 0, 0, 0, 0, 0b0001_1100]),
    ] {
        let config = AudioSpecificConfig::lc(48_000, channels).unwrap();
        assert_eq!(silent_access_unit(&config).unwrap(), bytes, "{channels}");
    }
    let surround = AudioSpecificConfig::lc(48_000, 6).unwrap();
    assert!(silent_access_unit(&surround).is_some());
    let program_config = AudioSpecificConfig::parse(CASES.last().unwrap().1).unwrap();
    assert_eq!(silent_access_unit(&program_config), None);
}
