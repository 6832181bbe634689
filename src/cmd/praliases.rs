//! praliases: prints the alias databases.
//!
//! In: `AliasFile` of the configuration, or a file named. Out: lines `name:targets`. Documents: praliases(8); observed
//! (messages, and that almost everything ends with 0). Never: reads alias texts.

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use super::database::{self, End, before_nul, own_name};
use super::finish::finish;
use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::maps::file::{self, Database, Kind};
use crate::maps::flags;
use crate::sys::env;
use crate::sys::safefile::{self, Judge, Purpose};

#[derive(Debug, Parser)]
#[command(disable_help_flag = true, disable_version_flag = true, args_override_self = true)]
struct Args {
    #[arg(short = 'C', default_value = "/etc/mail/sendmail.cf", allow_hyphen_values = true)]
    configuration: PathBuf,
    #[arg(short = 'f', allow_hyphen_values = true)]
    file: Option<OsString>,
    keys: Vec<OsString>,
}

/// The program.
pub fn main() -> ExitCode {
    let mut stdout = BufWriter::new(io::stdout().lock());
    let exit = run(env::args(), &mut stdout, &mut io::stderr().lock());
    finish(if stdout.flush().is_err() && exit == Exit::OK { Exit::IOERR } else { exit })
}

/// The program with its outputs passed in.
pub fn run(args: Vec<OsString>, out: &mut dyn Write, errors: &mut dyn Write) -> Exit {
    let program = own_name(&args, "praliases");
    work(&program, args, out, errors).unwrap_or_else(|end| end.tell(&program, errors))
}

fn work(program: &str, args: Vec<OsString>, out: &mut dyn Write, errors: &mut dyn Write) -> Result<Exit, End> {
    let usage = format!("usage: {program} [-C cffile] [-f aliasfile] [key ...]\n");
    let args = Args::try_parse_from(args).map_err(|e| database::misuse(program, &e, &usage))?;
    let keys: Vec<&[u8]> = args.keys.iter().map(|key| key.as_bytes()).collect();
    if let Some(file) = &args.file {
        print(program, file.as_bytes(), &keys, out, errors)?;
        return Ok(Exit::OK);
    }
    let text = database::configuration(program, &args.configuration)?;
    for value in database::option_values(&text, "AliasFile", Some(b'A')) {
        for source in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|source| !source.is_empty()) {
            print(program, source, &keys, out, errors)?;
        }
    }
    Ok(Exit::OK)
}

/// Prints one database, or its entries of these keys.
fn print(program: &str, source: &[u8], keys: &[&[u8]], out: &mut dyn Write, errors: &mut dyn Write) -> io::Result<()> {
    let (class, path) = parse(source);
    let kind = match class {
        None | Some(b"implicit") => None,
        Some(b"") => return writeln!(errors, "{program}: illegal alias specification: {}", shown(source)),
        Some(class) => match Kind::of_class(class) {
            Some(kind) => Some(kind),
            None => return writeln!(errors, "{program}: Skipping non-file based alias type {}", shown(class)),
        },
    };
    if path.as_os_str().is_empty() {
        return writeln!(errors, "{program}: illegal alias specification: {}", shown(source));
    }
    match open(&path, kind, errors)? {
        Ok(database) => entries(&database, keys, out).unwrap_or_else(|error| match error {
            file::Error::Io(e) => Err(e),
            other => writeln!(errors, "{program}: {}: get value at cursor: {other}", path.display()),
        }),
        Err(why) => writeln!(errors, "{program}: {}: open: {why}", path.display()),
    }
}

/// Class and file of a value of `AliasFile`, flags between them left out.
fn parse(source: &[u8]) -> (Option<&[u8]>, PathBuf) {
    let (class, rest) = match source.iter().position(|byte| *byte == b':') {
        Some(at) => (source.get(..at), source.get(at + 1..).unwrap_or_default()),
        None => (None, source),
    };
    (class, OsString::from_vec(flags::parse(rest, &[]).0.rest.to_vec()).into())
}

