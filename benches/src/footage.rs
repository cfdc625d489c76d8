//! What publishers send: audio and video messages with their times, made up or read from a file.
//!
//! Made-up footage has real parameter sets and the first bits of slice headers, and noise behind
//! them: any server that passes pictures through takes it, at any bit rate, and it is the same on
//! every machine.

use std::path::Path;

use crate::random::Random;
use crate::{Outcome, stamp};

/// avcC of 1280x720 High at 30 fps with BT.709 colours, made by x264 (FFmpeg 5.1.9).
const AVCC: [u8; 48] = [
    0x01, 0x64, 0x00, 0x1F, 0xFF, 0xE1, 0x00, 0x1D, 0x67, 0x64, 0x00, 0x1F, 0xAC, 0xB4, 0x02, 0x80,
    0x2D, 0xD8, 0x0B, 0x50, 0x10, 0x10, 0x14, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00,
    0xF0, 0x3C, 0x60, 0xCA, 0x80, 0x01, 0x00, 0x04, 0x68, 0xEF, 0x0F, 0xCB, 0xFD, 0xF8, 0xF8, 0x00,
];
/// AAC-LC, 48 kHz, stereo.
const AUDIO_SPECIFIC_CONFIG: [u8; 2] = [0x11, 0x90];
const AUDIO_RATE: u64 = 48_000;
const AUDIO_UNIT: u64 = 1_024;
/// Pictures per second of made-up footage; the parameter sets say so.
const PICTURE_RATE: u64 = 30;
/// Pictures from one IDR to the next: 2 s.
const GOP: u64 = 60;
/// An IDR picture is this many times as large as the others.
const IDR_WEIGHT: u64 = 4;
/// AVCPacketType of a tag without a picture (FLV Annex E.4.3.1).
const AVC_END_OF_SEQUENCE: u8 = 2;
/// Video tag header (FLV Annex E.4.3.1): flags, AVCPacketType, composition time.
const VIDEO_HEADER_BYTES: usize = 5;

/// Message type ids of RTMP §7.1, as in FLV tags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// 8.
    Audio,
    /// 9.
    Video,
    /// 18.
    Script,
}

impl Kind {
    /// The number on the wire.
    pub const fn id(self) -> u8 {
        match self {
            Self::Audio => 8,
            Self::Video => 9,
            Self::Script => 18,
        }
    }
}

/// One message.
#[derive(Clone, Debug)]
pub struct Tag {
    /// What it holds.
    pub kind: Kind,
    /// Milliseconds from the start of the footage.
    pub millis: u64,
    /// The message's payload.
    pub payload: Vec<u8>,
    /// A sequence header or metadata: sent once, not again when the footage begins anew.
    pub header: bool,
    /// Where the payload has room for the send time.
    pub stamp: Option<usize>,
}

/// Messages in order of time, and how long they last.
#[derive(Clone, Debug)]
pub struct Footage {
    /// Sequence headers first.
    pub tags: Vec<Tag>,
    /// Milliseconds after which the footage may begin anew.
    pub millis: u64,
}

/// What to make up.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    /// Bits per second.
    pub video_bits: u64,
    /// Bits per second; 0 for no sound.
    pub audio_bits: u64,
    /// Length; rounded up to whole groups of pictures.
    pub seconds: u64,
    /// Equal seeds give equal bytes.
    pub seed: u64,
}

