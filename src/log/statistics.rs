//! The counters of `StatusFile`.
//!
//! What happens is counted in memory and added to the file now and then, under its lock: several processes share it.
//!
//! Shape of the file, numbers of 64 bits in the byte order of the machine unless said otherwise: magic and version (32 bits
//! each), start of counting, size of the file; connections from clients, to servers, and those with a refusal; then seven
//! tables of [`MAILERS`] numbers by mailer: messages from it, their kilobytes, messages to it, their kilobytes, messages with
//! a refusal, discarded, quarantined. An empty file is one that counting begins with. Source: observed.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::base::time::UnixTime;
use crate::sys::safefile::{self, Judge, Purpose, Refusal};
use crate::sys::{clock, file, lock};

/// Mailers that are counted. Source: observed (size of the tables).
pub const MAILERS: usize = 25;

/// Something that is counted. A mailer is named by its number in the configuration, a size is in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A client connected.
    Connection,
    /// A server was connected to.
    OutgoingConnection,
    /// A ruleset refused or discarded something in a connection.
    RefusedConnection,
    /// A message of this sender's mailer was received.
    From(usize, u64),
    /// A message was handed to the mailer.
    To(usize, u64),
    /// Something of a message of this sender's mailer was refused.
    Rejected(usize),
    /// A message was discarded.
    Discarded(usize),
    /// A message was quarantined.
    Quarantined(usize),
}

/// What was counted for one mailer. Sizes are kilobytes, each message rounded up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Row {
    /// Messages from it.
    pub from: i64,
    /// Their size.
    pub from_kilobytes: i64,
    /// Messages to it.
    pub to: i64,
    /// Their size.
    pub to_kilobytes: i64,
    /// Messages with a refusal.
    pub rejected: i64,
    /// Messages discarded.
    pub discarded: i64,
    /// Messages quarantined.
    pub quarantined: i64,
}

impl Row {
    /// The numbers in the order of the file's tables.
    pub fn numbers(&self) -> [i64; 7] {
        [self.from, self.from_kilobytes, self.to, self.to_kilobytes, self.rejected, self.discarded, self.quarantined]
    }

    fn numbers_mut(&mut self) -> [&mut i64; 7] {
        [
            &mut self.from,
            &mut self.from_kilobytes,
            &mut self.to,
            &mut self.to_kilobytes,
            &mut self.rejected,
            &mut self.discarded,
            &mut self.quarantined,
        ]
    }

    /// Adds what another row counted.
    pub fn add(&mut self, other: &Self) {
        for (number, more) in self.numbers_mut().into_iter().zip(other.numbers()) {
            *number = number.saturating_add(more);
        }
    }
}

/// All counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counters {
    /// When counting began; 0 when it did not.
    pub start: UnixTime,
    /// Connections from clients, to servers, and those with a refusal.
    pub connections: [i64; 3],
    /// By mailer.
    pub rows: [Row; MAILERS],
}

impl Default for Counters {
    fn default() -> Self {
        Self { start: UnixTime(0), connections: [0; 3], rows: [Row::default(); MAILERS] }
    }
}

/// What is wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It begins with something else.
    #[error("incorrect magic number")]
    Magic,
    /// It is of this other version.
    #[error("version {0}")]
    Version(i32),
    /// It has another size, or says so.
    #[error("file size changed")]
    Size,
}

impl Counters {
    /// Reads a file's contents.
    pub fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let word = |at: usize| Some(i32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        if word(0) != Some(MAGIC) {
            return Err(Fault::Magic);
        }
        match word(4) {
            Some(VERSION) => {}
            Some(other) => return Err(Fault::Version(other)),
            None => return Err(Fault::Size),
        }
        let mut numbers = bytes.chunks_exact(8).skip(1).map(|b| i64::from_ne_bytes(b.try_into().unwrap_or_default()));
        let mut next = || numbers.next().unwrap_or(0);
        let (start, size) = (next(), next());
        if bytes.len() < SIZE || usize::try_from(size) != Ok(SIZE) {
            return Err(Fault::Size);
        }
        let mut found = Self { start: UnixTime(start), ..Self::default() };
        for number in &mut found.connections {
            *number = next();
        }
        for table in 0..TABLES {
            for row in &mut found.rows {
                if let Some(number) = row.numbers_mut().into_iter().nth(table) {
                    *number = next();
                }
            }
        }
        Ok(found)
    }

