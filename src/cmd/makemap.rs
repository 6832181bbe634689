//! makemap: builds map files from text, and prints them.
//!
//! In: lines `key value` on standard input. Out: a database file, or its contents. Documents: makemap(8); observed (messages
//! and exit codes). Never: leaves half a map behind; the file appears when it is complete.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use super::database::{self, End, Target, before_nul, own_name};
use super::finish::finish;
use super::progress::Progress;
use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::maps::file::build::{Duplicates, Entries};
use crate::maps::file::{self, Kind};
use crate::sys::env;
use crate::sys::safefile::Judge;

#[derive(Debug, Parser)]
#[command(disable_help_flag = true, disable_version_flag = true, args_override_self = true)]
struct Args {
    #[arg(short = 'C', default_value = "/etc/mail/sendmail.cf", allow_hyphen_values = true)]
    configuration: PathBuf,
    #[arg(short = 'N')]
    with_nul: bool,
    /// Memory for caches: accepted, the file is built at once.
    #[arg(short = 'c', allow_hyphen_values = true)]
    _cache: Option<OsString>,
    #[arg(short = 'D', default_value = "#", allow_hyphen_values = true)]
    comment: OsString,
    #[arg(short = 'd')]
    duplicates: bool,
    #[arg(short = 'e')]
    empty_values: bool,
    #[arg(short = 'f')]
    keep_case: bool,
    /// Class for a map that is given with an empty class and that the configuration does not have.
    #[arg(short = 'i', allow_hyphen_values = true)]
    fallback: Option<OsString>,
    #[arg(short = 'l')]
    list: bool,
    #[arg(short = 'o')]
    append: bool,
    #[arg(short = 'r')]
    replace: bool,
    #[arg(short = 's')]
    unchecked: bool,
    #[arg(short = 't', allow_hyphen_values = true)]
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
    finish(if flushed.is_err() && exit == Exit::OK { Exit::IOERR } else { exit })
}

/// The program with everything it touches passed in, except for map files.
pub fn run(args: Vec<OsString>, input: impl BufRead, out: &mut dyn Write, errors: &mut dyn Write) -> Exit {
    let name = own_name(&args, "makemap");
    let ended = Program::new(&name, args).and_then(|program| program.run(input, out, errors));
    ended.unwrap_or_else(|end| end.tell(&name, errors))
}

struct Program {
    name: String,
    args: Args,
    class: Vec<u8>,
    map: Vec<u8>,
}

/// What `-l` prints, and `-x` with what the names of files end in.
const CLASSES: &[(&str, &str)] = &[("hash", "db"), ("btree", "db"), ("cdb", "cdb"), ("implicit", "")];

impl Program {
    fn new(name: &str, args: Vec<OsString>) -> Result<Self, End> {
        let indent = name.len();
        let usage = format!(
            "Usage: {name} [-C cffile] [-N] [-c cachesize] [-D commentchar]\n       \
             {:indent$} [-d] [-e] [-f] [-i type] [-l] [-o] [-r] [-s] [-t delimiter]\n       \
             {:indent$} [-u] [-v] type mapname\n",
            "", ""
        );
        let mut args = Args::try_parse_from(args).map_err(|e| database::misuse(name, &e, &usage))?;
        let words = std::mem::take(&mut args.words);
        let (class, map) = match <[OsString; 2]>::try_from(words) {
            Ok([class, map]) => (class.into_vec(), map.into_vec()),
            Err(_) if args.list || args.extensions => (Vec::new(), Vec::new()),
            Err(_) => return Err(End::Told(Exit::USAGE, usage)),
        };
        Ok(Self { name: name.to_owned(), args, class, map })
    }

    fn run(&self, input: impl BufRead, out: &mut dyn Write, errors: &mut dyn Write) -> Result<Exit, End> {
        if self.args.list || self.args.extensions {
            for (class, suffix) in CLASSES {
                let suffix = if self.args.list { String::new() } else { format!(":{suffix}") };
                writeln!(out, "{class}{suffix}")?;
            }
            return Ok(Exit::OK);
        }
        let configuration = database::configuration(&self.name, &self.args.configuration)?;
        let judge = database::judge(&configuration, self.args.unchecked, errors)?;
        let target = Target::new(&self.name, self.class(&configuration)?, self.map.clone())?;
        if self.args.dump {
            return self.dump(&target, &judge, out, errors);
        }
        if self.args.separator.as_ref().is_some_and(|separator| separator.is_empty()) {
            errors.write_all(b"Invalid separator\n")?;
        }
        self.build(&target, &judge, input, out, errors)
    }

