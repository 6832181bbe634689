//! What the reader of configurations says, and lines that only look like what they should be.

use super::Context;
use super::finding::Finding;
use super::source::Line;
use crate::base::table::nearest;
use crate::config::Diagnostic;
use crate::config::diagnostic::Severity;
use crate::config::options::OPTIONS;
use crate::maps::{MapSet, Services};

/// Diagnostics in their words, with a fix where one is known.
pub(super) fn look(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let pasted: Vec<&Line> = context.source.lines.iter().filter(|line| pasted_option(line).is_some()).collect();
    for line in &pasted {
        if let Some(name) = pasted_option(line) {
            let place = context.source.place(line, &pasted_text(line));
            findings.push(
                Finding::new(
                    "option-without-o",
                    Some(place),
                    format!("this line looks like the option {name} without its \"O \""),
                )
                .fix(format!("write \"O {name}=...\"; as it stands, {}", meaning(line.kind))),
            );
        }
    }
    let (_, of_maps) = MapSet::open(context.config, Services::default());
    for diagnostic in context.diagnostics.iter().chain(&of_maps) {
        let line = context.source.ending_at(diagnostic.line).filter(|_| diagnostic.line > 0);
        // What such a line was taken for is of no interest.
        if !line.is_some_and(|line| pasted.contains(&line)) {
            findings.push(finding(context, diagnostic, line));
        }
    }
}

fn finding(context: &Context<'_>, diagnostic: &Diagnostic, line: Option<&Line>) -> Finding {
    let text = &diagnostic.text;
    let line = line.or_else(|| line_of_mailer(context, text));
    let place = line.map(|line| context.source.place(line, &culprit(text, context, line)));
    if let Some(name) = text.strip_prefix("readcf: unknown option name ") {
        let near = nearest(name, OPTIONS.iter().map(|row| row.name));
        let finding = Finding::new("unknown-option", place, format!("there is no option {name}"));
        if let Some(known) = without_equals_sign(name) {
            return finding.fix(format!("write O {known}=…: an equals sign parts name and value"));
        }
        return match near {
            Some(near) => finding.fix(format!("is it {near}?")),
            None => finding.fix(gone(name)),
        };
    }
    if let Some((name, whole)) = text.strip_prefix("Option ").and_then(|t| t.split_once(" used as abbreviation for ")) {
        return Finding::new("abbreviated-option", place, format!("{name} is used for {whole}"))
            .fix(format!("write {whole}"));
    }
    let id = if diagnostic.severity == Severity::Warning { "configuration-warning" } else { "configuration-error" };
    let finding = Finding::new(id, place, shown(text));
    match fix(text) {
        Some(fix) => finding.fix(fix),
        None => finding,
    }
}

/// The option that a text without an equals sign begins with: `ServerKeyFile /etc/mail/key.pem`.
fn without_equals_sign(text: &str) -> Option<&'static str> {
    let (word, _) = text.split_once(|c: char| c.is_ascii_whitespace())?;
    OPTIONS.iter().map(|row| row.name).find(|name| name.eq_ignore_ascii_case(word))
}

/// What to do about an option that no known one is near to.
fn gone(name: &str) -> &'static str {
    match name.to_ascii_lowercase().as_str() {
        "autorebuildaliases" => {
            "take the line out: newaliases makes the database, till then the text of the aliases is read"
        }
        "trustedfileowner" => "it is called TrustedUser now",
        _ => "take the line out, or look for its name in the operations guide",
    }
}

/// What mends what a text says, where that is known.
fn fix(text: &str) -> Option<&'static str> {
    let is_dbm = ["class dbm ", "class ndbm ", "alias class dbm", "alias class ndbm"].iter().any(|w| text.contains(w));
    if is_dbm && text.contains("alias class") {
        return Some("write hash: in its place and run newaliases");
    }
    if is_dbm {
        return Some("declare it with class hash, and make its file from the text: makemap hash FILE < FILE");
    }
    [
        ("P=[TCP] must be replaced by P=[IPC]", "write P=[IPC]"),
        ("first argument in [IPC] mailer must be TCP or FILE", "write A=TCP $h"),
    ]
    .iter()
    .find_map(|(words, fix)| text.contains(words).then_some(*fix))
}

/// The line of a mailer that a text names in front (`Mesmtp: …`) without a number.
fn line_of_mailer<'a>(context: &'a Context<'_>, text: &str) -> Option<&'a Line> {
    let (name, _) = text.strip_prefix('M')?.split_once(": ")?;
    context.source.of_kind(b'M').find(|line| {
        let end = line.text.iter().position(|b| *b == b',' || b.is_ascii_whitespace()).unwrap_or(line.text.len());
        line.text.get(..end).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
    })
}

/// The part of the line that a text is about: what it quotes, else its last word that stands in the line.
fn culprit(text: &str, context: &Context<'_>, line: &Line) -> String {
    let stands = |word: &&str| {
        !word.is_empty() && (line.physical.0..=line.physical.1).any(|n| context.source.physical(n).contains(word))
    };
    let quoted = text.split('"').nth(1).or_else(|| text.split('\'').nth(1)).filter(stands);
    let words =
        text.split([' ', '\n']).map(|word| word.trim_matches(['"', '\'', ':', ','])).filter(|word| word.len() > 1);
    quoted.or_else(|| words.rev().find(stands)).unwrap_or_default().to_owned()
}

/// The original shows its inner code for `$`.
fn shown(text: &str) -> String {
    text.replace('\u{1}', "$").replace("\n         ", " ").replace("\n\t", " ")
}

/// The option that a line names when its `O ` is missing: the whole name stands before the first `=`.
fn pasted_option(line: &Line) -> Option<&'static str> {
    if line.kind == b'O' {
        return None;
    }
    let text = pasted_text(line);
    let name = text.split('.').next().unwrap_or_default();
    OPTIONS.iter().map(|row| row.name).find(|known| known.eq_ignore_ascii_case(name))
}

/// What stands before the first `=` of a line.
fn pasted_text(line: &Line) -> String {
    let equals = line.text.iter().position(|b| *b == b'=').unwrap_or(0);
    let rest = line.text.get(..equals).unwrap_or_default();
    format!("{}{}", char::from(line.kind), String::from_utf8_lossy(rest)).trim_end().to_owned()
}

/// What a line with that first letter does instead.
fn meaning(kind: u8) -> &'static str {
    match kind {
        b'C' | b'F' => "it adds words to a class",
        b'D' => "it defines a macro",
        b'E' => "it sets a variable of the environment",
        b'H' => "it is a header line",
        b'K' => "it declares a map",
        b'M' => "it declares a mailer",
        b'P' => "it declares a precedence",
        b'Q' => "it declares a queue group",
        b'R' => "it is a rule",
        b'S' => "it begins a ruleset",
        b'T' => "it names a trusted user",
        b'V' => "it sets the version level",
        b'X' => "it declares a filter",
        _ => "no line begins with that letter",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_without_an_equals_sign_is_known() {
        assert_eq!(without_equals_sign("serverkeyfile /etc/mail/key.pem"), Some("ServerKeyFile"));
        assert_eq!(without_equals_sign("DontBlameSendmail\tGroupReadableKeyFile"), Some("DontBlameSendmail"));
        assert_eq!(without_equals_sign("ServerKeyFile"), None);
        assert_eq!(without_equals_sign("NoSuch thing"), None);
    }
}
