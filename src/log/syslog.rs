//! The way to syslogd: RFC 3164 as glibc writes it, over `/dev/log`.
//!
//! The socket does not block. What it has no room for waits in a bounded backlog that a thread of its own writes out; only
//! when that is full are lines dropped, and then their number is logged.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::process;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use syslog::{Facility, LogFormat, LoggerBackend, Severity};

use crate::base::date;
use crate::base::time::UnixTime;
use crate::sys::{clock, host};

/// Importance of a line, as syslog(3) names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are those of syslog(3)")]
pub enum Priority {
    Emergency,
    Alert,
    Critical,
    Error,
    Warning,
    Notice,
    Info,
    Debug,
}

impl Priority {
    /// The number of syslog(3), 0 to 7; others count as debug.
    pub fn from_number(number: i64) -> Self {
        use Priority::{Alert, Critical, Debug, Emergency, Error, Info, Notice, Warning};
        [Emergency, Alert, Critical, Error, Warning, Notice, Info]
            .get(usize::try_from(number).unwrap_or(usize::MAX))
            .copied()
            .unwrap_or(Debug)
    }

    fn severity(self) -> Severity {
        match self {
            Self::Emergency => Severity::LOG_EMERG,
            Self::Alert => Severity::LOG_ALERT,
            Self::Critical => Severity::LOG_CRIT,
            Self::Error => Severity::LOG_ERR,
            Self::Warning => Severity::LOG_WARNING,
            Self::Notice => Severity::LOG_NOTICE,
            Self::Info => Severity::LOG_INFO,
            Self::Debug => Severity::LOG_DEBUG,
        }
    }
}

/// Formats a line as glibc does.
///
/// Shape: `<22>Nov  4 08:05:27 sendmail[123]: text`; local time, day padded with a blank, no host name.
#[derive(Debug, Clone)]
pub struct Format {
    tag: String,
    host: String,
    zone: TimeZone,
    /// Time stamp of the second it was last asked for.
    stamp: Arc<Mutex<(UnixTime, String)>>,
}

impl Format {
    /// A format with this tag and zone.
    pub fn new(tag: &str, zone: TimeZone) -> Self {
        let name = host::name().unwrap_or_default();
        let host = name.split('.').next().filter(|label| !label.is_empty()).unwrap_or("localhost").to_owned();
        Self { tag: tag.to_owned(), host, zone, stamp: Arc::new(Mutex::new((UnixTime(i64::MIN), String::new()))) }
    }

    /// A line of a log file, as syslogd writes it: with the first label of this host's name.
    pub(super) fn file_line(&self, text: &str) -> String {
        format!("{} {} {}[{}]: {text}\n", self.stamp(clock::now()), self.host, self.tag, process::id())
    }

    fn stamp(&self, now: UnixTime) -> String {
        let mut stamp = held(&self.stamp);
        if stamp.0 != now {
            *stamp = (now, date::zoned(now, &self.zone).strftime("%b %e %H:%M:%S").to_string());
        }
        stamp.1.clone()
    }
}

impl LogFormat<&str> for Format {
    fn format<W: Write>(&self, w: &mut W, severity: Severity, message: &str) -> syslog::Result<()> {
        let priority = severity as u8 | Facility::LOG_MAIL as u8;
        let stamp = self.stamp(clock::now());
        // One write is one datagram.
        let line = format!("<{priority}>{stamp} {}[{}]: {message}", self.tag, process::id());
        w.write_all(line.as_bytes()).map_err(syslog::Error::Write)
    }
}

/// The connection to syslogd, made when the first line comes and again when syslogd was restarted.
pub struct Connection(Arc<Shared>);

struct Shared {
    format: Format,
    state: Mutex<State>,
    emptied: Condvar,
}

#[derive(Default)]
struct State {
    backend: Option<LoggerBackend>,
    was_connected: bool,
    next_connect: Option<Instant>,
    backlog: VecDeque<(Severity, String)>,
    lost: u64,
    has_writer: bool,
}

impl Connection {
    /// A connection that is not made yet.
    pub fn new(tag: &str, zone: TimeZone) -> Self {
        let format = Format::new(tag, zone);
        Self(Arc::new(Shared { format, state: Mutex::default(), emptied: Condvar::new() }))
    }

    /// Sends a line, or keeps it until there is room. Returns at once.
    pub fn send(&self, priority: Priority, text: &str) {
        let severity = priority.severity();
        let mut state = held(&self.0.state);
        if state.backlog.is_empty() && state.try_send(&self.0.format, severity, text) != Sent::Later {
            return;
        }
        if state.backlog.len() >= BACKLOG {
            state.lost += 1;
            return;
        }
        state.backlog.push_back((severity, text.to_owned()));
        if !state.has_writer {
            let shared = Arc::clone(&self.0);
            state.has_writer =
                thread::Builder::new().name("log".to_owned()).spawn(move || shared.write_backlog()).is_ok();
        }
    }

