//! makemap: builds map files from text, and prints them.
//!
//! In: lines `key value` on standard input. Out: a database file, or its contents. Documents: makemap(8); observed (messages
//! and exit codes). Never: leaves half a map behind; the file appears when it is complete.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::maps::file::build::{Duplicates, Entries};
use crate::maps::file::replace::Replacement;
use crate::maps::file::{self, Database, Kind};
use crate::sys::safefile::{self, Judge, Purpose, Refusal};
use crate::sys::{env, user};

#[derive(Debug, Parser)]
#[command(disable_help_flag = true, disable_version_flag = true)]
struct Args {
    #[arg(short = 'C', default_value = "/etc/mail/sendmail.cf")]
    configuration: PathBuf,
    #[arg(short = 'N')]
    with_nul: bool,
    /// Memory for caches: accepted, the file is built at once.
    #[arg(short = 'c')]
    _cache: Option<OsString>,
    #[arg(short = 'D', default_value = "#")]
    comment: OsString,
    #[arg(short = 'd')]
    duplicates: bool,
    #[arg(short = 'e')]
    empty_values: bool,
    #[arg(short = 'f')]
    keep_case: bool,
    /// Type to fall back on: accepted, the types here never fail over.
    #[arg(short = 'i')]
    _fallback: Option<OsString>,
    #[arg(short = 'l')]
    list: bool,
    #[arg(short = 'o')]
    append: bool,
    #[arg(short = 'r')]
    replace: bool,
    #[arg(short = 's')]
    unchecked: bool,
    #[arg(short = 't')]
    separator: Option<OsString>,
    #[arg(short = 'u')]
    dump: bool,
    #[arg(short = 'v')]
    verbose: bool,
    #[arg(short = 'x')]
    extensions: bool,
    words: Vec<OsString>,
}

/// The program.
pub fn main() -> ExitCode {
    let stdin = BufReader::with_capacity(1 << 16, io::stdin().lock());
    let mut stdout = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let exit = run(env::args(), stdin, &mut stdout, &mut io::stderr().lock());
    let flushed = stdout.flush();
    ExitCode::from(if flushed.is_err() && exit == Exit::OK { Exit::IOERR.0 } else { exit.0 })
}

/// The program with everything it touches passed in, except for map files.
pub fn run(args: Vec<OsString>, input: impl BufRead, out: &mut dyn Write, errors: &mut dyn Write) -> Exit {
    let name = args.first().map(|path| Path::new(path).file_name().unwrap_or(path).to_string_lossy().into_owned());
    let name = name.unwrap_or_else(|| "makemap".to_owned());
    match Program::new(&name, args).and_then(|program| program.run(input, out, errors)) {
        Ok(exit) => exit,
        Err(End { exit, text }) => {
            // Nobody is left to be told when standard error is gone.
            let _ = errors.write_all(text.as_bytes());
            exit
        }
    }
}

/// An end before the work is done.
struct End {
    exit: Exit,
    text: String,
}

impl From<io::Error> for End {
    fn from(e: io::Error) -> Self {
        Self { exit: Exit::IOERR, text: format!("makemap: {}\n", safefile::error_text(&e)) }
    }
}

struct Program {
    name: String,
    args: Args,
    class: Vec<u8>,
    map: Vec<u8>,
}

impl Program {
    fn new(name: &str, args: Vec<OsString>) -> Result<Self, End> {
        let indent = name.len();
        let usage = || End {
            exit: Exit::USAGE,
            text: format!(
                "Usage: {name} [-C cffile] [-N] [-c cachesize] [-D commentchar]\n       \
                 {:indent$} [-d] [-e] [-f] [-i type] [-l] [-o] [-r] [-s] [-t delimiter]\n       \
                 {:indent$} [-u] [-v] type mapname\n",
                "", ""
            ),
        };
        let mut args = Args::try_parse_from(args).map_err(|_| usage())?;
        let words = std::mem::take(&mut args.words);
        let (class, map) = match <[OsString; 2]>::try_from(words) {
            Ok([class, map]) => (class.into_vec(), map.into_vec()),
            Err(_) if args.list || args.extensions => (Vec::new(), Vec::new()),
            Err(_) => return Err(usage()),
        };
        Ok(Self { name: name.to_owned(), args, class, map })
    }

