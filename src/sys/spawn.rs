//! Children: another program with a rebuilt environment, its own descriptors only, and the right identity.
#![allow(unsafe_code, reason = "what a child does between fork and exec is given by CommandExt::pre_exec")]

use std::ffi::{CString, OsStr};
use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;

use bytes::Bytes;
use tokio::io::unix::AsyncFd;

use super::user::Identity;

/// What a standard descriptor of a child is.
#[derive(Debug)]
pub enum Stream {
    /// `/dev/null`.
    Null,
    /// A pipe; the other end is in the `Child`.
    Pipe,
    /// This process's own.
    Inherit,
    /// An open descriptor.
    Descriptor(OwnedFd),
}

/// A program to start.
#[derive(Debug)]
pub struct Launch {
    /// The program.
    pub path: PathBuf,
    /// Arguments, the name first.
    pub argv: Vec<Bytes>,
    /// The whole environment.
    pub environment: Vec<(Bytes, Bytes)>,
    /// Whom to become; `None` to stay.
    pub identity: Option<Identity>,
    /// Where it begins, entered before anybody else's rights are taken; `/` when it cannot be entered.
    pub begins_in: Option<PathBuf>,
    /// Working directories to try, as the new user; the first that can be entered counts, `/` when none can.
    pub directories: Vec<PathBuf>,
    /// New root directory.
    pub root: Option<PathBuf>,
    /// Added to the nice value.
    pub nice: i32,
    /// Permission bits that new files do not get.
    pub umask: u32,
    /// Whether the child gets a session of its own, so that it can be ended with all it starts.
    pub own_session: bool,
    /// Whether set-id bits of what the child starts are without effect, for good.
    pub no_new_privileges: bool,
    /// Descriptor 0.
    pub stdin: Stream,
    /// Descriptor 1.
    pub stdout: Stream,
    /// Descriptor 2.
    pub stderr: Stream,
}

impl Launch {
    /// A program without arguments, environment or descriptors, as the same user, in a session of its own.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            argv: Vec::new(),
            environment: Vec::new(),
            identity: None,
            begins_in: None,
            directories: Vec::new(),
            root: None,
            nice: 0,
            umask: 0o077,
            own_session: true,
            no_new_privileges: false,
            stdin: Stream::Null,
            stdout: Stream::Null,
            stderr: Stream::Null,
        }
    }

    /// A program with this process's environment, directory, umask, standard output and standard error, in its session.
    pub fn beside(path: impl Into<PathBuf>) -> Self {
        let umask = super::file::set_umask(0o077);
        super::file::set_umask(umask);
        let bytes = |text: std::ffi::OsString| Bytes::from(text.into_vec());
        Self {
            environment: super::env::vars().into_iter().map(|(name, value)| (bytes(name), bytes(value))).collect(),
            directories: super::env::current_directory().into_iter().collect(),
            umask,
            own_session: false,
            stdout: Stream::Inherit,
            stderr: Stream::Inherit,
            ..Self::new(path)
        }
    }

    /// Starts the program.
    ///
    /// Errors: the error of the step that failed in the child (identity, root, exec).
    pub fn start(self) -> io::Result<Child> {
        self.into_command()?.spawn()
    }

    /// The same as a `Command`, for a runtime that starts children itself.
    #[allow(clippy::disallowed_methods, reason = "this is the function that others are sent to")]
    pub fn into_command(self) -> io::Result<Command> {
        let mut command = Command::new(&self.path);
        let mut argv = self.argv.iter().map(|a| OsStr::from_bytes(a));
        if let Some(name) = argv.next() {
            command.arg0(name);
        }
        command.args(argv);
        command.env_clear();
        command.envs(self.environment.iter().map(|(n, v)| (OsStr::from_bytes(n), OsStr::from_bytes(v))));
        command.stdin(stdio(self.stdin)).stdout(stdio(self.stdout)).stderr(stdio(self.stderr));
        let child = Setup {
            root: self.root.map(|p| CString::new(p.as_os_str().as_bytes())).transpose()?,
            begins_in: self.begins_in.map(|p| CString::new(p.as_os_str().as_bytes())).transpose()?,
            directories: self
                .directories
                .iter()
                .map(|p| CString::new(p.as_os_str().as_bytes()))
                .collect::<Result<_, _>>()?,
            identity: self.identity,
            nice: self.nice,
            umask: self.umask,
            own_session: self.own_session,
            no_new_privileges: self.no_new_privileges,
            open_files: ORIGINAL_OPEN_FILES.get().copied(),
        };
        // SAFETY: `Setup::enter` allocates nothing, takes no lock and calls async-signal-safe functions only.
        unsafe { command.pre_exec(move || child.enter()) };
        Ok(command)
    }
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With an exit code.
    Exit(u8),
    /// By a signal; whether a core was dumped.
    Signal(i32, bool),
}

