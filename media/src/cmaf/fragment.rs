//! Samples of one part into `[styp] moof mdat` (CM-2, CM-5 to CM-8).
//!
//! A field that is the same for every sample goes into `tfhd` once; only what varies is written per
//! sample in `trun`. A fragment without samples is legal: it keeps a part alive while a picture
//! stands still longer than the part target.

use bytes::Bytes;

use super::TRACK_ID;
use super::writer::BoxWriter;
use crate::access_unit::TrackKind;

/// One sample of a fragment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sample {
    /// Distance to the next sample's decode time, in track ticks; never 0 (CM-18).
    pub duration: u32,
    /// Presentation minus decode time in track ticks; may be negative (CM-9).
    pub composition_offset: i32,
    /// Decoding can start here.
    pub sync: bool,
    /// The coded bytes.
    pub payload: Bytes,
}

impl Sample {
    fn flags(&self) -> u32 {
        if self.sync { FLAGS_SYNC } else { FLAGS_NON_SYNC }
    }

    fn size(&self) -> u32 {
        u32::try_from(self.payload.len()).expect("units are capped far below 4 GiB (CM-17)")
    }
}

/// Depends on no other sample (BMFF §8.8.3.1).
const FLAGS_SYNC: u32 = 0x0200_0000;
/// Depends on others and is not a sync sample.
const FLAGS_NON_SYNC: u32 = 0x0101_0000;

const TFHD_DEFAULT_BASE_IS_MOOF: u32 = 0x02_0000;
const TFHD_DEFAULT_DURATION: u32 = 0x08;
const TFHD_DEFAULT_SIZE: u32 = 0x10;
const TFHD_DEFAULT_FLAGS: u32 = 0x20;

const TRUN_DATA_OFFSET: u32 = 0x001;
const TRUN_FIRST_FLAGS: u32 = 0x004;
const TRUN_DURATION: u32 = 0x100;
const TRUN_SIZE: u32 = 0x200;
const TRUN_FLAGS: u32 = 0x400;
const TRUN_COMPOSITION_OFFSET: u32 = 0x800;

/// Writes one part.
///
/// `sequence_number` rises by one per fragment of the track (CM-5). `decode_time` is the first
/// sample's DTS in track ticks (CM-7). `segment_start` puts the `styp` before the first part of a
/// segment, so that the parts chained are the segment (CM-2, LL-3).
pub fn fragment(
    track: TrackKind,
    sequence_number: u32,
    decode_time: u64,
    samples: &[Sample],
    segment_start: bool,
) -> Bytes {
    let payload_len: usize = samples.iter().map(|s| s.payload.len()).sum();
    let mut w = BoxWriter::with_capacity(payload_len + 160 + samples.len() * 16);
    if segment_start {
        w.boxed(b"styp", |w| {
            w.raw(b"msdh");
            w.u32(0);
            w.raw(b"msdhcmfs");
        });
    }
    let moof_at = w.len();
    let mut data_offset_at = 0;
    w.boxed(b"moof", |w| {
        w.full(b"mfhd", 0, 0, |w| w.u32(sequence_number));
        w.boxed(b"traf", |w| {
            let shape = Shape::of(track, samples);
            shape.write_tfhd(w);
            w.full(b"tfdt", 1, 0, |w| w.u64(decode_time));
            data_offset_at = shape.write_trun(w, samples);
        });
    });
    let data_offset = w.len() - moof_at + 8;
    w.patch_u32(data_offset_at, u32::try_from(data_offset).expect("a moof is small"));
    w.boxed(b"mdat", |w| {
        for sample in samples {
            w.raw(&sample.payload);
        }
    });
    Bytes::from(w.into_bytes())
}

/// Which fields are common to the samples and which vary.
struct Shape {
    duration: Option<u32>,
    size: Option<u32>,
    /// Flags of every sample, or of all but the first.
    flags: Option<u32>,
    first_flags: Option<u32>,
    /// `trun` version when any sample is shown at another time than it is decoded: 1 is signed.
    composition_version: Option<u8>,
}

impl Shape {
    fn of(track: TrackKind, samples: &[Sample]) -> Self {
        let flags = common(samples.iter().map(Sample::flags));
        let tail_flags = common(samples.iter().skip(1).map(Sample::flags));
        let first_flags =
            if flags.is_none() && tail_flags.is_some() { samples.first() } else { None };
        let resting_flags = match track {
            TrackKind::Video => FLAGS_NON_SYNC,
            TrackKind::Audio => FLAGS_SYNC,
        };
        Self {
            duration: common(samples.iter().map(|s| s.duration)),
            size: common(samples.iter().map(Sample::size)),
            flags: if samples.is_empty() { Some(resting_flags) } else { flags.or(tail_flags) },
            first_flags: first_flags.map(Sample::flags),
            composition_version: samples
                .iter()
                .any(|s| s.composition_offset != 0)
                .then(|| u8::from(samples.iter().any(|s| s.composition_offset < 0))),
        }
    }

    fn write_tfhd(&self, w: &mut BoxWriter) {
        let fields = [
            (TFHD_DEFAULT_DURATION, self.duration),
            (TFHD_DEFAULT_SIZE, self.size),
            (TFHD_DEFAULT_FLAGS, self.flags),
        ];
        let present = fields.iter().filter(|(_, value)| value.is_some());
        let flags = present.fold(TFHD_DEFAULT_BASE_IS_MOOF, |flags, (bit, _)| flags | bit);
        w.full(b"tfhd", 0, flags, |w| {
            w.u32(TRACK_ID);
            for value in fields.iter().filter_map(|(_, value)| *value) {
                w.u32(value);
            }
        });
    }

