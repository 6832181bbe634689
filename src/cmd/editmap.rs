//! editmap: queries, sets or deletes one entry of a map file.
//!
//! In: a key and perhaps a value on the command line. Out: the value, or a changed file. Documents: editmap(8); observed
//! (messages and exit codes). Never: changes a file in place; readers see the old map or the new one.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use super::database::{self, End, Target, before_nul, own_name};
use super::finish::finish;
use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::maps::file::build::{Duplicates, Entries};
use crate::sys::env;
use crate::sys::safefile::Judge;

#[derive(Debug, Parser)]
#[command(disable_help_flag = true, disable_version_flag = true, args_override_self = true)]
struct Args {
    #[arg(short = 'C', default_value = "/etc/mail/sendmail.cf", allow_hyphen_values = true)]
    configuration: PathBuf,
    #[arg(short = 'N')]
    with_nul: bool,
    #[arg(short = 'f')]
    keep_case: bool,
    #[arg(short = 'q')]
    query: bool,
    #[arg(short = 'u')]
    update: bool,
    #[arg(short = 'x')]
    delete: bool,
    words: Vec<OsString>,
}

/// What is asked for.
enum Work {
    Query,
    Update(Vec<u8>),
    Delete,
}

/// The program.
pub fn main() -> ExitCode {
    finish(run(env::args(), &mut io::stdout().lock(), &mut io::stderr().lock()))
}

/// The program with its outputs passed in.
pub fn run(args: Vec<OsString>, out: &mut dyn Write, errors: &mut dyn Write) -> Exit {
    let program = own_name(&args, "editmap");
    work(&program, args, out, errors).unwrap_or_else(|end| end.tell(&program, errors))
}

fn work(program: &str, args: Vec<OsString>, out: &mut dyn Write, errors: &mut dyn Write) -> Result<Exit, End> {
    let usage = format!("Usage: {program} [-C cffile] [-N] [-f] [-q|-u|-x] maptype mapname key [ \"value ...\" ]\n");
    let mut args = Args::try_parse_from(args).map_err(|e| database::misuse(program, &e, &usage))?;
    let mut words = std::mem::take(&mut args.words).into_iter().map(OsString::into_vec);
    let (class, map, key, value) = (words.next(), words.next(), words.next(), words.next());
    let work = match (args.query, args.update, args.delete, value) {
        (true, false, false, None) => Work::Query,
        (false, true, false, Some(value)) => Work::Update(value),
        (false, false, true, None) => Work::Delete,
        _ => return Err(End::Told(Exit::USAGE, usage)),
    };
    let (Some(class), Some(map), Some(mut key)) = (class, map, key) else {
        return Err(End::Told(Exit::USAGE, usage));
    };
    let judge = database::judge(&database::configuration(program, &args.configuration)?, false, errors)?;
    let target = Target::new(program, class, map)?;
    if !args.keep_case {
        key.make_ascii_lowercase();
    }
    let told = shown(&key).to_string();
    if args.with_nul {
        key.push(0);
    }
    let found = match work {
        Work::Query => return query(program, &target, &judge, &key, out, errors),
        Work::Update(mut value) => {
            if args.with_nul {
                value.push(0);
            }
            rewrite(&target, &judge, &key, Some(&value), errors)?
        }
        Work::Delete => rewrite(&target, &judge, &key, None, errors)?,
    };
    if !found {
        writeln!(errors, "{program}: key {told} doesn't exist in map {}", target.map())?;
    }
    Ok(Exit::OK)
}

