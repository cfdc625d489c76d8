//! A reader of movie fragments of our own: when each sample is decoded and shown, as the boxes say
//! it (BMFF §8.8). It shares no code with the server's writer.
//!
//! Times are read here and not by ffmpeg, because its demuxer moves pictures later when composition
//! offsets are negative, which CM-9 asks for.

/// One sample of a fragment, in ticks of its track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) dts: i64,
    pub(crate) pts: i64,
    pub(crate) duration: i64,
    pub(crate) size: u32,
    pub(crate) sync: bool,
}

/// Ticks per second of the only track of an initialization section.
pub(crate) fn timescale(init: &[u8]) -> i64 {
    let mdhd = find(init, &["moov", "trak", "mdia", "mdhd"]);
    let at = if mdhd[0] == 1 { 20 } else { 12 };
    i64::from(u32_at(mdhd, at))
}

/// Width and height on a screen, in pixels, of the only track of an initialization section.
pub(crate) fn picture_size(init: &[u8]) -> (u32, u32) {
    // The last fields, 16.16 fixed point.
    let tkhd = find(init, &["moov", "trak", "tkhd"]);
    let at = tkhd.len() - 8;
    (u32_at(tkhd, at) >> 16, u32_at(tkhd, at + 4) >> 16)
}

/// Every sample of a part or segment.
pub(crate) fn samples(bytes: &[u8]) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut payload = 0;
    for (kind, body) in boxes(bytes) {
        match &kind {
            b"moof" => samples.extend(fragment(body)),
            b"mdat" => payload += body.len(),
            _ => {}
        }
    }
    let claimed: usize = samples.iter().map(|sample| sample.size as usize).sum();
    assert_eq!(claimed, payload, "the samples fill their mdat");
    samples
}

fn fragment(moof: &[u8]) -> Vec<Sample> {
    let tfhd = find(moof, &["traf", "tfhd"]);
    let flags = u32_at(tfhd, 0) & 0xff_ffff;
    assert_eq!(flags & 0x2_0000, 0x2_0000, "default-base-is-moof");
    assert_eq!(flags & 0x3, 0, "no base offset, no description index");
    let mut at = 8;
    let mut default = |bit: u32| {
        (flags & bit != 0).then(|| {
            at += 4;
            u32_at(tfhd, at - 4)
        })
    };
    let (duration, size, sample_flags) = (default(0x8), default(0x10), default(0x20));

    let tfdt = find(moof, &["traf", "tfdt"]);
    let mut dts = if tfdt[0] == 1 {
        i64::from_be_bytes(tfdt[4..12].try_into().expect("eight bytes"))
    } else {
        i64::from(u32_at(tfdt, 4))
    };

    let trun = find(moof, &["traf", "trun"]);
    let flags = u32_at(trun, 0) & 0xff_ffff;
    let count = u32_at(trun, 4);
    let mut at = 8;
    let mut field = |present: bool| {
        present.then(|| {
            at += 4;
            u32_at(trun, at - 4)
        })
    };
    field(flags & 0x1 != 0);
    let first_flags = field(flags & 0x4 != 0);
    let mut samples = Vec::new();
    for index in 0..count {
        let own_duration = field(flags & 0x100 != 0);
        let own_size = field(flags & 0x200 != 0);
        let own_flags = field(flags & 0x400 != 0);
        let offset = field(flags & 0x800 != 0).unwrap_or(0).cast_signed();
        let duration = i64::from(own_duration.or(duration).expect("a duration"));
        let first_flags = first_flags.filter(|_| index == 0);
        let marks = first_flags.or(own_flags).or(sample_flags).expect("sample flags");
        samples.push(Sample {
            dts,
            pts: dts + i64::from(offset),
            duration,
            size: own_size.or(size).expect("a size"),
            sync: marks & 0x1_0000 == 0,
        });
        dts += duration;
    }
    samples
}

/// The body of the box at a path of kinds.
fn find<'a>(bytes: &'a [u8], path: &[&str]) -> &'a [u8] {
    path.iter().fold(bytes, |bytes, wanted| {
        let found = boxes(bytes).into_iter().find(|(kind, _)| kind == wanted.as_bytes());
        found.unwrap_or_else(|| panic!("no {wanted} of {path:?}")).1
    })
}

fn boxes(bytes: &[u8]) -> Vec<([u8; 4], &[u8])> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let size = u32_at(rest, 0) as usize;
        let kind = rest[4..8].try_into().expect("four bytes");
        found.push((kind, &rest[8..size]));
        rest = &rest[size..];
    }
    found
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}
