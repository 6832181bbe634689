//! Maps kept in files: databases, text files, alias texts. Loaded once, and again when the file has changed.

use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use smallvec::SmallVec;

use super::aliases;
use super::answer::Answer;
use super::file::{self, Database, Kind};
use super::flags::Flags;
use crate::base::limits;
use crate::sys::file::Facts;
use crate::sys::lock;
use crate::sys::safefile::{self, Judge, Purpose, Refusal};

/// How a file is read.
#[derive(Debug, Clone)]
pub(crate) enum Format {
    /// A database of this kind; `None` for class `implicit`.
    Database(Option<Kind>),
    /// Columns of text.
    Columns(Columns),
    /// The text of an alias file.
    Aliases,
}

/// Which columns of a text file are key and value.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    key: usize,
    value: usize,
    delimiter: Option<u8>,
}

/// Why a map is not open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closed {
    /// In the original's words; empty when it says nothing.
    pub(crate) text: String,
    /// The file does not exist or may not be used, which `-o` forgives.
    pub(crate) absent: bool,
}

/// A map kept in a file.
#[derive(Debug)]
pub(crate) struct Stored {
    path: PathBuf,
    format: Format,
    judge: Judge,
    with_nul: bool,
    without_nul: bool,
    loaded: RwLock<Loaded>,
}

#[derive(Debug, Clone)]
struct Loaded {
    content: Content,
    stamp: Stamp,
    looked: Instant,
}

#[derive(Debug, Clone)]
enum Content {
    Database(Arc<Database>),
    Table(Arc<HashMap<Bytes, Bytes>>),
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, PartialEq)]
struct Stamp {
    facts: Facts,
}

/// How long a file is taken to be unchanged since it was last looked at.
const UNCHANGED: Duration = Duration::from_millis(10);
/// How long the lock of a writer is waited for when a map is opened.
const WRITER: Duration = Duration::from_secs(30);

impl Stored {
    /// Opens the file that the flags name; `class` and `name` are for the words of errors.
    pub(crate) fn open(class: &str, name: &str, format: Format, flags: &Flags, judge: Judge) -> Result<Self, Closed> {
        let named = Path::new(std::ffi::OsStr::from_bytes(flags.word())).to_owned();
        let (path, format) = match format {
            Format::Database(Some(kind)) => (kind.path(&named), format),
            Format::Database(None) => {
                let (path, kind) = file::implicit(&named);
                (path, Format::Database(kind))
            }
            Format::Columns(_) | Format::Aliases => (named, format),
        };
        let (with_nul, without_nul) = match (flags.has(b'N'), flags.has(b'O')) {
            (false, false) => (true, true),
            (with, without) => (with && !without, without && !with),
        };
        let (content, stamp) = load(&path, &format, &judge, true).map_err(|e| e.told(class, name, &path, &format))?;
        let loaded = RwLock::new(Loaded { content, stamp, looked: Instant::now() });
        Ok(Self { path, format, judge, with_nul, without_nul, loaded })
    }

    /// The value of a prepared key.
    pub(crate) fn get(&self, key: &[u8]) -> Answer {
        self.refresh();
        match self.find(key) {
            Err(file::Error::Changed) => {
                // Written in place since it was last looked at.
                self.look_again();
                self.find(key)
            }
            other => other,
        }
        .unwrap_or_else(|e| Answer::Temporary(format!("{}: {e}", self.path.display())))
    }

    fn find(&self, key: &[u8]) -> Result<Answer, file::Error> {
        // Never held across a wait, and readers do not keep readers out.
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        let database = match &loaded.content {
            Content::Table(table) => {
                return Ok(table.get(key).map_or(Answer::NotFound(self.miss()), |v| Answer::Found(v.clone())));
            }
            Content::Database(database) => database,
        };
        let mut found = None;
        if self.without_nul {
            found = database.get(key)?;
        }
        if self.with_nul && found.is_none() {
            let mut with_nul: SmallVec<[u8; 128]> = SmallVec::from_slice(key);
            with_nul.push(0);
            found = database.get(&with_nul)?;
        }
        let Some(mut value) = found else { return Ok(Answer::MISS) };
        if value.last() == Some(&0) {
            value.pop();
        }
        if value.len() > limits::MAP_VALUE {
            return Ok(Answer::Temporary(format!("{}: value too long", self.path.display())));
        }
        Ok(Answer::Found(value.into()))
    }

