//! Log lines and debug output.
//!
//! In: what happened. Out: lines in the original's form to syslog. Documents: op guide 2.1, RFC 3164. Never: blocks a
//! session on a slow log for longer than the socket does.
//!
//! A line has a *level* (from which `LogLevel` on it is written), a *priority* (for syslog) and an *id*: the queue id of
//! the message it is about, `NOQUEUE` when it is about none yet, or nothing at start and stop.

pub mod debug;
pub mod level;
pub mod line;
pub mod statistics;
pub mod syslog;
pub mod traffic;

use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::sys::{env, file, user};

pub use level::Level;
pub use line::visible;
pub use syslog::Priority;

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Id<'a> {
    /// The program as a whole: no id at all.
    None,
    /// No message yet: `NOQUEUE`.
    NoQueue,
    /// The message of this queue id.
    Queue(&'a str),
}

/// Writes log lines. Cheap to clone; all clones share one socket, tag and level.
#[derive(Clone)]
pub struct Logger {
    level: i64,
    sink: Arc<Sink>,
    tracer: Arc<debug::Tracer>,
    traffic: Option<Arc<traffic::Traffic>>,
}

enum Sink {
    Syslog(syslog::Connection),
    File(syslog::Format, File),
    Memory(Mutex<Vec<(Priority, String)>>),
    Nothing,
}

impl fmt::Debug for Logger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logger").field("level", &self.level).finish_non_exhaustive()
    }
}

impl Logger {
    /// Lines go to the system's log, facility mail, with this tag and time stamps of this zone.
    ///
    /// `SENDMAIL_LOG_FILE` in the environment names a file to be used instead, for hosts without syslogd; a program that
    /// borrows rights by a set-id bit does not look at it.
    pub fn syslog(tag: &str, zone: TimeZone, level: i64) -> Self {
        if user::real_uid() == user::effective_uid()
            && user::real_gid() == user::effective_gid()
            && let Some(path) = env::var("SENDMAIL_LOG_FILE")
            && let Ok(file) = file::open_append(path.as_ref(), 0o600)
        {
            return Self::of(level, Sink::File(syslog::Format::new(tag, zone), file));
        }
        Self::of(level, Sink::Syslog(syslog::Connection::new(tag, zone)))
    }

    fn of(level: i64, sink: Sink) -> Self {
        Self { level, sink: Arc::new(sink), tracer: Arc::default(), traffic: None }
    }

    /// Lines are kept; [`Logger::kept`] gives them back. For tests.
    pub fn memory(level: i64) -> Self {
        Self::of(level, Sink::Memory(Mutex::default()))
    }

    /// Lines go nowhere.
    pub fn nothing() -> Self {
        Self::of(-1, Sink::Nothing)
    }

    /// The same log with another `LogLevel`.
    #[must_use]
    pub fn with_level(&self, level: i64) -> Self {
        Self { level, ..self.clone() }
    }

    /// The same log with debug output of this tracer.
    #[must_use]
    pub fn with_tracer(&self, tracer: Arc<debug::Tracer>) -> Self {
        Self { tracer, ..self.clone() }
    }

    /// Debug output (`-d`).
    pub fn tracer(&self) -> &Arc<debug::Tracer> {
        &self.tracer
    }

    /// The same log with a traffic log beside it.
    #[must_use]
    pub fn with_traffic(&self, traffic: Option<Arc<traffic::Traffic>>) -> Self {
        Self { traffic, ..self.clone() }
    }

    /// The traffic log (`-X`), when there is one.
    pub fn traffic(&self) -> Option<&Arc<traffic::Traffic>> {
        self.traffic.as_ref()
    }

    /// `LogLevel`.
    pub fn level(&self) -> i64 {
        self.level
    }

    /// Whether lines of this level are written; ask before building a costly line.
    pub fn is_on(&self, level: Level) -> bool {
        self.level > level.0
    }

    /// Writes a line when `LogLevel` is above its level. Control characters of the text are made visible.
    pub fn write(&self, level: Level, priority: Priority, id: Id<'_>, text: impl fmt::Display) {
        if self.is_on(level) {
            self.write_always(priority, id, text);
        }
    }

    /// Writes a line whatever `LogLevel` is.
    pub fn write_always(&self, priority: Priority, id: Id<'_>, text: impl fmt::Display) {
        let line = match id {
            Id::None => visible(text),
            Id::NoQueue => format!("NOQUEUE: {}", visible(text)),
            Id::Queue(id) => format!("{id}: {}", visible(text)),
        };
        match &*self.sink {
            Sink::Syslog(connection) => connection.send(priority, &line),
            // A log that cannot be written has nowhere to say so.
            Sink::File(format, file) => drop((&*file).write_all(format.file_line(&line).as_bytes())),
            Sink::Memory(lines) => {
                lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((priority, line));
            }
            Sink::Nothing => {}
        }
    }

    /// `SYSERR(user): text`, priority critical: a fault of the system or the configuration.
    pub fn system_error(&self, id: Id<'_>, user: &str, text: impl fmt::Display) {
        self.write(Level::SYSTEM_ERROR, Priority::Critical, id, format_args!("SYSERR({user}): {text}"));
    }

    /// A caller's text had line feeds where none belong; they are replaced. Source: observed.
    pub fn attack(&self, id: Id<'_>, line: &[u8]) {
        let text = line::shortened(line, ATTACK);
        self.write_always(
            Priority::Notice,
            id,
            format_args!("POSSIBLE ATTACK from [UNKNOWN]: newline in string \"{}\"", line::text(&text)),
        );
    }

    /// Waits until lines that the log had no room for are written. Before the program ends.
    pub fn flush(&self, limit: Duration) {
        if let Sink::Syslog(connection) = &*self.sink {
            connection.flush(limit);
        }
    }

    /// Lines kept by [`Logger::memory`].
    pub fn kept(&self) -> Vec<(Priority, String)> {
        match &*self.sink {
            Sink::Memory(lines) => lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone(),
            _ => Vec::new(),
        }
    }
}

/// Longest text of a line about an attack. Source: observed.
const ATTACK: usize = 203;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_written_above_its_level_only() {
        let logger = Logger::memory(9);
        logger.write(Level(8), Priority::Info, Id::Queue("6AM8UI1E018174"), "from=<a@b>");
        logger.write(Level(9), Priority::Info, Id::NoQueue, "not now");
        logger.write(Level(0), Priority::Notice, Id::None, "a\nb\\c\x01");
        let lines: Vec<String> = logger.kept().into_iter().map(|(_, line)| line).collect();
        assert_eq!(lines, ["6AM8UI1E018174: from=<a@b>", "a\\nb\\\\c\\001"]);
    }
}
