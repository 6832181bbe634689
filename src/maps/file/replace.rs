//! Putting a new map file in the place of an old one.
//!
//! The new file is built under a temporary name in the same directory and renamed: a reader sees the old map or the new one,
//! and a crash leaves one of the two. Owner, group and mode are those of the file replaced; where the system does not grant the group,
//! the new file gives no group any right. The old file is locked meanwhile, so two
//! builders take turns.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::Path;

use crate::sys::file::{self, Dir};
use crate::sys::lock;
use crate::sys::safefile::{self, Fault, Judge, Purpose, Refusal};

/// Mode of a map file that did not exist, less the mask of the process.
const MODE: u32 = 0o640;
/// What a group may do.
const GROUP: u32 = 0o070;

/// A map file under construction. Dropped without [`Self::commit`], it vanishes and the old file stays.
#[derive(Debug)]
pub struct Replacement {
    dir: Dir,
    name: OsString,
    temporary: Option<OsString>,
    file: File,
    old: Option<File>,
}

impl Replacement {
    /// Checks the place, locks what is there, makes the temporary file. `judge.trusted_uid` becomes the owner when set.
    pub fn begin(path: &Path, judge: &Judge) -> Result<Self, Refusal> {
        let facts = safefile::check(path, Purpose::MapBuild, judge)?;
        let owner = judge.trusted_uid.filter(|_| judge.uid == 0);
        if facts.is_some_and(|facts| facts.uid != judge.uid && Some(facts.uid) != owner) {
            return Err(Refusal::Rule(Fault::ForeignOwner));
        }
        let (dir, name) = safefile::open_parent(path, Purpose::MapBuild, judge)?;
        let old = match facts {
            Some(_) => Some(locked(&dir, &name)?),
            None => None,
        };
        let mut temporary = OsString::from(".");
        temporary.push(&name);
        temporary.push(format!(".{}", std::process::id()));
        let file = match dir.create(&temporary, MODE) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                dir.unlink(&temporary)?;
                dir.create(&temporary, MODE)?
            }
            other => other?,
        };
        let made = Self { dir, name, temporary: Some(temporary), file, old };
        let own = file::facts(&made.file)?;
        let (uid, gid) = (owner.unwrap_or(own.uid), facts.map_or(own.gid, |facts| facts.gid));
        let mut lost = 0;
        if (uid, gid) != (own.uid, own.gid)
            && let Err(e) = file::set_owner(&made.file, uid, gid)
        {
            if uid != own.uid || e.kind() != io::ErrorKind::PermissionDenied {
                return Err(e.into());
            }
            lost = GROUP;
        }
        if let Some(facts) = facts {
            file::set_mode(&made.file, facts.permissions() & !lost)?;
        }
        Ok(made)
    }

    /// The new file, empty at first.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The file to be replaced, locked; `None` when there was none.
    pub fn old(&self) -> Option<&File> {
        self.old.as_ref()
    }

    /// Puts the new file, written and synced, in its place.
    pub fn commit(mut self) -> io::Result<()> {
        if let Some(temporary) = self.temporary.take()
            && let Err(e) = self.dir.rename(&temporary, &self.name)
        {
            self.temporary = Some(temporary);
            return Err(e);
        }
        // The directory was opened for names only; syncing wants it open for reading.
        self.dir.open_dir(".")?.sync()
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // What cannot be removed is an orphan with a name that says so; the map itself is whole.
            let _ = self.dir.unlink(temporary);
        }
    }
}

/// Opens and locks the file of that name; another builder may have replaced it while the lock was waited for.
fn locked(dir: &Dir, name: &OsString) -> io::Result<File> {
    loop {
        let old = dir.open_update(name)?;
        lock::lock(&old, lock::Kind::Exclusive)?;
        if dir.facts(name).is_ok_and(|now| file::facts(&old).is_ok_and(|own| own.is_same_file(&now))) {
            return Ok(old);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn judge() -> Judge {
        Judge { uid: crate::sys::user::effective_uid(), dont_blame: u64::MAX, trusted_uid: None }
    }

    #[test]
    fn the_old_file_stays_until_the_new_one_is_complete() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("map.db");
        for round in ["one", "two"] {
            let replacement = Replacement::begin(&path, &judge()).unwrap();
            replacement.file().write_all(round.as_bytes()).unwrap();
            replacement.commit().unwrap();
        }
        let given_up = Replacement::begin(&path, &judge()).unwrap();
        given_up.file().write_all(b"three").unwrap();
        drop(given_up);
        assert_eq!(file::read(&path, 100).unwrap(), b"two");
        assert_eq!(Dir::open(dir.path()).unwrap().entries().unwrap().len(), 1);
    }

    #[test]
    fn the_mode_of_the_old_file_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("map.db");
        file::create(&path, 0o600).unwrap();
        let replacement = Replacement::begin(&path, &judge()).unwrap();
        replacement.commit().unwrap();
        assert_eq!(file::facts_of(&path).unwrap().permissions(), 0o600);
    }
}
