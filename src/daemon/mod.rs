//! The daemon: listeners, sessions, queue runs, signals.
//!
//! In: a configuration, how the program was started, signals. Out: running sessions and attempts until it is told to stop.
//! Documents: op guide 2.4–2.6. Never: parses what a peer says.

pub mod engine;
pub mod listen;
pub mod runner;
pub mod stdio;

mod control;
mod lanes;
mod load;
mod niced;
mod state;
mod tasks;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::base::time::clock_form;
use crate::config::Config;
use crate::log::{Id, Level, Logger, Priority};
use crate::macros::{Value, names};
use crate::queue::schedule::Filter;
use crate::site::{self, Site, StartOptions};
use crate::sys::handover::Handover;
use crate::sys::{daemonize, env, file, signal as signals, user};
use control::Control;
use engine::{Engine, Pace};

/// What the daemon does.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Stays in the foreground (`-bD`).
    pub is_foreground: bool,
    /// Accepts connections (`-bd`, `-bD`); without it only the queue is run.
    pub listens: bool,
    /// Time between queue runs (`-q30m`).
    pub interval: Option<Duration>,
    /// Runs follow each other with that time between them (`-qp`).
    pub is_persistent: bool,
    /// What queue runs take (`-qG`, `-qI`, `-qR`, `-qS`).
    pub selection: Selection,
    /// The command line, for the pid file and a restart.
    pub command_line: Vec<Bytes>,
    /// Started by a daemon in its own place: it is in the background already.
    pub is_restarted: bool,
}

/// Part of the queue.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Filters; none for all.
    pub filters: Vec<Filter>,
    /// Name of a queue group; `None` for all.
    pub group: Option<Bytes>,
    /// Numbers of groups that have runs of their own.
    pub without: Vec<usize>,
}

/// Why the daemon stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    End,
    Restart,
}

/// Runs until a signal ends it; in the background unless told otherwise.
///
/// Only while the process has one thread. In the background the caller's process returns at once with [`Exit::OK`].
pub fn run(
    mut config: Config,
    start: StartOptions,
    options: &Options,
    listeners: Handover,
    out: &mut dyn Write,
) -> Exit {
    if !options.is_foreground && !options.is_restarted {
        match daemonize::detach() {
            Ok(daemonize::Side::Parent) => return Exit::OK,
            Ok(daemonize::Side::Daemon) => {}
            Err(error) => {
                // A caller who has gone is not told.
                let _ = writeln!(out, "cannot fork: {error}");
                return Exit::OSERR;
            }
        }
    }
    let runtime = match Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = writeln!(out, "cannot start: {error}");
            return Exit::OSERR;
        }
    };
    set_macros(&mut config, options);
    let site = {
        let _guard = runtime.enter();
        match site::load(config, start) {
            Ok((site, findings)) => {
                for finding in &findings {
                    site.log.system_error(Id::NoQueue, "root", finding);
                }
                site
            }
            Err(error) => {
                let _ = writeln!(out, "{error}");
                return Exit::CONFIG;
            }
        }
    };
    let stopped = work(&runtime, &site, options, listeners);
    site.log.flush(LAST_LINES);
    drop(runtime);
    match stopped {
        Ok(Ended { stop: Stop::End, .. }) => Exit::OK,
        Ok(Ended { stop: Stop::Restart, listeners }) => restart(&site.log, options, listeners),
        Err(exit) => {
            // In the background nobody reads this.
            let _ = writeln!(out, "the daemon ended: the log says why");
            exit
        }
    }
}

/// The listeners. Another daemon that is just ending gets some time to leave its ports.
///
/// Errors: none can be had, and not all of them are optional; no pid file is touched then. Source: observed. The submission
/// program goes on without when it has a queue to run.
fn open_patiently(site: &Site, options: &Options, left: &mut Handover) -> Result<Vec<listen::Listener>, Exit> {
    let ports = &site.config.options.daemon_port_options;
    let must_listen = ports.is_empty() || ports.iter().any(|port| !port.modifiers.has(b'O'));
    for _ in 0..TRIES_TO_LISTEN {
        let listeners = listen::open_all(site, left);
        if !listeners.is_empty() || !must_listen {
            return Ok(listeners);
        }
        std::thread::sleep(PAUSE_TO_LISTEN);
    }
    // The client queue is run all the same: mail in it has no other way.
    if site.start.is_submission && options.interval.is_some() {
        site.log.system_error(
            Id::NoQueue,
            "root",
            "opendaemonsocket: no port can be had: only the client queue is run",
        );
        return Ok(Vec::new());
    }
    site.log.system_error(Id::NoQueue, "root", "opendaemonsocket: server SMTP socket wedged: exiting");
    Err(Exit::UNAVAILABLE)
}