/// The database, or why there is none; directories that others may write to are warned about.
fn open(map: &Path, kind: Option<Kind>, errors: &mut dyn Write) -> io::Result<Result<Database, String>> {
    let (path, found) = match kind {
        Some(kind) => (kind.path(map), Some(kind)),
        None => file::implicit(map),
    };
    let judge = Judge { uid: crate::sys::user::effective_uid(), dont_blame: 1 << UNSAFE_DIRECTORY, trusted_uid: None };
    let opened = match safefile::open(&path, Purpose::Map, &judge) {
        Ok(opened) => opened,
        Err(e) if kind.is_none() && e.is_absent() => return Ok(Err("Unknown database type".to_owned())),
        Err(e) => return Ok(Err(e.to_string())),
    };
    if let Some(fault) = opened.unsafe_directory {
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        writeln!(errors, "WARNING: {} {}", fault.text(), parent.display())?;
    }
    Ok(Database::open_as(found, opened.file).map_err(|e| match e {
        file::Error::Io(e) => safefile::error_text(&e),
        file::Error::Format if kind.is_none() => "Unknown database type".to_owned(),
        file::Error::Format => "Invalid argument".to_owned(),
        other => other.to_string(),
    }))
}

/// `DontBlameSendmail` bit: maps in directories that others may write to.
const UNSAFE_DIRECTORY: u8 = 8;

fn entries(database: &Database, keys: &[&[u8]], out: &mut dyn Write) -> Result<io::Result<()>, file::Error> {
    let mut failed = Ok(());
    if keys.is_empty() {
        let walked = database.for_each(&mut |key, value| {
            failed = line(key, value, out);
            failed.is_ok()
        });
        return if failed.is_err() { Ok(failed) } else { walked.map(|()| failed) };
    }
    for key in keys {
        // Aliases end in NUL in the file; maps of other makers may lack it.
        let found = match database.get(&[*key, b"\0"].concat())? {
            None => database.get(key)?,
            found => found,
        };
        match found {
            Some(value) => line(key, &value, out)?,
            None => out.write_all(&[*key, b": No such key\n"].concat())?,
        }
    }
    Ok(failed)
}

fn line(key: &[u8], value: &[u8], out: &mut dyn Write) -> io::Result<()> {
    out.write_all(&[before_nul(key), b":", before_nul(value), b"\n"].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_as_the_option_has_them() {
        for (text, class, path) in [
            ("hash:-o /a", Some("hash"), "/a"),
            ("hash: -N -A  /a", Some("hash"), "/a"),
            ("-N /a b", None, "/a b"),
            ("hash:", Some("hash"), ""),
            (":a", Some(""), "a"),
        ] {
            assert_eq!(parse(text.as_bytes()), (class.map(str::as_bytes), PathBuf::from(path)), "{text}");
        }
    }

    #[test]
    fn entries_are_printed_file_by_file() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).display().to_string();
        let cf = format!(
            "O AliasFile=hash:{0}, btree:-o {1}\nOA{2}\nO AliasFile=nis:x,{3}\n",
            at("a"),
            at("b"),
            at("c"),
            at("no")
        );
        crate::sys::file::replace(&dir.path().join("cf"), cf.as_bytes(), 0o600).unwrap();
        for (class, name, input) in
            [("hash", "a", "root bob\n"), ("btree", "b", "@ @\nx y, z\n"), ("cdb", "c", "k v\n")]
        {
            let args = ["makemap", "-N", "-C", &at("cf"), class, &at(name)].map(OsString::from).to_vec();
            crate::cmd::makemap::run(args, input.as_bytes(), &mut Vec::new(), &mut Vec::new());
        }
        let pr = |args: &[&str]| {
            let (mut out, mut errors) = (Vec::new(), Vec::new());
            let args = ["praliases"].iter().chain(args).map(OsString::from).collect();
            let exit = run(args, &mut out, &mut errors);
            let errors = String::from_utf8(errors).unwrap().replace(&dir.path().display().to_string(), "DIR");
            let errors: Vec<_> = errors.lines().filter(|l| !l.starts_with("WARNING")).map(ToOwned::to_owned).collect();
            (exit.0, String::from_utf8(out).unwrap(), errors)
        };
        let (exit, out, errors) = pr(&["-C", &at("cf")]);
        assert_eq!((exit, out.as_str()), (0, "root:bob\n@:@\nx:y, z\nk:v\n"));
        let told =
            ["praliases: Skipping non-file based alias type nis", "praliases: DIR/no: open: Unknown database type"];
        assert_eq!(errors, told);
        assert_eq!(pr(&["-f", &at("b"), "x", "q"]).1, "x:y, z\nq: No such key\n");
        assert_eq!(pr(&["-f", &format!("hash:{}", at("b"))]).2, ["praliases: DIR/b: open: Invalid argument"]);
        assert_eq!(pr(&["-C", &at("none")]).0, 66);
        assert_eq!(pr(&["-Z"]).0, 64);
    }
}
