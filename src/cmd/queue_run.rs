//! `-q` without a daemon: one run of the queue; `-Q`: quarantines entries or frees them.

use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::Runtime;

use super::invocation::{QueueRequest, Selection};
use super::sendmail::{Request, say};
use super::watch;
use crate::base::exit::Exit;
use crate::base::status::Classify as _;
use crate::deliver::drive::{Job, Reports};
use crate::log::{Id, Level, Priority};
use crate::queue::schedule::{self, Field, Filter};
use crate::queue::{Entry, Kind};
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
            return Exit::USAGE;
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
        max_jobs: usize::try_from(options.max_queue_run_size).unwrap_or(0),
    };
    let seed = u64::from(std::process::id());
    let planned = schedule::plan(entries, &wanted, clock::now(), seed);
    if let Some(reason) = &request.invocation.quarantine {
        return quarantine(request, site, runtime, &planned, reason, out);
    }
    let total = planned.len();
    for (at, entry) in planned.iter().enumerate() {
        attempt(request, site, runtime, entry, (at + 1, total), out);
    }
    Exit::OK
}

/// Tries one message; what cannot be locked is somebody else's at the moment.
fn attempt(
    request: &Request,
    site: &Arc<Site>,
    runtime: &Runtime,
    entry: &Entry,
    (sequence, total): (usize, usize),
    out: &mut dyn Write,
) {
    let Ok(spool) = site.spool() else { return };
    let verbose = request.invocation.is_verbose;
    if verbose {
        let directory = spool.path_of(entry.directory).map(|p| p.display().to_string()).unwrap_or_default();
        say(out, &format!("\nRunning {directory}/{} (sequence {sequence} of {total})", entry.id));
    }
    match spool.lock_now(&entry.id) {
        Ok(Some((held, envelope, body))) => {
            let job = Job { held, envelope, body, reports: Reports::ByMail, is_from_queue: true, watch: None };
            watch::attempt(site, runtime, job, verbose, out);
        }
        Ok(None) if verbose => say(out, &format!("{}: locked", entry.id)),
        Ok(None) => {}
        Err(error) => site.log.system_error(Id::Queue(entry.id.as_str()), "root", error),
    }
}

fn quarantine(
    request: &Request,
    site: &Arc<Site>,
    runtime: &Runtime,
    entries: &[Entry],
    reason: &Bytes,
    out: &mut dyn Write,
) -> Exit {
    let Ok(spool) = site.spool() else { return Exit::CONFIG };
    let mut changes = 0;
    for entry in entries {
        let Ok(Some((held, mut envelope, _))) = spool.lock_now(&entry.id) else { continue };
        let old = envelope.quarantine.take().unwrap_or_default();
        envelope.quarantine = Some(reason.clone()).filter(|reason| !reason.is_empty());
        if let Err(error) = runtime.block_on(spool.update(held, &envelope)) {
            say(out, &error.to_string());
            return error.exit();
        }
        changes += 1;
        let (told, logged) = match &envelope.quarantine {
            Some(reason) => {
                let reason = String::from_utf8_lossy(reason);
                (format!("Quarantined with \"{reason}\""), format!("quarantine={reason}"))
            }
            None => (format!("Removed quarantine of \"{}\"", String::from_utf8_lossy(&old)), "unquarantine".to_owned()),
        };
        if request.invocation.is_verbose {
            say(out, &format!("{}: {told}", entry.id));
        }
        site.log.write(Level::RECEIVED, Priority::Info, Id::Queue(entry.id.as_str()), logged);
    }
    if request.invocation.is_verbose {
        say(out, &format!("{changes} changes"));
    }
    Exit::OK
}
