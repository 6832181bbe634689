//! The database: who got a reply and when, who gets none, and how often one is due.
//!
//! Shape: a `hash` file of Berkeley DB. Key: an address, or `@domain`; value: seconds since the epoch as the machine stores 64 bits,
//! 0 for who gets none. Key `__VACATION__INTERVAL__TIMER__` with a NUL: seconds between two replies, 0 for one and no more.
//! Source: observed. The file is replaced; where the directory
//! takes no other file, it is written in place. Who writes or reads has it locked.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;

use crate::base::exit::Exit;
use crate::base::time::UnixTime;
use crate::maps::file::build::{Duplicates, Entries};
use crate::maps::file::replace::Replacement;
use crate::maps::file::{Database, Error, Kind};
use crate::sys::safefile::{self, Judge, Purpose, Refusal};
use crate::sys::{file, lock};

/// The database of a user.
#[derive(Debug)]
pub(super) struct Answered {
    /// Its file.
    pub(super) path: PathBuf,
    /// For whom the file is judged.
    pub(super) judge: Judge,
}

/// Why it is not opened or written.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The file or a directory on the way is not safe, or the system said no.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// It holds something else.
    #[error("{}", if matches!(.0, Error::Format) { "Unknown database type".to_owned() } else { .0.to_string() })]
    Database(#[from] Error),
}

impl From<io::Error> for Fault {
    fn from(e: io::Error) -> Self {
        Self::Refused(e.into())
    }
}

impl Fault {
    /// The exit code: what the system may grant later is tried again.
    pub(super) fn exit(&self) -> Exit {
        let is_temporary = match self {
            Self::Refused(refusal) => refusal.is_temporary(),
            Self::Database(Error::Io(e)) => {
                e.raw_os_error().is_some_and(|code| Refusal::from(io::Error::from_raw_os_error(code)).is_temporary())
            }
            Self::Database(Error::Changed) => true,
            Self::Database(_) => false,
        };
        if is_temporary { Exit::TEMPFAIL } else { Exit::DATAERR }
    }
}

type Contents = BTreeMap<Vec<u8>, Vec<u8>>;

impl Answered {
    /// Begins with an empty file.
    pub(super) fn begin(&self, interval: Option<i64>) -> Result<(), Fault> {
        let change = |contents: &mut Contents| {
            if let Some(seconds) = interval {
                contents.insert(INTERVAL.to_vec(), seconds.to_ne_bytes().to_vec());
            }
            true
        };
        self.update(true, change).map(drop)
    }

    /// Sets the seconds between two replies.
    pub(super) fn set_interval(&self, seconds: i64) -> Result<(), Fault> {
        let change = |contents: &mut Contents| {
            contents.insert(INTERVAL.to_vec(), seconds.to_ne_bytes().to_vec());
            true
        };
        self.update(false, change).map(drop)
    }

