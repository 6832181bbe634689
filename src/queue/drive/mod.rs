//! The spool: queue directories, and who may touch what in them.
//!
//! A [`Spool`] is shared by all sessions of a process. Everything that blocks runs in its own threads, so a future that is
//! dropped at an await never stops a commit half way: the message is either complete in the queue or was never there.

mod body;
mod commit;
mod directory;
mod journal;
mod lock;
mod recover;

use std::fs::File;
use std::sync::{Arc, Mutex, OnceLock};

use jiff::tz::TimeZone;

use super::qf::{Codec, DataFile, write};
use super::{Error, Kind};
use crate::base::time::UnixTime;
use crate::config::Config;
use crate::config::values::SuperSafe;
use crate::envelope::id::LocalTime;
use crate::envelope::{Envelope, QueueId};

pub use body::{Block, Body, BodyWriter};
pub use lock::{Look, Requarantined};
pub use recover::{Leftover, Leftovers};

use commit::Committer;
use directory::Directory;

/// The queue directories of a configuration. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Spool {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    directories: Vec<Directory>,
    /// Indices into `directories`, one list per queue group.
    groups: Vec<Vec<usize>>,
    /// `QueueDirectory`; above its directories when it stands for several.
    root: std::path::PathBuf,
    codec: Codec,
    super_safe: SuperSafe,
    memory: usize,
    sequence: Mutex<Sequence>,
    zone: TimeZone,
    committer: Committer,
    journal: OnceLock<journal::Journal>,
    told: OnceLock<journal::Told>,
}

/// Source of ids: second and number within it. Runs ahead of the clock when a second has no numbers left.
#[derive(Debug)]
struct Sequence {
    second: i64,
    next: u32,
    left: u32,
    pid: u32,
    time: LocalTime,
}

/// A message whose control file this process has locked. Dropping it unlocks it and leaves the message in the queue.
#[derive(Debug)]
pub struct Held {
    id: QueueId,
    kind: Kind,
    directory: usize,
    /// Directory of the df.
    data: usize,
    /// It was found in the queue, not just put there.
    is_at_rest: bool,
    /// What was wrong with it, though it can be delivered.
    complaint: Option<String>,
    lock: Lock,
}

/// What keeps others from a message.
#[derive(Debug)]
enum Lock {
    /// The lock on its control file.
    File(File),
    /// Nobody else sees it: it is in the journal.
    Journal(Arc<journal::Slot>),
}

impl Held {
    /// A message found in a queue directory.
    fn at_rest(id: QueueId, kind: Kind, directory: usize, file: File) -> Self {
        Self { id, kind, directory, data: directory, is_at_rest: true, complaint: None, lock: Lock::File(file) }
    }

    /// What an operator is to be told of it.
    pub fn complaint(&self) -> Option<&str> {
        self.complaint.as_deref()
    }

    /// Its queue id.
    pub fn id(&self) -> &QueueId {
        &self.id
    }

    /// Whether it is quarantined.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its control file; none while it is in the journal.
    fn control(&self) -> Result<&File, Error> {
        match &self.lock {
            Lock::File(file) => Ok(file),
            Lock::Journal(_) => Err(Error::Closed),
        }
    }
}

impl Spool {
    /// Opens the queue directories that the configuration names.
    ///
    /// Errors: [`Error::Directory`] for the first that cannot be used.
    pub fn open(config: &Config, zone: TimeZone) -> Result<Self, Error> {
        let mut directories = Vec::new();
        let mut groups = Vec::new();
        for path in directory::group_paths(config) {
            let first = directories.len();
            directories.extend(Directory::open_all(&path, config)?);
            groups.push((first..directories.len()).collect());
        }
        let memory = usize::try_from(config.options.data_file_buffer_size).unwrap_or(0).max(BODY_MEMORY);
        Ok(Self {
            inner: Arc::new(Inner {
                directories,
                groups,
                root: config.queue_root(),
                codec: Codec::new(config),
                super_safe: config.options.super_safe,
                memory,
                sequence: Mutex::new(Sequence::new()),
                zone,
                committer: Committer::default(),
                journal: OnceLock::new(),
                told: OnceLock::new(),
            }),
        })
    }

