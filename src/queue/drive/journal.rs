//! The journal of a daemon: messages that are delivered at once are made durable here, without files of their own.
//!
//! One thread writes what all sessions have ready and syncs it once. Two segments take turns; one is written anew when none
//! of its messages is live. What is not done within [`REST_AFTER`] is put at rest as qf and df, so that the segments empty
//! and others see it.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Seek};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::commit::{CommitJob, step};
use super::{Body, Directory, Held, Inner, Lock, Spool};
use crate::envelope::QueueId;
use crate::queue::journal::{self, Found, Record, replay};
use crate::queue::{Error, Kind};
use crate::sys::clock;

/// An open journal.
#[derive(Debug)]
pub(super) struct Journal {
    shared: Arc<Shared>,
    /// Gives the files back when it ends.
    thread: Mutex<Option<JoinHandle<Writer>>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    more: Condvar,
    spool: Weak<Inner>,
}

#[derive(Debug, Default)]
struct State {
    accepted: Vec<Accepted>,
    done: Vec<Record>,
    /// Messages that are neither done nor at rest, by segment.
    live: [usize; 2],
    /// Bytes of those, and of those that wait to be written.
    bytes: usize,
    /// Those of them that somebody holds, oldest first.
    held: VecDeque<(Instant, Weak<Slot>)>,
    /// Those that nobody holds any more; they are to be put at rest.
    given_up: Vec<Arc<Slot>>,
    /// A write failed: what was written since the last sync is unknown, so nothing more is.
    is_broken: bool,
    /// When it was last told that messages cannot be put at rest.
    told: Option<Instant>,
    /// No more messages are taken.
    is_closing: bool,
    is_closed: bool,
}

/// A message on its way into the journal.
#[derive(Debug)]
struct Accepted {
    record: Record,
    spool: Spool,
    id: QueueId,
    group: usize,
    since: Instant,
    control: Bytes,
    body: Bytes,
    answer: oneshot::Sender<Result<Arc<Slot>, Error>>,
}

/// A message in the journal. Dropped before it is done: it is put at rest.
#[derive(Debug)]
pub(super) struct Slot {
    spool: Spool,
    id: QueueId,
    group: usize,
    segment: usize,
    bytes: usize,
    since: Instant,
    place: Mutex<Place>,
}

/// Where a message is.
#[derive(Debug)]
enum Place {
    /// Not promised yet, or done.
    Nowhere,
    /// In the journal.
    Journal { kind: Kind, control: Bytes, body: Bytes },
    /// In its files, with the lock on the control file.
    Rest(File),
}

/// The thread's own.
#[derive(Debug)]
struct Writer {
    files: [File; 2],
    current: usize,
    offset: u64,
    /// How far each segment was ever written.
    ends: [u64; 2],
    /// How far the blocks of each are there already.
    filled: [u64; 2],
    /// Length from which the other segment takes over.
    most: u64,
    generation: u64,
    is_synced: bool,
    buffer: Vec<u8>,
}

impl Spool {
    /// Takes over the journal: what a crash left in it is put at rest, then it is open. `None` when another process has it.
    ///
    /// The number is how many messages came to rest. Errors: the journal stays as it is and is not used.
    pub async fn open_journal(&self) -> Result<Option<usize>, Error> {
        self.run(Spool::open_journal_now).await
    }

