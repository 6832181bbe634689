//! Milters: declared, used, and their sockets.

use std::collections::HashSet;
use std::path::Path;

use bytes::Bytes;

use super::Context;
use super::finding::Finding;
use super::source::Line;
use crate::config::milter::Filter;
use crate::sys::file::facts_of;
use crate::sys::safefile::error_text;

/// Names beside declarations.
pub(super) fn look(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let filters = &context.config.filters;
    let used = used(context);
    for (line, name) in &used {
        if !filters.iter().any(|filter| filter.name == *name) {
            let shown = String::from_utf8_lossy(name).into_owned();
            let place = context.source.place(line, &shown);
            findings.push(
                Finding::new("undefined-filter", Some(place), format!("filter {shown} has no X line"))
                    .fix(format!("declare it: X{shown}, S=SOCKET")),
            );
        }
    }
    let names: HashSet<&Bytes> = used.iter().map(|(_, name)| name).collect();
    for (filter, line) in declared(context).filter(|(filter, _)| !names.contains(&filter.name)) {
        let shown = String::from_utf8_lossy(&filter.name).into_owned();
        let place = context.source.place(line, &shown);
        findings.push(Finding::new("unused-filter", Some(place), format!("filter {shown} is declared and not used")));
    }
}

/// The sockets of filters on this machine.
pub(super) fn look_at_sockets(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (filter, line) in declared(context) {
        let socket = String::from_utf8_lossy(&filter.socket).into_owned();
        let path = match socket.split_once(':') {
            Some(("local" | "unix", path)) => path,
            None => socket.as_str(),
            Some(_) => continue,
        };
        if let Err(why) = facts_of(Path::new(path)) {
            let name = String::from_utf8_lossy(&filter.name).into_owned();
            let place = context.source.place(line, path);
            let text = format!("filter {name}: {}", error_text(&why));
            findings.push(Finding::new("milter-socket-missing", Some(place), text).about(path));
        }
    }
}

/// Filters with their lines.
fn declared<'c>(context: &'c Context<'_>) -> impl Iterator<Item = (&'c Filter, &'c Line)> {
    context.config.filters.iter().filter_map(|filter| {
        let line = context.source.of_kind(b'X').find(|line| {
            let end = line.text.iter().position(|b| *b == b',' || b.is_ascii_whitespace()).unwrap_or(line.text.len());
            line.text.get(..end) == Some(filter.name.as_ref())
        })?;
        Some((filter, line))
    })
}

/// Names in `InputMailFilters` and in the filters of listeners, with their lines.
fn used<'c>(context: &'c Context<'_>) -> Vec<(&'c Line, Bytes)> {
    let mut found = Vec::new();
    if let Some((line, _)) = context.source.option("InputMailFilters") {
        found.extend(context.config.options.input_mail_filters.iter().map(|name| (line, name.clone())));
    }
    for (line, value) in context.source.options("DaemonPortOptions") {
        let text = String::from_utf8_lossy(value).into_owned();
        let own = text.split(',').filter_map(|part| part.split_once('='));
        for (_, names) in own.filter(|(key, _)| key.trim().starts_with(['I', 'i'])) {
            let names = names.split(';').map(str::trim).filter(|name| !name.is_empty());
            found.extend(names.map(|name| (line, Bytes::copy_from_slice(name.as_bytes()))));
        }
    }
    found
}