    /// A new id: unique in this process and, by its process number, among those that share the queue.
    pub fn new_id(&self) -> QueueId {
        let now = UnixTime(recover::now());
        let mut sequence = self.inner.sequence.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        sequence.next_id(now, &self.inner.zone)
    }

    /// Begins the body of a new message. Memory up to a bound, then the df.
    pub fn start_body(&self, id: &QueueId) -> BodyWriter {
        BodyWriter::new(self.clone(), id.clone())
    }

    /// Makes a message durable; it is locked for the caller when this returns.
    ///
    /// The df is written and synced, then the control file under its temporary name, which is renamed; then the directory
    /// is synced, once for all messages that are ready. A `body` of another message (a split envelope) is linked.
    ///
    /// Dropped before it returns: the commit goes on, nobody holds the message afterwards, and the next queue run finds it.
    /// Errors: every one is temporary, and nothing of the message stays.
    pub async fn commit(&self, envelope: &Envelope, body: Body) -> Result<Held, Error> {
        let job = self.commit_job(envelope, body);
        self.run(move |spool| spool.commit_files(&job)).await
    }

    /// [`Spool::commit`] for a message that is delivered at once: with an open journal it needs no files of its own.
    ///
    /// In the journal it is seen by this process only. Given up, or not retired within a second, it comes to rest in its
    /// files.
    pub async fn commit_at_once(&self, envelope: &Envelope, body: Body) -> Result<Held, Error> {
        let job = self.commit_job(envelope, body);
        match self.commit_in_journal(&job, envelope.queue_group).await {
            Some(result) => result,
            None => self.run(move |spool| spool.commit_files(&job)).await,
        }
    }

    /// [`Spool::commit`] for a process without a runtime.
    pub fn commit_now(&self, envelope: &Envelope, body: Body) -> Result<Held, Error> {
        self.commit_files(&self.commit_job(envelope, body))
    }

    /// Writes the envelope's present state over its control file. Quarantines or releases when `quarantine` changed.
    ///
    /// Dropped before it returns: the new state is written or the old one stays; the lock is given up.
    pub async fn update(&self, held: Held, envelope: &Envelope) -> Result<Held, Error> {
        let job = self.update_job(held, envelope);
        self.run(move |spool| spool.update_files(job)).await
    }

    /// Takes a message that is done out of the queue: control file first, then body.
    ///
    /// Not synced: after a crash the message may be there again, with its recipients marked as they last were.
    pub async fn retire(&self, held: Held) -> Result<(), Error> {
        if let Lock::Journal(slot) = &held.lock
            && slot.leave_at_once()
        {
            return Ok(());
        }
        self.run(move |spool| spool.retire_files(&held)).await
    }

    /// Sets a damaged message aside under the name `Qf…`.
    pub async fn lose(&self, held: Held) -> Result<(), Error> {
        self.run(move |spool| spool.lose_file(&held)).await
    }

    /// Locks and reads a message; `None` when another process has it or it is gone.
    ///
    /// Errors: [`Error::Damaged`] for a control file that cannot be trusted; it is set aside as `Qf…`.
    pub async fn lock(&self, id: &QueueId) -> Result<Option<(Held, Envelope, Body)>, Error> {
        let id = id.clone();
        self.run(move |spool| spool.lock_now(&id)).await
    }

    /// Control files in all queue directories, with what a scheduler needs of each; in no order.
    pub async fn scan(&self) -> Result<Vec<super::Entry>, Error> {
        self.run(|spool| Ok(spool.scan_now())).await
    }

    /// Number of queue groups.
    pub fn groups(&self) -> usize {
        self.inner.groups.len()
    }

    /// Directories of a queue group, by number; see [`super::Entry::directory`].
    pub fn directories_of(&self, group: usize) -> &[usize] {
        self.inner.groups.get(group).map_or(&[], Vec::as_slice)
    }