    /// Waits until the backlog is written, but not longer than `limit`.
    pub fn flush(&self, limit: Duration) {
        let state = held(&self.0.state);
        drop(self.0.emptied.wait_timeout_while(state, limit, |state| !state.backlog.is_empty()));
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    Yes,
    /// No room, or syslogd is being restarted.
    Later,
    /// There is no syslogd; as with syslog(3) the line is gone.
    Never,
}

impl State {
    fn try_send(&mut self, format: &Format, severity: Severity, text: &str) -> Sent {
        for _ in 0..2 {
            if self.backend.is_none() && !self.connect(format) {
                return if self.was_connected { Sent::Later } else { Sent::Never };
            }
            let Some(backend) = &mut self.backend else { break };
            let Err(error) = format.format(backend, severity, text) else { return Sent::Yes };
            match error {
                syslog::Error::Write(e) if is_full(&e) => return Sent::Later,
                syslog::Error::Write(e) if e.raw_os_error() == Some(libc::EMSGSIZE) => return Sent::Never,
                _ => {
                    self.backend = None;
                    self.next_connect = None;
                }
            }
        }
        Sent::Later
    }

    fn connect(&mut self, format: &Format) -> bool {
        let now = clock::monotonic();
        if self.next_connect.is_some_and(|at| now < at) {
            return false;
        }
        self.next_connect = Some(now + RECONNECT);
        let Ok(logger) = syslog::unix(format.clone()) else { return false };
        if let LoggerBackend::Unix(socket) = &logger.backend {
            let _ = socket.set_nonblocking(true);
        }
        self.backend = Some(logger.backend);
        self.was_connected = true;
        true
    }

    /// Writes the first line of the backlog; false when it must wait.
    fn write_first(&mut self, format: &Format) -> bool {
        if self.lost > 0 && self.backlog.len() < BACKLOG {
            let text = format!("log: {} lines lost: syslogd too slow", self.lost);
            self.backlog.push_back((Severity::LOG_WARNING, text));
            self.lost = 0;
        }
        let Some((severity, text)) = self.backlog.pop_front() else { return true };
        if self.try_send(format, severity, &text) == Sent::Later {
            self.backlog.push_front((severity, text));
            return false;
        }
        true
    }
}

impl Shared {
    fn write_backlog(&self) {
        loop {
            let mut state = held(&self.state);
            if !state.write_first(&self.format) {
                drop(state);
                thread::sleep(PAUSE);
                continue;
            }
            if state.backlog.is_empty() && state.lost == 0 {
                state.has_writer = false;
                self.emptied.notify_all();
                return;
            }
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(libc::ENOBUFS)
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lines that may wait for syslogd.
const BACKLOG: usize = 20_000;
const PAUSE: Duration = Duration::from_millis(5);
const RECONNECT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixDatagram;

    #[test]
    fn the_form_is_that_of_glibc() {
        let format = Format::new("sendmail", TimeZone::posix("CET-1").unwrap());
        assert_eq!(format.stamp(UnixTime(1_793_779_527)), "Nov  4 09:05:27");
        let mut out = Vec::new();
        format.format(&mut out, Severity::LOG_NOTICE, "x").unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("<21>") && text.ends_with(&format!(" sendmail[{}]: x", process::id())), "{text}");
    }

    #[test]
    fn a_line_of_a_file_names_the_host() {
        let line = Format::new("sm-mta", TimeZone::UTC).file_line("x");
        let words: Vec<&str> = line.split_whitespace().collect();
        let own = host::name().unwrap();
        assert_eq!(words.get(3).copied(), own.split('.').next(), "{line}");
        assert!(line.ends_with(&format!(" sm-mta[{}]: x\n", process::id())), "{line}");
    }

    #[test]
    fn priorities_have_the_numbers_of_syslog() {
        assert_eq!(Priority::from_number(2), Priority::Critical);
        assert_eq!(Priority::from_number(9), Priority::Debug);
        assert_eq!(Priority::Info.severity() as u8, 6);
    }

    #[test]
    fn a_full_socket_keeps_lines_in_order() {
        let (ours, theirs) = UnixDatagram::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let connection = Connection::new("t", TimeZone::UTC);
        {
            let mut state = held(&connection.0.state);
            state.backend = Some(LoggerBackend::Unix(ours));
            state.was_connected = true;
        }
        for n in 0..3000 {
            connection.send(Priority::Info, &format!("line {n}"));
        }
        let mut buffer = [0u8; 256];
        for n in 0..3000 {
            let length = theirs.recv(&mut buffer).unwrap();
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            assert!(text.ends_with(&format!(": line {n}")), "{text}");
        }
        connection.flush(Duration::from_secs(10));
        assert!(held(&connection.0.state).backlog.is_empty());
    }
}
