//! mtail: the end of the mail log.
//!
//! In: the log, wherever the system keeps it. Out: its last lines, all of them or those that tell of trouble. Documents:
//! syslog.conf(5), journalctl(1). Never: changes anything.

mod find;
mod trouble;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use clap::Parser;

use self::find::Place;
use super::arguments;
use super::finish::finish;
use crate::base::exit::Exit;
use crate::sys::safefile::error_text;
use crate::sys::spawn::{Launch, Stream};
use crate::sys::{env, file};

/// Shows the end of the mail log.
#[derive(Debug, Parser)]
#[command(name = "mtail", version)]
struct Line {
    /// The log; found by itself when not given
    file: Option<PathBuf>,
    /// How many lines
    #[arg(short = 'n', long, default_value_t = 20)]
    lines: usize,
    /// Only lines that tell of errors, refusals and delays
    #[arg(short = 'e', long)]
    errors: bool,
    /// Go on with what is written from now on
    #[arg(short = 'f', long)]
    follow: bool,
    /// Say which log is shown, and where it was looked for
    #[arg(short = 'v', long)]
    verbose: bool,
}

/// The program.
pub fn main() -> ExitCode {
    finish(run(env::args(), &mut io::stdout().lock(), &mut io::stderr().lock()))
}

/// The program with its outputs passed in.
pub fn run(args: Vec<OsString>, out: &mut dyn Write, errors: &mut dyn Write) -> Exit {
    let line: Line = match arguments::parse(with_count(args), out, errors) {
        Ok(line) => line,
        Err(exit) => return exit,
    };
    let place = match &line.file {
        Some(path) => Some(Place::File(path.clone())),
        None => match env::var("SENDMAIL_LOG_FILE") {
            Some(path) => Some(Place::File(path.into())),
            None => find::find(Path::new("/")),
        },
    };
    let Some(place) = place else {
        let looked = find::PLACES.join(", ");
        let _ = writeln!(errors, "mtail: no mail log: syslog names none, and none of these is there: {looked}");
        return Exit::NOINPUT;
    };
    if line.verbose {
        let _ = writeln!(errors, "mtail: {place}");
    }
    let done = match &place {
        Place::File(path) => show(path, &line, out),
        Place::Journal => return journal_of(find::JOURNALCTL, &line, out, errors),
    };
    match done {
        Ok(()) => Exit::OK,
        // Who reads the first lines and goes, as head(1) does, misses nothing.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::OK,
        Err(error) => {
            let _ = writeln!(errors, "mtail: {place}: {}", error_text(&error));
            if error.kind() == io::ErrorKind::PermissionDenied { Exit::NOPERM } else { Exit::NOINPUT }
        }
    }
}

/// `-5` is `-n 5`, as of tail(1).
fn with_count(args: Vec<OsString>) -> Vec<OsString> {
    let mut are_flags = true;
    let word = |arg: OsString| {
        are_flags &= arg != "--";
        let count = arg.to_str().and_then(|text| text.strip_prefix('-')).filter(|rest| !rest.is_empty() && are_flags);
        match count.filter(|rest| rest.bytes().all(|b| b.is_ascii_digit())) {
            Some(count) => format!("-n{count}").into(),
            None => arg,
        }
    };
    args.into_iter().map(word).collect()
}

/// The last lines of a file, and then what is added to it.
fn show(path: &Path, line: &Line, out: &mut dyn Write) -> io::Result<()> {
    let mut log = file::open_read_following(path)?;
    for text in last_lines(&mut log, line.lines, line.errors)? {
        out.write_all(&text)?;
    }
    out.flush()?;
    if line.follow { follow(path, log, line.errors, out) } else { Ok(()) }
}

/// What is added to the file, for ever; also when another file takes its name.
fn follow(path: &Path, log: File, only_trouble: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut reader = BufReader::new(log);
    let mut text = Vec::new();
    loop {
        if reader.read_until(b'\n', &mut text)? == 0 {
            std::thread::sleep(PAUSE);
            if let Some(next) = replaced(path, reader.get_mut())? {
                reader = BufReader::new(next);
            }
        } else if text.ends_with(b"\n") {
            if !only_trouble || trouble::tells_of_trouble(&text) {
                out.write_all(&text)?;
                out.flush()?;
            }
            text.clear();
        }
    }
}

