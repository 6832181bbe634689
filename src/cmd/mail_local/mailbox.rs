//! One mailbox: finding it, locking it, appending to it.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::net::UdpSocket;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use nix::fcntl::OFlag;

use super::Settings;
use super::spool::Message;
use crate::base::exit::Exit;
use crate::base::time::UnixTime;
use crate::sys::file::{self, Dir};
use crate::sys::user::{self, Account};
use crate::sys::{clock, host, lock, safefile, signal};

/// Why a message was not delivered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// Reply code and enhanced code.
    pub(super) code: &'static str,
    /// Words.
    pub(super) text: String,
}

impl Failure {
    fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    pub(super) fn is_temporary(&self) -> bool {
        self.code.starts_with('4')
    }

    /// Exit code of the program. Source: observed.
    pub(super) fn exit(&self) -> Exit {
        if self.is_temporary() { Exit::TEMPFAIL } else { Exit::UNAVAILABLE }
    }
}

/// The account that a recipient names: as it stands, else without `+detail`.
pub(super) fn account(name: &[u8]) -> Result<Account, Failure> {
    let shown = name.escape_ascii();
    let plain = name.split(|b| *b == b'+').next().unwrap_or(name);
    for candidate in [name, plain] {
        match user::by_name(candidate) {
            Ok(Some(account)) if account.name.contains(&b'/') => {
                return Err(Failure::new("550 5.1.1", format!("{shown}: Invalid mailbox path")));
            }
            Ok(Some(account)) => return Ok(account),
            Ok(None) => {}
            Err(_) => return Err(Failure::new("451 4.3.0", format!("{shown}: User database failure; retry later"))),
        }
    }
    Err(Failure::new("550 5.1.1", format!("{shown}: User unknown")))
}

/// Appends the message to the mailbox of a user; it is on disk when this returns.
pub(super) fn deliver(settings: &Settings, name: &[u8], message: &Message) -> Result<(), Failure> {
    let account = account(name)?;
    let path = path_of(settings, &account)?;
    let lock = DotLock::take(&path)?;
    let size = append(settings, &account, &path, message)?;
    drop(lock);
    tell_biff(&account.name, size);
    Ok(())
}

fn path_of(settings: &Settings, account: &Account) -> Result<PathBuf, Failure> {
    let name = |bytes: &Bytes| std::ffi::OsString::from_vec(bytes.to_vec());
    if let Some(file) = &settings.home_file {
        if account.home.as_os_str().is_empty() {
            let text = format!("{}: User missing home directory", account.name.escape_ascii());
            return Err(Failure::new("550 5.1.1", text));
        }
        return Ok(account.home.join(name(file)));
    }
    Ok(settings.directory.clone().unwrap_or_else(|| PathBuf::from(DIRECTORY)).join(name(&account.name)))
}

/// Opens, checks, locks, writes, syncs. Returns where the message begins.
fn append(settings: &Settings, account: &Account, path: &Path, message: &Message) -> Result<u64, Failure> {
    let shown = path.display();
    let dir = Dir::open(path.parent().unwrap_or(Path::new("/")))
        .map_err(|e| Failure::new("450 4.2.0", format!("{shown}: {}", safefile::error_text(&e))))?;
    let base = path.file_name().unwrap_or_default();
    let created = match dir.facts(base) {
        Ok(facts) if !facts.is_regular() => return Err(Failure::new("550 5.2.0", format!("{shown}: irregular file"))),
        Ok(facts) if facts.links != 1 => return Err(Failure::new("550 5.2.0", format!("{shown}: too many links"))),
        Ok(_) => None,
        Err(e) if e.kind() == io::ErrorKind::NotFound => create(&dir, base, account, path)?,
        Err(e) => return Err(Failure::new("450 4.2.0", format!("{shown}: {}", safefile::error_text(&e)))),
    };
    let failed = |step: &str, e: &io::Error| failure_of(settings, step, path, e);
    let work = || -> Result<u64, Failure> {
        let flags = OFlag::O_WRONLY | OFlag::O_APPEND | OFlag::O_NONBLOCK;
        let mut file = dir.open_file(base, flags, 0).map_err(|e| failed("Append", &e))?;
        let facts = file::facts(&file).map_err(|e| failed("Append", &e))?;
        if !facts.is_regular() || facts.links != 1 {
            return Err(Failure::new("550 5.2.0", format!("{shown}: fstat: file changed after open")));
        }
        if facts.uid != account.uid {
            return Err(Failure::new("550 5.2.0", format!("{shown}: wrong ownership ({})", facts.uid)));
        }
        match lock::lock_within(&file, lock::Kind::Exclusive, LOCK_LIMIT) {
            Ok(true) => {}
            Ok(false) => {
                return Err(Failure::new("450 4.2.0", format!("Lock {shown}: Resource temporarily unavailable")));
            }
            Err(e) => return Err(failed("Lock", &e)),
        }
        write(&mut file, message).map_err(|e| failed("Write", &e))
    };
    let size = user::with_effective(account.uid, account.gid, work)
        .map_err(|e| Failure::new("450 4.2.0", format!("setreuid: {}", safefile::error_text(&e))))??;
    if created.is_some() {
        dir.sync().map_err(|e| failed("Sync", &e))?;
    }
    Ok(size)
}

