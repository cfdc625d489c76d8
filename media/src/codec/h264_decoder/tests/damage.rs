//! T21: what broken encoders and hostile publishers send.

use super::stream::{FIXTURES, Stream, Unit};
use super::*;

/// A fixed linear congruence: the same damage in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    /// One to three flipped bits, a cut, or a stretch of noise.
    fn damage(&mut self, payload: &[u8]) -> Vec<u8> {
        let mut damaged = payload.to_vec();
        match self.below(8) {
            0 => damaged.truncate(self.below(payload.len())),
            1 => {
                let start = self.below(payload.len());
                for byte in damaged.iter_mut().skip(start).take(16) {
                    *byte = self.below(256) as u8;
                }
            }
            _ => {
                for _ in 0..=self.below(3) {
                    // Half of them where the slice header is: behind the length and the header.
                    let len =
                        if self.below(2) == 0 { payload.len().min(16) } else { payload.len() };
                    let bit = self.below(len * 8);
                    damaged[bit / 8] ^= 1 << (bit % 8);
                }
            }
        }
        damaged
    }
}

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4_096
}

/// Streams with damage per fixture. A fresh instance costs openh264 half a millisecond of clearing
/// its buffers, and most damage needs one; the fuzz target `h264_decode` goes on from here.
const ROUNDS: usize = 25_000;

/// Decodes a fixture over and over, one unit of it damaged each time.
fn storm(flv: &[u8], seed: u64, rounds: usize) -> DecoderCounts {
    let mut dice = Dice(seed);
    let stream = Stream::of_flv(flv);
    let mut decoder = H264Decoder::new(&stream.config).unwrap();
    let mut last = None;
    for round in 0..rounds {
        let later = MediaTime::from_millis(round as i64 * 10_000);
        let hit = dice.below(stream.units.len());
        for (index, unit) in stream.units.iter().enumerate() {
            let each = &mut |decoded: DecodedPicture<'_>| {
                assert!(last < Some(decoded.pts), "times rise");
                last = Some(decoded.pts);
            };
            let damaged = (index == hit).then(|| dice.damage(&unit.payload));
            let payload = damaged.as_deref().unwrap_or(&unit.payload);
            let before = decoder.counts();
            let decoded = decoder.decode(payload, unit.pts.plus(later), each);
            assert_eq!(decoded.is_err(), decoder.counts().errors > before.errors);
            assert!(decoded.is_ok() || decoder.awaits_idr());
        }
    }
    decoder.counts()
}

#[test]
fn damaged_streams_neither_crash_nor_grow() {
    const GROWTH_BYTES_MAX: u64 = 100 << 20;
    for (_, flv) in FIXTURES {
        storm(flv, 1, 100);
    }
    let before = resident_bytes();
    std::thread::scope(|scope| {
        for (seed, (name, flv)) in (0x2545_F491_u64..).zip(FIXTURES) {
            scope.spawn(move || {
                let counts = storm(flv, seed, ROUNDS);
                // Most damage is seen, and it never costs more than the group it fell into.
                assert!(counts.errors > ROUNDS as u64 / 2, "{name}: {counts:?}");
                assert!(counts.pictures > 12 * ROUNDS as u64 / 2, "{name}: {counts:?}");
                assert!(counts.late < ROUNDS as u64 / 100, "{name}: {counts:?}");
            });
        }
    });
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < GROWTH_BYTES_MAX, "grew by {grown} bytes");
}

#[test]
fn units_cut_at_every_byte_end_in_words() {
    for (name, flv) in FIXTURES {
        let stream = Stream::of_flv(flv);
        let idr = &stream.units[0];
        for cut in 0..idr.payload.len() {
            let mut decoder = H264Decoder::new(&stream.config).unwrap();
            let mut shown = 0;
            let each = &mut |_: DecodedPicture<'_>| shown += 1;
            let cut_off = &idr.payload[..cut];
            let decoded = decoder.decode(cut_off, idr.pts, each);
            decoder.drain(each);
            // Fewer bytes than a length are padding (AV-4); the encoder's banner comes first.
            let mut slices = Vec::new();
            let nothing = matches!(append_slices(cut_off, &mut slices), Ok(Slices::None));
            assert_eq!(decoded.is_ok(), nothing, "{name} at {cut}: {decoded:?}");
            assert_eq!(shown, 0, "{name} at {cut}");
        }
    }
}

