//! Clips joined into one FLV file, tag by tag (FLV E.3, E.4.1), so that a publisher changes what it
//! sends on the same connection: sequence headers stand in the middle, times go on.

use std::path::PathBuf;
use std::time::Duration;

use crate::publish::clip;
use crate::tool::{ffmpeg, read, run_well, scratch};

/// Length of the file's header with the size of the tag before the first, which is none.
const FILE_HEADER: usize = 13;
const TAG_HEADER: usize = 11;
const AUDIO: u8 = 8;
const VIDEO: u8 = 9;

/// One message, as RTMP carries it, too.
pub(crate) struct Tag {
    /// 8 for sound, 9 for pictures; anything else is neither.
    pub(crate) kind: u8,
    pub(crate) millis: u32,
    pub(crate) body: Vec<u8>,
}

/// One file of clips, each as ffmpeg makes it with options of its own (`-c copy` for as it is).
pub(crate) fn joined(pieces: &[(&str, &[&str])]) -> PathBuf {
    let folder = scratch("joined");
    let mut joined = Vec::new();
    let mut start = 0;
    for (index, (name, options)) in pieces.iter().enumerate() {
        let file = folder.join(format!("{index}.flv"));
        let mut command = ffmpeg();
        command.arg("-i").arg(clip(name)).args(*options).arg(&file);
        run_well(&mut command, Duration::from_secs(60));
        let bytes = read(&file);
        if index == 0 {
            joined.extend_from_slice(&bytes[..FILE_HEADER]);
        }
        let kept = |tag: &Tag| tag.is_media() || (index == 0 && tag.kind != VIDEO);
        let tags: Vec<_> = tags(&bytes).into_iter().filter(kept).collect();
        tags.iter().for_each(|tag| tag.write(start + tag.millis, &mut joined));
        let pictures = tags.iter().filter(|tag| tag.kind == VIDEO).map(|tag| tag.millis);
        let [before, last] = pictures.fold([0, 0], |[_, before], millis| [before, millis]);
        start += last + (last - before);
    }
    let file = folder.join("joined.flv");
    std::fs::write(&file, joined).expect("the folder is ours");
    file
}

impl Tag {
    /// Neither script data nor the end of a sequence.
    pub(crate) fn is_media(&self) -> bool {
        const END_OF_SEQUENCE: u8 = 2;
        self.kind == AUDIO || (self.kind == VIDEO && self.body.get(1) != Some(&END_OF_SEQUENCE))
    }

    fn write(&self, millis: u32, out: &mut Vec<u8>) {
        let size = u32::try_from(self.body.len()).expect("24 bits");
        let [high, time @ ..] = millis.to_be_bytes();
        out.push(self.kind);
        out.extend_from_slice(&size.to_be_bytes()[1..]);
        out.extend_from_slice(&time);
        out.extend_from_slice(&[high, 0, 0, 0]);
        out.extend_from_slice(&self.body);
        out.extend_from_slice(&(size + TAG_HEADER as u32).to_be_bytes());
    }
}

/// All tags of a file.
pub(crate) fn tags(file: &[u8]) -> Vec<Tag> {
    let mut rest = &file[FILE_HEADER..];
    let mut tags = Vec::new();
    while rest.len() > TAG_HEADER {
        let size = u32::from_be_bytes([0, rest[1], rest[2], rest[3]]) as usize;
        let millis = u32::from_be_bytes([rest[7], rest[4], rest[5], rest[6]]);
        let body = rest[TAG_HEADER..TAG_HEADER + size].to_vec();
        tags.push(Tag { kind: rest[0], millis, body });
        rest = &rest[TAG_HEADER + size + 4..];
    }
    tags
}
