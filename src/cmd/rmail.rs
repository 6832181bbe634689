//! `rmail`: hands mail that came by UUCP to sendmail.
//!
//! In: a message with one or more `From_` lines on standard input, recipients as arguments. Out: the message without them to
//! `sendmail`, the way it came as `-f`. Documents: rmail(8); observed (arguments, messages). Never: gives a word from outside to
//! sendmail that could be read as an option.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

use bytes::Bytes;
use clap::Parser;

use super::SENDMAIL;
use super::database::{self, End, own_name};
use super::finish::finish;
use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::sys::safefile::error_text;
use crate::sys::spawn::{Ended, Launch, Stream};
use crate::sys::{daemonize, env};

#[derive(Debug, Parser)]
#[command(disable_help_flag = true, disable_version_flag = true, args_override_self = true)]
struct Args {
    #[arg(short = 'D', default_value = "UUCP", allow_hyphen_values = true)]
    domain: OsString,
    #[arg(short = 'T')]
    is_debugging: bool,
    users: Vec<OsString>,
}

/// The program.
pub fn main() -> ExitCode {
    if daemonize::open_standard_descriptors().is_err() {
        return finish(Exit::OSERR);
    }
    let args = env::args();
    let program = own_name(&args, "rmail");
    let mut errors = io::stderr().lock();
    finish(
        work(&program, args, Path::new(SENDMAIL), &mut BufReader::new(io::stdin().lock()), &mut errors)
            .unwrap_or_else(|e| e.tell(&program, &mut errors)),
    )
}

fn work(
    program: &str,
    args: Vec<OsString>,
    sendmail: &Path,
    input: &mut impl BufRead,
    errors: &mut impl Write,
) -> Result<Exit, End> {
    let usage = format!("usage: {program} [-T] [-D domain] user ...\n");
    let args = Args::try_parse_from(args).map_err(|e| database::misuse(program, &e, &usage))?;
    if args.users.is_empty() {
        errors.write_all(usage.as_bytes())?;
        return Ok(Exit::USAGE);
    }
    if let Some(user) = args.users.iter().find(|user| user.as_bytes().starts_with(b"-")) {
        writeln!(errors, "{program}: dash precedes argument: {}", shown(user.as_bytes()))?;
        return Ok(Exit::USAGE);
    }
    let (route, first) = match read_route(input)? {
        Ok(read) => read,
        Err(text) => {
            writeln!(errors, "{program}: {text}")?;
            return Ok(Exit::DATAERR);
        }
    };
    let argv = arguments(sendmail, &args, &route);
    if args.is_debugging {
        for (what, value) in [("from_sys", &route.system), ("from_path", &route.path), ("from_user", &route.user)] {
            writeln!(errors, "{what}: {}", shown(value))?;
        }
        writeln!(errors, "Sendmail arguments:")?;
        for word in &argv {
            writeln!(errors, "\t{}", shown(word))?;
        }
    }
    hand_over(program, sendmail, argv, &first, input, errors)
}

/// Where a message came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Route {
    /// The host that sent it here; empty when no line says so.
    system: Vec<u8>,
    /// Hosts on the way back, each with its `!`.
    path: Vec<u8>,
    /// Who wrote it, as the last line says.
    user: Vec<u8>,
}

/// Reads the `From_` lines. Also given: the first line that is none.
///
/// Errors: of reading; inside: what to say of input that has no such lines.
fn read_route(input: &mut impl BufRead) -> io::Result<Result<(Route, Vec<u8>), String>> {
    let mut route = Route::default();
    let mut has_line = false;
    loop {
        let mut line = Vec::new();
        input.by_ref().take(LONGEST).read_until(b'\n', &mut line)?;
        let Some(rest) = line.strip_prefix(b"From ").or_else(|| line.strip_prefix(b">From ")) else {
            return Ok(match (has_line, line.is_empty()) {
                (true, _) => Ok((route, line)),
                (false, true) => Err("no data".to_owned()),
                (false, false) => Err(missing(&line)),
            });
        };
        if !line.ends_with(b"\n") {
            return Ok(Err("line too long".to_owned()));
        }
        if line.contains(&0) {
            return Ok(Err(missing(&line)));
        }
        let mut words = rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let Some(sender) = words.next() else { return Ok(Err(missing(&line))) };
        let words: Vec<&[u8]> = words.collect();
        let remote =
            words.windows(3).find(|words| words.starts_with(&[b"remote", b"from"])).map(|words| words.get(2).copied());
        let remote = remote.flatten();
        // Where a host is named, a bang belongs to the user. Source: observed.
        let (hop, user) = match sender.iter().rposition(|byte| *byte == b'!').filter(|_| remote.is_none()) {
            Some(at) => (sender.get(..at), sender.get(at + 1..).unwrap_or_default()),
            None => (remote, sender),
        };
        if let Some(hop) = hop {
            if hop.is_empty() {
                return Ok(Err(format!("bang starts address: {}", shown(sender))));
            }
            if route.system.is_empty() {
                route.system = hop.to_vec();
            }
            route.path.extend_from_slice(hop);
            route.path.push(b'!');
        }
        route.user = if user.is_empty() { b"<>".to_vec() } else { user.to_vec() };
        has_line = true;
    }
}

