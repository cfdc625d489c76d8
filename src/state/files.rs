//! Pictures of the operator: the logo and the emoji, files in the data folder, held in memory.
//!
//! They are few and small, and every viewer asks for them. A file is written beside its place,
//! synced and moved there, so that a crash leaves the old one or the new one.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Write as _};
use std::path::Path;

use bytes::Bytes;
use riverrun_web::admin::{
    EMOJI_BYTES_MAX, FAVICON_BYTES_MAX, LOGO_BYTES_MAX, Picture, PictureKind,
};

/// Most emoji. All of them are held in memory: at most 128 MB.
pub const EMOJI_MAX: usize = 500;
/// Kinds the page's icon may have; its file is `favicon` with their ending.
const ICON_KINDS: [PictureKind; 2] = [PictureKind::Png, PictureKind::Ico];
/// Folder of the emoji in the data folder.
const EMOJI_FOLDER: &str = "emoji";
/// Kinds a logo may have; the name of its file is `logo` with their ending.
const KINDS: [PictureKind; 4] =
    [PictureKind::Svg, PictureKind::Gif, PictureKind::Png, PictureKind::Jpeg];

/// A picture in memory.
#[derive(Clone, Debug)]
pub struct PictureFile {
    /// What it is.
    pub kind: PictureKind,
    /// The file.
    pub bytes: Bytes,
    /// Changes with the bytes; with quotes.
    pub etag: String,
}

impl PictureFile {
    fn new(kind: PictureKind, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        Self { kind, etag: format!("\"{:016x}\"", hasher.finish()), bytes }
    }
}

/// The logo in `data`, if there is one.
pub(super) fn read_logo(data: &Path) -> Option<PictureFile> {
    KINDS.iter().find_map(|kind| {
        let path = data.join(logo_name(*kind));
        let picture = read(&path, LOGO_BYTES_MAX)?;
        (picture.kind == *kind).then_some(picture)
    })
}

/// File name of a logo of this kind.
pub(super) fn logo_name(kind: PictureKind) -> String {
    format!("logo.{}", kind.extension())
}

/// Replaces the logo.
pub(super) fn write_logo(data: &Path, picture: Picture) -> io::Result<PictureFile> {
    let name = logo_name(picture.kind);
    write(data, &name, &picture.bytes)?;
    for kind in KINDS.into_iter().filter(|kind| *kind != picture.kind) {
        remove(data, &logo_name(kind))?;
    }
    Ok(PictureFile::new(picture.kind, picture.bytes))
}

/// The page's icon in `data`, if there is one.
pub(super) fn read_favicon(data: &Path) -> Option<PictureFile> {
    ICON_KINDS.iter().find_map(|kind| {
        let picture = read(&data.join(favicon_name(*kind)), FAVICON_BYTES_MAX)?;
        (picture.kind == *kind).then_some(picture)
    })
}

fn favicon_name(kind: PictureKind) -> String {
    format!("favicon.{}", kind.extension())
}

/// Replaces the page's icon.
pub(super) fn write_favicon(data: &Path, picture: Picture) -> io::Result<PictureFile> {
    write(data, &favicon_name(picture.kind), &picture.bytes)?;
    for kind in ICON_KINDS.into_iter().filter(|kind| *kind != picture.kind) {
        remove(data, &favicon_name(kind))?;
    }
    Ok(PictureFile::new(picture.kind, picture.bytes))
}

/// Removes the page's icon.
pub(super) fn remove_favicon(data: &Path) -> io::Result<()> {
    ICON_KINDS.into_iter().try_for_each(|kind| remove(data, &favicon_name(kind)))
}

