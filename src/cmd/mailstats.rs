//! `mailstats`: shows the counters of `StatusFile`.
//!
//! In: the file, and the configuration that names it and the mailers. Out: a table, or lines for programs; with `-p` the file
//! is emptied afterwards. Documents: mailstats(8). Never: runs what the configuration names.

use std::ffi::OsString;
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use jiff::tz::TimeZone;

use super::database::{self, End, own_name};
use super::finish::finish;
use super::modes::Role;
use crate::base::bytes::shown;
use crate::base::date;
use crate::base::exit::Exit;
use crate::base::time::UnixTime;
use crate::config::Config;
use crate::config::drive::{LoadOptions, load};
use crate::log::statistics::{Counters, Fault, LOCKED, Row, SIZE, VERSION, WAIT};
use crate::sys::safefile::error_text;
use crate::sys::{clock, env, file, lock};

#[derive(Debug, Parser)]
#[command(disable_help_flag = true, disable_version_flag = true, args_override_self = true)]
struct Args {
    #[arg(short = 'C', allow_hyphen_values = true)]
    configuration: Option<PathBuf>,
    #[arg(short = 'c')]
    of_submission: bool,
    #[arg(short = 'f', allow_hyphen_values = true)]
    file: Option<PathBuf>,
    #[arg(short = 'o')]
    without_names: bool,
    #[arg(short = 'P')]
    for_programs: bool,
    #[arg(short = 'p')]
    empties: bool,
    words: Vec<OsString>,
}

/// The program.
pub fn main() -> ExitCode {
    finish(run(env::args(), &clock::caller_zone(), &mut io::stdout().lock(), &mut io::stderr().lock()))
}

/// The program with its outputs passed in.
pub fn run(args: Vec<OsString>, zone: &TimeZone, out: &mut dyn Write, errors: &mut dyn Write) -> Exit {
    let program = own_name(&args, "mailstats");
    work(&program, args, zone, out).map_or_else(|end| end.tell(&program, errors), |()| Exit::OK)
}

fn work(program: &str, args: Vec<OsString>, zone: &TimeZone, out: &mut dyn Write) -> Result<(), End> {
    let usage = "usage: mailstats [-C cffile] [-c] [-P] [-f stfile] [-o] [-p]\n";
    let args = Args::try_parse_from(args).map_err(|e| database::misuse(program, &e, usage))?;
    if !args.words.is_empty() {
        return Err(End::Told(Exit::USAGE, usage.to_owned()));
    }
    let role = if args.of_submission { Role::Submission } else { Role::Transfer };
    let path = args.configuration.clone().unwrap_or_else(|| role.path());
    // One that cannot be read has an exit code of its own.
    database::configuration(program, &path)?;
    let options = LoadOptions { chosen_by_user: true, without_programs: true, ..LoadOptions::default() };
    // Its faults are told by whoever works under it.
    let (config, _) = load(&path, &options);
    let file = args.file.clone().or_else(|| config.status_file());
    let file = file.ok_or_else(|| End::Told(Exit::OSFILE, format!("{program}: no statistics file located\n")))?;
    let unreadable =
        |error: io::Error| End::Told(Exit::NOINPUT, format!("{program}: {}: {}\n", file.display(), error_text(&error)));
    let mut bytes = Vec::new();
    let opened = if args.empties { file::open_update_following(&file) } else { file::open_read_following(&file) };
    let opened = opened.map_err(unreadable)?;
    // Held until the file is empty: nothing is counted in between.
    if args.empties && !lock::lock_within(&opened, lock::Kind::Exclusive, WAIT).map_err(unreadable)? {
        return Err(End::Told(Exit::TEMPFAIL, format!("{program}: {}: {LOCKED}\n", file.display())));
    }
    (&opened).take(SIZE as u64).read_to_end(&mut bytes).map_err(unreadable)?;
    let fault = |fault| End::Told(Exit::OSERR, words(program, fault, &file));
    let mut counters = Counters::parse(&bytes).map_err(fault)?;
    let now = clock::now();
    if counters.start == UnixTime(0) {
        counters.start = now;
    }
    let names = (!args.without_names).then_some(&config);
    let text =
        if args.for_programs || args.empties { lines(&counters, names, now) } else { table(&counters, names, zone) };
    out.write_all(text.as_bytes())?;
    out.flush()?;
    if args.empties { opened.set_len(0).map_err(unreadable) } else { Ok(()) }
}