    fn run(&self, input: impl BufRead, out: &mut dyn Write, errors: &mut dyn Write) -> Result<Exit, End> {
        if self.args.list {
            out.write_all(b"hash\nbtree\nimplicit\n")?;
            return Ok(Exit::OK);
        }
        if self.args.extensions {
            out.write_all(b"hash:db\nbtree:db\nimplicit:\n")?;
            return Ok(Exit::OK);
        }
        let judge = self.judge(errors)?;
        let kind = self.kind()?;
        if self.args.dump {
            return self.dump(kind, &judge, out);
        }
        if self.args.separator.as_ref().is_some_and(|separator| separator.is_empty()) {
            errors.write_all(b"Invalid separator\n")?;
        }
        self.build(kind.unwrap_or(Kind::Hash), &judge, input, out, errors)
    }

    /// Reads the configuration for `TrustedUser`, who owns the maps that root makes.
    fn judge(&self, errors: &mut dyn Write) -> Result<Judge, End> {
        let path = &self.args.configuration;
        let unreadable = |e: &io::Error| End {
            exit: Exit::NOINPUT,
            text: format!("makemap: {}: {}\n", path.display(), safefile::error_text(e)),
        };
        let text = crate::sys::file::read_following(path, CF_LIMIT).map_err(|e| unreadable(&e))?;
        let uid = user::effective_uid();
        let mut trusted_uid = None;
        if let Some(name) = trusted_user(&text) {
            let number = std::str::from_utf8(name).ok().and_then(|n| n.parse().ok());
            trusted_uid = number.or_else(|| user::by_name(name).ok().flatten().map(|account| account.uid));
            if trusted_uid.is_none() {
                writeln!(errors, "TrustedUser: unknown user {}", shown(name))?;
            }
        }
        Ok(Judge { uid, dont_blame: if self.args.unchecked { u64::MAX } else { 0 }, trusted_uid })
    }

    /// The kind of file; `None` for `implicit`, which takes what is there.
    fn kind(&self) -> Result<Option<Kind>, End> {
        let compiled = |feature| End {
            exit: Exit::CANTCREAT,
            text: format!(
                "{}: Need to recompile with -D{feature} for {} support\n",
                self.name,
                String::from_utf8_lossy(&self.class)
            ),
        };
        match self.class.as_slice() {
            b"hash" => Ok(Some(Kind::Hash)),
            b"btree" => Ok(Some(Kind::Btree)),
            b"implicit" => Ok(None),
            b"dbm" => Err(compiled("NDBM")),
            b"cdb" => Err(compiled("CDB")),
            _ => Err(self.cannot_open(&"Unknown database type")),
        }
    }

    fn cannot_open(&self, why: &dyn std::fmt::Display) -> End {
        let (class, map) = (shown(&self.class), shown(&self.map));
        End { exit: Exit::CANTCREAT, text: format!("{}: error opening type {class} map {map}: {why}\n", self.name) }
    }

    fn bad_file(&self, error: &file::Error) -> End {
        match error {
            file::Error::Io(e) => self.cannot_open(&safefile::error_text(e)),
            file::Error::Format => self.cannot_open(&"Invalid argument"),
            other => self.cannot_open(other),
        }
    }

    fn path(&self) -> PathBuf {
        let mut path = self.map.clone();
        if !path.ends_with(b".db") {
            path.extend_from_slice(b".db");
        }
        OsString::from_vec(path).into()
    }

