//! `vacation`: answers mail for somebody who is away.
//!
//! In: a message on standard input, as a `.forward` file pipes it. Out: a reply to its sender through `sendmail`, once an interval; the
//! database of who got one. Documents: vacation(1), RFC 3834; observed (arguments, messages, exit codes, database). Never: answers
//! a program, a list or nobody; lets an address be read as an option.

mod answered;
mod arguments;
mod message;
mod reply;

use std::fmt;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use super::SENDMAIL;
use super::database::warned;
use super::finish::finish;
use crate::base::bytes::shown;
use crate::base::date;
use crate::base::exit::Exit;
use crate::base::time::UnixTime;
use crate::log::{Id, Logger, Priority};
use crate::maps::file::Kind;
use crate::sys::file::{self, Dir, open_read_following, read_limited};
use crate::sys::safefile::{Judge, error_text};
use crate::sys::{clock, daemonize, env, user};
use answered::{Answered, Fault};
use arguments::Settings;

/// The program.
pub fn main() -> ExitCode {
    if daemonize::open_standard_descriptors().is_err() {
        return finish(Exit::OSERR);
    }
    let args = env::args();
    let (is_debugging, settings) = arguments::parse(args.get(1..).unwrap_or_default());
    let log = (!is_debugging).then(|| Logger::syslog("vacation", clock::caller_zone(), 9));
    let mut errors = io::stderr().lock();
    let mut streams = Streams {
        input: &mut BufReader::new(io::stdin().lock()),
        out: &mut BufWriter::new(io::stdout().lock()),
        errors: &mut errors,
    };
    let end = work(settings, Path::new(SENDMAIL), &mut streams);
    let exit = match end {
        Ok(()) => Exit::OK,
        Err(End { exit, priority, text }) => {
            match &log {
                Some(log) => log.write_always(priority, Id::None, text),
                // Nobody is left to be told when standard error is gone.
                None => drop(writeln!(errors, "{text}")),
            }
            exit
        }
    };
    if let Some(log) = log {
        log.flush(Duration::from_secs(2));
    }
    finish(exit)
}

/// An end that is told of.
#[derive(Debug, PartialEq, Eq)]
struct End {
    exit: Exit,
    priority: Priority,
    text: String,
}

impl End {
    fn new(exit: Exit, text: impl fmt::Display) -> Self {
        Self { exit, priority: Priority::Notice, text: format!("vacation: {text}") }
    }

    fn grave(exit: Exit, text: impl fmt::Display) -> Self {
        Self { priority: Priority::Error, ..Self::new(exit, text) }
    }
}

/// What the program reads and writes.
struct Streams<'a> {
    input: &'a mut dyn BufRead,
    out: &'a mut dyn Write,
    errors: &'a mut dyn Write,
}

fn work(settings: Option<Settings>, sendmail: &Path, streams: &mut Streams) -> Result<(), End> {
    let Some(settings) = settings else {
        let text = format!("uid {}: {}", user::real_uid(), arguments::USAGE);
        return Err(End { exit: Exit::USAGE, priority: Priority::Notice, text });
    };
    let failed = |e: io::Error| End::grave(Exit::TEMPFAIL, error_text(&e));
    let place = Place::of(&settings)?;
    let answered = place.answered(streams.errors).map_err(failed)?;
    let told = |fault: Fault| End::new(fault.exit(), format_args!("{}: {fault}", answered.path.display()));
    if settings.begins_anew {
        answered.begin(settings.interval).map_err(told)?;
    } else if let Some(seconds) = settings.interval {
        answered.set_interval(seconds).map_err(told)?;
    }
    if settings.lists {
        let listed = list(&answered, streams).map_err(told)?;
        return listed.and_then(|()| streams.out.flush()).map_err(failed);
    }
    if settings.excludes {
        let text = read_limited(&mut streams.input, LONGEST_LIST).map_err(failed)?;
        let addresses = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        return answered.exclude(addresses.filter(|address| !address.is_empty())).map_err(told);
    }
    if settings.begins_anew {
        return Ok(());
    }
    answer(&settings, &place, &answered, sendmail, streams)
}

