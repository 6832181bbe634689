//! `mailq`, `sendmail -bp`: prints the queue.

use std::io::{self, Write};
use std::path::Path;

use bytes::Bytes;
use jiff::tz::TimeZone;

use super::invocation::{QueueRequest, Selection};
use crate::base::exit::Exit;
use crate::base::time::UnixTime;
use crate::config::Config;
use crate::config::privacy::Privacy;
use crate::config::values::TimeZoneSpec;
use crate::log::{Id, Level, Logger, Priority};
use crate::queue::drive::{Look, Spool};
use crate::queue::list::{self, Facts, Mark};
use crate::queue::order::{self, Summary};
use crate::queue::qf::{self, Codec};
use crate::queue::schedule::{self, Field, Filter};
use crate::queue::{Entry, Error, Kind};
use crate::sys::{clock, load, user};

/// What is to be listed.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `-v`.
    pub verbose: bool,
    /// `-qI`, `-qR`, `-qS`, `-qQ`.
    pub filters: Vec<Filter>,
    /// `-qQ` or `-qL`: which control files.
    pub kind: Option<Kind>,
    /// `-qG`: one queue group.
    pub group: Option<Bytes>,
}

impl Request {
    /// What the `-q` options of the command line ask for.
    pub fn new(queue: &QueueRequest, verbose: bool) -> Self {
        let filter = |selection: &Selection| {
            let field = match selection.kind {
                b'I' => Field::Id,
                b'R' => Field::Recipient,
                b'S' => Field::Sender,
                _ => Field::Reason,
            };
            Filter { field, is_negated: selection.negated, text: selection.text.clone() }
        };
        let kind = match (queue.lost, queue.quarantined) {
            (true, _) => Some(Kind::Lost),
            (false, true) => Some(Kind::Quarantined),
            (false, false) => None,
        };
        let filters = queue.selections.iter().map(filter).collect();
        Self { verbose, filters, kind, group: queue.group.clone() }
    }
}

/// Prints the queue; the mode `-bp`.
pub fn run(queue: &QueueRequest, config: &Config, log: &Logger, out: &mut dyn Write) -> Exit {
    let zone = match &config.options.time_zone_spec {
        TimeZoneSpec::System => clock::system_zone(),
        TimeZoneSpec::Caller => clock::caller_zone(),
        TimeZoneSpec::Named(name) => clock::named_zone(name),
    };
    let request = Request::new(queue, config.options.verbose);
    // Whoever reads may go away.
    let mut told = Vec::new();
    let exit = print(config, &zone, &request, &mut told, out).unwrap_or(Exit::IOERR);
    for told in told {
        match told {
            Told::Complaint(text) => log.system_error(Id::NoQueue, "root", text.trim_end()),
            Told::Full(text) => log.write(Level::SYSTEM_ERROR, Priority::Warning, Id::None, text),
        }
    }
    exit
}

/// What the log is told, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A message cannot be read.
    Complaint(String),
    /// There are more messages than are shown.
    Full(String),
}

/// Prints the queue of the configuration.
///
/// Errors: those of `out`. What the queue says is printed, as the original does; the exit code tells.
///
/// `told` gets what the log is told too.
pub fn print(
    config: &Config,
    zone: &TimeZone,
    request: &Request,
    told: &mut Vec<Told>,
    out: &mut dyn Write,
) -> io::Result<Exit> {
    let only = match &request.group {
        None => None,
        Some(name) => match config.queue_groups.iter().position(|group| group.name == *name) {
            Some(at) => Some(at),
            None if name.as_ref() == b"mqueue" => Some(0),
            None => {
                writeln!(out, "Queue group {} unknown", String::from_utf8_lossy(name))?;
                return Ok(Exit::OK);
            }
        },
    };
    if !may_see(config) {
        writeln!(out, "You are not permitted to see the queue\n\t\tTotal requests: 0")?;
        return Ok(Exit::OK);
    }
    let spool = match Spool::open(config, zone.clone()) {
        Ok(spool) => spool,
        Err(Error::Directory { path, source }) => {
            writeln!(out, "can not chdir({}/): {}", path.display(), words(&source))?;
            return Ok(Exit::CONFIG);
        }
        Err(error) => {
            writeln!(out, "{error}")?;
            return Ok(Exit::OSERR);
        }
    };
    let (now, load) = (clock::now(), load::average().unwrap_or(0));
    let printer = Printer { config, zone, request, spool: &spool, now, load, codec: Codec::new(config) };
    let mut total = 0;
    for group in (0..spool.groups()).filter(|group| only.is_none_or(|only| only == *group)) {
        for directory in spool.directories_of(group) {
            total += printer.directory(*directory, told, out)?;
        }
    }
    if only.is_none() {
        writeln!(out, "\t\tTotal requests: {total}")?;
    }
    Ok(Exit::OK)
}