    /// Every value of a key.
    pub(crate) fn values(&self, key: &[u8]) -> Result<Vec<Bytes>, String> {
        let mut values = Vec::new();
        self.refresh();
        match &self.loaded.read().unwrap_or_else(PoisonError::into_inner).content {
            Content::Table(table) => values.extend(table.get(key).cloned()),
            Content::Database(database) => {
                let mut take = |value: &[u8]| {
                    values.push(Bytes::copy_from_slice(value.strip_suffix(b"\0").unwrap_or(value)));
                };
                let read = database.each_value(key, &mut take);
                read.map_err(|e| format!("{}: {e}", self.path.display()))?;
            }
        }
        Ok(values)
    }

    fn miss(&self) -> crate::base::exit::Exit {
        match self.format {
            Format::Columns(_) => crate::base::exit::Exit::NOHOST,
            Format::Database(_) | Format::Aliases => crate::base::exit::Exit::OK,
        }
    }

    /// Takes another look at the file when the last one is a while ago, and loads what has changed.
    fn refresh(&self) {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        let is_recent = loaded.looked.elapsed() < UNCHANGED;
        drop(loaded);
        if !is_recent {
            self.look_again();
        }
    }

    fn look_again(&self) {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        let changed = crate::sys::file::facts_of(&self.path).is_ok_and(|facts| Stamp { facts } != loaded.stamp);
        drop(loaded);
        // Loading outside of the lock: others go on with what there is. A file that cannot be loaded now (a writer holds it,
        // or it is gone for a moment) is tried again at the next look.
        let fresh = changed.then(|| load(&self.path, &self.format, &self.judge, false).ok()).flatten();
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        if let Some((content, stamp)) = fresh {
            loaded.content = content;
            loaded.stamp = stamp;
        }
        loaded.looked = Instant::now();
    }
}

enum Failure {
    Refused(Refusal),
    Database(file::Error),
    Busy,
}

impl Failure {
    /// The original's words.
    fn told(self, class: &str, name: &str, path: &Path, format: &Format) -> Closed {
        let path = path.display();
        match self {
            Self::Refused(refusal) => Closed {
                absent: true,
                text: match &refusal {
                    _ if matches!(format, Format::Columns(_)) => {
                        format!("{class} map \"{name}\": unsafe map file {path}")
                    }
                    _ if class == "implicit" => String::new(),
                    refusal if refusal.is_absent() => {
                        format!("{class} map \"{name}\": missing map file {path}: {refusal}")
                    }
                    refusal => format!("{class} map \"{name}\": unsafe map file {path}: {refusal}"),
                },
            },
            Self::Database(error) => {
                let reason = match &error {
                    file::Error::Format => "Invalid argument".to_owned(),
                    other => other.to_string(),
                };
                Closed { absent: false, text: format!("Cannot open {class} database {path}: {reason}") }
            }
            Self::Busy => Closed { absent: false, text: format!("{class} map \"{name}\": {path} is being written") },
        }
    }
}

fn load(path: &Path, format: &Format, judge: &Judge, may_wait: bool) -> Result<(Content, Stamp), Failure> {
    let mut opened = safefile::open(path, Purpose::Map, judge).map_err(Failure::Refused)?;
    let stamp = Stamp { facts: opened.facts };
    let content = match format {
        Format::Database(kind) => {
            let wait = if may_wait { WRITER } else { Duration::ZERO };
            let free =
                lock::lock_within(&opened.file, lock::Kind::Shared, wait).map_err(|e| Failure::Refused(e.into()))?;
            if !free {
                return Err(Failure::Busy);
            }
            let handle = opened.file.try_clone().map_err(|e| Failure::Refused(e.into()))?;
            let database = Database::open_as(*kind, opened.file);
            // Nothing is written into a file of ours in place; the lock was for the other program's makemap.
            let _ = lock::unlock(&handle);
            Content::Database(Arc::new(database.map_err(Failure::Database)?))
        }
        Format::Columns(columns) => {
            let text = crate::sys::file::read_limited(&mut opened.file, aliases::TEXT)
                .map_err(|e| Failure::Refused(e.into()))?;
            Content::Table(Arc::new(columns.table(&text)))
        }
        Format::Aliases => {
            let text = crate::sys::file::read_limited(&mut opened.file, aliases::TEXT)
                .map_err(|e| Failure::Refused(e.into()))?;
            Content::Table(Arc::new(aliases::Table::plain(&text).values))
        }
    };
    Ok((content, stamp))
}

