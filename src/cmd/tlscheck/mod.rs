//! tlscheck: why STARTTLS is or is not offered, used, verified, and what mends it.
//!
//! In: a cf file and the keys, certificates and lists it names. Out: a line for each listener and for the client side, then a
//! line for each cause with the command that mends it; exit 0 for none, 1 for warnings with `--strict`, 2 for errors. Documents:
//! tlscheck(8), op guide "STARTTLS". Never: opens a connection, shows a key; changes anything but links, with `--rehash`.
//!
//! A *cause* is a row of [`causes::CAUSES`]. What the sides do is not guessed: the contexts are built as the daemon builds
//! them, and what it says is a cause when no other one explains it.

mod authorities;
mod causes;
mod pairs;
mod report;
mod revocation;
mod settings;
mod sides;
mod subject;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;

use super::arguments;
use super::certs;
use super::finish::finish;
use super::severity::Severity;
use crate::base::exit::Exit;
use crate::config::drive::{LoadOptions, load};
use crate::sys::safefile::{Judge, error_text};
use crate::sys::{clock, env, file, user};

pub(super) use causes::Cause;
use sides::Built;
use subject::Reader;
pub(super) use subject::Subject;

/// Says why STARTTLS is or is not offered, used and verified, and what mends it.
#[derive(Debug, Parser)]
#[command(name = "tlscheck", version)]
struct Args {
    /// The configuration file
    #[arg(default_value = "/etc/mail/sendmail.cf")]
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Warnings count: exit 1 when there are any
    #[arg(long)]
    strict: bool,
    /// Show notes, too
    #[arg(long)]
    notes: bool,
    /// Report certificates that end within so many days
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    expiring: i64,
    /// Make the hash links of a directory anew, and look at nothing else
    #[arg(long, value_name = "DIR", conflicts_with = "json")]
    rehash: Option<PathBuf>,
    /// With --rehash: say what would be done
    #[arg(long, requires = "rehash")]
    dry_run: bool,
    /// Say what a cause does, or list them all
    #[arg(long, value_name = "CAUSE", num_args = 0..=1, default_missing_value = "")]
    explain: Option<String>,
}

/// The program.
pub fn main() -> ExitCode {
    finish(run(env::args(), &mut io::stdout().lock(), &mut io::stderr().lock()))
}

/// The program with its outputs passed in.
pub fn run(args: Vec<OsString>, out: &mut dyn Write, errors: &mut dyn Write) -> Exit {
    let args: Args = match arguments::parse(args, out, errors) {
        Ok(args) => args,
        Err(exit) => return exit,
    };
    if let Some(directory) = &args.rehash {
        return certs::rehash("tlscheck", directory, args.dry_run, out, errors);
    }
    let done = match &args.explain {
        Some(id) => report::explain(id, out, errors),
        None => check(&args, out),
    };
    done.unwrap_or_else(|error| {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Exit::IOERR;
        }
        // Nobody reads what could still be said.
        let _ = writeln!(errors, "tlscheck: {}: {}", args.file.display(), error_text(&error));
        Exit::NOINPUT
    })
}

fn check(args: &Args, out: &mut dyn Write) -> io::Result<Exit> {
    // What cannot be read is told apart from an empty configuration.
    file::open_read_following(&args.file)?;
    let options =
        LoadOptions { chosen_by_user: true, mode: Some(b't'), without_programs: true, ..LoadOptions::default() };
    let config = Arc::new(load(&args.file, &options).0);
    let subject = Subject {
        config: &config,
        judge: Judge {
            uid: user::effective_uid(),
            dont_blame: config.options.dont_blame_sendmail.0,
            trusted_uid: config.options.trusted_user,
        },
        reader: Reader::of(&config),
        now: clock::now(),
        soon: args.expiring.saturating_mul(86_400),
    };
    let mut causes = examine(&subject);
    let built = Built::try_with(&config);
    built.unexplained(&config, &mut causes);
    let sides = built.sides(&config, &causes);
    let mut causes = causes::merged(causes);
    causes.retain(|cause| args.notes || cause.row.severity != Severity::Note);
    if args.json {
        report::json(&args.file, &sides, &causes, out)?;
    } else {
        report::text(&sides, &causes, out)?;
    }
    Ok(match causes.iter().map(|cause| cause.row.severity).max() {
        Some(Severity::Error) => Exit(2),
        Some(Severity::Warning) if args.strict => Exit(1),
        _ => Exit::OK,
    })
}

/// All causes that the configuration and its files show. A file that both sides use is looked at for each.
pub(super) fn examine(subject: &Subject<'_>) -> Vec<Cause> {
    let mut causes = Vec::new();
    for look in [settings::look, pairs::look, authorities::look, revocation::look] {
        look(subject, &mut causes);
    }
    causes
}