/// Feeds the units and gives the times that came out.
fn feed(decoder: &mut H264Decoder, units: &[Unit]) -> (Vec<MediaTime>, Vec<H264DecoderError>) {
    let (mut times, mut errors) = (Vec::new(), Vec::new());
    for unit in units {
        let each = &mut |decoded: DecodedPicture<'_>| times.push(decoded.pts);
        errors.extend(decoder.decode(&unit.payload, unit.pts, each).err());
    }
    (times, errors)
}

#[test]
fn after_damage_it_is_silent_until_the_next_idr_picture() {
    for (name, flv) in FIXTURES {
        let whole = Stream::of_flv(flv);
        let shown = whole.shown();
        let second_idr = whole.units.iter().skip(1).position(|unit| unit.idr).unwrap() + 1;
        let mut stream = Stream::of_flv(flv);
        let cut = stream.units[2].payload.len() - 1;
        stream.units[2].payload.truncate(cut);
        let mut decoder = H264Decoder::new(&stream.config).unwrap();
        let (mut times, errors) = feed(&mut decoder, &stream.units);
        assert!(matches!(errors[..], [H264DecoderError::Framing(_)]), "{name}: {errors:?}");
        assert_eq!(decoder.counts().skipped, second_idr as u64 - 3, "{name}");
        decoder.drain(&mut |decoded| times.push(decoded.pts));
        let mut expected: Vec<MediaTime> = whole.units[..2].iter().map(|unit| unit.pts).collect();
        expected.extend(whole.units[second_idr..].iter().map(|unit| unit.pts));
        expected.sort_unstable();
        assert_eq!(times, expected, "{name}: of {shown:?}");
    }
}

#[test]
fn a_stream_is_entered_at_an_idr_picture_only() {
    let stream = Stream::of_flv(FIXTURES[1].1);
    let mut decoder = H264Decoder::new(&stream.config).unwrap();
    let (times, errors) = feed(&mut decoder, &stream.units[1..8]);
    assert_eq!((times.len(), errors.len(), decoder.counts().skipped), (0, 0, 7));
    assert!(decoder.awaits_idr());
    let (times, _) = feed(&mut decoder, &stream.units[8..]);
    assert_eq!(times.len(), 4);
    assert!(!decoder.awaits_idr());
}

#[test]
fn oversize_units_do_not_reach_the_library() {
    let stream = Stream::of_flv(FIXTURES[1].1);
    let mut decoder = H264Decoder::new(&stream.config).unwrap();
    let huge = |len: usize| [&(len as u32).to_be_bytes()[..], &[0x65], &vec![7; len - 1]].concat();
    let each = &mut |_: DecodedPicture<'_>| panic!("nothing to see");
    let pts = MediaTime::from_millis(0);
    let limit = UNIT_BYTES_MAX - 4;
    let refused = decoder.decode(&huge(limit + 1), pts, each);
    assert_eq!(refused, Err(H264DecoderError::TooLarge { len: UNIT_BYTES_MAX + 1 }));
    let tried = decoder.decode(&huge(limit), pts, each);
    assert!(matches!(tried, Err(H264DecoderError::Library { .. })), "{tried:?}");
    assert_eq!(feed(&mut decoder, &stream.units).0.len(), 12, "and it goes on");
}

#[test]
fn only_slices_reach_the_library() {
    let stream = Stream::of_flv(FIXTURES[1].1);
    let mut decoder = H264Decoder::new(&stream.config).unwrap();
    let sets = ParameterSets::parse_record(stream.config.record()).unwrap().0;
    let mut times = Vec::new();
    for unit in &stream.units {
        let mut payload = Vec::new();
        // Another size under the same id, sets cut short, scalable extensions, SEI, filler, and a
        // byte with the forbidden bit.
        let mut hostile: Vec<Vec<u8>> = sets.nals().map(|nal| nal.to_vec()).collect();
        hostile[0][3] = 52;
        hostile.push(hostile[0][..6].to_vec());
        for header in [0x6E_u8, 0x74, 0x6F, 0x06, 0x0C, 0x02, 0xE5] {
            hostile.push(vec![header, 0x80, 0x40, 7, 9, 0x12]);
        }
        for nal in &hostile {
            payload.extend_from_slice(&(nal.len() as u32).to_be_bytes());
            payload.extend_from_slice(nal);
        }
        payload.extend_from_slice(&unit.payload);
        decoder.decode(&payload, unit.pts, &mut |picture| times.push(picture.pts)).unwrap();
        decoder
            .decode(&payload[..payload.len() - unit.payload.len()], unit.pts, &mut |_| {
                panic!("no slice, no picture");
            })
            .unwrap();
    }
    assert_eq!(times, stream.shown());
}
