//! `rehash`: the links by which OpenSSL finds authorities and revocation lists.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::path::Path;

use super::Error;
use crate::net::tls::hash_directory::{Hashes, Kind, LinkName, identify};
use crate::sys::file::{self, Dir};

/// A file to be found.
struct Found {
    name: String,
    kind: Kind,
    hashes: Hashes,
    content: Vec<u8>,
}

impl Found {
    /// Whether it is found without a link, by its own name.
    fn is_in_place(&self) -> bool {
        LinkName::parse(&self.name).is_some_and(|l| l.kind == self.kind && l.hash == self.hashes.current)
    }
}

/// Makes the links of a directory as they should be and prints them, `HASH.N -> FILE` each. Nothing but links is taken away.
pub(super) fn rehash(path: &Path, dry_run: bool, out: &mut dyn Write) -> Result<(), Error> {
    let told = |source| Error::File { path: path.to_owned(), source };
    let directory = Dir::open(path).map_err(told)?;
    let names = directory.entries().map_err(told)?;
    let found = files(path, &directory, &names);
    let wanted = links(found.iter().filter(|f| !f.is_in_place()), &taken(&found));
    for (name, target) in stale(&directory, &names, &wanted) {
        let is_old = found.iter().any(|f| {
            target == f.name
                && LinkName::parse(&name).is_some_and(|l| l.hash == f.hashes.old && l.hash != f.hashes.current)
        });
        let why = if is_old { "hash of OpenSSL before 1.0" } else { "leads to nothing with this hash" };
        writeln!(out, "{name} -> {target} taken away: {why}")?;
        if !dry_run {
            directory.unlink(&name).map_err(told)?;
        }
    }
    for (link, target) in &wanted {
        writeln!(out, "{link} -> {target}")?;
        let is_right = directory.target(link).is_ok_and(|t| t == target.as_str());
        if dry_run || is_right {
            continue;
        }
        let temporary = format!(".{link}.{}", std::process::id());
        directory.symlink(target, &temporary).map_err(told)?;
        directory.rename(&temporary, link).map_err(told)?;
    }
    Ok(())
}

/// Certificates and lists of the directory, by name. Links of the form that is made here are not looked into.
fn files(path: &Path, directory: &Dir, names: &[OsString]) -> Vec<Found> {
    let mut names: Vec<&str> = names.iter().filter_map(|n| n.to_str()).filter(|n| !n.starts_with('.')).collect();
    names.sort_unstable();
    let is_candidate = |name: &&str| {
        let facts = directory.facts(name);
        facts.is_ok_and(|f| f.is_regular() || (f.is_link() && LinkName::parse(name).is_none()))
    };
    let read = |name: &str| {
        let content = file::read_following(&path.join(name), LIMIT).ok()?;
        let (kind, hashes) = identify(&content)?;
        Some(Found { name: name.to_owned(), kind, hashes, content })
    };
    names.into_iter().filter(is_candidate).filter_map(read).collect()
}

/// Names that files have themselves, whatever they hold: no link takes their place.
fn taken(found: &[Found]) -> Vec<&Found> {
    found.iter().filter(|f| LinkName::parse(&f.name).is_some()).collect()
}

/// Link names with their targets. The same certificate twice gets one link.
fn links<'f>(found: impl Iterator<Item = &'f Found>, taken: &[&Found]) -> BTreeMap<String, String> {
    let mut out: BTreeMap<String, String> = BTreeMap::new();
    let mut done: Vec<&Found> = taken.to_vec();
    for file in found {
        if done.iter().any(|other| other.content == file.content) {
            continue;
        }
        done.push(file);
        let names = (0..).map(|number| LinkName { hash: file.hashes.current, kind: file.kind, number }.to_string());
        let is_free = |name: &String| !out.contains_key(name) && !taken.iter().any(|t| t.name == *name);
        if let Some(name) = { names }.find(is_free) {
            out.insert(name, file.name.clone());
        }
    }
    out
}

/// Links with names of this form that are not wanted, and where they lead.
fn stale(directory: &Dir, names: &[OsString], wanted: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let links = names.iter().filter_map(|n| n.to_str()).filter(|n| LinkName::parse(n).is_some());
    let mut out: Vec<(String, String)> = links
        .filter(|name| !wanted.contains_key(*name) && directory.facts(name).is_ok_and(|f| f.is_link()))
        .filter_map(|name| Some((name.to_owned(), directory.target(name).ok()?.to_string_lossy().into_owned())))
        .collect();
    out.sort();
    out
}

/// Largest file that is looked into, bytes.
const LIMIT: usize = 4 << 20;
