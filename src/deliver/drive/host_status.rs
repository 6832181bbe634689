//! Reads and writes what is known of hosts (`HostStatusDirectory`), for all processes of the machine.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use crate::base::time::UnixTime;
use crate::config::Config;
use crate::deliver::host_status::{self, HostStatus};
use crate::sys::file::{Dir, read_limited};
use crate::sys::lock::{self, Kind};

/// The directory. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct HostFiles(Option<Arc<Inner>>);

struct Inner {
    root: PathBuf,
    limit: std::time::Duration,
    is_single: bool,
    /// What this process wrote last, so that a stream of mail to one host does not write for each message.
    written: Mutex<HashMap<Bytes, HostStatus>>,
}

/// The right to deliver to a host while nobody else does (`SingleThreadDelivery`); given back when dropped.
#[derive(Debug)]
pub(super) struct Claim {
    _file: Option<File>,
}

impl HostFiles {
    pub(super) fn new(config: &Config) -> Self {
        let options = &config.options;
        Self(directory(config).map(|root| {
            Arc::new(Inner {
                root,
                limit: config.timeouts.hoststatus,
                is_single: options.single_thread_delivery,
                written: Mutex::default(),
            })
        }))
    }

    /// What is known of a host that is not well and was used a short while ago.
    pub(super) fn trouble(&self, host: &Bytes, now: UnixTime) -> Option<HostStatus> {
        let inner = self.0.as_ref()?;
        let (directory, name) = inner.place(host, false).ok()??;
        let status = HostStatus::parse(&directory.read(name, MOST).ok()?)?;
        (status.exit != crate::base::exit::Exit::OK && status.is_fresh(now, inner.limit)).then_some(status)
    }

    /// The right to connect; `None` while another delivery has it.
    pub(super) fn claim(&self, host: &Bytes) -> Option<Claim> {
        let free = Some(Claim { _file: None });
        let Some(inner) = self.0.as_ref().filter(|inner| inner.is_single) else { return free };
        // What cannot be locked is no reason to keep mail back.
        let Ok(Some((directory, name))) = inner.place(host, true) else { return free };
        let Ok(file) = directory.open_or_create(&name, MODE) else { return free };
        match lock::try_lock(&file, Kind::Exclusive) {
            Ok(true) => Some(Claim { _file: Some(file) }),
            Ok(false) => None,
            Err(_) => free,
        }
    }

    /// Writes what is known now. A file that cannot be written is as good as none.
    pub(super) fn note(&self, host: &Bytes, status: &HostStatus) {
        let Some(inner) = &self.0 else { return };
        // Held while the file is written, so that what is remembered and what the file says are the same.
        let mut written = inner.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.get(host).is_some_and(|last| says_the_same(last, status)) {
            return;
        }
        if written.len() >= HOSTS {
            written.clear();
        }
        if inner.write(host, status).is_ok() {
            written.insert(host.clone(), status.clone());
        } else {
            written.remove(host);
        }
    }
}

/// Whether nothing is lost when the newer one is not written.
fn says_the_same(last: &HostStatus, new: &HostStatus) -> bool {
    let is_recent = new.used.since(last.used) < WRITTEN && new.used >= last.used;
    is_recent && (last.exit, last.errno, last.status) == (new.exit, new.errno, new.status)
}

impl Inner {
    /// Directory and name of a host's file; makes the directories when `makes`.
    fn place(&self, host: &[u8], makes: bool) -> io::Result<Option<(Dir, String)>> {
        let Some((labels, name)) = host_status::path_of(host) else { return Ok(None) };
        let mut directory = Dir::open(&self.root)?;
        for label in &labels {
            directory = match directory.open_dir(label) {
                Err(error) if makes && error.kind() == io::ErrorKind::NotFound => {
                    match directory.make_dir(label, DIRECTORY_MODE) {
                        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                        _ => directory.open_dir(label)?,
                    }
                }
                other => other?,
            };
        }
        Ok(Some((directory, name)))
    }

    fn write(&self, host: &[u8], status: &HostStatus) -> io::Result<()> {
        let Some((directory, name)) = self.place(host, true)? else { return Ok(()) };
        let mut file = directory.open_or_create(&name, MODE)?;
        let text = status.render();
        // In its place, as the original does it: who holds a lock on the file keeps it.
        file.seek(io::SeekFrom::Start(0))?;
        file.write_all(&text)?;
        file.set_len(text.len() as u64)
    }
}

/// A host of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub host: String,
    /// What is known; `None` for a file that is none of ours.
    pub status: Option<HostStatus>,
    /// Somebody delivers to it now.
    pub is_locked: bool,
    /// Its file.
    pub path: PathBuf,
}

