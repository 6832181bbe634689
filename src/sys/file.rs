//! Files relative to a directory descriptor, never through a symbolic link in the last component.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use nix::dir::Dir as Listing;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, openat, readlinkat, renameat};
use nix::sys::stat::{FileStat, Mode, fchmod, fstat, fstatat, mkdirat};
use nix::sys::time::TimeSpec;
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchown, linkat, symlinkat, unlinkat};

use super::user::Identity;
use crate::base::time::UnixTime;

/// What is known about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// Type and permission bits.
    pub mode: u32,
    /// Hard links.
    pub links: u64,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Length, bytes.
    pub bytes: u64,
    /// Last change of the contents.
    pub modified: UnixTime,
    /// The part of a second that belongs to it.
    pub modified_nanoseconds: i64,
    /// Last change of the inode.
    pub changed: UnixTime,
}

impl Facts {
    /// A regular file.
    pub fn is_regular(&self) -> bool {
        self.kind() == libc::S_IFREG
    }

    /// Whether its mode lets this user read it; root has no right beyond that.
    pub fn is_readable_by(&self, user: &Identity) -> bool {
        let shift = if self.uid == user.uid {
            6
        } else if self.gid == user.gid || user.groups.contains(&self.gid) {
            3
        } else {
            0
        };
        self.mode >> shift & 0o4 != 0
    }

    /// A directory.
    pub fn is_directory(&self) -> bool {
        self.kind() == libc::S_IFDIR
    }

    /// A symbolic link.
    pub fn is_link(&self) -> bool {
        self.kind() == libc::S_IFLNK
    }

    /// A socket.
    pub fn is_socket(&self) -> bool {
        self.kind() == libc::S_IFSOCK
    }

    /// Permission bits with set-id and sticky bits.
    pub fn permissions(&self) -> u32 {
        self.mode & 0o7777
    }

    /// Whether both describe one file.
    pub fn is_same_file(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }

    fn kind(&self) -> u32 {
        self.mode & libc::S_IFMT
    }

    #[allow(clippy::cast_sign_loss, clippy::unnecessary_cast, reason = "widths differ between architectures")]
    fn from_stat(stat: &FileStat) -> Self {
        Self {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            mode: stat.st_mode,
            links: stat.st_nlink as u64,
            uid: stat.st_uid,
            gid: stat.st_gid,
            bytes: stat.st_size.max(0) as u64,
            modified: UnixTime(stat.st_mtime),
            modified_nanoseconds: stat.st_mtime_nsec,
            changed: UnixTime(stat.st_ctime),
        }
    }
}

/// An open directory. All names are relative to it; none may hold a slash unless a method says so.
#[derive(Debug)]
pub struct Dir(OwnedFd);

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<OwnedFd> for Dir {
    fn from(fd: OwnedFd) -> Self {
        Self(fd)
    }
}

impl From<Dir> for OwnedFd {
    fn from(dir: Dir) -> Self {
        dir.0
    }
}