fn missing(line: &[u8]) -> String {
    format!("missing or empty From line: {}", shown(line.trim_ascii_end()))
}

/// What sendmail is called with. Source: observed.
fn arguments(sendmail: &Path, args: &Args, route: &Route) -> Vec<Bytes> {
    let domain = args.domain.as_bytes();
    let protocol = if route.system.is_empty() {
        [b"-p", domain].concat()
    } else {
        [b"-p", domain, b":", &route.system, b".", domain].concat()
    };
    let mut argv: Vec<Bytes> = vec![Bytes::copy_from_slice(sendmail.as_os_str().as_bytes())];
    argv.extend(["-G", "-oee", "-odi", "-oi"].map(Bytes::from));
    argv.push(protocol.into());
    argv.push([b"-f", route.path.as_slice(), &route.user].concat().into());
    argv.extend(args.users.iter().map(|user| {
        let user = user.as_bytes();
        // A comma in a name is no list.
        if user.contains(&b',') && !user.contains(&b'<') {
            [b"<", user, b">"].concat().into()
        } else {
            Bytes::copy_from_slice(user)
        }
    }));
    argv
}

/// Starts sendmail and gives it the message.
fn hand_over(
    program: &str,
    sendmail: &Path,
    argv: Vec<Bytes>,
    first: &[u8],
    input: &mut impl Read,
    errors: &mut impl Write,
) -> Result<Exit, End> {
    let launch = Launch { argv, stdin: Stream::Pipe, ..Launch::beside(sendmail) };
    let name = sendmail.display();
    let mut child = match launch.start() {
        Ok(child) => child,
        Err(e) => {
            writeln!(errors, "{program}: {name}: {}", error_text(&e))?;
            return Ok(Exit::TEMPFAIL);
        }
    };
    let given = match child.stdin.take() {
        Some(mut pipe) => pipe.write_all(first).and_then(|()| io::copy(input, &mut pipe)).map(drop),
        None => Ok(()),
    };
    if let Err(e) = &given {
        writeln!(errors, "{program}: {name}: {}", error_text(e))?;
        if e.kind() != io::ErrorKind::BrokenPipe {
            // Part of a message must not be sent as a whole one.
            child.kill()?;
        }
    }
    Ok(match (Ended::from(child.wait()?), given.is_ok()) {
        (Ended::Exit(0), true) => Exit::OK,
        (Ended::Exit(0), false) => Exit::TEMPFAIL,
        (Ended::Exit(code), _) => {
            writeln!(errors, "{program}: {name}: terminated with {code} (non-zero) status")?;
            Exit(code)
        }
        (Ended::Signal(signal, _), _) => {
            writeln!(errors, "{program}: {name}: terminated by signal {signal}")?;
            Exit::TEMPFAIL
        }
    })
}