/// Everything that is known of hosts, in the order of the directories.
pub fn list(root: &Path) -> io::Result<Vec<Known>> {
    let mut found = Vec::new();
    walk(root, &mut |known, _, _| found.push(known))?;
    Ok(found)
}

/// Removes what was not written since. Source: observed (`purgestat` goes by the time of the file).
pub fn purge(root: &Path, since: UnixTime) -> io::Result<usize> {
    let mut removed = 0;
    walk(root, &mut |_, directory, name| {
        let is_old = directory.facts(name).is_ok_and(|facts| facts.modified < since);
        removed += usize::from(is_old && directory.unlink(name).is_ok());
    })?;
    Ok(removed)
}

/// `HostStatusDirectory` of a configuration that uses it.
pub fn directory(config: &Config) -> Option<PathBuf> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let options = &config.options;
    let setting = options.host_status_directory.as_ref().filter(|path| !path.is_empty())?;
    if options.connection_cache_size <= 0 {
        return None;
    }
    Some(host_status::directory(Path::new(OsStr::from_bytes(setting)), &config.queue_root()))
}

fn walk(root: &Path, visit: &mut dyn FnMut(Known, &Dir, &str)) -> io::Result<()> {
    let mut labels = Vec::new();
    walk_in(&Dir::open(root)?, root, &mut labels, visit);
    Ok(())
}

fn walk_in(directory: &Dir, path: &Path, labels: &mut Vec<String>, visit: &mut dyn FnMut(Known, &Dir, &str)) {
    for name in directory.entries().unwrap_or_default() {
        let Some(name) = name.to_str() else { continue };
        let path = path.join(name);
        if name.ends_with('.') && labels.len() < DEPTH {
            if let Ok(below) = directory.open_dir(name) {
                labels.push(name.to_owned());
                walk_in(&below, &path, labels, visit);
                labels.pop();
            }
            continue;
        }
        let Ok(mut file) = directory.open_read(name) else { continue };
        let status = read_limited(&mut file, MOST).ok().and_then(|text| HostStatus::parse(&text));
        let is_locked = matches!(lock::try_lock(&file, Kind::Shared), Ok(false));
        drop(file);
        visit(Known { host: host_status::host_of(labels, name), status, is_locked, path }, directory, name);
    }
}

/// Longest file, bytes.
const MOST: usize = 16 * 1024;
/// Most labels of a name.
const DEPTH: usize = 128;
/// Most hosts remembered as written.
const HOSTS: usize = 10_000;
/// How long one that is well need not be written again.
const WRITTEN: std::time::Duration = std::time::Duration::from_secs(10);
const MODE: u32 = 0o600;
const DIRECTORY_MODE: u32 = 0o755;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::exit::Exit;
    use crate::sys::clock;

    fn files(root: &Path, is_single: bool) -> HostFiles {
        let mut config = Config::default();
        config.options.host_status_directory = Some(root.to_str().unwrap().to_owned().into());
        config.options.single_thread_delivery = is_single;
        config.timeouts.hoststatus = std::time::Duration::from_secs(60);
        HostFiles::new(&config)
    }

    #[test]
    fn processes_share_what_they_know() {
        let at = tempfile::tempdir().unwrap();
        let (one, other) = (files(at.path(), false), files(at.path(), false));
        let host = Bytes::from_static(b"mx.down.test.");
        let down = HostStatus { errno: 111, exit: Exit::TEMPFAIL, used: UnixTime(100), ..HostStatus::default() };
        one.note(&host, &down);
        assert_eq!(other.trouble(&host, UnixTime(150)).as_ref(), Some(&down));
        assert_eq!(other.trouble(&host, UnixTime(161)), None, "too long ago");
        one.note(&host, &HostStatus { used: UnixTime(152), ..HostStatus::default() });
        assert_eq!(other.trouble(&host, UnixTime(153)), None, "it is well again");
        let known = list(at.path()).unwrap();
        assert_eq!(known.len(), 1);
        assert_eq!(known[0].host, "mx.down.test");
        assert_eq!(known[0].path, at.path().join("test./down./mx"));
        assert_eq!(purge(at.path(), UnixTime(clock::now().0 - 60)).unwrap(), 0);
        assert_eq!(purge(at.path(), UnixTime(clock::now().0 + 60)).unwrap(), 1);
    }

    #[test]
    fn one_delivery_at_a_time_when_asked_for() {
        let at = tempfile::tempdir().unwrap();
        let (one, other) = (files(at.path(), true), files(at.path(), true));
        let host = Bytes::from_static(b"a.test");
        let claim = one.claim(&host).unwrap();
        assert!(other.claim(&host).is_none());
        assert!(list(at.path()).unwrap()[0].is_locked);
        drop(claim);
        assert!(other.claim(&host).is_some());
        assert!(files(at.path(), false).claim(&host).is_some());
    }
}