fn query(
    program: &str,
    target: &Target,
    judge: &Judge,
    key: &[u8],
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> Result<Exit, End> {
    let found = target.open(judge, errors)?.get(key).map_err(|e| target.bad_file(&e))?;
    if let Some(value) = found {
        out.write_all(&[before_nul(&value), b"\n"].concat())?;
        return Ok(Exit::OK);
    }
    writeln!(errors, "{program}: couldn't find key {} in map {}", shown(before_nul(key)), target.map())?;
    Ok(Exit::UNAVAILABLE)
}

/// Writes the file anew with another value of the key, or without the key; false when it was to go and is not there.
///
/// In a file made for duplicates a value comes beside the others. Source: observed.
fn rewrite(
    target: &Target,
    judge: &Judge,
    key: &[u8],
    value: Option<&[u8]>,
    errors: &mut dyn Write,
) -> Result<bool, End> {
    let replacement = target.begin(judge, errors)?;
    let mut entries = Entries::default();
    let mut found = value.is_some();
    let is_kept = |old: &[u8]| {
        let goes = value.is_none() && old == key;
        found |= goes;
        !goes
    };
    let old = target.take_over(&replacement, is_kept, &mut entries)?;
    if !found {
        return Ok(false);
    }
    if let Some(value) = value {
        entries.push(key, value, 0);
    }
    let (kind, duplicates) = old.unwrap_or((target.kind(), false));
    // A constant database never says that it has no duplicates; a value that is set replaces the others there.
    let duplicates = duplicates && (kind != crate::maps::file::Kind::Cdb || value.is_none());
    let duplicates = if duplicates { Duplicates::Keep } else { Duplicates::Replace };
    entries.write(kind, duplicates, replacement.file()).map_err(|e| target.bad_file(&e))?;
    replacement.commit()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Case {
        dir: tempfile::TempDir,
    }

    impl Case {
        fn new(class: &str, flags: &[&str], input: &str) -> Self {
            let case = Self { dir: tempfile::tempdir().unwrap() };
            crate::sys::file::replace(&case.dir.path().join("cf"), b"O TrustedUser=0\n", 0o600).unwrap();
            let args = case.args("makemap", flags, &[class, &case.map()]);
            let made = crate::cmd::makemap::run(args, input.as_bytes(), &mut Vec::new(), &mut Vec::new());
            assert_eq!(made, Exit::OK);
            case
        }

        fn map(&self) -> String {
            self.dir.path().join("map").display().to_string()
        }

        fn args(&self, program: &str, flags: &[&str], words: &[&str]) -> Vec<OsString> {
            let cf = self.dir.path().join("cf").display().to_string();
            [&[program, "-C", &cf], flags, words].concat().into_iter().map(OsString::from).collect()
        }

        fn edit(&self, class: &str, flags: &[&str], words: &[&str]) -> (u8, String) {
            let map = self.map();
            let args = self.args("editmap", flags, &[&[class, &map], words].concat());
            let (mut out, mut errors) = (Vec::new(), Vec::new());
            let exit = run(args, &mut out, &mut errors);
            out.extend(errors);
            let text = String::from_utf8(out).unwrap().replace(&map, "MAP");
            let lines = text.lines().filter(|l| !l.starts_with("WARNING")).map(|l| l.to_owned() + "\n");
            (exit.0, lines.collect())
        }
    }

    #[test]
    fn one_entry_is_queried_set_and_deleted() {
        for class in ["hash", "btree", "cdb", "implicit"] {
            let case = Case::new(class, &[], "a 1\nb 2\n");
            for (flags, words, exit, text) in [
                (&["-q"][..], &["A"][..], 0, "1\n"),
                (&["-q", "-f"], &["A"], 69, "editmap: couldn't find key A in map MAP\n"),
                (&["-u"], &["A", "new one"], 0, ""),
                (&["-q"], &["a"], 0, "new one\n"),
                (&["-u", "-f"], &["C", ""], 0, ""),
                (&["-q", "-f"], &["C"], 0, "\n"),
                (&["-x"], &["b"], 0, ""),
                (&["-x"], &["b"], 0, "editmap: key b doesn't exist in map MAP\n"),
                (&["-q"], &["b"], 69, "editmap: couldn't find key b in map MAP\n"),
            ] {
                assert_eq!(case.edit(class, flags, words), (exit, text.to_owned()), "{class} {flags:?} {words:?}");
            }
        }
    }

    #[test]
    fn a_map_for_duplicates_gets_one_more_and_loses_all() {
        let case = Case::new("btree", &["-d"], "a 2\na 1\nb 3\n");
        assert_eq!(case.edit("btree", &["-u"], &["a", "3"]).0, 0);
        assert_eq!(case.edit("btree", &["-q"], &["a"]).1, "2\n");
        assert_eq!(case.edit("btree", &["-x"], &["a"]).0, 0);
        assert_eq!(case.edit("btree", &["-q"], &["a"]).0, 69);
        assert_eq!(case.edit("btree", &["-q"], &["b"]).1, "3\n");
    }

    #[test]
    fn misuse_and_missing_files_end_as_they_do_in_the_original() {
        let case = Case::new("hash", &["-N"], "a 1\n");
        assert_eq!(case.edit("hash", &["-q"], &["a"]).0, 69);
        assert_eq!(case.edit("hash", &["-q", "-N"], &["a"]), (0, "1\n".to_owned()));
        assert_eq!(
            case.edit("btree", &["-q"], &["a"]).1,
            "editmap: error opening type btree map MAP: Invalid argument\n"
        );
        assert_eq!(case.edit("cdb", &["-q"], &["a"]).0, 73);
        assert_eq!(
            case.edit("foo", &["-q"], &["a"]).1,
            "editmap: error opening type foo map MAP: Unknown database type\n"
        );
        assert_eq!(case.edit("hash", &["-q", "-u"], &["a"]).0, 64);
        assert_eq!(case.edit("hash", &["-u"], &["a"]).0, 64);
        let (exit, text) = case.edit("hash", &["-Z"], &["a"]);
        assert!(exit == 64 && text.starts_with("editmap: invalid option -- 'Z'\nUsage: editmap "), "{text}");
        assert_eq!(case.edit("cdb", &["-u"], &["k", "made"]).0, 0);
        assert_eq!(case.edit("cdb", &["-q"], &["k"]).1, "made\n");
    }
}