    /// The judge for a directory that others may write to: the original only warns.
    fn with_warnings(&self, judge: &Judge, errors: &mut dyn Write) -> Result<Judge, End> {
        let path = self.path();
        let forgiving = Judge { dont_blame: judge.dont_blame | 1 << 8, ..*judge };
        if let Err(Refusal::Rule(fault)) = safefile::check(&path, Purpose::Map, &Judge { dont_blame: 0, ..*judge })
            && matches!(fault, safefile::Fault::WorldWritableDirectory | safefile::Fault::GroupWritableDirectory)
        {
            let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            writeln!(errors, "WARNING: {} {}", fault.text(), parent.display())?;
        }
        Ok(forgiving)
    }

    fn dump(&self, kind: Option<Kind>, judge: &Judge, out: &mut dyn Write) -> Result<Exit, End> {
        let forgiving = Judge { dont_blame: judge.dont_blame | 1 << 8, ..*judge };
        let opened = safefile::open(&self.path(), Purpose::Map, &forgiving).map_err(|e| self.cannot_open(&e))?;
        let database = Database::open(opened.file).map_err(|e| self.bad_file(&e))?;
        if kind.is_some_and(|kind| kind != database.kind()) {
            return Err(self.cannot_open(&"Invalid argument"));
        }
        let separator = self.separator().unwrap_or(b'\t');
        let mut line = Vec::new();
        let mut failed = None;
        let result = database.for_each(&mut |key, value| {
            line.clear();
            line.extend_from_slice(before_nul(key));
            line.push(separator);
            line.extend_from_slice(before_nul(value));
            line.push(b'\n');
            failed = out.write_all(&line).err();
            failed.is_none()
        });
        if let Some(e) = failed {
            return Err(e.into());
        }
        result.map_err(|e| self.bad_file(&e))?;
        Ok(Exit::OK)
    }

    fn separator(&self) -> Option<u8> {
        self.args.separator.as_ref().and_then(|text| text.as_bytes().first().copied())
    }

    fn build(
        &self,
        kind: Kind,
        judge: &Judge,
        input: impl BufRead,
        out: &mut dyn Write,
        errors: &mut dyn Write,
    ) -> Result<Exit, End> {
        let judge = self.with_warnings(judge, errors)?;
        let replacement = Replacement::begin(&self.path(), &judge).map_err(|e| self.cannot_open(&e))?;
        let mut entries = Entries::default();
        if self.args.append
            && let Some(old) = replacement.old()
        {
            self.take_over(old, kind, &mut entries).map_err(|e| self.bad_file(&e))?;
        }
        let mut complaints = self.read(input, &mut entries, out)?;
        let duplicates = match () {
            () if self.args.duplicates => Duplicates::Keep,
            () if self.args.replace => Duplicates::Replace,
            () => Duplicates::Refuse,
        };
        let refused = entries.write(kind, duplicates, replacement.file()).map_err(|e| self.bad_file(&e))?;
        replacement.commit()?;
        complaints.extend(
            refused
                .iter()
                .map(|duplicate| (duplicate.line, format!("key {}: duplicate key", shown(before_nul(&duplicate.key))))),
        );
        complaints.sort_by_key(|(line, _)| *line);
        for (line, text) in &complaints {
            writeln!(errors, "{}: {}: line {line}: {text}", self.name, shown(&self.map))?;
        }
        Ok(if complaints.is_empty() { Exit::OK } else { Exit::DATAERR })
    }

    /// Reads the entries of the file that is appended to.
    fn take_over(&self, old: &std::fs::File, kind: Kind, entries: &mut Entries) -> Result<(), file::Error> {
        let old = old.try_clone()?;
        if old.metadata()?.len() == 0 {
            return Ok(());
        }
        let database = Database::open(old)?;
        if database.kind() != kind && self.class != b"implicit" {
            return Err(file::Error::Format);
        }
        database.for_each(&mut |key, value| {
            entries.push(key, value, 0);
            true
        })
    }