    /// A file's contents.
    pub fn render(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SIZE);
        bytes.extend(MAGIC.to_ne_bytes());
        bytes.extend(VERSION.to_ne_bytes());
        let head = [self.start.0, i64::try_from(SIZE).unwrap_or(0)];
        let tables =
            (0..TABLES).flat_map(|table| self.rows.iter().filter_map(move |row| row.numbers().get(table).copied()));
        for number in head.into_iter().chain(self.connections).chain(tables) {
            bytes.extend(number.to_ne_bytes());
        }
        bytes
    }

    /// Counts.
    pub fn count(&mut self, event: Event) {
        let connection = match event {
            Event::Connection => Some(0),
            Event::OutgoingConnection => Some(1),
            Event::RefusedConnection => Some(2),
            _ => None,
        };
        if let Some(number) = connection.and_then(|at| self.connections.get_mut(at)) {
            *number = number.saturating_add(1);
            return;
        }
        let kilobytes = |bytes: u64| i64::try_from(bytes.div_ceil(1024)).unwrap_or(i64::MAX);
        let (mailer, row) = match event {
            Event::From(mailer, bytes) => (mailer, Row { from: 1, from_kilobytes: kilobytes(bytes), ..Row::default() }),
            Event::To(mailer, bytes) => (mailer, Row { to: 1, to_kilobytes: kilobytes(bytes), ..Row::default() }),
            Event::Rejected(mailer) => (mailer, Row { rejected: 1, ..Row::default() }),
            Event::Discarded(mailer) => (mailer, Row { discarded: 1, ..Row::default() }),
            Event::Quarantined(mailer) => (mailer, Row { quarantined: 1, ..Row::default() }),
            Event::Connection | Event::OutgoingConnection | Event::RefusedConnection => return,
        };
        if let Some(slot) = self.rows.get_mut(mailer) {
            slot.add(&row);
        }
    }

    /// Adds what others counted.
    pub fn add(&mut self, other: &Self) {
        for (number, more) in self.connections.iter_mut().zip(other.connections) {
            *number = number.saturating_add(more);
        }
        for (row, more) in self.rows.iter_mut().zip(&other.rows) {
            row.add(more);
        }
    }
}

/// Counts for the process and adds that to the file. Cheap to clone; all clones share the counters.
#[derive(Debug, Clone, Default)]
pub struct Statistics(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    judge: Judge,
    /// Not in the file yet.
    pending: Mutex<Option<Counters>>,
    changed: Notify,
}

impl Statistics {
    /// For a file that is judged so.
    pub fn new(path: PathBuf, judge: Judge) -> Self {
        Self(Some(Arc::new(Inner { path, judge, pending: Mutex::default(), changed: Notify::new() })))
    }

    /// Counts. Without a file nothing is counted.
    pub fn count(&self, event: Event) {
        let Some(inner) = &self.0 else { return };
        inner.pending().get_or_insert_default().count(event);
        inner.changed.notify_one();
    }

    /// Waits until something was counted.
    pub async fn changed(&self) {
        match &self.0 {
            Some(inner) => inner.changed.notified().await,
            None => std::future::pending().await,
        }
    }

    /// Adds what was counted to the file; what fails is not tried again. Blocks for at most [`WAIT`] while others hold the
    /// lock: whoever may read the file may hold it for ever. What was counted waits for the next time then.
    ///
    /// Never: makes the file; the operator does, when counting is wanted. Source: op guide 5.6 (StatusFile).
    ///
    /// Errors: path and words, for the log.
    pub fn post(&self) -> Result<(), String> {
        let Some(inner) = &self.0 else { return Ok(()) };
        let Some(counted) = inner.pending().take() else { return Ok(()) };
        match post(&inner.path, &inner.judge, &counted, clock::now()) {
            Ok(true) => Ok(()),
            Ok(false) => {
                inner.pending().get_or_insert_default().add(&counted);
                Err(format!("{}: {LOCKED}", inner.path.display()))
            }
            Err(refusal) => Err(format!("{}: {refusal}", inner.path.display())),
        }
    }
}

impl Inner {
    fn pending(&self) -> MutexGuard<'_, Option<Counters>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// False when others held the lock all the time.
fn post(path: &Path, judge: &Judge, counted: &Counters, now: UnixTime) -> Result<bool, Refusal> {
    let judged = safefile::check(path, Purpose::Statistics, judge)?;
    let (directory, name) = safefile::open_parent(path, Purpose::Statistics, judge)?;
    let mut file = directory.open_update(&name)?;
    if !judged.is_some_and(|judged| file::facts(&file).is_ok_and(|facts| facts.is_same_file(&judged))) {
        // It was replaced this very moment.
        return Err(std::io::Error::from_raw_os_error(libc::EAGAIN).into());
    }
    if !lock::lock_within(&file, lock::Kind::Exclusive, WAIT)? {
        return Ok(false);
    }
    let mut bytes = Vec::with_capacity(SIZE);
    (&file).take(SIZE as u64).read_to_end(&mut bytes)?;
    let known = Counters::parse(&bytes).ok().filter(|known| known.start.0 != 0);
    let mut all = known.unwrap_or_else(|| Counters { start: now, ..Counters::default() });
    all.add(counted);
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&all.render())?;
    Ok(true)
}

