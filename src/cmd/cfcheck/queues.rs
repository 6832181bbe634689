//! Queue directories: there, and nobody else's.

use std::path::{Path, PathBuf};

use super::Context;
use super::finding::{Finding, Place};
use crate::sys::file::{Dir, Facts, facts_of};
use crate::sys::load::is_read_only;
use crate::sys::safefile::error_text;

/// `QueueDirectory` and the path of every `Q` line.
pub(super) fn look(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let named = context.source.option("QueueDirectory").filter(|(_, value)| !value.is_empty());
    if let Some((line, value)) = named {
        let value = String::from_utf8_lossy(value).into_owned();
        judge_all(context, &value, &context.source.place(line, &value), findings);
    } else {
        let fix = "add `O QueueDirectory=/var/spool/mqueue`";
        findings.push(Finding::new("queue-directory-missing", None, "QueueDirectory is not set").fix(fix));
    }
    for line in context.source.of_kind(b'Q') {
        let text = String::from_utf8_lossy(&line.text).into_owned();
        let Some(path) = text.split(',').find_map(|part| part.trim().strip_prefix("P=")) else { continue };
        judge_all(context, path.trim(), &context.source.place(line, path.trim()), findings);
    }
}

/// A path; `*` at its end stands for every directory that begins so.
fn judge_all(context: &Context<'_>, pattern: &str, place: &Place, findings: &mut Vec<Finding>) {
    if !pattern.starts_with('/') || pattern.contains('$') {
        return;
    }
    let missing = |path: &Path, why: String| {
        Finding::new("queue-directory-missing", Some(place.clone()), why)
            .about(path)
            .fix("make it, for the user and with the mode that queue-directory-unsafe explains")
    };
    let directories = match pattern.strip_suffix('*') {
        None => vec![PathBuf::from(pattern)],
        Some(start) => {
            let (parent, start) = start.rsplit_once('/').unwrap_or(("", start));
            match matching(Path::new(parent), start) {
                Ok(found) if found.is_empty() => {
                    return findings.push(missing(Path::new(pattern), "no directory has such a name".to_owned()));
                }
                Ok(found) => found,
                Err(why) => return findings.push(missing(Path::new(parent), error_text(&why))),
            }
        }
    };
    for directory in directories {
        match facts_of(&directory) {
            Err(why) => findings.push(missing(&directory, error_text(&why))),
            Ok(facts) if !facts.is_directory() => {
                findings.push(missing(&directory, "it is no directory".to_owned()));
            }
            Ok(facts) => {
                if let Some(why) = unwritable(context, &directory, &facts) {
                    let finding = Finding::new("queue-directory-unwritable", Some(place.clone()), why);
                    findings.push(finding.about(&directory));
                }
                if let Some(fault) = fault(context, facts.uid, facts.permissions()) {
                    findings.push(Finding::new("queue-directory-unsafe", Some(place.clone()), fault).about(&directory));
                }
            }
        }
    }
}

/// Why the user that runs the program cannot make files there.
fn unwritable(context: &Context<'_>, directory: &Path, facts: &Facts) -> Option<String> {
    if is_read_only(directory) {
        return Some("its file system is read-only".to_owned());
    }
    let runs_as = context.config.options.run_as_user.as_ref().filter(|user| user.uid != 0)?;
    let mode = facts.permissions();
    let bits = match facts {
        facts if facts.uid == runs_as.uid => mode >> 6,
        facts if facts.gid == runs_as.gid => mode >> 3,
        _ => mode,
    };
    let name =
        runs_as.name.as_deref().map_or_else(|| runs_as.uid.to_string(), |n| String::from_utf8_lossy(n).into_owned());
    (bits & 0o3 != 0o3).then(|| format!("mode {mode:04o} does not let RunAsUser {name} write to it"))
}

fn matching(parent: &Path, start: &str) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for name in Dir::open(parent)?.entries()? {
        let path = parent.join(&name);
        let begins =
            name.as_encoded_bytes().starts_with(start.as_bytes()) && !name.as_encoded_bytes().starts_with(b".");
        if begins && facts_of(&path).is_ok_and(|facts| facts.is_directory()) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// What is wrong with a directory of that owner and mode.
///
/// The submission program's queue is its group's to write; every other is its owner's alone.
fn fault(context: &Context<'_>, owner: u32, mode: u32) -> Option<String> {
    let options = &context.config.options;
    if mode & 0o002 != 0 {
        return Some(format!("mode {mode:04o} lets everybody write to it"));
    }
    if mode & 0o020 != 0 && !options.use_msp {
        return Some(format!("mode {mode:04o} lets its group write to it"));
    }
    let users = [Some(0), options.trusted_user, options.run_as_user.as_ref().map(|user| user.uid)];
    let is_known = options.use_msp || users.contains(&Some(owner)) || owner == context.judge.uid;
    (!is_known).then(|| format!("it belongs to user {owner}, not to root or RunAsUser"))
}