/// Makes a new mailbox that belongs to its user; another may have made it meanwhile.
fn create(dir: &Dir, base: &std::ffi::OsStr, account: &Account, path: &Path) -> Result<Option<File>, Failure> {
    let failed =
        |e: &io::Error| Failure::new("450 4.2.0", format!("Create {}: {}", path.display(), safefile::error_text(e)));
    match dir.create(base, 0o600) {
        Ok(file) => {
            let facts = file::facts(&file).map_err(|e| failed(&e))?;
            if facts.uid != account.uid || (facts.gid != account.gid && user::effective_uid() == 0) {
                file::set_owner(&file, account.uid, account.gid).map_err(|e| {
                    let _ = dir.unlink(base);
                    let text = format!("chown {}.{}: {}", account.uid, account.gid, safefile::error_text(&e));
                    Failure::new("450 4.2.0", text)
                })?;
            }
            Ok(Some(file))
        }
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        Err(e) => Err(failed(&e)),
    }
}

fn write(file: &mut File, message: &Message) -> io::Result<u64> {
    let size = file.seek(SeekFrom::End(0))?;
    let written = message.copy_to(file).and_then(|()| file.sync_data());
    if written.is_err() {
        file.set_len(size)?;
    }
    written.map(|()| size)
}

fn failure_of(settings: &Settings, step: &str, path: &Path, error: &io::Error) -> Failure {
    let text = format!("{step} {}: {}", path.display(), safefile::error_text(error));
    if error.raw_os_error() == Some(libc::EDQUOT) {
        return Failure::new(if settings.quota_is_permanent { "552 5.2.2" } else { "452 4.2.2" }, text);
    }
    Failure::new("450 4.2.0", text)
}

/// Tells the biff service, when there is one: `user@offset`.
fn tell_biff(name: &[u8], offset: u64) {
    let Some(port) = host::datagram_port("biff") else { return };
    if let Ok(socket) = UdpSocket::bind("127.0.0.1:0") {
        let text = [name, format!("@{offset}").as_bytes()].concat();
        // Nobody may listen; mail does not depend on it.
        let _ = socket.send_to(&text, ("127.0.0.1", port));
    }
}

/// `MAILBOX.lock`, for programs that do not use flock(2). Removed when dropped.
struct DotLock(Option<(Dir, std::ffi::OsString)>);