/// Prints the number of messages in each queue directory; the mode `-bP`.
///
/// The original's daemon keeps the numbers in shared memory (`SharedMemoryKey`), so that without it there are none. Here the
/// directories are looked at.
pub fn counts(config: &Config, out: &mut dyn Write) -> Exit {
    counted(config, out).unwrap_or(Exit::IOERR)
}

fn counted(config: &Config, out: &mut dyn Write) -> io::Result<Exit> {
    if config.options.shared_memory_key == 0 {
        writeln!(out, "Data unavailable: shared memory not updated")?;
        return Ok(Exit::OK);
    }
    let spool = match Spool::open(config, clock::system_zone()) {
        Ok(spool) => spool,
        Err(error) => {
            writeln!(out, "{error}")?;
            return Ok(Exit::CONFIG);
        }
    };
    let mut total = 0;
    for directory in (0..spool.groups()).flat_map(|group| spool.directories_of(group)) {
        let path = spool.path_of(*directory).unwrap_or(Path::new(".")).display();
        let count = spool.names_of(*directory).iter().filter(|entry| entry.kind == Kind::Normal).count();
        total += count;
        if count == 0 { writeln!(out, "{path} is empty")? } else { writeln!(out, "{path}: entries={count}")? }
    }
    if total > 0 {
        writeln!(out, "\t\tTotal requests: {total}")?;
    }
    Ok(Exit::OK)
}

struct Printer<'a> {
    config: &'a Config,
    zone: &'a TimeZone,
    request: &'a Request,
    spool: &'a Spool,
    now: UnixTime,
    load: i64,
    codec: Codec,
}

impl Printer<'_> {
    /// One queue directory; gives the number of messages in it.
    fn directory(&self, directory: usize, told: &mut Vec<Told>, out: &mut dyn Write) -> io::Result<usize> {
        let kind = self.request.kind.unwrap_or(Kind::Normal);
        let most = usize::try_from(self.config.options.max_queue_run_size).unwrap_or(0);
        let found = self.spool.scan_directory(directory);
        let (mut entries, left) = schedule::first(found, most, (kind, &self.request.filters), |_| true);
        order::sort(&mut entries, self.config.options.queue_sort_order, self.now.0.unsigned_abs());
        let path = self.spool.path_of(directory).unwrap_or(Path::new("."));
        let count = entries.len() + left.len();
        if !left.is_empty() {
            told.push(Told::Full(schedule::full(path, most)));
        }
        let path = path.display();
        if count == 0 {
            writeln!(out, "{path} is empty")?;
            return Ok(0);
        }
        let only = if left.is_empty() { String::new() } else { format!(", only {most} printed") };
        writeln!(out, "\t\t{path} ({count} request{}{only})", if count == 1 { "" } else { "s" })?;
        out.write_all(list::heading(self.request.verbose).as_bytes())?;
        for entry in &entries {
            told.extend(self.entry(entry, out)?.map(Told::Complaint));
        }
        Ok(count)
    }

    fn entry(&self, entry: &Entry, out: &mut dyn Write) -> io::Result<Option<String>> {
        // Delivered since the directory was read: nothing to show.
        let Ok(Some(look)) = self.spool.look(entry) else { return Ok(None) };
        let complaint = self.complaint(entry, &look);
        let facts = Facts {
            id: entry.id.as_str().as_bytes(),
            mark: self.mark(entry, &look),
            size: look.body_size.unwrap_or(-1),
            complaint: complaint.as_deref(),
        };
        let mut text = Vec::new();
        list::entry(&mut text, &facts, &look.control, self.zone, self.request.verbose);
        out.write_all(&text)?;
        Ok(complaint)
    }

    /// What the original says on the way when the body is missing, which makes it read the whole control file.
    fn complaint(&self, entry: &Entry, look: &Look) -> Option<String> {
        if look.body_size.is_some() || !look.is_trusted || look.control.is_empty() {
            return None;
        }
        if let Err(fault) = qf::read(&look.control, &entry.id, &self.codec) {
            let name = self.spool.shown_in(entry.directory, &format!("{}f{}", entry.kind.letter(), entry.id));
            return Some(fault.text(&name) + "\n");
        }
        if entry.kind == Kind::Lost {
            return None;
        }
        let shown = self.spool.shown_in(entry.directory, &format!("df{}", entry.id));
        Some(format!("readqf: cannot open {shown}: No such file or directory\n"))
    }

    fn mark(&self, entry: &Entry, look: &Look) -> Mark {
        let options = &self.config.options;
        let nothing = Summary::default();
        let summary = entry.summary.as_ref().unwrap_or(&nothing);
        // The original looks no further than the order and the filters need.
        let order = options.queue_sort_order;
        let is_read = order::looks_inside(order) || self.request.filters.iter().any(|f| f.field != Field::Id);
        if entry.kind == Kind::Lost {
            Mark::Lost
        } else if !is_read {
            Mark::None
        } else if look.is_locked {
            Mark::Locked
        } else if !schedule::is_due(summary, self.now, options.min_queue_age, options.max_queue_age) {
            Mark::Recent
        } else if schedule::waits_for_load(summary.priority, self.load, options.queue_la, options.queue_factor) {
            Mark::Load
        } else {
            Mark::None
        }
    }
}