impl Dir {
    /// Opens a directory by path; links on the way are followed.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(openat(AT_FDCWD, path, DIRECTORY, Mode::empty())?))
    }

    /// Opens a directory in this one.
    pub fn open_dir(&self, name: impl AsRef<OsStr>) -> io::Result<Self> {
        Ok(Self(openat(&self.0, name.as_ref(), DIRECTORY | OFlag::O_NOFOLLOW, Mode::empty())?))
    }

    /// Another descriptor of the same directory.
    pub fn duplicate(&self) -> io::Result<Self> {
        Ok(Self(self.0.try_clone()?))
    }

    /// Opens for reading.
    pub fn open_read(&self, name: impl AsRef<OsStr>) -> io::Result<File> {
        self.open_file(name.as_ref(), OFlag::O_RDONLY | OFlag::O_NONBLOCK, 0)
    }

    /// Opens an existing file for reading and writing.
    pub fn open_update(&self, name: impl AsRef<OsStr>) -> io::Result<File> {
        self.open_file(name.as_ref(), OFlag::O_RDWR | OFlag::O_NONBLOCK, 0)
    }

    /// Opens for reading and writing; makes the file when it is missing.
    pub fn open_or_create(&self, name: impl AsRef<OsStr>, mode: u32) -> io::Result<File> {
        self.open_file(name.as_ref(), OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_NONBLOCK, mode)
    }

    /// Makes a new file, open for reading and writing. Errors: `AlreadyExists`.
    pub fn create(&self, name: impl AsRef<OsStr>, mode: u32) -> io::Result<File> {
        self.open_file(name.as_ref(), OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL, mode)
    }

    /// Makes or empties a file, open for reading and writing.
    pub fn create_or_truncate(&self, name: impl AsRef<OsStr>, mode: u32) -> io::Result<File> {
        self.open_file(name.as_ref(), OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_TRUNC | OFlag::O_NONBLOCK, mode)
    }

    /// An unnamed file in this directory that vanishes when it is closed; a named one, unlinked, where the file system
    /// knows no unnamed files.
    pub fn unnamed(&self, mode: u32) -> io::Result<File> {
        let flags = OFlag::O_RDWR | OFlag::O_TMPFILE | OFlag::O_CLOEXEC;
        if let Ok(fd) = openat(&self.0, ".", flags, Mode::from_bits_truncate(mode)) {
            return Ok(fd.into());
        }
        let name = format!(".tmp{}.{}", std::process::id(), super::clock::since_epoch().as_nanos());
        let file = self.create(&name, mode)?;
        self.unlink(&name)?;
        Ok(file)
    }

    /// Opens with these flags; `O_NOFOLLOW` and `O_CLOEXEC` are always added.
    pub fn open_file(&self, name: &OsStr, flags: OFlag, mode: u32) -> io::Result<File> {
        let flags = flags | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC | OFlag::O_NOCTTY;
        Ok(openat(&self.0, name, flags, Mode::from_bits_truncate(mode))?.into())
    }

    /// Reads a whole file of at most `limit` bytes. Errors: `FileTooLarge`.
    pub fn read(&self, name: impl AsRef<OsStr>, limit: usize) -> io::Result<Vec<u8>> {
        read_limited(&mut self.open_read(name)?, limit)
    }

    /// Facts about an entry, links not followed.
    pub fn facts(&self, name: impl AsRef<OsStr>) -> io::Result<Facts> {
        Ok(Facts::from_stat(&fstatat(&self.0, name.as_ref(), AtFlags::AT_SYMLINK_NOFOLLOW)?))
    }

    /// Facts about the directory itself.
    pub fn own_facts(&self) -> io::Result<Facts> {
        facts(&self.0)
    }

    /// Renames an entry within the directory; an entry of the new name is replaced.
    pub fn rename(&self, from: impl AsRef<OsStr>, to: impl AsRef<OsStr>) -> io::Result<()> {
        Ok(renameat(&self.0, from.as_ref(), &self.0, to.as_ref())?)
    }

    /// Renames an entry into another directory of the same file system.
    pub fn rename_to(&self, from: impl AsRef<OsStr>, other: &Self, to: impl AsRef<OsStr>) -> io::Result<()> {
        Ok(renameat(&self.0, from.as_ref(), &other.0, to.as_ref())?)
    }

    /// Gives an entry a second name in another directory (or this one).
    pub fn link(&self, from: impl AsRef<OsStr>, other: &Self, to: impl AsRef<OsStr>) -> io::Result<()> {
        Ok(linkat(&self.0, from.as_ref(), &other.0, to.as_ref(), AtFlags::empty())?)
    }

    /// Makes a symbolic link.
    pub fn symlink(&self, target: impl AsRef<OsStr>, name: impl AsRef<OsStr>) -> io::Result<()> {
        Ok(symlinkat(target.as_ref(), &self.0, name.as_ref())?)
    }

    /// Where a symbolic link leads.
    pub fn target(&self, name: impl AsRef<OsStr>) -> io::Result<OsString> {
        Ok(readlinkat(&self.0, name.as_ref())?)
    }

    /// Gives an entry to another owner, not what a link leads to; the group stays.
    pub fn set_owner(&self, name: impl AsRef<OsStr>, uid: u32) -> io::Result<()> {
        let flags = AtFlags::AT_SYMLINK_NOFOLLOW;
        Ok(nix::unistd::fchownat(&self.0, name.as_ref(), Some(Uid::from_raw(uid)), None, flags)?)
    }

    /// Removes an entry that is no directory.
    pub fn unlink(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        Ok(unlinkat(&self.0, name.as_ref(), UnlinkatFlags::NoRemoveDir)?)
    }

    /// Removes an empty directory.
    pub fn remove_dir(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        Ok(unlinkat(&self.0, name.as_ref(), UnlinkatFlags::RemoveDir)?)
    }

    /// Makes a directory.
    pub fn make_dir(&self, name: impl AsRef<OsStr>, mode: u32) -> io::Result<()> {
        Ok(mkdirat(&self.0, name.as_ref(), Mode::from_bits_truncate(mode))?)
    }

    /// Makes renames and new names durable.
    pub fn sync(&self) -> io::Result<()> {
        Ok(nix::unistd::fsync(&self.0)?)
    }

    /// Names of the entries without `.` and `..`, in no order.
    pub fn entries(&self) -> io::Result<Vec<OsString>> {
        // A descriptor of its own: the position of a directory belongs to the open file.
        let mut listing = Listing::from_fd(openat(&self.0, ".", DIRECTORY, Mode::empty())?)?;
        let mut names = Vec::new();
        for entry in listing.iter() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                names.push(OsStr::from_bytes(name).to_owned());
            }
        }
        Ok(names)
    }
}