impl DotLock {
    /// Takes the lock; without the right to make files beside the mailbox flock(2) alone must do.
    fn take(mailbox: &Path) -> Result<Self, Failure> {
        let shown = mailbox.file_name().unwrap_or_default().as_bytes().escape_ascii();
        let failed = |e: &io::Error| {
            Failure::new("451 4.3.0", format!("lockmailbox {shown} failed; {}", safefile::error_text(e)))
        };
        let mut name = mailbox.file_name().unwrap_or_default().to_owned();
        name.push(".lock");
        let dir = Dir::open(mailbox.parent().unwrap_or(Path::new("/"))).map_err(|e| failed(&e))?;
        let start = clock::monotonic();
        let mut pause = Duration::from_millis(1);
        loop {
            match dir.create(&name, 0o444) {
                Ok(mut file) => {
                    let lock = Self(Some((dir, name)));
                    file.write_all(std::process::id().to_string().as_bytes()).map_err(|e| failed(&e))?;
                    return Ok(lock);
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) if matches!(e.raw_os_error(), Some(libc::EACCES | libc::EPERM | libc::EROFS)) => {
                    return Ok(Self(None));
                }
                Err(e) => return Err(failed(&e)),
            }
            if is_stale(&dir, &name) {
                let _ = dir.unlink(&name);
                continue;
            }
            if start.elapsed() > LOCK_LIMIT {
                return Err(failed(&io::Error::from_raw_os_error(libc::EAGAIN)));
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }
}

impl Drop for DotLock {
    fn drop(&mut self) {
        if let Some((dir, name)) = &self.0 {
            let _ = dir.unlink(name);
        }
    }
}

/// A lock file of a process that is gone, or one without a process that is older than liblockfile allows.
fn is_stale(dir: &Dir, name: &std::ffi::OsStr) -> bool {
    let Ok(facts) = dir.facts(name) else { return false };
    let age = clock::now().since(facts.modified);
    let pid =
        dir.read(name, 32).ok().and_then(|t| String::from_utf8(t).ok()).and_then(|t| t.trim().parse::<u32>().ok());
    match pid {
        Some(pid) if pid > 0 => !signal::is_alive(pid),
        // The number is written right after the file was made.
        _ => age > STALE && facts.modified != UnixTime(0),
    }
}

const DIRECTORY: &str = "/var/mail";
const LOCK_LIMIT: Duration = Duration::from_secs(60);
const STALE: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    fn message() -> Message {
        let mut message = Message::new(b"a@b", UnixTime(0), &TimeZone::UTC).unwrap();
        message.line(b"text\n").unwrap();
        message.end().unwrap();
        message
    }

    fn own_name() -> Bytes {
        user::by_uid(user::effective_uid()).unwrap().unwrap().name
    }

    fn in_directory(path: &Path) -> Settings {
        Settings { directory: Some(path.to_owned()), ..Settings::default() }
    }

    #[test]
    fn messages_are_appended_and_the_lock_is_gone() {
        let tmp = tempfile::tempdir().unwrap();
        let settings = in_directory(tmp.path());
        let name = own_name();
        deliver(&settings, &name, &message()).unwrap();
        deliver(&settings, &[&name[..], b"+detail"].concat(), &message()).unwrap();
        let dir = Dir::open(tmp.path()).unwrap();
        let text = dir.read(std::ffi::OsStr::from_bytes(&name), 1000).unwrap();
        assert_eq!(text, b"From a@b Thu Jan  1 00:00:00 1970\ntext\n\n".repeat(2));
        assert_eq!(dir.entries().unwrap().len(), 1);
    }

    #[test]
    fn a_lock_of_a_dead_process_is_taken_over() {
        let tmp = tempfile::tempdir().unwrap();
        let name = own_name();
        let dir = Dir::open(tmp.path()).unwrap();
        let lock_name = [&name[..], b".lock"].concat();
        dir.create(std::ffi::OsStr::from_bytes(&lock_name), 0o644).unwrap().write_all(b"4194305").unwrap();
        deliver(&in_directory(tmp.path()), &name, &message()).unwrap();
    }

    #[test]
    fn what_is_no_plain_file_is_refused() {
        let tmp = tempfile::tempdir().unwrap();
        let name = own_name();
        let settings = in_directory(tmp.path());
        let dir = Dir::open(tmp.path()).unwrap();
        dir.symlink("/tmp/elsewhere", std::ffi::OsStr::from_bytes(&name)).unwrap();
        let failure = deliver(&settings, &name, &message()).unwrap_err();
        assert!(failure.text.ends_with("irregular file") && failure.exit() == Exit::UNAVAILABLE, "{failure:?}");
        dir.unlink(std::ffi::OsStr::from_bytes(&name)).unwrap();
        dir.create("other", 0o600).unwrap();
        dir.link("other", &dir, std::ffi::OsStr::from_bytes(&name)).unwrap();
        assert!(deliver(&settings, &name, &message()).unwrap_err().text.ends_with("too many links"));
        assert_eq!(deliver(&settings, b"no such user", &message()).unwrap_err().code, "550 5.1.1");
    }
}