    fn open_journal_now(&self) -> Result<Option<usize>, Error> {
        let own = [self.segment(0)?, self.segment(1)?];
        if own[0].try_lock().is_err() {
            return Ok(None);
        }
        // Where the journal lay when the configuration named other directories.
        let Some(earlier) = self.earlier_journals(&own[0])? else { return Ok(None) };
        let (mut found, mut newest) = (0, 0);
        for files in earlier.iter().chain([&own]) {
            let (count, generation) = self.take_up(files)?;
            found += count;
            newest = newest.max(generation);
        }
        let (files, generation) = (own, newest);
        let shared =
            Arc::new(Shared { state: Mutex::default(), more: Condvar::new(), spool: Arc::downgrade(&self.inner) });
        let writer = Writer {
            files,
            current: 0,
            offset: 0,
            ends: [0; 2],
            filled: [0; 2],
            most: SEGMENT,
            generation: generation + 1,
            is_synced: self.is_synced(),
            buffer: Vec::new(),
        };
        let worker = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || worker.run(writer));
        let thread = Mutex::new(Some(step("serve", NAMES[0], thread)?));
        // Set already: then this one closes with its last user.
        let _ = self.inner.journal.set(Journal { shared, thread });
        Ok(Some(found))
    }

    /// Journals in other directories, under their locks; `None` when another process has one.
    fn earlier_journals(&self, own: &File) -> Result<Option<Vec<[File; 2]>>, Error> {
        let inode = |file: &File| step("stat", NAMES[0], file.metadata()).map(|m| (m.dev(), m.ino()));
        let mut seen = vec![inode(own)?];
        let mut found = Vec::new();
        for directory in &self.inner.directories {
            if NAMES.iter().all(|name| directory.stat(name).is_err()) {
                continue;
            }
            let files = [open_segment(directory, 0)?, open_segment(directory, 1)?];
            let identity = inode(&files[0])?;
            // Queue groups may share a directory.
            if seen.contains(&identity) {
                continue;
            }
            if files[0].try_lock().is_err() {
                return Ok(None);
            }
            seen.push(identity);
            found.push(files);
        }
        Ok(Some(found))
    }

    /// Puts at rest what a journal holds, and empties it. Gives the number of messages and the newest generation.
    ///
    /// Errors: the first; the other messages are at rest all the same, and marked as done.
    fn take_up(&self, files: &[File; 2]) -> Result<(usize, u64), Error> {
        for file in files {
            step("read", NAMES[0], (&mut &*file).rewind())?;
        }
        let Found { live, generation, end } = step("read", NAMES[0], replay(files.iter().map(BufReader::new)))?;
        let mut trouble = None;
        let (mut newest, mut offset) = end.unwrap_or_default();
        newest = newest.min(1);
        for place in &live {
            let outcome = self.take_up_one(files, place).and_then(|id| {
                // A message that others deliver before the next start must not come back.
                let mut done = Vec::new();
                if let Some(record) = Record::done(&id) {
                    record.write(generation, &mut done);
                }
                step("write", NAMES[newest], files[newest].write_all_at(&done, offset))?;
                offset += done.len() as u64;
                Ok(())
            });
            if let Err(error) = outcome {
                trouble.get_or_insert(error);
            }
        }
        if let Some(error) = trouble {
            step("sync", NAMES[newest], files[newest].sync_all())?;
            return Err(error);
        }
        for (n, file) in files.iter().enumerate() {
            step("empty", NAMES[n], file.set_len(0).and_then(|()| file.sync_all()))?;
        }
        Ok((live.len(), generation))
    }

    fn take_up_one(&self, files: &[File; 2], place: &journal::Place) -> Result<QueueId, Error> {
        let name = NAMES.get(place.segment).copied().unwrap_or_default();
        let mut bytes = vec![0; place.length];
        let Some(file) = files.get(place.segment) else { return Err(Error::Closed) };
        step("read", name, file.read_exact_at(&mut bytes, place.offset))?;
        let message = journal::message(&bytes).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData));
        let message = step("read", name, message)?;
        drop(bytes);
        let id = message.id;
        let is_there = |d: &Directory| ['q', 'h', 'Q'].iter().any(|l| d.stat(&format!("{l}f{id}")).is_ok());
        if self.inner.directories.iter().any(is_there) {
            return Ok(id);
        }
        let directory = self.place(&id, message.group);
        let place = self.directory(directory)?;
        // It was being put at rest when the program ended.
        for name in [format!("tf{id}"), format!("df{id}")] {
            step("remove", &name, place.remove(&name))?;
        }
        self.commit_files(&CommitJob {
            id: id.clone(),
            kind: Kind::Normal,
            directory,
            data: directory,
            text: message.control,
            body: Body::Memory(message.body.into()),
        })?;
        Ok(id)
    }

    fn segment(&self, n: usize) -> Result<File, Error> {
        open_segment(self.directory(0)?, n)
    }

    /// Makes a message durable in the journal; `None` when it must have files.
    pub(super) async fn commit_in_journal(&self, job: &CommitJob, group: usize) -> Option<Result<Held, Error>> {
        let journal = self.inner.journal.get()?;
        let body = job.body.in_memory()?;
        if job.kind != Kind::Normal || job.data != job.directory {
            return None;
        }
        let record = Record::accepted(&job.id, group, &job.text, body)?;
        let (answer, answered) = oneshot::channel();
        let accepted = Accepted {
            record,
            spool: self.clone(),
            id: job.id.clone(),
            group,
            since: clock::monotonic(),
            control: Bytes::copy_from_slice(&job.text),
            body: body.clone(),
            answer,
        };
        {
            let mut state = journal.shared.lock();
            let live = state.live.iter().sum::<usize>() + state.accepted.len();
            let bytes = state.bytes + accepted.record.len();
            if state.is_broken || state.is_closing || live > MOST_LIVE || bytes > MOST_BYTES {
                return None;
            }
            state.bytes = bytes;
            state.accepted.push(accepted);
        }
        journal.shared.more.notify_one();
        let slot = match answered.await.unwrap_or(Err(Error::Closed)) {
            Ok(slot) => slot,
            Err(error) => return Some(Err(error)),
        };
        Some(Ok(Held {
            id: job.id.clone(),
            kind: Kind::Normal,
            directory: job.directory,
            data: job.data,
            is_at_rest: false,
            complaint: None,
            lock: Lock::Journal(slot),
        }))
    }

    /// Ends the journal: takes no more messages, puts everything at rest and leaves empty segments.
    ///
    /// Gives how many messages could not be put at rest, with the first reason: the journal keeps them for the next start.
    pub async fn settle(&self) -> Result<Option<(usize, String)>, Error> {
        self.run(|spool| {
            let Some(journal) = spool.inner.journal.get() else { return Ok(None) };
            journal.settle()
        })
        .await
    }

    /// Where the journal lies.
    pub fn journal_path(&self) -> PathBuf {
        self.inner.directories.first().map(|d| d.place('q').path().join(NAMES[0])).unwrap_or_default()
    }

    /// Whom to tell that the journal takes no more messages, or cannot put them at rest. Once, before it is opened.
    pub fn tell_trouble(&self, to: impl Fn(&str) + Send + Sync + 'static) {
        // Whoever came first is told.
        let _ = self.inner.told.set(Told(Box::new(to)));
    }
}

