//! One queue directory: its descriptors, names of files in it, and the shared sync.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};

use bytes::Bytes;
use nix::dir::Dir;
use nix::fcntl::{AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{FileStat, Mode, fstatat};
use nix::unistd::{UnlinkatFlags, linkat, unlinkat};

use crate::config::Config;
use crate::queue::Error;
use crate::queue::qf::Fault;

/// A queue directory. The kinds of files may lie in sub-directories `qf`, `df`, `xf`.
#[derive(Debug)]
pub(super) struct Directory {
    control: Place,
    data: Place,
    transcripts: Place,
    mode: Mode,
    owners: Vec<u32>,
}

/// A directory held open, with the sync that its users share.
#[derive(Debug)]
pub(super) struct Place {
    fd: OwnedFd,
    path: PathBuf,
    sync: SharedSync,
}

/// One `fsync` for all who came before it began.
#[derive(Debug, Default)]
struct SharedSync {
    state: Mutex<Syncs>,
    done: Condvar,
}

#[derive(Debug, Default)]
struct Syncs {
    begun: u64,
    finished: u64,
    running: bool,
    /// Newest sync that failed, with its error number.
    failed: Option<(u64, i32)>,
}

/// Paths of the queue groups, in their order; the default group alone when there is no `Q` line.
pub(super) fn group_paths(config: &Config) -> Vec<Bytes> {
    let default = config.options.queue_directory.clone().unwrap_or_else(|| Bytes::from_static(b"."));
    if config.queue_groups.is_empty() {
        return vec![default];
    }
    config
        .queue_groups
        .iter()
        .map(|group| if group.path.is_empty() { default.clone() } else { group.path.clone() })
        .collect()
}

impl Directory {
    /// Opens a path, or every directory that matches one that ends in `*`.
    pub(super) fn open_all(path: &[u8], config: &Config) -> Result<Vec<Self>, Error> {
        let Some(stem) = path.strip_suffix(b"*") else {
            return Ok(vec![Self::open(Path::new(OsStr::from_bytes(path)), config)?]);
        };
        let cut = memchr::memrchr(b'/', stem).map_or(0, |at| at + 1);
        let (parent, prefix) = stem.split_at_checked(cut).unwrap_or((stem, b""));
        let parent = if parent.is_empty() { Path::new(".") } else { Path::new(OsStr::from_bytes(parent)) };
        let trouble = |source: io::Error| Error::Directory { path: parent.to_owned(), source };
        let fd = open_directory(nix::fcntl::AT_FDCWD, parent).map_err(trouble)?;
        let mut names = Vec::new();
        let mut dir = Dir::from_fd(fd).map_err(|e| trouble(e.into()))?;
        for entry in dir.iter() {
            let entry = entry.map_err(|e| trouble(e.into()))?;
            let name = entry.file_name().to_bytes();
            if name.starts_with(prefix) && name != b"." && name != b".." {
                names.push(name.to_vec());
            }
        }
        // The numbers of directories, and where the journal lies, must not change from start to start.
        names.sort();
        let mut found = Vec::new();
        for name in names {
            let path = parent.join(OsStr::from_bytes(&name));
            match Self::open(&path, config) {
                Err(Error::Directory { source, .. }) if source.raw_os_error() == Some(libc::ENOTDIR) => {}
                other => found.push(other?),
            }
        }
        if found.is_empty() {
            return Err(trouble(io::Error::from(io::ErrorKind::NotFound)));
        }
        Ok(found)
    }

    fn open(path: &Path, config: &Config) -> Result<Self, Error> {
        let trouble = |source: io::Error| Error::Directory { path: path.to_owned(), source };
        let fd = open_directory(nix::fcntl::AT_FDCWD, path).map_err(trouble)?;
        let part = |name: &str| match open_directory(&fd, Path::new(name)) {
            Ok(fd) => Ok(Place::new(fd, path.join(name))),
            Err(_) => fd.try_clone().map(|fd| Place::new(fd, path.to_owned())),
        };
        let control = part("qf").map_err(trouble)?;
        let data = part("df").map_err(trouble)?;
        let transcripts = part("xf").map_err(trouble)?;
        let mode = Mode::from_bits_truncate(config.options.queue_file_mode.0);
        let mut owners = vec![0, nix::unistd::geteuid().as_raw(), nix::unistd::getuid().as_raw()];
        owners.extend(nix::sys::stat::fstat(&control.fd).map(|s| s.st_uid));
        owners.extend(config.options.trusted_user);
        owners.extend(config.options.run_as_user.as_ref().map(|user| user.uid));
        Ok(Self { control, data, transcripts, mode, owners })
    }

    /// Whether a control file is one that only we can have written.
    ///
    /// Source: op guide, appendix B; observed: mode 666 is set aside. In a directory that a group shares (the client
    /// queue) files may have any owner and the group's permission.
    pub(super) fn judge(&self, metadata: &Metadata) -> Result<(), Fault> {
        let extra = metadata.mode() & 0o7022 & !self.mode.bits();
        let is_ours = self.owners.contains(&metadata.uid()) || self.mode.contains(Mode::S_IWGRP);
        if metadata.is_file() && extra == 0 && is_ours && metadata.nlink() == 1 {
            return Ok(());
        }
        Err(Fault::Ownership { uid: metadata.uid(), gid: metadata.gid(), mode: metadata.mode() })
    }

    /// Whether the kinds of files are kept apart.
    pub(super) fn has_parts(&self) -> bool {
        self.control.path != self.data.path
    }

    pub(super) fn bodies(&self) -> &Path {
        &self.data.path
    }

    /// Path as the `d` line of a qf names it.
    pub(super) fn data_path(&self) -> Bytes {
        Bytes::copy_from_slice(self.data.path.as_os_str().as_bytes())
    }

    /// Where files of a kind lie, by the first letter of their names.
    pub(super) fn place(&self, letter: char) -> &Place {
        match letter {
            'd' => &self.data,
            'x' => &self.transcripts,
            _ => &self.control,
        }
    }

    /// Creates a file that must not exist yet.
    pub(super) fn create(&self, name: &str) -> io::Result<File> {
        let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let place = self.place(first(name));
        let file = File::from(openat(&place.fd, name, flags, self.mode)?);
        if self.mode.intersects(Mode::S_IWGRP | Mode::S_IWOTH) {
            // Whoever shares the queue must be able to lock it, whatever the caller's umask.
            nix::sys::stat::fchmod(&file, self.mode)?;
        }
        Ok(file)
    }

    /// Opens a file; never follows a link, never waits for a pipe.
    pub(super) fn open_file(&self, name: &str, is_writable: bool) -> io::Result<File> {
        let access = if is_writable { OFlag::O_RDWR } else { OFlag::O_RDONLY };
        let flags = access | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        Ok(File::from(openat(&self.place(first(name)).fd, name, flags, Mode::empty())?))
    }

    pub(super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(renameat(&self.place(first(from)).fd, from, &self.place(first(to)).fd, to)?)
    }

    /// Removes a file; one that is not there is no error.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        match unlinkat(&self.place(first(name)).fd, name, UnlinkatFlags::NoRemoveDir) {
            Err(nix::errno::Errno::ENOENT) => Ok(()),
            other => Ok(other?),
        }
    }

    pub(super) fn link(&self, from: &str, other: &Self, to: &str) -> io::Result<()> {
        Ok(linkat(&self.place(first(from)).fd, from, &other.place(first(to)).fd, to, AtFlags::empty())?)
    }

    /// Device and inode of a file as an `I` line shows them.
    pub(super) fn inode(&self, name: &str) -> Option<(u64, u64, u64)> {
        let facts = self.stat(name).ok()?;
        Some((nix::sys::stat::major(facts.st_dev), nix::sys::stat::minor(facts.st_dev), facts.st_ino))
    }

    pub(super) fn stat(&self, name: &str) -> io::Result<FileStat> {
        Ok(fstatat(&self.place(first(name)).fd, name, AtFlags::AT_SYMLINK_NOFOLLOW)?)
    }
}