fn words(program: &str, fault: Fault, path: &Path) -> String {
    let path = path.display();
    match fault {
        Fault::Magic => format!("{program}: {fault} in {path}\n"),
        Fault::Version(other) => format!("{program} version ({VERSION}) incompatible with {path} version ({other})\n"),
        Fault::Size => format!("{program}: {fault}.\n"),
    }
}

/// For people: the lines of mailers that were used, and sums. Shape: observed.
fn table(counters: &Counters, names: Option<&Config>, zone: &TimeZone) -> String {
    let when = date::zoned(counters.start, zone).strftime("%a %b %e %H:%M:%S %Y");
    let title = if names.is_some() { "  Mailer" } else { "" };
    let head = format!(
        "Statistics from {when}\n M   msgsfr  bytes_from   msgsto    bytes_to  msgsrej msgsdis msgsqur{title}\n"
    );
    let (rows, rule, total) = (rows(counters, names, "K"), "=".repeat(RULE), line("T", &total(counters), "K"));
    let [from, to, refused] = counters.connections;
    format!("{head}{rows}{rule}\n{total}\n C {from:>8} {:>11} {to:>8} {:>11}   {refused:>6}\n", "", "")
}

/// For programs. Shape: observed.
fn lines(counters: &Counters, names: Option<&Config>, now: UnixTime) -> String {
    let (rows, total) = (rows(counters, names, ""), line("T", &total(counters), ""));
    let [from, to, refused] = counters.connections;
    format!("{} {}\n{rows}{total}\n C {from:>8} {to:>8} {refused:>6}\n", counters.start.0, now.0)
}

fn rows(counters: &Counters, names: Option<&Config>, unit: &str) -> String {
    let used = counters.rows.iter().enumerate().filter(|(_, row)| **row != Row::default());
    let lines = used.map(|(number, row)| {
        let name = names.map(|config| {
            let name = config.mailers.get(number).map(|mailer| shown(&mailer.name).to_string()).unwrap_or_default();
            format!("  {name}")
        });
        format!("{}{}\n", line(&number.to_string(), row, unit), name.unwrap_or_default())
    });
    lines.collect()
}

fn line(key: &str, row: &Row, unit: &str) -> String {
    let [from, from_size, to, to_size, rejected, discarded, quarantined] = row.numbers();
    format!(
        "{key:>2} {from:>8} {from_size:>10}{unit} {to:>8} {to_size:>10}{unit}   {rejected:>6}  {discarded:>6}  {quarantined:>6}"
    )
}

fn total(counters: &Counters) -> Row {
    let mut all = Row::default();
    counters.rows.iter().for_each(|row| all.add(row));
    all
}

