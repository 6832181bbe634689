//! sendmail and its other names: from the command line to the part of the program that does what it asks.
//!
//! Before a request is served: descriptors 0 to 2 are open, inherited ones are closed, rights borrowed by a set-id bit are
//! given up when the caller asks for something that is not for everybody, the configuration is read.

use std::cell::Cell;
use std::io::{self, IsTerminal as _, Write};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use bytes::Bytes;

use super::caller::{self, Caller};
use super::clean;
use super::finish::finish;
use super::invocation::{Channel, Invocation};
use super::modes::{Mode, Role};
use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::config::diagnostic::Severity;
use crate::config::drive::{LoadOptions, load};
use crate::config::privacy::Privacy;
use crate::config::values::{DeliveryMode, ErrorMode};
use crate::config::{Config, Diagnostic, Trace};
use crate::log::debug::{Debug, Tracer};
use crate::log::traffic::Traffic;
use crate::log::{Id, Level, Logger, Priority};
use crate::macros::names;
use crate::maps::{MapSet, Services, class_words};
use crate::site::{self, Site, StartOptions};
use crate::sys::daemonize::{Half, Leash};
use crate::sys::handover::{self, Handover};
use crate::sys::{allocator, clock, daemonize, env, file, safefile, title, user};

/// A request with all that was found out about it before it is served.
pub struct Request {
    /// The command line.
    pub invocation: Invocation,
    /// Who asks.
    pub caller: Caller,
    /// Configuration in force.
    pub role: Role,
    /// Debug output.
    pub tracer: Arc<Tracer>,
    /// The traffic log.
    pub traffic: Option<Arc<Traffic>>,
    /// The caller's process, which waits for the message to be taken (`DeliveryMode=background`).
    pub leash: Cell<Option<Leash>>,
    /// Started as `sendmail-msp`.
    pub is_submission_program: bool,
    /// Started by a daemon in its own place.
    pub is_restarted: bool,
    /// Sockets that it left.
    pub listeners: Cell<Handover>,
}

/// Runs the program; `role` is the configuration of a program that has only one.
pub fn main(role: Option<Role>) -> ExitCode {
    if daemonize::open_standard_descriptors().is_err() {
        return finish(Exit::OSERR);
    }
    let (listeners, kept) = Handover::take_over();
    daemonize::close_inherited(&kept);
    file::set_umask(0o022);
    let argv: Vec<Bytes> = env::args().into_iter().map(|word| Bytes::from(word.into_vec())).collect();
    let mut out = io::stdout();
    let exit = run(&argv, role, listeners, &mut out);
    if out.flush().is_err() && exit == Exit::OK {
        return finish(Exit::IOERR);
    }
    finish(exit)
}

