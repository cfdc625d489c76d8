//! A small reader of our fragments, sharing nothing with the writer.

use crate::cursor::Cursor;

/// One `moof mdat`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::hls) struct Fragment {
    pub(in crate::hls) styp: bool,
    pub(in crate::hls) sequence_number: u32,
    pub(in crate::hls) decode_time: i64,
    pub(in crate::hls) samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::hls) struct Sample {
    pub(in crate::hls) duration: i64,
    pub(in crate::hls) offset: i64,
    pub(in crate::hls) sync: bool,
    pub(in crate::hls) payload: Vec<u8>,
}

/// Boxes of a byte string, in order.
pub(in crate::hls) fn boxes(bytes: &[u8]) -> Vec<(String, &[u8])> {
    let mut cursor = Cursor::new(bytes);
    let mut found = Vec::new();
    while !cursor.is_empty() {
        let size = cursor.u32().unwrap() as usize;
        let kind = String::from_utf8(cursor.take(4).unwrap().to_vec()).unwrap();
        found.push((kind, cursor.take(size - 8).unwrap()));
    }
    found
}

fn child<'a>(bytes: &'a [u8], kind: &str) -> &'a [u8] {
    let mut found = boxes(bytes).into_iter().filter(|(k, _)| k == kind);
    let (_, body) = found.next().unwrap_or_else(|| panic!("no {kind}"));
    assert!(found.next().is_none(), "{kind} twice");
    body
}

pub(in crate::hls) fn parse_part(bytes: &[u8]) -> Fragment {
    let all = boxes(bytes);
    let kinds: Vec<_> = all.iter().map(|(kind, _)| kind.as_str()).collect();
    let styp = kinds.first() == Some(&"styp");
    assert_eq!(kinds[usize::from(styp)..], ["moof", "mdat"]);
    let moof = child(bytes, "moof");
    let mdat = child(bytes, "mdat");
    let traf = child(moof, "traf");
    let mut mfhd = Cursor::new(child(moof, "mfhd"));
    assert_eq!(mfhd.u32(), Ok(0));
    let mut tfdt = Cursor::new(child(traf, "tfdt"));
    assert_eq!(tfdt.u32(), Ok(0x0100_0000), "tfdt is version 1 (CM-7)");

    let mut tfhd = Cursor::new(child(traf, "tfhd"));
    let flags = tfhd.u32().unwrap();
    assert_eq!(flags & !0x38, 0x02_0000, "default-base-is-moof, no base offset (CM-6)");
    assert_eq!(tfhd.u32(), Ok(1));
    let mut default = |bit| (flags & bit != 0).then(|| tfhd.u32().unwrap());
    let (duration, size, sample_flags) = (default(0x8), default(0x10), default(0x20));

    let mut trun = Cursor::new(child(traf, "trun"));
    let head = trun.u32().unwrap();
    let (version, flags) = (head >> 24, head & 0xFF_FFFF);
    let count = trun.u32().unwrap();
    assert_eq!(flags & 1, 1);
    assert_eq!(trun.u32().unwrap() as usize, moof.len() + 16, "data offset (CM-8)");
    let first_flags = (flags & 4 != 0).then(|| trun.u32().unwrap());
    let mut data = Cursor::new(mdat);
    let samples = (0..count)
        .map(|index| {
            let mut own = |bit, default: Option<u32>| {
                if flags & bit != 0 { trun.u32().unwrap() } else { default.unwrap() }
            };
            let duration = own(0x100, duration);
            let size = own(0x200, size);
            let default_flags =
                if index == 0 { first_flags.or(sample_flags) } else { sample_flags };
            let sample_flags = own(0x400, default_flags);
            let offset = own(0x800, Some(0));
            assert!(duration > 0 && size > 0, "CM-18");
            assert!([0x0200_0000, 0x0101_0000].contains(&sample_flags));
            let offset = if version == 1 { i64::from(offset as i32) } else { i64::from(offset) };
            Sample {
                duration: duration.into(),
                offset,
                sync: sample_flags == 0x0200_0000,
                payload: data.take(size as usize).unwrap().to_vec(),
            }
        })
        .collect();
    assert!(trun.is_empty() && data.is_empty(), "sizes agree");
    Fragment {
        styp,
        sequence_number: mfhd.u32().unwrap(),
        decode_time: i64::try_from(tfdt.u64().unwrap()).unwrap(),
        samples,
    }
}
