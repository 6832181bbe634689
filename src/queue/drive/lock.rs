//! Locking and reading one message.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};

use super::body::DataFile;
use super::commit::{UpdateJob, step};
use super::{Body, Directory, Held, Spool};
use crate::base::time::UnixTime;
use crate::envelope::{Envelope, QueueId};
use crate::queue::qf::quarantine::{self, Change};
use crate::queue::qf::{Fault, read};
use crate::queue::{Entry, Error, Kind};

impl Spool {
    /// See [`Spool::lock`].
    pub fn lock_now(&self, id: &QueueId) -> Result<Option<(Held, Envelope, Body)>, Error> {
        self.lock_one(id, &[Kind::Normal, Kind::Quarantined])
    }

    /// [`Spool::lock_now`] for a message of a list; one that was set aside is put back when nothing is wrong with it.
    pub fn lock_entry(&self, entry: &Entry) -> Result<Option<(Held, Envelope, Body)>, Error> {
        if entry.kind != Kind::Lost {
            return self.lock_now(&entry.id);
        }
        let Some((mut held, envelope, body)) = self.lock_one(&entry.id, &[Kind::Lost])? else { return Ok(None) };
        let kind = if envelope.quarantine.is_some() { Kind::Quarantined } else { Kind::Normal };
        let directory = self.directory(held.directory)?;
        let (from, to) = (format!("Qf{}", entry.id), format!("{}f{}", kind.letter(), entry.id));
        step("rename", &from, directory.rename(&from, &to))?;
        held.kind = kind;
        Ok(Some((held, envelope, body)))
    }

    fn lock_one(&self, id: &QueueId, kinds: &[Kind]) -> Result<Option<(Held, Envelope, Body)>, Error> {
        let Some((index, kind, file)) = self.open_locked(id, kinds)? else { return Ok(None) };
        if step("stat", "qf", file.metadata())?.len() == 0 {
            // Its writer has not come to its first line.
            return Ok(None);
        }
        let directory = self.directory(index)?;
        let mut held = Held::at_rest(id.clone(), kind, index, file);
        match self.read_message(&mut held) {
            Ok((envelope, body)) => Ok(Some((held, envelope, body))),
            Err(Error::Damaged { id, name, fault }) => {
                // Another process may be writing it: left alone.
                if fault.loss().is_some() && kind != Kind::Lost {
                    let name = format!("{}f{id}", kind.letter());
                    step("rename", &name, directory.rename(&name, &format!("Qf{id}")))?;
                }
                Err(Error::Damaged { id, name, fault })
            }
            Err(error) => Err(error),
        }
    }

    /// Gives a message another quarantine reason, or frees it.
    pub fn requarantine_now(&self, id: &QueueId, reason: Option<&[u8]>) -> Result<Requarantined, Error> {
        let Some((index, kind, file)) = self.open_locked(id, &[Kind::Normal, Kind::Quarantined])? else {
            return Ok(Requarantined::Locked);
        };
        let directory = self.directory(index)?;
        let name = format!("{}f{id}", kind.letter());
        if directory.judge(&step("stat", &name, file.metadata())?).is_err() {
            return Ok(Requarantined::Done(Change::Unfit));
        }
        let text = step("read", &name, read_bounded(&file))?.unwrap_or_default();
        let change = quarantine::rewrite(&text, reason);
        let (kind_then, text) = match &change {
            Change::Quarantined(text) | Change::Changed(_, text) => (Kind::Quarantined, text.clone()),
            Change::Freed(_, text) => (Kind::Normal, text.clone()),
            Change::Same | Change::Incomplete(_) | Change::Unfit => return Ok(Requarantined::Done(change)),
        };
        let held = Held::at_rest(id.clone(), kind, index, file);
        self.update_files(UpdateJob { held, kind: kind_then, text })?;
        Ok(Requarantined::Done(change))
    }