fn run(argv: &[Bytes], role: Option<Role>, listeners: Handover, out: &mut dyn Write) -> Exit {
    let invocation = Invocation::parse(argv);
    let caller = Caller::own();
    // A daemon that goes on as RunAsUser has no rights but its own.
    let is_restarted = handover::is_restarted();
    let gives_up = (invocation.is_unsafe || is_restarted) && caller.uid != 0;
    if gives_up && caller::has_borrowed_rights() && caller::drop_privileges().is_err() {
        return Exit::OSERR;
    }
    for fault in invocation.faults.iter().filter(|fault| !fault.text.is_empty()) {
        match fault.channel {
            Channel::Output => say(out, &fault.text),
            Channel::Error => say(&mut io::stderr(), &fault.text),
            Channel::Terminal if io::stderr().is_terminal() => say(&mut io::stderr(), &fault.text),
            Channel::Terminal => {}
        }
    }
    let mut debug = Debug::default();
    invocation.debug.iter().for_each(|value| debug.add(value));
    let (debug_file, unopened) = match &invocation.debug_file {
        Some(path) => open_output(path, out).map_or_else(|exit| (None, Some(exit)), |file| (Some(file), None)),
        None => (None, None),
    };
    let tracer = Arc::new(Tracer::new(debug, debug_file));
    super::identity::before(&tracer);
    if let Some(exit) = unopened {
        return exit;
    }
    if invocation.is_hopeless() {
        return invocation.exit;
    }
    if serves(&invocation) {
        settle_in(caller.uid);
    }
    let is_submission_program = role.is_some();
    let role = invocation.role.or(role).unwrap_or_else(|| default_role(work(&invocation)));
    let traffic = match &invocation.traffic_log {
        Some(path) => match open_output(path, out) {
            Ok(file) => Some(Arc::new(Traffic::new(file))),
            Err(exit) => return exit,
        },
        None => None,
    };
    let mut request = Request {
        invocation,
        caller,
        role,
        tracer,
        traffic,
        leash: Cell::new(None),
        is_submission_program,
        is_restarted,
        listeners: Cell::new(listeners),
    };
    let (mut config, mut findings) = request.load();
    for Trace { category, level, text } in std::mem::take(&mut config.traces) {
        request.tracer.say(category, level, shown(&text));
    }
    for finding in class_words::fill(&mut config) {
        insert_by_line(&mut findings, finding);
    }
    let is_broken = findings.iter().any(|d| d.severity != Severity::Warning);
    if is_broken || matches!(request.invocation.mode, Mode::Check | Mode::Test) {
        // The program will not come to open its maps, or is asked for nothing but what is wrong.
        let (_, of_maps) = MapSet::open(&config, Services::default());
        for finding in of_maps {
            insert_by_line(&mut findings, finding);
        }
    }
    let tag = request.log_tag();
    let log = Logger::syslog(&tag, clock::system_zone(), config.options.log_level);
    request.log_oddities(&log);
    let exit = request.report(&findings, &log, out);
    let mode = request.invocation.mode;
    let is_broken = findings.iter().any(|d| d.severity != Severity::Warning);
    let goes_on = matches!(mode, Mode::Test | Mode::Check);
    if findings.iter().any(|d| d.severity == Severity::Fatal) || (is_broken && !goes_on) {
        return exit;
    }
    super::identity::after(&request.tracer, &config);
    let served = request.serve(config, &log, out);
    if served == Exit::OK { worst(exit, request.invocation.exit) } else { served }
}

/// Whether the process will run for long, or without anybody before it, so that its title says what it does.
fn serves(invocation: &Invocation) -> bool {
    matches!(invocation.mode, Mode::Daemon | Mode::Foreground)
        || invocation.queue.given && invocation.mode == Mode::Deliver
}

/// Makes ready for a long run.
fn settle_in(uid: u32) {
    title::take_over();
    if uid == 0 || !caller::has_borrowed_rights() {
        allocator::change();
        allocator::change_openssl();
    }
}

/// Opens a file that lines are added to (`-D`, `-X`); a complaint is printed.
fn open_output(path: &Path, out: &mut dyn Write) -> Result<std::fs::File, Exit> {
    file::open_append(path, 0o644).map_err(|error| {
        say(out, &format!("cannot open {}: {}", path.display(), safefile::error_text(&error)));
        Exit::CANTCREAT
    })
}

/// Puts a finding about a line where it belongs among the others.
fn insert_by_line(findings: &mut Vec<Diagnostic>, finding: Diagnostic) {
    let at = findings.iter().position(|d| d.line > finding.line).unwrap_or(findings.len());
    findings.insert(at, finding);
}

fn worst(one: Exit, other: Exit) -> Exit {
    if one == Exit::OK { other } else { one }
}

/// What is to be done: `-q` and `-Q` without a mode are about the queue.
fn work(invocation: &Invocation) -> Mode {
    match invocation.mode {
        Mode::Deliver if invocation.queue.given || invocation.quarantine.is_some() => Mode::RunQueue,
        mode => mode,
    }
}

/// `submit.cf` when mail comes in on standard input and the file exists.
fn default_role(mode: Mode) -> Role {
    let submits = mode.row().submits && file::open_read_following(&Role::Submission.path()).is_ok();
    if submits { Role::Submission } else { Role::Transfer }
}

