//! gencf: writes sendmail.cf and submit.cf from a menu, and builds `.mc` files.
//!
//! In: answers from a terminal, flags or a file. Out: `sendmail.cf.gen` and `submit.cf.gen` in the current folder, the `.mc` that
//! says the same, findings of cfcheck. `sendmail.local.mc` and `submit.local.mc` of that folder are read with it. Documents: gencf(8), cf/README.md, HP Mailing Services Administrator's Guide (`gen_cf`).
//! Never: writes over a configuration in use.

mod answers;
mod host;
mod library;
mod mc;
mod menu;
mod options;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::finish::finish;
use super::{arguments, cfcheck};
use crate::base::exit::Exit;
use crate::sys::safefile::error_text;
use crate::sys::{env, file};
use answers::Answers;
use host::Host;
use library::Library;
use mc::Target;
use options::{Kind, OPTIONS};

/// The program.
pub fn main() -> ExitCode {
    finish(run(env::args(), &mut io::stdout().lock(), &mut io::stderr().lock()))
}

/// The program with its output passed in.
pub fn run(args: Vec<OsString>, out: &mut dyn Write, errors: &mut dyn Write) -> Exit {
    let matches = match command().try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) => return arguments::told(&error, out, errors),
    };
    let done = match matches.subcommand() {
        Some(("build", given)) => build(given, &matches, out, errors),
        Some(("generate", given)) => generate(given, &matches, out, errors),
        Some(("mc", given)) => show(given, &matches, out, errors),
        _ => from_menu(&matches, out, errors),
    };
    match done {
        Ok(exit) => exit,
        Err(error) => {
            // Nobody reads what could still be said.
            let _ = writeln!(errors, "gencf: {}", error_text(&error));
            Exit::IOERR
        }
    }
}

fn command() -> Command {
    let which = Arg::new("which")
        .help("Which configuration")
        .value_parser(["sendmail", "submit", "both"])
        .default_value("both");
    let options = || {
        OPTIONS.iter().map(|option| {
            let arg = Arg::new(option.name).long(option.name).help(option.text);
            match option.kind {
                Kind::Switch => {
                    arg.value_name("yes|no").num_args(0..=1).require_equals(true).default_missing_value("yes")
                }
                Kind::Text(_) => arg.value_name("TEXT"),
                Kind::Words => arg.value_name("WORDS"),
                Kind::OneOf(_) => arg.value_name("CHOICE"),
            }
        })
    };
    let of = |name: &'static str| Command::new(name).arg(which.clone()).args(options());
    Command::new("gencf")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Writes sendmail.cf and submit.cf from a menu; builds .mc files")
        .arg(
            Arg::new("library")
                .long("library")
                .global(true)
                .value_name("DIR")
                .value_parser(value_parser!(PathBuf))
                .help("Folder of the m4 library (the one that holds m4/cf.m4)"),
        )
        .arg(
            Arg::new("answers")
                .long("answers")
                .global(true)
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .default_value("gencf.answers")
                .help("File that the answers are kept in"),
        )
        .subcommand(of("generate").about("Write sendmail.cf.gen and submit.cf.gen from the answers and these flags"))
        .subcommand(of("mc").about("Print the .mc that says the same"))
        .subcommand(
            Command::new("build")
                .about("Build a cf from an .mc file and check it")
                .arg(Arg::new("file").value_name("FILE.mc").required(true).value_parser(value_parser!(PathBuf)))
                .arg(
                    Arg::new("output")
                        .short('o')
                        .long("output")
                        .value_name("FILE")
                        .value_parser(value_parser!(PathBuf))
                        .help("Where the cf goes, - for standard output; FILE.cf beside the .mc when none is given"),
                )
                .arg(
                    Arg::new("force").long("force").action(ArgAction::SetTrue).help("Write over a file that is there"),
                ),
        )
}

