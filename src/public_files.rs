//! The operator's own files, `public` in the data folder, for `/public/…`.
//!
//! A disk may take its time, and a shard must not wait with it: threads of their own open and read.
//! No link is followed on the way to a file, so what is served lies in the folder (T6).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::SystemTime;

use async_channel::{Receiver, Sender, TrySendError};
use bytes::Bytes;
use riverrun_net::http::{ReadAt, Reading, Stored};
use riverrun_web::public_file::PublicPath;
use rustix::fs::{CWD, Mode, OFlags, openat};
use thiserror::Error;

/// Threads that open and read: while one waits for the disk another may find its file in memory.
const THREADS: usize = 2;
/// Jobs that may wait. Beyond it who asks for a file is asked to come again.
const QUEUE_JOBS: usize = 256;
/// Files that are open at once; a download holds one. Part of the open files that are kept back for
/// other things than viewers' connections.
const OPEN_MAX: usize = 128;

/// The way to the threads.
#[derive(Clone, Debug)]
pub struct PublicFiles {
    jobs: Sender<Job>,
    /// How many files are open.
    open: Arc<AtomicUsize>,
}

/// An open file.
#[derive(Debug)]
pub struct PublicFile {
    /// What is sent of it.
    pub body: Stored,
    /// When it was written last.
    pub modified: Option<SystemTime>,
}

/// Why there is no file.
#[derive(Debug, Error)]
pub enum PublicFileError {
    /// There is none of this name, or it is no plain file, or not for us to read.
    #[error("there is no such file")]
    Missing,
    /// More is asked for than should be.
    #[error("too many files are asked for at once; try again")]
    Busy,
    /// The system failed.
    #[error("the file could not be opened: {0}")]
    Failed(io::Error),
}

enum Job {
    Open(PublicPath, Sender<io::Result<Opened>>),
    Read { file: Arc<File>, offset: u64, length: usize, answer: Sender<io::Result<Bytes>> },
}

struct Opened {
    file: File,
    length: u64,
    modified: Option<SystemTime>,
}

impl PublicFiles {
    /// Starts the threads for files in `folder`, which need not exist. They end when nobody can
    /// send to them any more.
    pub fn start(folder: &Path) -> io::Result<Self> {
        let (jobs, inbox) = async_channel::bounded(QUEUE_JOBS);
        for _ in 0..THREADS {
            let (folder, inbox) = (folder.to_owned(), inbox.clone());
            let work = move || run(&folder, &inbox);
            thread::Builder::new().name("files".to_owned()).spawn(work)?;
        }
        Ok(Self { jobs, open: Arc::default() })
    }

    /// No files: for tests.
    #[must_use]
    pub fn closed() -> Self {
        Self { jobs: async_channel::bounded(1).0, open: Arc::default() }
    }

    /// Opens a file.
    pub async fn open(&self, path: PublicPath) -> Result<PublicFile, PublicFileError> {
        let permit = Permit::of(&self.open).ok_or(PublicFileError::Busy)?;
        let (sender, answer) = async_channel::bounded(1);
        self.jobs.try_send(Job::Open(path, sender)).map_err(|error| match error {
            TrySendError::Full(_) => PublicFileError::Busy,
            TrySendError::Closed(_) => PublicFileError::Missing,
        })?;
        let opened = answer.recv().await.map_err(|_| PublicFileError::Busy)?;
        let Opened { file, length, modified } = opened.map_err(PublicFileError::from)?;
        let file = OpenFile { file: Arc::new(file), jobs: self.jobs.clone(), _permit: permit };
        Ok(PublicFile { body: Stored::new(Arc::new(file), length), modified })
    }
}

impl From<io::Error> for PublicFileError {
    fn from(error: io::Error) -> Self {
        use rustix::io::Errno;
        // What an address can bring about; everything else is the machine's trouble.
        const OF_THE_NAME: [Errno; 7] = [
            Errno::NOENT,
            Errno::NOTDIR,
            Errno::LOOP,
            Errno::ACCESS,
            Errno::NAMETOOLONG,
            Errno::NXIO,
            Errno::PERM,
        ];
        let errno = Errno::from_io_error(&error);
        let is_of_the_name = errno.is_some_and(|errno| OF_THE_NAME.contains(&errno));
        let is_none = error.kind() == io::ErrorKind::NotFound;
        if is_of_the_name || is_none { Self::Missing } else { Self::Failed(error) }
    }
}

/// A file that is being sent.
struct OpenFile {
    file: Arc<File>,
    jobs: Sender<Job>,
    _permit: Permit,
}

