//! Becoming a daemon, before any thread exists; descriptors at start; the pid file.
#![allow(unsafe_code, reason = "fork(2) and close_range(2) are unsafe; both run before any thread exists")]

use std::ffi::{CString, OsString};
use std::fs::File;
use std::io::{self, Read as _, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;

use nix::fcntl::OFlag;
use nix::sys::stat::Mode;
use nix::sys::wait::{WaitStatus, waitpid};
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

/// Closes all descriptors above 2 but these, such as a caller may have left open. Only as the first thing in `main`.
pub fn close_inherited(kept: &[RawFd]) {
    let mut kept: Vec<libc::c_uint> = kept.iter().filter_map(|fd| libc::c_uint::try_from(*fd).ok()).collect();
    kept.sort_unstable();
    let mut first: libc::c_uint = 3;
    for fd in kept {
        if fd > first {
            close_range(first, fd - 1);
        }
        first = fd.saturating_add(1).max(first);
    }
    close_range(first, libc::c_uint::MAX);
}

fn close_range(first: libc::c_uint, last: libc::c_uint) {
    // SAFETY: called before anything of this program opened a descriptor but those that are kept, so none that is owned
    // gets closed.
    unsafe { libc::syscall(libc::SYS_close_range, first, last, 0 as libc::c_uint) };
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

/// The two processes after [`split`].
#[derive(Debug)]
pub enum Half {
    /// The caller's process: the other one has let it go, or has ended, with this exit code.
    Front(u8),
    /// The process that does the work, standard descriptors still the caller's.
    Back(Leash),
}

/// Keeps the caller's process waiting. Dropped: it waits until this process ends, and takes over its exit code.
#[derive(Debug)]
pub struct Leash(File);

impl Leash {
    /// Lets the caller's process end with this code; this one goes on in the background, as after [`detach`].
    pub fn release(mut self, code: u8) -> io::Result<()> {
        setsid()?;
        leave_terminal()?;
        self.0.write_all(&[code])
    }
}

/// Splits off a process that works before its caller's eyes and may go on in the background later. Only while there is
/// one thread. In the caller's process this returns when it may end.
///
/// Errors: nothing was split off; the caller goes on by itself. When the other process was lost, its work is not to be
/// done again: what it had read is gone. That is `Half::Front` with EX_TEMPFAIL.
pub fn split() -> io::Result<Half> {
    let (from, to) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    // SAFETY: the process has one thread, so the child may go on as an ordinary process.
    match unsafe { fork() }? {
        ForkResult::Child => {
            drop(from);
            Ok(Half::Back(Leash(File::from(to))))
        }
        ForkResult::Parent { child } => {
            drop(to);
            let mut from = File::from(from);
            let mut code = [0u8; 1];
            loop {
                match from.read(&mut code) {
                    Ok(1) => return Ok(Half::Front(code[0])),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Ok(_) | Err(_) => break,
                }
            }
            loop {
                match waitpid(child, None) {
                    Ok(WaitStatus::Exited(_, code)) => return Ok(Half::Front(u8::try_from(code).unwrap_or(u8::MAX))),
                    Ok(WaitStatus::Signaled(..)) => return Ok(Half::Front(LOST)),
                    Ok(_) | Err(nix::errno::Errno::EINTR) => {}
                    Err(_) => return Ok(Half::Front(LOST)),
                }
            }
        }
    }
}

/// EX_TEMPFAIL: the other process was lost.
const LOST: u8 = 75;

/// Points descriptors 0, 1 and 2 at `/dev/null`.
pub fn leave_terminal() -> io::Result<()> {
    let null = nix::fcntl::open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    Ok(())
}

/// Starts a program in place of this one, with this environment and a variable more. Returns only when that failed.
pub fn exec(path: &Path, arguments: &[impl AsRef<[u8]>], variable: &(OsString, OsString)) -> io::Error {
    use std::os::unix::ffi::OsStrExt as _;
    let text = |bytes: &[u8]| CString::new(bytes).map_err(io::Error::other);
    let path = match text(path.as_os_str().as_bytes()) {
        Ok(path) => path,
        Err(error) => return error,
    };
    let arguments: io::Result<Vec<CString>> = arguments.iter().map(|a| text(a.as_ref())).collect();
    let others = super::env::vars().into_iter().filter(|(name, _)| *name != variable.0);
    let environment: io::Result<Vec<CString>> = others
        .chain([variable.clone()])
        .map(|(name, value)| text(&[name.as_bytes(), b"=", value.as_bytes()].concat()))
        .collect();
    match arguments.and_then(|arguments| Ok(nix::unistd::execve(&path, &arguments, &environment?))) {
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
    /// Writes the file in place; a new one gets this mode.
    pub fn write(path: &Path, mode: u32, pid: u32, command_line: &[u8]) -> io::Result<Self> {
        let mut file = file::open_or_create(path, mode)?;
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
        let _held = PidFile::write(&path, 0o644, 42, b"/usr/sbin/sendmail -bd -q15m").unwrap();
        assert_eq!(file::read(&path, 100).unwrap(), b"42\n/usr/sbin/sendmail -bd -q15m\n");
    }
}
