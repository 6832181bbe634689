//! Making messages durable: the threads that write, sync and rename.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::{Body, Held, Lock, Spool};
use crate::envelope::QueueId;
use crate::queue::{Error, Kind};

/// Blocking work.
type Work = Box<dyn FnOnce() + Send>;

/// Threads for blocking work, started as they are needed.
#[derive(Debug, Default)]
pub(super) struct Committer {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Default)]
struct State {
    work: VecDeque<Work>,
    threads: usize,
    idle: usize,
    closed: bool,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

impl Committer {
    /// Hands work to a thread. Work that was taken is finished even when nobody waits for it.
    pub(super) fn push(&self, work: Work) {
        let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.work.push_back(work);
        if state.idle < state.work.len() && state.threads < THREADS {
            let shared = Arc::clone(&self.shared);
            let started = std::thread::Builder::new().name("queue".to_owned()).spawn(move || shared.serve());
            match started {
                Ok(_) => state.threads += 1,
                // Without any thread the work would never be done: dropping it answers "closed".
                Err(_) if state.threads == 0 => {
                    state.work.pop_back();
                }
                Err(_) => {}
            }
        }
        drop(state);
        self.shared.more.notify_one();
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.shared.more.notify_all();
    }
}

impl Shared {
    fn serve(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(work) = state.work.pop_front() {
                drop(state);
                // Its asker hears "closed"; the thread goes on.
                let _ = catch_unwind(AssertUnwindSafe(work));
                state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            } else if state.closed {
                return;
            } else {
                state.idle += 1;
                state = self.more.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
            }
        }
    }
}

/// What a commit needs.
pub(super) struct CommitJob {
    pub(super) id: QueueId,
    pub(super) kind: Kind,
    pub(super) directory: usize,
    pub(super) data: usize,
    pub(super) text: Vec<u8>,
    pub(super) body: Body,
}

/// What an update needs.
pub(super) struct UpdateJob {
    pub(super) held: Held,
    pub(super) kind: Kind,
    pub(super) text: Vec<u8>,
}

impl Spool {
    /// See [`Spool::commit`].
    pub(super) fn commit_files(&self, job: &CommitJob) -> Result<Held, Error> {
        let mut made = Vec::new();
        let result = self.commit_steps(job, &mut made);
        match (&result, &job.body) {
            (Ok(_), Body::File(data)) if *data.id() == job.id => data.keep(),
            (Ok(_), _) => {}
            // Neither a half message nor one that the peer was told is not there may stay; what others made does.
            (Err(_), _) => {
                for (directory, name) in made.into_iter().rev() {
                    let _ = self.directory(directory)?.remove(&name);
                }
            }
        }
        result
    }

    fn commit_steps(&self, job: &CommitJob, made: &mut Vec<(usize, String)>) -> Result<Held, Error> {
        let directory = self.directory(job.directory)?;
        let data_name = format!("df{}", job.id);
        let temporary = format!("tf{}", job.id);
        let control = format!("{}f{}", job.kind.letter(), job.id);
        // First of all, and locked: a body whose temporary nobody holds is one that a crash left.
        let file = step("create", &temporary, directory.create(&temporary))?;
        made.push((job.directory, temporary.clone()));
        step("lock", &temporary, file.try_lock().map_err(io::Error::from))?;
        let data = self.write_data(job, &data_name, made)?;
        let lock = step("write", &temporary, written(file, &job.text))?;
        if self.is_synced() {
            if let Some(data) = &data {
                step("sync", &data_name, data.sync_data())?;
            }
            step("sync", &temporary, lock.sync_data())?;
            if job.data != job.directory {
                step("sync", &data_name, self.directory(job.data)?.place('d').sync())?;
            }
        }
        step("rename", &control, directory.rename(&temporary, &control))?;
        made.push((job.directory, control.clone()));
        if self.is_synced() {
            step("sync", &control, directory.sync_all())?;
        }
        Ok(Held {
            id: job.id.clone(),
            kind: job.kind,
            directory: job.directory,
            data: job.data,
            is_at_rest: false,
            complaint: None,
            lock: Lock::File(lock),
        })
    }

