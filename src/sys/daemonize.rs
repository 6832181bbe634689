//! Becoming a daemon, before any thread exists; descriptors at start; the pid file.
#![allow(unsafe_code, reason = "fork(2) and close_range(2) are unsafe; both run before any thread exists")]

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::path::Path;

use nix::fcntl::OFlag;
use nix::sys::stat::Mode;
use nix::unistd::{ForkResult, dup2_stderr, dup2_stdin, dup2_stdout, fork, setsid};

use super::file;

/// Opens `/dev/null` for each of descriptors 0 to 2 that is closed: a file opened later must not become standard output.
pub fn open_standard_descriptors() -> io::Result<()> {
    loop {
        let fd = nix::fcntl::open("/dev/null", OFlag::O_RDWR, Mode::empty())?;
        if fd.as_raw_fd() > 2 {
            return Ok(());
        }
        std::mem::forget(fd);
    }
}

/// Closes all descriptors above 2, such as a caller may have left open. Only as the first thing in `main`.
pub fn close_inherited() {
    // SAFETY: called before anything of this program opened a descriptor, so none that is owned gets closed.
    unsafe { libc::syscall(libc::SYS_close_range, 3 as libc::c_uint, libc::c_uint::MAX, 0 as libc::c_uint) };
}

/// Which process goes on after [`detach`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The caller's process, which should end.
    Parent,
    /// The daemon: own session, standard descriptors at `/dev/null`.
    Daemon,
}

/// Splits off a background process: fork, own session, working directory kept. Only while there is one thread.
pub fn detach() -> io::Result<Side> {
    // SAFETY: the process has one thread, so the child may go on as an ordinary process.
    match unsafe { fork() }? {
        ForkResult::Parent { .. } => Ok(Side::Parent),
        ForkResult::Child => {
            setsid()?;
            leave_terminal()?;
            Ok(Side::Daemon)
        }
    }
}

/// Points descriptors 0, 1 and 2 at `/dev/null`.
pub fn leave_terminal() -> io::Result<()> {
    let null = nix::fcntl::open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    Ok(())
}

/// Starts a program in place of this one, with this environment. Returns only when that failed.
pub fn exec(path: &Path, arguments: &[impl AsRef<[u8]>]) -> io::Error {
    use std::os::unix::ffi::OsStrExt as _;
    let text = |bytes: &[u8]| CString::new(bytes).map_err(io::Error::other);
    let path = match text(path.as_os_str().as_bytes()) {
        Ok(path) => path,
        Err(error) => return error,
    };
    let arguments: io::Result<Vec<CString>> = arguments.iter().map(|a| text(a.as_ref())).collect();
    match arguments.map(|arguments| nix::unistd::execv(&path, &arguments)) {
        Ok(Err(errno)) => errno.into(),
        Ok(Ok(never)) => match never {},
        Err(error) => error,
    }
}

/// A pid file: process number, then the command line that started the daemon. It stays locked while the daemon runs.
///
/// Shape: two lines. Source: op guide, `PidFile`.
#[derive(Debug)]
pub struct PidFile(#[expect(dead_code, reason = "held for its lock")] File);

impl PidFile {
    /// Writes the file in place.
    pub fn write(path: &Path, pid: u32, command_line: &[u8]) -> io::Result<Self> {
        let mut file = file::open_or_create(path, 0o644)?;
        if !file::facts(&file)?.is_regular() {
            return Err(io::Error::other("Regular files only"));
        }
        file.set_len(0)?;
        file.write_all(format!("{pid}\n").as_bytes())?;
        file.write_all(command_line)?;
        file.write_all(b"\n")?;
        super::lock::try_lock(&file, super::lock::Kind::Exclusive)?;
        Ok(Self(file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_file_has_two_lines() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("pid");
        let _held = PidFile::write(&path, 42, b"/usr/sbin/sendmail -bd -q15m").unwrap();
        assert_eq!(file::read(&path, 100).unwrap(), b"42\n/usr/sbin/sendmail -bd -q15m\n");
    }
}
