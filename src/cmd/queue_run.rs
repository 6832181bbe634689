//! `-q -v`: one run of the queue, message by message, with every step shown.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;

use super::invocation::{QueueRequest, Selection};
use super::requarantine;
use super::sendmail::{Request, say};
use super::watch::Watch;
use crate::base::exit::Exit;
use crate::base::status::Classify as _;
use crate::base::time::clock_form;
use crate::config::Config;
use crate::deliver::drive::{Job, Reports};
use crate::log::{Id, Level, Priority};
use crate::queue::schedule::{self, Field, Filter, Plan};
use crate::queue::{Entry, Error, Kind};
use crate::site::Site;
use crate::sys::clock;

/// The filters of a `-q` family.
pub(super) fn filters(request: &QueueRequest) -> Vec<Filter> {
    let one = |s: &Selection| {
        let field = match s.kind {
            b'I' => Field::Id,
            b'R' => Field::Recipient,
            b'S' => Field::Sender,
            _ => Field::Reason,
        };
        Filter { field, is_negated: s.negated, text: s.text.clone() }
    };
    request.selections.iter().map(one).collect()
}

/// The group that is asked for and is none. Source: observed (said, and no failure).
pub(super) fn unknown_group(queue: &QueueRequest, config: &Config) -> Option<String> {
    let name = queue.group.as_ref()?;
    let is_known = config.queue_groups.iter().any(|group| group.name == *name);
    (!is_known).then(|| String::from_utf8_lossy(name).into_owned())
}

/// Which control files a `-q` family asks for; `None` for the usual ones.
pub(super) fn kind(request: &QueueRequest) -> Option<Kind> {
    match request {
        QueueRequest { lost: true, .. } => Some(Kind::Lost),
        QueueRequest { quarantined: true, .. } => Some(Kind::Quarantined),
        _ => None,
    }
}

/// Runs the queue once, or changes quarantines.
pub(super) fn run(request: &Request, site: &Arc<Site>, runtime: &Runtime, out: &mut dyn Write) -> Exit {
    let spool = match site.spool() {
        Ok(spool) => spool,
        Err(error) => {
            say(out, &error.to_string());
            return error.exit();
        }
    };
    let queue = &request.invocation.queue;
    let mut entries = spool.scan_now();
    if let Some(group) = &queue.group {
        let Some(at) = site.config.queue_groups.iter().position(|g| g.name == *group) else {
            say(out, &format!("Queue group {} unknown", String::from_utf8_lossy(group)));
            return Exit::OK;
        };
        entries.retain(|entry| entry.group == at);
    }
    let options = &site.config.options;
    let wanted = schedule::Request {
        filters: filters(queue),
        kind: kind(queue).unwrap_or(Kind::Normal),
        order: options.queue_sort_order,
        min_age: options.min_queue_age,
        max_age: options.max_queue_age,
        keeps_young: true,
        max_jobs: usize::try_from(options.max_queue_run_size).unwrap_or(0),
    };
    let seed = u64::from(std::process::id());
    let Plan { entries: planned, full } = schedule::plan(entries, &wanted, clock::now(), seed);
    if let Some(path) = full.and_then(|directory| spool.path_of(directory)) {
        let text = schedule::full(path, wanted.max_jobs);
        site.log.write(Level::SYSTEM_ERROR, Priority::Warning, Id::None, text);
    }
    if let Some(reason) = &request.invocation.quarantine {
        return requarantine::run(request, site, &planned, reason, out);
    }
    let watch = Watch::new(site, runtime, request.invocation.is_verbose);
    let total = planned.len();
    let mut exit = Exit::OK;
    for (at, entry) in planned.iter().enumerate() {
        // The code is that of the last message. Source: observed.
        exit = match attempt(request, site, &watch, entry, (at + 1, total), out) {
            Ok(exit) => exit,
            Err(error) => {
                error.log(&site.log, Id::Queue(entry.id.as_str()));
                say(out, &error.to_string());
                error.exit()
            }
        };
    }
    watch.close(out);
    exit
}

/// Tries one message; what cannot be locked is somebody else's at the moment.
fn attempt(
    request: &Request,
    site: &Arc<Site>,
    watch: &Watch<'_>,
    entry: &Entry,
    (sequence, total): (usize, usize),
    out: &mut dyn Write,
) -> Result<Exit, Error> {
    let spool = site.spool()?;
    let verbose = request.invocation.is_verbose;
    if verbose {
        let directory = spool.path_of(entry.directory).map(|p| p.display().to_string()).unwrap_or_default();
        say(out, &format!("\nRunning {directory}/{} (sequence {sequence} of {total})", entry.id));
    }
    if let Some(age) = too_young(request, site, entry).filter(|_| verbose) {
        say(out, &format!("{}: too young ({})", entry.id, clock_form(age)));
        return Ok(Exit::OK);
    }
    match spool.lock_entry(entry)? {
        Some((held, envelope, body)) => {
            if let Some(complaint) = held.complaint() {
                site.log.system_error(Id::Queue(entry.id.as_str()), "root", complaint);
                say(out, complaint);
            }
            if envelope.quarantine.is_some() && kind(&request.invocation.queue) != Some(Kind::Quarantined) {
                return watch.keep_quarantined(held, envelope).map(|()| Exit::OK);
            }
            let is_complete = held.complaint().is_none();
            let is_selected = !filters(&request.invocation.queue).is_empty();
            let reports = Reports::ByMail;
            let job = Job { held, envelope, body, reports, is_from_queue: true, is_selected, watch: None, whole: None };
            let exit = watch.attempt(job, out).exit;
            return Ok(match exit {
                Exit::TEMPFAIL if is_complete => Exit::OK,
                Exit::OK | Exit::TEMPFAIL if !is_complete => Exit::OSERR,
                exit => exit,
            });
        }
        None if verbose => say(out, &format!("{}: locked", entry.id)),
        None => {}
    }
    Ok(Exit::OK)
}

/// The time since the last attempt, when that is too short for another.
fn too_young(request: &Request, site: &Site, entry: &Entry) -> Option<Duration> {
    let options = &site.config.options;
    let summary = entry.summary.as_ref().filter(|_| filters(&request.invocation.queue).is_empty())?;
    let now = clock::now();
    let is_due = schedule::is_due(summary, now, options.min_queue_age, options.max_queue_age);
    summary.last_try.filter(|_| !is_due).map(|last| now.since(last))
}