/// `restrictmailq`: only members of the queue directory's group, and root.
fn may_see(config: &Config) -> bool {
    let options = &config.options;
    if !options.privacy_options.has(Privacy::RESTRICT_MAILQ) || user::real_uid() == 0 {
        return true;
    }
    let directory = options.queue_directory.as_deref().unwrap_or(b".");
    let end = directory.iter().position(|b| *b == b'*').unwrap_or(directory.len());
    let path = String::from_utf8_lossy(directory.get(..end).unwrap_or(directory));
    let Ok(facts) = crate::sys::file::facts_of(Path::new(path.as_ref())) else { return false };
    facts.uid == user::real_uid()
        || facts.gid == user::real_gid()
        || user::own_groups().is_ok_and(|groups| groups.contains(&facts.gid))
}

/// The system's words without the number that Rust adds.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(path: &Path) -> Config {
        let mut config = Config::default();
        config.options.queue_directory = Some(path.to_str().unwrap().to_owned().into());
        config
    }

    fn listing(config: &Config, request: &Request) -> String {
        let mut out = Vec::new();
        print(config, &TimeZone::UTC, request, &mut Vec::new(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_empty_queue_says_so() {
        let at = tempfile::tempdir().unwrap();
        let text = listing(&config(at.path()), &Request::default());
        assert_eq!(text, format!("{} is empty\n\t\tTotal requests: 0\n", at.path().display()));
    }

    #[test]
    fn kinds_and_missing_bodies_are_shown() {
        let at = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            crate::sys::file::replace(&at.path().join(name), text.as_bytes(), 0o600).unwrap();
        };
        let control = "V8\nT1795334727\nK0\nN0\nP30000\nFs\nSa@b\nRPFD:c@d\n.\n";
        put("qf2AM00000000001", control);
        put("Qf2AM00000000002", control);
        put("df2AM00000000002", "body\n");
        let config = config(at.path());
        let path = at.path().display();
        assert_eq!(
            listing(&config, &Request::default()),
            format!(
                "\t\t{path} (1 request)\n{}2AM00000000001readqf: cannot open ./df2AM00000000001: No such file or \
                 directory\n       -1 Sun Nov 22 08:05 a@b\n\t\t\t\t\t c@d\n\t\tTotal requests: 1\n",
                list::heading(false)
            )
        );
        let request = Request { kind: Some(Kind::Lost), verbose: true, ..Request::default() };
        assert_eq!(
            listing(&config, &request),
            format!(
                "\t\t{path} (1 request)\n{}2AM00000000002?       5      30000 Nov 22 08:05 a@b\n\t\t\t\t\t\tc@d\n\
                 \t\tTotal requests: 1\n",
                list::heading(true)
            )
        );
    }

    #[test]
    fn a_queue_that_cannot_be_opened_is_a_configuration_error() {
        let mut out = Vec::new();
        let exit =
            print(&config(Path::new("/nonexist")), &TimeZone::UTC, &Request::default(), &mut Vec::new(), &mut out)
                .unwrap();
        assert_eq!(exit, Exit::CONFIG);
        assert_eq!(String::from_utf8(out).unwrap(), "can not chdir(/nonexist/): No such file or directory\n");
    }
}