impl Footage {
    /// Makes footage up.
    pub fn make(recipe: Recipe) -> Self {
        let mut random = Random::new(recipe.seed);
        let groups = (recipe.seconds * PICTURE_RATE).div_ceil(GOP).max(1);
        let pictures = groups * GOP;
        let millis = pictures * 1_000 / PICTURE_RATE;
        let share = recipe.video_bits * GOP / PICTURE_RATE / 8 / (GOP - 1 + IDR_WEIGHT);
        let mut tags = vec![header(Kind::Video, &[&[0x17, 0, 0, 0, 0], &AVCC[..]].concat())];
        if recipe.audio_bits > 0 {
            let config = [&[0xAF, 0], &AUDIO_SPECIFIC_CONFIG[..]].concat();
            tags.push(header(Kind::Audio, &config));
        }
        let headers = tags.len();
        for picture in 0..pictures {
            let idr = picture % GOP == 0;
            let size = share * if idr { IDR_WEIGHT } else { 1 };
            let millis = picture * 1_000 / PICTURE_RATE;
            tags.push(video(&mut random, millis, idr, usize::try_from(size).unwrap_or(0)));
        }
        let units =
            if recipe.audio_bits > 0 { millis * AUDIO_RATE / AUDIO_UNIT / 1_000 } else { 0 };
        let unit_bytes = recipe.audio_bits * AUDIO_UNIT / AUDIO_RATE / 8;
        for unit in 0..units {
            let millis = unit * AUDIO_UNIT * 1_000 / AUDIO_RATE;
            tags.push(audio(&mut random, millis, usize::try_from(unit_bytes).unwrap_or(0)));
        }
        if let Some(media) = tags.get_mut(headers..) {
            media.sort_by_key(|tag| tag.millis);
        }
        Self { tags, millis }
    }

    /// Reads an FLV file (FLV Annex E) and makes room for stamps in its H.264 pictures.
    pub fn read_flv(path: &Path) -> Outcome<Self> {
        let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse_flv(&bytes).ok_or_else(|| format!("{}: not an FLV file", path.display()).into())
    }

    fn parse_flv(bytes: &[u8]) -> Option<Self> {
        if bytes.get(..3)? != b"FLV" {
            return None;
        }
        let mut at =
            usize::try_from(u32::from_be_bytes(bytes.get(5..9)?.try_into().ok()?)).ok()? + 4;
        let mut tags = Vec::new();
        // A file that was cut off ends with its last whole tag.
        while let Some((tag, next)) = parse_tag(bytes, at) {
            at = next;
            tags.extend(tag);
        }
        tags.sort_by_key(|tag: &Tag| (!tag.header, tag.millis));
        let first = tags.iter().find(|tag| !tag.header)?.millis;
        tags.iter_mut().for_each(|tag| tag.millis = tag.millis.saturating_sub(first));
        let pictures: Vec<u64> =
            tags.iter().filter(|t| !t.header && t.kind == Kind::Video).map(|t| t.millis).collect();
        let last = tags.last()?.millis;
        let step = match pictures[..] {
            [from, .., to] => (to - from) / (pictures.len() as u64 - 1),
            _ => 33,
        };
        Some(Self { tags, millis: last + step.max(1) })
    }

    /// Payload bytes of one pass.
    pub fn byte_len(&self) -> u64 {
        self.tags.iter().map(|tag| tag.payload.len() as u64).sum()
    }

    /// Takes the room for send times away, for peers whose bytes must equal ours.
    pub fn without_stamps(mut self) -> Self {
        self.tags.iter_mut().for_each(|tag| tag.stamp = None);
        self
    }
}

fn header(kind: Kind, payload: &[u8]) -> Tag {
    Tag { kind, millis: 0, payload: payload.to_vec(), header: true, stamp: None }
}

fn video(random: &mut Random, millis: u64, idr: bool, size: usize) -> Tag {
    let mut payload = vec![if idr { 0x17 } else { 0x27 }, 1, 0, 0, 0];
    stamp::reserve(&mut payload);
    // NAL header; then first_mb_in_slice 0, slice_type 7 (I) or 5 (P), pps 0 (H.264 §7.3.3).
    let start: [u8; 2] = if idr { [0x65, 0b1000_1000] } else { [0x41, 0b1001_1010] };
    let mut noise = vec![0; size.max(8)];
    random.fill_nonzero(&mut noise);
    payload.extend_from_slice(&u32::try_from(noise.len() + 2).unwrap_or(0).to_be_bytes());
    payload.extend_from_slice(&start);
    payload.extend_from_slice(&noise);
    Tag { kind: Kind::Video, millis, payload, header: false, stamp: Some(VIDEO_HEADER_BYTES) }
}

fn audio(random: &mut Random, millis: u64, size: usize) -> Tag {
    let mut payload = vec![0; size.max(8) + 2];
    random.fill_nonzero(&mut payload);
    payload[..2].copy_from_slice(&[0xAF, 1]);
    Tag { kind: Kind::Audio, millis, payload, header: false, stamp: None }
}

