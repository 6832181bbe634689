//! What makemap, editmap and praliases have in common: how they are misused, what they read in the configuration, and how
//! they open map files.
//!
//! Source: makemap(8), editmap(8), praliases(8); observed (messages and exit codes).

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::base::bytes::{shown, starts_with_ignore_case};
use crate::base::exit::Exit;
use crate::maps::file::build::Entries;
use crate::maps::file::replace::Replacement;
use crate::maps::file::{self, Database, Kind};
use crate::sys::safefile::{self, Fault, Judge, Purpose, Refusal};
use crate::sys::user;

/// An end before the work is done.
#[derive(Debug)]
pub(super) enum End {
    /// With words of its own.
    Told(Exit, String),
    /// Standard input or output, or the disk, failed.
    System(io::Error),
}

impl End {
    /// Says why and returns the exit code.
    pub(super) fn tell(self, program: &str, errors: &mut dyn Write) -> Exit {
        let (exit, text) = match self {
            Self::Told(exit, text) => (exit, text),
            Self::System(e) => (Exit::IOERR, format!("{program}: {}\n", safefile::error_text(&e))),
        };
        // Nobody is left to be told when standard error is gone.
        let _ = errors.write_all(text.as_bytes());
        exit
    }
}

impl From<io::Error> for End {
    fn from(e: io::Error) -> Self {
        Self::System(e)
    }
}

/// The name that a program was called by.
pub(super) fn own_name(args: &[OsString], usual: &str) -> String {
    let name = args.first().map(|path| Path::new(path).file_name().unwrap_or(path).to_string_lossy().into_owned());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| usual.to_owned())
}

/// A command line that makes no sense: what getopt(3) says of it, then the usage.
pub(super) fn misuse(program: &str, error: &clap::Error, usage: &str) -> End {
    let letter = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(argument)) => argument.chars().nth(1).unwrap_or('-'),
        _ => '-',
    };
    let reason = match error.kind() {
        ErrorKind::UnknownArgument => format!("{program}: invalid option -- '{letter}'\n"),
        ErrorKind::InvalidValue => format!("{program}: option requires an argument -- '{letter}'\n"),
        _ => String::new(),
    };
    End::Told(Exit::USAGE, reason + usage)
}

/// Largest configuration file, bytes.
const CF_LIMIT: usize = 16 << 20;

/// Reads the configuration.
pub(super) fn configuration(program: &str, path: &Path) -> Result<Vec<u8>, End> {
    crate::sys::file::read_following(path, CF_LIMIT)
        .map_err(|e| End::Told(Exit::NOINPUT, format!("{program}: {}: {}\n", path.display(), safefile::error_text(&e))))
}

/// Values of an option in a configuration, in order: `O Name=value`, and `Xvalue` behind its `O` for an old letter.
pub(super) fn option_values<'t>(
    text: &'t [u8],
    name: &'static str,
    letter: Option<u8>,
) -> impl Iterator<Item = &'t [u8]> {
    text.split(|byte| *byte == b'\n').filter_map(move |line| {
        let rest = line.strip_prefix(b"O")?;
        if let Some(letter) = letter
            && let Some(value) = rest.strip_prefix(&[letter])
        {
            return Some(value.trim_ascii());
        }
        let rest = rest.strip_prefix(b" ")?.trim_ascii_start();
        let value = rest.get(name.len()..).filter(|_| starts_with_ignore_case(rest, name.as_bytes()))?;
        value.trim_ascii_start().strip_prefix(b"=").map(<[u8]>::trim_ascii)
    })
}

/// For whom files are judged. `TrustedUser` of the configuration owns the maps that root makes.
pub(super) fn judge(configuration: &[u8], unchecked: bool, errors: &mut dyn Write) -> io::Result<Judge> {
    let mut trusted_uid = None;
    if let Some(name) = option_values(configuration, "TrustedUser", None).last() {
        let number = std::str::from_utf8(name).ok().and_then(|n| n.parse().ok());
        trusted_uid = number.or_else(|| user::by_name(name).ok().flatten().map(|account| account.uid));
        if trusted_uid.is_none() {
            writeln!(errors, "TrustedUser: unknown user {}", shown(name))?;
        }
    }
    Ok(Judge { uid: user::effective_uid(), dont_blame: if unchecked { u64::MAX } else { 0 }, trusted_uid })
}

/// The map that a program works on.
#[derive(Debug)]
pub(super) struct Target {
    program: String,
    class: Vec<u8>,
    map: Vec<u8>,
    /// `None` for class `implicit`, which takes what is there.
    kind: Option<Kind>,
}

impl Target {
    /// From the class and the map's name.
    pub(super) fn new(program: &str, class: Vec<u8>, map: Vec<u8>) -> Result<Self, End> {
        let kind = Kind::of_class(&class);
        let target = Self { program: program.to_owned(), class, map, kind };
        match target.class.as_slice() {
            b"implicit" => Ok(target),
            b"dbm" => {
                let text = format!("{program}: Need to recompile with -DNDBM for dbm support\n");
                Err(End::Told(Exit::CANTCREAT, text))
            }
            _ if kind.is_some() => Ok(target),
            _ => Err(target.cannot_open(&"Unknown database type")),
        }
    }

    /// The map's name as it is shown.
    pub(super) fn map(&self) -> impl std::fmt::Display {
        shown(&self.map)
    }