impl From<ExitStatus> for Ended {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Exit(u8::try_from(code & 0xff).unwrap_or(u8::MAX)),
            (None, Some(signal)) => Self::Signal(signal, status.core_dumped()),
            (None, None) => Self::Exit(u8::MAX),
        }
    }
}

/// Tells a runtime when a child has ended.
#[derive(Debug)]
pub struct ExitWatch(AsyncFd<OwnedFd>);

impl ExitWatch {
    /// Watches a child that has not been waited for. Only inside a runtime.
    pub fn new(pid: u32) -> io::Result<Self> {
        let pid = libc::pid_t::try_from(pid).map_err(|_| io::ErrorKind::InvalidInput)?;
        // SAFETY: a plain system call; a result that is not negative is a new descriptor that nobody else owns.
        let fd = unsafe {
            let fd = libc::syscall(libc::SYS_pidfd_open, pid, 0);
            check(libc::c_int::try_from(fd).unwrap_or(-1))?;
            #[allow(clippy::cast_possible_truncation, reason = "descriptors are small numbers")]
            OwnedFd::from_raw_fd(fd as RawFd)
        };
        // SAFETY: the `OwnedFd` keeps its descriptor open and unchanged for as long as it is registered.
        Ok(Self(unsafe { AsyncFd::register(fd) }?))
    }

    /// Returns when the child has ended; its status is then there without waiting.
    pub async fn ended(&self) -> io::Result<()> {
        self.0.readable().await.map(|_| ())
    }
}

/// A pipe: reading end, writing end; neither is passed on to children.
pub fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?)
}

/// Ends a child that has its own session, with everything it started that stayed in the session's group.
pub fn kill_group(pid: u32) {
    if let Ok(pid) = i32::try_from(pid)
        && pid > 1
    {
        let _ = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
    }
}

/// Raises the number of files this process may open to the most that is allowed; children get the old number.
pub fn raise_open_files() -> io::Result<u64> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let _ = ORIGINAL_OPEN_FILES.set((soft, hard));
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    Ok(hard)
}

static ORIGINAL_OPEN_FILES: OnceLock<(u64, u64)> = OnceLock::new();

/// What happens between fork and exec, in this order.
struct Setup {
    root: Option<CString>,
    begins_in: Option<CString>,
    directories: Vec<CString>,
    identity: Option<Identity>,
    nice: i32,
    umask: u32,
    own_session: bool,
    no_new_privileges: bool,
    open_files: Option<(u64, u64)>,
}

impl Setup {
    fn enter(&self) -> io::Result<()> {
        // SAFETY (all blocks of this function): plain system calls on values prepared before the fork; strings end in NUL.
        for signal in 1..=31 {
            // SAFETY: see above; SIGKILL and SIGSTOP refuse, which is as wished.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
        if self.own_session {
            // SAFETY: see above.
            unsafe { libc::setsid() };
        }
        if let Some((soft, hard)) = self.open_files {
            let limit = libc::rlimit { rlim_cur: soft, rlim_max: hard };
            // SAFETY: see above.
            check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) })?;
        }
        if let Some(root) = &self.root {
            // SAFETY: see above.
            check(unsafe { libc::chroot(root.as_ptr()) })?;
            // SAFETY: see above.
            check(unsafe { libc::chdir(c"/".as_ptr()) })?;
        }
        if let Some(directory) = &self.begins_in {
            // SAFETY: see above.
            if unsafe { libc::chdir(directory.as_ptr()) } != 0 {
                // SAFETY: see above.
                check(unsafe { libc::chdir(c"/".as_ptr()) })?;
            }
        }
        if self.nice != 0 {
            // SAFETY: see above. A refused increment is no reason to lose mail.
            unsafe { libc::nice(self.nice) };
        }
        if let Some(identity) = &self.identity {
            become_user(identity)?;
        }
        if self.no_new_privileges {
            // SAFETY: see above.
            check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) })?;
        }
        // SAFETY: see above.
        unsafe { libc::umask(self.umask) };
        if !self.directories.is_empty() {
            // SAFETY: see above.
            let entered = self.directories.iter().any(|d| unsafe { libc::chdir(d.as_ptr()) } == 0);
            if !entered {
                // SAFETY: see above.
                check(unsafe { libc::chdir(c"/".as_ptr()) })?;
            }
        }
        // Marked, not closed: the pipe that reports a failed exec is among them.
        // SAFETY: see above.
        unsafe {
            libc::syscall(
                libc::SYS_close_range,
                3 as libc::c_uint,
                libc::c_uint::MAX,
                libc::CLOSE_RANGE_CLOEXEC as libc::c_uint,
            );
        }
        Ok(())
    }
}

