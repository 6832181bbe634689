//! Templates: text with macro references and conditionals.

use bytes::Bytes;

use super::names::{MacroId, NameTable};
use super::scope::{Scope, Value};

/// Part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Plain text.
    Text(Bytes),
    /// `$x`, `${name}`; also `$&x`, which means the same outside of rules.
    Macro(MacroId),
    /// `$?x`: what follows counts only when the macro has a value that is not empty.
    If(MacroId),
    /// `$|`.
    Else,
    /// `$.`.
    EndIf,
}

/// Text with macro references, parsed once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    pieces: Vec<Piece>,
}

impl Template {
    /// Text without references.
    pub fn literal(text: impl Into<Bytes>) -> Self {
        let text = text.into();
        Self { pieces: if text.is_empty() { Vec::new() } else { vec![Piece::Text(text)] } }
    }

    /// From parts.
    pub fn from_pieces(pieces: Vec<Piece>) -> Self {
        Self { pieces }
    }

    /// Parses text as a configuration line writes it (`$x`, `${name}`, `$&x`, `$?x…$|…$.`, `$$`).
    ///
    /// Names that are new are added to `names`. A `$` before anything else stays as it is.
    pub fn parse(text: &[u8], names: &mut NameTable) -> Self {
        let mut pieces = Vec::new();
        let mut plain = Vec::new();
        let mut rest = text;
        while let Some((first, tail)) = rest.split_first() {
            rest = tail;
            if *first != b'$' {
                plain.push(*first);
                continue;
            }
            let Some((piece, tail)) = reference(tail, names) else {
                plain.push(b'$');
                rest = tail.strip_prefix(b"$").unwrap_or(tail);
                continue;
            };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain).into()));
            }
            pieces.push(piece);
            rest = tail;
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain.into()));
        }
        Self { pieces }
    }

    /// Its parts.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Whether it is only text; then that text.
    pub fn as_literal(&self) -> Option<Bytes> {
        match self.pieces.as_slice() {
            [] => Some(Bytes::new()),
            [Piece::Text(text)] => Some(text.clone()),
            _ => None,
        }
    }

    /// Whether it names the macro.
    pub fn mentions(&self, id: MacroId) -> bool {
        self.pieces.iter().any(|p| matches!(p, Piece::Macro(m) | Piece::If(m) if *m == id))
    }

    /// Its text under the values of `scope`. Templates within templates are followed to a depth of 10.
    pub fn expand(&self, scope: &Scope) -> Vec<u8> {
        let mut out = Vec::new();
        self.expand_into(scope, &mut out, 0);
        out
    }

    fn expand_into(&self, scope: &Scope, out: &mut Vec<u8>, depth: usize) {
        // One entry per open conditional: whether text counts, and whether it would without this conditional.
        let mut open: Vec<(bool, bool)> = Vec::new();
        let mut live = true;
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) if live => out.extend_from_slice(text),
                Piece::Macro(id) if live => match scope.value(*id) {
                    Some(Value::Text(text)) => out.extend_from_slice(text),
                    Some(Value::Template(inner)) if depth < MAX_DEPTH => inner.expand_into(scope, out, depth + 1),
                    _ => {}
                },
                Piece::If(id) => {
                    open.push((live && is_set(scope, *id), live));
                    live = live && is_set(scope, *id);
                }
                Piece::Else => {
                    if let Some((taken, outer)) = open.last() {
                        live = *outer && !taken;
                    }
                }
                Piece::EndIf => live = open.pop().map_or(live, |(_, outer)| outer),
                Piece::Text(_) | Piece::Macro(_) => {}
            }
        }
    }
}

fn is_set(scope: &Scope, id: MacroId) -> bool {
    match scope.value(id) {
        None => false,
        Some(Value::Text(text)) => !text.is_empty(),
        Some(Value::Template(template)) => !template.pieces.is_empty(),
    }
}

/// What stands behind a `$`, and what follows it; `None` when that is no reference.
fn reference<'a>(text: &'a [u8], names: &mut NameTable) -> Option<(Piece, &'a [u8])> {
    let (first, tail) = text.split_first()?;
    match first {
        b'$' => None,
        b'|' => Some((Piece::Else, tail)),
        b'.' => Some((Piece::EndIf, tail)),
        b'?' => name(tail, names).map(|(id, rest)| (Piece::If(id), rest)),
        b'&' => name(tail, names).map(|(id, rest)| (Piece::Macro(id), rest)),
        _ => name(text, names).map(|(id, rest)| (Piece::Macro(id), rest)),
    }
}

/// A macro name: one character, or several in braces.
fn name<'a>(text: &'a [u8], names: &mut NameTable) -> Option<(MacroId, &'a [u8])> {
    let (first, tail) = text.split_first()?;
    if *first != b'{' {
        return (first.is_ascii_alphanumeric() || *first == b'_').then_some((MacroId(u16::from(*first)), tail));
    }
    let end = memchr::memchr(b'}', tail)?;
    let (long, rest) = tail.split_at_checked(end)?;
    Some((names.intern(long).ok()?, rest.strip_prefix(b"}")?))
}

/// How deep templates within templates are followed.
const MAX_DEPTH: usize = 10;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::macros::names;

    fn expanded(template: &str, values: &[(MacroId, &str)]) -> String {
        let mut table = NameTable::default();
        let template = Template::parse(template.as_bytes(), &mut table);
        let mut scope = Scope::new(Arc::default());
        for (id, text) in values {
            scope.set(*id, text.as_bytes().to_vec());
        }
        String::from_utf8(template.expand(&scope)).unwrap()
    }

    #[test]
    fn conditionals_nest_and_have_an_else() {
        let text = "a$?i<$i>$?j+$j$|-$.$|none$.b";
        assert_eq!(expanded(text, &[]), "anoneb");
        assert_eq!(expanded(text, &[(names::QUEUE_ID, "x")]), "a<x>-b");
        assert_eq!(expanded(text, &[(names::QUEUE_ID, "x"), (names::HOST, "h")]), "a<x>+hb");
    }

    #[test]
    fn values_set_at_run_time_are_not_expanded_again() {
        assert_eq!(expanded("<${client_name}>", &[(names::CLIENT_NAME, "$j")]), "<$j>");
        assert_eq!(expanded("$$j", &[(names::HOST, "h")]), "$j");
    }
}