    /// Reads lines into `entries`; returns what is wrong with them.
    fn read(
        &self,
        mut input: impl BufRead,
        entries: &mut Entries,
        out: &mut dyn Write,
    ) -> Result<Vec<(u32, String)>, End> {
        let comment = self.args.comment.as_bytes().first().copied();
        let mut complaints = Vec::new();
        let mut line = Vec::new();
        let mut key = Vec::new();
        let mut value = Vec::new();
        for number in 1u32.. {
            line.clear();
            let read = (&mut input).take(LINE as u64 + 1).read_until(b'\n', &mut line)?;
            if read == 0 {
                break;
            }
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            if text.len() == line.len() && line.len() >= LINE {
                skip_line(&mut input)?;
                complaints.push((number, format!("line too long ({LINE} bytes max)")));
                continue;
            }
            if text.is_empty() || text.first() == comment.as_ref() {
                continue;
            }
            if self.separator().is_none() && text.first().is_some_and(u8::is_ascii_whitespace) {
                complaints.push((number, "syntax error (leading space)".to_owned()));
                continue;
            }
            let (left, right) = self.split(text);
            key.clear();
            key.extend_from_slice(left);
            if !self.args.keep_case {
                key.make_ascii_lowercase();
            }
            if right.is_empty() && !self.args.empty_values {
                complaints.push((number, format!("no RHS for LHS {}", shown(&key))));
                continue;
            }
            if self.args.verbose {
                writeln!(out, "key=`{}', val=`{}'", shown(&key), shown(right))?;
            }
            value.clear();
            value.extend_from_slice(right);
            if self.args.with_nul {
                key.push(0);
                value.push(0);
            }
            entries.push(&key, &value, number);
        }
        Ok(complaints)
    }

    /// Key and value of a line.
    fn split<'l>(&self, text: &'l [u8]) -> (&'l [u8], &'l [u8]) {
        let is_separator = |byte: &u8| match self.separator() {
            Some(separator) => *byte == separator,
            None => byte.is_ascii_whitespace(),
        };
        let Some(at) = text.iter().position(is_separator) else { return (text, &[]) };
        let (key, rest) = text.split_at(at);
        let skipped = rest.iter().take_while(|byte| is_separator(byte)).count();
        (key, rest.get(skipped..).unwrap_or_default())
    }
}

/// Longest line, bytes; the original's buffer.
const LINE: usize = 1024;
/// Largest configuration file read for `TrustedUser`, bytes.
const CF_LIMIT: usize = 16 << 20;

/// Reads to the end of a line that is not wanted.
fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = memchr::memchr(b'\n', buffer);
        let used = end.map_or(buffer.len(), |at| at + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(());
        }
    }
}

/// Keys and values written with `-N` end in a NUL that is not shown.
fn before_nul(item: &[u8]) -> &[u8] {
    item.strip_suffix(b"\0").unwrap_or(item)
}