impl Place {
    fn new(fd: OwnedFd, path: PathBuf) -> Self {
        Self { fd, path, sync: SharedSync::default() }
    }

    /// Makes names of this directory durable. Callers that wait at the same time share one `fsync`.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.sync.run(|| Ok(nix::unistd::fsync(&self.fd)?))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Names in the directory.
    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        let mut dir = Dir::from_fd(open_directory(&self.fd, Path::new("."))?)?;
        let mut names = Vec::new();
        for entry in dir.iter() {
            if let Ok(name) = entry?.file_name().to_str() {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }
}

impl SharedSync {
    fn run(&self, sync: impl Fn() -> io::Result<()>) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // A sync that already runs may have begun before our rename: the next one counts.
        let wanted = state.begun + 1;
        loop {
            if state.finished >= wanted {
                return match state.failed {
                    Some((number, errno)) if number >= wanted => Err(io::Error::from_raw_os_error(errno)),
                    _ => Ok(()),
                };
            }
            if state.running {
                state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            state.running = true;
            state.begun += 1;
            drop(state);
            let result = sync();
            state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.running = false;
            state.finished = state.begun;
            if let Err(error) = result {
                state.failed = Some((state.finished, error.raw_os_error().unwrap_or(libc::EIO)));
            }
            self.done.notify_all();
        }
    }
}

fn open_directory(at: impl AsFd, path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    Ok(openat(at, path, flags, Mode::empty())?)
}

fn first(name: &str) -> char {
    name.chars().next().unwrap_or('q')
}