/// The file that has the name now, when it is another one or was cut.
fn replaced(path: &Path, open: &mut File) -> io::Result<Option<File>> {
    let Ok(now) = file::facts_of(path) else { return Ok(None) };
    let before = file::facts(&*open)?;
    if now.is_same_file(&before) && now.bytes >= open.stream_position()? {
        return Ok(None);
    }
    file::open_read_following(path).map(Some)
}

/// The last `count` lines; with `only_trouble`, of those that tell of it. Memory: the lines, not the file.
fn last_lines(log: &mut File, count: usize, only_trouble: bool) -> io::Result<VecDeque<Vec<u8>>> {
    let length = log.seek(SeekFrom::End(0))?;
    let mut reach = FIRST_REACH;
    loop {
        let from = length.saturating_sub(reach);
        log.seek(SeekFrom::Start(from))?;
        let mut reader = BufReader::new(&mut *log).take(length - from);
        let mut lines = VecDeque::new();
        let mut text = Vec::new();
        let mut is_first = from > 0;
        while reader.read_until(b'\n', &mut text)? > 0 {
            let line = std::mem::take(&mut text);
            // The first one may be cut.
            if std::mem::take(&mut is_first) || (only_trouble && !trouble::tells_of_trouble(&line)) {
                continue;
            }
            lines.push_back(line);
            if lines.len() > count {
                lines.pop_front();
            }
        }
        if from == 0 || lines.len() == count {
            log.seek(SeekFrom::Start(length))?;
            return Ok(lines);
        }
        reach = reach.saturating_mul(8);
    }
}

/// The journal shows its end itself; a journal without any mail line is no mail log.
fn journal_of(program: &str, line: &Line, out: &mut dyn Write, errors: &mut dyn Write) -> Exit {
    let mut argv = vec!["--no-pager".to_owned(), "--facility=mail".to_owned(), format!("--lines={}", line.lines)];
    if line.errors {
        argv.push("--priority=warning".to_owned());
    }
    if line.follow {
        argv.push("--follow".to_owned());
        return match started(program, &argv, Stream::Inherit).and_then(|mut child| child.wait()) {
            Ok(status) if status.success() => Exit::OK,
            Ok(_) => Exit::NOINPUT,
            Err(error) => unavailable(program, &error, errors),
        };
    }
    let text = match entries(program, &argv) {
        Ok(Some(text)) => text,
        Ok(None) => return Exit::NOINPUT,
        Err(error) => return unavailable(program, &error, errors),
    };
    if !text.is_empty() {
        // Who reads the first lines and goes misses nothing.
        return if out.write_all(&text).and_then(|()| out.flush()).is_ok() { Exit::OK } else { Exit::IOERR };
    }
    let any = ["--no-pager", "--facility=mail", "--lines=1"].map(str::to_owned);
    match entries(program, &any) {
        // Nothing went wrong, or no line was asked for.
        Ok(Some(any)) if !any.is_empty() => Exit::OK,
        Ok(_) => {
            let _ = writeln!(errors, "mtail: {}: it has no mail lines, or none that you may read", Place::Journal);
            Exit::NOINPUT
        }
        Err(error) => unavailable(program, &error, errors),
    }
}

/// What the journal holds; `None` when the program that reads it failed, which it has told.
fn entries(program: &str, argv: &[String]) -> io::Result<Option<Vec<u8>>> {
    let mut child = started(program, argv, Stream::Pipe)?;
    let mut text = Vec::new();
    let read = child.stdout.take().map_or(Ok(0), |mut pipe| pipe.read_to_end(&mut text));
    let status = child.wait()?;
    read?;
    // Remarks of the program itself: `-- No entries --`, `-- Boot … --`.
    let lines = text.split_inclusive(|b| *b == b'\n').filter(|line| !line.starts_with(b"-- "));
    Ok(status.success().then(|| lines.collect::<Vec<_>>().concat()))
}