/// Facts about an open file.
pub fn facts(fd: impl AsFd) -> io::Result<Facts> {
    Ok(Facts::from_stat(&fstat(fd)?))
}

/// Facts about what a path leads to, links followed.
pub fn facts_of(path: &Path) -> io::Result<Facts> {
    Ok(Facts::from_stat(&nix::sys::stat::stat(path)?))
}

/// Whether this process may run the file, its effective user's rights counted; links followed.
pub fn is_executable(path: &Path) -> bool {
    nix::unistd::eaccess(path, nix::unistd::AccessFlags::X_OK).is_ok()
}

/// What tells whether a file is still the same one with the same content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    device: u64,
    inode: u64,
    bytes: i64,
    /// Seconds and nanoseconds of the last change.
    changed: (i64, i64),
}

/// The stamp of what a path leads to, links followed.
pub fn stamp_of(path: &Path) -> io::Result<Stamp> {
    let stat = nix::sys::stat::stat(path)?;
    let changed = (stat.st_ctime, stat.st_ctime_nsec);
    Ok(Stamp { device: stat.st_dev, inode: stat.st_ino, bytes: stat.st_size, changed })
}

/// Sets permission bits of an open file.
pub fn set_mode(fd: impl AsFd, mode: u32) -> io::Result<()> {
    Ok(fchmod(fd, Mode::from_bits_truncate(mode))?)
}