/// The answers of the file, with what the flags say on top.
fn answers_of(given: &ArgMatches, all: &ArgMatches, errors: &mut dyn Write) -> io::Result<Result<Answers, Exit>> {
    let path = answers_file(all);
    let mut answers = match Answers::read(&path) {
        Err(error) => {
            writeln!(errors, "gencf: {}: {}", path.display(), error_text(&error))?;
            return Ok(Err(Exit::NOINPUT));
        }
        Ok(Err(faults)) => {
            for fault in faults {
                writeln!(errors, "gencf: {fault}")?;
            }
            return Ok(Err(Exit::CONFIG));
        }
        Ok(Ok(answers)) => answers,
    };
    for option in OPTIONS {
        let Ok(Some(answer)) = given.try_get_one::<String>(option.name) else { continue };
        if let Err(fault) = answers.set(option.name, answer) {
            writeln!(errors, "gencf: --{}: {fault}", option.name)?;
            return Ok(Err(Exit::USAGE));
        }
    }
    Ok(Ok(answers))
}

fn answers_file(all: &ArgMatches) -> PathBuf {
    all.get_one::<PathBuf>("answers").cloned().unwrap_or_else(|| "gencf.answers".into())
}

fn targets(given: &ArgMatches) -> &'static [Target] {
    match given.get_one::<String>("which").map(String::as_str) {
        Some("sendmail") => &[Target::Transfer],
        Some("submit") => &[Target::Submission],
        _ => &[Target::Transfer, Target::Submission],
    }
}

fn generate(given: &ArgMatches, all: &ArgMatches, out: &mut dyn Write, errors: &mut dyn Write) -> io::Result<Exit> {
    let answers = match answers_of(given, all, errors)? {
        Ok(answers) => answers,
        Err(exit) => return Ok(exit),
    };
    answers.write(&answers_file(all))?;
    let mut exit = Exit::OK;
    for target in targets(given) {
        let done = generate_one(&answers, *target, all, out, errors)?;
        if exit == Exit::OK {
            exit = done;
        }
    }
    Ok(exit)
}

fn show(given: &ArgMatches, all: &ArgMatches, out: &mut dyn Write, errors: &mut dyn Write) -> io::Result<Exit> {
    let answers = match answers_of(given, all, errors)? {
        Ok(answers) => answers,
        Err(exit) => return Ok(exit),
    };
    for target in targets(given) {
        write!(out, "{}", mc::render(&answers, *target, &Host::look(&answers, *target)?))?;
    }
    Ok(Exit::OK)
}