/// Groups, group, user, in this order, each checked, and no way back.
fn become_user(identity: &Identity) -> io::Result<()> {
    // SAFETY: plain system calls; the pointer and length are those of a live vector.
    unsafe {
        if libc::geteuid() == 0 {
            check(libc::setgroups(identity.groups.len(), identity.groups.as_ptr()))?;
        }
        check(libc::setresgid(identity.gid, identity.gid, identity.gid))?;
        check(libc::setresuid(identity.uid, identity.uid, identity.uid))?;
        if identity.uid != 0 && libc::setuid(0) == 0 {
            return Err(io::Error::from_raw_os_error(libc::EPERM));
        }
    }
    Ok(())
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn stdio(stream: Stream) -> Stdio {
    match stream {
        Stream::Null => Stdio::null(),
        Stream::Pipe => Stdio::piped(),
        Stream::Inherit => Stdio::inherit(),
        Stream::Descriptor(fd) => Stdio::from(fd),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn output(script: &str, change: impl FnOnce(&mut Launch)) -> String {
        let mut launch = Launch::new("/bin/sh");
        launch.argv = vec!["sh".into(), "-c".into(), script.to_owned().into()];
        launch.stdout = Stream::Pipe;
        change(&mut launch);
        let mut child = launch.start().unwrap();
        let mut text = String::new();
        child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        child.wait().unwrap();
        text
    }

    #[test]
    fn a_child_has_only_what_it_was_given() {
        let text = output("/usr/bin/env | grep -v '^PWD\\|^SHLVL\\|^_\\|^OLDPWD'; echo /proc/self/fd/*; umask", |l| {
            l.environment = vec![("AGENT".into(), "sendmail".into())];
        });
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("AGENT=sendmail"));
        assert!(lines.next().is_some_and(|fds| fds.split(' ').count() <= 4), "{text}");
        assert_eq!(lines.next(), Some("0077"));
    }

    #[test]
    fn the_first_directory_that_can_be_entered_counts() {
        let text = output("pwd", |l| l.directories = vec!["/no/such".into(), "/usr".into(), "/tmp".into()]);
        assert_eq!(text, "/usr\n");
        assert_eq!(output("pwd", |l| l.directories = vec!["/no/such".into()]), "/\n");
    }

    #[test]
    fn a_program_without_directories_begins_where_it_is_told() {
        assert_eq!(output("pwd", |l| l.begins_in = Some("/usr".into())), "/usr\n");
        assert_eq!(output("pwd", |l| l.begins_in = Some("/no/such".into())), "/\n");
        let both = |l: &mut Launch| (l.begins_in, l.directories) = (Some("/usr".into()), vec!["/tmp".into()]);
        assert_eq!(output("pwd", both), "/tmp\n");
    }

    #[test]
    fn a_missing_program_is_an_error_of_start() {
        assert_eq!(Launch::new("/no/such/program").start().unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn signals_and_codes_are_told_apart() {
        let mut launch = Launch::new("/bin/sh");
        launch.argv = vec!["sh".into(), "-c".into(), "exit 75".into()];
        assert_eq!(Ended::from(launch.start().unwrap().wait().unwrap()), Ended::Exit(75));
        let mut launch = Launch::new("/bin/sh");
        launch.argv = vec!["sh".into(), "-c".into(), "kill -9 $$".into()];
        assert_eq!(Ended::from(launch.start().unwrap().wait().unwrap()), Ended::Signal(9, false));
    }
}
