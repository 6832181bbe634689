//! Programs of mailers.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::Context;
use super::finding::Finding;
use crate::sys::file::facts_of;
use crate::sys::safefile::{self, Purpose, Refusal};

/// Every mailer that starts a program. One that changes its root directory first is not judged.
pub(super) fn look(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for mailer in context.config.mailers.iter().filter(|mailer| !mailer.path.starts_with(b"[") && mailer.root.is_none())
    {
        let name = String::from_utf8_lossy(&mailer.name).into_owned();
        let line = context.source.of_kind(b'M').filter(|line| is_about(&line.text, &mailer.name)).last();
        // A built-in mailer is nobody's line.
        let Some(line) = line else { continue };
        let path = Path::new(OsStr::from_bytes(&mailer.path));
        let place = context.source.place(line, &path.display().to_string());
        let missing = |why: String| {
            Finding::new("mailer-program-missing", Some(place.clone()), format!("mailer {name} cannot run it: {why}"))
                .about(path)
        };
        if !path.is_absolute() {
            findings.push(missing("the path does not begin with /".to_owned()).fix("write the whole path"));
            continue;
        }
        match facts_of(path) {
            Err(why) => {
                let why = safefile::error_text(&why);
                findings.push(missing(why).fix("install the program, or name the one that is there"));
            }
            Ok(facts) if !facts.is_regular() || facts.permissions() & 0o111 == 0 => {
                findings.push(missing("it is no program".to_owned()));
            }
            Ok(_) => {
                if let Err(why @ Refusal::Rule(_)) = safefile::check(path, Purpose::Program, &context.judge) {
                    findings.push(
                        Finding::new("mailer-program-unsafe", Some(place), format!("mailer {name}: {why}")).about(path),
                    );
                }
            }
        }
    }
}

/// Whether the text behind an `M` declares that mailer.
fn is_about(text: &[u8], name: &[u8]) -> bool {
    let end = text.iter().position(|b| *b == b',' || b.is_ascii_whitespace()).unwrap_or(text.len());
    text.get(..end).is_some_and(|found| found.eq_ignore_ascii_case(name))
}