fn started(program: &str, argv: &[String], stdout: Stream) -> io::Result<std::process::Child> {
    let mut launch = Launch::new(program);
    let words = std::iter::once("journalctl").chain(argv.iter().map(String::as_str));
    launch.argv = words.map(|word| Bytes::copy_from_slice(word.as_bytes())).collect();
    (launch.stdout, launch.stderr, launch.own_session) = (stdout, Stream::Inherit, false);
    launch.start()
}

fn unavailable(program: &str, error: &io::Error, errors: &mut dyn Write) -> Exit {
    let _ = writeln!(errors, "mtail: {program}: {}", error_text(error));
    Exit::UNAVAILABLE
}

/// How far from the end the search for lines begins, bytes.
const FIRST_REACH: u64 = 64 * 1024;
/// Between two looks at a file that does not grow.
const PAUSE: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    fn mtail(words: &[&str]) -> (Exit, String, String) {
        let (mut out, mut errors) = (Vec::new(), Vec::new());
        let args = std::iter::once("mtail").chain(words.iter().copied()).map(OsString::from).collect();
        let exit = run(args, &mut out, &mut errors);
        (exit, String::from_utf8(out).unwrap(), String::from_utf8(errors).unwrap())
    }

    #[test]
    fn the_last_lines_are_shown_also_of_a_long_log() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("mail.log");
        let line = |n: usize| format!("Nov 29 10:00:00 h sendmail[1]: line {n} {}\n", "x".repeat(60));
        let text = (0..5000).map(line).collect::<Vec<_>>().concat();
        file::replace(&path, text.as_bytes(), 0o600).unwrap();
        let all: Vec<&str> = text.split_inclusive('\n').collect();
        let name = path.to_str().unwrap();
        for count in [0, 1, 20, 3000, 9000] {
            let (exit, out, _) = mtail(&["-n", &count.to_string(), name]);
            assert_eq!(exit, Exit::OK);
            assert_eq!(out, all[all.len().saturating_sub(count)..].concat(), "{count}");
            assert_eq!(mtail(&[&format!("-{count}"), name]), (exit, out, String::new()));
        }
    }

    #[test]
    fn errors_are_found_far_back() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("mail.log");
        let trouble = "Nov 29 10:00:00 h sm-mta[7]: STARTTLS=server: file /k unsafe: Group readable file\n";
        let fine = "Nov 29 10:00:01 h sm-mta[7]: X: to=a, dsn=2.0.0, stat=Sent\n".repeat(9000);
        file::replace(&path, format!("{trouble}{fine}").as_bytes(), 0o600).unwrap();
        let (exit, out, _) = mtail(&["-e", path.to_str().unwrap()]);
        assert_eq!((exit, out.as_str()), (Exit::OK, trouble));
    }

    #[test]
    fn an_empty_journal_is_no_mail_log() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("journalctl");
        let journal = |script: &str, words: &[&str]| {
            file::replace(&path, format!("#!/bin/sh\n{script}\n").as_bytes(), 0o755).unwrap();
            let line = Line::try_parse_from([&["mtail"], words].concat()).unwrap();
            let (mut out, mut errors) = (Vec::new(), Vec::new());
            let exit = journal_of(path.to_str().unwrap(), &line, &mut out, &mut errors);
            (exit, String::from_utf8(out).unwrap(), String::from_utf8(errors).unwrap())
        };
        let told = "mtail: the journal: it has no mail lines, or none that you may read\n".to_owned();
        assert_eq!(journal("echo '-- No entries --'", &[]), (Exit::NOINPUT, String::new(), told));
        let fine = "case \"$*\" in *priority*) echo '-- No entries --';; *) echo 'x sm-mta[1]: fine';; esac";
        assert_eq!(journal(fine, &["-e"]), (Exit::OK, String::new(), String::new()));
        assert_eq!(journal(fine, &[]), (Exit::OK, "x sm-mta[1]: fine\n".to_owned(), String::new()));
        assert_eq!(journal("exit 3", &[]).0, Exit::NOINPUT);
    }

    #[test]
    fn a_log_that_is_not_there_is_named() {
        let (exit, _, errors) = mtail(&["/no/such/mail.log"]);
        assert_eq!(exit, Exit::NOINPUT);
        assert_eq!(errors, "mtail: /no/such/mail.log: No such file or directory\n");
    }
}