/// Who is told of trouble.
pub(super) struct Told(Box<dyn Fn(&str) + Send + Sync>);

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Told")
    }
}

impl Journal {
    fn settle(&self) -> Result<Option<(usize, String)>, Error> {
        let mut reason = None;
        let until = clock::monotonic() + SETTLE;
        let mut state = self.shared.lock();
        state.is_closing = true;
        let left = loop {
            let due = state.due(None);
            drop(state);
            for slot in due {
                if let Err(error) = slot.rest() {
                    reason.get_or_insert_with(|| error.to_string());
                    // Not given up by its end: there is nothing more to be done for it.
                    *slot.lock() = Place::Nowhere;
                }
            }
            state = self.shared.lock();
            let left = state.live.iter().sum::<usize>();
            // What sessions just hand over, and what other threads put at rest.
            let is_over = state.accepted.is_empty() && !state.has_live();
            if is_over && (left == 0 || reason.is_some()) || clock::monotonic() >= until {
                break left;
            }
            // A wake-up meant for the thread may have come here.
            self.shared.more.notify_all();
            state = self.shared.more.wait_timeout(state, SHORT).unwrap_or_else(PoisonError::into_inner).0;
        };
        state.is_closed = true;
        drop(state);
        self.shared.more.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = thread.and_then(|thread| thread.join().ok()) {
            for (file, name) in writer.files.iter().zip(NAMES) {
                let emptied = if left == 0 { file.set_len(0) } else { Ok(()) };
                step("empty", name, emptied.and_then(|()| file.sync_all()))?;
            }
        }
        Ok((left > 0).then(|| (left, reason.unwrap_or_else(|| "still being written".to_owned()))))
    }
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the message's time in the journal. Gives the lock on its control file when it is at rest.
    pub(super) fn leave(&self) -> Option<File> {
        match std::mem::replace(&mut *self.lock(), Place::Nowhere) {
            Place::Nowhere => None,
            Place::Journal { .. } => {
                self.note_done();
                None
            }
            Place::Rest(file) => Some(file),
        }
    }