/// How the work ended, and the sockets that still listen.
struct Ended {
    stop: Stop,
    listeners: Handover,
}

fn work(runtime: &Runtime, site: &Arc<Site>, options: &Options, mut left: Handover) -> Result<Ended, Exit> {
    // A broken pipe must be an error of the write, whatever the caller left set.
    let _ = signals::ignore_broken_pipes();
    let _ = signals::unblock_all();
    let engine = Engine::new(Arc::clone(site), runtime.handle().clone());
    let what = purpose(options);
    let version = site.config.scope().text(names::VERSION);
    let version = String::from_utf8_lossy(&version).into_owned();
    site.log.write_always(Priority::Info, Id::None, format!("starting daemon ({version}): {what}"));
    let listeners = if options.listens { open_patiently(site, options, &mut left)? } else { Vec::new() };
    // Ports that the configuration names no more.
    drop(left);
    let pid_file = write_pid_file(site, options);
    let control = if options.listens { Control::open(site) } else { None };
    site.log.write(Level(9), Priority::Info, Id::None, format!("started as: {}", shown_command(options)));
    if let Err(error) = become_run_as_user(&site.config) {
        site.log.system_error(Id::NoQueue, "root", format!("cannot become RunAsUser: {error}"));
        return Err(Exit::OSERR);
    }
    let stop = runtime.block_on(async {
        engine.recover().await;
        if options.listens {
            engine.open_journal().await;
        }
        engine.post_statistics_regularly();
        if options.listens {
            engine.look_at_space();
        }
        for listener in listeners {
            listen::start(Arc::clone(&engine), listener);
        }
        engine.tasks.set_usual(usual_title(site, options));
        if let Some(interval) = options.interval {
            let pace = if options.is_persistent { Pace::Pause(interval) } else { Pace::Interval(interval) };
            engine.run_regularly(pace, &options.selection);
        }
        let (ask, asked) = mpsc::channel(1);
        if let Some(Err(error)) = control.map(|control| control.serve(&engine, ask.clone())) {
            site.log.write_always(Priority::Warning, Id::None, format!("control socket: {error}"));
        }
        let stop = wait_for_order(&engine, asked).await;
        drop(ask);
        engine.stop(GRACE).await;
        site.post_statistics();
        stop
    });
    let (stop, why) = stop;
    let listeners = engine.parked();
    if let Some((path, held)) = pid_file.filter(|_| stop == Stop::End) {
        // One that is gone already is as good.
        let _ = file::unlink(&path);
        drop(held);
    }
    if stop == Stop::End {
        site.log.write(Level(9), Priority::Info, Id::NoQueue, format!("stopping daemon, reason={why}"));
    } else {
        let program = options.command_line.first().map(|word| shown(word).to_string()).unwrap_or_default();
        site.log.write_always(Priority::Info, Id::None, format!("restarting {program} due to {why}"));
    }
    Ok(Ended { stop, listeners })
}

/// `SMTP+queueing@00:30:00`.
fn purpose(options: &Options) -> String {
    let mut what = Vec::new();
    if options.listens {
        what.push("SMTP".to_owned());
    }
    if let Some(interval) = options.interval {
        let how = if options.is_persistent { "persistent-" } else { "" };
        what.push(format!("{how}queueing@{}", clock_form(interval)));
    }
    what.join("+")
}

/// `${daemon_info}` and `${queue_interval}`.
fn set_macros(config: &mut Config, options: &Options) {
    let macros = Arc::make_mut(&mut config.macros);
    macros.insert(names::DAEMON_INFO, Value::Text(purpose(options).into()));
    if let Some(interval) = options.interval {
        macros.insert(names::QUEUE_INTERVAL, Value::Text(clock_form(interval).into()));
    }
}

/// The title while nothing special happens. Source: observed.
fn usual_title(site: &Site, options: &Options) -> String {
    let directory = site.config.options.queue_directory.as_deref().unwrap_or_default();
    match options.interval {
        _ if options.listens => "accepting connections".to_owned(),
        Some(interval) if !options.is_persistent => {
            format!("Queue runner@{} for {}", clock_form(interval), shown(directory))
        }
        _ => "Queue control".to_owned(),
    }
}

