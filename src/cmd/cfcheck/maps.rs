//! Maps: declared, used, and the files they read.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::Context;
use super::finding::{Finding, Place};
use crate::base::table::nearest;
use crate::config::Symbol;
use crate::config::maps::MapDeclaration;
use crate::maps::file::{self, Database, Kind};
use crate::maps::flags::{self, Flags};
use crate::maps::{aliases, classes};
use crate::sys::file::{Facts, facts_of};
use crate::sys::safefile::{self, Purpose, Refusal};

/// Uses beside declarations.
pub(super) fn look(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let used = used(context, findings);
    for map in context.config.maps.iter().filter(|map| map.line > 0) {
        let name = String::from_utf8_lossy(&map.name).into_owned();
        if !used.iter().any(|used| used.eq_ignore_ascii_case(&name)) && !PREDECLARED.contains(&name.as_str()) {
            findings.push(Finding::new(
                "unused-map",
                place(context, map),
                format!("map {name} is declared and not used"),
            ));
        }
    }
}

/// The files of maps and aliases.
pub(super) fn look_at_files(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for map in context.config.maps.iter().filter(|map| map.line > 0) {
        let (flags, _) = flags::parse(&map.arguments, classes::find(&map.class).map_or(&[], |row| row.flags));
        file_of(context, map.class.as_ref(), &flags, place(context, map).as_ref(), findings);
    }
    alias_files(context, findings);
}

fn place(context: &Context<'_>, map: &MapDeclaration) -> Option<Place> {
    let line = context.source.ending_at(map.line)?;
    let words = String::from_utf8_lossy(&map.arguments).into_owned();
    let path = words.split_whitespace().find(|word| word.contains('/')).unwrap_or_default();
    let needle = if path.is_empty() { String::from_utf8_lossy(&map.name).into_owned() } else { path.to_owned() };
    Some(context.source.place(line, &needle))
}

/// Names of maps that rules and other maps use; those that are declared nowhere are reported.
fn used(context: &Context<'_>, findings: &mut Vec<Finding>) -> HashSet<String> {
    let declared: HashSet<String> = context.config.maps.iter().map(|map| lower(&map.name)).collect();
    let mut used = HashSet::new();
    let rulesets = &context.config.rulesets;
    for rule in rulesets.known().flat_map(|id| rulesets.rules(id)) {
        for pair in rule.rhs.windows(2) {
            let [Symbol::MapBegin, Symbol::Token(token)] = pair else { continue };
            let name = lower(token);
            let is_there = declared.contains(&name) || PREDECLARED.contains(&name.as_str());
            if used.insert(name.clone())
                && !is_there
                && let Some(line) = context.source.ending_at(rule.line)
            {
                let place = context.source.place(line, &format!("$({}", String::from_utf8_lossy(token)));
                let finding =
                    Finding::new("undeclared-map", Some(place), format!("map {name} is used and never declared"));
                let near = nearest(&name, declared.iter().map(String::as_str));
                findings.push(finding.fix(match near {
                    Some(near) => format!("is it {near}?"),
                    None => format!("declare it with a K line: K{name} CLASS ARGUMENTS"),
                }));
            }
        }
    }
    for map in &context.config.maps {
        match map.class.as_ref() {
            b"sequence" => {
                let members = map.arguments.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
                used.extend(members.map(|word| lower(word.strip_prefix(b"-").unwrap_or(word))));
            }
            b"switch" => {
                let service = format!("{}.", lower(&map.name));
                used.extend(declared.iter().filter(|name| name.starts_with(&service)).cloned());
            }
            _ => {}
        }
    }
    used
}

fn lower(name: &[u8]) -> String {
    String::from_utf8_lossy(name).to_ascii_lowercase()
}

