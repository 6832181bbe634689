//! Alias databases: rebuilding them (`newaliases`, `-bi`), and reading an alias text where there is no database.

use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::alias_file::{self, Content, Entry};
use super::file::build::{Duplicates, Entries};
use super::file::replace::Replacement;
use super::file::{Error, Kind};
use super::flags;
use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::config::Config;
use crate::sys::safefile::{self, Fault, Judge, Purpose, Refusal};
use crate::sys::user;

/// What the name of an alias turned out to be, after rewriting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// A local user; the text is what the local mailer would get.
    Local(Bytes),
    /// An address of another mailer.
    NotLocal,
    /// No address.
    Illegal,
}

/// What `CheckAliases` found in the targets of an alias.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// What is wrong, as `address... fault`, with the exit code that it gives; the alias is taken all the same.
    pub faults: Vec<(String, Exit)>,
    /// The last address looked at, which warnings then name. Source: observed.
    pub last: Option<Bytes>,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// As `line N: …`.
    pub text: String,
    /// The exit code that it gives; a warning gives none.
    pub exit: Exit,
}

/// Aliases of a file.
#[derive(Debug, Default)]
pub struct Table {
    /// Key (lower case) and targets, the last ones where a name came again.
    pub values: HashMap<Bytes, Bytes>,
    /// What is wrong, in the order of lines.
    pub complaints: Vec<Complaint>,
    count: usize,
    longest: usize,
    total: usize,
}

impl Table {
    /// Reads a file. `resolve` rewrites a name, `check` looks at its targets; `merge` joins those of names that come again.
    pub async fn read(
        text: &[u8],
        merge: bool,
        mut resolve: impl AsyncFnMut(&[u8]) -> Name,
        mut check: impl AsyncFnMut(&[u8]) -> Checked,
    ) -> Self {
        let mut table = Self::default();
        for entry in alias_file::entries(text) {
            let (left, right) = entry.parts();
            let name = match entry.content {
                Content::Alias { .. } => resolve(left).await,
                Content::MissingColon | Content::Stray => Name::Illegal,
            };
            let mut told = None;
            if let Name::Local(_) = name
                && !right.is_empty()
            {
                let checked = check(right).await;
                for (fault, exit) in checked.faults {
                    table.complain(entry.line, &fault, exit);
                }
                told = checked.last;
            }
            table.take(&entry, &name, told.as_deref(), merge);
        }
        table
    }

    /// Reads a file whose names are taken as they stand.
    pub(crate) fn plain(text: &[u8]) -> Self {
        let mut table = Self::default();
        for entry in alias_file::entries(text) {
            let name = match entry.parts().0.trim_ascii() {
                b"" => Name::Illegal,
                name => Name::Local(Bytes::copy_from_slice(name)),
            };
            table.take(&entry, &name, None, false);
        }
        table
    }

    /// Takes an entry whose name turned out to be `resolved`; `told` stands for the name in warnings.
    fn take(&mut self, entry: &Entry, resolved: &Name, told: Option<&[u8]>, merge: bool) {
        let (name, value) = entry.parts();
        let whole = shown(&entry.text);
        let fault = match (entry.content, resolved) {
            (Content::MissingColon, _) => "missing colon".to_owned(),
            (Content::Stray, _) => "Non-continuation line starts with space".to_owned(),
            (Content::Alias { .. }, Name::Illegal) => format!("{whole}... illegal alias name"),
            (Content::Alias { .. }, _) if value.is_empty() => format!("{whole}... missing value for alias"),
            (Content::Alias { .. }, Name::NotLocal) => format!("{}... cannot alias non-local names", shown(name)),
            (Content::Alias { .. }, Name::Local(user)) => {
                return self.add(entry.line, told.unwrap_or(name), user, value, merge);
            }
        };
        self.complain(entry.line, &fault, Exit::SOFTWARE);
    }

    fn complain(&mut self, line: u32, fault: &str, exit: Exit) {
        self.complaints.push(Complaint { text: format!("line {line}: {fault}"), exit });
    }

    /// The line that tells how many there are.
    pub fn summary(&self) -> String {
        format!("{} aliases, longest {} bytes, {} bytes total", self.count, self.longest, self.total)
    }

    fn add(&mut self, line: u32, name: &[u8], user: &[u8], value: &[u8], merge: bool) {
        let key = Bytes::from(user.to_ascii_lowercase());
        self.count += 1;
        self.longest = self.longest.max(value.len());
        // Quotes of the name count, though the key has none.
        let quotes = if key.contains(&b'"') { 0 } else { memchr::memchr_iter(b'"', name).count() };
        self.total += key.len() + quotes + value.len();
        let new = match self.values.get(&key) {
            Some(old) if merge => [old, &b","[..], value].concat().into(),
            Some(_) => {
                let (name, key) = (shown(name), shown(&key));
                self.complain(line, &format!("{name}... Warning: duplicate alias name {key}"), Exit::OK);
                Bytes::copy_from_slice(value)
            }
            None => Bytes::copy_from_slice(value),
        };
        self.values.insert(key, new);
    }
}