/// The value of `O TrustedUser=` in a configuration, the last one when there are several.
fn trusted_user(text: &[u8]) -> Option<&[u8]> {
    let value = |line: &'_ [u8]| -> Option<usize> {
        let rest = line.strip_prefix(b"O")?;
        let rest = rest.trim_ascii_start();
        if rest.len() == line.len() - 1 || !crate::base::bytes::starts_with_ignore_case(rest, b"TrustedUser") {
            return None;
        }
        let value = rest.get(b"TrustedUser".len()..)?.trim_ascii_start().strip_prefix(b"=")?;
        Some(line.len() - value.len())
    };
    let lines = text.split(|byte| *byte == b'\n');
    lines.rev().find_map(|line| line.get(value(line)?..).map(<[u8]>::trim_ascii))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Case {
        dir: tempfile::TempDir,
    }

    impl Case {
        fn new() -> Self {
            let case = Self { dir: tempfile::tempdir().unwrap() };
            crate::sys::file::replace(&case.dir.path().join("cf"), b"O TrustedUser=0\n", 0o600).unwrap();
            case
        }

        fn run(&self, flags: &[&str], input: &str) -> (u8, String, String) {
            let mut args = vec!["makemap".to_owned(), "-C".into(), self.dir.path().join("cf").display().to_string()];
            args.extend(flags.iter().map(ToString::to_string));
            args.push(self.dir.path().join("map").display().to_string());
            let (mut out, mut errors) = (Vec::new(), Vec::new());
            let args = args.into_iter().map(OsString::from).collect();
            let exit = run(args, input.as_bytes(), &mut out, &mut errors);
            let text = |bytes: Vec<u8>| {
                String::from_utf8(bytes).unwrap().replace(&self.dir.path().display().to_string(), "DIR")
            };
            let errors =
                text(errors).lines().filter(|l| !l.starts_with("WARNING")).map(|l| l.to_owned() + "\n").collect();
            (exit.0, text(out), errors)
        }
    }

    const INPUT: &str = "a 1\na 2\nb\n#c x\n  d e\nE Val ue \n\"q x\" y\nF\ttab\tbed\n\ng  %0%%%x %\n";

    #[test]
    fn bad_lines_are_told_in_the_order_of_lines_and_the_rest_is_kept() {
        let case = Case::new();
        let (exit, _, errors) = case.run(&["hash"], INPUT);
        assert_eq!(exit, 65);
        assert_eq!(
            errors,
            "makemap: DIR/map: line 2: key a: duplicate key\nmakemap: DIR/map: line 3: no RHS for LHS b\n\
             makemap: DIR/map: line 5: syntax error (leading space)\n"
        );
        let (exit, mut out, _) = case.run(&["-u", "hash"], "");
        assert_eq!(exit, 0);
        let mut lines: Vec<_> = out.split_off(0).lines().map(ToOwned::to_owned).collect();
        lines.sort();
        assert_eq!(lines, ["\"q\tx\" y", "a\t1", "e\tVal ue ", "f\ttab\tbed", "g\t%0%%%x %"]);
    }

    #[test]
    fn appending_keeps_what_is_there() {
        let case = Case::new();
        assert_eq!(case.run(&["btree"], "b 1\nc 2\n").0, 0);
        let (exit, _, errors) = case.run(&["-o", "btree"], "a 0\nb 9\n");
        assert_eq!((exit, errors.as_str()), (65, "makemap: DIR/map: line 2: key b: duplicate key\n"));
        assert_eq!(case.run(&["-o", "-r", "btree"], "c 3\n").0, 0);
        assert_eq!(case.run(&["-u", "btree"], "").1, "a\t0\nb\t1\nc\t3\n");
    }

    #[test]
    fn what_cannot_be_built_is_refused_with_73() {
        let case = Case::new();
        for (class, text) in [
            ("foo", "makemap: error opening type foo map DIR/map: Unknown database type\n"),
            ("dbm", "makemap: Need to recompile with -DNDBM for dbm support\n"),
        ] {
            assert_eq!(case.run(&[class], ""), (73, String::new(), text.to_owned()));
        }
        assert_eq!(case.run(&["-u", "hash"], "").0, 73);
        assert_eq!(case.run(&["-Z", "hash"], "").0, 64);
    }

    #[test]
    fn a_line_too_long_is_left_out() {
        let case = Case::new();
        let input = format!("k {}\nz y", "v".repeat(3000));
        let (exit, _, errors) = case.run(&["hash"], &input);
        assert_eq!((exit, errors.as_str()), (65, "makemap: DIR/map: line 1: line too long (1024 bytes max)\n"));
        assert_eq!(case.run(&["-u", "hash"], "").1, "z\ty\n");
    }

    #[test]
    fn the_trusted_user_is_read_from_the_configuration() {
        assert_eq!(trusted_user(b"V10\nO TrustedUser=smmta\n"), Some(&b"smmta"[..]));
        assert_eq!(trusted_user(b"#O TrustedUser=x\nO  trusteduser = y \n"), Some(&b"y"[..]));
        assert_eq!(trusted_user(b"OTrustedUser=x\n"), None);
    }
}