/// Length of the line above the sum.
const RULE: usize = 69;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::statistics::Event;

    fn write(path: &str, text: impl AsRef<[u8]>) {
        file::replace(path.as_ref(), text.as_ref(), 0o600).unwrap();
    }

    fn mailstats(words: &[&str]) -> (Exit, String, String) {
        let (mut out, mut errors) = (Vec::new(), Vec::new());
        let args = std::iter::once("mailstats").chain(words.iter().copied()).map(OsString::from).collect();
        let exit = run(args, &TimeZone::posix("CET-1").unwrap(), &mut out, &mut errors);
        (exit, String::from_utf8(out).unwrap(), String::from_utf8(errors).unwrap())
    }

    #[test]
    fn the_table_is_the_original_s() {
        let tmp = tempfile::tempdir().unwrap();
        let path = |name: &str| tmp.path().join(name).to_str().unwrap().to_owned();
        let (cf, st) = (path("cf"), path("st"));
        write(&cf, format!("V10\nO StatusFile={st}\nMlocal, P=/bin/cat, A=cat\nMesmtp, P=[IPC], A=TCP $h\n"));
        let mut counters = Counters { start: UnixTime(1_795_991_493), ..Counters::default() };
        for event in [
            Event::Connection,
            Event::Connection,
            Event::OutgoingConnection,
            Event::RefusedConnection,
            Event::From(3, 1500),
            Event::To(4, 73),
            Event::Rejected(4),
            Event::Discarded(4),
            Event::Quarantined(4),
        ] {
            counters.count(event);
        }
        write(&st, counters.render());
        let (exit, out, errors) = mailstats(&["-C", &cf]);
        assert_eq!((exit, errors.as_str()), (Exit::OK, ""));
        assert_eq!(
            out,
            "Statistics from Sun Nov 29 23:31:33 2026\n \
             M   msgsfr  bytes_from   msgsto    bytes_to  msgsrej msgsdis msgsqur  Mailer\n \
             3        1          2K        0          0K        0       0       0  local\n \
             4        0          0K        1          1K        1       1       1  esmtp\n\
             =====================================================================\n \
             T        1          2K        1          1K        1       1       1\n \
             C        2                    1                    1\n"
        );
        let (_, out, _) = mailstats(&["-oP", "-C", &cf]);
        let (head, rest) = out.split_once('\n').unwrap();
        assert!(head.starts_with("1795991493 "), "{head}");
        assert_eq!(
            rest,
            " 3        1          2        0          0        0       0       0\n \
             4        0          0        1          1        1       1       1\n \
             T        1          2        1          1        1       1       1\n \
             C        2        1      1\n"
        );
        let (exit, printed, _) = mailstats(&["-p", "-C", &cf, "-f", &st]);
        assert_eq!((exit, file::read(st.as_ref(), SIZE).unwrap().len()), (Exit::OK, 0));
        assert!(printed.contains("  esmtp\n"));
        let (_, out, _) = mailstats(&["-C", &cf]);
        assert!(out.ends_with(" C        0                    0                    0\n"), "{out}");
    }

    #[test]
    fn a_relative_file_is_the_daemon_s_and_is_emptied_under_its_lock() {
        let tmp = tempfile::tempdir().unwrap();
        let (cf, queue) = (tmp.path().join("cf"), tmp.path().join("queue"));
        std::fs::create_dir(&queue).unwrap();
        let (cf, st) = (cf.to_str().unwrap(), queue.join("st"));
        write(cf, format!("V10\nO StatusFile=st\nO QueueDirectory={}\n", queue.display()));
        let mut counters = Counters { start: UnixTime(1), ..Counters::default() };
        counters.count(Event::Connection);
        write(st.to_str().unwrap(), counters.render());
        let daemon = file::open_read(&st).unwrap();
        lock::lock(&daemon, lock::Kind::Exclusive).unwrap();
        let text = format!("mailstats: {}: locked by another process\n", st.display());
        assert_eq!(mailstats(&["-p", "-C", cf]), (Exit::TEMPFAIL, String::new(), text));
        assert_eq!(file::read(&st, SIZE).unwrap().len(), SIZE);
        lock::unlock(&daemon).unwrap();
        let (exit, out, _) = mailstats(&["-p", "-C", cf]);
        assert!(exit == Exit::OK && out.ends_with("\n C        1        0      0\n"), "{out}");
        assert_eq!(file::read(&st, SIZE).unwrap(), b"");
    }

    #[test]
    fn what_is_wrong_is_told_in_the_original_s_words() {
        let tmp = tempfile::tempdir().unwrap();
        let path = |name: &str| tmp.path().join(name).to_str().unwrap().to_owned();
        let (cf, st) = (path("cf"), path("st"));
        write(&cf, "V10\n");
        let mut old = Counters::default().render();
        old[4] = 3;
        for (contents, code, words) in [
            (&b"abc"[..], 71, format!("mailstats: incorrect magic number in {st}\n")),
            (&old, 71, format!("mailstats version (4) incompatible with {st} version (3)\n")),
            (&Counters::default().render()[..50], 71, "mailstats: file size changed.\n".to_owned()),
        ] {
            write(&st, contents);
            assert_eq!(mailstats(&["-C", &cf, "-f", &st]), (Exit(code), String::new(), words));
        }
        let usage = "usage: mailstats [-C cffile] [-c] [-P] [-f stfile] [-o] [-p]\n";
        for (words, code, text) in [
            (&["-C", &cf][..], 72, "mailstats: no statistics file located\n".to_owned()),
            (&["-C", "/no/cf"], 66, "mailstats: /no/cf: No such file or directory\n".to_owned()),
            (&["-C", &cf, "-f", "/no/st"], 66, "mailstats: /no/st: No such file or directory\n".to_owned()),
            (&["-x"], 64, format!("mailstats: invalid option -- 'x'\n{usage}")),
            (&["-f"], 64, format!("mailstats: option requires an argument -- 'f'\n{usage}")),
            (&["word"], 64, usage.to_owned()),
        ] {
            assert_eq!(mailstats(words), (Exit(code), String::new(), text));
        }
    }
}