/// Gives an open file to a user and group.
pub fn set_owner(fd: impl AsFd, uid: u32, gid: u32) -> io::Result<()> {
    Ok(fchown(fd, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?)
}

/// Sets the access and modification time of an open file.
pub fn set_times(fd: impl AsFd, accessed: Duration, modified: Duration) -> io::Result<()> {
    Ok(nix::sys::stat::futimens(fd, &TimeSpec::from_duration(accessed), &TimeSpec::from_duration(modified))?)
}

/// Sets the mask of permission bits that new files do not get; returns the former one.
pub fn set_umask(mask: u32) -> u32 {
    nix::sys::stat::umask(Mode::from_bits_truncate(mask)).bits()
}

/// Opens a path for reading; the last component may not be a link.
pub fn open_read(path: &Path) -> io::Result<File> {
    open_at_cwd(path, OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW, 0)
}

/// Opens a path for reading, links followed. For files named by the administrator.
pub fn open_read_following(path: &Path) -> io::Result<File> {
    open_at_cwd(path, OFlag::O_RDONLY | OFlag::O_NONBLOCK, 0)
}

/// Opens an existing file for reading and writing, links followed. For files named by the administrator.
pub fn open_update_following(path: &Path) -> io::Result<File> {
    open_at_cwd(path, OFlag::O_RDWR | OFlag::O_NONBLOCK, 0)
}

/// Makes a new file, open for reading and writing. Errors: `AlreadyExists`.
pub fn create(path: &Path, mode: u32) -> io::Result<File> {
    open_at_cwd(path, OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW, mode)
}

/// Opens for appending; makes the file when it is missing.
pub fn open_append(path: &Path, mode: u32) -> io::Result<File> {
    let flags = OFlag::O_WRONLY | OFlag::O_APPEND | OFlag::O_CREAT | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    open_at_cwd(path, flags, mode)
}

/// Opens for reading and writing; makes the file when it is missing.
pub fn open_or_create(path: &Path, mode: u32) -> io::Result<File> {
    open_at_cwd(path, OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK, mode)
}

/// Reads a whole file of at most `limit` bytes; the last component may not be a link. Errors: `FileTooLarge`.
pub fn read(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    read_limited(&mut open_read(path)?, limit)
}

/// Reads a whole file of at most `limit` bytes, links followed. Errors: `FileTooLarge`.
pub fn read_following(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    read_limited(&mut open_read_following(path)?, limit)
}

/// Reads to the end; an input of more than `limit` bytes is an error, not a cut. Errors: `FileTooLarge`.
pub fn read_limited(input: &mut impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut data = Vec::with_capacity(limit.min(FIRST_READ));
    input.take(limit as u64 + 1).read_to_end(&mut data)?;
    if data.len() > limit {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(data)
}

/// Writes a file so that a crash leaves the old or the new one, never a part: temporary name, sync, rename, sync.
pub fn replace(path: &Path, data: &[u8], mode: u32) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let dir = Dir::open(path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}", std::process::id()));
    let result = (|| {
        let mut file = dir.create(&temporary, mode)?;
        file.write_all(data)?;
        file.sync_all()?;
        dir.rename(&temporary, name)?;
        dir.sync()
    })();
    if result.is_err() {
        let _ = dir.unlink(&temporary);
    }
    result
}

/// Removes a file.
pub fn unlink(path: &Path) -> io::Result<()> {
    Ok(nix::unistd::unlink(path)?)
}

fn open_at_cwd(path: &Path, flags: OFlag, mode: u32) -> io::Result<File> {
    let flags = flags | OFlag::O_CLOEXEC | OFlag::O_NOCTTY;
    Ok(openat(AT_FDCWD, path, flags, Mode::from_bits_truncate(mode))?.into())
}

/// Room made for the first read of a file.
const FIRST_READ: usize = 16 * 1024;
const DIRECTORY: OFlag = OFlag::O_RDONLY.union(OFlag::O_DIRECTORY).union(OFlag::O_CLOEXEC);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_in_the_last_place_is_not_followed() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = Dir::open(tmp.path()).unwrap();
        dir.create("real", 0o600).unwrap().write_all(b"text").unwrap();
        dir.symlink("real", "link").unwrap();
        assert_eq!(dir.read("real", 10).unwrap(), b"text");
        assert!(dir.read("link", 10).is_err());
        assert_eq!(read_following(&tmp.path().join("link"), 10).unwrap(), b"text");
        assert!(dir.facts("link").unwrap().is_link());
    }

    #[test]
    fn a_mode_is_for_its_owner_its_group_or_the_rest() {
        let tmp = tempfile::tempfile().unwrap();
        let own = Facts { uid: 10, gid: 20, ..facts(&tmp).unwrap() };
        for (mode, uid, gid, groups, wanted) in [
            (0o400, 10, 20, &[][..], true),
            (0o400, 11, 20, &[20], false),
            (0o040, 10, 20, &[20], false),
            (0o040, 11, 20, &[], true),
            (0o040, 11, 21, &[], false),
            (0o040, 11, 21, &[22, 20], true),
            (0o004, 11, 21, &[20], false),
            (0o004, 11, 21, &[], true),
            (0o400, 0, 0, &[], false),
        ] {
            let user = Identity { uid, gid, groups: groups.to_vec() };
            assert_eq!(Facts { mode, ..own }.is_readable_by(&user), wanted, "{mode:o} {user:?}");
        }
    }

    #[test]
    fn a_file_over_the_limit_is_an_error() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = Dir::open(tmp.path()).unwrap();
        dir.create("f", 0o600).unwrap().write_all(b"12345").unwrap();
        assert_eq!(dir.read("f", 5).unwrap(), b"12345");
        assert_eq!(dir.read("f", 4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn replacing_leaves_no_temporary_file() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("pid");
        replace(&path, b"1\n", 0o644).unwrap();
        replace(&path, b"2\n", 0o644).unwrap();
        assert_eq!(read(&path, 10).unwrap(), b"2\n");
        assert_eq!(Dir::open(tmp.path()).unwrap().entries().unwrap(), ["pid"]);
    }

    #[test]
    fn an_unnamed_file_has_no_entry() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = Dir::open(tmp.path()).unwrap();
        let _file = dir.unnamed(0o600).unwrap();
        assert!(dir.entries().unwrap().is_empty());
    }
}
