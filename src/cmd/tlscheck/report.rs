//! What was found, as lines or as JSON.

use std::io::{self, Write};
use std::path::Path;

use serde_json::json;

use super::causes::{CAUSES, Cause, by_id};
use super::sides::Side;
use crate::base::exit::Exit;
use crate::base::table::nearest;
use crate::cmd::severity::Severity;

/// A line for each side, then one for each cause.
pub(super) fn text(sides: &[Side], causes: &[Cause], out: &mut dyn Write) -> io::Result<()> {
    for Side { name, port, text, .. } in sides {
        match port {
            Some(port) => writeln!(out, "{name}, port {port}: {text}")?,
            None => writeln!(out, "{name}: {text}")?,
        }
    }
    for cause in causes {
        let Cause { row, sides, text, mend, .. } = cause;
        let (word, subject) = (row.severity.word(), cause.subject());
        writeln!(out, "{word}[{}] {}: {subject}: {text}; mend: {mend}", row.id, sides.words())?;
    }
    Ok(())
}

/// One object; tlscheck(8) has the shape.
pub(super) fn json(file: &Path, sides: &[Side], causes: &[Cause], out: &mut dyn Write) -> io::Result<()> {
    let sides: Vec<serde_json::Value> = sides
        .iter()
        .map(|side| json!({"name": side.name, "port": side.port, "tls": side.has_tls, "text": side.text}))
        .collect();
    let rows: Vec<serde_json::Value> = causes
        .iter()
        .map(|cause| {
            json!({
                "id": cause.row.id,
                "severity": cause.row.severity.word(),
                "server": cause.sides.server,
                "client": cause.sides.client,
                "option": cause.option,
                "file": cause.file.as_ref().map(|file| file.display().to_string()),
                "message": cause.text,
                "effect": cause.row.effect,
                "mend": cause.mend,
            })
        })
        .collect();
    let count = |severity| causes.iter().filter(|cause| cause.row.severity == severity).count();
    let whole = json!({
        "version": 1,
        "file": file.display().to_string(),
        "sides": sides,
        "causes": rows,
        "errors": count(Severity::Error),
        "warnings": count(Severity::Warning),
        "notes": count(Severity::Note),
    });
    writeln!(out, "{whole:#}")
}

/// The row of a cause, or the list of all.
pub(super) fn explain(id: &str, out: &mut dyn Write, errors: &mut dyn Write) -> io::Result<Exit> {
    if id.is_empty() {
        for row in CAUSES {
            writeln!(out, "{:<21}{:<9}{}", row.id, row.severity.word(), row.effect)?;
        }
        return Ok(Exit::OK);
    }
    if let Some(row) = by_id(id) {
        writeln!(out, "{} ({}): {}", row.id, row.severity.word(), row.effect)?;
        return Ok(Exit::OK);
    }
    let hint = nearest(id, CAUSES.iter().map(|row| row.id));
    let hint = hint.map_or(String::new(), |name| format!("; is it {name}?"));
    writeln!(errors, "tlscheck: there is no cause {id}{hint}")?;
    Ok(Exit::USAGE)
}
