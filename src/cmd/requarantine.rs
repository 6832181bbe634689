//! `-Q`: quarantines entries of the queue or frees them.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::sendmail::{Request, say};
use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::base::status::Classify as _;
use crate::log::{Id, Level, Priority};
use crate::queue::Entry;
use crate::queue::drive::{Requarantined, Spool};
use crate::queue::qf::quarantine::Change;
use crate::site::Site;

/// Gives the planned entries the reason, or frees them when it is empty.
pub(super) fn run(request: &Request, site: &Arc<Site>, entries: &[Entry], reason: &Bytes, out: &mut dyn Write) -> Exit {
    if request.invocation.queue.lost {
        say(out, "Can not use -Q with -qL");
        return Exit::USAGE;
    }
    let Ok(spool) = site.spool() else { return Exit::CONFIG };
    let verbose = request.invocation.is_verbose;
    let mut changes = 0;
    for group in 0..spool.groups() {
        for directory in spool.directories_of(group) {
            let here: Vec<&Entry> = entries.iter().filter(|e| e.directory == *directory).collect();
            let path = spool.path_of(*directory).unwrap_or(Path::new(".")).display();
            if verbose && here.is_empty() {
                say(out, &format!("{path}: no matches"));
            } else if verbose {
                say(out, &format!("Processing {path}:"));
            }
            for entry in here {
                match one(site, spool, entry, reason, verbose, out) {
                    Ok(is_changed) => changes += usize::from(is_changed),
                    Err(exit) => return exit,
                }
            }
        }
    }
    if verbose {
        say(
            out,
            &match changes {
                0 => "No changes".to_owned(),
                1 => "1 change".to_owned(),
                n => format!("{n} changes"),
            },
        );
    }
    Exit::OK
}

/// True when the entry was changed. What is no message of ours is passed over.
fn one(
    site: &Site,
    spool: &Spool,
    entry: &Entry,
    reason: &Bytes,
    verbose: bool,
    out: &mut dyn Write,
) -> Result<bool, Exit> {
    let wanted = Some(reason.as_ref()).filter(|reason| !reason.is_empty());
    let id = entry.id.as_str();
    let done = match spool.requarantine_now(&entry.id, wanted) {
        Ok(done) => done,
        Err(error) => {
            say(out, &error.to_string());
            return Err(error.exit());
        }
    };
    let change = match done {
        Requarantined::Done(change) => change,
        Requarantined::Locked => {
            if verbose {
                say(out, &format!("{id}: locked"));
            }
            return Ok(false);
        }
    };
    if let Some(told) = told(&change, reason).filter(|_| verbose) {
        say(out, &format!("{id}: {told}"));
    }
    match &change {
        Change::Quarantined(_) | Change::Changed(..) => {
            let text = format!("quarantine={}", shown(reason));
            site.log.write(Level::RECEIVED, Priority::Info, Id::Queue(id), text);
        }
        Change::Freed(..) => site.log.write(Level::RECEIVED, Priority::Info, Id::Queue(id), "unquarantine"),
        Change::Same => return Ok(false),
        Change::Unfit | Change::Incomplete(_) => {
            let name = format!("./{}f{id}", entry.kind.letter());
            let why = if change == Change::Unfit { String::new() } else { format!(": Incomplete file: {name}") };
            say(out, &format!("Skipping ./{id}{why}"));
            return Ok(false);
        }
    }
    Ok(true)
}

/// What `-v` shows. Source: observed.
fn told(change: &Change, reason: &[u8]) -> Option<String> {
    let is_given = !reason.is_empty();
    let words = shown(reason);
    match change {
        Change::Quarantined(_) => Some(format!("Quarantined with \"{words}\"")),
        Change::Changed(old, _) => Some(format!("Quarantine changed from \"{}\" to \"{words}\"", shown(old))),
        Change::Freed(old, _) => Some(format!("Removed quarantine of \"{}\"", shown(old))),
        Change::Same if is_given => Some(format!("Already quarantined with \"{words}\"")),
        Change::Incomplete(change) => told(change, reason),
        Change::Same | Change::Unfit => None,
    }
}