    /// Writes or links the df; gives the file that still must be synced.
    fn write_data(&self, job: &CommitJob, name: &str, made: &mut Vec<(usize, String)>) -> Result<Option<File>, Error> {
        let directory = self.directory(job.data)?;
        match &job.body {
            Body::Memory(bytes) => {
                let mut file = step("create", name, directory.create(name))?;
                made.push((job.data, name.to_owned()));
                step("write", name, file.write_all(bytes))?;
                Ok(Some(file))
            }
            Body::File(data) if *data.id() == job.id => Ok(Some(step("sync", name, data.file().try_clone())?)),
            Body::File(data) => {
                let from = format!("df{}", data.id());
                let linked = self.directory(data.directory())?.link(&from, directory, name);
                match linked {
                    Ok(()) => {
                        made.push((job.data, name.to_owned()));
                        // One that belongs to a message of its own was synced with it.
                        if data.is_kept() { Ok(None) } else { Ok(Some(step("sync", name, data.file().try_clone())?)) }
                    }
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                        Err(Error::File { action: "link", name: name.to_owned(), source: error })
                    }
                    // Another file system, or the first message is done and its df gone: the bytes are still at hand.
                    Err(_) => {
                        made.push((job.data, name.to_owned()));
                        Ok(Some(self.copy_data(&job.body, name, job.data)?))
                    }
                }
            }
        }
    }

    fn copy_data(&self, body: &Body, name: &str, directory: usize) -> Result<File, Error> {
        let mut file = step("create", name, self.directory(directory)?.create(name))?;
        let mut offset = 0u64;
        while offset < body.len() {
            let block = step("read", name, body.block_now(offset))?;
            step("write", name, file.write_all(&block))?;
            offset += block.len() as u64;
        }
        Ok(file)
    }

    /// See [`Spool::update`].
    pub(super) fn update_files(&self, job: UpdateJob) -> Result<Held, Error> {
        let UpdateJob { mut held, kind, text } = job;
        if let Lock::Journal(slot) = &held.lock {
            let (lock, is_written) = slot.rest_as(kind, &text)?;
            held.lock = Lock::File(lock);
            if is_written {
                held.kind = kind;
                return Ok(held);
            }
        }
        let directory = self.directory(held.directory)?;
        let temporary = format!("tf{}", held.id);
        let control = format!("{}f{}", kind.letter(), held.id);
        step("remove", &temporary, directory.remove(&temporary))?;
        let written =
            step("write", &temporary, directory.create(&temporary).and_then(|file| write_locked(file, &text)))
                .and_then(|lock| {
                    if self.is_synced() {
                        step("sync", &temporary, lock.sync_data())?;
                    }
                    step("rename", &control, directory.rename(&temporary, &control))?;
                    Ok(lock)
                });
        let lock = match written {
            Ok(lock) => lock,
            Err(error) => {
                let _ = directory.remove(&temporary);
                return Err(error);
            }
        };
        if kind != held.kind {
            let old = format!("{}f{}", held.kind.letter(), held.id);
            step("remove", &old, directory.remove(&old))?;
        }
        if self.is_synced() {
            step("sync", &control, directory.sync_all())?;
        }
        held.lock = Lock::File(lock);
        held.kind = kind;
        Ok(held)
    }

    /// See [`Spool::retire`].
    pub(super) fn retire_files(&self, held: &Held) -> Result<(), Error> {
        // Its lock, as long as the files are there.
        let _lock = match &held.lock {
            Lock::File(_) => None,
            Lock::Journal(slot) => match slot.leave() {
                None => return Ok(()),
                lock => lock,
            },
        };
        let control = format!("{}f{}", held.kind.letter(), held.id);
        step("remove", &control, self.directory(held.directory)?.remove(&control))?;
        let data = format!("df{}", held.id);
        step("remove", &data, self.directory(held.data)?.remove(&data))?;
        let transcript = format!("xf{}", held.id);
        step("remove", &transcript, self.directory(held.directory)?.remove(&transcript))
    }

    /// See [`Spool::lose`].
    pub(super) fn lose_file(&self, held: &Held) -> Result<(), Error> {
        if let Lock::Journal(slot) = &held.lock {
            slot.rest()?;
        }
        let from = format!("{}f{}", held.kind.letter(), held.id);
        step("rename", &from, self.directory(held.directory)?.rename(&from, &format!("Qf{}", held.id)))
    }
}

impl super::Directory {
    /// Makes names of control files and bodies durable.
    fn sync_all(&self) -> io::Result<()> {
        if self.has_parts() {
            self.place('d').sync()?;
        }
        self.place('q').sync()
    }
}

/// Writes a control file under its lock, so that nobody else takes it up once it has its name.
fn write_locked(file: File, text: &[u8]) -> io::Result<File> {
    file.try_lock().map_err(io::Error::from)?;
    written(file, text)
}

fn written(mut file: File, text: &[u8]) -> io::Result<File> {
    file.write_all(text)?;
    Ok(file)
}

pub(super) fn step<T>(action: &'static str, name: &str, result: io::Result<T>) -> Result<T, Error> {
    result.map_err(|source| Error::File { action, name: name.to_owned(), source })
}

/// Most threads that write and sync at once: as many syncs the file system can answer together.
const THREADS: usize = 24;
