//! The layer picture of `docs/ARCHITECTURE.md`, checked.
//!
//! Rust lets any module of a crate use any other, so the direction of dependencies is a habit unless a test
//! keeps it. Two rules, each reported as `file:line: what`, all of them in one run:
//!
//! 1. a folder of `src/` may name only itself and the folders listed beside it in [`LAYERS`] (and the list may
//!    only look upward in the table, so no cycle can be written down);
//! 2. a file that is not a driver (`drive.rs`, `drive/`, or a folder marked `Io`) touches no socket, file, clock
//!    or runtime: see [`EFFECTS`]; `sys` in the list of a pure folder is for its drivers alone.
//!
//! To add a folder: one row here, one row in the picture in `src/lib.rs`.

#![allow(clippy::disallowed_methods, reason = "the check reads source files")]

use std::fs;
use std::path::{Path, PathBuf};

/// Whether the ordinary files of a folder may have effects.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Values in, values out; only `drive.rs` may have effects.
    Pure,
    /// The folder exists to have effects.
    Io,
}
use Kind::{Io, Pure};

/// Folder, kind, and what it may name. Order is bottom to top.
#[rustfmt::skip]
const LAYERS: &[(&str, Kind, &[&str])] = &[
    ("base",     Pure, &[]),
    ("sys",      Io,   &["base"]),
    ("log",      Io,   &["base", "sys"]),
    ("address",  Pure, &["base"]),
    ("macros",   Pure, &["base"]),
    ("message",  Pure, &["base", "address", "macros"]),
    ("config",   Pure, &["base", "sys", "address", "macros", "message"]),
    ("net",      Io,   &["base", "sys", "log"]),
    ("monitor",  Io,   &["base", "sys", "log", "config", "macros"]),
    ("maps",     Io,   &["base", "sys", "log", "address", "macros", "config", "net", "monitor"]),
    ("rewrite",  Pure, &["base", "sys", "log", "address", "macros", "config", "maps"]),
    ("envelope", Pure, &["base", "address", "macros", "message", "config"]),
    ("policy",   Pure, &["base", "sys", "log", "address", "macros", "config", "rewrite", "envelope"]),
    ("route",    Pure, &["base", "sys", "log", "address", "macros", "config", "maps", "rewrite", "envelope",
                         "monitor"]),
    ("milter",   Pure, &["base", "sys", "log", "address", "macros", "message", "config", "net", "envelope"]),
    ("collect",  Pure, &["base", "sys", "log", "address", "macros", "message", "config", "envelope"]),
    ("queue",    Pure, &["base", "sys", "log", "address", "macros", "message", "config", "envelope"]),
    ("dsn",      Pure, &["base", "address", "macros", "message", "config", "envelope"]),
    ("site",     Io,   &["base", "sys", "log", "macros", "config", "net", "monitor", "maps", "rewrite", "policy",
                         "route", "milter", "queue"]),
    ("smtp",     Pure, &["base", "sys", "log", "address", "macros", "message", "config", "net", "rewrite",
                         "envelope", "policy", "route", "milter", "collect", "queue", "site"]),
    ("deliver",  Pure, &["base", "sys", "log", "address", "macros", "message", "config", "net", "monitor", "maps",
                         "rewrite", "envelope", "policy", "route", "queue", "dsn", "site", "smtp"]),
    ("daemon",   Io,   &["base", "sys", "log", "macros", "config", "net", "monitor", "envelope", "policy", "route",
                         "queue", "dsn", "site", "smtp", "deliver"]),
    ("submit",   Io,   &["base", "sys", "log", "address", "macros", "message", "config", "net", "envelope", "collect",
                         "route", "queue", "site", "smtp", "deliver", "daemon"]),
    ("cmd",      Io,   &["base", "sys", "log", "address", "macros", "message", "config", "net", "monitor", "maps",
                         "rewrite", "envelope", "policy", "route", "milter", "collect", "queue", "dsn", "site", "smtp",
                         "deliver", "daemon", "submit"]),
    ("bin",      Io,   &["cmd"]),
];

/// Words that mean an effect, when they stand in code of a pure file.
const EFFECTS: &[&str] = &[
    "tokio::",
    "std::net::Tcp",
    "std::net::Udp",
    "std::fs",
    "std::process::",
    "std::env::",
    "nix::",
    "openssl::",
    "SystemTime::now",
    "Instant::now",
    "thread::sleep",
];