/// Reads a message and replies if it wants one.
fn answer(
    settings: &Settings,
    place: &Place,
    answered: &Answered,
    sendmail: &Path,
    streams: &mut Streams,
) -> Result<(), End> {
    let failed = |e: io::Error| End::grave(Exit::TEMPFAIL, error_text(&e));
    let names: Vec<&[u8]> =
        [&settings.login].into_iter().chain(&settings.aliases).map(|name| name.as_bytes()).collect();
    let header = message::read(&mut streams.input, &names).map_err(failed)?;
    // Whoever writes the message must not find that nobody reads it.
    io::copy(&mut streams.input, &mut io::sink()).map_err(failed)?;
    if header.is_malformed {
        return Err(End::new(Exit::DATAERR, "badly formatted \"From \" line."));
    }
    if header.is_automatic || !header.is_addressed && !settings.answers_all {
        return Ok(());
    }
    let recipient = settings.recipient.as_ref().map(|address| address.as_bytes().to_vec()).or(header.sender);
    let Some(recipient) = recipient else {
        return Err(End::new(Exit::DATAERR, "no initial \"From \" line."));
    };
    let text =
        read_text(&place.text).map_err(|_| End::new(Exit::NOINPUT, format_args!("no {} file.", place.text_name)))?;
    let is_due = answered
        .claim(&recipient, clock::now())
        .map_err(|fault| End::new(fault.exit(), format_args!("{}: {fault}", answered.path.display())))?;
    if !is_due {
        return Ok(());
    }
    let reverse_path = settings.reverse_path.as_ref().unwrap_or(&settings.login).as_bytes();
    let message = reply::compose(&recipient, &text, &header.subject);
    // The mail that is answered was delivered all the same.
    reply::send(sendmail, reverse_path, &recipient, &message).map_err(|why| End::grave(Exit::OK, why))
}

/// The text of the reply. Errors: also for what is no regular file, which might have no end.
fn read_text(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = open_read_following(path)?;
    if !file::facts(&file)?.is_regular() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    read_limited(&mut file, LONGEST_TEXT)
}

/// Where the user's files are.
#[derive(Debug)]
struct Place {
    database: PathBuf,
    text: PathBuf,
    /// The text's file as it is told of.
    text_name: String,
    /// The owner of what root makes for somebody.
    owner: Option<u32>,
}

impl Place {
    fn of(settings: &Settings) -> Result<Self, End> {
        if settings.without_account {
            let (Some(database), Some(text)) = (&settings.database, &settings.text) else {
                return Err(End::new(Exit::NOINPUT, "-U requires setting both -f and -m"));
            };
            let text_name = text.display().to_string();
            return Ok(Self { database: Kind::Hash.path(database), text: text.clone(), text_name, owner: None });
        }
        let uid = user::real_uid();
        let (found, login) = if settings.is_own {
            (user::by_uid(uid), format!("uid {uid}"))
        } else {
            (user::by_name(settings.login.as_bytes()), shown(settings.login.as_bytes()).to_string())
        };
        let account = found
            .map_err(|e| End::grave(Exit::TEMPFAIL, format_args!("{login}: {}", error_text(&e))))?
            .ok_or_else(|| End::grave(Exit::NOUSER, format_args!("no such user {login}.")))?;
        let home = &account.home;
        if Dir::open(home).is_err() {
            return Err(End::new(Exit::NOINPUT, format_args!("no such directory {}.", home.display())));
        }
        let database = settings.database.as_deref().unwrap_or(Path::new(DATABASE));
        let text = settings.text.as_deref().unwrap_or(Path::new(TEXT));
        let login = shown(&account.name);
        let text_name =
            if text.is_absolute() { text.display().to_string() } else { format!("~{login}/{}", text.display()) };
        let owner = Some(account.uid);
        Ok(Self { database: Kind::Hash.path(&home.join(database)), text: home.join(text), text_name, owner })
    }

    /// The database. Directories that others may write to are warned about.
    fn answered(&self, errors: &mut dyn Write) -> io::Result<Answered> {
        let judge = Judge { uid: user::effective_uid(), dont_blame: 0, trusted_uid: self.owner };
        Ok(Answered { path: self.database.clone(), judge: warned(&self.database, &judge, errors)? })
    }
}

/// Prints the database. Errors inside: of writing.
fn list(answered: &Answered, streams: &mut Streams) -> Result<io::Result<()>, Fault> {
    let zone = clock::caller_zone();
    let mut written = Ok(());
    answered.for_each(&mut |address, at| {
        if written.is_err() {
            return;
        }
        let address = shown(address).to_string();
        written = match at {
            Ok(UnixTime(..=0)) => writeln!(streams.out, "{address:<40.40} (exclusion)"),
            Ok(at) => writeln!(streams.out, "{address:<40.40} {}", date::ctime(at, &zone)),
            Err(answered::Short) => writeln!(streams.errors, "vacation: short invalid time stamp"),
        };
    })?;
    Ok(written)
}

/// Files in the home directory.
const DATABASE: &str = ".vacation.db";
const TEXT: &str = ".vacation.msg";
/// Longest text of a reply, bytes.
const LONGEST_TEXT: usize = 4 << 20;
/// Longest list of senders who get no reply, bytes.
const LONGEST_LIST: usize = 16 << 20;

#[cfg(test)]
mod tests;
