//! Findings as text, with the offending line and carets, or as JSON.

use std::io::{self, Write};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde_json::json;

use super::Context;
use super::checks::{self, CHECKS};
use super::finding::{Finding, Severity};
use crate::base::exit::Exit;
use crate::base::table::nearest;

/// Every finding as a snippet, then how many there are.
pub(super) fn text(
    context: &Context<'_>,
    findings: &[Finding],
    with_colours: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let renderer = if with_colours { Renderer::styled() } else { Renderer::plain() };
    for finding in findings {
        writeln!(out, "{}\n", render(context, finding, &renderer))?;
    }
    let count = |severity| findings.iter().filter(|finding| finding.check.severity == severity).count();
    let (errors, warnings, notes) = (count(Severity::Error), count(Severity::Warning), count(Severity::Note));
    if errors + warnings + notes == 0 {
        return Ok(());
    }
    let words: Vec<String> = [(errors, "error"), (warnings, "warning"), (notes, "note")]
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{n} {word}{}", if n == 1 { "" } else { "s" }))
        .collect();
    writeln!(out, "{}: {}", context.path.display(), words.join(", "))
}

fn render(context: &Context<'_>, finding: &Finding, renderer: &Renderer) -> String {
    let level = match finding.check.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(headline(finding)).id(finding.check.id);
    let path = context.path.display().to_string();
    let mut group = match &finding.place {
        Some(place) => {
            let line = context.source.physical(place.line);
            let annotation = AnnotationKind::Primary.span(place.columns.clone());
            let number = usize::try_from(place.line).unwrap_or(1);
            title.element(Snippet::source(line).line_start(number).path(path).annotation(annotation))
        }
        None => title.element(Level::NOTE.message(format!("in {path}"))),
    };
    if let Some(fix) = &finding.fix {
        group = group.element(Level::HELP.message(fix.clone()));
    }
    renderer.render(&[group])
}

/// What is wrong, with the other file it is about.
fn headline(finding: &Finding) -> String {
    match &finding.file {
        Some(file) => format!("{}: {}", file.display(), finding.text),
        None => finding.text.clone(),
    }
}

/// One object: the file, its findings, how many of each severity. cfcheck(8) has the shape.
pub(super) fn json(context: &Context<'_>, findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    let path = context.path.display().to_string();
    let rows = findings.iter().map(|finding| {
        let place = finding.place.as_ref();
        json!({
            "id": finding.check.id,
            "severity": finding.check.severity.word(),
            "line": place.map(|place| place.line),
            "column": place.map(|place| place.columns.start + 1),
            "end_column": place.map(|place| place.columns.end + 1),
            "source": place.map(|place| context.source.physical(place.line)),
            "message": finding.text,
            "about": finding.file.as_ref().map(|file| file.display().to_string()),
            "fix": finding.fix,
        })
    });
    let rows: Vec<serde_json::Value> = rows.collect();
    let count = |severity| findings.iter().filter(|finding| finding.check.severity == severity).count();
    let whole = json!({
        "version": 1,
        "file": path,
        "findings": serde_json::Value::Array(rows),
        "errors": count(Severity::Error),
        "warnings": count(Severity::Warning),
        "notes": count(Severity::Note),
    });
    writeln!(out, "{whole:#}")
}

/// The row of a check, or the list of all.
pub(super) fn explain(id: &str, out: &mut dyn Write) -> io::Result<Exit> {
    if id.is_empty() {
        for check in CHECKS {
            writeln!(out, "{:<28}{:<9}{}", check.id, check.severity.word(), check.title)?;
        }
        return Ok(Exit::OK);
    }
    if let Some(check) = checks::by_id(id) {
        writeln!(out, "{} ({})\n\n{}\n{}", check.id, check.severity.word(), check.title, check.text)?;
        return Ok(Exit::OK);
    }
    let hint = nearest(id, CHECKS.iter().map(|check| check.id));
    let hint = hint.map_or(String::new(), |name| format!("; is it {name}?"));
    writeln!(out, "cfcheck: there is no check {id}{hint}")?;
    Ok(Exit::USAGE)
}