/// Longest line that is looked at, bytes.
const LONGEST: u64 = 2048;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::file;

    fn read(text: &str) -> Result<(String, String, String), String> {
        let mut input = text.as_bytes();
        let (route, first) = read_route(&mut input).unwrap()?;
        let args = Args::try_parse_from(["rmail", "bob"]).unwrap();
        let words = arguments(Path::new(SENDMAIL), &args, &route);
        let word = |at: usize| String::from_utf8(words[at].to_vec()).unwrap();
        Ok((word(5), word(6), String::from_utf8([&first, input].concat()).unwrap()))
    }

    #[test]
    fn lines_of_the_way_become_one_path() {
        let stamp = "Mon Nov 30 09:00:00 2026";
        for (lines, protocol, from) in [
            (format!("From user {stamp} remote from hosta\n"), "-pUUCP:hosta.UUCP", "-fhosta!user"),
            (
                format!(">From user {stamp} remote from hostb\n>From hosta!user {stamp} remote from hostc\n"),
                "-pUUCP:hostb.UUCP",
                "-fhostb!hostc!hosta!user",
            ),
            (format!("From hosta!hostb!user {stamp}\n"), "-pUUCP:hosta!hostb.UUCP", "-fhosta!hostb!user"),
            (format!("From user@dom.ex {stamp}\n"), "-pUUCP", "-fuser@dom.ex"),
            (format!("From hosta!user@dom.ex {stamp} remote from h\n"), "-pUUCP:h.UUCP", "-fh!hosta!user@dom.ex"),
            ("From x! Mon\n".to_owned(), "-pUUCP:x.UUCP", "-fx!<>"),
            ("From a!u Mon remote from h\n>From v Tue remote from k\n".to_owned(), "-pUUCP:h.UUCP", "-fh!k!v"),
            ("From !x Mon remote from h\n".to_owned(), "-pUUCP:h.UUCP", "-fh!!x"),
            ("From user Mon\n".to_owned(), "-pUUCP", "-fuser"),
            ("From user Mon remote from\n".to_owned(), "-pUUCP", "-fuser"),
            (format!("From -user {stamp} remote from -h\n"), "-pUUCP:-h.UUCP", "-f-h!-user"),
            (
                "From user Mon remote from h\n>From other Tue remote from k\n>From third Tue\n".to_owned(),
                "-pUUCP:h.UUCP",
                "-fh!k!third",
            ),
        ] {
            let expected = Ok((protocol.to_owned(), from.to_owned(), "Subject: x\n\nFrom here\n".to_owned()));
            assert_eq!(read(&format!("{lines}Subject: x\n\nFrom here\n")), expected, "{lines}");
        }
    }

    #[test]
    fn input_without_such_a_line_is_refused() {
        for (text, said) in [
            ("", "no data"),
            ("From\n\nb", "missing or empty From line: From"),
            ("From \n\nb", "missing or empty From line: From"),
            ("Subject: x\n\nb", "missing or empty From line: Subject: x"),
            ("From user", "line too long"),
            ("From !x\n\nb", "bang starts address: !x"),
            ("From ! Mon\n\nb", "bang starts address: !"),
            ("From a Mon\n>From !x Tue\n\nb", "bang starts address: !x"),
        ] {
            assert_eq!(read(text), Err(said.to_owned()), "{text}");
        }
        assert_eq!(read(&format!("From {}\n", "x".repeat(3000))), Err("line too long".to_owned()));
    }

    /// Runs the program on `text` with a shell script in place of sendmail, which ends as the file of that name in `end` says:
    /// exit code, what the script wrote, errors.
    fn run(end: Option<(&str, &str)>, users: &[&str], text: &str) -> (u8, String, String) {
        let folder = tempfile::tempdir().unwrap();
        let sendmail = folder.path().join("sendmail");
        // A file that has just been written cannot be run while a child of another test still has it open.
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/sendmail-that-notes");
        file::Dir::open(folder.path()).unwrap().symlink(script, "sendmail").unwrap();
        if let Some((name, value)) = end {
            file::replace(&folder.path().join(name), value.as_bytes(), 0o600).unwrap();
        }
        let mut args: Vec<OsString> = vec!["rmail".into()];
        args.extend(users.iter().map(OsString::from));
        let mut errors = Vec::new();
        let exit = work("rmail", args, &sendmail, &mut text.as_bytes(), &mut errors)
            .unwrap_or_else(|e| e.tell("rmail", &mut errors));
        let written = file::read(&folder.path().join("sent"), 1 << 16).unwrap_or_default();
        let errors = String::from_utf8(errors).unwrap().replace(folder.path().to_str().unwrap(), "DIR");
        (exit.0, String::from_utf8(written).unwrap(), errors)
    }

    #[test]
    fn sendmail_gets_the_message_and_its_code_is_ours() {
        let text = "From user Mon remote from h\nSubject: x\n\n.\nFrom here\n";
        let (exit, written, errors) = run(None, &["-D", "dom", "a,b", "carol"], text);
        assert_eq!((exit, errors.as_str()), (0, ""));
        assert_eq!(written, "[-G][-oee][-odi][-oi][-pdom:h.dom][-fh!user][<a,b>][carol]\nSubject: x\n\n.\nFrom here\n");
        let (exit, _, errors) = run(Some(("code", "67")), &["bob"], text);
        assert_eq!((exit, errors.as_str()), (67, "rmail: DIR/sendmail: terminated with 67 (non-zero) status\n"));
        let (exit, _, errors) = run(Some(("signal", "9")), &["bob"], text);
        assert_eq!((exit, errors.as_str()), (75, "rmail: DIR/sendmail: terminated by signal 9\n"));
    }

    #[test]
    fn wrong_command_lines_start_nothing() {
        for (users, said) in [
            (&[][..], "usage: rmail [-T] [-D domain] user ...\n"),
            (&["-x"], "rmail: invalid option -- 'x'\nusage: rmail [-T] [-D domain] user ...\n"),
            (&["--", "-odd"], "rmail: dash precedes argument: -odd\n"),
        ] {
            let (exit, written, errors) = run(None, users, "From user Mon\n");
            assert_eq!((exit, written.as_str(), errors.as_str()), (64, "", said));
        }
    }
}