/// One file more may be open, as long as this lives.
struct Permit(Arc<AtomicUsize>);

impl Permit {
    fn of(open: &Arc<AtomicUsize>) -> Option<Self> {
        let one_more = |count| (count < OPEN_MAX).then_some(count + 1);
        open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        Some(Self(Arc::clone(open)))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl ReadAt for OpenFile {
    /// Waits for its turn: a full queue slows downloads, it ends none.
    fn read_at(&self, offset: u64, length: usize) -> Reading {
        let (answer, read) = async_channel::bounded(1);
        let job = Job::Read { file: Arc::clone(&self.file), offset, length, answer };
        let jobs = self.jobs.clone();
        Box::pin(async move {
            jobs.send(job).await.map_err(|_| io::ErrorKind::BrokenPipe)?;
            read.recv().await.map_err(|_| io::ErrorKind::BrokenPipe)?
        })
    }
}

fn run(folder: &Path, inbox: &Receiver<Job>) {
    while let Ok(job) = inbox.recv_blocking() {
        // Whoever asked may have left.
        match job {
            Job::Open(path, answer) => {
                let _ = answer.try_send(open(folder, &path));
            }
            Job::Read { file, offset, length, answer } => {
                let _ = answer.try_send(read(&file, offset, length));
            }
        }
    }
}

/// Opens each part below the one before; a link anywhere on the way is no folder and no file.
fn open(folder: &Path, path: &PublicPath) -> io::Result<Opened> {
    let Some((name, folders)) = path.parts().split_last() else {
        return Err(io::ErrorKind::NotFound.into());
    };
    let below = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let none = Mode::empty();
    // The folder itself may be a link: the operator has made it.
    let mut at = openat(CWD, folder, below, none)?;
    for name in folders {
        at = openat(&at, name.as_str(), below | OFlags::NOFOLLOW, none)?;
    }
    // A pipe would wait for its other end, a terminal might become ours.
    let reading = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(openat(&at, name.as_str(), reading | OFlags::CLOEXEC, none)?);
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(Opened { length: about.len(), modified: about.modified().ok(), file })
}

fn read(file: &File, offset: u64, length: usize) -> io::Result<Bytes> {
    let mut bytes = vec![0; length];
    let read = file.read_at(&mut bytes, offset)?;
    bytes.truncate(read);
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thread_wait::block_on;

    fn get(files: &PublicFiles, address: &str) -> Result<(u64, Bytes), PublicFileError> {
        let path = PublicPath::parse(address).expect("a plain address");
        let file = block_on(files.open(path))?;
        let piece = block_on(file.body.read()).expect("a file that can be read");
        Ok((file.body.len(), piece))
    }

    #[test]
    fn files_below_are_read_and_links_lead_nowhere() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("public");
        let files = PublicFiles::start(&folder).unwrap();
        assert!(matches!(get(&files, "a.txt"), Err(PublicFileError::Missing)));
        std::fs::create_dir_all(folder.join("clips/old")).unwrap();
        std::fs::write(folder.join("a.txt"), "hello").unwrap();
        std::fs::write(folder.join("clips/old/b.txt"), "deep").unwrap();
        std::fs::write(data.path().join("secret"), "secret").unwrap();
        std::os::unix::fs::symlink("../secret", folder.join("link")).unwrap();
        std::os::unix::fs::symlink("..", folder.join("up")).unwrap();
        std::os::unix::fs::symlink("a.txt", folder.join("inside")).unwrap();
        rustix::fs::mknodat(
            CWD,
            folder.join("pipe"),
            rustix::fs::FileType::Fifo,
            Mode::RUSR | Mode::WUSR,
            0,
        )
        .unwrap();
        assert_eq!(get(&files, "a.txt").unwrap(), (5, Bytes::from_static(b"hello")));
        assert_eq!(get(&files, "clips/old/b.txt").unwrap().1, "deep");
        let missing = ["none", "link", "up/secret", "inside", "clips", "clips/", "a.txt/x", "pipe"];
        for address in missing {
            let found = get(&files, address);
            assert!(matches!(found, Err(PublicFileError::Missing)), "{address}: {found:?}");
        }
    }

    #[test]
    fn no_more_files_are_open_than_allowed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a"), "x").unwrap();
        let files = PublicFiles::start(folder.path()).unwrap();
        let open = || block_on(files.open(PublicPath::parse("a").unwrap()));
        let held: Vec<_> = (0..OPEN_MAX).map(|_| open().unwrap()).collect();
        assert!(matches!(open(), Err(PublicFileError::Busy)));
        drop(held);
        assert!(open().is_ok());
    }
}