    /// Reads a control file without its lock, for lists. `None` when it is gone.
    pub fn look(&self, entry: &Entry) -> Result<Option<Look>, Error> {
        let directory = self.directory(entry.directory)?;
        let name = format!("{}f{}", entry.kind.letter(), entry.id);
        let file = match directory.open_file(&name, false) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => step("open", &name, other)?,
        };
        let metadata = step("stat", &name, file.metadata())?;
        let is_locked = is_locked(&file);
        let control = step("read", &name, read_bounded(&file))?.unwrap_or_default();
        let path = control.split(|b| *b == b'\n').find_map(|line| line.strip_prefix(b"d"));
        let data = self.data_directory(path, entry.directory);
        let body_size = self.directory(data)?.stat(&format!("df{}", entry.id)).ok().map(|s| s.st_size);
        let is_trusted = directory.judge(&metadata).is_ok();
        Ok(Some(Look { control, is_locked, is_trusted, body_size, modified: UnixTime(metadata.mtime()) }))
    }

    fn open_locked(&self, id: &QueueId, kinds: &[Kind]) -> Result<Option<(usize, Kind, File)>, Error> {
        for (index, directory) in self.inner.directories.iter().enumerate() {
            for kind in kinds.iter().copied() {
                let name = format!("{}f{id}", kind.letter());
                let file = match directory.open_file(&name, true) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    other => step("open", &name, other)?,
                };
                match file.try_lock() {
                    Ok(()) => {}
                    Err(TryLockError::WouldBlock) => return Ok(None),
                    Err(TryLockError::Error(source)) => return Err(Error::File { action: "lock", name, source }),
                }
                if is_same(&file, directory, &name) {
                    return Ok(Some((index, kind, file)));
                }
                // Replaced or removed between opening and locking: whoever did that has it.
                return Ok(None);
            }
        }
        Ok(None)
    }

    fn read_message(&self, held: &mut Held) -> Result<(Envelope, Body), Error> {
        let name = format!("{}f{}", held.kind.letter(), held.id);
        let damaged = |fault| Error::Damaged { id: held.id.clone(), name: format!("./{name}"), fault };
        let directory = self.directory(held.directory)?;
        let metadata = step("stat", &name, held.control()?.metadata())?;
        directory.judge(&metadata).map_err(damaged)?;
        let text = step("read", &name, read_bounded(held.control()?))?.ok_or_else(|| damaged(Fault::TooLarge))?;
        let control = read(&text, &held.id, &self.inner.codec).map_err(damaged)?;
        let named = control.df_directory.as_deref();
        let data = self.data_directory(named, held.directory);
        let data_name = format!("df{}", held.id);
        // In a directory that the configuration names no more the body may still lie.
        let is_elsewhere = named.is_some_and(|path| self.directory_at(path).is_none());
        let file = match self.directory(data)?.open_file(&data_name, false) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !is_elsewhere => {
                let shown = self.shown_in(data, &data_name);
                held.complaint = Some(format!("readqf: cannot open {shown}: No such file or directory"));
                let mut envelope = control.envelope;
                envelope.queue_group = self.group_of(held.directory);
                return Ok((envelope, Body::from(NO_MESSAGE.to_vec())));
            }
            other => step("open", &data_name, other)?,
        };
        let metadata = step("stat", &data_name, file.metadata())?;
        if !metadata.is_file() {
            return Err(damaged(Fault::NoBody));
        }
        held.data = data;
        let mut envelope = control.envelope;
        envelope.size_bytes = metadata.len().saturating_add(control.header_bytes);
        envelope.queue_group = self.group_of(held.directory);
        let body = self.body(file, metadata.len(), &held.id, data);
        Ok((envelope, step("read", &data_name, body)?))
    }

    /// A small df is read at once, so that its delivery needs no further calls.
    fn body(&self, file: File, length: u64, id: &QueueId, directory: usize) -> io::Result<Body> {
        let data = Body::File(DataFile::kept(self.clone(), file, length, id.clone(), directory));
        if length <= self.inner.memory as u64 {
            return Ok(Body::Memory(data.block_now(0)?));
        }
        Ok(data)
    }

    /// Number of the directory that a `d` line names; the control file's own when there is none.
    fn data_directory(&self, path: Option<&[u8]>, own: usize) -> usize {
        path.and_then(|path| self.directory_at(path)).unwrap_or(own)
    }

    /// Only directories of this spool count: a path in a file is no reason to open anything else.
    fn directory_at(&self, path: &[u8]) -> Option<usize> {
        self.inner.directories.iter().position(|d| d.data_path() == path)
    }

    pub(super) fn group_of(&self, directory: usize) -> usize {
        self.inner.groups.iter().position(|group| group.contains(&directory)).unwrap_or(0)
    }
}

/// What came of a quarantine, or of its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requarantined {
    /// Another process has the message, or it is gone.
    Locked,
    /// The control file was looked at, and changed if it could be.
    Done(Change),
}

/// A control file as a list sees it.
#[derive(Debug)]
pub struct Look {
    /// Its text.
    pub control: Vec<u8>,
    /// Whether some process works on it.
    pub is_locked: bool,
    /// Whether owner and permissions are as they must be.
    pub is_trusted: bool,
    /// Size of the df; `None` when there is none.
    pub body_size: Option<i64>,
    /// Its last change.
    pub modified: UnixTime,
}

/// Whether the open file is still the one with that name.
fn is_same(file: &File, directory: &Directory, name: &str) -> bool {
    let (Ok(open), Ok(named)) = (file.metadata(), directory.stat(name)) else { return false };
    open.ino() == named.st_ino && open.dev() == named.st_dev && open.nlink() > 0
}

fn is_locked(file: &File) -> bool {
    match file.try_lock_shared() {
        Ok(()) => {
            let _ = file.unlock();
            false
        }
        Err(TryLockError::WouldBlock) => true,
        Err(TryLockError::Error(_)) => false,
    }
}

/// The whole file; `None` when it is larger than [`CONTROL_FILE`]. One call for a usual one.
fn read_bounded(file: &File) -> io::Result<Option<Vec<u8>>> {
    let mut text = vec![0; FIRST_READ];
    let mut length = 0;
    loop {
        let Some(room) = text.get_mut(length..) else { return Ok(None) };
        let read = match file.read_at(room, length as u64) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        let has_room = read < room.len();
        length += read;
        if length as u64 > CONTROL_FILE {
            return Ok(None);
        }
        // A regular file gives less than was asked for only at its end.
        if has_room {
            text.truncate(length);
            return Ok(Some(text));
        }
        text.resize(text.len().saturating_mul(4), 0);
    }
}

/// Bytes that hold a usual control file.
const FIRST_READ: usize = 8 * 1024;
/// What is delivered when the body is gone. Source: observed.
const NO_MESSAGE: &[u8] = b"<<< No Message Collected >>>\n";
/// Largest control file read, bytes: 100,000 recipients with all their lines fit.
const CONTROL_FILE: u64 = 64 * 1024 * 1024;