#[test]
fn source_tree_keeps_its_layers() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut bad = table_faults();
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    for file in &files {
        let rel = file.strip_prefix(&src).expect("found under src").to_string_lossy().replace('\\', "/");
        bad.extend(faults(&rel, &fs::read_to_string(file).expect("readable source")));
    }
    assert!(bad.is_empty(), "\n{}\n", bad.join("\n"));
}

#[test]
fn the_check_itself_sees_each_kind_of_fault() {
    assert_eq!(faults("queue/store.rs", "use crate::envelope::Envelope;\n").len(), 0);
    assert_eq!(faults("queue/store.rs", "use crate::smtp::Reply;\n").len(), 1);
    assert_eq!(faults("queue/store.rs", "use crate::{base::Exit, deliver::{plan, agent}};\n").len(), 1);
    assert_eq!(faults("queue/store.rs", "use crate::{\n    base,\n    deliver::plan,\n};\n").len(), 1);
    assert_eq!(faults("queue/store.rs", "// crate::smtp is above us\n").len(), 0);
    assert_eq!(faults("queue/store.rs", "let t = tokio::spawn(x);\n").len(), 1);
    assert_eq!(faults("queue/drive.rs", "let t = tokio::spawn(x);\n").len(), 0);
    assert_eq!(faults("queue/store.rs", "use crate::sys::clock;\n").len(), 1);
    assert_eq!(faults("queue/drive/journal.rs", "use crate::sys::clock;\n").len(), 0);
    assert_eq!(faults("smtp/server/rcpt.rs", "use super::super::super::cmd::X;\n").len(), 1);
    assert_eq!(faults("queue/store.rs", "#[cfg(test)]\nmod tests { use crate::smtp::X; }\n").len(), 0);
    assert_eq!(faults("nowhere/x.rs", "").len(), 1);
}

/// A row may name only rows that stand before it.
fn table_faults() -> Vec<String> {
    let mut bad = Vec::new();
    for (i, (name, _, uses)) in LAYERS.iter().enumerate() {
        for used in *uses {
            if !LAYERS[..i].iter().any(|(n, _, _)| n == used) {
                bad.push(format!("LAYERS: {name} names {used}, which does not stand below it"));
            }
        }
    }
    bad
}

/// Faults of one file; `rel` is its path under `src/`.
fn faults(rel: &str, text: &str) -> Vec<String> {
    let Some((folder, _)) = rel.split_once('/') else { return Vec::new() }; // lib.rs names every folder
    let Some((_, kind, uses)) = LAYERS.iter().find(|(n, _, _)| *n == folder) else {
        return vec![format!("src/{rel}: folder {folder} has no row in LAYERS")];
    };
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let mut bad = Vec::new();
    let effects_allowed = *kind == Io || rel.ends_with("/drive.rs") || rel.contains("/drive/");
    for (n, line) in code.lines().enumerate() {
        let line = line.split("//").next().unwrap_or_default();
        if line.contains("super::super::") {
            bad.push(format!("src/{rel}:{}: climbs with super::super; write crate::", n + 1));
        }
        for word in EFFECTS.iter().filter(|w| !effects_allowed && line.contains(**w)) {
            bad.push(format!("src/{rel}:{}: {word} in a pure file; move it to drive.rs", n + 1));
        }
    }
    for (n, used) in crate_paths(code) {
        let known = LAYERS.iter().any(|(f, _, _)| *f == used);
        if known && used != folder && !uses.contains(&used.as_str()) {
            bad.push(format!("src/{rel}:{n}: {folder} may not use {used}"));
        } else if used == "sys" && !effects_allowed {
            bad.push(format!("src/{rel}:{n}: sys in a pure file; move it to drive.rs"));
        }
    }
    bad
}

/// First path segment after every `crate::`, with its line, braces included.
fn crate_paths(code: &str) -> Vec<(usize, String)> {
    let code: String = code.lines().map(|l| l.split("//").next().unwrap_or_default().to_owned() + "\n").collect();
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let (mut depth, mut item) = (0, String::new());
            for c in list.chars() {
                match c {
                    '}' if depth == 0 => break,
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 0 => found.push((line, first_segment(&std::mem::take(&mut item)))),
                    _ if depth == 0 => item.push(c),
                    _ => {}
                }
            }
            found.push((line, first_segment(&item)));
        } else {
            found.push((line, first_segment(rest)));
        }
    }
    found
}

fn first_segment(path: &str) -> String {
    path.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn rust_files(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("readable folder") {
        let path = entry.expect("readable entry").path();
        if path.is_dir() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}