/// Names of a text, with their lines.
pub(crate) fn names(text: &[u8]) -> impl Iterator<Item = (u32, Bytes)> {
    let named = alias_file::entries(text).filter(|entry| matches!(entry.content, Content::Alias { .. }));
    named.map(|entry| (entry.line, Bytes::copy_from_slice(entry.parts().0.trim_ascii())))
}

/// One value of `AliasFile`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// Class; `implicit` when the option names none.
    pub(crate) class: Bytes,
    /// Flags and file.
    pub(crate) arguments: Bytes,
    /// Line of the configuration; 0 for the command line.
    pub(crate) line: u32,
}

impl Source {
    /// Reads `file` or `class:flags file`.
    pub(crate) fn parse(value: &[u8], line: u32) -> Self {
        let value = value.trim_ascii();
        let named = value.iter().position(|byte| *byte == b':').filter(|at| {
            let class = value.get(..*at).unwrap_or_default();
            !class.is_empty() && class.iter().all(u8::is_ascii_alphanumeric)
        });
        let (class, arguments) = match named {
            Some(at) => (value.get(..at).unwrap_or_default(), value.get(at + 1..).unwrap_or_default().trim_ascii()),
            None => (&b"implicit"[..], value),
        };
        Self { class: Bytes::copy_from_slice(class), arguments: Bytes::copy_from_slice(arguments), line }
    }

    /// The kind of database that a rebuild makes; `None` for classes that are not rebuilt.
    fn kind(&self) -> Option<Kind> {
        match self.class.as_ref() {
            b"implicit" | b"dbm" => Some(Kind::Hash),
            class => Kind::of_class(class),
        }
    }
}

/// The alias databases of a configuration, in order.
pub(crate) fn sources(config: &Config) -> impl Iterator<Item = Source> {
    config.options.alias_file.iter().map(|source| Source::parse(&source.text, source.line))
}

/// What a rebuild says, line by line, and how it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Lines for the terminal.
    pub lines: Vec<String>,
    /// Those of them that are errors of a text.
    pub errors: Vec<String>,
    /// Those of them that tell what a database holds.
    pub built: Vec<(PathBuf, String)>,
    /// Exit code.
    pub exit: Exit,
}

/// Rebuilds every alias database of the configuration (`newaliases`, `-bi`).
///
/// `resolve` rewrites the name of an alias, as an address of a recipient; `check` parses its targets (`CheckAliases`).
/// Source: observed: golden cli/bi.
pub async fn rebuild(
    config: &Config,
    mut resolve: impl AsyncFnMut(&[u8]) -> Name,
    mut check: impl AsyncFnMut(&[u8]) -> Checked,
) -> Report {
    let mut report = Report { lines: Vec::new(), errors: Vec::new(), built: Vec::new(), exit: Exit::OK };
    let judge = judge(config);
    for source in sources(config) {
        let Some(kind) = source.kind() else { continue };
        let (flags, _) = flags::parse(&source.arguments, &[]);
        let path = PathBuf::from(OsString::from_vec(flags.word().to_vec()));
        let text = match open_text(&path, &judge) {
            Ok(text) => text,
            Err(why) => {
                if !flags.has(b'o') {
                    report.lines.push(format!("newaliases: cannot open {}: {why}", path.display()));
                }
                continue;
            }
        };
        let table = Table::read(&text, flags.has(b'A'), &mut resolve, &mut check).await;
        for Complaint { text, exit } in &table.complaints {
            let line = format!("{}: {text}", path.display());
            if *exit == Exit::SOFTWARE {
                report.errors.push(line.clone());
            }
            report.lines.push(line);
            // Lines that were left out weigh more than what was only told.
            if *exit != Exit::OK && report.exit != Exit::SOFTWARE {
                report.exit = *exit;
            }
        }
        match write(&path, kind, &table, &judge) {
            Ok(()) => {
                let summary = format!("{}: {}", path.display(), table.summary());
                report.lines.push(summary.clone());
                report.built.push((path, summary));
            }
            Err(Unwritten::Place(refusal)) => {
                if let Refusal::Rule(fault @ (Fault::WorldWritableDirectory | Fault::GroupWritableDirectory)) = refusal
                {
                    let directory = path.parent().unwrap_or(Path::new("/"));
                    report.lines.push(format!("WARNING: {} {}", fault.text(), directory.display()));
                }
                report.lines.push(format!("WARNING: cannot open alias database {}", path.display()));
                report.lines.push(format!("Cannot create database for alias file {}", path.display()));
                report.exit = Exit::SOFTWARE;
            }
            Err(Unwritten::Contents(error)) => {
                report.lines.push(format!("Cannot create database for alias file {}: {error}", path.display()));
                report.exit = Exit::SOFTWARE;
            }
        }
    }
    report
}

