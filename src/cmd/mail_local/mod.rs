//! `mail.local`: puts mail into mailboxes.
//!
//! In: a message on standard input, or an LMTP dialogue. Out: messages in mbox files, durable before they are confirmed.
//! Documents: mail.local(8), RFC 2033. Never: has more than one thread, because it takes on each user's identity in turn.

mod lmtp;
mod mailbox;
mod spool;

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::process::ExitCode;

use bytes::Bytes;

use crate::base::exit::Exit;
use crate::sys::{clock, daemonize, env, file, user};
use mailbox::Failure;
use spool::Message;

/// What the command line says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Settings {
    /// `-7`: no 8BITMIME in LHLO.
    is_7bit: bool,
    /// `-b`: a full quota is for good.
    quota_is_permanent: bool,
    /// `-l`.
    is_lmtp: bool,
    /// `-n`: domains of recipients are kept.
    keeps_domain: bool,
    /// `-f`, `-r`.
    from: Option<Bytes>,
    /// `-h`: file in the home directory.
    home_file: Option<Bytes>,
    /// `-p`: directory of the mailboxes.
    directory: Option<PathBuf>,
    /// Recipients.
    users: Vec<Bytes>,
}

/// The program.
pub fn main() -> ExitCode {
    let exit = run();
    ExitCode::from(exit.0)
}

fn run() -> Exit {
    if daemonize::open_standard_descriptors().is_err() {
        return Exit::OSERR;
    }
    file::set_umask(0o077);
    let args: Vec<Bytes> = env::args().into_iter().map(|a| Bytes::from(a.into_vec())).collect();
    let mut errors = io::stderr().lock();
    let settings = match parse(args.get(1..).unwrap_or_default()) {
        Ok(settings) => settings,
        Err(text) => {
            let _ = writeln!(errors, "{text}");
            return Exit::UNAVAILABLE;
        }
    };
    if settings.is_lmtp {
        if !settings.users.is_empty() {
            let _ = writeln!(io::stdout(), "421 Users should not be specified in command line if LMTP required\r");
            return Exit::TEMPFAIL;
        }
        return lmtp::serve(&settings, io::stdin().lock(), io::stdout().lock());
    }
    deliver_input(&settings, &mut io::stdin().lock(), &mut errors)
}

/// Delivers standard input to the users of the command line.
fn deliver_input(settings: &Settings, input: &mut impl Read, errors: &mut impl Write) -> Exit {
    let from = settings.from.clone().unwrap_or_else(caller);
    let stored = Message::new(&from, clock::now(), &clock::caller_zone()).and_then(|mut message| {
        message.take_all(input)?;
        message.end()?;
        Ok(message)
    });
    let message = match stored {
        Ok(message) => message,
        Err(e) => {
            let _ = writeln!(errors, "mail.local: Temporary file write error: {e}");
            return Exit::TEMPFAIL;
        }
    };
    let mut exit = Exit::OK;
    for name in &settings.users {
        if let Err(failure) = mailbox::deliver(settings, name, &message) {
            let _ = writeln!(errors, "mail.local: {}", failure.text);
            if exit == Exit::OK || failure.is_temporary() {
                exit = failure.exit();
            }
        }
    }
    exit
}

/// The user who started the program.
fn caller() -> Bytes {
    user::by_uid(user::real_uid()).ok().flatten().map_or_else(|| Bytes::from_static(b"???"), |account| account.name)
}

/// Reads options in the manner of getopt(3). Errors: what to print.
fn parse(args: &[Bytes]) -> Result<Settings, String> {
    let mut settings = Settings::default();
    let mut rest = args.iter();
    while let Some(word) = rest.clone().next().filter(|w| w.len() > 1 && w.starts_with(b"-")) {
        rest.next();
        if word.as_ref() == b"--" {
            break;
        }
        let mut letters = word.iter().enumerate().skip(1);
        while let Some((at, letter)) = letters.next() {
            match letter {
                b'7' => settings.is_7bit = true,
                b'b' => settings.quota_is_permanent = true,
                b'd' => {}
                b'l' => settings.is_lmtp = true,
                b'n' => settings.keeps_domain = true,
                b'D' | b'f' | b'r' | b'h' | b'p' => {
                    let attached = word.slice(at + 1..);
                    let value = if attached.is_empty() { rest.next().cloned() } else { Some(attached) };
                    let value = value
                        .ok_or_else(|| wrong(&format!("option requires an argument -- '{}'", char::from(*letter))))?;
                    set(&mut settings, *letter, value)?;
                    letters = word.iter().enumerate().skip(word.len());
                }
                other => return Err(wrong(&format!("invalid option -- '{}'", char::from(*other)))),
            }
        }
    }
    settings.users = rest.cloned().collect();
    if settings.users.is_empty() && !settings.is_lmtp {
        return Err(format!("mail.local: {USAGE}"));
    }
    Ok(settings)
}

fn set(settings: &mut Settings, letter: u8, value: Bytes) -> Result<(), String> {
    match letter {
        b'f' | b'r' if settings.from.is_some() => return Err("mail.local: Multiple -f options".to_owned()),
        b'f' | b'r' => settings.from = Some(value),
        b'h' if value.is_empty() || value.contains(&b'/') => return Err("mail.local: -h: not a file name".to_owned()),
        b'h' => settings.home_file = Some(value),
        b'p' => settings.directory = Some(OsString::from_vec(value.into()).into()),
        _ if value.as_ref() == b"pw" => {}
        _ => return Err(format!("mail.local: Can not open mailbox database {}: unknown type", value.escape_ascii())),
    }
    Ok(())
}

fn wrong(what: &str) -> String {
    format!("mail.local: {what}\nmail.local: {USAGE}")
}

const USAGE: &str = "usage: mail.local [-7] [-b] [-d] [-l] [-f from|-r from] [-h filename] user ...";

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Settings, String> {
        parse(&line.split_whitespace().map(|w| Bytes::copy_from_slice(w.as_bytes())).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read_as_getopt_reads_them() {
        let settings = parsed("-dfa@b -7 bob carol").unwrap();
        assert_eq!((settings.from.as_deref(), settings.is_7bit), (Some(&b"a@b"[..]), true));
        assert_eq!(settings.users, ["bob", "carol"]);
        assert_eq!(parsed("-r x -- -odd").unwrap().users, ["-odd"]);
        assert!(parsed("-l").unwrap().is_lmtp);
        assert_eq!(parsed("-D pw bob").unwrap().users, ["bob"]);
        for (line, text) in [
            ("", "mail.local: usage:"),
            ("-x bob", "invalid option -- 'x'"),
            ("-f", "requires an argument"),
            ("-f a -r b bob", "Multiple -f options"),
            ("-D ldap bob", "Can not open mailbox database"),
        ] {
            assert!(parsed(line).unwrap_err().contains(text), "{line}");
        }
    }
}