    /// [`Slot::leave`] for who must not wait; false when it is at rest, or just being put there.
    pub(super) fn leave_at_once(&self) -> bool {
        let Ok(mut place) = self.place.try_lock() else { return false };
        if !matches!(*place, Place::Journal { .. }) {
            return false;
        }
        *place = Place::Nowhere;
        drop(place);
        self.note_done();
        true
    }

    /// Writes it as qf and df, unless that was done.
    pub(super) fn rest(&self) -> Result<(), Error> {
        let mut place = self.lock();
        let Place::Journal { kind, control, body } = &*place else { return Ok(()) };
        let lock = self.write(*kind, control, body)?;
        *place = Place::Rest(lock);
        drop(place);
        self.note_done();
        Ok(())
    }

    /// Puts it at rest with this control file. Gives the lock, and false when it was at rest with another control file.
    ///
    /// Errors: later it is put at rest with this control file all the same: it says who has the message already.
    pub(super) fn rest_as(&self, kind: Kind, control: &[u8]) -> Result<(File, bool), Error> {
        let mut place = self.lock();
        match std::mem::replace(&mut *place, Place::Nowhere) {
            Place::Nowhere => Err(Error::Closed),
            Place::Rest(file) => Ok((file, false)),
            Place::Journal { body, .. } => match self.write(kind, control, &body) {
                Ok(file) => {
                    drop(place);
                    self.note_done();
                    Ok((file, true))
                }
                Err(error) => {
                    *place = Place::Journal { kind, control: Bytes::copy_from_slice(control), body };
                    Err(error)
                }
            },
        }
    }

    fn write(&self, kind: Kind, control: &[u8], body: &Bytes) -> Result<File, Error> {
        let directory = self.spool.place(&self.id, self.group);
        let held = self.spool.commit_files(&CommitJob {
            id: self.id.clone(),
            kind,
            directory,
            data: directory,
            text: control.to_vec(),
            body: Body::Memory(body.clone()),
        })?;
        match held.lock {
            Lock::File(file) => Ok(file),
            Lock::Journal(_) => Err(Error::Closed),
        }
    }

    fn note_done(&self) {
        let Some(journal) = self.spool.inner.journal.get() else { return };
        let mut state = journal.shared.lock();
        state.gone(self.segment, self.bytes);
        state.done.extend(Record::done(&self.id));
        drop(state);
        journal.shared.more.notify_one();
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let place = std::mem::replace(&mut *self.lock(), Place::Nowhere);
        let Place::Journal { .. } = place else { return };
        let Some(journal) = self.spool.inner.journal.get() else { return };
        let slot = Self {
            spool: self.spool.clone(),
            id: self.id.clone(),
            group: self.group,
            segment: self.segment,
            bytes: self.bytes,
            since: self.since,
            place: Mutex::new(place),
        };
        journal.shared.lock().given_up.push(Arc::new(slot));
        journal.shared.more.notify_one();
    }
}

impl State {
    fn gone(&mut self, segment: usize, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
        if let Some(live) = self.live.get_mut(segment) {
            *live = live.saturating_sub(1);
        }
    }

    /// What is to be put at rest: given up, or accepted before this moment (all when there is none).
    fn due(&mut self, before: Option<Instant>) -> Vec<Arc<Slot>> {
        let mut due = std::mem::take(&mut self.given_up);
        while let Some((since, _)) = self.held.front() {
            if before.is_some_and(|before| *since > before) {
                break;
            }
            // Dropped by the caller without the lock: the last holder may just have gone.
            due.extend(self.held.pop_front().and_then(|(_, slot)| slot.upgrade()));
        }
        due
    }