impl Columns {
    /// From `-k`, `-v` and `-z`; an error in the original's words.
    pub(crate) fn new(name: &str, flags: &Flags) -> Result<Self, Closed> {
        let column = |letter: u8| match flags.text(letter) {
            None => Ok(0),
            Some(text) => std::str::from_utf8(text).ok().and_then(|t| t.parse().ok()).ok_or_else(|| Closed {
                absent: false,
                text: format!(
                    "text map \"{name}\", file {}: -{} should specify a number, not {}",
                    crate::base::bytes::shown(flags.word()),
                    char::from(letter),
                    crate::base::bytes::shown(text)
                ),
            }),
        };
        Ok(Self { key: column(b'k')?, value: column(b'v')?, delimiter: flags.character(b'z') })
    }

    /// Keys in lower case with their values; the first line of a key counts.
    fn table(&self, text: &[u8]) -> HashMap<Bytes, Bytes> {
        let mut table = HashMap::new();
        for line in text.split(|byte| *byte == b'\n') {
            if line.first() == Some(&b'#') {
                continue;
            }
            if let (Some(key), Some(value)) = (self.column(line, self.key), self.column(line, self.value)) {
                table.entry(key.to_ascii_lowercase().into()).or_insert_with(|| Bytes::copy_from_slice(value));
            }
        }
        table
    }

    fn column<'l>(&self, line: &'l [u8], number: usize) -> Option<&'l [u8]> {
        let column = match self.delimiter {
            Some(delimiter) => line.split(|byte| *byte == delimiter).nth(number),
            None => line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).nth(number),
        };
        column.filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maps::flags;

    fn columns(line: &str) -> Columns {
        Columns::new("x", &flags::parse(line.as_bytes(), &[]).0).unwrap()
    }

    #[test]
    fn columns_are_cut_at_blanks_or_at_the_delimiter() {
        let text = b"k1:v1:w one::\n#com:x\n  lead:v\nBig:Val\nonly\n\nk,2:c\tt\n";
        for (line, key, value) in [
            ("-z: -v1", "k1", Some("v1")),
            ("-z: -v1", "  lead", Some("v")),
            ("-z: -v1", "big", Some("Val")),
            ("-z: -v1", "only", None),
            ("-z: -v1", "#com", None),
            ("-z: -k1 -v0", "v1", Some("k1")),
            ("-z\\t -v1", "k,2:c", Some("t")),
            ("-z, -v1", "k", Some("2:c\tt")),
            ("", "only", Some("only")),
        ] {
            let table = columns(line).table(text);
            assert_eq!(table.get(key.as_bytes()).map(AsRef::as_ref), value.map(str::as_bytes), "{line} {key}");
        }
    }

    /// A database of more than what is held in memory, written into the file that is there.
    #[allow(clippy::disallowed_methods, reason = "what another program does")]
    fn written_in_place(path: &Path, value: &str) {
        let mut entries = file::build::Entries::default();
        for n in 0..60_000 {
            entries.push(format!("key{n}").as_bytes(), format!("{value}{n:0>90}").as_bytes(), n);
        }
        let file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).open(path).unwrap();
        entries.write(Kind::Btree, file::build::Duplicates::Refuse, &file).unwrap();
    }

    #[test]
    fn a_large_database_rewritten_in_place_gives_its_new_values() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("map.db");
        written_in_place(&path, "old");
        let (flags, _) = flags::parse(path.to_str().unwrap().as_bytes(), &[]);
        let judge = Judge { uid: crate::sys::user::effective_uid(), dont_blame: u64::MAX, trusted_uid: None };
        let map = Stored::open("btree", "x", Format::Database(Some(Kind::Btree)), &flags, judge).unwrap();
        let begins = |key: &str, with: &str| matches!(map.get(key.as_bytes()), Answer::Found(v) if v.starts_with(with.as_bytes()));
        assert!(begins("key1", "old"));
        written_in_place(&path, "new");
        for n in (0..60_000).step_by(611) {
            assert!(begins(&format!("key{n}"), "new"), "key{n}");
        }
    }

    #[test]
    fn a_column_that_is_no_number_is_told() {
        let (flags, _) = flags::parse(b"-kx /f", &[]);
        let text = Columns::new("t1", &flags).unwrap_err().text;
        assert_eq!(text, "text map \"t1\", file /f: -k should specify a number, not x");
    }
}