/// For whom map files are judged.
pub(crate) fn judge(config: &Config) -> Judge {
    Judge {
        uid: user::effective_uid(),
        dont_blame: config.options.dont_blame_sendmail.0,
        trusted_uid: config.options.trusted_user,
    }
}

/// Reads an alias text under the rules for such files.
pub(crate) fn open_text(path: &Path, judge: &Judge) -> Result<Vec<u8>, Refusal> {
    let forgiving = Judge { dont_blame: judge.dont_blame | 1 << 8, ..*judge };
    let mut opened = safefile::open(path, Purpose::AliasText, &forgiving)?;
    Ok(crate::sys::file::read_limited(&mut opened.file, TEXT)?)
}

/// Largest alias text or text map read, bytes.
pub(crate) const TEXT: usize = 256 << 20;

enum Unwritten {
    Place(Refusal),
    Contents(Error),
}

fn write(path: &Path, kind: Kind, table: &Table, judge: &Judge) -> Result<(), Unwritten> {
    let replacement = Replacement::begin(&kind.path(path), judge).map_err(Unwritten::Place)?;
    let mut entries = Entries::default();
    let with_nul = |text: &[u8]| [text, b"\0"].concat();
    for (key, value) in &table.values {
        entries.push(&with_nul(key), &with_nul(value), 0);
    }
    // Tells readers that the file is complete.
    entries.push(b"@\0", b"@\0", 0);
    entries.write(kind, Duplicates::Replace, replacement.file()).map_err(Unwritten::Contents)?;
    replacement.commit().map_err(|e| Unwritten::Contents(e.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Table {
        let resolve = async |name: &[u8]| match name.trim_ascii() {
            b"" => Name::Illegal,
            name if name.contains(&b'@') => Name::NotLocal,
            name => Name::Local(Bytes::copy_from_slice(name)),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let check = async |targets: &[u8]| Checked {
            faults: targets
                .starts_with(b"<")
                .then(|| ("<... Unbalanced '<'".to_owned(), Exit::OK))
                .into_iter()
                .collect(),
            last: targets.contains(&b'<').then(|| Bytes::from_static(b"<")),
        };
        runtime.block_on(Table::read(text.as_bytes(), false, resolve, check))
    }

    fn texts(table: &Table) -> Vec<&str> {
        table.complaints.iter().map(|complaint| complaint.text.as_str()).collect()
    }

    #[test]
    fn targets_that_cannot_be_parsed_are_told_and_taken() {
        let table = read("ok: alice\nok: <\n");
        let told = ["line 2: <... Unbalanced '<'", "line 2: <... Warning: duplicate alias name ok"];
        assert_eq!(texts(&table), told);
        assert!(table.complaints.iter().all(|complaint| complaint.exit == Exit::OK));
        assert_eq!(table.summary(), "2 aliases, longest 5 bytes, 10 bytes total");
    }

    #[test]
    fn complaints_and_counts_are_those_of_the_original() {
        let long = "a".repeat(100);
        let table = read(&format!(
            "postmaster: root\nbad line without colon\ndup: alice\ndup: bob\n continued: x\nlong: {long}\n: noname\nempty:\n\
             spaced  :  alice ,  bob\n# comment\n\t carol\n\"quoted name\": dave\nuser@remote.test: alice\n"
        ));
        assert_eq!(
            texts(&table),
            [
                "line 2: missing colon",
                "line 5: dup... Warning: duplicate alias name dup",
                "line 7: : noname... illegal alias name",
                "line 8: empty:... missing value for alias",
                "line 13: user@remote.test... cannot alias non-local names",
            ]
        );
        assert_eq!(table.summary(), "6 aliases, longest 100 bytes, 180 bytes total");
        assert_eq!(table.values.get(&b"dup"[..]).unwrap(), "bob continued: x");
        assert!(table.complaints.iter().any(|complaint| complaint.exit == Exit::SOFTWARE));
    }

    #[test]
    fn the_option_names_a_class_or_none() {
        for (value, class, arguments) in [
            ("/etc/mail/aliases", "implicit", "/etc/mail/aliases"),
            ("hash: -o /x", "hash", "-o /x"),
            ("/a:b", "implicit", "/a:b"),
        ] {
            let source = Source::parse(value.as_bytes(), 0);
            assert_eq!((source.class.as_ref(), source.arguments.as_ref()), (class.as_bytes(), arguments.as_bytes()));
        }
    }
}