    /// Notes addresses and `@domain`s that get no reply.
    pub(super) fn exclude<'a>(&self, addresses: impl Iterator<Item = &'a [u8]>) -> Result<(), Fault> {
        let change = |contents: &mut Contents| {
            contents.extend(addresses.map(|address| (address.to_vec(), 0i64.to_ne_bytes().to_vec())));
            true
        };
        self.update(false, change).map(drop)
    }

    /// Whether a reply to this sender is due now; it is noted as given. Of several callers at once one is told so.
    pub(super) fn claim(&self, sender: &[u8], now: UnixTime) -> Result<bool, Fault> {
        if let Some(database) = self.open()?
            && !is_due(sender, now, |key| database.get(key))?
        {
            return Ok(false);
        }
        self.update(false, |contents| {
            // It may have been given meanwhile.
            let is_due = is_due(sender, now, |key| Ok::<_, Fault>(contents.get(key).cloned())).unwrap_or(false);
            if is_due {
                contents.insert(sender.to_vec(), now.0.to_ne_bytes().to_vec());
            }
            is_due
        })
    }

    /// Hands every address to `each`, in the order of the file: when it got a reply; `Err` for a value that is no time.
    pub(super) fn for_each(&self, each: &mut dyn FnMut(&[u8], Stamp)) -> Result<(), Fault> {
        let Some(database) = self.open()? else { return Ok(()) };
        database.for_each(&mut |key, value| {
            if key != INTERVAL {
                each(key, number(value).map(UnixTime));
            }
            true
        })?;
        Ok(())
    }

    /// The file for reading; `None` when there is none, or an empty one.
    fn open(&self) -> Result<Option<Database>, Fault> {
        match safefile::open(&self.path, Purpose::MapBuild, &self.judge) {
            Ok(opened) => {
                // It may be written in place now.
                lock::lock(&opened.file, lock::Kind::Shared)?;
                if file::facts(&opened.file)?.bytes == 0 {
                    return Ok(None);
                }
                Ok(Some(Database::open_as(None, opened.file)?))
            }
            Err(e) if e.is_absent() => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Changes the contents under the lock; what `change` leaves is written when it returns true, which is returned.
    fn update(&self, begins_anew: bool, change: impl FnOnce(&mut Contents) -> bool) -> Result<bool, Fault> {
        if safefile::check(&self.path, Purpose::MapBuild, &self.judge)?.is_none() {
            // Two who find nothing need something to lock.
            file::open_or_create(&self.path, MODE)?;
        }
        let target = match Replacement::begin(&self.path, &self.judge) {
            Ok(replacement) => Target::Replaced(replacement),
            // The directory takes no other file; the file itself may still be the user's to write.
            Err(e) if matches!(e, Refusal::System(_)) && !e.is_temporary() => Target::InPlace(self.locked()?),
            Err(e) => return Err(e.into()),
        };
        let (mut contents, mut kind) = (Contents::new(), Kind::Hash);
        if let Some(old) = target.old().filter(|_| !begins_anew)
            && file::facts(old)?.bytes > 0
        {
            let database = Database::open_as(None, old.try_clone()?)?;
            kind = database.kind();
            database.for_each(&mut |key, value| {
                contents.insert(key.to_vec(), value.to_vec());
                true
            })?;
        }
        if !change(&mut contents) {
            return Ok(false);
        }
        let mut entries = Entries::default();
        for (key, value) in &contents {
            entries.push(key, value, 0);
        }
        target.write(&entries, kind)?;
        Ok(true)
    }

    /// The file, open for writing and locked.
    fn locked(&self) -> Result<File, Refusal> {
        let (dir, name) = safefile::open_parent(&self.path, Purpose::MapBuild, &self.judge)?;
        let old = dir.open_update(&name)?;
        lock::lock(&old, lock::Kind::Exclusive)?;
        Ok(old)
    }
}

/// Where an update goes.
#[derive(Debug)]
enum Target {
    /// To a new file that takes the place of the old one.
    Replaced(Replacement),
    /// Into the old file.
    InPlace(File),
}

impl Target {
    /// The old file, locked.
    fn old(&self) -> Option<&File> {
        match self {
            Self::Replaced(replacement) => replacement.old(),
            Self::InPlace(file) => Some(file),
        }
    }

    fn write(self, entries: &Entries, kind: Kind) -> Result<(), Fault> {
        match self {
            Self::Replaced(replacement) => {
                entries.write(kind, Duplicates::Replace, replacement.file())?;
                replacement.commit()?;
            }
            Self::InPlace(file) => {
                file.set_len(0)?;
                entries.write(kind, Duplicates::Replace, &file)?;
            }
        }
        Ok(())
    }
}

/// Whether a reply is due, from what `value` says of a key.
fn is_due<E>(sender: &[u8], now: UnixTime, value: impl Fn(&[u8]) -> Result<Option<Vec<u8>>, E>) -> Result<bool, E> {
    let interval = value(INTERVAL)?.and_then(|raw| number(&raw).ok()).unwrap_or(WEEK);
    let domain = sender.iter().position(|byte| *byte == b'@').and_then(|at| sender.get(at..));
    for key in [Some(sender), domain].into_iter().flatten() {
        let Some(raw) = value(key)? else { continue };
        // Who has no time gets none: excluded, or a value that is not ours.
        let Some(then) = number(&raw).ok().filter(|then| *then > 0) else { return Ok(false) };
        if interval == 0 || then.saturating_add(interval) > now.0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A value that is too short for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Short;

/// What a value says: when the last reply went out, or, not after the epoch, that none ever will.
pub(super) type Stamp = Result<UnixTime, Short>;

fn number(value: &[u8]) -> Result<i64, Short> {
    value.first_chunk().map(|raw| i64::from_ne_bytes(*raw)).ok_or(Short)
}

/// Key of the interval. No address has a NUL.
const INTERVAL: &[u8] = b"__VACATION__INTERVAL__TIMER__\0";
/// Seconds between two replies when nothing else was said.
const WEEK: i64 = 7 * 86_400;
/// Mode of a new file, less the mask of the process.
const MODE: u32 = 0o640;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::user;

    const NOW: UnixTime = UnixTime(1_800_000_000);
    const DAY: i64 = 86_400;

    fn new(dir: &tempfile::TempDir) -> Answered {
        let judge = Judge { uid: user::effective_uid(), dont_blame: 1 << 8, trusted_uid: None };
        Answered { path: dir.path().join("v.db"), judge }
    }

    fn list(answered: &Answered) -> Vec<(String, Result<i64, Short>)> {
        let mut all = Vec::new();
        let mut each = |key: &[u8], at: Stamp| {
            all.push((String::from_utf8_lossy(key).into_owned(), at.map(|at| at.0)));
        };
        answered.for_each(&mut each).unwrap();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }

    #[test]
    fn a_sender_gets_one_reply_an_interval() {
        let dir = tempfile::tempdir().unwrap();
        let answered = new(&dir);
        let later = |days: i64| UnixTime(NOW.0 + days * DAY);
        assert!(answered.claim(b"al@x", NOW).unwrap());
        assert!(!answered.claim(b"al@x", later(6)).unwrap());
        assert!(!answered.claim(b"al@x", later(-6)).unwrap());
        assert!(answered.claim(b"be@x", later(6)).unwrap());
        assert!(answered.claim(b"al@x", later(7)).unwrap());
        answered.set_interval(3 * DAY).unwrap();
        assert!(!answered.claim(b"al@x", later(9)).unwrap());
        assert!(answered.claim(b"al@x", later(10)).unwrap());
        answered.set_interval(0).unwrap();
        assert!(!answered.claim(b"al@x", later(5000)).unwrap());
        let expected = [("al@x".to_owned(), Ok(later(10).0)), ("be@x".to_owned(), Ok(later(6).0))];
        assert_eq!(list(&answered), expected);
        answered.begin(None).unwrap();
        assert!(list(&answered).is_empty());
        assert!(answered.claim(b"al@x", later(8)).unwrap());
    }

    #[test]
    fn who_is_excluded_never_gets_one() {
        let dir = tempfile::tempdir().unwrap();
        let answered = new(&dir);
        answered.exclude([&b"al@x"[..], b"@y"].into_iter()).unwrap();
        for (sender, is_due) in [("al@x", false), ("be@x", true), ("al@y", false), ("al@z.y", true), ("al", true)] {
            assert_eq!(answered.claim(sender.as_bytes(), NOW).unwrap(), is_due, "{sender}");
        }
    }

    #[test]
    fn of_many_at_once_one_replies_and_nothing_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        let claims: Vec<(usize, bool)> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|number: usize| {
                    let answered = new(&dir);
                    scope.spawn(move || {
                        let own = format!("{number}@x");
                        assert!(answered.claim(own.as_bytes(), NOW).unwrap());
                        (number, answered.claim(b"al@x", NOW).unwrap())
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(claims.iter().filter(|(_, is_due)| *is_due).count(), 1);
        assert_eq!(list(&new(&dir)).len(), 9);
    }

    #[test]
    fn a_directory_that_takes_no_other_file_leaves_the_file_to_write() {
        let dir = tempfile::tempdir().unwrap();
        // No room for the name of another file.
        let long = Answered { path: dir.path().join("v".repeat(250)), ..new(&dir) };
        // No right to one, unless the test is run by root.
        let folder = dir.path().join("folder");
        file::Dir::open(dir.path()).unwrap().make_dir("folder", 0o700).unwrap();
        let closed = Answered { path: folder.join("v.db"), ..new(&dir) };
        for answered in [long, closed] {
            let before = file::facts(file::create(&answered.path, 0o600).unwrap()).unwrap();
            let parent = file::Dir::open(answered.path.parent().unwrap()).unwrap();
            file::set_mode(&parent, 0o500).unwrap();
            for number in 0..300 {
                assert!(answered.claim(format!("{number}@x").as_bytes(), NOW).unwrap(), "{number}");
            }
            assert!(!answered.claim(b"7@x", NOW).unwrap());
            assert_eq!(list(&answered).len(), 300);
            answered.begin(Some(DAY)).unwrap();
            assert!(list(&answered).is_empty());
            file::set_mode(&parent, 0o700).unwrap();
            if user::effective_uid() != 0 || answered.path.parent() != Some(&folder) {
                assert!(file::facts_of(&answered.path).unwrap().is_same_file(&before));
            }
        }
    }

    #[test]
    fn values_that_are_no_times_are_no_invitation() {
        let dir = tempfile::tempdir().unwrap();
        let answered = new(&dir);
        let mut entries = Entries::default();
        entries.push(b"al@x", b"abc", 1);
        entries.push(b"be@x", &(-5i64).to_ne_bytes(), 2);
        entries.push(b"ce@x", &[&NOW.0.to_ne_bytes()[..], b"more"].concat(), 3);
        entries.write(Kind::Hash, Duplicates::Replace, &file::create(&answered.path, 0o600).unwrap()).unwrap();
        for sender in ["al@x", "be@x", "ce@x"] {
            assert!(!answered.claim(sender.as_bytes(), NOW).unwrap(), "{sender}");
        }
        assert_eq!(list(&answered).first().map(|(_, at)| *at), Some(Err(Short)));
    }

    #[test]
    fn a_file_of_something_else_stays() {
        let dir = tempfile::tempdir().unwrap();
        let answered = new(&dir);
        file::replace(&answered.path, &b"garbage".repeat(2000), 0o600).unwrap();
        let fault = answered.claim(b"al@x", NOW).unwrap_err();
        assert_eq!((fault.to_string().as_str(), fault.exit()), ("Unknown database type", Exit::DATAERR));
        answered.begin(Some(DAY)).unwrap();
        assert!(answered.claim(b"al@x", NOW).unwrap());
        let link = Answered { path: dir.path().join("link.db"), ..new(&dir) };
        file::Dir::open(dir.path()).unwrap().symlink("v.db", "link.db").unwrap();
        assert_eq!(link.claim(b"be@x", NOW).unwrap_err().to_string(), "Symbolic links not allowed");
    }

    #[test]
    fn what_the_system_may_grant_later_is_temporary() {
        let system = io::Error::from_raw_os_error;
        for (fault, exit) in [
            (Fault::from(system(libc::ENOSPC)), Exit::TEMPFAIL),
            (Fault::from(Error::Io(system(libc::EDQUOT))), Exit::TEMPFAIL),
            (Fault::from(Error::Changed), Exit::TEMPFAIL),
            (Fault::from(system(libc::EACCES)), Exit::DATAERR),
            (Fault::from(Error::Io(system(libc::EPERM))), Exit::DATAERR),
            (Fault::from(Error::Feature("x")), Exit::DATAERR),
        ] {
            assert_eq!(fault.exit(), exit, "{fault:?}");
        }
    }

    #[test]
    fn a_file_of_the_original_is_read_and_kept_up() {
        let dir = tempfile::tempdir().unwrap();
        let answered = new(&dir);
        let recorded = include_bytes!("../../../tests/golden/vacation/original.db");
        file::replace(&answered.path, recorded, 0o600).unwrap();
        let (at, three_days) = (1_796_029_986, 3 * DAY);
        assert_eq!(
            list(&answered),
            [("@dom.ex".to_owned(), Ok(0)), ("al@x".to_owned(), Ok(at)), ("foo@bar".to_owned(), Ok(0))]
        );
        assert!(!answered.claim(b"al@x", UnixTime(at + three_days - 1)).unwrap());
        assert!(answered.claim(b"al@x", UnixTime(at + three_days)).unwrap());
        assert!(!answered.claim(b"any@dom.ex", NOW).unwrap());
        assert_eq!(list(&answered).len(), 3);
    }
}
