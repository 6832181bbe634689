//! Files that options name, judged by the safe-file rules. Maps, keys and certificates have files of their own.

use std::path::PathBuf;

use super::Context;
use super::finding::Finding;
use crate::sys::safefile::{self, Purpose, Refusal};

/// One option after the other. A file that does not exist is none of them: the program does without it.
pub(super) fn look(context: &Context<'_>, findings: &mut Vec<Finding>) {
    if let Err(why @ Refusal::Rule(_)) = safefile::check(context.path, Purpose::Configuration, &context.judge) {
        findings.push(Finding::new("unsafe-file", None, format!("the configuration is refused: {why}")).fix(FIX));
    }
    for (option, purpose) in OPTIONS {
        let Some((line, value)) = context.source.option(option) else { continue };
        let value = String::from_utf8_lossy(value).into_owned();
        // `-o /path` for a file that may be missing; a text of its own for ErrorHeader.
        let path = value.strip_prefix("-o").unwrap_or(&value).trim();
        if !path.starts_with('/') || path.contains('$') {
            continue;
        }
        if let Err(why @ Refusal::Rule(_)) = safefile::check(&PathBuf::from(path), *purpose, &context.judge) {
            let place = context.source.place(line, path);
            findings.push(Finding::new("unsafe-file", Some(place), format!("is refused: {why}")).about(path).fix(FIX));
        }
    }
}

const FIX: &str = "let only the owner write to the file and to the directories on the way; a file in a directory that all share, as /tmp, \
    belongs elsewhere";

/// Options and what their files are opened for.
static OPTIONS: &[(&str, Purpose)] = &[
    ("ErrorHeader", Purpose::ErrorHeader),
    ("HelpFile", Purpose::Help),
    ("ServiceSwitchFile", Purpose::ServiceSwitch),
    ("StatusFile", Purpose::Statistics),
];
