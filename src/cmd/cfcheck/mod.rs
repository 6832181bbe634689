//! cfcheck: what is wrong with a configuration, before the daemon says so or worse.
//!
//! In: a cf file and the files it names. Out: findings with their place, the offending text and what would be right; exit 0
//! for none, 1 for warnings with `--strict`, 2 for errors. Documents: cfcheck(8). Never: changes anything, runs a program that the
//! configuration names, opens a connection.
//!
//! A *check* is a row of [`checks::CHECKS`]; a file of this folder looks for what belongs together. Findings are sound: where
//! the configuration alone does not decide, nothing is said.

mod certificates;
mod checks;
mod files;
mod filters;
mod finding;
mod listeners;
mod mailers;
mod maps;
mod names;
mod options;
mod pattern;
mod queues;
mod reader;
mod references;
mod report;
mod rules;
mod rulesets;
mod source;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use super::arguments;
use super::finish::finish;
use crate::base::exit::Exit;
use crate::base::time::UnixTime;
use crate::config::drive::{LoadOptions, load};
use crate::config::{Config, Diagnostic};
use crate::maps::class_words;
use crate::sys::safefile::{Judge, error_text};
use crate::sys::{clock, env, file, user};
use finding::{Finding, Severity};
use source::Source;

/// Finds what is wrong with a sendmail.cf or submit.cf and with the files it names.
#[derive(Debug, Parser)]
#[command(name = "cfcheck", version)]
struct Args {
    /// The configuration file.
    #[arg(default_value = "/etc/mail/sendmail.cf")]
    file: PathBuf,
    /// Print findings as JSON.
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
    /// Print nothing; the exit code tells.
    #[arg(long, short)]
    quiet: bool,
    /// Warnings count: exit 1 when there are any.
    #[arg(long)]
    strict: bool,
    /// Look at the text alone, not at the files, keys and directories of this machine.
    #[arg(long)]
    text_only: bool,
    /// Show notes as well: what is true and harmless.
    #[arg(long)]
    notes: bool,
    /// Leave checks out.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    allow: Vec<String>,
    /// Certificates that end within so many days are reported.
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    expiring: i64,
    /// When to use colours.
    #[arg(long, value_name = "WHEN", default_value = "auto", value_parser = ["auto", "always", "never"])]
    color: String,
    /// Explain a check, or list them all.
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "")]
    explain: Option<String>,
}

/// What the checks look at.
struct Context<'a> {
    path: &'a Path,
    config: &'a Config,
    source: &'a Source,
    /// What the reader of configurations said.
    diagnostics: &'a [Diagnostic],
    /// For whom files are judged.
    judge: Judge,
    now: UnixTime,
    /// Seconds before a certificate's end at which it is reported.
    soon: i64,
}

/// The program.
pub fn main() -> ExitCode {
    let colours = io::stdout().is_terminal();
    finish(run(env::args(), colours, &mut io::stdout().lock(), &mut io::stderr().lock()))
}

/// The program with its output passed in.
pub fn run(args: Vec<OsString>, is_terminal: bool, out: &mut dyn Write, errors: &mut dyn Write) -> Exit {
    let args: Args = match arguments::parse(args, out, errors) {
        Ok(args) => args,
        Err(exit) => return exit,
    };
    let ended = match &args.explain {
        Some(id) => report::explain(id, out),
        None => check(&args, is_terminal, out),
    };
    match ended {
        Ok(exit) => exit,
        Err(error) => {
            if error.kind() == io::ErrorKind::BrokenPipe {
                return Exit::IOERR;
            }
            // Nobody reads what could still be said.
            let _ = writeln!(errors, "cfcheck: {}: {}", args.file.display(), error_text(&error));
            Exit::NOINPUT
        }
    }
}

fn check(args: &Args, is_terminal: bool, out: &mut dyn Write) -> io::Result<Exit> {
    let text = file::read_following(&args.file, LARGEST)?;
    let options = LoadOptions {
        chosen_by_user: true,
        mode: Some(b't'),
        without_programs: true,
        for_another_machine: args.text_only,
        ..LoadOptions::default()
    };
    let (mut config, mut diagnostics) = load(&args.file, &options);
    diagnostics.extend(class_words::fill(&mut config));
    let source = Source::new(&text, config.level);
    let context = Context {
        path: &args.file,
        judge: Judge {
            uid: user::effective_uid(),
            dont_blame: config.options.dont_blame_sendmail.0,
            trusted_uid: config.options.trusted_user,
        },
        config: &config,
        source: &source,
        diagnostics: &diagnostics,
        now: clock::now(),
        soon: args.expiring.saturating_mul(86_400),
    };
    let mut findings = Vec::new();
    let of_the_machine = checks::OF_THE_MACHINE.iter().filter(|_| !args.text_only);
    for look in checks::OF_THE_TEXT.iter().chain(of_the_machine) {
        look(&context, &mut findings);
    }
    findings.retain(|finding| {
        let is_shown = args.notes || finding.check.severity != Severity::Note;
        is_shown && !args.allow.iter().any(|id| id == finding.check.id)
    });
    findings.sort_by_key(|finding| finding.place.as_ref().map_or(u32::MAX, |place| place.line));
    let colours = match args.color.as_str() {
        "always" => true,
        "never" => false,
        _ => is_terminal && env::var("NO_COLOR").is_none(),
    };
    match (args.quiet, args.json) {
        (true, _) => {}
        (false, true) => report::json(&context, &findings, out)?,
        (false, false) => report::text(&context, &findings, colours, out)?,
    }
    Ok(exit(&findings, args.strict))
}

/// 2 for errors, 1 for warnings that count, else 0.
fn exit(findings: &[Finding], is_strict: bool) -> Exit {
    match findings.iter().map(|finding| finding.check.severity).max() {
        Some(Severity::Error) => Exit(2),
        Some(Severity::Warning) if is_strict => Exit(1),
        _ => Exit::OK,
    }
}

/// Largest configuration that is read, bytes.
const LARGEST: usize = 256 * 1024 * 1024;
