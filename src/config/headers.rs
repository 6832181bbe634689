//! `H` lines.

use bytes::Bytes;

use super::reader::Reader;
use super::rules::RulesetId;
use super::{Config, lines};
use crate::base::bytes::{split_once, trim};
use crate::base::letters::LetterSet;
use crate::macros::{NameTable, Piece, Template};
use crate::message::Condition;

/// An `H` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderRule {
    /// Field name as written; `*` for the ruleset of all headers without their own.
    pub name: Bytes,
    /// Its condition.
    pub condition: Condition,
    /// Text of the header to add, as it stands behind the colon (with its blank); continuation lines keep their newline. `None` for a line that only names a ruleset.
    pub template: Option<Template>,
    /// Ruleset for a header that came in; the flag says whether comments are kept (`$>+`).
    pub check: Option<(RulesetId, bool)>,
}

impl Config {
    /// The ruleset that looks at fields of this name, and whether comments are kept.
    pub fn header_check(&self, name: &[u8]) -> Option<(RulesetId, bool)> {
        let named = |name: &[u8]| self.headers.iter().find(|r| r.check.is_some() && r.name.eq_ignore_ascii_case(name));
        named(name).or_else(|| named(b"*"))?.check
    }
}

impl Reader<'_> {
    /// `H[?condition?]name: template`, `Hname: $>ruleset`.
    pub(super) fn header_line(&mut self, text: &[u8]) {
        match self.parse_header(text) {
            Ok(Some(rule)) => self.config.headers.push(rule),
            Ok(None) => {}
            Err(shown) => self.error(format!("header syntax error, line \"{shown}\"")),
        }
    }

    /// `Ok(None)` when what is wrong has been said already. Errors: as much of the line as the original quotes.
    fn parse_header(&mut self, text: &[u8]) -> Result<Option<HeaderRule>, String> {
        let (condition, rest) = match text.strip_prefix(b"?") {
            None => (Condition::Always, text),
            Some(tail) => self.condition(tail).ok_or_else(|| quoted_condition(text))?,
        };
        let is_name = |b: &u8| b.is_ascii_graphic() && *b != b':';
        let length = rest.iter().take_while(|b| is_name(b)).count();
        let (name, after) = rest.split_at_checked(length).unwrap_or((rest, b""));
        let value = after.trim_ascii_start().strip_prefix(b":").filter(|_| !name.is_empty());
        let Some(value) = value else { return Err(quoted_condition(text)) };
        let name = Bytes::copy_from_slice(name);
        let Some(call) = value.trim_ascii_start().strip_prefix(b"$>") else {
            let mut complaints = Vec::new();
            let parsed = Template::parse_with(value, &mut self.config.names, &mut complaints);
            self.complain(complaints);
            let template = Some(undeferred(&parsed, &self.config.names, matches!(self.mode, Some(b'd' | b'D'))));
            return Ok(Some(HeaderRule { name, condition, template, check: None }));
        };
        let (keeps_comments, called) = match call.strip_prefix(b"+") {
            Some(called) => (true, called),
            None => (false, call),
        };
        let check = self.ruleset_named(trim(called)).map(|id| (id, keeps_comments));
        Ok(check.map(|check| HeaderRule { name, condition, template: None, check: Some(check) }))
    }

    /// Behind the first `?`: flags or a macro, then the second `?`.
    fn condition<'t>(&mut self, text: &'t [u8]) -> Option<(Condition, &'t [u8])> {
        if let Some(reference) = text.strip_prefix(b"$") {
            let reference = reference.strip_prefix(b"&").unwrap_or(reference);
            let (id, rest) = self.name(reference)?;
            return Some((Condition::Macro(id), rest.strip_prefix(b"?")?));
        }
        let (flags, rest) = split_once(text, b'?')?;
        Some((Condition::MailerFlags(LetterSet::from_bytes(flags)), rest))
    }
}

/// `$&x` has a meaning in rules alone; here the original writes its own code for it. Source: observed (hdr/H-lines).
fn undeferred(template: &Template, names: &NameTable, is_daemon: bool) -> Template {
    let piece = |piece: &Piece| match piece {
        Piece::Deferred(id) => Piece::Text(Bytes::copy_from_slice(&[DEFERRED, names.code(*id, is_daemon)])),
        other => other.clone(),
    };
    Template::from_pieces(template.pieces().iter().map(piece).collect())
}

/// What the original has for `$&`.
const DEFERRED: u8 = 0x82;

/// The line up to its second `?`, which is all that the original quotes.
fn quoted_condition(text: &[u8]) -> String {
    let end = match text.strip_prefix(b"?").and_then(|tail| tail.iter().position(|b| *b == b'?')) {
        Some(at) => at + 1,
        None => text.len(),
    };
    lines::quoted(text.get(..end).unwrap_or(text))
}