    fn has_live(&self) -> bool {
        !self.held.is_empty() || !self.given_up.is_empty()
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.more.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread. After a panic it takes no more messages, but those it has still come to rest.
    fn run(&self, mut writer: Writer) -> Writer {
        writer.measure();
        while catch_unwind(AssertUnwindSafe(|| self.serve(&mut writer))).is_err() {
            // Those who wait hear "closed".
            let waiting = {
                let mut state = self.lock();
                state.is_broken = true;
                std::mem::take(&mut state.accepted)
            };
            self.tell("the journal's thread has panicked; messages have files of their own from now on");
            drop(waiting);
            std::thread::sleep(TICK);
        }
        writer
    }

    fn tell(&self, text: &str) {
        if let Some(inner) = self.spool.upgrade()
            && let Some(told) = inner.told.get()
        {
            (told.0)(text);
        }
    }

    fn serve(&self, writer: &mut Writer) {
        let mut looked = clock::monotonic();
        let mut failed: Option<Instant> = None;
        let mut state = self.lock();
        loop {
            let now = clock::monotonic();
            if now.duration_since(looked) >= TICK {
                looked = now;
                let due = state.due(now.checked_sub(REST_AFTER));
                drop(state);
                due.into_iter().for_each(put_at_rest);
                state = self.lock();
            }
            // After trouble done records wait for the next look.
            let is_ready = !state.accepted.is_empty() || failed.is_none_or(|at| now.duration_since(at) >= TICK);
            if is_ready && (!state.accepted.is_empty() || !state.done.is_empty()) {
                let accepted = std::mem::take(&mut state.accepted);
                let done = std::mem::take(&mut state.done);
                writer.turn(&state.live, size(&accepted, &done));
                if let Some(live) = state.live.get_mut(writer.current) {
                    *live += accepted.len();
                }
                let may_promise = !state.is_broken || accepted.is_empty();
                drop(state);
                let result = if may_promise { writer.write(&accepted, &done) } else { Err(Trouble::lost()) };
                state = self.answer(accepted, &result, writer.current);
                failed = result.is_err().then_some(now);
                if result.is_err() {
                    // Ahead of those that came meanwhile.
                    let later = std::mem::replace(&mut state.done, done);
                    state.done.extend(later);
                    if state.is_closed {
                        return;
                    }
                }
            } else if state.is_closed {
                return;
            } else if state.has_live() || failed.is_some() {
                state = self.more.wait_timeout(state, TICK).unwrap_or_else(PoisonError::into_inner).0;
            } else {
                state = self.more.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Tells the sessions, and gives them what they hold from now on.
    fn answer(&self, accepted: Vec<Accepted>, result: &Result<(), Trouble>, segment: usize) -> MutexGuard<'_, State> {
        let mut told = Vec::with_capacity(accepted.len());
        let mut state = self.lock();
        let breaks = !state.is_broken && result.as_ref().is_err_and(|trouble| trouble.is_lasting);
        state.is_broken |= breaks;
        for Accepted { record, spool, id, group, since, control, body, answer } in accepted {
            let bytes = record.len();
            let outcome = match result {
                Ok(()) => {
                    let place = Mutex::new(Place::Journal { kind: Kind::Normal, control, body });
                    let slot = Arc::new(Slot { spool, id, group, segment, bytes, since, place });
                    state.held.push_back((since, Arc::downgrade(&slot)));
                    Ok(slot)
                }
                Err(trouble) => {
                    state.gone(segment, bytes);
                    let name = NAMES.get(segment).copied().unwrap_or_default().to_owned();
                    let source = trouble.errno.map_or(io::ErrorKind::Other.into(), io::Error::from_raw_os_error);
                    Err(Error::File { action: "write", name, source })
                }
            };
            told.push((answer, outcome));
        }
        drop(state);
        if breaks {
            let source = result.as_ref().err().and_then(|t| t.errno).map(io::Error::from_raw_os_error);
            let source = source.map(|error| format!(": {error}")).unwrap_or_default();
            self.tell(&format!("the journal cannot be synced{source}; messages have files of their own from now on"));
        }
        for (answer, outcome) in told {
            // A session that is gone gives the message up, which puts it at rest.
            drop(answer.send(outcome));
        }
        self.lock()
    }
}

/// Why records could not be written.
#[derive(Debug)]
struct Trouble {
    errno: Option<i32>,
    /// After a failed sync nobody knows what the disk holds: no promise is made any more.
    is_lasting: bool,
}

impl Trouble {
    fn lost() -> Self {
        Self { errno: None, is_lasting: true }
    }

    fn of(error: &io::Error, is_lasting: bool) -> Self {
        Self { errno: error.raw_os_error(), is_lasting }
    }
}

impl Writer {
    /// Decides how long segments become on this disk.
    fn measure(&mut self) {
        let room = self.files.first().and_then(|file| nix::sys::statvfs::fstatvfs(file).ok());
        let free = room.map_or(0, |room| room.blocks_available().saturating_mul(room.fragment_size()));
        self.most = segment_length(free);
    }

    /// Blocks that are there already need no change of metadata when they are synced. A segment grows as mail comes: an idle
    /// daemon takes next to nothing of the disk, and `MinFreeBlocks` sees what mail may use.
    fn fill(&mut self, size: u64) {
        let (Some(file), Some(filled)) = (self.files.get(self.current), self.filled.get_mut(self.current)) else {
            return;
        };
        // Records may have been written past what was made ready: zeros come behind them.
        *filled = (*filled).max(self.offset);
        let needed = self.offset.saturating_add(size);
        if needed <= *filled || *filled >= self.most {
            return;
        }
        let wanted = needed.max(filled.saturating_mul(2)).max(FIRST).min(self.most);
        let zeros = vec![0; 1 << 16];
        while *filled < wanted {
            let piece = zeros.get(..usize::try_from(wanted - *filled).unwrap_or(zeros.len())).unwrap_or(&zeros);
            if file.write_all_at(piece, *filled).is_err() {
                // No room now: the file grows as it is needed. That it could not be cut harms nothing.
                let _ = file.set_len(self.offset);
                *filled = self.offset;
                return;
            }
            *filled += piece.len() as u64;
        }
    }

    /// Goes on in the other segment when this one is full and that one free.
    fn turn(&mut self, live: &[usize; 2], size: usize) {
        let other = usize::from(self.current == 0);
        if self.offset > 0 && self.offset + size as u64 > self.most && live.get(other) == Some(&0) {
            self.current = other;
            self.offset = 0;
            self.generation += 1;
            if let (Some(file), Some(end)) = (self.files.get(other), self.ends.get_mut(other))
                && *end > self.most
            {
                // It grew while the other one was held up. One that stays long harms nothing.
                let _ = file.set_len(self.most);
                *end = self.most;
            }
        }
    }

    fn write(&mut self, accepted: &[Accepted], done: &[Record]) -> Result<(), Trouble> {
        self.fill(size(accepted, done) as u64);
        let Some(file) = self.files.get(self.current) else { return Err(Trouble::lost()) };
        self.buffer.clear();
        for record in done.iter().chain(accepted.iter().map(|a| &a.record)) {
            record.write(self.generation, &mut self.buffer);
        }
        let mut result = file.write_all_at(&self.buffer, self.offset).map_err(|error| Trouble::of(&error, false));
        if result.is_ok() && self.is_synced && !accepted.is_empty() {
            result = file.sync_data().map_err(|error| Trouble::of(&error, true));
        }
        if result.is_ok() {
            self.offset += self.buffer.len() as u64;
            if let Some(end) = self.ends.get_mut(self.current) {
                *end = (*end).max(self.offset);
            }
        } else {
            // What the peers are told is not taken must not come back; an error changes nothing any more.
            let _ = file.set_len(self.offset);
            if let Some(filled) = self.filled.get_mut(self.current) {
                *filled = (*filled).min(self.offset);
            }
        }
        if self.buffer.capacity() > KEPT {
            self.buffer = Vec::new();
        }
        result
    }
}

/// Length of a segment on a disk with so many free bytes: both together take a small part of it.
fn segment_length(free_bytes: u64) -> u64 {
    (free_bytes / SHARE).clamp(LEAST, SEGMENT)
}

fn size(accepted: &[Accepted], done: &[Record]) -> usize {
    accepted.iter().map(|a| a.record.len()).chain(done.iter().map(Record::len)).sum()
}

/// In the spool's threads; one that cannot be written now is tried again later.
fn put_at_rest(slot: Arc<Slot>) {
    let spool = slot.spool.clone();
    spool.inner.committer.push(Box::new(move || {
        if let Err(error) = slot.rest()
            && let Some(journal) = slot.spool.inner.journal.get()
        {
            let now = clock::monotonic();
            let mut state = journal.shared.lock();
            state.held.push_back((now, Arc::downgrade(&slot)));
            let is_news = state.told.is_none_or(|at| now.duration_since(at) >= TELL_AGAIN);
            if is_news {
                state.told = Some(now);
            }
            drop(state);
            if is_news {
                journal.shared.tell(&format!("the journal cannot put messages at rest: {error}"));
            }
        }
    }));
}

fn open_segment(directory: &Directory, n: usize) -> Result<File, Error> {
    let name = NAMES.get(n).copied().unwrap_or_default();
    let file = match directory.open_file(name, true) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => directory.create(name),
        other => other,
    };
    let file = step("open", name, file)?;
    let metadata = step("stat", name, file.metadata())?;
    if directory.judge(&metadata).is_err() {
        return step("trust", name, Err(io::ErrorKind::PermissionDenied.into()));
    }
    Ok(file)
}

/// The segments.
const NAMES: [&str; 2] = [".journal.0", ".journal.1"];
/// Usual length of a segment, bytes.
const SEGMENT: u64 = 4 << 20;
/// Length of one on the smallest disk.
const LEAST: u64 = 16 << 10;
/// How much of a segment is made ready at first.
const FIRST: u64 = 64 << 10;
/// A segment takes at most this part of what is free.
const SHARE: u64 = 128;
/// Messages in the journal beyond which others go to their files at once.
const MOST_LIVE: usize = 500;
/// The same for their bytes.
const MOST_BYTES: usize = 64 << 20;
/// How long a message may stay in the journal.
const REST_AFTER: Duration = Duration::from_secs(1);
/// How often the journal is looked through.
const TICK: Duration = Duration::from_millis(250);
/// How long the end waits for what others are just putting at rest.
const SETTLE: Duration = Duration::from_secs(10);
/// How often trouble with putting at rest is told.
const TELL_AGAIN: Duration = Duration::from_secs(60);
/// How often it looks.
const SHORT: Duration = Duration::from_millis(5);
/// Buffer kept between writes, bytes.
const KEPT: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_ready_lies_behind_what_is_written() {
        let files = [tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap()];
        let mut writer = Writer {
            files,
            current: 0,
            offset: 0,
            ends: [0; 2],
            filled: [0; 2],
            most: SEGMENT,
            generation: 1,
            is_synced: false,
            buffer: Vec::new(),
        };
        // As after a disk that was full: the file grew with its records alone.
        writer.files[0].write_all_at(&[7; 1000], 0).unwrap();
        writer.offset = 1000;
        writer.fill(100);
        assert_eq!(writer.files[0].metadata().unwrap().len(), FIRST);
        let mut text = [0; 1100];
        writer.files[0].read_exact_at(&mut text, 0).unwrap();
        assert!(text[..1000].iter().all(|b| *b == 7) && text[1000..].iter().all(|b| *b == 0));
        let before = writer.filled[0];
        writer.fill(100);
        assert_eq!(writer.filled[0], before, "there is room already");
        writer.fill(FIRST);
        assert_eq!(writer.filled[0], 2 * FIRST);
    }

    #[test]
    fn segments_are_small_on_small_disks() {
        for (free, length) in [(0, LEAST), (1 << 20, LEAST), (16 << 20, 128 << 10), (1 << 40, SEGMENT)] {
            assert_eq!(segment_length(free), length, "{free}");
        }
    }
}
