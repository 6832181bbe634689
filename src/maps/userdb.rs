//! The user database: `user:field` and its values, asked for local users and by maps of class `userdb`.
//!
//! Fields with a meaning: `maildrop` (where mail for the user goes, perhaps several), `mailname` (the user's name outside),
//! `mailsender` (envelope sender of what goes to the user). `:default:mailname` is the host of those without a `mailname`.
//! Source: op guide 5.12; observed (files that are missing are passed over, keys are in lower case).

use bytes::Bytes;

use super::answer::Answer;
use super::flags;
use super::stored::{Format, Stored};
use crate::sys::safefile::Judge;

/// Values of `UserDatabaseSpec`, in order.
#[derive(Debug, Default)]
pub(crate) struct UserDatabase {
    places: Vec<Place>,
}

#[derive(Debug)]
enum Place {
    File(Stored),
    /// Users that the places before it do not have are users there.
    Host(Bytes),
    /// Is there, but cannot be read: what it holds is not known now.
    Broken(String),
}

impl UserDatabase {
    /// Opens what the option names: files (`.db` is added, text behind a colon ignored) and `@host`, separated by commas.
    pub(crate) fn open(spec: &[u8], judge: Judge) -> Self {
        let mut places = Vec::new();
        for one in spec.split(|byte| *byte == b',').filter(|one| !one.is_empty()) {
            if let Some(host) = one.strip_prefix(b"@") {
                places.push(Place::Host(Bytes::copy_from_slice(host)));
                continue;
            }
            let path = one.split(|byte| *byte == b':').next().unwrap_or_default();
            let (flags, _) = flags::parse(path, &[]);
            match Stored::open("userdb", "userdb", Format::Database(None), &flags, judge) {
                Ok(stored) => places.push(Place::File(stored)),
                Err(closed) if closed.absent => {}
                Err(closed) => places.push(Place::Broken(closed.text)),
            }
        }
        Self { places }
    }

    /// Values of a user's field, from the first place that has any.
    pub(crate) fn values(&self, user: &[u8], field: &str) -> Result<Vec<Bytes>, String> {
        let values = self.in_files(user, field)?;
        if !values.is_empty() || field != MAILDROP {
            return Ok(values);
        }
        let host = self.places.iter().find_map(|place| if let Place::Host(host) = place { Some(host) } else { None });
        Ok(host.map(|host| Bytes::from([user, b"@", host].concat())).into_iter().collect())
    }

    /// Class `userdb`: the first value of the field. Whoever is known, yet has no `mailname`, has one at the default host.
    pub(crate) fn get(&self, user: &[u8], field: &str) -> Answer {
        let first = |user: &[u8], field| self.in_files(user, field).map(|values| values.into_iter().next());
        let answer = || -> Result<Option<Bytes>, String> {
            let found = first(user, field)?;
            if found.is_some() || field != MAILNAME || first(user, MAILDROP)?.is_none() {
                return Ok(found);
            }
            Ok(first(b":default", MAILNAME)?.map(|host| [user, b"@", &host].concat().into()))
        };
        match answer() {
            Ok(Some(value)) => Answer::Found(value),
            Ok(None) => Answer::MISS,
            Err(why) => Answer::Temporary(why),
        }
    }

    fn in_files(&self, user: &[u8], field: &str) -> Result<Vec<Bytes>, String> {
        let key = [&user.to_ascii_lowercase(), &b":"[..], field.as_bytes()].concat();
        for place in &self.places {
            match place {
                Place::File(stored) => {
                    let values = stored.values(&key)?;
                    if !values.is_empty() {
                        return Ok(values);
                    }
                }
                Place::Host(_) => {}
                Place::Broken(why) => return Err(why.clone()),
            }
        }
        Ok(Vec::new())
    }
}

/// Where mail goes.
pub const MAILDROP: &str = "maildrop";
/// Envelope sender of what goes there.
pub const MAILSENDER: &str = "mailsender";
const MAILNAME: &str = "mailname";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maps::file::build::{Duplicates, Entries};
    use crate::maps::file::{Kind, replace::Replacement};

    fn database(dir: &tempfile::TempDir, name: &str, kind: Kind, rows: &[(&str, &str)]) {
        let mut entries = Entries::default();
        for (key, value) in rows {
            entries.push(key.as_bytes(), value.as_bytes(), 0);
        }
        let replacement = Replacement::begin(&dir.path().join(name), &judge()).unwrap();
        entries.write(kind, Duplicates::Keep, replacement.file()).unwrap();
        replacement.commit().unwrap();
    }

    fn judge() -> Judge {
        Judge { uid: crate::sys::user::effective_uid(), dont_blame: u64::MAX, trusted_uid: None }
    }

    #[test]
    fn the_first_place_that_has_the_field_counts() {
        let dir = tempfile::tempdir().unwrap();
        let rows = [("list:maildrop", "b"), ("list:maildrop", "a"), (":default:mailname", "corp"), ("x:mailname", "X")];
        database(&dir, "one.db", Kind::Btree, &rows);
        database(&dir, "two.db", Kind::Hash, &[("list:maildrop", "c"), ("two:maildrop", "d")]);
        let spec = format!("{0}/one,{0}/none,{0}/two.db:junk,@far.test", dir.path().display());
        let users = UserDatabase::open(spec.as_bytes(), judge());
        assert_eq!(users.values(b"List", MAILDROP).unwrap(), ["b", "a"]);
        assert_eq!(users.values(b"two", MAILDROP).unwrap(), ["d"]);
        assert_eq!(users.values(b"nobody", MAILDROP).unwrap(), ["nobody@far.test"]);
        assert!(users.values(b"nobody", MAILSENDER).unwrap().is_empty());
        assert_eq!(users.get(b"list", MAILDROP), Answer::Found("b".into()));
        assert_eq!(users.get(b"list", MAILNAME), Answer::Found("list@corp".into()));
        assert_eq!(users.get(b"x", MAILNAME), Answer::Found("X".into()));
        assert_eq!(users.get(b"nobody", MAILDROP), Answer::MISS);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_a_failure_for_now() {
        let dir = tempfile::tempdir().unwrap();
        crate::sys::file::replace(&dir.path().join("bad.db"), &[7; 9000], 0o600).unwrap();
        let users = UserDatabase::open(format!("{}/bad", dir.path().display()).as_bytes(), judge());
        assert!(users.values(b"a", MAILDROP).is_err());
        assert!(matches!(users.get(b"a", MAILDROP), Answer::Temporary(_)));
    }
}