    /// The class given; an empty one stands for that of the `K` line which names the file.
    fn class(&self, configuration: &[u8]) -> Result<Vec<u8>, End> {
        if !self.class.is_empty() {
            return Ok(self.class.clone());
        }
        let declared = configuration.split(|byte| *byte == b'\n').find_map(|line| {
            let mut words = line.strip_prefix(b"K")?.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            let class = words.nth(1)?;
            let is_file = class == b"implicit" || Kind::of_class(class).is_some();
            (is_file && words.any(|word| word == self.map)).then(|| class.to_vec())
        });
        let fallback = || self.args.fallback.as_ref().map(|class| class.as_bytes().to_vec());
        declared.or_else(fallback).ok_or_else(|| {
            let (map, cf) = (shown(&self.map), self.args.configuration.display());
            End::Told(Exit::DATAERR, format!("{}: mapfile {map}: not found in {cf}\n", self.name))
        })
    }

    fn dump(&self, target: &Target, judge: &Judge, out: &mut dyn Write, errors: &mut dyn Write) -> Result<Exit, End> {
        let database = target.open(judge, errors)?;
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
        result.map_err(|e| target.bad_file(&e))?;
        Ok(Exit::OK)
    }

    fn separator(&self) -> Option<u8> {
        self.args.separator.as_ref().and_then(|text| text.as_bytes().first().copied())
    }

    fn build(
        &self,
        target: &Target,
        judge: &Judge,
        input: impl BufRead,
        out: &mut dyn Write,
        errors: &mut dyn Write,
    ) -> Result<Exit, End> {
        let replacement = target.begin(judge, errors)?;
        let mut entries = Entries::default();
        let (mut kind, mut keeps) = (target.kind(), false);
        if self.args.append {
            let absent = target.cannot_open(&"No such file or directory");
            (kind, keeps) = target.take_over(&replacement, |_| true, &mut entries)?.ok_or(absent)?;
            if self.args.duplicates && !keeps {
                return Err(target.bad_file(&file::Error::Format));
            }
            keeps &= kind != Kind::Cdb;
        }
        let mut progress = Progress::new(&self.name, !self.args.verbose && io::stderr().is_terminal());
        let mut complaints = self.read(input, &mut entries, &mut progress, out, errors)?;
        progress.say(format_args!("writing {} entries", entries.len()), errors);
        let duplicates = match () {
            () if self.args.duplicates || keeps && self.args.replace => Duplicates::Keep,
            () if keeps => Duplicates::KeepOld,
            () if self.args.replace => Duplicates::Replace,
            () => Duplicates::Refuse,
        };
        let refused = entries.write(kind, duplicates, replacement.file()).map_err(|e| target.bad_file(&e))?;
        replacement.commit()?;
        progress.end(errors);
        complaints.extend(
            refused
                .iter()
                .map(|duplicate| (duplicate.line, format!("key {}: duplicate key", shown(before_nul(&duplicate.key))))),
        );
        complaints.sort_by_key(|(line, _)| *line);
        for (line, text) in &complaints {
            writeln!(errors, "{}: {}: line {line}: {text}", self.name, target.map())?;
        }
        Ok(if complaints.is_empty() { Exit::OK } else { Exit::DATAERR })
    }