/// The tag at `at`, if it is of a kind that is sent, and where the next begins.
fn parse_tag(bytes: &[u8], at: usize) -> Option<(Option<Tag>, usize)> {
    let [kind, a, b, c, t1, t2, t3, t0] = *bytes.get(at..at + 8)?.first_chunk::<8>()?;
    let len = usize::try_from(u32::from_be_bytes([0, a, b, c])).ok()?;
    let payload = bytes.get(at + 11..at + 11 + len)?.to_vec();
    let millis = u64::from(u32::from_be_bytes([t0, t1, t2, t3]));
    let next = at + 11 + len + 4;
    let kind = match kind & 0x1F {
        8 => Kind::Audio,
        9 => Kind::Video,
        18 => Kind::Script,
        _ => return Some((None, next)),
    };
    let second = payload.get(1).copied();
    let is_avc = kind == Kind::Video && payload.first().is_some_and(|first| first & 0x8F == 7);
    if is_avc && second == Some(AVC_END_OF_SEQUENCE) {
        // Footage begins anew where it ends.
        return Some((None, next));
    }
    let is_aac = kind == Kind::Audio && payload.first().is_some_and(|first| first >> 4 == 10);
    let header = kind == Kind::Script || ((is_avc || is_aac) && second == Some(0));
    let mut tag = Tag { kind, millis, payload, header, stamp: None };
    if is_avc && second == Some(1) {
        make_room(&mut tag);
    }
    Some((Some(tag), next))
}

/// Inserts a stamp before the first slice; an access unit delimiter must stay first.
fn make_room(tag: &mut Tag) {
    let mut at = VIDEO_HEADER_BYTES;
    if let Some(&[a, b, c, d, nal]) = tag.payload.get(at..at + 5).and_then(|s| s.first_chunk::<5>())
        && nal & 0x1F == 9
    {
        at += 4 + usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(0);
    }
    if at > tag.payload.len() {
        return;
    }
    let rest = tag.payload.split_off(at);
    stamp::reserve(&mut tag.payload);
    tag.payload.extend_from_slice(&rest);
    tag.stamp = Some(at);
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECIPE: Recipe =
        Recipe { video_bits: 3_000_000, audio_bits: 128_000, seconds: 4, seed: 7 };

    #[test]
    fn made_footage_has_its_bit_rate_and_repeats() {
        let footage = Footage::make(RECIPE);
        assert_eq!(footage.millis, 4_000);
        let bits = footage.byte_len() * 8 / 4;
        assert!((3_000_000..3_300_000).contains(&bits), "{bits}");
        assert!(footage.tags.windows(2).all(|pair| pair[0].millis <= pair[1].millis));
        let again = Footage::make(RECIPE);
        assert!(footage.tags.iter().zip(&again.tags).all(|(a, b)| a.payload == b.payload));
    }

    #[test]
    fn an_flv_file_reads_back() {
        let made = Footage::make(RECIPE);
        let mut file = b"FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00".to_vec();
        for tag in &made.tags {
            let length = u32::try_from(tag.payload.len()).unwrap().to_be_bytes();
            let [t0, t1, t2, t3] = u32::try_from(tag.millis).unwrap().to_be_bytes();
            file.push(tag.kind.id());
            file.extend_from_slice(&length[1..]);
            file.extend_from_slice(&[t1, t2, t3, t0, 0, 0, 0]);
            file.extend_from_slice(&tag.payload);
            file.extend_from_slice(&[0; 4]);
        }
        // x264 by way of ffmpeg ends like this.
        file.extend_from_slice(&[9, 0, 0, 5, 0, 16, 0, 0, 0, 0, 0, 0x17, 2, 0, 0, 0, 0, 0, 0, 16]);
        let whole = file.len() - 20;
        let read = Footage::parse_flv(&file).unwrap();
        assert_eq!(read.tags.len(), made.tags.len());
        assert_eq!(read.tags.iter().filter(|tag| tag.header).count(), 2);
        assert_eq!(read.tags.iter().filter(|tag| tag.stamp.is_some()).count(), 120);
        let cut = Footage::parse_flv(&file[..whole - 10]).unwrap();
        assert_eq!(cut.tags.len(), made.tags.len() - 1);
        assert!(Footage::parse_flv(b"RIFF").is_none());
    }
}