/// Writes a line. A caller who has gone is not told.
pub(super) fn say(out: &mut dyn Write, text: &str) {
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

impl Request {
    fn load(&self) -> (Config, Vec<Diagnostic>) {
        let path = self.invocation.config_path.clone().unwrap_or_else(|| self.role.path());
        let options = LoadOptions {
            settings: self.invocation.settings.clone(),
            chosen_by_user: self.invocation.config_path.is_some(),
            mode: Some(self.invocation.mode.letter()),
            only_raises: self.caller.uid != 0,
            is_traced: self.tracer.is_any(),
            without_programs: false,
            for_another_machine: false,
        };
        load(&path, &options)
    }

    /// The tag of log lines: `-L`, else `sendmail` whatever name the program was started by. Source: observed.
    fn log_tag(&self) -> String {
        match &self.invocation.log_tag {
            Some(tag) => clean::log_tag(tag),
            None => "sendmail".to_owned(),
        }
    }

    /// Logs what an administrator should know of the command line: line feeds where there are none, a tag of the caller's choice.
    fn log_oddities(&self, log: &Logger) {
        for text in &self.invocation.attacks {
            log.attack(Id::NoQueue, text);
        }
        if self.invocation.log_tag.is_some() && self.caller.uid != 0 {
            log.write_always(
                Priority::Warning,
                Id::None,
                format_args!("user {} changed syslog label", self.caller.uid),
            );
        }
    }

    /// Says what is wrong with the configuration, on the output and in the log; the exit code that follows.
    fn report(&self, findings: &[Diagnostic], log: &Logger, out: &mut dyn Write) -> Exit {
        let mut exit = Exit::OK;
        for finding in findings {
            let is_error = finding.severity != Severity::Warning;
            // What cannot be used is told, no more. Source: observed.
            if is_error && finding.exit != Exit::UNAVAILABLE {
                log.system_error(Id::NoQueue, &String::from_utf8_lossy(&self.caller.name), finding);
            }
            let code = match (self.invocation.mode, is_error) {
                (Mode::Smtp | Mode::Arpa | Mode::Daemon | Mode::Foreground, true)
                    if finding.exit == Exit::UNAVAILABLE =>
                {
                    "550 "
                }
                (Mode::Smtp, true) if finding.exit == Exit::OSERR => "451 4.0.0 ",
                (Mode::Smtp, true) => "554 5.0.0 ",
                _ => "",
            };
            say(out, &format!("{code}{finding}"));
            // Test mode does not count what is only remarked upon.
            if is_error || self.invocation.mode != Mode::Test {
                exit = worst(exit, finding.exit);
            }
        }
        exit
    }

    fn serve(&mut self, mut config: Config, log: &Logger, out: &mut dyn Write) -> Exit {
        self.invocation.is_verbose |= config.options.verbose;
        if let Err(exit) = self.check_mode(&config, out) {
            return exit;
        }
        if let Err(exit) = self.restrict_expansion(&config, out) {
            return exit;
        }
        if let Err(exit) = self.check_rights(&config, log, out) {
            return exit;
        }
        if let Err(exit) = self.check_filters(&config, log, out) {
            return exit;
        }
        self.warn_of_choices(&config, log);
        // A queue that a group shares has files that the group may write.
        file::set_umask(0o022 & !config.options.queue_file_mode.0);
        if let Err(exit) = self.become_run_as_user(&config, log, out) {
            return exit;
        }
        if self.needs_queue()
            && let Err(exit) = self.check_queue(&config, log, out)
        {
            return exit;
        }
        if !matches!(self.invocation.mode, Mode::Test | Mode::Check) {
            super::hoststat::check(&mut config, out);
        }
        match work(&self.invocation) {
            Mode::Check => Exit::OK,
            Mode::HostStatus => super::hoststat::list(&config, out),
            Mode::PurgeStatus => super::hoststat::purge(&config, out),
            Mode::Aliases => self.with_site(config, out, super::newaliases::run),
            Mode::Verify => self.with_site(config, out, super::verify::run),
            Mode::Deliver | Mode::Arpa => self.submit(config, log, out),
            Mode::Daemon | Mode::Foreground => super::serving::daemon(self, config, self.start_options(), out),
            Mode::RunQueue if self.invocation.queue.interval.is_some() => {
                super::serving::daemon(self, config, self.start_options(), out)
            }
            // One after another, with every step shown.
            Mode::RunQueue if self.invocation.is_verbose || self.invocation.quarantine.is_some() => {
                self.with_site(config, out, super::queue_run::run)
            }
            Mode::RunQueue => self.with_site(config, out, super::serving::queue_run),
            Mode::Smtp => self.with_site(config, out, super::serving::stdio),
            Mode::PrintQueue => super::mailq::run(&self.invocation.queue, &config, log, out),
            Mode::Test => self.with_site(config, out, test),
            Mode::PrintCounts => super::mailq::counts(&config, out),
        }
    }

    /// Takes a message. The caller does not wait for a delivery in the background.
    fn submit(&self, config: Config, log: &Logger, out: &mut dyn Write) -> Exit {
        let is_background = config.options.delivery_mode == DeliveryMode::Background;
        if is_background && !self.invocation.is_verbose {
            match daemonize::split() {
                Ok(Half::Front(code)) => return Exit(code),
                Ok(Half::Back(leash)) => self.leash.set(Some(leash)),
                // The caller has to wait then.
                Err(error) => log.system_error(Id::NoQueue, &String::from_utf8_lossy(&self.caller.name), error),
            }
        }
        self.with_site(config, out, super::submission::run)
    }

    /// Log lines about a caller who chose the file or the queue, when `authwarnings` asks for them.
    fn warn_of_choices(&self, config: &Config, log: &Logger) {
        for mailer in config.mailers.iter().filter(|m| m.has(b'I')) {
            let name = String::from_utf8_lossy(&mailer.name);
            log.write_always(Priority::Warning, Id::None, format_args!("WARNING: mailer={name}, flag=I deprecated"));
        }
        let wanted = config.options.privacy_options.has(Privacy::AUTH_WARNINGS);
        if !wanted || !self.invocation.is_unsafe || self.caller.uid == 0 {
            return;
        }
        let host = config.scope().text(names::HOST);
        let warn = |text: &str| {
            let host = String::from_utf8_lossy(&host);
            log.write(Level::RECEIVED, Priority::Info, Id::NoQueue, format!("Authentication-Warning: {host}: {text}"));
        };
        if let Some(path) = &self.invocation.config_path {
            let user = String::from_utf8_lossy(&self.caller.name);
            warn(&format!("Processed by {user} with -C {}", path.display()));
        }
        let chosen = self.invocation.config_path.is_some() || self.invocation.names_queue();
        if let Some(queue) = config.options.queue_directory.as_ref().filter(|_| chosen) {
            warn(&format!("Processed from queue {}", String::from_utf8_lossy(queue).trim_end_matches('/')));
        }
    }

    /// With `restrictexpand` others than root and `TrustedUser` read lists and forwards with their own rights, and do not watch.
    /// Source: op guide 5.6.
    fn restrict_expansion(&mut self, config: &Config, out: &mut dyn Write) -> Result<(), Exit> {
        let is_meant = config.options.privacy_options.has(Privacy::RESTRICT_EXPAND);
        if !is_meant || self.caller.is_privileged(config) {
            return Ok(());
        }
        self.invocation.is_verbose = false;
        if self.invocation.mode == Mode::Verify && caller::has_borrowed_rights() && caller::drop_privileges().is_err() {
            say(out, "cannot give up rights");
            return Err(Exit::OSERR);
        }
        Ok(())
    }

    /// Whether the mode goes with `-q` and with the configuration. Test mode goes on all the same. Source: observed.
    fn check_mode(&mut self, config: &Config, out: &mut dyn Write) -> Result<(), Exit> {
        let mode = self.invocation.mode;
        let code = if matches!(mode, Mode::Smtp | Mode::Arpa | Mode::Daemon) { "550 " } else { "" };
        let is_daemon = matches!(mode, Mode::Daemon | Mode::Foreground);
        // The submission program of its own listens, on the submission port; that is what it is for.
        if is_daemon && config.options.use_msp && !self.is_submission_program {
            say(out, &format!("{code}Mail submission program cannot be used as daemon"));
            return Err(Exit::USAGE);
        }
        let runs_queue = is_daemon
            || matches!(mode, Mode::Deliver | Mode::RunQueue | Mode::PrintQueue | Mode::PrintCounts)
            || !self.invocation.queue.given;
        if runs_queue {
            return Ok(());
        }
        say(out, &format!("{code}Can not use -q with -b{}", char::from(mode.letter())));
        self.invocation.exit = Exit::USAGE;
        if mode == Mode::Test { Ok(()) } else { Err(Exit::USAGE) }
    }

    /// Whether the caller may do this at all.
    fn check_rights(&self, config: &Config, log: &Logger, out: &mut dyn Write) -> Result<(), Exit> {
        let mode = self.invocation.mode;
        // Whoever starts a daemon with his own rights alone may start any program.
        let goes_on = self.is_restarted && matches!(mode, Mode::Daemon | Mode::Foreground);
        let privileged = self.caller.is_privileged(config) || goes_on;
        if mode.row().trusted && !privileged {
            let what = match mode {
                Mode::Aliases => "rebuild the alias map",
                Mode::PurgeStatus => "purge host status",
                _ => "run daemon",
            };
            log.write_always(Priority::Alert, Id::None, format!("user {} attempted to {what}", self.caller.uid));
            let code = if mode == Mode::Daemon { "550 " } else { "" };
            say(out, &format!("{code}Permission denied (real uid not trusted)"));
            return Err(Exit::USAGE);
        }
        if mode == Mode::Verify && user::effective_uid() != 0 && !privileged {
            say(out, "Notice: -bv may give misleading output for non-privileged user");
        }
        let is_run = matches!(mode, Mode::Deliver | Mode::RunQueue);
        let runs_queue = is_run && (self.invocation.queue.given || self.invocation.quarantine.is_some());
        if runs_queue && !privileged && !self.is_restarted && self.invocation.queue.interval.is_some() {
            let text = format!("user {} attempted to start a queue runner daemon", self.caller.uid);
            log.write_always(Priority::Alert, Id::None, text);
            say(out, "Permission denied (real uid not trusted)");
            return Err(Exit::USAGE);
        }
        if runs_queue && !privileged && config.options.privacy_options.has(Privacy::RESTRICT_QRUN) {
            say(out, "You do not have permission to process the queue");
            return Err(Exit::NOPERM);
        }
        Ok(())
    }

    /// Goes on as `RunAsUser`, when root runs something that is not the daemon.
    fn become_run_as_user(&self, config: &Config, log: &Logger, out: &mut dyn Write) -> Result<(), Exit> {
        let mode = self.invocation.mode;
        if user::effective_uid() != 0 || matches!(mode, Mode::Test | Mode::Daemon | Mode::Foreground) {
            return Ok(());
        }
        let Some(wanted) = config.options.run_as_user.as_ref().filter(|spec| spec.uid != 0) else {
            if !config.options.use_msp {
                return Ok(());
            }
            let text = "Mail submission program must have RunAsUser set to non root user";
            log.system_error(Id::NoQueue, &String::from_utf8_lossy(&self.caller.name), text);
            say(out, text);
            return Err(Exit::CONFIG);
        };
        user::Identity::of(wanted.uid, wanted.gid).and_then(|identity| user::become_for_good(&identity)).map_err(
            |error| {
                say(out, &format!("cannot become RunAsUser: {}", safefile::error_text(&error)));
                Exit::OSERR
            },
        )
    }

    fn needs_queue(&self) -> bool {
        !matches!(self.invocation.mode, Mode::Test | Mode::Aliases)
    }

    /// Whether the queue directory can be entered.
    fn check_queue(&self, config: &Config, log: &Logger, out: &mut dyn Write) -> Result<(), Exit> {
        let Some(directory) = &config.options.queue_directory else {
            let text = "QueueDirectory (Q) option must be set";
            log.system_error(Id::NoQueue, &String::from_utf8_lossy(&self.caller.name), text);
            say(out, text);
            return Err(Exit::CONFIG);
        };
        let path = match directory.strip_suffix(b"*") {
            Some(several) => {
                several.iter().rposition(|b| *b == b'/').map_or(&b""[..], |at| several.get(..at).unwrap_or_default())
            }
            None => directory.as_ref(),
        };
        let Err(error) = file::Dir::open(Path::new(std::ffi::OsStr::from_bytes(path))) else {
            return self.check_groups(config, path, log, out);
        };
        let reason = safefile::error_text(&error);
        let text = format!("can not chdir({}/): {reason}", String::from_utf8_lossy(path));
        log.system_error(Id::NoQueue, &String::from_utf8_lossy(&self.caller.name), &text);
        let mode = self.invocation.mode;
        let code = if matches!(mode, Mode::Smtp | Mode::Arpa) { "451 4.0.0 " } else { "" };
        // Who chose another way to learn of errors is not told here, and by `-oee` not with the exit code. Source: observed.
        let manner = if mode == Mode::Verify { ErrorMode::Print } else { config.options.error_mode };
        if manner == ErrorMode::Print {
            say(out, &format!("{code}{text}"));
        }
        if error.kind() == io::ErrorKind::PermissionDenied && user::effective_uid() != 0 {
            say(&mut io::stderr(), "Program mode requires special privileges, e.g., root or TrustedUser.");
        }
        Err(if manner == ErrorMode::MailZero { Exit::OK } else { Exit::CONFIG })
    }

    /// Whoever asks filters must know them all: mail is not taken past one with a misspelt name. Source: observed.
    fn check_filters(&self, config: &Config, log: &Logger, out: &mut dyn Write) -> Result<(), Exit> {
        if !matches!(self.invocation.mode, Mode::Daemon | Mode::Foreground | Mode::Smtp) {
            return Ok(());
        }
        let is_known = |name: &Bytes| config.filters.iter().any(|filter| filter.name == *name);
        let Some(name) = config.options.input_mail_filters.iter().find(|name| !is_known(name)) else { return Ok(()) };
        let text = format!("InputFilter {} not defined: No such file or directory", String::from_utf8_lossy(name));
        log.system_error(Id::NoQueue, &String::from_utf8_lossy(&self.caller.name), &text);
        say(out, &format!("451 4.0.0 {text}"));
        Err(Exit::CONFIG)
    }

    /// Queue groups must lie in the queue directory.
    fn check_groups(&self, config: &Config, root: &[u8], log: &Logger, out: &mut dyn Write) -> Result<(), Exit> {
        let root = root.strip_suffix(b"/").unwrap_or(root);
        let is_below = |path: &[u8]| {
            path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/") || root.is_empty())
        };
        let Some(stray) = config.queue_groups.iter().find(|group| !is_below(&group.path)) else { return Ok(()) };
        let text = format!(
            "QueuePath {} not subpath of QueueDirectory {}/: No such file or directory",
            String::from_utf8_lossy(&stray.path),
            String::from_utf8_lossy(root)
        );
        log.system_error(Id::NoQueue, &String::from_utf8_lossy(&self.caller.name), &text);
        say(out, &text);
        Err(Exit::CONFIG)
    }

    /// What the site is told about this start.
    fn start_options(&self) -> StartOptions {
        StartOptions {
            mode: self.invocation.mode.letter(),
            user: self.caller.name.clone(),
            uid: self.caller.uid,
            gid: self.caller.gid,
            log_tag: self.log_tag().into(),
            is_submission: self.role == Role::Submission,
            is_verbose: self.invocation.is_verbose,
            without_aliases: self.invocation.no_aliases,
            without_queue: matches!(self.invocation.mode, Mode::Verify | Mode::Test | Mode::Aliases),
            tracer: Arc::clone(&self.tracer),
            traffic: self.traffic.clone(),
        }
    }

    /// Opens everything and does `work`.
    fn with_site(&self, config: Config, out: &mut dyn Write, work: Work) -> Exit {
        let start = self.start_options();
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                say(&mut io::stderr(), &format!("cannot start: {}", safefile::error_text(&error)));
                return Exit::OSERR;
            }
        };
        let _guard = runtime.enter();
        let (site, mut findings) = match site::load(config, start) {
            Ok(loaded) => loaded,
            Err(error) => {
                say(out, &error.to_string());
                return Exit::CONFIG;
            }
        };
        if self.invocation.mode == Mode::Test {
            // What is about lines was said with the lines.
            findings.retain(|finding| finding.line == 0);
        }
        let exit = self.report(&findings, &site.log, out);
        if findings.iter().any(|d| d.severity != Severity::Warning) && self.invocation.mode != Mode::Test {
            return exit;
        }
        let done = work(self, &site, &runtime, out);
        site.post_statistics();
        // The process ends here, and the kernel takes memory back sooner than we can.
        std::mem::forget((Arc::clone(&site.config), site.rewriter.clone()));
        worst(done, exit)
    }
}

/// Address test mode.
fn test(_: &Request, site: &Arc<Site>, runtime: &tokio::runtime::Runtime, out: &mut dyn Write) -> Exit {
    super::testmode::run(site, runtime, super::submission::placeholder(site), io::stdin(), out)
}

/// What a mode does once everything is open.
type Work = fn(&Request, &Arc<Site>, &tokio::runtime::Runtime, &mut dyn Write) -> Exit;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_is_the_daemons_unless_the_submission_program_is_meant() {
        for (line, mode) in [
            ("sendmail -qf -v", Mode::RunQueue),
            ("sendmail -q15m", Mode::RunQueue),
            ("sendmail -Qheld -qIx", Mode::RunQueue),
            ("sendmail -q -bd", Mode::Daemon),
            ("sendmail -odq bob", Mode::Deliver),
        ] {
            let words: Vec<_> = line.split(' ').map(Bytes::from).collect();
            assert_eq!(work(&Invocation::parse(&words)), mode, "{line}");
        }
        assert!(!Mode::RunQueue.row().submits && Mode::Deliver.row().submits);
    }
}