/// Every emoji in `data`. Files that are none are passed over.
pub(super) fn read_emoji(data: &Path) -> io::Result<BTreeMap<String, PictureFile>> {
    let folder = data.join(EMOJI_FOLDER);
    let mut emoji = BTreeMap::new();
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(emoji),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let Ok(name) = entry?.file_name().into_string() else { continue };
        if emoji.len() >= EMOJI_MAX {
            tracing::warn!(max = EMOJI_MAX, "there are more emoji than are shown");
            break;
        }
        // What a path could not ask for is not offered either.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_asked_for = name.bytes().all(plain) && !name.starts_with('.');
        let picture = read(&folder.join(&name), EMOJI_BYTES_MAX)
            .filter(|picture| is_asked_for && picture.kind != PictureKind::Ico);
        if let Some(picture) = picture {
            emoji.insert(name, picture);
        }
    }
    Ok(emoji)
}

/// Writes an emoji.
pub(super) fn write_emoji(data: &Path, name: &str, picture: Picture) -> io::Result<PictureFile> {
    let folder = data.join(EMOJI_FOLDER);
    fs::create_dir_all(&folder)?;
    write(&folder, name, &picture.bytes)?;
    Ok(PictureFile::new(picture.kind, picture.bytes))
}

/// Removes an emoji.
pub(super) fn remove_emoji(data: &Path, name: &str) -> io::Result<()> {
    remove(&data.join(EMOJI_FOLDER), name)
}

/// A regular file, not larger than allowed, that is a picture by its bytes.
fn read(path: &Path, bytes_max: usize) -> Option<PictureFile> {
    let about = fs::symlink_metadata(path).ok()?;
    if !about.is_file() || about.len() > bytes_max as u64 {
        return None;
    }
    let bytes = fs::read(path).ok()?;
    PictureKind::of(&bytes).map(|kind| PictureFile::new(kind, bytes))
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let beside = folder.join(format!(".{name}.new"));
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, folder.join(name))?;
    File::open(folder)?.sync_all()
}

fn remove(folder: &Path, name: &str) -> io::Result<()> {
    match fs::remove_file(folder.join(name)) {
        Ok(()) => File::open(folder)?.sync_all(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gif() -> Picture {
        Picture { kind: PictureKind::Gif, bytes: b"GIF89a......".to_vec() }
    }

    #[test]
    fn pictures_survive_and_strangers_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        assert!(read_emoji(data).unwrap().is_empty() && read_logo(data).is_none());
        write_emoji(data, "party.gif", gif()).unwrap();
        let emoji = data.join(EMOJI_FOLDER);
        fs::write(emoji.join("notes.txt"), "not a picture").unwrap();
        fs::write(emoji.join(".hidden.gif"), "GIF89a").unwrap();
        fs::write(emoji.join("large.gif"), vec![b'G'; EMOJI_BYTES_MAX + 1]).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", emoji.join("link.gif")).unwrap();
        let names: Vec<_> = read_emoji(data).unwrap().into_keys().collect();
        assert_eq!(names, ["party.gif"]);
        remove_emoji(data, "party.gif").unwrap();
        assert!(read_emoji(data).unwrap().is_empty());
    }

    #[test]
    fn a_new_logo_takes_the_place_of_one_of_another_kind() {
        let folder = tempfile::tempdir().unwrap();
        write_logo(folder.path(), gif()).unwrap();
        let svg = Picture { kind: PictureKind::Svg, bytes: b"<svg >".to_vec() };
        write_logo(folder.path(), svg).unwrap();
        assert_eq!(read_logo(folder.path()).map(|logo| logo.kind), Some(PictureKind::Svg));
        assert!(!folder.path().join("logo.gif").exists());
    }

    #[test]
    fn the_icon_of_the_page_is_one_file_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        let icon = |kind, bytes: &[u8]| Picture { kind, bytes: bytes.to_vec() };
        write_favicon(data, icon(PictureKind::Png, b"\x89PNG\r\n\x1a\n")).unwrap();
        write_favicon(data, icon(PictureKind::Ico, b"\0\0\x01\0\x01\0")).unwrap();
        assert_eq!(read_favicon(data).map(|icon| icon.kind), Some(PictureKind::Ico));
        assert!(!data.join("favicon.png").exists());
        remove_favicon(data).unwrap();
        remove_favicon(data).unwrap();
        assert!(read_favicon(data).is_none());
    }
}