    /// Name of a file of bodies in messages about it: relative to `QueueDirectory` when it lies there.
    pub fn shown_in(&self, directory: usize, name: &str) -> String {
        let path = self.path_of(directory).unwrap_or(std::path::Path::new("."));
        match path.strip_prefix(&self.inner.root) {
            Ok(rest) if rest.as_os_str().is_empty() => format!("./{name}"),
            Ok(rest) => format!("{}/{name}", rest.display()),
            Err(_) => format!("{}/{name}", path.display()),
        }
    }

    /// Path of a queue directory, as `mailq` names it: that of the bodies when the kinds are kept apart.
    pub fn path_of(&self, directory: usize) -> Option<&std::path::Path> {
        self.inner.directories.get(directory).map(Directory::bodies)
    }

    fn commit_job(&self, envelope: &Envelope, body: Body) -> commit::CommitJob {
        let directory = self.place(&envelope.id, envelope.queue_group);
        let data = body.directory_of(&envelope.id).unwrap_or(directory);
        let df_path = (data != directory).then(|| self.inner.directories.get(data).map(Directory::data_path)).flatten();
        let place = DataFile { directory: df_path.as_deref(), inode: None };
        let text = write::render(envelope, &self.inner.codec, place);
        commit::CommitJob {
            id: envelope.id.clone(),
            kind: if envelope.quarantine.is_some() { Kind::Quarantined } else { Kind::Normal },
            directory,
            data,
            text,
            body,
        }
    }

    fn update_job(&self, held: Held, envelope: &Envelope) -> commit::UpdateJob {
        let directory = self.inner.directories.get(held.data);
        let df_path = directory.filter(|_| held.data != held.directory).map(Directory::data_path);
        // The original says where the df is once it has read it, and always for reports.
        let is_shown = held.is_at_rest || envelope.flags.is_response;
        let inode = directory.filter(|_| is_shown).and_then(|d| d.inode(&format!("df{}", held.id)));
        let text = write::render(envelope, &self.inner.codec, DataFile { directory: df_path.as_deref(), inode });
        let kind = if envelope.quarantine.is_some() { Kind::Quarantined } else { Kind::Normal };
        commit::UpdateJob { held, kind, text }
    }

    /// The directory of a new message: spread evenly over those of its group.
    fn place(&self, id: &QueueId, group: usize) -> usize {
        let choices = self.inner.groups.get(group).or(self.inner.groups.first()).map_or(&[][..], Vec::as_slice);
        let sum = id.as_str().bytes().fold(0usize, |sum, b| sum.wrapping_mul(31).wrapping_add(usize::from(b)));
        choices.get(sum.checked_rem(choices.len()).unwrap_or(0)).copied().unwrap_or(0)
    }

    /// Runs blocking work in the spool's threads.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let spool = self.clone();
        self.inner.committer.push(Box::new(move || {
            // The asker may be gone; what was done stays done.
            let _ = answer.send(work(&spool));
        }));
        answered.await.unwrap_or(Err(Error::Closed))
    }

    fn directory(&self, index: usize) -> Result<&Directory, Error> {
        self.inner.directories.get(index).ok_or(Error::Closed)
    }

    fn is_synced(&self) -> bool {
        self.inner.super_safe != SuperSafe::False
    }
}

impl Sequence {
    fn new() -> Self {
        let pid = std::process::id();
        let start = pid.wrapping_mul(2_654_435_761) >> 20;
        let epoch = LocalTime::new(UnixTime(0), &TimeZone::UTC);
        Self { second: 0, next: start % IDS_PER_SECOND, left: 0, pid, time: epoch }
    }

    fn next_id(&mut self, now: UnixTime, zone: &TimeZone) -> QueueId {
        if now.0 > self.second || self.left == 0 {
            self.second = now.0.max(self.second.saturating_add(1));
            self.left = IDS_PER_SECOND;
            self.time = LocalTime::new(UnixTime(self.second), zone);
        }
        let id = QueueId::new(self.time, self.next, self.pid);
        self.next = (self.next + 1) % IDS_PER_SECOND;
        self.left -= 1;
        id
    }
}

/// Least memory a body may take before it goes to its df, bytes.
const BODY_MEMORY: usize = 64 * 1024;
/// How many ids one second has.
const IDS_PER_SECOND: u32 = 3600;

#[cfg(test)]
mod tests;