fn shown_command(options: &Options) -> String {
    let words: Vec<_> = options.command_line.iter().map(|w| String::from_utf8_lossy(w)).collect();
    words.join(" ")
}

fn write_pid_file(site: &Site, options: &Options) -> Option<(PathBuf, daemonize::PidFile)> {
    use std::os::unix::ffi::OsStringExt as _;
    let path = match &site.config.options.pid_file {
        Some(template) => PathBuf::from(std::ffi::OsString::from_vec(template.expand(&site.config.scope()))),
        None => PathBuf::from(PID_FILE),
    };
    if path.as_os_str().is_empty() {
        return None;
    }
    let mode = site.config.options.temp_file_mode.0 & !OTHERS_WRITE;
    match daemonize::PidFile::write(&path, mode, std::process::id(), shown_command(options).as_bytes()) {
        Ok(held) => Some((path, held)),
        Err(error) => {
            let text = format!("unable to write pid to {}: {error}", path.display());
            site.log.write(Level::SYSTEM_ERROR, Priority::Error, Id::NoQueue, text);
            None
        }
    }
}

/// Nobody else writes to a pid file. Source: observed.
const OTHERS_WRITE: u32 = 0o022;

fn become_run_as_user(config: &Config) -> std::io::Result<()> {
    let Some(wanted) = config.options.run_as_user.as_ref().filter(|spec| spec.uid != 0) else { return Ok(()) };
    if user::effective_uid() != 0 {
        return Ok(());
    }
    user::become_for_good(&user::Identity::of(wanted.uid, wanted.gid)?)
}

/// Waits until a signal or the control socket asks for an end, and tells which; SIGUSR1 asks for the state meanwhile.
async fn wait_for_order(engine: &Engine, mut asked: mpsc::Receiver<Stop>) -> (Stop, &'static str) {
    let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup(), SignalKind::user_defined1()];
    let [Ok(mut term), Ok(mut int), Ok(mut hup), Ok(mut usr1)] = kinds.map(signal) else {
        return std::future::pending().await;
    };
    loop {
        tokio::select! {
            _ = term.recv() => return (Stop::End, SIGNAL),
            _ = int.recv() => return (Stop::End, SIGNAL),
            _ = hup.recv() => return (Stop::Restart, SIGNAL),
            Some(stop) = asked.recv() => return (stop, "control socket"),
            _ = usr1.recv() => state::log(engine),
        }
    }
}

/// Starts the same program with the same command line in place of this one. Its listeners go on: no connection is refused
/// meanwhile, and ports that need root's rights are kept under `RunAsUser`.
fn restart(log: &Logger, options: &Options, listeners: Handover) -> Exit {
    let program = options.command_line.first().cloned().unwrap_or_default();
    let path = {
        use std::os::unix::ffi::OsStrExt as _;
        if program.starts_with(b"/") {
            PathBuf::from(std::ffi::OsStr::from_bytes(&program))
        } else {
            env::own_executable()
        }
    };
    let error = match listeners.leave() {
        Ok(variable) => daemonize::exec(&path, &options.command_line, &variable),
        Err(error) => error,
    };
    log.write_always(Priority::Alert, Id::NoQueue, format!("could not restart: {}: {error}", path.display()));
    log.flush(LAST_LINES);
    Exit::OSFILE
}

/// Runs the queue once and waits for it (`-q`).
pub async fn run_queue_once(site: &Arc<Site>, selection: Selection) -> Exit {
    let engine = Engine::new(Arc::clone(site), tokio::runtime::Handle::current());
    let directory = site.config.options.queue_directory.as_deref().unwrap_or_default();
    engine.tasks.set_usual(format!("running queue: {}", shown(directory)));
    let exit = engine.run_once(selection).await;
    engine.finish().await;
    exit
}

/// Why the daemon ends, in the log.
const SIGNAL: &str = "signal";
/// Pid file when the configuration names none. Source: observed.
pub const PID_FILE: &str = "/var/run/sendmail/mta/sendmail.pid";
/// How long sessions and attempts may go on after the signal.
const GRACE: Duration = Duration::from_secs(10);
/// How long the last log lines may take.
const LAST_LINES: Duration = Duration::from_secs(2);
/// How often ports are tried, and the time between.
const TRIES_TO_LISTEN: u32 = 5;
const PAUSE_TO_LISTEN: Duration = Duration::from_secs(2);