    /// Reads lines into `entries`; returns what is wrong with them.
    fn read(
        &self,
        mut input: impl BufRead,
        entries: &mut Entries,
        progress: &mut Progress,
        out: &mut dyn Write,
        errors: &mut dyn Write,
    ) -> Result<Vec<(u32, String)>, End> {
        let comment = self.args.comment.as_bytes().first().copied();
        let mut complaints = Vec::new();
        let mut line = Vec::new();
        let mut key = Vec::new();
        let mut value = Vec::new();
        for number in 1u32.. {
            line.clear();
            let read = (&mut input).take(LINE as u64).read_until(b'\n', &mut line)?;
            if read == 0 {
                break;
            }
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            progress.line(number, errors);
            if text.len() > LINE - 2 {
                if text.len() == line.len() {
                    skip_line(&mut input)?;
                }
                complaints.push((number, format!("line too long ({LINE} bytes max)")));
                continue;
            }
            if text.is_empty() || text.first() == comment.as_ref() {
                continue;
            }
            if memchr::memchr(0, text).is_some() {
                complaints.push((number, "syntax error (NUL byte)".to_owned()));
                continue;
            }
            if self.separator().is_none() && text.first().is_some_and(|byte| is_space(*byte)) {
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
            None => is_space(*byte),
        };
        let Some(at) = text.iter().position(is_separator) else { return (text, &[]) };
        let (key, rest) = text.split_at(at);
        let skipped = rest.iter().take_while(|byte| is_separator(byte)).count();
        (key, rest.get(skipped..).unwrap_or_default())
    }
}

/// Longest line with its newline and one byte more; the original's buffer.
const LINE: usize = 1024;

/// What isspace(3) takes for white space.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

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
            ("HASH", "makemap: error opening type HASH map DIR/map: Unknown database type\n"),
        ] {
            assert_eq!(case.run(&[class], ""), (73, String::new(), text.to_owned()));
        }
        assert_eq!(case.run(&["-u", "hash"], "").0, 73);
        assert_eq!(
            case.run(&["-o", "hash"], "").2,
            "makemap: error opening type hash map DIR/map: No such file or directory\n"
        );
        assert_eq!(case.run(&[""], "").2, "makemap: mapfile DIR/map: not found in DIR/cf\n");
        for (flag, text) in [("-Z", "invalid option -- 'Z'"), ("-c", "option requires an argument -- 'c'")] {
            let mut errors = Vec::new();
            let args = ["makemap", flag].map(OsString::from).to_vec();
            assert_eq!(run(args, &b""[..], &mut Vec::new(), &mut errors), Exit::USAGE);
            assert!(String::from_utf8(errors).unwrap().starts_with(&format!("makemap: {text}\nUsage: makemap [")));
        }
    }

    #[test]
    fn a_line_too_long_is_left_out() {
        let case = Case::new();
        for (length, told) in [(1020, false), (1021, true), (1022, true), (1023, true), (3000, true)] {
            let input = format!("k {}\nz y", "v".repeat(length));
            let (exit, _, errors) = case.run(&["btree"], &input);
            assert_eq!(exit, if told { 65 } else { 0 }, "{length}");
            assert_eq!(errors.contains("line 1: line too long (1024 bytes max)\n"), told);
            assert!(case.run(&["-u", "btree"], "").1.ends_with("z\ty\n"));
        }
    }

    #[test]
    fn a_map_made_for_duplicates_keeps_them_when_more_is_added() {
        let case = Case::new();
        assert_eq!(case.run(&["-d", "btree"], "a 2\na 1\n").0, 0);
        assert_eq!(case.run(&["-o", "btree"], "a 3\nb 4\n").0, 65);
        assert_eq!(case.run(&["-o", "-r", "btree"], "a 5\n").0, 0);
        assert_eq!(case.run(&["-u", "btree"], "").1, "a\t2\na\t1\na\t5\nb\t4\n");
        let plain = Case::new();
        assert_eq!(plain.run(&["btree"], "a 1\n").0, 0);
        assert_eq!(plain.run(&["-o", "-d", "btree"], "a 2\n").0, 73);
    }

    #[test]
    fn constant_databases_are_made_in_the_order_of_lines() {
        let case = Case::new();
        assert_eq!(case.run(&["cdb"], "z 1\na 2\nz 3\n").0, 65);
        assert_eq!(case.run(&["-u", "cdb"], "").1, "z\t1\na\t2\n");
        assert_eq!(case.run(&["-u", "implicit"], "").1, "z\t1\na\t2\n");
        assert_eq!(case.run(&["-o", "-r", "cdb"], "a 4\n").0, 0);
        assert_eq!(case.run(&["-u", "cdb"], "").1, "z\t1\na\t4\n");
    }

    #[test]
    fn an_empty_class_is_looked_up_in_the_configuration() {
        let case = Case::new();
        let cf = format!("Kx btree -o {}\n", case.dir.path().join("map").display());
        crate::sys::file::replace(&case.dir.path().join("cf"), cf.as_bytes(), 0o600).unwrap();
        assert_eq!(case.run(&[""], "k v\n").0, 0);
        assert_eq!(case.run(&["-u", "btree"], "").1, "k\tv\n");
    }
}