/// The file of a map of a class that has one.
fn file_of(context: &Context<'_>, class: &[u8], flags: &Flags, place: Option<&Place>, findings: &mut Vec<Finding>) {
    let named = Path::new(OsStr::from_bytes(flags.word()));
    if named.as_os_str().is_empty() {
        return;
    }
    let (path, kind) = match class {
        b"hash" | b"btree" | b"cdb" => match Kind::of_class(class) {
            Some(kind) => (kind.path(named), Some(kind)),
            None => return,
        },
        b"implicit" => file::implicit(named),
        b"text" | b"stab" => return text_of(context, named, flags, place, findings),
        _ => return,
    };
    match safefile::open(&path, Purpose::Map, &context.judge) {
        Ok(opened) => {
            writable(&opened.facts, &path, place, findings);
            if let Err(why) = Database::open_as(kind, opened.file) {
                let made_for = String::from_utf8_lossy(class).into_owned();
                findings.push(
                    Finding::new("map-file-format", place.cloned(), format!("cannot be read as {made_for}: {why}"))
                        .about(&path)
                        .fix(format!("make it again: makemap {made_for} {} < TEXT", named.display())),
                );
            } else if let Ok(text) = facts_of(named)
                && text.is_regular()
                && text.modified > opened.facts.modified
            {
                findings.push(
                    Finding::new("map-file-stale", place.cloned(), format!("is older than {}", named.display()))
                        .about(&path)
                        .fix("make it again with makemap, or newaliases"),
                );
            }
        }
        Err(why) => refused(&why, &path, flags, place, findings),
    }
}

fn text_of(context: &Context<'_>, path: &Path, flags: &Flags, place: Option<&Place>, findings: &mut Vec<Finding>) {
    match safefile::open(path, Purpose::Map, &context.judge) {
        Ok(opened) => writable(&opened.facts, path, place, findings),
        Err(why) => refused(&why, path, flags, place, findings),
    }
}

/// A file that everybody may change.
fn writable(facts: &Facts, path: &Path, place: Option<&Place>, findings: &mut Vec<Finding>) {
    if facts.permissions() & 0o002 != 0 {
        let finding = Finding::new("map-file-writable", place.cloned(), "everybody may write to it");
        findings.push(finding.about(path).fix(format!("chmod o-w {}", path.display())));
    }
}

fn refused(why: &Refusal, path: &Path, flags: &Flags, place: Option<&Place>, findings: &mut Vec<Finding>) {
    let finding = match why {
        why if why.is_absent() && flags.has(b'o') => return,
        why if why.is_absent() => Finding::new("map-file-missing", place.cloned(), "does not exist")
            .fix("make it with makemap, or give the map flag -o"),
        Refusal::System(_) => Finding::new("map-file-unsafe", place.cloned(), format!("cannot be opened: {why}")),
        Refusal::Rule(_) => Finding::new("map-file-unsafe", place.cloned(), format!("is refused: {why}"))
            .fix("let only their owners write to the directories on the way; put a map in a directory that all share, as /tmp, elsewhere"),
    };
    findings.push(finding.about(path));
}

/// The databases of `AliasFile`; where there is none the text serves.
fn alias_files(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for source in aliases::sources(context.config) {
        let (flags, _) = flags::parse(&source.arguments, &[]);
        let named = Path::new(OsStr::from_bytes(flags.word()));
        let shown = named.display().to_string();
        let line = context
            .source
            .options("AliasFile")
            .into_iter()
            .find(|(_, value)| String::from_utf8_lossy(value).contains(&shown));
        let place = line.map(|(line, _)| context.source.place(line, &shown));
        let is_database = matches!(source.class.as_ref(), b"hash" | b"btree" | b"cdb" | b"implicit");
        if is_database && !has_database(&source.class, named) {
            // newaliases makes it; till then the text is read.
            text_of(context, named, &flags, place.as_ref(), findings);
        } else {
            file_of(context, &source.class, &flags, place.as_ref(), findings);
        }
    }
}

fn has_database(class: &[u8], named: &Path) -> bool {
    let path = match Kind::of_class(class) {
        Some(kind) => kind.path(named),
        None => file::implicit(named).0,
    };
    facts_of(&path).is_ok()
}

/// Maps that exist without a K line, or that the program asks by their names.
static PREDECLARED: &[&str] =
    &["aliases", "aliases.files", "aliases.nis", "aliases.nisplus", "host", "passwd", "users"];