/// How long the lock is waited for.
pub const WAIT: Duration = Duration::from_secs(1);
/// What is said when that was not enough.
pub const LOCKED: &str = "locked by another process";
const MAGIC: i32 = 0x0001_b1de;
/// Version of the format.
pub const VERSION: i32 = 4;
const TABLES: usize = 7;
/// Size of a file, bytes.
pub const SIZE: usize = 8 * (1 + 2 + 3 + TABLES * MAILERS);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_original_s_shape() {
        let mut counters = Counters { start: UnixTime(0x6b0c_a7c5), ..Counters::default() };
        for event in [
            Event::Connection,
            Event::RefusedConnection,
            Event::From(5, 73),
            Event::From(5, 1230),
            Event::To(3, 1024),
            Event::Rejected(5),
            Event::Discarded(5),
            Event::Quarantined(24),
            Event::To(25, 9),
        ] {
            counters.count(event);
        }
        let bytes = counters.render();
        // Offsets observed of the original.
        let number = |at: usize| i64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap());
        assert_eq!(bytes.len(), 1448);
        assert_eq!((i32::from_ne_bytes(bytes[..4].try_into().unwrap()), number(16)), (0x0001_b1de, 1448));
        for (at, value) in
            [(24, 1), (32, 0), (40, 1), (88, 2), (288, 3), (472, 1), (672, 1), (888, 1), (1088, 1), (1440, 1)]
        {
            assert_eq!(number(at), value, "offset {at}");
        }
        assert_eq!(Counters::parse(&bytes), Ok(counters));
    }

    #[test]
    fn another_file_is_told_from_one_of_counters() {
        let good = Counters::default().render();
        assert_eq!(Counters::parse(b""), Ok(Counters::default()));
        assert_eq!(Counters::parse(b"abc"), Err(Fault::Magic));
        assert_eq!(Counters::parse(&good[..100]), Err(Fault::Size));
        let mut other = good.clone();
        other[4..8].copy_from_slice(&3i32.to_ne_bytes());
        assert_eq!(Counters::parse(&other), Err(Fault::Version(3)));
        let mut other = good;
        other[16..24].fill(0);
        assert_eq!(Counters::parse(&other), Err(Fault::Size));
    }

    #[test]
    fn processes_add_up_and_a_file_is_never_made() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("st");
        let judge = Judge { dont_blame: 1 << 32, ..Judge::default() };
        let statistics = Statistics::new(path.clone(), judge);
        statistics.count(Event::Connection);
        assert!(statistics.post().unwrap_err().ends_with("st: No such file or directory"));
        assert!(!path.exists());
        file::replace(&path, b"left over from something else", 0o600).unwrap();
        for _ in 0..2 {
            let statistics = Statistics::new(path.clone(), judge);
            statistics.count(Event::From(3, 5));
            statistics.post().unwrap();
            statistics.post().unwrap();
        }
        let bytes = file::read(&path, SIZE).unwrap();
        let counters = Counters::parse(&bytes).unwrap();
        assert_eq!((bytes.len(), counters.rows[3].from, counters.connections), (SIZE, 2, [0; 3]));
        assert!(counters.start.0 > 0);
        std::os::unix::fs::symlink(&path, tmp.path().join("link")).unwrap();
        let statistics = Statistics::new(tmp.path().join("link"), judge);
        statistics.count(Event::Connection);
        assert!(statistics.post().unwrap_err().ends_with("link: Symbolic links not allowed"));
    }

    #[test]
    fn who_holds_the_lock_holds_up_nobody() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("st");
        file::replace(&path, b"", 0o600).unwrap();
        let holder = file::open_read(&path).unwrap();
        lock::lock(&holder, lock::Kind::Shared).unwrap();
        let statistics = Statistics::new(path.clone(), Judge { dont_blame: 1 << 32, ..Judge::default() });
        statistics.count(Event::Connection);
        let (say, said) = std::sync::mpsc::channel();
        let other = statistics.clone();
        // The thread ends with the test program when it waits for ever.
        std::thread::spawn(move || say.send(other.post()));
        let posted = said.recv_timeout(Duration::from_secs(60)).expect("it waits no longer");
        assert!(posted.unwrap_err().ends_with("st: locked by another process"));
        assert_eq!(file::read(&path, SIZE).unwrap(), b"");
        lock::unlock(&holder).unwrap();
        statistics.count(Event::Connection);
        statistics.post().unwrap();
        assert_eq!(Counters::parse(&file::read(&path, SIZE).unwrap()).unwrap().connections, [2, 0, 0]);
    }
}