/// `sendmail.cf.gen` or `submit.cf.gen` of the current folder, with the `.mc` it came from.
fn generate_one(
    answers: &Answers,
    target: Target,
    all: &ArgMatches,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> io::Result<Exit> {
    let mc = PathBuf::from(format!("{}.mc.gen", target.cf().trim_end_matches(".cf")));
    let host = Host::look(answers, target)?;
    file::replace(&mc, mc::render(answers, target, &host).as_bytes(), 0o644)?;
    let cf = PathBuf::from(format!("{}.gen", target.cf()));
    let exit = make(&mc, &cf, 0o644, all, out, errors)?;
    if matches!(exit, Exit::OK | Exit::CONFIG) {
        for note in &host.notes {
            writeln!(out, "{note}")?;
        }
    }
    hint_at_files(answers, out)?;
    Ok(exit)
}

/// A line when files for STARTTLS are named that this machine does not have.
fn hint_at_files(answers: &Answers, out: &mut dyn Write) -> io::Result<()> {
    if !answers.has("starttls") {
        return Ok(());
    }
    let named = FILES_OF_TLS.iter().filter_map(|name| options::find(name)).map(|option| answers.text(option));
    let missing: Vec<&str> =
        named.filter(|path| !path.is_empty() && file::facts_of(Path::new(path)).is_err()).collect();
    let Some(first) = missing.first() else { return Ok(()) };
    let name = missing.iter().find_map(|path| Path::new(path).file_name()?.to_str()?.strip_suffix("-cert.pem"));
    let name = name.map(|name| format!(" --name {name}")).unwrap_or_default();
    writeln!(out, "hint: {first} is not on this machine; certs install{name} puts such files there (certs(8))")
}

/// Answers that name files which `certs install` makes.
const FILES_OF_TLS: &[&str] =
    &["server-cert-file", "server-key-file", "client-cert-file", "client-key-file", "ca-cert-file"];

fn build(given: &ArgMatches, all: &ArgMatches, out: &mut dyn Write, errors: &mut dyn Write) -> io::Result<Exit> {
    let Some(mc) = given.get_one::<PathBuf>("file") else { return Ok(Exit::USAGE) };
    let cf = given.get_one::<PathBuf>("output").cloned().unwrap_or_else(|| mc.with_extension("cf"));
    if cf.as_os_str() == "-" {
        return print(mc, all, out, errors);
    }
    let is_there = file::facts_of(&cf).is_ok_and(|facts| facts.is_regular());
    if is_there && !given.get_flag("force") {
        writeln!(errors, "gencf: {}: it exists already: give --force to write over it", cf.display())?;
        return Ok(Exit::CANTCREAT);
    }
    make(mc, &cf, 0o444, all, out, errors)
}

/// Builds a cf and prints it, and nothing else there; nobody has looked at it yet.
fn print(mc: &Path, all: &ArgMatches, out: &mut dyn Write, errors: &mut dyn Write) -> io::Result<Exit> {
    let (text, said) = match built(mc, all, errors)? {
        Ok(built) => built,
        Err(exit) => return Ok(exit),
    };
    if !said.is_empty() {
        writeln!(errors, "{said}")?;
    }
    out.write_all(&text)?;
    Ok(if is_harmless(&said) { Exit::OK } else { Exit::CONFIG })
}

/// The text of the cf, and what m4 said of it.
fn built(mc: &Path, all: &ArgMatches, errors: &mut dyn Write) -> io::Result<Result<(Vec<u8>, String), Exit>> {
    let library = Library::find(all.get_one::<PathBuf>("library").map(PathBuf::as_path));
    Ok(match library.and_then(|library| library.build(mc)) {
        Ok(built) => Ok(built),
        Err(error) => {
            writeln!(errors, "gencf: {error}")?;
            Err(match error {
                library::Error::File(..) => Exit::NOINPUT,
                library::Error::Said(_) => Exit::CONFIG,
                _ => Exit::UNAVAILABLE,
            })
        }
    })
}

/// What m4 complained of is in the file; a warning is about something that works.
fn is_harmless(said: &str) -> bool {
    said.lines().all(|line| line.contains(": warning: "))
}

/// Builds a cf, writes it and says what cfcheck finds in its text.
fn make(
    mc: &Path,
    cf: &Path,
    mode: u32,
    all: &ArgMatches,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> io::Result<Exit> {
    let (text, said) = match built(mc, all, errors)? {
        Ok(built) => built,
        Err(exit) => return Ok(exit),
    };
    if !said.is_empty() {
        writeln!(errors, "{said}")?;
    }
    file::replace(cf, &text, mode)?;
    writeln!(out, "{}: {} lines", cf.display(), memchr::memchr_iter(b'\n', &text).count())?;
    // Not the machine: the files belong to the host that it is for.
    let check =
        cfcheck::run(vec!["cfcheck".into(), "--text-only".into(), cf.as_os_str().to_owned()], false, out, errors);
    Ok(if is_harmless(&said) && check == Exit::OK { Exit::OK } else { Exit::CONFIG })
}

fn from_menu(all: &ArgMatches, out: &mut dyn Write, errors: &mut dyn Write) -> io::Result<Exit> {
    let mut answers = match answers_of(&ArgMatches::default(), all, errors)? {
        Ok(answers) => answers,
        Err(exit) => return Ok(exit),
    };
    let mut work = Here { all, errors, exit: Exit::OK };
    menu::run(&mut answers, &mut work, &mut io::stdin().lock(), out)?;
    Ok(work.exit)
}

/// The menu's work, in the current folder.
struct Here<'a> {
    all: &'a ArgMatches,
    errors: &'a mut dyn Write,
    exit: Exit,
}

impl menu::Work for Here<'_> {
    fn generate(&mut self, answers: &Answers, target: Target, out: &mut dyn Write) -> io::Result<()> {
        let done = generate_one(answers, target, self.all, out, self.errors)?;
        if done != Exit::OK {
            self.exit = done;
        }
        Ok(())
    }

    fn show(&mut self, answers: &Answers, target: Target, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "\n{}", mc::render(answers, target, &Host::look(answers, target)?))
    }

    fn keep(&mut self, answers: &Answers) -> io::Result<()> {
        answers.write(&answers_file(self.all))
    }
}