    /// Returns where the data offset stands, to be patched when the `moof` is complete.
    fn write_trun(&self, w: &mut BoxWriter, samples: &[Sample]) -> usize {
        let per_sample = !samples.is_empty();
        let fields = [
            (TRUN_FIRST_FLAGS, self.first_flags.is_some()),
            (TRUN_DURATION, per_sample && self.duration.is_none()),
            (TRUN_SIZE, per_sample && self.size.is_none()),
            (TRUN_FLAGS, per_sample && self.flags.is_none()),
            (TRUN_COMPOSITION_OFFSET, self.composition_version.is_some()),
        ];
        let present = fields.iter().filter(|(_, present)| *present);
        let flags = present.fold(TRUN_DATA_OFFSET, |flags, (bit, _)| flags | bit);
        let mut data_offset_at = 0;
        w.full(b"trun", self.composition_version.unwrap_or(0), flags, |w| {
            w.u32(u32::try_from(samples.len()).expect("a part holds few samples"));
            data_offset_at = w.len();
            w.u32(0);
            if let Some(first) = self.first_flags {
                w.u32(first);
            }
            for sample in samples {
                if flags & TRUN_DURATION != 0 {
                    w.u32(sample.duration);
                }
                if flags & TRUN_SIZE != 0 {
                    w.u32(sample.size());
                }
                if flags & TRUN_FLAGS != 0 {
                    w.u32(sample.flags());
                }
                if flags & TRUN_COMPOSITION_OFFSET != 0 {
                    w.i32(sample.composition_offset);
                }
            }
        });
        data_offset_at
    }
}

/// The value all of them share; `None` when they differ or there is none.
fn common(mut values: impl Iterator<Item = u32>) -> Option<u32> {
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmaf::writer::BoxWriter;

    fn sample(duration: u32, composition_offset: i32, sync: bool, payload: &[u8]) -> Sample {
        Sample { duration, composition_offset, sync, payload: Bytes::copy_from_slice(payload) }
    }

    fn expected(body: impl FnOnce(&mut BoxWriter)) -> Vec<u8> {
        let mut w = BoxWriter::default();
        body(&mut w);
        w.into_bytes()
    }

    #[test]
    fn equal_fields_move_into_tfhd() {
        let samples = [sample(1024, 0, true, b"ab"), sample(1024, 0, true, b"cd")];
        let want = b"\0\0\0\x18stypmsdh\0\0\0\0msdhcmfs\
            \0\0\0\x64moof\0\0\0\x10mfhd\0\0\0\0\0\0\0\x09\
            \0\0\0\x4Ctraf\
            \0\0\0\x1Ctfhd\0\x02\0\x38\0\0\0\x01\0\0\x04\0\0\0\0\x02\x02\0\0\0\
            \0\0\0\x14tfdt\x01\0\0\0\0\0\0\x02\0\0\0\x05\
            \0\0\0\x14trun\0\0\0\x01\0\0\0\x02\0\0\0\x6C\
            \0\0\0\x0Cmdatabcd";
        let got = fragment(TrackKind::Audio, 9, (2 << 32) + 5, &samples, true);
        assert_eq!(got.escape_ascii().to_string(), want.escape_ascii().to_string());
    }

    #[test]
    fn varying_fields_stay_per_sample_and_negative_offsets_need_version_1() {
        let samples = [
            sample(3000, 0, true, b"abc"),
            sample(3001, 6000, false, b"d"),
            sample(2999, -3000, false, b"ef"),
        ];
        let got = fragment(TrackKind::Video, 1, 0, &samples, false);
        let want = expected(|w| {
            w.boxed(b"moof", |w| {
                w.full(b"mfhd", 0, 0, |w| w.u32(1));
                w.boxed(b"traf", |w| {
                    w.full(b"tfhd", 0, 0x02_0020, |w| {
                        w.u32(1);
                        w.u32(0x0101_0000);
                    });
                    w.full(b"tfdt", 1, 0, |w| w.u64(0));
                    w.full(b"trun", 1, 0xB05, |w| {
                        w.u32(3);
                        w.u32(8 + 16 + 8 + 20 + 20 + 24 + 36 + 8);
                        w.u32(0x0200_0000);
                        for (duration, size, offset) in [(3000, 3, 0), (3001, 1, 6000)] {
                            w.u32(duration);
                            w.u32(size);
                            w.u32(offset);
                        }
                        w.u32(2999);
                        w.u32(2);
                        w.raw(&(-3000_i32).to_be_bytes());
                    });
                });
            });
            w.boxed(b"mdat", |w| w.raw(b"abcdef"));
        });
        assert_eq!(got.escape_ascii().to_string(), want.escape_ascii().to_string());
    }

    #[test]
    fn sync_in_the_middle_needs_flags_on_each_sample() {
        let samples =
            [sample(1, 1, false, b"a"), sample(1, 1, true, b"b"), sample(1, 1, false, b"c")];
        let got = fragment(TrackKind::Video, 1, 0, &samples, false);
        let trun = got.windows(4).position(|w| w == b"trun").unwrap();
        assert_eq!(got[trun + 4..trun + 8], [0, 0, 0xC, 0x01]);
    }

    #[test]
    fn a_fragment_may_be_empty() {
        let got = fragment(TrackKind::Video, 3, 90_000, &[], false);
        let trun = got.windows(4).position(|w| w == b"trun").unwrap();
        assert_eq!(got[trun + 4..trun + 12], [0, 0, 0, 1, 0, 0, 0, 0]);
        assert!(got.ends_with(b"\0\0\0\x08mdat"));
    }
}