    /// The kind of file that is made.
    pub(super) fn kind(&self) -> Kind {
        self.kind.unwrap_or(Kind::Hash)
    }

    /// Whether the class is `implicit`.
    pub(super) fn is_implicit(&self) -> bool {
        self.kind.is_none()
    }

    /// Opens the file for reading. The original has the rules of writing here, too.
    pub(super) fn open(&self, judge: &Judge, errors: &mut dyn Write) -> Result<Database, End> {
        let (path, kind) = self.file();
        let judge = warned(&path, judge, errors)?;
        let opened = safefile::open(&path, Purpose::MapBuild, &judge).map_err(|e| match e {
            Refusal::System(_) if self.is_implicit() && e.is_absent() => self.cannot_open(&"Unknown database type"),
            e => self.cannot_open(&e),
        })?;
        if judge.uid != opened.facts.uid && !judge.forgives(OWNER) && Some(opened.facts.uid) != judge.trusted_uid {
            return Err(self.cannot_open(&Fault::ForeignOwner.text()));
        }
        Database::open_as(kind, opened.file).map_err(|e| self.bad_file(&e))
    }

    /// Begins a new file in the place of the old one.
    pub(super) fn begin(&self, judge: &Judge, errors: &mut dyn Write) -> Result<Replacement, End> {
        let path = if self.is_implicit() { self.file().0 } else { self.kind().path(&self.path()) };
        let judge = warned(&path, judge, errors)?;
        Replacement::begin(&path, &judge).map_err(|e| self.cannot_open(&e))
    }

    /// Takes the entries of the file that is there over; returns whether it was made for duplicates. `None` when nothing is
    /// there.
    pub(super) fn take_over(
        &self,
        replacement: &Replacement,
        mut wanted: impl FnMut(&[u8]) -> bool,
        entries: &mut Entries,
    ) -> Result<Option<(Kind, bool)>, End> {
        let Some(old) = replacement.old() else { return Ok(None) };
        let old = old.try_clone()?;
        if old.metadata()?.len() == 0 {
            return Ok(Some((self.kind(), false)));
        }
        let (_, kind) = self.file();
        let database = Database::open_as(kind, old).map_err(|e| self.bad_file(&e))?;
        let taken = database.for_each(&mut |key, value| {
            if wanted(key) {
                entries.push(key, value, 0);
            }
            true
        });
        taken.map_err(|e| self.bad_file(&e))?;
        Ok(Some((database.kind(), database.has_duplicates())))
    }

    /// An error of opening.
    pub(super) fn cannot_open(&self, why: &dyn std::fmt::Display) -> End {
        let (class, map) = (shown(&self.class), shown(&self.map));
        End::Told(Exit::CANTCREAT, format!("{}: error opening type {class} map {map}: {why}\n", self.program))
    }

    /// An error of what the file holds.
    pub(super) fn bad_file(&self, error: &file::Error) -> End {
        match error {
            file::Error::Io(e) => self.cannot_open(&safefile::error_text(e)),
            file::Error::Format if self.is_implicit() => self.cannot_open(&"Unknown database type"),
            file::Error::Format => self.cannot_open(&"Invalid argument"),
            other => self.cannot_open(other),
        }
    }

    /// The file, and what it must be.
    fn file(&self) -> (PathBuf, Option<Kind>) {
        match self.kind {
            Some(kind) => (kind.path(&self.path()), Some(kind)),
            None => file::implicit(&self.path()),
        }
    }

    fn path(&self) -> PathBuf {
        OsString::from_vec(self.map.clone()).into()
    }
}

/// Any bit stands for `-s` here: nothing is checked.
const OWNER: u8 = 63;
/// `DontBlameSendmail` bit: maps in directories that others may write to.
const UNSAFE_DIRECTORY: u8 = 8;

/// The judge for directories that others may write to: they are only warned about.
pub(super) fn warned(path: &Path, judge: &Judge, errors: &mut dyn Write) -> io::Result<Judge> {
    let strict = Judge { dont_blame: 0, ..*judge };
    if let Err(Refusal::Rule(fault)) = safefile::check(path, Purpose::MapBuild, &strict)
        && matches!(fault, Fault::WorldWritableDirectory | Fault::GroupWritableDirectory)
    {
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        writeln!(errors, "WARNING: {} {}", fault.text(), parent.display())?;
    }
    Ok(Judge { dont_blame: judge.dont_blame | 1 << UNSAFE_DIRECTORY, ..*judge })
}

/// Keys and values written with `-N` end in a NUL that is not shown.
pub(super) fn before_nul(item: &[u8]) -> &[u8] {
    item.strip_suffix(b"\0").unwrap_or(item)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_found_as_the_original_finds_them() {
        let values = |text: &'static str| {
            option_values(text.as_bytes(), "AliasFile", Some(b'A')).map(String::from_utf8_lossy).collect::<Vec<_>>()
        };
        assert_eq!(values("V10\nO AliasFile=a, b\n#O AliasFile=x\nO  aliasfile = c \nOAd\n"), ["a, b", "c", "d"]);
        assert!(values("O Alias=x\nOAliasFile=x\n").iter().all(|v| v != "x"));
        assert_eq!(option_values(b"O TrustedUser=a\nO TrustedUser=b", "TrustedUser", None).last(), Some(&b"b"[..]));
        assert_eq!(option_values(b"OTrustedUser=x\n", "TrustedUser", None).last(), None);
    }
}
